// Is the load itself to be trusted? Two answers: how fast it goes against a relay that does next to
// nothing, and whether it notices each kind of fault when the relay commits one.

import { startRelay } from './contestants.ts'
import { measureOnce, type Settings } from './measure.ts'
import { type Row, rows } from './rows.ts'

const faults = ['drop', 'double', 'change', 'swap', 'silence']

const reachOf = async (row: Row, settings: Settings): Promise<string> => {
  const relay = await startRelay(row.shape)
  try {
    const reading = await measureOnce(row, relay, settings, 0.3, settings.seconds)
    const perS = Math.round(reading.deliveredPerS).toLocaleString('en-US').padStart(12)
    const share = Math.round(reading.loadCpu * 100)
    return `  ${row.name.padEnd(12)} ${perS} deliveries a second, the load at ${share} %`
  } finally {
    await relay.stop()
  }
}

const verdictOn = async (fault: string, row: Row, settings: Settings): Promise<string | null> => {
  const relay = await startRelay(row.shape, fault)
  try {
    await measureOnce(row, relay, settings, 0, 0.3)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await relay.stop()
  }
}

/** Prints both answers; false if a fault went unnoticed. */
export const check = async (settings: Settings): Promise<boolean> => {
  let isTrusted = true
  process.stdout.write('the load against a relay that only copies:\n')
  for (const row of rows) {
    // The relay knows nothing of filters, and so nothing of the mixed shape.
    if (row.ratePerS > 0 || row.shape === 'mixed') continue
    process.stdout.write(`${await reachOf(row, settings)}\n`)
  }
  process.stdout.write('what the load says when one message in a run is not as it should be:\n')
  const row = rows.find(({ name }) => name === 'pairs-qos1')
  for (const fault of row === undefined ? [] : faults) {
    const said = await verdictOn(fault, row!, settings)
    if (said === null) isTrusted = false
    process.stdout.write(`  ${fault.padEnd(12)} ${said ?? 'NOTHING: it does not notice'}\n`)
  }
  return isTrusted
}
