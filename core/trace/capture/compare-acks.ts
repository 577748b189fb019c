// Which message a client acknowledges, in the words of two brokers. Each has its own packet
// identifiers and, where no order is prescribed, its own order: what acknowledges a message that
// ours has not sent yet is kept until it does, or the place that the message has on its way would
// never be free again.

import type { Packet, Qos } from '../../codec/packet.ts'

export type Ack = Extract<Packet, { readonly _tag: 'Puback' | 'Pubrec' | 'Pubcomp' }>

/** What a client has said about one message that ours has not sent. */
interface Early {
  readonly message: string
  /** Packet identifier of the captured broker. */
  readonly packetId: number
  readonly acks: Array<Ack>
}

/** A message that ours has sent. */
interface Own {
  /** '' once something has been said about it. */
  readonly message: string
  /** What is said about it next. */
  readonly next: Ack['_tag']
}

// A client that acknowledges so much of what ours never sends is in another world.
const earlyMax = 100_000

/** Whether nothing more is said about the message. */
const isLast = ({ _tag, reason }: Ack): boolean => _tag !== 'Pubrec' || reason >= 0x80

export class Exchanges {
  /** By the packet identifiers of the captured broker and of ours: what is in flight. */
  private readonly theirs = new Map<number, string>()
  private readonly ours = new Map<number, Own>()
  /** From theirs to ours, for the rest of an exchange. */
  private readonly translated = new Map<number, number>()
  /** By message, first come first. */
  private readonly early = new Map<string, Array<Early>>()
  /** By their packet identifiers: those of which more is to be said. */
  private readonly begun = new Map<number, Early>()
  /** Our packet identifiers of messages that were acknowledged before they were sent. */
  private late: Array<number> = []
  private earlyCount = 0
  private lostCount = 0

  /** Acknowledgements of what ours has not sent. */
  get strayCount(): number {
    let count = this.lostCount
    for (const some of this.early.values()) for (const { acks } of some) count += acks.length
    return count
  }

  get hasEarly(): boolean {
    return this.earlyCount > 0
  }

  /** The captured broker sends a message; answers whether it is that one once more. */
  heard(packetId: number, message: string, dup: boolean): boolean {
    const isAgain = dup && this.theirs.get(packetId) === message
    this.theirs.set(packetId, message)
    if (isAgain) return true
    // Whatever had the identifier before is over.
    this.translated.delete(packetId)
    this.begun.delete(packetId)
    return false
  }

  /** Ours sends a message; answers whether it is that one once more. */
  sent(packetId: number, message: string, dup: boolean, qos: Qos): boolean {
    const isAgain = dup && this.ours.get(packetId)?.message === message
    this.ours.set(packetId, { message, next: qos === 2 ? 'Pubrec' : 'Puback' })
    if (this.early.has(message)) this.late.push(packetId)
    return isAgain
  }

  /** Ours knows nothing of the session: what it had sent in it is not acknowledged any more. */
  forget(): void {
    this.lostCount = this.strayCount
    this.earlyCount = 0
    this.ours.clear()
    this.translated.clear()
    this.early.clear()
    this.begun.clear()
    this.late = []
  }

  /** What a client says, for ours; null where ours has not sent what it is about. */
  translate(packet: Ack): Ack | null {
    const { packetId } = packet
    const message = this.theirs.get(packetId)
    if (isLast(packet)) this.theirs.delete(packetId)
    if (message === undefined) return this.unheard(packet)
    const own = this.begun.has(packetId) ? null : this.ownOf(packetId, message)
    if (own === null) {
      this.keep(packet, message)
      return null
    }
    this.settle(own, isLast(packet))
    if (isLast(packet)) this.translated.delete(packetId)
    else this.translated.set(packetId, own)
    return own === packetId ? packet : { ...packet, packetId: own }
  }

  /**
   * What is said of a message that is not in the capture, as its bytes are missing, or all of the
   * captured broker's side. It goes to the one that has the identifier with ours, unless it cannot
   * be about that: ours would end the connection.
   */
  private unheard(packet: Ack): Ack | null {
    const own = this.ours.get(packet.packetId)
    if (own === undefined) return packet
    if (own.next !== packet._tag) {
      this.lostCount += 1
      return null
    }
    this.settle(packet.packetId, isLast(packet))
    return packet
  }

  /** What was kept for messages that ours has sent since. */
  due(): ReadonlyArray<Ack> {
    const due = this.late.flatMap((own) => this.dueFor(own))
    this.late = []
    return due
  }

  private dueFor(own: number): ReadonlyArray<Ack> {
    const message = this.ours.get(own)?.message
    const some = message === undefined ? undefined : this.early.get(message)
    if (message === undefined || some === undefined) return []
    const early = some.shift()!
    if (some.length === 0) this.early.delete(message)
    this.earlyCount -= 1
    const { acks, packetId } = early
    const isOver = acks.some(isLast)
    this.settle(own, isOver)
    // Else the captured broker has used its identifier for another message since.
    if (this.begun.get(packetId) === early) {
      this.begun.delete(packetId)
      this.translated.set(packetId, own)
    }
    return acks.map((ack) => ({ ...ack, packetId: own }))
  }

  private ownOf(packetId: number, message: string): number | null {
    const known = this.translated.get(packetId)
    if (known !== undefined) return known
    if (this.ours.get(packetId)?.message === message) return packetId
    for (const [id, one] of this.ours) if (one.message === message) return id
    return null
  }

  private settle(own: number, isOver: boolean): void {
    if (isOver) this.ours.delete(own)
    // No other message with the same words is meant by the same identifier.
    else this.ours.set(own, { message: '', next: 'Pubcomp' })
  }

  private keep(ack: Ack, message: string): void {
    const { packetId } = ack
    const begun = this.begun.get(packetId)
    if (begun !== undefined) {
      if (!begun.acks.some(({ _tag }) => _tag === ack._tag)) begun.acks.push(ack)
      if (isLast(ack)) this.begun.delete(packetId)
      return
    }
    if (this.earlyCount >= earlyMax) {
      this.lostCount += 1
      return
    }
    const early: Early = { message, packetId, acks: [ack] }
    const some = this.early.get(message)
    if (some === undefined) this.early.set(message, [early])
    else some.push(early)
    this.earlyCount += 1
    if (!isLast(ack)) this.begun.set(packetId, early)
  }
}
