// What is not as it was in a broker that was brought about by inputs, in sentences.

import type { Message, Session, Share, State } from '../broker/state.ts'
import { isExpired, isSingle, NEVER } from '../broker/state.ts'
import { UNREPORTED_BYTES_MAX } from '../broker/tell.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import * as Tree from '../topic/tree.ts'
import type { Builder, Part } from './rebuild-builder.ts'
import { forgottenIn, owedOtherwise, owedTexts } from './rebuild-owed.ts'
import { plural, quote } from './words.ts'

/** Whether one session has all the subscriptions of the other. */
const hasSubscribed = (one: Session, other: Session): boolean => {
  for (const [filter, { qos, noLocal, retainAsPublished }] of StrMap.entries(other.subscriptions)) {
    const found = StrMap.get(one.subscriptions, filter)
    if (found?.qos !== qos || found.noLocal !== noLocal) return false
    if (found.retainAsPublished !== retainAsPublished) return false
  }
  return StrMap.size(one.subscriptions) === StrMap.size(other.subscriptions)
}

/** What of a session is not there again. */
const missing = (
  untold: Array<string>,
  session: Session,
  builder: Builder,
  from: State,
  part: Part,
): void => {
  const whose = quote(session.clientId, "'")
  const now = builder.sessionNow(session.clientId)
  if (now === undefined || (session.conn === null) !== (now.conn === null)) {
    untold.push(`the session of ${whose} could not be brought back`)
    return
  }
  if (!hasSubscribed(now, session)) {
    untold.push(`not all subscriptions of ${whose} could be brought back`)
  }
  const was = owedTexts(session, from.now, part.message, false)
  untold.push(...owedOtherwise(whose, was, owedTexts(now, from.now, part.message, false)))
  const forgotten = forgottenIn(session, part.message)
  if (forgotten > 0) {
    untold.push(`what ${plural(forgotten, 'message')} on the way to ${whose} said`)
  }
  if (session.willAt !== NEVER && now.willAt === NEVER) {
    untold.push(`the will of ${whose} was still to be published`)
  }
  if (session.conn !== null && session.sentBytes - session.takenBytes > UNREPORTED_BYTES_MAX) {
    untold.push(`that much of what ${whose} was sent had not left yet`)
  }
  if (Queue.size(session.catchUps) > 0) {
    untold.push(`${whose} was still being sent retained messages`)
  }
  if (!areSame(session.aliases, now.aliases)) {
    untold.push(`topic aliases towards ${whose} were set`)
  }
}

const areSame = (one: StrMap.StrMap<number>, other: StrMap.StrMap<number>): boolean => {
  if (StrMap.size(one) !== StrMap.size(other)) return false
  for (const [key, value] of StrMap.entries(one)) {
    if (StrMap.get(other, key) !== value) return false
  }
  return true
}

/** Whether it had a time, of which nothing is left: nobody can publish such a message. */
const hasRunOut = (message: Message, now: number): boolean =>
  message.properties.messageExpiryInterval !== 0 && isExpired(message, now)

/** QoS 2 messages that are not held again, of a wanted session or of whoever else may speak. */
const missingHeld = (
  untold: Array<string>,
  session: Session,
  from: State,
  builder: Builder,
  part: Part,
): void => {
  const now = builder.sessionNow(session.clientId)
  if (now === undefined) return
  let count = 0
  let expired = 0
  for (const [packetId, { message }] of Window.entries(session.incoming)) {
    if (message !== null && !part.message(message.topic)) continue
    const again = Window.get(now.incoming, packetId)
    if (again === undefined || again.message?.topic !== message?.topic) count += 1
    else if (message !== null && hasRunOut(message, from.now)) expired += 1
  }
  const what = `of ${quote(session.clientId, "'")} not released yet`
  if (count > 0) untold.push(`${plural(count, 'QoS 2 message')} ${what}`)
  if (expired > 0) untold.push(`that ${plural(expired, 'QoS 2 message')} ${what} had expired`)
}

/** Members of shared groups may be sent what others of the group were sent. */
export const outOfTurn = 'whose turn it was in shared groups'

/** Whether members of shared groups have joined in the order in which they had. */
const areInOrder = (from: State, builder: Builder, part: Part): boolean => {
  const all: Array<readonly [was: number, is: number]> = []
  IntMap.each(from.sessions, ({ clientId, subscriptions }) => {
    const now = builder.sessionNow(clientId)
    if (now === undefined) return
    for (const [filter, { share, joined }] of StrMap.entries(subscriptions)) {
      if (share === null || !part.share(share.filter)) continue
      const again = StrMap.get(now.subscriptions, filter)
      if (again !== undefined) all.push([joined, again.joined])
    }
  })
  all.sort(([one], [other]) => one - other)
  return all.every(([, is], i) => i === 0 || all[i - 1]![1] < is)
}

/** How many members of a group the next message passes over. */
const turnOf = (state: State, { group, filter }: Share): number => {
  const subscribers = Tree.get(state.filters.tree, filter)
  if (subscribers === undefined || isSingle(subscribers)) return 0
  const found = StrMap.get(subscribers.groups, group)
  const turn = found === undefined ? undefined : IntMap.get(state.turns, found.number)
  if (found === undefined || turn === undefined) return 0
  if (state.config.sharedOrder !== 'sticky') return turn
  let count = 0
  IntMap.each(found.members, ({ joined }) => {
    if (joined < turn) count += 1
  })
  return count
}

/** Whether it is the turn of the same members in all groups of clients that are wanted. */
const areInTurn = (from: State, builder: Builder, part: Part): boolean => {
  let isSame = true
  IntMap.each(from.sessions, ({ clientId, subscriptions }) => {
    if (!part.client(clientId)) return
    for (const [, { share }] of StrMap.entries(subscriptions)) {
      if (share === null || !part.share(share.filter)) continue
      isSame &&= turnOf(from, share) === turnOf(builder.state, share)
    }
  })
  return isSame
}

/** What of a broker is not there again, of the part that is wanted. */
export const missingOf = (from: State, builder: Builder, part: Part): ReadonlyArray<string> => {
  const untold: Array<string> = []
  IntMap.each(from.sessions, (session) => {
    if (part.client(session.clientId)) missing(untold, session, builder, from, part)
    missingHeld(untold, session, from, builder, part)
  })
  const here = from.retained.size - from.ownRetained
  const there = builder.state.retained.size - builder.state.ownRetained
  if (part.topic('') && there < here) {
    untold.push(`${plural(here - there, 'retained message')} could not be brought back`)
  }
  if (!areInOrder(from, builder, part) || !areInTurn(from, builder, part)) untold.push(outOfTurn)
  if (from.stopping) untold.push('the broker was ending')
  return untold
}
