// What a topic filter is: the pattern of a subscription, with its wildcards and the `$share` form.
// A string becomes a TopicFilter here and nowhere else, so that whoever holds one need not ask
// again.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { type Clauses, clausesOf, explain, general, scan } from './text.ts'

/** A string that is known to be a topic filter; `parseTopicFilter` makes one. */
export type TopicFilter = string & { readonly TopicFilter: unique symbol }

/**
 * Whether the text is a topic filter: the characters of a topic name, `+` and `#` alone in their
 * level, `#` last, and after `$share/` the name of a group and a filter.
 * [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
 */
export const isTopicFilter = (text: string): text is TopicFilter =>
  scan(text) >= 0 && shareFault(text) === null

/** The text as a topic filter, or a sentence that says why it is none. */
export const parseTopicFilter = (text: string): Either<string, TopicFilter> =>
  isTopicFilter(text) ? E.right(text) : E.left(`the topic filter ${whyNoFilter(text).fault}`)

/** What is wrong with a text that is no topic filter, and what it breaks. */
export const whyNoFilter = (
  text: string,
): { readonly fault: string; readonly clauses: Clauses } => {
  const found = scan(text)
  if (found < 0) return { fault: explain(found), clauses: clausesOf(found) }
  const fault = shareFault(text) ?? 'is sound'
  // Version 3.1.1 knows of no shares.
  return { fault, clauses: [fault === nameless ? 'MQTT-4.8.2-1' : 'MQTT-4.8.2-2', general[1]] }
}

/** The two halves of `$share/group/filter`, or null where the filter is not a shared one. */
export const splitShare = (
  filter: TopicFilter,
): { readonly group: string; readonly filter: TopicFilter } | null => {
  if (!filter.startsWith(share)) return null
  const slash = filter.indexOf('/', share.length)
  // The rest of a sound filter after a whole level is a sound filter: shareFault saw to it.
  return {
    group: filter.slice(share.length, slash),
    filter: filter.slice(slash + 1) as TopicFilter,
  }
}

const share = '$share/'
const nameless = 'has a share without a name' // [MQTT-4.8.2-1]

/** What is wrong with the `$share` form of a text whose characters are sound, or null. */
const shareFault = (text: string): string | null => {
  // Not `$`: nearly every filter leaves here.
  if (text.charCodeAt(0) !== 0x24) return null
  if (text === '$share') return 'lacks the name of its share' // as mosquitto has it
  let start = 0
  // What follows the group must be a filter, and might look like a shared one again.
  while (text.startsWith(share, start)) {
    const group = start + share.length
    const slash = text.indexOf('/', group)
    if (slash < 0) return 'lacks a filter after the name of its share' // [MQTT-4.8.2-2]
    if (slash === group) return nameless
    // In a sound text a + is alone in its level, and a # here would have been the end of it.
    if (text.charCodeAt(group) === 0x2b) {
      return 'has a wildcard for the name of its share' // [MQTT-4.8.2-2]
    }
    if (slash + 1 === text.length) return 'lacks a filter after the name of its share'
    start = slash + 1
  }
  return null
}
