// Runs the search on a broken machine: bundles it with one line replaced, and has a process of its
// own find out.

import * as esbuild from 'esbuild'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../runtimes.ts'
import type { Mutant } from './mutants.ts'

const limitMs = 60_000

export const timesIn = ({ file, search }: Mutant): number =>
  readFileSync(join(root, file), 'utf8').split(search).length - 1

/** `entry` and all it needs as one script, with the mutant in it, or with none. */
const bundle = async (entry: string, mutant: Mutant | null): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    tsconfigRaw: {},
    plugins: [{
      name: 'mutant',
      setup: (build) => {
        build.onLoad({ filter: /\/core\/broker\/.*\.ts$/ }, ({ path }) => {
          const text = readFileSync(path, 'utf8')
          const isTarget = mutant !== null && path === join(root, mutant.file)
          const contents = isTarget ? text.replace(mutant.search, () => mutant.replacement) : text
          return { contents, loader: 'ts' }
        })
      },
    }],
  })
  return outputFiles[0]?.text ?? ''
}

/** What the search says about a mutant: the law and the history, or null where it finds nothing. */
export const findingOf = async (mutant: Mutant | null): Promise<string | null> => {
  const script = await bundle('props/exhaustive/quick.ts', mutant)
  const child = spawn(process.execPath, ['--input-type=module'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: limitMs,
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stdin.end(script)
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  if (status === null) return 'it does not come to an end'
  if (status !== 0) throw new Error(`the search ended with status ${status}\n${output}`)
  return output === '' ? null : output.trimEnd()
}
