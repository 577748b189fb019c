// Messages on their way to one client: at most once, or through its window and queue.

import type { DropReason } from '../../core/broker/note.ts'
import type { Publish, Qos } from '../../core/codec/packet.ts'
import { none } from '../../core/codec/properties.ts'
import { name } from '../gen/histories.ts'
import { mayRead } from './access.ts'
import type { Copy, Message, Model, Outgoing, Session, Subscription } from './state.ts'
import { bytesOf, dropped, lower, NEVER, sizeOf, tell, UNREPORTED_BYTES_MAX } from './state.ts'

/** Whether there is anything of a topic behind the mount point of a client. */
export const sees = ({ mount }: Session, { topic }: Message): boolean =>
  topic !== mount && topic.indexOf(mount) === 0

const packetFor = (
  model: Model,
  session: Session,
  { message, qos, retain, identifiers }: Copy,
  packetId: number,
  dup: boolean,
): Publish => {
  const { expiresAt } = message
  const expiry = expiresAt === NEVER || message.properties.messageExpiryInterval === undefined
    ? {}
    // What the publisher gave less what has passed [MQTT-3.3.2-6], and never less than nothing.
    : { messageExpiryInterval: Math.max(0, Math.ceil((expiresAt - model.now) / 1000)) }
  const numbers = identifiers.length === 0 ? {} : { subscriptionIdentifiers: identifiers }
  return {
    _tag: 'Publish',
    dup,
    qos,
    retain,
    topic: sees(session, message) ? name(message.topic.slice(session.mount.length)) : message.topic,
    packetId,
    payload: message.payload,
    properties: session.level === 5 ? { ...message.properties, ...expiry, ...numbers } : {},
  }
}

/** The packet with an alias in it, or in place of its topic, where the client takes aliases. */
const underAlias = (model: Model, session: Session, packet: Publish): Publish => {
  const known = session.aliases.findIndex((one) => one === packet.topic)
  if (known < 0 && session.aliases.length >= session.aliasMax) { // [MQTT-3.1.2-26]
    if (session.aliasMax > 0) model.marks.add('there was no alias left')
    return packet
  }
  const found: Publish = {
    ...packet,
    topic: known < 0 ? packet.topic : '',
    properties: {
      ...packet.properties,
      topicAlias: known < 0 ? session.aliases.length + 1 : known + 1,
    },
  }
  if (sizeOf(5, found) <= session.packetBytesMax) return found
  if (sizeOf(5, packet) <= session.packetBytesMax) model.marks.add('an alias would be too much')
  return packet
}

/** Sends a PUBLISH if it is not too large for the client. [MQTT-3.1.2-24] */
const publishTo = (model: Model, session: Session, plain: Publish): boolean => {
  const packet = underAlias(model, session, plain)
  if (sizeOf(session.level, packet) > session.packetBytesMax) return false
  const isNew = packet.properties.topicAlias !== undefined && packet.topic !== ''
  if (isNew && packet.topic !== '') session.aliases.push(packet.topic)
  tell(model, session, packet)
  return true
}

/** Bytes that a copy takes on the wire to a client just now. */
export const sizeFor = (model: Model, session: Session, copy: Copy): number => {
  const packet = packetFor(model, session, copy, copy.qos === 0 ? 0 : 1, false)
  return sizeOf(session.level, underAlias(model, session, packet))
}

/** Whether so much waits for the socket that a QoS 0 packet is dropped. */
export const isOverfull = (model: Model, session: Session, bytes: number): boolean => {
  const unwritten = session.sentBytes - session.takenBytes
  return unwritten > UNREPORTED_BYTES_MAX && unwritten + bytes > model.config.unwrittenBytesMax
}

export const sendAtMostOnce = (
  model: Model,
  session: Session,
  copy: Copy,
  anyway: boolean,
): boolean => {
  const { topic } = copy.message
  const lost = (why: DropReason): false => {
    dropped(model, session.clientId, topic, 0, why)
    return false
  }
  if (session.link === null) return lost('offline')
  if (!sees(session, copy.message)) return lost('not allowed')
  if (!anyway && isOverfull(model, session, sizeFor(model, session, copy))) {
    return lost('back-pressure')
  }
  return publishTo(model, session, packetFor(model, session, copy, 0, false)) || lost('too large')
}

export const queuedBytes = (session: Session): number =>
  session.queue.reduce((sum, one) => sum + bytesOf(one.message), 0)

/** Whether what the client was sent and does not have yet is less than may be. */
const isLight = (model: Model, session: Session): boolean => {
  const { inflightBytesMax } = model.config
  const sent = session.window.filter((one) => one.stage === 'sent')
  const bytes = sent.reduce((sum, one) => sum + bytesOf(one.message), 0)
  if (inflightBytesMax === 0 || bytes < inflightBytesMax) return true
  if (session.link !== null) model.marks.add('enough bytes were in flight')
  return false
}

const hasRoom = (model: Model, session: Session): boolean =>
  isLight(model, session) &&
  session.window.length < Math.min(session.windowMax, model.config.packetIdMax) &&
  !isCongested(model, session)

const isCongested = (model: Model, session: Session): boolean =>
  session.sentBytes - session.takenBytes >
    Math.max(UNREPORTED_BYTES_MAX, model.config.unwrittenBytesMax)

/** Whether nothing stands in the way of one more message. */
export const isFree = (model: Model, session: Session): boolean =>
  session.link !== null && session.queue.length === 0 && hasRoom(model, session) &&
  session.window.every((one) => one.stage !== 'waiting')

/** Answers null where it was dropped for what it is, and false where there was no room for it. */
export const offer = (model: Model, session: Session, copy: Copy): boolean | null => {
  if (copy.qos > 0 && isFree(model, session)) return dispatch(model, session, copy) || null
  if (model.isShort || isFull(model, session, copy.qos, copy.message)) {
    // What has expired makes room, as far as it stands in front.
    while (session.queue.length > 0 && session.queue[0]!.message.expiresAt <= model.now) {
      const { message, qos } = session.queue.shift()!
      dropped(model, session.clientId, message.topic, qos, 'expired')
    }
  }
  if (isFull(model, session, copy.qos, copy.message)) {
    dropped(model, session.clientId, copy.message.topic, copy.qos, 'queue full')
    return false
  }
  if (model.isShort) {
    dropped(model, session.clientId, copy.message.topic, copy.qos, 'memory short')
    return false
  }
  session.queue.push(copy)
  return true
}

/** Whether the queue has no room for the message: what waits of QoS 0 is in the way of its kind. */
export const isFull = (model: Model, session: Session, qos: Qos, message: Message): boolean => {
  const { queuedCountMax, queuedBytesMax } = model.config
  const inTheWay = qos === 0 ? session.queue : session.queue.filter((one) => one.qos > 0)
  return (queuedCountMax > 0 && inTheWay.length >= queuedCountMax) ||
    (queuedBytesMax > 0 && queuedBytes(session) > 0 &&
      queuedBytes(session) + bytesOf(message) > queuedBytesMax)
}

const dispatch = (model: Model, session: Session, copy: Copy): boolean => {
  const lost = (why: DropReason): false => {
    dropped(model, session.clientId, copy.message.topic, copy.qos, why)
    return false
  }
  if (!sees(session, copy.message)) {
    model.marks.add('a topic was outside the mount point')
    return lost('not allowed')
  }
  const used = session.window.map((one) => one.packetId)
  const { packetIdMax } = model.config
  const after = (id: number): number => id < packetIdMax ? id + 1 : 1
  let packetId = session.nextPacketId
  while (packetId > packetIdMax || used.includes(packetId)) packetId = after(packetId)
  if (!publishTo(model, session, packetFor(model, session, copy, packetId, false))) {
    return lost('too large')
  }
  session.nextPacketId = after(packetId)
  session.window.push({ packetId, stage: 'sent', ...copy })
  return true
}

/** Sends what the window has room for: first what waits in it, then what is queued. */
export const drain = (model: Model, session: Session): void => {
  if (session.link === null) return
  for (const one of [...session.window]) {
    const busy = session.window.filter((other) => other.stage !== 'waiting').length
    if (one.stage !== 'waiting' || busy >= session.windowMax) continue
    if (isLight(model, session) && !isCongested(model, session)) resend(model, session, one)
  }
  const waiting = session.window.some((one) => one.stage === 'waiting')
  while (
    !waiting && session.queue.length > 0 &&
    (session.queue[0]!.qos === 0 ? !isCongested(model, session) : hasRoom(model, session))
  ) {
    const copy = session.queue.shift()!
    const { message, qos } = copy
    if (message.expiresAt <= model.now) { // [MQTT-3.3.2-5]
      dropped(model, session.clientId, message.topic, qos, 'expired')
    } else if (!mayRead(model, session, message.topic)) {
      model.marks.add('a right was lost while a message waited')
      dropped(model, session.clientId, message.topic, qos, 'not allowed')
    } else if (qos === 0) {
      if (sendAtMostOnce(model, session, copy, true)) model.marks.add('QoS 0 has waited')
    } else dispatch(model, session, copy)
  }
}

/**
 * A message that was sent once and is not sent again. Of QoS 2 the client may have it, or not: all
 * that can be done is to ask it to let go of the identifier, and to wait until it says so.
 */
const abandon = (model: Model, session: Session, one: Outgoing, why: DropReason): void => {
  dropped(model, session.clientId, one.message.topic, one.qos, why)
  if (one.qos === 1) {
    session.window = session.window.filter((other) => other !== one)
    return
  }
  model.marks.add(`QoS 2 could not be sent again: ${why}`)
  one.stage = 'released'
  const { packetId } = one
  tell(model, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
}

const resend = (model: Model, session: Session, one: Outgoing): void => {
  if (!sees(session, one.message)) return abandon(model, session, one, 'not allowed')
  if (!mayRead(model, session, one.message.topic)) {
    model.marks.add('a right was lost before a message was sent again')
    return abandon(model, session, one, 'not allowed')
  }
  const packet = packetFor(model, session, one, one.packetId, true) // [MQTT-3.3.1-1]
  if (!publishTo(model, session, packet)) return abandon(model, session, one, 'too large')
  one.stage = 'sent'
}

/** Goes on with everything unfinished, in the original order. [MQTT-4.4.0-1] */
export const resume = (model: Model, session: Session): void => {
  let sending = 0
  // Nothing was sent on this connection yet.
  for (const one of session.window) if (one.stage === 'sent') one.stage = 'waiting'
  for (const one of [...session.window]) {
    if (one.stage === 'released') {
      const { packetId } = one
      tell(model, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
      sending++
    } else if (
      sending < session.windowMax && isLight(model, session) && !isCongested(model, session)
    ) {
      resend(model, session, one)
      sending++
    } else one.stage = 'waiting'
  }
  drain(model, session)
}

export const grantedFor = (model: Model, message: Message, { qos }: Subscription): Qos =>
  model.config.upgradeOutgoingQos ? qos : lower(message.qos, qos)

export const copyFor = (model: Model, one: Subscription, message: Message): Copy => ({
  message,
  qos: grantedFor(model, message, one),
  // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
  retain: message.retain && one.retainAsPublished,
  identifiers: one.identifiers,
  share: one.group === null ? null : { group: one.group, topics: one.topics },
})

/** Whether QoS 0 has to wait: for the client, or for others of QoS 0 to go first. */
export const isBehind = (model: Model, session: Session): boolean =>
  session.link === null ? model.config.queueQos0 : session.queue.some((one) => one.qos === 0)
