// What clients saw, as text: one line per packet.

import type { Packet } from '../../core/codec/packet.ts'
import type { Seen } from './client.ts'
import { bytesText } from './telling.ts'

const packetText = (packet: Packet): string => {
  switch (packet._tag) {
    case 'Connect':
      return `CONNECT ${packet.level}${packet.cleanStart ? ' clean' : ''}` +
        ` expiry=${packet.properties.sessionExpiryInterval ?? ''}` +
        (packet.will === null ? '' : ` will '${bytesText(packet.will.payload)}'`)
    case 'Connack':
      return `CONNACK ${packet.reason} present=${packet.sessionPresent}`
    case 'Publish':
      return `PUBLISH ${packet.topic} '${bytesText(packet.payload)}' q${packet.qos}` +
        ` m${packet.packetId}${packet.dup ? ' dup' : ''}${packet.retain ? ' retain' : ''}`
    case 'Subscribe':
      return `SUBSCRIBE m${packet.packetId} ${
        packet.requests.map(({ filter }) => filter).join(' ')
      }`
    case 'Unsubscribe':
      return `UNSUBSCRIBE m${packet.packetId} ${packet.filters.join(' ')}`
    case 'Suback':
    case 'Unsuback':
      return `${packet._tag.toUpperCase()} m${packet.packetId} ${packet.reasons.join(' ')}`
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp':
      return `${packet._tag.toUpperCase()} m${packet.packetId} ${packet.reason}`
    default:
      return packet._tag.toUpperCase()
  }
}

export const storyOf = (seen: ReadonlyArray<Seen>): string =>
  seen.map(({ time, event }, at) => {
    const head = `${String(at).padStart(4)} ${String(time).padStart(7)}  `
    switch (event._tag) {
      case 'sent':
        return `${head}${event.who}> ${packetText(event.packet)}`
      case 'got':
        return `${head}${event.who}< ${packetText(event.packet)}`
      case 'closed':
        return `${head}${event.who}  closed`
      default:
        return `${head}---- ${event._tag}`
    }
  }).join('\n')
