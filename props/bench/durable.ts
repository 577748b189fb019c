// The rows of what is kept: publishers at QoS 1, each to a durable session that is away or there.
// The broker is killed (SIGKILL) in the middle of it and started again, and then every session must
// get at least what was acknowledged. durable.c plays the clients.

import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { denoPath } from './contestants.ts'
import { compile, folder, root, run, type Server, startServer } from './processes.ts'

export const durableRowNames = ['durable-offline', 'durable-online']

export const pairs = 50
const payloadBytes = 64

interface Case {
  readonly row: string
  readonly isOnline: boolean
  readonly window: number
  readonly level: 4 | 5
}

const cases: ReadonlyArray<Case> = [
  { row: 'durable-offline', isOnline: false, window: 100, level: 4 },
  { row: 'durable-offline', isOnline: false, window: 20, level: 5 },
  { row: 'durable-online', isOnline: true, window: 100, level: 4 },
  { row: 'durable-online', isOnline: true, window: 20, level: 5 },
]

/** What durable.c reports of the publishing. */
interface Published {
  readonly seconds: number
  readonly acked: number
  readonly perS: number
  readonly delivered: number
  readonly cpuS: number
  readonly each: string
  readonly had: string
}

interface Drained {
  readonly seconds: number
  readonly got: number
  readonly missing: number
}

export interface DurableResult {
  readonly row: string
  readonly name: string
  readonly window: number
  readonly level: 4 | 5
  readonly failure: string | null
  /** Acknowledged a second, with CPU time of all of the broker's threads for 100,000 of them. */
  readonly ackedPerS: number
  readonly cpuSPer100k: number
  /** Acknowledged, and of those what was lost when the broker was killed; null: not counted. */
  readonly acked: number
  readonly lost: number | null
  /** From the start after the kill until the port answered. */
  readonly restartS: number
  /** From the first CONNECT until the last message was given out; 0 if nobody waited for it. */
  readonly drainedS: number
}

export interface DurableResults {
  /** What a flush costs on the file system of the store: the median of some of 4 KiB, ms. */
  readonly flushMs: number
  readonly results: ReadonlyArray<DurableResult>
}

export interface Contestant {
  readonly name: string
  /** Waits until the port answers, with so many messages to be loaded first. */
  readonly start: (port: number, store: string, messages: number) => Promise<Server>
}

// The store lies beside the sources, since the temporary folder may be no disk at all.
export const storeFolder = join(root, 'data', 'bench')

/**
 * How long a broker may take to load or to give out so many messages: what it needs is a tenth of
 * it on a quiet machine.
 */
export const patienceMs = (messages: number): number => 20_000 + messages / 5

const mosquitto = (name: string, lines: ReadonlyArray<string>): Contestant => ({
  name,
  start: (port, store, messages) => {
    const path = join(folder, `durable-${port}.conf`)
    const all = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'max_queued_messages 0',
      'log_dest none',
      'user root',
      'persistence true',
      `persistence_location ${store}/`,
      ...lines,
    ]
    writeFileSync(path, all.join('\n') + '\n')
    return startServer(name, 'mosquitto', ['-c', path], port, patienceMs(messages))
  },
})

const script = join(root, 'props/bench/durable-broker.ts')

/** Brokers with a store, of those that are named. */
export const contestants = (names: ReadonlyArray<string>): ReadonlyArray<Contestant> => {
  const found: Contestant[] = []
  if (names.includes('node')) {
    found.push({
      name: 'node',
      start: (port, store, messages) =>
        startServer(
          'node',
          process.execPath,
          ['--import', 'tsx', script, String(port), store],
          port,
          patienceMs(messages),
        ),
    })
  }
  const deno = names.includes('deno') ? denoPath() : null
  if (deno !== null) {
    found.push({
      name: 'deno',
      start: (port, store, messages) =>
        startServer(
          'deno',
          deno,
          ['run', '-A', script, String(port), store],
          port,
          patienceMs(messages),
        ),
    })
  }
  if (names.includes('mosquitto')) {
    found.push(
      mosquitto('mosquitto, saving every change', [
        'autosave_on_changes true',
        'autosave_interval 1',
      ]),
      mosquitto('mosquitto, its default', []),
    )
  }
  return found
}

/** The median of some flushes of 4 KiB, in milliseconds. */
const flushTime = (): number => {
  const path = join(storeFolder, 'flush')
  const file = openSync(path, 'w')
  const block = new Uint8Array(4096)
  const times = Array.from({ length: 51 }, () => {
    const begun = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    return performance.now() - begun
  }).sort((a, b) => a - b)
  closeSync(file)
  rmSync(path)
  return times[25] ?? 0
}

export const kill = async (server: Server): Promise<void> => {
  process.kill(server.pid, 'SIGKILL')
  await server.stop()
}

/** What the load says of one of its modes, within so many milliseconds. */
export const ask = async <A>(
  program: string,
  mode: string,
  args: ReadonlyArray<string>,
  withinMs = 120_000,
): Promise<A> => {
  const value: A & { error?: string } = JSON.parse(
    await run(program, ['--mode', mode, ...args], withinMs),
  )
  if (value.error !== undefined) throw new Error(value.error)
  return value
}

const measure = async (
  program: string,
  { name, start }: Contestant,
  { row, isOnline, window, level }: Case,
  seconds: number,
): Promise<DurableResult> => {
  const store = join(storeFolder, `${name.replaceAll(/\W+/g, '-')}-${row}-${window}`)
  rmSync(store, { recursive: true, force: true })
  mkdirSync(store, { recursive: true })
  const port = await freePort()
  const of = (pid: number): string[] => [
    ...['--port', String(port), '--pid', String(pid), '--pairs', String(pairs)],
    ...['--window', String(window), '--level', String(level), '--bytes', String(payloadBytes)],
  ]
  let server = await start(port, store, 0)
  try {
    if (!isOnline) await ask(program, 'prepare', of(server.pid))
    const published = await ask<Published>(program, 'publish', [
      ...of(server.pid),
      ...['--seconds', String(seconds), '--online', isOnline ? '1' : '0'],
    ], 60_000 + seconds * 1000)
    await kill(server)
    const begun = performance.now()
    server = await start(port, store, published.acked)
    const restartS = (performance.now() - begun) / 1000
    // Who was there has had most of it; the rest is in flight, and nobody can say which.
    const drained = isOnline ? null : await ask<Drained>(
      program,
      'drain',
      [...of(server.pid), '--acked', published.each],
      patienceMs(published.acked) + 40_000,
    )
    return {
      ...{ row, name, window, level, failure: null, restartS },
      ackedPerS: published.perS,
      cpuSPer100k: published.cpuS / published.acked * 100_000,
      acked: published.acked,
      lost: drained === null ? null : drained.missing,
      drainedS: drained === null ? 0 : drained.seconds,
    }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    const none = { ackedPerS: 0, cpuSPer100k: 0, acked: 0, lost: null, restartS: 0, drainedS: 0 }
    return { row, name, window, level, failure, ...none }
  } finally {
    await server.stop()
    rmSync(store, { recursive: true, force: true })
  }
}

/** Measures the named rows, once each. */
export const runDurable = async (
  names: ReadonlyArray<string>,
  brokers: ReadonlyArray<string>,
  seconds: number,
): Promise<DurableResults | null> => {
  if (names.length === 0) return null
  mkdirSync(storeFolder, { recursive: true })
  const flushMs = flushTime()
  const program = compile('durable')
  const results: DurableResult[] = []
  for (const one of cases.filter(({ row }) => names.includes(row))) {
    for (const contestant of contestants(brokers)) {
      results.push(await measure(program, contestant, one, seconds))
    }
  }
  rmSync(storeFolder, { recursive: true, force: true })
  return { flushMs, results }
}

const lineOf = (result: DurableResult): string => {
  const { name, level, window, failure, ackedPerS, cpuSPer100k, acked, lost } = result
  const { restartS, drainedS } = result
  const what = `  ${name.padEnd(31)} MQTT ${level === 5 ? '5    ' : '3.1.1'} window ${
    String(window).padEnd(4)
  }`
  if (failure !== null) return `${what} failed: ${failure}`
  return what + `${Math.round(ackedPerS).toString().padStart(8)} acknowledged/s` +
    `${cpuSPer100k.toFixed(2).padStart(7)} s CPU for 100,000` +
    `   up again in ${restartS.toFixed(1)} s` +
    (lost === null ? '' : `   given out in ${drainedS.toFixed(1)} s   ${lost} of ${acked} lost`)
}

/** The rows as text. */
export const durableText = ({ flushMs, results }: DurableResults): string =>
  [
    `What is kept: ${pairs} publishers at QoS 1, a durable session each, ${payloadBytes} bytes; ` +
    `a flush takes ${flushMs.toFixed(2)} ms here; then kill -9, start, and every session asked`,
    ...[...new Set(results.map(({ row }) => row))].flatMap((name) => [
      `${name}: the sessions are ${name === 'durable-online' ? 'there' : 'away'}`,
      ...results.filter(({ row }) => row === name).map(lineOf),
    ]),
    '',
  ].join('\n')
