// The real broker on a folder of its own, on either runtime, as the command line starts it; under a
// tracer where a test wants to look at its system calls.

import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { freePort } from '../free-port.ts'
import { sleep } from '../conformance/expect.ts'
import { Peer } from '../conformance/peer.ts'
import { nodeCommand, Running } from '../conformance/subject.ts'
import { findDeno, root } from '../runtimes.ts'

export type Kind = 'node' | 'deno'

const deno = findDeno()

/** The runtimes that are here. */
export const runtimes: ReadonlyArray<Kind> = deno === null ? ['node'] : ['node', 'deno']

const commandOf = (kind: Kind, folder: string): ReadonlyArray<string> =>
  kind === 'node' ? nodeCommand() : [
    deno!,
    'run',
    '--no-prompt',
    '--allow-net',
    '--allow-read',
    '--allow-env',
    '--allow-sys',
    `--allow-write=${folder}`,
    `${root}/shells/cli/main.ts`,
  ]

export interface KeepingOptions {
  readonly args?: ReadonlyArray<string>
  /** What the broker is started with: a tracer, a limit. */
  readonly under?: ReadonlyArray<string>
  /** Waits for this, 20 s, and not for the port. */
  readonly isReady?: (running: Running) => boolean
}

export class Keeping {
  readonly port: number
  readonly running: Running
  /** The broker's own process, also under a tracer. */
  readonly pid: number

  constructor(port: number, running: Running, pid: number) {
    this.port = port
    this.running = running
    this.pid = pid
  }

  get said(): string {
    return this.running.stderr + this.running.stdout
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (!this.running.isEnded) process.kill(this.pid, signal)
    const late = setTimeout(() => this.running.signal('SIGKILL'), 10_000)
    const { status } = await this.running.ended
    clearTimeout(late)
    return status
  }
}

/** The last of a line of only children: the broker behind its tracer. */
const innermost = (pid: number): number => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return children === '' ? pid : innermost(Number(children.split(' ')[0]))
}

export const keep = async (
  kind: Kind,
  folder: string,
  { args = [], under = [] }: KeepingOptions = {},
): Promise<Keeping> => {
  const port = await freePort()
  const running = new Running([
    ...under,
    ...commandOf(kind, folder),
    '-p',
    String(port),
    '--persistence',
    'true',
    '--persistence-location',
    folder,
    ...args,
  ])
  const until = Date.now() + 30_000
  while (!running.isEnded && Date.now() < until) {
    if (/ running\n/.test(running.stderr)) {
      const pid = under.length === 0 ? running.pid : innermost(running.pid)
      return new Keeping(port, running, pid)
    }
    await sleep(10)
  }
  running.signal('SIGKILL')
  throw new Error(`the broker on ${kind} does not start:\n${running.stderr}${running.stdout}`)
}

const flushCalls: ReadonlySet<string> = new Set(
  process.arch === 'arm64' ? ['82', '83'] : ['74', '75'],
)

/** Whether a thread of the process is in fsync or fdatasync now; null where nobody can tell. */
export const isFlushing = (pid: number): boolean | null => {
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const call = readFileSync(`/proc/${pid}/task/${task}/syscall`, 'utf8')
      if (flushCalls.has(call.slice(0, call.indexOf(' ')))) return true
    }
    return false
  } catch {
    return null
  }
}

/** A client of 3.1.1 whose session outlives its connections. */
export const resume = async (port: number, id: string): Promise<Peer> => {
  const peer = await Peer.dial(port)
  await peer.connect({ id, clean: false, keepAliveS: 0 })
  return peer
}
