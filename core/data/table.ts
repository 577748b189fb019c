// What string maps and the levels of topics have in common: a persistent table of items under their
// hashes. Up to 32 items are a bucket, one flat array in order of adding; more are branches of 32
// tables each, by five bits of the hash from the highest down. So an item is found in few steps
// through memory, and hardly anything is spent on it besides its place.
//
// Items are told apart by identity and compared by whoever put them here: hashes may be equal.
// Their order is fixed by their hashes and the history of the table. With an owner token, branches
// stamped with the token are edited in place and all others copied; buckets are never edited.

import { withoutPair, withPair } from './items.ts'
import type { Owner } from './owner.ts'

export type Table<T extends object> = Bucket<T> | Branch<T>

/** By turns the hash of an item and the item: see `itemAt`. */
export type Bucket<T extends object> = ReadonlyArray<number | T>

interface Branch<T extends object> {
  owner: Owner | null
  /** Items in all tables below. */
  count: number
  readonly tables: Array<Table<T> | null>
}

/** Hashes are whole numbers below this: small integers wherever JavaScript runs. */
const hashLimit = 2 ** 30

/** Where the bits of the root branch are in a hash. */
const rootShift = 25

/** More items than this make a bucket a branch, unless the bits of its hashes are used up. */
const bucketMax = 32

/** With so few items a branch becomes a bucket again; lower, not to go to and fro. */
const bucketAgain = 16

/**
 * A keyed hash of the text from `start` to `end`, below 2^30: the seed is both where it starts and
 * what it multiplies by, and each step folds high bits down, so that no two strings collide under
 * every seed. Two that do cost time only.
 */
export const hashOf = (seed: number, text: string, start: number, end: number): number => {
  const multiplier = (Math.imul(seed, 0x9e3779b1) ^ 0x27d4eb2d) | 1
  let hash = seed ^ (end - start)
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), multiplier)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 16)) >>> 2
}

export const size = <T extends object>(table: Table<T>): number =>
  isBranch(table) ? table.count : table.length >> 1

/** The item whose hash is at an even index of the bucket. */
export const itemAt = <T extends object>(bucket: Bucket<T>, index: number): T =>
  bucket[index + 1] as T // such are the odd ones

/** The bucket that has all items of this hash, if there are any, among others. */
export const bucketOf = <T extends object>(table: Table<T>, hash: number): Bucket<T> | null => {
  let at: Table<T> | null = table
  for (let shift = rootShift; at !== null; shift -= 5) {
    if (!isBranch(at)) return at
    at = at.tables[(hash >>> shift) & 31]!
  }
  return null
}

/** The table with one more item. */
export const insert = <T extends object>(
  table: Table<T> | null,
  owner: Owner | null,
  hash: number,
  item: T,
): Table<T> => {
  if (table === null) return withPair<number | T>(none, hash, item)
  let root = table
  let above: Branch<T> | null = null
  let at = table
  for (let shift = rootShift;; shift -= 5) {
    if (!isBranch(at) && (at.length < 2 * bucketMax || shift < 0)) {
      const grown = withPair<number | T>(at, hash, item)
      if (above === null) return grown
      above.tables[(hash >>> (shift + 5)) & 31] = grown
      return root
    }
    const branch: Branch<T> = isBranch(at) ? own(at, owner) : split(at, owner, shift)
    if (above === null) root = branch
    else above.tables[(hash >>> (shift + 5)) & 31] = branch
    branch.count++
    const next: Table<T> | null = branch.tables[(hash >>> shift) & 31]!
    if (next === null) {
      branch.tables[(hash >>> shift) & 31] = withPair<number | T>(none, hash, item)
      return root
    }
    above = branch
    at = next
  }
}

/** The table with another item in the place of one that is in it under the same hash. */
export const replace = <T extends object>(
  table: Table<T>,
  owner: Owner | null,
  hash: number,
  old: T,
  item: T,
): Table<T> => {
  let root = table
  let above: Branch<T> | null = null
  let at = table
  for (let shift = rootShift;; shift -= 5) {
    if (!isBranch(at)) {
      const changed = at.slice()
      changed[at.indexOf(old)] = item
      if (above === null) return changed
      above.tables[(hash >>> (shift + 5)) & 31] = changed
      return root
    }
    const branch: Branch<T> = own(at, owner)
    if (above === null) root = branch
    else above.tables[(hash >>> (shift + 5)) & 31] = branch
    above = branch
    at = branch.tables[(hash >>> shift) & 31]!
  }
}

/** The table without an item that is in it under this hash; null where nothing is left. */
export const remove = <T extends object>(
  table: Table<T>,
  owner: Owner | null,
  hash: number,
  item: T,
): Table<T> | null => {
  let root = table
  let above: Branch<T> | null = null
  let at = table
  for (let shift = rootShift;; shift -= 5) {
    if (!isBranch(at) || at.count <= bucketAgain + 1) {
      const bucket = isBranch(at) ? flat(at) : at
      const less = bucket.length === 2 ? null : withoutPair(bucket, bucket.indexOf(item) - 1)
      if (above === null) return less
      above.tables[(hash >>> (shift + 5)) & 31] = less
      return root
    }
    const branch: Branch<T> = own(at, owner)
    if (above === null) root = branch
    else above.tables[(hash >>> (shift + 5)) & 31] = branch
    branch.count--
    above = branch
    at = branch.tables[(hash >>> shift) & 31]!
  }
}

/** The first bucket of all, which has something in it: no table is empty. */
export const firstBucket = <T extends object>(table: Table<T>): Bucket<T> => bucketFrom(table, 0)!

/** The bucket after this one in the same table, or null after the last. */
export const bucketAfter = <T extends object>(
  table: Table<T>,
  bucket: Bucket<T>,
): Bucket<T> | null => {
  const hash = hashIn(bucket)
  let at: Table<T> | null = table
  let shift = rootShift
  for (; at !== null && isBranch(at); shift -= 5) at = at.tables[(hash >>> shift) & 31]!
  return bucketFrom(table, behind(hash, shift + 5))
}

/** Whether an item of the table, under its hash, comes before the one at an index of a bucket. */
export const isBefore = <T extends object>(
  table: Table<T>,
  hash: number,
  item: T,
  bucket: Bucket<T>,
  index: number,
): boolean => {
  const own = bucketOf(table, hash)!
  return own === bucket ? own.indexOf(item) < index : hashIn(own) < hashIn(bucket)
}

/** Calls `f` for every item in order. */
export const each = <T extends object>(table: Table<T>, f: (item: T) => void): void => {
  let bucket: Bucket<T> | null = firstBucket(table)
  while (bucket !== null) {
    for (let i = 0; i < bucket.length; i += 2) f(itemAt(bucket, i))
    bucket = bucketAfter(table, bucket)
  }
}

/** The first bucket for hashes not below `from`, which no bucket has on both its sides. */
const bucketFrom = <T extends object>(table: Table<T>, from: number): Bucket<T> | null => {
  let hash = from
  search: while (hash < hashLimit) {
    let at: Table<T> = table
    for (let shift = rootShift; isBranch(at); shift -= 5) {
      let slot = (hash >>> shift) & 31
      let next: Table<T> | null = at.tables[slot]!
      while (next === null) {
        hash = behind(hash, shift)
        slot++
        // Nothing more in this branch: from the root again, behind it.
        if (slot === 32) continue search
        next = at.tables[slot]!
      }
      at = next
    }
    return at
  }
  return null
}

/** The first hash whose bits above `shift` are not those of this one. */
const behind = (hash: number, shift: number): number => ((hash >>> shift) + 1) * 2 ** shift

/** The hash of the first item; no bucket is empty. */
const hashIn = <T extends object>(bucket: Bucket<T>): number => bucket[0] as number

const isBranch = <T extends object>(table: Table<T>): table is Branch<T> => !Array.isArray(table)

const none: never[] = []

const noTables: null[] = Array.from({ length: 32 }, () => null)

const own = <T extends object>(branch: Branch<T>, owner: Owner | null): Branch<T> =>
  owner !== null && branch.owner === owner
    ? branch
    : { owner, count: branch.count, tables: branch.tables.slice() }

/** The items of a bucket under a branch, in the same order wherever they meet again. */
const split = <T extends object>(
  bucket: Bucket<T>,
  owner: Owner | null,
  shift: number,
): Branch<T> => {
  const buckets: Array<Bucket<T> | null> = noTables.slice()
  for (let i = 0; i < bucket.length; i += 2) {
    const hash = bucket[i] as number
    const slot = (hash >>> shift) & 31
    buckets[slot] = withPair<number | T>(buckets[slot] ?? none, hash, itemAt(bucket, i))
  }
  return { owner, count: bucket.length >> 1, tables: buckets }
}

/** The few items of a branch in one bucket. */
const flat = <T extends object>(branch: Branch<T>): Bucket<T> => {
  const bucket: Array<number | T> = []
  gather(branch, bucket)
  return bucket
}

/** Recursion here is at most six deep: a hash has 30 bits and each branch takes five. */
const gather = <T extends object>(table: Table<T>, bucket: Array<number | T>): void => {
  if (!isBranch(table)) {
    for (let i = 0; i < table.length; i++) bucket.push(table[i]!)
    return
  }
  for (let i = 0; i < table.tables.length; i++) {
    const below: Table<T> | null = table.tables[i]!
    if (below !== null) gather(below, bucket)
  }
}
