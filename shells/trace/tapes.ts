// The files of a recording, on both runtimes.

import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync } from 'node:fs'
import { readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { constants as zlib, gunzipSync, gzipSync } from 'node:zlib'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { messageOf } from '../common/message.ts'
import type { NoTape, Tape, Tapes } from '../common/tape.ts'
import { fileName as storeName } from '../store/files.ts'

/** Whether something has this name that is not a file: a device or a folder stays where it is. */
const isOther = (path: string): boolean => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && !found.isFile()
}

export const isFile = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false

/** Whether a file of this name is gzipped as it is written. */
export const isZipped = (path: string): boolean => path.endsWith('.gz')

class File implements Tape {
  private readonly file: number
  private readonly isZipped: boolean

  constructor(path: string, flags: string | number) {
    this.file = openSync(path, flags, 0o600)
    this.isZipped = isZipped(path)
  }

  write(lines: Uint8Array): string | null {
    try {
      // One gzip file after another is a gzip file, and what ends in the middle loses one of them.
      const bytes = this.isZipped ? gzipSync(lines, { level: 1 }) : lines
      for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at, bytes.length - at)
      // What has no name any more nobody can read once it is closed.
      return fstatSync(this.file).nlink === 0 ? 'its file was removed' : null
    } catch (error) {
      return messageOf(error)
    }
  }

  close(): void {
    try {
      closeSync(this.file)
    } catch {
      // Nothing of it is needed any more.
    }
  }
}

/**
 * What is there that is not a file to write to, and what to do about it; null where nothing else
 * is. A store is not looked into: whoever closes its file gives up the lock that keeps others out.
 */
const othersPlace = (path: string): NoTape | null => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found !== undefined && found.isFile() && basename(path).startsWith(storeName)) {
    return { why: 'it is a store of Sabethes', remedy: 'name another file' }
  }
  if (found === undefined || found.isFile()) return null
  if (found.isSymbolicLink()) {
    return {
      why: `it is a symbolic link${existsSync(path) ? '' : ' that leads nowhere'}, ` +
        'and none is followed',
      remedy: 'name the file itself, or remove the link',
    }
  }
  if (found.isDirectory()) return { why: 'it is a folder', remedy: 'name a file in it' }
  const kind = found.isFIFO() ? 'pipe' : found.isSocket() ? 'socket' : 'device'
  return { why: `it is a ${kind}`, remedy: 'name a file' }
}

const beginning = '{"recording":"sabethes"'

// More than it takes to zip that.
const firstBytes = 256

/** The first characters of a file, which may be gzipped; '' where it only looks like that. */
const unzippedStart = (start: Uint8Array): string => {
  if (start[0] !== 0x1f || start[1] !== 0x8b) return new TextDecoder('latin1').decode(start)
  try {
    // As far as it goes: the start of a file is no whole one.
    const text = gunzipSync(start, { finishFlush: zlib.Z_SYNC_FLUSH })
    return new TextDecoder('latin1').decode(text)
  } catch {
    return ''
  }
}

const isRecording = (path: string): boolean => {
  const first = new Uint8Array(firstBytes)
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const length = readSync(file, first, 0, first.length, 0)
    return unzippedStart(first.subarray(0, length)).startsWith(beginning)
  } finally {
    closeSync(file)
  }
}

export const holds = (path: string): Either<NoTape, boolean> => {
  try {
    const other = othersPlace(path)
    if (other !== null) return E.left(other)
    const bytes = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (bytes === 0 || isRecording(path)) return E.right(bytes > 0)
    return E.left({ why: 'it is there and is no recording', remedy: 'name another file' })
  } catch (error) {
    return E.left({ why: messageOf(error), remedy: null })
  }
}

export const create = (path: string): Either<NoTape, Tape> => {
  try {
    const other = othersPlace(path)
    if (other !== null) return E.left(other)
    // Removed first, so that it belongs to us and nobody who had it open sees what comes.
    rmSync(path, { force: true })
    return E.right(new File(path, 'wx'))
  } catch (error) {
    return E.left({ why: messageOf(error), remedy: null })
  }
}

/** A file that `create` has made, to write on behind what is in it. */
export const goOn = (path: string): Either<string, Tape> => {
  try {
    return E.right(new File(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW))
  } catch (error) {
    return E.left(messageOf(error))
  }
}

const rename = (from: string, to: string): void => {
  try {
    if (!isOther(from) && !isOther(to)) renameSync(from, to)
  } catch {
    // There is none yet; where it may not be moved, creating says so.
  }
}

export const tapes: Tapes = { holds, create, rename }
