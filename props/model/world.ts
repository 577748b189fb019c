// The world between a history and the broker. It turns commands into inputs, carries effects out
// as a shell would, and keeps the clients, which are little state machines: they hold the
// acknowledgements they owe and send, delay or lose them, lose their connections and come back.

import type { Config } from '../../core/broker/config.ts'
import type { Effect, Query } from '../../core/broker/effect.ts'
import type { Conn, Input, Millis } from '../../core/broker/input.ts'
import * as I from '../../core/broker/input.ts'
import { encodedSize } from '../../core/codec/mod.ts'
import type {
  Connect,
  Level,
  Packet,
  Publish,
  SubscribeRequest,
  Will,
} from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/properties.ts'
import { none } from '../../core/codec/properties.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import type { Command, First, Move, Odd, RequestCommand } from '../gen/histories.ts'
import { clientIds, filters, firsts, name, names, sharedFilters, utf8 } from '../gen/histories.ts'

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
  /** What the last challenge said; empty where there was none on this connection. */
  challenge: string
  /** The header of the last first message; null for a client without a method. */
  header: string | null
  owed: Array<Packet>
  unacked: Array<Unacked>
  /** What it ever subscribed to. */
  filters: Array<TopicFilter>
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
  /** What the broker was told last. */
  config: Config
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
  /** What authentication methods asked. */
  queries: Array<{ readonly conn: Conn; readonly query: Query }>
}

/** Residues are what keeps two commands from ever being due at one moment; see `perform`. */
const residueMs = 500

export const originAt = 1_000_000
export const originWall = 1_800_000_000_000

export const createWorld = (config: Config): World => ({
  config,
  clients: clientIds.map((clientId, index) => ({
    index,
    clientId,
    conn: null,
    level: 5,
    connected: false,
    paused: false,
    challenge: '',
    header: null,
    owed: [],
    unacked: [],
    filters: [],
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
  queries: [],
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
  world.queries = world.queries.filter((asked) => asked.conn !== conn)
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
    case 'Auth': {
      const { authenticationData } = packet.properties
      if (packet.reason === 0x18 && authenticationData !== undefined) {
        client.challenge = new TextDecoder().decode(B.view(authenticationData))
      }
      return
    }
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
        // A client may have left the connection behind and be judged on another.
        const client = one?.client ?? null
        if (one !== undefined && client !== null && client.conn === one.conn) {
          client.paused = effect._tag === 'Pause'
        }
        break
      }
      case 'Judge':
        world.questions.push(known(world, effect.conn))
        break
      case 'Ask':
        world.queries.push({ conn: known(world, effect.conn), query: effect.query })
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
    client.challenge = ''
    client.owed = []
  }
  give(
    world,
    subject,
    I.opened(conn, world.now, nonce(conn.generation), conn.generation % 3 === 0 ? '1884' : '1883', {
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
  // Whoever sends so many says of them that they are UTF-8, and they are not.
  if (command.bytes === 60) buffer[59] = 0xff
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
  if (five && command.aliasMax !== null) properties.topicAliasMaximum = command.aliasMax
  if (five && command.problems !== null) properties.requestProblemInformation = command.problems
  if (five && command.information !== null) {
    properties.requestResponseInformation = command.information
  }
  if (five && command.method !== null) {
    properties.authenticationMethod = command.method
    const data = firstOf(command.first)
    if (data !== null) properties.authenticationData = data
  }
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
      payload: asked.broken ? B.of(Uint8Array.of(0xed, 0xa0, 0x80)) : utf8(
        `will:${command.client}:${++world.published}`,
      ),
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
    userName: command.userName,
    password: utf8('password'),
    properties,
  }
}

const firstOf = (first: First): Bytes | null =>
  first === null ? null : utf8(firsts[first % firsts.length]!)

/** What has to come back as channel binding: everything up to the second comma. */
const headerOf = (first: First): string =>
  first === null ? '' : /^[^,]*,[^,]*,/.exec(firsts[first % firsts.length]!)?.[0] ?? ''

const scram = 'SCRAM-SHA-256'

/** What a client makes of its last challenge; its proof is as good as the shell says it is. */
const proof = (challenge: string, binding: string, nonce: string, bytes: number): Bytes => {
  const both = /^r=([^,]*)/.exec(challenge)?.[1] ?? ''
  return utf8(`c=${btoa(binding)},r=${both}${nonce},p=${btoa('p'.repeat(bytes))}`)
}

const movePacket = (
  client: Client,
  move: Exclude<Move, 'next'>,
  first: First,
  header: string,
): Packet => {
  const auth = (reason: number, data: Bytes | null, method: string | null = scram): Packet => ({
    _tag: 'Auth',
    reason,
    properties: method === null
      ? none
      : data === null
      ? { authenticationMethod: method }
      : { authenticationMethod: method, authenticationData: data },
  })
  const { challenge } = client
  switch (move) {
    case 'answer':
      return auth(0x18, proof(challenge, header, '', 32))
    case 'renew':
      return auth(0x19, firstOf(first))
    case 'renew by another method':
      return auth(0x19, firstOf(first), 'PLAIN')
    case 'wrong nonce':
      return auth(0x18, proof(challenge, header, 'x', 32))
    case 'wrong binding':
      return auth(0x18, proof(challenge, 'p=tls-unique,,', '', 32))
    case 'short proof':
      return auth(0x18, proof(challenge, header, '', 20))
    case 'no data':
      return auth(0x18, null)
    case 'too much data':
      return auth(0x18, proof(challenge, header, '', 5000))
    case 'no method':
      return auth(0x18, null, null)
    case 'success':
      return auth(0, proof(challenge, header, '', 32))
    case 'ping':
      return { _tag: 'Pingreq' }
    case 'farewell':
      return { _tag: 'Disconnect', reason: 4, properties: none }
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
 * Carries one command out: feeds the broker what follows from it and lets the clients see what
 * comes back. Every command happens at a moment of its own within the half second, so that what
 * is due after whole seconds (or one and a half keep alive intervals) of two commands never falls
 * together, and the order in which a broker works such things off stays its own affair.
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

/** The shell answers the first question of this connection, or of any. */
const know = (world: World, subject: Subject, conn: Conn | null, reason: 0 | 0x87): void => {
  const found = world.queries.find((one) => conn === null || one.conn === conn)
  if (found === undefined) return
  world.queries = world.queries.filter((one) => one !== found)
  const answer: I.Answer = reason !== 0
    ? { _tag: 'Refused', reason }
    : found.query._tag === 'ScramSalt'
    ? { _tag: 'ScramSalt', salt: utf8('salt'), iterations: 4096 }
    : { _tag: 'ScramSignature', signature: utf8('signature') }
  const fresh = nonce(world.step)
  give(world, subject, I.answered(found.conn, world.now, fresh, answer))
}

/** A client says what it makes of its challenge, and the shell what that is worth. */
const prove = (
  world: World,
  subject: Subject,
  client: Client,
  move: Exclude<Move, 'next'>,
  { first, verdict }: { readonly first: First; readonly verdict: 0 | 0x87 | null },
): void => {
  const { conn } = client
  if (conn === null || client.paused || client.header === null) return
  const packet = movePacket(client, move, first, client.header)
  client.challenge = ''
  give(world, subject, I.arrived(conn, world.now, packet))
  if (verdict !== null) know(world, subject, conn, verdict)
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
      client.header = command.method === null ? null : headerOf(command.first)
      give(world, subject, I.arrived(conn, now, connectOf(world, client, command)))
      if (command.verdict !== null && world.questions.includes(conn)) {
        world.questions = world.questions.filter((one) => one !== conn)
        give(world, subject, I.judged(conn, now, command.verdict))
      }
      if (command.verdict !== null) know(world, subject, conn, command.verdict)
      if (command.through && client.challenge !== '') {
        prove(world, subject, client, 'answer', command)
      }
      return
    }
    case 'Know':
      return know(world, subject, null, command.reason)
    case 'Own': {
      const { qos, retain, expiryS } = command
      const packet: Publish = {
        _tag: 'Publish',
        dup: false,
        qos,
        retain,
        topic: names[command.topic % names.length]!,
        packetId: qos === 0 ? 0 : 1,
        payload: utf8('own'),
        properties: expiryS === null ? none : { messageExpiryInterval: expiryS },
      }
      return give(world, subject, I.commanded(now, { _tag: 'Publish', packet }))
    }
    case 'Measure':
      return give(world, subject, I.measured(now, command))
    case 'Redirect':
      return give(world, subject, I.commanded(now, { _tag: 'Redirect' }))
    case 'Open':
      openConn(world, null, subject)
      return
    case 'Stop':
      give(world, subject, I.commanded(now, { _tag: 'Stop' }))
      return
    case 'Memory':
      give(world, subject, command.isShort ? I.memoryShort(now) : I.memoryFree(now))
      return
    case 'Rights':
      world.config = { ...world.config, ...command.rights }
      give(world, subject, I.reconfigured(now, world.config))
      return
    case 'Revoke': {
      const revocation = { listener: '1883', userNames: [command.userName] }
      give(world, subject, I.commanded(now, { _tag: 'Revoke', revocation }))
      return
    }
    case 'Reconfigure':
      world.config = command.config
      give(world, subject, I.reconfigured(now, command.config))
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
      const all = world.clients.filter((one) => isAble(one, command))
      const challenged = all.filter((one) => one.challenge !== '')
      // Whoever has begun to prove himself goes on before another begins.
      const able = command._tag === 'Prove' && challenged.length > 0 ? challenged : all
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
    case 'Prove':
      return client.conn !== null && client.level === 5 && client.header !== null
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
    : kind === 5
    ? I.answered(conn, now, nonce(0), { _tag: 'Refused', reason: 0x87 })
    : kind === 3
    ? I.arrived(conn, now, { _tag: 'Pingreq' })
    : kind === 6
    ? I.continued(conn, now)
    : I.broke(conn, now, { reason: 0x81, clause: 'MQTT-2.1.3-1', detail: 'an echo', level: 5 })

type ClientCommand = Exclude<
  Command,
  {
    readonly _tag:
      | 'Connect'
      | 'Open'
      | 'Stop'
      | 'Reconfigure'
      | 'Rights'
      | 'Revoke'
      | 'Memory'
      | 'Pass'
      | 'Judge'
      | 'Know'
      | 'Redirect'
      | 'Own'
      | 'Measure'
      | 'Echo'
  }
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
      // One at a time: two that were sent the same would be given up at the same moment.
      for (const one of world.open.filter((some) => some.stalled)) {
        one.stalled = false
        report(world, one, subject)
      }
      if (command._tag === 'Stall') socket.stalled = true
      else report(world, socket, subject)
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
          // A second CONNECT may be wrong in ways that only CONNACK has a code for.
          reason: client.connected && world.step % 3 === 0 ? 0x85 : 0x81,
          clause: 'MQTT-2.1.3-1',
          detail: 'reserved flags are set',
          // A CONNECT that is no packet may still be one that can be answered.
          level: client.connected ? client.level : world.step % 2 === 0 ? 5 : 0,
        }),
      )
      return
    case 'Prove': {
      if (client.paused) return
      const move = command.move !== 'next'
        ? command.move
        : client.connected && client.challenge === ''
        ? 'renew'
        : 'answer'
      if (move.startsWith('renew')) client.header = headerOf(command.first)
      prove(world, subject, client, move, command)
      if (command.through && client.challenge !== '') {
        prove(world, subject, client, 'answer', command)
      }
      return
    }
    default:
      if (client.connected) speak(world, client, command, subject)
  }
}

type Speech = Exclude<
  ClientCommand,
  { readonly _tag: 'Kick' | 'Lose' | 'Break' | 'Prove' | 'Stall' | 'Take' }
>

const speak = (world: World, client: Client, command: Speech, subject: Subject): void => {
  const five = client.level === 5
  switch (command._tag) {
    case 'Subscribe': {
      const requests = command.requests.map((one) => requestOf(one, client.level))
      client.filters.push(...requests.map((one) => one.filter))
      return sayAs(world, client, subject, {
        _tag: 'Subscribe',
        packetId: takePacketId(client),
        requests,
        properties: five && command.identifier !== null
          ? { subscriptionIdentifiers: [command.identifier] }
          : none,
      })
    }
    case 'Unsubscribe': {
      // Mostly from what it may have.
      const all = client.filters.length > 0 && command.filters[0]! % 4 > 0
        ? client.filters
        : [...filters, ...sharedFilters]
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
      // Who has come back with an older version has no properties to say again.
      const properties = client.level === 5 ? found.packet.properties : none
      return sayAs(world, client, subject, { ...found.packet, properties, dup: true })
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
    case 'Continue':
      if (client.conn === null || client.paused) return
      return give(world, subject, I.continued(client.conn, world.now))
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
