// Messages on their way to clients, brought about by publications of the broker's own. A session by
// itself subscribes to just the topics of its messages; what several are owed is published once for
// all of them, and what waits for those who are away when they have gone.

import * as I from '../broker/input.ts'
import type { Conn } from '../broker/input.ts'
import type { Message, Session, Terms } from '../broker/state.ts'
import { publishOf, releasedTerms } from '../broker/state.ts'
import type { Publish, Qos } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import * as B from '../data/bytes.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import { isTopicFilter, splitShare } from '../topic/filter.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import type { TopicName } from '../topic/name.ts'
import type { Builder } from './rebuild-builder.ts'
import { bareFilter } from './rebuild-connect.ts'
import { fillersOf, inFlight, queued } from './rebuild-owed.ts'
import type { Owed } from './rebuild-owed.ts'

/** The broker publishes a message as it was published, with the time that is left of it. */
export const publishAgain = (
  builder: Builder,
  message: Message,
  retain: boolean,
  qos: Qos = message.qos,
): void => {
  const { now } = builder.state
  const packet: Publish = {
    ...publishOfNow(message, now),
    qos,
    retain,
    packetId: qos === 0 ? 0 : 1,
  }
  builder.feed(I.commanded(now, { _tag: 'Publish', packet }))
}

/** What publishes it with the seconds that are left of its time, at least one if it had any. */
const publishOfNow = (message: Message, now: number): Publish => {
  const { properties, expiresAt } = message
  // What is only retained for so long has a time that nobody has set.
  if (expiresAt === null || properties.messageExpiryInterval === undefined) {
    return publishOf(message)
  }
  // Without any it is for whoever is there, however late.
  const leastS = Math.min(1, properties.messageExpiryInterval)
  const messageExpiryInterval = Math.max(leastS, Math.ceil((expiresAt - now) / 1000))
  return { ...publishOf(message), properties: { ...properties, messageExpiryInterval } }
}

const filler = B.of(Uint8Array.from('earlier', (one) => one.charCodeAt(0)))

const fillerMessage = (topic: TopicName, qos: Qos): Publish => ({
  _tag: 'Publish',
  dup: false,
  qos,
  retain: false,
  topic,
  packetId: 1,
  payload: filler,
  properties: none,
})

/** A topic that the client may subscribe to, for messages that only take up identifiers. */
const fillerTopic = (session: Session, owed: ReadonlyArray<Owed>): TopicName | null => {
  for (const { message } of owed) if (message !== null) return message.topic
  for (const [, { filter }] of StrMap.entries(session.subscriptions)) {
    const plain = splitShare(filter)?.filter ?? filter
    const topic = plain.replace(/\+/g, 'x').replace(/#/, 'x')
    if (isTopicName(topic)) return topic
  }
  return null
}

/** One client that nobody else listens beside: it subscribes to topic after topic. */
class Soloist {
  private readonly builder: Builder
  private readonly session: Session
  private readonly conn: Conn
  private open: { readonly key: string; readonly filter: TopicFilter } | null = null

  constructor(builder: Builder, session: Session, conn: Conn) {
    this.builder = builder
    this.session = session
    this.conn = conn
  }

  /** The session as it is by now. */
  now(): Session | undefined {
    return this.builder.sessionNow(this.session.clientId)
  }

  say(packet: Parameters<typeof I.arrived>[2]): void {
    this.builder.feed(I.arrived(this.conn, this.builder.state.now, packet))
  }

  listen(topic: TopicName, { qos, retain, identifiers, share }: Terms, wantsOld: boolean): void {
    const whole = share === null ? topic : `$share/${share.group}/${share.filter}`
    if (!isTopicFilter(whole)) return
    const filter = bareFilter(this.now()?.mountPoint ?? '', whole)
    if (filter === null) return
    const key = `${filter} ${qos} ${retain} ${identifiers.join()}`
    if (this.open?.key === key && !wantsOld) return
    this.rest()
    this.open = { key, filter }
    const [identifier] = identifiers
    this.say({
      _tag: 'Subscribe',
      packetId: 1,
      requests: [{
        filter,
        qos,
        noLocal: false,
        retainAsPublished: retain && !wantsOld,
        retainHandling: wantsOld ? 0 : this.builder.unlessRetained,
      }],
      properties: identifier === undefined ? none : { subscriptionIdentifiers: [identifier] },
    })
  }

  rest(): void {
    const { open } = this
    if (open === null) return
    this.open = null
    this.say({ _tag: 'Unsubscribe', packetId: 1, filters: [open.filter], properties: none })
  }

  private hasRoom(): boolean {
    const session = this.now()
    return session !== undefined && Window.size(session.window) < session.inflightCountMax &&
      Queue.size(session.queue) === 0
  }

  /** A message that the client has taken: what remains is that its identifier was given out. */
  fill(topic: TopicName, isReleased: boolean): boolean {
    // It would have to wait behind the others.
    if (!this.hasRoom()) return false
    this.listen(topic, isReleased ? releasedTerms : { ...releasedTerms, qos: 1 }, false)
    const packetId = this.now()?.nextPacketId ?? 0
    const packet = fillerMessage(topic, isReleased ? 2 : 1)
    this.builder.feed(I.commanded(this.builder.state.now, { _tag: 'Publish', packet }))
    const session = this.now()
    if (session === undefined || Window.get(session.window, packetId) === undefined) return false
    this.say({ _tag: isReleased ? 'Pubrec' : 'Puback', packetId, reason: 0, properties: none })
    return true
  }

  take({ message, terms }: Owed): void {
    if (message === null) return
    // Below level 5 a message only comes with the flag if it is older than the subscription.
    const isOld = terms.retain && this.session.level < 5 && terms.share === null
    if (isOld) {
      this.rest()
      publishAgain(this.builder, message, true)
    }
    this.listen(message.topic, terms, isOld)
    if (!isOld) publishAgain(this.builder, message, terms.retain)
    if (!terms.retain) return
    this.rest()
    publishAgain(this.builder, { ...message, payload: B.empty, properties: none }, true, 0)
  }
}

/** Brings about what is on its way to one session, while nobody has subscribed to anything. */
export const bringAlone = (
  builder: Builder,
  session: Session,
  wants: (topic: string) => boolean,
): void => {
  const conn = builder.sessionNow(session.clientId)?.conn ?? null
  if (conn === null) return
  const flying = inFlight(session).filter(({ message }) => message === null || wants(message.topic))
  const waiting = session.conn === null
    ? []
    : queued(session, builder.state.now).filter(({ message }) => wants(message?.topic ?? ''))
  const soloist = new Soloist(builder, session, conn)
  const isNumbered = fillersOf(flying) !== null
  const topic = fillerTopic(session, [...flying, ...waiting])
  for (const owed of [...flying, ...waiting]) {
    let next = soloist.now()?.nextPacketId ?? 0
    while (isNumbered && topic !== null && next < owed.packetId) {
      if (!soloist.fill(topic, false)) break
      next = soloist.now()?.nextPacketId ?? 0
    }
    if (owed.message !== null) soloist.take(owed)
    else if (topic !== null) soloist.fill(topic, true)
    builder.drink(conn)
  }
  soloist.rest()
}

/** A session with what is to be published for it, in this order. */
export interface Owing {
  readonly session: Session
  readonly line: ReadonlyArray<Owed>
  /** Has it subscribe and leave before the first of it; null where it stays. */
  readonly leave: (() => void) | null
}

interface Publication {
  readonly message: Message
  readonly retain: boolean
  /** Whom it is for, by their places among those who are owed something. */
  readonly members: ReadonlySet<number>
}

const listensTo = (session: Session, topic: TopicName): boolean => {
  for (const [, { filter }] of StrMap.entries(session.subscriptions)) {
    if (match(splitShare(filter)?.filter ?? filter, topic)) return true
  }
  return false
}

// Who is in the way of whom is not found out where there are more pairs than this.
const pairsMax = 1_000_000

class Publications {
  private readonly builder: Builder
  private readonly parts: ReadonlyArray<Owing>
  private readonly lines: ReadonlyArray<Array<Publication>>
  private readonly hasLeft = new Set<number>()
  /** By who leaves: what it listens to that is still to be published and is not for it. */
  private readonly foreign: ReadonlyArray<Set<Publication>>

  constructor(builder: Builder, parts: ReadonlyArray<Owing>, wants: (topic: string) => boolean) {
    this.builder = builder
    this.parts = parts
    const members = new Map<Message, Set<number>>()
    const retained = new Set<Message>()
    const owed = parts.map(({ line }, i) => {
      const some = line.filter(({ message }) => wants(message?.topic ?? ''))
      for (const { message, terms } of some) {
        if (message === null) continue
        const known = members.get(message)
        if (known === undefined) members.set(message, new Set([i]))
        else known.add(i)
        if (terms.retain) retained.add(message)
      }
      return some
    })
    const publications = new Map<Message, Publication>()
    for (const [message, some] of members) {
      publications.set(message, { message, retain: retained.has(message), members: some })
    }
    // One that came through several subscriptions is published once.
    this.lines = owed.map((some) => {
      const line = new Set<Publication>()
      for (const { message } of some) if (message !== null) line.add(publications.get(message)!)
      return [...line]
    })
    const isMany = publications.size * parts.length > pairsMax
    this.foreign = parts.map(({ session, leave }, i) => {
      const found = new Set<Publication>()
      if (isMany || leave === null || this.lines[i]!.length === 0) return found
      for (const one of publications.values()) {
        if (!one.members.has(i) && listensTo(session, one.message.topic)) found.add(one)
      }
      return found
    })
  }

  /** Publishes everything, and has everybody leave as late as can be. */
  play(): void {
    for (let next = this.next(); next !== null; next = this.next()) {
      for (const i of next.members) this.leave(i)
      const { message, retain } = next
      // What is retained anyway can be published as that once more.
      publishAgain(this.builder, message, retain && this.builder.isRetained(message))
      for (const i of next.members) {
        const line = this.lines[i]!
        line.splice(line.indexOf(next), 1)
      }
      for (const foreign of this.foreign) foreign.delete(next)
      for (const i of next.members) this.drink(i)
    }
    for (let i = 0; i < this.parts.length; i++) this.leave(i)
  }

  private drink(i: number): void {
    const conn = this.builder.sessionNow(this.parts[i]!.session.clientId)?.conn ?? null
    if (conn !== null) this.builder.drink(conn)
  }

  private leave(i: number): void {
    if (this.hasLeft.has(i)) return
    this.hasLeft.add(i)
    this.parts[i]!.leave?.()
  }

  /** What is first for all whom it waits for, and drives out the fewest too early. */
  private next(): Publication | null {
    let best: Publication | null = null
    let least = Infinity
    for (const [first] of this.lines) {
      if (first === undefined || first === best) continue
      let cost = 0
      for (const i of first.members) {
        if (this.lines[i]![0] !== first) cost += 1_000_000
        if (!this.hasLeft.has(i)) cost += this.foreign[i]!.size
      }
      if (cost >= least) continue
      best = first
      least = cost
    }
    return best
  }
}

/** Publishes what several are owed, once for all, and has those leave who are to be away. */
export const bringTogether = (
  builder: Builder,
  parts: ReadonlyArray<Owing>,
  wants: (topic: string) => boolean,
): void => new Publications(builder, parts, wants).play()

/** QoS 2 messages that clients have published and not released yet. */
export const bringHeld = (
  builder: Builder,
  session: Session,
  wants: (topic: string) => boolean,
): void => {
  const { conn, mountPoint } = builder.sessionNow(session.clientId) ??
    { conn: null, mountPoint: '' }
  if (conn === null) return
  for (const [packetId, { message }] of Window.entries(session.incoming)) {
    if (message === null || !wants(message.topic)) continue
    if (!message.topic.startsWith(mountPoint)) continue
    const topic = message.topic.slice(mountPoint.length)
    if (!isTopicName(topic)) continue
    const { now } = builder.state
    const packet = publishOfNow(message, now)
    builder.feed(I.arrived(conn, now, { ...packet, topic, qos: 2, packetId }))
  }
}
