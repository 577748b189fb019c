// Answers to questions about a capture: what clients sent is played to a new broker, and that is
// looked into as with a recording. What the captured broker sent otherwise is said beside it.

import type { Config } from '../../broker/config.ts'
import type { TopicName } from '../../topic/name.ts'
import { Explainer } from '../explain.ts'
import type { Question } from '../explain.ts'
import { quote } from '../words.ts'
import type { Comparison } from './compare.ts'
import type { Captured, CaptureFile } from './file.ts'
import { doorOf } from './listener.ts'
import { Reenactment } from './reenact.ts'
import { Tap } from './tap.ts'
import type { Event } from './tap.ts'
import { few, nobodyText, olderTexts, portText, troublesOf } from './trouble.ts'
import type { Connects } from './trouble.ts'

const usualPort = 1883

export interface CaptureQuestion {
  readonly question: Question
  /** What it is played under, and what that is called; null for the defaults. */
  readonly config: Config
  readonly configName: string | null
  /** Of this program. */
  readonly version: string
  /** The broker's port, null where it is to be that of most CONNECTs. */
  readonly port: number | null
  readonly connects: Connects
}

export interface Answer {
  readonly lines: ReadonlyArray<string>
  /** As that of an Explainer; 2 as well where something of the capture could not be read. */
  readonly status: number
}

const differencesMax = 10

const isWithin = (line: string, words: ReadonlyArray<string>): boolean =>
  words.some((one) => line.includes(one))

const endings = [' connack ', ' disconnect ', ' the end of the connection ']

export class CaptureExplainer {
  private readonly asked: CaptureQuestion
  private readonly explainer: Explainer
  private readonly tap: Tap
  private readonly port: number
  private reenactment: Reenactment | null = null
  private form = ''
  private beganMs = 0

  constructor(asked: CaptureQuestion) {
    this.asked = asked
    this.explainer = new Explainer(asked.question, 'capture')
    this.port = asked.port ?? asked.connects[0]?.[0] ?? usualPort
    this.tap = new Tap(this.port)
  }

  /** Takes the next packet of a file of this form. */
  packet(captured: Captured, form: string): void {
    if (this.reenactment === null) {
      this.form = form
      this.beganMs = captured.atMs
      this.reenactment = new Reenactment(this.asked.config, captured.atMs, this.port)
      this.explainer.take(this.reenactment.begin(this.asked.version))
    }
    this.take(this.tap.packet(captured))
  }

  private take(events: ReadonlyArray<Event>): void {
    for (const event of events) {
      for (const found of this.reenactment?.take(event) ?? []) this.explainer.take(found)
    }
  }

  /** The capture is over; it may be that more of its file could not be read. */
  answer(file: CaptureFile, isUnreadable: boolean): Answer {
    const { tap, reenactment, explainer } = this
    this.take(tap.finish())
    reenactment?.finish(tap.conversations)
    if (isUnreadable || file.breach !== null) explainer.breakOff()
    const troubles = [...troublesOf(tap, file, reenactment, this.beganMs)]
    if (tap.conversations.length === 0 && file.breach === null) {
      troubles.push(nobodyText(this.port, tap))
    }
    if (reenactment === null) return { lines: troubles, status: 2 }
    const lines = [
      ...this.ground(),
      ...troubles,
      ...explainer.answer(),
      ...this.otherwise(reenactment.comparison),
    ]
    return { lines, status: troubles.length > 0 ? 2 : explainer.status }
  }

  /** What the answer rests on, and what it cannot know. */
  private ground(): ReadonlyArray<string> {
    const { config, configName, port, connects } = this.asked
    const { why } = doorOf(config, this.port)
    const under = configName === null
      ? 'the defaults (--config FILE is for another configuration)'
      : quote(configName, '"')
    return [
      `Rebuilt from a capture (${this.form}): what its clients sent was played to a new broker ` +
      `of this version, under ${under}. ${portText(this.port, port, connects)}`,
      ...(why === null ? [] : [why]),
      'So it is not known what the captured broker had kept from before, which rights and limits ' +
      'it had, and why it did what it did; what it sent otherwise is said at the end.',
    ]
  }

  /** What of the differences has to do with the question. */
  private otherwise(comparison: Comparison): ReadonlyArray<string> {
    const { question } = this.asked
    if (comparison.heardCount === 0) {
      return ['There is no answer of the captured broker to compare with.']
    }
    const name = question.client === null ? null : quote(question.client, "'")
    const who = name === null ? null : ` to ${name}`
    const words = question._tag === 'Message'
      ? this.namesOf(question.topic).map((topic) => `publish ${quote(topic, "'")} `)
      : endings
    const found = comparison.differences().filter((line) =>
      isWithin(line, words) && (who === null || line.includes(who))
    )
    const what = question._tag === 'Message' ? 'it' : 'this'
    const older = olderTexts(comparison, name)
    if (found.length > 0) {
      return [
        'It was otherwise on the day:',
        ...few(found, differencesMax, 'differences'),
        ...older,
      ]
    }
    return older.length > 0
      ? older
      : [`In all that has to do with ${what} the captured broker sent the same.`]
  }

  /** What clients may call the topic. */
  private namesOf(topic: TopicName): ReadonlyArray<string> {
    const { config } = this.asked
    const points = [config.mountPoint, ...config.listeners.map(([, rules]) => rules.mountPoint)]
    const behind = points.filter((point) => point !== '' && topic.startsWith(point))
    return [topic, ...behind.map((point) => topic.slice(point.length))]
  }
}
