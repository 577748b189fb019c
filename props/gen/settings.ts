// How properties are run, and what a failure says: the seed, the path and a command that repeats
// it. Importing this file is enough; it reads SEED, PATH_, PROP and RUNS from the environment.
//
//   SEED=319089818 npx tsx props/codec.test.ts                      the same random values again
//   SEED=319089818 PATH_=12:0:1 PROP=3 npx tsx props/codec.test.ts  the failing value of property 3
//   RUNS=20000 npx tsx props/codec.test.ts                          a longer search

import fc from 'fast-check'

const onDeno = 'Deno' in globalThis

const whole = (name: string): number | undefined => {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isInteger(value)) throw new Error(`${name}=${text} is not a whole number`)
  return value
}

/** The seed of every property in this process. fast-check wants 32 bits. */
export const seed: number = whole('SEED') ?? Math.floor(Math.random() * 0x7fffffff)

const path = process.env['PATH_'] ?? ''
const runsAsked = whole('RUNS')
const propertyAsked = whole('PROP')

/** Deno tries the first of the very values that Node has tried: what is left is the runtime. */
const runsOnDenoMin = 20

const usual = (byDefault: number): number =>
  onDeno ? Math.min(byDefault, Math.max(runsOnDenoMin, byDefault >> 2)) : byDefault

/**
 * How often a property is run: `{ numRuns: runs(300) }` is 300, on Deno a quarter of it, or RUNS
 * when that is set. A literal number would win over RUNS, which is why every property asks here.
 */
export const runs = (byDefault: number): number => runsAsked ?? usual(byDefault)

/**
 * Whether a property is run less often than it is by default, or only to repeat a failure. What it
 * meets then is left to chance, so that nobody asks whether it has met enough.
 */
export const isShortRun = (byDefault: number): boolean =>
  path !== '' || runs(byDefault) < usual(byDefault)

/** What so many runs are sure to show at least, `byDefault` of them show `least`. */
export const leastOf = (least: number, byDefault: number): number =>
  Math.min(least, Math.floor((least * runs(byDefault)) / byDefault))

/** The test file as one would type it, relative to the project. */
const file = (): string => {
  const main = process.argv[1] ?? ''
  const at = main.lastIndexOf('/props/')
  return at < 0 ? main : main.slice(at + 1)
}

const repeat = (variables: string): string =>
  onDeno ? `${variables} deno run -A ${file()}` : `${variables} npx tsx ${file()}`

// Properties of a file run one after another, so counting them names them: a path belongs to one
// property only, and another one that is told to follow it fails for no reason.
let property = 1

const configure = (): void => {
  fc.configureGlobal({
    seed,
    ...(path !== '' && (propertyAsked ?? property) === property ? { path } : {}),
    ...(runsAsked === undefined ? {} : { numRuns: runsAsked }),
    reporter: report,
  })
}

const frames = (cause: unknown): string =>
  cause instanceof Error && cause.stack !== undefined
    ? cause.stack.split('\n').filter((line) => /^\s+at /.test(line)).join('\n')
    : ''

const report = (details: fc.RunDetails<unknown>): void => {
  const number = property++
  configure()
  if (!details.failed) return
  const at = details.counterexamplePath
  const variables = at === null
    ? `SEED=${details.seed}`
    : `SEED=${details.seed} PATH_=${at} PROP=${number}`
  const cause = details.errorInstance
  const why = cause instanceof Error ? cause.message : String(cause)
  const message = fc.defaultReportMessage(details)
  const command = repeat(variables)
  const error = new Error(`${message}\n\nBecause: ${why}\n\nRepeat with:\n  ${command}\n`)
  // uvu prints the message and then what stands below the first line of the stack: the frames of
  // what went wrong, not of this report.
  error.stack = `Error\n${frames(cause)}`
  throw error
}

configure()
console.log(`seed ${seed}; repeat with: ${repeat(`SEED=${seed}`)}`)
