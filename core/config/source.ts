// What the shell reads for a configuration, and the error value that comes of it. Nothing in core
// reads a file: `wanted` says what is missing, the shell reads it, and so on until nothing is.

import type { Either } from '../prelude.ts'

/** Why a file or folder could not be read. */
export type Unread = 'missing' | 'directory' | 'special' | 'not allowed' | 'failed'

/** What the shell has read. Paths are spelled as `wanted` spells them. */
export interface Sources {
  /** Texts, decoded as UTF-8 with U+FFFD for what is none, as TextDecoder does. */
  readonly files: ReadonlyMap<string, Either<Unread, string>>
  /** Names of the files in a folder, in any order. */
  readonly folders: ReadonlyMap<string, Either<Unread, ReadonlyArray<string>>>
  /** Environment variables, for `${NAME}` and MOSQUITTO_PERSISTENCE_LOCATION. */
  readonly variables: ReadonlyMap<string, string>
  /** Whether `${NAME}` and `${file:PATH}` stand for a variable and for the content of a file. */
  readonly expand: boolean
}

export const noSources: Sources = {
  files: new Map(),
  folders: new Map(),
  variables: new Map(),
  expand: false,
}

/** What must be read before a configuration can be understood. */
export interface Wanted {
  readonly files: ReadonlyArray<string>
  readonly folders: ReadonlyArray<string>
}

/** Why there are no settings. */
export interface ConfigError {
  /**
   * What to print, whole lines without line ends, the first with its "Error: ": mosquitto's words,
   * then where, then the remedy.
   */
  readonly lines: ReadonlyArray<string>
  /** Exit status: 3 for a bad configuration, 13 for a plugin that cannot be used. */
  readonly status: 3 | 13
  readonly file: string
  /** 0 where the file as a whole is at fault. */
  readonly line: number
}
