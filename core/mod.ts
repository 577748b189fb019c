// Sabethes, the pure part: a broker that is a function, and the codec that feeds it. Nothing in
// here knows a clock, a socket or a file, so it runs wherever JavaScript does.
//
// Start with `initial`, feed `run` with inputs (`opened`, `arrived`, ...), carry out its effects.

import * as make from './codec/make.ts'
import type { Packet as AnyPacket } from './codec/packet.ts'

export * from './broker/mod.ts'
export * from './codec/mod.ts'
export { type AclFile, parseAcl } from './config/acl-file.ts'
export { faultText, type FileFault } from './config/file-fault.ts'
export * as Bytes from './data/bytes.ts'
export type { Owner } from './data/owner.ts'
export { parseTopicFilter, splitShare, type TopicFilter } from './topic/filter.ts'
export { match } from './topic/match.ts'
export { parseTopicName, type TopicName } from './topic/name.ts'

/** Any of the 15 packets. */
export type Packet = AnyPacket
/** Packets made by hand: `Packet.connect({ clientId })`, `Packet.publish({ topic, payload })`. */
export const Packet = make
