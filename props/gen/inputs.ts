// Arbitrary inputs, effects, notes and configurations: well-formed data, without regard to
// whether it could happen. For what can happen see histories.ts.

import fc from 'fast-check'
import type { Config, ListenerRules } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Effect, Query, Question, When } from '../../core/broker/effect.ts'
import type { Answer, Command, Conn, Input, Peer } from '../../core/broker/input.ts'
import type { DropReason, Ending, Note } from '../../core/broker/note.ts'
import type { Fault } from '../../core/codec/fault.ts'
import type { Level, Packet, Qos } from '../../core/codec/packet.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import { listenerRuleKeys } from '../../core/trace/input.ts'
import { packet as packetAt, packetOf } from './packets.ts'
import { write } from './records.ts'

type Arm<Union, Tag> = Extract<Union, { readonly _tag: Tag }>

const level = fc.constantFrom<Level>(3, 4, 5)

const qos = fc.constantFrom<Qos>(0, 1, 2)

/** Any string that a peer can send, and a few that trip up careless code. */
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('__proto__', 'constructor', '\u2028', '"\\', '\ufeff', ''),
)

/** Bytes that lie somewhere inside a larger buffer. */
export const bytes: fc.Arbitrary<Bytes> = fc.tuple(
  fc.uint8Array({ maxLength: 40 }),
  fc.nat({ max: 3 }),
  fc.nat({ max: 3 }),
).map(([some, before, after]) => {
  const buffer = new Uint8Array(before + some.length + after).fill(0xee)
  buffer.set(some, before)
  return B.slice(buffer, before, before + some.length)
})

const packet: fc.Arbitrary<Packet> = level.chain((one) => packetAt(one))

const count = fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER))

const at = count

const byte = fc.nat({ max: 0xff })

const word = fc.nat({ max: 0xffff })

export const conn: fc.Arbitrary<Conn> = fc.record({
  slot: fc.nat({ max: 0xffffff }),
  generation: count,
})

const peer: fc.Arbitrary<Peer> = fc.record({ address: text, port: word })

const fault: fc.Arbitrary<Fault> = fc.record({
  reason: byte,
  clause: fc.constantFrom('MQTT-3.1.2-3', 'v3 MQTT-3.1.2-3'),
  detail: text,
  level: fc.constantFrom<Fault['level']>(0, 3, 4, 5),
})

const numbers = Object.entries(defaults).filter(([, value]) => typeof value === 'number')

/** Rules that a listener may have for itself. */
const rules = {
  authentication: fc.constantFrom<Config['authentication']>('none', 'judge'),
  protocolLevels: fc.subarray<Level>([3, 4, 5]),
  mountPoint: text,
  emptyClientIds: fc.boolean(),
  autoIdPrefix: text,
  maximumQos: qos,
}

const whole = (some: Partial<ListenerRules>): ListenerRules => {
  const own: Record<string, unknown> = {}
  for (const key of listenerRuleKeys) own[key] = { ...defaults, ...some }[key as keyof Config]
  return own as unknown as ListenerRules
}

export const config: fc.Arbitrary<Config> = fc.tuple(
  fc.record({
    authenticationMethods: fc.subarray<Config['authenticationMethods'][number]>(['SCRAM-SHA-256']),
    reasonStrings: fc.boolean(),
    responseInformation: fc.option(text),
    redirect: fc.constantFrom<Config['redirect']>('none', 'use another server', 'server moved'),
    serverReference: fc.option(text),
    payloadFormatCheck: fc.boolean(),
    ...rules,
    listeners: fc.array(fc.tuple(text, fc.record(rules).map(whole)), { maxLength: 2 }),
    retainAvailable: fc.boolean(),
    wildcardAvailable: fc.boolean(),
    sharedAvailable: fc.boolean(),
    subscriptionIdentifiersAvailable: fc.boolean(),
    allowDuplicateMessages: fc.boolean(),
    queueQos0: fc.boolean(),
    upgradeOutgoingQos: fc.boolean(),
    sharedOrder: fc.constantFrom<Config['sharedOrder']>(
      'round robin',
      'prefer online',
      'sticky',
      'hash of topic',
    ),
    sharedOffline: fc.constantFrom<Config['sharedOffline']>('queue', 'drop'),
  }),
  fc.constantFrom(...numbers.map(([key]) => key).filter((key) => key !== 'maximumQos')),
  word,
).map(([words, key, value]) => ({
  ...defaults,
  ...words,
  // The one that has no 0.
  [key]: key === 'packetIdMax' ? Math.max(1, value) : value,
}))

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ _tag: fc.constant<'Stop'>('Stop') }),
  fc.record({ _tag: fc.constant<'Redirect'>('Redirect') }),
  fc.record({ _tag: fc.constant<'Kick'>('Kick'), clientId: text }),
  fc.record({
    _tag: fc.constant<'Publish'>('Publish'),
    packet: packetOf('Publish', 5).filter((one) => one._tag === 'Publish'),
  }),
  fc.record({ _tag: fc.constant<'Shut'>('Shut'), listener: text }),
  fc.record({
    _tag: fc.constant<'Revoke'>('Revoke'),
    revocation: fc.record({ listener: text, userNames: fc.array(text) }),
  }),
)

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ _tag: fc.constant<'ScramSalt'>('ScramSalt'), salt: bytes, iterations: count }),
  fc.record({ _tag: fc.constant<'ScramSignature'>('ScramSignature'), signature: bytes }),
  fc.record({ _tag: fc.constant<'Refused'>('Refused'), reason: byte }),
)

const nonce = fc.uuid().map((uuid) => uuid.toUpperCase())

const inputArms: { readonly [Tag in Input['_tag']]: fc.Arbitrary<Arm<Input, Tag>> } = {
  Opened: fc.record({
    _tag: fc.constant('Opened'),
    conn,
    at,
    nonce,
    listener: text,
    peer,
  }),
  Arrived: fc.record({ _tag: fc.constant('Arrived'), conn, at, packet }),
  Continued: fc.record({ _tag: fc.constant('Continued'), conn, at }),
  Broke: fc.record({ _tag: fc.constant('Broke'), conn, at, fault }),
  Closed: fc.record({
    _tag: fc.constant('Closed'),
    conn,
    at,
    why: fc.constantFrom<'closed' | 'failed'>('closed', 'failed'),
  }),
  Written: fc.record({ _tag: fc.constant('Written'), conn, at, total: count }),
  Judged: fc.record({ _tag: fc.constant('Judged'), conn, at, reason: byte }),
  Answered: fc.record({ _tag: fc.constant('Answered'), conn, at, nonce, answer }),
  Measured: fc.record({
    _tag: fc.constant('Measured'),
    at,
    receivedBytes: count,
    heapBytes: count,
    waitingPackets: count,
    waitingBytes: count,
  }),
  Ticked: fc.record({ _tag: fc.constant('Ticked'), at, wall: count }),
  MemoryShort: fc.record({ _tag: fc.constant('MemoryShort'), at }),
  MemoryFree: fc.record({ _tag: fc.constant('MemoryFree'), at }),
  StoreFull: fc.record({ _tag: fc.constant('StoreFull'), at }),
  StoreFree: fc.record({ _tag: fc.constant('StoreFree'), at }),
  Reconfigured: fc.record({ _tag: fc.constant('Reconfigured'), at, config }),
  Commanded: fc.record({ _tag: fc.constant('Commanded'), at, command }),
}

const dropReason = fc.constantFrom<DropReason>(
  'expired',
  'queue full',
  'too large',
  'back-pressure',
  'offline',
  'no subscriber',
  'not allowed',
  'session ended',
  'retained store full',
  'memory short',
  'store full',
  'payload format invalid',
)

const ending = fc.constantFrom<Ending>(
  'disconnected',
  'connection closed by client',
  'connection failed',
  'exceeded timeout',
  'session taken over',
  'protocol error',
  'stalled',
  'global_max_connections exceeded',
  'max_connections exceeded',
  'max_connections_per_address exceeded',
  'global_max_clients exceeded',
  'too many without CONNECT',
  'connecting too often',
  'not authorised',
  'refused',
  'memory short',
  'store full',
  'kicked',
  'listener closed',
  'redirected',
  'server shutting down',
)

const noteArms: { readonly [Tag in Note['_tag']]: fc.Arbitrary<Arm<Note, Tag>> } = {
  ConnectionOpened: fc.record({
    _tag: fc.constant('ConnectionOpened'),
    conn,
    listener: text,
    peer,
  }),
  ClientConnected: fc.record({
    _tag: fc.constant('ClientConnected'),
    conn,
    clientId: text,
    peer,
    level,
    cleanStart: fc.boolean(),
    keepAliveS: word,
    userName: fc.option(text),
    sessionPresent: fc.boolean(),
  }),
  ConnectionEnded: fc.record({
    _tag: fc.constant('ConnectionEnded'),
    conn,
    clientId: fc.option(text),
    wasAccepted: fc.boolean(),
    peer,
    ending,
    reason: byte,
    fault: fc.option(fault),
  }),
  Subscribed: fc.record({ _tag: fc.constant('Subscribed'), clientId: text, filter: text, qos }),
  Unsubscribed: fc.record({ _tag: fc.constant('Unsubscribed'), clientId: text, filter: text }),
  TooManySubscriptions: fc.record({
    _tag: fc.constant('TooManySubscriptions'),
    clientId: text,
    count: fc.nat(),
    filter: text,
  }),
  Dropped: fc.record({
    _tag: fc.constant('Dropped'),
    clientId: fc.option(text),
    topic: text,
    qos,
    why: dropReason,
  }),
  SessionEnded: fc.record({
    _tag: fc.constant('SessionEnded'),
    clientId: text,
    why: fc.constantFrom<'expired' | 'clean start' | 'disconnected'>(
      'expired',
      'clean start',
      'disconnected',
    ),
    messages: count,
  }),
  Contested: fc.record({
    _tag: fc.constant('Contested'),
    clientId: text,
    peers: fc.tuple(peer, peer),
  }),
  Denied: fc.record({
    _tag: fc.constant('Denied'),
    clientId: text,
    what: fc.constantFrom<Arm<Note, 'Denied'>['what']>('publish', 'subscribe', 'will'),
    topic: text,
  }),
  MemoryShort: fc.record({ _tag: fc.constant('MemoryShort') }),
  MemoryFree: fc.record({ _tag: fc.constant('MemoryFree') }),
  StoreFull: fc.record({ _tag: fc.constant('StoreFull') }),
  StoreFree: fc.record({ _tag: fc.constant('StoreFree') }),
  WillPublished: fc.record({ _tag: fc.constant('WillPublished'), clientId: text, topic: text }),
  Stale: fc.record({ _tag: fc.constant('Stale'), conn, input: text }),
}

export const note: fc.Arbitrary<Note> = fc.oneof(...Object.values(noteArms))

const question: fc.Arbitrary<Question> = fc.record({
  listener: text,
  clientId: text,
  userName: fc.option(text),
  password: fc.option(bytes),
  peer,
})

const query: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ _tag: fc.constant<'ScramSalt'>('ScramSalt'), userName: text }),
  fc.record({
    _tag: fc.constant<'ScramProof'>('ScramProof'),
    userName: text,
    signed: bytes,
    proof: bytes,
  }),
)

const when = fc.constantFrom<When>('now', 'durable')

const effectArms: { readonly [Tag in Effect['_tag']]: fc.Arbitrary<Arm<Effect, Tag>> } = {
  Send: fc.record({ _tag: fc.constant('Send'), conn, level, packet, when }),
  Multicast: fc.record({
    _tag: fc.constant('Multicast'),
    conns: fc.array(conn, { maxLength: 4 }),
    level,
    packet,
  }),
  Close: fc.record({ _tag: fc.constant('Close'), conn, reason: byte }),
  Pause: fc.record({ _tag: fc.constant('Pause'), conn }),
  Resume: fc.record({ _tag: fc.constant('Resume'), conn }),
  Judge: fc.record({ _tag: fc.constant('Judge'), conn, question }),
  Ask: fc.record({ _tag: fc.constant('Ask'), conn, clientId: text, peer, query }),
  Persist: fc.record({
    _tag: fc.constant('Persist'),
    at: count,
    writes: fc.array(write, { maxLength: 5 }),
  }),
  Note: fc.record({ _tag: fc.constant('Note'), note }),
}

// Half of the inputs are packets, since packets come in fifteen kinds.
export const input: fc.Arbitrary<Input> = fc.oneof(
  { arbitrary: inputArms.Arrived, weight: 8 },
  ...Object.values(inputArms).map((arbitrary) => ({ arbitrary, weight: 1 })),
)

export const effect: fc.Arbitrary<Effect> = fc.oneof(
  { arbitrary: effectArms.Send, weight: 4 },
  { arbitrary: effectArms.Note, weight: 4 },
  ...Object.values(effectArms).map((arbitrary) => ({ arbitrary, weight: 1 })),
)

/** Every tag there is, for floors on how often each was generated. */
export const inputTags: ReadonlyArray<string> = Object.keys(inputArms)
export const effectTags: ReadonlyArray<string> = Object.keys(effectArms)
export const noteTags: ReadonlyArray<string> = Object.keys(noteArms)
