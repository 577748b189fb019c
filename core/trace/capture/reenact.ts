// What clients said in a capture, told to a broker of ours: inputs with the times of the packets,
// run by run, and beside it what the captured broker answered. Passwords are not checked: whom the
// captured broker let in is let in.

import { deadline } from '../../broker/clock.ts'
import type { Config } from '../../broker/config.ts'
import type { Effect } from '../../broker/effect.ts'
import * as I from '../../broker/input.ts'
import type { Conn, Gone, Input } from '../../broker/input.ts'
import type { State } from '../../broker/state.ts'
import { initial } from '../../broker/state.ts'
import { run } from '../../broker/step.ts'
import { UNREPORTED_BYTES_MAX } from '../../broker/tell.ts'
import { encodedSize } from '../../codec/encode.ts'
import { defaultLimits } from '../../codec/limits.ts'
import { ownPacket } from '../../codec/own.ts'
import type { Packet } from '../../codec/packet.ts'
import { createReader } from '../../codec/reader.ts'
import type { Reader } from '../../codec/reader.ts'
import { NOT_AUTHORIZED } from '../../codec/reason-code.ts'
import { format } from '../recording.ts'
import type { Batch, Found, Run } from '../replay.ts'
import { Comparison } from './compare.ts'
import { doorOf } from './listener.ts'
import type { Conversation, Event } from './tap.ts'

const generousLimits = {
  ...defaultLimits,
  packetBytesMax: 268_435_460,
  connectPacketBytesMax: 268_435_460,
  propertyBytesMax: 268_435_460,
  userPropertiesMax: 1_000_000,
  anyCharacters: true,
}

/** Times that the broker is woken between two packets, at most. */
const ticksMax = 100_000

class Link {
  readonly conn: Conn
  readonly reader: Reader
  /** What the captured broker said; null before the level is known, or it cannot be followed. */
  answers: Reader | null = null
  isPaused = false
  /** Whether a Judge effect waits for its answer. */
  isJudged = false
  isSilent = false
  gone: Gone | null = null
  sentBytes = 0
  reportedBytes = 0

  constructor(conn: Conn, reader: Reader) {
    this.conn = conn
    this.reader = reader
  }
}

/** A run for whoever keeps it: bytes of its packets are lent until the next. */
export const kept = (found: Found): Found => {
  switch (found._tag) {
    case 'Ran':
      return { ...found, batch: { ...found.batch, inputs: found.batch.inputs.map(keptInput) } }
    case 'Threw':
      return { ...found, inputs: found.inputs.map(keptInput) }
    default:
      return found
  }
}

const keptInput = (input: Input): Input =>
  input._tag === 'Arrived' ? I.arrived(input.conn, input.at, ownPacket(input.packet)) : input

export class Reenactment {
  readonly comparison = new Comparison()
  private readonly listener: string
  private readonly broker: Run
  private readonly originMs: number
  private readonly config: Config
  private state: State
  private readonly links = new Map<number, Link>()
  private found: Array<Found> = []
  private hasThrown = false
  /** Who has been sent something since it was last asked what of that is acknowledged already. */
  private readonly sentTo = new Set<Link>()
  /** Once it is over: whose CONNECT has no answer to judge by, though they went on. */
  readonly unjudged = new Set<number>()

  /** `originMs`: when the capture began, Unix milliseconds. */
  constructor(config: Config, originMs: number, port: number, broker: Run = run) {
    this.config = config
    this.listener = doorOf(config, port).listener
    this.broker = broker
    this.originMs = Math.floor(originMs)
    this.state = initial(config, { at: 0, wall: this.originMs, seed: 0 })
  }

  /** How the broker is before anything is told. */
  begin(version: string): Found {
    const { config, state } = this
    const { origin } = state
    const head = {
      format,
      version,
      payload: 'full' as const,
      wall: origin.wall,
      at: 0,
      origin,
      config,
      hasSnapshot: false,
    }
    return { _tag: 'Began', head, state }
  }

  /** Takes what happened next; answers the runs that it led to. */
  take(event: Event): ReadonlyArray<Found> {
    this.found = []
    if (this.hasThrown) return this.found
    this.wake(event.atMs)
    this.settle()
    this.happen(event)
    this.settle()
    return this.found
  }

  /** Nothing more happens; of these conversations it is known what is missing. */
  finish(conversations: ReadonlyArray<Conversation>): void {
    for (const { id, troubles } of conversations) {
      for (const one of troubles) {
        // Whoever is not understood at all may have said anything, at any time.
        const at = typeof one === 'string' ? 0 : Math.floor(one.hole.atMs) - this.originMs
        if (typeof one !== 'string' && one.of === 'broker') this.comparison.lost(id, at)
        else this.comparison.missed(id, at)
      }
    }
    for (const [id, { isJudged, gone, reader }] of this.links) {
      if (isJudged && (gone !== null || reader.next() !== null)) this.unjudged.add(id)
    }
  }

  private happen(event: Event): void {
    switch (event._tag) {
      case 'Opened':
        this.open(event)
        break
      case 'Said': {
        const link = this.links.get(event.id)
        if (link === undefined || link.isSilent) break
        link.reader.push(event.bytes, 0, event.bytes.length)
        this.pump(link)
        link.reader.release()
        break
      }
      case 'Heard': {
        const link = this.links.get(event.id)
        if (link !== undefined) this.hear(link, event.bytes)
        break
      }
      case 'Ended': {
        const link = this.links.get(event.id)
        if (link === undefined) break
        this.comparison.ended(link.conn)
        link.gone = event.why
        this.pump(link)
        break
      }
      case 'Left': {
        const link = this.links.get(event.id)
        if (link !== undefined) this.comparison.left(link.conn)
      }
    }
  }

  /** Tells the time that has come since, whenever the broker wants to be told. */
  private wake(atMs: number): void {
    const at = Math.floor(atMs) - this.originMs
    if (at <= this.state.now) return
    for (let ticks = 0; ticks < ticksMax && !this.hasThrown; ticks++) {
      const due = deadline(this.state)
      if (due >= at) break
      this.tick(Math.max(due, this.state.now))
    }
    if (at > this.state.now) this.at = at
    this.comparison.nowMs = this.at
  }

  /** The time of the event, milliseconds since the capture began. */
  private at = 0

  private tick(at: number): void {
    if (this.state.sys.dueAt <= at) {
      const none = { receivedBytes: 0, heapBytes: 0, waitingPackets: 0, waitingBytes: 0 }
      this.feed([I.measured(at, none)])
    }
    this.feed([I.ticked(at, this.originMs + at)])
  }

  private open({ id, peer }: Extract<Event, { readonly _tag: 'Opened' }>): void {
    const { packetBytesMax, connectPacketBytesMax } = this.config
    const limits = { ...defaultLimits, packetBytesMax, connectPacketBytesMax }
    const conn: Conn = { slot: id, generation: id }
    this.links.set(id, new Link(conn, createReader(limits, 0, false)))
    this.comparison.opened(conn, peer)
    const nonce = `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`
    this.feed([I.opened(conn, this.at, nonce, this.listener, peer)])
  }

  /** Turns what a client has said into inputs, as long as the broker listens. */
  private pump(link: Link): void {
    const { conn, reader } = link
    let inputs: Array<Input> = []
    while (!link.isPaused && !link.isSilent) {
      const next = reader.next()
      if (next === null) {
        if (link.gone === null) {
          if (reader.continues(this.at)) inputs.push(I.continued(conn, this.at))
          break
        }
        link.isSilent = true
        inputs.push(I.closed(conn, this.at, link.gone))
      } else if (next._tag === 'Left') {
        link.isSilent = true
        inputs.push(I.broke(conn, this.at, next.left))
      } else {
        const { _tag } = next.right
        const packet = this.comparison.told(conn, next.right)
        if (packet !== null) inputs.push(I.arrived(conn, this.at, packet))
        if (packet?._tag === 'Connect') {
          link.answers = createReader(generousLimits, packet.level)
        }
        // What follows is for who has been answered, and after what is sent in between.
        const isAwaited = _tag === 'Connect' || _tag === 'Auth' || this.comparison.hasEarly(conn)
        if (!isAwaited) continue
      }
      this.feed(inputs)
      inputs = []
      this.settle()
    }
    this.feed(inputs)
    this.report(link)
  }

  /** Tells the broker that what it sent is on the wire. */
  private report(link: Link): void {
    const { conn, sentBytes } = link
    if (link.isSilent || sentBytes - link.reportedBytes < UNREPORTED_BYTES_MAX) return
    link.reportedBytes = sentBytes
    this.feed([I.written(conn, this.at, sentBytes)])
  }

  /** Acknowledgements that came before our broker had sent what they are about, as it has now. */
  private settle(): void {
    // What takes the place of what is acknowledged may be acknowledged as well: it comes again.
    for (const link of this.sentTo) {
      this.sentTo.delete(link)
      if (link.isSilent) continue
      const due = this.comparison.due(link.conn)
      if (due.length === 0) continue
      this.feed(due.map((packet) => I.arrived(link.conn, this.at, packet)))
      this.report(link)
    }
  }

  /** The captured broker's words to a client. */
  private hear(link: Link, bytes: Uint8Array): void {
    const { answers, conn } = link
    if (answers === null) return
    answers.push(bytes, 0, bytes.length)
    for (;;) {
      const next = answers.next()
      if (next === null) break
      if (next._tag === 'Left') {
        this.comparison.garbled(conn)
        link.answers = null
        return
      }
      this.comparison.heard(conn, next.right)
      if (next.right._tag === 'Connack' && link.isJudged) this.judge(link, next.right.reason)
    }
    answers.release()
  }

  private judge(link: Link, reason: number): void {
    link.isJudged = false
    this.feed([I.judged(link.conn, this.at, reason)])
    this.pump(link)
    link.reader.release()
  }

  private feed(inputs: ReadonlyArray<Input>): void {
    if (inputs.length === 0 || this.hasThrown) return
    const before = this.state
    let batch: Batch
    try {
      const [after, effects] = this.broker(before, inputs)
      batch = { inputs, before, after, effects }
    } catch (error) {
      this.hasThrown = true
      this.found.push({ _tag: 'Threw', inputs, before, error })
      return
    }
    this.state = batch.after
    this.found.push({ _tag: 'Ran', batch, isSame: null })
    const resumed: Array<Link> = []
    for (const effect of batch.effects) this.carryOut(effect, resumed)
    for (const link of resumed) this.pump(link)
  }

  private carryOut(effect: Effect, resumed: Array<Link>): void {
    if (effect._tag === 'Multicast') {
      for (const conn of effect.conns) this.sent(conn, effect.level, effect.packet)
      return
    }
    if (effect._tag === 'Send') return this.sent(effect.conn, effect.level, effect.packet)
    if (effect._tag === 'Ask') {
      const { conn } = effect
      const refused = { _tag: 'Refused', reason: NOT_AUTHORIZED } as const
      return this.feed([I.answered(conn, this.at, noNonce, refused)])
    }
    if (!('conn' in effect)) return
    const link = this.links.get(effect.conn.slot)
    if (link === undefined) return
    switch (effect._tag) {
      case 'Close':
        link.isSilent = true
        this.comparison.closed(link.conn)
        return
      case 'Pause':
        link.isPaused = true
        return
      case 'Resume':
        link.isPaused = false
        resumed.push(link)
        return
      case 'Judge':
        link.isJudged = true
    }
  }

  private sent(conn: Conn, level: 3 | 4 | 5, packet: Packet): void {
    const link = this.links.get(conn.slot)
    if (link === undefined) return
    link.sentBytes += encodedSize(level, packet)
    if (packet._tag === 'Connack' && packet.reason === 0) {
      link.reader.accept(this.config.packetBytesMax)
    }
    this.comparison.sent(conn, packet)
    if (packet._tag === 'Publish' && packet.qos > 0) this.sentTo.add(link)
  }
}

const noNonce = '00000000-0000-4000-8000-000000000000'
