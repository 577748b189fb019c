// How often each kind of sentence was found true, so that a law that looks at none of them is seen
// to be empty.

import * as assert from 'uvu/assert'

export class Tally {
  private readonly counts = new Map<string, number>()

  add(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  /** Fails where the kind was met less often than that. */
  atLeast(kind: string, least: number): void {
    const count = this.counts.get(kind) ?? 0
    assert.ok(count >= least, `${kind}: only ${count}, not ${least}; ${this.text()}`)
  }

  text(): string {
    return [...this.counts].sort().map(([kind, count]) => `${kind} ${count}`).join(', ')
  }
}
