// CONNECT, and what is asked about it before the client is let in or refused: limits, names, the
// will, and the exchange of an authentication method.

import { type Fault, fault } from '../codec/fault.ts'
import { encodedSize } from '../codec/mod.ts'
import type { Auth, Connect, Level, Will } from '../codec/packet.ts'
import {
  BAD_AUTHENTICATION_METHOD,
  CLIENT_IDENTIFIER_NOT_VALID,
  NOT_AUTHORIZED,
  PACKET_TOO_LARGE,
  PAYLOAD_FORMAT_INVALID,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
  TOPIC_NAME_INVALID,
  UNSPECIFIED_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../codec/reason-code.ts'
import * as Bytes from '../data/bytes.ts'
import { accept, anonymous, isLongerThan, userNameOf } from './accept.ts'
import { begin, challengeOf, fits, methodNamed, proceed, resolve } from './authenticate.ts'
import { atLevel } from './clause.ts'
import { rulesOf } from './config.ts'
import { countSent, type Draft, setPhase } from './draft.ts'
import { ask, judge, pause, resume, send } from './effect.ts'
import type { Answered } from './input.ts'
import { redirection, refuse } from './leave.ts'
import type { MethodName, Turn } from './method.ts'
import { mountedConnect } from './mount.ts'
import { isMislabelled } from './refusal.ts'
import { isForbidden } from './reserved.ts'
import { type Authenticating, type Link, NEVER } from './state.ts'

/** A CONNECT arrived: refuse it, ask about it, or accept it. */
export const connect = (draft: Draft, link: Link, arrived: Connect): void => {
  const packet = admissible(draft, link, arrived)
  if (packet === null) return
  const { authenticationMethod, authenticationData } = packet.properties
  const method = authenticationMethod === undefined
    ? null
    : methodNamed(draft, authenticationMethod)
  if (method !== null) {
    const turn = begin(draft, method, authenticationData)
    follow(draft, link, stored(arrived), method.name, turn, 0)
    return
  }
  if (rulesOf(draft.config, link.listener).authentication === 'judge') {
    setPhase(draft, link, { phase: 'Judging', connect: stored(arrived) })
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

/**
 * A CONNECT as the broker knows it, its will under its whole topic, where nothing is wrong with it
 * as such; null where its client was refused. Asked again where somebody was asked about the client
 * meanwhile, since the rules may have changed: CONNACK will tell of those of the moment.
 */
const admissible = (draft: Draft, link: Link, arrived: Connect): Connect | null => {
  const { config } = draft
  const { level } = arrived
  if (config.redirect !== 'none') {
    // No return code says it, so older clients are closed in silence [v3 MQTT-3.2.2-6].
    refuse(draft, link, level === 5 ? arrived : 0, redirection(draft), 'redirected')
    return null
  }
  const rules = rulesOf(config, link.listener)
  if (!rules.protocolLevels.includes(level)) { // [MQTT-3.1.2-2] [v3 MQTT-3.1.2-2]
    refuse(draft, link, arrived, UNSUPPORTED_PROTOCOL_VERSION, 'refused', unspoken(level))
    return null
  }
  const packet = mountedConnect(rules.mountPoint, arrived)
  if (packet === null) {
    refuse(draft, link, arrived, TOPIC_NAME_INVALID, 'refused', unmountedWill)
    return null
  }
  const { authenticationMethod } = packet.properties
  const method = authenticationMethod === undefined
    ? null
    : methodNamed(draft, authenticationMethod)
  if (method === null && authenticationMethod !== undefined) {
    // [MQTT-4.12.0-1]
    refuse(draft, link, packet, BAD_AUTHENTICATION_METHOD, 'not authorised', notOffered)
    return null
  }
  if (method === null && userNameOf(packet) === null && !rules.allowAnonymous) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', anonymous)
    return null
  }
  if (packet.clientId === '' && (level === 3 || (level === 4 && !packet.cleanStart))) {
    const broken = packet.cleanStart ? nameless : keptNameless
    refuse(draft, link, level, CLIENT_IDENTIFIER_NOT_VALID, 'refused', broken)
    return null
  }
  if (packet.clientId === '' && !rules.emptyClientIds) {
    // As mosquitto says it [MQTT-3.1.3-8].
    const reason = level === 5 ? UNSPECIFIED_ERROR : CLIENT_IDENTIFIER_NOT_VALID
    refuse(draft, link, packet, reason, 'refused', level === 5 ? unnamed : nameless)
    return null
  }
  if (config.keepAliveMaxS > 0 && level < 5 && isLongerThan(packet, config.keepAliveMaxS)) {
    // Before version 5 there is no way to tell the client, so it is refused, as mosquitto does.
    refuse(draft, link, packet, CLIENT_IDENTIFIER_NOT_VALID, 'refused', unhurried)
    return null
  }
  if (packet.will !== null && refuseWill(draft, link, packet, packet.will)) return null
  return packet
}

/** Refuses a client whose will cannot be taken; answers whether it did. */
const refuseWill = (draft: Draft, link: Link, packet: Connect, will: Will): boolean => {
  const { config } = draft
  const { level } = packet
  const rules = rulesOf(config, link.listener)
  const { topic, qos, retain, payload } = will
  if (config.payloadBytesMax > 0 && Bytes.size(payload) > config.payloadBytesMax) {
    // Before version 5 as mosquitto says it.
    const reason = level === 5 ? PACKET_TOO_LARGE : NOT_AUTHORIZED
    refuse(draft, link, packet, reason, 'refused', largeWill)
    return true
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
    return true
  }
  if (isForbidden(draft, link, packet.bridge, topic)) {
    refuse(draft, link, packet, NOT_AUTHORIZED, 'not authorised', reservedWill)
    return true
  }
  if (config.payloadFormatCheck && isMislabelled(will)) {
    refuse(draft, link, packet, PAYLOAD_FORMAT_INVALID, 'refused', mislabelledWill)
    return true
  }
  return false
}

/** Somebody answered the question about a client. */
export const judged = (draft: Draft, link: Link, asked: Connect, reason: number): void => {
  // Whatever is not yes is no [MQTT-3.1.4-2].
  if (reason !== 0) {
    refuse(draft, link, asked, reason >= 0x80 ? reason : NOT_AUTHORIZED, 'not authorised')
    return
  }
  const packet = admissible(draft, link, asked)
  if (packet === null) return
  draft.effects.push(resume(link.conn))
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
  if (turn._tag !== 'Failure') draft.effects.push(resume(link.conn))
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
      const packet = admissible(draft, link, connect)
      if (packet !== null) accept(draft, link, packet, { method, userName, data, sentBytes })
      return
    }
    case 'Failure': { // [MQTT-4.12.0-4]
      const { reason, detail } = turn
      const broken = fault(reason, 'MQTT-4.12.0-4', detail, 5)
      return refuse(draft, link, connect, reason, 'not authorised', broken)
    }
  }
}

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
