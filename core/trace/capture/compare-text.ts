// What is compared of a packet that a broker sends, as text. Not compared is what each broker may
// choose as it likes, or what only explains:
//
// - Packet identifiers of PUBLISH, and of PUBREL which goes with them: numbers of the broker's own.
// - Topic Alias: another word for the same topic.
// - Message Expiry Interval: only that there is one, since it is what is left at that moment.
// - Receive Maximum, Topic Alias Maximum, Maximum Packet Size, Server Keep Alive: limits that each
//   broker sets for itself.
// - Assigned Client Identifier, Response Information: made up by the broker.
// - Reason String, User Property of anything but PUBLISH: words for people, which may be left out.
// - Authentication Data: it proves something once.

import type { Connack, Packet, Publish } from '../../codec/packet.ts'
import type { Properties } from '../../codec/properties.ts'
import * as B from '../../data/bytes.ts'
import { blanked, propertyWords } from '../property-text.ts'
import { hex32, sumOfText } from '../sheet.ts'
import { hex, quote, showBytes } from '../words.ts'

const payloadShown = 60

const words = (properties: Properties): string =>
  propertyWords(properties, blanked).map((word) => ` ${word}`).join('')

/** A text that is the same for equal bytes only, as far as 32 bits can say. */
const sumOf = ({ buffer, start, end }: B.Bytes): number => {
  let sum = 0
  let text = ''
  for (let i = start; i < end; i++) {
    text += String.fromCharCode(buffer[i]!)
    if (text.length < 1024) continue
    sum = sumOfText(sum, text)
    text = ''
  }
  return sumOfText(sum, text)
}

/** A message without its properties: by this it is known which one is acknowledged. */
export const messageText = (
  { payload, qos, retain }: Pick<Publish, 'payload' | 'qos' | 'retain'>,
  topic: string,
): string => {
  const size = B.size(payload)
  const bytes = size <= payloadShown
    ? showBytes(payload)
    : showBytes({ ...payload, end: payload.start + payloadShown }) +
      `... (${size} bytes, sum ${hex32(sumOf(payload))})`
  return `publish ${quote(topic, "'")}${qos === 0 ? '' : ` qos${qos}`}${retain ? ' retain' : ''} ` +
    bytes
}

/** The properties of a message that its receiver cares about, in one order. */
export const messageWords = ({ properties }: Publish): string => {
  const {
    payloadFormatIndicator,
    messageExpiryInterval,
    contentType,
    responseTopic,
    correlationData,
    userProperties,
    subscriptionIdentifiers,
  } = properties
  const shown: Properties = {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    // Their order is the publisher's [MQTT-3.3.2-18]; that of identifiers is nobody's.
    ...(userProperties === undefined ? {} : { userProperties }),
    ...(subscriptionIdentifiers === undefined ? {} : {
      subscriptionIdentifiers: [...subscriptionIdentifiers].sort((one, other) => one - other),
    }),
  }
  return words(shown) + (messageExpiryInterval === undefined ? '' : ' message-expiry-interval')
}

/** What a client may do and how long its session lasts; what is usual need not be said. */
const connackWords = ({ reason, properties }: Connack): string => {
  const { sessionExpiryInterval, maximumQos, serverReference } = properties
  const { retainAvailable, wildcardSubscriptionAvailable: wildcards } = properties
  const { subscriptionIdentifierAvailable: identifiers } = properties
  const { sharedSubscriptionAvailable: shared } = properties
  return words({
    ...(serverReference === undefined ? {} : { serverReference }),
    ...(reason !== 0 || sessionExpiryInterval === undefined ? {} : { sessionExpiryInterval }),
    ...(maximumQos === undefined ? {} : { maximumQos }),
    ...(retainAvailable === 0 ? { retainAvailable } : {}),
    ...(wildcards === 0 ? { wildcardSubscriptionAvailable: wildcards } : {}),
    ...(identifiers === 0 ? { subscriptionIdentifierAvailable: identifiers } : {}),
    ...(shared === 0 ? { sharedSubscriptionAvailable: shared } : {}),
  })
}

/** What is compared of a packet other than PUBLISH; null for nothing. */
export const answerText = (packet: Packet): string | null => {
  switch (packet._tag) {
    case 'Connack':
      return `connack${packet.sessionPresent ? ' session-present' : ''} ${hex(packet.reason)}` +
        connackWords(packet)
    case 'Suback':
    case 'Unsuback':
      return [packet._tag.toLowerCase(), `id${packet.packetId}`, ...packet.reasons.map(hex)]
        .join(' ')
    case 'Puback':
    case 'Pubrec':
    case 'Pubcomp': {
      const { _tag, packetId, reason } = packet
      // Who takes a message says so; that nobody has subscribed to it need not be said.
      return `${_tag.toLowerCase()} id${packetId} ${hex(reason < 0x80 ? 0 : reason)}`
    }
    case 'Disconnect': {
      const { serverReference } = packet.properties
      return `disconnect ${hex(packet.reason)}` +
        (serverReference === undefined ? '' : words({ serverReference }))
    }
    default:
      return null
  }
}
