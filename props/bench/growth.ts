// The rows about size: what a subscription, a match, a retained message and a queued message cost
// when there are a thousand of them and when there are a million. growth-work.ts measures, in
// processes of its own and bundled first, as core-run.ts does it; only on Node, which can be told
// to collect its garbage before it is asked how much it holds.

import { join } from 'node:path'
import { build } from 'esbuild'
import { folder, root, run } from './processes.ts'

export interface GrowthRow {
  readonly name: string
  /** How many subscriptions or messages the broker holds meanwhile. */
  readonly size: number
  readonly value: number
  /** `ns`, `us` and `ms` are for one of its kind; `bytes` too, all included. */
  readonly unit: 'ns' | 'us' | 'ms' | 'bytes' | 'per second'
}

export const growthRowNames = ['subscriptions', 'retained', 'queues']

/**
 * Measures the named rows, all without names; matches are timed for `seconds` each. An Error if the
 * core cannot be bundled or fails a check of its own. It takes about twenty seconds.
 */
export const growth = async (
  seconds = 0.5,
  names: ReadonlyArray<string> = growthRowNames,
): Promise<ReadonlyArray<GrowthRow>> => {
  const bundle = join(folder, 'growth.mjs')
  await build({
    entryPoints: [join(root, 'props/bench/growth-work.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['main'],
    logLevel: 'error',
  })
  const rows: GrowthRow[] = []
  for (const name of names) {
    // Each in a process of its own, so that none weighs what another left.
    const args = ['--expose-gc', '--max-old-space-size=4096', bundle, String(seconds), name]
    const part: ReadonlyArray<GrowthRow> = JSON.parse(await run(process.execPath, args, 120_000))
    rows.push(...part)
  }
  return rows
}

const digits = (value: number): number => value < 10 ? 1 : 0

/** The rows as text: one line for each name, one column for each size. */
export const growthText = (rows: ReadonlyArray<GrowthRow>): string => {
  const sizes = [...new Set(rows.map(({ size }) => size))].sort((a, b) => a - b)
  const names = [...new Set(rows.map(({ name }) => name))]
  const grouped = (value: number): string =>
    value.toLocaleString('en-US', { maximumFractionDigits: digits(value) })
  const lines = names.map((name) => {
    const own = rows.filter((row) => row.name === name)
    const cells = sizes.map((size) => {
      const found = own.find((row) => row.size === size)
      return (found === undefined ? '' : grouped(found.value)).padStart(11)
    })
    return `  ${name.padEnd(24)}${cells.join('')}  ${own[0]!.unit}`
  })
  const head = `  ${''.padEnd(24)}${sizes.map((size) => grouped(size).padStart(11)).join('')}`
  return ['what the broker costs by how much it holds', head, ...lines, ''].join('\n')
}
