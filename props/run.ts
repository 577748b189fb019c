// Runs the properties: every props/*.test.ts as a process of its own, on Node and then on Deno, and
// counts what uvu reports. Red is: a failed test, a file that reports no test, a child that ends
// without a result or outlives its time, and under CI also whatever was skipped for want of a tool.
//
//   npm test                       everything, on both runtimes
//   npm test -- codec topic        only files whose names contain one of the words
//   npm test -- --deno codec       on one runtime only (--node, --deno)
//
// Properties draw the same values in every run, so that what turns red was changed; SEED=random
// draws others, and `npm run seeds` goes on drawing until you stop it.
//
// JOBS says how many files run at a time (2), LIMIT_S after how many seconds one is killed (240).
// A file with the line `// runs: node` at its head runs on Node only (it drives both runtimes).

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { denoVersion, findDeno, root } from './runtimes.ts'

type Runtime = 'node' | 'deno'

interface Job {
  readonly runtime: Runtime
  readonly file: string
}

interface Result extends Job {
  readonly passed: number
  readonly failed: number
  readonly skipped: ReadonlyArray<string>
  /** Why the file is red although none of its tests failed. */
  readonly fault: string | null
  readonly seconds: number
  readonly output: string
}

const onDeno = 'Deno' in globalThis
const jobs = Number(process.env['JOBS'] ?? 2)
const limitS = Number(process.env['LIMIT_S'] ?? 240)
const seed = process.env['SEED'] ?? '1'
const ci = (process.env['CI'] ?? '') !== ''

const newest = (folder: string, ending: string): number => {
  let time = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith(ending)) continue
    time = Math.max(time, statSync(join(entry.parentPath, entry.name)).mtimeMs)
  }
  return time
}

const modified = (file: string): number =>
  statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Some tests start the built broker: dist must not be older than what it is built from. */
const buildIfStale = (): void => {
  const built = modified('dist/shells/cli/main.js')
  const sources = Math.max(
    newest(join(root, 'core'), '.ts'),
    newest(join(root, 'shells'), '.ts'),
    modified('tsconfig.json'),
  )
  if (built > sources) return
  console.log('dist is older than its sources: npm run build')
  const build = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
  if (build.status !== 0) console.log('the build has errors; see types.test.ts')
}

/** Words for the names of files, switches for the runtimes. */
const parseArguments = (
  args: ReadonlyArray<string>,
): { readonly words: ReadonlyArray<string>; readonly runtimes: ReadonlyArray<Runtime> } => {
  const words = args.filter((arg) => !arg.startsWith('--'))
  const runtimes = (['node', 'deno'] as const).filter((name) => args.includes(`--${name}`))
  for (const arg of args) {
    if (!arg.startsWith('--') || arg === '--node' || arg === '--deno') continue
    console.error(`unknown option ${arg}; there are --node and --deno`)
    process.exit(2)
  }
  return { words, runtimes: runtimes.length > 0 ? runtimes : ['node', 'deno'] }
}

const runsOn = (file: string): ReadonlyArray<Runtime> => {
  const head = readFileSync(join(root, 'props', file), 'utf8').slice(0, 2_000)
  const only = /^\/\/ runs: (node|deno)$/m.exec(head)?.[1]
  return only === 'node' || only === 'deno' ? [only] : ['node', 'deno']
}

const argumentsFor = (job: Job): ReadonlyArray<string> =>
  job.runtime === 'node'
    ? ['--import', 'tsx', '--import', './props/guard.ts', `props/${job.file}`]
    : ['run', '-A', '--preload', './props/guard.ts', `props/${job.file}`]

/** The command that runs this file once more, as one would type it. */
const repeat = (job: Job): string =>
  (seed === 'random' ? '' : `SEED=${seed} `) +
  (job.runtime === 'node' ? `npx tsx props/${job.file}` : `deno run -A props/${job.file}`)

const alive = new Set<ChildProcess>()

/** Ends the child and whatever it left behind: each child runs in a process group of its own. */
const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left in the group, which is as it should be.
  }
}

const lastCount = (output: string, word: string): number | null => {
  const counts = [...output.matchAll(new RegExp(`^  ${word}: +(\\d+)$`, 'gm'))]
  const last = counts.at(-1)?.[1]
  return last === undefined ? null : Number(last)
}

/** What the output of a finished child says. */
const judge = (
  job: Job,
  output: string,
  status: number | null,
  seconds: number,
  lateIn: string | null,
): Result => {
  const total = lastCount(output, 'Total')
  const passed = lastCount(output, 'Passed') ?? 0
  const skipped = [...output.matchAll(/^SKIPPED: (.+)$/gm)].map((match) => match[1] ?? '')
  const ownSkips = lastCount(output, 'Skipped') ?? 0
  // A suite whose `before` hook throws ends without an error in uvu, with its tests not run: so
  // what did not pass has failed, whatever uvu calls it.
  const failed = (total ?? 0) - passed
  const fault = lateIn !== null
    ? `killed after ${limitS} s in ${lateIn}`
    : total === null
    ? `ended with status ${status} and no result`
    : total === 0
    ? 'reported no tests'
    : ownSkips > 0
    ? `${ownSkips} tests left out by .skip or .only`
    : status !== 0 && failed === 0
    ? `ended with status ${status}`
    : ci && skipped.length > 0
    ? 'something was skipped, which CI does not allow'
    : null
  return { ...job, passed, failed, skipped, fault, seconds, output }
}

const run = (job: Job, binary: string, scratch: string): Promise<Result> =>
  new Promise((resolve) => {
    const started = performance.now()
    const journal = join(scratch, `${job.runtime}-${job.file}`)
    const { FORCE_COLOR: _, SEED: __, ...environment } = process.env
    const seeded = seed === 'random' ? {} : { SEED: seed }
    const child = spawn(binary, argumentsFor(job), {
      cwd: root,
      env: { ...environment, ...seeded, NO_COLOR: '1', GUARD_JOURNAL: journal },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    alive.add(child)
    let output = ''
    const hear = (text: string): void => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    let lateIn: string | null = null
    const timer = setTimeout(() => {
      try {
        lateIn = readFileSync(journal, 'utf8')
      } catch {
        lateIn = 'no test at all'
      }
      killGroup(child)
    }, limitS * 1000)
    let status: number | null = null
    child.on('exit', (code) => {
      status = code
      clearTimeout(timer)
      // Whoever was left behind would also hold our pipes open.
      killGroup(child)
    })
    child.on('error', (error) => hear(`${error.message}\n`))
    child.on('close', () => {
      clearTimeout(timer)
      alive.delete(child)
      resolve(judge(job, output, status, (performance.now() - started) / 1000, lateIn))
    })
  })

const isRed = (result: Result): boolean => result.failed > 0 || result.fault !== null

const report = (result: Result): void => {
  const { runtime, file, passed, failed, skipped, fault, seconds } = result
  const mark = isRed(result) ? 'FAIL' : 'ok  '
  const counts = `${passed} passed` + (failed > 0 ? `, ${failed} failed` : '') +
    (skipped.length > 0 ? `, ${skipped.length} skipped` : '')
  const time = seconds.toFixed(1).padStart(6)
  console.log(`${mark} ${runtime}  ${file.padEnd(28)} ${time} s  ${counts}`)
  for (const what of skipped) console.log(`     skipped: ${what}`)
  if (!isRed(result)) return
  console.log(`\n${result.output.trimEnd()}\n`)
  if (fault !== null) console.log(`${file} on ${runtime}: ${fault}`)
  console.log(`Repeat with:\n  ${repeat(result)}\n`)
}

const table = (results: ReadonlyArray<Result>): void => {
  const cell = (file: string, runtime: Runtime): string => {
    const result = results.find((each) => each.file === file && each.runtime === runtime)
    return result === undefined
      ? ''
      : isRed(result)
      ? 'FAILED'
      : `${result.passed} in ${result.seconds.toFixed(1)} s`
  }
  const files = [...new Set(results.map((result) => result.file))].sort()
  console.log(`\n${'file'.padEnd(28)}  ${'node'.padStart(16)}  ${'deno'.padStart(16)}`)
  for (const file of files) {
    const columns = [cell(file, 'node'), cell(file, 'deno')].map((text) => text.padStart(16))
    console.log([file.padEnd(28), ...columns].join('  ').trimEnd())
  }
}

const main = async (): Promise<number> => {
  const { words, runtimes } = parseArguments(process.argv.slice(2))
  const files = readdirSync(join(root, 'props'))
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort()
  if (files.length === 0) {
    console.error(`no test file is named like ${words.join(' or ')}`)
    return 2
  }
  const pending: Job[] = runtimes.flatMap((runtime) =>
    files.filter((file) => runsOn(file).includes(runtime)).map((file) => ({ runtime, file }))
  )
  buildIfStale()
  const deno = findDeno()
  const missing = deno === null && pending.some(({ runtime }) => runtime === 'deno')
  if (missing) console.log(`SKIPPED: everything on Deno because deno ${denoVersion} is missing`)
  // Tests that start Deno themselves find the same one.
  if (deno !== null) {
    process.env['PATH'] = `${dirname(deno)}${delimiter}${process.env['PATH'] ?? ''}`
  }
  const binaries = { node: onDeno ? 'node' : process.execPath, deno: deno ?? '' }

  const scratch = mkdtempSync(join(tmpdir(), 'sabethes-props-'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      for (const child of alive) killGroup(child)
      rmSync(scratch, { recursive: true, force: true })
      process.exit(1)
    })
  }
  const results: Result[] = []
  const worker = async (): Promise<void> => {
    for (let job = pending.shift(); job !== undefined; job = pending.shift()) {
      if (binaries[job.runtime] === '') continue
      const result = await run(job, binaries[job.runtime], scratch)
      results.push(result)
      report(result)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  rmSync(scratch, { recursive: true, force: true })

  table(results)
  const sum = (count: (result: Result) => number): number =>
    results.reduce((total, result) => total + count(result), 0)
  const passed = sum((result) => result.passed)
  // A file that is red for a reason of its own counts as one failure.
  const failed = sum((result) => result.failed + (result.fault === null ? 0 : 1)) +
    (missing && ci ? 1 : 0)
  const skipped = sum((result) => result.skipped.length) + (missing ? 1 : 0)
  for (const result of results.filter(isRed)) {
    const why = result.fault === null ? '' : `, ${result.fault}`
    console.log(`FAILED on ${result.runtime}: ${result.file}${why}`)
  }
  console.log(
    `\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  )
  return failed > 0 ? 1 : 0
}

process.exitCode = await main()
