// The door of the codec: what the rest of core and the shells use of it.

export { decode, decodeFrame } from './decode.ts'
export type { Decoded } from './decode.ts'
export { encode, encodedBound, encodedSize, encodeInto } from './encode.ts'
export { fault } from './fault.ts'
export type { Fault } from './fault.ts'
export { frameSize, malformedLength, tooLarge } from './frame.ts'
export { defaultLimits } from './limits.ts'
export type { Limits } from './limits.ts'
export type * from './packet.ts'
export { pingreq, pingresp } from './ping.ts'
export { none } from './properties.ts'
export { propertyTable } from './property.ts'
export type { Properties } from './properties.ts'
export type { Place, PropertyRow, PropertyRule, PropertyType } from './property.ts'
export { publishFirstByte, publishPacketIdAt } from './publish.ts'
export { createReader, trimSpares } from './reader.ts'
export type { Reader } from './reader.ts'
export {
  anyReasonName,
  fromReturnCode,
  isReason,
  reasonName,
  reasonTable,
  toGrant,
  toReturnCode,
} from './reason.ts'
export type { ReasonRow } from './reason.ts'
export { decodeUtf8, encodeUtf8, hasControl, utf8Size, writeUtf8 } from './utf8.ts'
