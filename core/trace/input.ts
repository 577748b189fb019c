// Inputs of the broker as JSON and back, with what they are made of: connections, peers, faults,
// commands and the configuration.

import type { Acl, AclRule } from '../broker/acl.ts'
import type { Config, ListenerRules } from '../broker/config.ts'
import type {
  Answer,
  Answered,
  Arrived,
  Broke,
  Closed,
  Command,
  Commanded,
  Conn,
  Continued,
  Gone,
  Input,
  Judged,
  Measured,
  MemoryFree,
  MemoryShort,
  Opened,
  Peer,
  Reconfigured,
  Revocation,
  StoreFree,
  StoreFull,
  Ticked,
  Written,
} from '../broker/input.ts'
import type { MethodName } from '../broker/method.ts'
import type { Fault } from '../codec/fault.ts'
import type { Level } from '../codec/packet.ts'
import { packet, publish, topicFilter } from './packet.ts'
import type { Codec, Fields } from './shape.ts'
import {
  byte,
  closed,
  count,
  list,
  long,
  nullable,
  oneOf,
  pair,
  partly,
  secret,
  tag,
  tagged,
  text,
  truth,
  whole,
  word,
} from './shape.ts'

export const conn: Codec<Conn> = closed<Conn>('Conn', {
  slot: whole(0, 0xffffff),
  generation: count,
})

export const peer: Codec<Peer> = closed<Peer>('Peer', { address: text, port: word })

export const fault: Codec<Fault> = closed<Fault>('Fault', {
  reason: byte,
  clause: text,
  detail: text,
  level: oneOf<Fault['level']>(0, 3, 4, 5),
})

const aclRules: Codec<Acl['patterns']> = list(
  partly<AclRule>(
    'AclRule',
    {
      access: oneOf<AclRule['access']>('read', 'write', 'readwrite', 'deny'),
      filter: topicFilter,
      line: count,
    },
    ['line'],
  ),
)

export const acl: Codec<Acl> = partly<Acl>(
  'Acl',
  {
    anonymous: aclRules,
    users: list(pair(text, aclRules)),
    patterns: aclRules,
    file: text,
  },
  ['file'],
)

const ruleFields: Fields<ListenerRules> = {
  authentication: oneOf<Config['authentication']>('none', 'judge'),
  listenerConnectionsMax: count,
  protocolLevels: list(oneOf<Level>(3, 4, 5)),
  mountPoint: text,
  emptyClientIds: truth,
  autoIdPrefix: text,
  allowAnonymous: truth,
  userNameAsClientId: truth,
  acl: nullable(acl),
  denySpecialChars: truth,
  topicAliasMaximum: word,
  outgoingTopicAliasMax: word,
  maximumQos: oneOf<Config['maximumQos']>(0, 1, 2),
}

/** The options that a listener may have for itself. */
export const listenerRuleKeys: ReadonlyArray<string> = Object.keys(ruleFields)

/** All of a configuration: an option left out of a recording would change its meaning. */
export const config: Codec<Config> = closed<Config>('Config', {
  listeners: list(pair(text, closed<ListenerRules>('ListenerRules', ruleFields))),
  ...ruleFields,
  clientIdPrefix: nullable(text),
  checkRetainSource: truth,
  authenticationMethods: list(oneOf<MethodName>('SCRAM-SHA-256')),
  authenticationBytesMax: count,
  reasonStrings: truth,
  responseInformation: nullable(text),
  redirect: oneOf<Config['redirect']>('none', 'use another server', 'server moved'),
  serverReference: nullable(text),
  payloadFormatCheck: truth,
  packetBytesMax: count,
  payloadBytesMax: count,
  connectPacketBytesMax: count,
  connectTimeoutMs: count,
  keepAliveMaxS: word,
  inflightCountMax: count,
  inflightBytesMax: count,
  packetIdMax: whole(1, 0xffff),
  receiveMaximum: word,
  incomingCountMax: count,
  incomingBytesMax: count,
  endedMessagesMax: count,
  queueQos0: truth,
  upgradeOutgoingQos: truth,
  queuedCountMax: count,
  queuedBytesMax: count,
  unwrittenBytesMax: count,
  stalledMs: count,
  subscriptionsPerSessionMax: count,
  filtersPerPacketMax: count,
  retainedCountMax: count,
  retainedBytesMax: count,
  retainedExpiryMs: count,
  sessionsMax: count,
  sessionExpiryMaxS: long,
  retainAvailable: truth,
  wildcardAvailable: truth,
  sharedAvailable: truth,
  subscriptionIdentifiersAvailable: truth,
  allowDuplicateMessages: truth,
  sharedOrder: oneOf<Config['sharedOrder']>(
    'round robin',
    'prefer online',
    'sticky',
    'hash of topic',
  ),
  sharedOffline: oneOf<Config['sharedOffline']>('queue', 'drop'),
  connectionsMax: count,
  connectionsPerAddressMax: count,
  connectionRatePerAddress: count,
  connectionBurstPerAddress: count,
  unauthenticatedMax: count,
  unauthenticatedGraceMs: count,
  sysIntervalMs: count,
  version: text,
  persistence: truth,
})

const command: Codec<Command> = tagged<Command>('Command', {
  Stop: closed<Extract<Command, { readonly _tag: 'Stop' }>>('Stop', {
    _tag: tag('Stop'),
  }),
  Redirect: closed<Extract<Command, { readonly _tag: 'Redirect' }>>('Redirect', {
    _tag: tag('Redirect'),
  }),
  Shut: closed<Extract<Command, { readonly _tag: 'Shut' }>>('Shut', {
    _tag: tag('Shut'),
    listener: text,
  }),
  Revoke: closed<Extract<Command, { readonly _tag: 'Revoke' }>>('Revoke', {
    _tag: tag('Revoke'),
    revocation: closed<Revocation>('Revocation', { listener: text, userNames: list(text) }),
  }),
  Kick: closed<Extract<Command, { readonly _tag: 'Kick' }>>('Kick', {
    _tag: tag('Kick'),
    clientId: text,
  }),
  Publish: closed<Extract<Command, { readonly _tag: 'Publish' }>>('Publish', {
    _tag: tag('Publish'),
    packet: publish,
  }),
})

const answer: Codec<Answer> = tagged<Answer>('Answer', {
  ScramSalt: closed<Extract<Answer, { readonly _tag: 'ScramSalt' }>>('ScramSalt', {
    _tag: tag('ScramSalt'),
    salt: secret,
    iterations: count,
  }),
  ScramSignature: closed<Extract<Answer, { readonly _tag: 'ScramSignature' }>>('ScramSignature', {
    _tag: tag('ScramSignature'),
    signature: secret,
  }),
  Refused: closed<Extract<Answer, { readonly _tag: 'Refused' }>>('Refused', {
    _tag: tag('Refused'),
    reason: byte,
  }),
})

const at = count

/** Every input, as core/broker/input.ts has it. */
export const input: Codec<Input> = tagged<Input>('Input', {
  Opened: closed<Opened>('Opened', {
    _tag: tag('Opened'),
    conn,
    at,
    nonce: text,
    listener: text,
    peer,
  }),
  Arrived: closed<Arrived>('Arrived', { _tag: tag('Arrived'), conn, at, packet }),
  Continued: closed<Continued>('Continued', { _tag: tag('Continued'), conn, at }),
  Broke: closed<Broke>('Broke', { _tag: tag('Broke'), conn, at, fault }),
  Closed: closed<Closed>('Closed', {
    _tag: tag('Closed'),
    conn,
    at,
    why: oneOf<Gone>('closed', 'failed'),
  }),
  Written: closed<Written>('Written', {
    _tag: tag('Written'),
    conn,
    at,
    total: count,
  }),
  Judged: closed<Judged>('Judged', { _tag: tag('Judged'), conn, at, reason: byte }),
  Answered: closed<Answered>('Answered', {
    _tag: tag('Answered'),
    conn,
    at,
    nonce: text,
    answer,
  }),
  Measured: closed<Measured>('Measured', {
    _tag: tag('Measured'),
    at,
    receivedBytes: count,
    heapBytes: count,
    waitingPackets: count,
    waitingBytes: count,
  }),
  Ticked: closed<Ticked>('Ticked', { _tag: tag('Ticked'), at, wall: count }),
  MemoryShort: closed<MemoryShort>('MemoryShort', { _tag: tag('MemoryShort'), at }),
  MemoryFree: closed<MemoryFree>('MemoryFree', { _tag: tag('MemoryFree'), at }),
  StoreFull: closed<StoreFull>('StoreFull', { _tag: tag('StoreFull'), at }),
  StoreFree: closed<StoreFree>('StoreFree', { _tag: tag('StoreFree'), at }),
  Reconfigured: closed<Reconfigured>('Reconfigured', {
    _tag: tag('Reconfigured'),
    at,
    config,
  }),
  Commanded: closed<Commanded>('Commanded', {
    _tag: tag('Commanded'),
    at,
    command,
  }),
})
