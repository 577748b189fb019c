// One connection, as the loop and its shell know it.

import type { Conn, Gone, Peer } from '../../core/broker/input.ts'
import type { Reader } from '../../core/codec/mod.ts'
import { Outbox } from './outbox.ts'
import type { Wire } from './outbox.ts'

/** Later than any time. */
export const never = Number.MAX_SAFE_INTEGER

/** What the Opened input of a connection will say. */
export interface Hello {
  readonly nonce: string
  readonly listener: string
  readonly peer: Peer
}

/** Everything that is known of a connection beside what the broker knows. */
export class Link extends Outbox {
  readonly conn: Conn
  readonly reader: Reader
  /** What the broker has not been told of this connection yet. */
  hello: Hello | null
  /** More of a large packet has come, which the broker has not been told. */
  continued = false
  /** In the queue of links to be served. */
  queued = false
  /** The broker has let it in. */
  accepted = false
  /** The broker has told us to decode nothing. */
  paused = false
  /** Nothing is decoded until the disk has caught up. */
  choked = false
  /** The socket has been told to read nothing. */
  stopped = false
  /** Its reader may hold bytes of a buffer that was lent for this turn. */
  borrowing = false
  /** No more inputs come from here: Broke or Closed has been told, or the broker has closed it. */
  silent = false
  /** The peer has ended its side, or the socket has failed. */
  gone: Gone | null = null
  /** `wire.end` has been called. */
  ended = false
  /** `wire.destroy` has been called. */
  destroyed = false
  /** When a link that is on its way out is destroyed; `never` before it is. */
  lingerUntil = never

  constructor(wire: Wire, conn: Conn, reader: Reader, hello: Hello) {
    super(wire)
    this.conn = conn
    this.reader = reader
    this.hello = hello
  }
}
