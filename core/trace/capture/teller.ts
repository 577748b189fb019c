// What the replay of a capture comes to, as lines of text: what a replay always tells, what could
// not be read and why, and where the captured broker answered otherwise.

import type { Config } from '../../broker/config.ts'
import { Teller } from '../teller.ts'
import type { Telling } from '../teller.ts'
import type { Captured, CaptureFile } from './file.ts'
import { Reenactment } from './reenact.ts'
import { Tap } from './tap.ts'
import type { Conversation, Trouble } from './tap.ts'

const usualPort = 1883

export interface Wish {
  readonly telling: Telling
  readonly config: Config
  /** Of this program. */
  readonly version: string
  /** The broker's port, null where it is to be that of most CONNECTs. */
  readonly port: number | null
  /** Ports with the number of CONNECTs that went there, most first. */
  readonly connects: ReadonlyArray<readonly [port: number, connects: number]>
}

export interface Outcome {
  readonly said: ReadonlyArray<string>
  readonly complained: ReadonlyArray<string>
  readonly status: number
}

const countOf = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : 's'}`

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)}s`

const differencesMax = 50
const troublesMax = 50

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
      told.push([
        `A capture (${form}) from ${Math.floor(captured.atMs / 1000)} on (Unix seconds). ` +
        this.portText(),
      ])
    }
    this.lastMs = Math.max(this.lastMs, captured.atMs - this.beganMs)
    for (const event of this.tap.packet(captured)) {
      for (const found of this.reenactment.take(event)) {
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
    // What has not been read need not be there.
    if (!this.isOver) tap.finish()
    const complained: Array<string> = []
    const troubles = tap.conversations.flatMap((one) =>
      one.troubles.map((trouble) => this.troubleText(one, trouble))
    )
    complained.push(...few(troubles, troublesMax, 'connections'))
    for (const [link, count] of tap.unknownLinks) {
      complained.push(`${countOf(count, 'packet')} of link type ${link} could not be read.`)
    }
    if (tap.fragments > 0) {
      complained.push(`${countOf(tap.fragments, 'fragment')} of IP packets were left out.`)
    }
    const { breach } = file
    if (breach !== null) {
      complained.push(
        `The capture can be read up to byte ${breach.offset}, after ` +
          `${countOf(file.packetCount, 'packet')}; there ${breach.why}.`,
      )
    }
    const talks = tap.conversations.length
    if (talks === 0 && breach === null && !this.isOver) {
      complained.push(
        `Nobody connects to port ${this.port} in this capture: --port N names another.`,
      )
    }
    const differences = reenactment === null ? [] : reenactment.comparison.differences()
    const said = [
      ...this.sums(),
      ...few(differences, differencesMax, 'differences'),
      ...this.agreement(differences.length),
    ]
    const status = this.teller.status === 1 || differences.length > 0 ? 1 : 0
    return { said, complained, status: complained.length > 0 ? 2 : status }
  }

  private portText(): string {
    const { port, wish: { connects } } = this
    if (this.wish.port !== null) return `The broker's port is ${port}, as asked for.`
    const [first, ...others] = connects
    if (first === undefined) {
      return `No CONNECT was found; the broker's port is taken to be ${port}.`
    }
    const rest = others.slice(0, 5).map(([other, count]) => `${other} (${count})`).join(', ')
    return `The broker's port is taken to be ${port}, where ${countOf(first[1], 'CONNECT')} went` +
      (rest === '' ? '.' : `; others went to ${rest}: --port N is for these.`)
  }

  private sums(): ReadonlyArray<string> {
    const { tap } = this
    const brokers = [...tap.brokers]
    return [
      `${countOf(tap.conversations.length, 'connection')} to port ${this.port}: ` +
      `${countOf(this.runs, 'run')} with ${countOf(this.inputs, 'input')} ` +
      `in ${seconds(this.lastMs)} were played.`,
      ...(brokers.length < 2 ? [] : [
        `${brokers.slice(0, 5).join(', ')}${brokers.length > 5 ? ', ...' : ''} are taken to be ` +
        'addresses of one broker.',
      ]),
    ]
  }

  private agreement(differences: number): ReadonlyArray<string> {
    const { reenactment } = this
    if (reenactment === null) return []
    const { heardCount, sysCount, strayCount } = reenactment.comparison
    const lines: Array<string> = []
    if (heardCount === 0) lines.push('There is no answer of the captured broker to compare with.')
    else if (differences === 0) {
      lines.push(
        `${countOf(heardCount, 'message')} and answers of the captured broker were compared: ` +
          'this one sends the same.',
      )
    }
    if (sysCount > 0) lines.push(`${countOf(sysCount, 'message')} below $SYS were not compared.`)
    if (strayCount > 0) {
      lines.push(
        `${countOf(strayCount, 'acknowledgement')} of messages that this broker had not sent ` +
          'were left out.',
      )
    }
    return lines
  }

  private troubleText({ id, client, troubles: _ }: Conversation, trouble: Trouble): string {
    const clientId = this.reenactment?.comparison.clientOf(id) ?? null
    const who = `The connection of ${client.address}:${client.port}` +
      (clientId === null || clientId.startsWith('the client') ? '' : ` (client ${clientId})`)
    switch (trouble) {
      case 'encrypted':
        return `${who} is encrypted (TLS): without the keys of the session it cannot be read.`
      case 'web socket':
        return `${who} is WebSocket, which is not read yet.`
      case 'no connect':
        return `${who} begins in the middle: its CONNECT is not in the capture, and what follows ` +
          'cannot be understood.'
    }
    const { of, hole } = trouble
    const why = hole.isCut
      ? ' (the capture keeps only the beginnings of packets: tcpdump -s 0)'
      : ''
    return `${who} is incomplete from ${seconds(hole.atMs - this.beganMs)} on: ` +
      `${countOf(hole.bytes, 'byte')} of the ${of} are missing${why}; what follows is left out.`
  }
}

/** The first of them, and how many more there are. */
const few = (lines: ReadonlyArray<string>, max: number, what: string): ReadonlyArray<string> =>
  lines.length <= max
    ? lines
    : [...lines.slice(0, max), `... and ${lines.length - max} more ${what}.`]
