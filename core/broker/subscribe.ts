// SUBSCRIBE and UNSUBSCRIBE, and the two places where a subscription lives: its session, which
// knows it by filter, and the tree, which finds it by topic.

import { type Fault, fault } from '../codec/fault.ts'
import { encodedSize } from '../codec/mod.ts'
import type { Qos, Suback, Subscribe, SubscribeRequest, Unsubscribe } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import {
  IDENTIFIERS_NOT_SUPPORTED,
  NO_SUBSCRIPTION_EXISTED,
  NOT_AUTHORIZED,
  PACKET_TOO_LARGE,
  QUOTA_EXCEEDED,
  SHARED_NOT_SUPPORTED,
  TOPIC_FILTER_INVALID,
  WILDCARDS_NOT_SUPPORTED,
} from '../codec/reason-code.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import { splitShare } from '../topic/filter.ts'
import type { TopicFilter } from '../topic/filter.ts'
import * as Tree from '../topic/tree.ts'
import * as Ways from '../topic/ways.ts'
import { deny, maySubscribe } from './access.ts'
import { type Draft, type EditableSession, editSession, note } from './draft.ts'
import { handOverQueued } from './hand-over.ts'
import { noteSubscription, noteUnsubscription } from './journal.ts'
import { mountedFilter } from './mount.ts'
import { begin, noteHeirs } from './retain.ts'
import {
  type Audience,
  isSingle,
  NEVER,
  type Ready,
  type Session,
  type Subscribers,
  type Subscription,
} from './state.ts'
import { tell, tellWhy } from './tell.ts'

/** Why no subscription to the filter can be had here, as a reason code; 0 where it can. */
const unavailable = ({ promised }: Ready, filter: TopicFilter): number =>
  !promised.sharedAvailable && splitShare(filter) !== null
    ? SHARED_NOT_SUPPORTED
    // [v3 MQTT-3.8.3-2]
    : !promised.wildcardAvailable && (filter.includes('+') || filter.includes('#'))
    ? WILDCARDS_NOT_SUPPORTED
    : 0

/**
 * A client that was told in CONNACK what is not available and asks for it commits a protocol error
 * (sections 3.2.2.3.11 to 13); one of 3.1.1 or 3.1 was not told and has the filter refused.
 */
const forbidden = (ready: Ready, packet: Subscribe): Fault | null => {
  if (
    !ready.promised.subscriptionIdentifiersAvailable &&
    packet.properties.subscriptionIdentifiers !== undefined
  ) {
    const detail = 'a subscription identifier, which is not available'
    return fault(IDENTIFIERS_NOT_SUPPORTED, 'MQTT-4.13.1-1', detail)
  }
  for (let i = 0; i < packet.requests.length; i++) {
    const reason = unavailable(ready, packet.requests[i]!.filter)
    if (reason !== 0) {
      const kind = reason === SHARED_NOT_SUPPORTED ? 'shared' : 'wildcard'
      return fault(reason, 'MQTT-4.13.1-1', `a ${kind} subscription, which is not available`)
    }
  }
  return null
}

/** An answer is one packet: who could not take it is not served [MQTT-3.1.2-24]. */
const unanswerable = fault(
  PACKET_TOO_LARGE,
  'MQTT-3.1.2-24',
  'the answer to so many filters would be larger than Maximum Packet Size',
)

const fits = (session: Session, packet: Subscribe | Unsubscribe, count: number): boolean => {
  if (session.packetBytesMax === NEVER) return true
  const answer: Suback = {
    _tag: 'Suback', // or UNSUBACK, which is as large
    packetId: packet.packetId,
    reasons: new Array<number>(count).fill(0),
    properties: none,
  }
  return encodedSize(session.level, answer) <= session.packetBytesMax
}

/** Answers the rule that the packet breaks, if it does. */
export const subscribe = (
  draft: Draft,
  ready: Ready,
  packet: Subscribe,
): Fault | null => {
  if (ready.level === 5) {
    const broken = forbidden(ready, packet)
    if (broken !== null) return broken
  }
  const session = editSession(draft, IntMap.get(draft.sessions, ready.session)!)
  if (!fits(session, packet, packet.requests.length)) return unanswerable
  const identifiers = packet.properties.subscriptionIdentifiers ?? noIdentifiers
  const { filtersPerPacketMax, subscriptionsPerSessionMax } = draft.config
  const { maximumQos, mountPoint } = ready.rules
  const reasons: number[] = []
  const begun: Subscription[] = []
  let isReplaced = false
  let refused = ''
  let surplus = 0
  let firstSurplus = ''
  // One by one, each with one reason, in their order [MQTT-3.8.4-6] [MQTT-3.9.3-1]
  // [v3 MQTT-3.8.4-4] [v3 MQTT-3.8.4-5] [v3 MQTT-3.9.3-1].
  for (let i = 0; i < packet.requests.length; i++) {
    const asked = packet.requests[i]!
    if (i >= filtersPerPacketMax) {
      reasons.push(QUOTA_EXCEEDED)
      refused ||= 'more topic filters in a packet than allowed'
      if (surplus++ === 0) firstSurplus = mountedFilter(mountPoint, asked.filter) ?? asked.filter
      continue
    }
    const missing = unavailable(ready, asked.filter)
    if (missing !== 0) {
      reasons.push(missing)
      continue
    }
    const filter = mountedFilter(mountPoint, asked.filter)
    if (filter === null) {
      reasons.push(TOPIC_FILTER_INVALID)
      continue
    }
    const request = filter === asked.filter ? asked : { ...asked, filter }
    if (
      draft.isGuarded &&
      !maySubscribe(draft, session, splitShare(request.filter)?.filter ?? request.filter)
    ) {
      reasons.push(NOT_AUTHORIZED)
      refused ||= 'not allowed'
      deny(draft, session.clientId, 'subscribe', request.filter)
      continue
    }
    const old = StrMap.get(session.subscriptions, request.filter)
    const isSurplus = StrMap.size(session.subscriptions) >= subscriptionsPerSessionMax
    if (
      old === undefined &&
      (draft.isShort || (draft.isStoreFull && session.stored) || isSurplus)
    ) {
      reasons.push(QUOTA_EXCEEDED)
      refused ||= 'more subscriptions than allowed'
      // Of the others the log tells once, when memory or the store becomes short.
      if (isSurplus && surplus++ === 0) firstSurplus = request.filter
      continue
    }
    const granted = lower(request.qos, maximumQos) // [MQTT-3.2.2-10]
    const added = add(draft, session, request, granted, identifiers, ready, old)
    const { qos } = added
    reasons.push(qos) // [MQTT-3.8.4-7] [v3 MQTT-3.8.4-5]
    note(draft, { _tag: 'Subscribed', clientId: session.clientId, filter: request.filter, qos })
    if (begins(request, old)) begun.push(added)
    else if (old !== undefined) isReplaced = true
  }
  // Below level 5 the client itself is told no reason.
  if (surplus > 0) {
    const { clientId } = session
    note(draft, { _tag: 'TooManySubscriptions', clientId, count: surplus, filter: firstSurplus })
  }
  const { packetId } = packet
  // [MQTT-2.2.1-6] [MQTT-3.8.4-2] [MQTT-3.9.2-2] [v3 MQTT-2.3.1-7] [v3 MQTT-3.8.4-2]
  const suback: Suback = { _tag: 'Suback', packetId, reasons, properties: none }
  if (refused === '') tell(draft, session, suback) // [MQTT-3.8.4-1] [v3 MQTT-3.8.4-1]
  else tellWhy(draft, session, ready, suback, refused)
  if (isReplaced) noteHeirs(draft, session)
  // The packet may name a filter twice, which is as if it were two packets [MQTT-3.8.4-5].
  for (const subscription of begun) begin(draft, session, subscription) // [v3 MQTT-3.3.1-6]
  return null
}

export const unsubscribe = (draft: Draft, ready: Ready, packet: Unsubscribe): Fault | null => {
  const session = editSession(draft, IntMap.get(draft.sessions, ready.session)!)
  if (!fits(session, packet, packet.filters.length)) return unanswerable
  const reasons: number[] = []
  // Nobody has more subscriptions than that; whoever asks for more is answered without a search.
  const searchedMax = Math.max(
    draft.config.filtersPerPacketMax,
    draft.config.subscriptionsPerSessionMax,
  )
  for (let i = 0; i < packet.filters.length; i++) { // [MQTT-3.10.4-6] [v3 MQTT-3.10.4-6]
    const filter = mountedFilter(ready.rules.mountPoint, packet.filters[i]!)
    // [MQTT-3.10.4-1] [v3 MQTT-3.10.4-1]
    const old = i < searchedMax && filter !== null
      ? StrMap.get(session.subscriptions, filter)
      : undefined
    reasons.push(old === undefined ? NO_SUBSCRIPTION_EXISTED : 0) // [MQTT-3.11.3-1]
    if (old === undefined || filter === null) continue
    session.subscriptions = StrMap.remove(session.subscriptions, draft.owner, filter)
    noteUnsubscription(draft, session, old)
    removeFromTree(draft, old) // [MQTT-3.10.4-2] [v3 MQTT-3.10.4-2]
    if (old.share !== null) handOverQueued(draft, session, old.share)
    note(draft, { _tag: 'Unsubscribed', clientId: session.clientId, filter })
  }
  // Whatever was found, and with nothing that may be too much [MQTT-3.10.4-4] [MQTT-3.10.4-5]
  // [MQTT-2.2.1-6] [MQTT-3.11.2-1] [MQTT-3.11.2-2] [v3 MQTT-3.10.4-4] [v3 MQTT-3.10.4-5]
  // [v3 MQTT-2.3.1-7].
  tell(draft, session, { _tag: 'Unsuback', packetId: packet.packetId, reasons, properties: none })
  return null
}

/** Takes all subscriptions of a session that ends out of the tree. */
export const removeAll = (draft: Draft, session: Session): void => {
  draft.brought += StrMap.size(session.subscriptions)
  for (const [, subscription] of StrMap.entries(session.subscriptions)) {
    removeFromTree(draft, subscription)
    noteUnsubscription(draft, session, subscription)
  }
}

const noIdentifiers: ReadonlyArray<number> = []

const lower = (one: Qos, other: Qos): Qos => one < other ? one : other

/** Whether a subscription in the place of the old one, if any, asks for what is retained. */
const begins = (
  { filter, retainHandling }: SubscribeRequest,
  old: Subscription | undefined,
): boolean =>
  splitShare(filter) === null &&
  (retainHandling === 0 || // [MQTT-3.8.4-4] [v3 MQTT-3.8.4-3]
    (retainHandling === 1 && old === undefined)) // [MQTT-3.3.1-10] [MQTT-3.3.1-11]

const add = (
  draft: Draft,
  session: EditableSession,
  request: SubscribeRequest,
  qos: Qos,
  identifiers: ReadonlyArray<number>,
  { bridge, level }: Ready,
  old: Subscription | undefined,
): Subscription => {
  const subscription: Subscription = {
    session: session.number,
    filter: request.filter,
    share: splitShare(request.filter),
    qos,
    // Below level 5 a bridge cannot ask for it, and what it passes on would go round in circles.
    noLocal: request.noLocal || (bridge && level < 5),
    // A bridge has to see whether a message is retained, at every level.
    retainAsPublished: request.retainAsPublished || bridge,
    identifiers,
    // Replaced in place, so that nothing is missed [MQTT-3.8.4-3] [MQTT-3.8.4-4] [v3 MQTT-3.8.4-3].
    joined: old === undefined || begins(request, old) ? draft.nextJoined++ : old.joined,
  }
  noteSubscription(draft, session, subscription, 0, old !== undefined)
  join(draft, session, subscription, old)
  return subscription
}

/** Puts a subscription where it lives, in the place of the old one with its filter. */
export const join = (
  draft: Draft,
  session: EditableSession,
  subscription: Subscription,
  old: Subscription | undefined,
): void => {
  const { filter, share } = subscription
  session.subscriptions = StrMap.set(session.subscriptions, draft.owner, filter, subscription)
  if (share !== null && old === undefined) draft.sharedCount++
  if (share === null) {
    const subscribers = Tree.get(draft.filters.tree, filter)
    if (subscribers === undefined || subscribers === old) {
      setSubscribers(draft, filter, subscription)
    } else {
      const { direct, groups } = audienceOf(draft, subscribers)
      setSubscribers(draft, filter, {
        direct: IntMap.set(direct, draft.owner, session.number, subscription),
        groups,
      })
    }
  } else {
    const { direct, groups } = audienceOf(draft, Tree.get(draft.filters.tree, share.filter))
    const group = StrMap.get(groups, share.group)
    setSubscribers(draft, share.filter, {
      direct,
      groups: StrMap.set(groups, draft.owner, share.group, {
        number: group?.number ?? nextGroup(draft),
        members: IntMap.set(
          group?.members ?? IntMap.empty<Subscription>(),
          draft.owner,
          subscription.session,
          subscription,
        ),
      }),
    })
  }
}

/** Numbers come round again after a thousand million groups; turns are all that hangs on them. */
const nextGroup = (draft: Draft): number => {
  const number = draft.nextGroup
  draft.nextGroup = (number + 1) % IntMap.keyLimit
  return number
}

/** What is held at a filter in the form that has room for more. */
const audienceOf = (draft: Draft, subscribers: Subscribers | undefined): Audience => {
  if (subscribers === undefined) {
    return { direct: IntMap.empty(), groups: StrMap.empty(draft.origin.seed) }
  }
  if (!isSingle(subscribers)) return subscribers
  const nobody = IntMap.empty<Subscription>()
  return {
    direct: IntMap.set(nobody, draft.owner, subscribers.session, subscribers),
    groups: StrMap.empty(draft.origin.seed),
  }
}

/** The one place that changes the tree, and with it the handle. */
const setSubscribers = (
  draft: Draft,
  filter: TopicFilter,
  subscribers: Subscribers | undefined,
): void => {
  const { owner, filters } = draft
  const before = Tree.size(filters.tree)
  const tree = subscribers === undefined
    ? Tree.remove(filters.tree, owner, filter)
    : Tree.set(filters.tree, owner, filter, subscribers)
  let { ways } = filters
  if (Tree.size(tree) > before) ways = Ways.add(ways, owner, filter)
  else if (Tree.size(tree) < before) ways = Ways.remove(ways, owner, filter)
  draft.filters = { tree, ways }
}

/** An audience in the least form that it fits: one subscriber alone, or nothing at all. */
const least = ({ direct, groups }: Audience): Subscribers | undefined => {
  if (StrMap.size(groups) > 0 || IntMap.size(direct) > 1) return { direct, groups }
  return IntMap.first(direct)?.[1]
}

const removeFromTree = (draft: Draft, subscription: Subscription): void => {
  const { share } = subscription
  const filter = share === null ? subscription.filter : share.filter
  const subscribers = Tree.get(draft.filters.tree, filter)
  if (share === null) {
    if (subscribers === undefined || isSingle(subscribers)) {
      setSubscribers(draft, filter, undefined)
      return
    }
    const direct = IntMap.remove(subscribers.direct, draft.owner, subscription.session)
    setSubscribers(draft, filter, least({ direct, groups: subscribers.groups }))
    return
  }
  draft.sharedCount--
  const { direct, groups } = audienceOf(draft, subscribers)
  const group = StrMap.get(groups, share.group)
  if (group === undefined) return
  const members = IntMap.remove(group.members, draft.owner, subscription.session)
  const isLast = IntMap.size(members) === 0
  if (isLast) draft.turns = IntMap.remove(draft.turns, draft.owner, group.number)
  setSubscribers(
    draft,
    filter,
    least({
      direct,
      groups: isLast
        ? StrMap.remove(groups, draft.owner, share.group)
        : StrMap.set(groups, draft.owner, share.group, { number: group.number, members }),
    }),
  )
}
