// What the calls of a simulated world take: every option with what may stand behind it. The types
// say the same to who has them; an option that is missing here is an error of theirs.

import type { Config } from '../../core/broker/config.ts'
import type { SubscribeWish, WillWish } from '../../core/codec/make.ts'
import type { Packet, PacketTag, SubscribeRequest, Will } from '../../core/codec/packet.ts'
import type { PropertyRow } from '../../core/codec/property.ts'
import { propertyTable } from '../../core/codec/property.ts'
import type { Arrivals } from './net.ts'
import type { ClientWish, DelayOptions, PublishOptions, SimulateOptions } from './options.ts'
import { checkConfig, checkJudge, checkJudged } from '../common/shapes.ts'
import type { Kind, Shape } from '../common/wrong.ts'
import {
  anything,
  bytes,
  checkRecord,
  checkValue,
  flag,
  integer,
  list,
  needed,
  number,
  octets,
  oneOf,
  orNull,
  pairs,
  payload,
  record,
  text,
  texts,
  whole,
  wholes,
  work,
} from '../common/wrong.ts'

const qos = oneOf(0, 1, 2)

/** The last moment that a Date can be, in Unix milliseconds. */
export const wallMax = 8_640_000_000_000_000

const simulateShape: Shape<SimulateOptions> = {
  config: record,
  // What is a part of one would throw the dice of the whole number below it.
  seed: integer,
  wall: whole(wallMax),
  judge: work,
  showPings: flag,
}

const connectShape: Shape<ClientWish> = {
  clientId: text,
  level: oneOf(3, 4, 5),
  cleanStart: flag,
  keepAliveS: whole(0xffff),
  will: record,
  userName: text,
  password: payload,
  properties: record,
  sessionExpiryS: whole(0xffffffff),
  pings: flag,
  acknowledges: flag,
}

const willShape: Shape<WillWish> = {
  topic: needed(text),
  payload,
  qos,
  retain: flag,
  properties: record,
}

const publishShape: Shape<PublishOptions> = { qos, retain: flag, properties: record }

const subscribeShape: Shape<SubscribeWish> = {
  filter: needed(text),
  qos,
  noLocal: flag,
  retainAsPublished: flag,
  retainHandling: oneOf(0, 1, 2),
}

// A span says by itself what it should be.
const delayShape: Shape<DelayOptions> = { jitter: anything }

export const checkSimulate = (options: SimulateOptions): void => {
  checkRecord('simulate', simulateShape, options)
  if (options.config !== undefined) checkConfig('config of simulate', options.config)
  checkJudge('simulate', options.judge, options.config)
  checkSimulated('config of simulate', options.config ?? {}, options.judge)
}

const checkSimulated = (what: string, config: Partial<Config>, judge: unknown): void => {
  if (judge == null) {
    checkJudged(what, config, 'give simulate a judge, such as judge: ({ userName }) => 0')
  }
}

export const checkReconfigure = (some: Partial<Config>, judge: unknown): void => {
  checkConfig('reconfigure', some)
  checkSimulated('reconfigure', some, judge)
}

const byte = whole(0xff)
const two = whole(0xffff)

/** What fits a property. */
const kindOf = ({ type }: PropertyRow): Kind => {
  switch (type) {
    case 'byte':
      return byte
    case 'two':
      return two
    case 'four':
      return whole(0xffffffff)
    case 'list':
      return wholes(0x0fffffff)
    case 'string':
      return text
    case 'binary':
      return bytes
    case 'pairs':
      return pairs
  }
}

const sentKinds = Object.fromEntries(propertyTable.map((row) => [row.key, kindOf(row)]))

const flags = propertyTable.filter(({ rule }) => rule === 'flag')
const propertyKinds = {
  ...sentKinds,
  ...Object.fromEntries(flags.map(({ key }) => [key, oneOf(0, 1)])),
}

const checkProperties = (what: string, properties: unknown, kinds = propertyKinds): void => {
  if (properties === undefined) return
  checkRecord(`properties of ${what}`, kinds, properties)
}

export const checkConnect = (wish: ClientWish): void => {
  checkRecord('connect', connectShape, wish)
  checkProperties('connect', wish.properties)
  if (wish.will === undefined) return
  checkRecord('will of connect', willShape, wish.will)
  checkProperties('the will of connect', wish.will.properties)
}

export const checkPublish = (topic: unknown, body: unknown, options: PublishOptions): void => {
  checkValue('publish: the topic', text, topic)
  // Sent again on another connection, an alias alone would stand for nothing.
  if (topic === '') {
    throw new TypeError(
      'publish: the topic is empty; what has a topic alias alone goes by send(Packet.publish(...))',
    )
  }
  checkValue('publish: the payload', payload, body)
  checkRecord('publish', publishShape, options)
  checkProperties('publish', options.properties)
}

/** Without a filter the packet would be an error of protocol, and the connection at its end. */
const checkSome = (call: string, filters: ReadonlyArray<unknown>): void => {
  if (filters.length === 0) throw new TypeError(`${call} takes at least one filter`)
}

export const checkSubscribe = (wishes: ReadonlyArray<unknown>, asked: unknown): void => {
  checkValue('subscribe: the QoS behind the filter', qos, asked)
  checkSome('subscribe', wishes)
  for (const wish of wishes) {
    if (typeof wish !== 'string') checkRecord('subscribe', subscribeShape, wish)
  }
}

export const checkUnsubscribe = (filters: ReadonlyArray<unknown>): void => {
  checkSome('unsubscribe', filters)
  for (const filter of filters) checkValue('unsubscribe: each filter', text, filter)
}

/** Whether anything was asked for: what is off is as if it had not been written. */
const isAsked = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).some((each) => each !== undefined)
    : Boolean(value)

/** The older levels leave out of their packets what they do not have, and nobody would be told. */
export const checkLevel = (
  call: string,
  level: number,
  asked: Readonly<Record<string, unknown>>,
): void => {
  if (level === 5) return
  for (const [what, value] of Object.entries(asked)) {
    if (!isAsked(value)) continue
    throw new TypeError(
      `${call}: only MQTT 5 has ${what}, and this client speaks level ${level}: leave that out, ` +
        'or the level',
    )
  }
}

export const checkDelay = (options: DelayOptions): void => checkRecord('delay', delayShape, options)

export const checkLines = (lines: unknown): void =>
  checkValue('expect: what should have come', texts, lines)

export const checkTimer = (run: unknown, ms: unknown): void => {
  checkValue('timers.set: the work', work, run)
  checkValue('timers.set: ms', number, ms)
}

export const checkHolds = (holds: unknown, what: unknown): void => {
  // A promise, or a function that nobody calls, would hold whatever it comes to.
  checkValue('check: whether it holds', flag, holds)
  checkValue('check: what should hold', text, what)
}

export const checkName = (call: string, name: unknown): void =>
  checkValue(`${call}: the name of the client`, text, name)

/** Known by what it can do, since a test runner may have loaded the package twice. */
const world: Kind = {
  words: 'what simulate has answered',
  holds: (it) => typeof it === 'object' && it !== null && 'open' in it && work.holds(it.open),
}

export const checkWorld = (it: unknown): void => checkValue('connectStream: the world', world, it)

export const checkArrivals = (arrivals: Arrivals): void => {
  checkValue('open: what hears of the connection', record, arrivals)
  checkValue('open: bytes', work, arrivals.bytes)
  checkValue('open: gone', work, arrivals.gone)
}

export const checkSent = (call: string, sent: unknown): void =>
  checkValue(`${call}: what is sent`, octets, sent)

const _tag = anything
const properties = needed(record)
const packetId = needed(two)
const reason = needed(byte)
const answer = { _tag, packetId, reason, properties }
const answers = { _tag, packetId, reasons: needed(wholes(0xff)), properties }
const twoBits = needed(whole(3))

/** What each packet consists of. Values may be wrong in the sense of the standard if they fit. */
const packetShapes: {
  readonly [Tag in PacketTag]: Shape<Extract<Packet, { readonly _tag: Tag }>>
} = {
  Connect: {
    _tag,
    level: needed(byte),
    bridge: needed(flag),
    cleanStart: needed(flag),
    keepAliveS: needed(two),
    clientId: needed(text),
    will: needed(orNull(record)),
    userName: needed(orNull(text)),
    password: needed(orNull(bytes)),
    properties,
  },
  Connack: { _tag, sessionPresent: needed(flag), reason, properties },
  Publish: {
    _tag,
    dup: needed(flag),
    qos: twoBits,
    retain: needed(flag),
    topic: needed(text),
    packetId,
    payload: needed(bytes),
    properties,
  },
  Puback: answer,
  Pubrec: answer,
  Pubrel: answer,
  Pubcomp: answer,
  Subscribe: { _tag, packetId, requests: needed(list), properties },
  Suback: answers,
  Unsubscribe: { _tag, packetId, filters: needed(texts), properties },
  Unsuback: answers,
  Pingreq: { _tag },
  Pingresp: { _tag },
  Disconnect: { _tag, reason, properties },
  Auth: { _tag, reason, properties },
}

const sentWillShape: Shape<Will> = {
  topic: needed(text),
  payload: needed(bytes),
  qos: twoBits,
  retain: needed(flag),
  properties,
}

const requestShape: Shape<SubscribeRequest> = {
  filter: needed(text),
  qos: twoBits,
  noLocal: needed(flag),
  retainAsPublished: needed(flag),
  retainHandling: twoBits,
}

const packetTag = oneOf(...Object.keys(packetShapes))

export const checkTag = (tag: unknown): void => checkValue('last: the kind', packetTag, tag)

export const checkPacket = (packet: Packet): void => {
  checkValue('send: a packet', record, packet)
  checkValue('send: the _tag of a packet', packetTag, packet._tag)
  const what = `send: ${packet._tag}`
  checkRecord(what, packetShapes[packet._tag], packet)
  if ('properties' in packet) checkProperties(what, packet.properties, sentKinds)
  if (packet._tag === 'Subscribe') {
    for (const each of packet.requests) {
      checkRecord('send: a request of Subscribe', requestShape, each)
    }
  }
  if (packet._tag === 'Connect' && packet.will !== null) {
    checkRecord('send: the will of Connect', sentWillShape, packet.will)
    checkProperties('send: the will of Connect', packet.will.properties, sentKinds)
  }
}
