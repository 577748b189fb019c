// A persistent map from strings of any kind, as a table under a seeded hash, so that a peer who
// chooses the keys cannot choose where they fall. Up to eight entries lie in two flat arrays.
//
// With an owner token, nodes stamped with the token are edited in place and all others copied; so
// is the map record itself. A value of undefined means that the key is absent: do not store it. The
// order of entries is fixed by the seed and the history of the map, and by nothing else.

import { withItem, withoutItem } from './items.ts'
import type { Owner } from './owner.ts'
import * as Table from './table.ts'

export interface StrMap<A> {
  readonly owner: Owner | null
  readonly seed: number
  readonly size: number
  /** Where the map is small its keys and values by position, in order of adding. */
  readonly keys: string[]
  readonly values: A[]
  /** Where it is not, the table of them. */
  readonly table: Table.Table<Entry<A>> | null
}

/** Never edited. */
interface Entry<A> {
  readonly key: string
  readonly value: A
}

interface Draft<A> {
  owner: Owner | null
  seed: number
  size: number
  keys: string[]
  values: A[]
  table: Table.Table<Entry<A>> | null
}

const smallMax = 8

/** With so few entries a table becomes flat again; lower than smallMax, not to go to and fro. */
const smallAgain = 4

/** An empty map. `seed` should be a number that peers do not know; 32 bits of it are used. */
export const empty = <A>(seed: number): StrMap<A> => ({
  owner: null,
  seed: seed | 0,
  size: 0,
  keys: none,
  values: none,
  table: null,
})

export const size = <A>(map: StrMap<A>): number => map.size

export const get = <A>(map: StrMap<A>, key: string): A | undefined => {
  const table = map.table
  if (table === null) {
    const index = indexOf(map.keys, key)
    return index < 0 ? undefined : map.values[index]
  }
  const entry = find(table, hashOf(map.seed, key), key)
  return entry === null ? undefined : entry.value
}

/** The map with this value at the key. */
export const set = <A>(map: StrMap<A>, owner: Owner | null, key: string, value: A): StrMap<A> => {
  const draft = edit(map, owner)
  if (draft.table !== null) {
    const hash = hashOf(draft.seed, key)
    const old = find(draft.table, hash, key)
    const entry: Entry<A> = { key, value }
    if (old === null) {
      draft.table = Table.insert(draft.table, owner, hash, entry)
      draft.size++
    } else {
      draft.table = Table.replace(draft.table, owner, hash, old, entry)
    }
    return draft
  }
  const index = indexOf(draft.keys, key)
  // The arrays of a small map belong to whoever owns the record.
  const mine = draft === map
  if (index >= 0) {
    if (!mine) {
      // Both, although only one changes: a record owns both of its arrays or neither.
      draft.keys = draft.keys.slice()
      draft.values = draft.values.slice()
    }
    draft.values[index] = value
    return draft
  }
  if (draft.size < smallMax) {
    draft.keys = withItem(draft.keys, draft.size, key)
    draft.values = withItem(draft.values, draft.size, value)
    draft.size++
    return draft
  }
  let table: Table.Table<Entry<A>> | null = null
  for (let i = 0; i < draft.size; i++) {
    const old: Entry<A> = { key: draft.keys[i]!, value: draft.values[i]! }
    table = Table.insert(table, owner, hashOf(draft.seed, old.key), old)
  }
  draft.table = Table.insert(table, owner, hashOf(draft.seed, key), { key, value })
  draft.keys = none
  draft.values = none
  draft.size++
  return draft
}

/** The map without the key; the same map where the key is absent. */
export const remove = <A>(map: StrMap<A>, owner: Owner | null, key: string): StrMap<A> => {
  if (map.table === null) {
    const index = indexOf(map.keys, key)
    if (index < 0) return map
    const draft = edit(map, owner)
    draft.keys = withoutItem(draft.keys, index)
    draft.values = withoutItem(draft.values, index)
    draft.size--
    return draft
  }
  const hash = hashOf(map.seed, key)
  const entry = find(map.table, hash, key)
  if (entry === null) return map
  const draft = edit(map, owner)
  draft.table = Table.remove(map.table, owner, hash, entry)
  draft.size--
  if (draft.size <= smallAgain) flatten(draft)
  return draft
}

/** Keys and values, each once, in the order that `walk` has. */
export function* entries<A>(map: StrMap<A>): IterableIterator<[string, A]> {
  for (let at = walk(map); at !== null; at = next(at)) yield [at.key, at.value]
}

/** Calls `f` for every entry in the order of `entries`. */
export const each = <A>(map: StrMap<A>, f: (value: A, key: string) => void): void => {
  if (map.table === null) {
    for (let i = 0; i < map.size; i++) f(map.values[i]!, map.keys[i]!)
    return
  }
  Table.each(map.table, (entry) => f(entry.value, entry.key))
}

/**
 * A place in a walk through a map that can be kept as long as one likes, since it is a value: the
 * map it was made from must not be edited in place afterwards, so let go of its owner first.
 */
export interface Walk<A> {
  readonly key: string
  readonly value: A
  readonly map: StrMap<A>
  /** Where the entry is, null in the flat arrays of a small map. */
  readonly bucket: Table.Bucket<Entry<A>> | null
  readonly index: number
}

/** The first entry of the map, or null where it is empty. */
export const walk = <A>(map: StrMap<A>): Walk<A> | null =>
  map.table === null ? walkFlat(map, 0) : walkIn(map, Table.firstBucket(map.table), 0)

/** The entry after this one, or null after the last. */
export const next = <A>(at: Walk<A>): Walk<A> | null => {
  const { map, bucket } = at
  if (bucket === null || map.table === null) return walkFlat(map, at.index + 1)
  if (at.index + 2 < bucket.length) return walkIn(map, bucket, at.index + 2)
  const after = Table.bucketAfter(map.table, bucket)
  return after === null ? null : walkIn(map, after, 0)
}

const walkFlat = <A>(map: StrMap<A>, index: number): Walk<A> | null =>
  index >= map.size
    ? null
    : { key: map.keys[index]!, value: map.values[index]!, map, bucket: null, index }

const walkIn = <A>(map: StrMap<A>, bucket: Table.Bucket<Entry<A>>, index: number): Walk<A> => {
  const entry = Table.itemAt(bucket, index)
  return { key: entry.key, value: entry.value, map, bucket, index }
}

// Never edited: every array that is written to was made for one map.
const none: never[] = []

const edit = <A>(map: StrMap<A>, owner: Owner | null): Draft<A> =>
  owner !== null && map.owner === owner ? map : {
    owner,
    seed: map.seed,
    size: map.size,
    keys: map.keys,
    values: map.values,
    table: map.table,
  }

const find = <A>(table: Table.Table<Entry<A>>, hash: number, key: string): Entry<A> | null => {
  const bucket = Table.bucketOf(table, hash)
  if (bucket === null) return null
  for (let i = 0; i < bucket.length; i += 2) {
    if (bucket[i] !== hash) continue
    const entry = Table.itemAt(bucket, i)
    if (entry.key === key) return entry
  }
  return null
}

const flatten = <A>(draft: Draft<A>): void => {
  const keys: string[] = []
  const values: A[] = []
  if (draft.table !== null) {
    Table.each(draft.table, (entry) => {
      keys.push(entry.key)
      values.push(entry.value)
    })
  }
  draft.table = null
  draft.keys = keys
  draft.values = values
}

const indexOf = (keys: string[], key: string): number => {
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] === key) return i
  }
  return -1
}

/** The hash of a key, 30 bits. */
export const hashOf = (seed: number, key: string): number => Table.hashOf(seed, key, 0, key.length)
