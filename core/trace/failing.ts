// What may be wrong with a recording, by name: properties that say whether, and behind which input,
// a history shows the failure that somebody is after.

import type { Config } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import { reconfigured } from '../broker/input.ts'
import type { Origin, State } from '../broker/state.ts'
import { initial } from '../broker/state.ts'
import type { Publish } from '../codec/packet.ts'
import * as B from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { isTopicFilter, splitShare } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import { disagreement } from './agree.ts'
import { differenceOf, seenByClients, underReloads } from './replay.ts'
import type { Run } from './replay.ts'
import { explicitName } from './show.ts'

/** A history: a state, and what happens to it. */
export interface Trial {
  readonly from: State
  readonly inputs: ReadonlyArray<Input>
}

/** How many of the inputs it takes to see the failure; null where it is not to be seen. */
export type Failing = (trial: Trial, run: Run) => number | null

interface Watcher {
  /** What an input came to; true as soon as the failure is to be seen. */
  after(before: State, input: Input, after: State, effects: ReadonlyArray<Effect>): boolean
  /** Whether it is to be seen at the end. */
  end(last: State): boolean
}

/** A failure that is seen by watching. A broker that throws ends the history without one. */
const watching = (watch: () => Watcher): Failing => ({ from, inputs }, run) => {
  const watcher = watch()
  let state = from
  for (let i = 0; i < inputs.length; i++) {
    let after: State
    let effects: ReadonlyArray<Effect>
    try {
      ;[after, effects] = run(state, [inputs[i]!])
    } catch {
      return null
    }
    if (watcher.after(state, inputs[i]!, after, effects)) return i + 1
    state = after
  }
  return watcher.end(state) ? inputs.length : null
}

const throws: Failing = ({ from, inputs }, run) => {
  let state = from
  for (let i = 0; i < inputs.length; i++) {
    try {
      state = run(state, [inputs[i]!])[0]
    } catch {
      return i + 1
    }
  }
  return null
}

const invariants = watching(() => ({
  after: (_before, _input, after) => disagreement(after) !== null,
  end: () => false,
}))

const clientOf = (state: State, conn: Conn): string | null => {
  const link = IntMap.get(state.links, conn.slot)
  if (link === undefined || link.conn.generation !== conn.generation) return null
  return link.phase.phase === 'Ready'
    ? IntMap.get(state.sessions, link.phase.session)?.clientId ?? null
    : null
}

const isOn = (filter: TopicFilter, topic: string): boolean =>
  isTopicName(topic) && match(filter, topic)

/** The messages on these topics that a client is sent. */
const sentTo = (
  client: string,
  [before, after]: readonly [State, State],
  effects: ReadonlyArray<Effect>,
): ReadonlyArray<Publish> => {
  const found: Array<Publish> = []
  const isOurs = (conn: Conn): boolean =>
    clientOf(after, conn) === client || clientOf(before, conn) === client
  for (const effect of effects) {
    if (effect._tag === 'Send' && effect.packet._tag === 'Publish') {
      if (isOurs(effect.conn)) found.push(effect.packet)
    } else if (effect._tag === 'Multicast' && effect.packet._tag === 'Publish') {
      if (effect.conns.some(isOurs)) found.push(effect.packet)
    }
  }
  return found
}

const sends = (client: string, filter: TopicFilter): Failing =>
  watching(() => ({
    after: (before, _input, after, effects) =>
      sentTo(client, [before, after], effects).some(({ topic }) => isOn(filter, topic)),
    end: () => false,
  }))

const sessionOf = (state: State, client: string) => {
  const number = StrMap.get(state.clients, client)
  return number === undefined ? undefined : IntMap.get(state.sessions, number)
}

const subscribes = (state: State, client: string, topic: string): boolean => {
  const session = sessionOf(state, client)
  if (session === undefined || !isTopicName(topic)) return false
  for (const [, { filter }] of StrMap.entries(session.subscriptions)) {
    if (match(splitShare(filter)?.filter ?? filter, topic)) return true
  }
  return false
}

type Said = Pick<Publish, 'topic' | 'payload'>

const same = (one: Said, other: Said): boolean =>
  (one.topic === other.topic || other.topic === '') && B.equals(one.payload, other.payload)

const waits = (state: State, client: string, said: Said): boolean => {
  const session = sessionOf(state, client)
  if (session === undefined) return false
  for (const one of Queue.entries(session.queue)) if (same(said, one.message)) return true
  for (const [, one] of Window.entries(session.window)) {
    // What is passing was sent, if ever it is.
    if (one.stage === 'released' || one.stage === 'passing') continue
    if (same(said, one.message)) return true
  }
  return false
}

/** A message that the client had subscribed to, and that it is neither sent nor still owed. */
const notDelivered = (client: string, filter: TopicFilter): Failing =>
  watching(() => {
    let owed: Array<Publish> = []
    return {
      after: (before, input, after, effects) => {
        const packet = input._tag === 'Arrived'
          ? input.packet
          : input._tag === 'Commanded' && input.command._tag === 'Publish'
          ? input.command.packet
          : null
        if (packet?._tag === 'Publish' && isOn(filter, packet.topic)) {
          if (subscribes(before, client, packet.topic)) owed.push(packet)
        }
        if (owed.length > 0) {
          const sent = sentTo(client, [before, after], effects)
          owed = owed.filter((one) => !sent.some((other) => same(one, other)))
        }
        return false
      },
      end: (last) =>
        sessionOf(last, client) !== undefined &&
        owed.some((one) => !waits(last, client, one) && !isHeld(last, one)),
    }
  })

/** Whether a QoS 2 message is not released by its publisher yet. */
const isHeld = (state: State, said: Said): boolean => {
  for (const [, session] of IntMap.entries(state.sessions)) {
    for (const [, one] of Window.entries(session.incoming)) {
      if (one.message !== null && same(said, one.message)) return true
    }
  }
  return false
}

/** One of two brokers that are told the same. */
interface Side {
  readonly state: State
  readonly run: Run
}

/** Behind how many inputs clients see something else for the first time; null where never. */
const whereApart = (inputs: ReadonlyArray<Input>, one: Side, other: Side): number | null => {
  const states = [one.state, other.state]
  const runs = [one.run, other.run]
  try {
    for (let i = 0; i < inputs.length; i++) {
      const seen = runs.map((run, side) => {
        const [after, effects] = run(states[side]!, [inputs[i]!])
        states[side] = after
        return seenByClients(effects, explicitName)
      })
      if (differenceOf(seen[0]!, seen[1]!).length > 0) return i + 1
    }
  } catch {
    // Neither is at fault by being another one.
  }
  return null
}

/** Clients see something else under another configuration. */
const differsUnder = (config: Config): Failing => ({ from, inputs }, run) => {
  const other = from.nextOpening === 0
    ? initial(config, from.origin)
    : run(from, [reconfigured(from.now, config)])[0]
  const under: Run = (state, some) => run(state, underReloads(some, config))
  return whereApart(inputs, { state: from, run }, { state: other, run: under })
}

/** The broker of another version of this program. */
export interface Version {
  readonly initial: (config: Config, origin: Origin) => State
  readonly run: Run
}

/**
 * Clients see something else from another version. It has to begin anew: of a state that runs each
 * version has its own form.
 */
const differsFrom = (version: Version): Failing => ({ from, inputs }, run) => {
  if (from.nextOpening > 0 || from.nextSession > 0 || from.retained.size > 0) return null
  let other: State
  try {
    other = version.initial(from.config, from.origin)
  } catch {
    return null
  }
  return whereApart(inputs, { state: from, run }, { state: other, run: version.run })
}

/** What `sabethes shrink --list` prints: each name with a sentence. */
export const properties: ReadonlyArray<readonly [name: string, says: string]> = [
  ['throws', 'The broker is at fault: it throws.'],
  ['invariants', 'The parts of its state do not agree with each other.'],
  [
    'differs',
    'Clients see something else under --config FILE, or from the version at --against DIR.',
  ],
  ['sends:CLIENT:TOPIC', 'The client is sent a message on a topic that the filter matches.'],
  [
    'not-delivered:CLIENT:TOPIC',
    'A message that the client had subscribed to is neither sent to it nor kept for it.',
  ],
]

/**
 * The property of this name. `config` is that of --config, `version` that of --against. Left: what
 * makes no sense.
 */
export const propertyOf = (
  name: string,
  config: Config | null,
  version: Version | null = null,
): Either<string, Failing> => {
  switch (name) {
    case 'throws':
      return E.right(throws)
    case 'invariants':
      return E.right(invariants)
    case 'differs':
      if (version !== null) return E.right(differsFrom(version))
      return config === null
        ? E.left(
          'differs wants something to compare with: --config FILE, a configuration, or ' +
            '--against DIR, where another version is installed.',
        )
        : E.right(differsUnder(config))
    case 'diverges':
      // Of fewer inputs nobody knows what the version would have made that recorded them all.
      return E.left(
        'A recording only says that the version that recorded it came to something else with all ' +
          'of its inputs, not with fewer. Ask that version: --property differs --against DIR, ' +
          'where it is installed.',
      )
  }
  const found = /^(sends|not-delivered):(.+):([^:]+)$/s.exec(name)
  const [, what, client, topic] = found ?? []
  if (what === undefined || client === undefined || topic === undefined) {
    return E.left(`There is no property '${name}': sabethes shrink --list has them all.`)
  }
  if (!isTopicFilter(topic)) return E.left(`'${topic}' is no topic filter.`)
  return E.right(what === 'sends' ? sends(client, topic) : notDelivered(client, topic))
}
