// A day of a broker as somebody sees it who looks at its wires and reads its log, and at nothing
// else: who was connected and subscribed when, and what was sent to whom and answered. The state of
// the broker is not looked at.

import type { Config } from '../../core/broker/config.ts'
import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input, Peer } from '../../core/broker/input.ts'
import type { Note } from '../../core/broker/note.ts'
import { encodedSize } from '../../core/codec/encode.ts'
import type { Connect, Level, Packet, Publish } from '../../core/codec/packet.ts'
import * as B from '../../core/data/bytes.ts'
import { isFor, mountedAt, sharedIn } from './matches.ts'
import { hex } from './words.ts'

export type NoteOf<Tag extends Note['_tag']> = Extract<Note, { readonly _tag: Tag }>

/** A connection. */
export interface Line {
  readonly conn: Conn
  readonly peer: Peer
  readonly listener: string
  readonly openedAt: number
  clientId: string | null
  connectedAt: number | null
  connect: Connect | null
  level: Level
  /** As the client said, or as it was told. */
  keepAliveS: number
  mountPoint: string
  willMountPoint: string
  endedAt: number | null
  /** When something whole was heard last, and when more of a packet came. */
  heardAt: number
  continuedAt: number | null
  sentBytes: number
  takenBytes: number
  /** When it was known how many had been taken. */
  readonly takings: Array<{ readonly at: number; readonly total: number }>
  /** Aliases of topics: those that the client has set, and those that the broker has. */
  readonly aliases: Map<number, string>
  readonly given: Map<number, string>
}

export interface Sub {
  /** Whole, with its group and mount point. */
  readonly filter: string
  readonly group: string | null
  readonly qos: number
  readonly noLocal: boolean
}

/** What a client was sent under one packet identifier, or once with QoS 0. */
export interface Sent {
  readonly clientId: string
  readonly session: number
  readonly topic: string
  readonly body: string
  readonly qos: number
  readonly packetId: number
  readonly step: number
  readonly at: number
  /** The connection that it was sent on last. */
  line: Line
  /** The connections that carried it, and their bytes up to its end. */
  readonly carried: Array<{ readonly line: Line; readonly end: number }>
  /** Words for what happened to it, the first for its being sent. */
  readonly words: Array<string>
  readonly isRetain: boolean
  stage: 'sent' | 'received' | 'over'
  /** When its session ended with it; null where it did not. */
  sessionEndedAt: number | null
  /** What the wire does not tell apart: another of the same topic may have been given up. */
  isVague: boolean
  /** Another member of a group may have it since the connection ended: nobody is told. */
  mayBeGone: boolean
}

/** A session as it was between two steps. */
export interface Session {
  readonly number: number
  readonly clientId: string
  readonly line: Line | null
  /** The connection of the moment, or the last one. */
  readonly lately: Line
  readonly offlineAt: number
  readonly mountPoint: string
  readonly subs: ReadonlyMap<string, Sub>
  /** How many packet identifiers towards the client are in use. */
  readonly flying: number
  /** How many of them are of messages that it has received (PUBREC). */
  readonly received: number
  /** How many of them others of a group may have, so that they are in use no more. */
  readonly mayBeGone: number
  readonly sentCountMax: number
  /** Bytes that its socket is not known to have taken. */
  readonly unwritten: number
}

export type World = ReadonlyMap<string, Session>

export interface Step {
  readonly index: number
  readonly at: number
  readonly input: Input
  readonly effects: ReadonlyArray<Effect>
  readonly notes: ReadonlyArray<Note>
  readonly before: World
  readonly after: World
  readonly config: Config
  /** After it. */
  readonly next: Config
  readonly lines: ReadonlyMap<number, Line>
}

/** Something about a client's subscriptions. */
export interface Change {
  readonly at: number
  readonly step: number
  readonly clientId: string
  readonly filter: string
  readonly what: 'subscribed' | 'unsubscribed' | 'refused' | 'lost'
  readonly reason: number
}

export interface Day {
  readonly began: number
  readonly steps: ReadonlyArray<Step>
  readonly sents: ReadonlyArray<Sent>
  readonly changes: ReadonlyArray<Change>
  readonly last: World
  readonly endedAt: number
}

/** Time as the answers have it. */
export const since = (day: Pick<Day, 'began'>, at: number): string =>
  `${((at - day.began) / 1000).toFixed(3)}s`

/** The steps at a time that an answer has. */
export const stepsAt = (day: Day, time: string): ReadonlyArray<Step> =>
  day.steps.filter(({ at }) => since(day, at) === time)

/** What a payload is known by. */
export const bodyOf = (payload: Publish['payload']): string =>
  String.fromCharCode(...B.view(payload).subarray(0, 64)) + `:${B.size(payload)}`

const rulesOf = (config: Config, listener: string) =>
  config.listeners.find(([one]) => one === listener)?.[1] ?? config

export const endedWords: Readonly<Record<string, string>> = {
  'expired': 'because its Session Expiry Interval was over',
  'clean start': 'because its client began anew with Clean Start',
  'disconnected': 'with its connection, which it was not to outlive',
}

interface Living {
  readonly number: number
  readonly clientId: string
  line: Line | null
  lately: Line
  offlineAt: number
  mountPoint: string
  readonly subs: Map<string, Sub>
  readonly flying: Map<number, Sent>
  sentCountMax: number
}

class Watcher {
  readonly began: number
  now: number
  config: Config
  readonly lines = new Map<number, Line>()
  readonly living = new Map<string, Living>()
  readonly sents: Array<Sent> = []
  readonly changes: Array<Change> = []
  private sessions = 0
  /** Whether what is dropped in the step may have been published in it just now. */
  private isPublishing = false
  private step = 0

  constructor(config: Config, began: number) {
    this.config = config
    this.began = began
    this.now = began
  }

  world(): World {
    const found = new Map<string, Session>()
    for (const [clientId, one] of this.living) {
      const unwritten = one.line === null ? 0 : one.line.sentBytes - one.line.takenBytes
      const [subs, flying] = [new Map(one.subs), one.flying.size]
      const received = [...one.flying.values()].filter(({ stage }) => stage !== 'sent').length
      const mayBeGone = [...one.flying.values()].filter((sent) => sent.mayBeGone).length
      found.set(clientId, { ...one, subs, flying, received, mayBeGone, unwritten })
    }
    return found
  }

  take(index: number, input: Input, effects: ReadonlyArray<Effect>): Step {
    this.step = index
    this.now = Math.max(this.now, input.at)
    const { config } = this
    const before = this.world()
    if (input._tag === 'Reconfigured') this.config = input.config
    this.isPublishing = input._tag === 'Commanded' || (input._tag === 'Arrived' &&
      (input.packet._tag === 'Publish' || input.packet._tag === 'Pubrel'))
    this.heard(input, effects)
    effects.forEach((effect, i) => this.effect(effect, input, effects, i))
    const notes = effects.flatMap((effect) => effect._tag === 'Note' ? [effect.note] : [])
    const { now: at, lines } = this
    const after = this.world()
    return { index, at, input, effects, notes, before, after, config, next: this.config, lines }
  }

  private since(at: number): string {
    return since(this, at)
  }

  private livingAt(conn: Conn): Living | undefined {
    return [...this.living.values()].find(({ line }) => line?.conn.generation === conn.generation)
  }

  private heard(input: Input, effects: ReadonlyArray<Effect>): void {
    if (input._tag === 'Opened') {
      const { conn, peer, listener } = input
      this.lines.set(conn.generation, {
        conn,
        peer,
        listener,
        openedAt: this.now,
        clientId: null,
        connectedAt: null,
        connect: null,
        level: 5,
        keepAliveS: 0,
        mountPoint: '',
        willMountPoint: '',
        endedAt: null,
        heardAt: this.now,
        continuedAt: null,
        sentBytes: 0,
        takenBytes: 0,
        takings: [],
        aliases: new Map(),
        given: new Map(),
      })
      return
    }
    const line = 'conn' in input ? this.lines.get(input.conn.generation) : undefined
    if (line === undefined || line.endedAt !== null) return
    if (input._tag === 'Written') {
      line.takenBytes = Math.max(line.takenBytes, input.total)
      line.takings.push({ at: this.now, total: input.total })
    }
    if (input._tag === 'Continued') {
      line.heardAt = this.now
      line.continuedAt = this.now
    }
    if (input._tag !== 'Arrived') return
    line.heardAt = this.now
    line.continuedAt = null
    const { packet } = input
    if (packet._tag === 'Connect' && line.connect === null) {
      line.connect = packet
      line.level = packet.level
      line.keepAliveS = packet.keepAliveS
      line.mountPoint = rulesOf(this.config, line.listener).mountPoint
    }
    const isEnded = effects.some((one) =>
      one._tag === 'Note' && one.note._tag === 'ConnectionEnded' &&
      one.note.conn.generation === input.conn.generation
    )
    const session = this.livingAt(input.conn)
    // An answer that ends its connection answers nothing.
    if (session !== undefined && !isEnded) this.answered(session, packet)
  }

  private answered({ flying }: Living, packet: Packet): void {
    if (packet._tag !== 'Puback' && packet._tag !== 'Pubrec' && packet._tag !== 'Pubcomp') return
    const sent = flying.get(packet.packetId)
    if (sent === undefined) return
    const when = this.since(this.now)
    if (packet._tag === 'Pubrec' && packet.reason < 0x80) {
      if (sent.stage === 'sent') sent.words.push(`received at ${when} (PUBREC)`)
      if (sent.stage === 'sent') sent.stage = 'received'
      return
    }
    const by = packet._tag.toUpperCase()
    if (sent.stage !== 'over') {
      sent.words.push(
        packet.reason >= 0x80
          ? `refused by the client at ${when} (${by} ${hex(packet.reason)})`
          : `acknowledged at ${when} (${by})`,
      )
    }
    sent.stage = 'over'
    flying.delete(packet.packetId)
  }

  private effect(
    effect: Effect,
    input: Input,
    effects: ReadonlyArray<Effect>,
    index: number,
  ): void {
    if (effect._tag === 'Note') return this.noted(effect.note, effects, index)
    if (effect._tag !== 'Send' && effect._tag !== 'Multicast') return
    const { packet, level } = effect
    for (const conn of effect._tag === 'Send' ? [effect.conn] : effect.conns) {
      const line = this.lines.get(conn.generation)
      if (line === undefined) continue
      line.sentBytes += encodedSize(level, packet)
      if (packet._tag === 'Connack') {
        line.keepAliveS = packet.properties.serverKeepAlive ?? line.keepAliveS
      }
      if (packet._tag === 'Publish') this.sent(line, packet)
      if (packet._tag === 'Suback' && input._tag === 'Arrived') {
        this.subscribed(line, input.packet, packet.reasons)
      }
      if (packet._tag === 'Unsuback' && input._tag === 'Arrived') {
        this.unsubscribed(line, input.packet)
      }
    }
  }

  private change(clientId: string, filter: string, what: Change['what'], reason = 0): void {
    const { now: at, step } = this
    this.changes.push({ at, step, clientId, filter, what, reason })
  }

  private subscribed(line: Line, packet: Packet, reasons: ReadonlyArray<number>): void {
    const session = this.livingAt(line.conn)
    if (packet._tag !== 'Subscribe' || session === undefined) return
    packet.requests.forEach((request, i) => {
      const filter = mountedAt(line.mountPoint, request.filter)
      const reason = reasons[i]!
      this.change(session.clientId, filter, reason < 0x80 ? 'subscribed' : 'refused', reason)
      if (reason >= 0x80) return
      session.subs.set(filter, {
        filter,
        group: sharedIn(filter)?.group ?? null,
        qos: reason,
        noLocal: request.noLocal || (line.connect?.bridge === true && line.level < 5),
      })
    })
  }

  private unsubscribed(line: Line, packet: Packet): void {
    const session = this.livingAt(line.conn)
    if (packet._tag !== 'Unsubscribe' || session === undefined) return
    for (const one of packet.filters) {
      const filter = mountedAt(line.mountPoint, one)
      if (session.subs.delete(filter)) this.change(session.clientId, filter, 'unsubscribed')
    }
  }

  private noted(note: Note, effects: ReadonlyArray<Effect>, index: number): void {
    if (note._tag === 'ClientConnected') this.connected(note)
    if (note._tag === 'Dropped') this.dropped(note, effects, index)
    if (note._tag === 'ConnectionEnded') {
      const line = this.lines.get(note.conn.generation)
      if (line !== undefined) line.endedAt = this.now
      const session = this.livingAt(note.conn)
      if (session === undefined) return
      session.line = null
      session.offlineAt = this.now
      for (const sent of session.flying.values()) {
        const isShared = [...session.subs].some(([whole, { filter }]) =>
          whole.startsWith('$share/') && isFor(filter, sent.topic)
        )
        if (sent.stage === 'sent' && sent.qos === 1 && isShared) sent.mayBeGone = true
      }
    }
    if (note._tag === 'SessionEnded') {
      const session = this.living.get(note.clientId)
      if (session === undefined) return
      for (const sent of session.flying.values()) {
        if (sent.stage === 'over') continue
        sent.sessionEndedAt = this.now
        sent.words.push(
          `not acknowledged: its session ended at ${this.since(this.now)} ${endedWords[note.why]}`,
        )
        sent.stage = 'over'
      }
      for (const filter of session.subs.keys()) this.change(note.clientId, filter, 'lost')
      this.living.delete(note.clientId)
    }
  }

  private connected({ conn, clientId, level }: NoteOf<'ClientConnected'>): void {
    const line = this.lines.get(conn.generation)
    if (line === undefined) return
    line.clientId = clientId
    // Its will is from its CONNECT, and what it does is by the rules of when it was let in.
    line.willMountPoint = line.mountPoint
    line.mountPoint = rulesOf(this.config, line.listener).mountPoint
    line.connectedAt = this.now
    line.level = level
    const session: Living = this.living.get(clientId) ?? {
      number: this.sessions++,
      clientId,
      line: null,
      lately: line,
      offlineAt: Infinity,
      mountPoint: '',
      subs: new Map(),
      flying: new Map(),
      sentCountMax: 0,
    }
    const own = this.config.inflightCountMax
    session.line = line
    session.lately = line
    session.offlineAt = Infinity
    session.mountPoint = line.mountPoint
    session.sentCountMax = Math.min(
      line.connect?.properties.receiveMaximum ?? 65_535,
      own === 0 ? 65_535 : own,
    )
    this.living.set(clientId, session)
  }

  private sent(line: Line, packet: Publish): void {
    const session = this.livingAt(line.conn) ??
      [...this.living.values()].find(({ clientId }) => clientId === line.clientId)
    if (session === undefined) return
    const { properties, packetId, qos, payload, retain } = packet
    if (packet.topic !== '' && properties.topicAlias !== undefined) {
      line.given.set(properties.topicAlias, packet.topic)
    }
    const shown = packet.topic === ''
      ? line.given.get(properties.topicAlias ?? 0) ?? ''
      : packet.topic
    const topic = line.mountPoint + shown
    const when = this.since(this.now)
    const old = session.flying.get(packetId)
    if (packet.dup && old !== undefined) {
      old.words.push(`sent again at ${when} with DUP`)
      old.line = line
      old.mayBeGone = false
      old.carried.push({ line, end: line.sentBytes })
      return
    }
    const as = line.mountPoint === '' ? '' : ` as '${shown}'`
    const flags = retain ? ', with RETAIN' : ''
    const how = qos === 0
      ? `QoS 0${flags}, which nobody acknowledges`
      : `QoS ${qos} and packet id ${packetId}${flags}`
    const sent: Sent = {
      clientId: session.clientId,
      session: session.number,
      topic,
      body: bodyOf(payload),
      qos,
      packetId,
      step: this.step,
      at: this.now,
      line,
      carried: [{ line, end: line.sentBytes }],
      words: [`delivered at ${when}${as} with ${how}`],
      isRetain: retain,
      stage: qos === 0 ? 'over' : 'sent',
      sessionEndedAt: null,
      isVague: false,
      mayBeGone: false,
    }
    this.sents.push(sent)
    if (qos === 0) return
    session.flying.delete(packetId)
    session.flying.set(packetId, sent)
  }

  /** What cannot be sent again is given up: of QoS 2 a PUBREL says which. */
  private dropped(
    { clientId, topic, why, qos: dropped }: NoteOf<'Dropped'>,
    effects: ReadonlyArray<Effect>,
    index: number,
  ): void {
    const session = clientId === null ? undefined : this.living.get(clientId)
    if (session === undefined || session.line === null) return
    if (this.isPublishing || (why !== 'too large' && why !== 'not allowed')) return
    const last = effects[index - 1]
    const unsent = [...session.flying].filter(([, sent]) =>
      sent.stage === 'sent' && sent.topic === topic && sent.qos === dropped &&
      sent.line !== session.line
    )
    const released = last?._tag === 'Send' && last.packet._tag === 'Pubrel'
      ? last.packet.packetId
      : 0
    const found = unsent.find(([packetId, { qos }]) => qos === 2 && packetId === released) ??
      unsent.find(([, { qos }]) => qos === 1)
    if (found === undefined) return
    const [packetId, sent] = found
    // What is published as a will in the same step may be what was refused; and where another of
    // its group has the one, it may be what waited behind it.
    const isMore = unsent.length > 1 || sent.mayBeGone ||
      effects.some((one) =>
        one._tag === 'Note' && one.note._tag === 'WillPublished' && one.note.topic === topic
      )
    for (const [, one] of unsent) one.isVague = isMore
    sent.words.push(`given up at ${this.since(this.now)}, ${why}`)
    sent.stage = 'over'
    // An identifier of QoS 2 stays in use until its PUBREL is answered.
    if (sent.qos === 1) session.flying.delete(packetId)
  }
}

/** All that was seen of a day that began with a broker of this configuration. */
export const dayOf = (
  config: Config,
  began: number,
  inputs: ReadonlyArray<Input>,
  effects: ReadonlyArray<ReadonlyArray<Effect>>,
): Day => {
  const watcher = new Watcher(config, began)
  const steps = inputs.map((input, i) => watcher.take(i, input, effects[i]!))
  const { sents, changes, now } = watcher
  return { began, steps, sents, changes, last: watcher.world(), endedAt: now }
}

/** The subscriptions of a session that are for a topic. */
export const subsFor = ({ subs }: Session, topic: string): ReadonlyArray<Sub> =>
  [...subs.values()].filter(({ filter }) => isFor(filter, topic))
