// Publishing what was kept for it: QoS 2 messages that were released, wills, and messages of the
// broker's own.

import type { Publish } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import * as Bytes from '../data/bytes.ts'
import { denyPublish, mayPublish } from './access.ts'
import { type Draft, drop, note } from './draft.ts'
import { forget, retain, whyNotRetained } from './retain.ts'
import { keep, NO_SESSION, routeMessage } from './route.ts'
import type { Message, Session } from './state.ts'

/**
 * Publishes a message that the broker kept, a released QoS 2 message or a will, unless its client
 * may not publish it any more.
 */
export const publishIfAllowed = (
  draft: Draft,
  message: Message,
  session: Session,
  what: 'publish' | 'will',
): void => {
  if (draft.isGuarded && !mayPublish(draft, session, message.topic)) {
    return denyPublish(draft, session, what, message)
  }
  if (what === 'will') {
    note(draft, { _tag: 'WillPublished', clientId: session.clientId, topic: message.topic })
  }
  publishKept(draft, message, session.number)
}

const publishKept = (draft: Draft, message: Message, publisher: number): void => {
  // A will likewise [MQTT-3.3.1-8] [MQTT-3.1.2-14] [MQTT-3.1.2-15] [v3 MQTT-3.3.1-12]
  // [v3 MQTT-3.1.2-16] [v3 MQTT-3.1.2-17].
  if (message.retain) {
    // [MQTT-3.3.1-7] [v3 MQTT-3.3.1-10] [v3 MQTT-3.3.1-11]
    if (Bytes.size(message.payload) === 0) forget(draft, message.topic)
    else {
      const why = whyNotRetained(draft, message.topic, message.bytes)
      if (why === null) retain(draft, message)
      else {
        // Nor does what is old stay where the store is full [v3 MQTT-3.3.1-7].
        drop(draft, null, message.topic, message.qos, why)
        forget(draft, message.topic)
      }
    }
  }
  routeMessage(draft, message, publisher)
}

/**
 * Publishes a message of the broker's own. What only means something on one connection is left out
 * of it; without a topic it is nothing.
 */
export const publishOwn = (draft: Draft, packet: Publish): void => {
  if (packet.topic === '') return
  const { topicAlias: _, subscriptionIdentifiers: __, ...properties } = packet.properties
  const plain = { ...packet, properties: Object.keys(properties).length === 0 ? none : properties }
  publishKept(draft, keep(draft, plain, packet.retain, null), NO_SESSION)
}
