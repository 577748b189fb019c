// What the driver makes of what a runtime says of memory: when it is short, when there is enough
// again, when the engine is asked to collect; and how often it looks.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Input } from '../core/mod.ts'
import { MemoryWatch } from '../shells/common/memory.ts'
import type { Memory } from '../shells/common/memory.ts'
import { bytesOf, pingreq, publish, recording, same, subscribe, World } from './driver/world.ts'
import type { WorldOptions } from './driver/world.ts'

const memory = suite('memory of the driver')

/** A driver with one client, and what it was told of memory. */
const watched = (options: WorldOptions = {}) => {
  const inputs: Array<Input> = []
  const world = new World({ ...options, broker: recording(inputs) })
  const client = world.client('client')
  /** Something happens, and that much is in use by then. */
  const use = (memory: Partial<Memory>): void => {
    world.memory = { ...world.memory, ...memory }
    world.time += 250
    world.say(client, pingreq)
    world.settle()
  }
  const told = (): ReadonlyArray<string> =>
    inputs.flatMap(({ _tag }) => _tag === 'MemoryShort' || _tag === 'MemoryFree' ? [_tag] : [])
  return { world, client, use, told }
}

memory('memory is short above 60 % and free below 50 %, and each is told once', () => {
  for (const [used, limit] of [['heapUsedBytes', 'heapLimitBytes'], ['usedBytes', 'limitBytes']]) {
    const { world, use, told } = watched({ verbosity: 'normal' })
    for (let i = 0; i < 3; i++) use({ [limit!]: 10_000, [used!]: 6_000 })
    assert.equal(told(), [])
    use({ [used!]: 6_001 })
    assert.equal(told(), [], 'the engine has been asked to collect first')
    assert.is(world.collections, 1)
    for (let i = 0; i < 3; i++) use({ [used!]: 6_001 })
    assert.equal(told(), ['MemoryShort'])
    assert.match(world.lines, /Warning: Memory is short/)
    for (let i = 0; i < 3; i++) use({ [used!]: 5_000 })
    assert.equal(told(), ['MemoryShort'])
    for (let i = 0; i < 3; i++) use({ [used!]: 4_999 })
    assert.equal(told(), ['MemoryShort', 'MemoryFree'])
    assert.match(world.lines, /There is enough memory again\./)
    for (let i = 0; i < 3; i++) use({ [used!]: 6_000 })
    assert.equal(told(), ['MemoryShort', 'MemoryFree'])
  }
})

memory('what a collection brings back was never short', () => {
  const { world, use, told } = watched()
  world.garbageBytes = 500
  for (let i = 0; i < 3; i++) use({ heapUsedBytes: world.collections === 0 ? 900 : 400 })
  assert.is(world.collections, 1)
  assert.equal(told(), [])
})

memory('after much has come and it has become quiet, what it left behind is collected', () => {
  const world = new World()
  const client = world.client('client')
  const large = publish('t', 256 * 1024 - 100)
  const flood = (mebibytes: number): void => {
    for (let i = 0; i < 4 * mebibytes; i++) {
      world.say(client, large)
      world.settle()
    }
  }
  flood(31)
  world.pass(10_000)
  assert.is(world.collections, 0, 'that was not much')
  for (let i = 0; i < 20; i++) {
    flood(2)
    world.pass(500)
    assert.is(world.collections, 0, 'it goes on')
  }
  world.pass(3_000)
  assert.is(world.collections, 1)
  world.pass(6_000)
  assert.is(world.collections, 2, 'and once more')
  world.pass(60_000)
  assert.is(world.collections, 2)
  assert.is(world.armed, null, 'no timer is left')
  flood(40)
  world.pass(3_000)
  assert.is(world.collections, 3)
  flood(3)
  world.pass(60_000)
  assert.is(world.collections, 3, 'it was not quiet')
  assert.is(world.armed, null, 'no timer is left')
})

memory('what few bytes that match many subscriptions have left behind is collected, too', () => {
  const world = new World()
  const reader = world.client('reader')
  const filters = Array.from(
    { length: 512 },
    (_, i) => Array.from({ length: 9 }, (_, level) => i >> level & 1 ? '+' : 'a').join('/'),
  )
  for (const filter of filters) world.say(reader, subscribe(filter))
  const writer = world.client('writer')
  const topic = Array.from({ length: 9 }, () => 'a').join('/')
  world.pass(10_000)
  for (let i = 0; i < 700; i++) {
    world.say(writer, publish(topic, 10))
    world.settle()
  }
  world.pass(10_000)
  assert.is(world.collections, 2)
  for (let i = 0; i < 100; i++) {
    world.say(writer, publish(topic, 10))
    world.settle()
  }
  world.pass(60_000)
  assert.is(world.collections, 2, 'that was not much')
  assert.is(world.armed, null, 'no timer is left')
})

memory('what reading a store has left behind is collected, and once more', () => {
  let collections = 0
  const usage = { heapUsedBytes: 0, heapLimitBytes: 1, usedBytes: 0, limitBytes: 1 }
  const watch = new MemoryWatch({ memory: () => usage, collect: () => collections += 1 }, null)
  watch.litter(100)
  assert.is(watch.due(), 1_100)
  assert.not(watch.rests(1_099, 0, 0))
  assert.ok(watch.rests(1_100, 0, 0))
  assert.is(watch.due(), 7_100)
  assert.ok(watch.rests(7_100, 0, 0))
  assert.is(collections, 2)
  assert.is(watch.due(), Number.MAX_SAFE_INTEGER)
})

memory('what was lent to a driver that is killed is given back', () => {
  const world = new World()
  const client = world.client('client')
  const { releases } = client.wire
  world.say(client, pingreq)
  world.driver.kill()
  assert.is(client.wire.releases, releases + 1)
})

memory('a crowd leaves litter too', () => {
  const world = new World()
  for (let i = 0; i < 2_100; i++) {
    world.open()
    world.settle()
  }
  world.pass(3_000)
  assert.is(world.collections, 1)
})

memory('what only continues a packet is taken without a turn, and by whom nobody waits for', () => {
  const world = new World()
  const listener = world.client('listener')
  world.say(listener, subscribe('t'))
  world.settle()
  const client = world.client('client')
  const bytes = bytesOf(4, publish('t', 3_000))
  const absorbs = (start: number, end: number): boolean => {
    const lent = bytes.slice(start, end)
    const took = world.driver.absorbed(client.link, lent, 0, lent.length)
    lent.fill(0xee)
    return took
  }
  assert.not(absorbs(0, 100), 'a packet that nobody has seen the beginning of')
  world.give(client, bytes.subarray(0, 100))
  assert.not(absorbs(100, 200), 'its beginning is lent')
  world.settle()
  assert.ok(absorbs(100, 2_000))
  assert.is(world.scheduled, null)
  assert.not(absorbs(2_000, bytes.length), 'its end')
  const before = listener.wire.got.length
  world.give(client, bytes.subarray(2_000))
  world.settle()
  same(listener.wire.got.subarray(before), bytes, 'what the listener got')
  world.give(client, bytes.subarray(0, 100))
  world.settle()
  world.gone(client)
  assert.not(absorbs(100, 200), 'it is gone')
})

memory('while memory is short it is looked at without anything happening, and then no more', () => {
  const { world, use, told } = watched()
  for (let i = 0; i < 2; i++) use({ heapUsedBytes: 900 })
  assert.equal(told(), ['MemoryShort'])
  const { looks, collections } = world
  world.pass(10_000)
  assert.is(world.looks - looks, 40)
  assert.is(world.collections - collections, 2, 'garbage is looked for every 5 s')
  world.memory = { ...world.memory, heapUsedBytes: 100 }
  world.pass(250)
  assert.equal(told(), ['MemoryShort', 'MemoryFree'])
  assert.is(world.armed, null, 'no timer is left')
})

memory('memory is looked at every 250 ms at most, and not at all while nothing happens', () => {
  const { world, client } = watched()
  const { looks, arms } = world
  for (let i = 0; i < 1_000; i++) {
    world.time += 1
    world.say(client, pingreq)
    world.settle()
  }
  assert.ok(world.looks - looks >= 3 && world.looks - looks <= 4, `${world.looks - looks} looks`)
  assert.is(world.arms, arms, 'no timer is armed for it')
})

memory('a limit of the operator takes the place of the machine, and 0 of every limit', () => {
  const mine = watched({ memoryLimitBytes: 100 })
  for (let i = 0; i < 2; i++) mine.use({ usedBytes: 61 })
  assert.equal(mine.told(), ['MemoryShort'])
  const large = watched({ memoryLimitBytes: 100_000 })
  for (let i = 0; i < 2; i++) large.use({ usedBytes: 900 })
  assert.equal(large.told(), [])
  for (let i = 0; i < 2; i++) large.use({ heapUsedBytes: 900 })
  assert.equal(large.told(), ['MemoryShort'], 'the heap has a limit of its own')
  const none = watched({ memoryLimitBytes: 0 })
  for (let i = 0; i < 2; i++) none.use({ usedBytes: 1_000, heapUsedBytes: 1_000 })
  assert.equal(none.told(), [])
  assert.is(none.world.looks, 0)
})

memory.run()
