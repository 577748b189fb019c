// What the dumb broker remembers, in arrays, and how it says something.

import type { Config, ListenerRules } from '../../core/broker/config.ts'
import type { Conn, Millis, Peer } from '../../core/broker/input.ts'
import type { DropReason } from '../../core/broker/note.ts'
import { encode } from '../../core/codec/mod.ts'
import type { Connect, Level, Packet, Qos } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/properties.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import type { TopicName } from '../../core/topic/name.ts'
import type { Dialogue } from './authenticate.ts'

export const NEVER: Millis = Number.MAX_SAFE_INTEGER

/** As the shells report it: less than this may be on its way without anybody saying so. */
export const UNREPORTED_BYTES_MAX = 65_536

/** Who a client is, in the eyes of an access list. */
export interface Who {
  readonly clientId: string
  readonly userName: string | null
  readonly listener: string
}

export interface Message {
  readonly topic: TopicName
  readonly qos: Qos
  readonly retain: boolean
  readonly payload: Bytes
  readonly properties: Properties
  readonly expiresAt: Millis
  /** Who published it. */
  readonly who: Who | null
}

export interface Link {
  readonly conn: Conn
  readonly peer: Peer
  readonly nonce: string
  readonly listener: string
  readonly openedAt: Millis
  phase: 'greeting' | 'judging' | 'authenticating' | 'ready'
  connect: Connect | null
  /** Whether it is to be looked at again, and whom it may not be then. */
  isDoubted: boolean
  revoked: ReadonlyArray<string>
  seenAt: Millis
  keepAliveMs: number
  aliases: Array<{ readonly alias: number; readonly topic: TopicName }>
  session: Session | null
  /** The exchange of an authentication method that goes on, and when it is too late for it. */
  dialogue: Dialogue | null
  renewalAt: Millis
  /** Who the client has proved to be. */
  provedName: string | null
  /** What held when CONNECT was accepted. */
  promised: { readonly config: Config; readonly rules: ListenerRules } | null
  /** Bytes sent before CONNACK. */
  authBytes: number
}

/** One copy of a message for one client. */
export interface Copy {
  readonly message: Message
  readonly qos: Qos
  readonly retain: boolean
  readonly identifiers: ReadonlyArray<number>
  /** The shared group and its filter where it came through one. */
  readonly share: Share | null
}

export interface Share {
  readonly group: string
  readonly topics: TopicFilter
}

export interface Outgoing extends Copy {
  readonly packetId: number
  stage: 'waiting' | 'sent' | 'released'
}

export interface Subscription {
  readonly session: Session
  readonly filter: TopicFilter
  /** The filter without `$share` and group. */
  readonly topics: TopicFilter
  readonly group: string | null
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifiers: ReadonlyArray<number>
  readonly joined: number
}

interface CatchUp {
  readonly subscription: Subscription
  /** What is still to be sent, in order; null before it has begun. */
  readonly topics: Array<TopicName> | null
  /** How much had been sent live when it began. */
  readonly since: number
}

export interface Session {
  readonly clientId: string
  who: Who
  expiryS: number
  offlineAt: Millis
  subscriptions: Array<Subscription>
  will: Message | null
  willDelayMs: number
  willAt: Millis
  window: Array<Outgoing>
  queue: Array<Copy>
  nextPacketId: number
  incoming: Array<{
    readonly packetId: number
    readonly message: Message | null
    readonly link: Link
  }>
  catchUps: Array<CatchUp>
  /** Sent live since the first catch-up began. */
  overtaken: Array<TopicName>
  link: Link | null
  level: Level
  windowMax: number
  packetBytesMax: number
  /** In front of every topic, unseen by the client. */
  mount: string
  aliasMax: number
  /** The first topic has alias 1. */
  aliases: Array<TopicName>
  sentBytes: number
  takenBytes: number
  progressAt: Millis
}

export interface Group {
  readonly group: string
  readonly topics: TopicFilter
  turn: number
  /** Who got the last message in the sticky order. */
  favourite: number
}

/** What the broker did: towards a connection, or a note as one line of text. */
export type Said =
  | { readonly _tag: 'Sent'; readonly conn: Conn; readonly level: Level; readonly packet: Packet }
  | { readonly _tag: 'Closed'; readonly conn: Conn; readonly reason: number }
  | { readonly _tag: 'Asked'; readonly conn: Conn; readonly what: string }
  | { readonly _tag: 'Noted'; readonly line: string }

export interface TakeOver {
  readonly clientId: string
  readonly at: Millis
  readonly by: Link
  readonly from: Link
}

/** What has come and gone since the beginning. */
interface Sums {
  /** How much of what is being said has been added. */
  counted: number
  received: number
  receivedPublishes: number
  receivedPayload: number
  receivedBytes: number
  sent: number
  sentBytes: number
  sentPublishes: number
  sentPayload: number
  dropped: number
  expired: number
  opened: number
  connects: number
  /** Clients that were ever connected at once. */
  most: number
  heap: number
  heapMost: number
  waitingPackets: number
  waitingBytes: number
}

export interface Model {
  /** Every connection that took over from another, in their order. */
  takeOvers: Array<TakeOver>
  /** What was noted of them, by the first of a row. */
  contests: Array<{ readonly first: TakeOver; readonly at: Millis }>
  config: Config
  now: Millis
  stopping: boolean
  isShort: boolean
  links: Array<Link>
  /** In the order in which they began. */
  sessions: Array<Session>
  /** Connections that were ever accepted. */
  accepted: Array<{ readonly address: string; readonly at: Millis }>
  groups: Array<Group>
  joined: number
  retained: Array<Message>
  /** Levels of retained topics in the order in which they came to be. */
  prefixes: ReadonlyArray<string>
  said: Array<Said>
  readonly began: Millis
  /** When `$SYS` is due, and when it was last reported. */
  sysAt: Millis
  reportedAt: Millis
  /** Values of `$SYS` as they are known, by topic. */
  readonly reported: Map<string, string>
  readonly loads: Map<string, { readonly count: number; readonly averages: ReadonlyArray<number> }>
  readonly sums: Sums
  /** What happened and cannot be told from what was said. */
  readonly marks: Set<string>
}

/** The rules of a listener: its own, or everybody's. */
export const rulesFor = ({ config }: Model, listener: string): ListenerRules =>
  new Map(config.listeners).get(listener) ?? config

export const createModel = (config: Config, at: Millis): Model => ({
  takeOvers: [],
  contests: [],
  config,
  now: at,
  stopping: false,
  isShort: false,
  links: [],
  sessions: [],
  accepted: [],
  groups: [],
  joined: 0,
  retained: [],
  prefixes: [],
  said: [],
  began: at,
  sysAt: config.sysIntervalMs === 0 ? NEVER : at,
  reportedAt: at,
  reported: new Map(),
  loads: new Map(),
  sums: {
    counted: 0,
    received: 0,
    receivedPublishes: 0,
    receivedPayload: 0,
    receivedBytes: 0,
    sent: 0,
    sentBytes: 0,
    sentPublishes: 0,
    sentPayload: 0,
    dropped: 0,
    expired: 0,
    opened: 0,
    connects: 0,
    most: 0,
    heap: 0,
    heapMost: 0,
    waitingPackets: 0,
    waitingBytes: 0,
  },
  marks: new Set(),
})

export const noted = (model: Model, line: string): void => {
  model.said.push({ _tag: 'Noted', line })
}

export const dropped = (
  model: Model,
  clientId: string | null,
  topic: string,
  qos: Qos,
  why: DropReason,
): void =>
  noted(model, `dropped ${clientId === null ? 'for all' : `"${clientId}"`} ${topic} ${qos} ${why}`)

export const sizeOf = (level: Level, packet: Packet): number => encode(level, packet).length

export const tell = (model: Model, session: Session, packet: Packet): void => {
  if (session.link === null) throw new Error('nobody is there to be told')
  const bytes = sizeOf(session.level, packet)
  const before = session.sentBytes - session.takenBytes
  session.sentBytes += bytes
  if (before <= UNREPORTED_BYTES_MAX && before + bytes > UNREPORTED_BYTES_MAX) {
    session.progressAt = model.now
  }
  model.said.push({ _tag: 'Sent', conn: session.link.conn, level: session.level, packet })
}

export const createSession = (clientId: string): Session => ({
  clientId,
  who: { clientId, userName: null, listener: '' },
  expiryS: 0,
  offlineAt: NEVER,
  subscriptions: [],
  will: null,
  willDelayMs: 0,
  willAt: NEVER,
  window: [],
  queue: [],
  nextPacketId: 1,
  incoming: [],
  catchUps: [],
  overtaken: [],
  link: null,
  level: 4,
  windowMax: 1,
  packetBytesMax: NEVER,
  mount: '',
  aliasMax: 0,
  aliases: [],
  sentBytes: 0,
  takenBytes: 0,
  progressAt: 0,
})

/**
 * What a message weighs in the limits: what it takes on the wire at level 5, as it was published.
 */
export const bytesOf = ({ topic, qos, retain, payload, properties }: Message): number =>
  sizeOf(5, { _tag: 'Publish', dup: false, qos, retain, topic, packetId: 1, payload, properties })

export const lower = (a: Qos, b: Qos): Qos => a < b ? a : b

export const expiryOf = (model: Model, properties: Properties): Millis =>
  properties.messageExpiryInterval === undefined
    ? NEVER
    : model.now + properties.messageExpiryInterval * 1000
