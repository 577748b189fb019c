// Which slots are free: the lowest free one is given first, so that the numbers in use stay small
// and the broker's tries stay shallow.

export class Slots {
  /** A binary heap of slots below `next` that were given back. */
  private readonly free: Array<number> = []
  private next = 0

  /** The lowest slot that nobody has. */
  take(): number {
    const { free } = this
    const lowest = free[0]
    if (lowest === undefined) return this.next++
    const last = free.pop()!
    if (free.length > 0) this.sink(last)
    return lowest
  }

  give(slot: number): void {
    const { free } = this
    let at = free.length
    free.push(slot)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (free[above]! <= slot) break
      free[at] = free[above]!
      at = above
    }
    free[at] = slot
  }

  /** Puts `slot` at the root and lets it sink to its place. */
  private sink(slot: number): void {
    const { free } = this
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= free.length) break
      if (below + 1 < free.length && free[below + 1]! < free[below]!) below += 1
      if (free[below]! >= slot) break
      free[at] = free[below]!
      at = below
    }
    free[at] = slot
  }
}
