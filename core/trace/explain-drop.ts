// Why something was dropped for a client, or not sent to it when it subscribed, as sentences.

import type { Source } from '../broker/acl.ts'
import type { Config } from '../broker/config.ts'
import { whyNotSent } from '../broker/mount.ts'
import type { DropReason } from '../broker/note.ts'
import type { Session } from '../broker/state.ts'
import { unwrittenBytes } from '../broker/tell.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import { isSameConn, sessionFor } from './explain-facts.ts'
import type { Missed, Moment, Publication } from './explain-facts.ts'
import { whyEnded } from './explain-gone.ts'
import { whyDeniedSince } from './explain-rights.ts'
import { since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { whyNotYet, whyWaiting } from './explain-wait.ts'
import type { Ground } from './explain-wait.ts'
import { name, plural } from './words.ts'

const betweenText = 'its old connection had just ended and the new one had not begun'

/** Of several messages of one moment this one came before the client left. */
const isBeforeItLeft = (
  { conn }: Session,
  { effects }: Pick<Moment, 'effects'>,
  clientId: string,
): boolean => {
  for (const effect of effects) {
    if (effect._tag !== 'Note') continue
    const { note } = effect
    if (note._tag === 'Dropped' && note.clientId === clientId) return true
    if (note._tag === 'ConnectionEnded' && isSameConn(conn, note.conn)) return false
  }
  return false
}

/** The same of a client that left in the step, but not before the message came. */
const whyWaited = (old: Session, config: Config, clock: Clock): string =>
  Window.size(old.window) < Math.min(old.inflightCountMax, config.packetIdMax)
    ? 'what was sent to it in the same moment had taken its room'
    : whyWaiting(old, config, clock, 0)

/** In words, why the message was dropped for a client of whom there was a session. */
export const dropText = (
  why: DropReason,
  moment: Pick<Moment, 'before' | 'after' | 'effects'>,
  clientId: string,
  publication: Publication,
  ground: Ground,
): string => {
  const { before, after, effects } = moment
  const old = sessionFor(before, clientId)
  const next = sessionFor(after, clientId)
  const session = next ?? old
  const { config } = after
  if (session === undefined) return `it was dropped: ${why}`
  // What it lost for being away was a will of its own: what it is sent now is not lost for that.
  const isBack = session.conn !== null && old !== undefined && !isSameConn(old.conn, session.conn)
  const hasLeft = session.conn === null && old !== undefined && old.conn !== null
  const wait = isBack
    ? betweenText
    : hasLeft && isBeforeItLeft(old, moment, clientId)
    ? whyWaited(old, config, ground.clock)
    : whyWaiting(session, config, ground.clock, Queue.size(session.queue))
  switch (why) {
    case 'queue full': {
      // How much was in it is not known where the step went on with it.
      const count = Queue.size(session.queue)
      // By its bytes it need not look full.
      const { queuedQos0 } = session
      const hasQos0 = effects.some((effect) =>
        effect._tag === 'Note' && effect.note._tag === 'Dropped' &&
        effect.note.clientId === clientId && effect.note.topic === publication.topic &&
        effect.note.why === why && effect.note.qos === 0
      )
      const inTheWay = hasQos0 ? count : count - queuedQos0
      const isLong = config.queuedCountMax !== 0 && inTheWay >= config.queuedCountMax
      const content = isBack || hasLeft || next === undefined
        ? ''
        : `, with ${plural(count, 'message')} of ${plural(session.queuedBytes, 'byte')}` +
          (queuedQos0 === 0 ? '' : `, ${queuedQos0} of them of QoS 0`) +
          (isLong ? '' : ', and would have had too many with this one')
      return `its queue was full${content} (max_queued_messages ${config.queuedCountMax}, ` +
        `max_queued_bytes ${config.queuedBytesMax}); ${wait}`
    }
    case 'expired':
      return 'its Message Expiry Interval was over before it could be sent'
    case 'too large':
      return `it is larger than the Maximum Packet Size of the client, ` +
        `${plural(session.packetBytesMax, 'byte')}`
    case 'back-pressure':
      return `it was of QoS 0 and ${plural(unwrittenBytes(session), 'byte')} waited already for ` +
        `its socket: with it they would be more than ${config.unwrittenBytesMax}`
    case 'offline': {
      const why = config.sharedOffline === 'queue'
        ? `QoS 0 does not wait for who is away (queue_qos0_messages ${config.queueQos0})`
        : `it does not wait for who is away (queue_qos0_messages ${config.queueQos0}, ` +
          `shared_subscription_offline ${config.sharedOffline})`
      return isBack
        ? `${why}; ${betweenText}`
        : `${why}, as the client was since ${since(session.offlineAt, ground.clock)}`
    }
    case 'not allowed': {
      const rule = session.source === null
        ? null
        : whyDeniedSince(config, session.source, 'read', publication.topic, after, ground)
      if (rule !== null) return `the client may not read it, denied by ${rule}`
      return whyNotSent(session, publication.topic) === 'not allowed'
        ? `it is not behind the mount point ${name(session.mountPoint)} of the client`
        : 'the client may not read it'
    }
    case 'memory short':
      return `the broker was short of memory and it would have had to wait: ${wait}`
    case 'store full':
      return 'it would have had to be stored and the store was full'
    case 'session ended':
      return 'its session ended'
    case 'no subscriber':
    case 'retained store full':
    case 'payload format invalid':
      return `it was dropped: ${why}`
  }
}

/** How a session ended, behind `its session ended`. */
export const endedText = (why: string): string => {
  switch (why) {
    case 'expired':
      return 'because its Session Expiry Interval was over'
    case 'clean start':
      return 'because its client began anew with Clean Start'
    case 'disconnected':
      return 'with its connection, which it was not to outlive'
  }
  return 'in the same moment'
}

/** Why a client that subscribed was not sent what is retained. */
const unsentText = (
  missed: Missed,
  why: Exclude<Missed['why'], 'still to come' | 'not reached'>,
  publication: Publication,
  ground: Ground,
): string => {
  const { moment, clientId, source } = missed
  const { config } = moment.after
  const { topic } = publication
  const denied = (who: Source | null, wanted: 'read' | 'write'): string => {
    const rule = who === null
      ? null
      : whyDeniedSince(config, who, wanted, topic, moment.after, ground)
    return rule === null ? '' : `, denied by ${rule}`
  }
  switch (why) {
    case 'shared':
      return 'a shared subscription is sent nothing that is retained'
    case 'retain handling':
      return 'its subscription did not ask for what is retained (Retain Handling)'
    case 'not for it':
      return `the client may not read it${
        denied(sessionFor(moment.before, clientId)?.source ?? null, 'read')
      }`
    case 'not from its publisher': {
      const who = source === null ? '' : ` ${name(source.clientId)}`
      return `its publisher${who} may not write it any more (check_retain_source)` +
        denied(source, 'write')
    }
    default:
      return dropText(why, moment, clientId, publication, ground)
  }
}

/** Why it has not been sent yet, or never was, though it was to be. */
const unreachedText = ({ why, moment, clientId, at }: Missed, ground: Ground): string => {
  const { clock, what } = ground
  if (why === 'not reached') {
    const ended = endedText(whyEnded(moment, clientId))
    return `not sent yet when its session ended at ${since(at, clock)} ${ended}`
  }
  const session = sessionFor(moment.after, clientId)
  const because = session === undefined ? '' : `: ${whyNotYet(session, moment.after, clock)}`
  return `still to be sent when the ${what} ended, at ${since(at, clock)}${because}`
}

/** Why a retained message was not sent to who asked for it. */
export const missedText = (missed: Missed, publication: Publication, ground: Ground): string => {
  const { at, why } = missed
  return why === 'still to come' || why === 'not reached'
    ? `as retained message: ${unreachedText(missed, ground)}`
    : `as retained message: not sent at ${since(at, ground.clock)}, when it subscribed: ` +
      unsentText(missed, why, publication, ground)
}
