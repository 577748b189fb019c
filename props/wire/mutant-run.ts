// Plays all rows in memory and prints the name of the first one that fails, or nothing. Bundled
// with a core that lacks a check, by mutants.ts.

import { playInMemory } from './memory.ts'
import { exchanges, prefixes } from './tables.ts'

const first = exchanges.find((row) => {
  if (row.differs !== null) return false
  const prefix = prefixes.get(row) ?? ''
  return playInMemory(row, prefix, false) !== null || playInMemory(row, prefix, true) !== null
})
console.log(first?.name ?? '')
