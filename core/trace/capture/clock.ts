// The time of a capture, which goes on where the clock that gave its packets their times was set
// meanwhile.

// A clock that goes on by more than this in a capture was set, and so was one that goes back by
// more than any two packets are apart that stand the other way round.
const forwardMsMax = 366 * 24 * 3_600_000
const backwardMsMax = 60_000

const isNear = (ms: number): boolean => ms >= -backwardMsMax && ms <= forwardMsMax

export class Clock {
  /** The latest time that has come, as the clock had it when the capture began. */
  private latestMs: number | null = null
  /** By how much the clock was set meanwhile. */
  private setMs = 0
  /** By how much it seemed to be set at the last packet; null for not at all. */
  private strayMs: number | null = null

  /** The time of the next packet: it stands still where the clock was set, and then goes on. */
  timeOf(atMs: number): number {
    const at = atMs - this.setMs
    const latestMs = this.latestMs ?? at
    const awayMs = at - latestMs
    if (isNear(awayMs)) {
      this.strayMs = null
      this.latestMs = Math.max(latestMs, at)
      return at
    }
    // The time of one packet may be damaged; what two say is so.
    const { strayMs } = this
    if (strayMs === null || !isNear(awayMs - strayMs)) {
      this.strayMs = awayMs
      return latestMs
    }
    this.setMs += strayMs
    this.strayMs = null
    this.latestMs = Math.max(latestMs, at - strayMs)
    return at - strayMs
  }
}
