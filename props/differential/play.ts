// Holds a conversation with a broker over sockets, and writes down what each client received at
// each step, in words that do not depend on who the broker is. After each step everybody waits
// until the broker has answered his ping and nothing new has come: then everything due has come.

import type { Buffer } from 'node:buffer'
import * as net from 'node:net'
import { within } from '../conformance/expect.ts'
import type { Level, Seen } from '../conformance/wire.ts'
import {
  ackBytes,
  bytes,
  connectBytes,
  disconnectBytes,
  hex16,
  hex32,
  pingreqBytes,
  publishBytes,
  Splitter,
  subscribeBytes,
  unsubscribeBytes,
  varint,
} from '../conformance/wire.ts'
import type { Mood, Name, Step, Talk } from './talk.ts'
import { names } from './talk.ts'

/** What came to a client in one step, in order. */
export type Received = ReadonlyMap<string, ReadonlyArray<string>>

const patienceMs = 10_000
const willDelayS = 1_000

type Publishing = Extract<Step, { readonly act: 'publish' }>

/** What a client remembers from connection to connection. */
interface Memory {
  holds: 'nothing' | Mood
  /** Of this connection, by topic alias. */
  aliases: Map<number, string>
  /** Own messages that are not finished, and QoS 2 messages whose PUBREL is held back. */
  unfinished: Publishing[]
  unreleased: number[]
  subscribeId: number
  /** What was received under a packet identifier. */
  readonly received: Map<number, string>
}

const hex2 = (value: number): string => value.toString(16).padStart(2, '0')

const propertiesOf = (seen: Seen): string => {
  const words = seen.properties.map(({ name, value }) => {
    if (name === 'assignedClientIdentifier') return name
    // Who says a topic by an alias, and when, is his own business.
    if (name === 'topicAlias') return ''
    // It counts down while the conversation goes on.
    if (name === 'messageExpiryInterval') {
      return `${name}=${Math.ceil(Number(value) / 100) * 100}`
    }
    return `${name}=${value}`
  })
  const said = words.filter((one) => one !== '')
  return said.length === 0 ? '' : ` {${said.sort().join(' ')}}`
}

class Connection {
  readonly level: Level
  readonly socket: net.Socket
  readonly #splitter = new Splitter()
  readonly #hear: (seen: Seen) => void
  readonly closed: Promise<void>
  isClosed = false
  pongs = 0
  failure: Error | null = null
  #wake: () => void = () => {}

  constructor(port: number, level: Level, hear: (seen: Seen) => void) {
    this.level = level
    this.#hear = hear
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true
        this.#wake()
        resolve()
      })
    })
  }

  #take(chunk: Buffer): void {
    this.#splitter.push(chunk)
    try {
      for (let seen = this.#splitter.next(this.level); seen !== null;) {
        if (seen.kind === 'PINGRESP') this.pongs++
        else this.#hear(seen)
        seen = this.#splitter.next(this.level)
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error))
      this.socket.destroy()
    }
    this.#wake()
  }

  send(packet: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(packet)
  }

  /** Resolves when the broker has answered everything up to here, or closed. */
  ping(): Promise<void> {
    if (this.isClosed) return Promise.resolve()
    const wanted = this.pongs + 1
    this.send(pingreqBytes())
    return within(
      patienceMs,
      'an answer to a ping',
      new Promise((resolve) => {
        this.#wake = () => {
          if (this.pongs >= wanted || this.isClosed) resolve()
        }
        this.#wake()
      }),
    )
  }
}

class Player {
  readonly #port: number
  readonly #prefix: string
  readonly #online = new Map<Name, Connection>()
  readonly #memories = new Map<Name, Memory>()
  #lines = new Map<string, string[]>()
  /** Packets that came since the beginning. */
  #count = 0

  constructor(port: number, seed: number) {
    this.#port = port
    this.#prefix = `x${seed}`
    for (const name of names) {
      this.#memories.set(name, {
        holds: 'nothing',
        aliases: new Map(),
        unfinished: [],
        unreleased: [],
        subscribeId: 30_000,
        received: new Map(),
      })
    }
  }

  #write(who: string, line: string): void {
    const lines = this.#lines.get(who)
    if (lines === undefined) this.#lines.set(who, [line])
    else lines.push(line)
  }

  /** Writes a packet down and answers it, as far as the client is in the mood to. */
  #hear(who: Name, connection: Connection, seen: Seen): void {
    this.#count++
    const isOld = this.#online.get(who) !== connection
    const memory = this.#memories.get(who)!
    this.#write(isOld ? `${who} before` : who, this.#lineOf(memory, seen))
    if (isOld) return
    const { kind, packetId } = seen
    const finish = (): void => {
      memory.unfinished = memory.unfinished.filter((one) => one.packetId !== packetId)
    }
    switch (kind) {
      case 'CONNACK':
        if (!seen.sessionPresent) {
          memory.unfinished = []
          memory.unreleased = []
        }
        return
      case 'PUBLISH':
      case 'PUBREL':
        if (memory.holds === 'everything' || (memory.holds === 'releases' && kind === 'PUBREL')) {
          this.#owed(who).push(seen)
        } else this.#acknowledge(connection, seen, memory.holds === 'refuse')
        return
      case 'PUBACK':
        return finish()
      case 'PUBREC': {
        const isWithheld = memory.unfinished.find((one) => one.packetId === packetId)?.withheld
        finish()
        if (seen.reason >= 0x80) return
        if (isWithheld === true) memory.unreleased.push(packetId)
        else connection.send(ackBytes(0x62, packetId))
        return
      }
    }
  }

  readonly #owing = new Map<Name, Seen[]>()

  #owed(who: Name): Seen[] {
    const owed = this.#owing.get(who) ?? []
    this.#owing.set(who, owed)
    return owed
  }

  #acknowledge(connection: Connection, { kind, qos, packetId }: Seen, refuses = false): void {
    if (refuses && kind === 'PUBLISH' && qos > 0) {
      connection.send(
        ackBytes(qos === 1 ? 0x40 : 0x50, packetId, connection.level === 5 ? 0x97 : 0),
      )
    } else if (kind === 'PUBREL') connection.send(ackBytes(0x70, packetId))
    else if (qos > 0) connection.send(ackBytes(qos === 1 ? 0x40 : 0x50, packetId))
  }

  #lineOf(memory: Memory, seen: Seen): string {
    const { kind, packetId, qos } = seen
    switch (kind) {
      case 'CONNACK':
        return `CONNACK ${hex2(seen.reason)}${seen.sessionPresent ? ' present' : ''}` +
          propertiesOf(seen)
      case 'PUBLISH': {
        const payload = new TextDecoder().decode(seen.payload)
        if (qos > 0) memory.received.set(packetId, payload.slice(0, 10))
        const flags = `${seen.retain ? ' retain' : ''}${seen.dup ? ' dup' : ''}`
        const alias = seen.properties.find(({ name }) => name === 'topicAlias')
        if (alias !== undefined && seen.topic !== '') {
          memory.aliases.set(Number(alias.value), seen.topic)
        }
        const whole = seen.topic === ''
          ? memory.aliases.get(Number(alias?.value)) ?? 'unknown'
          : seen.topic
        const topic = whole.replace(this.#prefix, 'x')
        const shown = payload.replace(/z+$/, (some) => String(some.length))
        return `PUBLISH ${topic} ${shown} q${qos}${flags}${propertiesOf(seen)}`
      }
      case 'PUBREL': {
        const reason = seen.reason === 0 ? '' : ` ${hex2(seen.reason)}`
        return `PUBREL of ${memory.received.get(packetId) ?? 'nothing'}${reason}${
          propertiesOf(seen)
        }`
      }
      default: {
        const reasons = [seen.reason, ...seen.reasons].map(hex2).join(' ')
        return `${kind} ${packetId} ${reasons}${propertiesOf(seen)}`
      }
    }
  }

  /** Plays a step, or some that leave together; answers what everybody received, in order. */
  async play(steps: ReadonlyArray<Step>): Promise<Received> {
    this.#lines = new Map()
    const socket = this.#online.get(steps[0]!.who)?.socket
    if (steps.length > 1) socket?.cork()
    const acts = steps.map((one) => this.#act(one))
    if (steps.length > 1) socket?.uncork()
    await Promise.all(acts)
    const step = steps[0]!
    let count = -1
    // What is acknowledged may make room for more, so until a round of pings has brought nothing.
    for (let round = 0; round < 2 || count !== this.#count; round++) {
      count = this.#count
      await this.#online.get(step.who)?.ping()
      await Promise.all([...this.#online.values()].map((one) => one.ping()))
    }
    for (const [who, connection] of [...this.#online]) {
      if (connection.failure !== null) this.#write(who, `breaks: ${connection.failure.message}`)
      if (!connection.isClosed) continue
      this.#write(who, 'is closed')
      this.#online.delete(who)
    }
    return this.#lines
  }

  async #act(step: Step): Promise<void> {
    const { who } = step
    if (step.act === 'connect') return await this.#connect(step)
    const connection = this.#online.get(who)
    if (connection === undefined) return
    const memory = this.#memories.get(who)!
    const { level } = connection
    switch (step.act) {
      case 'subscribe': {
        const properties = level === 5 && step.identifier > 0
          ? bytes(`0b ${varint(step.identifier).toString('hex')}`)
          : ''
        connection.send(
          subscribeBytes(level, ++memory.subscribeId, step.requests, properties),
        )
        return
      }
      case 'unsubscribe':
        connection.send(unsubscribeBytes(level, ++memory.subscribeId, step.filters))
        return
      case 'publish':
        if (step.qos > 0) memory.unfinished.push(step)
        connection.send(this.#publishBytes(level, step, false))
        return
      case 'again': {
        const last = memory.unfinished.at(-1)
        if (last !== undefined) connection.send(this.#publishBytes(level, last, true))
        return
      }
      case 'stray':
        connection.send(ackBytes(step.first, 29_999))
        return
      case 'release':
        for (const packetId of memory.unreleased) connection.send(ackBytes(0x62, packetId))
        memory.unreleased = []
        return
      case 'hold':
        memory.holds = step.what
        return
      case 'answer':
        memory.holds = 'nothing'
        for (const one of this.#owed(who).splice(0)) this.#acknowledge(connection, one)
        return
      case 'disconnect': {
        const properties = level === 5 && step.expiryS !== null
          ? bytes(`11 ${hex32(step.expiryS)}`)
          : ''
        connection.send(disconnectBytes(level, step.reason, properties))
        return await this.#end(who, connection)
      }
      case 'drop':
        connection.socket.end()
        return await this.#end(who, connection)
    }
  }

  #publishBytes(level: Level, step: Publishing, dup: boolean): Uint8Array {
    const alias = level === 5 && step.alias > 0 ? ` 23 ${hex16(step.alias)}` : ''
    return publishBytes({
      level,
      topic: step.topic,
      payload: step.payload,
      qos: step.qos,
      packetId: step.packetId,
      retain: step.retain,
      dup,
      properties: level === 5 ? bytes(`${step.properties}${alias}`) : '',
    })
  }

  /** The client ends its connection and waits until the broker has noticed. */
  async #end(who: Name, connection: Connection): Promise<void> {
    await within(patienceMs, `the end of ${who}`, connection.closed)
    this.#online.delete(who)
  }

  async #connect(step: Extract<Step, { readonly act: 'connect' }>): Promise<void> {
    const { who, level, will } = step
    const before = this.#online.get(who)
    const memory = this.#memories.get(who)!
    memory.holds = 'nothing'
    memory.aliases = new Map()
    this.#owed(who).splice(0)
    const connection: Connection = new Connection(
      this.#port,
      level,
      (seen) => this.#hear(who, connection, seen),
    )
    this.#online.set(who, connection)
    const properties = [
      step.expiryS === null ? '' : `11 ${hex32(step.expiryS)}`,
      step.receiveMaximum === null ? '' : `21 ${hex16(step.receiveMaximum)}`,
      step.packetBytesMax === null ? '' : `27 ${hex32(step.packetBytesMax)}`,
      step.aliasMax === null ? '' : `22 ${hex16(step.aliasMax)}`,
      step.wantsReasons ? '' : '17 00',
    ].join(' ')
    connection.send(connectBytes({
      level,
      id: `${this.#prefix}${who}`,
      clean: step.clean,
      keepAliveS: 300,
      properties: level === 5 ? bytes(properties) : '',
      ...(will === null ? {} : {
        will: {
          ...will,
          properties: level === 5
            ? bytes(`${will.properties} ${will.delayed ? `18 ${hex32(willDelayS)}` : ''}`)
            : '',
        },
      }),
    }))
    await connection.ping()
    if (before === undefined) return
    // Who is refused takes nothing over.
    if (connection.isClosed && !before.isClosed) {
      this.#online.set(who, before)
      this.#write(who, 'is closed')
      return
    }
    await within(patienceMs, `the end of the connection before of ${who}`, before.closed)
    this.#write(`${who} before`, 'is closed')
  }

  /** Ends everything, and every session with it. */
  async end(): Promise<void> {
    this.#lines = new Map()
    for (const connection of this.#online.values()) connection.socket.destroy()
    this.#online.clear()
    for (const who of names) {
      await this.#connect({
        act: 'connect',
        who,
        level: 4,
        clean: true,
        expiryS: null,
        receiveMaximum: null,
        packetBytesMax: null,
        aliasMax: null,
        wantsReasons: true,
        will: null,
      })
      this.#online.get(who)!.send(disconnectBytes(4))
      await this.#end(who, this.#online.get(who)!)
    }
  }
}

export interface Session {
  readonly play: (steps: ReadonlyArray<Step>) => Promise<Received>
  readonly end: () => Promise<void>
}

export const begin = (port: number, talk: Talk): Session => {
  const player = new Player(port, talk.seed)
  return { play: (step) => player.play(step), end: () => player.end() }
}
