// Whoever says who they are is waited for: what follows a CONNECT or an AUTH is not decoded before
// it is answered, however long somebody else thinks about it.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Answer, Input, Query } from '../core/mod.ts'
import { defaults } from '../core/mod.ts'
import type { Packet } from '../core/codec/packet.ts'
import * as B from '../core/data/bytes.ts'
import {
  connect,
  packetsIn,
  pingreq,
  publish,
  recording,
  subscribe,
  tagsIn,
  World,
} from './driver/world.ts'

const driver = suite('the driver and who judges')

driver('what follows a CONNECT waits until it is answered', async () => {
  let answer: (reason: number) => void = () => {}
  const judge = (): Promise<number> => new Promise((resolve) => answer = resolve)
  const inputs: Array<Input> = []
  const world = new World({
    config: { authentication: 'judge' },
    broker: recording(inputs),
    judge,
  })
  const arrivals = (): number => inputs.filter((input) => input._tag === 'Arrived').length
  const trusted = world.open()
  world.say(trusted, connect('trusted'), subscribe('a'), publish('a', 5))
  world.settle()
  assert.is(arrivals(), 1)
  answer(0)
  await Promise.resolve()
  world.settle()
  assert.is(arrivals(), 3)
  assert.equal(tagsIn(4, trusted.wire.got), ['Connack', 'Suback', 'Publish'])

  const stranger = world.open()
  world.say(stranger, connect('stranger'), publish('a', 6))
  world.settle()
  answer(0x87)
  await Promise.resolve()
  world.settle()
  assert.is(arrivals(), 4, 'nothing of a refused client is decoded')
  assert.equal(tagsIn(4, stranger.wire.got), ['Connack'])
  assert.ok(stranger.wire.ended)
  assert.equal(tagsIn(4, trusted.wire.got), ['Connack', 'Suback', 'Publish'])
})

driver('what follows a CONNECT waits also in a turn in which time is told', () => {
  const inputs: Array<Input> = []
  const world = new World({
    config: { authentication: 'judge' },
    broker: recording(inputs),
    judge: () => new Promise(() => {}),
  })
  world.open()
  world.settle()
  // The first one is given up for saying nothing in the turn in which the second one speaks.
  world.time += defaults.connectTimeoutMs
  world.fire()
  const client = world.open()
  world.say(client, connect('client'), publish('a', 5))
  world.settle()
  const told = inputs.map(({ _tag }) => _tag).slice(1)
  assert.equal(told, ['Opened', 'Arrived', 'Ticked'])
})

driver('who judges can ask whether the connection is still there', () => {
  let isWanted = (): boolean => false
  const world = new World({
    config: { authentication: 'judge', connectTimeoutMs: 1_000 },
    judge: (_, isThere) => {
      isWanted = isThere
      return new Promise(() => {})
    },
  })
  const client = world.open()
  world.say(client, connect('client'))
  world.settle()
  assert.ok(isWanted())
  world.pass(900)
  assert.ok(isWanted())
  world.pass(200)
  assert.ok(client.wire.ended)
  // Its slot has another occupant by now.
  world.open()
  world.settle()
  assert.not(isWanted())
})

const method = 'SCRAM-SHA-256'

const textBytes = (text: string): B.Bytes => B.of(new TextEncoder().encode(text))

const authOf = (reason: number, text: string): Packet => ({
  _tag: 'Auth',
  reason,
  properties: { authenticationMethod: method, authenticationData: textBytes(text) },
})

const proving = (clientId: string): Packet => ({
  ...connect(clientId, 5),
  properties: {
    authenticationMethod: method,
    authenticationData: textBytes('n,,n=user,r=client'),
  },
} as Packet)

/** A last message with a proof that the shell is going to believe. */
const finalOf = (challenge: Packet | undefined): Packet => {
  const data = challenge?._tag === 'Auth' ? challenge.properties.authenticationData : undefined
  const text = data === undefined ? '' : new TextDecoder().decode(B.view(data))
  return authOf(0x18, `c=biws,r=${/^r=([^,]*)/.exec(text)?.[1]},p=${btoa('p'.repeat(32))}`)
}

const believing = async (query: Query): Promise<Answer> =>
  query._tag === 'ScramSalt'
    ? { _tag: 'ScramSalt', salt: textBytes('salt'), iterations: 4096 }
    : { _tag: 'ScramSignature', signature: textBytes('signature') }

/** Lets promises that are settled be heard. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

driver(
  'a client that authenticates itself is read on when its method has been answered',
  async () => {
    const inputs: Array<Input> = []
    const world = new World({
      config: { authenticationMethods: [method], connectPacketBytesMax: 400 },
      broker: recording(inputs),
      know: believing,
    })
    const arrivals = (): number => inputs.filter((input) => input._tag === 'Arrived').length
    const client = world.open(5)
    world.say(client, proving('c'))
    world.settle()
    assert.ok(client.link.paused, 'nothing is read while the salt is looked for')
    await breathe()
    world.settle()
    assert.not.ok(client.link.paused)
    assert.equal(tagsIn(5, client.wire.got), ['Auth'])
    // What is large, and what follows at once, waits for CONNACK.
    world.say(client, finalOf(packetsIn(5, client.wire.got)[0]), subscribe('a'), publish('a', 1000))
    world.settle()
    assert.is(arrivals(), 2)
    await breathe()
    world.settle()
    assert.equal(tagsIn(5, client.wire.got), ['Auth', 'Connack', 'Suback', 'Publish'])
    // Each answer has a nonce of its own.
    const nonces = inputs.flatMap((input) => input._tag === 'Answered' ? [input.nonce] : [])
    assert.is(nonces.length, 2)
    assert.is.not(nonces[0], nonces[1])
    // A connected client is read on while it proves itself again.
    world.say(client, authOf(0x19, 'n,,n=user,r=again'), pingreq)
    world.settle()
    assert.equal(tagsIn(5, client.wire.got).slice(4), ['Pingresp'])
    await breathe()
    world.settle()
    assert.equal(tagsIn(5, client.wire.got).slice(4), ['Pingresp', 'Auth'])

    const greedy = world.open(5)
    world.say(greedy, proving('g'))
    world.settle()
    await breathe()
    world.settle()
    world.say(greedy, publish('a', 1000))
    world.settle()
    const connack = packetsIn(5, greedy.wire.got)[1]
    assert.is(connack?._tag === 'Connack' && connack.reason, 0x95)
  },
)

driver('whoever cannot be asked about is refused', async () => {
  const config = { authenticationMethods: [method] } as const
  const failing = (): Promise<Answer> => Promise.reject(new Error('no store'))
  for (const [know, reason] of [[undefined, 0x87], [failing, 0x88]] as const) {
    const world = new World({ config, ...(know ? { know } : {}) })
    const client = world.open(5)
    world.say(client, proving('c'))
    world.settle()
    await breathe()
    world.settle()
    const connack = packetsIn(5, client.wire.got)[0]
    assert.is(connack?._tag === 'Connack' && connack.reason, reason)
    assert.is(world.lines.includes('no store'), know !== undefined)
  }
})

driver('a judge who does not say yes lets nobody in, and one that fails is a line', async () => {
  const config = { authentication: 'judge' } as const
  const throwing = (): never => {
    throw new Error('no such user')
  }
  const cases: ReadonlyArray<readonly [judge: () => unknown, reason: number, line: string]> = [
    [() => 0, 0, ''],
    [async () => 0x86, 0x86, ''],
    [async () => false, 0x87, 'the judge answered false'],
    [async () => undefined, 0x87, 'the judge answered undefined'],
    [async () => true, 0x87, 'the judge answered true'],
    [async () => NaN, 0x87, 'the judge answered NaN'],
    [async () => 5, 0x87, 'the judge answered 5'],
    [() => 'no', 0x87, 'the judge answered no'],
    [throwing, 0x88, 'no such user'],
    [() => Promise.reject(new Error('no store')), 0x88, 'no store'],
  ]
  for (const [judge, reason, line] of cases) {
    const world = new World({ config, judge: judge as () => Promise<number> })
    const client = world.open(5)
    world.say(client, { ...connect('c', 5) })
    world.settle()
    await breathe()
    world.settle()
    const connack = packetsIn(5, client.wire.got)[0]
    assert.is(connack?._tag === 'Connack' && connack.reason, reason, line)
    assert.ok(world.lines.includes(line), world.lines)
  }
})

driver('what follows a CONNECT waits also in a turn in which something is due', async () => {
  const inputs: Array<Input> = []
  const world = new World({
    config: { authentication: 'judge', connectTimeoutMs: 100 },
    broker: recording(inputs),
    judge: () => Promise.resolve(0x87),
  })
  // Its time is over in the very turn in which the stranger comes.
  world.open()
  world.settle()
  world.time += 100
  const stranger = world.open()
  world.say(stranger, connect('stranger'), publish('a', 6))
  world.settle()
  await Promise.resolve()
  world.settle()
  assert.equal(inputs.map(({ _tag }) => _tag).filter((tag) => tag === 'Ticked'), ['Ticked'])
  assert.equal(tagsIn(4, stranger.wire.got), ['Connack'])
  assert.is(inputs.filter(({ _tag }) => _tag === 'Arrived').length, 1)
})

driver.run()
