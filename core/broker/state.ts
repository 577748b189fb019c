// The whole broker as a value. Every state that was ever handed out stays valid for ever; records
// carry the token of the run that made them, so that only that run may edit them in place.

import type { Connect, Level, Publish, Qos } from '../codec/packet.ts'
import type { Properties } from '../codec/properties.ts'
import type { Bytes } from '../data/bytes.ts'
import * as Heap from '../data/heap.ts'
import * as IntMap from '../data/int-map.ts'
import type { Owner } from '../data/owner.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import type { Window } from '../data/window.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import * as Ways from '../topic/ways.ts'
import type { Source } from './acl.ts'
import { type Config, type ListenerRules, wholeConfig } from './config.ts'
import type { Conn, Millis, Peer, Revocation } from './input.ts'
import type { Exchange, MethodName } from './method.ts'
import type { DropReason } from './note.ts'
import { averageCount, loadCount, sysTopics } from './sys-topic.ts'

/** Where the clock of a state begins. */
export interface Origin {
  /** Monotonic milliseconds of the first input. */
  readonly at: Millis
  /** The clock on the wall at that moment, Unix milliseconds. */
  readonly wall: number
  /** Seed of the hash tables, so that nobody can choose keys that collide. */
  readonly seed: number
}

/** A time that never comes; what `deadline` answers when nothing is due. */
export const NEVER: Millis = Number.MAX_SAFE_INTEGER

/** A session expiry interval that never ends, in seconds (the standard's 0xFFFFFFFF). */
export const EXPIRY_NEVER_S = 0xffffffff

/** A message that the broker keeps: its bytes are its own. */
export interface Message {
  /** By which records refer to it; 0 where nothing outlives the process. */
  readonly id: number
  readonly topic: TopicName
  readonly qos: Qos
  /** As the publisher set it. */
  readonly retain: boolean
  readonly payload: Bytes
  /** What is forwarded: no topic alias, no subscription identifiers; expiry as published. */
  readonly properties: Properties
  /** Null without a message expiry interval: a number would weigh 16 bytes more. */
  readonly expiresAt: Millis | null
  /** Size on the wire at level 5, what the limits in bytes count. */
  readonly bytes: number
  /** Who published it, of a message that is to be retained; null for the broker itself. */
  readonly source: Source | null
}

/** A message without its payload, of which only the size is left. */
export interface Gist extends Omit<Message, 'payload'> {
  readonly payloadBytes: number
}

/** Before CONNECT. */
export interface Greeting {
  readonly phase: 'Greeting'
}

/** CONNECT has arrived and somebody is being asked about it. */
export interface Judging {
  readonly phase: 'Judging'
  readonly connect: Connect
}

/** An exchange between a client and its authentication method. */
export interface Dialogue {
  readonly exchange: Exchange
  /** Whether it is the shell's turn; else it is the client's. */
  readonly isAsked: boolean
}

/** CONNECT named an authentication method, and its exchange goes on. */
export interface Authenticating {
  readonly phase: 'Authenticating'
  readonly connect: Connect
  readonly method: MethodName
  readonly dialogue: Dialogue
  /** Bytes sent to the connection so far. */
  readonly sentBytes: number
}

/** Who a connected client has proved to be. */
export interface Identity {
  readonly method: MethodName
  readonly userName: string
  /** Another authentication that goes on, and when it must have come to an end. */
  readonly renewal: { readonly dialogue: Dialogue; readonly dueAt: Millis } | null
}

/** Take-overs of a client identifier that follow each other closely. */
export interface Contest {
  readonly count: number
  /** When the last was. */
  readonly at: Millis
  /** When it was last noted; null for not yet. */
  readonly notedAt: Millis | null
}

/** CONNECT was accepted; what the connection says and owes is its session's. */
export interface Ready {
  readonly phase: 'Ready'
  readonly session: number
  readonly level: Level
  readonly bridge: boolean
  /**
   * The configuration and the rules of the listener that CONNACK told of: what they say of what is
   * announced holds until the connection ends, whatever the operator changes.
   */
  readonly promised: Config
  readonly rules: ListenerRules
  /** Null for a connection that took its session over from nobody. */
  readonly contest: Contest | null
  /** Null for a client that named no authentication method. */
  readonly identity: Identity | null
  /** Whether any packet may say why (Request Problem Information). */
  readonly wantsProblems: boolean
  /** Whether CONNECT asked for a session that outlives the connection. */
  readonly wantsSession: boolean
  /** 0 where the client asked for none. */
  readonly keepAliveMs: number
  /** Topic aliases that the client has set [MQTT-3.3.2-8]; at most topicAliasMaximum. */
  readonly aliases: IntMap.IntMap<TopicName>
}

/** How far a connection has got. */
export type Phase = Greeting | Judging | Authenticating | Ready

/** A connection, as the broker knows it. */
export interface Link {
  readonly owner: Owner | null
  readonly conn: Conn
  readonly listener: string
  readonly peer: Peer
  readonly nonce: string
  /** Rank of this connection among all that were ever opened. */
  readonly opening: number
  readonly phase: Phase
  /** When the last whole packet arrived; at first when the connection was opened. */
  readonly seenAt: Millis
  /** The time of this link's entry in the timers that counts; NEVER if there is none. */
  readonly timerAt: Millis
}

/** How a copy of a message is sent: one record for all that wait in a queue and agree in it. */
export interface Terms {
  readonly qos: Qos
  readonly retain: boolean
  /** Subscription identifiers that go with it. */
  readonly identifiers: ReadonlyArray<number>
  /** The shared subscription that it came through, null for none. */
  readonly share: Share | null
}

/** One copy of a message for one session; the same record in the queue and in the window. */
export interface Delivery {
  /** Its place in the session's line. */
  readonly order: number
  /**
   * `open` in the queue: not sent; in the window: sent, and not answered. `waiting`: sent on an
   * earlier connection and not on this one yet, whose window is full.
   */
  readonly stage: 'open' | 'waiting'
  readonly message: Message
  readonly terms: Terms
}

/**
 * A copy that was sent to a session that ends with its connection: it is never sent again, so there
 * is no need to keep what it said.
 */
export interface Passing {
  readonly order: number
  readonly stage: 'passing'
  readonly message: Gist
  readonly terms: Terms
}

/** What is left of them when the message has gone. */
export const releasedTerms = { qos: 2, retain: false, identifiers: [], share: null } as const

/** What is left of a QoS 2 delivery when the receiver has the message: PUBREC came, PUBREL goes. */
export interface Released {
  readonly order: number
  readonly stage: 'released'
  readonly terms: typeof releasedTerms
}

/** What a window holds for a client, by packet identifier. */
export type Outgoing = Delivery | Passing | Released

/** A QoS 2 message received and not released yet; null where it may go nowhere. */
export interface Incoming {
  readonly message: Message | null
  /** The connection that it came in on, by its rank of opening. */
  readonly opening: number
}

/** What is published when the connection is lost, and how long after that. */
export interface SessionWill {
  readonly message: Message
  readonly delayMs: number
}

/** Retained messages still to be sent for a new subscription. */
export interface CatchUp {
  /** Among all catch-ups that ever began. */
  readonly rank: number
  /** Where it goes on; null where it has to begin, so that nobody away holds an old store. */
  readonly cursor: Tree.Cursor<Message> | null
  readonly subscription: Subscription
}

/** What is kept of a client under its identifier, connected or not. */
export interface Session {
  readonly owner: Owner | null
  readonly number: number
  readonly clientId: string
  /** Who its client is; null after a restart where an older program did not store it. */
  readonly source: Source | null
  /** Whether it outlives the process. */
  readonly stored: boolean
  /** Seconds after the end of the connection; EXPIRY_NEVER_S for ever. */
  readonly expiryS: number
  /** When the connection ended; NEVER while there is one. */
  readonly offlineAt: Millis
  readonly timerAt: Millis
  readonly subscriptions: StrMap.StrMap<Subscription>
  readonly will: SessionWill | null
  /** When a delayed will is due; NEVER while the client is connected. */
  readonly willAt: Millis

  /** Messages towards the client that have a packet identifier. */
  readonly window: Window<Outgoing>
  /** How many of them are at stage `waiting`. */
  readonly waitingCount: number
  readonly queue: Queue.Queue<Delivery>
  readonly queuedBytes: number
  /** How many of the queue are of QoS 0. */
  readonly queuedQos0: number
  /** How many of the queue came through a shared subscription. */
  readonly queuedShared: number
  /** The place in the line of the next message: from 1 on. */
  readonly nextOrder: number
  /** 0 < nextPacketId <= packetIdMax [MQTT-2.2.1-4] [v3 MQTT-2.3.1-4]. */
  readonly nextPacketId: number
  /** QoS 2 from the client, by packet identifier. */
  readonly incoming: Window<Incoming>
  /** How many of them came in on the connection of the moment: what Receive Maximum counts. */
  readonly receivingCount: number
  readonly incomingBytes: number
  /** In turn; one whose subscription is gone or was replaced is passed over. */
  readonly catchUps: Queue.Queue<CatchUp>
  /** Retained topics sent live, each with the rank before which catch-ups send nothing older. */
  readonly overtaken: StrMap.StrMap<number>
  /** Whether this session stands in the queue of those whose catch-ups can go on at once. */
  readonly isCatching: boolean

  // The connection of the moment.
  readonly conn: Conn | null
  readonly level: Level
  /** Messages that may be sent and not acknowledged: the client's Receive Maximum and our own. */
  readonly inflightCountMax: number
  /** Bytes of those that were sent on this connection and that the client is not known to have. */
  readonly inflightBytes: number
  /** The client's Maximum Packet Size, NEVER for none. */
  readonly packetBytesMax: number
  /** What the client does not see of topics; see mount.ts. */
  readonly mountPoint: string
  /** Topic aliases that may be set towards the client, and those that are: 1, 2, 3 and so on. */
  readonly aliasMax: number
  readonly aliases: StrMap.StrMap<number>
  /** Bytes sent to the connection, and bytes of them that its socket is known to have taken. */
  readonly sentBytes: number
  readonly takenBytes: number
  /** When takenBytes last grew, or what waits last began to be much. */
  readonly progressAt: Millis
  /** Whether nothing is read from the client, because it does not read our answers. */
  readonly isPaused: boolean
}

/** Whether a session outlives its connection. */
export const isDurable = (session: Session): boolean => session.expiryS > 0 // [MQTT-3.1.2-23]

/** A shared subscription: the name of the group, and what it subscribes to. */
export interface Share {
  readonly group: string
  readonly filter: TopicFilter
}

/** One subscription of one session. */
export interface Subscription {
  readonly session: number
  /** As the client wrote it, `$share` and all. */
  readonly filter: TopicFilter
  /** The two halves of a shared one. */
  readonly share: Share | null
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** None or one; of all of them where several subscriptions were merged into this. */
  readonly identifiers: ReadonlyArray<number>
  /**
   * Rank among all subscriptions that were ever made: the order of turns in a shared group. One in
   * the place of another has the same, unless it begins anew with what is retained.
   */
  readonly joined: number
}

/** The members of one `$share` group on one filter. */
export interface Group {
  readonly number: number
  /** By session number. */
  readonly members: IntMap.IntMap<Subscription>
}

/** All subscriptions to a filter where there is more than one, or where it is shared. */
export interface Audience {
  /** By session number. */
  readonly direct: IntMap.IntMap<Subscription>
  /** By group name. */
  readonly groups: StrMap.StrMap<Group>
}

/** What the tree holds at a filter: mostly there is one subscriber, who needs nothing around. */
export type Subscribers = Subscription | Audience

/** Whether all that is held at a filter is one subscription, not shared. */
export const isSingle = (subscribers: Subscribers): subscribers is Subscription =>
  'session' in subscribers

/** The subscriptions behind a handle: every change makes a new one, so it can key a memo. */
export interface Filters {
  readonly tree: Tree.Tree<Subscribers>
  readonly ways: Ways.Ways
}

/** What a timer is for; it may come too early, or for something that is gone. */
export type Timer =
  | { readonly _tag: 'Link'; readonly slot: number; readonly generation: number }
  | { readonly _tag: 'Session'; readonly session: number }
  | { readonly _tag: 'Retained'; readonly topic: TopicName }
  | { readonly _tag: 'Address'; readonly address: string }

/** What is remembered of an address that connections come from. */
export interface Address {
  /** Connections that are open. */
  readonly count: number
  /**
   * When its bucket is full again, which every connection puts off by the time that one takes at
   * the rate allowed. Microseconds, so that a rate that does not divide 1000 is met all the same.
   */
  readonly fullAtUs: number
  /** The time of its entry in the timers that counts; NEVER if there is none. */
  readonly timerAt: Millis
}

/** Whoever is connected is looked at again, since who may be has changed. */
export interface Recheck {
  /** The lowest slot that was not looked at. */
  readonly next: number
  /** Rank of opening of the first connection that need not be looked at. */
  readonly before: number
  readonly revocations: ReadonlyArray<Revocation>
}

/** Messages that a session had which has ended, and which are still to be let go. */
export interface Remains {
  /** From its windows. */
  readonly left: Queue.Queue<Message>
  readonly queue: Queue.Queue<Delivery>
}

/** What only ever grows while the process lives. */
export interface Counters {
  readonly dropped: { readonly [reason in DropReason]: number }
  /** Inputs about connections that were gone. */
  readonly stale: number
}

/** What has gone in and out since the beginning; plain numbers, which a run counts in place. */
export interface Traffic {
  readonly receivedPublishes: number
  /** Of payloads. */
  readonly receivedPublishBytes: number
  /** Packets that are no PUBLISH. */
  readonly receivedOthers: number
  readonly sentPublishes: number
  /** Of payloads. */
  readonly sentPublishBytes: number
  readonly sentOthers: number
  /** Of whole packets of all kinds. */
  readonly sentBytes: number
  /** Connections that were opened. */
  readonly sockets: number
  /** CONNECT packets. */
  readonly connects: number
  /** Clients that were ever connected at once. */
  readonly connectedMax: number
  /** Sessions that ended because their time was over. */
  readonly expired: number
}

/** Where the publication of `$SYS` has got to. */
export interface Sys {
  /** When the next round begins; while one goes on, when it began. NEVER where there are none. */
  readonly dueAt: Millis
  /** Sums over the sessions up to the number `after`; null where no round goes on. */
  readonly walk: {
    readonly after: number
    readonly messages: number
    readonly bytes: number
    readonly subscriptions: number
  } | null
  /** Values of this round that are still to be published, by place; null before they are known. */
  readonly pending: ReadonlyArray<number> | null
  /** What was last made known, by place among the topics; empty for nothing. */
  readonly values: ReadonlyArray<string>
  /** When the averages were last made, of which counts, and what they came to. */
  readonly roundAt: Millis
  readonly counts: ReadonlyArray<number>
  readonly averages: ReadonlyArray<number>
  /** What the shell has told last. */
  readonly receivedBytes: number
  readonly heapBytes: number
  readonly waitingPackets: number
  readonly waitingBytes: number
  readonly heapBytesMax: number
}

/** The broker. Plain data that never changes: keep it, compare it, run inputs into it again. */
export interface State {
  readonly config: Config
  readonly origin: Origin
  /** The latest time that any input has told. */
  readonly now: Millis
  readonly wall: number
  readonly stopping: boolean
  /** Memory is short: what would make the state grow is turned away, all else goes on. */
  readonly isShort: boolean
  /** Whether there is a store, for what outlives the process. */
  readonly persists: boolean
  /** The store is full: what would have to be stored is turned away, all else goes on. */
  readonly isStoreFull: boolean
  /** How many records refer to each stored message, by its id. */
  readonly references: IntMap.IntMap<number>
  /** The id that was given last. */
  readonly nextMessage: number
  /** By slot. */
  readonly links: IntMap.IntMap<Link>
  readonly nextOpening: number
  /** Slots of connections without an accepted CONNECT, by rank of opening. */
  readonly greeting: IntMap.IntMap<number>
  /** Addresses with connections, or with a bucket that is not full yet; loopback left out. */
  readonly addresses: StrMap.StrMap<Address>
  /** How many connections each listener has, by its name. */
  readonly arrivals: StrMap.StrMap<number>
  /** By session number. */
  readonly sessions: IntMap.IntMap<Session>
  readonly nextSession: number
  /** Client identifier to session number. */
  readonly clients: StrMap.StrMap<number>
  readonly filters: Filters
  readonly nextJoined: number
  readonly nextGroup: number
  /**
   * Whose turn it is, by number of the shared group: the index of a member; in the sticky order the
   * rank of joining of the one who had the last.
   */
  readonly turns: IntMap.IntMap<number>
  readonly retained: Tree.Tree<Message>
  readonly retainedBytes: number
  /** Retained messages that expire, for the account of timers. */
  readonly retainedExpiring: number
  readonly timers: Heap.Heap<Timer>
  /** Numbers of the sessions whose catch-ups can go on at once, in turn; some may be gone. */
  readonly catching: Queue.Queue<number>
  /** Connections that are still to be looked at again; null for none. */
  readonly recheck: Recheck | null
  /** Messages of stored sessions that have ended, by the number of the session; see remains.ts. */
  readonly remains: IntMap.IntMap<Remains>
  readonly remainsCount: number
  /** When the next portion of them goes. */
  readonly remainsAt: Millis
  readonly counters: Counters
  readonly traffic: Traffic
  /** Shared subscriptions of all sessions. */
  readonly sharedCount: number
  /** Values of `$SYS` among the retained messages, which no limit counts. */
  readonly ownRetained: number
  readonly sys: Sys
}

const noTraffic: Traffic = {
  receivedPublishes: 0,
  receivedPublishBytes: 0,
  receivedOthers: 0,
  sentPublishes: 0,
  sentPublishBytes: 0,
  sentOthers: 0,
  sentBytes: 0,
  sockets: 0,
  connects: 0,
  connectedMax: 0,
  expired: 0,
}

const zeros = (count: number): ReadonlyArray<number> => Array.from({ length: count }, () => 0)

/** `$SYS` before its first round, which is at once. */
export const newSys = (config: Config, at: Millis): Sys => ({
  dueAt: config.sysIntervalMs > 0 ? at : NEVER,
  walk: null,
  pending: null,
  values: sysTopics.map(() => ''),
  roundAt: at,
  counts: zeros(loadCount),
  averages: zeros(averageCount),
  receivedBytes: 0,
  heapBytes: 0,
  waitingPackets: 0,
  waitingBytes: 0,
  heapBytesMax: 0,
})

/** Throws where a time or the seed is none: no time would ever come, and nothing be due. */
const wholeOrigin = (origin: Origin): Origin => {
  for (const name of ['at', 'wall', 'seed'] as const) {
    if (Number.isFinite(origin?.[name])) continue
    throw new TypeError(
      `the origin has no "${name}" that is a number: write { at: 0, wall: Date.now(), seed: 1 }`,
    )
  }
  return origin
}

/** A broker without clients. */
export const initial = (config: Config, origin: Origin): State => ({
  config: wholeConfig(config),
  origin: wholeOrigin(origin),
  now: origin.at,
  wall: origin.wall,
  stopping: false,
  isShort: false,
  persists: config.persistence,
  isStoreFull: false,
  references: IntMap.empty(),
  nextMessage: 0,
  links: IntMap.empty(),
  nextOpening: 0,
  greeting: IntMap.empty(),
  addresses: StrMap.empty(origin.seed),
  arrivals: StrMap.empty(origin.seed),
  sessions: IntMap.empty(),
  nextSession: 0,
  clients: StrMap.empty(origin.seed),
  filters: { tree: Tree.empty(origin.seed), ways: Ways.none(origin.seed) },
  nextJoined: 0,
  nextGroup: 0,
  turns: IntMap.empty(),
  retained: Tree.empty(origin.seed),
  retainedBytes: 0,
  retainedExpiring: 0,
  timers: Heap.empty,
  catching: Queue.empty,
  recheck: null,
  remains: IntMap.empty(),
  remainsCount: 0,
  remainsAt: NEVER,
  counters: {
    dropped: {
      'expired': 0,
      'queue full': 0,
      'too large': 0,
      'back-pressure': 0,
      'offline': 0,
      'no subscriber': 0,
      'not allowed': 0,
      'session ended': 0,
      'retained store full': 0,
      'memory short': 0,
      'store full': 0,
      'payload format invalid': 0,
    },
    stale: 0,
  },
  traffic: noTraffic,
  sharedCount: 0,
  ownRetained: 0,
  sys: newSys(config, origin.at),
})

/** Whether the time of a message has come [MQTT-3.3.2-5]. */
export const isExpired = ({ expiresAt }: Message, now: Millis): boolean =>
  expiresAt !== null && expiresAt <= now

/** The packet that carries nothing but what a message says, for whoever has to publish one. */
export const publishOf = (message: Message): Publish => ({
  _tag: 'Publish',
  dup: false,
  qos: message.qos,
  retain: message.retain,
  topic: message.topic,
  packetId: 0,
  payload: message.payload,
  properties: message.properties,
})
