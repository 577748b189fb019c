// A persistent tree of topic levels that answers both questions of a broker: which filters match
// this name (`collect`, a tree of filters) and which names does this filter match (`cursor` and
// `take`, a tree of names). What hangs in it is the business of whoever hangs it there.
//
// With an owner token, nodes stamped with the token are edited in place and all others copied; so
// is the tree record itself, which makes it no key for a cache of matches. A value of undefined
// means that the key is absent: do not store it. Shared filters are to be split before they get
// here.

import { withItem, withoutItem } from '../data/items.ts'
import type { Owner } from '../data/owner.ts'
import * as StrMap from '../data/str-map.ts'
import type { Monoid } from '../prelude.ts'
import type { TopicFilter } from './filter.ts'
import type { TopicName } from './name.ts'

export interface Tree<A> {
  readonly owner: Owner | null
  readonly seed: number
  /** Keys that have a value. */
  readonly size: number
  readonly root: Node<A>
}

/** One level of one or more keys. No node but the root is without anything to hold. */
interface Node<A> {
  owner: Owner | null
  level: string
  /** The whole key where there is a value. */
  key: TopicFilter | TopicName | null
  value: A | undefined
  /** The value of the filter that goes on from here with `#`. */
  hash: A | undefined
  plus: Node<A> | null
  /** Children of literal levels: an array while they are few, then a map; the other is empty. */
  few: Array<Node<A>>
  many: StrMap.StrMap<Node<A>> | null
}

interface Draft<A> {
  owner: Owner | null
  seed: number
  size: number
  root: Node<A>
}

const fewMax = 8

/** With so few children a map becomes an array again; lower, not to go to and fro. */
const fewAgain = 4

/** An empty tree. `seed` should be a number that peers do not know. */
export const empty = <A>(seed: number): Tree<A> => ({
  owner: null,
  seed,
  size: 0,
  root: newNode<A>(null, ''),
})

export const size = <A>(tree: Tree<A>): number => tree.size

/** The value of exactly this key; wildcards in it stand for themselves. */
export const get = <A>(tree: Tree<A>, key: TopicFilter | TopicName): A | undefined => {
  let node = tree.root
  for (let start = 0; start <= key.length;) {
    const end = levelEnd(key, start)
    if (isHash(key, start)) return node.hash
    const child = childOf(node, key, start, end)
    if (child === null) return undefined
    node = child
    start = end + 1
  }
  return node.value
}

/** The tree with this value at the key. */
export const set = <A>(
  tree: Tree<A>,
  owner: Owner | null,
  key: TopicFilter | TopicName,
  value: A,
): Tree<A> => {
  const draft = edit(tree, owner)
  let node = own(draft.root, owner)
  draft.root = node
  for (let start = 0; start <= key.length;) {
    const end = levelEnd(key, start)
    if (isHash(key, start)) {
      if (node.hash === undefined) draft.size++
      node.hash = value
      return draft
    }
    const child = childOf(node, key, start, end)
    const next = child === null ? newNode<A>(owner, keep(key.slice(start, end))) : own(child, owner)
    if (child === null) link(node, owner, next, draft.seed)
    else if (next !== child) relink(node, owner, next)
    node = next
    start = end + 1
  }
  if (node.value === undefined) draft.size++
  node.value = value
  node.key = key
  return draft
}

/** The tree without the key and the levels only it had; the same tree where it is absent. */
export const remove = <A>(
  tree: Tree<A>,
  owner: Owner | null,
  key: TopicFilter | TopicName,
): Tree<A> => {
  if (get(tree, key) === undefined) return tree
  const cut = cutFor(tree, key)
  const draft = edit(tree, owner)
  draft.size--
  let node = own(draft.root, owner)
  draft.root = node
  for (let start = 0; start <= key.length;) {
    const end = levelEnd(key, start)
    if (isHash(key, start)) {
      node.hash = undefined
      return draft
    }
    const child = childOf(node, key, start, end)
    if (child === null) return draft // cannot be: the key was found
    if (start === cut) {
      unlink(node, owner, child)
      return draft
    }
    const next = own(child, owner)
    if (next !== child) relink(node, owner, next)
    node = next
    start = end + 1
  }
  node.value = undefined
  node.key = null
  return draft
}

/**
 * The values of all filters that match the name, lifted and joined by the monoid. The order is
 * fixed: at every level `#` comes first, then what goes on literally, then what goes on with `+`.
 */
export const collect = <A, B>(
  tree: Tree<A>,
  name: TopicName,
  monoid: Monoid<B>,
  lift: (value: A) => B,
): B => {
  let result = monoid.empty
  // Places where `+` branched off, to be gone to later; the depth of the name bounds it.
  let nodes: Array<Node<A>> | null = null
  let starts: number[] | null = null
  let node = tree.root
  let start = 0
  for (;;) {
    // A wildcard at the start leaves topics alone that begin with a dollar sign.
    const isHidden = start === 0 && isDollar(name) // [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
    if (node.hash !== undefined && !isHidden) result = monoid.concat(result, lift(node.hash))
    if (start <= name.length) {
      const end = levelEnd(name, start)
      const plus = isHidden ? null : node.plus
      const literal = literalOf(node, name, start, end)
      if (literal !== null) {
        if (plus !== null) {
          if (nodes === null || starts === null) {
            nodes = []
            starts = []
          }
          nodes.push(plus)
          starts.push(end + 1)
        }
        node = literal
        start = end + 1
        continue
      }
      if (plus !== null) {
        node = plus
        start = end + 1
        continue
      }
    } else if (node.value !== undefined) {
      result = monoid.concat(result, lift(node.value))
    }
    if (nodes === null || starts === null) return result
    const next = nodes.pop()
    const nextStart = starts.pop()
    if (next === undefined || nextStart === undefined) return result
    node = next
    start = nextStart
  }
}

/** A search under way for the names that a filter matches; a value, to be kept and used again. */
export interface Cursor<A> {
  readonly filter: TopicFilter
  readonly root: Node<A>
  readonly top: Frame<A> | null
}

export interface Found<A> {
  readonly topic: TopicName
  readonly value: A
}

/** What a search has left to do, a node or the rest of its children, on top of what comes after. */
interface Frame<A> {
  readonly node: Node<A>
  /** Where in the filter the levels below the node are, or `everything`. */
  readonly start: number
  /** `self` for the node itself, else the next of its few children. */
  readonly index: number
  /** The next of its many children. */
  readonly walk: StrMap.Walk<Node<A>> | null
  readonly below: Frame<A> | null
}

const everything = -1
const self = -1

/**
 * A search for all names in a tree of names that the filter matches. It costs nothing and copies
 * nothing, so the tree must not be edited in place while the cursor lives: whoever makes one in the
 * middle of a run goes on with a fresh owner, which seals the tree as it is.
 */
export const cursor = <A>(tree: Tree<A>, filter: TopicFilter): Cursor<A> => ({
  filter,
  root: tree.root,
  top: tree.size === 0 ? null : visitLater(tree.root, 0, null),
})

/**
 * Goes on with a search for at most so many nodes (at least one). Answers what it found and the
 * cursor that goes on from there, null where the search is over; the cursor given stays valid.
 */
export const take = <A>(
  at: Cursor<A>,
  visits: number,
): { readonly found: ReadonlyArray<Found<A>>; readonly rest: Cursor<A> | null } => {
  const { filter, root } = at
  const found: Array<Found<A>> = []
  let top = at.top
  for (let left = Math.max(1, visits); left > 0 && top !== null; left--) {
    if (top.index === self) {
      top = visit(top, filter, found)
      continue
    }
    const { node, start, index, walk, below }: Frame<A> = top
    const child: Node<A> | undefined = walk === null ? node.few[index] : walk.value
    if (child === undefined) {
      top = below
      continue
    }
    const nextWalk: StrMap.Walk<Node<A>> | null = walk === null ? null : StrMap.next(walk)
    const isLast = walk === null ? index + 1 === node.few.length : nextWalk === null
    top = isLast ? below : { node, start, index: index + 1, walk: nextWalk, below }
    // Children come only from a wildcard, and one at the start leaves some topics alone.
    if (node === root && isDollar(child.level)) continue // [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
    top = visitLater(child, start, top)
  }
  return { found, rest: top === null ? null : { filter, root, top } }
}

/** Does what there is to do at one node; answers what is on top then. */
const visit = <A>(frame: Frame<A>, filter: string, found: Array<Found<A>>): Frame<A> | null => {
  const { node, start, below } = frame
  if (start === everything || isHash(filter, start)) {
    report(node, found)
    return childrenLater(node, everything, below)
  }
  if (start > filter.length) {
    report(node, found)
    return below
  }
  const end = levelEnd(filter, start)
  if (isPlus(filter, start, end)) return childrenLater(node, end + 1, below)
  const child = literalOf(node, filter, start, end)
  return child === null ? below : visitLater(child, end + 1, below)
}

const report = <A>(node: Node<A>, found: Array<Found<A>>): void => {
  if (node.value === undefined || node.key === null) return
  // The tree is one of names: so says the contract of `cursor`.
  found.push({ topic: node.key as TopicName, value: node.value })
}

const visitLater = <A>(node: Node<A>, start: number, below: Frame<A> | null): Frame<A> => ({
  node,
  start,
  index: self,
  walk: null,
  below,
})

const childrenLater = <A>(
  node: Node<A>,
  start: number,
  below: Frame<A> | null,
): Frame<A> | null => {
  if (node.many !== null) return { node, start, index: 0, walk: StrMap.walk(node.many), below }
  return node.few.length === 0 ? below : { node, start, index: 0, walk: null, below }
}

const none: never[] = []

const newNode = <A>(owner: Owner | null, level: string): Node<A> => ({
  owner,
  level,
  key: null,
  value: undefined,
  hash: undefined,
  plus: null,
  few: none,
  many: null,
})

const edit = <A>(tree: Tree<A>, owner: Owner | null): Draft<A> =>
  owner !== null && tree.owner === owner
    ? tree
    : { owner, seed: tree.seed, size: tree.size, root: tree.root }

const own = <A>(node: Node<A>, owner: Owner | null): Node<A> => {
  if (owner !== null && node.owner === owner) return node
  const { level, key, value, hash, plus, few, many } = node
  return {
    owner,
    level,
    key,
    value,
    hash,
    plus,
    few: few.length === 0 ? none : few.slice(),
    many,
  }
}

/** The child for the level of `text` from start to end, where `+` stands for itself. */
const childOf = <A>(node: Node<A>, text: string, start: number, end: number): Node<A> | null =>
  isPlus(text, start, end) ? node.plus : literalOf(node, text, start, end)

const literalOf = <A>(node: Node<A>, text: string, start: number, end: number): Node<A> | null => {
  const { few, many } = node
  if (many !== null) return StrMap.get(many, text.slice(start, end)) ?? null
  if (few.length === 0) return null
  const level = text.slice(start, end)
  for (let i = 0; i < few.length; i++) {
    const child = few[i]!
    if (child.level === level) return child
  }
  return null
}

/** Hangs a new child below a node that may be edited. */
const link = <A>(node: Node<A>, owner: Owner | null, child: Node<A>, seed: number): void => {
  if (child.level === '+') {
    node.plus = child
    return
  }
  if (node.many !== null) {
    node.many = StrMap.set(node.many, owner, child.level, child)
    return
  }
  if (node.few.length < fewMax) {
    node.few = withItem(node.few, node.few.length, child)
    return
  }
  let many = StrMap.empty<Node<A>>(seed)
  for (let i = 0; i < node.few.length; i++) {
    const old = node.few[i]!
    many = StrMap.set(many, owner, old.level, old)
  }
  node.many = StrMap.set(many, owner, child.level, child)
  node.few = none
}

/** Puts the copy of a child in the place of the child. */
const relink = <A>(node: Node<A>, owner: Owner | null, child: Node<A>): void => {
  if (child.level === '+') node.plus = child
  else if (node.many !== null) node.many = StrMap.set(node.many, owner, child.level, child)
  else node.few[indexOf(node.few, child.level)] = child
}

const unlink = <A>(node: Node<A>, owner: Owner | null, child: Node<A>): void => {
  if (child.level === '+') {
    node.plus = null
    return
  }
  if (node.many === null) {
    const index = indexOf(node.few, child.level)
    node.few = node.few.length === 1 ? none : withoutItem(node.few, index)
    return
  }
  const many = StrMap.remove(node.many, owner, child.level)
  node.many = many
  if (StrMap.size(many) > fewAgain) return
  const few: Array<Node<A>> = []
  StrMap.each(many, (old) => few.push(old))
  node.few = few
  node.many = null
}

const indexOf = <A>(few: Array<Node<A>>, level: string): number => {
  let index = 0
  while (few[index]?.level !== level) index++
  return index
}

/**
 * Where in the key the level begins whose node is to go with the key: below the lowest node that
 * holds something else as well. Past the end of the key where every node on the way does.
 */
const cutFor = <A>(tree: Tree<A>, key: string): number => {
  let node = tree.root
  let cut = 0
  for (let start = 0; start <= key.length;) {
    if (isHash(key, start)) return isAlone(node) ? cut : start
    if (!isAlone(node)) cut = start
    const end = levelEnd(key, start)
    const child = childOf(node, key, start, end)
    if (child === null) return cut // cannot be: the key was found
    node = child
    start = end + 1
  }
  return isAlone(node) ? cut : key.length + 1
}

/** Whether a node on the way to a key holds nothing but the way, or at its end nothing but it. */
const isAlone = <A>(node: Node<A>): boolean => {
  if (node.many !== null) return false
  let held = node.few.length
  if (node.value !== undefined) held++
  if (node.hash !== undefined) held++
  if (node.plus !== null) held++
  return held === 1
}

const levelEnd = (text: string, start: number): number => {
  const end = text.indexOf('/', start)
  return end < 0 ? text.length : end
}

/** Where `#` stands it is the last level: the parsers saw to it. */
const isHash = (text: string, start: number): boolean => text.charCodeAt(start) === 0x23

const isPlus = (text: string, start: number, end: number): boolean =>
  end - start === 1 && text.charCodeAt(start) === 0x2b

const isDollar = (text: string): boolean => text.charCodeAt(0) === 0x24

/**
 * The level as a string of its own. From 13 characters on V8 makes a slice that keeps the whole key
 * alive, which a peer could use to make the tree hold far more than is counted.
 */
const keep = (level: string): string => level.length < 13 ? level : ` ${level}`.slice(1)
