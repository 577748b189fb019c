// Random histories of a broker: what clients, sockets, an operator and the clock do to it. A history
// is a list of small commands that mean something in every state (indices are taken modulo what there
// is), so that fast-check can leave any of them out when it shrinks. The world turns a command into
// inputs and keeps the clients, which are little state machines: they hold the acknowledgements they
// owe and send, delay or lose them, lose their connections and come back.

import fc from 'fast-check'
import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input, Millis } from '../../core/broker/input.ts'
import * as I from '../../core/broker/input.ts'
import { encodedSize } from '../../core/codec/mod.ts'
import type {
  Connect,
  Level,
  Packet,
  Publish,
  Qos,
  SubscribeRequest,
  Will,
} from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/property.ts'
import { none } from '../../core/codec/property.ts'
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
  | { readonly _tag: 'Unsubscribe'; readonly client: number; readonly filters: ReadonlyArray<number> }
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

const arms: { readonly [K in Command['_tag']]: fc.Arbitrary<Extract<Command, { _tag: K }>> } = {
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
  Release: fc.record({ _tag: fc.constant('Release'), client, count: fc.integer({ min: 1, max: 3 }) }),
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
export const weights: { readonly [K in Exclude<Command['_tag'], 'Stop'>]: number } = {
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

export const history = (commandsMax: number): fc.Arbitrary<History> =>
  fc.record({
    config,
    commands: fc.tuple(
      // Most begin with a few clients who listen.
      fc.array(fc.oneof(arms.Connect, arms.Subscribe), { maxLength: 16, size: 'max' }),
      fc.array(command, { maxLength: commandsMax, size: 'max' }),
      fc.option(arms.Stop, { freq: 4 }).map((stop) => stop === null ? [] : [stop]),
    ).map(([before, some, after]) => [...before, ...some, ...after]),
  })

// The clients and the world between them and the broker.

interface Unacked {
  readonly packet: Publish
  recorded: boolean
}

interface Client {
  readonly index: number
  clientId: string
  conn: Conn | null
  level: Level
  connected: boolean
  paused: boolean
  owed: Array<Packet>
  unacked: Array<Unacked>
  nextPacketId: number
}

interface Socket {
  readonly conn: Conn
  readonly client: Client | null
  /** Bytes sent to it, and bytes that the broker was told to have been taken. */
  sent: number
  reported: number
  stalled: boolean
}

export interface World {
  readonly clients: ReadonlyArray<Client>
  now: Millis
  step: number
  slots: Array<number>
  nextSlot: number
  nextGeneration: number
  published: number
  /** Connections that are open as far as the broker knows, and what their sockets do. */
  open: Array<Socket>
  /** Connections that are gone, for echoes. */
  gone: Array<Conn>
  questions: Array<Conn>
}

/** Residues are what keeps two commands from ever being due at one moment; see `perform`. */
export const residueMs = 500

export const originAt = 1_000_000
export const originWall = 1_800_000_000_000

export const createWorld = (): World => ({
  clients: clientIds.map((clientId, index) => ({
    index,
    clientId,
    conn: null,
    level: 5,
    connected: false,
    paused: false,
    owed: [],
    unacked: [],
    nextPacketId: 1,
  })),
  now: originAt,
  step: 0,
  slots: [],
  nextSlot: 0,
  nextGeneration: 1,
  published: 0,
  open: [],
  gone: [],
  questions: [],
})

export interface Subject {
  /** Gives the broker one input and answers what it wants. */
  readonly feed: (input: Input) => ReadonlyArray<Effect>
  readonly deadline: () => Millis
}

const forget = (world: World, conn: Conn): void => {
  const at = world.open.findIndex((one) => one.conn === conn)
  if (at < 0) return
  const [one] = world.open.splice(at, 1)
  world.slots.push(conn.slot)
  world.gone.push(conn)
  world.questions = world.questions.filter((asked) => asked !== conn)
  if (one !== undefined && one.client !== null && one.client.conn === conn) {
    one.client.conn = null
    one.client.connected = false
    one.client.paused = false
    one.client.owed = []
  }
}

const received = (world: World, conn: Conn, level: Level, packet: Packet): void => {
  const socket = world.open.find((one) => one.conn === conn)
  if (socket === undefined) return
  socket.sent += encodedSize(level, packet)
  const { client } = socket
  if (client === null || client.conn !== conn) return
  switch (packet._tag) {
    case 'Connack':
      client.connected = packet.reason === 0
      if (!packet.sessionPresent) client.unacked = []
      if (packet.properties.assignedClientIdentifier !== undefined) {
        client.clientId = packet.properties.assignedClientIdentifier
      }
      return
    case 'Publish':
      if (packet.qos === 1) {
        client.owed.push({ _tag: 'Puback', packetId: packet.packetId, reason: 0, properties: none })
      }
      if (packet.qos === 2) {
        client.owed.push({ _tag: 'Pubrec', packetId: packet.packetId, reason: 0, properties: none })
      }
      return
    case 'Pubrel':
      client.owed.push({ _tag: 'Pubcomp', packetId: packet.packetId, reason: 0, properties: none })
      return
    case 'Pubrec': {
      const found = client.unacked.find((one) => one.packet.packetId === packet.packetId)
      if (found === undefined) return
      if (packet.reason < 0x80) found.recorded = true
      else client.unacked = client.unacked.filter((one) => one !== found)
      return
    }
    case 'Puback':
    case 'Pubcomp':
      client.unacked = client.unacked.filter((one) => one.packet.packetId !== packet.packetId)
      return
    default:
      return
  }
}

/** Carries out effects as a shell would, and lets the clients read what they were sent. */
export const absorb = (world: World, effects: ReadonlyArray<Effect>): void => {
  for (const effect of effects) {
    switch (effect._tag) {
      case 'Send':
        received(world, known(world, effect.conn), effect.level, effect.packet)
        break
      case 'Multicast':
        for (const conn of effect.conns) {
          received(world, known(world, conn), effect.level, effect.packet)
        }
        break
      case 'Close':
        forget(world, known(world, effect.conn))
        break
      case 'Pause':
      case 'Resume': {
        const one = world.open.find((some) => same(some.conn, effect.conn))
        if (one !== undefined && one.client !== null) one.client.paused = effect._tag === 'Pause'
        break
      }
      case 'Judge':
        world.questions.push(known(world, effect.conn))
        break
      case 'Note':
        break
    }
  }
}

const same = (a: Conn, b: Conn): boolean => a.slot === b.slot && a.generation === b.generation

/** The world's own object for a connection. */
const known = (world: World, conn: Conn): Conn =>
  world.open.find((one) => same(one.conn, conn))?.conn ?? conn

// A nonce is a UUID in upper case.
const nonce = (generation: number): string =>
  `00000000-0000-4000-8000-${String(generation).padStart(12, '0')}`

const openConn = (world: World, client: Client | null, subject: Subject): Conn => {
  const conn: Conn = {
    slot: world.slots.shift() ?? world.nextSlot++,
    generation: world.nextGeneration++,
  }
  world.open.push({ conn, client, sent: 0, reported: 0, stalled: false })
  if (client !== null) {
    client.conn = conn
    client.connected = false
    client.paused = false
    client.owed = []
  }
  give(
    world,
    subject,
    I.opened(conn, world.now, nonce(conn.generation), '1883', {
      // Loopback is exempt from the limit per address; half of the connections are not.
      address: conn.generation % 2 === 0 ? '127.0.0.1' : '192.0.2.7',
      port: 40_000 + conn.generation,
    }),
  )
  return conn
}

const give = (world: World, subject: Subject, input: Input): void => {
  absorb(world, subject.feed(input))
}

/** What goes along with a message unchanged, in bytes of its own every time. */
const rich = (): Properties => ({
  payloadFormatIndicator: 1,
  contentType: 'text/plain',
  responseTopic: 't/v',
  correlationData: utf8('correlation'),
  userProperties: [['k', 'v'], ['k', 'w']],
})

const payloadOf = (world: World, command: Extract<Command, { _tag: 'Publish' }>): Bytes => {
  const n = ++world.published
  if (command.empty) return B.empty
  const text = utf8(`${command.client}:${n}`)
  if (command.bytes === 0) return text
  const buffer = new Uint8Array(command.bytes)
  B.copyTo(text, buffer, 0)
  return B.of(buffer)
}

const connectOf = (
  world: World,
  client: Client,
  command: Extract<Command, { _tag: 'Connect' }>,
): Connect => {
  const five = command.level === 5
  const properties: { -readonly [K in keyof Properties]: Properties[K] } = {}
  if (five && command.sessionExpiryS !== null) {
    properties.sessionExpiryInterval = command.sessionExpiryS
  }
  if (five && command.receiveMaximum !== null) properties.receiveMaximum = command.receiveMaximum
  if (five && command.packetBytesMax !== null) properties.maximumPacketSize = command.packetBytesMax
  const asked = command.will
  let testament: Will | null = null
  if (asked !== null) {
    const said: { -readonly [K in keyof Properties]: Properties[K] } = five && asked.rich
      ? { ...rich() }
      : {}
    if (five && asked.delayS > 0) said.willDelayInterval = asked.delayS
    if (five && asked.expiryS !== null) said.messageExpiryInterval = asked.expiryS
    testament = {
      topic: names[asked.topic % names.length]!,
      payload: utf8(`will:${command.client}:${++world.published}`),
      qos: asked.qos,
      retain: asked.retain,
      properties: said,
    }
  }
  return {
    _tag: 'Connect',
    level: command.level,
    bridge: command.bridge,
    cleanStart: command.cleanStart,
    keepAliveS: command.keepAliveS,
    clientId: client.clientId,
    will: testament,
    userName: null,
    password: null,
    properties,
  }
}

/** Clients have few identifiers, so that they come round again. */
const packetIdMax = 9

const takePacketId = (client: Client): number => {
  let id = client.nextPacketId
  for (let i = 0; i < packetIdMax; i++) {
    if (!client.unacked.some((one) => one.packet.packetId === id)) break
    id = id === packetIdMax ? 1 : id + 1
  }
  client.nextPacketId = id === packetIdMax ? 1 : id + 1
  return id
}

const requestOf = (command: RequestCommand, level: Level): SubscribeRequest => ({
  filter: command.shared
    ? sharedFilters[command.filter % sharedFilters.length]!
    : filters[command.filter % filters.length]!,
  qos: command.qos,
  // On a shared subscription no-local is a fault that the decoder already refuses.
  noLocal: level === 5 && command.noLocal && !command.shared,
  retainAsPublished: level === 5 && command.retainAsPublished,
  retainHandling: level === 5 ? command.retainHandling : 0,
})

const oddPacket = (client: Client, odd: Odd, id: number): Packet => {
  const ack = { packetId: id, reason: 0, properties: none }
  const publish: Publish = {
    _tag: 'Publish',
    dup: false,
    qos: 0,
    retain: false,
    topic: names[0]!,
    packetId: 0,
    payload: utf8('odd'),
    properties: none,
  }
  switch (odd) {
    case 'second connect':
      return {
        _tag: 'Connect',
        level: client.level,
        bridge: false,
        cleanStart: true,
        keepAliveS: 0,
        clientId: client.clientId,
        will: null,
        userName: null,
        password: null,
        properties: none,
      }
    case 'puback':
      return { _tag: 'Puback', ...ack }
    case 'pubrec':
      return { _tag: 'Pubrec', ...ack }
    case 'pubrel':
      return { _tag: 'Pubrel', ...ack }
    case 'pubcomp':
      return { _tag: 'Pubcomp', ...ack }
    case 'auth':
      return { _tag: 'Auth', reason: 0x19, properties: none }
    case 'connack':
      return { _tag: 'Connack', sessionPresent: false, reason: 0, properties: none }
    case 'suback':
      return { _tag: 'Suback', packetId: id, reasons: [0], properties: none }
    case 'pingresp':
      return { _tag: 'Pingresp' }
    case 'publish with identifier':
      return { ...publish, properties: { subscriptionIdentifiers: [1] } }
    case 'unknown alias':
      return { ...publish, topic: '', properties: { topicAlias: 1 } }
    case 'alias too large':
      return { ...publish, properties: { topicAlias: 11 } }
    case 'system topic':
      return { ...publish, topic: name('$SYS/broker/version'), qos: 1, packetId: 7 }
  }
}

/** Whether the packet can exist below MQTT 5. */
const needs5 = (odd: Odd): boolean =>
  odd === 'auth' ||
  odd === 'publish with identifier' ||
  odd === 'unknown alias' ||
  odd === 'alias too large'

const tickUntil = (world: World, subject: Subject, until: Millis): void => {
  let spins = 0
  for (;;) {
    const due = subject.deadline()
    if (due > until) return
    if (due > world.now) world.now = due
    give(world, subject, I.ticked(world.now, originWall + world.now - originAt))
    if (++spins > 10_000) throw new Error(`the deadline stays at ${due} while it is ${world.now}`)
  }
}

const sayAs = (world: World, client: Client, subject: Subject, packet: Packet): void => {
  if (client.conn === null || client.paused) return
  give(world, subject, I.arrived(client.conn, world.now, packet))
}

/**
 * Carries one command out: feeds the broker what follows from it and lets the clients see what comes
 * back. Every command happens at a moment of its own within the half second, so that what is due
 * after whole seconds (or one and a half keep alive intervals) of two commands never falls together,
 * and the order in which a broker works such things off stays its own affair.
 */
export const perform = (world: World, command: Command, subject: Subject): void => {
  world.step++
  const wanted = world.step % residueMs
  const current = world.now % residueMs
  const next = world.now + ((wanted - current + residueMs) % residueMs || residueMs)
  tickUntil(world, subject, next)
  world.now = next
  act(world, command, subject)
  for (const socket of [...world.open]) {
    // A shell need not speak of less.
    if (!socket.stalled && socket.sent - socket.reported > 65_536) report(world, socket, subject)
  }
  tickUntil(world, subject, world.now)
}

const report = (world: World, socket: Socket, subject: Subject): void => {
  socket.reported = socket.sent
  give(world, subject, I.written(socket.conn, world.now, socket.sent))
}

const act = (world: World, command: Command, subject: Subject): void => {
  const { now } = world
  switch (command._tag) {
    case 'Connect': {
      const client = world.clients[command.client % world.clients.length]!
      // A CONNECT on an open connection is the business of Odd; here the old one is left behind.
      const conn = openConn(world, client, subject)
      if (client.conn !== conn) return
      client.level = command.level
      give(world, subject, I.arrived(conn, now, connectOf(world, client, command)))
      if (command.verdict !== null && world.questions.includes(conn)) {
        world.questions = world.questions.filter((one) => one !== conn)
        give(world, subject, I.judged(conn, now, command.verdict))
      }
      return
    }
    case 'Open':
      openConn(world, null, subject)
      return
    case 'Stop':
      give(world, subject, I.commanded(now, { _tag: 'Stop' }))
      return
    case 'Pass': {
      const until = now + command.halves * residueMs
      if (command.late) {
        world.now = until
        give(world, subject, I.ticked(until, originWall + until - originAt))
      }
      tickUntil(world, subject, until)
      world.now = until
      return
    }
    case 'Judge': {
      const conn = world.questions.shift()
      if (conn !== undefined) give(world, subject, I.judged(conn, now, command.reason))
      return
    }
    case 'Echo': {
      const conn = world.gone[world.gone.length - 1 - command.which]
      if (conn !== undefined) give(world, subject, echo(conn, now, command.kind))
      return
    }
    default: {
      // Whoever has something to do does it: a command that nobody can follow says nothing.
      const able = world.clients.filter((one) => isAble(one, command))
      const client = able[command.client % (able.length || 1)]
      if (client !== undefined) actAs(world, client, command, subject)
    }
  }
}

const isAble = (client: Client, { _tag }: ClientCommand): boolean => {
  switch (_tag) {
    case 'Kick':
    case 'Lose':
    case 'Break':
    case 'Stall':
    case 'Take':
      return client.conn !== null
    case 'Answer':
      return client.connected && client.owed.length > 0
    case 'Again':
      return client.connected && client.unacked.some((one) => !one.recorded)
    case 'Release':
      return client.connected && client.unacked.some((one) => one.recorded)
    default:
      return client.connected
  }
}

const echo = (conn: Conn, now: Millis, kind: number): Input =>
  kind === 0
    ? I.closed(conn, now, 'closed')
    : kind === 1
    ? I.written(conn, now, 1)
    : kind === 2
    ? I.judged(conn, now, 0)
    : kind === 3
    ? I.arrived(conn, now, { _tag: 'Pingreq' })
    : I.broke(conn, now, { reason: 0x81, clause: 'MQTT-2.1.3-1', detail: 'an echo', level: 5 })

type ClientCommand = Exclude<
  Command,
  { readonly _tag: 'Connect' | 'Open' | 'Stop' | 'Pass' | 'Judge' | 'Echo' }
>

const actAs = (world: World, client: Client, command: ClientCommand, subject: Subject): void => {
  const { now } = world
  const { conn } = client
  if (command._tag === 'Kick') {
    give(world, subject, I.commanded(now, { _tag: 'Kick', clientId: client.clientId }))
    return
  }
  if (conn === null) return
  switch (command._tag) {
    case 'Stall':
    case 'Take': {
      const socket = world.open.find((one) => one.conn === conn)
      if (socket === undefined) return
      socket.stalled = command._tag === 'Stall'
      if (!socket.stalled) report(world, socket, subject)
      return
    }
    case 'Lose':
      forget(world, conn)
      give(world, subject, I.closed(conn, now, command.why))
      return
    case 'Break':
      if (client.paused) return
      give(
        world,
        subject,
        I.broke(conn, now, {
          reason: 0x81,
          clause: 'MQTT-2.1.3-1',
          detail: 'reserved flags are set',
          level: client.connected ? client.level : 0,
        }),
      )
      return
    default:
      if (client.connected) speak(world, client, command, subject)
  }
}

type Speech = Exclude<
  ClientCommand,
  { readonly _tag: 'Kick' | 'Lose' | 'Break' | 'Stall' | 'Take' }
>

const speak = (world: World, client: Client, command: Speech, subject: Subject): void => {
  const five = client.level === 5
  switch (command._tag) {
    case 'Subscribe':
      return sayAs(world, client, subject, {
        _tag: 'Subscribe',
        packetId: takePacketId(client),
        requests: command.requests.map((one) => requestOf(one, client.level)),
        properties: five && command.identifier !== null
          ? { subscriptionIdentifiers: [command.identifier] }
          : none,
      })
    case 'Unsubscribe': {
      const all = [...filters, ...sharedFilters]
      return sayAs(world, client, subject, {
        _tag: 'Unsubscribe',
        packetId: takePacketId(client),
        filters: command.filters.map((one) => all[one % all.length]!),
        properties: none,
      })
    }
    case 'Publish': {
      if (client.paused) return
      const properties: { -readonly [K in keyof Properties]: Properties[K] } = five && command.rich
        ? { ...rich() }
        : {}
      if (five && command.expiryS !== null) properties.messageExpiryInterval = command.expiryS
      if (five && command.alias !== null) properties.topicAlias = command.alias
      const packet: Publish = {
        _tag: 'Publish',
        dup: false,
        qos: command.qos,
        retain: command.retain,
        topic: names[command.topic % names.length]!,
        packetId: command.qos === 0 ? 0 : takePacketId(client),
        payload: payloadOf(world, command),
        properties,
      }
      // An identifier in use stays with its message: sending another under it is an Odd thing.
      if (client.unacked.some((one) => one.packet.packetId === packet.packetId)) return
      if (packet.qos > 0) client.unacked.push({ packet, recorded: false })
      return sayAs(world, client, subject, packet)
    }
    case 'Again': {
      const open = client.unacked.filter((one) => !one.recorded)
      const found = open[command.which % (open.length || 1)]
      if (found === undefined) return
      return sayAs(world, client, subject, { ...found.packet, dup: true })
    }
    case 'Release': {
      let count = command.count
      for (const one of client.unacked) {
        if (!one.recorded || count-- <= 0) continue
        sayAs(world, client, subject, {
          _tag: 'Pubrel',
          packetId: one.packet.packetId,
          reason: 0,
          properties: none,
        })
      }
      return
    }
    case 'Answer': {
      if (client.paused) return
      const some = client.owed.splice(0, command.count)
      if (command.reason === 'lose') return
      for (const packet of some) {
        const refuse = command.reason === 'refuse' && five &&
          (packet._tag === 'Puback' || packet._tag === 'Pubrec')
        sayAs(world, client, subject, refuse ? { ...packet, reason: 0x83 } : packet)
      }
      return
    }
    case 'Ping':
      return sayAs(world, client, subject, { _tag: 'Pingreq' })
    case 'Disconnect':
      return sayAs(world, client, subject, {
        _tag: 'Disconnect',
        reason: five ? command.reason : 0,
        properties: five && command.sessionExpiryS !== null
          ? { sessionExpiryInterval: command.sessionExpiryS }
          : none,
      })
    case 'Odd':
      if (five || !needs5(command.odd)) {
        sayAs(world, client, subject, oddPacket(client, command.odd, command.id))
      }
      return
  }
}
