// The port behind which records outlive the process: what a store promises to whoever persists
// through it. How it keeps its word, and on what, is the business of shells/store.

import type { Key, Kind, Record, Stamp, Write } from '../../core/broker/record.ts'
import type { Either } from '../../core/prelude.ts'

/** Where a store is, and how it is opened. */
export interface StoreOptions {
  /** Folder of the store; it is made, for its owner only, where there is none. */
  readonly folder: string
  /**
   * Serves what is sound of a damaged store, after a copy of it: damaged records and those that
   * refer to missing ones are taken out. Default: a damaged store is refused.
   */
  readonly salvage?: boolean
  /** The files of the store together stay below so many bytes. Default: the disk decides. */
  readonly storeBytesMax?: number
}

/** A record that cannot be served. */
export interface Damage {
  readonly kind: Kind | 'meta'
  /** The key as text for people; empty where not even the key is known. */
  readonly key: string
  readonly what: string
}

/** What was loaded besides the records. */
export interface Loaded {
  readonly stamp: Stamp
  readonly recordCount: number
  /** Left out of the records, and out of the store from now on. Empty unless salvaging. */
  readonly damaged: ReadonlyArray<Damage>
}

/** What has become of a batch. */
export type Committed =
  /** The batch is on disk: flushed, not only written. */
  | { readonly _tag: 'Durable' }
  /** The same, and there is hardly room for more: whoever can should stop promising. */
  | { readonly _tag: 'Tight'; readonly why: string }
  /** There is no room, nothing was written; the same batch may be tried again later. */
  | { readonly _tag: 'Full'; readonly why: string }
  /** Whether the batch is on disk is unknown, and from now on every commit answers this. */
  | { readonly _tag: 'Broken'; readonly why: string }

/** Records that outlive the process. */
export interface Store {
  /** For the log: what the operator should know, one sentence each. */
  readonly warnings: ReadonlyArray<string>
  /**
   * Hands out all records, in portions: sessions, subscriptions, messages, outgoing by client and
   * order, incoming, retained, wills. To be called once, before anything is committed. Left: a
   * sentence that says what is wrong and what to do; forget what was handed out, and close.
   */
  load(take: (records: ReadonlyArray<Record>) => void): Promise<Either<string, Loaded>>
  /**
   * Makes one batch durable, whole or not at all. One at a time: what gathers meanwhile is for
   * `merge`. The writes are read before this returns, so lent bytes need to be valid only until
   * then. Rejects only if the writes contradict the records, which is our own fault.
   */
  commit(stamp: Stamp, writes: ReadonlyArray<Write>): Promise<Committed>
  /** Settles when everything is on disk and the store may be opened by somebody else. */
  close(): Promise<void>
}

/** Left: a sentence that names the file, what is wrong with it and what to do. */
export type OpenStore = (options: StoreOptions) => Promise<Either<string, Store>>

/** In the order in which they are loaded. */
export const kinds: ReadonlyArray<Kind> = [
  'session',
  'subscription',
  'message',
  'outgoing',
  'incoming',
  'retained',
  'will',
]

/**
 * A name that no other key of the same kind has. No string of MQTT contains U+0000, and no number
 * a space.
 */
export const keyName = (key: Key): string | number => {
  switch (key.kind) {
    case 'session':
    case 'will':
      return key.clientId
    case 'subscription':
      return `${key.clientId}\0${key.filter}`
    case 'message':
      return key.id
    case 'outgoing':
      return `${key.order} ${key.clientId}`
    case 'incoming':
      return `${key.packetId} ${key.clientId}`
    case 'retained':
      return key.topic
  }
}

/** The key alone. */
export const keyOf = (key: Key): Key => {
  switch (key.kind) {
    case 'session':
    case 'will':
      return { kind: key.kind, clientId: key.clientId }
    case 'subscription':
      return { kind: key.kind, clientId: key.clientId, filter: key.filter }
    case 'message':
      return { kind: key.kind, id: key.id }
    case 'outgoing':
      return { kind: key.kind, clientId: key.clientId, order: key.order }
    case 'incoming':
      return { kind: key.kind, clientId: key.clientId, packetId: key.packetId }
    case 'retained':
      return { kind: key.kind, topic: key.topic }
  }
}

/** The key of a write as text for people. */
const keyText = (key: Key): string => {
  switch (key.kind) {
    case 'session':
    case 'will':
      return quoted(key.clientId)
    case 'subscription':
      return `${quoted(key.clientId)} ${quoted(key.filter)}`
    case 'message':
      return `${key.id}`
    case 'outgoing':
      return `${quoted(key.clientId)} ${key.order}`
    case 'incoming':
      return `${quoted(key.clientId)} ${key.packetId}`
    case 'retained':
      return quoted(key.topic)
  }
}

/** In quotes, with everything escaped that could move a cursor or forge a line. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** What a session takes with it when it is forgotten. */
export const isOfSession = (key: Key): key is Extract<Key, { kind: SessionKind }> =>
  key.kind === 'session' || key.kind === 'outgoing' || key.kind === 'incoming'

type SessionKind = 'session' | 'outgoing' | 'incoming'

type Named = Map<string | number, Write>

/** Writes by kind and key; those that a session takes with it by client. */
class Merged {
  private readonly kinds = new Map<Kind, Named>()
  private readonly clients = new Map<string, Map<SessionKind, Named>>()
  private readonly forgotten = new Set<string>()

  add(write: Write): void {
    if (write._tag === 'Forget') return this.forget(write.clientId)
    const key = write._tag === 'Put' ? write.record : write.key
    const some = this.namedLike(key)
    const name = keyName(key)
    const joined = join(some.get(name), write)
    if (joined === null) some.delete(name)
    else some.set(name, joined)
  }

  private forget(clientId: string): void {
    const former = this.clients.get(clientId)?.get('session')?.get(clientId)
    this.clients.delete(clientId)
    // One that came and went in between is not on disk, or another one that is forgotten was.
    if (former?._tag !== 'Put' || !former.isNew) this.forgotten.add(clientId)
  }

  private namedLike(key: Key): Named {
    if (!isOfSession(key)) return namedIn(this.kinds, key.kind)
    let client = this.clients.get(key.clientId)
    if (client === undefined) {
      client = new Map()
      this.clients.set(key.clientId, client)
    }
    return namedIn(client, key.kind)
  }

  writes(): ReadonlyArray<Write> {
    const writes: Array<Write> = []
    for (const clientId of this.forgotten) writes.push({ _tag: 'Forget', clientId })
    for (const kind of kinds) {
      for (const write of this.kinds.get(kind)?.values() ?? []) writes.push(write)
    }
    for (const client of this.clients.values()) {
      for (const some of client.values()) for (const write of some.values()) writes.push(write)
    }
    return writes
  }
}

const namedIn = <K>(map: Map<K, Named>, kind: K): Named => {
  let named = map.get(kind)
  if (named === undefined) {
    named = new Map()
    map.set(kind, named)
  }
  return named
}

/**
 * One batch that means what the batches mean one after another: per key the last write wins, and
 * what came and went in between is not written at all.
 */
export const merge = (batches: ReadonlyArray<ReadonlyArray<Write>>): ReadonlyArray<Write> => {
  if (batches.length === 1) return batches[0]!
  const merged = new Merged()
  for (const batch of batches) {
    // In a batch a session is forgotten before its successor begins.
    for (const write of batch) if (write._tag === 'Forget') merged.add(write)
    for (const write of batch) if (write._tag !== 'Forget') merged.add(write)
  }
  return merged.writes()
}

type Keyed = Exclude<Write, { readonly _tag: 'Forget' }>

/** Two writes with the same key as one; null where nothing is left to do. */
const join = (former: Write | undefined, write: Keyed): Write | null => {
  if (former === undefined || former._tag === 'Forget') return write
  if (write._tag === 'Delete') {
    if (former._tag === 'Delete') throw contradiction('is deleted twice', write.key)
    return former.isNew ? null : write
  }
  if (write.isNew !== (former._tag === 'Delete')) {
    throw contradiction(write.isNew ? 'is new twice' : 'replaces nothing', write.record)
  }
  // What is deleted stays on disk until this batch is: there the new record takes its place.
  const isNew = former._tag === 'Put' && former.isNew
  return write.isNew === isNew ? write : { _tag: 'Put', record: write.record, isNew }
}

/** Our own fault: writes that no broker in its right mind would make. */
export class Contradiction extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Contradiction'
  }
}

export const contradiction = (what: string, key: Key): Contradiction =>
  new Contradiction(`the ${key.kind} ${keyText(key)} ${what}`)
