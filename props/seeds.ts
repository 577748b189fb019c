// Runs the properties with one seed after another, in search of values that `npm test`, which draws
// the same ones every time, never meets.
//
//   npm run seeds                        until Ctrl-C
//   MINUTES=20 npm run seeds -- codec    for a while, only files named like one of the words
//   SEED=5 npm run seeds                 begins with seed 5
//
// Prints what failed, with the command that repeats it, and ends with status 1 if anything did.

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './runtimes.ts'

const words = process.argv.slice(2)

/** A variable of the environment as a number from 0 to `max`. */
const numberOf = (name: string, otherwise: number, max: number): number => {
  const text = process.env[name] ?? ''
  const value = text === '' ? otherwise : Number(text)
  if (value >= 0 && value <= max) return value
  console.error(`${name}=${text} is no number from 0 to ${max}`)
  process.exit(2)
}

const minutes = numberOf('MINUTES', Infinity, Infinity)
const first = Math.floor(numberOf('SEED', Math.random() * 0x7fff_0000, 0x7fff_fffe))

// Files that draw nothing, or that drive real programs for most of their time, teach nothing here.
const files = readdirSync(join(root, 'props'))
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => readFileSync(join(root, 'props', name), 'utf8').includes("'./gen/settings.ts'"))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
if (files.length === 0) {
  throw new Error(`no file with properties is named like ${words.join(' or ')}`)
}

const endAt = performance.now() + minutes * 60_000
let [ran, failed] = [0, 0]
for (let seed = first; performance.now() < endAt; seed = (seed + 1) % 0x7fff_ffff) {
  for (const file of files) {
    if (performance.now() >= endAt) break
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', `props/${file}`],
      { cwd: root, env: { ...process.env, SEED: String(seed), NO_COLOR: '1' }, encoding: 'utf8' },
    )
    if (signal === 'SIGINT') process.exit(130)
    ran += 1
    if (status === 0) continue
    failed += 1
    console.log(`${stdout}${stderr}`.trimEnd())
    console.log(`FAILED: SEED=${seed} npx tsx props/${file}`)
  }
  console.log(`seed ${seed}: ${ran} files run, ${failed} failed`)
}
process.exitCode = failed > 0 ? 1 : 0
