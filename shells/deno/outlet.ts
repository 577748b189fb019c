// Where a log goes on Deno: the standard streams, a file, the program logger.

import { linksVariable } from '../../core/config/secret-file.ts'
import type { LogDestination } from '../../core/config/settings.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { messageOf } from '../common/message.ts'
import { fileRefused, folderOf, isOthers, planted } from '../common/outlet.ts'
import { loggerArguments, loggerMissing, loggerRests, nameVariable } from '../common/outlet.ts'
import { outletTo, restartMs, waitingBytesMax } from '../common/outlet.ts'
import type { Outlet } from '../common/outlet.ts'
import { print, printOut } from './host.ts'

const utf8 = new TextEncoder()

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

const append: Deno.OpenOptions = { append: true, create: true, mode: 0o600 }

/** Whose folder it is cannot be told without the rights to look: then it is taken as it is. */
const isOfOthers = (path: string): boolean => {
  try {
    if (Deno.env.get(linksVariable)) return false
    return isOthers(Deno.statSync(folderOf(path)), Deno.uid())
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false
    throw error
  }
}

/**
 * In a folder of others only a plain file is opened, or a new one made: whatever else is there may
 * have been put there to have somebody with more rights write where its owner may not.
 */
const openToAppend = (path: string): Deno.FsFile => {
  if (!isOfOthers(path)) return Deno.openSync(path, append)
  let before: Deno.FileInfo
  try {
    before = Deno.lstatSync(path)
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error
    // Follows no link that is put there meanwhile.
    return Deno.openSync(path, { ...append, createNew: true })
  }
  if (!before.isFile || (before.nlink ?? 1) > 1) throw new Error(planted)
  const file = Deno.openSync(path, { append: true })
  const after = file.statSync()
  if (after.isFile && after.dev === before.dev && after.ino === before.ino) return file
  file.close()
  throw new Error(planted)
}

/** Written in one go, and at once: what the broker said last is there when it has crashed. */
class File implements Outlet {
  private readonly path: string
  private file: Deno.FsFile

  constructor(path: string) {
    this.path = path
    this.file = openToAppend(path)
  }

  write(lines: string): string | null {
    const bytes = utf8.encode(lines)
    try {
      for (let at = 0; at < bytes.length;) at += this.file.writeSync(bytes.subarray(at))
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  reopen(): string | null {
    try {
      const next = openToAppend(this.path)
      this.file.close()
      this.file = next
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  close(): void {
    this.file.close()
  }
}

const openFile = (path: string): Either<string, Outlet> => {
  try {
    return E.right(new File(path))
  } catch (error) {
    const permission = error instanceof Deno.errors.NotCapable
    const why = permission ? `Deno was not given --allow-write=${path}` : messageOf(error)
    return E.left(fileRefused(path, why))
  }
}

const nameOfProgram = (): string | undefined => {
  try {
    return Deno.env.get(nameVariable)
  } catch {
    // Without the right to ask it has its own.
    return undefined
  }
}

/** Throws where there is no such program. */
const argumentsOfLogger = (): ReadonlyArray<string> => {
  const { stdout } = new Deno.Command('logger', {
    args: ['--help'],
    stdin: 'null',
    stdout: 'piped',
    stderr: 'null',
  }).outputSync()
  return loggerArguments(nameOfProgram(), Deno.pid, new TextDecoder().decode(stdout))
}

/** One child that lives as long as the log; started again when it has ended, but not at once. */
class Logger implements Outlet {
  private input: WritableStreamDefaultWriter<Uint8Array> | null = null
  /** Settles when the child that was started last has ended. */
  private ended: Promise<void> = Promise.resolve()
  private words: ReadonlyArray<string> | null = null
  private waitingBytes = 0
  private startedAt = -Infinity
  private why = ''

  write(lines: string): string | null {
    if (this.input === null) {
      try {
        this.start()
      } catch (error) {
        this.why = loggerMissing(messageOf(error))
      }
    }
    const { input } = this
    if (input === null) return this.why
    if (this.waitingBytes > waitingBytesMax) return 'it does not read'
    const bytes = utf8.encode(lines)
    this.waitingBytes += bytes.length
    const written = (): void => {
      this.waitingBytes -= bytes.length
    }
    input.write(bytes).then(written, written)
    return null
  }

  /** Throws where there is no such program. */
  start(): void {
    const now = performance.now()
    if (now - this.startedAt < restartMs) return
    this.startedAt = now
    const child = new Deno.Command('logger', {
      args: [...(this.words ??= argumentsOfLogger())],
      stdin: 'piped',
      stdout: 'null',
      stderr: 'null',
      // A Ctrl-C in the terminal is for the broker, which has something to say about it.
      detached: true,
    }).spawn()
    // The log alone is no reason for a program to go on.
    child.unref()
    const input = child.stdin.getWriter()
    this.input = input
    this.ended = child.status.then(({ code }) => {
      this.why = loggerRests(code)
      if (this.input === input) this.input = null
    })
  }

  reopen(): string | null {
    return null
  }

  async close(): Promise<void> {
    const { input } = this
    this.input = null
    // Why it takes nothing more was said when it did not.
    await input?.close().catch(() => {})
    await this.ended
  }
}

const startLogger = (): Either<string, Outlet> => {
  const logger = new Logger()
  try {
    logger.start()
    return E.right(logger)
  } catch (error) {
    const permission = error instanceof Deno.errors.NotCapable
    return E.left(loggerMissing(permission ? 'Deno wants --allow-run=logger' : messageOf(error)))
  }
}
