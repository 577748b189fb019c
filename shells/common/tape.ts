// What a recorder needs of files, whoever has them.

import type { Either } from '../../core/prelude.ts'

/** A file that is written from its beginning to its end; throws nothing. */
export interface Tape {
  /** Null where all was taken, else why not. */
  write(bytes: Uint8Array): string | null
  close(): void
}

/** Why there is no file, and what to do where it is something of its own; without full stops. */
export interface NoTape {
  readonly why: string
  readonly remedy: string | null
}

export const noTapeText = ({ why, remedy }: NoTape): string =>
  remedy === null ? why : `${why}; ${remedy}`

/** What a recorder needs of files; throws nothing. */
export interface Tapes {
  /** Whether a recording is there that is worth keeping; left: what stays, whatever it is. */
  holds(path: string): Either<NoTape, boolean>
  /** A new, empty file that only its owner may read. */
  create(path: string): Either<NoTape, Tape>
  /** Gives a file, if it is there, another name, in the place of one that has it. */
  rename(from: string, to: string): void
}
