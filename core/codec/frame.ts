// Where one packet ends and the next begins, told from the first bytes alone: nothing is allocated
// or waited for because of a length that a peer merely claims.

import type { Fault } from './fault.ts'
import { fault, generalClause, malformedPacket, packetTooLarge } from './fault.ts'
import type { Level } from './packet.ts'

/** The remaining length is not a variable byte integer in its shortest form. */
export const malformedLength = -1

/** The frame would be larger than allowed. */
export const tooLarge = -2

/**
 * The whole size in bytes, header included, of the frame that begins at `start`, as soon as the
 * bytes before `end` tell it; 0 if they do not yet; `malformedLength` (five bytes, or more than
 * needed [MQTT-1.5.5-1]) or `tooLarge` (above `packetBytesMax`, header included) if it is refused.
 */
export const frameSize = (
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
    if (byte === 0 && shift > 0) return malformedLength
    const size = at - start + remaining
    return size > packetBytesMax ? tooLarge : size // [MQTT-3.2.2-15]
  }
  return malformedLength
}

/** The fault behind a negative `frameSize`. */
export const lengthFault = (level: Level | 0, size: number): Fault =>
  size === tooLarge
    ? fault(packetTooLarge, generalClause(level), 'the packet is larger than allowed', level)
    : fault(
      malformedPacket,
      'MQTT-1.5.5-1',
      'the remaining length is not a minimal variable byte integer',
      level,
    )
