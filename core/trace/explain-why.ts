// Why a message did not reach a client, and how far it has got, as sentences.

import type { Source } from '../broker/acl.ts'
import type { Config } from '../broker/config.ts'
import type { Millis } from '../broker/input.ts'
import type { DropReason } from '../broker/note.ts'
import { whyNotSent } from '../broker/mount.ts'
import { catchUpBytesMax, isReceptive } from '../broker/retain.ts'
import type { Session, State, Subscription } from '../broker/state.ts'
import { UNREPORTED_BYTES_MAX, unwrittenBytes } from '../broker/tell.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import { isSameConn, isSameShare } from './explain-facts.ts'
import { matchingIn, sessionFor } from './explain-facts.ts'
import type { Change, Copy, CopyEvent, Matching } from './explain-facts.ts'
import type { Missed, Moment, Publication } from './explain-facts.ts'
import { whyEnded } from './explain-gone.ts'
import { dropsOf } from './explain-lost.ts'
import { whyDeniedSince } from './explain-rights.ts'
import type { Reload } from './explain-rights.ts'
import { since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { hex, plural, quote } from './words.ts'

/** What there is to look things up in. */
export interface Ground {
  readonly clock: Clock
  /** The broker when the recording ended. */
  readonly last: State
  /** Of subscriptions that match the topic, in order. */
  readonly changes: ReadonlyArray<Change>
  /** New configurations that came while the recording ran, in order. */
  readonly reloads: ReadonlyArray<Reload>
  /** When the broker was told to stop; null where it was not. */
  readonly stoppedAt: Millis | null
  /** What all this is known from, in a word: a recording, say. */
  readonly what: string
}

export const name = (text: string): string => quote(text, "'")

const listed = (words: ReadonlyArray<string>, max: number): string =>
  words.length <= max
    ? words.join(', ')
    : `${words.slice(0, max).join(', ')} and ${words.length - max} more`

const hasReceived = ({ window }: Session): boolean => {
  for (const [, { stage }] of Window.entries(window)) if (stage === 'released') return true
  return false
}

/** Why the session could not be sent more at once; `before` messages stood in its queue. */
const whyWaiting = (
  session: Session,
  { inflightBytesMax, packetIdMax, unwrittenBytesMax }: Config,
  clock: Clock,
  before: number,
): string => {
  if (session.conn === null) return `it was away since ${since(session.offlineAt, clock)}`
  const { inflightBytes, inflightCountMax, window } = session
  const sent = `${plural(Window.size(window), 'message')} had been sent to it and not acknowledged`
  if (Window.size(window) >= Math.min(inflightCountMax, packetIdMax)) {
    return `${sent}, as many as may be (its Receive Maximum or max_inflight_messages)`
  }
  if (inflightBytesMax > 0 && inflightBytes >= inflightBytesMax) {
    return `${sent}, ${plural(inflightBytes, 'byte')}, which is as much as may be ` +
      `(max_inflight_bytes ${inflightBytesMax})`
  }
  if (unwrittenBytes(session) <= Math.max(unwrittenBytesMax, UNREPORTED_BYTES_MAX)) {
    // The bytes of what it has received are free at once, and the queue goes on at its PUBCOMP.
    if (inflightBytesMax > 0 && hasReceived(session)) {
      return 'what it has received (PUBREC) has made room, which counts from its next answer on ' +
        `(max_inflight_bytes ${inflightBytesMax})`
    }
    return 'a reload has allowed more to be under way to it, which counts from its next answer on'
  }
  const line = before === 0 ? '' : `${plural(before, 'message')} stood before it and `
  return `${line}${plural(unwrittenBytes(session), 'byte')} waited for its socket`
}

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
const dropText = (
  why: DropReason,
  moment: Pick<Moment, 'before' | 'after' | 'effects'>,
  clientId: string,
  publication: Publication,
  ground: Ground,
): string => {
  const { before, after } = moment
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
      const isLong = config.queuedCountMax !== 0 && count >= config.queuedCountMax
      const content = isBack || hasLeft || next === undefined
        ? ''
        : `, with ${plural(count, 'message')} of ${plural(session.queuedBytes, 'byte')}` +
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

const waitingFor = (copy: Copy, { last, clock, stoppedAt, what }: Ground): string => {
  const session = IntMap.get(last.sessions, copy.session)
  const away = session !== undefined && session.conn === null
    ? `; its client is away since ${since(session.offlineAt, clock)}` +
      (session.offlineAt === stoppedAt ? ', when the broker was stopped' : '')
    : ''
  const end = `when the ${what} ended, at ${since(last.now, clock)}`
  const isReceived = copy.events.some(({ _tag }) => _tag === 'Received')
  if (isReceived) return `still waiting for PUBCOMP ${end}${away}`
  const flying = session === undefined ? undefined : Window.get(session.window, copy.packetId)
  if (away === '' && flying?.stage === 'waiting') {
    return `still to be sent again, behind others, ${end}`
  }
  if (copy.events.some(({ _tag }) => _tag === 'Sent') || copy.packetId > 0) {
    return `still waiting for ${copy.qos === 1 ? 'PUBACK' : 'PUBREC'} ${end}${away}`
  }
  const why = session === undefined ? '' : `: ${whyQueued(session, copy, last, clock)}`
  return `still in its queue ${end}${why}`
}

/** Why the copy is still in the queue of its session. */
const whyQueued = (session: Session, { order }: Copy, last: State, clock: Clock): string => {
  let before = 0
  let expiresAt: Millis | null = null
  for (const one of Queue.entries(session.queue)) {
    if (one.order === order) {
      expiresAt = one.message.expiresAt
      break
    }
    before += 1
  }
  const why = whyWaiting(session, last.config, clock, before)
  return expiresAt === null || expiresAt > last.now
    ? why
    : `${why}; its Message Expiry Interval was over at ${
      since(expiresAt, clock)
    }, so that it will ` +
      'not be sent'
}

const endedText = (why: string): string => {
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

/** Why nothing retained could be sent to the session, or only had not been. */
const whyNotYet = (session: Session, state: State, clock: Clock): string => {
  const { config } = state
  if (isReceptive(state, session)) return 'it comes in portions, and the next one had not begun'
  const bytes = unwrittenBytes(session)
  return session.conn !== null && bytes > catchUpBytesMax(config)
    ? `${plural(bytes, 'byte')} waited for its socket`
    : whyWaiting(session, config, clock, Queue.size(session.queue))
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

export const missedText = (missed: Missed, publication: Publication, ground: Ground): string => {
  const { at, why } = missed
  return why === 'still to come' || why === 'not reached'
    ? `as retained message: ${unreachedText(missed, ground)}`
    : `as retained message: not sent at ${since(at, ground.clock)}, when it subscribed: ` +
      unsentText(missed, why, publication, ground)
}

/** How it went out, without when. */
const sentText = (
  { qos, packetId, retain, mountPoint }: Extract<CopyEvent, { readonly _tag: 'Sent' }>,
  topic: string,
): string => {
  const shown = mountPoint === '' ? '' : ` as ${name(topic.slice(mountPoint.length))}`
  const flags = retain ? ', with RETAIN' : ''
  return qos === 0
    ? `${shown} with QoS 0${flags}, which nobody acknowledges`
    : `${shown} with QoS ${qos} and packet id ${packetId}${flags}`
}

/** What became of one copy. */
export const copyText = (copy: Copy, publication: Publication, ground: Ground): string => {
  const { clock } = ground
  const words: Array<string> = []
  const isDelivered = copy.events.some((event) =>
    event._tag === 'Sent' || (event._tag === 'Found' && event.packetId > 0)
  )
  for (const event of copy.events) {
    const when = since(event.at, clock)
    switch (event._tag) {
      case 'Queued':
        words.push(`queued at ${when}`)
        break
      case 'Found':
        words.push(
          event.packetId === 0
            ? `in its queue when the ${ground.what} began`
            : `in flight with QoS ${copy.qos} and packet id ${event.packetId} when the ` +
              `${ground.what} began`,
        )
        break
      case 'Sent':
        words.push(
          event.again
            ? `sent again at ${when} with DUP`
            : `delivered at ${when}${sentText(event, publication.topic)}`,
        )
        break
      case 'Untaken':
        words.push(
          event.isOver
            ? `its socket had not taken it when the connection ended at ${when}`
            : `its socket had not taken it yet when the ${ground.what} ended`,
        )
        break
      case 'Received':
        words.push(`received at ${when} (PUBREC)`)
        break
      case 'Answered':
        words.push(
          event.reason >= 0x80
            ? `refused by the client at ${when} (${event.by} ${hex(event.reason)})`
            : `acknowledged at ${when} (${event.by})`,
        )
        break
      case 'Dropped':
        words.push(
          `${isDelivered ? 'given up' : 'not delivered: dropped'} at ${when}, ` +
            dropText(event.why, event.moment, copy.clientId, publication, ground),
        )
        break
      case 'SessionEnded':
        words.push(
          `${isDelivered ? 'not acknowledged' : 'not delivered'}: its session ended at ${when} ` +
            endedText(event.why),
        )
        break
      case 'HandedOver':
        words.push(
          `handed over at ${when} to ${event.to.map(name).join(', ') || 'another'} of its shared` +
            ' group',
        )
        break
    }
  }
  if (copy.isOpen) words.push(waitingFor(copy, ground))
  const what = copy.isRetained ? 'as retained message: ' : ''
  const text = words.join('; ')
  return isDelivered || !copy.isOpen ? `${what}${text}` : `${what}not delivered: ${text}`
}

// ---- no copy

const changeText = ({ at, filter, what, reason, why }: Change, clock: Clock): string => {
  const when = since(at, clock)
  switch (what) {
    case 'subscribed':
      return `subscribed to ${name(filter)} at ${when}`
    case 'unsubscribed':
      return `unsubscribed from ${name(filter)} at ${when}`
    case 'refused':
      return `was refused ${name(filter)} at ${when} (${hex(reason)})` +
        `${why === null ? '' : `, denied by ${why}`}`
    case 'lost':
      return `lost ${name(filter)} with its session at ${when}`
  }
}

/** The nearest that the client came to a subscription, before and after. */
const nearestMiss = (clientId: string, at: number, ground: Ground): string => {
  const own = ground.changes.filter((one) => one.clientId === clientId)
  const earlier = own.filter((one) => one.at <= at && one.what !== 'subscribed').at(-1)
  const later = own.find((one) => one.at >= at && one.what === 'subscribed')
  const refused = own.find((one) => one.at >= at && one.what === 'refused' && one !== earlier)
  const words = [earlier, later ?? refused].flatMap((one) =>
    one === undefined ? [] : [changeText(one, ground.clock)]
  )
  return words.length === 0 ? '' : `; it ${words.join(' and ')}`
}

const subscribedTo = (session: Session): string => {
  const filters: Array<string> = []
  StrMap.each(session.subscriptions, ({ filter }) => filters.push(name(filter)))
  return filters.length === 0
    ? 'it had no subscription'
    : `it was subscribed to ${listed(filters.sort(), 5)}, which does not match`
}

/** Never said: a test sees to it. */
const nothingSays = 'nothing in the recording says why'

/** The same as sentences, each once and without those that are told of copies. */
const lossesOf = (
  clientId: string,
  publication: Publication,
  moment: Moment,
  ground: Ground,
): ReadonlyArray<string> => {
  const left = dropsOf(clientId, publication, moment)
  for (const { events } of publication.copies.filter((copy) => copy.clientId === clientId)) {
    for (const event of events) {
      if (event._tag !== 'Dropped' || event.moment !== moment) continue
      const told = left.indexOf(event.why)
      if (told >= 0) left.splice(told, 1)
    }
  }
  // What had expired was older, and made room.
  const reasons = new Set(left.filter((why) => why !== 'expired'))
  return [...reasons].map((why) => dropText(why, moment, clientId, publication, ground))
}

/** What a client lost that has other copies, by other subscriptions or at other times. */
export const besides = (
  clientId: string,
  publication: Publication,
  ground: Ground,
): ReadonlyArray<string> => {
  const { moment } = publication
  if (moment === null) return []
  const when = since(moment.after.now, ground.clock)
  return lossesOf(clientId, publication, moment, ground).map((why) =>
    `a copy was lost at ${when}: ${why}`
  )
}

/**
 * Those of the copies that came by a group. What went at once does not say how: it did so where its
 * client has more than its other subscriptions give it, and by another group only where nobody has
 * it by this one for sure.
 */
const takersIn = (
  copies: ReadonlyArray<Copy>,
  share: Subscription['share'],
  { direct, groups }: Matching,
  { after }: Moment,
): ReadonlyArray<Copy> => {
  const isAtOnce = ({ share, events }: Copy): boolean =>
    share === null && events[0]?.at === after.now
  const byGroups = ({ session }: Copy): number => {
    const count = copies.filter((one) => one.session === session && isAtOnce(one)).length
    const own = direct.filter((one) => one.session === session).length
    return count - (after.config.allowDuplicateMessages ? own : Math.min(1, own))
  }
  const groupsOf = ({ session }: Copy): number =>
    groups.filter((members) => members.some((one) => one.session === session)).length
  const some = copies.filter((copy) =>
    isAtOnce(copy) ? byGroups(copy) > 0 : isSameShare(copy.share, share)
  )
  const sure = some.filter((copy) => !isAtOnce(copy) || byGroups(copy) >= groupsOf(copy))
  return sure.length > 0 ? sure : some
}

/** Why a client has no copy of a publication that was routed. */
export const whyNot = (
  clientId: string,
  publication: Publication,
  moment: Moment,
  ground: Ground,
): string => {
  const { topic, copies } = publication
  const at = moment.after.now
  const session = sessionFor(moment.before, clientId)
  const lost = lossesOf(clientId, publication, moment, ground)
  if (lost.length > 0) return lost.join('; and ')
  if (session === undefined) {
    return `it had no session at that time${nearestMiss(clientId, at, ground)}`
  }
  const matching = matchingIn(moment.before, topic)
  const { direct, groups } = matching
  const isOwn = ({ session: number }: Subscription): boolean => number === session.number
  const own = direct.filter(isOwn)
  const shared = groups.filter((members) => members.some(isOwn))
  if (own.length + shared.length === 0) {
    return `${subscribedTo(session)}${nearestMiss(clientId, at, ground)}`
  }
  if (IntMap.get(moment.after.sessions, session.number) === undefined) {
    return 'its session ended in that moment'
  }
  const words: Array<string> = []
  if (own.length > 0) {
    // Whoever has none of these has the message, or a note says why not.
    const { by } = publication
    const isEcho = 'clientId' in by && by.clientId === clientId
    if (!isEcho || !own.every(({ noLocal }) => noLocal)) return nothingSays
    const filters = own.map(({ filter }) => name(filter)).join(', ')
    words.push(`its subscription to ${filters} has No Local, and it published the message itself`)
  }
  for (const members of shared) {
    const numbers = new Set(members.map(({ session: number }) => number))
    const { share, filter } = members.find(isOwn)!
    const having = copies.filter((copy) => !copy.isRetained && numbers.has(copy.session))
    const takers = takersIn(having, share, matching, moment).map((copy) => name(copy.clientId))
    const losers = members.flatMap(({ session: number }) => {
      const other = IntMap.get(moment.after.sessions, number)
      const lost = other === undefined ? [] : dropsOf(other.clientId, publication, moment)
      return other === undefined || lost.length === 0
        ? []
        : [`${name(other.clientId)} (${lost.at(-1)})`]
    })
    const whom = takers.length > 0
      ? `gave it to ${listed([...new Set(takers)], 3)}`
      : losers.length > 0
      ? `lost it to ${listed(losers, 3)}, whose turn it was`
      : having.length > 0
      ? `gave it to ${listed([...new Set(having.map((copy) => name(copy.clientId)))], 3)}`
      : 'lost it with a member whose session ended in that moment'
    words.push(`the shared group of its ${name(filter)} ${whom}`)
  }
  return words.join('; ')
}
