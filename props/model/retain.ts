// Retained messages, and bringing them to those who subscribe later.

import * as B from '../../core/data/bytes.ts'
import { match } from '../../core/topic/match.ts'
import { offer, queuedBytes, sendAtMostOnce } from './deliver.ts'
import { grown, inOrder } from './order.ts'
import type { Message, Model, Session, Subscription } from './state.ts'
import { bytesOf, lower, UNREPORTED_BYTES_MAX } from './state.ts'

export const hasRoomFor = (model: Model, message: Message): boolean => {
  const others = model.retained.filter((one) => one.topic !== message.topic)
  const bytes = others.reduce((sum, one) => sum + bytesOf(one), bytesOf(message))
  return others.length < model.config.retainedCountMax && bytes <= model.config.retainedBytesMax
}

/** Stores a retained message, or with an empty payload removes it. [MQTT-3.3.1-6] */
export const keep = (model: Model, message: Message): void => {
  model.retained = model.retained.filter((one) => one.topic !== message.topic)
  model.prefixes = grown(model.prefixes, model.retained)
  if (B.size(message.payload) === 0) return
  model.retained.push(message)
  model.prefixes = grown(model.prefixes, model.retained)
}

export const catchUp = (model: Model, session: Session, subscription: Subscription): void => {
  if (model.retained.length === 0) return
  const messages = inOrder(model.retained, model.prefixes)
    .filter((one) => match(subscription.topics, one.topic))
  session.catchUps.push({ subscription, messages, overtaken: [] })
  if (session.catchUps.length === 1) advance(model, session)
}

/** Whether a client is not too busy with what it got before to be sent what is retained. */
const isReceptive = (model: Model, session: Session): boolean => {
  const { queuedCountMax, queuedBytesMax, unwrittenBytesMax } = model.config
  const unwritten = session.sentBytes - session.takenBytes
  return session.link !== null &&
    unwritten <= Math.max(UNREPORTED_BYTES_MAX, unwrittenBytesMax / 2) &&
    (queuedCountMax === 0 || session.queue.length < queuedCountMax / 2) &&
    (queuedBytesMax === 0 || queuedBytes(session) < queuedBytesMax / 2)
}

export const advance = (model: Model, session: Session): void => {
  for (;;) {
    const [first, ...others] = session.catchUps
    if (first === undefined || !isReceptive(model, session)) return
    session.catchUps = others
    const { qos, identifier } = first.subscription
    for (const message of first.messages) {
      if (first.overtaken.includes(message.topic) || message.expiresAt <= model.now) continue
      const granted = lower(message.qos, qos)
      if (granted > 0) offer(model, session, { message, qos: granted, retain: true, identifier })
      else sendAtMostOnce(model, session, { message, qos: 0, retain: true, identifier }, true)
    }
  }
}

/** Whether retained messages wait and no answer is to come that could set them going again. */
export const isForgotten = (model: Model, session: Session): boolean =>
  session.catchUps.length > 0 && session.window.length + session.queue.length === 0 &&
  isReceptive(model, session)
