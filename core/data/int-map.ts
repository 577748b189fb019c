// A persistent map from whole numbers, 0 to 2^30 - 1: up to eight entries in two flat arrays, more
// as a radix trie of 32-way nodes. The trie is made for keys that lie close together (slots,
// sessions, sequence numbers): the path to a key is as long as the largest key wants it, and nodes
// are not compressed.
//
// With an owner token, nodes stamped with the token are edited in place and all others copied; so
// is the map record itself. A value of undefined means that the key is absent: do not store it.

import { withItem, withoutItem } from './items.ts'
import type { Owner } from './owner.ts'

export interface IntMap<A> {
  readonly owner: Owner | null
  readonly size: number
  /** Where the map is small its keys, ascending, and values by position. */
  readonly keys: number[]
  readonly values: A[]
  /** Where it is not, the root of the trie. */
  readonly node: Node<A> | null
  /** How far a key is shifted at the root: 0, 5, ..., 25. Keys below 2^(shift + 5) fit. */
  readonly shift: number
}

/** A node above has children, a node at shift 0 has values; the other array is `none`. */
interface Node<A> {
  owner: Owner | null
  /** Children or values that are there. */
  count: number
  children: Array<Node<A> | undefined>
  values: Array<A | undefined>
}

interface Draft<A> {
  owner: Owner | null
  size: number
  keys: number[]
  values: A[]
  node: Node<A> | null
  shift: number
}

const smallMax = 8

/** With so few entries a trie becomes flat again; lower than smallMax, not to go to and fro. */
const smallAgain = 4

/** One above the largest key. */
export const keyLimit = 2 ** 30

export const empty = <A>(): IntMap<A> => nothing

export const size = <A>(map: IntMap<A>): number => map.size

export const get = <A>(map: IntMap<A>, key: number): A | undefined => {
  let node: Node<A> | null | undefined = map.node
  if (node === null) {
    const { keys } = map
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === key) return map.values[i]
    }
    return undefined
  }
  let shift = map.shift
  // Shifts are modulo 32, but shift + 5 is at most 30.
  if (key >>> (shift + 5) !== 0) return undefined
  for (; shift > 0; shift -= 5) {
    node = node.children[(key >>> shift) & 31]
    if (node === undefined) return undefined
  }
  return node.values[key & 31]
}

/**
 * The first key from `from` on that has no value. Behind the largest key they come round again: a
 * busy broker that numbers what comes and goes gets there in months.
 */
export const freeKey = <A>(map: IntMap<A>, from: number): number => {
  let key = from
  while (get(map, key) !== undefined) key = (key + 1) % keyLimit
  return key
}

/** The map with this value at the key; throws a RangeError where the key is out of range. */
export const set = <A>(map: IntMap<A>, owner: Owner | null, key: number, value: A): IntMap<A> => {
  if (key >>> 30 !== 0) throw new RangeError(`key ${key} is not below 2^30`)
  const draft = edit(map, owner)
  if (draft.node !== null) {
    setInTrie(draft, draft.node, owner, key, value)
    return draft
  }
  const { keys, values } = draft
  const index = placeOf(keys, key)
  if (index < keys.length && keys[index] === key) {
    draft.values = values.slice()
    draft.values[index] = value
    return draft
  }
  if (keys.length < smallMax) {
    draft.keys = withItem(keys, index, key)
    draft.values = withItem(values, index, value)
    draft.size++
    return draft
  }
  draft.keys = none
  draft.values = none
  draft.size = 0
  let root: Node<A> = leaf(owner)
  for (let i = 0; i < keys.length; i++) root = setInTrie(draft, root, owner, keys[i]!, values[i]!)
  setInTrie(draft, root, owner, key, value)
  return draft
}

/** The map without the key; the same map where the key is absent. */
export const remove = <A>(map: IntMap<A>, owner: Owner | null, key: number): IntMap<A> => {
  if (get(map, key) === undefined) return map
  const draft = edit(map, owner)
  draft.size--
  if (draft.node === null) {
    const index = placeOf(draft.keys, key)
    draft.keys = draft.size === 0 ? none : withoutItem(draft.keys, index)
    draft.values = draft.size === 0 ? none : withoutItem(draft.values, index)
    return draft
  }
  removeFromTrie(draft, draft.node, owner, key)
  if (draft.size <= smallAgain) flatten(draft)
  return draft
}

/** Keys and values in ascending order of the keys. */
export function* entries<A>(map: IntMap<A>): IterableIterator<[number, A]> {
  for (let i = 0; i < map.keys.length; i++) yield [map.keys[i]!, map.values[i]!]
  for (let leaf = leafFrom(map, 0); leaf !== null; leaf = leafFrom(map, leaf.key + 32)) {
    const values = leaf.node.values
    for (let i = 0; i < 32; i++) {
      const value = values[i]
      if (value !== undefined) yield [leaf.key + i, value]
    }
  }
}

/** Calls `f` for every entry in ascending order of the keys. */
export const each = <A>(map: IntMap<A>, f: (value: A, key: number) => void): void => {
  for (let i = 0; i < map.keys.length; i++) f(map.values[i]!, map.keys[i]!)
  for (let leaf = leafFrom(map, 0); leaf !== null; leaf = leafFrom(map, leaf.key + 32)) {
    const values = leaf.node.values
    for (let i = 0; i < 32; i++) {
      const value = values[i]
      if (value !== undefined) f(value, leaf.key + i)
    }
  }
}

/** The entry with the smallest key that is not below this one. */
export const firstFrom = <A>(map: IntMap<A>, from: number): readonly [number, A] | undefined => {
  for (let i = 0; i < map.keys.length; i++) {
    if (map.keys[i]! >= from) return [map.keys[i]!, map.values[i]!]
  }
  const start = from - from % 32
  for (let leaf = leafFrom(map, start); leaf !== null; leaf = leafFrom(map, leaf.key + 32)) {
    for (let i = leaf.key === start ? from - start : 0; i < 32; i++) {
      const value = leaf.node.values[i]
      if (value !== undefined) return [leaf.key + i, value]
    }
  }
  return undefined
}

/** The entry with the smallest key. */
export const first = <A>(map: IntMap<A>): readonly [number, A] | undefined => {
  if (map.keys.length > 0) return [map.keys[0]!, map.values[0]!]
  const leaf = leafFrom(map, 0)
  if (leaf === null) return undefined
  for (let i = 0; i < 32; i++) {
    const value = leaf.node.values[i]
    if (value !== undefined) return [leaf.key + i, value]
  }
  return undefined
}

/** The entry with the smallest key above `after`, which may be -1 and need not be there. */
export const next = <A>(map: IntMap<A>, after: number): readonly [number, A] | undefined => {
  const { keys } = map
  for (let i = 0; i < keys.length; i++) {
    if (keys[i]! > after) return [keys[i]!, map.values[i]!]
  }
  const from = after + 1
  let leaf = leafFrom(map, from - from % 32)
  for (; leaf !== null; leaf = leafFrom(map, leaf.key + 32)) {
    for (let i = Math.max(0, from - leaf.key); i < 32; i++) {
      const value = leaf.node.values[i]
      if (value !== undefined) return [leaf.key + i, value]
    }
  }
  return undefined
}

// Arrays of 32 are made by slicing `blank`, which keeps one kind of array for V8 everywhere.
const none: never[] = []
const blank: undefined[] = Array.from({ length: 32 }, () => undefined)

const nothing: IntMap<never> = {
  owner: null,
  size: 0,
  keys: none,
  values: none,
  node: null,
  shift: 0,
}

const branch = <A>(owner: Owner | null): Node<A> => ({
  owner,
  count: 0,
  children: blank.slice(),
  values: none,
})

const leaf = <A>(owner: Owner | null): Node<A> => ({
  owner,
  count: 0,
  children: none,
  values: blank.slice(),
})

/** The map itself where the owner may edit it, else a copy stamped with the owner. */
const edit = <A>(map: IntMap<A>, owner: Owner | null): Draft<A> =>
  owner !== null && map.owner === owner ? map : {
    owner,
    size: map.size,
    keys: map.keys,
    values: map.values,
    node: map.node,
    shift: map.shift,
  }

const own = <A>(node: Node<A>, owner: Owner | null): Node<A> => {
  if (owner !== null && node.owner === owner) return node
  return {
    owner,
    count: node.count,
    children: node.children.length === 0 ? none : node.children.slice(),
    values: node.values.length === 0 ? none : node.values.slice(),
  }
}

/** Where a key is in ascending ones, or belongs. */
const placeOf = (keys: ReadonlyArray<number>, key: number): number => {
  let index = 0
  while (index < keys.length && keys[index]! < key) index++
  return index
}

/** Makes what stands below `from` the trie of the draft, with this value at the key; its root. */
const setInTrie = <A>(
  draft: Draft<A>,
  from: Node<A>,
  owner: Owner | null,
  key: number,
  value: A,
): Node<A> => {
  let root = from
  while (key >>> (draft.shift + 5) !== 0) {
    // An empty root is no use as a child.
    const count = root.count === 0 ? 0 : 1
    const above = branch<A>(owner)
    if (count === 1) above.children[0] = root
    above.count = count
    root = above
    draft.shift += 5
  }
  root = own(root, owner)
  draft.node = root
  let node = root
  for (let shift = draft.shift; shift > 0; shift -= 5) {
    const index = (key >>> shift) & 31
    const child = node.children[index]
    let next: Node<A>
    if (child === undefined) {
      next = shift === 5 ? leaf(owner) : branch(owner)
      node.count++
    } else {
      next = own(child, owner)
    }
    node.children[index] = next
    node = next
  }
  const index = key & 31
  if (node.values[index] === undefined) {
    node.count++
    draft.size++
  }
  node.values[index] = value
  return root
}

/** Takes a key that is there out of the trie of the draft, which keeps others. */
const removeFromTrie = <A>(
  draft: Draft<A>,
  root: Node<A>,
  owner: Owner | null,
  key: number,
): void => {
  // Below the lowest node that keeps something else, everything goes with the key.
  let cut = draft.shift
  let seen: Node<A> | undefined = root
  for (let shift = draft.shift; seen !== undefined; shift -= 5) {
    if (seen.count > 1) cut = shift
    seen = shift > 0 ? seen.children[(key >>> shift) & 31] : undefined
  }
  let node = own(root, owner)
  draft.node = node
  for (let shift = draft.shift; shift > cut; shift -= 5) {
    const index = (key >>> shift) & 31
    const child = node.children[index]
    if (child === undefined) return // cannot be: the key was found
    const next = own(child, owner)
    node.children[index] = next
    node = next
  }
  const index = (key >>> cut) & 31
  if (cut > 0) node.children[index] = undefined
  else node.values[index] = undefined
  node.count--
  lower(draft, draft.node)
}

/** Takes roots away that have nothing but a first child: a trie is as high as its keys want. */
const lower = <A>(draft: Draft<A>, from: Node<A>): void => {
  let root = from
  while (draft.shift > 0 && root.count === 1) {
    const child = root.children[0]
    if (child === undefined) break
    root = child
    draft.shift -= 5
  }
  draft.node = root
}

const flatten = <A>(draft: Draft<A>): void => {
  const keys: number[] = []
  const values: A[] = []
  each(draft, (value, key) => {
    keys.push(key)
    values.push(value)
  })
  draft.keys = keys
  draft.values = values
  draft.node = null
  draft.shift = 0
}

/** The first leaf that holds a key not below `from` (a multiple of 32), with its first key. */
const leafFrom = <A>(
  map: IntMap<A>,
  from: number,
): { readonly key: number; readonly node: Node<A> } | null => {
  if (map.node === null) return null
  let key = from
  search: while (key >>> (map.shift + 5) === 0) {
    let node: Node<A> = map.node
    for (let shift = map.shift; shift > 0; shift -= 5) {
      let index = (key >>> shift) & 31
      let child = node.children[index]
      while (child === undefined) {
        index++
        if (index === 32) {
          // Nothing more in this node: go on behind the last key it could have.
          key = ((key >>> (shift + 5)) + 1) * 2 ** (shift + 5)
          continue search
        }
        child = node.children[index]
        key = ((key >>> (shift + 5)) * 32 + index) * 2 ** shift
      }
      node = child
    }
    return { key, node }
  }
  return null
}
