// What the driver and the command line need of Node: clocks, chance, the turn of the event loop,
// one timer, signals and the standard streams.

import { randomBytes, randomUUID } from 'node:crypto'
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { Host } from '../common/host.ts'
import type { Memory } from '../common/memory.ts'
import type { Runtime } from '../common/program.ts'

/** A host for one driver. `fatal` ends the process, or throws. */
export const createHost = (fatal: (error: unknown) => void): Host => {
  let armed: NodeJS.Timeout | null = null
  const disarm = (): void => {
    if (armed !== null) clearTimeout(armed)
    armed = null
  }
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    nonce: () => randomUUID().toUpperCase(),
    seed: randomBytes(4).readInt32LE(0),
    // Not from Node's shared slab, and as a Buffer, which a socket writes without wrapping it.
    allocate: (bytes) => Buffer.allocUnsafeSlow(bytes),
    // setImmediate comes after the poll phase: everything readable has been read by then.
    schedule: (turn) => {
      setImmediate(turn)
    },
    arm: (delayMs, turn) => {
      disarm()
      armed = setTimeout(turn, delayMs)
    },
    disarm,
    fatal,
    memory: createMemory(),
    collect,
  }
}

/** Looks once for what there is, and answers who asks how much of it is used. */
const createMemory = (): () => Memory => {
  // What the control group allows; a huge number where it allows all, 0 where it is not known.
  const constrainedBytes = process.constrainedMemory()
  const limitBytes = Math.min(totalmem(), constrainedBytes > 0 ? constrainedBytes : Infinity)
  return () => {
    // process.memoryUsage() says the same and asks the system for more, at ten times the price.
    const { used_heap_size, heap_size_limit, external_memory } = getHeapStatistics()
    return {
      heapUsedBytes: used_heap_size,
      heapLimitBytes: heap_size_limit,
      usedBytes: used_heap_size + external_memory,
      limitBytes,
    }
  }
}

// V8 begins to mark when so much was allocated outside of its heap (64 MiB) since it last did, and
// what nobody writes to is no memory yet.
const bytesToCollect = 96 * 1024 * 1024

const collect = (): void => {
  try {
    new ArrayBuffer(bytesToCollect)
  } catch {
    // There is no room even for a promise. V8 has looked for some before it said so.
  }
}

/** Writes to standard error. */
export const print = (text: string): void => {
  process.stderr.write(text)
}

/** Writes to standard output. */
export const printOut = (text: string): void => {
  process.stdout.write(text)
}

export const runtime: Runtime = { words: () => process.argv.slice(2), mention: printOut }

/** How many files and sockets this process may have open; Infinity where that is not known. */
export const openFilesMax = (): number => {
  const report: unknown = process.report.getReport()
  if (typeof report !== 'object' || report === null || !('userLimits' in report)) return Infinity
  const limits = report.userLimits
  if (typeof limits !== 'object' || limits === null || !('open_files' in limits)) return Infinity
  const files = limits.open_files
  if (typeof files !== 'object' || files === null || !('soft' in files)) return Infinity
  return typeof files.soft === 'number' ? files.soft : Infinity
}
