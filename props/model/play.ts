// Playing histories to the real broker: as a recording of inputs, and step by step with onlookers.

import type { Effect } from '../../core/broker/effect.ts'
import type { Input } from '../../core/broker/input.ts'
import { deadline, initial, NEVER, type State, step } from '../../core/mod.ts'
import type { Command, History } from '../gen/histories.ts'
import type { World } from './world.ts'
import { createWorld, originAt, originWall, perform } from './world.ts'

export const begin = ({ config }: History): State =>
  initial(config, { at: originAt, wall: originWall, seed: 7 })

export interface Onlooker {
  /** In place of `step`. */
  readonly step?: (state: State, input: Input) => readonly [State, ReadonlyArray<Effect>]
  readonly afterInput?: (
    before: State,
    input: Input,
    after: State,
    effects: ReadonlyArray<Effect>,
  ) => void
  readonly afterCommand?: (state: State, world: World, command: Command) => void
  /** Whether nobody tells the broker the time while the command of this place goes on. */
  readonly isTimeless?: (place: number) => boolean
}

/** Plays a history through `step`; answers the last state. */
export const play = (history: History, onlooker: Onlooker = {}): State => {
  const world = createWorld(history.config)
  let state = begin(history)
  const take = onlooker.step ?? step
  for (const [place, command] of history.commands.entries()) {
    const isTimeless = onlooker.isTimeless?.(place) ?? false
    perform(world, command, {
      feed: (input) => {
        const before = state
        const [after, effects] = take(before, input)
        state = after
        onlooker.afterInput?.(before, input, after, effects)
        return effects
      },
      deadline: () => isTimeless ? NEVER : deadline(state),
    })
    onlooker.afterCommand?.(state, world, command)
  }
  return state
}

export interface Recording {
  readonly inputs: ReadonlyArray<Input>
  /** One more than inputs: the first is the initial one. */
  readonly states: ReadonlyArray<State>
  /** What each input led to. */
  readonly effects: ReadonlyArray<ReadonlyArray<Effect>>
}

/** Every input, state and effect of a history, by `step`. */
export const record = (history: History): Recording => {
  const inputs: Array<Input> = []
  const states: Array<State> = [begin(history)]
  const all: Array<ReadonlyArray<Effect>> = []
  play(history, {
    afterInput: (_before, input, after, effects) => {
      inputs.push(input)
      states.push(after)
      all.push(effects)
    },
  })
  return { inputs, states, effects: all }
}
