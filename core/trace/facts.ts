// A few facts about a state, on one line: what the verb `state` of a story prints.

import type { Conn } from '../broker/input.ts'
import type { Session, State } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import * as Tree from '../topic/tree.ts'
import { quote } from './words.ts'

/** The session behind a connection, or undefined. */
export const sessionOf = (state: State, conn: Conn): Session | undefined => {
  const link = IntMap.get(state.links, conn.slot)
  return link?.conn.generation === conn.generation && link.phase.phase === 'Ready'
    ? IntMap.get(state.sessions, link.phase.session)
    : undefined
}

/** What there is by count; what there is none of is left out. */
const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).filter(([, count]) => count > 0).map(([what, count]) =>
    ` ${what} ${count}`
  )
    .join('')

const brokerText = (state: State): string => {
  const dropped = Object.entries(state.counters.dropped).filter(([, count]) => count > 0)
  const counts = {
    'connections': IntMap.size(state.links),
    'sessions': IntMap.size(state.sessions),
    'retained': Tree.size(state.retained),
    'stale': state.counters.stale,
  }
  return `broker:${counted(counts)}` +
    (dropped.length === 0 ? '' : ` dropped:${counted(Object.fromEntries(dropped))}`)
}

const sessionText = (session: Session): string =>
  `session ${quote(session.clientId, "'")}: ${session.conn === null ? 'away' : 'connected'}` +
  counted({
    'subscriptions': StrMap.size(session.subscriptions),
    'in-flight': Window.size(session.window),
    'queued': Queue.size(session.queue),
    'unreleased': Window.size(session.incoming),
    'wills': session.will === null ? 0 : 1,
  })

/** Facts about a session, or about the broker where `clientId` is null. */
export const stateText = (state: State, clientId: string | null): string => {
  if (clientId === null) return brokerText(state)
  const number = StrMap.get(state.clients, clientId)
  const session = number === undefined ? undefined : IntMap.get(state.sessions, number)
  return session === undefined ? `session ${quote(clientId, "'")}: none` : sessionText(session)
}
