// The log in mosquitto's words: which notes become lines, how they read, and which are held back.
// Every string that a client chose is made harmless before it is printed. Lines are gathered and
// written once per turn; unless verbose, nothing here is called per packet.

import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input, Peer } from '../../core/broker/input.ts'
import type { DropReason, Note } from '../../core/broker/note.ts'
import type { Packet, Publish } from '../../core/codec/packet.ts'

/** quiet: nothing but errors; verbose: mosquitto's -v, each packet a line. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

const charactersMax = 64
const dropLinesPerSecond = 10
const gatheredCharactersMax = 1024 * 1024
const never = Number.MAX_SAFE_INTEGER

// What is no news unless somebody asks for everything: in these cases nobody lost what he was
// promised.
const quietDrops: ReadonlySet<DropReason> = new Set<DropReason>([
  'no subscriber',
  'offline',
  'expired',
  'session ended',
])

/**
 * Makes text that a peer chose fit for a line of the log: at most 64 characters; controls, marks
 * that change the direction of writing and line separators as `\xNN` or `\uNNNN`.
 */
export const harmless = (text: string): string => {
  let cut = text
  if (text.length > charactersMax) {
    // Half a surrogate pair would be no character at all.
    const last = text.charCodeAt(charactersMax - 1)
    const end = last >= 0xd800 && last < 0xdc00 ? charactersMax - 1 : charactersMax
    cut = text.slice(0, end) + '...'
  }
  let written = ''
  let from = 0
  for (let i = 0; i < cut.length; i++) {
    const code = cut.charCodeAt(i)
    if (!isHarmful(code)) continue
    const hex = code.toString(16)
    written += cut.slice(from, i) +
      (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`)
    from = i + 1
  }
  return from === 0 ? cut : written + cut.slice(from)
}

const isHarmful = (code: number): boolean =>
  code < 0x20 ||
  (code >= 0x7f && code <= 0x9f) ||
  code === 0x061c ||
  code === 0x200e ||
  code === 0x200f ||
  (code >= 0x2028 && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069) ||
  code === 0xfeff

/** One log per driver. `print` gets whole lines, `wall` answers Unix milliseconds. */
export class Log {
  readonly verbosity: Verbosity
  /** Each input and effect wants to be told, one at a time and in order. */
  readonly verbose: boolean
  private readonly print: (text: string) => void
  private readonly wall: () => number
  private gathered = ''
  /** Client identifiers by slot; kept only when verbose. */
  private readonly names: Array<string | undefined> = []
  /** What topic aliases stand for, by slot: kept only when verbose. */
  private readonly topics: Array<Map<number, string> | undefined> = []
  /** Lines about dropped messages per client since `windowAt`. */
  private readonly drops = new Map<string, number>()
  private windowAt = 0
  private withheld = false

  constructor(verbosity: Verbosity, print: (text: string) => void, wall: () => number) {
    this.verbosity = verbosity
    this.verbose = verbosity === 'verbose'
    this.print = print
    this.wall = wall
  }

  /** A line of the shell's own. */
  line(text: string): void {
    if (this.verbosity !== 'quiet') this.gather(text)
  }

  /** A line for the operator, at once. */
  warn(text: string): void {
    if (this.verbosity === 'quiet') return
    this.gather(`Warning: ${text}`)
    this.write()
  }

  /** A line that even a quiet broker prints, at once. */
  error(text: string): void {
    this.gather(`Error: ${text}`)
    this.write()
  }

  /**
   * Writes what was gathered; the driver calls it at the end of each turn with the time in
   * monotonic milliseconds.
   */
  flush(at: number): void {
    if (at - this.windowAt >= 1000) {
      if (this.withheld) this.tellWithheld()
      if (this.drops.size > 0) this.drops.clear()
      this.withheld = false
      this.windowAt = at
    }
    if (this.gathered !== '') this.write()
  }

  /** When `flush` must be called although nothing happens. */
  due(): number {
    return this.withheld ? this.windowAt + 1000 : never
  }

  note(note: Note): void {
    if (this.verbosity === 'quiet') return
    switch (note._tag) {
      case 'ConnectionOpened':
        return this.gather(
          `New connection from ${addressOf(note.peer)} on port ${portOf(note.listener)}.`,
        )
      case 'ClientConnected': {
        const id = harmless(note.clientId)
        if (this.verbose) this.names[note.conn.slot] = id
        const user = note.userName === null ? '' : `, u'${harmless(note.userName)}'`
        const clean = note.cleanStart ? 1 : 0
        return this.gather(
          `New client connected from ${addressOf(note.peer)} as ${id} ` +
            `(p${note.level}, c${clean}, k${note.keepAliveS}${user}).`,
        )
      }
      case 'ConnectionEnded': {
        const id = note.clientId === null ? '<unknown>' : harmless(note.clientId)
        if (this.verbose) this.names[note.conn.slot] = undefined
        const rule = note.fault === null ? '' : ` (${note.fault.detail}, ${note.fault.clause})`
        const ending = note.ending === 'disconnected' ? '' : `: ${note.ending}${rule}`
        return this.gather(`Client ${id} [${addressOf(note.peer)}] disconnected${ending}.`)
      }
      case 'Dropped':
        return this.dropped(note.clientId, note.topic, note.qos, note.why)
      case 'SessionEnded':
        if (!this.verbose && note.messages === 0) return
        return this.gather(
          `Session of ${harmless(note.clientId)} ended: ${note.why}` +
            (note.messages === 0 ? '.' : `, ${note.messages} messages with it.`),
        )
      case 'MemoryShort':
        return this.warn(
          'Memory is short: what would have to be kept is turned away until there is more.',
        )
      case 'MemoryFree':
        return this.line('There is enough memory again.')
      case 'StoreFull':
        return this.warn(
          'The store is full: what would have to be stored is turned away until there is room.',
        )
      case 'StoreFree':
        return this.line('There is room in the store again.')
      default:
        if (this.verbose) this.noteVerbose(note)
    }
  }

  private noteVerbose(note: Note): void {
    switch (note._tag) {
      case 'Subscribed':
        return this.gather(`${harmless(note.clientId)} ${note.qos} ${harmless(note.filter)}`)
      case 'Unsubscribed':
        return this.gather(`${harmless(note.clientId)} ${harmless(note.filter)}`)
      case 'WillPublished':
        return this.gather(
          `Published will of ${harmless(note.clientId)} ('${harmless(note.topic)}')`,
        )
      case 'Stale':
        return this.gather(
          `Ignored ${note.input} of a connection that is gone (${note.conn.slot})`,
        )
    }
  }

  /** What came in, in the words of mosquitto's debug lines; called only when verbose. */
  input(input: Input): void {
    switch (input._tag) {
      case 'Opened':
        this.names[input.conn.slot] = undefined
        this.topics[input.conn.slot] = undefined
        return
      case 'Arrived':
        return this.received(input.conn, input.packet)
    }
  }

  /** What goes out; called only when verbose. */
  effect(effect: Effect): void {
    switch (effect._tag) {
      case 'Send':
        return this.sending(effect.conn, effect.packet)
      case 'Multicast':
        for (let i = 0; i < effect.conns.length; i++) {
          this.sending(effect.conns[i]!, effect.packet)
        }
    }
  }

  private received(conn: Conn, packet: Packet): void {
    if (packet._tag === 'Connect') {
      this.names[conn.slot] = packet.clientId === '' ? undefined : harmless(packet.clientId)
      const { will } = packet
      if (will === null) return this.gather('No will message specified.')
      const bytes = will.payload.end - will.payload.start
      this.gather(
        `Will message specified (${bytes} bytes) (r${bit(will.retain)}, q${will.qos}).`,
      )
      return this.gather(`\t${harmless(will.topic)}`)
    }
    const kind = packet._tag.toUpperCase()
    const head = `Received ${kind} from ${this.nameOf(conn)}`
    switch (packet._tag) {
      case 'Publish':
        return this.gather(`${head} ${publishOf(packet, packet.topic)}`)
      case 'Puback':
      case 'Pubcomp':
        return this.gather(`${head} (Mid: ${packet.packetId}, RC:${packet.reason})`)
      case 'Pubrec':
      case 'Pubrel':
        return this.gather(`${head} (Mid: ${packet.packetId})`)
      case 'Subscribe':
        this.gather(head)
        for (let i = 0; i < packet.requests.length; i++) {
          const { filter, qos } = packet.requests[i]!
          this.gather(`\t${harmless(filter)} (QoS ${qos})`)
        }
        return
      case 'Unsubscribe':
        this.gather(head)
        for (let i = 0; i < packet.filters.length; i++) {
          this.gather(`\t${harmless(packet.filters[i]!)}`)
        }
        return
      default:
        return this.gather(head)
    }
  }

  private sending(conn: Conn, packet: Packet): void {
    const head = `Sending ${packet._tag.toUpperCase()} to ${this.nameOf(conn)}`
    switch (packet._tag) {
      case 'Connack':
        return this.gather(`${head} (${bit(packet.sessionPresent)}, ${packet.reason})`)
      case 'Publish':
        return this.gather(`${head} ${publishOf(packet, this.topicOf(conn, packet))}`)
      case 'Puback':
      case 'Pubrec':
        return this.gather(`${head} (m${packet.packetId}, rc${packet.reason})`)
      case 'Pubrel':
      case 'Pubcomp':
        return this.gather(`${head} (m${packet.packetId})`)
      case 'Disconnect':
        return this.gather(`${head} (rc${packet.reason})`)
      default:
        return this.gather(head)
    }
  }

  /** The topic of what is sent, also where an alias takes its place. */
  private topicOf(conn: Conn, packet: Publish): string {
    const alias = packet.properties.topicAlias
    if (alias === undefined) return packet.topic
    const known = this.topics[conn.slot] ??= new Map()
    if (packet.topic !== '') known.set(alias, packet.topic)
    return known.get(alias) ?? ''
  }

  private dropped(clientId: string | null, topic: string, qos: number, why: DropReason): void {
    if (!this.verbose && quietDrops.has(why)) return
    const key = clientId ?? ''
    const count = (this.drops.get(key) ?? 0) + 1
    this.drops.set(key, count)
    if (count > dropLinesPerSecond) {
      this.withheld = true
      return
    }
    const whom = clientId === null ? '' : ` for ${harmless(clientId)}`
    this.gather(`Dropped message${whom} (q${qos}, '${harmless(topic)}'): ${why}.`)
  }

  private tellWithheld(): void {
    for (const [clientId, count] of this.drops) {
      if (count <= dropLinesPerSecond) continue
      const whom = clientId === '' ? '' : ` for ${harmless(clientId)}`
      this.gather(`Dropped ${count - dropLinesPerSecond} more messages${whom}.`)
    }
  }

  private nameOf(conn: Conn): string {
    return this.names[conn.slot] ?? '<unknown>'
  }

  private gather(text: string): void {
    this.gathered += `${Math.floor(this.wall() / 1000)}: ${text}\n`
    if (this.gathered.length > gatheredCharactersMax) this.write()
  }

  private write(): void {
    const text = this.gathered
    this.gathered = ''
    this.print(text)
  }
}

const bit = (flag: boolean): number => flag ? 1 : 0

/** The port of a listener, which is 0 for the path of a socket. */
const portOf = (listener: string): string => /^\d+/.exec(listener)?.[0] ?? '0'

const addressOf = (peer: Peer): string => `${peer.address}:${peer.port}`

const publishOf = (packet: Publish, topic: string): string =>
  `(d${bit(packet.dup)}, q${packet.qos}, r${bit(packet.retain)}, m${packet.packetId}, ` +
  `'${harmless(topic)}', ... (${packet.payload.end - packet.payload.start} bytes))`
