// Packets in bytes of their own: what a reader decodes is lent to one turn only.

import { own } from '../data/bytes.ts'
import type { Packet } from './packet.ts'
import type { Properties } from './properties.ts'

const ownProperties = (properties: Properties): Properties => {
  const { correlationData, authenticationData } = properties
  if (correlationData === undefined && authenticationData === undefined) return properties
  return {
    ...properties,
    ...(correlationData === undefined ? {} : { correlationData: own(correlationData) }),
    ...(authenticationData === undefined ? {} : { authenticationData: own(authenticationData) }),
  }
}

/** The same packet for whoever keeps it. */
export const ownPacket = (packet: Packet): Packet => {
  switch (packet._tag) {
    case 'Publish': {
      const { payload, properties } = packet
      return { ...packet, payload: own(payload), properties: ownProperties(properties) }
    }
    case 'Connect': {
      const { will, password, properties } = packet
      return {
        ...packet,
        will: will === null ? null : {
          ...will,
          payload: own(will.payload),
          properties: ownProperties(will.properties),
        },
        password: password === null ? null : own(password),
        properties: ownProperties(properties),
      }
    }
    case 'Auth':
      return { ...packet, properties: ownProperties(packet.properties) }
    default:
      return packet
  }
}
