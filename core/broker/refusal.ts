// Why a publish is not taken, and what its client is told then.

import { encodedSize } from '../codec/mod.ts'
import type { Publish, Will } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import {
  IMPLEMENTATION_SPECIFIC,
  NOT_AUTHORIZED,
  PAYLOAD_FORMAT_INVALID,
  QUOTA_EXCEEDED,
} from '../codec/reason-code.ts'
import { isUtf8 } from '../codec/utf8.ts'
import * as Bytes from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import { denyPublish, mayPublish } from './access.ts'
import { type Draft, drop } from './draft.ts'
import type { DropReason } from './note.ts'
import { isForbidden } from './reserved.ts'
import { whyNotRetained } from './retain.ts'
import { topicOf } from './route.ts'
import type { Link, Ready, Session } from './state.ts'

/** Whether a payload is said to be UTF-8 and is not. */
export const isMislabelled = ({ properties, payload }: Publish | Will): boolean =>
  properties.payloadFormatIndicator === 1 && !isUtf8(payload.buffer, payload.start, payload.end)

/** What is wrong with a publish, wherever it goes. */
export type Unfit = 'payload format invalid' | 'too large'

export const whyUnfit = (draft: Draft, packet: Publish): Unfit | null => {
  const { payloadBytesMax, payloadFormatCheck } = draft.config
  if (packet.properties !== none && payloadFormatCheck && isMislabelled(packet)) {
    return 'payload format invalid'
  }
  return payloadBytesMax > 0 && Bytes.size(packet.payload) > payloadBytesMax ? 'too large' : null
}

export type Refusal = Unfit | 'not allowed' | 'retained store full' | 'memory short' | 'store full'

export const reasonOf = (refused: Refusal): number =>
  refused === 'not allowed'
    ? NOT_AUTHORIZED
    : refused === 'payload format invalid'
    ? PAYLOAD_FORMAT_INVALID
    // The words of mosquitto's manual; Packet too large is none that may stand here
    // [MQTT-3.4.2-1] [MQTT-3.5.2-1].
    : refused === 'too large'
    ? IMPLEMENTATION_SPECIFIC
    : QUOTA_EXCEEDED

/** In words, why a QoS 1 publish was not taken. */
export const whyOf = (draft: Draft, packet: Publish, reason: number): DropReason => {
  if (reason === NOT_AUTHORIZED) return 'not allowed'
  const isKept = packet.retain && Bytes.size(packet.payload) > 0
  const why = isKept ? whyNotRetained(draft, topicOf(packet), encodedSize(5, packet)) : null
  // Otherwise nobody who subscribed could take it.
  return why ?? (draft.isShort ? 'memory short' : 'queue full')
}

/** Counts a publish that is refused; where it is not the client's to publish the log says so. */
export const turnAway = (
  draft: Draft,
  session: Session,
  packet: Publish,
  refused: Refusal,
): void => {
  if (refused === 'not allowed') denyPublish(draft, session, 'publish', packet)
  else drop(draft, null, packet.topic, packet.qos, refused)
}

/** Why a publish may not be taken at all; null where it may. */
export const refusal = (
  draft: Draft,
  link: Link,
  ready: Ready,
  packet: Publish,
): Refusal | null => {
  if (isForbidden(draft, link, ready.bridge, packet.topic)) return 'not allowed'
  if (draft.isGuarded) {
    const session = IntMap.get(draft.sessions, ready.session)!
    if (!mayPublish(draft, session, packet.topic)) return 'not allowed'
  }
  return packet.retain && Bytes.size(packet.payload) > 0
    ? whyNotRetained(draft, topicOf(packet), encodedSize(5, packet))
    : null
}
