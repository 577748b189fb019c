// Where connections come from: how many each listener and each address has, and how often they
// come from an address. The rate is a token bucket kept as one number: the time at which it would
// be full again. An address that has no connection is forgotten as soon as its bucket is full.

import * as StrMap from '../data/str-map.ts'
import { type Config, rulesOf } from './config.ts'
import type { Draft } from './draft.ts'
import { wakeAddress } from './schedule.ts'
import { type Address, NEVER } from './state.ts'

/** Whether an address is this machine's own: of the loopback, or the path of a socket. */
export const isLoopback = (address: string): boolean =>
  address.startsWith('/') || address.startsWith('127.') ||
  address === '::1' || address.startsWith('::ffff:127.')

/** Whether a listener has as many connections as it may have. */
export const isFullListener = (draft: Draft, listener: string): boolean =>
  (StrMap.get(draft.arrivals, listener) ?? 0) >=
    rulesOf(draft.config, listener).listenerConnectionsMax

/** Whether an address has as many connections as one may have. */
export const isCrowded = (draft: Draft, address: string): boolean =>
  !isLoopback(address) &&
  addressOf(draft, address).count >= draft.config.connectionsPerAddressMax

/** Whether one more connection would come too soon after the others from its address. */
export const isTooOften = (draft: Draft, address: string): boolean =>
  !isLoopback(address) && draft.config.connectionRatePerAddress > 0 &&
  fullAtUsAfter(draft, addressOf(draft, address)) > emptyUs(draft)

/** A connection through the listener and from the address is accepted. */
export const enter = (draft: Draft, listener: string, address: string): void => {
  const count = (StrMap.get(draft.arrivals, listener) ?? 0) + 1
  draft.arrivals = StrMap.set(draft.arrivals, draft.owner, listener, count)
  if (isLoopback(address)) return
  const old = addressOf(draft, address)
  const isLimited = draft.config.connectionRatePerAddress > 0
  setAddress(draft, address, {
    count: old.count + 1,
    fullAtUs: isLimited ? fullAtUsAfter(draft, old) : old.fullAtUs,
    timerAt: old.timerAt,
  })
}

/** A connection through the listener and from the address is gone. */
export const exit = (draft: Draft, listener: string, address: string): void => {
  const count = StrMap.get(draft.arrivals, listener)! - 1
  draft.arrivals = count === 0
    ? StrMap.remove(draft.arrivals, draft.owner, listener)
    : StrMap.set(draft.arrivals, draft.owner, listener, count)
  if (isLoopback(address)) return
  const old = addressOf(draft, address)
  setAddress(draft, address, { ...old, count: old.count - 1 })
  forgetOrWait(draft, address)
}

/** The timer of the address has come. */
export const checkAddress = (draft: Draft, address: string): void => {
  setAddress(draft, address, { ...addressOf(draft, address), timerAt: NEVER })
  forgetOrWait(draft, address)
}

const forgetOrWait = (draft: Draft, address: string): void => {
  const { count, fullAtUs } = addressOf(draft, address)
  if (count > 0) return
  const fullAt = Math.ceil(fullAtUs / 1000)
  if (fullAt > draft.now) wakeAddress(draft, address, fullAt)
  else draft.addresses = StrMap.remove(draft.addresses, draft.owner, address)
}

const unknown: Address = { count: 0, fullAtUs: 0, timerAt: NEVER }

const addressOf = (draft: Draft, address: string): Address =>
  StrMap.get(draft.addresses, address) ?? unknown

const setAddress = (draft: Draft, address: string, found: Address): void => {
  draft.addresses = StrMap.set(draft.addresses, draft.owner, address, found)
}

/** The time in which a bucket gets back what one connection takes, rounded up. */
const intervalUs = (config: Config): number =>
  Math.ceil(1_000_000 / config.connectionRatePerAddress)

/** When a bucket that has nothing left in it now will be full again. */
const emptyUs = ({ now, config }: Draft): number =>
  now * 1000 + config.connectionBurstPerAddress * intervalUs(config)

/** When the bucket will be full again if one more connection is taken out of it now. */
const fullAtUsAfter = (draft: Draft, { fullAtUs }: Address): number => {
  // More than can be missing was taken at a lower rate, before a reload, and counts no more: it is
  // enough for this one.
  if (fullAtUs > emptyUs(draft)) return emptyUs(draft)
  return Math.max(fullAtUs, draft.now * 1000) + intervalUs(draft.config)
}
