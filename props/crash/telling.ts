// From what clients saw to what they may rely on: which messages were taken on, which
// subscriptions and sessions there certainly are, certainly are not, or may be.

import type { Connect, Packet, Publish, Qos, Will } from '../../core/codec/packet.ts'
import * as B from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import type { TopicName } from '../../core/topic/name.ts'
import type { Seen } from './client.ts'

export type Sure = 'yes' | 'no' | 'maybe'

/** Of a client or of the will that it left. */
export interface Message {
  readonly payload: string
  readonly topic: TopicName
  readonly qos: Qos
  readonly retain: boolean
  readonly publisher: string
  /** When it was sent first and last, and when the broker said that it has it. */
  readonly first: number
  last: number
  ackedAt: number | null
  isRefused: boolean
  readonly expiresAtMs: number
}

/** A message reached the program behind a client. */
export interface Take {
  readonly at: number
  readonly payload: string
  readonly topic: TopicName
  readonly qos: Qos
  readonly retain: boolean
  /** How often the client had begun anew before. */
  readonly epoch: number
  /** When the CONNECT was sent that began the session. */
  readonly since: number
}

interface Turn {
  readonly at: number
  readonly sure: Sure
}

export class Past {
  private readonly turns: Turn[] = [{ at: -1, sure: 'no' }]

  get now(): Sure {
    return this.turns.at(-1)!.sure
  }

  set(at: number, sure: Sure): void {
    if (this.now !== sure) this.turns.push({ at, sure })
  }

  /** Whether it was so all the time from one event to another. */
  isAlways(sure: Sure, from: number, to: number): boolean {
    return this.turns.every((turn, i) =>
      turn.sure === sure || turn.at > to || (this.turns[i + 1]?.at ?? Infinity) <= from
    )
  }
}

export interface Wanted {
  readonly filter: TopicFilter
  qos: Qos
  readonly past: Past
  /** What was asked for last. */
  asked: Packet
}

/** A connection with a will. */
export interface Episode {
  readonly who: string
  readonly will: Will
  /** The broker has said that it has it. */
  isSure: boolean
  /** How it ended: null while it has not. */
  end: 'lost' | 'taken over' | 'asked for' | 'given up' | null
  endedAt: number
}

export class Party {
  readonly name: string
  readonly session = new Past()
  readonly wanted = new Map<TopicFilter, Wanted>()
  readonly takes: Take[] = []
  epoch = 0
  since = -1
  isBrief = true
  expiryS = 0
  /** The smallest Maximum Packet Size that it has told. */
  packetBytesMax = Infinity
  offlineAtMs: number | null = null
  hasCrashedSince = false
  greeting: { readonly connect: Connect; readonly at: number; readonly wanted: Sure } | null = null
  readonly sending = new Map<number, Message>()
  /** SUBSCRIBE and UNSUBSCRIBE of this connection. */
  readonly asking = new Map<number, Packet>()
  readonly open = new Map<number, { readonly payload: string; readonly qos: Qos }>()
  episode: Episode | null = null
  isConnected = false

  constructor(name: string) {
    this.name = name
  }
}

export interface Telling {
  readonly parties: ReadonlyMap<string, Party>
  readonly messages: ReadonlyArray<Message>
  readonly episodes: ReadonlyArray<Episode>
  readonly complaints: ReadonlyArray<string>
  readonly end: number
  readonly endMs: number
}

export const bytesText = (bytes: B.Bytes): string => String.fromCharCode(...B.view(bytes))

const NEVER_S = 0xffffffff

class Listener {
  readonly parties = new Map<string, Party>()
  readonly messages: Message[] = []
  readonly episodes: Episode[] = []
  readonly complaints: string[] = []

  party(name: string): Party {
    let party = this.parties.get(name)
    if (party === undefined) {
      party = new Party(name)
      this.parties.set(name, party)
    }
    return party
  }

  hear({ time, event }: Seen, at: number): void {
    for (const party of this.parties.values()) doubtExpired(party, time, at)
    switch (event._tag) {
      case 'crash':
        for (const party of this.parties.values()) party.hasCrashedSince = true
        return
      case 'restart':
        return
      case 'closed':
        return this.closed(this.party(event.who), time, at)
      case 'sent':
        return this.sent(this.party(event.who), event.packet, time, at)
      case 'got':
        return this.got(this.party(event.who), event.packet, at)
    }
  }

  private closed(party: Party, time: number, at: number): void {
    if (!party.isConnected) return
    party.isConnected = false
    party.offlineAtMs = time
    party.hasCrashedSince = false
    if (party.greeting !== null) {
      // Nobody knows whether the broker has heard of it.
      party.session.set(at, 'maybe')
    } else if (party.isBrief) party.session.set(at, 'no')
    else if (party.expiryS === 0) party.session.set(at, 'maybe')
    party.greeting = null
    if (party.episode?.end === null) end(party.episode, 'lost', at)
  }

  private sent(party: Party, packet: Packet, time: number, at: number): void {
    switch (packet._tag) {
      case 'Connect':
        return this.connect(party, packet, time, at)
      case 'Publish':
        return this.publish(party, packet, time, at)
      case 'Pubrel': {
        const message = party.sending.get(packet.packetId)
        if (message !== undefined) message.last = at
        return
      }
      case 'Subscribe':
        party.asking.set(packet.packetId, packet)
        for (const { filter, qos } of packet.requests) {
          const known = party.wanted.get(filter)
          const wanted = known ?? { filter, qos, past: new Past(), asked: packet }
          party.wanted.set(filter, wanted)
          wanted.asked = packet
          if (wanted.past.now !== 'yes') wanted.past.set(at, 'maybe')
        }
        return
      case 'Unsubscribe':
        party.asking.set(packet.packetId, packet)
        for (const filter of packet.filters) {
          const wanted = party.wanted.get(filter)
          if (wanted === undefined) continue
          wanted.asked = packet
          wanted.past.set(at, 'maybe')
        }
        return
      case 'Disconnect': {
        const { sessionExpiryInterval } = packet.properties
        if (sessionExpiryInterval !== undefined) party.expiryS = sessionExpiryInterval
        if (party.episode?.end === null) {
          end(party.episode, packet.reason === 4 ? 'asked for' : 'given up', at)
        }
        return
      }
      case 'Puback':
      case 'Pubcomp':
        party.open.delete(packet.packetId)
    }
  }

  private connect(party: Party, connect: Connect, time: number, at: number): void {
    if (party.episode?.end === null) end(party.episode, 'taken over', at)
    party.asking.clear()
    if (connect.cleanStart) {
      party.epoch += 1
      party.sending.clear()
      party.open.clear()
    }
    const { sessionExpiryInterval = 0, maximumPacketSize = Infinity } = connect.properties
    party.packetBytesMax = Math.min(party.packetBytesMax, maximumPacketSize)
    const expiryS = connect.level === 5 ? sessionExpiryInterval : connect.cleanStart ? 0 : NEVER_S
    const awayMs = party.offlineAtMs === null ? 0 : time - party.offlineAtMs
    // A margin of a second for whoever counts differently.
    const isOver = !party.isConnected && !party.hasCrashedSince && party.expiryS !== NEVER_S &&
      awayMs > party.expiryS * 1_000 + 1_000
    if (isOver && party.session.now === 'maybe') party.session.set(at, 'no')
    const wanted = connect.cleanStart ? 'no' : party.session.now
    party.greeting = { connect, at, wanted }
    if (connect.cleanStart || party.session.now !== 'yes') party.session.set(at, 'maybe')
    party.isConnected = true
    party.offlineAtMs = null
    party.expiryS = expiryS
    party.isBrief = expiryS === 0
    party.episode = null
    if (connect.will !== null) {
      const { will } = connect
      party.episode = { who: party.name, will, isSure: false, end: null, endedAt: -1 }
      this.episodes.push(party.episode)
    }
  }

  private publish(party: Party, packet: Publish, time: number, at: number): void {
    const known = packet.dup ? party.sending.get(packet.packetId) : undefined
    if (known !== undefined) {
      known.last = at
      return
    }
    const { messageExpiryInterval } = packet.properties
    const message: Message = {
      payload: bytesText(packet.payload),
      topic: packet.topic as TopicName,
      qos: packet.qos,
      retain: packet.retain,
      publisher: party.name,
      first: at,
      last: at,
      ackedAt: null,
      isRefused: false,
      expiresAtMs: messageExpiryInterval === undefined
        ? Infinity
        : time + messageExpiryInterval * 1_000,
    }
    this.messages.push(message)
    if (packet.qos > 0) party.sending.set(packet.packetId, message)
  }

  private got(party: Party, packet: Packet, at: number): void {
    switch (packet._tag) {
      case 'Connack':
        if (packet.reason === 0) this.connack(party, packet.sessionPresent, at)
        return
      case 'Puback':
      case 'Pubcomp':
      case 'Pubrec': {
        const message = party.sending.get(packet.packetId)
        if (message === undefined) return
        const isRefused = packet._tag !== 'Pubcomp' && packet.reason >= 0x80
        if (packet._tag === 'Pubrec' && !isRefused) return
        party.sending.delete(packet.packetId)
        message.isRefused = isRefused
        message.ackedAt = at
        return
      }
      case 'Suback': {
        const asked = party.asking.get(packet.packetId)
        if (asked?._tag !== 'Subscribe') return
        asked.requests.forEach(({ filter, qos }, i) => {
          const wanted = party.wanted.get(filter)!
          wanted.qos = qos
          if (wanted.asked === asked) wanted.past.set(at, packet.reasons[i]! < 0x80 ? 'yes' : 'no')
        })
        return
      }
      case 'Unsuback': {
        const asked = party.asking.get(packet.packetId)
        if (asked?._tag !== 'Unsubscribe') return
        for (const filter of asked.filters) {
          const wanted = party.wanted.get(filter)
          if (wanted?.asked === asked) wanted.past.set(at, 'no')
        }
        return
      }
      case 'Publish':
        return this.take(party, packet, at)
    }
  }

  private connack(party: Party, said: boolean, at: number): void {
    const { greeting } = party
    if (greeting === null) return
    const { wanted, connect } = greeting
    // Version 3.1 does not say.
    const isPresent = said || (connect.level === 3 && wanted !== 'no')
    if (wanted !== 'maybe' && isPresent !== (wanted === 'yes')) {
      this.complaints.push(
        `${party.name} is told that there is ${isPresent ? 'a' : 'no'} session [${at}]`,
      )
    }
    if (!isPresent) {
      party.epoch += 1
      party.since = greeting.at
      party.open.clear()
      // What was sent without waiting for CONNACK is the new session's.
      for (const [packetId, { first }] of party.sending) {
        if (first < greeting.at) party.sending.delete(packetId)
      }
      const asked = new Set(
        [...party.asking.values()].flatMap((packet) =>
          packet._tag === 'Subscribe' ? packet.requests.map(({ filter }) => filter) : []
        ),
      )
      for (const { filter, past } of party.wanted.values()) {
        past.set(at, asked.has(filter) ? 'maybe' : 'no')
      }
    }
    // Which session it is that goes on nobody knows.
    for (const { past } of party.wanted.values()) {
      if (isPresent && wanted === 'maybe' && past.now === 'yes') past.set(at, 'maybe')
    }
    party.greeting = null
    party.session.set(at, 'yes')
    if (party.episode !== null) party.episode.isSure = true
  }

  private take(party: Party, { packetId, payload, topic, qos, retain }: Publish, at: number): void {
    const text = bytesText(payload)
    const open = qos === 0 ? undefined : party.open.get(packetId)
    if (open !== undefined && open.payload !== text) {
      this.complaints.push(
        `${party.name} is sent '${text}' as ${packetId}, which is still '${open.payload}' [${at}]`,
      )
    }
    if (qos > 0) party.open.set(packetId, { payload: text, qos })
    if (open !== undefined && qos === 2) return
    const { epoch, since } = party
    party.takes.push({ at, payload: text, topic: topic as TopicName, qos, retain, epoch, since })
  }
}

const end = (episode: Episode, how: NonNullable<Episode['end']>, at: number): void => {
  episode.end = how
  episode.endedAt = at
}

/** A session whose time may be over is none to rely on. */
const doubtExpired = (party: Party, time: number, at: number): void => {
  const { offlineAtMs, expiryS } = party
  if (offlineAtMs === null || expiryS === NEVER_S || party.session.now !== 'yes') return
  if (time >= offlineAtMs + expiryS * 1_000) party.session.set(at, 'maybe')
}

export const tellingOf = (seen: ReadonlyArray<Seen>): Telling => {
  const listener = new Listener()
  seen.forEach((one, at) => listener.hear(one, at))
  const { parties, messages, episodes, complaints } = listener
  return {
    parties,
    messages,
    episodes,
    complaints,
    end: seen.length,
    endMs: seen.at(-1)?.time ?? 0,
  }
}
