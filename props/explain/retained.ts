// Whether it is true what is said of who was to be sent what a topic had retained.

import type { Account } from './account.ts'
import { since, stepsAt } from './day.ts'
import type { Day, Session, Step } from './day.ts'
import { endIn, isWaitTrue, reasonIn } from './losses.ts'
import { isFor } from './matches.ts'
import type { Publication } from './publications.ts'

/**
 * Whether a client may have been sent then what is retained: it has subscribed, and no later. It
 * goes before what is published there meanwhile.
 */
export const mayCatchUp = (
  account: Account,
  one: Publication,
  clientId: string,
  time: string,
): boolean => {
  return stepsAt(account.day, time).some((step) => {
    const isSoon = step.input._tag === 'Ticked' ||
      (step.input._tag === 'Arrived' && step.input.packet._tag === 'Subscribe') ||
      account.publications.isRouting(one.topic, step)
    return isSoon && account.publications.retainedBefore(one.topic, step) === one &&
      account.day.changes.some((change) =>
        change.clientId === clientId && change.what === 'subscribed' &&
        change.step <= step.index && isFor(change.filter, one.topic) &&
        !change.filter.startsWith('$share/')
      )
  })
}

/** A subscription that was sent nothing of what was retained. */
export const missedProblem = (
  account: Account,
  one: Publication,
  clientId: string,
  time: string,
  text: string,
): string | null => {
  const steps = stepsAt(account.day, time).filter((step) =>
    step.input._tag === 'Arrived' && step.input.packet._tag === 'Subscribe' &&
    account.publications.retainedBefore(one.topic, step) === one
  )
  if (reasonIn(text) !== null && !text.startsWith('the client may not read it')) {
    return account.losses.problemWith(one, clientId, time, text)
  }
  const isSo = steps.some((step) => {
    const { input, before } = step
    if (input._tag !== 'Arrived' || input.packet._tag !== 'Subscribe') return false
    const session = before.get(clientId)
    const taken = account.day.changes.filter((change) =>
      change.step === step.index && change.clientId === clientId &&
      change.what === 'subscribed' && isFor(change.filter, one.topic)
    )
    if (session?.line?.conn.generation !== input.conn.generation) return false
    if (text === 'a shared subscription is sent nothing that is retained') {
      return taken.some(({ filter }) => filter.startsWith('$share/'))
    }
    if (text === 'its subscription did not ask for what is retained (Retain Handling)') {
      return input.packet.requests.some((request) =>
        taken.some(({ filter }) => filter === session.mountPoint + request.filter) &&
        (request.retainHandling === 2 ||
          (request.retainHandling === 1 &&
            session.subs.has(session.mountPoint + request.filter)))
      )
    }
    return taken.length > 0 &&
      /^(the client may not read it|its publisher .*may not write it any more)/.test(text)
  })
  if (isSo) account.tally.add(`missed: ${text.replace(/,? denied.*/s, '').slice(0, 24)}`)
  return isSo ? null : `it did not miss it so at ${time}`
}

/** Whether the words are true of what kept the retained messages from a session. */
const isNotYetTrue = (
  text: string,
  session: Session,
  config: Step['config'],
  day: Day,
): boolean => {
  const isStuck = session.line !== null &&
    session.unwritten > Math.max(65_536, config.unwrittenBytesMax / 2)
  if (isStuck) return /^(\d+) bytes waited/.exec(text)?.[1] === String(session.unwritten)
  return text === 'it comes in portions, and the next one had not begun'
    ? session.line !== null
    : isWaitTrue(text, session, config, day, false)
}

/** Whether what was retained had still to be sent, or its session ended before that. */
export const unreachedProblem = (
  account: Account,
  clientId: string,
  text: string,
): string | null => {
  const still = /^still to be sent when the recording ended, at (\S+): (.*)$/s.exec(text)
  if (still !== null) {
    const session = account.day.last.get(clientId)
    const config = account.day.steps.at(-1)!.next
    const isSo = session !== undefined && still[1] === since(account.day, account.day.endedAt) &&
      isNotYetTrue(still[2]!, session, config, account.day)
    if (isSo) account.tally.add('retained, still to come')
    return isSo ? null : `it is not so: ${session?.flying} in flight`
  }
  const ended = /^not sent yet when its session ended at (\S+) (.*)$/s.exec(text)
  const isSo = ended !== null &&
    stepsAt(account.day, ended[1]!).some((step) => endIn(step, clientId) === ended[2])
  if (isSo) account.tally.add('retained, not reached')
  return isSo ? null : `'${text}' is not so`
}
