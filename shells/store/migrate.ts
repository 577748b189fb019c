// Stores of older programs become stores of this one: step by step, each step in one transaction
// with the rest, after a copy of the file.

import type { Connection } from './library.ts'

/** Brings a store from one schema to the next, tables and rows with their checksums. */
export type Migration = (connection: Connection) => void

/** By the schema that a migration starts from. */
export type Migrations = ReadonlyMap<number, Migration>

// What a schema was is written out here once more, since the tables of the program move on.

/**
 * Sessions, messages and wills get the column that says whose they are. Their rows keep the form
 * that knows nothing of it, and with it their checksums: what was damaged still is.
 */
const addSources: Migration = (connection) => {
  const ends = ['row_version INTEGER NOT NULL', 'checksum INTEGER NOT NULL']
  const made: ReadonlyArray<readonly [table: string, columns: string, key: string]> = [
    [
      'clients',
      'client_id TEXT NOT NULL, session_expiry_interval INTEGER NOT NULL, ' +
      'offline_at INTEGER, protocol_level INTEGER NOT NULL',
      'client_id',
    ],
    [
      'base_msgs',
      'store_id INTEGER PRIMARY KEY, expiry_time INTEGER, topic TEXT NOT NULL, ' +
      'payload BLOB NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL, ' +
      'properties BLOB NOT NULL',
      '',
    ],
    [
      'wills',
      'client_id TEXT NOT NULL, payload BLOB NOT NULL, topic TEXT NOT NULL, ' +
      'qos INTEGER NOT NULL, retain INTEGER NOT NULL, properties BLOB NOT NULL, ' +
      'will_delay_ms INTEGER NOT NULL, due_at INTEGER',
      'client_id',
    ],
  ]
  for (const [table, columns, key] of made) {
    const lines = [...columns.split(', '), 'source TEXT NOT NULL', ...ends]
    if (key !== '') lines.push(`PRIMARY KEY (${key})`)
    const names = columns.split(', ').map((column) => column.split(' ')[0]).join(', ')
    connection.exec(
      `ALTER TABLE ${table} RENAME TO old_${table};\n` +
        `CREATE TABLE ${table} (\n  ${lines.join(',\n  ')}\n) STRICT` +
        `${key === '' ? '' : ', WITHOUT ROWID'};\n` +
        `INSERT INTO ${table} SELECT ${names}, '', row_version, checksum FROM old_${table};\n` +
        `DROP TABLE old_${table}`,
    )
  }
}

export const migrations: Migrations = new Map([[1, addSources]])

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
