// One direction of a TCP connection: the stream of bytes out of segments that come late, twice,
// over each other or not at all. What is missing is never guessed: the stream ends before it.

import { distance, onward } from './bits.ts'

interface Waiting {
  readonly sequence: number
  readonly bytes: Uint8Array
}

/** A hole in a stream. */
export interface Hole {
  /** When it could be seen first, Unix milliseconds. */
  readonly atMs: number
  readonly bytes: number
  /** Whether they were on the wire and the capture has kept the beginnings of packets only. */
  readonly isCut: boolean
}

// What may wait behind a hole: far more than a window, so that only a loss fills it.
const waitingBytesMax = 16 * 1024 * 1024
const waitingCountMax = 65_536

// Nothing of a stream is as far away; what claims to be belongs to another one.
const farMax = 0x3fff_ffff

export class Half {
  /** The sequence number of the byte that comes next; null before anything is known. */
  next: number | null = null
  /** The end has been said, and all before it has come. */
  isOver = false
  private finAt: number | null = null
  /** In the order of the stream; none begins at or before `next`. */
  private waiting: Array<Waiting> = []
  private waitingBytes = 0
  /** Up to here there were bytes. */
  private seenTo: number | null = null
  /** Up to here the other side has got all; its end counts as a byte. */
  private ackedTo: number | null = null
  /** Bytes before `next`. */
  private given = 0
  private behindAtMs = 0
  private isCut = false
  private isLost = false

  /** The end has been said, whether or not all before it has come. */
  get isEnding(): boolean {
    return this.finAt !== null
  }

  /** Whether more was on the wire than has come: bytes, or its end. */
  get isAwaited(): boolean {
    const { next, seenTo, ackedTo } = this
    if (next === null || this.isOver) return false
    return [seenTo, ackedTo].some((end) => end !== null && distance(next, end) > 0)
  }

  /** Its first byte will have this number. */
  begin(sequence: number): void {
    this.next = sequence
    this.seenTo = sequence
  }

  /**
   * Data that came in a segment, of which only the beginning may have been kept; `size` is what it
   * had on the wire. Answers what of the stream has become known, lent like `bytes`.
   */
  push(
    sequence: number,
    bytes: Uint8Array,
    size: number,
    isFin: boolean,
    atMs: number,
  ): ReadonlyArray<Uint8Array> {
    if (this.next === null) this.begin(sequence)
    const offset = distance(this.next!, sequence)
    if (this.isOver || offset > farMax || offset < -farMax) return []
    if (bytes.length < size) this.isCut = true
    this.reach(onward(sequence, size), atMs)
    if (isFin) this.finAt ??= onward(sequence, size)
    const found: Array<Uint8Array> = []
    if (offset > 0) this.keep(sequence, bytes)
    else if (offset + bytes.length > 0) this.give(bytes.subarray(-offset), found)
    this.isOver = this.finAt !== null && distance(this.next!, this.finAt) <= 0
    return found
  }

  /** Whether that is where its first byte is. */
  hasBegunAt(sequence: number): boolean {
    return this.next !== null && onward(this.next, -this.given) === sequence
  }

  /** Whether what begins there has come, comes next, or lies before the end that was said. */
  has(sequence: number): boolean {
    if (this.next === null) return true
    const offset = distance(this.next, sequence)
    if (offset <= 0) return -offset <= this.given
    return this.finAt !== null && distance(sequence, this.finAt) > 0
  }

  /** Whether it is further from all that has come than a window reaches. */
  isFarFrom(sequence: number): boolean {
    if (this.next === null) return false
    const offset = distance(this.next, sequence)
    return offset > waitingBytesMax || offset < -this.given - waitingBytesMax
  }

  /** Whether it cannot be of this stream, of which nothing is missing. */
  isForeign(sequence: number): boolean {
    return this.next !== null && this.hole() === null &&
      Math.abs(distance(this.next, sequence)) > farMax
  }

  /** The other side has got all up to this. */
  acknowledged(sequence: number, atMs: number): void {
    if (this.next === null || this.isOver) return
    const offset = distance(this.next, sequence)
    const isMore = this.ackedTo === null || distance(this.ackedTo, sequence) > 0
    if (offset > 0 && offset <= farMax && isMore) this.ackedTo = sequence
    // The one that is too many may be the end of the stream, which counts as a byte.
    if (offset > 1 && offset <= farMax) this.reach(onward(sequence, -1), atMs)
  }

  /** What is missing when nothing more will come, or null. */
  hole(): Hole | null {
    if (this.next === null || this.isOver || this.seenTo === null) return null
    const end = this.waiting[0]?.sequence ?? this.seenTo
    const bytes = distance(this.next, end)
    return bytes > 0 ? { atMs: this.behindAtMs, bytes, isCut: this.isCut } : null
  }

  /** Nothing that waits is of use any more. */
  drop(): void {
    this.isLost = true
    if (this.waiting.length > 1) this.waiting = this.waiting.slice(0, 1)
    this.waitingBytes = 0
  }

  private reach(end: number, atMs: number): void {
    const { next } = this
    if (this.seenTo === null || next === null) return
    const wasBehind = distance(next, this.seenTo) > 0
    if (distance(this.seenTo, end) > 0) this.seenTo = end
    if (!wasBehind && distance(next, this.seenTo) > 0) this.behindAtMs = atMs
  }

  private give(bytes: Uint8Array, found: Array<Uint8Array>): void {
    found.push(bytes)
    this.next = onward(this.next!, bytes.length)
    this.given += bytes.length
    const { waiting } = this
    let used = 0
    for (; used < waiting.length; used++) {
      const one = waiting[used]!
      const offset = distance(this.next, one.sequence)
      if (offset > 0) break
      this.waitingBytes -= one.bytes.length
      if (offset + one.bytes.length <= 0) continue
      const rest = one.bytes.subarray(-offset)
      found.push(rest)
      this.next = onward(this.next, rest.length)
      this.given += rest.length
    }
    if (used > 0) this.waiting = waiting.slice(used)
  }

  private keep(sequence: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const { waiting } = this
    let place = waiting.length
    while (place > 0 && distance(waiting[place - 1]!.sequence, sequence) <= 0) place--
    // Those from `place` on begin where it begins, or behind that.
    const same = waiting[place]
    if (same !== undefined && same.sequence === sequence) {
      if (same.bytes.length >= bytes.length) return
      this.waitingBytes -= same.bytes.length
      waiting.splice(place, 1)
    }
    const isFull = this.isLost || this.waitingBytes + bytes.length > waitingBytesMax ||
      waiting.length >= waitingCountMax
    const one = { sequence, bytes: bytes.slice() }
    if (isFull) {
      // The first is kept, since it says how large the hole is.
      this.drop()
      if (place === 0) this.waiting = [one]
      return
    }
    waiting.splice(place, 0, one)
    this.waitingBytes += bytes.length
  }
}
