// PUBLISH from a client and the release of its QoS 2 messages.

import { type Fault, fault } from '../codec/fault.ts'
import { encodedSize } from '../codec/mod.ts'
import type { Puback, Publish, Pubrec, Pubrel, Will } from '../codec/packet.ts'
import { none, type Properties } from '../codec/property.ts'
import {
  IMPLEMENTATION_SPECIFIC,
  NOT_AUTHORIZED,
  PACKET_IDENTIFIER_NOT_FOUND,
  PAYLOAD_FORMAT_INVALID,
  QUOTA_EXCEEDED,
  TOPIC_NAME_INVALID,
} from '../codec/reason-code.ts'
import { isUtf8 } from '../codec/utf8.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Window from '../data/window.ts'
import { denyPublish, mayPublish } from './access.ts'
import { rulesOf } from './config.ts'
import { type Draft, drop, editSession, note, setPhase } from './draft.ts'
import { noteIncoming, noteTaken } from './journal.ts'
import { mountedPublish } from './mount.ts'
import type { DropReason } from './note.ts'
import { forget, retain, whyNotRetained } from './retain.ts'
import { keep, NO_SESSION, route, routeMessage, topicOf } from './route.ts'
import type { Incoming, Link, Message, Ready, Session } from './state.ts'
import { tell, tellWhy } from './tell.ts'

/** Topics that only the broker publishes to, and those that no filter could name. */
export const isReserved = (topic: string): boolean =>
  topic.charCodeAt(0) === 0x24 /* $ */ &&
  (topic === '$SYS' || topic.startsWith('$SYS/') ||
    topic === '$CONTROL' || topic.startsWith('$CONTROL/') ||
    topic === '$share' || topic.startsWith('$share/'))

const ofBridges = '$SYS/broker/connection/'

/** A bridge of mosquitto's tells its state there, by an ordinary publish and as its will. */
export const isBridgeState = (topic: string): boolean => topic.startsWith(ofBridges)

/** The topic that it has for that if nothing else is configured: with its name as one level. */
const isUsualState = (topic: string): boolean =>
  topic.startsWith(ofBridges) && topic.endsWith('/state') &&
  topic.indexOf('/', ofBridges.length) === topic.length - '/state'.length

/** Whether a payload is said to be UTF-8 and is not. */
export const isMislabelled = ({ properties, payload }: Publish | Will): boolean =>
  properties.payloadFormatIndicator === 1 && !isUtf8(payload.buffer, payload.start, payload.end)

/** Handles a PUBLISH; answers what ends the connection, if anything. */
export const publish = (
  draft: Draft,
  link: Link,
  ready: Ready,
  arrived: Publish,
): Fault | 'memory short' | 'store full' | null => {
  let packet = arrived
  if (packet.qos > ready.rules.maximumQos) {
    return fault(0x9b, 'MQTT-3.2.2-11', 'a publish above Maximum QoS')
  }
  if (packet.retain && !ready.promised.retainAvailable) {
    return fault(0x9a, 'MQTT-3.2.2-14', 'a publish to be retained, which is not available')
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
  let unfit: Unfit | null = null
  if (packet.properties !== none) {
    if (packet.properties.subscriptionIdentifiers !== undefined) {
      return fault(0x82, 'MQTT-3.3.4-6', 'a client sent a subscription identifier with PUBLISH')
    }
    if (packet.properties.topicAlias !== undefined) {
      const resolved = resolveAlias(draft, link, ready, packet, packet.properties.topicAlias)
      if (resolved._tag !== 'Publish') return resolved.fault
      packet = resolved
    }
    if (draft.config.payloadFormatCheck && isMislabelled(packet)) {
      unfit = 'payload format invalid'
      if (packet.qos === 0) {
        const detail = 'a payload that is said to be UTF-8 and is not'
        return fault(PAYLOAD_FORMAT_INVALID, 'MQTT-4.13.1-1', detail)
      }
    }
  }
  const { payloadBytesMax } = draft.config
  if (payloadBytesMax > 0 && Bytes.size(packet.payload) > payloadBytesMax) {
    unfit = 'too large'
    if (packet.qos === 0) {
      drop(draft, null, packet.topic, 0, unfit)
      return null
    }
  }
  if (packet.qos === 0) { // [MQTT-3.3.4-1] [v3 MQTT-3.3.4-1]
    accept(draft, link, ready, packet)
    return null
  }

  let session = IntMap.get(draft.sessions, ready.session)!
  const held = Window.get(session.incoming, packet.packetId)
  if (held !== undefined && (packet.qos === 1 || isAnother(packet, held))) {
    // The client has lost its state and counts from the start: what it never released is void.
    session = take(draft, link, session, packet.packetId, held)
    drop(draft, session.clientId, held.message?.topic ?? packet.topic, 2, 'session ended')
  } else if (held !== undefined) {
    // Seen before and not released: acknowledged again, routed once [MQTT-4.3.3-10]
    // [v3 MQTT-4.3.3-2].
    tell(draft, session, { _tag: 'Pubrec', packetId: packet.packetId, reason: 0, properties: none })
    return null
  }
  if (ready.level === 5 && session.receivingCount >= ready.promised.receiveMaximum) {
    return fault(0x93, 'MQTT-3.3.4-7', 'more unacknowledged publishes than Receive Maximum')
  }
  const { incomingCountMax, incomingBytesMax } = ready.promised
  if (
    packet.qos === 2 &&
    (Window.size(session.incoming) >= incomingCountMax ||
      session.incomingBytes + Bytes.size(packet.payload) > incomingBytesMax)
  ) {
    return fault(0x93, 'MQTT-4.13.1-1', 'too many QoS 2 publishes that were never released')
  }
  const { packetId } = packet
  if (draft.isStoreFull) {
    // Nothing can be promised; who can be told so is told.
    if (ready.level < 5) return 'store full' // [v3 MQTT-4.8.0-2]
    drop(draft, null, packet.topic, packet.qos, 'store full')
    const answer = { packetId, reason: QUOTA_EXCEEDED, properties: none }
    const refused: Puback | Pubrec = packet.qos === 1
      ? { _tag: 'Puback', ...answer }
      : { _tag: 'Pubrec', ...answer }
    tellWhy(draft, session, ready, refused, 'store full')
    return null
  }
  if (packet.qos === 1) {
    // No memory of identifiers and no look at DUP: each is new [MQTT-4.3.2-5] [v3 MQTT-4.3.2-2].
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
    const puback: Puback = { _tag: 'Puback', packetId, reason, properties: none }
    // At once, so in the order of the publishes [MQTT-3.3.4-1] [MQTT-4.3.2-4] [v3 MQTT-3.3.4-1]
    // [v3 MQTT-4.3.2-2] [v3 MQTT-4.6.0-2].
    if (reason < 0x80) tell(draft, session, puback)
    else tellWhy(draft, session, ready, puback, unfit ?? whyOf(draft, packet, reason))
    return null
  }
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

/** What is wrong with a publish, wherever it goes. */
type Unfit = 'payload format invalid' | 'too large'

type Refusal = Unfit | 'not allowed' | 'retained store full' | 'memory short' | 'store full'

const reasonOf = (refused: Refusal): number =>
  refused === 'not allowed'
    ? NOT_AUTHORIZED
    : refused === 'payload format invalid'
    ? PAYLOAD_FORMAT_INVALID
    // The words of mosquitto's manual; Packet too large is none that may stand here
    // [MQTT-3.4.2-1] [MQTT-3.5.2-1].
    : refused === 'too large'
    ? IMPLEMENTATION_SPECIFIC
    : QUOTA_EXCEEDED

/** In words, why a QoS 1 publish was not taken. */
const whyOf = (draft: Draft, packet: Publish, reason: number): DropReason => {
  if (reason === NOT_AUTHORIZED) return 'not allowed'
  const isKept = packet.retain && Bytes.size(packet.payload) > 0
  const why = isKept ? whyNotRetained(draft, topicOf(packet), encodedSize(5, packet)) : null
  // Otherwise nobody who subscribed could take it.
  return why ?? (draft.isShort ? 'memory short' : 'queue full')
}

/** Counts a publish that is refused; where it is not the client's to publish the log says so. */
const turnAway = (draft: Draft, session: Session, packet: Publish, refused: Refusal): void => {
  if (refused === 'not allowed') denyPublish(draft, session, 'publish', packet)
  else drop(draft, null, packet.topic, packet.qos, refused)
}

/**
 * Whether only the broker publishes to the topic. The usual place for the state of a bridge is open
 * to everybody, since one of MQTT 5, or with `try_private false`, does not say that it is one; the
 * others are for those who say so, or whom an access list allows it.
 */
export const isForbidden = (
  draft: Draft,
  link: Link,
  bridge: boolean,
  topic: string,
): boolean =>
  isReserved(topic) &&
  !isUsualState(topic) &&
  !(isBridgeState(topic) && (bridge || rulesOf(draft.config, link.listener).acl !== null))

/** Why a publish may not be taken at all; null where it may. */
const refusal = (draft: Draft, link: Link, ready: Ready, packet: Publish): Refusal | null => {
  if (isForbidden(draft, link, ready.bridge, packet.topic)) return 'not allowed'
  if (draft.isGuarded) {
    const session = IntMap.get(draft.sessions, ready.session)!
    if (!mayPublish(draft, session, packet.topic)) return 'not allowed'
  }
  return packet.retain && Bytes.size(packet.payload) > 0
    ? whyNotRetained(draft, topicOf(packet), encodedSize(5, packet))
    : null
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
): Publish | { readonly _tag: 'Refused'; readonly fault: Fault } => {
  const { topicAliasMaximum } = ready.rules
  if (alias > topicAliasMaximum) { // [MQTT-3.3.2-9] [MQTT-3.3.2-12]
    const detail = 'a topic alias above Topic Alias Maximum'
    return { _tag: 'Refused', fault: fault(0x94, 'MQTT-3.3.2-9', detail) }
  }
  let topic = packet.topic
  if (topic === '') {
    const known = IntMap.get(ready.aliases, alias)
    if (known === undefined) {
      const detail = 'a topic alias that was not set on this connection'
      return { _tag: 'Refused', fault: fault(0x82, 'MQTT-4.13.1-1', detail) }
    }
    topic = known
  } else {
    const aliases = IntMap.set(ready.aliases, draft.owner, alias, topic)
    setPhase(draft, link, { ...ready, aliases })
  }
  return { ...packet, topic, properties: withoutAlias(packet.properties) }
}
