// Remembers what was computed for a topic name while a handle stays the same object: who changes
// what the computation reads makes a new handle, and with it nothing is remembered any more. The
// memory is not part of any state. Losing it costs time and changes no result, so it may forget at
// will.

/** Names remembered for one handle, and their weight in bytes. */
export const memoCountMax = 4_096
export const memoBytesMax = 4 * 1024 * 1024

/** Two generations: what is asked for moves to the young one, the old one is dropped whole. */
interface Table {
  young: Map<string, unknown>
  old: Map<string, unknown>
  /** Weight of the young generation. */
  bytes: number
}

const tables = new WeakMap<object, Table>()

// Most calls ask with the handle of the call before, which saves the look-up of its table. It keeps
// that one handle alive, and its table with it, until somebody asks with another.
let lastHandle: object | null = null
let lastTable: Table | null = null

// A burst is often on one topic, and then not even its name is looked up.
let lastName: string | null = null
let lastResult: unknown = null

// Where topics are many and hardly one comes twice while a handle lasts, remembering costs more
// than it saves: so often is looked at what was asked for, and then not remembered for so long.
const trialCount = 512
const pauseCount = 8_192
let asked = 0
let missed = 0
let pausing = 0

/** `memo`; for a while `compute` alone where less than an eighth of what was asked was known. */
export const memoIfUseful = <H extends object, N extends string, B>(
  handle: H,
  name: N,
  compute: (name: N, handle: H) => B,
  weigh: (result: B) => number,
): B => {
  if (pausing > 0) {
    pausing -= 1
    return compute(name, handle)
  }
  if (asked === trialCount) {
    if (missed > asked - asked / 8) pausing = pauseCount
    asked = 0
    missed = 0
  }
  asked += 1
  return memo(handle, name, compute, weigh)
}

/**
 * `compute(name, handle)`, or what it answered for the name and handle before. `compute` must
 * depend on the name and on what the handle stands for, and on nothing else: one handle serves one
 * computation.
 * `weigh` answers about how many bytes a result holds; the name is added to that.
 */
export const memo = <H extends object, N extends string, B>(
  handle: H,
  name: N,
  compute: (name: N, handle: H) => B,
  weigh: (result: B) => number,
): B => {
  if (handle === lastHandle && name === lastName) return lastResult as B
  const table = handle === lastHandle && lastTable !== null ? lastTable : tableOf(handle)
  const known = table.young.get(name)
  if (known !== undefined) {
    lastName = name
    lastResult = known
    // One handle serves one computation, so what lies in its table is a B.
    return known as B
  }
  const before = table.old.get(name)
  if (before === undefined) missed += 1
  const result = before === undefined ? compute(name, handle) : before as B
  remember(table, name, result, weigh(result) + 2 * name.length)
  return result
}

const tableOf = (handle: object): Table => {
  let table = tables.get(handle)
  if (table === undefined) {
    table = { young: new Map(), old: new Map(), bytes: 0 }
    tables.set(handle, table)
  }
  lastHandle = handle
  lastTable = table
  lastName = null
  return table
}

const remember = (table: Table, name: string, result: unknown, bytes: number): void => {
  // Each generation has half the room; what would fill one alone is not worth it.
  if (bytes > memoBytesMax / 2) return
  lastName = name
  lastResult = result
  if (table.young.size === memoCountMax / 2 || table.bytes + bytes > memoBytesMax / 2) {
    table.old = table.young
    table.young = new Map()
    table.bytes = 0
  }
  table.young.set(name, result)
  table.bytes += bytes
}
