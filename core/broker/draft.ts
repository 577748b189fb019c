// The one writer. A draft is a state while a run works on it: records and nodes stamped with the
// run's owner are edited in place, all others are copied first. `finish` gives the state back;
// after that nothing stamped by this run can be edited any more, because its token is gone.

import type { Qos } from '../codec/packet.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import { newOwner, type Owner } from '../data/owner.ts'
import { hasAcl } from './config.ts'
import type { Effect } from './effect.ts'
import { noted } from './effect.ts'
import type { Conn } from './input.ts'
import { batchOf, type Journal, newJournal } from './journal.ts'
import type { DropReason, Note } from './note.ts'
import { newRouting, type Routing } from './receivers.ts'
import type { Counters, Link, Phase, Session, State, Traffic } from './state.ts'

/** A record without its `readonly`. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A record that this run may edit. */
export type EditableSession = Writable<Session>
export type EditableLink = Writable<Link>

/** A state that a run edits: `open` makes one, `finish` a state again. */
export interface Draft extends Omit<Writable<State>, 'traffic'> {
  readonly owner: Owner
  /** The token for the tree of retained messages, changed whenever a snapshot of it is kept. */
  retainedOwner: Owner
  effects: Effect[]
  /** What changes of the records that outlive the process; null where nothing does. */
  readonly journal: Journal | null
  /** The journal's count when the input of the moment came. */
  mark: number
  countersOwned: boolean
  /**
   * Copies of messages that were routed in this run, members of groups that were asked whether they
   * would keep one, and subscriptions that ended with their sessions.
   */
  brought: number
  /** Whether any listener has an access list. */
  isGuarded: boolean
  /** The run's own. */
  traffic: Writable<Traffic>
  readonly routing: Routing
  /** Where small payloads of this run are kept, and how much of it is in use. */
  slab: Uint8Array
  slabAt: number
}

const noSlab = new Uint8Array(0)

// A payload of more than this has a buffer of its own. The others of one run share buffers: the
// first one's is exact, since it may be the only one, each of the next is twice as large as the one
// before. A message that is kept for long may keep such a buffer with it, so the queue's limit in
// messages times the largest is what a session can hold in excess.
const SLAB_PAYLOAD_MAX = 1_024
const SLAB_BYTES_NEXT = 1_024
const SLAB_BYTES_MAX = 4_096

/**
 * A copy of lent bytes for a message on its way: as good as `Bytes.own`, but where a run keeps many
 * it saves each a buffer, which costs more than its bytes.
 */
export const keepBytes = (draft: Draft, bytes: Bytes.Bytes): Bytes.Bytes => {
  const count = Bytes.size(bytes)
  if (count > SLAB_PAYLOAD_MAX) return Bytes.own(bytes)
  if (draft.slabAt + count > draft.slab.length) {
    const before = draft.slab.length
    const next = before === 0 ? 0 : Math.min(SLAB_BYTES_MAX, Math.max(SLAB_BYTES_NEXT, 2 * before))
    draft.slab = new Uint8Array(Math.max(count, next))
    draft.slabAt = 0
  }
  const at = draft.slabAt
  draft.slabAt = Bytes.copyTo(bytes, draft.slab, at)
  return Bytes.slice(draft.slab, at, draft.slabAt)
}

const copyOf = (traffic: Traffic): Writable<Traffic> => ({
  receivedPublishes: traffic.receivedPublishes,
  receivedPublishBytes: traffic.receivedPublishBytes,
  receivedOthers: traffic.receivedOthers,
  sentPublishes: traffic.sentPublishes,
  sentPublishBytes: traffic.sentPublishBytes,
  sentOthers: traffic.sentOthers,
  sentBytes: traffic.sentBytes,
  sockets: traffic.sockets,
  connects: traffic.connects,
  connectedMax: traffic.connectedMax,
  expired: traffic.expired,
})

/** Begins a run, with a token of its own. */
export const open = (state: State): Draft => {
  const owner = newOwner()
  return {
    config: state.config,
    origin: state.origin,
    now: state.now,
    wall: state.wall,
    stopping: state.stopping,
    isShort: state.isShort,
    persists: state.persists,
    isStoreFull: state.isStoreFull,
    references: state.references,
    nextMessage: state.nextMessage,
    links: state.links,
    nextOpening: state.nextOpening,
    greeting: state.greeting,
    addresses: state.addresses,
    arrivals: state.arrivals,
    sessions: state.sessions,
    nextSession: state.nextSession,
    clients: state.clients,
    filters: state.filters,
    nextJoined: state.nextJoined,
    nextGroup: state.nextGroup,
    turns: state.turns,
    retained: state.retained,
    retainedBytes: state.retainedBytes,
    retainedExpiring: state.retainedExpiring,
    timers: state.timers,
    catching: state.catching,
    recheck: state.recheck,
    remains: state.remains,
    remainsCount: state.remainsCount,
    remainsAt: state.remainsAt,
    counters: state.counters,
    traffic: copyOf(state.traffic),
    sharedCount: state.sharedCount,
    ownRetained: state.ownRetained,
    sys: state.sys,
    owner,
    retainedOwner: owner,
    effects: [],
    journal: state.persists ? newJournal() : null,
    mark: 0,
    countersOwned: false,
    brought: 0,
    isGuarded: hasAcl(state.config),
    routing: newRouting(),
    slab: noSlab,
    slabAt: 0,
  }
}

/** So much of `broughtBy` at most goes in one portion, and what the last of its items brings. */
export const BROUGHT_MAX = 10_000

/** What this run has brought about so far; not all of it is an effect of its own. */
export const broughtBy = (draft: Draft): number => draft.effects.length + draft.brought

/** The state as the run leaves it, with the run's batch of writes as the first effect. */
export const finish = (draft: Draft): readonly [State, ReadonlyArray<Effect>] => {
  const batch = batchOf(draft)
  if (batch !== null) draft.effects.unshift(batch)
  return [seal(draft), draft.effects]
}

const seal = (draft: Draft): State => ({
  config: draft.config,
  origin: draft.origin,
  now: draft.now,
  wall: draft.wall,
  stopping: draft.stopping,
  isShort: draft.isShort,
  persists: draft.persists,
  isStoreFull: draft.isStoreFull,
  references: draft.references,
  nextMessage: draft.nextMessage,
  links: draft.links,
  nextOpening: draft.nextOpening,
  greeting: draft.greeting,
  addresses: draft.addresses,
  arrivals: draft.arrivals,
  sessions: draft.sessions,
  nextSession: draft.nextSession,
  clients: draft.clients,
  filters: draft.filters,
  nextJoined: draft.nextJoined,
  nextGroup: draft.nextGroup,
  turns: draft.turns,
  retained: draft.retained,
  retainedBytes: draft.retainedBytes,
  retainedExpiring: draft.retainedExpiring,
  timers: draft.timers,
  catching: draft.catching,
  recheck: draft.recheck,
  remains: draft.remains,
  remainsCount: draft.remainsCount,
  remainsAt: draft.remainsAt,
  counters: draft.counters,
  traffic: draft.traffic,
  sharedCount: draft.sharedCount,
  ownRetained: draft.ownRetained,
  sys: draft.sys,
})

/** The link as this run may edit it; one that was looked up before an edit finds the edited one. */
export const editLink = (draft: Draft, found: Link): EditableLink => {
  if (found.owner === draft.owner) return found
  const link = IntMap.get(draft.links, found.conn.slot)!
  if (link.owner === draft.owner) return link
  const copy: EditableLink = {
    owner: draft.owner,
    conn: link.conn,
    listener: link.listener,
    peer: link.peer,
    nonce: link.nonce,
    opening: link.opening,
    phase: link.phase,
    seenAt: link.seenAt,
    timerAt: link.timerAt,
  }
  draft.links = IntMap.set(draft.links, draft.owner, link.conn.slot, copy)
  return copy
}

/**
 * The session as this run may edit it; one that was looked up before an edit finds the edited
 * one.
 */
export const editSession = (draft: Draft, found: Session): EditableSession => {
  if (found.owner === draft.owner) return found
  const session = IntMap.get(draft.sessions, found.number)!
  if (session.owner === draft.owner) return session
  const copy: EditableSession = {
    owner: draft.owner,
    number: session.number,
    clientId: session.clientId,
    source: session.source,
    stored: session.stored,
    expiryS: session.expiryS,
    offlineAt: session.offlineAt,
    timerAt: session.timerAt,
    subscriptions: session.subscriptions,
    will: session.will,
    willAt: session.willAt,
    window: session.window,
    waitingCount: session.waitingCount,
    queue: session.queue,
    queuedBytes: session.queuedBytes,
    queuedQos0: session.queuedQos0,
    queuedShared: session.queuedShared,
    nextOrder: session.nextOrder,
    nextPacketId: session.nextPacketId,
    incoming: session.incoming,
    receivingCount: session.receivingCount,
    incomingBytes: session.incomingBytes,
    catchUps: session.catchUps,
    overtaken: session.overtaken,
    isCatching: session.isCatching,
    conn: session.conn,
    level: session.level,
    inflightCountMax: session.inflightCountMax,
    inflightBytes: session.inflightBytes,
    packetBytesMax: session.packetBytesMax,
    mountPoint: session.mountPoint,
    aliasMax: session.aliasMax,
    aliases: session.aliases,
    sentBytes: session.sentBytes,
    takenBytes: session.takenBytes,
    progressAt: session.progressAt,
    isPaused: session.isPaused,
  }
  draft.sessions = IntMap.set(draft.sessions, draft.owner, session.number, copy)
  return copy
}

/** Moves a connection on; answers the record that the run may edit. */
export const setPhase = (draft: Draft, link: Link, phase: Phase): EditableLink => {
  const editable = editLink(draft, link)
  editable.phase = phase
  return editable
}

interface EditableCounters extends Writable<Counters> {
  dropped: { [reason in DropReason]: number }
}

const editCounters = (draft: Draft): EditableCounters => {
  if (!draft.countersOwned) {
    draft.counters = { dropped: { ...draft.counters.dropped }, stale: draft.counters.stale }
    draft.countersOwned = true
  }
  return draft.counters
}

/** Says what has happened, as an effect. */
export const note = (draft: Draft, what: Note): void => {
  draft.effects.push(noted(what))
}

/** Counts a packet of so many bytes that is sent and is no PUBLISH. */
export const countSent = (draft: Draft, bytes: number): void => {
  draft.traffic.sentOthers++
  draft.traffic.sentBytes += bytes
}

/** Counts a PUBLISH that is sent so many times; `bytes` and payload are those of one. */
export const countPublished = (
  draft: Draft,
  times: number,
  bytes: number,
  payload: Bytes.Bytes,
): void => {
  const { traffic } = draft
  traffic.sentPublishes += times
  traffic.sentPublishBytes += times * (payload.end - payload.start)
  traffic.sentBytes += times * bytes
}

/** Counts a message that did not reach `clientId` (null: anybody) once, with its reason. */
export const drop = (
  draft: Draft,
  clientId: string | null,
  topic: string,
  qos: Qos,
  why: DropReason,
): void => {
  editCounters(draft).dropped[why]++
  note(draft, { _tag: 'Dropped', clientId, topic, qos, why })
}

/** Counts `count` messages that went with their session; its SessionEnded note tells the rest. */
export const dropWithSession = (draft: Draft, count: number): void => {
  if (count > 0) editCounters(draft).dropped['session ended'] += count
}

/** Counts an input about a connection that is gone. */
export const stale = (draft: Draft, conn: Conn, input: string): void => {
  editCounters(draft).stale++
  note(draft, { _tag: 'Stale', conn, input })
}
