// What the broker has to say about itself: one record per event worth a log line, a counter or an
// explanation. Strings a client chose stand here raw; whoever prints them escapes them.

import type { Fault } from '../codec/fault.ts'
import type { Level, Qos } from '../codec/packet.ts'
import type { Conn, Peer } from './input.ts'

/**
 * Why a message did not reach somebody; every dropped message is counted once under one of these.
 */
export type DropReason =
  | 'expired'
  | 'queue full'
  | 'too large'
  | 'back-pressure'
  | 'offline'
  | 'no subscriber'
  | 'not allowed'
  | 'session ended'
  | 'retained store full'
  | 'memory short'
  | 'store full'
  | 'payload format invalid'

/** Why a connection ended, in the words of the log line. */
export type Ending =
  | 'disconnected' // an orderly DISCONNECT
  | 'connection closed by client'
  | 'connection failed'
  | 'exceeded timeout'
  | 'session taken over'
  | 'protocol error'
  | 'stalled'
  | 'global_max_connections exceeded'
  | 'max_connections exceeded' // of a listener
  | 'max_connections_per_address exceeded'
  | 'global_max_clients exceeded'
  | 'too many without CONNECT'
  | 'connecting too often'
  | 'not authorised'
  | 'refused'
  | 'memory short'
  | 'store full'
  | 'kicked'
  | 'listener closed'
  | 'redirected'
  | 'server shutting down'

/** A client was refused what it asked for, by an access list or because it is the broker's. */
export type Denied = {
  readonly _tag: 'Denied'
  readonly clientId: string
  readonly what: 'publish' | 'subscribe' | 'will'
  /** The topic, or the topic filter. */
  readonly topic: string
}

/** One event, in an effect of its own. */
export type Note =
  | Denied
  | {
    readonly _tag: 'ConnectionOpened'
    readonly conn: Conn
    readonly listener: string
    readonly peer: Peer
  }
  | {
    readonly _tag: 'ClientConnected'
    readonly conn: Conn
    readonly clientId: string
    readonly peer: Peer
    readonly level: Level
    readonly cleanStart: boolean
    readonly keepAliveS: number
    readonly userName: string | null
    readonly sessionPresent: boolean
  }
  | {
    readonly _tag: 'ConnectionEnded'
    readonly conn: Conn
    /** Null where nobody has said who it is. */
    readonly clientId: string | null
    /** Whether its CONNECT had been accepted. */
    readonly wasAccepted: boolean
    readonly peer: Peer
    readonly ending: Ending
    /** The MQTT 5 reason code behind it, 0 for an orderly end. */
    readonly reason: number
    /** The broken rule, where one was broken. */
    readonly fault: Fault | null
  }
  | {
    readonly _tag: 'Subscribed'
    readonly clientId: string
    readonly filter: string
    readonly qos: Qos
  }
  | { readonly _tag: 'Unsubscribed'; readonly clientId: string; readonly filter: string }
  | {
    readonly _tag: 'TooManySubscriptions'
    readonly clientId: string
    /** How many of one SUBSCRIBE were refused, and the first of them. */
    readonly count: number
    readonly filter: string
  }
  | {
    readonly _tag: 'Dropped'
    /** Whom it did not reach; null where it reached nobody at all. */
    readonly clientId: string | null
    readonly topic: string
    readonly qos: Qos
    readonly why: DropReason
  }
  | {
    readonly _tag: 'SessionEnded'
    readonly clientId: string
    readonly why: 'expired' | 'clean start' | 'disconnected'
    /** Messages that went with it: of QoS 1 and 2, and of QoS 0 where that is queued. */
    readonly messages: number
  }
  | {
    /** Connections with one client identifier throw each other out again and again. */
    readonly _tag: 'Contested'
    readonly clientId: string
    /** The one that was thrown out last, and the one that did it. */
    readonly peers: readonly [Peer, Peer]
  }
  | { readonly _tag: 'MemoryShort' }
  | { readonly _tag: 'MemoryFree' }
  | { readonly _tag: 'StoreFull' }
  | { readonly _tag: 'StoreFree' }
  | { readonly _tag: 'WillPublished'; readonly clientId: string; readonly topic: string }
  | { readonly _tag: 'Stale'; readonly conn: Conn; readonly input: string }
