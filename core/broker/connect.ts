// From an opened connection to an accepted CONNECT: limits, the client identifier, take-over, the
// session that is resumed or begun, and what the CONNACK says.

import { type Fault, fault } from '../codec/fault.ts'
import { encodedSize } from '../codec/mod.ts'
import type { Auth, Connack, Connect, Level, Publish } from '../codec/packet.ts'
import { none, type Properties } from '../codec/property.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import type { TopicName } from '../topic/name.ts'
import { enter, isCrowded, isFullListener, isTooOften } from './address.ts'
import type { Source } from './acl.ts'
import { begin as introduce, challengeOf, fits, methodNamed } from './authenticate.ts'
import { proceed, resolve } from './authenticate.ts'
import { atLevel } from './clause.ts'
import { type ListenerRules, rulesOf } from './config.ts'
import { resume } from './deliver.ts'
import {
  countSent,
  type Draft,
  type EditableSession,
  editSession,
  note,
  setPhase,
} from './draft.ts'
import { ask, close, judge, pause, resume as resumeReading, send } from './effect.ts'
import { informationFor } from './inform.ts'
import type { Answered, Millis, Opened } from './input.ts'
import { noteSession, noteWill } from './journal.ts'
import { endSession, expel, redirection, refuse } from './leave.ts'
import type { MethodName, Turn } from './method.ts'
import type { Ending } from './note.ts'
import { mountedConnect } from './mount.ts'
import { isForbidden, isMislabelled } from './publish.ts'
import { keep } from './route.ts'
import { wakeLink } from './schedule.ts'
import type { Authenticating, Contest, Link, Session, SessionWill } from './state.ts'
import { EXPIRY_NEVER_S, NEVER } from './state.ts'
import { tell } from './tell.ts'

const UNSPECIFIED_ERROR = 0x80
const UNSUPPORTED_PROTOCOL_VERSION = 0x84
const CLIENT_IDENTIFIER_NOT_VALID = 0x85
const NOT_AUTHORIZED = 0x87
const BAD_AUTHENTICATION_METHOD = 0x8c
const TOPIC_NAME_INVALID = 0x90
const PACKET_TOO_LARGE = 0x95
const QUOTA_EXCEEDED = 0x97
const PAYLOAD_FORMAT_INVALID = 0x99
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
  if (IntMap.size(draft.links) >= config.connectionsMax) {
    return turnAway(draft, input, 'global_max_connections exceeded', QUOTA_EXCEEDED)
  }
  if (isFullListener(draft, listener)) {
    return turnAway(draft, input, 'max_connections exceeded', QUOTA_EXCEEDED)
  }
  if (isCrowded(draft, peer.address)) {
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
  draft.traffic.sockets++
  enter(draft, listener, peer.address)
  wakeLink(draft, link, at + config.connectTimeoutMs)
  note(draft, { _tag: 'ConnectionOpened', conn, listener, peer })
}

/**
 * An empty one is nobody's, as in mosquitto: it comes from boards whose programs leave it blank.
 */
export const userNameOf = ({ userName }: Connect): string | null =>
  userName === '' ? null : userName

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
    wasAccepted: false,
    peer,
    ending,
    reason,
    fault: null,
  })
}

/** A CONNECT arrived: refuse it, ask about it, or accept it. */
export const connect = (draft: Draft, link: Link, arrived: Connect): void => {
  const { config } = draft
  const { level } = arrived
  if (config.redirect !== 'none') {
    // No return code says it, so older clients are closed in silence [v3 MQTT-3.2.2-6].
    refuse(draft, link, level === 5 ? arrived : 0, redirection(draft), 'redirected')
    return
  }
  const rules = rulesOf(config, link.listener)
  if (!rules.protocolLevels.includes(level)) { // [MQTT-3.1.2-2] [v3 MQTT-3.1.2-2]
    refuse(draft, link, arrived, UNSUPPORTED_PROTOCOL_VERSION, 'refused', unspoken(level))
    return
  }
  const packet = mountedConnect(rules.mountPoint, arrived)
  if (packet === null) {
    refuse(draft, link, arrived, TOPIC_NAME_INVALID, 'refused', unmountedWill)
    return
  }
  const { authenticationMethod, authenticationData } = packet.properties
  const method = authenticationMethod === undefined
    ? null
    : methodNamed(draft, authenticationMethod)
  if (method === null && authenticationMethod !== undefined) {
    // [MQTT-4.12.0-1]
    refuse(draft, link, packet, BAD_AUTHENTICATION_METHOD, 'not authorised', notOffered)
    return
  }
  if (method === null && userNameOf(packet) === null && !rules.allowAnonymous) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', anonymous)
    return
  }
  if (packet.clientId === '' && (level === 3 || (level === 4 && !packet.cleanStart))) {
    const broken = packet.cleanStart ? nameless : keptNameless
    refuse(draft, link, level, CLIENT_IDENTIFIER_NOT_VALID, 'refused', broken)
    return
  }
  if (packet.clientId === '' && !rules.emptyClientIds) {
    // As mosquitto says it [MQTT-3.1.3-8].
    const reason = level === 5 ? UNSPECIFIED_ERROR : CLIENT_IDENTIFIER_NOT_VALID
    refuse(draft, link, packet, reason, 'refused', level === 5 ? unnamed : nameless)
    return
  }
  if (config.keepAliveMaxS > 0 && level < 5 && isLongerThan(packet, config.keepAliveMaxS)) {
    // Before version 5 there is no way to tell the client, so it is refused, as mosquitto does.
    refuse(draft, link, packet, CLIENT_IDENTIFIER_NOT_VALID, 'refused', unhurried)
    return
  }
  if (packet.will !== null) {
    const { topic, qos, retain, payload } = packet.will
    if (config.payloadBytesMax > 0 && Bytes.size(payload) > config.payloadBytesMax) {
      // Before version 5 as mosquitto says it.
      const reason = level === 5 ? PACKET_TOO_LARGE : NOT_AUTHORIZED
      refuse(draft, link, packet, reason, 'refused', largeWill)
      return
    }
    const unsupported = qos > rules.maximumQos
      ? willAboveMaximum
      : retain && !config.retainAvailable
      ? willNotRetained
      : null
    if (unsupported !== null) {
      // Before version 5 there is no word for it: mosquitto closes in silence.
      const asked = level === 5 ? packet : 0
      refuse(draft, link, asked, unsupported.reason, 'refused', atLevel(unsupported, level))
      return
    }
    if (isForbidden(draft, link, packet.bridge, topic)) {
      refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', reservedWill)
      return
    }
    if (config.payloadFormatCheck && isMislabelled(packet.will)) {
      refuse(draft, link, packet, PAYLOAD_FORMAT_INVALID, 'refused', mislabelledWill)
      return
    }
  }
  if (method !== null) {
    const turn = introduce(draft, method, authenticationData)
    follow(draft, link, stored(packet), method.name, turn, 0)
    return
  }
  if (rules.authentication === 'judge') {
    setPhase(draft, link, { phase: 'Judging', connect: stored(packet) })
    draft.effects.push(pause(link.conn))
    draft.effects.push(
      judge(link.conn, {
        listener: link.listener,
        clientId: packet.clientId,
        userName: userNameOf(packet),
        password: packet.password === null ? null : Bytes.own(packet.password),
        peer: link.peer,
      }),
    )
    return
  }
  accept(draft, link, packet, null)
}

/** Somebody answered the question about a client. */
export const judged = (draft: Draft, link: Link, packet: Connect, reason: number): void => {
  // Whatever is not yes is no [MQTT-3.1.4-2].
  if (reason !== 0) {
    refuse(draft, link, packet, reason >= 0x80 ? reason : NOT_AUTHORIZED, 'not authorised')
    return
  }
  // The rules may have changed while somebody thought about it.
  if (userNameOf(packet) === null && !rulesOf(draft.config, link.listener).allowAnonymous) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', anonymous)
    return
  }
  draft.effects.push(resumeReading(link.conn))
  accept(draft, link, packet, null)
}

const unspoken = (level: Level): Fault => ({
  reason: UNSUPPORTED_PROTOCOL_VERSION,
  clause: level === 5 ? 'MQTT-3.1.2-2' : 'v3 MQTT-3.1.2-2',
  detail: 'a protocol level that this listener does not take',
  level,
})

const notOffered = fault(
  BAD_AUTHENTICATION_METHOD,
  'MQTT-4.12.0-1',
  'an authentication method that is not offered',
  5,
)

// Version 3.1 [v3 MQTT-3.1.3-7] [v3 MQTT-3.1.3-9]
const nameless = fault(
  CLIENT_IDENTIFIER_NOT_VALID,
  'v3 MQTT-3.1.3-9',
  'an empty client identifier where the client has to choose one',
)

// [v3 MQTT-3.1.3-7] [v3 MQTT-3.1.3-8]
const keptNameless: Fault = { ...nameless, clause: 'v3 MQTT-3.1.3-8' }

const unnamed: Fault = { ...nameless, reason: UNSPECIFIED_ERROR, clause: 'MQTT-3.1.3-8' }

const anonymous = fault(
  NOT_AUTHORIZED,
  'MQTT-3.1.4-2',
  'no user name, which every client here needs',
)

const misnamed = fault(
  NOT_AUTHORIZED,
  'MQTT-3.1.4-2',
  'a client identifier without the prefix that all have here',
)

const unhurried = fault(
  CLIENT_IDENTIFIER_NOT_VALID,
  'v3 MQTT-3.2.2-5',
  'a keep alive longer than the greatest allowed',
)

// [MQTT-3.2.2-12]
const willAboveMaximum = fault(QOS_NOT_SUPPORTED, 'MQTT-3.2.2-12', 'a will above Maximum QoS')

// [MQTT-3.2.2-13]
const willNotRetained = fault(
  RETAIN_NOT_SUPPORTED,
  'MQTT-3.2.2-13',
  'a will to be retained, which is not available',
)

const unmountedWill = fault(
  TOPIC_NAME_INVALID,
  'MQTT-4.7.3-3',
  'a will whose topic gets too long or too deep behind the mount point',
)

const largeWill = fault(
  PACKET_TOO_LARGE,
  'MQTT-3.1.4-2',
  'the payload of the will is larger than allowed',
)

const reservedWill = fault(
  NOT_AUTHORIZED,
  'MQTT-3.1.4-2',
  'a will for a topic that only the broker publishes to',
)

const mislabelledWill = fault(
  PAYLOAD_FORMAT_INVALID,
  'MQTT-3.1.4-2',
  'the payload of the will is said to be UTF-8 and is not',
  5,
)

/** AUTH of a client that has no CONNACK yet; answers a fault where it may not be sent. */
export const authenticate = (
  draft: Draft,
  link: Link,
  phase: Authenticating,
  packet: Auth,
): Fault | null => {
  const { connect, method, dialogue, sentBytes } = phase
  const turn = proceed(draft, method, dialogue, packet)
  if (!('_tag' in turn)) return turn
  follow(draft, link, connect, method, turn, sentBytes)
  return null
}

/** The shell has answered about a client that has no CONNACK yet. */
export const answered = (
  draft: Draft,
  link: Link,
  phase: Authenticating,
  input: Answered,
): void => {
  const { connect, method, dialogue, sentBytes } = phase
  const turn = resolve(method, dialogue, input)
  if (turn._tag !== 'Failure') draft.effects.push(resumeReading(link.conn))
  follow(draft, link, connect, method, turn, sentBytes)
}

const follow = (
  draft: Draft,
  link: Link,
  connect: Connect,
  method: MethodName,
  turn: Turn,
  sentBytes: number,
): void => {
  const { conn, peer } = link
  const enter = (phase: Pick<Authenticating, 'dialogue' | 'sentBytes'>): void => {
    setPhase(draft, link, { phase: 'Authenticating', connect, method, ...phase })
  }
  switch (turn._tag) {
    case 'Ask':
      enter({ dialogue: { exchange: turn.exchange, isAsked: true }, sentBytes })
      draft.effects.push(pause(conn), ask(conn, connect.clientId, peer, turn.query))
      return
    case 'Challenge': {
      const packet = challengeOf(method, turn.data)
      const failed = fits(packet, connect.properties.maximumPacketSize ?? NEVER)
      if (failed !== null) return follow(draft, link, connect, method, failed, sentBytes)
      enter({
        dialogue: { exchange: turn.exchange, isAsked: false },
        sentBytes: sentBytes + encodedSize(5, packet),
      })
      countSent(draft, encodedSize(5, packet))
      draft.effects.push(send(conn, 5, packet))
      return
    }
    case 'Success': {
      const { userName, data } = turn
      return accept(draft, link, connect, { method, userName, data, sentBytes })
    }
    case 'Failure': { // [MQTT-4.12.0-4]
      const { reason, detail } = turn
      const broken = fault(reason, 'MQTT-4.12.0-4', detail, 5)
      return refuse(draft, link, connect, reason, 'not authorised', broken)
    }
  }
}

const isLongerThan = (packet: Connect, maxS: number): boolean =>
  packet.keepAliveS === 0 || packet.keepAliveS > maxS

/** What waits in the state: no secrets, which go with the question, and a will in its own bytes. */
const stored = (packet: Connect): Connect => {
  const { authenticationData: _, ...properties } = packet.properties
  return { ...ownWill(packet), password: null, properties }
}

const ownWill = (packet: Connect): Connect => {
  const { will } = packet
  if (will === null) return packet
  const { correlationData } = will.properties
  const properties = correlationData === undefined
    ? will.properties
    : { ...will.properties, correlationData: Bytes.own(correlationData) }
  return { ...packet, will: { ...will, payload: Bytes.own(will.payload), properties } }
}

const willOf = (draft: Draft, connect: Connect, source: Source): SessionWill | null => {
  const { will } = connect
  if (will === null) return null // [v3 MQTT-3.1.2-12]
  const { willDelayInterval, ...properties } = will.properties // [MQTT-3.1.3-10]
  const packet: Publish = {
    _tag: 'Publish',
    dup: false,
    qos: will.qos,
    retain: will.retain, // [MQTT-3.1.2-14] [MQTT-3.1.2-15] [v3 MQTT-3.1.2-16] [v3 MQTT-3.1.2-17]
    topic: will.topic,
    packetId: 0,
    payload: will.payload,
    properties: Object.keys(properties).length === 0 ? none : properties,
  }
  return { delayMs: (willDelayInterval ?? 0) * 1000, message: keep(draft, packet, true, source) }
}

/** Seconds that the session outlives its connection, as the broker allows. */
const expiryOf = (packet: Connect, maxS: number): number => {
  const wanted = packet.level === 5
    ? packet.properties.sessionExpiryInterval ?? 0
    : packet.cleanStart
    ? 0 // [v3 MQTT-3.1.2-6]
    : EXPIRY_NEVER_S // [v3 MQTT-3.1.2-4] [v3 MQTT-4.1.0-1]
  return Math.min(wanted, maxS)
}

/** Whom an authentication method has accepted, what it says to that, and what it cost so far. */
interface Proved {
  readonly method: MethodName
  readonly userName: string
  readonly data: Bytes.Bytes | null
  readonly sentBytes: number
}

const tooLarge = fault(
  PACKET_TOO_LARGE,
  'MQTT-3.1.2-24',
  'CONNACK would be larger than Maximum Packet Size',
  5,
)

/**
 * An identifier that nobody has: the text, or where somebody has taken just that for a name, the
 * text with a tail [MQTT-3.1.3-6] [MQTT-3.2.2-16] [v3 MQTT-3.1.3-6].
 */
const unused = (draft: Draft, text: string): string => {
  let name = text
  while (StrMap.get(draft.clients, name) !== undefined) name += '+'
  return name
}

const accept = (draft: Draft, link: Link, packet: Connect, proved: Proved | null): void => {
  const { config } = draft
  const rules = rulesOf(config, link.listener)
  const { level, properties } = packet
  const userName = proved === null ? userNameOf(packet) : proved.userName
  if (rules.userNameAsClientId && (userName === null || userName === '')) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', anonymous)
    return
  }
  const clientId = rules.userNameAsClientId && userName !== null
    ? userName
    : packet.clientId === ''
    ? unused(draft, rules.autoIdPrefix + link.nonce)
    : packet.clientId
  if (config.clientIdPrefix !== null && !clientId.startsWith(config.clientIdPrefix)) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', misnamed)
    return
  }
  const expiryS = expiryOf(packet, config.sessionExpiryMaxS)
  const keepAliveS = config.keepAliveMaxS > 0 && isLongerThan(packet, config.keepAliveMaxS)
    ? config.keepAliveMaxS
    : packet.keepAliveS // [MQTT-3.2.2-22]
  const packetBytesMax = properties.maximumPacketSize ?? NEVER
  const terms: Terms = { clientId, userName, expiryS, keepAliveS, proved }
  const connack = answerTo(draft, rules, packet, terms)
  if (encodedSize(level, connack) > packetBytesMax) {
    // Without CONNACK there is no connection; who takes so little is told nothing.
    refuse(draft, link, 0, PACKET_TOO_LARGE, 'refused', tooLarge)
    return
  }
  let contest: Contest | null = null
  let old = sessionOf(draft, clientId)
  if (old === undefined && IntMap.size(draft.sessions) >= config.sessionsMax) {
    refuse(draft, link, packet, QUOTA_EXCEEDED, 'too many connections')
    return
  }
  if (old === undefined && draft.isShort) {
    // Who has a session is let in: it may empty it.
    refuse(draft, link, packet, QUOTA_EXCEEDED, 'memory short')
    return
  }
  const isNew = old === undefined || packet.cleanStart
  if (draft.isStoreFull && isNew && (expiryS > 0 || packet.will !== null)) {
    refuse(draft, link, packet, QUOTA_EXCEEDED, 'store full')
    return
  }
  if (old !== undefined && old.conn !== null) { // [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
    const holder = IntMap.get(draft.links, old.conn.slot)!
    const before = holder.phase.phase === 'Ready' ? holder.phase.contest : null
    contest = contestAfter(before, draft.now)
    expel(draft, holder, 'session taken over', SESSION_TAKEN_OVER)
    if (contest.notedAt !== null && contest.notedAt !== before?.notedAt) {
      note(draft, { _tag: 'Contested', clientId, peers: [holder.peer, link.peer] })
    }
    old = sessionOf(draft, clientId)
  }
  // [MQTT-3.1.4-4] [v3 MQTT-3.1.2-6] [v3 MQTT-3.1.4-3]
  if (old !== undefined && packet.cleanStart) { // [MQTT-3.1.2-4]
    endSession(draft, old, 'clean start')
    old = undefined // [MQTT-3.2.2-2] [v3 MQTT-3.2.2-1]
  }
  const sessionPresent = old !== undefined // [MQTT-3.2.2-3] [v3 MQTT-3.2.2-2] [v3 MQTT-3.2.2-3]
  // [MQTT-3.1.2-5] [MQTT-3.1.2-6] [v3 MQTT-3.1.2-4]
  const session = old === undefined
    ? begin(draft, clientId, draft.journal !== null && expiryS > 0)
    : editSession(draft, old)
  const source: Source = { clientId, userName, listener: link.listener }
  session.source = source
  session.conn = link.conn
  session.level = level
  session.expiryS = expiryS
  session.offlineAt = NEVER
  noteSession(draft, session, sessionPresent)
  // [MQTT-3.1.2-7] [v3 MQTT-3.1.2-8]
  const will = willOf(draft, packet, source)
  noteWill(draft, session, will, NEVER)
  session.will = will // replaces one that was delayed [MQTT-3.1.3-9]
  session.willAt = NEVER
  // [MQTT-4.9.0-1]
  session.inflightCountMax = Math.min(
    properties.receiveMaximum ?? 65_535,
    config.inflightCountMax === 0 ? 65_535 : config.inflightCountMax,
  )
  session.packetBytesMax = packetBytesMax
  session.aliasMax = Math.min(properties.topicAliasMaximum ?? 0, rules.outgoingTopicAliasMax)
  session.mountPoint = rules.mountPoint
  session.aliases = StrMap.empty(draft.origin.seed) // [MQTT-3.3.2-7]
  session.receivingCount = 0 // the quota begins anew with the connection
  session.sentBytes = proved === null ? 0 : proved.sentBytes
  session.takenBytes = 0
  session.progressAt = draft.now
  session.isPaused = false

  const ready = setPhase(draft, link, {
    phase: 'Ready',
    session: session.number,
    level,
    bridge: packet.bridge,
    promised: config,
    rules,
    contest,
    identity: proved === null
      ? null
      : { method: proved.method, userName: proved.userName, renewal: null },
    wantsProblems: properties.requestProblemInformation !== 0,
    wantsSession: (properties.sessionExpiryInterval ?? 0) > 0,
    keepAliveMs: keepAliveS * 1000,
    aliases: IntMap.empty<TopicName>(),
  })
  draft.greeting = IntMap.remove(draft.greeting, draft.owner, link.opening)
  const connected = IntMap.size(draft.links) - IntMap.size(draft.greeting)
  if (connected > draft.traffic.connectedMax) draft.traffic.connectedMax = connected
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
    userName,
    sessionPresent,
  })
  // The byte is reserved in 3.1.
  // [MQTT-3.1.4-5] [MQTT-3.2.0-1] [v3 MQTT-3.1.4-4] [v3 MQTT-3.2.0-1]
  tell(draft, session, { ...connack, sessionPresent: sessionPresent && level !== 3 })
  resume(draft, session)
}

/** Take-overs no further apart than this belong together. */
const CONTEST_MS = 30_000

/** With so many of them two clients have one name, and no client has lost its connection. */
const CONTEST_COUNT = 3

/** How often that is noted, while it goes on. */
const CONTEST_NOTED_MS = 600_000

/** What a take-over now makes of the contest that the one before it belonged to, if any. */
const contestAfter = (before: Contest | null, now: Millis): Contest => {
  if (before === null || now - before.at > CONTEST_MS) return { count: 1, at: now, notedAt: null }
  const count = before.count + 1
  const { notedAt } = before
  const isDue = notedAt === null ? count >= CONTEST_COUNT : now - notedAt >= CONTEST_NOTED_MS
  return { count, at: now, notedAt: isDue ? now : notedAt }
}

interface Terms {
  readonly clientId: string
  readonly userName: string | null
  readonly expiryS: number
  readonly keepAliveS: number
  readonly proved: Proved | null
}

/** A successful CONNACK; Response Information is left out where the client has no room for it. */
const answerTo = (
  draft: Draft,
  rules: ListenerRules,
  packet: Connect,
  terms: Terms,
): Connack => {
  const bare: Connack = { _tag: 'Connack', sessionPresent: false, reason: 0, properties: none }
  if (packet.level < 5) return bare
  const { requestResponseInformation, maximumPacketSize } = packet.properties
  const pattern = draft.config.responseInformation
  const information = requestResponseInformation === 1 && pattern !== null // [MQTT-3.1.2-28]
    ? informationFor(pattern, terms.clientId, terms.userName)
    : null
  const whole = { ...bare, properties: announcement(draft, rules, packet, terms, information) }
  return information === null || encodedSize(5, whole) <= (maximumPacketSize ?? NEVER)
    ? whole
    : { ...bare, properties: announcement(draft, rules, packet, terms, null) }
}

/** The properties of a successful CONNACK, in the order in which mosquitto sends them. */
const announcement = (
  draft: Draft,
  rules: ListenerRules,
  packet: Connect,
  { clientId, expiryS, keepAliveS, proved }: Terms,
  information: string | null,
): Properties => {
  const { config } = draft
  return {
    ...(rules.topicAliasMaximum > 0 ? { topicAliasMaximum: rules.topicAliasMaximum } : {}),
    ...(expiryS !== (packet.properties.sessionExpiryInterval ?? 0)
      ? { sessionExpiryInterval: expiryS }
      : {}),
    ...(keepAliveS !== packet.keepAliveS ? { serverKeepAlive: keepAliveS } : {}), // [MQTT-3.1.2-21]
    // [MQTT-3.2.2-16]
    ...(packet.clientId === '' ? { assignedClientIdentifier: clientId } : {}), // [MQTT-3.1.3-7]
    // [MQTT-4.12.0-6]
    ...(proved !== null ? { authenticationMethod: proved.method } : {}), // [MQTT-4.12.0-5]
    ...(proved !== null && proved.data !== null ? { authenticationData: proved.data } : {}),
    ...(information !== null ? { responseInformation: information } : {}),
    ...(config.retainAvailable ? {} : { retainAvailable: 0 }),
    maximumPacketSize: config.packetBytesMax,
    receiveMaximum: config.receiveMaximum,
    ...(rules.maximumQos === 2 ? {} : { maximumQos: rules.maximumQos }), // [MQTT-3.2.2-9]
    ...(config.wildcardAvailable ? {} : { wildcardSubscriptionAvailable: 0 }),
    ...(config.subscriptionIdentifiersAvailable ? {} : { subscriptionIdentifierAvailable: 0 }),
    ...(config.sharedAvailable ? {} : { sharedSubscriptionAvailable: 0 }),
  }
}

const sessionOf = (draft: Draft, clientId: string): Session | undefined => {
  const number = StrMap.get(draft.clients, clientId) // [MQTT-3.1.3-2] [v3 MQTT-3.1.3-2]
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
export const begin = (draft: Draft, clientId: string, stored: boolean): EditableSession => {
  const number = freeSessionNumber(draft)
  const session: EditableSession = {
    owner: draft.owner,
    number,
    clientId,
    source: null,
    stored,
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
    queuedQos0: 0,
    queuedShared: 0,
    nextOrder: 1,
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
    inflightBytes: 0,
    packetBytesMax: NEVER,
    mountPoint: '',
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
