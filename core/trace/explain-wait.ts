// Why something has not gone to a client yet, as sentences.

import type { Config } from '../broker/config.ts'
import type { Millis } from '../broker/input.ts'
import { catchUpBytesMax, isReceptive } from '../broker/retain.ts'
import type { Session, State } from '../broker/state.ts'
import { UNREPORTED_BYTES_MAX, unwrittenBytes } from '../broker/tell.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import type { Change, Copy } from './explain-facts.ts'
import type { Reload } from './explain-rights.ts'
import { since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { plural } from './words.ts'

/** What there is to look things up in. */
export interface Ground {
  readonly clock: Clock
  /** The broker when the recording ended. */
  readonly last: State
  /** Of subscriptions that match the topic, in order. */
  readonly changes: ReadonlyArray<Change>
  /** New configurations that came while the recording ran, in order. */
  readonly reloads: ReadonlyArray<Reload>
  /** When the broker was told to stop; null where it was not. */
  readonly stoppedAt: Millis | null
  /** What all this is known from, in a word: a recording, say. */
  readonly what: string
}

const hasReceived = ({ window }: Session): boolean => {
  for (const [, { stage }] of Window.entries(window)) if (stage === 'released') return true
  return false
}

/** Why the session could not be sent more at once; `before` messages stood in its queue. */
export const whyWaiting = (
  session: Session,
  { inflightBytesMax, packetIdMax, unwrittenBytesMax }: Config,
  clock: Clock,
  before: number,
): string => {
  if (session.conn === null) return `it was away since ${since(session.offlineAt, clock)}`
  const { inflightBytes, inflightCountMax, window } = session
  const sent = `${plural(Window.size(window), 'message')} had been sent to it and not acknowledged`
  if (Window.size(window) >= Math.min(inflightCountMax, packetIdMax)) {
    return `${sent}, as many as may be (its Receive Maximum or max_inflight_messages)`
  }
  if (inflightBytesMax > 0 && inflightBytes >= inflightBytesMax) {
    return `${sent}, ${plural(inflightBytes, 'byte')}, which is as much as may be ` +
      `(max_inflight_bytes ${inflightBytesMax})`
  }
  if (unwrittenBytes(session) <= Math.max(unwrittenBytesMax, UNREPORTED_BYTES_MAX)) {
    // The bytes of what it has received are free at once, and the queue goes on at its PUBCOMP.
    if (inflightBytesMax > 0 && hasReceived(session)) {
      return 'what it has received (PUBREC) has made room, which counts from its next answer on ' +
        `(max_inflight_bytes ${inflightBytesMax})`
    }
    return 'a reload has allowed more to be under way to it, which counts from its next answer on'
  }
  const line = before === 0 ? '' : `${plural(before, 'message')} stood before it and `
  return `${line}${plural(unwrittenBytes(session), 'byte')} waited for its socket`
}

/** What the copy waits for when all is over. */
export const waitingFor = (copy: Copy, { last, clock, stoppedAt, what }: Ground): string => {
  const session = IntMap.get(last.sessions, copy.session)
  const away = session !== undefined && session.conn === null
    ? `; its client is away since ${since(session.offlineAt, clock)}` +
      (session.offlineAt === stoppedAt ? ', when the broker was stopped' : '')
    : ''
  const end = `when the ${what} ended, at ${since(last.now, clock)}`
  const isReceived = copy.events.some(({ _tag }) => _tag === 'Received')
  if (isReceived) return `still waiting for PUBCOMP ${end}${away}`
  const flying = session === undefined ? undefined : Window.get(session.window, copy.packetId)
  if (away === '' && flying?.stage === 'waiting') {
    return `still to be sent again, behind others, ${end}`
  }
  if (copy.events.some(({ _tag }) => _tag === 'Sent') || copy.packetId > 0) {
    return `still waiting for ${copy.qos === 1 ? 'PUBACK' : 'PUBREC'} ${end}${away}`
  }
  const why = session === undefined ? '' : `: ${whyQueued(session, copy, last, clock)}`
  return `still in its queue ${end}${why}`
}

/** Why the copy is still in the queue of its session. */
const whyQueued = (session: Session, { order }: Copy, last: State, clock: Clock): string => {
  let before = 0
  let expiresAt: Millis | null = null
  for (const one of Queue.entries(session.queue)) {
    if (one.order === order) {
      expiresAt = one.message.expiresAt
      break
    }
    before += 1
  }
  const why = whyWaiting(session, last.config, clock, before)
  return expiresAt === null || expiresAt > last.now
    ? why
    : `${why}; its Message Expiry Interval was over at ${
      since(expiresAt, clock)
    }, so that it will ` +
      'not be sent'
}

/** Why nothing retained could be sent to the session, or only had not been. */
export const whyNotYet = (session: Session, state: State, clock: Clock): string => {
  const { config } = state
  if (isReceptive(state, session)) return 'it comes in portions, and the next one had not begun'
  const bytes = unwrittenBytes(session)
  return session.conn !== null && bytes > catchUpBytesMax(config)
    ? `${plural(bytes, 'byte')} waited for its socket`
    : whyWaiting(session, config, clock, Queue.size(session.queue))
}
