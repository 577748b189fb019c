// What the replay of a capture comes to, as lines of text: what a replay always tells, what could
// not be read and why, and where the captured broker answered otherwise.

import type { Config } from '../../broker/config.ts'
import { Teller } from '../teller.ts'
import type { Telling } from '../teller.ts'
import type { Captured, CaptureFile } from './file.ts'
import { doorOf } from './listener.ts'
import { Reenactment } from './reenact.ts'
import { Tap } from './tap.ts'
import type { Event } from './tap.ts'
import { few, nobodyText, olderTexts, portText, troublesOf, wasOf } from './trouble.ts'
import type { Connects } from './trouble.ts'
import { plural, seconds } from '../words.ts'

const usualPort = 1883

export interface Wish {
  readonly telling: Telling
  readonly config: Config
  /** Of this program. */
  readonly version: string
  /** The broker's port, null where it is to be that of most CONNECTs. */
  readonly port: number | null
  readonly connects: Connects
}

export interface Outcome {
  readonly said: ReadonlyArray<string>
  readonly complained: ReadonlyArray<string>
  readonly status: number
}

const differencesMax = 50
const unansweredMax = 5

export class CaptureTeller {
  private readonly wish: Wish
  private readonly teller: Teller
  private readonly tap: Tap
  private readonly port: number
  private reenactment: Reenactment | null = null
  private beganMs = 0
  private runs = 0
  private inputs = 0
  private lastMs = 0

  constructor(wish: Wish) {
    this.wish = wish
    this.teller = new Teller(wish.telling)
    this.port = wish.port ?? wish.connects[0]?.[0] ?? usualPort
    this.tap = new Tap(this.port)
  }

  /** Nothing more is wanted. */
  get isOver(): boolean {
    return this.teller.isOver
  }

  /** What the next packet leads to: lines, run by run. */
  packet(captured: Captured, form: string): ReadonlyArray<ReadonlyArray<string>> {
    const told: Array<ReadonlyArray<string>> = []
    if (this.reenactment === null) {
      this.beganMs = captured.atMs
      this.reenactment = new Reenactment(this.wish.config, captured.atMs, this.port)
      // It has the names of a recording, and that is none.
      this.teller.tell(this.reenactment.begin(this.wish.version))
      const { why } = doorOf(this.wish.config, this.port)
      told.push([
        `A capture (${form}) from ${Math.floor(captured.atMs / 1000)} on (Unix seconds). ` +
        portText(this.port, this.wish.port, this.wish.connects),
        ...(why === null ? [] : [why]),
      ])
    }
    const events = this.tap.packet(captured)
    this.lastMs = Math.max(this.lastMs, this.tap.nowMs - this.beganMs)
    told.push(...this.tell(events))
    return told
  }

  private tell(events: ReadonlyArray<Event>): ReadonlyArray<ReadonlyArray<string>> {
    const told: Array<ReadonlyArray<string>> = []
    for (const event of events) {
      for (const found of this.reenactment?.take(event) ?? []) {
        if (this.isOver) return told
        const lines = this.teller.tell(found)
        if (!this.isOver && found._tag === 'Ran') {
          this.runs += 1
          this.inputs += found.batch.inputs.length
        }
        if (lines.length > 0) told.push(lines)
      }
    }
    return told
  }

  /** The capture is over, or nothing more is wanted of it. */
  finish(file: CaptureFile): Outcome {
    const { tap, reenactment } = this
    const last: Array<string> = []
    // What has not been read need not be there.
    if (!this.isOver) {
      last.push(...this.tell(tap.finish()).flat())
      reenactment?.finish(tap.conversations)
    }
    const complained = [...troublesOf(tap, file, reenactment, this.beganMs)]
    const talks = tap.conversations.length
    if (talks === 0 && file.breach === null && !this.isOver) {
      complained.push(nobodyText(this.port, tap))
    }
    const differences = reenactment === null ? [] : reenactment.comparison.differences()
    const said = [
      ...last,
      ...this.sums(),
      ...few(differences, differencesMax, 'differences'),
      ...this.agreement(differences.length),
    ]
    const status = this.teller.status === 1 || differences.length > 0 ? 1 : 0
    return { said, complained, status: complained.length > 0 ? 2 : status }
  }

  private sums(): ReadonlyArray<string> {
    const { tap } = this
    const brokers = [...tap.brokers]
    const twice = tap.conversations.filter(({ isTwice }) => isTwice).length
    return [
      `${plural(tap.conversations.length, 'connection')} to port ${this.port}: ` +
      `${plural(this.runs, 'run')} with ${plural(this.inputs, 'input')} ` +
      `in ${seconds(this.lastMs)} were played.`,
      ...(brokers.length < 2 ? [] : [
        `${brokers.slice(0, 5).join(', ')}${brokers.length > 5 ? ', ...' : ''} are taken to be ` +
        'addresses of one broker.',
      ]),
      ...(twice === 0 ? [] : [
        `${plural(twice, 'connection')} ${wasOf(twice)} captured with translated ` +
        'addresses (NAT) as well, and played once.',
      ]),
    ]
  }

  private agreement(differences: number): ReadonlyArray<string> {
    const { reenactment } = this
    if (reenactment === null) return []
    const { comparison } = reenactment
    const { heardCount, sysCount, strayCount } = comparison
    const lines: Array<string> = []
    if (heardCount === 0) lines.push('There is no answer of the captured broker to compare with.')
    else if (differences === 0) {
      lines.push(
        `${heardCount === 1 ? '1 message or answer' : `${heardCount} messages and answers`} of ` +
          `the captured broker ${wasOf(heardCount)} compared: this one sends the same.`,
      )
    }
    const late = heardCount === 0 ? [] : comparison.unanswered()
    if (late.length > 0) {
      const more = late.length - unansweredMax
      lines.push(
        'It is not known what the captured broker said later to whom this one sends these, so ' +
          `they were not compared: ${late.slice(0, unansweredMax).join('; ')}` +
          (more > 0 ? `; and ${more} more.` : '.'),
      )
    }
    lines.push(...olderTexts(comparison))
    if (sysCount > 0) {
      lines.push(`${plural(sysCount, 'message')} below $SYS ${wasOf(sysCount)} not compared.`)
    }
    if (strayCount > 0) {
      lines.push(
        `${plural(strayCount, 'acknowledgement')} of messages that this broker had not sent ` +
          `${wasOf(strayCount)} left out.`,
      )
    }
    return lines
  }
}
