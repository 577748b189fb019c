// A client on a raw socket, driven by hand: it sends what a row tells it to, answers deliveries
// only as far as the row allows, and keeps everything it was sent, in order.

import { Buffer } from 'node:buffer'
import * as net from 'node:net'
import { servedMs } from '../served.ts'
import { holds, Mismatch, same, within } from './expect.ts'
import {
  ackBytes,
  connectBytes,
  disconnectBytes,
  pingreqBytes,
  publishBytes,
  show,
  Splitter,
  subscribeBytes,
  toBytes,
  unsubscribeBytes,
} from './wire.ts'
import type { ConnectOrder, Level, PublishOrder, Qos, Request, Seen, Wire } from './wire.ts'

/** A packet id that no exchange of the peer's own uses at the same time. */
const idLast = 60_000

export const patienceMs = 8_000

export class Peer {
  level: Level = 4
  /** Answer deliveries at QoS 1 and 2 at once. A row that wants to hold them back clears it. */
  acknowledges = true
  /** All packets in the order in which they came. */
  readonly history: Seen[] = []
  /** The deliveries among them. */
  readonly messages: Seen[] = []
  /** Everything else that no row has taken yet; PUBREL is here only without `acknowledges`. */
  readonly answers: Seen[] = []
  readonly socket: net.Socket
  /** Resolves when the server has closed the connection, in whatever manner. */
  readonly closed: Promise<void>
  isClosed = false
  closedAtMs = 0
  /** The same by the clock of `servedMs`. */
  closedServedMs = 0
  /** What the server sent that is not MQTT, if it did. */
  failure: Error | null = null
  private readonly splitter = new Splitter()
  private readonly waiting = new Set<() => void>()
  private packetIdLast = 0

  private constructor(socket: net.Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      const end = (): void => {
        if (!this.isClosed) {
          this.closedAtMs = Date.now()
          this.closedServedMs = servedMs()
        }
        this.isClosed = true
        this.wake()
        resolve()
      }
      socket.on('end', end)
      socket.on('close', end)
    })
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.hear(chunk))
  }

  static dial(port: number, host = '127.0.0.1'): Promise<Peer> {
    return within(
      patienceMs,
      `connecting to ${host}:${port}`,
      new Promise((resolve, reject) => {
        const socket = net.connect({ port, host, noDelay: true })
        socket.once('error', reject)
        socket.once('connect', () => resolve(new Peer(socket)))
      }),
    )
  }

  private hear(chunk: Buffer): void {
    if (this.failure !== null) return
    this.splitter.push(chunk)
    try {
      for (;;) {
        const seen = this.splitter.next(this.level)
        if (seen === null) break
        this.keep(seen)
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error))
    }
    this.wake()
  }

  private keep(seen: Seen): void {
    this.history.push(seen)
    if (seen.kind === 'PUBLISH') {
      this.messages.push(seen)
      if (this.acknowledges && seen.qos > 0) {
        this.send(ackBytes(seen.qos === 1 ? 0x40 : 0x50, seen.packetId))
      }
    } else if (seen.kind === 'PUBREL' && this.acknowledges) {
      this.send(ackBytes(0x70, seen.packetId))
    } else {
      this.answers.push(seen)
    }
  }

  private wake(): void {
    for (const look of [...this.waiting]) look()
  }

  /** Waits until `holdsNow` or until nothing more can come. */
  private watch(ms: number, what: string, holdsNow: () => boolean): Promise<void> {
    const attempt = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const done = holdsNow()
        if (!done && this.failure === null && !this.isClosed) return
        this.waiting.delete(look)
        if (done) resolve()
        else if (this.failure !== null) reject(this.failure)
        else reject(new Mismatch(what, 'an open connection', `closed after ${this.told()}`))
      }
      this.waiting.add(look)
      look()
    })
    return within(ms, `${what}, after ${this.told()}`, attempt)
  }

  /** The last packets in words. */
  told(): string {
    const last = this.history.slice(-6).map(show)
    return last.length === 0 ? 'no packet' : last.join(', ')
  }

  send(wire: Wire): void {
    if (!this.socket.destroyed) this.socket.write(toBytes(wire))
  }

  packetId(): number {
    this.packetIdLast = this.packetIdLast % idLast + 1
    return this.packetIdLast
  }

  /** The next packet that is no delivery, which must be of this kind. */
  async answer(kind: string, ms = patienceMs): Promise<Seen> {
    await this.watch(ms, `waiting for ${kind}`, () => this.answers.length > 0)
    const seen = this.answers.shift()
    if (seen?.kind !== kind) {
      throw new Mismatch('the next packet', kind, seen === undefined ? 'nothing' : show(seen))
    }
    return seen
  }

  /** Waits until this many deliveries have come since the peer was made, and gives them all. */
  async deliveries(count: number, ms = patienceMs): Promise<ReadonlyArray<Seen>> {
    await this.watch(ms, `waiting for ${count} deliveries`, () => this.messages.length >= count)
    return this.messages
  }

  /** Waits until this many packets of any kind have come since the peer was made. */
  async hears(count: number, what: string, ms = patienceMs): Promise<void> {
    await this.watch(ms, what, () => this.history.length >= count)
  }

  /** Waits until the server has closed the connection. */
  async gone(ms = patienceMs): Promise<void> {
    await within(ms, `waiting for the server to close, after ${this.told()}`, this.closed)
    if (this.failure !== null) throw this.failure
  }

  /** Sends CONNECT and gives the CONNACK, whatever it says. */
  async greet(order: ConnectOrder, ms = patienceMs): Promise<Seen> {
    this.level = order.level ?? 4
    this.send(connectBytes(order))
    return await this.answer('CONNACK', ms)
  }

  /** The same where anything but success is a failure. */
  async connect(order: ConnectOrder, ms = patienceMs): Promise<Seen> {
    const connack = await this.greet(order, ms)
    if (connack.reason !== 0) throw new Mismatch('CONNECT', 'CONNACK 00', show(connack))
    return connack
  }

  /** Subscribes and gives the reasons of the SUBACK. */
  async ask(requests: ReadonlyArray<Request>, properties: Wire = ''): Promise<readonly number[]> {
    const packetId = this.packetId()
    this.send(subscribeBytes(this.level, packetId, requests, properties))
    const suback = await this.answer('SUBACK')
    same(suback.packetId, packetId, 'packet id of SUBACK')
    return suback.reasons
  }

  /** Subscribes and expects to be granted what was asked for. */
  async subscribe(filter: string, qos: Qos = 0): Promise<void> {
    same(await this.ask([{ filter, qos }]), [qos], `SUBACK for ${filter.slice(0, 60)}`)
  }

  async unsubscribe(...filters: string[]): Promise<readonly number[]> {
    const packetId = this.packetId()
    this.send(unsubscribeBytes(this.level, packetId, filters))
    const unsuback = await this.answer('UNSUBACK')
    same(unsuback.packetId, packetId, 'packet id of UNSUBACK')
    return unsuback.reasons
  }

  /**
   * Publishes, goes through the whole exchange of the QoS and gives the reason of PUBACK or PUBREC.
   * At QoS 0 a ping takes the place of the acknowledgement, so the message has been routed.
   */
  async publish(
    topic: string,
    payload: string | Uint8Array,
    order: Partial<PublishOrder> = {},
  ): Promise<number> {
    const qos = order.qos ?? 0
    const packetId = qos === 0 ? 0 : order.packetId ?? this.packetId()
    this.send(publishBytes({ ...order, level: this.level, topic, payload, qos, packetId }))
    if (qos === 0) {
      await this.ping()
      return 0
    }
    const answer = await this.answer(qos === 1 ? 'PUBACK' : 'PUBREC')
    same(answer.packetId, packetId, `packet id of ${answer.kind}`)
    if (qos === 2 && answer.reason < 0x80) {
      this.send(ackBytes(0x62, packetId))
      same((await this.answer('PUBCOMP')).packetId, packetId, 'packet id of PUBCOMP')
    }
    return answer.reason
  }

  /** PINGREQ and its answer: everything sent before has been handled, everything due has come. */
  async ping(ms = patienceMs): Promise<void> {
    this.send(pingreqBytes())
    await this.answer('PINGRESP', ms)
  }

  /** After a ping the deliveries so far are exactly these payloads. */
  async hasOnly(payloads: ReadonlyArray<string>, what: string): Promise<void> {
    await this.ping()
    same(this.payloads(), payloads, what)
  }

  payloads(): string[] {
    return this.messages.map(payloadText)
  }

  /** An orderly end. */
  async disconnect(reason = 0, properties: Wire = ''): Promise<void> {
    this.send(disconnectBytes(this.level, reason, properties))
    await this.gone()
  }

  /** Cuts the connection so that the server sees a reset. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Cuts the connection so that the server sees its end without DISCONNECT. */
  destroy(): void {
    this.socket.destroy()
  }
}

export const payloadText = (seen: Seen): string => Buffer.from(seen.payload).toString()

/** Payload, QoS and flags in one word: `hi q1 retain`. */
export const deliveryText = (seen: Seen): string =>
  `${payloadText(seen)} q${seen.qos}${seen.retain ? ' retain' : ''}${seen.dup ? ' dup' : ''}`

/** The reason of the DISCONNECT that ended the connection; fails where there was none. */
export const farewell = async (peer: Peer, reason: number, ms = patienceMs): Promise<void> => {
  await peer.gone(ms)
  const last = peer.history[peer.history.length - 1]
  holds(
    last?.kind === 'DISCONNECT' && last.reason === reason,
    'the last packet before the connection was closed',
    `DISCONNECT ${reason.toString(16)}`,
    last === undefined ? 'no packet' : show(last),
  )
}
