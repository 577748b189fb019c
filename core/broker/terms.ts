// How copies of messages are sent, told with as few records as there are answers: what waits for
// one session mostly agrees in all of it, and a record for each would be a sixth of its weight.

import type { Qos } from '../codec/packet.ts'
import * as Queue from '../data/queue.ts'
import type { Delivery, Session, Share, Terms } from './state.ts'

const noIdentifiers: ReadonlyArray<number> = []

const plain = (qos: Qos, retain: boolean): Terms => ({
  qos,
  retain,
  identifiers: noIdentifiers,
  share: null,
})

const live: ReadonlyArray<Terms> = [plain(0, false), plain(1, false), plain(2, false)]
const retained: ReadonlyArray<Terms> = [plain(0, true), plain(1, true), plain(2, true)]

/** The terms of the next copy for a session, which may be those of the last one in its queue. */
export const termsFor = (
  { queue }: Session,
  qos: Qos,
  retain: boolean,
  identifiers: ReadonlyArray<number>,
  share: Share | null,
): Terms => {
  if (share === null && identifiers.length === 0) return (retain ? retained : live)[qos]!
  const last: Delivery | undefined = Queue.last(queue)
  if (last !== undefined) {
    const { terms } = last
    if (
      terms.qos === qos && terms.retain === retain && isSameShare(terms.share, share) &&
      areSame(terms.identifiers, identifiers)
    ) return terms
  }
  return { qos, retain, identifiers, share }
}

const isSameShare = (one: Share | null, other: Share | null): boolean =>
  one === other ||
  (one !== null && other !== null && one.group === other.group && one.filter === other.filter)

const areSame = (one: ReadonlyArray<number>, other: ReadonlyArray<number>): boolean => {
  if (one === other) return true
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false
  return true
}
