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

/** The lines of a file, gzipped or not, in portions; a last one without its end is one as well. */
export async function* linesOf(path: string): AsyncIterableIterator<ReadonlyArray<string>> {
  const source = createReadStream(path, { highWaterMark: 1024 * 1024 })
  let bytes: AsyncIterable<Uint8Array> = source
  if (isZipped(path)) {
    const unzipped = createGunzip()
    source.on('error', (error) => unzipped.destroy(error))
    bytes = source.pipe(unzipped)
  }
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
