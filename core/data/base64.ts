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

/** The bytes of a base64 text in a buffer of exactly their size; null if it is not canonical. */
export const decode = (text: string): Bytes | null => {
  const length = text.length
  if (length % 4 !== 0) return null
  if (length === 0) return B.empty
  const pads = text.charCodeAt(length - 1) !== padding
    ? 0
    : text.charCodeAt(length - 2) !== padding
    ? 1
    : 2
  const buffer = new Uint8Array((length / 4) * 3 - pads)
  let bits = 0
  let at = 0
  for (let i = 0; i < length - pads; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? values[code]! : 0xff
    if (value === 0xff) return null
    bits = ((bits << 6) | value) & 0xffffff
    // A byte is complete after the 2nd, 3rd and 4th character of each four.
    const place = i & 3
    if (place > 0) buffer[at++] = (bits >> (6 - 2 * place)) & 0xff
  }
  // The bits of the last character that stand for no byte must be zero, or two texts would mean
  // one.
  if (pads === 1 && (bits & 3) !== 0) return null
  if (pads === 2 && (bits & 15) !== 0) return null
  return B.of(buffer)
}
