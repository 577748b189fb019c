// Packets in the words of mosquitto's debug lines.

import type { Level, Packet, Publish } from '../codec/packet.ts'
import { toReturnCode } from '../codec/reason.ts'
import { harmless } from './harmless.ts'
import { type Data, type Line, line } from './line.ts'

const bit = (flag: boolean): number => flag ? 1 : 0

const publishOf = (packet: Publish, topic: string): string =>
  `(d${bit(packet.dup)}, q${packet.qos}, r${bit(packet.retain)}, m${packet.packetId}, ` +
  `'${harmless(topic)}', ... (${packet.payload.end - packet.payload.start} bytes))`

/** The will of a CONNECT, or that there is none. */
export const willLine = (packet: Extract<Packet, { readonly _tag: 'Connect' }>): Line => {
  const { will } = packet
  if (will === null) return line('debug', 'No will message specified.', 'Will')
  const bytes = will.payload.end - will.payload.start
  return line(
    'debug',
    `Will message specified (${bytes} bytes) (r${bit(will.retain)}, q${will.qos}).`,
    'Will',
    { topic: will.topic, qos: will.qos, retain: will.retain, bytes },
    [harmless(will.topic)],
  )
}

/**
 * A packet that came in. `name` is what the client is called, made harmless already; `topic` is
 * that of a PUBLISH, also where an alias takes its place.
 */
export const receivedLine = (name: string, packet: Packet, topic: string): Line => {
  const kind = packet._tag.toUpperCase()
  const head = `Received ${kind} from ${name}`
  const write = (more: string, below: ReadonlyArray<string> = []): Line =>
    line('debug', head + more, 'Received', dataOf(name, kind, packet, topic), below)
  switch (packet._tag) {
    case 'Publish':
      return write(` ${publishOf(packet, topic)}`)
    case 'Puback':
    case 'Pubcomp':
      return write(` (Mid: ${packet.packetId}, RC:${packet.reason})`)
    case 'Pubrec':
    case 'Pubrel':
      return write(` (Mid: ${packet.packetId})`)
    case 'Subscribe':
      return write('', packet.requests.map(({ filter, qos }) => `${harmless(filter)} (QoS ${qos})`))
    case 'Unsubscribe':
      return write('', packet.filters.map(harmless))
    default:
      return write('')
  }
}

/** A packet that goes out; the names likewise. A CONNACK has the code that its level knows. */
export const sentLine = (name: string, level: Level, packet: Packet, topic: string): Line => {
  const kind = packet._tag.toUpperCase()
  const head = `Sending ${kind} to ${name}`
  const write = (more: string): Line =>
    line('debug', head + more, 'Sending', dataOf(name, kind, packet, topic))
  switch (packet._tag) {
    case 'Connack':
      return write(` (${bit(packet.sessionPresent)}, ${codeOf(level, packet.reason)})`)
    case 'Publish':
      return write(` ${publishOf(packet, topic)}`)
    case 'Puback':
    case 'Pubrec':
      return write(` (m${packet.packetId}, rc${packet.reason})`)
    case 'Pubrel':
    case 'Pubcomp':
      return write(` (m${packet.packetId})`)
    case 'Disconnect':
      return write(` (rc${packet.reason})`)
    default:
      return write('')
  }
}

const codeOf = (level: Level, reason: number): number => level === 5 ? reason : toReturnCode(reason)

const dataOf = (clientId: string, packet: string, of: Packet, topic: string): Data => {
  const about = { clientId, packet }
  switch (of._tag) {
    case 'Publish': {
      const { dup, qos, retain, packetId, payload } = of
      const bytes = payload.end - payload.start
      return { ...about, topic, qos, retain, dup, packetId, bytes }
    }
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp':
      return { ...about, packetId: of.packetId, reason: of.reason }
    case 'Subscribe':
      return {
        ...about,
        packetId: of.packetId,
        filters: of.requests.map(({ filter, qos }) => ({ filter, qos })),
      }
    case 'Unsubscribe':
      return { ...about, packetId: of.packetId, filters: of.filters }
    case 'Connack':
      return { ...about, sessionPresent: of.sessionPresent, reason: of.reason }
    case 'Disconnect':
    case 'Auth':
      return { ...about, reason: of.reason }
    default:
      return about
  }
}
