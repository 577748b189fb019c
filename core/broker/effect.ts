// What the broker wants done: orders, in the imperative. The shell carries them out in order per
// connection; between connections the order is free. Effects are plain data and hold nothing that
// the broker may still change.

import type { Level, Packet } from '../codec/packet.ts'
import type { Bytes } from '../data/bytes.ts'
import type { Conn, Millis, Peer } from './input.ts'
import type { Note } from './note.ts'
import type { Write } from './record.ts'

/**
 * `durable`: not before everything that the broker has wanted stored so far is on disk. What is
 * sent to the same connection later waits behind it.
 */
export type When = 'now' | 'durable'

/** Encode the packet in this level and send it. */
export type Send = {
  readonly _tag: 'Send'
  readonly conn: Conn
  readonly level: Level
  readonly packet: Packet
  readonly when: When
}

/** Send one packet to many connections of one level; worth encoding once. */
export type Multicast = {
  readonly _tag: 'Multicast'
  readonly conns: ReadonlyArray<Conn>
  readonly level: Level
  readonly packet: Packet
}

/**
 * Close the connection once everything sent to it has left. The last effect for a connection, whose
 * slot is free again; that its socket is gone need not be told.
 */
export type Close = {
  readonly _tag: 'Close'
  readonly conn: Conn
  /** The MQTT 5 reason code behind it, whether or not the peer was told; 0 for an orderly end. */
  readonly reason: number
}

/** Read nothing more from this connection, and decode nothing that was already read. */
export type Pause = { readonly _tag: 'Pause'; readonly conn: Conn }

/** Go on with a connection that was paused: first with what was already read. */
export type Resume = { readonly _tag: 'Resume'; readonly conn: Conn }

/** Who wants to connect. Lives until it is answered and is never written down. */
export interface Question {
  /** The listener that the client came in through. */
  readonly listener: string
  readonly clientId: string
  readonly userName: string | null
  readonly password: Bytes | null
  readonly peer: Peer
}

/** Find out whether this client may connect and answer with a Judged input. */
export type Judge = {
  readonly _tag: 'Judge'
  readonly conn: Conn
  readonly question: Question
}

/** What an authentication method has to know. Lives until it is answered, never written down. */
export type Query =
  /** The salt and the iterations of a user; invented, always the same, where there is no such. */
  | { readonly _tag: 'ScramSalt'; readonly userName: string }
  /** Whether the proof is the user's for what both sides have signed, and our signature of it. */
  | {
    readonly _tag: 'ScramProof'
    readonly userName: string
    readonly signed: Bytes
    readonly proof: Bytes
  }

/** Find this out for a client that authenticates itself and answer with an Answered input. */
export type Ask = {
  readonly _tag: 'Ask'
  readonly conn: Conn
  readonly clientId: string
  readonly peer: Peer
  readonly query: Query
}

/** Store these, all or none of them. At most one to a run, and the first of its effects. */
export type Persist = {
  readonly _tag: 'Persist'
  readonly at: Millis
  readonly writes: ReadonlyArray<Write>
}

/** Something worth a log line or a counter. */
export type Noted = { readonly _tag: 'Note'; readonly note: Note }

/** One order; `_tag` tells which. */
export type Effect = Send | Multicast | Close | Pause | Resume | Judge | Ask | Persist | Noted

// One constructor per arm, so that every effect of a kind has one hidden shape.

/** An order to send: at once, unless `when` says `durable`. */
export const send = (conn: Conn, level: Level, packet: Packet, when: When = 'now'): Send => ({
  _tag: 'Send',
  conn,
  level,
  packet,
  when,
})

/** An order to send one packet to connections that all speak this level. */
export const multicast = (
  conns: ReadonlyArray<Conn>,
  level: Level,
  packet: Packet,
): Multicast => ({ _tag: 'Multicast', conns, level, packet })

/** An order to close, for a reason code of MQTT 5; 0 for an orderly end. */
export const close = (conn: Conn, reason: number): Close => ({ _tag: 'Close', conn, reason })

/** An order to read nothing more for now. */
export const pause = (conn: Conn): Pause => ({ _tag: 'Pause', conn })

/** An order to read again. */
export const resume = (conn: Conn): Resume => ({ _tag: 'Resume', conn })

/** An order to find out whether a client may connect. */
export const judge = (conn: Conn, question: Question): Judge => ({
  _tag: 'Judge',
  conn,
  question,
})

/** An order to find out what an authentication method has to know. */
export const ask = (conn: Conn, clientId: string, peer: Peer, query: Query): Ask => ({
  _tag: 'Ask',
  conn,
  clientId,
  peer,
  query,
})

/** An event, as an effect. */
export const noted = (note: Note): Noted => ({ _tag: 'Note', note })
