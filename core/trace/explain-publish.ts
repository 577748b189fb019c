// The publications to one topic in one step of the broker, whoever made them: a client, the release
// of what it sent with QoS 2, a will, or the broker itself.

import type { Arrived, Millis } from '../broker/input.ts'
import type { Message, State } from '../broker/state.ts'
import type { Publish } from '../codec/packet.ts'
import * as B from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Window from '../data/window.ts'
import { isTopicName } from '../topic/name.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { isOfWill, sessionFor } from './explain-facts.ts'
import type { Moment, Publication, Publisher } from './explain-facts.ts'
import { sessionOf } from './facts.ts'

/** One that was found, with what its copies are known by. */
export type FoundPublication =
  | {
    readonly _tag: 'New'
    readonly publication: Publication
    /** Its packet's payload or its message's, and the messages that are it. */
    readonly marks: ReadonlyArray<object>
  }
  | { readonly _tag: 'Release'; readonly message: Message }
  | { readonly _tag: 'Again'; readonly message: Message }
  /** It was never released, and something else came under its packet identifier. */
  | { readonly _tag: 'Void'; readonly message: Message }

/** The whole topic of a PUBLISH; null where it has none that the broker could know. */
export const topicIn = (before: State, { conn, packet }: Arrived): TopicName | null => {
  if (packet._tag !== 'Publish') return null
  const link = IntMap.get(before.links, conn.slot)
  if (link?.conn.generation !== conn.generation || link.phase.phase !== 'Ready') return null
  const { aliases, rules } = link.phase
  const { topicAlias } = packet.properties
  if (packet.topic === '') {
    return topicAlias === undefined ? null : IntMap.get(aliases, topicAlias) ?? null
  }
  const whole = rules.mountPoint + packet.topic
  return isTopicName(whole) ? whole : null
}

export const publicationOf = (
  topic: TopicName,
  by: Publisher,
  at: Millis,
  moment: Moment | null,
  what: Pick<Publish, 'qos' | 'retain'>,
  bytes: number,
  mountPoint = '',
): Publication => ({
  topic,
  by,
  mountPoint,
  at,
  qos: what.qos,
  retain: what.retain,
  bytes,
  moment,
  held: null,
  releasedAt: null,
  voidAt: null,
  again: 0,
  copies: [],
  missed: [],
  retained: null,
})

const now = (
  topic: TopicName,
  by: Publisher,
  moment: Moment,
  what: Pick<Publish, 'qos' | 'retain' | 'payload'>,
  mountPoint = '',
): Publication =>
  publicationOf(topic, by, moment.after.now, moment, what, B.size(what.payload), mountPoint)

/** Topics that somebody asks for. */
export type Topics = ReadonlySet<TopicName>

/** Whether the broker says that a message was released by nobody and never will be. */
const isThrownOut = ({ effects }: Moment, clientId: string, topic: TopicName): boolean =>
  effects.some((one) =>
    one._tag === 'Note' && one.note._tag === 'Dropped' && one.note.why === 'session ended' &&
    one.note.clientId === clientId && one.note.topic === topic
  )

const ofClient = (
  topics: Topics,
  moment: Moment,
  input: Arrived,
): ReadonlyArray<FoundPublication> => {
  const { before, after } = moment
  const session = sessionOf(before, input.conn)
  if (session === undefined) return []
  const { packet } = input
  if (packet._tag === 'Pubrel') {
    const message = Window.get(session.incoming, packet.packetId)?.message
    return message !== undefined && message !== null && topics.has(message.topic)
      ? [{ _tag: 'Release', message }]
      : []
  }
  if (packet._tag !== 'Publish') return []
  const { packetId } = packet
  const known = packet.qos > 0 ? Window.get(session.incoming, packetId) : undefined
  const old = known?.message ?? null
  // What ended its connection may still have thrown out what had its identifier.
  const later = sessionOf(after, input.conn)
  const there = later === undefined ? undefined : Window.get(later.incoming, packetId)
  const isAgain = known !== undefined && there === known
  const found: Array<FoundPublication> = []
  if (old !== null && topics.has(old.topic)) {
    const isOut = isThrownOut(moment, session.clientId, old.topic)
    if (isAgain) found.push({ _tag: 'Again', message: old })
    else if (isOut) found.push({ _tag: 'Void', message: old })
  }
  const topic = isAgain ? null : topicIn(before, input)
  if (topic === null || !topics.has(topic)) return found
  const by: Publisher = { _tag: 'Client', clientId: session.clientId, packetId }
  const publication = now(topic, by, moment, packet, session.mountPoint)
  const marks: Array<object> = [packet.payload]
  const held = packet.qos === 2 ? there?.message : undefined
  if (held !== undefined && held !== null) {
    publication.held = { session: session.number, packetId }
    marks.push(held, held.payload)
  }
  found.push({ _tag: 'New', publication, marks })
  return found
}

const ofWills = (topics: Topics, moment: Moment): ReadonlyArray<FoundPublication> => {
  const found: Array<FoundPublication> = []
  for (const effect of moment.effects) {
    if (effect._tag !== 'Note' || !isOfWill(effect.note)) continue
    const { clientId } = effect.note
    const session = sessionFor(moment.before, clientId)
    const will = session?.will?.message
    if (session === undefined || will === undefined || !topics.has(will.topic)) continue
    if (effect.note.topic !== will.topic) continue
    const by: Publisher = { _tag: 'Will', clientId }
    const publication = now(will.topic, by, moment, will, session.mountPoint)
    found.push({ _tag: 'New', publication, marks: [will.payload] })
  }
  return found
}

/** What the broker says of itself. */
const ofSys = (topics: Topics, moment: Moment): ReadonlyArray<FoundPublication> => {
  const { before, after } = moment
  const found: Array<FoundPublication> = []
  for (const topic of topics) {
    if (!topic.startsWith('$SYS/')) continue
    const value = Tree.get(after.retained, topic)
    if (value === undefined || value === Tree.get(before.retained, topic)) continue
    const publication = now(topic, { _tag: 'Broker' }, moment, value)
    found.push({ _tag: 'New', publication, marks: [value, value.payload] })
  }
  return found
}

/** In the order in which they were made. */
export const publicationsIn = (
  topics: Topics,
  moment: Moment,
): ReadonlyArray<FoundPublication> => {
  const { input } = moment
  if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
    const { packet } = input.command
    if (packet.topic === '' || !topics.has(packet.topic)) return []
    const publication = now(packet.topic, { _tag: 'Broker' }, moment, packet)
    return [{ _tag: 'New', publication, marks: [packet.payload] }]
  }
  const found = [
    ...(input._tag === 'Arrived' ? ofClient(topics, moment, input) : []),
    ...ofWills(topics, moment),
  ]
  return found.length > 0 ? found : ofSys(topics, moment)
}
