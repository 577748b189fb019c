// A history that is watched input by input until a failure is to be seen.

import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import type { Publish } from '../codec/packet.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import { sessionOf } from './facts.ts'
import type { Run } from './replay.ts'

/** A history: a state, and what happens to it. */
export interface Trial {
  readonly from: State
  readonly inputs: ReadonlyArray<Input>
}

/** How many of the inputs it takes to see the failure; null where it is not to be seen. */
export type Failing = (trial: Trial, run: Run) => number | null

/** What an input came to; true as soon as the failure is to be seen. */
type Watcher = (
  before: State,
  input: Input,
  after: State,
  effects: ReadonlyArray<Effect>,
) => boolean

/** A failure that is seen by watching. A broker that throws ends the history without one. */
export const watching = (watch: () => Watcher): Failing => ({ from, inputs }, run) => {
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
    if (watcher(state, inputs[i]!, after, effects)) return i + 1
    state = after
  }
  return null
}

export const isOn = (filter: TopicFilter, topic: string): boolean =>
  isTopicName(topic) && match(filter, topic)

/** The messages on these topics that a client is sent. */
export const sentTo = (
  client: string,
  [before, after]: readonly [State, State],
  effects: ReadonlyArray<Effect>,
): ReadonlyArray<Publish> => {
  const found: Array<Publish> = []
  const isOurs = (conn: Conn): boolean =>
    [before, after].some((state) => sessionOf(state, conn)?.clientId === client)
  for (const effect of effects) {
    if (effect._tag === 'Send' && effect.packet._tag === 'Publish') {
      if (isOurs(effect.conn)) found.push(effect.packet)
    } else if (effect._tag === 'Multicast' && effect.packet._tag === 'Publish') {
      if (effect.conns.some(isOurs)) found.push(effect.packet)
    }
  }
  return found
}
