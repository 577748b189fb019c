// Where a log goes on Node: the standard streams, a file, the program logger.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import process from 'node:process'
import { linksVariable } from '../../core/config/secret-file.ts'
import type { LogDestination } from '../../core/config/settings.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { codeOf, messageOf } from '../common/message.ts'
import { fileRefused, folderOf, isOthers, planted } from '../common/outlet.ts'
import { loggerArguments, loggerMissing, loggerRests, nameVariable } from '../common/outlet.ts'
import { outletTo, restartMs, waitingBytesMax } from '../common/outlet.ts'
import type { Outlet } from '../common/outlet.ts'
import { print, printOut } from './host.ts'

export const openOutlet = (destination: LogDestination): Either<string, Outlet> => {
  switch (destination.to) {
    case 'file':
      return openFile(destination.path)
    case 'syslog':
      return startLogger()
    case 'stdout':
      return E.right(outletTo(printOut))
    default:
      return E.right(outletTo(print))
  }
}

/**
 * In a folder of others only a plain file is opened, or a new one made: whatever else is there may
 * have been put there to have somebody with more rights write where its owner may not.
 */
const openToAppend = (path: string): number => {
  const user = process.geteuid?.() ?? null
  if (process.env[linksVariable] || !isOthers(statSync(folderOf(path)), user)) {
    return openSync(path, 'a', 0o600)
  }
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
  let file: number
  try {
    // Without waiting, as opening a pipe would for its reader.
    file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  } catch (error) {
    const code = codeOf(error)
    throw code === 'ELOOP' || code === 'ENXIO' ? new Error(planted) : error
  }
  const found = fstatSync(file)
  if (found.isFile() && found.nlink <= 1) return file
  closeSync(file)
  throw new Error(planted)
}

/** Written in one go, and at once: what the broker said last is there when it has crashed. */
class File implements Outlet {
  private readonly path: string
  private file: number

  constructor(path: string) {
    this.path = path
    this.file = openToAppend(path)
  }

  write(lines: string): string | null {
    const bytes = Buffer.from(lines)
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at)
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  reopen(): string | null {
    try {
      const next = openToAppend(this.path)
      closeSync(this.file)
      this.file = next
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  close(): void {
    closeSync(this.file)
  }
}

const openFile = (path: string): Either<string, Outlet> => {
  try {
    return E.right(new File(path))
  } catch (error) {
    return E.left(fileRefused(path, messageOf(error)))
  }
}

/** Longer than any help takes, and no hindrance to a start. */
const helpMsMax = 2_000

const argumentsOfLogger = (): ReadonlyArray<string> => {
  const { stdout } = spawnSync('logger', ['--help'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: helpMsMax,
  })
  const name = process.env[nameVariable] ?? basename(process.argv[1] ?? '')
  return loggerArguments(name, process.pid, stdout ?? '')
}

/** One child that lives as long as the log; started again when it has ended, but not at once. */
class Logger implements Outlet {
  private child: ChildProcess | null = null
  private words: ReadonlyArray<string> | null = null
  private startedAt = -Infinity
  private why = ''

  write(lines: string): string | null {
    if (this.child === null) this.start()
    const { child } = this
    if (child === null || child.stdin === null) return this.why
    if (child.stdin.writableLength > waitingBytesMax) return 'it does not read'
    child.stdin.write(lines)
    return null
  }

  /** False where there is no such program. */
  start(): boolean {
    const now = performance.now()
    if (now - this.startedAt < restartMs) return false
    this.startedAt = now
    const child = spawn('logger', this.words ??= argumentsOfLogger(), {
      stdio: ['pipe', 'ignore', 'ignore'],
      // A Ctrl-C in the terminal is for the broker, which has something to say about it.
      detached: true,
    })
    const ended = (why: string): void => {
      this.why = why
      if (this.child === child) this.child = null
    }
    child.on('error', (error) => ended(loggerMissing(error.message)))
    child.on('exit', (status) => ended(loggerRests(status)))
    child.stdin.on('error', () => {})
    // The log alone is no reason for a program to go on.
    child.unref()
    this.child = child
    return child.pid !== undefined
  }

  reopen(): string | null {
    return null
  }

  close(): Promise<void> {
    const { child } = this
    if (child === null || child.stdin === null) return Promise.resolve()
    child.stdin.end()
    return new Promise((resolve) => child.on('exit', () => resolve()))
  }
}

const startLogger = (): Either<string, Outlet> => {
  const logger = new Logger()
  return logger.start() ? E.right(logger) : E.left(loggerMissing('it is not in the PATH'))
}
