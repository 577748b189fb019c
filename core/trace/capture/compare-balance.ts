// What two brokers have sent to one client, against each other: what only one of them has sent so
// far, and of what both have sent, in one line where there has to be one order, which came first.
// Of all that agrees nothing is kept.

import type { Source } from './compare-sources.ts'

export type Side = 'theirs' | 'ours'

/** One packet that one side has sent. */
export interface Entry {
  readonly side: Side
  readonly text: string
  /** In which it has an order; null for none. */
  readonly line: string | null
  /** Rank among all that happened. */
  readonly rank: number
  /** When it was sent, milliseconds since the capture began. */
  readonly at: number
  readonly conn: number
  /** Whether it hangs on what the session has kept from before. */
  readonly isOfSession: boolean
  /** A message that was retained, and that nobody has published in the capture. */
  readonly isKept: boolean
  /** For a message that hangs on who published it: any of theirs, and what ours had retained. */
  readonly source: Source | null
  /** The other side has sent this one, which came later on this side, before this. */
  overtaker: string | null
}

export interface Disorder {
  /** What the captured broker sent first, and then. */
  readonly first: string
  readonly then: string
}

const disordersMax = 1_000

// Where so much is sent by one side only there is nothing to be said about an order.
const lineMax = 1_000

export class Balance {
  readonly disorders: Array<Disorder> = []
  /** By text: all of one side. */
  private readonly open = new Map<string, Array<Entry>>()
  private readonly lines = new Map<string, Array<Entry>>()

  /** Answers what the other side has sent and is the same, or null. */
  add(sent: Omit<Entry, 'overtaker'>): Entry | null {
    const { side, text, line } = sent
    const found = this.open.get(text)
    if (found !== undefined && found[0]!.side !== side) {
      const other = found.shift()!
      if (found.length === 0) this.open.delete(text)
      this.settle(other)
      return other
    }
    const entry: Entry = { ...sent, overtaker: null }
    if (found === undefined) this.open.set(text, [entry])
    else found.push(entry)
    if (line === null) return null
    const some = this.lines.get(line)
    if (some === undefined) this.lines.set(line, [entry])
    else if (some.length < lineMax) some.push(entry)
    return null
  }

  /** The other side has sent it as well. */
  private settle(entry: Entry): void {
    const { line, side, text, overtaker } = entry
    const some = line === null ? undefined : this.lines.get(line)
    if (line === null || some === undefined) return
    const at = some.indexOf(entry)
    if (at < 0) return
    some.splice(at, 1)
    // What came before it on its side, and what came before its like on the other.
    for (let i = 0; i < some.length; i++) {
      if (some[i]!.side !== side || i < at) some[i]!.overtaker ??= text
    }
    if (some.length === 0) this.lines.delete(line)
    if (overtaker === null || this.disorders.length >= disordersMax) return
    // On its own side it came before the other.
    this.disorders.push(
      side === 'theirs' ? { first: text, then: overtaker } : { first: overtaker, then: text },
    )
  }

  /** What only one side has sent, in the order in which it was first sent. */
  *left(): IterableIterator<ReadonlyArray<Entry>> {
    yield* this.open.values()
  }
}
