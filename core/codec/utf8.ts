// UTF-8 as MQTT wants it: strict, without U+0000, and with U+FEFF left alone. Written here because
// the platform's decoders differ in what they repair, and core knows no platform.

import type { Clauses } from '../topic/text.ts'

/** Code units turned into a string at once; bounds what one call may put on the stack. */
const chunkUnits = 1024

/**
 * The text in `buffer[start, end)`, or null where the bytes are not UTF-8 in the strict sense:
 * overlong forms, surrogates, values above U+10FFFF [MQTT-1.5.4-1] and U+0000 [MQTT-1.5.4-2] are
 * refused, U+FEFF is a character like any other [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3].
 */
export const decodeUtf8 = (buffer: Uint8Array, start: number, end: number): string | null => {
  let text = ''
  let at = start
  while (at < end) {
    const room = end - at < chunkUnits ? end - at : chunkUnits
    const units = new Array<number>(room)
    let count = 0
    // A pair of surrogates takes two places, so the last place of a full chunk stays empty. Four
    // bytes make that pair, so a chunk that ends with the text never runs out of places.
    while (at < end && count < chunkUnits - 1) {
      const lead = buffer[at]!
      if (lead < 0x80) {
        if (lead === 0) return null // [MQTT-1.5.4-2]
        units[count++] = lead
        at += 1
        continue
      }
      const second = at + 1 < end ? buffer[at + 1]! : 0
      if (lead < 0xe0) {
        // 0x80 to 0xC1 cannot lead: continuations, and overlong forms of ASCII.
        if (lead < 0xc2 || (second & 0xc0) !== 0x80) return null
        units[count++] = ((lead & 0x1f) << 6) | (second & 0x3f)
        at += 2
        continue
      }
      const third = at + 2 < end ? buffer[at + 2]! : 0
      if ((second & 0xc0) !== 0x80 || (third & 0xc0) !== 0x80) return null
      if (lead < 0xf0) {
        const unit = ((lead & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f)
        if (unit < 0x800 || (unit & 0xf800) === 0xd800) return null // [MQTT-1.5.4-1]
        units[count++] = unit
        at += 3
        continue
      }
      const fourth = at + 3 < end ? buffer[at + 3]! : 0
      if (lead > 0xf4 || (fourth & 0xc0) !== 0x80) return null
      const point = ((lead & 0x07) << 18) | ((second & 0x3f) << 12) | ((third & 0x3f) << 6) |
        (fourth & 0x3f)
      if (point < 0x10000 || point > 0x10ffff) return null
      units[count++] = 0xd7c0 + (point >> 10)
      units[count++] = 0xdc00 + (point & 0x3ff)
      at += 4
    }
    if (count < room) units.length = count
    text += String.fromCharCode.apply(null, units)
  }
  return text
}

/** What is wrong with bytes that are no text, and which statement they break. */
export const whyNoText = (
  buffer: Uint8Array,
  start: number,
  end: number,
): { readonly fault: string; readonly clauses: Clauses } =>
  // A zero byte is U+0000 and nothing else, whatever is wrong besides.
  buffer.subarray(start, end).includes(0)
    // [MQTT-1.5.4-2] [v3 MQTT-1.5.3-2]
    ? { fault: 'contains the character U+0000', clauses: ['MQTT-1.5.4-2', 'MQTT-1.5.3-2'] }
    // [MQTT-1.5.4-1] [v3 MQTT-1.5.3-1]
    : { fault: 'is not valid UTF-8', clauses: ['MQTT-1.5.4-1', 'MQTT-1.5.3-1'] }

/** Whether `buffer[start, end)` is well-formed UTF-8, in which U+0000 is a character too. */
export const isUtf8 = (buffer: Uint8Array, start: number, end: number): boolean => {
  let at = start
  while (at < end) {
    const lead = buffer[at++]!
    if (lead < 0x80) continue
    const more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0
    if (more === 0 || at + more > end) return false
    // The second byte is what rules out overlong forms, surrogates and all above U+10FFFF.
    const second = buffer[at]!
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < least || second > most) return false
    for (let i = 1; i < more; i++) if ((buffer[at + i]! & 0xc0) !== 0x80) return false
    at += more
  }
  return true
}

/** Bytes that `text` takes; half a surrogate pair counts as U+FFFD. */
export const utf8Size = (text: string): number => {
  let size = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) {
      size += 1
      continue
    }
    // Each half of a pair stands for two of its four bytes, any other unit here for three.
    if (isHigh(unit) && i + 1 < text.length && isLow(text.charCodeAt(i + 1))) i += 1
    size += 2
  }
  return size
}

/**
 * Writes `text` and answers the index after it. `target` has room for `utf8Size(text)` bytes. Half
 * a surrogate pair, which no decoded text contains, becomes U+FFFD.
 */
export const writeUtf8 = (text: string, target: Uint8Array, at: number): number => {
  let to = at
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      target[to++] = unit
      continue
    }
    if (unit < 0x800) {
      target[to++] = 0xc0 | (unit >> 6)
      target[to++] = 0x80 | (unit & 0x3f)
      continue
    }
    let point = unit
    if ((unit & 0xf800) === 0xd800) {
      const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0
      if (isHigh(unit) && isLow(next)) {
        i += 1
        point = 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00)
        target[to++] = 0xf0 | (point >> 18)
        target[to++] = 0x80 | ((point >> 12) & 0x3f)
        target[to++] = 0x80 | ((point >> 6) & 0x3f)
        target[to++] = 0x80 | (point & 0x3f)
        continue
      }
      point = 0xfffd
    }
    target[to++] = 0xe0 | (point >> 12)
    target[to++] = 0x80 | ((point >> 6) & 0x3f)
    target[to++] = 0x80 | (point & 0x3f)
  }
  return to
}

/** `text` in a buffer of exactly its size. */
export const encodeUtf8 = (text: string): Uint8Array => {
  const target = new Uint8Array(utf8Size(text))
  writeUtf8(text, target, 0)
  return target
}

/** Whether a control character (U+0001 to U+001F, U+007F to U+009F) is in the text. */
export const hasControl = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return true
  }
  return false
}

/** Whether a code point that never is a character (U+FDD0 to U+FDEF, U+xxFFFE, U+xxFFFF) is. */
export const hasNonCharacter = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xd800) continue
    if (unit >= 0xfffe || (unit >= 0xfdd0 && unit <= 0xfdef)) return true
    // The last two of a plane: the high half ends in 6 one bits, the low one in 9 and any.
    if (isLow(unit) && (unit & 0x3fe) === 0x3fe && (text.charCodeAt(i - 1) & 0x3f) === 0x3f) {
      return true
    }
  }
  return false
}

const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800

const isLow = (unit: number): boolean => (unit & 0xfc00) === 0xdc00
