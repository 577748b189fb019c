// A recording of a broker: its state at the head, every input in order, and after each run a mark
// with what it came to. Lines of ASCII, one JSON value each; RECORDING.md has the form. Here is
// what a line says; scribe.ts writes them, replay.ts plays them.

import type { Config } from '../broker/config.ts'
import type { Conn, Input } from '../broker/input.ts'
import { arrived } from '../broker/input.ts'
import type { Origin } from '../broker/state.ts'
import { decodeFrame } from '../codec/decode.ts'
import { defaultLimits } from '../codec/limits.ts'
import { frameSize } from '../codec/frame.ts'
import type { Level } from '../codec/packet.ts'
import type { Bytes } from '../data/bytes.ts'
import * as Base64 from '../data/base64.ts'
import type { Either } from '../prelude.ts'
import { E, pipe } from '../prelude.ts'
import { config, input as inputCodec } from './input.ts'
import type { Codec, Json } from './shape.ts'
import { closed, count, oneOf, read, text, truth, whole } from './shape.ts'
import { fill } from './veil.ts'
import type { Veil } from './veil.ts'

/** The last line of a file of a ring that has a newer one. */
export const goesOn = 'it goes on in a newer file'

/** The form that is written and read. */
export const format = 4

/** The first line. */
export interface Head {
  /** The form of the lines. */
  readonly format: number
  /** Of the program that wrote it. */
  readonly version: string
  /** What is there of payloads. */
  readonly payload: Veil['payload']
  /** By the clock on the wall when it began, Unix milliseconds. */
  readonly wall: number
  /** The broker's own time when it began, milliseconds. */
  readonly at: number
  readonly origin: Origin
  /** As it is after all files, without passwords. */
  readonly config: Config
  /** Whether lines of a snapshot follow; not where the broker was as new as `initial` makes it. */
  readonly hasSnapshot: boolean
}

const headCodec: Codec<Head> = closed<Head>('head of a recording', {
  format: count,
  version: text,
  payload: oneOf<Veil['payload']>('full', 'hash', 'length'),
  wall: count,
  at: count,
  origin: closed<Origin>('Origin', {
    at: count,
    wall: count,
    seed: whole(-0x8000_0000, 0xffff_ffff),
  }),
  config,
  hasSnapshot: truth,
})

/** How the first line begins, of this form and of all to come. */
const opening = '{"recording":"sabethes","head":'

/** JSON in ASCII. */
export const asciiOf = (json: Json): string =>
  JSON.stringify(json).replace(
    /[\u007f-\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** The first line of a recording. */
export const headText = (head: Head): string => `${opening}${asciiOf(headCodec.encode(head))}}`

/** A line that was read; `inputs` and sums of a mark are for who has read those before it. */
export type Line =
  /** `isLast`: the snapshot is all there. */
  | { readonly _tag: 'Nodes'; readonly nodes: ReadonlyArray<unknown>; readonly isLast: boolean }
  /** `bytes`: of its frame, as large as it was. */
  | { readonly _tag: 'Input'; readonly input: Input; readonly bytes: number }
  | {
    readonly _tag: 'Mark'
    readonly inputCount: number
    readonly digest: string
    readonly sum: string
  }
  | { readonly _tag: 'End'; readonly why: string }

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Whether a recording begins with this line, be it one of another form. */
export const isHead = (line: string): boolean => line.startsWith(opening)

/** The head of a recording, or a sentence. */
export const readHead = (line: string): Either<string, Head> => {
  if (!isHead(line)) {
    return E.left('This is no recording of sabethes: its first line is not the head of one.')
  }
  const json = parsed(line)
  if (typeof json !== 'object' || json === null || !('head' in json)) {
    return E.left('The head of the recording is damaged.')
  }
  const { head } = json
  const its = typeof head === 'object' && head !== null && 'format' in head ? head.format : format
  if (typeof its === 'number' && its !== format) {
    return E.left(
      `The recording has form ${its}, and this program reads form ${format}: use ` +
        (its > format ? 'a newer one.' : 'the version that wrote it, which its first line names.'),
    )
  }
  return pipe(
    read(headCodec, head),
    E.mapLeft((why) => `The head of the recording is damaged: ${why}.`),
  )
}

const isCount = (some: unknown): some is number =>
  typeof some === 'number' && Number.isSafeInteger(some) && some >= 0

/** What a frame may be of in any broker. */
export const frameLimits = {
  ...defaultLimits,
  packetBytesMax: 268_435_460,
  connectPacketBytesMax: 268_435_460,
  anyCharacters: true,
}

const isLevel = (some: unknown): some is Level => some === 3 || some === 4 || some === 5

/** A frame that says how large it is although its payload is not there; -1 if it makes no sense. */
const sizeOf = ({ buffer, end }: Bytes): number =>
  frameSize(0, buffer, 0, end, frameLimits.packetBytesMax)

/** The bytes of one frame, with something in the place of a payload that is not there. */
const frameOf = (text: string, veil: number, head: Bytes | null): Bytes | null => {
  if (veil === -1) return Base64.decode(text)
  if (head === null) return null
  const size = sizeOf(head)
  if (size <= head.end) return null
  const buffer = new Uint8Array(size)
  buffer.set(head.buffer)
  fill(buffer, head.end, text, veil + 1)
  return { buffer, start: 0, end: size }
}

const inputLine = (input: Input, bytes = 0): Either<string, Line> =>
  E.right({ _tag: 'Input', input, bytes })

/** Frames that came together: what is said once of all of them. */
interface Together {
  readonly conn: Conn
  readonly at: number
  readonly level: Level
  /** The bytes before the payload of the last one that had any. */
  head: Bytes | null
}

/** Reads the lines behind the head, in their order. */
export class LineReader {
  private together: Together | null = null

  /** What a line says, or what is wrong with it. */
  read(line: string): Either<string, Line> {
    // Most lines are frames that follow another.
    if (line.charCodeAt(0) === quoteMark) return this.next(line)
    this.together = null
    const json = parsed(line)
    if (!Array.isArray(json)) return E.left('it is no line of a recording')
    const words: ReadonlyArray<unknown> = json
    const [tag, slot, generation, at, total] = words
    switch (tag) {
      case 'f': {
        if (!isCount(slot) || !isCount(generation) || !isCount(at)) break
        if (!isLevel(total) || words.length !== 6) break
        const text = words[5]
        if (typeof text !== 'string') return E.left('is a frame that is no text')
        this.together = { conn: { slot, generation }, at, level: total, head: null }
        return frameLine(text, this.together)
      }
      case 'w':
        if (!isCount(slot) || !isCount(generation) || !isCount(at) || !isCount(total)) break
        return inputLine({ _tag: 'Written', conn: { slot, generation }, at, total })
      case 'i': {
        const input = read(inputCodec, slot)
        return E.isLeft(input) ? input : inputLine(input.right)
      }
      case 'm':
        if (!isCount(slot) || typeof generation !== 'string' || typeof at !== 'string') break
        return E.right({ _tag: 'Mark', inputCount: slot, digest: generation, sum: at })
      case 's':
        if (!Array.isArray(slot) || typeof generation !== 'boolean') break
        return E.right({ _tag: 'Nodes', nodes: slot, isLast: !generation })
      case 'e':
        if (typeof slot !== 'string') break
        return E.right({ _tag: 'End', why: slot })
    }
    return E.left('it is no line of a recording')
  }

  private next(line: string): Either<string, Line> {
    const { length } = line
    if (length < 2 || line.charCodeAt(length - 1) !== quoteMark) {
      return E.left('it is no line of a recording')
    }
    return this.together === null
      ? E.left('is a frame of nobody knows whom')
      : frameLine(line.slice(1, -1), this.together)
  }
}

const quoteMark = 0x22

const frameLine = (text: string, together: Together): Either<string, Line> => {
  const veil = text.indexOf('~')
  if (veil > 0) together.head = Base64.decode(text, veil)
  const frame = frameOf(text, veil, together.head)
  if (frame === null) return E.left('is a frame that is no base64')
  const { level, conn, at } = together
  const packet = decodeFrame(level, frame.buffer, 0, frame.end, frameLimits)
  if (E.isLeft(packet)) return E.left(`is a frame that is no packet: ${packet.left.detail}`)
  return inputLine(arrived(conn, at, packet.right), frame.end)
}
