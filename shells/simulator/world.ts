// A world in which a broker can be tried: its clients, the connections between them, the clock, and
// what may go wrong with any of it. Whatever is done happens at once and to its end, before the
// call returns; time passes only in `advance`.

import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Question } from '../../core/broker/effect.ts'
import type { Command } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import type { Delivery } from './clients.ts'
import { Client } from './clients.ts'
import type { Dice, Span } from './clock.ts'
import { Clock, createDice, millis, spanText } from './clock.ts'
import type { Arrivals, Connection, Delay } from './net.ts'
import { Pipe } from './net.ts'
import type { ClientWish, DelayOptions, SimulateOptions } from './options.ts'
import { Server } from './server.ts'
import { checkCommand } from '../common/shapes.ts'
import {
  checkArrivals,
  checkConnect,
  checkDelay,
  checkHolds,
  checkLines,
  checkName,
  checkReconfigure,
  checkSent,
  checkSimulate,
  checkTimer,
  wallMax,
} from './shapes.ts'
import { Transcript } from './transcript.ts'
import { shown } from '../common/wrong.ts'

/** Timers on the clock of a world, in the form that MQTT.js takes as its `timerVariant`. */
export interface Timers {
  /** Runs `work` every `ms` milliseconds until it is cleared; answers what `clear` takes. */
  set(work: () => void, ms: number): number
  clear(id: number): void
}

/** A client did not get what it should; the message ends with the conversation. */
export class Unexpected extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Unexpected'
  }
}

const usualWall = 1_800_000_000_000
const noDelay: Delay = { ms: 0, jitterMs: 0 }

const midMoment = 'time cannot pass in the middle of a moment: call advance from the test, after ' +
  'what it called has returned; world.timers.set plans something for later'

const underWay = 'time passes already: await the advanceAsync that is under way before the next ' +
  'advance or advanceAsync'

/** A name, or the client that has it. */
export type Who = string | Client

/** A broker with its clients, network and clock; `simulate` makes one. */
export class World {
  private readonly clock = new Clock()
  private readonly dice: Dice
  private readonly wallAtZero: number
  private readonly server: Server
  private readonly transcript: Transcript
  private readonly clients = new Map<string, Client>()
  /** The newest connection of each name. */
  private readonly connections = new Map<string, Connection>()
  private readonly delays = new Map<string, Delay>()
  private readonly stalled = new Set<string>()
  private readonly judge: ((question: Question) => number) | null
  private config: Config
  /** Something happens, and has not come to its end. */
  private isBusy = false
  /** An advance is under way. */
  private isAdvancing = false
  private timerId = 0
  private readonly running = new Set<number>()

  constructor(options: SimulateOptions) {
    checkSimulate(options)
    const { seed = 1, wall = usualWall, judge = null } = options
    this.judge = judge
    this.config = { ...defaults, ...options.config }
    this.dice = createDice(seed)
    this.wallAtZero = wall
    this.server = new Server({
      config: this.config,
      clock: this.clock,
      wall: () => this.wall,
      seed,
      judge,
    })
    const { showPings = false } = options
    this.transcript = new Transcript(this.clock, (conn) => this.server.nameOf(conn), showPings)
    this.server.attach(this.transcript)
  }

  /** Milliseconds since the world began. */
  get now(): number {
    return this.clock.now
  }

  /** The clock on the wall, in Unix milliseconds. */
  get wall(): number {
    return this.wallAtZero + this.clock.now
  }

  /** The broker as it is: a value that stays valid. */
  get state(): State {
    return this.server.state
  }

  /** For MQTT.js, and for whatever else a test plans: they run while time is told to pass. */
  readonly timers: Timers = {
    set: (work, ms) => {
      checkTimer(work, ms)
      const id = ++this.timerId
      this.running.add(id)
      const again = (): void => {
        this.clock.at(this.clock.now + Math.max(1, Math.ceil(ms)), () => {
          if (!this.running.has(id)) return
          work()
          again()
        })
      }
      again()
      return id
    },
    clear: (id) => {
      this.running.delete(id)
    },
  }

  /**
   * A client connects: MQTT 5, a clean start and a keep alive of 60 seconds unless `wish` says
   * otherwise. Its name is its client identifier. One that has connected before does so again, as
   * last time but for what `wish` says.
   */
  connect(name: string, wish: ClientWish = {}): Client {
    checkName('connect', name)
    checkConnect(wish)
    const client: Client = this.clients.get(name) ?? new Client(name, {
      clock: this.clock,
      open: (arrivals) => {
        // One whose wish was refused has never been there.
        this.clients.set(name, client)
        return this.open(name, arrivals)
      },
      settle: () => this.settle(),
    }, {})
    return client.connect(wish)
  }

  /** What a client has got since it was made, or since it was told to `forget`. */
  deliveries(who: Who): ReadonlyArray<Delivery> {
    return this.clientOf(who).deliveries
  }

  /**
   * Throws unless exactly this was delivered to a client, in this order: topic, blank, payload. The
   * error shows the conversation.
   */
  expect(who: Who, lines: ReadonlyArray<string>): void {
    checkLines(lines)
    const got = this.deliveries(who).map(({ topic, payload }) => `${topic} ${payload}`)
    if (got.length === lines.length && got.every((line, i) => line === lines[i])) return
    const listed = (all: ReadonlyArray<string>): string =>
      all.length === 0 ? '  nothing\n' : all.map((line) => `  ${line}\n`).join('')
    this.check(
      false,
      `${this.nameOf(who)} should have got\n${listed(lines)}and got\n${listed(got)}`,
    )
  }

  /** Throws unless `holds`; the error says what should hold and shows the conversation. */
  check(holds: boolean, what: string): void {
    checkHolds(holds, what)
    if (holds) return
    const text = what.endsWith('\n') ? what : `${what}\n`
    throw new Unexpected(`${text}in this conversation:\n${this.show()}`)
  }

  /** The conversation so far, a line for each packet and each fault. */
  show(): string {
    return this.transcript.text()
  }

  /**
   * Lets time pass: all that becomes due meanwhile happens, in order, each at its time. Not for
   * what the world calls, such as a judge: nothing else could happen before that returns.
   */
  advance(span: Span): void {
    if (this.isBusy) throw new Error(midMoment)
    const until = this.setOut(span)
    try {
      this.meetDelayed()
      this.settle()
      while (this.next() <= until) this.goOn()
      this.clock.pass(until)
    } finally {
      this.isAdvancing = false
    }
  }

  /**
   * The same for a world in which programs take part that wait for promises or streams: between two
   * moments everybody has time to answer. Await it: there is one advance at a time.
   */
  async advanceAsync(span: Span): Promise<void> {
    const until = this.setOut(span)
    try {
      await breath()
      this.meetDelayed()
      this.settle()
      while (this.next() <= until) {
        this.goOn()
        await breath()
        this.settle()
      }
      this.clock.pass(until)
    } finally {
      this.isAdvancing = false
    }
  }

  // Faults

  /**
   * The connection breaks. Both sides notice at once, and what was on its way is lost. One that has
   * vanished is gone already.
   */
  cut(who: Who): void {
    const connection = this.connectionOf(who)
    this.transcript.fault(`cut ${this.nameOf(who)}`)
    this.act(() => connection.fail())
  }

  /**
   * The client is gone without a word, as when its power fails: the broker hears nothing, and what
   * it sends is lost.
   */
  vanish(who: Who): void {
    const name = this.nameOf(who)
    const { up, down } = this.connectionOf(who)
    this.transcript.fault(`vanish ${name}`)
    up.cut()
    down.cut()
    this.clients.get(name)?.lost()
    this.settle()
  }

  /**
   * From now on bytes from and to this client take so long, on this connection and later ones. One
   * that has none yet is delayed from its CONNECT on, and has to connect before time passes.
   */
  delay(who: Who, span: Span, options: DelayOptions = {}): void {
    checkDelay(options)
    const { jitter = 0 } = options
    const name = this.nameOf(who)
    const delay = { ms: millis(span), jitterMs: millis(jitter) }
    const about = delay.jitterMs === 0 ? '' : ` jitter ${spanText(delay.jitterMs)}`
    this.transcript.fault(`delay ${name} ${spanText(delay.ms)}${about}`)
    this.delays.set(name, delay)
    const connection = this.connections.get(name)
    if (connection === undefined) return
    connection.up.delay = delay
    connection.down.delay = delay
  }

  /** The client reads nothing more, so that what it is owed piles up; it still sends. */
  stall(who: Who): void {
    const { name, down } = this.connectionOf(who)
    this.transcript.fault(`stall ${name}`)
    this.stalled.add(name)
    down.stall()
  }

  /** The client reads again. */
  resume(who: Who): void {
    const { name, down } = this.connectionOf(who)
    this.transcript.fault(`resume ${name}`)
    this.stalled.delete(name)
    down.resume()
    this.settle()
  }

  /** From now on it takes so long until what the broker writes is on its disk. */
  slowDisk(span: Span): void {
    this.server.flushMs = millis(span)
    this.transcript.fault(`disk ${spanText(this.server.flushMs)}`)
  }

  /**
   * The broker's process is killed. All connections fail, nobody can connect until `restart`, and
   * what was not on disk by now is lost; without `persistence` that is everything.
   */
  crash(): void {
    this.transcript.fault('crash')
    this.act(() => this.server.crash())
  }

  /** The broker starts again with what is on its disk; one that runs is stopped in order first. */
  restart(): void {
    if (this.server.isUp) {
      this.transcript.fault('stop')
      this.act(() => this.server.stop())
    }
    this.transcript.fault('start')
    this.act(() => this.server.start())
  }

  // What the operator does

  /**
   * The broker is given a command: kick somebody, publish a message of its own, and so on. One that
   * does not run hears nothing of it.
   */
  command(command: Command): void {
    checkCommand(command)
    this.act(() => this.server.command(command))
  }

  /**
   * The broker gets another configuration; whoever is connected stays so. Whether it has a disk
   * (`persistence`) is settled when it begins, and so by the next `restart`.
   */
  reconfigure(some: Partial<Config>): void {
    checkReconfigure(some, this.judge)
    this.config = { ...this.config, ...some }
    this.act(() => this.server.reconfigure(this.config))
  }

  // For clients that bring their own bytes

  /**
   * Opens a connection for somebody who speaks MQTT by himself. It fails at once while there is no
   * broker. Whoever sends on it calls `settle` afterwards.
   */
  open(name: string, arrivals: Arrivals): Connection {
    checkName('open', name)
    checkArrivals(arrivals)
    const { clock, dice, server } = this
    const delay = this.delays.get(name) ?? noDelay
    const down: Pipe = new Pipe(clock, dice, delay, {
      bytes: (bytes) => {
        arrivals.bytes(bytes)
        if (link !== null) server.taken(link)
      },
      gone: (why) => arrivals.gone(why),
    })
    const lose = (): void => {
      const knows = down.isOver
      up.cut()
      down.cut()
      if (!knows) arrivals.gone('failed')
    }
    const link = server.isUp ? server.open(name, down, lose) : null
    const up: Pipe = new Pipe(clock, dice, delay, {
      bytes: (bytes) => link !== null && server.received(link, bytes),
      gone: (why) => link !== null && server.gone(link, why),
    })
    if (link === null) {
      this.transcript.fault(`${name} finds no broker`)
      clock.at(clock.now, lose)
    }
    if (this.stalled.has(name)) down.stall()
    const connection: Connection = {
      name,
      up,
      down,
      send: (bytes) => {
        checkSent('send on a connection', bytes)
        up.send(bytes.slice())
      },
      end: () => up.send('closed'),
      fail: () => {
        // The broker hears nothing more of one that has vanished.
        const isHeard = !up.isOver
        lose()
        if (isHeard && link !== null) server.gone(link, 'failed')
      },
    }
    this.connections.set(name, connection)
    return connection
  }

  /** Lets everything happen that is due now. */
  settle(): void {
    this.act(() => {})
  }

  /** Does something, and lets happen what is due then. */
  private act(work: () => void): void {
    // What follows from what is done from within happens when the one who is at it comes to it.
    if (this.isBusy) return work()
    this.isBusy = true
    try {
      work()
      do {
        this.clock.settle()
        this.server.wake()
      } while (this.next() <= this.clock.now)
    } finally {
      this.isBusy = false
    }
  }

  /** Begins to advance, alone; answers until when. */
  private setOut(span: Span): number {
    if (this.isAdvancing) throw new Error(underWay)
    const until = this.clock.now + millis(span)
    if (this.wallAtZero + until > wallMax) {
      throw new TypeError(
        `${shown(span)} is too long: no clock shows what comes after ${wallMax} Unix milliseconds`,
      )
    }
    this.isAdvancing = true
    return until
  }

  /** A misspelt name would delay nobody, and what the test shows would be another thing. */
  private meetDelayed(): void {
    for (const name of this.delays.keys()) {
      if (this.connections.has(name)) continue
      throw new TypeError(
        `${name} is delayed and has never had a connection: connect it before time passes, or ` +
          'delay it later',
      )
    }
  }

  private next(): number {
    return Math.min(this.clock.due(), this.server.due())
  }

  private goOn(): void {
    this.clock.pass(this.next())
    this.settle()
  }

  private nameOf(who: Who): string {
    if (typeof who === 'string') return who
    if (!(who instanceof Client)) {
      throw new TypeError(
        `a client is its name, or what connect has answered, and not ${shown(who)}`,
      )
    }
    // Another world may have somebody of the same name.
    if (this.clients.get(who.name) === who) return who.name
    throw new TypeError(`${who.name} is a client of another world: connect it in this one`)
  }

  private clientOf(who: Who): Client {
    const name = this.nameOf(who)
    const client = this.clients.get(name)
    if (client === undefined) throw new TypeError(`there is no client ${name}: connect it first`)
    return client
  }

  private connectionOf(who: Who): Connection {
    const name = this.nameOf(who)
    const connection = this.connections.get(name)
    if (connection === undefined) {
      throw new TypeError(`${name} has never had a connection: connect it first`)
    }
    return connection
  }
}

/** A world with a broker in it, and nobody else yet. */
export const simulate = (options: SimulateOptions = {}): World => new World(options)

/** The real one: a test may have put one in its place that waits for the test. */
const { setTimeout: later } = globalThis

/** Everybody who waits for a promise, a stream or a timer that is due has a turn. */
const breath = async (): Promise<void> => {
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => later(resolve, 0))
}
