// A persistent first-in, first-out queue: arrays of up to 32 items in a list from both ends, the
// front one to take from, the last one to add to. Every operation takes constant time on average
// over a history; with an owner token it allocates next to nothing.

import type { Owner } from './owner.ts'

export interface Queue<A> {
  readonly owner: Owner | null
  readonly size: number
  /** The oldest items, from `at` on; those before are gone. Never exhausted while size > 0. */
  readonly head: Chunk<A>
  readonly headOwner: Owner | null
  readonly at: number
  /** Full chunks between head and tail: in order, and then those still the newest first. */
  readonly front: Cell<A> | null
  readonly back: Cell<A> | null
  /** The newest items. */
  readonly tail: Chunk<A>
  readonly tailOwner: Owner | null
}

type Chunk<A> = Array<A | undefined>

interface Cell<A> {
  readonly chunk: Chunk<A>
  readonly next: Cell<A> | null
}

type Draft<A> = { -readonly [K in keyof Queue<A>]: Queue<A>[K] }

const chunkSize = 32

const nothing: never[] = []

export const empty: Queue<never> = {
  owner: null,
  size: 0,
  head: nothing,
  headOwner: null,
  at: 0,
  front: null,
  back: null,
  tail: nothing,
  tailOwner: null,
}

export const size = <A>(queue: Queue<A>): number => queue.size

/** The oldest item. */
export const peek = <A>(queue: Queue<A>): A | undefined => queue.head[queue.at]

/** The newest item. */
export const last = <A>({ tail, head }: Queue<A>): A | undefined =>
  tail.length > 0 ? tail[tail.length - 1] : head[head.length - 1]

export const push = <A>(queue: Queue<A>, owner: Owner | null, item: A): Queue<A> => {
  const draft = edit(queue, owner)
  if (draft.size === 0) {
    draft.head = [item]
    draft.headOwner = owner
    draft.at = 0
  } else if (draft.tail.length === chunkSize) {
    draft.back = { chunk: draft.tail, next: draft.back }
    draft.tail = [item]
    draft.tailOwner = owner
  } else {
    if (owner === null || draft.tailOwner !== owner) {
      draft.tail = draft.tail.slice()
      draft.tailOwner = owner
    }
    draft.tail.push(item)
  }
  draft.size++
  return draft
}

/** The queue without its oldest item; an empty queue stays as it is. */
export const pop = <A>(queue: Queue<A>, owner: Owner | null): Queue<A> => {
  if (queue.size === 0) return queue
  if (queue.size === 1) return empty
  const draft = edit(queue, owner)
  draft.size--
  if (draft.at + 1 === draft.head.length) advance(draft)
  else {
    // What was taken must not be kept alive by its neighbours.
    if (owner === null || draft.headOwner !== owner) {
      draft.head = draft.head.slice(draft.at)
      draft.at = 0
      draft.headOwner = owner
    }
    draft.head[draft.at++] = undefined
  }
  return draft
}

/** The items, oldest first. */
export function* entries<A>(queue: Queue<A>): IterableIterator<A> {
  yield* present(queue.head)
  for (let cell = queue.front; cell !== null; cell = cell.next) yield* present(cell.chunk)
  for (let cell = turn(queue.back); cell !== null; cell = cell.next) yield* present(cell.chunk)
  yield* present(queue.tail)
}

/** The items, newest first. */
export function* newestFirst<A>(queue: Queue<A>): IterableIterator<A> {
  yield* backwards(queue.tail)
  for (let cell = queue.back; cell !== null; cell = cell.next) yield* backwards(cell.chunk)
  for (let cell = turn(queue.front); cell !== null; cell = cell.next) yield* backwards(cell.chunk)
  yield* backwards(queue.head)
}

function* backwards<A>(chunk: Chunk<A>): IterableIterator<A> {
  for (let i = chunk.length - 1; i >= 0; i--) {
    const item = chunk[i]
    if (item !== undefined) yield item
  }
}

function* present<A>(chunk: Chunk<A>): IterableIterator<A> {
  for (const item of chunk) if (item !== undefined) yield item
}

const edit = <A>(queue: Queue<A>, owner: Owner | null): Draft<A> =>
  owner !== null && queue.owner === owner ? queue : {
    owner,
    size: queue.size,
    head: queue.head,
    headOwner: queue.headOwner,
    at: queue.at,
    front: queue.front,
    back: queue.back,
    tail: queue.tail,
    tailOwner: queue.tailOwner,
  }

/** Makes the next chunk the head; there is one. */
const advance = <A>(draft: Draft<A>): void => {
  draft.at = 0
  if (draft.front === null) {
    draft.front = turn(draft.back)
    draft.back = null
  }
  if (draft.front !== null) {
    draft.head = draft.front.chunk
    draft.headOwner = null
    draft.front = draft.front.next
  } else {
    draft.head = draft.tail
    draft.headOwner = draft.tailOwner
    draft.tail = nothing
    draft.tailOwner = null
  }
}

const turn = <A>(cells: Cell<A> | null): Cell<A> | null => {
  let turned: Cell<A> | null = null
  for (let cell = cells; cell !== null; cell = cell.next) {
    turned = { chunk: cell.chunk, next: turned }
  }
  return turned
}
