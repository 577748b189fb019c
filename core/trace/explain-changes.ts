// What changes in subscriptions, as far as topics have to do with it.

import { mountedFilter } from '../broker/mount.ts'
import { NOT_AUTHORIZED } from '../codec/reason-code.ts'
import * as StrMap from '../data/str-map.ts'
import { splitShare } from '../topic/filter.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import type { TopicName } from '../topic/name.ts'
import { sessionFor } from './explain-facts.ts'
import type { Change, Moment } from './explain-facts.ts'
import { whyNotSubscribed } from './explain-rights.ts'
import { sessionOf } from './facts.ts'

/** Whether the filter, a shared one or not, matches the topic. */
export const isAbout = (filter: TopicFilter, topic: TopicName): boolean =>
  match(splitShare(filter)?.filter ?? filter, topic)

/** What was refused of a SUBSCRIBE. */
const refusals = (
  { input, before, after }: Moment,
  reasons: ReadonlyArray<number>,
): ReadonlyArray<Change> => {
  if (input._tag !== 'Arrived' || input.packet._tag !== 'Subscribe') return []
  const session = sessionOf(before, input.conn)
  if (session === undefined) return []
  const { clientId, mountPoint, source } = session
  return input.packet.requests.flatMap(({ filter: seen }, i) => {
    const reason = reasons[i] ?? 0
    const filter = reason < 0x80 ? null : mountedFilter(mountPoint, seen)
    if (filter === null) return []
    const why = reason !== NOT_AUTHORIZED || source === null
      ? null
      : whyNotSubscribed(before.config, source, filter)
    return [{ at: after.now, clientId, filter, what: 'refused', reason, why }]
  })
}

/** In one step, in order; of filters that match one of the topics. */
export const changesIn = (
  moment: Moment,
  topics: ReadonlySet<TopicName>,
): ReadonlyArray<Change> => {
  const { before, after, effects } = moment
  const at = after.now
  const found: Array<Change> = []
  const add = (clientId: string, filter: string, what: Change['what']): void => {
    // A filter that was taken is one.
    found.push({ at, clientId, filter: filter as TopicFilter, what, reason: 0, why: null })
  }
  for (const effect of effects) {
    if (effect._tag === 'Send' && effect.packet._tag === 'Suback') {
      found.push(...refusals(moment, effect.packet.reasons))
    }
    if (effect._tag !== 'Note') continue
    const { note } = effect
    if (note._tag === 'Subscribed') add(note.clientId, note.filter, 'subscribed')
    else if (note._tag === 'Unsubscribed') add(note.clientId, note.filter, 'unsubscribed')
    else if (note._tag === 'SessionEnded') {
      const session = sessionFor(before, note.clientId)
      if (session === undefined) continue
      StrMap.each(session.subscriptions, ({ filter }) => add(note.clientId, filter, 'lost'))
    }
  }
  return found.filter(({ filter }) => [...topics].some((topic) => isAbout(filter, topic)))
}
