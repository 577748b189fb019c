// Which packets a client may send in which phase of its connection, as a table. A packet that is
// not legal ends the connection with the code and the clause given here.

import { type Fault, fault } from '../codec/fault.ts'
import type { PacketTag } from '../codec/packet.ts'
import { PROTOCOL_ERROR } from '../codec/reason-code.ts'
import type { Phase } from './state.ts'

type Verdict = 'legal' | Fault

const first = fault(PROTOCOL_ERROR, 'MQTT-3.1.0-1', 'a packet came before CONNECT')
const second = fault(PROTOCOL_ERROR, 'MQTT-3.1.0-2', 'a second CONNECT on one connection')
const serverOnly = fault(PROTOCOL_ERROR, 'MQTT-4.13.1-1', 'a packet that only a server may send')
export const noMethod = fault(
  PROTOCOL_ERROR,
  'MQTT-4.12.0-7',
  'AUTH on a connection without an authentication method',
)

const greeting: { readonly [tag in PacketTag]: Verdict } = {
  Connect: 'legal',
  Connack: first,
  Publish: first,
  Puback: first,
  Pubrec: first,
  Pubrel: first,
  Pubcomp: first,
  Subscribe: first,
  Suback: first,
  Unsubscribe: first,
  Unsuback: first,
  Pingreq: first,
  Pingresp: first,
  Disconnect: first,
  Auth: first,
}

/** While a client is judged nothing is read from it, so nothing may arrive. */
const judging: { readonly [tag in PacketTag]: Verdict } = { ...greeting, Connect: second }

const early = fault(
  PROTOCOL_ERROR,
  'MQTT-3.1.2-30',
  'a packet other than AUTH or DISCONNECT before the authentication has ended',
  5,
)

/** Until CONNACK a client that authenticates itself says nothing else [MQTT-3.1.2-30]. */
const authenticating: { readonly [tag in PacketTag]: Verdict } = {
  Connect: second,
  Connack: early,
  Publish: early,
  Puback: early,
  Pubrec: early,
  Pubrel: early,
  Pubcomp: early,
  Subscribe: early,
  Suback: early,
  Unsubscribe: early,
  Unsuback: early,
  Pingreq: early,
  Pingresp: early,
  Disconnect: 'legal',
  Auth: 'legal',
}

const ready: { readonly [tag in PacketTag]: Verdict } = {
  Connect: second, // [MQTT-3.1.0-2] [MQTT-3.2.0-2] [v3 MQTT-3.1.0-2]
  Connack: serverOnly,
  Publish: 'legal',
  Puback: 'legal',
  Pubrec: 'legal',
  Pubrel: 'legal',
  Pubcomp: 'legal',
  Subscribe: 'legal',
  Suback: serverOnly,
  Unsubscribe: 'legal',
  Unsuback: serverOnly,
  Pingreq: 'legal',
  Pingresp: serverOnly,
  Disconnect: 'legal',
  Auth: 'legal', // for those who named a method
}

/** Reason codes with which a client may say DISCONNECT (section 3.14.2.1 of MQTT 5). */
export const farewells: ReadonlySet<number> = new Set([
  0x00,
  0x04,
  0x80,
  0x81,
  0x82,
  0x83,
  0x90,
  0x93,
  0x94,
  0x95,
  0x96,
  0x97,
  0x98,
  0x99,
])

export const legality: {
  readonly [phase in Phase['phase']]: { readonly [tag in PacketTag]: Verdict }
} = { Greeting: greeting, Judging: judging, Authenticating: authenticating, Ready: ready }

/**
 * What the table says of a packet. Named where nearly every packet asks, since looking up a
 * property by a name that varies costs more than the rest of such a question.
 */
export const verdictOn = (phase: Phase['phase'], tag: PacketTag): Verdict => {
  if (phase !== 'Ready') return legality[phase][tag]
  return tag === 'Publish' ? ready.Publish : tag === 'Puback' ? ready.Puback : ready[tag]
}
