// A part of a recording as inputs that stand by themselves: what one client, or some topics, have
// to do with, from one moment to another. What a client acknowledges is what it was sent: the
// broker may give out other packet identifiers when less happens, and acknowledgements follow.

import type { Config } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import { arrived } from '../broker/input.ts'
import type { Origin, State } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import type { Packet, Publish } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { splitShare } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import { rebuild } from './rebuild.ts'
import { Names } from './names.ts'
import type { Batch } from './replay.ts'
import { showPacket } from './show.ts'

export interface CutWish {
  readonly client: string | null
  readonly topic: TopicFilter | null
}

export interface Cut {
  readonly config: Config
  readonly origin: Origin
  readonly inputs: ReadonlyArray<Input>
  /** What is not as it was at the beginning, in sentences. */
  readonly untold: ReadonlyArray<string>
}

/** Who is behind connections. */
/** What publishers' topic aliases stand for. */
class Aliases {
  private readonly topics = new Map<string, string>()

  topicOf(generation: number, { topic, properties }: Publish): string {
    const { topicAlias } = properties
    if (topicAlias === undefined) return topic
    const key = `${generation}/${topicAlias}`
    if (topic === '') return this.topics.get(key) ?? ''
    this.topics.set(key, topic)
    return topic
  }
}

/** Each PUBLISH that is sent, with the generation of who is told. */
const eachSent = (
  effects: ReadonlyArray<Effect>,
  f: (generation: number, packet: Publish) => void,
): void => {
  for (const effect of effects) {
    if (effect._tag === 'Send') {
      if (effect.packet._tag === 'Publish') f(effect.conn.generation, effect.packet)
    } else if (effect._tag === 'Multicast' && effect.packet._tag === 'Publish') {
      for (const conn of effect.conns) f(conn.generation, effect.packet)
    }
  }
}

/** Which connections and topics belong to a part of a recording. */
class Relevance {
  readonly topics = new Set<string>()
  private readonly generations = new Set<number>()
  private readonly names: Names
  private readonly wish: CutWish

  constructor(wish: CutWish, names: Names, batches: ReadonlyArray<Batch>) {
    this.wish = wish
    this.names = names
    if (this.isAll) return
    const { client } = wish
    const aliases = new Aliases()
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
    for (const [generation, topic] of published) {
      if (this.topics.has(topic)) this.generations.add(generation)
    }
  }

  get isAll(): boolean {
    return this.wish.client === null && this.wish.topic === null
  }

  private want(topic: string): boolean {
    const { topic: filter } = this.wish
    if (filter !== null && !(isTopicName(topic) && match(filter, topic))) return false
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

/** What messages with a packet identifier clients were sent, by client and identifier. */
class Ledger {
  private readonly sent = new Map<string, string>()

  take(effects: ReadonlyArray<Effect>, names: Names): void {
    eachSent(effects, (generation, packet) => {
      if (packet.qos === 0) return
      const what = showPacket({ ...packet, packetId: 0, dup: false, properties: {} })
      this.sent.set(`${packet.packetId} ${names.of(generation) ?? ''}`, what)
    })
  }

  what(client: string, packetId: number): string | undefined {
    return this.sent.get(`${packetId} ${client}`)
  }

  forget(client: string, packetId: number): void {
    this.sent.delete(`${packetId} ${client}`)
  }

  /** The lowest identifier of such a message that is not acknowledged. */
  find(client: string, what: string): number | null {
    let lowest = Infinity
    for (const [key, some] of this.sent) {
      const at = key.indexOf(' ')
      if (some === what && key.slice(at + 1) === client) {
        lowest = Math.min(lowest, Number(key.slice(0, at)))
      }
    }
    return lowest === Infinity ? null : lowest
  }
}

/** Acknowledgements from the day, as the broker that is told less has to hear them. */
class Translation {
  private readonly day = new Ledger()
  private readonly here = new Ledger()
  private readonly pairs = new Map<string, number>()
  private readonly names: Names

  constructor(names: Names) {
    this.names = names
  }

  ofDay(effects: ReadonlyArray<Effect>): void {
    this.day.take(effects, this.names)
  }

  ofHere(effects: ReadonlyArray<Effect>): void {
    this.here.take(effects, this.names)
  }

  /** Null for one that acknowledges what was never sent here. */
  translate(generation: number, packet: Packet): Packet | null {
    if (packet._tag !== 'Puback' && packet._tag !== 'Pubrec' && packet._tag !== 'Pubcomp') {
      return packet
    }
    const client = this.names.of(generation) ?? ''
    const key = `${packet.packetId} ${client}`
    let packetId = this.pairs.get(key)
    if (packetId === undefined || packet._tag !== 'Pubcomp') {
      const what = this.day.what(client, packet.packetId)
      const found = what === undefined ? null : this.here.find(client, what)
      // A client may acknowledge what it was never sent, which is a part of what happened.
      if (what === undefined) return packet._tag === 'Pubcomp' ? null : packet
      if (found === null) return null
      packetId = found
      this.day.forget(client, packet.packetId)
      this.here.forget(client, found)
      this.pairs.set(key, found)
    }
    return { ...packet, packetId }
  }
}

const isFresh = (state: State): boolean =>
  state.nextOpening === 0 && state.retained.size === 0 && state.nextSession === 0

/** The part of runs that is wanted, behind the state that they began with. */
export const cut = (from: State, batches: ReadonlyArray<Batch>, wish: CutWish): Cut => {
  const origin = isFresh(from)
    ? from.origin
    : { at: from.now, wall: from.wall, seed: from.origin.seed }
  const whole = wish.client === null && wish.topic === null
  if (whole && isFresh(from)) {
    const inputs = batches.flatMap((one) => one.inputs)
    return { config: from.config, origin, inputs, untold: [] }
  }
  const names = new Names()
  names.know(from)
  for (const batch of batches) names.learn(batch)
  const relevance = new Relevance(wish, names, batches)
  const { client } = wish
  const { state, inputs: first, untold } = rebuild(from, {
    client: (clientId) => whole || client === null || clientId === client,
    topic: (topic) => whole || relevance.topics.has(topic),
  })
  const inputs = [...first]
  const translation = new Translation(names)
  const aliases = new Aliases()
  const kept = new Set<string>()
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
  return { config: from.config, origin, inputs, untold }
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
  const told = translation.translate(generation, packet)
  if (told === null || told === packet) return told === null ? null : input
  return arrived(input.conn, input.at, told)
}
