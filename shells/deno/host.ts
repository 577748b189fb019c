// What the driver and the command line need of Deno: clocks, chance, the turn of the event loop,
// one timer, signals and the standard streams.

import { getHeapStatistics } from 'node:v8'
import type { Host } from '../common/host.ts'
import type { Memory } from '../common/memory.ts'
import type { Runtime } from '../common/program.ts'
import { createSchedule } from './deno-turns.ts'

/** A timer that is so much late shows that the process stood still. */
const standstillMs = 50

/** Deno does not look at its sockets between a timer and an immediate; so much later it has. */
const untilReadMs = 20

/** A host for one driver. `fatal` ends the process, or throws. */
export const createHost = (fatal: (error: unknown) => void): Host => {
  let armed: ReturnType<typeof setTimeout> | null = null
  const disarm = (): void => {
    if (armed !== null) clearTimeout(armed)
    armed = null
  }
  const words = new Int32Array(1)
  crypto.getRandomValues(words)
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    nonce: () => crypto.randomUUID().toUpperCase(),
    seed: words[0]!,
    allocate: (bytes) => new Uint8Array(bytes),
    schedule: createSchedule(),
    arm: (delayMs, turn) => {
      disarm()
      const dueAt = performance.now() + delayMs
      const fire = (): void => {
        if (performance.now() - dueAt < standstillMs) turn()
        else armed = setTimeout(turn, untilReadMs)
      }
      armed = setTimeout(fire, delayMs)
    },
    disarm,
    fatal,
    memory: createMemory(),
    collect,
  }
}

const GiB = 1024 * 1024 * 1024

/** Whether something may be asked: without the permission Deno would ask the operator. */
const isGranted = (permission: Deno.PermissionDescriptor): boolean =>
  Deno.permissions.querySync(permission).state === 'granted'

const machineBytes = (): number =>
  // The smallest machine on which V8 has the heap that it has on most.
  isGranted({ name: 'sys', kind: 'systemMemoryInfo' }) ? Deno.systemMemoryInfo().total : 4 * GiB

/** What the control groups of this process allow; Infinity where that is not known. */
const groupBytes = (): number => {
  // Version 2 names no controllers. In a container its own group may stand at the root.
  const files = [
    '/sys/fs/cgroup/memory.max',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes',
    ...textOf('/proc/self/cgroup').split('\n').map((line) => {
      const [, controllers, path] = line.split(':')
      return controllers === 'memory'
        ? `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`
        : `/sys/fs/cgroup${path}/memory.max`
    }),
  ]
  const limits = files.map(textOf).filter((text) => /^\d+\s*$/.test(text)).map(Number)
  return Math.min(...limits)
}

const textOf = (path: string): string => {
  if (!isGranted({ name: 'read', path })) return ''
  try {
    return Deno.readTextFileSync(path)
  } catch {
    // Not there, as on another system than Linux; or not all permissions, without which Deno shows
    // nothing of /proc and /sys.
    return ''
  }
}

/** Looks once for what there is, and answers who asks how much of it is used. */
const createMemory = (): () => Memory => {
  const limitBytes = Math.min(machineBytes(), groupBytes())
  // Deno itself does not tell, and whoever starts it may have set it (`--v8-flags`).
  const heapLimitBytes = getHeapStatistics().heap_size_limit
  return () => {
    const { heapUsed, external } = Deno.memoryUsage()
    return { heapUsedBytes: heapUsed, heapLimitBytes, usedBytes: heapUsed + external, limitBytes }
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

const utf8 = new TextEncoder()

/** So long a stream that takes nothing at the moment is left alone. */
const fullMs = 1

const writeAll = (stream: { writeSync(bytes: Uint8Array): number }, text: string): void => {
  const bytes = utf8.encode(text)
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at))
    } catch (error) {
      // A log that nobody reads any more is no reason to end.
      if (!(error instanceof Deno.errors.WouldBlock)) return
      // Somebody who has the stream too has set it not to wait; without that it would wait here.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fullMs)
    }
  }
}

/** Writes to standard error. */
export const print = (text: string): void => writeAll(Deno.stderr, text)

/** Writes to standard output. */
export const printOut = (text: string): void => writeAll(Deno.stdout, text)

export const runtime: Runtime = { words: () => Deno.args, mention: printOut }

/**
 * How many files and sockets this process may have open; Infinity where that is not known, and then
 * accepting pauses when no descriptor is left.
 */
export const openFilesMax = (): number => {
  const found = /^Max open files +(\d+)/m.exec(textOf('/proc/self/limits'))
  return found === null ? Infinity : Number(found[1])
}
