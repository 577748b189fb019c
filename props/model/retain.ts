// Retained messages, and bringing them to those who subscribe later.

import type { DropReason } from '../../core/broker/note.ts'
import * as B from '../../core/data/bytes.ts'
import { match } from '../../core/topic/match.ts'
import { isFounded, mayRead } from './access.ts'
import { grantedFor, isFree, offer, queuedBytes, sendAtMostOnce } from './deliver.ts'
import { grown, inOrder } from './order.ts'
import type { TopicName } from '../../core/topic/name.ts'
import type { Message, Model, Session, Subscription } from './state.ts'
import { bytesOf, NEVER, UNREPORTED_BYTES_MAX } from './state.ts'
import { isOwn } from './sys-topic.ts'

/** Why a message cannot be retained; null where it can. */
export const objection = (model: Model, message: Message): DropReason | null => {
  if (isOwn(message.topic)) return null
  const others = model.retained.filter((one) => one.topic !== message.topic && !isOwn(one.topic))
  const bytes = others.reduce((sum, one) => sum + bytesOf(one), bytesOf(message))
  if (others.length >= model.config.retainedCountMax || bytes > model.config.retainedBytesMax) {
    return 'retained store full'
  }
  const old = model.retained.find((one) => one.topic === message.topic)
  const isGrowth = old === undefined || bytesOf(message) > bytesOf(old)
  return model.isShort && isGrowth ? 'memory short' : null
}

/** Stores a retained message, or with an empty payload removes it. [MQTT-3.3.1-6] */
export const keep = (model: Model, message: Message): void => {
  model.retained = model.retained.filter((one) => one.topic !== message.topic)
  model.prefixes = grown(model.prefixes, model.retained)
  if (B.size(message.payload) === 0) return
  const { retainedExpiryMs } = model.config
  const isLimited = retainedExpiryMs > 0 && message.expiresAt === NEVER && !isOwn(message.topic)
  model.retained.push(
    isLimited ? { ...message, expiresAt: model.now + retainedExpiryMs } : message,
  )
  model.prefixes = grown(model.prefixes, model.retained)
}

export const catchUp = (model: Model, session: Session, subscription: Subscription): void => {
  if (model.retained.length === 0) return
  session.catchUps.push({ subscription, topics: null, since: session.overtaken.length })
  if (session.catchUps.length > 1) return
  session.overtaken = []
  advance(model, session, subscription)
}

/** Whether a client is not too busy with what it got before to be sent what is retained. */
const isReceptive = (model: Model, session: Session): boolean => {
  const { packetBytesMax, queuedCountMax, queuedBytesMax, unwrittenBytesMax } = model.config
  const unwritten = session.sentBytes - session.takenBytes
  const queued = session.queue.length
  return session.link !== null &&
    unwritten <= Math.max(UNREPORTED_BYTES_MAX, unwrittenBytesMax / 2) &&
    // What would have to wait would be lost.
    (!model.isShort || isFree(model, session)) &&
    (queued === 0 ||
      ((queuedCountMax === 0 || queued < queuedCountMax / 2) &&
        (queuedBytesMax === 0 || queuedBytes(session) + packetBytesMax <= queuedBytesMax)))
}

/** Catches up as far as the client can take it, also for a subscription that has just begun. */
export const advance = (
  model: Model,
  session: Session,
  begun: Subscription | null = null,
): void => {
  while (session.catchUps.length > 0 && isReceptive(model, session)) {
    const { subscription, topics: before, since } = session.catchUps.shift()!
    if (subscription !== begun && !session.subscriptions.includes(subscription)) continue
    const topics = before ?? inOrder(model.retained, model.prefixes)
      .filter((one) => match(subscription.topics, one.topic)).map((one) => one.topic)
    while (topics.length > 0 && isReceptive(model, session)) {
      sendRetained(model, session, topics.shift()!, subscription, since)
    }
    if (topics.length > 0) session.catchUps.push({ subscription, topics, since })
  }
  if (session.catchUps.length === 0) session.overtaken = []
}

const sendRetained = (
  model: Model,
  session: Session,
  topic: TopicName,
  subscription: Subscription,
  since: number,
): void => {
  const message = model.retained.find((one) => one.topic === topic)
  if (message === undefined || message.expiresAt <= model.now) return
  if (session.overtaken.slice(since).includes(topic)) return
  if (!mayRead(model, session, topic)) return
  if (!isFounded(model, message)) {
    model.marks.add('a retained message lost its foundation')
    return
  }
  const granted = grantedFor(model, message, subscription)
  const { identifiers } = subscription
  const copy = { message, qos: granted, retain: true, identifiers, share: null }
  if (granted > 0) offer(model, session, copy)
  else sendAtMostOnce(model, session, copy, true)
}

/**
 * A newer message that is not to be retained is about to be sent: what the topic has retained goes
 * before it, as it would have if all had been sent at once. [MQTT-3.8.4-4]
 */
export const bringForward = (model: Model, session: Session, topic: TopicName): void => {
  if (!model.retained.some((one) => one.topic === topic)) return
  let isBrought = false
  for (const { subscription, topics, since } of session.catchUps) {
    if (!isReceptive(model, session)) break
    if (!session.subscriptions.includes(subscription)) continue
    if (!(topics === null ? match(subscription.topics, topic) : topics.includes(topic))) continue
    if (session.overtaken.slice(since).includes(topic)) continue
    sendRetained(model, session, topic, subscription, since)
    isBrought = true
  }
  if (isBrought) session.overtaken.push(topic)
}

/** What is not sent yet goes on for those in the place of others. [MQTT-3.8.4-4] */
export const carryOn = (
  session: Session,
  replaced: ReadonlyArray<readonly [old: Subscription, by: Subscription]>,
): void => {
  for (const [old, by] of replaced) {
    session.catchUps = session.catchUps.map((one) =>
      one.subscription === old ? { ...one, subscription: by } : one
    )
  }
}

/** A session that stays away begins anew when it comes back. */
export const rest = (session: Session): void => {
  session.catchUps = session.catchUps
    .filter((one) => session.subscriptions.includes(one.subscription))
    .map(({ subscription }) => ({ subscription, topics: null, since: 0 }))
  session.overtaken = []
}

/** Whether retained messages wait and no answer is to come that could set them going again. */
export const isForgotten = (model: Model, session: Session): boolean =>
  session.catchUps.length > 0 && session.window.length + session.queue.length === 0 &&
  isReceptive(model, session)
