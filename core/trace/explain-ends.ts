// Why the connections of one client ended: who did it, when and for what, what became of the will,
// and what of the session.

import type { Note } from '../broker/note.ts'
import { EXPIRY_NEVER_S, NEVER } from '../broker/state.ts'
import type { Link, Session, State } from '../broker/state.ts'
import { unwrittenBytes } from '../broker/tell.ts'
import type { Conn, Millis, Peer } from '../broker/input.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import { sessionFor } from './explain-facts.ts'
import type { Moment } from './explain-facts.ts'
import { whyDenied } from './explain-rights.ts'
import { dated, since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { counted, name } from './explain-why.ts'
import { hex, quote } from './words.ts'

type Ended = Extract<Note, { readonly _tag: 'ConnectionEnded' }>

const peerText = ({ address, port }: Peer): string => `${quote(address, '"').slice(1, -1)}:${port}`

const linkOf = (state: State, conn: Conn): Link | undefined => {
  const link = IntMap.get(state.links, conn.slot)
  return link?.conn.generation === conn.generation ? link : undefined
}

const faultText = ({ fault }: Ended): string =>
  fault === null ? '' : `: ${fault.detail} [${fault.clause}]`

const timeoutText = (link: Link | undefined, { before, after }: Moment, clock: Clock): string => {
  if (link === undefined || link.phase.phase !== 'Ready') {
    const seconds = before.config.connectTimeoutMs / 1000
    return `because it had not come as far as an accepted CONNECT within ${seconds} s`
  }
  const { keepAliveMs } = link.phase
  return `because nothing whole was heard from it since ${since(link.seenAt, clock)}, ` +
    `${(after.now - link.seenAt) / 1000} s before, with a Keep Alive of ${keepAliveMs / 1000} s ` +
    '(half as long again is allowed)'
}

/** Who ended it, and for what. */
const causeText = (ended: Ended, moment: Moment, clock: Clock): string => {
  const { input, before, after } = moment
  const link = linkOf(before, ended.conn)
  const session = link?.phase.phase === 'Ready'
    ? IntMap.get(before.sessions, link.phase.session)
    : undefined
  switch (ended.ending) {
    case 'disconnected':
      return `by the client itself, with DISCONNECT ${hex(ended.reason)}` +
        (ended.reason === 4 ? ', which asks for its will' : '')
    case 'connection closed by client':
      return 'by the other side: the socket was closed without DISCONNECT'
    case 'connection failed':
      return 'by the network: the socket failed, without DISCONNECT'
    case 'exceeded timeout':
      return ended.fault === null
        ? `by the broker, ${timeoutText(link, moment, clock)}`
        : `by the broker${faultText(ended)}`
    case 'session taken over': {
      const rival = 'conn' in input ? linkOf(after, input.conn) ?? linkOf(before, input.conn) : null
      const whom = rival === null || rival === undefined ? '' : ` from ${peerText(rival.peer)}`
      return `by another client with its identifier, which connected${whom}`
    }
    case 'protocol error':
      return `by the broker, for a protocol error${faultText(ended)}`
    case 'stalled': {
      const seconds = before.config.stalledMs / 1000
      const bytes = session === undefined ? '' : ` of ${counted(unwrittenBytes(session), 'byte')}`
      return `by the broker, because its socket took nothing${bytes} within ${seconds} s`
    }
    case 'too many connections':
      return `by the broker, which had as many connections or sessions as it may have` +
        faultText(ended)
    case 'connecting too often':
      return 'by the broker, because too many connections came from its address in a short time'
    case 'not authorised':
      if (input._tag === 'Judged') {
        return 'by the broker, because user name and password were not accepted'
      }
      return before.recheck !== null && ended.wasAccepted
        ? 'by the broker, because after a reload it may not be there by what it came in with'
        : `by the broker, because it may not be there${faultText(ended)}`
    case 'refused':
      return `by the broker, which refused its CONNECT${faultText(ended)}`
    case 'memory short':
      return 'by the broker, which was short of memory'
    case 'store full':
      return 'by the broker, whose store was full'
    case 'kicked':
      return 'by the operator, who ended this connection'
    case 'listener closed':
      return `by a reload, after which there is no listener ` +
        `${quote(link?.listener ?? '', '"')} any more`
    case 'redirected':
      return 'by the broker, which sends its clients to another server' +
        (after.config.serverReference === null
          ? ''
          : `, ${quote(after.config.serverReference, '"')}`)
    case 'server shutting down':
      return 'by the broker, which was stopped'
  }
}

const willText = (clientId: string, { before, after, effects }: Moment, clock: Clock): string => {
  const will = sessionFor(before, clientId)?.will
  if (will === undefined || will === null) return 'It had no will.'
  const topic = name(will.message.topic)
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'WillPublished') continue
    if (effect.note.clientId !== clientId) continue
    const isDenied = effects.some((one) =>
      one._tag === 'Note' && one.note._tag === 'Denied' && one.note.what === 'will' &&
      one.note.clientId === clientId
    )
    if (!isDenied) return `Its will on ${topic} was published.`
    const source = sessionFor(before, clientId)?.source ?? null
    const rule = source === null
      ? null
      : whyDenied(before.config, source, 'write', will.message.topic)
    return `Its will on ${topic} was denied by ${rule ?? 'the access list'}.`
  }
  const left = sessionFor(after, clientId)
  return left !== undefined && left.willAt !== NEVER
    ? `Its will on ${topic} was put off until ${since(left.willAt, clock)}.`
    : `Its will on ${topic} was not published.`
}

const messagesIn = (session: Session): number =>
  Queue.size(session.queue) + Window.size(session.window)

const sessionText = (clientId: string, { before, after, effects }: Moment): string => {
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'SessionEnded') continue
    const { note } = effect
    if (note.clientId !== clientId) continue
    const messages = note.messages === 0 ? '' : `, and ${counted(note.messages, 'message')} in it`
    return `Its session ended as well (${note.why})${messages}.`
  }
  const session = sessionFor(after, clientId)
  if (session === undefined || sessionFor(before, clientId) === undefined) return ''
  const messages = messagesIn(session) === 0
    ? ''
    : `, with ${counted(messagesIn(session), 'message')} for it`
  if (session.conn !== null) return `Its session went on with the new connection${messages}.`
  return session.expiryS === EXPIRY_NEVER_S
    ? `Its session was kept for ever${messages}.`
    : `Its session was kept for ${session.expiryS} s${messages}.`
}

/** What is remembered of an end: as text, since the states around it are much. */
interface Told {
  readonly text: string
  /** Whether its will was put off. */
  readonly isWillDue: boolean
  readonly at: Millis
  later: string
}

const shownMax = 5

/** Follows the connections of one client. */
export class EndTracker {
  private readonly clientId: string
  private readonly told: Array<Told> = []
  private count = 0
  private openedAt = new Map<number, Millis>()

  constructor(clientId: string) {
    this.clientId = clientId
  }

  step(moment: Moment, clock: Clock): void {
    const { clientId } = this
    for (const effect of moment.effects) {
      if (effect._tag !== 'Note') continue
      const { note } = effect
      if (note._tag === 'ClientConnected' && note.clientId === clientId) {
        this.openedAt.set(note.conn.generation, moment.after.now)
        this.settle(`The client came back at ${since(moment.after.now, clock)}`, moment)
      } else if (note._tag === 'WillPublished' && note.clientId === clientId) {
        this.willOut(moment, clock)
      } else if (note._tag === 'ConnectionEnded' && note.clientId === clientId) {
        this.ended(note, moment, clock)
      }
    }
  }

  private ended(note: Ended, moment: Moment, clock: Clock): void {
    this.count += 1
    const opened = this.openedAt.get(note.conn.generation)
    this.openedAt.delete(note.conn.generation)
    const cause = causeText(note, moment, clock)
    const when = dated(moment.after.now, clock)
    const text = note.wasAccepted
      ? `${name(this.clientId)} (${peerText(note.peer)}), connected since ` +
        `${opened === undefined ? 'before the recording began' : since(opened, clock)}, ` +
        `was disconnected at ${when} ${cause}. ` +
        `${willText(this.clientId, moment, clock)} ${sessionText(this.clientId, moment)}`
      : `${name(this.clientId)} (${peerText(note.peer)}) was not let in at ${when} ${cause}.`
    const isWillDue = note.wasAccepted &&
      (sessionFor(moment.after, this.clientId)?.willAt ?? NEVER) !== NEVER
    this.told.push({ text: text.trimEnd(), isWillDue, at: moment.after.now, later: '' })
    if (this.told.length > shownMax) this.told.shift()
  }

  private willOut({ before, after }: Moment, clock: Clock): void {
    const last = this.told.at(-1)
    if (last === undefined || !last.isWillDue || last.later !== '') return
    // The one that was put off, and not one of a connection that ends now.
    if ((sessionFor(before, this.clientId)?.willAt ?? NEVER) === NEVER) return
    last.later = `It was published at ${since(after.now, clock)}.`
  }

  private settle(words: string, { before, after }: Moment): void {
    const last = this.told.at(-1)
    if (last === undefined || last.later !== '' || last.at === after.now) return
    const isDue = last.isWillDue && (sessionFor(before, this.clientId)?.willAt ?? NEVER) !== NEVER
    last.later = isDue ? `${words}, before its will was due.` : `${words}.`
  }

  /** The answer, with the broker as it was when the recording ended. */
  answer(last: State, clock: Clock): ReadonlyArray<string> {
    const session = sessionFor(last, this.clientId)
    const lines = this.told.map(({ text, later }) => later === '' ? text : `${text} ${later}`)
    const earlier = this.count - this.told.length
    const head = earlier === 0
      ? []
      : [`${counted(earlier, 'earlier end')} of its connections left out; replay --client has all.`]
    if (session === undefined || session.conn === null) return [...head, ...lines]
    const opened = this.openedAt.get(session.conn.generation)
    return [
      ...head,
      ...lines,
      `${name(this.clientId)} is connected since ${
        opened === undefined ? 'before the recording began' : since(opened, clock)
      }, and was so still when the recording ended at ${since(last.now, clock)}.`,
    ]
  }
}
