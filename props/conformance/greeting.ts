// Rows about CONNECT and CONNACK: the exact answer, client identifiers, the time one has.

import { Buffer } from 'node:buffer'
import { servedMs } from '../served.ts'
import { holds, same, sleep } from './expect.ts'
import { farewell } from './peer.ts'
import type { Row } from './row.ts'
import { bytes, connectBytes, property, propertyText, show } from './wire.ts'
import type { Level } from './wire.ts'

const levels: ReadonlyArray<Level> = [3, 4, 5]

const uuidInvented = /^auto-[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/

export const greetingRows: ReadonlyArray<Row> = [
  {
    name: 'CONNACK below MQTT 5 is 20 02 00 00',
    play: async (stage) => {
      for (const level of [3, 4] as const) {
        const peer = await stage.dial()
        const connack = await peer.connect({ level, id: stage.own(`level${level}`) })
        same(Buffer.from(connack.raw).toString('hex'), '20020000', `CONNACK at level ${level}`)
      }
    },
  },
  {
    name: 'CONNACK of MQTT 5 carries its properties in mosquitto 2.1 order',
    differs: '2.0 announces no Maximum Packet Size',
    play: async (stage) => {
      const peer = await stage.dial()
      const connack = await peer.connect({ level: 5, id: stage.own('named') })
      const expected = bytes('20 [00 00 (22 000a 27 001e8480 21 0014)]')
      same(Buffer.from(connack.raw).toString('hex'), expected.toString('hex'), 'CONNACK')
      const nameless = await stage.dial()
      const second = await nameless.connect({ level: 5, id: '' })
      const id = String(property(second, 'assignedClientIdentifier'))
      holds(uuidInvented.test(id), 'the invented client identifier', 'auto-UUID', id)
      same(
        propertyText(second),
        `topicAliasMaximum=10 assignedClientIdentifier=${id} maximumPacketSize=2000000 ` +
          'receiveMaximum=20',
        'properties of CONNACK for an empty client identifier',
      )
    },
  },
  {
    name: 'an empty client identifier',
    play: async (stage) => {
      const clean = await stage.dial()
      await clean.connect({ level: 4, id: '', clean: true })
      await clean.ping()
      const kept = await stage.dial()
      // Without a clean session there would be nothing to find the session by. [v3 MQTT-3.1.3-8]
      same(show(await kept.greet({ level: 4, id: '', clean: false })), 'CONNACK 02', 'kept, 3.1.1')
      await kept.gone(1_000)
      const old = await stage.dial()
      same(show(await old.greet({ level: 3, id: '' })), 'CONNACK 02', 'level 3')
      await old.gone(1_000)
      const lasting = await stage.dial()
      await lasting.connect({ level: 5, id: '', clean: false, properties: '11 00000e10' })
      await lasting.ping()
    },
  },
  {
    name: 'client identifiers that are names of object properties',
    play: async (stage) => {
      for (const id of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
        const topic = stage.own(`${id}/${id}`)
        const first = await stage.dial()
        await first.connect({ id, clean: false })
        await first.subscribe(topic, 1)
        await first.disconnect()
        const other = await stage.client(`other of ${id}`)
        same(await other.publish(topic, id, { qos: 1 }), 0, 'PUBACK')
        const again = await stage.dial()
        const connack = await again.connect({ id, clean: false })
        same(show(connack), 'CONNACK 00 present', `session of ${id}`)
        same((await again.deliveries(1)).map((seen) => seen.topic), [topic], `queued for ${id}`)
        again.socket.destroy()
        const last = await stage.dial()
        await last.connect({ id, clean: true })
        await last.disconnect()
      }
    },
  },
  {
    name: 'packets may follow CONNECT at once',
    play: async (stage) => {
      for (const level of levels) {
        const topic = stage.own(`level${level}`)
        const none = level === 5 ? '()' : ''
        const peer = await stage.dial()
        peer.level = level
        peer.send(Buffer.concat([
          connectBytes({ level, id: stage.own(`id${level}`) }),
          bytes(`82 [0001 ${none} "${topic}" 01]`),
          bytes(`32 [ "${topic}" 0002 ${none} 'now']`),
          bytes('c000'),
        ]))
        await peer.answer('CONNACK')
        await peer.answer('SUBACK')
        const order = [(await peer.answer('PUBACK')).kind, (await peer.answer('PINGRESP')).kind]
        same(order, ['PUBACK', 'PINGRESP'], 'answers')
        same((await peer.deliveries(1)).map(show), [`PUBLISH q1 id1 ${topic} now`], 'delivery')
      }
    },
  },
  {
    name: 'a stream may arrive one byte at a time',
    play: async (stage) => {
      const topic = stage.own('slow')
      const peer = await stage.dial()
      peer.level = 5
      const stream = Buffer.concat([
        connectBytes({ level: 5, id: stage.own('slow') }),
        bytes(`82 [0001 () "${topic}" 00] 30 [ "${topic}" (01 01) 'hi'] c000`),
      ])
      for (const byte of stream) {
        peer.send(Uint8Array.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await peer.answer('CONNACK')
      await peer.answer('SUBACK')
      await peer.answer('PINGRESP')
      await peer.hasOnly(['hi'], 'delivered')
    },
  },
  {
    name: 'a connection that never sends CONNECT is closed after 10 seconds',
    differs: '2.0 has no such limit',
    patienceMs: 25_000,
    play: async (stage) => {
      const silent = await stage.dial()
      const half = await stage.dial()
      const openedMs = Date.now()
      const openedServedMs = servedMs()
      half.send('10 7f 00 04')
      const drip = setInterval(() => half.send('4d'), 2_000)
      stage.afterwards(() => clearInterval(drip))
      for (const peer of [silent, half]) {
        await peer.gone(16_000)
        const afterMs = peer.closedAtMs - openedMs
        holds(
          afterMs > 9_500 && peer.closedServedMs - openedServedMs < 13_000,
          'closed after',
          '10 s (9.5 to 13)',
          `${afterMs} ms`,
        )
      }
    },
  },
  {
    name: 'keep alive of 1 s is cut after 1.5 s',
    differs: '2.0 looks at keep alive only every few seconds',
    play: async (stage) => {
      const cut = async (level: Level, index: number): Promise<number> => {
        // One after another: a moment in which the machine is busy must not make all of them late.
        await sleep(index * 250)
        // The clock of the broker starts somewhere between here and CONNACK.
        const sinceMs = Date.now()
        const sinceServedMs = servedMs()
        const peer = await stage.client(`silent${level}-${index}`, { level, keepAliveS: 1 })
        const connectedMs = servedMs()
        if (level === 5) await farewell(peer, 0x8d)
        else await peer.gone()
        const afterMs = peer.closedAtMs - sinceMs
        holds(
          afterMs >= 1_495 && peer.closedServedMs - sinceServedMs < 2_800,
          `level ${level} was closed after`,
          '1.5 s (to 2.8)',
          `${afterMs} ms`,
        )
        return peer.closedServedMs - connectedMs
      }
      const timesMs = await Promise.all([...levels, ...levels].map(cut))
      const soonest = Math.min(...timesMs)
      holds(soonest < 1_800, 'the first was closed', 'under 1.8 s after CONNACK', `${soonest} ms`)
    },
  },
  {
    name: 'keep alive is not fooled by a packet that drips in',
    differs: '2.0 looks at keep alive only every few seconds',
    play: async (stage) => {
      const sinceMs = Date.now()
      const sinceServedMs = servedMs()
      const peer = await stage.client('dripping', { keepAliveS: 1 })
      const stream = bytes(`30 [ "${stage.own('x')}" 'x'*100]`)
      let at = 0
      const drip = setInterval(() => peer.send(stream.subarray(at, ++at)), 200)
      stage.afterwards(() => clearInterval(drip))
      await peer.gone()
      const afterMs = peer.closedAtMs - sinceMs
      holds(
        afterMs >= 1_495 && peer.closedServedMs - sinceServedMs < 2_800,
        'closed after',
        '1.5 s (to 2.8)',
        `${afterMs} ms`,
      )
    },
  },
  {
    name: 'any packet keeps a connection alive, keep alive 0 needs none',
    play: async (stage) => {
      const pinging = await stage.client('pinging', { keepAliveS: 2 })
      const publishing = await stage.client('publishing', { keepAliveS: 2, level: 5 })
      const free = await stage.client('free', { keepAliveS: 0 })
      for (let i = 0; i < 8; i++) {
        await sleep(500)
        pinging.send('c000')
        publishing.send(`30 [ "${stage.own('x')}" () 'x']`)
      }
      await pinging.answer('PINGRESP')
      await publishing.ping()
      await free.ping()
    },
  },
  {
    name: 'take-over of a client identifier',
    differs: '2.0 sends no DISCONNECT 0x8E',
    play: async (stage) => {
      for (const level of levels) {
        const first = await stage.client(`id${level}`, { level })
        const second = await stage.client(`id${level}`, { level })
        if (level === 5) await farewell(first, 0x8e)
        else await first.gone()
        await second.ping()
        // Across levels: what the first one is told is said in its own level.
        const third = await stage.client(`id${level}`, { level: level === 5 ? 4 : 5 })
        if (level === 5) await farewell(second, 0x8e)
        else await second.gone()
        await third.ping()
      }
    },
  },
  {
    name: 'a burst of take-overs leaves one client',
    play: async (stage) => {
      const peers = await Promise.all(Array.from({ length: 40 }, () => stage.dial()))
      for (const peer of peers) {
        peer.level = 4
        peer.send(Buffer.concat([
          connectBytes({ id: stage.own('wanted'), clean: false }),
          bytes(`82 [0001 "${stage.own('t')}" 01]`),
        ]))
      }
      const other = await stage.client('other')
      for (let attempt = 0; attempt < 50; attempt++) {
        await sleep(50)
        if (peers.filter((peer) => !peer.isClosed).length === 1) break
      }
      const left = peers.filter((peer) => !peer.isClosed)
      same(left.length, 1, 'connections left open')
      await other.publish(stage.own('t'), 'one', { qos: 1 })
      const winner = left[0]
      await winner?.deliveries(1)
      same(winner?.payloads(), ['one'], 'delivered to the winner')
    },
  },
]
