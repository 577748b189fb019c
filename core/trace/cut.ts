// A part of a recording as inputs that stand by themselves: what one client, or some topics, have
// to do with, from one moment to another. What a client acknowledges is what it was sent: the
// broker may give out other packet identifiers when less happens, and acknowledgements follow.

import type { Config } from '../broker/config.ts'
import type { Conn, Input } from '../broker/input.ts'
import { arrived } from '../broker/input.ts'
import type { Origin, State } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import type { Packet } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import * as Window from '../data/window.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { splitShare } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import { Aliases, eachSent, Translation } from './cut-acks.ts'
import { rebuild } from './rebuild.ts'
import { Names } from './names.ts'
import type { Batch } from './replay.ts'

export interface CutWish {
  readonly client: string | null
  readonly topic: TopicFilter | null
}

export interface Cut {
  readonly config: Config
  readonly origin: Origin
  readonly inputs: ReadonlyArray<Input>
  /** How many of them bring about what there was at the beginning. */
  readonly first: number
  /** What is not as it was at the beginning, in sentences. */
  readonly untold: ReadonlyArray<string>
}

/** What connections have published before at QoS 2 and not released. */
const held = (from: State): ReadonlyArray<readonly [generation: number, topic: string]> => {
  const found: Array<readonly [generation: number, topic: string]> = []
  IntMap.each(from.sessions, ({ conn, incoming }) => {
    if (conn === null) return
    for (const [, { message }] of Window.entries(incoming)) {
      if (message !== null) found.push([conn.generation, message.topic])
    }
  })
  return found
}

/** Which connections and topics belong to a part of a recording. */
class Relevance {
  readonly topics = new Set<string>()
  private readonly generations = new Set<number>()
  private readonly names: Names
  private readonly wish: CutWish

  constructor(wish: CutWish, names: Names, from: State, batches: ReadonlyArray<Batch>) {
    this.wish = wish
    this.names = names
    if (this.isAll) return
    const { client } = wish
    const aliases = new Aliases()
    aliases.begin(from)
    const published: Array<readonly [generation: number, topic: string]> = []
    for (const { inputs, effects } of batches) {
      for (const input of inputs) {
        if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
          if (client === null) this.want(input.command.packet.topic)
        }
        if (input._tag !== 'Arrived') continue
        const { conn: { generation }, packet } = input
        const topic = packet._tag === 'Publish'
          ? aliases.topicOf(generation, packet)
          : packet._tag === 'Connect'
          ? packet.will?.topic ?? ''
          : ''
        if (topic === '') continue
        published.push([generation, topic])
        if (client === null || names.of(generation) === client) this.want(topic)
      }
      eachSent(effects, (generation, packet) => {
        const topic = aliases.topicOf(-generation, packet)
        if (client !== null && names.of(generation) !== client) return
        if (this.want(topic) && client === null) this.generations.add(generation)
      })
    }
    for (const [generation, topic] of [...published, ...held(from)]) {
      if (this.topics.has(topic)) this.generations.add(generation)
    }
  }

  get isAll(): boolean {
    return this.wish.client === null && this.wish.topic === null
  }

  /** Whether it is asked for, by name. */
  isOn(topic: string): boolean {
    const { topic: filter } = this.wish
    return filter === null || (isTopicName(topic) && match(filter, topic))
  }

  private want(topic: string): boolean {
    if (!this.isOn(topic)) return false
    this.topics.add(topic)
    return true
  }

  /** Whether the connection has anything to do with it. */
  has(generation: number): boolean {
    return this.isAll || this.generations.has(generation) || this.isOwn(generation)
  }

  private isOwn(generation: number): boolean {
    return this.wish.client !== null && this.names.of(generation) === this.wish.client
  }

  /** Whether what arrived there belongs to it; `topic` is that of a PUBLISH. */
  wants(generation: number, packet: Packet, topic: string): boolean {
    if (this.isAll) return true
    const isOwn = this.isOwn(generation)
    if (isOwn && this.wish.topic === null) return true
    switch (packet._tag) {
      case 'Publish':
        return this.topics.has(topic)
      case 'Subscribe':
      case 'Unsubscribe': {
        if (this.wish.client !== null && !isOwn) return false
        const filters = packet._tag === 'Subscribe'
          ? packet.requests.map(({ filter }) => filter)
          : packet.filters
        return filters.some((filter) => this.matches(filter))
      }
      case 'Pingreq':
        return false
      default:
        return true
    }
  }

  private matches(filter: TopicFilter): boolean {
    const plain = splitShare(filter)?.filter ?? filter
    for (const topic of this.topics) if (isTopicName(topic) && match(plain, topic)) return true
    return false
  }
}

/** QoS 2 messages that are held, by the generation of the connection and their identifier. */
const heldIn = (state: State): Set<string> => {
  const kept = new Set<string>()
  IntMap.each(state.sessions, ({ conn, incoming }) => {
    if (conn === null) return
    for (const [packetId] of Window.entries(incoming)) kept.add(`${conn.generation} ${packetId}`)
  })
  return kept
}

const isFresh = (state: State): boolean =>
  state.nextOpening === 0 && state.retained.size === 0 && state.nextSession === 0 &&
  !state.isShort && !state.isStoreFull

/** The part of runs that is wanted, behind the state that they began with. */
export const cut = (from: State, batches: ReadonlyArray<Batch>, wish: CutWish): Cut => {
  const origin = isFresh(from)
    ? from.origin
    : { at: from.now, wall: from.wall, seed: from.origin.seed }
  const whole = wish.client === null && wish.topic === null
  if (whole && isFresh(from)) {
    const inputs = batches.flatMap((one) => one.inputs)
    return { config: from.config, origin, inputs, first: 0, untold: [] }
  }
  const names = new Names()
  names.know(from)
  for (const batch of batches) names.learn(batch)
  const relevance = new Relevance(wish, names, from, batches)
  const { client } = wish
  const { state, inputs: first, untold } = rebuild(from, {
    client: (clientId) => whole || client === null || clientId === client,
    speaker: ({ generation }) => relevance.has(generation),
    topic: (topic) => whole || relevance.topics.has(topic),
    message: (topic) => relevance.isOn(topic),
  })
  const inputs = [...first]
  const translation = new Translation(names)
  translation.begin(from, state)
  const aliases = new Aliases()
  aliases.begin(from)
  const kept = heldIn(state)
  const moved = new Map<number, Conn>()
  let here = state
  const feed = (wanted: Input): void => {
    const input = inPlace(wanted, here, moved)
    const [after, effects] = step(here, input)
    here = after
    inputs.push(input)
    translation.ofHere(effects)
  }
  for (const batch of batches) {
    let day = batch.before
    for (const input of batch.inputs) {
      // Run by run identifiers of one run would all be known too early.
      const [after, effects] = step(day, input)
      day = after
      const told = partOf(input, relevance, aliases, translation, kept)
      translation.ofDay(effects)
      if (told !== null) feed(told)
    }
  }
  return { config: from.config, origin, inputs, first: first.length, untold }
}

/**
 * Where less happens a connection may still be open whose slot was somebody else's on the day: who
 * comes gets a slot behind all others then.
 */
const inPlace = (input: Input, here: State, moved: Map<number, Conn>): Input => {
  if (!('conn' in input)) return input
  const { slot, generation } = input.conn
  if (input._tag === 'Opened' && IntMap.get(here.links, slot) !== undefined) {
    moved.set(generation, { slot: 0x80_0000 + moved.size, generation })
  }
  const conn = moved.get(generation)
  return conn === undefined ? input : { ...input, conn }
}

const partOf = (
  input: Input,
  relevance: Relevance,
  aliases: Aliases,
  translation: Translation,
  kept: Set<string>,
): Input | null => {
  if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
    return relevance.isAll || relevance.topics.has(input.command.packet.topic) ? input : null
  }
  if (!('conn' in input)) return input
  const { generation } = input.conn
  if (!relevance.has(generation)) return null
  if (input._tag !== 'Arrived') return input
  const { packet } = input
  const topic = packet._tag === 'Publish' ? aliases.topicOf(generation, packet) : ''
  if (!relevance.wants(generation, packet, topic)) return null
  if (packet._tag === 'Publish' && packet.qos === 2) kept.add(`${generation} ${packet.packetId}`)
  if (
    packet._tag === 'Pubrel' && !relevance.isAll && !kept.has(`${generation} ${packet.packetId}`)
  ) {
    return null
  }
  const told = packet._tag === 'Publish'
    ? aliases.spelt(generation, packet)
    : translation.translate(generation, packet)
  if (told === null || told === packet) return told === null ? null : input
  return arrived(input.conn, input.at, told)
}
