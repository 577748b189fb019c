// Rows about topic names, topic filters and client identifiers: wildcards where they may and may
// not stand, shared subscriptions, lengths and levels.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'
import { fields, line, topic } from './string-rows.ts'

const names = [
  ['a + alone', '+'],
  ['a # alone', '#'],
  ['a + as a level', '~/+/b'],
  ['a # as a level', '~/#'],
  ['a + within a level', '~/a+'],
  ['a # within a level', '~/a#'],
  ['a # in the middle', '~/#/b'],
].flatMap(([about = '', text]) => {
  const clauses = '[MQTT-4.7.0-1] [v3 MQTT-4.7.1-1]'
  const will = fields.find(({ name }) => name === 'a will topic')!
  return [
    line('345', topic, about, `"${text}"`, 'refused 90', clauses),
    line('345', will, about, `"${text}"`, 'rejected 90', clauses),
  ]
})

const filters = (name: string) => fields.find((field) => field.name.endsWith(name))!

/** The last of these stand outside the row's own topics and want a broker of their own. */
const goodFilters = [
  '~/a',
  '~/',
  '~//',
  '~//a',
  '~/+',
  '~/+/',
  '~/+/+',
  '~/#',
  '~/+/#',
  '~/a/+/b',
  '~/a/#',
  '~/+a'
    .replace('+', ' '),
  '$~/#',
  '$SYS/#',
  '$share/~/a',
  '$share/g/~/a',
  '$share/g/~/#',
  '$share/g/~/+/b',
  '$share/~ g/~/a',
  '$shared/~',
  '$share~/a',
  'share/~/a',
]

const wideFilters = [
  '#',
  '+',
  '+/+',
  '/+',
  '/#',
  '+/#',
  '/',
  '$share/g/#',
  '$share/g/+',
  '$share/g//',
]

const badFilters = [
  '~/#/',
  '~/#/b',
  '~/##',
  '~/a#',
  '~/#a',
  '~/a/b#',
  '~/+a',
  '~/a+',
  '~/++',
  '~/a/b+/c',
  '~/+#',
  '~/+a/#',
  '#/~',
  '+~',
  '~#',
  '##',
  '++',
]

const badShares = [
  '$share',
  '$share/',
  '$share//',
  '$share//~',
  '$share/g',
  '$share/g/',
  '$share/+/~',
  '$share/g+/~',
  '$share/#',
  '$share/g#/~',
  '$share/#/~',
  '$share/g/~#',
  '$share/g/~/#/b',
  '$share/g/$share/h',
  '$share/g/$share//~',
]

const shapes = ['SUBSCRIBE', 'UNSUBSCRIBE'].flatMap((packet) => {
  const field = filters(` in ${packet}`)
  const about = (kind: string, text: string) => `the ${kind} ${text}`
  const wild = '[MQTT-4.7.1-2] [v3 MQTT-4.7.1-3]'
  const share = `[MQTT-4.8.2-1] [MQTT-4.8.2-2] [v3 MQTT-4.8.0-1] ${wild}`
  return [
    ...goodFilters.map((text) =>
      line('345', field, about('filter', text), `"${text}"`, field.answer)
    ),
    ...wideFilters.map((text) =>
      `alone ${line('345', field, about('filter', text), `"${text}"`, field.answer)}`
    ),
    ...badFilters.map((text) =>
      line('345', field, about('bad filter', text), `"${text}"`, 'refused 8f', wild)
    ),
    ...badShares.map((text) =>
      line('345', field, about('bad share', text), `"${text}"`, 'refused 8f', share)
    ),
  ]
})

const lengths = `
[MQTT-4.7.3-1] [MQTT-4.7.1-1] [v3 MQTT-4.7.3-1] [v3 MQTT-4.7.1-2]
5 an empty topic name | > 30 [0000 () 'x'] | refused 82
5 an empty topic name at QoS 1 | > 32 [0000 0009 () 'x'] | refused 82
34 an empty topic name | > 30 [0000 'x'] | refused 90
34 an empty topic name at QoS 1 | > 32 [0000 0009 'x'] | refused 90
34 an empty topic name and nothing behind it | > 30 [0000] | refused 90
5 an empty topic name and no properties behind it [MQTT-4.13.1-1] | > 30 [0000] | refused 81
5 an empty topic name with other properties | > 30 [0000 (01 01) 'x'] | refused 82
345 an empty topic filter | > 82 [0009 {()} 0000 00] | refused 8f
345 an empty topic filter behind a good one | > 82 [0009 {()} "~/f" 00 0000 00] | refused 8f
345 an empty topic filter in UNSUBSCRIBE | > a2 [0009 {()} 0000] | refused 8f
raw 345 an empty will topic [MQTT-4.7.3-1] [v3 MQTT-4.7.3-1] [MQTT-3.3.2-2] [v3 MQTT-3.3.2-2]
  | > 10 [@v 06 003c {()} "~a" {()} 0000 "x"] | rejected 90
345 a topic name of one character | > 32 ["~" 0009 {()} 'x'] | < 40 [0009 {10}]

# mosquitto's limit of 200 separators is a choice that 3.1.1 and 5 leave to a server
[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
345 a topic name of 201 levels | > 32 [<'~' '/'*200> 0009 {()} 'x'] | < 40 [0009 {10}]
345 a topic name of 202 levels | > 32 [<'~' '/'*201> 0009 {()} 'x'] | refused 90
345 a topic name of 32,000 levels | > 30 [<'~' '/'*32000> {()} 'x'] | refused 90
345 a topic filter of 201 levels | > 82 [0009 {()} <'~' '/'*200> 00] | < 90 [0009 {()} 00]
345 a topic filter of 202 levels | > 82 [0009 {()} <'~' '/'*201> 00] | refused 8f
345 a topic filter of 202 levels in UNSUBSCRIBE | > a2 [0009 {()} <'~' '/'*201>] | refused 8f
raw 345 a will topic of 202 levels | > 10 [@v 06 003c {()} "~a" {()} <'~' '/'*201> "x"]
  | rejected 90

[MQTT-4.7.3-3] [v3 MQTT-4.7.3-3]
345 a topic name of 65,535 bytes | > 32 [<'~' 78*65531> 0009 {()} 'x'] | < 40 [0009 {10}]
345 a topic filter of 65,535 bytes | > 82 [0009 {()} <'~' 78*65531> 00] | < 90 [0009 {()} 00]
345 a topic name of 65,535 bytes in characters of two
  | > 32 [<'~' 78 c3a9*32765> 0009 {()} 'x'] | < 40 [0009 {10}]
345 a topic name of 65,535 bytes in characters of three
  | > 32 [<'~' 78 e282ac*21843 78> 0009 {()} 'x'] | < 40 [0009 {10}]

[MQTT-3.1.3-5] [v3 MQTT-3.1.3-5]
raw 345 a client identifier of 23 letters and digits
  | > 10 [@v 02 003c {()} "~09azAZ9876543210abc"] | < @ok
raw 345 a client identifier of 24 characters | > 10 [@v 02 003c {()} <'~' 78*20>] | < @ok
raw 345 a client identifier of 60,000 bytes | > 10 [@v 02 003c {()} <'~' 78*59996>] | < @ok
raw 345 a client identifier of one character | > 10 [@v 02 003c {()} "~"] | < @ok
raw 345 a client identifier with a slash and a wildcard | > 10 [@v 02 003c {()} "~/+/#"] | < @ok
raw 345 a client identifier with spaces | > 10 [@v 02 003c {()} " ~ "] | < @ok
`

export const nameRows: ReadonlyArray<Exchange> = [
  ...rows([...names, ...shapes].join('\n')),
  ...rows(lengths),
]
