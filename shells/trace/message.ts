// What the broker and the thread that writes its recording say to each other: messages in a circle
// in shared memory, each of a kind, with a page and how long it is. The one counts the messages it
// has sent, the other those that it is done with, and whoever has nothing to do waits for the
// other's count. A page is free again with its message, and the last one that became free is used
// next: few pages in turn stay in the processor's cache, which what is recorded must not drive the
// broker out of.

import type { Veil } from '../../core/trace/veil.ts'

export const pageCount = 64
export const pageBytes = 64 * 1024

/** Notes; the path of a file that is there, to write to; the file ends; the thread ends. */
export const kinds = { notes: 0, begin: 1, close: 2, leave: 3 } as const

/** Places of 32-bit numbers. */
export const places = { sent: 0, done: 1, faultBytes: 2, isAsleep: 3, messages: 8 } as const

/** Places of 64-bit numbers, behind those above: bytes in the file, bytes of notes taken. */
export const counts = { file: 2, taken: 3 } as const

/** Kind, page, length. */
export const messageNumbers = 3

const faultBytesMax = 1024
const faultAt = (places.messages + messageNumbers * pageCount) * 4

/** The same memory on both sides. */
export interface Shared {
  readonly control: SharedArrayBuffer
  readonly pages: SharedArrayBuffer
}

/** What the thread is told at its beginning. */
export interface Beginning {
  readonly shared: Shared
  readonly veil: Veil
}

export const newShared = (): Shared => ({
  control: new SharedArrayBuffer(faultAt + faultBytesMax),
  pages: new SharedArrayBuffer(pageCount * pageBytes),
})

/** Shared memory as numbers and bytes. */
export class Board {
  readonly numbers: Int32Array
  readonly pages: ReadonlyArray<Uint8Array>
  private readonly counts: Float64Array
  private readonly faultBytes: Uint8Array

  constructor({ control, pages }: Shared) {
    this.numbers = new Int32Array(control, 0, faultAt / 4)
    this.counts = new Float64Array(control, 0, places.messages / 2)
    this.faultBytes = new Uint8Array(control, faultAt, faultBytesMax)
    this.pages = Array.from(
      { length: pageCount },
      (_, at) => new Uint8Array(pages, at * pageBytes, pageBytes),
    )
  }

  /** Good after a look at `done`, which is counted after these are set. */
  count(place: number): number {
    return this.counts[place]!
  }

  setCount(place: number, value: number): void {
    this.counts[place] = value
  }

  get fault(): string | null {
    const length = Atomics.load(this.numbers, places.faultBytes)
    return length === 0 ? null : new TextDecoder().decode(this.faultBytes.slice(0, length))
  }

  set fault(text: string | null) {
    const bytes = new TextEncoder().encode(text ?? '').subarray(0, faultBytesMax)
    this.faultBytes.set(bytes)
    Atomics.store(this.numbers, places.faultBytes, bytes.length)
  }
}
