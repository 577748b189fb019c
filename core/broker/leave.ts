// How connections and sessions end: what the peer is told, what becomes of the will, what stays.

import type { Fault } from '../codec/fault.ts'
import { encodedSize, isReason } from '../codec/mod.ts'
import type { Connack, Connect, Disconnect, Level } from '../codec/packet.ts'
import { none, type Properties } from '../codec/properties.ts'
import {
  PROTOCOL_ERROR,
  SERVER_MOVED,
  UNSPECIFIED_ERROR,
  USE_ANOTHER_SERVER,
} from '../codec/reason-code.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import { exit } from './address.ts'
import { atLevel } from './clause.ts'
import { rulesOf } from './config.ts'
import { owedCount } from './deliver.ts'
import { countSent, type Draft, dropWithSession, editSession, note } from './draft.ts'
import { close, send } from './effect.ts'
import { handOver, keepsNothingAway } from './hand-over.ts'
import { nextMessageId, noteSession, noteWill } from './journal.ts'
import { publishIfAllowed } from './kept.ts'
import type { Ending } from './note.ts'
import { leaveContents } from './remains.ts'
import { rest } from './retain.ts'
import { wakeSession } from './schedule.ts'
import { EXPIRY_NEVER_S, isDurable, type Link, NEVER, type Session } from './state.ts'
import { removeAll } from './subscribe.ts'
import { fitting, reasonOf } from './tell.ts'

/** What happens to the will of a client whose connection ends. */
type WillFate = 'publish' | 'discard'

/** Forgets a connection, whose socket is gone or about to be. */
const removeLink = (draft: Draft, link: Link): void => {
  draft.links = IntMap.remove(draft.links, draft.owner, link.conn.slot)
  draft.greeting = IntMap.remove(draft.greeting, draft.owner, link.opening)
  exit(draft, link.listener, link.peer.address)
}

const clientIdOf = (draft: Draft, link: Link): string | null =>
  link.phase.phase === 'Ready'
    ? IntMap.get(draft.sessions, link.phase.session)!.clientId
    : link.phase.phase === 'Greeting'
    ? null
    : nameIn(draft, link, link.phase.connect)

/** As what a client asks to be let in; who has no name is called what it would have got. */
const nameIn = (draft: Draft, { listener, nonce }: Link, { clientId }: Connect): string =>
  clientId === '' ? rulesOf(draft.config, listener).autoIdPrefix + nonce : clientId

/** The level that a client has said; 0 where it has not. */
export const levelOf = ({ phase }: Link): Level | 0 =>
  phase.phase === 'Ready' ? phase.level : phase.phase === 'Greeting' ? 0 : phase.connect.level

const noteEnding = (
  draft: Draft,
  link: Link,
  ending: Ending,
  reason: number,
  fault: Fault | null,
  level: Level | 0 = levelOf(link),
  clientId: string | null = clientIdOf(draft, link),
): void =>
  note(draft, {
    _tag: 'ConnectionEnded',
    conn: link.conn,
    clientId,
    wasAccepted: link.phase.phase === 'Ready',
    peer: link.peer,
    ending,
    reason,
    fault: fault === null ? null : atLevel(fault, level),
  })

/**
 * Ends a connection from the broker's side. A client of MQTT 5 is told the reason [MQTT-4.13.1-1];
 * the will is published, because the client sent no DISCONNECT.
 */
export const expel = (
  draft: Draft,
  link: Link,
  ending: Ending,
  reason: number,
  fault: Fault | null = null,
): void => {
  const { phase } = link
  noteEnding(draft, link, ending, reason, fault)
  if (phase.phase === 'Ready' && phase.level === 5) { // [MQTT-3.14.0-1]
    // What is wrong with a second CONNECT may have a code that only CONNACK has [MQTT-3.14.2-1].
    const said = isReason('Disconnect', reason) ? reason : PROTOCOL_ERROR
    // [MQTT-3.14.2-2]
    const packet: Disconnect = { _tag: 'Disconnect', reason: said, properties: none }
    const { packetBytesMax } = IntMap.get(draft.sessions, phase.session)!
    const why = reasonOf(draft, fault?.detail ?? ending)
    const whole = fitting(packet, packetBytesMax, referenceOf(draft, said), why)
    countSent(draft, encodedSize(5, whole))
    draft.effects.push(send(link.conn, 5, whole))
  }
  draft.effects.push(close(link.conn, reason)) // [MQTT-3.14.4-2] [MQTT-4.13.2-1]
  removeLink(draft, link)
  if (phase.phase === 'Ready') detach(draft, phase.session, 'publish')
}

/** The client sent DISCONNECT: nothing is said any more. */
export const dismiss = (draft: Draft, link: Link, reason: number, will: WillFate): void => {
  const { phase } = link
  noteEnding(draft, link, 'disconnected', reason, null)
  draft.effects.push(close(link.conn, 0))
  removeLink(draft, link)
  if (phase.phase === 'Ready') detach(draft, phase.session, will)
}

/** The socket is gone. */
export const lost = (draft: Draft, link: Link, ending: Ending): void => {
  const { phase } = link
  noteEnding(draft, link, ending, 0, null)
  removeLink(draft, link)
  if (phase.phase === 'Ready') detach(draft, phase.session, 'publish')
}

/** With which code clients are sent elsewhere. */
export const redirection = (draft: Draft): number =>
  draft.config.redirect === 'server moved' ? SERVER_MOVED : USE_ANOTHER_SERVER

const referenceOf = (draft: Draft, reason: number): Properties => {
  const { serverReference } = draft.config
  return (reason === USE_ANOTHER_SERVER || reason === SERVER_MOVED) && serverReference !== null
    ? { serverReference }
    : {}
}

/**
 * Answers a CONNECT with a refusal and closes; silently where `asked` is 0. Of a CONNECT that was
 * no packet only the level is known, and not how much the client takes: the answer is the shortest.
 */
export const refuse = (
  draft: Draft,
  link: Link,
  asked: Connect | Connect['level'] | 0,
  reason: number,
  ending: Ending,
  fault: Fault | null = null,
): void => {
  const level = typeof asked === 'number' ? asked : asked.level
  const name = typeof asked === 'number' ? clientIdOf(draft, link) : nameIn(draft, link, asked)
  noteEnding(draft, link, ending, reason, fault, level === 0 ? levelOf(link) : level, name)
  if (level !== 0) {
    const packetBytesMax = typeof asked === 'number'
      ? 0
      : asked.properties.maximumPacketSize ?? NEVER
    // A judge may have said what CONNACK cannot [MQTT-3.2.2-8].
    const said = isReason('Connack', reason) ? reason : UNSPECIFIED_ERROR
    const packet: Connack = {
      _tag: 'Connack',
      sessionPresent: false, // [MQTT-3.2.2-6] [v3 MQTT-3.2.2-4]
      reason: said,
      properties: none,
    }
    const why = reasonOf(draft, fault?.detail ?? ending)
    const whole = level === 5
      ? fitting(packet, packetBytesMax, referenceOf(draft, said), why)
      : packet
    // [MQTT-3.1.2-24]
    const bytes = encodedSize(level, whole)
    if (packetBytesMax === 0 || bytes <= packetBytesMax) {
      countSent(draft, bytes)
      draft.effects.push(send(link.conn, level, whole))
    }
  }
  draft.effects.push(close(link.conn, reason)) // [MQTT-3.2.2-7] [MQTT-4.13.2-1] [v3 MQTT-3.2.2-5]
  removeLink(draft, link) // [MQTT-3.1.4-6] [v3 MQTT-3.1.4-5]
}

/** When an offline session ends. */
export const expiresAt = (session: Session): number =>
  // [MQTT-4.1.0-1] [v3 MQTT-4.1.0-2]
  session.offlineAt === NEVER || session.expiryS === EXPIRY_NEVER_S
    ? NEVER
    : session.offlineAt + session.expiryS * 1000

/** Takes the connection away from a session; the session goes with it unless it is durable. */
const detach = (draft: Draft, number: number, fate: WillFate): void => {
  const session = editSession(draft, IntMap.get(draft.sessions, number)!)
  session.conn = null // [MQTT-3.14.4-1]
  session.offlineAt = draft.now
  noteSession(draft, session, true)
  rest(draft, session)
  // [MQTT-3.1.2-10] [v3 MQTT-3.1.2-10] [v3 MQTT-3.14.4-3]
  if (fate === 'discard') {
    noteWill(draft, session, null, NEVER)
    session.will = null
  }
  if (!isDurable(session)) { // [MQTT-3.1.2-23] [v3 MQTT-3.1.2-4] [v3 MQTT-3.1.2-6]
    endSession(draft, session, 'disconnected')
    return
  }
  if (keepsNothingAway(draft)) handOver(draft, session, true)
  if (session.will !== null) {
    if (session.will.delayMs === 0) publishWill(draft, session) // [v3 MQTT-3.1.2-8]
    else {
      session.willAt = draft.now + session.will.delayMs
      noteWill(draft, session, session.will, session.willAt)
    }
  }
  wakeSession(draft, session, Math.min(session.willAt, expiresAt(session)))
}

/** Publishes the will of a session, once [MQTT-3.1.2-8]. */
export const publishWill = (draft: Draft, session: Session): void => {
  const will = session.will
  if (will === null) return
  const editable = editSession(draft, session)
  noteWill(draft, editable, null, NEVER)
  editable.will = null // [MQTT-3.1.2-10] [v3 MQTT-3.1.2-10]
  editable.willAt = NEVER
  // Its time to live counts from its publication.
  const expiryS = will.message.properties.messageExpiryInterval
  const expiresAt = expiryS === undefined ? null : draft.now + expiryS * 1000
  const message = { ...will.message, id: nextMessageId(draft), expiresAt }
  publishIfAllowed(draft, message, editable, 'will')
}

/**
 * Ends a session that has no connection, with everything in it; its will is due at the latest
 * now. What it had retained stays [v3 MQTT-3.1.2-7].
 */
export const endSession = (
  draft: Draft,
  session: Session,
  why: 'expired' | 'clean start' | 'disconnected',
): void => {
  removeAll(draft, session)
  handOver(draft, session, false)
  publishWill(draft, session)
  const ending = IntMap.get(draft.sessions, session.number)!
  const messages = owedCount(ending)
  if (why === 'expired') draft.traffic.expired++
  dropWithSession(draft, messages)
  leaveContents(draft, ending)
  draft.sessions = IntMap.remove(draft.sessions, draft.owner, session.number)
  draft.clients = StrMap.remove(draft.clients, draft.owner, session.clientId)
  note(draft, { _tag: 'SessionEnded', clientId: session.clientId, why, messages })
}
