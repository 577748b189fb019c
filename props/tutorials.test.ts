// runs: node
// Five tutorials that people follow, line by line, on both runtimes: what they type, what they must
// see, and their slips. What is skipped is skipped by name and stands on a list. Each is played in
// a machine of its own (tutorials/namespace.sh), where paths, ports and addresses are the
// tutorial's; where the system allows none, with other paths and ports, which is said.
//
// BROKER=mosquitto plays them against Debian's mosquitto instead, TUTORIAL=debian one of them,
// OWN_MACHINE=no with other paths and ports.

import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findDeno, root } from './runtimes.ts'
import { privateOnly, skips } from './tutorials/skips.ts'

const names = ['openwrt', 'ev3dev', 'debian', 'hackaday', 'raspberry-pi'] as const

const deno = findDeno()
const env = { ...process.env, DENO: deno ?? '' }
const script = (name: string): string => join(root, 'props/tutorials', name)

const own: ReadonlyArray<string> = [
  'unshare',
  ...['--mount', '--net', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ...['sh', script('namespace.sh')],
]

const tools = ['mosquitto_sub', 'mosquitto_passwd', 'ss', 'stdbuf']
const missing = tools.filter((name) =>
  spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).status !== 0
)

/** Whether the system gives a test a machine of its own, to root or to nobody. */
const hasOwnMachine = ((): boolean => {
  if (process.getuid?.() !== 0 || process.env['OWN_MACHINE'] === 'no') return false
  const [command = '', ...words] = own
  return spawnSync(command, [...words, 'true'], { cwd: root, env, stdio: 'ignore' }).status === 0
})()

interface Outcome {
  readonly status: number | null
  readonly output: string
}

const play = (name: string, broker: string): Promise<Outcome> =>
  new Promise((resolve) => {
    const words = [
      ...(hasOwnMachine ? own : []),
      ...[process.execPath, '--import', 'tsx', script('main.ts'), name, broker],
      ...(hasOwnMachine ? ['own'] : []),
    ]
    const [command = '', ...rest] = words
    const child = spawn(command, rest, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const hear = (text: string): void => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.on('error', (error) => hear(error.message))
    child.on('close', (status) => resolve({ status, output }))
  })

/** Many of them wait most of the time, one of them for a board that has fallen silent. */
const atATime = 4

const gate = (): <A>(work: () => Promise<A>) => Promise<A> => {
  const waiting: Array<() => void> = []
  let running = 0
  return async (work) => {
    if (running >= atATime) await new Promise<void>((go) => waiting.push(go))
    running += 1
    try {
      return await work()
    } finally {
      running -= 1
      waiting.shift()?.()
    }
  }
}

const tutorials = suite('tutorials')

const wanted = process.env['BROKER']
const brokers = wanted !== undefined ? [wanted] : ['node', ...(deno === null ? [] : ['deno'])]
if (deno === null) console.log('SKIPPED: the tutorials on Deno because deno is missing')
if (!hasOwnMachine) console.log('the tutorials run with other paths, ports and addresses')

if (missing.length > 0) {
  console.log(`SKIPPED: the tutorials because ${missing.join(', ')} is missing`)
  tutorials('there is nothing to play', () => {})
} else {
  const chosen = names.filter((name) => name.includes(process.env['TUTORIAL'] ?? ''))
  const through = gate()
  // All begin at once, as far as the gate lets them; each test waits for its own.
  const outcomes = new Map<string, Promise<Outcome>>()
  tutorials.before(() => {
    for (const name of chosen) {
      for (const broker of brokers) {
        outcomes.set(`${name} ${broker}`, through(() => play(name, broker)))
      }
    }
  })

  for (const name of chosen) {
    for (const broker of brokers) {
      tutorials(`${name}, with ${broker}`, async () => {
        const { status, output } = await outcomes.get(`${name} ${broker}`)!
        if (status !== 0) console.log(output)
        const failures = output.split('\n').filter((line) => line.startsWith('FAIL'))
        assert.equal(failures, [])
        assert.is(status, 0)
        const last: unknown = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '')
        const { played, skipped } = last as { played: number; skipped: ReadonlyArray<string> }
        assert.ok(played > 15, 'a tutorial has more lines than that')
        const known = hasOwnMachine ? skips : { ...skips, ...privateOnly }
        for (const program of skipped) assert.ok(Object.hasOwn(known, program), program)
        const left = [...new Set(skipped)].join(', ')
        console.log(`${name} with ${broker}: ${played} rows; ${skipped.length} skipped (${left})`)
      })
    }
  }
}

tutorials('whatever is said to be absent is absent, and a skip needs a name on the list', () => {
  for (const [program, { kind }] of Object.entries(skips)) {
    if (kind !== 'absent') continue
    const { status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program])
    assert.is.not(status, 0, program)
  }
})

tutorials.run()
