// runs: node
// The runner that all other files rely on: every way in which a test file can go wrong makes it
// red, on both runtimes, and the last line counts what happened. The files are written beside a
// copy of the runner somewhere else, since the real ones are to pass.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './runtimes.ts'

const head = "import { suite } from 'uvu'\nimport * as assert from 'uvu/assert'\n"
const good = "const one = suite('one')\none('is fine', () => {})\none.run()\n"

const copied = 'package.json tsconfig.json deno.json props/run.ts props/runtimes.ts props/guard.ts'

interface Outcome {
  readonly status: number | null
  readonly output: string
  readonly lastLine: string
}

/** Runs these files as if they were all the properties there are. */
const runWith = (
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
  ...args: ReadonlyArray<string>
): Outcome => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-guard-'))
  try {
    for (const name of ['core', 'shells', 'dist/shells/cli', 'props']) {
      mkdirSync(join(folder, name), { recursive: true })
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const name of copied.split(' ')) {
      copyFileSync(join(root, name), join(folder, name))
    }
    // Newer than all of its sources, so nothing is built.
    writeFileSync(join(folder, 'dist/shells/cli/main.js'), '')
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, 'props', `${name}.test.ts`), `${text}`)
    }
    const { CI: _, ...environment } = process.env
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'props/run.ts', ...args],
      { cwd: folder, env: { ...environment, ...variables }, encoding: 'utf8' },
    )
    const output = stdout + stderr
    return { status, output, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const guard = suite('guard')

guard('green files are counted, on both runtimes unless they say otherwise', () => {
  const seen = runWith({ a: head + good, b: `// runs: node\n${head}${good}` }, {})
  assert.is(seen.lastLine, '3 passed, 0 failed', seen.output)
  assert.is(seen.status, 0)
})

guard('words choose files, switches choose runtimes', () => {
  const seen = runWith({ codec: head + good, topic: head + good }, {}, '--node', 'cod')
  assert.is(seen.lastLine, '1 passed, 0 failed', seen.output)
  assert.is(runWith({ codec: head + good }, {}, 'nothing').status, 2)
  assert.is(runWith({ codec: head + good }, {}, '--bun').status, 2)
})

guard('a failed test is red and its output is shown with a command', () => {
  const bad = "one('is wrong', () => assert.is(1, 2))\n"
  const seen = runWith({ a: head + good.replace('one.run', `${bad}one.run`) }, {})
  assert.is(seen.lastLine, '2 passed, 2 failed', seen.output)
  assert.is(seen.status, 1)
  assert.match(seen.output, 'is wrong')
  assert.match(seen.output, 'npx tsx props/a.test.ts')
  assert.match(seen.output, 'deno run -A props/a.test.ts')
})

const never = "one('never', async () => { await new Promise(() => {}) })\n"
const hook = "one.before(() => { throw new Error('oh') })\n"

const wrongWays: Readonly<Record<string, readonly [text: string, says: RegExp]>> = {
  'a suite that never settles': [
    good.replace('one.run', `${never}one.run`),
    /1 of 1 suites never settled; running was one: never/,
  ],
  'a forgotten run()': [good.replace('one.run()', ''), /no suite was run/],
  'a file without tests': ["const one = suite('one')\none.run()\n", /reported no tests/],
  'a test left out': [`${good.replace('one(', 'one.skip(')}`, /left out|no tests/],
  'a hook that throws': [good.replace('one.run', `${hook}one.run`), /a hook threw/],
  'an exception at the top': [`${good}throw new Error('top')\n`, /Error: top/],
  'a process that ends itself': [
    `${good}setTimeout(() => process.exit(7), 300)\n`,
    /ended with status 7/,
  ],
}

for (const [name, [text, says]] of Object.entries(wrongWays)) {
  guard(`${name} is red on both`, () => {
    const seen = runWith({ a: head + text }, {})
    assert.is(seen.status, 1, seen.output)
    assert.match(seen.lastLine, /^\d passed, [2-9] failed$/)
    assert.match(seen.output, says)
  })
}

guard('a test that loops is ended and named', () => {
  const seen = runWith({ a: head + good.replace('{}', '{ for (;;); }') }, { LIMIT_S: '3' })
  assert.match(seen.output, 'killed after 3 s in one: is fine')
  assert.is(seen.lastLine, '0 passed, 2 failed')
})

guard('a missing tool is told, and is a failure under CI', () => {
  const files = { a: `${head}${good}console.log('SKIPPED: rows because paho is missing')\n` }
  const seen = runWith(files, {}, '--node')
  assert.is(seen.lastLine, '1 passed, 0 failed, 1 skipped', seen.output)
  assert.is(seen.status, 0)
  const strict = runWith(files, { CI: 'true' }, '--node')
  assert.is(strict.lastLine, '1 passed, 1 failed, 1 skipped')
  assert.is(strict.status, 1)
})

guard.run()
