// The lines of a recording, from its file.

import type { Found, Replay } from '../../core/trace/replay.ts'
import type { Given } from './given.ts'

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

const carriageReturn = '\r'

const withoutEnd = (line: string): string =>
  line.endsWith(carriageReturn) ? line.slice(0, -1) : line

/**
 * The lines of a file in portions; a last one without its end is one as well. A file that has been
 * to Windows may have its ends of lines.
 */
export async function* linesOf(given: Given): AsyncIterableIterator<ReadonlyArray<string>> {
  // What there is of a line whose end has not come. It is only put together once that has.
  let rest = ''
  for await (const chunk of given.chunks()) {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
    const lines = text.split('\n')
    lines[0] = rest + lines[0]!
    rest = lines.pop()!
    if (rest.length > lineMax) break
    if (lines.length === 0) continue
    yield lines[0]!.endsWith(carriageReturn) ? lines.map(withoutEnd) : lines
  }
  if (rest !== '') yield [withoutEnd(rest)]
}
