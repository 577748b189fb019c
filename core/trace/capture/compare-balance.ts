// What two brokers have sent to one client, against each other: what only one of them has sent so
// far, and of what both have sent, in one line where there has to be one order, which came first.
// Of all that agrees nothing is kept. Answers are of one connection; messages are of a session,
// whichever connection they reach.

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
  readonly isMessage: boolean
  /** Whether it hangs on what the session has kept from before. */
  readonly isOfSession: boolean
  /** A message that was retained, and that nobody has published in the capture. */
  readonly isKept: boolean
  /** A message on a topic of a shared group that the client is in. */
  readonly isShared: boolean
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
  /** By what it can be the same as, and the text: all of one side. */
  private readonly open = new Map<string, Array<Entry>>()
  private readonly lines = new Map<string, Array<Entry>>()

  /** Answers what the other side has sent and is the same, or null. */
  add(sent: Omit<Entry, 'overtaker'>): Entry | null {
    const { side, text, line, isMessage } = sent
    const other = this.take(ownKey(sent), side) ?? (isMessage ? this.take(text, side) : null)
    if (other !== null) {
      this.settle(other)
      return other
    }
    const entry: Entry = { ...sent, overtaker: null }
    this.keep(isMessage ? text : ownKey(entry), entry)
    if (line === null) return null
    const some = this.lines.get(line)
    if (some === undefined) this.lines.set(line, [entry])
    else if (some.length < lineMax) some.push(entry)
    return null
  }

  /** A session begins on a connection: what was sent on others is none of its messages. */
  begin(conn: number): void {
    for (const [key, some] of [...this.open]) {
      if (!some[0]!.isMessage || key !== some[0]!.text) continue
      if (some.every((one) => one.conn === conn)) continue
      this.open.delete(key)
      for (const one of some) this.keep(one.conn === conn ? key : ownKey(one), one)
    }
  }

  private keep(key: string, entry: Entry): void {
    const some = this.open.get(key)
    if (some === undefined) this.open.set(key, [entry])
    else some.push(entry)
  }

  /** The oldest that the other side has sent. */
  private take(key: string, side: Side): Entry | null {
    const some = this.open.get(key)
    if (some === undefined || some[0]!.side === side) return null
    const entry = some.shift()!
    if (some.length === 0) this.open.delete(key)
    return entry
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

  /**
   * What only one side has sent, all of a side with one text together, in the order in which it was
   * first sent.
   */
  *left(): IterableIterator<ReadonlyArray<Entry>> {
    const all = new Map<string, Array<Entry>>()
    for (const some of this.open.values()) {
      const key = `${some[0]!.side} ${some[0]!.text}`
      const same = all.get(key)
      if (same === undefined) all.set(key, [...some])
      else same.push(...some)
    }
    for (const some of all.values()) yield some
  }
}

/** The key of what can only be the same as what is sent on the same connection. */
const ownKey = ({ conn, text }: Pick<Entry, 'conn' | 'text'>): string => `${conn}: ${text}`
