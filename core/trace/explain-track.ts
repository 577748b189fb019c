// Follows the publications to a topic through a recording, step by step: which copies there are,
// and what becomes of each.

import type { Config } from '../broker/config.ts'
import type { Input, Millis } from '../broker/input.ts'
import type { Gist, Message, Session, State } from '../broker/state.ts'
import * as B from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { Copies, emptyFor, isForNobody } from './explain-copies.ts'
import type { Shelf } from './explain-copies.ts'
import { receiversIn } from './explain-facts.ts'
import type { Copy, Missed, Moment, Publication, Publisher } from './explain-facts.ts'
import { close, goneIn } from './explain-gone.ts'
import { droppedIn, notReachedIn, stillToComeIn, unsentIn } from './explain-missed.ts'
import { isLeft, newIn } from './explain-places.ts'
import { publicationOf, publicationsIn } from './explain-publish.ts'
import type { FoundPublication } from './explain-publish.ts'
import { Sends } from './explain-sent.ts'
import { sessionOf } from './facts.ts'

// A listener has one, and nobody has as many.
const mountPointsMax = 100

const missedMax = 1_000

const isPublishing = (input: Input): boolean =>
  input._tag === 'Arrived'
    ? input.packet._tag === 'Publish' || input.packet._tag === 'Pubrel'
    : input._tag === 'Commanded' && input.command._tag === 'Publish'

/** Whether what is retained may be sent to a client at such an input. */
const catchesUp = (input: Input): boolean =>
  input._tag === 'Ticked' || (input._tag === 'Arrived' && input.packet._tag === 'Subscribe')

const payloadBytesOf = (message: Message | Gist): number =>
  'payload' in message ? B.size(message.payload) : message.payloadBytes

/** Whether what is sent to the session live may have RETAIN (Retain As Published). */
const keepsRetain = ({ subscriptions }: Session, topic: TopicName): boolean => {
  let isKept = false
  StrMap.each(subscriptions, ({ filter, retainAsPublished }) => {
    isKept ||= retainAsPublished && match(filter, topic)
  })
  return isKept
}

export class Tracker {
  /** The topic that was asked for, as it is and behind each mount point that there is. */
  readonly topics: Set<TopicName>
  private readonly asked: TopicName
  private readonly copies: Copies
  private readonly sends: Sends

  constructor(topic: TopicName, shelf: Shelf) {
    this.asked = topic
    this.topics = new Set([topic])
    this.copies = new Copies(shelf)
    this.sends = new Sends(this.copies)
  }

  /** What is there when the recording begins. */
  begin(state: State): void {
    this.mount(state.config)
    IntMap.each(state.sessions, ({ mountPoint }) => this.mountAt(mountPoint))
    this.takeUp(this.topics, state, null)
  }

  /** What there is already of topics that are followed from now on. */
  private takeUp(topics: ReadonlySet<TopicName>, state: State, mountedAt: Millis | null): void {
    const { copies } = this
    const earlier = (message: Message | Gist, clientId: string | null): Publication | null =>
      this.earlier(message, state, { _tag: 'Earlier', clientId, mountedAt })
    IntMap.each(state.sessions, (session) => {
      for (const [packetId, { message }] of Window.entries(session.incoming)) {
        if (message === null || !topics.has(message.topic)) continue
        const publication = earlier(message, session.clientId)
        if (publication !== null) publication.held = { session: session.number, packetId }
      }
      for (const [delivery, packetId] of newIn(session, 0)) {
        const { message } = delivery
        if (!topics.has(message.topic)) continue
        // Of what was to be retained it is known who published it.
        const publication = copies.known(message) ??
          earlier(message, message.source?.clientId ?? null)
        if (publication === null) continue
        const first = { _tag: 'Found', at: state.now, packetId } as const
        const { retain, share } = delivery.terms
        const isRetained = retain && share === null && !keepsRetain(session, message.topic)
        copies.add(publication, session, delivery, packetId, isRetained, first)
      }
    })
    for (const topic of topics) {
      const value = Tree.get(state.retained, topic)
      if (value === undefined) continue
      const publication = copies.known(value) ?? earlier(value, value.source?.clientId ?? null)
      if (publication !== null) {
        publication.retained = { from: state.now, until: null, why: null }
      }
    }
  }

  step(moment: Moment): void {
    const { copies } = this
    const { before, after, input } = moment
    copies.fresh.clear()
    if (input._tag === 'Reconfigured') this.remount(input.config, before, after.now)
    const found = publicationsIn(this.topics, moment)
    const fresh = this.keep(found, moment)
    if (fresh.length > 0) {
      const topics = new Set(fresh.map(({ topic }) => topic))
      for (const number of receiversIn(moment, topics)) this.scan(number, moment, fresh)
    }
    if (before.retained !== after.retained) {
      for (const topic of this.topics) this.retains(topic, moment, fresh)
    }
    if (copies.isEmpty) return
    for (const topic of this.topics) {
      const value = Tree.get(before.retained, topic)
      if (value !== undefined) this.miss(value, notReachedIn(topic, value, moment))
    }
    this.catchUp(moment, fresh)
    const gone = goneIn(copies, moment)
    if (gone.some(({ share }) => share !== null)) {
      for (const number of receiversIn(moment, this.topics)) this.scan(number, moment, fresh)
    }
    this.sends.step(moment, fresh, gone)
    close(copies, moment, gone)
    // What is dropped where something is published is that, whether it is told or not.
    if (found.length === 0 && catchesUp(input)) this.misses(moment, gone)
  }

  /** The recording is over. */
  finish(last: State): void {
    this.sends.finish(last)
    for (const topic of this.topics) {
      const value = Tree.get(last.retained, topic)
      if (value !== undefined) this.miss(value, stillToComeIn(topic, value, last))
    }
  }

  /** Those who were not sent what is retained, but for whom there is something else to be told. */
  private miss(value: Message, some: ReadonlyArray<Missed>): void {
    const publication = some.length === 0 ? null : this.copies.known(value)
    if (publication === null) return
    const { copies, missed } = publication
    for (const one of some) {
      const isTold = [...copies, ...missed].some(({ clientId }) => clientId === one.clientId)
      if (!isTold && missed.length < missedMax) missed.push(one)
    }
  }

  /** A reload may bring mount points, behind which there is something already. */
  private remount(config: Config, before: State, at: Millis): void {
    const old = new Set(this.topics)
    this.mount(config)
    const added = [...this.topics].filter((one) => !old.has(one))
    if (added.length > 0) this.takeUp(new Set(added), { ...before, now: at }, at)
  }

  private mount(config: Config): void {
    this.mountAt(config.mountPoint)
    for (const [, { mountPoint }] of config.listeners) this.mountAt(mountPoint)
  }

  private mountAt(mountPoint: string): void {
    const whole = mountPoint + this.asked
    if (this.topics.size <= mountPointsMax && isTopicName(whole)) this.topics.add(whole)
  }

  private earlier(
    message: Message | Gist,
    { now }: State,
    by: Publisher,
  ): Publication | null {
    const bytes = payloadBytesOf(message)
    const publication = publicationOf(message.topic, by, now, null, message, bytes)
    if (!this.copies.admit(publication)) return null
    // All that was empty is one and the same in a recording's first state.
    if (bytes > 0) this.mark(publication, message)
    else this.copies.mark(publication, message)
    return publication
  }

  private mark(publication: Publication, message: Message | Gist): void {
    this.copies.mark(publication, message)
    if ('payload' in message) this.copies.mark(publication, message.payload)
  }

  /** Those that are routed in this step, of those that are kept. */
  private keep(
    found: ReadonlyArray<FoundPublication>,
    moment: Moment,
  ): ReadonlyArray<Publication> {
    const { copies } = this
    const fresh: Array<Publication> = []
    for (const one of found) {
      if (one._tag === 'New') {
        copies.mark(one.publication, ...one.marks)
        if (!copies.admit(one.publication)) continue
        if (one.publication.held === null) fresh.push(one.publication)
        continue
      }
      const publication = copies.known(one.message)
      if (publication === null) continue
      if (one._tag === 'Again') publication.again += 1
      else if (one._tag === 'Void') publication.voidAt = moment.after.now
      else {
        publication.releasedAt = moment.after.now
        publication.moment = moment
        fresh.push(publication)
      }
    }
    return fresh
  }

  /** What the topic has retained is another than before. */
  private retains(topic: TopicName, moment: Moment, fresh: ReadonlyArray<Publication>): void {
    const { copies } = this
    const at = moment.after.now
    const old = Tree.get(moment.before.retained, topic)
    const next = Tree.get(moment.after.retained, topic)
    if (old === next) return
    const own = fresh.filter((one) => one.topic === topic)
    const before = old === undefined ? null : copies.known(old)
    if (before !== null && before.retained !== null && before.retained.until === null) {
      before.retained.until = at
      // What was over at a tick was so before anything else took its place there.
      const isOver = moment.input._tag === 'Ticked' && (old?.expiresAt ?? Infinity) <= at
      // Of several wills the first one did it.
      const first = own.find((one) => one.retain && !isForNobody(one, moment))
      const isDeleted = first === undefined ? next === undefined : first.bytes === 0
      before.retained.why = isOver ? 'expired' : isDeleted ? 'deleted' : 'replaced'
    }
    if (next === undefined) return
    const [only] = own
    const publication = copies.known(next) ??
      (own.length === 1 && only !== undefined && only.retain ? only : null)
    if (publication === null) return
    copies.mark(publication, next, next.payload)
    publication.retained = { from: at, until: null, why: null }
  }

  /** Takes up the copies that a session has got in this step. */
  private scan(
    number: number,
    moment: Moment,
    fresh: ReadonlyArray<Publication>,
  ): void {
    const { copies } = this
    const { before, after } = moment
    const session = IntMap.get(after.sessions, number)
    const old = IntMap.get(before.sessions, number)
    if (session === undefined || session === old) return
    for (const [delivery, packetId] of newIn(session, old?.nextOrder ?? 0)) {
      const { message, order } = delivery
      if (!this.topics.has(message.topic) || copies.at(number, order) !== undefined) continue
      let publication = copies.known(message)
      const { retain, share } = delivery.terms
      const isFresh = fresh.length > 0 && (share === null || !isLeft(message, moment))
      if (publication === null && isFresh) {
        // A message that the broker has made of the packet in this step, or an empty will.
        const bytes = payloadBytesOf(message)
        const some = bytes === 0
          ? emptyFor(session, message.topic, packetId, fresh, moment)
          : isPublishing(moment.input)
          ? fresh[0]!
          : null
        publication = some !== null && some.bytes === bytes ? some : null
        if (publication !== null) this.mark(publication, message)
      }
      if (publication === null) continue
      const first = packetId === 0 ? { _tag: 'Queued', at: after.now } as const : null
      // Live ones may have RETAIN as well, but come in the step of their publication, or are handed
      // over in a shared group, which is sent nothing that is retained.
      const isRetained = retain && share === null && !fresh.includes(publication)
      copies.add(publication, session, delivery, packetId, isRetained, first)
    }
  }

  /** Copies of what is retained, which come without a publication. */
  private catchUp(moment: Moment, fresh: ReadonlyArray<Publication>): void {
    const { input, before } = moment
    if (input._tag === 'Arrived' && input.packet._tag === 'Subscribe') {
      const session = sessionOf(before, input.conn)
      if (session !== undefined) this.scan(session.number, moment, fresh)
    } else if (input._tag === 'Ticked') {
      for (const number of Queue.entries(before.catching)) this.scan(number, moment, fresh)
    }
  }

  /** Those who were to be sent what is retained, and were not. */
  private misses(moment: Moment, gone: ReadonlyArray<Copy>): void {
    for (const topic of this.topics) {
      const value = Tree.get(moment.before.retained, topic)
      const publication = value === undefined ? null : this.copies.known(value)
      if (value === undefined || publication === null) continue
      const { copies, missed } = publication
      // What has waited in a queue is told of where it waited, and has one of the drops to itself.
      const told = gone.filter((copy) => {
        const last = copy.events.at(-1)
        return last?._tag === 'Dropped' && last.why !== 'expired' &&
          this.copies.ownerOf(copy)?.topic === topic
      })
      const drops = droppedIn(topic, value, moment).filter(({ clientId }) => {
        const own = told.findIndex((copy) => copy.clientId === clientId)
        if (own >= 0) told.splice(own, 1)
        return own < 0
      })
      const unsent = unsentIn(topic, value, moment).filter(({ clientId }) =>
        !copies.some((copy) =>
          (copy.isOpen || gone.includes(copy)) && copy.packetId === 0 && copy.clientId === clientId
        )
      )
      missed.push(...[...drops, ...unsent].slice(0, Math.max(0, missedMax - missed.length)))
    }
  }
}
