// Where one packet ends and the next begins, told from the first bytes alone: nothing is allocated
// or waited for because of a length that a peer merely claims.

import type { Fault } from './fault.ts'
import { fault, generalClause } from './fault.ts'
import type { Level } from './packet.ts'
import { MALFORMED_PACKET, PACKET_TOO_LARGE } from './reason-code.ts'

/** The remaining length is no variable byte integer, or of MQTT 5 and longer than it need be. */
export const malformedLength = -1

/** The frame would be larger than allowed. */
export const tooLarge = -2

/**
 * The whole size in bytes, header included, of the frame that begins at `start`, as soon as the
 * bytes before `end` tell it; 0 if they do not yet; `malformedLength` (five bytes, or in version 5
 * more than needed [MQTT-1.5.5-1]) or `tooLarge` (above `packetBytesMax`, header included) if it is
 * refused. Older versions do not ask for the shortest form, and there are clients that fill in a
 * length of always so many bytes; mosquitto takes them.
 */
export const frameSize = (
  level: Level | 0,
  buffer: Uint8Array,
  start: number,
  end: number,
  packetBytesMax: number,
): number => {
  let remaining = 0
  let at = start + 1
  for (let shift = 0; shift < 28; shift += 7) {
    if (at >= end) return 0
    const byte = buffer[at++]!
    remaining |= (byte & 0x7f) << shift
    if (byte >= 0x80) continue
    if (byte === 0 && shift > 0 && level === 5) return malformedLength
    const size = at - start + remaining
    return size > packetBytesMax ? tooLarge : size // [MQTT-3.2.2-15]
  }
  return malformedLength
}

/** Index after the header of a frame that begins at `start` and has been measured. */
export const bodyAt = (buffer: Uint8Array, start: number): number => {
  let at = start + 1
  while (buffer[at]! >= 0x80) at++
  return at + 1
}

/** The fault behind a negative `frameSize`. */
export const lengthFault = (level: Level | 0, size: number): Fault =>
  size === tooLarge
    ? fault(PACKET_TOO_LARGE, generalClause(level), 'the packet is larger than allowed', level)
    : badLength(level)

/** What is wrong with a remaining length that is refused. */
export const badLength = (level: Level | 0): Fault =>
  fault(
    MALFORMED_PACKET,
    level === 3 || level === 4 ? generalClause(level) : 'MQTT-1.5.5-1',
    level === 5
      ? 'the remaining length is not a minimal variable byte integer'
      : 'the remaining length is no variable byte integer',
    level,
  )
