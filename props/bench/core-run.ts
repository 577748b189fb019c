// Runs core.ts in a process of its own on each runtime. It is bundled first, because a loader that
// compiles on the fly adds a call to every closure and would be measured with it.

import { join } from 'node:path'
import { build } from 'esbuild'
import { denoPath } from './contestants.ts'
import { folder, root, run } from './processes.ts'

export interface CoreResult {
  readonly name: string
  readonly runtime: string
  /** Of the unit, by CPU time of the whole process (collector included). */
  readonly perCpuS: number
  readonly spread: number
  readonly unit: string
}

/** Measures the named rows; an Error if the core cannot be bundled or fails a check of its own. */
export const runCore = async (
  names: ReadonlyArray<string>,
  runtimes: ReadonlyArray<string>,
): Promise<ReadonlyArray<CoreResult>> => {
  const bundle = join(folder, 'core.mjs')
  await build({
    entryPoints: [join(root, 'props/bench/core.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['main'],
    logLevel: 'error',
  })
  const results: CoreResult[] = []
  const deno = runtimes.includes('deno') ? denoPath() : null
  const commands: Array<readonly [command: string, ...args: string[]]> = []
  if (runtimes.includes('node')) commands.push([process.execPath])
  if (deno !== null) commands.push([deno, 'run', '--allow-sys'])
  for (const [command, ...args] of commands) {
    const answer = await run(command, [...args, bundle, ...names], 120_000)
    const part: ReadonlyArray<CoreResult> = JSON.parse(answer)
    results.push(...part)
  }
  return results
}
