// The program `sabethes`: what its command line asks for. Status 0: ended as asked; 1: could not
// start; 3: a command line or a configuration that makes no sense; 13: a plugin that cannot be; 70:
// the broker itself was at fault.

import { basename } from 'node:path'
import process from 'node:process'
import {
  commands,
  configIsGood,
  diff,
  help,
  keepNames,
  parseOptions,
  printDiff,
  statusUsage,
} from '../../core/config/mod.ts'
import type { CommandLine, ConfigError, Run, Settings } from '../../core/config/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import type { OpenOutlet } from '../common/outlet.ts'
import type { Program } from '../common/program.ts'
import type { Start } from '../common/start.ts'
import { version } from '../common/version.ts'
import { goToBackground } from './background.ts'
import { mouth } from './mouth.ts'
import { Secrets } from './secrets.ts'
import type { Refusal } from './secrets.ts'
import { readFile, readRun } from './sources.ts'

const endings = ['SIGINT', 'SIGTERM'] as const

const isDeno = 'Deno' in globalThis

const loadProgram = async (): Promise<Program> => {
  const { runtime } = isDeno ? await import('../deno/host.ts') : await import('../node/host.ts')
  return { ...runtime, ...mouth, exit: (status) => process.exit(status) }
}

const loadStart = async (): Promise<Start> => {
  const { start } = isDeno ? await import('../deno/mod.ts') : await import('../node/mod.ts')
  return start
}

const loadOutlets = async (): Promise<OpenOutlet> => {
  const { openOutlet } = isDeno
    ? await import('../deno/outlet.ts')
    : await import('../node/outlet.ts')
  return openOutlet
}

/** What it was started as: a link may have the name of the program that it stands for. */
const nameOfProgram = (): string => process.env['SABETHES_NAME'] ?? basename(process.argv[1] ?? '')

/** mosquitto has options and no commands. */
const parse = (words: ReadonlyArray<string>): Either<string, CommandLine> => {
  const [first] = words
  return nameOfProgram() === 'mosquitto' && commands.includes(first ?? '')
    ? E.left(`Unknown option '${first}'.`)
    : parseOptions(words)
}

const complain = (program: Program, lines: ReadonlyArray<string>): void => {
  for (const line of lines) program.complain(`${line}\n`)
}

/** Whether a broker would start with it, as far as files can say. */
const whyNoGood = async (settings: Either<ConfigError, Settings>): Promise<Refusal | null> => {
  if (E.isLeft(settings)) return settings.left
  const secrets = await Secrets.read(settings.right, null)
  return E.isLeft(secrets) ? secrets.left : null
}

const testConfig = async (program: Program, run: Run): Promise<never> => {
  const wrong = await whyNoGood(readRun(run))
  complain(program, wrong === null ? [configIsGood] : wrong.lines)
  return program.exit(wrong === null ? 0 : wrong.status)
}

/** What a reload would change, on standard output; status 0 whether or not that is anything. */
const compare = (
  program: Program,
  before: string,
  after: string,
  expand: boolean,
): never => {
  const [old, next] = [readFile(before, expand), readFile(after, expand)]
  for (const one of [old, next]) {
    if (E.isRight(one)) continue
    complain(program, one.left.lines)
    return program.exit(one.left.status)
  }
  if (E.isRight(old) && E.isRight(next)) {
    const changes = diff(old.right, keepNames(old.right, next.right))
    for (const line of printDiff(changes)) program.say(`${line}\n`)
  }
  return program.exit(0)
}

const operate = async (program: Program, run: Run): Promise<void> => {
  // Who changes the file while the broker is being loaded is heard once it runs.
  let isStale = false
  process.on('SIGHUP', () => {
    isStale = true
  })
  const settings = readRun(run)
  if (E.isLeft(settings)) {
    complain(program, settings.left.lines)
    return program.exit(settings.left.status)
  }
  // The broker itself is much, and is loaded once it is known that it will be started.
  const { Operator } = await import('./operate.ts')
  const order = { file: run.file, read: () => readRun(run), isStale: () => isStale }
  const operator = new Operator(program, await loadStart(), await loadOutlets(), order)
  return operator.begin(settings.right)
}

export const main = async (): Promise<void> => {
  const program = await loadProgram()
  const parsed = parse(program.words())
  if (E.isLeft(parsed)) {
    program.complain(`Error: ${parsed.left}\n`)
    return program.exit(statusUsage)
  }
  const asked = parsed.right
  // Only a broker has something of its own to say to them.
  if (asked._tag !== 'Run') { for (const name of endings) process.removeAllListeners(name) }
  switch (asked._tag) {
    case 'Help':
      return program.say(help(version))
    case 'Version':
      return program.say(`sabethes version ${version}\n`)
    case 'Store': {
      const { lookIntoStore } = await import('./store.ts')
      return program.exit(await lookIntoStore(program, asked.action, asked.folder))
    }
    case 'Replay': {
      const { playRecording } = await import('./replay.ts')
      return program.exit(await playRecording(program, asked.words))
    }
    case 'Trace': {
      const { askForTrace } = await import('./trace.ts')
      return program.exit(await askForTrace(program, asked.words))
    }
    case 'Shrink': {
      const { shrinkRecording } = await import('./shrink.ts')
      return program.exit(await shrinkRecording(program, asked.words))
    }
    case 'Explain': {
      const { explainRecording } = await import('./explain.ts')
      return program.exit(await explainRecording(program, asked.words))
    }
    case 'ConfigDiff':
      return compare(program, asked.before, asked.after, asked.expand)
    case 'Run':
      if (asked.testConfig) return testConfig(program, asked)
      if (asked.daemon) return program.exit(await goToBackground(program))
      return operate(program, asked)
  }
}
