// What keeps the search quick: every state of the broker, of a client with its connections, every
// packet and every step between them is computed once and known by a number from then on. The
// search itself then only looks numbers up.

import type { Packet } from '../../core/codec/packet.ts'
import type { Client, Nth, Publisher, Subscriber, Turn } from './client.ts'
import {
  broken,
  connectOf,
  newPublisher,
  newSubscriber,
  publisherHears,
  publishNext,
  reconnected,
  subscriberHears,
} from './client.ts'
import { digest } from './digest.ts'
import type { Setting } from './setting.ts'
import type { ConnName, Event } from './text.ts'
import { text } from './text.ts'
import type { Answer, Watched } from './watch.ts'
import { advance, beginning } from './watch.ts'

/** Values by number, equal ones by the same. */
class Numbered<A> {
  readonly values: A[] = []
  readonly #numbers = new Map<string, number>()

  /** The number of what the key stands for; `made` is kept where it is new. */
  of(key: string, made: A): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.values.push(made) - 1
    this.#numbers.set(key, number)
    return number
  }
}

/** A client, and what is on its way between it and the broker. */
export interface Side {
  readonly client: Client
  /** Packets by number, the oldest first. */
  readonly up: ReadonlyArray<number>
  readonly down: ReadonlyArray<number>
  /**
   * What still comes from a connection that the client has given up, until the broker learns that
   * it is gone; null when it has, or never knew it.
   */
  readonly left: ReadonlyArray<number> | null
}

/** What a side does by itself, or what it has the broker do. */
export type Move = 'publish' | 'up' | 'down' | 'cut' | 'late' | 'gone'
export const moves: ReadonlyArray<Move> = ['publish', 'up', 'down', 'cut', 'late', 'gone']

/** Where a move leads: the side after it, and the broker's event, -1 for none. */
export interface Moved {
  readonly side: number
  readonly event: number
}

/** What a step of the broker comes to, all by number. */
export interface Stepped {
  readonly broker: number
  /** What each side is told. */
  readonly publisher: number
  readonly subscriber: number
}

/** What a side is told at one step. */
interface Told {
  /** On which of its connections. */
  readonly conns: number
  readonly packets: ReadonlyArray<number>
  /** Whether the connection that the client gave up is closed. */
  readonly closesLeft: boolean
}

/** Two states of one digest, for the proof that the digest is enough. */
export interface Twins {
  readonly one: Watched
  readonly other: Watched
}

/** A number for two small numbers. */
const pair = (a: number, b: number): number => a * 2 ** 24 + b

export class Tables {
  readonly packets = new Numbered<Packet>()
  readonly events = new Numbered<Event>()
  readonly brokers = new Numbered<Watched>()
  readonly sides = new Numbered<Side>()
  readonly #told = new Numbered<Told>()
  readonly #moved: { readonly [move in Move]: Array<Moved | null | undefined> } = {
    publish: [],
    up: [],
    down: [],
    cut: [],
    late: [],
    gone: [],
  }
  readonly #stepped = new Map<number, Stepped>()
  readonly #heard = new Map<number, number>()
  readonly twins: Twins[] = []
  /** Connections that the broker closed because of the next ones. */
  readonly takenOver = new Set<ConnName>()
  steps = 0

  readonly setting: Setting

  constructor(setting: Setting) {
    this.setting = setting
  }

  get first(): readonly [broker: number, publisher: number, subscriber: number] {
    return [
      this.#broker(beginning(this.setting)),
      this.#begin(newPublisher),
      this.#begin(newSubscriber),
    ]
  }

  #begin(client: Client): number {
    const up = [this.#packet(connectOf(this.setting, client))]
    return this.#side({ client, up, down: [], left: null })
  }

  #packet(packet: Packet): number {
    return this.packets.of(packetKey(packet), packet)
  }

  #side(side: Side): number {
    return this.sides.of(JSON.stringify(side), side)
  }

  #broker(watched: Watched): number {
    const { state, notebook } = watched
    const number = this.brokers.of(`${digest(state)}\n${JSON.stringify(notebook)}`, watched)
    const known = this.brokers.values[number]!
    if (known !== watched) this.twins.push({ one: known, other: watched })
    return number
  }

  /** Where a side gets by a move; null where it cannot make it. */
  move(side: number, move: Move): Moved | null {
    const known = this.#moved[move][side]
    if (known !== undefined) return known
    const made = this.#make(this.sides.values[side]!, move)
    this.#moved[move][side] = made
    return made
  }

  #make(side: Side, move: Move): Moved | null {
    const { client, up, down, left } = side
    const quietly = (after: Side): Moved => ({ side: this.#side(after), event: -1 })
    const speaking = (after: Side, conn: ConnName, packet: number | null): Moved => ({
      side: this.#side(after),
      event: this.#event(conn, packet),
    })
    switch (move) {
      case 'publish': {
        if (client.role !== 'publisher') return null
        const turn = publishNext(this.setting, client)
        return turn === null ? null : quietly(this.#said(side, turn))
      }
      case 'down': {
        const [head, ...rest] = down
        if (head === undefined) return null
        const packet = this.packets.values[head]!
        const turn = client.role === 'publisher'
          ? publisherHears(this.setting, client, packet)
          : subscriberHears(this.setting, client, packet)
        return quietly(this.#said({ ...side, down: rest }, turn))
      }
      case 'cut': {
        const after = left === null ? reconnected(this.setting, client) : null
        if (after === null) return null
        const connect = this.#packet(connectOf(this.setting, after))
        // A CONNECT that has not arrived yet never will: the next one would overtake it.
        const isUnknown = up.length > 0 && this.packets.values[up[0]!]!._tag === 'Connect'
        return quietly({ client: after, up: [connect], down: [], left: isUnknown ? null : up })
      }
      case 'up': {
        const [head, ...rest] = up
        return head === undefined ? null : speaking({ ...side, up: rest }, connOf(client, 0), head)
      }
      case 'late': {
        if (left === null || left.length === 0) return null
        const [head, ...rest] = left
        return speaking({ ...side, left: rest }, connOf(client, -1), head!)
      }
      case 'gone':
        return left === null ? null : speaking({ ...side, left: null }, connOf(client, -1), null)
    }
  }

  #said(side: Side, [client, packets]: Turn<Publisher | Subscriber>): Side {
    return { ...side, client, up: [...side.up, ...packets.map((one) => this.#packet(one))] }
  }

  #event(conn: ConnName, packet: number | null): number {
    const event: Event = { conn, packet: packet === null ? null : this.packets.values[packet]! }
    return this.events.of(`${conn} ${packet}`, event)
  }

  /** What the broker makes of an event. */
  step(broker: number, event: number): Stepped {
    const key = pair(broker, event)
    const known = this.#stepped.get(key)
    if (known !== undefined) return known
    this.steps++
    const what = this.events.values[event]!
    const answer = advance(this.setting, this.brokers.values[broker]!, what)
    const made = {
      broker: this.#broker(answer.after),
      publisher: this.#tell(answer, 'p'),
      subscriber: this.#tell(answer, 's'),
    }
    if (answer.closed !== null) this.takenOver.add(answer.closed)
    this.#stepped.set(key, made)
    return made
  }

  #tell({ said, closed }: Answer, side: 'p' | 's'): number {
    const mine = said.filter(({ conn, packet }) =>
      conn.startsWith(side) && packet._tag !== 'Disconnect'
    )
    const conns = new Set(mine.map(({ conn }) => conn))
    if (conns.size > 1) broken(`packets go to ${[...conns].join(' and ')}`)
    const told: Told = {
      conns: Number(mine[0]?.conn[1] ?? 0),
      packets: mine.map(({ packet }) => this.#packet(packet)),
      closesLeft: closed !== null && closed.startsWith(side),
    }
    return this.#told.of(JSON.stringify(told), told)
  }

  /** A side after it was told something, by a number from `step`. */
  hear(side: number, told: number): number {
    const key = pair(side, told)
    const known = this.#heard.get(key)
    if (known !== undefined) return known
    const made = this.#hear(this.sides.values[side]!, this.#told.values[told]!)
    this.#heard.set(key, made)
    return made
  }

  #hear(side: Side, { conns, packets, closesLeft }: Told): number {
    return this.#side({
      client: side.client,
      up: side.up,
      // What is said on a connection that the client has given up is lost.
      down: conns === side.client.conns ? [...side.down, ...packets] : side.down,
      left: closesLeft ? null : side.left,
    })
  }
}

const packetKey = (packet: Packet): string =>
  packet._tag === 'Connect'
    ? `CONNECT ${packet.clientId} ${JSON.stringify(packet.properties)}`
    : text(packet)

const nths: ReadonlyArray<Nth> = [1, 2, 3]

/** The client's connection of the moment, or the one before. */
const connOf = ({ role, conns }: Client, before: 0 | -1): ConnName =>
  `${role === 'publisher' ? 'p' : 's'}${nths[conns - 1 + before]!}`
