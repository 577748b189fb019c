// A persistent queue by time, as a leftist heap. Of items of equal time the lower order comes
// first, and of equal order the one that was put in first: the same history always runs the same.

export interface Heap<A> {
  readonly size: number
  /** The number of the next insertion. */
  readonly next: number
  readonly root: Node<A> | null
}

interface Node<A> {
  readonly at: number
  readonly order: number
  /** The number of its insertion. */
  readonly entry: number
  readonly item: A
  /** Nodes on the way down the right side: rank(left) >= rank(right), rank = rank(right) + 1. */
  readonly rank: number
  readonly left: Node<A> | null
  readonly right: Node<A> | null
}

export const empty: Heap<never> = { size: 0, next: 0, root: null }

export const size = <A>(heap: Heap<A>): number => heap.size

/** The heap with the item due at `at`; `order` counts among equals. Neither is NaN. */
export const push = <A>(heap: Heap<A>, at: number, order: number, item: A): Heap<A> => {
  const entry = heap.next
  const node: Node<A> = { at, order, entry, item, rank: 1, left: null, right: null }
  return { size: heap.size + 1, next: heap.next + 1, root: merge(heap.root, node) }
}

/** The first item. */
export const peek = <A>(heap: Heap<A>): { readonly at: number; readonly item: A } | undefined =>
  heap.root === null ? undefined : heap.root

/** The heap without the item that `peek` shows; an empty heap stays as it is. */
export const pop = <A>(heap: Heap<A>): Heap<A> =>
  heap.root === null ? heap : {
    size: heap.size - 1,
    next: heap.next,
    root: merge(heap.root.left, heap.root.right),
  }

/**
 * The heap with only the items that `keep` wants; the same heap where it wants all. `keep` is asked
 * once for each item, in no particular order.
 */
export const filter = <A>(heap: Heap<A>, keep: (item: A, at: number) => boolean): Heap<A> => {
  const kept: Array<Node<A>> = []
  // Left sides can be as deep as the heap is large, hence a stack of our own.
  const stack: Array<Node<A>> = []
  if (heap.root !== null) stack.push(heap.root)
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (keep(node.item, node.at)) kept.push(node)
    if (node.right !== null) stack.push(node.right)
    if (node.left !== null) stack.push(node.left)
  }
  if (kept.length === heap.size) return heap
  kept.sort(compare)
  // A sorted list is a leftist heap already: each node the only, left child of the one before.
  let root: Node<A> | null = null
  for (let i = kept.length - 1; i >= 0; i--) {
    const { at, order, entry, item } = kept[i]!
    root = { at, order, entry, item, rank: 1, left: root, right: null }
  }
  return { size: kept.length, next: heap.next, root }
}

const compare = <A>(a: Node<A>, b: Node<A>): number =>
  a.at - b.at || a.order - b.order || a.entry - b.entry

/** Goes down right sides only, which are at most log2(size + 1) long each: safe to recur. */
const merge = <A>(a: Node<A> | null, b: Node<A> | null): Node<A> | null => {
  if (a === null) return b
  if (b === null) return a
  return compare(a, b) < 0 ? join(a, b) : join(b, a)
}

const join = <A>(top: Node<A>, other: Node<A>): Node<A> => {
  const merged = merge(top.right, other)
  const left = top.left
  const mergedRank = merged === null ? 0 : merged.rank
  const leftRank = left === null ? 0 : left.rank
  const { at, order, entry, item } = top
  return leftRank >= mergedRank
    ? { at, order, entry, item, rank: mergedRank + 1, left, right: merged }
    : { at, order, entry, item, rank: leftRank + 1, left: merged, right: left }
}
