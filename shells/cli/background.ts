// `-d`: the broker goes to the background. The command starts it again without a terminal, waits
// until it listens or ends, and ends with the same status.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { Program } from '../common/program.ts'

/** Set for the process in the background. */
const marker = 'SABETHES_BACKGROUND'

/** What it says when it listens. */
const ready = 'ready'

export const isInBackground = (): boolean => process.env[marker] !== undefined

/**
 * How this process was started, all but the `words` behind the program's name. Deno's own options
 * stand only there.
 */
const commandOf = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  try {
    const line = readFileSync('/proc/self/cmdline', 'utf8').split('\0')
    line.pop()
    return [process.execPath, ...line.slice(1, line.length - words.length)]
  } catch {
    // Not Linux.
    return [process.execPath, ...process.execArgv, process.argv[1] ?? '']
  }
}

/** Starts the broker in the background; resolves with the status to end with. */
export const goToBackground = (program: Program): Promise<number> =>
  new Promise((resolve) => {
    const words = program.words()
    const [command = process.execPath, ...prefix] = commandOf(words)
    const rest = words.filter((word) => word !== '-d' && word !== '--daemon')
    const child = spawn(command, [...prefix, ...rest], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, [marker]: '1' },
    })
    let heard = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard += text
      if (!heard.split('\n').includes(ready)) return
      child.unref()
      resolve(0)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => program.complain(text))
    child.on('error', (error) => {
      program.complain(`Error: Unable to go to the background: ${error.message}\n`)
      resolve(1)
    })
    child.on('close', (status) => resolve(status ?? 1))
  })

/** Lets the command end that has started this process. */
export const letGo = (program: Pick<Program, 'mention'>): void => {
  // Nobody reads them from now on.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  program.mention(`${ready}\n`)
}
