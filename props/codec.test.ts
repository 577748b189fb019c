// The codec decodes what it encodes and nothing else. For every packet p of every kind and level:
// decode(encode(p)) is p and encodes to the same bytes; encodedSize(p) is their number; every
// strict prefix of them asks for more. For every string of bytes decode() answers a packet, a fault
// or a wish for more, and what it accepts it accepts again in its own words. It never throws.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decode,
  decodeFrame,
  defaultLimits,
  encode,
  encodedBound,
  encodedSize,
  encodeInto,
  fromReturnCode,
  isReason,
  propertyTable,
  publishPacketIdAt,
  reasonName,
  reasonTable,
  toReturnCode,
} from '../core/codec/mod.ts'
import type { Level, Packet, PacketTag } from '../core/codec/mod.ts'
import {
  connect as makeConnect,
  publish as makePublish,
  subscribe as makeSubscribe,
} from '../core/codec/make.ts'
import { none } from '../core/codec/properties.ts'
import type { Properties } from '../core/codec/properties.ts'
import type { Place } from '../core/codec/property.ts'
import * as B from '../core/data/bytes.ts'
import { parseTopicName } from '../core/topic/name.ts'
import { decodeWhole, faultOf, frame, mqtt3, mqtt4, mqtt5 } from './gen/frames.ts'
import {
  hex,
  kinds,
  kindsAt,
  levels,
  packet,
  packetOf,
  plain,
  propertyValue,
  topicName,
  unhex,
} from './gen/packets.ts'
import { isShortRun, runs } from './gen/settings.ts'

const topic = (text: string) => {
  const parsed = parseTopicName(text)
  if (parsed._tag === 'Left') throw new Error(parsed.left)
  return parsed.right
}

/** The first few values of an arbitrary, always the same. */
const fixed = <T>(arbitrary: fc.Arbitrary<T>, count: number, seed: number): ReadonlyArray<T> =>
  fc.sample(arbitrary, { seed, numRuns: count })

/** The level a connection has when this packet comes. */
const levelFor = (level: Level, kind: PacketTag): Level | 0 => (kind === 'Connect' ? 0 : level)

const codec = suite('codec')

codec('decode(encode(packet)) is the packet, for every kind at every level', () => {
  const counts = new Map<string, number>()
  const times = runs(400)
  for (const level of levels) {
    fc.assert(
      fc.property(packet(level), (some) => {
        const bytes = encode(level, some)
        const decoded = decodeWhole(levelFor(level, some._tag), bytes)
        assert.equal(plain(decoded), plain(some))
        assert.is(hex(encode(level, decoded)), hex(bytes), 'encoding again gives the same bytes')
        assert.is(encodedSize(level, some), bytes.length)
        assert.ok(encodedBound(level, some) >= bytes.length)
        const name = `${some._tag} at level ${level}`
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }),
      { numRuns: times },
    )
    // The floor is a quarter of what an even spread gives.
    if (isShortRun(400)) continue
    for (const kind of kindsAt(level)) {
      const name = `${kind} at level ${level}`
      const floor = Math.floor(times / kindsAt(level).length / 4)
      assert.ok((counts.get(name) ?? 0) >= floor, `${name} came too seldom`)
    }
  }
})

codec('encodeInto() writes its bytes and no others', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...levels).chain((level) => fc.tuple(fc.constant(level), packet(level))),
      fc.nat({ max: 5 }),
      ([level, some], before) => {
        const bytes = encode(level, some)
        const target = new Uint8Array(before + encodedBound(level, some) + 3).fill(0xee)
        const end = encodeInto(level, some, target, before)
        assert.is(end, before + bytes.length)
        assert.is(hex(target.subarray(before, end)), hex(bytes))
        const rest = [...target.subarray(0, before), ...target.subarray(end)]
        // A topic that is not ASCII is first taken for shorter, never for longer than it is.
        assert.ok(rest.every((byte) => byte === 0xee))
      },
    ),
    { numRuns: runs(300) },
  )
})

codec('every property survives where it may stand, and is refused everywhere else', () => {
  const places: ReadonlyArray<Place> = [...kinds, 'Will']
  for (const row of propertyTable) {
    for (const place of places) {
      const values = fixed(propertyValue(row, place), 5, row.id)
      for (const value of values) {
        const properties: Properties = { [row.key]: value }
        if (row.key === 'authenticationData') {
          Object.assign(properties, { authenticationMethod: 'SCRAM' })
        }
        const some = withProperties(place, properties)
        if (some === null) continue
        const level = levelFor(5, some._tag)
        const bytes = encode(5, some)
        if (row.places.includes(place)) {
          assert.equal(plain(decodeWhole(level, bytes)), plain(some), `${row.key} in ${place}`)
        } else assert.is(faultOf(level, bytes)?.reason, 0x81, `${row.key} in ${place}`)
      }
    }
  }
})

/** A packet that has these properties in this place; null for the two that have no room for any. */
const withProperties = (place: Place, properties: Properties): Packet | null => {
  const will = {
    topic: topic('a'),
    payload: B.empty,
    qos: 0 as const,
    retain: false,
    properties,
  }
  const connect: Packet = {
    _tag: 'Connect',
    level: 5,
    bridge: false,
    cleanStart: true,
    keepAliveS: 60,
    clientId: 'a',
    will: place === 'Will' ? will : null,
    userName: null,
    password: null,
    properties: place === 'Will' ? none : properties,
  }
  if (place === 'Will' || place === 'Connect') return connect
  if (place === 'Pingreq' || place === 'Pingresp') return null
  const [base] = fixed(packetOf(place, 5), 1, 1)
  if (base === undefined || !('properties' in base)) throw new Error(place)
  const topical = base._tag === 'Publish' && base.topic === '' ? { topic: topic('a') } : {}
  return { ...base, ...topical, properties }
}

codec('a property that stands twice is refused, unless it may repeat', () => {
  for (const row of propertyTable) {
    for (const place of row.places) {
      const [value] = fixed(propertyValue(row, place), 1, row.id)
      const properties: Properties = { [row.key]: value }
      if (row.key === 'authenticationData') {
        Object.assign(properties, { authenticationMethod: 'SCRAM' })
      }
      const some = withProperties(place, properties)
      const bare = withProperties(place, none)
      if (some === null || bare === null || place === 'Will') continue
      const doubled = twice(encode(5, some), encode(5, bare))
      if (doubled === null) continue
      const fault = faultOf(levelFor(5, some._tag), doubled)
      if (row.repeats.includes(place)) assert.is(fault, null, `${row.key} in ${place}`)
      else assert.is(fault?.reason, 0x82, `${row.key} in ${place}`)
    }
  }
})

/**
 * The frame with its property block written twice, found by comparing it with the same packet
 * without properties. Null if the bare packet has no property length to compare with.
 */
const twice = (full: Uint8Array, bare: Uint8Array): Uint8Array | null => {
  // All these packets are short: one byte of remaining length, one of property length.
  if (full.length > 63) return null
  let at = 2
  while (at < bare.length && full[at] === bare[at]) at += 1
  // A bare ack has neither reason nor property length where the full one has both.
  if (at >= bare.length) at = full.length - shortTail(full)
  const size = full[at] ?? 0
  const block = full.subarray(at + 1, at + 1 + size)
  const after = full.subarray(at + 1 + size)
  const head = full.subarray(2, at)
  const body = [...head, 2 * size, ...block, ...block, ...after]
  return Uint8Array.from([full[0] ?? 0, body.length, ...body])
}

/** Length of an ack's, a DISCONNECT's or an AUTH's property block with its length. */
const shortTail = (full: Uint8Array): number => {
  const type = (full[0] ?? 0) >> 4
  return full.length - 2 - (type >= 14 ? 1 : 3)
}

codec('a packet survives at every size at which its header grows', () => {
  const some = fixed(packetOf('Publish', 4), 1, 1)[0]
  if (some?._tag !== 'Publish') throw new Error('no PUBLISH')
  const rest = encodedSize(4, { ...some, payload: B.empty }) - 2
  for (const remaining of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const body = new Uint8Array(remaining - rest).fill(0x78)
    const bytes = encode(4, { ...some, payload: B.of(body) })
    const header = remaining < 128 ? 2 : remaining < 16_384 ? 3 : remaining < 2_097_152 ? 4 : 5
    assert.is(bytes.length, header + remaining)
    const decoded = decodeWhole(4, bytes)
    if (decoded._tag !== 'Publish') throw new Error(decoded._tag)
    assert.is(decoded.topic, some.topic)
    assert.is(B.equals(decoded.payload, B.of(body)), true)
  }
})

codec('every strict prefix asks for more', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...levels).chain((level) => fc.tuple(fc.constant(level), packet(level))),
      ([level, some]) => {
        const bytes = encode(level, some)
        const connection = levelFor(level, some._tag)
        for (let cut = 0; cut < bytes.length; cut++) {
          const result = decode(connection, B.slice(bytes, 0, cut))
          assert.equal(result, { _tag: 'Right', right: { _tag: 'None' } }, `${cut} bytes`)
        }
        const more = Uint8Array.from([...bytes, 0xee, 0xee])
        const result = decode(connection, B.of(more))
        if (result._tag === 'Left' || result.right._tag === 'None') throw new Error('not decoded')
        assert.is(result.right.value.size, bytes.length)
        assert.equal(plain(result.right.value.packet), plain(some))
      },
    ),
    { numRuns: runs(100) },
  )
})

/** Decodes as a connection would; accepted packets must say the same in the codec's own words. */
const tryDecode = (level: Level | 0, bytes: Uint8Array): Packet | null => {
  const result = decode(level, B.of(bytes))
  if (result._tag === 'Left') {
    assert.ok(result.left.reason >= 0x80)
    assert.match(result.left.clause, /^(v3 )?MQTT-\d+\.\d+\.\d+-\d+$/)
    return null
  }
  if (result.right._tag === 'None') return null
  const { packet: accepted, size } = result.right.value
  assert.ok(size >= 2 && size <= bytes.length)
  const own = accepted._tag === 'Connect' ? accepted.level : level
  if (own === 0) throw new Error(`${accepted._tag} before CONNECT`)
  const again = encode(own, accepted)
  assert.is(again.length, encodedSize(own, accepted))
  assert.ok(again.length <= encodedBound(own, accepted))
  const second = decodeWhole(accepted._tag === 'Connect' ? 0 : own, again)
  assert.equal(plain(second), plain(accepted))
  assert.is(hex(encode(own, second)), hex(again))
  return accepted
}

/** About 80 packets, always the same: two of every kind at every level. */
const seeds = levels.flatMap((level) =>
  kindsAt(level).flatMap((kind) =>
    fixed(packetOf(kind, level), 2, 20 + level).map((some) => ({
      level: levelFor(level, kind),
      bytes: encode(level, some),
    }))
  )
)

codec('one flipped bit gives another packet or a fault, never an exception', () => {
  let accepted = 0
  let refused = 0
  for (const { level, bytes } of seeds) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      if (tryDecode(level, flipped) === null) refused += 1
      else accepted += 1
    }
  }
  assert.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`)
})

codec('a packet cut short under a header that fits is decoded from its own bytes only', () => {
  for (const { level, bytes } of seeds) {
    const head = bytes.length - 2 < 128 ? 2 : 3
    for (let cut = head; cut < bytes.length; cut++) {
      assert.ok(faultOf(level, bytes.subarray(0, cut)) !== null, 'not one frame')
      const short = frame(bytes[0] ?? 0, hex(bytes.subarray(head, cut)))
      const alone = plain(tryDecode(level, short))
      // The same frame among bytes that would complete it says the same.
      const around = Uint8Array.from([...short, ...bytes.subarray(cut), 0xee])
      const result = decodeFrame(level, around, 0, short.length)
      assert.equal(result._tag === 'Left' ? null : plain(result.right), alone)
    }
  }
})

codec('random bytes never throw, alone or under a header that fits them', () => {
  const level = fc.constantFrom<Level | 0>(0, 3, 4, 5)
  const few = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 300 }))
  fc.assert(
    fc.property(level, few, fc.integer({ min: 0x10, max: 0xff }), (one, bytes, first) => {
      tryDecode(one, bytes)
      const flags = first >> 4 === 6 || first >> 4 === 8 || first >> 4 === 10 ? 2 : 0
      const legal = first >> 4 === 3 ? first : (first & 0xf0) | flags
      tryDecode(one, frame(legal, hex(bytes)))
    }),
    { numRuns: runs(3000) },
  )
})

codec('a CONNECT of a 3.1 client may announce fields that are not there', () => {
  const some = decodeWhole(0, frame(0x10, `${mqtt3} c2 00 3c 00 01 61`))
  if (some._tag !== 'Connect') throw new Error(some._tag)
  assert.is(some.level, 3)
  assert.is(some.userName, null)
  assert.is(some.password, null)
})

codec('the bridge bit is known at every level', () => {
  for (const [level, body] of [[3, mqtt3], [4, mqtt4], [5, mqtt5]] as const) {
    const bridged = body.slice(0, -2) + (0x80 | level).toString(16)
    const rest = level === 5 ? '02 00 3c 00 00 01 61' : '02 00 3c 00 01 61'
    const some = decodeWhole(0, frame(0x10, `${bridged} ${rest}`))
    if (some._tag !== 'Connect') throw new Error(some._tag)
    assert.is(some.level, level)
    assert.is(some.bridge, true)
  }
})

codec('what says nothing is left out, and may be there all the same', () => {
  const bare = { packetId: 7, reason: 0, properties: none }
  assert.is(hex(encode(5, { _tag: 'Puback', ...bare })), '40 02 00 07')
  assert.is(hex(encode(5, { _tag: 'Pubrec', ...bare, reason: 0x10 })), '50 03 00 07 10')
  assert.is(hex(encode(4, { _tag: 'Pubrel', ...bare, reason: 0x92 })), '62 02 00 07')
  const named = { reasonString: 'no' }
  assert.is(
    hex(encode(5, { _tag: 'Pubcomp', ...bare, properties: named })),
    '70 09 00 07 00 05 1f 00 02 6e 6f',
  )
  assert.is(hex(encode(5, { _tag: 'Disconnect', reason: 0, properties: none })), 'e0 00')
  assert.is(hex(encode(5, { _tag: 'Disconnect', reason: 0x8b, properties: none })), 'e0 01 8b')
  assert.is(hex(encode(4, { _tag: 'Disconnect', reason: 0x8b, properties: none })), 'e0 00')
  assert.is(hex(encode(5, { _tag: 'Auth', reason: 0, properties: none })), 'f0 00')
  assert.is(hex(encode(5, { _tag: 'Auth', reason: 0x18, properties: none })), 'f0 02 18 00')

  assert.equal(decodeWhole(5, unhex('40 04 00 07 00 00')), { _tag: 'Puback', ...bare })
  assert.equal(decodeWhole(5, unhex('40 03 00 07 00')), { _tag: 'Puback', ...bare })
  const farewell = { _tag: 'Disconnect', reason: 0, properties: none }
  assert.equal(decodeWhole(5, unhex('e0 02 00 00')), farewell)
  assert.equal(decodeWhole(5, unhex('e0 01 00')), farewell)
})

codec('below level 5 CONNACK has return codes and SUBACK one failure', () => {
  const connack = (level: Level, reason: number): string =>
    hex(encode(level, { _tag: 'Connack', sessionPresent: true, reason, properties: none }))
  assert.is(connack(3, 0), '20 02 00 00')
  assert.is(connack(4, 0), '20 02 01 00')
  assert.is(connack(5, 0), '20 03 01 00 00')
  const codes = [
    [0x84, 1],
    [0x85, 2],
    [0x88, 3],
    [0x89, 3],
    [0x97, 3],
    [0x9f, 3],
    [0x86, 4],
    [0x87, 5],
    [0x8a, 5],
    [0x80, 5],
  ] as const
  for (const [reason, code] of codes) {
    assert.is(toReturnCode(reason), code)
    assert.is(connack(4, reason), `20 02 01 0${code}`)
  }
  for (let code = 0; code <= 5; code++) assert.is(toReturnCode(fromReturnCode(code)), code)
  assert.is(fromReturnCode(6), -1)
  const reasons = [0, 1, 2, 0x80, 0x87, 0x9e]
  const suback: Packet = { _tag: 'Suback', packetId: 1, reasons, properties: none }
  assert.is(hex(encode(5, suback)), '90 09 00 01 00 00 01 02 80 87 9e')
  assert.is(hex(encode(4, suback)), '90 08 00 01 00 01 02 80 80 80')
  // In 3.1 who is not allowed is not told.
  assert.is(hex(encode(3, suback)), '90 08 00 01 00 01 02 80 00 80')
  assert.is(hex(encode(4, { ...suback, _tag: 'Unsuback' })), 'b0 02 00 01')
})

codec('the table of reasons is that of the standard', () => {
  // Section 2.4: how many codes each packet has.
  const counts: Partial<Record<PacketTag, number>> = {
    Connack: 22,
    Puback: 9,
    Pubrec: 9,
    Pubrel: 2,
    Pubcomp: 2,
    Suback: 12,
    Unsuback: 7,
    Disconnect: 30,
    Auth: 3,
  }
  for (const kind of kinds) {
    let count = 0
    for (let code = 0; code < 256; code++) if (isReason(kind, code)) count += 1
    assert.is(count, counts[kind] ?? 0, kind)
  }
  assert.is(new Set(reasonTable.map((row) => row.code)).size, 43)
  assert.is(reasonName('Suback', 0), 'Granted QoS 0')
  assert.is(reasonName('Disconnect', 0), 'Normal disconnection')
  assert.is(reasonName('Puback', 0x77), '0x77')
})

codec('the table of properties is that of the standard', () => {
  // Section 2.2.2.2: how many properties each packet may have.
  const counts: Partial<Record<Place, number>> = {
    Connect: 9,
    Connack: 17,
    Publish: 8,
    Will: 7,
    Puback: 2,
    Pubrec: 2,
    Pubrel: 2,
    Pubcomp: 2,
    Subscribe: 2,
    Suback: 2,
    Unsubscribe: 1,
    Unsuback: 2,
    Disconnect: 4,
    Auth: 4,
  }
  assert.is(propertyTable.length, 27)
  for (const place of [...kinds, 'Will' as const]) {
    const rows = propertyTable.filter((row) => row.places.includes(place))
    assert.is(rows.length, counts[place] ?? 0, place)
  }
})

/** A PUBLISH with this block of properties. */
const publishWith = (block: Uint8Array): Uint8Array => {
  const size = block.length
  const length = size < 128
    ? [size]
    : size < 16_384
    ? [0x80 | (size & 0x7f), size >> 7]
    : [0x80 | (size & 0x7f), 0x80 | ((size >> 7) & 0x7f), size >> 14]
  return frame(0x30, hex(Uint8Array.from([0, 1, 0x61, ...length, ...block])))
}

codec(
  'a packet may have 1,000 user properties and 400,000 bytes of properties, and no more',
  () => {
    const pairs = (count: number): Uint8Array =>
      publishWith(unhex('26 00 01 61 00 01 62'.repeat(count)))
    assert.is(faultOf(5, pairs(1_000)), null)
    assert.is(faultOf(5, pairs(1_001))?.reason, 0x97)
    assert.is(faultOf(5, pairs(1), { ...defaultLimits, userPropertiesMax: 0 })?.reason, 0x97)
    const longest = 'x'.repeat(65_535)
    const whole = encode(
      5,
      makePublish({
        topic: 'a',
        properties: {
          contentType: longest,
          responseTopic: longest,
          correlationData: B.of(new Uint8Array(65_535)),
          userProperties: [[longest, longest]],
        },
      }),
    )
    assert.is(faultOf(5, whole), null)
    const sized = (size: number): Uint8Array => {
      const block = new Uint8Array(size).fill(0x61)
      // User properties of 65,541 bytes, and one that ends with the block.
      for (let at = 0; at < size; at += 65_541) {
        const value = Math.min(65_535, size - at - 6)
        block.set([0x26, 0, 1, 0x61, value >> 8, value & 0xff], at)
      }
      return publishWith(block)
    }
    assert.is(faultOf(5, sized(400_000)), null)
    assert.is(faultOf(5, sized(400_001))?.reason, 0x95)
  },
)

codec('the largest will there can be fits into a CONNECT', () => {
  const payload = new Uint8Array(65_535)
  const packet = makeConnect({ clientId: 'c', will: { topic: 'w', payload } })
  assert.is(decode(0, B.of(encode(5, packet)))._tag, 'Right')
})

codec('a SUBSCRIBE or UNSUBSCRIBE may name 10,000 topic filters, and no more', () => {
  const limits = { ...defaultLimits, packetBytesMax: 1_000_000 }
  for (const level of [3, 4, 5] as const) {
    const one = makeSubscribe('a/b')
    const filter = one.requests[0]!.filter
    const subscribe = (count: number): Uint8Array =>
      encode(level, { ...one, requests: Array.from({ length: count }, () => one.requests[0]!) })
    const unsubscribe = (count: number): Uint8Array =>
      encode(level, {
        _tag: 'Unsubscribe',
        packetId: 1,
        filters: Array.from({ length: count }, () => filter),
        properties: none,
      })
    for (const packet of [subscribe, unsubscribe]) {
      assert.is(faultOf(level, packet(10_000), limits), null)
      assert.is(faultOf(level, packet(10_001), limits)?.reason, 0x97)
      assert.is(faultOf(level, packet(3), { ...limits, filtersMax: 2 })?.reason, 0x97)
    }
  }
})

codec('a frame above the maximum is refused at its header', () => {
  const limits = { ...defaultLimits, packetBytesMax: 1000, connectPacketBytesMax: 100 }
  // A header of three bytes and 997 make 1,000.
  const at = (level: Level | 0, header: string) => decode(level, B.of(unhex(header)), limits)
  const more = { _tag: 'Right', right: { _tag: 'None' } }
  assert.equal(at(5, '30 e5 07'), more)
  const large = at(5, '30 e6 07')
  assert.is(large._tag === 'Left' ? large.left.reason : 0, 0x95)
  assert.equal(at(0, '10 62'), more)
  const largeConnect = at(0, '10 63')
  assert.is(largeConnect._tag === 'Left' ? largeConnect.left.reason : 0, 0x95)
  const huge = at(0, '10 ff ff ff 7f')
  assert.is(huge._tag === 'Left' ? huge.left.reason : 0, 0x95)
  // What is illegal by its first byte is not waited for.
  const early = at(0, '30')
  assert.is(early._tag === 'Left' ? early.left.reason : 0, 0x82)
})

codec('many topics, colliding or not, are each decoded as themselves', () => {
  const publish = (name: string): Uint8Array =>
    encode(4, {
      _tag: 'Publish',
      dup: false,
      qos: 0,
      retain: false,
      topic: topic(name),
      packetId: 0,
      payload: B.empty,
      properties: none,
    })
  // Where hardly a name comes twice nothing is remembered for a while; then one is said over again.
  const wake = (): void => {
    const often = publish('often')
    for (let i = 0; i < 20_000; i++) decodeWhole(4, often)
  }
  const names: string[] = []
  for (let i = 0; i < 12_000; i++) names.push(`t/${i}`, `ö/${i % 50}/${'x'.repeat(i % 140)}`)
  for (let round = 0; round < 2; round++) {
    for (const name of names) {
      const decoded = decodeWhole(4, publish(name))
      if (decoded._tag !== 'Publish' || decoded.topic !== name) assert.unreachable(name)
    }
  }
  wake()
  // One name is the beginning of the other, and now and then both want the same place.
  const short = publish('abcd')
  for (let i = 0; i < 20_000; i++) {
    decodeWhole(4, publish(`abcd${i}`))
    const decoded = decodeWhole(4, short)
    if (decoded._tag !== 'Publish' || decoded.topic !== 'abcd') assert.unreachable(`abcd${i}`)
  }
  wake()
  // A name that is remembered is still refused when its bytes change to ones that are not allowed.
  assert.is(faultOf(4, frame(0x30, '00 03 74 2f 31')), null)
  assert.is(faultOf(4, frame(0x30, '00 03 74 2f 2b'))?.reason, 0x90)
  fc.assert(
    fc.property(topicName, topicName, (first, second) => {
      const one = publish(first)
      const size = one.length
      decodeWhole(4, one)
      // The buffer is lent: what is remembered must not lie in it.
      one.fill(0x62, 4)
      const filler = 'b'.repeat(size - 4)
      const decoded = decodeWhole(4, one)
      if (decoded._tag === 'Publish') assert.is(decoded.topic, filler)
      const again = decodeWhole(4, publish(second))
      if (again._tag === 'Publish') assert.is(again.topic, second)
    }),
    { numRuns: runs(300) },
  )
})

codec('the payload lies in the buffer that was given, and nothing is copied', () => {
  const bytes = frame(0x30, '00 01 61 78 79 7a')
  const decoded = decodeWhole(4, bytes)
  if (decoded._tag !== 'Publish') throw new Error(decoded._tag)
  assert.is(decoded.payload.buffer, bytes)
  assert.is(decoded.payload.start, 5)
  assert.is(decoded.payload.end, 8)
  assert.is(decoded.properties, none)
})

codec('publishPacketIdAt() finds the identifier in any PUBLISH of QoS 1 and 2', () => {
  const any = fc.constantFrom(...levels).chain((level) =>
    fc.tuple(fc.constant(level), packetOf('Publish', level), fc.nat({ max: 4 }))
  )
  fc.assert(
    fc.property(any, ([level, some, before]) => {
      if (some._tag !== 'Publish' || some.qos === 0) return
      const bytes = Uint8Array.from([...new Uint8Array(before), ...encode(level, some)])
      const at = publishPacketIdAt(bytes, before)
      assert.is(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0), some.packetId)
    }),
    { numRuns: runs(200) },
  )
})

codec('what no packet can hold is not written', () => {
  const long = 'x'.repeat(65_536)
  const disconnect = (reasonString: string): Packet => ({
    _tag: 'Disconnect',
    reason: 0x80,
    properties: { reasonString },
  })
  assert.throws(() => encode(5, disconnect(long)), /fits no packet: 65535 are the most$/)
  assert.throws(() => encode(5, disconnect('ö'.repeat(32_768))), /fits no packet/)
  assert.is(encode(5, disconnect(long.slice(1))).length, 65_546)
  assert.throws(() => encode(4, { _tag: 'Auth', reason: 0, properties: none }), /level 5/)
})

codec.run()
