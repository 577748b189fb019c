// A simulated world is a world: clients get what they would get, each thing happens at its time,
// faults do what their names say and no more, what was acknowledged survives the broker, and the
// same seed tells the same story on every runtime, to the byte.

import fc from 'fast-check'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encode } from '../core/codec/encode.ts'
import { none } from '../core/codec/properties.ts'
import { Packet, simulate, spanText, Unexpected } from '../shells/simulator/mod.ts'
import type { ClientWish, Who, World } from '../shells/simulator/mod.ts'
import { millis } from '../shells/simulator/clock.ts'
import { runs } from './gen/settings.ts'
import { findDeno, root } from './runtimes.ts'
import { saga } from './simulator/saga.ts'

const lines = (world: World, who: Who): ReadonlyArray<string> =>
  world.deliveries(who).map(({ topic, payload }) => `${topic} ${payload}`)

const times = (world: World, who: Who): ReadonlyArray<number> =>
  world.deliveries(who).map(({ atMs }) => atMs)

const stays: ClientWish = { cleanStart: false, sessionExpiryS: 0xffffffff }

const simulator = suite('simulator')

// Time

simulator('a span is written in units, and written back the same', () => {
  assert.is(millis('1h30m'), 5_400_000)
  assert.is(millis('250ms'), 250)
  assert.is(millis(7), 7)
  for (const bad of ['', '30', 's', '-1s', '1.5s', '1 year', -1, 0.5, NaN]) {
    assert.throws(() => millis(bad), /is no span of time: write/)
  }
  fc.assert(
    fc.property(fc.nat({ max: 10 ** 12 }), (ms) => millis(spanText(ms)) === ms),
    { numRuns: runs(200) },
  )
})

simulator('time stands still until it is told to go on, and goes exactly so far', () => {
  const world = simulate({ wall: 1_700_000_000_000 })
  world.connect('a').publish('t', '1')
  assert.is(world.now, 0)
  world.advance('1d')
  assert.is(world.now, 86_400_000)
  assert.is(world.wall, 1_700_086_400_000)
})

simulator('a client that keeps silent is thrown out after one and a half keep alives', () => {
  const world = simulate()
  const mute = world.connect('mute', { pings: false, keepAliveS: 60 })
  world.advance(89_999)
  assert.is(mute.status, 'connected')
  world.advance(1)
  assert.is(mute.status, 'closed')
  assert.is(mute.last('Disconnect')?.reason, 0x8d)
})

simulator(
  'a client that pings stays for weeks, and no other, whoever sets the keep alive',
  () => {
    const world = simulate({ config: { keepAliveMaxS: 30 } })
    const one = world.connect('one', { keepAliveS: 60 })
    const other = world.connect('other', { keepAliveS: 0 })
    const mute = world.connect('mute', { pings: false })
    world.advance('14d')
    assert.is(one.status, 'connected')
    assert.is(other.status, 'connected')
    assert.is(mute.status, 'closed')
  },
)

simulator('a client pings as often as the broker wants, however late it is told so', () => {
  for (const keepAliveS of [0, 5, 60]) {
    const world = simulate({ config: { keepAliveMaxS: 10, persistence: true }, showPings: true })
    world.delay('far', '200ms')
    world.slowDisk('100ms')
    const wish = { keepAliveS, sessionExpiryS: 60 }
    const clients = [world.connect('far', wish), world.connect('near', wish)]
    world.advance('1h')
    for (const { status, name } of clients) assert.is(status, 'connected', `${name} ${keepAliveS}`)
    const pings = world.show().match(/near> pingreq/g)?.length ?? 0
    assert.is(pings, keepAliveS === 5 ? 720 : 360, `every ${keepAliveS} s`)
  }
})

simulator('a will waits for its delay, and not at all for a goodbye', () => {
  const world = simulate()
  world.connect('watcher').subscribe('w/#')
  const will = (topic: string) => ({
    sessionExpiryS: 86_400,
    will: { topic, payload: 'gone', properties: { willDelayInterval: 3_600 } },
  })
  world.connect('cut', will('w/cut'))
  world.connect('polite', will('w/polite')).disconnect()
  world.connect('back', will('w/back'))
  world.cut('cut')
  world.cut('back')
  world.advance('59m59s')
  world.connect('back', { cleanStart: false })
  world.expect('watcher', [])
  world.advance('1s')
  world.expect('watcher', ['w/cut gone'])
  assert.equal(times(world, 'watcher'), [3_600_000])
})

simulator('a message waits for days, and what is left of its expiry goes with it', () => {
  const world = simulate()
  const away = world.connect('away', stays).subscribe('t', 1)
  away.disconnect()
  const sender = world.connect('sender', { keepAliveS: 0 })
  const properties = { messageExpiryInterval: 3 * 86_400 }
  sender.publish('t', 'early', { qos: 1, properties })
  world.advance('2d')
  sender.publish('t', 'late', { qos: 1, properties })
  world.advance('1d')
  away.connect()
  world.expect(away, ['t late'])
  assert.is(away.deliveries[0]?.properties.messageExpiryInterval, 2 * 86_400)
})

simulator('timers of others run on the same clock, at their time, until they are cleared', () => {
  const world = simulate()
  const seen: Array<number> = []
  const id = world.timers.set(() => seen.push(world.now), 400)
  world.advance('1s')
  world.timers.clear(id)
  world.advance('1s')
  assert.equal(seen, [400, 800])
})

// Faults

simulator('cut: both sides notice at once, and what was on its way is lost', () => {
  const world = simulate()
  world.connect('watcher').subscribe('#')
  const lamp = world.connect('lamp', { will: { topic: 'w', payload: 'gone' } })
  world.delay('lamp', '1s')
  lamp.publish('t', 'lost')
  world.cut('lamp')
  assert.is(lamp.status, 'closed')
  world.advance('5s')
  world.expect('watcher', ['w gone'])
  assert.equal(times(world, 'watcher'), [0])
  assert.throws(() => lamp.publish('t', '1'), /lamp has no connection: let it connect\(\) first/)
})

simulator('vanish: the broker learns of it by the keep alive alone', () => {
  const world = simulate()
  world.connect('watcher').subscribe('#')
  world.connect('lamp', { keepAliveS: 20, will: { topic: 'w', payload: 'gone' } })
  world.advance('30s')
  world.vanish('lamp')
  world.advance('1d')
  world.expect('watcher', ['w gone'])
  assert.equal(times(world, 'watcher'), [50_000], '1.5 keep alives after the ping at 20 s')
})

simulator('vanish: nothing is heard of it either when it gives its connection up', () => {
  const world = simulate()
  world.connect('watcher').subscribe('#')
  for (const [name, giveUp] of [['a', 'end'], ['b', 'fail']] as const) {
    const connection = world.open(name, { bytes: () => {}, gone: () => {} })
    const will = { topic: 'w', payload: name }
    connection.send(encode(5, Packet.connect({ clientId: name, keepAliveS: 20, will })))
    world.settle()
    world.vanish(name)
    connection[giveUp]()
    world.advance('29s')
    assert.is(world.deliveries('watcher').length, 0, giveUp)
    world.advance('1s')
    world.expect('watcher', [`w ${name}`])
    world.connect('watcher').forget().subscribe('#')
  }
})

simulator('delay: bytes take their time in both directions, and later connections too', () => {
  const world = simulate()
  world.delay('far', '300ms')
  const far = world.connect('far').subscribe('t')
  assert.is(far.status, 'connecting')
  world.advance(599)
  assert.is(far.status, 'connecting')
  world.advance(1)
  assert.is(far.status, 'connected')
  world.connect('near').publish('t', '1')
  world.advance('1s')
  assert.equal(times(world, far), [900])
})

simulator('delay: whatever chance adds, nothing is lost or overtakes what was sent before', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.nat({ max: 2_000 }),
      fc.nat({ max: 2_000 }),
      fc.array(fc.constantFrom<0 | 1 | 2>(0, 1, 2), { minLength: 1, maxLength: 30 }),
      (seed, delay, jitter, qoses) => {
        const world = simulate({ seed })
        world.delay('from', delay, { jitter })
        world.delay('to', delay, { jitter })
        world.connect('to').subscribe('t/#', 2)
        const from = world.connect('from')
        world.advance('10s')
        qoses.forEach((qos, i) => from.publish(`t/${qos}`, `${i}`, { qos }))
        world.advance('10m')
        for (const qos of [0, 1, 2] as const) {
          const wanted = qoses.flatMap((each, i) => each === qos ? [`t/${qos} ${i}`] : [])
          const got = lines(world, 'to').filter((line) => line.startsWith(`t/${qos}`))
          assert.equal(got, wanted)
        }
      },
    ),
    { numRuns: runs(60) },
  )
})

simulator('stall: QoS 0 is dropped above a limit, QoS 1 waits; resume brings what waited', () => {
  const world = simulate({ config: { unwrittenBytesMax: 100_000, stalledMs: 30_000 } })
  const slow = world.connect('slow').subscribe('#', 1)
  const sender = world.connect('sender')
  world.stall(slow)
  const large = 'x'.repeat(10_000)
  for (let i = 0; i < 40; i++) sender.publish('zero', large)
  for (let i = 0; i < 5; i++) sender.publish('one', `${i}`, { qos: 1 })
  assert.is(lines(world, slow).length, 0)
  world.advance('20s')
  world.resume(slow)
  const got = lines(world, slow)
  assert.equal(got.filter((line) => line.startsWith('one')), [0, 1, 2, 3, 4].map((i) => `one ${i}`))
  const zeros = got.filter((line) => line.startsWith('zero')).length
  assert.ok(zeros >= 9 && zeros < 40, `${zeros} of 40`)
  assert.match(world.show(), /- dropped 'zero' qos0 for 'slow'/)
  world.advance('5m')
  assert.is(slow.status, 'connected')
})

simulator('stall: who takes nothing for too long is closed, unless it owes nothing', () => {
  const world = simulate({ config: { stalledMs: 30_000 } })
  for (const name of ['owed', 'idle']) world.connect(name, { keepAliveS: 0 }).subscribe(name)
  world.stall('owed')
  world.stall('idle')
  const sender = world.connect('sender')
  for (let i = 0; i < 20; i++) sender.publish('owed', 'x'.repeat(10_000))
  world.advance('29s')
  assert.not.match(world.show(), /owed ended/)
  world.advance('2s')
  assert.match(world.show(), /- owed ended 'owed'/)
  assert.not.match(world.show(), /idle ended/)
})

simulator('stall: a client that is stalled stays so on its next connection', () => {
  const world = simulate()
  const slow = world.connect('slow')
  world.stall(slow)
  slow.connect()
  assert.is(slow.status, 'connecting')
  world.resume(slow)
  assert.is(slow.status, 'connected')
})

// The broker ends

simulator('crash: what was acknowledged is there afterwards, and only that', () => {
  const world = simulate({ config: { persistence: true } })
  world.connect('away', stays).subscribe('t', 1).disconnect()
  const sender = world.connect('sender', { ...stays, keepAliveS: 0 })
  sender.publish('t', 'safe', { qos: 1 })
  world.slowDisk('100ms')
  sender.publish('t', 'slow', { qos: 1 })
  assert.is(sender.received.filter(({ _tag }) => _tag === 'Puback').length, 1)
  world.advance('100ms')
  assert.is(sender.received.filter(({ _tag }) => _tag === 'Puback').length, 2)
  sender.publish('t', 'lost', { qos: 1 })
  world.advance('99ms')
  world.crash()
  assert.is(sender.status, 'closed')
  world.slowDisk(0)
  world.restart()
  world.connect('away')
  world.expect('away', ['t safe', 't slow'])
  sender.connect()
  world.expect('away', ['t safe', 't slow', 't lost'])
  assert.is(world.deliveries('away')[2]?.dup, false)
})

simulator('crash: whoever the broker has dismissed, and still owes something, hears of it', () => {
  const world = simulate({ config: { persistence: true } })
  const lamp = world.connect('lamp', stays)
  world.slowDisk('50ms')
  lamp.publish('t', 'on', { qos: 1, retain: true })
  world.connect('twin', { clientId: 'lamp' })
  assert.is(lamp.status, 'connected', 'it is told after its acknowledgement')
  world.crash()
  assert.is(lamp.status, 'closed')
})

simulator('crash: without a disk everything is lost', () => {
  const world = simulate()
  const away = world.connect('away', stays).subscribe('t', 1)
  world.connect('sender').publish('t', 'kept', { qos: 1, retain: true })
  world.crash()
  world.restart()
  away.forget().connect()
  assert.is(away.last('Connack')?.sessionPresent, false)
  away.subscribe('t')
  world.expect(away, [])
})

simulator('crash: nobody connects until the broker is back, and sessions age meanwhile', () => {
  const world = simulate({ config: { persistence: true } })
  const client = world.connect('c', { cleanStart: false, sessionExpiryS: 3_600, keepAliveS: 0 })
  world.crash()
  client.connect()
  assert.is(client.status, 'closed')
  world.advance('59m')
  world.restart()
  client.connect()
  assert.is(client.last('Connack')?.sessionPresent, true)
  client.disconnect()
  world.crash()
  world.advance('2h')
  world.restart()
  client.connect()
  assert.is(client.last('Connack')?.sessionPresent, false)
})

simulator('crash: QoS 2 is delivered exactly once, whenever the broker dies', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 60 }),
      fc.nat({ max: 50 }),
      (pauses, flush, delay) => {
        const world = simulate({ config: { persistence: true } })
        world.slowDisk(flush)
        world.delay('from', delay)
        world.delay('to', delay)
        const to = world.connect('to', stays).subscribe('t', 2)
        const from = world.connect('from', stays)
        world.advance('2s')
        for (let i = 0; i < 8; i++) from.publish('t', `${i}`, { qos: 2 })
        for (const pause of pauses) {
          world.advance(pause)
          world.crash()
          world.restart()
          from.connect()
          to.connect()
        }
        world.advance('10s')
        const wanted = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `t ${i}`)
        world.check(lines(world, to).join() === wanted.join(), `got ${lines(world, to).join()}`)
      },
    ),
    { numRuns: runs(100) },
  )
})

simulator('restart: clients are told, everything is on disk, and wills are not lost', () => {
  const world = simulate({ config: { persistence: true } })
  world.slowDisk('1s')
  const away = world.connect('away', stays).subscribe('t', 1)
  const sender = world.connect('sender')
  world.advance('5s')
  away.disconnect()
  sender.publish('t', 'in time', { qos: 1 })
  world.restart()
  assert.is(sender.last('Disconnect')?.reason, 0x8b)
  assert.is(sender.last('Puback')?.packetId, 1)
  away.connect()
  world.advance('5s')
  world.expect(away, ['t in time'])
})

simulator(
  'a disk that is configured is there from the next restart on, and left alone without',
  () => {
    const world = simulate()
    const away = world.connect('away', stays).subscribe('t', 1)
    world.reconfigure({ persistence: true })
    away.subscribe('u', 1)
    world.restart()
    away.connect().subscribe('v', 1)
    assert.is(away.last('Connack')?.sessionPresent, false, 'the broker began without a disk')
    world.crash()
    world.restart()
    away.connect()
    assert.is(away.last('Connack')?.sessionPresent, true)
    world.reconfigure({ persistence: false })
    for (let i = 0; i < 2; i++) {
      world.restart()
      away.connect()
      assert.is(away.last('Connack')?.sessionPresent, false)
    }
    world.reconfigure({ persistence: true })
    world.restart()
    away.connect()
    world.connect('sender').publish('v', 'again', { qos: 1 })
    world.expect(away, ['v again'])
  },
)

// Clients

simulator('a client sends again within the Receive Maximum, which may be smaller by then', () => {
  const world = simulate({ config: { persistence: true } })
  const lasting = { cleanStart: false, sessionExpiryS: 600 }
  world.connect('hub', lasting).subscribe('t', 2)
  const lamp = world.connect('lamp', lasting)
  world.slowDisk('50ms')
  const said = Array.from({ length: 9 }, (_, i) => String(i))
  for (const payload of said) lamp.publish('t', payload, { qos: 2 })
  world.crash()
  // What is new comes after all that has to be sent again.
  said.push('new')
  lamp.publish('t', 'new', { qos: 2 })
  world.reconfigure({ receiveMaximum: 2 })
  world.restart()
  world.advance('1s')
  world.connect('hub')
  lamp.connect()
  world.advance('10s')
  assert.is(lamp.status, 'connected')
  world.expect('hub', said.map((payload) => `t ${payload}`))
  const sent = world.show().split('\n').filter((line) => /lamp> publish/.test(line)).slice(9)
  assert.is(sent.filter((line) => / dup /.test(line)).length, 9)
})

simulator('what is to be sent again to a session is not sent to the next one', () => {
  const world = simulate({ config: { persistence: true } })
  const lamp = world.connect('lamp', stays)
  world.delay('lamp', '10ms')
  for (const payload of ['1', '2', '3']) lamp.publish('t', payload, { qos: 1 })
  world.cut('lamp')
  world.reconfigure({ receiveMaximum: 1 })
  lamp.connect()
  world.advance(25)
  lamp.connect({ cleanStart: true })
  world.advance('1s')
  assert.equal(world.show().match(/lamp> publish .* dup .*/g)?.length, 1)
})

simulator('a client keeps within the Receive Maximum of the broker', () => {
  const world = simulate({ config: { receiveMaximum: 3 } })
  world.delay('sender', '10ms')
  world.connect('all').subscribe('#', 1)
  const sender = world.connect('sender')
  for (let i = 0; i < 50; i++) sender.publish('t', `${i}`, { qos: 2 })
  world.advance('10s')
  assert.is(sender.status, 'connected')
  assert.is(world.deliveries('all').length, 50)
})

simulator('a client pings only when it has said nothing for so long; show leaves that out', () => {
  for (const showPings of [false, true]) {
    const world = simulate({ showPings })
    const busy = world.connect('busy', { keepAliveS: 30 })
    for (let i = 0; i < 10; i++) {
      world.advance('29s')
      busy.publish('t')
    }
    assert.not.match(world.show(), /ping/)
    world.advance('30s')
    assert.is(world.show().includes('pingreq'), showPings)
    assert.is(world.show().includes('pingresp'), showPings)
    assert.is(busy.last('Pingresp')?._tag, 'Pingresp')
  }
})

simulator('a client whose session is no more forgets what belonged to it', () => {
  const world = simulate()
  world.delay('c', '10ms')
  const c = world.connect('c', stays).subscribe('t', 2)
  world.advance('1s')
  world.connect('d').publish('t', 'before', { qos: 2 })
  c.publish('u', 'never acknowledged', { qos: 1 })
  world.advance(25)
  world.expect(c, ['t before'])
  c.publish('u', 'on its way', { qos: 1 })
  world.crash()
  world.restart()
  c.connect().subscribe('t', 2)
  world.advance('1s')
  world.connect('d').publish('t', 'after', { qos: 2 })
  world.advance('1s')
  world.expect(c, ['t before', 't after'])
  assert.not.match(world.show(), /c> publish .* dup/)
})

simulator('a QoS 2 message that is refused is not released', () => {
  const world = simulate({ config: { payloadFormatCheck: true } })
  const c = world.connect('c')
  const properties = { payloadFormatIndicator: 1 as const }
  c.publish('t', new Uint8Array([0xff]), { qos: 2, properties })
  assert.is(c.last('Pubrec')?.reason, 0x99)
  assert.not.match(world.show(), /pubrel/)
})

simulator('a client sends again what was not acknowledged, with the DUP flag', () => {
  const world = simulate()
  const all = world.connect('all', { acknowledges: false }).subscribe('#', 1)
  const sender = world.connect('sender', stays)
  world.delay('sender', '1s')
  sender.publish('t', '1', { qos: 1 })
  world.advance('1500ms')
  world.cut('sender')
  sender.connect()
  world.advance('5s')
  assert.match(world.show(), /sender> publish 't' qos1 id1 dup "1"/)
  world.expect(all, ['t 1', 't 1'])
  assert.is(all.last('Publish')?.packetId, 2)
})

simulator('a client that does not acknowledge does so by hand', () => {
  const world = simulate()
  const hand = world.connect('hand', { ...stays, acknowledges: false }).subscribe('t', 1)
  world.connect('sender').publish('t', '1', { qos: 1 })
  hand.connect()
  assert.equal(world.deliveries(hand).map(({ dup }) => dup), [false, true])
  hand.send({ _tag: 'Puback', packetId: 1, reason: 0, properties: none })
  hand.connect()
  assert.is(world.deliveries(hand).length, 2)
})

simulator('levels, passwords, judges, topic aliases, raw bytes', () => {
  const world = simulate({
    config: { authentication: 'judge' },
    judge: ({ userName }) => userName === 'ada' ? 0 : 0x86,
  })
  assert.is(world.connect('eve', { userName: 'eve', password: 'x' }).status, 'refused')
  const old = world.connect('old', { level: 4, userName: 'ada', password: 'secret' })
  assert.is(old.status, 'connected')
  assert.not.match(world.show(), /secret/)
  const properties = { topicAliasMaximum: 5 }
  world.connect('short', { userName: 'ada', properties }).subscribe('a/#')
  for (const payload of ['1', '2']) old.publish('a/long/name', payload)
  world.expect('short', ['a/long/name 1', 'a/long/name 2'])
  const aliased = { properties: { topicAlias: 1 } }
  world.connect('brief', { userName: 'ada' }).publish('a/long/name', '3', aliased)
    .send(Packet.publish({ topic: '', payload: '4', ...aliased }))
  assert.equal(world.deliveries('short').slice(2).map(({ payload }) => payload), ['3', '4'])
  old.write(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff]))
  assert.is(old.status, 'closed')
})

simulator(
  'what follows a CONNECT that is being judged waits, and is heard; large packets too',
  () => {
    const world = simulate({ config: { authentication: 'judge' }, judge: () => 0 })
    world.delay('a', '10ms')
    // Larger than a CONNECT may be.
    const large = 'x'.repeat(200_000)
    world.connect('a').subscribe('t').publish('t', large)
    world.advance('1s')
    world.expect('a', [`t ${large}`])
  },
)

simulator('a dead broker hears nothing, and does nothing', () => {
  const retained = Packet.publish({ topic: 't', payload: 'late', retain: true })
  const world = simulate({
    config: { persistence: true, authentication: 'judge' },
    judge: () => {
      world.crash()
      return 0
    },
  })
  assert.is(world.connect('a').status, 'closed')
  world.command({ _tag: 'Publish', packet: retained })
  world.reconfigure({ authentication: 'none' })
  assert.not.match(world.show(), /judged|publish|reconfigure/)
  world.restart()
  world.expect(world.connect('b').subscribe('t'), [])
  assert.is(world.deliveries('b').length, 0)
})

simulator('what the broker says of itself', () => {
  const world = simulate({ config: { sysIntervalMs: 10_000 } })
  const a = world.connect('a').subscribe('$SYS/broker/bytes/received')
  world.advance('1m')
  assert.ok(Number(a.deliveries.at(-1)?.payload) > 0)
})

simulator('a connection of somebody who brings bytes: copied, and told of its end once', () => {
  const world = simulate()
  const all = world.connect('all').subscribe('#')
  const ends: Array<string> = []
  world.delay('raw', '10ms')
  const raw = world.open('raw', { bytes: () => {}, gone: (why) => ends.push(why) })
  const say = (packet: Parameters<typeof encode>[1]): void => {
    const bytes = encode(5, packet)
    raw.send(bytes)
    bytes.fill(0xff)
  }
  say(Packet.connect({ clientId: 'raw' }))
  say(Packet.publish({ topic: 't', payload: '1' }))
  world.settle()
  world.advance('1s')
  world.expect(all, ['t 1'])
  world.cut('raw')
  world.cut('raw')
  assert.equal(ends, ['failed'])
  const polite = world.open('raw', { bytes: () => {}, gone: (why) => ends.push(why) })
  polite.end()
  world.advance('1s')
  world.cut('raw')
  assert.equal(ends, ['failed', 'closed'])
})

simulator('packets made by hand, commands and another configuration', () => {
  const world = simulate()
  const a = world.connect('a').send(Packet.subscribe('t'))
  world.command({ _tag: 'Publish', packet: Packet.publish({ topic: 't', payload: 'own' }) })
  world.expect(a, ['t own'])
  world.reconfigure({ retainAvailable: false })
  const b = world.connect('b')
  assert.is(b.last('Connack')?.properties.retainAvailable, 0)
  world.command({ _tag: 'Kick', clientId: 'a' })
  assert.is(a.status, 'closed')
})

// The same every time

simulator('the same seed tells the same story, and another one another', () => {
  const story = saga(1)
  assert.is(saga(1), story)
  assert.is.not(saga(2), story)
  for (const word of ['# crash', '# vanish', '# stall', 'dup', 'will of', 'pubcomp', 'retain']) {
    assert.ok(story.includes(word), `no ${word} in the story`)
  }
})

simulator('the same seed tells the same story on the other runtime, to the byte', () => {
  const deno = 'Deno' in globalThis ? null : findDeno()
  if (deno === null) {
    if (!('Deno' in globalThis)) {
      console.log('SKIPPED: one story on both runtimes (deno is missing)')
    }
    return
  }
  const args = ['run', '-A', '--quiet', join(root, 'props/simulator/saga.ts'), '7']
  const { stdout, stderr } = spawnSync(deno, args, { cwd: root, encoding: 'utf8' })
  assert.is(stdout, saga(7), stderr)
})

// Failing

simulator('an expectation that fails shows what was said', () => {
  const world = simulate()
  world.connect('lamp').subscribe('home/#')
  world.connect('sensor').publish('home/temp', '20')
  const message = (act: () => void): string => {
    try {
      act()
    } catch (error) {
      if (error instanceof Unexpected) return error.message
      throw error
    }
    return ''
  }
  world.expect('lamp', ['home/temp 20'])
  assert.is(
    message(() => world.expect('lamp', ['home/temp 21'])),
    `lamp should have got\n  home/temp 21\nand got\n  home/temp 20\nin this conversation:\n` +
      world.show(),
  )
  assert.match(message(() => world.expect('sensor', ['t'])), /and got\n {2}nothing\n/)
  assert.match(world.show(), /^0s +sensor> publish 'home\/temp' "20"$/m)
  assert.throws(() => world.deliveries('nobody'), /there is no client nobody: connect it first/)
  assert.throws(() => world.cut('nobody'), /nobody has never had a connection: connect it first/)
})

simulator.run()
