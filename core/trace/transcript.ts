// Notes and a scribe in one: a recording in memory.

import type { Effect } from '../broker/effect.ts'
import type { Input } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { Notes } from './notes.ts'
import { Scribe } from './scribe.ts'
import type { Veil } from './veil.ts'

const pageBytes = 64 * 1024

export class Transcript {
  readonly notes: Notes
  readonly page: Uint8Array
  private readonly scribe: Scribe

  constructor(veil: Veil, bytes = pageBytes) {
    const page = new Uint8Array(bytes)
    this.page = page
    this.scribe = new Scribe(veil)
    this.notes = new Notes(veil, (end) => {
      this.scribe.take(page, end)
      return page
    })
  }

  /** The lines so far, until the next call. */
  lines(): Uint8Array {
    this.notes.turn()
    const { buffer, end } = this.scribe.sheet
    return buffer.subarray(0, end)
  }
}

/** The lines of a recording that begins with this state, each input a run of its own. */
export const recordingOf = (
  from: State,
  inputs: ReadonlyArray<Input>,
  version: string,
  run: (
    state: State,
    inputs: ReadonlyArray<Input>,
  ) => readonly [State, ReadonlyArray<Effect>],
): Uint8Array => {
  const transcript = new Transcript({ payload: 'full', key: [0, 0] })
  const { notes } = transcript
  notes.begin(from, version, transcript.page)
  while (notes.isBehind) notes.more()
  let state = from
  for (const input of inputs) {
    notes.input(input)
    let effects: ReadonlyArray<Effect>
    try {
      ;[state, effects] = run(state, [input])
    } catch {
      // What the broker throws at stands at the end, as in a recording of the day.
      return transcript.lines().slice()
    }
    notes.mark(1, effects)
  }
  notes.finish('that is all of it')
  return transcript.lines().slice()
}
