// What a peer may make the broker hold, and whom it may make wait: the answers are numbers, and
// here they are reached and passed through the pure core.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  arrived,
  Bytes,
  closed,
  type Config,
  type Conn,
  deadline,
  defaults,
  type Effect,
  encode,
  encodedSize,
  initial,
  type Input,
  memoryFree,
  memoryShort,
  none,
  opened,
  Packet,
  reconfigured,
  run,
  type State,
  ticked,
  written,
} from '../core/mod.ts'
import type { Level } from '../core/codec/packet.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as Queue from '../core/data/queue.ts'
import { filter } from './gen/histories.ts'

const pressure = suite('pressure')

/** A broker with a clock, whose sockets take everything unless they are told to stall. */
class Bench {
  state: State
  now = 0
  private opening = 0
  private readonly sent = new Map<Conn, number>()
  readonly stalled = new Set<Conn>()
  readonly got = new Map<Conn, Array<Packet>>()
  /** All but what was sent. */
  readonly effects: Array<Effect> = []
  readonly paused = new Set<Conn>()

  constructor(config: Partial<Config> = {}) {
    this.state = initial({ ...defaults, ...config }, { at: 0, wall: 0, seed: 7 })
  }

  feed(...inputs: ReadonlyArray<Input>): void {
    const [state, effects] = run(this.state, inputs)
    this.state = state
    const moved = new Set<Conn>()
    for (const effect of effects) {
      if (effect._tag === 'Pause') this.paused.add(effect.conn)
      if (effect._tag === 'Resume') this.paused.delete(effect.conn)
      if (effect._tag !== 'Send' && effect._tag !== 'Multicast') this.effects.push(effect)
      const conns = effect._tag === 'Send'
        ? [effect.conn]
        : effect._tag === 'Multicast'
        ? effect.conns
        : []
      if (effect._tag !== 'Send' && effect._tag !== 'Multicast') continue
      for (const conn of conns) {
        const { packet } = effect
        this.sent.set(conn, (this.sent.get(conn) ?? 0) + encodedSize(effect.level, packet))
        this.got.get(conn)!.push(packet)
        moved.add(conn)
      }
    }
    for (const conn of moved) if (!this.stalled.has(conn)) this.drainSocket(conn)
  }

  drainSocket(conn: Conn): void {
    this.stalled.delete(conn)
    this.feed(written(conn, this.now, this.sent.get(conn) ?? 0))
  }

  client(clientId: string, properties = {}, cleanStart = true, level: Level = 5): Conn {
    return this.connect(
      Packet.connect({ clientId, keepAliveS: 0, cleanStart, properties, level }),
    )
  }

  connect(packet: Packet): Conn {
    const conn = { slot: this.opening, generation: ++this.opening }
    this.got.set(conn, [])
    const peer = { address: '127.0.0.1', port: 1 }
    this.feed(
      opened(conn, this.now, 'N', '1883', peer),
      arrived(conn, this.now, packet),
    )
    return conn
  }

  say(conn: Conn, ...packets: ReadonlyArray<Packet>): void {
    this.feed(...packets.map((packet) => arrived(conn, this.now, packet)))
  }

  tick(): void {
    this.feed(ticked(this.now, this.now))
  }

  /** Ticks as long as work is due at once; answers how often. */
  settle(max = 100_000): number {
    let ticks = 0
    while (deadline(this.state) <= this.now && ticks < max) {
      this.tick()
      ticks++
    }
    return ticks
  }

  published(conn: Conn): ReadonlyArray<string> {
    return this.got.get(conn)!.flatMap((packet) =>
      packet._tag === 'Publish' ? [`${packet.topic} ${text(packet.payload)}`] : []
    )
  }

  acknowledge(conn: Conn): void {
    const { got } = this
    const packets = got.get(conn)!
    got.set(conn, [])
    for (const packet of packets) {
      if (packet._tag !== 'Publish' || packet.qos !== 1) continue
      this.say(conn, { _tag: 'Puback', packetId: packet.packetId, reason: 0, properties: none })
    }
  }
}

const text = (bytes: Bytes.Bytes): string =>
  Bytes.size(bytes) > 20 ? `${Bytes.size(bytes)}` : String.fromCharCode(...Bytes.view(bytes))

const pingreq: Packet = { _tag: 'Pingreq' }

pressure('who does not read its answers is not listened to until it does', () => {
  const bench = new Bench()
  const mute = bench.client('mute')
  bench.stalled.add(mute)
  let said = 0
  while (!bench.paused.has(mute) && said < 10_000_000) {
    bench.say(mute, ...Array.from({ length: 1_000 }, () => pingreq))
    said += 1_000
  }
  assert.ok(bench.paused.has(mute), 'it is paused')
  assert.ok(said * 2 <= 4 * defaults.unwrittenBytesMax + 2_000, `after ${said * 2} bytes`)
  assert.not(bench.effects.some((one) => one._tag === 'Resume'))
  bench.drainSocket(mute)
  assert.is(bench.effects.filter((one) => one._tag === 'Resume' && one.conn === mute).length, 1)
})

pressure('large retained messages at QoS 1 all arrive, as fast as they are acknowledged', () => {
  const bench = new Bench()
  const publisher = bench.client('publisher')
  const payload = new Uint8Array(1_900_000)
  for (let i = 0; i < 40; i++) {
    bench.say(
      publisher,
      Packet.publish({ topic: `r/${i}`, payload, qos: 1, packetId: 1 + i, retain: true }),
    )
  }
  const subscriber = bench.client('subscriber')
  bench.say(subscriber, Packet.subscribe({ filter: 'r/#', qos: 1 }))
  const seen = new Set<string>()
  for (let i = 0; i < 100 && seen.size < 40; i++) {
    bench.settle()
    for (const one of bench.published(subscriber)) seen.add(one)
    bench.acknowledge(subscriber)
  }
  assert.is(seen.size, 40)
  assert.is(bench.state.counters.dropped['queue full'], 0)
})

pressure('what a stalled subscriber is sent of retained messages stays near its limit', () => {
  const bench = new Bench()
  const publisher = bench.client('publisher')
  const payload = new Uint8Array(200_000)
  for (let i = 0; i < 100; i++) {
    bench.say(publisher, Packet.publish({ topic: `r/${i}`, payload, retain: true }))
  }
  const subscriber = bench.client('subscriber')
  bench.stalled.add(subscriber)
  bench.say(subscriber, Packet.subscribe('r/#'))
  bench.settle()
  const bytes = bench.published(subscriber).length * payload.length
  assert.ok(bytes > 0 && bytes <= defaults.unwrittenBytesMax, `${bytes} bytes`)
  bench.drainSocket(subscriber)
  for (let i = 0; i < 100; i++) bench.settle()
  assert.is(bench.published(subscriber).length, 100)
})

pressure('a live message that was dropped is made up for by the retained one', () => {
  const bench = new Bench()
  const publisher = bench.client('publisher')
  const payload = new Uint8Array(300_000)
  for (let i = 0; i < 10; i++) {
    bench.say(publisher, Packet.publish({ topic: `r/${i}`, payload, retain: true }))
  }
  const subscriber = bench.client('subscriber')
  bench.stalled.add(subscriber)
  bench.say(subscriber, Packet.subscribe('r/#'))
  bench.settle()
  const before = new Set(bench.published(subscriber))
  const missing = Array.from({ length: 10 }, (_, i) => i).find((i) => !before.has(`r/${i} 300000`))!
  // Fills the connection, so that what is published now is dropped for it.
  bench.say(publisher, Packet.publish({ topic: 'r/0', payload: new Uint8Array(900_000) }))
  const dropped = bench.state.counters.dropped['back-pressure']
  bench.say(
    publisher,
    Packet.publish({
      topic: `r/${missing}`,
      payload: new Uint8Array(800_000).fill(1),
      retain: true,
    }),
  )
  assert.ok(bench.state.counters.dropped['back-pressure'] > dropped, 'the live copy was dropped')
  bench.drainSocket(subscriber)
  bench.settle()
  assert.ok(bench.published(subscriber).includes(`r/${missing} 800000`), 'the newest came')
  assert.not(bench.published(subscriber).includes(`r/${missing} 300000`), 'and nothing older')
})

pressure('a session with much to search does not keep others from their retained messages', () => {
  const bench = new Bench()
  const publisher = bench.client('publisher')
  for (let i = 0; i < 3_000; i++) {
    bench.say(publisher, Packet.publish({ topic: `a/${i}/x`, payload: '1', retain: true }))
  }
  const greedy = bench.client('greedy')
  for (let i = 0; i < 10; i++) {
    const filters = Array.from({ length: 100 }, (_, n) => `+/+/no${i * 100 + n}`)
    bench.say(greedy, Packet.subscribe(filters, 1 + i))
  }
  const modest = bench.client('modest')
  bench.say(modest, Packet.subscribe('a/#'))
  const ticks = bench.settle(20)
  assert.is(bench.published(modest).length, 3_000, `after ${ticks} ticks`)
})

pressure('a session that is away keeps no old state of the retained store', () => {
  const bench = new Bench({ queuedCountMax: 40 })
  const publisher = bench.client('publisher')
  const fill = (payload: string) => {
    for (let i = 0; i < 300; i++) {
      const topic = `a/${i}`
      bench.say(publisher, Packet.publish({ topic, payload, qos: 1, packetId: 1, retain: true }))
    }
  }
  fill('old')
  const away = bench.client('away', { sessionExpiryInterval: 100 })
  bench.say(away, Packet.subscribe({ filter: 'a/#', qos: 1 }))
  bench.feed(closed(away, bench.now, 'closed'))
  const waiting = [...IntMap.entries(bench.state.sessions)]
    .flatMap(([, session]) => [...Queue.entries(session.catchUps)])
  assert.equal(waiting.map(({ cursor }) => cursor), [null], 'it has to begin anew')
  fill('new')
  const back = bench.client('away', { sessionExpiryInterval: 100 }, false)
  const seen = new Set<string>()
  for (let i = 0; i < 50; i++) {
    bench.settle()
    for (const one of bench.published(back)) seen.add(one)
    bench.acknowledge(back)
  }
  for (let i = 0; i < 300; i++) assert.ok(seen.has(`a/${i} new`), `a/${i}`)
})

pressure('nothing retained is lost by a subscription in the place of another', () => {
  // [MQTT-3.8.4-4], in one packet and in two, and where the client came back in between.
  const ways: ReadonlyArray<'one packet' | 'two packets' | 'another connection'> = [
    'one packet',
    'two packets',
    'another connection',
  ]
  for (const way of ways) {
    for (const retainHandling of [1, 2] as const) {
      const bench = new Bench({ queuedCountMax: 40 })
      const publisher = bench.client('publisher')
      for (let i = 0; i < 300; i++) {
        bench.say(publisher, Packet.publish({ topic: `a/${i}`, payload: 'on', retain: true }))
      }
      let reader = bench.client('reader', { sessionExpiryInterval: 100 })
      const first = { filter: 'a/#' }
      const second = { filter: 'a/#', retainHandling }
      if (way === 'one packet') bench.say(reader, Packet.subscribe([first, second]))
      else {
        bench.say(reader, Packet.subscribe(first))
        if (way === 'another connection') {
          bench.feed(closed(reader, bench.now, 'closed'))
          reader = bench.client('reader', { sessionExpiryInterval: 100 }, false)
        }
        bench.say(reader, Packet.subscribe(second, 2))
      }
      bench.settle()
      const seen = new Set(bench.published(reader))
      assert.is(seen.size, 300, `${way}, retain handling ${retainHandling}`)
    }
  }
})

pressure('who subscribes is sent what is retained, though it was sent live before', () => {
  // [MQTT-3.8.4-4] [v3 MQTT-3.3.1-6]
  const bench = new Bench()
  const publisher = bench.client('publisher')
  const publish = (i: number, payload: string) =>
    bench.say(publisher, Packet.publish({ topic: `a/${i}`, payload, retain: true }))
  for (let i = 0; i < 300; i++) publish(i, 'on')
  const reader = bench.client('reader')
  bench.say(reader, Packet.subscribe('a/#'))
  for (let i = 0; i < 300; i++) publish(i, 'off')
  bench.got.set(reader, [])
  bench.say(reader, Packet.subscribe('a/+', 2))
  bench.settle()
  assert.is(new Set(bench.published(reader)).size, 300)
  assert.is(bench.published(reader).length, 300, 'and for the first one nothing again')
})

pressure('unreleased QoS 2 messages end where their bytes do', () => {
  const bench = new Bench({ incomingBytesMax: 1_000 })
  const sender = bench.client('sender')
  const payload = new Uint8Array(400)
  for (let packetId = 1; packetId <= 2; packetId++) {
    bench.say(sender, Packet.publish({ topic: 't', payload, qos: 2, packetId }))
  }
  assert.not(bench.effects.some((one) => one._tag === 'Close'))
  bench.say(sender, Packet.publish({ topic: 't', payload, qos: 2, packetId: 3 }))
  assert.ok(bench.effects.some((one) => one._tag === 'Close' && one.reason === 0x93))
})

pressure('who is connected has the room for QoS 2 that it had when it connected', () => {
  const bench = new Bench({ incomingBytesMax: 1_000, incomingCountMax: 2 })
  const sender = bench.client('sender')
  bench.feed(
    reconfigured(bench.now, { ...bench.state.config, incomingBytesMax: 100, incomingCountMax: 1 }),
  )
  for (let packetId = 1; packetId <= 2; packetId++) {
    const payload = new Uint8Array(400)
    bench.say(sender, Packet.publish({ topic: 't', payload, qos: 2, packetId }))
  }
  assert.not(bench.effects.some((one) => one._tag === 'Close'))
})

pressure('a shared group passes over an absent member whose queue is full', () => {
  const bench = new Bench({ queuedCountMax: 10 })
  const publisher = bench.client('publisher')
  const here = bench.client('here')
  const away = bench.client('away', { sessionExpiryInterval: 100 })
  bench.say(here, Packet.subscribe({ filter: '$share/g/t', qos: 1 }))
  bench.say(away, Packet.subscribe({ filter: '$share/g/t', qos: 1 }))
  bench.feed(closed(away, bench.now, 'closed'))
  let received = 0
  for (let packetId = 1; packetId <= 60; packetId++) {
    bench.say(publisher, Packet.publish({ topic: 't', payload: '1', qos: 1, packetId }))
    received += bench.published(here).length
    bench.acknowledge(here)
  }
  assert.is(received, 50)
  assert.is(bench.state.counters.dropped['queue full'], 0)
})

/** What a client was told last, and the reason with it. */
const lastOf = (bench: Bench, conn: Conn): string => {
  const packet = bench.got.get(conn)!.at(-1)
  if (packet === undefined) return 'nothing'
  if ('reasons' in packet) return `${packet._tag} ${packet.reasons}`
  return 'reason' in packet ? `${packet._tag} ${packet.reason}` : packet._tag
}

/** How connections ended, in order. */
const endings = (bench: Bench): ReadonlyArray<string> =>
  bench.effects.flatMap((one) =>
    one._tag === 'Note' && one.note._tag === 'ConnectionEnded'
      ? [`${one.note.ending} ${one.note.reason}`]
      : []
  )

const shortDrops = (bench: Bench): number => bench.state.counters.dropped['memory short']

pressure('short memory and enough of it are noted once each', () => {
  const bench = new Bench()
  bench.feed(memoryFree(0), memoryShort(0), memoryShort(1), memoryFree(2), memoryFree(3))
  assert.equal(bench.effects, [
    { _tag: 'Note', note: { _tag: 'MemoryShort' } },
    { _tag: 'Note', note: { _tag: 'MemoryFree' } },
  ])
})

pressure('short of memory, only who has a session is let in', () => {
  for (const level of [5, 4, 3] as const) {
    const bench = new Bench()
    const durable = level === 5 ? { sessionExpiryInterval: 100 } : {}
    const away = bench.client('away', durable, false, level)
    bench.feed(closed(away, bench.now, 'closed'), memoryShort(bench.now))
    const stranger = bench.client('stranger', durable, false, level)
    // Where codes are few, the encoder says 3, server unavailable.
    assert.is(lastOf(bench, stranger), `Connack ${0x97}`)
    assert.equal(encode(level, bench.got.get(stranger)![0]!)[3], level === 5 ? 0x97 : 3)
    assert.equal(endings(bench).slice(1), [`memory short ${0x97}`])
    const back = bench.client('away', durable, false, level)
    assert.is(lastOf(bench, back), 'Connack 0')
    const instead = bench.client('away', durable, true, level)
    assert.is(lastOf(bench, instead), 'Connack 0', 'one session for another')
    bench.feed(memoryFree(bench.now))
    assert.is(lastOf(bench, bench.client('stranger', durable, false, level)), 'Connack 0')
  }
})

pressure('short of memory, what fits into the window is sent and what would wait is not', () => {
  const bench = new Bench({ inflightCountMax: 2 })
  const publisher = bench.client('publisher')
  const here = bench.client('here')
  const away = bench.client('away', { sessionExpiryInterval: 100 }, false)
  for (const conn of [here, away]) bench.say(conn, Packet.subscribe({ filter: '#', qos: 1 }))
  bench.feed(closed(away, bench.now, 'closed'))
  const say = (topic: string, packetId: number) =>
    bench.say(publisher, Packet.publish({ topic, payload: '1', qos: 1, packetId }))
  say('before', 1)
  bench.feed(memoryShort(bench.now))
  say('fits', 2)
  assert.is(lastOf(bench, publisher), 'Puback 0')
  assert.is(shortDrops(bench), 1, 'not for the one who is away')
  say('waits', 3)
  assert.is(lastOf(bench, publisher), `Puback ${0x97}`, 'nobody got it')
  assert.is(shortDrops(bench), 3)
  assert.equal(bench.published(here), ['before 1', 'fits 1'])
  bench.acknowledge(here)
  say('fits again', 4)
  assert.equal(bench.published(here), ['fits again 1'])
  bench.say(publisher, Packet.publish({ topic: 'at most once', payload: '1' }))
  assert.equal(bench.published(here), ['fits again 1', 'at most once 1'])
  const back = bench.client('away', { sessionExpiryInterval: 100 }, false)
  assert.equal(bench.published(back), ['before 1'], 'what waited is delivered')
})

pressure('short of memory, what nobody can take is not acknowledged before version 5', () => {
  const bench = new Bench({ inflightCountMax: 1 })
  const subscriber = bench.client('subscriber')
  bench.say(subscriber, Packet.subscribe({ filter: 't', qos: 1 }))
  const elder = bench.client('elder', {}, true, 4)
  const younger = bench.client('younger')
  const hello = Packet.publish({ topic: 't', payload: '1', qos: 1, packetId: 1 })
  bench.say(elder, hello)
  assert.is(lastOf(bench, elder), 'Puback 0')
  bench.feed(memoryShort(bench.now))
  bench.say(younger, hello)
  assert.is(lastOf(bench, younger), 'Puback 151')
  // What nobody wants is lost to nobody.
  bench.say(elder, Packet.publish({ topic: 'unheard', payload: '1', qos: 1, packetId: 2 }))
  assert.is(lastOf(bench, elder), 'Puback 0')
  bench.got.set(elder, [])
  bench.say(elder, hello)
  assert.is(lastOf(bench, elder), 'nothing')
  assert.equal(endings(bench), ['memory short 151'])
})

pressure('short of memory, a message in vain makes room of what has expired', () => {
  const bench = new Bench()
  const publisher = bench.client('publisher')
  const away = bench.client('away', { sessionExpiryInterval: 100 }, false)
  bench.say(away, Packet.subscribe({ filter: '#', qos: 1 }))
  bench.feed(closed(away, bench.now, 'closed'))
  const properties = { messageExpiryInterval: 1 }
  bench.say(
    publisher,
    Packet.publish({ topic: 't', payload: '1', qos: 1, packetId: 1, properties }),
  )
  bench.feed(memoryShort(bench.now))
  bench.now += 1_000
  bench.say(publisher, Packet.publish({ topic: 't', payload: '2', qos: 1, packetId: 2 }))
  const { dropped } = bench.state.counters
  assert.equal([dropped['expired'], dropped['memory short']], [1, 1])
})

pressure('short of memory, a shared group passes over who would lose the message', () => {
  const bench = new Bench({ inflightCountMax: 1 })
  const publisher = bench.client('publisher')
  const full = bench.client('full')
  const here = bench.client('here')
  const away = bench.client('away', { sessionExpiryInterval: 100 }, false)
  for (const conn of [full, here, away]) {
    bench.say(conn, Packet.subscribe({ filter: '$share/g/t', qos: 1 }))
  }
  bench.say(publisher, Packet.publish({ topic: 't', payload: '1', qos: 1, packetId: 1 }))
  assert.is(bench.published(full).length, 1)
  bench.feed(closed(away, bench.now, 'closed'), memoryShort(bench.now))
  for (let packetId = 2; packetId <= 5; packetId++) {
    bench.say(publisher, Packet.publish({ topic: 't', payload: '1', qos: 1, packetId }))
    assert.is(bench.published(here).length, 1, `message ${packetId}`)
    bench.acknowledge(here)
  }
  assert.is(shortDrops(bench), 0)
})

pressure('short of memory, the retained store may shrink and not grow', () => {
  const bench = new Bench()
  const publisher = bench.client('publisher')
  const retain = (topic: string, payload: string, qos: 0 | 1 | 2 = 1) =>
    bench.say(publisher, Packet.publish({ topic, payload, qos, packetId: qos, retain: true }))
  retain('old', '123')
  bench.feed(memoryShort(bench.now))
  const { retainedBytes } = bench.state
  retain('new', '')
  retain('new', '1')
  assert.is(lastOf(bench, publisher), `Puback ${0x97}`)
  retain('old', '1234')
  assert.is(lastOf(bench, publisher), `Puback ${0x97}`)
  assert.is(shortDrops(bench), 2)
  assert.is(bench.state.retainedBytes, retainedBytes)
  retain('old', '456')
  assert.is(bench.state.retainedBytes, retainedBytes)
  retain('old', '4')
  assert.is(bench.state.retainedBytes, retainedBytes - 2)
  // Whoever cannot be refused has published it: what was retained before is not the last any more.
  retain('old', '123456', 0)
  assert.is(shortDrops(bench), 3)
  assert.is(bench.state.retainedBytes, 0)
  retain('old', '')
  assert.is(bench.state.retainedBytes, 0)
  assert.is(shortDrops(bench), 3)
})

pressure('short of memory, a will is not retained and is published all the same', () => {
  const bench = new Bench()
  const mourner = bench.client('mourner')
  bench.say(mourner, Packet.subscribe('t'))
  const will = { topic: 't', payload: 'gone', retain: true }
  const mortal = bench.connect(Packet.connect({ clientId: 'mortal', keepAliveS: 0, will }))
  bench.feed(memoryShort(bench.now), closed(mortal, bench.now, 'failed'))
  assert.equal(bench.published(mourner), ['t gone'])
  assert.is(bench.state.retainedBytes, 0)
  assert.is(shortDrops(bench), 1)
})

pressure('short of memory, no QoS 2 message is taken in, and those that are go on', () => {
  const bench = new Bench()
  const five = bench.client('five')
  const four = bench.client('four', {}, true, 4)
  const publish = (packetId: number) =>
    Packet.publish({ topic: 't', payload: '1', qos: 2, packetId })
  for (const conn of [five, four]) bench.say(conn, publish(1))
  bench.feed(memoryShort(bench.now))
  for (const conn of [five, four]) {
    bench.say(conn, publish(1))
    assert.is(lastOf(bench, conn), 'Pubrec 0', 'sent again')
  }
  bench.say(five, publish(2))
  assert.is(lastOf(bench, five), `Pubrec ${0x97}`)
  assert.is(shortDrops(bench), 1)
  for (const conn of [five, four]) {
    bench.say(conn, { _tag: 'Pubrel', packetId: 1, reason: 0, properties: none })
    assert.is(lastOf(bench, conn), 'Pubcomp 0')
  }
  const before = bench.got.get(four)!.length
  bench.say(four, publish(2))
  assert.is(bench.got.get(four)!.length, before, 'not a word')
  assert.equal(endings(bench), [`memory short ${0x97}`])
})

pressure('short of memory, no new filter is taken, and an old one may change or go', () => {
  for (const level of [5, 4] as const) {
    const bench = new Bench()
    const client = bench.client('client', {}, true, level)
    bench.say(client, Packet.subscribe('old'))
    bench.feed(memoryShort(bench.now))
    bench.say(client, Packet.subscribe([{ filter: 'old', qos: 1 }, { filter: 'new', qos: 1 }]))
    assert.is(lastOf(bench, client), `Suback 1,${0x97}`)
    bench.say(client, pingreq)
    assert.is(lastOf(bench, client), 'Pingresp')
    const filters = Packet.subscribe('old').requests.map((one) => one.filter)
    bench.say(client, { _tag: 'Unsubscribe', packetId: 1, filters, properties: none })
    assert.is(lastOf(bench, client), 'Unsuback 0')
    bench.say(client, Packet.subscribe('old'))
    assert.is(lastOf(bench, client), `Suback ${0x97}`)
  }
})

pressure('short of memory, retained messages wait for the window, and none is lost', () => {
  const bench = new Bench({ inflightCountMax: 3 })
  const publisher = bench.client('publisher')
  for (let i = 0; i < 50; i++) {
    const topic = `r/${i}`
    bench.say(publisher, Packet.publish({ topic, payload: '1', qos: 1, packetId: 1, retain: true }))
  }
  const subscriber = bench.client('subscriber')
  bench.say(subscriber, Packet.subscribe({ filter: 'r/#', qos: 0 }))
  bench.settle()
  bench.got.set(subscriber, [])
  bench.feed(memoryShort(bench.now))
  bench.say(subscriber, Packet.subscribe({ filter: 'r/#', qos: 1 }))
  const seen = new Set<string>()
  for (let i = 0; i < 50 && seen.size < 50; i++) {
    bench.settle()
    const some = bench.published(subscriber)
    assert.ok(some.length <= 3, `${some.length} at once`)
    for (const one of some) seen.add(one)
    bench.acknowledge(subscriber)
  }
  assert.is(seen.size, 50)
  assert.is(shortDrops(bench), 0)
})

pressure('retained messages that waited for a window wait no longer when there is memory', () => {
  const bench = new Bench({ inflightCountMax: 1 })
  const publisher = bench.client('publisher')
  const subscriber = bench.client('subscriber')
  bench.say(subscriber, Packet.subscribe({ filter: 'busy', qos: 1 }))
  bench.say(subscriber, Packet.subscribe('r'))
  bench.say(publisher, Packet.publish({ topic: 'busy', payload: '1', qos: 1, packetId: 1 }))
  bench.say(publisher, Packet.publish({ topic: 'r', payload: '1', retain: true }))
  bench.got.set(subscriber, [])
  bench.feed(memoryShort(bench.now))
  bench.say(subscriber, Packet.subscribe('r'))
  bench.settle()
  assert.equal(bench.published(subscriber), [])
  bench.feed(memoryFree(bench.now))
  bench.settle()
  assert.equal(bench.published(subscriber), ['r 1'])
})

pressure('retained messages that waited for a queue wait no longer when it is handed over', () => {
  const bench = new Bench({ inflightCountMax: 1, queuedCountMax: 2 })
  const publisher = bench.client('publisher')
  const leaver = bench.client('leaver')
  const member = bench.client('member')
  for (const conn of [leaver, member]) {
    bench.say(conn, Packet.subscribe({ filter: '$share/g/t', qos: 1 }))
  }
  bench.say(publisher, Packet.publish({ topic: 'r', payload: '1', retain: true }))
  // One of each pair comes to the leaver: the first is in flight, the second waits.
  for (let packetId = 1; packetId <= 4; packetId++) {
    bench.say(publisher, Packet.publish({ topic: 't', payload: '1', qos: 1, packetId }))
  }
  bench.say(leaver, Packet.subscribe('r'))
  bench.settle()
  assert.equal(bench.published(leaver), ['t 1'])
  // What was written would wake it as well.
  bench.stalled.add(leaver)
  const filters = [filter('$share/g/t')]
  bench.say(leaver, { _tag: 'Unsubscribe', packetId: 7, filters, properties: none })
  bench.settle()
  assert.equal(bench.published(leaver), ['t 1', 'r 1'])
})

pressure('an invented client identifier is one that nobody has', () => {
  // The nonces of this bench are all the same, as if somebody had guessed one.
  const bench = new Bench()
  const first = bench.client('auto-N')
  const second = bench.client('')
  const third = bench.client('')
  assert.equal(endings(bench), [])
  const invented = [second, third].map((conn) => {
    const [connack] = bench.got.get(conn)!
    return connack?._tag === 'Connack' ? connack.properties.assignedClientIdentifier : 'no answer'
  })
  assert.equal(invented, ['auto-N+', 'auto-N++'])
  bench.say(first, pingreq)
  assert.is(lastOf(bench, first), 'Pingresp')
})

pressure('numbers that have run out of room begin again', () => {
  const bench = new Bench()
  const limit = 2 ** 30 - 1
  bench.state = { ...bench.state, nextOpening: limit, nextSession: limit, nextGroup: limit }
  const clients = ['a', 'b', 'c'].map((id) => bench.client(id))
  for (const one of clients) {
    bench.say(one, Packet.subscribe(['$share/g/t', `$share/${one.slot}/u`, 't']))
  }
  bench.say(clients[0]!, Packet.publish({ topic: 't', payload: '1' }))
  for (const one of clients) assert.ok(bench.published(one).length >= 1, `client ${one.slot}`)
})

pressure.run()
