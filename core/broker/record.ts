// What of the broker outlives its process: records, by kind and key, and the writes that change
// them. A store keeps them and knows nothing else; a broker is made of them again. Times are
// the broker's own milliseconds, which go on after a restart from where they were: a clock on the
// wall that was set while the broker ran changes none of them.

import type { Level, Qos } from '../codec/packet.ts'
import type { Properties } from '../codec/properties.ts'
import type { Bytes } from '../data/bytes.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'
import type { Source } from './acl.ts'
import type { Share } from './state.ts'

/** A session that outlives its connection. */
export interface SessionRecord {
  readonly kind: 'session'
  readonly clientId: string
  /** Seconds after the end of the connection; EXPIRY_NEVER_S for ever. */
  readonly expiryS: number
  /** When the connection ended; null while there is one. */
  readonly offlineAt: number | null
  /** The protocol level that the client last spoke. */
  readonly level: Level
  /** Who its client is, for the access list; null where an older program did not store it. */
  readonly source: Source | null
}

/** One subscription of a session in the store. */
export interface SubscriptionRecord {
  readonly kind: 'subscription'
  readonly clientId: string
  /** As the client wrote it, `$share` and all. */
  readonly filter: TopicFilter
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifiers: ReadonlyArray<number>
  /** Rank among all subscriptions that were ever made. */
  readonly joined: number
  /** Rank among the catch-ups with retained messages that are still to come; 0 if none is. */
  readonly catchUp: number
}

/** A message, once however many sessions wait for it. */
export interface MessageRecord {
  readonly kind: 'message'
  /** A whole number from 1 on, never used twice while a record has it. */
  readonly id: number
  readonly topic: TopicName
  readonly qos: Qos
  readonly retain: boolean
  readonly payload: Bytes
  readonly properties: Properties
  /** Null without a message expiry interval. */
  readonly expiresAt: number | null
  /**
   * Who published a message that is to be retained; null for all others, for the broker's own, and
   * where an older program did not store it.
   */
  readonly source: Source | null
}

/** A copy of a message on its way to a session. */
export interface OutgoingRecord {
  readonly kind: 'outgoing'
  readonly clientId: string
  /** Its place in the session's line: a whole number from 1 on, later ones larger. */
  readonly order: number
  /** 0 while it waits in the queue. */
  readonly packetId: number
  readonly stage: 'queued' | 'sent' | 'released'
  /** Id of the message; 0 once it is released, when nothing of it is needed. */
  readonly message: number
  readonly qos: Qos
  readonly retain: boolean
  readonly identifiers: ReadonlyArray<number>
  /** The shared subscription that it came through. */
  readonly share: Share | null
}

/** A QoS 2 message from a session's client that was not released yet. */
export interface IncomingRecord {
  readonly kind: 'incoming'
  readonly clientId: string
  readonly packetId: number
  /** Id of the message; 0 for one that may go nowhere. */
  readonly message: number
}

/** Which message a topic retains. */
export interface RetainedRecord {
  readonly kind: 'retained'
  readonly topic: TopicName
  readonly message: number
}

/** The will of a client, of any session, that is connected or whose will is delayed. */
export interface WillRecord {
  readonly kind: 'will'
  readonly clientId: string
  readonly topic: TopicName
  readonly qos: Qos
  readonly retain: boolean
  readonly payload: Bytes
  readonly properties: Properties
  readonly delayMs: number
  /** When it is due; null while the client is connected. */
  readonly dueAt: number | null
  /** Whose it is, for the access list; null where an older program did not store it. */
  readonly source: Source | null
}

/** One thing that outlives the process. */
export type Record =
  | SessionRecord
  | SubscriptionRecord
  | MessageRecord
  | OutgoingRecord
  | IncomingRecord
  | RetainedRecord
  | WillRecord

/** What a record is of. */
export type Kind = Record['kind']

/** What tells the records of a kind apart. */
export type Key =
  | { readonly kind: 'session'; readonly clientId: string }
  | { readonly kind: 'subscription'; readonly clientId: string; readonly filter: TopicFilter }
  | { readonly kind: 'message'; readonly id: number }
  | { readonly kind: 'outgoing'; readonly clientId: string; readonly order: number }
  | { readonly kind: 'incoming'; readonly clientId: string; readonly packetId: number }
  | { readonly kind: 'retained'; readonly topic: TopicName }
  | { readonly kind: 'will'; readonly clientId: string }

/** In one batch there is at most one write for a key. */
export type Write =
  /** The record is new (`isNew`), or takes the place of the one with its key. */
  | { readonly _tag: 'Put'; readonly record: Record; readonly isNew: boolean }
  /** There is a record with this key, and it goes. */
  | { readonly _tag: 'Delete'; readonly key: Key }
  /**
   * The session of this client goes, with all its outgoing and incoming records, however many they
   * are: before anything that the batch puts there anew. Its messages go by themselves.
   */
  | { readonly _tag: 'Forget'; readonly clientId: string }

/** Everything a store holds besides its records: when its last batch was made. */
export interface Stamp {
  /** In the broker's own milliseconds. */
  readonly at: number
  /** By the clock on the wall, Unix milliseconds. */
  readonly wall: number
}
