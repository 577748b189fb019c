// The rules of the house hold in this house, and each of them is able to complain: for every
// rule there are small bad houses that break it, and a good one that comes close.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rules } from './rules.ts'
import type { House } from './rules.ts'
import { root } from './runtimes.ts'

const readHouse = (): House => {
  const house = new Map<string, string>()
  for (const folder of ['core', 'shells', 'props']) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !/\.(ts|md)$/.test(entry.name)) continue
      const file = join(entry.parentPath, entry.name)
      house.set(file.slice(root.length + 1).replaceAll('\\', '/'), readFileSync(file, 'utf8'))
    }
  }
  for (const name of ['package.json', 'deno.json']) {
    house.set(name, readFileSync(join(root, name), 'utf8'))
  }
  for (const path of committed()) {
    if (!house.has(path)) house.set(path, '')
  }
  return house
}

/** The other files that Git knows; none where this is no checkout. */
const committed = (): ReadonlyArray<string> => {
  try {
    const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    return listed.split('\0').filter((path) => path !== '' && !/^(core|shells|props)\//.test(path))
  } catch {
    return []
  }
}

type Files = Readonly<Record<string, string>>

const wide = `const s = '${'x'.repeat(89)}'\n`
const test = "import { suite } from 'uvu'\nconst codec = suite('codec')\n"

/** Per rule: houses that break it, each in one way, and one that does not. */
const examples: Readonly<Record<string, readonly [bad: ReadonlyArray<Files>, good: Files]>> = {
  'relative imports carry their ending': [
    [{ 'core/a.ts': "import { b } from './b'" }, { 'core/a.ts': "export * from './b.js'" }],
    { 'core/a.ts': "import { b } from './b.ts'\nimport * as E from 'fp-ts/lib/Either.js'" },
  ],
  'core imports only itself': [
    [
      { 'core/a.ts': "import { b } from '../shells/common/b.ts'" },
      { 'core/topic/a.ts': "import * as E from 'fp-ts/lib/Either.js'" },
      { 'core/a.ts': "export { readFile } from 'node:fs'" },
      { 'core/a.ts': "type A = import('mqtt').Client" },
    ],
    {
      'core/topic/a.ts': "import { E } from '../prelude.ts'",
      'core/prelude.ts': "export * as E from 'fp-ts/lib/Either.js'",
    },
  ],
  'a room of core imports only rooms below it': [
    [
      { 'core/data/a.ts': "import { b } from '../topic/b.ts'" },
      { 'core/codec/a.ts': "import type { B } from '../broker/b.ts'" },
      { 'core/broker/a.ts': "import { b } from '../client/b.ts'" },
      { 'core/topic/a.ts': "import { b } from '../mod.ts'" },
      { 'core/attic/a.ts': "import { b } from '../data/b.ts'" },
    ],
    {
      'core/broker/a.ts': "import { b } from '../data/b.ts'\nimport { c } from './c.ts'",
      'core/mod.ts': "export * from './broker/a.ts'",
    },
  ],
  'fp-ts and io-ts come in by one door, in the form that runs everywhere': [
    [
      { 'shells/common/a.ts': "import * as E from 'fp-ts/lib/Either.js'" },
      { 'core/prelude.ts': "export * as E from 'fp-ts/Either'" },
      { 'core/prelude.ts': "export * as E from 'fp-ts/lib/Either'" },
      { 'core/prelude.ts': "export * as E from 'fp-ts/es6/Either.js'" },
      { 'props/a.ts': "import { pipe } from 'fp-ts'" },
    ],
    { 'core/prelude.ts': "export * as t from 'io-ts'\nexport * as O from 'fp-ts/lib/Option.js'" },
  ],
  'the shells keep apart': [
    [
      { 'shells/node/a.ts': "import { b } from '../deno/b.ts'" },
      { 'shells/deno/a.ts': "import type { B } from '../node/b.ts'" },
      { 'shells/common/a.ts': "import { b } from '../node/b.ts'" },
      { 'shells/common/a.ts': "import { b } from 'node:fs'" },
      { 'shells/deno/a.ts': "const fs = await import('node:fs')" },
      { 'shells/cli/main.ts': "import { start } from '../node/mod.ts'" },
    ],
    {
      'shells/node/a.ts': "import { b } from '../common/b.ts'\nimport { c } from 'node:net'",
      'shells/cli/main.ts': "const { start } = await import('../node/mod.ts')",
    },
  ],
  'nobody imports props': [
    [
      { 'core/a.ts': "import { b } from '../props/b.ts'" },
      { 'shells/cli/a.ts': "import type { B } from '../../props/gen/b.ts'" },
    ],
    { 'props/a.ts': "import { b } from './gen/b.ts'" },
  ],
  'no files import each other in a ring': [
    [
      {
        'core/a.ts': "import { b } from './b.ts'",
        'core/b.ts': "import { c } from './c.ts'",
        'core/c.ts': "export { a } from './a.ts'",
      },
    ],
    {
      'core/a.ts': "import { b } from './b.ts'",
      'core/b.ts': "import type { A } from './a.ts'",
    },
  ],
  'core knows no clock, no chance, no runtime': [
    [
      { 'core/a.ts': 'const at = Date.now()' },
      { 'core/a.ts': 'const at = new Date()' },
      { 'core/a.ts': 'const id = Math.random()' },
      { 'core/a.ts': "console.log('a')" },
      { 'core/a.ts': 'setTimeout(f, 1)' },
      { 'core/a.ts': 'const at = performance.now()' },
      { 'core/a.ts': 'const text = new TextDecoder()' },
      { 'core/a.ts': 'const text = new TextEncoder()' },
      { 'core/a.ts': 'const home = process.env' },
      { 'core/a.ts': 'const home = Deno.cwd()' },
      { 'core/a.ts': 'const g = globalThis' },
      { 'core/a.ts': 'const id = crypto.randomUUID()' },
      { 'core/a.ts': 'const { env } = { process }' },
      { 'core/a.ts': 'const order = a.localeCompare(b)' },
      { 'core/a.ts': 'const where = import.meta.url' },
      { 'core/a.ts': "const b = import('./b.ts')" },
      { 'core/a.ts': 'const f = async () => 1' },
      { 'core/a.ts': 'const f = (g: Promise<number>) => g' },
    ],
    {
      'core/a.ts': '// no Deno\nconst s = "Date"\nconst c = a.console\ntype T = { Date: 1 }',
      'shells/common/a.ts': 'const at = Date.now()',
    },
  ],
  'a shell speaks the language of its runtime only': [
    [
      { 'shells/common/a.ts': 'const home = process.cwd()' },
      { 'shells/common/a.ts': 'const home = Deno.cwd()' },
      { 'shells/simulator/a.ts': 'const at = process.hrtime()' },
      { 'shells/node/a.ts': 'Deno.listen({ port: 1 })' },
      { 'shells/deno/a.ts': 'const b = Buffer.alloc(1)' },
      { 'shells/cli/a.ts': "import { lchownSync } from 'node:fs'" },
    ],
    {
      'shells/deno/a.ts': 'Deno.listen({ port: 1 })',
      'shells/node/a.ts': 'const b = Buffer.alloc(1)',
      'shells/cli/a.ts': "const onDeno = 'Deno' in globalThis",
      'shells/cli/b.ts': 'fs.lchownSync(path, 1, 1)',
    },
  ],
  'every suite is run': [
    [
      { 'props/a.test.ts': test },
      { 'props/a.test.ts': `${test}// codec.run()\n` },
      { 'props/a.test.ts': `${test}const topic = suite('topic')\ncodec.run()\n` },
      { 'props/gen/a.ts': "import { suite } from 'uvu'\nsuite('a')('b', f)\n" },
    ],
    { 'props/a.test.ts': `${test}codec.run()\n` },
  ],
  'every test file has a suite': [
    [
      { 'props/a.test.ts': "import { suite } from 'uvu'\n" },
      { 'props/a.test.ts': "const codec = suite('codec')\ncodec.run()\n" },
      {
        'props/a.test.ts': "import { b } from './b.ts'\nb()\n",
        'props/b.ts': 'export const b = f',
      },
    ],
    {
      'props/a.test.ts': "import { table } from './b.ts'\ntable()\n",
      'props/b.ts': "import { suite } from 'uvu'",
      'props/c.test.ts': test,
    },
  ],
  'no test is left out': [
    [
      { 'props/a.test.ts': "codec.only('a', f)" },
      { 'props/a.test.ts': "codec.skip('a', f)" },
    ],
    { 'props/a.test.ts': "// codec.only('a', f)\nconst only = range.skip" },
  ],
  'asynchronous properties are awaited': [
    [{ 'props/a.test.ts': 'fc.assert(fc.asyncProperty(a, f))' }],
    {
      'props/a.test.ts':
        'await fc.assert(fc.asyncProperty(a, f))\nconst p = () => fc.assert(fc.asyncProperty(a))',
      'props/b.test.ts': 'fc.assert(fc.property(a, f))',
    },
  ],
  'properties can be repeated': [
    [{ 'props/a.test.ts': 'fc.assert(fc.property(a, f))' }],
    { 'props/a.test.ts': "import './gen/settings.ts'\nfc.assert(fc.property(a, f))" },
  ],
  'RUNS reaches every property': [
    [{ 'props/a.test.ts': 'fc.assert(p, { numRuns: 300 })' }],
    { 'props/a.test.ts': 'fc.assert(p, { numRuns: runs(300) })' },
  ],
  'no any': [
    [
      { 'core/a.ts': 'const a: any = 1' },
      { 'props/a.ts': 'const a = b as any' },
      { 'props/a.ts': '// @ts-ignore because\nconst a = b' },
      { 'props/a.ts': 'const f = (): void => {\n  // @ts-expect-error\n  a()\n}' },
    ],
    { 'core/a.ts': "const any = 'as any @ts-ignore'" },
  ],
  'nothing but types to erase': [
    [
      { 'core/a.ts': 'enum A { B }' },
      { 'core/a.ts': 'namespace A { const b = 1 }' },
      { 'core/a.ts': '@sealed class A {}' },
      { 'core/a.ts': 'export default 1' },
      { 'core/a.ts': 'export default function a() {}' },
      { 'core/a.ts': "export { a as default } from './a.ts'" },
    ],
    { 'core/a.ts': 'switch (a) {\n  default:\n    b()\n}\ndeclare global {}' },
  ],
  'lines end by column 100': [
    [{ 'core/a.ts': `${wide}` }],
    { 'core/a.ts': wide.replace('x', '') },
  ],
  'lines are clean': [
    [{ 'core/a.ts': 'const a = 1 \n' }, { 'core/a.ts': '\tconst a = 1\n' }],
    { 'core/a.ts': 'const a = 1\n\n' },
  ],
  'no semicolon ends a line': [
    [
      { 'core/a.ts': 'const a = 1;\n' },
      { 'core/a.ts': 'const a = 1; // one\n' },
      { 'core/a.ts': 'interface A {\n  b: 1;\n}\n' },
      { 'core/a.ts': 'const f = () => {\n  return 1;\n}\n' },
    ],
    { 'core/a.ts': "for (let i = 0; i < 1; i++) f()\nconst s = ';'\ntype A = { b: 1; c: 2 }\n" },
  ],
  'strings stand in single quotes': [
    [{ 'core/a.ts': 'const a = "b"' }],
    { 'core/a.ts': `const a = "it's"\nconst b = '"'` },
  ],
  'every file says what it is for': [
    [{ 'core/a.ts': 'const a = 1' }],
    { 'core/a.ts': '// One.\nconst a = 1', 'shells/cli/main.ts': '#!/usr/bin/env node\n// All.' },
  ],
  'nothing is left unfinished': [
    [{ 'core/a.ts': 'const a = 1 // FIX' + 'ME' }],
    { 'core/a.ts': '// All is well.' },
  ],
  'a README names the files beside it': [
    [
      { 'core/data/README.md': '`a.ts`', 'core/data/a.ts': '', 'core/data/b.ts': '' },
      { 'core/data/README.md': '`a.ts`, `b.ts`', 'core/data/a.ts': '' },
      { 'core/data/README.md': '`a-*.ts`', 'core/data/b.ts': '' },
    ],
    {
      'core/data/README.md': '`a.ts`, `b-*.ts`, not `common/c.ts`',
      'core/data/a.ts': '',
      'core/data/b-c.ts': '',
      'core/data/mod.ts': '',
      'core/data/deep/d.ts': '',
    },
  ],
  'every folder has a README': [
    [
      { 'core/README.md': '', 'core/data/a.ts': '' },
      { 'shells/cli/README.md': '', 'shells/cli/main.ts': '' },
    ],
    { 'core/README.md': '', 'core/data/README.md': '', 'core/data/a.ts': '', 'props/gen/a.ts': '' },
  ],
  'the guide to the properties is whole': [
    [
      { 'props/codec.test.ts': test },
      { 'props/codec.test.ts': test, 'props/README.md': '| `data` | codec |' },
    ],
    { 'props/codec.test.ts': test, 'props/README.md': '| `data`, `codec` |' },
  ],
  'what is offered says what it is': [
    [
      { 'core/mod.ts': 'export const a = 1' },
      { 'core/mod.ts': "export * from './a/mod.ts'", 'core/a/mod.ts': 'export interface A {}' },
      { 'core/mod.ts': "export * as A from './a.ts'", 'core/a.ts': 'export type B = 1' },
      {
        'shells/node/mod.ts': "export { a as b } from './a.ts'",
        'shells/node/a.ts': 'export const a = 1',
      },
    ],
    {
      'core/mod.ts': "export { b } from './a.ts'\nexport type { C } from './a.ts'",
      'core/a.ts':
        'export const a = 1\n/** B. */\nexport const b = 1\n/** C. */\nexport type C = 1',
    },
  ],
  'the shells are twins': [
    [
      { 'shells/node/a.ts': '' },
      { 'shells/deno/a.ts': '' },
      { 'shells/node/deno-a.ts': '' },
      { 'shells/node/a.ts': 'export const a = 1', 'shells/deno/a.ts': 'const a = 1' },
      { 'shells/node/a.ts': 'type A = 1', 'shells/deno/a.ts': 'export type A = 1' },
    ],
    {
      'shells/node/a.ts': 'export const a = 1\nexport interface B {}',
      'shells/deno/a.ts': 'const a = 2\ntype B = 2\nexport { a }\nexport type { B }',
      'shells/node/node-a.ts': 'export const c = 1',
    },
  ],
  'package.json and deno.json agree': [
    [
      { 'package.json': '{ "dependencies": { "fp-ts": "2.16.11" } }', 'deno.json': '{}' },
      { 'package.json': '{ "devDependencies": { "uvu": "^0.5.6" } }', 'deno.json': '{}' },
      { 'package.json': '{ "optionalDependencies": { "a": "^1.0.0" } }', 'deno.json': '{}' },
      { 'package.json': '{}', 'deno.json': '{ "imports": { "ws": "npm:ws@8.0.0" } }' },
      {
        'package.json': '{ "version": "1.0.0" }',
        'shells/common/version.ts': "export const version = '1.0.1'",
      },
      {
        'package.json': '{ "dependencies": { "a": "1.0.0" } }',
        'deno.json': '{ "imports": { "a": "npm:a@1.0.1", "a/": "npm:/a@1.0.0/" } }',
      },
    ],
    {
      'package.json': '{ "dependencies": { "a": "1.0.0" } }',
      'deno.json': '{ "imports": { "a": "npm:a@1.0.0", "a/": "npm:/a@1.0.0/" } }',
    },
  ],
  'the top of the house is tidy': [
    [{ 'x.1': '' }, { 'web/page.html': '' }],
    { 'package.json': '{}', 'core/x.1': '', '.ci/run': '' },
  ],
}

const house = readHouse()
const tidy = suite('tidy')

tidy('there is something to look at', () => {
  assert.ok([...house.keys()].filter((path) => path.startsWith('core/')).length > 20)
  assert.ok(house.has('props/tidy.test.ts'))
})

tidy('every rule is shown to fail', () => {
  assert.equal(Object.keys(examples).sort(), Object.keys(rules).sort())
})

for (const [name, rule] of Object.entries(rules)) {
  tidy(`${name}: the examples`, () => {
    const [bad, good] = examples[name] ?? [[], {}]
    assert.ok(bad.length > 0)
    for (const files of bad) {
      const complaints = rule(new Map(Object.entries(files)))
      assert.is(complaints.length > 0, true, `nothing found in ${JSON.stringify(files)}`)
    }
    assert.equal(rule(new Map(Object.entries(good))), [])
  })

  tidy(name, () => {
    const complaints = rule(house)
    assert.is(complaints.join('\n'), '')
  })
}

tidy.run()
