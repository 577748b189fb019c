// The time of a capture, which goes on where a clock that gave its packets their times was set
// meanwhile, or that of another interface differs.

import type { Captured } from './file.ts'

// A clock that goes on by more than this in a capture was set, and so was one that goes back by
// more than any two packets are apart that stand the other way round.
const forwardMsMax = 366 * 24 * 3_600_000
const backwardMsMax = 60_000

/** The clock of one interface. */
interface Source {
  /** By how much it was set meanwhile. */
  setMs: number
  /** By how much it seemed to be set at its last packet; null for not at all. */
  strayMs: number | null
}

const isNear = (ms: number): boolean => ms >= -backwardMsMax && ms <= forwardMsMax

export class Clock {
  /** The latest time that has come, as the clock had it when the capture began. */
  private latestMs: number | null = null
  private readonly sources = new Map<number, Source>()

  /** The time of the next packet: it stands still where the clock was set, and then goes on. */
  timeOf({ atMs, face }: Pick<Captured, 'atMs' | 'face'>): number {
    let source = this.sources.get(face)
    if (source === undefined) {
      source = { setMs: 0, strayMs: null }
      this.sources.set(face, source)
    }
    const at = atMs - source.setMs
    const latestMs = this.latestMs ?? at
    const awayMs = at - latestMs
    if (isNear(awayMs)) {
      source.strayMs = null
      this.latestMs = Math.max(latestMs, at)
      return at
    }
    // The time of one packet may be damaged; what two say is so.
    const { strayMs } = source
    if (strayMs === null || !isNear(awayMs - strayMs)) {
      source.strayMs = awayMs
      return latestMs
    }
    source.setMs += strayMs
    source.strayMs = null
    this.latestMs = Math.max(latestMs, at - strayMs)
    return at - strayMs
  }
}
