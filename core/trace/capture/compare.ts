// What the captured broker told each client beside what ours does: messages and reason codes. Of
// all that agrees nothing is kept. What a client acknowledges is put in the words of ours.

import type { Conn } from '../../broker/input.ts'
import { decode } from '../../codec/decode.ts'
import { encode } from '../../codec/encode.ts'
import type { Connack, Level, Packet, Publish } from '../../codec/packet.ts'
import { none } from '../../codec/properties.ts'
import * as B from '../../data/bytes.ts'
import { E, O } from '../../prelude.ts'
import { splitShare } from '../../topic/filter.ts'
import type { TopicFilter } from '../../topic/filter.ts'
import { match } from '../../topic/match.ts'
import { isTopicName } from '../../topic/name.ts'
import { quote } from '../words.ts'
import { Exchanges } from './compare-acks.ts'
import type { Ack } from './compare-acks.ts'
import { Balance } from './compare-balance.ts'
import type { Entry, Side } from './compare-balance.ts'
import { Sources } from './compare-sources.ts'
import type { Source } from './compare-sources.ts'
import { answerText, messageText, messageWords } from './compare-text.ts'
import type { End } from './segment.ts'

interface Account {
  readonly balance: Balance
  readonly exchanges: Exchanges
  /** Whether the captured broker has let the client in. */
  isKnown: boolean
  /**
   * Up to this rank among all that happened the captured broker has a session from before the
   * capture; -1 where it has none.
   */
  oldTo: number
  /** CONNACK says that it is from before the capture. */
  isSaidOld: boolean
  /** When the captured broker has begun its session anew, milliseconds since the capture began. */
  readonly begunAt: Array<number>
  /** From when to when it is not known, since bytes of its client are missing. */
  readonly unknown: Array<readonly [from: number, to: number]>
  /** The same of connections but one, since bytes of the broker are missing there. */
  readonly unheard: Array<readonly [slot: number, from: number, to: number]>
  /** What it has ever had of shared groups. */
  readonly shared: Set<TopicFilter>
}

interface Link {
  readonly peer: End
  clientId: string | null
  /** The name that ours gave to who came without one. */
  ownId: string | null
  /** Whether it wants to begin anew; 3.1 has no other word for whether it does. */
  isFresh: boolean
  level: Level
  account: Account
  readonly theirAliases: Map<number, string>
  readonly ourAliases: Map<number, string>
  /** Those that the client has set. */
  readonly saidAliases: Map<number, string>
  /**
   * When the client said DISCONNECT or ended its side, or Infinity: that it is closed then says
   * nothing.
   */
  leftAt: number
  /**
   * Up to this rank among all that happened the captured broker has said there what it had to say:
   * the rank at which ours says the same, else that of when it said it.
   */
  heardRank: number
  /** When it last said something there. */
  heardAt: number
  /** What the captured broker said after that is not in the capture, or cannot be understood. */
  isDeaf: boolean
  /** From when on bytes of the client are missing, milliseconds since the capture began. */
  lostAt: number
}

const newAccount = (): Account => ({
  balance: new Balance(),
  exchanges: new Exchanges(),
  isKnown: false,
  oldTo: -1,
  isSaidOld: false,
  begunAt: [],
  unknown: [],
  unheard: [],
  shared: new Set(),
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
  private allHeardCount = 0
  /** Messages of `$SYS`, which every broker has its own of. */
  sysCount = 0
  /** The time of what happens, milliseconds since the capture began. */
  nowMs = 0
  private rank = 0
  /** Who published a message, by what is said of it; null for several. */
  private readonly publishers = new Map<string, string | null>()
  private readonly sources = new Sources()
  /** From when on bytes of any client are missing, milliseconds since the capture began. */
  private lostAt = Infinity
  /** Whether anybody has a session from before the capture. */
  private hasOld = false
  /** Topics that somebody has published to with RETAIN. */
  private readonly retained = new Set<string>()
  /** What ours calls clients that came without a name, by what the captured broker calls them. */
  private readonly assigned = new Map<string, string>()

  /** Acknowledgements of messages that ours has not sent. */
  get strayCount(): number {
    let count = 0
    for (const { exchanges } of this.accounts.values()) count += exchanges.strayCount
    return count
  }

  /** Messages and answers of the captured broker, without those that are left out. */
  get heardCount(): number {
    let count = this.allHeardCount
    for (const account of this.accounts.values()) {
      for (const some of account.balance.left()) {
        for (const one of some) {
          if (one.side === 'theirs' && this.isLeftOut(account, one)) count -= 1
        }
      }
    }
    return count
  }

  opened({ slot }: Conn, peer: End): void {
    this.links.set(slot, {
      peer,
      clientId: null,
      ownId: null,
      isFresh: false,
      level: 4,
      account: newAccount(),
      theirAliases: new Map(),
      ourAliases: new Map(),
      saidAliases: new Map(),
      leftAt: Infinity,
      heardRank: -1,
      heardAt: 0,
      isDeaf: false,
      lostAt: Infinity,
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
        link.isFresh = packet.cleanStart
        link.level = packet.level
        const { will } = packet
        if (will !== null) this.sources.published(slot, sourceOf(will, will.topic))
        const name = this.nameOf(link)
        let account = this.accounts.get(name)
        if (account === undefined) {
          account = link.account
          this.accounts.set(name, account)
        }
        link.account = account
        const own = this.assigned.get(packet.clientId)
        return own === undefined ? packet : { ...packet, clientId: own }
      }
      case 'Publish':
        this.published(slot, link, packet)
        return packet
      case 'Subscribe':
        for (const { filter } of packet.requests) {
          const share = splitShare(filter)
          if (share !== null) link.account.shared.add(share.filter)
        }
        return packet
      case 'Disconnect':
        link.leftAt = Math.min(link.leftAt, this.nowMs)
        return packet
      case 'Puback':
      case 'Pubrec':
      case 'Pubcomp':
        return link.account.exchanges.translate(packet)
      default:
        return packet
    }
  }

  /** Whether the client has acknowledged what ours has not sent yet. */
  hasEarly({ slot }: Conn): boolean {
    return this.links.get(slot)?.account.exchanges.hasEarly ?? false
  }

  /** What the client has acknowledged before ours sent it, as it has now. */
  due({ slot }: Conn): ReadonlyArray<Ack> {
    return this.links.get(slot)?.account.exchanges.due() ?? []
  }

  private retains(topic: string): void {
    if (this.retained.size < publishersMax) this.retained.add(topic)
  }

  private published(slot: number, link: Link, packet: Publish): void {
    const topic = resolved(packet, link.saidAliases)
    if (packet.retain) this.retains(topic)
    const source = sourceOf(packet, topic)
    this.sources.published(slot, source)
    const key = source.words
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
    link.heardAt = this.nowMs
    if (packet._tag === 'Connack' && packet.reason === 0) {
      this.named(link, packet)
      this.resumed(slot, link, packet)
    }
    if (this.count('theirs', slot, link, packet)) this.allHeardCount += 1
    else link.heardRank = ++this.rank
  }

  /** Who came without a name is known by the one that the captured broker gives it. */
  private named(link: Link, { properties: { assignedClientIdentifier } }: Connack): void {
    if (assignedClientIdentifier === undefined || link.clientId !== '') return
    this.accounts.delete(this.nameOf(link))
    link.clientId = assignedClientIdentifier
    this.accounts.set(this.nameOf(link), link.account)
    this.pair(link)
  }

  private pair({ clientId, ownId }: Link): void {
    if (clientId === null || clientId === '' || ownId === null) return
    if (this.assigned.size < publishersMax) this.assigned.set(clientId, ownId)
  }

  /**
   * A session that is there when its client first comes is from before the capture; in 3.1, where
   * CONNACK does not say it, each that may be.
   */
  private resumed(slot: number, link: Link, packet: Connack): void {
    const { account } = link
    if (isAnew(link, packet)) {
      account.oldTo = Math.min(account.oldTo, this.rank)
      account.begunAt.push(this.nowMs)
      account.balance.begin(slot)
    } else if (!account.isKnown) {
      account.oldTo = Infinity
      this.hasOld = true
      account.isSaidOld = packet.sessionPresent
    }
    account.isKnown = true
  }

  /** What ours says. */
  sent({ slot }: Conn, packet: Packet): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    if (packet._tag === 'Connack') {
      if (isAnew(link, packet)) link.account.exchanges.forget()
      link.ownId = packet.properties.assignedClientIdentifier ?? null
      this.pair(link)
    }
    this.count('ours', slot, link, onWire(link.level, packet))
  }

  /** The captured broker has ended the connection. */
  left({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link === undefined || link.leftAt !== Infinity) return
    link.heardAt = this.nowMs
    this.add(link, 'theirs', closing, null, slot)
  }

  /** Ours has ended the connection. */
  closed({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link === undefined || link.leftAt !== Infinity) return
    this.add(link, 'ours', closing, null, slot)
  }

  /** The client has ended the connection. */
  ended({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link !== undefined) link.leftAt = Math.min(link.leftAt, this.nowMs)
  }

  /** What the captured broker says to a client is no MQTT. */
  garbled({ slot }: Conn): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    this.add(link, 'theirs', 'bytes that are no packet', null, slot)
    link.isDeaf = true
  }

  /**
   * Bytes of what the captured broker says there are missing, which could be seen at this time, and
   * all that follows. What its client acknowledges of that is not known either, and so not what is
   * left for its next connection.
   */
  lost(slot: number, at: number): void {
    const link = this.links.get(slot)
    if (link === undefined) return
    link.isDeaf = true
    link.account.unheard.push([slot, at, nextBegin(link.account, at)])
  }

  /** Bytes of the client are missing, which could be seen at this time, and all that follows. */
  missed(slot: number, at: number): void {
    this.lostAt = Math.min(this.lostAt, at)
    const link = this.links.get(slot)
    if (link === undefined) return
    link.lostAt = at
    link.account.unknown.push([at, nextBegin(link.account, at)])
  }

  /** What a connection is called. */
  clientOf(slot: number): string | null {
    const link = this.links.get(slot)
    return link === undefined || link.clientId === null ? null : this.nameOf(link)
  }

  /** One sentence for each difference, clients in the order in which they came. */
  differences(): ReadonlyArray<string> {
    const lines: Array<string> = []
    for (const [name, account] of this.accounts) {
      const { balance } = account
      for (const some of balance.left()) {
        const { side, text } = some[0]!
        const count = some.filter((one) => !this.isLeftOut(account, one) && this.counts(one)).length
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
    for (const [name, account] of this.accounts) {
      for (const some of account.balance.left()) {
        for (const one of some) {
          if (!this.isLeftOut(account, one) && !this.counts(one)) {
            lines.push(`${one.text} to ${name}`)
          }
        }
      }
    }
    return lines
  }

  /** Who has a session from before the capture, and how much of what it was told hangs on that. */
  older(): ReadonlyArray<readonly [name: string, count: number, isSaid: boolean]> {
    const found: Array<readonly [string, number, boolean]> = []
    for (const [name, account] of this.accounts) {
      if (account.oldTo < 0) continue
      let count = 0
      for (const some of account.balance.left()) {
        count += some.filter((one) => isOld(account, one)).length
      }
      if (count > 0) found.push([name, count, account.isSaidOld])
    }
    return found
  }

  /** Messages that the captured broker has retained since before the capture. */
  keptCount(whose: string | null): number {
    let count = 0
    for (const [name, { balance }] of this.accounts) {
      if (whose !== null && name !== whose) continue
      for (const some of balance.left()) count += some.filter(({ isKept }) => isKept).length
    }
    return count
  }

  /** Messages that others have published than the capture has whole. */
  elsewhereCount(whose: string | null): number {
    let count = 0
    for (const [name, account] of this.accounts) {
      if (whose !== null && name !== whose) continue
      for (const some of account.balance.left()) {
        count += some.filter((one) => this.isElsewhere(account, one)).length
      }
    }
    return count
  }

  /**
   * Whether it hangs on what somebody may have published of which the capture has nothing: nobody
   * has published it to the captured broker, or what ours had retained may have been replaced.
   */
  private isElsewhere(account: Account, { side, source, at, isKept, ...entry }: Entry): boolean {
    if (source === null || isKept || isOld(account, entry)) return false
    // A hole is seen with what follows it, which may be behind what the broker made of it.
    const until = at + delayMs
    if (side === 'ours') return this.lostAt <= until
    if (this.lostAt > until) return !this.sources.hasTopic(source)
    // Who has published to the topic may have said the same once more where bytes are missing.
    const isWhole = (slot: number): boolean => this.links.get(slot)!.lostAt > until
    return !this.sources.hasWhole(source, isWhole) || this.sources.hasBroken(source, isWhole)
  }

  /** Messages to members of shared groups that others may be in, or may have been. */
  sharedCount(whose: string | null): number {
    let count = 0
    for (const [name, account] of this.accounts) {
      if (whose !== null && name !== whose) continue
      for (const some of account.balance.left()) {
        count += some.filter((one) =>
          this.isStrangers(one) && !isOld(account, one) && !one.isKept &&
          !this.isElsewhere(account, one)
        ).length
      }
    }
    return count
  }

  /**
   * Whether another may have got it in its place, or have had its turn before, of whom it is not
   * known that he is in the group.
   */
  private isStrangers({ isShared, at }: Entry): boolean {
    return isShared && (this.hasOld || this.lostAt <= at + delayMs)
  }

  /**
   * Whether only one broker knows what the client had said by then, or what there was before the
   * capture.
   */
  private isLeftOut(account: Account, entry: Entry): boolean {
    const link = this.links.get(entry.conn)
    return isOld(account, entry) || entry.isKept || this.isElsewhere(account, entry) ||
      isUnknown(account, entry) || this.isStrangers(entry) ||
      (link !== undefined && entry.at >= link.lostAt)
  }

  /**
   * Of what ours sends: whether the captured broker has said there what ours says later, or has had
   * the time for it.
   */
  private counts({ side, rank, conn, at }: Entry): boolean {
    if (side === 'theirs') return true
    const link = this.links.get(conn)
    if (link === undefined) return true
    const { heardRank, heardAt, isDeaf, leftAt } = link
    // An answer may stand behind others that are as late.
    if (isDeaf) return heardAt - at >= patienceMs
    if (heardRank > rank || heardAt - at >= delayMs) return true
    return heardRank >= 0 && leftAt - at >= delayMs && this.nowMs - at >= patienceMs
  }

  private add(
    link: Link,
    side: Side,
    text: string,
    line: string | null,
    conn: number,
    isOfSession = false,
    isMessage = false,
    isKept = false,
    source: Source | null = null,
    isShared = false,
  ): void {
    const { balance } = link.account
    const [rank, at] = [++this.rank, this.nowMs]
    const what = { text, line, isOfSession, isMessage, isKept, isShared, source }
    const other = balance.add({ side, rank, at, conn, ...what })
    const isHeard = (side === 'theirs' && !isKept) || other !== null
    const upTo = side === 'theirs' ? other?.rank ?? rank : rank
    if (isHeard) link.heardRank = Math.max(link.heardRank, upTo)
  }

  private nameOf({ clientId, peer }: Link): string {
    return clientId === null || clientId === ''
      ? `the client at ${peer.address} port ${peer.port}`
      : quote(clientId, "'")
  }

  /** Answers whether it is something that is compared. */
  private count(side: Side, slot: number, link: Link, packet: Packet): boolean {
    if (packet._tag !== 'Publish') {
      const text = answerText(packet)
      if (text === null) return false
      this.add(link, side, text, lineOfAnswer(packet, slot), slot, ofSession.has(packet._tag))
      return true
    }
    const topic = resolved(packet, side === 'theirs' ? link.theirAliases : link.ourAliases)
    const text = messageText(packet, topic)
    const isAgain = packet.qos > 0 && isRepeated(link.account, side, packet, topic, text)
    if (topic.startsWith('$SYS/')) {
      this.sysCount += 1
      return false
    }
    if (isAgain) return false
    const words = text + messageWords(packet)
    const isKept = side === 'theirs' && this.isFromBefore(packet, topic)
    const source = side === 'theirs' || packet.retain ? sourceOf(packet, topic) : null
    const line = this.lineOf(packet, topic)
    const isShared = !packet.retain && isOf(link.account.shared, topic)
    this.add(link, side, words, line, slot, true, true, isKept, source, isShared)
    return true
  }

  /** Whether a retained message is of somebody who published before the capture. */
  private isFromBefore(packet: Publish, topic: string): boolean {
    return packet.retain && !this.retained.has(topic) && this.retained.size < publishersMax &&
      !this.sources.hasMessage(sourceOf(packet, topic))
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

/** Answers that say what was there before. */
const ofSession: ReadonlySet<Packet['_tag']> = new Set(['Connack', 'Pubcomp', 'Unsuback'])

const isOld = (
  { oldTo }: Account,
  { isOfSession, rank }: Pick<Entry, 'isOfSession' | 'rank'>,
): boolean => isOfSession && rank <= oldTo

/** When the captured broker begins the session anew. */
const nextBegin = ({ begunAt }: Account, at: number): number =>
  begunAt.find((begun) => begun > at) ?? Infinity

/** Whether it hangs on what a client may have said of which bytes are missing, or about such. */
const isUnknown = ({ unknown, unheard }: Account, { isOfSession, at, conn }: Entry): boolean =>
  isOfSession &&
  (unknown.some(([from, to]) => at >= from && at < to) ||
    unheard.some(([slot, from, to]) => conn !== slot && at >= from && at < to))

const isOf = (filters: ReadonlySet<TopicFilter>, topic: string): boolean => {
  if (filters.size === 0 || !isTopicName(topic)) return false
  for (const filter of filters) if (match(filter, topic)) return true
  return false
}

/** Whether the session begins with this answer. */
const isAnew = ({ level, isFresh }: Link, { reason, sessionPresent }: Connack): boolean =>
  reason === 0 && !sessionPresent && (level !== 3 || isFresh)

/** What is left of a packet on the wire, where a client has no words for all of it. */
const onWire = (level: Level, packet: Packet): Packet => {
  if (level === 5) return packet
  if (packet._tag === 'Publish') return { ...packet, properties: none }
  const read = decode(level, B.of(encode(level, packet)))
  return E.isRight(read) && O.isSome(read.right) ? read.right.value.packet : packet
}

/** Notes that a message is on its way; answers whether it was already. */
const isRepeated = (
  { exchanges }: Account,
  side: Side,
  packet: Publish,
  topic: string,
  text: string,
): boolean => {
  const { packetId, dup, qos, retain } = packet
  // What one broker has kept the other may have heard a moment later.
  const message = retain ? messageText({ ...packet, retain: false }, topic) : text
  return side === 'theirs'
    ? exchanges.heard(packetId, message, dup)
    : exchanges.sent(packetId, message, dup, qos)
}

/** What a publisher and a receiver see of the same message. */
const sameWords = ({ payload }: Pick<Publish, 'payload'>, topic: string): string =>
  messageText({ payload, qos: 0, retain: false }, topic)

const sourceOf = (packet: Pick<Publish, 'payload'>, topic: string): Source => ({
  topic,
  words: sameWords(packet, topic),
})

// So long after ours a broker that still says nothing will not say it.
const patienceMs = 5_000

// What it says within this time may still answer what came before, and what it is about to say to a
// client that leaves does not reach the wire.
const delayMs = 1_000

// As many messages are known by their publishers.
const publishersMax = 100_000

/** Acknowledgements come in the order of what they acknowledge: section 4.6 of the standard. */
const lineOfAnswer = ({ _tag }: Packet, slot: number): string | null =>
  _tag === 'Puback' || _tag === 'Pubrec' ? `${_tag} ${slot}` : null

const closing = 'the end of the connection'
