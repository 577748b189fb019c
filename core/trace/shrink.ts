// Makes a history that shows a failure as short as it gets while it still does: whole connections
// go first, then stretches of inputs, halved again and again, then single ones; what is left is
// made simpler, its configuration as well.

import type { Config } from '../broker/config.ts'
import { defaults } from '../broker/config.ts'
import type { Conn, Input } from '../broker/input.ts'
import { arrived } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { initial } from '../broker/state.ts'
import { run } from '../broker/step.ts'
import type { Packet } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import * as B from '../data/bytes.ts'
import type { Failing } from './failing.ts'
import type { Run } from './replay.ts'

export interface Shrunk {
  readonly from: State
  readonly inputs: ReadonlyArray<Input>
  readonly trials: number
  /** No trial was left before nothing more could be left out. */
  readonly isCutShort: boolean
}

class Shrinker {
  from: State
  inputs: ReadonlyArray<Input>
  trials = 0
  isCutShort = false
  private readonly failing: Failing
  private readonly run: Run
  private readonly trialsMax: number

  constructor(
    from: State,
    inputs: ReadonlyArray<Input>,
    failing: Failing,
    broker: Run,
    max: number,
  ) {
    this.from = from
    this.inputs = inputs
    this.failing = failing
    this.run = broker
    this.trialsMax = max
  }

  /** Goes on with these if they fail as well. */
  attempt(inputs: ReadonlyArray<Input>, from = this.from): boolean {
    if (this.trials >= this.trialsMax) {
      this.isCutShort = true
      return false
    }
    this.trials += 1
    const needed = this.failing({ from, inputs }, this.run)
    if (needed === null) return false
    this.inputs = needed < inputs.length ? inputs.slice(0, needed) : inputs
    this.from = from
    return true
  }

  connections(): void {
    const all = new Set<number>()
    for (const input of this.inputs) if ('conn' in input) all.add(input.conn.generation)
    const without = (some: ReadonlyArray<number>): boolean => {
      const gone = new Set(some)
      const left = this.inputs.filter((one) => !('conn' in one && gone.has(one.conn.generation)))
      return left.length < this.inputs.length && this.attempt(left)
    }
    const groups: Array<ReadonlyArray<number>> = [[...all]]
    for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
      if (without(group) || group.length < 2) continue
      const half = group.length >> 1
      groups.push(group.slice(0, half), group.slice(half))
    }
  }

  /** Stretches, from the end on, since what comes last explains least of what was before it. */
  stretches(): void {
    let size = this.inputs.length >> 1
    while (size >= 1 && !this.isCutShort) {
      let hasGone = false
      for (let end = this.inputs.length; end > 0;) {
        const start = Math.max(0, end - size)
        const left = [...this.inputs.slice(0, start), ...this.inputs.slice(end)]
        if (this.attempt(left)) hasGone = true
        end = Math.min(start, this.inputs.length)
        if (this.isCutShort) return
      }
      if (size > 1) size >>= 1
      else if (!hasGone) return
    }
  }

  simplify(): void {
    for (let i = 0; i < this.inputs.length && !this.isCutShort; i++) {
      // What has become simpler may become simpler still, in another way.
      while (i < this.inputs.length && this.simplifyOne(i)) continue
    }
  }

  private simplifyOne(at: number): boolean {
    return simpler(this.inputs[at]!).some((simple) =>
      this.attempt(this.inputs.map((one, i) => i === at ? simple : one))
    )
  }

  /** All at one moment. */
  stop(): void {
    const { at } = this.from.origin
    if (this.inputs.some((one) => one.at !== at)) {
      this.attempt(this.inputs.map((one) => ({ ...one, at })))
    }
  }

  /** Options as they are by default; only where it begins with a new broker. */
  configure(): void {
    const usual = (config: Config): boolean =>
      this.attempt(this.inputs, initial(config, this.from.origin))
    if (usual(defaults)) return
    for (const [key, value] of Object.entries(defaults)) {
      const { config } = this.from
      if (JSON.stringify(config[key as keyof Config]) === JSON.stringify(value)) continue
      usual({ ...config, [key]: value })
    }
  }
}

const one = B.of(Uint8Array.of(0x78))

/** Packets that say less. */
const simplerPackets = (packet: Packet): ReadonlyArray<Packet> => {
  const found: Array<Packet> = []
  if ('properties' in packet && Object.keys(packet.properties).length > 0) {
    found.push({ ...packet, properties: none })
  }
  if (packet._tag === 'Publish') {
    if (B.size(packet.payload) > 1) found.push({ ...packet, payload: one, properties: none })
    if (packet.qos > 0) found.push({ ...packet, qos: 0, packetId: 0, dup: false })
    if (packet.retain) found.push({ ...packet, retain: false })
    if (packet.dup) found.push({ ...packet, dup: false })
  }
  if (packet._tag === 'Connect') {
    if (packet.will !== null) found.push({ ...packet, will: null })
    if (packet.keepAliveS > 0) found.push({ ...packet, keepAliveS: 0 })
    if (packet.userName !== null) found.push({ ...packet, userName: null, password: null })
  }
  if (packet._tag === 'Subscribe' && packet.requests.length > 1) {
    for (const request of packet.requests) found.push({ ...packet, requests: [request] })
  }
  return found
}

const simpler = (input: Input): ReadonlyArray<Input> => {
  if (input._tag !== 'Arrived') return []
  return simplerPackets(input.packet).map((packet) => arrived(input.conn, input.at, packet))
}

/**
 * A slot of its own for each connection: one whose end is left out would else be in the way of who
 * has its slot next, which is no fault of the broker.
 */
const spread = (inputs: ReadonlyArray<Input>): ReadonlyArray<Input> => {
  const conns = new Map<number, Conn>()
  for (const input of inputs) {
    if (input._tag !== 'Opened' || conns.has(input.conn.generation)) continue
    const { generation } = input.conn
    conns.set(generation, { slot: 0x40_0000 + conns.size, generation })
  }
  return inputs.map((input) => {
    const conn = 'conn' in input ? conns.get(input.conn.generation) : undefined
    return 'conn' in input && conn !== undefined ? { ...input, conn } : input
  })
}

/**
 * The shortest history that is found in so many trials; null where the first one does not fail.
 * `isNew` says whether it begins with a new broker, whose configuration may change then.
 */
export const shrink = (
  from: State,
  inputs: ReadonlyArray<Input>,
  failing: Failing,
  { trialsMax, isNew, broker = run }: {
    readonly trialsMax: number
    readonly isNew: boolean
    readonly broker?: Run
  },
): Shrunk | null => {
  const shrinker = new Shrinker(from, inputs, failing, broker, Math.max(1, trialsMax))
  if (!shrinker.attempt(spread(inputs)) && !shrinker.attempt(inputs)) return null
  shrinker.connections()
  shrinker.stretches()
  const before = shrinker.inputs
  shrinker.stop()
  if (isNew) shrinker.configure()
  shrinker.simplify()
  if (shrinker.inputs !== before) shrinker.stretches()
  return shrinker
}
