// `sabethes replay FILE --to-story`, `--to-recording OUT`: a part of a recording, to be kept.

import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import { initial } from '../../core/broker/state.ts'
import { statusUsage } from '../../core/config/mod.ts'
import { E } from '../../core/prelude.ts'
import { cut } from '../../core/trace/cut.ts'
import type { Cut } from '../../core/trace/cut.ts'
import { goldenStory } from '../../core/trace/golden.ts'
import { printStory } from '../../core/trace/story.ts'
import { strangerIn } from '../../core/trace/strangers.ts'
import type { Program } from '../common/program.ts'
import type { ReplayAsked } from './asked.ts'
import type { Given } from './given.ts'
import { gather, writeRecording } from './material.ts'

type Mouth = Pick<Program, 'say' | 'complain'>

const statusBroken = 2

/** Answers the exit status. */
export const retell = async (
  mouth: Mouth,
  wish: ReplayAsked,
  given: Given,
  under: ((config: Config) => Config) | null,
): Promise<number> => {
  if ((under !== null || wish.port !== null) && given.kind !== 'capture') {
    const option = under !== null ? '--config' : '--port'
    const name = wish.toStory ? '--to-story' : '--to-recording'
    mouth.complain(`Error: ${option} is for captures where there is ${name}.\n`)
    return statusUsage
  }
  const config = under === null ? defaults : under(defaults)
  const found = await gather(given, wish.span, { port: wish.port, config })
  if (E.isLeft(found)) {
    mouth.complain(`Error: ${found.left}\n`)
    return statusBroken
  }
  const { title, from, batches, fatal, broken } = found.right
  let part: Cut
  try {
    part = cut(from, batches, wish)
  } catch (error) {
    mouth.complain(`Error: the broker is at fault at this part of it: ${String(error)}\n`)
    return statusBroken
  }
  // What the broker throws at can be told as a recording only.
  const inputs = [...part.inputs, ...fatal]
  let status = broken === null ? 0 : statusBroken
  if (broken !== null) mouth.complain(`${broken}\n`)
  const stranger = strangerIn(wish.client, from, batches)
  if (stranger !== null) mouth.complain(`${stranger}\n`)
  if (wish.toRecording !== null) {
    const failed = writeRecording(wish.toRecording, initial(part.config, part.origin), inputs)
    if (failed !== null) {
      mouth.complain(`Error: ${failed}\n`)
      return 1
    }
    mouth.complain(`${inputs.length} inputs were written to ${wish.toRecording}.\n`)
  }
  if (wish.toStory) {
    const story = goldenStory(title, part)
    if (E.isLeft(story)) {
      mouth.complain(`Error: ${story.left}\n`)
      return statusBroken
    }
    mouth.say(printStory(story.right))
  }
  if (fatal.length > 0) {
    mouth.complain('What the broker threw at stands at the end, and only in a recording.\n')
    status = Math.max(status, 1)
  }
  return status
}
