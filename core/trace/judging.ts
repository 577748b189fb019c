// Under another configuration clients may be asked for passwords that nobody asked for on the day.
// A recording has none: whom its password files know is taken to have the right one. Or nobody may
// ask who was asked on the day, and let in whom the day has refused. Packets may be larger than it
// allows.

import { type Config, rulesOf } from '../broker/config.ts'
import { userNameOf } from '../broker/accept.ts'
import type { Effect, Question } from '../broker/effect.ts'
import type { Arrived, Conn, Input, Millis } from '../broker/input.ts'
import { arrived, broke, closed, commanded, judged, reconfigured } from '../broker/input.ts'
import { recheckAll } from '../broker/recheck.ts'
import { initial } from '../broker/state.ts'
import type { State } from '../broker/state.ts'
import { run } from '../broker/step.ts'
import { encodedSize } from '../codec/encode.ts'
import { lengthFault, tooLarge } from '../codec/frame.ts'
import { none } from '../codec/properties.ts'
import { NOT_AUTHORIZED } from '../codec/reason-code.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { Batch, Run } from './replay.ts'
import { listenerUnder, toldUnder } from './replay.ts'

/** Another configuration, and the users of its password files. */
export interface Under {
  /** Makes of the recorded configuration the other one. */
  readonly config: (recorded: Config) => Config
  /** Whether a user may be who he says: that is so everywhere where no password is asked for. */
  readonly knows: (listener: string, userName: string) => boolean
}

/** The broker under the other configuration, between two runs. */
export interface Other {
  readonly state: State
  /** By generation: each CONNECT that the day is asking about, and it will not. */
  readonly held: ReadonlyMap<number, Arrived>
}

/**
 * What the other broker comes to. `guessed`: somebody was let in for whose password there is no
 * other word than his own. `parted`: somebody whom the day had closed before had to go.
 */
export interface Came extends Other {
  readonly effects: ReadonlyArray<Effect>
  readonly guessed: boolean
  readonly parted: boolean
}

/** What stands between the clients of the day and the other broker. */
export interface Ear {
  /** An input as it hears it; null for one that it does not. */
  readonly hear: (input: Input) => Input | null
  /** What it has come to by then. */
  readonly sent: (effects: ReadonlyArray<Effect>) => void
}

const everything: Ear = { hear: (input) => input, sent: () => {} }

const ACCEPTED = 0x00

/** What a judge would say who takes every password that is there for the right one. */
const verdictOf = ({ listener, userName, password }: Question, { knows }: Under): number =>
  userName === null || (password !== null && knows(listener, userName)) ? ACCEPTED : NOT_AUTHORIZED

/** A verdict of the day, but for who is in the password files no more. */
const verdictUnder = (before: State, input: Input, { knows }: Under): Input => {
  if (input._tag !== 'Judged') return input
  const { conn, at, reason } = input
  const link = IntMap.get(before.links, conn.slot)
  if (link?.conn.generation !== conn.generation || link.phase.phase !== 'Judging') return input
  const userName = userNameOf(link.phase.connect)
  return reason !== ACCEPTED || userName === null || knows(link.listener, userName)
    ? input
    : judged(conn, at, NOT_AUTHORIZED)
}

/** A packet of the day, or the end of its connection where it is larger than CONNACK allowed. */
const sizedUnder = ({ links, config }: State, input: Input): Input => {
  if (input._tag !== 'Arrived') return input
  const { conn, at, packet } = input
  const link = IntMap.get(links, conn.slot)
  if (link?.conn.generation !== conn.generation) return input
  const { phase } = link
  if (phase.phase === 'Ready') {
    const { level, promised } = phase
    return encodedSize(level, packet) > promised.packetBytesMax
      ? broke(conn, at, lengthFault(level, tooLarge))
      : input
  }
  return packet._tag === 'Connect' &&
      encodedSize(packet.level, packet) > config.connectPacketBytesMax
    ? broke(conn, at, lengthFault(0, tooLarge))
    : input
}

/** Connections of the day as those of listeners that the other configuration has. */
const moved = (day: State, config: Config): State => {
  if (config.listeners.length === 0) return day
  let { links, arrivals } = day
  IntMap.each(day.links, (link, slot) => {
    const listener = listenerUnder(config, link.listener)
    if (listener === link.listener) return
    links = IntMap.set(links, null, slot, { ...link, owner: null, listener })
    const left = StrMap.get(arrivals, link.listener)! - 1
    arrivals = left === 0
      ? StrMap.remove(arrivals, null, link.listener)
      : StrMap.set(arrivals, null, link.listener, left)
    arrivals = StrMap.set(arrivals, null, listener, (StrMap.get(arrivals, listener) ?? 0) + 1)
  })
  return { ...day, links, arrivals }
}

/**
 * How the day begins under the other configuration. Who is connected by then and would not have
 * been let in goes, as at a reload; who was asked for no password is taken to have the right one.
 */
export const beginUnder = (
  day: State,
  isNew: boolean,
  under: Under,
  broker: Run = run,
): Came => {
  const config = under.config(day.config)
  const quiet = { effects: [], guessed: false, held: new Map(), parted: false }
  if (isNew) return { ...quiet, state: initial(config, day.origin) }
  const there = moved(day, config)
  const unknown = new Map<string, Set<string>>()
  let guessed = false
  IntMap.each(there.links, ({ listener, phase }, slot) => {
    if (phase.phase !== 'Ready' || phase.identity !== null) return
    const userName = IntMap.get(there.sessions, phase.session)!.source?.userName ?? null
    if (userName === null) return
    if (!under.knows(listener, userName)) {
      unknown.set(listener, (unknown.get(listener) ?? new Set()).add(userName))
      return
    }
    const before = rulesOf(day.config, IntMap.get(day.links, slot)!.listener)
    const isAsked = rulesOf(config, listener).authentication === 'judge'
    guessed ||= isAsked && before.authentication === 'none'
  })
  const [loaded, effects] = broker(there, [
    reconfigured(day.now, config),
    ...[...unknown].map(([listener, names]) =>
      commanded(day.now, {
        _tag: 'Revoke',
        revocation: { listener, userNames: [...names] },
      })
    ),
  ])
  // On the day there was nothing to look for, and so no time may be told for it.
  const [state, more] = recheckAll(loaded)
  return { ...quiet, state, effects: [...effects, ...more], guessed }
}

/** Whether the connection is one that has to prove who it is. */
const isAsked = ({ links, config }: State, conn: Conn): boolean => {
  const link = IntMap.get(links, conn.slot)
  return link?.conn.generation !== conn.generation ||
    rulesOf(config, link.listener).authentication === 'judge'
}

/**
 * Whoever is still in that place says goodbye, without a will. The day closed his connection, and
 * so there is no recording of what he would have done.
 */
const vacate = (state: State, slot: number, at: Millis, broker: Run): State => {
  const link = IntMap.get(state.links, slot)
  if (link === undefined) return state
  const { conn, phase } = link
  const goodbye = phase.phase === 'Ready'
    ? arrived(conn, at, { _tag: 'Disconnect', reason: ACCEPTED, properties: none })
    : closed(conn, at, 'closed')
  return broker(state, [goodbye])[0]
}

/**
 * A run of the day under the other configuration. Questions that were asked on the day as well were
 * answered then, the others are answered at once. Who is asked no more is let in when the day's
 * answer comes, so that clients see the same at the same time. Input by input, since what is sent
 * for one may be what the next one acknowledges.
 */
export const runUnder = (
  other: Other,
  day: Pick<Batch, 'inputs' | 'effects'>,
  under: Under,
  broker: Run = run,
  ear: Ear = everything,
): Came => {
  const asked = new Set<number>()
  for (const one of day.effects) if (one._tag === 'Judge') asked.add(one.conn.generation)
  const effects: Array<Effect> = []
  const held = new Map(other.held)
  let { state } = other
  let guessed = false
  let parted = false
  const feed = (input: Input): void => {
    const [next, more] = broker(state, [input])
    state = next
    effects.push(...more)
    ear.sent(more)
    for (const one of more) {
      if (one._tag !== 'Judge' || asked.has(one.conn.generation)) continue
      const reason = verdictOf(one.question, under)
      guessed ||= reason === ACCEPTED && one.question.userName !== null
      feed(judged(one.conn, input.at, reason))
    }
  }
  for (const told of toldUnder(day.inputs, other.state.config)) {
    const heard = ear.hear(told)
    if (heard === null) continue
    const input = sizedUnder(state, heard)
    if (input._tag === 'Opened') {
      const before = state
      state = vacate(state, input.conn.slot, input.at, broker)
      parted ||= state !== before
    } else if (input._tag === 'Judged' || input._tag === 'Closed') {
      const { conn: { generation }, at } = input
      const connect = held.get(generation)
      held.delete(generation)
      if (connect !== undefined) feed({ ...connect, at })
    } else if (input._tag === 'Arrived' && input.packet._tag === 'Connect') {
      const { conn } = input
      if (asked.has(conn.generation) && !isAsked(state, conn)) {
        held.set(conn.generation, input)
        continue
      }
    }
    feed(verdictUnder(state, input, under))
  }
  return { state, held, effects, guessed, parted }
}
