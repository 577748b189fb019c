// Records what the broker is told: takes inputs as they are pushed, marks runs, and brings lines to
// a file before they grow old. With a size it is a ring of files, each with the state at its head.
// A disk that takes nothing more ends the recording with a line in the log, never the broker.

import type { Effect } from '../../core/broker/effect.ts'
import type { Input } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import type { Reader } from '../../core/codec/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { Scribe } from '../../core/trace/scribe.ts'
import type { Veil } from '../../core/trace/veil.ts'
import { version } from './version.ts'

/** A file that is written from its beginning to its end; throws nothing. */
export interface Tape {
  /** Null where all was taken, else why not. */
  write(bytes: Uint8Array): string | null
  close(): void
}

/** What a recorder needs of files; throws nothing. */
export interface Tapes {
  /** A new, empty file that only its owner may read; Left: why not. */
  create(path: string): Either<string, Tape>
  /** Gives a file, if it is there, another name, in the place of one that has it. */
  rename(from: string, to: string): void
}

export interface RecordingOptions {
  readonly tapes: Tapes
  readonly path: string
  /** All files of the recording together, about; null for one file without a limit. */
  readonly bytesMax: number | null
  readonly payload: Veil['payload']
}

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

const flushBytesMin = 64 * 1024
const flushMs = 1000
const never = Number.MAX_SAFE_INTEGER

/** Two secret numbers from a random UUID. */
const keyOf = (nonce: string): Veil['key'] => {
  const digits = nonce.replace(/[^0-9A-Fa-f]/g, '').padEnd(32, '0')
  return [parseInt(digits.slice(0, 8), 16) | 0, parseInt(digits.slice(-8), 16) | 0]
}

export class Recorder {
  private readonly options: RecordingOptions
  private readonly scribe: Scribe
  private readonly warn: (text: string) => void
  private tape: Tape | null = null
  private bytes = 0
  /** In all files since `begin`. */
  private writtenBytes = 0
  private flushedAt = 0

  /** `nonce` is a fresh UUID; `warn` takes a sentence for the log. */
  constructor(options: RecordingOptions, nonce: string, warn: (text: string) => void) {
    this.options = options
    this.warn = warn
    this.scribe = new Scribe({ payload: options.payload, key: keyOf(nonce) })
  }

  /** Whether it has come to an end. */
  get isOver(): boolean {
    return this.tape === null
  }

  /** What has come of it so far. */
  recorded(): Recorded {
    const { path, payload } = this.options
    return { path, payload, bytes: this.writtenBytes, isOver: this.isOver }
  }

  /** Begins with this state; what was recorded under the name before is kept as an older file. */
  begin(state: State): void {
    const { tapes, path } = this.options
    for (let i = segments - 1; i > 0; i--) {
      tapes.rename(i === 1 ? path : `${path}.${i - 1}`, `${path}.${i}`)
    }
    const tape = tapes.create(path)
    if (E.isLeft(tape)) {
      return this.warn(
        `Nothing is recorded: ${path} cannot be written: ${tape.left}. Make its folder, let the ` +
          'user that runs the broker write there, or name another file in trace_file.',
      )
    }
    this.tape = tape.right
    this.bytes = 0
    this.flushedAt = state.now
    this.scribe.begin(state, version)
    this.flush(state.now)
    const { bytesMax } = this.options
    if (bytesMax === null || this.bytes <= bytesMax / segments / 2) return
    this.stop('trace_size is too small')
    this.warn(
      `The recording ends: trace_size ${bytesMax} is too small for a broker that takes ` +
        `${this.bytes} bytes to write down. Give it ${this.bytes * segments * 4}.`,
    )
  }

  /** An input that the next run takes; `reader` has the frame that it was decoded from. */
  input(input: Input, reader: Reader | null): void {
    if (this.tape === null) return
    const { scribe } = this
    try {
      if (reader === null) return scribe.input(input)
      scribe.input(input, reader.level, reader.frameBuffer, reader.frameStart, reader.frameEnd)
    } catch (error) {
      // A fault of ours, and none that anybody else should suffer from.
      this.tape.close()
      this.tape = null
      this.warn(`The recording ends, the broker goes on: an input cannot be written: ${error}.`)
    }
  }

  /** The run is over, and the broker is as it says. */
  ran(state: State, inputCount: number, effects: ReadonlyArray<Effect>): void {
    if (this.tape === null) return
    const { scribe, options } = this
    scribe.mark(inputCount, effects)
    if (scribe.sheet.end < flushBytesMin) return
    this.flush(state.now)
    if (options.bytesMax === null || this.bytes < options.bytesMax / segments) return
    this.stop('it goes on in a newer file')
    this.begin(state)
  }

  /** When `flush` should be called at the latest. */
  due(): number {
    return this.tape === null || this.scribe.sheet.end === 0 ? never : this.flushedAt + flushMs
  }

  /** Brings all lines to the file, whether or not a mark follows them. */
  flush(at: number): void {
    const { tape } = this
    const { sheet } = this.scribe
    this.flushedAt = at
    this.scribe.close()
    if (tape === null || sheet.end === 0) return
    const failed = tape.write(sheet.buffer.subarray(0, sheet.end))
    this.bytes += sheet.end
    if (failed === null) this.writtenBytes += sheet.end
    sheet.clear()
    if (failed === null) return
    tape.close()
    this.tape = null
    this.warn(`The recording ${this.options.path} ends, the broker goes on: ${failed}.`)
  }

  /** Ends the recording with a last line that says why. */
  stop(why: string): void {
    if (this.tape === null) return
    this.scribe.end(why)
    this.flush(this.flushedAt)
    this.tape?.close()
    this.tape = null
  }
}
