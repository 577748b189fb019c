// The records of a store and the writes to it, as JSON and back and as text. Records are told apart
// by their kind, as their tables are.

import type { Key, Kind, Record, Write } from '../broker/record.ts'
import type { Source } from '../broker/acl.ts'
import type { Share } from '../broker/state.ts'
import { t } from '../prelude.ts'
import type { PayloadText } from './connect-text.ts'
import { level, properties, qos, topicFilter, topicName } from './packet.ts'
import type { Codec, Json } from './shape.ts'
import { bytes, closed, count, list, nullable, oneOf, tag, tagged, text, truth } from './shape.ts'
import { long, whole, word } from './shape.ts'
import { quote, showBytes } from './words.ts'

type Of<K extends Kind> = Extract<Record, { readonly kind: K }>
type KeyOf<K extends Kind> = Extract<Key, { readonly kind: K }>

const id = whole(1, Number.MAX_SAFE_INTEGER)
const time = nullable(whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))

const share: Codec<Share> = closed<Share>('Share', { group: text, filter: topicFilter })

const source: Codec<Source> = closed<Source>('Source', {
  clientId: text,
  userName: nullable(text),
  listener: text,
})

const records: { readonly [K in Kind]: Codec<Of<K>> } = {
  session: closed<Of<'session'>>('session', {
    kind: tag('session'),
    clientId: text,
    expiryS: long,
    offlineAt: time,
    level,
    source: nullable(source),
  }),
  subscription: closed<Of<'subscription'>>('subscription', {
    kind: tag('subscription'),
    clientId: text,
    filter: topicFilter,
    qos,
    noLocal: truth,
    retainAsPublished: truth,
    identifiers: list(count),
    joined: count,
    catchUp: count,
  }),
  message: closed<Of<'message'>>('message', {
    kind: tag('message'),
    id,
    topic: topicName,
    qos,
    retain: truth,
    payload: bytes,
    properties,
    expiresAt: time,
    source: nullable(source),
  }),
  outgoing: closed<Of<'outgoing'>>('outgoing', {
    kind: tag('outgoing'),
    clientId: text,
    order: id,
    packetId: word,
    stage: oneOf<Of<'outgoing'>['stage']>('queued', 'sent', 'released'),
    message: count,
    qos,
    retain: truth,
    identifiers: list(count),
    share: nullable(share),
  }),
  incoming: closed<Of<'incoming'>>('incoming', {
    kind: tag('incoming'),
    clientId: text,
    packetId: word,
    message: count,
  }),
  retained: closed<Of<'retained'>>('retained', {
    kind: tag('retained'),
    topic: topicName,
    message: id,
  }),
  will: closed<Of<'will'>>('will', {
    kind: tag('will'),
    clientId: text,
    topic: topicName,
    qos,
    retain: truth,
    payload: bytes,
    properties,
    delayMs: count,
    dueAt: time,
    source: nullable(source),
  }),
}

const keys: { readonly [K in Kind]: Codec<KeyOf<K>> } = {
  session: closed<KeyOf<'session'>>('session', { kind: tag('session'), clientId: text }),
  subscription: closed<KeyOf<'subscription'>>('subscription', {
    kind: tag('subscription'),
    clientId: text,
    filter: topicFilter,
  }),
  message: closed<KeyOf<'message'>>('message', { kind: tag('message'), id }),
  outgoing: closed<KeyOf<'outgoing'>>('outgoing', {
    kind: tag('outgoing'),
    clientId: text,
    order: id,
  }),
  incoming: closed<KeyOf<'incoming'>>('incoming', {
    kind: tag('incoming'),
    clientId: text,
    packetId: word,
  }),
  retained: closed<KeyOf<'retained'>>('retained', { kind: tag('retained'), topic: topicName }),
  will: closed<KeyOf<'will'>>('will', { kind: tag('will'), clientId: text }),
}

const isKind = (u: unknown): u is Kind => typeof u === 'string' && Object.hasOwn(records, u)

/** A union entered by its kind, so that a fault names the field and not every arm. */
const byKind = <A extends { readonly kind: Kind }>(
  name: string,
  arms: { readonly [K in Kind]: Codec<Extract<A, { readonly kind: K }>> },
): Codec<A> => {
  const table: { readonly [kind: string]: unknown } = arms
  // An arm is a codec of the whole union as long as it is only given values of its kind.
  const armOf = (u: unknown): Codec<A> | null => {
    const kind = typeof u === 'object' && u !== null && 'kind' in u ? u.kind : undefined
    return isKind(kind) ? table[kind] as Codec<A> : null
  }
  return new t.Type<A, Json, unknown>(
    name,
    (u): u is A => armOf(u)?.is(u) ?? false,
    (u, context) =>
      armOf(u)?.validate(u, context) ?? t.failure(u, context, `${name} has a kind that there is`),
    (a) => armOf(a)!.encode(a),
  )
}

const record: Codec<Record> = byKind<Record>('a record', records)

const key: Codec<Key> = byKind<Key>('a key', keys)

type Put = Extract<Write, { readonly _tag: 'Put' }>
type Delete = Extract<Write, { readonly _tag: 'Delete' }>
type Forget = Extract<Write, { readonly _tag: 'Forget' }>

export const write: Codec<Write> = tagged<Write>('Write', {
  Put: closed<Put>('Put', { _tag: tag('Put'), record, isNew: truth }),
  Delete: closed<Delete>('Delete', { _tag: tag('Delete'), key }),
  Forget: closed<Forget>('Forget', { _tag: tag('Forget'), clientId: text }),
})

const keyText = (some: Key): string => {
  switch (some.kind) {
    case 'session':
    case 'will':
      return `${some.kind} ${quote(some.clientId, "'")}`
    case 'subscription':
      return `subscription ${quote(some.clientId, "'")} ${quote(some.filter, "'")}`
    case 'message':
      return `message ${some.id}`
    case 'outgoing':
      return `outgoing ${quote(some.clientId, "'")} ${some.order}`
    case 'incoming':
      return `incoming ${quote(some.clientId, "'")} id${some.packetId}`
    case 'retained':
      return `retained ${quote(some.topic, "'")}`
  }
}

const recordText = (some: Record, payloadText: PayloadText): string => {
  const name = keyText(some)
  switch (some.kind) {
    case 'session':
      return `${name} expiry ${some.expiryS} ` +
        (some.offlineAt === null ? 'online' : `offline since ${some.offlineAt}`)
    case 'subscription':
      return `${name} qos${some.qos}` + (some.catchUp === 0 ? '' : ' catching up')
    case 'message':
      return `${name} ${quote(some.topic, "'")} qos${some.qos} ${
        payloadText(some.payload, some.topic)
      }`
    case 'outgoing':
      return `${name} ${some.stage}` + (some.packetId === 0 ? '' : ` id${some.packetId}`) +
        ` qos${some.qos}` + (some.message === 0 ? '' : ` message ${some.message}`)
    case 'incoming':
    case 'retained':
      return `${name} message ${some.message}`
    case 'will':
      return `${name} ${quote(some.topic, "'")} qos${some.qos} ${
        payloadText(some.payload, some.topic)
      }`
  }
}

/**
 * A write in a few words: `+` for a record that is new, `=` for one that changes, `-` for gone,
 * `--` for a session that is gone with all that was in it.
 */
export const showWrite = (some: Write, payloadText: PayloadText = showBytes): string =>
  some._tag === 'Forget'
    ? `--session ${quote(some.clientId, "'")}`
    : some._tag === 'Delete'
    ? `-${keyText(some.key)}`
    : `${some.isNew ? '+' : '='}${recordText(some.record, payloadText)}`
