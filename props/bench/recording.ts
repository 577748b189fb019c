// What a recording costs. One broker is told to begin one and to end it, by turns, with the same
// load each time: two processes differ by more than a recording takes, for how they were compiled.

import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../free-port.ts'
import { buildIfStale, denoPath } from './contestants.ts'
import { measureOnce, medianOf, type Reading, type Settings } from './measure.ts'
import { folder, root, type Server, startServer } from './processes.ts'
import { type Row, rows } from './rows.ts'

export const recordingRowNames = ['recording']

/** The shapes that are recorded: all that a broker does at full speed, and a light load. */
const shapes = ['pairs-qos0', 'pairs-qos1', 'pairs-qos2', 'fan-out', 'fan-in', 'mixed', 'light']

/** How often a recording is begun and ended for a row, at least. */
const turnsMin = 7

export interface RecordingCost {
  readonly runtime: string
  readonly row: string
  readonly failure: string | null
  /** Deliveries a second with a recording, as a share of those without just before and after. */
  readonly share: number
  /** The quarter of the turns below and above which it was lower and higher. */
  readonly low: number
  readonly high: number
  /** The same of deliveries per CPU second of all threads, those that write with it. */
  readonly cpuShare: number
}

const program = 'dist/shells/cli/main.js'

const commandOf = (runtime: string): ReadonlyArray<string> => {
  if (runtime === 'node') return [process.execPath, program]
  const deno = denoPath()
  if (deno === null) throw new Error('it is not installed and npx cannot fetch it')
  return [deno, 'run', '-A', 'shells/cli/main.ts']
}

interface Switched {
  readonly server: Server
  readonly begin: () => Promise<void>
  readonly end: () => Promise<void>
}

const execute = promisify(execFile)

/** A broker that records at `hash` when it is told to. */
const startSwitched = async (runtime: string): Promise<Switched> => {
  const [command, ...words] = commandOf(runtime)
  const port = await freePort()
  const conf = join(folder, `switched-${port}.conf`)
  const file = join(folder, `switched-${port}`)
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'log_type none',
    // Or it would not be this user that may begin a recording.
    'user root',
    `trace_file ${file}`,
    'trace_on_start false',
    'trace_payload hash',
  ]
  writeFileSync(conf, lines.join('\n') + '\n')
  const server = await startServer(runtime, command!, [...words, '-c', conf], port)
  const tell = async (word: string): Promise<void> => {
    await execute(command!, [...words, 'trace', word, '-c', conf], { cwd: root, timeout: 20_000 })
  }
  return {
    server,
    begin: () => tell('start'),
    end: async () => {
      await tell('stop')
      for (const one of ['', '.1', '.2', '.3']) rmSync(file + one, { force: true })
    },
  }
}

const quarter = (values: ReadonlyArray<number>, part: number): number =>
  [...values].sort((a, b) => a - b)[Math.round((values.length - 1) * part)] ?? 0

const measure = async (runtime: string, row: Row, settings: Settings): Promise<RecordingCost> => {
  const { server, begin, end } = await startSwitched(runtime)
  const once = (warmS: number): Promise<Reading> =>
    measureOnce(row, server, settings, warmS, settings.seconds)
  try {
    // Both ways have to be compiled first.
    await once(1)
    await begin()
    await once(1)
    await end()
    let before = await once(0.2)
    const shares: number[] = []
    const cpuShares: number[] = []
    for (let turn = 0; turn < Math.max(turnsMin, settings.runs); turn++) {
      await begin()
      const recorded = await once(0.2)
      await end()
      const after = await once(0.2)
      const shareOf = (key: 'deliveredPerS' | 'deliveredPerCpuS'): number =>
        recorded[key] * 2 / (before[key] + after[key])
      shares.push(shareOf('deliveredPerS'))
      cpuShares.push(shareOf('deliveredPerCpuS'))
      before = after
    }
    return {
      runtime,
      row: row.name,
      failure: null,
      share: medianOf(shares),
      low: quarter(shares, 1 / 4),
      high: quarter(shares, 3 / 4),
      cpuShare: medianOf(cpuShares),
    }
  } finally {
    await server.stop()
  }
}

const failed = (runtime: string, row: string, error: unknown): RecordingCost => ({
  ...{ runtime, row, failure: error instanceof Error ? error.message : String(error) },
  ...{ share: 0, low: 0, high: 0, cpuShare: 0 },
})

/** Measures what a recording costs in each row, if that was asked for. */
export const runRecording = async (
  names: ReadonlyArray<string>,
  brokers: ReadonlyArray<string>,
  settings: Settings,
): Promise<ReadonlyArray<RecordingCost>> => {
  if (names.length === 0) return []
  buildIfStale()
  const results: RecordingCost[] = []
  for (const runtime of ['node', 'deno']) {
    if (!brokers.includes(runtime)) continue
    for (const name of shapes) {
      const row = rows.find((one) => one.name === name)!
      results.push(
        await measure(runtime, row, settings).catch((error) => failed(runtime, name, error)),
      )
    }
  }
  return results
}

/** What is left in the geometric mean of the rows, so that each counts alike; null without any. */
export const meanShare = (
  results: ReadonlyArray<RecordingCost>,
  runtime: string,
): number | null => {
  const own = results.filter((one) => one.runtime === runtime)
  if (own.length === 0 || own.some(({ failure }) => failure !== null)) return null
  return Math.exp(own.reduce((sum, { share }) => sum + Math.log(share), 0) / own.length)
}
