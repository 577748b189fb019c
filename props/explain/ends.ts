// Whether an answer about the ends of a client's connections is true: which there were, who did it
// and for what, and whether what is said of the will and the session came about later in the day.

import * as assert from 'uvu/assert'
import { since } from './day.ts'
import type { Day, Line, NoteOf, Step } from './day.ts'
import { isOfWill } from './publications.ts'
import type { Tally } from './tally.ts'
import { escaped, hex } from './words.ts'

type Ended = NoteOf<'ConnectionEnded'>

const shownMax = 5

const peerOf = ({ peer }: { readonly peer: Ended['peer'] }): string =>
  `${peer.address}:${peer.port}`

const kept = new RegExp(
  'was disconnected at (\\S+) .* ' +
    'Its session was kept for (?:ever|(\\d+) s)(?:, with (\\d+) messages?)?',
  's',
)

/** One end, with what it must read like. */
interface End {
  readonly step: Step
  /** A pattern for its sentences, without what came later. */
  readonly words: string
  later: string
}

export class Ends {
  private readonly day: Day
  private readonly tally: Tally

  constructor(day: Day, tally: Tally) {
    this.day = day
    this.tally = tally
  }

  /** Everybody who lost a connection, by the names that the log or their CONNECT has. */
  get names(): ReadonlyArray<string> {
    const found = this.day.steps.flatMap((step) =>
      step.notes.flatMap((note) => note._tag === 'ConnectionEnded' ? [this.nameOf(note, step)] : [])
    )
    return [...new Set(found)].filter((one) => one !== null)
  }

  check(clientId: string, answers: ReadonlyArray<string>): void {
    const expected = this.expected(clientId)
    assert.is(answers.length, expected.length, answers.join('\n'))
    expected.forEach((pattern, i) => {
      const answer = answers[i]!
      assert.ok(new RegExp(`^${pattern}$`, 's').test(answer), `${pattern}\nis not\n${answer}`)
    })
    for (const answer of answers) this.checkSession(clientId, answer)
  }

  private since(at: number): string {
    return since(this.day, at)
  }

  /** Who was refused in silence has still said a name. */
  private nameOf({ clientId, conn }: Ended, { input }: Step): string | null {
    if (clientId !== null) return clientId
    const isOwn = input._tag === 'Arrived' && input.conn.generation === conn.generation &&
      input.packet._tag === 'Connect' && input.packet.clientId !== ''
    return isOwn && input.packet._tag === 'Connect' ? input.packet.clientId : null
  }

  private expected(clientId: string): ReadonlyArray<string> {
    const ends: Array<End> = []
    let due: End | null = null
    for (const step of this.day.steps) {
      for (const note of step.notes) {
        if (note._tag === 'ConnectionEnded' && this.nameOf(note, step) === clientId) {
          const end: End = { step, words: this.wordsOf(note, step, clientId), later: '' }
          ends.push(end)
          if (end.words.includes('was put off until')) due = end
        } else if (isOfWill(note) && note.clientId === clientId) {
          if (due === null || due.step === step) continue
          due.later = ` The will was ${this.fateIn(step, clientId)}${
            this.earlyIn(step, clientId)
          }\\.`
          this.tally.add('will: came later')
          due = null
        } else if (note._tag === 'ClientConnected' && note.clientId === clientId) {
          const end: End | undefined = due ?? ends.at(-1)
          const isDue = due !== null
          due = null
          if (end === undefined || end.later !== '' || end.step === step) continue
          const before = isDue ? ', before its will was due' : ''
          end.later = ` The client came back at ${escaped(this.since(step.at))}${before}\\.`
          this.tally.add(isDue ? 'came back before its will' : 'came back')
        }
      }
    }
    const shown = ends.slice(-shownMax).map(({ words, later }) => words + later)
    const more = ends.length - shown.length
    const head = more === 0
      ? []
      : [`${more} earlier ends? of its connections left out; replay --client has all\\.`]
    const session = this.day.last.get(clientId)
    if (session === undefined || session.line === null) return [...head, ...shown]
    this.tally.add('is connected still')
    return [
      ...head,
      ...shown,
      escaped(
        `'${clientId}' is connected since ${this.since(session.line.connectedAt!)}, and was so ` +
          `still when the recording ended at ${this.since(this.day.endedAt)}.`,
      ),
    ]
  }

  private wordsOf(note: Ended, step: Step, clientId: string): string {
    const line = step.lines.get(note.conn.generation)!
    const who = escaped(`'${clientId}' (${peerOf(note)})`)
    const when = escaped(this.since(step.at))
    const cause = this.causeOf(note, step, line)
    this.tally.add(`ended: ${note.ending}`)
    if (!note.wasAccepted) return `${who} was not let in at ${when} ${cause}\\.`
    const opened = escaped(this.since(line.connectedAt!))
    const will = this.willOf(note, step, line, clientId)
    return `${who}, connected since ${opened}, was disconnected at ${when} ${cause}\\. ` +
      `${will}${this.sessionOf(step, clientId)}`
  }

  // ---- who did it, and for what

  private causeOf(note: Ended, step: Step, line: Line): string {
    const { input, config } = step
    const fault = note.fault === null
      ? ''
      : escaped(`: ${note.fault.detail} [${note.fault.clause}]`)
    switch (note.ending) {
      case 'disconnected': {
        const said = input._tag === 'Arrived' && input.packet._tag === 'Disconnect'
          ? input.packet.reason
          : -1
        return `by the client itself, with DISCONNECT ${hex(said)}` +
          (said === 4 ? ', which asks for its will' : '')
      }
      case 'connection closed by client':
        assert.ok(input._tag === 'Closed' && input.why === 'closed')
        return 'by the other side: the socket was closed without DISCONNECT'
      case 'connection failed':
        assert.ok(input._tag === 'Closed' && input.why === 'failed')
        return 'by the network: the socket failed, without DISCONNECT'
      case 'exceeded timeout': {
        if (note.fault !== null) return `by the broker${fault}`
        if (!note.wasAccepted) {
          const seconds = config.connectTimeoutMs / 1000
          return `by the broker, because it had not come as far as an accepted CONNECT within ` +
            `${escaped(String(seconds))} s`
        }
        const what = line.continuedAt === null
          ? 'nothing whole was heard from it'
          : 'no more of its large packet came'
        // A Keep Alive counts from when the client was let in.
        const heardAt = Math.max(line.heardAt, line.connectedAt!)
        const whose = line.keepAliveS === config.keepAliveMaxS ? ', which is max_keepalive' : ''
        return escaped(
          `by the broker, because ${what} since ${this.since(heardAt)}, ` +
            `${(step.at - heardAt) / 1000} s before, with a Keep Alive of ` +
            `${line.keepAliveS} s${whose} (half as long again is allowed)`,
        )
      }
      case 'session taken over': {
        const next = step.notes.find((one) =>
          one._tag === 'ClientConnected' && one.clientId === note.clientId
        )
        const from = next?._tag === 'ClientConnected' ? peerOf(next) : 'nowhere'
        return `by another client with its identifier, which connected from ${escaped(from)}`
      }
      case 'protocol error':
        return `by the broker, for a protocol error${fault}`
      case 'stalled': {
        const unwritten = line.clientId === null
          ? 0
          : step.before.get(line.clientId)?.unwritten ?? 0
        return `by the broker, because its socket has taken nothing of ${unwritten} bytes since ` +
          `\\S+ \\(at most ${config.stalledMs / 1000} s\\): the client did not read`
      }
      case 'global_max_connections exceeded':
        return 'by the broker, which had as many connections as it may have ' +
          `\\(${config.connectionsMax}\\)`
      case 'max_connections exceeded':
        return 'by the broker, which had as many connections as may come by listener .*'
      case 'max_connections_per_address exceeded':
        return 'by the broker, which had as many connections from \\S+ as may come from one ' +
          `address \\(${config.connectionsPerAddressMax}\\)`
      case 'global_max_clients exceeded':
        return 'by the broker, which had as many sessions as it may have ' +
          `\\(global_max_clients ${config.sessionsMax}\\)${fault}`
      case 'too many without CONNECT':
        return `by the broker, to make room: no more than ${config.unauthenticatedMax} ` +
          'connections? may be without an accepted CONNECT, and it had hesitated longest'
      case 'connecting too often':
        return 'by the broker, because too many connections came from its address in a short time'
      case 'not authorised':
        return `by the broker, because (it may not be there${fault}|` +
          'user name and password were not accepted|' +
          'too many passwords were waiting to be checked .*|' +
          'what checks user names and passwords was not available .*|' +
          'since a reload nobody may be there without a user name \\(allow_anonymous false\\)|' +
          'the user ".*" was given another password, or none any more)'
      case 'refused':
        return `by the broker, which refused its CONNECT${fault}`
      case 'memory short':
        return 'by the broker, which was short of memory( and could not take .*)?'
      case 'store full':
        return 'by the broker, whose store was full.*'
      case 'kicked':
        assert.ok(input._tag === 'Commanded' && input.command._tag === 'Kick')
        return 'by the operator, who ended this connection'
      case 'listener closed':
        return `by a reload, after which there is no listener "${line.listener}" any more`
      case 'redirected':
        return `by the broker, which sends its clients to another server.* \\(${
          hex(note.reason)
        }\\)(; below MQTT 5 it cannot be told so)?`
      case 'server shutting down':
        assert.ok(input._tag === 'Commanded' && input.command._tag === 'Stop')
        return 'by the broker, which was stopped'
    }
  }

  // ---- the will

  private fateIn({ at, notes }: Step, clientId: string): string {
    const isDenied = notes.some((note) =>
      note._tag === 'Denied' && note.what === 'will' && note.clientId === clientId
    )
    const when = escaped(this.since(at))
    return isDenied ? `denied at ${when} by .+?` : `published at ${when}`
  }

  /** What made it come before its time. */
  private earlyIn({ notes }: Step, clientId: string): string {
    const ended = notes.find((note) => note._tag === 'SessionEnded' && note.clientId === clientId)
    return ended?._tag === 'SessionEnded' ? `, when its session ended \\(${ended.why}\\)` : ''
  }

  private willOf(note: Ended, step: Step, line: Line, clientId: string): string {
    const will = line.connect?.will ?? null
    if (will === null) return 'It had no will\\.'
    const start = `Its will on ${escaped(`'${line.willMountPoint}${will.topic}'`)} was `
    const { notes, after } = step
    if (notes.some((one) => isOfWill(one) && one.clientId === clientId)) {
      const isDenied = notes.some((one) =>
        one._tag === 'Denied' && one.what === 'will' && one.clientId === clientId
      )
      this.tally.add(isDenied ? 'will: denied' : 'will: published')
      return `${start}${isDenied ? 'denied by .+?' : 'published'}\\.`
    }
    const delayS = will.properties.willDelayInterval ?? 0
    const isOrderly = note.ending === 'disconnected' && note.reason !== 4
    const isKept = !isOrderly && delayS > 0 && after.get(clientId)?.line === null
    this.tally.add(isKept ? 'will: put off' : 'will: not published')
    return isKept
      ? `${start}put off until ${escaped(this.since(step.at + delayS * 1000))}\\.`
      : `${start}not published\\.`
  }

  // ---- the session

  private sessionOf({ notes, after }: Step, clientId: string): string {
    for (const note of notes) {
      if (note._tag !== 'SessionEnded' || note.clientId !== clientId) continue
      const messages = note.messages === 1 ? '1 message' : `${note.messages} messages`
      this.tally.add(`session ended: ${note.why}`)
      return ` Its session ended as well \\(${note.why}\\)` +
        `${note.messages === 0 ? '' : `, and ${messages} in it`}\\.`
    }
    const session = after.get(clientId)
    const content = '(, with \\d+ messages? for it)?\\.'
    if (session?.line !== null) {
      this.tally.add('session went on')
      return ` Its session went on with the new connection${content}`
    }
    this.tally.add('session kept')
    return ` Its session was kept for (ever|\\d+ s)${content}`
  }

  /** A session that is kept for so long is there for so long, and no longer. */
  private checkSession(clientId: string, answer: string): void {
    const found = kept.exec(answer)
    if (found === null) return
    const [, time, seconds, messages] = found
    const start = this.day.steps.find(({ at, notes }) =>
      this.since(at) === time &&
      notes.some((note) =>
        note._tag === 'ConnectionEnded' && note.clientId === clientId && note.wasAccepted
      )
    )
    assert.ok(start !== undefined, answer)
    const { flying, received } = start.after.get(clientId)!
    // What is of a group may have gone to others of it.
    const isAlone = this.day.changes.every((change) =>
      change.clientId !== clientId || !change.filter.startsWith('$share/')
    )
    const least = isAlone ? flying - received : 0
    assert.ok(Number(messages ?? 0) >= least, `${least} are in flight: ${answer}`)
    const until = seconds === undefined ? Infinity : start.at + Number(seconds) * 1000
    const next = this.day.steps.slice(start.index + 1).find(({ notes, before }) =>
      before.has(clientId) &&
      notes.some((note) =>
        (note._tag === 'SessionEnded' || note._tag === 'ClientConnected') &&
        note.clientId === clientId
      )
    )
    const isExpired =
      next?.notes.some((note) =>
        note._tag === 'SessionEnded' && note.clientId === clientId && note.why === 'expired'
      ) === true
    if (isExpired) this.tally.add('session expired as said')
    if (isExpired) assert.ok(next!.at >= until, `it expired before ${until}: ${answer}`)
    else {
      const late = this.day.steps.find(({ index, at, input }) =>
        index > start.index && index < (next?.index ?? Infinity) && at >= until &&
        input._tag === 'Ticked'
      )
      assert.ok(late === undefined, `it was there still at ${late?.at}: ${answer}`)
    }
  }
}
