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
import { E } from '../prelude.ts'
import { config, input as inputCodec } from './input.ts'
import type { Codec, Json } from './shape.ts'
import { closed, count, oneOf, read, text, whole } from './shape.ts'
import { fill } from './veil.ts'
import type { Veil } from './veil.ts'

/** The form that is written, and the newest that can be read. */
export const format = 2

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
  /** How many lines of snapshot follow; none where the broker was as new as `initial` makes it. */
  readonly snapshotLines: number
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
  snapshotLines: count,
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
  | { readonly _tag: 'Nodes'; readonly nodes: ReadonlyArray<unknown> }
  /** `bytes`: of their frames, as large as they were. */
  | { readonly _tag: 'Inputs'; readonly inputs: ReadonlyArray<Input>; readonly bytes: number }
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

/** The head of a recording, or a sentence. */
export const readHead = (line: string): Either<string, Head> => {
  if (!line.startsWith(opening)) {
    return E.left('This is no recording of sabethes: its first line is not the head of one.')
  }
  const json = parsed(line)
  if (typeof json !== 'object' || json === null || !('head' in json)) {
    return E.left('The head of the recording is damaged.')
  }
  const { head } = json
  const newer = typeof head === 'object' && head !== null && 'format' in head ? head.format : format
  if (typeof newer === 'number' && newer > format) {
    return E.left(
      `The recording has form ${newer}, and this program reads up to ${format}: use a newer one.`,
    )
  }
  return read(headCodec, head)
}

const isCount = (some: unknown): some is number =>
  typeof some === 'number' && Number.isSafeInteger(some) && some >= 0

const limits = {
  ...defaultLimits,
  packetBytesMax: 268_435_460,
  connectPacketBytesMax: 268_435_460,
}

/** What the frames of a line come to at most: what a turn takes of a connection, and one more. */
const lineBytesMax = 300_000_000

const isLevel = (some: unknown): some is Level => some === 3 || some === 4 || some === 5

/** A frame that says how large it is although its payload is not there; -1 if it makes no sense. */
const sizeOf = ({ buffer, end }: Bytes): number =>
  frameSize(buffer, 0, end, limits.packetBytesMax)

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

const readFrames = (
  words: ReadonlyArray<unknown>,
  conn: Conn,
  at: number,
): Either<string, Line> => {
  const level = words[4]
  if (!isLevel(level) || words.length < 6) return E.left('frames without their bytes')
  const inputs: Array<Input> = []
  let bytes = 0
  let head: Bytes | null = null
  for (let i = 5; i < words.length; i++) {
    const text = words[i]
    if (typeof text !== 'string') return E.left('a frame that is no text')
    const veil = text.indexOf('~')
    if (veil > 0) head = Base64.decode(text, veil)
    const frame = frameOf(text, veil, head)
    if (frame === null) return E.left('a frame that is no base64')
    bytes += frame.end
    if (bytes > lineBytesMax) return E.left('more in one line than anybody could have said at once')
    const packet = decodeFrame(level, frame.buffer, 0, frame.end, limits)
    if (E.isLeft(packet)) return E.left(`a frame that is no packet: ${packet.left.detail}`)
    inputs.push(arrived(conn, at, packet.right))
  }
  return E.right({ _tag: 'Inputs', inputs, bytes })
}

const inputLine = (input: Input): Either<string, Line> =>
  E.right({ _tag: 'Inputs', inputs: [input], bytes: 0 })

/** A line behind the head, or what is wrong with it. */
export const readLine = (line: string): Either<string, Line> => {
  const json = parsed(line)
  if (!Array.isArray(json)) return E.left('it is no line of a recording')
  const words: ReadonlyArray<unknown> = json
  const [tag, slot, generation, at, total] = words
  switch (tag) {
    case 'f': {
      if (!isCount(slot) || !isCount(generation) || !isCount(at)) break
      return readFrames(words, { slot, generation }, at)
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
      if (!Array.isArray(slot)) break
      return E.right({ _tag: 'Nodes', nodes: slot })
    case 'e':
      if (typeof slot !== 'string') break
      return E.right({ _tag: 'End', why: slot })
  }
  return E.left('it is no line of a recording')
}
