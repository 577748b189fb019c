// What becomes of a connection that was opened: it may stay until it says CONNECT, or there is no
// room for it.

import * as IntMap from '../data/int-map.ts'
import { CONNECTION_RATE_EXCEEDED, QUOTA_EXCEEDED } from '../codec/reason-code.ts'
import { enter, isCrowded, isFullListener, isTooOften } from './address.ts'
import { type Draft, note } from './draft.ts'
import { close } from './effect.ts'
import type { Opened } from './input.ts'
import { refuse } from './leave.ts'
import type { Ending } from './note.ts'
import { wakeLink } from './schedule.ts'
import { type Link, NEVER } from './state.ts'

/** A connection was accepted by the shell; it may not be by us. */
export const opened = (draft: Draft, input: Opened): void => {
  const { conn, at, listener, peer, nonce } = input
  if (IntMap.get(draft.links, conn.slot) !== undefined) {
    throw new Error(`slot ${conn.slot} was opened while it is in use: give each connection its own`)
  }
  const { config } = draft
  if (draft.stopping) return turnAway(draft, input, 'server shutting down', QUOTA_EXCEEDED)
  if (IntMap.size(draft.links) >= config.connectionsMax) {
    return turnAway(draft, input, 'global_max_connections exceeded', QUOTA_EXCEEDED)
  }
  if (isFullListener(draft, listener)) {
    return turnAway(draft, input, 'max_connections exceeded', QUOTA_EXCEEDED)
  }
  if (isCrowded(draft, peer.address)) {
    return turnAway(draft, input, 'max_connections_per_address exceeded', QUOTA_EXCEEDED)
  }
  if (isTooOften(draft, peer.address)) {
    return turnAway(draft, input, 'connecting too often', CONNECTION_RATE_EXCEEDED)
  }
  if (IntMap.size(draft.greeting) >= config.unauthenticatedMax) {
    // The one that has hesitated longest makes room; a crowd that has only just come in, after an
    // outage for one, is given the time to say CONNECT.
    const oldest = hesitating(draft)
    if (oldest !== null && at - oldest.seenAt >= config.unauthenticatedGraceMs) {
      refuse(draft, oldest, 0, QUOTA_EXCEEDED, 'too many without CONNECT')
    }
  }
  const opening = IntMap.freeKey(draft.greeting, draft.nextOpening)
  draft.nextOpening = (opening + 1) % IntMap.keyLimit
  const link: Link = {
    owner: draft.owner,
    conn,
    listener,
    peer,
    nonce,
    opening,
    phase: { phase: 'Greeting' },
    seenAt: at,
    timerAt: NEVER,
  }
  draft.links = IntMap.set(draft.links, draft.owner, conn.slot, link)
  draft.greeting = IntMap.set(draft.greeting, draft.owner, opening, conn.slot)
  draft.traffic.sockets++
  enter(draft, listener, peer.address)
  wakeLink(draft, link, at + config.connectTimeoutMs)
  note(draft, { _tag: 'ConnectionOpened', conn, listener, peer })
}

/**
 * The connection that has hesitated longest, if any does. Who has said CONNECT and is judged does
 * not: the broker does, and whoever waits longest comes next.
 */
const hesitating = ({ greeting, links }: Draft): Link | null => {
  for (let at = IntMap.first(greeting); at !== undefined; at = IntMap.next(greeting, at[0])) {
    const link = IntMap.get(links, at[1])!
    if (link.phase.phase !== 'Judging') return link
  }
  return null
}

/** Closes a connection at once and without a word, before anything is known of it. */
const turnAway = (
  draft: Draft,
  { conn, peer }: Opened,
  ending: Ending,
  reason: number,
): void => {
  draft.effects.push(close(conn, reason))
  note(draft, {
    _tag: 'ConnectionEnded',
    conn,
    clientId: null,
    wasAccepted: false,
    peer,
    ending,
    reason,
    fault: null,
  })
}
