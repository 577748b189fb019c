// A broker on a disk that keeps exactly what was flushed: the real driver with wires that are not
// sockets, a clock that stands still until it is told, and a power switch. Clients live outside and
// see nothing but packets; a crash takes everything but the disk.

import type { Config } from '../../core/broker/config.ts'
import { createReader, defaultLimits, defaults, encode } from '../../core/mod.ts'
import { addRecord, beginRestore, endRestore, resumeAt } from '../../core/mod.ts'
import type { Reader } from '../../core/codec/mod.ts'
import type { Level, Packet } from '../../core/codec/packet.ts'
import { E } from '../../core/prelude.ts'
import type { Driver, Restored } from '../../shells/common/driver.ts'
import type { Host } from '../../shells/common/host.ts'
import type { Link } from '../../shells/common/link.ts'
import { createDriver } from '../../shells/common/driver.ts'
import { printingLog } from '../../shells/common/log.ts'
import type { Wire } from '../../shells/common/outbox.ts'
import { createDisk, openMemory } from '../../shells/store/memory.ts'
import type { Disk } from '../../shells/store/memory.ts'

/** How long a flush takes: so many steps of the script; 0 for none. */
export interface Policy {
  readonly name: string
  readonly steps: number
}

/** Ends the process at the flush with this number, whose batch reaches the disk or does not. */
export interface Crash {
  readonly flush: number
  readonly isKept: boolean
}

/** The client's end of a connection. */
export interface Socket {
  readonly level: Level
  hear(packet: Packet): void
  closed(): void
}

/** A connection between the two. */
export class Line implements Wire {
  link: Link | null = null
  isOpen = true
  isDeaf = false
  /** The broker reads nothing from it. */
  isPaused = false
  readonly socket: Socket
  readonly reader: Reader
  private readonly lent: Array<Uint8Array> = []

  constructor(socket: Socket) {
    this.socket = socket
    this.reader = createReader(defaultLimits, socket.level)
  }

  lend(chunk: Uint8Array): void {
    this.lent.push(chunk)
  }

  write(bytes: Uint8Array): boolean {
    if (this.isOpen && !this.isDeaf) {
      const copy = bytes.slice()
      this.reader.push(copy, 0, copy.length)
    }
    return true
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  released(): void {
    // What was lent must not be read any more: whoever keeps it reads this.
    for (const chunk of this.lent) chunk.fill(0xee)
    this.lent.length = 0
  }

  end(): void {
    this.isEnding = true
  }

  destroy(): void {
    this.isEnding = true
  }

  isEnding = false
}

const wallAt = 1_800_000_000_000

export class World {
  time = 1_000
  step = 0
  /** Flushes that have begun to end, of this process. */
  flushes = 0
  isDown = false
  fault: unknown = null
  faultCount = 0
  crash: Crash | null = null
  /** What the log says. */
  log = ''
  readonly disk: Disk = createDisk()
  private readonly config: Config
  private policy: Policy
  private driver: Driver | null = null
  private lines: Array<Line> = []
  private scheduled: (() => void) | null = null
  collections = 0
  private armed: { readonly at: number; readonly turn: () => void } | null = null
  private pending: { readonly due: number; readonly done: () => void } | null = null

  constructor(config: Partial<Config>, policy: Policy) {
    this.config = { ...defaults, ...config, persistence: true }
    this.policy = policy
  }

  /** Starts the broker on what is on the disk. */
  async start(policy: Policy, crash: Crash | null): Promise<void> {
    this.policy = policy
    this.crash = crash
    this.flushes = 0
    this.isDown = false
    this.scheduled = null
    this.armed = null
    this.pending = null
    this.disk.isOpen = false
    this.disk.flush = () =>
      new Promise((done) => this.pending = { due: this.step + this.policy.steps, done })
    const restored = await this.restore()
    const host: Host = {
      now: () => this.time,
      wall: () => wallAt + this.time,
      nonce: () => 'NONCE',
      seed: 7,
      allocate: (bytes) => new Uint8Array(bytes),
      schedule: (turn) => this.scheduled = turn,
      arm: (delayMs, turn) => this.armed = { at: this.time + delayMs, turn },
      disarm: () => this.armed = null,
      fatal: (error) => {
        this.fault = error
        this.faultCount += 1
      },
      memory: () => ({ heapUsedBytes: 0, heapLimitBytes: 100, usedBytes: 0, limitBytes: 100 }),
      collect: () => {
        this.collections += 1
      },
    }
    const log = printingLog('normal', (text) => this.log += text, host.wall)
    this.driver = createDriver({ config: this.config, host, log, restored })
    await this.settle()
  }

  private async restore(): Promise<Restored> {
    const opened = await openMemory(this.disk)
    if (E.isLeft(opened)) throw new Error(opened.left)
    const store = opened.right
    const wall = wallAt + this.time
    const restoring = beginRestore(this.config, { at: 0, wall, seed: 7 })
    const loaded = await store.load((records) => {
      for (const record of records) addRecord(restoring, record)
    })
    if (E.isLeft(loaded)) throw new Error(loaded.left)
    const [state, effects] = endRestore(restoring, resumeAt(loaded.right.stamp, wall).at, wall)
    return { store, state, effects }
  }

  open(socket: Socket): Line {
    const line = new Line(socket)
    if (this.isDown) line.isEnding = true
    else line.link = this.driver!.opened(line, '1883', { address: '127.0.0.1', port: 40_000 })
    this.lines.push(line)
    return line
  }

  send(line: Line, packet: Packet): void {
    if (this.isDown || line.isEnding) return
    const chunk = encode(line.socket.level, packet)
    line.lend(chunk)
    if (!this.driver!.received(line.link!, chunk, 0, chunk.length)) line.released()
  }

  /** The client's end of the line is no more. */
  cut(line: Line, why: 'closed' | 'failed'): void {
    if (!line.isOpen) return
    line.isOpen = false
    this.lines = this.lines.filter((one) => one !== line)
    if (!this.isDown) this.driver!.closed(line.link!, why)
  }

  /** Stops the broker in order; `done` is called at the end. */
  halt(done: () => void): void {
    this.driver!.halt(done)
  }

  /** Ends the process: what waits for the disk is gone, unless this flush was the last to end. */
  async kill(isKept = false): Promise<void> {
    if (this.isDown) return
    this.isDown = true
    this.driver!.kill()
    const { pending } = this
    this.pending = null
    if (isKept && pending !== null) {
      pending.done()
      await hops()
    }
    for (const line of this.lines) this.hangUp(line)
    this.lines = []
  }

  private hangUp(line: Line): void {
    if (!line.isOpen) return
    this.deliver(line)
    line.isOpen = false
    line.socket.closed()
  }

  private deliver(line: Line): void {
    for (let next = line.reader.next(); next !== null; next = line.reader.next()) {
      if (E.isLeft(next)) throw new Error(`a client cannot read this: ${next.left.detail}`)
      line.socket.hear(next.right)
    }
  }

  /** Said so that the compiler does not conclude from what it reads within one loop. */
  private get wantsTurn(): boolean {
    return this.scheduled !== null
  }

  /** All that can happen now happens: turns, packets, answers, and flushes that are due. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10_000; i++) {
      if (this.fault !== null) throw this.fault
      const turn = this.scheduled
      this.scheduled = null
      if (turn !== null && !this.isDown) turn()
      for (const line of [...this.lines]) {
        this.deliver(line)
        if (line.isEnding && line.isOpen) {
          line.isOpen = false
          this.lines = this.lines.filter((one) => one !== line)
          line.socket.closed()
          if (!this.isDown) this.driver!.closed(line.link!, 'closed')
        }
      }
      if (turn !== null || this.wantsTurn) continue
      if (this.pending === null || this.pending.due > this.step) return
      this.flushes += 1
      if (this.crash?.flush === this.flushes) return await this.kill(this.crash.isKept)
      const { done } = this.pending
      this.pending = null
      done()
      await hops()
    }
    throw new Error('the broker does not come to rest')
  }

  /** Whether the disk is busy. */
  get isFlushing(): boolean {
    return this.pending !== null
  }

  /** The flush that is under way ends now. */
  async flushOne(): Promise<void> {
    if (this.pending !== null) this.pending = { due: this.step, done: this.pending.done }
    await this.settle()
  }

  /** Whatever the disk is busy with ends now, and all that has gathered meanwhile. */
  async flush(): Promise<void> {
    for (let i = 0; i < 100 && this.pending !== null && !this.isDown; i++) await this.flushOne()
  }

  async pass(ms: number): Promise<void> {
    const until = this.time + ms
    while (!this.isDown && this.armed !== null && this.armed.at <= until) {
      const { at, turn } = this.armed
      this.armed = null
      this.time = Math.max(this.time, at)
      turn()
      await this.settle()
    }
    this.time = until
  }
}

// From the end of a flush to the keeper's hearing of it, and a little more.
const hops = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await null
}
