// From packets to bytes. Packets are made by us, so one that cannot be written is a fault of ours
// and throws.

import { ackSize, encodeAck } from './ack.ts'
import { connackSize, connectSize, encodeConnack, encodeConnect } from './connect.ts'
import { encodeFarewell, farewellSize } from './disconnect.ts'
import type { Level, Packet } from './packet.ts'
import { encodePing, pingSize } from './ping.ts'
import { encodePublish, publishBound, publishSize } from './publish.ts'
import { encodeSubscription, subscriptionSize } from './subscribe.ts'

/** Bytes that `encodeInto` will write. */
export const encodedSize = (level: Level, packet: Packet): number => {
  switch (packet._tag) {
    case 'Publish':
      return publishSize(level, packet)
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp':
      return ackSize(level, packet)
    case 'Pingreq':
    case 'Pingresp':
      return pingSize
    case 'Connect':
      return connectSize(packet)
    case 'Connack':
      return connackSize(level, packet)
    case 'Subscribe':
    case 'Suback':
    case 'Unsubscribe':
    case 'Unsuback':
      return subscriptionSize(level, packet)
    case 'Disconnect':
    case 'Auth':
      return farewellSize(level, packet)
    default:
      return unknown(packet)
  }
}

/** For whoever has no types, who would send nothing. */
const unknown = ({ _tag }: { readonly _tag: string }): never => {
  throw new TypeError(`there is no packet with the _tag ${JSON.stringify(_tag)}`)
}

/** No less than `encodedSize`; for a PUBLISH without walking its topic. */
export const encodedBound = (level: Level, packet: Packet): number =>
  packet._tag === 'Publish' ? publishBound(level, packet) : encodedSize(level, packet)

/**
 * Writes the packet at `at` and answers the index after it. `target` has room for `encodedBound`
 * bytes there. A CONNECT is written in the level that it carries.
 */
export const encodeInto = (
  level: Level,
  packet: Packet,
  target: Uint8Array,
  at: number,
): number => {
  switch (packet._tag) {
    case 'Publish':
      return encodePublish(level, packet, target, at)
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp':
      return encodeAck(level, packet, target, at)
    case 'Pingreq':
    case 'Pingresp':
      return encodePing(packet, target, at)
    case 'Connect':
      return encodeConnect(packet, target, at)
    case 'Connack':
      return encodeConnack(level, packet, target, at)
    case 'Subscribe':
    case 'Suback':
    case 'Unsubscribe':
    case 'Unsuback':
      return encodeSubscription(level, packet, target, at)
    case 'Disconnect':
    case 'Auth':
      return encodeFarewell(level, packet, target, at)
  }
}

/** The packet in a buffer of exactly its size. */
export const encode = (level: Level, packet: Packet): Uint8Array => {
  const target = new Uint8Array(encodedSize(level, packet))
  encodeInto(level, packet, target, 0)
  return target
}
