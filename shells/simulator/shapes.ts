// What the calls of a simulated world take: every option with what may stand behind it. The types
// say the same to who has them; an option that is missing here is an error of theirs.

import type { SubscribeWish, WillWish } from '../../core/codec/make.ts'
import type { PropertyRow } from '../../core/codec/property.ts'
import { propertyTable } from '../../core/codec/property.ts'
import type { ClientWish, PublishOptions } from './clients.ts'
import type { DelayOptions, SimulateOptions } from './world.ts'
import { checkConfig } from '../common/shapes.ts'
import type { Kind, Shape } from '../common/wrong.ts'
import {
  anything,
  bytes,
  checkRecord,
  checkValue,
  flag,
  list,
  needed,
  number,
  oneOf,
  pairs,
  payload,
  record,
  text,
  whole,
  wholes,
  work,
} from '../common/wrong.ts'

const qos = oneOf(0, 1, 2)

const simulateShape: Shape<SimulateOptions> = {
  config: record,
  seed: number,
  wall: number,
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
}

const kindOf = ({ type, rule }: PropertyRow): Kind => {
  switch (type) {
    case 'byte':
      return rule === 'flag' ? oneOf(0, 1) : whole(0xff)
    case 'two':
      return whole(0xffff)
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

const propertyKinds = propertyTable.map((row) => [row.key, kindOf(row)] as const)

const checkProperties = (what: string, properties: unknown): void => {
  if (properties === undefined) return
  checkRecord(`properties of ${what}`, Object.fromEntries(propertyKinds), properties)
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
  checkValue('publish: the payload', payload, body)
  checkRecord('publish', publishShape, options)
  checkProperties('publish', options.properties)
}

export const checkSubscribe = (wishes: ReadonlyArray<unknown>, asked: unknown): void => {
  checkValue('subscribe: the QoS behind the filter', qos, asked)
  for (const wish of wishes) {
    if (typeof wish !== 'string') checkRecord('subscribe', subscribeShape, wish)
  }
}

export const checkUnsubscribe = (filters: ReadonlyArray<unknown>): void => {
  for (const filter of filters) checkValue('unsubscribe: each filter', text, filter)
}

export const checkDelay = (options: DelayOptions): void => checkRecord('delay', delayShape, options)

export const checkLines = (lines: unknown): void => checkValue('expect: the lines', list, lines)

export const checkName = (name: unknown): void =>
  checkValue('connect: the name of the client', text, name)
