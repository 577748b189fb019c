// Random histories of a broker: what clients, sockets, an operator and the clock do to it. A
// history is a list of small commands that mean something in every state (indices are taken
// modulo what there is), so that fast-check can leave any of them out when it shrinks. What a
// command comes to is the business of props/model/world.ts.

import fc from 'fast-check'
import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import * as I from '../../core/broker/input.ts'
import type { Level, Qos } from '../../core/codec/packet.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { isTopicFilter } from '../../core/topic/filter.ts'
import type { TopicName } from '../../core/topic/name.ts'
import { isTopicName } from '../../core/topic/name.ts'

export const name = (text: string): TopicName => {
  if (!isTopicName(text)) throw new Error(`${text} is no topic name`)
  return text
}

export const filter = (text: string): TopicFilter => {
  if (!isTopicFilter(text)) throw new Error(`${text} is no topic filter`)
  return text
}

export const utf8 = (text: string): Bytes => B.of(new TextEncoder().encode(text))

/** Client identifiers that are fought over; the last one leaves its name to the broker. */
export const clientIds = ['a', 'b', 'c', '__proto__', ''] as const

export const names: ReadonlyArray<TopicName> = ['t', 't/u', 't/v', 't/u/w', '/', '$p/u'].map(name)

export const filters: ReadonlyArray<TopicFilter> = [
  't',
  't/u',
  '#',
  't/#',
  '+',
  't/+',
  '+/u',
  '+/+',
  't/+/w',
  '$p/#',
  '/',
].map(filter)

export const sharedFilters: ReadonlyArray<TopicFilter> = [
  '$share/g/t',
  '$share/g/#',
  '$share/h/t/+',
  '$share/h/t',
].map(filter)

export interface WillCommand {
  readonly topic: number
  readonly qos: Qos
  readonly retain: boolean
  readonly delayS: number
  readonly expiryS: number | null
  readonly rich: boolean
}

export interface RequestCommand {
  readonly filter: number
  readonly shared: boolean
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
}

export type Command =
  | {
    readonly _tag: 'Connect'
    readonly client: number
    readonly level: Level
    readonly bridge: boolean
    readonly cleanStart: boolean
    readonly keepAliveS: number
    readonly sessionExpiryS: number | null
    readonly receiveMaximum: number | null
    readonly packetBytesMax: number | null
    readonly will: WillCommand | null
    /** What a judge says at once; null leaves it for a Judge command. */
    readonly verdict: 0 | 0x87 | null
  }
  /** A connection without CONNECT. */
  | { readonly _tag: 'Open' }
  | {
    readonly _tag: 'Subscribe'
    readonly client: number
    readonly requests: ReadonlyArray<RequestCommand>
    readonly identifier: number | null
  }
  | {
    readonly _tag: 'Unsubscribe'
    readonly client: number
    readonly filters: ReadonlyArray<number>
  }
  | {
    readonly _tag: 'Publish'
    readonly client: number
    readonly topic: number
    readonly qos: Qos
    readonly retain: boolean
    readonly empty: boolean
    readonly expiryS: number | null
    readonly alias: number | null
    /** With the properties that a publisher may send along. */
    readonly rich: boolean
    readonly bytes: number
  }
  /** Sends an unacknowledged PUBLISH again, with DUP. */
  | { readonly _tag: 'Again'; readonly client: number; readonly which: number }
  /** Sends PUBREL for the QoS 2 messages that got their PUBREC. */
  | { readonly _tag: 'Release'; readonly client: number; readonly count: number }
  /** Sends, or forgets, the first of the acknowledgements that the client owes. */
  | {
    readonly _tag: 'Answer'
    readonly client: number
    readonly count: number
    readonly reason: 'ok' | 'refuse' | 'lose'
  }
  | { readonly _tag: 'Ping'; readonly client: number }
  | {
    readonly _tag: 'Disconnect'
    readonly client: number
    readonly reason: 0 | 4
    readonly sessionExpiryS: number | null
  }
  | { readonly _tag: 'Lose'; readonly client: number; readonly why: I.Gone }
  /** Time passes; late: the shell wakes up only at its end. */
  | { readonly _tag: 'Pass'; readonly halves: number; readonly late: boolean }
  /** A packet that breaks the rules. */
  | { readonly _tag: 'Odd'; readonly client: number; readonly odd: Odd; readonly id: number }
  | { readonly _tag: 'Break'; readonly client: number }
  | { readonly _tag: 'Kick'; readonly client: number }
  | { readonly _tag: 'Judge'; readonly reason: 0 | 0x87 }
  /** The socket takes no more bytes; or it takes what there is, and goes on doing so. */
  | { readonly _tag: 'Stall'; readonly client: number }
  | { readonly _tag: 'Take'; readonly client: number }
  /** An answer about a connection that is gone. */
  | { readonly _tag: 'Echo'; readonly which: number; readonly kind: number }
  | { readonly _tag: 'Stop' }
  /** The operator changes his mind about every limit. */
  | { readonly _tag: 'Reconfigure'; readonly config: Config }

export const odds = [
  'second connect',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'auth',
  'connack',
  'suback',
  'pingresp',
  'publish with identifier',
  'unknown alias',
  'alias too large',
  'system topic',
] as const
export type Odd = typeof odds[number]

const client = fc.nat({ max: clientIds.length - 1 })
const qos = fc.constantFrom<Qos>(0, 1, 2)

/** Something that is mostly left out. */
const rarely = <A>(some: fc.Arbitrary<A>): fc.Arbitrary<A | null> =>
  fc.oneof({ arbitrary: fc.constant(null), weight: 4 }, { arbitrary: some, weight: 1 })

const will: fc.Arbitrary<WillCommand> = fc.record({
  topic: fc.nat({ max: names.length - 1 }),
  qos,
  retain: fc.boolean(),
  delayS: fc.constantFrom(0, 0, 1, 3, 10),
  expiryS: fc.option(fc.constantFrom(1, 5), { freq: 2 }),
  rich: fc.boolean(),
})

const request: fc.Arbitrary<RequestCommand> = fc.record({
  filter: fc.nat({ max: filters.length - 1 }),
  shared: fc.constantFrom(false, false, false, true),
  qos,
  noLocal: fc.boolean(),
  retainAsPublished: fc.boolean(),
  retainHandling: fc.constantFrom<0 | 1 | 2>(0, 0, 1, 2),
})

type PlainTag = Exclude<Command['_tag'], 'Reconfigure'>

const arms: { readonly [K in PlainTag]: fc.Arbitrary<Extract<Command, { _tag: K }>> } = {
  Connect: fc.record({
    _tag: fc.constant('Connect'),
    client,
    level: fc.constantFrom<Level>(5, 5, 5, 4, 3),
    bridge: fc.constantFrom(false, false, false, true),
    cleanStart: fc.constantFrom(false, false, true),
    keepAliveS: fc.constantFrom(0, 0, 0, 0, 0, 0, 2, 10, 60),
    sessionExpiryS: fc.option(fc.constantFrom(0, 1, 5, 30, 0xffffffff, 0xffffffff), { freq: 6 }),
    receiveMaximum: rarely(fc.constantFrom(1, 2, 3)),
    packetBytesMax: rarely(fc.constantFrom(40, 200)),
    will: rarely(will),
    verdict: fc.constantFrom<0 | 0x87 | null>(0, 0, 0, 0x87, null),
  }),
  Open: fc.record({ _tag: fc.constant('Open') }),
  Subscribe: fc.record({
    _tag: fc.constant('Subscribe'),
    client,
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    identifier: fc.option(fc.constantFrom(1, 2, 268_435_455), { freq: 2 }),
  }),
  Unsubscribe: fc.record({
    _tag: fc.constant('Unsubscribe'),
    client,
    filters: fc.array(fc.nat({ max: filters.length + sharedFilters.length - 1 }), {
      minLength: 1,
      maxLength: 2,
    }),
  }),
  Publish: fc.record({
    _tag: fc.constant('Publish'),
    client,
    topic: fc.nat({ max: names.length - 1 }),
    qos,
    retain: fc.constantFrom(false, false, true),
    empty: fc.constantFrom(false, false, false, true),
    expiryS: rarely(fc.constantFrom(0, 1, 2, 5, 60)),
    alias: rarely(fc.constantFrom(1, 1, 2)),
    rich: fc.constantFrom(false, false, true),
    bytes: fc.constantFrom(0, 0, 0, 60, 40_000, 70_000),
  }),
  Again: fc.record({ _tag: fc.constant('Again'), client, which: fc.nat({ max: 3 }) }),
  Release: fc.record({
    _tag: fc.constant('Release'),
    client,
    count: fc.integer({ min: 1, max: 3 }),
  }),
  Answer: fc.record({
    _tag: fc.constant('Answer'),
    client,
    count: fc.integer({ min: 1, max: 4 }),
    reason: fc.constantFrom<'ok' | 'refuse' | 'lose'>('ok', 'ok', 'ok', 'ok', 'refuse', 'lose'),
  }),
  Ping: fc.record({ _tag: fc.constant('Ping'), client }),
  Disconnect: fc.record({
    _tag: fc.constant('Disconnect'),
    client,
    reason: fc.constantFrom<0 | 4>(0, 4),
    sessionExpiryS: fc.option(fc.constantFrom(0, 1, 30), { freq: 2 }),
  }),
  Lose: fc.record({
    _tag: fc.constant('Lose'),
    client,
    why: fc.constantFrom<I.Gone>('closed', 'failed'),
  }),
  Pass: fc.record({
    _tag: fc.constant('Pass'),
    halves: fc.constantFrom(1, 1, 2, 2, 3, 3, 6, 20, 100),
    late: fc.boolean(),
  }),
  Odd: fc.record({
    _tag: fc.constant('Odd'),
    client,
    odd: fc.constantFrom(...odds),
    id: fc.integer({ min: 1, max: 4 }),
  }),
  Break: fc.record({ _tag: fc.constant('Break'), client }),
  Kick: fc.record({ _tag: fc.constant('Kick'), client }),
  Judge: fc.record({ _tag: fc.constant('Judge'), reason: fc.constantFrom<0 | 0x87>(0, 0, 0x87) }),
  Stall: fc.record({ _tag: fc.constant('Stall'), client }),
  Take: fc.record({ _tag: fc.constant('Take'), client }),
  Echo: fc.record({
    _tag: fc.constant('Echo'),
    which: fc.nat({ max: 7 }),
    kind: fc.nat({ max: 4 }),
  }),
  Stop: fc.record({ _tag: fc.constant('Stop') }),
}

/** How often each command comes up; Stop at most as the last thing. */
export const weights: { readonly [K in Exclude<PlainTag, 'Stop'>]: number } = {
  Publish: 160,
  Answer: 120,
  Subscribe: 70,
  Release: 50,
  Connect: 60,
  Again: 15,
  Pass: 15,
  Ping: 10,
  Unsubscribe: 10,
  Lose: 8,
  Odd: 6,
  Stall: 6,
  Take: 6,
  Disconnect: 5,
  Echo: 5,
  Judge: 3,
  Open: 2,
  Break: 1,
  Kick: 1,
}

const command: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: arms.Connect, weight: weights.Connect },
  { arbitrary: arms.Open, weight: weights.Open },
  { arbitrary: arms.Subscribe, weight: weights.Subscribe },
  { arbitrary: arms.Unsubscribe, weight: weights.Unsubscribe },
  { arbitrary: arms.Publish, weight: weights.Publish },
  { arbitrary: arms.Again, weight: weights.Again },
  { arbitrary: arms.Release, weight: weights.Release },
  { arbitrary: arms.Answer, weight: weights.Answer },
  { arbitrary: arms.Ping, weight: weights.Ping },
  { arbitrary: arms.Disconnect, weight: weights.Disconnect },
  { arbitrary: arms.Lose, weight: weights.Lose },
  { arbitrary: arms.Pass, weight: weights.Pass },
  { arbitrary: arms.Odd, weight: weights.Odd },
  { arbitrary: arms.Break, weight: weights.Break },
  { arbitrary: arms.Kick, weight: weights.Kick },
  { arbitrary: arms.Judge, weight: weights.Judge },
  { arbitrary: arms.Stall, weight: weights.Stall },
  { arbitrary: arms.Take, weight: weights.Take },
  { arbitrary: arms.Echo, weight: weights.Echo },
)

/** A limit that is mostly as usual and now and then so small that every history meets it. */
const limit = <A>(usual: A, ...small: ReadonlyArray<A>): fc.Arbitrary<A> =>
  fc.oneof(
    { arbitrary: fc.constant(usual), weight: 3 },
    { arbitrary: fc.constantFrom(...small), weight: 1 },
  )

export const config: fc.Arbitrary<Config> = fc.record({
  authentication: limit<Config['authentication']>('none', 'judge'),
  connectTimeoutMs: fc.constantFrom(10_000, 2_000),
  keepAliveMaxS: limit(0, 30),
  inflightCountMax: fc.constantFrom(20, 1, 2, 3, 0),
  packetIdMax: limit(65_535, 2, 3, 5),
  receiveMaximum: limit(20, 1, 2, 3),
  incomingCountMax: limit(20, 1, 2),
  queuedCountMax: fc.constantFrom(0, 1, 2, 5),
  queuedBytesMax: limit(0, 100, 60_000),
  unwrittenBytesMax: fc.constantFrom(1_048_576, 100, 100_000),
  stalledMs: fc.constantFrom(60_000, 3_000),
  subscriptionsPerSessionMax: limit(1_000, 2),
  filtersPerPacketMax: limit(100, 2),
  retainedCountMax: limit(100, 2),
  retainedBytesMax: limit(1_000_000, 300),
  sessionsMax: limit(100, 3),
  sessionExpiryMaxS: limit(0xffffffff, 10),
  topicAliasMaximum: limit(10, 1, 0),
  connectionsMax: limit(100, 4),
  connectionsPerAddressMax: limit(100, 2),
  unauthenticatedMax: limit(100, 2),
  unauthenticatedGraceMs: fc.constantFrom(0, 1_000),
}).map((some) => ({ ...defaults, ...some }))

export interface History {
  readonly config: Config
  readonly commands: ReadonlyArray<Command>
}

/** The same history with a shell that always wakes up on time. */
export const punctual = ({ config, commands }: History): History => ({
  config,
  commands: commands.map((one) => one._tag === 'Pass' ? { ...one, late: false } : one),
})

const historyOf = (
  commandsMax: number,
  some: fc.Arbitrary<Command>,
): fc.Arbitrary<History> =>
  fc.record({
    config,
    commands: fc.tuple(
      // Most begin with a few clients who listen.
      fc.array(fc.oneof(arms.Connect, arms.Subscribe), { maxLength: 16, size: 'max' }),
      fc.array(some, { maxLength: commandsMax, size: 'max' }),
      fc.option(arms.Stop, { freq: 4 }).map((stop) => stop === null ? [] : [stop]),
    ).map(([before, middle, after]) => [...before, ...middle, ...after]),
  })

/** A history under one configuration. */
export const history = (commandsMax: number): fc.Arbitrary<History> =>
  historyOf(commandsMax, command)

/** A history in which the configuration may change. */
export const restlessHistory = (commandsMax: number): fc.Arbitrary<History> =>
  historyOf(
    commandsMax,
    fc.oneof(
      { arbitrary: command, weight: 40 },
      {
        arbitrary: fc.record({ _tag: fc.constant<'Reconfigure'>('Reconfigure'), config }),
        weight: 1,
      },
    ),
  )
