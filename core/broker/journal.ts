// What a run changes of the records that outlive the process. Everybody who changes such a thing
// says so here; at the end of the run each record that is not what it was becomes one write, so
// that a message which came and went within a batch is none. Where nothing outlives the process
// there is no journal, and nothing is counted.

import * as IntMap from '../data/int-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'
import type { Source } from './acl.ts'
import type { Draft } from './draft.ts'
import type { Persist } from './effect.ts'
import type { Millis } from './input.ts'
import type { IncomingRecord, Key, OutgoingRecord, Record, Write } from './record.ts'
import {
  type Incoming,
  type Message,
  NEVER,
  type Outgoing,
  type Session,
  type SessionWill,
  type Subscription,
} from './state.ts'
import { isOwnTopic } from './sys-topic.ts'

/** What becomes of a record: whether there was one before the run, and what is there now. */
interface Entry<A> {
  readonly was: boolean
  now: A | null
}

/** A subscription, and its rank among the catch-ups with retained messages; 0 for none. */
interface Wanted {
  readonly subscription: Subscription
  readonly catchUp: number
}

interface Mourning {
  readonly will: SessionWill
  readonly dueAt: Millis
  readonly source: Source | null
}

/** Of one client identifier, under which one session may end and another begin in a run. */
interface Changes {
  /** The session that was stored is gone, and all that was in it: what follows is another's. */
  isForgotten: boolean
  session: Entry<number> | null
  will: Entry<Mourning> | null
  readonly subscriptions: Map<TopicFilter, Entry<Wanted>>
  readonly outgoing: Map<number, Entry<OutgoingRecord>>
  readonly incoming: Map<number, Entry<IncomingRecord>>
}

export interface Journal {
  /** Changes so far, so that an answer can tell whether it hangs on any. */
  count: number
  readonly clients: Map<string, Changes>
  readonly retained: Map<TopicName, Entry<Message>>
  /** How many more records refer to a message than before the run. */
  readonly references: Map<number, { readonly message: Message; more: number }>
}

export const newJournal = (): Journal => ({
  count: 0,
  clients: new Map(),
  retained: new Map(),
  references: new Map(),
})

const changesOf = (journal: Journal, clientId: string): Changes => {
  let changes = journal.clients.get(clientId)
  if (changes === undefined) {
    changes = {
      isForgotten: false,
      session: null,
      will: null,
      subscriptions: new Map(),
      outgoing: new Map(),
      incoming: new Map(),
    }
    journal.clients.set(clientId, changes)
  }
  return changes
}

/** Counts a change of a stored session; null where nothing outlives the process. */
const changing = ({ journal }: Draft, session: Session): Changes | null => {
  if (journal === null || !session.stored) return null
  journal.count++
  return changesOf(journal, session.clientId)
}

const enter = <K, A>(map: Map<K, Entry<A>>, key: K, now: A | null, was: boolean): void => {
  const entry = map.get(key)
  if (entry === undefined) map.set(key, { was, now })
  else entry.now = now
}

const refer = ({ journal }: Draft, message: Message, more: 1 | -1): void => {
  if (journal === null) return
  const known = journal.references.get(message.id)
  if (known === undefined) journal.references.set(message.id, { message, more })
  else known.more += more
}

/** The message that a copy keeps in the store; null where it keeps none. */
const storedOf = (outgoing: Outgoing): Message | null =>
  outgoing.stage === 'released' || outgoing.stage === 'passing' ? null : outgoing.message

// ---- what the handlers say. `was`: whether the record is there already.

/** The session's own record: it begins, or its connection comes or goes. */
export const noteSession = (draft: Draft, session: Session, was: boolean): void => {
  const changes = changing(draft, session)
  if (changes === null) return
  if (changes.session === null) changes.session = { was, now: session.number }
  else changes.session.now = session.number
}

/** The session is gone, with everything that is in it but its messages; see `noteLeft`. */
export const noteEnd = (draft: Draft, session: Session): void => {
  const changes = changing(draft, session)
  if (changes === null) return
  if (changes.session === null || changes.session.was) changes.isForgotten = true
  changes.session = null
  changes.outgoing.clear()
  changes.incoming.clear()
}

/** A message that a session had which is gone. */
export const noteLeft = (draft: Draft, message: Message): void => {
  const { journal } = draft
  if (journal === null) return
  journal.count++
  refer(draft, message, -1)
}

/** The will of a client, of any session; null when it was published or discarded. */
export const noteWill = (
  draft: Draft,
  session: Session,
  will: SessionWill | null,
  dueAt: Millis,
): void => {
  const { journal } = draft
  if (journal === null || (session.will === null && will === null)) return
  journal.count++
  const changes = changesOf(journal, session.clientId)
  const now = will === null ? null : { will, dueAt, source: session.source }
  if (changes.will === null) changes.will = { was: session.will !== null, now }
  else changes.will.now = now
}

/** The session has subscribed; `catchUp` as in its record. */
export const noteSubscription = (
  draft: Draft,
  session: Session,
  subscription: Subscription,
  catchUp: number,
  was: boolean,
): void => {
  const changes = changing(draft, session)
  if (changes === null) return
  enter(changes.subscriptions, subscription.filter, { subscription, catchUp }, was)
}

/** The subscription is gone. */
export const noteUnsubscription = (
  draft: Draft,
  session: Session,
  subscription: Subscription,
): void => {
  const changes = changing(draft, session)
  if (changes !== null) enter(changes.subscriptions, subscription.filter, null, true)
}

/** A copy of a message joins the queue or the window, or moves on; 0 for the queue. */
export const noteOutgoing = (
  draft: Draft,
  session: Session,
  outgoing: Outgoing,
  packetId: number,
  was: boolean,
): void => {
  const changes = changing(draft, session)
  if (changes === null) return
  const message = storedOf(outgoing)
  if (!was && message !== null) refer(draft, message, 1)
  const { clientId } = session
  const { order } = outgoing
  const record: OutgoingRecord = message === null
    ? {
      kind: 'outgoing',
      clientId,
      order,
      packetId,
      stage: 'released',
      message: 0,
      qos: 2,
      retain: false,
      identifiers: [],
      share: null,
    }
    : {
      kind: 'outgoing',
      clientId,
      order,
      packetId,
      stage: packetId === 0 ? 'queued' : 'sent',
      message: message.id,
      qos: outgoing.terms.qos,
      retain: outgoing.terms.retain,
      identifiers: outgoing.terms.identifiers,
      share: outgoing.terms.share,
    }
  enter(changes.outgoing, order, record, was)
}

/** The receiver has the message of this copy, and nothing is left of it but its identifier. */
export const noteReleased = (
  draft: Draft,
  session: Session,
  before: Outgoing,
  after: Outgoing,
  packetId: number,
): void => {
  if (draft.journal === null || !session.stored) return
  const message = storedOf(before)
  if (message !== null) refer(draft, message, -1)
  noteOutgoing(draft, session, after, packetId, true)
}

/** The copy has left the session. */
export const noteGone = (draft: Draft, session: Session, outgoing: Outgoing): void => {
  const changes = changing(draft, session)
  if (changes === null) return
  const message = storedOf(outgoing)
  if (message !== null) refer(draft, message, -1)
  enter(changes.outgoing, outgoing.order, null, true)
}

/** A QoS 2 message has come from the client, and was not released yet. */
export const noteIncoming = (
  draft: Draft,
  session: Session,
  packetId: number,
  incoming: Incoming,
): void => {
  const changes = changing(draft, session)
  if (changes === null) return
  const { message } = incoming
  if (message !== null) refer(draft, message, 1)
  enter(changes.incoming, packetId, {
    kind: 'incoming',
    clientId: session.clientId,
    packetId,
    message: message === null ? 0 : message.id,
  }, false)
}

/** The message was taken out: it is released. */
export const noteTaken = (
  draft: Draft,
  session: Session,
  packetId: number,
  incoming: Incoming,
): void => {
  const changes = changing(draft, session)
  if (changes === null) return
  if (incoming.message !== null) refer(draft, incoming.message, -1)
  enter(changes.incoming, packetId, null, true)
}

/** What a topic retains is another message now, or none; `old` is what it was. */
export const noteRetained = (
  draft: Draft,
  topic: TopicName,
  message: Message | null,
  old: Message | undefined,
): void => {
  const { journal } = draft
  if (journal === null || isOwnTopic(topic)) return
  // Also where nothing is left to clear: the answer says that it is gone for good, and whoever
  // cleared it a moment ago may still be waiting for the disk.
  journal.count++
  if (message === null && old === undefined) return
  if (message !== null) refer(draft, message, 1)
  if (old !== undefined) refer(draft, old, -1)
  enter(journal.retained, topic, message, old !== undefined)
}

// ---- the end of the run

const timeOf = (at: Millis): number | null => at === NEVER ? null : at

const sessionRecord = (session: Session): Record => ({
  kind: 'session',
  clientId: session.clientId,
  expiryS: session.expiryS,
  offlineAt: timeOf(session.offlineAt),
  level: session.level,
  source: session.source,
})

const willRecord = (clientId: string, { will, dueAt, source }: Mourning): Record => ({
  kind: 'will',
  clientId,
  topic: will.message.topic,
  qos: will.message.qos,
  retain: will.message.retain,
  payload: will.message.payload,
  properties: will.message.properties,
  delayMs: will.delayMs,
  dueAt: timeOf(dueAt),
  source,
})

const subscriptionRecord = (clientId: string, { subscription, catchUp }: Wanted): Record => ({
  kind: 'subscription',
  clientId,
  filter: subscription.filter,
  qos: subscription.qos,
  noLocal: subscription.noLocal,
  retainAsPublished: subscription.retainAsPublished,
  identifiers: subscription.identifiers,
  joined: subscription.joined,
  catchUp,
})

const messageRecord = (message: Message): Record => ({
  kind: 'message',
  id: message.id,
  topic: message.topic,
  qos: message.qos,
  retain: message.retain,
  payload: message.payload,
  properties: message.properties,
  expiresAt: message.expiresAt,
  source: message.source,
})

const settle = (
  writes: Write[],
  entry: Entry<unknown>,
  record: () => Record,
  key: () => Key,
): void => {
  if (entry.now !== null) writes.push({ _tag: 'Put', record: record(), isNew: !entry.was })
  else if (entry.was) writes.push({ _tag: 'Delete', key: key() })
}

const settleMessages = (draft: Draft, journal: Journal, writes: Write[]): void => {
  for (const [id, { message, more }] of journal.references) {
    if (more === 0) continue
    const before = IntMap.get(draft.references, id) ?? 0
    const after = before + more
    draft.references = after === 0
      ? IntMap.remove(draft.references, draft.owner, id)
      : IntMap.set(draft.references, draft.owner, id, after)
    if (before === 0) writes.push({ _tag: 'Put', record: messageRecord(message), isNew: true })
    else if (after === 0) writes.push({ _tag: 'Delete', key: { kind: 'message', id } })
  }
}

const settleClient = (
  draft: Draft,
  clientId: string,
  { isForgotten, session, will, subscriptions, outgoing, incoming }: Changes,
  writes: Write[],
): void => {
  if (isForgotten) writes.push({ _tag: 'Forget', clientId })
  if (session !== null) {
    const now = session.now === null ? undefined : IntMap.get(draft.sessions, session.now)
    settle(writes, session, () => sessionRecord(now!), () => ({ kind: 'session', clientId }))
  }
  if (will !== null) {
    const { now } = will
    settle(writes, will, () => willRecord(clientId, now!), () => ({
      kind: 'will',
      clientId,
    }))
  }
  for (const [filter, entry] of subscriptions) {
    settle(writes, entry, () => subscriptionRecord(clientId, entry.now!), () => ({
      kind: 'subscription',
      clientId,
      filter,
    }))
  }
  for (const [order, entry] of outgoing) {
    if (entry.now !== null) writes.push({ _tag: 'Put', record: entry.now, isNew: !entry.was })
    else if (entry.was) writes.push({ _tag: 'Delete', key: { kind: 'outgoing', clientId, order } })
  }
  for (const [packetId, entry] of incoming) {
    if (entry.now !== null) writes.push({ _tag: 'Put', record: entry.now, isNew: !entry.was })
    else if (entry.was) {
      writes.push({ _tag: 'Delete', key: { kind: 'incoming', clientId, packetId } })
    }
  }
}

/**
 * What the run has changed, as one batch; null where it is nothing. Messages come before what
 * refers to them.
 */
export const batchOf = (draft: Draft): Persist | null => {
  const { journal } = draft
  if (journal === null || journal.count === 0) return null
  const writes: Write[] = []
  settleMessages(draft, journal, writes)
  for (const [clientId, changes] of journal.clients) {
    settleClient(draft, clientId, changes, writes)
  }
  for (const [topic, entry] of journal.retained) {
    settle(
      writes,
      entry,
      () => ({ kind: 'retained', topic, message: entry.now!.id }),
      () => ({ kind: 'retained', topic }),
    )
  }
  return writes.length === 0 ? null : { _tag: 'Persist', at: draft.now, writes }
}

/** A number for a message that may be stored; 0 where nothing is. They come round again. */
export const nextMessageId = (draft: Draft): number => {
  if (draft.journal === null) return 0
  let id = draft.nextMessage
  do id = id + 1 >= IntMap.keyLimit ? 1 : id + 1
  while (IntMap.get(draft.references, id) !== undefined)
  draft.nextMessage = id
  return id
}
