// From bytes to packets. Total: whatever the bytes are, the answer is a packet, a fault, or that
// more are needed.

import type { Bytes } from '../data/bytes.ts'
import type { Either, Option } from '../prelude.ts'
import { E, O } from '../prelude.ts'
import { decodePuback, decodePubcomp, decodePubrec, decodePubrel, shortAck } from './ack.ts'
import { decodeConnack, decodeConnect } from './connect.ts'
import type { Cursor } from './cursor.ts'
import { cursor, failPlainly } from './cursor.ts'
import { decodeAuth, decodeDisconnect } from './disconnect.ts'
import type { Fault } from './fault.ts'
import { fault, generalClause } from './fault.ts'
import { badLength, bodyAt, frameSize, lengthFault } from './frame.ts'
import type { Limits } from './limits.ts'
import { defaultLimits } from './limits.ts'
import type { Level, Packet } from './packet.ts'
import { pingreq, pingresp } from './ping.ts'
import { decodePublish } from './publish.ts'
import { MALFORMED_PACKET, PROTOCOL_ERROR } from './reason-code.ts'
import { decodeSuback, decodeSubscribe, decodeUnsuback, decodeUnsubscribe } from './subscribe.ts'
import { varintSize } from './varint.ts'

/** A packet, and how many bytes it took. */
export interface Decoded {
  readonly packet: Packet
  /** Bytes of its frame, header included. */
  readonly size: number
}

/**
 * What is wrong with the first byte of a frame, if anything is. Level 0 is a connection on which no
 * CONNECT has come yet: nothing else is legal there.
 */
const firstByteFault = (level: Level | 0, first: number): Fault | null => {
  const type = first >> 4
  const flags = first & 0x0f
  if (level === 0 && type !== 1) {
    // [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1]
    return fault(PROTOCOL_ERROR, 'MQTT-3.1.0-1', 'the first packet is not CONNECT', level)
  }
  if (type === 3) {
    if ((flags & 6) === 6) {
      // [MQTT-3.3.1-4] [v3 MQTT-3.3.1-4]
      return flagFault(level, 'MQTT-3.3.1-4', 'MQTT-3.3.1-4', 'a PUBLISH has QoS 3')
    }
    if ((flags & 0x0e) === 8 && level !== 3) {
      // [MQTT-3.3.1-2] [v3 MQTT-3.3.1-2]
      return flagFault(level, 'MQTT-3.3.1-2', 'MQTT-3.3.1-2', 'a PUBLISH of QoS 0 has DUP set')
    }
    return null
  }
  if (type === 0 || (type === 15 && level !== 5)) {
    return fault(MALFORMED_PACKET, generalClause(level), 'a reserved packet type', level)
  }
  // In 3.1 these three may be sent again with DUP set.
  if (level === 3 && (type === 6 || type === 8 || type === 10) && flags === 0x0a) return null
  // PUBREL, SUBSCRIBE and UNSUBSCRIBE have 2, all others 0.
  if (flags === (type === 6 || type === 8 || type === 10 ? 2 : 0)) return null
  const own = flagClauses[type]
  const detail = 'reserved header flags are wrong'
  // [MQTT-2.1.3-1] [v3 MQTT-2.2.2-1] [v3 MQTT-2.2.2-2]
  return flagFault(level, own ?? 'MQTT-2.1.3-1', own ?? 'MQTT-2.2.2-2', detail)
}

/** The packets whose flags have a statement of their own, with the same number at all levels. */
const flagClauses: { readonly [type: number]: string } = {
  6: 'MQTT-3.6.1-1', // [MQTT-3.6.1-1] [v3 MQTT-3.6.1-1]
  8: 'MQTT-3.8.1-1', // [MQTT-3.8.1-1] [v3 MQTT-3.8.1-1]
  10: 'MQTT-3.10.1-1', // [MQTT-3.10.1-1] [v3 MQTT-3.10.1-1]
  14: 'MQTT-3.14.1-1', // [MQTT-3.14.1-1] [v3 MQTT-3.14.1-1]
  15: 'MQTT-3.15.1-1', // [MQTT-3.15.1-1]
}

const flagFault = (
  level: Level | 0,
  clause: string,
  olderClause: string,
  detail: string,
): Fault =>
  fault(
    MALFORMED_PACKET,
    level === 3 || level === 4 ? `v3 ${olderClause}` : clause,
    detail,
    level,
  )

/**
 * Decodes `buffer[start, end)`, which is one whole frame as `frameSize` measured it. Bytes in the
 * packet (payload, correlation data, password) lie in `buffer` and are only lent. The size of the
 * frame is not checked against the limits again; what is inside it is.
 */
export const decodeFrame = (
  level: Level | 0,
  buffer: Uint8Array,
  start: number,
  end: number,
  limits: Limits = defaultLimits,
): Either<Fault, Packet> => {
  const size = frameSize(level, buffer, start, end, Infinity)
  if (size !== end - start || size === 0) {
    return E.left(
      size < 0
        ? lengthFault(level, size)
        : fault(MALFORMED_PACKET, generalClause(level), 'not exactly one frame', level),
    )
  }
  return decodeBody(level, buffer, start, bodyAt(buffer, start), end, limits)
}

/**
 * Decodes one whole frame whose header has been measured: its first byte is at `start`, what its
 * remaining length counts lies in `buffer[at, end)`.
 */
export const decodeBody = (
  level: Level | 0,
  buffer: Uint8Array,
  start: number,
  at: number,
  end: number,
  limits: Limits,
): Either<Fault, Packet> => {
  const first = buffer[start]!
  const wrong = firstByteFault(level, first)
  if (wrong !== null) return { _tag: 'Left', left: wrong }
  const type = first >> 4
  if (type === 3 && level !== 0) return decodePublish(level, first, buffer, at, end, limits)
  if (end - at === 2 && type >= 4 && type <= 7) {
    // Nearly every acknowledgement is an identifier and nothing else.
    const packetId = buffer[at]! << 8 | buffer[at + 1]!
    if (packetId !== 0) return { _tag: 'Right', right: shortAck(type, packetId) }
  }
  const c = cursor(level, buffer, at, end, limits)
  const packet = decodeByType(c, type)
  if (c.fault === null && c.at !== c.end) {
    failPlainly(c, MALFORMED_PACKET, 'bytes are left over at the end of the packet')
  }
  if (c.fault !== null) return { _tag: 'Left', left: c.fault }
  // Only now is it known that it is one of version 5 [MQTT-1.5.5-1].
  if (level === 0 && c.level === 5 && at - start - 1 > varintSize(end - at)) {
    return { _tag: 'Left', left: badLength(5) }
  }
  // Only a fault leaves a packet out.
  if (packet === null) throw new Error('a packet was neither decoded nor refused')
  return { _tag: 'Right', right: packet }
}

const decodeByType = (c: Cursor, type: number): Packet | null => {
  switch (type) {
    case 1:
      return decodeConnect(c)
    case 2:
      return decodeConnack(c)
    case 4:
      return decodePuback(c)
    case 5:
      return decodePubrec(c)
    case 6:
      return decodePubrel(c)
    case 7:
      return decodePubcomp(c)
    case 8:
      return decodeSubscribe(c)
    case 9:
      return decodeSuback(c)
    case 10:
      return decodeUnsubscribe(c)
    case 11:
      return decodeUnsuback(c)
    case 12:
      return pingreq
    case 13:
      return pingresp
    case 14:
      return decodeDisconnect(c)
    default:
      return decodeAuth(c)
  }
}

/**
 * Decodes the packet that `bytes` begins with. None means that more bytes are needed; a frame that
 * is refused is refused as soon as its header tells, whether or not the rest of it has come.
 */
export const decode = (
  level: Level | 0,
  bytes: Bytes,
  limits: Limits = defaultLimits,
): Either<Fault, Option<Decoded>> => {
  const { buffer, start, end } = bytes
  if (start === end) return E.right(O.none)
  const max = level === 0 ? limits.connectPacketBytesMax : limits.packetBytesMax
  const size = frameSize(level, buffer, start, end, max)
  if (size <= 0 || size > end - start) {
    const wrong = refusal(level, buffer[start]!, size)
    return wrong === null ? E.right(O.none) : E.left(wrong)
  }
  const result = decodeBody(level, buffer, start, bodyAt(buffer, start), start + size, limits)
  return E.isLeft(result) ? result : E.right(O.some({ packet: result.right, size }))
}

/** Why a frame that has not come whole need not come, or null. `size` is its `frameSize`. */
export const refusal = (level: Level | 0, first: number, size: number): Fault | null =>
  firstByteFault(level, first) ?? (size < 0 ? lengthFault(level, size) : null)
