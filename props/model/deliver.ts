// Messages on their way to one client: at most once, or through its window and queue.

import type { DropReason } from '../../core/broker/note.ts'
import type { Publish } from '../../core/codec/packet.ts'
import { none } from '../../core/codec/property.ts'
import type { Message, Model, Outgoing, Queued, Session } from './state.ts'
import { bytesOf, dropped, NEVER, sizeOf, tell, UNREPORTED_BYTES_MAX } from './state.ts'

const packetFor = (
  model: Model,
  session: Session,
  { message, qos, retain, identifier }: Queued,
  packetId: number,
  dup: boolean,
): Publish => {
  const { expiresAt } = message
  const expiry = expiresAt === NEVER
    ? {}
    // What the publisher gave less what has passed [MQTT-3.3.2-6], and never less than nothing.
    : { messageExpiryInterval: Math.max(0, Math.ceil((expiresAt - model.now) / 1000)) }
  const numbers = identifier === 0 ? {} : { subscriptionIdentifiers: [identifier] }
  return {
    _tag: 'Publish',
    dup,
    qos,
    retain,
    topic: message.topic,
    packetId,
    payload: message.payload,
    properties: session.level === 5 ? { ...message.properties, ...expiry, ...numbers } : {},
  }
}

export const sendAtMostOnce = (
  model: Model,
  session: Session,
  copy: Queued,
  anyway: boolean,
): boolean => {
  const { topic } = copy.message
  const lost = (why: DropReason): false => {
    dropped(model, session.clientId, topic, 0, why)
    return false
  }
  if (session.link === null) return lost('offline')
  const packet = packetFor(model, session, copy, 0, false)
  const bytes = sizeOf(session.level, packet)
  const unwritten = session.sentBytes - session.takenBytes
  const { unwrittenBytesMax } = model.config
  if (!anyway && unwritten > UNREPORTED_BYTES_MAX && unwritten + bytes > unwrittenBytesMax) {
    return lost('back-pressure')
  }
  if (bytes > session.packetBytesMax) { // [MQTT-3.1.2-24]
    return lost('too large')
  }
  tell(model, session, packet)
  return true
}

export const queuedBytes = (session: Session): number =>
  session.queue.reduce((sum, one) => sum + bytesOf(one.message), 0)

const hasRoom = (model: Model, session: Session): boolean =>
  session.window.length < Math.min(session.windowMax, model.config.packetIdMax) &&
  !isCongested(model, session)

const isCongested = (model: Model, session: Session): boolean =>
  session.sentBytes - session.takenBytes >
    Math.max(UNREPORTED_BYTES_MAX, model.config.unwrittenBytesMax)

export const offer = (model: Model, session: Session, copy: Queued): boolean => {
  const { window, queue } = session
  const waiting = window.some((one) => one.stage === 'waiting')
  if (session.link !== null && queue.length === 0 && !waiting && hasRoom(model, session)) {
    dispatch(model, session, copy)
    return true
  }
  if (isFull(model, session, copy.message)) {
    // What has expired makes room, as far as it stands in front.
    while (session.queue.length > 0 && session.queue[0]!.message.expiresAt <= model.now) {
      const { message, qos } = session.queue.shift()!
      dropped(model, session.clientId, message.topic, qos, 'expired')
    }
  }
  if (isFull(model, session, copy.message)) {
    dropped(model, session.clientId, copy.message.topic, copy.qos, 'queue full')
    return false
  }
  session.queue.push(copy)
  return true
}

/** Whether the queue has no room for the message. */
export const isFull = (model: Model, session: Session, message: Message): boolean => {
  const { queuedCountMax, queuedBytesMax } = model.config
  return (queuedCountMax > 0 && session.queue.length >= queuedCountMax) ||
    (queuedBytesMax > 0 && queuedBytes(session) > 0 &&
      queuedBytes(session) + bytesOf(message) > queuedBytesMax)
}

const dispatch = (model: Model, session: Session, copy: Queued): void => {
  const used = session.window.map((one) => one.packetId)
  const { packetIdMax } = model.config
  const after = (id: number): number => id < packetIdMax ? id + 1 : 1
  let packetId = session.nextPacketId
  while (packetId > packetIdMax || used.includes(packetId)) packetId = after(packetId)
  const packet = packetFor(model, session, copy, packetId, false)
  if (sizeOf(session.level, packet) > session.packetBytesMax) { // [MQTT-3.1.2-25]
    return dropped(model, session.clientId, copy.message.topic, copy.qos, 'too large')
  }
  session.nextPacketId = after(packetId)
  session.window.push({ packetId, stage: 'sent', ...copy })
  tell(model, session, packet)
}

/** Sends what the window has room for: first what waits in it, then what is queued. */
export const drain = (model: Model, session: Session): void => {
  if (session.link === null) return
  for (const one of [...session.window]) {
    const busy = session.window.filter((other) => other.stage !== 'waiting').length
    if (one.stage !== 'waiting' || busy >= session.windowMax) continue
    if (!isCongested(model, session)) resend(model, session, one)
  }
  const waiting = session.window.some((one) => one.stage === 'waiting')
  while (!waiting && session.queue.length > 0 && hasRoom(model, session)) {
    const copy = session.queue.shift()!
    const { message, qos } = copy
    if (message.expiresAt > model.now) dispatch(model, session, copy)
    else dropped(model, session.clientId, message.topic, qos, 'expired') // [MQTT-3.3.2-5]
  }
}

const resend = (model: Model, session: Session, one: Outgoing): void => {
  const packet = packetFor(model, session, one, one.packetId, true) // [MQTT-3.3.1-1]
  if (sizeOf(session.level, packet) > session.packetBytesMax) {
    session.window = session.window.filter((other) => other !== one)
    return dropped(model, session.clientId, one.message.topic, one.qos, 'too large')
  }
  one.stage = 'sent'
  tell(model, session, packet)
}

/** Goes on with everything unfinished, in the original order. [MQTT-4.4.0-1] */
export const resume = (model: Model, session: Session): void => {
  let sending = 0
  for (const one of [...session.window]) {
    if (one.stage === 'released') {
      const { packetId } = one
      tell(model, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
      sending++
    } else if (sending < session.windowMax && !isCongested(model, session)) {
      resend(model, session, one)
      sending++
    } else one.stage = 'waiting'
  }
  drain(model, session)
}
