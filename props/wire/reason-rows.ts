// Families of rows made from the table of reason codes: every code in every packet in which a
// client sends one, and some that are in no table.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'
import { farewells, reasons } from './standard.ts'

const strange = ['03', '05', '12', '1a', '7f', 'a3', 'ff']

const codes = [...reasons.map(({ code }) => code), ...strange]

const belongs = (code: string, packet: string): boolean =>
  reasons.some((reason) => reason.code === code && reason.places.includes(packet))

interface Frame {
  readonly name: string
  readonly clause: string
  readonly packet: (code: string) => string
  readonly answer: (code: string) => string
}

const frames: ReadonlyArray<Frame> = [
  {
    name: 'PUBACK',
    clause: '[MQTT-3.4.2-1]',
    packet: (code) => `40 [0009 ${code}]`,
    answer: () => 'open',
  },
  {
    name: 'PUBREC',
    clause: '[MQTT-3.5.2-1]',
    packet: (code) => `50 [0009 ${code}]`,
    // Of 0x80 and above it ends an exchange, of which there is none here.
    answer: (code) => code < '80' ? '< 62 [0009 92]' : 'open',
  },
  {
    name: 'PUBREL',
    clause: '[MQTT-3.6.2-1]',
    packet: (code) => `62 [0009 ${code}]`,
    answer: () => '< 70 [0009 92]',
  },
  {
    name: 'PUBCOMP',
    clause: '[MQTT-3.7.2-1]',
    packet: (code) => `70 [0009 ${code}]`,
    answer: () => 'open',
  },
  {
    name: 'DISCONNECT',
    clause: '[MQTT-3.14.2-1]',
    packet: (code) => `e0 [${code}]`,
    answer: (code) => farewells.includes(code) ? 'closed' : 'refused 82',
  },
]

const sent = frames.flatMap(({ name, clause, packet, answer }) =>
  codes.map((code) => {
    const listed = belongs(code, name)
    return `5 ${name} with the reason code ${code}${listed ? '' : ', which it does not have'} ` +
      `${clause} | > ${packet(code)} | ${listed ? answer(code) : 'refused 82'}`
  })
)

/** What only servers send is read before it is refused, so that the log names the first fault. */
const forbidden = [
  ['CONNACK', '[MQTT-3.2.2-8]', (code: string) => `20 [00 ${code} ()]`],
  ['SUBACK', '[MQTT-3.9.3-2]', (code: string) => `90 [0009 () ${code}]`],
  ['UNSUBACK', '[MQTT-3.11.3-2]', (code: string) => `b0 [0009 () ${code}]`],
] as const

const received = forbidden.flatMap(([name, clause, packet]) =>
  codes.map((code) => {
    const listed = belongs(code, name)
    return `5 ${name} from a client with the reason code ${code}` +
      `${listed ? '' : ', which it does not have'} ${listed ? '[MQTT-4.13.1-1]' : clause} ` +
      `| > ${packet(code)} | refused 82`
  })
)

const older = `
[v3 MQTT-3.2.2-6] [v3 MQTT-4.8.0-1] [MQTT-4.13.1-1]
34 CONNACK from a client with return code 5 | > 20 [0005] | refused 82
34 CONNACK from a client with return code 6, which does not exist | > 20 [0006] | refused 82
4 CONNACK from a client with reserved acknowledge flags | > 20 [0200] | refused 81
5 CONNACK from a client with reserved acknowledge flags [MQTT-3.2.2-1] | > 20 [0200 ()]
  | refused 81
3 CONNACK from a client with acknowledge flags, which 3.1 does not use | > 20 [ff00] | refused 82
345 CONNACK from a client that has the session | > 20 [0100 {()}] | refused 82
34 CONNACK from a client of one byte | > 20 [00] | refused 81
5 CONNACK from a client without properties | > 20 [0000] | refused 81
345 CONNACK from a client with a byte too many | > 20 [0000 {()} 00] | refused 81
34 SUBACK from a client with the failure code [v3 MQTT-3.9.3-2] [v3 MQTT-4.8.0-1] [MQTT-4.13.1-1]
  | > 90 [0009 80] | refused 82
34 SUBACK from a client with return code 3 [v3 MQTT-3.9.3-2] | > 90 [0009 03] | refused 82
34 SUBACK from a client with a failure code of MQTT 5 [v3 MQTT-3.9.3-2]
  | > 90 [0009 87] | refused 82
5 SUBACK from a client without codes | > 90 [0009 ()] | refused 82
34 SUBACK from a client without codes [v3 MQTT-4.8.0-1] | > 90 [0009] | refused 82
345 SUBACK from a client with packet identifier 0 [MQTT-2.2.1-3] [v3 MQTT-2.3.1-1]
  | > 90 [0000 {()} 00] | refused 81
34 UNSUBACK from a client with codes | > b0 [0009 11] | refused 81
5 UNSUBACK from a client without codes | > b0 [0009 ()] | refused 82
345 UNSUBACK from a client with packet identifier 0 [MQTT-2.2.1-3] [v3 MQTT-2.3.1-1]
  | > b0 [0000 {() 00}] | refused 81
345 PINGRESP from a client with a body | > d0 [00] | refused 81
345 PINGREQ with a body | > c0 [00] | refused 81
345 PINGREQ with a long body | > c0 [00*200] | refused 81
34 DISCONNECT with a body | > e0 [00] | refused 81
34 DISCONNECT with a reason code of MQTT 5 | > e0 [04] | refused 81
`

const acks = [['PUBACK', '40'], ['PUBREC', '50'], ['PUBREL', '62'], ['PUBCOMP', '70']] as const

const answers: Readonly<Record<string, string>> = {
  PUBACK: 'open',
  PUBREC: '< 62 [0009 {92}]',
  PUBREL: '< 70 [0009 {92}]',
  PUBCOMP: 'open',
}

const forms = acks.flatMap(([name, first]) => [
  '[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]',
  `345 ${name} with nothing in it | > ${first} [] | refused 81`,
  `345 ${name} of one byte | > ${first} [00] | refused 81`,
  `345 ${name} with packet identifier 0 [MQTT-2.2.1-3] [v3 MQTT-2.3.1-1] | > ${first} [0000]
    | refused 81`,
  `345 ${name} with packet identifier 65,535 [MQTT-2.2.1-5] [v3 MQTT-2.3.1-6]
    | > ${first} [ffff] | ${answers[name]!.replace('0009', 'ffff')}`,
  `34 ${name} with a third byte | > ${first} [0009 00] | closed`,
  `5 ${name} with a reason and no property length | > ${first} [0009 00] | ${answers[name]}`,
  `5 ${name} with a property length of 0 | > ${first} [0009 00 ()] | ${answers[name]}`,
  `5 ${name} with a byte behind its properties | > ${first} [0009 00 () 00] | refused 81`,
  `5 ${name} with packet identifier 0 and a reason [MQTT-2.2.1-3] | > ${first} [0000 00]
    | refused 81`,
])

export const reasonRows: ReadonlyArray<Exchange> = [
  ...rows([...sent, ...received].join('\n')),
  ...rows(older),
  ...rows(forms.join('\n')),
]
