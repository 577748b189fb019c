// Random histories of a broker: what clients, sockets, an operator and the clock do to it. A
// history is a list of small commands that mean something in every state (indices are taken
// modulo what there is), so that fast-check can leave any of them out when it shrinks. What a
// command comes to is the business of props/model/world.ts.

import fc from 'fast-check'
import type { Acl, AclRule } from '../../core/broker/acl.ts'
import type { Config, ListenerRules } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import * as I from '../../core/broker/input.ts'
import type { Level, Qos } from '../../core/codec/packet.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { isTopicFilter, splitShare } from '../../core/topic/filter.ts'
import type { TopicName } from '../../core/topic/name.ts'
import { isTopicName } from '../../core/topic/name.ts'
import { listenerRuleKeys } from '../../core/trace/input.ts'

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
  '$SYS/broker/clients/+',
  '$SYS/#',
].map(filter)

export const sharedFilters: ReadonlyArray<TopicFilter> = [
  '$share/g/t',
  '$share/g/#',
  '$share/h/t/+',
  '$share/h/t',
].map(filter)

export const mountPoints: ReadonlyArray<string> = ['', 't/', '$p/']

/** Every topic that there may be, and every filter without its share. */
export const wholeNames: ReadonlyArray<TopicName> = [
  ...new Set(
    mountPoints.flatMap((one) => [...names, '$SYS/broker/version'].map((it) => name(one + it))),
  ),
]
export const wholeFilters: ReadonlyArray<TopicFilter> = [
  ...new Set(
    [...filters, ...sharedFilters.map((one) => splitShare(one)!.filter)]
      .flatMap((it) => mountPoints.map((one) => filter(one + it))),
  ),
]

export interface WillCommand {
  readonly topic: number
  readonly qos: Qos
  readonly retain: boolean
  readonly delayS: number
  readonly expiryS: number | null
  readonly rich: boolean
  /** Its payload is not UTF-8. */
  readonly broken: boolean
}

export type Rights = Pick<
  Config,
  'acl' | 'allowAnonymous' | 'denySpecialChars' | 'checkRetainSource'
>

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
    readonly aliasMax: number | null
    readonly will: WillCommand | null
    readonly userName: string | null
    /** How the client wants to authenticate itself, and what it says first. */
    readonly method: 'SCRAM-SHA-256' | 'PLAIN' | null
    readonly first: First
    /** Whether it answers its challenge at once. */
    readonly through: boolean
    readonly information: 0 | 1 | null
    readonly problems: 0 | 1 | null
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
  /** More of a large packet comes. */
  | { readonly _tag: 'Continue'; readonly client: number }
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
  | { readonly _tag: 'Judge'; readonly reason: 0 | 5 | 0x86 | 0x87 }
  /** A client with an authentication method goes on with it, or begins again. */
  | {
    readonly _tag: 'Prove'
    readonly client: number
    readonly move: Move
    readonly first: First
    readonly through: boolean
    /** What the shell says at once; null leaves it for a Know command. */
    readonly verdict: 0 | 0x87 | null
  }
  /** The shell answers the question that has waited longest. */
  | { readonly _tag: 'Know'; readonly reason: 0 | 0x87 }
  | { readonly _tag: 'Redirect' }
  /** The shell says what it knows of the process. */
  | I.Measures & { readonly _tag: 'Measure' }
  /** The broker publishes something of its own. */
  | {
    readonly _tag: 'Own'
    readonly topic: number
    readonly qos: Qos
    readonly retain: boolean
    readonly expiryS: number | null
  }
  /** The socket takes no more bytes; or it takes what there is, and goes on doing so. */
  | { readonly _tag: 'Stall'; readonly client: number }
  | { readonly _tag: 'Take'; readonly client: number }
  /** The process has little memory left, or enough again. */
  | { readonly _tag: 'Memory'; readonly isShort: boolean }
  /** An answer about a connection that is gone. */
  | { readonly _tag: 'Echo'; readonly which: number; readonly kind: number }
  | { readonly _tag: 'Stop' }
  /** The operator changes his mind about every limit. */
  | { readonly _tag: 'Reconfigure'; readonly config: Config }
  /** The same configuration but for who may do what. */
  | { readonly _tag: 'Rights'; readonly rights: Rights }
  | { readonly _tag: 'Revoke'; readonly userName: string }

export const firsts = [
  'n,,n=user,r=client',
  'y,,n=user,r=client,x=more',
  'n,a=user,n=user,r=client',
  'n,,n=eve=2Cil,r=client',
  'n,a=root,n=user,r=client',
  'p=tls-unique,,n=user,r=client',
  'n,,m=must,n=user,r=client',
  'n,,n=u=ser,r=client',
  'n,,n=user',
  '',
  'x'.repeat(5000),
] as const
/** Which of them a client says, or that it says nothing. */
export type First = number | null

export const moves = [
  'next',
  'next',
  'next',
  'next',
  'next',
  'next',
  'next',
  'next',
  'next',
  'answer',
  'renew',
  'renew by another method',
  'wrong nonce',
  'wrong binding',
  'short proof',
  'no data',
  'too much data',
  'no method',
  'success',
  'ping',
  'farewell',
] as const
export type Move = typeof moves[number]

const odds = [
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
  broken: fc.constantFrom(false, false, false, true),
})

const request: fc.Arbitrary<RequestCommand> = fc.record({
  filter: fc.nat({ max: filters.length - 1 }),
  shared: fc.constantFrom(false, false, true),
  qos,
  noLocal: fc.boolean(),
  retainAsPublished: fc.boolean(),
  retainHandling: fc.constantFrom<0 | 1 | 2>(0, 0, 1, 2),
})

/** Mostly a message that is none of the wrong ones. */
const first: fc.Arbitrary<First> = fc.oneof(
  { arbitrary: fc.nat({ max: 2 }), weight: 12 },
  { arbitrary: fc.nat({ max: firsts.length - 1 }), weight: 2 },
  { arbitrary: fc.constant(null), weight: 1 },
)

const verdict = fc.constantFrom<0 | 0x87 | null>(0, 0, 0, 0, 0, 0, 0x87, null)

type PlainTag = Exclude<Command['_tag'], 'Reconfigure'>

const aclRules = (...texts: ReadonlyArray<string>): fc.Arbitrary<ReadonlyArray<AclRule>> =>
  fc.array(
    fc.record({
      access: fc.constantFrom<AclRule['access']>('read', 'write', 'readwrite', 'readwrite', 'deny'),
      filter: fc.constantFrom(...texts.map(filter)),
    }),
    { maxLength: 4 },
  )

const ownRules = aclRules('t', 't/u', '#', '#', 't/#', '+', 't/+', '+/u', '$p/#', '/')

export const acl: fc.Arbitrary<Acl> = fc.record({
  anonymous: ownRules,
  users: fc.tuple(ownRules, ownRules).map(([one, other]) => [['user', one], ['other', other]]),
  patterns: aclRules('t/%u', '%c', '%c/#', '+/u', 't/%c/w', '%u/b', '#'),
})

const rights: fc.Arbitrary<Rights> = fc.record({
  acl: fc.oneof(fc.constant(null), acl),
  allowAnonymous: fc.constantFrom(true, true, true, false),
  denySpecialChars: fc.boolean(),
  checkRetainSource: fc.constantFrom(true, true, false),
})

export const arms: { readonly [K in PlainTag]: fc.Arbitrary<Extract<Command, { _tag: K }>> } = {
  Connect: fc.record({
    _tag: fc.constant('Connect'),
    client,
    level: fc.constantFrom<Level>(5, 5, 5, 4, 3),
    bridge: fc.constantFrom(false, false, false, true),
    cleanStart: fc.constantFrom(false, false, true),
    keepAliveS: fc.constantFrom(0, 0, 0, 0, 0, 0, 2, 10, 60),
    sessionExpiryS: fc.option(fc.constantFrom(0, 1, 5, 30, 0xffffffff, 0xffffffff), { freq: 6 }),
    receiveMaximum: rarely(fc.constantFrom(1, 2, 3)),
    packetBytesMax: rarely(fc.constantFrom(40, 40, 60, 200, 200, 4, 12, 17)),
    aliasMax: fc.option(fc.constantFrom(0, 1, 3, 65_535), { freq: 2 }),
    will: rarely(will),
    userName: fc.constantFrom('user', 'user', 'user', 'other', null, '', 'a/b', 'a+'),
    method: rarely(
      fc.constantFrom<'SCRAM-SHA-256' | 'PLAIN'>('SCRAM-SHA-256', 'SCRAM-SHA-256', 'PLAIN'),
    ),
    first,
    through: fc.constantFrom(true, true, true, false),
    information: fc.constantFrom<0 | 1 | null>(null, null, 0, 1),
    problems: fc.constantFrom<0 | 1 | null>(null, 0, 1),
    verdict,
  }),
  Open: fc.record({ _tag: fc.constant('Open') }),
  Rights: fc.record({ _tag: fc.constant('Rights'), rights }),
  Revoke: fc.record({ _tag: fc.constant('Revoke'), userName: fc.constantFrom('user', 'other') }),
  Subscribe: fc.record({
    _tag: fc.constant('Subscribe'),
    client,
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    identifier: fc.option(fc.constantFrom(1, 2, 268_435_455), { freq: 2 }),
  }),
  Unsubscribe: fc.record({
    _tag: fc.constant('Unsubscribe'),
    client,
    filters: fc.array(
      fc.oneof(
        fc.nat({ max: filters.length - 1 }),
        fc.integer({ min: filters.length, max: filters.length + sharedFilters.length - 1 }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
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
  Continue: fc.record({ _tag: fc.constant('Continue'), client }),
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
  Judge: fc.record({
    _tag: fc.constant('Judge'),
    reason: fc.constantFrom<0 | 5 | 0x86 | 0x87>(0, 0, 0, 5, 0x86, 0x87),
  }),
  Prove: fc.record({
    _tag: fc.constant('Prove'),
    client,
    move: fc.constantFrom(...moves),
    first,
    through: fc.boolean(),
    verdict,
  }),
  Know: fc.record({ _tag: fc.constant('Know'), reason: fc.constantFrom<0 | 0x87>(0, 0, 0x87) }),
  Redirect: fc.record({ _tag: fc.constant('Redirect') }),
  Measure: fc.record({
    _tag: fc.constant('Measure'),
    receivedBytes: fc.nat(),
    heapBytes: fc.nat(),
    waitingPackets: fc.nat(),
    waitingBytes: fc.nat(),
  }),
  Own: fc.record({
    _tag: fc.constant('Own'),
    topic: fc.nat({ max: 15 }),
    qos: fc.constantFrom<Qos>(0, 1, 2),
    retain: fc.boolean(),
    expiryS: fc.constantFrom(null, 0, 2, 20),
  }),
  Stall: fc.record({ _tag: fc.constant('Stall'), client }),
  Take: fc.record({ _tag: fc.constant('Take'), client }),
  Memory: fc.record({ _tag: fc.constant('Memory'), isShort: fc.boolean() }),
  Echo: fc.record({
    _tag: fc.constant('Echo'),
    which: fc.nat({ max: 7 }),
    kind: fc.nat({ max: 6 }),
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
  Continue: 4,
  Unsubscribe: 20,
  Lose: 8,
  Odd: 6,
  Stall: 6,
  Take: 6,
  Disconnect: 5,
  Echo: 5,
  Judge: 3,
  Memory: 3,
  Prove: 25,
  Know: 5,
  Redirect: 1,
  Measure: 2,
  Own: 4,
  Rights: 2,
  Revoke: 1,
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
  { arbitrary: arms.Continue, weight: weights.Continue },
  { arbitrary: arms.Disconnect, weight: weights.Disconnect },
  { arbitrary: arms.Lose, weight: weights.Lose },
  { arbitrary: arms.Pass, weight: weights.Pass },
  { arbitrary: arms.Odd, weight: weights.Odd },
  { arbitrary: arms.Break, weight: weights.Break },
  { arbitrary: arms.Kick, weight: weights.Kick },
  { arbitrary: arms.Judge, weight: weights.Judge },
  { arbitrary: arms.Prove, weight: weights.Prove },
  { arbitrary: arms.Know, weight: weights.Know },
  { arbitrary: arms.Redirect, weight: weights.Redirect },
  { arbitrary: arms.Measure, weight: weights.Measure },
  { arbitrary: arms.Own, weight: weights.Own },
  { arbitrary: arms.Rights, weight: weights.Rights },
  { arbitrary: arms.Revoke, weight: weights.Revoke },
  { arbitrary: arms.Stall, weight: weights.Stall },
  { arbitrary: arms.Take, weight: weights.Take },
  { arbitrary: arms.Memory, weight: weights.Memory },
  { arbitrary: arms.Echo, weight: weights.Echo },
)

/** A limit that is mostly as usual and now and then so small that every history meets it. */
const limit = <A>(usual: A, ...small: ReadonlyArray<A>): fc.Arbitrary<A> =>
  fc.oneof(
    { arbitrary: fc.constant(usual), weight: 3 },
    { arbitrary: fc.constantFrom(...small), weight: 1 },
  )

/** What is seldom taken away, because much of a history is refused without it. */
const oftener = <A>(usual: A, ...other: ReadonlyArray<A>): fc.Arbitrary<A> =>
  fc.oneof(
    { arbitrary: fc.constant(usual), weight: 19 },
    { arbitrary: fc.constantFrom(...other), weight: 1 },
  )

const plainConfig: fc.Arbitrary<Config> = fc.record({
  authentication: limit<Config['authentication']>('none', 'judge'),
  allowAnonymous: oftener(true, false),
  userNameAsClientId: oftener(false, true),
  acl: fc.oneof({ arbitrary: fc.constant(null), weight: 5 }, { arbitrary: acl, weight: 1 }),
  denySpecialChars: fc.boolean(),
  clientIdPrefix: oftener<string | null>(null, 'a'),
  checkRetainSource: fc.constantFrom(true, true, false),
  authenticationMethods: limit<Config['authenticationMethods']>(['SCRAM-SHA-256'], []),
  listenerConnectionsMax: oftener(100, 3),
  protocolLevels: oftener<ReadonlyArray<Level>>([3, 4, 5], [5], [3, 4]),
  emptyClientIds: oftener(true, false),
  autoIdPrefix: fc.constantFrom('auto-', ''),
  mountPoint: limit('', ...mountPoints.slice(1)),
  payloadBytesMax: oftener(0, 3, 60),
  upgradeOutgoingQos: limit(false, true),
  queueQos0: limit(false, true),
  inflightBytesMax: limit(0, 20, 100, 80_000),
  retainedExpiryMs: limit(0, 5_000, 2_000),
  responseInformation: fc.constantFrom(null, 'answers', 'answers/%c/', 'of/%u/%c'),
  redirect: fc.oneof(
    { arbitrary: fc.constant<Config['redirect']>('none'), weight: 30 },
    {
      arbitrary: fc.constantFrom<Config['redirect']>('use another server', 'server moved'),
      weight: 1,
    },
  ),
  serverReference: fc.constantFrom(null, 'other.example:1883'),
  payloadFormatCheck: fc.boolean(),
  reasonStrings: fc.boolean(),
  connectTimeoutMs: fc.constantFrom(10_000, 2_000, 1_000),
  keepAliveMaxS: limit(0, 30),
  inflightCountMax: fc.constantFrom(20, 1, 2, 3, 0),
  packetIdMax: limit(65_535, 2, 3, 5),
  receiveMaximum: limit(20, 1, 2, 3),
  incomingCountMax: limit(20, 1, 2),
  queuedCountMax: fc.constantFrom(0, 1, 2, 5),
  queuedBytesMax: limit(0, 100, 60_000),
  unwrittenBytesMax: fc.constantFrom(1_048_576, 100, 100_000),
  stalledMs: fc.constantFrom(60_000, 3_000),
  subscriptionsPerSessionMax: limit(10_000, 2),
  filtersPerPacketMax: limit(10_000, 2),
  retainedCountMax: limit(100, 2),
  sysIntervalMs: oftener(0, 500, 3_000),
  retainedBytesMax: limit(1_000_000, 300),
  sessionsMax: limit(100, 3),
  sessionExpiryMaxS: limit(0xffffffff, 10),
  topicAliasMaximum: limit(10, 1, 0),
  outgoingTopicAliasMax: limit(10, 2, 0),
  maximumQos: oftener<Qos>(2, 1, 0),
  retainAvailable: oftener(true, false),
  wildcardAvailable: oftener(true, false),
  sharedAvailable: oftener(true, false),
  subscriptionIdentifiersAvailable: oftener(true, false),
  allowDuplicateMessages: fc.boolean(),
  sharedOrder: fc.constantFrom<Config['sharedOrder']>(
    'round robin',
    'prefer online',
    'sticky',
    'hash of topic',
  ),
  sharedOffline: limit<Config['sharedOffline']>('queue', 'drop'),
  connectionsMax: limit(100, 4),
  connectionsPerAddressMax: limit(100, 2),
  connectionRatePerAddress: limit(50, 0, 1, 3),
  connectionBurstPerAddress: limit(200, 1, 2, 4),
  unauthenticatedMax: limit(100, 2),
  unauthenticatedGraceMs: fc.constantFrom(0, 1_000),
}).map((some) => ({ ...defaults, ...some }))

/** Mostly one of the two listeners that connections come in through has rules of its own. */
export const config: fc.Arbitrary<Config> = fc.tuple(
  plainConfig,
  plainConfig,
  fc.constantFrom('1884', '1884', 'none'),
).map(([broker, other, listener]) => ({ ...broker, listeners: [[listener, rulesIn(other)]] }))

/** Of a configuration only what a listener may have for itself. */
const rulesIn = (some: Config): ListenerRules => {
  const own: Partial<Record<keyof Config, unknown>> = {}
  for (const key of listenerRuleKeys as ReadonlyArray<keyof ListenerRules>) own[key] = some[key]
  return own as unknown as ListenerRules
}

export interface History {
  readonly config: Config
  readonly commands: ReadonlyArray<Command>
}

/** The same history with a shell that always wakes up on time. */
export const punctual = ({ config, commands }: History): History => ({
  config,
  commands: commands.map((one) => one._tag === 'Pass' ? { ...one, late: false } : one),
})

const under = ({ config, commands }: History, some: Partial<Config>): History => ({
  config: { ...config, ...some },
  commands: commands.map((one) =>
    one._tag === 'Reconfigure' ? { ...one, config: { ...one.config, ...some } } : one
  ),
})

/** The same history with a broker that gives no reasons in words, which are its own affair. */
export const wordless = (some: History): History => under(some, { reasonStrings: false })

/** The same history with a broker that says nothing of itself, of which there is no end. */
export const taciturn = (some: History): History => under(some, { sysIntervalMs: 0 })

/** The same history with a broker that has no authentication methods, so no secrets matter. */
export const unproved = (some: History): History => under(some, { authenticationMethods: [] })

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
