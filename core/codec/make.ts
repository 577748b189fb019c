// Packets made by hand, for tests, simulators and whoever embeds the broker: say what matters, the
// rest is what a plain client would send. A name, filter or payload that is none is the caller's
// mistake and throws.

import * as Bytes from '../data/bytes.ts'
import { parseTopicFilter } from '../topic/filter.ts'
import { parseTopicName } from '../topic/name.ts'
import type { Connect, Publish, Qos, Subscribe, SubscribeRequest, Will } from './packet.ts'
import { none, type Properties } from './properties.ts'
import { encodeUtf8 } from './utf8.ts'

/** Text is sent as UTF-8, bytes as they are. */
export type Payload = string | Uint8Array

// Not everybody has types.
const kindOf = (value: unknown): string => value === null ? 'null' : typeof value

/** Throws also where something has a name that is none: it would be passed over. */
const wished = <Wish>(what: string, wish: Wish, names: ReadonlyArray<keyof Wish>): Wish => {
  if (wish == null) throw new TypeError(`${what} is made of an object, and not of ${kindOf(wish)}`)
  if (typeof wish !== 'object') return wish
  for (const name in wish) {
    if (names.includes(name)) continue
    throw new TypeError(`${what} has no "${name}": there are ${names.join(', ')}`)
  }
  return wish
}

const text = (what: string, value: string): string => {
  if (typeof value === 'string') return value
  throw new TypeError(`${what} is a string, and not ${kindOf(value)}`)
}

// What was made in another realm, as by a test runner that isolates its tests, has the same tag.
const isBytes = (value: unknown): boolean =>
  Object.prototype.toString.call(value) === '[object Uint8Array]'

const payloadOf = (payload: Payload): Bytes.Bytes => {
  if (typeof payload === 'string') return Bytes.of(encodeUtf8(payload))
  if (isBytes(payload)) return Bytes.of(payload)
  throw new TypeError(
    `a payload or a password is a string or a Uint8Array, and not ${kindOf(payload)}`,
  )
}

const nameOf = (topic: string): Publish['topic'] & Will['topic'] => {
  const parsed = parseTopicName(text('a topic name', topic))
  if (parsed._tag === 'Left') {
    throw new TypeError(`topic name ${JSON.stringify(topic)}: ${parsed.left}`)
  }
  return parsed.right
}

const filterOf = (filter: string): SubscribeRequest['filter'] => {
  const parsed = parseTopicFilter(text('a topic filter', filter))
  if (parsed._tag === 'Left') {
    throw new TypeError(`topic filter ${JSON.stringify(filter)}: ${parsed.left}`)
  }
  return parsed.right
}

/** A will as `connect` takes it: empty, at QoS 0 and not retained unless said otherwise. */
export interface WillWish {
  readonly topic: string
  readonly payload?: Payload
  readonly qos?: Qos
  readonly retain?: boolean
  readonly properties?: Properties
}

/** What `connect` takes. */
export interface ConnectWish {
  readonly clientId: string
  readonly level?: Connect['level']
  readonly cleanStart?: boolean
  readonly keepAliveS?: number
  readonly will?: WillWish
  readonly userName?: string
  readonly password?: Payload
  readonly properties?: Properties
}

const connectNames: ReadonlyArray<keyof ConnectWish> = [
  'clientId',
  'level',
  'cleanStart',
  'keepAliveS',
  'will',
  'userName',
  'password',
  'properties',
]

const willNames: ReadonlyArray<keyof WillWish> = ['topic', 'payload', 'qos', 'retain', 'properties']

const willOf = (wish: WillWish): Will => ({
  topic: nameOf(wished('a will', wish, willNames).topic),
  payload: payloadOf(wish.payload ?? ''),
  qos: wish.qos ?? 0,
  retain: wish.retain ?? false,
  properties: wish.properties ?? none,
})

/** A CONNECT: MQTT 5, a clean start and 60 seconds of keep alive unless said otherwise. */
export const connect = (wish: ConnectWish): Connect => ({
  _tag: 'Connect',
  level: wished('CONNECT', wish, connectNames).level ?? 5,
  bridge: false,
  cleanStart: wish.cleanStart ?? true,
  keepAliveS: wish.keepAliveS ?? 60,
  clientId: text('the client identifier of CONNECT', wish.clientId),
  will: wish.will === undefined ? null : willOf(wish.will),
  userName: wish.userName === undefined ? null : text('the user name of CONNECT', wish.userName),
  password: wish.password === undefined ? null : payloadOf(wish.password),
  properties: wish.properties ?? none,
})

/** What `publish` takes. */
export interface PublishWish {
  readonly topic: string
  readonly payload?: Payload
  readonly qos?: Qos
  readonly retain?: boolean
  readonly dup?: boolean
  /** Default: 1, and 0 at QoS 0. */
  readonly packetId?: number
  readonly properties?: Properties
}

const publishNames: ReadonlyArray<keyof PublishWish> = [
  'topic',
  'payload',
  'qos',
  'retain',
  'dup',
  'packetId',
  'properties',
]

/**
 * A PUBLISH: an empty payload at QoS 0 unless said otherwise. Its topic is empty only where a topic
 * alias stands for it.
 */
export const publish = (wish: PublishWish): Publish => ({
  _tag: 'Publish',
  dup: wished('PUBLISH', wish, publishNames).dup ?? false,
  qos: wish.qos ?? 0,
  retain: wish.retain ?? false,
  topic: wish.topic === '' && wish.properties?.topicAlias !== undefined ? '' : nameOf(wish.topic),
  packetId: wish.packetId ?? (wish.qos === undefined || wish.qos === 0 ? 0 : 1),
  payload: payloadOf(wish.payload ?? ''),
  properties: wish.properties ?? none,
})

/** What `subscribe` takes for one filter. */
export interface SubscribeWish {
  readonly filter: string
  readonly qos?: Qos
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: SubscribeRequest['retainHandling']
}

const subscribeNames: ReadonlyArray<keyof SubscribeWish> = [
  'filter',
  'qos',
  'noLocal',
  'retainAsPublished',
  'retainHandling',
]

/** A SUBSCRIBE to one filter or several; a plain string subscribes at QoS 0. */
export const subscribe = (
  wishes: string | SubscribeWish | ReadonlyArray<string | SubscribeWish>,
  packetId = 1,
  properties: Properties = none,
): Subscribe => ({
  _tag: 'Subscribe',
  packetId,
  requests: (isList(wishes) ? wishes : [wishes]).map(request),
  properties,
})

const isList = (
  wishes: string | SubscribeWish | ReadonlyArray<string | SubscribeWish>,
): wishes is ReadonlyArray<string | SubscribeWish> => Array.isArray(wishes)

const request = (wish: string | SubscribeWish): SubscribeRequest => {
  const { filter, qos, noLocal, retainAsPublished, retainHandling }: SubscribeWish =
    typeof wish === 'object' ? wished('a subscription', wish, subscribeNames) : { filter: wish }
  return {
    filter: filterOf(filter),
    qos: qos ?? 0,
    noLocal: noLocal ?? false,
    retainAsPublished: retainAsPublished ?? false,
    retainHandling: retainHandling ?? 0,
  }
}
