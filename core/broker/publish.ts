// PUBLISH from a client and the release of its QoS 2 messages.

import { type Fault, fault } from '../codec/fault.ts'
import type { Puback, Publish, Pubrec, Pubrel } from '../codec/packet.ts'
import { none, type Properties } from '../codec/properties.ts'
import {
  PACKET_IDENTIFIER_NOT_FOUND,
  PAYLOAD_FORMAT_INVALID,
  PROTOCOL_ERROR,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RECEIVE_MAXIMUM_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  TOPIC_ALIAS_INVALID,
  TOPIC_NAME_INVALID,
} from '../codec/reason-code.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Window from '../data/window.ts'
import { type Draft, drop, editSession, setPhase } from './draft.ts'
import { noteIncoming, noteTaken } from './journal.ts'
import { publishIfAllowed } from './kept.ts'
import { mountedPublish } from './mount.ts'
import {
  reasonOf,
  type Refusal,
  refusal,
  turnAway,
  type Unfit,
  whyOf,
  whyUnfit,
} from './refusal.ts'
import { forget, retain } from './retain.ts'
import { keep, route, topicOf } from './route.ts'
import type { Incoming, Link, Message, Ready, Session } from './state.ts'
import { tell, tellWhy } from './tell.ts'

/** What ends a connection: a fault of the client's, or what it cannot be told in another way. */
type Ending = Fault | 'memory short' | 'store full'

/** Handles a PUBLISH; answers what ends the connection, if anything. */
export const publish = (
  draft: Draft,
  link: Link,
  ready: Ready,
  arrived: Publish,
): Ending | null => {
  const packet = resolve(draft, link, ready, arrived)
  if (isFault(packet)) return packet
  const unfit = whyUnfit(draft, packet)
  if (packet.qos === 0) return atMostOnce(draft, link, ready, packet, unfit)
  const session = withFreeIdentifier(draft, link, ready, packet)
  if (session === null) return null
  const excess = excessOf(ready, session, packet)
  if (excess !== null) return excess
  if (draft.isStoreFull) return whileStoreFull(draft, ready, session, packet)
  return packet.qos === 1
    ? atLeastOnce(draft, link, ready, session, packet, unfit)
    : exactlyOnce(draft, link, ready, session, packet, unfit)
}

const isFault = (result: Publish | Fault): result is Fault => !('_tag' in result)

/** The publish under its whole topic: behind the mount point, and without an alias. */
const resolve = (draft: Draft, link: Link, ready: Ready, arrived: Publish): Publish | Fault => {
  let packet = arrived
  if (packet.qos > ready.rules.maximumQos) {
    return fault(QOS_NOT_SUPPORTED, 'MQTT-3.2.2-11', 'a publish above Maximum QoS')
  }
  if (packet.retain && !ready.promised.retainAvailable) {
    return fault(
      RETAIN_NOT_SUPPORTED,
      'MQTT-3.2.2-14',
      'a publish to be retained, which is not available',
    )
  }
  const { mountPoint } = ready.rules
  if (mountPoint !== '' && packet.topic !== '') {
    const whole = mountedPublish(mountPoint, packet)
    if (whole === null) {
      const detail = 'a topic that gets too long or too deep behind the mount point'
      return fault(TOPIC_NAME_INVALID, 'MQTT-4.7.3-3', detail)
    }
    packet = whole
  }
  if (packet.properties === none) return packet
  const { subscriptionIdentifiers, topicAlias } = packet.properties
  if (subscriptionIdentifiers !== undefined) {
    return fault(
      PROTOCOL_ERROR,
      'MQTT-3.3.4-6',
      'a client sent a subscription identifier with PUBLISH',
    )
  }
  return topicAlias === undefined ? packet : resolveAlias(draft, link, ready, packet, topicAlias)
}

/** At QoS 0, where nothing is answered [MQTT-3.3.4-1] [v3 MQTT-3.3.4-1]. */
const atMostOnce = (
  draft: Draft,
  link: Link,
  ready: Ready,
  packet: Publish,
  unfit: Unfit | null,
): Fault | null => {
  if (unfit === 'payload format invalid') {
    const detail = 'a payload that is said to be UTF-8 and is not'
    return fault(PAYLOAD_FORMAT_INVALID, 'MQTT-4.13.1-1', detail)
  }
  if (unfit === null) accept(draft, link, ready, packet)
  else drop(draft, null, packet.topic, 0, unfit)
  return null
}

/**
 * The publisher's session, which holds nothing under the packet identifier. Null where it does: the
 * same message once more, which is acknowledged once more.
 */
const withFreeIdentifier = (
  draft: Draft,
  link: Link,
  ready: Ready,
  packet: Publish,
): Session | null => {
  const { packetId } = packet
  const session = IntMap.get(draft.sessions, ready.session)!
  const held = Window.get(session.incoming, packetId)
  if (held === undefined) return session
  if (packet.qos === 1 || isAnother(packet, held)) {
    // The client has lost its state and counts from the start: what it never released is void.
    const freed = take(draft, link, session, packetId, held)
    const { message } = held
    // What may go nowhere was counted when it came.
    if (message !== null) drop(draft, session.clientId, message.topic, 2, 'session ended')
    return freed
  }
  // Seen before and not released: acknowledged again, routed once [MQTT-4.3.3-10]
  // [v3 MQTT-4.3.3-2].
  tell(draft, session, { _tag: 'Pubrec', packetId, reason: 0, properties: none })
  return null
}

/** How the client has more under way than it was told that it may have; null where it has not. */
const excessOf = (ready: Ready, session: Session, packet: Publish): Fault | null => {
  const { receiveMaximum, incomingCountMax, incomingBytesMax } = ready.promised
  if (ready.level === 5 && session.receivingCount >= receiveMaximum) {
    return fault(
      RECEIVE_MAXIMUM_EXCEEDED,
      'MQTT-3.3.4-7',
      'more unacknowledged publishes than Receive Maximum',
    )
  }
  if (
    packet.qos === 2 &&
    (Window.size(session.incoming) >= incomingCountMax ||
      session.incomingBytes + Bytes.size(packet.payload) > incomingBytesMax)
  ) {
    return fault(
      RECEIVE_MAXIMUM_EXCEEDED,
      'MQTT-4.13.1-1',
      'too many QoS 2 publishes that were never released',
    )
  }
  return null
}

/** Nothing can be promised; who can be told so is told. */
const whileStoreFull = (
  draft: Draft,
  ready: Ready,
  session: Session,
  packet: Publish,
): 'store full' | null => {
  if (ready.level < 5) return 'store full' // [v3 MQTT-4.8.0-2]
  drop(draft, null, packet.topic, packet.qos, 'store full')
  const answer = { packetId: packet.packetId, reason: QUOTA_EXCEEDED, properties: none }
  const refused: Puback | Pubrec = packet.qos === 1
    ? { _tag: 'Puback', ...answer }
    : { _tag: 'Pubrec', ...answer }
  tellWhy(draft, session, ready, refused, 'store full')
  return null
}

/**
 * At QoS 1: no memory of identifiers and no look at DUP, each is new [MQTT-4.3.2-5]
 * [v3 MQTT-4.3.2-2].
 */
const atLeastOnce = (
  draft: Draft,
  link: Link,
  ready: Ready,
  session: Session,
  packet: Publish,
  unfit: Unfit | null,
): 'memory short' | null => {
  let accepted = 0
  if (unfit === null) accepted = accept(draft, link, ready, packet)
  else {
    accepted = reasonOf(unfit)
    drop(draft, null, packet.topic, 1, unfit)
  }
  if (accepted === QUOTA_EXCEEDED && draft.isShort && ready.level < 5) {
    return 'memory short' // [v3 MQTT-4.8.0-2]
  }
  const reason = ready.level === 5 ? accepted : 0 // [v3 MQTT-3.3.5-2]
  // [MQTT-2.2.1-5] [MQTT-3.4.2-3] [v3 MQTT-2.3.1-6]
  const puback: Puback = { _tag: 'Puback', packetId: packet.packetId, reason, properties: none }
  // At once, so in the order of the publishes [MQTT-3.3.4-1] [MQTT-4.3.2-4] [v3 MQTT-3.3.4-1]
  // [v3 MQTT-4.3.2-2] [v3 MQTT-4.6.0-2].
  if (reason < 0x80) tell(draft, session, puback)
  else tellWhy(draft, session, ready, puback, unfit ?? whyOf(draft, packet, reason))
  return null
}

/** At QoS 2: held until its publisher releases it. */
const exactlyOnce = (
  draft: Draft,
  link: Link,
  ready: Ready,
  session: Session,
  packet: Publish,
  unfit: Unfit | null,
): 'memory short' | null => {
  const { packetId } = packet
  const refused: Refusal | null = unfit ?? refusal(draft, link, ready, packet) ??
    (draft.isShort ? 'memory short' : null)
  if (refused !== null && ready.level === 5) {
    turnAway(draft, session, packet, refused)
    const reason = reasonOf(refused)
    // [MQTT-2.2.1-5] [MQTT-3.5.2-3]
    const pubrec: Pubrec = { _tag: 'Pubrec', packetId, reason, properties: none }
    // Nothing is held, so the identifier is free [MQTT-4.3.3-9].
    tellWhy(draft, session, ready, pubrec, refused)
    return null
  }
  // Below level 5 nothing can be refused. The client of a connection that ends without PUBREC sends
  // the message again later; what may go nowhere is taken and not routed.
  if (draft.isShort) return 'memory short' // [v3 MQTT-4.8.0-2]
  let message: Message | null = null
  if (refused === 'not allowed' || refused === 'too large') {
    turnAway(draft, session, packet, refused) // [v3 MQTT-3.3.5-2]
  } else message = keep(draft, packet, packet.retain, session.source)
  const editable = editSession(draft, session)
  const incoming = { message, opening: link.opening }
  editable.incoming = Window.add(editable.incoming, draft.owner, packetId, incoming)
  noteIncoming(draft, editable, packetId, incoming)
  editable.receivingCount++
  editable.incomingBytes += message?.bytes ?? 0
  // At once, likewise [MQTT-3.3.4-1] [MQTT-4.3.3-8] [MQTT-2.2.1-5] [v3 MQTT-3.3.4-1]
  // [v3 MQTT-4.3.3-2] [v3 MQTT-4.6.0-3] [v3 MQTT-2.3.1-6].
  tell(draft, session, { _tag: 'Pubrec', packetId, reason: 0, properties: none })
  return null
}

/**
 * Whether a publish says something else than the one that is held under its identifier: a client
 * that repeats itself does not.
 */
const isAnother = (packet: Publish, { message }: Incoming): boolean =>
  message !== null &&
  (message.topic !== packet.topic || !Bytes.equals(message.payload, packet.payload))

/** Takes a QoS 2 message out of what its publisher has still to release. */
const take = (
  draft: Draft,
  link: Link,
  session: Session,
  packetId: number,
  incoming: Incoming,
): Session => {
  const editable = editSession(draft, session)
  editable.incoming = Window.remove(editable.incoming, draft.owner, packetId)
  noteTaken(draft, editable, packetId, incoming)
  editable.incomingBytes -= incoming.message?.bytes ?? 0
  if (incoming.opening === link.opening) editable.receivingCount--
  return editable
}

/** Routes the QoS 2 message that a PUBREL releases, once [MQTT-4.3.3-12]. */
export const release = (draft: Draft, link: Link, ready: Ready, packet: Pubrel): void => {
  const { packetId } = packet
  const session = IntMap.get(draft.sessions, ready.session)!
  const incoming = Window.get(session.incoming, packetId)
  let reason = 0
  if (incoming === undefined) {
    if (ready.level === 5) reason = PACKET_IDENTIFIER_NOT_FOUND
  } else {
    take(draft, link, session, packetId, incoming) // [v3 MQTT-4.3.3-2]
    if (incoming.message !== null) publishIfAllowed(draft, incoming.message, session, 'publish')
  }
  // Whatever became of the message [MQTT-4.3.3-11] [MQTT-4.3.3-13] [MQTT-2.2.1-5] [MQTT-3.7.2-2]
  // [MQTT-3.7.2-3] [v3 MQTT-4.3.3-2].
  tell(draft, session, { _tag: 'Pubcomp', packetId, reason, properties: none })
}

/** Retains and routes a publish of QoS 0 or 1; answers its reason code. */
const accept = (
  draft: Draft,
  link: Link,
  ready: Ready,
  packet: Publish,
): number => {
  let kept: Message | null = null
  const refused = packet.retain || packet.topic.charCodeAt(0) === 0x24 || draft.isGuarded
    ? refusal(draft, link, ready, packet)
    : null
  if (refused !== null) {
    turnAway(draft, IntMap.get(draft.sessions, ready.session)!, packet, refused)
    // A QoS 1 publisher of MQTT 5 is told and may try again, so nobody gets it now.
    if (refused === 'not allowed' || (packet.qos === 1 && ready.level === 5)) {
      return reasonOf(refused)
    }
    // What was retained is not the topic's last message any more [MQTT-3.3.1-5] [v3 MQTT-3.3.1-7].
    forget(draft, topicOf(packet))
  } else if (packet.retain) { // [MQTT-3.3.1-8] [v3 MQTT-3.3.1-12]
    // [MQTT-3.3.1-7] [v3 MQTT-3.3.1-10] [v3 MQTT-3.3.1-11]
    if (Bytes.size(packet.payload) === 0) forget(draft, topicOf(packet))
    else {
      kept = keep(draft, packet, true, IntMap.get(draft.sessions, ready.session)!.source)
      retain(draft, kept)
    }
  }
  return route(draft, packet, kept, ready.session)
}

const withoutAlias = (properties: Properties): Properties => {
  const { topicAlias: _, ...rest } = properties
  for (const _key in rest) return rest
  return none
}

/** Sets or looks up a topic alias; answers the packet with its topic and without the alias. */
const resolveAlias = (
  draft: Draft,
  link: Link,
  ready: Ready,
  packet: Publish,
  alias: number,
): Publish | Fault => {
  const { topicAliasMaximum } = ready.rules
  if (alias > topicAliasMaximum) { // [MQTT-3.3.2-9] [MQTT-3.3.2-12]
    return fault(TOPIC_ALIAS_INVALID, 'MQTT-3.3.2-9', 'a topic alias above Topic Alias Maximum')
  }
  let topic = packet.topic
  if (topic === '') {
    const known = IntMap.get(ready.aliases, alias)
    if (known === undefined) {
      const detail = 'a topic alias that was not set on this connection'
      return fault(PROTOCOL_ERROR, 'MQTT-4.13.1-1', detail)
    }
    topic = known
  } else {
    const aliases = IntMap.set(ready.aliases, draft.owner, alias, topic)
    setPhase(draft, link, { ...ready, aliases })
  }
  return { ...packet, topic, properties: withoutAlias(packet.properties) }
}
