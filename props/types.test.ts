// The types hold, in the eyes of both compilers. On Node: tsc with the settings of props, which has
// all files, and of core, where neither DOM nor Node exists. On Deno: its own compiler, which
// knows the names of Deno better than any package of types, and its linter with our purity rule.

import { spawn } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './runtimes.ts'

const onDeno = 'Deno' in globalThis

interface Outcome {
  readonly status: number | null
  readonly output: string
}

const run = (args: ReadonlyArray<string>): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    let output = ''
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => output += text)
    child.stderr.setEncoding('utf8').on('data', (text: string) => output += text)
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })

const tsc = 'node_modules/typescript/bin/tsc'

/** Those that Deno has a part in. */
const rooms = ['common', 'deno', 'cli', 'simulator']

const checks: Readonly<Record<string, ReadonlyArray<string>>> = onDeno
  ? {
    'deno check': ['check', 'core', ...rooms.map((room) => `shells/${room}`)],
    'deno lint': ['lint', '--quiet'],
  }
  : {
    'tsc -p core': [tsc, '-p', 'core'],
    'tsc -p props': [tsc, '-p', 'props'],
  }

const types = suite('types')

for (const [name, args] of Object.entries(checks)) {
  types(name, async () => {
    const { status, output } = await run(args)
    assert.is(status, 0, `\n${output}`)
  })
}

types.run()
