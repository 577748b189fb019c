// Rows about the way of a message: QoS in both directions, wildcards, order, size, copies, shares,
// properties.

import { Buffer } from 'node:buffer'
import { servedMs } from '../served.ts'
import { holds, same, sleep } from './expect.ts'
import { deliveryText, farewell, payloadText } from './peer.ts'
import type { Peer } from './peer.ts'
import type { Row } from './row.ts'
import { ackBytes, bytes, hex32, levels, property, propertyText, publishBytes } from './wire.ts'
import type { Qos } from './wire.ts'

const qoses: ReadonlyArray<Qos> = [0, 1, 2]

/** Filters, topics and who hears whom, below a prefix of the row's own. */
const matches: ReadonlyArray<readonly [filter: string, hears: readonly string[]]> = [
  ['a/b', ['a/b']],
  ['+/b', ['a/b', '/b']],
  ['a/+', ['a/b', 'a/', 'a/$c']],
  ['a/#', ['a', 'a/b', 'a/', 'a/b/c', 'a//c', 'a/$c']],
  ['a/b/#', ['a/b', 'a/b/c']],
  ['a/+/c', ['a/b/c', 'a//c']],
  ['+/+', ['a/b', 'a/', '/b', 'a/$c']],
  ['+', ['a', 'A']],
  ['+/+/+', ['a/b/c', 'a//c']],
  ['/+', ['/b']],
  ['/#', ['/b']],
  ['#', ['a', 'A', 'a/b', 'a/', '/b', 'a/b/c', 'a//c', 'a/$c']],
  ['A', ['A']],
]
const topics = ['a', 'A', 'a/b', 'a/', '/b', 'a/b/c', 'a//c', 'a/$c']

/** One packet of exactly this many bytes that publishes zeros at QoS 1. */
const packetOf = (size: number, topic: string): Buffer => {
  const overhead = publishBytes({ level: 5, topic, payload: '', qos: 1, packetId: 1 }).length
  // Remaining Length of such a packet takes two bytes more than that of an empty one.
  const payload = Buffer.alloc(size - overhead - 2)
  return publishBytes({ level: 5, topic, payload, qos: 1, packetId: 1 })
}

const members = async (
  count: number,
  join: (index: number) => Promise<Peer>,
): Promise<Peer[]> => {
  const joined: Peer[] = []
  for (let i = 0; i < count; i++) joined.push(await join(i))
  return joined
}

export const deliveryRows: ReadonlyArray<Row> = [
  {
    name: 'each QoS published reaches each QoS subscribed, between all levels',
    play: async (stage) => {
      for (const from of levels) {
        const publisher = await stage.client(`from${from}`, { level: from })
        for (const to of levels) {
          const subscriber = await stage.client(`to${to}-${from}`, { level: to })
          for (const granted of qoses) {
            const topic = stage.own(`${from}/${to}/${granted}`)
            await subscriber.subscribe(topic, granted)
            for (const qos of qoses) {
              const reason = await publisher.publish(topic, `${qos}`, { qos })
              same(reason, 0, `reason at QoS ${qos}`)
            }
            const count = subscriber.messages.length
            await subscriber.deliveries(3 * (granted + 1))
            await subscriber.ping()
            same(
              subscriber.messages.slice(-3).map(deliveryText),
              qoses.map((qos) => `${qos} q${Math.min(qos, granted)}`),
              `from level ${from} to level ${to} at QoS ${granted} (${count} at once)`,
            )
          }
        }
      }
    },
  },
  {
    name: 'packet identifiers towards a client count from 1',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(topic, 2)
      const publisher = await stage.client('publisher')
      for (let i = 0; i < 6; i++) {
        await publisher.publish(topic, `${i}`, { qos: i % 2 === 0 ? 1 : 2 })
      }
      const seen = await subscriber.deliveries(6)
      same(seen.map(({ packetId }) => packetId), [1, 2, 3, 4, 5, 6], 'packet identifiers')
    },
  },
  {
    name: 'PUBACK of MQTT 5 says 0x10 where nobody matched',
    play: async (stage) => {
      const topic = stage.own('t')
      const publisher = await stage.client('publisher', { level: 5 })
      same(await publisher.publish(topic, 'x', { qos: 1 }), 0x10, 'PUBACK without a subscriber')
      same(await publisher.publish(topic, 'x', { qos: 2 }), 0, 'PUBREC, routed only at PUBREL')
      const subscriber = await stage.client('subscriber', { level: 5 })
      await subscriber.subscribe(topic)
      publisher.send(publishBytes({ level: 5, topic, payload: 'x', qos: 1, packetId: 77 }))
      const puback = await publisher.answer('PUBACK')
      same(Buffer.from(puback.raw).toString('hex'), '4002004d', 'PUBACK in its short form')
      const old = await stage.client('old', { level: 4 })
      old.send(bytes(`32 [ "${stage.own('nobody')}" 0009 'x']`))
      const short = await old.answer('PUBACK')
      same(Buffer.from(short.raw).toString('hex'), '40020009', 'PUBACK of 3.1.1')
    },
  },
  {
    name: 'QoS 2 is delivered once however often PUBLISH is sent again',
    differs: '2.0.11 closes the connection',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(topic, 2)
      const publisher = await stage.client('publisher')
      const once = publishBytes({ level: 4, topic, payload: 'x', qos: 2, packetId: 7 })
      const again = publishBytes({ level: 4, topic, payload: 'x', qos: 2, packetId: 7, dup: true })
      publisher.send(Buffer.concat([once, ...Array.from({ length: 19 }, () => again)]))
      for (let i = 0; i < 20; i++) await publisher.answer('PUBREC')
      await subscriber.hasOnly([], 'delivered before PUBREL')
      publisher.send(ackBytes(0x62, 7))
      same((await publisher.answer('PUBCOMP')).packetId, 7, 'PUBCOMP')
      publisher.send(ackBytes(0x62, 7))
      await publisher.answer('PUBCOMP')
      await subscriber.deliveries(1)
      await subscriber.hasOnly(['x'], 'delivered')
    },
  },
  {
    name: 'wildcards',
    play: async (stage) => {
      const publisher = await stage.client('publisher')
      const subscribers = await members(matches.length, async (index) => {
        const subscriber = await stage.client(`subscriber${index}`)
        await subscriber.subscribe(`${stage.own('w')}/${matches[index]?.[0]}`)
        return subscriber
      })
      const parent = await stage.client('parent')
      await parent.subscribe(`${stage.own('w')}/#`)
      for (const topic of topics) await publisher.publish(`${stage.own('w')}/${topic}`, topic)
      await publisher.publish(stage.own('w'), 'parent')
      for (const [index, subscriber] of subscribers.entries()) {
        const [filter, hears] = matches[index] ?? ['', []]
        // `prefix/#` hears the prefix itself too.
        const expected = filter === '#' ? [...hears, 'parent'] : hears
        await subscriber.hasOnly(expected, `heard by ${filter}`)
      }
    },
  },
  {
    name: 'topics that begin with $ stay out of # and +',
    // Where somebody listens to # no other row can see what happens when nobody does.
    alone: {},
    play: async (stage) => {
      const name = stage.own('x').replaceAll('/', '-')
      const filters = ['#', `+/${name}`, '$own/#', `$own/${name}`, '$own/+']
      const subscribers = await members(filters.length, async (index) => {
        const subscriber = await stage.client(`subscriber${index}`)
        await subscriber.subscribe(filters[index] ?? '')
        return subscriber
      })
      const publisher = await stage.client('publisher')
      await publisher.publish(`$own/${name}`, 'hidden')
      await publisher.publish(`own/${name}`, 'open')
      const heard: string[][] = []
      for (const subscriber of subscribers) {
        await subscriber.ping()
        heard.push(subscriber.messages.filter(({ topic }) => topic.endsWith(name)).map(payloadText))
      }
      same(heard, [['open'], ['open'], ['hidden'], ['hidden'], ['hidden']], 'heard')
    },
  },
  {
    name: 'nobody publishes to $SYS',
    play: async (stage) => {
      const topic = `$SYS/broker/${stage.own('x')}`
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe('$SYS/#', 0)
      const publisher = await stage.client('publisher', { level: 5 })
      same(await publisher.publish(topic, 'x', { qos: 1, retain: true }), 0x87, 'PUBACK')
      await publisher.publish(topic, 'x')
      await subscriber.ping()
      same(subscriber.messages.filter((seen) => seen.topic === topic).length, 0, 'delivered')
    },
  },
  {
    name: 'overlapping subscriptions give a copy each',
    play: async (stage) => {
      const subscriber = await stage.client('subscriber', { level: 5 })
      same(await subscriber.ask([{ filter: stage.own('+/b'), qos: 1 }], '0b 05'), [1], 'SUBACK')
      same(await subscriber.ask([{ filter: stage.own('a/#'), qos: 2 }], '0b 06'), [2], 'SUBACK')
      same(await subscriber.ask([{ filter: stage.own('a/b'), qos: 0 }]), [0], 'SUBACK')
      const publisher = await stage.client('publisher')
      await publisher.publish(stage.own('a/b'), 'x', { qos: 2 })
      await subscriber.deliveries(3)
      await subscriber.ping()
      const copies = subscriber.messages.map((seen) => `q${seen.qos} ${propertyText(seen)}`)
      same(
        copies.sort(),
        ['q0 ', 'q1 subscriptionIdentifier=5', 'q2 subscriptionIdentifier=6'],
        'copies',
      )
    },
  },
  {
    name: 'subscribing again replaces the subscription',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(topic, 0)
      await subscriber.subscribe(topic, 2)
      const publisher = await stage.client('publisher')
      await publisher.publish(topic, 'x', { qos: 1 })
      await subscriber.deliveries(1)
      await subscriber.ping()
      same(subscriber.messages.map(deliveryText), ['x q1'], 'deliveries')
    },
  },
  {
    name: 'unsubscribing',
    play: async (stage) => {
      for (const level of levels) {
        const [a, b] = [stage.own(`${level}/a`), stage.own(`${level}/b`)]
        const subscriber = await stage.client(`subscriber${level}`, { level })
        same(await subscriber.ask([{ filter: a, qos: 1 }, { filter: b, qos: 0 }]), [1, 0], 'SUBACK')
        const publisher = await stage.client(`publisher${level}`, { level })
        await publisher.publish(a, '1', { qos: 1 })
        const reasons = await subscriber.unsubscribe(a, stage.own('never'))
        same(reasons, level === 5 ? [0, 0x11] : [], `reasons of UNSUBACK at level ${level}`)
        await publisher.publish(a, '2', { qos: 1 })
        await publisher.publish(b, '3', { qos: 1 })
        await subscriber.hasOnly(['1', '3'], `delivered at level ${level}`)
      }
    },
  },
  {
    name: 'order of 2,000 messages at each QoS',
    patienceMs: 30_000,
    play: async (stage) => {
      const play = async (qos: Qos): Promise<void> => {
        const topic = stage.own(`q${qos}`)
        const subscriber = await stage.client(`subscriber${qos}`, { level: 5 })
        await subscriber.subscribe(topic, qos)
        const publisher = await stage.client(`publisher${qos}`, { level: 5 })
        const expected: string[] = []
        for (let i = 0; i < 2_000; i += 20) {
          const batch: Buffer[] = []
          for (let n = i; n < i + 20; n++) {
            expected.push(`${n}`)
            batch.push(
              publishBytes({ level: 5, topic, payload: `${n}`, qos, packetId: n + 1 }),
            )
          }
          publisher.send(Buffer.concat(batch))
          if (qos === 0) {
            await publisher.ping()
          } else {
            for (let n = 0; n < 20; n++) await publisher.answer(qos === 1 ? 'PUBACK' : 'PUBREC')
            if (qos === 2) {
              const releases = batch.map((_, n) => ackBytes(0x62, i + n + 1))
              publisher.send(Buffer.concat(releases))
              for (let n = 0; n < 20; n++) await publisher.answer('PUBCOMP')
            }
          }
        }
        await subscriber.deliveries(2_000, 20_000)
        same(subscriber.payloads(), expected, `order at QoS ${qos}`)
      }
      await Promise.all(qoses.map(play))
    },
  },
  {
    name: 'bursts of 5,000 messages arrive unharmed',
    play: async (stage) => {
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(stage.own('#'))
      const publisher = await stage.client('publisher')
      const expected: string[] = []
      for (let burst = 0; burst < 6; burst++) {
        const packets: Buffer[] = []
        for (let n = 0; n < 5_000; n++) {
          // Lengths that vary, so that packets end everywhere in the buffers of the broker; less
          // than 1 MiB in all, so that nothing may be dropped on the way.
          const payload = `${burst}.${n}.`.padEnd(10 + n * 7 % 120, String(n % 10))
          expected.push(payload)
          packets.push(publishBytes({ level: 4, topic: stage.own('t'), payload }))
        }
        publisher.send(Buffer.concat(packets))
        await subscriber.deliveries(expected.length)
        await publisher.ping()
      }
      const seen = subscriber.payloads()
      const wrong = seen.findIndex((payload, index) => payload !== expected[index])
      same([seen.length, wrong], [expected.length, -1], 'deliveries, and the first wrong one')
    },
  },
  {
    name: 'payloads of 0 bytes, 1 MiB and up to the maximum packet size',
    differs: '2.0 has no maximum packet size',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber', { level: 5 })
      await subscriber.subscribe(topic, 2)
      const publisher = await stage.client('publisher', { level: 5 })
      const mebibyte = Buffer.alloc(1024 * 1024, 'sabethes ')
      same(await publisher.publish(topic, '', { qos: 1 }), 0, 'an empty payload')
      for (const qos of qoses) same(await publisher.publish(topic, mebibyte, { qos }), 0, '1 MiB')
      publisher.send(packetOf(2_000_000, topic))
      same((await publisher.answer('PUBACK')).reason, 0, 'PUBACK for 2,000,000 bytes')
      const seen = await subscriber.deliveries(5)
      same(
        seen.map(({ payload }) => payload.length).slice(0, 4),
        [0, 1 << 20, 1 << 20, 1 << 20],
        'lengths',
      )
      holds(mebibyte.equals(seen[1]?.payload ?? mebibyte.subarray(1)), 'payload', 'unchanged', '')
      // The header alone decides: the rest of the packet is never sent.
      publisher.send(packetOf(2_000_001, topic).subarray(0, 5))
      await farewell(publisher, 0x95)
      const old = await stage.client('old')
      old.send(packetOf(2_000_001, topic).subarray(0, 5))
      await old.gone()
      await subscriber.ping()
      same(subscriber.messages.length, 5, 'deliveries')
    },
  },
  {
    name: 'a large packet is read in time that is linear in its size',
    play: async (stage) => {
      const publisher = await stage.client('publisher', { level: 5 })
      const packet = packetOf(1_000_000, stage.own('t'))
      const sinceMs = servedMs()
      for (let at = 0; at < packet.length; at += 4_096) {
        publisher.send(packet.subarray(at, at + 4_096))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await publisher.answer('PUBACK')
      const ms = servedMs() - sinceMs
      holds(ms < 3_000, '1 MB in pieces of 4 KiB', 'under 3 s', `${ms} ms`)
    },
  },
  {
    name: 'a topic may have 200 separators and no more',
    play: async (stage) => {
      const deep = `${stage.own('t')}${'/a'.repeat(200 - stage.own('t').split('/').length + 1)}`
      same(deep.split('/').length, 201, 'levels')
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(deep)
      const publisher = await stage.client('publisher')
      await publisher.publish(deep, 'deep', { qos: 1 })
      await subscriber.hasOnly(['deep'], 'delivered')
      publisher.send(publishBytes({ level: 4, topic: `${deep}/a`, payload: 'x' }))
      await publisher.gone()
    },
  },
  {
    name: 'topics are bytes: no normalisation, a byte order mark stays',
    play: async (stage) => {
      const names = ['\ufeffa', 'a', '\u00e9', 'e\u0301', '\u{1f99f}', '__proto__', 'constructor']
      const subscriber = await stage.client('subscriber')
      for (const name of names) await subscriber.subscribe(`${stage.own('t')}/${name}`)
      const publisher = await stage.client('publisher')
      for (const name of names) await publisher.publish(`${stage.own('t')}/${name}`, name)
      await subscriber.ping()
      // Buffer.toString keeps U+FEFF, so a topic that lost it would show.
      same(
        subscriber.messages.map(({ topic }) => topic),
        names.map((name) => `${stage.own('t')}/${name}`),
        'topics',
      )
    },
  },
  {
    name: 'a shared subscription gives each message to exactly one member',
    play: async (stage) => {
      const topic = stage.own('t')
      for (const level of levels) {
        const group = await members(3, async (index) => {
          const member = await stage.client(`member${level}-${index}`, { level })
          await member.subscribe(`$share/group${level}/${topic}`, 1)
          return member
        })
        const all = await stage.client(`all${level}`, { level })
        await all.subscribe(topic, 1)
        const publisher = await stage.client(`publisher${level}`, { level })
        const expected = Array.from({ length: 12 }, (_, index) => `${index}`)
        for (const payload of expected) await publisher.publish(topic, payload, { qos: 1 })
        await all.hasOnly(expected, 'heard by the ordinary subscriber')
        for (const member of group) await member.ping()
        const heard = group.flatMap((member) => member.payloads())
        same(heard.sort((a, b) => Number(a) - Number(b)), expected, `heard at level ${level}`)
        // Members take turns.
        same(group.map((member) => member.messages.length), [4, 4, 4], 'each member heard')
        const [leaver, ...rest] = group
        await leaver?.unsubscribe(`$share/group${level}/${topic}`)
        for (let i = 0; i < 4; i++) await publisher.publish(topic, `after${i}`, { qos: 1 })
        for (const member of rest) await member.ping()
        same(rest.map((member) => member.messages.length), [6, 6], 'each heard after one left')
        rest.forEach((member) => member.destroy())
      }
    },
  },
  {
    name: 'a shared subscription and an ordinary one are two',
    play: async (stage) => {
      const topic = stage.own('t')
      const both = await stage.client('both', { level: 5 })
      await both.subscribe(topic, 1)
      await both.subscribe(`$share/g/${topic}`, 1)
      same(await both.unsubscribe(`$share/other/${topic}`), [0x11], 'a group that is not there')
      const publisher = await stage.client('publisher')
      await publisher.publish(topic, 'two', { qos: 1 })
      await both.deliveries(2)
      same(await both.unsubscribe(topic), [0], 'the ordinary one')
      await publisher.publish(topic, 'one', { qos: 1 })
      await both.hasOnly(['two', 'two', 'one'], 'delivered')
      same(await both.unsubscribe(`$share/g/${topic}`), [0], 'the shared one')
      await publisher.publish(topic, 'none', { qos: 1 })
      await both.hasOnly(['two', 'two', 'one'], 'delivered')
    },
  },
  {
    name: 'no local',
    play: async (stage) => {
      const topic = stage.own('t')
      const alone = await stage.client('alone', { level: 5 })
      same(await alone.ask([{ filter: topic, qos: 1, noLocal: true }]), [1], 'SUBACK')
      const other = await stage.client('other', { level: 5 })
      await other.subscribe(topic, 1)
      await alone.publish(topic, 'own', { qos: 1 })
      await other.publish(topic, 'foreign', { qos: 1 })
      await alone.hasOnly(['foreign'], 'heard by the one who does not hear itself')
      await other.hasOnly(['own', 'foreign'], 'heard by the other')
    },
  },
  {
    name: 'properties of a message reach the subscriber unchanged and in order',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber', { level: 5 })
      await subscriber.subscribe(topic, 1)
      const old = await stage.client('old', { level: 4 })
      await old.subscribe(topic, 1)
      const publisher = await stage.client('publisher', { level: 5 })
      await publisher.publish(topic, 'x', {
        qos: 1,
        properties: '01 01 03 "text/plain" 08 "answer/here" 09 <00ff7f> ' +
          '26 "b" "2" 26 "a" "1" 26 "b" "2"',
      })
      const [seen] = await subscriber.deliveries(1)
      const text = seen === undefined ? '' : propertyText(seen)
      for (
        const part of [
          'payloadFormatIndicator=1',
          'contentType=text/plain',
          'responseTopic=answer/here',
          'correlationData=00ff7f',
          'userProperty=b=2 userProperty=a=1 userProperty=b=2',
        ]
      ) {
        holds(text.includes(part), 'properties', part, text)
      }
      same((await old.deliveries(1)).map(deliveryText), ['x q1'], 'at level 4')
    },
  },
  {
    name: 'message expiry counts down and ends a message',
    play: async (stage) => {
      const topic = stage.own('t')
      const away = { level: 5, clean: false, properties: `11 ${hex32(600)}` } as const
      const subscriber = await stage.client('subscriber', away)
      await subscriber.subscribe(topic, 1)
      await subscriber.disconnect()
      const publisher = await stage.client('publisher', { level: 5 })
      await publisher.publish(topic, 'short', { qos: 1, properties: `02 ${hex32(1)}` })
      await publisher.publish(topic, 'long', { qos: 1, properties: `02 ${hex32(100)}` })
      await publisher.publish(topic, 'kept', {
        qos: 1,
        retain: true,
        properties: `02 ${hex32(1)}`,
      })
      await sleep(2_300)
      const again = await stage.client('subscriber', away)
      await again.deliveries(1)
      await again.hasOnly(['long'], 'delivered after 2.3 s')
      const left = Number(property(again.messages[0], 'messageExpiryInterval'))
      holds(left === 97 || left === 98, 'what is left of 100 s', '97 or 98', left)
      const late = await stage.client('late', { level: 5 })
      await late.subscribe(topic, 1)
      await late.hasOnly([], 'retained after its expiry')
    },
  },
  {
    name: 'topic aliases of a client',
    play: async (stage) => {
      const subscriber = await stage.client('subscriber', { level: 5 })
      await subscriber.subscribe(stage.own('#'))
      const publisher = await stage.client('publisher', { level: 5 })
      await publisher.publish(stage.own('a'), '1', { properties: '23 0001' })
      await publisher.publish(stage.own('b'), '2', { properties: '23 000a' })
      await publisher.publish('', '3', { properties: '23 0001', qos: 1 })
      await publisher.publish(stage.own('c'), '4', { properties: '23 0001' })
      await publisher.publish('', '5', { properties: '23 0001', qos: 2 })
      await publisher.publish('', '6', { properties: '23 000a' })
      await subscriber.ping()
      const heard = subscriber.messages.map((seen) =>
        `${payloadText(seen)} ${seen.topic.slice(-1)} ${propertyText(seen)}`
      )
      same(heard, ['1 a ', '2 b ', '3 a ', '4 c ', '5 c ', '6 b '], 'heard')
      // An alias does not outlive its connection. [MQTT-3.3.2-7]
      const again = await stage.client('publisher', { level: 5 })
      again.send(bytes("30 [0000 (23 0001) 'x']"))
      await farewell(again, 0x82)
    },
  },
  {
    name: 'what follows DISCONNECT is not read',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(topic)
      const publisher = await stage.client('publisher')
      publisher.send(`30 ["${topic}" 'before'] e000 30 ["${topic}" 'after']`)
      await publisher.gone()
      await subscriber.hasOnly(['before'], 'delivered')
    },
  },
  {
    name: '20,000 PINGREQ in one write',
    play: async (stage) => {
      const peer = await stage.client('peer')
      peer.send(Buffer.alloc(40_000, bytes('c000')))
      for (let i = 0; i < 20_000; i++) await peer.answer('PINGRESP')
    },
  },
  {
    name: 'a reset of one client leaves the others served',
    play: async (stage) => {
      const topic = stage.own('t')
      const subscriber = await stage.client('subscriber')
      await subscriber.subscribe(topic, 1)
      const publisher = await stage.client('publisher')
      for (let i = 0; i < 10; i++) {
        const victim = await stage.client(`victim${i}`)
        await victim.subscribe(topic, 1)
        victim.acknowledges = false
        publisher.send(publishBytes({ level: 4, topic, payload: `${i}`, qos: 1, packetId: i + 1 }))
        victim.reset()
        await publisher.answer('PUBACK')
      }
      await subscriber.deliveries(10)
      await subscriber.hasOnly(
        Array.from({ length: 10 }, (_, index) => `${index}`),
        'heard by the one who stayed',
      )
    },
  },
]
