// Mount points: what stands in front of every topic of a listener's clients. The broker itself
// knows whole topics only (its rights, its wills, its retained messages, its log); a client sees
// what is behind its mount point, and nothing else. As in mosquitto a topic that begins with $ is
// an ordinary one behind a mount point.

import type { Connect, Publish } from '../codec/packet.ts'
import { isTopicFilter, splitShare, type TopicFilter } from '../topic/filter.ts'
import { isTopicName, type TopicName } from '../topic/name.ts'
import type { DropReason } from './note.ts'
import type { Session } from './state.ts'

/** A topic of a client as the broker knows it; null where it gets too long or too deep. */
const mounted = (mountPoint: string, topic: string): TopicName | null => {
  const whole = mountPoint + topic
  return isTopicName(whole) ? whole : null
}

/** The same with a topic filter: in a shared one the mount point is part of what is shared. */
export const mountedFilter = (mountPoint: string, filter: TopicFilter): TopicFilter | null => {
  if (mountPoint === '') return filter
  const share = splitShare(filter)
  const whole = share === null
    ? mountPoint + filter
    : `$share/${share.group}/${mountPoint}${share.filter}`
  return isTopicFilter(whole) ? whole : null
}

/** A publish under its whole topic; null where that gets too long or too deep. */
export const mountedPublish = (mountPoint: string, packet: Publish): Publish | null => {
  const topic = mounted(mountPoint, packet.topic)
  return topic === null ? null : withTopic(packet, topic)
}

/** A CONNECT whose will has its whole topic; null where that gets too long or too deep. */
export const mountedConnect = (mountPoint: string, packet: Connect): Connect | null => {
  const { will } = packet
  if (mountPoint === '' || will === null) return packet
  const topic = mounted(mountPoint, will.topic)
  return topic === null ? null : { ...packet, will: { ...will, topic } }
}

/**
 * A publish as the session's connection sees it. Null for what is not behind its mount point: the
 * level that `#` matches above it, or what a session subscribed to through another listener.
 */
export const shown = ({ mountPoint }: Session, packet: Publish): Publish | null => {
  if (mountPoint === '') return packet
  if (!isBehind(mountPoint, packet.topic)) return null
  // The end of a topic name is one.
  return withTopic(packet, packet.topic.slice(mountPoint.length) as TopicName)
}

const isBehind = (mountPoint: string, topic: string): boolean =>
  topic.length > mountPoint.length && topic.startsWith(mountPoint)

/** Why a packet that is not too much for the connection as it is could not be sent. */
export const whyNotSent = ({ mountPoint }: Session, topic: TopicName): DropReason =>
  isBehind(mountPoint, topic) ? 'too large' : 'not allowed'

const withTopic = (packet: Publish, topic: TopicName): Publish => ({
  _tag: 'Publish',
  dup: packet.dup,
  qos: packet.qos,
  retain: packet.retain,
  topic,
  packetId: packet.packetId,
  payload: packet.payload,
  properties: packet.properties,
})
