// Who makes lines of notes and brings them to a file. Here it is done at once, in the thread of the
// broker; ../trace has one that leaves it to another.

import { E } from '../../core/prelude.ts'
import { Scribe } from '../../core/trace/scribe.ts'
import type { Veil } from '../../core/trace/veil.ts'
import { messageOf } from './message.ts'
import type { NoTape, Tape, Tapes } from './tape.ts'

/** Takes pages of notes; throws nothing. */
export interface Writer {
  /** An empty page. */
  readonly page: Uint8Array
  /** Begins a new file, which the pages that follow go to; null, or why it cannot be written. */
  begin(path: string): NoTape | null
  /** Takes the page with so many bytes on it, and gives the next one. May wait for room. */
  turn(end: number): Uint8Array
  /** Waits until all that was taken is in the file, or it is known why it is not. */
  settle(): void
  /** Lets the file go. */
  close(): void
  /** Writes nothing ever again. */
  end(): void
  /** Why nothing is written any more, null as long as it is. */
  readonly fault: string | null
  /** In the file, as far as is known. */
  readonly bytes: number
  /** Of notes that were taken, and are not in the file as far as is known. */
  readonly waitingBytes: number
  /** Whether everything that was taken is in the file, and its fate is known. */
  readonly isIdle: boolean
}

export type Writers = (veil: Veil, tapes: Tapes) => Writer

const pageBytes = 64 * 1024

/** A scribe with a file: what a page says, and what became of it. */
export class Desk {
  fault: string | null = null
  bytes = 0
  private scribe: Scribe
  private tape: Tape | null = null
  private readonly veil: Veil

  constructor(veil: Veil) {
    this.veil = veil
    this.scribe = new Scribe(veil)
  }

  begin(tape: Tape): void {
    this.close()
    this.scribe = new Scribe(this.veil)
    this.tape = tape
    this.bytes = 0
    this.fault = null
  }

  /** There is no file, and why. */
  fail(why: string): void {
    this.close()
    this.bytes = 0
    this.fault = why
  }

  /** How many bytes of lines `flush` would write. */
  get waitingBytes(): number {
    return this.scribe.sheet.whole
  }

  take(page: Uint8Array, end: number): void {
    if (this.tape === null) return
    try {
      this.scribe.take(page, end)
    } catch (error) {
      // A fault of ours, which ends the recording and nothing else: what was good is kept.
      this.flush()
      this.fault ??= `its notes cannot be read: ${messageOf(error)}`
      this.close()
    }
  }

  /** Brings to the file what was taken. */
  flush(): void {
    const { sheet } = this.scribe
    const { buffer, whole } = sheet
    sheet.clear()
    if (this.tape === null || whole === 0) return
    this.fault = this.tape.write(buffer.subarray(0, whole))
    if (this.fault === null) this.bytes += whole
    else this.close()
  }

  close(): void {
    this.tape?.close()
    this.tape = null
  }
}

/** Writes in the thread of who takes the notes. */
export const writeHere: Writers = (veil, tapes) => {
  const page = new Uint8Array(pageBytes)
  const desk = new Desk(veil)
  return {
    page,
    begin: (path) => {
      desk.close()
      const tape = tapes.create(path)
      if (E.isLeft(tape)) return tape.left
      desk.begin(tape.right)
      return null
    },
    turn: (end) => {
      desk.take(page, end)
      desk.flush()
      return page
    },
    settle: () => {},
    close: () => desk.close(),
    end: () => desk.close(),
    get fault() {
      return desk.fault
    },
    get bytes() {
      return desk.bytes
    },
    waitingBytes: 0,
    isIdle: true,
  }
}
