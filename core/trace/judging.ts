// Under another configuration clients may be asked for passwords that nobody asked for on the day.
// A recording has none: whom its password files know is taken to have the right one.

import type { Config } from '../broker/config.ts'
import type { Effect, Question } from '../broker/effect.ts'
import type { Input } from '../broker/input.ts'
import { judged } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { run } from '../broker/step.ts'
import * as IntMap from '../data/int-map.ts'
import type { Batch, Run } from './replay.ts'
import { toldUnder } from './replay.ts'

/** Another configuration, and the users of its password files. */
export interface Under {
  /** Makes of the recorded configuration the other one. */
  readonly config: (recorded: Config) => Config
  /** Whether a user may be who he says: that is so everywhere where no password is asked for. */
  readonly knows: (listener: string, userName: string) => boolean
}

const ACCEPTED = 0x00
const NOT_AUTHORIZED = 0x87

/** What a judge would say who takes every password that is there for the right one. */
const verdictOf = ({ listener, userName, password }: Question, { knows }: Under): number =>
  userName === null || (password !== null && knows(listener, userName)) ? ACCEPTED : NOT_AUTHORIZED

/** A verdict of the day, but for who is in the password files no more. */
const verdictUnder = (before: State, input: Input, { knows }: Under): Input => {
  if (input._tag !== 'Judged') return input
  const { conn, at, reason } = input
  const link = IntMap.get(before.links, conn.slot)
  if (link?.conn.generation !== conn.generation || link.phase.phase !== 'Judging') return input
  const { userName } = link.phase.connect
  return reason !== ACCEPTED || userName === null || knows(link.listener, userName)
    ? input
    : judged(conn, at, NOT_AUTHORIZED)
}

/**
 * A run of the day under the other configuration. Questions that were asked on the day as well were
 * answered then, the others are answered at once. `guessed`: somebody was let in for whose password
 * there is no other word than his own.
 */
export const runUnder = (
  other: State,
  day: Pick<Batch, 'inputs' | 'effects'>,
  under: Under,
  broker: Run = run,
): {
  readonly state: State
  readonly effects: ReadonlyArray<Effect>
  readonly guessed: boolean
} => {
  const asked = new Set<number>()
  for (const one of day.effects) if (one._tag === 'Judge') asked.add(one.conn.generation)
  const effects: Array<Effect> = []
  let guessed = false
  let state = other
  const feed = (input: Input): void => {
    const [next, more] = broker(state, [input])
    state = next
    effects.push(...more)
    for (const one of more) {
      if (one._tag !== 'Judge' || asked.has(one.conn.generation)) continue
      const reason = verdictOf(one.question, under)
      guessed ||= reason === ACCEPTED && one.question.userName !== null
      feed(judged(one.conn, input.at, reason))
    }
  }
  for (const input of toldUnder(day.inputs, other.config)) feed(verdictUnder(state, input, under))
  return { state, effects, guessed }
}
