// Two tables of MQTT 5, written down from the standard (its sections 2.2.2.2 and 2.4, and what each
// property's own section says of its values) and not from the codec: a mistake would have to be
// made twice. wire.test.ts checks that the codec's tables say the same.

/** A packet in which properties stand, or the will in CONNECT. */
export type Place =
  | 'CONNECT'
  | 'will'
  | 'CONNACK'
  | 'PUBLISH'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBSCRIBE'
  | 'SUBACK'
  | 'UNSUBSCRIBE'
  | 'UNSUBACK'
  | 'DISCONNECT'
  | 'AUTH'

export const places: ReadonlyArray<Place> = [
  'CONNECT',
  'will',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'DISCONNECT',
  'AUTH',
]

export type Type = 'byte' | 'two' | 'four' | 'varint' | 'string' | 'binary' | 'pair'

export interface Property {
  /** In hexadecimal, as on the wire. */
  readonly id: string
  readonly name: string
  readonly type: Type
  readonly places: ReadonlyArray<Place>
  /** Where it may stand more than once. */
  readonly repeats: ReadonlyArray<Place>
  /** Values in the language of bytes: some that are allowed, the first of them a plain one. */
  readonly good: ReadonlyArray<string>
  /** Values of the right type that are not allowed, with the reason code for them. */
  readonly bad: ReadonlyArray<readonly [value: string, code: string]>
}

const replies: ReadonlyArray<Place> = [
  'CONNACK',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBACK',
  'UNSUBACK',
  'DISCONNECT',
  'AUTH',
]

const messages: ReadonlyArray<Place> = ['PUBLISH', 'will']

const noFlag = [['02', '82'], ['ff', '82']] as const
const long = '<78*300>'

interface Row {
  readonly in: ReadonlyArray<Place>
  readonly repeats?: ReadonlyArray<Place>
  readonly bad?: ReadonlyArray<readonly [value: string, code: string]>
}

const row = (id: string, name: string, type: Type, good: string, more: Row): Property => ({
  id,
  name,
  type,
  places: more.in,
  repeats: more.repeats ?? [],
  good: good.split(' / '),
  bad: more.bad ?? [],
})

export const properties: ReadonlyArray<Property> = [
  row('01', 'Payload Format Indicator', 'byte', '01 / 00', { in: messages, bad: noFlag }),
  row('02', 'Message Expiry Interval', 'four', '0000003c / 00000001 / ffffffff', { in: messages }),
  row('03', 'Content Type', 'string', `"text" / "" / ${long}`, { in: messages }),
  row('08', 'Response Topic', 'string', '"~/r" / "r" / "$r"', {
    in: messages,
    bad: [['""', '82'], ['"~/+"', '82'], ['"~/#"', '82'], ['"+"', '82'], ['"#"', '82']],
  }),
  row('09', 'Correlation Data', 'binary', `<0102> / <> / <00ff> / ${long}`, { in: messages }),
  row('0b', 'Subscription Identifier', 'varint', '05 / 01 / ff7f / ffffff7f', {
    in: ['PUBLISH', 'SUBSCRIBE'],
    repeats: ['PUBLISH'],
    bad: [['00', '82']],
  }),
  row('11', 'Session Expiry Interval', 'four', '00000000 / 00000001 / ffffffff', {
    in: ['CONNECT', 'CONNACK', 'DISCONNECT'],
  }),
  row('12', 'Assigned Client Identifier', 'string', '"i"', { in: ['CONNACK'] }),
  row('13', 'Server Keep Alive', 'two', '003c', { in: ['CONNACK'] }),
  row('15', 'Authentication Method', 'string', '"m"', { in: ['CONNECT', 'CONNACK', 'AUTH'] }),
  row('16', 'Authentication Data', 'binary', '<01>', { in: ['CONNECT', 'CONNACK', 'AUTH'] }),
  row('17', 'Request Problem Information', 'byte', '01 / 00', { in: ['CONNECT'], bad: noFlag }),
  row('18', 'Will Delay Interval', 'four', '00000000 / 00000001 / ffffffff', { in: ['will'] }),
  row('19', 'Request Response Information', 'byte', '01 / 00', { in: ['CONNECT'], bad: noFlag }),
  row('1a', 'Response Information', 'string', '"i"', { in: ['CONNACK'] }),
  row('1c', 'Server Reference', 'string', '"s"', { in: ['CONNACK', 'DISCONNECT'] }),
  row('1f', 'Reason String', 'string', `"why" / "" / ${long}`, { in: replies }),
  row('21', 'Receive Maximum', 'two', '000a / 0001 / ffff', {
    in: ['CONNECT', 'CONNACK'],
    bad: [['0000', '82']],
  }),
  row('22', 'Topic Alias Maximum', 'two', '000a / 0000 / ffff', { in: ['CONNECT', 'CONNACK'] }),
  row('23', 'Topic Alias', 'two', '0001 / 000a', {
    in: ['PUBLISH'],
    bad: [['0000', '94'], ['000b', '94'], ['ffff', '94']],
  }),
  row('24', 'Maximum QoS', 'byte', '01 / 00', { in: ['CONNACK'], bad: noFlag }),
  row('25', 'Retain Available', 'byte', '01 / 00', { in: ['CONNACK'], bad: noFlag }),
  row('26', 'User Property', 'pair', `"k" "v" / "" "" / ${long} ${long}`, {
    in: places,
    repeats: places,
  }),
  row('27', 'Maximum Packet Size', 'four', '00001000 / 00000040 / ffffffff', {
    in: ['CONNECT', 'CONNACK'],
    bad: [['00000000', '82']],
  }),
  row('28', 'Wildcard Subscription Available', 'byte', '01 / 00', { in: ['CONNACK'], bad: noFlag }),
  row('29', 'Subscription Identifier Available', 'byte', '01 / 00', {
    in: ['CONNACK'],
    bad: noFlag,
  }),
  row('2a', 'Shared Subscription Available', 'byte', '01 / 00', { in: ['CONNACK'], bad: noFlag }),
]

export interface Reason {
  readonly code: string
  readonly places: ReadonlyArray<string>
}

const reason = (code: string, places: string): Reason => ({ code, places: places.split(' ') })

/** Which packets a reason code may stand in (table 2-6 of the standard). */
export const reasons: ReadonlyArray<Reason> = [
  reason('00', 'CONNACK PUBACK PUBREC PUBREL PUBCOMP UNSUBACK AUTH DISCONNECT SUBACK'),
  reason('01', 'SUBACK'),
  reason('02', 'SUBACK'),
  reason('04', 'DISCONNECT'),
  reason('10', 'PUBACK PUBREC'),
  reason('11', 'UNSUBACK'),
  reason('18', 'AUTH'),
  reason('19', 'AUTH'),
  reason('80', 'CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT'),
  reason('81', 'CONNACK DISCONNECT'),
  reason('82', 'CONNACK DISCONNECT'),
  reason('83', 'CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT'),
  reason('84', 'CONNACK'),
  reason('85', 'CONNACK'),
  reason('86', 'CONNACK'),
  reason('87', 'CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT'),
  reason('88', 'CONNACK'),
  reason('89', 'CONNACK DISCONNECT'),
  reason('8a', 'CONNACK'),
  reason('8b', 'DISCONNECT'),
  reason('8c', 'CONNACK DISCONNECT'),
  reason('8d', 'DISCONNECT'),
  reason('8e', 'DISCONNECT'),
  reason('8f', 'SUBACK UNSUBACK DISCONNECT'),
  reason('90', 'CONNACK PUBACK PUBREC DISCONNECT'),
  reason('91', 'PUBACK PUBREC SUBACK UNSUBACK'),
  reason('92', 'PUBREL PUBCOMP'),
  reason('93', 'DISCONNECT'),
  reason('94', 'DISCONNECT'),
  reason('95', 'CONNACK DISCONNECT'),
  reason('96', 'DISCONNECT'),
  reason('97', 'CONNACK PUBACK PUBREC SUBACK DISCONNECT'),
  reason('98', 'DISCONNECT'),
  reason('99', 'CONNACK PUBACK PUBREC DISCONNECT'),
  reason('9a', 'CONNACK DISCONNECT'),
  reason('9b', 'CONNACK DISCONNECT'),
  reason('9c', 'CONNACK DISCONNECT'),
  reason('9d', 'CONNACK DISCONNECT'),
  reason('9e', 'SUBACK DISCONNECT'),
  reason('9f', 'CONNACK DISCONNECT'),
  reason('a0', 'DISCONNECT'),
  reason('a1', 'SUBACK DISCONNECT'),
  reason('a2', 'SUBACK DISCONNECT'),
]

/** With which of them a client may end a connection (section 3.14.2.1). */
export const farewells: ReadonlyArray<string> = [
  '00',
  '04',
  '80',
  '81',
  '82',
  '83',
  '90',
  '93',
  '94',
  '95',
  '96',
  '97',
  '98',
  '99',
]
