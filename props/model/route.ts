// From one published message to everybody who wants it.

import * as B from '../../core/data/bytes.ts'
import { match } from '../../core/topic/match.ts'
import { mayWrite, refused } from './access.ts'
import { copyFor } from './deliver.ts'
import { deliver } from './live.ts'
import { byFilter } from './order.ts'
import { keep, objection } from './retain.ts'
import { choose, membersOf } from './share.ts'
import type { Message, Model, Session, Subscription } from './state.ts'
import { dropped, noted } from './state.ts'

/** The same for who may have lost the right to it since. */
export const publishIfAllowed = (
  model: Model,
  publisher: Session,
  message: Message,
  what: 'publish' | 'will',
): void => {
  if (!mayWrite(model, publisher, message.topic)) return refused(model, publisher, what, message)
  if (what === 'will') noted(model, `will "${publisher.clientId}" ${message.topic}`)
  publishKept(model, publisher, message)
}

/** Publishes a message that was kept for later: a released one, a will. */
export const publishKept = (model: Model, publisher: Session | null, message: Message): void => {
  if (message.retain) {
    const why = B.size(message.payload) === 0 ? null : objection(model, message)
    keep(model, why === null ? message : { ...message, payload: B.empty })
    if (why !== null) dropped(model, null, message.topic, message.qos, why)
  }
  if (message.properties.messageExpiryInterval !== 0 && message.expiresAt <= model.now) {
    dropped(model, null, message.topic, message.qos, 'expired')
    return
  }
  route(model, publisher, message)
}

/** Gives the message to everybody who wants it; answers the reason code for its publisher. */
export const route = (model: Model, publisher: Session | null, message: Message): number => {
  const { topic } = message
  const all = model.sessions.flatMap((one) => one.subscriptions)
    .filter((one) => match(one.topics, topic))
  const direct = all
    // [MQTT-3.8.3-3]
    .filter((one) => one.group === null && !(one.noLocal && one.session === publisher))
    .sort((a, b) => byFilter(a.topics, b.topics))
  const groups = model.groups
    .filter((one) => match(one.topics, topic))
    .sort((a, b) => byFilter(a.topics, b.topics))
  let taken = 0
  const wanted = model.config.allowDuplicateMessages ? direct : onePerSession(direct)
  for (const one of wanted) if (deliver(model, one, copyFor(model, one, message))) taken++
  for (const group of groups) {
    const member = choose(model, group, membersOf(model, group), message)
    // A message that is lost because nobody is there is no reason to try again.
    if (member === null || deliver(model, member, copyFor(model, member, message))) taken++
  }
  if (wanted.length + groups.length === 0) {
    // What the broker says itself is said whether or not somebody listens.
    if (publisher !== null) dropped(model, null, topic, message.qos, 'no subscriber')
    return 0x10
  }
  return taken === 0 ? 0x97 : 0
}

/** All subscriptions of a session that match as one. [MQTT-3.3.4-2] [MQTT-3.3.4-4] */
const onePerSession = (all: ReadonlyArray<Subscription>): ReadonlyArray<Subscription> =>
  [...new Set(all.map((one) => one.session))].map((session) => {
    const own = all.filter((one) => one.session === session)
    return {
      ...own[0]!,
      qos: own.some((one) => one.qos === 2) ? 2 : own.some((one) => one.qos === 1) ? 1 : 0,
      retainAsPublished: own.some((one) => one.retainAsPublished),
      identifiers: own.flatMap((one) => one.identifiers),
    }
  })
