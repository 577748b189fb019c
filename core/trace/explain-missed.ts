// Who subscribes and is not sent what the topic has retained, and why.

import { mountedFilter } from '../broker/mount.ts'
import type { Message, Session } from '../broker/state.ts'
import type { SubscribeRequest } from '../codec/packet.ts'
import * as StrMap from '../data/str-map.ts'
import { splitShare } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import type { TopicName } from '../topic/name.ts'
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

/** Those of a step in which nothing is published; `value` is what the topic has retained. */
export const missedIn = (
  topic: TopicName,
  value: Message,
  moment: Moment,
): ReadonlyArray<Missed> => {
  const { input, before, after, effects } = moment
  const at = after.now
  const { source } = value
  const found: Array<Missed> = []
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'Dropped') continue
    const { note: { clientId, why, topic: dropped } } = effect
    if (clientId !== null && dropped === topic) found.push({ clientId, at, why, moment, source })
  }
  if (input._tag !== 'Arrived' || input.packet._tag !== 'Subscribe') return found
  const session = sessionOf(before, input.conn)
  const suback = effects.find((one) => one._tag === 'Send' && one.packet._tag === 'Suback')
  if (session === undefined || suback?._tag !== 'Send' || suback.packet._tag !== 'Suback') {
    return found
  }
  const { reasons } = suback.packet
  input.packet.requests.forEach((request, i) => {
    if ((reasons[i] ?? 0x80) >= 0x80) return
    const why = whyUnsent(session, request, topic, value, moment)
    if (why !== null) found.push({ clientId: session.clientId, at, why, moment, source })
  })
  return found
}
