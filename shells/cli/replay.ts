// `sabethes replay FILE`: plays a recording to the broker and prints what happens, as text.

import { createReadStream, readSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import type { Config } from '../../core/broker/config.ts'
import { replayHelp, replayWish } from '../../core/config/replay-words.ts'
import { statusUsage } from '../../core/config/mod.ts'
import { treeText } from '../../core/log/tree-text.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { Replay } from '../../core/trace/replay.ts'
import type { Found } from '../../core/trace/replay.ts'
import { Teller } from '../../core/trace/teller.ts'
import type { Program } from '../common/program.ts'
import { beginsAsCapture, playCapture } from './capture.ts'
import { CaptureOut } from './capture-out.ts'
import { Secrets } from './secrets.ts'
import { readFile } from './sources.ts'

type Mouth = Pick<Program, 'say' | 'complain'>

const statusBroken = 2

// A line has a packet, and no packet is as long.
const lineMax = 400_000_000

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** The lines of a file, gzipped or not, in portions; a last one without its end is one as well. */
export async function* linesOf(path: string): AsyncIterableIterator<ReadonlyArray<string>> {
  const source = createReadStream(path, { highWaterMark: 1024 * 1024 })
  let bytes: AsyncIterable<Uint8Array> = source
  if (path.endsWith('.gz')) {
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

/** The machine's configuration that a file asks for; what it leaves open is as recorded. */
const configOf = async (
  path: string,
): Promise<Either<ReadonlyArray<string>, (recorded: Config) => Config>> => {
  const settings = readFile(path)
  if (E.isLeft(settings)) return E.left(settings.left.lines)
  const secrets = await Secrets.read(settings.right, null)
  if (E.isLeft(secrets)) return E.left(secrets.left.lines)
  const some = secrets.right.config(settings.right)
  return E.right((recorded) => ({ ...recorded, ...some }))
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
export const playRecording = async (
  mouth: Mouth,
  words: ReadonlyArray<string>,
): Promise<number> => {
  const read = replayWish(words)
  if (E.isLeft(read)) {
    mouth.complain(`Error: ${read.left}\n`)
    return statusUsage
  }
  const wish = read.right
  if (wish === null) {
    mouth.say(replayHelp)
    return 0
  }
  const under = wish.config === null ? E.right(null) : await configOf(wish.config)
  if (E.isLeft(under)) {
    for (const line of under.left) mouth.complain(`${line}\n`)
    return statusUsage
  }
  const { toPcapng } = wish
  const out = toPcapng === null ? null : new CaptureOut(wish.file, toPcapng)
  const beginsWrong = out?.refusal() ?? null
  if (beginsWrong !== null) {
    mouth.complain(`Error: ${beginsWrong}\n`)
    return statusUsage
  }
  if (beginsAsCapture(wish.file)) return playCapture(mouth, wish, under.right)
  const quiet = wish.quiet || out !== null
  const teller = new Teller({ ...wish, quiet, treeOf: treeText, under: under.right })
  const replay = new Replay()
  const tell = (found: Found): void => {
    const lines = teller.tell(found)
    if (!teller.isOver) out?.take(found)
    if (lines.length === 0) return
    if (found._tag === 'Broken') mouth.complain(`${lines.join('\n')}\n`)
    else mouth.say(`${lines.join('\n')}\n`)
    if (wish.step && found._tag === 'Ran') pause()
  }
  let unreadable: string | null = null
  try {
    reading: for await (const lines of linesOf(wish.file)) {
      for (const line of lines) {
        const found = replay.line(line)
        if (found !== null) tell(found)
        if (teller.isOver) break reading
      }
    }
  } catch (error) {
    unreadable = messageOf(error)
  }
  const last = teller.isOver ? [] : replay.finish()
  for (const found of last) tell(found)
  mouth.say(`${teller.sum()}\n`)
  const unwritten = out?.finish(mouth) ?? null
  if (unwritten !== null) {
    mouth.complain(`Error: ${unwritten}\n`)
    return statusBroken
  }
  if (unreadable === null) return teller.status
  mouth.complain(`Error: ${wish.file} cannot be read any further: ${unreadable}\n`)
  return statusBroken
}
