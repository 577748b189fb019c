// A recording, line by line, fed to the broker again: what every run came to, and whether it is
// what it came to on the day. Nothing in a recording makes this throw; what the broker throws is
// what was to be found out, and comes back as a value.

import type { Config } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import { reconfigured } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { initial } from '../broker/state.ts'
import { run } from '../broker/step.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { doorOf } from './capture/listener.ts'
import { digestOf } from './digest.ts'
import type { Weigh } from './digest.ts'
import { GraphReader } from './graph.ts'
import type { Head } from './recording.ts'
import { isHead, LineReader, readHead } from './recording.ts'
import { showEffect } from './show.ts'
import type { NameOf } from './show.ts'
import { otherReadings } from './reused.ts'
import { hex32, sumOfText } from './sheet.ts'
import { weightOfAll, weightOfFill } from './veil.ts'

/** One run of the broker. */
export interface Batch {
  readonly inputs: ReadonlyArray<Input>
  readonly before: State
  readonly after: State
  readonly effects: ReadonlyArray<Effect>
}

export type Found =
  /** The head and its snapshot have been read. */
  | { readonly _tag: 'Began'; readonly head: Head; readonly state: State }
  /** `isSame`: the effects are the recorded ones; null where the recording does not say. */
  | { readonly _tag: 'Ran'; readonly batch: Batch; readonly isSame: boolean | null }
  /** The broker itself is at fault, or after a run that was not the same, what it was told. */
  | {
    readonly _tag: 'Threw'
    readonly inputs: ReadonlyArray<Input>
    readonly before: State
    readonly error: unknown
  }
  | { readonly _tag: 'Ended'; readonly why: string }
  /**
   * It cannot be read from this line on, which counts from 1. `why` is a sentence where that is the
   * first line, else what follows where the line was named.
   */
  | { readonly _tag: 'Broken'; readonly line: number; readonly why: string }

/** Where a recording cannot be read any further, and why, as a sentence. */
export const brokenText = (
  { line, why }: Omit<Extract<Found, { readonly _tag: 'Broken' }>, '_tag'>,
): string => {
  const clause = why.replace(/\.$/, '')
  return line > 1
    ? `The recording can be read up to line ${line - 1}; there ${clause}.`
    : `${clause.slice(0, 1).toUpperCase()}${clause.slice(1)}.`
}

type Ran = Extract<Found, { readonly _tag: 'Ran' }>

/** The step from a batch to the next state; a test may put another one in. */
export type Run = typeof run

// More than a driver gives to one run, so that a recording cannot make us hold all of itself.
const inputsMax = 100_000
const bytesMax = 1_500_000_000

const another = 'another recording begins, which is to be played by itself'

// Of what a recording without payloads leaves open there is seldom more than one in a run.
const readingsMax = 256

/** What payloads count as where there is this of them. */
const weighing: Readonly<Record<Head['payload'], Weigh | null>> = {
  full: weightOfAll,
  hash: weightOfFill,
  length: null,
}

/** A run that has been read: its inputs, and the digest of its effects where that is known. */
interface Told {
  readonly inputs: ReadonlyArray<Input>
  readonly digest: string | null
}

export class Replay {
  private readonly run: Run
  private readonly reader = new LineReader()
  private lines = 0
  private sum = 0
  private head: Head | null = null
  /** Null where there is no snapshot, or all of it has been read. */
  private graph: GraphReader | null = null
  private isWhole = false
  private state: State | null = null
  private inputs: Array<Input> = []
  private bytes = 0
  /** Runs that wait for the rest of the snapshot, which may stand behind them. */
  private readonly told: Array<Told> = []
  private weigh: Weigh | null = null
  private conns = new Map<number, Conn>()
  /** Found, and to be said before anything else; more than one only at the end. */
  private readonly found: Array<Found> = []
  private isOver = false
  /** Its last line has been read. */
  private hasEnded = false

  constructor(broker: Run = run) {
    this.run = broker
  }

  /**
   * Takes the next line, without its end; null where it leads to nothing yet. What is found may be
   * what lines before it have led to.
   */
  line(text: string): Found | null {
    if (!this.isOver) this.take(text)
    else if (this.hasEnded && text !== '') this.goesOn(text)
    return this.next()
  }

  /**
   * There are no more lines. Inputs behind the last mark are run all the same: it may be they that
   * ended the broker.
   */
  finish(): ReadonlyArray<Found> {
    if (!this.isOver) {
      this.runs(null)
      this.broken(this.missing(), this.lines + 1)
    }
    const all: Array<Found> = []
    for (let one = this.next(); one !== null; one = this.next()) all.push(one)
    return all
  }

  private unplayable(why: string): void {
    this.broken(
      this.graph === null
        ? 'it ends before the broker is known'
        : `${this.missing()} (${why.replace(/[^ -~]/g, '?')})`,
    )
  }

  private missing(): string {
    if (this.lines === 0) return 'The recording is empty.'
    if (this.graph === null) return 'it ends without a last line'
    return `it ends before ${this.unknown()}`
  }

  private unknown(): string {
    const { told: { length } } = this
    return 'the snapshot is whole: how the broker was when the recording began is not known, and ' +
      `so the ${length} run${length === 1 ? '' : 's'} that it has cannot be played`
  }

  /** Broken by this line. */
  private damaged(why: string): void {
    this.broken(this.graph === null ? why : `${why}, before ${this.unknown()}`)
  }

  /** Of recordings that were put together only the first is played, and that is said once. */
  private goesOn(text: string): void {
    this.lines += 1
    this.hasEnded = false
    this.broken(isHead(text) ? another : 'it goes on behind its last line')
  }

  private next(): Found | null {
    const { state } = this
    // The end of the recording comes behind its runs.
    const isBegin = this.found[0]?._tag === 'Began'
    if (!isBegin && state !== null) {
      const told = this.told.shift()
      if (told !== undefined) return this.perform(state, told)
    }
    return this.found.shift() ?? null
  }

  private take(text: string): void {
    this.lines += 1
    if (this.head === null) return this.begin(text)
    const read = this.reader.read(text)
    if (E.isLeft(read)) {
      this.runs(null)
      return this.damaged(isHead(text) ? another : read.left)
    }
    const line = read.right
    if (line._tag === 'Mark') {
      const sum = sumOfText(this.sum, text.slice(0, text.lastIndexOf(',')))
      if (line.sum !== hex32(sum)) {
        return this.damaged('it is seen that this line or one before it was changed')
      }
      this.sum = 0
      if (line.inputCount > this.inputs.length) return this.broken('inputs are missing')
      this.runs(line.digest, line.inputCount)
      if (this.state === null && this.isWhole) this.restore(this.head)
      return
    }
    this.sum = sumOfText(this.sum, text)
    switch (line._tag) {
      case 'Nodes':
        return this.gather(line.nodes, line.isLast)
      case 'Input':
        this.bytes += line.bytes
        if (this.inputs.length === inputsMax || this.bytes > bytesMax) {
          return this.broken('are too many inputs for one run')
        }
        this.inputs.push(this.known(line.input))
        return
      case 'End':
        if (this.state === null) return this.unplayable(line.why)
        if (this.inputs.length > 0) return this.broken('inputs before the end belong to no run')
        this.isOver = true
        this.hasEnded = true
        this.found.push({ _tag: 'Ended', why: line.why })
    }
  }

  private begin(text: string): void {
    const head = readHead(text)
    if (E.isLeft(head)) return this.broken(head.left)
    this.sum = sumOfText(0, text)
    this.head = head.right
    if (head.right.hasSnapshot) this.graph = new GraphReader()
    else this.isWhole = true
  }

  private gather(nodes: ReadonlyArray<unknown>, isLast: boolean): void {
    if (this.graph === null || this.isWhole) return this.broken('is a stray snapshot')
    for (const node of nodes) {
      const wrong = this.graph.add(node)
      if (wrong !== null) return this.damaged(wrong)
    }
    this.isWhole = isLast
  }

  private restore(head: Head): void {
    const fresh = initial(head.config, head.origin)
    const state = this.graph === null ? E.right(fresh) : stateOf(this.graph, fresh, head)
    this.graph = null
    if (E.isLeft(state)) return this.broken(state.left)
    this.state = state.right
    this.weigh = weighing[head.payload]
    this.found.push({ _tag: 'Began', head, state: state.right })
  }

  /** The first inputs that no run has taken are those of a run; of none there was no run. */
  private runs(digest: string | null, count = this.inputs.length): void {
    const { inputs } = this
    if (count === 0) return
    this.inputs = inputs.slice(count)
    if (this.inputs.length === 0) this.bytes = 0
    this.told.push({ inputs: inputs.slice(0, count), digest })
  }

  private perform(before: State, told: Told): Found {
    const { inputs } = told
    try {
      const plain = this.ran(before, inputs, told.digest)
      const found = plain.isSame === false ? this.reread(before, told) ?? plain : plain
      this.state = found.batch.after
      return found
    } catch (error) {
      this.isOver = true
      this.told.length = 0
      this.found.length = 0
      return { _tag: 'Threw', inputs, before, error }
    }
  }

  private ran(before: State, inputs: ReadonlyArray<Input>, digest: string | null): Ran {
    const [after, effects] = this.run(before, inputs)
    const isSame = digest === null ? null : digest === hex32(digestOf(effects, this.weigh))
    return { _tag: 'Ran', batch: { inputs, before, after, effects }, isSame }
  }

  /** The reading of its inputs that comes to what was recorded, where payloads left one open. */
  private reread(before: State, { inputs, digest }: Told): Ran | null {
    if (this.head?.payload === 'full') return null
    let tries = 0
    for (const reading of otherReadings(before, inputs)) {
      const found = this.ran(before, reading, digest)
      if (found.isSame === true) return found
      if (++tries === readingsMax) break
    }
    return null
  }

  /** One object for each connection, as a shell has it. */
  private known(input: Input): Input {
    if (!('conn' in input)) return input
    const { slot, generation } = input.conn
    let conn = this.conns.get(slot)
    if (conn === undefined || conn.generation !== generation) {
      conn = input.conn
      this.conns.set(slot, conn)
    }
    return conn === input.conn ? input : { ...input, conn }
  }

  private broken(why: string, line = this.lines): void {
    this.isOver = true
    this.found.push({ _tag: 'Broken', line, why })
  }
}

/** What a state consists of, and what its record of filters does. */
const partsOf = (state: object): ReadonlyArray<string> => [
  ...Object.keys(state),
  ...('filters' in state ? Object.keys(Object(state.filters)) : []).map((key) => `filters.${key}`),
]

const stateOf = (graph: GraphReader, fresh: State, { version }: Head): Either<string, State> => {
  const read = graph.finish()
  if (E.isLeft(read)) return read
  const state = read.right
  const mine = partsOf(fresh)
  const other = partsOf(state)
  const odd = [
    ...mine.filter((key) => !other.includes(key)),
    ...other.filter((key) => !mine.includes(key)),
  ]
  return odd.length === 0 ? E.right(state as State) : E.left(
    `the snapshot is of version ${version}, whose state differs from mine in ${odd.join(', ')}: ` +
      'replay it with that version',
  )
}

/**
 * The listener of another configuration that a connection of the day comes in through: its own, or
 * where there is none of that name the one on its port, or the first.
 */
export const listenerUnder = (config: Config, listener: string): string =>
  config.listeners.some(([name]) => name === listener)
    ? listener
    : doorOf(config, Number.parseInt(listener, 10)).listener

/**
 * What the broker under another configuration is told of the day: its reloads with that one, so
 * that they do what a reload does and yet bring nothing of the day's own back, and connections
 * through a listener that it has.
 */
export const toldUnder = (
  inputs: ReadonlyArray<Input>,
  config: Config,
): ReadonlyArray<Input> =>
  inputs.map((one) => {
    if (one._tag === 'Reconfigured') return reconfigured(one.at, config)
    if (one._tag !== 'Opened' || config.listeners.length === 0) return one
    const listener = listenerUnder(config, one.listener)
    return listener === one.listener ? one : { ...one, listener }
  })

type Seen = Extract<Effect, { readonly _tag: 'Send' | 'Close' }>

/** What the clients of a run see: packets one by one for every receiver, and ends. */
export const seenOf = (effects: ReadonlyArray<Effect>): ReadonlyArray<Seen> =>
  effects.flatMap((effect): ReadonlyArray<Seen> => {
    if (effect._tag === 'Send') return [{ ...effect, when: 'now' }]
    if (effect._tag === 'Close') return [effect]
    if (effect._tag !== 'Multicast') return []
    const { conns, level, packet } = effect
    return conns.map((conn) => ({ _tag: 'Send', conn, level, packet, when: 'now' }))
  })

/** The same as text. */
export const seenByClients = (
  effects: ReadonlyArray<Effect>,
  nameOf: NameOf,
): ReadonlyArray<string> => seenOf(effects).map((effect) => showEffect(effect, nameOf))

/** Lines that only one side has: `-` of the first, `+` of the second, each in its order. */
export const differenceOf = (
  one: ReadonlyArray<string>,
  other: ReadonlyArray<string>,
): ReadonlyArray<string> => {
  const left = new Map<string, number>()
  for (const line of one) left.set(line, (left.get(line) ?? 0) + 1)
  const more: Array<string> = []
  for (const line of other) {
    const count = left.get(line) ?? 0
    if (count === 0) more.push(`+ ${line}`)
    else left.set(line, count - 1)
  }
  const less: Array<string> = []
  for (const line of one) {
    const count = left.get(line) ?? 0
    if (count === 0) continue
    less.push(`- ${line}`)
    left.set(line, count - 1)
  }
  return [...less, ...more]
}
