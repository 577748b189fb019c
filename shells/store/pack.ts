// Records to packed rows and back, on the side of the broker. The order of the fields is that of
// the columns in table.ts.

import type {
  IncomingRecord,
  Key,
  MessageRecord,
  OutgoingRecord,
  Record,
  RetainedRecord,
  SessionRecord,
  SubscriptionRecord,
  WillRecord,
  Write,
} from '../../core/broker/record.ts'
import type { Source } from '../../core/broker/acl.ts'
import type { Share } from '../../core/broker/state.ts'
import { cursor } from '../../core/codec/cursor.ts'
import type { Limits } from '../../core/codec/limits.ts'
import { recall, remember } from '../../core/codec/memo.ts'
import type { Level, Qos } from '../../core/codec/packet.ts'
import { none } from '../../core/codec/properties.ts'
import { propertiesSize, readProperties, writeProperties } from '../../core/codec/property.ts'
import type { Properties } from '../../core/codec/properties.ts'
import * as Bytes from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import type { TopicName } from '../../core/topic/name.ts'
import { kinds } from '../common/store.ts'
import { rowVersion, sourcedVersion } from './table.ts'
import type { Packer, Reader } from './wire.ts'
import {
  decode,
  readByte,
  readMaybe,
  readText,
  readWhole,
  reserve,
  writeByte,
  writeBytes,
  writeMaybe,
  writeText,
  writeWhole,
} from './wire.ts'

/** What is to be done with the packed row or key behind it. */
export const deleting = 0
export const replacing = 1
export const adding = 2
export const forgetting = 3

const numbers = new Map(kinds.map((kind, number) => [kind, number]))

/** How much a batch changes. */
export interface Extent {
  readonly rows: number
  readonly added: number
  readonly removed: number
  /** Sessions that go with however many rows. */
  readonly forgotten: number
}

/** Packs a batch: what goes first, since it makes room for what comes. */
export const packWrites = (target: Packer, writes: ReadonlyArray<Write>): Extent => {
  let added = 0
  let removed = 0
  let forgotten = 0
  for (const write of writes) {
    if (write._tag !== 'Forget') continue
    forgotten += 1
    writeByte(target, forgetting)
    writeText(target, write.clientId)
  }
  for (const write of writes) {
    if (write._tag !== 'Delete') continue
    removed += 1
    writeByte(target, deleting)
    packKey(target, write.key)
  }
  for (const write of writes) {
    if (write._tag !== 'Put') continue
    if (write.isNew) added += 1
    writeByte(target, write.isNew ? adding : replacing)
    packRecord(target, write.record)
  }
  return { rows: writes.length, added, removed, forgotten }
}

const packKey = (target: Packer, key: Key, version = rowVersion): void => {
  writeByte(target, numbers.get(key.kind)!)
  writeByte(target, version)
  switch (key.kind) {
    case 'session':
    case 'will':
      return writeText(target, key.clientId)
    case 'subscription':
      writeText(target, key.clientId)
      return writeText(target, key.filter)
    case 'message':
      return writeWhole(target, key.id)
    case 'outgoing':
      writeText(target, key.clientId)
      return writeWhole(target, key.order)
    case 'incoming':
      writeText(target, key.clientId)
      return writeWhole(target, key.packetId)
    case 'retained':
      return writeText(target, key.topic)
  }
}

const stages = ['queued', 'sent', 'released'] as const

const packRecord = (target: Packer, record: Record): void => {
  const source = 'source' in record ? record.source : null
  // The key is what a row begins with.
  packKey(target, record, source === null ? rowVersion : sourcedVersion)
  packFields(target, record)
  if (source !== null) writeText(target, sourceText(source))
}

const packFields = (target: Packer, record: Record): void => {
  switch (record.kind) {
    case 'session':
      writeWhole(target, record.expiryS)
      writeMaybe(target, record.offlineAt)
      return writeWhole(target, record.level)
    case 'subscription':
      writeWhole(target, optionsOf(record))
      writeText(target, record.identifiers.join(','))
      writeWhole(target, record.joined)
      return writeWhole(target, record.catchUp)
    case 'message':
      writeMaybe(target, record.expiresAt)
      writeText(target, record.topic)
      writeBytes(target, record.payload)
      writeWhole(target, record.qos)
      writeWhole(target, record.retain ? 1 : 0)
      return packProperties(target, record.properties)
    case 'outgoing':
      writeWhole(target, record.message)
      writeWhole(target, record.packetId)
      writeWhole(target, record.qos)
      writeWhole(target, record.retain ? 1 : 0)
      writeWhole(target, stages.indexOf(record.stage))
      writeText(target, record.identifiers.join(','))
      return writeText(target, record.share === null ? '' : shareText(record.share))
    case 'incoming':
      return writeWhole(target, record.message)
    case 'retained':
      return writeWhole(target, record.message)
    case 'will':
      writeBytes(target, record.payload)
      writeText(target, record.topic)
      writeWhole(target, record.qos)
      writeWhole(target, record.retain ? 1 : 0)
      packProperties(target, record.properties)
      writeWhole(target, record.delayMs)
      return writeMaybe(target, record.dueAt)
  }
}

/** The bits of mosquitto: QoS, no local, retain as published. */
const optionsOf = ({ qos, noLocal, retainAsPublished }: SubscriptionRecord): number =>
  qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0)

/** An array, so that there is one text for each. */
const sourceText = ({ clientId, userName, listener }: Source): string =>
  JSON.stringify([clientId, userName, listener])

/** The name of a group has no separator in it. */
const shareText = ({ group, filter }: Share): string => `${group}/${filter}`

/** As on the wire, the length in front; nothing at all where there are none. */
const packProperties = (target: Packer, properties: Properties): void => {
  const size = propertiesSize(properties)
  if (size === 0) return writeByte(target, 0)
  const sizeBytes = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x200000 ? 3 : 4
  writeWhole(target, sizeBytes + size)
  reserve(target, sizeBytes + size)
  target.at = writeProperties(target.buffer, target.at, properties, size)
}

// Back. Whatever is read here has passed its checksum: what does not fit is our own fault.

/** Everything was within limits when it came in, under a configuration that may have changed. */
const limitless: Limits = {
  packetBytesMax: Infinity,
  connectPacketBytesMax: Infinity,
  propertyBytesMax: Infinity,
  userPropertiesMax: Infinity,
  filtersMax: Infinity,
  anyCharacters: true,
}

/** The text read last, with its bytes: the rows of a client stand together. */
interface Last {
  buffer: Uint8Array
  start: number
  end: number
  text: string
}

const last: Last = { buffer: new Uint8Array(0), start: 0, end: 0, text: '' }

const readClientId = (source: Reader): string => {
  const size = readWhole(source)
  const { buffer, at: start } = source
  const end = start + size
  source.at = end
  if (!Bytes.equals(last, { buffer, start, end })) {
    last.text = decode(buffer, start, end)
  }
  last.buffer = buffer
  last.start = start
  last.end = end
  return last.text
}

/** What a topic name was when it was stored it is still. */
const readTopic = (source: Reader): TopicName => {
  const size = readWhole(source)
  const { buffer, at: start } = source
  const end = start + size
  source.at = end
  const known = recall(buffer, start, end)
  if (known !== null) return known
  const name = decode(buffer, start, end) as TopicName
  remember(buffer, start, end, name)
  return name
}

const readFilter = (source: Reader): TopicFilter => readText(source) as TopicFilter

const noIdentifiers: ReadonlyArray<number> = []

const readIdentifiers = (source: Reader): ReadonlyArray<number> => {
  const text = readText(source)
  return text === '' ? noIdentifiers : text.split(',').map(Number)
}

const readShare = (source: Reader): Share | null => {
  const text = readText(source)
  if (text === '') return null
  const slash = text.indexOf('/')
  return { group: text.slice(0, slash), filter: text.slice(slash + 1) as TopicFilter }
}

/** The last field of a row, which the first form does not have. */
const readSource = (source: Reader, version: number): Source | null => {
  if (version === rowVersion) return null
  const [clientId, userName, listener] = JSON.parse(readText(source)) as [
    clientId: string,
    userName: string | null,
    listener: string,
  ]
  return { clientId, userName, listener }
}

/** Payloads of at least so many bytes get a buffer of their own, small ones share theirs. */
const ownBytesMin = 4096

/** Where small payloads are kept, apart from the rest of their rows; in use up to `slabAt`. */
const slabBytes = 64 << 10
let slab = new Uint8Array(0)
let slabAt = 0

const readBytes = (source: Reader): Bytes.Bytes => {
  const size = readWhole(source)
  const start = source.at
  source.at += size
  if (size === 0) return Bytes.empty
  const bytes = Bytes.slice(source.buffer, start, source.at)
  if (size >= ownBytesMin) return Bytes.own(bytes)
  if (slabAt + size > slab.length) {
    slab = new Uint8Array(slabBytes)
    slabAt = 0
  }
  const from = slabAt
  slabAt = Bytes.copyTo(bytes, slab, from)
  return Bytes.slice(slab, from, slabAt)
}

const unpackProperties = (source: Reader, place: 'Publish' | 'Will'): Properties => {
  const size = readWhole(source)
  if (size === 0) return none
  const c = cursor(5, source.buffer, source.at, source.at + size, limitless)
  const properties = readProperties(c, place)
  if (c.fault !== null) throw new Error(`stored properties: ${c.fault.detail}`)
  source.at += size
  // The only bytes among them.
  const { correlationData } = properties
  return correlationData === undefined
    ? properties
    : { ...properties, correlationData: Bytes.own(correlationData) }
}

const readQos = (source: Reader): Qos => readWhole(source) as Qos

/** The record at this place, in memory of its own. */
export const unpackRecord = (source: Reader): Record => {
  const number = readByte(source)
  const version = readByte(source)
  switch (kinds[number]) {
    case 'session':
      return unpackSession(source, version)
    case 'subscription':
      return unpackSubscription(source)
    case 'message':
      return unpackMessage(source, version)
    case 'outgoing':
      return unpackOutgoing(source)
    case 'incoming':
      return unpackIncoming(source)
    case 'retained':
      return unpackRetained(source)
    case 'will':
      return unpackWill(source, version)
    default:
      throw new Error(`there is no table number ${number}`)
  }
}

/** All records of a portion. */
export const unpackRecords = (packed: Uint8Array): ReadonlyArray<Record> => {
  const records: Array<Record> = []
  const source = { buffer: packed, at: 0 }
  while (source.at < packed.length) records.push(unpackRecord(source))
  return records
}

const unpackSession = (source: Reader, version: number): SessionRecord => ({
  kind: 'session',
  clientId: readClientId(source),
  expiryS: readWhole(source),
  offlineAt: readMaybe(source),
  level: readWhole(source) as Level,
  source: readSource(source, version),
})

const unpackSubscription = (source: Reader): SubscriptionRecord => {
  const clientId = readClientId(source)
  const filter = readFilter(source)
  const options = readWhole(source)
  return {
    kind: 'subscription',
    clientId,
    filter,
    qos: (options & 3) as Qos,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    identifiers: readIdentifiers(source),
    joined: readWhole(source),
    catchUp: readWhole(source),
  }
}

const unpackMessage = (source: Reader, version: number): MessageRecord => {
  const id = readWhole(source)
  const expiresAt = readMaybe(source)
  return {
    kind: 'message',
    id,
    topic: readTopic(source),
    payload: readBytes(source),
    qos: readQos(source),
    retain: readWhole(source) === 1,
    properties: unpackProperties(source, 'Publish'),
    expiresAt,
    source: readSource(source, version),
  }
}

const unpackOutgoing = (source: Reader): OutgoingRecord => {
  const clientId = readClientId(source)
  const order = readWhole(source)
  const message = readWhole(source)
  return {
    kind: 'outgoing',
    clientId,
    order,
    message,
    packetId: readWhole(source),
    qos: readQos(source),
    retain: readWhole(source) === 1,
    stage: stages[readWhole(source)] ?? 'queued',
    identifiers: readIdentifiers(source),
    share: readShare(source),
  }
}

const unpackIncoming = (source: Reader): IncomingRecord => ({
  kind: 'incoming',
  clientId: readClientId(source),
  packetId: readWhole(source),
  message: readWhole(source),
})

const unpackRetained = (source: Reader): RetainedRecord => ({
  kind: 'retained',
  topic: readTopic(source),
  message: readWhole(source),
})

const unpackWill = (source: Reader, version: number): WillRecord => {
  const clientId = readClientId(source)
  const payload = readBytes(source)
  return {
    kind: 'will',
    clientId,
    payload,
    topic: readTopic(source),
    qos: readQos(source),
    retain: readWhole(source) === 1,
    properties: unpackProperties(source, 'Will'),
    delayMs: readWhole(source),
    dueAt: readMaybe(source),
    source: readSource(source, version),
  }
}
