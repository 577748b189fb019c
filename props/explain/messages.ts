// Whether an answer about a message is true: the publication itself, whom it matched, and what each
// client is said to have got of it, or why it has not, held against the day.

import * as assert from 'uvu/assert'
import { since, subsFor } from './day.ts'
import type { Change, Day, Sent, Session, Step, Sub } from './day.ts'
import { endIn, isLossTrue, isWaitTrue, reasonIn } from './losses.ts'
import { isFor } from './matches.ts'
import { mountPointsBy } from './publications.ts'
import type { Publication, Publications } from './publications.ts'
import type { Tally } from './tally.ts'

const counted = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : 's'}`

const quoted = (text: string): string => `'${text}'`

const groupsIn = (subs: ReadonlyArray<Sub>): ReadonlyArray<Sub> =>
  subs.filter(({ group }) => group !== null)

/** Which line of an access list it is that refuses a filter is no affair of the wire. */
const deniedBy = /(?<=\(0x87\)), denied by .*?(?= and (?:subscribed to|was refused) '|$)/gs

const untaken = new RegExp(
  '; its socket had not taken it ' +
    '(yet when the recording ended|when the connection ended at (\\S+?))(?=;|$)',
  'g',
)

export class Truth {
  private readonly day: Day
  private readonly publications: Publications
  private readonly tally: Tally
  /** For messages that waited: times, clients and topics of drops that were told. */
  private readonly toldDrops = new Set<string>()
  /** The same of one question, with how often each was told. */
  private readonly claims = new Map<string, number>()
  private asked = ''

  constructor(day: Day, publications: Publications, tally: Tally) {
    this.day = day
    this.publications = publications
    this.tally = tally
  }

  /** The publications that a question for a topic is about. */
  askedFor(topic: string): ReadonlyArray<Publication> {
    return this.publications.all.filter((one) =>
      [...mountPointsBy(this.day, one.step.index)].some((mount) => mount + topic === one.topic)
    )
  }

  private since(at: number): string {
    return since(this.day, at)
  }

  private stepsAt(time: string): ReadonlyArray<Step> {
    return this.day.steps.filter(({ at }) => this.since(at) === time)
  }

  /** `client` null: whom it is about is the answer's own affair, but who got it is not left out. */
  check(topic: string, client: string | null, answers: ReadonlyArray<string>): void {
    const asked = this.askedFor(topic)
    this.asked = topic
    if (asked.length === 0) {
      assert.match(answers[0]!, 'Nothing was published to')
      return
    }
    const told = answers.filter((one) => !one.startsWith('No client '))
    assert.is(told.length, asked.length, `${topic}:\n${answers.join('\n')}`)
    this.claims.clear()
    asked.forEach((one, i) => this.checkOne(one, client, told[i]!))
    this.checkClaims(answers)
  }

  /** What is dropped once is told once. */
  private checkClaims(answers: ReadonlyArray<string>): void {
    for (const [key, count] of this.claims) {
      const noted = this.day.steps.flatMap(({ at, notes }) =>
        notes.filter((note) =>
          note._tag === 'Dropped' && note.clientId !== null &&
          `${this.since(at)} ${note.clientId} ${note.topic} ${note.why}` === key
        )
      )
      assert.ok(count <= noted.length, `${key}: told ${count} times:\n${answers.join('\n')}`)
    }
  }

  private checkOne(one: Publication, client: string | null, answer: string): void {
    const [head = '', ...rest] = answer.split('\n')
    this.checkHead(one, head)
    const lines = new Map<string, string>()
    for (const line of rest) {
      const found = /^ {2}'(.*?)': (.*)\.$/s.exec(line)
      assert.ok(found !== null, line)
      lines.set(found[1]!, found[2]!)
    }
    if (client !== null) assert.equal([...lines.keys()], [client])
    for (const { clientId } of this.sentsOf(one)) {
      if (client === null) assert.ok(lines.has(clientId), `${clientId} is left out:\n${answer}`)
    }
    for (const [clientId, text] of lines) {
      const problem = this.problemWith(one, clientId, text, lines)
      assert.ok(problem === null, `${clientId}: ${problem}\n${answer}`)
    }
  }

  // ---- the publication

  private checkHead(one: Publication, head: string): void {
    const { topic, mountPoint, by, clientId, at, qos, packetId, retain, bytes } = one
    const who = by === 'broker'
      ? 'by the broker itself'
      : `${by === 'will' ? 'as the will of' : 'by'} ${quoted(clientId!)}`
    const mounted = mountPoint === ''
      ? ''
      : `, for whom it is ${quoted(topic.slice(mountPoint.length))} (mount_point ${mountPoint}),`
    const id = by === 'client' && packetId > 0 ? ` and packet id ${packetId}` : ''
    const words = [
      `${quoted(topic)} was published at ${this.since(at)} ${who}${mounted} with QoS ${qos}${id}` +
      `${retain ? ', to be retained' : ''}: ${counted(bytes, 'byte')}.`,
    ]
    if (one.held !== null) words.push(one.held)
    if (one.held !== null) {
      this.tally.add(one.held.replace(/(: | at )\d.*|: at .*|Its publisher /gs, ''))
    }
    if (one.again > 0) {
      this.tally.add('came again')
      words.push(`Before that it came again ${one.again === 1 ? 'once' : `${one.again} times`}.`)
    }
    const rest = this.afterHead(one)
    const start = words.join(' ')
    assert.ok(head.startsWith(start), `${start}\nbut was told\n${head}`)
    const more = head.slice(start.length)
    if (one.refused !== null) {
      const found = /^ It went to nobody: (.*)\.$/s.exec(more)
      assert.ok(found !== null && one.refused.test(found[1]!), `${one.refused}\nin\n${head}`)
      this.tally.add('went to nobody')
      return
    }
    assert.ok(rest.test(more), `${rest}\nin\n${head}`)
  }

  /** What there is to say once it was routed. */
  private afterHead(one: Publication): RegExp {
    const words: Array<string> = []
    if (one.routed !== null && !one.isHeld) {
      const matched = [...one.routed.before.values()].flatMap((session) =>
        subsFor(session, one.topic).map(({ filter, qos }) =>
          `${quoted(filter)} of ${quoted(session.clientId)} with QoS ${qos}`
        )
      )
      words.push(
        matched.length === 0
          ? 'It matched no subscription.'
          : `It matched ${matched.sort().join(', ')}.`,
      )
      this.tally.add(matched.length === 0 ? 'matched nobody' : 'matched')
    }
    // Nothing is said of what was retained for no time at all.
    if (
      one.retained !== null && one.retained.until !== null &&
      one.retained.until.index > one.retained.from.index
    ) {
      const { until, why } = one.retained
      words.push(`It was retained until ${this.since(until.at)}, ${why}.`)
      this.tally.add(why)
    }
    const text = words.map((some) => ` ${some}`).join('')
    const pattern = text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    const isLost = one.retain && one.retained === null && one.routed !== null && one.bytes > 0
    return new RegExp(`^${pattern}${isLost ? ' It was not retained: .+\\.' : ''}$`, 's')
  }

  // ---- one client

  private sentsOf(one: Publication, clientId?: string): ReadonlyArray<Sent> {
    const { topic, body } = one
    // What was refused and is sent is what its publisher said once more.
    const isSaidAgain = one.refused !== null &&
      this.publications.all.some((other) =>
        other !== one && other.topic === topic && other.body === body && other.refused === null
      )
    if (isSaidAgain) return []
    return this.day.sents.filter((sent) =>
      sent.topic === topic && sent.body === body &&
      (clientId === undefined || sent.clientId === clientId)
    )
  }

  /** What is wrong with what is said of a client; null where nothing is. */
  private problemWith(
    one: Publication,
    clientId: string,
    text: string,
    lines: ReadonlyMap<string, string>,
  ): string | null {
    const parts = text.split('; and ')
    // Payloads that are empty are all the same, and not told apart on the wire.
    if (one.bytes === 0) return null
    const left = [...this.sentsOf(one, clientId)]
    const untold: Array<string> = []
    let waited = 0
    for (const part of parts) {
      const retained = /^as retained message: (.*)$/s.exec(part)
      const plain = retained?.[1] ?? part
      const delivered = /^(?:queued at (\S+); )?(delivered at .*)$/s.exec(plain)
      const queued = /^(?:not delivered: )?queued at (\S+); (.*)$/s.exec(plain)
      const missed = /^not sent at (\S+), when it subscribed: (.*)$/s.exec(plain)
      const lost = /^a copy was lost at (\S+): (.*)$/s.exec(plain)
      if (delivered !== null) {
        const [, from, words] = delivered
        const index = left.findIndex((sent) => this.isDelivered(sent, words!))
        if (index < 0) {
          return `of ${
            JSON.stringify(left.map((sent) => this.wordsOf(sent).join('; ')))
          } none is ` +
            `'${words}'`
        }
        const [sent] = left.splice(index, 1)
        const given = /given up at (\S+), (.*)$/s.exec(words!)
        const loss = given === null ? null : this.lossProblem(one, clientId, given[1]!, given[2]!)
        if (loss !== null) return loss
        if (from !== undefined && this.isLive(one, from, retained !== null)) waited += 1
        const why = this.originProblem(one, sent!, from ?? null, retained !== null)
        if (why !== null) return why
        this.tally.add(from === undefined ? 'delivered' : 'delivered later')
        if (retained !== null) this.tally.add('delivered as retained')
      } else if (queued !== null) {
        const [, from, fate] = queued
        if (this.isLive(one, from!, retained !== null)) waited += 1
        const why = this.fateProblem(one, clientId, from!, fate!, part)
        if (why !== null) return why
      } else if (retained !== null && missed !== null) {
        const why = this.missedProblem(one, clientId, missed[1]!, missed[2]!)
        if (why !== null) return why
      } else if (retained !== null) {
        const why = this.unreachedProblem(clientId, plain)
        if (why !== null) return why
      } else if (lost !== null) {
        const why = this.lossProblem(one, clientId, lost[1]!, lost[2]!)
        if (why !== null) return why
      } else untold.push(part)
    }
    if (left.length > 0) return `nothing is said of '${left[0]!.words.join('; ')}'`
    if (one.refused !== null || one.routed === null || one.isHeld) {
      return untold.length === 0 ? null : this.unroutedProblem(one, untold.join('; and '))
    }
    const isFirst = untold.length === parts.length
    const words = untold.join('; and ').replace(/^not delivered: /, '')
    if (isFirst) return this.whyNotProblem(one, one.routed, clientId, words, lines)
    for (const loss of untold) {
      const why = this.lossProblem(one, clientId, this.since(one.routed.at), loss)
      if (why !== null) return why
    }
    return this.countProblem(one, one.routed, clientId, waited)
  }

  private isLive({ routed }: Publication, from: string, isRetained: boolean): boolean {
    return !isRetained && routed !== null && this.since(routed.at) === from
  }

  /** What is said of a copy that was sent, with what it still waits for when the day is over. */
  private wordsOf(sent: Sent): ReadonlyArray<string> {
    const { stage, words, clientId, session, qos } = sent
    const last = this.day.last.get(clientId)
    if (stage === 'over') return words
    if (last === undefined || last.number !== session) return [...words, 'with nobody']
    const end = `when the recording ended, at ${this.since(this.day.endedAt)}`
    const stop = this.day.steps.find(({ input }) =>
      input._tag === 'Commanded' && input.command._tag === 'Stop'
    )
    const stopped = stop?.at === last.offlineAt ? ', when the broker was stopped' : ''
    const away = last.line === null
      ? `; its client is away since ${this.since(last.offlineAt)}${stopped}`
      : ''
    if (stage === 'received') return [...words, `still waiting for PUBCOMP ${end}${away}`]
    if (away === '' && sent.line !== last.line) {
      return [...words, `still to be sent again, behind others, ${end}`]
    }
    return [...words, `still waiting for ${qos === 1 ? 'PUBACK' : 'PUBREC'} ${end}${away}`]
  }

  private isDelivered(sent: Sent, told: string): boolean {
    const taken = told.replaceAll(untaken, '')
    for (const [, , time] of told.matchAll(untaken)) {
      const isSo = sent.carried.some(({ line, end }) =>
        line.takenBytes < end &&
        (line.endedAt === null ? time === undefined : this.since(line.endedAt) === time)
      )
      if (!isSo) return false
    }
    const plain = taken.replace(
      /(given up at \S+), (.*)$/s,
      (_, when: string, why: string) => `${when}, ${reasonIn(why) ?? why}`,
    )
    const words = this.wordsOf(sent)
    if (plain === words.join('; ')) {
      if (taken !== told) this.tally.add('not taken by its socket')
      this.tally.add(
        words.at(-1)!.replaceAll(/ ?(at )?\d+\.\d+s.*| with QoS.*| when the rec.*/gs, ''),
      )
      return true
    }
    const handed = /^(.*); handed over at (\S+) to (another|'.*') of its shared group$/s.exec(plain)
    if (handed !== null) {
      const before = sent.sessionEndedAt === null ? sent.words : sent.words.slice(0, -1)
      const isSo = handed[1] === before.join('; ') && sent.qos === 1 &&
        this.mayHandOver(sent.clientId, sent.topic, handed[2]!, handed[3]!)
      if (isSo) this.tally.add('handed over')
      return isSo
    }
    return sent.isVague && plain.startsWith(sent.words[0]!)
  }

  /** Whether a client lost its connection, session or subscription then, and the others had it. */
  private mayHandOver(clientId: string, topic: string, time: string, to: string): boolean {
    const takers = [...to.matchAll(/'(.*?)'/g)].map(([, who]) => who!)
    return this.stepsAt(time).some(({ index, before, after }) => {
      const session = before.get(clientId)
      if (session === undefined) return false
      const isGone = session.line !== null && after.get(clientId)?.line !== session.line
      const left = after.get(clientId)
      // What nobody would take stays with who has left the group.
      const groups = this.groupsBy(clientId, index, topic)
      const isLeaving = isGone || left === undefined || left.number !== session.number ||
        groups.some((filter) => !left.subs.has(filter))
      return isLeaving && groups.length > 0 &&
        takers.every((who) =>
          who !== clientId && groups.some((filter) => before.get(who)?.subs.has(filter) === true)
        )
    })
  }

  /** The shared filters for the topic that the client has ever subscribed to. */
  private groupsBy(clientId: string, index: number, topic: string): ReadonlyArray<string> {
    return this.day.changes.filter((change) =>
      change.clientId === clientId && change.step <= index && change.what === 'subscribed' &&
      change.filter.startsWith('$share/') && isFor(change.filter, topic)
    ).map(({ filter }) => filter)
  }

  /** Whether what was sent, and had waited since then, may have come about so. */
  private originProblem(
    one: Publication,
    sent: Sent,
    from: string | null,
    isRetained: boolean,
  ): string | null {
    const start = from ?? this.since(sent.at)
    const isLive = one.routed !== null &&
      (from === null ? one.routed.index === sent.step : this.since(one.routed.at) === from)
    if (isLive) return isRetained ? 'it was sent live and not as retained' : null
    if (isRetained) {
      return sent.isRetain && this.mayCatchUp(one, sent.clientId, start)
        ? null
        : `it was not sent anything retained at ${start}`
    }
    return this.mayTakeOver(one, sent.clientId, start)
      ? null
      : `nobody handed it over at ${start}, and it was published before`
  }

  /** Whether a client may have been sent then what is retained: it has subscribed, and no later. */
  private mayCatchUp(one: Publication, clientId: string, time: string): boolean {
    return this.stepsAt(time).some((step) => {
      const isSoon = step.input._tag === 'Ticked' ||
        (step.input._tag === 'Arrived' && step.input.packet._tag === 'Subscribe')
      return isSoon && this.publications.retainedBefore(one.topic, step) === one &&
        this.day.changes.some((change) =>
          change.clientId === clientId && change.what === 'subscribed' &&
          change.step <= step.index && isFor(change.filter, one.topic) &&
          !change.filter.startsWith('$share/')
        )
    })
  }

  /** Whether another member of a group of the client may have left it something then. */
  private mayTakeOver(one: Publication, clientId: string, time: string): boolean {
    return this.stepsAt(time).some(({ index, before, after }) => {
      const own = before.get(clientId)
      const groups = own === undefined ? [] : groupsIn(subsFor(own, one.topic))
      return [...before.values()].some((other) => {
        const now = after.get(other.clientId)
        const theirs = this.groupsBy(other.clientId, index, one.topic)
        return other.clientId !== clientId &&
          groups.some(({ filter }) => theirs.includes(filter)) &&
          (now === undefined || now.number !== other.number || now.line !== other.line ||
            groups.some(({ filter }) => other.subs.has(filter) && !now.subs.has(filter)))
      })
    })
  }

  /** What became of a copy that waited and was never sent. */
  private fateProblem(
    one: Publication,
    clientId: string,
    from: string,
    fate: string,
    part: string,
  ): string | null {
    const still = /^still in its queue when the recording ended, at (\S+): (.*)$/s.exec(fate)
    if (still !== null) {
      const session = this.day.last.get(clientId)
      const why = still[2]!.replace(/; its Message Expiry Interval was over at .*$/s, '')
      const config = this.day.steps.at(-1)!.next
      const isSo = session !== undefined && part.includes('not delivered: ') &&
        still[1] === this.since(this.day.endedAt) &&
        isWaitTrue(why, session, config, this.day, false)
      if (isSo) this.tally.add('still in its queue')
      return isSo ? null : `it is not still in its queue for that: ${session?.flying} in flight`
    }
    const dropped = /^not delivered: dropped at (\S+), (.*)$/s.exec(fate)
    if (dropped !== null) return this.lossProblem(one, clientId, dropped[1]!, dropped[2]!)
    const ended = /^not delivered: its session ended at (\S+) (.*)$/s.exec(fate)
    if (ended !== null) {
      const isSo = this.stepsAt(ended[1]!).some((step) => endIn(step, clientId) === ended[2])
      if (isSo) this.tally.add('session ended with it')
      return isSo ? null : `its session did not end at ${ended[1]} so`
    }
    const handed = /^handed over at (\S+) to (another|'.*') of its shared group$/s.exec(fate)
    if (handed !== null) {
      const isSo = this.mayHandOver(clientId, one.topic, handed[1]!, handed[2]!)
      if (isSo) this.tally.add('handed over')
      return isSo ? null : 'it cannot have handed it over then'
    }
    return `queued at ${from}, and then '${fate}', which is unknown`
  }

  /** Whether something on the topic was dropped for the client then, for what is said. */
  private lossProblem(
    one: Publication,
    clientId: string,
    time: string,
    text: string,
  ): string | null {
    const why = reasonIn(text)
    if (why === null) return `'${text}' is no reason`
    const steps = this.stepsAt(time).filter(({ notes }) =>
      notes.some((note) =>
        note._tag === 'Dropped' && note.clientId === clientId && note.topic === one.topic &&
        note.why === why
      )
    )
    if (steps.length === 0) return `nothing was dropped for it at ${time}: ${why}`
    const isSo = steps.some((step) => isLossTrue(text, why, clientId, one, step, this.day))
    if (!isSo) return `'${text}' is not so at ${time}`
    const key = `${time} ${clientId} ${one.topic} ${why}`
    this.toldDrops.add(key)
    this.claims.set(key, (this.claims.get(key) ?? 0) + 1)
    this.tally.add(why)
    return null
  }

  /** A subscription that was sent nothing of what was retained. */
  private missedProblem(
    one: Publication,
    clientId: string,
    time: string,
    text: string,
  ): string | null {
    const steps = this.stepsAt(time).filter((step) =>
      step.input._tag === 'Arrived' && step.input.packet._tag === 'Subscribe' &&
      this.publications.retainedBefore(one.topic, step) === one
    )
    if (reasonIn(text) !== null && !text.startsWith('the client may not read it')) {
      return this.lossProblem(one, clientId, time, text)
    }
    const isSo = steps.some((step) => {
      const { input, before } = step
      if (input._tag !== 'Arrived' || input.packet._tag !== 'Subscribe') return false
      const session = before.get(clientId)
      const taken = this.day.changes.filter((change) =>
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
    if (isSo) this.tally.add(`missed: ${text.replace(/,? denied.*/s, '').slice(0, 24)}`)
    return isSo ? null : `it did not miss it so at ${time}`
  }

  private unreachedProblem(clientId: string, text: string): string | null {
    const still = /^still to be sent when the recording ended, at (\S+): (.*)$/s.exec(text)
    if (still !== null) {
      const session = this.day.last.get(clientId)
      const config = this.day.steps.at(-1)!.next
      const isSo = session !== undefined && still[1] === this.since(this.day.endedAt) &&
        isWaitTrue(still[2]!, session, config, this.day, false)
      if (isSo) this.tally.add('retained, still to come')
      return isSo ? null : `it is not so: ${session?.flying} in flight`
    }
    const ended = /^not sent yet when its session ended at (\S+) (.*)$/s.exec(text)
    const isSo = ended !== null &&
      this.stepsAt(ended[1]!).some((step) => endIn(step, clientId) === ended[2])
    if (isSo) this.tally.add('retained, not reached')
    return isSo ? null : `'${text}' is not so`
  }

  private unroutedProblem(one: Publication, text: string): string | null {
    const words = /^not delivered: (.*)$/s.exec(text)?.[1] ?? ''
    const isSo = one.refused !== null
      ? one.refused.test(words)
      : words === 'its publisher had not released it (PUBREL)'
    if (isSo) this.tally.add(one.refused === null ? 'not released' : 'refused')
    return isSo ? null : `it was not kept from it by '${words}'`
  }

  // ---- why not

  private dropsIn(one: Publication, { notes }: Step, clientId: string): ReadonlyArray<string> {
    return notes.flatMap((note) =>
      note._tag === 'Dropped' && note.clientId === clientId && note.topic === one.topic &&
        note.why !== 'session ended' && note.why !== 'expired'
        ? [note.why]
        : []
    )
  }

  /** Whether there is another one on the topic in the step, so that notes may be of either. */
  private isAlone(one: Publication, step: Step): boolean {
    return this.publications.all.filter(({ topic, routed }) =>
      topic === one.topic && routed === step
    ).length === 1
  }

  /** How many copies waited, where all that a client may have of it is by its own subscriptions. */
  private countProblem(
    one: Publication,
    step: Step,
    clientId: string,
    waited: number,
  ): string | null {
    const session = step.before.get(clientId)
    const isStable = session !== undefined && step.after.get(clientId)?.line === session.line &&
      step.after.get(clientId)?.number === session.number
    if (!isStable || !this.isAlone(one, step)) return null
    // A copy without any time that waits makes room for the next one.
    if (one.expiryS === 0) return null
    const subs = subsFor(session, one.topic)
    if (groupsIn(subs).length > 0) return null
    const own = subs.filter(({ noLocal }) => !(noLocal && session.number === one.session))
    const most = step.config.allowDuplicateMessages ? own.length : Math.min(1, own.length)
    const sent = this.sentsOf(one, clientId).filter((some) => some.step === step.index).length
    const expected = most - sent - this.dropsIn(one, step, clientId).length
    this.tally.add('counted')
    return waited === expected ? null : `${expected} waited, not ${waited}`
  }

  private whyNotProblem(
    one: Publication,
    step: Step,
    clientId: string,
    text: string,
    lines: ReadonlyMap<string, string>,
  ): string | null {
    const session = step.before.get(clientId)
    const drops = this.dropsIn(one, step, clientId)
    if (drops.length > 0) {
      const told = text.split('; and ')
      for (const part of told) {
        const why = this.lossProblem(one, clientId, this.since(step.at), part)
        if (why !== null) return why
      }
      // What was given up in the step is told of where it was sent.
      const missing = [...new Set(drops)].filter((why) =>
        !told.some((part) => reasonIn(part) === why) &&
        !this.day.sents.some((sent) =>
          sent.clientId === clientId && sent.topic === one.topic &&
          sent.words.includes(`given up at ${this.since(step.at)}, ${why}`)
        )
      )
      return missing.length === 0 || !this.isAlone(one, step)
        ? null
        : `nothing is said of ${missing}`
    }
    const is = (kind: string, expected: string): string | null => {
      this.tally.add(kind)
      return text.replaceAll(deniedBy, '') === expected ? null : `should be '${expected}'`
    }
    const miss = this.nearestMiss(one, step, clientId)
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
    const left = step.after.get(clientId)
    if (left?.number !== session.number) {
      return is('ended then', 'its session ended in that moment')
    }
    return this.matchingProblem(one, step, session, text, lines)
  }

  /** Why a client with a matching subscription has nothing: No Local, or others of its groups. */
  private matchingProblem(
    one: Publication,
    step: Step,
    session: Session,
    text: string,
    lines: ReadonlyMap<string, string>,
  ): string | null {
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
      this.tally.add('No Local')
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
      const problem = this.groupProblem(one, step, filter, part.slice(start.length), lines)
      if (problem !== null) return problem
    }
    return null
  }

  private groupProblem(
    one: Publication,
    step: Step,
    filter: string,
    text: string,
    lines: ReadonlyMap<string, string>,
  ): string | null {
    const members = [...step.before.values()].filter(({ subs }) => subs.has(filter))
    const gave = /^gave it to ('.*?')(?: and \d+ more)?$/s.exec(text)
    if (gave !== null) {
      const takers = gave[1]!.split(', ')
      this.tally.add('shared: gave it to')
      // Who can have it by nothing but this group, and was sent it at once, has it by the group.
      const sure = members.filter((member) =>
        subsFor(member, one.topic).length === 1 &&
        this.sentsOf(one, member.clientId).some((sent) => sent.step === step.index)
      )
      for (const { clientId } of sure) {
        this.tally.add('shared: sure who')
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
      this.tally.add('shared: lost it')
      for (const [, who, why] of lost[1]!.matchAll(/'(.*?)' \((.*?)\)/g)) {
        const isSo = members.some(({ clientId }) => clientId === who) &&
          (this.dropsIn(one, step, who!).includes(why!) ||
            (why === 'expired' && one.expiryS === 0))
        if (!isSo) return `${who} did not lose it for ${why}`
      }
      return null
    }
    const isEnded = text === 'lost it with a member whose session ended in that moment' &&
      members.some(({ clientId }) => endIn(step, clientId) !== null)
    return isEnded ? null : `'${text}' is not so`
  }

  /** The nearest that the client came to a subscription, before and after. */
  private nearestMiss(one: Publication, step: Step, clientId: string): string {
    // What is behind a mount point is asked for since there is one.
    const isAsked = ({ filter, step: index }: Change): boolean =>
      [...mountPointsBy(this.day, index)].some((mount) => isFor(filter, mount + this.asked))
    const own = this.day.changes.filter((change) =>
      change.clientId === clientId && isFor(change.filter, one.topic) && isAsked(change)
    )
    const earlier = own.filter(({ at, what }) => at <= step.at && what !== 'subscribed').at(-1)
    const later = own.filter(({ at }) => at >= step.at)
    const next = later.find(({ what }) => what === 'subscribed') ??
      later.find((change) => change.what === 'refused' && change !== earlier)
    const words = [earlier, next].flatMap((change) => {
      if (change === undefined) return []
      this.tally.add(`nearest: ${change.what}`)
      const when = this.since(change.at)
      const filter = quoted(change.filter)
      switch (change.what) {
        case 'subscribed':
          return [`subscribed to ${filter} at ${when}`]
        case 'unsubscribed':
          return [`unsubscribed from ${filter} at ${when}`]
        case 'refused':
          return [`was refused ${filter} at ${when} (0x${change.reason.toString(16)})`]
        case 'lost':
          return [`lost ${filter} with its session at ${when}`]
      }
    })
    return words.length === 0 ? '' : `; it ${words.join(' and ')}`
  }

  /** What was dropped for clients on a topic and was not told of any message. */
  untold(topic: string): string | null {
    const asked = this.askedFor(topic)
    const topics = new Set(asked.map((one) => one.topic))
    for (const one of asked) if (one.bytes === 0) topics.delete(one.topic)
    for (const step of this.day.steps) {
      const { at, notes } = step
      for (const note of notes) {
        if (note._tag !== 'Dropped' || note.clientId === null || !topics.has(note.topic)) continue
        if (note.why === 'session ended') continue
        // It went to nobody, which is said instead; or it made room for another copy of itself.
        const isOther = asked.some((one) =>
          one.routed === step &&
          (one.refused !== null || (note.why === 'expired' && one.expiryS === 0))
        )
        // Of what is retained one copy is told where a client has subscribed twice at once.
        const begun = this.day.changes.filter((change) =>
          change.step === step.index && change.what === 'subscribed' &&
          isFor(change.filter, note.topic)
        )
        if (isOther || begun.length > 1) continue
        const key = `${this.since(at)} ${note.clientId} ${note.topic} ${note.why}`
        if (!this.toldDrops.has(key)) return key
      }
    }
    return null
  }
}
