// Who takes part, in which version, and how each is started. Each runs as its users run it; where a
// setting matters it is the one that is fastest for that broker (README.md says which and why).

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { compile, folder, outputOf, root, type Server, startServer } from './processes.ts'
import type { Row } from './rows.ts'

export interface Contestant {
  readonly name: string
  readonly title: string
  readonly start: (row: Row) => Promise<Server>
}

/** Where Sabethes leaves its CPU profiles when they are wanted, by runtime. */
export const profileFolder = (runtime: string): string => join(folder, `profile-${runtime}`)

/** Node and Deno have the same flags for that. */
const profileFlags = (runtime: string, profile: boolean): string[] =>
  profile ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder(runtime)}`] : []

const versionIn = (path: string): string => {
  const value: unknown = JSON.parse(readFileSync(join(root, path), 'utf8'))
  return typeof value === 'object' && value !== null && 'version' in value
    ? String(value.version)
    : 'unknown'
}

/** The version of a program, found in what it prints; `none` if it is not there. */
const versionOf = (command: string | null, flag: string, pattern: RegExp): string =>
  pattern.exec(command === null ? '' : (outputOf(command, [flag]) ?? ''))?.[1] ?? 'none'

const newestSourceMs = (path: string): number => {
  let newest = 0
  for (const entry of readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })) {
    if (entry.endsWith('.ts')) newest = Math.max(newest, statSync(join(root, path, entry)).mtimeMs)
  }
  return newest
}

/** `dist` must be what the sources say, or the figures are those of yesterday's broker. */
export const buildIfStale = (): void => {
  const built = join(root, 'dist/shells/cli/main.js')
  const sourceMs = Math.max(newestSourceMs('core'), newestSourceMs('shells'))
  if (existsSync(built) && statSync(built).mtimeMs >= sourceMs) return
  process.stderr.write('dist is older than the sources: building\n')
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], {
      cwd: root,
      stdio: ['ignore', process.stderr, process.stderr],
    })
  } catch {
    process.stderr.write('the build has errors; what it wrote is measured all the same\n')
  }
}

/** With words for its command line. */
const sabethesOnNode = (
  profile: boolean,
  name = 'node',
  title = '',
  ...words: ReadonlyArray<string>
): Contestant => {
  buildIfStale()
  const flags = profileFlags(name, profile)
  return {
    name,
    title: `sabethes, Node ${process.versions.node}${title}`,
    start: async () => {
      const port = await freePort()
      const args = [...flags, 'dist/shells/cli/main.js', '-q', '-p', String(port), ...words]
      return startServer(name, process.execPath, args, port)
    },
  }
}

/** It records all that it is told, without payloads, in a ring of files. */
const sabethesRecording = (profile: boolean): Contestant => {
  const path = join(folder, 'recording.conf')
  const lines = [`trace_file ${join(folder, 'recording')}`, 'trace_size 268435456', 'user root']
  writeFileSync(path, lines.join('\n') + '\n')
  return sabethesOnNode(profile, 'node-recording', ', recording', '-c', path)
}

/** The program itself, so that no launcher's CPU is measured with it. */
export const denoPath = (): string | null => {
  const script = 'console.log(Deno.execPath())'
  return (
    outputOf('deno', ['eval', script]) ?? outputOf('npx', ['--yes', 'deno@2.9.6', 'eval', script])
  )
}

const sabethesOnDeno = (profile: boolean): Contestant => {
  const deno = denoPath()
  if (deno === null) throw new Error('it is not installed and npx cannot fetch it')
  const version = versionOf(deno, '--version', /deno (\S+)/)
  return {
    name: 'deno',
    title: `sabethes, Deno ${version}`,
    start: async () => {
      const port = await freePort()
      const permissions = ['--allow-net', '--allow-read', '--allow-env']
      const flags = [...permissions, ...profileFlags('deno', profile)]
      const args = ['run', ...flags, 'shells/cli/main.ts', '-q', '-p', String(port)]
      return startServer('deno', deno, args, port)
    },
  }
}

/**
 * Mosquitto with its defaults, `set_tcp_nodelay` left off, and a queue in which nothing is dropped.
 * 20 messages in flight is its default, and ours; but at QoS 2 it then loses the order of a 3.1.1
 * client's messages beyond the 20th, or resets the client, so there it is given the whole window.
 */
const mosquitto = (name: string, alwaysInflight: boolean): Contestant => {
  const version = versionOf('mosquitto', '-h', /version (\S+)/)
  if (version === 'none') throw new Error('it is not installed (apt-get install mosquitto)')
  return {
    name,
    title: `mosquitto ${version}${alwaysInflight ? ', inflight' : ''}`,
    start: async (row) => {
      const port = await freePort()
      const path = join(folder, `mosquitto-${port}.conf`)
      const lines = [
        `listener ${port} 127.0.0.1`,
        'allow_anonymous true',
        'max_queued_messages 0',
        'log_dest none',
      ]
      if (alwaysInflight || row.qos === 2) lines.push(`max_inflight_messages ${row.window}`)
      writeFileSync(path, lines.join('\n') + '\n')
      return startServer(name, 'mosquitto', ['-c', path], port)
    },
  }
}

const aedes = (): Contestant => ({
  name: 'aedes',
  title: `aedes ${versionIn('node_modules/aedes/package.json')}, Node ${process.versions.node}`,
  start: async () => {
    const port = await freePort()
    const args = ['--import', 'tsx', 'props/bench/aedes.ts', String(port)]
    return startServer('aedes', process.execPath, args, port)
  },
})

let relayProgram: string | null = null

/** Starts the relay of relay.c, with a fault if one is named. */
export const startRelay = async (shape: string, ...fault: string[]): Promise<Server> => {
  relayProgram ??= compile('relay')
  const port = await freePort()
  return startServer('relay', relayProgram, [String(port), shape, ...fault], port)
}

const relay = (): Contestant => ({
  name: 'relay',
  title: 'relay.c, no broker',
  start: (row) => startRelay(row.shape),
})

/** Throws an Error with a sentence when the contestant cannot take part here. */
export const makeContestant = (name: string, profile: boolean): Contestant => {
  if (name === 'node') return sabethesOnNode(profile)
  if (name === 'node-recording') return sabethesRecording(profile)
  if (name === 'deno') return sabethesOnDeno(profile)
  if (name === 'mosquitto') return mosquitto(name, false)
  if (name === 'mosquitto-inflight') return mosquitto(name, true)
  if (name === 'aedes') return aedes()
  return relay()
}

export const versions = (): Record<string, string> => ({
  sabethes: versionIn('package.json'),
  node: process.versions.node,
  deno: versionOf(denoPath(), '--version', /deno (\S+)/),
  mosquitto: versionOf('mosquitto', '-h', /version (\S+)/),
  aedes: versionIn('node_modules/aedes/package.json'),
  kernel: outputOf('uname', ['-sr']) ?? 'unknown',
})
