// The command line of the broker, as mosquitto reads it: a pure function from words to what was
// asked for. What mosquitto has and Sabethes has not yet is refused with a sentence, never ignored.

import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import type { Verbosity } from '../../core/log/settings.ts'
import type { StoreOptions } from './store.ts'

export type Options =
  | {
    readonly _tag: 'Run'
    readonly ports: ReadonlyArray<number>
    readonly verbosity: Verbosity
    /** Null where nothing is to outlive the process. */
    readonly persistence: StoreOptions | null
  }
  /** Looks into a store instead of starting a broker. */
  | { readonly _tag: 'Store'; readonly action: 'verify' | 'dump'; readonly folder: string }
  | { readonly _tag: 'Help' }
  | { readonly _tag: 'Version' }

/** mosquitto's port. */
export const defaultPort = 1883

const portsMax = 10

/** The exit status for a command line that makes no sense, as mosquitto's. */
export const statusUsage = 3

interface Missing {
  readonly names: ReadonlyArray<string>
  readonly sentence: string
}

const missing: ReadonlyArray<Missing> = [
  {
    names: ['-c', '--config-file'],
    sentence: 'Configuration files are not there yet: give the port with -p, and everything else ' +
      'stays at its default.',
  },
  {
    names: ['-d', '--daemon'],
    sentence: 'Going to the background is not there yet: let systemd or your shell (&) do it.',
  },
  {
    names: ['--test-config'],
    sentence: 'Configuration files are not there yet, so there is none to test: leave it out.',
  },
  {
    names: ['--tls-keylog'],
    sentence: 'TLS is not there yet, so there are no secrets to write: leave it out.',
  },
]

/** The words after the program's name. Left: a sentence for the user, to be printed as an error. */
export const parseOptions = (words: ReadonlyArray<string>): Either<string, Options> => {
  if (words[0] === 'store') return parseStore(words)
  const ports: Array<number> = []
  let persistence = false
  let folder = '.'
  let storeBytesMax = 0
  let salvage = false
  let verbose = false
  let quiet = false
  let asked: Options | null = null
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    switch (word) {
      case '-p':
      case '--port': {
        i += 1
        if (i === words.length) return E.left(`${word} argument given but no port specified.`)
        const port = parsePort(words[i]!)
        if (port === null) {
          return E.left(`Invalid port specified (${words[i]}): give a number from 1 to 65535.`)
        }
        if (ports.length === portsMax) {
          return E.left(`Only ${portsMax} ports can be specified: leave some of the -p out.`)
        }
        if (!ports.includes(port)) ports.push(port)
        break
      }
      case '--persistence': {
        i += 1
        const answer = words[i]
        if (answer !== 'true' && answer !== 'false') {
          return E.left(`${word} wants to be told true or false, not ${answer ?? 'nothing'}.`)
        }
        persistence = answer === 'true'
        break
      }
      case '--persistence-location': {
        i += 1
        const named = words[i]
        if (!named) return E.left(`${word} wants the name of a folder.`)
        folder = named
        break
      }
      case '--max-store-bytes': {
        i += 1
        const most = words[i] ?? ''
        if (!/^[1-9][0-9]{0,14}$/.test(most)) {
          return E.left(`${word} wants a number of bytes from 1 on, not ${most || 'nothing'}.`)
        }
        storeBytesMax = Number(most)
        break
      }
      case '--salvage':
        salvage = true
        break
      case '-v':
      case '--verbose':
        verbose = true
        break
      case '-q':
      case '--quiet':
        quiet = true
        break
      case '-h':
      case '--help':
        asked = asked ?? { _tag: 'Help' }
        break
      case '--version':
        asked = asked ?? { _tag: 'Version' }
        break
      default: {
        for (const { names, sentence } of missing) {
          if (names.includes(word)) return E.left(`${word}: ${sentence}`)
        }
        return E.left(`Unknown option '${word}': sabethes --help lists what there is.`)
      }
    }
  }
  if (asked !== null) return E.right(asked)
  // As in mosquitto, quiet beats verbose.
  const verbosity = quiet ? 'quiet' : verbose ? 'verbose' : 'normal'
  if (ports.length === 0) ports.push(defaultPort)
  const kept: StoreOptions | null = persistence
    ? { folder, salvage, ...(storeBytesMax === 0 ? {} : { storeBytesMax }) }
    : null
  return E.right({ _tag: 'Run', ports, verbosity, persistence: kept })
}

const parseStore = (words: ReadonlyArray<string>): Either<string, Options> => {
  const [, action, folder] = words
  if (action !== 'verify' && action !== 'dump') {
    return E.left('store wants to know what to do: sabethes store verify DIR, or store dump DIR.')
  }
  if (folder === undefined || folder.startsWith('-') || words.length > 3) {
    return E.left(`store ${action} wants one folder: sabethes store ${action} DIR.`)
  }
  return E.right({ _tag: 'Store', action, folder })
}

const parsePort = (word: string): number | null => {
  if (!/^[0-9]{1,5}$/.test(word)) return null
  const port = Number(word)
  return port >= 1 && port <= 65535 ? port : null
}

/** What --help prints. */
export const help = (version: string): string =>
  `sabethes version ${version}

sabethes is an MQTT broker for MQTT 5.0, 3.1.1 and 3.1.

Usage: sabethes [-p port] [-q | -v] [--persistence true]
       sabethes store verify | dump DIR
       sabethes [-h | --version]

 store verify   : look for damage in the store in this folder.
 store dump     : print the records of the store, one per line.

 -h, --help     : display this help.
 -p, --port     : listen on this port of 127.0.0.1 and ::1. Defaults to ${defaultPort}.
                  Can be given up to ${portsMax} times.
 -q, --quiet    : no log but errors. Beats -v.
 -v, --verbose  : verbose mode, with a line per packet.
     --version  : display the version number.

     --persistence true | false
                : whether sessions, their messages, retained messages and wills
                  outlive the program: then nothing is acknowledged before it is
                  on disk. Defaults to false.
     --persistence-location folder
                : where the store lies, the file sabethes.sqlite3. Defaults to
                  the folder of the moment.
     --max-store-bytes number
                : the store takes no more than that. Defaults to what the disk
                  has room for.
     --salvage  : serve what is sound of a damaged store.
`
