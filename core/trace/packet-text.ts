// The 15 packets as words, both ways, writing beside reading. What is not written is off, 0 or
// empty; a word that is there is a bit that is set. Packets of the older levels are the same
// records with less in them and look the same.

import type {
  Packet,
  PacketTag,
  Publish,
  Qos,
  Subscribe,
  SubscribeRequest,
  Unsubscribe,
} from '../codec/packet.ts'
import type { Properties } from '../codec/properties.ts'
import type { Bytes } from '../data/bytes.ts'
import * as B from '../data/bytes.ts'
import { absurd, E } from '../prelude.ts'
import { parseTopicFilter, type TopicFilter } from '../topic/filter.ts'
import type { Style } from './connect-text.ts'
import { connectWords, nameFrom, notUnderstood, takeConnect, takeQos } from './connect-text.ts'
import type { PropertyRecord } from './property-text.ts'
import { propertiesOf, propertyWords, takeProperty } from './property-text.ts'
import type { Words } from './words.ts'
import { accept, fail, hex, peek, quote, take, takeBytes, takeNumber, takeQuoted } from './words.ts'

/** A packet in words, its kind first. */
export const packetText = (packet: Packet, style: Style): string => {
  const out = [packet._tag.toLowerCase()]
  switch (packet._tag) {
    case 'Connect':
      out.push(...connectWords(packet, style))
      break
    case 'Connack':
      if (packet.sessionPresent) out.push('session-present')
      if (packet.reason !== 0) out.push(hex(packet.reason))
      break
    case 'Publish':
      out.push(...publishWords(packet, style))
      break
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp':
      out.push(`id${packet.packetId}`)
      if (packet.reason !== 0) out.push(hex(packet.reason))
      break
    case 'Subscribe':
      out.push(`id${packet.packetId}`, ...packet.requests.flatMap(requestWords))
      break
    case 'Suback':
    case 'Unsuback':
      out.push(`id${packet.packetId}`, ...packet.reasons.map(hex))
      break
    case 'Unsubscribe':
      out.push(`id${packet.packetId}`, ...packet.filters.map((filter) => quote(filter, "'")))
      break
    case 'Pingreq':
    case 'Pingresp':
      return out.join(' ')
    case 'Disconnect':
    case 'Auth':
      if (packet.reason !== 0) out.push(hex(packet.reason))
      break
    default:
      return absurd(packet)
  }
  return [...out, ...propertyWords(packet.properties, style.secretText)].join(' ')
}

/** How each packet is written; the tests read every one of them. */
export const packetExamples: Readonly<Record<PacketTag, string>> = {
  Connect: `connect 'a' v4 clean-start keep-alive 60 user "u" will [ 't/w' "gone" qos1 retain ]`,
  Connack: 'connack session-present receive-maximum 20',
  Publish: `publish 'd/1' qos2 id7 dup retain "on" message-expiry-interval 60`,
  Puback: 'puback id7 0x10',
  Pubrec: 'pubrec id7',
  Pubrel: 'pubrel id7 0x92',
  Pubcomp: 'pubcomp id7',
  Subscribe: `subscribe id1 'a/#' qos1 no-local 'b' retain-as-published retain-handling 2`,
  Suback: 'suback id1 0x01 0x00',
  Unsubscribe: `unsubscribe id2 'a/#' 'b'`,
  Unsuback: 'unsuback id2 0x00 0x11',
  Pingreq: 'pingreq',
  Pingresp: 'pingresp',
  Disconnect: 'disconnect 0x04 session-expiry-interval 0',
  Auth: 'auth 0x19 authentication-method "SCRAM-SHA-256" authentication-data ***',
}

const tagsByWord = new Map<string, PacketTag>(
  (Object.keys(packetExamples) as Array<PacketTag>).map((tag) => [tag.toLowerCase(), tag]),
)

export const isPacketWord = (word: string): boolean => tagsByWord.has(word)

/** Takes a whole packet; null with a fault where the words are none. */
export const takePacket = (w: Words, ownId: string | null): Packet | null => {
  const word = take(w)
  const tag = tagsByWord.get(word)
  if (tag === undefined) {
    fail(
      w,
      `${word === '' ? 'nothing' : word} is no packet: one of ${[...tagsByWord.keys()].join(', ')}`,
    )
    return null
  }
  const packet = takeBody(w, tag, ownId)
  return w.fault === null ? packet : null
}

/** Takes what stands behind the word of a PUBLISH. */
export const takePublishAlone = (w: Words): Publish | null => {
  const packet = takeBody(w, 'Publish', null)
  return w.fault === null && packet._tag === 'Publish' ? packet : null
}

const takeBody = (w: Words, tag: PacketTag, ownId: string | null): Packet => {
  switch (tag) {
    case 'Connect':
      return takeConnect(w, ownId)
    case 'Connack': {
      const sessionPresent = accept(w, 'session-present')
      return {
        _tag: tag,
        sessionPresent,
        reason: takeReason(w),
        properties: takeProperties(w, tag),
      }
    }
    case 'Publish':
      return takePublish(w)
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp': {
      const packetId = takeId(w)
      return { _tag: tag, packetId, reason: takeReason(w), properties: takeProperties(w, tag) }
    }
    case 'Subscribe':
      return takeSubscribe(w)
    case 'Suback':
    case 'Unsuback': {
      const packetId = takeId(w)
      const reasons: number[] = []
      while (isReasonWord(peek(w))) reasons.push(takeReason(w))
      return { _tag: tag, packetId, reasons, properties: takeProperties(w, tag) }
    }
    case 'Unsubscribe':
      return takeUnsubscribe(w)
    case 'Pingreq':
    case 'Pingresp':
      return { _tag: tag }
    case 'Disconnect':
    case 'Auth':
      return { _tag: tag, reason: takeReason(w), properties: takeProperties(w, tag) }
  }
}

const idPattern = /^id([0-9]{1,5})$/

const takeId = (w: Words): number => {
  const token = take(w)
  const id = Number(idPattern.exec(token)?.[1] ?? NaN)
  if (id >= 0 && id <= 0xffff) return id
  fail(w, 'a packet identifier is missing: write id1 to id65535')
  return 0
}

const isReasonWord = (token: string): boolean => /^0x[0-9a-f]{2}$/.test(token)

const takeReason = (w: Words): number => isReasonWord(peek(w)) ? Number(take(w)) : 0

/** All properties up to the end of the line. */
const takeProperties = (w: Words, tag: PacketTag): Properties => {
  const record: PropertyRecord = {}
  while (peek(w) !== '' && w.fault === null) {
    if (!takeProperty(w, tag, record)) notUnderstood(w, tag)
  }
  return propertiesOf(record)
}

const filterFrom = (w: Words): TopicFilter => {
  const text = takeQuoted(w, "'", 'a topic filter')
  const parsed = parseTopicFilter(text)
  if (E.isLeft(parsed)) fail(w, `${parsed.left}: to send it all the same, write the bytes (raw)`)
  return text as TopicFilter
}

const publishWords = (packet: Publish, style: Style): ReadonlyArray<string> => {
  const out = [quote(packet.topic, "'")]
  if (packet.qos !== 0) out.push(`qos${packet.qos}`)
  if (packet.packetId !== 0) out.push(`id${packet.packetId}`)
  if (packet.dup) out.push('dup')
  if (packet.retain) out.push('retain')
  out.push(style.payloadText(packet.payload, packet.topic))
  return out
}

const takePublish = (w: Words): Publish => {
  const topic = nameFrom(w, 'a topic name')
  let qos: Qos = 0
  let packetId = 0
  let dup = false
  let retain = false
  let payload: Bytes = B.empty
  const record: PropertyRecord = {}
  while (peek(w) !== '' && w.fault === null) {
    const found = takeQos(w)
    if (found !== null) qos = found
    else if (idPattern.test(peek(w))) packetId = takeId(w)
    else if (accept(w, 'dup')) dup = true
    else if (accept(w, 'retain')) retain = true
    else if (/^("|0x)/.test(peek(w))) payload = takeBytes(w, 'a payload')
    else if (!takeProperty(w, 'Publish', record)) notUnderstood(w, 'Publish')
  }
  if (qos > 0 && packetId === 0) fail(w, `a publish at qos${qos} has an identifier: write id7`)
  const properties = propertiesOf(record)
  return { _tag: 'Publish', dup, qos, retain, topic, packetId, payload, properties }
}

const requestWords = (request: SubscribeRequest): ReadonlyArray<string> => {
  const out = [quote(request.filter, "'")]
  if (request.qos !== 0) out.push(`qos${request.qos}`)
  if (request.noLocal) out.push('no-local')
  if (request.retainAsPublished) out.push('retain-as-published')
  if (request.retainHandling !== 0) out.push('retain-handling', String(request.retainHandling))
  return out
}

const takeRequest = (w: Words): SubscribeRequest => {
  const filter = filterFrom(w)
  let qos: Qos = 0
  let noLocal = false
  let retainAsPublished = false
  let retainHandling: 0 | 1 | 2 = 0
  for (;;) {
    const found = takeQos(w)
    if (found !== null) qos = found
    else if (accept(w, 'no-local')) noLocal = true
    else if (accept(w, 'retain-as-published')) retainAsPublished = true
    else if (accept(w, 'retain-handling')) {
      retainHandling = takeNumber(w, 'retain-handling', 0, 2) as 0 | 1 | 2
    } else return { filter, qos, noLocal, retainAsPublished, retainHandling }
  }
}

const takeSubscribe = (w: Words): Subscribe => {
  const packetId = takeId(w)
  const requests: SubscribeRequest[] = []
  while (peek(w).startsWith("'")) requests.push(takeRequest(w))
  if (requests.length === 0) fail(w, "a subscribe names a filter: subscribe id1 'a/#' qos1")
  return { _tag: 'Subscribe', packetId, requests, properties: takeProperties(w, 'Subscribe') }
}

const takeUnsubscribe = (w: Words): Unsubscribe => {
  const packetId = takeId(w)
  const filters: TopicFilter[] = []
  while (peek(w).startsWith("'")) filters.push(filterFrom(w))
  if (filters.length === 0) fail(w, "an unsubscribe names a filter: unsubscribe id2 'a/#'")
  return { _tag: 'Unsubscribe', packetId, filters, properties: takeProperties(w, 'Unsubscribe') }
}
