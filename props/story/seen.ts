// A packet that came over a socket in the words of a story. It starts from what the independent
// reader of conformance/wire.ts saw and shares with the code under test only how bytes and text
// are quoted, so a story is checked by two readings of the standard.

import { Buffer } from 'node:buffer'
import * as B from '../../core/data/bytes.ts'
import { quote, showBytes } from '../../core/trace/words.ts'
import type { Property, Seen } from '../conformance/wire.ts'

const code = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`

const bytesOf = (bytes: Uint8Array): string => showBytes(B.of(new Uint8Array(bytes)))

const numbers: ReadonlySet<string> = new Set([
  'payloadFormatIndicator',
  'messageExpiryInterval',
  'subscriptionIdentifier',
  'sessionExpiryInterval',
  'serverKeepAlive',
  'receiveMaximum',
  'topicAliasMaximum',
  'topicAlias',
  'maximumQos',
  'retainAvailable',
  'maximumPacketSize',
  'wildcardSubscriptionAvailable',
  'subscriptionIdentifierAvailable',
  'sharedSubscriptionAvailable',
])

const propertyText = ({ name, value }: Property): string => {
  const word = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (numbers.has(name)) return `${word} ${value}`
  const text = String(value)
  if (name === 'correlationData') return `${word} ${bytesOf(Buffer.from(text, 'hex'))}`
  if (name === 'authenticationData') return `${word} ***`
  if (name !== 'userProperty') return `${word} ${quote(text, '"')}`
  const at = text.indexOf('=')
  return `${word} ${quote(text.slice(0, at), '"')} ${quote(text.slice(at + 1), '"')}`
}

/** The line that a story has for the packet, without the client's name. */
export const seenText = (seen: Seen): string => {
  const out = [seen.kind.toLowerCase()]
  switch (seen.kind) {
    case 'CONNACK':
      if (seen.sessionPresent) out.push('session-present')
      if (seen.reason !== 0) out.push(code(seen.reason))
      break
    case 'PUBLISH':
      out.push(quote(seen.topic, "'"))
      if (seen.qos > 0) out.push(`qos${seen.qos}`, `id${seen.packetId}`)
      if (seen.dup) out.push('dup')
      if (seen.retain) out.push('retain')
      out.push(bytesOf(seen.payload))
      break
    case 'SUBACK':
    case 'UNSUBACK':
      out.push(`id${seen.packetId}`, ...seen.reasons.map(code))
      break
    case 'PINGRESP':
      break
    default:
      if (seen.kind !== 'DISCONNECT' && seen.kind !== 'AUTH') out.push(`id${seen.packetId}`)
      if (seen.reason !== 0) out.push(code(seen.reason))
  }
  return [...out, ...seen.properties.map(propertyText)].join(' ')
}
