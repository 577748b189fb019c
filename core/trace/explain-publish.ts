// The publications to one topic in one step of the broker, whoever made them: a client, the release
// of what it sent with QoS 2, a will, or the broker itself.

import type { Arrived } from '../broker/input.ts'
import type { Message, State } from '../broker/state.ts'
import type { Publish } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import * as Window from '../data/window.ts'
import { isTopicName } from '../topic/name.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { sessionFor } from './explain-facts.ts'
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

const publicationOf = (
  topic: TopicName,
  by: Publisher,
  moment: Moment,
  what: Pick<Publish, 'qos' | 'retain' | 'payload'>,
): Publication => ({
  topic,
  by,
  at: moment.after.now,
  qos: what.qos,
  retain: what.retain,
  bytes: what.payload.end - what.payload.start,
  moment,
  held: null,
  releasedAt: null,
  again: 0,
  copies: [],
})

const ofClient = (
  topic: TopicName,
  moment: Moment,
  input: Arrived,
): ReadonlyArray<FoundPublication> => {
  const { before, after } = moment
  const session = sessionOf(before, input.conn)
  if (session === undefined) return []
  const { packet } = input
  if (packet._tag === 'Pubrel') {
    const message = Window.get(session.incoming, packet.packetId)?.message
    return message?.topic === topic ? [{ _tag: 'Release', message }] : []
  }
  if (packet._tag !== 'Publish') return []
  const { packetId } = packet
  const known = packet.qos === 2 ? Window.get(session.incoming, packetId) : undefined
  if (known !== undefined) {
    return known.message?.topic === topic ? [{ _tag: 'Again', message: known.message }] : []
  }
  if (topicIn(before, input) !== topic) return []
  const by: Publisher = { _tag: 'Client', clientId: session.clientId, packetId }
  const publication = publicationOf(topic, by, moment, packet)
  const marks: Array<object> = [packet.payload]
  const now = IntMap.get(after.sessions, session.number)
  const held = packet.qos === 2 && now !== undefined
    ? Window.get(now.incoming, packetId)?.message
    : undefined
  if (held !== undefined && held !== null) {
    publication.held = { session: session.number, packetId }
    marks.push(held, held.payload)
  }
  return [{ _tag: 'New', publication, marks }]
}

const ofWills = (topic: TopicName, moment: Moment): ReadonlyArray<FoundPublication> => {
  const found: Array<FoundPublication> = []
  for (const effect of moment.effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'WillPublished') continue
    const { clientId } = effect.note
    const will = sessionFor(moment.before, clientId)?.will?.message
    if (effect.note.topic !== topic || will === undefined) continue
    const publication = publicationOf(topic, { _tag: 'Will', clientId }, moment, will)
    found.push({ _tag: 'New', publication, marks: [will.payload] })
  }
  return found
}

/** In the order in which they were made. */
export const publicationsIn = (
  topic: TopicName,
  moment: Moment,
): ReadonlyArray<FoundPublication> => {
  const { input, before, after } = moment
  if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
    const { packet } = input.command
    if (packet.topic !== topic) return []
    const publication = publicationOf(topic, { _tag: 'Broker' }, moment, packet)
    return [{ _tag: 'New', publication, marks: [packet.payload] }]
  }
  const found = [
    ...(input._tag === 'Arrived' ? ofClient(topic, moment, input) : []),
    ...ofWills(topic, moment),
  ]
  if (found.length > 0 || !topic.startsWith('$SYS/')) return found
  const value = Tree.get(after.retained, topic)
  if (value === undefined || value === Tree.get(before.retained, topic)) return []
  const publication = publicationOf(topic, { _tag: 'Broker' }, moment, value)
  return [{ _tag: 'New', publication, marks: [value, value.payload] }]
}
