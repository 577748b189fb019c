// All rows of a store, once, checked and packed: every row against its checksum, every table
// against the tally of the last batch, every reference against the messages that are there.

import { kinds } from '../common/store.ts'
import type { Damage } from '../common/store.ts'
import type { Connection, Row, Statement, Value } from './library.ts'
import { found, keyOfRow, keyValues, packRow, selection } from './row.ts'
import { tables } from './table.ts'
import type { Table } from './table.ts'
import { addRow, emptyTallies, parseTallies } from './tally.ts'
import { packer } from './wire.ts'

/** A portion is sent when it has so many bytes. */
const portionBytes = 256 << 10

export class Loading {
  /** Rows handed out. */
  count = 0
  /** The tally of the rows handed out. */
  readonly tallies = emptyTallies()
  /** The rows that are not. */
  readonly spoiled: Array<{ readonly number: number; readonly key: ReadonlyArray<Value> }> = []
  #seen = emptyTallies()
  #damages: Array<Damage> = []
  #connection: Connection
  #salvage: boolean
  #ids = new Ids()
  #clients = new Set<string>()
  /** The packaged library frees a statement that nobody holds, though it is being read. */
  #statements: Array<Statement> = []

  constructor(connection: Connection, salvage: boolean) {
    this.#connection = connection
    this.#salvage = salvage
  }

  /** Whoever has read a portion may lend its memory for another one. */
  *portions(): Generator<Uint8Array<ArrayBuffer>, void, ArrayBuffer | undefined> {
    const result = found()
    let target = packer(portionBytes + 4096)
    for (let number = 0; number < tables.length; number++) {
      const table = tables[number]!
      const tally = this.tallies[number]!
      const seen = this.#seen[number]!
      const reference = referenceOf(table)
      const subject = { table, number }
      const statement = this.#connection.prepare(selection(table))
      this.#statements.push(statement)
      for (const row of statement.iterate()) {
        const start = target.at
        packRow(target, subject, row, result)
        addRow(seen, result.checksum)
        if (result.fault === null) {
          result.fault = this.#contextFault(table, row, result.numbers, reference)
        }
        if (result.fault !== null) {
          target.at = start
          this.#damages.push({
            kind: table.kind,
            key: keyOfRow(table, row, result),
            what: result.fault,
          })
          this.spoiled.push({ number, key: keyValues(table, row, result) })
          continue
        }
        addRow(tally, result.checksum)
        this.count += 1
        if (target.at < portionBytes) continue
        const lent = yield target.buffer.subarray(0, target.at)
        target = lent === undefined
          ? packer(portionBytes + 4096)
          : { buffer: new Uint8Array(lent), at: 0 }
      }
    }
    if (target.at > 0) yield target.buffer.subarray(0, target.at)
  }

  /** What is wrong with a sound row because of rows that are not there. */
  #contextFault(
    { kind }: Table,
    row: Row,
    numbers: ReadonlyArray<number>,
    reference: number,
  ): string | null {
    if (kind === 'message') {
      this.#ids.add(numbers[0]!)
      return null
    }
    if (reference >= 0) {
      const id = numbers[reference]!
      if (id !== 0 && !this.#ids.has(id)) return `refers to message ${id}, which is missing`
    }
    if (!this.#salvage) return null
    if (kind === 'session') this.#clients.add(String(row['c0']))
    const belongs = kind === 'subscription' || kind === 'outgoing' || kind === 'incoming'
    return belongs && !this.#clients.has(String(row['c0'] ?? '')) ? 'has lost its session' : null
  }

  /** Everything that is wrong, given what the tally should be; null where that is lost, too. */
  damages(expected: string | null): ReadonlyArray<Damage> {
    const damages = [...this.#damages]
    if (expected === null) {
      damages.push({
        kind: 'meta',
        key: '',
        what: 'the row about all others does not have its checksum',
      })
      return damages
    }
    parseTallies(expected).forEach((tally, number) => {
      const kind = kinds[number]!
      const seen = this.#seen[number]!
      const missing = tally.rows - seen.rows
      const what = missing > 0
        ? `${missing} records of kind ${kind} are missing`
        : missing < 0
        ? `${-missing} records of kind ${kind} have come back`
        : tally.hash !== seen.hash && !damages.some((damage) => damage.kind === kind)
        ? `the records of kind ${kind} are not those that were stored last`
        : null
      if (what !== null) damages.push({ kind, key: '', what })
    })
    return damages
  }
}

/** The place of the reference to a message among the numbers of a row, or -1. */
const referenceOf = ({ kind, columns }: Table): number =>
  kind === 'message' ? -1 : columns
    .filter(({ type }) => type === 'whole' || type === 'maybe')
    .findIndex(({ name }) => name === 'store_id')

/**
 * Whole numbers that are added in ascending order, as the first and the last of each run: mostly
 * they are a few runs, and memory is not given back while the store is open.
 */
class Ids {
  #bounds = new Float64Array(64)
  /** Bounds in use, two for each run. */
  #count = 0
  /** Where the last one was found: lines of messages ascend as well. */
  #near = 0

  add(id: number): void {
    if (this.#count > 0 && this.#bounds[this.#count - 1]! + 1 === id) {
      this.#bounds[this.#count - 1] = id
      return
    }
    if (this.#count === this.#bounds.length) {
      const larger = new Float64Array(2 * this.#count)
      larger.set(this.#bounds)
      this.#bounds = larger
    }
    this.#bounds[this.#count++] = id
    this.#bounds[this.#count++] = id
  }

  has(id: number): boolean {
    const bounds = this.#bounds
    if (this.#isIn(this.#near, id)) return true
    let low = 0
    let high = this.#count / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if (bounds[2 * middle + 1]! < id) low = middle + 1
      else high = middle
    }
    this.#near = low
    return this.#isIn(low, id)
  }

  #isIn(run: number, id: number): boolean {
    const at = 2 * run
    return at < this.#count && this.#bounds[at]! <= id && id <= this.#bounds[at + 1]!
  }
}
