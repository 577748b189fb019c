// What can happen to the broker: facts, in the past tense. Inputs are plain data; every one says
// when it happened, because the broker has no clock.

import type { Fault } from '../codec/fault.ts'
import type { Packet, Publish } from '../codec/packet.ts'
import type { Bytes } from '../data/bytes.ts'
import type { Config } from './config.ts'

/** Monotonic milliseconds, whole, counted from the origin of the state. */
export type Millis = number

/**
 * One connection: a slot, which the shell uses again, and a generation, which it never does. The
 * shell makes one object per connection and every input and effect about it holds that object.
 */
export interface Conn {
  /** 0 to 2^24 - 1. */
  readonly slot: number
  readonly generation: number
}

/** The other end of a connection. Of a Unix socket it is its path, and port 0. */
export interface Peer {
  readonly address: string
  readonly port: number
}

/** Why a socket is gone: the peer closed it; or it failed, or the shell could not serve it. */
export type Gone = 'closed' | 'failed'

/** A connection was accepted. The first input about it. */
export type Opened = {
  readonly _tag: 'Opened'
  readonly conn: Conn
  readonly at: Millis
  /** A fresh UUID in upper case, for what the broker must invent (a client identifier). */
  readonly nonce: string
  /** The port or path that the connection came in through, for the log. */
  readonly listener: string
  readonly peer: Peer
}

/** A packet came in, decoded. */
export type Arrived = {
  readonly _tag: 'Arrived'
  readonly conn: Conn
  readonly at: Millis
  readonly packet: Packet
}

/**
 * More of a packet has come, and much of it is still to come. Told so often that a Keep Alive holds
 * while a large packet takes its time, and not for each piece.
 */
export type Continued = {
  readonly _tag: 'Continued'
  readonly conn: Conn
  readonly at: Millis
}

/** The bytes of the peer are not a packet. Nothing more will arrive on this connection. */
export type Broke = {
  readonly _tag: 'Broke'
  readonly conn: Conn
  readonly at: Millis
  readonly fault: Fault
}

/** The socket is gone. Nothing more will arrive on this connection. */
export type Closed = {
  readonly _tag: 'Closed'
  readonly conn: Conn
  readonly at: Millis
  readonly why: Gone
}

/** The socket has taken `total` bytes since it was opened. */
export type Written = {
  readonly _tag: 'Written'
  readonly conn: Conn
  readonly at: Millis
  readonly total: number
}

/** The answer to a Judge effect: a reason code, 0 for yes. */
export type Judged = {
  readonly _tag: 'Judged'
  readonly conn: Conn
  readonly at: Millis
  readonly reason: number
}

/** What the shell found out for an authentication method; a refusal has an MQTT 5 reason code. */
export type Answer =
  | { readonly _tag: 'ScramSalt'; readonly salt: Bytes; readonly iterations: number }
  | { readonly _tag: 'ScramSignature'; readonly signature: Bytes }
  | { readonly _tag: 'Refused'; readonly reason: number }

/** The answer to an Ask effect. */
export type Answered = {
  readonly _tag: 'Answered'
  readonly conn: Conn
  readonly at: Millis
  /** A fresh UUID in upper case, for what the broker must invent (its half of a nonce). */
  readonly nonce: string
  readonly answer: Answer
}

/** Time has passed. `wall` is the clock on the wall in Unix milliseconds. */
export type Ticked = {
  readonly _tag: 'Ticked'
  readonly at: Millis
  readonly wall: number
}

/** What only the shell knows of the process. */
export interface Measures {
  /** Since the beginning. */
  readonly receivedBytes: number
  /** The heap of the moment, 0 where that is not known. */
  readonly heapBytes: number
  /** What has been sent and no socket has taken yet. */
  readonly waitingPackets: number
  readonly waitingBytes: number
}

/** Told before the Ticked of a round of `$SYS`. */
export type Measured = Measures & {
  readonly _tag: 'Measured'
  readonly at: Millis
}

/** The process has little memory left. May be told more than once. */
export type MemoryShort = { readonly _tag: 'MemoryShort'; readonly at: Millis }
/** The process has enough memory again. May be told more than once. */
export type MemoryFree = { readonly _tag: 'MemoryFree'; readonly at: Millis }

/** The store takes nothing more for want of room. May be told twice. */
export type StoreFull = { readonly _tag: 'StoreFull'; readonly at: Millis }
/** The store takes writes again. May be told twice. */
export type StoreFree = { readonly _tag: 'StoreFree'; readonly at: Millis }

/** The operator gave a new configuration. */
export type Reconfigured = {
  readonly _tag: 'Reconfigured'
  readonly at: Millis
  readonly config: Config
}

/** Users of a listener who may not stay by the password that they came in with. */
export interface Revocation {
  readonly listener: string
  readonly userNames: ReadonlyArray<string>
}

/**
 * `Stop` ends every connection; `Kick` ends the connection of one client identifier; `Shut` ends
 * those that came in through a listener, which is no more, or which asks for proof of the names
 * that they gave; `Redirect` sends everybody who is connected to where the configuration says;
 * `Publish` is a message of the broker's own, to any topic: it needs no connection, and nobody's
 * wanting it is no loss; `Revoke` ends the connections of users who are gone or have another hash,
 * as soon as there is time.
 */
export type Command =
  | { readonly _tag: 'Stop' }
  | { readonly _tag: 'Redirect' }
  | { readonly _tag: 'Kick'; readonly clientId: string }
  | { readonly _tag: 'Publish'; readonly packet: Publish }
  | { readonly _tag: 'Shut'; readonly listener: string }
  | { readonly _tag: 'Revoke'; readonly revocation: Revocation }

/** Somebody gave the broker a command: the operator, or the program that runs it. */
export type Commanded = {
  readonly _tag: 'Commanded'
  readonly at: Millis
  readonly command: Command
}

/** One fact; `_tag` tells which. */
export type Input =
  | Opened
  | Arrived
  | Continued
  | Broke
  | Closed
  | Written
  | Judged
  | Answered
  | Ticked
  | Measured
  | MemoryShort
  | MemoryFree
  | StoreFull
  | StoreFree
  | Reconfigured
  | Commanded

// One constructor per arm, so that every input of a kind has one hidden shape.

/** A connection was accepted; `nonce` is a fresh UUID in upper case. */
export const opened = (
  conn: Conn,
  at: Millis,
  nonce: string,
  listener: string,
  peer: Peer,
): Opened => ({ _tag: 'Opened', conn, at, nonce, listener, peer })

/** A packet came in; its bytes are lent until the effects of the run are carried out. */
export const arrived = (conn: Conn, at: Millis, packet: Packet): Arrived => ({
  _tag: 'Arrived',
  conn,
  at,
  packet,
})

/** More of a large packet has come, which is not whole yet. */
export const continued = (conn: Conn, at: Millis): Continued => ({ _tag: 'Continued', conn, at })

/** The bytes of the peer are not a packet. */
export const broke = (conn: Conn, at: Millis, fault: Fault): Broke => ({
  _tag: 'Broke',
  conn,
  at,
  fault,
})

/** The socket is gone. */
export const closed = (conn: Conn, at: Millis, why: Gone): Closed => ({
  _tag: 'Closed',
  conn,
  at,
  why,
})

/** The socket has taken `total` bytes since it was opened. */
export const written = (conn: Conn, at: Millis, total: number): Written => ({
  _tag: 'Written',
  conn,
  at,
  total,
})

/** The answer to a Judge effect: 0 for yes, else a reason code of CONNACK. */
export const judged = (conn: Conn, at: Millis, reason: number): Judged => ({
  _tag: 'Judged',
  conn,
  at,
  reason,
})

/** The answer to an Ask effect; `nonce` is a fresh UUID in upper case. */
export const answered = (conn: Conn, at: Millis, nonce: string, answer: Answer): Answered => ({
  _tag: 'Answered',
  conn,
  at,
  nonce,
  answer,
})

/** Time has passed; `wall` in Unix milliseconds. Due when `deadline` says so. */
export const ticked = (at: Millis, wall: number): Ticked => ({ _tag: 'Ticked', at, wall })

/** What the shell knows of the process, for `$SYS`. */
export const measured = (at: Millis, some: Measures): Measured => ({
  _tag: 'Measured',
  at,
  receivedBytes: some.receivedBytes,
  heapBytes: some.heapBytes,
  waitingPackets: some.waitingPackets,
  waitingBytes: some.waitingBytes,
})

/** The process has little memory left. */
export const memoryShort = (at: Millis): MemoryShort => ({ _tag: 'MemoryShort', at })

/** The process has enough memory again. */
export const memoryFree = (at: Millis): MemoryFree => ({ _tag: 'MemoryFree', at })

/** The store takes nothing more for want of room. */
export const storeFull = (at: Millis): StoreFull => ({ _tag: 'StoreFull', at })

/** The store takes writes again. */
export const storeFree = (at: Millis): StoreFree => ({ _tag: 'StoreFree', at })

/** The operator gave a new configuration, a whole one. */
export const reconfigured = (at: Millis, config: Config): Reconfigured => ({
  _tag: 'Reconfigured',
  at,
  config,
})

/** Somebody gave the broker a command. */
export const commanded = (at: Millis, command: Command): Commanded => ({
  _tag: 'Commanded',
  at,
  command,
})
