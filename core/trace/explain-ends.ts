// Why the connections of one client ended: who did it, when and for what, what became of the will,
// and what of the session.

import { EXPIRY_NEVER_S, NEVER } from '../broker/state.ts'
import type { Session, State } from '../broker/state.ts'
import type { Millis, Peer } from '../broker/input.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import { causeText, nameIn, peerText } from './explain-causes.ts'
import type { Ended } from './explain-causes.ts'
import { isOfWill, sessionFor } from './explain-facts.ts'
import type { Moment } from './explain-facts.ts'
import { whyEnded } from './explain-gone.ts'
import { whyDenied } from './explain-rights.ts'
import { dated, since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { name, plural, shellWord } from './words.ts'

/** What becomes of its will in a step, and where that is denied by what; null: nothing does. */
const willFate = (
  clientId: string,
  { before, effects }: Moment,
): { readonly verb: 'published' | 'denied'; readonly by: string } | null => {
  const notes = effects.flatMap((effect) =>
    effect._tag === 'Note' && isOfWill(effect.note) && effect.note.clientId === clientId
      ? [effect.note]
      : []
  )
  if (notes.length === 0) return null
  if (!notes.some((note) => note._tag === 'Denied')) return { verb: 'published', by: '' }
  const { source = null, will = null } = sessionFor(before, clientId) ?? {}
  const rule = source === null || will === null
    ? null
    : whyDenied(before.config, source, 'write', will.message.topic)
  return { verb: 'denied', by: ` by ${rule ?? 'the access list'}` }
}

const willText = (clientId: string, moment: Moment, clock: Clock): string => {
  const will = sessionFor(moment.before, clientId)?.will
  if (will === undefined || will === null) return 'It had no will.'
  const topic = name(will.message.topic)
  const fate = willFate(clientId, moment)
  if (fate !== null) return `Its will on ${topic} was ${fate.verb}${fate.by}.`
  const left = sessionFor(moment.after, clientId)
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
    const messages = note.messages === 0 ? '' : `, and ${plural(note.messages, 'message')} in it`
    return `Its session ended as well (${note.why})${messages}.`
  }
  const session = sessionFor(after, clientId)
  if (session === undefined || sessionFor(before, clientId) === undefined) return ''
  const messages = messagesIn(session) === 0
    ? ''
    : `, with ${plural(messagesIn(session), 'message')} for it`
  if (session.conn !== null) return `Its session went on with the new connection${messages}.`
  return session.expiryS === EXPIRY_NEVER_S
    ? `Its session was kept for ever${messages}.`
    : `Its session was kept for ${session.expiryS} s${messages}.`
}

/** What is remembered of an end: as text, since the states around it are much. */
interface Told {
  readonly text: string
  later: string
}

const shownMax = 5

/** Follows the connections of one client. */
export class EndTracker {
  private readonly clientId: string
  private readonly what: string
  private readonly told: Array<Told> = []
  /** The end that put a will off which is still due; others may follow that were not let in. */
  private due: Told | null = null
  private count = 0
  /** Whether one came in the step of the moment. */
  private isEnding = false
  /** Of those that ended before a name was said, how many there were, and the last. */
  private unnamed = 0
  private lastUnnamed: { readonly peer: Peer; readonly at: Millis } | null = null
  private openedAt = new Map<number, Millis>()
  /** Where what came last was more of a packet that is not whole, and when. */
  private readonly continuedAt = new Map<number, Millis>()

  /** `what` it is that is played, in a word. */
  constructor(clientId: string, what: string) {
    this.clientId = clientId
    this.what = what
  }

  step(moment: Moment, clock: Clock): void {
    const { clientId } = this
    const { input, after } = moment
    this.isEnding = false
    if (input._tag === 'Continued') this.continuedAt.set(input.conn.generation, after.now)
    else if (input._tag === 'Arrived') this.continuedAt.delete(input.conn.generation)
    for (const effect of moment.effects) {
      if (effect._tag !== 'Note') continue
      const { note } = effect
      if (note._tag === 'ConnectionEnded') {
        if (this.isMeant(note, moment)) this.ended(note, moment, clock)
        else if (nameIn(note, moment) === null) {
          this.unnamed += 1
          this.lastUnnamed = { peer: note.peer, at: after.now }
        }
        this.continuedAt.delete(note.conn.generation)
      } else if (note._tag === 'ClientConnected' && note.clientId === clientId) {
        this.openedAt.set(note.conn.generation, moment.after.now)
        this.cameBack(moment, clock)
      } else if (isOfWill(note) && note.clientId === clientId) {
        this.willOut(moment, clock)
      }
    }
  }

  /** Who has no name in the log is known by its address, too. */
  private isMeant(note: Ended, moment: Moment): boolean {
    const { clientId: asked } = this
    const { clientId, peer } = note
    return nameIn(note, moment) === asked ||
      (clientId === null && (peer.address === asked || peerText(peer) === asked))
  }

  /** Whether there is something to tell, of the client or of the address. */
  get hasAny(): boolean {
    return this.count > 0
  }

  private ended(note: Ended, moment: Moment, clock: Clock): void {
    const { what } = this
    this.count += 1
    const opened = this.openedAt.get(note.conn.generation)
    this.openedAt.delete(note.conn.generation)
    const continuedAt = this.continuedAt.get(note.conn.generation) ?? null
    const cause = causeText(note, continuedAt, moment, clock)
    const when = dated(moment.after.now, clock)
    const named = nameIn(note, moment)
    const whose = named === null
      ? `A connection from ${peerText(note.peer)}, whose client had not said its name,`
      : `${name(named)} (${peerText(note.peer)})`
    const text = note.wasAccepted
      ? `${whose}, connected since ` +
        `${opened === undefined ? `before the ${what} began` : since(opened, clock)}, ` +
        `was disconnected at ${when} ${cause}. ` +
        `${willText(this.clientId, moment, clock)} ${sessionText(this.clientId, moment)}`
      : named === null
      ? `${whose} was ended at ${when} ${cause}.`
      : `${whose} was not let in at ${when} ${cause}.`
    const isWillDue = note.wasAccepted &&
      (sessionFor(moment.after, this.clientId)?.willAt ?? NEVER) !== NEVER
    const told = { text: text.trimEnd(), later: '' }
    this.told.push(told)
    this.isEnding = true
    if (isWillDue) this.due = told
    if (this.told.length > shownMax) this.told.shift()
  }

  private willOut(moment: Moment, clock: Clock): void {
    const { before, after } = moment
    // The one that was put off, and not one of a connection that ends now.
    if ((sessionFor(before, this.clientId)?.willAt ?? NEVER) === NEVER) return
    const fate = willFate(this.clientId, moment)
    if (fate === null || this.due === null) return
    const ended = whyEnded(moment, this.clientId)
    // A session that ends does not wait for it.
    const early = ended === '' ? '' : `, when its session ended (${ended})`
    this.due.later = `The will was ${fate.verb} at ${since(after.now, clock)}${fate.by}${early}.`
    this.due = null
  }

  private cameBack({ after: { now } }: Moment, clock: Clock): void {
    const last = this.due ?? this.told.at(-1)
    const isDue = this.due !== null
    this.due = null
    // Whoever takes a place over was not away.
    if (last === undefined || last.later !== '' || this.isEnding) return
    const words = `The client came back at ${since(now, clock)}`
    last.later = isDue ? `${words}, before its will was due.` : `${words}.`
  }

  /** For who asks for a name that nobody said: it may not have come as far. */
  unnamedText(clock: Clock): ReadonlyArray<string> {
    const { unnamed, lastUnnamed: last } = this
    if (last === null) return []
    const who = unnamed === 1
      ? '1 connection ended before its client had said a name,'
      : `${unnamed} connections ended before their clients had said a name, the last`
    return [
      `${who} from ${peerText(last.peer)} at ${since(last.at, clock)}: ` +
      `--why-disconnected ${shellWord(last.peer.address)} says why.`,
    ]
  }

  /** The answer, with the broker as it was when the recording ended. */
  answer(last: State, clock: Clock): ReadonlyArray<string> {
    const { what } = this
    const session = sessionFor(last, this.clientId)
    const lines = this.told.map(({ text, later }) => later === '' ? text : `${text} ${later}`)
    const earlier = this.count - this.told.length
    const head = earlier === 0
      ? []
      : [`${plural(earlier, 'earlier end')} of its connections left out; replay --client has all.`]
    if (session === undefined || session.conn === null) return [...head, ...lines]
    const opened = this.openedAt.get(session.conn.generation)
    return [
      ...head,
      ...lines,
      `${name(this.clientId)} is connected since ${
        opened === undefined ? `before the ${what} began` : since(opened, clock)
      }, and was so still when the ${what} ended at ${since(last.now, clock)}.`,
    ]
  }
}
