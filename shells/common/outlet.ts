// Where a log goes, as a port: each runtime brings its own streams, files and programs.

import { linksVariable } from '../../core/config/secret-file.ts'
import type { LogDestination } from '../../core/config/settings.ts'
import type { Either } from '../../core/prelude.ts'

/** Takes whole lines, each with its line break; throws nothing. */
export interface Outlet {
  /** Null where the lines were taken; else why they are lost. */
  write(lines: string): string | null
  /** Begins again where it is: a file that was moved away is made anew. Null or why it cannot. */
  reopen(): string | null
  /** A promise of when another program has taken all of it and ended, where there is one. */
  close(): Promise<void> | void
}

/** Opens a destination; Left: a sentence for the operator. A topic is nothing of the runtime's. */
export type OpenOutlet = (destination: LogDestination) => Either<string, Outlet>

/** An outlet that cannot fail and has nothing to close. */
export const outletTo = (print: (text: string) => void): Outlet => ({
  write: (lines) => {
    print(lines)
    return null
  },
  reopen: () => null,
  close: () => {},
})

/** Variable with the name that the program was started by, where that is not its own. */
export const nameVariable = 'SABETHES_NAME'

/**
 * What makes lines of `<N>text` syslog's, N being facility and severity in one number: under the
 * name of mosquitto where the program has it, and with the number of this process, if `help`, which
 * the program logger prints, says that it takes one.
 */
export const loggerArguments = (
  name: string | undefined,
  pid: number,
  help: string,
): ReadonlyArray<string> => [
  '-t',
  name === 'mosquitto' ? name : 'sabethes',
  '-p',
  'daemon.notice',
  '--prio-prefix',
  ...(help.includes('--id[=') ? [`--id=${pid}`] : []),
]

/** Why there is no syslog, and what to do. */
export const loggerMissing = (why: string): string =>
  `log_dest syslog needs the program logger, which does not start (${why}): install it (bsdutils ` +
  'or util-linux), or use log_dest stderr, which systemd gives to its journal.'

/** After an end of the program logger it is started again, once in so many milliseconds. */
export const restartMs = 10_000

/** A program logger that leaves more than this unread gets nothing until it has caught up. */
export const waitingBytesMax = 1024 * 1024

export const loggerRests = (status: number | null): string =>
  `the program logger has ended (status ${status ?? 'unknown'}); log_dest syslog needs the one ` +
  'of util-linux, which knows --prio-prefix'

/** Why a file cannot be written to, and what to do. */
export const fileRefused = (path: string, why: string): string =>
  `Unable to open log file ${path} for writing: ${why}. Make its folder, and let the user that ` +
  'runs the broker write there; or name another file in log_dest.'

/** Why a file is not begun anew, and what to do. */
export const notReopened = (path: string, why: string): string =>
  `The log file ${path} cannot be opened anew: ${why}. What is said still goes to the one that ` +
  'was opened before. Let the user that runs the broker write there, and send SIGHUP again.'

/** The folder that a path stands in. */
export const folderOf = (path: string): string => {
  const at = path.lastIndexOf('/')
  return at < 0 ? '.' : at === 0 ? '/' : path.slice(0, at)
}

/** What a file system says of an owner and permission bits; null where it has none. */
interface Rights {
  readonly uid: number | null
  readonly mode: number | null
}

const GROUP_OR_WORLD_WRITABLE = 0o022

/** Whether somebody who is neither root nor this user may put things into a folder. */
export const isOthers = ({ uid, mode }: Rights, user: number | null): boolean =>
  user !== null && uid !== null && mode !== null &&
  ((uid !== 0 && uid !== user) || (mode & GROUP_OR_WORLD_WRITABLE) !== 0)

/** A name in the folder of others that is no plain file with this one name. */
export const planted = 'somebody else may write its folder, and by that name there is a link, a ' +
  `pipe or a device. Remove it, or set ${linksVariable}=1 in the environment to write there ` +
  'all the same'
