// A client that keeps its side of the protocol across connections, and writes down what it saw. It
// answers at once unless it is told to be silent, and after a loss goes on where the session is.

import { none } from '../../core/mod.ts'
import type { Properties } from '../../core/codec/properties.ts'
import type { Level, Packet, Publish, Qos, Will } from '../../core/codec/packet.ts'
import { parseTopicFilter } from '../../core/topic/filter.ts'
import { parseTopicName } from '../../core/topic/name.ts'
import * as B from '../../core/data/bytes.ts'
import type { Line, Socket, World } from './world.ts'

/** What somebody saw, in the order in which it happened. */
export type Event =
  | { readonly _tag: 'sent' | 'got'; readonly who: string; readonly packet: Packet }
  | { readonly _tag: 'closed'; readonly who: string }
  | { readonly _tag: 'crash' | 'restart' }

export interface Seen {
  readonly time: number
  readonly event: Event
}

export type Answer = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

export interface Order {
  readonly level: Level
  readonly clean: boolean
  readonly expiryS: number
  readonly will: Will | null
  readonly receiveMaximum: number
  /** Maximum Packet Size, 0 for none. */
  readonly packetBytesMax: number
}

const right = <A>(either: { _tag: 'Left'; left: string } | { _tag: 'Right'; right: A }): A => {
  if (either._tag === 'Left') throw new Error(either.left)
  return either.right
}

export const topicOf = (text: string) => right(parseTopicName(text))
const filterOf = (text: string) => right(parseTopicFilter(text))

export const bytesOf = (text: string): B.Bytes =>
  B.of(Uint8Array.from([...text], (letter) => letter.charCodeAt(0)))

/** One of its own publishes that is not done. */
interface Owed {
  readonly packet: Publish
  /** The connection that it was sent on first. */
  readonly line: Line
  isReceived: boolean
}

export const isDurable = ({ level, clean, expiryS }: Order): boolean =>
  level === 5 ? expiryS > 0 : !clean

export class Client implements Socket {
  readonly name: string
  order: Order | null = null
  /** Answers that are not given. */
  readonly mute = new Set<Answer>()
  private line: Line | null = null
  private readonly world: World
  private readonly seen: Array<Seen>
  private readonly owed = new Map<number, Owed>()
  /** QoS 2 messages that were received and not released. */
  private readonly received = new Set<number>()
  private lastId = 0

  constructor(name: string, world: World, seen: Array<Seen>) {
    this.name = name
    this.world = world
    this.seen = seen
  }

  get level(): Level {
    return this.order!.level
  }

  get isConnected(): boolean {
    return this.line !== null
  }

  /** Publishes whose exchange is not over. */
  get owedCount(): number {
    return this.owed.size
  }

  private note(event: Event): void {
    this.seen.push({ time: this.world.time, event })
  }

  private send(packet: Packet): void {
    if (this.line === null) return
    this.note({ _tag: 'sent', who: this.name, packet })
    this.world.send(this.line, packet)
  }

  connect(order: Order): void {
    this.order = order
    // A second connection takes the session over: what the first one hears is nobody's any more.
    this.deafen()
    this.mute.clear()
    if (order.clean) this.forget()
    this.line = this.world.open(this)
    const { level, clean, expiryS, will, receiveMaximum, packetBytesMax } = order
    const properties: Properties = level < 5 ? none : {
      sessionExpiryInterval: expiryS,
      ...(receiveMaximum === 0 ? {} : { receiveMaximum }),
      ...(packetBytesMax === 0 ? {} : { maximumPacketSize: packetBytesMax }),
    }
    this.send({
      _tag: 'Connect',
      level,
      bridge: false,
      cleanStart: clean,
      keepAliveS: 0,
      clientId: this.name,
      will,
      userName: null,
      password: null,
      properties,
    })
  }

  hear(packet: Packet): void {
    this.note({ _tag: 'got', who: this.name, packet })
    switch (packet._tag) {
      case 'Connack':
        return this.resume(packet.sessionPresent, packet.reason)
      case 'Publish':
        return this.take(packet)
      case 'Pubrel':
        this.received.delete(packet.packetId)
        return this.answer('pubcomp', packet.packetId)
      case 'Puback':
        this.owed.delete(packet.packetId)
        return
      case 'Pubrec': {
        const owed = this.owed.get(packet.packetId)
        if (packet.reason >= 0x80) this.owed.delete(packet.packetId)
        else {
          if (owed !== undefined) owed.isReceived = true
          this.answer('pubrel', packet.packetId)
        }
        return
      }
      case 'Pubcomp':
        this.owed.delete(packet.packetId)
    }
  }

  private take({ qos, packetId }: Publish): void {
    if (qos === 1) this.answer('puback', packetId)
    if (qos !== 2) return
    this.received.add(packetId)
    this.answer('pubrec', packetId)
  }

  private answer(kind: Answer, packetId: number): void {
    if (this.mute.has(kind)) return
    const tags = {
      puback: 'Puback',
      pubrec: 'Pubrec',
      pubrel: 'Pubrel',
      pubcomp: 'Pubcomp',
    } as const
    this.send({ _tag: tags[kind], packetId, reason: 0, properties: none })
  }

  /** Who begins anew has nothing left of before. */
  private forget(): void {
    this.owed.clear()
    this.received.clear()
  }

  private resume(said: boolean, reason: number): void {
    if (reason !== 0) return
    // Version 3.1 does not say, and goes on as if there were one.
    const isPresent = said || (this.level === 3 && !this.order!.clean)
    if (!isPresent) this.received.clear()
    for (const [packetId, { packet, line, isReceived }] of [...this.owed]) {
      // It did not wait for CONNACK.
      if (line === this.line) continue
      if (!isPresent) this.owed.delete(packetId)
      else if (isReceived) this.answer('pubrel', packetId)
      else this.send({ ...packet, dup: true })
    }
  }

  closed(): void {
    if (this.line === null || this.line.isOpen) return
    this.note({ _tag: 'closed', who: this.name })
    this.line = null
  }

  /** The connection is lost, or given up. */
  leave(why: 'closed' | 'failed'): void {
    const { line } = this
    if (line === null) return
    this.line = null
    this.note({ _tag: 'closed', who: this.name })
    this.world.cut(line, why)
  }

  deafen(): void {
    if (this.line !== null) this.line.isDeaf = true
  }

  disconnect(reason: number, expiryS: number | null): void {
    const properties = expiryS === null || this.level < 5
      ? none
      : { sessionExpiryInterval: expiryS }
    this.send({ _tag: 'Disconnect', reason, properties })
  }

  private nextId(): number {
    do this.lastId = this.lastId % 100 + 1
    while (this.owed.has(this.lastId))
    return this.lastId
  }

  publish(topic: string, payload: string, qos: Qos, retain: boolean, expiryS: number | null): void {
    const packet: Publish = {
      _tag: 'Publish',
      dup: false,
      qos,
      retain,
      topic: topicOf(topic),
      packetId: qos === 0 ? 0 : this.nextId(),
      payload: bytesOf(payload),
      properties: expiryS === null ? none : { messageExpiryInterval: expiryS },
    }
    const { line } = this
    if (line === null) return
    if (qos > 0) this.owed.set(packet.packetId, { packet, line, isReceived: false })
    this.send(packet)
  }

  subscribe(filter: string, qos: Qos): void {
    this.send({
      _tag: 'Subscribe',
      packetId: this.nextId(),
      requests: [{
        filter: filterOf(filter),
        qos,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      }],
      properties: none,
    })
  }

  unsubscribe(filter: string): void {
    this.send({
      _tag: 'Unsubscribe',
      packetId: this.nextId(),
      filters: [filterOf(filter)],
      properties: none,
    })
  }
}
