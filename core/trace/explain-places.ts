// Where copies of messages are in a session: a copy that waits is known by its place in the line
// there.

import type { Delivery, Gist, Message, Outgoing, Passing, Session } from '../broker/state.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import { sessionFor } from './explain-facts.ts'
import type { Copy, Moment } from './explain-facts.ts'

export type Place =
  | { readonly _tag: 'Queue' }
  | { readonly _tag: 'Window'; readonly packetId: number; readonly outgoing: Outgoing }

/** What waits at a place in the line; looked for from the nearer end, as queues may be long. */
export const queuedAt = ({ queue }: Session, order: number): Delivery | undefined => {
  const first = Queue.peek(queue)
  const last = Queue.last(queue)
  if (first === undefined || last === undefined) return undefined
  if (order < first.order || order > last.order) return undefined
  const isNearFirst = order - first.order < last.order - order
  for (const one of isNearFirst ? Queue.entries(queue) : Queue.newestFirst(queue)) {
    if (one.order === order) return one
    if (one.order > order === isNearFirst) return undefined
  }
  return undefined
}

/** Where a copy is in its session; null where it is not in it. */
export const placeOf = (session: Session, { order, packetId, share }: Copy): Place | null => {
  if (order === null) return null
  if (packetId > 0) {
    const outgoing = Window.get(session.window, packetId)
    return outgoing?.order === order ? { _tag: 'Window', packetId, outgoing } : null
  }
  const first = Queue.peek(session.queue)
  const last = Queue.last(session.queue)
  if (first !== undefined && last !== undefined && first.order <= order && order <= last.order) {
    // Only what others of a group can have leaves from the middle of the queue.
    if (share === null || queuedAt(session, order) !== undefined) return { _tag: 'Queue' }
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
  const queued: Array<Delivery> = []
  for (const one of Queue.newestFirst(session.queue)) {
    if (one.order < since) break
    queued.push(one)
  }
  for (let i = queued.length - 1; i >= 0; i--) found.push([queued[i]!, 0])
  return found
}

/** Whether the message lay with a client that left in the step, and is handed over from there. */
export const isLeft = (message: Message | Gist, { before, effects }: Moment): boolean =>
  effects.some((effect) => {
    if (effect._tag !== 'Note') return false
    const { note } = effect
    if (note._tag !== 'ConnectionEnded' && note._tag !== 'SessionEnded') return false
    const session = note.clientId === null ? undefined : sessionFor(before, note.clientId)
    return session !== undefined && newIn(session, 0).some(([one]) => one.message === message)
  })

export const orderOf = (session: Session | undefined, packetId: number): number | undefined =>
  session === undefined ? undefined : Window.get(session.window, packetId)?.order
