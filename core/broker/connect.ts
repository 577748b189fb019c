// From an opened connection to an accepted CONNECT: limits, the client identifier, take-over, the
// session that is resumed or begun, and what the CONNACK says.

import type { Connect, Level, Publish } from '../codec/packet.ts'
import { none, type Properties } from '../codec/property.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import type { TopicName } from '../topic/name.ts'
import { enter, isCrowded, isTooOften } from './address.ts'
import { resume } from './deliver.ts'
import { type Draft, type EditableSession, editSession, note, setPhase } from './draft.ts'
import { close, judge, pause, resume as resumeReading } from './effect.ts'
import type { Opened } from './input.ts'
import { endSession, expel, refuse } from './leave.ts'
import type { Ending } from './note.ts'
import { isBridgeState, isReserved } from './publish.ts'
import { keep } from './route.ts'
import { wakeLink } from './schedule.ts'
import { EXPIRY_NEVER_S, type Link, NEVER, type Session, type SessionWill } from './state.ts'
import { tell } from './tell.ts'

const CLIENT_IDENTIFIER_NOT_VALID = 0x85
const NOT_AUTHORIZED = 0x87
const BAD_AUTHENTICATION_METHOD = 0x8c
const QUOTA_EXCEEDED = 0x97
const RETAIN_NOT_SUPPORTED = 0x9a
const QOS_NOT_SUPPORTED = 0x9b
const SESSION_TAKEN_OVER = 0x8e
const CONNECTION_RATE_EXCEEDED = 0x9f

/** A connection was accepted by the shell; it may not be by us. */
export const opened = (draft: Draft, input: Opened): void => {
  const { conn, at, listener, peer, nonce } = input
  if (IntMap.get(draft.links, conn.slot) !== undefined) {
    throw new Error(`slot ${conn.slot} was opened while it is in use`)
  }
  const { config } = draft
  if (draft.stopping) return turnAway(draft, input, 'server shutting down', QUOTA_EXCEEDED)
  if (IntMap.size(draft.links) >= config.connectionsMax || isCrowded(draft, peer.address)) {
    return turnAway(draft, input, 'too many connections', QUOTA_EXCEEDED)
  }
  if (isTooOften(draft, peer.address)) {
    return turnAway(draft, input, 'connecting too often', CONNECTION_RATE_EXCEEDED)
  }
  if (IntMap.size(draft.greeting) >= config.unauthenticatedMax) {
    // The one that has hesitated longest makes room; a crowd that has only just come in, after an
    // outage for one, is given the time to say CONNECT.
    const oldest = IntMap.get(draft.links, IntMap.first(draft.greeting)![1])!
    if (at - oldest.seenAt >= config.unauthenticatedGraceMs) {
      refuse(draft, oldest, 0, QUOTA_EXCEEDED, 'too many connections')
    }
  }
  const link: Link = {
    owner: draft.owner,
    conn,
    listener,
    peer,
    nonce,
    opening: nextOpening(draft),
    phase: { phase: 'Greeting' },
    seenAt: at,
    timerAt: NEVER,
  }
  draft.links = IntMap.set(draft.links, draft.owner, conn.slot, link)
  draft.greeting = IntMap.set(draft.greeting, draft.owner, link.opening, conn.slot)
  enter(draft, peer.address)
  wakeLink(draft, link, at + config.connectTimeoutMs)
  note(draft, { _tag: 'ConnectionOpened', conn, listener, peer })
}

/** Closes a connection at once and without a word, before anything is known of it. */
const turnAway = (
  draft: Draft,
  { conn, peer }: Opened,
  ending: Ending,
  reason: number,
): void => {
  draft.effects.push(close(conn, reason))
  note(draft, {
    _tag: 'ConnectionEnded',
    conn,
    clientId: null,
    peer,
    ending,
    reason,
    fault: null,
  })
}

/** A CONNECT arrived: refuse it, ask about it, or accept it. */
export const connect = (draft: Draft, link: Link, packet: Connect): void => {
  const { config } = draft
  const { level } = packet
  if (packet.properties.authenticationMethod !== undefined) { // [MQTT-4.12.0-1]
    refuse(draft, link, level, BAD_AUTHENTICATION_METHOD, 'not authorised')
    return
  }
  if (packet.clientId === '' && (level === 3 || (level === 4 && !packet.cleanStart))) {
    refuse(draft, link, level, CLIENT_IDENTIFIER_NOT_VALID, 'refused') // [v3 MQTT-3.1.3-8]
    return
  }
  if (config.keepAliveMaxS > 0 && level < 5 && isLongerThan(packet, config.keepAliveMaxS)) {
    // Before version 5 there is no way to tell the client, so it is refused, as mosquitto does.
    refuse(draft, link, level, CLIENT_IDENTIFIER_NOT_VALID, 'refused')
    return
  }
  if (packet.will !== null) {
    const { topic, qos, retain } = packet.will
    const unsupported = qos > config.maximumQos
      ? QOS_NOT_SUPPORTED // [MQTT-3.2.2-12]
      : retain && !config.retainAvailable
      ? RETAIN_NOT_SUPPORTED // [MQTT-3.2.2-13]
      : 0
    if (unsupported !== 0) {
      // Before version 5 there is no word for it: mosquitto closes in silence.
      refuse(draft, link, level === 5 ? level : 0, unsupported, 'refused')
      return
    }
    if (isReserved(topic) && !(packet.bridge && isBridgeState(topic))) {
      refuse(draft, link, level, NOT_AUTHORIZED, 'not authorised')
      return
    }
  }
  if (config.authentication === 'judge') {
    // What waits in the state holds no password; the question takes it to the judge.
    setPhase(draft, link, { phase: 'Judging', connect: { ...ownWill(packet), password: null } })
    draft.effects.push(pause(link.conn))
    draft.effects.push(
      judge(link.conn, {
        clientId: packet.clientId,
        userName: packet.userName,
        password: packet.password === null ? null : Bytes.own(packet.password),
        peer: link.peer,
      }),
    )
    return
  }
  accept(draft, link, packet)
}

/** Somebody answered the question about a client. */
export const judged = (draft: Draft, link: Link, packet: Connect, reason: number): void => {
  if (reason >= 0x80) {
    refuse(draft, link, packet.level, reason, 'not authorised')
    return
  }
  draft.effects.push(resumeReading(link.conn))
  accept(draft, link, packet)
}

const isLongerThan = (packet: Connect, maxS: number): boolean =>
  packet.keepAliveS === 0 || packet.keepAliveS > maxS

/** The CONNECT with a will in bytes of its own. */
const ownWill = (packet: Connect): Connect => {
  const { will } = packet
  if (will === null) return packet
  const { correlationData } = will.properties
  const properties = correlationData === undefined
    ? will.properties
    : { ...will.properties, correlationData: Bytes.own(correlationData) }
  return { ...packet, will: { ...will, payload: Bytes.own(will.payload), properties } }
}

const willOf = (draft: Draft, connect: Connect): SessionWill | null => {
  const { will } = connect
  if (will === null) return null
  const { willDelayInterval, ...properties } = will.properties
  const packet: Publish = {
    _tag: 'Publish',
    dup: false,
    qos: will.qos,
    retain: will.retain,
    topic: will.topic,
    packetId: 0,
    payload: will.payload,
    properties: Object.keys(properties).length === 0 ? none : properties,
  }
  return { delayMs: (willDelayInterval ?? 0) * 1000, message: keep(draft, packet, true) }
}

/** Seconds that the session outlives its connection, as the broker allows. */
const expiryOf = (packet: Connect, maxS: number): number => {
  const wanted = packet.level === 5
    ? packet.properties.sessionExpiryInterval ?? 0
    : packet.cleanStart
    ? 0
    : EXPIRY_NEVER_S
  return Math.min(wanted, maxS)
}

const accept = (draft: Draft, link: Link, packet: Connect): void => {
  const { config } = draft
  const { level, properties } = packet
  const clientId = packet.clientId === '' ? `auto-${link.nonce}` : packet.clientId
  let old = sessionOf(draft, clientId)
  if (old === undefined && IntMap.size(draft.sessions) >= config.sessionsMax) {
    refuse(draft, link, level, QUOTA_EXCEEDED, 'too many connections')
    return
  }
  if (old === undefined && draft.isShort) {
    // Who has a session is let in: it may empty it.
    refuse(draft, link, level, QUOTA_EXCEEDED, 'memory short')
    return
  }
  if (old !== undefined && old.conn !== null) { // [MQTT-3.1.4-3]
    const holder = IntMap.get(draft.links, old.conn.slot)!
    expel(draft, holder, 'session taken over', SESSION_TAKEN_OVER)
    old = sessionOf(draft, clientId)
  }
  if (old !== undefined && packet.cleanStart) { // [MQTT-3.1.2-4]
    endSession(draft, old, 'clean start')
    old = undefined
  }
  const sessionPresent = old !== undefined
  const session = old === undefined ? begin(draft, clientId) : editSession(draft, old)
  session.conn = link.conn
  session.level = level
  session.expiryS = expiryOf(packet, config.sessionExpiryMaxS)
  session.offlineAt = NEVER
  session.will = willOf(draft, packet) // replaces one that was delayed [MQTT-3.1.3-9]
  session.willAt = NEVER
  session.inflightCountMax = Math.min(
    properties.receiveMaximum ?? 65_535,
    config.inflightCountMax === 0 ? 65_535 : config.inflightCountMax,
  )
  session.packetBytesMax = properties.maximumPacketSize ?? NEVER
  session.aliasMax = Math.min(properties.topicAliasMaximum ?? 0, config.outgoingTopicAliasMax)
  session.aliases = StrMap.empty(draft.origin.seed) // [MQTT-3.3.2-7]
  session.receivingCount = 0 // the quota begins anew with the connection [MQTT-4.9.0-1]
  session.sentBytes = 0
  session.takenBytes = 0
  session.progressAt = draft.now
  session.isPaused = false

  const keepAliveS = config.keepAliveMaxS > 0 && isLongerThan(packet, config.keepAliveMaxS)
    ? config.keepAliveMaxS
    : packet.keepAliveS
  const ready = setPhase(draft, link, {
    phase: 'Ready',
    session: session.number,
    level,
    bridge: packet.bridge,
    keepAliveMs: keepAliveS * 1000,
    aliases: IntMap.empty<TopicName>(),
  })
  draft.greeting = IntMap.remove(draft.greeting, draft.owner, link.opening)
  ready.seenAt = draft.now
  if (keepAliveS > 0) wakeLink(draft, ready, draft.now + keepAliveS * 1500)

  note(draft, {
    _tag: 'ClientConnected',
    conn: link.conn,
    clientId,
    peer: link.peer,
    level,
    cleanStart: packet.cleanStart,
    keepAliveS: packet.keepAliveS,
    userName: packet.userName,
    sessionPresent,
  })
  tell(draft, session, {
    _tag: 'Connack',
    sessionPresent: sessionPresent && level !== 3, // the byte is reserved in 3.1
    reason: 0,
    properties: level === 5 ? announcement(draft, packet, clientId, session, keepAliveS) : none,
  })
  resume(draft, session)
}

/** The properties of a successful CONNACK, in the order in which mosquitto sends them. */
const announcement = (
  draft: Draft,
  packet: Connect,
  clientId: string,
  session: Session,
  keepAliveS: number,
): Properties => {
  const { config } = draft
  return {
    ...(config.topicAliasMaximum > 0 ? { topicAliasMaximum: config.topicAliasMaximum } : {}),
    ...(session.expiryS !== (packet.properties.sessionExpiryInterval ?? 0)
      ? { sessionExpiryInterval: session.expiryS }
      : {}),
    ...(keepAliveS !== packet.keepAliveS ? { serverKeepAlive: keepAliveS } : {}), // [MQTT-3.1.2-21]
    ...(packet.clientId === '' ? { assignedClientIdentifier: clientId } : {}), // [MQTT-3.1.3-7]
    ...(config.retainAvailable ? {} : { retainAvailable: 0 }),
    maximumPacketSize: config.packetBytesMax,
    receiveMaximum: config.receiveMaximum,
    ...(config.maximumQos === 2 ? {} : { maximumQos: config.maximumQos }), // [MQTT-3.2.2-9]
    ...(config.wildcardAvailable ? {} : { wildcardSubscriptionAvailable: 0 }),
    ...(config.subscriptionIdentifiersAvailable ? {} : { subscriptionIdentifierAvailable: 0 }),
    ...(config.sharedAvailable ? {} : { sharedSubscriptionAvailable: 0 }),
  }
}

const sessionOf = (draft: Draft, clientId: string): Session | undefined => {
  const number = StrMap.get(draft.clients, clientId)
  return number === undefined ? undefined : IntMap.get(draft.sessions, number)
}

// Keys of an IntMap end at 2^30, which a busy broker reaches in months: numbers come round again.

const nextOpening = (draft: Draft): number => {
  while (IntMap.get(draft.greeting, draft.nextOpening) !== undefined) {
    draft.nextOpening = (draft.nextOpening + 1) % IntMap.keyLimit
  }
  const opening = draft.nextOpening
  draft.nextOpening = (opening + 1) % IntMap.keyLimit
  return opening
}

const freeSessionNumber = (draft: Draft): number => {
  while (IntMap.get(draft.sessions, draft.nextSession) !== undefined) {
    draft.nextSession = (draft.nextSession + 1) % IntMap.keyLimit
  }
  const number = draft.nextSession
  draft.nextSession = (number + 1) % IntMap.keyLimit
  return number
}

/** A session without anything in it. */
const begin = (draft: Draft, clientId: string): EditableSession => {
  const number = freeSessionNumber(draft)
  const session: EditableSession = {
    owner: draft.owner,
    number,
    clientId,
    expiryS: 0,
    offlineAt: NEVER,
    timerAt: NEVER,
    subscriptions: StrMap.empty(draft.origin.seed),
    will: null,
    willAt: NEVER,
    window: Window.empty,
    waitingCount: 0,
    queue: Queue.empty,
    queuedBytes: 0,
    nextPacketId: 1,
    incoming: Window.empty,
    receivingCount: 0,
    incomingBytes: 0,
    catchUps: Queue.empty,
    overtaken: StrMap.empty(draft.origin.seed),
    isCatching: false,
    conn: null,
    level: 4 as Level,
    inflightCountMax: 1,
    packetBytesMax: NEVER,
    aliasMax: 0,
    aliases: StrMap.empty(draft.origin.seed),
    sentBytes: 0,
    takenBytes: 0,
    progressAt: draft.now,
    isPaused: false,
  }
  draft.sessions = IntMap.set(draft.sessions, draft.owner, number, session)
  draft.clients = StrMap.set(draft.clients, draft.owner, clientId, number)
  return session
}
