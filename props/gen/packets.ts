// Arbitrary packets: whatever the codec can carry, at each level, with the topics and properties it
// may have. Properties follow the codec's own table, so that a new row is generated from the start.

import fc from 'fast-check'
import type {
  Connect,
  Level,
  Packet,
  PacketTag,
  Qos,
  SubscribeRequest,
  Will,
} from '../../core/codec/packet.ts'
import { none } from '../../core/codec/properties.ts'
import { propertyTable } from '../../core/codec/property.ts'
import type { Properties } from '../../core/codec/properties.ts'
import type { Place, PropertyRow } from '../../core/codec/property.ts'
import { reasonTable, toGrant } from '../../core/codec/reason.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import { isTopicFilter } from '../../core/topic/filter.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { isTopicName } from '../../core/topic/name.ts'
import type { TopicName } from '../../core/topic/name.ts'

export const levels: ReadonlyArray<Level> = [3, 4, 5]

/** Every kind of packet. */
export const kinds: ReadonlyArray<PacketTag> = [
  'Connect',
  'Connack',
  'Publish',
  'Puback',
  'Pubrec',
  'Pubrel',
  'Pubcomp',
  'Subscribe',
  'Suback',
  'Unsubscribe',
  'Unsuback',
  'Pingreq',
  'Pingresp',
  'Disconnect',
  'Auth',
]

/** The kinds that a level has. */
export const kindsAt = (level: Level): ReadonlyArray<PacketTag> =>
  level === 5 ? kinds : kinds.filter((kind) => kind !== 'Auth')

/** Text that MQTT can carry: no U+0000, no half surrogates, everything else. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('', '\ufeffbom', '__proto__', 'constructor', '\u{10ffff}', 'ß\u0801\uffff'),
).map((some) => some.replaceAll('\0', ''))

/** Text without control characters, as client identifiers and user names have to be. */
export const identifier: fc.Arbitrary<string> = text.map((some) =>
  // deno-lint-ignore no-control-regex
  some.replaceAll(/[\u0001-\u001f\u007f-\u009f]/g, '')
)

/** Text as properties may have it: without what is no Unicode character, too. */
const propertyText: fc.Arbitrary<string> = identifier.map((some) =>
  some.replaceAll(/\p{Noncharacter_Code_Point}/gu, '')
)

/** Bytes somewhere inside a larger buffer. */
export const payload: fc.Arbitrary<Bytes> = fc.tuple(
  fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 100, maxLength: 300 }) },
  ),
  fc.nat({ max: 3 }),
).map(([some, before]) => {
  const buffer = new Uint8Array(before + some.length + 2).fill(0xee)
  buffer.set(some, before)
  return B.slice(buffer, before, before + some.length)
})

/** One level of a topic, empty ones among them. */
const topicLevel: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'a', 'b', 'home', 'temp', 'ö', '\ufeff', '😀') },
  { weight: 1, arbitrary: identifier.map((some) => some.replaceAll(/[/+#]/g, '')) },
)

const manyLevels = fc.array(topicLevel, { minLength: 1, maxLength: 6 })

export const topicName: fc.Arbitrary<TopicName> = manyLevels
  .map((some) => some.join('/'))
  .map((some) => (isTopicName(some) ? some : 'home/bedroom/temp'))
  .filter(isTopicName)

/** Filters with and without wildcards, a few of them shared. */
export const topicFilter: fc.Arbitrary<TopicFilter> = fc.tuple(
  fc.constantFrom('', '', '', '$share/group/'),
  fc.array(fc.oneof({ weight: 2, arbitrary: topicLevel }, fc.constant('+')), {
    minLength: 1,
    maxLength: 6,
  }),
  fc.constantFrom('', '', '/#'),
)
  .map(([share, some, end]) => share + some.join('/') + end)
  .map((some) => (isTopicFilter(some) ? some : 'home/+/temp'))
  .filter(isTopicFilter)

const word = fc.nat({ max: 0xffff })

const double = fc.oneof(
  fc.nat({ max: 0xffff }),
  fc.constantFrom(0, 0xffffffff),
  fc.integer({ min: 0, max: 0xffffffff }),
)

const varint = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 268_435_455 }),
  fc.constantFrom(127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455),
)

/** The value of one property, as the table wants it in this place. */
export const propertyValue = (row: PropertyRow, place: Place): fc.Arbitrary<unknown> => {
  const least = row.rule === 'positive' || row.rule === 'alias' ? 1 : 0
  switch (row.type) {
    case 'byte':
      return fc.nat({ max: row.rule === 'flag' ? 1 : 0xff })
    case 'two':
      return fc.integer({ min: least, max: 0xffff })
    case 'four':
      return double.map((value) => Math.max(value, least))
    case 'list':
      return fc.array(varint, { minLength: 1, maxLength: row.repeats.includes(place) ? 4 : 1 })
    case 'string':
      return row.rule === 'topic' ? topicName : propertyText
    case 'binary':
      return payload
    case 'pairs':
      return fc.array(fc.tuple(propertyText, propertyText), { minLength: 1, maxLength: 4 })
  }
}

/** Properties in any order, without the combinations that the standard forbids. */
const someProperties = (rows: ReadonlyArray<PropertyRow>, place: Place) =>
  fc.shuffledSubarray([...rows], { maxLength: Math.min(rows.length, 8) }).chain((chosen) =>
    fc.tuple(...chosen.map((row) => propertyValue(row, place))).map((values) => {
      const keys = chosen.map((row) => row.key)
      const entries = keys.map((key, i) => [key, values[i]] as const).filter(([key]) =>
        key !== 'authenticationData' || keys.includes('authenticationMethod')
      )
      const record: Properties = Object.fromEntries(entries)
      return record
    })
  )

/** The properties that may stand in a packet of this kind (or in a will); often none at all. */
export const properties = (place: Place): fc.Arbitrary<Properties> => {
  const rows = propertyTable.filter((row) => row.places.includes(place))
  return fc.oneof(fc.constant(none), someProperties(rows, place))
}

const propertiesAt = (level: Level, place: Place): fc.Arbitrary<Properties> =>
  level === 5 ? properties(place) : fc.constant(none)

export const packetId: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 1, max: 0xffff }),
  fc.constantFrom(1, 0xff, 0x100, 0xffff),
)

export const qos: fc.Arbitrary<Qos> = fc.constantFrom<Qos>(0, 1, 2)

/** A reason code that the packet may carry and that the level can say. */
export const reason = (level: Level, kind: PacketTag): fc.Arbitrary<number> => {
  const codes = reasonTable.filter((row) => row.packets.includes(kind)).map((row) => row.code)
  if (level === 5) return fc.constantFrom(...codes)
  if (kind === 'Connack') return fc.constantFrom(0x00, 0x84, 0x85, 0x86, 0x87, 0x88)
  return kind === 'Suback'
    ? fc.constantFrom(...codes.filter((code) => toGrant(code, level) === code))
    : fc.constant(0)
}

const will = (level: Level): fc.Arbitrary<Will> =>
  fc.record({
    topic: topicName,
    payload,
    qos,
    retain: fc.boolean(),
    properties: propertiesAt(level, 'Will'),
  })

const connect = (level: Level): fc.Arbitrary<Connect> =>
  fc.record({
    _tag: fc.constant('Connect' as const),
    level: fc.constant(level),
    bridge: fc.boolean(),
    cleanStart: fc.boolean(),
    keepAliveS: word,
    clientId: identifier,
    will: fc.option(will(level)),
    userName: fc.option(identifier),
    password: fc.option(payload),
    properties: propertiesAt(level, 'Connect'),
  }).map((packet) =>
    // Below level 5 a password wants a user name.
    level < 5 && packet.userName === null ? { ...packet, password: null } : packet
  )

const publish = (level: Level): fc.Arbitrary<Packet> =>
  fc.record({
    _tag: fc.constant('Publish' as const),
    dup: fc.boolean(),
    qos,
    retain: fc.boolean(),
    topic: topicName,
    packetId,
    payload,
    properties: propertiesAt(level, 'Publish'),
    aliased: fc.boolean(),
  }).map(({ aliased, ...packet }) => ({
    ...packet,
    dup: packet.dup && packet.qos > 0,
    packetId: packet.qos > 0 ? packet.packetId : 0,
    topic: aliased && packet.properties.topicAlias !== undefined ? '' : packet.topic,
  }))

const request = (level: Level): fc.Arbitrary<SubscribeRequest> =>
  fc.record({
    filter: topicFilter,
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  }).map((some) =>
    level < 5
      ? { ...some, noLocal: false, retainAsPublished: false, retainHandling: 0 }
      : { ...some, noLocal: some.noLocal && !some.filter.startsWith('$share/') }
  )

const ack = (
  level: Level,
  kind: 'Puback' | 'Pubrec' | 'Pubrel' | 'Pubcomp',
): fc.Arbitrary<Packet> =>
  fc.record({
    _tag: fc.constant(kind),
    packetId,
    reason: fc.oneof(fc.constant(0), reason(level, kind)),
    properties: propertiesAt(level, kind),
  })

/** Packets of one kind as the level has them. AUTH exists at level 5 only. */
export const packetOf = (kind: PacketTag, level: Level): fc.Arbitrary<Packet> => {
  switch (kind) {
    case 'Connect':
      return connect(level)
    case 'Connack':
      return fc.record({
        _tag: fc.constant(kind),
        sessionPresent: level === 3 ? fc.constant(false) : fc.boolean(),
        reason: reason(level, kind),
        properties: propertiesAt(level, kind),
      })
    case 'Publish':
      return publish(level)
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp':
      return ack(level, kind)
    case 'Subscribe':
      return fc.record({
        _tag: fc.constant(kind),
        packetId,
        requests: fc.array(request(level), { minLength: 1, maxLength: 5 }),
        properties: propertiesAt(level, kind),
      })
    case 'Suback':
      return fc.record({
        _tag: fc.constant(kind),
        packetId,
        reasons: fc.array(reason(level, kind), { minLength: 1, maxLength: 5 }),
        properties: propertiesAt(level, kind),
      })
    case 'Unsubscribe':
      return fc.record({
        _tag: fc.constant(kind),
        packetId,
        filters: fc.array(topicFilter, { minLength: 1, maxLength: 5 }),
        properties: propertiesAt(level, kind),
      })
    case 'Unsuback':
      return fc.record({
        _tag: fc.constant(kind),
        packetId,
        reasons: level < 5
          ? fc.constant<ReadonlyArray<number>>([])
          : fc.array(reason(level, kind), { minLength: 1, maxLength: 5 }),
        properties: propertiesAt(level, kind),
      })
    case 'Pingreq':
      return fc.constant({ _tag: kind })
    case 'Pingresp':
      return fc.constant({ _tag: kind })
    case 'Disconnect':
    case 'Auth':
      return fc.record({
        _tag: fc.constant(kind),
        reason: level < 5 ? fc.constant(0) : fc.oneof(fc.constant(0), reason(level, kind)),
        properties: propertiesAt(level, kind),
      })
  }
}

/** Packets of every kind that the level has, each kind as often as any other. */
export const packet = (level: Level): fc.Arbitrary<Packet> =>
  fc.oneof(...kindsAt(level).map((kind) => packetOf(kind, level)))

const isBytes = (value: object): value is Bytes =>
  'buffer' in value && value.buffer instanceof Uint8Array

/**
 * A packet (or any other value) in a form that can be compared: bytes in hexadecimal wherever they
 * lie, properties as a list, since their order counts.
 */
export const plain = (value: unknown, key = ''): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each) => plain(each))
  if (isBytes(value)) return `bytes ${hex(B.view(value))}`
  const entries = Object.entries(value).map(([name, each]) => [name, plain(each, name)] as const)
  return key === 'properties' ? entries : Object.fromEntries(entries)
}

/** `c0 00` for the bytes 192 and 0. */
export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** The bytes that `hex` writes; spaces count for nothing. */
export const unhex = (written: string): Uint8Array =>
  Uint8Array.from(written.replaceAll(' ', '').match(/../g) ?? [], (pair) => parseInt(pair, 16))
