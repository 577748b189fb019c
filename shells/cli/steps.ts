// `sabethes replay --step`: forwards and backwards through the runs of a replay. The broker's state
// is a value, so a step back looks at one that was kept; nothing is undone.

import { readSync } from 'node:fs'
import type { State } from '../../core/broker/state.ts'

/** So many runs are kept to go back to. */
const stepsMax = 1000

const longest = 100

/** So long until it is looked again whether there is an answer. */
const pauseMs = 20

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Whether a read would have to wait: Node does not where standard input is a terminal. */
const mustWait = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN'

/** How many bytes of standard input came into `one`, which has room for one; 0 at its end. */
const readOne = (one: Uint8Array): number => {
  while (true) {
    try {
      return readSync(0, one, 0, 1, null)
    } catch (error) {
      // There may be no standard input to wait for.
      if (!mustWait(error)) return 0
    }
    Atomics.wait(nobody, 0, 0, pauseMs)
  }
}

/** A line of standard input without its end; null after the last one. */
export const readAnswer = (): string | null => {
  const one = new Uint8Array(1)
  let text = ''
  while (readOne(one) === 1) {
    if (one[0] === 0x0a) return text
    if (text.length < longest) text += String.fromCharCode(one[0]!)
  }
  return text === '' ? null : text
}

interface Step {
  readonly text: string
  readonly before: State
}

const stepHelp = 'n or nothing: the next run; b: back; 12: twelve runs on; -12: back; ' +
  's: the broker before this run; q: no more\n'

export class Steps {
  /** Nobody wants to see more. */
  isOver = false
  private readonly say: (text: string) => void
  private readonly ask: () => string | null
  private readonly around: (state: State) => string
  private steps: Array<Step> = []
  /** Which of the steps is looked at. */
  private at = -1
  /** So many more go by without a question; Infinity once nobody answers. */
  private free = 0

  constructor(
    say: (text: string) => void,
    ask: () => string | null,
    around: (state: State) => string,
  ) {
    this.say = say
    this.ask = ask
    this.around = around
  }

  /** The next run, whose text has been said: asks until it should go on. */
  take(text: string, before: State): void {
    this.steps.push({ text, before })
    if (this.steps.length > stepsMax * 2) this.steps = this.steps.slice(-stepsMax)
    this.at = this.steps.length - 1
    if (this.free > 0) {
      this.free -= 1
      return
    }
    while (!this.isOver && this.answer(this.ask())) continue
  }

  /** Whether there is another question. */
  private answer(word: string | null): boolean {
    const wish = word === null ? null : word.trim()
    if (wish === null) this.free = Infinity
    else if (wish === 'q') this.isOver = true
    else if (wish === 's') this.say(this.around(this.steps[this.at]!.before))
    else if (wish === 'b') return this.move(-1)
    else if (wish === '' || wish === 'n') return this.move(1)
    else if (/^-?[1-9][0-9]{0,8}$/.test(wish)) return this.move(Number(wish))
    else this.say(stepHelp)
    return wish !== null
  }

  private move(by: number): boolean {
    const last = this.steps.length - 1
    const to = this.at + by
    if (to > last) {
      this.free = to - last - 1
      return false
    }
    if (to < 0) this.say('There is no run before it that is kept.\n')
    this.at = Math.max(0, to)
    this.say(this.steps[this.at]!.text)
    return true
  }
}
