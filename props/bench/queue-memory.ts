// What messages that wait cost in resident memory, and how long a broker takes to be made of them
// again: a million of 100 bytes for sessions that are away, published over sockets to a broker with
// a store; then the broker is killed and started once more, and gives all of them out.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  ask,
  type Contestant,
  contestants,
  kill,
  pairs,
  patienceMs,
  storeFolder,
} from './durable.ts'
import { freePort } from '../free-port.ts'
import { compile, residentKibOf, sleep } from './processes.ts'

export const queueRowNames = ['queue-memory']

const messages = 1_000_000
const payloadBytes = 100

/** Longer than the engine needs to notice that what it loaded with is garbage. */
const settlingMs = 8_000

const fillingS = 300

export interface QueueResult {
  readonly name: string
  readonly failure: string | null
  readonly count: number
  /** Resident memory with the sessions and without a message; with all of them, as they came. */
  readonly emptyKib: number
  readonly filledKib: number
  /** The same after a kill and a start, and the seconds from the start until the port answered. */
  readonly restoredKib: number
  readonly restartS: number
  /** From the first CONNECT until the last message was given out, and what had not come. */
  readonly drainedS: number
  readonly missing: number
}

const settled = async (pid: number): Promise<number> => {
  await sleep(settlingMs)
  return residentKibOf(pid)
}

const measure = async (program: string, { name, start }: Contestant): Promise<QueueResult> => {
  const store = join(storeFolder, `queue-${name}`)
  rmSync(store, { recursive: true, force: true })
  mkdirSync(store, { recursive: true })
  const port = await freePort()
  const of = (pid: number): string[] => [
    ...['--port', String(port), '--pid', String(pid), '--pairs', String(pairs)],
    ...['--bytes', String(payloadBytes)],
  ]
  const each = messages / pairs
  let server = await start(port, store, 0)
  try {
    await ask(program, 'prepare', of(server.pid))
    await kill(server)
    server = await start(port, store, 0)
    const emptyKib = await settled(server.pid)
    const { acked } = await ask<{ readonly acked: number }>(program, 'publish', [
      ...of(server.pid),
      ...['--count', String(each), '--seconds', String(fillingS)],
    ], fillingS * 1000)
    if (acked !== messages) throw new Error(`only ${acked} messages in ${fillingS} seconds`)
    const filledKib = await settled(server.pid)
    await kill(server)
    const begun = performance.now()
    server = await start(port, store, messages)
    const restartS = (performance.now() - begun) / 1000
    const restoredKib = await settled(server.pid)
    const drained = await ask<{ readonly seconds: number; readonly missing: number }>(
      program,
      'drain',
      [...of(server.pid), '--acked', Array.from({ length: pairs }, () => each).join()],
      patienceMs(messages) + 40_000,
    )
    return {
      ...{ name, failure: null, count: messages, emptyKib, filledKib, restoredKib, restartS },
      ...{ drainedS: drained.seconds, missing: drained.missing },
    }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    const nothing = { emptyKib: 0, filledKib: 0, restoredKib: 0, restartS: 0, drainedS: 0 }
    return { name, failure, count: messages, ...nothing, missing: 0 }
  } finally {
    await server.stop()
    rmSync(store, { recursive: true, force: true })
  }
}

/** Measures each of the brokers that has such a store. */
export const runQueue = async (
  names: ReadonlyArray<string>,
  brokers: ReadonlyArray<string>,
): Promise<ReadonlyArray<QueueResult>> => {
  if (names.length === 0) return []
  mkdirSync(storeFolder, { recursive: true })
  const program = compile('durable')
  const results: QueueResult[] = []
  for (const contestant of contestants(brokers)) {
    if (!contestant.name.startsWith('mosquitto')) results.push(await measure(program, contestant))
  }
  rmSync(storeFolder, { recursive: true, force: true })
  return results
}

const mib = (kib: number): string => (kib / 1024).toFixed(0)

const lineOf = (result: QueueResult): string => {
  const { name, failure, count, emptyKib, filledKib, restoredKib, restartS, missing } = result
  if (failure !== null) return `  ${name.padEnd(5)} failed: ${failure}`
  const each = (kib: number): string => ((kib - emptyKib) * 1024 / count).toFixed(0)
  return `  ${name.padEnd(5)} ${mib(emptyKib)} MiB empty; as they came ${mib(filledKib)} MiB, ` +
    `${each(filledKib)} bytes each; restored ${mib(restoredKib)} MiB, ${each(restoredKib)} bytes ` +
    `each, in ${restartS.toFixed(1)} s; given out in ${result.drainedS.toFixed(1)} s, ` +
    `${missing} missing`
}

/** The row as text. */
export const queueText = (results: ReadonlyArray<QueueResult>): string =>
  [
    `queue-memory: resident memory of ${messages} messages of ${payloadBytes} bytes that wait`,
    ...results.map(lineOf),
    '',
  ].join('\n')
