// What Sabethes wants to be, and what a run of the bench says to it: one line for each goal whose
// rows were measured. Ratios are to mosquitto, in the same run, if nothing else is said.

import type { CrowdResults } from './crowd.ts'
import { isBack, medianOf, type Reading, type Result, type RowResult } from './measure.ts'
import { meanShare, type RecordingCost } from './recording.ts'

export interface Goal {
  readonly what: string
  readonly asked: string
  readonly said: string
  readonly isReached: boolean
}

const times = (value: number): string => `${value.toFixed(2)} x`

const percent = (value: number): string => `${Math.round(value * 100)} %`

const atLeast = (what: string, value: number | null | undefined, wanted: number): Goal[] =>
  value === null || value === undefined ? [] : [{
    what,
    asked: `at least ${wanted} x`,
    said: times(value),
    isReached: value >= wanted,
  }]

const atMost = (what: string, value: number | null | undefined, wanted: number): Goal[] =>
  value === null || value === undefined ? [] : [{
    what,
    asked: `at most ${wanted} x`,
    said: times(value),
    isReached: value <= wanted,
  }]

const deliveriesWanted: Readonly<Record<string, number>> = {
  'pairs-qos0': 9,
  'fan-out': 30,
  'fan-in': 4,
  'pairs-qos1': 5,
  'pairs-qos2': 4,
  mixed: 4,
}

const named = (results: ReadonlyArray<Result>, name: string): Result | undefined =>
  results.find((result) => result.name === name && result.failure === null)

/** Every way in which a row was measured, with a name. */
const waysOf = (
  { row, results, columns }: RowResult,
): ReadonlyArray<[string, readonly Result[]]> => [
  [row.name, results],
  ...columns.map(({ column, results: theirs }): [string, readonly Result[]] => [
    `${row.name}, ${column.name}`,
    theirs,
  ]),
]

const latencyGoals = (result: RowResult): Goal[] =>
  waysOf(result).flatMap(([name, results]) =>
    atMost(`p99 latency, ${name}`, named(results, 'node')?.p99Ratio, 1)
  )

const lightGoals = ({ results }: RowResult): Goal[] => {
  const node = named(results, 'node')
  const ratio = node?.ratio
  return [
    ...atMost('light load, p50', node?.p50Ratio, 1.3),
    ...atMost('light load, p99', node?.p99Ratio, 1.3),
    ...atMost('light load, CPU', typeof ratio === 'number' ? 1 / ratio : null, 1.5),
  ]
}

const largeGoals = ({ results }: RowResult): Goal[] => {
  const node = named(results, 'node')
  const memory = node?.memory ?? null
  const mib = (kib: number): string => `${Math.round(kib / 1024)} MiB`
  return [
    ...atLeast('1 MiB payloads, throughput of a plain relay', node?.relayRatio, 0.5),
    ...(memory === null ? [] : [{
      what: '1 MiB payloads, resident memory afterwards',
      asked: `back at ${mib(memory.beforeKib)}`,
      said: `${mib(memory.peakKib)}, then ${mib(memory.afterKib)} after ${memory.afterS} s`,
      isReached: isBack(memory),
    }]),
  ]
}

/** What one broker does for a CPU second with MQTT 5, as a share of what it does with 3.1.1. */
export const levelShare = (five: Result | undefined, four: Result | undefined): number | null => {
  if (five === undefined || four === undefined) return null
  const perCpuS = ({ deliveredPerCpuS }: Reading | { deliveredPerCpuS: number }): number =>
    deliveredPerCpuS
  const shares = five.readings.flatMap((reading, i) => {
    const other = four.readings[i]
    return other === undefined ? [] : [perCpuS(reading) / perCpuS(other)]
  })
  return shares.length === 0 ? null : medianOf(shares)
}

const levelGoals = ({ row, columns }: RowResult): Goal[] =>
  columns.flatMap(({ column, results }) => {
    if (column.level !== 5) return []
    const four = columns.find((each) =>
      each.column.level === 4 && each.column.window === column.window
    )
    const share = levelShare(named(results, 'node'), named(four?.results ?? [], 'node'))
    return atMost(`MQTT 5 against 3.1.1, CPU, ${row.name}`, share === null ? null : 1 / share, 1.15)
  })

const denoGoals = ({ row, results }: RowResult): Goal[] => {
  const share = named(results, 'deno')?.nodeShare
  return share === null || share === undefined ? [] : [{
    what: `Deno as a share of Node, ${row.name}`,
    asked: 'at least 60 %',
    said: percent(share),
    isReached: share >= 0.6,
  }]
}

const rowGoals = (result: RowResult): Goal[] => {
  const { row, results } = result
  if (row.name === 'light') return [...lightGoals(result), ...denoGoals(result)]
  const wanted = deliveriesWanted[row.name]
  return [
    ...(wanted === undefined
      ? []
      : atLeast(`deliveries, ${row.name}`, named(results, 'node')?.ratio, wanted)),
    ...latencyGoals(result),
    ...(row.watchesMemory ? largeGoals(result) : []),
    ...levelGoals(result),
    ...denoGoals(result),
  ]
}

const crowdGoals = ({ idle, reconnect }: CrowdResults): Goal[] => {
  const goals: Goal[] = []
  const node = idle.find(({ name }) => name === 'node')?.figures
  const other = idle.find(({ name }) => name === 'mosquitto')?.figures
  if (node) {
    goals.push({
      what: 'an idle connection, resident memory',
      asked: 'at most 4.5 KiB',
      said: `${node.kibEach.toFixed(1)} KiB`,
      isReached: node.kibEach <= 4.5,
    })
  }
  if (node && other) {
    goals.push(...atMost('connecting 10,000, CPU, fresh', node.cpuS / other.cpuS, 3))
    goals.push(...atMost('connecting 10,000, CPU, warm', node.warmCpuS / other.warmCpuS, 3))
  }
  const back = reconnect.find(({ name }) => name === 'node')?.figures
  if (back) {
    goals.push({
      what: '10,000 durable clients at once, all served',
      asked: 'at most 5 s, nobody refused',
      said: `${back.servedS.toFixed(1)} s, ${back.refused} refused, ${back.unserved} unserved`,
      isReached: back.servedS <= 5 && back.refused === 0 && back.unserved === 0,
    })
  }
  return goals
}

const recordingGoals = (recording: ReadonlyArray<RecordingCost>): Goal[] => {
  const share = meanShare(recording, 'node')
  return share === null ? [] : [{
    what: 'deliveries a second while all is recorded, mean of the rows',
    asked: 'at least 90 %',
    said: percent(share),
    isReached: share >= 0.9,
  }]
}

/** All goals about which these results say something. */
export const goalsOf = (
  rows: ReadonlyArray<RowResult>,
  crowd: CrowdResults,
  recording: ReadonlyArray<RecordingCost>,
): ReadonlyArray<Goal> => [
  ...rows.flatMap(rowGoals),
  ...crowdGoals(crowd),
  ...recordingGoals(recording),
]
