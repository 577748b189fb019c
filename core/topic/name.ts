// What a topic name is: the place a message is published to. A string becomes a TopicName here and
// nowhere else, so that whoever holds one need not ask again.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { type Clauses, clausesOf, explain, plain, scan } from './text.ts'

/** A string that is known to be a topic name; `parseTopicName` makes one. */
export type TopicName = string & { readonly TopicName: unique symbol }

/**
 * Whether the text may name a topic: 1 to 65,535 bytes of UTF-8, at most 200 separators, no
 * wildcard, none of the characters that mosquitto refuses. [MQTT-4.7.0-1] [v3 MQTT-4.7.1-1]
 */
export const isTopicName = (text: string): text is TopicName => scan(text) === plain

/** The text as a topic name, or a sentence that says why it is none. */
export const parseTopicName = (text: string): Either<string, TopicName> =>
  isTopicName(text) ? E.right(text) : E.left(`the topic name ${whyNoName(text).fault}`)

/** What is wrong with a text that is no topic name, and what it breaks. */
export const whyNoName = (
  text: string,
): { readonly fault: string; readonly clauses: Clauses } => {
  if (text.includes('+') || text.includes('#')) {
    return { fault: 'contains a wildcard', clauses: ['MQTT-4.7.0-1', 'MQTT-4.7.1-1'] }
  }
  const found = scan(text)
  return { fault: explain(found), clauses: clausesOf(found) }
}
