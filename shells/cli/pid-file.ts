// The file that tells others which process the broker is.

import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { messageOf } from '../common/message.ts'

/** Null, or a sentence about why it cannot be written. */
export const writePidFile = (path: string): string | null => {
  try {
    writeFileSync(path, String(process.pid))
    return null
  } catch (error) {
    return `Unable to write pid file (pid_file ${path}): ${messageOf(error)}.`
  }
}

/**
 * At the end. Where the user may not delete (a file in /run, which root has made and given away)
 * the number is, so that nobody takes another process for the broker later.
 */
export const removePidFile = (path: string): void => {
  for (const clear of [() => rmSync(path, { force: true }), () => truncateSync(path)]) {
    try {
      return clear()
    } catch {
      // The next way; behind the last one nobody is left to tell.
    }
  }
}
