// What becomes of the messages of a member of a shared group that goes.

import { copyFor } from './deliver.ts'
import { deliver } from './live.ts'
import { isOf, membersOf, pick } from './share.ts'
import type { Copy, Model, Session, Subscription } from './state.ts'

type Why = 'ended' | 'away' | 'left'

/** Whether a copy was given to another member of its group. */
const isGiven = (model: Model, { message, share }: Copy, why: Why): boolean => {
  const group = model.groups.find((one) => share !== null && isOf(share, one))
  if (group === undefined || message.expiresAt <= model.now) return false
  // When everything ends, nothing is given to those who end as well.
  const members = membersOf(model, group).filter((one) =>
    !model.stopping || one.session.expiryS > 0
  )
  if (members.length === 0) return false
  const member = pick(model, group, members, message, why === 'away')
  if (member === null) {
    model.marks.add(`nobody could take over: ${why}`)
    return false
  }
  model.marks.add(`a message changed hands: ${why}`)
  deliver(model, member, copyFor(model, member, message), true)
  return true
}

/** What was not sent yet, of one group or of all; what nobody takes stays. */
export const giveQueued = (
  model: Model,
  session: Session,
  only: Subscription | 'all',
  why: Why,
): void => {
  session.queue = session.queue.filter((one) =>
    one.share === null || (only !== 'all' && !isOf(one.share, only)) ||
    !isGiven(model, one, why)
  )
}

/** QoS 1 that was sent and not acknowledged, and what was not sent at all. */
export const handOver = (model: Model, session: Session, why: 'ended' | 'away'): void => {
  session.window = session.window.filter((one) => {
    if (one.share === null) return true
    if (one.qos === 2) model.marks.add(`QoS 2 under way stays: ${why}`) // [MQTT-4.8.2-5]
    return one.qos === 2 || !isGiven(model, one, why)
  })
  giveQueued(model, session, 'all', why)
}
