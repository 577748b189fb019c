// What the loop needs of a runtime: clocks, random numbers, memory, and to be called again.

import type { Gauge } from './memory.ts'

/** What the driver needs of a runtime. */
export interface Host extends Gauge {
  /** Monotonic milliseconds from any beginning; fractions are welcome. */
  now(): number
  /** Unix milliseconds. */
  wall(): number
  /** A fresh UUID in upper case. */
  nonce(): string
  /** 32 random bits, for the hash tables. */
  readonly seed: number
  /** Memory for outgoing bytes, zeroed or not. */
  allocate(bytes: number): Uint8Array
  /** Runs `turn` once, after everything that can be read now has been handed to the driver. */
  schedule(turn: () => void): void
  /** Runs `turn` after so many milliseconds, 0 to 2^31 - 1; replaces what was armed before. */
  arm(delayMs: number, turn: () => void): void
  /** Undoes `arm`. */
  disarm(): void
  /** The program itself is at fault and cannot go on. Ends the process, or throws. */
  fatal(error: unknown): void
}
