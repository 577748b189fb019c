// The dumb store: a map of records by key. And the slow definition of what has to be in it: a walk
// over the whole state of the broker.

import type { Effect } from '../../core/broker/effect.ts'
import type { Key, Record, Write } from '../../core/broker/record.ts'
import { isDurable, NEVER, type Session, type State } from '../../core/broker/state.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import * as IntMap from '../../core/data/int-map.ts'
import * as Queue from '../../core/data/queue.ts'
import * as StrMap from '../../core/data/str-map.ts'
import * as Window from '../../core/data/window.ts'
import type { TopicName } from '../../core/topic/name.ts'
import * as Tree from '../../core/topic/tree.ts'
import { keyOf } from '../gen/records.ts'
import { isOwn } from './sys-topic.ts'

const keyText = (key: Key): string => JSON.stringify(Object.values(key))

export type Records = Map<string, Record>

/** One batch, all of it; throws where a write is not about what is there. */
export const apply = (records: Records, writes: ReadonlyArray<Write>): void => {
  const seen = new Set<string>()
  // Sessions that are gone go first, with all in them, and their successors begin with nothing.
  for (const write of writes) {
    if (write._tag !== 'Forget') continue
    const { clientId } = write
    if (!records.has(keyText({ kind: 'session', clientId }))) {
      throw new Error(`${clientId} is forgotten and was never there`)
    }
    for (const [key, record] of records) {
      const { kind } = record
      if (kind !== 'session' && kind !== 'outgoing' && kind !== 'incoming') continue
      if (record.clientId === clientId) records.delete(key)
    }
  }
  for (const write of writes) {
    if (write._tag === 'Forget') continue
    const key = keyText(write._tag === 'Put' ? keyOf(write.record) : write.key)
    if (seen.has(key)) throw new Error(`two writes for ${key} in a batch`)
    seen.add(key)
    const isThere = records.has(key)
    if (write._tag === 'Delete') {
      if (!isThere) throw new Error(`${key} is deleted and is not there`)
      records.delete(key)
    } else {
      if (write.isNew === isThere) {
        throw new Error(`${key} is new: ${write.isNew}, there: ${isThere}`)
      }
      records.set(key, write.record)
    }
  }
}

export const writesOf = (effects: ReadonlyArray<Effect>): ReadonlyArray<Write> =>
  effects.flatMap((effect) => effect._tag === 'Persist' ? effect.writes : [])

const timeOf = (at: number): number | null => at === NEVER ? null : at

const outgoingOf = (session: Session, referred: Map<number, Record>): Record[] => {
  const { clientId } = session
  const found: Record[] = []
  const lines = [
    ...[...Window.entries(session.window)],
    ...[...Queue.entries(session.queue)].map((one) => [0, one] as const),
  ]
  for (const [packetId, one] of lines) {
    const { order, terms } = one
    const bare = { kind: 'outgoing', clientId, order, packetId, qos: terms.qos } as const
    if (one.stage === 'released') {
      const rest = { message: 0, retain: false, identifiers: [], share: null }
      found.push({ ...bare, stage: 'released', ...rest })
      continue
    }
    if (one.stage === 'passing') throw new Error('what is passing is of no session that lasts')
    const { message } = one
    const { retain, identifiers, share } = terms
    refer(referred, message)
    const stage = packetId === 0 ? 'queued' : 'sent'
    found.push({ ...bare, stage, message: message.id, retain, identifiers, share })
  }
  return found
}

const refer = (
  referred: Map<number, Record>,
  message: State['retained'] extends Tree.Tree<infer M> ? M : never,
): void => {
  const { id, topic, qos, retain, payload, properties, expiresAt, source } = message
  if (id === 0) throw new Error(`a stored message to ${topic} has no id`)
  const record: Record = {
    kind: 'message',
    id,
    topic,
    qos,
    retain,
    payload,
    properties,
    expiresAt,
    source,
  }
  const known = referred.get(id)
  if (known !== undefined && recordText(known) !== recordText(record)) {
    throw new Error(`two messages have the id ${id}`)
  }
  referred.set(id, record)
}

/** What must be stored of this state, found by looking at all of it. */
export const recordsOf = (
  state: State,
  topics: ReadonlyArray<TopicName>,
): ReadonlyArray<Record> => {
  const referred = new Map<number, Record>()
  const found: Record[] = []
  IntMap.each(state.remains, ({ left, queue }) => {
    for (const message of Queue.entries(left)) refer(referred, message)
    for (const { message } of Queue.entries(queue)) refer(referred, message)
  })
  IntMap.each(state.sessions, (session) => {
    const { clientId } = session
    if (session.will !== null) {
      const { topic, qos, retain, payload, properties } = session.will.message
      const { source } = session
      const { delayMs } = session.will
      const dueAt = timeOf(session.willAt)
      found.push({
        kind: 'will',
        clientId,
        topic,
        qos,
        retain,
        payload,
        properties,
        delayMs,
        dueAt,
        source,
      })
    }
    if (!session.stored) {
      if (isDurable(session)) throw new Error(`the durable session of ${clientId} is not stored`)
      return
    }
    const { expiryS, level, source } = session
    const offlineAt = timeOf(session.offlineAt)
    found.push({ kind: 'session', clientId, expiryS, offlineAt, level, source })
    const ranks = new Map(
      [...Queue.entries(session.catchUps)]
        .map(({ rank, subscription }) => [subscription.joined, rank]),
    )
    for (const [, subscription] of StrMap.entries(session.subscriptions)) {
      const { filter, qos, noLocal, retainAsPublished, identifiers, joined } = subscription
      const catchUp = ranks.get(joined) ?? 0
      const rest = { qos, noLocal, retainAsPublished, identifiers, joined, catchUp }
      found.push({ kind: 'subscription', clientId, filter, ...rest })
    }
    found.push(...outgoingOf(session, referred))
    for (const [packetId, { message }] of Window.entries(session.incoming)) {
      if (message !== null) refer(referred, message)
      found.push({ kind: 'incoming', clientId, packetId, message: message?.id ?? 0 })
    }
  })
  for (const topic of topics) {
    const message = Tree.get(state.retained, topic)
    // What the broker says of itself is not worth a memory.
    if (message === undefined || isOwn(topic)) continue
    refer(referred, message)
    found.push({ kind: 'retained', topic, message: message.id })
  }
  return [...referred.values(), ...found]
}

const isBytes = (value: unknown): value is Bytes =>
  typeof value === 'object' && value !== null && 'buffer' in value &&
  value.buffer instanceof Uint8Array

/** A record as text: the same for records that say the same. */
export const recordText = (record: Record): string =>
  JSON.stringify(
    record,
    (_key, value: unknown) =>
      isBytes(value)
        ? [...B.view(value)].join(' ')
        : typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
        : value,
  )

const ranks = ['message', 'session', 'subscription', 'outgoing', 'incoming', 'retained', 'will']

/** In the order in which a broker is made of them. */
export const inOrder = (records: Iterable<Record>): ReadonlyArray<Record> =>
  [...records].sort((a, b) =>
    ranks.indexOf(a.kind) - ranks.indexOf(b.kind) ||
    (a.kind === 'outgoing' && b.kind === 'outgoing' ? a.order - b.order : 0)
  )

/** Null where both hold the same, else the first difference. */
export const compareRecords = (
  stored: Iterable<Record>,
  wanted: Iterable<Record>,
): string | null => {
  const have = new Set([...stored].map(recordText))
  const want = new Set([...wanted].map(recordText))
  for (const one of want) if (!have.has(one)) return `not stored: ${one}`
  for (const one of have) if (!want.has(one)) return `stored and should not be: ${one}`
  return null
}
