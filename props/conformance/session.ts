// Rows about sessions: what is kept while a client is away, for how long, and how it is sent again.

import { Buffer } from 'node:buffer'
import { holds, same, sleep } from './expect.ts'
import { deliveryText, farewell, payloadText } from './peer.ts'
import type { Peer } from './peer.ts'
import type { Row, Stage } from './row.ts'
import { ackBytes, hex16, hex32, publishBytes, show } from './wire.ts'
import type { ConnectOrder, Level } from './wire.ts'

const levels: ReadonlyArray<Level> = [3, 4, 5]

/** A session that outlives its connection, at any level. */
const lasting = (level: Level): Omit<ConnectOrder, 'id'> =>
  level === 5
    ? { level, clean: false, properties: `11 ${hex32(600)}` }
    : { level, clean: false }

/** Connects and says whether there was a session. */
const returns = async (
  stage: Stage,
  name: string,
  order: Omit<ConnectOrder, 'id'>,
): Promise<readonly [Peer, boolean]> => {
  const peer = await stage.dial()
  const connack = await peer.connect({ ...order, id: stage.own(name) })
  return [peer, connack.sessionPresent]
}

const fresh = (level: Level): Omit<ConnectOrder, 'id'> => ({ level, clean: true })

export const sessionRows: ReadonlyArray<Row> = [
  {
    name: 'session present',
    play: async (stage) => {
      for (const level of levels) {
        const seen: boolean[] = []
        // MQTT 3.1 has no such flag; its byte is reserved.
        const wanted = [false, level > 3, level > 3, false, false]
        const lives = [lasting(level), lasting(level), lasting(level), fresh(level), lasting(level)]
        for (const [index, order] of lives.entries()) {
          const [peer, present] = await returns(stage, `client${level}`, order)
          seen.push(present)
          // Both ways of leaving keep the session.
          if (index === 1) peer.reset()
          else await peer.disconnect()
          await sleep(30)
        }
        same(seen, wanted, `session present at level ${level}`)
      }
    },
  },
  {
    name: 'a session is found again from another level',
    play: async (stage) => {
      const [first] = await returns(stage, 'client', lasting(4))
      await first.subscribe(stage.own('t'), 1)
      await first.disconnect()
      const publisher = await stage.client('publisher')
      await publisher.publish(stage.own('t'), 'kept', { qos: 1 })
      const [second, present] = await returns(stage, 'client', lasting(5))
      same(present, true, 'session present')
      await second.deliveries(1)
      await second.hasOnly(['kept'], 'delivered')
    },
  },
  {
    name: 'store and forward keeps QoS 1 and 2 in order and drops QoS 0',
    play: async (stage) => {
      for (const level of levels) {
        const topic = stage.own(`${level}`)
        const [first] = await returns(stage, `client${level}`, lasting(level))
        await first.subscribe(topic, 2)
        await first.disconnect()
        const publisher = await stage.client(`publisher${level}`, { level })
        await publisher.publish(topic, 'a', { qos: 1 })
        await publisher.publish(topic, 'lost', { qos: 0 })
        await publisher.publish(topic, 'b', { qos: 2 })
        await publisher.publish(topic, 'c', { qos: 1 })
        const [second] = await returns(stage, `client${level}`, lasting(level))
        await second.deliveries(3)
        await second.ping()
        same(second.messages.map(deliveryText), ['a q1', 'b q2', 'c q1'], `at level ${level}`)
        await second.disconnect()
        const [third] = await returns(stage, `client${level}`, lasting(level))
        await third.hasOnly([], 'delivered a second time')
      }
    },
  },
  {
    name: 'unacknowledged messages come again with DUP, the same identifiers, in order',
    play: async (stage) => {
      for (const level of levels) {
        const topic = stage.own(`${level}`)
        const publisher = await stage.client(`publisher${level}`, { level })
        const [first] = await returns(stage, `client${level}`, lasting(level))
        first.acknowledges = false
        await first.subscribe(topic, 2)
        for (const [payload, qos] of [['a', 1], ['b', 2], ['c', 1], ['d', 2]] as const) {
          await publisher.publish(topic, payload, { qos })
        }
        const sent = [...await first.deliveries(4)]
        same(sent.map(deliveryText), ['a q1', 'b q2', 'c q1', 'd q2'], 'the first time')
        // `a` is finished, `b` is half-way (so PUBREL is what comes again), `c` and `d` are open.
        first.send(ackBytes(0x40, sent[0]?.packetId ?? 0))
        first.send(ackBytes(0x50, sent[1]?.packetId ?? 0))
        same((await first.answer('PUBREL')).packetId, sent[1]?.packetId, 'PUBREL')
        first.reset()
        const [second] = await returns(stage, `client${level}`, lasting(level))
        await second.deliveries(2)
        await second.ping()
        same(second.messages.map(deliveryText), ['c q1 dup', 'd q2 dup'], 'the second time')
        same(
          second.messages.map(({ packetId }) => packetId),
          sent.slice(2).map(({ packetId }) => packetId),
          'packet identifiers the second time',
        )
        const released = second.history.filter(({ kind }) => kind === 'PUBREL')
        same(released[0]?.packetId, sent[1]?.packetId, 'PUBREL sent again')
        await second.disconnect()
        const [third] = await returns(stage, `client${level}`, lasting(level))
        await third.hasOnly([], 'the third time')
        same(third.history.filter(({ kind }) => kind === 'PUBREL').length, 0, 'PUBREL')
      }
    },
  },
  {
    name: 'QoS 2 from a client is exactly once across a lost connection',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(topic, 2)
      const once = { level: 4, topic, payload: 'x', qos: 2, packetId: 7 } as const
      const [first] = await returns(stage, 'publisher', lasting(4))
      first.send(publishBytes(once))
      await first.answer('PUBREC')
      first.reset()
      const [second] = await returns(stage, 'publisher', lasting(4))
      second.send(publishBytes({ ...once, dup: true }))
      await second.answer('PUBREC')
      second.send(ackBytes(0x62, 7))
      await second.answer('PUBCOMP')
      second.reset()
      const [third] = await returns(stage, 'publisher', lasting(4))
      third.send(ackBytes(0x62, 7))
      await third.answer('PUBCOMP')
      await subscriber.deliveries(1)
      await subscriber.hasOnly(['x'], 'delivered')
    },
  },
  {
    name: 'a clean start forgets subscriptions and messages',
    play: async (stage) => {
      for (const level of levels) {
        const topic = stage.own(`${level}`)
        const [first] = await returns(stage, `client${level}`, lasting(level))
        await first.subscribe(topic, 1)
        await first.disconnect()
        const publisher = await stage.client(`publisher${level}`, { level })
        await publisher.publish(topic, 'old', { qos: 1 })
        const [second] = await returns(stage, `client${level}`, fresh(level))
        await publisher.publish(topic, 'new', { qos: 1 })
        await second.hasOnly([], `delivered at level ${level}`)
      }
    },
  },
  {
    name: 'a session of MQTT 5 ends when its expiry interval has passed',
    play: async (stage) => {
      const order = (seconds: number) =>
        ({ level: 5, clean: false, properties: `11 ${hex32(seconds)}` }) as const
      const [gone] = await returns(stage, 'gone at once', { level: 5, clean: false })
      await gone.disconnect()
      const [short] = await returns(stage, 'short', order(1))
      await short.disconnect()
      const [shortened] = await returns(stage, 'shortened', order(600))
      await shortened.disconnect(0, `11 ${hex32(1)}`)
      const [kept] = await returns(stage, 'kept', order(600))
      await kept.disconnect()
      const [early] = await returns(stage, 'early', order(2))
      await early.disconnect()
      await sleep(300)
      same((await returns(stage, 'early', order(2)))[1], true, '2 s, after 0.3 s')
      await sleep(2_200)
      same((await returns(stage, 'gone at once', order(1)))[1], false, 'without an interval')
      same((await returns(stage, 'short', order(1)))[1], false, '1 s, after 2.5 s')
      same((await returns(stage, 'shortened', order(1)))[1], false, '1 s by DISCONNECT')
      same((await returns(stage, 'kept', order(1)))[1], true, '600 s, after 2.5 s')
    },
  },
  {
    name: 'a client that reads nothing of QoS 1 is sent its Receive Maximum and no more',
    differs: '2.0 sends two too many after the first PUBACK',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber', {
        level: 5,
        properties: `21 ${hex16(3)}`,
      })
      subscriber.acknowledges = false
      await subscriber.subscribe(topic, 1)
      const publisher = await stage.client('publisher', { level: 5 })
      const expected = Array.from({ length: 10 }, (_, index) => `${index}`)
      for (const payload of expected) await publisher.publish(topic, payload, { qos: 1 })
      await subscriber.hasOnly(expected.slice(0, 3), 'delivered without any PUBACK')
      subscriber.send(ackBytes(0x40, subscriber.messages[0]?.packetId ?? 0))
      await subscriber.deliveries(4)
      await subscriber.hasOnly(expected.slice(0, 4), 'delivered after one PUBACK')
      for (let i = 1; i < 10; i++) {
        await subscriber.deliveries(i + 1)
        subscriber.send(ackBytes(0x40, subscriber.messages[i]?.packetId ?? 0))
      }
      await subscriber.hasOnly(expected, 'delivered in the end')
    },
  },
  {
    name: 'the window towards a client is 20, whatever the level',
    play: async (stage) => {
      for (const level of levels) {
        const topic = stage.own(`${level}`)
        const subscriber = await stage.client(`subscriber${level}`, { level })
        subscriber.acknowledges = false
        await subscriber.subscribe(topic, 2)
        const publisher = await stage.client(`publisher${level}`, { level })
        for (let i = 0; i < 25; i++) await publisher.publish(topic, `${i}`, { qos: 1 })
        await subscriber.ping()
        same(subscriber.messages.length, 20, `in flight at level ${level}`)
      }
    },
  },
  {
    name: 'more than Receive Maximum unfinished publishes end in 0x93',
    differs: '2.0 answers PUBREC 0x97',
    play: async (stage) => {
      const topic = stage.own('t')
      const publisher = await stage.client('publisher', { level: 5 })
      for (let packetId = 1; packetId <= 20; packetId++) {
        publisher.send(publishBytes({ level: 5, topic, payload: 'x', qos: 2, packetId }))
      }
      for (let i = 0; i < 20; i++) same((await publisher.answer('PUBREC')).reason, 0, 'PUBREC')
      await publisher.ping()
      publisher.send(publishBytes({ level: 5, topic, payload: 'x', qos: 2, packetId: 21 }))
      await farewell(publisher, 0x93)
    },
  },
  {
    name: 'the maximum packet size of a client is kept',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber', {
        level: 5,
        properties: `27 ${hex32(100)}`,
      })
      await subscriber.subscribe(topic, 1)
      const publisher = await stage.client('publisher', { level: 5 })
      same(await publisher.publish(topic, 'x'.repeat(200), { qos: 1 }), 0, 'PUBACK, too large')
      same(await publisher.publish(topic, 'small', { qos: 1 }), 0, 'PUBACK, small')
      await subscriber.deliveries(1)
      await subscriber.hasOnly(['small'], 'delivered')
    },
  },
  {
    name: 'a queue has an end, and what was acknowledged is what is kept',
    differs: '2.0 acknowledges what it drops',
    patienceMs: 30_000,
    play: async (stage) => {
      const topic = stage.own('t')
      const [first] = await returns(stage, 'subscriber', lasting(5))
      await first.subscribe(topic, 1)
      await first.disconnect()
      const publisher = await stage.client('publisher', { level: 5 })
      const accepted: string[] = []
      for (let i = 0; i < 1_100; i += 20) {
        const batch = Array.from({ length: 20 }, (_, n) =>
          publishBytes({ level: 5, topic, payload: `${i + n}`, qos: 1, packetId: i + n + 1 }))
        publisher.send(Buffer.concat(batch))
        for (let n = 0; n < 20; n++) {
          const puback = await publisher.answer('PUBACK')
          if (puback.reason === 0) accepted.push(`${puback.packetId - 1}`)
          else same(show(puback), `PUBACK ${puback.packetId} 97`, 'a refusal')
        }
      }
      holds(
        accepted.length >= 1_000 && accepted.length < 1_100,
        'messages accepted for a client that is away',
        '1000 and a little more',
        accepted.length,
      )
      const [second] = await returns(stage, 'subscriber', lasting(5))
      await second.deliveries(accepted.length, 15_000)
      await second.hasOnly(accepted, 'delivered')
    },
  },
  {
    name: 'subscriptions survive the connection, QoS 0 is live only',
    play: async (stage) => {
      const [first] = await returns(stage, 'client', lasting(4))
      await first.subscribe(stage.own('a'), 0)
      await first.subscribe(stage.own('b'), 1)
      first.reset()
      const publisher = await stage.client('publisher')
      await publisher.publish(stage.own('a'), 'away', { qos: 1 })
      const [second] = await returns(stage, 'client', lasting(4))
      await publisher.publish(stage.own('a'), 'a', { qos: 1 })
      await publisher.publish(stage.own('b'), 'b', { qos: 0 })
      await second.ping()
      same(second.messages.map(payloadText), ['a', 'b'], 'delivered')
    },
  },
]
