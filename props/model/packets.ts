// What a connected client may send, and what follows from it.

import type { Auth, Packet, Publish } from '../../core/codec/packet.ts'
import { none } from '../../core/codec/properties.ts'
import * as B from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { splitShare } from '../../core/topic/filter.ts'
import { filter, name } from '../gen/histories.ts'
import { denied, maySubscribe, mayWrite, refused as refusedTo } from './access.ts'
import { first, last, method } from './authenticate.ts'
import { connect, follow, isMislabelled, isReserved } from './connect.ts'
import { drain } from './deliver.ts'
import { expel, faulty, unlink } from './leave.ts'
import { carryOn, catchUp, keep, objection } from './retain.ts'
import { publishIfAllowed, route } from './route.ts'
import { giveQueued } from './hand-over.ts'
import { joinGroup, leaveGroup } from './share.ts'
import type { Link, Message, Model, Session, Subscription } from './state.ts'
import { dropped, expiryOf, lower, noted, sizeOf, tell } from './state.ts'

export const arrived = (model: Model, link: Link, packet: Packet): void => {
  const { session } = link
  if (link.phase === 'authenticating') return authenticating(model, link, packet)
  if (session === null) {
    if (link.phase === 'greeting' && packet._tag === 'Connect') return connect(model, link, packet)
    return faulty(model, link, 0x82, 0)
  }
  const reason = serve(model, link, session, whole(session.mount, packet))
  if (reason === 'fine') link.seenAt = model.now
  else if (reason === 'memory short') expel(model, link, reason, 0x97)
  else expel(model, link, 'protocol error', reason)
}

/** What a client says, with its mount point before every topic. */
const whole = (mount: string, packet: Packet): Packet => {
  const mounted = (text: TopicFilter): TopicFilter =>
    filter(text.replace(/^(\$share\/[^/]*\/)?/, (share) => share + mount))
  switch (packet._tag) {
    case 'Publish':
      return packet.topic === '' ? packet : { ...packet, topic: name(mount + packet.topic) }
    case 'Subscribe': {
      const requests = packet.requests.map((one) => ({ ...one, filter: mounted(one.filter) }))
      return { ...packet, requests }
    }
    case 'Unsubscribe':
      return { ...packet, filters: packet.filters.map(mounted) }
    default:
      return packet
  }
}

type Outcome = number | 'memory short' | 'fine'

/** Before CONNACK a client that authenticates itself may go on with that, or leave. */
const authenticating = (model: Model, link: Link, packet: Packet): void => {
  link.seenAt = model.now
  if (packet._tag === 'Disconnect') {
    model.said.push({ _tag: 'Closed', conn: link.conn, reason: 0 })
    return unlink(model, link, 'disconnected', packet.reason, false)
  }
  const { dialogue } = link
  if (
    packet._tag !== 'Auth' || packet.properties.authenticationMethod !== method ||
    packet.reason !== 0x18 || dialogue?.waits !== 'final'
  ) return faulty(model, link, 0x82, 5)
  const { authenticationData } = packet.properties
  follow(model, link, last(dialogue, authenticationData, model.config.authenticationBytesMax))
}

/** AUTH of a connected client. */
const renew = (model: Model, link: Link, packet: Auth): number | 'fine' => {
  const { authenticationMethod, authenticationData } = packet.properties
  const { dialogue } = link
  const { authenticationMethods, authenticationBytesMax, connectTimeoutMs } = model.config
  if (link.provedName === null || authenticationMethod !== method) return 0x82
  if (dialogue !== null) {
    if (packet.reason !== 0x18 || dialogue.waits !== 'final') return 0x82
    follow(model, link, last(dialogue, authenticationData, authenticationBytesMax))
    return 'fine'
  }
  if (packet.reason !== 0x19) return 0x82
  link.renewalAt = model.now + connectTimeoutMs
  const isOffered = authenticationMethods.includes(method)
  follow(model, link, isOffered ? first(authenticationData, authenticationBytesMax) : 0x8c)
  return 'fine'
}

/** Does what a packet asks for; answers the reason code with which it ends the connection. */
const serve = (model: Model, link: Link, session: Session, packet: Packet): Outcome => {
  const { level } = session
  switch (packet._tag) {
    case 'Publish':
      return publish(model, link, session, packet)
    case 'Puback':
    case 'Pubrec':
    case 'Pubcomp':
      return acknowledged(model, session, packet)
    case 'Pubrel': {
      const { packetId } = packet
      const found = session.incoming.find((one) => one.packetId === packetId)
      session.incoming = session.incoming.filter((one) => one !== found)
      if (found !== undefined && found.message !== null) {
        publishIfAllowed(model, session, found.message, 'publish')
      }
      const reason = found === undefined && level === 5 ? 0x92 : 0
      tell(model, session, { _tag: 'Pubcomp', packetId, reason, properties: none })
      return 'fine'
    }
    case 'Subscribe': {
      const { packetId } = packet
      if (isTooMuch(session, packetId, packet.requests.length)) return 0x95
      const begun: Array<Subscription> = []
      const replaced: Array<readonly [Subscription, Subscription]> = []
      const identifiers = packet.properties.subscriptionIdentifiers ?? []
      const { config, rules } = link.promised!
      const missing = packet.requests.map(({ filter }) =>
        splitShare(filter) !== null && !config.sharedAvailable
          ? 0x9e
          : /[+#]/.test(filter) && !config.wildcardAvailable
          ? 0xa2
          : 0
      )
      if (level === 5) {
        if (identifiers.length > 0 && !config.subscriptionIdentifiersAvailable) return 0xa1
        const first = missing.find((reason) => reason !== 0)
        if (first !== undefined) return first
      }
      const bridge = link.connect?.bridge ?? false
      const surplus: Array<string> = []
      const reasons = packet.requests.map((request, index) => {
        const old = session.subscriptions.find((one) => one.filter === request.filter)
        if (index < model.config.filtersPerPacketMax && missing[index] !== 0) return missing[index]!
        if (
          index < model.config.filtersPerPacketMax && !maySubscribe(model, session, request.filter)
        ) {
          denied(model, session, 'subscribe', request.filter)
          return 0x87
        }
        const isSurplus = index >= model.config.filtersPerPacketMax ||
          (old === undefined &&
            session.subscriptions.length >= model.config.subscriptionsPerSessionMax)
        if (isSurplus) surplus.push(request.filter)
        if (isSurplus || (old === undefined && model.isShort)) return 0x97
        const share = splitShare(request.filter)
        const subscription: Subscription = {
          session,
          filter: request.filter,
          topics: share === null ? request.filter : share.filter,
          group: share === null ? null : share.group,
          qos: lower(request.qos, rules.maximumQos),
          noLocal: request.noLocal || (bridge && level !== 5),
          retainAsPublished: request.retainAsPublished || bridge,
          identifiers,
          joined: old === undefined ? model.joined++ : old.joined,
        }
        if (old === undefined) {
          session.subscriptions.push(subscription)
          joinGroup(model, subscription)
        } else {
          session.subscriptions = session.subscriptions.map((one) =>
            one === old ? subscription : one
          )
        }
        const { retainHandling } = request
        const wanted = retainHandling === 0 || (retainHandling === 1 && old === undefined)
        if (wanted && share === null) begun.push(subscription) // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
        else if (old !== undefined) replaced.push([old, subscription])
        return subscription.qos
      })
      if (surplus.length > 0) {
        noted(model, `surplus "${session.clientId}" ${surplus.length} ${surplus[0]}`)
      }
      tell(model, session, { _tag: 'Suback', packetId, reasons, properties: none })
      // One may have been replaced by a later request of the same packet. [MQTT-3.8.4-5]
      carryOn(session, replaced)
      for (const one of begun) catchUp(model, session, one)
      carryOn(session, replaced)
      return 'fine'
    }
    case 'Unsubscribe': {
      if (isTooMuch(session, packet.packetId, packet.filters.length)) return 0x95
      const reasons = packet.filters.map((filter) => {
        const old = session.subscriptions.find((one) => one.filter === filter)
        if (old === undefined) return 0x11
        session.subscriptions = session.subscriptions.filter((one) => one !== old)
        leaveGroup(model, session, old)
        if (old.group !== null) giveQueued(model, session, old, 'left')
        return 0
      })
      const { packetId } = packet
      tell(model, session, { _tag: 'Unsuback', packetId, reasons, properties: none })
      return 'fine'
    }
    case 'Auth':
      return renew(model, link, packet)
    case 'Pingreq':
      tell(model, session, { _tag: 'Pingresp' })
      return 'fine'
    case 'Disconnect': {
      const expiryS = packet.properties.sessionExpiryInterval
      if (expiryS !== undefined) {
        if ((link.connect?.properties.sessionExpiryInterval ?? 0) === 0 && expiryS > 0) return 0x82
        // It was told that there is none.
        const isLasting = session.expiryS > 0
        if (isLasting) session.expiryS = Math.min(expiryS, model.config.sessionExpiryMaxS)
      }
      model.said.push({ _tag: 'Closed', conn: link.conn, reason: 0 })
      unlink(model, link, 'disconnected', packet.reason, packet.reason !== 0)
      return 'fine'
    }
    default:
      return 0x82
  }
}

/** Whether a SUBACK (or UNSUBACK, which is as long) is more than the client takes. */
const isTooMuch = (session: Session, packetId: number, count: number): boolean => {
  const reasons = new Array<number>(count).fill(0)
  const suback: Packet = { _tag: 'Suback', packetId, reasons, properties: none }
  return sizeOf(session.level, suback) > session.packetBytesMax // [MQTT-3.1.2-24]
}

const publish = (
  model: Model,
  link: Link,
  session: Session,
  packet: Publish,
): Outcome => {
  const { config } = model
  const { config: told, rules } = link.promised!
  const { topicAlias, ...properties } = packet.properties
  if (properties.subscriptionIdentifiers !== undefined) return 0x82 // [MQTT-3.3.4-6]
  if (packet.qos > rules.maximumQos) return 0x9b // [MQTT-3.2.2-11]
  if (packet.retain && !told.retainAvailable) return 0x9a // [MQTT-3.2.2-14]
  let { topic } = packet
  if (topicAlias !== undefined) {
    if (topicAlias > rules.topicAliasMaximum) return 0x94 // [MQTT-3.3.2-9]
    if (topic === '') {
      const known = link.aliases.find((one) => one.alias === topicAlias)
      if (known === undefined) return 0x82
      topic = known.topic
    } else {
      link.aliases = link.aliases.filter((one) => one.alias !== topicAlias)
      link.aliases.push({ alias: topicAlias, topic })
    }
  }
  if (topic === '') return 0x82
  const { packetId, qos } = packet
  const message: Message = {
    topic,
    qos,
    retain: packet.retain,
    payload: B.own(packet.payload),
    properties,
    expiresAt: expiryOf(model, properties),
    who: session.who,
  }
  const reserved = isReserved(model, link, topic) || !mayWrite(model, session, topic)
  const unretained = packet.retain && B.size(packet.payload) > 0 ? objection(model, message) : null
  const five = session.level === 5
  const mislabelled = config.payloadFormatCheck && isMislabelled(message)
  if (mislabelled && qos === 0) return 0x99
  const large = config.payloadBytesMax > 0 && B.size(message.payload) > config.payloadBytesMax
  if (large && qos === 0) {
    dropped(model, null, topic, 0, 'too large')
    return 'fine'
  }

  if (qos > 0) {
    const held = session.incoming.find((one) => one.packetId === packetId)
    const isRepeated = held !== undefined && qos === 2 && (held.message === null ||
      (held.message.topic === topic && B.equals(held.message.payload, message.payload)))
    if (held !== undefined && !isRepeated) {
      // The client counts from the start again: what it never released is void.
      session.incoming = session.incoming.filter((one) => one !== held)
      if (held.message !== null) {
        dropped(model, session.clientId, held.message.topic, 2, 'session ended')
      }
    } else if (held !== undefined) {
      tell(model, session, { _tag: 'Pubrec', packetId, reason: 0, properties: none })
      return 'fine'
    }
    // The quota is the connection's [MQTT-4.9.0-1], the limit on what is stored the session's.
    const unfinished = session.incoming.filter((one) => one.link === link).length
    if (five && unfinished >= told.receiveMaximum) return 0x93 // [MQTT-3.3.4-7]
    if (qos === 2 && session.incoming.length >= config.incomingCountMax) return 0x93
  }
  if (large && !five && qos === 2 && model.isShort) return 'memory short'
  if (mislabelled || large) {
    dropped(model, null, topic, qos, mislabelled ? 'payload format invalid' : 'too large')
    const _tag = qos === 1 ? 'Puback' : 'Pubrec'
    const reason = !five ? 0 : mislabelled ? 0x99 : 0x83
    // Who cannot be told goes through with it, for nothing.
    if (qos === 2 && !five) session.incoming.push({ packetId, message: null, link })
    tell(model, session, { _tag, packetId, reason, properties: none })
    return 'fine'
  }
  if (qos === 2) {
    const lacking = unretained ?? (model.isShort ? 'memory short' : null)
    if (!five && model.isShort) return 'memory short'
    if (reserved) refusedTo(model, session, 'publish', message)
    else if (lacking !== null && five) dropped(model, null, topic, 2, lacking)
    const refused = !five ? 0 : reserved ? 0x87 : lacking !== null ? 0x97 : 0
    if (refused === 0) session.incoming.push({ packetId, message: reserved ? null : message, link })
    tell(model, session, { _tag: 'Pubrec', packetId, reason: refused, properties: none })
    return 'fine'
  }
  let reason = 0
  if (reserved || unretained !== null) {
    if (reserved) refusedTo(model, session, 'publish', message)
    else dropped(model, null, topic, qos, unretained!)
    reason = reserved ? 0x87 : qos === 1 && five ? 0x97 : 0
    if (reason === 0) keep(model, { ...message, payload: B.empty })
  } else if (packet.retain) keep(model, message)
  if (reason === 0) reason = route(model, session, message)
  if (qos === 1 && !five && model.isShort && reason === 0x97) return 'memory short'
  if (qos === 1) {
    tell(model, session, { _tag: 'Puback', packetId, reason: five ? reason : 0, properties: none })
  }
  return 'fine'
}

const acknowledged = (
  model: Model,
  session: Session,
  packet: Extract<Packet, { readonly _tag: 'Puback' | 'Pubrec' | 'Pubcomp' }>,
): number | 'fine' => {
  const { packetId } = packet
  const found = session.window.find((one) => one.packetId === packetId)
  const five = session.level === 5
  if (found === undefined) {
    if (packet._tag === 'Pubrec' && packet.reason < 0x80) {
      const reason = five ? 0x92 : 0
      tell(model, session, { _tag: 'Pubrel', packetId, reason, properties: none })
    }
    return 'fine'
  }
  const fits = packet._tag === 'Puback'
    ? found.qos === 1
    : packet._tag === 'Pubrec'
    ? found.qos === 2
    : found.qos === 2 && found.stage === 'released'
  if (!fits) return 0x82
  if (packet._tag === 'Pubrec' && packet.reason < 0x80) {
    found.stage = 'released'
    tell(model, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
    return 'fine'
  }
  session.window = session.window.filter((one) => one !== found)
  drain(model, session)
  return 'fine'
}
