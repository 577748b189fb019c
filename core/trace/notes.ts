// What a recording notes while the broker serves: bytes as they came, and nothing worked out that
// can be worked out later. The pages go to a scribe, who may sit in another thread.
//
// On a page follow each other: a kind; its numbers; and of a text or of frames how long they are
// and all their bytes, which may go on on the next pages.

import type { Effect } from '../broker/effect.ts'
import type { Arrived, Conn, Input, Millis } from '../broker/input.ts'
import { arrived, commanded } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { initial } from '../broker/state.ts'
import type { Level } from '../codec/packet.ts'
import { none as noProperties } from '../codec/properties.ts'
import type { Properties } from '../codec/properties.ts'
import * as B from '../data/bytes.ts'
import type { Bytes } from '../data/bytes.ts'
import { digestOf } from './digest.ts'
import type { Weigh } from './digest.ts'
import { graphOf } from './graph.ts'
import { input as inputCodec } from './input.ts'
import { asciiOf, format, headText } from './recording.ts'
import type { Json } from './shape.ts'
import { fillOf, markOf, weightOfAll, weightOfMark } from './veil.ts'
import type { Veil } from './veil.ts'

/**
 * Level (1 byte), slot (4), generation (8), at (8), how many bytes of frames follow (4), how many
 * bytes before them mean nothing (1).
 */
export const noteFrames = 1
/** A line that is ready, without its end: how many characters of ASCII follow (4). */
export const noteLine = 2
/** How many inputs (4), the digest of the effects (4). */
export const noteMark = 3
/** Slot (4), generation (8), at (8), total (8). */
export const noteWritten = 4

/** No kind has more numbers than this. */
const numbersBytesMax = 40

/** Takes a page with so many bytes of notes on it, and gives an empty one. */
export type TurnPage = (end: number) => Uint8Array

const nodesPerLine = 64

const bare = (payload: Bytes): Bytes => payload

/** Without what it shares a buffer with: that may be much, and of messages that have gone. */
const alone = (payload: Bytes): Bytes =>
  B.size(payload) === payload.buffer.length ? payload : B.own(payload)

/** Whether it is as `initial` makes it, which any version can do for itself. */
const isNew = (state: State): boolean => {
  if (state.nextOpening > 0 || state.now !== state.origin.at) return false
  const fresh = JSON.stringify([...graphOf(initial(state.config, state.origin), bare)])
  let length = 1
  for (const node of graphOf(state, bare)) {
    const text = JSON.stringify(node)
    if (!fresh.startsWith(text, length)) return false
    length += text.length + 1
  }
  return length === fresh.length
}

const none = new Uint8Array(0)

export class Notes {
  /** Characters of the head and the snapshot since `begin`. */
  beginningBytes = 0
  private readonly veil: Veil
  private readonly turnPage: TurnPage
  private readonly weigh: Weigh | null
  private page: Uint8Array
  private view: DataView
  private end = 0
  /** Frames of one connection that lie one behind the other and are not on a page yet. */
  private lent: Uint8Array = none
  private lentFrom = 0
  private lentTo = 0
  private conn: Conn | null = null
  private at = 0
  private level: Level | 0 = 0
  /** What is to come of a snapshot. */
  private nodes: Iterator<Json> | null = null
  /** Whether lines of it stand behind the last mark. */
  private isUnsummed = false

  constructor(veil: Veil, turnPage: TurnPage) {
    this.veil = veil
    this.turnPage = turnPage
    this.page = none
    this.view = new DataView(none.buffer)
    this.weigh = veil.payload === 'full'
      ? weightOfAll
      : veil.payload === 'hash'
      ? (payload) => weightOfMark(veil, payload)
      : null
  }

  /** How many bytes are on the page. */
  get written(): number {
    return this.end
  }

  /** Whether the snapshot is not all there yet. */
  get isBehind(): boolean {
    return this.nodes !== null
  }

  /**
   * The head, on an empty page: how the broker is before the first input that follows, but for the
   * snapshot.
   */
  begin(
    state: State,
    version: string,
    page: Uint8Array,
    // A broker has no clock: what it was told last may be long ago, the more so of the wall.
    { at, wall }: { readonly at: Millis; readonly wall: number } = {
      at: state.now,
      wall: state.wall,
    },
  ): void {
    this.use(page)
    const { veil } = this
    const { origin } = state
    const isFresh = isNew(state)
    const head = headText({
      format,
      version,
      payload: veil.payload,
      wall,
      at,
      origin,
      config: state.config,
      hasSnapshot: !isFresh,
    })
    this.line(head)
    this.beginningBytes = head.length + 1
    const hide = (payload: Bytes, owner: object): Bytes =>
      hidden(payload, propertiesOf(owner), veil)
    this.nodes = isFresh ? null : graphOf(state, veil.payload === 'full' ? alone : hide)
    this.mark(0, [])
  }

  /**
   * A line more of the snapshot, which may stand among the inputs that came since: what the broker
   * was stays as it was. Does nothing once it is all there.
   */
  more(): void {
    const { nodes } = this
    if (nodes === null) return
    this.close()
    const some: Array<Json> = []
    while (some.length < nodesPerLine) {
      const { done, value } = nodes.next()
      if (done === true) {
        this.nodes = null
        break
      }
      some.push(value)
    }
    const line = asciiOf(['s', some, this.nodes !== null])
    this.beginningBytes += line.length + 1
    this.isUnsummed = true
    this.line(line)
  }

  /**
   * An input; of an Arrived that came in bytes, these and the level of its connection: they are
   * read until the next call. CONNECT and AUTH are written without their secrets whatever came.
   */
  input(input: Input, level: Level | 0 = 0, buffer: Uint8Array | null = null, start = 0, end = 0) {
    switch (input._tag) {
      case 'Arrived': {
        const { packet } = input
        if (buffer !== null && packet._tag !== 'Connect' && packet._tag !== 'Auth') {
          if (this.goesOn(input, buffer, start, end)) return
          return this.frame(input, level, buffer, start, end)
        }
        break
      }
      case 'Written': {
        const { conn: { slot, generation }, at, total } = input
        this.open(noteWritten)
        this.whole(slot)
        this.long(generation)
        this.long(at)
        return this.long(total)
      }
    }
    this.close()
    this.line(asciiOf(['i', inputCodec.encode(veiled(input, this.veil))]))
  }

  /**
   * Notes a packet, neither CONNECT nor AUTH, whose frame begins where the last one ended, as most
   * do; whether it does. `input` takes the others.
   */
  goesOn({ conn, at }: Arrived, buffer: Uint8Array, start: number, end: number): boolean {
    if (buffer !== this.lent || start !== this.lentTo || conn !== this.conn || at !== this.at) {
      return false
    }
    this.lentTo = end
    return true
  }

  private frame(
    { conn, at }: Arrived,
    level: Level | 0,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.close()
    this.lent = buffer
    this.lentFrom = start
    this.lentTo = end
    this.conn = conn
    this.at = at
    this.level = level
  }

  /** Copies what is lent to the page. */
  close(): void {
    const { conn, lent, lentFrom, lentTo } = this
    if (conn === null) return
    this.conn = null
    const { length } = this.page
    const wanted = numbersBytesMax + lentTo - lentFrom
    // On one page, if they go on one: the scribe has to copy what lies on two.
    if (this.end + wanted > length && wanted <= length) this.turnOver()
    this.open(noteFrames)
    this.page[this.end++] = this.level
    this.whole(conn.slot)
    this.long(conn.generation)
    this.long(this.at)
    this.whole(lentTo - lentFrom)
    // Shared memory is copied to by words only where both sides lie alike.
    const skipped = (lent.byteOffset + lentFrom - this.end - 1) & 7
    this.page[this.end] = skipped
    this.end += 1 + skipped
    for (let at = lentFrom; at < lentTo;) {
      const to = Math.min(lentTo, at + this.room())
      this.page.set(lent.subarray(at, to), this.end)
      this.end += to - at
      at = to
    }
    this.lent = none
  }

  /** A run is over that took so many of the inputs that no run had taken, and led to these. */
  mark(inputCount: number, effects: ReadonlyArray<Effect>): void {
    const digest = digestOf(effects, this.weigh)
    this.isUnsummed = false
    this.open(noteMark)
    this.whole(inputCount)
    this.whole(digest)
  }

  /** The last line, with why there are no more. */
  finish(why: string): void {
    this.close()
    while (this.nodes !== null) this.more()
    // Of no run, for the sum.
    if (this.isUnsummed) this.mark(0, [])
    this.line(asciiOf(['e', why]))
  }

  /** The last line of what cannot be played, since the snapshot goes no further. */
  breakOff(why: string): void {
    this.close()
    this.nodes = null
    this.line(asciiOf(['e', why]))
  }

  /** Nothing more is noted, nor the rest of a snapshot: the state that it is of is let go. */
  leave(): void {
    this.conn = null
    this.lent = none
    this.nodes = null
  }

  /** Hands the page over, if there is anything on it. */
  turn(): void {
    this.close()
    if (this.end > 0) this.turnOver()
  }

  private turnOver(): void {
    this.use(this.turnPage(this.end))
  }

  private use(page: Uint8Array): void {
    this.end = 0
    if (page === this.page) return
    this.page = page
    this.view = new DataView(page.buffer, page.byteOffset, page.length)
  }

  private line(text: string): void {
    this.open(noteLine)
    this.whole(text.length)
    for (let at = 0; at < text.length;) {
      const to = Math.min(text.length, at + this.room())
      const { page } = this
      let end = this.end
      for (; at < to; at++) page[end++] = text.charCodeAt(at)
      this.end = end
    }
  }

  /** Begins a note, with room for its numbers. */
  private open(kind: number): void {
    this.close()
    if (this.end + numbersBytesMax > this.page.length) this.turnOver()
    this.page[this.end++] = kind
  }

  /** Room for bytes, which there is always. */
  private room(): number {
    if (this.end === this.page.length) this.turnOver()
    return this.page.length - this.end
  }

  private whole(value: number): void {
    this.view.setUint32(this.end, value, true)
    this.end += 4
  }

  private long(value: number): void {
    this.view.setFloat64(this.end, value, true)
    this.end += 8
  }
}

/** Those of a message or a will, which may say that its payload is text. */
const propertiesOf = (owner: object): Properties =>
  // Nothing else in a state has properties beside a payload.
  'properties' in owner ? owner.properties as Properties : noProperties

const hidden = (payload: Bytes, properties: Properties, veil: Veil): Bytes =>
  fillOf(payload.end - payload.start, markOf(veil, payload, properties))

/** An input without the payload in it. */
const veiled = (input: Input, veil: Veil): Input => {
  if (veil.payload === 'full') return input
  if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
    const { packet } = input.command
    const payload = hidden(packet.payload, packet.properties, veil)
    return commanded(input.at, { _tag: 'Publish', packet: { ...packet, payload } })
  }
  if (input._tag !== 'Arrived') return input
  const { conn, at, packet } = input
  if (packet._tag === 'Publish') {
    const payload = hidden(packet.payload, packet.properties, veil)
    return arrived(conn, at, { ...packet, payload })
  }
  if (packet._tag !== 'Connect' || packet.will === null) return input
  const { will } = packet
  const payload = hidden(will.payload, will.properties, veil)
  return arrived(conn, at, { ...packet, will: { ...will, payload } })
}
