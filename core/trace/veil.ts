// What a recording has of a payload: all of it, a mark by which equal ones are known, or its size.

import { isUtf8 } from '../codec/utf8.ts'
import type { Properties } from '../codec/property.ts'
import { none } from '../codec/property.ts'
import type { Bytes } from '../data/bytes.ts'
import { textOf64 } from './sheet.ts'

export interface Veil {
  readonly payload: 'full' | 'hash' | 'length'
  /**
   * Two numbers of 32 bits that nobody else knows and that are not written down, so that nobody can
   * try out what a short payload was.
   */
  readonly key: readonly [number, number]
}

/** Two words by which equal payloads are known, good until the next call. */
export const hash: { high: number; low: number } = { high: 0, low: 0 }

// A burst of packets comes in one buffer, and looking at it in words of four bytes takes a view.
let viewed: ArrayBufferLike = new ArrayBuffer(0)
let view: DataView = new DataView(viewed)

const stir = (sum: number, word: number): number => {
  const mixed = Math.imul(sum ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

/** Leaves in `hash` what the payload comes to. */
export const hashPayload = ({ key }: Veil, { buffer, start, end }: Bytes): void => {
  if (buffer.buffer !== viewed) {
    viewed = buffer.buffer
    view = new DataView(viewed)
  }
  const shift = buffer.byteOffset
  const last = shift + end
  let at = shift + start
  // Four sums side by side, since a processor can.
  let a = key[0] ^ (end - start)
  let b = key[1]
  let c = ~key[0]
  let d = ~key[1]
  for (; at + 16 <= last; at += 16) {
    a = stir(a, view.getInt32(at, true))
    b = stir(b, view.getInt32(at + 4, true))
    c = stir(c, view.getInt32(at + 8, true))
    d = stir(d, view.getInt32(at + 12, true))
  }
  for (; at + 4 <= last; at += 4) {
    const word = view.getInt32(at, true)
    a = stir(a, word)
    b = stir(b, word ^ a)
  }
  if (at < last) {
    let word = 0
    for (; at < last; at++) word = (word << 8) | view.getUint8(at)
    a = stir(a, word)
    b = stir(b, word ^ a)
  }
  a = Math.imul(a ^ key[1], 0x85ebca6b) ^ c
  b = Math.imul(b ^ key[0], 0xc2b2ae35) ^ d
  a = Math.imul(a ^ (b >>> 13) ^ b, 0x27d4eb2f)
  b = Math.imul(b ^ (a >>> 15) ^ c, 0x85ebca6b)
  hash.high = a ^ (a >>> 16)
  hash.low = b ^ (b >>> 15) ^ (a << 7)
}

/** Whether it says that it is text and is none, which the mark has to say. */
export const isNoText = ({ buffer, start, end }: Bytes, properties: Properties): boolean =>
  properties !== none && properties.payloadFormatIndicator === 1 && !isUtf8(buffer, start, end)

/** What stands for a payload: `!` at the end if it says that it is text and is none. */
export const markOf = (veil: Veil, payload: Bytes, properties: Properties = none): string => {
  let mark = ''
  if (veil.payload === 'hash' && payload.end > payload.start) {
    hashPayload(veil, payload)
    mark = textOf64(hash.high, hash.low)
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

/** What these words, as `hashPayload` leaves them, count as in a digest. */
export const weightOfHash = (high: number, size: number): number =>
  size >= 5 ? (high >>> 2) & 0xffffff : ((high >>> 2) & 0xffffff) >>> (size < 2 ? 24 : 30 - 6 * size)

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

/** What a payload counts as that is in no veil. */
export const weightOfAll = (payload: Bytes): number => {
  hashPayload(open, payload)
  return hash.high
}

const open: Veil = { payload: 'full', key: [0x5bd1e995, 0x1b873593] }
