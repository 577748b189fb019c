// The log: which lines are wanted, when they were said, which are held back, and where they go.
// What they say is core/log's. Lines are gathered and written once per turn; unless debug lines are
// wanted, nothing here is called per packet.

import { defaultLog } from '../../core/config/settings.ts'
import type { LogSettings, LogType } from '../../core/config/settings.ts'
import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input } from '../../core/broker/input.ts'
import type { Note } from '../../core/broker/note.ts'
import type { Level, Packet } from '../../core/codec/packet.ts'
import { harmless, harmlessJson } from '../../core/log/harmless.ts'
import { type Line, line, said } from '../../core/log/line.ts'
import { belowNote, isOfConnection, textOfNote, typeOfNote } from '../../core/log/note.ts'
import { receivedLine, sentLine, willLine } from '../../core/log/packet.ts'
import { logOf } from '../../core/log/settings.ts'
import type { Verbosity } from '../../core/log/settings.ts'
import { facilityNumber, logTopic, ownTopics, severityOf } from '../../core/log/syslog.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { Limiter } from './limiter.ts'
import { type OpenOutlet, outletTo } from './outlet.ts'
import { Sinks } from './sinks.ts'
import { Stamp } from './stamp.ts'

const gatheredCharactersMax = 1024 * 1024
const windowMs = 1000

// Who is away for a night may lose a message a second. mosquitto tells of the first.
const dropsWindowMs = 600_000
const never = Number.MAX_SAFE_INTEGER

/** Lines to be published at the next turn, at most; the others are counted. */
const topicLinesMax = 1_000

/** Publishes a line. */
export type PublishLine = (topic: string, text: string) => void

const more = (count: number, what: string): string =>
  `${count} more ${what}${count === 1 ? '' : 's'}`

const about = (who: string | null, word: string): string =>
  who === null ? `${word} others` : `${word} ${harmless(who)}`

/** The client identifier of a connection. */
interface Named {
  readonly generation: number
  readonly name: string
}

/** One log per driver. `wall` answers Unix milliseconds, `complain` writes to standard error. */
export class Log {
  /** Each input and effect wants to be told, one at a time and in order. */
  verbose = false
  private settings: LogSettings
  private wanted: ReadonlySet<LogType> = new Set()
  private readonly sinks: Sinks
  private readonly stamp = new Stamp()
  private readonly wall: () => number
  private readonly complain: (text: string) => void
  private plain = ''
  private prioritised = ''
  private published: Array<readonly [topic: string, text: string]> = []
  private unpublished = 0
  private publish: PublishLine | null = null
  /** Whose each slot is, made harmless; kept only when verbose, and so maybe of who is gone. */
  private readonly names: Array<Named | undefined> = []
  /** What topic aliases stand for, by slot, in both directions: kept only when verbose. */
  private readonly sentTopics: Array<Map<number, string> | undefined> = []
  private readonly receivedTopics: Array<Map<number, string> | undefined> = []
  /** Lines about wills, by slot, until it is known who sent them. */
  private readonly wills: Array<Line | undefined> = []
  private readonly drops = new Limiter({
    windowMs: dropsWindowMs,
    each: 10,
    all: 1_000,
    withheld: (count, who) =>
      `Dropped ${more(count, 'message')}${who === '' ? '' : ` ${about(who, 'for')}`}.`,
  })
  private readonly denials = new Limiter({
    windowMs,
    each: 10,
    all: 200,
    withheld: (count, who) => `Denied ${more(count, 'packet')} ${about(who, 'from')}.`,
  })
  private readonly strangers = new Limiter({
    windowMs,
    each: 10,
    all: 50,
    withheld: (count, who) =>
      `Left out ${more(count, 'line')} about connections ${about(who, 'from')}.`,
  })
  private readonly limiters = [this.drops, this.denials, this.strangers]

  /** Goes nowhere until it is told where (`reconfigure`). */
  constructor(open: OpenOutlet, wall: () => number, complain: (text: string) => void) {
    this.settings = { ...defaultLog, destinations: [] }
    this.wall = wall
    this.complain = complain
    this.sinks = new Sinks(open, complain)
  }

  /**
   * Goes on with other settings, or begins with the first; what destinations both have stay open.
   * Left: a sentence for the operator, and all is as it was. Until `reopen` there is a way back.
   */
  reconfigure(settings: LogSettings): Either<string, null> {
    if (this.plain !== '' || this.prioritised !== '') this.write()
    const changed = this.sinks.change(settings.destinations)
    if (E.isLeft(changed)) return changed
    this.settings = settings
    this.wanted = new Set(settings.types)
    this.verbose = this.wanted.has('debug') &&
      settings.destinations.some(({ to }) => to !== 'topic')
    this.stamp.format = settings.timestampFormat
    return E.right(null)
  }

  /** From now on lines for the topic are published; until then they wait. */
  attach(publish: PublishLine): void {
    this.publish = publish
  }

  /** Begins the log's files anew, for whoever has moved them away, and makes a change final. */
  reopen(): void {
    this.write()
    for (const sentence of this.sinks.reopen()) {
      // The old file is there to be read as well, and nobody reads standard error after -d.
      this.complain(`Warning: ${sentence}\n`)
      this.warn(sentence)
    }
  }

  /** Writes what there is, `last` behind it, and closes every destination; then it resolves. */
  close(last: string | null = null): Promise<void> {
    // No window ends any more.
    for (const limiter of this.limiters) limiter.close(this.tellWithheld)
    if (last !== null) this.line(last)
    this.write()
    return this.sinks.close()
  }

  /** Lines that could not be written anywhere they should be. */
  get lostCount(): number {
    return this.sinks.lostCount
  }

  /** A line of the shell's own. */
  line(text: string, type: LogType = 'information'): void {
    this.gather(said(type, text))
  }

  /** A line for the operator, at once. */
  warn(text: string): void {
    this.gather(said('warning', `Warning: ${text}`))
    this.write()
  }

  /** A line that even a quiet broker prints, at once. */
  error(text: string): void {
    this.gather(said('error', `Error: ${text}`))
    this.write()
  }

  /**
   * Writes what was gathered; the driver calls it at the end of each turn with the time in
   * monotonic milliseconds.
   */
  flush(at: number): void {
    for (const limiter of this.limiters) limiter.pass(at, this.tellWithheld)
    if (this.plain !== '' || this.prioritised !== '') this.write()
    if (this.published.length > 0) this.publishAll()
  }

  private readonly tellWithheld = (text: string): void => this.line(text, 'notice')

  /** When `flush` must be called although nothing happens. */
  due(): number {
    let due = never
    for (const limiter of this.limiters) due = Math.min(due, limiter.due(never))
    return due
  }

  note(note: Note): void {
    if (this.verbose) this.learn(note)
    const type = typeOfNote(note)
    if (this.wanted.has(type)) this.tell(note, type)
    if (note._tag === 'ClientConnected') this.tellWill(note.conn)
  }

  private tell(note: Note, type: LogType): void {
    if (!this.settings.connectionMessages && isOfConnection(note)) return
    if ('topic' in note && ownTopics(note.topic)) return
    const limiter = type === 'debug' ? null : this.limiterOf(note)
    if (limiter === null || limiter[0].admit(limiter[1])) {
      this.gather(line(type, textOfNote(note), note._tag, note, belowNote(note)))
    }
    if (type === 'warning') this.write()
  }

  /** mosquitto tells of the will when it has let the client in, if it tells of clients. */
  private tellWill({ slot }: Conn): void {
    const will = this.wills[slot]
    if (will === undefined) return
    if (this.settings.connectionMessages) this.gather(will)
    this.wills[slot] = undefined
  }

  /** By whom the lines of such a note are counted; null where each is written. */
  private limiterOf(note: Note): readonly [Limiter, string] | null {
    switch (note._tag) {
      case 'Dropped':
        return [this.drops, note.clientId ?? '']
      case 'Denied':
        return [this.denials, note.clientId]
      case 'ConnectionOpened':
        return [this.strangers, note.peer.address]
      case 'ConnectionEnded':
        return note.wasAccepted ? null : [this.strangers, note.peer.address]
      default:
        return null
    }
  }

  /** What later lines have to know of a connection. */
  private learn(note: Note): void {
    // Who is thrown out is told so behind the note that he was: his name stays till the next one.
    if (note._tag === 'ClientConnected') this.call(note.conn, note.clientId)
  }

  /** What came in, in the words of mosquitto's debug lines; called only when verbose. */
  input(input: Input): void {
    switch (input._tag) {
      case 'Opened': {
        const { slot } = input.conn
        this.names[slot] = undefined
        this.sentTopics[slot] = undefined
        this.receivedTopics[slot] = undefined
        this.wills[slot] = undefined
        return
      }
      case 'Arrived':
        return this.received(input.conn, input.packet)
    }
  }

  /** What goes out; called only when verbose. */
  effect(effect: Effect): void {
    switch (effect._tag) {
      case 'Send':
        return this.sending(effect.conn, effect.level, effect.packet)
      case 'Multicast':
        for (let i = 0; i < effect.conns.length; i++) {
          this.sending(effect.conns[i]!, effect.level, effect.packet)
        }
    }
  }

  private received(conn: Conn, packet: Packet): void {
    const { slot } = conn
    if (packet._tag === 'Connect') {
      if (packet.clientId !== '') this.call(conn, packet.clientId)
      this.wills[slot] = willLine(packet)
      return
    }
    const topic = topicOf(this.receivedTopics, slot, packet)
    this.gather(receivedLine(this.nameOf(conn), packet, topic))
  }

  private sending(conn: Conn, level: Level, packet: Packet): void {
    const topic = topicOf(this.sentTopics, conn.slot, packet)
    if (ownTopics(topic)) return
    this.gather(sentLine(this.nameOf(conn), level, packet, topic))
  }

  private call({ slot, generation }: Conn, clientId: string): void {
    this.names[slot] = { generation, name: harmless(clientId) }
  }

  private nameOf({ slot, generation }: Conn): string {
    const found = this.names[slot]
    return found?.generation === generation ? found.name : '<unknown>'
  }

  private gather(what: Line): void {
    if (!this.wanted.has(what.type)) return
    const { sinks } = this
    if (sinks.hasPlain || sinks.hasTopic) {
      const written = this.written(what)
      if (sinks.hasPlain) this.plain += written
      const topic = sinks.hasTopic ? logTopic(what.type) : null
      if (topic !== null) this.keep(topic, written)
    }
    if (sinks.hasSyslog) this.prioritised += this.prefixed(what)
    if (this.plain.length + this.prioritised.length > gatheredCharactersMax) this.write()
  }

  private keep(topic: string, lines: string): void {
    for (const text of lines.slice(0, -1).split('\n')) {
      if (this.published.length < topicLinesMax) this.published.push([topic, text])
      else this.unpublished += 1
    }
  }

  /** The lines as files and streams have them. */
  private written(what: Line): string {
    const { timestamp, format } = this.settings
    if (format === 'json') {
      const time = timestamp ? { time: this.stamp.json(this.wall()) } : {}
      return `${jsonOf(time, what)}\n`
    }
    const stamp = timestamp ? `${this.stamp.text(this.wall())}: ` : ''
    let lines = `${stamp}${what.text}\n`
    for (const below of what.more) lines += `${stamp}\t${below}\n`
    return lines
  }

  /** The lines as the program logger has them. */
  private prefixed(what: Line): string {
    const prefix = `<${facilityNumber(this.settings.facility) * 8 + severityOf(what.type)}>`
    if (this.settings.format === 'json') return `${prefix}${jsonOf({}, what)}\n`
    let lines = `${prefix}${what.text}\n`
    for (const below of what.more) lines += `${prefix}\t${below}\n`
    return lines
  }

  private write(): void {
    const { plain, prioritised } = this
    this.plain = ''
    this.prioritised = ''
    this.sinks.write(plain, prioritised)
  }

  private publishAll(): void {
    if (this.publish === null) return
    const { published, unpublished } = this
    this.published = []
    this.unpublished = 0
    for (const [topic, text] of published) this.publish(topic, text)
    if (unpublished > 0) this.line(`${unpublished} more lines were not published.`, 'notice')
  }
}

/** A log that prints; one that answers to nothing but its verbosity. */
export const printingLog = (
  verbosity: Verbosity,
  print: (text: string) => void,
  wall: () => number,
): Log => {
  const log = new Log(() => E.right(outletTo(print)), wall, print)
  log.reconfigure(logOf(verbosity))
  return log
}

const jsonOf = (time: object, { type, event, text, more, data }: Line): string => {
  const { _tag: _, ...rest } = data ?? {}
  const whole = more.length === 0 ? text : [text, ...more].join(' ')
  return harmlessJson({ ...time, type, event, text: whole, ...rest })
}

/** The topic of a PUBLISH, also where an alias takes its place; nothing of other packets. */
const topicOf = (
  aliases: Array<Map<number, string> | undefined>,
  slot: number,
  packet: Packet,
): string => {
  if (packet._tag !== 'Publish') return ''
  const alias = packet.properties.topicAlias
  if (alias === undefined) return packet.topic
  const known = aliases[slot] ??= new Map()
  if (packet.topic !== '') known.set(alias, packet.topic)
  return known.get(alias) ?? ''
}
