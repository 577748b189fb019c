// Playing a story to the broker: acts become inputs, effects become lines. The player does what a
// shell does, and no more: it names connections, keeps the clock, puts bytes through the reader,
// and wakes the broker when it wants to be woken.

import { deadline } from '../broker/clock.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input, Millis, Opened } from '../broker/input.ts'
import * as I from '../broker/input.ts'
import type { Note } from '../broker/note.ts'
import type { Origin, State } from '../broker/state.ts'
import { initial } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import { encode } from '../codec/encode.ts'
import { defaultLimits } from '../codec/limits.ts'
import type { Connect, Level, Packet } from '../codec/packet.ts'
import type { Reader } from '../codec/reader.ts'
import { createReader } from '../codec/reader.ts'
import * as IntMap from '../data/int-map.ts'
import { absurd, E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { Act } from './act.ts'
import { sessionOf, stateText } from './facts.ts'
import { explicitName, showDeadline, showEffect } from './show.ts'
import type { Story } from './story.ts'
import { usualOrigin } from './story.ts'

/** What came of one line. */
export interface PlayedLine {
  readonly act: Act
  readonly inputs: ReadonlyArray<Input>
  /** As the story has them, whether or not its stanza is quiet. */
  readonly texts: ReadonlyArray<string>
}

export interface PlayedStanza {
  readonly lines: ReadonlyArray<PlayedLine>
  /** What belongs below the ----. */
  readonly effects: ReadonlyArray<string>
}

export interface Played {
  readonly state: State
  readonly stanzas: ReadonlyArray<PlayedStanza>
}

/** Notes that repeat what an input and its answer say. */
export const isEcho = ({ _tag }: Note): boolean =>
  _tag === 'ConnectionOpened' || _tag === 'ClientConnected' || _tag === 'Subscribed' ||
  _tag === 'Unsubscribed'

interface Client {
  readonly name: string
  conn: Conn
  isOpen: boolean
  isPaused: boolean
  /** What the reader has not turned into packets yet, if anything. */
  reader: Reader | null
  lastConnect: Connect | null
}

interface Player {
  readonly origin: Origin
  state: State
  now: Millis
  readonly clients: Map<string, Client>
  generation: number
  inputs: Array<Input>
  texts: Array<string>
}

/** What a story asks for that cannot be done; the place is added by `play`. */
class Impossible extends Error {}

/** Plays a story from its beginning. Left: `file:line: what cannot be done`. */
export const play = (story: Story, file: string): Either<string, Played> => {
  const origin = story.origin ?? usualOrigin
  const player: Player = {
    origin,
    state: initial(story.config, origin),
    now: origin.at,
    clients: new Map(),
    generation: 0,
    inputs: [],
    texts: [],
  }
  const stanzas: Array<PlayedStanza> = []
  for (const stanza of story.stanzas) {
    const lines: Array<PlayedLine> = []
    for (const { act, number } of stanza.lines) {
      player.inputs = []
      player.texts = []
      try {
        perform(player, act)
        for (const client of player.clients.values()) pump(player, client)
      } catch (error) {
        if (error instanceof Impossible) return E.left(`${file}:${number}: ${error.message}`)
        throw error
      }
      lines.push({ act, inputs: player.inputs, texts: player.texts })
    }
    const isQuiet = stanza.lines[0]?.act._tag === 'Quiet'
    stanzas.push({ lines, effects: isQuiet ? [] : lines.flatMap(({ texts }) => texts) })
  }
  return E.right({ state: player.state, stanzas })
}

const same = (one: Conn, other: Conn): boolean =>
  one.slot === other.slot && one.generation === other.generation

const clientOf = (player: Player, conn: Conn): Client | undefined => {
  // The newest first: a name may have had the slot and generation of nobody else.
  for (const client of player.clients.values()) if (same(client.conn, conn)) return client
  return undefined
}

const nameOf = (player: Player) => (conn: Conn): string =>
  clientOf(player, conn)?.name ?? explicitName(conn)

const feed = (player: Player, input: Input): void => {
  const [state, effects] = step(player.state, input)
  player.state = state
  player.inputs.push(input)
  for (const effect of effects) absorb(player, effect)
}

const absorb = (player: Player, effect: Effect): void => {
  if (effect._tag === 'Note' && isEcho(effect.note)) return
  player.texts.push(showEffect(effect, nameOf(player)))
  if (effect._tag !== 'Close' && effect._tag !== 'Pause' && effect._tag !== 'Resume') return
  const client = clientOf(player, effect.conn)
  if (client === undefined) return
  if (effect._tag === 'Close') {
    client.isOpen = false
    client.reader = null
  } else client.isPaused = effect._tag === 'Pause'
}

const explicitPattern = /^c([0-9]{1,8})\.([0-9]{1,16})$/

/** The connection that a name of the form `c3.17` stands for. */
const explicitConn = (name: string): Conn | null => {
  const found = explicitPattern.exec(name)
  return found === null ? null : { slot: Number(found[1]), generation: Number(found[2]) }
}

/** The lowest slot that no open connection has, and a generation that none ever had. */
const freshConn = (player: Player): Conn => {
  let slot = 0
  const open = [...player.clients.values()].filter((client) => client.isOpen)
  while (open.some((client) => client.conn.slot === slot)) slot++
  return { slot, generation: ++player.generation }
}

const nonceOf = (generation: number): string =>
  `00000000-0000-4000-8000-${String(generation).padStart(12, '0')}`

const openFor = (player: Player, act: Extract<Act, { _tag: 'Open' }>): Client => {
  const { name } = act
  const former = player.clients.get(name)
  if (former?.isOpen === true) {
    throw new Impossible(`${name} has a connection: give the second one a name of its own`)
  }
  const conn = explicitConn(name) ?? freshConn(player)
  const client: Client = {
    name,
    conn,
    isOpen: true,
    isPaused: false,
    reader: null,
    lastConnect: former?.lastConnect ?? null,
  }
  player.clients.set(name, client)
  const peer = {
    address: act.address ?? '127.0.0.1',
    port: act.port ?? 50_000 + conn.generation % 10_000,
  }
  const opened: Opened = I.opened(
    conn,
    player.now,
    act.nonce ?? nonceOf(conn.generation),
    act.listener ?? '1883',
    peer,
  )
  feed(player, opened)
  return client
}

const plainOpen = (name: string): Extract<Act, { _tag: 'Open' }> => ({
  _tag: 'Open',
  name,
  listener: null,
  address: null,
  port: null,
  nonce: null,
})

/** The connection that a client has, or had; a recording may speak of one that was never seen. */
const connOf = (player: Player, name: string): Conn => {
  const conn = player.clients.get(name)?.conn ?? explicitConn(name)
  if (conn === null) throw new Impossible(`${name} has no connection: write ${name} open above`)
  return conn
}

const levelOf = (player: Player, conn: Conn): Level | 0 => {
  const link = IntMap.get(player.state.links, conn.slot)
  return link !== undefined && same(link.conn, conn) && link.phase.phase === 'Ready'
    ? link.phase.level
    : 0
}

const say = (player: Player, name: string, packet: Packet): void => {
  const former = player.clients.get(name)
  // A recording says when a connection was opened; a story need not.
  const opens = packet._tag === 'Connect' && former?.isOpen !== true && explicitConn(name) === null
  const client = opens ? openFor(player, plainOpen(name)) : former
  if (client !== undefined && packet._tag === 'Connect') client.lastConnect = packet
  if (client?.isPaused === true && explicitConn(name) === null) {
    // Nothing is decoded while the broker does not read: the packet waits as bytes.
    const level = client.lastConnect?.level ?? 5
    push(player, client, encode(level, packet))
    return
  }
  feed(player, I.arrived(connOf(player, name), player.now, packet))
}

const push = (player: Player, client: Client, bytes: Uint8Array): void => {
  const { packetBytesMax, connectPacketBytesMax } = player.state.config
  const limits = { ...defaultLimits, packetBytesMax, connectPacketBytesMax }
  client.reader ??= createReader(limits, levelOf(player, client.conn))
  client.reader.push(bytes, 0, bytes.length)
  client.reader.release()
}

/** Takes the packets that a client's reader has, as long as the broker reads. */
const pump = (player: Player, client: Client): void => {
  while (client.reader !== null && !client.isPaused) {
    const found = client.reader.next()
    if (found === null) {
      // What follows may be a packet of the story, and the reader would not know its level.
      if (client.reader.waiting === 0) client.reader = null
      else client.reader.release()
      return
    }
    if (E.isLeft(found)) {
      client.reader = null
      feed(player, I.broke(client.conn, player.now, found.left))
      return
    }
    if (found.right._tag === 'Connect') client.lastConnect = found.right
    feed(player, I.arrived(client.conn, player.now, found.right))
  }
}

const raw = (player: Player, name: string, bytes: Uint8Array): void => {
  const client = player.clients.get(name)
  if (client?.isOpen !== true) {
    throw new Impossible(`${name} has no open connection: write ${name} open above`)
  }
  push(player, client, bytes)
}

const reopen = (player: Player, name: string): void => {
  const client = player.clients.get(name)
  if (client === undefined || client.lastConnect === null) {
    throw new Impossible(`${name} has not connected yet: write ${name}> connect above`)
  }
  say(player, name, { ...client.lastConnect, cleanStart: false })
}

/** More ticks at one moment than any work of a story needs. */
const spinsMax = 100_000

const tick = (player: Player, ms: Millis): void => {
  const until = player.now + ms
  for (let spins = 0;; spins++) {
    const due = deadline(player.state)
    if (due > until) break
    if (due > player.now) player.now = due
    feed(player, I.ticked(player.now, wallOf(player)))
    if (spins > spinsMax) throw new Error(`the deadline stays at ${due} while it is ${player.now}`)
  }
  player.now = until
}

const wallOf = ({ origin, now }: Player): number => origin.wall + now - origin.at

const perform = (player: Player, act: Act): void => {
  const { now } = player
  switch (act._tag) {
    case 'Open':
      openFor(player, act)
      return
    case 'Say':
      return say(player, act.name, act.packet)
    case 'Raw':
      return raw(player, act.name, act.bytes)
    case 'Continued':
      return feed(player, I.continued(connOf(player, act.name), now))
    case 'Broke':
      return feed(player, I.broke(connOf(player, act.name), now, act.fault))
    case 'Gone': {
      const client = player.clients.get(act.name)
      if (client !== undefined) {
        client.isOpen = false
        client.reader = null
      }
      return feed(player, I.closed(connOf(player, act.name), now, act.why))
    }
    case 'Reopen':
      return reopen(player, act.name)
    case 'Written': {
      const conn = connOf(player, act.name)
      const total = act.total ?? sessionOf(player.state, conn)?.sentBytes ?? 0
      return feed(player, I.written(conn, now, total))
    }
    case 'Judged': {
      const conn = connOf(player, act.name)
      return feed(player, I.judged(conn, now, act.reason))
    }
    case 'Answered': {
      const conn = connOf(player, act.name)
      const nonce = act.nonce ?? nonceOf(1_000_000 + conn.generation)
      return feed(player, I.answered(conn, now, nonce, act.answer))
    }
    case 'Tick':
      return tick(player, act.ms)
    case 'At':
      player.now = act.at
      return
    case 'Ticked':
      return feed(player, I.ticked(now, act.wall ?? wallOf(player)))
    case 'Measured':
      return feed(player, I.measured(now, act))
    case 'Memory':
      return feed(player, act.isShort ? I.memoryShort(now) : I.memoryFree(now))
    case 'Store':
      return feed(player, act.isFull ? I.storeFull(now) : I.storeFree(now))
    case 'Reconfigure':
      return feed(player, I.reconfigured(now, act.config))
    case 'Stop':
      return feed(player, I.commanded(now, { _tag: 'Stop' }))
    case 'Redirect':
      return feed(player, I.commanded(now, { _tag: 'Redirect' }))
    case 'Kick':
      return feed(player, I.commanded(now, { _tag: 'Kick', clientId: act.clientId }))
    case 'Publish':
      return feed(player, I.commanded(now, { _tag: 'Publish', packet: act.packet }))
    case 'Revoke':
      return feed(player, I.commanded(now, { _tag: 'Revoke', revocation: act.revocation }))
    case 'Shut':
      return feed(player, I.commanded(now, { _tag: 'Shut', listener: act.listener }))
    case 'Quiet':
      return
    case 'Deadline':
      player.texts.push(showDeadline(deadline(player.state), now))
      return
    case 'State':
      player.texts.push(stateText(player.state, act.clientId))
      return
    default:
      return absurd(act)
  }
}
