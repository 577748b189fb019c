// What of publications that are followed the broker sends in a step: as which copy, and how.

import type { Conn, Millis } from '../broker/input.ts'
import type { Session, State } from '../broker/state.ts'
import { UNREPORTED_BYTES_MAX, unwrittenBytes } from '../broker/tell.ts'
import { encodedSize } from '../codec/encode.ts'
import type { Publish } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicName } from '../topic/name.ts'
import { emptyFor } from './explain-copies.ts'
import type { Copies } from './explain-copies.ts'
import { effectsOf, isSameConn } from './explain-facts.ts'
import type { Copy, CopyEvent, Moment, Publication } from './explain-facts.ts'
import { whyEnded } from './explain-gone.ts'
import { orderOf } from './explain-places.ts'
import { sessionOf } from './facts.ts'

const isSent = ({ _tag }: CopyEvent): boolean => _tag === 'Sent'

const isAnswer = ({ _tag }: CopyEvent): boolean => _tag === 'Received' || _tag === 'Answered'

/** A socket that takes as long is slow. */
const slowMs = 100

/** What was handed to a socket that may not have taken it. */
interface Handed {
  readonly copy: Copy
  readonly conn: Conn
  readonly at: Millis
  /** Of the bytes that the connection was sent, how many there were up to the end of it. */
  readonly end: number
}

/** Whether what the session is sent is on the topic. */
const isOn = (
  topic: TopicName,
  { mountPoint, aliases }: Session,
  { topic: shown, properties }: Publish,
): boolean => {
  const seen = topic.slice(mountPoint.length)
  if (!topic.startsWith(mountPoint) || seen === '') return false
  return shown === '' ? StrMap.get(aliases, seen) === properties.topicAlias : shown === seen
}

export class Sends {
  private readonly copies: Copies
  private handed: Array<Handed> = []

  constructor(copies: Copies) {
    this.copies = copies
  }

  /** `fresh` are the publications of this step, `gone` the copies that left their sessions. */
  step(moment: Moment, fresh: ReadonlyArray<Publication>, gone: ReadonlyArray<Copy>): void {
    this.settle(moment)
    // What is empty looks the same as all that is.
    const empty = fresh.filter(({ bytes }) => bytes === 0)
      .map((one) => [one, new Set(effectsOf(one, moment))] as const)
    for (const effect of moment.effects) {
      if (effect._tag !== 'Send' && effect._tag !== 'Multicast') continue
      if (effect.packet._tag !== 'Publish') continue
      const own = empty.flatMap(([one, effects]) => effects.has(effect) ? [one] : [])
      for (const conn of effect._tag === 'Send' ? [effect.conn] : effect.conns) {
        this.sent(moment, conn, effect.packet, fresh, own, gone)
      }
    }
    // The connection may have ended in this step as well.
    this.settle(moment)
  }

  private sent(
    moment: Moment,
    conn: Conn,
    packet: Publish,
    fresh: ReadonlyArray<Publication>,
    own: ReadonlyArray<Publication>,
    gone: ReadonlyArray<Copy>,
  ): void {
    const { copies } = this
    const { input, before, after } = moment
    const [only] = fresh
    if (input._tag === 'Commanded' && input.command._tag === 'Publish' && only !== undefined) {
      // The broker's own message has bytes of its own, and there is no other in the step.
      copies.mark(only, packet.payload)
    }
    const isLess = packet.payload.start === packet.payload.end
    const marked = copies.marked(packet.payload)
    if (marked === null && (!isLess || copies.isForgotten(packet.payload))) return
    const session = sessionOf(after, conn) ?? sessionOf(before, conn)
    if (session === undefined) return
    const { packetId, qos, retain, dup } = packet
    const at = after.now
    const { mountPoint } = session
    const event = { _tag: 'Sent', at, packetId, again: dup, qos, retain, mountPoint } as const
    // Its connection may have ended in this step, and the session with it.
    const order = qos === 0
      ? undefined
      : orderOf(IntMap.get(after.sessions, session.number), packetId) ??
        orderOf(IntMap.get(before.sessions, session.number), packetId)
    const isEmptyOf = (one: Publication | undefined): boolean =>
      one !== undefined && one.bytes === 0 && isOn(one.topic, session, packet)
    const waiting = order === undefined
      ? gone.find((copy) =>
        copy.session === session.number && copy.qos === qos && !copy.events.some(isSent) &&
        (marked === null ? isEmptyOf(copies.ownerOf(copy)) : copies.ownerOf(copy) === marked)
      )
      : copies.at(session.number, order)
    if (waiting !== undefined) {
      waiting.events.push(event)
      if (qos === 0) copies.shut(waiting)
      this.hand(waiting, conn, packet, moment, session)
      return
    }
    const shared = gone.filter(({ share }) => share !== null).map((copy) => copies.ownerOf(copy))
    // A client that comes back in the step may have had it wait for that.
    const like = fresh.find(isEmptyOf)
    const waited = like === undefined ? null : emptyFor(session, like.topic, 0, fresh, moment)
    const publication = marked ??
      (order === undefined ? own.find(isEmptyOf) ?? waited ?? shared.find(isEmptyOf) ?? null : null)
    if (publication === null) return
    const copy: Copy = {
      clientId: session.clientId,
      session: session.number,
      order: null,
      qos,
      share: null,
      isRetained: !fresh.includes(publication) && !shared.includes(publication),
      packetId,
      isOpen: false,
      events: [event],
    }
    if (qos > 0) {
      // Sent and not there any more: its session has ended, or left it to its shared group.
      const why = whyEnded(moment, session.clientId)
      copy.events.push(
        why === '' ? { _tag: 'HandedOver', at, to: [] } : { _tag: 'SessionEnded', at, why },
      )
    }
    copies.made(publication, copy)
    this.hand(copy, conn, packet, moment, session)
  }

  /** Remembers what may not have left yet: of a connection with little to write nothing is said. */
  private hand(
    copy: Copy,
    conn: Conn,
    packet: Publish,
    { before, after }: Moment,
    session: Session,
  ): void {
    if (unwrittenBytes(session) <= UNREPORTED_BYTES_MAX) return
    const old = sessionOf(before, conn)
    const start = old === undefined ? 0 : old.sentBytes
    const end = start + encodedSize(session.level, packet)
    this.handed.push({ copy, conn, at: after.now, end })
  }

  /** What became of that. */
  private settle({ before, after }: Moment): void {
    if (this.handed.length === 0 || before.sessions === after.sessions) return
    this.handed = this.handed.filter(({ copy, conn, at, end }) => {
      const session = IntMap.get(after.sessions, copy.session)
      if (session !== undefined && isSameConn(session.conn, conn)) {
        if (session.takenBytes < end) return true
        // Who has answered has it, whatever the socket has said.
        if (after.now - at >= slowMs && !copy.events.some(isAnswer)) {
          copy.events.push({ _tag: 'Taken', at: after.now })
        }
        return false
      }
      const taken = IntMap.get(before.sessions, copy.session)?.takenBytes ?? end
      // As much may have been taken without a word.
      if (taken + UNREPORTED_BYTES_MAX < end) {
        copy.events.push({ _tag: 'Untaken', at: after.now, isOver: true })
      }
      return false
    })
  }

  /** The recording is over: what has still not left. */
  finish(last: State): void {
    for (const { copy, end } of this.handed) {
      const taken = IntMap.get(last.sessions, copy.session)?.takenBytes ?? end
      if (taken + UNREPORTED_BYTES_MAX >= end) continue
      copy.events.push({ _tag: 'Untaken', at: last.now, isOver: false })
    }
    this.handed = []
  }
}
