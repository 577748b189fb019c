// Bytes of a packet as a person writes them down, for what is no packet: digits in hexadecimal,
// text, and groups that carry their own length, so that one wrong thing can be shown in an
// otherwise right packet. `raw 30 [ "a/+" 'on' ]` is a PUBLISH to a name with a wildcard.

import { encodeUtf8 } from '../codec/utf8.ts'
import { writeVarint } from '../codec/varint.ts'
import type { Words } from './words.ts'
import { fail, peek, take, unquote } from './words.ts'

const bytesMax = 4 * 1024 * 1024

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** The bytes after their number as a variable byte integer. */
const withLength = (content: Uint8Array): Uint8Array => {
  const length = new Uint8Array(4)
  return joined([length.subarray(0, writeVarint(length, 0, content.length)), content])
}

const itemOf = (word: string): Uint8Array | null => {
  const name = unquote(word, "'")
  if (name !== null) return encodeUtf8(name)
  const text = unquote(word, '"')
  if (text !== null) {
    const content = encodeUtf8(text)
    return joined([Uint8Array.of(content.length >> 8, content.length & 0xff), content])
  }
  if (!/^(?:[0-9a-f]{2})+$/.test(word)) return null
  return Uint8Array.from(word.match(/../g)!, (digits) => parseInt(digits, 16))
}

/**
 * Takes the rest of the line as bytes:
 *
 *   `30ff`      bytes in hexadecimal           `'text'`   the text's UTF-8
 *   `"text"`    the same after its length in two bytes
 *   `[ ... ]`   what stands inside, after its length as a variable byte integer
 *   `01*200`    any of these but a group, so many times
 */
export const takeRaw = (w: Words): Uint8Array => {
  const stack: Array<Array<Uint8Array>> = [[]]
  let total = 0
  while (peek(w) !== '' && w.fault === null) {
    const token = take(w)
    if (token === '[') stack.push([])
    else if (token === ']') {
      const group = stack.pop()!
      if (stack.length === 0) {
        fail(w, 'a ] without its [: leave it out')
        return new Uint8Array(0)
      }
      stack[stack.length - 1]!.push(withLength(joined(group)))
    } else {
      const found = /^(.*?)(?:\*([0-9]{1,7}))?$/.exec(token)!
      const item = itemOf(found[1]!)
      const count = found[2] === undefined ? 1 : Number(found[2])
      if (item === null) fail(w, `${token} is no bytes: write 30ff, 'text', "text" or a [ group ]`)
      else {
        total += item.length * count
        if (total > bytesMax) fail(w, `more than ${bytesMax} bytes: write fewer`)
        else for (let i = 0; i < count; i++) stack[stack.length - 1]!.push(item)
      }
    }
  }
  if (stack.length > 1) fail(w, 'a [ without its ]: close it')
  return w.fault === null ? joined(stack[0]!) : new Uint8Array(0)
}
