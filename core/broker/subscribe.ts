// SUBSCRIBE and UNSUBSCRIBE, and the two places where a subscription lives: its session, which
// knows it by filter, and the tree, which finds it by topic.

import type { Subscribe, SubscribeRequest, Unsubscribe } from '../codec/packet.ts'
import { none } from '../codec/property.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import { splitShare } from '../topic/filter.ts'
import type { TopicFilter } from '../topic/filter.ts'
import * as Tree from '../topic/tree.ts'
import { type Draft, type EditableSession, editSession, note } from './draft.ts'
import { abandon, begin } from './retain.ts'
import type { Ready, Session, Subscribers, Subscription } from './state.ts'
import { tell } from './tell.ts'

const QUOTA_EXCEEDED = 0x97
const NO_SUBSCRIPTION_EXISTED = 0x11

export const subscribe = (draft: Draft, ready: Ready, packet: Subscribe): void => {
  const session = editSession(draft, IntMap.get(draft.sessions, ready.session)!)
  const identifier = packet.properties.subscriptionIdentifiers?.[0] ?? 0
  const reasons: number[] = []
  const begun: Subscription[] = []
  for (let i = 0; i < packet.requests.length; i++) {
    const request = packet.requests[i]!
    const old = StrMap.get(session.subscriptions, request.filter)
    if (
      i >= draft.config.filtersPerPacketMax ||
      (old === undefined &&
        StrMap.size(session.subscriptions) >= draft.config.subscriptionsPerSessionMax)
    ) {
      reasons.push(QUOTA_EXCEEDED)
      continue
    }
    if (old !== undefined) abandon(draft, session, old)
    const added = add(draft, session, request, identifier, ready.bridge, old)
    reasons.push(request.qos)
    note(draft, {
      _tag: 'Subscribed',
      clientId: session.clientId,
      filter: request.filter,
      qos: request.qos,
    })
    const wanted = request.retainHandling === 0 ||
      (request.retainHandling === 1 && old === undefined) // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
    if (wanted && splitShare(request.filter) === null) begun.push(added)
  }
  tell(draft, session, { _tag: 'Suback', packetId: packet.packetId, reasons, properties: none })
  for (const subscription of begun) {
    begin(draft, session, subscription)
    // The packet may name a filter twice, which is as if it were two packets [MQTT-3.8.4-5].
    const current = StrMap.get(session.subscriptions, subscription.filter)
    if (current !== subscription) abandon(draft, session, subscription)
  }
}

export const unsubscribe = (draft: Draft, ready: Ready, packet: Unsubscribe): void => {
  const session = editSession(draft, IntMap.get(draft.sessions, ready.session)!)
  const reasons: number[] = []
  for (const filter of packet.filters) {
    const old = StrMap.get(session.subscriptions, filter)
    reasons.push(old === undefined ? NO_SUBSCRIPTION_EXISTED : 0)
    if (old === undefined) continue
    abandon(draft, session, old)
    session.subscriptions = StrMap.remove(session.subscriptions, draft.owner, filter)
    removeFromTree(draft, old)
    note(draft, { _tag: 'Unsubscribed', clientId: session.clientId, filter })
  }
  tell(draft, session, { _tag: 'Unsuback', packetId: packet.packetId, reasons, properties: none })
}

/** Takes all subscriptions of a session that ends out of the tree. */
export const removeAll = (draft: Draft, session: Session): void => {
  for (const [, subscription] of StrMap.entries(session.subscriptions)) {
    removeFromTree(draft, subscription)
  }
}

const add = (
  draft: Draft,
  session: EditableSession,
  request: SubscribeRequest,
  identifier: number,
  bridge: boolean,
  old: Subscription | undefined,
): Subscription => {
  const subscription: Subscription = {
    session: session.number,
    filter: request.filter,
    qos: request.qos,
    noLocal: request.noLocal,
    // A bridge has to see whether a message is retained, at every level.
    retainAsPublished: request.retainAsPublished || bridge,
    identifier,
    // Replaced in place [MQTT-3.8.4-3].
    joined: old === undefined ? draft.nextJoined++ : old.joined,
  }
  session.subscriptions = StrMap.set(
    session.subscriptions,
    draft.owner,
    request.filter,
    subscription,
  )
  const share = splitShare(request.filter)
  if (share === null) {
    const subscribers = subscribersAt(draft, request.filter)
    setSubscribers(draft, request.filter, {
      direct: IntMap.set(subscribers.direct, draft.owner, session.number, subscription),
      groups: subscribers.groups,
    })
  } else {
    const subscribers = subscribersAt(draft, share.filter)
    const group = StrMap.get(subscribers.groups, share.group)
    setSubscribers(draft, share.filter, {
      direct: subscribers.direct,
      groups: StrMap.set(subscribers.groups, draft.owner, share.group, {
        number: group?.number ?? draft.nextGroup++,
        members: IntMap.set(
          group?.members ?? IntMap.empty<Subscription>(),
          draft.owner,
          subscription.joined,
          subscription,
        ),
      }),
    })
  }
  return subscription
}

const subscribersAt = (draft: Draft, filter: TopicFilter): Subscribers =>
  Tree.get(draft.filters.tree, filter) ??
    { direct: IntMap.empty(), groups: StrMap.empty(draft.origin.seed) }

/** The one place that changes the tree, and with it the handle. */
const setSubscribers = (draft: Draft, filter: TopicFilter, subscribers: Subscribers): void => {
  const { tree } = draft.filters
  const isEmpty = IntMap.size(subscribers.direct) === 0 && StrMap.size(subscribers.groups) === 0
  draft.filters = {
    tree: isEmpty
      ? Tree.remove(tree, draft.owner, filter)
      : Tree.set(tree, draft.owner, filter, subscribers),
  }
}

const removeFromTree = (draft: Draft, subscription: Subscription): void => {
  const share = splitShare(subscription.filter)
  const filter = share === null ? subscription.filter : share.filter
  const subscribers = subscribersAt(draft, filter)
  if (share === null) {
    setSubscribers(draft, filter, {
      direct: IntMap.remove(subscribers.direct, draft.owner, subscription.session),
      groups: subscribers.groups,
    })
    return
  }
  const group = StrMap.get(subscribers.groups, share.group)
  if (group === undefined) return
  const members = IntMap.remove(group.members, draft.owner, subscription.joined)
  const groups = IntMap.size(members) === 0
    ? StrMap.remove(subscribers.groups, draft.owner, share.group)
    : StrMap.set(subscribers.groups, draft.owner, share.group, { number: group.number, members })
  if (IntMap.size(members) === 0) {
    draft.turns = IntMap.remove(draft.turns, draft.owner, group.number)
  }
  setSubscribers(draft, filter, { direct: subscribers.direct, groups })
}
