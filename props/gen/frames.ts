// Frames by hand, and what is in them.

import { decodeFrame } from '../../core/codec/mod.ts'
import type { Fault, Level, Limits, Packet } from '../../core/codec/mod.ts'
import { hex, unhex } from './packets.ts'

/** The packet in these bytes, which are one frame; anything else fails the test. */
export const decodeWhole = (level: Level | 0, bytes: Uint8Array, limits?: Limits): Packet => {
  const result = decodeFrame(level, bytes, 0, bytes.length, limits)
  if (result._tag === 'Left') throw new Error(`${result.left.detail}: ${hex(bytes)}`)
  return result.right
}

/** The fault in these bytes, or null. */
export const faultOf = (level: Level | 0, bytes: Uint8Array, limits?: Limits): Fault | null => {
  const result = decodeFrame(level, bytes, 0, bytes.length, limits)
  return result._tag === 'Left' ? result.left : null
}

/** A frame with the right remaining length around this body. */
export const frame = (first: number, body: string): Uint8Array => {
  const bytes = unhex(body)
  const { length } = bytes
  const head = length < 128
    ? [first, length]
    : length < 16_384
    ? [first, 0x80 | (length & 0x7f), length >> 7]
    : [first, 0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), length >> 14]
  return Uint8Array.from([...head, ...bytes])
}

/** Protocol name and level as CONNECT has them. */
export const mqtt3 = '00 06 4d 51 49 73 64 70 03'
export const mqtt4 = '00 04 4d 51 54 54 04'
export const mqtt5 = '00 04 4d 51 54 54 05'
