// What a recording has of a payload: all of it, a mark by which equal ones are known, or its size.

import { isUtf8 } from '../codec/utf8.ts'
import type { Properties } from '../codec/property.ts'
import { none } from '../codec/property.ts'
import type { Bytes } from '../data/bytes.ts'
import { hex32 } from './sheet.ts'

export interface Veil {
  readonly payload: 'full' | 'hash' | 'length'
  /**
   * Two numbers of 32 bits that nobody else knows and that are not written down, so that nobody can
   * try out what a short payload was.
   */
  readonly key: readonly [number, number]
}

const hashOf = ([one, other]: Veil['key'], { buffer, start, end }: Bytes): string => {
  let a = one ^ (end - start)
  let b = other
  let at = start
  for (; at < end; at += 4) {
    // What lies behind the end is not the payload's.
    let word = buffer[at]!
    if (at + 1 < end) word |= buffer[at + 1]! << 8
    if (at + 2 < end) word |= buffer[at + 2]! << 16
    if (at + 3 < end) word |= buffer[at + 3]! << 24
    a = Math.imul(a ^ word, 0x9e3779b1)
    a ^= a >>> 15
    b = Math.imul(b ^ word ^ a, 0x85ebca6b)
    b ^= b >>> 13
  }
  a = Math.imul(a ^ b ^ other, 0xc2b2ae35)
  b = Math.imul(b ^ a ^ one, 0x27d4eb2f)
  return hex32(a ^ (a >>> 16)) + hex32(b ^ (b >>> 15))
}

/** What stands for a payload: `!` at the end if it says that it is text and is none. */
export const markOf = (veil: Veil, payload: Bytes, properties: Properties = none): string => {
  const mark = veil.payload === 'hash' ? hashOf(veil.key, payload) : ''
  const { buffer, start, end } = payload
  return properties !== none && properties.payloadFormatIndicator === 1 &&
      !isUtf8(buffer, start, end)
    ? `${mark}!`
    : mark
}

/** A payload of this size for a mark: the same for the same mark, and text unless that says no. */
export const fillOf = (size: number, mark: string): Bytes => {
  const buffer = new Uint8Array(size)
  const isNoText = mark.endsWith('!')
  const length = isNoText ? mark.length - 1 : mark.length
  for (let i = 0; i < size; i++) {
    buffer[i] = length === 0 ? 0x2d : mark.charCodeAt(i % length) & 0x7f
  }
  if (isNoText && size > 0) buffer[0] = 0xff
  return { buffer, start: 0, end: size }
}
