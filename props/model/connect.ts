// From an opened connection to an accepted CONNECT.

import type { Conn, Peer } from '../../core/broker/input.ts'
import type { Ending } from '../../core/broker/note.ts'
import type { Connect } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/property.ts'
import * as B from '../../core/data/bytes.ts'
import { resume } from './deliver.ts'
import { endSession, expel, refuse } from './leave.ts'
import type { Link, Model } from './state.ts'
import { createSession, NEVER, noted, tell } from './state.ts'

const isLoopback = (peer: Peer): boolean => peer.address.startsWith('127.')

/**
 * Whether there is any time, from a connection that was accepted to now, in which with one more
 * there would have been more than a burst and what the rate lets pass.
 */
const isTooOften = (model: Model, { address }: Peer): boolean => {
  const { connectionRatePerAddress: rate, connectionBurstPerAddress: burst } = model.config
  if (rate === 0) return false
  const same = model.accepted.filter((one) => one.address === address)
  // A connection takes whole microseconds.
  const tookUs = Math.ceil(1_000_000 / rate)
  return burst === 0 ||
    same.some(({ at }, index) =>
      (same.length - index + 1 - burst) * tookUs > (model.now - at) * 1000
    )
}

export const opened = (model: Model, conn: Conn, peer: Peer, nonce: string): void => {
  const { config } = model
  const turnAway = (ending: Ending, reason: number): void => {
    noted(model, `ended ${ending} ${reason}`)
    model.said.push({ _tag: 'Closed', conn, reason })
  }
  const sameAddress = model.links.filter((one) => one.peer.address === peer.address)
  if (
    model.stopping || model.links.length >= config.connectionsMax ||
    (!isLoopback(peer) && sameAddress.length >= config.connectionsPerAddressMax)
  ) {
    return turnAway(model.stopping ? 'server shutting down' : 'too many connections', 0x97)
  }
  if (!isLoopback(peer) && isTooOften(model, peer)) return turnAway('connecting too often', 0x9f)
  model.accepted.push({ address: peer.address, at: model.now })
  const hesitating = model.links.filter((one) => one.phase !== 'ready')
  const oldest = hesitating[0]
  if (
    oldest !== undefined && hesitating.length >= config.unauthenticatedMax &&
    model.now - oldest.seenAt >= config.unauthenticatedGraceMs
  ) refuse(model, oldest, 0, 0x97, 'too many connections')
  model.links.push({
    conn,
    peer,
    nonce,
    openedAt: model.now,
    phase: 'greeting',
    connect: null,
    seenAt: model.now,
    keepAliveMs: 0,
    aliases: [],
    session: null,
  })
}

export const isReserved = (topic: string, bridge: boolean): boolean =>
  ['$SYS', '$CONTROL'].includes(topic.split('/')[0]!) &&
  !(bridge && topic.startsWith('$SYS/broker/connection/'))

export const connect = (model: Model, link: Link, packet: Connect): void => {
  const { level, cleanStart, clientId } = packet
  const { keepAliveMaxS } = model.config
  if (packet.properties.authenticationMethod !== undefined) {
    return refuse(model, link, level, 0x8c, 'not authorised') // [MQTT-4.12.0-1]
  }
  // 3.1 has no empty client identifiers, 3.1.1 none for sessions that last. [v3 MQTT-3.1.3-8]
  if (clientId === '' && (level === 3 || (level === 4 && !cleanStart))) {
    return refuse(model, link, level, 0x85, 'refused')
  }
  if (level < 5 && keepAliveMaxS > 0 && keepAliveOf(model, packet) !== packet.keepAliveS) {
    return refuse(model, link, level, 0x85, 'refused')
  }
  const { maximumQos, retainAvailable } = model.config
  if (
    packet.will !== null && (packet.will.qos > maximumQos || // [MQTT-3.2.2-12]
      (packet.will.retain && !retainAvailable))
  ) { // [MQTT-3.2.2-13]
    const reason = packet.will.qos > maximumQos ? 0x9b : 0x9a
    return refuse(model, link, level === 5 ? 5 : 0, reason, 'refused')
  }
  if (packet.will !== null && isReserved(packet.will.topic, packet.bridge)) {
    return refuse(model, link, level, 0x87, 'not authorised')
  }
  if (model.config.authentication === 'judge') {
    const { will } = packet
    link.phase = 'judging'
    link.seenAt = model.now
    link.connect = will === null
      ? packet
      : { ...packet, will: { ...will, payload: B.own(will.payload) } }
    model.said.push({ _tag: 'Asked', conn: link.conn })
    return
  }
  begin(model, link, packet)
}

const keepAliveOf = (model: Model, packet: Connect): number => {
  const { keepAliveMaxS } = model.config
  if (keepAliveMaxS === 0) return packet.keepAliveS
  return packet.keepAliveS === 0 ? keepAliveMaxS : Math.min(packet.keepAliveS, keepAliveMaxS)
}

export const begin = (model: Model, link: Link, packet: Connect): void => {
  const { config } = model
  const { level, properties } = packet
  const five = level === 5
  const clientId = packet.clientId === '' ? `auto-${link.nonce}` : packet.clientId
  const find = () => model.sessions.find((one) => one.clientId === clientId)
  if (find() === undefined && model.sessions.length >= config.sessionsMax) {
    return refuse(model, link, level, 0x97, 'too many connections')
  }
  if (find() === undefined && model.isShort) {
    return refuse(model, link, level, 0x97, 'memory short')
  }
  const holder = find()?.link
  if (holder !== undefined && holder !== null) {
    expel(model, holder, 'session taken over', 0x8e) // [MQTT-3.1.4-3]
  }
  const former = find()
  if (former !== undefined && packet.cleanStart) endSession(model, former, 'clean start')
  const old = find() // [MQTT-3.1.2-4]
  const session = old ?? createSession(clientId)
  if (old === undefined) model.sessions.push(session)
  const keepAliveS = keepAliveOf(model, packet)
  const asked = five ? properties.sessionExpiryInterval ?? 0 : packet.cleanStart ? 0 : 0xffffffff
  session.link = link
  session.level = level
  session.expiryS = Math.min(asked, config.sessionExpiryMaxS)
  session.offlineAt = NEVER
  session.will = null
  session.willAt = NEVER
  if (packet.will !== null) {
    const { willDelayInterval, ...rest } = packet.will.properties
    session.willDelayMs = (willDelayInterval ?? 0) * 1000
    session.will = {
      topic: packet.will.topic,
      qos: packet.will.qos,
      retain: packet.will.retain,
      payload: B.own(packet.will.payload),
      properties: rest,
      expiresAt: NEVER,
    }
  }
  session.windowMax = Math.min(
    properties.receiveMaximum ?? 65_535,
    config.inflightCountMax === 0 ? 65_535 : config.inflightCountMax,
  )
  session.packetBytesMax = properties.maximumPacketSize ?? NEVER
  session.aliasMax = Math.min(properties.topicAliasMaximum ?? 0, config.outgoingTopicAliasMax)
  session.aliases = [] // [MQTT-3.3.2-7]
  session.sentBytes = 0
  session.takenBytes = 0
  session.progressAt = model.now
  link.phase = 'ready'
  link.session = session
  link.connect = packet
  link.seenAt = model.now
  link.keepAliveMs = keepAliveS * 1000
  noted(model, `connected "${clientId}" ${old !== undefined}`)
  const said: { -readonly [K in keyof Properties]: Properties[K] } = {}
  if (five) {
    if (config.topicAliasMaximum > 0) said.topicAliasMaximum = config.topicAliasMaximum
    if (session.expiryS !== (properties.sessionExpiryInterval ?? 0)) {
      said.sessionExpiryInterval = session.expiryS
    }
    if (keepAliveS !== packet.keepAliveS) said.serverKeepAlive = keepAliveS
    if (packet.clientId === '') said.assignedClientIdentifier = clientId
    said.maximumPacketSize = config.packetBytesMax
    said.receiveMaximum = config.receiveMaximum
    if (!config.retainAvailable) said.retainAvailable = 0
    if (config.maximumQos < 2) said.maximumQos = config.maximumQos === 0 ? 0 : 1
    if (!config.wildcardAvailable) said.wildcardSubscriptionAvailable = 0
    if (!config.subscriptionIdentifiersAvailable) said.subscriptionIdentifierAvailable = 0
    if (!config.sharedAvailable) said.sharedSubscriptionAvailable = 0
  }
  tell(model, session, {
    _tag: 'Connack',
    sessionPresent: old !== undefined && level !== 3,
    reason: 0,
    properties: said,
  })
  resume(model, session)
}
