// What clients see of what an operator may choose about delivery: what is available at all, one
// copy or several, and who of a shared group gets a message.

import { same } from './expect.ts'
import { deliveryText, farewell, type Peer } from './peer.ts'
import type { Row, Stage } from './row.ts'
import { levels, propertyText } from './wire.ts'

const differs = 'mosquitto reads its configuration from a file'

const scarce = {
  maximumQos: 1,
  retainAvailable: false,
  wildcardAvailable: false,
  sharedAvailable: false,
  subscriptionIdentifiersAvailable: false,
} as const

const members = async (
  stage: Stage,
  count: number,
  order: { readonly level?: 4 | 5; readonly clean?: boolean; readonly properties?: string } = {},
): Promise<ReadonlyArray<Peer>> => {
  const all: Peer[] = []
  for (let i = 0; i < count; i++) {
    const member = await stage.client(`member${i}`, { level: 5, ...order })
    await member.subscribe(`$share/g/${stage.own('#')}`, 1)
    all.push(member)
  }
  return all
}

export const choiceRows: ReadonlyArray<Row> = [
  {
    name: 'what is not available is announced and enforced',
    alone: { settings: { config: scarce } },
    differs,
    play: async (stage) => {
      const topic = stage.own('t')
      const fresh = async (name: string, level: 4 | 5 = 5) => await stage.client(name, { level })
      const asker = await stage.dial()
      const connack = await asker.connect({ id: stage.own('asker'), level: 5 })
      same(
        propertyText(connack),
        'topicAliasMaximum=10 retainAvailable=0 maximumPacketSize=2000000 receiveMaximum=20 ' +
          'maximumQos=1 wildcardSubscriptionAvailable=0 subscriptionIdentifierAvailable=0 ' +
          'sharedSubscriptionAvailable=0',
        'CONNACK',
      )
      same(await asker.ask([{ filter: topic, qos: 2 }]), [1], 'SUBACK for QoS 2')
      for (
        const [reason, filter, properties] of [
          [0xa2, `${topic}/+`, ''],
          [0xa2, `${topic}/#`, ''],
          [0x9e, `$share/g/${topic}`, ''],
          [0xa1, topic, '0b 01'],
        ] as const
      ) {
        const peer = await fresh('subscriber')
        const asked = peer.ask([{ filter, qos: 0 }], properties).catch(() => null)
        await farewell(peer, reason)
        await asked
      }
      for (const [reason, order] of [[0x9b, { qos: 2 }], [0x9a, { retain: true }]] as const) {
        const peer = await fresh('publisher')
        const published = peer.publish(topic, 'x', order).catch(() => null)
        await farewell(peer, reason)
        await published
        const old = await fresh('older', 4)
        const same4 = old.publish(topic, 'x', order).catch(() => null)
        await old.gone()
        await same4
      }
      for (const [reason, will] of [[0x9b, { qos: 2 }], [0x9a, { retain: true }]] as const) {
        const peer = await stage.dial()
        const order = { id: stage.own('will'), will: { topic, payload: 'x', ...will } }
        same((await peer.greet({ ...order, level: 5 })).reason, reason, 'CONNACK for a will')
        await peer.gone()
        const old = await stage.dial()
        await Promise.all([old.greet({ ...order, level: 4 }).catch(() => null), old.gone()])
        same(old.history.length, 0, 'packets for an older client with the same will')
      }
      const old = await fresh('old', 4)
      same(
        await old.ask([{ filter: topic, qos: 2 }, { filter: `${topic}/#`, qos: 0 }]),
        [1, 0x80],
        'SUBACK at level 4',
      )
      await asker.hasOnly([], 'what got through')
    },
  },
  {
    name: 'overlapping subscriptions give one copy for all',
    alone: { settings: { config: { allowDuplicateMessages: false } } },
    differs,
    play: async (stage) => {
      const subscriber = await stage.client('subscriber', { level: 5 })
      const subscribe = async (filter: string, qos: 0 | 1 | 2, identifier: string) =>
        await subscriber.ask([{ filter: stage.own(filter), qos }], identifier)
      await subscribe('+/b', 1, '0b 05')
      await subscribe('a/#', 2, '0b 06')
      await subscribe('a/b', 0, '')
      const old = await stage.client('old', { level: 4 })
      await old.subscribe(stage.own('a/#'), 1)
      await old.subscribe(stage.own('a/b'), 0)
      const publisher = await stage.client('publisher')
      await publisher.publish(stage.own('a/b'), 'x', { qos: 2 })
      await subscriber.deliveries(1)
      await subscriber.hasOnly(['x'], 'copies')
      const [copy] = subscriber.messages
      // [MQTT-3.3.4-2] [MQTT-3.3.4-4]: any order.
      same(copy?.qos, 2, 'QoS')
      same(
        copy === undefined ? '' : propertyText(copy).split(' ').sort().join(' '),
        'subscriptionIdentifier=5 subscriptionIdentifier=6',
        'identifiers',
      )
      await old.deliveries(1)
      await old.ping()
      same(old.messages.map(deliveryText), ['x q1'], 'at level 4')
    },
  },
  {
    name: 'members who are there go first, and take over from one who has gone',
    alone: { settings: { config: { sharedOrder: 'prefer online' } } },
    differs,
    play: async (stage) => {
      const away = { clean: false, properties: '11 00000258' }
      const [first, second] = await members(stage, 2, away)
      const publisher = await stage.client('publisher')
      if (first === undefined || second === undefined) return
      first.acknowledges = false
      await publisher.publish(stage.own('t'), '1', { qos: 1 })
      await first.deliveries(1)
      first.destroy()
      await second.deliveries(1)
      for (const payload of ['2', '3']) {
        await publisher.publish(stage.own('t'), payload, { qos: 1 })
      }
      await second.hasOnly(['1', '2', '3'], 'heard by the one who stayed')
      await second.disconnect()
      await publisher.publish(stage.own('t'), '4', { qos: 1 })
      const again = await stage.client('member0', { level: 5, ...away })
      const other = await stage.client('member1', { level: 5, ...away })
      await again.ping()
      await other.ping()
      same([...again.payloads(), ...other.payloads()], ['4'], 'kept for one who was away')
    },
  },
  {
    name: 'members who are away get nothing where nothing waits for them',
    alone: { settings: { config: { sharedOffline: 'drop' } } },
    differs,
    play: async (stage) => {
      const away = { clean: false, properties: '11 00000258' }
      const [first, second] = await members(stage, 2, away)
      const publisher = await stage.client('publisher', { level: 5 })
      await first?.disconnect()
      for (const payload of ['1', '2']) {
        await publisher.publish(stage.own('t'), payload, { qos: 1 })
      }
      await second?.hasOnly(['1', '2'], 'heard by the one who stayed')
      await second?.disconnect()
      same(await publisher.publish(stage.own('t'), '3', { qos: 1 }), 0, 'PUBACK when all are away')
      for (const name of ['member0', 'member1']) {
        const again = await stage.client(name, { level: 5, ...away })
        await again.hasOnly([], `kept for ${name}`)
      }
    },
  },
  ...(['sticky', 'hash of topic'] as const).map((sharedOrder): Row => ({
    name: `the order of a shared group is ${sharedOrder}`,
    alone: { settings: { config: { sharedOrder } } },
    differs,
    play: async (stage) => {
      for (const level of levels) {
        const group = []
        for (let i = 0; i < 3; i++) {
          const member = await stage.client(`m${level}${i}`, { level })
          await member.subscribe(`$share/g${level}/${stage.own(`${level}/+`)}`, 1)
          group.push(member)
        }
        const publisher = await stage.client(`publisher${level}`, { level })
        for (let i = 0; i < 24; i++) {
          await publisher.publish(stage.own(`${level}/${i % 8}`), `${i % 8}`, { qos: 1 })
        }
        for (const member of group) await member.ping()
        const heard = group.map((member) => member.payloads())
        same(heard.flat().length, 24, 'deliveries')
        const busy = heard.filter((some) => some.length > 0)
        if (sharedOrder === 'sticky') same(busy.length, 1, 'members who heard anything')
        else {
          // Every topic has one member, and they have not all the same.
          same(busy.flatMap((some) => [...new Set(some)]).length, 8, 'topics of members')
          same(busy.length > 1, true, 'several members have topics')
        }
      }
    },
  })),
]
