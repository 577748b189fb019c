// The driver only carries: whatever way bytes are cut into chunks and chunks into turns, each
// client's packets reach the broker in order and once, and each client gets byte for byte what the
// broker's effects say, while read buffers are overwritten after every turn and wires refuse and
// stall. Nobody is served at the cost of others, and everything ends: connections, turns, the
// driver itself.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Conn, Effect, Gone, Input, State } from '../core/mod.ts'
import * as broker from '../core/mod.ts'
import { createReader, defaultLimits, defaults, encode, none } from '../core/mod.ts'
import type { Level, Packet, Qos } from '../core/codec/packet.ts'
import * as B from '../core/data/bytes.ts'
import type { Broker } from '../shells/common/batches.ts'
import { defaultLog, logTypes } from '../core/config/settings.ts'
import type { LogDestination } from '../core/config/settings.ts'
import { unwrittenBytes } from '../shells/common/outbox.ts'
import { Slots } from '../shells/common/slots.ts'
import { plain } from './gen/packets.ts'
import { runs } from './gen/settings.ts'
import {
  bytesOf,
  connect,
  disconnect,
  join,
  nameOf,
  packetsIn,
  pingreq,
  publish,
  recording,
  same,
  subscribe,
  tagsIn,
  World,
} from './driver/world.ts'
import type { Client } from './driver/world.ts'

// What the driver carries

/** What each connection is owed for these inputs, one at a time and without any sharing. */
const naive = (inputs: ReadonlyArray<Input>): ReadonlyMap<number, Uint8Array> => {
  const owed = new Map<number, Array<Uint8Array>>()
  const owe = (conn: Conn, bytes: Uint8Array): void => {
    const before = owed.get(conn.generation)
    if (before === undefined) owed.set(conn.generation, [bytes])
    else before.push(bytes)
  }
  let state: State = broker.initial(defaults, { at: 0, wall: 1_800_000_001_000, seed: 7 })
  for (const input of inputs) {
    const [next, effects]: readonly [State, ReadonlyArray<Effect>] = broker.step(state, input)
    state = next
    for (const effect of effects) {
      if (effect._tag === 'Send') owe(effect.conn, encode(effect.level, effect.packet))
      if (effect._tag !== 'Multicast') continue
      for (const conn of effect.conns) owe(conn, encode(effect.level, effect.packet))
    }
  }
  return new Map([...owed].map(([generation, chunks]) => [generation, join(chunks)]))
}

const topics = ['a', 'b', 'a/b']
const filters = ['a', '#', '+', 'a/#']

const word: fc.Arbitrary<(packetId: number) => Packet> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constantFrom(...topics),
      fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(3000, 70_000)),
      fc.constantFrom<Qos>(0, 0, 1, 2),
    ).map(([topic, size, qos]) => (packetId: number) =>
      publish(topic, size, qos, qos === 0 ? 0 : packetId)
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...filters), fc.constantFrom<Qos>(0, 1, 2))
      .map(([filter, qos]) => (packetId: number) => subscribe(filter, qos, packetId)),
  },
  { weight: 1, arbitrary: fc.constant(() => pingreq) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 3 }).map((id) => () => ({
      _tag: 'Puback' as const,
      packetId: id + 1,
      reason: 0,
      properties: none,
    })),
  },
  { weight: 1, arbitrary: fc.constant(() => connect('again')) },
  { weight: 1, arbitrary: fc.constant(() => disconnect) },
)

interface Script {
  readonly level: Level
  readonly packets: ReadonlyArray<Packet>
  readonly garbage: boolean
}

const script = fc.record({
  level: fc.constantFrom<Level>(3, 4, 5),
  id: fc.constantFrom('x', 'y', 'z', 'w'),
  words: fc.array(word, { maxLength: 25, size: '+1' }),
  garbage: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
}).map(({ level, id, words, garbage }): Script => ({
  level,
  garbage,
  packets: [connect(id, level), ...words.map((make, i) => make(i + 1))],
}))

type Event =
  | { readonly _tag: 'Give'; readonly who: number; readonly bytes: number }
  | { readonly _tag: 'Turn' }
  | { readonly _tag: 'Stall'; readonly who: number; readonly stalled: boolean }
  | { readonly _tag: 'Take'; readonly who: number; readonly bytes: number }
  | { readonly _tag: 'Gone'; readonly who: number; readonly why: Gone }

const clientsMax = 5
const who = fc.nat({ max: clientsMax - 1 })

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      _tag: fc.constant('Give' as const),
      who,
      bytes: fc.oneof(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 300 }),
        fc.constant(100_000),
      ),
    }),
  },
  { weight: 6, arbitrary: fc.constant<Event>({ _tag: 'Turn' }) },
  {
    weight: 1,
    arbitrary: fc.record({ _tag: fc.constant('Stall' as const), who, stalled: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant('Take' as const),
      who,
      bytes: fc.constantFrom(1, 50, 100_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constant('Gone' as const),
      who,
      why: fc.constantFrom<Gone>('closed', 'failed'),
    }),
  },
)

const driver = suite('driver')

driver('any chunking and any turns: packets in order, and the bytes of the effects', () => {
  fc.assert(
    fc.property(
      fc.array(script, { minLength: 1, maxLength: clientsMax }),
      fc.array(event, { maxLength: 150, size: '+2' }),
      (scripts, events) => {
        const inputs: Array<Input> = []
        const world = new World({ broker: recording(inputs) })
        const clients = scripts.map(({ level }) => world.open(level))
        const streams = scripts.map(({ level, packets, garbage }) =>
          join([bytesOf(level, ...packets), garbage ? Uint8Array.of(0, 0, 0) : new Uint8Array(0)])
        )
        const given = scripts.map(() => 0)
        const away = scripts.map((): Gone | null => null)
        const give = (i: number, bytes: number): void => {
          const stream = streams[i]!
          const start = given[i]!
          if (away[i] !== null || clients[i]!.wire.destroyed > 0 || start === stream.length) return
          given[i] = Math.min(stream.length, start + bytes)
          world.give(clients[i]!, stream.slice(start, given[i]!))
        }
        for (const each of events) {
          if (each._tag === 'Turn') world.turn()
          else if (each.who < clients.length) {
            const client = clients[each.who]!
            switch (each._tag) {
              case 'Give':
                if (!client.wire.paused) give(each.who, each.bytes)
                break
              case 'Stall':
                client.wire.stalled = each.stalled
                break
              case 'Take':
                world.take(client, each.bytes)
                break
              case 'Gone':
                if (client.wire.destroyed > 0) break
                away[each.who] ??= each.why
                world.gone(client, away[each.who]!)
            }
          }
        }
        for (let i = 0; i < clients.length; i++) {
          const client = clients[i]!
          client.wire.stalled = false
          for (let tries = 0; tries < 100; tries++) {
            world.settle()
            assert.ok(!client.wire.paused || away[i] !== null, 'a wire that stays paused')
            give(i, 100_000)
          }
          while (world.take(client, 1_000_000) > 0) world.settle()
        }
        world.settle()

        assert.equal(world.faults, [])
        const owed = naive(inputs)
        for (let i = 0; i < clients.length; i++) {
          const { link, wire, level } = clients[i]!
          const own = inputs.filter((input) =>
            'conn' in input && input.conn.generation === link.conn.generation
          )
          assert.is(own[0]!._tag, 'Opened')
          const last = own.findIndex(({ _tag }) => _tag === 'Closed' || _tag === 'Broke')
          assert.ok(last < 0 || last === own.length - 1, 'nothing follows Closed or Broke')
          // Packets come in order, and all of them unless the broker or the peer ended it.
          const arrived = own.flatMap((input) => input._tag === 'Arrived' ? [input.packet] : [])
          const sent = scripts[i]!.packets
          assert.ok(arrived.length <= sent.length)
          const wanted = sent.slice(0, arrived.length).map((packet, at) =>
            packetsOnWire(level, packet, at)
          )
          assert.equal(arrived.map((packet) => plain(packet)), wanted.map((p) => plain(p)))
          const whole = given[i] === streams[i]!.length && away[i] === null
          if (whole && wire.destroyed === 0 && !wire.ended && !scripts[i]!.garbage) {
            assert.is(arrived.length, sent.length, 'every packet has arrived')
          }
          const wantedBytes = owed.get(link.conn.generation) ?? new Uint8Array(0)
          if (away[i] === 'failed') {
            same(wire.got, wantedBytes.slice(0, wire.got.length), 'a prefix for a broken socket')
          } else same(wire.got, wantedBytes, `what client ${i} is owed`)
        }
        for (let i = 1; i < inputs.length; i++) {
          assert.ok(inputs[i]!.at >= inputs[i - 1]!.at, 'time runs forward')
        }
      },
    ),
    { numRuns: runs(150) },
  )
})

/** A packet as it arrives: a second CONNECT may have another level than the connection. */
const packetsOnWire = (level: Level, packet: Packet, at: number): Packet => {
  if (at > 0 && packet._tag === 'Connect') return packet
  const bytes = encode(level, packet)
  const reader = createReader(defaultLimits, packet._tag === 'Connect' ? 0 : level)
  reader.push(bytes, 0, bytes.length)
  const next = reader.next()
  if (next === null || next._tag === 'Left') throw new Error(`not a packet: ${packet._tag}`)
  return next.right
}

// Whose words count

driver('a new configuration counts for new connections', () => {
  const world = new World()
  const before = world.client('before', 5)
  world.driver.reconfigure({ ...defaults, packetBytesMax: 300 })
  world.settle()
  const between = world.client('between', 5)
  for (const client of [before, between]) world.say(client, publish('a', 400))
  world.settle()
  assert.equal(tagsIn(5, before.wire.got), ['Connack'])
  assert.equal(tagsIn(5, between.wire.got), ['Connack', 'Disconnect'])
  world.driver.reconfigure({ ...defaults, redirect: 'server moved' })
  world.settle()
  const after = world.open(5)
  world.say(after, connect('after', 5))
  world.say(before, pingreq)
  world.settle()
  const connack = packetsIn(5, after.wire.got)[0]
  assert.is(connack?._tag === 'Connack' && connack.reason, 0x9d)
  world.driver.command({ _tag: 'Redirect' })
  world.settle()
  assert.equal(tagsIn(5, before.wire.got), ['Connack', 'Pingresp', 'Disconnect'])
})

driver('a client may send what its CONNACK promised, whenever its connection was opened', () => {
  for (const [level, early, late] of [[4, 300, 600], [5, 300, 600], [5, 600, 300]] as const) {
    const world = new World({ config: { packetBytesMax: early } })
    const client = world.open(level)
    world.settle()
    // In the turn of the CONNECT, which the old configuration answers, and before it.
    if (early > late) world.say(client, connect('c', level))
    world.driver.reconfigure({ ...defaults, packetBytesMax: late })
    if (early < late) {
      world.settle()
      world.say(client, connect('c', level))
    }
    world.settle()
    world.say(client, publish('a', 400))
    world.say(client, pingreq)
    world.settle()
    assert.equal(tagsIn(level, client.wire.got), ['Connack', 'Pingresp'], `${level} ${early}`)
  }
})

driver('Closed comes after all frames that came before it', () => {
  const world = new World()
  const reader = world.client('reader')
  world.say(reader, subscribe('a'))
  const hasty = world.open()
  world.say(hasty, connect('hasty'), publish('a', 3), publish('a', 4))
  world.gone(hasty)
  world.settle()
  assert.equal(tagsIn(4, reader.wire.got), ['Connack', 'Suback', 'Publish', 'Publish'])
  assert.is(hasty.wire.destroyed, 1)
})

driver('whose socket fails while its answers are not read is gone at once', () => {
  const payload = B.of(Uint8Array.of(1))
  const will = { topic: nameOf('wills'), payload, qos: 0, retain: false, properties: none }
  const pings = bytesOf(4, ...new Array<Packet>(10_000).fill(pingreq))
  // The last answers are too much before the socket fails, and after it.
  for (const isBefore of [true, false]) {
    const world = new World({ config: { unwrittenBytesMax: 65_536 } })
    const heir = world.client('heir')
    world.say(heir, subscribe('wills'))
    const flood = world.open()
    world.say(flood, { ...connect('flood'), will } as Packet)
    world.settle()
    flood.wire.stalled = true
    for (let i = 0; i < (isBefore ? 14 : 13); i++) {
      world.give(flood, pings)
      world.settle()
    }
    assert.is(flood.link.paused, isBefore, 'nobody listens to who does not read')
    // What it had still to say was read, and is heard.
    world.give(flood, join([pings, bytesOf(4, publish('wills', 4))]))
    world.gone(flood, 'failed')
    world.settle()
    assert.is(flood.wire.destroyed, 1)
    assert.equal(tagsIn(4, heir.wire.got), ['Connack', 'Suback', 'Publish', 'Publish'])
  }
})

driver('a fault of one client is its own: the others are served', () => {
  const world = new World()
  const reader = world.client('reader')
  world.say(reader, subscribe('a'))
  const bad = world.client('bad', 5)
  world.give(bad, join([bytesOf(5, publish('a', 3)), Uint8Array.of(0xf8, 0xff, 0xff, 0xff)]))
  world.say(reader, pingreq)
  world.settle()
  assert.equal(tagsIn(4, reader.wire.got), ['Connack', 'Suback', 'Publish', 'Pingresp'])
  assert.equal(tagsIn(5, bad.wire.got), ['Connack', 'Disconnect'])
  assert.ok(bad.wire.ended)
  // What it still says is read, so that the kernel does not throw away what it was told.
  assert.not(bad.wire.paused)
  world.say(bad, publish('a', 3))
  world.settle()
  assert.is(bad.wire.destroyed, 0)
  world.pass(1100)
  assert.is(bad.wire.destroyed, 1)
})

driver('the timer is not moved by every packet', () => {
  const world = new World()
  const client = world.client('client', 4, 60)
  const before = world.arms
  for (let i = 0; i < 100; i++) {
    world.time += 10
    world.say(client, pingreq)
    world.settle()
  }
  assert.ok(world.arms - before <= 1, `${world.arms - before} times`)
})

driver('a deadline in a month is a timer that a runtime can hold', () => {
  const world = new World({
    broker: { initial: broker.initial, runSome: broker.runSome, deadline: () => 2 ** 40 },
  })
  world.settle()
  assert.is(world.armed?.at, world.time + 0x7fffffff)
})

driver('effects for a connection after its Close, or for another generation, go nowhere', () => {
  const effects: Array<Effect> = []
  const scripted: Broker = {
    initial: broker.initial,
    deadline: broker.deadline,
    runSome: (state, inputs) => [state, effects.splice(0), inputs.length],
  }
  const world = new World({ broker: scripted })
  const clients = Array.from({ length: 6 }, () => world.open())
  world.settle()
  const conns = clients.map(({ link }) => link.conn)
  const all = (size: number): Effect => broker.multicast(conns, 4, publish('a', size))
  const leaver = conns[2]!
  effects.push(all(1), all(2), broker.close(leaver, 0), all(3), broker.send(leaver, 4, pingreq))
  effects.push(broker.send({ ...conns[3]!, generation: 999 }, 4, pingreq))
  world.say(clients[0]!, connect('any'))
  world.settle()
  const sizes = clients.map(({ wire }) =>
    packetsIn(4, wire.got).map((packet) => packet._tag === 'Publish' ? B.size(packet.payload) : -1)
  )
  assert.equal(sizes, clients.map((_, i) => i === 2 ? [1, 2] : [1, 2, 3]))
  assert.equal(clients.map(({ wire }) => wire.ended), clients.map((_, i) => i === 2))
})

// Slow readers

driver('who keeps up is reported about every 64 KiB, not about every packet', () => {
  const inputs: Array<Input> = []
  const world = new World({ broker: recording(inputs) })
  const reader = world.client('reader')
  world.say(reader, subscribe('a'))
  const writer = world.client('writer')
  world.settle()
  for (let i = 0; i < 1000; i++) {
    world.say(writer, publish('a', 1000))
    world.settle()
  }
  const reports = inputs.flatMap((input) => input._tag === 'Written' ? [input.total] : [])
  assert.ok(reports.length >= 14 && reports.length <= 16, `${reports.length} reports for 1 MB`)
})

driver('a socket that breaks while it owes is destroyed at once', () => {
  const world = new World()
  const reader = world.client('reader')
  world.say(reader, subscribe('a'))
  const writer = world.client('writer')
  world.settle()
  reader.wire.stalled = true
  world.say(writer, publish('a', 1000))
  world.settle()
  world.gone(reader, 'failed')
  world.settle()
  assert.is(reader.wire.destroyed, 1)
})

driver('a stalled subscriber holds 1 MiB of QoS 0, and nobody waits for it', () => {
  const world = new World()
  const stalled = world.client('stalled')
  const brisk = world.client('brisk')
  world.say(stalled, subscribe('a'))
  world.say(brisk, subscribe('a'))
  const writer = world.client('writer')
  world.settle()
  stalled.wire.stalled = true
  let most = 0
  for (let i = 0; i < 400; i++) {
    world.say(writer, ...Array.from({ length: 10 }, () => publish('a', 1000)))
    world.settle()
    most = Math.max(most, unwrittenBytes(stalled.link))
  }
  const publishes = (client: Client): number =>
    packetsIn(4, client.wire.got).filter(({ _tag }) => _tag === 'Publish').length
  assert.is(publishes(brisk), 4000)
  // The last of them may begin below the limit, and 64 KiB may not have been reported yet.
  assert.ok(most > 900_000 && most <= 1024 * 1024 + 70_000, `${most} bytes held`)
  while (world.take(stalled, 10_000) > 0) world.settle()
  stalled.wire.stalled = false
  const { dropped } = world.driver.counters()
  assert.is(publishes(stalled) + dropped['back-pressure'], 4000)
  world.say(writer, publish('a', 7))
  world.settle()
  const last = packetsIn(4, stalled.wire.got).at(-1)
  assert.is(last?._tag === 'Publish' && B.size(last.payload), 7, 'it is served again')
})

driver('a subscriber that reads slowly is not taken for a stalled one', () => {
  const world = new World()
  const slow = world.client('slow')
  world.say(slow, subscribe('a'))
  const writer = world.client('writer')
  world.settle()
  slow.wire.stalled = true
  for (let i = 0; i < 100; i++) {
    world.say(writer, publish('a', 3000))
    world.settle()
  }
  for (let minute = 0; minute < 4; minute++) {
    world.pass(45_000)
    world.take(slow, 64 * 1024)
    world.settle()
    assert.is(slow.wire.destroyed, 0)
    assert.not(slow.wire.ended)
  }
  world.pass(130_000)
  assert.is(slow.wire.destroyed, 1, 'and the one that takes nothing for a minute is')
})

// Ends

driver('stopping tells MQTT 5 clients after what they are owed, and waits for slow ones', () => {
  const world = new World()
  const five = world.client('five', 5)
  const four = world.client('four', 4)
  world.say(five, subscribe('a'))
  world.settle()
  five.wire.stalled = true
  world.say(four, publish('a', 10))
  let done = false
  world.driver.halt(() => done = true)
  world.settle()
  assert.not(done)
  assert.ok(four.wire.ended)
  assert.not(five.wire.ended, 'first it has to take what it is owed')
  five.wire.stalled = false
  while (world.take(five, 1000) > 0) world.settle()
  assert.equal(tagsIn(5, five.wire.got), ['Connack', 'Suback', 'Publish', 'Disconnect'])
  const last = packetsIn(5, five.wire.got).at(-1)
  assert.is(last?._tag === 'Disconnect' && last.reason, 0x8b)
  assert.ok(five.wire.ended)
  world.gone(five)
  world.gone(four)
  world.settle()
  assert.ok(done)
  assert.is(five.wire.destroyed, 1)
  assert.is(four.wire.destroyed, 1)
  assert.is(world.armed, null)
})

driver('stopping ends although nobody reads and nobody closes', () => {
  const world = new World()
  const stuck = world.client('stuck', 5)
  const silent = world.client('silent')
  stuck.wire.stalled = true
  let done = false
  world.driver.halt(() => done = true)
  world.settle()
  world.pass(1100)
  assert.is(silent.wire.destroyed, 1)
  assert.is(stuck.wire.destroyed, 0)
  assert.not(done)
  world.pass(5000)
  assert.is(stuck.wire.destroyed, 1)
  assert.ok(done)
})

driver('a driver without connections stops at once', () => {
  const world = new World()
  let done = false
  world.driver.halt(() => done = true)
  world.settle()
  assert.ok(done)
})

driver('who is asked before a connection is let in finds the broker without it', () => {
  const found: Array<number> = []
  const world: World = new World({ opening: () => found.push(world.driver.connections) })
  world.open()
  world.client('a')
  assert.equal(found, [0, 1])
})

driver('a connection without CONNECT is closed after 10 s, by the one timer', () => {
  const world = new World()
  const mute = world.open()
  world.settle()
  world.pass(9_900)
  assert.not(mute.wire.ended)
  world.pass(200)
  assert.ok(mute.wire.ended)
  world.pass(1_100)
  assert.is(mute.wire.destroyed, 1)
})

driver('what a client sent before its keep alive ran out counts', () => {
  const world = new World()
  const client = world.client('client', 4, 10)
  world.time += 14_000
  world.say(client, pingreq)
  // The event loop was held up: the packet and the deadline are found in the same turn.
  world.time += 2_000
  world.settle()
  world.pass(100)
  assert.not(client.wire.ended)
  world.pass(16_000)
  assert.ok(client.wire.ended)
})

driver('after a standstill of the process it reads before it looks at the clock', () => {
  const world = new World()
  const client = world.client('client', 4, 10)
  world.time += 60_000
  // Nothing has been read in all the time, and the timer is the first thing that happens.
  const { turn } = world.armed!
  world.armed = null
  turn()
  world.say(client, pingreq)
  world.settle()
  assert.not(client.wire.ended)
  world.pass(16_000)
  assert.ok(client.wire.ended)
})

driver('who sends a large packet is not told off while it comes, however it is read', () => {
  for (const isAbsorbed of [false, true]) {
    const world = new World()
    const client = world.client('client', 4, 1)
    const bytes = bytesOf(4, publish('t', 9_000, 1, 1))
    const before = client.wire.got.length
    for (let at = 0; at < bytes.length; at += 2_000) {
      const piece = bytes.slice(at, at + 2_000)
      const isFree = isAbsorbed && world.driver.absorbed(client.link, piece, 0, piece.length)
      if (!isFree) world.give(client, piece)
      world.settle()
      world.pass(1_400)
    }
    assert.equal(tagsIn(4, client.wire.got.subarray(before)), ['Puback'])
    // A few bytes of a small one are silence.
    world.give(client, bytesOf(4, publish('t', 100)).slice(0, 10))
    world.settle()
    world.pass(200)
    assert.ok(client.wire.ended)
  }
})

driver('who has spoken is not told off for silence, however many are served before', () => {
  const world = new World({ tickMs: 1 })
  const clients = Array.from({ length: 40 }, (_, i) => world.client(`client ${i}`, 4, 1))
  world.settle()
  world.time += 1_400
  for (const client of clients) world.say(client, pingreq)
  // A turn of 5 ms does not reach the last of them, and by then its time is over.
  world.time += 200
  world.settle()
  for (const [i, client] of clients.entries()) assert.not(client.wire.ended, `client ${i}`)
})

driver('a fault of the broker is told, ends every connection and is not survived', () => {
  let bad = false
  const world = new World({
    broker: {
      initial: broker.initial,
      deadline: broker.deadline,
      runSome: (state, inputs, effectsMax) => {
        if (bad) throw new Error('boom')
        return broker.runSome(state, inputs, effectsMax)
      },
    },
  })
  const clients = [world.client('one'), world.client('two')]
  bad = true
  world.say(clients[0]!, pingreq)
  world.settle()
  assert.is(world.faults.length, 1)
  assert.match(world.lines, /Error: the broker itself is at fault and stops: Error: boom/)
  assert.equal(clients.map(({ wire }) => wire.destroyed), [1, 1])
  const late = world.open()
  assert.is(late.wire.destroyed, 1)
  assert.is(world.scheduled, null)
})

driver('verbose: each packet is a line, next to its answer', () => {
  const world = new World({ verbosity: 'verbose' })
  const client = world.open()
  world.say(client, connect('c\u202ed'), subscribe('a/\u202eb'), publish('a', 3, 1, 5))
  world.settle()
  world.say(client, pingreq, pingreq)
  world.settle()
  assert.equal(world.lines.replace(/^\d+: /gm, '').split('\n'), [
    'New connection from 127.0.0.1:40000 on port 1883.',
    'New client connected from 127.0.0.1:40000 as c\\u202ed (p4, c1, k0).',
    'No will message specified.',
    'Sending CONNACK to c\\u202ed (0, 0)',
    'Received SUBSCRIBE from c\\u202ed',
    '\ta/\\u202eb (QoS 0)',
    'c\\u202ed 0 a/\\u202eb',
    'Sending SUBACK to c\\u202ed',
    "Received PUBLISH from c\\u202ed (d0, q1, r0, m5, 'a', ... (3 bytes))",
    "Dropped message (q1, 'a'): no subscriber.",
    'Sending PUBACK to c\\u202ed (m5, rc0)',
    'Received PINGREQ from c\\u202ed',
    'Sending PINGRESP to c\\u202ed',
    'Received PINGREQ from c\\u202ed',
    'Sending PINGRESP to c\\u202ed',
    '',
  ])
})

driver('verbose: who is thrown out is told so by name', () => {
  const world = new World({ verbosity: 'verbose' })
  for (let i = 0; i < 2; i++) {
    const client = world.open(5)
    world.say(client, connect('twin', 5))
    world.settle()
  }
  assert.match(world.lines, /Sending DISCONNECT to twin \(rc142\)/)
  assert.not.match(world.lines, '<unknown>')
})

driver('slots: the lowest free one is given, and a generation never comes again', () => {
  const world = new World()
  const first = world.client('first')
  const second = world.client('second')
  const third = world.client('third')
  assert.equal([first, second, third].map(({ link }) => link.conn.slot), [0, 1, 2])
  world.say(second, disconnect)
  world.say(first, disconnect)
  world.settle()
  const next = world.client('next')
  assert.is(next.link.conn.slot, 0)
  assert.ok(next.link.conn.generation > third.link.conn.generation)
  // What the old occupant still says or takes is not the new one's.
  world.gone(first, 'failed')
  world.say(second, publish('a', 1))
  world.settle()
  assert.equal(tagsIn(4, next.wire.got), ['Connack'])
})

driver('Slots agrees with a sorted list', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 200, size: '+2' }), (choices) => {
      const slots = new Slots()
      const taken: Array<number> = []
      for (const choice of choices) {
        if (choice % 3 === 0 && taken.length > 0) {
          slots.give(taken.splice(choice % taken.length, 1)[0]!)
          continue
        }
        let lowest = 0
        while (taken.includes(lowest)) lowest += 1
        assert.is(slots.take(), lowest)
        taken.push(lowest)
      }
    }),
    { numRuns: runs(200) },
  )
})

driver('a log that is published comes to rest, whoever listens to all of it and answers', () => {
  const world = new World()
  const topic: LogDestination = { to: 'topic' }
  world.log.reconfigure({ ...defaultLog, types: logTypes, destinations: [topic] })
  const ear = world.client('ear')
  world.say(ear, subscribe('$SYS/broker/log/#', 1))
  world.settle()
  world.client('c')
  const lines = packetsIn(4, ear.wire.got).filter((one) => one._tag === 'Publish')
  // Debug lines are not among them: to publish one is something to be told of again.
  assert.ok(lines.length > 2, `${lines.length} lines`)
  for (const { packetId } of lines) {
    world.say(ear, { _tag: 'Puback', packetId, reason: 0, properties: none })
  }
  world.settle()
  assert.is(packetsIn(4, ear.wire.got).filter((one) => one._tag === 'Publish').length, lines.length)
  assert.equal(world.driver.counters().dropped['no subscriber'], 0)
})

driver('turns that are taken early are over when one in their place would be', () => {
  const slow: Broker = {
    ...broker,
    runSome: (...args) => {
      world.time += 4
      return broker.runSome(...args)
    },
  }
  const world = new World({ broker: slow })
  const publishers = Array.from({ length: 100 }, (_, i) => world.client(`p${i}`))
  const answers = (): number => publishers.reduce((sum, { wire }) => sum + wire.got.length / 4, 0)
  for (let rounds = 1; rounds <= 2; rounds++) {
    const before = answers()
    const counts = publishers.map((one) => {
      world.say(one, publish('t', 10, 1, 1))
      world.driver.relieve()
      return answers() - before
    })
    assert.equal([...new Set(counts)], [0, 12, 24, 36])
    world.settle()
    assert.is(answers() - before, 100)
  }
})

driver('what a connection has left for later turns is not kept once it has been served', () => {
  const world = new World()
  const loud = world.client('loud')
  const chunk = join(Array.from({ length: 250 }, () => encode(4, publish('a', 1000))))
  world.give(loud, chunk)
  world.settle()
  const { reader } = loud.link
  assert.is(reader.waiting, 0)
  assert.is(reader.frameBuffer.length, 0)
})

driver('who has spoken is not told off for silence before everybody has been read from', () => {
  const ways = [0, 60_000].flatMap((bytes) => [[bytes, false], [bytes, true]] as const)
  for (const [payloadBytes, isTimerFirst] of ways) {
    const world = new World()
    const clients = Array.from({ length: 40 }, (_, i) => world.client(`client ${i}`, 4, 1))
    // As after a standstill of the process: much has come, and nothing was read.
    world.time += 1_600
    if (isTimerFirst) world.fire()
    for (const client of clients) {
      world.say(client, publish('t', payloadBytes))
      world.driver.relieve()
    }
    world.settle()
    for (const [i, client] of clients.entries()) assert.not(client.wire.ended, `client ${i}`)
    world.pass(1_600)
    for (const client of clients) assert.ok(client.wire.ended)
  }
})

driver('a standstill while the host reads tells nobody off who spoke meanwhile', () => {
  for (const isTurnTaken of [false, true]) {
    const world = new World()
    const clients = Array.from({ length: 15 }, (_, i) => world.client(`client ${i}`, 4, 1))
    const silent = world.client('silent', 4, 1)
    for (const client of clients.slice(0, 12)) world.say(client, pingreq)
    world.time += 1_600
    if (isTurnTaken) world.driver.relieve()
    world.say(clients[0]!, pingreq)
    assert.ok(world.turn())
    for (const client of clients) world.say(client, pingreq)
    world.pass(0)
    world.settle()
    for (const [i, client] of clients.entries()) assert.not(client.wire.ended, `client ${i}`)
    assert.ok(silent.wire.ended)
  }
})

driver.run()
