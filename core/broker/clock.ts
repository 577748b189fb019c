// What time brings: clients that keep silent, sockets that take nothing, sessions and wills and
// retained messages whose time has come, and the portions of work that were left for later.

import * as Heap from '../data/heap.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import { KEEP_ALIVE_TIMEOUT, QUOTA_EXCEEDED } from '../codec/reason-code.ts'
import { checkAddress } from './address.ts'
import { renewalLate } from './authenticate.ts'
import { BROUGHT_MAX, broughtBy, type Draft, editLink, editSession } from './draft.ts'
import type { Millis } from './input.ts'
import { endSession, expel, expiresAt, publishWill, refuse } from './leave.ts'
import { advanceRecheck } from './recheck.ts'
import { advanceRemains, remainsDueAt } from './remains.ts'
import { advance, forget } from './retain.ts'
import { counts, wakeLink, wakeSession } from './schedule.ts'
import { type Link, NEVER, type Session, type State, type Timer } from './state.ts'
import { UNREPORTED_BYTES_MAX, unwrittenBytes } from './tell.ts'

/** Timers fired, or sessions advanced, in one tick before others get their turn. */
const PORTION = 1_000

/**
 * When the broker wants to be told the time again (a Ticked input), in its own milliseconds: not
 * later than now if work is waiting, NEVER if nothing is due. A query; it changes nothing.
 */
export const deadline = (state: State): Millis => {
  if (Queue.size(state.catching) > 0 || state.recheck !== null) return state.now
  return Math.min(Heap.peek(state.timers)?.at ?? NEVER, state.sys.dueAt, remainsDueAt(state))
}

/** Does what is due, as much as fits a portion; `deadline` tells whether there is more. */
export const tick = (draft: Draft): void => {
  const broughtMax = broughtBy(draft) + BROUGHT_MAX
  for (let i = 0; i < PORTION; i++) {
    if (broughtBy(draft) > broughtMax) break
    const next = Heap.peek(draft.timers)
    if (next === undefined || next.at > draft.now) break
    draft.timers = Heap.pop(draft.timers)
    if (counts(draft, next.item, next.at)) fire(draft, next.item, next.at)
  }
  if (draft.recheck !== null) advanceRecheck(draft)
  advanceRemains(draft)
  // Each session in turn gets one portion of its retained messages, and then the others do.
  const number = Queue.peek(draft.catching)
  if (number === undefined) return
  draft.catching = Queue.pop(draft.catching, draft.owner)
  const session = IntMap.get(draft.sessions, number)
  if (session !== undefined && session.isCatching) advance(draft, session)
}

const fire = (draft: Draft, timer: Timer, at: Millis): void => {
  switch (timer._tag) {
    case 'Link':
      return checkLink(draft, IntMap.get(draft.links, timer.slot)!, at)
    case 'Session':
      return checkSession(draft, IntMap.get(draft.sessions, timer.session)!, at)
    case 'Retained':
      return forget(draft, timer.topic)
    case 'Address':
      return checkAddress(draft, timer.address)
  }
}

/** A timer that came too early is put back, so that what is due is done in the order it was due. */
const checkLink = (draft: Draft, link: Link, at: Millis): void => {
  const { phase } = link
  if (phase.phase !== 'Ready') {
    // Greeting, still judged or authenticated: only the time since it was opened counts.
    refuse(draft, link, 0, KEEP_ALIVE_TIMEOUT, 'exceeded timeout')
    return
  }
  const session = IntMap.get(draft.sessions, phase.session)!
  const silentAt = phase.keepAliveMs === 0 ? NEVER : link.seenAt + phase.keepAliveMs * 1.5
  const isWaiting = unwrittenBytes(session) > UNREPORTED_BYTES_MAX
  const stalledAt = isWaiting ? session.progressAt + draft.config.stalledMs : NEVER
  const renewalAt = phase.identity?.renewal?.dueAt ?? NEVER
  const dueAt = Math.min(silentAt, stalledAt, renewalAt)
  if (dueAt > at) {
    const editable = editLink(draft, link)
    editable.timerAt = NEVER
    wakeLink(draft, editable, dueAt)
  } else if (renewalAt <= at) {
    expel(draft, link, 'exceeded timeout', renewalLate.reason, renewalLate)
  } else if (silentAt <= stalledAt) { // [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
    expel(draft, link, 'exceeded timeout', KEEP_ALIVE_TIMEOUT)
  } else {
    expel(draft, link, 'stalled', QUOTA_EXCEEDED)
  }
}

const checkSession = (draft: Draft, session: Session, at: Millis): void => {
  const editable = editSession(draft, session)
  editable.timerAt = NEVER
  if (expiresAt(editable) <= at) { // [MQTT-4.1.0-2]
    endSession(draft, editable, 'expired')
    return
  }
  if (editable.willAt <= at) publishWill(draft, editable)
  wakeSession(draft, editable, Math.min(editable.willAt, expiresAt(editable)))
}
