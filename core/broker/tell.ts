// Sending to a session's connection, and the account of what its socket has not taken yet.

import { encodedSize } from '../codec/mod.ts'
import type { Packet } from '../codec/packet.ts'
import type { Properties } from '../codec/properties.ts'
import * as IntMap from '../data/int-map.ts'
import type { Config } from './config.ts'
import { countSent, type Draft, editSession } from './draft.ts'
import { pause, resume, send, type When } from './effect.ts'
import { wakeLink } from './schedule.ts'
import type { Ready, Session } from './state.ts'

/**
 * Bytes that the shell may leave unreported before it says what a socket has taken; as far as the
 * account goes, a connection with no more than this unwritten has nothing unwritten.
 */
export const UNREPORTED_BYTES_MAX = 65_536

/** Bytes given to the session's connection that its socket is not known to have taken. */
export const unwrittenBytes = (session: Session): number => session.sentBytes - session.takenBytes

/** Whether so much waits for the socket that what can wait in the session should. */
export const isCongested = ({ config }: Pick<Draft, 'config'>, session: Session): boolean =>
  unwrittenBytes(session) > congestionBytes(config)

/** Whether so much waits for the socket that a QoS 0 packet of this size is dropped. */
export const isOverfull = (draft: Draft, session: Session, bytes: number): boolean => {
  const waiting = unwrittenBytes(session)
  return waiting > UNREPORTED_BYTES_MAX && waiting + bytes > draft.config.unwrittenBytesMax
}

const congestionBytes = ({ unwrittenBytesMax }: Config): number =>
  Math.max(unwrittenBytesMax, UNREPORTED_BYTES_MAX)

const REFUSED = 0x80

/** Nothing is read from a client when so many times as much waits for it. */
const PAUSE_FACTOR = 4

/** Puts `bytes` on the account of what was sent to a session's connection. */
export const charge = (draft: Draft, session: Session, bytes: number): void => {
  const editable = editSession(draft, session)
  const before = editable.sentBytes - editable.takenBytes
  editable.sentBytes += bytes
  if (before <= UNREPORTED_BYTES_MAX && before + bytes > UNREPORTED_BYTES_MAX) {
    // From here on the socket has to show progress.
    editable.progressAt = draft.now
    const link = IntMap.get(draft.links, session.conn!.slot)!
    wakeLink(draft, link, draft.now + draft.config.stalledMs)
  }
  if (!editable.isPaused && before + bytes > PAUSE_FACTOR * congestionBytes(draft.config)) {
    // QoS 0 is dropped and the window waits long before this: it is answers that nobody reads.
    editable.isPaused = true
    draft.effects.push(pause(session.conn!))
  }
}

/** The socket has taken `total` bytes: whom nobody listened to may speak again. */
export const credit = (draft: Draft, session: Session, total: number): void => {
  const editable = editSession(draft, session)
  editable.takenBytes = Math.min(total, editable.sentBytes)
  editable.progressAt = draft.now
  if (editable.isPaused && !isCongested(draft, editable)) {
    editable.isPaused = false
    draft.effects.push(resume(session.conn!))
  }
}

/**
 * Whether a packet may go before what the broker has changed is on disk. An acknowledgement waits
 * if its packet changed anything that outlives the process; what reveals how far an exchange has
 * got waits in any session that does. So does UNSUBACK: what it does not find may have gone a
 * moment ago, before a connection that was let in with a full store.
 */
const whenOf = (draft: Draft, session: Session, packet: Packet): When => {
  const { journal } = draft
  if (journal === null) return 'now'
  switch (packet._tag) {
    case 'Puback':
    case 'Suback':
      return journal.count > draft.mark ? 'durable' : 'now'
    case 'Pubrec':
      if (packet.reason >= REFUSED) return 'now'
      return session.stored || journal.count > draft.mark ? 'durable' : 'now'
    case 'Pubrel':
    case 'Pubcomp':
    case 'Unsuback':
      return session.stored || journal.count > draft.mark ? 'durable' : 'now'
  }
  return 'now'
}

/** Sends a packet to a session that has a connection. */
export const tell = (
  draft: Draft,
  session: Session,
  packet: Packet,
  when: When = whenOf(draft, session, packet),
): void => {
  const bytes = encodedSize(session.level, packet)
  charge(draft, session, bytes)
  countSent(draft, bytes)
  draft.effects.push(send(session.conn!, session.level, packet, when))
}

/** A packet that may carry properties. */
type Carrier = Extract<Packet, { readonly properties: Properties }>

/**
 * An MQTT 5 packet with what else there is to say, as long as the client's Maximum Packet Size has
 * room for it: the first things first [MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.9.2-1]
 * [MQTT-3.14.2-3]. PUBREL, PUBCOMP and UNSUBACK never come here: they have no reason string that
 * could be too large [MQTT-3.6.2-2] [MQTT-3.7.2-2] [MQTT-3.11.2-1]. No answer has user properties,
 * which could be so too [MQTT-3.2.2-20] [MQTT-3.4.2-3] [MQTT-3.5.2-3] [MQTT-3.6.2-3]
 * [MQTT-3.7.2-3] [MQTT-3.9.2-2] [MQTT-3.11.2-2] [MQTT-3.14.2-4].
 */
export const fitting = <P extends Carrier>(
  packet: P,
  packetBytesMax: number,
  ...more: ReadonlyArray<Properties>
): P => {
  let fullest = packet
  for (const properties of more) {
    const fuller = { ...fullest, properties: { ...fullest.properties, ...properties } }
    if (encodedSize(5, fuller) <= packetBytesMax) fullest = fuller
  }
  return fullest
}

/** The sentence that goes along with a reason code, where such are given. */
export const reasonOf = (draft: Draft, sentence: string): Properties =>
  draft.config.reasonStrings ? { reasonString: sentence } : {}

/** Sends an answer, and why it is no better one to a client that wants to know [MQTT-3.1.2-29]. */
export const tellWhy = (
  draft: Draft,
  session: Session,
  ready: Ready,
  packet: Carrier,
  sentence: string,
): void => {
  const mayTell = ready.level === 5 && ready.wantsProblems
  const { packetBytesMax } = session
  const whole = mayTell ? fitting(packet, packetBytesMax, reasonOf(draft, sentence)) : packet
  tell(draft, session, whole)
}
