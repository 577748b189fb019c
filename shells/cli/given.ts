// The file that a command is to read: a recording, a story or a capture, gzipped or not, whatever
// it is called. It may be a pipe, which can be read only once: a capture, which is read twice, and
// a story are copied then, and a recording is played as it comes.

import { closeSync, fstatSync, mkdtempSync, open, openSync, read, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createGunzip, gunzipSync } from 'node:zlib'
import { joined } from '../../core/trace/capture/bits.ts'
import { isCapture } from '../../core/trace/capture/file.ts'

type Kind = 'capture' | 'story' | 'recording'

/** So much tells what it is. */
const headBytes = 4096

const nothing = new Uint8Array(0)

const isZipped = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** The first bytes of what is in it where it is gzipped. */
const unzippedHead = (head: Uint8Array): Uint8Array => {
  if (!isZipped(head)) return head
  try {
    // 2 is Z_SYNC_FLUSH: what there is, without an end.
    return gunzipSync(head, { finishFlush: 2 })
  } catch {
    return nothing
  }
}

/** Recordings do not begin with a comment. */
const kindOf = (bytes: Uint8Array): Kind =>
  isCapture(bytes) ? 'capture' : bytes[0] === 0x23 ? 'story' : 'recording'

/** By their first bytes: how people compress large files, and what undoes it. */
const packings: ReadonlyArray<readonly [first: ReadonlyArray<number>, name: string, by: string]> = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz', 'xz -dk'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd', 'zstd -dk'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4', 'lz4 -dk'],
  [[0x42, 0x5a, 0x68], 'bzip2', 'bzip2 -dk'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip', 'unzip'],
]

/** Why what begins so is not read; null where that is no reason. */
const packedText = (head: Uint8Array): string | null => {
  for (const [first, name, by] of packings) {
    if (!first.every((byte, i) => head[i] === byte)) continue
    return `it is compressed with ${name}, which is not read: unpack it before (${by})`
  }
  return null
}

/** So much of a gzipped file is unzipped at once, which is a thousand times as much at the most. */
const zippedMax = 16 * 1024
const portionBytes = 256 * 1024
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
      for (let at = 0; at < chunk.length; at += zippedMax) {
        const part = chunk.subarray(at, at + zippedMax)
        const isTaken = new Promise<void>((resolve) => gunzip.write(part, () => resolve()))
        await Promise.race([isTaken, isOver])
        yield Buffer.concat(found)
        found = []
        if (fault !== null) throw fault
      }
    }
    gunzip.end()
    await isOver
    yield Buffer.concat(found)
    if (fault !== null) throw fault
  } finally {
    gunzip.destroy()
  }
}

/** At most so many bytes, from a place or, with null, from where the last ones ended. */
const portionOf = (file: number, bytes: number, at: number | null): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const into = new Uint8Array(bytes)
    read(file, into, 0, bytes, at, (error, count) => {
      if (error !== null) reject(error)
      else resolve(into.subarray(0, count))
    })
  })

/** A file without a name, which is gone when it is closed. */
const nameless = (): number => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-'))
  try {
    return openSync(join(folder, 'copy'), 'wx+', 0o600)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export class Given {
  readonly path: string
  kind: Kind = 'recording'
  private head: Uint8Array = nothing
  private file: number | null = null
  /** Whether it is a pipe, of which the head is gone. */
  private isPipe = false
  /** Why it cannot be read. */
  private fault: unknown = null

  private constructor(path: string) {
    this.path = path
  }

  /** Whoever reads what cannot be read is told why then. */
  static async open(path: string): Promise<Given> {
    const given = new Given(path)
    try {
      await given.begin()
    } catch (error) {
      given.fault = error
    }
    return given
  }

  close(): void {
    if (this.file !== null) closeSync(this.file)
    this.file = null
  }

  /** Its bytes, unzipped. */
  async *chunks(): AsyncIterableIterator<Uint8Array> {
    if (this.fault !== null) throw this.fault
    const why = packedText(this.head)
    if (why !== null) throw new Error(why)
    yield* isZipped(this.head) ? unzipped(this.bytes()) : this.bytes()
  }

  private async begin(): Promise<void> {
    const file = await promisify(open)(this.path, 'r')
    this.file = file
    this.isPipe = !fstatSync(file).isFile()
    // Of a pipe no more is waited for than is needed to tell what it is.
    while (this.head.length < headBytes && unzippedHead(this.head).length < 4) {
      const more = await portionOf(file, headBytes, this.isPipe ? null : this.head.length)
      if (more.length === 0) break
      this.head = joined(this.head, more)
    }
    this.kind = kindOf(unzippedHead(this.head))
    if (this.isPipe && this.kind !== 'recording') await this.copy()
  }

  private async copy(): Promise<void> {
    const copy = nameless()
    try {
      for await (const chunk of this.bytes()) {
        for (let at = 0; at < chunk.length;) at += writeSync(copy, chunk, at)
      }
    } finally {
      this.close()
      this.file = copy
      this.isPipe = false
    }
  }

  private async *bytes(): AsyncIterableIterator<Uint8Array> {
    const { file, head, isPipe } = this
    if (file === null) return
    let at = head.length
    for (let next = head; next.length > 0; at += next.length) {
      yield next
      next = await portionOf(file, portionBytes, isPipe ? null : at)
    }
  }
}

/** Reads the file at `path` for as long as `act` takes. */
export const withGiven = async <A>(
  path: string,
  act: (given: Given) => Promise<A>,
): Promise<A> => {
  const given = await Given.open(path)
  try {
    return await act(given)
  } finally {
    given.close()
  }
}
