// What is said of something that was thrown, whatever it was.

import { E } from '../../core/prelude.ts'

/** The message of an error; anything else as a text. */
export const messageOf = (thrown: unknown): string => E.toError(thrown).message

/** The word of the system for what is wrong, such as ENOENT; '' where there is none. */
export const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
