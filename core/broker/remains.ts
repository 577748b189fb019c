// What is left of sessions that have ended, where it is much: each of their messages may be another
// session's as well, so somebody has to look at every one of them before the store may let it go.
// That is done in portions, far enough apart that what the store is asked for never heaps up.

import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import type { Draft } from './draft.ts'
import { noteEnd, noteLeft } from './journal.ts'
import { type Message, NEVER, type Session, type State } from './state.ts'

/** So few messages go with their session at once. */
const AT_ONCE = 100

/** Messages that go before others get their turn, and the time until the next of them do. */
const PORTION = 1_000
const PAUSE_MS = 20

/** What a store may take for a row of the session: until that is done all else heaps up there. */
const ROW_MS = 1 / 200

/** A session has ended: its own records go at once, and its messages when nobody else has them. */
export const leaveContents = (draft: Draft, session: Session): void => {
  if (draft.journal === null || !session.stored) return
  let left: Queue.Queue<Message> = Queue.empty
  for (const [, outgoing] of Window.entries(session.window)) {
    // One that is passing is in no store.
    if (outgoing.stage === 'released' || outgoing.stage === 'passing') continue
    left = Queue.push(left, draft.owner, outgoing.message)
  }
  for (const [, { message }] of Window.entries(session.incoming)) {
    if (message !== null) left = Queue.push(left, draft.owner, message)
  }
  noteEnd(draft, session)
  const { queue, number } = session
  const count = Queue.size(left) + Queue.size(queue)
  if (count <= AT_ONCE) {
    for (const message of Queue.entries(left)) noteLeft(draft, message)
    for (const { message } of Queue.entries(queue)) noteLeft(draft, message)
    return
  }
  if (draft.remainsCount === 0) draft.remainsAt = draft.now + PAUSE_MS
  draft.remainsAt += Queue.size(queue) * ROW_MS
  draft.remains = IntMap.set(draft.remains, draft.owner, number, { left, queue })
  draft.remainsCount += count
  const surplus = draft.remainsCount - draft.config.endedMessagesMax
  if (surplus > 0) letGo(draft, surplus)
}

/** When the next portion is due; NEVER where there is none. */
export const remainsDueAt = ({ remainsCount, remainsAt }: State): number =>
  remainsCount === 0 ? NEVER : remainsAt

/** Lets go of one portion, if it is time. */
export const advanceRemains = (draft: Draft): void => {
  if (draft.remainsCount === 0 || draft.now < draft.remainsAt) return
  draft.remainsAt = draft.now + PAUSE_MS
  letGo(draft, Math.min(PORTION, draft.remainsCount))
}

/** Lets go of so many messages, of which there are no fewer. */
const letGo = (draft: Draft, count: number): void => {
  draft.remainsCount -= count
  let rest = count
  while (rest > 0) {
    const [number, one] = IntMap.first(draft.remains)!
    let { left, queue } = one
    for (; rest > 0 && Queue.size(left) > 0; rest--) {
      noteLeft(draft, Queue.peek(left)!)
      left = Queue.pop(left, draft.owner)
    }
    for (; rest > 0 && Queue.size(queue) > 0; rest--) {
      noteLeft(draft, Queue.peek(queue)!.message)
      queue = Queue.pop(queue, draft.owner)
    }
    draft.remains = Queue.size(left) + Queue.size(queue) > 0
      ? IntMap.set(draft.remains, draft.owner, number, { left, queue })
      : IntMap.remove(draft.remains, draft.owner, number)
  }
}
