// runs: node
//
// A connection of Node's, by its handle and by its socket: many at a time are each told their own
// bytes in order, with pauses and to the end, what is lent stays as it is, and what is written
// arrives whole however slowly it is read. And how one of Deno's ends, with a socket made up.

import { once } from 'node:events'
import { connect, createServer, Server } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Gone, Peer } from '../core/broker/input.ts'
import { createReader, defaultLimits } from '../core/codec/mod.ts'
import type { Ear } from '../shells/common/driver.ts'
import { Link } from '../shells/common/link.ts'
import type { Wire } from '../shells/common/outbox.ts'
import { couple as coupleOnDeno } from '../shells/deno/wire.ts'
import { peerOf, takeHandles } from '../shells/node/node-handles.ts'
import { coupleSocket } from '../shells/node/node-socket.ts'
import { couple } from '../shells/node/wire.ts'
import { until } from './conformance/expect.ts'

const connections = suite('connections')

const hello = { nonce: '', listener: 'test', peer: { address: '', port: 0 } }

/** Bytes that differ from connection to connection and from place to place. */
const textOf = (who: number, bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 7 + who * 31 + (i >> 8)) & 0xff))

interface Lent {
  readonly buffer: Uint8Array
  readonly start: number
  readonly copy: Buffer
}

/** What a connection has been through. */
class Record {
  readonly link: Link
  readonly peer: Peer
  readonly chunks: Array<Buffer> = []
  readonly gone: Array<Gone> = []
  lent: Array<Lent> = []
  pauses = 0
  takenBytes = 0
  refusals = 0

  constructor(link: Link, peer: Peer) {
    this.link = link
    this.peer = peer
  }

  /** Writes all of it, and calls `after`. */
  write(bytes: Buffer, after: () => void): void {
    this.takenBytes += bytes.length
    if (this.link.wire.write(bytes)) return after()
    this.refusals += 1
    this.takenBytes -= bytes.length
    this.after = after
  }

  after = (): void => {}
}

/** In place of the driver: keeps what it hears, pauses now and then, answers when told the end. */
class Listener implements Ear {
  readonly records: Array<Record> = []
  readonly answer: Buffer
  changedLoans = 0
  loans = 0
  relieved = 0
  readonly buffers = new Set<Uint8Array>()

  constructor(answer: Buffer) {
    this.answer = answer
  }

  opened(wire: Wire, _listener: string, peer: Peer): Link {
    const conn = { slot: this.records.length, generation: 1 }
    const link = new Link(wire, conn, createReader(defaultLimits), hello)
    this.records.push(new Record(link, peer))
    return link
  }

  private recordOf(link: Link): Record {
    return this.records[link.conn.slot]!
  }

  absorbed(link: Link, buffer: Uint8Array, start: number, end: number): boolean {
    // Every seventh read is taken at once, in place of being borrowed.
    const record = this.recordOf(link)
    if (record.chunks.length % 7 !== 6) return false
    record.chunks.push(Buffer.from(buffer.subarray(start, end)))
    return true
  }

  received(link: Link, buffer: Uint8Array, start: number, end: number): boolean {
    const record = this.recordOf(link)
    const copy = Buffer.from(buffer.subarray(start, end))
    record.chunks.push(copy)
    this.buffers.add(buffer)
    if (record.lent.length === 0) {
      setImmediate(() => {
        if (record.lent.length > 0) this.giveBack(record)
      })
    }
    record.lent.push({ buffer, start, copy })
    this.loans += 1
    if (record.chunks.length % 3 === 0) {
      record.pauses += 1
      link.wire.pause()
      setTimeout(() => link.wire.resume(), 2)
    }
    return true
  }

  relieve(): void {
    // As the driver: what was lent is given back while the wire is still at its read.
    this.relieved += 1
    if (this.relieved % 5 > 0) return
    for (const record of this.records) if (record.lent.length > 0) this.giveBack(record)
  }

  private giveBack(record: Record): void {
    for (const { buffer, start, copy } of record.lent) {
      if (!copy.equals(buffer.subarray(start, start + copy.length))) this.changedLoans += 1
    }
    record.lent = []
    record.link.wire.released()
  }

  taken(link: Link, count: number): void {
    const record = this.recordOf(link)
    record.takenBytes += count
    record.after()
  }

  closed(link: Link, why: Gone): void {
    const record = this.recordOf(link)
    record.gone.push(why)
    const { wire } = link
    if (why === 'failed') return wire.destroy()
    const half = this.answer.length / 2
    record.write(
      this.answer.subarray(0, half),
      () => record.write(this.answer.subarray(half), () => wire.end()),
    )
  }
}

type How = 'handles' | 'sockets'

const serve = async (how: How, listener: Listener): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const { remoteAddress: address = '', remotePort: port = 0 } = socket
    coupleSocket(listener, socket, 'test', { address, port })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  if (how === 'handles') {
    assert.ok(takeHandles(server, (handle) => couple(listener, handle, 'test', peerOf(handle))))
  }
  return server
}

const dial = async (server: Server): Promise<Socket> => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

for (const how of ['handles', 'sockets'] as const) {
  connections(`each of many is told its own bytes, and answered whole, by ${how}`, async () => {
    const answer = textOf(99, 6_000_000)
    const listener = new Listener(answer)
    const server = await serve(how, listener)
    const clients = await Promise.all(Array.from({ length: 20 }, async (_, who) => {
      const socket = await dial(server)
      return { socket, port: socket.localPort, bytes: textOf(who, 1 + who * 40_000) }
    }))
    await Promise.all(clients.map(async ({ socket, bytes }) => {
      for (let at = 0; at < bytes.length; at += 30_011) {
        socket.write(bytes.subarray(at, at + 30_011))
        if (at % 5 === 0) await new Promise((wake) => setImmediate(wake))
      }
      socket.end()
      await new Promise((wake) => setTimeout(wake, 50))
      const heard: Array<Buffer> = []
      socket.on('data', (chunk) => heard.push(chunk))
      await once(socket, 'end')
      assert.ok(Buffer.concat(heard).equals(answer))
    }))
    for (const { port, bytes } of clients) {
      const record = listener.records.find(({ peer }) => peer.port === port)!
      assert.is(record.peer.address, '127.0.0.1')
      assert.ok(Buffer.concat(record.chunks).equals(bytes), `${bytes.length} bytes`)
      assert.is(record.gone[0], 'closed')
      assert.is(record.takenBytes, answer.length)
    }
    assert.is(listener.changedLoans, 0)
    assert.is(listener.relieved, listener.loans, 'an early turn is offered for each')
    if (how === 'handles') {
      assert.ok(listener.buffers.size < 15, 'what was given back is used again')
    }
    assert.ok(listener.records.some(({ pauses }) => pauses > 3), 'pauses were made')
    assert.ok(listener.records.some(({ refusals }) => refusals > 0), 'the kernel was full')
    for (const { link } of listener.records) link.wire.destroy()
    server.close()
  })

  connections(
    `a reset is a failure, also while something waits to be written, by ${how}`,
    async () => {
      const listener = new Listener(Buffer.alloc(0))
      const server = await serve(how, listener)
      const silent = await dial(server)
      const deaf = await dial(server)
      await until(5_000, 'two connections', () => listener.records.length === 2)
      const [first, second] = listener.records as [Record, Record]
      deaf.pause()
      second.write(Buffer.alloc(20_000_000), () => assert.unreachable('it can not have been taken'))
      assert.is(second.refusals, 1)
      silent.resetAndDestroy()
      deaf.resetAndDestroy()
      await until(5_000, 'both ends', () => first.gone.length > 0 && second.gone.length > 0)
      assert.is(first.gone[0], 'failed')
      assert.is(second.gone[0], 'failed')
      // What is written to a connection that has ended fails too, and not within its own call.
      const before = first.gone.length
      first.link.wire.write(Buffer.from('more'))
      assert.is(first.gone.length, before)
      server.close()
    },
  )
}

connections('every Node that we know gives its handles', async () => {
  const major = Number(process.versions.node.split('.')[0])
  if (![20, 22, 24, 26].includes(major)) return
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  assert.ok(takeHandles(server, (handle) => handle.close()))
  const peer = await dial(server)
  await once(peer.resume(), 'close')
  server.close()
})

connections('a server that is not as known is left as it is', async () => {
  assert.not(takeHandles(new Server(), () => {}), 'it does not listen')
  assert.not(takeHandles(Object.assign(new Server(), { _handle: { onconnection: 1 } }), () => {}))
  // A handle that lacks something, and a connection that failed, are for the server as before.
  const told: Array<unknown> = []
  const _handle = { onconnection: (...all: Array<unknown>) => told.push(all) }
  const server = Object.assign(new Server(), { _handle })
  assert.ok(takeHandles(server, () => assert.unreachable('it is no handle')))
  const odd = { readStart: () => 0 }
  _handle.onconnection(0, odd)
  _handle.onconnection(-24, undefined)
  assert.equal(told, [[0, odd], [-24, undefined]])
})

for (const paused of [false, true]) {
  const then = paused ? 'paused' : 'reading'
  connections(`on Deno a write may fail before the last words are heard, ${then}`, async () => {
    const said = [Buffer.from('bye')]
    const conn = {
      write: () => Promise.reject(new Error('broken pipe')),
      read: async (into: Uint8Array) => {
        await new Promise((wake) => setTimeout(wake, 5))
        const next = said.shift()
        if (next === undefined) return null
        into.set(next)
        return next.length
      },
      close: () => {},
    }
    const listener = new Listener(Buffer.alloc(0))
    type Conn = Parameters<typeof coupleOnDeno>[1]
    coupleOnDeno(listener, conn as unknown as Conn, 'test', hello.peer)
    const [record] = listener.records as [Record]
    if (paused) record.link.wire.pause()
    record.link.wire.write(Buffer.from('too late'))
    await until(5_000, 'its end', () => record.gone.length > 0)
    assert.equal(record.chunks.map(String), ['bye'])
    assert.equal(record.gone, ['failed'])
  })
}

connections.run()
