// runs: node
// The package as a stranger gets it: packed from a copy of the sources, installed into an empty
// folder with its dependencies, then used from there by plain Node, by Deno and by the compiler.
// The programs are those that the README shows.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findDeno, root } from './runtimes.ts'

const scratch = mkdtempSync(join(tmpdir(), 'sabethes-package-'))
const source = join(scratch, 'source')
const consumer = join(scratch, 'consumer')
const installed = join(consumer, 'node_modules/sabethes')

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly all: string
}

const run = (folder: string, command: string, ...args: ReadonlyArray<string>): Outcome => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 180_000,
  })
  return { status, stdout, all: `${command} ${args.join(' ')}\n${stdout}${stderr}` }
}

/** The tarball. Packing runs `prepare`, so this is a whole build, away from our own dist. */
const pack = (): string => {
  mkdirSync(source)
  const names = 'core shells props package.json tsconfig.json .npmrc README.md CHANGELOG.md LICENSE'
  for (const name of names.split(' ')) {
    cpSync(join(root, name), join(source, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'))
  const { status, all } = run(source, 'npm', 'pack', '--silent', '--pack-destination', scratch)
  assert.is(status, 0, all)
  const name = readdirSync(scratch).find((each) => each.endsWith('.tgz'))
  assert.type(name, 'string', all)
  return join(scratch, name ?? '')
}

const filesUnder = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('node_modules/'))

/** The blocks of code in the README that stand below a comment `<!-- run: NAME -->`. */
const readmeProgram = (name: string): string => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const block = new RegExp(`<!-- run: ${name} -->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(readme)
  assert.ok(block !== null, `README.md has no program marked ${name}`)
  return block?.[1] ?? ''
}

/** What the README says that the program prints: the next block after it. */
const readmeOutput = (name: string): string => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const after = readme.slice(readme.indexOf(`<!-- run: ${name} -->`))
  return /```text\n([\s\S]*?)```/.exec(after)?.[1] ?? '(the README shows no output)'
}

const denoPath = findDeno() ?? 'deno'

const deno = (...args: ReadonlyArray<string>): Outcome => run(consumer, denoPath, ...args)

const packaged = suite('package')

packaged.after(() => rmSync(scratch, { recursive: true, force: true }))

packaged(
  'it installs into an empty folder, with three dependencies and an SQLite for older Nodes',
  () => {
    const tarball = pack()
    mkdirSync(consumer)
    writeFileSync(join(consumer, 'package.json'), '{ "type": "module", "private": true }\n')
    const quick = ['--prefer-offline', '--no-audit', '--no-fund']
    const { status, all } = run(consumer, 'npm', 'install', ...quick, tarball)
    assert.is(status, 0, all)
    const names = readdirSync(join(consumer, 'node_modules')).filter((name) =>
      !name.startsWith('.')
    )
    const optional = ['@photostructure', 'node-addon-api', 'node-gyp-build']
    assert.equal(names.sort(), [...optional, 'fp-ts', 'hash-wasm', 'io-ts', 'sabethes'].sort())
  },
)

/** A test that stands on the first one. */
const installedTest = (name: string, test: () => void): void => {
  packaged(name, () => {
    assert.ok(existsSync(installed), 'the package could not be installed')
    test()
  })
}

installedTest('it holds what was built and no more', () => {
  const files = filesUnder(installed)
  const top = (path: string): string =>
    path.split('/').slice(0, path.startsWith('dist/') ? 2 : 1).join('/')
  const tops = new Set(files.map(top))
  const expected = 'CHANGELOG.md LICENSE README.md core dist/core dist/shells package.json shells'
  assert.is([...tops].sort().join(' '), expected)
  for (const path of files.filter((each) => each.endsWith('.js'))) {
    assert.ok(files.includes(path.replace(/\.js$/, '.d.ts')), `${path} has no declarations`)
  }
})

installedTest('every file that package.json names is there', () => {
  const manifest: { readonly bin: object; readonly exports: object } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  )
  const named = JSON.stringify([manifest.bin, manifest.exports]).match(/dist\/[^"]+/g) ?? []
  assert.ok(named.length >= 7)
  for (const path of named) assert.ok(statSync(join(installed, path)).isFile(), path)
})

installedTest('every page that the README sends its reader to is there', () => {
  const readme = readFileSync(join(installed, 'README.md'), 'utf8')
  const pages = readme.match(/\b(?:core|shells)\/[\w/]+\.md\b/g) ?? []
  assert.ok(pages.length >= 6)
  for (const page of pages) assert.ok(existsSync(join(installed, page)), page)
})

installedTest('the command runs by its name', () => {
  const bin = join(consumer, 'node_modules/.bin/sabethes')
  assert.ok((statSync(bin).mode & 0o111) !== 0)
  const { status, stdout, all } = run(consumer, bin, '--version')
  assert.is(status, 0, all)
  assert.match(stdout, /sabethes version \d+\.\d+\.\d+/)
})

/** Imports each entry, and says how many names it has. */
const entries = (): string => {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const names = Object.keys(exports).filter((name) => !name.endsWith('.json'))
  assert.ok(names.length >= 6)
  const file = join(consumer, 'entries.js')
  const list = JSON.stringify(names.map((name) => name.replace('.', 'sabethes')))
  writeFileSync(
    file,
    `for (const name of ${list}) {\n` +
      '  const entry = await import(name)\n' +
      "  if (Object.keys(entry).length === 0) throw new Error(name + ' has nothing')\n}\n" +
      "console.log('all')\n",
  )
  return file
}

// That of the other runtime too, by a program for both.
installedTest('every entry can be imported by plain Node', () => {
  const { stdout, all } = run(consumer, 'node', entries())
  assert.is(stdout, 'all\n', all)
})

installedTest('every entry can be imported by Deno, which is asked for no permission', () => {
  const { stdout, all } = deno('run', '--no-prompt', '--node-modules-dir=manual', entries())
  assert.is(stdout, 'all\n', all)
})

installedTest('the types of every entry can be used', () => {
  writeFileSync(
    join(consumer, 'use.ts'),
    "import { defaults, initial, run } from 'sabethes'\n" +
      "import type { Effect, Input, State } from 'sabethes'\n" +
      "import { start } from 'sabethes/node'\n" +
      "import { simulate } from 'sabethes/simulator'\n" +
      'const state: State = initial(defaults, { at: 0, wall: 0, seed: 1 })\n' +
      'const inputs: ReadonlyArray<Input> = []\n' +
      'export const effects: ReadonlyArray<Effect> = run(state, inputs)[1]\n' +
      'export const running: ReturnType<typeof start> = start({ ports: [0] })\n' +
      "export const size: number = simulate({ seed: 2 }).connect('a').name.length\n",
  )
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const strict = '--strict --noEmit --module nodenext --target es2022'.split(' ')
  const { status, all } = run(consumer, 'node', tsc, ...strict, 'use.ts')
  assert.is(status, 0, all)
})

/** A file of types with all that it takes from others of the package. */
const typesFrom = (path: string, seen: Set<string> = new Set()): ReadonlySet<string> => {
  if (seen.has(path)) return seen
  seen.add(path)
  const text = readFileSync(path, 'utf8')
  for (const [, from = ''] of text.matchAll(/\bfrom '(\.[^']+)\.[tj]s'/g)) {
    typesFrom(join(dirname(path), `${from}.d.ts`), seen)
  }
  return seen
}

installedTest('the types of no entry need a compiler newer than TypeScript 5.0', () => {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const files = new Set<string>()
  for (const { types } of Object.values<{ readonly types?: string }>(exports)) {
    if (types !== undefined) typesFrom(join(installed, types), files)
  }
  assert.ok(files.size > 50, `${files.size} files`)
  // Arrays of bytes have known since 5.7 what memory they lie in.
  const tooNew = /\b(?:(?:Int|Uint|Float|Big\w+)\d+(?:Clamped)?Array|DataView|Buffer)</
  for (const file of files) assert.not.match(readFileSync(file, 'utf8'), tooNew, file)
})

for (const name of ['simulate', 'embed', 'listen']) {
  const program = (): string => {
    const file = `${name}.js`
    writeFileSync(join(consumer, file), readmeProgram(name))
    return file
  }

  installedTest(`the README's program "${name}" does on Node what the README says`, () => {
    const { stdout, all } = run(consumer, 'node', program())
    assert.is(stdout, readmeOutput(name), all)
  })

  installedTest(`the README's program "${name}" does on Deno what the README says`, () => {
    // The listening one names the shell it wants.
    const file = program()
    const text = readFileSync(join(consumer, file), 'utf8')
    writeFileSync(join(consumer, file), text.replace('sabethes/node', 'sabethes/deno'))
    const { stdout, all } = deno('run', '-A', '--node-modules-dir=manual', file)
    assert.is(stdout, readmeOutput(name), all)
  })
}

packaged.run()
