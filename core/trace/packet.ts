// Packets as JSON and back: the records of core/codec/packet.ts key by key. Topics are checked as
// the decoder of the wire checks them, so a trace cannot bring in what a peer could not.
// Passwords and authentication data are blanked.

import type {
  Auth,
  Connack,
  Connect,
  Disconnect,
  Level,
  Packet,
  Pingreq,
  Pingresp,
  Puback,
  Pubcomp,
  Publish,
  Pubrec,
  Pubrel,
  Qos,
  Suback,
  Subscribe,
  SubscribeRequest,
  Unsuback,
  Unsubscribe,
  Will,
} from '../codec/packet.ts'
import type { Properties } from '../codec/properties.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { isTopicFilter } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'
import { isTopicName } from '../topic/name.ts'
import type { Codec } from './shape.ts'
import {
  branded,
  byte,
  bytes,
  closed,
  list,
  long,
  nullable,
  oneOf,
  pair,
  secret,
  sparse,
  tag,
  tagged,
  text,
  truth,
  whole,
  word,
} from './shape.ts'

export const level: Codec<Level> = oneOf<Level>(3, 4, 5)

export const qos: Codec<Qos> = oneOf<Qos>(0, 1, 2)

export const topicName: Codec<TopicName> = branded('a topic name', isTopicName)

/** A PUBLISH may leave its topic to an alias. */
const topicNameOrAlias: Codec<TopicName | ''> = branded(
  'a topic name or empty',
  (name): name is TopicName | '' => name === '' || isTopicName(name),
)

export const topicFilter: Codec<TopicFilter> = branded('a topic filter', isTopicFilter)

const flag: Codec<0 | 1> = oneOf<0 | 1>(0, 1)

// A variable byte integer holds no more.
const subscriptionIdentifier = whole(1, 268_435_455)

export const properties: Codec<Properties> = sparse<Properties>('Properties', {
  payloadFormatIndicator: flag,
  messageExpiryInterval: long,
  contentType: text,
  responseTopic: text,
  correlationData: bytes,
  subscriptionIdentifiers: list(subscriptionIdentifier),
  sessionExpiryInterval: long,
  assignedClientIdentifier: text,
  serverKeepAlive: word,
  authenticationMethod: text,
  authenticationData: secret,
  requestProblemInformation: flag,
  willDelayInterval: long,
  requestResponseInformation: flag,
  responseInformation: text,
  serverReference: text,
  reasonString: text,
  receiveMaximum: word,
  topicAliasMaximum: word,
  topicAlias: word,
  maximumQos: flag,
  retainAvailable: flag,
  userProperties: list(pair(text, text)),
  maximumPacketSize: long,
  wildcardSubscriptionAvailable: flag,
  subscriptionIdentifierAvailable: flag,
  sharedSubscriptionAvailable: flag,
})

const will: Codec<Will> = closed<Will>('Will', {
  topic: topicName,
  payload: bytes,
  qos,
  retain: truth,
  properties,
})

const connect: Codec<Connect> = closed<Connect>('Connect', {
  _tag: tag('Connect'),
  level,
  bridge: truth,
  cleanStart: truth,
  keepAliveS: word,
  clientId: text,
  will: nullable(will),
  userName: nullable(text),
  password: nullable(secret),
  properties,
})

const connack: Codec<Connack> = closed<Connack>('Connack', {
  _tag: tag('Connack'),
  sessionPresent: truth,
  reason: byte,
  properties,
})

export const publish: Codec<Publish> = closed<Publish>('Publish', {
  _tag: tag('Publish'),
  dup: truth,
  qos,
  retain: truth,
  topic: topicNameOrAlias,
  packetId: word,
  payload: bytes,
  properties,
})

// PUBACK, PUBREC, PUBREL and PUBCOMP are one record under four names.
const ack = { packetId: word, reason: byte, properties }

const puback: Codec<Puback> = closed<Puback>('Puback', { _tag: tag('Puback'), ...ack })
const pubrec: Codec<Pubrec> = closed<Pubrec>('Pubrec', { _tag: tag('Pubrec'), ...ack })
const pubrel: Codec<Pubrel> = closed<Pubrel>('Pubrel', { _tag: tag('Pubrel'), ...ack })
const pubcomp: Codec<Pubcomp> = closed<Pubcomp>('Pubcomp', { _tag: tag('Pubcomp'), ...ack })

const request: Codec<SubscribeRequest> = closed<SubscribeRequest>('SubscribeRequest', {
  filter: topicFilter,
  qos,
  noLocal: truth,
  retainAsPublished: truth,
  retainHandling: oneOf<0 | 1 | 2>(0, 1, 2),
})

const subscribe: Codec<Subscribe> = closed<Subscribe>('Subscribe', {
  _tag: tag('Subscribe'),
  packetId: word,
  requests: list(request),
  properties,
})

const suback: Codec<Suback> = closed<Suback>('Suback', {
  _tag: tag('Suback'),
  packetId: word,
  reasons: list(byte),
  properties,
})

const unsubscribe: Codec<Unsubscribe> = closed<Unsubscribe>('Unsubscribe', {
  _tag: tag('Unsubscribe'),
  packetId: word,
  filters: list(topicFilter),
  properties,
})

const unsuback: Codec<Unsuback> = closed<Unsuback>('Unsuback', {
  _tag: tag('Unsuback'),
  packetId: word,
  reasons: list(byte),
  properties,
})

const pingreq: Codec<Pingreq> = closed<Pingreq>('Pingreq', { _tag: tag('Pingreq') })

const pingresp: Codec<Pingresp> = closed<Pingresp>('Pingresp', {
  _tag: tag('Pingresp'),
})

const disconnect: Codec<Disconnect> = closed<Disconnect>('Disconnect', {
  _tag: tag('Disconnect'),
  reason: byte,
  properties,
})

const auth: Codec<Auth> = closed<Auth>('Auth', {
  _tag: tag('Auth'),
  reason: byte,
  properties,
})

/** Every packet of MQTT, as core/codec/packet.ts has it. */
export const packet: Codec<Packet> = tagged<Packet>('Packet', {
  Connect: connect,
  Connack: connack,
  Publish: publish,
  Puback: puback,
  Pubrec: pubrec,
  Pubrel: pubrel,
  Pubcomp: pubcomp,
  Subscribe: subscribe,
  Suback: suback,
  Unsubscribe: unsubscribe,
  Unsuback: unsuback,
  Pingreq: pingreq,
  Pingresp: pingresp,
  Disconnect: disconnect,
  Auth: auth,
})
