// What a session is owed, and owes, as data that can be compared: messages towards its client in
// their order, with stages and packet identifiers, and what its client has still to release.

import type { Effect } from '../broker/effect.ts'
import type { Gist, Message, Outgoing, Session, State, Terms } from '../broker/state.ts'
import { isExpired, publishOf } from '../broker/state.ts'
import * as B from '../data/bytes.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import { sessionOf } from './facts.ts'
import { showPacket } from './show.ts'
import { plural } from './words.ts'

export interface Owed {
  readonly order: number
  /** 0 where it has none yet. */
  readonly packetId: number
  /** Null where PUBREC was received: then only the identifier is left. */
  readonly message: Message | null
  readonly terms: Terms
}

interface Whole {
  readonly message: Message
  readonly isKnown: boolean
}

// What messages said of which sessions have only the gist.
const wholes = new WeakMap<Gist, Whole>()

const complete = (gist: Gist, payload: B.Bytes, isKnown: boolean): Whole => {
  const { payloadBytes: _, ...rest } = gist
  const whole = { message: { ...rest, payload }, isKnown }
  wholes.set(gist, whole)
  return whole
}

const found = (gist: Gist): Whole =>
  wholes.get(gist) ??
    complete(gist, B.of(new Uint8Array(gist.payloadBytes).fill(0x2e)), gist.payloadBytes === 0)

/** The message of a gist: what it said if somebody remembers that, else as many dots. */
export const wholeOf = (gist: Gist): Message => found(gist).message

/** Remembers what messages said that are on their way in `after`, of the effects that led there. */
export const remember = (after: State, effects: ReadonlyArray<Effect>): void => {
  for (const effect of effects) {
    if (effect._tag !== 'Send' || effect.packet._tag !== 'Publish') continue
    const { conn, packet } = effect
    if (packet.qos === 0) continue
    const session = sessionOf(after, conn)
    const one = session === undefined ? undefined : Window.get(session.window, packet.packetId)
    // An identifier may have been used more than once: the last one is it.
    if (one?.stage === 'passing') complete(one.message, B.own(packet.payload), true)
  }
}

/** How many messages are on their way of which nobody remembers what they said. */
export const forgottenIn = ({ window }: Session, wants: (topic: string) => boolean): number => {
  let count = 0
  for (const [, one] of Window.entries(window)) {
    if (one.stage === 'passing' && wants(one.message.topic) && !found(one.message).isKnown) count++
  }
  return count
}

const owedOf = (packetId: number, one: Outgoing): Owed => ({
  order: one.order,
  packetId,
  message: one.stage === 'released'
    ? null
    : one.stage === 'passing'
    ? wholeOf(one.message)
    : one.message,
  terms: one.terms,
})

/** What was sent and is not acknowledged, in the order in which it was first sent. */
export const inFlight = ({ window }: Session): ReadonlyArray<Owed> =>
  [...Window.entries(window)].map(([id, one]) => owedOf(id, one))
    .sort((one, other) => one.order - other.order)

/** What waits in the queue, without what has expired there. */
export const queued = ({ queue }: Session, now: number): ReadonlyArray<Owed> =>
  [...Queue.entries(queue)].filter((one) => !isExpired(one.message, now))
    .map((one) => owedOf(0, one))

// More than so many messages are not sent for the sake of packet identifiers.
const fillersMax = 16

/** How many messages had come and gone for these packet identifiers; null for too many. */
export const fillersOf = (flying: ReadonlyArray<Owed>): number | null => {
  let next = 1
  let count = 0
  for (const { packetId } of flying) {
    if (packetId < next) return null
    count += packetId - next
    next = packetId + 1
  }
  return count <= fillersMax ? count : null
}

const textOf = ({ packetId, message, terms }: Owed, named: boolean): string => {
  const id = named && packetId > 0 ? `id${packetId}` : ''
  if (message === null) return `released ${id}`
  const { qos, retain, identifiers, share } = terms
  // What is left of its time is told in whole seconds.
  const { messageExpiryInterval: _, ...properties } = message.properties
  const packet = showPacket({
    ...publishOf(message),
    qos,
    retain,
    properties: { ...properties, subscriptionIdentifiers: identifiers },
  })
  return `${packet} ${message.qos} ${share === null ? '' : `${share.group}/${share.filter}`} ${id}`
}

/** All that a session is owed, a text for each. `named`: with packet identifiers. */
export const owedTexts = (
  session: Session | undefined,
  now: number,
  wants: (topic: string) => boolean,
  named: boolean,
): ReadonlyArray<string> =>
  session === undefined ? [] : [...inFlight(session), ...queued(session, now)]
    .filter(({ message }) => message === null || wants(message.topic))
    .map((one) => textOf(one, named))

/** What is on one side only, however often. */
const lacking = (from: ReadonlyArray<string>, all: ReadonlyArray<string>): number => {
  const left = new Map<string, number>()
  for (const one of from) left.set(one, (left.get(one) ?? 0) + 1)
  let count = 0
  for (const one of all) {
    const more = left.get(one) ?? 0
    if (more === 0) count += 1
    else left.set(one, more - 1)
  }
  return count
}

/** Sentences on what is owed otherwise than it was. */
export const owedOtherwise = (
  whose: string,
  was: ReadonlyArray<string>,
  is: ReadonlyArray<string>,
): ReadonlyArray<string> => {
  const missing = lacking(is, was)
  const more = lacking(was, is)
  if (missing > 0 || more > 0) {
    return [
      ...missing > 0
        ? [`${plural(missing, 'message')} on the way to ${whose} or waiting for it`]
        : [],
      ...more > 0
        ? [`that ${plural(more, 'message')} here on the way to ${whose} had come to an end`]
        : [],
    ]
  }
  return was.some((one, i) => one !== is[i]) ? [`the order of the messages for ${whose}`] : []
}
