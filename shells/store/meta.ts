// The one row that says what everything else in the file should be: schema, program, clock, tally.
// Its form is the same in every schema, so that every program can tell whether it knows the rest.

import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { crc32c } from './checksum.ts'
import type { Connection, Row } from './library.ts'
import { packer, writeText, writeWhole } from './wire.ts'

export interface Meta {
  readonly schema: number
  /** Version of the program that wrote last. */
  readonly program: string
  /** The stamp of the last batch. */
  readonly at: number
  readonly wall: number
  readonly tally: string
}

const scratch = packer(1024)

const checksumOf = ({ schema, program, at, wall, tally }: Meta): number => {
  scratch.at = 0
  writeWhole(scratch, schema)
  writeText(scratch, program)
  writeWhole(scratch, at)
  writeWhole(scratch, wall)
  writeText(scratch, tally)
  return crc32c(scratch.buffer, 0, scratch.at)
}

/** Writes the row, whether there is one or not. */
export const metaWriter = (connection: Connection): (meta: Meta) => void => {
  const statement = connection.prepare(
    'REPLACE INTO meta (id, schema, program, at, wall, tally, checksum) ' +
      'VALUES (1, ?, ?, ?, ?, ?, ?)',
  )
  return (meta) => {
    const { schema, program, at, wall, tally } = meta
    statement.run(schema, program, at, wall, tally, checksumOf(meta))
  }
}

const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

const shapeOf = (row: Row): Meta | null => {
  const { schema, program, at, wall, tally } = row
  return isWhole(schema) && typeof program === 'string' && isWhole(at) && isWhole(wall) &&
      typeof tally === 'string'
    ? { schema, program, at, wall, tally }
    : null
}

/** The same as text, for a connection on which nothing may be prepared. */
export const metaInsertion = (meta: Meta): string => {
  const { schema, program, at, wall, tally } = meta
  const text = (some: string): string => `'${some.replaceAll("'", "''")}'`
  const values = [1, schema, text(program), at, wall, text(tally), checksumOf(meta)]
  return `INSERT INTO meta VALUES (${values.join(', ')})`
}

/** Left: what can be read of a row that does not have its checksum, or null. */
export const readMeta = (connection: Connection): Either<Meta | null, Meta> => {
  const rows = connection.prepare(
    // As text: a number that is too large for us is no reason to throw.
    'SELECT id, CAST(schema AS TEXT) AS schema, program, CAST(at AS TEXT) AS at, ' +
      'CAST(wall AS TEXT) AS wall, tally, CAST(checksum AS TEXT) AS checksum FROM meta',
  ).all()
  const [row] = rows
  if (row === undefined || rows.length > 1) return E.left(null)
  const meta = shapeOf({
    ...row,
    schema: Number(row['schema']),
    at: Number(row['at']),
    wall: Number(row['wall']),
  })
  return meta !== null && checksumOf(meta) === Number(row['checksum'])
    ? E.right(meta)
    : E.left(meta)
}
