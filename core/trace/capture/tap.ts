// Conversations with one port out of captured packets: who connected, what either side said, and
// how it ended, in the order in which the packets were captured.

import { joined, onward } from './bits.ts'
import { Clock } from './clock.ts'
import type { Captured } from './file.ts'
import { Half } from './half.ts'
import type { Hole } from './half.ts'
import { ipStart, linkNames } from './link.ts'
import { ACK, FIN, RST, segmentOf, SYN } from './segment.ts'
import type { End, Found, Segment } from './segment.ts'

const nothing = new Uint8Array(0)

/** What happens in a conversation; `id` counts them from 1. Times are Unix milliseconds. */
export type Event =
  | { readonly _tag: 'Opened'; readonly id: number; readonly atMs: number; readonly peer: End }
  /** Bytes of the client, lent. */
  | {
    readonly _tag: 'Said'
    readonly id: number
    readonly atMs: number
    readonly bytes: Uint8Array
  }
  /** Bytes of the captured broker, lent. */
  | {
    readonly _tag: 'Heard'
    readonly id: number
    readonly atMs: number
    readonly bytes: Uint8Array
  }
  /** The client has ended its side, or the connection was reset. */
  | {
    readonly _tag: 'Ended'
    readonly id: number
    readonly atMs: number
    readonly why: 'closed' | 'failed'
  }
  /** The captured broker has ended its side. */
  | { readonly _tag: 'Left'; readonly id: number; readonly atMs: number }

/** Why a conversation cannot be followed to its end, or at all. */
export type Trouble =
  | 'encrypted'
  | 'web socket'
  | 'proxied'
  | 'no connect'
  | { readonly of: 'client' | 'broker'; readonly hole: Hole }

export interface Conversation {
  readonly id: number
  readonly client: End
  readonly broker: End
  readonly troubles: ReadonlyArray<Trouble>
  /** Whether it was captured with other addresses as well. */
  readonly isTwice: boolean
}

type Phase =
  /** The client has not said enough to tell what it is. */
  | 'new'
  | 'mqtt'
  /** It is nothing for us. */
  | 'other'

class Talk implements Conversation {
  readonly id: number
  readonly client: End
  readonly broker: End
  readonly said = new Half()
  readonly heard = new Half()
  readonly troubles: Array<Trouble> = []
  /** The sequence number of the SYN; null where the capture does not have it. */
  readonly synAt: number | null
  phase: Phase = 'new'
  isReset = false
  /** Its events are told up to the end of the client. */
  isOver = false
  /** That the broker has ended its side is told. */
  hasLeft = false
  /** Seen on both sides of a machine that translates addresses. */
  isTwice = false
  /** The first bytes, while they do not say what it is. */
  head: Uint8Array = nothing
  /** What the broker said meanwhile: an answer may be captured before its question. */
  early: Uint8Array = nothing

  constructor(id: number, client: End, broker: End, synAt: number | null) {
    this.id = id
    this.client = client
    this.broker = broker
    this.synAt = synAt
    if (synAt !== null) this.said.begin(onward(synAt, 1))
  }
}

// Nobody answers with more before he is asked.
const earlyBytesMax = 65_536

const startsWith = (bytes: Uint8Array, at: number, text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

/** Whether a packet CONNECT begins there. */
export const isConnect = (bytes: Uint8Array, start = 0): boolean => {
  if (bytes[start] !== 0x10) return false
  let at = start + 1
  for (let i = 0; i < 4 && bytes[at]! >= 0x80; i++) at++
  return startsWith(bytes, at + 1, '\0\x04MQTT') || startsWith(bytes, at + 1, '\0\x06MQIsdp')
}

/** How what is no plain MQTT begins; of PROXY there are two forms. */
const others = [
  ['GET ', 'web socket'],
  ['PROXY ', 'proxied'],
  ['\r\n\r\n\0\r\nQUIT\n', 'proxied'],
] as const

/** What the first bytes of a client are; null where more are needed to tell. */
const kindOf = (
  bytes: Uint8Array,
  isBeginning: boolean,
): 'mqtt' | 'encrypted' | 'web socket' | 'proxied' | 'no connect' | null => {
  const first = bytes[0]!
  if (!isBeginning) {
    if (isConnect(bytes)) return 'mqtt'
    // The records of TLS, of which a connection has many.
    return first >= 0x14 && first <= 0x17 && bytes[1] === 3 ? 'encrypted' : 'no connect'
  }
  if (first === 0x16) return bytes.length < 2 ? null : bytes[1] === 3 ? 'encrypted' : 'mqtt'
  for (const [text, kind] of others) {
    const there = Math.min(bytes.length, text.length)
    if (startsWith(bytes, 0, text.slice(0, there))) return there < text.length ? null : kind
  }
  return 'mqtt'
}

/** Whether a segment between the same ends is of a later connection than this one. */
const isAnother = (talk: Talk, segment: Segment, isByClient: boolean): boolean => {
  const { said, heard, phase } = talk
  const { flags, sequence, bytes, start, size } = segment
  if ((flags & RST) !== 0) return false
  const isEnding = talk.isOver || heard.isOver || said.isEnding
  const isOutside = (half: Half, first: number): boolean =>
    isEnding ? !half.has(first) : half.isFarFrom(first)
  if ((flags & SYN) !== 0) return !isByClient && isOutside(heard, onward(sequence, 1))
  if (size === 0) return false
  // What a broker says where nobody is listened to is not followed.
  if (!isByClient) return phase !== 'other' && heard.isForeign(sequence)
  return said.isForeign(sequence) || (isConnect(bytes, start) && isOutside(said, sequence))
}

/** The segment in a captured packet, or why there is none. */
export const segmentIn = ({ link, bytes, size }: Captured): Found => {
  const at = ipStart(link, bytes)
  return at < 0 ? 'other' : segmentOf(bytes, at, size)
}

/** Whether a client begins TLS there: a record of a handshake, in it ClientHello. */
const isHello = ({ bytes, start, size }: Segment): boolean =>
  size > 5 && bytes[start] === 0x16 && bytes[start + 1] === 3 && bytes[start + 5] === 1

// More are not named.
const portsMax = 5

/** Which port the clients of a capture connect to. */
export class PortGuess {
  private readonly connects = new Map<number, number>()
  /** By port and sequence number: those that were captured. */
  private readonly seen = new Set<string>()

  packet(captured: Captured): void {
    const segment = segmentIn(captured)
    if (typeof segment === 'string' || !isConnect(segment.bytes, segment.start)) return
    const { from, to: { port }, sequence } = segment
    // What is captured on several interfaces, or sent again, is one.
    const mark = `${from.port} ${port} ${sequence}`
    if (this.seen.has(mark)) return
    this.seen.add(mark)
    this.connects.set(port, (this.connects.get(port) ?? 0) + 1)
  }

  /** Ports with how many CONNECTs went there, most first. */
  found(): ReadonlyArray<readonly [port: number, connects: number]> {
    return [...this.connects].sort(([a, many], [b, more]) => more - many || a - b)
  }
}

/** One SYN. */
interface Asked {
  readonly talk: Talk
  readonly atMs: number
}

// What passes a machine is captured on both sides of it within this time.
const passageMs = 1_000

/** Whether a SYN is that one once more, with an address that was translated on the way (NAT). */
const isTranslated = ({ talk, atMs }: Asked, { from, to }: Segment, nowMs: number): boolean =>
  Math.abs(nowMs - atMs) < passageMs &&
  (talk.client.address === from.address) !== (talk.broker.address === to.address)

// What belongs before the end of a connection may be captured behind it, within this time.
const latenessMs = 1_000

export class Tap {
  private readonly port: number
  private readonly clock = new Clock()
  /** The time of the last packet, Unix milliseconds. */
  nowMs = 0
  private readonly live = new Map<string, Talk>()
  private readonly all: Array<Talk> = []
  /** Those that have ended before all had come that was said, and until when it may come. */
  private readonly late = new Map<Talk, number>()
  /** Packets of links that are not known, by their types. */
  readonly unknownLinks = new Map<number, number>()
  /** IP fragments of TCP, which are not put together. */
  fragments = 0
  /** IP packets of which the capture has not kept enough to tell whose they are. */
  cutCount = 0
  /** Other ports that TLS is spoken to. */
  readonly encryptedPorts = new Set<number>()
  /** Addresses of the broker. */
  readonly brokers = new Set<string>()
  /** By port and first sequence number of the client: who asked last. */
  private readonly asked = new Map<string, Asked>()
  /** Ends of what is a conversation seen once more. */
  private readonly again = new Set<string>()

  constructor(port: number) {
    this.port = port
  }

  /** Conversations so far. */
  get conversations(): ReadonlyArray<Conversation> {
    return this.all
  }

  /** What a captured packet comes to. */
  packet(captured: Captured): ReadonlyArray<Event> {
    const { link } = captured
    const atMs = this.clock.timeOf(captured)
    this.nowMs = atMs
    const events: Array<Event> = []
    for (const [talk, untilMs] of this.late) {
      if (untilMs > atMs) break
      this.conclude(talk, atMs, events, false)
    }
    if (!linkNames.has(link)) {
      this.unknownLinks.set(link, (this.unknownLinks.get(link) ?? 0) + 1)
      return events
    }
    const segment = segmentIn(captured)
    if (segment === 'fragment') this.fragments += 1
    if (segment === 'cut') this.cutCount += 1
    if (typeof segment === 'string') return events
    const { from, to } = segment
    if (to.port === this.port || from.port === this.port) this.take(segment, atMs, events)
    else if (isHello(segment) && this.encryptedPorts.size < portsMax) {
      this.encryptedPorts.add(to.port)
    }
    return events
  }

  /** There are no more packets: holes that nothing has filled stay. Answers what ends by that. */
  finish(): ReadonlyArray<Event> {
    const events: Array<Event> = []
    for (const talk of this.late.keys()) this.conclude(talk, this.nowMs, events, false)
    for (const talk of this.live.values()) this.settle(talk)
    this.live.clear()
    return events
  }

  private take(segment: Segment, atMs: number, events: Array<Event>): void {
    const { from, to, flags } = segment
    const here = `${from.address} ${from.port} ${to.address} ${to.port}`
    const there = `${to.address} ${to.port} ${from.address} ${from.port}`
    if ((flags & (SYN | ACK | RST)) === SYN) {
      if (to.port === this.port) this.ask(here, segment, atMs, events)
      return
    }
    if (this.again.has(here) || this.again.has(there)) return
    let talk = this.live.get(here)
    let isByClient = true
    if (talk === undefined) {
      talk = this.live.get(there)
      isByClient = false
    }
    if (talk !== undefined && isAnother(talk, segment, isByClient)) {
      // The address and the port are used again, and the SYN is not in the capture.
      this.giveUp(talk, atMs, events)
      talk = undefined
    }
    if (talk === undefined) {
      isByClient = to.port === this.port
      const isAnswer = !isByClient && (flags & SYN) !== 0
      if ((flags & RST) !== 0 || (segment.size === 0 && !isAnswer)) return
      const synAt = isAnswer ? onward(segment.acknowledged, -1) : null
      talk = isByClient ? this.begin(here, from, to, synAt) : this.begin(there, to, from, synAt)
    }
    if (isByClient) this.byClient(talk, segment, atMs, events)
    else this.byBroker(talk, segment, atMs, events)
    this.conclude(talk, atMs, events, true)
  }

  private ask(key: string, segment: Segment, atMs: number, events: Array<Event>): void {
    const old = this.live.get(key)
    if (old !== undefined) {
      const { synAt, said } = old
      // The SYN once more, or captured behind what came after it.
      if (synAt === segment.sequence) return
      if (synAt === null && said.hasBegunAt(onward(segment.sequence, 1))) return
      // The client has the same address and port again, and so has given up what was there.
      this.giveUp(old, atMs, events)
      this.live.delete(key)
    }
    const mark = `${segment.from.port} ${segment.sequence}`
    const asked = this.asked.get(mark)
    if (asked !== undefined && isTranslated(asked, segment, atMs)) {
      asked.talk.isTwice = true
      this.again.add(key)
      return
    }
    this.again.delete(key)
    const talk = this.begin(key, segment.from, segment.to, segment.sequence)
    this.asked.set(mark, { talk, atMs })
    if (segment.size > 0) {
      const data = { ...segment, flags: 0, sequence: onward(segment.sequence, 1) }
      this.byClient(talk, data, atMs, events)
    }
  }

  private begin(key: string, client: End, broker: End, synAt: number | null): Talk {
    const talk = new Talk(this.all.length + 1, client, broker, synAt)
    this.live.set(key, talk)
    this.all.push(talk)
    this.brokers.add(broker.address)
    return talk
  }

  private byClient(talk: Talk, segment: Segment, atMs: number, events: Array<Event>): void {
    const { flags, sequence, bytes, start, end, size } = segment
    if (talk.isOver) return
    if ((flags & ACK) !== 0) talk.heard.acknowledged(segment.acknowledged, atMs)
    if ((flags & RST) !== 0) {
      talk.isReset = true
      talk.said.acknowledged(sequence, atMs)
      return
    }
    const data = bytes.subarray(start, end)
    for (const piece of talk.said.push(sequence, data, size, (flags & FIN) !== 0, atMs)) {
      this.said(talk, piece, atMs, events)
    }
  }

  private byBroker(talk: Talk, segment: Segment, atMs: number, events: Array<Event>): void {
    const { flags, sequence, bytes, start, end, size } = segment
    if ((flags & ACK) !== 0) talk.said.acknowledged(segment.acknowledged, atMs)
    if ((flags & SYN) !== 0) {
      if (talk.heard.next === null) talk.heard.begin(onward(sequence, 1))
      return
    }
    if ((flags & RST) !== 0) {
      talk.isReset = true
      return
    }
    if (talk.phase === 'other') return
    // Who is spoken to before it has said anything had said something before.
    if (talk.synAt === null && talk.phase === 'new' && size > 0) {
      return this.refuse(talk, 'no connect')
    }
    const isFin = (flags & FIN) !== 0
    for (const piece of talk.heard.push(sequence, bytes.subarray(start, end), size, isFin, atMs)) {
      if (talk.phase === 'mqtt') events.push({ _tag: 'Heard', id: talk.id, atMs, bytes: piece })
      else talk.early = joined(talk.early, piece).slice()
    }
    if (talk.early.length > earlyBytesMax) this.refuse(talk, 'no connect')
  }

  private refuse(talk: Talk, trouble: Trouble & string): void {
    talk.troubles.push(trouble)
    talk.phase = 'other'
    talk.head = nothing
    talk.early = nothing
    talk.said.drop()
    talk.heard.drop()
  }

  private said(talk: Talk, piece: Uint8Array, atMs: number, events: Array<Event>): void {
    const { id, phase, early } = talk
    if (phase === 'other' || piece.length === 0) return
    if (phase === 'mqtt') {
      events.push({ _tag: 'Said', id, atMs, bytes: piece })
      return
    }
    const bytes = joined(talk.head, piece)
    const kind = kindOf(bytes, talk.synAt !== null)
    if (kind === null) {
      talk.head = bytes.slice()
      return
    }
    if (kind !== 'mqtt') return this.refuse(talk, kind)
    talk.head = nothing
    talk.phase = 'mqtt'
    events.push({ _tag: 'Opened', id, atMs, peer: talk.client })
    events.push({ _tag: 'Said', id, atMs, bytes })
    if (early.length > 0) events.push({ _tag: 'Heard', id, atMs, bytes: early })
    talk.early = nothing
  }

  /**
   * Tells how the connection has ended, as far as it has. Where something of the client is missing
   * that was before the end, it waits for that as long as it may.
   */
  private conclude(talk: Talk, atMs: number, events: Array<Event>, mayWait: boolean): void {
    const { id, said, heard, phase } = talk
    const isLeft = heard.isOver && !talk.hasLeft
    const isEnded = said.isOver || talk.isReset || (heard.isOver && said.isEnding)
    if (phase !== 'mqtt' || (!isLeft && (talk.isOver || !isEnded))) return
    if (mayWait && !talk.isOver && said.isAwaited) {
      if (!this.late.has(talk)) this.late.set(talk, atMs + latenessMs)
      return
    }
    // What a broker acknowledges with its end was before that, also where it is never captured.
    if (isEnded || said.isAwaited) this.end(talk, said.isOver ? 'closed' : 'failed', atMs, events)
    if (isLeft) {
      talk.hasLeft = true
      events.push({ _tag: 'Left', id, atMs })
    }
    this.late.delete(talk)
  }

  private end(talk: Talk, why: 'closed' | 'failed', atMs: number, events: Array<Event>): void {
    if (talk.isOver) return
    talk.isOver = true
    if (talk.phase === 'mqtt') events.push({ _tag: 'Ended', id: talk.id, atMs, why })
  }

  private giveUp(talk: Talk, atMs: number, events: Array<Event>): void {
    this.conclude(talk, atMs, events, false)
    this.end(talk, 'failed', atMs, events)
    this.settle(talk)
  }

  private settle(talk: Talk): void {
    if (talk.phase === 'other') return
    const [said, heard] = [talk.said.hole(), talk.heard.hole()]
    if (said !== null) talk.troubles.push({ of: 'client', hole: said })
    if (heard !== null) talk.troubles.push({ of: 'broker', hole: heard })
    talk.said.drop()
    talk.heard.drop()
  }
}
