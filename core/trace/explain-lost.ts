// What a client lost of a publication in the step in which it was routed, by the notes of drops.

import type { DropReason } from '../broker/note.ts'
import type { Delivery, Message, Passing, Subscription } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import { dropsFor, effectsOf, effectsOfNone, isSameShare } from './explain-facts.ts'
import { matchingIn, sessionFor } from './explain-facts.ts'
import type { Moment, Publication } from './explain-facts.ts'
import { newIn } from './explain-places.ts'

const isSentIn = ({ effects }: Moment, payload: Message['payload']): boolean =>
  effects.some((effect) =>
    (effect._tag === 'Send' || effect._tag === 'Multicast') && effect.packet._tag === 'Publish' &&
    effect.packet.payload === payload
  )

/** Whether another member of its group has got, in this step, what has left a session. */
const isHandedOn = ({ message, terms }: Delivery | Passing, moment: Moment): boolean => {
  if (terms.share === null || !('payload' in message)) return false
  if (isSentIn(moment, message.payload)) return true
  const { before, after } = moment
  const isNewFor = ({ session: number }: Subscription): boolean => {
    const next = IntMap.get(after.sessions, number)
    if (next === undefined) return false
    const since = IntMap.get(before.sessions, number)?.nextOrder ?? 0
    return newIn(next, since).some(([one]) => one.message === message)
  }
  return matchingIn(after, message.topic).groups.some((members) =>
    members.some((member) => isSameShare(member.share, terms.share) && isNewFor(member))
  )
}

/** How many copies on the topic were in the session before a step and are not after it. */
const olderLost = (
  number: number | undefined,
  moment: Moment,
  topic: string,
): number => {
  const { before, after } = moment
  const old = number === undefined ? undefined : IntMap.get(before.sessions, number)
  const next = number === undefined ? undefined : IntMap.get(after.sessions, number)
  if (old === undefined) return 0
  const left = new Set(next === undefined ? [] : newIn(next, 0).map(([{ order }]) => order))
  // Of QoS 0 what has gone was mostly sent.
  return newIn(old, 0).filter(([one]) =>
    one.message.topic === topic && one.terms.qos > 0 && !left.has(one.order) &&
    !isHandedOn(one, moment)
  ).length
}

/**
 * Why copies for a client were lost: when the publication was routed, or later in the step, by a
 * client that came back in it. It may have lost older ones then, but those stood before them; and
 * what was lost of another will is no affair of this one.
 */
export const dropsOf = (
  clientId: string,
  publication: Publication,
  moment: Moment,
): Array<DropReason> => {
  const { topic, copies } = publication
  const drops = dropsFor({ effects: effectsOf(publication, moment) }, clientId, topic)
  const { before, after } = moment
  const number = sessionFor(before, clientId)?.number
  const isThere = number === undefined || IntMap.get(after.sessions, number) !== undefined
  // Nobody comes back to a session that has ended: it was another publication that was dropped.
  const later = isThere ? dropsFor({ effects: effectsOfNone(moment) }, clientId, topic) : []
  const isOwn = ({ session }: Subscription): boolean => session === number
  const { direct, groups } = matchingIn(before, topic)
  const { by } = publication
  const isEcho = 'clientId' in by && by.clientId === clientId
  const own = direct.filter((one) => isOwn(one) && !(isEcho && one.noLocal)).length
  const most = (after.config.allowDuplicateMessages ? own : Math.min(1, own)) +
    groups.filter((members) => members.some(isOwn)).length
  const having = copies.filter((copy) =>
    copy.clientId === clientId && copy.events[0]?.at === after.now
  )
  const room = most - drops.length - having.length
  const open = Math.min(room, later.length - olderLost(number, moment, topic))
  return open > 0 ? [...drops, ...later.slice(-open)] : drops
}
