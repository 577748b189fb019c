// The packed form in which rows travel between the two threads and over which their checksums are
// taken: whole numbers in groups of seven bits, texts and bytes behind their size. A value has one
// form only, so equal bytes mean equal rows and the other way round.

import { decodeUtf8, utf8Size, writeUtf8 } from '../../core/codec/utf8.ts'
import * as Bytes from '../../core/data/bytes.ts'

/** Room for any whole number. */
const wholeBytesMax = 8

/** A buffer that grows while it is written. */
export interface Packer {
  buffer: Uint8Array<ArrayBuffer>
  at: number
}

export const packer = (size: number): Packer => ({ buffer: new Uint8Array(size), at: 0 })

/** Makes room for so many bytes more. */
export const reserve = (target: Packer, count: number): void => {
  const { buffer, at } = target
  if (at + count <= buffer.length) return
  const larger = new Uint8Array(Math.max(2 * buffer.length, at + count))
  larger.set(buffer.subarray(0, at))
  target.buffer = larger
}

export const writeByte = (target: Packer, value: number): void => {
  reserve(target, 1)
  target.buffer[target.at++] = value
}

export const writeWhole = (target: Packer, value: number): void => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} fits no column`)
  reserve(target, wholeBytesMax)
  const { buffer } = target
  let rest = value
  let { at } = target
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80)
  }
  buffer[at++] = rest
  target.at = at
}

/** Null is 0, and every number one more than it is. */
export const writeMaybe = (target: Packer, value: number | null): void =>
  writeWhole(target, value === null ? 0 : value + 1)

export const writeText = (target: Packer, text: string): void => {
  const size = utf8Size(text)
  writeWhole(target, size)
  reserve(target, size)
  target.at = writeUtf8(text, target.buffer, target.at)
}

export const writeBytes = (target: Packer, bytes: Bytes.Bytes): void => {
  const size = Bytes.size(bytes)
  writeWhole(target, size)
  reserve(target, size)
  target.at = Bytes.copyTo(bytes, target.buffer, target.at)
}

/** A place in packed bytes that is being read; only what a Packer wrote is ever read. */
export interface Reader {
  readonly buffer: Uint8Array
  at: number
}

export const readByte = (source: Reader): number => source.buffer[source.at++]!

export const readWhole = (source: Reader): number => {
  const { buffer } = source
  let byte = buffer[source.at++]!
  if (byte < 0x80) return byte
  let value = byte & 0x7f
  for (let scale = 0x80;; scale *= 0x80) {
    byte = buffer[source.at++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
}

export const readMaybe = (source: Reader): number | null => {
  const value = readWhole(source)
  return value === 0 ? null : value - 1
}

export const readText = (source: Reader): string => {
  const size = readWhole(source)
  const start = source.at
  source.at += size
  return decode(source.buffer, start, source.at)
}

export const decode = (buffer: Uint8Array, start: number, end: number): string => {
  const text = decodeUtf8(buffer, start, end)
  if (text === null) throw new Error('a stored text is no UTF-8')
  return text
}
