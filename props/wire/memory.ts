// Plays exchanges against the core in memory: reader, step and encoder, and the least of a driver
// between them. Bytes come whole, or one at a time; each buffer is overwritten when its turn is
// over, so that whoever kept what was only lent is found out.

import type { Config, Conn, Effect, Input, Note, State } from '../../core/mod.ts'
import * as broker from '../../core/mod.ts'
import { createReader, defaultLimits, defaults, encode } from '../../core/mod.ts'
import type { Reader } from '../../core/codec/mod.ts'
import { bytes as parse } from '../conformance/wire.ts'
import { Account } from './account.ts'
import type { Exchange, Room, Step } from './exchange.ts'
import { addressOf, knowledgeOf, roomConfigs, verdictOn } from './rooms.ts'

class Client {
  readonly account: Account
  readonly conn: Conn
  readonly reader: Reader
  isClosed = false
  isPaused = false
  isDeaf = false
  sentBytes = 0
  /** What the broker noted when it ended the connection: the reason, and the rule if one broke. */
  endReason = 0
  brokenClause: string | null = null

  constructor(account: Account, conn: Conn, reader: Reader) {
    this.account = account
    this.conn = conn
    this.reader = reader
  }
}

/** One broker and its clients. */
class House {
  private state: State
  private readonly config: Config
  private readonly address: string
  private readonly clients = new Map<string, Client>()
  private readonly bySlot: Client[] = []
  private now = 0
  /** Verdicts on clients and what authentication methods wanted to know. */
  private readonly answers: Input[] = []

  constructor(room: Room) {
    this.config = configOf(room)
    this.address = addressOf(room)
    this.state = broker.initial(this.config, { at: 0, wall: 0, seed: 1 })
  }

  client(who: string): Client {
    const client = this.clients.get(who)
    if (client === undefined) throw new Error(`${who} has not been dialled`)
    return client
  }

  dial(account: Account): void {
    const slot = this.bySlot.length
    const conn = { slot, generation: slot + 1 }
    const { packetBytesMax, connectPacketBytesMax } = this.config
    const limits = { ...defaultLimits, packetBytesMax, connectPacketBytesMax }
    const client = new Client(account, conn, createReader(limits))
    this.bySlot.push(client)
    this.clients.set(account.who, client)
    const nonce = `11111111-1111-4111-8111-${String(slot).padStart(12, '0')}`
    const peer = { address: this.address, port: 50_000 }
    this.take(broker.opened(conn, this.now, nonce, 'test', peer))
    this.settle()
  }

  /** One turn: the client's bytes have been read. */
  receive(client: Client, bytes: Uint8Array): void {
    const buffer = Uint8Array.from(bytes)
    client.reader.push(buffer, 0, buffer.length)
    this.decode(client)
    client.reader.release()
    buffer.fill(0xee)
    this.settle()
  }

  private decode(client: Client): void {
    while (!client.isClosed && !client.isPaused) {
      const next = client.reader.next()
      if (next === null) return
      this.take(
        next._tag === 'Left'
          ? broker.broke(client.conn, this.now, next.left)
          : broker.arrived(client.conn, this.now, next.right),
      )
    }
  }

  lose(client: Client): void {
    this.take(broker.closed(client.conn, this.now, 'closed'))
    client.isClosed = true
    this.settle()
  }

  wait(ms: number): void {
    this.now += ms
    this.settle()
  }

  /** What somebody says who is no client. */
  order([verb = '', object = '']: ReadonlyArray<string>): void {
    this.take(orderOf(verb, object, this.now))
    this.settle()
  }

  private take(input: Input): void {
    const [state, effects] = broker.run(this.state, [input])
    this.state = state
    for (const effect of effects) this.carryOut(effect)
  }

  /** What is due now is done, and sockets take what they are given. */
  private settle(): void {
    for (let answer = this.answers.shift(); answer; answer = this.answers.shift()) {
      this.take(answer)
      for (const client of this.bySlot) this.decode(client)
    }
    for (const client of this.bySlot) {
      if (!client.isClosed && !client.isDeaf && client.sentBytes > 0) {
        this.take(broker.written(client.conn, this.now, client.sentBytes))
      }
    }
    for (let i = 0; broker.deadline(this.state) <= this.now; i++) {
      if (i > 10_000) throw new Error('the broker wants to be told the time again and again')
      this.take(broker.ticked(this.now, this.now))
    }
  }

  private carryOut(effect: Effect): void {
    switch (effect._tag) {
      case 'Send':
        return this.tell(effect.conn, encode(effect.level, effect.packet))
      case 'Multicast':
        for (const conn of effect.conns) this.tell(conn, encode(effect.level, effect.packet))
        return
      case 'Close':
        this.at(effect.conn).isClosed = true
        return
      case 'Pause':
        this.at(effect.conn).isPaused = true
        return
      case 'Resume':
        this.at(effect.conn).isPaused = false
        return
      case 'Judge':
        this.answers.push(broker.judged(effect.conn, this.now, verdictOn(effect.question)))
        return
      case 'Ask': {
        const known = knowledgeOf(effect.query)
        // The broker's half of every nonce.
        if (known === null) return
        this.answers.push(broker.answered(effect.conn, this.now, 'NONCE', known))
        return
      }
      case 'Note':
        return this.note(effect.note)
    }
  }

  private note(note: Note): void {
    if (note._tag !== 'ConnectionEnded') return
    const client = this.at(note.conn)
    client.endReason = note.reason
    client.brokenClause = note.fault?.clause ?? null
  }

  private tell(conn: Conn, bytes: Uint8Array): void {
    const client = this.at(conn)
    if (client.isClosed) throw new Error('the broker speaks to a connection that it has closed')
    client.sentBytes += bytes.length
    client.account.see(bytes)
  }

  private at(conn: Conn): Client {
    return this.bySlot[conn.slot]!
  }
}

const configOf = (room: Room): Config => ({ ...defaults, ...roomConfigs[room] })

/** An order, in the words of README.md. */
const orderOf = (verb: string, object: string, now: number): Input => {
  switch (verb) {
    case 'memory':
      return object === 'short' ? broker.memoryShort(now) : broker.memoryFree(now)
    case 'store':
      return object === 'full' ? broker.storeFull(now) : broker.storeFree(now)
    case 'room':
      return broker.reconfigured(now, configOf(object as Room))
    case 'stop':
      return broker.commanded(now, { _tag: 'Stop' })
    case 'redirect':
      return broker.commanded(now, { _tag: 'Redirect' })
    case 'kick':
      return broker.commanded(now, { _tag: 'Kick', clientId: object })
    default:
      throw new Error(`no such order: ${verb}`)
  }
}

/** Rows with the long packets are not cut into single bytes. */
const bytesCutMax = 1_000

const act = (house: House, step: Step, row: Exchange, cut: boolean, fill: Fill): string | null => {
  if (step._tag === 'Order') {
    house.order(step.words.map(fill))
    return null
  }
  if (step._tag === 'Wait') {
    house.wait(step.ms)
    return null
  }
  if (step._tag === 'Dial') {
    house.dial(new Account(step.who, step.level))
    return null
  }
  const client = house.client(step.who)
  const { account } = client
  switch (step._tag) {
    case 'Send': {
      const sent = parse(fill(step.bytes))
      if (cut && sent.length <= bytesCutMax) {
        for (const byte of sent) house.receive(client, Uint8Array.of(byte))
      } else house.receive(client, sent)
      return null
    }
    case 'Hear':
      account.expect(parse(fill(step.bytes)))
      return account.compare(false)
    case 'Open':
      if (client.isClosed) return `${step.who}'s connection is closed\n${account.compare(true)}`
      house.receive(client, Uint8Array.of(0xc0, 0))
      account.expect(Uint8Array.of(0xd0, 0))
      return account.compare(true)
    case 'Closed': {
      const wrong = account.compare(true)
      if (wrong !== null) return wrong
      if (!client.isClosed) return `${step.who}'s connection is open`
      return ending(client, step, row)
    }
    case 'Lost':
      house.lose(client)
      return null
    case 'Deaf':
      client.isDeaf = true
      return null
  }
}

/** Whether a connection ended for the reason that the row gives and a rule that it cites. */
const ending = (
  { endReason, brokenClause }: Client,
  { who, reason }: Extract<Step, { readonly _tag: 'Closed' }>,
  { cited }: Exchange,
): string | null => {
  if (reason !== null && endReason !== reason) {
    return `the broker gives the reason 0x${endReason.toString(16)}`
  }
  return brokenClause === null || who !== 'a' || cited.includes(brokenClause)
    ? null
    : `the broker says that ${brokenClause} was broken, the row is about ${cited}`
}

/** Puts the row's prefix into a text. */
type Fill = (text: string) => string

/** Plays a row; null, or what was not as it should be. `cut`: all bytes come one at a time. */
export const playInMemory = (row: Exchange, prefix: string, cut: boolean): string | null => {
  const house = new House(row.room)
  const fill: Fill = (text) => text.replaceAll('~', prefix)
  for (const [index, step] of row.steps.entries()) {
    try {
      const wrong = act(house, step, row, cut, fill)
      if (wrong !== null) return `step ${index + 1} (${stepText(step)}): ${wrong}`
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      return `step ${index + 1} (${stepText(step)}) threw: ${said}`
    }
  }
  return null
}

/** A step as the failure of a row names it. */
export const stepText = (step: Step): string =>
  step._tag === 'Wait'
    ? `wait ${step.ms}`
    : step._tag === 'Order'
    ? `order ${step.words.join(' ')}`
    : `${step.who} ${step._tag}${'bytes' in step ? ` ${step.bytes.slice(0, 160)}` : ''}`
