// Copies that are in their sessions no more, and why.

import type { DropReason } from '../broker/note.ts'
import { isExpired } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { Copies } from './explain-copies.ts'
import { dropsFor, isSameShare } from './explain-facts.ts'
import type { Copy, Moment } from './explain-facts.ts'
import { placeOf, queuedAt } from './explain-places.ts'
import { sessionOf } from './facts.ts'

/** Open copies that are in their sessions no more; those that moved on are noted. */
export const goneIn = (copies: Copies, { input, before, after }: Moment): ReadonlyArray<Copy> => {
  const gone: Array<Copy> = []
  for (const copy of copies.open) {
    const session = IntMap.get(after.sessions, copy.session)
    if (session === IntMap.get(before.sessions, copy.session) && session !== undefined) continue
    const place = session === undefined ? null : placeOf(session, copy)
    if (place === null) {
      gone.push(copy)
      continue
    }
    if (place._tag === 'Queue') continue
    copy.packetId = place.packetId
    const isReceived = copy.events.some(({ _tag }) => _tag === 'Received')
    if (place.outgoing.stage !== 'released' || isReceived) continue
    const answer = input._tag === 'Arrived' && input.packet._tag === 'Pubrec' ? input.packet : null
    // Without its PUBREC it was given up: its identifier is in use, but the message has gone.
    if (answer?.packetId === place.packetId) copy.events.push({ _tag: 'Received', at: after.now })
    else gone.push(copy)
  }
  return gone
}

/** The other reasons are those of what was to begin to wait. */
const ofThoseThatWait: ReadonlySet<DropReason> = new Set<DropReason>([
  'expired',
  'too large',
  'not allowed',
])

/** Says why each copy that is gone is so. */
export const close = (copies: Copies, moment: Moment, gone: ReadonlyArray<Copy>): void => {
  const { input, after } = moment
  const at = after.now
  const drops = new Map<string, Array<DropReason>>()
  for (const copy of gone) {
    if (!copy.isOpen) continue
    copies.shut(copy)
    const answer = input._tag === 'Arrived' ? input.packet : null
    // An answer that does not fit ends its connection, and acknowledges nothing.
    const by = 'conn' in input ? sessionOf(after, input.conn)?.number : undefined
    if (
      by === copy.session && copy.packetId > 0 &&
      (answer?._tag === 'Puback' || answer?._tag === 'Pubrec' || answer?._tag === 'Pubcomp') &&
      answer.packetId === copy.packetId
    ) {
      const word = { Puback: 'PUBACK', Pubrec: 'PUBREC', Pubcomp: 'PUBCOMP' } as const
      copy.events.push({ _tag: 'Answered', at, by: word[answer._tag], reason: answer.reason })
      continue
    }
    // QoS 2 is finished with the client that it was sent to, or not at all [MQTT-4.8.2-5].
    const isBegun = copy.qos === 2 && copy.packetId > 0
    const taken = copy.share === null || isBegun ? [] : takers(copies, copy, moment)
    if (taken.length > 0) {
      copy.events.push({ _tag: 'HandedOver', at, to: taken })
      continue
    }
    const topic = copies.ownerOf(copy)?.topic ?? ''
    const key = `${copy.clientId} ${topic}`
    const left = drops.get(key) ??
      dropsFor(moment, copy.clientId, topic).filter((why) => ofThoseThatWait.has(why))
    drops.set(key, left)
    const isOver = left.length > 0 && hasExpired(copy, moment)
    // Who has no session any more was sent nothing of what was in it.
    const isThere = IntMap.get(after.sessions, copy.session) !== undefined
    const drop = left.findIndex((why) => why === 'expired' ? isOver : !isOver && isThere)
    const [why] = drop < 0 ? [] : left.splice(drop, 1)
    if (why !== undefined) copy.events.push({ _tag: 'Dropped', at, why, moment })
    else {
      const ended = whyEnded(moment, copy.clientId)
      copy.events.push({ _tag: 'SessionEnded', at, why: ended })
    }
  }
}

/** Only what waits in a queue is dropped for being over: what was sent is too late for that. */
const hasExpired = ({ session, packetId, order }: Copy, { before, after }: Moment): boolean => {
  if (packetId > 0 || order === null) return false
  const there = IntMap.get(before.sessions, session)
  const waited = there === undefined ? undefined : queuedAt(there, order)
  return waited !== undefined && isExpired(waited.message, after.now)
}

const isMember = ({ session }: Copy, { share }: Copy, { before, after }: Moment): boolean => {
  // Its own session may end in the same step.
  const there = IntMap.get(after.sessions, session) ?? IntMap.get(before.sessions, session)
  if (there === undefined) return false
  for (const [, subscription] of StrMap.entries(there.subscriptions)) {
    if (isSameShare(subscription.share, share)) return true
  }
  return false
}

/** Who else of the group has got the message in this step. */
const takers = (copies: Copies, copy: Copy, moment: Moment): ReadonlyArray<string> => {
  const all = copies.ownerOf(copy)?.copies ?? []
  // What goes at once does not say how: a member may have it by the group.
  const found = all.filter((other) =>
    copies.fresh.has(other) && other.session !== copy.session &&
    (other.share === null ? isMember(other, copy, moment) : isSameShare(other.share, copy.share))
  )
  return [...new Set(found.map(({ clientId }) => clientId))]
}

/** Why the client's session ended in this step; '' where it did not. */
export const whyEnded = (
  { effects }: Pick<Moment, 'effects'>,
  clientId: string,
): string => {
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'SessionEnded') continue
    if (effect.note.clientId === clientId) return effect.note.why
  }
  return ''
}
