// A persistent first-in, first-out queue: a front list to take from and a back list to add to,
// turned round when the front runs dry. Every operation takes constant time on average over a
// history.

export interface Queue<A> {
  readonly size: number
  /** Null only where the queue is empty. */
  readonly front: Cell<A> | null
  /** The newest first. */
  readonly back: Cell<A> | null
}

interface Cell<A> {
  readonly item: A
  readonly next: Cell<A> | null
}

export const empty: Queue<never> = { size: 0, front: null, back: null }

export const size = <A>(queue: Queue<A>): number => queue.size

export const push = <A>(queue: Queue<A>, item: A): Queue<A> =>
  queue.front === null
    ? { size: 1, front: { item, next: null }, back: null }
    : { size: queue.size + 1, front: queue.front, back: { item, next: queue.back } }

/** The oldest item. */
export const peek = <A>(queue: Queue<A>): A | undefined =>
  queue.front === null ? undefined : queue.front.item

/** The queue without its oldest item; an empty queue stays as it is. */
export const pop = <A>(queue: Queue<A>): Queue<A> => {
  const front = queue.front
  if (front === null || queue.size === 1) return empty
  return front.next === null
    ? { size: queue.size - 1, front: turn(queue.back), back: null }
    : { size: queue.size - 1, front: front.next, back: queue.back }
}

/** The items, oldest first. */
export function* entries<A>(queue: Queue<A>): IterableIterator<A> {
  for (let cell = queue.front; cell !== null; cell = cell.next) yield cell.item
  for (let cell = turn(queue.back); cell !== null; cell = cell.next) yield cell.item
}

const turn = <A>(cells: Cell<A> | null): Cell<A> | null => {
  let turned: Cell<A> | null = null
  for (let cell = cells; cell !== null; cell = cell.next) turned = { item: cell.item, next: turned }
  return turned
}
