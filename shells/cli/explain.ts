// `sabethes explain FILE`: answers from a recording, a story or a capture, in sentences.

import { explainHelp, explainWish } from '../../core/config/explain-words.ts'
import type { ExplainWish } from '../../core/config/explain-words.ts'
import { statusUsage } from '../../core/config/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { timeOf } from '../../core/trace/explain-time.ts'
import { Explainer } from '../../core/trace/explain.ts'
import type { Question } from '../../core/trace/explain.ts'
import { Replay } from '../../core/trace/replay.ts'
import type { Found } from '../../core/trace/replay.ts'
import { messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { withGiven } from './given.ts'
import type { Given } from './given.ts'
import { lastOf, linesOf, unreadableText } from './lines.ts'
import { linesOfStory, readStory } from './material.ts'
import { configOf } from './replay.ts'

type Mouth = Pick<Program, 'say' | 'complain'>

const statusBroken = 2

const questionOf = ({ question }: ExplainWish): Either<string, Question> => {
  if (question._tag === 'Connection') return E.right(question)
  const time = question.time === null ? E.right(null) : timeOf(question.time)
  return E.isLeft(time) ? time : E.right({ ...question, time: time.right })
}

/** Answers the exit status. */
export const explainRecording = async (
  mouth: Mouth,
  words: ReadonlyArray<string>,
): Promise<number> => {
  const read = explainWish(words)
  const wish = E.isLeft(read) ? null : read.right
  const question = E.isLeft(read) ? read : wish === null ? null : questionOf(wish)
  if (question === null || wish === null) {
    if (question === null) mouth.say(explainHelp)
    else if (E.isLeft(question)) mouth.complain(`Error: ${question.left}\n`)
    return question === null ? 0 : statusUsage
  }
  if (E.isLeft(question)) {
    mouth.complain(`Error: ${question.left}\n`)
    return statusUsage
  }
  const asked = question.right
  return withGiven(wish.file, (given) => explainGiven(mouth, wish, given, asked))
}

const explainGiven = async (
  mouth: Mouth,
  wish: ExplainWish,
  given: Given,
  question: Question,
): Promise<number> => {
  if (given.kind === 'capture') return aboutCapture(mouth, wish, given, question)
  if (wish.config !== null || wish.port !== null) {
    const option = wish.config !== null ? '--config' : '--port'
    mouth.complain(`Error: ${option} is for captures, and ${wish.file} is none.\n`)
    return statusUsage
  }
  if (given.kind !== 'story') return aboutLines(mouth, wish, question, linesOf(given))
  const story = await readStory(given)
  if (E.isRight(story)) return aboutLines(mouth, wish, question, [linesOfStory(story.right)])
  mouth.complain(`Error: ${story.left}\n`)
  return statusBroken
}

const aboutCapture = async (
  mouth: Mouth,
  wish: ExplainWish,
  given: Given,
  question: Question,
): Promise<number> => {
  const under = wish.config === null ? E.right(null) : await configOf(wish.config)
  if (E.isRight(under)) {
    const { explainCapture } = await import('./explain-capture.ts')
    return explainCapture(mouth, wish, given, question, under.right)
  }
  for (const line of under.left) mouth.complain(`${line}\n`)
  return statusUsage
}

const aboutLines = async (
  mouth: Mouth,
  { file }: ExplainWish,
  question: Question,
  portions: AsyncIterable<ReadonlyArray<string>> | Iterable<ReadonlyArray<string>>,
): Promise<number> => {
  const explainer = new Explainer(question)
  const replay = new Replay()
  let hasBegun = false
  let unreadable: string | null = null
  const take = (found: Found): void => {
    hasBegun ||= found._tag === 'Began'
    explainer.take(found)
  }
  try {
    for await (const lines of portions) {
      for (const line of lines) {
        const found = replay.line(line)
        if (found !== null) take(found)
      }
    }
  } catch (error) {
    unreadable = messageOf(error)
  }
  for (const found of lastOf(replay, unreadable !== null)) take(found)
  if (unreadable !== null) explainer.breakOff()
  const answer = explainer.answer()
  if (answer.length > 0) mouth.say(`${answer.join('\n')}\n`)
  if (unreadable === null) return explainer.status
  mouth.complain(`Error: ${unreadableText(file, unreadable, hasBegun)}\n`)
  return statusBroken
}
