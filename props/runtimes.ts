// Where Deno is on this machine, for whoever starts it: one answer for the runner and for the tests
// that drive both runtimes.

import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The one that npx fetches where none is installed. */
export const denoVersion = '2.9.6'

/**
 * The path of the Deno on PATH if it is a 2.x, from 2.9 on, else of the one that npx keeps; null
 * where there is neither. The path of the program itself: a signal to npx would not reach it.
 */
export const findDeno = (): string | null => {
  const script = 'console.log(Deno.version.deno, Deno.execPath())'
  const tries: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ['deno', ['eval', script]],
    ['npx', ['--yes', `deno@${denoVersion}`, 'eval', script]],
  ]
  for (const [command, args] of tries) {
    const { stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8', timeout: 300_000 })
    const found = /^2\.(\d+)\.\d+\S* (.+)$/m.exec(stdout ?? '')
    if (found !== null && Number(found[1]) >= 9) return found[2] ?? null
  }
  return null
}

/** The program on each runtime that is here; says `SKIPPED:` what is not tried without Deno. */
export const programsFor = (
  what: string,
): ReadonlyArray<readonly [name: string, command: ReadonlyArray<string>]> => {
  const node = ['Node', [process.execPath, join(root, 'dist/shells/cli/main.js')]] as const
  const deno = findDeno()
  if (deno !== null) return [node, ['Deno', [deno, 'run', '-A', join(root, 'shells/cli/main.ts')]]]
  console.log(`SKIPPED: ${what} on Deno because deno is missing`)
  return [node]
}
