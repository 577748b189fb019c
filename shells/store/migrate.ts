// Stores of older programs become stores of this one: step by step, each step in one transaction
// with the rest, after a copy of the file. So far there is no older schema than the first.

import type { Connection } from './library.ts'

/** Brings a store from one schema to the next, tables and rows with their checksums. */
export type Migration = (connection: Connection) => void

/** By the schema that a migration starts from. */
export type Migrations = ReadonlyMap<number, Migration>

export const migrations: Migrations = new Map()

/** The steps from a schema to a later one, or null where one is missing. */
export const stepsBetween = (
  steps: Migrations,
  from: number,
  to: number,
): ReadonlyArray<Migration> | null => {
  const found: Array<Migration> = []
  for (let schema = from; schema < to; schema++) {
    const step = steps.get(schema)
    if (step === undefined) return null
    found.push(step)
  }
  return found
}
