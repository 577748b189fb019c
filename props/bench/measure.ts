// One row: every broker fresh, warmed up, then measured by turns, so that a machine that is slow
// for a while is slow for all of them. Figures are medians; ratios are taken within a turn.

import type { Contestant } from './contestants.ts'
import { residentKibOf, run, type Server, sleep } from './processes.ts'
import type { Column, Row } from './rows.ts'

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
  /** Longest answer to a PINGREQ less the median one. */
  readonly gapUs: number
  /** Subscriptions made and taken away, a second. */
  readonly changesPerS: number
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
  /** Latencies as multiples of mosquitto's in the same turn, medians. */
  readonly p50Ratio: number | null
  readonly p99Ratio: number | null
  /** Deliveries a second as a multiple of the relay's in the same turn, where it takes part. */
  readonly relayRatio: number | null
  /** For Deno: deliveredPerCpuS as a share of Node's in the same turn, median. */
  readonly nodeShare: number | null
  readonly memory: Memory | null
}

/**
 * Resident memory around a row: after the same traffic in small messages, at the end of the row,
 * and when it was back near the first figure, or had had ten seconds to get there.
 */
export interface Memory {
  readonly beforeKib: number
  readonly peakKib: number
  readonly afterKib: number
  readonly afterS: number
}

/** A column of a row beside the row itself; for a level 5 column, what level 5 costs. */
export interface ColumnResult {
  readonly column: Column
  readonly results: ReadonlyArray<Result>
}

export interface RowResult {
  readonly row: Row
  readonly columns: ReadonlyArray<ColumnResult>
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

const spreadOf = (values: ReadonlyArray<number>): number =>
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
    gapUs: of('gapUs'),
    changesPerS: of('changesPerS'),
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
    probe: row.probeMs,
    warm: warmS,
    seconds,
  }).flatMap(([name, value]) => [`--${name}`, String(value)])
  // Ten seconds to connect and five to drain are the load's own limits.
  const answer = await run(settings.load, args, (warmS + seconds + 20) * 1000)
  const reading: Reading & { error?: string } = JSON.parse(answer)
  if (reading.error !== undefined) throw new Error(reading.error)
  return reading
}

/** What one broker did in one column: the row itself, or one of its further columns. */
interface Series {
  readonly readings: Reading[]
  failure: string | null
}

interface Lane {
  readonly contestant: Contestant
  /** By column; the first is the row itself. */
  readonly series: ReadonlyArray<Series>
  server: Server | null
  beforeKib: number
  memory: Memory | null
}

const attempt = async (series: Series, work: () => Promise<void>): Promise<void> => {
  if (series.failure !== null) return
  try {
    await work()
  } catch (error) {
    series.failure = error instanceof Error ? error.message : String(error)
  }
}

/** The median over the turns of a figure of `series` divided by the same figure of `base`. */
const ratioOf = (key: keyof Reading, series: Series, base: Series | undefined): number | null => {
  if (base === undefined || base.failure !== null || series.failure !== null) return null
  const ratios = series.readings.flatMap((reading, i) => {
    const other = base.readings[i]
    return other === undefined || other[key] === 0 ? [] : [reading[key] / other[key]]
  })
  return ratios.length === 0 ? null : medianOf(ratios)
}

const resultsOf = (lanes: ReadonlyArray<Lane>, column: number): ReadonlyArray<Result> => {
  const seriesOf = (name: string): Series | undefined =>
    lanes.find(({ contestant }) => contestant.name === name)?.series[column]
  const base = seriesOf('mosquitto')
  return lanes.flatMap(({ contestant: { name, title }, series: all, memory }) => {
    const series = all[column]
    if (series === undefined) return []
    const readings = series.failure === null ? series.readings : []
    const figures = readings.map((reading) => reading.deliveredPerCpuS)
    return [{
      name,
      title,
      readings,
      failure: series.failure,
      median: figures.length === 0 ? null : medianReading(readings),
      spread: figures.length === 0 ? 0 : spreadOf(figures),
      ratio: ratioOf('deliveredPerCpuS', series, base),
      p50Ratio: ratioOf('p50Us', series, base),
      p99Ratio: ratioOf('p99Us', series, base),
      relayRatio: ratioOf('deliveredPerS', series, seriesOf('relay')),
      nodeShare: name === 'deno' ? ratioOf('deliveredPerCpuS', series, seriesOf('node')) : null,
      memory: column === 0 ? memory : null,
    }]
  })
}

/** Fills in `memory` of a lane whose load has ended; nobody is connected any more. */
const watchMemory = async (lane: Lane): Promise<void> => {
  const { server, beforeKib } = lane
  if (server === null) return
  const peakKib = residentKibOf(server.pid)
  for (let afterS = 0;; afterS += 0.5) {
    const afterKib = residentKibOf(server.pid)
    lane.memory = { beforeKib, peakKib, afterKib, afterS }
    if (isBack(lane.memory) || afterS >= 10) return
    await sleep(500)
  }
}

/** A tenth and eight MiB more than before are the collector's business. */
export const isBack = ({ beforeKib, afterKib }: Memory): boolean =>
  afterKib <= beforeKib * 1.1 + 8_192

/** Measures one row on all contestants. Never throws: a failure is part of the result. */
export const measureRow = async (
  row: Row,
  contestants: ReadonlyArray<Contestant>,
  settings: Settings,
): Promise<RowResult> => {
  const columns: Column[] = [
    { name: 'row', window: row.window, level: settings.level },
    ...row.columns,
  ]
  const lanes: Lane[] = contestants.map((contestant) => ({
    contestant,
    // Aedes, which knows no MQTT 5, takes part in the row itself only.
    series: (contestant.name === 'aedes' ? columns.slice(0, 1) : columns)
      .map(() => ({ readings: [], failure: null })),
    server: null,
    beforeKib: 0,
    memory: null,
  }))
  const measure = (lane: Lane, at: number, warmS: number, seconds: number): Promise<Reading> => {
    const { window, level } = columns[at]!
    if (lane.server === null) return Promise.reject(new Error('not started'))
    return measureOnce({ ...row, window }, lane.server, { ...settings, level }, warmS, seconds)
  }
  for (const lane of lanes) {
    await attempt(lane.series[0]!, async () => {
      const server = await lane.contestant.start(row)
      lane.server = server
      if (row.watchesMemory) {
        await measureOnce({ ...row, payloadBytes: 64, window: 200 }, server, settings, 0, 1)
        lane.beforeKib = residentKibOf(server.pid)
      }
      // A compiler that works at run time has to see first what matters. Where little is asked for
      // afterwards it finds that it was wrong about some of it.
      await measureOnce({ ...row, ratePerS: 0 }, server, settings, 0, row.warmS)
      if (row.ratePerS > 0) await measure(lane, 0, 0, 3)
    })
  }
  for (let i = 0; i < settings.runs; i++) {
    for (let at = 0; at < columns.length; at++) {
      // Where little is asked for in a second, a percentile wants more of them. The further columns
      // are shorter, but for the one of percentiles: they are there to be compared with each other.
      const isShort = at > 0 && columns[at]!.window > 1
      const share = row.ratePerS > 0 ? 2 : isShort ? 1 / 2 : 1
      const seconds = settings.seconds * share
      for (const lane of lanes) {
        const series = lane.series[at]
        if (series === undefined) continue
        await attempt(series, async () => {
          series.readings.push(await measure(lane, at, 0.2, seconds))
        })
      }
    }
  }
  if (row.watchesMemory) await Promise.all(lanes.map(watchMemory))
  for (const lane of lanes) await lane.server?.stop()
  return {
    row,
    results: resultsOf(lanes, 0),
    columns: row.columns.map((column, i) => ({ column, results: resultsOf(lanes, i + 1) })),
  }
}
