// Everybody who gets a topic, flat: what one search of the subscription tree comes to. It is
// remembered for as long as no subscription changes, so it depends on nothing but them.

import type { Qos } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { type Filters, type Group, isSingle } from './state.ts'
import type { Subscribers, Subscription } from './state.ts'

/** The members of a shared group whose filter matches. */
export interface SharedGroup {
  readonly number: number
  /** In order of joining. */
  readonly members: ReadonlyArray<Subscription>
}

/** What one search found; never edited. */
export interface Matched {
  /** One subscription of every session that has a matching one. */
  readonly subscriptions: ReadonlyArray<Subscription>
  /** The further ones of sessions whose subscriptions overlap. */
  readonly overlapping: ReadonlyArray<Subscription>
  /** One for every session, made of all that it has. */
  readonly merged: ReadonlyArray<Subscription>
  readonly groups: ReadonlyArray<SharedGroup>
}

// By groups, which are others when their members are: a member is found at once where a search was
// forgotten because of somebody else's subscription.
const lists = new WeakMap<Group, SharedGroup>()

/** The members of a group as a list. */
export const groupOf = (group: Group): SharedGroup => {
  const known = lists.get(group)
  if (known !== undefined) return known
  const list = listOf(group)
  lists.set(group, list)
  return list
}

const listOf = (group: Group): SharedGroup => {
  const members: Subscription[] = []
  IntMap.each(group.members, (member) => members.push(member))
  members.sort((one, other) => one.joined - other.joined)
  return { number: group.number, members }
}

const none: ReadonlyArray<never> = []
const nobody: Matched = { subscriptions: none, overlapping: none, merged: none, groups: none }

// Scratch of one search, empty between two: what the filters hold, and the subscriptions where each
// holds one.
const found: Array<Subscribers | null> = []
const singles: Array<Subscription | null> = []

// With so few a walk over those before is quicker than a set.
const fewMax = 8

/** Everybody who gets this topic. */
export const match = (topic: TopicName, filters: Filters): Matched => {
  const count = Tree.findInto(filters.tree, topic, found) // [MQTT-3.3.2-3] [v3 MQTT-3.3.2-3]
  if (count === 0) return nobody
  const matched = matchedApart(count) ?? matchedOf(count)
  for (let i = 0; i < count; i++) found[i] = null
  return matched
}

/** Where each filter holds one subscription, of a session that has no other, which is usual. */
const matchedApart = (count: number): Matched | null => {
  if (count > fewMax) return null
  let isApart = true
  let n = 0
  for (; n < count && isApart; n++) {
    const subscribers = found[n]!
    if (!isSingle(subscribers)) break
    for (let i = 0; i < n; i++) {
      if (singles[i]!.session === subscribers.session) isApart = false
    }
    singles[n] = subscribers
  }
  let matched: Matched | null = null
  if (isApart && n === count) {
    // All of them are subscriptions by now, and the array is as long as they are many.
    const subscriptions = singles.slice(0, n) as Subscription[]
    matched = { subscriptions, overlapping: none, merged: subscriptions, groups: none }
  }
  for (let i = 0; i < n; i++) singles[i] = null
  return matched
}

const matchedOf = (count: number): Matched => {
  const subscriptions: Subscription[] = []
  const overlapping: Subscription[] = []
  const groups: SharedGroup[] = []
  // Within what one filter holds, a session stands once.
  const seen = count > 1 ? new Set<number>() : null
  const admitOnce = (subscription: Subscription): void => {
    if (seen !== null && seen.has(subscription.session)) overlapping.push(subscription)
    else {
      subscriptions.push(subscription)
      if (seen !== null) seen.add(subscription.session)
    }
  }
  for (let i = 0; i < count; i++) {
    const subscribers = found[i]!
    if (isSingle(subscribers)) {
      admitOnce(subscribers)
      continue
    }
    IntMap.each(subscribers.direct, admitOnce)
    StrMap.each(subscribers.groups, (group: Group) => groups.push(groupOf(group)))
  }
  const merged = overlapping.length === 0 ? subscriptions : mergeAll(subscriptions, overlapping)
  return { subscriptions, overlapping, merged, groups }
}

export const weight = (matched: Matched): number => {
  const { subscriptions, overlapping } = matched
  let total = 64 + 8 * (subscriptions.length + overlapping.length)
  if (overlapping.length > 0) total += 8 * subscriptions.length + 160 * overlapping.length
  for (const group of matched.groups) total += 64 + 8 * group.members.length
  return total
}

const higher = (one: Qos, other: Qos): Qos => one > other ? one : other // [v3 MQTT-3.3.5-1]

/**
 * One subscription in place of two of a session: the higher QoS [MQTT-3.3.4-2] and the identifiers
 * of both [MQTT-3.3.4-4], the same one twice where both have it (section 3.3.4).
 */
const merge = (one: Subscription, other: Subscription): Subscription => ({
  session: one.session,
  filter: one.filter,
  share: null,
  qos: higher(one.qos, other.qos),
  // Then its publisher is a case of its own: see mergedEcho.
  noLocal: one.noLocal || other.noLocal,
  retainAsPublished: one.retainAsPublished || other.retainAsPublished,
  identifiers: [...one.identifiers, ...other.identifiers],
  joined: one.joined,
})

const mergeAll = (
  subscriptions: ReadonlyArray<Subscription>,
  overlapping: ReadonlyArray<Subscription>,
): ReadonlyArray<Subscription> => {
  const indices = new Map<number, number>()
  subscriptions.forEach((one, index) => indices.set(one.session, index))
  const merged = [...subscriptions]
  for (const other of overlapping) {
    const index = indices.get(other.session)!
    merged[index] = merge(merged[index]!, other)
  }
  return merged
}

/** What the publisher gets of its own message: merged from its subscriptions without No Local. */
export const mergedEcho = (matched: Matched, publisher: number): Subscription | null => {
  let echo: Subscription | null = null
  for (const some of [matched.subscriptions, matched.overlapping]) {
    for (const one of some) {
      if (one.session !== publisher || one.noLocal) continue
      echo = echo === null ? one : merge(echo, one)
    }
  }
  return echo
}
