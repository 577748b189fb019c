// The law of persistent data: a structure agrees with a plain Map or array on every version of its
// history, while all versions but the newest are frozen to the last node. Owners come and go at
// random: what was edited in place under an owner is one version, sealed when the owner is dropped.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Bytes from '../core/data/bytes.ts'
import * as Heap from '../core/data/heap.ts'
import * as IntMap from '../core/data/int-map.ts'
import { newOwner } from '../core/data/owner.ts'
import type { Owner } from '../core/data/owner.ts'
import * as Queue from '../core/data/queue.ts'
import * as StrMap from '../core/data/str-map.ts'
import * as Table from '../core/data/table.ts'
import * as Window from '../core/data/window.ts'
import { isShortRun, runs } from './gen/settings.ts'

/** Freezes everything that can be reached; what is frozen already was frozen with all below it. */
const freeze = <T>(value: T): T => {
  const stack: unknown[] = [value]
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (typeof item !== 'object' || item === null || Object.isFrozen(item)) continue
    Object.freeze(item)
    for (const held of Object.values(item)) {
      if (typeof held === 'object' && held !== null) stack.push(held)
    }
  }
  return value
}

/** Who makes a change: nobody in particular, a fresh owner, or the owner of the change before. */
type Holder = 'nobody' | 'fresh' | 'same'

type Change<Op> = readonly [Op, Holder]

const changes = <Op>(op: fc.Arbitrary<Op>, count: number): fc.Arbitrary<Array<Change<Op>>> =>
  fc.array(
    fc.tuple(
      op,
      fc.oneof(
        { weight: 1, arbitrary: fc.constant<Holder>('nobody') },
        { weight: 1, arbitrary: fc.constant<Holder>('fresh') },
        { weight: 3, arbitrary: fc.constant<Holder>('same') },
      ),
    ),
    { maxLength: count, size: 'max' },
  )

interface Law<S, M, Op> {
  readonly empty: S
  readonly model: M
  readonly apply: (structure: S, owner: Owner | null, op: Op) => S
  /** Answers a new model and leaves the old one alone. */
  readonly imitate: (model: M, op: Op) => M
  readonly agree: (structure: S, model: M) => void
}

const holds = <S, M, Op>(law: Law<S, M, Op>, history: ReadonlyArray<Change<Op>>): void => {
  const versions: Array<readonly [S, M]> = []
  let owner: Owner | null = null
  let structure = law.empty
  let model = law.model
  for (const [op, holder] of history) {
    if (holder !== 'same' || owner === null) {
      versions.push([freeze(structure), model])
      owner = holder === 'nobody' ? null : newOwner()
    }
    structure = law.apply(structure, owner, op)
    model = law.imitate(model, op)
  }
  versions.push([structure, model])
  for (const [then, was] of versions) law.agree(then, was)
}

/** Asserts that a kind of case came up so often: a property that never met it proves little. */
const met = (count: number, floor: number, what: string): void => {
  assert.ok(count >= floor, `only ${count} times ${what}, wanted ${floor}`)
}

// Integer maps

interface Put<K> {
  readonly key: K
  /** Null removes the key. */
  readonly value: number | null
}

const puts = <K>(keys: fc.Arbitrary<K>): fc.Arbitrary<Put<K>> =>
  fc.record({ key: keys, value: fc.option(fc.nat(1000), { freq: 2 }) })

const put = <K>(model: ReadonlyMap<K, number>, { key, value }: Put<K>): Map<K, number> => {
  const copy = new Map(model)
  if (value === null) copy.delete(key)
  else copy.set(key, value)
  return copy
}

const intMap = suite('IntMap')

const intKeys = [
  0,
  1,
  2,
  30,
  31,
  32,
  33,
  63,
  64,
  1022,
  1023,
  1024,
  1025,
  32767,
  32768,
  65535,
  1 << 20,
  1 << 25,
  2 ** 29,
  2 ** 30 - 33,
  2 ** 30 - 32,
  2 ** 30 - 1,
]

/** The map without its owners, to compare shapes. */
const shape = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, held) => key === 'owner' ? undefined : held ?? null))

const intMapLaw = (keys: ReadonlyArray<number>): Law<
  IntMap.IntMap<number>,
  ReadonlyMap<number, number>,
  Put<number>
> => ({
  empty: IntMap.empty(),
  model: new Map(),
  apply: (map, owner, { key, value }) =>
    value === null ? IntMap.remove(map, owner, key) : IntMap.set(map, owner, key, value),
  imitate: put,
  agree: (map, model) => {
    const expected = [...model].sort(([a], [b]) => a - b)
    assert.is(IntMap.size(map), model.size)
    assert.equal([...IntMap.entries(map)], expected)
    assert.equal(IntMap.first(map), expected[0])
    for (const [key] of expected) {
      const next = expected.find(([other]) => other > key)
      assert.equal(IntMap.firstFrom(map, key), expected.find(([other]) => other === key))
      assert.equal(IntMap.firstFrom(map, key + 1), next)
    }
    const visited: Array<[number, number]> = []
    IntMap.each(map, (value, key) => visited.push([key, value]))
    assert.equal(visited, expected)
    for (const key of keys) assert.is(IntMap.get(map, key), model.get(key))
  },
})

intMap('agrees with Map on every version: keys far apart', () => {
  fc.assert(
    fc.property(
      changes(puts(fc.constantFrom(...intKeys)), 80),
      (history) => holds(intMapLaw(intKeys), history),
    ),
    { numRuns: runs(200) },
  )
})

intMap('agrees with Map on every version: keys close together', () => {
  const keys = Array.from({ length: 80 }, (_, i) => i)
  fc.assert(
    fc.property(
      changes(puts(fc.constantFrom(...keys)), 150),
      (history) => holds(intMapLaw(keys), history),
    ),
    { numRuns: runs(100) },
  )
})

intMap('has one shape for one content, however it came about', () => {
  fc.assert(
    fc.property(
      fc.array(puts(fc.constantFrom(...intKeys)), { maxLength: 60, size: 'max' }),
      (history) => {
        let map = IntMap.empty<number>()
        for (const { key, value } of history) {
          map = value === null ? IntMap.remove(map, null, key) : IntMap.set(map, null, key, value)
        }
        // Between four and eight entries a map may be flat or a trie: it does not go to and fro.
        fc.pre(IntMap.size(map) <= 4 || IntMap.size(map) > 8)
        let again = IntMap.empty<number>()
        for (const [key, value] of [...IntMap.entries(map)].reverse()) {
          again = IntMap.set(again, null, key, value)
        }
        assert.equal(shape(map), shape(again))
      },
    ),
    { numRuns: runs(100) },
  )
})

intMap('set() answers the same object to its owner and another to anybody else', () => {
  const owner = newOwner()
  const map = IntMap.set(IntMap.empty<number>(), owner, 1, 1)
  assert.is(IntMap.set(map, owner, 2, 2), map)
  assert.is.not(IntMap.set(map, newOwner(), 3, 3), map)
  assert.is.not(IntMap.set(map, null, 3, 3), map)
  assert.is(IntMap.remove(map, null, 99), map)
  assert.equal([...IntMap.entries(map)], [[1, 1], [2, 2]])
})

intMap('a free key is looked for from a number on, and round the end', () => {
  const last = IntMap.keyLimit - 1
  let map = IntMap.empty<true>()
  for (const key of [0, 2, 3, last]) map = IntMap.set(map, null, key, true)
  assert.is(IntMap.freeKey(map, 1), 1)
  assert.is(IntMap.freeKey(map, 2), 4)
  assert.is(IntMap.freeKey(map, last), 1)
})

intMap('set() throws at 2^30 and below 0; get() finds nothing there', () => {
  const map = IntMap.set(IntMap.empty<number>(), null, 0, 1)
  assert.throws(() => IntMap.set(map, null, 2 ** 30, 1), /2\^30/)
  assert.throws(() => IntMap.set(map, null, -1, 1), /2\^30/)
  const wide = IntMap.set(map, null, IntMap.keyLimit - 1, 2)
  for (const key of [2 ** 30, 2 ** 31, -1, -(2 ** 31)]) {
    assert.is(IntMap.get(map, key), undefined)
    assert.is(IntMap.get(wide, key), undefined)
    assert.is(IntMap.remove(wide, null, key), wide)
  }
})

intMap('with few entries, wherever they lie, has no node', () => {
  const owner = newOwner()
  let map = IntMap.empty<number>()
  for (let i = 8; i > 0; i--) {
    map = IntMap.set(map, owner, i * 100_000_000, i)
    assert.is(map.node, null)
    assert.is(map.keys.length, 9 - i)
  }
  map = IntMap.set(map, owner, 7, 7)
  assert.is.not(map.node, null)
  assert.is(map.keys.length, 0)
  for (let i = 1; i < 6; i++) map = IntMap.remove(map, owner, i * 100_000_000)
  assert.is(map.node, null)
  assert.equal([...IntMap.entries(map)], [[7, 7], ...[6, 7, 8].map((i) => [i * 100_000_000, i])])
})

intMap.run()

// Tables

const tables = suite('Table')

const hashSeed = 4711

interface Thing {
  readonly hash: number
  readonly name: string
}

/** Some under equal hashes, some that differ in their last bits only, some anywhere. */
const things: ReadonlyArray<Thing> = Array.from({ length: 240 }, (_, i) => ({
  hash: i < 50
    ? 4711
    : i < 120
    ? 2 ** 30 - 1 - (i % 64)
    : i < 180
    ? (i % 60) * 2 ** 25 % 2 ** 30
    : (i * 7_654_321) % 2 ** 30,
  name: `thing ${i}`,
}))

type TableOp = readonly [kind: 'toggle' | 'replace', index: number, count: number]

type ThingTable = Table.Table<Thing> | null

const isIn = (table: ThingTable, thing: Thing): boolean =>
  table !== null && (Table.bucketOf(table, thing.hash)?.includes(thing) ?? false)

const tableLaw: Law<ThingTable, ReadonlyArray<Thing>, TableOp> = {
  empty: null,
  model: [],
  apply: (start, owner, [kind, index, count]) => {
    let table = start
    for (const thing of things.slice(index, index + count)) {
      if (!isIn(table, thing)) {
        if (kind === 'toggle') table = Table.insert(table, owner, thing.hash, thing)
      } else if (kind === 'toggle') table = Table.remove(table!, owner, thing.hash, thing)
      // By itself, which must change nothing.
      else table = Table.replace(table!, owner, thing.hash, thing, thing)
    }
    return table
  },
  imitate: (model, [kind, index, count]) => {
    if (kind === 'replace') return model
    const toggled = things.slice(index, index + count)
    return [
      ...model.filter((thing) => !toggled.includes(thing)),
      ...toggled.filter((thing) => !model.includes(thing)),
    ]
  },
  agree: (table, model) => {
    assert.is(table === null, model.length === 0)
    for (const thing of things) assert.is(isIn(table, thing), model.includes(thing))
    if (table === null) return
    assert.is(Table.size(table), model.length)
    const met: Thing[] = []
    Table.each(table, (thing) => met.push(thing))
    assert.equal(new Set(met), new Set(model))
    assert.is(met.length, model.length)
    let buckets = 0
    let bucket: Table.Bucket<Thing> | null = Table.firstBucket(table)
    for (; bucket !== null; bucket = Table.bucketAfter(table, bucket)) {
      buckets++
      for (let i = 0; i < bucket.length; i += 2) {
        assert.is(bucket[i], Table.itemAt(bucket, i).hash)
      }
    }
    if (Array.isArray(table)) assert.ok(buckets === 1 && model.length <= 32)
    else assert.ok(model.length > 16, `a branch of ${model.length}`)
  },
}

tables('agrees with a list on every version, with hashes that are equal or nearly so', () => {
  let wide = 0
  const op: fc.Arbitrary<TableOp> = fc.tuple(
    fc.constantFrom('toggle', 'toggle', 'replace'),
    fc.nat(239),
    fc.oneof(fc.nat(3), fc.nat(80)),
  )
  fc.assert(
    fc.property(changes(op, 40), (history) => {
      holds(tableLaw, history)
      let model: ReadonlyArray<Thing> = []
      for (const [each] of history) model = tableLaw.imitate(model, each)
      if (model.length > 32) wide++
    }),
    { numRuns: runs(400) },
  )
  if (isShortRun(400)) return
  met(wide, Math.min(20, runs(400) / 20), 'a table with branches')
})

tables('keep the order of adding among few', () => {
  let table: ThingTable = null
  const few = things.slice(40, 72)
  for (const thing of few) table = Table.insert(table, null, thing.hash, thing)
  const met: Thing[] = []
  Table.each(table!, (thing) => met.push(thing))
  assert.equal(met, few)
})

tables('replace() puts the new item where the old one was', () => {
  let table: ThingTable = null
  for (const thing of things) table = Table.insert(table, null, thing.hash, thing)
  const before: Thing[] = []
  Table.each(table!, (thing) => before.push(thing))
  const other = { hash: things[7]!.hash, name: 'other' }
  const after: Thing[] = []
  Table.each(Table.replace(table!, null, other.hash, things[7]!, other), (one) => after.push(one))
  assert.equal(after, before.map((thing) => thing === things[7] ? other : thing))
})

tables('hashOf() sees the part of the text that it is shown, all of it, and the seed', () => {
  assert.is(Table.hashOf(1, 'site/dev7/temp', 5, 9), Table.hashOf(1, 'dev7', 0, 4))
  assert.is.not(Table.hashOf(1, 'dev7', 0, 4), Table.hashOf(2, 'dev7', 0, 4))
  const seen = new Set<number>()
  for (let i = 0; i < 10_000; i++) {
    const text = `dev${i}`
    const hash = Table.hashOf(hashSeed, text, 0, text.length)
    assert.ok(hash >= 0 && hash < 2 ** 30 && Number.isInteger(hash))
    seen.add(hash)
  }
  assert.ok(seen.size > 9_990, `${seen.size} hashes of 10,000 texts`)
})

tables.run()

// String maps

const strMap = suite('StrMap')

/** Pairs of keys whose whole hashes are equal under hashSeed: about ten of 300,000 by chance. */
const colliding = ((): ReadonlyArray<string> => {
  const seen = new Map<number, string>()
  const found: string[] = []
  for (let i = 0; i < 300_000; i++) {
    const key = `${(i * 7919).toString(36)}-${(i * 104_729).toString(36)}`
    const hash = StrMap.hashOf(hashSeed, key)
    const other = seen.get(hash)
    if (other !== undefined) found.push(other, key)
    else seen.set(hash, key)
  }
  return found
})()

const strKeys = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'a',
  'b',
  'é',
  '\ud800',
  'a longer key, a sentence',
  ...Array.from({ length: 40 }, (_, i) => `site/${i}`),
  ...colliding.slice(0, 8),
]

const strMapLaw: Law<StrMap.StrMap<number>, ReadonlyMap<string, number>, Put<string>> = {
  empty: StrMap.empty(hashSeed),
  model: new Map(),
  apply: (map, owner, { key, value }) =>
    value === null ? StrMap.remove(map, owner, key) : StrMap.set(map, owner, key, value),
  imitate: put,
  agree: (map, model) => {
    assert.is(StrMap.size(map), model.size)
    const entries = [...StrMap.entries(map)]
    assert.is(entries.length, model.size)
    assert.equal(new Map(entries), new Map(model))
    const visited: Array<[string, number]> = []
    StrMap.each(map, (value, key) => visited.push([key, value]))
    assert.equal(visited, entries)
    for (const key of strKeys) assert.is(StrMap.get(map, key), model.get(key))
  },
}

strMap('agrees with Map on every version: few keys and many', () => {
  let tries = 0
  const fewOrMany = fc.oneof(
    changes(puts(fc.constantFrom(...strKeys.slice(0, 11))), 80),
    changes(puts(fc.constantFrom(...strKeys)), 150),
  )
  fc.assert(
    fc.property(fewOrMany, (history) => {
      holds(strMapLaw, history)
      if (new Set(history.map(([op]) => op.key)).size > 16) tries++
    }),
    { numRuns: runs(500) },
  )
  if (isShortRun(500)) return
  met(tries, Math.min(20, runs(500) / 25), 'a history with many keys')
})

strMap('keeps keys apart whose whole hashes are equal', () => {
  assert.ok(colliding.length >= 4, 'no collisions were found')
  assert.is(StrMap.hashOf(hashSeed, colliding[0]!), StrMap.hashOf(hashSeed, colliding[1]!))
  const keys = [...colliding, ...strKeys.slice(0, 8)]
  fc.assert(
    fc.property(
      changes(puts(fc.constantFrom(...keys)), 120),
      // The map starts as a trie, so that the keys meet in it.
      (history) => {
        const crowd = strKeys.map((key): Change<Put<string>> => [{ key, value: 1 }, 'same'])
        holds(strMapLaw, [...crowd, ...history])
      },
    ),
    { numRuns: runs(60) },
  )
})

strMap('walk() can be kept and gone on with at any place', () => {
  fc.assert(
    fc.property(fc.subarray(strKeys), (keys) => {
      let map = StrMap.empty<number>(hashSeed)
      for (const key of keys) map = StrMap.set(map, null, key, key.length)
      const order = [...StrMap.entries(map)].map(([key]) => key)
      freeze(map)
      const places: Array<StrMap.Walk<number>> = []
      for (let at = StrMap.walk(map); at !== null; at = StrMap.next(at)) places.push(at)
      assert.equal(places.map((at) => at.key), order)
      places.forEach((place, i) => assert.is(StrMap.next(place)?.key, order[i + 1]))
    }),
    { numRuns: runs(50) },
  )
})

strMap('gives different orders under different seeds', () => {
  const orders = new Set<string>()
  for (let seed = 0; seed < 8; seed++) {
    let map = StrMap.empty<number>(seed)
    for (const key of strKeys) map = StrMap.set(map, null, key, 1)
    orders.add([...StrMap.entries(map)].map(([key]) => key).join())
  }
  assert.is(orders.size, 8)
})

strMap.run()

// Queues

const queue = suite('Queue')

type QueueOp = 'push' | 'pop'

let pushed = 0

const queueLaw: Law<Queue.Queue<number>, ReadonlyArray<number>, readonly [QueueOp, number]> = {
  empty: Queue.empty,
  model: [],
  apply: (items, owner, [op, item]) =>
    op === 'push' ? Queue.push(items, owner, item) : Queue.pop(items, owner),
  imitate: (items, [op, item]) => op === 'push' ? [...items, item] : items.slice(1),
  agree: (items, model) => {
    assert.is(Queue.size(items), model.length)
    assert.is(Queue.peek(items), model[0])
    assert.is(Queue.last(items), model.at(-1))
    assert.equal([...Queue.entries(items)], model)
    assert.equal([...Queue.newestFirst(items)], model.toReversed())
  },
}

queue('agrees with an array on every version', () => {
  const op = fc
    .oneof({ weight: 3, arbitrary: fc.constant<QueueOp>('push') }, {
      weight: 2,
      arbitrary: fc.constant<QueueOp>('pop'),
    })
    .map((kind): readonly [QueueOp, number] => [kind, pushed++])
  fc.assert(fc.property(changes(op, 60), (history) => holds(queueLaw, history)), {
    numRuns: runs(200),
  })
  // Long enough for several chunks.
  fc.assert(fc.property(changes(op, 300), (history) => holds(queueLaw, history)), {
    numRuns: runs(30),
  })
})

queue('forgets what was taken', () => {
  const owner = newOwner()
  let items: Queue.Queue<number> = Queue.empty
  for (let i = 0; i < 100; i++) items = Queue.push(items, owner, i)
  for (let i = 0; i < 70; i++) {
    items = Queue.pop(items, owner)
    assert.not.ok(items.head.includes(i), `item ${i} was taken and is still held`)
  }
})

queue('holds 200,000 items without a deep call', () => {
  let items: Queue.Queue<number> = Queue.empty
  for (let i = 0; i < 200_000; i++) items = Queue.push(items, null, i)
  items = Queue.pop(Queue.pop(items, null), null)
  assert.is(Queue.peek(items), 2)
  assert.is([...Queue.entries(items)].length, 199_998)
  assert.is([...Queue.newestFirst(items)].length, 199_998)
})

queue.run()

// Heaps

const heap = suite('Heap')

type HeapOp =
  | { readonly kind: 'push'; readonly at: number; readonly order: number; readonly item: number }
  | { readonly kind: 'pop' }
  | { readonly kind: 'filter'; readonly modulus: number }

type Timed = { readonly at: number; readonly item: number }
type Ordered = Timed & { readonly order: number }

/** All in order, by popping. */
const drain = (items: Heap.Heap<number>): Timed[] => {
  const drained: Timed[] = []
  for (let rest = items; Heap.size(rest) > 0; rest = Heap.pop(rest)) {
    const top = Heap.peek(rest)!
    drained.push({ at: top.at, item: top.item })
  }
  return drained
}

const heapLaw: Law<Heap.Heap<number>, ReadonlyArray<Ordered>, HeapOp> = {
  empty: Heap.empty,
  model: [],
  apply: (items, _, op) => {
    switch (op.kind) {
      case 'push':
        return Heap.push(items, op.at, op.order, op.item)
      case 'pop':
        return Heap.pop(items)
      case 'filter':
        return Heap.filter(items, (item, at) => (item + at) % op.modulus !== 0)
    }
  },
  imitate: (items, op) => {
    switch (op.kind) {
      case 'push': {
        // Behind all that come no later: equals keep the order of insertion.
        const { at, order, item } = op
        const later = items.findIndex((one) => one.at > at || (one.at === at && one.order > order))
        const index = later < 0 ? items.length : later
        return [...items.slice(0, index), { at, order, item }, ...items.slice(index)]
      }
      case 'pop':
        return items.slice(1)
      case 'filter':
        return items.filter(({ at, item }) => (item + at) % op.modulus !== 0)
    }
  },
  agree: (items, model) => {
    assert.is(Heap.size(items), model.length)
    assert.equal(drain(items), model.map(({ at, item }) => ({ at, item })))
    if (model.length === 0) assert.is(Heap.peek(items), undefined)
  },
}

heap('agrees with a sorted array on every version, equals in order of insertion', () => {
  const op: fc.Arbitrary<HeapOp> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('push'),
        at: fc.oneof(fc.nat(5), fc.integer()),
        order: fc.nat(2),
        item: fc.nat(1000),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pop') }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('filter'),
        modulus: fc.integer({ min: 1, max: 5 }),
      }),
    },
  )
  fc.assert(fc.property(changes(op, 60), (history) => holds(heapLaw, history)), {
    numRuns: runs(200),
  })
})

heap('filter() takes a heap that is one deep line, and answers the same where all stay', () => {
  let items: Heap.Heap<number> = Heap.empty
  for (let i = 200_000; i > 0; i--) items = Heap.push(items, i, 0, i)
  assert.is(Heap.filter(items, () => true), items)
  const even = Heap.filter(items, (item) => item % 2 === 0)
  assert.is(Heap.size(even), 100_000)
  assert.is(Heap.peek(even)?.item, 2)
  assert.is(Heap.peek(Heap.pop(even))?.item, 4)
})

heap.run()

// Windows

const window = suite('Window')

type WindowOp = {
  readonly kind: 'add' | 'replace' | 'remove' | 'remove first'
  readonly id: number
  /** How many identifiers from `id` on. */
  readonly count: number
  readonly value: number
}

type Ids = ReadonlyArray<readonly [number, number]>

const idsOf = ({ id, count }: WindowOp): number[] =>
  Array.from({ length: count }, (_, i) => 1 + (id + i) % 65_535)

const windowLaw: Law<Window.Window<number>, Ids, WindowOp> = {
  empty: Window.empty,
  model: [],
  apply: (start, owner, op) => {
    let items = start
    if (op.kind === 'remove first') {
      for (const [id] of [...Window.entries(items)].slice(0, op.count)) {
        items = Window.remove(items, owner, id)
      }
      return items
    }
    for (const id of idsOf(op)) {
      const known = Window.get(items, id) !== undefined
      if (op.kind === 'remove') items = Window.remove(items, owner, id)
      else if (op.kind === 'add' && !known) items = Window.add(items, owner, id, op.value)
      else if (op.kind === 'replace' && known) items = Window.replace(items, owner, id, op.value)
    }
    return items
  },
  imitate: (start, op) => {
    if (op.kind === 'remove first') return start.slice(op.count)
    const ids = idsOf(op)
    switch (op.kind) {
      case 'add': {
        const known = new Set(start.map(([id]) => id))
        const added = ids.filter((id) => !known.has(id))
        return [...start, ...added.map((id) => [id, op.value] as const)]
      }
      case 'replace':
        return start.map(([id, value]) => [id, ids.includes(id) ? op.value : value] as const)
      case 'remove':
        return start.filter(([id]) => !ids.includes(id))
    }
  },
  agree: (items, model) => {
    assert.is(Window.size(items), model.length)
    assert.equal([...Window.entries(items)], model)
    for (const [id, value] of model) assert.is(Window.get(items, id), value)
    for (const id of [1, 2, 200, 65_535]) {
      assert.is(Window.get(items, id), model.find(([known]) => known === id)?.[1])
    }
  },
}

window('agrees with an array of pairs on every version, narrow and wide', () => {
  let wide = 0
  let narrowAgain = 0
  const op: fc.Arbitrary<WindowOp> = fc.record({
    kind: fc.constantFrom('add', 'add', 'replace', 'remove', 'remove first'),
    id: fc.oneof(fc.nat(120), fc.constantFrom(65_500, 65_530)),
    count: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(70) }),
    value: fc.nat(1000),
  })
  fc.assert(
    fc.property(changes(op, 40), (history) => {
      holds(windowLaw, history)
      let model: Ids = []
      let wasWide = false
      for (const [each] of history) {
        model = windowLaw.imitate(model, each)
        if (model.length > Window.narrowMax && !wasWide) {
          wasWide = true
          wide++
        } else if (model.length <= 32 && wasWide) {
          wasWide = false
          narrowAgain++
        }
      }
    }),
    { numRuns: runs(500) },
  )
  if (isShortRun(500)) return
  met(wide, Math.min(20, runs(500) / 25), 'a wide window')
  met(narrowAgain, Math.min(10, runs(500) / 50), 'a window narrow again')
})

window('is narrow with 64 entries and wide with 65, and holds 65,535', () => {
  const owner = newOwner()
  let items: Window.Window<number> = Window.empty
  for (let id = 1; id <= 65_535; id++) {
    items = Window.add(items, owner, id, id)
    assert.is(items.wide === null, id <= Window.narrowMax)
  }
  assert.is(Window.size(items), 65_535)
  for (let id = 1; id <= 65_535; id++) items = Window.remove(items, owner, id)
  assert.is(Window.size(items), 0)
  assert.is(items.wide, null)
})

window('add() throws at an identifier that is there, replace() at one that is not', () => {
  for (const count of [10, 100]) {
    let items: Window.Window<number> = Window.empty
    for (let id = 1; id <= count; id++) items = Window.add(items, null, id, id)
    assert.throws(() => Window.add(items, null, 3, 0), /is in the window/)
    assert.throws(() => Window.replace(items, null, count + 1, 0), /is not in the window/)
    assert.is(Window.remove(items, null, count + 1), items)
  }
})

window('answers the same object to its owner', () => {
  const owner = newOwner()
  for (const count of [10, 100]) {
    let items: Window.Window<number> = Window.empty
    for (let id = 1; id <= count; id++) items = Window.add(items, owner, id, id)
    assert.is(Window.add(items, owner, 1000, 1), items)
    assert.is(Window.replace(items, owner, 1000, 2), items)
    assert.is(Window.remove(items, owner, 1000), items)
  }
})

window.run()

const bytes = suite('bytes')

/** As a Node Buffer does: a slice is a view. */
class Sharing extends Uint8Array {
  override slice(start?: number, end?: number): ReturnType<Uint8Array['slice']> {
    return this.subarray(start, end).subarray()
  }
}

bytes('own is a copy of its own, whatever kind of buffer was lent', () => {
  for (const size of [0, 1, 7, 8, 9, 63, 64, 65, 1000]) {
    const lent = new Sharing(size + 8)
    for (let i = 0; i < lent.length; i++) lent[i] = i % 251
    const kept = Bytes.own(Bytes.slice(lent, 3, 3 + size))
    lent.fill(255)
    assert.is(kept.end - kept.start, size)
    assert.is(kept.buffer.length, size)
    for (let i = 0; i < size; i++) assert.is(kept.buffer[i], (i + 3) % 251)
  }
})

bytes('copyTo copies exactly its bytes and tells where they end', () => {
  for (let size = 0; size < 200; size++) {
    const source = Uint8Array.from({ length: size + 10 }, (_, i) => i + 1)
    const target = new Uint8Array(size + 20)
    const end = Bytes.copyTo(Bytes.slice(source, 5, 5 + size), target, 9)
    assert.is(end, 9 + size)
    for (let i = 0; i < target.length; i++) {
      assert.is(target[i], i >= 9 && i < end ? i - 9 + 6 : 0, `byte ${i} of ${size}`)
    }
  }
})

bytes.run()
