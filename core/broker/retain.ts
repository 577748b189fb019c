// The store of retained messages, and bringing them to new subscriptions: in portions, over a
// snapshot, so that a filter that matches a million of them makes nobody else wait.

import type { Publish } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import { newOwner } from '../data/owner.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import { match } from '../topic/match.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { mayRead, maySource } from './access.ts'
import { sendPublish } from './alias.ts'
import type { Config } from './config.ts'
import { isFree, offer, outgoingProperties, qosFor, wantCatchUp } from './deliver.ts'
import { type Draft, drop, type EditableSession, editSession } from './draft.ts'
import { nextMessageId, noteRetained, noteSubscription } from './journal.ts'
import { whyNotSent } from './mount.ts'
import { wakeRetained } from './schedule.ts'
import { isOwnTopic } from './sys-topic.ts'
import { type CatchUp, isExpired, type Message, type Session } from './state.ts'
import type { Subscription } from './state.ts'
import { UNREPORTED_BYTES_MAX, unwrittenBytes } from './tell.ts'

/** Nodes of the tree visited, or messages sent, before others get their turn. */
const PORTION = 1_000

/** The same within the step of a SUBSCRIBE, of which a client may send many at once. */
const PORTION_AT_ONCE = 100

/** Why a message of this size cannot be retained in place of the old one; null where it can. */
export const whyNotRetained = (
  draft: Draft,
  topic: TopicName,
  bytes: number,
): 'retained store full' | 'memory short' | 'store full' | null => {
  if (isOwnTopic(topic)) return null
  if (draft.isStoreFull) return 'store full'
  const old = Tree.get(draft.retained, topic)
  const oldBytes = old?.bytes ?? 0
  const { retainedCountMax, retainedBytesMax } = draft.config
  if (
    (old === undefined && Tree.size(draft.retained) - draft.ownRetained >= retainedCountMax) ||
    draft.retainedBytes - oldBytes + bytes > retainedBytesMax
  ) return 'retained store full'
  return draft.isShort && bytes > oldBytes ? 'memory short' : null
}

/**
 * Stores the message as the retained one of its topic, whatever its QoS [MQTT-3.3.1-5]
 * [v3 MQTT-3.3.1-5] [v3 MQTT-3.3.1-7]: the broker's, not a session's [v3 MQTT-3.1.2-7].
 */
export const retain = (draft: Draft, published: Message): void => {
  const message = limited(draft, published)
  const old = Tree.get(draft.retained, message.topic)
  noteRetained(draft, message.topic, message, old)
  remove(draft, message.topic, old)
  draft.retained = Tree.set(draft.retained, draft.retainedOwner, message.topic, message)
  if (isOwnTopic(message.topic)) draft.ownRetained++
  else draft.retainedBytes += message.bytes
  if (message.expiresAt !== null) {
    draft.retainedExpiring++
    wakeRetained(draft, message.topic, message.expiresAt)
  }
}

/** A message that has no time of its own is retained for as long as the operator allows. */
const limited = (draft: Draft, message: Message): Message => {
  const { retainedExpiryMs } = draft.config
  if (retainedExpiryMs === 0 || message.expiresAt !== null) return message
  // What the broker says of itself is true until it says something else.
  if (isOwnTopic(message.topic)) return message
  // One that differs from what those get who are there, so with an id of its own.
  return { ...message, id: nextMessageId(draft), expiresAt: draft.now + retainedExpiryMs }
}

/** Removes the retained message of a topic [MQTT-3.3.1-6] [v3 MQTT-3.3.1-10]. */
export const forget = (draft: Draft, topic: TopicName): void => {
  const old = Tree.get(draft.retained, topic)
  noteRetained(draft, topic, null, old)
  remove(draft, topic, old)
}

const remove = (draft: Draft, topic: TopicName, old: Message | undefined): void => {
  if (old === undefined) return
  draft.retained = Tree.remove(draft.retained, draft.retainedOwner, topic)
  if (isOwnTopic(topic)) draft.ownRetained--
  else draft.retainedBytes -= old.bytes
  if (old.expiresAt !== null) draft.retainedExpiring--
}

/**
 * Begins to send what is retained for a new subscription [v3 MQTT-3.3.1-6]; a little of it at once.
 */
export const begin = (draft: Draft, found: Session, subscription: Subscription): void => {
  if (Tree.size(draft.retained) === 0) return
  const session = editSession(draft, found)
  const isFirst = Queue.size(session.catchUps) === 0
  if (Queue.size(session.catchUps) >= 2 * draft.config.subscriptionsPerSessionMax) {
    sweep(draft, session)
  }
  if (isFirst) session.overtaken = StrMap.empty(draft.origin.seed)
  const rank = draft.nextJoined++
  session.catchUps = Queue.push(session.catchUps, draft.owner, { rank, cursor: null, subscription })
  // A packet may name a filter twice: the first of them is not the session's own any more.
  const heir = heirOf(session, subscription)
  if (heir !== undefined) noteSubscription(draft, session, heir, rank, true)
  if (isFirst) proceed(draft, session, PORTION_AT_ONCE, subscription)
}

/**
 * Whose what is still to come for a subscription is: its own, or that of one in its place which
 * asks for nothing retained, so that nothing is lost by it [MQTT-3.8.4-4]. Undefined where it is
 * gone, or another was made that begins anew.
 */
export const heirOf = (session: Session, subscription: Subscription): Subscription | undefined => {
  const current = StrMap.get(session.subscriptions, subscription.filter)
  return current !== undefined && current.joined === subscription.joined ? current : undefined
}

/** Subscriptions were replaced: what is still to come is in the records of those in their place. */
export const noteHeirs = (draft: Draft, session: Session): void => {
  if (draft.journal === null || !session.stored) return
  for (const { rank, subscription } of Queue.entries(session.catchUps)) {
    const heir = heirOf(session, subscription)
    if (heir === undefined || heir === subscription) continue
    noteSubscription(draft, session, heir, rank, true)
  }
}

/** Forgets the catch-ups of subscriptions that are gone or were replaced. */
const sweep = (draft: Draft, session: EditableSession): void => {
  let kept: Queue.Queue<CatchUp> = Queue.empty
  for (const catchUp of Queue.entries(session.catchUps)) {
    if (heirOf(session, catchUp.subscription) !== undefined) {
      kept = Queue.push(kept, draft.owner, catchUp)
    }
  }
  session.catchUps = kept
}

/**
 * The session's connection is gone. What it has not caught up with begins anew when it comes back,
 * so that a session that stays away keeps no old state of the store alive.
 */
export const rest = (draft: Draft, session: EditableSession): void => {
  if (Queue.size(session.catchUps) === 0) return
  let resting: Queue.Queue<CatchUp> = Queue.empty
  for (const { rank, subscription } of Queue.entries(session.catchUps)) {
    const heir = heirOf(session, subscription)
    if (heir === undefined) continue
    resting = Queue.push(resting, draft.owner, { rank, cursor: null, subscription: heir })
  }
  session.catchUps = resting
  session.overtaken = StrMap.empty(draft.origin.seed)
}

/** With more that waits for its socket than this nothing retained is sent to a client. */
export const catchUpBytesMax = ({ unwrittenBytesMax }: Config): number =>
  Math.max(UNREPORTED_BYTES_MAX, unwrittenBytesMax / 2)

/** Whether the session could take another retained message just now, however large. */
export const isReceptive = (
  draft: Pick<Draft, 'config' | 'isShort'>,
  session: Session,
): boolean => {
  const { queuedCountMax, queuedBytesMax, packetBytesMax } = draft.config
  if (session.conn === null) return false
  if (unwrittenBytes(session) > catchUpBytesMax(draft.config)) return false
  if (draft.isShort) return isFree(draft, session)
  const queued = Queue.size(session.queue)
  return queued === 0 ||
    ((queuedCountMax === 0 || queued < queuedCountMax / 2) &&
      (queuedBytesMax === 0 || session.queuedBytes + packetBytesMax <= queuedBytesMax))
}

/** Sends one portion of the session's catch-ups; it stands in line again if more can follow. */
export const advance = (draft: Draft, found: Session): void => {
  const session = editSession(draft, found)
  session.isCatching = false
  proceed(draft, session, PORTION, null)
}

/** Works on the catch-up at the head, and puts it behind the others if it is not finished. */
const proceed = (
  draft: Draft,
  session: EditableSession,
  portion: number,
  begun: Subscription | null,
): void => {
  for (let left = portion; left > 0; left--) {
    const catchUp = Queue.peek(session.catchUps)
    if (catchUp === undefined || !isReceptive(draft, session)) break
    const { rank } = catchUp
    const heir = heirOf(session, catchUp.subscription)
    const subscription = catchUp.subscription === begun ? begun : heir
    session.catchUps = Queue.pop(session.catchUps, draft.owner)
    // [MQTT-3.10.4-2] [v3 MQTT-3.10.4-2]
    if (subscription === undefined) continue
    let cursor = catchUp.cursor
    if (cursor === null) {
      // From here on the tree belongs to the cursor as well: nobody may edit it in place.
      draft.retainedOwner = newOwner()
      // [MQTT-3.3.2-3] [v3 MQTT-3.3.1-6] [v3 MQTT-3.3.2-3]
      cursor = Tree.cursor(draft.retained, subscription.filter)
    }
    // One at a time, because each may be the one that fills the connection. The search goes on
    // until it finds one that would have to wait, so that nothing is left of it where nothing is
    // to come.
    for (; cursor !== null && left > 0; left--) {
      const taken: Tree.Taken<Message> = Tree.take(cursor, 1)
      if (taken.found.length > 0 && !isReceptive(draft, session)) break
      cursor = taken.rest
      for (let i = 0; i < taken.found.length; i++) {
        sendCurrent(draft, session, taken.found[i]!.topic, subscription, rank)
      }
    }
    if (cursor !== null) {
      session.catchUps = Queue.push(session.catchUps, draft.owner, { rank, cursor, subscription })
    } else if (heir !== undefined) {
      noteSubscription(draft, session, heir, 0, true)
    }
  }
  if (Queue.size(session.catchUps) === 0) session.overtaken = StrMap.empty(draft.origin.seed)
  else if (isReceptive(draft, session)) wantCatchUp(draft, session)
}

/** Sends what is retained for the topic now, unless something newer has been sent live since. */
const sendCurrent = (
  draft: Draft,
  session: Session,
  topic: TopicName,
  subscription: Subscription,
  rank: number,
): void => {
  const message = Tree.get(draft.retained, topic)
  if (message === undefined || isOvertaken(session, topic, rank)) return
  sendRetained(draft, session, message, subscription)
}

/** Whether something newer was sent live after the catch-up of this rank was begun. */
export const isOvertaken = (session: Session, topic: TopicName, rank: number): boolean =>
  (StrMap.get(session.overtaken, topic) ?? 0) > rank

/**
 * A newer message that is not to be retained is about to be sent: what the topic has retained goes
 * before it, as it would have if all had been sent at once [MQTT-3.8.4-4]. Where the session cannot
 * take it just now the newer one stands for both.
 */
export const bringForward = (draft: Draft, found: Session, topic: TopicName): void => {
  const message = Tree.get(draft.retained, topic)
  if (message === undefined) return
  // Nobody has subscribed since it was overtaken: the next copy of a message that goes by many
  // subscriptions need not be held against each of them again.
  if (isOvertaken(found, topic, draft.nextJoined - 1)) return
  let session = found
  let isBrought = false
  for (const { rank, cursor, subscription } of Queue.entries(found.catchUps)) {
    if (!isReceptive(draft, session)) break
    const heir = heirOf(session, subscription)
    if (heir === undefined || isOvertaken(session, topic, rank)) continue
    const isAhead = cursor === null
      ? match(subscription.filter, topic)
      : Tree.isAhead(cursor, topic)
    if (!isAhead) continue
    sendRetained(draft, session, message, heir)
    session = IntMap.get(draft.sessions, found.number)!
    isBrought = true
  }
  if (isBrought) overtake(draft, session, topic)
}

/** Remembers that the session was sent something newer than what is retained for the topic. */
export const overtake = (draft: Draft, session: Session, topic: TopicName): void => {
  if (Tree.get(draft.retained, topic) === undefined) return
  const editable = editSession(draft, session)
  if (StrMap.size(editable.overtaken) > 2 * Tree.size(draft.retained) + 1024) {
    editable.overtaken = stillRetained(draft, editable.overtaken)
  }
  editable.overtaken = StrMap.set(editable.overtaken, draft.owner, topic, draft.nextJoined)
}

/** Only the topics with a retained message: the others come and go, and new ones for ever. */
const stillRetained = (draft: Draft, topics: StrMap.StrMap<number>): StrMap.StrMap<number> => {
  let kept = StrMap.empty<number>(draft.origin.seed)
  StrMap.each(topics, (at, topic) => {
    // Only names of topics were put in.
    if (Tree.get(draft.retained, topic as TopicName) === undefined) return
    kept = StrMap.set(kept, draft.owner, topic, at)
  })
  return kept
}

const sendRetained = (
  draft: Draft,
  session: Session,
  message: Message,
  subscription: Subscription,
): void => {
  // [MQTT-3.8.4-8] [v3 MQTT-3.8.4-6]
  const qos = qosFor(draft, message.qos, subscription)
  if (isExpired(message, draft.now)) return
  // What a client may not see was never on its way to it.
  if (draft.isGuarded) {
    if (!mayRead(draft, session, message.topic) || !maySource(draft, message)) return
  }
  if (qos > 0) {
    offer(draft, session, message, qos, true, subscription) // [MQTT-3.3.1-9] [v3 MQTT-3.3.1-8]
    return
  }
  const packet: Publish = {
    _tag: 'Publish',
    dup: false, // [MQTT-4.3.1-1] [v3 MQTT-4.3.1-1]
    qos: 0,
    retain: true, // [MQTT-3.3.1-9] [v3 MQTT-3.3.1-8]
    topic: message.topic,
    packetId: 0,
    payload: message.payload,
    properties: session.level === 5
      ? outgoingProperties(message, subscription.identifiers, draft.now)
      : none,
  }
  if (!sendPublish(draft, session, packet)) {
    drop(draft, session.clientId, message.topic, 0, whyNotSent(session, message.topic))
  }
}
