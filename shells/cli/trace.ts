// `sabethes trace start | stop | status`: asks a running broker to begin or end a recording.

import { connect } from 'node:net'
import { resolve as absolute } from 'node:path'
import {
  controlBytesMax,
  controlPath,
  noControlPath,
  orderText,
  readAnswer,
} from '../../core/config/control.ts'
import type { ControlAnswer } from '../../core/config/control.ts'
import { statusUsage } from '../../core/config/mod.ts'
import { traceHelp, traceWish } from '../../core/config/trace-words.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { codeOf, messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { whyTooLong } from './control.ts'
import { readRun } from './sources.ts'

type Mouth = Pick<Program, 'say' | 'complain'>

const waitMsMax = 10_000

const reasons: { readonly [code: string]: string } = {
  ENOENT: 'there is no socket',
  ECONNREFUSED: 'nobody listens there any more',
  EACCES: 'you may not: be the user that runs it, or root',
  EPERM: 'you may not: be the user that runs it, or root',
}

const reasonOf = (error: unknown): string => {
  return reasons[codeOf(error)] ?? messageOf(error)
}

/** One line there, one line back. Left: why there was no answer. */
const ask = (path: string, order: string): Promise<Either<string, ControlAnswer>> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connect({ path })
    const end = (found: Either<string, ControlAnswer>): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(found)
    }
    const timer = setTimeout(() => end(E.left(`no answer in ${waitMsMax / 1000} s`)), waitMsMax)
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(order))
    socket.on('error', (error) => end(E.left(reasonOf(error))))
    socket.on('close', () => end(E.left('it hung up without an answer')))
    socket.on('data', (chunk: string) => {
      text += chunk
      const at = text.indexOf('\n')
      if (at < 0 && text.length < controlBytesMax) return
      const answer = readAnswer(text.slice(0, Math.max(at, 0)))
      end(answer === null ? E.left('it does not speak as a broker does') : E.right(answer))
    })
  })

/** Answers the exit status. */
export const askForTrace = async (
  mouth: Mouth,
  words: ReadonlyArray<string>,
): Promise<number> => {
  const read = traceWish(words)
  if (E.isLeft(read)) {
    mouth.complain(`Error: ${read.left}\n`)
    return statusUsage
  }
  const wish = read.right
  if (wish === null) {
    mouth.say(traceHelp)
    return 0
  }
  const settings = readRun(wish.run)
  if (E.isLeft(settings)) {
    for (const line of settings.left.lines) mouth.complain(`${line}\n`)
    return settings.left.status
  }
  const path = controlPath(settings.right)
  const why = path === null ? noControlPath : whyTooLong(path)
  if (path === null || why !== null) {
    mouth.complain(`Error: ${why}\n`)
    return 1
  }
  const file = wish.file === null ? null : absolute(wish.file)
  const answer = await ask(path, orderText({ action: wish.action, file }))
  if (E.isLeft(answer)) {
    mouth.complain(
      `Error: no broker answers at ${path}: ${answer.left}. Give the options that it was ` +
        'started with, and be in the folder that it was started in if they name no whole path.\n',
    )
    return 1
  }
  const { status, says } = answer.right
  // Whoever has made the socket should not steer the terminal.
  const harmless = `${says.replace(/[^ -~\u00a0-\u2027\u2030-\uffff]/g, '?')}\n`
  if (status === 0) mouth.say(harmless)
  else mouth.complain(`Error: ${harmless}`)
  return status
}
