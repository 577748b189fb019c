// What a connection ended for is said in the numbers of its own standard.

import type { Effect } from '../../core/broker/effect.ts'
import type { State } from '../../core/broker/state.ts'
import * as IntMap from '../../core/data/int-map.ts'
import { readTable } from '../clauses/ledger.ts'

const five = new Set(readTable('mqtt5').map(({ id }) => id))
const elder = new Set(readTable('mqtt311').map(({ id }) => id))

/** Every fault that the effects tell of cites a statement that there is at the client's level. */
export const checkCited = (before: State, effects: ReadonlyArray<Effect>): void => {
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'ConnectionEnded') continue
    const { conn, fault } = effect.note
    if (fault === null) continue
    const phase = IntMap.get(before.links, conn.slot)?.phase
    const level = phase === undefined || phase.phase === 'Greeting'
      ? fault.level
      : phase.phase === 'Ready'
      ? phase.level
      : phase.connect.level
    const known = level === 0 ? new Set([...five, ...elder]) : level === 5 ? five : elder
    if (known.has(fault.clause)) continue
    throw new Error(`a fault at level ${level} cites ${fault.clause}: ${fault.detail}`)
  }
}
