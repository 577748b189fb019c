// Answers to two questions about a recording: what became of a message, and why a client was
// disconnected. The recording is played step by step, so that the broker before and after each
// input is there to look into; nothing in it says why, and nothing has to.

import type { Input, Millis, Ticked } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { run } from '../broker/step.ts'
import * as IntMap from '../data/int-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { nameIn } from './explain-causes.ts'
import { changesIn, isAbout } from './explain-changes.ts'
import { EndTracker } from './explain-ends.ts'
import { isOfWill, sessionFor } from './explain-facts.ts'
import type { Change, Moment, Publication } from './explain-facts.ts'
import { aboutPublication } from './explain-message.ts'
import { newIn } from './explain-places.ts'
import { topicIn } from './explain-publish.ts'
import type { Reload } from './explain-rights.ts'
import { dated, heard, momentOf, since, wallsIn } from './explain-time.ts'
import type { Clock, TimeWish } from './explain-time.ts'
import { Tracker } from './explain-track.ts'
import { Wanted } from './explain-wanted.ts'
import { nearNames } from './near.ts'
import { goesOn } from './recording.ts'
import { brokenText } from './replay.ts'
import type { Found } from './replay.ts'
import { name, plural, shellWord } from './words.ts'

export type Question =
  | {
    readonly _tag: 'Message'
    readonly topic: TopicName
    /** Null for all that was published to the topic, where that is not much. */
    readonly time: TimeWish | null
    /** Null for all whom it concerns. */
    readonly client: string | null
  }
  | { readonly _tag: 'Connection'; readonly client: string }

// So many names are remembered for who has misspelt one, and so many changes of subscriptions.
const namesMax = 10_000
const changesMax = 10_000

const reloadsMax = 100

// Who has sent what could not be read, of whom somebody who looks for a message may want to know.
const culpritsMax = 5

/** Publications that are told one by one. */
export const fewMax = 5

/** One object for each payload, so that a message is known by it. */
const withOwnPayload = (input: Input): Input => {
  if (input._tag === 'Arrived' && input.packet._tag === 'Publish') {
    const { packet } = input
    return { ...input, packet: { ...packet, payload: { ...packet.payload } } }
  }
  if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
    const { packet } = input.command
    const command = { ...input.command, packet: { ...packet, payload: { ...packet.payload } } }
    return { ...input, command }
  }
  return input
}

export class Explainer {
  /** 0: there is an answer; 1: there is none, or only up to where the replay differs; 2: broken. */
  status = 0
  private readonly question: Question
  private readonly what: string
  private readonly few: number
  private state: State | null = null
  private clock: Clock = { at: 0, wall: 0, set: [] }
  private wanted: Wanted | null = null
  private tracker: Tracker | null = null
  private readonly ends: EndTracker | null
  private readonly changes: Array<Change> = []
  private readonly reloads: Array<Reload> = []
  /** Whose connections ended for a packet that nobody has read. */
  private readonly culprits = new Map<string, Millis>()
  private stoppedAt: Millis | null = null
  private readonly names = new Set<string>()
  private readonly clients = new Set<string>()
  private isOver = false
  private isCut = false
  private end: string | null = null
  private isClientSeen = false
  private isTopicSeen = false

  /** `what` it is that is played, in a word; so many publications are told one by one. */
  constructor(question: Question, what = 'recording', few = fewMax) {
    this.question = question
    this.what = what
    this.few = few
    this.ends = question._tag === 'Connection' ? new EndTracker(question.client, what) : null
  }

  /** Every publication that is followed, for who wants to look at them as data. */
  get publications(): ReadonlyArray<Publication> {
    return this.wanted?.shown() ?? []
  }

  take(found: Found): void {
    if (this.isOver) return
    switch (found._tag) {
      case 'Began':
        return this.begin(found.state, { at: found.head.at, wall: found.head.wall, set: [] })
      case 'Ran':
        if (found.isSame === false) {
          this.isOver = true
          this.status = 1
          this.end = `From ${since(found.batch.after.now, this.clock)} on this version comes to ` +
            'something else than was recorded: what follows is left out. ' +
            'Ask the version that made the recording.'
          return
        }
        for (const input of found.batch.inputs) this.step(withOwnPayload(input))
        return
      case 'Threw':
        this.status = 2
        this.end = 'The broker itself fails at the next input: sabethes replay shows where.'
        this.isOver = true
        return
      case 'Ended':
        if (found.why !== goesOn) return
        this.end = 'What came later is in the newer file that the recording goes on in.'
        return
      case 'Broken':
        this.end = brokenText(found)
        this.breakOff()
    }
  }

  /** There is more in the file that cannot be read. */
  breakOff(): void {
    this.isCut = !this.isOver
    this.status = 2
  }

  private begin(state: State, clock: Clock): void {
    const { question } = this
    this.state = state
    this.clock = clock
    IntMap.each(state.sessions, ({ clientId }) => this.seen(clientId))
    if (question._tag !== 'Message') return
    const at = question.time === null ? null : momentOf(question.time, clock)
    const wanted = new Wanted(this.few, at)
    this.wanted = wanted
    this.tracker = new Tracker(question.topic, { admit: (one) => wanted.admit(one) })
    this.tracker.begin(state)
    this.know(state)
  }

  /** Names that are older than what is played: of what is retained, and of what waits. */
  private know({ retained, sessions }: State): void {
    const { names } = this
    const everything = Tree.cursor(retained, '#' as TopicFilter)
    for (const { topic } of Tree.take(everything, namesMax).found) names.add(topic)
    IntMap.each(sessions, (session) => {
      for (const [{ message }] of newIn(session, 0)) {
        if (names.size < namesMax) names.add(message.topic)
      }
    })
  }

  private seen(clientId: string): void {
    if (clientId === this.question.client) this.isClientSeen = true
    if (this.clients.size < namesMax) this.clients.add(clientId)
  }

  private step(input: Input): void {
    if (this.state === null) return
    const { question } = this
    const before = this.state
    const [after, effects] = run(before, [input])
    this.state = after
    const moment: Moment = { input, before, after, effects }
    if (input._tag === 'Ticked') this.hear(input)
    for (const effect of effects) {
      if (effect._tag !== 'Note') continue
      const { note } = effect
      if (note._tag === 'ClientConnected') this.seen(note.clientId)
      else if (note._tag === 'ConnectionEnded') {
        const named = nameIn(note, moment)
        if (named !== null) this.seen(named)
        if (named !== null && note.wasAccepted && note.ending === 'protocol error') {
          this.suspect(named, after.now)
        }
      } else if (isOfWill(note) && this.names.size < namesMax) {
        this.names.add(note.topic)
      }
    }
    if (input._tag === 'Reconfigured') {
      this.reloads.push({ at: after.now, before: before.config })
      if (this.reloads.length > reloadsMax) this.reloads.shift()
    }
    if (input._tag === 'Commanded' && input.command._tag === 'Stop') this.stoppedAt = after.now
    this.ends?.step(moment, this.clock)
    if (this.tracker === null) return
    if (input._tag === 'Arrived' && this.names.size < namesMax) {
      const topic = topicIn(before, input)
      if (topic !== null) this.names.add(topic)
    }
    this.tracker.step(moment)
    if (this.changes.length >= changesMax) return
    for (const change of changesIn(moment, this.tracker.topics)) {
      if (question.client === null || question.client === change.clientId) this.changes.push(change)
    }
  }

  private suspect(clientId: string, at: Millis): void {
    if (this.culprits.size < culpritsMax || this.culprits.has(clientId)) {
      this.culprits.set(clientId, at)
    }
  }

  /** What nobody has read may have been what is looked for. */
  private unread(): ReadonlyArray<string> {
    return [...this.culprits].map(([clientId, at]) =>
      `The connection of ${name(clientId)} ended at ${
        since(at, this.clock)
      } for what it had sent, ` +
      `which may have been that: --why-disconnected ${shellWord(clientId)} tells.`
    )
  }

  /** The clock on the wall may have been set. */
  private hear({ at, wall }: Ticked): void {
    const { clock, question, wanted } = this
    this.clock = heard(clock, at, wall)
    if (this.clock === clock || question._tag !== 'Message' || question.time === null) return
    wanted?.aim(momentOf(question.time, this.clock))
  }

  /** The sentences, once the recording is over. */
  answer(): ReadonlyArray<string> {
    const { state } = this
    const why = this.end === null ? [] : [this.end]
    if (state === null) {
      this.status = 2
      return why
    }
    // Where nothing happened the broker's time is from before.
    const last = { ...state, now: Math.max(state.now, this.clock.at) }
    const end = this.isCut
      ? [...why, `Of what came after ${dated(last.now, this.clock)} nothing is known.`]
      : why
    const { question } = this
    const lines = question._tag === 'Message'
      ? this.message(question, last)
      : this.ends?.answer(last, this.clock) ?? []
    const { client } = question
    const isStrange = client !== null && !this.isClientSeen && this.ends?.hasAny !== true
    const about = isStrange
      ? [this.stranger(client), ...this.ends?.unnamedText(this.clock) ?? []]
      : []
    if (lines.length === 0 && !isStrange) {
      this.status ||= 1
      return [`${name(client ?? '')} has no connection in this ${this.what}${this.away()}.`, ...end]
    }
    if (isStrange || (question._tag === 'Message' && !this.isTopicSeen)) this.status ||= 1
    return [...(question._tag === 'Message' || !isStrange ? lines : []), ...about, ...end]
  }

  /** Of a session that was away all the time. */
  private away(): string {
    const session = this.state === null || this.question.client === null
      ? undefined
      : sessionFor(this.state, this.question.client)
    return session === undefined
      ? ''
      : `: its session was there, away since ${since(session.offlineAt, this.clock)}`
  }

  private stranger(client: string): string {
    const near = nearNames(client, this.clients)
    return `No client ${name(client)} was ever seen in this ${this.what}` + meant(near)
  }

  private message(
    question: Extract<Question, { readonly _tag: 'Message' }>,
    last: State,
  ): ReadonlyArray<string> {
    const { topic } = question
    const wanted = this.wanted
    this.tracker?.finish(last)
    const shown = wanted?.shown() ?? []
    this.isTopicSeen = shown.length > 0
    const outside = this.outside(question.time, last)
    if (wanted === null || !this.isTopicSeen) {
      return [
        ...outside,
        `Nothing was published to ${name(topic)} in this ${this.what}` +
        meant(nearNames(topic, this.names)),
        ...this.unread(),
      ]
    }
    const { clock, reloads, stoppedAt, what } = this
    const answers = shown.map((one) => {
      const changes = this.changes.filter(({ filter }) => isAbout(filter, one.topic))
      const ground = { clock, last, changes, reloads, stoppedAt, what }
      return aboutPublication(one, question.client, ground).join('\n')
    })
    if (question.time !== null) {
      return wanted.count > 1
        ? [...outside, this.nearest(wanted, topic, shown.length), ...answers]
        : [...outside, ...answers]
    }
    if (wanted.last !== null) {
      const { count, earlier } = wanted
      const old = earlier === 0
        ? ''
        : `, ${earlier === count ? 'all' : earlier} of them before the ${what} began`
      // No time leads to what is older, but to the last of it.
      const another = count - earlier < 2
        ? ''
        : ` For another one: --message ${
          shellWord(topic)
        }@SECONDS, or a time as 2026-11-29T07:00:00Z.`
      return [
        `${name(topic)} was published ${count} times${old}; the first and the last.${another}`,
        ...answers,
      ]
    }
    return answers
  }

  private nearest({ count, together }: Wanted, topic: TopicName, shown: number): string {
    const several = together < 2 ? '' : `, ${together} of them in the same millisecond`
    const some = together <= shown ? '' : `; the first ${shown - 1} and the last`
    return `The nearest of ${plural(count, 'publication')} to ${name(topic)}${several}${some}:`
  }

  /** A sentence where nobody knows what was at the time that is asked for. */
  private outside(time: TimeWish | null, last: State): ReadonlyArray<string> {
    if (time === null) return []
    const { clock } = this
    const [from, to] = time._tag === 'Since' ? [0, last.now - clock.at] : wallsIn(clock, last.now)
    // Times are read off in whole milliseconds.
    if (time.ms <= from - 1) {
      return [`That time is before the ${this.what} began, at ${dated(clock.at, clock)}.`]
    }
    return time.ms < to + 1
      ? []
      : [`That time is later than all that was played, which ends at ${dated(last.now, clock)}.`]
  }
}

const meant = (near: ReadonlyArray<string>): string =>
  near.length === 0 ? '.' : `: did you mean ${near.map(name).join(' or ')}?`
