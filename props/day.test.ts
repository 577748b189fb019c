// A day of a busy broker, in seconds: thousands of clients connect, subscribe, publish, fall
// silent, come back or never do, for 24 hours by the clock of the inputs. Everybody does the same
// each hour, only under new names and topics, so after each hour the broker must be exactly as
// large as it was after the first. What grows with the age of a broker and not with its work is
// found here, be it a map, a queue, a timer or an object that nobody counts.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as IntMap from '../core/data/int-map.ts'
import * as Queue from '../core/data/queue.ts'
import * as StrMap from '../core/data/str-map.ts'
import * as Window from '../core/data/window.ts'
import {
  arrived,
  closed,
  type Conn,
  deadline,
  defaults,
  type Effect,
  encodedSize,
  initial,
  type Input,
  opened,
  Packet,
  run,
  type State,
  ticked,
  written,
} from '../core/mod.ts'
import * as Tree from '../core/topic/tree.ts'
import { checkTimers } from './model/invariants.ts'

const day = suite('day')

const minuteMs = 60_000
const originWall = 1_800_000_000_000

/** How many clients there are; every one lives through three rounds an hour. */
const clientCount = 2_000
const roundMinutes = 20

/** How a client ends its connection, by its index modulo 4. */
const endings = ['politely', 'abruptly', 'silently', 'taken over'] as const

interface Client {
  readonly index: number
  conn: Conn | null
  nextPacketId: number
  /** PUBLISH that the broker has to acknowledge. */
  unacknowledged: number
}

class Day {
  state: State = initial(defaults, { at: 0, wall: originWall, seed: 7 })
  deliveredCount = 0
  readonly dropped = new Map<string, number>()
  readonly ended = new Map<string, number>()
  wills = 0
  private minute = 0
  private inputs: Input[] = []
  private readonly clients: Client[] = []
  private readonly bySlot: Array<Client | null> = []
  private readonly freeSlots: number[] = []
  private generation = 0
  /** One who is there all day and hears everything that is retained. */
  private readonly observer: Client = { index: -1, conn: null, nextPacketId: 1, unacknowledged: 0 }
  private observedBytes = 0

  constructor(count: number) {
    for (let index = 0; index < count; index++) {
      this.clients.push({ index, conn: null, nextPacketId: 1, unacknowledged: 0 })
    }
    this.open(this.observer)
    this.say(this.observer, Packet.connect({ clientId: 'observer', keepAliveS: 0 }))
    this.say(this.observer, Packet.subscribe([{ filter: 'state/#', qos: 1 }], 1))
    this.settle()
  }

  /** An hour of minutes, and at its end nothing is under way. */
  hour(): void {
    for (let i = 0; i < 60; i++) {
      this.minute++
      this.passTime(this.minute * minuteMs)
      for (let index = 0; index < this.clients.length; index++) this.act(this.clients[index]!)
      this.settle()
      if (this.observer.conn === null) throw new Error('the observer lost its connection')
      this.inputs.push(written(this.observer.conn, this.at, this.observedBytes))
      this.settle()
    }
  }

  /** In four digits, so that every hour says as much as the others. */
  private get stamp(): string {
    return stampOf(this.minute)
  }

  private get at(): number {
    return this.minute * minuteMs
  }

  /** What the broker wanted to be woken for, one moment after another. */
  private passTime(until: number): void {
    for (let next = deadline(this.state); next <= until; next = deadline(this.state)) {
      const at = Math.max(next, this.state.now)
      this.feed([ticked(at, originWall + at)])
      this.settle()
    }
    this.feed([ticked(until, originWall + until)])
  }

  /** What a client does in this minute, by how far it is in its round. */
  private act(client: Client): void {
    const { index } = client
    const phase = (this.minute + index) % roundMinutes
    if (phase === 0) return this.connect(client)
    if (client.conn === null) return
    if (phase === 1) return this.subscribe(client)
    if (phase === 2 || phase === 5 || phase === 8) return this.publish(client, phase)
    if (phase === 10) return this.unsubscribe(client)
    if (phase === 12) return this.leave(client)
    if (phase === 17 && endings[index % 4] === 'taken over') this.say(client, { _tag: 'Pingreq' })
  }

  private connect(client: Client): void {
    const { index } = client
    // Of those who are taken over, the old connection is still there.
    this.open(client)
    // A tenth come once under a name that is never seen again.
    const clientId = index % 10 === 0 ? `guest-${this.stamp}-${index}` : `client-${index}`
    const level = index % 3 === 0 ? 4 : 5
    // From ended at once over gone before they return to kept until they do.
    const sessionExpiryInterval = [0, 120, 1_800][index % 7 % 3]!
    const will = {
      topic: `will/${this.stamp}/${index}`,
      payload: 'gone',
      qos: 1,
      properties: level === 5 ? { willDelayInterval: 30 } : {},
    } as const
    this.say(
      client,
      Packet.connect({
        clientId,
        level,
        cleanStart: level === 4 || sessionExpiryInterval === 0,
        keepAliveS: 300,
        ...(index % 2 === 0 ? { will } : {}),
        ...(level === 5 ? { properties: { sessionExpiryInterval } } : {}),
      }),
    )
  }

  private subscribe(client: Client): void {
    const { index, nextPacketId } = client
    const room = index % 1_000
    client.nextPacketId++
    this.say(
      client,
      Packet.subscribe([
        { filter: `room/${room}/+`, qos: index % 5 === 0 ? 2 : 1 },
        { filter: `$share/crew-${room % 50}/jobs/${room % 50}/#`, qos: 1 },
        // A filter that is in the tree for a while and never again.
        `once/${this.stamp}/${index}`,
      ], nextPacketId),
    )
  }

  private unsubscribe(client: Client): void {
    const { requests } = Packet.subscribe(`once/${stampOf(this.minute - 9)}/${client.index}`)
    const filters = requests.map(({ filter }) => filter)
    const packetId = client.nextPacketId++
    this.say(client, { _tag: 'Unsubscribe', packetId, filters, properties: {} })
  }

  private publish(client: Client, phase: number): void {
    const { index } = client
    const qos = phase === 2 ? 0 : phase === 5 ? 1 : index % 3 === 0 ? 2 : 1
    if (qos > 0) client.unacknowledged++
    const packetId = qos === 0 ? 0 : client.nextPacketId++
    const room = (index + phase) % 1_000
    const payload = `minute ${this.stamp}`
    // Some are retained: on topics of their own for ten minutes, or on one that is cleared again.
    const isBrief = phase === 8 && index % 3 !== 0
    const topic = isBrief
      ? `state/${this.stamp}/${index}`
      : phase === 5 && index % 2 === 0
      ? `state/${index}`
      : index % 11 === 0
      ? `jobs/${index % 50}/${this.stamp}`
      : `room/${room}/${this.stamp}`
    // Or for longer than a day, and replaced three times an hour: each leaves its timer behind.
    const isLasting = phase === 5 && index % 4 === 2 && index % 3 !== 0
    const isState = topic.startsWith('state/')
    const isCleared = isState && !isBrief && index % 4 === 0
    this.say(
      client,
      Packet.publish({
        topic,
        qos,
        packetId,
        payload: isCleared ? '' : payload,
        retain: isState,
        properties: isBrief
          ? { messageExpiryInterval: 600 }
          : isLasting
          ? { messageExpiryInterval: 100_000 }
          : {},
      }),
    )
    if (isCleared) this.say(client, Packet.publish({ topic, payload, retain: true }))
    if (isCleared) this.say(client, Packet.publish({ topic, payload: '', retain: true }))
  }

  private leave(client: Client): void {
    const { conn, index } = client
    if (conn === null) return
    switch (endings[index % 4]) {
      case 'politely':
        return this.say(client, { _tag: 'Disconnect', reason: 0, properties: {} })
      case 'abruptly':
        this.inputs.push(closed(conn, this.at, 'failed'))
        return this.forget(conn)
      default:
        // Silence ends the connection when the keep alive is over, or a new one takes it over.
    }
  }

  private open(client: Client): void {
    const slot = this.freeSlots.pop() ?? this.bySlot.length
    const conn: Conn = { slot, generation: ++this.generation }
    const peer = { address: '127.0.0.1', port: 1_024 + slot }
    this.bySlot[slot] = client
    client.conn = conn
    client.nextPacketId = 1
    client.unacknowledged = 0
    this.inputs.push(opened(conn, this.at, `N-${this.generation}`, '1883', peer))
  }

  private forget(conn: Conn): void {
    const client = this.bySlot[conn.slot]
    if (client?.conn === conn) client.conn = null
    this.bySlot[conn.slot] = null
    this.freeSlots.push(conn.slot)
  }

  private say(client: Client, packet: Packet): void {
    if (client.conn !== null) this.inputs.push(arrived(client.conn, this.at, packet))
  }

  /** Until every answer has been answered. */
  private settle(): void {
    while (this.inputs.length > 0) {
      const inputs = this.inputs
      this.inputs = []
      this.feed(inputs)
    }
  }

  private feed(inputs: ReadonlyArray<Input>): void {
    const [state, effects] = run(this.state, inputs)
    this.state = state
    for (let i = 0; i < effects.length; i++) this.carryOut(effects[i]!)
  }

  private carryOut(effect: Effect): void {
    switch (effect._tag) {
      case 'Send':
        return this.hear(effect.conn, effect.packet)
      case 'Multicast':
        for (const conn of effect.conns) this.hear(conn, effect.packet)
        return
      case 'Close':
        return this.forget(effect.conn)
      case 'Note': {
        const { note } = effect
        if (note._tag === 'Dropped') count(this.dropped, note.why)
        if (note._tag === 'ConnectionEnded') count(this.ended, note.ending)
        if (note._tag === 'SessionEnded') count(this.ended, `session ${note.why}`)
        if (note._tag === 'WillPublished') this.wills++
      }
    }
  }

  private hear(conn: Conn, packet: Packet): void {
    const client = conn === this.observer.conn ? this.observer : this.bySlot[conn.slot]
    if (conn === this.observer.conn) this.observedBytes += encodedSize(5, packet)
    if (client === null || client === undefined || client.conn !== conn) return
    const answer = (_tag: 'Puback' | 'Pubrec' | 'Pubrel' | 'Pubcomp', packetId: number): void =>
      this.say(client, { _tag, packetId, reason: 0, properties: {} })
    switch (packet._tag) {
      case 'Connack':
        if (packet.reason !== 0) throw new Error(`client ${client.index} was refused`)
        return
      case 'Publish':
        this.deliveredCount++
        if (packet.qos === 1) answer('Puback', packet.packetId)
        if (packet.qos === 2) answer('Pubrec', packet.packetId)
        return
      case 'Pubrec':
        return answer('Pubrel', packet.packetId)
      case 'Pubrel':
        return answer('Pubcomp', packet.packetId)
      case 'Puback':
      case 'Pubcomp':
        client.unacknowledged--
        return
      default:
    }
  }

  /** Clients whose messages were not acknowledged although they are connected. */
  get owed(): number {
    return this.clients.filter(({ conn, unacknowledged }) => conn !== null && unacknowledged !== 0)
      .length
  }
}

const stampOf = (minute: number): string => String(minute).padStart(4, '0')

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Messages that wait for clients who are away: a few more or less, as the turns of groups go. */
const queuedIn = (state: State): number => {
  let sum = 0
  IntMap.each(state.sessions, ({ queue }) => (sum += Queue.size(queue)))
  return sum
}

/** Everything else in a state that has a size. */
const sizesOf = (state: State): Record<string, number> => {
  const sizes = {
    links: IntMap.size(state.links),
    greeting: IntMap.size(state.greeting),
    addresses: StrMap.size(state.addresses),
    sessions: IntMap.size(state.sessions),
    clients: StrMap.size(state.clients),
    filters: Tree.size(state.filters.tree),
    turns: IntMap.size(state.turns),
    retained: Tree.size(state.retained),
    retainedBytes: state.retainedBytes,
    retainedExpiring: state.retainedExpiring,
    catching: state.catching.size,
    subscriptions: 0,
    inWindows: 0,
    incoming: 0,
    catchUps: 0,
  }
  IntMap.each(state.sessions, (session) => {
    sizes.subscriptions += StrMap.size(session.subscriptions)
    sizes.inWindows += Window.size(session.window)
    sizes.incoming += Window.size(session.incoming)
    sizes.catchUps += session.catchUps.size
  })
  return sizes
}

/** Objects and array places that a state holds on to, and the bytes of its buffers. */
const weightOf = (state: State): { readonly objects: number; readonly bytes: number } => {
  const seen = new Set<object>()
  const stack: object[] = [state]
  let objects = 0
  let bytes = 0
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    if (seen.has(one)) continue
    seen.add(one)
    objects++
    if (ArrayBuffer.isView(one)) {
      bytes += one.buffer.byteLength
      continue
    }
    if (Array.isArray(one)) objects += one.length
    for (const value of Object.values(one)) {
      if (typeof value === 'object' && value !== null) stack.push(value)
    }
  }
  return { objects, bytes }
}

day('24 hours of traffic leave the broker as large as the first hour did', () => {
  const world = new Day(clientCount)
  world.hour()
  const first = sizesOf(world.state)
  const firstQueued = queuedIn(world.state)
  const firstWeight = weightOf(world.state)
  for (let hour = 2; hour <= 24; hour++) {
    world.hour()
    assert.equal(sizesOf(world.state), first, `after hour ${hour}`)
    assert.ok(queuedIn(world.state) <= 1.2 * firstQueued, `after hour ${hour} more is queued`)
    // Timers are lazy: what nobody needs is swept out when it outnumbers what lives.
    checkTimers(world.state)
    assert.is(world.owed, 0, `after hour ${hour} nobody waits for an acknowledgement`)
  }
  // A quarter more is what deeper trees need for larger numbers; a single object left behind by
  // each connection would be more.
  const { objects, bytes } = weightOf(world.state)
  const grown = `${firstWeight.objects} objects became ${objects}`
  assert.ok(objects <= 1.25 * firstWeight.objects, grown)
  assert.ok(bytes <= 1.1 * firstWeight.bytes, `${firstWeight.bytes} bytes became ${bytes}`)

  // The day was a real one: everything that ends did end, and nothing else was dropped.
  const { dropped, ended } = world
  for (const why of ['exceeded timeout', 'connection failed', 'session taken over']) {
    assert.ok((ended.get(why) ?? 0) > 1_000, `${why}: ${ended.get(why)}`)
  }
  assert.ok((ended.get('session expired') ?? 0) > 1_000)
  assert.ok(world.wills > 1_000 && world.deliveredCount > 500_000)
  const allowed = ['offline', 'no subscriber', 'expired', 'session ended']
  assert.equal([...dropped.keys()].filter((why) => !allowed.includes(why)), [])
})

day.run()
