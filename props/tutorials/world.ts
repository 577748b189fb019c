// Where a tutorial is played. Best in a machine of its own (namespace.sh), in which every path,
// port and address is the tutorial's. Where the system allows none, the same lines with other
// paths, a free port and addresses of loopback; the play says so.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from '../free-port.ts'
import { root } from '../runtimes.ts'

export const brokerNames = ['node', 'deno', 'mosquitto'] as const

/** Sabethes on one of its runtimes, or Debian's mosquitto to compare it with. */
export type BrokerName = (typeof brokerNames)[number]

export interface World {
  readonly broker: BrokerName
  /** Whether paths, ports and addresses are the tutorial's. */
  readonly isOwnMachine: boolean
  /** A tutorial's text in the paths, ports and addresses of this world. */
  readonly here: (text: string) => string
  readonly env: Readonly<Record<string, string>>
  /** The folder with the world's own files. */
  readonly folder: string
  readonly close: () => void
}

export const isRoot = process.getuid?.() === 0

const script = (path: string, ...lines: ReadonlyArray<string>): void => {
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\n`)
  chmodSync(path, 0o755)
}

/** An editor in which somebody types: it writes what lies in TYPED to the file, or behind it. */
const makeEditor = (path: string): void =>
  script(path, 'if [ -n "$APPEND" ]; then cat "$TYPED" >>"$1"; else cat "$TYPED" >"$1"; fi')

/**
 * The program `mosquitto`. Deno cannot give up root's groups, so there the broker is the user
 * `mosquitto` from the start; what only root may make is made for it before.
 */
const launcher = (broker: BrokerName, folder: string, repo: string, deno: string): string => {
  // The tutorial's pid_file lies where the user mosquitto may make no file.
  const pidFile = '[ ! -w /run ] || [ -e /run/mosquitto.pid ] || ' +
    'install -o mosquitto -m 644 /dev/null /run/mosquitto.pid'
  if (broker === 'mosquitto') return `${pidFile}\nexec /usr/sbin/mosquitto "$@"`
  if (broker === 'node') return `exec ${repo}/shells/service/sabethes "$@"`
  const user = 'setpriv --reuid=mosquitto --regid=mosquitto --init-groups'
  return [
    "trap '' 34 35",
    pidFile,
    `export SABETHES_NAME=mosquitto DENO_DIR=${folder}/deno-cache NO_COLOR=1`,
    `exec ${isRoot ? user : ''} ${deno} run -A ${repo}/shells/cli/main.ts "$@"`,
  ].join('\n')
}

/** What a service manager calls. */
const makeService = (world: World, etc: string, bin: string): void => {
  const init = join(etc, 'init.d', world.isOwnMachine ? 'mosquitto' : 'sabethes')
  copyFileSync(join(root, 'shells/service/sabethes.init'), init)
  chmodSync(init, 0o755)
  const daemon = `DAEMON=${bin}/mosquitto`
  if (world.isOwnMachine) return writeFileSync(join(etc, 'default/sabethes'), `${daemon}\n`)
  const settings = [
    daemon,
    `CONFIG=${etc}/mosquitto/mosquitto.conf`,
    `STARTED=${join(world.folder, 'started')}`,
  ]
  script(join(etc, 'init.d/mosquitto'), `exec env ${settings.join(' ')} ${init} "$@"`)
  script(join(bin, 'service'), `exec ${etc}/init.d/"$1" "$2"`)
}

/**
 * The program where the user mosquitto can read it, wherever this checkout and Deno lie: what
 * namespace.sh has for its machine, made of copies.
 */
const copyProgram = (folder: string): void => {
  for (const part of ['core', 'shells', 'dist', 'package.json', 'deno.json', ...packages()]) {
    cpSync(join(root, part), join(folder, 'repo', part), { recursive: true, dereference: true })
  }
  const deno = process.env['DENO'] ?? ''
  if (deno !== '') copyFileSync(deno, join(folder, 'deno'))
}

/** What the program needs of node_modules. */
const packages = (): ReadonlyArray<string> => {
  const found = new Set<string>()
  const visit = (manifest: string): void => {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(root, manifest, 'package.json'), 'utf8'),
    ) as Readonly<Record<string, Readonly<Record<string, string>>>>
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const part = `node_modules/${name}`
      if (found.has(part) || !existsSync(join(root, part))) continue
      found.add(part)
      visit(part)
    }
  }
  visit('.')
  return [...found]
}

/** The programs of a tutorial that are not the ones of this machine. */
const makePrograms = (world: World, port: number): void => {
  const { broker, isOwnMachine, folder } = world
  const [bin, etc] = [join(folder, 'bin'), isOwnMachine ? '/etc' : join(folder, 'etc')]
  const [repo, deno] = [join(folder, 'repo'), join(folder, 'deno')]
  if (!isOwnMachine) copyProgram(folder)
  // Whoever is root needs no sudo, and whoever is not has files of his own here.
  script(join(bin, 'sudo'), 'exec "$@"')
  for (const editor of ['nano', 'vim']) makeEditor(join(bin, editor))
  const start = launcher(broker, folder, repo, deno)
  // What counts where no file has a listener.
  const onPort = `set -- "$@" -p ${port}`
  if (isOwnMachine && broker === 'node') {
    symlinkSync(`${repo}/shells/service/sabethes`, join(bin, 'mosquitto'))
  } else if (isOwnMachine) script(join(bin, 'mosquitto'), start)
  else script(join(bin, 'mosquitto'), onPort, start)
  mkdirSync(join(folder, 'deno-cache'), { mode: 0o777 })
  chmodSync(join(folder, 'deno-cache'), 0o777)
  makeService(world, etc, bin)
}

/** Other paths, which only this world has. */
const furnish = (folder: string, port: number): void => {
  chmodSync(folder, 0o755)
  for (const path of ['etc/init.d', 'etc/default', 'etc/apt/sources.list.d', 'xdg']) {
    mkdirSync(join(folder, path), { recursive: true })
  }
  for (const path of ['var/lib/mosquitto', 'var/log/mosquitto', 'run/mosquitto', 'var/run']) {
    mkdirSync(join(folder, path), { recursive: true })
    if (isRoot) spawnSync('chown', ['mosquitto:', join(folder, path)])
  }
  cpSync('/etc/mosquitto', join(folder, 'etc/mosquitto'), { recursive: true })
  for (const client of ['mosquitto_pub', 'mosquitto_sub']) {
    writeFileSync(join(folder, 'xdg', client), `-p ${port}\n`)
  }
}

const moved = (folder: string, port: number) => (text: string): string =>
  text
    .replaceAll(
      /\/(etc\/(?:mosquitto|init\.d|apt)|var\/(?:lib|log|run)\/mosquitto|run\/mosquitto)/g,
      (_, path) => `${folder}/${path}`,
    )
    .replaceAll('10.42.', '127.42.')
    .replaceAll('test.mosquitto.org', 'localhost')
    .replaceAll(/\b1883\b/g, String(port))

export const makeWorld = async (broker: BrokerName, isOwnMachine: boolean): Promise<World> => {
  const folder = isOwnMachine ? '/run/tutorial' : mkdtempSync(join(tmpdir(), 'tutorial-'))
  const port = isOwnMachine ? 1883 : await freePort()
  mkdirSync(join(folder, 'bin'))
  if (!isOwnMachine) furnish(folder, port)
  const here = isOwnMachine ? (text: string) => text : moved(folder, port)
  if (isOwnMachine) {
    // The public server, played by ourselves.
    writeFileSync('/etc/hosts', '127.0.0.1 localhost test.mosquitto.org\n::1 localhost\n')
  } else {
    const conf = join(folder, 'etc/mosquitto/mosquitto.conf')
    const text = spawnSync('cat', ['/etc/mosquitto/mosquitto.conf'], { encoding: 'utf8' }).stdout
    writeFileSync(conf, here(text))
  }
  const { FORCE_COLOR: _, NODE_OPTIONS: __, ...inherited } = process.env
  const env = {
    ...Object.fromEntries(Object.entries(inherited).map(([name, value]) => [name, value ?? ''])),
    PATH: [join(folder, 'bin'), process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter),
    LC_ALL: 'C.UTF-8',
    XDG_CONFIG_HOME: join(folder, 'xdg'),
  }
  const close = (): void => {
    if (isOwnMachine) return
    spawnSync(here('/etc/init.d/mosquitto'), ['stop'], { env, stdio: 'ignore' })
    rmSync(folder, { recursive: true, force: true })
  }
  const world: World = { broker, isOwnMachine, here, env, folder, close }
  makePrograms(world, port)
  return world
}
