// What became of a message on its way to a client, and why it did not reach it, as sentences.

import type { Session, Subscription } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import { dropText, endedText } from './explain-drop.ts'
import { isSameShare } from './explain-facts.ts'
import { matchingIn, sessionFor } from './explain-facts.ts'
import type { Change, Copy, CopyEvent, Matching } from './explain-facts.ts'
import type { Moment, Publication } from './explain-facts.ts'
import { dropsOf } from './explain-lost.ts'
import { since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { waitingFor } from './explain-wait.ts'
import type { Ground } from './explain-wait.ts'
import { hex, name } from './words.ts'

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

/** When a publication that is older than what is known of it began to be followed. */
export const whenFollowed = ({ by }: Publication, { clock, what }: Ground): string =>
  by._tag === 'Earlier' && by.mountedAt !== null
    ? `at the reload at ${since(by.mountedAt, clock)}`
    : `when the ${what} began`

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
            ? `in its queue ${whenFollowed(publication, ground)}`
            : `in flight with QoS ${copy.qos} and packet id ${event.packetId} ` +
              whenFollowed(publication, ground),
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
      case 'Taken':
        words.push(`its socket took it at ${when}`)
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

const listed = (words: ReadonlyArray<string>, max: number): string =>
  words.length <= max
    ? words.join(', ')
    : `${words.slice(0, max).join(', ')} and ${words.length - max} more`

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
export const nearestMiss = (clientId: string, at: number, ground: Ground): string => {
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
