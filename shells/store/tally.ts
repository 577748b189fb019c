// How many rows each table has and the hash of all of them, in any order. It is written with every
// batch and compared at load: a row that vanished or came back is found, though each row that is
// there looks sound.

import { mix } from './checksum.ts'
import { tables } from './table.ts'

export interface Tally {
  rows: number
  /** Sum of the mixed checksums modulo 2^32. */
  hash: number
}

export const emptyTallies = (): ReadonlyArray<Tally> => tables.map(() => ({ rows: 0, hash: 0 }))

export const copyTallies = (tallies: ReadonlyArray<Tally>): ReadonlyArray<Tally> =>
  tallies.map(({ rows, hash }) => ({ rows, hash }))

export const addRow = (tally: Tally, checksum: number): void => {
  tally.rows += 1
  tally.hash = (tally.hash + mix(checksum)) >>> 0
}

export const removeRow = (tally: Tally, checksum: number): void => {
  tally.rows -= 1
  tally.hash = (tally.hash - mix(checksum)) >>> 0
}

/** `clients 3 1a2b3c4d, subscriptions 0 0, ...` */
export const tallyText = (tallies: ReadonlyArray<Tally>): string =>
  tallies.map(({ rows, hash }, i) => `${tables[i]!.name} ${rows} ${hash.toString(16)}`).join(', ')

/** Tables that are not named have no rows. */
export const parseTallies = (text: string): ReadonlyArray<Tally> => {
  const tallies = emptyTallies()
  for (const part of text.split(', ')) {
    const [name, rows, hash] = part.split(' ')
    const tally = tallies[tables.findIndex((table) => table.name === name)]
    if (tally === undefined) continue
    tally.rows = Number(rows)
    tally.hash = parseInt(hash ?? '', 16)
  }
  return tallies
}
