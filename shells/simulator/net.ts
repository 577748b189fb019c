// Connections that lead nowhere but into memory. Each has two directions, in which bytes keep their
// order and arrive when the clock says so; faults hold them up, or lose what is on its way.

import type { Gone } from '../../core/broker/input.ts'
import type { Clock, Dice } from './clock.ts'

/** How long bytes are on their way, in milliseconds: so many, and up to so many more by chance. */
export interface Delay {
  readonly ms: number
  readonly jitterMs: number
}

/** What a direction brings to its end. */
export interface Arrivals {
  bytes(bytes: Uint8Array): void
  /** The other side has ended its direction ('closed'), or the connection has failed. */
  gone(why: Gone): void
}

type Parcel = Uint8Array | Gone

/** One direction of a connection. */
export class Pipe {
  private readonly clock: Clock
  private readonly dice: Dice
  private readonly arrivals: Arrivals
  delay: Delay
  private isStalled = false
  /** What has arrived at an end that does not read. */
  private waiting: Array<Parcel> = []
  private lastAt = 0
  /** Nothing arrives any more. */
  isOver = false
  readBytes = 0

  constructor(clock: Clock, dice: Dice, delay: Delay, arrivals: Arrivals) {
    this.clock = clock
    this.dice = dice
    this.delay = delay
    this.arrivals = arrivals
  }

  /** Bytes stay the sender's word: they must not change afterwards. */
  send(parcel: Parcel): void {
    if (this.isOver) return
    const { ms, jitterMs } = this.delay
    const chance = jitterMs === 0 ? 0 : this.dice(jitterMs + 1)
    // Nothing overtakes what was sent before it.
    this.lastAt = Math.max(this.lastAt, this.clock.now + ms + chance)
    this.clock.at(this.lastAt, () => this.arrive(parcel))
  }

  stall(): void {
    this.isStalled = true
  }

  resume(): void {
    this.isStalled = false
    this.clock.at(this.clock.now, () => this.drain())
  }

  /** Nothing arrives from now on, not even what is on its way. */
  cut(): void {
    this.isOver = true
    this.waiting = []
  }

  private arrive(parcel: Parcel): void {
    this.waiting.push(parcel)
    this.drain()
  }

  private drain(): void {
    while (!this.isStalled && !this.isOver) {
      const parcel = this.waiting.shift()
      if (parcel === undefined) return
      if (typeof parcel === 'string') {
        this.cut()
        this.arrivals.gone(parcel)
        return
      }
      this.readBytes += parcel.length
      this.arrivals.bytes(parcel)
    }
  }
}

/** Both directions, as the client's end sees them. */
export interface Connection {
  readonly name: string
  readonly up: Pipe
  readonly down: Pipe
  /** Sends bytes to the broker; they are copied. */
  send(bytes: Uint8Array): void
  /** Ends the client's direction once what was sent has arrived. */
  end(): void
  /** Breaks the connection, and both sides notice; once it is over this does nothing. */
  fail(): void
}
