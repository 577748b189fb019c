// The 15 packets of MQTT as plain data, in the vocabulary of version 5. Packets of 3.1.1 and 3.1
// are the same records with fewer things said: reasons are MQTT 5 reason codes at every level
// (the codec translates return codes), properties are empty below level 5.

import type { Bytes } from '../data/bytes.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'
import type { Level, Qos } from './level.ts'
import type { Properties } from './properties.ts'

export type { Level, Qos } from './level.ts'

/** What is published for a client whose connection ends otherwise than in order. */
export interface Will {
  readonly topic: TopicName
  readonly payload: Bytes
  readonly qos: Qos
  readonly retain: boolean
  readonly properties: Properties
}

/** A client wants to be let in. The first packet of every connection. */
export interface Connect {
  readonly _tag: 'Connect'
  readonly level: Level
  /** The bridge bit that mosquitto's bridges set in the level byte (0x80). */
  readonly bridge: boolean
  readonly cleanStart: boolean
  /** Seconds; 0 switches the mechanism off. */
  readonly keepAliveS: number
  readonly clientId: string
  readonly will: Will | null
  readonly userName: string | null
  readonly password: Bytes | null
  readonly properties: Properties
}

/** The answer to CONNECT: reason 0 lets the client in. */
export interface Connack {
  readonly _tag: 'Connack'
  readonly sessionPresent: boolean
  readonly reason: number
  readonly properties: Properties
}

/** A message, in either direction. */
export interface Publish {
  readonly _tag: 'Publish'
  readonly dup: boolean
  readonly qos: Qos
  readonly retain: boolean
  /** Empty only where a topic alias stands for it. */
  readonly topic: TopicName | ''
  /** 1 to 65535; 0 at QoS 0, where the wire has none. */
  readonly packetId: number
  readonly payload: Bytes
  readonly properties: Properties
}

/** The answer to a PUBLISH of QoS 1. */
export interface Puback {
  readonly _tag: 'Puback'
  readonly packetId: number
  readonly reason: number
  readonly properties: Properties
}

/** The answer to a PUBLISH of QoS 2, whose identifier stays in use until PUBCOMP. */
export interface Pubrec {
  readonly _tag: 'Pubrec'
  readonly packetId: number
  readonly reason: number
  readonly properties: Properties
}

/** The answer to PUBREC: the message is released. */
export interface Pubrel {
  readonly _tag: 'Pubrel'
  readonly packetId: number
  readonly reason: number
  readonly properties: Properties
}

/** The answer to PUBREL: the identifier is free again. */
export interface Pubcomp {
  readonly _tag: 'Pubcomp'
  readonly packetId: number
  readonly reason: number
  readonly properties: Properties
}

/** One filter of a SUBSCRIBE, and how what it matches is sent. */
export interface SubscribeRequest {
  readonly filter: TopicFilter
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 0 send retained at subscribe, 1 only if the subscription is new, 2 never. */
  readonly retainHandling: 0 | 1 | 2
}

/** A client wants what matches some filters. */
export interface Subscribe {
  readonly _tag: 'Subscribe'
  readonly packetId: number
  readonly requests: ReadonlyArray<SubscribeRequest>
  readonly properties: Properties
}

/** The answer to SUBSCRIBE. */
export interface Suback {
  readonly _tag: 'Suback'
  readonly packetId: number
  /** One per request, in its order: granted QoS, or a code of 0x80 and above. */
  readonly reasons: ReadonlyArray<number>
  readonly properties: Properties
}

/** A client wants what matches some filters no longer. */
export interface Unsubscribe {
  readonly _tag: 'Unsubscribe'
  readonly packetId: number
  readonly filters: ReadonlyArray<TopicFilter>
  readonly properties: Properties
}

/** The answer to UNSUBSCRIBE. */
export interface Unsuback {
  readonly _tag: 'Unsuback'
  readonly packetId: number
  /** One per filter at level 5; not on the wire (and decoded as empty) below. */
  readonly reasons: ReadonlyArray<number>
  readonly properties: Properties
}

/** A client says that it is there. */
export interface Pingreq {
  readonly _tag: 'Pingreq'
}

/** The answer to PINGREQ. */
export interface Pingresp {
  readonly _tag: 'Pingresp'
}

/** The last packet of a connection; from the server only at level 5. */
export interface Disconnect {
  readonly _tag: 'Disconnect'
  readonly reason: number
  readonly properties: Properties
}

/** A step of an authentication; only at level 5. */
export interface Auth {
  readonly _tag: 'Auth'
  readonly reason: number
  readonly properties: Properties
}

/** Any of the 15; `_tag` tells which. */
export type Packet =
  | Connect
  | Connack
  | Publish
  | Puback
  | Pubrec
  | Pubrel
  | Pubcomp
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Pingreq
  | Pingresp
  | Disconnect
  | Auth

/** The name of a packet. */
export type PacketTag = Packet['_tag']
