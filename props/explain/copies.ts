// Whether it is true what is said of a copy that a client was sent, or that waited for it: what was
// sent and answered, since when it had waited, and how the waiting ended.

import type { Account } from './account.ts'
import { since, stepsAt } from './day.ts'
import type { Sent } from './day.ts'
import { mayHandOver, mayTakeOver } from './groups.ts'
import { endIn, isWaitTrue, reasonIn } from './losses.ts'
import type { Publication } from './publications.ts'
import { mayCatchUp } from './retained.ts'

const untaken = new RegExp(
  '; its socket had not taken it ' +
    '(yet when the recording ended|when the connection ended at (\\S+?))(?=;|$)',
  'g',
)

const late = /; its socket took it at (\S+?)(?=;|$)/g

/** What is wrong with what is said of a copy that was sent; the one that it is true of is taken. */
export const deliveredProblem = (
  account: Account,
  one: Publication,
  clientId: string,
  left: Array<Sent>,
  from: string | null,
  told: string,
  isRetained: boolean,
): string | null => {
  const index = left.findIndex((sent) => isDelivered(account, sent, told))
  if (index < 0) {
    const all = left.map((sent) => wordsOf(account, sent).join('; '))
    return `of ${JSON.stringify(all)} none is '${told}'`
  }
  const [sent] = left.splice(index, 1)
  const given = /given up at (\S+), (.*)$/s.exec(told)
  const problem = given === null
    ? null
    : account.losses.problemWith(one, clientId, given[1]!, given[2]!)
  if (problem !== null) return problem
  const origin = originProblem(account, one, sent!, from, isRetained)
  if (origin !== null) return origin
  account.tally.add(from === null ? 'delivered' : 'delivered later')
  if (isRetained) account.tally.add('delivered as retained')
  return null
}

const isDelivered = (account: Account, sent: Sent, told: string): boolean => {
  const taken = told.replaceAll(untaken, '').replaceAll(late, '')
  for (const [, time] of told.matchAll(late)) {
    const isSo = sent.carried.some(({ line, end }) => {
      const first = line.takings.find(({ total }) => total >= end)
      return first !== undefined && since(account.day, first.at) === time
    })
    if (!isSo) return false
  }
  for (const [, , time] of told.matchAll(untaken)) {
    const isSo = sent.carried.some(({ line, end }) =>
      line.takenBytes < end &&
      (line.endedAt === null ? time === undefined : since(account.day, line.endedAt) === time)
    )
    if (!isSo) return false
  }
  const plain = taken.replace(
    /(given up at \S+), (.*)$/s,
    (_, when: string, why: string) => `${when}, ${reasonIn(why) ?? why}`,
  )
  const words = wordsOf(account, sent)
  if (plain === words.join('; ')) {
    if (told.replaceAll(untaken, '') !== told) account.tally.add('not taken by its socket')
    if (told.replaceAll(late, '') !== told) account.tally.add('taken late by its socket')
    account.tally.add(
      words.at(-1)!.replaceAll(/ ?(at )?\d+\.\d+s.*| with QoS.*| when the rec.*/gs, ''),
    )
    return true
  }
  const handed = /^(.*); handed over at (\S+) to (another|'.*') of its shared group$/s.exec(plain)
  if (handed !== null) {
    const { words, sessionEndedAt, isVague } = sent
    const before = isVague ? [words[0]] : sessionEndedAt === null ? words : words.slice(0, -1)
    const isSo = handed[1] === before.join('; ') && sent.qos === 1 &&
      mayHandOver(account, sent.clientId, sent.topic, handed[2]!, handed[3]!)
    if (isSo) account.tally.add('handed over')
    return isSo
  }
  return sent.isVague && plain.startsWith(sent.words[0]!)
}

/** What is said of a copy that was sent, with what it still waits for when the day is over. */
const wordsOf = (account: Account, sent: Sent): ReadonlyArray<string> => {
  const { stage, words, clientId, session, qos } = sent
  const last = account.day.last.get(clientId)
  if (stage === 'over') return words
  if (last === undefined || last.number !== session) return [...words, 'with nobody']
  const end = `when the recording ended, at ${since(account.day, account.day.endedAt)}`
  const stop = account.day.steps.find(({ input }) =>
    input._tag === 'Commanded' && input.command._tag === 'Stop'
  )
  const stopped = stop?.at === last.offlineAt ? ', when the broker was stopped' : ''
  const away = last.line === null
    ? `; its client is away since ${since(account.day, last.offlineAt)}${stopped}`
    : ''
  if (stage === 'received') return [...words, `still waiting for PUBCOMP ${end}${away}`]
  if (away === '' && sent.line !== last.line) {
    return [...words, `still to be sent again, behind others, ${end}`]
  }
  return [...words, `still waiting for ${qos === 1 ? 'PUBACK' : 'PUBREC'} ${end}${away}`]
}

/** Whether what was sent, and had waited since then, may have come about so. */
const originProblem = (
  account: Account,
  one: Publication,
  sent: Sent,
  from: string | null,
  isRetained: boolean,
): string | null => {
  const start = from ?? since(account.day, sent.at)
  const isLive = one.routed !== null &&
    (from === null ? one.routed.index === sent.step : since(account.day, one.routed.at) === from)
  if (isLive) return isRetained ? 'it was sent live and not as retained' : null
  if (isRetained) {
    return sent.isRetain && mayCatchUp(account, one, sent.clientId, start)
      ? null
      : `it was not sent anything retained at ${start}`
  }
  return mayTakeOver(account, one, sent.clientId, start)
    ? null
    : `nobody handed it over at ${start}, and it was published before`
}

/** What became of a copy that waited and was never sent. */
export const fateProblem = (
  account: Account,
  one: Publication,
  clientId: string,
  from: string,
  fate: string,
  part: string,
): string | null => {
  const still = /^still in its queue when the recording ended, at (\S+): (.*)$/s.exec(fate)
  if (still !== null) {
    const session = account.day.last.get(clientId)
    const why = still[2]!.replace(/; its Message Expiry Interval was over at .*$/s, '')
    const config = account.day.steps.at(-1)!.next
    const isSo = session !== undefined && part.includes('not delivered: ') &&
      still[1] === since(account.day, account.day.endedAt) &&
      isWaitTrue(why, session, config, account.day, false)
    if (isSo) account.tally.add('still in its queue')
    return isSo ? null : `it is not still in its queue for that: ${session?.flying} in flight`
  }
  const dropped = /^not delivered: dropped at (\S+), (.*)$/s.exec(fate)
  if (dropped !== null) return account.losses.problemWith(one, clientId, dropped[1]!, dropped[2]!)
  const ended = /^not delivered: its session ended at (\S+) (.*)$/s.exec(fate)
  if (ended !== null) {
    const isSo = stepsAt(account.day, ended[1]!).some((step) => endIn(step, clientId) === ended[2])
    if (isSo) account.tally.add('session ended with it')
    return isSo ? null : `its session did not end at ${ended[1]} so`
  }
  const handed = /^handed over at (\S+) to (another|'.*') of its shared group$/s.exec(fate)
  if (handed !== null) {
    const isSo = mayHandOver(account, clientId, one.topic, handed[1]!, handed[2]!)
    if (isSo) account.tally.add('handed over')
    return isSo ? null : 'it cannot have handed it over then'
  }
  return `queued at ${from}, and then '${fate}', which is unknown`
}
