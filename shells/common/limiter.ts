// So many lines in a time and no more, for each who is told about and for all of them together:
// what a hostile crowd does is told, and does not fill the disk. What is withheld is counted.

/** What is counted together, and how many lines of it a window has at most. */
export interface Measure {
  readonly windowMs: number
  readonly each: number
  readonly all: number
  /** The line that tells of what was withheld; `who` is null for all who had no line at all. */
  readonly withheld: (count: number, who: string | null) => string
}

interface Tally {
  written: number
  withheld: number
}

/**
 * Whoever had a line in this window is remembered until its end, nobody else: so the memory is
 * limited as well.
 */
export class Limiter {
  private readonly measure: Measure
  private readonly tallies = new Map<string, Tally>()
  private written = 0
  private others = 0
  /** Whether `close` has something to tell. */
  isWithholding = false
  /** When the window ends that was begun by the first line; null where there is none. */
  private endsAt: number | null = null

  constructor(measure: Measure) {
    this.measure = measure
  }

  /** Whether another line about `who` may be written; counts it either way. */
  admit(who: string): boolean {
    const { each, all } = this.measure
    const tally = this.tallies.get(who)
    if (this.written < all && (tally === undefined || tally.written < each)) {
      this.written += 1
      if (tally === undefined) this.tallies.set(who, { written: 1, withheld: 0 })
      else tally.written += 1
      return true
    }
    this.isWithholding = true
    if (tally === undefined) this.others += 1
    else tally.withheld += 1
    return false
  }

  /** Ends a window whose time is over. */
  pass(nowMs: number, tell: (text: string) => void): void {
    if (this.endsAt !== null && nowMs >= this.endsAt) this.close(tell)
    else if (this.written > 0) this.endsAt ??= nowMs + this.measure.windowMs
  }

  /** When the window has to end although nothing happens. */
  due(never: number): number {
    return this.isWithholding ? this.endsAt ?? 0 : never
  }

  /** Ends the window; `tell` gets a line for each of whom something was withheld. */
  close(tell: (text: string) => void): void {
    if (this.isWithholding) {
      for (const [who, { withheld }] of this.tallies) {
        if (withheld > 0) tell(this.measure.withheld(withheld, who))
      }
      if (this.others > 0) tell(this.measure.withheld(this.others, null))
      this.others = 0
      this.isWithholding = false
    }
    if (this.written > 0) {
      this.tallies.clear()
      this.written = 0
    }
    this.endsAt = null
  }
}
