// Two brokers send the same in another order, and with other packet identifiers: what a client has
// acknowledged is acknowledged to ours as well, as soon as it sends it.

import * as fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Conn } from '../core/broker/input.ts'
import { encode } from '../core/codec/mod.ts'
import type { Packet as AnyPacket } from '../core/codec/packet.ts'
import { Packet } from '../core/mod.ts'
import { Comparison } from '../core/trace/capture/compare.ts'
import { addressOf, ethernet, fileHeader, packetBlock } from '../core/trace/capture/write.ts'
import { explainRecording } from '../shells/cli/explain.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { runs } from './gen/settings.ts'
import { hear } from './mouth.ts'

const order = suite('capture order')

const conn: Conn = { slot: 1, generation: 1 }

type Qos = 1 | 2

const message = (payload: string, qos: Qos, packetId: number, retain = false): AnyPacket =>
  Packet.publish({ topic: 't', payload, qos, packetId, retain })

const ack = (_tag: 'Puback' | 'Pubrec' | 'Pubcomp', packetId: number, reason = 0): AnyPacket => ({
  _tag,
  packetId,
  reason,
  properties: {},
})

const pubrel = (packetId: number): AnyPacket => ({
  _tag: 'Pubrel',
  packetId,
  reason: 0,
  properties: {},
})

const connack = (sessionPresent = false): AnyPacket => ({
  _tag: 'Connack',
  sessionPresent,
  reason: 0,
  properties: {},
})

const begun = (level: 3 | 4 | 5 = 5): Comparison => {
  const comparison = new Comparison()
  comparison.opened(conn, { address: '192.0.2.2', port: 1 })
  comparison.told(conn, Packet.connect({ clientId: 'c', cleanStart: false, level }))
  return comparison
}

order('what is acknowledged too early is acknowledged once it is sent', () => {
  const comparison = begun()
  comparison.heard(conn, message('one', 1, 1))
  comparison.heard(conn, message('two', 2, 2))
  assert.is(comparison.hasEarly(conn), false)
  assert.is(comparison.told(conn, ack('Puback', 1)), null)
  assert.is(comparison.told(conn, ack('Pubrec', 2)), null)
  assert.is(comparison.hasEarly(conn), true)
  assert.is(comparison.strayCount, 2)
  comparison.sent(conn, message('one', 2, 8))
  comparison.sent(conn, message('other', 1, 9))
  assert.equal(comparison.due(conn), [])
  comparison.sent(conn, message('two', 2, 1))
  assert.equal(comparison.due(conn), [ack('Pubrec', 1)])
  // The rest of the exchange has the same identifier.
  assert.equal(comparison.told(conn, ack('Pubcomp', 2)), ack('Pubcomp', 1))
  // Whether it is kept at the broker already depends on the moment.
  comparison.sent(conn, message('one', 1, 3, true))
  assert.equal(comparison.due(conn), [ack('Puback', 3)])
  assert.equal(comparison.due(conn), [])
  assert.is(comparison.strayCount, 0)
  assert.is(comparison.hasEarly(conn), false)
})

order('an identifier that the captured broker uses again is that of the new message', () => {
  const comparison = begun()
  comparison.heard(conn, message('one', 2, 1))
  assert.is(comparison.told(conn, ack('Pubrec', 1)), null)
  assert.is(comparison.told(conn, ack('Pubcomp', 1)), null)
  comparison.heard(conn, message('two', 2, 1))
  comparison.sent(conn, message('two', 2, 5))
  assert.equal(comparison.told(conn, ack('Pubrec', 1)), ack('Pubrec', 5))
  comparison.sent(conn, message('one', 2, 6))
  assert.equal(comparison.due(conn), [ack('Pubrec', 6), ack('Pubcomp', 6)])
  assert.equal(comparison.told(conn, ack('Pubcomp', 1)), ack('Pubcomp', 5))
  // Who refuses a message says no more about it.
  comparison.heard(conn, message('bad', 2, 1))
  comparison.sent(conn, message('bad', 2, 7))
  assert.equal(comparison.told(conn, ack('Pubrec', 1, 0x80)), ack('Pubrec', 7, 0x80))
  comparison.heard(conn, message('three', 2, 1))
  comparison.sent(conn, message('three', 2, 8))
  assert.equal(comparison.told(conn, ack('Pubrec', 1)), ack('Pubrec', 8))
  // The session of the captured broker is another one, and its identifier begins anew.
  comparison.heard(conn, message('four', 2, 1))
  assert.is(comparison.told(conn, ack('Pubrec', 1)), null)
  comparison.heard(conn, message('five', 1, 1))
  comparison.sent(conn, message('four', 2, 9))
  assert.equal(comparison.due(conn), [ack('Pubrec', 9)])
  comparison.sent(conn, message('five', 1, 10))
  assert.equal(comparison.told(conn, ack('Puback', 1)), ack('Puback', 10))
  assert.is(comparison.strayCount, 0)
})

order('what belongs to a session that ours does not have is not kept for another', () => {
  for (const level of [3, 4, 5] as const) {
    for (const isPresent of [false, true]) {
      const comparison = begun(level)
      comparison.heard(conn, message('one', 1, 1))
      assert.is(comparison.told(conn, ack('Puback', 1)), null)
      comparison.sent(conn, connack(isPresent))
      comparison.sent(conn, message('one', 1, 1))
      // 3.1 does not say whether there is a session.
      const isKept = isPresent || level === 3
      assert.equal(comparison.due(conn), isKept ? [ack('Puback', 1)] : [], `${level}`)
      assert.is(comparison.strayCount, isKept ? 0 : 1)
    }
  }
})

/** Numbers in an order. */
const shuffled = (size: number) =>
  fc.shuffledSubarray([...Array(size).keys()], { minLength: size, maxLength: size })

order('in whatever order both send, each message is acknowledged, to its end', () => {
  const size = 8
  const orders = fc.tuple(shuffled(size), shuffled(size))
  fc.assert(
    fc.property(orders, fc.infiniteStream(fc.boolean()), ([theirs, ours], dice) => {
      const comparison = begun()
      const told: Array<string> = []
      const owed: Array<AnyPacket> = []
      // Pairs are the same message, and every second is of QoS 2.
      const textOf = (number: number): string => `${number >> 1}`
      const qosOf = (number: number): Qos => (number >> 1) % 2 === 0 ? 1 : 2
      const hears = (packet: AnyPacket | null): void => {
        if (packet !== null && 'packetId' in packet) told.push(`${packet._tag} ${packet.packetId}`)
      }
      const answers = (): void => {
        const packet = owed.shift()
        if (packet !== undefined) hears(comparison.told(conn, packet))
      }
      let [i, k] = [0, 0]
      while (i < size || k < size) {
        if (dice.next().value === true) answers()
        if (k >= size || (i < size && dice.next().value === true)) {
          const number = theirs[i++]!
          comparison.heard(conn, message(textOf(number), qosOf(number), i))
          if (qosOf(number) === 1) owed.push(ack('Puback', i))
          else owed.push(ack('Pubrec', i), ack('Pubcomp', i))
        } else {
          const number = ours[k++]!
          comparison.sent(conn, message(textOf(number), qosOf(number), 100 + k))
          comparison.due(conn).forEach(hears)
        }
      }
      while (owed.length > 0) answers()
      const wanted = ours.flatMap((number, at) =>
        qosOf(number) === 1 ? [`Puback ${101 + at}`] : [`Pubrec ${101 + at}`, `Pubcomp ${101 + at}`]
      )
      assert.equal([...told].sort(), [...wanted].sort())
      for (const one of told.filter((one) => one.startsWith('Pubcomp'))) {
        assert.ok(told.indexOf(one.replace('comp', 'rec')) < told.indexOf(one))
      }
      assert.is(comparison.strayCount, 0)
    }),
    { numRuns: runs(500) },
  )
})

const [SYN, ACK] = [2, 16]
const epoch = 1_700_000_000_000

/** A capture of what clients, by their ports, and their broker say one after another. */
class Wire {
  private readonly blocks: Array<Uint8Array> = [fileHeader()]
  private readonly places = new Map<string, number>()
  private ms = 0

  private packet(port: number, isByClient: boolean, flags: number, data: Uint8Array): void {
    const [client, broker] = [addressOf('192.0.2.2')!, addressOf('192.0.2.1')!]
    const key = `${port} ${isByClient}`
    const at = this.places.get(key) ?? 0
    this.places.set(key, at + data.length + (flags & SYN ? 1 : 0))
    const frame = ethernet({
      from: isByClient ? client : broker,
      fromPort: isByClient ? port : 1883,
      to: isByClient ? broker : client,
      toPort: isByClient ? 1883 : port,
      sequence: at,
      acknowledged: 0,
      flags,
      data,
    }, isByClient)
    this.blocks.push(packetBlock(frame, (epoch + this.ms++) * 1000))
  }

  private said(port: number, isByClient: boolean, packets: ReadonlyArray<AnyPacket>): void {
    const data = Buffer.concat(packets.map((one) => encode(4, one)))
    if (data.length > 0) this.packet(port, isByClient, ACK, Uint8Array.from(data))
  }

  /** A client comes, and is let in. */
  enter(port: number, clientId: string, ...packets: ReadonlyArray<AnyPacket>): void {
    this.packet(port, true, SYN, new Uint8Array(0))
    this.packet(port, false, SYN | ACK, new Uint8Array(0))
    this.client(port, Packet.connect({ clientId, level: 4 }), ...packets)
    this.broker(port, connack())
  }

  client(port: number, ...packets: ReadonlyArray<AnyPacket>): void {
    this.said(port, true, packets)
  }

  broker(port: number, ...packets: ReadonlyArray<AnyPacket>): void {
    this.said(port, false, packets)
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.blocks))
  }
}

const kept = 60

const bye: AnyPacket = { _tag: 'Disconnect', reason: 0, properties: {} }

/**
 * What a hub says of itself, one message for each of its things; then something happens. Who is
 * hasty leaves with the last of what is kept.
 */
const discovery = (qos: Qos, window: number, isHasty: boolean): Uint8Array => {
  const config = (number: number, packetId: number, own: Qos, retain: boolean): AnyPacket =>
    Packet.publish({ topic: `ha/${number}`, payload: `is ${number}`, qos: own, packetId, retain })
  const wire = new Wire()
  wire.enter(5001, 'hub')
  for (let i = 1; i <= kept; i++) {
    wire.client(5001, config(i, i, qos, true))
    wire.broker(5001, ack(qos === 1 ? 'Puback' : 'Pubrec', i))
    if (qos === 1) continue
    wire.client(5001, pubrel(i))
    wire.broker(5001, ack('Pubcomp', i))
  }
  wire.enter(5002, 'home', Packet.subscribe({ filter: 'ha/#', qos }))
  wire.broker(5002, { _tag: 'Suback', packetId: 1, reasons: [qos], properties: {} })
  // The last comes first, and no more at once than the captured broker allows.
  for (let from = kept; from > 0; from -= window) {
    const ids = Array.from({ length: Math.min(window, from) }, (_, i) => from - i)
    wire.broker(5002, ...ids.map((number) => config(number, kept + 1 - number, qos, true)))
    const acks = (tag: 'Puback' | 'Pubrec' | 'Pubcomp') =>
      ids.map((number) => ack(tag, kept + 1 - number))
    const last = isHasty && from <= window ? [bye] : []
    if (qos === 1) wire.client(5002, ...acks('Puback'), ...last)
    else {
      wire.client(5002, ...acks('Pubrec'))
      wire.broker(5002, ...ids.map((number) => pubrel(kept + 1 - number)))
      wire.client(5002, ...acks('Pubcomp'), ...last)
    }
  }
  if (isHasty) return wire.bytes
  const live = Packet.publish({ topic: 'ha/live', payload: 'on', qos: 1, packetId: 99 })
  wire.client(5001, live)
  wire.broker(5001, ack('Puback', 99))
  wire.broker(5002, { ...live, packetId: 80 } as AnyPacket)
  wire.client(5002, ack('Puback', 80))
  return wire.bytes
}

const inFile = async (bytes: Uint8Array, act: (path: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-order-'))
  try {
    writeFileSync(join(folder, 'c'), bytes)
    await act(join(folder, 'c'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

order('more retained messages than fit on the way at once all arrive, in any order', async () => {
  for (const qos of [1, 2] as const) {
    // All at once, as where the captured broker has no such limit; and in portions of another size.
    for (const window of [kept, 20, 7]) {
      await inFile(discovery(qos, window, true), async (path) => {
        const { said, status } = await hear(playRecording, path, '-q')
        assert.is(status, 0, said)
      })
      await inFile(discovery(qos, window, false), async (path) => {
        const { said, status } = await hear(playRecording, path, '-q')
        assert.is(status, 0, said)
        assert.match(said, /captured broker were compared: this one sends the same\./)
        assert.not.match(said, /left out|not compared/)
        const words = ['--message', 'ha/live', '--client', 'home']
        const why = await hear(explainRecording, path, ...words)
        assert.match(why.said, /delivered at .* with QoS 1 and packet id \d+; acknowledged at/)
      })
    }
  }
})

order('who acknowledges and leaves at once has had it all', async () => {
  const wire = new Wire()
  const ids = [1, 2, 3]
  const messages = ids.map((id) => message(`${id}`, 1, id))
  wire.enter(5001, 'c', Packet.subscribe({ filter: 't', qos: 1 }))
  wire.broker(5001, { _tag: 'Suback', packetId: 1, reasons: [1], properties: {} })
  const acks = ids.map((id) => ack('Puback', id))
  wire.enter(5002, 'd', ...messages)
  wire.broker(5002, ...acks)
  wire.broker(5001, ...messages)
  wire.client(5001, ...acks, bye)
  await inFile(wire.bytes, async (path) => {
    // No more than one of them is on its way at once here.
    const conf = `${path}.conf`
    writeFileSync(conf, 'allow_anonymous true\nlistener 1883\nmax_inflight_messages 1\n')
    const { said, status } = await hear(playRecording, path, '-q', '--config', conf)
    assert.is(status, 0, said)
  })
})

order('who comes back with the name that it was given has its session', () => {
  const comparison = new Comparison()
  const given = (assignedClientIdentifier: string): AnyPacket => ({
    _tag: 'Connack',
    sessionPresent: false,
    reason: 0,
    properties: { assignedClientIdentifier },
  })
  const connect = (clientId: string) =>
    Packet.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 9 } })
  // Either broker may be the first to answer.
  for (const isOursFirst of [true, false]) {
    const [theirs, ours] = [`theirs ${isOursFirst}`, `ours ${isOursFirst}`]
    const slot = isOursFirst ? 10 : 20
    const [first, second] = [{ slot, generation: 1 }, { slot: slot + 1, generation: 1 }]
    comparison.opened(first, { address: '192.0.2.2', port: 1 })
    assert.equal(comparison.told(first, connect('')), connect(''))
    if (isOursFirst) comparison.sent(first, given(ours))
    comparison.heard(first, given(theirs))
    if (!isOursFirst) comparison.sent(first, given(ours))
    assert.is(comparison.clientOf(slot), `'${theirs}'`)
    comparison.heard(first, message('one', 1, 1))
    comparison.opened(second, { address: '192.0.2.2', port: 2 })
    assert.equal(comparison.told(second, connect(theirs)), connect(ours))
    comparison.sent(second, connack(true))
    comparison.heard(second, connack(true))
    comparison.sent(second, message('one', 1, 7))
  }
  assert.equal([comparison.differences(), comparison.older()], [[], []])
})

order('what never comes is left out', async () => {
  const wire = new Wire()
  wire.enter(5001, 'c', Packet.subscribe({ filter: 't', qos: 1 }))
  wire.broker(5001, { _tag: 'Suback', packetId: 1, reasons: [1], properties: {} })
  // From before the capture.
  wire.broker(5001, message('old', 1, 1, true))
  wire.client(5001, ack('Puback', 1))
  await inFile(wire.bytes, async (path) => {
    const { said, status } = await hear(playRecording, path, '-q')
    assert.is(status, 0, said)
    assert.match(said, /\n1 retained message that nobody published in the capture was not compared/)
    assert.match(said, /1 acknowledgement of messages that this broker had not sent was left out/)
  })
})

order.run()
