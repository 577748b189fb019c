// Reads what a configuration is made of, and hands it to the parser.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import process from 'node:process'
import { noSources, parseConfig, settingsFor, wanted } from '../../core/config/mod.ts'
import type { ConfigError, Run, Settings, Sources, Unread } from '../../core/config/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { codeOf } from '../common/message.ts'

const reasons: { readonly [code: string]: Unread } = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EISDIR: 'directory',
  EACCES: 'not allowed',
  EPERM: 'not allowed',
}

const reasonOf = (error: unknown): Unread => reasons[codeOf(error)] ?? 'failed'

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

/** Reading one of these could wait for ever, or never end; nothing is in /dev/null at once. */
const isSpecial = (path: string): boolean => {
  if (path === '/dev/null') return false
  const found = statSync(path)
  return !found.isFile() && !found.isDirectory()
}

const readText = (path: string): string => {
  const bytes = readFileSync(path)
  if (bytes.length > fileBytesMax) throw new Error('too large')
  return bytes.toString('utf8')
}

/** All that is to be read for the file at `path`. */
const readAll = (path: string, expand: boolean): Sources => {
  const files = new Map<string, Either<Unread, string>>()
  const folders = new Map<string, Either<Unread, ReadonlyArray<string>>>()
  const sources: Sources = { ...nothingRead(expand), files, folders }
  for (;;) {
    const missing = wanted(path, sources)
    if (missing.files.length === 0 && missing.folders.length === 0) return sources
    for (const one of missing.files) {
      const special = attempt(() => isSpecial(one))
      files.set(
        one,
        E.isRight(special) && special.right ? E.left('special') : attempt(() => readText(one)),
      )
    }
    for (const one of missing.folders) folders.set(one, attempt(() => readdirSync(one)))
  }
}

const nothingRead = (expand: boolean): Sources => ({
  ...noSources,
  variables: variables(),
  expand,
})

/** The settings that a command line asks for, with its file and all that this includes. */
export const readRun = (run: Run): Either<ConfigError, Settings> =>
  settingsFor(run, run.file === null ? nothingRead(run.expand) : readAll(run.file, run.expand))

/** The settings that a file alone stands for. */
export const readFile = (path: string, expand = false): Either<ConfigError, Settings> =>
  parseConfig(path, readAll(path, expand))
