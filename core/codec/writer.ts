// Writing fields: every function writes at an index of a target that has room, and answers the
// index after what it wrote. What cannot be written at all is a fault of ours and throws.

import * as Bytes from '../data/bytes.ts'
import { utf8Size, writeUtf8 } from './utf8.ts'
import { varintSize, writeVarint } from './varint.ts'

/** Strings and binary data have two bytes for their length. */
const fieldBytesMax = 65_535

export const writeTwo = (target: Uint8Array, at: number, value: number): number => {
  target[at] = value >>> 8
  target[at + 1] = value
  return at + 2
}

export const writeFour = (target: Uint8Array, at: number, value: number): number => {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
  return at + 4
}

const tooLong = (what: string, size: number): RangeError =>
  new RangeError(`${what} of ${size} bytes fits no packet: ${fieldBytesMax} are the most`)

/** The two bytes of length are written last, so that the text is walked only once. */
export const writeString = (target: Uint8Array, at: number, text: string): number => {
  const end = writeUtf8(text, target, at + 2)
  const size = end - at - 2
  if (size > fieldBytesMax) throw tooLong('a string', size)
  writeTwo(target, at, size)
  return end
}

export const writeBinary = (target: Uint8Array, at: number, bytes: Bytes.Bytes): number => {
  const size = Bytes.size(bytes)
  if (size > fieldBytesMax) throw tooLong('binary data', size)
  return Bytes.copyTo(bytes, target, writeTwo(target, at, size))
}

/** First byte and remaining length. */
export const writeHeader = (
  target: Uint8Array,
  at: number,
  first: number,
  remaining: number,
): number => {
  target[at] = first
  return writeVarint(target, at + 1, remaining)
}

export const stringSize = (text: string): number => 2 + utf8Size(text)

export const binarySize = (bytes: Bytes.Bytes): number => 2 + Bytes.size(bytes)

/** Size of a whole packet with this remaining length. */
export const packetSize = (remaining: number): number => 1 + varintSize(remaining) + remaining
