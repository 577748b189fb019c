// What the captured broker told each client beside what ours does: messages and reason codes. Of
// all that agrees nothing is kept. Packet identifiers are each broker's own: where they differ,
// what a client acknowledges is put in the words of ours.

import type { Conn } from '../../broker/input.ts'
import type { Packet, Publish } from '../../codec/packet.ts'
import { quote } from '../words.ts'
import { Balance } from './compare-balance.ts'
import type { Entry, Side } from './compare-balance.ts'
import { answerText, messageText, messageWords } from './compare-text.ts'
import type { End } from './segment.ts'

interface Account {
  readonly balance: Balance
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
  /** Those that the client has set. */
  readonly saidAliases: Map<number, string>
  /** The client has said DISCONNECT or ended its side: that it is closed then says nothing. */
  isLeaving: boolean
  /** When the captured broker last said something there, among all that happened. */
  heardRank: number
}

const newAccount = (): Account => ({
  balance: new Balance(),
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

export class Comparison {
  private readonly links = new Map<number, Link>()
  private readonly accounts = new Map<string, Account>()
  /** Messages and answers of the captured broker. */
  heardCount = 0
  /** Messages of `$SYS`, which every broker has its own of. */
  sysCount = 0
  /** The time of what happens, milliseconds since the capture began. */
  nowMs = 0
  private rank = 0
  /** Who published a message, by what is said of it; null for several. */
  private readonly publishers = new Map<string, string | null>()
  /** Acknowledgements of messages that ours had not sent. */
  strayCount = 0

  opened({ slot }: Conn, peer: End): void {
    this.links.set(slot, {
      peer,
      clientId: null,
      account: newAccount(),
      theirAliases: new Map(),
      ourAliases: new Map(),
      saidAliases: new Map(),
      isLeaving: false,
      heardRank: -1,
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
      case 'Publish':
        this.published(link, packet)
        return packet
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

  private published(link: Link, packet: Publish): void {
    const key = sameWords(packet, resolved(packet, link.saidAliases))
    const name = this.nameOf(link)
    const known = this.publishers.get(key)
    if (known === undefined) {
      if (this.publishers.size < publishersMax) this.publishers.set(key, name)
    } else if (known !== name) this.publishers.set(key, null)
  }

  /** What the captured broker says. */
  heard({ slot }: Conn, packet: Packet): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    link.heardRank = ++this.rank
    if (this.count('theirs', slot, link, packet, link.account.theirs, link.theirAliases)) {
      this.heardCount += 1
    }
  }

  /** What ours says. */
  sent({ slot }: Conn, packet: Packet): void {
    const link = this.links.get(slot)
    if (link !== undefined) {
      this.count('ours', slot, link, packet, link.account.ours, link.ourAliases)
    }
  }

  /** The captured broker has ended the connection. */
  left({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    link.heardRank = ++this.rank
    if (!link.isLeaving) this.add(link, 'theirs', closing, null, slot)
  }

  /** Ours has ended the connection. */
  closed({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link !== undefined && !link.isLeaving) this.add(link, 'ours', closing, null, slot)
  }

  /** The client has ended the connection. */
  ended({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link !== undefined) link.isLeaving = true
  }

  /** What the captured broker says to a client is no MQTT. */
  garbled({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    this.add(link, 'theirs', 'bytes that are no packet', null, slot)
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
      for (const some of balance.left()) {
        const { side, text } = some[0]!
        const count = side === 'theirs'
          ? some.length
          : some.filter((one) => this.counts(one)).length
        if (count === 0) continue
        const times = count === 1 ? '' : ` ${count} times`
        const more = count === 1 ? '' : ' more often'
        lines.push(
          side === 'theirs'
            ? `The captured broker sent ${text} to ${name}${times}${more}, this one does not.`
            : `This broker sends ${text} to ${name}${times}${more}, the captured one did not.`,
        )
      }
      for (const { first, then } of balance.disorders) {
        lines.push(
          `The captured broker sent ${first} to ${name} before ${then}, ` +
            'this one the other way round.',
        )
      }
    }
    return lines
  }

  /** What ours has sent and of which it is not known whether the captured broker would have. */
  unanswered(): ReadonlyArray<string> {
    const lines: Array<string> = []
    for (const [name, { balance }] of this.accounts) {
      for (const some of balance.left()) {
        for (const one of some) {
          if (one.side === 'ours' && !this.counts(one)) lines.push(`${one.text} to ${name}`)
        }
      }
    }
    return lines
  }

  /** Whether the captured broker has said anything there later, or has had the time for it. */
  private counts({ rank, conn, at }: Entry): boolean {
    const { heardRank } = this.links.get(conn) ?? { heardRank: Infinity }
    return heardRank > rank || (heardRank >= 0 && this.nowMs - at >= patienceMs)
  }

  private add(link: Link, side: Side, text: string, line: string | null, conn: number): void {
    link.account.balance.add({ side, text, line, rank: ++this.rank, at: this.nowMs, conn })
  }

  private nameOf({ clientId, peer }: Link): string {
    return clientId === null || clientId === ''
      ? `the client at ${peer.address} port ${peer.port}`
      : quote(clientId, "'")
  }

  /** Answers whether it is something that is compared. */
  private count(
    side: Side,
    slot: number,
    link: Link,
    packet: Packet,
    inFlight: Map<number, string>,
    aliases: Map<number, string>,
  ): boolean {
    if (packet._tag !== 'Publish') {
      const text = answerText(packet)
      if (text === null) return false
      this.add(link, side, text, lineOfAnswer(packet, slot), slot)
      return true
    }
    const topic = resolved(packet, aliases)
    const text = messageText(packet, topic)
    const isAgain = packet.qos > 0 && packet.dup && inFlight.get(packet.packetId) === text
    if (packet.qos > 0) inFlight.set(packet.packetId, text)
    if (topic.startsWith('$SYS/')) {
      this.sysCount += 1
      return false
    }
    if (isAgain) return false
    this.add(link, side, text + messageWords(packet), this.lineOf(packet, topic), slot)
    return true
  }

  /**
   * Messages of one publisher with one topic and QoS come in its order [MQTT-4.6.0-5]
   * [MQTT-4.6.0-6]; what was retained comes in none.
   */
  private lineOf(packet: Publish, topic: string): string | null {
    if (packet.retain) return null
    const publisher = this.publishers.get(sameWords(packet, topic)) ?? null
    return publisher === null ? null : `${packet.qos} ${publisher} ${topic}`
  }
}

/** What a publisher and a receiver see of the same message. */
const sameWords = (packet: Publish, topic: string): string =>
  messageText({ ...packet, qos: 0, retain: false }, topic)

// So long after ours a broker that still says nothing will not say it.
const patienceMs = 5_000

// As many messages are known by their publishers.
const publishersMax = 100_000

/** Acknowledgements come in the order of what they acknowledge: section 4.6 of the standard. */
const lineOfAnswer = ({ _tag }: Packet, slot: number): string | null =>
  _tag === 'Puback' || _tag === 'Pubrec' ? `${_tag} ${slot}` : null

const closing = 'the end of the connection'
