// Wrong passwords, by user and address: who says one again and again waits for each answer, so that
// nobody tries many. The right one is never kept waiting, since behind one address there may be
// many devices, one of which has an old password.

import { isLoopback } from '../../core/broker/address.ts'
import type { Question } from '../../core/broker/effect.ts'

/** When time has come, and what to do then; answers how to call that off. */
export type Later = (ms: number, act: () => void) => () => void

// The first wrong one costs nothing, the second half a second, each further one twice as much. The
// longest is shorter than `connect_timeout` is by default, and than clients wait for CONNACK.
const pauseMsMin = 500
const pauseMsMax = 8_000

/** So many wrong ones of one user and address may wait for their answers at once. */
const waitingMax = 3

const rememberedMs = 3_600_000
const rememberedMax = 10_000

interface Guesser {
  wrong: number
  waiting: number
  /** When the last wrong one came. */
  at: number
}

/** `now` and `later` count in milliseconds, from anywhere. */
export class Guesses {
  private readonly now: () => number
  private readonly later: Later
  /** Whose last guess is oldest comes first. */
  private readonly guessers = new Map<string, Guesser>()
  private readonly pauses = new Set<() => void>()

  constructor(now: () => number, later: Later) {
    this.now = now
    this.later = later
  }

  /** By what the guesses of this kind are counted; null for what this machine asks itself. */
  keyOf({ listener, userName, peer: { address } }: Question): string | null {
    return isLoopback(address) ? null : JSON.stringify([listener, address, userName])
  }

  /** Whether nothing more is tried for now: so many wrong ones wait for their answers. */
  isFull(key: string): boolean {
    return (this.guessers.get(key)?.waiting ?? 0) >= waitingMax
  }

  /** It was the right one. */
  forget(key: string): void {
    this.guessers.delete(key)
  }

  /** It was a wrong one: ends when that may be said. */
  async pause(key: string): Promise<void> {
    const now = this.now()
    const known = this.guessers.get(key)
    const isFresh = known === undefined || now - known.at >= rememberedMs
    const guesser = isFresh ? { wrong: 0, waiting: 0, at: now } : known
    guesser.wrong += 1
    guesser.at = now
    this.guessers.delete(key)
    this.guessers.set(key, guesser)
    const [oldest] = this.guessers.keys()
    if (oldest !== undefined && this.guessers.size > rememberedMax) this.guessers.delete(oldest)
    if (guesser.wrong === 1) return
    guesser.waiting += 1
    await this.sleep(Math.min(pauseMsMax, pauseMsMin * 2 ** (guesser.wrong - 2)))
    guesser.waiting -= 1
  }

  /** Whatever was wrong until now may be right from now on. */
  clear(): void {
    this.guessers.clear()
  }

  /** Nobody waits for an answer any more. */
  close(): void {
    for (const callOff of this.pauses) callOff()
    this.pauses.clear()
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const callOff = this.later(ms, () => {
        this.pauses.delete(callOff)
        resolve()
      })
      this.pauses.add(callOff)
    })
  }
}
