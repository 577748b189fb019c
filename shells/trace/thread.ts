// A writer of recordings that leaves the writing to another thread: the broker's own copies bytes
// to a page of shared memory, and waits only where the other one is a whole circle behind.

import type { Worker } from 'node:worker_threads'
import { E } from '../../core/prelude.ts'
import type { Veil } from '../../core/trace/veil.ts'
import type { NoTape, Tapes } from '../common/tape.ts'
import type { Writer, Writers } from '../common/writer.ts'
import { openThread } from '../thread/open.ts'
import { Board, counts, kinds, messageNumbers, newShared, pageCount, places } from './message.ts'
import type { Beginning } from './message.ts'

export interface ThreadOptions {
  /** Begins the thread. */
  readonly open?: () => Worker
  /** A disk that takes nothing for so long ends the recording, since the broker waits for it. */
  readonly patienceMs?: number
}

class ThreadWriter implements Writer {
  page: Uint8Array
  private readonly tapes: Tapes
  private readonly board: Board
  private readonly worker: Worker
  private sent = 0
  /** Which page went with which message of those that are under way; and those that are free. */
  private readonly used = new Int32Array(pageCount)
  private readonly free: Array<number>
  private freed = 0
  private current: number
  private notedBytes = 0
  /** How many pages had been sent when the file that is written was begun. */
  private begunAt = 0
  private death: string | null = null
  private readonly patienceMs: number

  constructor(veil: Veil, tapes: Tapes, { open, patienceMs }: ThreadOptions) {
    const shared = newShared()
    this.tapes = tapes
    this.patienceMs = patienceMs ?? 5_000
    this.board = new Board(shared)
    this.free = Array.from({ length: pageCount }, (_, at) => at)
    this.current = this.free.pop()!
    this.page = this.board.pages[this.current]!
    // Whatever else the program loads first is not for this thread: what helps with modules may
    // want to be answered by the broker's thread, which waits for the other one.
    this.worker = open === undefined ? openThread(import.meta.url, { execArgv: [] }) : open()
    // A recording keeps no process alive.
    this.worker.unref()
    this.worker.on('error', (error) => {
      this.death ??= `the thread that writes it has failed: ${error.message}`
    })
    // One that ends without an error as well: else nobody knew before all pages were full.
    this.worker.on('exit', () => this.death ??= 'the thread that writes it has ended')
    const beginning: Beginning = { shared, veil }
    this.worker.postMessage(beginning)
  }

  begin(path: string): NoTape | null {
    const tape = this.tapes.create(path)
    if (E.isLeft(tape)) return tape.left
    tape.right.close()
    const bytes = new TextEncoder().encode(path)
    this.page.set(bytes)
    this.send(kinds.begin, bytes.length)
    this.begunAt = this.sent
    return null
  }

  turn(end: number): Uint8Array {
    this.notedBytes += end
    this.send(kinds.notes, end)
    return this.page
  }

  settle(): void {
    while (this.death === null && this.done < this.sent) this.wait()
  }

  close(): void {
    this.send(kinds.close, 0)
  }

  end(): void {
    this.send(kinds.leave, 0)
    this.death ??= 'it has ended'
    void this.worker.terminate()
  }

  get fault(): string | null {
    return this.death ?? (this.done < this.begunAt ? null : this.board.fault)
  }

  get bytes(): number {
    return this.done < this.begunAt ? 0 : this.board.count(counts.file)
  }

  get waitingBytes(): number {
    return this.notedBytes - (this.done > 0 ? this.board.count(counts.taken) : 0)
  }

  get isIdle(): boolean {
    return this.done === this.sent && this.fault === null
  }

  private get done(): number {
    return Atomics.load(this.board.numbers, places.done)
  }

  private send(kind: number, length: number): void {
    if (this.death !== null) return
    const { board: { numbers, pages }, sent } = this
    const place = sent % pageCount
    const at = places.messages + messageNumbers * place
    numbers[at] = kind
    numbers[at + 1] = this.current
    numbers[at + 2] = length
    this.used[place] = this.current
    this.sent = sent + 1
    Atomics.store(numbers, places.sent, this.sent)
    // The thread looks by itself every few milliseconds, if it has not fallen asleep.
    if (Atomics.load(numbers, places.isAsleep) === 1) Atomics.notify(numbers, places.sent)
    // One page is always being written on, so that there is room for a message where one is free.
    while (this.death === null && this.sent - this.done >= pageCount - 1) this.wait()
    for (const { done } = this; this.freed < done; this.freed++) {
      this.free.push(this.used[this.freed % pageCount]!)
    }
    this.current = this.free.pop() ?? this.current
    this.page = pages[this.current]!
  }

  /** Until something is done. */
  private wait(): void {
    const { done, patienceMs } = this
    if (done === this.sent) return
    Atomics.notify(this.board.numbers, places.sent)
    const how = Atomics.wait(this.board.numbers, places.done, done, patienceMs)
    if (how === 'timed-out') this.death = `nothing could be written for ${patienceMs / 1000} s`
  }
}

/** As `writeInThread`, with another thread or another patience. */
export const writersInThread = (options: ThreadOptions): Writers => (veil, tapes) =>
  new ThreadWriter(veil, tapes, options)

export const writeInThread: Writers = writersInThread({})
