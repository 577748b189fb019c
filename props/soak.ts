// The broker at full load for as long as you like: npm run soak -- --minutes 10. Does its heap stay
// where it was after the first minute? Status 1 if it did not, or if a message was lost, doubled or
// changed meanwhile: the load of the bench counts them (props/bench/load.c, the mixed shape).
//
// Heap and buffers are what is alive after a full collection, which this asks for once a minute;
// resident memory is what the system counts. Deno shows its resident memory only.

import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from './free-port.ts'
import { denoPath } from './bench/contestants.ts'
import { compile, folder, residentKibOf, run, sleep } from './bench/processes.ts'
import { root } from './runtimes.ts'

const usage = `npm run soak -- [--minutes N] [--deno]

--minutes N   how long (10)
--deno        on Deno instead of Node
`

interface Sample {
  readonly minute: number
  /** Of the objects that are alive; null where nobody tells. */
  readonly heapMib: number | null
  readonly buffersMib: number | null
  readonly residentMib: number
}

/** Loaded before the broker: on SIGUSR2 it collects and prints what is left. */
const reporter = `
process.on('SIGUSR2', () => {
  gc()
  // Buffers are given back a little later, by another thread.
  setTimeout(() => {
    gc()
    console.log('MEMORY ' + JSON.stringify(process.memoryUsage()))
  }, 100)
})`

const mib = (bytes: number): number => bytes / 1024 / 1024

const shown = (value: number | null): string =>
  value === null ? '' : `${value.toFixed(1)} MiB`.padStart(12)

const lineOf = ({ minute, heapMib, buffersMib, residentMib }: Sample): string =>
  `minute ${String(minute).padStart(3)}  heap ${shown(heapMib)}  buffers ${shown(buffersMib)}` +
  `  resident ${shown(residentMib)}\n`

/** The newest report in the log of the broker. */
const reportIn = (log: string): { heapUsed: number; arrayBuffers: number } | null => {
  const line = readFileSync(log, 'utf8').trim().split('\n').findLast((one) =>
    one.startsWith('MEMORY ')
  )
  return line === undefined ? null : JSON.parse(line.slice('MEMORY '.length))
}

/** A quarter and so much more is what full load moves from one moment to the next. */
const slackMib = 16

/** Each of 100 subscribers may be owed as much as a MiB; how much it is, is the moment's. */
const buffersSlackMib = 64

const verdictOn = (first: Sample, last: Sample): string[] => {
  const grown: string[] = []
  const compare = (
    name: string,
    before: number | null,
    after: number | null,
    slack: number,
  ): void => {
    if (before === null || after === null || after <= before * 1.25 + slack) return
    grown.push(`${name} grew from ${before.toFixed(1)} to ${after.toFixed(1)} MiB`)
  }
  compare('the heap', first.heapMib, last.heapMib, slackMib)
  compare('what buffers hold', first.buffersMib, last.buffersMib, buffersSlackMib)
  compare('resident memory', first.residentMib, last.residentMib, buffersSlackMib)
  return grown
}

const commandOf = (onDeno: boolean, port: number): readonly [string, string[]] => {
  const options = ['-q', '-p', String(port)]
  if (!onDeno) {
    const preload = `data:text/javascript,${encodeURIComponent(reporter)}`
    const flags = ['--expose-gc', '--import', preload]
    return [process.execPath, [...flags, join(root, 'dist/shells/cli/main.js'), ...options]]
  }
  const deno = denoPath()
  if (deno === null) throw new Error('there is no Deno, and npx cannot fetch it')
  const permissions = ['--allow-net', '--allow-read', '--allow-env']
  return [deno, ['run', ...permissions, join(root, 'shells/cli/main.ts'), ...options]]
}

const soak = async (minutes: number, onDeno: boolean): Promise<number> => {
  const load = compile('load')
  const port = await freePort()
  const [command, args] = commandOf(onDeno, port)
  const log = join(folder, 'soak.log')
  const file = openSync(log, 'w')
  const broker = spawn(command, args, { cwd: root, stdio: ['ignore', file, file] })
  process.on('exit', () => broker.kill('SIGKILL'))
  const pid = broker.pid ?? 0
  await sleep(1_500)

  const sample = async (minute: number): Promise<Sample> => {
    const residentMib = residentKibOf(pid) / 1024
    if (onDeno) return { minute, heapMib: null, buffersMib: null, residentMib }
    broker.kill('SIGUSR2')
    await sleep(1_000)
    const report = reportIn(log)
    return {
      minute,
      heapMib: report === null ? null : mib(report.heapUsed),
      buffersMib: report === null ? null : mib(report.arrayBuffers),
      residentMib,
    }
  }

  // A minute is measured one second after it began, so the load goes on a little longer.
  const seconds = minutes * 60 + 3
  const fixed = ['--shape', 'mixed', '--publishers', '100', '--subscribers', '100']
  const pace = ['--window', '20', '--warm', '0', '--seconds', String(seconds)]
  const where = ['--port', String(port), '--pid', String(pid)]
  const answer = run(load, [...fixed, ...pace, ...where], (seconds + 60) * 1_000)
  const failed = answer.then(() => null, (error: unknown) => error)
  const samples: Sample[] = []
  const startMs = performance.now()
  for (let minute = 1; minute <= minutes; minute++) {
    const untilMs = startMs + minute * 60_000 - performance.now()
    const isOver = await Promise.race([sleep(untilMs).then(() => false), answer.then(() => true)])
    if (isOver) break
    const one = await sample(minute)
    samples.push(one)
    process.stdout.write(lineOf(one))
  }
  const error = await failed
  if (error !== null) throw error
  const reading: { delivered: number; gapUs: number; error?: string } = JSON.parse(await answer)
  broker.kill('SIGTERM')
  if (reading.error !== undefined) throw new Error(reading.error)

  const deliveries = Math.round(reading.delivered).toLocaleString('en-US')
  const gapMs = (reading.gapUs / 1_000).toFixed(0)
  process.stdout.write(`${deliveries} deliveries, each as it should be; longest gap ${gapMs} ms\n`)
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined || first === last) {
    process.stdout.write('one minute says nothing about the next\n')
    return 0
  }
  const grown = verdictOn(first, last)
  for (const sentence of grown) process.stdout.write(`NO: ${sentence}\n`)
  if (grown.length > 0) return 1
  process.stdout.write('memory stayed where it was after the first minute\n')
  return 0
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      deno: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const minutes = Number(values.minutes)
  if (!(minutes >= 1)) throw new Error(`--minutes needs a number from 1, not "${values.minutes}"`)
  return soak(Math.round(minutes), values.deno)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
