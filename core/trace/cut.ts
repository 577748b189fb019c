// A part of a recording as inputs that stand by themselves: what one client, or some topics, have
// to do with, from one moment to another. What a client acknowledges is what it was sent: the
// broker may give out other packet identifiers when less happens, and acknowledgements follow.

import { deadline } from '../broker/clock.ts'
import type { Config } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import { arrived, closed, ticked } from '../broker/input.ts'
import type { Origin, State } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import { Aliases, Translation } from './cut-acks.ts'
import { beatsOf } from './cut-beats.ts'
import { Relevance } from './cut-relevance.ts'
import type { CutWish } from './cut-relevance.ts'
import { outOfTurn } from './rebuild-missing.ts'
import { rebuild } from './rebuild.ts'
import { Names } from './names.ts'
import type { Batch } from './replay.ts'

export interface Cut {
  readonly config: Config
  readonly origin: Origin
  readonly inputs: ReadonlyArray<Input>
  /** How many of them bring about what there was at the beginning. */
  readonly first: number
  /** What is not as it was at the beginning, in sentences. */
  readonly untold: ReadonlyArray<string>
}

/** Whether a client has published at QoS 2 with this packet identifier, and not released it. */
const isHeld = (state: State, clientId: string, packetId: number): boolean => {
  const number = StrMap.get(state.clients, clientId)
  const session = number === undefined ? undefined : IntMap.get(state.sessions, number)
  return session !== undefined && Window.get(session.incoming, packetId) !== undefined
}

const isOpen = ({ links }: State, { slot, generation }: Conn): boolean =>
  IntMap.get(links, slot)?.conn.generation === generation

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
  const { state, inputs: first, untold, lateAt } = rebuild(from, {
    client: (clientId) =>
      whole || client === null || clientId === client || relevance.isMember(clientId),
    speaker: ({ generation }) => relevance.has(generation),
    leaver: ({ will }) => will !== null && relevance.topics.has(will.message.topic),
    topic: (topic) => whole || relevance.topics.has(topic),
    message: (topic) => relevance.isOn(topic),
    share: (filter) => whole || relevance.isForShare(filter),
  })
  const inputs = [...first]
  const translation = new Translation(names)
  translation.begin(from, state)
  const aliases = new Aliases()
  aliases.begin(from)
  const beats = beatsOf(from, batches, relevance)
  const moved = new Map<number, Conn>()
  let here = state
  const late = [...lateAt]
  let clock = { at: origin.at, wall: origin.wall }
  const feed = (wanted: Input): void => {
    // No tick of the day is for what comes due here after it.
    while (late.length > 0 && late[0]! <= wanted.at) {
      const at = late.shift()!
      if (deadline(here) <= at) take(ticked(at, clock.wall + at - clock.at))
    }
    take(wanted)
  }
  const take = (wanted: Input): void => {
    const input = inPlace(wanted, here, moved)
    if (input._tag === 'Ticked') clock = input
    const [after, effects] = step(here, input)
    here = after
    inputs.push(input)
    translation.ofHere(effects)
  }
  const isStill = (state: State, conn: Conn): boolean =>
    isOpen(state, moved.get(conn.generation) ?? conn)
  /** What has ended its connection on the day, for what is left out, and would not end it here. */
  const isHarmless = (wanted: Input, gone: ReadonlyArray<Conn>): boolean =>
    'conn' in wanted && gone.some(({ generation }) => generation === wanted.conn.generation) &&
    isStill(step(here, inPlace(wanted, here, moved))[0], wanted.conn)
  for (const batch of batches) {
    let day = batch.before
    for (const input of batch.inputs) {
      // Run by run identifiers of one run would all be known too early.
      const [after, effects] = step(day, input)
      const held = (id: string, packetId: number): Held =>
        isHeld(here, id, packetId) ? 'here' : isHeld(day, id, packetId) ? 'on the day' : 'nowhere'
      const told = lastWord(input, effects, relevance) ??
        partOf(input, relevance, aliases, translation, held) ?? beats.get(input) ?? null
      day = after
      translation.ofDay(effects)
      const gone = effects.flatMap((one) =>
        one._tag === 'Close' && relevance.has(one.conn.generation) ? [one.conn] : []
      )
      if (told !== null && !isHarmless(told, gone)) feed(told)
      for (const conn of gone) {
        if (isStill(here, conn)) feed(closed(conn, input.at, 'failed'))
      }
    }
  }
  const isSaid = untold.includes(outOfTurn) || !relevance.isOutOfTurn
  return {
    config: from.config,
    origin,
    inputs,
    first: first.length,
    untold: isSaid ? untold : [...untold, outOfTurn],
  }
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

/** What has ended its connection is told as it was, whatever it speaks of. */
const lastWord = (
  input: Input,
  effects: ReadonlyArray<Effect>,
  relevance: Relevance,
): Input | null => {
  if (input._tag !== 'Arrived' || !relevance.has(input.conn.generation)) return null
  const { generation } = input.conn
  return effects.some((one) => one._tag === 'Close' && one.conn.generation === generation)
    ? input
    : null
}

/** Where a QoS 2 message waits for its PUBREL. */
type Held = 'here' | 'on the day' | 'nowhere'

const partOf = (
  input: Input,
  relevance: Relevance,
  aliases: Aliases,
  translation: Translation,
  held: (clientId: string, packetId: number) => Held,
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
  if (packet._tag === 'Pubrel' && !relevance.isAll) {
    const where = held(relevance.clientOf(generation), packet.packetId)
    // Of what was left out; what was held nowhere is a client's own mistake.
    if (where === 'on the day' || (where === 'nowhere' && !relevance.isWhole(generation))) {
      return null
    }
  }
  const told = packet._tag === 'Publish'
    ? aliases.spelt(generation, packet)
    : packet._tag === 'Connect'
    ? relevance.withoutWill(generation, packet)
    : translation.translate(generation, packet)
  if (told === null || told === packet) return told === null ? null : input
  return arrived(input.conn, input.at, told)
}
