// Packets out of the chunks of one connection. The reader decodes straight from the chunk it was
// lent and copies only what outlasts the turn: an unfinished frame, or all that a paused connection
// has not asked for. What it holds grows with the bytes that came, never with the length that a
// header claims, and every byte is moved a bounded number of times, however small the chunks.
//
// In a turn: push and next in any mix, then release once nobody needs the packets' bytes any more.
// Packets lend bytes of the chunk and of what is held, so neither is written over within a turn.

import type { Either } from '../prelude.ts'
import { decodeBody, refusal } from './decode.ts'
import type { Fault } from './fault.ts'
import { bodyAt, frameSize } from './frame.ts'
import type { Limits } from './limits.ts'
import type { Level, Packet } from './packet.ts'

/** The stream of one connection, chunk by chunk: `push`, `next` until null, then `release`. */
export interface Reader {
  /** Lends `buffer[start, end)`, which stays as it is until `release`. */
  push(buffer: Uint8Array, start: number, end: number): void
  /**
   * Copies `buffer[start, end)` to the unfinished packet that is held, if that goes on behind them
   * and nothing is lent. Else false, and nothing was done.
   */
  absorb(buffer: Uint8Array, start: number, end: number): boolean
  /**
   * The next packet, or the fault that ends the stream, or null when more bytes are needed. After a
   * fault always null. Bytes in the packet are lent until `release`.
   */
  next(): Either<Fault, Packet> | null
  /** Ends the turn: from now on nothing that was lent is read again. */
  release(): void
  /**
   * Whether, since this was true last, more has come of a packet of which much is still to come;
   * asked at a time in milliseconds, and true ten times a second at most. Who sends such a packet
   * can say nothing else before its end, not even that it is there.
   */
  continues(at: number): boolean
  /** 0 until a CONNECT has been decoded, then its level. */
  readonly level: Level | 0
  /** CONNECT has been accepted: from here on packets may be as large as that. */
  accept(packetBytesMax: number): void
  /** Bytes pushed and not decoded yet. */
  readonly waiting: number
  /** Bytes decoded since the reader was made. */
  readonly consumed: number
  /** Where the frame of the last packet lies, lent until `release` like all that is in it. */
  readonly frameBuffer: Uint8Array
  readonly frameStart: number
  readonly frameEnd: number
}

/**
 * A reader for one connection; a client, which knows its level from the start, says so, and a
 * server that CONNECT has to be accepted first.
 */
export const createReader = (
  limits: Limits,
  level: Level | 0 = 0,
  accepted = true,
): Reader => new ChunkReader(limits, level, accepted)

/** So many bytes still to come are much, as in mosquitto. */
const muchBytes = 1_000
const continuesMs = 100

const nothing = new Uint8Array(0)
const none: ReadonlyArray<Uint8Array> = []

/** The first buffer for an unfinished frame, so that single bytes do not each want a new one. */
const heldBytesMin = 64

// Large frames follow each other, and a fresh buffer of a megabyte costs more than filling it, with
// the collection that it brings about: some that readers are done with are kept for whoever needs
// such a one next, those that went unused the longest make room. Nobody reads what is in them any
// more, so keeping them changes no result.
const spareBytesMin = 64 * 1024
const spareBytesMax = 2 * 1024 * 1024
const sparesBytesMax = 16 * 1024 * 1024
const spares: Array<Uint8Array> = []
let sparesBytes = 0

/** A buffer of at least so many bytes and at most four times as many. */
const bufferOf = (bytes: number): Uint8Array => {
  let best = -1
  for (let i = 0; i < spares.length; i++) {
    const { length } = spares[i]!
    if (length < bytes || length > 4 * bytes) continue
    if (best < 0 || length < spares[best]!.length) best = i
  }
  if (best < 0) return new Uint8Array(bytes)
  const [spare] = spares.splice(best, 1)
  sparesBytes -= spare!.length
  return spare!
}

const giveBack = (buffer: Uint8Array): void => {
  if (buffer.length < spareBytesMin || buffer.length > spareBytesMax) return
  spares.push(buffer)
  sparesBytes += buffer.length
  while (sparesBytes > sparesBytesMax) sparesBytes -= spares.shift()!.length
}

/** Forgets the buffers that are kept for large packets to come. */
export const trimSpares = (): void => {
  spares.length = 0
  sparesBytes = 0
}

// A class, so that a connection costs one object and not one closure per function.
class ChunkReader implements Reader {
  level: Level | 0
  consumed = 0
  frameBuffer: Uint8Array = nothing
  frameStart = 0
  frameEnd = 0
  private readonly limits: Limits
  /** Largest packet taken once a CONNECT has been decoded. */
  private packetBytesMax: number
  /** Copied bytes, which come before those of the chunk: held[heldAt, heldEnd). */
  private held: Uint8Array = nothing
  private heldAt = 0
  private heldEnd = 0
  /** Large buffers that became too small in this turn. */
  private outgrown: ReadonlyArray<Uint8Array> = none
  /** The chunk: lent[lentAt, lentEnd). */
  private lent: Uint8Array = nothing
  private lentAt = 0
  private lentEnd = 0
  private broken = false
  /** How many bytes had come when `continues` was true last, and when that was. */
  private continuedBytes = 0
  private continuedAt = -continuesMs

  constructor(limits: Limits, level: Level | 0, accepted: boolean) {
    this.limits = limits
    this.level = level
    this.packetBytesMax = accepted ? limits.packetBytesMax : limits.connectPacketBytesMax
  }

  accept(packetBytesMax: number): void {
    this.packetBytesMax = packetBytesMax
  }

  get waiting(): number {
    return this.heldEnd - this.heldAt + this.lentEnd - this.lentAt
  }

  push(buffer: Uint8Array, start: number, end: number): void {
    if (this.broken) return
    if (this.lentAt < this.lentEnd) this.hold(this.lentEnd - this.lentAt)
    this.lent = buffer
    this.lentAt = start
    this.lentEnd = end
  }

  absorb(buffer: Uint8Array, start: number, end: number): boolean {
    const { held, heldAt, heldEnd } = this
    if (heldAt === heldEnd || this.lentAt < this.lentEnd || this.broken) return false
    const size = frameSize(this.level, held, heldAt, heldEnd, this.bytesMax())
    if (size <= 0 || heldEnd - heldAt + end - start >= size) return false
    this.push(buffer, start, end)
    this.hold(end - start)
    this.lent = nothing
    return true
  }

  continues(at: number): boolean {
    if (this.waiting === 0 || at - this.continuedAt < continuesMs) return false
    const came = this.consumed + this.waiting
    if (came === this.continuedBytes || this.missing() <= muchBytes) return false
    this.continuedBytes = came
    this.continuedAt = at
    return true
  }

  /** How many bytes of the packet that is not whole have not come, as far as that is known. */
  private missing(): number {
    const max = this.bytesMax()
    const size = this.heldAt < this.heldEnd
      ? frameSize(this.level, this.held, this.heldAt, this.heldEnd, max)
      : frameSize(this.level, this.lent, this.lentAt, this.lentEnd, max)
    return size - this.waiting
  }

  next(): Either<Fault, Packet> | null {
    if (this.heldAt < this.heldEnd) return this.nextHeld()
    const { lent, lentAt, lentEnd } = this
    if (lentAt === lentEnd) return null
    const size = frameSize(this.level, lent, lentAt, lentEnd, this.bytesMax())
    if (size <= 0 || size > lentEnd - lentAt) return this.unfinished(lent[lentAt]!, size)
    this.lentAt = lentAt + size
    return this.finished(lent, lentAt, size)
  }

  release(): void {
    this.frameBuffer = nothing
    this.compact()
    if (this.outgrown.length > 0) {
      for (let i = 0; i < this.outgrown.length; i++) giveBack(this.outgrown[i]!)
      this.outgrown = none
    }
    if (this.lentAt < this.lentEnd) this.hold(this.lentEnd - this.lentAt)
    this.lent = nothing
    this.lentAt = 0
    this.lentEnd = 0
  }

  /** The next packet when it begins in what is held, completed from the chunk as far as needed. */
  private nextHeld(): Either<Fault, Packet> | null {
    const max = this.bytesMax()
    let size = frameSize(this.level, this.held, this.heldAt, this.heldEnd, max)
    // At most five times: a header has no more bytes.
    while (size === 0 && this.lentAt < this.lentEnd) {
      this.hold(1)
      size = frameSize(this.level, this.held, this.heldAt, this.heldEnd, max)
    }
    const first = this.held[this.heldAt]!
    if (size <= 0) return this.unfinished(first, size)
    const missing = size - (this.heldEnd - this.heldAt)
    if (missing > 0) {
      const there = this.lentEnd - this.lentAt
      this.hold(missing < there ? missing : there)
      if (missing > there) return this.unfinished(first, size)
    }
    const start = this.heldAt
    this.heldAt = start + size
    return this.finished(this.held, start, size)
  }

  private finished(buffer: Uint8Array, start: number, size: number): Either<Fault, Packet> {
    this.consumed += size
    this.frameBuffer = buffer
    this.frameStart = start
    this.frameEnd = start + size
    const body = bodyAt(buffer, start)
    const result = decodeBody(this.level, buffer, start, body, start + size, this.limits)
    if (result._tag === 'Left') this.break()
    else if (this.level === 0 && result.right._tag === 'Connect') this.level = result.right.level
    return result
  }

  private unfinished(first: number, size: number): Either<Fault, Packet> | null {
    const wrong = refusal(this.level, first, size)
    if (wrong === null) return null
    this.break()
    return { _tag: 'Left', left: wrong }
  }

  private break(): void {
    this.broken = true
    this.drop()
    this.lent = nothing
    this.lentAt = 0
    this.lentEnd = 0
  }

  private drop(): void {
    this.held = nothing
    this.heldAt = 0
    this.heldEnd = 0
  }

  private bytesMax(): number {
    return this.level === 0 ? this.limits.connectPacketBytesMax : this.packetBytesMax
  }

  /** Moves `count` bytes from the chunk to the end of what is held. */
  private hold(count: number): void {
    const end = this.heldEnd + count
    if (end > this.held.length) this.grow(count)
    const { held, lent, lentAt } = this
    if (count < 32) {
      for (let i = 0; i < count; i++) held[this.heldEnd + i] = lent[lentAt + i]!
    } else held.set(lent.subarray(lentAt, lentAt + count), this.heldEnd)
    this.heldEnd += count
    this.lentAt += count
  }

  /**
   * A new buffer with room for `count` more bytes, at least twice what is kept; up to four times
   * for a frame that is going to need it. The old one is left alone: packets of this turn may still
   * lie in it.
   */
  private grow(count: number): void {
    const { held, heldAt, heldEnd } = this
    const kept = heldEnd - heldAt
    let size = kept + count > 2 * kept ? kept + count : 2 * kept
    const frame = frameSize(this.level, held, heldAt, heldEnd, this.bytesMax())
    if (frame > size) size = frame < 4 * kept ? frame : size > 4 * kept ? size : 4 * kept
    else if (frame >= kept + count) size = frame
    const buffer = bufferOf(size > heldBytesMin ? size : heldBytesMin)
    buffer.set(held.subarray(heldAt, heldEnd))
    if (held.length >= spareBytesMin) this.outgrown = [...this.outgrown, held]
    this.held = buffer
    this.heldAt = 0
    this.heldEnd = kept
  }

  /**
   * At the end of a turn, moves what is held to the front of its buffer, or to a smaller one. Only
   * when no more bytes move than were decoded since the last time, so that the cost stays in
   * proportion however many turns it takes to use up what is held.
   */
  private compact(): void {
    const kept = this.heldEnd - this.heldAt
    if (kept === 0) {
      giveBack(this.held)
      this.drop()
      return
    }
    if (this.heldAt < kept) return
    if (kept * 4 < this.held.length) this.held = this.held.slice(this.heldAt, this.heldEnd)
    else this.held.copyWithin(0, this.heldAt, this.heldEnd)
    this.heldAt = 0
    this.heldEnd = kept
  }
}
