// From one published message to everybody who subscribed to it: QoS 0 at once, as one effect for
// all connections that get the same packet; QoS 1 and 2 through the sessions.

import { encodedSize } from '../codec/mod.ts'
import type { Publish } from '../codec/packet.ts'
import { none, type Properties } from '../codec/properties.ts'
import { QUOTA_EXCEEDED } from '../codec/reason-code.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import { memoIfUseful } from '../topic/memo.ts'
import type { TopicName } from '../topic/name.ts'
import { mayRead } from './access.ts'
import type { Source } from './acl.ts'
import { learnAlias, underAlias } from './alias.ts'
import { enqueue, isPassing, offer, outgoingProperties, passOn } from './deliver.ts'
import { qosFor, withIdentifiers } from './deliver.ts'
import { countPublished, type Draft, drop, keepBytes } from './draft.ts'
import { multicast, send } from './effect.ts'
import { nextMessageId } from './journal.ts'
import { match, mergedEcho, weight } from './match.ts'
import { shown } from './mount.ts'
import { gather, type Receivers, release } from './receivers.ts'
import { bringForward, overtake } from './retain.ts'
import { choose } from './share.ts'
import type { Gist, Message, Session, Subscription } from './state.ts'
import { isExpired, publishOf } from './state.ts'
import { charge, isOverfull } from './tell.ts'

/** What a publish comes to, as the reason code of its acknowledgement. */
const ROUTED = 0x00
const NO_SUBSCRIBERS = 0x10

const noIdentifiers: ReadonlyArray<number> = []

/** Nobody's session: the publisher of a message that no client sent just now. */
export const NO_SESSION = -1

/**
 * Whether a session is still to be sent retained messages, which are older than the one that is
 * routed.
 */
const isCatchingUp = ({ routing }: Draft, { catchUps }: Session): boolean =>
  Queue.size(catchUps) > 0 && !routing.isHandedOver

/** Whether a QoS 0 packet of this size may go to the session's connection; counts it either way. */
const admit = (draft: Draft, session: Session, topic: TopicName, bytes: number): boolean => {
  if (isOverfull(draft, session, bytes)) {
    drop(draft, session.clientId, topic, 0, 'back-pressure')
    return false
  }
  if (bytes > session.packetBytesMax) { // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
    drop(draft, session.clientId, topic, 0, 'too large')
    return false
  }
  charge(draft, session, bytes)
  if (isCatchingUp(draft, session)) overtake(draft, session, topic)
  return true
}

const emitTo = (draft: Draft, receivers: Receivers, packet: Publish, bytes: number): void => {
  countPublished(draft, receivers.count, bytes, packet.payload)
  if (receivers.count === 1) draft.effects.push(send(receivers.first!, receivers.level, packet))
  else draft.effects.push(multicast(release(receivers), receivers.level, packet))
  receivers.first = null
  receivers.count = 0
  receivers.list = null
}

const variant = (packet: Publish, retain: boolean, properties: Properties): Publish =>
  packet.qos === 0 && !packet.dup && packet.retain === retain && packet.properties === properties
    ? packet
    : {
      _tag: 'Publish',
      dup: false, // [MQTT-4.3.1-1] [MQTT-3.3.1-3] [v3 MQTT-4.3.1-1] [v3 MQTT-3.3.1-3]
      qos: 0,
      retain,
      topic: packet.topic,
      packetId: 0,
      payload: packet.payload,
      properties,
    }

/** When what is published now expires; null for never. */
const expiryAt = ({ now }: Draft, { properties }: Publish): number | null => {
  const expiryS = properties.messageExpiryInterval
  return expiryS === undefined ? null : now + expiryS * 1000
}

/**
 * Nothing is altered, nor its order, and the bytes are its own [MQTT-3.3.2-4] [MQTT-3.3.2-15]
 * [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] [MQTT-3.1.3-10].
 */
const ownProperties = ({ properties }: Publish): Properties => {
  const { correlationData } = properties
  return correlationData === undefined
    ? properties
    : { ...properties, correlationData: Bytes.own(correlationData) }
}

/** What is left of a publish for those who are sent it once and never again. */
const gistOf = (draft: Draft, packet: Publish): Gist => ({
  id: 0,
  topic: topicOf(packet),
  qos: packet.qos,
  retain: packet.retain,
  properties: ownProperties(packet),
  expiresAt: expiryAt(draft, packet),
  bytes: encodedSize(5, packet),
  source: null,
  payloadBytes: Bytes.size(packet.payload),
})

/**
 * A copy of what a publish says, in bytes of its own: of exactly their size if they are to last.
 */
export const keep = (
  draft: Draft,
  packet: Publish,
  lasting: boolean,
  source: Source | null,
): Message => ({
  id: nextMessageId(draft),
  topic: topicOf(packet),
  qos: packet.qos,
  retain: packet.retain,
  payload: lasting ? Bytes.own(packet.payload) : keepBytes(draft, packet.payload),
  properties: ownProperties(packet),
  expiresAt: expiryAt(draft, packet),
  bytes: encodedSize(5, packet),
  source: packet.retain ? source : null,
})

/** The topic of a packet whose alias, if it came with one, was resolved. */
export const topicOf = (packet: Publish): TopicName => {
  if (packet.topic === '') throw new Error('a publish without a topic got past its alias')
  return packet.topic
}

/** Delivers one copy: `alone`, or together with what others get. */
const deliverTo = (
  draft: Draft,
  packet: Publish,
  subscription: Subscription,
  alone: boolean,
): void => {
  const { routing } = draft
  let session = IntMap.get(draft.sessions, subscription.session)!
  // [MQTT-3.8.4-8] [v3 MQTT-3.8.4-6]
  const qos = qosFor(draft, packet.qos, subscription)
  // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [v3 MQTT-3.3.1-9]
  const retain = packet.retain && subscription.retainAsPublished
  if (draft.isGuarded && !mayRead(draft, session, packet.topic)) {
    // For the publisher it is as if the client had got it, as mosquitto has it.
    routing.taken++
    drop(draft, session.clientId, packet.topic, qos, 'not allowed')
    return
  }
  if (!packet.retain && isCatchingUp(draft, session)) {
    bringForward(draft, session, topicOf(packet))
    session = IntMap.get(draft.sessions, subscription.session)!
  }
  // Only QoS 1 and 2 go by the window [MQTT-3.3.4-10] [MQTT-4.9.0-3].
  if (qos > 0) {
    if (routing.kept === null && isPassing(draft, session, subscription)) {
      if (routing.gist === null) routing.gist = gistOf(draft, packet)
      const isSent = passOn(draft, session, packet, routing.gist, qos, retain, subscription)
      routing.taken++
      if (isSent && isCatchingUp(draft, session)) overtake(draft, session, topicOf(packet))
      return
    }
    if (routing.kept === null) routing.kept = keep(draft, packet, false, null)
    // [MQTT-4.5.0-1] [v3 MQTT-4.5.0-1]
    const fate = offer(draft, session, routing.kept, qos, retain, subscription)
    if (fate !== 'turned away') routing.taken++
    if (fate === 'under way' && isCatchingUp(draft, session)) {
      overtake(draft, session, topicOf(packet))
    }
    return
  }
  routing.taken++
  if (session.conn === null || session.queuedQos0 > 0) {
    wait(draft, session, packet, retain, subscription)
  } else if (session.level === 5) {
    if (
      alone || retain || session.aliasMax !== 0 || subscription.identifiers.length !== 0 ||
      session.mountPoint !== ''
    ) {
      // [MQTT-3.3.4-5]
      const properties = withIdentifiers(packet.properties, subscription.identifiers)
      sendOne(draft, session, variant(packet, retain, properties))
      return
    }
    if (routing.live5 === null) {
      // Forwarded as they came [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17]
      // [MQTT-3.3.2-18] [MQTT-3.3.2-20].
      routing.live5 = variant(packet, false, packet.properties)
      routing.bytes5 = encodedSize(5, routing.live5)
    }
    if (admit(draft, session, topicOf(packet), routing.bytes5)) {
      gather(routing.receivers5, session.conn)
    }
  } else {
    if (alone || retain || session.mountPoint !== '') {
      sendOne(draft, session, variant(packet, retain, none))
      return
    }
    // Levels 3 and 4 have one form of PUBLISH.
    if (routing.live4 === null) {
      routing.live4 = variant(packet, false, none)
      routing.bytes4 = encodedSize(4, routing.live4)
    }
    if (admit(draft, session, topicOf(packet), routing.bytes4)) {
      gather(routing.receivers4, session.conn)
    }
  }
}

/** QoS 0 for a session that is away, or that has not been sent yet what came before. */
const wait = (
  draft: Draft,
  session: Session,
  packet: Publish,
  retain: boolean,
  subscription: Subscription,
): void => {
  if (session.conn === null && !draft.config.queueQos0) {
    drop(draft, session.clientId, packet.topic, 0, 'offline')
    return
  }
  const { routing } = draft
  if (routing.kept === null) routing.kept = keep(draft, packet, false, null)
  if (!enqueue(draft, session, routing.kept, 0, retain, subscription)) return
  if (isCatchingUp(draft, session)) overtake(draft, session, topicOf(packet))
}

const sendOne = (draft: Draft, session: Session, plain: Publish): void => {
  const seen = shown(session, plain)
  if (seen === null) {
    drop(draft, session.clientId, plain.topic, 0, 'not allowed')
    return
  }
  const packet = underAlias(session, seen)
  const bytes = encodedSize(session.level, packet)
  if (admit(draft, session, topicOf(plain), bytes)) {
    learnAlias(draft, session, packet)
    countPublished(draft, 1, bytes, packet.payload)
    draft.effects.push(send(session.conn!, session.level, packet))
  }
}

/**
 * Routes a publish whose topic is resolved and whose properties are fit to be forwarded. `kept` is
 * the message in bytes of its own where it already exists; `publisher` the number of the session it
 * came from. Answers the reason code for its acknowledgement.
 */
export const route = (
  draft: Draft,
  packet: Publish,
  kept: Message | null,
  publisher: number,
): number => {
  const topic = topicOf(packet)
  const matched = memoIfUseful(draft.filters, topic, match, weight)
  const { routing } = draft
  routing.isHandedOver = false
  routing.kept = kept
  routing.gist = null
  routing.live5 = null
  routing.live4 = null
  routing.taken = 0
  const { overlapping, groups } = matched
  const isMerging = overlapping.length > 0 && !draft.config.allowDuplicateMessages
  const subscriptions = isMerging ? matched.merged : matched.subscriptions
  let count = 0
  for (let i = 0; i < subscriptions.length; i++) {
    let subscription = subscriptions[i]!
    if (subscription.noLocal && subscription.session === publisher) { // [MQTT-3.8.3-3]
      const echo = isMerging ? mergedEcho(matched, publisher) : null
      if (echo === null) continue
      subscription = echo
    }
    count++
    deliverTo(draft, packet, subscription, false)
  }
  if (routing.receivers4.count > 0) {
    emitTo(draft, routing.receivers4, routing.live4!, routing.bytes4)
  }
  if (routing.receivers5.count > 0) {
    emitTo(draft, routing.receivers5, routing.live5!, routing.bytes5)
  }
  // A connection stands in a multicast once; whoever gets further copies gets them after it.
  for (let i = 0; !isMerging && i < overlapping.length; i++) {
    const subscription = overlapping[i]!
    if (subscription.noLocal && subscription.session === publisher) continue
    count++
    deliverTo(draft, packet, subscription, true) // [MQTT-3.3.4-5] [v3 MQTT-3.3.5-1]
  }
  for (let i = 0; i < groups.length; i++) {
    count++
    const member = choose(draft, groups[i]!, packet)
    if (member !== null) deliverTo(draft, packet, member, true)
    else routing.taken++ // as QoS 0 for a client that is away: nobody is to try again
  }
  draft.brought += count
  if (count === 0) {
    if (publisher !== NO_SESSION) drop(draft, null, topic, packet.qos, 'no subscriber')
    return NO_SUBSCRIBERS
  }
  return routing.taken === 0 ? QUOTA_EXCEEDED : ROUTED
}

/** Publishes a message that the broker kept: a released QoS 2 message, a will. */
export const routeMessage = (draft: Draft, message: Message, publisher: number): number => {
  // One with no time at all is for those who are there, at every QoS.
  const hasTime = message.properties.messageExpiryInterval !== 0
  if (hasTime && isExpired(message, draft.now)) {
    drop(draft, null, message.topic, message.qos, 'expired')
    return ROUTED
  }
  return route(draft, packetOf(draft, message), message, publisher)
}

/** A message that the broker kept, as the packet that would publish it now. */
export const packetOf = (draft: Draft, message: Message): Publish => {
  const packet = publishOf(message)
  return message.expiresAt === null
    ? packet
    : { ...packet, properties: outgoingProperties(message, noIdentifiers, draft.now) }
}

/** Delivers one copy of a message that lay with another member of a shared group. */
export const deliverKept = (
  draft: Draft,
  message: Message,
  packet: Publish,
  subscription: Subscription,
): void => {
  draft.routing.isHandedOver = true
  draft.routing.kept = message
  draft.brought++
  deliverTo(draft, packet, subscription, true)
}
