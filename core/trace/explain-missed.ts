// Who subscribes and is not sent what the topic has retained, and why.

import { mountedFilter } from '../broker/mount.ts'
import { heirOf, isOvertaken } from '../broker/retain.ts'
import type { Message, Session, State } from '../broker/state.ts'
import type { SubscribeRequest } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import { splitShare } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { sessionFor } from './explain-facts.ts'
import type { Missed, Moment, Unsent } from './explain-facts.ts'
import { whyDenied } from './explain-rights.ts'
import { sessionOf } from './facts.ts'

/** Null where there is no reason why it should not be sent. */
const whyUnsent = (
  session: Session,
  { filter, retainHandling }: SubscribeRequest,
  topic: TopicName,
  { source }: Message,
  { after: { config } }: Moment,
): Unsent | null => {
  const whole = mountedFilter(session.mountPoint, filter)
  if (whole === null) return null
  const share = splitShare(whole)
  if (!match(share?.filter ?? whole, topic)) return null
  if (share !== null) return 'shared'
  if (
    retainHandling === 2 ||
    (retainHandling === 1 && StrMap.get(session.subscriptions, whole) !== undefined)
  ) return 'retain handling'
  if (session.source !== null && whyDenied(config, session.source, 'read', topic) !== null) {
    return 'not for it'
  }
  return config.checkRetainSource && source !== null &&
      whyDenied(config, source, 'write', topic) !== null
    ? 'not from its publisher'
    : null
}

/**
 * Whom something was dropped for in a step in which nothing is published; `value` is what the topic
 * has retained.
 */
export const droppedIn = (
  topic: TopicName,
  { source }: Message,
  moment: Moment,
): ReadonlyArray<Missed> => {
  const { after, effects } = moment
  const found: Array<Missed> = []
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'Dropped') continue
    const { note: { clientId, why, topic: dropped } } = effect
    // What is retained and over is not sent, without a note: that is of what waited in a queue.
    if (clientId === null || dropped !== topic || why === 'expired') continue
    found.push({ clientId, at: after.now, why, moment, source })
  }
  return found
}

/** For each subscription of the step that is not to be sent what the topic retains, the why. */
export const unsentIn = (
  topic: TopicName,
  value: Message,
  moment: Moment,
): ReadonlyArray<Missed> => {
  const { input, before, after, effects } = moment
  if (input._tag !== 'Arrived' || input.packet._tag !== 'Subscribe') return []
  const session = sessionOf(before, input.conn)
  const suback = effects.find((one) => one._tag === 'Send' && one.packet._tag === 'Suback')
  if (session === undefined || suback?._tag !== 'Send' || suback.packet._tag !== 'Suback') return []
  const { clientId } = session
  const { reasons } = suback.packet
  return input.packet.requests.flatMap((request, i) => {
    if ((reasons[i] ?? 0x80) >= 0x80) return []
    const why = whyUnsent(session, request, topic, value, moment)
    // What was asked for before and has not come yet comes all the same.
    const later = why === 'retain handling' ? sessionOf(after, input.conn) : undefined
    if (later !== undefined && isBehind(later, topic)) return []
    return why === null ? [] : [{ clientId, at: after.now, why, moment, source: value.source }]
  })
}

/** Whether the session is still to be sent what is retained for the topic. */
const isBehind = (session: Session, topic: TopicName): boolean => {
  for (const { rank, cursor, subscription } of Queue.entries(session.catchUps)) {
    const { filter } = subscription
    if (!match(filter, topic) || heirOf(session, subscription) === undefined) continue
    if (isOvertaken(session, topic, rank)) continue
    // What a search has not come to yet is what it would still find.
    const isAhead = cursor === null ||
      Tree.take(cursor, Infinity).found.some((one) => one.topic === topic)
    if (isAhead) return true
  }
  return false
}

/** Whose session ends in a step before it was sent that. */
export const notReachedIn = (
  topic: TopicName,
  { source }: Message,
  moment: Moment,
): ReadonlyArray<Missed> => {
  const { before, after, effects } = moment
  const found: Array<Missed> = []
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'SessionEnded') continue
    const { clientId } = effect.note
    const session = sessionFor(before, clientId)
    if (session === undefined || !isBehind(session, topic)) continue
    found.push({ clientId, at: after.now, why: 'not reached', moment, source })
  }
  return found
}

/** Who is still to be sent that when all is over. */
export const stillToComeIn = (
  topic: TopicName,
  { source }: Message,
  last: State,
): ReadonlyArray<Missed> => {
  const found: Array<Missed> = []
  const moment = { before: last, after: last, effects: [] }
  IntMap.each(last.sessions, (session) => {
    if (!isBehind(session, topic)) return
    const { clientId } = session
    found.push({ clientId, at: last.now, why: 'still to come', moment, source })
  })
  return found
}
