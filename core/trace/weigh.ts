// What the payloads of a run count as in its digest. Most are those of a message that came in the
// same run, and looking whether one is costs less than a hash of it.

import type { Input } from '../broker/input.ts'
import type { Bytes } from '../data/bytes.ts'
import { isEqual } from './veil.ts'

/** What a payload counts as, beside its size. */
export type Weigh = (payload: Bytes) => number

/**
 * Shorter ones count as what stands for them, since that may be the same for two that differ: it
 * has no room for a whole mark.
 */
const bytesMin = 11

/** Behind all weights of what stands for a payload at `hash`. */
const ordinal = 0x0100_0000

/** How many are compared: what leaves comes mostly in the order of what came. */
const reach = 3

export class Weigher {
  /** What a payload counts as that did not come in the run. */
  private readonly alone: Weigh
  private readonly payloads: Array<Bytes> = []
  private next = 0
  readonly weigh: Weigh

  constructor(alone: Weigh) {
    this.alone = alone
    this.weigh = (payload) => this.weight(payload)
  }

  /** A run begins with these. */
  begin(inputs: ReadonlyArray<Input>): void {
    const { payloads } = this
    payloads.length = 0
    this.next = 0
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i]!
      if (input._tag !== 'Arrived') continue
      const { packet } = input
      if (packet._tag !== 'Publish') continue
      const { payload, properties } = packet
      // What stands for one that says it is text says too whether it is, so the same bytes differ.
      if (properties.payloadFormatIndicator === 1) continue
      if (payload.end - payload.start >= bytesMin) payloads.push(payload)
    }
  }

  /** By what is in it, never by which object it is: another version may keep a copy. */
  private weight(payload: Bytes): number {
    if (payload.end - payload.start >= bytesMin) {
      const { payloads, next } = this
      const last = next + reach < payloads.length ? next + reach : payloads.length
      for (let i = next > 0 ? next - 1 : 0; i < last; i++) {
        if (!isEqual(payloads[i]!, payload)) continue
        this.next = i + 1
        return ordinal + i
      }
    }
    return this.alone(payload)
  }
}
