// Every reason code of MQTT 5 with its name and the packets it may stand in, and what becomes of it
// in CONNACK and SUBACK of 3.1 and 3.1.1, which know fewer.

import type { Level, PacketTag } from './packet.ts'

/** A reason code, what the standard calls it, and the packets that it may stand in. */
export interface ReasonRow {
  readonly code: number
  readonly name: string
  readonly packets: ReadonlyArray<PacketTag>
}

const row = (code: number, name: string, ...packets: ReadonlyArray<PacketTag>): ReasonRow => ({
  code,
  name,
  packets,
})

/** By code; 0 has a name of its own in DISCONNECT and in SUBACK. */
export const reasonTable: ReadonlyArray<ReasonRow> = [
  row(0x00, 'Success', 'Connack', 'Puback', 'Pubrec', 'Pubrel', 'Pubcomp', 'Unsuback', 'Auth'),
  row(0x00, 'Normal disconnection', 'Disconnect'),
  row(0x00, 'Granted QoS 0', 'Suback'),
  row(0x01, 'Granted QoS 1', 'Suback'),
  row(0x02, 'Granted QoS 2', 'Suback'),
  row(0x04, 'Disconnect with Will Message', 'Disconnect'),
  row(0x10, 'No matching subscribers', 'Puback', 'Pubrec'),
  row(0x11, 'No subscription existed', 'Unsuback'),
  row(0x18, 'Continue authentication', 'Auth'),
  row(0x19, 'Re-authenticate', 'Auth'),
  row(
    0x80,
    'Unspecified error',
    'Connack',
    'Puback',
    'Pubrec',
    'Suback',
    'Unsuback',
    'Disconnect',
  ),
  row(0x81, 'Malformed Packet', 'Connack', 'Disconnect'),
  row(0x82, 'Protocol Error', 'Connack', 'Disconnect'),
  row(
    0x83,
    'Implementation specific error',
    'Connack',
    'Puback',
    'Pubrec',
    'Suback',
    'Unsuback',
    'Disconnect',
  ),
  row(0x84, 'Unsupported Protocol Version', 'Connack'),
  row(0x85, 'Client Identifier not valid', 'Connack'),
  row(0x86, 'Bad User Name or Password', 'Connack'),
  row(
    0x87,
    'Not authorized',
    'Connack',
    'Puback',
    'Pubrec',
    'Suback',
    'Unsuback',
    'Disconnect',
  ),
  row(0x88, 'Server unavailable', 'Connack'),
  row(0x89, 'Server busy', 'Connack', 'Disconnect'),
  row(0x8a, 'Banned', 'Connack'),
  row(0x8b, 'Server shutting down', 'Disconnect'),
  row(0x8c, 'Bad authentication method', 'Connack', 'Disconnect'),
  row(0x8d, 'Keep Alive timeout', 'Disconnect'),
  row(0x8e, 'Session taken over', 'Disconnect'),
  row(0x8f, 'Topic Filter invalid', 'Suback', 'Unsuback', 'Disconnect'),
  row(0x90, 'Topic Name invalid', 'Connack', 'Puback', 'Pubrec', 'Disconnect'),
  row(0x91, 'Packet Identifier in use', 'Puback', 'Pubrec', 'Suback', 'Unsuback'),
  row(0x92, 'Packet Identifier not found', 'Pubrel', 'Pubcomp'),
  row(0x93, 'Receive Maximum exceeded', 'Disconnect'),
  row(0x94, 'Topic Alias invalid', 'Disconnect'),
  row(0x95, 'Packet too large', 'Connack', 'Disconnect'),
  row(0x96, 'Message rate too high', 'Disconnect'),
  row(0x97, 'Quota exceeded', 'Connack', 'Puback', 'Pubrec', 'Suback', 'Disconnect'),
  row(0x98, 'Administrative action', 'Disconnect'),
  row(0x99, 'Payload format invalid', 'Connack', 'Puback', 'Pubrec', 'Disconnect'),
  row(0x9a, 'Retain not supported', 'Connack', 'Disconnect'),
  row(0x9b, 'QoS not supported', 'Connack', 'Disconnect'),
  row(0x9c, 'Use another server', 'Connack', 'Disconnect'),
  row(0x9d, 'Server moved', 'Connack', 'Disconnect'),
  row(0x9e, 'Shared Subscriptions not supported', 'Suback', 'Disconnect'),
  row(0x9f, 'Connection rate exceeded', 'Connack', 'Disconnect'),
  row(0xa0, 'Maximum connect time', 'Disconnect'),
  row(0xa1, 'Subscription Identifiers not supported', 'Suback', 'Disconnect'),
  row(0xa2, 'Wildcard Subscriptions not supported', 'Suback', 'Disconnect'),
]

/** Per code the names by packet. */
const names: Array<Partial<Record<PacketTag, string>> | undefined> = new Array(256).fill(undefined)
for (const { code, name, packets } of reasonTable) {
  const byPacket = names[code] ?? {}
  for (const tag of packets) byPacket[tag] = name
  names[code] = byPacket
}

/** Whether the code may stand in a packet of this kind. */
export const isReason = (tag: PacketTag, code: number): boolean => names[code]?.[tag] !== undefined

/** The standard's name for a code in a packet of this kind, or the code in hexadecimal. */
export const reasonName = (tag: PacketTag, code: number): string =>
  names[code]?.[tag] ?? `0x${code.toString(16).padStart(2, '0')}`

/** The name of a code wherever it may stand; `Success` for 0. */
export const anyReasonName = (code: number): string => {
  for (const each of reasonTable) if (each.code === code) return each.name
  return `0x${code.toString(16).padStart(2, '0')}`
}

/** Return codes 0 to 5 of a CONNACK below level 5 as reason codes. */
const returnCodes: ReadonlyArray<number> = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87]

/** The reason code that a return code stands for, or -1 for a return code that does not exist. */
export const fromReturnCode = (code: number): number => returnCodes[code] ?? -1

/** The return code that says most nearly the same as a CONNACK reason code. */
export const toReturnCode = (reason: number): number => {
  const exact = returnCodes.indexOf(reason)
  if (exact >= 0) return exact
  // Busy, over quota and connecting too often pass: "server unavailable". All else is a refusal.
  return reason === 0x89 || reason === 0x97 || reason === 0x9f ? 3 : 5
}

const notAuthorized = 0x87

/**
 * What SUBACK says at a level: below 5 the granted QoS, or 0x80 for every failure
 * [v3 MQTT-3.9.3-2]. 3.1 has no failure and wants a client that is not allowed to subscribe to be
 * answered as if it were, as mosquitto does; what else is refused it is told as one of 3.1.1.
 */
export const toGrant = (reason: number, level: Level): number =>
  reason < 0x80 || level === 5 ? reason : level === 3 && reason === notAuthorized ? 0 : 0x80
