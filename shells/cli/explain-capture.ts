// `sabethes explain CAPTURE`: the same answers from what tcpdump or Wireshark recorded.

import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { ExplainWish } from '../../core/config/explain-words.ts'
import { CaptureExplainer } from '../../core/trace/capture/explain.ts'
import { CaptureFile } from '../../core/trace/capture/file.ts'
import type { Question } from '../../core/trace/explain.ts'
import { messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { version } from '../common/version.ts'
import { portsOf } from './capture.ts'
import type { Given } from './given.ts'

const statusBroken = 2

/** Answers the exit status. */
export const explainCapture = async (
  mouth: Pick<Program, 'say' | 'complain'>,
  wish: ExplainWish,
  given: Given,
  question: Question,
  under: ((config: Config) => Config) | null,
): Promise<number> => {
  const explainer = new CaptureExplainer({
    question,
    config: under === null ? defaults : under(defaults),
    configName: wish.config,
    version,
    port: wish.port,
    connects: wish.port === null ? await portsOf(given) : [],
  })
  const file = new CaptureFile()
  let unreadable: string | null = null
  try {
    for await (const chunk of given.chunks()) {
      for (const packet of file.push(chunk)) explainer.packet(packet, file.form)
      if (file.breach !== null) break
    }
    file.finish()
  } catch (error) {
    unreadable = messageOf(error)
  }
  const { lines, status } = explainer.answer(file, unreadable !== null)
  if (lines.length > 0) mouth.say(`${lines.join('\n')}\n`)
  if (unreadable === null) return status
  mouth.complain(`Error: ${wish.file} cannot be read any further: ${unreadable}\n`)
  return statusBroken
}
