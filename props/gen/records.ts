// Arbitrary records of a store and writes to it: well-formed data, without regard to whether a
// broker would ever write them.

import fc from 'fast-check'
import type { Key, Record, Write } from '../../core/broker/record.ts'
import type { Level, Qos } from '../../core/codec/packet.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import { properties, topicFilter, topicName } from './packets.ts'

const qos = fc.constantFrom<Qos>(0, 1, 2)
const level = fc.constantFrom<Level>(3, 4, 5)
const clientId = fc.constantFrom('a', 'b', "it's", '__proto__', '\u{1f99f}', '')
const id = fc.integer({ min: 1, max: 9 })
const number = fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER))
const time = fc.option(number)
const packetId = fc.integer({ min: 1, max: 0xffff })
const identifiers = fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 2 })

const source = fc.option(fc.record({
  clientId,
  userName: fc.constantFrom(null, '', 'ann', '\u{1f99f}'),
  listener: fc.constantFrom('', '1883', '/run/mqtt'),
}))

const payload: fc.Arbitrary<Bytes> = fc.uint8Array({ maxLength: 40 })
  .map((bytes) => B.slice(bytes, 0, bytes.length))

type Arms = { readonly [K in Record['kind']]: fc.Arbitrary<Extract<Record, { kind: K }>> }

const arms: Arms = {
  session: fc.record({
    kind: fc.constant('session'),
    clientId,
    expiryS: fc.integer({ min: 0, max: 0xffffffff }),
    offlineAt: time,
    level,
    source,
  }),
  subscription: fc.record({
    kind: fc.constant('subscription'),
    clientId,
    filter: topicFilter,
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    identifiers,
    joined: number,
    catchUp: number,
  }),
  message: fc.record({
    kind: fc.constant('message'),
    id,
    topic: topicName,
    qos,
    retain: fc.boolean(),
    payload,
    properties: properties('Publish'),
    expiresAt: time,
    source,
  }),
  outgoing: fc.record({
    kind: fc.constant('outgoing'),
    clientId,
    order: id,
    packetId,
    stage: fc.constantFrom<'queued' | 'sent' | 'released'>('queued', 'sent', 'released'),
    message: id,
    qos,
    retain: fc.boolean(),
    identifiers,
    share: fc.option(fc.record({ group: fc.constantFrom('g', 'h'), filter: topicFilter })),
  }),
  incoming: fc.record({ kind: fc.constant('incoming'), clientId, packetId, message: fc.nat(9) }),
  retained: fc.record({ kind: fc.constant('retained'), topic: topicName, message: id }),
  will: fc.record({
    kind: fc.constant('will'),
    clientId,
    topic: topicName,
    qos,
    retain: fc.boolean(),
    payload,
    properties: properties('Will'),
    delayMs: number,
    dueAt: time,
    source,
  }),
}

export const record: fc.Arbitrary<Record> = fc.oneof(...Object.values(arms))

/** What tells the record from the others of its kind. */
export const keyOf = (some: Record): Key => {
  switch (some.kind) {
    case 'session':
    case 'will':
      return { kind: some.kind, clientId: some.clientId }
    case 'subscription':
      return { kind: 'subscription', clientId: some.clientId, filter: some.filter }
    case 'message':
      return { kind: 'message', id: some.id }
    case 'outgoing':
      return { kind: 'outgoing', clientId: some.clientId, order: some.order }
    case 'incoming':
      return { kind: 'incoming', clientId: some.clientId, packetId: some.packetId }
    case 'retained':
      return { kind: 'retained', topic: some.topic }
  }
}

export const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ _tag: fc.constant<'Put'>('Put'), record, isNew: fc.boolean() }),
  record.map((some): Write => ({ _tag: 'Delete', key: keyOf(some) })),
  fc.record({ _tag: fc.constant<'Forget'>('Forget'), clientId: fc.string() }),
)
