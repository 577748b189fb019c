// CONNECT as words, both ways, its will in brackets; and what it shares with the other packets.

import type { Connect, Level, Qos, Will } from '../codec/packet.ts'
import type { Bytes } from '../data/bytes.ts'
import { E } from '../prelude.ts'
import { parseTopicName, type TopicName } from '../topic/name.ts'
import type { PropertyRecord, SecretText } from './property-text.ts'
import {
  propertiesOf,
  propertyNames,
  propertyWords,
  takeProperty,
  takeSecret,
} from './property-text.ts'
import type { Words } from './words.ts'
import { accept, fail, peek, quote, takeBytes, takeNumber, takeQuoted } from './words.ts'

/** A payload in words; the topic name is empty where an alias stands for it. */
export type PayloadText = (payload: Bytes, topic: string) => string

/** How the words of a packet are chosen. */
export interface Style {
  readonly secretText: SecretText
  /** The client identifier that a CONNECT need not mention. */
  readonly ownId: string | null
  /** Of a message on this topic, its payload. */
  readonly payloadText: PayloadText
}

export const takeQos = (w: Words): Qos | null =>
  accept(w, 'qos0') ? 0 : accept(w, 'qos1') ? 1 : accept(w, 'qos2') ? 2 : null

/** What could stand here instead. */
export const notUnderstood = (w: Words, where: string): void =>
  fail(
    w,
    `${peek(w)} is not understood in ${where}: look at the example of this packet, or name one ` +
      `of the properties ${propertyNames.join(', ')}`,
  )

export const nameFrom = (w: Words, what: string): TopicName | '' => {
  const text = takeQuoted(w, "'", what)
  if (text === '') return ''
  const parsed = parseTopicName(text)
  if (E.isLeft(parsed)) fail(w, `${parsed.left}: to send it all the same, write the bytes (raw)`)
  return text as TopicName
}

export const connectWords = (packet: Connect, style: Style): ReadonlyArray<string> => {
  const out: string[] = []
  const { will } = packet
  if (packet.clientId !== style.ownId) out.push(quote(packet.clientId, "'"))
  if (packet.level !== 5) out.push(`v${packet.level}`)
  if (packet.bridge) out.push('bridge')
  if (packet.cleanStart) out.push('clean-start')
  if (packet.keepAliveS !== 0) out.push('keep-alive', String(packet.keepAliveS))
  if (packet.userName !== null) out.push('user', quote(packet.userName, '"'))
  if (packet.password !== null) out.push('password', style.secretText(packet.password))
  if (will === null) return out
  out.push('will', '[', quote(will.topic, "'"), style.payloadText(will.payload, will.topic))
  if (will.qos !== 0) out.push(`qos${will.qos}`)
  if (will.retain) out.push('retain')
  return [...out, ...propertyWords(will.properties, style.secretText), ']']
}

export const takeConnect = (w: Words, ownId: string | null): Connect => {
  const isNamed = peek(w).startsWith("'")
  if (!isNamed && ownId === null) fail(w, "a client identifier is missing: write it as 'text'")
  const clientId = isNamed ? takeQuoted(w, "'", 'a client identifier') : ownId ?? ''
  let level: Level = 5
  let bridge = false
  let cleanStart = false
  let keepAliveS = 0
  let userName: string | null = null
  let password: Bytes | null = null
  let will: Will | null = null
  const record: PropertyRecord = {}
  while (peek(w) !== '' && w.fault === null) {
    if (accept(w, 'v3')) level = 3
    else if (accept(w, 'v4')) level = 4
    else if (accept(w, 'v5')) level = 5
    else if (accept(w, 'bridge')) bridge = true
    else if (accept(w, 'clean-start')) cleanStart = true
    else if (accept(w, 'keep-alive')) keepAliveS = takeNumber(w, 'keep-alive', 0, 0xffff)
    else if (accept(w, 'user')) userName = takeQuoted(w, '"', 'the user name')
    else if (accept(w, 'password')) password = takeSecret(w, 'the password')
    else if (accept(w, 'will')) will = takeWill(w)
    else if (!takeProperty(w, 'Connect', record)) notUnderstood(w, 'Connect')
  }
  const properties = propertiesOf(record)
  return {
    _tag: 'Connect',
    level,
    bridge,
    cleanStart,
    keepAliveS,
    clientId,
    will,
    userName,
    password,
    properties,
  }
}

const takeWill = (w: Words): Will | null => {
  if (!accept(w, '[')) fail(w, `a will stands in brackets: will [ 'topic' "payload" qos1 ]`)
  const topic = nameFrom(w, 'the will topic')
  const payload = takeBytes(w, 'the will payload')
  let qos: Qos = 0
  let retain = false
  const record: PropertyRecord = {}
  while (!accept(w, ']') && w.fault === null) {
    const found = takeQos(w)
    if (found !== null) qos = found
    else if (accept(w, 'retain')) retain = true
    else if (peek(w) === '') fail(w, 'a will ends with ]: write it on the same line')
    else if (!takeProperty(w, 'Will', record)) notUnderstood(w, 'Will')
  }
  if (topic === '') {
    fail(w, 'a will has a topic: to send one without, write the bytes (raw)')
    return null
  }
  return { topic, payload, qos, retain, properties: propertiesOf(record) }
}
