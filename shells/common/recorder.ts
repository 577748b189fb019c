// Records what the broker is told: notes inputs as they are pushed, marks runs, and has lines made
// of that before they grow old. With a size it is a ring of files, each with the state at its head.
// A disk that takes nothing more ends the recording with a line in the log, never the broker.

import type { Effect } from '../../core/broker/effect.ts'
import type { Arrived, Input, Millis } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import type { Reader } from '../../core/codec/mod.ts'
import { E } from '../../core/prelude.ts'
import { Notes } from '../../core/trace/notes.ts'
import { goesOn } from '../../core/trace/recording.ts'
import type { Veil } from '../../core/trace/veil.ts'
import { noTapeText } from './tape.ts'
import type { NoTape, Tapes } from './tape.ts'
import { version } from './version.ts'
import { writeHere } from './writer.ts'
import type { Writer, Writers } from './writer.ts'

/** What is recorded, and where. */
export interface RecordingOptions {
  readonly tapes: Tapes
  readonly path: string
  /** All files of the recording together, about; null for one file without a limit. */
  readonly bytesMax: number | null
  readonly payload: Veil['payload']
  /** Who writes the lines. Default: the broker's own thread. */
  readonly writers?: Writers
}

/**
 * The same as a program writes it: but for the path there is a default. Of payloads marks are
 * recorded by which equal ones are known (`hash`), into one file without a limit. The files are the
 * runtime's own, written by a thread of its own; other tapes are written by the broker's. A path
 * that ends in `.gz` is gzipped.
 */
export type Recording = Pick<RecordingOptions, 'path'> & Partial<RecordingOptions>

/** What has come of a recording. */
export interface Recorded {
  readonly path: string
  readonly payload: Veil['payload']
  /** That were written so far, in all of its files. */
  readonly bytes: number
  readonly isOver: boolean
}

/** Files of a ring: PATH, and older ones as PATH.1 to PATH.3. */
const segments = 4

/** So many bytes of notes are handed over without waiting for more. */
const flushBytesMin = 32 * 1024
const flushMs = 1000
const never = Number.MAX_SAFE_INTEGER

/** How long the broker waits in one turn for its own snapshot. */
const snapshotMsMax = 2
/** The same where so much is recorded meanwhile that a file would become too long. */
const lateMsMax = 20

/** No line is longer than so many times its notes: the two bytes of PINGREQ are a line of seven. */
const lineBytesPerNote = 4

const usualRemedy = ' Make its folder, let the user that runs the broker write there, or name ' +
  'another file in trace_file.'

/** Two secret numbers from a random UUID. */
const keyOf = (nonce: string): Veil['key'] => {
  const digits = nonce.replace(/[^0-9A-Fa-f]/g, '').padEnd(32, '0')
  return [parseInt(digits.slice(0, 8), 16) | 0, parseInt(digits.slice(-8), 16) | 0]
}

/** What a recorder needs of its host: two clocks in milliseconds, a fresh UUID. */
export interface RecorderHost {
  now(): number
  /** Unix milliseconds. */
  wall(): number
  nonce(): string
}

/** One recording: `begin` it, tell it of inputs and runs, `stop` it. */
export class Recorder {
  private readonly options: RecordingOptions
  private readonly host: RecorderHost
  private readonly writer: Writer
  private readonly notes: Notes
  private readonly warn: (text: string) => void
  private isOpen = false
  /** In files of before this one. */
  private bytesBefore = 0
  private flushedAt = 0
  /** Whether something went to the file since its length was looked at. */
  private mayBeLong = false
  /** Whether the snapshot was found to be small enough. */
  private isFitting = false

  /** `warn` takes a sentence for the log. */
  constructor(options: RecordingOptions, host: RecorderHost, warn: (text: string) => void) {
    const veil: Veil = { payload: options.payload, key: keyOf(host.nonce()) }
    const writer = (options.writers ?? writeHere)(veil, options.tapes)
    this.options = options
    this.host = host
    this.warn = warn
    this.writer = writer
    this.notes = new Notes(veil, (end) => writer.turn(end))
  }

  /** Whether it has come to an end. */
  get isOver(): boolean {
    return !this.isOpen
  }

  /** What has come of it so far. */
  recorded(): Recorded {
    const { path, payload } = this.options
    const bytes = this.bytesBefore + this.writer.bytes
    return { path, payload, bytes, isOver: this.isOver }
  }

  /**
   * Begins with this state, at a time of the broker's clock; what was recorded under the name
   * before is kept as an older file.
   */
  begin(state: State, at: Millis = state.now): void {
    const { tapes, path, bytesMax } = this.options
    const held = tapes.holds(path)
    if (E.isLeft(held)) return this.refuse(held.left)
    const other = held.right || bytesMax !== null ? this.inTheWay() : null
    if (other !== null) return this.refuse(other)
    // Where nothing needs their place, as after a disk that was full, older ones stay.
    this.open(state, held.right, at)
  }

  /** What has a name that older files will get, and may not be written over; null where nothing. */
  private inTheWay(): NoTape | null {
    const { tapes, path } = this.options
    for (let i = 1; i < segments; i++) {
      const name = `${path}.${i}`
      const held = tapes.holds(name)
      if (E.isRight(held)) continue
      const why = `an older recording would get the name ${name}, and ${held.left.why}`
      return { why, remedy: 'move that away, or name another file' }
    }
    return null
  }

  private open(state: State, isHeld: boolean, at: Millis): void {
    const { tapes, path } = this.options
    for (let i = isHeld ? segments - 1 : 0; i > 0; i--) {
      tapes.rename(i === 1 ? path : `${path}.${i - 1}`, `${path}.${i}`)
    }
    this.bytesBefore += this.writer.bytes
    const fault = this.writer.begin(path)
    if (fault !== null) return this.refuse(fault)
    this.isOpen = true
    this.isFitting = false
    this.flushedAt = state.now
    this.notes.begin(state, version, this.writer.page, { at, wall: this.host.wall() })
    this.look(state.now)
    this.flush(state.now)
  }

  private refuse(fault: NoTape): void {
    this.writer.end()
    this.warn(
      `Nothing is recorded: ${this.options.path} cannot be written: ${noTapeText(fault)}.` +
        (fault.remedy === null ? usualRemedy : ''),
    )
  }

  /** A packet that the next run takes, neither CONNECT nor AUTH; `reader` has its frame. */
  arrived(input: Arrived, reader: Reader): void {
    // What has ended has nothing that could go on.
    if (!this.notes.goesOn(input, reader.frameBuffer, reader.frameStart, reader.frameEnd)) {
      this.input(input, reader)
    }
  }

  /** An input that the next run takes; `reader` has the frame that it was decoded from. */
  input(input: Input, reader: Reader | null): void {
    if (!this.isOpen) return
    const { notes } = this
    try {
      if (reader === null) return notes.input(input)
      notes.input(input, reader.level, reader.frameBuffer, reader.frameStart, reader.frameEnd)
    } catch (error) {
      // A fault of ours, and none that anybody else should suffer from. What came before is good.
      notes.turn()
      this.writer.settle()
      this.end()
      this.warn(`The recording ends, the broker goes on: an input cannot be written: ${error}.`)
    }
  }

  /** A run is over, and the broker is as it says. `isLast`: it took all that was noted. */
  ran(state: State, inputCount: number, effects: ReadonlyArray<Effect>, isLast = true): void {
    if (!this.isOpen) return
    const { notes, options } = this
    notes.mark(inputCount, effects)
    if (notes.written >= flushBytesMin) this.flush(state.now)
    // What little comes in a second is flushed by the clock, and grows as well.
    if (!this.mayBeLong || !isLast) return
    if (options.bytesMax === null || !this.isOpen || notes.isBehind) return
    this.mayBeLong = false
    if (!this.isLonger(options.bytesMax / segments)) return
    if (this.finish(goesOn)) this.open(state, true, state.now)
  }

  private isLonger(bytes: number): boolean {
    const { writer } = this
    if (writer.bytes + writer.waitingBytes * lineBytesPerNote < bytes) return false
    writer.settle()
    return writer.bytes >= bytes
  }

  /** Whether half of a file is full before the snapshot is whole. */
  private isLate(): boolean {
    const { options: { bytesMax }, writer } = this
    return bytesMax !== null && writer.bytes + writer.waitingBytes > bytesMax / segments / 2
  }

  /** When `look` should be called at the latest. */
  due(): number {
    if (!this.isOpen) return never
    if (this.notes.isBehind) return 0
    return this.writer.isIdle && this.notes.written === 0 ? never : this.flushedAt + flushMs
  }

  /** Does what is due: a part of the snapshot, and what is on the page when it has become old. */
  look(at: number): void {
    if (!this.isOpen) return
    const { notes, writer } = this
    if (notes.isBehind) {
      const until = this.host.now() + (this.isLate() ? lateMsMax : snapshotMsMax)
      do notes.more()
      while (notes.isBehind && this.host.now() < until)
      // No run need follow, and without a mark nothing is known to be there.
      if (!notes.isBehind) notes.mark(0, [])
    }
    if (!this.isFitting) this.fit()
    if (at >= this.flushedAt + flushMs) this.flush(at)
    if (writer.fault !== null) this.fail(writer.fault)
  }

  /** Ends a recording that would be of nothing but snapshots. */
  private fit(): void {
    const { options: { bytesMax }, notes: { beginningBytes, isBehind } } = this
    this.isFitting = !isBehind
    if (bytesMax === null || beginningBytes <= bytesMax / segments / 2) return
    this.isFitting = true
    // No more of the snapshot is written: all of it may be far more than what was allowed.
    if (this.finish('trace_size is too small', isBehind)) this.writer.end()
    this.warn(
      `The recording ends: trace_size ${bytesMax} is too small for a broker that takes ` +
        `${isBehind ? 'more than ' : ''}${beginningBytes} bytes to write down. Give it ` +
        `${beginningBytes * segments * 4}${isBehind ? ' at least' : ''}.`,
    )
  }

  /** Hands over what is on the page, whether or not a mark follows it. */
  flush(at: number): void {
    if (!this.isOpen) return
    this.flushedAt = at
    this.mayBeLong = true
    this.notes.turn()
    const { fault } = this.writer
    if (fault !== null) this.fail(fault)
  }

  /** The broker is about to end: what it was told must be in the file. */
  save(at: number): void {
    this.flush(at)
    this.writer.settle()
    this.end()
  }

  /** Ends the recording with a last line that says why. */
  stop(why: string): void {
    if (this.isOpen && this.finish(why)) this.writer.end()
  }

  /** Ends the file; whether all of it is there. */
  private finish(why: string, isCut = false): boolean {
    if (isCut) this.notes.breakOff(why)
    else this.notes.finish(why)
    this.notes.turn()
    this.writer.settle()
    const { fault } = this.writer
    if (fault === null) {
      this.isOpen = false
      this.writer.close()
    } else this.fail(fault)
    return fault === null
  }

  private fail(fault: string): void {
    if (!this.isOpen) return
    this.end()
    this.warn(`The recording ${this.options.path} ends, the broker goes on: ${fault}.`)
  }

  private end(): void {
    this.isOpen = false
    this.notes.leave()
    this.writer.close()
    this.writer.end()
  }
}
