// Families of rows about characters: UTF-8 in every field that is a string, and the characters that
// no topic has.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

export interface Field {
  readonly name: string
  readonly raw?: boolean
  /** The packet, with the text in place of `T`: a group of bytes in angle brackets. */
  readonly packet: string
  readonly before?: string
  readonly answer: string
  /** How a character is refused that is UTF-8 and yet not taken; null: it is taken. */
  readonly refused: string
  readonly nonCharacters: string | null
  readonly clauses: string
}

export const topic: Field = {
  name: 'a topic name',
  packet: "30 [T {()} 'x']",
  before: '| subscribes ~/+ 0',
  answer: "< 30 [T {()} 'x']",
  refused: 'refused 90',
  nonCharacters: 'refused 90',
  clauses: '[MQTT-3.3.2-1] [MQTT-3.3.2-2] [v3 MQTT-3.3.2-1] [v3 MQTT-3.3.2-2]',
}

export const fields: ReadonlyArray<Field> = [
  {
    name: 'a topic filter in SUBSCRIBE',
    packet: '82 [0009 {()} T 00]',
    answer: '< 90 [0009 {()} 00]',
    refused: 'refused 8f',
    nonCharacters: 'refused 8f',
    clauses: '[MQTT-3.8.3-1] [MQTT-4.7.1-1] [v3 MQTT-3.8.3-1] [v3 MQTT-4.7.1-2]',
  },
  {
    name: 'a topic filter in UNSUBSCRIBE',
    packet: 'a2 [0009 {()} T]',
    answer: '< b0 [0009 {() 11}]',
    refused: 'refused 8f',
    nonCharacters: 'refused 8f',
    clauses: '[MQTT-3.10.3-1] [MQTT-4.7.1-1] [v3 MQTT-3.10.3-1] [v3 MQTT-4.7.1-2]',
  },
  {
    name: 'a client identifier',
    raw: true,
    packet: '10 [@v 02 003c {()} T]',
    answer: '< @ok',
    refused: 'rejected 85 02',
    nonCharacters: null,
    clauses: '[MQTT-3.1.3-4] [MQTT-3.1.3-8] [v3 MQTT-3.1.3-4] [v3 MQTT-3.1.3-9]',
  },
  {
    name: 'a will topic',
    raw: true,
    packet: '10 [@v 06 003c {()} "~a" {()} T "x"]',
    answer: '< @ok',
    refused: 'rejected 90',
    nonCharacters: 'rejected 90',
    clauses: '[MQTT-3.1.3-11] [MQTT-3.3.2-2] [v3 MQTT-3.1.3-10] [v3 MQTT-3.3.2-2]',
  },
  {
    name: 'a user name',
    raw: true,
    packet: '10 [@v 82 003c {()} "~a" T]',
    answer: '< @ok',
    refused: 'rejected 81',
    nonCharacters: null,
    clauses: '[MQTT-3.1.3-12] [MQTT-4.13.1-1] [v3 MQTT-3.1.3-11] [v3 MQTT-4.8.0-1]',
  },
]

export const line = (
  levels: string,
  field: Field,
  about: string,
  text: string,
  end: string,
  more = '',
) =>
  `${field.raw === true ? 'raw ' : ''}${levels} ${about} in ${field.name} ${field.clauses} ${more}
    ${field.before ?? ''} | > ${field.packet.replace('T', text)} | ${end.replace('T', text)}`

const utf8 = '[MQTT-1.5.4-1] [v3 MQTT-1.5.3-1]'

// What the standard leaves to the broker falls under its general duty.
const general = '[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]'

const good: ReadonlyArray<readonly [name: string, hex: string]> = [
  ['U+00A0, the first of two bytes that is no control', 'c2a0'],
  ['U+20AC, of three bytes', 'e282ac'],
  ['U+1F600, of four bytes', 'f09f9880'],
  ['U+FEFF, which is no byte order mark here', 'efbbbf'],
  ['U+07FF, the last of two bytes', 'dfbf'],
  ['U+0800, the first of three bytes', 'e0a080'],
  ['U+D7FF, the last before the surrogates', 'ed9fbf'],
  ['U+E000, the first behind the surrogates', 'ee8080'],
  ['U+10000, the first of four bytes', 'f0908080'],
  ['U+10FFFD, the last character', 'f48fbfbd'],
]

const bad: ReadonlyArray<readonly [name: string, hex: string]> = [
  ['U+0000', '00'],
  ['a continuation byte by itself', '80'],
  ['a surrogate', 'eda080'],
  ['an overlong slash', 'c0af'],
  ['a value above U+10FFFF', 'f4908080'],
  ['a character cut off by the end', 'e282'],
  ['0xff', 'ff'],
  ['U+0000 in two bytes', 'c080'],
  ['an overlong character of two bytes', 'c1bf'],
  ['an overlong character of three bytes', 'e09fbf'],
  ['an overlong character of four bytes', 'f08fbfbf'],
  ['the last surrogate', 'edbfbf'],
  ['a pair of surrogates', 'eda080edb080'],
  ['the lead byte of a value that is too large', 'f5808080'],
  ['a character of five bytes', 'f888808080'],
  ['a lead byte of five bytes before three others', 'f9808080'],
  ['0xfe', 'fe'],
  ['two bytes of which the second is none', 'c328'],
  ['three bytes of which the third is none', 'e28228'],
  ['three bytes of which the second is none', 'e22882'],
  ['four bytes of which the second is none', 'f0289880'],
  ['four bytes of which the third is none', 'f09f2880'],
  ['four bytes of which the fourth is none', 'f09f9828'],
  ['half of two bytes at the end', 'c3'],
  ['three of four bytes at the end', 'f09f98'],
]

const short = <A>(field: Field, all: ReadonlyArray<A>, count: number): ReadonlyArray<A> =>
  field === topic ? all : all.slice(0, count)

const characters = [topic, ...fields].flatMap((field) => {
  const refused = field.raw === true ? 'rejected 81' : 'refused 81'
  return [
    ...short(field, good, 4).map(([name, hex]) =>
      line(
        '345',
        field,
        name,
        `<'~/' ${hex}>`,
        field.answer,
        `${utf8} [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3]`,
      )
    ),
    ...short(field, bad, 7).map(([name, hex]) =>
      line('345', field, name, `<'~/' ${hex}>`, refused, `${utf8} [MQTT-1.5.4-2] [v3 MQTT-1.5.3-2]`)
    ),
  ]
})

const controls: ReadonlyArray<readonly [name: string, hex: string]> = [
  ['U+0001', '01'],
  ['U+007F', '7f'],
  ['U+009F', 'c29f'],
  ['U+001F', '1f'],
  ['U+0080', 'c280'],
]

const noCharacters: ReadonlyArray<readonly [name: string, hex: string]> = [
  ['U+FFFF', 'efbfbf'],
  ['U+FDD0', 'efb790'],
  ['U+1FFFE', 'f09fbfbe'],
  ['U+FFFE', 'efbfbe'],
  ['U+FDEF', 'efb7af'],
  ['U+1FFFF', 'f09fbfbf'],
  ['U+10FFFF', 'f48fbfbf'],
]

const nearly: ReadonlyArray<readonly [name: string, hex: string]> = [
  ['U+0020', '20'],
  ['U+007E', '7e'],
  ['U+FDCF', 'efb78f'],
  ['U+FDF0', 'efb7b0'],
  ['U+FFFD', 'efbfbd'],
  ['U+1FFFD', 'f09fbfbd'],
  ['U+107FE', 'f0909fbe'],
  ['U+20000', 'f0a08080'],
]

const taboos = [topic, ...fields].flatMap((field) => [
  ...short(field, controls, 3).map(([name, hex]) =>
    line('345', field, `the control character ${name}`, `<'~/' ${hex}>`, field.refused, general)
  ),
  ...short(field, noCharacters, 3).map(([name, hex]) =>
    line(
      '345',
      field,
      `${name}, which is no character,`,
      `<'~/' ${hex}>`,
      field.nonCharacters ?? field.answer,
      general,
    )
  ),
  ...short(field, nearly, 0).map(([name, hex]) =>
    line('345', field, `${name}, which is allowed,`, `<'~/' ${hex}>`, field.answer, utf8)
  ),
])

export const stringRows: ReadonlyArray<Exchange> = rows([...characters, ...taboos].join('\n'))
