// MQTT 5 properties on the wire. What a property is, where it may stand and which values it may
// have is one table; reading, writing and the tests follow it.

import type { Bytes } from '../data/bytes.ts'
import type { Cursor } from './cursor.ts'
import {
  fail,
  failPlainly,
  readBinary,
  readByte,
  readFour,
  readString,
  readTwo,
  readVarint,
} from './cursor.ts'
import type { PacketTag } from './packet.ts'
import { none } from './properties.ts'
import type { Properties } from './properties.ts'
import {
  MALFORMED_PACKET,
  PACKET_TOO_LARGE,
  PROTOCOL_ERROR,
  QUOTA_EXCEEDED,
  TOPIC_ALIAS_INVALID,
} from './reason-code.ts'
import { hasControl, hasNonCharacter } from './utf8.ts'
import { varintSize, writeVarint } from './varint.ts'
import { binarySize, stringSize, writeBinary, writeFour, writeString, writeTwo } from './writer.ts'

/** Where a property block stands: in a packet, or in CONNECT before the will. */
export type Place = PacketTag | 'Will'

/** On the wire: `list` is a variable byte integer, and `pairs` a pair of strings, per element. */
export type PropertyType = 'byte' | 'two' | 'four' | 'list' | 'string' | 'binary' | 'pairs'

/** `flag` 0 or 1, `positive` not 0, `alias` not 0 with a code of its own, `topic` no wildcard. */
export type PropertyRule = 'any' | 'flag' | 'positive' | 'alias' | 'topic'

/** A property: how it is written, and where it may stand. */
export interface PropertyRow {
  readonly id: number
  readonly key: keyof Properties
  readonly type: PropertyType
  readonly rule: PropertyRule
  readonly places: ReadonlyArray<Place>
  /** The places in which it may stand more than once. */
  readonly repeats: ReadonlyArray<Place>
}

const publishing: ReadonlyArray<Place> = ['Publish', 'Will']
const connecting: ReadonlyArray<Place> = ['Connect', 'Connack']
const greeting: ReadonlyArray<Place> = ['Connack']
const never: ReadonlyArray<Place> = []
const acknowledging: ReadonlyArray<Place> = [
  'Connack',
  'Puback',
  'Pubrec',
  'Pubrel',
  'Pubcomp',
  'Suback',
  'Unsuback',
  'Disconnect',
  'Auth',
]
const everywhere: ReadonlyArray<Place> = [
  ...acknowledging,
  'Connect',
  'Publish',
  'Will',
  'Subscribe',
  'Unsubscribe',
]

const row = (
  id: number,
  key: keyof Properties,
  type: PropertyType,
  rule: PropertyRule,
  places: ReadonlyArray<Place>,
  repeats: ReadonlyArray<Place> = never,
): PropertyRow => ({ id, key, type, rule, places, repeats })

/** Every property of MQTT 5, by identifier. */
export const propertyTable: ReadonlyArray<PropertyRow> = [
  row(0x01, 'payloadFormatIndicator', 'byte', 'flag', publishing),
  row(0x02, 'messageExpiryInterval', 'four', 'any', publishing),
  row(0x03, 'contentType', 'string', 'any', publishing), // [MQTT-3.3.2-19]
  row(0x08, 'responseTopic', 'string', 'topic', publishing), // [MQTT-3.3.2-13] [MQTT-3.3.2-14]
  row(0x09, 'correlationData', 'binary', 'any', publishing),
  row(0x0b, 'subscriptionIdentifiers', 'list', 'positive', ['Publish', 'Subscribe'], ['Publish']),
  row(0x11, 'sessionExpiryInterval', 'four', 'any', ['Connect', 'Connack', 'Disconnect']),
  row(0x12, 'assignedClientIdentifier', 'string', 'any', greeting),
  row(0x13, 'serverKeepAlive', 'two', 'any', greeting),
  row(0x15, 'authenticationMethod', 'string', 'any', [...connecting, 'Auth']),
  row(0x16, 'authenticationData', 'binary', 'any', [...connecting, 'Auth']),
  row(0x17, 'requestProblemInformation', 'byte', 'flag', ['Connect']),
  row(0x18, 'willDelayInterval', 'four', 'any', ['Will']),
  row(0x19, 'requestResponseInformation', 'byte', 'flag', ['Connect']),
  row(0x1a, 'responseInformation', 'string', 'any', greeting),
  row(0x1c, 'serverReference', 'string', 'any', ['Connack', 'Disconnect']),
  row(0x1f, 'reasonString', 'string', 'any', acknowledging),
  row(0x21, 'receiveMaximum', 'two', 'positive', connecting),
  row(0x22, 'topicAliasMaximum', 'two', 'any', connecting),
  row(0x23, 'topicAlias', 'two', 'alias', ['Publish']), // [MQTT-3.3.2-8]
  row(0x24, 'maximumQos', 'byte', 'flag', greeting),
  row(0x25, 'retainAvailable', 'byte', 'flag', greeting),
  row(0x26, 'userProperties', 'pairs', 'any', everywhere, everywhere),
  row(0x27, 'maximumPacketSize', 'four', 'positive', connecting),
  row(0x28, 'wildcardSubscriptionAvailable', 'byte', 'flag', greeting),
  row(0x29, 'subscriptionIdentifierAvailable', 'byte', 'flag', greeting),
  row(0x2a, 'sharedSubscriptionAvailable', 'byte', 'flag', greeting),
]

const rowsById: Array<PropertyRow | undefined> = new Array(0x2b).fill(undefined)
const rowsByKey = new Map<string, PropertyRow>()
for (const each of propertyTable) {
  rowsById[each.id] = each
  rowsByKey.set(each.key, each)
}

/**
 * Reads a property block with its length in front. The limits on its size and on the number of user
 * properties are checked before anything is kept, and every byte is looked at once.
 */
export const readProperties = (c: Cursor, place: Place): Properties => {
  const size = readVarint(c, 'the property length')
  if (size === 0) return none
  const outer = c.end
  const end = c.at + size
  if (end > outer) {
    failPlainly(c, MALFORMED_PACKET, 'the property length runs past the packet')
    return none
  }
  if (size > c.limits.propertyBytesMax) {
    failPlainly(c, PACKET_TOO_LARGE, 'the properties are larger than allowed')
    return none
  }
  const record: Record<string, unknown> = {}
  c.end = end
  while (c.at < end) readProperty(c, place, record)
  c.end = outer
  if (c.fault !== null) {
    c.at = outer
    return none
  }
  if (record['authenticationData'] !== undefined && record['authenticationMethod'] === undefined) {
    failPlainly(c, PROTOCOL_ERROR, 'authentication data without an authentication method')
  }
  // Written above only under keys of the table with values of their types.
  return record as Properties
}

const readProperty = (c: Cursor, place: Place, record: Record<string, unknown>): void => {
  const id = readVarint(c, 'a property identifier')
  const found = id < rowsById.length ? rowsById[id] : undefined
  if (found === undefined) {
    failPlainly(c, MALFORMED_PACKET, 'a property identifier that does not exist')
    return
  }
  if (!found.places.includes(place)) {
    failPlainly(c, MALFORMED_PACKET, `${found.key} does not belong into ${place}`)
    return
  }
  const { key, type } = found
  const former = record[key]
  if (former !== undefined && !found.repeats.includes(place)) {
    failPlainly(c, PROTOCOL_ERROR, `${key} stands twice`)
    return
  }
  switch (type) {
    case 'byte':
      record[key] = checked(c, found, readByte(c, key))
      return
    case 'two':
      record[key] = checked(c, found, readTwo(c, key))
      return
    case 'four':
      record[key] = checked(c, found, readFour(c, key))
      return
    case 'list': {
      const value = checked(c, found, readVarint(c, key))
      if (former === undefined) record[key] = [value]
      else (former as Array<number>).push(value)
      return
    }
    case 'string': {
      const text = readText(c, key)
      if (found.rule === 'topic' && !couldBeTopic(text)) {
        // [MQTT-3.3.2-14]
        fail(c, PROTOCOL_ERROR, 'MQTT-3.3.2-14', 'the response topic is empty or has a wildcard')
      }
      record[key] = text
      return
    }
    case 'binary':
      record[key] = readBinary(c, key)
      return
    case 'pairs': {
      const pair = [readText(c, key), readText(c, key)] as const // [MQTT-1.5.7-1]
      if (former === undefined) {
        record[key] = [pair]
        if (c.limits.userPropertiesMax < 1) tooManyPairs(c)
        return
      }
      const pairs = former as Array<readonly [string, string]>
      // [MQTT-3.1.3-10] [MQTT-3.3.2-18]
      if (pairs.push(pair) > c.limits.userPropertiesMax) tooManyPairs(c)
    }
  }
}

const readText = (c: Cursor, key: string): string => {
  const text = readString(c, key)
  if (c.limits.anyCharacters) return text
  if (hasControl(text)) failPlainly(c, MALFORMED_PACKET, `${key} has control characters`)
  if (hasNonCharacter(text)) failPlainly(c, MALFORMED_PACKET, `${key} has Unicode non-characters`)
  return text
}

const tooManyPairs = (c: Cursor): void =>
  failPlainly(c, QUOTA_EXCEEDED, 'more user properties than allowed')

const checked = (c: Cursor, found: PropertyRow, value: number): number => {
  switch (found.rule) {
    case 'flag':
      if (value > 1) failPlainly(c, PROTOCOL_ERROR, `${found.key} is neither 0 nor 1`)
      return value
    case 'positive':
      if (value === 0) failPlainly(c, PROTOCOL_ERROR, `${found.key} is 0`)
      return value
    case 'alias':
      if (value === 0) fail(c, TOPIC_ALIAS_INVALID, 'MQTT-3.3.2-8', 'the topic alias is 0')
      return value
    default:
      return value
  }
}

const couldBeTopic = (text: string): boolean =>
  text !== '' && !text.includes('+') && !text.includes('#')

/** Bytes of the block without the length in front of it. */
export const propertiesSize = (properties: Properties): number => {
  if (properties === none) return 0
  let total = 0
  for (const key in properties) total += propertySize(rowOf(key), properties)
  return total
}

/** Writes the length (which the caller has from `propertiesSize`) and the block. */
export const writeProperties = (
  target: Uint8Array,
  at: number,
  properties: Properties,
  size: number,
): number => {
  let to = writeVarint(target, at, size) // [MQTT-2.2.2-1]
  if (size === 0) return to
  for (const key in properties) to = writeProperty(target, to, rowOf(key), properties)
  return to
}

const rowOf = (key: string): PropertyRow => {
  const found = rowsByKey.get(key)
  if (found === undefined) throw new TypeError(`${key} is not a property`)
  return found
}

// The table ties each key to its type; the compiler cannot follow that through `row.type`, hence
// the assertions below. A missing key is never visited, and a key that is there has a value.

const propertySize = (found: PropertyRow, properties: Properties): number => {
  const value = properties[found.key]
  let total = 0
  switch (found.type) {
    case 'byte':
      return 2
    case 'two':
      return 3
    case 'four':
      return 5
    case 'list': {
      const values = value as ReadonlyArray<number>
      for (let i = 0; i < values.length; i++) total += 1 + varintSize(values[i]!)
      return total
    }
    case 'string':
      return 1 + stringSize(value as string)
    case 'binary':
      return 1 + binarySize(value as Bytes)
    case 'pairs': {
      const pairs = value as ReadonlyArray<readonly [string, string]>
      for (let i = 0; i < pairs.length; i++) {
        const pair = pairs[i]!
        total += 1 + stringSize(pair[0]) + stringSize(pair[1])
      }
      return total
    }
  }
}

const writeProperty = (
  target: Uint8Array,
  at: number,
  found: PropertyRow,
  properties: Properties,
): number => {
  const { id } = found
  const value = properties[found.key]
  let to = at
  switch (found.type) {
    case 'byte':
      target[to] = id
      target[to + 1] = value as number
      return to + 2
    case 'two':
      target[to] = id
      return writeTwo(target, to + 1, value as number)
    case 'four':
      target[to] = id
      return writeFour(target, to + 1, value as number)
    case 'list': {
      const values = value as ReadonlyArray<number>
      for (let i = 0; i < values.length; i++) {
        target[to] = id
        to = writeVarint(target, to + 1, values[i]!)
      }
      return to
    }
    case 'string':
      target[to] = id
      return writeString(target, to + 1, value as string)
    case 'binary':
      target[to] = id
      return writeBinary(target, to + 1, value as Bytes)
    case 'pairs': {
      const pairs = value as ReadonlyArray<readonly [string, string]>
      for (let i = 0; i < pairs.length; i++) {
        const pair = pairs[i]!
        target[to] = id
        to = writeString(target, writeString(target, to + 1, pair[0]), pair[1])
      }
      return to
    }
  }
}
