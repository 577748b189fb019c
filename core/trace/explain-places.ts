// Where copies of messages are in a session: a copy that waits is known by its place in the line
// there.

import type { Delivery, Outgoing, Passing, Session } from '../broker/state.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import type { Copy } from './explain-facts.ts'

export type Place =
  | { readonly _tag: 'Queue' }
  | { readonly _tag: 'Window'; readonly packetId: number; readonly outgoing: Outgoing }

/** Where a copy is in its session; null where it is not in it. */
export const placeOf = (session: Session, { order, packetId, share }: Copy): Place | null => {
  if (order === null) return null
  if (packetId > 0) {
    const outgoing = Window.get(session.window, packetId)
    return outgoing?.order === order ? { _tag: 'Window', packetId, outgoing } : null
  }
  const head = Queue.peek(session.queue)
  const last = Queue.last(session.queue)
  if (head !== undefined && last !== undefined && head.order <= order && order <= last.order) {
    // Only what others of a group can have leaves from the middle of the queue.
    if (share === null) return { _tag: 'Queue' }
    for (const one of Queue.entries(session.queue)) {
      if (one.order === order) return { _tag: 'Queue' }
    }
  }
  for (const [id, outgoing] of Window.entries(session.window)) {
    if (outgoing.order === order) return { _tag: 'Window', packetId: id, outgoing }
  }
  return null
}

/** The copies of a session that are in it and were not before, by their places in the line. */
export const newIn = (
  session: Session,
  since: number,
): ReadonlyArray<readonly [Delivery | Passing, number]> => {
  const found: Array<readonly [Delivery | Passing, number]> = []
  for (const [packetId, one] of Window.entries(session.window)) {
    if (one.order >= since && one.stage !== 'released') found.push([one, packetId])
  }
  const last = Queue.last(session.queue)
  if (last === undefined || last.order < since) return found
  for (const one of Queue.entries(session.queue)) if (one.order >= since) found.push([one, 0])
  return found
}

export const orderOf = (session: Session | undefined, packetId: number): number | undefined =>
  session === undefined ? undefined : Window.get(session.window, packetId)?.order
