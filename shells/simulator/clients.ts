// Simulated clients: programs that speak MQTT as a good library does. A client acknowledges what it
// gets, pings in time, sends again what was not acknowledged when it finds its session, and never
// acts twice on one QoS 2 message. It connects only when it is told to.

import { encode } from '../../core/codec/encode.ts'
import { defaultLimits } from '../../core/codec/limits.ts'
import type { Payload, SubscribeWish } from '../../core/codec/make.ts'
import * as make from '../../core/codec/make.ts'
import type { Level, Packet, PacketTag, Publish, Qos } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/properties.ts'
import { none } from '../../core/codec/properties.ts'
import type { Reader } from '../../core/codec/reader.ts'
import { createReader } from '../../core/codec/reader.ts'
import { reasonName } from '../../core/codec/reason.ts'
import { decodeUtf8 } from '../../core/codec/utf8.ts'
import { ownPacket } from '../../core/codec/own.ts'
import { view } from '../../core/data/bytes.ts'
import { showBytes } from '../../core/trace/words.ts'
import type { Clock, Plan } from './clock.ts'
import type { Arrivals, Connection } from './net.ts'
import type { ClientWish, PublishOptions } from './options.ts'
import {
  checkConnect,
  checkLevel,
  checkPacket,
  checkPublish,
  checkSent,
  checkSubscribe,
  checkTag,
  checkUnsubscribe,
} from './shapes.ts'

/** A message that reached a client. */
export interface Delivery {
  /** Since the world began. */
  readonly atMs: number
  readonly topic: string
  /** As text; bytes that are not UTF-8 as `0xff00`. */
  readonly payload: string
  readonly bytes: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly dup: boolean
  readonly properties: Properties
}

/** What a client needs of its world. */
export interface Surroundings {
  readonly clock: Clock
  open(arrivals: Arrivals): Connection
  /** Lets everything happen that is due now. */
  settle(): void
}

interface Unacknowledged {
  readonly publish: Publish
  isReleased: boolean
}

const idMax = 65_535

/** A simulated client, which `world.connect` makes. Its calls answer itself, to be chained. */
export class Client {
  /** Its name in the world, which is its client identifier unless it asks for another. */
  readonly name: string
  private readonly world: Surroundings
  private wish: ClientWish
  private connection: Connection | null = null
  private reader: Reader = createReader(defaultLimits, 5)
  private readonly unacknowledged = new Map<number, Unacknowledged>()
  /** Publishes that were not sent yet, or not again, for want of a connection or of room. */
  private unsent: Array<Publish> = []
  /** QoS 2 messages that were taken and not released. */
  private readonly unreleased = new Set<number>()
  private readonly aliases = new Map<number, Publish['topic']>()
  private lastId = 0
  private windowMax = idMax
  private keepAliveMs = 0
  private lastSentAt = 0
  /** Why it is 'refused'. */
  private refusal = 0
  /** The next PINGREQ. */
  private ping: Plan | null = null
  /** `refused` after a CONNACK that says no; `closed` before the first CONNECT. */
  status: 'closed' | 'connecting' | 'connected' | 'refused' = 'closed'
  /** Every packet that came, oldest first. */
  received: Array<Packet> = []
  /** Every message that came, oldest first; one of QoS 2 once. */
  deliveries: Array<Delivery> = []

  constructor(name: string, world: Surroundings, wish: ClientWish) {
    this.name = name
    this.world = world
    this.wish = wish
  }

  /** The newest packet of a kind that came, or undefined. */
  last<Tag extends PacketTag>(tag: Tag): Extract<Packet, { _tag: Tag }> | undefined {
    checkTag(tag)
    for (let i = this.received.length - 1; i >= 0; i--) {
      const packet = this.received[i]!
      if (isOf(packet, tag)) return packet
    }
    return undefined
  }

  /**
   * Opens a connection and sends CONNECT: as last time, but for what `wish` says. A former
   * connection is left to itself; the broker takes the session over.
   */
  connect(wish: ClientWish = {}): this {
    checkConnect(wish)
    const all = { ...this.wish, ...wish }
    // What of it is in CONNECT, and what is not.
    const { sessionExpiryS, pings = true, acknowledges: _, ...said } = all
    const { level = 5, keepAliveS = 60, properties = none, will } = said
    checkLevel('connect', level, {
      sessionExpiryS,
      properties,
      'properties of the will': will?.properties,
    })
    const connect = make.connect({
      ...said,
      clientId: said.clientId ?? this.name,
      properties: sessionExpiryS === undefined
        ? written(properties)
        : { ...written(properties), sessionExpiryInterval: sessionExpiryS },
      ...(will === undefined
        ? {}
        : { will: { ...will, properties: written(will.properties ?? none) } }),
    })
    // Throws for what fits no packet, before anything is changed.
    encode(level, connect)
    this.wish = all
    this.reader = createReader({ ...defaultLimits, packetBytesMax: 0x0fffffff }, level)
    this.aliases.clear()
    this.status = 'connecting'
    this.keepAliveMs = pings ? keepAliveS * 1_000 : 0
    const arrivals: Arrivals = {
      bytes: (bytes) => this.connection === connection && this.read(bytes),
      gone: () => this.connection === connection && this.lost(),
    }
    const connection = this.world.open(arrivals)
    this.connection = connection
    this.send(connect)
    this.planPing(connection)
    return this
  }

  /** Subscribes to one filter or several, at QoS 0 unless said otherwise. */
  subscribe(
    wishes: string | SubscribeWish | ReadonlyArray<string | SubscribeWish>,
    qos: Qos = 0,
  ): this {
    const all = typeof wishes === 'string' || !isList(wishes) ? [wishes] : wishes
    checkSubscribe(all, qos)
    const named = all.map((wish) => typeof wish === 'string' ? { filter: wish, qos } : wish)
    for (const { filter: _filter, qos: _qos, ...others } of named) {
      checkLevel('subscribe', this.level, others)
    }
    return this.send(make.subscribe(named, this.freshId()))
  }

  /** Unsubscribes from filters, each as it was subscribed to. */
  unsubscribe(...filters: ReadonlyArray<string>): this {
    checkUnsubscribe(filters)
    const { requests } = make.subscribe(filters)
    return this.send({
      _tag: 'Unsubscribe',
      packetId: this.freshId(),
      filters: requests.map(({ filter }) => filter),
      properties: none,
    })
  }

  /**
   * Publishes. QoS 1 and 2 wait until there is a connection, and room in the broker's Receive
   * Maximum; QoS 0 without a connection throws.
   */
  publish(topic: string, payload: Payload = '', options: PublishOptions = {}): this {
    checkPublish(topic, payload, options)
    const { qos = 0, properties = none } = options
    checkLevel('publish', this.level, { properties })
    const packetId = qos === 0 ? 0 : this.freshId()
    const packet = make.publish({
      ...options,
      topic,
      payload,
      qos,
      packetId,
      properties: written(properties),
    })
    if (qos === 0) return this.send(packet)
    // Throws for what fits no packet, which would wait for ever.
    encode(this.level, packet)
    this.unsent.push(packet)
    this.sendUnsent()
    this.world.settle()
    return this
  }

  /** Says goodbye; 0x04 has the broker publish the will all the same. */
  disconnect(reason = 0): this {
    checkLevel('disconnect', this.level, { 'a reason': reason })
    this.send({ _tag: 'Disconnect', reason, properties: none })
    this.connection?.end()
    this.lost()
    this.world.settle()
    return this
  }

  /** Sends any packet as it is. */
  send(packet: Packet): this {
    checkPacket(packet)
    this.put(
      'properties' in packet ? { ...packet, properties: written(packet.properties) } : packet,
    )
    this.world.settle()
    return this
  }

  /** Sends any bytes, which need not be a packet. */
  write(bytes: Uint8Array): this {
    checkSent('write', bytes)
    this.connected().send(bytes)
    this.world.settle()
    return this
  }

  /** Forgets what it has got, for tests with more than one act. */
  forget(): this {
    this.received = []
    this.deliveries = []
    return this
  }

  /** Its connection is no more, and it knows. */
  lost(): void {
    this.connection = null
    if (this.status !== 'refused') this.status = 'closed'
  }

  private get level(): Level {
    return this.wish.level ?? 5
  }

  private connected(): Connection {
    if (this.connection !== null) return this.connection
    throw new Error(
      this.status === 'refused'
        ? `the broker has refused ${this.name}: ${reasonName('Connack', this.refusal)}`
        : `${this.name} has no connection: let it connect() first`,
    )
  }

  private put(packet: Packet): void {
    this.connected().send(encode(this.level, packet))
    this.lastSentAt = this.world.clock.now
  }

  private planPing(connection: Connection): void {
    if (this.ping !== null) this.ping.isOff = true
    if (this.keepAliveMs === 0) return
    this.ping = this.world.clock.at(this.lastSentAt + this.keepAliveMs, () => {
      if (this.connection !== connection) return
      if (this.world.clock.now >= this.lastSentAt + this.keepAliveMs) this.put({ _tag: 'Pingreq' })
      this.planPing(connection)
    })
  }

  private freshId(): number {
    for (let tries = 0; tries < idMax; tries++) {
      this.lastId = this.lastId % idMax + 1
      const id = this.lastId
      const isFree = !this.unacknowledged.has(id) &&
        !this.unsent.some(({ packetId }) => packetId === id)
      if (isFree) return id
    }
    throw new Error(`${this.name} has no packet identifier left: ${idMax} publishes wait`)
  }

  private read(bytes: Uint8Array): void {
    const { reader, connection } = this
    reader.push(bytes, 0, bytes.length)
    while (this.connection === connection) {
      const found = reader.next()
      if (found === null) break
      if (found._tag === 'Left') {
        throw new Error(`the broker sent ${this.name} what is no packet: ${found.left.detail}`)
      }
      const packet = ownPacket(found.right)
      this.received.push(packet)
      this.handle(packet)
    }
    reader.release()
  }

  private handle(packet: Packet): void {
    switch (packet._tag) {
      case 'Connack':
        if (packet.reason === 0) return this.welcome(packet.sessionPresent, packet.properties)
        this.status = 'refused'
        this.refusal = packet.reason
        return
      case 'Publish':
        return this.take(packet)
      case 'Pubrel':
        this.unreleased.delete(packet.packetId)
        return this.acknowledge('Pubcomp', packet.packetId)
      case 'Pubrec': {
        const sent = this.unacknowledged.get(packet.packetId)
        if (sent === undefined || packet.reason >= 0x80) break
        sent.isReleased = true
        return this.acknowledge('Pubrel', packet.packetId)
      }
      case 'Puback':
      case 'Pubcomp':
        break
      default:
        return
    }
    this.unacknowledged.delete(packet.packetId)
    this.sendUnsent()
  }

  private welcome(sessionPresent: boolean, properties: Properties): void {
    this.status = 'connected'
    this.windowMax = properties.receiveMaximum ?? idMax
    const { serverKeepAlive } = properties
    if (serverKeepAlive !== undefined && this.wish.pings !== false) {
      this.keepAliveMs = serverKeepAlive * 1_000
      if (this.connection !== null) this.planPing(this.connection)
    }
    if (!sessionPresent) {
      // The broker knows nothing of them, and an identifier may mean something else by now.
      this.unacknowledged.clear()
      this.unreleased.clear()
      this.unsent = this.unsent.filter(({ dup }) => !dup)
    }
    this.sendAgain()
    this.sendUnsent()
  }

  /** What the broker has no room for, since it takes less at once than last time, is sent later. */
  private sendAgain(): void {
    const all = [...this.unacknowledged]
    let room = this.windowMax - all.filter(([, { isReleased }]) => isReleased).length
    const late: Array<Publish> = []
    for (const [packetId, { publish, isReleased }] of all) {
      const again = { ...publish, dup: true }
      if (isReleased) this.put({ _tag: 'Pubrel', packetId, reason: 0, properties: none })
      else if (room-- > 0) this.put(again)
      else {
        this.unacknowledged.delete(packetId)
        late.push(again)
      }
    }
    this.unsent = [...late, ...this.unsent]
  }

  private sendUnsent(): void {
    while (this.status === 'connected' && this.unacknowledged.size < this.windowMax) {
      const publish = this.unsent.shift()
      if (publish === undefined) return
      this.unacknowledged.set(publish.packetId, { publish, isReleased: false })
      this.put(publish)
    }
  }

  private take(packet: Publish): void {
    const { qos, packetId } = packet
    if (qos < 2 || !this.unreleased.has(packetId)) this.deliver(packet)
    if (qos === 2) this.unreleased.add(packetId)
    if (qos > 0) this.acknowledge(qos === 1 ? 'Puback' : 'Pubrec', packetId)
  }

  private deliver({ topic, payload, qos, retain, dup, properties }: Publish): void {
    const { topicAlias } = properties
    if (topicAlias !== undefined && topic !== '') this.aliases.set(topicAlias, topic)
    const named = topicAlias === undefined ? topic : this.aliases.get(topicAlias) ?? topic
    const { buffer, start, end } = payload
    this.deliveries.push({
      atMs: this.world.clock.now,
      topic: named,
      payload: decodeUtf8(buffer, start, end) ?? showBytes(payload),
      bytes: view(payload),
      qos,
      retain,
      dup,
      properties,
    })
  }

  private acknowledge(tag: 'Puback' | 'Pubrec' | 'Pubrel' | 'Pubcomp', packetId: number): void {
    if (this.wish.acknowledges === false) return
    this.put({ _tag: tag, packetId, reason: 0, properties: none })
  }
}

/** Without those that are undefined: what is there goes on the wire. */
const written = (properties: Properties): Properties => {
  const found = Object.entries(properties)
  return found.every(([, value]) => value !== undefined)
    ? properties
    : Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

const isList = <A>(one: A | ReadonlyArray<A>): one is ReadonlyArray<A> => Array.isArray(one)

const isOf = <Tag extends PacketTag>(
  packet: Packet,
  tag: Tag,
): packet is Extract<Packet, { _tag: Tag }> => packet._tag === tag
