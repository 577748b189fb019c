// Whether the client that somebody asks about was ever there. Of one whose name is misspelt nothing
// is found, which looks as if nothing had happened to it.

import type { State } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import { nearNames } from './near.ts'
import type { Batch } from './replay.ts'
import { quote } from './words.ts'

// As many names as could be meant.
const namesMax = 10_000

export class Strangers {
  private readonly wanted: string | null
  private readonly names = new Set<string>()
  private isSeen = false

  /** Null: nobody is asked about. */
  constructor(wanted: string | null) {
    this.wanted = wanted
  }

  /** Who has a session at the beginning. */
  know(state: State): void {
    if (this.wanted !== null) IntMap.each(state.sessions, ({ clientId }) => this.see(clientId))
  }

  /** To be told of every run: who says a name in it, or is given one. */
  learn({ inputs, effects }: Pick<Batch, 'inputs' | 'effects'>): void {
    if (this.wanted === null || this.isSeen) return
    for (const input of inputs) {
      if (input._tag !== 'Arrived' || input.packet._tag !== 'Connect') continue
      if (input.packet.clientId !== '') this.see(input.packet.clientId)
    }
    for (const effect of effects) {
      if (effect._tag !== 'Note' || effect.note._tag !== 'ClientConnected') continue
      this.see(effect.note.clientId)
    }
  }

  /** A sentence, if it was not. */
  told(): string | null {
    if (this.wanted === null || this.isSeen) return null
    const near = nearNames(this.wanted, this.names).map((name) => quote(name, "'"))
    const meant = near.length === 0 ? '.' : `: did you mean ${near.join(' or ')}?`
    return `No client ${quote(this.wanted, "'")} was seen in what was played${meant}`
  }

  private see(name: string): void {
    if (name === this.wanted) this.isSeen = true
    if (this.names.size < namesMax) this.names.add(name)
  }
}

/** The same of what lies there as a whole. */
export const strangerIn = (
  wanted: string | null,
  from: State,
  batches: ReadonlyArray<Batch>,
): string | null => {
  const strangers = new Strangers(wanted)
  strangers.know(from)
  for (const batch of batches) strangers.learn(batch)
  return strangers.told()
}
