// PUBACK, PUBREC, PUBREL and PUBCOMP: one layout, four meanings. In version 5 what says nothing is
// left out: properties that are none, and then a reason that is 0.

import type { Cursor } from './cursor.ts'
import { fail, readByte, readPacketId } from './cursor.ts'

import type { Level, Puback, Pubcomp, Pubrec, Pubrel } from './packet.ts'
import type { Properties } from './properties.ts'
import { none } from './properties.ts'
import { propertiesSize, readProperties, writeProperties } from './property.ts'
import { PROTOCOL_ERROR } from './reason-code.ts'
import { isReason } from './reason.ts'
import { varintSize } from './varint.ts'
import { packetSize, writeHeader, writeTwo } from './writer.ts'

export type Ack = Puback | Pubrec | Pubrel | Pubcomp

export const decodePuback = (c: Cursor): Puback => {
  const packetId = readPacketId(c)
  const reason = readReason(c, 'Puback', 'MQTT-3.4.2-1') // [MQTT-3.4.2-1]
  const properties = readRest(c, 'Puback')
  return { _tag: 'Puback', packetId, reason, properties }
}

export const decodePubrec = (c: Cursor): Pubrec => {
  const packetId = readPacketId(c)
  const reason = readReason(c, 'Pubrec', 'MQTT-3.5.2-1') // [MQTT-3.5.2-1]
  const properties = readRest(c, 'Pubrec')
  return { _tag: 'Pubrec', packetId, reason, properties }
}

export const decodePubrel = (c: Cursor): Pubrel => {
  const packetId = readPacketId(c)
  const reason = readReason(c, 'Pubrel', 'MQTT-3.6.2-1') // [MQTT-3.6.2-1]
  const properties = readRest(c, 'Pubrel')
  return { _tag: 'Pubrel', packetId, reason, properties }
}

export const decodePubcomp = (c: Cursor): Pubcomp => {
  const packetId = readPacketId(c)
  const reason = readReason(c, 'Pubcomp', 'MQTT-3.7.2-1') // [MQTT-3.7.2-1]
  const properties = readRest(c, 'Pubcomp')
  return { _tag: 'Pubcomp', packetId, reason, properties }
}

/** The acknowledgement of a type (4 to 7) that says its identifier and nothing else. */
export const shortAck = (type: number, packetId: number): Ack =>
  type === 4
    ? { _tag: 'Puback', packetId, reason: 0, properties: none }
    : type === 5
    ? { _tag: 'Pubrec', packetId, reason: 0, properties: none }
    : type === 6
    ? { _tag: 'Pubrel', packetId, reason: 0, properties: none }
    : { _tag: 'Pubcomp', packetId, reason: 0, properties: none }

// Below level 5 both read nothing, and what is left over is found by whoever called.

const readReason = (c: Cursor, tag: Ack['_tag'], clause: string): number => {
  if (c.level !== 5 || c.at === c.end) return 0
  const reason = readByte(c, 'the reason code')
  if (!isReason(tag, reason)) {
    fail(c, PROTOCOL_ERROR, clause, `a reason code that ${tag} does not have`)
  }
  return reason
}

const readRest = (c: Cursor, tag: Ack['_tag']): Properties =>
  c.level !== 5 || c.at === c.end ? none : readProperties(c, tag)

const firstBytes = { Puback: 0x40, Pubrec: 0x50, Pubrel: 0x62, Pubcomp: 0x70 }

/** Remaining length, given the size of the properties. */
const remaining = (level: Level, packet: Ack, propertySize: number): number => {
  if (level < 5 || (packet.reason === 0 && propertySize === 0)) return 2
  return propertySize === 0 ? 3 : 3 + varintSize(propertySize) + propertySize
}

export const ackSize = (level: Level, packet: Ack): number =>
  packet.reason === 0 && packet.properties === none
    ? 4
    : packetSize(remaining(level, packet, propertiesSize(packet.properties)))

export const encodeAck = (level: Level, packet: Ack, target: Uint8Array, at: number): number => {
  const propertySize = propertiesSize(packet.properties)
  const size = remaining(level, packet, propertySize)
  let to = writeHeader(target, at, firstBytes[packet._tag], size)
  to = writeTwo(target, to, packet.packetId) // [MQTT-2.2.1-5] [v3 MQTT-2.3.1-6]
  if (size > 2) target[to++] = packet.reason
  return size > 3 ? writeProperties(target, to, packet.properties, propertySize) : to
}
