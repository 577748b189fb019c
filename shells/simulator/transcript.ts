// What was said and done in a world, one line each, in the words of the stories: for whoever asks
// why a test fails. Lines say when they were said; what only repeats another line is left out.

import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input } from '../../core/broker/input.ts'
import type { Note } from '../../core/broker/note.ts'
import { showEffect, showInput } from '../../core/trace/show.ts'
import type { Clock } from './clock.ts'
import { spanText } from './clock.ts'

/** Lines that are kept; of a longer conversation the last ones. */
const linesMax = 20_000

/** Notes that say what a packet before or behind them says. */
const isEcho = ({ _tag }: Note): boolean =>
  _tag === 'ConnectionOpened' || _tag === 'ClientConnected' || _tag === 'Subscribed' ||
  _tag === 'Unsubscribed'

export class Transcript {
  private readonly clock: Clock
  private readonly nameOf: (conn: Conn) => string
  private readonly showsPings: boolean
  private lines: Array<string> = []
  private forgotten = 0

  constructor(clock: Clock, nameOf: (conn: Conn) => string, showsPings: boolean) {
    this.clock = clock
    this.nameOf = nameOf
    this.showsPings = showsPings
  }

  input(input: Input): void {
    switch (input._tag) {
      case 'Opened':
      case 'Continued':
      case 'Written':
      case 'Measured':
      case 'Ticked':
        return
      case 'Arrived':
        if (input.packet._tag === 'Pingreq' && !this.showsPings) return
        break
    }
    this.add(showInput(input, this.nameOf))
  }

  effect(effect: Effect): void {
    if (effect._tag === 'Persist' || (effect._tag === 'Note' && isEcho(effect.note))) return
    if (effect._tag === 'Send' && effect.packet._tag === 'Pingresp' && !this.showsPings) return
    this.add(showEffect(effect, this.nameOf))
  }

  /** What was done to the world, and not by a client or the broker. */
  fault(text: string): void {
    this.add(`# ${text}`)
  }

  /** The conversation so far; ends with a line break unless nothing was said. */
  text(): string {
    const before = this.forgotten === 0 ? '' : `(${this.forgotten} lines before)\n`
    return before + this.lines.map((line) => `${line}\n`).join('')
  }

  private add(text: string): void {
    this.lines.push(`${spanText(this.clock.now).padEnd(8)} ${text}`)
    if (this.lines.length < 2 * linesMax) return
    this.forgotten += this.lines.length - linesMax
    this.lines = this.lines.slice(-linesMax)
  }
}
