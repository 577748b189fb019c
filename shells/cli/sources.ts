// Reads what a configuration is made of, and hands it to the parser.

import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { noSources, parseConfig, wanted } from '../../core/config/mod.ts'
import type { ConfigError, Settings, Sources, Unread } from '../../core/config/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'

const reasons: { readonly [code: string]: Unread } = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EISDIR: 'directory',
  EACCES: 'not allowed',
  EPERM: 'not allowed',
}

const reasonOf = (error: unknown): Unread => {
  if (!(error instanceof Error) || !('code' in error)) return 'failed'
  return typeof error.code === 'string' ? reasons[error.code] ?? 'failed' : 'failed'
}

const attempt = <A>(read: () => A): Either<Unread, A> => {
  try {
    return E.right(read())
  } catch (error) {
    return E.left(reasonOf(error))
  }
}

const variables = (): ReadonlyMap<string, string> => {
  const all = new Map<string, string>()
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) all.set(name, value)
  }
  return all
}

// A file of any size would be read to its end; nobody writes this much by hand.
const fileBytesMax = 16 * 1024 * 1024

const readText = (path: string): string => {
  const bytes = readFileSync(path)
  if (bytes.length > fileBytesMax) throw new Error('too large')
  return bytes.toString('utf8')
}

export interface Asked {
  /** The ports of the command line. */
  readonly ports: ReadonlyArray<number>
  /** Whether `${NAME}` and `${file:PATH}` are replaced. */
  readonly expand: boolean
}

/** The settings that a file, with all that it includes, stands for. */
export const readSettings = (path: string, asked: Asked): Either<ConfigError, Settings> => {
  const files = new Map<string, Either<Unread, string>>()
  const folders = new Map<string, Either<Unread, ReadonlyArray<string>>>()
  const sources: Sources = {
    ...noSources,
    files,
    folders,
    variables: variables(),
    expand: asked.expand,
  }
  for (;;) {
    const missing = wanted(path, sources)
    if (missing.files.length === 0 && missing.folders.length === 0) break
    for (const one of missing.files) files.set(one, attempt(() => readText(one)))
    for (const one of missing.folders) folders.set(one, attempt(() => readdirSync(one)))
  }
  return parseConfig(path, sources, asked.ports)
}
