// Which files with secrets in them (password files, access lists, keys) are to be trusted, from
// what the file system says of them; and the sentences that an operator reads about it.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { FileFault } from './file-fault.ts'

/** What a file system says of a path. */
export interface FileFacts {
  /** Whether the path itself is a symbolic link; all else is of the file behind it. */
  readonly isLink: boolean
  readonly isFile: boolean
  /** The permission bits, 0 to 0o777; null where the system has none. */
  readonly mode: number | null
}

/** Lifts the rule about links where its value is not empty, as for mosquitto. */
export const linksVariable = 'MOSQUITTO_UNSAFE_ALLOW_SYMLINKS'

const GROUP_WRITABLE = 0o020
const WORLD_READABLE = 0o004
const WORLD_WRITABLE = 0o002

/**
 * Whether the file may be used. Right: warnings for the log, whole sentences without "Warning: ".
 * What all may read is taken with a warning, since mosquitto_passwd 2.0 writes its files so; what
 * others than the owner may write is nobody's secret any more.
 */
export const trustSecret = (
  file: string,
  { isLink, isFile, mode }: FileFacts,
  allowsLinks: boolean,
): Either<FileFault, ReadonlyArray<string>> => {
  const fail = (what: string, remedy: string): Either<FileFault, never> =>
    E.left({ file, line: 0, word: '', what, remedy })
  if (isLink && !allowsLinks) {
    const remedy = `Name the file itself, or set ${linksVariable}=1 in the environment.`
    return fail('a symbolic link, which anybody who may write its folder can turn', remedy)
  }
  if (!isFile) return fail('no file', 'Name a file.')
  if (mode === null) return E.right([])
  if ((mode & (GROUP_WRITABLE | WORLD_WRITABLE)) !== 0) {
    const who = (mode & WORLD_WRITABLE) !== 0 ? 'all' : 'its group'
    return fail(`a file that ${who} may write`, `To fix this, use "chmod go-w ${file}".`)
  }
  return E.right(
    (mode & WORLD_READABLE) === 0 ? [] : [
      `File ${file} has world readable permissions. To fix this, use "chmod o-r ${file}", and ` +
      'make sure that the user of the broker can still read it.',
    ],
  )
}

/** A file that could not be read; `why` is the system's word, `user` who the broker runs as. */
export const unreadable = (file: string, why: string, user: string | null): FileFault => {
  const fault = { file, line: 0, word: why }
  if (why === 'ENOENT' || why === 'ENOTDIR') {
    const remedy = 'Make it, or correct its path.' +
      (file.startsWith('/') ? '' : ' It was looked for in the folder that the broker runs in.')
    return { ...fault, what: 'there is no such file', remedy }
  }
  const remedy = user === null
    ? 'Give the user that the broker runs as the right to read it.'
    : `To fix this, use "chown ${user} ${file}".`
  return { ...fault, what: 'the file cannot be read', remedy }
}

/** What the log says where a reload found something wrong with a file. */
export const keptText = (fault: string): string => `${fault} What was read before stays in force.`
