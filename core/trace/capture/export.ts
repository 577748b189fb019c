// A recording as a capture: what was said on every connection, in packets of Ethernet, IP and TCP
// that nobody ever sent, for Wireshark and what else reads pcapng. What recordings do not hold (how
// bytes were cut into packets, addresses of the broker, TLS and WebSocket) is made up or left out.

import type { Effect } from '../../broker/effect.ts'
import type { Conn, Input, Peer } from '../../broker/input.ts'
import type { State } from '../../broker/state.ts'
import { run } from '../../broker/step.ts'
import { encode } from '../../codec/encode.ts'
import type { Level, Packet } from '../../codec/packet.ts'
import * as IntMap from '../../data/int-map.ts'
import type { Batch, Found, Run } from '../replay.ts'
import { ACK, FIN, PSH, RST, SYN } from './segment.ts'
import type { Address } from './write.ts'
import { addressOf, ethernet, fileHeader, packetBlock } from './write.ts'

/** The port of MQTT, by which other programs know what it is. */
const brokerPort = 1883

// With headers of either version of IP it fits into a frame of Ethernet.
const segmentBytesMax = 1440

// What a reader takes for much, and one more.
const stillToComeBytes = 1001

// Well below what a window without scaling has room for.
const unacknowledgedBytesMax = 32_768

const nothing = new Uint8Array(0)

// So much waits for a packet to be whole; then all is written as if nothing of that had come.
const waitingBytesMax = 64 * 1024 * 1024

/** Takes bytes of the file, in order. */
export type Put = (bytes: Uint8Array) => void

/** The place in the file of a piece of a packet that is not whole yet. */
interface Gap {
  readonly lane: Lane
  readonly atMs: number
  /** What was said to the client by then. */
  readonly acknowledged: number
  block: Uint8Array
}

interface Side {
  /** The sequence number of its next byte. */
  next: number
  /** Bytes that the other side has not acknowledged. */
  open: number
}

interface Lane {
  readonly client: Address
  readonly clientPort: number
  readonly broker: Address
  readonly said: Side
  readonly heard: Side
  /** What no other lane may have at the same time. */
  readonly key: string
  level: Level
  /** Moments at which more of a packet came that is not whole yet. */
  gaps: Array<Gap>
}

const keyOf = ({ slot, generation }: Conn): string => `${slot}.${generation}`

const onward = (sequence: number, bytes: number): number => (sequence + bytes) % 0x1_0000_0000

const loopback = addressOf('127.0.0.1')!
const loopback6 = addressOf('::1')!

const isSame = (one: Address, other: Address): boolean =>
  one.length === other.length && one.every((byte, i) => byte === other[i])

/** Where a client with this address may have found the broker. */
const brokerFor = (client: Address): Address =>
  isSame(client, loopback) || isSame(client, loopback6)
    ? client
    : addressOf(client.length === 16 ? '2001:db8::1' : '192.0.2.1')!

export class Exporter {
  /** Packets in the file. */
  packetCount = 0
  /** Connections in the file. */
  laneCount = 0
  /** Of those, connections that were open when the recording began. */
  headlessCount = 0
  /** What clients sent and the recording has no bytes of. */
  leftOutCount = 0
  private readonly put: Put
  private readonly broker: Run
  private readonly lanes = new Map<string, Lane>()
  private readonly taken = new Set<string>()
  private leaving: Array<Lane> = []
  /** What is written once it is known what stands in the gaps of it. */
  private waiting: Array<Gap | Uint8Array> = []
  private waitingBytes = 0
  private gapCount = 0
  /** Unix milliseconds at the broker's time 0. */
  private wallMs = 0
  private atMs = 0

  constructor(put: Put, broker: Run = run) {
    this.put = put
    this.broker = broker
  }

  /** Takes what a replay has found. */
  take(found: Found): void {
    switch (found._tag) {
      case 'Began':
        this.begin(found.head.wall - found.head.at, found.state)
        return
      case 'Ran':
        this.ran(found.batch)
        return
      case 'Threw':
        for (const input of found.inputs) this.input(input)
    }
  }

  /** There is nothing more; connections that are open stay so. */
  finish(): void {
    this.until(this.atMs + 1)
    this.flush()
  }

  private begin(wallMs: number, state: State): void {
    this.wallMs = wallMs
    this.atMs = state.now
    this.put(fileHeader())
    IntMap.each(state.links, ({ conn, peer, phase }) => {
      const lane = this.lane(conn, peer)
      if (phase.phase === 'Ready') lane.level = phase.level
      this.headlessCount += 1
    })
  }

  /** Input by input, so that an answer stands behind what it answers. */
  private ran({ inputs, before, effects: all }: Batch): void {
    let state = before
    for (const input of inputs) {
      this.input(input)
      let effects = all
      if (inputs.length > 1) [state, effects] = this.broker(state, [input])
      for (const effect of effects) this.effect(effect)
    }
  }

  private input(input: Input): void {
    this.until(input.at)
    if (input._tag === 'Opened') return this.open(input.conn, input.peer)
    if (!('conn' in input)) return
    const lane = this.lanes.get(keyOf(input.conn))
    if (lane === undefined) return
    switch (input._tag) {
      case 'Arrived': {
        const { packet } = input
        if (packet._tag === 'Connect') lane.level = packet.level
        this.say(lane, true, lane.level, packet)
        this.settle(lane)
        return
      }
      case 'Continued':
        this.leaveGap(lane)
        return
      case 'Broke':
        this.leftOutCount += 1
        this.settle(lane)
        return
      case 'Closed':
        this.settle(lane)
        this.lanes.delete(keyOf(input.conn))
        this.taken.delete(lane.key)
        if (input.why === 'failed') return this.segment(lane, true, RST | ACK)
        this.segment(lane, true, FIN | ACK)
        this.segment(lane, false, FIN | ACK)
        this.segment(lane, true, ACK)
    }
  }

  private effect(effect: Effect): void {
    switch (effect._tag) {
      case 'Send':
        return this.hear(effect.conn, effect.level, effect.packet)
      case 'Multicast':
        for (const conn of effect.conns) this.hear(conn, effect.level, effect.packet)
        return
      case 'Close': {
        const lane = this.lanes.get(keyOf(effect.conn))
        if (lane === undefined) return
        this.settle(lane)
        this.segment(lane, false, FIN | ACK)
        this.lanes.delete(keyOf(effect.conn))
        this.leaving.push(lane)
      }
    }
  }

  /** Time has come to `at`: clients answer the end of a connection a millisecond after it. */
  private until(at: number): void {
    if (at <= this.atMs) return
    const { leaving } = this
    this.atMs += 1
    this.leaving = []
    for (const lane of leaving) {
      this.segment(lane, true, FIN | ACK)
      this.segment(lane, false, ACK)
      this.taken.delete(lane.key)
    }
    this.atMs = at
  }

  private lane(conn: Conn, peer: Peer): Lane {
    this.laneCount += 1
    const { client, port, key } = this.endOf(peer)
    this.taken.add(key)
    // An address that is used again must not begin where it began before.
    const first = onward(0, this.laneCount * 0x0001_0001)
    const lane: Lane = {
      client,
      clientPort: port,
      broker: brokerFor(client),
      said: { next: first, open: 0 },
      heard: { next: onward(first, 0x8000_0000), open: 0 },
      key,
      level: 4,
      gaps: [],
    }
    this.lanes.set(keyOf(conn), lane)
    return lane
  }

  /** The peer's own address where that can be, and one of 10.0.0.0/8 where not. */
  private endOf({ address, port }: Peer): { client: Address; port: number; key: string } {
    const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
    const client = addressOf(plain)
    const key = `${plain} ${port}`
    const isPort = Number.isInteger(port) && port > 0 && port < 65_536 && port !== brokerPort
    if (client !== null && isPort && !this.taken.has(key)) return { client, port, key }
    const number = this.laneCount
    const made = Uint8Array.of(10, number >> 16, number >> 8, number)
    return { client: made, port: 50_000, key: `${made.join('.')} 50000` }
  }

  private open(conn: Conn, peer: Peer): void {
    const lane = this.lane(conn, peer)
    this.segment(lane, true, SYN)
    this.segment(lane, false, SYN | ACK)
    this.segment(lane, true, ACK)
  }

  private hear(conn: Conn, level: Level, packet: Packet): void {
    const lane = this.lanes.get(keyOf(conn))
    if (lane !== undefined) this.say(lane, false, level, packet)
  }

  private say(lane: Lane, isByClient: boolean, level: Level, packet: Packet): void {
    let bytes: Uint8Array
    try {
      bytes = encode(level, packet)
    } catch {
      // A recording may have been edited to say what no client can.
      this.leftOutCount += 1
      return
    }
    const early = isByClient ? this.fillGaps(lane, bytes) : 0
    for (let at = early; at < bytes.length; at += segmentBytesMax) {
      const data = bytes.subarray(at, at + segmentBytesMax)
      const isLast = at + data.length === bytes.length
      this.segment(lane, isByClient, isLast ? PSH | ACK : ACK, data)
      const side = isByClient ? lane.said : lane.heard
      if (side.open > unacknowledgedBytesMax) this.segment(lane, !isByClient, ACK)
    }
  }

  private leaveGap(lane: Lane): void {
    const gap = { lane, atMs: this.atMs, acknowledged: lane.heard.next, block: nothing }
    lane.gaps.push(gap)
    this.gapCount += 1
    this.write(gap)
  }

  /** Puts beginnings of a packet where some of it had come; answers how many bytes these are. */
  private fillGaps(lane: Lane, bytes: Uint8Array): number {
    const { client, clientPort, broker, said, gaps } = lane
    if (gaps.length === 0) return 0
    // So that much is still to come after each of them, as it was.
    const share = Math.floor((bytes.length - stillToComeBytes) / gaps.length)
    const size = Math.max(0, Math.min(share, segmentBytesMax))
    let at = 0
    for (const gap of size === 0 ? [] : gaps) {
      const data = bytes.subarray(at, at + size)
      const frame = ethernet({
        from: client,
        fromPort: clientPort,
        to: broker,
        toPort: brokerPort,
        sequence: said.next,
        acknowledged: gap.acknowledged,
        flags: ACK,
        data,
      }, true)
      this.packetCount += 1
      said.next = onward(said.next, size)
      said.open += size
      gap.block = packetBlock(frame, (this.wallMs + gap.atMs) * 1000)
      at += size
    }
    return at
  }

  /** Nothing more comes for the gaps. */
  private settle(lane: Lane): void {
    if (lane.gaps.length === 0) return
    this.gapCount -= lane.gaps.length
    lane.gaps = []
    if (this.gapCount === 0) this.flush()
  }

  private write(what: Gap | Uint8Array): void {
    const bytes = what instanceof Uint8Array ? what : nothing
    if (this.gapCount === 0) return this.put(bytes)
    this.waiting.push(what)
    this.waitingBytes += bytes.length
    if (this.waitingBytes > waitingBytesMax) this.flush()
  }

  private flush(): void {
    const { waiting } = this
    for (const one of waiting) if (!(one instanceof Uint8Array)) one.lane.gaps = []
    this.waiting = []
    this.waitingBytes = 0
    this.gapCount = 0
    for (const one of waiting) this.put(one instanceof Uint8Array ? one : one.block)
  }

  private segment(
    lane: Lane,
    isByClient: boolean,
    flags: number,
    data: Uint8Array = nothing,
  ): void {
    const { client, clientPort, broker, said, heard } = lane
    const [mine, other] = isByClient ? [said, heard] : [heard, said]
    this.packetCount += 1
    const frame = ethernet({
      from: isByClient ? client : broker,
      fromPort: isByClient ? clientPort : brokerPort,
      to: isByClient ? broker : client,
      toPort: isByClient ? brokerPort : clientPort,
      sequence: mine.next,
      acknowledged: other.next,
      flags,
      data,
    }, isByClient)
    mine.next = onward(mine.next, data.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1))
    mine.open += data.length
    other.open = 0
    this.write(packetBlock(frame, (this.wallMs + this.atMs) * 1000))
  }
}
