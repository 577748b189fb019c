// Which connections, topics and packets of a recording belong to a part of it. Topics are whole,
// as the broker knows them: clients of one mount point hear what others say by another name.

import type { Config } from '../broker/config.ts'
import { mountedFilter } from '../broker/mount.ts'
import type { Session, State } from '../broker/state.ts'
import type { Connect, Packet } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { splitShare } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import { Aliases, eachSent } from './cut-acks.ts'
import { sessionFor } from './explain-facts.ts'
import { isAskedFor } from './names.ts'
import type { Names } from './names.ts'
import type { Batch } from './replay.ts'

export interface CutWish {
  readonly client: string | null
  readonly topic: TopicFilter | null
}

/** What a connection has to do with a topic, whole. */
type Tie = readonly [generation: number, topic: string]

const isAnyOn = (filter: TopicFilter, topics: ReadonlySet<string>): boolean => {
  for (const topic of topics) if (isTopicName(topic) && match(filter, topic)) return true
  return false
}

type Found = (clientId: string, topic: string) => void

const eachWaiting = (session: Session | undefined, found: Found): void => {
  if (session === undefined) return
  for (const { message } of Queue.entries(session.queue)) found(session.clientId, message.topic)
}

/** What clients would have been sent and were not: what they lost, and what waits in the end. */
const eachUnheard = (batches: ReadonlyArray<Batch>, found: Found): void => {
  for (const { before, effects } of batches) {
    for (const effect of effects) {
      if (effect._tag !== 'Note') continue
      const { note } = effect
      if (note._tag === 'SessionEnded') eachWaiting(sessionFor(before, note.clientId), found)
      else if (note._tag === 'Dropped' && note.clientId !== null) found(note.clientId, note.topic)
    }
  }
  const last = batches.at(-1)
  if (last !== undefined) IntMap.each(last.after.sessions, (session) => eachWaiting(session, found))
}

export class Relevance {
  readonly topics = new Set<string>()
  private readonly generations = new Set<number>()
  /** Filters, whole, of the shared groups that the client is in at any time. */
  private readonly shared = new Set<TopicFilter>()
  /** Who else is in one of them: it gets what the client would else be sent in its place. */
  private readonly members = new Set<string>()
  /** Filters, whole, of groups of two or more, whose members take messages in turn. */
  private readonly inTurn = new Set<TopicFilter>()
  /** What was said or heard, and is not asked for. */
  private readonly leftOut = new Set<string>()
  private readonly config: Config
  private readonly names: Names
  private readonly wish: CutWish

  constructor(wish: CutWish, names: Names, from: State, batches: ReadonlyArray<Batch>) {
    this.wish = wish
    this.names = names
    this.config = from.config
    if (this.isAll) return
    const { client } = wish
    const aliases = new Aliases()
    aliases.begin(from)
    const ties: Array<Tie> = []
    const wills: Array<readonly [clientId: string, topic: string]> = []
    /** What was published at QoS 2 and not released, by client and packet identifier. */
    const held = new Map<string, string>()
    const connects: Array<number> = []
    /** Whose connections all belong to it: what was subscribed to on one is sent on another. */
    const clients = new Set<string>()
    this.share(client, from, batches)
    this.remember(from, ties, wills, held)
    IntMap.each(from.sessions, ({ conn, aliases: known }) => {
      if (conn === null) return
      for (const [topic, alias] of StrMap.entries(known)) {
        aliases.know(-conn.generation, alias, topic)
      }
    })
    for (const { inputs, effects } of batches) {
      for (const input of inputs) {
        if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
          const { topic } = input.command.packet
          if (client === null || this.isShared(topic)) this.want(topic)
        }
        if (input._tag !== 'Arrived') continue
        const { conn: { generation }, packet } = input
        const clientId = this.clientOf(generation)
        const said = (topic: string): void => {
          ties.push([generation, topic])
          this.hear(clientId, topic)
        }
        if (packet._tag === 'Connect') {
          connects.push(generation)
          if (packet.will === null) continue
          const topic = names.wholeOf(generation, packet.will.topic)
          wills.push([clientId, topic])
          said(topic)
        } else if (packet._tag === 'Publish') {
          const topic = names.wholeOf(generation, aliases.topicOf(generation, packet))
          if (topic === '') continue
          if (packet.qos === 2) held.set(`${packet.packetId} ${clientId}`, topic)
          said(topic)
        } else if (packet._tag === 'Pubrel') {
          // It may come on another connection than what it releases.
          const topic = held.get(`${packet.packetId} ${clientId}`)
          if (topic !== undefined) ties.push([generation, topic])
          held.delete(`${packet.packetId} ${clientId}`)
        }
      }
      eachSent(effects, (generation, packet) => {
        const topic = names.wholeOf(generation, aliases.topicOf(-generation, packet))
        if (client !== null && names.of(generation) !== client) return
        if (this.want(topic) && client === null) clients.add(this.clientOf(generation))
      })
    }
    eachUnheard(batches, (clientId, topic) => {
      if (client !== null && clientId !== client) return
      if (this.want(topic) && client === null) clients.add(clientId)
    })
    for (const [generation, topic] of ties) {
      if (!this.topics.has(topic)) continue
      this.generations.add(generation)
      if (client === null) clients.add(this.clientOf(generation))
    }
    // A connection that follows takes over, and decides what becomes of a will.
    for (const [clientId, topic] of wills) if (this.topics.has(topic)) clients.add(clientId)
    for (const clientId of this.members) clients.add(clientId)
    // Who is brought about with what it subscribes to goes as it went.
    if (client === null) {
      IntMap.each(from.sessions, ({ clientId, subscriptions }) => {
        for (const [, { filter, share }] of StrMap.entries(subscriptions)) {
          if (isAnyOn(share?.filter ?? filter, this.topics)) clients.add(clientId)
        }
      })
    }
    IntMap.each(from.sessions, ({ conn, clientId }) => {
      if (conn !== null && clients.has(clientId)) this.generations.add(conn.generation)
    })
    for (const generation of connects) {
      if (clients.has(this.clientOf(generation))) this.generations.add(generation)
    }
  }

  /** Finds out with whom the client shares what; with none, who shares at all. */
  private share(client: string | null, from: State, batches: ReadonlyArray<Batch>): void {
    const groups = new Map<string, { filter: TopicFilter; members: Set<string> }>()
    const join = (clientId: string, group: string, filter: TopicFilter): void => {
      const key = `${group}/${filter}`
      const found = groups.get(key) ?? { filter, members: new Set() }
      groups.set(key, found)
      found.members.add(clientId)
      if (clientId === client) this.shared.add(filter)
    }
    IntMap.each(from.sessions, ({ clientId, subscriptions }) => {
      for (const [, { share }] of StrMap.entries(subscriptions)) {
        if (share !== null) join(clientId, share.group, share.filter)
      }
    })
    for (const { inputs } of batches) {
      for (const input of inputs) {
        if (input._tag !== 'Arrived' || input.packet._tag !== 'Subscribe') continue
        const { generation } = input.conn
        for (const { filter } of input.packet.requests) {
          const share = splitShare(filter)
          if (share === null) continue
          const whole = mountedFilter(this.names.mountPointOf(generation), share.filter)
          if (whole !== null) join(this.clientOf(generation), share.group, whole)
        }
      }
    }
    for (const { filter, members } of groups.values()) {
      if (client !== null && !members.has(client)) continue
      if (members.size > 1) this.inTurn.add(filter)
      if (client === null) continue
      for (const one of members) if (one !== client) this.members.add(one)
    }
  }

  /** Whether a message on it may be the client's or another member's. */
  private isShared(topic: string): boolean {
    if (!isTopicName(topic)) return false
    for (const filter of this.shared) if (match(filter, topic)) return true
    return false
  }

  /** What connections had to do with topics before. */
  private remember(
    from: State,
    ties: Array<Tie>,
    wills: Array<readonly [clientId: string, topic: string]>,
    held: Map<string, string>,
  ): void {
    IntMap.each(from.sessions, ({ conn, clientId, incoming, will }) => {
      for (const [packetId, { message }] of Window.entries(incoming)) {
        if (message === null) continue
        held.set(`${packetId} ${clientId}`, message.topic)
        this.hear(clientId, message.topic)
        if (conn !== null) ties.push([conn.generation, message.topic])
      }
      if (will === null) return
      wills.push([clientId, will.message.topic])
      this.hear(clientId, will.message.topic)
      if (conn !== null) ties.push([conn.generation, will.message.topic])
    })
  }

  get isAll(): boolean {
    return this.wish.client === null && this.wish.topic === null
  }

  /** Empty for who has not said. */
  clientOf(generation: number): string {
    return this.names.of(generation) ?? ''
  }

  /** Whether it is asked for. */
  isOn(topic: string): boolean {
    const { topic: filter } = this.wish
    return filter === null || isAskedFor(filter, topic, this.config)
  }

  /** A client has something to say on a topic. */
  private hear(clientId: string, topic: string): void {
    const { client } = this.wish
    if (client === null || clientId === client || this.isShared(topic)) this.want(topic)
  }

  private want(topic: string): boolean {
    if (topic === '') return false
    if (!this.isOn(topic)) {
      this.leftOut.add(topic)
      return false
    }
    this.topics.add(topic)
    return true
  }

  /** Whether the connection has anything to do with it. */
  has(generation: number): boolean {
    return this.isAll || this.generations.has(generation) || this.isOwn(generation)
  }

  /** Whether a group has taken in turn what belongs to it and what does not. */
  get isOutOfTurn(): boolean {
    for (const filter of this.inTurn) {
      if (isAnyOn(filter, this.topics) && isAnyOn(filter, this.leftOut)) return true
    }
    return false
  }

  /** Whether anything that belongs to it is for a shared group of this filter. */
  isForShare(filter: TopicFilter): boolean {
    return isAnyOn(filter, this.topics)
  }

  /** Whether it is another member of a shared group of the client's. */
  isMember(clientId: string): boolean {
    return this.members.has(clientId)
  }

  /** Whether all that was said on the connection belongs to it. */
  isWhole(generation: number): boolean {
    return this.isAll || (this.wish.topic === null && this.isOwn(generation))
  }

  private isOwn(generation: number): boolean {
    return this.wish.client !== null && this.names.of(generation) === this.wish.client
  }

  /** Whether what arrived there belongs to it; `topic` is how a client calls that of a PUBLISH. */
  wants(generation: number, packet: Packet, topic: string): boolean {
    if (this.isWhole(generation)) return true
    switch (packet._tag) {
      case 'Publish':
        return this.topics.has(this.names.wholeOf(generation, topic))
      case 'Subscribe':
      case 'Unsubscribe': {
        if (this.isMember(this.clientOf(generation))) return true
        if (this.wish.client !== null && !this.isOwn(generation)) return false
        const filters = packet._tag === 'Subscribe'
          ? packet.requests.map(({ filter }) => filter)
          : packet.filters
        return filters.some((filter) => this.matches(generation, filter))
      }
      case 'Pingreq':
        return false
      default:
        return true
    }
  }

  /** A will that is about something else would be retained where on the day it was replaced. */
  withoutWill(generation: number, packet: Connect): Connect {
    const { will } = packet
    if (will === null || this.isWhole(generation)) return packet
    return this.topics.has(this.names.wholeOf(generation, will.topic))
      ? packet
      : { ...packet, will: null }
  }

  private matches(generation: number, filter: TopicFilter): boolean {
    const plain = splitShare(filter)?.filter ?? filter
    const whole = mountedFilter(this.names.mountPointOf(generation), plain)
    return whole !== null && isAnyOn(whole, this.topics)
  }
}
