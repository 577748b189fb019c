// Runs the broker over what it is told, a batch at a time, and hands on what it wants done. All
// that it is told goes through here, so here it is recorded and logged.

import type { Effect } from '../../core/broker/effect.ts'
import type { Arrived, Input, Millis } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import type { Reader } from '../../core/codec/mod.ts'
import type * as core from '../../core/mod.ts'
import { never } from './link.ts'
import type { Log } from './log.ts'
import type { Recorder } from './recorder.ts'

/** The three functions that are the broker; a test may put another one in. */
export interface Broker {
  readonly initial: typeof core.initial
  readonly runSome: typeof core.runSome
  readonly deadline: typeof core.deadline
}

export interface BatchesOptions {
  readonly broker: Broker
  readonly state: State
  readonly log: Log
  /** A clock in milliseconds. */
  readonly now: () => number
  readonly carryOut: (effect: Effect) => void
}

// A batch is long enough to spread the cost of one run over many packets and short enough to look
// at the clock in between: its size follows the time that the batches take, since a packet may be
// an acknowledgement or go to a thousand receivers.
const batchInputsMax = 512
const batchMsMin = 0.75
const batchMsMax = 1.5
// No collection of garbage makes a batch so long, so its inputs are dear.
const batchMsDear = 24

// How many places in the tree of filters the searches of one batch may come to: however dear it is
// to look for the subscribers of a message, nobody learns that from a whole batch of them. With the
// filters that there mostly are this allows full ones.
const batchVisitsMax = 200_000

// What a run makes is in memory all at once.
const runEffectsMax = 16_384

export class Batches {
  state: State
  inputCount = 0
  effectCount = 0
  private readonly broker: Broker
  private readonly log: Log
  private readonly now: () => number
  private readonly carryOut: (effect: Effect) => void
  private recorder: Recorder | null = null
  private inputs: Array<Input> = []
  /** How many inputs make a full batch at the moment, by the time that they take. */
  private batchInputs = 64
  /** And by what they may have to search. */
  private searchesMax: number

  constructor({ broker, state, log, now, carryOut }: BatchesOptions) {
    this.broker = broker
    this.state = state
    this.log = log
    this.now = now
    this.carryOut = carryOut
    this.searchesMax = searchesMaxOf(state)
  }

  /** Whether it is time to run. */
  get isFull(): boolean {
    const { length } = this.inputs
    return length >= this.batchInputs || length >= this.searchesMax
  }

  /** When the broker wants to be told the time. */
  get deadline(): Millis {
    return this.broker.deadline(this.state)
  }

  push(input: Input): void {
    this.inputs.push(input)
    if (this.recorder !== null) this.recorder.input(input, null)
    if (this.log.verbose) this.runAtOnce(input)
  }

  /** The same of a packet, whose frame `reader` has; neither CONNECT nor AUTH. */
  arrived(input: Arrived, reader: Reader): void {
    this.inputs.push(input)
    if (this.recorder !== null) this.recorder.arrived(input, reader)
    if (this.log.verbose) this.runAtOnce(input)
  }

  /** A batch of one keeps answers next to what they answer. */
  private runAtOnce(input: Input): void {
    this.log.input(input)
    this.run()
  }

  /** Runs the broker over what it has been told since, and has its effects carried out. */
  run(): void {
    let { inputs } = this
    if (inputs.length === 0) return
    this.inputs = []
    this.inputCount += inputs.length
    const isFull = inputs.length >= this.batchInputs
    const before = isFull ? this.now() : 0
    for (;;) {
      const [state, effects, taken] = this.broker.runSome(this.state, inputs, runEffectsMax)
      this.state = state
      const isLast = taken === inputs.length
      if (this.recorder !== null) this.recorder.ran(state, taken, effects, isLast)
      this.effectCount += effects.length
      for (let i = 0; i < effects.length; i++) {
        const effect = effects[i]!
        if (this.log.verbose) this.log.effect(effect)
        this.carryOut(effect)
      }
      if (isLast) break
      inputs = inputs.slice(taken)
    }
    if (isFull) this.adapt(this.now() - before)
    this.searchesMax = searchesMaxOf(this.state)
  }

  /** Sets the size of the next batches by the time that a full one took. */
  private adapt(tookMs: number): void {
    const { batchInputs } = this
    if (tookMs < batchMsMin) this.batchInputs = Math.min(batchInputsMax, batchInputs * 2)
    else if (tookMs > batchMsDear) {
      this.batchInputs = Math.max(1, Math.floor(batchInputs * batchMsMax / tookMs))
    } else if (tookMs > batchMsMax) this.batchInputs = Math.ceil(batchInputs / 2)
  }

  /** Ends what is being recorded, for `why`, and begins another one, if any. */
  record(recorder: Recorder | null, why: string, at: Millis): void {
    this.recorder?.stop(why)
    this.recorder = recorder
    recorder?.begin(this.state, at)
  }

  /** Nothing more is recorded; what was told is, without a last line. */
  save(at: Millis): void {
    this.recorder?.save(at)
    this.recorder = null
  }

  /** When what is recorded must be looked after. */
  get recorderDue(): Millis {
    return this.recorder === null ? never : this.recorder.due()
  }

  attend(at: Millis): void {
    const { recorder } = this
    if (recorder === null) return
    if (recorder.isOver) this.recorder = null
    else if (recorder.due() <= at) recorder.look(at)
  }
}

const searchesMaxOf = ({ filters }: State): number =>
  Math.max(1, Math.floor(batchVisitsMax / Math.max(1, filters.ways.levels)))
