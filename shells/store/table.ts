// The tables of a store as data: which there are, which columns they have and in which order. The
// statements, the packed form of a row and its checksum follow from them. Names are those of
// mosquitto 2.1's sqlite persistence where it has one for the same thing.

import type { Kind } from '../../core/broker/record.ts'

/** `list` is whole numbers with commas between them, `maybe` a whole number or NULL. */
export type ColumnType = 'whole' | 'maybe' | 'text' | 'list' | 'bytes'

export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** The first form of a row that has it; in an older one it is empty, and not packed. */
  readonly since: number
}

export interface Table {
  readonly kind: Kind
  readonly name: string
  /** The first columns of `columns`. */
  readonly keyCount: number
  readonly columns: ReadonlyArray<Column>
}

/** The schema that this program writes. */
export const schemaVersion = 2

/**
 * The forms of a row, part of its checksum: the second one has a source. A row that has nothing to
 * put there keeps the first, so that what an older program wrote is as sound as it was.
 */
export const rowVersion = 1
export const sourcedVersion = 2

const table = (
  kind: Kind,
  name: string,
  keyCount: number,
  columns: string,
  later = '',
): Table => ({
  kind,
  name,
  keyCount,
  columns: [...columnsOf(columns, rowVersion), ...columnsOf(later, sourcedVersion)],
})

const columnsOf = (text: string, since: number): ReadonlyArray<Column> =>
  text === '' ? [] : text.trim().split(/,\s*/).map((column) => {
    const [name = '', type = ''] = column.split(' ')
    // The words below are written out here, none comes from outside.
    return { name, type: type as ColumnType, since }
  })

/** The columns that a row of this form has, where they are not all. */
export const columnCount = ({ columns }: Table, version: number): number => {
  let count = columns.length
  while (columns[count - 1]!.since > version) count -= 1
  return count
}

/** In the order in which they are loaded; the place of a table is its number in a packed row. */
export const tables: ReadonlyArray<Table> = [
  table(
    'session',
    'clients',
    1,
    'client_id text, session_expiry_interval whole, offline_at maybe, protocol_level whole',
    'source text',
  ),
  table(
    'subscription',
    'subscriptions',
    2,
    'client_id text, topic text, subscription_options whole, subscription_identifier list, ' +
      'joined whole, catch_up whole',
  ),
  table(
    'message',
    'base_msgs',
    1,
    'store_id whole, expiry_time maybe, topic text, payload bytes, qos whole, retain whole, ' +
      'properties bytes',
    'source text',
  ),
  table(
    'outgoing',
    'client_msgs',
    2,
    'client_id text, cmsg_id whole, store_id whole, mid whole, qos whole, retain whole, ' +
      'state whole, subscription_identifier list, shared text',
  ),
  table('incoming', 'client_msgs_in', 2, 'client_id text, mid whole, store_id whole'),
  table('retained', 'retains', 1, 'topic text, store_id whole'),
  table(
    'will',
    'wills',
    1,
    'client_id text, payload bytes, topic text, qos whole, retain whole, properties bytes, ' +
      'will_delay_ms whole, due_at maybe',
    'source text',
  ),
]

const declarations: { readonly [T in ColumnType]: string } = {
  whole: 'INTEGER NOT NULL',
  maybe: 'INTEGER',
  text: 'TEXT NOT NULL',
  list: 'TEXT NOT NULL',
  bytes: 'BLOB NOT NULL',
}

/**
 * The statement that makes the table. There are no indexes beside the keys, so nothing can
 * contradict a table but the table itself.
 */
export const creation = ({ name, keyCount, columns }: Table): string => {
  const isRowid = keyCount === 1 && columns[0]!.type === 'whole'
  const lines = columns.map(({ name, type }, i) =>
    isRowid && i === 0 ? `${name} INTEGER PRIMARY KEY` : `${name} ${declarations[type]}`
  )
  lines.push('row_version INTEGER NOT NULL', 'checksum INTEGER NOT NULL')
  if (!isRowid) {
    lines.push(`PRIMARY KEY (${columns.slice(0, keyCount).map(({ name }) => name).join(', ')})`)
  }
  return `CREATE TABLE ${name} (\n  ${lines.join(',\n  ')}\n) STRICT` +
    (isRowid ? '' : ', WITHOUT ROWID')
}

/** One row that says what everything else should be; the same in every schema there will be. */
export const metaCreation = 'CREATE TABLE meta (\n' +
  '  id INTEGER PRIMARY KEY,\n' +
  '  schema INTEGER NOT NULL,\n' +
  '  program TEXT NOT NULL,\n' +
  '  at INTEGER NOT NULL,\n' +
  '  wall INTEGER NOT NULL,\n' +
  '  tally TEXT NOT NULL,\n' +
  '  checksum INTEGER NOT NULL\n' +
  ') STRICT'
