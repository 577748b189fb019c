// The lines of a recording, from its file.

import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import type { Found, Replay } from '../../core/trace/replay.ts'

/** What is said of a file; whether something has been read of it before. */
export const unreadableText = (path: string, why: string, hasBegun: boolean): string =>
  `${path} cannot be read${hasBegun ? ' any further' : ''}: ${why}`

/**
 * What is found once there are no more lines. Of a file that cannot be read nobody knows whether
 * more is missing than what could not be read.
 */
export const lastOf = (replay: Replay, isUnreadable: boolean): ReadonlyArray<Found> =>
  replay.finish().filter(({ _tag }) => _tag !== 'Broken' || !isUnreadable)

// A line has a packet, and no packet is as long.
const lineMax = 400_000_000

/** Whether it begins as a file that was gzipped, whatever its name is. */
const isZipped = (path: string): boolean => {
  const start = new Uint8Array(2)
  let file: number | null = null
  try {
    file = openSync(path, 'r')
    return readSync(file, start, 0, 2, 0) === 2 && start[0] === 0x1f && start[1] === 0x8b
  } catch {
    // Who reads it says why it cannot be read.
    return false
  } finally {
    if (file !== null) closeSync(file)
  }
}

/** So much of a gzipped file is read at once, which is a thousand times as much at the most. */
const zippedMax = 16 * 1024
/** What is unzipped comes in such pieces; the last one before a fault is lost. */
const pieceBytes = 1024

/** What there is of a gzipped stream, up to where it cannot be unzipped any further. */
async function* unzipped(source: AsyncIterable<Uint8Array>): AsyncIterableIterator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: pieceBytes })
  let found: Array<Uint8Array> = []
  let fault: Error | null = null
  // Whatever a stream still holds when it fails is gone: it may hold nothing.
  gunzip.on('data', (chunk: Uint8Array) => found.push(chunk))
  const isOver = new Promise<void>((resolve) => {
    gunzip.on('end', resolve)
    gunzip.on('error', (error) => {
      fault = error
      resolve()
    })
  })
  try {
    for await (const chunk of source) {
      const isTaken = new Promise<void>((resolve) => gunzip.write(chunk, () => resolve()))
      await Promise.race([isTaken, isOver])
      yield* found
      found = []
      if (fault !== null) throw fault
    }
    gunzip.end()
    await isOver
    yield* found
    if (fault !== null) throw fault
  } finally {
    gunzip.destroy()
  }
}

/** The lines of a file, gzipped or not, in portions; a last one without its end is one as well. */
export async function* linesOf(path: string): AsyncIterableIterator<ReadonlyArray<string>> {
  const isGzip = isZipped(path)
  const source = createReadStream(path, { highWaterMark: isGzip ? zippedMax : 1024 * 1024 })
  const bytes: AsyncIterable<Uint8Array> = isGzip ? unzipped(source) : source
  let rest = ''
  try {
    for await (const chunk of bytes) {
      const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > lineMax) break
      if (lines.length > 0) yield lines
    }
  } finally {
    source.destroy()
  }
  if (rest !== '') yield [rest]
}
