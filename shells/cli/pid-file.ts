// The file that tells others which process the broker is.

import { rmSync, writeFileSync } from 'node:fs'
import process from 'node:process'

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** Null, or a sentence about why it cannot be written. */
export const writePidFile = (path: string): string | null => {
  try {
    writeFileSync(path, String(process.pid))
    return null
  } catch (error) {
    return `Unable to write pid file (pid_file ${path}): ${messageOf(error)}.`
  }
}

/** At the end; a folder in which the user may not delete keeps a stale file. */
export const removePidFile = (path: string): void => {
  try {
    rmSync(path, { force: true })
  } catch {
    // Nobody is left to tell.
  }
}
