// `sabethes explain FILE`: answers from a recording, in sentences.

import { explainHelp, explainWish } from '../../core/config/explain-words.ts'
import type { ExplainWish } from '../../core/config/explain-words.ts'
import { statusUsage } from '../../core/config/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { parseTime } from '../../core/trace/explain-time.ts'
import { Explainer } from '../../core/trace/explain.ts'
import type { Question } from '../../core/trace/explain.ts'
import { Replay } from '../../core/trace/replay.ts'
import type { Program } from '../common/program.ts'
import { linesOf } from './lines.ts'

const statusBroken = 2

const questionOf = ({ question }: ExplainWish): Either<string, Question> => {
  if (question._tag === 'Connection') return E.right(question)
  const time = question.time === null ? null : parseTime(question.time)
  return question.time !== null && time === null
    ? E.left(`'${question.time}' is no time: write seconds as 12.5, or 2026-11-29T07:00:00Z.`)
    : E.right({ ...question, time })
}

/** Answers the exit status. */
export const explainRecording = async (
  mouth: Pick<Program, 'say' | 'complain'>,
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
  const explainer = new Explainer(question.right)
  const replay = new Replay()
  let unreadable: string | null = null
  try {
    for await (const lines of linesOf(wish.file)) {
      for (const line of lines) {
        const found = replay.line(line)
        if (found !== null) explainer.take(found)
      }
    }
  } catch (error) {
    unreadable = error instanceof Error ? error.message : String(error)
  }
  for (const found of replay.finish()) explainer.take(found)
  const answer = explainer.answer()
  if (answer.length > 0) mouth.say(`${answer.join('\n')}\n`)
  if (unreadable === null) return explainer.status
  mouth.complain(`Error: ${wish.file} cannot be read any further: ${unreadable}\n`)
  return statusBroken
}
