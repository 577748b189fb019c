// The loop between the sockets of a runtime and the broker: what is read becomes inputs, the broker
// turns them into effects, and what these send becomes one write per socket. One turn of the
// runtime's event loop is one turn here. Decides who is served when, how much at a time, and when a
// socket is read, paused, ended and destroyed; knows no runtime, and what the packets mean is the
// broker's business alone.

import type { Config } from '../../core/broker/config.ts'
import type { Effect } from '../../core/broker/effect.ts'
import * as Input from '../../core/broker/input.ts'
import type { Conn, Gone, Peer } from '../../core/broker/input.ts'
import type { DropReason } from '../../core/broker/note.ts'
import type { State } from '../../core/broker/state.ts'
import { publish } from '../../core/codec/make.ts'
import { createReader, defaultLimits, trimSpares } from '../../core/codec/mod.ts'
import type { Limits } from '../../core/codec/mod.ts'
import * as core from '../../core/mod.ts'
import { askWhat, askWho, traceOf } from './asking.ts'
import type { Asker, Judge, Know } from './asking.ts'
import { Batches } from './batches.ts'
import type { Broker } from './batches.ts'
import { Farewells } from './farewells.ts'
import type { Host } from './host.ts'
import { Keeper } from './keeper.ts'
import { Link, never } from './link.ts'
import type { Log } from './log.ts'
import { MemoryWatch } from './memory.ts'
import { isEmpty, Office, unwrittenBytes, unwrittenPackets } from './outbox.ts'
import type { Wire } from './outbox.ts'
import type { Recorder } from './recorder.ts'
import { Slots } from './slots.ts'
import type { Store } from './store.ts'

export interface DriverOptions {
  readonly config: Config
  readonly host: Host
  readonly log: Log
  readonly broker?: Broker
  /** What the process may use, in place of what the host says; 0 for as much as it gets. */
  readonly memoryLimitBytes?: number
  /**
   * Answers who may connect with an MQTT 5 reason code, 0 for yes. Asked only where the
   * configuration says `authentication: 'judge'`; without it everybody is refused there.
   */
  readonly judge?: Judge
  /**
   * Answers what authentication methods ask; without it everybody who names one of those that the
   * configuration offers is refused.
   */
  readonly know?: Know
  /** Is called before each connection that is let in. */
  readonly opening?: () => void
  /** Without it the broker begins with nothing and keeps nothing. */
  readonly restored?: Restored
}

/** A broker that was made of a store, and where it keeps what outlives the process from then on. */
export interface Restored {
  readonly store: Store
  readonly state: State
  readonly effects: ReadonlyArray<Effect>
}

/** What has happened since the driver was made. */
export interface Counters {
  /** Sockets that are open, lingering ones too. */
  readonly connections: number
  readonly opened: number
  readonly receivedBytes: number
  readonly turns: number
  readonly inputs: number
  readonly effects: number
  /** Messages that did not reach somebody, by reason. */
  readonly dropped: { readonly [reason in DropReason]: number }
}

// The limits of a turn. A connection's share is the size of one read; the times, for reading and
// for writing, are what others may have to wait for.
const turnBytesMax = 64 * 1024
const turnMsMax = 5
const flushMsMax = 5
// As long as a turn is of no more than this, the processor has at hand what it reads, decodes and
// writes from one to the next.
const freshBytesMax = 1024 * 1024
const earlyTurnsMax = 3
// Where so many have said a little each, there is nothing to be saved by waiting for more of them,
// and who was read from first would wait for all the others.
const briefLinks = 12
const briefBytes = 512
// But while the host reads, its timers and signals, the store's thread and whoever has spoken only
// now are kept waiting: all these turns together last no longer than one in their place may.
const briefMsMax = turnMsMax + flushMsMax
// A write takes a few microseconds, and a look at the clock is not much less.
const writesPerLook = 32
// Nobody is listened to who is owed more than this that waits for the disk, or anything at all
// while everybody together is owed so much, or so much waits to be written.
const heldBytesMax = 1024 * 1024
const heldBytesOfAllMax = 16 * 1024 * 1024
const gatheredBytesMax = 16 * 1024 * 1024

// A socket is paused while more than this waits undecoded.
const waitingBytesMax = 64 * 1024

// What it leaves behind to open a connection, about: what was needed once, and young objects.
const helloBytes = 16 * 1024
// And one effect, with what it tells of.
const effectBytes = 100

const timerMsMax = 0x7fffffff

const nothing = (): void => {}

/** The store has failed: an operator's trouble, for which the broker is not at fault. */
export class StoreError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StoreError'
  }
}

/** The loop. A shell makes one and tells it what its sockets do. */
export class Driver {
  private readonly host: Host
  private readonly log: Log
  private readonly batches: Batches
  private readonly judge: Judge | null
  private readonly know: Know | null
  private readonly opening: () => void
  private limits: Limits
  private readonly epoch: number
  private readonly office: Office<Link>
  private readonly memory: MemoryWatch
  private readonly keeper: Keeper | null
  /** Links that are not listened to until the disk has caught up. */
  private choked: Array<Link> = []
  /** The broker's time when the driver was made. */
  private readonly base: number

  /** Sockets that are open, lingering ones too. */
  connections = 0
  private openedCount = 0
  private receivedBytes = 0
  private turnCount = 0

  private readonly slots = new Slots()
  /** By slot; null where a slot is free. */
  private readonly links: Array<Link | null> = []
  private generation = 0

  /** Links to be served, in turn; those before `head` have been. */
  private queue: Array<Link> = []
  private head = 0
  /** Bytes that were lent since the last turn began. */
  private freshBytes = 0
  /** How many turns were taken early since the host has called. */
  private earlyTurns = 0
  /** Until when one may be where many say a little each; `never` if none was. */
  private briefUntil = never
  /** Inputs from nobody's socket: commands and verdicts. */
  private extra: Array<Input.Input> = []
  /** Links whose Closed is in the batch. */
  private departing: Array<Link> = []
  /** Links that hold bytes of somebody else's read buffer. */
  private borrowing: Array<Link> = []
  /** Links with nothing borrowed, of whose readers packets were asked: of what they hold. */
  private readonly drawing: Array<Link> = []
  private readonly farewells = new Farewells()

  private at = 0
  /** A turn is wanted. */
  private scheduled = false
  /** The host is going to call `turn`. */
  private pending = false
  private armedFor = never
  /** Something was due already when the host began to read last, or a timer has said so. */
  private isTimeUp = false
  private stopping = false
  private dead = false
  private stopped: (() => void) | null = null
  private readonly turn = (): void => {
    this.pending = false
    this.earlyTurns = 0
    this.briefUntil = never
    // It may have been taken earlier.
    if (this.scheduled) this.takeTurn(true)
  }
  private readonly timer = (): void => {
    this.armedFor = never
    // After a standstill of the process a timer comes before what has arrived meanwhile is read.
    this.isTimeUp = true
    this.schedule()
  }
  private readonly settle = (link: Link): void => this.afterWrite(link)
  private readonly dismiss = (link: Link): void => this.destroy(link)
  private readonly asker: Asker = {
    now: () => this.now(),
    nonce: () => this.host.nonce(),
    tell: (input) => this.tell(input),
    complain: (text) => this.log.error(text),
  }
  private flushUntil = 0
  private flushed = 0
  private readonly isFlushOver = (): boolean => {
    this.flushed += 1
    return this.flushed % writesPerLook === 0 && this.host.now() >= this.flushUntil
  }

  constructor(options: DriverOptions) {
    const { config, host } = options
    this.host = host
    this.log = options.log
    this.judge = options.judge ?? null
    this.know = options.know ?? null
    this.opening = options.opening ?? nothing
    this.limits = limitsOf(config)
    this.memory = new MemoryWatch(host, options.memoryLimitBytes ?? null)
    this.epoch = host.now()
    const { restored } = options
    this.base = restored === undefined ? 0 : restored.state.now
    const { log, broker = core } = options
    const state = restored === undefined
      ? broker.initial(config, { at: 0, wall: host.wall(), seed: host.seed })
      : restored.state
    const carryOut = (effect: Effect): void => this.carryOut(effect)
    this.batches = new Batches({ broker, state, log, now: () => host.now(), carryOut })
    this.keeper = restored === undefined ? null : this.keep(restored.store)
    this.office = new Office(
      (bytes) => host.allocate(bytes),
      (conn) => this.linkOf(conn),
    )
    if (restored !== undefined) {
      for (const effect of restored.effects) this.carryOut(effect)
      // Nobody may have anything to say for long, and the next restart counts from this one.
      this.keeper!.push(this.base)
      this.memory.litter(this.base)
    }
    this.log.attach((topic, text) => this.command(publishing(topic, text)))
    this.arm()
  }

  /**
   * A connection has been accepted. `listener` names the port or path for the log. The shell hands
   * what it reads to `received` and calls `closed` at the end.
   */
  opened(wire: Wire, listener: string, peer: Peer): Link {
    this.opening()
    const slot = this.slots.take()
    this.generation += 1
    const conn: Conn = { slot, generation: this.generation }
    const hello = { nonce: this.host.nonce(), listener, peer }
    const link = new Link(wire, conn, createReader(this.limits, 0, false), hello)
    while (this.links.length <= slot) this.links.push(null)
    this.links[slot] = link
    this.openedCount += 1
    this.connections += 1
    if (this.dead) {
      link.hello = null
      this.leave(link)
      this.destroy(link)
    } else {
      this.enqueue(link)
    }
    return link
  }

  /**
   * Bytes have been read, and all of them belong to a packet that goes on behind them: they have
   * been copied to what there is of it, and the buffer is free at once. False: nothing was done.
   */
  absorbed(link: Link, buffer: Uint8Array, start: number, end: number): boolean {
    // Who is not listened to is stopped before a packet is whole.
    if (link.paused || link.choked || link.silent || link.gone !== null) return false
    if (!link.reader.absorb(buffer, start, end)) return false
    this.receivedBytes += end - start
    if (link.reader.continues(this.now())) {
      link.continued = true
      this.enqueue(link)
    }
    return true
  }

  /**
   * Bytes have been read. True: they are lent until `wire.released` is called at the end of the
   * turn. False: nobody wants them, the buffer is free at once.
   */
  received(link: Link, buffer: Uint8Array, start: number, end: number): boolean {
    this.receivedBytes += end - start
    // After the last word what the peer still says is read and thrown away.
    if (link.silent || link.gone !== null) return false
    link.reader.push(buffer, start, end)
    this.freshBytes += end - start
    if (!link.borrowing) {
      link.borrowing = true
      this.borrowing.push(link)
    }
    if (link.reader.waiting > waitingBytesMax) this.stop(link)
    if (link.paused) this.schedule()
    else this.enqueue(link)
    return true
  }

  /**
   * For a wire to call after `received`, with nothing else to do, if its writes are done within
   * their calls: what has come is served before more is read, if it is as much as a processor keeps
   * at hand, only so often, or a little from each of several, only so long, since the host has more
   * to do than to read.
   */
  relieve(): void {
    const linkCount = this.borrowing.length
    const isBrief = linkCount >= briefLinks && this.freshBytes <= linkCount * briefBytes
    const isMuch = this.freshBytes >= freshBytesMax && this.earlyTurns < earlyTurnsMax
    if (isMuch) this.earlyTurns += 1
    else if (!isBrief || this.isBriefOver()) return
    this.takeTurn(false)
  }

  private isBriefOver(): boolean {
    const now = this.host.now()
    if (this.briefUntil === never) this.briefUntil = now + briefMsMax
    return now >= this.briefUntil
  }

  /** The kernel has taken `count` more bytes of what `wire.write` did not take at once. */
  taken(link: Link, count: number): void {
    if (link.destroyed) return
    this.office.taken(link, count)
    this.afterWrite(link)
  }

  /** The peer has ended its side ('closed') or the socket is broken ('failed'). */
  closed(link: Link, why: Gone): void {
    if (link.destroyed) return
    if (link.gone === null) link.gone = why
    if (why === 'failed') {
      link.gone = why
      this.office.drop(link)
      if (isDeaf(link)) link.paused = false
    }
    if (link.silent) this.afterWrite(link)
    else this.enqueue(link)
  }

  counters(): Counters {
    return {
      connections: this.connections,
      opened: this.openedCount,
      receivedBytes: this.receivedBytes,
      turns: this.turnCount,
      inputs: this.batches.inputCount,
      effects: this.batches.effectCount,
      dropped: this.batches.state.counters.dropped,
    }
  }

  /**
   * Tells the broker to stop: MQTT 5 clients get a DISCONNECT after what they are owed. Calls
   * `done` when the last socket is gone, which slow readers can delay by a few seconds at most.
   */
  halt(done: () => void): void {
    this.stopped = done
    if (!this.stopping) {
      this.stopping = true
      this.command({ _tag: 'Stop' })
    }
    this.maybeStopped()
  }

  /** The broker as it is; it stays valid. */
  look(): State {
    return this.batches.state
  }

  /** Gives the broker a command at the next turn. */
  command(command: Input.Command): void {
    this.tell(Input.commanded(this.now(), command))
  }

  /** Gives the broker a new configuration at the next turn; whoever is connected stays so. */
  reconfigure(config: Config): void {
    this.limits = limitsOf(config)
    this.tell(Input.reconfigured(this.now(), config))
  }

  /** Records everything from now on, or nothing more; what was being recorded ends. */
  record(recorder: Recorder | null): void {
    this.batches.record(recorder, 'asked to', this.now())
    this.arm()
  }

  /** Destroys every socket at once and forgets everything. */
  kill(): void {
    this.dead = true
    this.batches.record(null, 'the broker has ended', this.at)
    for (let i = 0; i < this.links.length; i++) {
      const link = this.links[i]
      if (link) this.destroy(link)
    }
    for (const link of this.farewells.takeAll()) this.destroy(link)
    // No turn ends any more.
    for (const link of this.borrowing) link.wire.released()
    this.borrowing.length = 0
    this.queue = []
    this.head = 0
    this.host.disarm()
    this.maybeStopped()
  }

  private now(): number {
    return this.base + Math.floor(this.host.now() - this.epoch)
  }

  private tell(input: Input.Input): void {
    this.extra.push(input)
    this.schedule()
  }

  private enqueue(link: Link): void {
    if (link.queued) return
    link.queued = true
    this.queue.push(link)
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled || this.dead) return
    this.scheduled = true
    if (this.pending) return
    this.pending = true
    this.host.schedule(this.turn)
  }

  /** `isRead`: the host has read from everybody who had said something. */
  private takeTurn(isRead: boolean): void {
    this.scheduled = false
    if (this.dead) return
    try {
      this.work(isRead)
    } catch (error) {
      // Neither a peer nor the operator can cause this: going on would mean serving from a state
      // that nobody understands. What it was told last is in the recording, without a last line.
      this.batches.save(this.at)
      this.kill()
      this.log.error(`the broker itself is at fault and stops: ${traceOf(error)}`)
      this.host.fatal(error)
    }
  }

  private work(isRead: boolean): void {
    this.turnCount += 1
    this.freshBytes = 0
    this.at = this.now()
    if (this.memory.look(this.at)) {
      this.batches.push(
        this.memory.isShort ? Input.memoryShort(this.at) : Input.memoryFree(this.at),
      )
    }
    this.serveAll(this.host.now() + turnMsMax)
    // Commands come after what clients had sent by then, and time is told last, and not before all
    // of that has been read: what was sent before a keep alive ran out counts, be it that the whole
    // process stood still while it did.
    const { extra } = this
    if (extra.length > 0) {
      this.extra = []
      for (let i = 0; i < extra.length; i++) this.batches.push(extra[i]!)
    }
    if (isRead && this.isTimeUp && this.batches.deadline <= this.at) {
      this.hearAll()
      if (this.batches.state.sys.dueAt <= this.at) {
        const { heapUsedBytes } = this.host.memory()
        this.batches.push(Input.measured(this.at, this.measure(Math.round(heapUsedBytes))))
      }
      this.batches.push(Input.ticked(this.at, this.host.wall()))
    }
    this.run()
    if (isRead) this.isTimeUp = this.batches.deadline <= this.at
    if (this.keeper !== null) this.keeper.push(this.at)
    this.flushUntil = this.host.now() + flushMsMax
    this.office.flush(this.settle, this.isFlushOver)
    const { borrowing } = this
    for (let i = 0; i < borrowing.length; i++) {
      const link = borrowing[i]!
      link.borrowing = false
      link.reader.release()
      link.wire.released()
    }
    borrowing.length = 0
    const { drawing } = this
    for (let i = 0; i < drawing.length; i++) drawing[i]!.reader.release()
    drawing.length = 0
    if (this.farewells.dueAt <= this.at) this.farewells.end(this.at, this.dismiss)
    this.log.flush(this.at)
    this.batches.attend(this.at)
    const isBehind = this.head < this.queue.length || this.office.isBehind
    if (isBehind || this.extra.length > 0) this.schedule()
    const trafficBytes = this.receivedBytes + helloBytes * this.openedCount
    if (this.memory.rests(this.at, trafficBytes, effectBytes * this.batches.effectCount)) {
      this.office.trim()
      trimSpares()
    }
    this.arm()
    this.maybeStopped()
  }

  /** For `$SYS`, once in a while: what waits is counted packet by packet. */
  private measure(heapBytes: number): Input.Measures {
    let waitingPackets = 0
    let waitingBytes = 0
    for (let i = 0; i < this.links.length; i++) {
      const link = this.links[i]
      if (link === undefined || link === null || isEmpty(link)) continue
      waitingPackets += unwrittenPackets(link)
      waitingBytes += unwrittenBytes(link)
    }
    return { receivedBytes: this.receivedBytes, heapBytes, waitingPackets, waitingBytes }
  }

  /** Serves the links that were waiting when the turn began, until the time is over. */
  private serveAll(until: number): void {
    let left = this.queue.length - this.head
    while (left > 0) {
      left -= 1
      const link = this.queue[this.head]!
      this.head += 1
      link.queued = false
      this.serve(link, until)
      if (this.batches.isFull) this.run()
      if (this.host.now() >= until) break
    }
    // Who was not served stands before all others next time. The served ones are forgotten here,
    // all at once or when they are most of the array.
    if (this.head === this.queue.length) {
      this.queue.length = 0
      this.head = 0
    } else if (this.head > 1024 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head)
      this.head = 0
    }
  }

  /**
   * Takes one packet of every link that was not served in this turn, so that nobody is told off for
   * keeping silent whose words have been read and only wait for their turn.
   */
  private hearAll(): void {
    // A CONNECT of this turn may be one to be judged, and then nothing behind it may be decoded.
    this.run()
    const end = this.queue.length
    for (let i = this.head; i < end; i++) this.serve(this.queue[i]!, 0, 1)
  }

  /** Turns what one link has to say into inputs: at most its share of a turn. */
  private serve(link: Link, until: number, packetsMax = Infinity): void {
    if (link.silent) return
    const { conn, reader } = link
    const { hello } = link
    if (hello !== null) {
      link.hello = null
      this.batches.push(Input.opened(conn, this.at, hello.nonce, hello.listener, hello.peer))
    }
    if (link.due) {
      link.due = false
      link.reportedBytes = link.takenBytes
      this.batches.push(Input.written(conn, this.at, link.takenBytes))
    }
    if (link.continued) {
      link.continued = false
      this.batches.push(Input.continued(conn, this.at))
    }
    if (!link.borrowing && reader.waiting > 0) this.drawing.push(link)
    const from = reader.consumed
    let count = 0
    while (!link.paused && !link.silent && count < packetsMax) {
      if (link.held !== null && this.isTooMuch(link)) return this.choke(link)
      if (reader.consumed - from >= turnBytesMax) return this.enqueue(link)
      const result = reader.next()
      if (result === null) return this.exhausted(link)
      if (result._tag === 'Left') {
        link.silent = true
        this.batches.push(Input.broke(conn, this.at, result.left))
        break
      }
      const packet = result.right
      const input = Input.arrived(conn, this.at, packet)
      // What follows a CONNECT or an AUTH waits for the run that answers it: only then is it known
      // whether it is to be judged, or refused. The next turn comes after that run.
      if (packet._tag === 'Connect' || packet._tag === 'Auth') {
        this.batches.push(input)
        if (reader.waiting > 0 || link.stopped || link.gone !== null) this.enqueue(link)
        return
      }
      this.batches.arrived(input, reader)
      count += 1
      if (this.batches.isFull) {
        this.run()
        if (this.host.now() >= until) return this.enqueue(link)
      }
    }
  }

  private isTooMuch(link: Link): boolean {
    return link.heldBytes > heldBytesMax || this.office.heldBytes > heldBytesOfAllMax ||
      this.keeper!.gatheredBytes > gatheredBytesMax
  }

  private choke(link: Link): void {
    if (link.choked) return
    link.choked = true
    this.choked.push(link)
  }

  private keep(store: Store): Keeper {
    return new Keeper(store, () => this.host.wall(), {
      durable: (batch) => {
        if (this.dead) return
        this.office.free(batch)
        const { choked } = this
        this.choked = []
        for (const link of choked) {
          link.choked = false
          this.enqueue(link)
        }
        // What has gathered meanwhile sets out at once, what was held back leaves with the turn.
        this.keeper!.push(this.now())
        this.schedule()
      },
      full: (why) => {
        this.log.warn(`The store is full: ${why}`)
        this.tell(Input.storeFull(this.now()))
      },
      // Nobody else may have anything to say by then.
      stillFull: () => this.arm(),
      free: () => this.tell(Input.storeFree(this.now())),
      broken: (why) => {
        if (this.dead) return
        this.kill()
        this.log.error(`The store has failed, and nothing more can be promised: ${why}`)
        this.log.flush(this.now())
        this.host.fatal(new StoreError(why))
      },
    })
  }

  /** All whole frames of the link have been decoded. */
  private exhausted(link: Link): void {
    if (link.gone === null) {
      if (link.reader.continues(this.at)) this.batches.push(Input.continued(link.conn, this.at))
      if (link.stopped) this.restart(link)
      return
    }
    link.silent = true
    this.departing.push(link)
    this.batches.push(Input.closed(link.conn, this.at, link.gone))
  }

  /** Runs the broker over what it has been told; who has said that he leaves is gone then. */
  private run(): void {
    this.batches.run()
    const { departing } = this
    for (let i = 0; i < departing.length; i++) this.depart(departing[i]!)
    departing.length = 0
  }

  private carryOut(effect: Effect): void {
    switch (effect._tag) {
      case 'Send': {
        const link = this.linkOf(effect.conn)
        if (link === null) return
        const { packet } = effect
        if (packet._tag === 'Connack' && packet.reason === 0) {
          // What the client was told counts, or, where it was told nothing, what counts now: the
          // configuration may have changed since the connection was opened.
          const { maximumPacketSize } = packet.properties
          link.accepted = true
          link.reader.accept(maximumPacketSize ?? this.limits.packetBytesMax)
        }
        const { keeper } = this
        const batch = effect.when === 'now' || keeper === null || keeper.safe === keeper.issued
          ? 0
          : keeper.issued
        return this.office.send(link, effect.level, packet, batch)
      }
      case 'Multicast':
        return this.office.multicast(effect.conns, effect.level, effect.packet)
      case 'Close': {
        const link = this.linkOf(effect.conn)
        if (link !== null) this.leave(link)
        return
      }
      case 'Pause': {
        const link = this.linkOf(effect.conn)
        if (link !== null && !isDeaf(link)) link.paused = true
        return
      }
      case 'Resume': {
        const link = this.linkOf(effect.conn)
        if (link === null || !link.paused) return
        link.paused = false
        return this.enqueue(link)
      }
      case 'Judge':
        return askWho(
          this.asker,
          this.judge,
          effect.conn,
          effect.question,
          () => this.linkOf(effect.conn) !== null,
        )
      case 'Ask':
        return askWhat(this.asker, this.know, effect)
      case 'Persist':
        if (this.keeper === null) throw new Error('the broker stores and there is no store')
        return this.keeper.add(effect)
      case 'Note':
        return this.log.note(effect.note)
    }
  }

  private linkOf(conn: Conn): Link | null {
    const link = this.links[conn.slot]
    if (link === undefined || link === null) return null
    return link.conn.generation === conn.generation ? link : null
  }

  /** The peer's Closed has been told: its slot is free, and it is still owed what was sent. */
  private depart(link: Link): void {
    if (this.linkOf(link.conn) === link) this.leave(link)
  }

  /** The broker has nothing more to do with this link: it goes once everything owed has left. */
  private leave(link: Link): void {
    this.links[link.conn.slot] = null
    this.slots.give(link.conn.slot)
    link.silent = true
    link.due = false
    this.office.seal(link)
    if (link.stopped) this.restart(link)
    this.farewells.begin(link, this.at)
    if (!link.dirty) this.afterWrite(link)
  }

  /** After bytes of the link have left, or might have. */
  private afterWrite(link: Link): void {
    if (link.due && !link.silent) this.enqueue(link)
    if (!Farewells.isDone(link)) return
    if (link.gone !== null) return this.destroy(link)
    if (link.ended) return
    link.ended = true
    link.wire.end()
    this.farewells.told(link, this.now())
    this.arm()
  }

  private destroy(link: Link): void {
    if (link.destroyed) return
    link.destroyed = true
    link.silent = true
    this.office.drop(link)
    link.wire.destroy()
    this.connections -= 1
    if (this.stopped !== null) this.schedule()
  }

  private stop(link: Link): void {
    if (link.stopped) return
    link.stopped = true
    link.wire.pause()
  }

  private restart(link: Link): void {
    link.stopped = false
    link.wire.resume()
  }

  /** Has the next turn come no later than something is due. */
  private arm(): void {
    if (this.dead) return
    let due = this.batches.deadline
    if (this.farewells.dueAt < due) due = this.farewells.dueAt
    const logDue = this.log.due()
    if (logDue < due) due = logDue
    const memoryDue = this.memory.due()
    if (memoryDue < due) due = memoryDue
    const storeDue = this.keeper === null ? never : this.keeper.due(never)
    if (storeDue < due) due = storeDue
    const recorderDue = this.batches.recorderDue
    if (recorderDue < due) due = recorderDue
    // A timer that fires too early is cheaper than one that is moved all the time.
    if (due >= this.armedFor) return
    const delayMs = due - this.now()
    if (delayMs <= 0) return this.schedule()
    this.armedFor = due
    this.host.arm(delayMs < timerMsMax ? delayMs : timerMsMax, this.timer)
  }

  private maybeStopped(): void {
    if (this.stopped === null || this.connections > 0) return
    if (!this.dead && (this.scheduled || this.extra.length > 0)) return
    // What nobody waits for any more is stored all the same.
    if (!this.dead && this.keeper !== null && !this.keeper.isSettled) return
    const done = this.stopped
    this.stopped = null
    this.kill()
    done()
  }
}

/** What a shell tells the driver of a connection. */
export type Ear = Pick<Driver, 'opened' | 'absorbed' | 'received' | 'relieve' | 'taken' | 'closed'>

export const createDriver = (options: DriverOptions): Driver => new Driver(options)

/**
 * Nobody reads its answers any more, so it need not wait for that to be heard: what it has said,
 * and then that it is gone. Whether a client is let in at all may still be asked.
 */
const isDeaf = (link: Link): boolean => link.accepted && link.gone === 'failed'

const limitsOf = (config: Config): Limits => ({
  ...defaultLimits,
  packetBytesMax: config.packetBytesMax,
  connectPacketBytesMax: config.connectPacketBytesMax,
})

const utf8 = new TextEncoder()

/** A line of the log for whoever has subscribed to it; nobody wants it half a minute later. */
const publishing = (topic: string, text: string): Input.Command => {
  const properties = { messageExpiryInterval: 20 }
  const packet = publish({ topic, payload: utf8.encode(text), qos: 2, properties })
  return { _tag: 'Publish', packet }
}
