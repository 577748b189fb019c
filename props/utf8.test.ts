// The codec's own UTF-8 agrees with the platform's in everything but U+0000, which MQTT forbids,
// and in what to do about bytes that are not UTF-8: they are refused, never repaired.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodeUtf8,
  encodeUtf8,
  hasControl,
  hasNonCharacter,
  isUtf8,
  utf8Size,
  writeUtf8,
} from '../core/codec/utf8.ts'
import { hex, unhex } from './gen/packets.ts'
import { runs } from './gen/settings.ts'

const encoder = new TextEncoder()
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

/** Second definition: bytes are UTF-8 if repairing them changes nothing. */
const expected = (bytes: Uint8Array): string | null => {
  const text = lenient.decode(bytes)
  return text.includes('\0') || hex(encoder.encode(text)) !== hex(bytes) ? null : text
}

const decodeAll = (bytes: Uint8Array): string | null => decodeUtf8(bytes, 0, bytes.length)

const check = (...bytes: ReadonlyArray<number>): void => {
  const array = Uint8Array.from(bytes)
  const text = decodeAll(array)
  if (text !== expected(array)) assert.is(text, expected(array), hex(array))
  // In a payload U+0000 is a character like any other.
  const isWhole = expected(array.map((byte) => byte === 0 ? 1 : byte)) !== null
  if (isUtf8(array, 0, array.length) !== isWhole) assert.is(!isWhole, isWhole, hex(array))
}

const utf8 = suite('utf8')

utf8('every code point there is survives, in both directions', () => {
  for (let first = 1; first < 0x110000; first += 64) {
    let text = ''
    for (let point = first; point < first + 64 && point < 0x110000; point++) {
      if (point < 0xd800 || point > 0xdfff) text += String.fromCodePoint(point)
    }
    const bytes = encodeUtf8(text)
    assert.is(hex(bytes), hex(encoder.encode(text)))
    assert.is(decodeAll(bytes), text)
    assert.is(utf8Size(text), bytes.length)
  }
})

utf8('every sequence of two bytes is judged as the platform judges it', () => {
  for (let a = 0; a < 0x100; a++) {
    check(a)
    for (let b = 0; b < 0x100; b++) check(a, b)
  }
})

utf8('long sequences are judged so at every edge', () => {
  const edges = [0x00, 0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xff]
  for (let a = 0xdf; a < 0x100; a++) {
    for (let b = 0x78; b < 0xc8; b++) {
      for (const c of edges) {
        check(a, b, c)
        for (const d of edges) check(a, b, c, d)
      }
    }
  }
})

utf8('the forms that have names are refused, and U+FEFF is not one of them', () => {
  const refused = {
    'U+0000': '61 00 62',
    'U+0000 in two bytes': 'c0 80',
    'a slash in two bytes': 'c0 af',
    'a slash in three bytes': 'e0 80 af',
    'a slash in four bytes': 'f0 80 80 af',
    'a high surrogate': 'ed a0 80',
    'a low surrogate': 'ed bf bf',
    'a pair of surrogates': 'ed a0 bd ed b8 80',
    'U+110000': 'f4 90 80 80',
    'a lead of five bytes': 'f8 88 80 80 80',
    'a lone continuation': '80',
    'an end within a character': '61 e2 82',
  }
  for (const [name, bytes] of Object.entries(refused)) {
    assert.is(decodeAll(unhex(bytes)), null, name)
  }
  assert.is(decodeAll(unhex('ef bb bf 61')), '\ufeffa') // [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3]
  assert.is(decodeAll(unhex('')), '')
})

utf8('decode(encode(text)) is the text, however long it is', () => {
  // Around 1,024 code units the decoder begins a new chunk.
  const long = fc.tuple(
    fc.integer({ min: 1018, max: 1026 }),
    fc.array(fc.constantFrom('a', 'é', '€', '😀', '\ufeff'), { maxLength: 8 }),
    fc.integer({ min: 0, max: 1100 }),
  ).map(([before, middle, after]) => 'x'.repeat(before) + middle.join('') + 'y'.repeat(after))
  const any = fc.string({ unit: 'binary', maxLength: 40 }).map((some) => some.replaceAll('\0', ''))
  fc.assert(
    fc.property(fc.oneof(long, any), (text) => {
      const bytes = encodeUtf8(text)
      assert.is(hex(bytes), hex(encoder.encode(text)))
      assert.is(decodeAll(bytes), text)
    }),
    { numRuns: runs(300) },
  )
  const emoji = '😀'.repeat(16_383)
  assert.is(decodeAll(encodeUtf8(emoji)), emoji)
})

utf8('random bytes are judged as the platform judges them', () => {
  const byte = fc.oneof(fc.nat({ max: 0xff }), fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98))
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 8 }), (some) => check(...some)),
    { numRuns: runs(2000) },
  )
})

utf8('nothing before the start or behind the end is looked at', () => {
  const euro = unhex('e2 82 ac e2 82 ac')
  assert.is(decodeUtf8(euro, 3, 6), '€')
  assert.is(decodeUtf8(euro, 0, 2), null)
  assert.is(decodeUtf8(euro, 3, 5), null)
  assert.is(decodeUtf8(euro, 3, 4), null)
  assert.is(decodeUtf8(unhex('f0 9f 98 80'), 0, 3), null)
  assert.is(isUtf8(euro, 3, 6), true)
  assert.is(isUtf8(euro, 0, 2), false)
  assert.is(isUtf8(euro, 4, 6), false)
  assert.is(isUtf8(euro, 3, 3), true)
  const target = new Uint8Array(6).fill(0xee)
  assert.is(writeUtf8('€', target, 2), 5)
  assert.is(hex(target), 'ee ee e2 82 ac ee')
})

utf8('half a surrogate pair is written as U+FFFD', () => {
  for (const text of ['\ud800', 'a\udc00b', '\ud800\ud800\udc00', '\udc00\ud800', '\ud83d\u20ac']) {
    assert.is(hex(encodeUtf8(text)), hex(encoder.encode(text)))
  }
})

utf8('hasControl() knows C0, DEL and C1, and nothing else', () => {
  for (let unit = 0; unit < 0x3000; unit++) {
    const text = `a${String.fromCharCode(unit)}`
    assert.is(hasControl(text), /\p{Cc}/u.test(text), hex(encodeUtf8(text)))
  }
})

utf8('hasNonCharacter() knows all 66 of them, and nothing else', () => {
  const found: number[] = []
  for (let point = 0; point < 0x110000; point++) {
    if (hasNonCharacter(`a${String.fromCodePoint(point)}b`)) found.push(point)
  }
  const ends = Array.from(
    { length: 17 },
    (_, plane) => [0xfffe, 0xffff].map((one) => plane * 0x10000 + one),
  ).flat()
  const arabic = Array.from({ length: 32 }, (_, i) => 0xfdd0 + i)
  assert.equal(found, [...arabic, ...ends])
})

utf8.run()
