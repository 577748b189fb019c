// What must have happened somewhere in a long search, or it has not been where it is hardest. The
// signs are read from the states of the real broker, one step after another; a mark that hangs on
// what comes later is remembered until then.

import type { Effect } from '../../core/broker/effect.ts'
import type { Input, Millis } from '../../core/broker/input.ts'
import type { Outgoing, Session } from '../../core/broker/state.ts'
import * as IntMap from '../../core/data/int-map.ts'
import * as StrMap from '../../core/data/str-map.ts'
import * as Window from '../../core/data/window.ts'
import type { State } from '../../core/mod.ts'
import { NEVER } from '../../core/mod.ts'
import { splitShare } from '../../core/topic/filter.ts'
import { match } from '../../core/topic/match.ts'

export const marks = [
  'packet identifiers came round',
  'packet identifiers came round past one that was in use',
  'a full window was resumed',
  'a window was resumed that is wider than the new connection allows',
  'a client was taken over while it sent a QoS 2 message',
  'a client was taken over while it received a QoS 2 message',
  'a member of a shared group was lost with messages unacknowledged',
  'a message expired in flight and was sent again',
  'a queue was full',
  'a delayed will was overtaken by a resume',
  'levels 3, 4 and 5 were connected at once',
] as const
export type Mark = typeof marks[number]

/** Looks at one history, step by step; `reached` is called for every mark, again and again. */
export const newLookout = (reached: (mark: Mark) => void) => {
  /** When wills would have been published whose clients came back, by client identifier. */
  const avoided = new Map<string, Millis>()
  return (before: State, input: Input, after: State, effects: ReadonlyArray<Effect>): void => {
    watchNotes(effects, avoided, reached)
    for (const [clientId, at] of avoided) {
      if (after.now < at) continue
      avoided.delete(clientId)
      reached('a delayed will was overtaken by a resume')
    }
    if (after.sessions === before.sessions) return
    for (const [number, old] of IntMap.entries(before.sessions)) {
      const session = IntMap.get(after.sessions, number)
      if (session === old) continue
      if (session !== undefined) {
        watchIdentifiers(old, session, reached)
        if (session.conn !== null && session.conn !== old.conn) {
          watchResume(old, session, reached)
          if (old.willAt !== NEVER) avoided.set(old.clientId, old.willAt)
        }
      }
      const isLost = old.conn !== null && session?.conn !== old.conn
      if (isLost && isOwedByShare(before, old)) {
        reached('a member of a shared group was lost with messages unacknowledged')
      }
    }
    if (input._tag === 'Arrived' && input.packet._tag === 'Connect') watchLevels(after, reached)
  }
}

const watchNotes = (
  effects: ReadonlyArray<Effect>,
  avoided: Map<string, Millis>,
  reached: (mark: Mark) => void,
): void => {
  for (const effect of effects) {
    if (effect._tag === 'Send') {
      const { packet } = effect
      if (packet._tag !== 'Publish' || !packet.dup) continue
      if (packet.properties.messageExpiryInterval === 0) {
        reached('a message expired in flight and was sent again')
      }
    } else if (effect._tag === 'Note') {
      const { note } = effect
      if (note._tag === 'Dropped' && note.why === 'queue full') reached('a queue was full')
      // A will of this client's was published after all, if not the same one.
      if (note._tag === 'WillPublished') avoided.delete(note.clientId)
    }
  }
}

const watchIdentifiers = (
  old: Session,
  session: Session,
  reached: (mark: Mark) => void,
): void => {
  if (session.nextPacketId >= old.nextPacketId) return
  reached('packet identifiers came round')
  // From the end of the range it goes on at 1, unless that is in use.
  if (Window.get(old.window, 1) !== undefined && Window.get(session.window, 1) !== undefined) {
    reached('packet identifiers came round past one that was in use')
  }
}

const isOfQos2 = ([, one]: readonly [number, Outgoing]): boolean => one.terms.qos === 2

const watchResume = (old: Session, session: Session, reached: (mark: Mark) => void): void => {
  const count = Window.size(old.window)
  if (count > 1 && count >= old.inflightCountMax) reached('a full window was resumed')
  if (session.waitingCount > 0) {
    reached('a window was resumed that is wider than the new connection allows')
  }
  if (old.conn === null) return
  if (Window.size(old.incoming) > 0) {
    reached('a client was taken over while it sent a QoS 2 message')
  }
  if ([...Window.entries(old.window)].some(isOfQos2)) {
    reached('a client was taken over while it received a QoS 2 message')
  }
}

/** Whether something in the window came from a shared subscription that others have as well. */
const isOwedByShare = (state: State, session: Session): boolean => {
  const filters = [...StrMap.entries(session.subscriptions)].map(([, one]) => one.filter)
  const direct = filters.filter((one) => splitShare(one) === null)
  const shared = filters.filter((one) => splitShare(one) !== null)
  for (const [, one] of Window.entries(session.window)) {
    if (one.stage === 'released') continue
    const { topic } = one.message
    if (direct.some((filter) => match(filter, topic))) continue
    for (const filter of shared) {
      if (!match(splitShare(filter)!.filter, topic)) continue
      const others = [...IntMap.entries(state.sessions)].filter(([number, other]) =>
        number !== session.number && StrMap.get(other.subscriptions, filter) !== undefined
      )
      if (others.length > 0) return true
    }
  }
  return false
}

const watchLevels = (state: State, reached: (mark: Mark) => void): void => {
  const levels = new Set<number>()
  for (const [, link] of IntMap.entries(state.links)) {
    if (link.phase.phase === 'Ready') levels.add(link.phase.level)
  }
  if (levels.size === 3) reached('levels 3, 4 and 5 were connected at once')
}
