// From one published message to everybody who wants it.

import * as B from '../../core/data/bytes.ts'
import { match } from '../../core/topic/match.ts'
import { isFree, isFull, offer, sendAtMostOnce } from './deliver.ts'
import { byFilter } from './order.ts'
import { keep, objection } from './retain.ts'
import type { Group, Message, Model, Queued, Session, Subscription } from './state.ts'
import { dropped, lower } from './state.ts'

/** Publishes a message that was kept for later: a released one, a will. */
export const publishKept = (model: Model, publisher: Session, message: Message): void => {
  if (message.retain) {
    const why = B.size(message.payload) === 0 ? null : objection(model, message)
    if (why === null) keep(model, message)
    else dropped(model, null, message.topic, message.qos, why)
  }
  if (message.expiresAt <= model.now) {
    dropped(model, null, message.topic, message.qos, 'expired')
    return
  }
  route(model, publisher, message)
}

/** Gives the message to everybody who wants it; answers the reason code for its publisher. */
export const route = (model: Model, publisher: Session, message: Message): number => {
  const { topic } = message
  const all = model.sessions.flatMap((one) => one.subscriptions)
    .filter((one) => match(one.topics, topic))
  const direct = all.filter((one) =>
    one.group === null && !(one.noLocal && one.session === publisher) // [MQTT-3.8.3-3]
  )
  const chosen = model.groups
    .filter((one) => match(one.topics, topic))
    .sort((a, b) => byFilter(a.topics, b.topics))
    .map((group) => ({ group, members: membersOf(all, group) }))
  const some = [...direct].sort((a, b) => byFilter(a.topics, b.topics))
  let taken = 0
  for (const one of some) if (deliver(model, one, message)) taken++
  for (const { group, members } of chosen) {
    if (deliver(model, choose(model, group, members, message), message)) taken++
  }
  if (some.length + chosen.length === 0) {
    dropped(model, null, topic, message.qos, 'no subscriber')
    return 0x10
  }
  return taken === 0 ? 0x97 : 0
}

const membersOf = (all: ReadonlyArray<Subscription>, group: Group): ReadonlyArray<Subscription> =>
  all.filter((one) => one.group === group.group && one.topics === group.topics)
    .sort((a, b) => a.joined - b.joined)

export const joinGroup = (model: Model, { group, topics }: Subscription): void => {
  if (group === null) return
  if (model.groups.some((one) => one.group === group && one.topics === topics)) return
  model.groups.push({ group, topics, turn: 0 })
}

/** A group lasts as long as it has members. */
export const leaveGroup = (
  model: Model,
  leaver: Session,
  { group, topics }: Subscription,
): void => {
  const others = model.sessions.filter((one) => one !== leaver)
    .flatMap((one) => one.subscriptions)
  if (others.some((one) => one.group === group && one.topics === topics)) return
  model.groups = model.groups.filter((one) => one.group !== group || one.topics !== topics)
}

/** In turns, passing over those who could only lose the message. */
const choose = (
  model: Model,
  group: Group,
  members: ReadonlyArray<Subscription>,
  message: Message,
): Subscription => {
  const turns = members.map((_, i) => (group.turn + i) % members.length)
  const able = turns.find((turn) => {
    const member = members[turn]!
    if (lower(message.qos, member.qos) === 0) return member.session.link !== null
    if (model.isShort) return isFree(model, member.session)
    return member.session.link !== null || !isFull(model, member.session, message)
  })
  if (able === undefined) return members[group.turn % members.length]!
  group.turn = (able + 1) % members.length
  return members[able]!
}

/** One copy for one subscription; answers whether it was not turned away by a full queue. */
const deliver = (model: Model, subscription: Subscription, message: Message): boolean => {
  const { session, identifier } = subscription
  const copy: Queued = {
    message,
    qos: lower(message.qos, subscription.qos),
    retain: message.retain && subscription.retainAsPublished,
    identifier,
  }
  const isCatchingUp = session.catchUps.length > 0 &&
    model.retained.some((one) => one.topic === message.topic)
  const taken = copy.qos > 0
    ? offer(model, session, copy)
    : sendAtMostOnce(model, session, copy, false)
  if (taken && isCatchingUp) session.overtaken.push(message.topic)
  return copy.qos === 0 || taken
}
