// DISCONNECT and AUTH: a reason and properties, both left out where they say nothing. Below level 5
// DISCONNECT is bare and AUTH does not exist.

import type { Cursor } from './cursor.ts'
import { fail, readByte } from './cursor.ts'

import type { Auth, Disconnect, Level } from './packet.ts'
import { none } from './properties.ts'
import { propertiesSize, readProperties, writeProperties } from './property.ts'
import { PROTOCOL_ERROR } from './reason-code.ts'
import { isReason } from './reason.ts'
import { varintSize } from './varint.ts'
import { packetSize, writeHeader } from './writer.ts'

export const decodeDisconnect = (c: Cursor): Disconnect => {
  if (c.level !== 5 || c.at === c.end) return { _tag: 'Disconnect', reason: 0, properties: none }
  const reason = readByte(c, 'the reason code')
  if (!isReason('Disconnect', reason)) {
    // [MQTT-3.14.2-1]
    fail(c, PROTOCOL_ERROR, 'MQTT-3.14.2-1', 'a reason code that Disconnect does not have')
  }
  const properties = c.at === c.end ? none : readProperties(c, 'Disconnect')
  return { _tag: 'Disconnect', reason, properties }
}

export const decodeAuth = (c: Cursor): Auth => {
  if (c.at === c.end) return { _tag: 'Auth', reason: 0, properties: none }
  const reason = readByte(c, 'the reason code')
  if (!isReason('Auth', reason)) {
    // [MQTT-3.15.2-1]
    fail(c, PROTOCOL_ERROR, 'MQTT-3.15.2-1', 'a reason code that Auth does not have')
  }
  // Unlike in DISCONNECT the property length may not be left out after a reason code.
  const properties = readProperties(c, 'Auth')
  return { _tag: 'Auth', reason, properties }
}

/** Remaining length, given the size of the properties. */
const remaining = (level: Level, packet: Disconnect | Auth, propertySize: number): number => {
  if (level < 5) return 0
  if (propertySize > 0) return 1 + varintSize(propertySize) + propertySize
  if (packet.reason === 0) return 0
  return packet._tag === 'Disconnect' ? 1 : 2
}

export const farewellSize = (level: Level, packet: Disconnect | Auth): number =>
  packetSize(remaining(level, packet, propertiesSize(packet.properties)))

/** Writes a DISCONNECT or an AUTH. AUTH below level 5 is a fault of ours and throws. */
export const encodeFarewell = (
  level: Level,
  packet: Disconnect | Auth,
  target: Uint8Array,
  at: number,
): number => {
  if (level < 5 && packet._tag === 'Auth') throw new TypeError('AUTH exists from level 5 on')
  const propertySize = propertiesSize(packet.properties)
  const size = remaining(level, packet, propertySize)
  const to = writeHeader(target, at, packet._tag === 'Disconnect' ? 0xe0 : 0xf0, size)
  if (size === 0) return to
  target[to] = packet.reason
  return size === 1 ? to + 1 : writeProperties(target, to + 1, packet.properties, propertySize)
}
