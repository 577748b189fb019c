// What the calls of a simulated world take: every option with what may stand behind it. The types
// say the same to who has them; an option that is missing here is an error of theirs.

import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Command, Revocation } from '../../core/broker/input.ts'
import type { SubscribeWish, WillWish } from '../../core/codec/make.ts'
import type { PropertyRow } from '../../core/codec/property.ts'
import { propertyTable } from '../../core/codec/property.ts'
import type { ClientWish, PublishOptions } from './clients.ts'
import type { DelayOptions, SimulateOptions } from './world.ts'
import type { Kind, Shape } from './wrong.ts'
import {
  anything,
  bytes,
  checkNames,
  checkRecord,
  checkValue,
  flag,
  list,
  message,
  needed,
  number,
  oneOf,
  pairs,
  payload,
  record,
  text,
  texts,
  whole,
  wholes,
  work,
} from './wrong.ts'

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

/** Texts of a configuration that are one of a few words. */
const choices: { readonly [Name in keyof Config]?: Kind } = {
  authentication: oneOf('none', 'judge'),
  redirect: oneOf('none', 'use another server', 'server moved'),
  sharedOrder: oneOf('round robin', 'prefer online', 'sticky', 'hash of topic'),
  sharedOffline: oneOf('queue', 'drop'),
}

const configNames = Object.keys(defaults)

const kindLike = (value: unknown): Kind => {
  if (typeof value === 'boolean') return flag
  if (typeof value === 'number') return number
  if (typeof value === 'string') return text
  return Array.isArray(value) ? list : anything
}

const configKinds = new Map<string, Kind>([
  ...Object.entries(defaults).map(([name, value]) => [name, kindLike(value)] as const),
  ...Object.entries(choices),
])

/** What differs from the defaults of the broker. */
export const checkConfig = (what: string, config: unknown): void => {
  checkNames(what, config, configNames)
  for (const [name, value] of Object.entries(Object(config))) {
    checkValue(`${what}: ${name}`, configKinds.get(name)!, value)
  }
}

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

type CommandShapes = {
  readonly [Tag in Command['_tag']]: Shape<Extract<Command, { readonly _tag: Tag }>>
}

// Which one it is has been looked at before.
const _tag = anything

const commandShapes: CommandShapes = {
  Stop: { _tag },
  Redirect: { _tag },
  Kick: { _tag, clientId: needed(text) },
  Publish: { _tag, packet: needed(message) },
  Shut: { _tag, listener: needed(text) },
  Revoke: { _tag, revocation: needed(record) },
}

const revocationShape: Shape<Revocation> = { listener: needed(text), userNames: needed(texts) }

const commandTag = oneOf(...Object.keys(commandShapes))

export const checkCommand = (command: Command): void => {
  checkValue('a command', record, command)
  checkValue('the _tag of a command', commandTag, command._tag)
  checkRecord(`command ${command._tag}`, commandShapes[command._tag], command)
  if (command._tag === 'Revoke') {
    checkRecord('revocation of command', revocationShape, command.revocation)
  }
}

export const checkLines = (lines: unknown): void => checkValue('expect: the lines', list, lines)

export const checkName = (name: unknown): void =>
  checkValue('connect: the name of the client', text, name)
