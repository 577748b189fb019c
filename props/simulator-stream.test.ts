// A stream into a simulated world ends as a socket does: a client library that is thrown out
// notices, and comes back by itself.

import { MqttClient } from 'mqtt'
import type { IClientOptions } from 'mqtt'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../shells/simulator/mod.ts'
import type { World } from '../shells/simulator/mod.ts'
import { connectStream } from '../shells/simulator/stream.ts'

const stream = suite('simulator-stream')

const levels = [4, 5] as const

/** A client of MQTT.js in a world, and what it tells. */
const join = (
  world: World,
  clientId: string,
  options: IClientOptions,
): readonly [MqttClient, Array<string>] => {
  const client = new MqttClient(() => connectStream(world, clientId), {
    clientId,
    reconnectPeriod: 20,
    ...options,
    timerVariant: world.timers,
  })
  const told: Array<string> = []
  for (const event of ['connect', 'disconnect', 'offline', 'close', 'reconnect'] as const) {
    client.on(event, () => told.push(event))
  }
  client.on('error', () => told.push('error'))
  return [client, told]
}

/** Lets the client do what it wants until it is done, for two seconds of real time at most. */
const until = async (isDone: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !isDone(); i++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 10))
  }
}

const connects = (told: ReadonlyArray<string>): number =>
  told.filter((event) => event === 'connect').length

/** What throws a client out in order: the broker ends the connection, and nothing fails. */
const ends: Readonly<Record<string, (world: World, phone: MqttClient) => void>> = {
  'a kick': (world) => world.command({ _tag: 'Kick', clientId: 'phone' }),
  'a restart': (world) => world.restart(),
  'a take-over': (world) => world.connect('other', { clientId: 'phone' }),
  // A packet of the reserved type 0.
  'a protocol error': (_, phone) => phone.stream.write(new Uint8Array([0, 0])),
}

for (const [name, end] of Object.entries(ends)) {
  for (const level of levels) {
    stream(`MQTT.js at level ${level} hears of ${name}, and connects again`, async () => {
      const world = simulate()
      const [phone, told] = join(world, 'phone', { protocolVersion: level })
      await until(() => connects(told) === 1)
      end(world, phone)
      await until(() => connects(told) === 2)
      const all = [...told]
      await phone.endAsync(true)
      // Only MQTT 5 tells a client that it has to go.
      const goodbye = level === 5 ? ['disconnect'] : []
      assert.equal(
        all,
        ['connect', ...goodbye, 'offline', 'close', 'reconnect', 'connect'],
      )
    })
  }
}

stream('where a test has its own timer in the place of the real one, time passes', async () => {
  const world = simulate()
  const phone = world.connect('phone')
  const real = globalThis.setTimeout
  const fake: unknown = () => 0
  globalThis.setTimeout = fake as typeof setTimeout
  try {
    const never = new Promise<string>((resolve) => real(() => resolve('never'), 1_000))
    const advanced = world.advanceAsync('1h').then(() => `for ${world.now} ms`)
    assert.is(await Promise.race([advanced, never]), 'for 3600000 ms')
  } finally {
    globalThis.setTimeout = real
  }
  assert.is(phone.status, 'connected')
})

stream('MQTT.js that is told to reconnect with its stores sends again what got lost', async () => {
  const world = simulate({ config: { persistence: true } })
  world.slowDisk('20ms')
  const [phone, told] = join(world, 'phone', {
    protocolVersion: 5,
    reconnectPeriod: 0,
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
  })
  await world.advanceAsync('1s')
  const sent = phone.publishAsync('home/phone', 'here', { qos: 2, retain: true })
  await world.advanceAsync('10ms')
  world.crash()
  world.restart()
  await until(() => !phone.connected)
  phone.reconnect(phone)
  await until(() => told.includes('reconnect'))
  await world.advanceAsync('1s')
  await until(() => connects(told) === 2)
  await world.advanceAsync('1s')
  world.connect('late').subscribe('home/#')
  world.expect('late', ['home/phone here'])
  await sent
  await phone.endAsync(true)
})

stream('a message handler of MQTT.js cannot let time pass, and is told so', async () => {
  const world = simulate()
  const [phone, told] = join(world, 'phone', { protocolVersion: 5 })
  phone.on('message', () => {
    try {
      world.advance('1s')
    } catch (error) {
      told.push(String(error))
    }
  })
  await phone.subscribeAsync('t')
  world.connect('lamp').publish('t')
  await until(() => told.length === 2)
  await phone.endAsync(true)
  assert.match(told[1] ?? '', /^Error: time cannot pass in the middle of a moment: call advance /)
  assert.is(world.now, 0)
})

stream.run()
