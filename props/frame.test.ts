// However a stream of bytes is cut into chunks, the same packets come out of it: read at once or
// one byte at a time, asked for in each turn or left to wait, with the chunks written over after
// every turn. The cost is linear in the bytes that came, whatever lengths are claimed.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createReader,
  defaultLimits,
  encode,
  frameSize,
  malformedLength,
  none,
  tooLarge,
  trimSpares,
} from '../core/codec/mod.ts'
import type { Level, Packet, Reader } from '../core/codec/mod.ts'
import * as B from '../core/data/bytes.ts'
import { parseTopicName } from '../core/topic/name.ts'
import { levels, packet, packetOf, plain, unhex } from './gen/packets.ts'
import { isShortRun, runs } from './gen/settings.ts'

const parsed = parseTopicName('home/bedroom/temp')
if (parsed._tag === 'Left') throw new Error(parsed.left)
const name = parsed.right

const publish = (size: number, fill = 0x78): Packet => ({
  _tag: 'Publish',
  dup: false,
  qos: 0,
  retain: false,
  topic: name,
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

/** A life on the wire: CONNECT and what follows it at that level. */
const stream = fc.constantFrom(...levels).chain((level) =>
  fc.tuple(
    fc.constant(level),
    packetOf('Connect', level),
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: packet(level) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 2000 }).map((size) => publish(size)) },
      ),
      { maxLength: 12 },
    ),
  )
)

/** One turn: chunks by size, and how many packets are asked for after each; then release. */
const turns = fc.array(
  fc.array(
    fc.record({
      size: fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 60 }), fc.nat({ max: 3000 })),
      asked: fc.oneof(fc.constant(Infinity), fc.nat({ max: 3 })),
      /** Copied at once where it only continues a packet, as into a buffer that all share. */
      eager: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  { minLength: 1, maxLength: 40 },
)

const frames = suite('frames')

frames('any chunking gives the same packets', () => {
  let split = 0
  let absorbed = 0
  fc.assert(
    fc.property(stream, turns, ([level, connect, others], plan) => {
      const all = [connect, ...others]
      const bytes = join(all.map((each) => encode(level, each)))
      const reader = createReader(defaultLimits)
      const seen: unknown[] = []
      let sent = 0
      const turn = (
        steps: ReadonlyArray<{ size: number; asked: number; eager: boolean }>,
      ): void => {
        const lent: Uint8Array[] = []
        const packets: Packet[] = []
        for (const { size, asked, eager } of steps) {
          // Lent from the middle of a buffer, as a shell with one buffer for all would.
          const end = Math.min(sent + size, bytes.length)
          const chunk = new Uint8Array(end - sent + 7).fill(0xee)
          chunk.set(bytes.subarray(sent, end), 3)
          if (eager && reader.absorb(chunk, 3, 3 + end - sent)) {
            absorbed += 1
            chunk.fill(0xee)
            assert.is(reader.next(), null, 'the packet goes on behind what was absorbed')
          } else reader.push(chunk, 3, 3 + end - sent)
          if (end > sent && end < bytes.length) split += 1
          sent = end
          lent.push(chunk)
          for (let i = 0; i < asked; i++) {
            const result = reader.next()
            if (result === null) break
            if (result._tag === 'Left') throw new Error(result.left.detail)
            packets.push(result.right)
          }
          assert.is(reader.consumed + reader.waiting, sent)
        }
        // Within the turn every packet of it stays readable, also the first.
        for (const each of packets) seen.push(plain(each))
        reader.release()
        for (const chunk of lent) chunk.fill(0xee)
        assert.is(reader.consumed + reader.waiting, sent)
      }
      for (const steps of plan) turn(steps)
      turn([{ size: Infinity, asked: Infinity, eager: false }])
      assert.equal(seen, all.map((each) => plain(each)))
      assert.is(reader.waiting, 0)
      assert.is(reader.consumed, bytes.length)
      assert.is(reader.level, level)
      assert.is(reader.next(), null)
    }),
    { numRuns: runs(400) },
  )
  if (isShortRun(400)) return
  assert.ok(split > 0)
  assert.ok(absorbed > 0)
})

frames('a packet continues while more of it comes and more than 1,000 bytes are to come', () => {
  const bytes = encode(4, publish(5_000))
  const reader = createReader(defaultLimits, 4)
  const has = (start: number, end: number): void => {
    reader.push(bytes, start, end)
    assert.is(reader.next(), null)
  }
  assert.not(reader.continues(0), 'nothing has come')
  has(0, 2)
  assert.not(reader.continues(0), 'how long it is is not known yet')
  has(2, 100)
  assert.ok(reader.continues(0))
  reader.release()
  assert.not(reader.continues(1_000), 'nothing more has come')
  has(100, 200)
  assert.ok(reader.continues(1_000))
  has(200, 300)
  assert.not(reader.continues(1_099), 'ten times a second')
  assert.ok(reader.continues(1_100))
  has(300, bytes.length - 1_000)
  assert.not(reader.continues(2_000), 'little is to come')
  const size = bytes.length
  reader.push(bytes, size - 1_000, size)
  assert.is(reader.next()?._tag, 'Right')
  assert.not(reader.continues(3_000))
})

frames('nothing is absorbed but what continues a packet that is held', () => {
  const bytes = encode(4, publish(10))
  const reader = createReader(defaultLimits, 4)
  const refuses = (start: number, end: number): void =>
    assert.not(reader.absorb(bytes, start, end), `${start} to ${end}`)
  refuses(0, 5)
  reader.push(bytes, 0, 1)
  refuses(1, 5)
  assert.is(reader.next(), null)
  reader.release()
  refuses(1, 5)
  reader.push(bytes, 1, 3)
  assert.is(reader.next(), null)
  reader.release()
  refuses(3, bytes.length)
  assert.ok(reader.absorb(bytes, 3, bytes.length - 1))
  reader.push(bytes, bytes.length - 1, bytes.length)
  refuses(0, 1)
  const packet = reader.next()
  assert.is(packet?._tag, 'Right')
  assert.is(reader.waiting, 0)
})

frames('the buffer of a large packet serves the next one, until it is forgotten', () => {
  const bytes = encode(4, publish(100_000))
  const bufferOf = (): Uint8Array => {
    const reader = createReader(defaultLimits, 4)
    reader.push(bytes, 0, 50_000)
    assert.is(reader.next(), null)
    reader.release()
    reader.push(bytes, 50_000, bytes.length)
    const packet = reader.next()
    reader.release()
    if (packet?._tag !== 'Right' || packet.right._tag !== 'Publish') throw new Error('no packet')
    return packet.right.payload.buffer
  }
  const first = bufferOf()
  assert.is(bufferOf(), first)
  trimSpares()
  assert.is.not(bufferOf(), first)
})

frames('packets of a crowd that come piece by piece take the buffers of those before', () => {
  const bytes = encode(4, publish(1024 * 1024))
  /** Ten read from in turn; where the packets lay. */
  const crowd = (): ReadonlyArray<Uint8Array> => {
    const readers = Array.from({ length: 10 }, () => createReader(defaultLimits, 4))
    const used: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += 65_536) {
      for (const reader of readers) {
        reader.push(bytes, at, Math.min(at + 65_536, bytes.length))
        if (reader.next() !== null) used.push(reader.frameBuffer)
        reader.release()
      }
    }
    assert.is(used.length, readers.length)
    return used
  }
  trimSpares()
  const first = new Set(crowd())
  // None larger than its packet needs, or a crowd's would not all be kept.
  for (const buffer of first) assert.is(buffer.length, bytes.length)
  for (const buffer of crowd()) assert.ok(first.has(buffer), 'a fresh buffer')
  trimSpares()
})

frames('what is kept for large packets to come is 16 MiB at most, of what was used last', () => {
  const bytes = encode(4, publish(2 * 1024 * 1024 - 100))
  const limits = { ...defaultLimits, packetBytesMax: bytes.length }
  const readers = Array.from({ length: 12 }, () => createReader(limits, 4))
  const finish = (reader: Reader): Uint8Array => {
    assert.is(reader.next()?._tag, 'Right')
    const used = reader.frameBuffer
    reader.release()
    return used
  }
  const begin = (reader: Reader): void => {
    reader.push(bytes, 0, bytes.length)
    reader.release()
  }
  trimSpares()
  readers.forEach(begin)
  const before = readers.map(finish)
  readers.forEach(begin)
  const after = readers.map(finish)
  const again = before.map((buffer) => after.includes(buffer))
  assert.is(again.filter((is) => is).length, 8)
  assert.is(again[0], false, 'the oldest')
  trimSpares()
})

frames('one byte at a time gives the same packets as all at once', () => {
  fc.assert(
    fc.property(stream, ([level, connect, others]) => {
      const all = [connect, ...others]
      const bytes = join(all.map((each) => encode(level, each)))
      const reader = createReader(defaultLimits)
      const one = new Uint8Array(1)
      const seen: unknown[] = []
      for (const byte of bytes) {
        one[0] = byte
        reader.push(one, 0, 1)
        const result = reader.next()
        if (result?._tag === 'Right') seen.push(plain(result.right))
        else assert.is(result, null)
        reader.release()
      }
      assert.equal(seen, all.map((each) => plain(each)))
    }),
    { numRuns: runs(60) },
  )
})

frames('a frame that lies in a chunk is decoded there, without a copy', () => {
  const bytes = encode(4, publish(10))
  const both = join([bytes, bytes])
  const reader = createReader(defaultLimits, 4)
  reader.push(both, 0, both.length)
  for (let i = 0; i < 2; i++) {
    const result = reader.next()
    if (result?._tag !== 'Right' || result.right._tag !== 'Publish') throw new Error('no PUBLISH')
    assert.is(result.right.payload.buffer, both)
  }
})

frames('frameSize() reads a remaining length as the standard describes it', () => {
  // The pseudo code of section 1.5.5.
  const described = (level: Level | 0, bytes: ReadonlyArray<number>, max: number): number => {
    let multiplier = 1
    let value = 0
    for (let i = 1; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0
      value += (byte & 127) * multiplier
      if (byte < 128) {
        const minimal = level !== 5 || i === 1 || value >= 128 ** (i - 1)
        return !minimal ? malformedLength : value + 1 + i > max ? tooLarge : value + 1 + i
      }
      if (i === 4) return malformedLength
      multiplier *= 128
    }
    return 0
  }
  const byte = fc.oneof(fc.nat({ max: 0xff }), fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0x81, 0xff))
  fc.assert(
    fc.property(
      fc.constantFrom<Level | 0>(0, 3, 4, 5),
      fc.array(byte, { minLength: 1, maxLength: 7 }),
      fc.oneof(fc.constant(268_435_460), fc.nat({ max: 20_000 })),
      fc.nat({ max: 3 }),
      (level, bytes, max, before) => {
        const buffer = Uint8Array.from([...new Array(before).fill(0x80), ...bytes, 0x00, 0x00])
        const size = frameSize(level, buffer, before, before + bytes.length, max)
        assert.is(size, described(level, bytes, max))
      },
    ),
    { numRuns: runs(2000) },
  )
  assert.is(frameSize(4, unhex('30'), 0, 1, 100), 0)
  assert.is(frameSize(4, unhex('30 ff ff ff 7f'), 0, 5, 268_435_460), 268_435_460)
  assert.is(frameSize(4, unhex('30 ff ff ff 7f'), 0, 5, 268_435_459), tooLarge)
})

frames('the largest packet depends on whether CONNECT has come', () => {
  const limits = { ...defaultLimits, connectPacketBytesMax: 60, packetBytesMax: 200 }
  const connect = unhex('10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61')
  const reader = (): Reader => {
    const made = createReader(limits)
    made.push(connect, 0, connect.length)
    assert.is(made.level, 0)
    assert.is(made.next()?._tag, 'Right')
    assert.is(made.level, 4)
    return made
  }
  // 19 bytes of topic and its length, 2 of header, or 3 from 128 on.
  const sized = (size: number): Uint8Array => encode(4, publish(size - 22))
  const fits = reader()
  fits.push(sized(200), 0, 200)
  assert.is(fits.next()?._tag, 'Right')
  const exceeds = reader()
  exceeds.push(sized(201), 0, 3)
  const result = exceeds.next()
  assert.is(result?._tag === 'Left' ? result.left.reason : 0, 0x95)

  const early = createReader(limits)
  early.push(unhex('10 3b'), 0, 2)
  const refused = early.next()
  assert.is(refused?._tag === 'Left' ? refused.left.reason : 0, 0x95)
})

frames('a fault is said once, and then nothing more is read', () => {
  const level: Level = 5
  const good = encode(level, publish(3))
  const bytes = join([good, unhex('36 00'), good, good])
  for (const size of [1, 2, bytes.length]) {
    const reader = createReader(defaultLimits, level)
    let packets = 0
    let faults = 0
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes, at, Math.min(at + size, bytes.length))
      for (let result = reader.next(); result !== null; result = reader.next()) {
        if (result._tag === 'Left') faults += 1
        else packets += 1
      }
      reader.release()
    }
    assert.is(packets, 1)
    assert.is(faults, 1)
    assert.is(reader.waiting, 0)
  }
})

frames('a paused connection keeps what came, in order', () => {
  const reader = createReader(defaultLimits, 4)
  for (let i = 0; i < 500; i++) {
    const bytes = encode(4, publish(50, i & 0xff))
    for (const [from, to] of [[0, 7], [7, bytes.length]] as const) {
      reader.push(bytes, from, to)
      reader.release()
    }
    bytes.fill(0xee)
  }
  for (let i = 0; i < 500; i++) {
    const result = reader.next()
    if (result?._tag !== 'Right' || result.right._tag !== 'Publish') throw new Error('no PUBLISH')
    assert.is(result.right.payload.buffer[result.right.payload.start], i & 0xff)
    reader.release()
  }
  assert.is(reader.waiting, 0)
})

frames('large frames of several connections stay readable to the end of their turn', () => {
  const size = fc.oneof(fc.nat({ max: 70_000 }), fc.integer({ min: 60_000, max: 400_000 }))
  const step = fc.oneof(fc.constant(65_536), fc.integer({ min: 1, max: 300_000 }))
  fc.assert(
    fc.property(
      fc.array(fc.array(size, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }),
      fc.array(step, { minLength: 1, maxLength: 8 }),
      (wanted, steps) => {
        let fill = 0
        const peers = wanted.map((sizes) => ({
          reader: createReader(defaultLimits, 4),
          bytes: join(sizes.map((each) => encode(4, publish(each, fill = (fill + 1) & 0xff)))),
          at: 0,
        }))
        const fills: number[][] = peers.map(() => [])
        for (let i = 0; peers.some(({ at, bytes }) => at < bytes.length); i++) {
          // One turn: all are read from, twice, and decoded, and only then anything is looked at.
          const came: Array<[number, B.Bytes]> = []
          for (const [who, peer] of [...peers.entries(), ...peers.entries()]) {
            const end = Math.min(peer.bytes.length, peer.at + steps[(i + who) % steps.length]!)
            peer.reader.push(peer.bytes, peer.at, end)
            peer.at = end
            for (let next = peer.reader.next(); next !== null; next = peer.reader.next()) {
              if (next._tag === 'Left') throw new Error(next.left.detail)
              if (next.right._tag === 'Publish') came.push([who, next.right.payload])
            }
          }
          for (const [who, payload] of came) {
            const view = B.view(payload)
            const first = view[0] ?? -1
            assert.ok(view.every((one) => one === first), 'a payload was written over')
            fills[who]!.push(first)
          }
          for (const { reader } of peers) reader.release()
        }
        fill = 0
        const expected = wanted.map((sizes) =>
          sizes.map((each) => {
            fill = (fill + 1) & 0xff
            return each === 0 ? -1 : fill
          })
        )
        assert.equal(fills, expected)
      },
    ),
    { numRuns: runs(60) },
  )
})

/** How many bytes are copied from array to array meanwhile, but for those that a loop copies. */
const movedBytes = (act: () => void): number => {
  const arrays: Uint8Array = Object.getPrototypeOf(Uint8Array.prototype)
  const { copyWithin, set, slice } = arrays
  let moved = 0
  arrays.set = function (source, at) {
    moved += source.length
    set.call(this, source, at)
  }
  arrays.copyWithin = function (to, from, end) {
    moved += (end ?? this.length) - from
    return copyWithin.call(this, to, from, end)
  }
  arrays.slice = function (from, end) {
    const made = slice.call(this, from, end)
    moved += made.length
    return made
  }
  try {
    act()
  } finally {
    Object.assign(arrays, { copyWithin, set, slice })
  }
  return moved
}

/** One PUBLISH of this size arrives in chunks of `step` bytes. */
const arrive = (bytes: Uint8Array, step: number): void => {
  const reader = createReader({ ...defaultLimits, packetBytesMax: 8_000_000 }, 4)
  let packets = 0
  for (let at = 0; at < bytes.length; at += step) {
    reader.push(bytes, at, Math.min(at + step, bytes.length))
    if (reader.next() !== null) packets += 1
    reader.release()
  }
  assert.is(packets, 1)
}

/** So many packets come in chunks and wait, and are used up one in each turn. */
const depart = (bytes: Uint8Array, count: number): void => {
  const reader = createReader(defaultLimits, 4)
  for (let at = 0; at < bytes.length; at += 1000) {
    reader.push(bytes, at, Math.min(at + 1000, bytes.length))
    reader.release()
  }
  for (let i = 0; i < count; i++) {
    assert.ok(reader.next() !== null)
    reader.release()
  }
}

frames('the cost is linear in the bytes, however they come and go', () => {
  for (const scale of [1, 8]) {
    for (const [size, step] of [[200_000, 1], [200_000, 31], [800_000, 64]] as const) {
      const bytes = encode(4, publish(size * scale))
      const moved = movedBytes(() => arrive(bytes, step))
      assert.ok(moved <= 4 * bytes.length, `${bytes.length} by ${step}: ${moved} moved`)
    }
    const count = 10_000 * scale
    const frame = encode(4, publish(100))
    const bytes = join(Array.from({ length: count }, () => frame))
    const moved = movedBytes(() => depart(bytes, count))
    assert.ok(moved <= 4 * bytes.length, `${count} packets of ${frame.length}: ${moved} moved`)
  }
})

frames('a claimed length allocates nothing', () => {
  const readers: Reader[] = []
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 100; i++) {
    const reader = createReader({ ...defaultLimits, packetBytesMax: 268_435_460 }, 5)
    const chunk = unhex('30 ff ff ff 7f 00 01 61 00 78')
    // The first chunk, and the ones for which what is held has to grow.
    for (const more of [chunk, new Uint8Array(60), new Uint8Array(1_000)]) {
      reader.push(more, 0, more.length)
      assert.is(reader.next(), null)
      reader.release()
    }
    readers.push(reader)
  }
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 10_000_000, `${grown} bytes for ${readers.length} claims`)
})

frames.run()
