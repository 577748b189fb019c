// Delivery to members of shared groups that come and go, and topic aliases towards clients.

import { holds, same, sleep } from './expect.ts'
import { deliveryText, payloadText, type Peer } from './peer.ts'
import type { Row, Stage } from './row.ts'
import { ackBytes, hex32, levels, property, propertyText } from './wire.ts'
import type { Level, Qos } from './wire.ts'

/** A member that answers nothing, and one that answers everything; the first has the turn. */
const pair = async (
  stage: Stage,
  level: Level,
  qos: Qos,
  first: { readonly properties?: string; readonly clean?: boolean } = {},
): Promise<{ silent: Peer; other: Peer; publisher: Peer; topic: string }> => {
  const topic = stage.own(`${level}`)
  const silent = await stage.client(`silent${level}`, { level, ...first })
  silent.acknowledges = false
  await silent.subscribe(`$share/g${level}/${topic}`, qos)
  const other = await stage.client(`other${level}`, { level })
  await other.subscribe(`$share/g${level}/${topic}`, qos)
  const publisher = await stage.client(`publisher${level}`, { level })
  return { silent, other, publisher, topic }
}

export const shareRows: ReadonlyArray<Row> = [
  {
    name: 'topic aliases towards a client',
    differs: '2.0 sends none',
    play: async (stage) => {
      const [a, b, c] = [stage.own('a'), stage.own('b'), stage.own('c')]
      const order = { level: 5, clean: false, properties: `11 ${hex32(600)} 22 0002` } as const
      const subscriber = await stage.client('subscriber', order)
      for (const filter of [a, b, c]) await subscriber.ask([{ filter, qos: 1 }], '0b 07')
      const plain = await stage.client('plain', { level: 5 })
      for (const filter of [a, b, c]) await plain.subscribe(filter)
      const publisher = await stage.client('publisher', { level: 5 })
      const text = (peer: Peer) =>
        peer.messages.map((seen) => {
          const alias = property(seen, 'topicAlias')
          return `${payloadText(seen)} ${seen.topic.slice(-1)} ${alias ?? '-'}`
        })
      await publisher.publish(a, '1')
      await publisher.publish(b, '2', { qos: 1, properties: '03 "text"' })
      await publisher.publish(c, '3')
      await publisher.publish(b, '4')
      subscriber.acknowledges = false
      await publisher.publish(a, '5', { qos: 1 })
      await subscriber.ping()
      same(text(subscriber), ['1 a 1', '2 b 2', '3 c -', '4  2', '5  1'], 'heard')
      const second = subscriber.messages[1]
      same(
        second === undefined ? '' : propertyText(second),
        'contentType=text topicAlias=2 subscriptionIdentifier=7',
        'properties beside an alias',
      )
      await plain.ping()
      same(text(plain), ['1 a -', '2 b -', '3 c -', '4 b -', '5 a -'], 'without aliases')
      // An alias does not outlive its connection. [MQTT-3.3.2-7]
      subscriber.destroy()
      const again = await stage.client('subscriber', order)
      await publisher.publish(a, '6')
      await again.deliveries(2)
      await again.ping()
      same(text(again), ['5 a 1', '6  1'], 'on the next connection')
      same(again.messages.map((seen) => seen.dup), [true, false], 'duplicates')
    },
  },
  {
    name: 'a member whose session ends leaves its messages to another',
    differs: '2.0 loses them',
    play: async (stage) => {
      for (const level of levels) {
        const { silent, other, publisher, topic } = await pair(stage, level, 1)
        for (const payload of ['1', '2', '3', '4', '5']) {
          await publisher.publish(topic, payload, { qos: 1 })
        }
        await silent.deliveries(3)
        await silent.disconnect()
        await other.deliveries(5)
        await other.ping()
        // In order, and new to the one who gets them now.
        same(
          other.messages.map(deliveryText),
          ['2 q1', '4 q1', '1 q1', '3 q1', '5 q1'],
          `heard at level ${level}`,
        )
      }
    },
  },
  {
    name: 'a member whose session persists finds its messages when it is back',
    play: async (stage) => {
      const durable = { clean: false, properties: `11 ${hex32(600)}` }
      const { silent, other, publisher, topic } = await pair(stage, 5, 1, durable)
      for (const payload of ['1', '2', '3']) await publisher.publish(topic, payload, { qos: 1 })
      await silent.deliveries(2)
      silent.destroy()
      const again = await stage.client('silent5', { level: 5, ...durable })
      await again.deliveries(2)
      same(again.messages.map(deliveryText), ['1 q1 dup', '3 q1 dup'], 'sent again')
      await other.hasOnly(['2'], 'heard by the other')
    },
  },
  {
    name: 'QoS 2 under way with a member goes to nobody else',
    play: async (stage) => {
      for (const level of levels) {
        const { silent, other, publisher, topic } = await pair(stage, level, 2)
        for (const payload of ['1', '2', '3']) await publisher.publish(topic, payload, { qos: 2 })
        await silent.deliveries(2)
        // One of them was received, the other perhaps not. [MQTT-4.8.2-5]
        silent.send(ackBytes(0x50, silent.messages[0]?.packetId ?? 0))
        await silent.answer('PUBREL')
        await silent.disconnect()
        await publisher.publish(topic, '4', { qos: 2 })
        await other.hasOnly(['2', '4'], `heard at level ${level}`)
      }
    },
  },
  {
    name: 'what a member of a shared group rejects goes to nobody else',
    play: async (stage) => {
      const { silent, other, publisher, topic } = await pair(stage, 5, 2)
      await publisher.publish(topic, '1', { qos: 1 })
      await publisher.publish(topic, '2', { qos: 1 })
      await publisher.publish(topic, '3', { qos: 2 })
      await silent.deliveries(2)
      const [one, three] = silent.messages
      // [MQTT-4.8.2-6]
      silent.send(ackBytes(0x40, one?.packetId ?? 0, 0x83))
      silent.send(ackBytes(0x50, three?.packetId ?? 0, 0x83))
      await silent.ping()
      await silent.disconnect()
      await other.hasOnly(['2'], 'heard by the other')
    },
  },
  {
    name: 'a member that leaves its group leaves what it was not sent',
    differs: '2.0 sends it all to the one who left',
    play: async (stage) => {
      // One at a time.
      const { silent, other, publisher, topic } = await pair(stage, 5, 1, {
        properties: '21 0001',
      })
      for (const payload of ['1', '2', '3', '4', '5']) {
        await publisher.publish(topic, payload, { qos: 1 })
      }
      await silent.deliveries(1)
      await silent.unsubscribe(`$share/g5/${topic}`)
      await other.deliveries(4)
      await other.hasOnly(['2', '4', '3', '5'], 'heard by the other')
      // What was begun is finished with the one who left. [MQTT-3.10.4-3]
      silent.send(ackBytes(0x40, silent.messages[0]?.packetId ?? 0))
      await silent.hasOnly(['1'], 'heard by the one who left')
    },
  },
  {
    name: 'a member whose packets are too small for a message is passed over',
    differs: '2.0 drops the message',
    play: async (stage) => {
      const { silent, other, publisher, topic } = await pair(stage, 5, 1, {
        properties: `27 ${hex32(100)}`,
      })
      const long = 'x'.repeat(200)
      await publisher.publish(topic, long, { qos: 1 })
      await publisher.publish(topic, long)
      await other.hasOnly([long, long], 'heard by the other')
      await silent.hasOnly([], 'heard by the one who takes 100 bytes')
    },
  },
  {
    name: 'an exchange that was begun goes on after its message has expired',
    play: async (stage) => {
      const topic = stage.own('t')
      const durable = { level: 5, clean: false, properties: `11 ${hex32(600)} 21 0001` } as const
      const subscriber = await stage.client('subscriber', durable)
      await subscriber.subscribe(topic, 1)
      subscriber.acknowledges = false
      const publisher = await stage.client('publisher', { level: 5 })
      for (const payload of ['begun', 'waits']) {
        await publisher.publish(topic, payload, { qos: 1, properties: `02 ${hex32(1)}` })
      }
      await subscriber.deliveries(1)
      subscriber.destroy()
      await sleep(1_300)
      const again = await stage.client('subscriber', durable)
      await again.deliveries(1)
      // The other one was never sent. [MQTT-3.3.2-5]
      await again.hasOnly(['begun'], 'sent again')
      const [seen] = again.messages
      holds(seen?.dup === true, 'DUP', 'set', seen?.dup)
      same(property(seen, 'messageExpiryInterval'), 0, 'what is left of it')
    },
  },
]
