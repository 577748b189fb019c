// The broker of a simulated world: the shell around the core that has neither sockets nor a clock
// of its own. It does what the driver does (packets out of bytes, effects carried out in order,
// nothing acknowledged before it is on disk), one input at a time and without waiting for anything.

import { deadline } from '../../core/broker/clock.ts'
import type { Config } from '../../core/broker/config.ts'
import type { Effect, Question, Send } from '../../core/broker/effect.ts'
import type { Command, Conn, Gone } from '../../core/broker/input.ts'
import * as Input from '../../core/broker/input.ts'
import type { Write } from '../../core/broker/record.ts'
import { restore } from '../../core/broker/restore.ts'
import type { Origin, State } from '../../core/broker/state.ts'
import { initial, NEVER } from '../../core/broker/state.ts'
import { step } from '../../core/broker/step.ts'
import { UNREPORTED_BYTES_MAX } from '../../core/broker/tell.ts'
import { encode } from '../../core/codec/encode.ts'
import { defaultLimits } from '../../core/codec/limits.ts'
import type { Reader } from '../../core/codec/reader.ts'
import { createReader } from '../../core/codec/reader.ts'
import { NOT_AUTHORIZED } from '../../core/codec/reason-code.ts'
import { isReason } from '../../core/codec/reason.ts'
import { explicitName } from '../../core/trace/show.ts'
import { Slots } from '../common/slots.ts'
import { merge } from '../common/store.ts'
import type { Disk } from '../store/memory.ts'
import { createDisk, ownWrite, recordsOf, writeTo } from '../store/memory.ts'
import type { Clock, Plan } from './clock.ts'
import type { Pipe } from './net.ts'
import type { Transcript } from './transcript.ts'
import { shown } from '../common/wrong.ts'

/** Ticks at one moment, at most. */
const spinsMax = 100_000

interface Held {
  /** What has to be on disk before it leaves; 0 where it only waits behind something else. */
  readonly batch: number
  readonly parcel: Uint8Array | Gone
}

/** One connection, as the broker's side knows it. */
export interface Link {
  readonly conn: Conn
  readonly reader: Reader
  readonly down: Pipe
  /** Tells the client's end that the broker is no more. */
  readonly lose: () => void
  isPaused: boolean
  /** No more inputs come from here. */
  isSilent: boolean
  gone: Gone | null
  held: Array<Held>
  reportedBytes: number
}

export interface ServerOptions {
  readonly config: Config
  readonly clock: Clock
  readonly wall: () => number
  readonly seed: number
  readonly judge: ((question: Question) => number) | null
}

/** What a judge has answered. Whatever is not a refusal would let the client in. */
const verdict = (answer: unknown): number => {
  if (typeof answer === 'number' && isReason('Connack', answer)) return answer
  const code = typeof answer === 'number' && answer > 0x0f && Number.isInteger(answer)
    ? `0x${answer.toString(16)}`
    : shown(answer)
  throw new TypeError(
    `a judge answers 0 for yes or a reason code of CONNACK from 0x80 on, at once: here nobody ` +
      `waits for a Promise. This one answered ${code}`,
  )
}

export class Server {
  private readonly options: ServerOptions
  private readonly clock: Clock
  private config: Config
  /** Made when a broker first begins with one; what is on it stays. */
  private disk: Disk | null
  private transcript: Transcript | null = null
  state: State
  isUp = true
  /** How long a flush of the disk takes. */
  flushMs = 0
  private slots = new Slots()
  private readonly links = new Map<number, Link>()
  /** Links that are owed something which waits for the disk, departed ones too. */
  private readonly holding = new Set<Link>()
  private generation = 0
  /** By generation. */
  private readonly names = new Map<number, string>()
  private nonces = 0
  private receivedBytes = 0
  private gathered: Array<ReadonlyArray<Write>> = []
  private flush: Plan | null = null
  private issued = 0
  private safe = 0

  constructor(options: ServerOptions) {
    this.options = options
    this.clock = options.clock
    this.config = options.config
    this.disk = this.config.persistence ? createDisk() : null
    this.state = initial(this.config, this.origin())
  }

  attach(transcript: Transcript): void {
    this.transcript = transcript
  }

  /** What a connection is called, also when it is no more. */
  nameOf(conn: Conn): string {
    return this.names.get(conn.generation) ?? explicitName(conn)
  }

  open(name: string, down: Pipe, lose: () => void): Link {
    const conn: Conn = { slot: this.slots.take(), generation: ++this.generation }
    const { packetBytesMax, connectPacketBytesMax } = this.config
    const limits = { ...defaultLimits, packetBytesMax, connectPacketBytesMax }
    const link: Link = {
      conn,
      reader: createReader(limits, 0, false),
      down,
      lose,
      isPaused: false,
      isSilent: false,
      gone: null,
      held: [],
      reportedBytes: 0,
    }
    this.links.set(conn.slot, link)
    this.names.set(conn.generation, name)
    const peer = { address: '127.0.0.1', port: 50_000 + conn.generation % 10_000 }
    this.feed(Input.opened(conn, this.clock.now, this.nonce(), '1883', peer))
    return link
  }

  received(link: Link, bytes: Uint8Array): void {
    if (link.isSilent) return
    this.receivedBytes += bytes.length
    link.reader.push(bytes, 0, bytes.length)
    this.pump(link)
  }

  gone(link: Link, why: Gone): void {
    link.gone ??= why
    if (!link.isSilent) this.pump(link)
  }

  /** The client has read something. */
  taken(link: Link): void {
    if (link.isSilent) return
    const { readBytes } = link.down
    if (readBytes - link.reportedBytes < UNREPORTED_BYTES_MAX) return
    link.reportedBytes = readBytes
    this.feed(Input.written(link.conn, this.clock.now, readBytes))
  }

  command(command: Command): void {
    this.feed(Input.commanded(this.clock.now, command))
  }

  reconfigure(config: Config): void {
    this.config = config
    this.feed(Input.reconfigured(this.clock.now, config))
  }

  /** When the broker wants to be woken. */
  due(): number {
    return this.isUp ? deadline(this.state) : NEVER
  }

  /** Tells the time as long as something is due. */
  wake(): void {
    const { now } = this.clock
    for (let spins = 0; this.due() <= now; spins++) {
      if (spins > spinsMax) throw new Error(`the broker wants to be woken at ${now} for ever`)
      if (this.state.sys.dueAt <= now) {
        const { receivedBytes } = this
        const none = { heapBytes: 0, waitingPackets: 0, waitingBytes: 0 }
        this.feed(Input.measured(now, { receivedBytes, ...none }))
      }
      this.feed(Input.ticked(now, this.options.wall()))
    }
  }

  /** The process is killed: what was not on disk is lost, and so is whatever was on its way. */
  crash(): void {
    const links = new Set([...this.links.values(), ...this.holding])
    this.end()
    for (const link of links) link.lose()
  }

  /** Ends in order: clients are told, and everything is on disk. */
  stop(): void {
    this.command({ _tag: 'Stop' })
    this.wake()
    while (this.flush !== null) {
      this.flush.isOff = true
      this.flush.run()
    }
    this.end()
  }

  start(): void {
    this.isUp = true
    if (!this.config.persistence) {
      this.state = initial(this.config, this.origin())
      return
    }
    this.disk ??= createDisk()
    const [state, effects] = restore(this.config, recordsOf(this.disk), this.origin())
    this.state = state
    for (const effect of effects) this.carryOut(effect)
  }

  private end(): void {
    this.isUp = false
    for (const link of this.links.values()) link.isSilent = true
    this.links.clear()
    this.holding.clear()
    this.slots = new Slots()
    if (this.flush !== null) this.flush.isOff = true
    this.flush = null
    this.gathered = []
    this.safe = this.issued
  }

  private origin(): Origin {
    return { at: this.clock.now, wall: this.options.wall(), seed: this.options.seed }
  }

  private nonce(): string {
    return `00000000-0000-4000-8000-${String(++this.nonces).padStart(12, '0')}`
  }

  /** Tells the broker something; a dead one hears nothing. */
  private feed(input: Input.Input): void {
    if (!this.isUp) return
    this.transcript?.input(input)
    const [state, effects] = step(this.state, input)
    this.state = state
    for (const effect of effects) this.carryOut(effect)
  }

  /** Turns what a link has said into inputs, as long as the broker listens to it. */
  private pump(link: Link): void {
    const { conn, reader } = link
    while (!link.isPaused && !link.isSilent) {
      const found = reader.next()
      if (found === null) {
        if (link.gone !== null) this.depart(link, link.gone)
        else if (reader.continues(this.clock.now)) {
          this.feed(Input.continued(conn, this.clock.now))
        }
        break
      }
      if (found._tag === 'Left') {
        link.isSilent = true
        this.feed(Input.broke(conn, this.clock.now, found.left))
        break
      }
      this.feed(Input.arrived(conn, this.clock.now, found.right))
    }
    reader.release()
  }

  private depart(link: Link, why: Gone): void {
    link.isSilent = true
    this.feed(Input.closed(link.conn, this.clock.now, why))
    if (this.linkOf(link.conn) === link) this.leave(link)
  }

  private carryOut(effect: Effect): void {
    this.transcript?.effect(effect)
    switch (effect._tag) {
      case 'Send':
        return this.send(effect)
      case 'Multicast': {
        const bytes = encode(effect.level, effect.packet)
        for (const conn of effect.conns) {
          const link = this.linkOf(conn)
          if (link !== null) this.give(link, bytes, 0)
        }
        return
      }
      case 'Persist':
        this.issued += 1
        this.gathered.push(effect.writes.map(ownWrite))
        return this.setOut()
      case 'Judge': {
        const { conn, question } = effect
        const { judge } = this.options
        const reason = judge === null ? NOT_AUTHORIZED : verdict(judge(question))
        return this.later(() => this.feed(Input.judged(conn, this.clock.now, reason)))
      }
      case 'Ask': {
        const answer: Input.Answer = { _tag: 'Refused', reason: NOT_AUTHORIZED }
        const { conn } = effect
        return this.later(() =>
          this.feed(Input.answered(conn, this.clock.now, this.nonce(), answer))
        )
      }
      case 'Note':
        return
      default:
        return this.steer(effect)
    }
  }

  private steer(effect: Extract<Effect, { _tag: 'Close' | 'Pause' | 'Resume' }>): void {
    const link = this.linkOf(effect.conn)
    if (link === null) return
    if (effect._tag === 'Close') return this.leave(link)
    link.isPaused = effect._tag === 'Pause'
    if (!link.isPaused) this.later(() => this.pump(link))
  }

  private send({ conn, level, packet, when }: Send): void {
    const link = this.linkOf(conn)
    if (link === null) return
    if (packet._tag === 'Connack' && packet.reason === 0) {
      const { maximumPacketSize } = packet.properties
      link.reader.accept(maximumPacketSize ?? this.config.packetBytesMax)
    }
    const waits = when === 'durable' && this.safe < this.issued
    this.give(link, encode(level, packet), waits ? this.issued : 0)
  }

  /** Sends, or keeps back what promises something that is not on disk, and what follows that. */
  private give(link: Link, parcel: Uint8Array | Gone, batch: number): void {
    if (batch === 0 && link.held.length === 0) {
      link.down.send(parcel)
      return
    }
    link.held.push({ batch, parcel })
    this.holding.add(link)
  }

  /** The broker has nothing more to do with this link, which goes once it has all it is owed. */
  private leave(link: Link): void {
    link.isSilent = true
    this.links.delete(link.conn.slot)
    this.slots.give(link.conn.slot)
    this.give(link, 'closed', 0)
  }

  private linkOf(conn: Conn): Link | null {
    const link = this.links.get(conn.slot)
    return link?.conn.generation === conn.generation ? link : null
  }

  /** Now, but after what is being done. */
  private later(work: () => void): void {
    this.clock.at(this.clock.now, work)
  }

  /** One flush at a time: what comes meanwhile gathers. */
  private setOut(): void {
    if (this.flushMs === 0 && this.flush === null) return this.write()
    if (this.flush !== null) return
    const batch = this.issued
    const writes = merge(this.gathered)
    const at = this.clock.now
    this.gathered = []
    this.flush = this.clock.at(at + this.flushMs, () => {
      this.flush = null
      this.keep(at, writes, batch)
      if (this.gathered.length > 0) this.setOut()
    })
  }

  /** Writes everything at once. */
  private write(): void {
    if (this.gathered.length === 0) return
    const writes = merge(this.gathered)
    this.gathered = []
    this.keep(this.clock.now, writes, this.issued)
  }

  private keep(at: number, writes: ReadonlyArray<Write>, batch: number): void {
    const { disk } = this
    if (disk === null) throw new Error('the broker stores and there is no disk')
    writeTo(disk, { at, wall: this.options.wall() }, writes)
    this.safe = batch
    for (const link of this.holding) {
      const end = link.held.findIndex((held) => held.batch > batch)
      const free = end < 0 ? link.held : link.held.slice(0, end)
      link.held = end < 0 ? [] : link.held.slice(end)
      if (link.held.length === 0) this.holding.delete(link)
      for (const { parcel } of free) link.down.send(parcel)
    }
  }
}
