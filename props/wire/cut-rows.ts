// Families of rows in which a packet ends before it is complete, although its remaining length says
// that it is: before each of its fields, and within each.

import { bytes } from '../conformance/wire.ts'
import type { Level } from '../conformance/wire.ts'
import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

interface Field {
  readonly name: string
  readonly text: string
  /** What comes of a packet that ends before this field, where that is not the usual refusal. */
  readonly missing?: string
  /** What comes of one that ends within it. */
  readonly within?: string
}

interface Kind {
  readonly name: string
  readonly level: Level
  readonly first: string
  readonly raw?: boolean
  readonly fields: ReadonlyArray<Field>
}

const field = (name: string, text: string, missing?: string, within = missing): Field =>
  missing === undefined ? { name, text } : { name, text, missing, within: within ?? missing }

/** In the standard of the level only: the rows of one kind differ between the levels. */
const general = '[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]'

const prefixed = (text: string): string => text.replaceAll('~', 'wxyz')

const cuts = ({ name, level, first, raw, fields }: Kind): string[] => {
  const lines: string[] = []
  const clauses = general +
    (raw === true ? ' [MQTT-3.1.4-1] [v3 MQTT-3.1.4-1] [MQTT-3.1.2-1] [v3 MQTT-3.1.2-1]' : '')
  const refused = raw === true ? 'rejected 81' : 'refused 81'
  const add = (about: string, body: string, end: string, own = ''): void => {
    lines.push(`${raw === true ? 'raw ' : ''}${level} ${name} that ends ${about} ${own || clauses}
      | > ${first} [${body}] | ${end}`)
  }
  let before = ''
  for (const each of fields) {
    if (each.missing !== 'valid') {
      const [end = refused, own] = (each.missing ?? refused).split(' because ')
      add(`before ${each.name}`, before, end, own)
    }
    const size = bytes(prefixed(each.text)).length
    if (size > 1) {
      // All but the last byte of the field; a `~` stands for four bytes.
      const text = bytes(prefixed(each.text)).subarray(0, size - 1)
      const hex = [...text].map((byte) => byte.toString(16).padStart(2, '0')).join('')
      const end = each.within === undefined || each.within === 'valid' ? refused : each.within
      add(`within ${each.name}`, `${before} ${hex}`, end.split(' because ')[0] ?? refused)
    }
    before = `${before} ${each.text}`
  }
  return lines
}

const protocol = { 3: '"MQIsdp"', 4: '"MQTT"', 5: '"MQTT"' }
const levels: ReadonlyArray<Level> = [3, 4, 5]

// Until the level is known nobody can be told anything; 3.1 takes user name and password as missing
// where the packet ends before them.
const connects = levels.map((level): Kind => ({
  name: 'CONNECT',
  level,
  first: '10',
  raw: true,
  fields: [
    field('the protocol name', protocol[level], 'dropped 81', 'dropped 84'),
    field('the protocol level', `0${level}`, 'dropped 81'),
    field('the connect flags', 'c6'),
    field('the keep alive', '003c'),
    ...level === 5 ? [field('the properties', '(21 0014)')] : [],
    field('the client identifier', '"~a"'),
    ...level === 5 ? [field('the will properties', '(02 0000003c)')] : [],
    field('the will topic', '"~/w"'),
    field('the will payload', '"x"'),
    field(
      'the user name',
      '"u"',
      level === 3 ? '< @ok' : undefined,
      level === 3 ? 'refused 81' : undefined,
    ),
    field(
      'the password',
      '"pw"',
      level === 3 ? '< @ok' : undefined,
      level === 3 ? 'refused 81' : undefined,
    ),
  ],
}))

const noFilter = (clause: string, older: string): string =>
  `refused 82 because [${clause}] [v3 ${older}]`

const others = levels.flatMap((level): Kind[] => {
  const block = (text: string) => level === 5 ? [field('the properties', text)] : []
  return [
    {
      name: 'PUBLISH of QoS 0',
      level,
      first: '30',
      fields: [field('the topic name', '"~/t"'), ...block('(02 0000003c)')],
    },
    {
      name: 'PUBLISH of QoS 1',
      level,
      first: '32',
      fields: [
        field('the topic name', '"~/t"'),
        field('the packet identifier', '0009'),
        ...block('(02 0000003c)'),
      ],
    },
    {
      name: 'PUBLISH of QoS 2',
      level,
      first: '34',
      fields: [
        field('the topic name', '"~/t"'),
        field('the packet identifier', '0009'),
        ...block('(26 "k" "v")'),
      ],
    },
    {
      name: 'SUBSCRIBE',
      level,
      first: '82',
      fields: [
        field('the packet identifier', '0009'),
        ...block('(0b 05)'),
        field(
          'the first topic filter',
          '"~/f"',
          noFilter('MQTT-3.8.3-2', 'MQTT-3.8.3-3'),
          'refused 81',
        ),
        field('the first options', '00'),
        field('the second topic filter', '"~/g"', 'valid'),
        field('the second options', '01'),
      ],
    },
    {
      name: 'UNSUBSCRIBE',
      level,
      first: 'a2',
      fields: [
        field('the packet identifier', '0009'),
        ...block('(26 "k" "v")'),
        field(
          'the first topic filter',
          '"~/f"',
          noFilter('MQTT-3.10.3-2', 'MQTT-3.10.3-2'),
          'refused 81',
        ),
        field('the second topic filter', '"~/g"', 'valid'),
      ],
    },
  ]
})

const acks: ReadonlyArray<readonly [name: string, first: string]> = [
  ['PUBACK', '40'],
  ['PUBREC', '50'],
  ['PUBREL', '62'],
  ['PUBCOMP', '70'],
]

const ends = acks.map(([name, first]): Kind => ({
  name: `${name} with properties`,
  level: 5,
  first,
  fields: [
    field('the packet identifier', '0009'),
    field('the reason code', '00', 'valid'),
    field('the properties', '(1f "why")', 'valid'),
  ],
}))

const farewell: Kind = {
  name: 'DISCONNECT with properties',
  level: 5,
  first: 'e0',
  fields: [field('the reason code', '00', 'valid'), field('the properties', '(1f "why")', 'valid')],
}

const whole = `
[MQTT-3.1.3-1] [v3 MQTT-3.1.3-1] [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
raw 345 CONNECT with every field | > 10 [@v c6 003c {(21 0014)} "~a" {(02 0000003c)} "~/w" "x" "u"
  "pw"] | < @ok
raw 345 CONNECT with a byte behind its last field | > 10 [@v 02 003c {()} "~a" 00] | rejected 81
raw 345 CONNECT with a password that no flag tells of | > 10 [@v 82 003c {()} "~a" "u" "pw"]
  | rejected 81
raw 345 CONNECT with a user name that no flag tells of | > 10 [@v 02 003c {()} "~a" "u"]
  | rejected 81
raw 345 CONNECT with a will that no flag tells of | > 10 [@v 02 003c {()} "~a" {()} "~/w" "x"]
  | rejected 81
345 SUBSCRIBE with a byte behind its last filter | > 82 [0009 {()} "~/f" 00 00] | refused 81
345 UNSUBSCRIBE with a byte behind its last filter | > a2 [0009 {()} "~/f" 00] | refused 81
345 PUBLISH that ends behind its head has an empty payload | subscribes ~/t 0
  | > 30 ["~/t" {()}] | < 30 ["~/t" {()}]
345 PUBLISH with a topic name longer than the packet | > 30 [ffff 'ab'] | refused 81
345 SUBSCRIBE with a topic filter longer than the packet | > 82 [0009 {()} ffff 'ab'] | refused 81
raw 345 CONNECT with a client identifier longer than the packet
  | > 10 [@v 02 003c {()} ffff 'ab'] | rejected 81
`

export const cutRows: ReadonlyArray<Exchange> = [
  ...rows([...connects, ...others, ...ends, farewell].flatMap(cuts).join('\n')),
  ...rows(whole),
]
