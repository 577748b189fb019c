// What the driver and the command line need of Deno: clocks, chance, the turn of the event loop,
// one timer, signals and the standard streams.

import type { Host } from '../common/driver.ts'
import type { Program } from '../common/program.ts'

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
    // setTimeout would add a millisecond, and a microtask could follow itself for ever while reads
    // complete at once; this comes after everything readable has been read, and before any waiting.
    schedule: (turn) => {
      setImmediate(turn)
    },
    arm: (delayMs, turn) => {
      disarm()
      armed = setTimeout(turn, delayMs)
    },
    disarm,
    fatal,
  }
}

const utf8 = new TextEncoder()

const writeAll = (stream: { writeSync(bytes: Uint8Array): number }, text: string): void => {
  const bytes = utf8.encode(text)
  let at = 0
  try {
    while (at < bytes.length) at += stream.writeSync(bytes.subarray(at))
  } catch {
    // A log that nobody reads any more is no reason to end.
  }
}

/** Writes to standard error. */
export const print = (text: string): void => writeAll(Deno.stderr, text)

export const program: Program = {
  words: () => Deno.args,
  say: (text) => writeAll(Deno.stdout, text),
  complain: print,
  exit: (status) => Deno.exit(status),
  onSignals: (handler) => {
    Deno.addSignalListener('SIGINT', () => handler(130))
    Deno.addSignalListener('SIGTERM', () => handler(143))
  },
}

/** How many files and sockets this process may have open; Infinity where that is not known. */
export const openFilesMax = (): number => {
  try {
    const limits = Deno.readTextFileSync('/proc/self/limits')
    const found = /^Max open files +(\d+)/m.exec(limits)
    return found === null ? Infinity : Number(found[1])
  } catch {
    // Another system than Linux; or not all permissions, without which Deno shows nothing of /proc.
    // Then accepting pauses when no descriptor is left.
    return Infinity
  }
}
