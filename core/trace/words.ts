// The words of a line: how strings and bytes are written so that a line stays a line whatever a
// peer chose, and how a line is taken apart again. Nothing here knows MQTT.
//
// What is shown is the same on every runtime, so which characters are escaped is a table of numbers
// and not a property of somebody's Unicode.

import { decodeUtf8, encodeUtf8 } from '../codec/utf8.ts'
import type { Bytes } from '../data/bytes.ts'
import * as B from '../data/bytes.ts'

/** `'` is for names (topics, filters, client identifiers), `"` for all other text. */
export type Mark = "'" | '"'

/**
 * Characters that end lines, change the direction of writing, or cannot be seen. Pairs of
 * surrogates stay as they are but for the two invisible planes at the end.
 */
const mustEscape = (code: number): boolean =>
  code < 0x20 ||
  (code >= 0x7f && code <= 0xa0) ||
  code === 0xad ||
  // Marks that change the letter before them would hide how it is put together.
  (code >= 0x300 && code <= 0x36f) ||
  code === 0x61c ||
  code === 0x180e ||
  (code >= 0x2000 && code <= 0x200f) ||
  (code >= 0x2028 && code <= 0x202f) ||
  (code >= 0x205f && code <= 0x206f) ||
  code === 0x3000 ||
  (code >= 0xd800 && code <= 0xf8ff) ||
  (code >= 0xfdd0 && code <= 0xfdef) ||
  (code >= 0xfe00 && code <= 0xfe0f) ||
  code === 0xfeff ||
  (code >= 0xfff0 && code <= 0xffff) ||
  code >= 0xe0000

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The text between marks, on one line and without surprises. */
export const quote = (text: string, mark: Mark): string => {
  let out: string = mark
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (char === mark || char === '\\') out += `\\${char}`
    else if (mustEscape(code)) out += short[char] ?? `\\u{${code.toString(16)}}`
    else out += char
  }
  return out + mark
}

/** What a shell takes for one word and as it is; in its $'' where it could not be seen. */
export const shellWord = (text: string): string => {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  const codes = [...text].map((char) => char.codePointAt(0)!)
  if (!codes.some(mustEscape)) return `'${text.replaceAll("'", "'\\''")}'`
  const chars = codes.map((code) =>
    mustEscape(code)
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : String.fromCodePoint(code).replace(/['\\]/, '\\$&')
  )
  return `$'${chars.join('')}'`
}

/** A name in sentences. */
export const name = (text: string): string => quote(text, "'")

/** What stands between marks, or null where the token is not one whole quotation. */
export const unquote = (token: string, mark: Mark): string | null => {
  if (token.length < 2 || !token.startsWith(mark) || !token.endsWith(mark)) return null
  let text = ''
  for (let i = 1; i < token.length - 1; i++) {
    const char = token.charAt(i)
    if (char === mark) return null
    if (char !== '\\') {
      text += char
      continue
    }
    const next = token.charAt(++i)
    const long = next === 'u' ? /^\{([0-9a-f]{1,6})\}/.exec(token.slice(i + 1)) : null
    const code = long === null ? -1 : parseInt(long[1]!, 16)
    if (long !== null && code <= 0x10ffff) {
      text += String.fromCodePoint(code)
      i += long[0].length
    } else if (next === mark || next === '\\') {
      // The last mark belongs to the quotation: an escape may not swallow it.
      if (i === token.length - 1) return null
      text += next
    } else if (next === 'n') text += '\n'
    else if (next === 'r') text += '\r'
    else if (next === 't') text += '\t'
    else return null
  }
  return text
}

/** `1 message`, `2 messages`. */
export const plural = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`

/** `1.500s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)}s`

/** A number as two or more digits in hexadecimal. */
export const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`

/** So many equal bytes are written once, with their number. */
const runMin = 16

/** A run may not claim more than the largest message that anybody would keep in a text. */
const bytesMax = 16 * 1024 * 1024

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f

const stretch = (buffer: Uint8Array, start: number, end: number): string => {
  const text = decodeUtf8(buffer, start, end)
  if (text !== null) return quote(text, '"')
  let digits = '0x'
  for (let i = start; i < end; i++) digits += buffer[i]!.toString(16).padStart(2, '0')
  return digits
}

/**
 * Bytes as one word: `"on"` where they are UTF-8, `0xff00` where not, `"x"*5000` for many equal
 * ones, joined by `+`. One text for one run of bytes.
 */
export const showBytes = (bytes: Bytes): string => {
  const { buffer, start, end } = bytes
  if (start === end) return '""'
  const pieces: string[] = []
  let from = start
  for (let i = start; i < end;) {
    let next = i + 1
    while (next < end && buffer[next] === buffer[i]) next++
    if (next - i >= runMin) {
      if (from < i) pieces.push(stretch(buffer, from, i))
      const byte = buffer[i]!
      const item = isPrintable(byte) ? quote(String.fromCharCode(byte), '"') : hex(byte)
      pieces.push(`${item}*${next - i}`)
      from = next
    }
    i = next
  }
  if (from < end) pieces.push(stretch(buffer, from, end))
  return pieces.join('+')
}

const pieceOf = /^("(?:[^"\\]|\\.)*"|0x(?:[0-9a-f]{2})+)(?:\*([0-9]{1,9}))?(?:\+|$)/

/** The bytes that a word stands for, or null. */
export const readBytes = (token: string): Bytes | null => {
  const parts: Array<readonly [piece: Uint8Array, count: number]> = []
  let total = 0
  for (let rest = token; rest !== '';) {
    const found = pieceOf.exec(rest)
    if (found === null) return null
    const item = found[1]!
    const text = item.startsWith('"') ? unquote(item, '"') : null
    if (item.startsWith('"') && text === null) return null
    const piece = text === null
      ? Uint8Array.from(item.slice(2).match(/../g)!, (digits) => parseInt(digits, 16))
      : encodeUtf8(text)
    const count = found[2] === undefined ? 1 : Number(found[2])
    total += piece.length * count
    if (total > bytesMax) return null
    parts.push([piece, count])
    rest = rest.slice(found[0].length)
    if (rest === '' && found[0].endsWith('+')) return null
  }
  if (token === '') return null
  if (total === 0) return B.empty
  const buffer = new Uint8Array(total)
  let at = 0
  for (const [piece, count] of parts) {
    for (let i = 0; i < count; i++, at += piece.length) buffer.set(piece, at)
  }
  return B.of(buffer)
}

/** A line taken apart. The first fault stays; after it every answer is only a filler. */
export interface Words {
  readonly tokens: ReadonlyArray<string>
  at: number
  fault: string | null
}

/**
 * Tokens are runs without blanks outside quotations; `[` and `]` stand alone, but for those in the
 * JSON of a `key=value`.
 */
const tokenPattern = new RegExp(
  [
    /[A-Za-z][A-Za-z0-9]*=(?:"(?:[^"\\]|\\.)*"|[^\s"])*/,
    /[[\]]/,
    /(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s[\]"'])+/,
  ].map(({ source }) => source).join('|'),
  'y',
)

export const words = (line: string): Words => {
  const tokens: string[] = []
  let at = 0
  while (at < line.length) {
    if (line.charAt(at) === ' ') {
      at++
      continue
    }
    tokenPattern.lastIndex = at
    const found = tokenPattern.exec(line)
    if (found === null) {
      return {
        tokens,
        at: tokens.length,
        fault: `column ${
          at + 1
        }: a quotation without its end: close it, or escape the mark with \\`,
      }
    }
    tokens.push(found[0])
    at += found[0].length
  }
  return { tokens, at: 0, fault: null }
}

export const fail = (w: Words, says: string): void => {
  w.fault ??= says
}

/** The next token, or '' where there is none. */
export const peek = (w: Words): string => w.tokens[w.at] ?? ''

export const take = (w: Words): string => w.tokens[w.at++] ?? ''

/** Takes the next token if it is this word. */
export const accept = (w: Words, word: string): boolean => {
  if (peek(w) !== word) return false
  w.at++
  return true
}

const seen = (token: string): string => token === '' ? 'the line ends' : `there is ${token}`

export const takeQuoted = (w: Words, mark: Mark, what: string): string => {
  const token = take(w)
  const text = unquote(token, mark)
  if (text === null) fail(w, `${what} is missing, ${seen(token)}: write it as ${mark}text${mark}`)
  return text ?? ''
}

export const takeBytes = (w: Words, what: string): Bytes => {
  const token = take(w)
  const bytes = readBytes(token)
  if (bytes === null) fail(w, `${what} is missing, ${seen(token)}: write it as "text" or 0xff00`)
  return bytes ?? B.empty
}

/** A whole number in decimal or as 0xNN. */
export const takeNumber = (w: Words, what: string, min: number, max: number): number => {
  const token = take(w)
  const value = /^(?:0|[1-9][0-9]{0,15}|0x[0-9a-f]{1,8})$/.test(token) ? Number(token) : NaN
  if (value >= min && value <= max) return value
  fail(w, `${what} is missing, ${seen(token)}: write a whole number from ${min} to ${max}`)
  return min
}

/** Nothing may be left on the line. */
export const finish = (w: Words): void => {
  if (w.at < w.tokens.length) fail(w, `${peek(w)} is not understood here: leave it out`)
}
