// What the captured broker told each client beside what ours does: messages and reason codes. Of
// all that agrees nothing is kept. Packet identifiers are each broker's own: where they differ,
// what a client acknowledges is put in the words of ours.

import type { Conn } from '../../broker/input.ts'
import type { Packet, Publish } from '../../codec/packet.ts'
import { none } from '../../codec/property.ts'
import { hex32, sumOfText } from '../sheet.ts'
import { showPacket } from '../show.ts'
import { hex, quote } from '../words.ts'
import type { End } from './segment.ts'

interface Account {
  /** What the captured broker said more often than ours, or less often. */
  readonly balance: Map<string, number>
  /** By the packet identifiers of the captured broker and of ours: what is in flight. */
  readonly theirs: Map<number, string>
  readonly ours: Map<number, string>
  /** From theirs to ours, for the rest of an exchange. */
  readonly translated: Map<number, number>
}

interface Link {
  readonly peer: End
  clientId: string | null
  account: Account
  readonly theirAliases: Map<number, string>
  readonly ourAliases: Map<number, string>
  /** The client has said DISCONNECT or ended its side: that it is closed then says nothing. */
  isLeaving: boolean
}

const payloadShown = 60

const newAccount = (): Account => ({
  balance: new Map(),
  theirs: new Map(),
  ours: new Map(),
  translated: new Map(),
})

const resolved = (packet: Publish, aliases: Map<number, string>): string => {
  const alias = packet.properties.topicAlias
  if (alias === undefined) return packet.topic
  if (packet.topic === '') return aliases.get(alias) ?? ''
  aliases.set(alias, packet.topic)
  return packet.topic
}

const messageText = (packet: Publish, topic: string): string => {
  const { payload, qos, retain } = packet
  const size = payload.end - payload.start
  const whole = size <= payloadShown
  const shown = { ...payload, end: whole ? payload.end : payload.start + payloadShown }
  const bare = showPacket({
    ...packet,
    dup: false,
    qos: 0,
    packetId: 0,
    retain: false,
    topic: '',
    payload: shown,
    properties: none,
  })
  let sum = 0
  if (!whole) {
    let text = ''
    for (let i = payload.start; i < payload.end; i++) {
      text += String.fromCharCode(payload.buffer[i]!)
      if (text.length < 1024) continue
      sum = sumOfText(sum, text)
      text = ''
    }
    sum = sumOfText(sum, text)
  }
  return `publish ${quote(topic, "'")}${qos === 0 ? '' : ` qos${qos}`}${retain ? ' retain' : ''}` +
    bare.slice("publish ''".length) + (whole ? '' : `... (${size} bytes, sum ${hex32(sum)})`)
}

/** What is compared of a packet other than PUBLISH; null for nothing. */
const answerText = (packet: Packet): string | null => {
  switch (packet._tag) {
    case 'Connack':
      return `connack${packet.sessionPresent ? ' session-present' : ''} ${hex(packet.reason)}`
    case 'Suback':
    case 'Unsuback':
      return [packet._tag.toLowerCase(), `id${packet.packetId}`, ...packet.reasons.map(hex)]
        .join(' ')
    case 'Puback':
    case 'Pubrec':
    case 'Pubcomp': {
      const { _tag, packetId, reason } = packet
      // Who takes a message says so; that nobody has subscribed to it need not be said.
      return `${_tag.toLowerCase()} id${packetId} ${hex(reason < 0x80 ? 0 : reason)}`
    }
    case 'Disconnect':
      return `disconnect ${hex(packet.reason)}`
    default:
      return null
  }
}

export class Comparison {
  private readonly links = new Map<number, Link>()
  private readonly accounts = new Map<string, Account>()
  /** Messages and answers of the captured broker. */
  heardCount = 0
  /** Messages of `$SYS`, which every broker has its own of. */
  sysCount = 0
  /** Acknowledgements of messages that ours had not sent. */
  strayCount = 0

  opened({ slot }: Conn, peer: End): void {
    this.links.set(slot, {
      peer,
      clientId: null,
      account: newAccount(),
      theirAliases: new Map(),
      ourAliases: new Map(),
      isLeaving: false,
    })
  }

  /** What a client says, in words that ours understands; null for what ours cannot. */
  told({ slot }: Conn, packet: Packet): Packet | null {
    const link = this.links.get(slot)
    if (link === undefined) return packet
    switch (packet._tag) {
      case 'Connect': {
        if (link.clientId !== null) return packet
        link.clientId = packet.clientId
        const name = this.nameOf(link)
        let account = this.accounts.get(name)
        if (account === undefined) {
          account = link.account
          this.accounts.set(name, account)
        }
        link.account = account
        return packet
      }
      case 'Disconnect':
        link.isLeaving = true
        return packet
      case 'Puback':
      case 'Pubrec':
      case 'Pubcomp':
        return this.translate(link.account, packet)
      default:
        return packet
    }
  }

  private translate<A extends Extract<Packet, { _tag: 'Puback' | 'Pubrec' | 'Pubcomp' }>>(
    { theirs, ours, translated }: Account,
    packet: A,
  ): A | null {
    const { packetId, _tag } = packet
    const isLast = _tag !== 'Pubrec'
    const message = theirs.get(packetId)
    if (isLast) theirs.delete(packetId)
    // The captured broker's side may not be in the capture at all.
    if (message === undefined) return packet
    let own = translated.get(packetId)
    if (own === undefined) {
      if (ours.get(packetId) === message) own = packetId
      else for (const [id, one] of ours) if (one === message) own ??= id
    }
    if (own === undefined) {
      this.strayCount += 1
      return null
    }
    if (isLast) {
      translated.delete(packetId)
      ours.delete(own)
    } else {
      translated.set(packetId, own)
      // No other message with the same words is meant by the same identifier.
      ours.set(own, '')
    }
    return own === packetId ? packet : { ...packet, packetId: own }
  }

  /** What the captured broker says. */
  heard({ slot }: Conn, packet: Packet, _at: number): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    const text = this.textOf(link.account.theirs, packet, link.theirAliases)
    if (text === null) return
    this.heardCount += 1
    this.count(link, text, 1)
  }

  /** What ours says. */
  sent({ slot }: Conn, packet: Packet, _at: number): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    const text = this.textOf(link.account.ours, packet, link.ourAliases)
    if (text !== null) this.count(link, text, -1)
  }

  /** The captured broker has ended the connection. */
  left({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link !== undefined && !link.isLeaving) this.count(link, closing, 1)
  }

  /** Ours has ended the connection. */
  closed({ slot }: Conn, _at: number): void {
    const link = this.links.get(slot)
    if (link !== undefined && !link.isLeaving) this.count(link, closing, -1)
  }

  /** The client has ended the connection. */
  ended({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link !== undefined) link.isLeaving = true
  }

  /** What the captured broker says to a client is no MQTT. */
  garbled({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link !== undefined) this.count(link, 'bytes that are no packet', 1)
  }

  /** What a connection is called. */
  clientOf(slot: number): string | null {
    const link = this.links.get(slot)
    return link === undefined || link.clientId === null ? null : this.nameOf(link)
  }

  /** One sentence for each difference, clients in the order in which they came. */
  differences(): ReadonlyArray<string> {
    const lines: Array<string> = []
    for (const [name, { balance }] of this.accounts) {
      for (const [text, count] of balance) {
        const times = Math.abs(count) === 1 ? '' : ` ${Math.abs(count)} times`
        const more = Math.abs(count) === 1 ? '' : ' more often'
        lines.push(
          count > 0
            ? `The captured broker sent ${text} to ${name}${times}${more}, this one does not.`
            : `This broker sends ${text} to ${name}${times}${more}, the captured one did not.`,
        )
      }
    }
    return lines
  }

  private nameOf({ clientId, peer }: Link): string {
    return clientId === null || clientId === ''
      ? `the client at ${peer.address} port ${peer.port}`
      : quote(clientId, "'")
  }

  private textOf(
    inFlight: Map<number, string>,
    packet: Packet,
    aliases: Map<number, string>,
  ): string | null {
    if (packet._tag !== 'Publish') return answerText(packet)
    const topic = resolved(packet, aliases)
    const text = messageText(packet, topic)
    const isAgain = packet.qos > 0 && packet.dup && inFlight.get(packet.packetId) === text
    if (packet.qos > 0) inFlight.set(packet.packetId, text)
    if (topic.startsWith('$SYS/')) {
      this.sysCount += 1
      return null
    }
    return isAgain ? null : text
  }

  private count({ account: { balance } }: Link, text: string, by: 1 | -1): void {
    const sum = (balance.get(text) ?? 0) + by
    if (sum === 0) balance.delete(text)
    else balance.set(text, sum)
  }
}

const closing = 'the end of the connection'
