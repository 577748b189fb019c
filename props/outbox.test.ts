// Every connection gets, byte for byte, what it would get if each of its packets were encoded for
// it alone and in order, whatever is shared, copied, refused or taken in pieces on the way. Memory
// that a wire has refused stays untouched until the wire has taken it, and nothing is held for a
// connection that is owed nothing.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Conn } from '../core/mod.ts'
import { encode, encodedBound, none, UNREPORTED_BYTES_MAX } from '../core/mod.ts'
import type { Level, Packet } from '../core/codec/packet.ts'
import * as B from '../core/data/bytes.ts'
import { parseTopicName } from '../core/topic/name.ts'
import { isEmpty, Office, Outbox } from '../shells/common/outbox.ts'
import { unwrittenBytes, unwrittenPackets } from '../shells/common/outbox.ts'
import type { Wire } from '../shells/common/outbox.ts'
import { packet } from './gen/packets.ts'
import { runs } from './gen/settings.ts'

const parsed = parseTopicName('home/bedroom/temp')
if (parsed._tag === 'Left') throw new Error(parsed.left)
const topic = parsed.right

const publish = (size: number, fill: number): Packet => ({
  _tag: 'Publish',
  dup: false,
  qos: 0,
  retain: false,
  topic,
  packetId: 0,
  payload: B.of(new Uint8Array(size).fill(fill)),
  properties: none,
})

const join = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** Bytes are equal; says where they begin to differ, since they may be many. */
const same = (seen: Uint8Array, wanted: Uint8Array, what: string): void => {
  let at = 0
  while (at < seen.length && seen[at] === wanted[at]) at += 1
  assert.ok(
    at === seen.length && at === wanted.length,
    `${what}: ${seen.length} bytes for ${wanted.length}, different from byte ${at} on`,
  )
}

/** A wire that takes all, or refuses and takes bit by bit when it is told to. */
class TestWire implements Wire {
  refuses = false
  tellsSteps = false
  writes = 0
  readonly seen: Array<Uint8Array> = []
  /** What was refused, as it is in memory and as it was when it was written. */
  private lent: Uint8Array | null = null
  private copy: Uint8Array | null = null
  private at = 0

  write(bytes: Uint8Array): boolean {
    assert.is(this.lent, null, 'a write while another one is under way')
    assert.ok(bytes.length > 0, 'an empty write')
    this.writes += 1
    if (!this.refuses) {
      this.seen.push(bytes.slice())
      return true
    }
    this.lent = bytes
    this.copy = bytes.slice()
    this.at = 0
    return false
  }

  /** The kernel takes some: answers how many bytes, 0 when nothing is under way. */
  take(share: number): number {
    const { lent, copy } = this
    if (lent === null || copy === null) return 0
    same(lent, copy, 'the memory of a refused write has been touched')
    const count = Math.max(1, Math.ceil((lent.length - this.at) * share))
    this.seen.push(copy.slice(this.at, this.at + count))
    this.at += count
    if (this.at === lent.length) {
      this.lent = null
      this.copy = null
    }
    return count
  }

  pause(): void {}
  resume(): void {}
  released(): void {}
  end(): void {}
  destroy(): void {}
}

interface Bench {
  readonly office: Office<Outbox>
  readonly wires: ReadonlyArray<TestWire>
  readonly boxes: ReadonlyArray<Outbox>
  readonly conns: ReadonlyArray<Conn>
  readonly allocated: () => number
}

const bench = (count: number): Bench => {
  const wires = Array.from({ length: count }, () => new TestWire())
  const boxes = wires.map((wire) => new Outbox(wire))
  const conns = wires.map((_, slot) => ({ slot, generation: slot + 1 }))
  let allocated = 0
  const office = new Office<Outbox>(
    (bytes) => {
      allocated += bytes
      return new Uint8Array(bytes)
    },
    (conn) => boxes[conn.slot] ?? null,
  )
  return { office, wires, boxes, conns, allocated: () => allocated }
}

const afterWrite = (): void => {}

type Act =
  | { readonly _tag: 'Send'; readonly who: number; readonly packet: Packet }
  | {
    readonly _tag: 'Multicast'
    readonly group: number
    readonly equal: boolean
    readonly packet: Packet
  }
  | { readonly _tag: 'Seal'; readonly who: number }
  | { readonly _tag: 'Drop'; readonly who: number }
  | { readonly _tag: 'Flush'; readonly writes: number }
  | { readonly _tag: 'Refuse'; readonly who: number; readonly refuses: boolean }
  | { readonly _tag: 'Take'; readonly who: number; readonly share: number }

const count = 9
// Receivers of multicasts: too few to share, more, nearly all; they overlap.
const groups: ReadonlyArray<ReadonlyArray<number>> = [
  [0, 1, 2],
  [0, 1, 2, 3],
  [2, 3, 4, 5, 6],
  [0, 1, 2, 3, 4, 5, 6, 7],
  [4, 5, 6, 7, 8],
]

const who = fc.nat({ max: count - 1 })

const anyPacket = (level: Level): fc.Arbitrary<Packet> =>
  fc.oneof(
    { weight: 3, arbitrary: packet(level) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.nat({ max: 300 }), fc.nat({ max: 255 }))
        .map(([size, fill]) => publish(size, fill)),
    },
    {
      weight: 1,
      // Around the smallest segment, and larger than a piece when a few of them come together.
      arbitrary: fc.tuple(fc.constantFrom(2040, 5000, 20_000, 70_000), fc.nat({ max: 255 }))
        .map(([size, fill]) => publish(size, fill)),
    },
  )

const act = (level: Level): fc.Arbitrary<Act> => {
  const some = anyPacket(level)
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ _tag: fc.constant('Send' as const), who, packet: some }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        _tag: fc.constant('Multicast' as const),
        group: fc.nat({ max: groups.length - 1 }),
        // An array of the same connections, but another one.
        equal: fc.boolean(),
        packet: some,
      }),
    },
    {
      weight: 5,
      // A flush may be over before everybody has been visited.
      arbitrary: fc.record({
        _tag: fc.constant('Flush' as const),
        writes: fc.constantFrom(1, 3, count),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        _tag: fc.constant('Refuse' as const),
        who,
        refuses: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        _tag: fc.constant('Take' as const),
        who,
        share: fc.constantFrom(0, 0.3, 1),
      }),
    },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Seal' as const), who }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Drop' as const), who }) },
  )
}

const history = fc.constantFrom<Level>(3, 4, 5).chain((level) =>
  fc.tuple(fc.constant(level), fc.array(act(level), { maxLength: 60, size: '+1' }))
)

const outbox = suite('outbox')

outbox('each connection gets the naive concatenation of what was sent to it', () => {
  fc.assert(
    fc.property(history, ([level, acts]) => {
      const { office, wires, boxes, conns } = bench(count)
      const arrays = groups.map((group) => group.map((slot) => conns[slot]!))
      const expected: Array<Array<Uint8Array>> = boxes.map(() => [])
      const sealed = boxes.map(() => false)
      const dropped = boxes.map(() => false)
      const owe = (slot: number, some: Packet): void => {
        if (!sealed[slot]) expected[slot]!.push(encode(level, some))
      }
      let array: ReadonlyArray<Conn> = []
      for (const each of acts) {
        switch (each._tag) {
          case 'Send':
            owe(each.who, each.packet)
            office.send(boxes[each.who]!, level, each.packet)
            break
          case 'Multicast':
            for (const slot of groups[each.group]!) owe(slot, each.packet)
            array = arrays[each.group]!
            office.multicast(each.equal ? [...array] : array, level, each.packet)
            break
          case 'Seal':
            sealed[each.who] = true
            office.seal(boxes[each.who]!)
            break
          case 'Drop':
            sealed[each.who] = true
            dropped[each.who] = true
            office.drop(boxes[each.who]!)
            break
          case 'Flush': {
            let writes = 0
            office.flush(afterWrite, () => ++writes === each.writes)
            break
          }
          case 'Refuse':
            wires[each.who]!.refuses = each.refuses
            break
          case 'Take': {
            const taken = wires[each.who]!.take(each.share)
            if (taken > 0) office.taken(boxes[each.who]!, taken)
          }
        }
      }
      for (let slot = 0; slot < count; slot++) {
        const box = boxes[slot]!
        let end = 0
        const ends = expected[slot]!.map(({ length }) => end += length)
        const waiting = ends.filter((one) => one > box.takenBytes).length
        assert.is(unwrittenPackets(box), dropped[slot] ? 0 : waiting)
      }
      office.flush(afterWrite)
      for (let slot = 0; slot < count; slot++) {
        const box = boxes[slot]!
        const wire = wires[slot]!
        for (let taken = wire.take(1); taken > 0; taken = wire.take(1)) office.taken(box, taken)
        const seen = join(wire.seen)
        const whole = join(expected[slot]!)
        if (dropped[slot]) {
          same(seen, whole.subarray(0, seen.length), 'a prefix of what was owed')
        } else {
          same(seen, whole, 'what was owed')
          assert.is(box.takenBytes, whole.length)
        }
        assert.ok(isEmpty(box), 'nothing is held once everything has been taken')
        assert.is(unwrittenBytes(box), 0)
      }
    }),
    { numRuns: runs(300) },
  )
})

outbox('a turn is one write per connection, whatever it holds', () => {
  const { office, wires, boxes, conns } = bench(6)
  for (let i = 0; i < 50; i++) {
    office.send(boxes[i % 6]!, 4, publish(100, i))
    office.multicast(conns, 4, publish(200, i))
    office.send(boxes[0]!, 4, { _tag: 'Pingresp' })
  }
  office.flush(afterWrite)
  assert.equal(wires.map((wire) => wire.writes), [1, 1, 1, 1, 1, 1])
})

outbox('what has become large leaves before the turn is over, and needs no larger memory', () => {
  const { office, wires, boxes, allocated } = bench(1)
  const [wire, box] = [wires[0]!, boxes[0]!]
  const packets = Array.from({ length: 120 }, (_, i) => publish(10_000, i))
  const whole = join(packets.map((packet) => encode(4, packet)))
  for (const packet of packets) office.send(box, 4, packet)
  // 1.2 MB, always 192 KiB and a packet.
  assert.is(wire.writes, 6)
  office.flush(afterWrite)
  same(join(wire.seen), whole, 'the packets')
  // All sizes of memory up to that, each twice the one before or a quarter of it more.
  assert.ok(allocated() < 1_400_000, `${allocated()} bytes`)
  // The socket does not take it: what follows waits behind it.
  wire.refuses = true
  wire.seen.length = 0
  for (const packet of packets) office.send(box, 4, packet)
  office.flush(afterWrite)
  assert.is(wire.writes, 7)
  for (let taken = wire.take(0.4); taken > 0; taken = wire.take(0.4)) office.taken(box, taken)
  same(join(wire.seen), whole, 'the packets, later')
  assert.ok(isEmpty(box))
})

outbox('many receivers of one message share one piece of memory', () => {
  const { office, wires, conns, allocated } = bench(500)
  for (let i = 0; i < 100; i++) {
    office.multicast(i % 10 === 0 ? [...conns] : conns, 4, publish(64, i))
  }
  office.flush(afterWrite)
  const each = 100 * encode(4, publish(64, 0)).length
  assert.ok(wires.every((wire) => wire.writes === 1 && wire.seen[0]!.length === each))
  assert.ok(allocated() < 4 * each, `${allocated()} bytes for ${each} each`)
})

outbox('who is owed something else too does not end the sharing of the others', () => {
  const { office, boxes, conns, allocated } = bench(500)
  for (let i = 0; i < 100; i++) {
    office.multicast(conns, 4, publish(64, i))
    office.send(boxes[7]!, 4, { _tag: 'Pingresp' })
  }
  office.flush(afterWrite)
  assert.ok(allocated() < 100_000, `${allocated()} bytes`)
})

outbox('memory goes back to the pool and is used again', () => {
  const { office, boxes, conns, allocated } = bench(1000)
  const turn = (): void => {
    for (let i = 0; i < boxes.length; i++) office.send(boxes[i]!, 4, publish(500, i))
    office.multicast(conns, 4, publish(500, 1))
    office.flush(afterWrite)
    assert.ok(boxes.every(isEmpty))
  }
  turn()
  const once = allocated()
  for (let i = 0; i < 20; i++) turn()
  assert.is(allocated(), once)
  office.trim()
  turn()
  assert.is(allocated(), 2 * once, 'what was kept is forgotten')
})

outbox('a segment holds what it was made for, and wastes little of what is large', () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 2_000_000 }),
    fc.tuple(fc.integer({ min: 10, max: 20 }), fc.integer({ min: -40, max: 40 }))
      .map(([power, more]) => 2 ** power + more),
  )
  fc.assert(
    fc.property(size, (bytes) => {
      const { office, wires, boxes, allocated } = bench(1)
      const packet = publish(bytes, 1)
      office.send(boxes[0]!, 4, packet)
      office.flush(afterWrite)
      same(join(wires[0]!.seen), encode(4, packet), 'the packet')
      const needed = encodedBound(4, packet)
      assert.ok(allocated() >= needed)
      const most = needed > 65_536 ? 1.25 * needed : Math.max(2048, 2 * needed)
      assert.ok(allocated() <= most, `${allocated()} for ${needed}`)
    }),
    { numRuns: runs(200) },
  )
})

outbox('a peak of one turn is not held ready for ever', () => {
  const { office, boxes, allocated } = bench(2000)
  const all = (size: number): void => {
    for (let i = 0; i < boxes.length; i++) office.send(boxes[i]!, 4, publish(size, i))
    office.flush(afterWrite)
  }
  all(60_000)
  for (let i = 0; i < 10; i++) all(10)
  const before = allocated()
  all(10)
  // The pool may have to be filled once more after its segments went to smaller classes.
  assert.ok(allocated() - before <= 2000 * 4096, `${allocated() - before} bytes for small answers`)
})

outbox('the broker is told when 64 KiB are unreported, or while a wire cannot keep up', () => {
  const { office, wires, boxes } = bench(1)
  const box = boxes[0]!
  const wire = wires[0]!
  const size = encode(4, publish(1000, 0)).length
  let sent = 0
  while (sent + size < UNREPORTED_BYTES_MAX) {
    office.send(box, 4, publish(1000, 0))
    office.flush(afterWrite)
    sent += size
    assert.is(box.due, false)
  }
  office.send(box, 4, publish(1000, 0))
  office.flush(afterWrite)
  assert.is(box.due, true)
  box.due = false
  box.reportedBytes = box.takenBytes

  wire.refuses = true
  office.send(box, 4, publish(1000, 0))
  office.flush(afterWrite)
  assert.is(box.due, false, 'a refusal alone is no news')
  office.send(box, 4, publish(1000, 0))
  office.flush(afterWrite)
  assert.is(box.behind, true)
  office.taken(box, wire.take(0.5))
  assert.is(box.due, true, 'a wire that could not keep up reports each step')
  box.due = false
  box.reportedBytes = box.takenBytes
  wire.refuses = false
  office.taken(box, wire.take(1))
  assert.is(box.due, true)
  assert.is(box.behind, false)
  assert.is(unwrittenBytes(box), 0)
})

outbox('a slow wire gets small pieces, so that it can show progress', () => {
  const { office, wires, boxes } = bench(1)
  const box = boxes[0]!
  const wire = wires[0]!
  wire.refuses = true
  office.send(box, 4, publish(900_000, 0))
  office.flush(afterWrite)
  const pieces: Array<number> = []
  for (let taken = wire.take(1); taken > 0; taken = wire.take(1)) {
    pieces.push(taken)
    office.taken(box, taken)
  }
  assert.ok(isEmpty(box))
  assert.ok(pieces[0]! <= 256 * 1024, `${pieces[0]} bytes at first`)
  assert.ok(pieces.slice(1).every((piece) => piece <= 64 * 1024), `${pieces}`)
})

outbox('a slow wire that tells of each step gets all at once', () => {
  const { office, wires, boxes } = bench(1)
  const box = boxes[0]!
  const wire = wires[0]!
  wire.refuses = true
  wire.tellsSteps = true
  office.send(box, 4, publish(900_000, 0))
  office.flush(afterWrite)
  office.taken(box, wire.take(0.01))
  assert.is(box.due, true, 'a little of much is reported, too')
  office.taken(box, wire.take(1))
  assert.ok(isEmpty(box))
  assert.is(wire.writes, 1)
})

outbox.run()
