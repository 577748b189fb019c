// The two clients, as tiny state machines that keep every rule: they answer at once, and after a
// resumed connection they go on with what is unfinished, in order, with DUP. They are values, so
// that a search can go on from each of them in every way. What they may not be sent is thrown.

import type { Packet, Publish } from '../../core/codec/packet.ts'
import { none } from '../../core/codec/properties.ts'
import * as Make from '../../core/codec/make.ts'
import { EXPIRY_NEVER_S } from '../../core/mod.ts'
import type { Setting } from './setting.ts'
import { letters, packetIdMax } from './setting.ts'

export const topic = 't'

/** A law was broken: the search stops and tells how it came to it. */
export const broken = (law: string): never => {
  throw new Error(law)
}

/** A client's first, second or third connection. */
export type Nth = 1 | 2 | 3

interface Connection {
  /** How many connections were begun; the first one is when everything begins. */
  readonly conns: Nth
  /** CONNACK has come. */
  readonly isOnline: boolean
}

/** A message that the publisher has not finished with. */
interface Unfinished {
  readonly packetId: number
  readonly message: number
  readonly stage: 'published' | 'released'
  /** Whether its PUBLISH went out on this connection, and so counts for Receive Maximum. */
  readonly counts: boolean
}

export interface Publisher extends Connection {
  readonly role: 'publisher'
  /** How many messages were begun. */
  readonly begun: number
  /** In order of publishing. */
  readonly unfinished: ReadonlyArray<Unfinished>
}

export interface Subscriber extends Connection {
  readonly role: 'subscriber'
  readonly isSubscribed: boolean
  /** Identifiers of QoS 2 messages that were received and not released. */
  readonly received: ReadonlyArray<number>
  /** Payloads that the application was given, in order. */
  readonly log: string
}

export type Client = Publisher | Subscriber
export type Role = Client['role']

/** A client afterwards, and what it sends. */
export type Turn<A extends Client> = readonly [A, ReadonlyArray<Packet>]

export const newPublisher: Publisher = {
  role: 'publisher',
  conns: 1,
  isOnline: false,
  begun: 0,
  unfinished: [],
}

export const newSubscriber: Subscriber = {
  role: 'subscriber',
  conns: 1,
  isOnline: false,
  isSubscribed: false,
  received: [],
  log: '',
}

export const levelOf = (setting: Setting, role: Role): Setting['publisherLevel'] =>
  role === 'publisher' ? setting.publisherLevel : setting.subscriberLevel

export const connectOf = (setting: Setting, { role, conns }: Client): Packet => {
  const level = levelOf(setting, role)
  return Make.connect({
    clientId: role,
    level,
    cleanStart: false,
    keepAliveS: 0,
    properties: level < 5 ? none : {
      sessionExpiryInterval: EXPIRY_NEVER_S,
      receiveMaximum: role === 'publisher' ? 2 : setting.subscriberReceiveMaximums[conns - 1]!,
    },
  })
}

/** The connection is lost and a new one begun, if it may be; what it sends first is its CONNECT. */
export const reconnected = ({ losses }: Setting, client: Client): Client | null =>
  client.conns > losses ? null : { ...client, conns: client.conns === 1 ? 2 : 3, isOnline: false }

const publishOf = (setting: Setting, message: number, packetId: number, dup: boolean): Publish =>
  Make.publish({
    topic,
    payload: letters[message]!,
    qos: setting.publishes[message]!,
    packetId,
    dup,
  })

const pubrelOf = (packetId: number): Packet => ({
  _tag: 'Pubrel',
  packetId,
  reason: 0,
  properties: none,
})

/** Publishes the next message, if there is one and it may be sent; null otherwise. */
export const publishNext = (setting: Setting, publisher: Publisher): Turn<Publisher> | null => {
  const { begun, unfinished } = publisher
  if (!publisher.isOnline || begun === setting.publishes.length) return null
  const counting = unfinished.filter((one) => one.counts).length
  if (setting.publisherLevel === 5 && counting >= setting.receiveMaximum) return null
  let packetId = 1
  while (unfinished.some((one) => one.packetId === packetId)) packetId++
  if (packetId > packetIdMax) return null
  const next: Unfinished = { packetId, message: begun, stage: 'published', counts: true }
  return [
    { ...publisher, begun: begun + 1, unfinished: [...unfinished, next] },
    [publishOf(setting, begun, packetId, false)],
  ]
}

const without = (publisher: Publisher, packetId: number): Publisher => ({
  ...publisher,
  unfinished: publisher.unfinished.filter((one) => one.packetId !== packetId),
})

/** What the publisher makes of a packet. */
export const publisherHears = (
  setting: Setting,
  publisher: Publisher,
  packet: Packet,
): Turn<Publisher> => {
  if (packet._tag === 'Connack') {
    const unfinished = publisher.unfinished.map((one) => ({
      ...one,
      counts: one.stage === 'published',
    }))
    const again = unfinished.map(({ stage, message, packetId }) =>
      stage === 'released' ? pubrelOf(packetId) : publishOf(setting, message, packetId, true)
    )
    return [{ ...publisher, isOnline: true, unfinished }, again]
  }
  if (packet._tag !== 'Puback' && packet._tag !== 'Pubrec' && packet._tag !== 'Pubcomp') {
    return broken(`the publisher was sent ${packet._tag}`)
  }
  const { packetId } = packet
  const found = publisher.unfinished.find((one) => one.packetId === packetId)
  if (found === undefined) return broken(`${packet._tag} ${packetId} answers nothing`)
  const expected = setting.publishes[found.message] === 1
    ? 'Puback'
    : found.stage === 'published'
    ? 'Pubrec'
    : 'Pubcomp'
  if (packet._tag !== expected) return broken(`${packet._tag} ${packetId} where ${expected} is due`)
  if (packet._tag !== 'Pubrec') return [without(publisher, packetId), []]
  const unfinished = publisher.unfinished.map((one) =>
    one === found ? { ...one, stage: 'released' as const } : one
  )
  return [{ ...publisher, unfinished }, [pubrelOf(packetId)]]
}

const subscribe: Packet = Make.subscribe({ filter: topic, qos: 1 })
const subscribe2: Packet = Make.subscribe({ filter: topic, qos: 2 })

/** The application is given a message: QoS 2 once, and the first copies in order. */
const deliver = (setting: Setting, { log }: Subscriber, { payload, qos }: Publish): string => {
  const letter = String.fromCharCode(payload.buffer[payload.start]!)
  const message = letters.indexOf(letter)
  if (qos === 2 && log.includes(letter)) broken(`${letter} of QoS 2 is delivered twice`)
  for (let earlier = 0; earlier < message; earlier++) {
    // Order is promised among messages of one quality. [MQTT-4.6.0-5]
    if (setting.publishes[earlier] !== setting.publishes[message]) continue
    if (!log.includes(letters[earlier]!)) {
      broken(`${letter} is delivered before ${letters[earlier]}`)
    }
  }
  return log + letter
}

/** What the subscriber makes of a packet. */
export const subscriberHears = (
  setting: Setting,
  subscriber: Subscriber,
  packet: Packet,
): Turn<Subscriber> => {
  switch (packet._tag) {
    case 'Connack':
      return [
        { ...subscriber, isOnline: true },
        subscriber.isSubscribed ? [] : [setting.granted === 2 ? subscribe2 : subscribe],
      ]
    case 'Suback':
      if (packet.reasons.join() !== String(setting.granted)) broken(`SUBACK ${packet.reasons}`)
      return [{ ...subscriber, isSubscribed: true }, []]
    case 'Publish': {
      const { packetId, qos } = packet
      const { received } = subscriber
      if (qos === 2 && received.includes(packetId)) {
        return [subscriber, [{ _tag: 'Pubrec', packetId, reason: 0, properties: none }]]
      }
      const log = deliver(setting, subscriber, packet)
      return qos === 2
        ? [
          { ...subscriber, log, received: [...received, packetId] },
          [{ _tag: 'Pubrec', packetId, reason: 0, properties: none }],
        ]
        : [
          { ...subscriber, log },
          [{ _tag: 'Puback', packetId, reason: 0, properties: none }],
        ]
    }
    case 'Pubrel': {
      const { packetId } = packet
      const isKnown = subscriber.received.includes(packetId)
      const reason = isKnown || setting.subscriberLevel < 5 ? 0 : 0x92
      const received = subscriber.received.filter((one) => one !== packetId)
      return [{ ...subscriber, received }, [{
        _tag: 'Pubcomp',
        packetId,
        reason,
        properties: none,
      }]]
    }
    default:
      return broken(`the subscriber was sent ${packet._tag}`)
  }
}
