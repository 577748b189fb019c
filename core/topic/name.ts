// What a topic name is: the place a message is published to. A string becomes a TopicName here and
// nowhere else, so that whoever holds one need not ask again.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { explain, plain, scan } from './text.ts'

export type TopicName = string & { readonly TopicName: unique symbol }

/**
 * Whether the text may name a topic: 1 to 65,535 bytes of UTF-8, at most 200 separators, no
 * wildcard, none of the characters that mosquitto refuses. [MQTT-4.7.0-1] [v3 MQTT-4.7.1-1]
 */
export const isTopicName = (text: string): text is TopicName => scan(text) === plain

/** The text as a topic name, or a sentence that says why it is none. */
export const parseTopicName = (text: string): Either<string, TopicName> =>
  isTopicName(text) ? E.right(text) : E.left(`the topic name ${reason(text)}`)

const reason = (text: string): string =>
  text.includes('+') || text.includes('#') ? 'contains a wildcard' : explain(scan(text))
