// Topic aliases towards clients of MQTT 5, and with them the sending of a single PUBLISH. The first
// topics that a connection is sent get an alias each, first come, first served, as mosquitto does;
// none is ever given to another topic. An alias is set when its packet joins the effects, which is
// the order on the wire.

import { encodedSize } from '../codec/mod.ts'
import type { Publish } from '../codec/packet.ts'
import * as StrMap from '../data/str-map.ts'
import { countPublished, type Draft, editSession } from './draft.ts'
import { send } from './effect.ts'
import { shown } from './mount.ts'
import type { Session } from './state.ts'
import { charge } from './tell.ts'

const withAlias = (packet: Publish, topic: Publish['topic'], topicAlias: number): Publish => {
  const { subscriptionIdentifiers, ...others } = packet.properties
  return {
    _tag: 'Publish',
    dup: packet.dup,
    qos: packet.qos,
    retain: packet.retain,
    topic,
    packetId: packet.packetId,
    payload: packet.payload,
    // The order of mosquitto.
    properties: subscriptionIdentifiers === undefined
      ? { ...others, topicAlias }
      : { ...others, topicAlias, subscriptionIdentifiers },
  }
}

/**
 * A packet as the session's connection would get it now: under its topic's alias, with the topic
 * where the alias is new. One that would only be too large with an alias has none.
 */
export const underAlias = (session: Session, packet: Publish): Publish => {
  if (session.aliasMax === 0) return packet // [MQTT-3.1.2-27]
  const known = StrMap.get(session.aliases, packet.topic)
  const alias = known ?? StrMap.size(session.aliases) + 1
  if (alias > session.aliasMax) return packet // [MQTT-3.1.2-26] [MQTT-3.3.2-11]
  const aliased = withAlias(packet, known === undefined ? packet.topic : '', alias)
  return encodedSize(5, aliased) > session.packetBytesMax ? packet : aliased
}

/** A packet that `underAlias` made is about to be sent: its client knows the alias from now on. */
export const learnAlias = (draft: Draft, session: Session, packet: Publish): void => {
  const alias = packet.properties.topicAlias
  if (alias === undefined || packet.topic === '') return
  const editable = editSession(draft, session)
  editable.aliases = StrMap.set(editable.aliases, draft.owner, packet.topic, alias)
}

/**
 * Sends a PUBLISH to a session that has a connection; answers false where it is too large for the
 * client [MQTT-3.1.2-24] [MQTT-3.1.2-25], or not for its eyes. `waited`: it leaves the session's
 * queue for good.
 */
export const sendPublish = (
  draft: Draft,
  session: Session,
  plain: Publish,
  waited: boolean = false,
): boolean => {
  const seen = session.mountPoint === '' ? plain : shown(session, plain)
  if (seen === null) return false
  const packet = session.aliasMax === 0 ? seen : underAlias(session, seen)
  const bytes = encodedSize(session.level, packet)
  if (bytes > session.packetBytesMax) return false
  if (packet !== seen) learnAlias(draft, session, packet)
  charge(draft, session, bytes)
  countPublished(draft, 1, bytes, packet.payload)
  // The identifier must not be another's after a restart. With a full store QoS 1 goes all the
  // same: it may come twice. QoS 0 that has waited must not come again.
  const isHeld = session.stored &&
    (draft.isStoreFull ? packet.qos > 1 : packet.qos > 0 || waited)
  draft.effects.push(send(session.conn!, session.level, packet, isHeld ? 'durable' : 'now'))
  return true
}
