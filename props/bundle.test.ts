// The core in a browser: one script, made by a bundler from core/mod.ts, in which no name of
// Node or Deno occurs, and which holds a conversation in a world where nothing exists but the
// language itself (no console, no timer, no TextDecoder: an empty realm is poorer than any
// browser).

import * as esbuild from 'esbuild'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import ts from 'typescript'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { initial } from '../core/broker/state.ts'
import { E } from '../core/prelude.ts'
import { tellStory } from '../core/trace/golden.ts'
import { Replay } from '../core/trace/replay.ts'
import { usualOrigin } from '../core/trace/story.ts'
import { Teller } from '../core/trace/teller.ts'
import { recorded } from './gen/recordings.ts'
import { root } from './runtimes.ts'
import { storyFiles, storyOf } from './story/files.ts'

/** `contents`: a program in the top folder. */
const bundle = async (contents = "export * from './core/mod.ts'"): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'sabethes',
    target: 'es2022',
    // The settings of the build, not those for Node's types.
    tsconfigRaw: {},
  })
  await esbuild.stop()
  return outputFiles[0]?.text ?? ''
}

const foreign = new Set(
  `process Buffer require __dirname __filename global Deno setImmediate globalThis console
  TextDecoder TextEncoder performance Date setTimeout`.split(/\s+/),
)

/** Names used in a script that it does not define and that only a runtime could provide. */
const foreignNames = (script: string): ReadonlyArray<string> => {
  const tree = ts.createSourceFile('bundle.js', script, ts.ScriptTarget.ES2022, true)
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && foreign.has(node.text)) {
      const { parent } = node
      const isKey = (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)) &&
        parent.name === node
      if (!isKey) found.add(node.text)
    }
    if (ts.isStringLiteral(node) && /^(node:|npm:|jsr:)/.test(node.text)) found.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return [...found]
}

/** Opens a connection on which the bytes `sent` arrive; answers what comes back, all in hex. */
const conversation = `
  const { arrived, decode, defaults, encode, initial, opened, run } = sabethes
  const conn = { slot: 0, generation: 1 }
  const buffer = new Uint8Array(sent.length / 2)
  for (let i = 0; i < buffer.length; i++) buffer[i] = parseInt(sent.slice(2 * i, 2 * i + 2), 16)
  const decoded = decode(0, { buffer, start: 0, end: buffer.length })
  const { packet } = decoded.right.value
  const peer = { address: '127.0.0.1', port: 50000 }
  const inputs = [opened(conn, 0, '0', '1883', peer), arrived(conn, 0, packet)]
  const [, effects] = run(initial(defaults, { at: 0, wall: 0, seed: 1 }), inputs)
  let answer = ''
  for (const effect of effects) {
    if (effect._tag !== 'Send') continue
    for (const byte of encode(effect.level, effect.packet)) {
      answer += byte.toString(16).padStart(2, '0')
    }
  }
  answer`

const browser = suite('bundle')

browser('the search for foreign names finds them', () => {
  const script = 'const a = process.env, b = { Buffer: 1 }, c = b.Deno\nimport("node:fs")'
  assert.equal(foreignNames(script), ['process', 'node:fs'])
})

browser('core bundles for the browser without a name of Node or Deno', async () => {
  const script = await bundle()
  assert.ok(script.length > 10_000)
  assert.equal(foreignNames(script), [])
})

browser('the bundle answers a CONNECT where there is nothing but the language', async () => {
  const world = createContext({ sent: '101000044d5154540502003c000003626f62' })
  runInContext(await bundle(), world)
  const answer: unknown = runInContext(`{${conversation}}`, world)
  assert.match(String(answer), /^20[0-9a-f]{2}0000/)
})

browser('the simulator bundles as well, and wants one timer of a runtime', async () => {
  const script = await bundle("export * from './shells/simulator/mod.ts'")
  // The timer is for `advanceAsync`, which lets others have a turn; io-ts would warn of tagged
  // unions, of which there are none.
  assert.equal(foreignNames(script), ['console', 'setTimeout', 'globalThis'])
  const world = createContext({})
  runInContext(script, world)
  const program = `
    const world = sabethes.simulate()
    world.connect('b').subscribe('t', 2)
    world.connect('a').publish('t', 'x', { qos: 2 })
    world.advance('30d')
    world.deliveries('b').map(({ topic, payload }) => topic + ' ' + payload).join()`
  assert.is(runInContext(`{${program}}`, world), 't x')
})

/** Plays the recording `text` and tells everything that happens. */
const retelling = `
  const { Replay, Teller } = sabethes
  const wish = { span: { from: null, until: null }, client: null, topic: null, quiet: false }
  const teller = new Teller({ ...wish, treeOf: () => '', under: null })
  const replay = new Replay()
  const told = []
  for (const line of text.split('\\n').slice(0, -1)) {
    const found = replay.line(line)
    if (found !== null) told.push(...teller.tell(found))
  }
  for (const found of replay.finish()) told.push(...teller.tell(found))
  told.push(teller.sum())
  told.join('\\n')`

browser('a recording comes to the same text there as here, byte for byte', async () => {
  const script = await bundle(`
    export { Replay } from './core/trace/replay.ts'
    export { Teller } from './core/trace/teller.ts'`)
  // io-ts would warn of tagged unions, of which there are none.
  assert.equal(foreignNames(script), ['console'])
  const there = createContext({ text: '' })
  runInContext(script, there)
  const here = createContext({ text: '', sabethes: { Replay, Teller } })
  let bytes = 0
  for (const file of storyFiles()) {
    const story = storyOf(file)
    // Secrets are not in a recording, and so it comes to something else without them.
    if (file.text.includes('authentication-data')) continue
    const played = tellStory(story, file.file)
    if (E.isLeft(played)) throw new Error(played.left)
    const from = initial(story.config, story.origin ?? usualOrigin)
    const text = recorded(from, played.right.inputs).text
    Object.assign(there, { text })
    Object.assign(here, { text })
    const told: unknown = runInContext(`{${retelling}}`, there)
    assert.is(told, runInContext(`{${retelling}}`, here), file.file)
    assert.match(String(told), /and all came to what was recorded\.$/, file.file)
    bytes += String(told).length
  }
  assert.ok(bytes > 100_000, `${bytes} bytes`)
})

const shell = `./shells/${'Deno' in globalThis ? 'deno' : 'node'}/mod.ts`

for (const [format, name] of [['esm', 'bundle.mjs'], ['cjs', 'bundle.cjs']] as const) {
  browser(
    `a bundle (${format}) without the thread of the store says so, and what helps`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sabethes-bundle-'))
      const outfile = join(folder, name)
      try {
        await esbuild.build({
          stdin: { contents: `export * from '${shell}'`, resolveDir: root },
          bundle: true,
          platform: 'node',
          format,
          outfile,
          tsconfigRaw: {},
          logLevel: 'error',
        })
        await esbuild.stop()
        // Of somebody else, as programs may have one.
        writeFileSync(join(folder, 'worker.js'), '')
        const { start } = await import(pathToFileURL(outfile).href)
        const options = { ports: [0], persistence: { folder: join(folder, 'data') } }
        const outcome: unknown = await start(options).then(() => 'it started', String)
        assert.match(String(outcome), /^StartError: .*Leave it out of the bundle \(--external:/)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
}

browser.run()
