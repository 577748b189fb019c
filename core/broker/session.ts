// The session of a client identifier: the one that there is, or a new one.

import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import type { Draft, EditableSession } from './draft.ts'
import { NEVER, type Session } from './state.ts'

/** The session of a client, connected or not; undefined where there is none. */
export const sessionOf = (draft: Draft, clientId: string): Session | undefined => {
  const number = StrMap.get(draft.clients, clientId) // [MQTT-3.1.3-2] [v3 MQTT-3.1.3-2]
  return number === undefined ? undefined : IntMap.get(draft.sessions, number)
}

/** A session without anything in it. */
export const begin = (draft: Draft, clientId: string, stored: boolean): EditableSession => {
  const number = IntMap.freeKey(draft.sessions, draft.nextSession)
  draft.nextSession = (number + 1) % IntMap.keyLimit
  const session: EditableSession = {
    owner: draft.owner,
    number,
    clientId,
    source: null,
    stored,
    expiryS: 0,
    offlineAt: NEVER,
    timerAt: NEVER,
    subscriptions: StrMap.empty(draft.origin.seed),
    will: null,
    willAt: NEVER,
    window: Window.empty,
    waitingCount: 0,
    queue: Queue.empty,
    queuedBytes: 0,
    queuedQos0: 0,
    queuedShared: 0,
    nextOrder: 1,
    nextPacketId: 1,
    incoming: Window.empty,
    receivingCount: 0,
    incomingBytes: 0,
    catchUps: Queue.empty,
    overtaken: StrMap.empty(draft.origin.seed),
    isCatching: false,
    conn: null,
    level: 4,
    inflightCountMax: 1,
    inflightBytes: 0,
    packetBytesMax: NEVER,
    mountPoint: '',
    aliasMax: 0,
    aliases: StrMap.empty(draft.origin.seed),
    sentBytes: 0,
    takenBytes: 0,
    progressAt: draft.now,
    isPaused: false,
  }
  draft.sessions = IntMap.set(draft.sessions, draft.owner, number, session)
  draft.clients = StrMap.set(draft.clients, draft.owner, clientId, number)
  return session
}
