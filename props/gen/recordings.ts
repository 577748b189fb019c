// Recordings of brokers that are told something, and what a replay finds in them.

import type { Input } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import { run } from '../../core/broker/step.ts'
import { Replay } from '../../core/trace/replay.ts'
import type { Found } from '../../core/trace/replay.ts'
import { Transcript } from '../../core/trace/transcript.ts'
import type { Veil } from '../../core/trace/veil.ts'

export const veilOf = (payload: Veil['payload']): Veil => ({
  payload,
  key: [0x1234_5678, 0x0bad_cafe],
})

/** What has been written so far. */
export const textOf = (transcript: Transcript): string =>
  new TextDecoder().decode(transcript.lines())

/** The inputs from a state on, in runs of this size, as a recording; and the state at its end. */
export const recorded = (
  state: State,
  inputs: ReadonlyArray<Input>,
  size = 1,
  payload: Veil['payload'] = 'full',
  /** In how many runs of those the snapshot is written. */
  snapshotRuns = 0,
  pageBytes = 64 * 1024,
): { readonly text: string; readonly last: State } => {
  const transcript = new Transcript(veilOf(payload), pageBytes)
  const { notes } = transcript
  notes.begin(state, '1.2.3', transcript.page)
  if (snapshotRuns === 0) { while (notes.isBehind) notes.more() }
  for (let from = 0; from < inputs.length; from += size) {
    const some = inputs.slice(from, from + size)
    for (const input of some) notes.input(input)
    const [next, effects] = run(state, some)
    if (from / size < snapshotRuns) notes.more()
    notes.mark(some.length, effects)
    state = next
  }
  notes.finish('asked to')
  return { text: textOf(transcript), last: state }
}

/** The lines of a recording, without their ends. */
export const linesIn = (text: string): ReadonlyArray<string> => text.split('\n').slice(0, -1)

export const replayed = (text: string): ReadonlyArray<Found> => {
  const replay = new Replay()
  const found: Array<Found> = []
  for (const line of linesIn(text)) {
    const one = replay.line(line)
    if (one !== null) found.push(one)
  }
  return [...found, ...replay.finish()]
}
