// The core in a browser: one script, made by a bundler from core/mod.ts, in which no name of
// Node or Deno occurs, and which holds a conversation in a world where nothing exists but the
// language itself (no console, no timer, no TextDecoder: an empty realm is poorer than any
// browser).

import * as esbuild from 'esbuild'
import { createContext, runInContext } from 'node:vm'
import { join } from 'node:path'
import ts from 'typescript'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './runtimes.ts'

const bundle = async (entry = 'core/mod.ts'): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(root, entry)],
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
  const script = await bundle('shells/simulator/mod.ts')
  // The timer is for `advanceAsync`, which lets others have a turn; io-ts would warn of tagged
  // unions, of which there are none.
  assert.equal(foreignNames(script), ['console', 'setTimeout'])
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

browser.run()
