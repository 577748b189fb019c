// The clock of a simulated world, and its dice. Time stands still until it is told to go on; what
// is due at one moment happens in the order in which it was planned. The same seed throws the same
// numbers on every runtime.

import * as Heap from '../../core/data/heap.ts'
import { shown } from '../common/wrong.ts'

/** Milliseconds, or a span in words: `250ms`, `30s`, `5m`, `2h`, `7d`, `1h30m`. */
export type Span = number | string

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const spanPattern = /^(?:[0-9]{1,12}(?:ms|s|m|h|d))+$/

/** A span in whole milliseconds. Throws a TypeError that says how spans are written. */
export const millis = (span: Span): number => {
  let ms = 0
  if (typeof span === 'number') ms = span
  else if (typeof span !== 'string') ms = NaN
  else {
    const text = span.replaceAll(' ', '')
    if (!spanPattern.test(text)) ms = NaN
    for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|s|m|h|d)/g)) {
      ms += Number(count) * unitMs[unit!]!
    }
  }
  if (Number.isSafeInteger(ms) && ms >= 0) return ms
  throw new TypeError(
    `${shown(span)} is no span of time: write whole milliseconds from 0 on, ` +
      'or numbers with units, as in 250ms, 30s, 1h30m, 7d',
  )
}

/** A moment for people: `0s`, `250ms`, `1m30s`, `2d4h`. */
export const spanText = (ms: number): string => {
  if (ms === 0) return '0s'
  let text = ''
  let rest = ms
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const count = Math.floor(rest / unitMs[unit]!)
    rest -= count * unitMs[unit]!
    if (count > 0) text += `${count}${unit}`
  }
  return text
}

/** Something that will happen, unless it is called off. */
export interface Plan {
  isOff: boolean
  readonly run: () => void
}

const never = Number.MAX_SAFE_INTEGER

/** Plans at one moment, at most: more are an endless loop. */
const momentMax = 1_000_000

export class Clock {
  /** Milliseconds since the world began. */
  now = 0
  private plans: Heap.Heap<Plan> = Heap.empty

  /** It is that late now, or later already: time never goes back. */
  pass(until: number): void {
    this.now = Math.max(this.now, until)
  }

  /** Plans something for a moment, which is not in the past. */
  at(ms: number, run: () => void): Plan {
    const plan = { isOff: false, run }
    this.plans = Heap.push(this.plans, Math.max(ms, this.now), 0, plan)
    return plan
  }

  /** When the next plan is due; larger than any time if there is none. */
  due(): number {
    for (;;) {
      const next = Heap.peek(this.plans)
      if (next === undefined) return never
      if (!next.item.isOff) return next.at
      this.plans = Heap.pop(this.plans)
    }
  }

  /** Carries out all that is due now, and what that plans for now. */
  settle(): void {
    for (let i = 0; this.due() <= this.now; i++) {
      if (i > momentMax) {
        throw new Error(
          `time stands still: it is ${spanText(this.now)} for ever, since what is done plans ` +
            'something for the same moment again; let it plan that for a later one',
        )
      }
      const { item } = Heap.peek(this.plans)!
      this.plans = Heap.pop(this.plans)
      item.run()
    }
  }
}

/** Whole numbers from 0 on and below `below`, the same for the same seed. */
export type Dice = (below: number) => number

/** A small generator (a Weyl sequence through two rounds of mixing); not for secrets. */
export const createDice = (seed: number): Dice => {
  let state = seed | 0
  return (below) => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return Math.floor(((mixed ^ (mixed >>> 15)) >>> 0) / 0x100000000 * below)
  }
}
