// `sabethes replay CAPTURE`: plays to a new broker what clients sent in a capture of tcpdump or
// Wireshark, and compares what the captured broker answered.

import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { ReplayWish } from '../../core/config/replay-words.ts'
import { treeText } from '../../core/log/tree-text.ts'
import { CaptureFile, isCapture } from '../../core/trace/capture/file.ts'
import { CaptureTeller } from '../../core/trace/capture/teller.ts'
import { PortGuess } from '../../core/trace/capture/tap.ts'
import type { Connects } from '../../core/trace/capture/trouble.ts'
import { messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { version } from '../common/version.ts'

type Mouth = Pick<Program, 'say' | 'complain'>

/** The first bytes of a file, of what is in it where it is gzipped. */
const beginning = (path: string): Uint8Array => {
  const bytes = new Uint8Array(4096)
  const file = openSync(path, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

const isGzipped = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** Whether the file is a capture, whatever it is called; false where it cannot be read. */
export const beginsAsCapture = (path: string): boolean => {
  try {
    const bytes = beginning(path)
    if (!isGzipped(bytes)) return isCapture(bytes)
    // 2 is Z_SYNC_FLUSH: what there is, without an end.
    return isCapture(gunzipSync(bytes, { finishFlush: 2 }))
  } catch {
    return false
  }
}

export async function* chunksOf(path: string): AsyncIterableIterator<Uint8Array> {
  const source = createReadStream(path, { highWaterMark: 1024 * 1024 })
  let bytes: AsyncIterable<Uint8Array> = source
  if (isGzipped(beginning(path))) {
    const unzipped = createGunzip()
    source.on('error', (error) => unzipped.destroy(error))
    bytes = source.pipe(unzipped)
  }
  try {
    for await (const chunk of bytes) yield chunk
  } finally {
    source.destroy()
  }
}

/** The ports that CONNECTs go to, that of most first. */
export const portsOf = async (path: string): Promise<Connects> => {
  const found = new PortGuess()
  const file = new CaptureFile()
  try {
    for await (const chunk of chunksOf(path)) {
      for (const packet of file.push(chunk)) found.packet(packet)
      if (file.breach !== null) break
    }
  } catch {
    // Whoever reads it again says what is wrong with it.
  }
  return found.found()
}

/** Waits for the end of a line of standard input, or of all of it. */
const pause = (): void => {
  const one = new Uint8Array(1)
  try {
    while (readSync(0, one, 0, 1, null) === 1 && one[0] !== 0x0a) continue
  } catch {
    // There is no standard input to wait for.
  }
}

/** Answers the exit status. */
export const playCapture = async (
  mouth: Mouth,
  wish: ReplayWish,
  under: ((config: Config) => Config) | null,
): Promise<number> => {
  const config = under === null ? defaults : under(defaults)
  const connects = wish.port === null ? await portsOf(wish.file) : []
  const file = new CaptureFile()
  const teller = new CaptureTeller({
    telling: { ...wish, treeOf: treeText, under: null },
    config,
    version,
    port: wish.port,
    connects,
  })
  let unreadable: string | null = null
  try {
    reading: for await (const chunk of chunksOf(wish.file)) {
      for (const packet of file.push(chunk)) {
        for (const lines of teller.packet(packet, file.form)) {
          mouth.say(`${lines.join('\n')}\n`)
          if (wish.step) pause()
        }
        if (teller.isOver) break reading
      }
      if (file.breach !== null) break
    }
  } catch (error) {
    unreadable = messageOf(error)
  }
  if (unreadable === null && !teller.isOver) file.finish()
  const { said, complained, status } = teller.finish(file)
  for (const line of complained) mouth.complain(`${line}\n`)
  for (const line of said) mouth.say(`${line}\n`)
  if (unreadable === null) return status
  mouth.complain(`Error: ${wish.file} cannot be read any further: ${unreadable}\n`)
  return 2
}
