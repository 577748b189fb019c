// The command line of the broker, as mosquitto 2.1 reads it: from left to right, with its messages.
// A pure function from words to what was asked for, and from there to settings.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { commandOptions, portsMax } from './command-help.ts'
import type { Word } from './command-help.ts'
import { parseConfig } from './parse.ts'
import { withStore } from './resolve.ts'
import type { StoreWishes } from './resolve.ts'
import { defaultPort, defaultSettings, localOnly, logTypes } from './settings.ts'
import type { Settings } from './settings.ts'
import type { ConfigError, Sources } from './source.ts'
import { unknownOption } from './words.ts'

/** A broker that was asked for. */
export interface Run {
  readonly _tag: 'Run'
  /** The configuration file, null for none. */
  readonly file: string | null
  /** Of -p, without duplicates; they count where the file defines no listener. */
  readonly ports: ReadonlyArray<number>
  readonly verbosity: 'quiet' | 'normal' | 'verbose'
  /** To the background after the start. */
  readonly daemon: boolean
  /** Only to say whether the configuration is good. */
  readonly testConfig: boolean
  /** Whether `${NAME}` and `${file:PATH}` mean something in the file. */
  readonly expand: boolean
  /** The file of --trace, null for what the configuration says. */
  readonly trace: string | null
  /**
   * What was said about the store before -c, which the file may say otherwise, and after it, which
   * holds whatever the file says.
   */
  readonly before: StoreWishes
  readonly after: StoreWishes
}

export type CommandLine =
  | Run
  /** Looks into a store instead of starting a broker. */
  | { readonly _tag: 'Store'; readonly action: 'verify' | 'dump'; readonly folder: string }
  /** Compares two configuration files. */
  | {
    readonly _tag: 'ConfigDiff'
    readonly before: string
    readonly after: string
    readonly expand: boolean
  }
  /** Plays a recording; its words are its own. */
  | { readonly _tag: 'Replay'; readonly words: ReadonlyArray<string> }
  /** Begins or ends a recording of a broker that runs; its words are its own. */
  | { readonly _tag: 'Trace'; readonly words: ReadonlyArray<string> }
  /** Makes a recording shorter; its words are its own. */
  | { readonly _tag: 'Shrink'; readonly words: ReadonlyArray<string> }
  /** Answers from a recording; its words are its own. */
  | { readonly _tag: 'Explain'; readonly words: ReadonlyArray<string> }
  | { readonly _tag: 'Help' }
  | { readonly _tag: 'Version' }

/** The exit status for a command line that makes no sense, as mosquitto's. */
export const statusUsage = 3

/** What --test-config says of a good file. */
export const configIsGood = 'Configuration file is OK.'

/** While the words are read. */
interface Wishes {
  file: string | null
  ports: Array<number>
  isQuiet: boolean
  isVerbose: boolean
  daemon: boolean
  testConfig: boolean
  expand: boolean
  trace: string | null
  before: StoreWishes
  after: StoreWishes
}

/** Says more about the store, as the file does not, or whatever it does. */
const wish = (wishes: Wishes, more: StoreWishes): null => {
  // Without a file it is all the same.
  wishes.after = { ...wishes.after, ...more }
  return null
}

/** Takes one option in; a sentence if it makes no sense. `value` is undefined where none came. */
const take = (wishes: Wishes, name: string, value: string | undefined): string | null => {
  switch (name) {
    case '-c': {
      if (value === undefined) return '-c argument given, but no config file specified.'
      if (wishes.file !== null) {
        return '-c can be given once only.\nLet one file read the others, with include_dir.'
      }
      wishes.file = value
      wishes.before = wishes.after
      wishes.after = {}
      return null
    }
    case '-p':
      return takePort(wishes, value)
    case '-d':
      wishes.daemon = true
      return null
    case '-q':
      wishes.isQuiet = true
      return null
    case '-v':
      wishes.isVerbose = true
      return null
    case '--test-config':
      wishes.testConfig = true
      return null
    case '--expand':
      wishes.expand = true
      return null
    case '--trace':
      if (!value) return `${name} wants the name of a file.`
      wishes.trace = value
      return null
    case '--salvage':
      return wish(wishes, { salvage: true })
    case '--persistence':
      return value === 'true' || value === 'false'
        ? wish(wishes, { isKept: value === 'true' })
        : `${name} wants to be told true or false, not ${value ?? 'nothing'}.`
    case '--persistence-location':
      return value ? wish(wishes, { folder: value }) : `${name} wants the name of a folder.`
    case '--max-store-bytes':
      return value !== undefined && /^[1-9][0-9]{0,14}$/.test(value)
        ? wish(wishes, { storeBytesMax: Number(value) })
        : `${name} wants a number of bytes from 1 on, not ${value || 'nothing'}.`
    default:
      return value === undefined
        ? `${name} argument given, but no file specified.`
        : `TLS support not available so ${name} is not available.\nLeave it out.`
  }
}

const takePort = (wishes: Wishes, value: string | undefined): string | null => {
  if (value === undefined) return '-p argument given, but no port specified.'
  const port = /^[0-9]{1,5}$/.test(value) ? Number(value) : 0
  if (port < 1 || port > 65_535) {
    return `Invalid port specified (${value}).\nGive a number from 1 to 65535.`
  }
  if (wishes.ports.length === portsMax) {
    return `Only ${portsMax} ports can be specified on the command line.`
  }
  if (!wishes.ports.includes(port)) wishes.ports.push(port)
  return null
}

const byName = new Map<string, Word>()
for (const word of commandOptions) {
  for (const name of word.names) byName.set(name, word)
}

/** What the first word may be in place of an option. */
export const commands = ['store', 'config', 'replay', 'trace', 'shrink', 'explain']

const wantsHelp = (words: ReadonlyArray<string>): boolean =>
  words.includes('--help') || words.includes('-h')

/**
 * The words after the program's name. Left: what to print after "Error: ", one or two lines, and
 * end with `statusUsage`.
 */
export const parseOptions = (words: ReadonlyArray<string>): Either<string, CommandLine> => {
  if (words[0] === 'store') return parseStore(words)
  if (words[0] === 'config') return parseDiff(words)
  if (words[0] === 'replay') return E.right({ _tag: 'Replay', words: words.slice(1) })
  if (words[0] === 'trace') return E.right({ _tag: 'Trace', words: words.slice(1) })
  if (words[0] === 'shrink') return E.right({ _tag: 'Shrink', words: words.slice(1) })
  if (words[0] === 'explain') return E.right({ _tag: 'Explain', words: words.slice(1) })
  const wishes: Wishes = {
    file: null,
    ports: [],
    isQuiet: false,
    isVerbose: false,
    daemon: false,
    testConfig: false,
    expand: false,
    trace: null,
    before: {},
    after: {},
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const option = byName.get(word)
    if (option === undefined) {
      // Commands come first.
      const names = i === 0 ? [...byName.keys(), ...commands] : [...byName.keys()]
      return E.left(unknownOption(word, names, 'sabethes --help'))
    }
    const [name] = option.names
    // Read from left to right: what comes after these was never looked at.
    if (name === '-h') return E.right({ _tag: 'Help' })
    if (name === '--version') return E.right({ _tag: 'Version' })
    const value = option.wants === null ? undefined : words[++i]
    const wrong = take(wishes, name!, value)
    if (wrong !== null) return E.left(wrong)
  }
  const { file, ports, isQuiet, isVerbose, daemon, testConfig, expand } = wishes
  const { trace, before, after } = wishes
  return E.right({
    _tag: 'Run',
    file,
    ports,
    verbosity: isQuiet ? 'quiet' : isVerbose ? 'verbose' : 'normal',
    daemon,
    testConfig,
    expand,
    trace,
    before,
    after,
  })
}

const parseStore = (words: ReadonlyArray<string>): Either<string, CommandLine> => {
  if (wantsHelp(words)) return E.right({ _tag: 'Help' })
  const [, action, folder] = words
  if (action !== 'verify' && action !== 'dump') {
    return E.left('store wants to know what to do: sabethes store verify DIR, or store dump DIR.')
  }
  if (folder === undefined || folder.startsWith('-') || words.length > 3) {
    return E.left(`store ${action} wants one folder: sabethes store ${action} DIR.`)
  }
  return E.right({ _tag: 'Store', action, folder })
}

const parseDiff = (words: ReadonlyArray<string>): Either<string, CommandLine> => {
  if (wantsHelp(words)) return E.right({ _tag: 'Help' })
  const [, action, ...rest] = words
  if (action !== 'diff') {
    return E.left('config wants to know what to do: sabethes config diff OLD NEW.')
  }
  const [before, after, ...more] = rest.filter((word) => word !== '--expand')
  if (before === undefined || after === undefined || more.length > 0) {
    return E.left('config diff wants two files: sabethes config diff OLD NEW.')
  }
  return E.right({ _tag: 'ConfigDiff', before, after, expand: rest.includes('--expand') })
}

/**
 * The settings that a command line asks for, once nothing is `wanted` for its file any more. What
 * -v and -q say beats the file, and so does what comes after -c about the store.
 */
export const settingsFor = (run: Run, sources: Sources): Either<ConfigError, Settings> => {
  const { file, ports, before, after, verbosity, trace } = run
  const asked = file === null
    ? E.right(withStore(
      localOnly(ports.length === 0 ? [defaultPort] : ports, defaultSettings),
      new Map(),
      sources.variables,
      { before, after },
    ))
    : parseConfig(file, sources, ports, { before, after })
  if (E.isLeft(asked)) return asked
  const settings = trace === null
    ? asked.right
    : { ...asked.right, traceFile: trace, traceOnStart: true }
  if (verbosity === 'normal') return E.right(settings)
  const types = verbosity === 'quiet' ? [] : logTypes
  return E.right({ ...settings, log: { ...settings.log, types } })
}
