// Packets and events as short texts: the names under which the search knows them, and what it
// prints when a law was broken.

import type { Packet, Publish } from '../../core/codec/packet.ts'
import type { Nth } from './client.ts'

/** A connection: the publisher's or the subscriber's, and which of them in turn. */
export type ConnName = `${'p' | 's'}${Nth}`

/** What happens to the broker: a packet arrives, or it learns that a connection is gone. */
export type Event = { readonly conn: ConnName; readonly packet: Packet | null }

const hex = (reason: number): string => reason === 0 ? '' : ` 0x${reason.toString(16)}`

const letterOf = ({ payload }: Publish): string =>
  String.fromCharCode(...payload.buffer.subarray(payload.start, payload.end))

/** What a packet says, all of it that may differ here. */
export const text = (packet: Packet): string => {
  const tag = packet._tag.toUpperCase()
  switch (packet._tag) {
    case 'Connect':
      return tag
    case 'Connack':
      return `${tag}${packet.sessionPresent ? ' present' : ''}${hex(packet.reason)}`
    case 'Publish': {
      const flags = `${packet.dup ? ' dup' : ''}${packet.retain ? ' retain' : ''}`
      const where = packet.topic === 't' ? '' : ` to ${packet.topic}`
      return `${tag} ${packet.packetId} ${letterOf(packet)} QoS ${packet.qos}${flags}${where}`
    }
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp':
      return `${tag} ${packet.packetId}${hex(packet.reason)}`
    case 'Subscribe':
      return `${tag} QoS ${packet.requests.map(({ qos }) => qos)}`
    case 'Suback':
      return `${tag} ${packet.reasons}`
    case 'Disconnect':
      return `${tag}${hex(packet.reason)}`
    default:
      return tag
  }
}
