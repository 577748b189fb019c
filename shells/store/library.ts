// SQLite through the API of node:sqlite: the module of the runtime where there is one, otherwise
// the package that has the same. Also what its errors mean to us, told from the sentences of SQLite
// itself, since only those are the same everywhere.

export type Value = null | number | string | Uint8Array

export type Row = { readonly [column: string]: Value }

export interface Statement {
  run(...values: ReadonlyArray<Value>): unknown
  get(...values: ReadonlyArray<Value>): Row | undefined
  all(...values: ReadonlyArray<Value>): ReadonlyArray<Row>
  iterate(...values: ReadonlyArray<Value>): Iterable<Row>
}

export interface Connection {
  exec(statements: string): void
  prepare(statement: string): Statement
  close(): void
}

export interface Sqlite {
  readonly DatabaseSync: new (path: string, options?: { readOnly?: boolean }) => Connection
}

const isSqlite = (module: unknown): module is Sqlite =>
  typeof module === 'object' && module !== null && 'DatabaseSync' in module

/** Before Deno 2.6 a statement that was iterated once more found nothing. */
const iteratesAgain = ({ DatabaseSync }: Sqlite): boolean => {
  const connection = new DatabaseSync(':memory:')
  const statement = connection.prepare('SELECT 1')
  const found = [...statement.iterate(), ...statement.iterate()]
  connection.close()
  return found.length === 2
}

/** Whether a store can rest on it. */
export const isSound = (module: unknown): module is Sqlite =>
  isSqlite(module) && iteratesAgain(module)

// Names in variables, so that no compiler and no bundler looks for what is not there.
const builtIn = 'node:sqlite'
const packaged = '@photostructure/sqlite'

/** Left to the runtime to find; rejects with a sentence where there is none. */
export const loadSqlite = async (): Promise<Sqlite> => {
  const module = await quietly(() => import(builtIn)).catch(() => null)
  if (isSound(module)) return module
  const other: unknown = 'Deno' in globalThis ? null : await import(packaged).catch(() => null)
  if (isSound(other)) return other
  throw new Error(
    'There is no SQLite to store with. Take Node 22.13 or newer or Deno 2.9 or newer, which have ' +
      `it built in, or install the package ${packaged}.`,
  )
}

/** Node 22 warns that its SQLite is experimental; that one warning says nothing to an operator. */
const quietly = async <A>(action: () => Promise<A>): Promise<A> => {
  const emit = process.emitWarning
  const filtered = (...words: Parameters<typeof emit>): void => {
    const [warning] = words
    const text = typeof warning === 'string' ? warning : warning.message
    if (!/^SQLite is an experimental feature/.test(text)) emit(...words)
  }
  // Assigned back below; the overloads of emitWarning differ in their second word only.
  process.emitWarning = filtered as typeof emit
  try {
    return await action()
  } finally {
    process.emitWarning = emit
  }
}

export type FaultKind =
  | 'full'
  | 'locked'
  | 'damaged'
  | 'forbidden'
  | 'contradiction'
  | 'input/output'

const sentences: ReadonlyArray<readonly [FaultKind, RegExp]> = [
  ['full', /database or disk is full/],
  ['locked', /database (table )?is locked/],
  [
    'damaged',
    /malformed|not a database|unsupported file format|no such (table|column)|corrupt|datatype/i,
  ],
  [
    'forbidden',
    /readonly database|unable to open database|access permission|requires (read|write) access/i,
  ],
  // Of the file system, where files are looked at without SQLite.
  ['forbidden', /\b(EACCES|EPERM)\b/],
  ['contradiction', /constraint failed/],
]

/** What an error of the library means; whatever is not known is taken for a broken disk. */
export const faultOf = (error: unknown): FaultKind => {
  const text = textOf(error)
  for (const [kind, pattern] of sentences) if (pattern.test(text)) return kind
  return 'input/output'
}

/** Everything that an error says: the sentence of SQLite is in one of several fields. */
export const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { errstr } = error as { readonly errstr?: unknown }
  return typeof errstr === 'string' && !error.message.includes(errstr)
    ? `${error.message} (${errstr})`
    : error.message
}

/** SQLITE_IOERR_WRITE: what was to be flushed was not even written. */
const writeFailed = 778

/** For want of room, too: ENOSPC alone is a full disk to SQLite. */
export const isOfWriting = (error: unknown): boolean =>
  error instanceof Error && (error as { readonly errcode?: unknown }).errcode === writeFailed
