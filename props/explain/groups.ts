// Who of a shared group may have what, and whether it is true what is said of the others.

import type { Account } from './account.ts'
import { stepsAt, subsFor } from './day.ts'
import type { Step, Sub } from './day.ts'
import { dropsIn, endIn } from './losses.ts'
import { isFor } from './matches.ts'
import type { Publication } from './publications.ts'
import { quoted } from './words.ts'

export const groupsIn = (subs: ReadonlyArray<Sub>): ReadonlyArray<Sub> =>
  subs.filter(({ group }) => group !== null)

/** Whether a client lost its connection, session or subscription then, and the others had it. */
export const mayHandOver = (
  account: Account,
  clientId: string,
  topic: string,
  time: string,
  to: string,
): boolean => {
  const takers = [...to.matchAll(/'(.*?)'/g)].map(([, who]) => who!)
  return stepsAt(account.day, time).some(({ index, before, after }) => {
    const session = before.get(clientId)
    if (session === undefined) return false
    const isGone = session.line !== null && after.get(clientId)?.line !== session.line
    const left = after.get(clientId)
    // What nobody would take stays with who has left the group.
    const groups = groupsBy(account, clientId, index, topic)
    const isLeaving = isGone || left === undefined || left.number !== session.number ||
      groups.some((filter) => !left.subs.has(filter))
    return isLeaving && groups.length > 0 &&
      takers.every((who) =>
        who !== clientId && groups.some((filter) => before.get(who)?.subs.has(filter) === true)
      )
  })
}

/** Whether another member of a group of the client may have left it something then. */
export const mayTakeOver = (
  account: Account,
  one: Publication,
  clientId: string,
  time: string,
): boolean =>
  stepsAt(account.day, time).some(({ index, before, after }) => {
    const own = before.get(clientId)
    const groups = own === undefined ? [] : groupsIn(subsFor(own, one.topic))
    return [...before.values()].some((other) => {
      const now = after.get(other.clientId)
      const theirs = groupsBy(account, other.clientId, index, one.topic)
      return other.clientId !== clientId &&
        groups.some(({ filter }) => theirs.includes(filter)) &&
        (now === undefined || now.number !== other.number || now.line !== other.line ||
          groups.some(({ filter }) => other.subs.has(filter) && !now.subs.has(filter)))
    })
  })

/** The shared filters for the topic that the client has ever subscribed to. */
const groupsBy = (
  account: Account,
  clientId: string,
  index: number,
  topic: string,
): ReadonlyArray<string> =>
  account.day.changes.filter((change) =>
    change.clientId === clientId && change.step <= index && change.what === 'subscribed' &&
    change.filter.startsWith('$share/') && isFor(change.filter, topic)
  ).map(({ filter }) => filter)

/** What is wrong with what is said of a group that did not give its member the message. */
export const groupProblem = (
  account: Account,
  one: Publication,
  step: Step,
  filter: string,
  text: string,
  lines: ReadonlyMap<string, string>,
): string | null => {
  const members = [...step.before.values()].filter(({ subs }) => subs.has(filter))
  const gave = /^gave it to ('.*?')(?: and \d+ more)?$/s.exec(text)
  if (gave !== null) {
    const takers = gave[1]!.split(', ')
    account.tally.add('shared: gave it to')
    // Who can have it by nothing but this group, and was sent it at once, has it by the group.
    const sure = members.filter((member) =>
      subsFor(member, one.topic).length === 1 &&
      account.publications.sentsOf(one, member.clientId).some((sent) => sent.step === step.index)
    )
    for (const { clientId } of sure) {
      account.tally.add('shared: sure who')
      if (!takers.includes(quoted(clientId))) return `${clientId} had it by ${filter}`
    }
    for (const taker of takers) {
      const clientId = taker.slice(1, -1)
      if (!members.some((member) => member.clientId === clientId)) {
        return `${clientId} is no member of ${filter}`
      }
      const told = lines.get(clientId)
      if (told !== undefined && !/(delivered|queued) at /.test(told)) {
        return `${clientId} is said to have it and not to have it`
      }
    }
    return null
  }
  const lost = /^lost it to (.*), whose turn it was$/s.exec(text)
  if (lost !== null) {
    account.tally.add('shared: lost it')
    for (const [, who, why] of lost[1]!.matchAll(/'(.*?)' \((.*?)\)/g)) {
      const isSo = members.some(({ clientId }) => clientId === who) &&
        (dropsIn(one, step, who!).includes(why!) ||
          (why === 'expired' && one.expiryS === 0))
      if (!isSo) return `${who} did not lose it for ${why}`
    }
    return null
  }
  const isEnded = text === 'lost it with a member whose session ended in that moment' &&
    members.some(({ clientId }) => endIn(step, clientId) !== null)
  return isEnded ? null : `'${text}' is not so`
}
