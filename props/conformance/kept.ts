// Rows about what the broker says on behalf of others: retained messages and wills.

import { Buffer } from 'node:buffer'
import { servedMs } from '../served.ts'
import { holds, same, sleep } from './expect.ts'
import { deliveryText, farewell } from './peer.ts'
import type { Peer } from './peer.ts'
import type { Row, Stage } from './row.ts'
import { hex32, publishBytes } from './wire.ts'
import type { ConnectOrder, Level, WillOrder } from './wire.ts'

const levels: ReadonlyArray<Level> = [3, 4, 5]

/** A subscriber to everything of the row and a client with a will that is about to go. */
const dying = async (
  stage: Stage,
  order: Omit<ConnectOrder, 'id'>,
  will: Partial<WillOrder> = {},
): Promise<readonly [Peer, Peer]> => {
  const heir = await stage.client('heir', { level: order.level ?? 4 })
  await heir.subscribe(stage.own('will'), 2)
  const full = { topic: stage.own('will'), payload: 'gone', qos: 1, ...will } as const
  return [heir, await stage.client('dying', { ...order, will: full })]
}

export const keptRows: ReadonlyArray<Row> = [
  {
    name: 'retained messages: delivered with the flag, live without, replaced, cleared',
    play: async (stage) => {
      for (const level of levels) {
        const topic = stage.own(`${level}/t`)
        const publisher = await stage.client(`publisher${level}`, { level })
        const live = await stage.client(`live${level}`, { level })
        await live.subscribe(topic, 2)
        await publisher.publish(topic, 'first', { qos: 1, retain: true })
        await publisher.publish(topic, 'second', { qos: 2, retain: true })
        await publisher.publish(topic, 'passing', { qos: 1 })
        const late = await stage.client(`late${level}`, { level })
        await late.subscribe(stage.own(`${level}/#`), 1)
        await late.deliveries(1)
        await late.ping()
        same(late.messages.map(deliveryText), ['second q1 retain'], `late at level ${level}`)
        // Subscribing again sends it again. [MQTT-3.8.4-3]
        await late.subscribe(stage.own(`${level}/#`), 0)
        await late.ping()
        same(
          late.messages.map(deliveryText),
          ['second q1 retain', 'second q0 retain'],
          `late, subscribed again at level ${level}`,
        )
        await publisher.publish(topic, '', { qos: 1, retain: true })
        await live.ping()
        same(
          live.messages.map(deliveryText),
          ['first q1', 'second q2', 'passing q1', ' q1'],
          `live at level ${level}`,
        )
        const last = await stage.client(`last${level}`, { level })
        await last.subscribe(topic, 2)
        await last.hasOnly([], `after clearing at level ${level}`)
      }
    },
  },
  {
    name: 'a message that was retained and queued comes twice',
    play: async (stage) => {
      const topic = stage.own('t')
      const first = await stage.client('subscriber', { clean: false })
      await first.subscribe(topic, 1)
      await first.disconnect()
      const publisher = await stage.client('publisher')
      await publisher.publish(topic, 'ret', { qos: 1, retain: true })
      const second = await stage.client('subscriber', { clean: false })
      await second.deliveries(1)
      await second.subscribe(topic, 1)
      await second.deliveries(2)
      await second.ping()
      same(second.messages.map(deliveryText), ['ret q1', 'ret q1 retain'], 'delivered')
    },
  },
  {
    name: 'retain handling and retain as published',
    differs: '2.0 sends retained messages to a new shared subscription',
    play: async (stage) => {
      const topic = stage.own('t')
      const publisher = await stage.client('publisher', { level: 5 })
      await publisher.publish(topic, 'kept', { qos: 1, retain: true })
      const never = await stage.client('never', { level: 5 })
      await never.ask([{ filter: topic, retainHandling: 2 }])
      const once = await stage.client('once', { level: 5 })
      await once.ask([{ filter: topic, retainHandling: 1 }])
      await once.ask([{ filter: topic, retainHandling: 1 }])
      const always = await stage.client('always', { level: 5 })
      await always.ask([{ filter: topic, retainHandling: 0, retainAsPublished: true }])
      await always.ask([{ filter: topic, retainHandling: 0, retainAsPublished: true }])
      await publisher.publish(topic, 'live', { qos: 0, retain: true })
      await publisher.publish(topic, 'plain', { qos: 0 })
      const shared = await stage.client('shared', { level: 5 })
      await shared.subscribe(`$share/g/${topic}`)
      await shared.hasOnly([], 'retained to a shared subscription')
      const heard = async (peer: Peer): Promise<string[]> => {
        await peer.ping()
        return peer.messages.map(deliveryText)
      }
      same(await heard(never), ['live q0', 'plain q0'], 'never')
      same(await heard(once), ['kept q0 retain', 'live q0', 'plain q0'], 'once')
      same(
        await heard(always),
        ['kept q0 retain', 'kept q0 retain', 'live q0 retain', 'plain q0'],
        'always, as published',
      )
    },
  },
  {
    name: 'retained messages match wildcards, $ stays out of #',
    alone: {},
    play: async (stage) => {
      const publisher = await stage.client('publisher')
      const hidden = `$${stage.own('x')}`
      await publisher.publish(stage.own('a'), 'a', { retain: true })
      await publisher.publish(stage.own('a/b'), 'a/b', { retain: true })
      await publisher.publish(stage.own('c/b'), 'c/b', { retain: true })
      await publisher.publish(hidden, 'hidden', { retain: true })
      const seen: string[][] = []
      for (const filter of [stage.own('a/#'), stage.own('+/b'), '#', `${hidden.split('/')[0]}/#`]) {
        const subscriber = await stage.client(`on ${filter}`)
        await subscriber.subscribe(filter)
        await subscriber.ping()
        const own = subscriber.messages.filter(({ topic }) => topic.includes(stage.prefix))
        seen.push(own.map((message) => deliveryText(message).split(' ')[0] ?? '').sort())
      }
      same(
        seen,
        [['a', 'a/b'], ['a/b', 'c/b'], ['a', 'a/b', 'c/b'], ['hidden']],
        'heard by a/#, +/b, # and $x/#',
      )
      for (const topic of ['a', 'a/b', 'c/b']) {
        await publisher.publish(stage.own(topic), '', { retain: true })
      }
      await publisher.publish(hidden, '', { retain: true })
    },
  },
  {
    name: 'a will is published when the connection is lost or reset',
    play: async (stage) => {
      for (const level of levels) {
        const [heir, lost] = await dying(stage, { level })
        lost.destroy()
        await heir.deliveries(1)
        same(heir.messages.map(deliveryText), ['gone q1'], `lost at level ${level}`)
        const [second, reset] = await dying(stage, { level }, { qos: 2, payload: 'reset' })
        reset.reset()
        await second.deliveries(1)
        same(second.messages.map(deliveryText), ['reset q2'], `reset at level ${level}`)
        const late = await stage.client('late', { level })
        await late.subscribe(stage.own('will'))
        await late.hasOnly([], `retained at level ${level}`)
      }
    },
  },
  {
    name: 'a will after a fault, a second CONNECT, a keep alive that passed',
    differs: '2.0 answers a PINGREQ with wrong flags',
    play: async (stage) => {
      const second = '10 ["MQTT" 04 02 003c "again"]'
      const wrongs = [[4, '00 00'], [4, second], [5, 'f0 02 19 00'], [5, 'c1 00']] as const
      for (const [level, wrong] of wrongs) {
        const [heir, faulty] = await dying(stage, { level }, { payload: wrong })
        faulty.send(wrong)
        await faulty.gone()
        await heir.deliveries(1)
        await heir.hasOnly([wrong], `after ${wrong} at level ${level}`)
      }
      const [heir] = await dying(stage, { level: 4, keepAliveS: 1 }, { payload: 'silent' })
      await heir.deliveries(1)
      await heir.hasOnly(['silent'], 'after keep alive')
    },
  },
  {
    name: 'DISCONNECT discards the will, 0x04 does not',
    play: async (stage) => {
      for (const level of levels) {
        const [heir, polite] = await dying(stage, { level })
        await polite.disconnect()
        await heir.hasOnly([], `after DISCONNECT at level ${level}`)
      }
      const [heir, last] = await dying(stage, { level: 5 })
      await last.disconnect(4)
      await heir.deliveries(1)
      await heir.hasOnly(['gone'], 'after DISCONNECT 0x04')
    },
  },
  {
    name: 'a will at take-over',
    play: async (stage) => {
      for (const level of levels) {
        const [heir, first] = await dying(stage, { level })
        const second = await stage.client('dying', { level })
        await first.gone()
        await heir.deliveries(1)
        await heir.hasOnly(['gone'], `heard at level ${level}`)
        await second.disconnect()
      }
    },
  },
  {
    name: 'a retained will',
    play: async (stage) => {
      const [heir, lost] = await dying(stage, { level: 4 }, { retain: true, payload: 'offline' })
      lost.reset()
      await heir.deliveries(1)
      same(heir.messages.map(deliveryText), ['offline q1'], 'heard live')
      const late = await stage.client('late')
      await late.subscribe(stage.own('will'), 0)
      await late.ping()
      same(late.messages.map(deliveryText), ['offline q0 retain'], 'heard late')
      const publisher = await stage.client('publisher')
      await publisher.publish(stage.own('will'), '', { qos: 1, retain: true })
    },
  },
  {
    name: 'a delayed will: in time, never early, not after a return, at the end of the session',
    play: async (stage) => {
      const heir = await stage.client('heir', { level: 5 })
      await heir.subscribe(stage.own('#'), 1)
      const leave = async (name: string, delayS: number, expiryS: number): Promise<void> => {
        const peer = await stage.client(name, {
          level: 5,
          properties: `11 ${hex32(expiryS)}`,
          will: {
            topic: stage.own(name),
            payload: name,
            qos: 1,
            properties: `18 ${hex32(delayS)}`,
          },
        })
        peer.reset()
      }
      const sinceMs = Date.now()
      const sinceServedMs = servedMs()
      await leave('delayed', 1, 600)
      await leave('returned', 2, 600)
      await leave('session', 600, 1)
      await sleep(200)
      const back = await stage.client('returned', {
        level: 5,
        clean: false,
        properties: `11 ${hex32(600)}`,
      })
      const seen = await heir.deliveries(1)
      const afterMs = Date.now() - sinceMs
      holds(
        afterMs >= 1_000 && servedMs() - sinceServedMs < 3_000,
        `the first will (${seen.map(deliveryText)}) came after`,
        '1 s (1 to 3)',
        `${afterMs} ms`,
      )
      await heir.deliveries(2)
      await sleep(sinceMs + 3_200 - Date.now())
      await heir.ping()
      same(heir.payloads().sort(), ['delayed', 'session'], 'wills')
      await back.disconnect()
    },
  },
  {
    name: 'the properties of a will reach the subscriber',
    play: async (stage) => {
      const properties = '03 "text"'
      const [heir, lost] = await dying(stage, { level: 5 }, { properties })
      lost.reset()
      const [seen] = await heir.deliveries(1)
      same(seen?.properties, [{ name: 'contentType', value: 'text' }], 'properties')
    },
  },
  {
    name: 'the end of a client that published is told after what it published',
    play: async (stage) => {
      const [heir, last] = await dying(stage, { level: 5 }, { payload: 'will' })
      const batch = Array.from(
        { length: 50 },
        (_, n) => publishBytes({ level: 5, topic: stage.own('will'), payload: `${n}` }),
      )
      last.send(Buffer.concat([...batch, Buffer.from('e00104', 'hex')]))
      await last.gone()
      await heir.deliveries(51)
      same(heir.payloads(), [...batch.map((_, n) => `${n}`), 'will'], 'order')
      const wrong = await stage.client('wrong', { level: 5 })
      // A session that was to end cannot be made to last by DISCONNECT. [MQTT-3.14.2-2]
      wrong.send(`e0 [00 (11 ${hex32(10)})]`)
      await farewell(wrong, 0x82)
    },
  },
]
