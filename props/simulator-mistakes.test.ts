// What somebody gets wrong who tries a broker in a simulated world: he is told at once, in a
// sentence that says what to do instead, and the world is left as it was.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults, Packet } from '../core/mod.ts'
import { simulate } from '../shells/simulator/mod.ts'
import type { Client, World } from '../shells/simulator/mod.ts'
import { connectStream } from '../shells/simulator/stream.ts'

const mistakes = suite('simulator-mistakes')

/** What is thrown; '' if nothing is. */
const complaint = (act: () => void): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof Error) return error.message
    throw error
  }
  return ''
}

const complaintOf = async (act: () => Promise<void>): Promise<string> => {
  try {
    await act()
  } catch (error) {
    if (error instanceof Error) return error.message
    throw error
  }
  return ''
}

/** What a caller without types hands over. */
const loose = (value: unknown): never => value as never

// Time

const inside = /^time cannot pass in the middle of a moment: call advance from the test, /

/** Everybody whom a world calls, and what makes it call him; he does the work that is given. */
const called: Readonly<Record<string, (work: (world: World) => void) => World>> = {
  'a judge': (work) => {
    const judge = (): number => {
      work(world)
      return 0
    }
    const world = simulate({ config: { authentication: 'judge' }, judge })
    world.connect('a')
    return world
  },
  'a timer': (work) => {
    const world = simulate()
    const id = world.timers.set(() => {
      world.timers.clear(id)
      work(world)
    }, 5)
    world.advance(10)
    return world
  },
  'whoever hears of an end in order': (work) => {
    const world = simulate()
    world.open('raw', { bytes: () => {}, gone: () => work(world) }).send(new Uint8Array([0, 0]))
    world.settle()
    return world
  },
  'whoever loses a connection': (work) => {
    const world = simulate()
    world.open('raw', { bytes: () => {}, gone: () => work(world) })
    world.cut('raw')
    return world
  },
  'whoever loses a connection to a crash': (work) => {
    const world = simulate()
    world.open('raw', { bytes: () => {}, gone: () => work(world) })
    world.crash()
    return world
  },
}

for (const [who, call] of Object.entries(called)) {
  mistakes(`${who} cannot let time pass from inside`, () => {
    const told: Array<string> = []
    const world = call((inner) => told.push(complaint(() => inner.advance('1s'))))
    assert.is(told.length, 1)
    assert.match(told[0]!, inside)
    const { now } = world
    world.advance('1s')
    assert.is(world.now, now + 1_000, 'and the world goes on')
  })
}

mistakes('what the world calls may do anything else, and it happens', () => {
  for (const call of Object.values(called)) {
    let calls = 0
    const world = call((inner) => {
      // The client from inside is judged too.
      if (++calls > 1) return
      inner.restart()
      inner.connect('inner').subscribe('t').publish('t', 'here')
    })
    world.expect('inner', ['t here'])
  }
})

const overlap = /^time passes already: await the advanceAsync that is under way before /

mistakes('one advance at a time, and time never goes back', async () => {
  const world = simulate()
  world.connect('a', { keepAliveS: 1 })
  const seen: Array<number> = []
  world.timers.set(() => seen.push(world.now), 100)
  const first = world.advanceAsync('2s')
  assert.match(complaint(() => world.advance('10s')), overlap)
  assert.match(await complaintOf(() => world.advanceAsync('10s')), overlap)
  await first
  assert.is(world.now, 2_000)
  await world.advanceAsync('1s')
  world.advance('1s')
  assert.is(world.now, 4_000)
  assert.equal(seen, [...seen].sort((one, other) => one - other))
  assert.is(seen.length, 40)
})

mistakes('nobody starts a second advance from inside a first one', async () => {
  const world = simulate()
  const told: Array<Promise<string>> = []
  const id = world.timers.set(() => {
    world.timers.clear(id)
    told.push(complaintOf(() => world.advanceAsync('1ms')))
  }, 5)
  world.advance('1s')
  assert.match(await told[0]!, overlap)
  assert.is(world.now, 1_000)
})

mistakes('an advance that fails is no longer under way', async () => {
  const world = simulate()
  const id = world.timers.set(() => {
    world.timers.clear(id)
    throw new Error('no more')
  }, 5)
  assert.is(await complaintOf(() => world.advanceAsync('1s')), 'no more')
  await world.advanceAsync('1s')
  world.advance('1s')
  assert.is(world.now, 2_005)
})

// Judges

const verdicts: ReadonlyArray<readonly [answer: unknown, shown: string]> = [
  [undefined, 'undefined'],
  [null, 'null'],
  [false, 'false'],
  [true, 'true'],
  [NaN, 'NaN'],
  [0.5, '0.5'],
  [-1, '-1'],
  [5, '5'],
  [0x18, '0x18'],
  [0x8b, '0x8b'],
  [0x187, '0x187'],
  ['no', '"no"'],
  ['0', '"0"'],
  [{}, 'an object'],
  [Promise.resolve(0), 'a Promise'],
]

mistakes('a judge who answers what is no reason code lets nobody in, and is told so', () => {
  for (const [answer, shown] of verdicts) {
    const judge = (): number => loose(answer)
    const world = simulate({ config: { authentication: 'judge' }, judge })
    const message = complaint(() => world.connect('a'))
    assert.match(message, /^a judge answers 0 for yes or a reason code of CONNACK from 0x80 on, /)
    assert.ok(message.endsWith(`This one answered ${shown}`), message)
    assert.not.match(world.show(), /connack/)
  }
})

mistakes('a judge may answer whatever CONNACK can say', () => {
  for (const answer of [0, 0x80, 0x86, 0x87, 0x9f]) {
    const world = simulate({ config: { authentication: 'judge' }, judge: () => answer })
    assert.is(world.connect('a').last('Connack')?.reason, answer)
  }
})

mistakes('who was refused is told so by all that needs a connection', () => {
  for (const level of [3, 4, 5] as const) {
    const world = simulate({ config: { authentication: 'judge' }, judge: () => 0x86 })
    const a = world.connect('a', { level }).forget()
    const says = /^the broker has refused a: Bad User Name or Password$/
    assert.match(complaint(() => a.publish('t', '1')), says)
    assert.match(complaint(() => a.subscribe('t')), says)
    assert.match(complaint(() => a.disconnect()), says)
    world.crash()
    a.connect()
    assert.match(complaint(() => a.publish('t', '1')), /^a has no connection: let it connect\(\)/)
  }
})

// Names and types

const fresh = (): World => simulate({ seed: 1 })
const client = (): Client => fresh().connect('a')

const slips: ReadonlyArray<readonly [act: () => unknown, says: string]> = [
  [
    () => simulate(loose({ sed: 2 })),
    'simulate takes no "sed": did you mean seed; there are config, seed, wall, judge, showPings',
  ],
  [
    () => simulate(loose('fast')),
    'simulate takes an object with options, and not "fast"; there are config, seed, ',
  ],
  [() => simulate(loose({ seed: '7' })), 'simulate: seed is a whole number, and not "7"'],
  [() => simulate({ seed: NaN }), 'simulate: seed is a whole number, and not NaN'],
  [() => simulate({ seed: 0.25 }), 'simulate: seed is a whole number, and not 0.25'],
  [
    () => simulate(loose({ wall: new Date(0) })),
    'simulate: wall is a whole number from 0 to 8640000000000000, and not a Date',
  ],
  [
    () => simulate({ wall: Infinity }),
    'simulate: wall is a whole number from 0 to 8640000000000000, and not Infinity',
  ],
  [
    () => fresh().advance(Number.MAX_SAFE_INTEGER),
    '9007199254740991 is too long: no clock shows what comes after 8640000000000000 Unix milli',
  ],
  [() => simulate(loose({ judge: 0 })), 'simulate: judge is a function, and not 0'],
  [
    () => simulate({ config: { authentication: 'judge' } }),
    "config of simulate says authentication: 'judge', and nobody judges: give simulate a judge",
  ],
  [
    () => simulate({ config: { listeners: [['1883', { ...defaults, authentication: 'judge' }]] } }),
    "config of simulate says authentication: 'judge', and nobody judges: give simulate a judge",
  ],
  [
    () => fresh().reconfigure({ authentication: 'judge' }),
    "reconfigure says authentication: 'judge', and nobody judges: give simulate a judge",
  ],
  [
    () => simulate({ judge: () => 0x87 }),
    "nobody asks the judge of simulate: have its config say authentication: 'judge'",
  ],
  [
    () => fresh().timers.set(loose('ping'), 5),
    'timers.set: the work is a function, and not "ping"',
  ],
  [
    () => fresh().timers.set(() => {}, loose('1s')),
    'timers.set: ms is a number, and not "1s"',
  ],
  [
    () => simulate(loose({ config: { persistance: true } })),
    'config of simulate takes no "persistance": did you mean persistence',
  ],
  [
    () => simulate(loose({ config: { persistence: 'yes' } })),
    'config of simulate: persistence is true or false, and not "yes"',
  ],
  [
    () => simulate(loose({ config: { receiveMaximum: undefined } })),
    'config of simulate: receiveMaximum is a whole number from 1 to 65535, and not undefined',
  ],
  [
    () => simulate(loose({ config: { authentication: 'jugde' } })),
    'config of simulate: authentication is "none" or "judge", and not "jugde"',
  ],
  [
    () => fresh().reconfigure(loose({ retainAvailble: false })),
    'reconfigure takes no "retainAvailble": did you mean retainAvailable',
  ],
  [
    () => fresh().reconfigure(loose({ listeners: {} })),
    'reconfigure: listeners is a list, and not an object',
  ],
  [
    () => fresh().connect('a', loose({ keepAlive: 5 })),
    'connect takes no "keepAlive": did you mean keepAliveS; there are clientId, level, ',
  ],
  [
    () => fresh().connect('a', loose({ clean: false })),
    'connect takes no "clean"; there are clientId, level, cleanStart, ',
  ],
  [
    () => client().connect(loose({ cleanStart: 0 })),
    'connect: cleanStart is true or false, and not 0',
  ],
  [
    () => client().connect(loose({ keepAliveS: '60' })),
    'connect: keepAliveS is a whole number from 0 to 65535, and not "60"',
  ],
  [() => client().connect(loose({ level: 6 })), 'connect: level is 3, 4 or 5, and not 6'],
  [
    () => client().connect(loose({ will: { topic: 'w', message: 'gone' } })),
    'will of connect takes no "message"; there are topic, payload, qos, retain, properties',
  ],
  [
    () => client().connect(loose({ will: { payload: 'gone' } })),
    'will of connect: topic is a string, and not undefined',
  ],
  [
    () => client().connect(loose({ properties: { receiveMax: 1 } })),
    'properties of connect takes no "receiveMax"; there are payloadFormatIndicator, messageExpiry',
  ],
  [() => fresh().connect(loose(7)), 'connect: the name of the client is a string, and not 7'],
  [
    () => client().subscribe('#', loose({ qos: 1 })),
    'subscribe: the QoS behind the filter is 0, 1 or 2, and not an object',
  ],
  [
    () => client().subscribe(loose({ topic: '#' })),
    'subscribe takes no "topic"; there are filter, qos, noLocal, ',
  ],
  [
    () => client().subscribe(loose([{ qos: 1 }])),
    'subscribe: filter is a string, and not undefined',
  ],
  [
    () => client().unsubscribe(loose(['a', 'b'])),
    'unsubscribe: each filter is a string, and not a list',
  ],
  [
    () => client().publish('x', loose({ a: 1 })),
    'publish: the payload is a string or a Uint8Array, and not an object',
  ],
  [
    () => client().publish('x', loose(21.5)),
    'publish: the payload is a string or a Uint8Array, and not 21.5',
  ],
  [
    () => client().publish('', '', { properties: { topicAlias: 1 } }),
    'publish: the topic is empty; what has a topic alias alone goes by send(Packet.publish(...))',
  ],
  [() => client().publish(loose(undefined)), 'publish: the topic is a string, and not undefined'],
  [
    () => client().publish('x', '', loose({ Qos: 1 })),
    'publish takes no "Qos": did you mean qos; there are qos, retain, properties',
  ],
  [() => client().publish('x', '', loose({ qos: 3 })), 'publish: qos is 0, 1 or 2, and not 3'],
  [
    () => client().publish('x', '', loose({ properties: { contenttype: 'a' } })),
    'properties of publish takes no "contenttype": did you mean contentType',
  ],
  [
    () => client().publish('x', '', { properties: loose({ messageExpiryInterval: '60' }) }),
    'properties of publish: messageExpiryInterval is a whole number from 0 to 4294967295, and no',
  ],
  [
    () => client().publish('x', '', { properties: { messageExpiryInterval: -1 } }),
    'properties of publish: messageExpiryInterval is a whole number from 0 to 4294967295, and n',
  ],
  [
    () => client().publish('x', '', { properties: loose({ payloadFormatIndicator: true }) }),
    'properties of publish: payloadFormatIndicator is 0 or 1, and not true',
  ],
  [
    () => client().publish('x', '', { properties: loose({ contentType: 7 }) }),
    'properties of publish: contentType is a string, and not 7',
  ],
  [
    () => client().publish('x', '', { properties: loose({ userProperties: { a: 'b' } }) }),
    'properties of publish: userProperties is a list of pairs of strings, and not an object',
  ],
  [
    () => client().publish('x', '', { properties: loose({ userProperties: ['a', 'b'] }) }),
    'properties of publish: userProperties is a list of pairs of strings, and not a list',
  ],
  [
    () => client().publish('x', '', { properties: loose({ correlationData: new Uint8Array(1) }) }),
    'properties of publish: correlationData is an object with buffer, start and end, and no',
  ],
  [
    () => fresh().connect('a', { properties: { receiveMaximum: 100_000 } }),
    'properties of connect: receiveMaximum is a whole number from 0 to 65535, and not 100000',
  ],
  [
    () => fresh().connect('a', { will: { topic: 'w', properties: { willDelayInterval: 0.5 } } }),
    'properties of the will of connect: willDelayInterval is a whole number from 0 to 4294967',
  ],
  [
    () => fresh().delay(loose({ options: { clientId: 'phone' } }), '1s'),
    'a client is its name, or what connect has answered, and not an object',
  ],
  [() => fresh().stall(loose(3)), 'a client is its name, or what connect has answered, and not 3'],
  [
    () => fresh().expect('a', loose('home/lamp on')),
    'expect: what should have come is a list of strings, and not "home/lamp on"',
  ],
  [
    () => fresh().check(loose(Promise.resolve(false)), 'it rains'),
    'check: whether it holds is true or false, and not a Promise',
  ],
  [
    () => fresh().check(loose(() => false), 'it rains'),
    'check: whether it holds is true or false, and not a function',
  ],
  [() => fresh().check(false, loose(undefined)), 'check: what should hold is a string, and not '],
  [() => client().last(loose('suback')), 'last: the kind is "Connect", "Connack", "Publish", '],
  [() => client().write(loose('hello')), 'write: what is sent is a Uint8Array, and not "hello"'],
  [() => client().send(loose({})), 'send: the _tag of a packet is "Connect", "Connack", '],
  [() => client().send(loose('PINGREQ')), 'send: a packet is an object, and not "PINGREQ"'],
  [
    () => client().send(loose({ _tag: 'Puback', packetId: 1, properties: {} })),
    'send: Puback: reason is a whole number from 0 to 255, and not undefined',
  ],
  [
    () => client().send(loose({ ...Packet.publish({ topic: 't' }), payload: 'on' })),
    'send: Publish: payload is an object with buffer, start and end, and not "on"',
  ],
  [
    () => client().send(loose({ ...Packet.publish({ topic: 't' }), retained: true })),
    'send: Publish takes no "retained": did you mean retain; there are _tag, dup, qos, retain, ',
  ],
  [
    () => client().send({ ...Packet.publish({ topic: 't', qos: 1 }), packetId: 70_000 }),
    'send: Publish: packetId is a whole number from 0 to 65535, and not 70000',
  ],
  [
    () => client().disconnect(300),
    'send: Disconnect: reason is a whole number from 0 to 255, and not 300',
  ],
  [
    () => client().send({ _tag: 'Suback', packetId: 1, reasons: loose(['0']), properties: {} }),
    'send: Suback: reasons is a list of whole numbers from 0 to 255, and not a list',
  ],
  [
    () => client().send({ ...Packet.subscribe('t'), requests: loose(['t']) }),
    'send: a request of Subscribe takes an object with options, and not "t"; there are filter, ',
  ],
  [
    () => client().send({ ...Packet.subscribe('t'), requests: loose([{ filter: 't' }]) }),
    'send: a request of Subscribe: qos is a whole number from 0 to 3, and not undefined',
  ],
  [
    () => client().send({ ...Packet.connect({ clientId: 'a' }), will: loose({ topic: 't' }) }),
    'send: the will of Connect: payload is an object with buffer, start and end, and not und',
  ],
  [
    () => client().send({ _tag: 'Disconnect', reason: 0, properties: loose({ reasonString: 5 }) }),
    'properties of send: Disconnect: reasonString is a string, and not 5',
  ],
  [
    () => client().send({ _tag: 'Disconnect', reason: 0, properties: loose({ reason: 'x' }) }),
    'properties of send: Disconnect takes no "reason"',
  ],
  [
    () => client().send({ ...Packet.publish({ topic: 't' }), payload: loose({ buffer: 'on' }) }),
    'send: Publish: payload is an object with buffer, start and end, and not an object',
  ],
  [
    () =>
      client().publish('t', '', {
        properties: { correlationData: loose({ buffer: { 0: 7 }, start: 0, end: 1 }) },
      }),
    'properties of publish: correlationData is an object with buffer, start and end, and not',
  ],
  [() => client().subscribe([]), 'subscribe takes at least one filter'],
  [() => client().unsubscribe(), 'unsubscribe takes at least one filter'],
  [
    () => connectStream(fresh(), loose(undefined)),
    'connectStream: the name of the client is a string, and not undefined',
  ],
  [
    () => connectStream(loose('phone'), 'phone'),
    'connectStream: the world is what simulate has answered, and not "phone"',
  ],
  [
    // A text would be taken for the end of the connection, and why.
    () => fresh().open('raw', { bytes: () => {}, gone: () => {} }).send(loose('failed')),
    'send on a connection: what is sent is a Uint8Array, and not "failed"',
  ],
  [
    () => fresh().open('raw', loose({ bytes: () => {} })),
    'open: gone is a function, and not undefined',
  ],
  [
    () => client().publish('x', loose(new ArrayBuffer(1))),
    'publish: the payload is a string or a Uint8Array, and not an ArrayBuffer',
  ],
  [
    () => fresh().command(loose({ _tag: 'Kik' })),
    'the _tag of a command is "Stop", "Redirect", "Kick", "Publish", "Shut" or "Revoke", and n',
  ],
  [() => fresh().command(loose({})), 'the _tag of a command is "Stop", "Redirect", "Kick", '],
  [() => fresh().command(loose('Kick')), 'a command is an object, and not "Kick"'],
  [
    () => fresh().command(loose({ _tag: 'Kick', client: 'a' })),
    'command Kick takes no "client": did you mean clientId; there are _tag, clientId',
  ],
  [
    () => fresh().command(loose({ _tag: 'Kick' })),
    'command Kick: clientId is a string, and not undefined',
  ],
  [
    () =>
      fresh().command(
        loose({ _tag: 'Publish', packet: { _tag: 'Publish', topic: 't', payload: 'on' } }),
      ),
    'command Publish: packet is a packet with a topic, as Packet.publish makes them, ' +
    'and not an object',
  ],
  [
    () =>
      fresh().command({
        _tag: 'Publish',
        packet: Packet.publish({ topic: '', properties: { topicAlias: 1 } }),
      }),
    'command Publish: packet is a packet with a topic, as Packet.publish makes them, ' +
    'and not an object',
  ],
  [
    () => fresh().command(loose({ _tag: 'Shut', listener: 1883 })),
    'command Shut: listener is a string, and not 1883',
  ],
  [
    () => fresh().command(loose({ _tag: 'Revoke', revocation: { listener: '', userNames: 'u' } })),
    'revocation of command: userNames is a list of strings, and not "u"',
  ],
  [() => fresh().advance(loose(5n)), '5n is no span of time: write whole milliseconds'],
  [() => fresh().advance(loose(null)), 'null is no span of time: write whole milliseconds'],
  [
    () => fresh().delay('a', '1s', loose({ jiter: '1s' })),
    'delay takes no "jiter": did you mean jitter; there is jitter',
  ],
]

for (const [act, says] of slips) {
  mistakes(`a caller without types is told: ${says}`, () => {
    const message = complaint(act)
    assert.is(message.slice(0, says.length), says)
  })
}

mistakes('what is wrong is told before anything is done', () => {
  const world = fresh()
  const a = world.connect('a')
  const before = world.show()
  complaint(() => world.connect('b', loose({ keepAlive: 5 })))
  complaint(() => a.connect(loose({ clean: true })))
  complaint(() => a.publish('t', loose(1), { qos: 1 }))
  complaint(() => world.delay('a', '1s', loose({ jiter: 1 })))
  complaint(() => world.command(loose({ _tag: 'Kik' })))
  assert.match(complaint(() => world.cut('b')), /^b has never had a connection/)
  assert.match(complaint(() => world.vanish('b')), /^b has never had a connection/)
  assert.match(complaint(() => world.stall('b')), /^b has never had a connection/)
  assert.match(complaint(() => world.resume('b')), /^b has never had a connection/)
  assert.is(world.show(), before)
  assert.throws(() => world.deliveries('b'), /there is no client b/)
  a.publish('t', '1', { qos: 1 })
  assert.is(a.last('Puback')?.packetId, 1)
})

mistakes('a delay of somebody who is not there is told before time passes', async () => {
  const world = fresh()
  world.connect('lamp')
  world.delay('lanp', '1s')
  const says =
    'lanp is delayed and has never had a connection: connect it before time passes, or ' +
    'delay it later'
  assert.is(complaint(() => world.advance('1s')), says)
  assert.match(await world.advanceAsync('1s').then(() => 'it advanced', String), says)
  assert.is(world.now, 0)
  // One that is about to come may be delayed from its CONNECT on.
  world.connect('lanp')
  world.advance('1s')
  assert.is(world.now, 1_000)
})

mistakes('what fits no packet leaves everything as it was, too', () => {
  const world = fresh()
  const forever = { cleanStart: false, sessionExpiryS: 1_000 }
  const a = world.connect('a', forever).subscribe('t', 1)
  const before = world.show()
  const long = 'x'.repeat(70_000)
  const wishes = [{ clientId: long }, { userName: long }, { will: { topic: '#' } }]
  for (const wish of wishes) {
    for (const name of ['a', 'b']) assert.throws(() => world.connect(name, wish))
  }
  const properties = { contentType: long }
  assert.throws(() => a.publish('t', '1', { qos: 1, properties }), /fits no packet/)
  assert.is(world.show(), before)
  assert.is(a.status, 'connected')
  assert.throws(() => world.deliveries('b'), /there is no client b/)
  a.disconnect().connect().publish('t', '2', { qos: 1 })
  world.expect(a, ['t 2'])
})

mistakes('what breaks the standard and fits a packet is sent', () => {
  const properties = { payloadFormatIndicator: loose(7), topicAlias: 0 }
  const filter = Packet.subscribe('t').requests[0]!
  const wrongs: ReadonlyArray<Packet> = [
    { ...Packet.publish({ topic: 't' }), qos: loose(3) },
    { ...Packet.publish({ topic: 't', qos: 1 }), packetId: 0 },
    { ...Packet.publish({ topic: 't' }), properties },
    { ...Packet.subscribe('t'), requests: [{ ...filter, qos: loose(3) }] },
    { ...Packet.subscribe('t'), requests: [{ ...filter, retainHandling: loose(3) }] },
    { ...Packet.connect({ clientId: 'a' }), level: loose(7) },
    { _tag: 'Disconnect', reason: 0xff, properties: {} },
  ]
  for (const wrong of wrongs) {
    const a = client().send(wrong)
    assert.is(a.status, 'closed', JSON.stringify(wrong))
  }
})

mistakes('every command that there is is taken', () => {
  const world = fresh()
  const a = world.connect('a').subscribe('t')
  world.command({ _tag: 'Publish', packet: Packet.publish({ topic: 't', payload: 'on' }) })
  world.command({ _tag: 'Shut', listener: 'none' })
  world.command({ _tag: 'Revoke', revocation: { listener: 'none', userNames: ['u'] } })
  world.expect(a, ['t on'])
  world.command({ _tag: 'Kick', clientId: 'a' })
  assert.is(a.last('Disconnect')?.reason, 0x98)
  a.connect()
  world.command({ _tag: 'Redirect' })
  assert.is(a.last('Disconnect')?.reason, 0x9c)
  world.command({ _tag: 'Stop' })
  assert.is(world.state.stopping, true)
})

mistakes('what an older level would leave out of its packets is refused', () => {
  const world = fresh()
  const a = world.connect('a', { level: 4, cleanStart: false })
  const before = world.show()
  const properties = { contentType: 'text' }
  const slips: ReadonlyArray<readonly [what: string, act: () => unknown]> = [
    ['sessionExpiryS', () => a.connect({ sessionExpiryS: 60 })],
    ['properties', () => a.connect({ properties: { receiveMaximum: 1 } })],
    ['properties of the will', () => a.connect({ will: { topic: 'w', properties } })],
    ['properties', () => a.publish('t', '1', { qos: 1, properties })],
    ['noLocal', () => a.subscribe({ filter: 't', noLocal: true })],
    ['retainAsPublished', () => a.subscribe(['u', { filter: 't', retainAsPublished: true }])],
    ['retainHandling', () => a.subscribe({ filter: 't', retainHandling: 2 })],
    ['a reason', () => a.disconnect(0x04)],
  ]
  for (const [what, act] of slips) {
    const says = `only MQTT 5 has ${what}, and this client speaks level 4: leave that out, or the `
    const message = complaint(act)
    assert.ok(message.includes(says), message)
  }
  assert.is(world.show(), before)
  a.subscribe({ filter: 't', qos: 1, noLocal: false, retainHandling: 0 })
  a.publish('t', '1', { properties: {} }).disconnect()
  world.expect(a, ['t 1'])
  a.connect({ level: 5, sessionExpiryS: 60 }).publish('t', '2', { properties })
  world.expect(a, ['t 1', 't 2'])
})

mistakes('a client of one world is not taken for the one of the same name in another', () => {
  const stranger = simulate().connect('a')
  const world = simulate()
  const a = world.connect('a')
  const says = /^a is a client of another world: connect it in this one$/
  assert.match(complaint(() => world.expect(stranger, [])), says)
  assert.match(complaint(() => world.cut(stranger)), says)
  world.expect(a, [])
  assert.is(a.status, 'connected')
})

mistakes('what is undefined is as if it had not been written', () => {
  const world = simulate(loose({ seed: undefined, config: undefined, judge: undefined }))
  const wish = { userName: undefined, will: undefined, keepAliveS: undefined }
  const a = world.connect('a', loose(wish)).subscribe(loose({ filter: 't', qos: undefined }))
  a.publish('t', loose(undefined), loose({ qos: undefined, properties: undefined }))
  const properties = { contentType: undefined, messageExpiryInterval: undefined }
  a.publish('t', '', { properties: loose(properties) })
  world.expect(a, ['t ', 't '])
  assert.equal(a.deliveries.map((one) => one.properties), [{}, {}])
  a.send({ ...Packet.subscribe('u'), properties: loose({ userProperties: undefined }) })
  assert.equal(a.last('Suback')?.reasons, [0])
  const will = { topic: 't', properties: loose(properties) }
  world.connect('b', { properties: loose({ receiveMaximum: undefined }), will })
  world.cut('b')
  assert.equal(a.deliveries[2]?.properties, {})
})

mistakes.run()
