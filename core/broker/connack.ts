// What a successful CONNACK says: where the broker has other terms than the client asked for, and
// what it does not offer.

import { encodedSize } from '../codec/mod.ts'
import type { Connack, Connect } from '../codec/packet.ts'
import { none, type Properties } from '../codec/properties.ts'
import type { Bytes } from '../data/bytes.ts'
import type { ListenerRules } from './config.ts'
import type { Draft } from './draft.ts'
import { informationFor } from './inform.ts'
import type { MethodName } from './method.ts'
import { NEVER } from './state.ts'

/** Whom an authentication method has accepted, what it says to that, and what it cost so far. */
export interface Proved {
  readonly method: MethodName
  readonly userName: string
  readonly data: Bytes | null
  readonly sentBytes: number
}

/** On what terms a client is let in. */
export interface Admission {
  readonly clientId: string
  readonly userName: string | null
  readonly expiryS: number
  readonly keepAliveS: number
  readonly proved: Proved | null
}

/** A successful CONNACK; Response Information is left out where the client has no room for it. */
export const connackFor = (
  draft: Draft,
  rules: ListenerRules,
  packet: Connect,
  admission: Admission,
): Connack => {
  const bare: Connack = { _tag: 'Connack', sessionPresent: false, reason: 0, properties: none }
  if (packet.level < 5) return bare
  const { requestResponseInformation, maximumPacketSize } = packet.properties
  const pattern = draft.config.responseInformation
  const information = requestResponseInformation === 1 && pattern !== null // [MQTT-3.1.2-28]
    ? informationFor(pattern, admission.clientId, admission.userName)
    : null
  const whole = { ...bare, properties: announcement(draft, rules, packet, admission, information) }
  return information === null || encodedSize(5, whole) <= (maximumPacketSize ?? NEVER)
    ? whole
    : { ...bare, properties: announcement(draft, rules, packet, admission, null) }
}

/** The properties of a successful CONNACK, in the order in which mosquitto sends them. */
const announcement = (
  draft: Draft,
  rules: ListenerRules,
  packet: Connect,
  { clientId, expiryS, keepAliveS, proved }: Admission,
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
    // Who is not told one has this one (section 3.2.2.3.3 of MQTT 5).
    ...(config.receiveMaximum === 65_535 ? {} : { receiveMaximum: config.receiveMaximum }),
    ...(rules.maximumQos === 2 ? {} : { maximumQos: rules.maximumQos }), // [MQTT-3.2.2-9]
    ...(config.wildcardAvailable ? {} : { wildcardSubscriptionAvailable: 0 }),
    ...(config.subscriptionIdentifiersAvailable ? {} : { subscriptionIdentifierAvailable: 0 }),
    ...(config.sharedAvailable ? {} : { sharedSubscriptionAvailable: 0 }),
  }
}
