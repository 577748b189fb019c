// `sabethes replay FILE`: plays a recording to the broker and prints what happens, as text.

import { replayHelp, replayWish } from '../../core/config/replay-words.ts'
import { statusUsage } from '../../core/config/mod.ts'
import { treeText } from '../../core/log/tree-text.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import type { Under } from '../../core/trace/judging.ts'
import { differenceOf, Replay } from '../../core/trace/replay.ts'
import type { Found } from '../../core/trace/replay.ts'
import { spanOf } from './asked.ts'
import type { ReplayAsked } from './asked.ts'
import { Strangers } from '../../core/trace/strangers.ts'
import { stateText, Teller } from '../../core/trace/teller.ts'
import { messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { playCapture } from './capture.ts'
import { CaptureOut } from './capture-out.ts'
import { withGiven } from './given.ts'
import type { Given } from './given.ts'
import { lastOf, linesOf, unreadableText } from './lines.ts'
import { linesOfStory, readStory } from './material.ts'
import { whyOverwritten } from './same-file.ts'
import { Secrets } from './secrets.ts'
import { readFile } from './sources.ts'
import { readAnswer, Steps } from './steps.ts'

/** `ask` has the answers of `--step`, standard input where it is not there. */
type Mouth = Pick<Program, 'say' | 'complain'> & { readonly ask?: () => string | null }

const statusBroken = 2

/** The machine's configuration that a file asks for; what it leaves open is as recorded. */
export const underOf = async (
  path: string,
): Promise<Either<ReadonlyArray<string>, Under>> => {
  const settings = readFile(path)
  if (E.isLeft(settings)) return E.left(settings.left.lines)
  const secrets = await Secrets.read(settings.right, null)
  if (E.isLeft(secrets)) return E.left(secrets.left.lines)
  const some = secrets.right.config(settings.right)
  const tables = secrets.right.tablesOf(settings.right)
  return E.right({
    config: (recorded) => ({ ...recorded, ...some }),
    knows: (listener, userName) => tables.get(listener)?.has(userName) !== false,
  })
}

/** The same, where nobody's password is asked for. */
export const configOf = async (
  path: string,
): Promise<Either<ReadonlyArray<string>, Under['config']>> => {
  const under = await underOf(path)
  return E.isLeft(under) ? under : E.right(under.right.config)
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
  const span = spanOf(wish)
  if (E.isLeft(span)) {
    mouth.complain(`Error: ${span.left}\n`)
    return statusUsage
  }
  const under = wish.config === null ? E.right(null) : await underOf(wish.config)
  if (E.isLeft(under)) {
    for (const line of under.left) mouth.complain(`${line}\n`)
    return statusUsage
  }
  const asked = { ...wish, span: span.right }
  return withGiven(wish.file, (given) => playGiven(mouth, asked, given, under.right))
}

const playGiven = async (
  mouth: Mouth,
  wish: ReplayAsked,
  given: Given,
  under: Under | null,
): Promise<number> => {
  const config = under?.config ?? null
  const { toPcapng, toRecording } = wish
  const out = toPcapng === null ? null : new CaptureOut(given, toPcapng)
  const isOver = toRecording === null
    ? null
    : whyOverwritten('--to-recording', toRecording, wish.file)
  const beginsWrong = isOver ?? out?.refusal() ?? null
  if (beginsWrong !== null) {
    mouth.complain(`Error: ${beginsWrong}\n`)
    return statusUsage
  }
  if (wish.toStory || wish.toRecording !== null) {
    const { retell } = await import('./retell.ts')
    return retell(mouth, wish, given, config)
  }
  if (given.kind === 'capture') return playCapture(mouth, wish, given, config)
  if (wish.port !== null) {
    mouth.complain('Error: --port is for captures.\n')
    return statusUsage
  }
  if (given.kind === 'story') return playStory(mouth, wish, given, under, out)
  return play(mouth, wish, under, linesOf(given), out)
}

/** A story is played as what would have been recorded of it, and compared with what it tells. */
const playStory = async (
  mouth: Mouth,
  wish: ReplayAsked,
  given: Given,
  under: Under | null,
  out: CaptureOut | null,
): Promise<number> => {
  const story = await readStory(given)
  if (E.isLeft(story)) {
    mouth.complain(`Error: ${story.left}\n`)
    return statusBroken
  }
  const status = await play(mouth, wish, under, [linesOfStory(story.right)], out)
  const { differing } = story.right
  for (const { line, written, played } of differing) {
    const lines = differenceOf(written, played)
    mouth.say(
      `${wish.file}:${line}: this comes to something else than is written:\n` +
        (lines.length === 0 ? 'The order is another.\n' : `${lines.join('\n')}\n`),
    )
  }
  if (differing.length === 0) mouth.say('All stanzas come to what is written.\n')
  return differing.length > 0 && status === 0 ? 1 : status
}

const play = async (
  mouth: Mouth,
  wish: ReplayAsked,
  under: Under | null,
  portions: AsyncIterable<ReadonlyArray<string>> | Iterable<ReadonlyArray<string>>,
  out: CaptureOut | null,
): Promise<number> => {
  const quiet = wish.quiet || out !== null
  const teller = new Teller({ ...wish, quiet, treeOf: treeText, under })
  const strangers = new Strangers(wish.client)
  const replay = new Replay()
  const steps = wish.step
    ? new Steps(mouth.say, mouth.ask ?? readAnswer, (state) => stateText(state, treeText))
    : null
  const tell = (found: Found): void => {
    if (found._tag === 'Began') strangers.know(found.state)
    if (found._tag === 'Ran') strangers.learn(found.batch)
    const lines = teller.tell(found)
    if (!teller.isOver) out?.take(found)
    if (lines.length === 0) return
    if (found._tag === 'Broken') mouth.complain(`${lines.join('\n')}\n`)
    else mouth.say(`${lines.join('\n')}\n`)
    if (steps !== null && found._tag === 'Ran') {
      steps.take(`${lines.join('\n')}\n`, found.batch.before)
    }
  }
  let unreadable: string | null = null
  try {
    reading: for await (const lines of portions) {
      for (const line of lines) {
        const found = replay.line(line)
        if (found !== null) tell(found)
        if (teller.isOver || steps?.isOver) break reading
      }
    }
  } catch (error) {
    unreadable = messageOf(error)
  }
  if (unreadable !== null && !teller.hasBegun) {
    mouth.complain(`Error: ${unreadableText(wish.file, unreadable, false)}\n`)
    return statusBroken
  }
  const last = teller.isOver || steps?.isOver ? [] : lastOf(replay, unreadable !== null)
  for (const found of last) tell(found)
  mouth.say(`${teller.sum()}\n`)
  const stranger = teller.hasBegun ? strangers.told() : null
  if (stranger !== null) mouth.complain(`${stranger}\n`)
  const unwritten = out?.finish(mouth) ?? null
  if (unwritten !== null) {
    mouth.complain(`Error: ${unwritten}\n`)
    return statusBroken
  }
  if (unreadable === null) return teller.status
  mouth.complain(`Error: ${unreadableText(wish.file, unreadable, true)}\n`)
  return statusBroken
}
