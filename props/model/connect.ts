// From an opened connection to an accepted CONNECT.

import type { Opened, Peer } from '../../core/broker/input.ts'
import type { Ending } from '../../core/broker/note.ts'
import type { Connack, Connect, Will } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/properties.ts'
import * as B from '../../core/data/bytes.ts'
import { name } from '../gen/histories.ts'
import type { Next } from './authenticate.ts'
import { auth, first, method } from './authenticate.ts'
import { resume } from './deliver.ts'
import { endSession, expel, refuse } from './leave.ts'
import type { Link, Model, TakeOver } from './state.ts'
import { createSession, NEVER, noted, rulesFor, sizeOf, tell } from './state.ts'

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

export const opened = (model: Model, { conn, peer, nonce, listener }: Opened): void => {
  const { config } = model
  const turnAway = (ending: Ending, reason: number): void => {
    noted(model, `ended ${ending} ${reason}`)
    model.said.push({ _tag: 'Closed', conn, reason })
  }
  if (model.stopping) return turnAway('server shutting down', 0x97)
  if (model.links.length >= config.connectionsMax) {
    return turnAway('global_max_connections exceeded', 0x97)
  }
  const { listenerConnectionsMax } = rulesFor(model, listener)
  if (model.links.filter((one) => one.listener === listener).length >= listenerConnectionsMax) {
    return turnAway('max_connections exceeded', 0x97)
  }
  const sameAddress = model.links.filter((one) => one.peer.address === peer.address)
  if (!isLoopback(peer) && sameAddress.length >= config.connectionsPerAddressMax) {
    return turnAway('max_connections_per_address exceeded', 0x97)
  }
  if (!isLoopback(peer) && isTooOften(model, peer)) return turnAway('connecting too often', 0x9f)
  model.sums.opened++
  model.accepted.push({ address: peer.address, at: model.now })
  const hesitating = model.links.filter((one) => one.phase !== 'ready')
  const oldest = hesitating.find((one) => one.phase !== 'judging')
  if (
    oldest !== undefined && hesitating.length >= config.unauthenticatedMax &&
    model.now - oldest.seenAt >= config.unauthenticatedGraceMs
  ) refuse(model, oldest, 0, 0x97, 'too many without CONNECT')
  model.links.push({
    conn,
    peer,
    nonce,
    listener,
    openedAt: model.now,
    phase: 'greeting',
    connect: null,
    isDoubted: false,
    revoked: [],
    seenAt: model.now,
    keepAliveMs: 0,
    aliases: [],
    session: null,
    dialogue: null,
    renewalAt: NEVER,
    provedName: null,
    promised: null,
    authBytes: 0,
  })
}

/** Of a bridge's state an access list may decide, where there is one. */
export const isReserved = (
  model: Model,
  { connect, listener }: Link,
  topic: string,
): boolean => {
  const isTrusted = connect?.bridge === true || rulesFor(model, listener).acl !== null
  return ['$SYS', '$CONTROL', '$share'].includes(topic.split('/')[0]!) &&
    !/^\$SYS\/broker\/connection\/[^/]*\/state$/.test(topic) &&
    !(isTrusted && topic.startsWith('$SYS/broker/connection/'))
}

/** A CONNECT with nothing wrong in it under the rules of the moment; null for one refused. */
const sound = (model: Model, link: Link, arrived: Connect): Connect | null => {
  const refused = (asked: Parameters<typeof refuse>[2], reason: number, ending: Ending): null => {
    refuse(model, link, asked, reason, ending)
    return null
  }
  const mount = rulesFor(model, link.listener).mountPoint
  const packet = arrived.will === null ? arrived : {
    ...arrived,
    will: { ...arrived.will, topic: name(mount + arrived.will.topic) },
  }
  const { level, cleanStart, clientId } = packet
  const { keepAliveMaxS } = model.config
  const { redirect, authenticationMethods, payloadFormatCheck } = model.config
  if (redirect !== 'none') {
    const reason = redirect === 'server moved' ? 0x9d : 0x9c
    return refused(level === 5 ? packet : 0, reason, 'redirected')
  }
  const rules = rulesFor(model, link.listener)
  if (rules.protocolLevels.every((one) => one !== level)) {
    return refused(packet, 0x84, 'refused')
  }
  const { authenticationMethod } = packet.properties
  const isOffered = authenticationMethods.some((one) => one === authenticationMethod)
  if (authenticationMethod !== undefined && !isOffered) {
    return refused(packet, 0x8c, 'not authorised') // [MQTT-4.12.0-1]
  }
  if (!packet.userName && !isOffered && !rules.allowAnonymous) {
    return refused(packet, 0x87, 'not authorised')
  }
  // 3.1 has no empty client identifiers, 3.1.1 none for sessions that last. [v3 MQTT-3.1.3-8]
  if (clientId === '' && (level === 3 || (level === 4 && !cleanStart))) {
    return refused(level, 0x85, 'refused')
  }
  if (clientId === '' && !rules.emptyClientIds) {
    return refused(packet, level === 5 ? 0x80 : 0x85, 'refused')
  }
  if (level < 5 && keepAliveMaxS > 0 && keepAliveOf(model, packet) !== packet.keepAliveS) {
    return refused(level, 0x85, 'refused')
  }
  const { payloadBytesMax, retainAvailable } = model.config
  const { maximumQos } = rules
  const willBytes = packet.will === null ? 0 : B.size(packet.will.payload)
  if (payloadBytesMax > 0 && willBytes > payloadBytesMax) {
    return refused(packet, level === 5 ? 0x95 : 0x87, 'refused')
  }
  if (
    packet.will !== null && (packet.will.qos > maximumQos || // [MQTT-3.2.2-12]
      (packet.will.retain && !retainAvailable))
  ) { // [MQTT-3.2.2-13]
    const reason = packet.will.qos > maximumQos ? 0x9b : 0x9a
    return refused(level === 5 ? packet : 0, reason, 'refused')
  }
  if (packet.will !== null && isReserved(model, { ...link, connect: packet }, packet.will.topic)) {
    return refused(packet, 0x87, 'not authorised')
  }
  if (packet.will !== null && payloadFormatCheck && isMislabelled(packet.will)) {
    return refused(packet, 0x99, 'refused')
  }
  return packet
}

export const connect = (model: Model, link: Link, arrived: Connect): void => {
  const packet = sound(model, link, arrived)
  if (packet === null) return
  const { authenticationMethod, authenticationData } = packet.properties
  if (authenticationMethod !== undefined) {
    link.phase = 'authenticating'
    link.seenAt = model.now
    link.connect = lasting(arrived)
    return follow(model, link, first(authenticationData, model.config.authenticationBytesMax))
  }
  if (rulesFor(model, link.listener).authentication === 'judge') {
    link.phase = 'judging'
    link.seenAt = model.now
    link.connect = lasting(arrived)
    model.said.push({ _tag: 'Asked', conn: link.conn, what: 'judge' })
    return
  }
  begin(model, link, packet, null)
}

/** Lets in who was asked about: by now other rules may hold. */
export const enter = (
  model: Model,
  link: Link,
  asked: Connect,
  proved: Parameters<typeof begin>[3],
): void => {
  const packet = sound(model, link, asked)
  if (packet !== null) begin(model, link, packet, proved)
}

const lasting = (packet: Connect): Connect => {
  const { will } = packet
  return will === null ? packet : { ...packet, will: { ...will, payload: B.own(will.payload) } }
}

/** Whether a payload is said to be UTF-8 and is not. */
export const isMislabelled = (it: Pick<Will, 'payload' | 'properties'>): boolean => {
  if (it.properties.payloadFormatIndicator !== 1) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(B.view(it.payload))
    return false
  } catch {
    return true
  }
}

/** What comes of a step of an authentication, before CONNACK or after it. */
export const follow = (model: Model, link: Link, next: Next): void => {
  const { session, connect: asked } = link
  const most = asked?.properties.maximumPacketSize ?? NEVER
  const fail = (reason: number): void =>
    session !== null
      ? expel(model, link, 'not authorised', reason)
      : refuse(model, link, asked ?? 0, reason, 'not authorised')
  if (typeof next === 'number') return fail(next)
  if ('dialogue' in next && next.told === null) {
    link.dialogue = next.dialogue
    const { waits, userName } = next.dialogue
    model.said.push({ _tag: 'Asked', conn: link.conn, what: `${waits} of ${userName}` })
    return
  }
  if (!('dialogue' in next) && session === null) {
    if (asked !== null) enter(model, link, asked, next)
    return
  }
  // Nobody becomes another by proving himself again.
  if (!('dialogue' in next) && next.userName !== link.provedName) return fail(0x87)
  const packet = auth('dialogue' in next ? 0x18 : 0x00, next.told ?? '')
  if (sizeOf(5, packet) > most) return fail(0x95)
  link.dialogue = 'dialogue' in next ? next.dialogue : null
  if (link.dialogue === null) link.renewalAt = NEVER
  if (session !== null) return tell(model, session, packet)
  link.authBytes += sizeOf(5, packet)
  model.said.push({ _tag: 'Sent', conn: link.conn, level: 5, packet })
}

const keepAliveOf = (model: Model, packet: Connect): number => {
  const { keepAliveMaxS } = model.config
  if (keepAliveMaxS === 0) return packet.keepAliveS
  return packet.keepAliveS === 0 ? keepAliveMaxS : Math.min(packet.keepAliveS, keepAliveMaxS)
}

const begin = (
  model: Model,
  link: Link,
  packet: Connect,
  proved: { readonly userName: string; readonly told: string } | null,
): void => {
  const { config } = model
  const rules = rulesFor(model, link.listener)
  const { level, properties } = packet
  const five = level === 5
  const userName = proved === null ? packet.userName || null : proved.userName
  if (rules.userNameAsClientId && (userName ?? '') === '') {
    return refuse(model, link, packet, 0x87, 'not authorised')
  }
  const own = packet.clientId === '' ? rules.autoIdPrefix + link.nonce : packet.clientId
  if (config.clientIdPrefix !== null && !own.startsWith(config.clientIdPrefix)) {
    return refuse(model, link, packet, 0x87, 'not authorised')
  }
  const clientId = rules.userNameAsClientId ? userName ?? '' : own
  const find = () => model.sessions.find((one) => one.clientId === clientId)
  const keepAliveS = keepAliveOf(model, packet)
  const asked = five ? properties.sessionExpiryInterval ?? 0 : packet.cleanStart ? 0 : 0xffffffff
  const expiryS = Math.min(asked, config.sessionExpiryMaxS)
  const most = properties.maximumPacketSize ?? NEVER
  let said: Properties = {}
  if (five) {
    said = {
      ...(rules.topicAliasMaximum > 0 && { topicAliasMaximum: rules.topicAliasMaximum }),
      ...(expiryS !== asked && { sessionExpiryInterval: expiryS }),
      ...(keepAliveS !== packet.keepAliveS && { serverKeepAlive: keepAliveS }),
      ...(packet.clientId === '' && { assignedClientIdentifier: clientId }),
      ...(proved !== null && {
        authenticationMethod: method,
        authenticationData: B.of(new TextEncoder().encode(proved.told)),
      }),
      ...(!config.retainAvailable && { retainAvailable: 0 }),
      maximumPacketSize: config.packetBytesMax,
      receiveMaximum: config.receiveMaximum,
      ...(rules.maximumQos < 2 && { maximumQos: rules.maximumQos === 0 ? 0 : 1 }),
      ...(!config.wildcardAvailable && { wildcardSubscriptionAvailable: 0 }),
      ...(!config.subscriptionIdentifiersAvailable && { subscriptionIdentifierAvailable: 0 }),
      ...(!config.sharedAvailable && { sharedSubscriptionAvailable: 0 }),
    }
    const pattern = config.responseInformation
    if (pattern !== null && properties.requestResponseInformation === 1) {
      const names = [
        ...(pattern.includes('%c') ? [clientId] : []),
        ...(pattern.includes('%u') ? [userName] : []),
      ]
      const made = pattern.replace(/%[cu]/g, (sign) => (sign === '%c' ? clientId : userName) ?? '')
      const fuller = { ...said, responseInformation: made }
      if (
        names.every((name) => name !== null && !/[/+#]/.test(name)) &&
        sizeOf(5, connackOf(false, fuller)) <= most
      ) said = fuller
    }
    // A CONNACK that the client would not take is none. [MQTT-3.1.2-24]
    if (sizeOf(5, connackOf(false, said)) > most) return refuse(model, link, 0, 0x95, 'refused')
  }
  if (find() === undefined && model.sessions.length >= config.sessionsMax) {
    return refuse(model, link, packet, 0x97, 'global_max_clients exceeded')
  }
  if (find() === undefined && model.isShort) {
    return refuse(model, link, packet, 0x97, 'memory short')
  }
  const holder = find()?.link
  if (holder !== undefined && holder !== null) {
    expel(model, holder, 'session taken over', 0x8e) // [MQTT-3.1.4-3]
    model.takeOvers.push({ clientId, at: model.now, by: link, from: holder })
    contested(model, clientId, holder, link)
  }
  const former = find()
  if (former !== undefined && packet.cleanStart) endSession(model, former, 'clean start')
  const old = find() // [MQTT-3.1.2-4]
  const session = old ?? createSession(clientId)
  if (old === undefined) model.sessions.push(session)
  session.link = link
  session.who = { clientId, userName, listener: link.listener }
  session.level = level
  session.expiryS = expiryS
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
      who: session.who,
    }
  }
  session.windowMax = Math.min(
    properties.receiveMaximum ?? 65_535,
    config.inflightCountMax === 0 ? 65_535 : config.inflightCountMax,
  )
  session.packetBytesMax = properties.maximumPacketSize ?? NEVER
  session.aliasMax = Math.min(properties.topicAliasMaximum ?? 0, rules.outgoingTopicAliasMax)
  session.mount = rules.mountPoint
  session.aliases = [] // [MQTT-3.3.2-7]
  session.sentBytes = link.authBytes
  session.takenBytes = 0
  session.progressAt = model.now
  link.phase = 'ready'
  link.promised = { config, rules }
  link.dialogue = null
  link.provedName = proved === null ? null : proved.userName
  link.session = session
  link.connect = packet
  link.seenAt = model.now
  link.keepAliveMs = keepAliveS * 1000
  noted(model, `connected "${clientId}" ${old !== undefined}`)
  tell(model, session, connackOf(old !== undefined && level !== 3, said))
  resume(model, session)
}

/** Two clients by one name: three take-overs in a row, none later than half a minute. */
const contested = (model: Model, clientId: string, holder: Link, link: Link): void => {
  const row: Array<TakeOver> = []
  for (const one of [...model.takeOvers].reverse()) {
    if (one.clientId !== clientId) continue
    const later = row[0]
    if (later !== undefined && (later.from !== one.by || later.at - one.at > 30_000)) break
    row.unshift(one)
  }
  const first = row[0]!
  const said = model.contests.filter((one) => one.first === first)
  if (row.length < 3 || said.some((one) => model.now - one.at < 600_000)) return
  model.marks.add('a name was contested')
  model.contests.push({ first, at: model.now })
  noted(model, `contested "${clientId}" ${holder.peer.port} ${link.peer.port}`)
}

const connackOf = (sessionPresent: boolean, properties: Properties): Connack => ({
  _tag: 'Connack',
  sessionPresent,
  reason: 0,
  properties,
})
