// A place in a packet that is being read. The first fault sticks: from then on nothing is left to
// read, every reader answers a harmless value, and whoever began asks for the fault once, at the
// end. So a decoder reads like the layout in the standard, without an Either per field.

import * as Bytes from '../data/bytes.ts'
import type { Fault } from './fault.ts'
import { fault, generalClause } from './fault.ts'
import type { Limits } from './limits.ts'
import type { Level, Qos } from './level.ts'
import { MALFORMED_PACKET } from './reason-code.ts'
import { decodeUtf8, whyNoText } from './utf8.ts'

export interface Cursor {
  readonly buffer: Uint8Array
  /** Index of the next byte; at <= end. */
  at: number
  /** Index after the last byte that may be read. */
  end: number
  /** The rules to read by. A CONNECT brings its own and begins with 0. */
  level: Level | 0
  /** What a fault says about the level of an answer. */
  faultLevel: Level | 0
  readonly limits: Limits
  fault: Fault | null
}

export const cursor = (
  level: Level | 0,
  buffer: Uint8Array,
  at: number,
  end: number,
  limits: Limits,
): Cursor => ({ buffer, at, end, level, faultLevel: level, limits, fault: null })

/** Notes the fault unless there is one already, and leaves nothing to read. */
export const fail = (c: Cursor, reason: number, clause: string, detail: string): void => {
  if (c.fault === null) c.fault = fault(reason, clause, detail, c.faultLevel)
  c.at = c.end
}

/** As `fail`, for a rule that versions 5 and 3.1.1 number differently. */
export const failBy = (
  c: Cursor,
  reason: number,
  clause: string,
  olderClause: string,
  detail: string,
): void => fail(c, reason, c.level === 3 || c.level === 4 ? `v3 ${olderClause}` : clause, detail)

/** As `fail`, for a rule that the standard does not number. */
export const failPlainly = (c: Cursor, reason: number, detail: string): void =>
  fail(c, reason, generalClause(c.level), detail)

const ended = (c: Cursor, what: string): void =>
  failPlainly(c, MALFORMED_PACKET, `the packet ends within ${what}`)

export const readByte = (c: Cursor, what: string): number => {
  if (c.at >= c.end) {
    ended(c, what)
    return 0
  }
  return c.buffer[c.at++]!
}

export const readTwo = (c: Cursor, what: string): number => {
  const at = c.at
  if (at + 2 > c.end) {
    ended(c, what)
    return 0
  }
  c.at = at + 2
  return (c.buffer[at]! << 8) | c.buffer[at + 1]!
}

export const readFour = (c: Cursor, what: string): number => {
  const at = c.at
  if (at + 4 > c.end) {
    ended(c, what)
    return 0
  }
  const { buffer } = c
  c.at = at + 4
  const high = (buffer[at]! << 8) | buffer[at + 1]!
  return high * 0x10000 + ((buffer[at + 2]! << 8) | buffer[at + 3]!)
}

/** A variable byte integer: at most four bytes, and no more of them than the value needs. */
export const readVarint = (c: Cursor, what: string): number => {
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    if (c.at >= c.end) {
      ended(c, what)
      return 0
    }
    const byte = c.buffer[c.at++]!
    value |= (byte & 0x7f) << shift
    if (byte >= 0x80) continue
    if (byte === 0 && shift > 0) break
    return value
  }
  fail(c, MALFORMED_PACKET, 'MQTT-1.5.5-1', `${what} is not a minimal variable byte integer`)
  return 0
}

/** A UTF-8 string behind its two bytes of length. */
export const readString = (c: Cursor, what: string): string => {
  const size = readTwo(c, what)
  const start = c.at
  if (start + size > c.end) {
    ended(c, what)
    return ''
  }
  const text = decodeUtf8(c.buffer, start, start + size)
  if (text === null) {
    const { fault, clauses: [five, elder] } = whyNoText(c.buffer, start, start + size)
    failBy(c, MALFORMED_PACKET, five, elder, `${what} ${fault}`)
    return ''
  }
  c.at = start + size
  return text
}

/** Binary data behind its two bytes of length, still in the buffer it came in. */
export const readBinary = (c: Cursor, what: string): Bytes.Bytes => {
  const size = readTwo(c, what)
  const start = c.at
  if (start + size > c.end) {
    ended(c, what)
    return Bytes.empty
  }
  c.at = start + size
  return size === 0 ? Bytes.empty : Bytes.slice(c.buffer, start, c.at)
}

/** A packet identifier, which is never 0 [MQTT-2.2.1-3] [v3 MQTT-2.3.1-1]. */
export const readPacketId = (c: Cursor): number => {
  const id = readTwo(c, 'the packet identifier')
  if (id === 0 && c.fault === null) {
    failBy(c, MALFORMED_PACKET, 'MQTT-2.2.1-3', 'MQTT-2.3.1-1', 'the packet identifier is 0')
  }
  return id
}

/** The two bits of a QoS that has been found not to be 3. */
export const toQos = (bits: number): Qos => (bits === 1 ? 1 : bits === 2 ? 2 : 0)
