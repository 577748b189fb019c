// Which member of a shared group gets a message: one of those who would not lose it, by the order
// that is configured. Members who cannot take it (away, full, or with a Maximum Packet Size below
// it, which section 3.1.2.11.4 of MQTT 5 leaves open) are passed over; where there are only such,
// the message is lost to the one whose turn it is, and counted for that one.

import { encodedSize } from '../codec/mod.ts'
import type { Publish, Qos } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import * as IntMap from '../data/int-map.ts'
import { mayRead } from './access.ts'
import { underAlias } from './alias.ts'
import { canTake, qosFor, withIdentifiers } from './deliver.ts'
import { type Draft, drop } from './draft.ts'
import type { SharedGroup } from './match.ts'
import { shown } from './mount.ts'
import { NEVER, type Session, type Subscription } from './state.ts'
import { isOverfull } from './tell.ts'

/** Bytes of the packet as the member would get it now. */
const sizeFor = (session: Session, member: Subscription, whole: Publish, qos: Qos): number => {
  const packet = shown(session, whole) ?? whole
  const properties = session.level === 5
    ? withIdentifiers(packet.properties, member.identifiers)
    : none
  return encodedSize(
    session.level,
    underAlias(session, { ...packet, qos, packetId: 1, properties }),
  )
}

/** Whether a member would keep the message; `bytes` is its size at level 5. */
const isAble = (draft: Draft, member: Subscription, packet: Publish, bytes: number): boolean => {
  const session = IntMap.get(draft.sessions, member.session)!
  if (draft.isGuarded && !mayRead(draft, session, packet.topic)) return false
  const qos = qosFor(draft, packet.qos, member) // [MQTT-4.8.2-3]
  if (session.conn === null) {
    return (qos > 0 || draft.config.queueQos0) && draft.config.sharedOffline === 'queue' &&
      canTake(draft, session, qos, bytes)
  }
  if (session.mountPoint !== '' && shown(session, packet) === null) return false
  // Nearly nobody has a Maximum Packet Size.
  if (
    session.packetBytesMax !== NEVER &&
    sizeFor(session, member, packet, qos) > session.packetBytesMax
  ) return false
  if (qos > 0 || session.queuedQos0 > 0) return canTake(draft, session, qos, bytes)
  // While little waits for its socket no size is too much.
  return !isOverfull(draft, session, Infinity) ||
    !isOverfull(draft, session, sizeFor(session, member, packet, qos))
}

const isOnline = (draft: Draft, member: Subscription): boolean =>
  IntMap.get(draft.sessions, member.session)!.conn !== null

/** FNV-1a, its high bits folded down: the same topic, the same number. */
const hashOf = (topic: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < topic.length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The first member that joined no earlier than `rank`; the first of all after the last. */
const sinceRank = (members: ReadonlyArray<Subscription>, rank: number): number => {
  let low = 0
  let high = members.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (members[middle]!.joined < rank) low = middle + 1
    else high = middle
  }
  return low % members.length
}

/** The index of the member that is asked first. */
const firstAsked = (draft: Draft, group: SharedGroup, packet: Publish): number => {
  const turn = IntMap.get(draft.turns, group.number) ?? 0
  switch (draft.config.sharedOrder) {
    case 'round robin':
    case 'prefer online':
      return turn % group.members.length
    case 'sticky':
      return sinceRank(group.members, turn)
    case 'hash of topic':
      return hashOf(packet.topic) % group.members.length
  }
}

/**
 * The member that gets the message, of those that would keep it, and the next turn; undefined where
 * there is none. There is at least one member.
 */
export const pick = (
  draft: Draft,
  group: SharedGroup,
  packet: Publish,
  onlyOnline: boolean,
): Subscription | undefined => {
  const { members } = group
  const count = members.length
  const first = firstAsked(draft, group, packet)
  const bytes = encodedSize(5, packet)
  const order = draft.config.sharedOrder
  let found = -1
  let asked = 0
  while (asked < count) {
    const index = (first + asked++) % count
    const member = members[index]!
    if (onlyOnline && !isOnline(draft, member)) continue
    if (!isAble(draft, member, packet, bytes)) continue
    if (found < 0) found = index
    if (order !== 'prefer online' || isOnline(draft, member)) {
      found = index
      break
    }
  }
  draft.brought += asked
  if (found < 0) return undefined
  const member = members[found]!
  if (order !== 'hash of topic') {
    const turn = order === 'sticky' ? member.joined : (found + 1) % count
    draft.turns = IntMap.set(draft.turns, draft.owner, group.number, turn)
  }
  return member
}

/** The member that gets the message; null where it was dropped because they all are away. */
export const choose = (
  draft: Draft,
  group: SharedGroup,
  packet: Publish,
): Subscription | null => {
  const able = pick(draft, group, packet, false)
  if (able !== undefined) return able
  const loser = group.members[firstAsked(draft, group, packet)]!
  if (draft.config.sharedOffline === 'queue' || isOnline(draft, loser)) return loser
  const session = IntMap.get(draft.sessions, loser.session)!
  drop(draft, session.clientId, packet.topic, packet.qos, 'offline')
  return null
}
