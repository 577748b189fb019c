// `sabethes shrink FILE --property NAME`: a recording that shows a failure, as short as it gets.

import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { initial } from '../../core/broker/state.ts'
import { run } from '../../core/broker/step.ts'
import { statusUsage } from '../../core/config/mod.ts'
import { shrinkHelp, shrinkWish } from '../../core/config/shrink-words.ts'
import type { ShrinkWish } from '../../core/config/shrink-words.ts'
import { quoted } from '../../core/config/words.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { cut } from '../../core/trace/cut.ts'
import { clientOf, properties, propertyOf } from '../../core/trace/failing.ts'
import type { Failing, Version } from '../../core/trace/failing.ts'
import { goldenStory } from '../../core/trace/golden.ts'
import type { Run } from '../../core/trace/replay.ts'
import { shrink } from '../../core/trace/shrink.ts'
import type { Shrunk } from '../../core/trace/shrink.ts'
import { printStory, storyOfInputs } from '../../core/trace/story.ts'
import { strangerIn } from '../../core/trace/strangers.ts'
import { plural } from '../../core/trace/words.ts'
import { everything } from '../../core/trace/span.ts'
import { messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { withGiven } from './given.ts'
import { gather, writeRecording, writeStory } from './material.ts'
import type { Material } from './material.ts'
import { underOf } from './replay.ts'
import { whyOverwritten } from './same-file.ts'

type Mouth = Pick<Program, 'say' | 'complain'>

const statusNone = 2

/** Characters of a property's name in a title: a client and a topic as long as they may be. */
const nameMax = 200_000

interface Result {
  readonly shrunk: Shrunk
  readonly all: number
  /** Whether it begins with a new broker. */
  readonly isNew: boolean
}

/** From a new broker if the failure is seen so, else from the recorded one. */
const shortest = (
  { from, batches, fatal }: Material,
  failing: Failing,
  { trialsMax, against }: ShrinkWish,
  broker: Run | undefined,
): Result | null => {
  const how = { trialsMax, ...(broker === undefined ? {} : { broker }) }
  const part = cut(from, batches, { client: null, topic: null })
  const inputs = [...batches.flatMap((one) => one.inputs), ...fatal]
  // What brings about how it begins may fail where nothing did on the day. Another version can be
  // asked about nothing else, though.
  const isSeen = part.first === 0 || against !== null ||
    failing({ from, inputs }, broker ?? run) !== null
  if (!isSeen) return null
  const whole = [...part.inputs, ...fatal]
  const isNew = { ...how, isNew: true }
  const shrunk = shrink(initial(part.config, part.origin), whole, failing, isNew)
  if (shrunk !== null) return { shrunk, all: whole.length, isNew: true }
  const again = shrink(from, inputs, failing, { ...how, isNew: false })
  return again === null ? null : { shrunk: again, all: inputs.length, isNew: false }
}

/** The story of it: what comes of it is left open where the broker throws. */
const storyText = (title: string, { from, inputs }: Shrunk): string => {
  const { config, origin } = from
  const story = goldenStory(title, { config, origin, inputs, first: 0, untold: [] })
  return printStory(
    E.isRight(story)
      ? story.right
      : { ...storyOfInputs(title, config, origin, inputs), coreOnly: 'the broker throws' },
  )
}

const put = (mouth: Mouth, wish: ShrinkWish, title: string, result: Result): string | null => {
  const { shrunk, isNew } = result
  const isStory = wish.out === null || wish.out.endsWith('.trace')
  if (!isStory) return writeRecording(wish.out, shrunk.from, shrunk.inputs)
  if (!isNew) {
    return 'it only fails from the state that the recording begins with, which a story cannot ' +
      'tell: write a recording (-o OUT, a name that does not end in .trace)'
  }
  const text = storyText(title, shrunk)
  if (wish.out !== null) return writeStory(wish.out, text)
  mouth.say(text)
  return null
}

/** The broker of the package in a folder. Left: it is none. */
const versionAt = async (folder: string): Promise<Either<string, Version>> => {
  const path = join(resolve(folder), 'dist/core/mod.js')
  try {
    const found: Partial<Version> = await import(pathToFileURL(path).href)
    const { initial, run } = found
    return typeof initial === 'function' && typeof run === 'function'
      ? E.right({ initial, run })
      : E.left(`${path} is no broker: it has no initial and run.`)
  } catch (error) {
    const why = messageOf(error)
    return E.left(`${folder} has no broker to compare with, in dist/core/mod.js: ${why}`)
  }
}

/** Answers the exit status. A test may put another broker in. */
export const shrinkRecording = async (
  mouth: Mouth,
  words: ReadonlyArray<string>,
  broker?: Run,
): Promise<number> => {
  const read = shrinkWish(words)
  if (E.isLeft(read)) {
    mouth.complain(`Error: ${read.left}\n`)
    return statusUsage
  }
  const wish = read.right
  if (wish === 'help' || wish === 'list') {
    const width = Math.max(...properties.map(([name]) => name.length))
    const list = properties.map(([name, says]) => `${name.padEnd(width)}  ${says}\n`).join('')
    mouth.say(wish === 'help' ? shrinkHelp : list)
    return 0
  }
  const isOver = wish.out === null ? null : whyOverwritten('-o', wish.out, wish.file)
  if (isOver !== null) {
    mouth.complain(`Error: ${isOver}\n`)
    return statusUsage
  }
  const under = wish.config === null ? null : await underOf(wish.config)
  if (under !== null && E.isLeft(under)) {
    for (const line of under.left) mouth.complain(`${line}\n`)
    return statusUsage
  }
  const found = await withGiven(wish.file, (given) => gather(given, everything))
  if (E.isLeft(found)) {
    mouth.complain(`Error: ${found.left}\n`)
    return statusNone
  }
  const { title, broken } = found.right
  const version = wish.against === null ? null : await versionAt(wish.against)
  if (version !== null && E.isLeft(version)) {
    mouth.complain(`Error: ${version.left}\n`)
    return statusUsage
  }
  const failing = propertyOf(wish.property, under?.right ?? null, version?.right ?? null)
  if (E.isLeft(failing)) {
    mouth.complain(`Error: ${failing.left}\n`)
    return statusUsage
  }
  if (broken !== null) mouth.complain(`${broken}\n`)
  const result = shortest(found.right, failing.right, wish, broker)
  if (result === null) {
    mouth.complain(`It does not fail: ${wish.property} is not to be seen in ${wish.file}.\n`)
    const { from, batches } = found.right
    const stranger = strangerIn(clientOf(wish.property), from, batches)
    if (stranger !== null) mouth.complain(`${stranger}\n`)
    return statusNone
  }
  const { inputs, trials, isCutShort } = result.shrunk
  const failed = put(mouth, wish, `${title} Shrunk: ${quoted(wish.property, nameMax)}.`, result)
  if (failed !== null) {
    mouth.complain(`Error: ${failed}.\n`)
    return statusNone
  }
  mouth.complain(
    `${plural(inputs.length, 'input')} of ${result.all} are left after ${plural(trials, 'trial')}` +
      `${isCutShort ? ', and more could go: --trials allows no more' : ''}.\n`,
  )
  return 0
}
