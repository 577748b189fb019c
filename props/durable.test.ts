// The driver keeps back what promises something until it is on disk, and nothing else: over the
// real driver, on a disk whose flushes end when the test says so, that is full when it says so, and
// that fails. What a client was sent is what left its socket.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Config, defaults } from '../core/broker/config.ts'
import type { Stamp } from '../core/broker/record.ts'
import { beginRestore, endRestore } from '../core/broker/restore.ts'
import type { State } from '../core/broker/state.ts'
import type { Connect, Level, Packet, Qos } from '../core/codec/packet.ts'
import * as B from '../core/data/bytes.ts'
import { none } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import { parseTopicFilter } from '../core/topic/filter.ts'
import { StoreError } from '../shells/common/driver.ts'
import { Keeper } from '../shells/common/keeper.ts'
import type { Committed, Store } from '../shells/common/store.ts'
import { recordsOf } from '../shells/store/memory.ts'
import { bytesOf, topicOf } from './crash/client.ts'
import { bytesText } from './crash/telling.ts'
import { type Line, type Socket, World } from './crash/world.ts'

const { start: startBroker } = 'Deno' in globalThis
  ? await import('../shells/deno/mod.ts')
  : await import('../shells/node/mod.ts')

const durable = suite('durable')

/** Flushes end when they are told to. */
const held = { name: 'held', steps: Infinity }

const start = async (config: Partial<Config> = {}): Promise<World> => {
  const world = new World(config, held)
  await world.start(held, null)
  return world
}

const startOf = ({ buffer, start, end }: B.Bytes): string =>
  bytesText(B.slice(buffer, start, Math.min(end, start + 8)))

class Peer implements Socket {
  readonly level: Level
  readonly got: Packet[] = []
  isClosed = false
  readonly line: Line
  private readonly world: World

  constructor(world: World, level: Level) {
    this.world = world
    this.level = level
    this.line = world.open(this)
  }

  hear(packet: Packet): void {
    this.got.push(packet)
  }

  closed(): void {
    this.isClosed = true
  }

  /** What it was sent since it was asked last: tags, and payloads of messages. */
  news(): ReadonlyArray<string> {
    return this.got.splice(0).map((packet) =>
      packet._tag === 'Publish' ? startOf(packet.payload) : packet._tag
    )
  }

  async say(...packets: ReadonlyArray<Packet>): Promise<void> {
    for (const packet of packets) this.world.send(this.line, packet)
    await this.world.settle()
  }
}

const connect = (level: Level, clientId: string, keeps: boolean): Connect => ({
  _tag: 'Connect',
  level,
  bridge: false,
  cleanStart: level < 5 && !keeps,
  keepAliveS: 0,
  clientId,
  will: null,
  userName: null,
  password: null,
  properties: level === 5 && keeps ? { sessionExpiryInterval: 1_000 } : none,
})

const publish = (topic: string, payload: string | number, qos: Qos = 0, packetId = 0): Packet => ({
  _tag: 'Publish',
  dup: false,
  qos,
  retain: false,
  topic: topicOf(topic),
  packetId,
  payload: typeof payload === 'string' ? bytesOf(payload) : B.of(new Uint8Array(payload).fill(97)),
  properties: none,
})

const filterOf = (text: string) => {
  const parsed = parseTopicFilter(text)
  if (parsed._tag === 'Left') throw new Error(parsed.left)
  return parsed.right
}

const subscribe = (filter: string, qos: Qos): Packet => ({
  _tag: 'Subscribe',
  packetId: 999,
  requests: [{
    filter: filterOf(filter),
    qos,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  }],
  properties: none,
})

const unsubscribe = (filter: string): Packet => ({
  _tag: 'Unsubscribe',
  packetId: 998,
  filters: [filterOf(filter)],
  properties: none,
})

const pingreq: Packet = { _tag: 'Pingreq' }
const pubrel = (packetId: number): Packet => ({
  _tag: 'Pubrel',
  packetId,
  reason: 0,
  properties: none,
})

/** A client that has connected, with everything on disk. */
const client = async (
  world: World,
  clientId: string,
  { level = 5, keeps = true }: { readonly level?: Level; readonly keeps?: boolean } = {},
): Promise<Peer> => {
  const peer = new Peer(world, level)
  await peer.say(connect(level, clientId, keeps))
  await world.flush()
  assert.equal(peer.news(), ['Connack'])
  return peer
}

/** A session that takes messages on `t` and is away. */
const absent = async (
  world: World,
  clientId = 'absent',
  filter = 't',
  level: Level = 5,
): Promise<void> => {
  const peer = await client(world, clientId, { level })
  await peer.say(subscribe(filter, 2))
  await world.flush()
  world.cut(peer.line, 'failed')
  await world.settle()
  await world.flush()
}

durable('every answer that promises something comes after the flush, and not before', async () => {
  const world = await start()
  await absent(world)
  const peer = new Peer(world, 5)
  const asks: ReadonlyArray<readonly [Packet, string]> = [
    [connect(5, 'peer', true), 'Connack'],
    [subscribe('u', 1), 'Suback'],
    [unsubscribe('u'), 'Unsuback'],
    [publish('t', '1', 1, 1), 'Puback'],
    [publish('t', '2', 2, 2), 'Pubrec'],
    [pubrel(2), 'Pubcomp'],
  ]
  for (const [ask, answer] of asks) {
    await peer.say(ask)
    assert.equal(peer.news(), [], `${answer} before the flush`)
    assert.ok(world.isFlushing, answer)
    await world.flushOne()
    assert.equal(peer.news(), [answer])
    assert.not(world.isFlushing)
  }
})

durable('a delivery under an identifier, and a PUBREL, wait for the flush', async () => {
  const world = await start()
  const reader = await client(world, 'reader')
  await reader.say(subscribe('t', 2))
  await world.flush()
  reader.news()
  const writer = await client(world, 'writer', { keeps: false })
  await writer.say(publish('t', 'one', 1, 1), publish('t', 'zero', 0))
  assert.equal([...reader.news(), ...writer.news()], [])
  await world.flush()
  // What came later did not overtake.
  assert.equal(reader.news(), ['one', 'zero'])
  assert.equal(writer.news(), ['Puback'])
  await reader.say({ _tag: 'Puback', packetId: 1, reason: 0, properties: none })
  await world.flush()
  await writer.say(publish('t', 'two', 2, 2), pubrel(2))
  await world.flush()
  assert.equal(reader.news(), ['two'])
  await reader.say({ _tag: 'Pubrec', packetId: 2, reason: 0, properties: none })
  assert.equal(reader.news(), [])
  await world.flushOne()
  assert.equal(reader.news(), ['Pubrel'])
})

durable('what hangs on nothing stored is answered while the disk is busy', async () => {
  const world = await start()
  await absent(world)
  const waiting = await client(world, 'waiting')
  const brief = await client(world, 'brief', { keeps: false })
  const old = await client(world, 'old', { level: 4, keeps: false })
  await waiting.say(publish('t', '1', 1, 1), pingreq)
  assert.ok(world.isFlushing)
  await brief.say(subscribe('u', 1), pingreq, publish('nobody', '2', 1, 2))
  assert.equal(brief.news(), ['Suback', 'Pingresp', 'Puback'])
  await old.say(publish('u', '3', 0), publish('u', '4', 1, 4))
  assert.equal(old.news(), ['Puback'])
  assert.equal(brief.news(), ['3', '4'])
  // The whole line of the one that waits does.
  assert.equal(waiting.news(), [])
  await world.flushOne()
  assert.equal(waiting.news(), ['Puback', 'Pingresp'])
})

durable('what a restart changes sets out at once, with nobody there', async () => {
  const world = await start()
  const peer = await client(world, 'peer')
  await peer.say(subscribe('t', 1))
  await world.flush()
  await world.kill()
  world.time += 500
  await world.start(held, null)
  assert.ok(world.isFlushing)
  await world.flushOne()
  const [session] = recordsOf(world.disk).filter(({ kind }) => kind === 'session')
  assert.equal(session!.kind === 'session' && session!.offlineAt, 500)
  assert.not(world.isFlushing)
})

durable('a will that is due is published, though its client is back before a tick', async () => {
  for (const cleanStart of [false, true]) {
    const world = await start()
    const reader = await client(world, 'reader')
    await reader.say(subscribe('wills', 0))
    const asked: Packet = {
      ...connect(5, 'peer', true),
      cleanStart,
      will: {
        topic: topicOf('wills'),
        qos: 0,
        retain: false,
        payload: bytesOf('gone'),
        properties: { willDelayInterval: 10 },
      },
    }
    const peer = new Peer(world, 5)
    await peer.say(asked)
    world.cut(peer.line, 'closed')
    await world.settle()
    await world.flush()
    reader.news()
    world.time += 10_000
    await new Peer(world, 5).say(asked)
    assert.equal(reader.news(), ['gone'])
  }
})

durable('a batch gathers while another one is flushed, and waits for its own flush', async () => {
  const world = await start()
  await absent(world)
  const one = await client(world, 'one')
  const two = await client(world, 'two')
  await one.say(publish('t', '1', 1, 1))
  await two.say(publish('t', '2', 1, 1))
  await one.say(publish('t', '3', 1, 2))
  await world.flushOne()
  assert.equal(one.news(), ['Puback'])
  assert.equal(two.news(), [])
  assert.ok(world.isFlushing, 'the next one has set out')
  await world.flushOne()
  assert.equal(one.news(), ['Puback'])
  assert.equal(two.news(), ['Puback'])
  assert.not(world.isFlushing, 'the two that had gathered went together')
})

durable(
  'multicasts keep their place behind what is held, and others get them at once',
  async () => {
    const world = await start()
    await absent(world)
    const readers: Peer[] = []
    for (let i = 0; i < 8; i++) {
      const reader = await client(world, `reader ${i}`, { keeps: false })
      await reader.say(subscribe('q', 0))
      reader.news()
      readers.push(reader)
    }
    const [first, ...others] = readers
    const writer = await client(world, 'writer', { keeps: false })
    await first!.say(publish('t', 'x', 1, 1))
    await writer.say(publish('q', 'a'), publish('q', 'b'))
    await first!.say(pingreq, publish('t', 'y', 1, 2))
    await writer.say(publish('q', 'c'))
    for (const reader of others) assert.equal(reader.news(), ['a', 'b', 'c'])
    assert.equal(first!.news(), [])
    await world.flushOne()
    assert.equal(first!.news(), ['Puback', 'a', 'b', 'Pingresp'])
    await writer.say(publish('q', 'd'))
    for (const reader of others) assert.equal(reader.news(), ['d'])
    await world.flushOne()
    assert.equal(first!.news(), ['Puback', 'c', 'd'])
    await writer.say(publish('q', 'e'))
    for (const reader of readers) assert.equal(reader.news(), ['e'])
    assert.not(world.isFlushing)
  },
)

const wide: Partial<Config> = { unwrittenBytesMax: 64 * 1024 * 1024 }

durable('who is owed more than 1 MiB that is held is not read until it is on disk', async () => {
  const world = await start(wide)
  await absent(world)
  const choked = await client(world, 'choked', { keeps: false })
  await choked.say(subscribe('q', 0))
  const witness = await client(world, 'witness', { keeps: false })
  await witness.say(subscribe('w', 0))
  choked.news()
  witness.news()
  await choked.say(publish('t', 'x', 1, 1))
  for (let i = 0; i < 8; i++) await witness.say(publish('q', 130_000))
  await choked.say(publish('w', 'heard'))
  assert.equal(witness.news(), ['heard'], 'up to 1 MiB it is read')
  await witness.say(publish('q', 10_000))
  await choked.say(publish('w', 'not yet'))
  assert.equal(witness.news(), [])
  // What its socket brings meanwhile is not taken in without end either.
  for (let i = 0; i < 3; i++) await choked.say(publish('w', 40_000))
  assert.ok(choked.line.isPaused, 'its socket is not read')
  await witness.say(pingreq)
  assert.equal(witness.news(), ['Pingresp'], 'others are')
  await world.flushOne()
  assert.is(choked.news().length, 10)
  assert.equal(witness.news(), ['not yet', 'aaaaaaaa', 'aaaaaaaa', 'aaaaaaaa'])
  assert.not(choked.line.isPaused)
})

durable('who is owed anything held is not read while 16 MiB are held for all', async () => {
  const world = await start(wide)
  await absent(world)
  const crowd: Peer[] = []
  for (let i = 0; i < 17; i++) {
    const one = await client(world, `one ${i}`, { keeps: false })
    await one.say(subscribe('q', 0))
    crowd.push(one)
  }
  const witness = await client(world, 'witness', { keeps: false })
  await witness.say(subscribe('w', 0))
  for (const one of [...crowd, witness]) one.news()
  const [first, second] = crowd
  for (const one of crowd) await one.say(publish('t', 'x', 1, 1))
  for (let i = 0; i < 7; i++) await witness.say(publish('q', 135_000))
  await first!.say(publish('w', 'heard'))
  assert.equal(witness.news(), ['heard'])
  // 17 times 8 times 135,000 bytes are more than 16 MiB, and 8 times are not more than 1 MiB.
  await witness.say(publish('q', 100_000), publish('q', 1_000))
  await second!.say(publish('w', 'not yet'))
  assert.equal(witness.news(), [])
  await witness.say(publish('w', 'my own'))
  assert.equal(witness.news(), ['my own'])
  await world.flush()
  assert.equal(witness.news(), ['not yet'])
})

durable('who waits for the disk is not read while 16 MiB wait to be written', async () => {
  const world = await start({ queuedBytesMax: 0, queuedCountMax: 0 })
  await absent(world)
  const writer = await client(world, 'writer', { level: 4 })
  const other = await client(world, 'other', { keeps: false })
  await writer.say(publish('t', 'x', 1, 1))
  for (let i = 0; i < 40; i++) {
    if (writer.line.isPaused) break
    await writer.say(publish('t', 1_000_000, 1, 2 + i))
  }
  assert.ok(writer.line.isPaused, 'its socket is not read')
  await other.say(pingreq)
  assert.equal(other.news(), ['Pingresp'])
  assert.equal(writer.news(), [])
  await world.flushOne()
  await world.flushOne()
  assert.not(writer.line.isPaused)
  await world.flush()
  const answers = writer.news().length
  assert.ok(answers >= 17 && answers <= 22, `${answers} answers`)
})

durable(
  'with a full store nothing new is promised, the rest goes on, and it ends by itself',
  async () => {
    const world = await start()
    const reader = await client(world, 'reader')
    await reader.say(subscribe('t', 1))
    await world.flush()
    reader.news()
    const five = await client(world, 'five')
    const four = await client(world, 'four', { level: 4 })
    const brief = await client(world, 'brief', { keeps: false })
    await brief.say(subscribe('q', 0))
    brief.news()
    await five.say(publish('t', 'before', 1, 1))
    world.disk.state = 'full'
    await world.flush()
    assert.match(world.log, /Warning: The store is full: The store in memory is full\./)
    assert.equal(five.news(), [], 'what was taken in is not acknowledged')
    await five.say(publish('t', 'one', 1, 2), publish('t', 'two', 2, 3))
    // Behind the first one, which is held still.
    assert.equal(five.news(), [])
    const fresh = new Peer(world, 5)
    await fresh.say(connect(5, 'fresh', false))
    await fresh.say(publish('t', 'three', 1, 1), publish('t', 'four', 2, 2), publish('q', 'zero'))
    assert.equal(fresh.got.map((packet) => 'reason' in packet ? packet.reason : 0), [0, 0x97, 0x97])
    assert.equal(brief.news(), ['zero'], 'QoS 0 goes on')
    await four.say(publish('t', 'five', 1, 1))
    assert.ok(four.isClosed, '3.1.1 has no word for it')
    assert.equal(four.news(), [], 'and no PUBACK')
    // It is asked again every second, and takes the batch that it did not take.
    world.disk.state = 'sound'
    await world.pass(1_500)
    await world.flush()
    assert.equal(five.got.map((packet) => 'reason' in packet ? packet.reason : 0), [0, 0x97, 0x97])
    assert.equal(reader.news(), ['before'])
    await five.say(publish('t', 'after', 1, 4))
    await world.flush()
    assert.equal(reader.news(), ['after'])
  },
)

durable('a full store takes no QoS 0 for a member that is away, so another gets it', async () => {
  const world = await start({ queueQos0: true })
  await absent(world, 'away', '$share/g/t')
  const brief = await client(world, 'brief', { keeps: false })
  await brief.say(subscribe('$share/g/t', 0))
  brief.news()
  const lasting = await client(world, 'lasting')
  world.disk.state = 'full'
  await lasting.say(subscribe('u', 0))
  await world.flush()
  await brief.say(...['one', 'two', 'three', 'four'].map((text) => publish('t', text)))
  assert.equal(brief.news(), ['one', 'two', 'three', 'four'])
})

durable(
  'who takes over from a session that ends begins one that a full store cannot keep',
  async () => {
    const world = await start()
    const brief = await client(world, 'one', { keeps: false })
    const lasting = await client(world, 'two', { level: 4 })
    await world.flush()
    brief.news()
    lasting.news()
    world.disk.state = 'full'
    await lasting.say(subscribe('t', 1))
    await world.flush()
    const again = new Peer(world, 5)
    await again.say(connect(5, 'one', true))
    assert.equal(again.got.map((packet) => 'reason' in packet ? packet.reason : 0), [0x97])
    assert.not(brief.isClosed, 'who was there stays')
    const back = new Peer(world, 4)
    await back.say(connect(4, 'two', true))
    assert.is(back.news()[0], 'Connack', 'whose session lasts is let in')
  },
)

durable('a store that stays full is asked again, though nobody says anything', async () => {
  const world = await start()
  const reader = await client(world, 'reader')
  await reader.say(subscribe('t', 1))
  await world.flush()
  reader.news()
  const writer = await client(world, 'writer')
  await writer.say(publish('t', 'before', 1, 1))
  world.disk.state = 'full'
  await world.flush()
  for (let i = 0; i < 3; i++) {
    await world.pass(1_500)
    await world.flush()
  }
  assert.equal(writer.news(), [])
  world.disk.state = 'sound'
  await world.pass(1_500)
  await world.flush()
  assert.equal(writer.news(), ['Puback'])
  assert.equal(reader.news(), ['before'])
})

durable('what waited in a session is delivered with a full store', async () => {
  const world = await start()
  await absent(world, 'absent', 't', 4)
  const writer = await client(world, 'writer')
  await writer.say(publish('t', 'queued', 1, 1))
  await world.flush()
  world.disk.state = 'full'
  await writer.say(publish('t', 'too much', 1, 2))
  await world.flush()
  const back = new Peer(world, 4)
  await back.say(connect(4, 'absent', true))
  await world.flush()
  assert.equal(back.news().slice(0, 2), ['Connack', 'queued'])
})

durable('a full store promises nobody that a session lives on, or is gone', async () => {
  for (
    const [level, before, then] of [
      [5, 2, 1_000],
      [5, 1_000, 1_000],
      [5, 1_000, 0xffff_ffff],
      [5, 0xffff_ffff, 1_000],
      [5, 0xffff_ffff, 0],
      [4, null, null],
    ] as const
  ) {
    const world = await start()
    const coming = (expiryS: number | null): Connect => ({
      ...connect(level, 'one', true),
      properties: expiryS === null ? none : { sessionExpiryInterval: expiryS },
    })
    const peer = new Peer(world, level)
    await peer.say(coming(before))
    await world.flush()
    world.cut(peer.line, 'failed')
    await world.settle()
    await world.flush()
    const writer = await client(world, 'writer')
    world.disk.state = 'full'
    await writer.say(subscribe('t', 1))
    await world.flush()
    const back = new Peer(world, level)
    // In 3.1.1 one that is kept for ever is there after a restart, but if it ends it is there, too.
    await back.say({ ...coming(then), cleanStart: level === 4 })
    await world.flush()
    assert.equal(back.news(), [], `${before} and ${then}`)
    world.disk.state = 'sound'
    await world.pass(1_500)
    await world.flush()
    assert.equal(back.news(), ['Connack'])
  }
})

durable('a full store promises nobody that a will is kept, or is gone', async () => {
  const will: Connect['will'] = {
    topic: topicOf('will'),
    qos: 1,
    retain: false,
    payload: bytesOf('gone'),
    properties: { willDelayInterval: 900 },
  }
  for (const [before, then] of [[null, will], [will, null], [will, will]]) {
    const world = await start()
    const coming = (some: Connect['will']): Connect => ({
      ...connect(5, 'one', true),
      will: some ?? null,
      properties: { sessionExpiryInterval: 0xffff_ffff },
    })
    const peer = new Peer(world, 5)
    await peer.say(coming(before ?? null))
    await world.flush()
    world.cut(peer.line, 'failed')
    await world.settle()
    await world.flush()
    const writer = await client(world, 'writer')
    world.disk.state = 'full'
    await writer.say(subscribe('t', 1))
    await world.flush()
    const back = new Peer(world, 5)
    await back.say(coming(then ?? null))
    await world.flush()
    assert.equal(back.news(), [])
    world.disk.state = 'sound'
    await world.pass(1_500)
    await world.flush()
    assert.equal(back.news(), ['Connack'])
  }
})

durable('a full store promises nobody that a subscription is gone', async () => {
  const world = await start()
  const peer = await client(world, 'one', { level: 4 })
  await peer.say(subscribe('t', 1))
  await world.flush()
  peer.news()
  world.disk.state = 'full'
  await peer.say(unsubscribe('t'))
  await world.flush()
  assert.equal(peer.news(), [])
  world.cut(peer.line, 'failed')
  await world.settle()
  const back = new Peer(world, 4)
  await back.say(connect(4, 'one', true), unsubscribe('t'))
  await world.flush()
  assert.equal(back.news(), ['Connack'], 'it is there after a restart, though not any more now')
  world.disk.state = 'sound'
  await world.pass(1_500)
  await world.flush()
  assert.equal(back.news(), ['Unsuback'])
})

durable('a store that fails is the end: it is said, nothing is acknowledged any more', async () => {
  const world = await start()
  await absent(world)
  const one = await client(world, 'one')
  const two = await client(world, 'two', { keeps: false })
  await one.say(publish('t', '1', 1, 1))
  world.disk.state = 'broken'
  const faults: unknown[] = []
  await world.flushOne().catch((error: unknown) => faults.push(error))
  assert.is(faults.length, 1)
  assert.ok(faults[0] instanceof StoreError)
  assert.is(world.faultCount, 1)
  assert.match(world.log, /The store has failed, and nothing more can be promised: .* broken\./)
  assert.equal([...one.news(), ...two.news()], [])
  assert.ok(one.line.isEnding && two.line.isEnding)
  world.disk.state = 'sound'
  const late = new Peer(world, 5)
  assert.ok(late.line.isEnding, 'nobody is served')
})

durable('a stop waits for the last batch', async () => {
  const world = await start()
  await absent(world)
  const writer = await client(world, 'writer', { level: 4 })
  await writer.say(publish('t', '1', 1, 1))
  let isDone = false
  world.halt(() => isDone = true)
  await world.settle()
  await world.pass(20_000)
  assert.not(isDone, 'not while the disk is busy')
  await world.flush()
  await world.pass(100)
  assert.ok(isDone)
  assert.not(world.isFlushing)
  await world.start({ name: 'prompt', steps: 0 }, null)
  const back = new Peer(world, 5)
  await back.say(connect(5, 'absent', true))
  assert.equal(back.news(), ['Connack', '1'])
})

durable(
  'a store that is full or tight is asked again with the time of the batch, and no other',
  async () => {
    const told: string[] = []
    const commits: string[] = []
    const answers: Committed[] = [
      { _tag: 'Full', why: 'no room' },
      { _tag: 'Tight', why: 'hardly any room' },
      { _tag: 'Tight', why: 'hardly any room' },
      { _tag: 'Durable' },
    ]
    let wall = 5_000
    const store: Store = {
      warnings: [],
      load: () => Promise.reject(new Error('not here')),
      commit: (stamp, writes) => {
        commits.push(`${stamp.at} ${stamp.wall} ${writes.length}`)
        return Promise.resolve(answers[commits.length - 1]!)
      },
      close: () => Promise.resolve(),
    }
    const keeper = new Keeper(store, () => wall, {
      durable: (batch) => told.push(`durable ${batch}`),
      full: () => told.push('full'),
      stillFull: () => told.push('still full'),
      free: () => told.push('free'),
      broken: () => told.push('broken'),
    })
    const turn = async (at: number): Promise<void> => {
      keeper.push(at)
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
    const key = { kind: 'message', id: 1 } as const
    keeper.add({ _tag: 'Persist', at: 70, writes: [{ _tag: 'Delete', key }] })
    await turn(100)
    assert.equal(told.splice(0), ['full'])
    assert.is(keeper.due(Infinity), 1_100)
    wall = 9_000
    await turn(1_099)
    assert.is(commits.length, 1, 'not before its time')
    await turn(1_100)
    assert.equal(told.splice(0), ['still full', 'durable 1'], 'and what was asked for is safe')
    await turn(2_100)
    assert.equal(told.splice(0), ['still full', 'durable 1'])
    await turn(3_100)
    assert.equal(told.splice(0), ['free', 'durable 1'])
    assert.is(keeper.due(Infinity), Infinity)
    assert.equal(commits, ['70 5000 1', '70 5000 1', '70 5000 0', '70 5000 0'])
  },
)

durable(
  'a batch that waited for another one is stored with the time when it was made',
  async () => {
    const stamps: Stamp[] = []
    let flushed = (): void => {}
    let wall = 5_000
    const store: Store = {
      warnings: [],
      load: () => Promise.reject(new Error('not here')),
      commit: (stamp) => {
        stamps.push(stamp)
        return new Promise((resolve) => flushed = () => resolve({ _tag: 'Durable' }))
      },
      close: () => Promise.resolve(),
    }
    const keeper = new Keeper(store, () => wall, {
      durable: () => {},
      full: () => {},
      stillFull: () => {},
      free: () => {},
      broken: () => {},
    })
    const add = (at: number): void => {
      keeper.add({
        _tag: 'Persist',
        at,
        writes: [{ _tag: 'Delete', key: { kind: 'message', id: 1 } }],
      })
    }
    add(70)
    keeper.push(70)
    wall = 5_010
    add(80)
    // The disk takes four seconds: what is said to have been at 80 must not seem to be that young.
    wall = 9_000
    flushed()
    await new Promise((resolve) => setTimeout(resolve, 0))
    keeper.push(4_070)
    assert.equal(stamps, [{ at: 70, wall: 5_000 }, { at: 80, wall: 5_010 }])
  },
)

/** Starts a broker on a store with this stamp and ends it: its state, and the stamps it stored. */
const startOn = async (
  stamp: Stamp,
  loadMs: number,
): Promise<{ readonly state: State; readonly stamps: ReadonlyArray<Stamp> }> => {
  const stamps: Stamp[] = []
  const store: Store = {
    warnings: [],
    load: async () => {
      await new Promise((resolve) => setTimeout(resolve, loadMs))
      return E.right({ stamp, recordCount: 1, damaged: [] })
    },
    commit: (stamp) => {
      stamps.push(stamp)
      return Promise.resolve({ _tag: 'Durable' })
    },
    close: () => Promise.resolve(),
  }
  const broker = await startBroker({
    ports: [0],
    hosts: ['127.0.0.1'],
    print: () => {},
    persistence: { folder: 'none' },
    openStore: () => Promise.resolve(E.right(store)),
  })
  const state = broker.state()
  await broker.stop()
  return { state, stamps }
}

durable('after a restart without a clock the next one counts from there', async () => {
  const now = Date.now()
  const { state, stamps } = await startOn({ at: 1_000, wall: now + 86_400_000 }, 0)
  assert.is(state.now, 1_000, 'no time has passed')
  const [first] = stamps
  assert.ok(first !== undefined && first.at === 1_000 && Math.abs(first.wall - now) < 10_000)
})

durable('the time that a store takes to be read counts as well', async () => {
  const loadMs = 300
  const stamp = { at: 1_000, wall: Date.now() - 60_000 }
  const { state: { now, origin } } = await startOn(stamp, loadMs)
  assert.ok(now >= 61_000 + loadMs - 10, `${now} ms`)
  assert.ok(Math.abs(origin.wall - origin.at - (stamp.wall - stamp.at)) < 10, 'and is one time')
  const restoring = beginRestore(defaults, { at: 0, wall: 0, seed: 1 })
  const [{ wall }] = endRestore(restoring, 1_000, stamp.wall)
  assert.is(wall, stamp.wall, 'also before the first tick')
})

durable('what reading a store has left behind is collected', async () => {
  const world = await start()
  assert.is(world.collections, 0)
  await world.pass(1_500)
  assert.is(world.collections, 1)
  await world.pass(30_000)
  assert.is(world.collections, 2)
})

durable.run()
