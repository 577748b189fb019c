// Records at random, batches of writes that fit together, and the simplest store there is: a Map.
// Few clients, topics and numbers, so that keys meet again and again.

import fc from 'fast-check'
import type { Key, Kind, Record, Write } from '../../core/broker/record.ts'
import type { Level } from '../../core/codec/packet.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import type { TopicName } from '../../core/topic/name.ts'
import { keyName, keyOf, kinds } from '../../shells/common/store.ts'
import {
  identifier,
  payload,
  plain,
  properties,
  qos,
  topicFilter,
  topicName,
} from '../gen/packets.ts'
import { filter, name } from '../gen/topics.ts'

const clientId: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'lamp', '__proto__', '') },
  { weight: 1, arbitrary: identifier },
)
const topic: fc.Arbitrary<TopicName> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('t', 't/u', '/').map(name) },
  { weight: 1, arbitrary: topicName },
)
const topics: fc.Arbitrary<TopicFilter> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('t', '#', '$share/g/t/+').map(filter) },
  { weight: 1, arbitrary: topicFilter },
)
const few = fc.integer({ min: 1, max: 6 })
const large = fc.oneof(few, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 }))
const instant = fc.option(fc.oneof(large, fc.constant(0)))
const source = fc.option(fc.record({
  clientId,
  userName: fc.oneof(fc.constantFrom(null, '', 'ann', '"]'), identifier),
  listener: fc.constantFrom('', '1883', '/run/mqtt "1"'),
}))
const identifiers = fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 })

const only = <K extends Kind>(kind: K): fc.Arbitrary<K> => fc.constant(kind)

/** One of each kind; what a record refers to is in a message that may not be there. */
export const arms: { readonly [K in Kind]: fc.Arbitrary<Extract<Record, { kind: K }>> } = {
  session: fc.record({
    kind: only('session'),
    clientId,
    expiryS: fc.constantFrom(0, 1, 3600, 0xffffffff),
    offlineAt: instant,
    level: fc.constantFrom<Level>(3, 4, 5),
    source,
  }),
  subscription: fc.record({
    kind: only('subscription'),
    clientId,
    filter: topics,
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    identifiers,
    joined: large,
    catchUp: fc.oneof(fc.constant(0), large),
  }),
  message: fc.record({
    kind: only('message'),
    id: few,
    topic,
    qos,
    retain: fc.boolean(),
    payload,
    properties: properties('Publish'),
    expiresAt: instant,
    source,
  }),
  outgoing: fc.record({
    kind: only('outgoing'),
    clientId,
    order: large,
    packetId: fc.integer({ min: 0, max: 65_535 }),
    stage: fc.constantFrom('queued', 'sent', 'released'),
    message: fc.oneof(fc.constant(0), few),
    qos,
    retain: fc.boolean(),
    identifiers,
    share: fc.option(fc.record({ group: fc.constantFrom('g', 'h'), filter: topics })),
  }),
  incoming: fc.record({
    kind: only('incoming'),
    clientId,
    packetId: few,
    message: fc.oneof(fc.constant(0), few),
  }),
  retained: fc.record({ kind: only('retained'), topic, message: few }),
  will: fc.record({
    kind: only('will'),
    clientId,
    topic,
    qos,
    retain: fc.boolean(),
    payload,
    properties: properties('Will'),
    delayMs: large,
    dueAt: instant,
    source,
  }),
}

const record: fc.Arbitrary<Record> = fc.oneof(...kinds.map((kind) => arms[kind]))

/** Puts a record, or takes the n-th of those that are there. */
export type Command =
  | { readonly _tag: 'Put'; readonly record: Record }
  | { readonly _tag: 'Delete'; readonly pick: number }
  /** Forgets the session of the n-th record that has one. */
  | { readonly _tag: 'Forget'; readonly pick: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant('Put' as const), record }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('Delete' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Forget' as const), pick: fc.nat() }) },
)

export const commands = (
  batches: number,
  each: number,
): fc.Arbitrary<ReadonlyArray<ReadonlyArray<Command>>> =>
  fc.array(fc.array(command, { maxLength: each }), { maxLength: batches })

/** Records by the names of their keys. */
export type Model = Map<string, Record>

export const nameOf = (record: Record): string => `${record.kind} ${keyName(record)}`

/** The id of the message that a record refers to, 0 for none. */
export const reference = (record: Record): number => 'message' in record ? record.message : 0

const isReferred = (model: Model, id: number): boolean => {
  for (const each of model.values()) if (reference(each) === id) return true
  return false
}

/** Whether a session of this client takes it with it. */
export const isIn = (key: Key, clientId: string): boolean =>
  (key.kind === 'session' || key.kind === 'outgoing' || key.kind === 'incoming') &&
  key.clientId === clientId

/** Carries commands out on the model, and answers the writes that say the same. */
export const write = (model: Model, some: ReadonlyArray<Command>): ReadonlyArray<Write> => {
  const writes: Array<Write> = []
  const written = new Set<string>()
  for (const each of some) {
    if (each._tag === 'Put') {
      const id = reference(each.record)
      const key = nameOf(each.record)
      // As a broker has it: nothing refers to a message that is not there.
      if (id !== 0 && !model.has(`message ${id}`)) continue
      // And nothing is in a session that is not there.
      const { record } = each
      const isWithin = record.kind === 'outgoing' || record.kind === 'incoming'
      if (isWithin && !model.has(`session ${record.clientId}`)) continue
      if (written.has(key)) continue
      written.add(key)
      writes.push({ _tag: 'Put', record: each.record, isNew: !model.has(key) })
      model.set(key, each.record)
      continue
    }
    if (each._tag === 'Forget') {
      const sessions = [...model.values()].filter((one) => one.kind === 'session')
      const session = sessions[each.pick % sessions.length]
      if (session?.kind !== 'session') continue
      const { clientId } = session
      // Whatever the batch has said of it before is said of its successor.
      const taken = [...model.values()].filter((one) => isIn(one, clientId))
      if (taken.some((one) => written.has(nameOf(one)))) continue
      if (writes.some((one) => one._tag === 'Delete' && isIn(one.key, clientId))) continue
      writes.push({ _tag: 'Forget', clientId })
      for (const one of taken) model.delete(nameOf(one))
      continue
    }
    const present = [...model.values()]
    const victim = present[each.pick % present.length]
    if (victim === undefined || written.has(nameOf(victim))) continue
    if (victim.kind === 'message' && isReferred(model, victim.id)) continue
    if (victim.kind === 'session') {
      const { clientId } = victim
      if ([...model.values()].some((one) => one !== victim && isIn(one, clientId))) continue
    }
    written.add(nameOf(victim))
    writes.push({ _tag: 'Delete', key: keyOf(victim) })
    model.delete(nameOf(victim))
  }
  return writes
}

/** Records as text, in an order of their own, for comparing. */
export const lines = (records: Iterable<Record>): ReadonlyArray<string> =>
  [...records].map((each) => JSON.stringify(plain(each), sorted)).sort()

const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1))
    : value
