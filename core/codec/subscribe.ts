// SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK: a packet identifier and a list, which may not be
// empty.

import { isTopicFilter, whyNoFilter } from '../topic/filter.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { Cursor } from './cursor.ts'
import { fail, failBy, failPlainly, readByte, readPacketId, readString, toQos } from './cursor.ts'

import type { Level, Suback, Subscribe, SubscribeRequest, Unsuback, Unsubscribe } from './packet.ts'
import type { Properties } from './properties.ts'
import { none } from './properties.ts'
import { propertiesSize, readProperties, writeProperties } from './property.ts'
import {
  MALFORMED_PACKET,
  PROTOCOL_ERROR,
  QUOTA_EXCEEDED,
  TOPIC_FILTER_INVALID,
} from './reason-code.ts'
import { isReason, toGrant } from './reason.ts'
import { varintSize } from './varint.ts'
import { packetSize, stringSize, writeHeader, writeString, writeTwo } from './writer.ts'

export const decodeSubscribe = (c: Cursor): Subscribe => {
  const packetId = readPacketId(c)
  const properties = readOnlyInFive(c, 'Subscribe')
  const requests: Array<SubscribeRequest> = []
  if (c.fault === null && c.at === c.end) {
    // [MQTT-3.8.3-2] [v3 MQTT-3.8.3-3]
    failBy(c, PROTOCOL_ERROR, 'MQTT-3.8.3-2', 'MQTT-3.8.3-3', 'SUBSCRIBE without a topic filter')
  }
  while (c.at < c.end) {
    const filter = readFilter(c)
    const options = readByte(c, 'the subscription options')
    if (filter !== null && c.fault === null) readRequest(c, filter, options, requests)
    if (requests.length > c.limits.filtersMax) tooManyFilters(c)
  }
  return { _tag: 'Subscribe', packetId, requests, properties }
}

const readRequest = (
  c: Cursor,
  filter: TopicFilter,
  options: number,
  requests: Array<SubscribeRequest>,
): void => {
  const five = c.level === 5
  if ((options & (five ? 0xc0 : 0xfc)) !== 0) {
    // [MQTT-3.8.3-5] [v3 MQTT-3.8.3-4]
    const detail = 'reserved bits of the subscription options are set'
    failBy(c, MALFORMED_PACKET, 'MQTT-3.8.3-5', 'MQTT-3.8.3-4', detail)
    return
  }
  if ((options & 3) === 3) {
    // Version 5 calls it a protocol error, in a sentence without a number; 3.1.1 malformed.
    // [v3 MQTT-3.8.3-4]
    const reason = five ? PROTOCOL_ERROR : MALFORMED_PACKET
    failBy(c, reason, 'MQTT-4.13.1-1', 'MQTT-3.8.3-4', 'a subscription asks for QoS 3')
    return
  }
  const handling = (options >> 4) & 3
  if (handling === 3) {
    failPlainly(c, PROTOCOL_ERROR, 'a subscription has retain handling 3')
    return
  }
  const noLocal = five && (options & 4) !== 0
  if (noLocal && filter.startsWith('$share/')) {
    fail(c, PROTOCOL_ERROR, 'MQTT-3.8.3-4', 'no local on a shared subscription') // [MQTT-3.8.3-4]
    return
  }
  requests.push({
    filter,
    qos: toQos(options & 3),
    noLocal,
    retainAsPublished: five && (options & 8) !== 0,
    retainHandling: toQos(handling),
  })
}

export const decodeSuback = (c: Cursor): Suback => {
  const packetId = readPacketId(c)
  const properties = readOnlyInFive(c, 'Suback')
  const reasons: Array<number> = []
  if (c.fault === null && c.at === c.end) failPlainly(c, PROTOCOL_ERROR, 'SUBACK without a code')
  while (c.at < c.end) {
    const reason = readByte(c, 'a reason code')
    // Below level 5 the one failure is 0x80.
    if (!isReason('Suback', reason) || (c.level !== 5 && reason > 0x80)) {
      const detail = 'a reason code that Suback does not have'
      failBy(c, PROTOCOL_ERROR, 'MQTT-3.9.3-2', 'MQTT-3.9.3-2', detail) // [MQTT-3.9.3-2]
      break
    }
    reasons.push(reason)
  }
  return { _tag: 'Suback', packetId, reasons, properties }
}

export const decodeUnsubscribe = (c: Cursor): Unsubscribe => {
  const packetId = readPacketId(c)
  const properties = readOnlyInFive(c, 'Unsubscribe')
  const filters: Array<TopicFilter> = []
  if (c.fault === null && c.at === c.end) {
    // [MQTT-3.10.3-2] [v3 MQTT-3.10.3-2]
    const detail = 'UNSUBSCRIBE without a topic filter'
    failBy(c, PROTOCOL_ERROR, 'MQTT-3.10.3-2', 'MQTT-3.10.3-2', detail)
  }
  while (c.at < c.end) {
    const filter = readFilter(c)
    if (filter !== null && filters.push(filter) > c.limits.filtersMax) tooManyFilters(c)
  }
  return { _tag: 'Unsubscribe', packetId, filters, properties }
}

export const decodeUnsuback = (c: Cursor): Unsuback => {
  const packetId = readPacketId(c)
  const reasons: Array<number> = []
  if (c.level !== 5) return { _tag: 'Unsuback', packetId, reasons, properties: none }
  const properties = readProperties(c, 'Unsuback')
  if (c.fault === null && c.at === c.end) failPlainly(c, PROTOCOL_ERROR, 'UNSUBACK without a code')
  while (c.at < c.end) {
    const reason = readByte(c, 'a reason code')
    if (!isReason('Unsuback', reason)) {
      // [MQTT-3.11.3-2]
      fail(c, PROTOCOL_ERROR, 'MQTT-3.11.3-2', 'a reason code that Unsuback does not have')
      break
    }
    reasons.push(reason)
  }
  return { _tag: 'Unsuback', packetId, reasons, properties }
}

const readOnlyInFive = (c: Cursor, tag: 'Subscribe' | 'Suback' | 'Unsubscribe'): Properties =>
  c.level === 5 ? readProperties(c, tag) : none

const tooManyFilters = (c: Cursor): void =>
  failPlainly(c, QUOTA_EXCEEDED, `a packet has more than ${c.limits.filtersMax} topic filters`)

/**
 * A topic filter, or null with a fault noted. [MQTT-3.8.3-1] [MQTT-3.10.3-1]
 * [v3 MQTT-3.8.3-1] [v3 MQTT-3.10.3-1]
 */
const readFilter = (c: Cursor): TopicFilter | null => {
  const text = readString(c, 'a topic filter')
  if (c.fault !== null) return null
  if (isTopicFilter(text)) return text
  // [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  const { fault, clauses: [five, elder] } = whyNoFilter(text)
  failBy(c, TOPIC_FILTER_INVALID, five, elder, `a topic filter ${fault}`)
  return null
}

/** Packet identifier and properties, which all four begin with. */
const headSize = (level: Level, propertySize: number): number =>
  level === 5 ? 2 + varintSize(propertySize) + propertySize : 2

const writeHead = (
  level: Level,
  packet: Subscribe | Suback | Unsubscribe | Unsuback,
  target: Uint8Array,
  at: number,
  propertySize: number,
): number => {
  const to = writeTwo(target, at, packet.packetId) // [MQTT-2.2.1-6] [v3 MQTT-2.3.1-7]
  return level === 5 ? writeProperties(target, to, packet.properties, propertySize) : to
}

const listSize = (
  level: Level,
  packet: Subscribe | Suback | Unsubscribe | Unsuback,
): number => {
  let size = 0
  switch (packet._tag) {
    case 'Subscribe':
      for (const { filter } of packet.requests) size += stringSize(filter) + 1
      return size
    case 'Unsubscribe':
      for (const filter of packet.filters) size += stringSize(filter)
      return size
    case 'Suback':
      return packet.reasons.length
    case 'Unsuback':
      return level === 5 ? packet.reasons.length : 0
  }
}

export const subscriptionSize = (
  level: Level,
  packet: Subscribe | Suback | Unsubscribe | Unsuback,
): number => {
  const propertySize = level === 5 ? propertiesSize(packet.properties) : 0
  return packetSize(headSize(level, propertySize) + listSize(level, packet))
}

const firstBytes = { Subscribe: 0x82, Suback: 0x90, Unsubscribe: 0xa2, Unsuback: 0xb0 }

/** Writes a SUBSCRIBE, SUBACK, UNSUBSCRIBE or UNSUBACK. */
export const encodeSubscription = (
  level: Level,
  packet: Subscribe | Suback | Unsubscribe | Unsuback,
  target: Uint8Array,
  at: number,
): number => {
  const propertySize = level === 5 ? propertiesSize(packet.properties) : 0
  const remaining = headSize(level, propertySize) + listSize(level, packet)
  let to = writeHeader(target, at, firstBytes[packet._tag], remaining)
  to = writeHead(level, packet, target, to, propertySize)
  switch (packet._tag) {
    case 'Subscribe':
      for (const request of packet.requests) {
        to = writeString(target, to, request.filter)
        target[to++] = level === 5 ? optionsOf(request) : request.qos
      }
      return to
    case 'Unsubscribe':
      for (const filter of packet.filters) to = writeString(target, to, filter)
      return to
    case 'Suback':
      // [MQTT-3.9.3-1] [v3 MQTT-3.9.3-1]
      for (const reason of packet.reasons) target[to++] = toGrant(reason, level)
      return to
    case 'Unsuback':
      // [MQTT-3.11.3-1]
      if (level === 5) { for (const reason of packet.reasons) target[to++] = reason }
      return to
  }
}

const optionsOf = (request: SubscribeRequest): number =>
  request.qos |
  (request.noLocal ? 4 : 0) |
  (request.retainAsPublished ? 8 : 0) |
  (request.retainHandling << 4)
