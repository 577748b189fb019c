// What one turn takes from each connection and how long it may last: nobody is served at the cost
// of others, and nobody waits for more than what is to be gained by it.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Input } from '../core/mod.ts'
import * as broker from '../core/mod.ts'
import { encode } from '../core/mod.ts'
import * as B from '../core/data/bytes.ts'
import {
  join,
  packetsIn,
  pingreq,
  publish,
  recording,
  subscribe,
  tagsIn,
  World,
} from './driver/world.ts'

const driver = suite('turns of the driver')

driver('one write per connection and turn, and nothing held for who is owed nothing', () => {
  const world = new World()
  const readers = Array.from({ length: 20 }, (_, i) => world.client(`reader ${i}`))
  for (const reader of readers) world.say(reader, subscribe('a'))
  const writer = world.client('writer')
  world.settle()
  for (const { wire } of readers) wire.writes = 0
  writer.wire.writes = 0
  world.say(writer, ...Array.from({ length: 100 }, () => publish('a', 100)), pingreq)
  for (const reader of readers) world.say(reader, pingreq)
  assert.is(world.settle(), 1)
  assert.equal(readers.map(({ wire }) => wire.writes), readers.map(() => 1))
  assert.is(writer.wire.writes, 1)
  for (const { link } of [...readers, writer]) {
    assert.is(link.filling, null)
    assert.is(link.flying, null)
  }
})

driver('a loud connection gets 64 KiB of a turn, and its socket is paused meanwhile', () => {
  const inputs: Array<Input> = []
  const world = new World({ broker: recording(inputs) })
  const loud = world.client('loud')
  const quiet = world.client('quiet')
  inputs.length = 0
  const frame = encode(4, publish('a', 1000))
  world.give(loud, join(Array.from({ length: 250 }, () => frame)))
  assert.ok(loud.wire.paused, 'paused while more than 64 KiB wait')
  world.say(quiet, pingreq)
  const before = quiet.wire.got.length
  world.turn()
  const share = inputs.filter((input) =>
    input._tag === 'Arrived' && input.conn.slot === loud.link.conn.slot
  ).length * frame.length
  assert.ok(share >= 64 * 1024 && share < 64 * 1024 + frame.length, `${share} bytes in a turn`)
  assert.is(quiet.wire.got.length, before + 2, 'the other one is answered in the same turn')
  assert.ok(loud.wire.paused)
  world.settle()
  assert.not(loud.wire.paused, 'resumed when all has been decoded')
  assert.is(inputs.filter((input) => input._tag === 'Arrived').length, 251)
})

driver('what is more than a processor keeps at hand is served before more is read', () => {
  const world = new World()
  const publishers = Array.from({ length: 80 }, (_, i) => world.client(`p${i}`))
  const answered = (): number => publishers.filter(({ wire }) => wire.got.length > 4).length
  const counts = new Set<number>()
  for (const one of publishers) {
    world.say(one, publish('t', 60_000, 1, 1))
    world.driver.relieve()
    counts.add(answered())
  }
  // 1 MiB is 17.5 of them; after three times the host has something else to do first.
  assert.equal([...counts], [0, 18, 36, 54])
  for (const { wire } of publishers.slice(0, 54)) assert.is(wire.releases, 2, 'given back')
  world.settle()
  assert.is(answered(), 80)
  // A turn that was taken early is not taken again, and the next one is as wanted as ever.
  for (const one of publishers.slice(0, 18)) world.say(one, publish('t', 60_000, 1, 1))
  world.driver.relieve()
  const { turns } = world.driver.counters()
  assert.ok(world.turn())
  assert.is(world.driver.counters().turns, turns)
  world.say(publishers[0]!, pingreq)
  assert.ok(world.turn())
  assert.not(world.turn())
  assert.is(world.driver.counters().turns, turns + 1)
})

driver('where several have said a little each, they are not kept waiting for the others', () => {
  const world = new World()
  const publishers = Array.from({ length: 50 }, (_, i) => world.client(`p${i}`))
  const answers = (): number => publishers.reduce((sum, { wire }) => sum + wire.got.length / 4, -50)
  /** Each says one thing; how many answers there were after each. */
  const say = (payloadBytes: number): ReadonlyArray<number> =>
    publishers.map((one) => {
      world.say(one, publish('t', payloadBytes, 1, 1))
      world.driver.relieve()
      return answers()
    })
  const counts = say(64)
  assert.equal([...new Set(counts)], [0, 12, 24, 36, 48])
  assert.is(counts.indexOf(12), 11)
  world.settle()
  assert.is(answers(), 50)
  // Where it is much, one turn for all of them has less to do.
  assert.equal([...new Set(say(1000))], [50])
  world.settle()
  assert.is(answers(), 100)
})

driver('one unfinished frame does not keep its socket paused', () => {
  const world = new World()
  const reader = world.client('reader')
  world.say(reader, subscribe('a'))
  const writer = world.client('writer')
  world.settle()
  const frame = encode(4, publish('a', 200_000))
  world.give(writer, frame.slice(0, 100_000))
  assert.ok(writer.wire.paused)
  world.settle()
  assert.not(writer.wire.paused)
  world.give(writer, frame.slice(100_000))
  world.settle()
  assert.equal(tagsIn(4, reader.wire.got), ['Connack', 'Suback', 'Publish'])
})

driver('a turn ends after about 5 ms, and who was not served comes first in the next', () => {
  const inputs: Array<Input> = []
  const world = new World({ broker: recording(inputs), tickMs: 1 })
  const clients = Array.from({ length: 40 }, (_, i) => world.client(`client ${i}`))
  inputs.length = 0
  for (const client of clients) world.say(client, pingreq)
  const order: Array<number> = []
  let turns = 0
  while (order.length < clients.length) {
    const from = inputs.length
    assert.ok(world.turn(), 'the next turn is scheduled at once')
    turns += 1
    const served = inputs.slice(from).flatMap((input) =>
      input._tag === 'Arrived' ? [input.conn.slot] : []
    )
    assert.ok(served.length > 0 && served.length <= 8, `${served.length} served in a turn`)
    order.push(...served)
    // Who has been served and comes back stands at the end.
    if (turns === 1) world.say(clients[0]!, pingreq)
  }
  assert.equal(order.slice(0, 40), clients.map(({ link }) => link.conn.slot))
  world.settle()
  assert.is(inputs.filter((input) => input._tag === 'Arrived').length, 41)
})

driver('writing ends after about 5 ms too, and a crowd makes nobody wait who comes later', () => {
  const world = new World({ tickMs: 0 })
  const subscribers = Array.from({ length: 200 }, (_, i) => world.client(`s${i}`))
  for (const subscriber of subscribers) world.say(subscriber, subscribe('t'))
  const publisher = world.client('p')
  world.settle()
  const before = subscribers.map(({ wire }) => wire.writes)
  const written = (): number => subscribers.filter(({ wire }, i) => wire.writes > before[i]!).length
  for (const { wire } of subscribers) {
    const write = wire.write.bind(wire)
    wire.write = (bytes) => {
      world.time += 0.1
      return write(bytes)
    }
  }
  world.say(publisher, publish('t', 10))
  world.turn()
  const first = written()
  assert.ok(first >= 50 && first < 120, `${first} of 200 were written to in the first turn`)
  // What comes meanwhile is served, and each still gets everything in order.
  const answered = publisher.wire.writes
  world.say(publisher, pingreq)
  world.turn()
  assert.is(publisher.wire.writes, answered + 1, 'the answer does not stand in the queue')
  assert.ok(written() < 200, 'which is there still')
  world.say(publisher, publish('t', 20))
  assert.ok(world.settle() <= 6, 'the rest takes a few turns')
  for (const { wire } of subscribers) {
    const sizes = packetsIn(4, wire.got).flatMap((packet) =>
      packet._tag === 'Publish' ? [B.size(packet.payload)] : []
    )
    assert.equal(sizes, [10, 20])
  }
})

driver('a connection with many small packets does not make a turn longer', () => {
  const inputs: Array<Input> = []
  const world = new World({ broker: recording(inputs), tickMs: 1 })
  const client = world.client('client')
  inputs.length = 0
  world.say(client, ...Array.from({ length: 5000 }, () => pingreq))
  world.turn()
  assert.ok(inputs.length > 0 && inputs.length <= 1000, `${inputs.length} inputs in a turn`)
  world.settle()
  assert.is(inputs.filter((input) => input._tag === 'Arrived').length, 5000)
})

driver('a batch of messages that many do not get is run piece by piece', () => {
  const made: Array<number> = []
  const world = new World({
    config: { unwrittenBytesMax: 1_000 },
    broker: {
      ...broker,
      runSome: (state, inputs, effectsMax) => {
        const found = broker.runSome(state, inputs, effectsMax)
        made.push(found[1].length)
        return found
      },
    },
  })
  const reader = world.client('reader')
  // Every way to ask for the topic with a plus in place of some of its levels.
  const filters = Array.from(
    { length: 1_024 },
    (_, i) => Array.from({ length: 10 }, (_, level) => i >> level & 1 ? '+' : 'a').join('/'),
  )
  for (const filter of filters) world.say(reader, subscribe(filter))
  world.settle()
  reader.wire.stalled = true
  const writer = world.client('writer')
  world.settle()
  made.length = 0
  const before = world.driver.counters().dropped['back-pressure']
  const topic = Array.from({ length: 10 }, () => 'a').join('/')
  world.say(writer, ...Array.from({ length: 64 }, () => publish(topic, 100)))
  world.settle()
  assert.ok(made.length >= 4 && Math.max(...made) < 16_384 + 1_024 + 10, made.join(' '))
  const dropped = world.driver.counters().dropped['back-pressure'] - before
  assert.ok(dropped > 64 * 1_000, `${dropped} dropped`)
})

driver('of messages that are dear to search for a batch has few, the first one too', () => {
  const batches: Array<number> = []
  const world = new World({
    broker: {
      ...broker,
      runSome: (state, inputs, effectsMax) => {
        batches.push(inputs.filter((input) => input._tag === 'Arrived').length)
        return broker.runSome(state, inputs, effectsMax)
      },
    },
  })
  const maze = world.client('maze')
  // No message gets to the end of them, and every search goes to all of them.
  const ways = Array.from(
    { length: 4_096 },
    (_, i) => Array.from({ length: 12 }, (_, level) => i >> level & 1 ? '+' : 'a').join('/'),
  )
  const writer = world.client('writer')
  const most = (topic: string): number => {
    world.say(writer, ...Array.from({ length: 1_024 }, () => pingreq))
    world.settle()
    batches.length = 0
    world.say(writer, ...Array.from({ length: 512 }, (_, i) => publish(`${topic}/${i}`, 10)))
    world.settle()
    assert.is(batches.reduce((one, other) => one + other), 512)
    return Math.max(...batches)
  }
  const topic = Array.from({ length: 12 }, () => 'a').join('/')
  assert.is(most(topic), 512)
  for (const way of ways) world.say(maze, subscribe(`${way}/end`))
  world.settle()
  assert.ok(most(topic) <= 4, batches.join(' '))
  // When who has asked for them is gone, all is as before.
  world.gone(maze)
  world.settle()
  assert.is(most(topic), 512)
})

driver('of packets that take long a turn has few, after the first', () => {
  const turns: Array<number> = []
  const world: World = new World({
    broker: {
      ...broker,
      runSome: (state, inputs, effectsMax) => {
        const dear = inputs.filter((input) => input._tag === 'Arrived').length
        world.time += 20 * dear
        turns[turns.length - 1]! += dear
        return broker.runSome(state, inputs, effectsMax)
      },
    },
  })
  turns.push(0)
  const loud = world.client('loud')
  const quiet = world.client('quiet')
  turns.length = 0
  world.say(loud, ...Array.from({ length: 200 }, () => publish('dear', 10)))
  do turns.push(0)
  while (world.turn())
  assert.ok(turns[0]! <= 64 && turns.slice(1).every((count) => count <= 2), turns.join(' '))
  // Who speaks in between is answered after no more than a few of them.
  world.say(loud, ...Array.from({ length: 20 }, () => publish('dear', 10)))
  world.say(quiet, pingreq)
  turns.push(0)
  world.turn()
  turns.push(0)
  world.turn()
  assert.equal(tagsIn(4, quiet.wire.got), ['Connack', 'Pingresp'])
})

driver.run()
