// The command line of the bench. Every figure that a row fixes can be given another value, so that
// one row can be looked at from several sides.

import { parseArgs } from 'node:util'
import { coreRowNames } from './core-rows.ts'
import { crowdRowNames } from './crowd.ts'
import { durableRowNames } from './durable.ts'
import { growthRowNames } from './growth.ts'
import { queueRowNames } from './queue-memory.ts'
import { recordingRowNames } from './recording.ts'
import { type Row, rows } from './rows.ts'

const contestantNames = [
  'node',
  'deno',
  'mosquitto',
  'aedes',
  'relay',
  'mosquitto-inflight',
  'node-recording',
]

export interface Options {
  readonly rows: ReadonlyArray<Row>
  readonly crowdRows: ReadonlyArray<string>
  readonly durableRows: ReadonlyArray<string>
  readonly coreRows: ReadonlyArray<string>
  /** Measured only where they are asked for. */
  readonly growthRows: ReadonlyArray<string>
  readonly queueRows: ReadonlyArray<string>
  readonly recordingRows: ReadonlyArray<string>
  readonly contestants: ReadonlyArray<string>
  /** Whether they were named on the command line: then all take part in every row. */
  readonly isChoice: boolean
  readonly level: 4 | 5
  readonly runs: number
  readonly seconds: number
  /** The same for the rows of what is kept. */
  readonly durableSeconds: number
  readonly json: boolean
  readonly profile: boolean
  readonly check: boolean
}

export const usage = `npm run bench -- [ROW ...] [options]

rows: ${rows.map((row) => row.name).join(' ')}
      ${crowdRowNames.join(' ')}
      ${coreRowNames.join(' ')}
      core (all of the last line); without a row, all of these
      ${durableRowNames.join(' ')}, or durable for these: with a store; takes minutes
      ${growthRowNames.join(' ')}, or growth for these: what it costs when there is much of it
      ${queueRowNames.join(' ')}: a million messages that wait, in bytes; takes minutes
      ${recordingRowNames.join(' ')}: what a recording costs in most of the rows; takes minutes

--runs N          how often each broker is measured in a row, by turns (3)
--seconds S       how long each time (0.5)
--brokers A,B     ${contestantNames.join(', ')} (the first five)
--level 4|5       MQTT 3.1.1 or 5.0 (4)
--window N        messages under way per publisher
--bytes N         payload
--rate N          messages a second, in place of as fast as possible
--json            one JSON value in place of tables
--profile         where the time of Sabethes goes while it is measured, by function
--check           shows that the load notices a fault, and how fast it is itself
`

const positive = (text: string | undefined, otherwise: number, name: string): number => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} needs a number above 0, not "${text}"`)
  return value
}

/** Reads the command line; throws an Error whose message is a sentence for the user. */
export const parseOptions = (args: ReadonlyArray<string>): Options | 'help' => {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: text,
      seconds: text,
      brokers: text,
      level: text,
      window: text,
      bytes: text,
      rate: text,
      json: flag,
      profile: flag,
      check: flag,
      help: flag,
    },
  })
  if (values.help) return 'help'
  const known = new Set([
    ...rows.map((row) => row.name),
    ...crowdRowNames,
    ...durableRowNames,
    ...coreRowNames,
    ...growthRowNames,
    ...queueRowNames,
    ...recordingRowNames,
    'core',
    'durable',
    'growth',
  ])
  for (const name of positionals) {
    if (!known.has(name)) throw new Error(`no row is named "${name}"; see --help`)
  }
  const contestants = values.brokers?.split(',') ?? contestantNames.slice(0, 5)
  for (const name of contestants) {
    if (!contestantNames.includes(name)) throw new Error(`no broker is named "${name}"; see --help`)
  }
  const wants = (name: string): boolean => positionals.length === 0 || positionals.includes(name)
  return {
    rows: rows
      .filter((row) => wants(row.name))
      .map((row) => ({
        ...row,
        window: positive(values.window, row.window, 'window'),
        payloadBytes: positive(values.bytes, row.payloadBytes, 'bytes'),
        // Whoever asks for a window or a level wants that one only.
        columns: values.window === undefined && values.level === undefined ? row.columns : [],
        ratePerS: values.rate === undefined ? row.ratePerS : positive(values.rate, 0, 'rate'),
      })),
    crowdRows: crowdRowNames.filter(wants),
    durableRows: durableRowNames.filter((name) =>
      positionals.includes(name) || positionals.includes('durable')
    ),
    // Longer than the others, since a disk has its moods; shorter than a disk needs to be judged.
    durableSeconds: positive(values.seconds, 3, 'seconds'),
    growthRows: growthRowNames.filter((name) =>
      positionals.includes(name) || positionals.includes('growth')
    ),
    queueRows: queueRowNames.filter((name) => positionals.includes(name)),
    recordingRows: recordingRowNames.filter((name) => positionals.includes(name)),
    coreRows: coreRowNames.filter((name) => wants(name) || positionals.includes('core')),
    contestants,
    isChoice: values.brokers !== undefined,
    level: values.level === '5' ? 5 : 4,
    runs: positive(values.runs, 3, 'runs'),
    seconds: positive(values.seconds, 0.5, 'seconds'),
    json: values.json,
    profile: values.profile,
    check: values.check,
  }
}
