// Messages of QoS 1 and 2 on their way to one session: into the window while it has room, into the
// queue otherwise, out of it again as acknowledgements make room, and once more after a reconnect.

import type { Publish, Qos } from '../codec/packet.ts'
import { none, type Properties } from '../codec/properties.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import { mayRead } from './access.ts'
import { sendPublish } from './alias.ts'
import type { Config } from './config.ts'
import { type Draft, drop, type EditableSession, editSession } from './draft.ts'
import type { Millis } from './input.ts'
import { noteGone, noteOutgoing, noteReleased } from './journal.ts'
import { whyNotSent } from './mount.ts'
import {
  type Delivery,
  type Gist,
  isDurable,
  isExpired,
  type Message,
  type Outgoing,
  type Passing,
  type Released,
  releasedTerms,
  type Session,
  type Subscription,
} from './state.ts'
import { isCongested, tell } from './tell.ts'
import { termsFor } from './terms.ts'

/** What goes out with a message now: its expiry counted down [MQTT-3.3.2-6], and identifiers. */
export const outgoingProperties = (
  message: Message,
  identifiers: ReadonlyArray<number>,
  now: Millis,
): Properties => {
  const { properties, expiresAt } = message
  // What is only retained for so long does not expire for those who get it.
  if (expiresAt === null || properties.messageExpiryInterval === undefined) {
    return withIdentifiers(properties, identifiers)
  }
  // An exchange that was begun goes on after the message has expired, with nothing left to live
  // [MQTT-4.3.3-7].
  const leftS = Math.max(0, Math.ceil((expiresAt - now) / 1000))
  return withIdentifiers({ ...properties, messageExpiryInterval: leftS }, identifiers)
}

/**
 * Properties with the identifiers of the subscriptions that a message goes to [MQTT-3.3.4-3]
 * [MQTT-3.3.4-5]; the others as they came [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16]
 * [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20].
 */
export const withIdentifiers = (
  properties: Properties,
  identifiers: ReadonlyArray<number>,
): Properties =>
  identifiers.length === 0 ? properties : { ...properties, subscriptionIdentifiers: identifiers }

/** The QoS that a message goes to a subscription with. */
export const qosFor = (draft: Draft, published: Qos, subscription: Subscription): Qos =>
  published < subscription.qos
    // With a full store nothing is promised that was not asked for.
    ? draft.config.upgradeOutgoingQos && !draft.isStoreFull ? subscription.qos : published
    : subscription.qos

const publishFor = (
  draft: Draft,
  session: Session,
  delivery: Delivery,
  packetId: number,
  dup: boolean,
): Publish => {
  const { message, terms } = delivery
  return {
    _tag: 'Publish',
    dup,
    qos: terms.qos,
    retain: terms.retain,
    topic: message.topic,
    packetId,
    payload: message.payload,
    properties: session.level === 5
      ? outgoingProperties(message, terms.identifiers, draft.now)
      : none,
  }
}

/** Counts what could not be sent. */
const dropUnsent = (
  draft: Draft,
  session: Session,
  { message, terms }: Delivery | Passing,
): void =>
  drop(draft, session.clientId, message.topic, terms.qos, whyNotSent(session, message.topic))

/** Round the range again after its end, which the operator may have moved to before here. */
const incremented = (packetId: number, max: number): number => packetId >= max ? 1 : packetId + 1

/** The next identifier that is not in use; the caller knows that there is one. */
const freePacketId = (session: Session, max: number): number => {
  let id = session.nextPacketId > max ? 1 : session.nextPacketId
  // [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [v3 MQTT-2.3.1-4] [v3 MQTT-4.3.2-1]
  // [v3 MQTT-4.3.3-1]
  while (Window.get(session.window, id) !== undefined) id = incremented(id, max)
  return id
}

/** Whether the limit on bytes in flight lets one more message go. */
const hasBytes = ({ config }: Pick<Draft, 'config'>, session: Session): boolean =>
  config.inflightBytesMax === 0 || session.inflightBytes < config.inflightBytesMax

/** Whether one more message may be sent that was not in the window before. */
const hasRoom = (draft: Pick<Draft, 'config'>, session: Session): boolean =>
  // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
  Window.size(session.window) < Math.min(session.inflightCountMax, draft.config.packetIdMax) &&
  hasBytes(draft, session) && !isCongested(draft, session)

/** Sends what has its identifier; answers false where it was dropped, as too large for one. */
const launch = (
  draft: Draft,
  session: EditableSession,
  packet: Publish,
  outgoing: Delivery | Passing,
  waited: boolean,
): boolean => {
  const { packetId } = packet
  if (!sendPublish(draft, session, packet)) {
    dropUnsent(draft, session, outgoing)
    if (waited) noteGone(draft, session, outgoing)
    return false
  }
  session.nextPacketId = incremented(packetId, draft.config.packetIdMax)
  // Unacknowledged from here on [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.5.0-1] [v3 MQTT-4.3.2-1]
  // [v3 MQTT-4.3.3-1] [v3 MQTT-4.5.0-1].
  session.window = Window.add(session.window, draft.owner, packetId, outgoing)
  session.inflightBytes += outgoing.message.bytes
  noteOutgoing(draft, session, outgoing, packetId, waited)
  return true
}

/** Gives the message an identifier and launches it. `waited`: it comes out of the queue. */
const dispatch = (
  draft: Draft,
  session: EditableSession,
  delivery: Delivery,
  waited: boolean,
): boolean => {
  const packetId = freePacketId(session, draft.config.packetIdMax)
  // Sent for the first time, so without DUP [MQTT-4.3.2-2] [MQTT-4.3.3-2] [MQTT-3.3.1-3]
  // [v3 MQTT-3.3.1-3] [v3 MQTT-4.3.2-1] [v3 MQTT-4.3.3-1].
  const packet = publishFor(draft, session, delivery, packetId, false)
  return launch(draft, session, packet, delivery, waited)
}

/** Sends a message of QoS 0 that has waited in the queue; then it is gone. */
const dispatchQos0 = (draft: Draft, session: EditableSession, delivery: Delivery): void => {
  noteGone(draft, session, delivery)
  if (!sendPublish(draft, session, publishFor(draft, session, delivery, 0, false), true)) {
    dropUnsent(draft, session, delivery)
  }
}

/** Whether a message of QoS 1 or 2 would be sent at once: none is before it, and there is room. */
export const isFree = (draft: Pick<Draft, 'config'>, session: Session): boolean =>
  // Nothing overtakes, on any topic [MQTT-4.6.0-5] [MQTT-4.6.0-6] [v3 MQTT-4.6.0-5]
  // [v3 MQTT-4.6.0-6].
  session.conn !== null && Queue.size(session.queue) === 0 && session.waitingCount === 0 &&
  hasRoom(draft, session)

/**
 * Whether a message of QoS 1 or 2 would be sent at once and never again, so that only its gist has
 * to be kept: the session ends with its connection, and nobody takes it over from there. One that
 * lasted before is in the store until then, with all that is on its way.
 */
export const isPassing = (draft: Draft, session: Session, subscription: Subscription): boolean =>
  !isDurable(session) && !session.stored && subscription.share === null && isFree(draft, session)

/**
 * Sends a message just as it came, where it is passing; its bytes may be lent. Answers false where
 * it was dropped.
 */
export const passOn = (
  draft: Draft,
  session: Session,
  { payload, properties }: Publish,
  message: Gist,
  qos: Qos,
  retain: boolean,
  { identifiers }: Subscription,
): boolean => {
  const editable = editSession(draft, session)
  const order = editable.nextOrder++
  const terms = termsFor(session, qos, retain, identifiers, null)
  const packet: Publish = {
    _tag: 'Publish',
    dup: false,
    qos,
    retain,
    topic: message.topic,
    packetId: freePacketId(editable, draft.config.packetIdMax),
    payload,
    properties: session.level === 5 ? withIdentifiers(properties, identifiers) : none,
  }
  return launch(draft, editable, packet, { order, stage: 'passing', message, terms }, false)
}

/**
 * What came of a message for a session: it is on its way; it was dropped, and always would be; it
 * was turned away for want of room.
 */
type Fate = 'under way' | 'unfit' | 'turned away'

/** Hands a message of QoS 1 or 2 to a session, whose own it is from then on. */
export const offer = (
  draft: Draft,
  session: Session,
  message: Message,
  qos: Qos,
  retain: boolean,
  subscription: Subscription,
): Fate => {
  if (isFree(draft, session)) {
    const editable = editSession(draft, session)
    const order = editable.nextOrder++
    const terms = termsFor(session, qos, retain, subscription.identifiers, subscription.share)
    const delivery: Delivery = { order, stage: 'open', message, terms }
    return dispatch(draft, editable, delivery, false) ? 'under way' : 'unfit'
  }
  const isQueued = enqueue(draft, session, message, qos, retain, subscription)
  return isQueued ? 'under way' : 'turned away'
}

/**
 * Puts a message of any QoS last in the line of a session, whose own it is from then on. Answers
 * false where the queue is full or memory is short: it was counted as dropped.
 */
export const enqueue = (
  draft: Draft,
  session: Session,
  message: Message,
  qos: Qos,
  retain: boolean,
  subscription: Subscription,
): boolean => {
  if (isUnstorable(draft, session, qos)) {
    drop(draft, session.clientId, message.topic, 0, 'store full')
    return false
  }
  let editable = session
  if (draft.isShort || isFull(draft.config, session, qos, message.bytes)) {
    editable = shedExpired(draft, session)
    const isFullStill = isFull(draft.config, editable, qos, message.bytes)
    if (draft.isShort || isFullStill) {
      const why = isFullStill ? 'queue full' : 'memory short'
      drop(draft, session.clientId, message.topic, qos, why)
      return false
    }
  }
  const taking = editSession(draft, editable)
  // Last in the line, with or without a connection [MQTT-4.5.0-1] [MQTT-4.6.0-5] [v3 MQTT-4.5.0-1]
  // [v3 MQTT-3.1.2-5] [v3 MQTT-4.6.0-6].
  const order = taking.nextOrder++
  const terms = termsFor(taking, qos, retain, subscription.identifiers, subscription.share)
  const delivery: Delivery = { order, stage: 'open', message, terms }
  taking.queue = Queue.push(taking.queue, draft.owner, delivery)
  taking.queuedBytes += message.bytes
  if (qos === 0) taking.queuedQos0++
  if (terms.share !== null) taking.queuedShared++
  noteOutgoing(draft, taking, delivery, 0, false)
  return true
}

/** Whether the store has no room for a message that nobody was promised. */
const isUnstorable = ({ isStoreFull }: Draft, { stored }: Session, qos: Qos): boolean =>
  qos === 0 && isStoreFull && stored

/** Takes the first out of the queue. */
const unqueue = (draft: Draft, session: EditableSession, head: Delivery): void => {
  session.queue = Queue.pop(session.queue, draft.owner)
  session.queuedBytes -= head.message.bytes
  if (head.terms.qos === 0) session.queuedQos0--
  if (head.terms.share !== null) session.queuedShared--
}

/** Whether a message would be taken: queued, or of QoS 1 or 2 sent at once. */
export const canTake = (draft: Draft, session: Session, qos: Qos, bytes: number): boolean => {
  if (isFree(draft, session)) return true
  if (isUnstorable(draft, session, qos)) return false
  return !draft.isShort && !isFull(draft.config, session, qos, bytes)
}

/**
 * Whether there is no room. By number what waits of QoS 0 takes none from what must not be lost;
 * bytes are bytes.
 */
const isFull = (
  { queuedCountMax, queuedBytesMax }: Config,
  { queue, queuedQos0, queuedBytes }: Session,
  qos: Qos,
  bytes: number,
): boolean =>
  (queuedCountMax !== 0 && Queue.size(queue) - (qos > 0 ? queuedQos0 : 0) >= queuedCountMax) ||
  (queuedBytesMax !== 0 && queuedBytes > 0 && queuedBytes + bytes > queuedBytesMax)

/** Makes room by dropping what has expired at the head of the queue. */
const shedExpired = (draft: Draft, session: Session): Session => {
  let head = Queue.peek(session.queue)
  if (head === undefined || !isExpired(head.message, draft.now)) return session
  const editable = editSession(draft, session)
  while (head !== undefined && isExpired(head.message, draft.now)) {
    unqueue(draft, editable, head)
    noteGone(draft, editable, head)
    drop(draft, session.clientId, head.message.topic, head.terms.qos, 'expired')
    head = Queue.peek(editable.queue)
  }
  if (Queue.size(editable.catchUps) > 0) wantCatchUp(draft, editable)
  return editable
}

/** There may be room for retained messages that are still to be sent: a tick will look. */
export const wantCatchUp = (draft: Draft, session: Session): void => {
  if (session.isCatching) return
  editSession(draft, session).isCatching = true
  draft.catching = Queue.push(draft.catching, draft.owner, session.number)
}

/** Sends on what the window has room for: first what waits in it, then the queue. */
export const drain = (draft: Draft, found: Session): void => {
  let session = found
  if (session.conn === null) return
  if (session.waitingCount > 0) {
    const editable = editSession(draft, session)
    sendWaiting(draft, editable)
    session = editable
  }
  if (Queue.size(session.queue) > 0 && session.waitingCount === 0) {
    const editable = editSession(draft, session)
    let head = Queue.peek(editable.queue)
    // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
    while (head !== undefined && (head.terms.qos === 0 || hasRoom(draft, editable))) {
      if (head.terms.qos === 0 && isCongested(draft, editable)) break
      unqueue(draft, editable, head)
      if (isExpired(head.message, draft.now)) { // [MQTT-3.3.2-5]
        noteGone(draft, editable, head)
        drop(draft, editable.clientId, head.message.topic, head.terms.qos, 'expired')
      } else if (draft.isGuarded && !mayRead(draft, editable, head.message.topic)) {
        noteGone(draft, editable, head)
        drop(draft, editable.clientId, head.message.topic, head.terms.qos, 'not allowed')
      } else if (head.terms.qos === 0) {
        dispatchQos0(draft, editable, head)
      } else {
        dispatch(draft, editable, head, true)
      }
      head = Queue.peek(editable.queue)
    }
  }
  if (Queue.size(session.catchUps) > 0) wantCatchUp(draft, session)
}

const sendWaiting = (draft: Draft, session: EditableSession): void => {
  for (const [packetId, outgoing] of [...Window.entries(session.window)]) {
    if (session.waitingCount === 0) return
    if (outgoing.stage !== 'waiting') continue
    // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
    if (Window.size(session.window) - session.waitingCount >= session.inflightCountMax) return
    if (!hasBytes(draft, session) || isCongested(draft, session)) return
    session.waitingCount--
    resend(draft, session, packetId, outgoing)
  }
}

/**
 * Ends an exchange whose PUBLISH may not be sent again. A client that has received one of QoS 2
 * would take a new message with its identifier for a duplicate, so the identifier stays in use
 * until the client has answered the PUBREL, whether or not it knows what for [MQTT-4.3.3-5]
 * [v3 MQTT-4.3.3-1].
 */
const giveUp = (
  draft: Draft,
  session: EditableSession,
  packetId: number,
  delivery: Delivery,
): void => {
  if (delivery.terms.qos !== 2) {
    session.window = Window.remove(session.window, draft.owner, packetId)
    noteGone(draft, session, delivery)
    return
  }
  release(draft, session, packetId, delivery)
  tell(draft, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
}

/** Keeps nothing of a QoS 2 message but its identifier: from here on there is only PUBREL. */
export const release = (
  draft: Draft,
  session: EditableSession,
  packetId: number,
  outgoing: Outgoing,
): void => {
  const released: Released = { order: outgoing.order, stage: 'released', terms: releasedTerms }
  session.window = Window.replace(session.window, draft.owner, packetId, released)
  noteReleased(draft, session, outgoing, released, packetId)
}

/**
 * Sends a PUBLISH again under its old identifier [MQTT-4.4.0-1] [MQTT-3.3.1-1] [v3 MQTT-4.4.0-1]
 * [v3 MQTT-3.3.1-1] [MQTT-3.3.1-3].
 */
const resend = (
  draft: Draft,
  session: EditableSession,
  packetId: number,
  delivery: Delivery,
): void => {
  const { topic } = delivery.message
  // The client may have lost its right to it since it was sent first.
  const isDenied = draft.isGuarded && !mayRead(draft, session, topic)
  if (
    isDenied ||
    !sendPublish(draft, session, publishFor(draft, session, delivery, packetId, true))
  ) {
    giveUp(draft, session, packetId, delivery)
    if (isDenied) drop(draft, session.clientId, topic, delivery.terms.qos, 'not allowed')
    else dropUnsent(draft, session, delivery)
    return
  }
  session.inflightBytes += delivery.message.bytes
  if (delivery.stage !== 'open') {
    const open: Delivery = { ...delivery, stage: 'open' }
    session.window = Window.replace(session.window, draft.owner, packetId, open)
  }
}

/**
 * After a session was resumed: every unfinished exchange goes on where it was, in the original
 * order [MQTT-4.4.0-1] [v3 MQTT-4.4.0-1] [v3 MQTT-4.6.0-1], as far as the new connection's window
 * allows; the rest waits.
 */
export const resume = (draft: Draft, session: EditableSession): void => {
  let sending = 0
  session.waitingCount = 0
  session.inflightBytes = 0
  for (const [packetId, outgoing] of [...Window.entries(session.window)]) {
    if (outgoing.stage === 'released') { // [MQTT-4.3.3-6] [v3 MQTT-4.3.3-1] [v3 MQTT-4.4.0-1]
      // Not by the window, and with nothing that may be too much [MQTT-4.3.3-5] [MQTT-3.3.4-10]
      // [MQTT-4.9.0-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-2.2.1-5] [v3 MQTT-2.3.1-6].
      tell(draft, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
      sending++
    } else if (outgoing.stage === 'passing') {
      // Of a session that was to end with its connection, which it did.
      throw new Error('a message that was not to be sent again is to be sent again')
    } else if (
      sending < session.inflightCountMax && hasBytes(draft, session) && !isCongested(draft, session)
    ) {
      // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
      resend(draft, session, packetId, outgoing)
      sending++
    } else {
      session.waitingCount++
      if (outgoing.stage !== 'waiting') {
        session.window = Window.replace(session.window, draft.owner, packetId, {
          ...outgoing,
          stage: 'waiting',
        })
      }
    }
  }
  drain(draft, session)
}

/** Messages that the client has not got; one of QoS 2 that it has received is not among them. */
export const owedCount = (session: Session): number => {
  let count = Queue.size(session.queue)
  for (const [, outgoing] of Window.entries(session.window)) {
    if (outgoing.stage !== 'released') count++
  }
  return count
}
