// A terminal: a line that somebody types, what appears below it, and how it ends.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World } from './world.ts'

const patienceMs = 15_000

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

/** Asks again and again, and says at last whether it came true. */
export const comes = async (
  done: () => boolean | Promise<boolean>,
  withinMs = patienceMs,
): Promise<boolean> => {
  for (const until = performance.now() + withinMs; performance.now() < until;) {
    if (await done()) return true
    await sleep(20)
  }
  return done()
}

/** What an expectation leaves open stands in angle brackets: `<port>`. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    text.split(/<[\w ]+>/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.+?'),
  )

/** The lines that are missing: each is to stand within a line, below the one before it. */
export const missingIn = (screen: string, wanted: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines = screen.split('\n')
  let at = 0
  const missing: Array<string> = []
  for (const text of wanted) {
    const pattern = patternOf(text)
    const found = lines.findIndex((line, i) => i >= at && pattern.test(line))
    if (found < 0) missing.push(text)
    else at = found + 1
  }
  return missing
}

export interface Screen {
  /** What stands on it, errors included. */
  readonly text: () => string
  readonly status: () => number | null
  /** Resolves with the status at the end, 128 and more for a signal; null where it does not end. */
  readonly ended: () => Promise<number | null>
  /** Ends it and whatever it has started, if it still runs. */
  readonly kill: () => void
  /** Ctrl-C. */
  readonly interrupt: () => Promise<number | null>
  /** Whether lines appear, in this order. */
  readonly shows: (wanted: ReadonlyArray<string>) => Promise<boolean>
}

/** 128 and the number of a signal, as a shell has it. */
const statusOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 128)

/** Types a line. `typed` is what is answered to its questions. */
export const type = (world: World, line: string, cwd: string, typed: string, env = {}): Screen => {
  // A terminal gets every line at once, a pipe from the C library when it is full.
  const child: ChildProcess = spawn('stdbuf', ['-o', 'L', 'sh', '-c', line], {
    cwd,
    env: { ...world.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let text = ''
  let status: number | null = null
  const hear = (chunk: string): void => {
    text += chunk
  }
  child.stdout?.setEncoding('utf8').on('data', hear)
  child.stderr?.setEncoding('utf8').on('data', hear)
  child.stdin?.on('error', () => {})
  child.stdin?.end(typed)
  // Not `close`: what a line leaves in the background holds its pipes for as long as it lives.
  child.on('exit', (code, signal) => {
    setTimeout(() => {
      status = statusOf(code, signal)
    }, 30)
  })
  const ended = async (): Promise<number | null> => {
    await comes(() => status !== null)
    return status
  }
  return {
    text: () => text,
    status: () => status,
    ended,
    kill: () => {
      if (child.pid !== undefined && status === null) process.kill(-child.pid, 'SIGKILL')
    },
    interrupt: () => {
      if (child.pid !== undefined && status === null) process.kill(-child.pid, 'SIGINT')
      return ended()
    },
    shows: (wanted) => comes(() => missingIn(text, wanted).length === 0),
  }
}

/** A file as a screen that fills. */
export const readScreen = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The words of `cd` in a line, as a shell of its own would forget them. */
export const folderAfter = (line: string, cwd: string): string => {
  const to = /^cd (\S+)$/.exec(line)?.[1]
  return to === undefined ? cwd : to.startsWith('/') ? to : join(cwd, to)
}
