// Acknowledgements where less happens: the broker may give out other packet identifiers then, and
// what a client acknowledges is what it was sent.

import type { Effect } from '../broker/effect.ts'
import type { Session, State } from '../broker/state.ts'
import { publishOf } from '../broker/state.ts'
import type { Packet, Publish } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import { isTopicName } from '../topic/name.ts'
import type { Names } from './names.ts'
import { bare } from './rebuild-connect.ts'
import { inFlight } from './rebuild-owed.ts'
import { showPacket } from './show.ts'

/** What topic aliases stand for. */
export class Aliases {
  private readonly topics = new Map<string, string>()
  /** Those from before that nobody has been told of yet. */
  private readonly old = new Map<string, string>()

  topicOf(generation: number, { topic, properties }: Publish): string {
    const { topicAlias } = properties
    if (topicAlias === undefined) return topic
    const key = `${generation}/${topicAlias}`
    if (topic === '') return this.topics.get(key) ?? this.old.get(key) ?? ''
    this.topics.set(key, topic)
    return topic
  }

  know(generation: number, alias: number, topic: string): void {
    this.topics.set(`${generation}/${alias}`, topic)
  }

  /** Those that clients have set, and those that were set towards them. */
  begin(state: State): void {
    IntMap.each(state.sessions, ({ conn, aliases }) => {
      if (conn === null) return
      for (const [topic, alias] of StrMap.entries(aliases)) {
        this.know(-conn.generation, alias, topic)
      }
    })
    IntMap.each(state.links, ({ conn: { generation }, phase }) => {
      if (phase.phase !== 'Ready') return
      const { mountPoint } = phase.rules
      for (const [alias, topic] of IntMap.entries(phase.aliases)) {
        this.old.set(`${generation}/${alias}`, bare(mountPoint, topic) ?? topic)
      }
    })
  }

  /** With its topic where an alias stands for it that was set before all this. */
  spelt(generation: number, packet: Publish): Publish {
    const { topicAlias } = packet.properties
    if (topicAlias === undefined) return packet
    const key = `${generation}/${topicAlias}`
    const topic = packet.topic === '' ? this.old.get(key) : undefined
    this.old.delete(key)
    return topic === undefined || !isTopicName(topic) ? packet : { ...packet, topic }
  }
}

/** Each PUBLISH that is sent, with the generation of who is told. */
export const eachSent = (
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

/** What messages with a packet identifier clients were sent, by client and identifier. */
class Ledger {
  private readonly sent = new Map<string, string>()
  private readonly aliases = new Aliases()

  take(effects: ReadonlyArray<Effect>, names: Names): void {
    eachSent(effects, (generation, packet) => {
      const topic = this.aliases.topicOf(generation, packet)
      if (packet.qos > 0) this.note(names.of(generation) ?? '', packet.packetId, packet, topic)
    })
  }

  /** What was sent before, to whom the state says. */
  begin(state: State): void {
    IntMap.each(state.sessions, (session) => {
      const { clientId, mountPoint, aliases, conn } = session
      for (const { packetId, message, terms: { qos, retain } } of inFlight(session)) {
        if (message === null) continue
        const topic = bare(mountPoint, message.topic) ?? message.topic
        this.note(clientId, packetId, { ...publishOf(message), qos, retain }, topic)
      }
      if (conn === null) return
      for (const [topic, alias] of StrMap.entries(aliases)) {
        this.aliases.know(conn.generation, alias, topic)
      }
    })
  }

  private note(client: string, packetId: number, packet: Publish, topic: string): void {
    const words = showPacket({ ...packet, topic: '', packetId: 0, dup: false, properties: none })
    this.sent.set(`${packetId} ${client}`, `${topic} ${words}`)
  }

  what(client: string, packetId: number): string | undefined {
    return this.sent.get(`${packetId} ${client}`)
  }

  forget(client: string, packetId: number): void {
    this.sent.delete(`${packetId} ${client}`)
  }

  /** The identifier of such a message that is not acknowledged: this one, or the lowest. */
  find(client: string, what: string, packetId: number): number | null {
    if (this.what(client, packetId) === what) return packetId
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

/** Packet identifiers of which only PUBCOMP is awaited, in the order of their messages. */
const releasedIn = (session: Session): ReadonlyArray<number> =>
  inFlight(session).filter(({ message }) => message === null).map(({ packetId }) => packetId)

/** Acknowledgements from the day, as the broker that is told less has to hear them. */
export class Translation {
  private readonly day = new Ledger()
  private readonly here = new Ledger()
  /** By client and identifier of the day the one here; null where its message is not here. */
  private readonly pairs = new Map<string, number | null>()
  private readonly names: Names

  constructor(names: Names) {
    this.names = names
  }

  /** How it was, and how it was brought about. */
  begin(day: State, here: State): void {
    this.day.begin(day)
    this.here.begin(here)
    IntMap.each(day.sessions, (session) => {
      const { clientId } = session
      const number = StrMap.get(here.clients, clientId)
      const again = number === undefined ? undefined : IntMap.get(here.sessions, number)
      if (again === undefined) return
      // Of what is released only the order is left.
      const left = releasedIn(session)
      releasedIn(again).forEach((packetId, i) => {
        if (left[i] !== undefined) this.pairs.set(`${left[i]} ${clientId}`, packetId)
      })
    })
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
      const found = what === undefined ? null : this.here.find(client, what, packet.packetId)
      // A client may acknowledge what it was never sent, which is a part of what happened.
      if (what === undefined) return packet._tag === 'Pubcomp' ? null : packet
      packetId = found
      this.pairs.set(key, found)
      if (found !== null) {
        this.day.forget(client, packet.packetId)
        this.here.forget(client, found)
      }
    }
    return packetId === null ? null : { ...packet, packetId }
  }
}
