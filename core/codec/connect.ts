// CONNECT and CONNACK. A CONNECT brings the protocol level with it, and how a fault in one may be
// answered depends on how far reading it came: an unknown name is met with silence, an unknown
// level with a CONNACK in the nearest level known, and from then on version 5 is told what is wrong
// while the older ones are closed without a word [v3 MQTT-3.1.4-1].

import * as Bytes from '../data/bytes.ts'
import type { Cursor } from './cursor.ts'
import {
  fail,
  failBy,
  failPlainly,
  readBinary,
  readByte,
  readString,
  readTwo,
  toQos,
} from './cursor.ts'

import type { Connack, Connect, Level, Will } from './packet.ts'
import type { Properties } from './properties.ts'
import { none } from './properties.ts'
import { propertiesSize, readProperties, writeProperties } from './property.ts'
import { checkTopicName } from './publish.ts'
import {
  CLIENT_IDENTIFIER_NOT_VALID,
  MALFORMED_PACKET,
  PROTOCOL_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from './reason-code.ts'
import { fromReturnCode, isReason, toReturnCode } from './reason.ts'
import { hasControl } from './utf8.ts'
import { varintSize } from './varint.ts'
import {
  binarySize,
  packetSize,
  stringSize,
  writeBinary,
  writeHeader,
  writeString,
  writeTwo,
} from './writer.ts'

/** Set in the level byte by mosquitto's bridges (`try_private`). */
const bridgeBit = 0x80

const reservedFlag = 0x01
const cleanStartFlag = 0x02
const willFlag = 0x04
const willRetainFlag = 0x20
const passwordFlag = 0x40
const userNameFlag = 0x80

/**
 * Null with a fault noted in the cursor. Faults on a connection that has a level keep it. What the
 * flags announce is read in its order, and what is left over is refused by the caller.
 * [MQTT-3.1.3-1] [v3 MQTT-3.1.3-1] [v3 MQTT-3.1.2-11]
 */
export const decodeConnect = (c: Cursor): Connect | null => {
  const connected = c.faultLevel
  const levelByte = readProtocol(c)
  const level = c.level
  if (level === 0) return null
  if (connected === 0) c.faultLevel = level === 5 ? 5 : 0
  const flags = readByte(c, 'the connect flags')
  const keepAliveS = readTwo(c, 'the keep alive')
  checkFlags(c, flags)
  const properties = level === 5 ? readProperties(c, 'Connect') : none
  // [v3 MQTT-3.1.3-3] [v3 MQTT-3.1.3-4]
  const clientId = readString(c, 'the client identifier') // [MQTT-3.1.3-3] [MQTT-3.1.3-4]
  // Nothing else is refused, letters and digits least of all [MQTT-3.1.3-5] [v3 MQTT-3.1.3-5]
  if (hasControl(clientId)) {
    const detail = 'the client identifier has control characters'
    // A name that is rejected is answered at every level, unlike what is malformed.
    if (c.fault === null && connected === 0) c.faultLevel = level
    // [MQTT-3.1.3-8] [v3 MQTT-3.1.3-9]
    failBy(c, CLIENT_IDENTIFIER_NOT_VALID, 'MQTT-3.1.3-8', 'MQTT-3.1.3-9', detail)
  }
  // [MQTT-3.1.2-9] [v3 MQTT-3.1.2-9]
  const will = (flags & willFlag) !== 0 ? readWill(c, flags) : null
  let userName: string | null = null
  let password: Bytes.Bytes | null = null
  // In 3.1 the remaining length has the last word: a field announced by its flag and not there is
  // not there. Later versions call that malformed.
  // [MQTT-3.1.2-16] [MQTT-3.1.2-17] [v3 MQTT-3.1.2-18] [v3 MQTT-3.1.2-19]
  if ((flags & userNameFlag) !== 0 && !(level === 3 && c.at === c.end)) {
    userName = readString(c, 'the user name') // [MQTT-3.1.3-12] [v3 MQTT-3.1.3-11]
    if (hasControl(userName)) {
      failPlainly(c, MALFORMED_PACKET, 'the user name has control characters')
    }
  }
  // [MQTT-3.1.2-18] [MQTT-3.1.2-19] [v3 MQTT-3.1.2-20] [v3 MQTT-3.1.2-21]
  if ((flags & passwordFlag) !== 0 && !(level === 3 && c.at === c.end)) {
    password = readBinary(c, 'the password')
  }
  if (c.fault !== null) return null
  return {
    _tag: 'Connect',
    level,
    bridge: (levelByte & bridgeBit) !== 0,
    cleanStart: (flags & cleanStartFlag) !== 0,
    keepAliveS,
    clientId,
    will,
    userName,
    password,
    properties,
  }
}

/** Reads protocol name and level, puts the level into the cursor and answers its byte. */
const readProtocol = (c: Cursor): number => {
  const connected = c.faultLevel
  c.level = 0
  const size = readTwo(c, 'the protocol name')
  const named = isNamed(c, size, 'MQTT')
  if (!named && !isNamed(c, size, 'MQIsdp')) {
    // [MQTT-3.1.2-1] [v3 MQTT-3.1.2-1]
    const detail = 'the protocol name is neither MQTT nor MQIsdp'
    fail(c, UNSUPPORTED_PROTOCOL_VERSION, 'MQTT-3.1.2-1', detail)
    return 0
  }
  c.at += size
  const byte = readByte(c, 'the protocol level')
  if (c.fault !== null) return 0
  const level = byte & ~bridgeBit
  if (named && (level === 4 || level === 5)) c.level = level
  else if (!named && level === 3) c.level = 3
  else {
    // MQTT with level 3, and MQIsdp with any but that, are told in the old form; a level of the
    // future in the newest one.
    // [MQTT-3.1.2-2] [v3 MQTT-3.1.2-2]
    const answer = connected !== 0 ? connected : !named || level === 3 ? 4 : 5
    c.faultLevel = answer
    const clause = answer === 5 ? 'MQTT-3.1.2-2' : 'v3 MQTT-3.1.2-2'
    fail(c, UNSUPPORTED_PROTOCOL_VERSION, clause, 'the protocol level is not supported')
  }
  return byte
}

const isNamed = (c: Cursor, size: number, name: string): boolean => {
  if (size !== name.length || c.at + size > c.end) return false
  for (let i = 0; i < size; i++) {
    if (c.buffer[c.at + i] !== name.charCodeAt(i)) return false
  }
  return true
}

const checkFlags = (c: Cursor, flags: number): void => {
  // 3.1 does not use the bit and says nothing about its value.
  if ((flags & reservedFlag) !== 0 && c.level !== 3) {
    // [MQTT-3.1.2-3] [v3 MQTT-3.1.2-3]
    failBy(c, MALFORMED_PACKET, 'MQTT-3.1.2-3', 'MQTT-3.1.2-3', 'the reserved connect flag is set')
  }
  const willQos = (flags >> 3) & 3
  if ((flags & willFlag) !== 0) {
    if (willQos === 3) {
      // [MQTT-3.1.2-12] [v3 MQTT-3.1.2-14]
      failBy(c, MALFORMED_PACKET, 'MQTT-3.1.2-12', 'MQTT-3.1.2-14', 'the will has QoS 3')
    }
  } else if (c.level !== 3) { // 3.1 disregards what is said of a will that there is not.
    if (willQos !== 0) {
      // [MQTT-3.1.2-11] [v3 MQTT-3.1.2-13]
      failBy(c, MALFORMED_PACKET, 'MQTT-3.1.2-11', 'MQTT-3.1.2-13', 'a will QoS without a will')
    }
    if ((flags & willRetainFlag) !== 0) {
      // [MQTT-3.1.2-13] [v3 MQTT-3.1.2-15]
      failBy(c, MALFORMED_PACKET, 'MQTT-3.1.2-13', 'MQTT-3.1.2-15', 'will retain without a will')
    }
  }
  if (c.level !== 5 && (flags & passwordFlag) !== 0 && (flags & userNameFlag) === 0) {
    // [v3 MQTT-3.1.2-22]
    fail(c, PROTOCOL_ERROR, 'v3 MQTT-3.1.2-22', 'a password without a user name')
  }
}

const readWill = (c: Cursor, flags: number): Will | null => {
  const properties = c.level === 5 ? readProperties(c, 'Will') : none
  // [v3 MQTT-3.1.3-10]
  const topic = checkTopicName(c, readString(c, 'the will topic')) // [MQTT-3.1.3-11]
  const payload = readBinary(c, 'the will payload')
  if (topic === null) return null
  const qos = toQos((flags >> 3) & 3)
  return { topic, payload, qos, retain: (flags & willRetainFlag) !== 0, properties }
}

export const decodeConnack = (c: Cursor): Connack => {
  const flags = readByte(c, 'the acknowledge flags')
  const code = readByte(c, 'the reason code')
  // 3.1 does not use the byte.
  const sessionPresent = c.level !== 3 && (flags & 1) !== 0
  if (c.level !== 3 && flags > 1) {
    // [MQTT-3.2.2-1]
    const detail = 'reserved acknowledge flags are set'
    if (c.level === 5) fail(c, MALFORMED_PACKET, 'MQTT-3.2.2-1', detail)
    else failPlainly(c, MALFORMED_PACKET, detail)
  }
  const reason = c.level === 5 ? code : fromReturnCode(code)
  if (c.fault === null && !isReason('Connack', reason)) {
    // [MQTT-3.2.2-8]
    const detail = 'a code that CONNACK does not have'
    if (c.level === 5) fail(c, PROTOCOL_ERROR, 'MQTT-3.2.2-8', detail)
    else failPlainly(c, PROTOCOL_ERROR, detail)
  }
  const properties = c.level === 5 ? readProperties(c, 'Connack') : none
  return { _tag: 'Connack', sessionPresent, reason, properties }
}

/** Size of a property block with its length; nothing below level 5. */
const blockSize = (level: Level, properties: Properties): number => {
  if (level < 5) return 0
  const size = propertiesSize(properties)
  return varintSize(size) + size
}

const writeBlock = (
  level: Level,
  properties: Properties,
  target: Uint8Array,
  at: number,
): number => level < 5 ? at : writeProperties(target, at, properties, propertiesSize(properties))

const connectRemaining = (packet: Connect): number => {
  const { level, will, userName, password } = packet
  let size = (level === 3 ? 8 : 6) + 4
  size += blockSize(level, packet.properties) + stringSize(packet.clientId)
  if (will !== null) {
    size += blockSize(level, will.properties) + stringSize(will.topic) + binarySize(will.payload)
  }
  if (userName !== null) size += stringSize(userName)
  if (password !== null) size += binarySize(password)
  return size
}

export const connectSize = (packet: Connect): number => packetSize(connectRemaining(packet))

/** Writes a CONNECT in the level that it carries. */
export const encodeConnect = (packet: Connect, target: Uint8Array, at: number): number => {
  const { level, will, userName, password } = packet
  let to = writeHeader(target, at, 0x10, connectRemaining(packet))
  to = writeString(target, to, level === 3 ? 'MQIsdp' : 'MQTT')
  target[to++] = packet.bridge ? level | bridgeBit : level
  target[to++] = (packet.cleanStart ? cleanStartFlag : 0) |
    (will !== null ? willFlag | (will.qos << 3) | (will.retain ? willRetainFlag : 0) : 0) |
    (password !== null ? passwordFlag : 0) |
    (userName !== null ? userNameFlag : 0)
  to = writeTwo(target, to, packet.keepAliveS)
  to = writeBlock(level, packet.properties, target, to)
  to = writeString(target, to, packet.clientId)
  if (will !== null) {
    to = writeBlock(level, will.properties, target, to)
    to = writeString(target, to, will.topic)
    to = writeBinary(target, to, will.payload)
  }
  if (userName !== null) to = writeString(target, to, userName)
  if (password !== null) to = writeBinary(target, to, password)
  return to
}

export const connackSize = (level: Level, packet: Connack): number =>
  packetSize(2 + blockSize(level, packet.properties))

/** Below level 5 the reason becomes a return code, and 3.1 has no session present. */
export const encodeConnack = (
  level: Level,
  packet: Connack,
  target: Uint8Array,
  at: number,
): number => {
  const to = writeHeader(target, at, 0x20, 2 + blockSize(level, packet.properties))
  target[to] = packet.sessionPresent && level !== 3 ? 1 : 0
  target[to + 1] = level === 5 ? packet.reason : toReturnCode(packet.reason)
  return writeBlock(level, packet.properties, target, to + 2)
}
