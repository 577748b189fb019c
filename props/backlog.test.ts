// runs: node The law of lent memory at a real socket: what a slow reader is owed stays as it is
// until the kernel has taken it, however many writes are under way and whatever is encoded
// meanwhile.

import { connect as dial, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Bytes, createReader, defaultLimits, encode, Packet } from '../core/mod.ts'
import { start } from '../shells/node/mod.ts'

const backlog = suite('backlog')

const messages = 18
const payloadBytes = 1_000_000

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = dial(port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })

const until = async (what: string, done: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !done(); i++) await new Promise((wake) => setTimeout(wake, 25))
  assert.ok(done(), `waited 10 s in vain for ${what}`)
}

backlog('a reader that falls behind gets every byte as it was sent', async () => {
  const broker = await start({ ports: [0], hosts: ['127.0.0.1'], verbosity: 'quiet' })
  const subscriber = await open(broker.ports[0]!)
  const publisher = await open(broker.ports[0]!)
  const seen: string[] = []
  const reader = createReader(defaultLimits, 4)
  subscriber.on('data', (chunk) => {
    reader.push(chunk, 0, chunk.length)
    for (let result = reader.next(); result !== null; result = reader.next()) {
      if (result._tag === 'Left') throw new Error(result.left.detail)
      const packet = result.right
      if (packet._tag !== 'Publish') continue
      const payload = Bytes.view(packet.payload)
      const fill = payload[0]!
      assert.ok(payload.every((byte) => byte === fill), `message ${fill} was written over`)
      seen.push(`${payload.length} x ${fill}`)
      const { packetId, properties } = packet
      subscriber.write(encode(4, { _tag: 'Puback', packetId, reason: 0, properties }))
    }
    reader.release()
  })
  subscriber.write(encode(4, Packet.connect({ clientId: 'slow', level: 4 })))
  subscriber.write(encode(4, Packet.subscribe({ filter: 'big', qos: 1 })))
  await until('the subscription', () => reader.consumed >= 9)

  subscriber.pause()
  let acknowledged = 0
  const acks = createReader(defaultLimits, 4)
  publisher.on('data', (chunk) => {
    acks.push(chunk, 0, chunk.length)
    for (let result = acks.next(); result !== null; result = acks.next()) {
      if (result._tag === 'Right' && result.right._tag === 'Puback') acknowledged++
    }
    acks.release()
  })
  publisher.write(encode(4, Packet.connect({ clientId: 'fast', level: 4 })))
  for (let i = 1; i <= messages; i++) {
    const payload = new Uint8Array(payloadBytes).fill(i)
    publisher.write(encode(4, Packet.publish({ topic: 'big', payload, qos: 1, packetId: i })))
  }
  await until('the acknowledgements', () => acknowledged === messages)
  subscriber.resume()
  await until('the messages', () => seen.length === messages)
  assert.equal(seen, Array.from({ length: messages }, (_, i) => `${payloadBytes} x ${i + 1}`))
  subscriber.destroy()
  publisher.destroy()
  await broker.stop()
})

backlog.run()
