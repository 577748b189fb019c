// Whether the answers to a question about a message are true: of each publication, what is said of
// it and of everybody it names, held against the day.

import * as assert from 'uvu/assert'
import type { Account } from './account.ts'
import { deliveredProblem, fateProblem } from './copies.ts'
import { since } from './day.ts'
import type { Day } from './day.ts'
import { checkHead } from './heads.ts'
import { mountPointsBy } from './publications.ts'
import type { Publication, Publications } from './publications.ts'
import { missedProblem, unreachedProblem } from './retained.ts'
import type { Tally } from './tally.ts'
import { ToldLosses } from './told-losses.ts'
import { countProblem, unroutedProblem, whyNotProblem } from './why-not.ts'

export class Truth {
  private readonly day: Day
  private readonly publications: Publications
  private readonly losses: ToldLosses
  private readonly tally: Tally

  constructor(day: Day, publications: Publications, tally: Tally) {
    this.day = day
    this.publications = publications
    this.losses = new ToldLosses(day, tally)
    this.tally = tally
  }

  /** The publications that a question for a topic is about. */
  askedFor(topic: string): ReadonlyArray<Publication> {
    return this.publications.all.filter((one) =>
      [...mountPointsBy(this.day, one.step.index)].some((mount) => mount + topic === one.topic)
    )
  }

  /** `client` null: whom it is about is the answer's own affair, but who got it is not left out. */
  check(topic: string, client: string | null, answers: ReadonlyArray<string>): void {
    const { day, publications, losses, tally } = this
    const found = this.askedFor(topic)
    const older = answers.filter(isOlder)
    for (const one of older) checkOlder(this.publications, day, topic, one)
    if (older.length > 0) tally.add('older than its mount point')
    if (found.length === 0) {
      if (older.length === 0) assert.match(answers[0]!, 'Nothing was published to')
      return
    }
    const told = answers.filter((one) => !one.startsWith('No client ') && !isOlder(one))
    assert.is(told.length, found.length, `${topic}:\n${answers.join('\n')}`)
    losses.begin()
    const account = { day, publications, losses, tally, asked: topic }
    found.forEach((one, i) => checkOne(account, one, client, told[i]!))
    losses.checkOnce(answers)
  }

  /** A drop on the topic that no answer to a question for it has told; null where there is none. */
  untold(topic: string): string | null {
    return this.losses.untold(this.askedFor(topic))
  }
}

const olderThanMount = / was published before a reload put it behind a mount point at /

const isOlder = (answer: string): boolean => olderThanMount.test(answer.split('\n', 1)[0]!)

const olderHead = new RegExp(
  `^'(.*)'${olderThanMount.source}` +
    "(\\S+)(?: \\(\\S+\\))? (?:by '(.*)'|by somebody) with QoS (\\d)(, to be retained)?: " +
    '(\\d+) bytes?\\. --message (.*) has all of it\\.',
  's',
)

/** Who published it is known of what was there when a reload brought the mount point. */
const checkOlder = (
  { all }: Publications,
  day: Day,
  asked: string,
  answer: string,
): void => {
  const [head = ''] = answer.split('\n')
  const facts = olderHead.exec(head)
  assert.ok(facts !== null, head)
  const [, topic = '', time, by, qos, retain, bytes, whole] = facts
  assert.is(whole, topic)
  const mount = topic.slice(0, topic.length - asked.length)
  assert.is(mount + asked, topic)
  const brought = day.steps.find((step) =>
    since(day, step.at) === time && mountPointsBy(day, step.index).has(mount) &&
    !mountPointsBy(day, step.index - 1).has(mount)
  )
  assert.ok(brought !== undefined, `no reload brought '${mount}' then:\n${head}`)
  const isKnown = all.some((one) =>
    one.topic === topic && one.step.index < brought.index && one.bytes === Number(bytes) &&
    (by === undefined || one.clientId === by) && one.qos === Number(qos) &&
    one.retain === (retain !== undefined)
  )
  assert.ok(isKnown, `nothing like it was published before:\n${head}`)
}

const checkOne = (
  account: Account,
  one: Publication,
  client: string | null,
  answer: string,
): void => {
  const [head = '', ...rest] = answer.split('\n')
  checkHead(account, one, head)
  const lines = new Map<string, string>()
  for (const line of rest) {
    const found = /^ {2}'(.*?)': (.*)\.$/s.exec(line)
    assert.ok(found !== null, line)
    lines.set(found[1]!, found[2]!)
  }
  if (client !== null) assert.equal([...lines.keys()], [client])
  for (const { clientId } of account.publications.sentsOf(one)) {
    if (client === null) assert.ok(lines.has(clientId), `${clientId} is left out:\n${answer}`)
  }
  for (const [clientId, text] of lines) {
    const problem = lineProblem(account, one, clientId, text, lines)
    assert.ok(problem === null, `${clientId}: ${problem}\n${answer}`)
  }
}

/** What is wrong with what is said of a client; null where nothing is. */
const lineProblem = (
  account: Account,
  one: Publication,
  clientId: string,
  text: string,
  lines: ReadonlyMap<string, string>,
): string | null => {
  const { day, publications, losses } = account
  // Payloads that are empty are all the same, and not told apart on the wire.
  if (one.bytes === 0) return null
  const parts = text.split('; and ')
  const left = [...publications.sentsOf(one, clientId)]
  const untold: Array<string> = []
  let waited = 0
  for (const part of parts) {
    const retained = /^as retained message: (.*)$/s.exec(part)
    const plain = retained?.[1] ?? part
    const isRetained = retained !== null
    const delivered = /^(?:queued at (\S+); )?(delivered at .*)$/s.exec(plain)
    const queued = /^(?:not delivered: )?queued at (\S+); (.*)$/s.exec(plain)
    const missed = /^not sent at (\S+), when it subscribed: (.*)$/s.exec(plain)
    const lost = /^a copy was lost at (\S+): (.*)$/s.exec(plain)
    const from = (delivered ?? queued)?.[1] ?? null
    if (from !== null && !isRetained && one.routed !== null && since(day, one.routed.at) === from) {
      waited += 1
    }
    let problem: string | null = null
    if (delivered !== null) {
      problem = deliveredProblem(account, one, clientId, left, from, delivered[2]!, isRetained)
    } else if (queued !== null) {
      problem = fateProblem(account, one, clientId, from!, queued[2]!, part)
    } else if (isRetained) {
      problem = missed !== null
        ? missedProblem(account, one, clientId, missed[1]!, missed[2]!)
        : unreachedProblem(account, clientId, plain)
    } else if (lost !== null) {
      problem = losses.problemWith(one, clientId, lost[1]!, lost[2]!)
    } else untold.push(part)
    if (problem !== null) return problem
  }
  if (left.length > 0) return `nothing is said of '${left[0]!.words.join('; ')}'`
  if (one.refused !== null || one.routed === null || one.isHeld) {
    return untold.length === 0 ? null : unroutedProblem(account, one, untold.join('; and '))
  }
  if (untold.length === parts.length) {
    const words = untold.join('; and ').replace(/^not delivered: /, '')
    return whyNotProblem(account, one, one.routed, clientId, words, lines)
  }
  for (const loss of untold) {
    const problem = losses.problemWith(one, clientId, since(day, one.routed.at), loss)
    if (problem !== null) return problem
  }
  return countProblem(account, one, one.routed, clientId, waited)
}
