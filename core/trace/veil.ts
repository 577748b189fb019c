// What a recording has of a payload: all of it, a mark by which equal ones are known, or its size.

import { isUtf8 } from '../codec/utf8.ts'
import type { Properties } from '../codec/properties.ts'
import { none } from '../codec/properties.ts'
import type { Bytes } from '../data/bytes.ts'
import { textOf64 } from './sheet.ts'
import { showBytes } from './words.ts'

export interface Veil {
  readonly payload: 'full' | 'hash' | 'length'
  /**
   * Two numbers of 32 bits that nobody else knows and that are not written down, so that nobody can
   * try out what a short payload was.
   */
  readonly key: readonly [number, number]
}

/** Two words by which equal payloads are known, the higher first; good until the next call. */
export const hash: Int32Array = new Int32Array(2)

// A burst of packets comes in one buffer, and looking at it in words of four bytes takes a view.
// Two are at hand, since what is kept of a burst lies in another buffer.
let viewed: Uint8Array = new Uint8Array(0)
let view: DataView = new DataView(viewed.buffer)
let viewedBefore: Uint8Array = viewed
let viewBefore: DataView = view

/** Its bytes in words; whoever has a view of his own need not ask. */
const viewOf = (buffer: Uint8Array): DataView => {
  if (buffer === viewed) return view
  const before = view
  view = buffer === viewedBefore
    ? viewBefore
    : new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  viewBefore = before
  viewedBefore = viewed
  viewed = buffer
  return view
}

/** Whether so many bytes are the same at two places. */
export const isSame = (words: DataView, one: number, other: number, size: number): boolean => {
  let at = 0
  for (; at + 4 <= size; at += 4) {
    if (words.getInt32(one + at, true) !== words.getInt32(other + at, true)) return false
  }
  for (; at < size; at++) if (words.getUint8(one + at) !== words.getUint8(other + at)) return false
  return true
}

const stir = (sum: number, word: number): number => {
  const mixed = Math.imul(sum ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

/** Of a payload of less than 16 bytes: all of them. */
const sumOfShort = ({ key }: Veil, words: DataView, start: number, end: number): number => {
  const last = end - 4
  let sum = Math.imul(end - start, 0x27d4eb2f)
  if (last < start) {
    for (let at = start; at < end; at++) sum = stir(sum ^ key[0], words.getUint8(at))
  } else {
    for (let at = start; at < last; at += 4) sum = stir(sum ^ key[0], words.getInt32(at, true))
    sum = stir(sum ^ key[1], words.getInt32(last, true))
  }
  return sum
}

const sumOfLong = ({ key }: Veil, words: DataView, start: number, end: number): number => {
  // Not taken apart as an array, which costs as much as all the rest.
  const one = key[0]
  const other = key[1]
  const size = end - start
  const apart = ((size - 4) / 3) | 0
  // Products side by side, each with a multiplier of its own.
  return Math.imul(size, 0x27d4eb2f) ^
    Math.imul(words.getInt32(start, true) ^ one, 0x9e3779b1) ^
    Math.imul(words.getInt32(start + apart, true) ^ other, 0x85ebca6b) ^
    Math.imul(words.getInt32(start + 2 * apart, true) ^ one, 0xc2b2ae35) ^
    Math.imul(words.getInt32(end - 4, true) ^ other, 0x165667b1)
}

/**
 * 24 bits of four words that are spread over the payload, which are all of it up to 16 bytes: what
 * it counts as in a digest, that the broker's own thread works out for each message.
 */
const sampleOf = (veil: Veil, words: DataView, start: number, end: number): number => {
  const sum = end - start < 16
    ? sumOfShort(veil, words, start, end)
    : sumOfLong(veil, words, start, end)
  const mixed = Math.imul(sum ^ (sum >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) >>> 8
}

/** Leaves in `hash` what these bytes come to: bits 2 to 25 of the higher word are `sampleOf`. */
export const hashWords = (veil: Veil, words: DataView, start: number, end: number): void => {
  const sample = sampleOf(veil, words, start, end)
  const one = veil.key[0]
  const other = veil.key[1]
  const lastWord = end - 4
  const lastFour = end - 16
  let at = start
  // Four sums side by side, since a processor can.
  let a = one ^ (end - start)
  let b = other
  let c = ~one
  let d = ~other
  for (; at <= lastFour; at += 16) {
    a = stir(a, words.getInt32(at, true))
    b = stir(b, words.getInt32(at + 4, true))
    c = stir(c, words.getInt32(at + 8, true))
    d = stir(d, words.getInt32(at + 12, true))
  }
  for (; at <= lastWord; at += 4) {
    const word = words.getInt32(at, true)
    a = stir(a, word)
    b = stir(b, word ^ a)
  }
  if (at < end) {
    let word = 0
    for (; at < end; at++) word = (word << 8) | words.getUint8(at)
    a = stir(a, word)
    b = stir(b, word ^ a)
  }
  a = Math.imul(a ^ other, 0x85ebca6b) ^ c
  b = Math.imul(b ^ one, 0xc2b2ae35) ^ d
  a = Math.imul(a ^ (b >>> 13) ^ b, 0x27d4eb2f)
  b = Math.imul(b ^ (a >>> 15) ^ c, 0x85ebca6b)
  hash[0] = ((a ^ (a >>> 16)) & ~0x03ff_fffc) | (sample << 2)
  hash[1] = b ^ (b >>> 15) ^ (a << 7)
}

/** Whether it says that it is text and is none, which the mark has to say. */
export const isNoText = ({ buffer, start, end }: Bytes, properties: Properties): boolean =>
  properties !== none && properties.payloadFormatIndicator === 1 && !isUtf8(buffer, start, end)

const hashBytes = (veil: Veil, { buffer, start, end }: Bytes): void =>
  hashWords(veil, viewOf(buffer), start, end)

/** What stands for a payload: `!` at the end if it says that it is text and is none. */
export const markOf = (veil: Veil, payload: Bytes, properties: Properties = none): string => {
  let mark = ''
  if (veil.payload === 'hash' && payload.end > payload.start) {
    hashBytes(veil, payload)
    mark = textOf64(hash[0]!, hash[1]!)
  }
  return isNoText(payload, properties) ? `${mark}!` : mark
}

/** A payload of this size for a mark: the same for the same mark, and text unless that says no. */
export const fillOf = (size: number, mark: string): Bytes => {
  const buffer = new Uint8Array(size)
  fill(buffer, 0, mark, 0)
  return { buffer, start: 0, end: size }
}

/** The same into a buffer from `start` to its end, by the mark that begins at `from` in a text. */
export const fill = (buffer: Uint8Array, start: number, text: string, from: number): void => {
  const end = buffer.length
  if (start === end) return
  const isMarked = text.endsWith('!')
  const length = text.length - from - (isMarked ? 1 : 0)
  if (length <= 0) buffer.fill(0x2d, start)
  else {
    const once = Math.min(length, end - start)
    for (let i = 0; i < once; i++) buffer[start + i] = text.charCodeAt(from + i) & 0x7f
    for (let i = start + once; i < end; i++) buffer[i] = buffer[i - length]!
  }
  if (isMarked) buffer[start] = 0xff
}

// The digest of effects has four characters of the mark, from the second on, since the first one
// may have become 0xff; fewer where the payload has no room for them.

/**
 * What there is of a payload at `hash` or `length`, in words: `(20 bytes, ~zw6fRbWz9jk)`. Of what
 * the broker says of itself there is all.
 */
export const veiledText = (
  { buffer, start, end }: Bytes,
  topic: string,
  payload: Veil['payload'],
): string => {
  if (payload === 'full' || topic.startsWith('$SYS')) return showBytes({ buffer, start, end })
  const size = end - start
  let mark = ''
  if (payload === 'hash') {
    for (let at = start; at < Math.min(end, start + marked); at++) {
      // A text that is none has 0xff in the place of its first one.
      mark += buffer[at]! < 0x80 ? String.fromCharCode(buffer[at]!) : '!'
    }
  }
  return `(${size} ${size === 1 ? 'byte' : 'bytes'}${mark === '' ? '' : `, ~${mark}`})`
}

/** So many characters are a whole mark. */
const marked = 11

/** What a payload counts as at `hash`. */
export const weightOfMark = (veil: Veil, { buffer, start, end }: Bytes): number => {
  const size = end - start
  const sample = sampleOf(veil, viewOf(buffer), start, end)
  return size >= 5 ? sample : sample >>> (size < 2 ? 24 : 30 - 6 * size)
}

/** The same for what `fillOf` made of them. */
export const weightOfFill = ({ buffer, start, end }: Bytes): number => {
  let weight = 0
  const last = Math.min(end, start + 5)
  for (let at = start + 1; at < last; at++) weight = (weight << 6) | sixBitsOf(buffer[at]!)
  return weight
}

const sixBitsOf = (code: number): number =>
  code >= 0x61
    ? code - 0x47
    : code >= 0x41
    ? code - 0x41
    : code >= 0x30
    ? code + 4
    : code === 0x2b
    ? 62
    : 63

/**
 * What a payload counts as that is in no veil: the lower word, since most of the higher one is the
 * sample, which sees four words of it.
 */
export const weightOfAll = (payload: Bytes): number => {
  hashBytes(open, payload)
  return hash[1]!
}

const open: Veil = { payload: 'full', key: [0x5bd1e995, 0x1b873593] }
