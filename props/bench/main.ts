// The bench: `npm run bench -- --help`. It prints what brokers do for the CPU time they use, side
// by side, in one run. README.md beside this file says how, and what the figures mean.

import { check } from './check.ts'
import { type Contestant, makeContestant, profileFolder, versions } from './contestants.ts'
import { type CoreResult, runCore } from './core-run.ts'
import { type CrowdResults, runCrowd } from './crowd.ts'
import { type DurableResults, durableText, runDurable } from './durable.ts'
import { goalsOf } from './goals.ts'
import { measureRow, type RowResult, type Settings } from './measure.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { compile } from './processes.ts'
import { profileText } from './profile.ts'
import { type QueueResult, queueText, runQueue } from './queue-memory.ts'
import { type RecordingCost, runRecording } from './recording.ts'
import type { Row } from './rows.ts'
import { growth, type GrowthRow, growthText } from './growth.ts'
import { coreText, crowdText, goalsText, recordingText, rowText } from './table.ts'

const print = (text: string): void => void process.stdout.write(text + '\n')

const sentenceOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** Those who can take part; a sentence on standard error about each who cannot. */
const gather = (options: Options): ReadonlyArray<Contestant> =>
  options.contestants.flatMap((name) => {
    try {
      return [makeContestant(name, options.profile)]
    } catch (error) {
      process.stderr.write(`${name} does not take part: ${sentenceOf(error)}\n`)
      return []
    }
  })

/** Sabethes and mosquitto always; the others where the row wants them, or where they were asked. */
const takesPart = (name: string, row: Row, options: Options): boolean => {
  if (name === 'relay' && (row.ratePerS > 0 || row.shape === 'mixed')) return false
  if (options.isChoice || !['aedes', 'relay'].includes(name)) return true
  return row.others.includes(name)
}

const measureRows = async (
  options: Options,
  settings: Settings,
  contestants: ReadonlyArray<Contestant>,
): Promise<RowResult[]> => {
  const results: RowResult[] = []
  for (const row of options.rows) {
    const fitting = contestants.filter(({ name }) => takesPart(name, row, options))
    const result = await measureRow(row, fitting, settings)
    results.push(result)
    if (!options.json) print(rowText(result))
  }
  return results
}

const measureCrowd = async (
  options: Options,
  contestants: ReadonlyArray<Contestant>,
): Promise<CrowdResults> => {
  const results = await runCrowd(options.crowdRows, contestants)
  if (!options.json && options.crowdRows.length > 0) print(crowdText(results))
  return results
}

const measureDurable = async (options: Options): Promise<DurableResults | null> => {
  const { durableRows, contestants, durableSeconds } = options
  const results = await runDurable(durableRows, contestants, durableSeconds)
  if (!options.json && results !== null) print(durableText(results))
  return results
}

const measureCore = async (options: Options): Promise<ReadonlyArray<CoreResult>> => {
  if (options.coreRows.length === 0) return []
  const results = await runCore(options.coreRows, options.contestants)
  if (!options.json) print(coreText(results))
  return results
}

const measureGrowth = async (options: Options): Promise<ReadonlyArray<GrowthRow>> => {
  if (options.growthRows.length === 0) return []
  const results = await growth(options.seconds, options.growthRows)
  if (!options.json) print(growthText(results))
  return results
}

const measureQueue = async (options: Options): Promise<ReadonlyArray<QueueResult>> => {
  if (options.queueRows.length === 0) return []
  const results = await runQueue(options.queueRows, options.contestants)
  if (!options.json) print(queueText(results))
  return results
}

const measureRecording = async (
  options: Options,
  settings: Settings,
): Promise<ReadonlyArray<RecordingCost>> => {
  const { recordingRows, contestants } = options
  const results = await runRecording(recordingRows, contestants, settings)
  if (!options.json && results.length > 0) print(recordingText(results))
  return results
}

/** A row that lost, doubled or changed a message of ours, or that we could not serve at all. */
const isOurFailure = ({ results, columns }: RowResult): boolean =>
  [results, ...columns.map((column) => column.results)].flat().some(
    ({ name, failure }) => failure !== null && (name === 'node' || name === 'deno'),
  )

const main = async (): Promise<number> => {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    print(usage)
    return 0
  }
  const settings: Settings = { ...options, load: compile('load') }
  if (options.check) return (await check(settings)) ? 0 : 1
  const versionTable = versions()
  const versionText = Object.entries(versionTable).map(([name, version]) => `${name} ${version}`)
  if (!options.json) print(versionText.join(', ') + '\n')
  const needsBrokers = options.rows.length + options.crowdRows.length > 0
  const contestants = needsBrokers ? gather(options) : []
  const rows = await measureRows(options, settings, contestants)
  const crowd = await measureCrowd(options, contestants)
  const durable = await measureDurable(options)
  const core = await measureCore(options)
  const grown = await measureGrowth(options)
  const queue = await measureQueue(options)
  const recording = await measureRecording(options, settings)
  const goals = goalsOf(rows, crowd, recording)
  if (options.json) {
    print(
      JSON.stringify(
        { versions: versionTable, rows, crowd, durable, core, grown, queue, recording, goals },
        null,
        2,
      ),
    )
    return rows.some(isOurFailure) ? 1 : 0
  }
  if (goals.length > 0) print(goalsText(goals))
  if (options.profile) {
    for (const name of ['node', 'node-recording', 'deno']) {
      print(profileText(name, profileFolder(name), 40))
    }
  }
  return rows.some(isOurFailure) ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`bench: ${sentenceOf(error)}\n`)
  process.exitCode = 1
}
