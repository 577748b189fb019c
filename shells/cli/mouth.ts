// How commands say what they have to say. A write has been done when it returns, so that a process
// may end behind it: a stream would have a rest left where a pipe is read slowly, and would tell of
// a reader that is gone, or of a full disk, when it is too late to end because of it.

import { writeSync } from 'node:fs'
import process from 'node:process'
import { codeOf, messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'

const standardOut = 1
const standardError = 2

/** What a shell says of a filter whose reader has gone: 128 and SIGPIPE, which runtimes ignore. */
const statusUnread = 141
const statusUnwritten = 1

/** How long a pipe is left alone that is full, and that somebody has told not to wait. */
const fullMs = 5

const utf8 = new TextEncoder()
const nobody = new Int32Array(new SharedArrayBuffer(4))

/** How many of these bytes were taken; none where there is no room at the moment. */
const write = (file: number, bytes: Uint8Array): number => {
  try {
    return writeSync(file, bytes)
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error
    Atomics.wait(nobody, 0, 0, fullMs)
    return 0
  }
}

const writeAll = (file: number, text: string): void => {
  const bytes = utf8.encode(text)
  for (let at = 0; at < bytes.length;) at += write(file, bytes.subarray(at))
}

const complain = (text: string): void => {
  try {
    writeAll(standardError, text)
  } catch {
    // Whom could that be told?
  }
}

const say = (text: string): void => {
  try {
    writeAll(standardOut, text)
  } catch (error) {
    if (codeOf(error) === 'EPIPE') process.exit(statusUnread)
    complain(`Error: Standard output cannot be written: ${messageOf(error)}.\n`)
    process.exit(statusUnwritten)
  }
}

export const mouth: Pick<Program, 'say' | 'complain'> = { say, complain }
