// Writes a recording: lines on a sheet, which whoever made it takes from there to a file.

import type { Effect } from '../broker/effect.ts'
import type { Arrived, Conn, Input } from '../broker/input.ts'
import { arrived, commanded } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { initial } from '../broker/state.ts'
import type { Level } from '../codec/packet.ts'
import type { Properties } from '../codec/property.ts'
import type { Bytes } from '../data/bytes.ts'
import { digestOf } from './digest.ts'
import type { Weigh } from './digest.ts'
import { graphOf } from './graph.ts'
import { input as inputCodec } from './input.ts'
import { asciiOf, format, headText } from './recording.ts'
import type { Json } from './shape.ts'
import { hex32, Sheet, sumOfText } from './sheet.ts'
import {
  fillOf,
  hash,
  hashPayload,
  isNoText,
  isSame,
  markOf,
  weightOfAll,
  weightOfHash,
} from './veil.ts'
import type { Veil } from './veil.ts'

const nodesPerLine = 256

const bare = (payload: Bytes): Bytes => payload

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

const snapshotOf = (state: State, veil: Veil): ReadonlyArray<string> => {
  if (isNew(state)) return []
  const lines: Array<string> = []
  let nodes: Array<Json> = []
  const hide = (payload: Bytes): Bytes => fillOf(payload.end - payload.start, markOf(veil, payload))
  for (const node of graphOf(state, veil.payload === 'full' ? bare : hide)) {
    nodes.push(node)
    if (nodes.length < nodesPerLine) continue
    lines.push(asciiOf(['s', nodes]))
    nodes = []
  }
  if (nodes.length > 0) lines.push(asciiOf(['s', nodes]))
  return lines
}

/** Frames follow each other on a line until it is as long as this. */
const lineBytesMax = 16 * 1024

/** Writes a recording on a sheet, from which whoever made it takes what is there. */
export class Scribe {
  readonly sheet = new Sheet()
  private readonly veil: Veil
  /** Whose frames the line has that is not over yet, null where there is none. */
  private conn: Conn | null = null
  private at = 0
  private level: Level | 0 = 0
  /** Payloads of this run, and what was found of each; the next one that is looked for. */
  private readonly payloads: Array<Bytes> = []
  private hashes = new Int32Array(512)
  private next = 0
  /** The last head of a PUBLISH on this line; null at its beginning. */
  private headBuffer: Uint8Array | null = null
  private headStart = 0
  private headEnd = 0
  private readonly weigh: Weigh | null

  constructor(veil: Veil) {
    this.veil = veil
    this.weigh = veil.payload === 'full'
      ? weightOfAll
      : veil.payload === 'hash'
      ? (payload) => this.weightOf(payload)
      : null
  }

  /** What comes in leaves mostly in the same order, so a payload is hashed once. */
  private weightOf(payload: Bytes): number {
    const { payloads, next } = this
    const size = payload.end - payload.start
    const last = Math.min(payloads.length, next + 3)
    for (let i = next > 0 ? next - 1 : 0; i < last; i++) {
      if (payloads[i] !== payload) continue
      this.next = i + 1
      return weightOfHash(this.hashes[i]!, size)
    }
    hashPayload(this.veil, payload)
    return weightOfHash(hash[0]!, size)
  }

  /** The head with the snapshot: how the broker is before the first input that follows. */
  begin(state: State, version: string): void {
    const { sheet, veil } = this
    sheet.sum = 0
    const lines = snapshotOf(state, veil)
    const { origin, now } = state
    const head = headText({
      format,
      version,
      payload: veil.payload,
      wall: state.wall,
      at: now,
      origin,
      config: state.config,
      snapshotLines: lines.length,
    })
    sheet.ascii(head)
    sheet.over()
    for (const line of lines) {
      sheet.ascii(line)
      sheet.over()
    }
    this.mark(0, [])
  }

  /**
   * An input; of an Arrived that came in bytes, these and the level of its connection. CONNECT and
   * AUTH are written without their secrets whatever came.
   */
  input(input: Input, level: Level | 0 = 0, buffer: Uint8Array | null = null, start = 0, end = 0) {
    const { sheet } = this
    switch (input._tag) {
      case 'Arrived': {
        const { packet } = input
        if (buffer !== null && packet._tag !== 'Connect' && packet._tag !== 'Auth') {
          return this.frame(input, level, buffer, start, end)
        }
        break
      }
      case 'Written':
        this.close()
        sheet.ascii('["w",')
        sheet.number(input.conn.slot)
        sheet.ascii(',')
        sheet.number(input.conn.generation)
        sheet.ascii(',')
        sheet.number(input.at)
        sheet.ascii(',')
        sheet.number(input.total)
        sheet.ascii(']')
        return sheet.over()
    }
    this.close()
    sheet.ascii('["i",')
    sheet.ascii(asciiOf(inputCodec.encode(veiled(input, this.veil))))
    sheet.ascii(']')
    sheet.over()
  }

  /** What one connection says at once shares a line. */
  private frame(
    { conn, at, packet }: Arrived,
    level: Level | 0,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { sheet, veil } = this
    if (
      conn === this.conn && at === this.at && level === this.level &&
      sheet.lineLength < lineBytesMax
    ) sheet.ascii('","')
    else this.open(conn, at, level)
    if (packet._tag !== 'Publish' || veil.payload === 'full') {
      return sheet.base64(buffer, start, end)
    }
    const { payload, properties } = packet
    const size = payload.end - payload.start
    // The payload is the end of the frame.
    const headEnd = end - size
    if (size === 0) return sheet.base64(buffer, start, headEnd)
    if (!this.isSameHead(buffer, start, headEnd)) {
      sheet.base64(buffer, start, headEnd)
      this.headBuffer = buffer
      this.headStart = start
      this.headEnd = headEnd
    }
    if (veil.payload === 'hash') this.hashed(payload)
    else sheet.ascii('~')
    if (isNoText(payload, properties)) sheet.ascii('!')
  }

  private hashed(payload: Bytes): void {
    const { payloads } = this
    hashPayload(this.veil, payload)
    this.sheet.mark64(hash[0]!, hash[1]!)
    if (payloads.length === this.hashes.length) {
      const more = new Int32Array(payloads.length * 2)
      more.set(this.hashes)
      this.hashes = more
    }
    this.hashes[payloads.length] = hash[0]!
    payloads.push(payload)
  }

  /** Whether it is the last one of this line once more, as most are of who sends much. */
  private isSameHead(buffer: Uint8Array, start: number, end: number): boolean {
    return buffer === this.headBuffer && end - start === this.headEnd - this.headStart &&
      isSame(buffer, this.headStart, start, end - start)
  }

  private open(conn: Conn, at: number, level: Level | 0): void {
    const { sheet } = this
    this.close()
    sheet.ascii('["f",')
    sheet.number(conn.slot)
    sheet.ascii(',')
    sheet.number(conn.generation)
    sheet.ascii(',')
    sheet.number(at)
    sheet.ascii(',')
    sheet.number(level)
    sheet.ascii(',"')
    this.conn = conn
    this.at = at
    this.level = level
  }

  /** Ends a line of frames. */
  close(): void {
    if (this.conn === null) return
    this.conn = null
    this.headBuffer = null
    this.sheet.ascii('"]')
    this.sheet.over()
  }

  /** A run is over that took so many inputs, all written since the last mark, and led to these. */
  mark(inputCount: number, effects: ReadonlyArray<Effect>): void {
    const { sheet } = this
    this.close()
    // The sum is of the mark as well, up to itself.
    const mark = `["m",${inputCount},"${hex32(digestOf(effects, this.weigh))}"`
    this.payloads.length = 0
    this.next = 0
    sheet.ascii(`${mark},"${hex32(sumOfText(sheet.sum, mark))}"]`)
    sheet.over()
    sheet.sum = 0
  }

  /** The last line, with why there are no more. */
  end(why: string): void {
    this.close()
    this.sheet.ascii(asciiOf(['e', why]))
    this.sheet.over()
  }
}

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

/** The lines of a recording that begins with this state, each input a run of its own. */
export const recordingOf = (
  from: State,
  inputs: ReadonlyArray<Input>,
  version: string,
  run: (
    state: State,
    inputs: ReadonlyArray<Input>,
  ) => readonly [State, ReadonlyArray<Effect>],
): Uint8Array => {
  const scribe = new Scribe({ payload: 'full', key: [0, 0] })
  scribe.begin(from, version)
  let state = from
  for (const input of inputs) {
    scribe.input(input)
    let effects: ReadonlyArray<Effect>
    try {
      ;[state, effects] = run(state, [input])
    } catch {
      // What the broker throws at stands at the end, as in a recording of the day.
      return scribe.sheet.buffer.slice(0, scribe.sheet.end)
    }
    scribe.mark(1, effects)
  }
  scribe.end('that is all of it')
  return scribe.sheet.buffer.slice(0, scribe.sheet.end)
}
