// Bytes as base64 (RFC 4648, the common alphabet, with padding) and back. Core has its own because
// neither `btoa` nor `Buffer` exists everywhere. Decoding is strict: one text for one run of bytes,
// so that what is written again is what was read.

import type { Bytes } from './bytes.ts'
import * as B from './bytes.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

const codes = new Uint8Array(64)
const values = new Uint8Array(128).fill(0xff)
for (let i = 0; i < 64; i++) {
  const code = alphabet.charCodeAt(i)
  codes[i] = code
  values[code] = i
}

const padding = 0x3d

// Characters joined at a time: few enough to be the arguments of one call.
const chunk = 4096

/** The base64 text of these bytes. */
export const encode = (bytes: Bytes): string => {
  const { buffer, start, end } = bytes
  let text = ''
  let part: Array<number> = []
  for (let i = start; i < end; i += 3) {
    const left = end - i
    const a = buffer[i]!
    const b = left > 1 ? buffer[i + 1]! : 0
    const c = left > 2 ? buffer[i + 2]! : 0
    part.push(
      codes[a >> 2]!,
      codes[((a & 3) << 4) | (b >> 4)]!,
      left > 1 ? codes[((b & 15) << 2) | (c >> 6)]! : padding,
      left > 2 ? codes[c & 63]! : padding,
    )
    if (part.length >= chunk) {
      text += String.fromCharCode(...part)
      part = []
    }
  }
  return text + String.fromCharCode(...part)
}

const sextet = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  // 0xff shows in the high bits of whatever it is joined to.
  return code < 128 ? values[code]! : 0xff
}

/**
 * The bytes of a base64 text, or of its first `length` characters, in a buffer of exactly their
 * size; null if it is not canonical.
 */
export const decode = (text: string, length = text.length): Bytes | null => {
  if (length % 4 !== 0) return null
  if (length === 0) return B.empty
  const pads = text.charCodeAt(length - 1) !== padding
    ? 0
    : text.charCodeAt(length - 2) !== padding
    ? 1
    : 2
  const buffer = new Uint8Array((length / 4) * 3 - pads)
  const whole = pads === 0 ? length : length - 4
  let at = 0
  let i = 0
  for (; i < whole; i += 4) {
    const a = sextet(text, i)
    const b = sextet(text, i + 1)
    const c = sextet(text, i + 2)
    const d = sextet(text, i + 3)
    if ((a | b | c | d) > 63) return null
    buffer[at] = (a << 2) | (b >> 4)
    buffer[at + 1] = (b << 4) | (c >> 2)
    buffer[at + 2] = (c << 6) | d
    at += 3
  }
  if (pads === 0) return B.of(buffer)
  const a = sextet(text, i)
  const b = sextet(text, i + 1)
  const c = pads === 1 ? sextet(text, i + 2) : 0
  // The bits of the last character that stand for no byte must be zero, or two texts would mean
  // one.
  if ((a | b | c) > 63 || ((pads === 1 ? c & 3 : b & 15) !== 0)) return null
  buffer[at] = (a << 2) | (b >> 4)
  if (pads === 1) buffer[at + 1] = (b << 4) | (c >> 2)
  return B.of(buffer)
}
