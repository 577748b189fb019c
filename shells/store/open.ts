// How a store is opened: the folder, the lock, the log, the pages, the schema, the one row about
// the rest, in this order, each with the sentence for what can be wrong with it. Nothing of it is
// changed before all is known to be sound, but that SQLite moves a sound log into the file as it
// closes it, also into one with damaged pages.

import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { version } from '../common/version.ts'
import {
  copyStore,
  createEmpty,
  exists,
  freeName,
  giveName,
  isOfRoom,
  isReadOnly,
  makeStaging,
  pathsOf,
  prepareFolder,
  readWal,
  remove,
  removeStaging,
  sizeOf,
  storesOfMosquitto,
  wholly,
  whyNot,
} from './files.ts'
import type { Paths } from './files.ts'
import { faultOf, textOf } from './library.ts'
import type { Connection, Sqlite } from './library.ts'
import { metaInsertion, metaWriter, readMeta } from './meta.ts'
import type { Meta } from './meta.ts'
import { migrations, stepsBetween } from './migrate.ts'
import type { Migrations } from './migrate.ts'
import { whyNoFile } from './reserve.ts'
import { creation, metaCreation, schemaVersion, tables } from './table.ts'
import { emptyTallies, tallyText } from './tally.ts'
import { stateOfWal } from './wal.ts'

export interface Opened {
  readonly paths: Paths
  readonly connection: Connection
  readonly meta: Meta
  /** Whether the one row about all others was what it had been. */
  readonly isMetaSound: boolean
  readonly warnings: ReadonlyArray<string>
}

export interface OpenOptions {
  readonly folder: string
  readonly salvage: boolean
  /** What this program can migrate; another one in tests. */
  readonly migrations?: Migrations
}

export const openFile = (sqlite: Sqlite, options: OpenOptions): Either<string, Opened> => {
  const paths = pathsOf(options.folder)
  const prepared = prepareFolder(paths)
  if (E.isLeft(prepared)) return prepared
  const warnings: Array<string> = []
  for (const mosquitto of storesOfMosquitto(paths)) {
    warnings.push(
      `${mosquitto} is a store of mosquitto, which is not read: its sessions, queued and ` +
        'retained messages are not served. Have them published again, and move the file away.',
    )
  }
  let connection: Connection | null = null
  try {
    const made = exists(paths.file) ? E.right(null) : create(sqlite, paths)
    if (E.isLeft(made)) return made
    const log = checkLog(sqlite, paths, options.salvage, warnings)
    if (E.isLeft(log)) return log
    connection = new sqlite.DatabaseSync(paths.file)
    lock(connection)
    const opened = check(connection, paths, options, warnings)
    if (E.isLeft(opened)) connection.close()
    return opened
  } catch (error) {
    closeQuietly(connection)
    return E.left(explain(paths, error))
  }
}

const closeQuietly = (connection: Connection | null): void => {
  try {
    connection?.close()
  } catch {
    // What is wrong has been said already.
  }
}

/** Rollback on nothing is no error worth a word. */
export const rollBack = (connection: Connection): void => {
  try {
    connection.exec('ROLLBACK')
  } catch {
    // SQLite has rolled back by itself.
  }
}

/** The settings of every connection that writes. */
const settings = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA cache_size = -8192;
  PRAGMA cache_spill = OFF;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
`

/** Takes the lock, which is kept until the connection is closed or the process ends. */
const lock = (connection: Connection): void => {
  // Taken before anything is read, so that no memory is shared with other processes.
  connection.exec(settings)
  connection.exec('BEGIN IMMEDIATE; COMMIT')
}

/**
 * Makes an empty store under a name of its own first: a file with the right name is whole, and
 * another broker that does the same at the same time has another one.
 */
const create = (sqlite: Sqlite, paths: Paths): Either<string, null> => {
  if (sizeOf(paths.wal) > 0) {
    return E.left(
      `${paths.wal} is there, but ${paths.file} is not: put the file back, or move both away to ` +
        'begin with an empty store.',
    )
  }
  let staging: string
  try {
    staging = makeStaging(paths)
  } catch (error) {
    return E.left(whyNot(paths.folder, error))
  }
  try {
    const made = pathsOf(staging).file
    fill(sqlite, made)
    giveName(paths, made)
  } finally {
    removeStaging(staging)
  }
  return E.right(null)
}

const fill = (sqlite: Sqlite, path: string): void => {
  createEmpty(path)
  const connection = new sqlite.DatabaseSync(path)
  try {
    connection.exec(settings)
    connection.exec('BEGIN IMMEDIATE')
    connection.exec(metaCreation)
    for (const table of tables) connection.exec(creation(table))
    // The packaged library closes a connection for good only once the last statement that was
    // prepared on it has been collected; what is executed as text leaves none.
    connection.exec(metaInsertion({
      schema: schemaVersion,
      program: version,
      at: 0,
      wall: 0,
      tally: tallyText(emptyTallies()),
    }))
    connection.exec('COMMIT')
  } finally {
    connection.close()
  }
}

/** What SQLite would drop from the log without a word. */
const checkLog = (
  sqlite: Sqlite,
  paths: Paths,
  salvage: boolean,
  warnings: Array<string>,
): Either<string, null> => {
  const state = stateOfWal(readWal(paths))
  if (state === 'whole') return E.right(null)
  // Somebody who writes it just now looks the same.
  if (isLocked(sqlite, paths)) return E.left(lockedSentence(paths))
  if (state === 'cut off') {
    warnings.push(cutOffSentence(paths))
    return E.right(null)
  }
  if (!salvage) {
    return E.left(
      `${paths.wal} is damaged: batches in it that were acknowledged cannot be read. Put back a ` +
        'copy of the whole folder, or start with --salvage to serve what stands before the damage.',
    )
  }
  const copy = freeName(paths.file, 'damaged')
  copyStore(paths, copy)
  warnings.push(
    `${paths.wal} is damaged: what stands behind the damage is lost. The files as they were are ` +
      `in ${copy} and ${copy}-wal.`,
  )
  return E.right(null)
}

export const cutOffSentence = ({ wal }: Paths): string =>
  `${wal} ends with a batch that is not whole, which is left out. After a loss of power or a ` +
  'kill that is as it should be, and nothing in it was acknowledged; if not, the disk is failing.'

/** Whether another process has the store, asked without changing the file or its log. */
export const isLocked = (sqlite: Sqlite, { file, wal }: Paths): boolean => {
  // Whoever has a store open has a log, and asking without one would leave one behind.
  if (!exists(wal)) return false
  const shared = `${file}-shm`
  const wasThere = exists(shared)
  let connection: Connection | null = null
  try {
    connection = new sqlite.DatabaseSync(file, { readOnly: true })
    connection.exec('PRAGMA schema_version')
    return false
  } catch (error) {
    return faultOf(error) === 'locked'
  } finally {
    closeQuietly(connection)
    if (!wasThere) remove(shared)
  }
}

export const lockedSentence = ({ file }: Paths): string =>
  `${file} is in use by another process, most likely another broker: stop that one, or name ` +
  'another folder with persistence_location.'

const check = (
  connection: Connection,
  paths: Paths,
  options: OpenOptions,
  warnings: Array<string>,
): Either<string, Opened> => {
  const verdict = connection.prepare('PRAGMA quick_check(1)').get()
  const word = Object.values(verdict ?? {})[0]
  if (word !== 'ok') return E.left(pagesSentence(paths, String(word)))
  const read = readMeta(connection)
  if (E.isLeft(read) && !options.salvage) {
    return E.left(
      `${paths.file} is damaged: the row about all others does not have its checksum. ` +
        remedyFor(paths),
    )
  }
  let meta = E.isRight(read) ? read.right : read.left ?? nothingKnown
  if (E.isRight(read) && meta.schema !== schemaVersion) {
    const migrated = migrate(connection, paths, meta, options.migrations ?? migrations)
    if (E.isLeft(migrated)) return migrated
    warnings.push(migrated.right)
    meta = { ...meta, schema: schemaVersion }
  }
  const fault = schemaFault(connection)
  if (fault !== null) return E.left(damagedSentence(paths, fault))
  return E.right({ paths, connection, meta, isMetaSound: E.isRight(read), warnings })
}

const nothingKnown: Meta = { schema: schemaVersion, program: version, at: 0, wall: 0, tally: '' }

/** What ANALYZE of the sqlite3 command leaves is SQLite's own; nobody else may take such a name. */
const namesAndTexts = "SELECT name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*'"

/** Every table is the one that this program would make, and there is nothing else. */
const schemaFault = (connection: Connection): string | null => {
  const expected = new Map(tables.map((table) => [table.name, creation(table)]))
  expected.set('meta', metaCreation)
  for (const { name, sql } of connection.prepare(namesAndTexts).all()) {
    if (expected.get(String(name)) !== sql) return `the table ${name} is not as it was made`
    expected.delete(String(name))
  }
  const [missing] = expected.keys()
  return missing === undefined ? null : `the table ${missing} is missing`
}

/** Left: a sentence; right: what was done, for the log. */
const migrate = (
  connection: Connection,
  { file }: Paths,
  meta: Meta,
  known: Migrations,
): Either<string, string> => {
  const { schema, program } = meta
  const steps = stepsBetween(known, schema, schemaVersion)
  if (schema > schemaVersion || steps === null) {
    return E.left(
      `${file} was written by sabethes ${program} in schema ${schema}, and this is sabethes ` +
        `${version}, which knows schemas up to ${schemaVersion}: start the newer program, or ` +
        'name another folder with persistence_location.',
    )
  }
  const copy = freeName(file, `schema${schema}`)
  copyInto(connection, copy)
  connection.exec('BEGIN IMMEDIATE')
  for (const step of steps) step(connection)
  const { tally } = metaTally(connection) ?? meta
  metaWriter(connection)({ ...meta, schema: schemaVersion, program: version, tally })
  connection.exec('COMMIT')
  return E.right(
    `${file} was brought from schema ${schema} to schema ${schemaVersion}; ${copy} is the store ` +
      'as it was.',
  )
}

/** A migration that changes rows leaves the new tally in the row about all others. */
const metaTally = (connection: Connection): { readonly tally: string } | null => {
  const tally = connection.prepare('SELECT tally FROM meta').get()?.['tally']
  return typeof tally === 'string' ? { tally } : null
}

/** A copy of everything that is committed, for its owner only, on disk when this returns. */
export const copyInto = (connection: Connection, path: string): void =>
  wholly([path], () => {
    createEmpty(path)
    connection.prepare('VACUUM INTO ?').run(path)
  })

/** The log has to go, too: one of another time damages the file that it is beside. */
const placesOf = ({ file, wal }: Paths): string => `in place of ${file} and ${wal}`

const remedyFor = (paths: Paths): string =>
  `Put back a copy from before ${placesOf(paths)}, or start with --salvage to serve what is ` +
  'sound (a copy is kept).'

export const damagedRowsSentence = (paths: Paths, first: string, more: number): string =>
  `${paths.file} is damaged: ${first}${more > 0 ? `, and ${more} more` : ''}. ${remedyFor(paths)}`

/** A file of which not even the pages are sound. */
const damagedSentence = (paths: Paths, what: string): string =>
  `${paths.file} is damaged and cannot be read (${what}): put back a copy from before ` +
  `${placesOf(paths)}, or move both away to begin with an empty store.`

/** SQLITE_IOERR, which the last byte of all that begin with it is. */
const inputOutput = 10

/** What the look at all pages has found: a disk that cannot be read is told there as well. */
const pagesSentence = (paths: Paths, what: string): string => {
  const code = /error code=(\d+)/.exec(what)?.[1]
  const isOfDisk = /failed to get page/.test(what) || (Number(code) & 0xff) === inputOutput
  return isOfDisk ? unreadSentence(paths, what) : damagedSentence(paths, what)
}

const unreadSentence = ({ file }: Paths, what: string): string =>
  `${file} cannot be read (${what}): look at the disk (dmesg), and put back a copy from before ` +
  'if it is failing.'

/** The sentence for an error of SQLite while it opens or reads. */
export const explain = (paths: Paths, error: unknown): string => {
  const text = textOf(error)
  switch (faultOf(error)) {
    case 'locked':
      return lockedSentence(paths)
    case 'full':
      return whyNot(paths.folder, new Error(`ENOSPC: ${text}`))
    case 'forbidden':
      return whyNot(paths.folder, error)
    case 'damaged':
    case 'contradiction':
      return damagedSentence(paths, text)
    case 'input/output': {
      const cannot = whyNoFile(paths.probe)
      if (isOfRoom(cannot) || isReadOnly(cannot)) return whyNot(paths.folder, cannot)
      return unreadSentence(paths, text)
    }
  }
}
