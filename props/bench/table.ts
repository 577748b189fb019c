// The results as text for people.

import type { CoreResult } from './core-run.ts'
import type { CrowdResults } from './crowd.ts'
import { type Goal, levelShare } from './goals.ts'
import type { ColumnResult, Result, RowResult } from './measure.ts'
import { meanShare, type RecordingCost } from './recording.ts'

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')

const ms = (us: number): string => (us / 1000).toFixed(us >= 100_000 ? 0 : 2)

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** Columns as wide as their widest cell, texts to the left, figures to the right. */
const columns = (lines: ReadonlyArray<ReadonlyArray<string>>, textCount = 1): string => {
  const widths: number[] = []
  for (const line of lines) {
    line.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  }
  const align = (cell: string, i: number): string =>
    i < textCount ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
  return lines.map((line) => '  ' + line.map(align).join('  ').trimEnd()).join('\n')
}

const heading = [
  '',
  'per CPU second',
  'spread',
  'ratio',
  'of Node',
  'per second',
  'p50 ms',
  'p99 ms',
  'gap ms',
  'broker CPU',
  'load CPU',
  'MiB',
]

/** A ratio that stands for the worse: p99 above mosquitto's has a mark. */
const markOf = ({ name, p99Ratio }: Result): string =>
  (name === 'node' || name === 'deno') && p99Ratio !== null && p99Ratio > 1 ? ' *' : '  '

const lineOf = (result: Result): ReadonlyArray<string> => {
  const { title, median, spread, ratio, nodeShare } = result
  if (median === null) return [title]
  return [
    title,
    grouped(median.deliveredPerCpuS),
    `±${percent(spread)}`,
    ratio === null ? '-' : `${ratio.toFixed(2)} x`,
    nodeShare === null ? '' : percent(nodeShare),
    grouped(median.deliveredPerS),
    ms(median.p50Us),
    ms(median.p99Us) + markOf(result),
    ms(median.gapUs),
    percent(median.brokerCpu),
    percent(median.loadCpu),
    (median.residentKib / 1024).toFixed(0),
  ]
}

/** A further column of a row, one line for each broker: the ratio and the latencies. */
const columnLines = (
  { column, results }: ColumnResult,
  all: ReadonlyArray<ColumnResult>,
): ReadonlyArray<ReadonlyArray<string>> =>
  results.map((result, i) => {
    const { name, title, median, ratio, nodeShare, p99Ratio } = result
    const first = i === 0 ? column.name : ''
    if (median === null) return [first, title, 'FAILED']
    const four = column.level === 4
      ? undefined
      : all.find((each) => each.column.level === 4 && each.column.window === column.window)?.results
        .find((each) => each.name === name)
    const share = levelShare(result, four)
    return [
      first,
      title,
      grouped(median.deliveredPerCpuS),
      ratio === null ? '-' : `${ratio.toFixed(2)} x`,
      nodeShare === null ? '' : percent(nodeShare),
      `${ms(median.p50Us)} ms`,
      ms(median.p99Us) + ' ms' + markOf(result),
      p99Ratio === null ? '' : `${p99Ratio.toFixed(2)} x`,
      share === null ? '' : `${percent(share)} of 3.1.1`,
    ]
  })

const columnsText = (all: ReadonlyArray<ColumnResult>): string[] => {
  if (all.length === 0) return []
  const head = ['', '', 'per CPU second', 'ratio', 'of Node', 'p50', 'p99  ', 'p99 ratio', '']
  return [columns([head, ...all.flatMap((one) => columnLines(one, all))], 2)]
}

const memoryText = (results: ReadonlyArray<Result>): string[] =>
  results.flatMap(({ title, memory }) => {
    if (memory === null) return []
    const [before, peak, after] = [memory.beforeKib, memory.peakKib, memory.afterKib]
      .map((kib) => `${(kib / 1024).toFixed(0)} MiB`)
    return [`  ${title}: ${before} before, ${peak} at the end, ${after} after ${memory.afterS} s`]
  })

/** Doubts that a reader must know of. */
const remarksOn = (results: ReadonlyArray<Result>): string[] => {
  const remarks: string[] = []
  for (const { title, failure, median } of results) {
    if (failure !== null) remarks.push(`${title}: FAILED: ${failure}`)
    if (median !== null && median.loadCpu > 0.9 && median.brokerCpu < 0.9) {
      remarks.push(`${title}: the load was the limit here, not the broker`)
    }
  }
  const others = Math.max(0, ...results.map(({ median }) => median?.othersCpu ?? 0))
  if (others > 0.2) remarks.push(`other programs used ${percent(others)} of a processor meanwhile`)
  return remarks
}

const sizeOf = ({ shape, payloadBytes }: RowResult['row']): string =>
  shape === 'mixed' ? '16 bytes to 16 KiB' : `${grouped(payloadBytes)} bytes`

export const rowText = ({ row, results, columns: further }: RowResult): string => {
  const flow = row.ratePerS === 0 ? `window ${row.window}` : `${grouped(row.ratePerS)}/s`
  const title = `${row.name}: ${row.title}, ${sizeOf(row)}, ${flow}`
  const failures = further.flatMap(({ column, results: theirs }) =>
    theirs.flatMap(({ title: who, failure }) =>
      failure === null ? [] : [`${who}, ${column.name}: FAILED: ${failure}`]
    )
  )
  const remarks = [...remarksOn(results), ...failures].map((remark) => `  ! ${remark}`)
  const table = columns([heading, ...results.map(lineOf)])
  return [title, table, ...columnsText(further), ...memoryText(results), ...remarks, ''].join('\n')
}

export const coreText = (results: ReadonlyArray<CoreResult>): string => {
  const lines = results.map((result) => [
    result.name,
    result.runtime,
    grouped(result.perCpuS),
    `±${percent(result.spread)}`,
    Math.round(1e9 / result.perCpuS).toLocaleString('en-US'),
    result.unit,
  ])
  const title = 'without sockets: the codec and the machine alone'
  const head = ['', '', 'per CPU second', 'spread', 'ns each', 'unit']
  return [title, columns([head, ...lines]), ''].join('\n')
}

export const crowdText = ({ idle, reconnect }: CrowdResults): string => {
  const lines: string[] = []
  if (idle.length > 0) {
    const head = ['', 'KiB each', 'CPU s', 'CPU s, again', 'seconds', 'MiB']
    const body = idle.map(({ title, failure, figures }) =>
      figures === null ? [title, `FAILED: ${failure}`] : [
        title,
        figures.kibEach.toFixed(2),
        figures.cpuS.toFixed(2),
        figures.warmCpuS.toFixed(2),
        figures.seconds.toFixed(2),
        (figures.residentKib / 1024).toFixed(0),
      ]
    )
    lines.push('idle: 10,000 connections that say nothing', columns([head, ...body]), '')
  }
  if (reconnect.length > 0) {
    const head = ['', 'CONNACK s', 'served s', 'refused', 'unserved', 'gap ms', 'CPU s', 'MiB']
    const body = reconnect.map(({ title, failure, figures }) =>
      figures === null ? [title, `FAILED: ${failure}`] : [
        title,
        figures.connectedS.toFixed(2),
        figures.servedS.toFixed(2),
        grouped(figures.refused),
        grouped(figures.unserved),
        ms(figures.gapUs),
        figures.cpuS.toFixed(2),
        (figures.residentKib / 1024).toFixed(0),
      ]
    )
    const title = 'reconnect: 10,000 durable clients come back at once, a message waits for each'
    lines.push(title, columns([head, ...body]), '')
  }
  return lines.join('\n')
}

export const recordingText = (results: ReadonlyArray<RecordingCost>): string => {
  const lines = results.map(({ runtime, row, failure, share, low, high, cpuShare }) =>
    failure !== null ? [row, runtime, `FAILED: ${failure}`] : [
      row,
      runtime,
      percent(share),
      `${percent(low)} to ${percent(high)}`,
      percent(cpuShare),
    ]
  )
  for (const runtime of new Set(results.map((one) => one.runtime))) {
    const mean = meanShare(results, runtime)
    if (mean !== null) lines.push(['mean', runtime, percent(mean)])
  }
  const title = 'recording: deliveries with one at `hash`, as a share of those without'
  const head = ['', '', 'per second', 'half of the turns', 'per CPU second']
  return [title, columns([head, ...lines]), ''].join('\n')
}

export const goalsText = (goals: ReadonlyArray<Goal>): string => {
  const lines = goals.map(({ what, asked, said, isReached }) => [
    `${isReached ? 'yes' : 'NO '}  ${what}`,
    asked,
    said,
  ])
  const title = "goals (Sabethes on Node; a * above marks a p99 larger than mosquitto's)"
  return [title, columns(lines, 3), ''].join('\n')
}
