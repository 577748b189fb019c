// Brokers under test, each in a process of its own on a free port of the loopback. A shell runs
// from the build when that is newer than every source file, else from the sources.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import process from 'node:process'
import { freePort } from '../free-port.ts'
import { findDeno, root } from '../runtimes.ts'
import type { Settings, Wish } from './embedding.ts'
import { sleep, until, within } from './expect.ts'

/** `mosquitto` is here to try the table itself against a broker that is known to be good. */
export type Kind = 'node' | 'deno' | 'mosquitto'

const newestMs = (folder: string): number => {
  let newest = 0
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name)
    if (entry.isDirectory()) newest = Math.max(newest, newestMs(name))
    else if (entry.name.endsWith('.ts')) newest = Math.max(newest, fs.statSync(name).mtimeMs)
  }
  return newest
}

const built = path.join(root, 'dist/shells/cli/main.js')
const source = path.join(root, 'shells/cli/main.ts')

export const nodeCommand = (): string[] => {
  const fresh = fs.existsSync(built) && fs.statSync(built).mtimeMs >
      Math.max(newestMs(path.join(root, 'core')), newestMs(path.join(root, 'shells')))
  return fresh ? [process.execPath, built] : [process.execPath, '--import', 'tsx', source]
}

let denoPath: string | null | undefined

const denoCommand = (main = source): string[] => {
  denoPath ??= findDeno()
  if (denoPath === null) throw new Error('no Deno 2 here, neither installed nor by npx')
  const rights = ['--allow-net', '--allow-read', '--allow-env', '--allow-sys=uid']
  return [denoPath, 'run', '--no-prompt', ...rights, main]
}

const embedding = path.join(root, 'props/conformance/embedding.ts')

/** Whether this kind of broker can be started here. */
export const isThere = (kind: Kind): boolean => {
  if (kind === 'node') return true
  if (kind === 'mosquitto') return spawnSync('mosquitto', ['-h']).error === undefined
  denoPath ??= findDeno()
  return denoPath !== null
}

export interface Ended {
  readonly status: number | null
  readonly signal: string | null
}

const alive = new Set<ChildProcess>()
const folders: string[] = []

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true })
})
// Without a handler a signal would end this process without the exit event, and orphan the brokers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(1))
}

/** Characters of output kept of each program. */
const outputMax = 4_000_000

/** A started program, its output gathered. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  isEnded = false
  stdout = ''
  stderr = ''

  constructor(command: ReadonlyArray<string>) {
    const [program = '', ...args] = command
    this.child = spawn(program, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
    alive.add(this.child)
    this.child.stdout?.on('data', (chunk) => this.stdout = (this.stdout + chunk).slice(-outputMax))
    this.child.stderr?.on('data', (chunk) => this.stderr = (this.stderr + chunk).slice(-outputMax))
    this.child.stdin?.on('error', () => {})
    this.ended = new Promise((resolve) => {
      const end = (status: number | null, signal: string | null): void => {
        alive.delete(this.child)
        this.isEnded = true
        resolve({ status, signal })
      }
      this.child.on('error', (error) => {
        this.stderr += String(error)
        end(null, null)
      })
      // `close` and not `exit`: only then has all output been read.
      this.child.on('close', end)
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name)
  }
}

const fileWithConfiguration = (
  kind: Kind,
  port: number,
  lines: ReadonlyArray<string>,
): string => {
  // On Deno root cannot become anybody else.
  const rights = kind === 'deno' ? ['user root'] : []
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'))
  const file = path.join(folder, 'mosquitto.conf')
  fs.writeFileSync(
    file,
    // Options of a listener are those of the last one.
    [
      ...rights,
      `listener ${port} ::1`,
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      ...lines,
      '',
    ].join('\n'),
  )
  folders.push(folder)
  return file
}

/** Starts the program with these arguments and looks at nothing. */
export const launch = (
  kind: Kind,
  args: ReadonlyArray<string>,
  filesMax: number | null = null,
): Running => {
  const program = kind === 'node' ? nodeCommand() : kind === 'deno' ? denoCommand() : ['mosquitto']
  const command = [...program, ...args]
  return new Running(
    filesMax === null
      ? command
      : ['sh', '-c', `ulimit -n ${filesMax}; exec "$@"`, 'sh', ...command],
  )
}

const embed = (kind: 'node' | 'deno', port: number, settings: Settings): Running => {
  const program = kind === 'node'
    ? [process.execPath, '--import', 'tsx', embedding]
    : denoCommand(embedding)
  return new Running([...program, String(port), JSON.stringify(settings)])
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })

/** A broker that accepts connections. */
export interface Broker {
  readonly kind: Kind
  readonly port: number
  readonly running: Running
  /** Says something to a broker that was started with settings; it takes effect soon. */
  tell(wish: Wish): void
  /** Ends it with SIGTERM, and with SIGKILL if it does not obey within three seconds. */
  stop(): Promise<void>
}

const stopRunning = async (running: Running): Promise<void> => {
  running.signal('SIGTERM')
  await Promise.race([running.ended, sleep(3_000)])
  if (!running.isEnded) running.signal('SIGKILL')
  await running.ended
}

export interface StartOptions {
  readonly args?: ReadonlyArray<string>
  readonly filesMax?: number
  /** What no command line can say: the broker is then started inside a small program. */
  readonly settings?: Settings
  /** Further lines for the file that mosquitto is configured with; if given, so is a shell. */
  readonly lines?: ReadonlyArray<string>
}

export const start = async (kind: Kind, options: StartOptions = {}): Promise<Broker> => {
  let said = ''
  // Between choosing a port and opening it somebody else may take it; then choose again.
  for (let attempt = 0; attempt < 3; attempt++) {
    const port = await freePort()
    const own = kind === 'mosquitto' || options.lines !== undefined
      ? ['-c', fileWithConfiguration(kind, port, options.lines ?? [])]
      : ['-p', String(port)]
    const { args = [], filesMax = null, settings } = options
    const running = settings === undefined || kind === 'mosquitto'
      ? launch(kind, [...own, ...args], filesMax)
      : embed(kind, port, settings)
    // Somebody else who has taken the port meanwhile would answer as well: who says that it listens
    // is asked nothing before.
    const isTalkative = args.length === 0 && options.lines === undefined
    await until(
      20_000,
      `${kind} accepting connections`,
      async () =>
        running.isEnded ||
        ((!isTalkative || / running$/m.test(running.stdout + running.stderr)) &&
          await answers(port)),
    )
    if (!running.isEnded) {
      const tell = (wish: Wish): void => {
        running.child.stdin?.write(`${JSON.stringify(wish)}\n`)
      }
      return { kind, port, running, tell, stop: () => stopRunning(running) }
    }
    said = running.stderr + running.stdout
  }
  throw new Error(`${kind} did not start:\n${said}`)
}

/** The end of a program that is expected to end by itself. */
export const endOf = (running: Running, ms: number, what: string): Promise<Ended> =>
  within(ms, what, running.ended)

/** Resident memory in bytes, or null where there is no /proc. */
export const residentBytes = (pid: number): number | null => {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))
    return found === null ? null : Number(found[1]) * 1024
  } catch {
    return null
  }
}

/** Processor time used so far by all threads, in milliseconds, or null where there is no /proc. */
export const processorMs = (pid: number): number | null => {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name stands in parentheses and may hold spaces; fields count from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return null
  }
}

/** Open file descriptors of a process, or null where there is no /proc. */
export const descriptorsOf = (pid: number): number | null => {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return null
  }
}
