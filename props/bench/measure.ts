// One row: every broker fresh, warmed up, then measured by turns, so that a machine that is slow
// for a while is slow for all of them. Figures are medians; ratios are taken within a turn.

import type { Contestant } from './contestants.ts'
import { run, type Server } from './processes.ts'
import type { Row } from './rows.ts'

/** What load.c reports about one run. */
export interface Reading {
  readonly seconds: number
  readonly published: number
  readonly delivered: number
  readonly window: number
  readonly deliveredPerS: number
  readonly deliveredPerCpuS: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
  /** Processors in use: by the broker, by the load, by everybody else on this machine. */
  readonly brokerCpu: number
  readonly loadCpu: number
  readonly othersCpu: number
  readonly residentKib: number
}

export interface Result {
  readonly name: string
  readonly title: string
  readonly readings: ReadonlyArray<Reading>
  /** Why there are no figures: not here, not started, or a message lost, doubled or changed. */
  readonly failure: string | null
  readonly median: Reading | null
  /** Half the way from the lowest to the highest deliveredPerCpuS, as a share of the median. */
  readonly spread: number
  /** deliveredPerCpuS as a multiple of mosquitto's in the same turn, median. */
  readonly ratio: number | null
}

export interface RowResult {
  readonly row: Row
  readonly results: ReadonlyArray<Result>
}

export interface Settings {
  readonly load: string
  readonly level: 4 | 5
  readonly runs: number
  readonly seconds: number
}

export const medianOf = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2
}

export const spreadOf = (values: ReadonlyArray<number>): number =>
  (Math.max(...values) - Math.min(...values)) / 2 / medianOf(values)

const medianReading = (readings: ReadonlyArray<Reading>): Reading => {
  const of = (key: keyof Reading): number => medianOf(readings.map((reading) => reading[key]))
  return {
    seconds: of('seconds'),
    published: of('published'),
    delivered: of('delivered'),
    window: of('window'),
    deliveredPerS: of('deliveredPerS'),
    deliveredPerCpuS: of('deliveredPerCpuS'),
    p50Us: of('p50Us'),
    p99Us: of('p99Us'),
    p999Us: of('p999Us'),
    maxUs: of('maxUs'),
    brokerCpu: of('brokerCpu'),
    loadCpu: of('loadCpu'),
    othersCpu: of('othersCpu'),
    residentKib: of('residentKib'),
  }
}

/** Runs the load once; throws an Error with its sentence when a delivery is not as it should be. */
export const measureOnce = async (
  row: Row,
  server: Server,
  settings: Settings,
  warmS: number,
  seconds: number,
): Promise<Reading> => {
  const args = Object.entries({
    port: server.port,
    pid: server.pid,
    shape: row.shape,
    publishers: row.publishers,
    subscribers: row.subscribers,
    qos: row.qos,
    level: settings.level,
    bytes: row.payloadBytes,
    window: row.window,
    rate: row.ratePerS,
    warm: warmS,
    seconds,
  }).flatMap(([name, value]) => [`--${name}`, String(value)])
  // Ten seconds to connect and five to drain are the load's own limits.
  const answer = await run(settings.load, args, (warmS + seconds + 20) * 1000)
  const reading: Reading & { error?: string } = JSON.parse(answer)
  if (reading.error !== undefined) throw new Error(reading.error)
  return reading
}

interface Lane {
  readonly contestant: Contestant
  readonly readings: Reading[]
  server: Server | null
  failure: string | null
}

const attempt = async (lane: Lane, work: () => Promise<void>): Promise<void> => {
  if (lane.failure !== null) return
  try {
    await work()
  } catch (error) {
    lane.failure = error instanceof Error ? error.message : String(error)
  }
}

const resultOf = (lane: Lane, base: Lane | undefined): Result => {
  const { contestant, failure } = lane
  const readings = failure === null ? lane.readings : []
  const figures = readings.map((reading) => reading.deliveredPerCpuS)
  const ratios = figures.flatMap((figure, i) => {
    const other = base?.failure === null ? base.readings[i] : undefined
    return other === undefined ? [] : [figure / other.deliveredPerCpuS]
  })
  return {
    name: contestant.name,
    title: contestant.title,
    readings,
    failure,
    median: figures.length === 0 ? null : medianReading(readings),
    spread: figures.length === 0 ? 0 : spreadOf(figures),
    ratio: ratios.length === 0 ? null : medianOf(ratios),
  }
}

/** Measures one row on all contestants. Never throws: a failure is part of the result. */
export const measureRow = async (
  row: Row,
  contestants: ReadonlyArray<Contestant>,
  settings: Settings,
): Promise<RowResult> => {
  const lanes: Lane[] = contestants.map((contestant) => ({
    contestant,
    readings: [],
    server: null,
    failure: null,
  }))
  const measure = (lane: Lane, warmS: number, seconds: number): Promise<Reading> =>
    lane.server === null
      ? Promise.reject(new Error('not started'))
      : measureOnce(row, lane.server, settings, warmS, seconds)
  for (const lane of lanes) {
    await attempt(lane, async () => {
      lane.server = await lane.contestant.start(row)
      // A compiler that works at run time needs a second before it has seen what matters.
      await measure(lane, 0, 1)
    })
  }
  for (let i = 0; i < settings.runs; i++) {
    for (const lane of lanes) {
      await attempt(lane, async () => {
        lane.readings.push(await measure(lane, 0.3, settings.seconds))
      })
    }
  }
  for (const lane of lanes) await lane.server?.stop()
  const base = lanes.find((lane) => lane.contestant.name === 'mosquitto')
  return { row, results: lanes.map((lane) => resultOf(lane, base)) }
}
