// The processes that a measurement needs: compiled, started, waited for and ended. Nothing outlives
// the bench, and nothing that it did not start is ever ended.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** A folder of this run in the system's temporary folder; gone when the bench ends. */
export const folder = mkdtempSync(join(tmpdir(), 'sabethes-bench-'))

const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/** What a program prints, or null if it is not there or fails. */
export const outputOf = (command: string, args: ReadonlyArray<string>): string | null => {
  try {
    return execFileSync(command, args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    }).trim()
  } catch (error) {
    // `mosquitto -h` prints what is asked for and ends with status 3.
    const output = error instanceof Error && 'stdout' in error ? error.stdout : null
    return typeof output === 'string' && output !== '' ? output.trim() : null
  }
}

/** Compiles a C file of this folder; answers the path of the program. */
export const compile = (name: string): string => {
  const program = join(folder, name)
  const source = join(root, 'props/bench', `${name}.c`)
  try {
    const flags = ['-O2', '-pthread', '-o', program, source]
    execFileSync('cc', flags, { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error('the load is a C program and there is no C compiler: install cc (gcc)')
    }
    throw error
  }
  return program
}

const answers = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.on('error', () => done(false))
  })

/** Resident memory of a process in KiB; 0 if it is gone. */
export const residentKibOf = (pid: number): number => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  } catch {
    return 0
  }
}

export interface Server {
  readonly pid: number
  readonly port: number
  readonly stop: () => Promise<void>
}

/** Starts a broker and waits, ten seconds unless told otherwise, until its port answers. */
export const startServer = async (
  name: string,
  command: string,
  args: ReadonlyArray<string>,
  port: number,
  waitMs = 10_000,
): Promise<Server> => {
  const log = join(folder, `${name}-${port}.log`)
  const file = openSync(log, 'w')
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', file, file] })
  const ended = new Promise<void>((done) => {
    child.on('exit', () => done())
    child.on('error', () => done())
  })
  let isGone = false
  running.add(child)
  void ended.then(() => {
    isGone = true
    running.delete(child)
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await Promise.race([ended, sleep(5_000)])
    if (!isGone) child.kill('SIGKILL')
    await ended
  }
  for (let i = 0; i < waitMs / 50 && !isGone; i++) {
    if (await answers(port)) return { pid: child.pid ?? 0, port, stop }
    await sleep(50)
  }
  const said = readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' / ')
  await stop()
  throw new Error(`${name} did not start: ${said.slice(0, 300)}`)
}

/** Runs a program to its end and answers what it printed; killed after `timeoutMs`. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  timeoutMs: number,
): Promise<string> =>
  new Promise((done, failed) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let complaint = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    running.add(child)
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    child.on('error', failed)
    child.on('close', (status) => {
      clearTimeout(timer)
      running.delete(child)
      if (output === '') failed(new Error(`${command} ended with ${status}: ${complaint.trim()}`))
      else done(output)
    })
  })
