// The results as text for people.

import type { CoreResult } from './core-run.ts'
import type { Result, RowResult } from './measure.ts'

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')

const ms = (us: number): string => (us / 1000).toFixed(us >= 100_000 ? 0 : 2)

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** Columns as wide as their widest cell, the first to the left, the others to the right. */
const columns = (lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths: number[] = []
  for (const line of lines) {
    line.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  }
  const align = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
  return lines.map((line) => '  ' + line.map(align).join('  ').trimEnd()).join('\n')
}

const heading = [
  '',
  'per CPU second',
  'spread',
  'ratio',
  'per second',
  'p50 ms',
  'p99 ms',
  'broker CPU',
  'load CPU',
  'MiB',
]

const lineOf = ({ title, median, spread, ratio }: Result): ReadonlyArray<string> => {
  if (median === null) return [title]
  return [
    title,
    grouped(median.deliveredPerCpuS),
    `±${percent(spread)}`,
    ratio === null ? '-' : `${ratio.toFixed(2)} x`,
    grouped(median.deliveredPerS),
    ms(median.p50Us),
    ms(median.p99Us),
    percent(median.brokerCpu),
    percent(median.loadCpu),
    (median.residentKib / 1024).toFixed(0),
  ]
}

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

export const rowText = ({ row, results }: RowResult): string => {
  const flow = row.ratePerS === 0 ? `window ${row.window}` : `${grouped(row.ratePerS)}/s`
  const title = `${row.name}: ${row.title}, ${row.payloadBytes} bytes, ${flow}`
  const remarks = remarksOn(results).map((remark) => `  ! ${remark}`)
  return [title, columns([heading, ...results.map(lineOf)]), ...remarks, ''].join('\n')
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
