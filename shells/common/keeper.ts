// Hands what the broker wants stored to the store, one commit at a time: while one is on its way to
// the disk the next ones gather and become one. Knows when which batch is safe; what waits for that
// is the driver's business.

import type { Persist } from '../../core/broker/effect.ts'
import type { Stamp, Write } from '../../core/broker/record.ts'
import * as Bytes from '../../core/data/bytes.ts'
import { messageOf } from './message.ts'
import { merge } from './store.ts'
import type { Committed, Store } from './store.ts'

/** What the keeper tells. */
export interface Listener {
  /** All batches up to this one are on disk. */
  durable(batch: number): void
  /** The store takes nothing more for want of room, or takes writes again. */
  full(why: string): void
  /** The store is still full: `due` says when it wants to be asked once more. */
  stillFull(): void
  free(): void
  /** Nothing that was not safe by now ever will be. */
  broken(why: string): void
}

// A record's keys and numbers, roughly; what counts are payloads.
const writeBytes = 100

// How often a full store is asked whether there is room again.
const retryMs = 1_000

const sizeOf = (write: Write): number => {
  if (write._tag !== 'Put') return writeBytes
  const { record } = write
  return record.kind === 'message' || record.kind === 'will'
    ? writeBytes + Bytes.size(record.payload)
    : writeBytes
}

/** Numbers batches from 1 on. */
export class Keeper {
  private readonly store: Store
  private readonly wall: () => number
  private readonly listener: Listener
  private gathered: Array<ReadonlyArray<Write>> = []
  /** When the last batch was made; how long it has to wait for the disk says nothing of that. */
  private stamp: Stamp = { at: -1, wall: 0 }
  private isBusy = false
  private isBroken = false
  private retryAt = 0
  /** The last batch that was handed over, and the last of which it is known that it is on disk. */
  issued = 0
  safe = 0
  /** The store has no room, or hardly any. */
  isFull = false
  /** The last batch was refused: the next attempt is at `retryAt`. */
  private isRefused = false
  /** Roughly the bytes of what has gathered and is not on its way. */
  gatheredBytes = 0

  constructor(store: Store, wall: () => number, listener: Listener) {
    this.store = store
    this.wall = wall
    this.listener = listener
  }

  add({ at, writes }: Persist): void {
    this.issued += 1
    if (this.isBroken) return
    if (at !== this.stamp.at) this.stamp = { at, wall: this.wall() }
    this.gathered.push(writes)
    for (let i = 0; i < writes.length; i++) this.gatheredBytes += sizeOf(writes[i]!)
  }

  /** Sets out with what has gathered, unless the store is at work, or full and asked just now. */
  push(nowMs: number): void {
    if (this.isBusy || this.isBroken) return
    // A full store is asked with nothing in hand, too: it says whether there is room again.
    if (this.gathered.length === 0 && !this.isFull) return
    if ((this.isRefused || this.gathered.length === 0) && nowMs < this.retryAt) return
    const writes = merge(this.gathered)
    const batch = this.issued
    this.gathered = []
    this.gatheredBytes = 0
    this.isBusy = true
    this.store.commit(this.stamp, writes).then(
      (committed) => this.committed(committed, batch, writes, nowMs),
      // The store says what goes wrong with a disk; this is a fault of ours, and nothing is safe.
      (error: unknown) => this.fail(messageOf(error)),
    )
  }

  /** When `push` should be called again though nothing was added; `never` if not at all. */
  due(never: number): number {
    return this.isFull && !this.isBusy && !this.isBroken ? this.retryAt : never
  }

  /** Whether everything that can be safe is. */
  get isSettled(): boolean {
    return this.isBroken || (!this.isBusy && (this.gathered.length === 0 || this.isRefused))
  }

  private committed(
    committed: Committed,
    batch: number,
    writes: ReadonlyArray<Write>,
    nowMs: number,
  ): void {
    this.isBusy = false
    switch (committed._tag) {
      case 'Durable':
        this.safe = batch
        this.isRefused = false
        if (this.isFull) {
          this.isFull = false
          this.listener.free()
        }
        return this.listener.durable(batch)
      case 'Tight':
        this.safe = batch
        this.isRefused = false
        this.retryAt = nowMs + retryMs
        this.becomeFull(committed.why)
        return this.listener.durable(batch)
      case 'Full':
        this.gathered.unshift(writes)
        for (let i = 0; i < writes.length; i++) this.gatheredBytes += sizeOf(writes[i]!)
        this.retryAt = nowMs + retryMs
        this.isRefused = true
        return this.becomeFull(committed.why)
      case 'Broken':
        return this.fail(committed.why)
    }
  }

  private becomeFull(why: string): void {
    if (this.isFull) return this.listener.stillFull()
    this.isFull = true
    this.listener.full(why)
  }

  private fail(why: string): void {
    this.isBusy = false
    this.isBroken = true
    this.gathered = []
    this.gatheredBytes = 0
    this.listener.broken(why)
  }

  close(): Promise<void> {
    return this.store.close()
  }
}
