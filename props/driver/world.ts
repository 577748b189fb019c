// A driver whose runtime is all in memory: wires that refuse and stall when they are told to, read
// buffers that are overwritten when they are given back, time that passes when a test says so.

import * as assert from 'uvu/assert'
import type { Answer, Config, Gone, Input, Query } from '../../core/mod.ts'
import * as broker from '../../core/mod.ts'
import { createReader, defaultLimits, defaults, encode, none } from '../../core/mod.ts'
import type { Level, Packet, Qos } from '../../core/codec/packet.ts'
import * as B from '../../core/data/bytes.ts'
import { parseTopicFilter } from '../../core/topic/filter.ts'
import { parseTopicName } from '../../core/topic/name.ts'
import type { Judge } from '../../shells/common/asking.ts'
import type { Broker } from '../../shells/common/batches.ts'
import type { Host } from '../../shells/common/host.ts'
import type { Link } from '../../shells/common/link.ts'
import { createDriver, Driver } from '../../shells/common/driver.ts'
import { type Log, printingLog } from '../../shells/common/log.ts'
import type { Memory } from '../../shells/common/memory.ts'
import type { Wire } from '../../shells/common/outbox.ts'

export const right = <A>(
  either: { _tag: 'Left'; left: string } | { _tag: 'Right'; right: A },
): A => {
  if (either._tag === 'Left') throw new Error(either.left)
  return either.right
}

export const nameOf = (text: string) => right(parseTopicName(text))
export const filterOf = (text: string) => right(parseTopicFilter(text))

// Packets of the clients

export const connect = (clientId: string, level: Level = 4, keepAliveS = 0): Packet => ({
  _tag: 'Connect',
  level,
  bridge: false,
  cleanStart: true,
  keepAliveS,
  clientId,
  will: null,
  userName: null,
  password: null,
  properties: none,
})

export const subscribe = (filter: string, qos: Qos = 0, packetId = 1): Packet => ({
  _tag: 'Subscribe',
  packetId,
  requests: [{
    filter: filterOf(filter),
    qos,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  }],
  properties: none,
})

export const publish = (topic: string, size: number, qos: Qos = 0, packetId = 0): Packet => ({
  _tag: 'Publish',
  dup: false,
  qos,
  retain: false,
  topic: nameOf(topic),
  packetId,
  payload: B.of(new Uint8Array(size).fill(size & 0xff)),
  properties: none,
})

export const pingreq: Packet = { _tag: 'Pingreq' }
export const disconnect: Packet = { _tag: 'Disconnect', reason: 0, properties: none }

export const bytesOf = (level: Level, ...packets: ReadonlyArray<Packet>): Uint8Array =>
  join(packets.map((packet) => encode(level, packet)))

export const join = (chunks: ReadonlyArray<Uint8Array>): Uint8Array =>
  new Uint8Array(Buffer.concat(chunks))

export const same = (seen: Uint8Array, wanted: Uint8Array, what: string): void => {
  let at = 0
  while (at < seen.length && seen[at] === wanted[at]) at += 1
  assert.ok(
    at === seen.length && at === wanted.length,
    `${what}: ${seen.length} bytes for ${wanted.length}, different from byte ${at} on`,
  )
}

/** What a client at `level` reads in these bytes. */
export const packetsIn = (level: Level, bytes: Uint8Array): ReadonlyArray<Packet> => {
  const reader = createReader({ ...defaultLimits, packetBytesMax: 4_000_000 }, level)
  reader.push(bytes, 0, bytes.length)
  const packets: Array<Packet> = []
  for (let next = reader.next(); next !== null; next = reader.next()) {
    if (next._tag === 'Left') throw new Error(next.left.detail)
    packets.push(next.right)
  }
  assert.is(reader.waiting, 0, 'what a client got ends with a whole packet')
  return packets
}

export const tagsIn = (level: Level, bytes: Uint8Array): ReadonlyArray<string> =>
  packetsIn(level, bytes).map((packet) => packet._tag)

// A runtime made of nothing

/** A socket with a client at the other end, which reads all unless it is told to stall. */
export class FakeWire implements Wire {
  stalled = false
  paused = false
  ended = false
  destroyed = 0
  writes = 0
  releases = 0
  /** The read buffer, used again for every chunk once it has been given back. */
  private readonly buffer = new Uint8Array(300_000)
  private lentBytes = 0
  private readonly chunks: Array<Uint8Array> = []
  private flying: Uint8Array | null = null
  private flown = 0

  /** All that the client has got. */
  get got(): Uint8Array {
    return join(this.chunks)
  }

  /** Puts a chunk into the read buffer; answers where it lies. */
  lend(chunk: Uint8Array): readonly [Uint8Array, number, number] {
    const start = this.lentBytes
    this.buffer.set(chunk, start)
    this.lentBytes += chunk.length
    return [this.buffer, start, this.lentBytes]
  }

  write(bytes: Uint8Array): boolean {
    assert.is(this.flying, null, 'a write while another one is under way')
    assert.not(this.ended, 'a write after the end')
    assert.is(this.destroyed, 0, 'a write after destroy')
    this.writes += 1
    if (this.stalled) {
      this.flying = bytes
      this.flown = 0
      return false
    }
    this.chunks.push(bytes.slice())
    return true
  }

  /** The client reads some of what was refused; answers how many bytes. */
  take(bytes: number): number {
    const { flying } = this
    if (flying === null) return 0
    const count = Math.min(bytes, flying.length - this.flown)
    this.chunks.push(flying.slice(this.flown, this.flown + count))
    this.flown += count
    if (this.flown === flying.length) this.flying = null
    return count
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  released(): void {
    this.releases += 1
    // What was lent must not be read any more: whoever does reads this.
    this.buffer.fill(0xee, 0, this.lentBytes)
    this.lentBytes = 0
  }

  end(): void {
    assert.is(this.flying, null, 'an end before everything was taken')
    this.ended = true
  }

  destroy(): void {
    this.destroyed += 1
    assert.is(this.destroyed, 1, 'destroyed once')
  }
}

export interface Client {
  readonly wire: FakeWire
  readonly link: Link
  readonly level: Level
}

export interface WorldOptions {
  readonly config?: Partial<Config>
  readonly broker?: Broker
  readonly judge?: Judge
  readonly opening?: () => void
  readonly know?: (query: Query) => Promise<Answer>
  readonly verbosity?: 'quiet' | 'normal' | 'verbose'
  /** How long each look at the clock takes. */
  readonly tickMs?: number
  readonly memoryLimitBytes?: number
}

export class World {
  time = 1000
  readonly log: Log
  readonly faults: Array<unknown> = []
  lines = ''
  scheduled: (() => void) | null = null
  arms = 0
  armed: { readonly at: number; readonly turn: () => void } | null = null
  memory: Memory = { heapUsedBytes: 0, heapLimitBytes: 1_000, usedBytes: 0, limitBytes: 1_000 }
  looks = 0
  collections = 0
  /** What a collection finds to be nobody's. */
  garbageBytes = 0
  readonly driver: Driver
  private nonces = 0

  constructor(options: WorldOptions = {}) {
    const { tickMs = 0 } = options
    const host: Host = {
      now: () => {
        this.time += tickMs
        return this.time
      },
      wall: () => 1_800_000_000_000 + this.time,
      nonce: () => `NONCE-${this.nonces++}`,
      seed: 7,
      allocate: (bytes) => new Uint8Array(bytes),
      schedule: (turn) => {
        assert.is(this.scheduled, null, 'one turn is scheduled at a time')
        this.scheduled = turn
      },
      arm: (delayMs, turn) => {
        assert.ok(delayMs >= 0 && delayMs <= 0x7fffffff, `a timer of ${delayMs} ms`)
        this.arms += 1
        this.armed = { at: this.time + delayMs, turn }
      },
      disarm: () => {
        this.armed = null
      },
      fatal: (error) => this.faults.push(error),
      memory: () => {
        this.looks += 1
        return this.memory
      },
      collect: () => {
        this.collections += 1
        const { heapUsedBytes } = this.memory
        this.memory = { ...this.memory, heapUsedBytes: heapUsedBytes - this.garbageBytes }
        this.garbageBytes = 0
      },
    }
    this.log = printingLog(options.verbosity ?? 'quiet', (text) => this.lines += text, host.wall)
    this.driver = createDriver({
      config: { ...defaults, ...options.config },
      host,
      log: this.log,
      ...(options.broker ? { broker: options.broker } : {}),
      ...(options.judge ? { judge: options.judge } : {}),
      ...(options.memoryLimitBytes === undefined
        ? {}
        : { memoryLimitBytes: options.memoryLimitBytes }),
      ...(options.know ? { know: options.know } : {}),
      ...(options.opening ? { opening: options.opening } : {}),
    })
  }

  open(level: Level = 4): Client {
    const wire = new FakeWire()
    const link = this.driver.opened(wire, '1883', { address: '127.0.0.1', port: 40_000 })
    return { wire, link, level }
  }

  /** A client that has connected. */
  client(clientId: string, level: Level = 4, keepAliveS = 0): Client {
    const client = this.open(level)
    this.give(client, bytesOf(level, connect(clientId, level, keepAliveS)))
    this.settle()
    return client
  }

  give(client: Client, chunk: Uint8Array): void {
    const { link, wire } = client
    const lent = wire.lend(chunk)
    if (!this.driver.received(link, ...lent)) wire.released()
  }

  say(client: Client, ...packets: ReadonlyArray<Packet>): void {
    this.give(client, bytesOf(client.level, ...packets))
  }

  gone(client: Client, why: Gone = 'closed'): void {
    this.driver.closed(client.link, why)
  }

  take(client: Client, bytes: number): number {
    const count = client.wire.take(bytes)
    if (count > 0) this.driver.taken(client.link, count)
    return count
  }

  /** One turn, if one is wanted. */
  turn(): boolean {
    const turn = this.scheduled
    if (turn === null) return false
    this.scheduled = null
    turn()
    return true
  }

  /** Turns until there is nothing to do; answers how many. */
  settle(): number {
    let turns = 0
    while (this.turn()) {
      turns += 1
      assert.ok(turns < 10_000, 'the driver comes to rest')
    }
    return turns
  }

  /** Time passes, timers fire. */
  pass(ms: number): void {
    const until = this.time + ms
    for (let i = 0; this.armed !== null && this.armed.at <= until; i++) {
      assert.ok(i < 10_000, 'timers that always find something to do')
      this.time = Math.max(this.time, this.armed.at)
      this.fire()
      this.settle()
    }
    this.time = until
  }

  /** The timer that is armed comes, whatever time it is. */
  fire(): void {
    const { armed } = this
    assert.ok(armed !== null, 'a timer is armed')
    this.armed = null
    armed?.turn()
  }
}

/** The broker, and what it was told, in copies of its own. */
export const recording = (inputs: Array<Input>): Broker => ({
  initial: broker.initial,
  deadline: broker.deadline,
  runSome: (state, batch, effectsMax) => {
    const found = broker.runSome(state, batch, effectsMax)
    for (const input of batch.slice(0, found[2])) inputs.push(structuredClone(input))
    return found
  },
})
