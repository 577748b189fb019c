// Shared groups: who gets a message.

import { mayRead } from './access.ts'
import { copyFor, isBehind, isFree, isFull, isOverfull, sees, sizeFor } from './deliver.ts'
import type { Group, Message, Model, Session, Share, Subscription } from './state.ts'
import { dropped } from './state.ts'

export const isOf = (share: Share, { group, topics }: Share | Subscription): boolean =>
  share.group === group && share.topics === topics

/** In order of joining. */
export const membersOf = (model: Model, share: Share): ReadonlyArray<Subscription> =>
  model.sessions.flatMap((one) => one.subscriptions)
    .filter((one) => isOf(share, one))
    .sort((a, b) => a.joined - b.joined)

export const joinGroup = (model: Model, { group, topics }: Subscription): void => {
  if (group === null) return
  if (model.groups.some((one) => one.group === group && one.topics === topics)) return
  model.groups.push({ group, topics, turn: 0, favourite: 0 })
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

/** FNV-1a over the UTF-16 code units, both halves of it as one. */
const hashOf = (topic: string): number => {
  const hash = topic.split('').reduce(
    (sum, unit) => (sum ^ BigInt(unit.charCodeAt(0))) * 0x01000193n & 0xffffffffn,
    0x811c9dc5n,
  )
  return Number(hash ^ (hash >> 16n))
}

/** The members, the one that is asked first before the others. */
const inTurn = (
  model: Model,
  group: Group,
  members: ReadonlyArray<Subscription>,
  message: Message,
): ReadonlyArray<Subscription> => {
  const since = members.findIndex((one) => one.joined >= group.favourite)
  const { sharedOrder } = model.config
  const first = sharedOrder === 'sticky'
    ? Math.max(since, 0)
    : (sharedOrder === 'hash of topic' ? hashOf(message.topic) : group.turn) % members.length
  return [...members.slice(first), ...members.slice(0, first)]
}

/** Whether a member would not lose the message. */
const isAble = (model: Model, member: Subscription, message: Message): boolean => {
  const { session } = member
  if (!mayRead(model, session, message.topic)) {
    model.marks.add('a member was passed over because it may not read')
    return false
  }
  const copy = copyFor(model, member, message)
  if (session.link === null) {
    return (copy.qos > 0 || model.config.queueQos0) && model.config.sharedOffline === 'queue' &&
      !model.isShort && !isFull(model, session, copy.qos, message)
  }
  if (!sees(session, message)) return false
  const bytes = sizeFor(model, session, copy)
  if (bytes > session.packetBytesMax) {
    model.marks.add('a member was passed over because its packets are too small')
    return false
  }
  if (copy.qos === 0 && isBehind(model, session)) {
    return !model.isShort && !isFull(model, session, copy.qos, message)
  }
  return copy.qos === 0
    ? !isOverfull(model, session, bytes)
    : isFree(model, session) || (!model.isShort && !isFull(model, session, copy.qos, message))
}

export const pick = (
  model: Model,
  group: Group,
  members: ReadonlyArray<Subscription>,
  message: Message,
  onlyOnline: boolean,
): Subscription | null => {
  const able = inTurn(model, group, members, message)
    .filter((one) => isAble(model, one, message))
  const here = able.filter((one) => one.session.link !== null)
  const some = onlyOnline || (model.config.sharedOrder === 'prefer online' && here.length > 0)
    ? here
    : able
  const found = some[0]
  if (found !== able[0]) model.marks.add('somebody who is there went first')
  if (group.favourite > 0 && found?.joined === group.favourite) {
    model.marks.add(`the same member again: ${model.config.sharedOrder}`)
  }
  if (found === undefined) return null
  group.favourite = found.joined
  group.turn = (members.indexOf(found) + 1) % members.length
  return found
}

/** Who gets the message; null where it was dropped since everybody is away. */
export const choose = (
  model: Model,
  group: Group,
  members: ReadonlyArray<Subscription>,
  message: Message,
): Subscription | null => {
  const found = pick(model, group, members, message, false)
  if (found !== null) return found
  const loser = inTurn(model, group, members, message)[0]!
  if (model.config.sharedOffline === 'queue' || loser.session.link !== null) return loser
  model.marks.add('a whole group was away')
  dropped(model, loser.session.clientId, message.topic, message.qos, 'offline')
  return null
}
