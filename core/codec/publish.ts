// PUBLISH, the one packet whose cost counts: the payload stays where it came in, a known topic name
// is looked up by its bytes, and writing walks the topic once. No typed-array view is made.

import * as Bytes from '../data/bytes.ts'
import type { Either } from '../prelude.ts'
import { isTopicName, whyNoName } from '../topic/name.ts'
import type { TopicName } from '../topic/name.ts'
import type { Cursor } from './cursor.ts'
import { cursor, failBy, toQos } from './cursor.ts'
import type { Fault } from './fault.ts'
import { fault, generalClause } from './fault.ts'
import type { Limits } from './limits.ts'
import { recall, remember } from './memo.ts'
import type { Level, Publish, Qos } from './packet.ts'
import type { Properties } from './properties.ts'
import { none } from './properties.ts'
import { propertiesSize, readProperties, writeProperties } from './property.ts'
import { MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_NAME_INVALID } from './reason-code.ts'
import { decodeUtf8, utf8Size, whyNoText } from './utf8.ts'
import { varintSize } from './varint.ts'
import { packetSize, writeHeader, writeString, writeTwo } from './writer.ts'

const topicBytesMax = 65_535

/**
 * A PUBLISH whose first byte has been found legal (no QoS 3, no DUP at QoS 0) and whose remaining
 * length is `buffer[start, end)`. The payload is lent: it lies in `buffer`.
 */
export const decodePublish = (
  level: Level,
  first: number,
  buffer: Uint8Array,
  start: number,
  end: number,
  limits: Limits,
): Either<Fault, Publish> => {
  const bits = (first >> 1) & 3
  let at = start + 2
  if (at > end) return left(level, MALFORMED_PACKET, 'the packet ends within the topic name')
  const topicSize = (buffer[start]! << 8) | buffer[start + 1]! // [MQTT-3.3.2-1] [v3 MQTT-3.3.2-1]
  const topicStart = at
  at += topicSize
  if (at > end) return left(level, MALFORMED_PACKET, 'the packet ends within the topic name')
  let topic: TopicName | '' = ''
  if (topicSize > 0) {
    const known = recall(buffer, topicStart, at)
    if (known === null) {
      const text = decodeUtf8(buffer, topicStart, at)
      if (text === null) return ofLevels(level, MALFORMED_PACKET, whyNoText(buffer, topicStart, at))
      if (!isTopicName(text)) return ofLevels(level, TOPIC_NAME_INVALID, whyNotPublished(text))
      remember(buffer, topicStart, at, text)
      topic = text
    } else topic = known
  } else if (level < 5) {
    // [v3 MQTT-4.7.3-1]
    return leftBy(level, TOPIC_NAME_INVALID, 'v3 MQTT-4.7.3-1', 'the topic name is empty')
  }
  let packetId = 0
  if (bits > 0) { // [v3 MQTT-2.3.1-5]
    if (at + 2 > end) {
      return left(level, MALFORMED_PACKET, 'the packet ends within the packet identifier')
    }
    packetId = (buffer[at]! << 8) | buffer[at + 1]!
    at += 2
    if (packetId === 0) {
      // [MQTT-2.2.1-3] [v3 MQTT-2.3.1-1]
      const clause = level === 5 ? 'MQTT-2.2.1-3' : 'v3 MQTT-2.3.1-1'
      return leftBy(level, MALFORMED_PACKET, clause, 'the packet identifier is 0')
    }
  }
  let properties: Properties = none
  if (level === 5) {
    if (at < end && buffer[at] === 0) at += 1
    else {
      const c = cursor(level, buffer, at, end, limits)
      properties = readProperties(c, 'Publish')
      if (c.fault !== null) return { _tag: 'Left', left: c.fault }
      at = c.at
    }
    if (topicSize === 0 && properties.topicAlias === undefined) {
      const detail = 'the topic name is empty and no topic alias stands for it'
      return leftBy(level, PROTOCOL_ERROR, 'MQTT-4.7.3-1', detail) // [MQTT-4.7.3-1]
    }
  }
  const packet: Publish = {
    _tag: 'Publish',
    dup: (first & 8) !== 0,
    qos: toQos(bits),
    retain: (first & 1) !== 0,
    topic,
    packetId,
    payload: at === end ? Bytes.empty : Bytes.slice(buffer, at, end),
    properties,
  }
  return { _tag: 'Right', right: packet }
}

/** The topic of a will; the rules of a topic name in PUBLISH. */
export const checkTopicName = (c: Cursor, text: string): TopicName | null => {
  if (c.fault !== null) return null
  if (isTopicName(text)) return text
  const { fault, clauses: [five, elder] } = whyNoName(text)
  failBy(c, TOPIC_NAME_INVALID, five, elder, `the will topic ${fault}`)
  return null
}

/** For the topic of PUBLISH the rule about wildcards has a statement of its own. */
const whyNotPublished = (text: string): ReturnType<typeof whyNoName> => {
  const why = whyNoName(text)
  return why.clauses[0] === 'MQTT-4.7.0-1'
    ? { ...why, clauses: ['MQTT-3.3.2-2', 'MQTT-3.3.2-2'] } // [MQTT-3.3.2-2] [v3 MQTT-3.3.2-2]
    : why
}

const ofLevels = (
  level: Level,
  reason: number,
  { fault, clauses: [five, elder] }: ReturnType<typeof whyNoName>,
): Either<Fault, Publish> =>
  leftBy(level, reason, level === 5 ? five : `v3 ${elder}`, `the topic name ${fault}`)

const left = (level: Level, reason: number, detail: string): Either<Fault, Publish> =>
  leftBy(level, reason, generalClause(level), detail)

const leftBy = (
  level: Level,
  reason: number,
  clause: string,
  detail: string,
): Either<Fault, Publish> => ({ _tag: 'Left', left: fault(reason, clause, detail, level) })

const firstByte = (packet: Publish): number =>
  publishFirstByte(packet.dup, packet.qos, packet.retain)

/** What follows the topic name: identifier, properties with their length, payload. */
const restSize = (level: Level, packet: Publish, propertySize: number): number =>
  (packet.qos > 0 ? 2 : 0) +
  (level === 5 ? varintSize(propertySize) + propertySize : 0) +
  Bytes.size(packet.payload)

// Of one packet the size is asked for more than once, and a burst is often on one topic.
let sizedTopic = ''
let sizedBytes = 0

const topicBytes = (topic: string): number => {
  if (topic !== sizedTopic) {
    sizedBytes = utf8Size(topic)
    sizedTopic = topic
  }
  return sizedBytes
}

export const publishSize = (level: Level, packet: Publish): number => {
  const propertySize = level === 5 ? propertiesSize(packet.properties) : 0
  return packetSize(2 + topicBytes(packet.topic) + restSize(level, packet, propertySize))
}

/** No less than `publishSize`, without looking at the topic: three bytes a code unit suffice. */
export const publishBound = (level: Level, packet: Publish): number => {
  const propertySize = level === 5 ? propertiesSize(packet.properties) : 0
  return 7 + 3 * packet.topic.length + restSize(level, packet, propertySize)
}

/** Writes the packet and answers the index after it; `target` has room for `publishBound`. */
export const encodePublish = (
  level: Level,
  packet: Publish,
  target: Uint8Array,
  at: number,
): number => {
  const { topic } = packet
  const propertySize = level === 5 ? propertiesSize(packet.properties) : 0
  const rest = restSize(level, packet, propertySize)
  const topicSize = topic.length
  if (topicSize > topicBytesMax) {
    throw new RangeError(`a topic of ${topicSize} characters fits no packet`)
  }
  // Taken for ASCII until a character says otherwise; then the header is written again.
  let to = writeHeader(target, at, firstByte(packet), 2 + topicSize + rest)
  target[to] = topicSize >>> 8 // [MQTT-3.3.2-1] [v3 MQTT-3.3.2-1]
  target[to + 1] = topicSize
  to += 2
  // Four characters a round: this loop is a quarter of the cost of a small PUBLISH.
  let i = 0
  for (; i + 4 <= topicSize; i += 4) {
    const a = topic.charCodeAt(i)
    const b = topic.charCodeAt(i + 1)
    const c = topic.charCodeAt(i + 2)
    const d = topic.charCodeAt(i + 3)
    if ((a | b | c | d) >= 0x80) break
    target[to + i] = a
    target[to + i + 1] = b
    target[to + i + 2] = c
    target[to + i + 3] = d
  }
  for (; i < topicSize; i++) {
    const unit = topic.charCodeAt(i)
    if (unit >= 0x80) break
    target[to + i] = unit
  }
  if (i === topicSize) to += topicSize
  else {
    to = writeHeader(target, at, firstByte(packet), 2 + utf8Size(topic) + rest)
    to = writeString(target, to, topic)
  }
  if (packet.qos > 0) to = writeTwo(target, to, packet.packetId) // [MQTT-2.2.1-2] [v3 MQTT-2.3.1-5]
  if (level === 5) {
    if (propertySize === 0) target[to++] = 0
    else to = writeProperties(target, to, packet.properties, propertySize)
  }
  return Bytes.copyTo(packet.payload, target, to)
}

/**
 * Where the packet identifier lies in a whole PUBLISH of QoS 1 or 2 that begins at `at`: whoever
 * sends one message to many copies the frame and changes these two bytes.
 */
export const publishPacketIdAt = (frame: Uint8Array, at: number): number => {
  let to = at + 1
  while (frame[to]! >= 0x80) to += 1
  to += 1
  return to + 2 + ((frame[to]! << 8) | frame[to + 1]!)
}

/** The first byte of a PUBLISH frame: what tells a retransmission or a retained message apart. */
export const publishFirstByte = (dup: boolean, qos: Qos, retain: boolean): number =>
  0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
