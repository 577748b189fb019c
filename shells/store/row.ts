// Packed rows to the values of columns and back, on the side of SQLite: what tables.ts says, with
// no knowledge of what the columns mean. A row that is read is packed again and its checksum taken,
// so whatever differs from what was written shows.

import { decodeUtf8 } from '../../core/codec/utf8.ts'
import { of } from '../../core/data/bytes.ts'
import { quoted } from '../common/store.ts'
import { crc32c } from './checksum.ts'
import type { Connection, Row, Statement, Value } from './library.ts'
import { columnCount, rowVersion, sourcedVersion } from './table.ts'
import type { Table } from './table.ts'
import type { Packer, Reader } from './wire.ts'
import {
  readMaybe,
  readWhole,
  writeByte,
  writeBytes,
  writeMaybe,
  writeText,
  writeWhole,
} from './wire.ts'

/** The statements of one table. */
export interface Statements {
  readonly table: Table
  /** The place of the table among all. */
  readonly number: number
  readonly insert: Statement
  readonly replace: Statement
  /** The checksum of the row with a key. */
  readonly find: Statement
  /** Answers the checksum of the row that went. */
  readonly remove: Statement
  /** The checksums of all rows of a client, and their end; of tables whose key begins with one. */
  readonly findAll: Statement | null
  readonly removeAll: Statement | null
}

export const prepare = (connection: Connection, table: Table, number: number): Statements => {
  const { name, columns, keyCount } = table
  const names = [...columns.map(({ name }) => name), 'row_version', 'checksum']
  const values = `(${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  const key = columns.slice(0, keyCount).map(({ name }) => `${name} = ?`).join(' AND ')
  const isOfClient = columns[0]!.name === 'client_id'
  return {
    table,
    number,
    insert: connection.prepare(`INSERT INTO ${name} ${values}`),
    replace: connection.prepare(`REPLACE INTO ${name} ${values}`),
    find: connection.prepare(`SELECT checksum FROM ${name} WHERE ${key}`),
    remove: connection.prepare(`DELETE FROM ${name} WHERE ${key} RETURNING checksum`),
    findAll: isOfClient
      ? connection.prepare(`SELECT checksum FROM ${name} WHERE client_id = ?`)
      : null,
    removeAll: isOfClient ? connection.prepare(`DELETE FROM ${name} WHERE client_id = ?`) : null,
  }
}

/** Reads the values of the first `count` columns; the head of the row has been read. */
export const readValues = (source: Reader, table: Table, count: number): Array<Value> => {
  const values: Array<Value> = []
  for (let i = 0; i < count; i++) {
    const { type } = table.columns[i]!
    if (type === 'whole') values.push(readWhole(source))
    else if (type === 'maybe') values.push(readMaybe(source))
    else {
      const size = readWhole(source)
      const start = source.at
      const end = start + size
      source.at = end
      if (type === 'bytes') values.push(source.buffer.subarray(start, end))
      // The broker packed it from a string.
      else values.push(decodeUtf8(source.buffer, start, end)!)
    }
  }
  return values
}

/** Names under which a row is selected: all numbers are one text, since fewer columns cost less. */
const alias = (i: number): string => `c${i}`

const isNumber = (type: string): boolean => type === 'whole' || type === 'maybe'

/** Selects whole rows in the order of their keys. */
export const selection = ({ name, columns, keyCount }: Table): string => {
  const numbers = columns.filter(({ type }) => isNumber(type)).map(({ name }) => name)
  const selected = [
    `${
      [...numbers, 'row_version', 'checksum'].map((name) => `coalesce(${name}, '-')`).join(
        " || ' ' || ",
      )
    } AS n`,
  ]
  columns.forEach(({ name, type }, i) => {
    // A missing value costs less than an empty one.
    const empty = type === 'bytes' ? "x''" : "''"
    if (!isNumber(type)) selected.push(`nullif(${name}, ${empty}) AS ${alias(i)}`)
  })
  const order = columns.slice(0, keyCount).map(({ name }) => name).join(', ')
  return `SELECT ${selected.join(', ')} FROM ${name} ORDER BY ${order}`
}

/** Reads a whole row of this form; columns that it does not have are empty. */
export const readRow = (source: Reader, table: Table, version: number): Array<Value> => {
  const values = readValues(source, table, columnCount(table, version))
  while (values.length < table.columns.length) values.push('')
  return values
}

/** What reading a row came to; reused from row to row. */
export interface Found {
  /** What is wrong with the row, or null. */
  fault: string | null
  checksum: number
  /** The values of the columns with numbers, in order, NaN for NULL and what is no number. */
  readonly numbers: Array<number>
}

export const found = (): Found => ({ fault: null, checksum: 0, numbers: [] })

/** Appends the packed row to the target and checks it; a row at fault leaves nothing there. */
export const packRow = (
  target: Packer,
  { table, number }: Pick<Statements, 'table' | 'number'>,
  row: Row,
  result: Found,
): void => {
  const start = target.at
  const { columns } = table
  const { numbers } = result
  result.fault = null
  const text = row['n']
  const areSound = parseNumbers(typeof text === 'string' ? text : '', numbers)
  if (!areSound || numbers.length < 2) return spoil(target, start, result, 'holds no numbers')
  const checksum = numbers.pop()!
  const version = numbers.pop()!
  result.checksum = checksum
  if (version !== rowVersion && version !== sourcedVersion) {
    return spoil(target, start, result, `has row version ${version}`)
  }
  writeByte(target, number)
  writeByte(target, version)
  let next = 0
  for (let i = 0; i < columns.length; i++) {
    const { type } = columns[i]!
    if (isNumber(type)) {
      const value = numbers[next++]!
      if (type === 'maybe') writeMaybe(target, Number.isNaN(value) ? null : value)
      else if (Number.isNaN(value)) return spoil(target, start, result, 'lacks a number')
      else writeWhole(target, value)
      continue
    }
    const value = row[alias(i)]
    if (columns[i]!.since > version) {
      if (value === null) continue
      return spoil(target, start, result, `holds what row version ${version} has not`)
    }
    if (value === null) writeByte(target, 0)
    else if (type === 'bytes' && value instanceof Uint8Array) writeBytes(target, of(value))
    else if (type !== 'bytes' && typeof value === 'string') writeText(target, value)
    else return spoil(target, start, result, 'holds values of a wrong type')
  }
  if (crc32c(target.buffer, start, target.at) !== checksum) {
    return spoil(target, start, result, 'does not have its checksum')
  }
}

const spoil = (target: Packer, start: number, result: Found, fault: string): void => {
  target.at = start
  result.fault = fault
}

/** Numbers with spaces between them, `-` for NaN; false where there is anything else. */
const parseNumbers = (text: string, numbers: Array<number>): boolean => {
  numbers.length = 0
  let value = 0
  let digits = 0
  for (let i = 0; i <= text.length; i++) {
    const unit = i < text.length ? text.charCodeAt(i) : 32
    if (unit === 32) {
      if (digits === 0 || value >= Number.MAX_SAFE_INTEGER) return false
      numbers.push(value)
      value = 0
      digits = 0
    } else if (unit === 45 && digits === 0 && (i + 1 === text.length || text[i + 1] === ' ')) {
      value = NaN
      digits = 1
    } else if (unit >= 48 && unit <= 57) {
      value = value * 10 + (unit - 48)
      digits += 1
    } else return false
  }
  return true
}

/** A longer key is cut. */
const keyCharactersMax = 200

/** The key of a row as text for people. */
export const keyOfRow = ({ columns, keyCount }: Table, row: Row, numbers: Found): string => {
  let next = 0
  return columns.slice(0, keyCount).map(({ type }, i) =>
    isNumber(type)
      ? `${numbers.numbers[next++] ?? '?'}`
      : quoted(String(row[alias(i)] ?? '').slice(0, keyCharactersMax))
  ).join(' ')
}

/** The values of a row's key, for a statement; null where they cannot be told. */
export const keyValues = (
  { columns, keyCount }: Table,
  row: Row,
  numbers: Found,
): ReadonlyArray<Value> => {
  let next = 0
  return columns.slice(0, keyCount).map(({ type }, i) =>
    isNumber(type) ? numbers.numbers[next++] ?? null : row[alias(i)] ?? ''
  )
}
