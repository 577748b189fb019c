// Enhanced authentication (section 4.12 of MQTT 5): whose turn it is between a client, its method
// and the shell, and how a client that is connected proves itself again. The way from the first
// authentication to the session is in connect.ts.

import { type Fault, fault } from '../codec/fault.ts'
import { encodedSize } from '../codec/mod.ts'
import type { Auth } from '../codec/packet.ts'
import {
  BAD_AUTHENTICATION_METHOD,
  NOT_AUTHORIZED,
  PACKET_TOO_LARGE,
  PROTOCOL_ERROR,
  QUOTA_EXCEEDED,
} from '../codec/reason-code.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import { type Draft, setPhase } from './draft.ts'
import { ask } from './effect.ts'
import type { Answered } from './input.ts'
import { expel } from './leave.ts'
import type { Method, MethodName, Turn } from './method.ts'
import { failure } from './method.ts'
import { noMethod } from './phase.ts'
import { wakeLink } from './schedule.ts'
import { scramSha256 } from './scram.ts'
import type { Dialogue, Identity, Link, Ready } from './state.ts'
import { tell } from './tell.ts'

const SUCCESS = 0x00
const CONTINUE = 0x18
const RE_AUTHENTICATE = 0x19

const methods: { readonly [name in MethodName]: Method } = { 'SCRAM-SHA-256': scramSha256 }

/** The method of this name, where it is offered. */
export const methodNamed = (draft: Draft, name: string): Method | null => {
  const offered = draft.config.authenticationMethods.find((one) => one === name)
  return offered === undefined ? null : methods[offered]
}

/** The first data of a client, in CONNECT or in the AUTH that asks for another authentication. */
export const begin = (draft: Draft, method: Method, data: Bytes.Bytes | undefined): Turn =>
  within(draft, data) ?? method.begin(data ?? null)

const within = (draft: Draft, data: Bytes.Bytes | undefined): Turn | null =>
  data !== undefined && Bytes.size(data) > draft.config.authenticationBytesMax
    ? failure('authentication data larger than allowed', QUOTA_EXCEEDED)
    : null

/** An AUTH that goes on with an exchange; a fault where the client may not send it now. */
export const proceed = (
  draft: Draft,
  name: MethodName,
  dialogue: Dialogue,
  packet: Auth,
): Turn | Fault => {
  const { authenticationMethod, authenticationData } = packet.properties
  if (authenticationMethod !== name) {
    return fault(PROTOCOL_ERROR, 'MQTT-4.12.0-5', 'AUTH without the method of CONNECT', 5)
  }
  if (packet.reason !== CONTINUE || dialogue.isAsked) { // [MQTT-4.12.0-3]
    return fault(PROTOCOL_ERROR, 'MQTT-4.12.0-3', 'AUTH that answers no challenge', 5)
  }
  return within(draft, authenticationData) ??
    methods[name].proceed(dialogue.exchange, authenticationData ?? null)
}

/** The shell has answered. */
export const resolve = (name: MethodName, dialogue: Dialogue, input: Answered): Turn =>
  methods[name].resolve(dialogue.exchange, input.answer, input.nonce)

/**
 * AUTH with the method of CONNECT [MQTT-4.12.0-5]; without reason string and user properties, which
 * might be too large [MQTT-3.15.2-2] [MQTT-3.15.2-3].
 */
const authOf = (name: MethodName, reason: number, data: Bytes.Bytes | null): Auth => ({
  _tag: 'Auth',
  reason,
  properties: data === null
    ? { authenticationMethod: name }
    : { authenticationMethod: name, authenticationData: data },
})

/** The AUTH that asks a client for more [MQTT-4.12.0-2]. */
export const challengeOf = (name: MethodName, data: Bytes.Bytes): Auth =>
  authOf(name, CONTINUE, data)

/** A challenge that the client would not take is a failure [MQTT-3.1.2-24]. */
export const fits = (packet: Auth, packetBytesMax: number): Turn | null =>
  encodedSize(5, packet) <= packetBytesMax
    ? null
    : failure('AUTH would be larger than Maximum Packet Size', PACKET_TOO_LARGE)

/** AUTH from a client that is connected. */
export const renew = (draft: Draft, link: Link, ready: Ready, packet: Auth): Fault | null => {
  const { identity } = ready
  if (identity === null) return noMethod // [MQTT-4.12.0-6] [MQTT-4.12.0-7]
  const { method, renewal } = identity
  if (renewal !== null) {
    const turn = proceed(draft, method, renewal.dialogue, packet)
    if (!('_tag' in turn)) return turn
    follow(draft, link, ready, identity, turn)
    return null
  }
  if (packet.reason !== RE_AUTHENTICATE) {
    return fault(PROTOCOL_ERROR, 'MQTT-4.12.0-3', 'AUTH that answers no challenge', 5)
  }
  if (packet.properties.authenticationMethod !== method) { // [MQTT-4.12.1-1]
    return fault(PROTOCOL_ERROR, 'MQTT-4.12.1-1', 'authentication by another method', 5)
  }
  const offered = methodNamed(draft, method)
  follow(
    draft,
    link,
    ready,
    identity,
    offered === null
      ? failure('an authentication method that is not offered any more', BAD_AUTHENTICATION_METHOD)
      : begin(draft, offered, packet.properties.authenticationData),
  )
  return null
}

/** The shell has answered for a client that is connected; false where it was not asked. */
export const renewed = (draft: Draft, link: Link, ready: Ready, input: Answered): boolean => {
  const { identity } = ready
  if (identity === null || identity.renewal === null) return false
  const { dialogue } = identity.renewal
  if (!dialogue.isAsked) return false
  follow(draft, link, ready, identity, resolve(identity.method, dialogue, input))
  return true
}

const follow = (
  draft: Draft,
  link: Link,
  ready: Ready,
  identity: Identity,
  turn: Turn,
): void => {
  const { method, userName } = identity
  const session = IntMap.get(draft.sessions, ready.session)!
  const dueAt = identity.renewal?.dueAt ?? draft.now + draft.config.connectTimeoutMs
  const enter = (dialogue: Dialogue | null): void => {
    const renewal = dialogue === null ? null : { dialogue, dueAt }
    const entered = setPhase(draft, link, { ...ready, identity: { ...identity, renewal } })
    if (renewal !== null) wakeLink(draft, entered, dueAt)
  }
  switch (turn._tag) {
    case 'Ask':
      enter({ exchange: turn.exchange, isAsked: true })
      draft.effects.push(ask(link.conn, session.clientId, link.peer, turn.query))
      return
    case 'Challenge': {
      const packet = challengeOf(method, turn.data)
      const failed = fits(packet, session.packetBytesMax)
      if (failed !== null) return follow(draft, link, ready, identity, failed)
      enter({ exchange: turn.exchange, isAsked: false })
      return tell(draft, session, packet)
    }
    case 'Success': {
      const packet = authOf(method, SUCCESS, turn.data)
      // A session stays with whom it was given to.
      const failed = turn.userName === userName
        ? fits(packet, session.packetBytesMax)
        : failure('authentication as another user')
      if (failed !== null) return follow(draft, link, ready, identity, failed)
      enter(null)
      return tell(draft, session, packet)
    }
    case 'Failure': // [MQTT-4.12.1-2]
      return expel(
        draft,
        link,
        'not authorised',
        turn.reason,
        fault(turn.reason, 'MQTT-4.12.1-2', turn.detail, 5),
      )
  }
}

/** The exchange of a client that is connected has taken too long. */
export const renewalLate: Fault = fault(
  NOT_AUTHORIZED,
  'MQTT-4.12.1-2',
  'the authentication took too long',
  5,
)
