// What is kept of messages on their way: all of them for a session that lasts, which may want them
// again, and nothing but the gist for one that ends with its connection.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import type { Conn, Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { Outgoing, Session, State } from '../core/broker/state.ts'
import type { Publish } from '../core/codec/packet.ts'
import { none } from '../core/codec/properties.ts'
import * as B from '../core/data/bytes.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as StrMap from '../core/data/str-map.ts'
import * as Window from '../core/data/window.ts'
import { defaults, initial, Packet, run } from '../core/mod.ts'
import { disagreement } from '../core/trace/agree.ts'
import { rebuild } from '../core/trace/rebuild.ts'
import { remember } from '../core/trace/rebuild-owed.ts'

const passing = suite('passing')

/** A broker whose clients are told apart by numbers. */
class House {
  state: State
  sent: Array<readonly [number, Publish]> = []

  constructor(config: Config = defaults) {
    this.state = initial(config, { at: 0, wall: 0, seed: 1 })
  }

  take(...inputs: ReadonlyArray<Input>): ReadonlyArray<Effect> {
    const [state, effects] = run(this.state, inputs)
    assert.is(disagreement(state), null)
    this.state = state
    for (const effect of effects) {
      if (effect._tag !== 'Send' || effect.packet._tag !== 'Publish') continue
      const { packet } = effect
      // The bytes are lent, as to every shell.
      this.sent.push([effect.conn.slot, { ...packet, payload: B.own(packet.payload) }])
    }
    return effects
  }

  conn(slot: number): Conn {
    return { slot, generation: slot }
  }

  enter(slot: number, expiryS: number, cleanStart = expiryS === 0): void {
    const conn = this.conn(slot)
    this.take(
      I.opened(conn, 0, `nonce${slot}`, '1883', { address: '127.0.0.1', port: slot }),
      I.arrived(
        conn,
        0,
        Packet.connect({
          clientId: `c${slot}`,
          level: 5,
          cleanStart,
          properties: { sessionExpiryInterval: expiryS },
        }),
      ),
    )
  }

  subscribe(slot: number, filter: string, qos: 1 | 2): void {
    this.take(I.arrived(this.conn(slot), 0, Packet.subscribe({ filter, qos }, 1)))
  }

  publish(slot: number, topic: string, payload: Uint8Array): ReadonlyArray<Effect> {
    const packet = Packet.publish({ topic, payload, qos: 1, packetId: 1 })
    return this.take(I.arrived(this.conn(slot), 0, packet))
  }

  answer(slot: number, _tag: 'Puback' | 'Pubrec', packetId: number): void {
    this.take(I.arrived(this.conn(slot), 0, { _tag, packetId, reason: 0, properties: none }))
  }

  session(slot: number): Session | undefined {
    const number = StrMap.get(this.state.clients, `c${slot}`)
    return number === undefined ? undefined : IntMap.get(this.state.sessions, number)
  }

  window(slot: number): ReadonlyArray<Outgoing> {
    return [...Window.entries(this.session(slot)!.window)].map(([, one]) => one)
  }

  said(slot: number): ReadonlyArray<string> {
    return this.sent.filter(([to]) => to === slot)
      .map(([, { payload }]) => new TextDecoder().decode(B.view(payload)))
  }
}

const text = (some: string): Uint8Array => new TextEncoder().encode(some)

const large = new Uint8Array(100_000).fill(0x61)

passing('a session that ends with its connection holds no payload that it was sent', () => {
  for (const qos of [1, 2] as const) {
    const house = new House({ ...defaults, upgradeOutgoingQos: true })
    house.enter(1, 0)
    house.enter(2, 0)
    house.enter(3, 1000)
    house.subscribe(2, 't', qos)
    house.subscribe(3, 't', qos)
    house.publish(1, 't', large)
    const [gist] = house.window(2)
    assert.ok(gist?.stage === 'passing')
    assert.is(gist.message.payloadBytes, large.length)
    assert.not('payload' in gist.message)
    const [whole] = house.window(3)
    assert.ok(whole?.stage === 'open')
    assert.is(B.size(whole.message.payload), large.length)
    assert.is(house.session(2)!.inflightBytes, house.session(3)!.inflightBytes)
    assert.equal(house.said(2), house.said(3))
    for (const slot of [2, 3]) {
      house.answer(slot, qos === 1 ? 'Puback' : 'Pubrec', 1)
      assert.is(house.session(slot)!.inflightBytes, 0)
    }
  }
})

passing('a session that lasted before keeps what is in the store', () => {
  const house = new House({ ...defaults, persistence: true })
  house.enter(1, 0)
  house.enter(2, 1000)
  house.subscribe(2, 't', 1)
  house.take(I.closed(house.conn(2), 0, 'closed'))
  house.enter(2, 0, false)
  const writes = house.publish(1, 't', text('one')).flatMap((effect) =>
    effect._tag === 'Persist' ? effect.writes : []
  )
  assert.equal(house.window(2).map(({ stage }) => stage), ['open'])
  // A broker that is made of the store knows it as what it was: a message on its way.
  assert.ok(writes.some((write) => JSON.stringify(write).includes('"stage":"sent"')))
})

passing('what has to wait is kept, and comes as it was published', () => {
  const house = new House({ ...defaults, inflightCountMax: 2 })
  house.enter(1, 0)
  house.enter(2, 0)
  house.subscribe(2, 't', 1)
  const payload = text('0')
  for (const digit of '12345') {
    payload[0] = digit.charCodeAt(0)
    house.publish(1, 't', payload)
  }
  payload[0] = 0x78
  assert.equal(house.said(2), ['1', '2'])
  assert.equal(house.window(2).map(({ stage }) => stage), ['passing', 'passing'])
  for (let id = 1; id <= 5; id++) house.answer(2, 'Puback', id)
  assert.equal(house.said(2), ['1', '2', '3', '4', '5'])
  assert.equal(house.window(2), [])
})

passing('each message of a run has a gist of its own, and several receivers the same', () => {
  const house = new House()
  for (const slot of [1, 2, 3]) {
    house.enter(slot, 0)
    house.subscribe(slot, '#', 1)
  }
  house.take(...['a', 'bb', 'c'].map((topic, i) => {
    const packet = Packet.publish({ topic, payload: text(topic), qos: 1, packetId: i + 1 })
    return I.arrived(house.conn(1), 0, packet)
  }))
  const topics = house.sent.map(([to, { topic, payload }]) => `${to} ${topic} ${B.size(payload)}`)
  assert.equal(topics.sort(), [1, 2, 3].flatMap((to) => [`${to} a 1`, `${to} bb 2`, `${to} c 1`]))
  const gists = (slot: number) => house.window(slot).map((one) => 'message' in one && one.message)
  assert.equal(gists(2).map((one) => one && one.topic), ['a', 'bb', 'c'])
  for (const [i, gist] of gists(2).entries()) assert.is(gists(3)[i], gist)
})

passing('a member of a shared group hands on what it has not acknowledged, whole', () => {
  const house = new House()
  house.enter(1, 0)
  house.enter(2, 0)
  house.subscribe(2, '$share/g/t', 1)
  house.publish(1, 't', text('for one of us'))
  house.enter(3, 0)
  house.subscribe(3, '$share/g/t', 1)
  house.take(I.closed(house.conn(2), 0, 'closed'))
  assert.equal(house.said(3), ['for one of us'])
})

passing('whose client was told that its session ends has none after DISCONNECT either', () => {
  const house = new House({ ...defaults, sessionExpiryMaxS: 0 })
  house.enter(1, 0)
  house.enter(2, 100)
  house.subscribe(2, 't', 1)
  house.publish(1, 't', text('once'))
  assert.equal(house.window(2).map(({ stage }) => stage), ['passing'])
  house.take(I.reconfigured(0, { ...defaults, sessionExpiryMaxS: 1000 }))
  const properties = { sessionExpiryInterval: 100 }
  house.take(I.arrived(house.conn(2), 0, { _tag: 'Disconnect', reason: 0, properties }))
  assert.is(house.session(2), undefined)
})

const everything = {
  client: () => true,
  speaker: () => true,
  leaver: () => true,
  topic: () => true,
  message: () => true,
  share: () => true,
}

passing('a part of a recording begins with what is remembered of it, and else with dots', () => {
  const house = new House()
  house.enter(1, 0)
  house.enter(2, 0)
  house.subscribe(2, 't', 1)
  house.publish(1, 't', text('acknowledged'))
  house.answer(2, 'Puback', 1)
  const before = house.state
  const effects = house.publish(1, 't', text('on its way'))
  const saidIn = (inputs: ReadonlyArray<Input>): ReadonlyArray<string> =>
    inputs.flatMap((one) =>
      one._tag === 'Commanded' && one.command._tag === 'Publish'
        ? [new TextDecoder().decode(B.view(one.command.packet.payload))]
        : []
    )
  const dotted = rebuild(house.state, everything)
  assert.equal(dotted.untold, [`what 1 message on the way to 'c2' said`])
  assert.equal(saidIn(dotted.inputs), ['earlier', '..........'])
  assert.equal(rebuild(before, everything).untold, [])
  remember(house.state, effects)
  const whole = rebuild(house.state, everything)
  assert.equal(whole.untold, [])
  assert.equal(saidIn(whole.inputs), ['earlier', 'on its way'])
})

passing.run()
