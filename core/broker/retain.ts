// The store of retained messages, and bringing them to new subscriptions: in portions, over a
// snapshot, so that a filter that matches a million of them makes nobody else wait.

import { type Publish, type Qos } from '../codec/packet.ts'
import { none } from '../codec/property.ts'
import { encodedSize } from '../codec/mod.ts'
import { newOwner } from '../data/owner.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { offer, outgoingProperties } from './deliver.ts'
import { type Draft, drop, editSession } from './draft.ts'
import { send } from './effect.ts'
import { wakeRetained } from './schedule.ts'
import { type CatchUp, type Message, NEVER, type Session, type Subscription } from './state.ts'
import { charge, UNREPORTED_BYTES_MAX, unwrittenBytes } from './tell.ts'

/** Nodes of the tree visited, or messages sent, before others get their turn. */
const PORTION = 1_000

/** Whether a retained message of this size has room in the store, in place of the old one. */
export const hasRoomFor = (draft: Draft, topic: TopicName, bytes: number): boolean => {
  const old = Tree.get(draft.retained, topic)
  const { retainedCountMax, retainedBytesMax } = draft.config
  return (old !== undefined || Tree.size(draft.retained) < retainedCountMax) &&
    draft.retainedBytes - (old?.bytes ?? 0) + bytes <= retainedBytesMax
}

/** Stores the message as the retained one of its topic [MQTT-3.3.1-5]. */
export const retain = (draft: Draft, message: Message): void => {
  forget(draft, message.topic)
  draft.retained = Tree.set(draft.retained, draft.retainedOwner, message.topic, message)
  draft.retainedBytes += message.bytes
  if (message.expiresAt !== NEVER) {
    draft.retainedExpiring++
    wakeRetained(draft, message.topic, message.expiresAt)
  }
}

/** Removes the retained message of a topic [MQTT-3.3.1-6]. */
export const forget = (draft: Draft, topic: TopicName): void => {
  const old = Tree.get(draft.retained, topic)
  if (old === undefined) return
  draft.retained = Tree.remove(draft.retained, draft.retainedOwner, topic)
  draft.retainedBytes -= old.bytes
  if (old.expiresAt !== NEVER) draft.retainedExpiring--
}

/** Begins to send what is retained for a new subscription; the first portion at once. */
export const begin = (draft: Draft, session: Session, subscription: Subscription): void => {
  if (Tree.size(draft.retained) === 0) return
  // From here on the tree belongs to the snapshot as well: nobody may edit it in place.
  draft.retainedOwner = newOwner()
  const catchUp: CatchUp = {
    cursor: Tree.cursor(draft.retained, subscription.filter),
    snapshot: draft.retained,
    subscription,
    overtaken: StrMap.empty(draft.origin.seed),
  }
  const editable = editSession(draft, session)
  editable.catchUps = [...editable.catchUps, catchUp]
  if (editable.catchUps.length === 1) advance(draft, editable)
}

/** Whether the session could take another retained message just now. */
const isReceptive = (draft: Draft, session: Session): boolean => {
  const { queuedCountMax, queuedBytesMax, unwrittenBytesMax } = draft.config
  return session.conn !== null &&
    unwrittenBytes(session) <= Math.max(UNREPORTED_BYTES_MAX, unwrittenBytesMax / 2) &&
    (queuedCountMax === 0 || Queue.size(session.queue) < queuedCountMax / 2) &&
    (queuedBytesMax === 0 || session.queuedBytes < queuedBytesMax / 2)
}

/** Sends one portion of the session's catch-ups and notes whether another can follow at once. */
export const advance = (draft: Draft, session: Session): void => {
  let budget = PORTION
  while (session.catchUps.length > 0 && budget > 0 && isReceptive(draft, session)) {
    const [catchUp, ...others] = session.catchUps
    // A few at a time, because each of them may be what fills the connection.
    const visits = Math.min(budget, 32)
    const { found, rest } = Tree.take(catchUp!.cursor, visits)
    budget -= visits
    const editable = editSession(draft, session)
    editable.catchUps = rest === null ? others : [{ ...catchUp!, cursor: rest }, ...others]
    for (const { topic, value } of found) {
      if (StrMap.get(catchUp!.overtaken, topic) === undefined) {
        sendRetained(draft, editable, value, catchUp!.subscription)
      }
    }
    session = editable
  }
  draft.catching = session.catchUps.length > 0 && isReceptive(draft, session)
    ? IntMap.set(draft.catching, draft.owner, session.number, true)
    : IntMap.remove(draft.catching, draft.owner, session.number)
}

const sendRetained = (
  draft: Draft,
  session: Session,
  message: Message,
  subscription: Subscription,
): void => {
  const qos: Qos = message.qos < subscription.qos ? message.qos : subscription.qos
  if (message.expiresAt <= draft.now) return
  if (qos > 0) {
    offer(draft, session, message, qos, true, subscription.identifier)
    return
  }
  const packet: Publish = {
    _tag: 'Publish',
    dup: false,
    qos: 0,
    retain: true, // [MQTT-3.3.1-9]
    topic: message.topic,
    packetId: 0,
    payload: message.payload,
    properties: session.level === 5
      ? outgoingProperties(message, subscription.identifier, draft.now)
      : none,
  }
  const bytes = encodedSize(session.level, packet)
  if (bytes > session.packetBytesMax) {
    drop(draft, session.clientId, message.topic, 0, 'too large')
    return
  }
  charge(draft, session, bytes)
  draft.effects.push(send(session.conn!, session.level, packet))
}

/** The catch-ups of a session without those of one subscription, which is gone or replaced. */
export const abandon = (draft: Draft, session: Session, subscription: Subscription): void => {
  if (!session.catchUps.some((catchUp) => catchUp.subscription === subscription)) return
  editSession(draft, session).catchUps = session.catchUps.filter((catchUp) =>
    catchUp.subscription !== subscription
  )
}
