// What was published in a day, by whom, whether it went to anybody at all, and what was retained
// from when to when: from the wires and the log.

import type { Note } from '../../core/broker/note.ts'
import type { Publish } from '../../core/codec/packet.ts'
import * as B from '../../core/data/bytes.ts'
import { bodyOf, since } from './day.ts'
import type { Day, Line, Sent, Session, Step } from './day.ts'
import { escaped, hex } from './words.ts'

export interface Publication {
  readonly topic: string
  readonly body: string
  readonly by: 'client' | 'will' | 'broker'
  readonly clientId: string | null
  /** The session that No Local is about. */
  readonly session: number | null
  readonly packetId: number
  readonly mountPoint: string
  readonly at: number
  readonly step: Step
  readonly qos: number
  readonly retain: boolean
  readonly bytes: number
  readonly expiryS: number | null
  /** The step in which it was routed; null where it never was. */
  routed: Step | null
  /** Why it went to nobody at all, as a pattern for the words; null where it went. */
  refused: RegExp | null
  /** Of QoS 2, in words, what became of its release. */
  held: string | null
  isHeld: boolean
  again: number
  retained: { readonly from: Step; until: Step | null; why: string } | null
}

/** Since when the broker knows a mount point, which decides whether a topic behind it is asked. */
export const mountPointsBy = ({ steps }: Day, index: number): ReadonlySet<string> => {
  const found = new Set([''])
  const configs = [steps[0]!.config, ...steps.slice(0, index + 1).map(({ next }) => next)]
  for (const { mountPoint, listeners } of configs) {
    found.add(mountPoint)
    for (const [, rules] of listeners) found.add(rules.mountPoint)
  }
  return found
}

const literally = (text: string): RegExp => new RegExp(`^${escaped(text)}$`, 's')

/** The words for why a message that was dropped for everybody was. */
const refusalWords = (why: string, { config }: Step): RegExp => {
  switch (why) {
    case 'not allowed':
      return new RegExp(
        '^(its publisher may not write it(, denied by .+)?|' +
          'nobody could subscribe to such a topic|only the broker publishes to such topics)$',
        's',
      )
    case 'too large':
      return literally(`its payload is more than message_size_limit ${config.payloadBytesMax}`)
    case 'payload format invalid':
      return literally('its payload is said to be UTF-8 and is not')
    case 'expired':
      return literally('its Message Expiry Interval was over before it was published')
    case 'retained store full':
      return literally('there are as many retained messages as may be')
    default:
      return literally('the broker was short of memory')
  }
}

/** Those that keep a message from everybody, whatever its publisher is told. */
const always: ReadonlySet<string> = new Set([
  'not allowed',
  'too large',
  'payload format invalid',
  'expired',
])

const deleted = 'when it was deleted'

const sentTo = (step: Step, line: Line | null, tag: string): number | null => {
  for (const effect of step.effects) {
    if (effect._tag !== 'Send' || effect.packet._tag !== tag) continue
    if (effect.conn.generation !== line?.conn.generation) continue
    return 'reason' in effect.packet ? effect.packet.reason : 0
  }
  return null
}

/** That a will came to something: it was published, or denied. */
export const isOfWill = (
  note: Note,
): note is Extract<Note, { readonly _tag: 'WillPublished' | 'Denied' }> =>
  note._tag === 'WillPublished' || (note._tag === 'Denied' && note.what === 'will')

/** The notes of a step that may be of one publication: a will has those that follow its own. */
const notesOf = ({ notes }: Step, by: Publication['by'], clientId: string | null) => {
  const start = by !== 'will'
    ? 0
    : notes.findIndex((note) => isOfWill(note) && note.clientId === clientId) + 1
  const end = notes.findIndex((note, i) => i >= start && isOfWill(note))
  return notes.slice(start, end < 0 ? notes.length : end)
}

/** Why what was published in the step went to nobody; null where it was routed. */
const refusalIn = (
  step: Step,
  { topic, by, clientId }: Publication,
  line: Line | null,
): RegExp | null => {
  const answer = sentTo(step, line, 'Puback') ?? sentTo(step, line, 'Pubrec') ?? 0
  for (const note of notesOf(step, by, clientId)) {
    if (note._tag !== 'Dropped' || note.clientId !== null || note.topic !== topic) continue
    if (note.why === 'no subscriber') continue
    if (always.has(note.why) || answer >= 0x80) return refusalWords(note.why, step)
  }
  for (const note of step.notes) {
    if (note._tag !== 'ConnectionEnded' || note.conn.generation !== line?.conn.generation) continue
    const { fault } = note
    const words = note.ending === 'memory short'
      ? 'the broker was short of memory'
      : `${note.ending} ${hex(note.reason)}${
        fault === null ? '' : `, ${fault.detail} [${fault.clause}]`
      }`
    return literally(`its publisher's connection was ended for it: ${words}`)
  }
  return null
}

const notRetained: ReadonlySet<string> = new Set([
  'retained store full',
  'memory short',
  'store full',
])

export class Publications {
  readonly all: Array<Publication> = []
  private readonly day: Day
  /** By session and packet identifier; null for what was taken and thrown away. */
  private readonly held = new Map<string, Publication | null>()
  private readonly retained = new Map<string, { publication: Publication; expiresAt: number }>()

  constructor(day: Day) {
    this.day = day
    for (const step of day.steps) this.take(step)
    for (const one of this.held.values()) {
      if (one !== null) {
        one.held = 'Its publisher had not released it (PUBREL) when the recording ended.'
      }
    }
  }

  /** What the topic had retained before a step. */
  retainedBefore(topic: string, { index }: Step): Publication | null {
    return this.all.find(({ topic: own, retained }) =>
      own === topic && retained !== null && retained.from.index < index &&
      (retained.until === null || retained.until.index >= index)
    ) ?? null
  }

  /** What was sent of a publication, to anybody or to one client. */
  sentsOf(one: Publication, clientId?: string): ReadonlyArray<Sent> {
    const { topic, body } = one
    // What was refused and is sent is what its publisher said once more.
    const isSaidAgain = one.refused !== null &&
      this.all.some((other) =>
        other !== one && other.topic === topic && other.body === body && other.refused === null
      )
    if (isSaidAgain) return []
    return this.day.sents.filter((sent) =>
      sent.topic === topic && sent.body === body &&
      (clientId === undefined || sent.clientId === clientId)
    )
  }

  /** Whether something that is not to be retained was routed to the topic in the step. */
  isRouting(topic: string, step: Step): boolean {
    return this.all.some((one) => one.topic === topic && one.routed === step && !one.retain)
  }

  /** Whether no other one on its topic was routed in the step, so that notes are of this one. */
  isAlone({ topic: own }: Publication, step: Step): boolean {
    return this.all.filter(({ topic, routed }) => topic === own && routed === step).length === 1
  }

  private take(step: Step): void {
    const { input } = step
    if (input._tag === 'Ticked') this.expire(step)
    if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
      const { packet } = input.command
      const one = this.made(step, packet.topic, packet, 'broker', null, 0)
      this.route(one, step, null)
      return
    }
    if (input._tag === 'Arrived') {
      const session = [...step.before.values()].find(({ line }) =>
        line?.conn.generation === input.conn.generation
      )
      if (session !== undefined && input.packet._tag === 'Publish') {
        this.published(step, session, input.packet)
      } else if (session !== undefined && input.packet._tag === 'Pubrel') {
        const key = `${session.number} ${input.packet.packetId}`
        const one = this.held.get(key)
        this.held.delete(key)
        if (one !== undefined && one !== null) {
          one.held = `It was released at ${since(this.day, step.at)} (PUBREL).`
          one.isHeld = false
          this.route(one, step, session.line)
        }
      }
    }
    this.wills(step)
    for (const note of step.notes) {
      if (note._tag !== 'SessionEnded') continue
      const number = step.before.get(note.clientId)?.number
      for (const [key, one] of [...this.held]) {
        if (!key.startsWith(`${number} `)) continue
        if (one !== null) {
          one.held =
            'Its publisher never released it (PUBREL), and its identifier or session was given up.'
        }
        this.held.delete(key)
      }
    }
  }

  private made(
    step: Step,
    topic: string,
    what: Pick<Publish, 'payload' | 'qos' | 'retain' | 'properties'>,
    by: Publication['by'],
    session: Session | null,
    packetId: number,
  ): Publication {
    const publication: Publication = {
      topic,
      body: bodyOf(what.payload),
      by,
      clientId: session?.clientId ?? null,
      session: session?.number ?? null,
      packetId,
      mountPoint: session?.mountPoint ?? '',
      at: step.at,
      step,
      qos: what.qos,
      retain: what.retain,
      bytes: B.size(what.payload),
      expiryS: what.properties.messageExpiryInterval ?? null,
      routed: null,
      refused: null,
      held: null,
      isHeld: false,
      again: 0,
      retained: null,
    }
    this.all.push(publication)
    return publication
  }

  /** The whole topic of a PUBLISH; null where it has none that anybody could know. */
  private topicOf({ topic, properties }: Publish, line: Line): string | null {
    const { topicAlias } = properties
    const whole = topic === '' ? line.aliases.get(topicAlias ?? 0) : line.mountPoint + topic
    if (topic !== '' && topicAlias !== undefined) line.aliases.set(topicAlias, whole!)
    return whole ?? null
  }

  private published(step: Step, session: Session, packet: Publish): void {
    const line = session.line!
    const topic = this.topicOf(packet, line)
    const key = `${session.number} ${packet.packetId}`
    const old = packet.qos === 0 ? undefined : this.held.get(key)
    const isVoid = step.notes.some((note) =>
      note._tag === 'Dropped' && note.why === 'session ended' &&
      note.clientId === session.clientId
    )
    const isTaken = (sentTo(step, line, 'Pubrec') ?? 0x80) < 0x80
    if (old !== undefined && isVoid) {
      this.held.delete(key)
      if (old !== null) {
        old.isHeld = true
        old.held = `Its publisher never released it (PUBREL): at ${since(this.day, step.at)} it ` +
          `published something else with packet id ${packet.packetId}.`
      }
    } else if (old !== undefined && isTaken) {
      if (old !== null) old.again += 1
      return
    }
    if (topic === null) return
    const one = this.made(step, topic, packet, 'client', session, packet.packetId)
    one.refused = refusalIn(step, one, line)
    if (packet.qos === 2 && isTaken) {
      this.held.set(key, one.refused === null ? one : null)
      one.isHeld = one.refused === null
      return
    }
    this.route(one, step, line)
  }

  private wills(step: Step): void {
    for (const note of step.notes) {
      if (!isOfWill(note)) continue
      const session = step.before.get(note.clientId)
      const will = session?.lately.connect?.will
      if (session === undefined || will === undefined || will === null) continue
      const topic = session.lately.willMountPoint + will.topic
      const one = this.made(step, topic, will, 'will', session, 0)
      this.route(one, step, null)
    }
  }

  private route(one: Publication, step: Step, line: Line | null): void {
    one.refused = refusalIn(step, one, line)
    one.routed = step
    const isExpired = one.refused !== null && one.refused.source.includes('Expiry')
    if (!one.retain) return
    if (one.refused === null || isExpired || this.hadRoomAlone(one, step)) this.retain(one, step)
    else if (this.hadNoRoom(one, step)) this.over(one.topic, step, deleted)
  }

  private retain(one: Publication, step: Step): void {
    const { topic } = one
    const isKept = one.bytes > 0 &&
      !notesOf(step, one.by, one.clientId).some((note) =>
        note._tag === 'Dropped' && note.clientId === null && note.topic === topic &&
        notRetained.has(note.why)
      )
    this.over(topic, step, isKept ? 'when another one took its place' : deleted)
    if (!isKept) return
    const { retainedExpiryMs } = step.next
    const expiresAt = one.expiryS !== null
      ? (one.by === 'will' ? step.at : one.at) + one.expiryS * 1000
      : retainedExpiryMs > 0
      ? step.at + retainedExpiryMs
      : Infinity
    one.retained = { from: step, until: null, why: '' }
    this.retained.set(topic, { publication: one, expiresAt })
  }

  /**
   * What there was no room to retain has deleted what was, though its publisher is to try again:
   * below MQTT 5 nothing is refused before.
   */
  private hadNoRoom({ topic, by, clientId, qos }: Publication, step: Step): boolean {
    const line = clientId === null ? null : step.before.get(clientId)?.line ?? null
    return qos === 1 && line !== null && line.level < 5 &&
      notesOf(step, by, clientId).some((note) =>
        note._tag === 'Dropped' && note.clientId === null && note.topic === topic &&
        (note.why === 'memory short' || note.why === 'retained store full')
      )
  }

  /** What all who subscribed had no room for was retained before that was known. */
  private hadRoomAlone(one: Publication, step: Step): boolean {
    const { topic, by, clientId, qos } = one
    const line = clientId === null ? null : step.before.get(clientId)?.line ?? null
    return qos === 1 && line !== null && line.level < 5 && !this.hadNoRoom(one, step) &&
      notesOf(step, by, clientId).some((note) =>
        note._tag === 'Dropped' && note.clientId !== null && note.topic === topic &&
        note.why === 'memory short'
      )
  }

  private over(topic: string, step: Step, why: string): void {
    const retained = this.retained.get(topic)?.publication.retained ?? null
    this.retained.delete(topic)
    if (retained === null) return
    retained.until = step
    retained.why = why
  }

  private expire(step: Step): void {
    for (const [topic, { expiresAt }] of [...this.retained]) {
      if (expiresAt <= step.at) this.over(topic, step, 'when its time was over')
    }
  }
}
