// A persistent tree of topic levels that answers both questions of a broker: which filters match
// this name (`find`, a tree of filters) and which names does this filter match (`cursor` and
// `take`, a tree of names). What hangs in it is the business of whoever hangs it there.
//
// A key that shares no further level with another hangs as one leaf below the levels that it does
// share: most keys cost no node of their own. The children of a node lie in a table under the
// hashes of their levels.
//
// With an owner token, nodes stamped with the token are edited in place and all others copied; so
// is the tree record itself, which makes it no key for a cache of matches. A value of undefined
// means that the key is absent: do not store it. Shared filters are to be split before they get
// here.

import type { Owner } from '../data/owner.ts'
import * as Table from '../data/table.ts'
import type { TopicFilter } from './filter.ts'
import { match } from './match.ts'
import type { TopicName } from './name.ts'

export interface Tree<A> {
  readonly owner: Owner | null
  readonly seed: number
  /** Keys that have a value. */
  readonly size: number
  readonly root: Node<A>
}

/** A key with its value, hung where no other key goes on; never edited. */
interface Leaf<A> {
  readonly isLeaf: true
  readonly key: TopicFilter | TopicName
  readonly value: A
}

/**
 * A level that keys share. Any node but the root holds two things or more, or another node: what
 * would hold a single leaf is that leaf.
 */
interface Node<A> {
  readonly isLeaf: false
  owner: Owner | null
  readonly level: string
  /** The key that ends here. */
  end: Leaf<A> | null
  /** The filter that goes on from here with `#`. */
  hash: Leaf<A> | null
  plus: Child<A> | null
  /** Children of literal levels, under the hashes of their levels. */
  literals: Table.Table<Child<A>> | null
}

type Child<A> = Leaf<A> | Node<A>

interface Draft<A> {
  owner: Owner | null
  seed: number
  size: number
  root: Node<A>
}

/** An empty tree. `seed` should be a number that peers do not know. */
export const empty = <A>(seed: number): Tree<A> => ({
  owner: null,
  seed: seed | 0,
  size: 0,
  root: newNode<A>(null, ''),
})

export const size = <A>(tree: Tree<A>): number => tree.size

/** The value of exactly this key; wildcards in it stand for themselves. */
export const get = <A>(tree: Tree<A>, key: TopicFilter | TopicName): A | undefined => {
  const leaf = leafOf(tree, key)
  return leaf === null ? undefined : leaf.value
}

/** The tree with this value at the key. */
export const set = <A>(
  tree: Tree<A>,
  owner: Owner | null,
  key: TopicFilter | TopicName,
  value: A,
): Tree<A> => {
  const leaf: Leaf<A> = { isLeaf: true, key, value }
  const draft = edit(tree, owner)
  let node = own(draft.root, owner)
  draft.root = node
  for (let start = 0; start <= key.length;) {
    const end = levelEnd(key, start)
    if (isHash(key, start)) {
      if (node.hash === null) draft.size++
      node.hash = leaf
      return draft
    }
    const child = childOf(node, draft.seed, key, start, end)
    if (child === null) {
      hang(node, owner, draft.seed, leaf, start)
      draft.size++
      return draft
    }
    let next: Node<A>
    if (!child.isLeaf) {
      next = own(child, owner)
    } else if (child.key === key) {
      exchange(node, owner, draft.seed, key, start, end, child, leaf)
      return draft
    } else {
      // From here on the two keys share the way, as far as they do.
      next = newNode<A>(owner, keep(key.slice(start, end)))
      hang(next, owner, draft.seed, child, end + 1)
    }
    if (next !== child) exchange(node, owner, draft.seed, key, start, end, child, next)
    node = next
    start = end + 1
  }
  if (node.end === null) draft.size++
  node.end = leaf
  return draft
}

/** The tree without the key and the levels only it had; the same tree where it is absent. */
export const remove = <A>(
  tree: Tree<A>,
  owner: Owner | null,
  key: TopicFilter | TopicName,
): Tree<A> => {
  if (leafOf(tree, key) === null) return tree
  const draft = edit(tree, owner)
  draft.size--
  const { seed } = draft
  // Where one leaf alone is left, it takes the place of its node, and of the nodes above that hold
  // nothing else.
  const survivor = survivorOf(tree, key)
  const cut = survivor === null ? -1 : cutFor(tree, key)
  let node = own(draft.root, owner)
  draft.root = node
  for (let start = 0; start <= key.length;) {
    const end = levelEnd(key, start)
    if (isHash(key, start)) {
      node.hash = null
      return draft
    }
    const child = childOf(node, seed, key, start, end)
    if (child === null) return draft // cannot be: the key was found
    if (start === cut && survivor !== null) {
      exchange(node, owner, seed, key, start, end, child, survivor)
      return draft
    }
    if (child.isLeaf) {
      if (isPlus(key, start, end)) node.plus = null
      else node.literals = Table.remove(node.literals!, owner, hashAt(seed, key, start, end), child)
      return draft
    }
    const next = own(child, owner)
    if (next !== child) exchange(node, owner, seed, key, start, end, child, next)
    node = next
    start = end + 1
  }
  node.end = null
  return draft
}

/**
 * The values of all filters that match the name, in a fixed order: at every level `#` comes first,
 * then what goes on literally, then what goes on with `+`. [MQTT-3.3.2-3] [v3 MQTT-3.3.2-3]
 */
export const find = <A>(tree: Tree<A>, name: TopicName): A[] => {
  const found: A[] = []
  findInto(tree, name, found)
  return found
}

// Places where `+` branched off, to be gone to later; the depth of the name bounds it. Between
// searches nothing lies here: the arrays are kept so that a search need not make them.
const later: Array<unknown> = []
const starts: number[] = []

/** Writes what `find` finds to the front of `found`; answers how much that is. */
export const findInto = <A>(tree: Tree<A>, name: TopicName, found: Array<A | null>): number => {
  const { seed } = tree
  let count = 0
  let depth = 0
  let node = tree.root
  // Where the levels below the node begin: in the name, and in the keys that lie there.
  let start = 0
  let keyStart = 0
  for (;;) {
    // A wildcard at the start leaves topics alone that begin with a dollar sign.
    const isHidden = start === 0 && isDollar(name) // [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
    if (node.hash !== null && !isHidden) found[count++] = node.hash.value
    if (start <= name.length) {
      const end = levelEnd(name, start)
      const plus = isHidden ? null : node.plus
      const literal = node.literals === null
        ? null
        : literalOf(node.literals, seed, name, start, end, keyStart)
      if (literal !== null) {
        if (literal.isLeaf) {
          const { key } = literal
          if (key === name || goesOn(key, keyStart + end - start, name, end)) {
            found[count++] = literal.value
          }
        } else {
          if (plus !== null) {
            later[depth] = plus
            starts[2 * depth] = end
            starts[2 * depth + 1] = keyStart + 1
            depth += 1
          }
          node = literal
          keyStart += end - start + 1
          start = end + 1
          continue
        }
      }
      if (plus !== null) {
        if (!plus.isLeaf) {
          node = plus
          keyStart += 2
          start = end + 1
          continue
        }
        if (goesOn(plus.key, keyStart + 1, name, end)) found[count++] = plus.value
      }
    } else if (node.end !== null) {
      found[count++] = node.end.value
    }
    for (;;) {
      if (depth === 0) return count
      depth -= 1
      // Only children of this tree were put there.
      const next = later[depth] as Child<A>
      later[depth] = null
      const end = starts[2 * depth]!
      const keyEnd = starts[2 * depth + 1]!
      if (next.isLeaf) {
        if (goesOn(next.key, keyEnd, name, end)) found[count++] = next.value
        continue
      }
      node = next
      keyStart = keyEnd + 1
      start = end + 1
      break
    }
  }
}

/** The first levels of all names; `#` does not match those that begin with a dollar. */
export const firstLevels = <A>({ root: { literals } }: Tree<A>): ReadonlySet<string> => {
  const found = new Set<string>()
  if (literals === null) return found
  Table.each(literals, (child) => {
    found.add((child.isLeaf ? child.key : child.level).split('/', 1)[0]!)
  })
  return found
}

/** A search under way for the names that a filter matches; a value, to be kept and used again. */
export interface Cursor<A> {
  readonly filter: TopicFilter
  readonly seed: number
  readonly top: Frame<A> | null
}

export interface Found<A> {
  readonly topic: TopicName
  readonly value: A
}

/** What a portion of a search found, and where it goes on; null where it is over. */
export interface Taken<A> {
  readonly found: ReadonlyArray<Found<A>>
  readonly rest: Cursor<A> | null
}

/** What a search has left to do, a node or the rest of a table, on top of what comes after. */
interface Frame<A> {
  /** The node to look at, or null where the children in the table are to be looked at. */
  readonly node: Node<A> | null
  readonly table: Table.Table<Child<A>> | null
  /** Where the next child is. */
  readonly bucket: Table.Bucket<Child<A>> | null
  readonly index: number
  /** Where the levels below are in the filter, or `everything`; and in the keys of the tree. */
  readonly start: number
  readonly keyStart: number
  readonly below: Frame<A> | null
}

const everything = -1

/**
 * A search for all names in a tree of names that the filter matches. It costs nothing and copies
 * nothing, so the tree must not be edited in place while the cursor lives: whoever makes one in the
 * middle of a run goes on with a fresh owner, which seals the tree as it is.
 */
export const cursor = <A>(tree: Tree<A>, filter: TopicFilter): Cursor<A> => ({
  filter,
  seed: tree.seed,
  top: tree.size === 0 ? null : nodeLater(tree.root, 0, 0, null),
})

/**
 * Goes on with a search for at most so many visits (at least one): of a node or of a leaf. Answers
 * what it found and the cursor that goes on from there, null where the search is over; the cursor
 * given stays valid.
 */
export const take = <A>(
  at: Cursor<A>,
  visits: number,
): Taken<A> => {
  const { filter, seed } = at
  const found: Array<Found<A>> = []
  let top = at.top
  let left = Math.max(1, visits)
  while (left > 0 && top !== null) {
    const { node, table, start, keyStart, below }: Frame<A> = top
    if (node !== null) {
      left--
      top = visit(node, filter, seed, start, keyStart, below, found)
      continue
    }
    if (table === null) break // cannot be: a frame has one of the two
    let bucket: Table.Bucket<Child<A>> | null = top.bucket
    let index = top.index
    let down: Node<A> | null = null
    while (left > 0 && bucket !== null && down === null) {
      const child: Child<A> = Table.itemAt(bucket, index)
      index += 2
      if (index === bucket.length) {
        bucket = Table.bucketAfter(table, bucket)
        index = 0
      }
      // Children come only from a wildcard, and one at the start leaves some topics alone.
      if (keyStart === 0 && isDollar(child.isLeaf ? child.key : child.level)) {
        left-- // [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
      } else if (!child.isLeaf) {
        down = child
      } else {
        left--
        const { key } = child
        if (start === everything || goesOn(filter, start - 1, key, levelEnd(key, keyStart))) {
          report(child, found)
        }
      }
    }
    if (bucket === null) top = below
    else top = { node: null, table, bucket, index, start, keyStart, below }
    if (down !== null) top = nodeLater(down, start, keyStart + down.level.length + 1, top)
  }
  return { found, rest: top === null ? null : { filter, seed, top } }
}

/** Whether a search under way will still find the name. */
export const isAhead = <A>({ filter, seed, top }: Cursor<A>, name: TopicName): boolean => {
  if (!match(filter, name)) return false
  for (let frame = top; frame !== null; frame = frame.below) {
    const { node, table, bucket, index, keyStart }: Frame<A> = frame
    // The key of what is found says whether the way there was that of the name.
    if (node !== null) {
      if (leafBelow(node, seed, name, keyStart)?.key === name) return true
      continue
    }
    if (table === null || bucket === null || keyStart > name.length) continue
    const end = levelEnd(name, keyStart)
    const child = literalOf(table, seed, name, keyStart, end, keyStart)
    if (child === null) continue
    const hash = hashAt(seed, name, keyStart, end)
    if (Table.isBefore(table, hash, child, bucket, index)) continue
    const leaf = child.isLeaf ? child : leafBelow(child, seed, name, end + 1)
    if (leaf?.key === name) return true
  }
  return false
}

/** Does what there is to do at one node; answers what is on top then. */
const visit = <A>(
  node: Node<A>,
  filter: string,
  seed: number,
  start: number,
  keyStart: number,
  below: Frame<A> | null,
  found: Array<Found<A>>,
): Frame<A> | null => {
  if (start === everything || isHash(filter, start)) {
    if (node.end !== null) report(node.end, found)
    return childrenLater(node, everything, keyStart, below)
  }
  if (start > filter.length) {
    if (node.end !== null) report(node.end, found)
    return below
  }
  const end = levelEnd(filter, start)
  if (isPlus(filter, start, end)) return childrenLater(node, end + 1, keyStart, below)
  if (node.literals === null) return below
  const child = literalOf(node.literals, seed, filter, start, end, keyStart)
  if (child === null) return below
  const keyEnd = keyStart + end - start
  if (!child.isLeaf) return nodeLater(child, end + 1, keyEnd + 1, below)
  if (goesOn(filter, end, child.key, keyEnd)) report(child, found)
  return below
}

const report = <A>(leaf: Leaf<A>, found: Array<Found<A>>): void => {
  // The tree is one of names: so says the contract of `cursor`.
  found.push({ topic: leaf.key as TopicName, value: leaf.value })
}

const nodeLater = <A>(
  node: Node<A>,
  start: number,
  keyStart: number,
  below: Frame<A> | null,
): Frame<A> => ({ node, table: null, bucket: null, index: 0, start, keyStart, below })

const childrenLater = <A>(
  node: Node<A>,
  start: number,
  keyStart: number,
  below: Frame<A> | null,
): Frame<A> | null => {
  const table = node.literals
  if (table === null) return below
  const bucket = Table.firstBucket(table)
  return { node: null, table, bucket, index: 0, start, keyStart, below }
}

const newNode = <A>(owner: Owner | null, level: string): Node<A> => ({
  isLeaf: false,
  owner,
  level,
  end: null,
  hash: null,
  plus: null,
  literals: null,
})

const edit = <A>(tree: Tree<A>, owner: Owner | null): Draft<A> =>
  owner !== null && tree.owner === owner
    ? tree
    : { owner, seed: tree.seed, size: tree.size, root: tree.root }

const own = <A>(node: Node<A>, owner: Owner | null): Node<A> => {
  if (owner !== null && node.owner === owner) return node
  const { level, end, hash, plus, literals } = node
  return { isLeaf: false, owner, level, end, hash, plus, literals }
}

/** The leaf of exactly this key. */
const leafOf = <A>(tree: Tree<A>, key: string): Leaf<A> | null =>
  leafBelow(tree.root, tree.seed, key, 0)

/** The same below a node that the key leads to with its levels before `from`. */
const leafBelow = <A>(above: Node<A>, seed: number, key: string, from: number): Leaf<A> | null => {
  let node = above
  for (let start = from; start <= key.length;) {
    if (isHash(key, start)) return node.hash
    const end = levelEnd(key, start)
    const child = childOf(node, seed, key, start, end)
    if (child === null) return null
    if (child.isLeaf) return child.key === key ? child : null
    node = child
    start = end + 1
  }
  return node.end
}

/** The child for a level of a key that leads to the node; `+` stands for itself. */
const childOf = <A>(
  node: Node<A>,
  seed: number,
  key: string,
  start: number,
  end: number,
): Child<A> | null => {
  if (isPlus(key, start, end)) return node.plus
  return node.literals === null ? null : literalOf(node.literals, seed, key, start, end, start)
}

/** The child for the level of `text` from start to end, which is at keyStart in its keys. */
const literalOf = <A>(
  table: Table.Table<Child<A>>,
  seed: number,
  text: string,
  start: number,
  end: number,
  keyStart: number,
): Child<A> | null => {
  const hash = hashAt(seed, text, start, end)
  const bucket = Table.bucketOf(table, hash)
  if (bucket === null) return null
  for (let i = 0; i < bucket.length; i += 2) {
    if (bucket[i] !== hash) continue
    const child = Table.itemAt(bucket, i)
    if (child.isLeaf) {
      if (child.key === text || isLevel(child.key, keyStart, text, start, end)) return child
    } else if (isLevel(child.level, 0, text, start, end)) return child
  }
  return null
}

const hashAt = (seed: number, text: string, start: number, end: number): number =>
  Table.hashOf(seed, text, start, end)

/** Whether the level of `there` that begins at `at` is that of `text` from start to end. */
const isLevel = (there: string, at: number, text: string, start: number, end: number): boolean => {
  const after = at + end - start
  if (after > there.length || (after < there.length && there.charCodeAt(after) !== 0x2f)) {
    return false
  }
  for (let i = start, j = at; i < end; i++, j++) {
    if (text.charCodeAt(i) !== there.charCodeAt(j)) return false
  }
  return true
}

/**
 * Whether a filter matches a name behind the levels that are known to go together: those that end
 * at `f` in the filter and at `n` in the name, of which there is at least one.
 */
const goesOn = (filter: string, f: number, name: string, n: number): boolean => {
  for (;;) {
    if (f === filter.length) return n === name.length
    // Any number of levels, none of them too.
    if (isHash(filter, f + 1)) return true
    if (n === name.length) return false
    const start = n + 1
    n = levelEnd(name, start)
    const end = levelEnd(filter, f + 1)
    if (!isPlus(filter, f + 1, end)) {
      if (end - f !== n - start + 1) return false
      for (let i = f + 1, j = start; i < end; i++, j++) {
        if (filter.charCodeAt(i) !== name.charCodeAt(j)) return false
      }
    }
    f = end
  }
}

/** Hangs a leaf below an editable node that has nothing where the key goes on, at `start`. */
const hang = <A>(
  node: Node<A>,
  owner: Owner | null,
  seed: number,
  leaf: Leaf<A>,
  start: number,
): void => {
  const { key } = leaf
  const end = levelEnd(key, start)
  if (start > key.length) node.end = leaf
  else if (isHash(key, start)) node.hash = leaf
  else if (isPlus(key, start, end)) node.plus = leaf
  else node.literals = Table.insert(node.literals, owner, hashAt(seed, key, start, end), leaf)
}

/** Puts another child in the place of the one for a level of the key. */
const exchange = <A>(
  node: Node<A>,
  owner: Owner | null,
  seed: number,
  key: string,
  start: number,
  end: number,
  old: Child<A>,
  child: Child<A>,
): void => {
  if (isPlus(key, start, end)) {
    node.plus = child
    return
  }
  const hash = hashAt(seed, key, start, end)
  node.literals = Table.replace(node.literals!, owner, hash, old, child)
}

/** The one leaf that would be left in the node of a key without the key; null unless there is. */
const survivorOf = <A>(tree: Tree<A>, key: string): Leaf<A> | null => {
  let node = tree.root
  let leaf: Child<A> | null = null
  for (let start = 0; start <= key.length && leaf === null;) {
    if (isHash(key, start)) {
      leaf = node.hash
      break
    }
    const end = levelEnd(key, start)
    const child = childOf(node, tree.seed, key, start, end)
    if (child === null) return null // cannot be: the key was found
    if (child.isLeaf) leaf = child
    else node = child
    start = end + 1
  }
  if (leaf === null) leaf = node.end
  if (node === tree.root || heldCount(node) !== 2) return null
  if (node.end !== null && node.end !== leaf) return node.end
  if (node.hash !== null && node.hash !== leaf) return node.hash
  if (node.plus !== null && node.plus !== leaf) return node.plus.isLeaf ? node.plus : null
  if (node.literals === null) return null
  const bucket = Table.firstBucket(node.literals)
  const other = Table.itemAt(bucket, bucket[1] === leaf ? 2 : 0)
  return other.isLeaf ? other : null
}

/**
 * Where the level of a key begins below which nothing else is held: below the lowest node above the
 * node of the key itself that holds something besides the way.
 */
const cutFor = <A>(tree: Tree<A>, key: string): number => {
  let node = tree.root
  let cut = 0
  for (let start = 0; start <= key.length && !isHash(key, start);) {
    const end = levelEnd(key, start)
    const child = childOf(node, tree.seed, key, start, end)
    // The node of the key itself holds it and the survivor.
    if (child === null || child.isLeaf) return cut
    if (heldCount(node) > 1) cut = start
    node = child
    start = end + 1
  }
  return cut
}

const heldCount = <A>(node: Node<A>): number => {
  let held = node.literals === null ? 0 : Table.size(node.literals)
  if (node.end !== null) held++
  if (node.hash !== null) held++
  if (node.plus !== null) held++
  return held
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
