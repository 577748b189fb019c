// `sabethes replay CAPTURE`: plays to a new broker what clients sent in a capture of tcpdump or
// Wireshark, and compares what the captured broker answered.

import { readSync } from 'node:fs'
import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import { treeText } from '../../core/log/tree-text.ts'
import { CaptureFile } from '../../core/trace/capture/file.ts'
import { CaptureTeller } from '../../core/trace/capture/teller.ts'
import { PortGuess } from '../../core/trace/capture/tap.ts'
import type { Connects } from '../../core/trace/capture/trouble.ts'
import { messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { version } from '../common/version.ts'
import type { ReplayAsked } from './asked.ts'
import type { Given } from './given.ts'

type Mouth = Pick<Program, 'say' | 'complain'>

/** The ports that CONNECTs go to, that of most first. */
export const portsOf = async (given: Given): Promise<Connects> => {
  const found = new PortGuess()
  const file = new CaptureFile()
  try {
    for await (const chunk of given.chunks()) {
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
  wish: ReplayAsked,
  given: Given,
  under: ((config: Config) => Config) | null,
): Promise<number> => {
  const config = under === null ? defaults : under(defaults)
  const connects = wish.port === null ? await portsOf(given) : []
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
    reading: for await (const chunk of given.chunks()) {
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
