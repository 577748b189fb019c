// Whether it is true why a client got nothing of a message, and that it got no less than it says.

import type { Account } from './account.ts'
import { since, subsFor } from './day.ts'
import type { Change, Session, Step } from './day.ts'
import { groupProblem, groupsIn } from './groups.ts'
import { dropsIn, reasonIn } from './losses.ts'
import { isFor } from './matches.ts'
import { mountPointsBy } from './publications.ts'
import type { Publication } from './publications.ts'
import { hex, quoted } from './words.ts'

/** Which line of an access list it is that refuses a filter is no affair of the wire. */
const deniedBy = /(?<=\(0x87\)), denied by .*?(?= and (?:subscribed to|was refused) '|$)/gs

/** What is wrong with why a client got nothing of what was routed in the step. */
export const whyNotProblem = (
  account: Account,
  one: Publication,
  step: Step,
  clientId: string,
  text: string,
  lines: ReadonlyMap<string, string>,
): string | null => {
  const session = step.before.get(clientId)
  const drops = dropsIn(one, step, clientId)
  const told = text.split('; and ')
  // What was given up in the step is told of where it was sent.
  const untold = [...new Set(drops)].filter((why) =>
    !account.day.sents.some((sent) =>
      sent.clientId === clientId && sent.topic === one.topic &&
      sent.words.includes(`given up at ${since(account.day, step.at)}, ${why}`)
    )
  )
  // Of several in a step one may have been dropped, and another one not.
  const isOther = told.every((part) => reasonIn(part) === null) &&
    (untold.length === 0 || !account.publications.isAlone(one, step))
  if (drops.length > 0 && !isOther) {
    for (const part of told) {
      const why = account.losses.problemWith(one, clientId, since(account.day, step.at), part)
      if (why !== null) return why
    }
    const missing = untold.filter((why) => !told.some((part) => reasonIn(part) === why))
    return missing.length === 0 || !account.publications.isAlone(one, step)
      ? null
      : `nothing is said of ${missing}`
  }
  const is = (kind: string, expected: string): string | null => {
    account.tally.add(kind)
    return text.replaceAll(deniedBy, '') === expected ? null : `should be '${expected}'`
  }
  const miss = nearestMiss(account, one, step, clientId)
  if (session === undefined) {
    return is('no session', `it had no session at that time${miss}`)
  }
  const subs = subsFor(session, one.topic)
  if (subs.length === 0) {
    const filters = [...session.subs.keys()].map(quoted).sort()
    const some = filters.length > 5
      ? `${filters.slice(0, 5).join(', ')} and ${filters.length - 5} more`
      : filters.join(', ')
    return filters.length === 0
      ? is('no subscription', `it had no subscription${miss}`)
      : is('not subscribed', `it was subscribed to ${some}, which does not match${miss}`)
  }
  if (step.after.get(clientId)?.number !== session.number) {
    return is('ended then', 'its session ended in that moment')
  }
  return matchingProblem(account, one, step, session, text, lines)
}

/** Why a client with a matching subscription has nothing: No Local, or others of its groups. */
const matchingProblem = (
  account: Account,
  one: Publication,
  step: Step,
  session: Session,
  text: string,
  lines: ReadonlyMap<string, string>,
): string | null => {
  const subs = subsFor(session, one.topic)
  const own = subs.filter(({ group }) => group === null)
  const parts = text.split('; ')
  if (own.length > 0) {
    if (session.number !== one.session || own.some(({ noLocal }) => !noLocal)) {
      return 'its subscription matches, nothing was dropped, and it has nothing'
    }
    const filters = own.map(({ filter }) => quoted(filter)).sort().join(', ')
    const found = /^its subscription to (.*) has No Local, and it published the message itself$/s
      .exec(parts.shift()!)
    account.tally.add('No Local')
    if (found?.[1]?.split(', ').sort().join(', ') !== filters) {
      return `${filters} have No Local`
    }
  }
  const groups = groupsIn(subs)
  if (parts.length !== groups.length) return `it is in ${groups.length} groups`
  for (const { filter } of groups) {
    const start = `the shared group of its ${quoted(filter)} `
    const part = parts.find((some) => some.startsWith(start))
    if (part === undefined) return `nothing is said of ${filter}`
    const problem = groupProblem(account, one, step, filter, part.slice(start.length), lines)
    if (problem !== null) return problem
  }
  return null
}

/** The nearest that the client came to a subscription, before and after. */
const nearestMiss = (account: Account, one: Publication, step: Step, clientId: string): string => {
  // What is behind a mount point is asked for since there is one.
  const isAsked = ({ filter, step: index }: Change): boolean =>
    [...mountPointsBy(account.day, index)].some((mount) => isFor(filter, mount + account.asked))
  const own = account.day.changes.filter((change) =>
    change.clientId === clientId && isFor(change.filter, one.topic) && isAsked(change)
  )
  const earlier = own.filter(({ at, what }) => at <= step.at && what !== 'subscribed').at(-1)
  const later = own.filter(({ at }) => at >= step.at)
  const next = later.find(({ what }) => what === 'subscribed') ??
    later.find((change) => change.what === 'refused' && change !== earlier)
  const words = [earlier, next].flatMap((change) => {
    if (change === undefined) return []
    account.tally.add(`nearest: ${change.what}`)
    const when = since(account.day, change.at)
    const filter = quoted(change.filter)
    switch (change.what) {
      case 'subscribed':
        return [`subscribed to ${filter} at ${when}`]
      case 'unsubscribed':
        return [`unsubscribed from ${filter} at ${when}`]
      case 'refused':
        return [`was refused ${filter} at ${when} (${hex(change.reason)})`]
      case 'lost':
        return [`lost ${filter} with its session at ${when}`]
    }
  })
  return words.length === 0 ? '' : `; it ${words.join(' and ')}`
}

/** The same of what never went to anybody. */
export const unroutedProblem = (
  account: Account,
  one: Publication,
  text: string,
): string | null => {
  const words = /^not delivered: (.*)$/s.exec(text)?.[1] ?? ''
  const isSo = one.refused !== null
    ? one.refused.test(words)
    : words === 'its publisher had not released it (PUBREL)'
  if (isSo) account.tally.add(one.refused === null ? 'not released' : 'refused')
  return isSo ? null : `it was not kept from it by '${words}'`
}

/** How many copies waited, where all that a client may have of it is by its own subscriptions. */
export const countProblem = (
  account: Account,
  one: Publication,
  step: Step,
  clientId: string,
  waited: number,
): string | null => {
  const session = step.before.get(clientId)
  const isStable = session !== undefined && step.after.get(clientId)?.line === session.line &&
    step.after.get(clientId)?.number === session.number
  if (!isStable || !account.publications.isAlone(one, step)) return null
  // A copy without any time that waits makes room for the next one.
  if (one.expiryS === 0) return null
  const subs = subsFor(session, one.topic)
  if (groupsIn(subs).length > 0) return null
  const own = subs.filter(({ noLocal }) => !(noLocal && session.number === one.session))
  const most = step.config.allowDuplicateMessages ? own.length : Math.min(1, own.length)
  const sent =
    account.publications.sentsOf(one, clientId).filter((some) => some.step === step.index).length
  const expected = most - sent - dropsIn(one, step, clientId).length
  account.tally.add('counted')
  return waited === expected ? null : `${expected} waited, not ${waited}`
}
