// From when to when of a recording is asked for. Whoever names a date means the clock on the wall,
// which may be set while the broker runs: it counts as it says then.

import type { Input, Millis } from '../broker/input.ts'
import { heard, momentOf } from './explain-time.ts'
import type { Clock, TimeWish } from './explain-time.ts'

/** Both ends belong to it; null where it has none. */
export interface SpanWish {
  readonly from: TimeWish | null
  readonly until: TimeWish | null
}

export const everything: SpanWish = { from: null, until: null }

export class Span {
  private readonly wish: SpanWish
  private clock: Clock = { at: 0, wall: 0, set: [] }

  constructor(wish: SpanWish) {
    this.wish = wish
  }

  /** The recording begins then. */
  begin(at: Millis, wall: number): void {
    this.clock = { at, wall, set: [] }
  }

  /** What is told of the clock on the wall. */
  hear(inputs: ReadonlyArray<Input>): void {
    if (this.wish.from?._tag !== 'Wall' && this.wish.until?._tag !== 'Wall') return
    for (const input of inputs) {
      if (input._tag === 'Ticked') this.clock = heard(this.clock, input.at, input.wall)
    }
  }

  isBefore(time: Millis): boolean {
    const { from } = this.wish
    return from !== null && time < momentOf(from, this.clock)
  }

  isAfter(time: Millis): boolean {
    const { until } = this.wish
    return until !== null && time > momentOf(until, this.clock)
  }
}
