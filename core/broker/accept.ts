// A client is let in: what it is called, the take-over of its session from another connection, the
// session that is resumed or begun, and its CONNACK.

import { fault } from '../codec/fault.ts'
import { encodedSize } from '../codec/mod.ts'
import type { Connect, Publish } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import {
  NOT_AUTHORIZED,
  PACKET_TOO_LARGE,
  QUOTA_EXCEEDED,
  SESSION_TAKEN_OVER,
} from '../codec/reason-code.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicName } from '../topic/name.ts'
import type { Source } from './acl.ts'
import { rulesOf } from './config.ts'
import { type Admission, connackFor, type Proved } from './connack.ts'
import { resume } from './deliver.ts'
import { type Draft, type EditableSession, editSession, note, setPhase } from './draft.ts'
import type { When } from './effect.ts'
import type { Millis } from './input.ts'
import { noteSession, noteWill } from './journal.ts'
import { endSession, expel, expiresAt, publishWill, refuse } from './leave.ts'
import type { Ending } from './note.ts'
import { keep } from './route.ts'
import { wakeLink } from './schedule.ts'
import { begin, sessionOf } from './session.ts'
import type { Contest, Link, Session, SessionWill } from './state.ts'
import { EXPIRY_NEVER_S, isDurable, NEVER } from './state.ts'
import { tell } from './tell.ts'

/**
 * An empty one is nobody's, as in mosquitto: it comes from boards whose programs leave it blank.
 */
export const userNameOf = ({ userName }: Connect): string | null =>
  userName === '' ? null : userName

/** Whether a client may keep silent for longer than that; 0 is for ever. */
export const isLongerThan = (packet: Connect, maxS: number): boolean =>
  packet.keepAliveS === 0 || packet.keepAliveS > maxS

export const anonymous = fault(
  NOT_AUTHORIZED,
  'MQTT-3.1.4-2',
  'no user name, which every client here needs',
)

const misnamed = fault(
  NOT_AUTHORIZED,
  'MQTT-3.1.4-2',
  'a client identifier without the prefix that all have here',
)

const tooLarge = fault(
  PACKET_TOO_LARGE,
  'MQTT-3.1.2-24',
  'CONNACK would be larger than Maximum Packet Size',
  5,
)

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

/**
 * An identifier that nobody has: the text, or where somebody has taken just that for a name, the
 * text with a tail [MQTT-3.1.3-6] [MQTT-3.2.2-16] [v3 MQTT-3.1.3-6].
 */
const unused = (draft: Draft, text: string): string => {
  let name = text
  while (StrMap.get(draft.clients, name) !== undefined) name += '+'
  return name
}

/** Lets a client in whom nobody has refused, as long as there is room for it. */
export const accept = (
  draft: Draft,
  link: Link,
  packet: Connect,
  proved: Proved | null,
): void => {
  const { config } = draft
  const rules = rulesOf(config, link.listener)
  const { level, properties } = packet
  const userName = proved === null ? userNameOf(packet) : proved.userName
  if (rules.userNameAsClientId && (userName === null || userName === '')) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', anonymous)
    return
  }
  const own = packet.clientId === ''
    ? unused(draft, rules.autoIdPrefix + link.nonce)
    : packet.clientId
  // What the client calls itself, as with mosquitto, also where its user name takes the place.
  if (config.clientIdPrefix !== null && !own.startsWith(config.clientIdPrefix)) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', misnamed)
    return
  }
  const clientId = rules.userNameAsClientId && userName !== null ? userName : own
  const expiryS = expiryOf(packet, config.sessionExpiryMaxS)
  const keepAliveS = config.keepAliveMaxS > 0 && isLongerThan(packet, config.keepAliveMaxS)
    ? config.keepAliveMaxS
    : packet.keepAliveS // [MQTT-3.2.2-22]
  const admission: Admission = { clientId, userName, expiryS, keepAliveS, proved }
  const connack = connackFor(draft, rules, packet, admission)
  if (encodedSize(level, connack) > (properties.maximumPacketSize ?? NEVER)) {
    // Without CONNACK there is no connection; who takes so little is told nothing.
    refuse(draft, link, 0, PACKET_TOO_LARGE, 'refused', tooLarge)
    return
  }
  let old = lastingSession(draft, clientId)
  const full = whyNoRoom(draft, packet, old, expiryS)
  if (full !== null) {
    refuse(draft, link, packet, QUOTA_EXCEEDED, full)
    return
  }
  const contest = old === undefined ? null : takeOver(draft, link, old)
  // It may have ended with the connection that had it.
  if (contest !== null) old = sessionOf(draft, clientId)
  const before = old
  // [MQTT-3.1.4-4] [v3 MQTT-3.1.2-6] [v3 MQTT-3.1.4-3]
  if (old !== undefined && packet.cleanStart) { // [MQTT-3.1.2-4]
    endSession(draft, old, 'clean start')
    old = undefined // [MQTT-3.2.2-2] [v3 MQTT-3.2.2-1]
  }
  const when = whenWelcome(draft, before, packet, expiryS)
  const sessionPresent = old !== undefined // [MQTT-3.2.2-3] [v3 MQTT-3.2.2-2] [v3 MQTT-3.2.2-3]
  // [MQTT-3.1.2-5] [MQTT-3.1.2-6] [v3 MQTT-3.1.2-4]
  const session = old === undefined
    ? begin(draft, clientId, draft.journal !== null && expiryS > 0)
    : editSession(draft, old)
  noteSession(draft, session, sessionPresent)
  occupy(draft, link, session, packet, admission)
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
  tell(draft, session, { ...connack, sessionPresent: sessionPresent && level !== 3 }, when)
  resume(draft, session)
}

/**
 * Whether CONNACK may go before what the broker has changed is on disk: not even where CONNECT
 * changes nothing, since the session that it does not find may have ended a moment ago. With a full
 * store whoever begins nothing is let in, and who has a session for ever, which is on disk as it
 * was. One whose time runs out would do so on disk all the while, and be gone after a restart. A
 * will that is taken would not be published then, and one that is given up would be. Who starts
 * clean comes so far only with a session that ends with its connection.
 */
const whenWelcome = (
  draft: Draft,
  before: Session | undefined,
  { will }: Connect,
  expiryS: number,
): When => {
  if (draft.journal === null) return 'now'
  if (!draft.isStoreFull) return 'durable'
  const isSafe = before === undefined ||
    (before.expiryS === EXPIRY_NEVER_S && expiryS === EXPIRY_NEVER_S &&
      before.will === null && will === null)
  return isSafe ? 'now' : 'durable'
}

/**
 * The session of a client; one whose time is over ends now [MQTT-4.1.0-2], and a will that is due
 * is published now [MQTT-3.1.2-8], since the client may come before a tick does, most of all after
 * a restart.
 */
const lastingSession = (draft: Draft, clientId: string): Session | undefined => {
  const found = sessionOf(draft, clientId)
  if (found === undefined) return undefined
  if (expiresAt(found) <= draft.now) {
    endSession(draft, found, 'expired')
    return undefined
  }
  if (found.willAt > draft.now) return found
  publishWill(draft, found)
  return sessionOf(draft, clientId)
}

/** What there is no room for, if anything, with an accepted CONNECT. */
const whyNoRoom = (
  { config, sessions, isShort, isStoreFull }: Draft,
  packet: Connect,
  old: Session | undefined,
  expiryS: number,
): Ending | null => {
  if (old === undefined) {
    if (IntMap.size(sessions) >= config.sessionsMax) return 'global_max_clients exceeded'
    // Who has a session is let in: it may empty it.
    if (isShort) return 'memory short'
  }
  const isNew = old === undefined || packet.cleanStart || !isDurable(old)
  return isStoreFull && isNew && (expiryS > 0 || packet.will !== null) ? 'store full' : null
}

/** Makes the session that of a connection, with what CONNECT says of both. */
const occupy = (
  draft: Draft,
  link: Link,
  session: EditableSession,
  packet: Connect,
  { clientId, userName, expiryS, proved }: Admission,
): void => {
  const { config } = draft
  const { properties } = packet
  const rules = rulesOf(config, link.listener)
  const source: Source = { clientId, userName, listener: link.listener }
  session.source = source
  session.conn = link.conn
  session.level = packet.level
  session.expiryS = expiryS
  session.offlineAt = NEVER
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
  session.packetBytesMax = properties.maximumPacketSize ?? NEVER
  session.aliasMax = Math.min(properties.topicAliasMaximum ?? 0, rules.outgoingTopicAliasMax)
  session.mountPoint = rules.mountPoint
  session.aliases = StrMap.empty(draft.origin.seed) // [MQTT-3.3.2-7]
  session.receivingCount = 0 // the quota begins anew with the connection
  session.sentBytes = proved === null ? 0 : proved.sentBytes
  session.takenBytes = 0
  session.progressAt = draft.now
  session.isPaused = false
}

/**
 * Ends the connection that has the session, if any, and answers what this take-over belongs to.
 * [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
 */
const takeOver = (draft: Draft, link: Link, { conn, clientId }: Session): Contest | null => {
  if (conn === null) return null
  const holder = IntMap.get(draft.links, conn.slot)!
  const before = holder.phase.phase === 'Ready' ? holder.phase.contest : null
  const contest = contestAfter(before, draft.now)
  expel(draft, holder, 'session taken over', SESSION_TAKEN_OVER)
  if (contest.notedAt !== null && contest.notedAt !== before?.notedAt) {
    note(draft, { _tag: 'Contested', clientId, peers: [holder.peer, link.peer] })
  }
  return contest
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
