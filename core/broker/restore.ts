// A broker made again of what it had stored: everybody is away, and whoever was connected when the
// process ended has lost the connection just now. From there on it behaves as if it had not ended.

import { encodedSize } from '../codec/mod.ts'
import { none, type Properties } from '../codec/properties.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import { splitShare } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import type { Source } from './acl.ts'
import type { Config } from './config.ts'
import { type Draft, type EditableSession, finish, open, type Writable } from './draft.ts'
import type { Effect } from './effect.ts'
import type { Millis } from './input.ts'
import { noteSession, noteWill } from './journal.ts'
import { expiresAt } from './leave.ts'
import type { Kind, Record, Stamp, WillRecord, Write } from './record.ts'
import { wakeRetained, wakeSession } from './schedule.ts'
import { begin } from './session.ts'
import type { CatchUp, Delivery, Message, Origin, Released } from './state.ts'
import { initial, newSys, publishOf, releasedTerms } from './state.ts'
import type { Session, State, Subscription } from './state.ts'
import { join } from './subscribe.ts'
import { termsFor } from './terms.ts'

/** A clock on the wall that shows an earlier time than this was never set (2020-01-01). */
const PLAUSIBLE_WALL_MS = 1_577_836_800_000

/** Names of topics, and clients, remembered while records are loaded. */
const TOPICS_MAX = 4_096
const SOURCES_MAX = 4_096

/** Nobody looks for sessions after so long; a clock that says so is wrong (ten years). */
const AWAY_MS_MAX = 10 * 365 * 86_400_000

/**
 * Where the broker's own time goes on after a restart, at this time on the wall; `isClear` tells
 * whether the clock says how long it was away. If it does not, no time has passed: nothing expires
 * because a clock without a battery shows another year.
 */
export const resumeAt = (
  stamp: Stamp,
  wall: number,
): { readonly at: Millis; readonly isClear: boolean } => {
  const awayMs = wall - stamp.wall
  const isClear = awayMs >= 0 && awayMs <= AWAY_MS_MAX && stamp.wall >= PLAUSIBLE_WALL_MS
  return { at: stamp.at + (isClear ? awayMs : 0), isClear }
}

/** A broker in the making. */
export interface Restoring {
  readonly draft: Draft
  readonly messages: Map<number, Message>
  /** Names that messages share, so that a million messages of ten topics hold ten of them. */
  readonly topics: Map<TopicName, TopicName>
  /** Who messages, sessions and wills are of, one for all of a client, by client identifier. */
  readonly sources: Map<string, Source>
  /** Catch-ups of each session, by its number, in no order yet. */
  readonly catchUps: Map<number, CatchUp[]>
  /** Sessions that had a connection when the process ended, and those of them with a will. */
  readonly cutOff: EditableSession[]
  readonly mourned: EditableSession[]
}

/** Begins with nothing; what time it is is said at the end. */
export const beginRestore = (config: Config, origin: Origin): Restoring => ({
  draft: open(initial({ ...config, persistence: true }, origin)),
  messages: new Map(),
  topics: new Map(),
  sources: new Map(),
  catchUps: new Map(),
  cutOff: [],
  mourned: [],
})

const lacking = (kind: Kind, what: string): Error =>
  new Error(`the store gave a record of the kind ${kind} before ${what} that it refers to`)

const messageOf = ({ draft, messages }: Restoring, kind: Kind, id: number): Message => {
  const found = messages.get(id)
  if (found === undefined) throw lacking(kind, `the message ${id}`)
  const references = (IntMap.get(draft.references, id) ?? 0) + 1
  draft.references = IntMap.set(draft.references, draft.owner, id, references)
  return found
}

const shared = ({ topics }: Restoring, topic: TopicName): TopicName => {
  const known = topics.get(topic)
  if (known !== undefined) return known
  if (topics.size >= TOPICS_MAX) topics.clear()
  topics.set(topic, topic)
  return topic
}

const sharedSource = ({ sources }: Restoring, source: Source | null): Source | null => {
  if (source === null) return null
  const { clientId, userName, listener } = source
  const known = sources.get(clientId)
  if (known !== undefined && known.userName === userName && known.listener === listener) {
    return known
  }
  if (sources.size >= SOURCES_MAX) sources.clear()
  sources.set(clientId, source)
  return source
}

const sharedProperties = (properties: Properties): Properties => {
  for (const _key in properties) return properties
  return none
}

const sessionOf = ({ draft }: Restoring, kind: Kind, clientId: string): EditableSession => {
  const number = StrMap.get(draft.clients, clientId)
  const found = number === undefined ? undefined : IntMap.get(draft.sessions, number)
  if (found === undefined) throw lacking(kind, 'the session')
  // All sessions are this draft's own.
  return found as EditableSession
}

/**
 * Adds one record. Records come in the order of their kinds: messages, sessions, subscriptions,
 * outgoing by session and order, incoming, retained, wills. Throws where that is not so.
 */
export const addRecord = (restoring: Restoring, record: Record): void => {
  const { draft } = restoring
  switch (record.kind) {
    case 'message': {
      const { id, qos, retain, payload } = record
      const message: Writable<Message> = {
        id,
        topic: shared(restoring, record.topic),
        qos,
        retain,
        payload,
        properties: sharedProperties(record.properties),
        expiresAt: record.expiresAt,
        bytes: 0,
        source: sharedSource(restoring, record.source),
      }
      message.bytes = encodedSize(5, publishOf(message))
      restoring.messages.set(id, message)
      if (id > draft.nextMessage) draft.nextMessage = id
      return
    }
    case 'session': {
      const session = begin(draft, record.clientId, true)
      // An operator who shortens it means those as well who may never come back to be told.
      session.expiryS = Math.min(record.expiryS, draft.config.sessionExpiryMaxS)
      if (session.expiryS < record.expiryS) noteSession(draft, session, true)
      session.level = record.level
      session.source = sharedSource(restoring, record.source)
      if (record.offlineAt === null) restoring.cutOff.push(session)
      else session.offlineAt = record.offlineAt
      return
    }
    case 'subscription': {
      const session = sessionOf(restoring, 'subscription', record.clientId)
      const { filter, qos, noLocal, retainAsPublished, identifiers, joined, catchUp } = record
      const subscription: Subscription = {
        session: session.number,
        filter,
        share: splitShare(filter),
        qos,
        noLocal,
        retainAsPublished,
        identifiers,
        joined,
      }
      join(draft, session, subscription, undefined)
      draft.nextJoined = Math.max(draft.nextJoined, joined + 1, catchUp + 1)
      if (catchUp === 0) return
      const waiting = restoring.catchUps.get(session.number) ?? []
      waiting.push({ rank: catchUp, cursor: null, subscription })
      restoring.catchUps.set(session.number, waiting)
      return
    }
    case 'outgoing':
      return addOutgoing(restoring, record)
    case 'incoming': {
      const session = sessionOf(restoring, 'incoming', record.clientId)
      const message = record.message === 0 ? null : messageOf(restoring, 'incoming', record.message)
      // No connection of this process has brought it.
      const incoming = { message, opening: -1 }
      session.incoming = Window.add(session.incoming, draft.owner, record.packetId, incoming)
      session.incomingBytes += message?.bytes ?? 0
      return
    }
    case 'retained': {
      const message = messageOf(restoring, 'retained', record.message)
      draft.retained = Tree.set(draft.retained, draft.retainedOwner, record.topic, message)
      draft.retainedBytes += message.bytes
      if (message.expiresAt === null) return
      draft.retainedExpiring++
      wakeRetained(draft, record.topic, message.expiresAt)
      return
    }
    case 'will':
      return addWill(restoring, record)
  }
}

const addOutgoing = (
  restoring: Restoring,
  record: Extract<Record, { readonly kind: 'outgoing' }>,
): void => {
  const { draft } = restoring
  const { order, packetId, qos, retain, share } = record
  const session = sessionOf(restoring, 'outgoing', record.clientId)
  session.nextOrder = Math.max(session.nextOrder, order + 1)
  if (record.stage === 'released') {
    const released: Released = { order, stage: 'released', terms: releasedTerms }
    session.window = Window.add(session.window, draft.owner, packetId, released)
  } else {
    const message = messageOf(restoring, 'outgoing', record.message)
    const terms = termsFor(session, qos, retain, record.identifiers, share)
    const delivery: Delivery = { order, stage: 'open', message, terms }
    if (packetId === 0) {
      session.queue = Queue.push(session.queue, draft.owner, delivery)
      session.queuedBytes += message.bytes
      if (qos === 0) session.queuedQos0++
      if (share !== null) session.queuedShared++
      return
    }
    session.window = Window.add(session.window, draft.owner, packetId, delivery)
  }
  session.nextPacketId = packetId >= draft.config.packetIdMax ? 1 : packetId + 1
}

/** A client whose session was to end with its connection still has a will to be published. */
const addWill = (restoring: Restoring, record: WillRecord): void => {
  const { draft, cutOff, mourned } = restoring
  const source = sharedSource(restoring, record.source)
  const { clientId, topic, qos, retain, payload, properties, delayMs, dueAt } = record
  const bare: Message = {
    id: 0,
    topic,
    qos,
    retain,
    payload,
    properties,
    expiresAt: null,
    bytes: 0,
    source: retain ? source : null,
  }
  const message = { ...bare, bytes: encodedSize(5, publishOf(bare)) }
  const number = StrMap.get(draft.clients, clientId)
  const found = number === undefined ? undefined : IntMap.get(draft.sessions, number)
  const session = found === undefined ? begin(draft, clientId, false) : found as EditableSession
  if (found === undefined) cutOff.push(session)
  session.source = source
  session.will = { message, delayMs }
  if (dueAt === null) mourned.push(session)
  else session.willAt = dueAt
}

/**
 * The broker at this time, which is what `resumeAt` answered for that one on the wall, and what has
 * to be stored of the restart itself: when sessions lost their connection, and messages that
 * nothing refers to.
 */
export const endRestore = (
  { draft, messages, catchUps, cutOff, mourned }: Restoring,
  at: Millis,
  wall: number,
): readonly [State, ReadonlyArray<Effect>] => {
  draft.origin = { ...draft.origin, at, wall }
  draft.now = at
  draft.wall = wall
  draft.sys = newSys(draft.config, at)
  const orphans: Write[] = []
  for (const id of messages.keys()) {
    if (IntMap.get(draft.references, id) !== undefined) continue
    orphans.push({ _tag: 'Delete', key: { kind: 'message', id } })
  }
  // Whoever still holds what is being restored holds nothing large.
  messages.clear()
  for (const [number, waiting] of catchUps) {
    const session = IntMap.get(draft.sessions, number) as EditableSession
    for (const catchUp of waiting.sort((one, other) => one.rank - other.rank)) {
      session.catchUps = Queue.push(session.catchUps, draft.owner, catchUp)
    }
  }
  for (const session of cutOff) {
    session.offlineAt = at
    noteSession(draft, session, true)
  }
  for (const session of mourned) {
    session.willAt = at + session.will!.delayMs
    noteWill(draft, session, session.will, session.willAt)
  }
  IntMap.each(draft.sessions, (session: Session) => {
    wakeSession(draft, session, Math.min(session.willAt, expiresAt(session)))
  })
  const [state, effects] = finish(draft)
  if (orphans.length === 0) return [state, effects]
  const [batch] = effects
  const writes = batch?._tag === 'Persist' ? batch.writes : []
  return [state, [{ _tag: 'Persist', at: state.now, writes: [...writes, ...orphans] }]]
}

/** A whole broker of the records of a store; see `addRecord` for their order. */
export const restore = (
  config: Config,
  records: Iterable<Record>,
  origin: Origin,
): readonly [State, ReadonlyArray<Effect>] => {
  const restoring = beginRestore(config, origin)
  for (const record of records) addRecord(restoring, record)
  return endRestore(restoring, origin.at, origin.wall)
}
