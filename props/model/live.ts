// A message that was just published, or that another member of a shared group leaves behind, to one
// of those who subscribed.

import { mayRead } from './access.ts'
import { isBehind, offer, sendAtMostOnce } from './deliver.ts'
import { bringForward } from './retain.ts'
import type { Copy, Model, Subscription } from './state.ts'
import { dropped } from './state.ts'

/** One copy for one client; answers whether it was not turned away by a full queue. */
export const deliver = (
  model: Model,
  { session }: Subscription,
  copy: Copy,
  isLeft = false,
): boolean => {
  const { topic } = copy.message
  if (!mayRead(model, session, topic)) {
    dropped(model, session.clientId, topic, copy.qos, 'not allowed')
    return true
  }
  // What was left behind may be older than what is retained by now, and stands for nothing.
  if (!copy.message.retain && !isLeft) bringForward(model, session, topic)
  const isCatchingUp = !isLeft && session.catchUps.length > 0 &&
    model.retained.some((one) => one.topic === topic)
  const taken = copy.qos > 0
    ? offer(model, session, copy)
    : isBehind(model, session)
    ? offer(model, session, copy)
    : sendAtMostOnce(model, session, copy, false)
  if (taken === true && isCatchingUp) session.overtaken.push(topic)
  return copy.qos === 0 || taken !== false
}
