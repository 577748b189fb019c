// Whether the parts of a state agree with each other: what it says in two places is the same, and
// what it counts is there. Limits are no part of it: a reload may set one below what there is.

import type { Session, State } from '../broker/state.ts'
import { isSingle, NEVER } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import { splitShare } from '../topic/filter.ts'
import * as Tree from '../topic/tree.ts'

const ofSession = (state: State, number: number, session: Session): string | null => {
  if (session.number !== number) return 'it has another number than its place'
  if (StrMap.get(state.clients, session.clientId) !== number) return 'its name is of another'
  let [bytes, qos0, open, waiting, inflight] = [0, 0, 0, 0, 0]
  for (const { message, terms } of Queue.entries(session.queue)) {
    bytes += message.bytes
    if (terms.qos === 0) qos0 += 1
  }
  const ids = new Set<number>()
  for (const [id, one] of Window.entries(session.window)) {
    if (id < 1 || id > 0xffff || ids.has(id)) return `the packet identifier ${id} is not right`
    ids.add(id)
    if (one.terms.qos === 0) return 'a message of QoS 0 is in its window'
    if (one.stage === 'waiting') waiting += 1
    if (one.stage !== 'open' && one.stage !== 'passing') continue
    open += 1
    inflight += one.message.bytes
  }
  if (session.queuedBytes !== bytes) return `${session.queuedBytes} of ${bytes} bytes are queued`
  let held = 0
  for (const [, one] of Window.entries(session.incoming)) held += one.message?.bytes ?? 0
  if (session.incomingBytes !== held) return `${session.incomingBytes} of ${held} bytes are held`
  if ((session.conn === null) !== (session.offlineAt !== NEVER)) return 'it is here and away'
  if (session.conn === null) return session.expiryS > 0 ? null : 'it outlives its connection'
  const link = IntMap.get(state.links, session.conn.slot)
  const isServed = link?.conn.generation === session.conn.generation &&
    link.phase.phase === 'Ready' && link.phase.session === number
  if (!isServed) return 'its connection knows nothing of it'
  if (session.queuedQos0 !== qos0) return `${session.queuedQos0} of ${qos0} are of QoS 0`
  if (session.waitingCount !== waiting) return `${session.waitingCount} of ${waiting} wait`
  if (session.inflightBytes !== inflight) {
    return `${session.inflightBytes} of ${inflight} bytes are in flight in ${open} messages`
  }
  return session.takenBytes <= session.sentBytes ? null : 'more bytes were taken than sent'
}

const ofSubscriptions = (state: State, number: number, session: Session): string | null => {
  for (const [filter, subscription] of StrMap.entries(session.subscriptions)) {
    const share = splitShare(subscription.filter)
    const found = Tree.get(state.filters.tree, share === null ? subscription.filter : share.filter)
    const there = found === undefined || isSingle(found)
      ? found
      : share === null
      ? IntMap.get(found.direct, number)
      : IntMap.get(StrMap.get(found.groups, share.group)?.members ?? IntMap.empty(), number)
    if (there !== subscription) return `its subscription to ${filter} is not in the tree`
  }
  return null
}

/** The first sentence about what does not agree in a state; null where all does. */
export const disagreement = (state: State): string | null => {
  if (StrMap.size(state.clients) !== IntMap.size(state.sessions)) {
    return 'client identifiers are not as many as sessions'
  }
  for (const [number, session] of IntMap.entries(state.sessions)) {
    const wrong = ofSession(state, number, session) ?? ofSubscriptions(state, number, session)
    if (wrong !== null) return `session '${session.clientId}': ${wrong}`
  }
  for (const [slot, link] of IntMap.entries(state.links)) {
    if (link.conn.slot !== slot) return `slot ${slot} holds the connection of another`
    if (link.phase.phase !== 'Ready') continue
    const session = IntMap.get(state.sessions, link.phase.session)
    if (session?.conn?.slot !== slot) return `slot ${slot} serves a session that is not there`
  }
  return null
}
