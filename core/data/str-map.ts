// A persistent map from strings of any kind, as a hash trie (HAMT) with a seeded hash, so that a
// peer who chooses the keys cannot choose where they fall. Up to eight entries lie in two flat
// arrays.
//
// With an owner token, nodes stamped with the token are edited in place and all others copied; so
// is the map record itself. A value of undefined means that the key is absent: do not store it. The
// order of entries is fixed by the seed and the history of the map, and by nothing else.

import { withItem, withoutItem } from './items.ts'
import type { Owner } from './owner.ts'

export interface StrMap<A> {
  readonly owner: Owner | null
  readonly seed: number
  readonly size: number
  /** Where the map is small its keys and values by position, in order of adding. */
  readonly keys: string[]
  readonly values: A[]
  /** Where it is not, the root of the trie. */
  readonly root: Branch<A> | null
}

interface Branch<A> {
  readonly isLeaf: false
  owner: Owner | null
  /** One bit for each slot that is there, the slots lying in order of their bits. */
  bitmap: number
  slots: Array<Branch<A> | Leaf<A>>
}

/** Leaves are never edited. Keys whose whole hashes are equal hang in one chain. */
interface Leaf<A> {
  readonly isLeaf: true
  readonly hash: number
  readonly key: string
  readonly value: A
  readonly next: Leaf<A> | null
}

interface Draft<A> {
  owner: Owner | null
  seed: number
  size: number
  keys: string[]
  values: A[]
  root: Branch<A> | null
}

const smallMax = 8

/** Below this a trie becomes flat again; lower than smallMax, not to go to and fro. */
const smallAgain = 4

/** An empty map. `seed` should be a number that peers do not know; 32 bits of it are used. */
export const empty = <A>(seed: number): StrMap<A> => ({
  owner: null,
  seed: seed | 0,
  size: 0,
  keys: none,
  values: none,
  root: null,
})

export const size = <A>(map: StrMap<A>): number => map.size

export const get = <A>(map: StrMap<A>, key: string): A | undefined => {
  const root = map.root
  if (root === null) {
    const index = indexOf(map.keys, key)
    return index < 0 ? undefined : map.values[index]
  }
  const hash = hashOf(map.seed, key)
  let branch = root
  for (let shift = 0;; shift += 5) {
    const bit = 1 << ((hash >>> shift) & 31)
    if ((branch.bitmap & bit) === 0) return undefined
    const slot = branch.slots[countBits(branch.bitmap & (bit - 1))]!
    if (!slot.isLeaf) {
      branch = slot
      continue
    }
    if (slot.hash !== hash) return undefined
    let leaf: Leaf<A> | null = slot
    while (leaf !== null && leaf.key !== key) leaf = leaf.next
    return leaf === null ? undefined : leaf.value
  }
}

/** The map with this value at the key. */
export const set = <A>(map: StrMap<A>, owner: Owner | null, key: string, value: A): StrMap<A> => {
  const draft = edit(map, owner)
  if (draft.root !== null) {
    draft.root = ownBranch(draft.root, owner)
    if (setInTrie(draft.root, owner, newLeaf(hashOf(draft.seed, key), key, value, null))) {
      draft.size++
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
    if (mine && draft.size > 0) {
      draft.keys.push(key)
      draft.values.push(value)
    } else {
      draft.keys = withItem(draft.keys, draft.size, key)
      draft.values = withItem(draft.values, draft.size, value)
    }
    draft.size++
    return draft
  }
  const root = newBranch<A>(owner, 0, [])
  for (let i = 0; i < draft.size; i++) {
    const old = draft.keys[i]!
    setInTrie(root, owner, newLeaf(hashOf(draft.seed, old), old, draft.values[i]!, null))
  }
  setInTrie(root, owner, newLeaf(hashOf(draft.seed, key), key, value, null))
  draft.root = root
  draft.keys = none
  draft.values = none
  draft.size++
  return draft
}

/** The map without the key; the same map where the key is absent. */
export const remove = <A>(map: StrMap<A>, owner: Owner | null, key: string): StrMap<A> => {
  if (map.root === null) {
    const index = indexOf(map.keys, key)
    if (index < 0) return map
    const draft = edit(map, owner)
    draft.keys = withoutItem(draft.keys, index)
    draft.values = withoutItem(draft.values, index)
    draft.size--
    return draft
  }
  if (get(map, key) === undefined) return map
  const draft = edit(map, owner)
  const root = ownBranch(map.root, owner)
  draft.root = root
  removeFromTrie(root, owner, hashOf(map.seed, key), key)
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
  if (map.root === null) {
    for (let i = 0; i < map.size; i++) f(map.values[i]!, map.keys[i]!)
    return
  }
  eachLeaf(map.root, f)
}

/**
 * A place in a walk through a map that can be kept as long as one likes, since it is a value: the
 * map it was made from must not be edited in place afterwards, so let go of its owner first.
 */
export interface Walk<A> {
  readonly key: string
  readonly value: A
  readonly map: StrMap<A>
  /** Position in the flat arrays, -1 in a trie. */
  readonly index: number
  readonly leaf: Leaf<A> | null
  readonly step: Step<A> | null
}

interface Step<A> {
  readonly branch: Branch<A>
  readonly index: number
  readonly up: Step<A> | null
}

/** The first entry of the map, or null where it is empty. */
export const walk = <A>(map: StrMap<A>): Walk<A> | null =>
  map.root === null ? walkFlat(map, 0) : walkDown(map, { branch: map.root, index: 0, up: null })

/** The entry after this one, or null after the last. */
export const next = <A>(at: Walk<A>): Walk<A> | null => {
  if (at.leaf === null || at.step === null) return walkFlat(at.map, at.index + 1)
  const chained = at.leaf.next
  if (chained !== null) return walkTo(at.map, chained, at.step)
  let step: Step<A> | null = at.step
  while (step !== null && step.index + 1 === step.branch.slots.length) step = step.up
  if (step === null) return null
  return walkDown(at.map, { branch: step.branch, index: step.index + 1, up: step.up })
}

const walkFlat = <A>(map: StrMap<A>, index: number): Walk<A> | null =>
  index >= map.size
    ? null
    : { key: map.keys[index]!, value: map.values[index]!, map, index, leaf: null, step: null }

const walkDown = <A>(map: StrMap<A>, from: Step<A>): Walk<A> => {
  let step = from
  for (;;) {
    const slot: Branch<A> | Leaf<A> = step.branch.slots[step.index]!
    if (slot.isLeaf) return walkTo(map, slot, step)
    step = { branch: slot, index: 0, up: step }
  }
}

const walkTo = <A>(map: StrMap<A>, leaf: Leaf<A>, step: Step<A>): Walk<A> => ({
  key: leaf.key,
  value: leaf.value,
  map,
  index: -1,
  leaf,
  step,
})

// Never edited: every array that is written to was made for one map.
const none: never[] = []

const newLeaf = <A>(hash: number, key: string, value: A, next: Leaf<A> | null): Leaf<A> => ({
  isLeaf: true,
  hash,
  key,
  value,
  next,
})

const newBranch = <A>(
  owner: Owner | null,
  bitmap: number,
  slots: Array<Branch<A> | Leaf<A>>,
): Branch<A> => ({ isLeaf: false, owner, bitmap, slots })

const edit = <A>(map: StrMap<A>, owner: Owner | null): Draft<A> =>
  owner !== null && map.owner === owner ? map : {
    owner,
    seed: map.seed,
    size: map.size,
    keys: map.keys,
    values: map.values,
    root: map.root,
  }

const ownBranch = <A>(branch: Branch<A>, owner: Owner | null): Branch<A> =>
  owner !== null && branch.owner === owner
    ? branch
    : newBranch(owner, branch.bitmap, branch.slots.slice())

/** Puts a leaf (without a chain) below a branch that may be edited; whether its key is new. */
const setInTrie = <A>(root: Branch<A>, owner: Owner | null, leaf: Leaf<A>): boolean => {
  const { hash, key } = leaf
  let branch = root
  for (let shift = 0;; shift += 5) {
    const bit = 1 << ((hash >>> shift) & 31)
    const index = countBits(branch.bitmap & (bit - 1))
    if ((branch.bitmap & bit) === 0) {
      branch.slots = withItem(branch.slots, index, leaf)
      branch.bitmap |= bit
      return true
    }
    const slot = branch.slots[index]!
    if (!slot.isLeaf) {
      const child = ownBranch(slot, owner)
      branch.slots[index] = child
      branch = child
      continue
    }
    if (slot.hash === hash) {
      const rest = without(slot, key)
      branch.slots[index] = newLeaf(hash, key, leaf.value, rest)
      return chainLength(rest) === chainLength(slot)
    }
    // Two hashes in one slot: a branch between, and more while they go on agreeing.
    const slotBit = 1 << ((slot.hash >>> (shift + 5)) & 31)
    const child = newBranch<A>(owner, slotBit, withItem<Branch<A> | Leaf<A>>(none, 0, slot))
    branch.slots[index] = child
    branch = child
  }
}

/** Takes a key that is there out of a trie whose root may be edited. */
const removeFromTrie = <A>(
  root: Branch<A>,
  owner: Owner | null,
  hash: number,
  key: string,
): void => {
  // The branch to cut is the lowest that keeps something besides the way to the key.
  let cut = 0
  let seen: Branch<A> | Leaf<A> = root
  for (let shift = 0; !seen.isLeaf; shift += 5) {
    if (seen.slots.length > 1) cut = shift
    seen = seen.slots[slotIndex(seen, hash, shift)]!
  }
  const rest = without(seen, key)
  let branch = root
  for (let shift = 0;; shift += 5) {
    const index = slotIndex(branch, hash, shift)
    const slot = branch.slots[index]!
    if (slot.isLeaf || (rest === null && shift === cut)) {
      if (rest !== null) {
        branch.slots[index] = rest
      } else {
        branch.slots = withoutItem(branch.slots, index)
        branch.bitmap &= ~(1 << ((hash >>> shift) & 31))
      }
      return
    }
    const child = ownBranch(slot, owner)
    branch.slots[index] = child
    branch = child
  }
}

const slotIndex = <A>(branch: Branch<A>, hash: number, shift: number): number =>
  countBits(branch.bitmap & ((1 << ((hash >>> shift) & 31)) - 1))

/** The chain without the key; chains are as short as whole hashes seldom collide. */
const without = <A>(chain: Leaf<A>, key: string): Leaf<A> | null => {
  let rest: Leaf<A> | null = null
  for (let leaf: Leaf<A> | null = chain; leaf !== null; leaf = leaf.next) {
    if (leaf.key !== key) rest = newLeaf(leaf.hash, leaf.key, leaf.value, rest)
  }
  return rest
}

const chainLength = <A>(chain: Leaf<A> | null): number => {
  let count = 0
  for (let leaf = chain; leaf !== null; leaf = leaf.next) count++
  return count
}

const flatten = <A>(draft: Draft<A>): void => {
  const keys: string[] = []
  const values: A[] = []
  if (draft.root !== null) {
    eachLeaf(draft.root, (value: A, key) => {
      keys.push(key)
      values.push(value)
    })
  }
  draft.root = null
  draft.keys = keys
  draft.values = values
}

/** Recursion here is at most eight deep: a hash has 32 bits and each branch takes five. */
const eachLeaf = <A>(branch: Branch<A>, f: (value: A, key: string) => void): void => {
  const { slots } = branch
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    if (!slot.isLeaf) {
      eachLeaf(slot, f)
      continue
    }
    for (let leaf: Leaf<A> | null = slot; leaf !== null; leaf = leaf.next) f(leaf.value, leaf.key)
  }
}

const indexOf = (keys: string[], key: string): number => {
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] === key) return i
  }
  return -1
}

/** The number of one bits, by adding neighbours: pairs, fours, eights. */
const countBits = (bits: number): number => {
  let n = bits - ((bits >>> 1) & 0x55555555)
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333)
  n = (n + (n >>> 4)) & 0x0f0f0f0f
  return Math.imul(n, 0x01010101) >>> 24
}

/**
 * A keyed hash of 32 bits: the seed is both where it starts and what it multiplies by, and each
 * step folds high bits down, so that no two strings collide under every seed. Two that do cost time
 * only.
 */
export const hashOf = (seed: number, key: string): number => {
  const multiplier = (Math.imul(seed, 0x9e3779b1) ^ 0x27d4eb2d) | 1
  let hash = seed ^ key.length
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), multiplier)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0x85ebca6b)
  return hash ^ (hash >>> 16)
}
