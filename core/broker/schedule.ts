// When somebody has to be looked at again. Timers are lazy: activity moves no entry, it only
// notes when it was, and an entry that comes due too early is put back (see clock.ts). An entry
// counts only while its owner's `timerAt` still names its time; the others are leftovers, and are
// swept out when they outnumber what lives.

import * as Heap from '../data/heap.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { type Draft, editLink, editSession } from './draft.ts'
import type { Millis } from './input.ts'
import { type Link, NEVER, type Session, type Timer } from './state.ts'

// Of what is due at the same time connections come first, the oldest of them first, then sessions,
// likewise, then the rest; when an entry was put in says nothing, since timers are lazy.
const SESSIONS = IntMap.keyLimit
const OTHERS = 2 * IntMap.keyLimit

const push = (draft: Draft, at: Millis, order: number, timer: Timer): void => {
  const live = IntMap.size(draft.links) + IntMap.size(draft.sessions) + draft.retainedExpiring +
    StrMap.size(draft.addresses)
  if (Heap.size(draft.timers) > 2 * live + 1024) {
    draft.timers = Heap.filter(draft.timers, (old, oldAt) => counts(draft, old, oldAt))
  }
  draft.timers = Heap.push(draft.timers, at, order, timer)
}

/** Whether an entry still speaks for its owner. */
export const counts = (draft: Draft, timer: Timer, at: Millis): boolean => {
  switch (timer._tag) {
    case 'Link': {
      const link = IntMap.get(draft.links, timer.slot)
      return link !== undefined && link.conn.generation === timer.generation && link.timerAt === at
    }
    case 'Session':
      return IntMap.get(draft.sessions, timer.session)?.timerAt === at
    case 'Retained':
      return Tree.get(draft.retained, timer.topic)?.expiresAt === at
    case 'Address':
      return StrMap.get(draft.addresses, timer.address)?.timerAt === at
  }
}

/** Has the link looked at no later than `at`. */
export const wakeLink = (draft: Draft, link: Link, at: Millis): void => {
  if (at >= link.timerAt || at >= NEVER) return
  editLink(draft, link).timerAt = at
  const { slot, generation } = link.conn
  push(draft, at, link.opening, { _tag: 'Link', slot, generation })
}

/** Has the session looked at no later than `at`. */
export const wakeSession = (draft: Draft, session: Session, at: Millis): void => {
  if (at >= session.timerAt || at >= NEVER) return
  editSession(draft, session).timerAt = at
  push(draft, at, SESSIONS + session.number, { _tag: 'Session', session: session.number })
}

/** Has the address looked at no later than `at`. */
export const wakeAddress = (draft: Draft, address: string, at: Millis): void => {
  const found = StrMap.get(draft.addresses, address)!
  if (at >= found.timerAt) return
  draft.addresses = StrMap.set(draft.addresses, draft.owner, address, { ...found, timerAt: at })
  push(draft, at, OTHERS, { _tag: 'Address', address })
}

/** Has the retained message of the topic removed at `at`. */
export const wakeRetained = (draft: Draft, topic: TopicName, at: Millis): void => {
  push(draft, at, OTHERS, { _tag: 'Retained', topic })
}
