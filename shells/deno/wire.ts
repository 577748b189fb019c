// One connection of Deno's, as the driver knows it.

import type { Peer } from '../../core/broker/input.ts'
import type { Ear } from '../common/driver.ts'
import type { Link } from '../common/link.ts'
import type { Wire } from '../common/outbox.ts'

// A read buffer begins small, since most connections are idle and every one has a read under way;
// it grows while reads fill it and shrinks when they have been small for a while.
const readBytesMin = 512
const readBytesMax = 64 * 1024
const smallReadsMax = 64

class ConnWire implements Wire {
  readonly tellsSteps = true
  link!: Link
  private readonly conn: Deno.Conn
  private readonly driver: Ear
  private buffer = new Uint8Array(readBytesMin)
  /** Reads in a row that filled less than a quarter of the buffer. */
  private smallReads = 0
  /** A read is under way, or what it has read is lent to the driver. */
  private busy = false
  private paused = false
  /** A write has failed. */
  private broken = false
  /** Nothing more will be read. */
  private over = false

  constructor(conn: Deno.Conn, driver: Ear) {
    this.conn = conn
    this.driver = driver
  }

  write(bytes: Uint8Array): boolean {
    this.conn.write(bytes).then(
      (count) => {
        // Each step is told, so that a slow reader shows progress.
        if (count < bytes.length) this.write(bytes.subarray(count))
        this.driver.taken(this.link, count)
      },
      () => this.breakOff(),
    )
    return false
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.read()
  }

  released(): void {
    this.busy = false
    this.read()
  }

  end(): void {
    this.conn.closeWrite().catch(() => this.fail())
  }

  destroy(): void {
    this.over = true
    this.conn.close()
  }

  /** Begins a read if the buffer is free. */
  read(): void {
    if (this.busy || this.over) return
    if (this.paused) return this.broken ? this.fail() : undefined
    this.busy = true
    this.conn.read(this.buffer).then(
      (count) => this.afterRead(count),
      () => this.fail(),
    )
  }

  private afterRead(count: number | null): void {
    if (this.over) return
    if (count === null) {
      this.over = true
      return this.driver.closed(this.link, this.broken ? 'failed' : 'closed')
    }
    if (this.driver.absorbed(this.link, this.buffer, 0, count)) {
      this.fit(count)
      this.busy = false
      return this.read()
    }
    // While the buffer is lent there is nothing to read into, and the other connections get their
    // turn; so there is one buffer per connection, and one read per turn.
    const lent = this.driver.received(this.link, this.buffer, 0, count)
    this.fit(count)
    // What nobody wants may come faster than it is thrown away; the others must have their turns.
    if (!lent) setImmediate(() => this.released())
  }

  private fit(count: number): void {
    const { length } = this.buffer
    if (count === length) {
      this.smallReads = 0
      if (length < readBytesMax) this.buffer = new Uint8Array(Math.min(length * 4, readBytesMax))
    } else if (count * 4 < length && length > readBytesMin) {
      this.smallReads += 1
      if (this.smallReads < smallReadsMax) return
      this.smallReads = 0
      this.buffer = new Uint8Array(Math.max(length / 4, readBytesMin))
    } else this.smallReads = 0
  }

  /**
   * The peer is gone. What it said before may still be there to be read, such as that it goes in
   * order and its will is not to be published [MQTT-3.14.4-3]; reading ends by itself after that.
   */
  private breakOff(): void {
    this.broken = true
    if (this.over) this.fail()
    else this.read()
  }

  /** Also where the peer has ended its side before: what it is owed does not arrive any more. */
  private fail(): void {
    this.over = true
    this.driver.closed(this.link, 'failed')
  }
}

/** Tells the driver of a connection that has been accepted, and begins to read. */
export const couple = (driver: Ear, conn: Deno.Conn, listener: string, peer: Peer): void => {
  const wire = new ConnWire(conn, driver)
  wire.link = driver.opened(wire, listener, peer)
  wire.read()
}
