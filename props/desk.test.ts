// runs: node
//
// Where sockets read to on Node: many that read into one buffer, each told its own bytes in order,
// with pauses and to the end; and what was copied from it stays as it is as long as it is lent.

import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Desk } from '../shells/common/desk.ts'
import { readBuffer, readInto } from '../shells/node/node-reading.ts'
import { runs } from './gen/settings.ts'

const desks = suite('desk')

desks('every Node that we know reads into one buffer', async () => {
  const major = Number(process.versions.node.split('.')[0])
  if (![20, 22, 24].includes(major)) return
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const peer = connect(port, '127.0.0.1')
  const [socket]: [Socket] = await once(server, 'connection') as [Socket]
  assert.ok(readInto(socket, () => true))
  peer.destroy()
  socket.destroy()
  server.close()
})

desks('a socket that is none of a server is left as it is', () => {
  // Not connected: there is nothing yet to read with.
  const socket = new Socket()
  assert.not(readInto(socket, () => true))
  const odd = Object.assign(new Socket(), { _handle: { readStart: () => 0 } })
  assert.not(readInto(odd, () => true))
})

/** Bytes that differ from socket to socket and from place to place. */
const textOf = (who: number, bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 7 + who * 31 + (i >> 8)) & 0xff))

desks('each of many sockets is told its own bytes, and then its end', async () => {
  const heard = new Map<string, { readonly chunks: Array<Buffer>; over: boolean; pauses: number }>()
  function onRead(this: Socket & { name?: string }, count: number): boolean {
    const mine = heard.get(this.name!)!
    mine.chunks.push(Buffer.from(readBuffer.subarray(0, count)))
    if (mine.chunks.length % 3 === 0) {
      mine.pauses += 1
      this.pause()
      setTimeout(() => this.resume(), 2)
    }
    return true
  }
  const server = createServer({ allowHalfOpen: true }, (socket: Socket & { name?: string }) => {
    socket.name = String(socket.remotePort)
    heard.set(socket.name, { chunks: [], over: false, pauses: 0 })
    socket.on('end', () => {
      heard.get(socket.name!)!.over = true
      socket.end('bye')
    })
    if (readInto(socket, onRead)) socket.resume()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const clients = await Promise.all(Array.from({ length: 20 }, async (_, who) => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return { socket, name: String(socket.localPort), bytes: textOf(who, 1 + who * 40_000) }
  }))
  await Promise.all(clients.map(async ({ socket, bytes }) => {
    for (let at = 0; at < bytes.length; at += 30_011) {
      socket.write(bytes.subarray(at, at + 30_011))
      if (at % 5 === 0) await new Promise((wake) => setImmediate(wake))
    }
    let said = ''
    socket.on('data', (more) => said += String(more))
    socket.end()
    await once(socket, 'end')
    assert.is(said, 'bye', 'its end was heard, and it could be answered')
  }))
  for (const { name, bytes } of clients) {
    const { chunks, over } = heard.get(name)!
    assert.ok(Buffer.concat(chunks).equals(bytes), `${bytes.length} bytes`)
    assert.ok(over)
  }
  assert.ok([...heard.values()].some(({ pauses }) => pauses > 3), 'pauses were made')
  server.close()
})

desks('what is lent stays as it is until nothing is lent any more', () => {
  const reads = fc.array(
    fc.record({ who: fc.nat({ max: 5 }), bytes: fc.oneof(fc.nat(100), fc.nat(65_536)) }),
    { maxLength: 40 },
  )
  let reused = 0
  fc.assert(
    fc.property(fc.array(reads, { maxLength: 6 }), (turns) => {
      const desk = new Desk((bytes) => new Uint8Array(bytes))
      const sheets = new Set<Uint8Array>()
      for (const turn of turns) {
        const borrowers = new Set<number>()
        const lent = turn.map(({ who, bytes }, i) => {
          const text = textOf(i, bytes)
          text.copy(readBuffer)
          const start = desk.copy(readBuffer, bytes)
          readBuffer.fill(0xee)
          if (sheets.has(desk.sheet)) reused += 1
          sheets.add(desk.sheet)
          if (!borrowers.has(who)) desk.lend()
          borrowers.add(who)
          return { text, sheet: desk.sheet, start }
        })
        for (const { text, sheet, start } of lent) {
          assert.ok(text.equals(sheet.subarray(start, start + text.length)))
        }
        for (const _ of borrowers) desk.takeBack()
      }
    }),
    { numRuns: runs(60) },
  )
  assert.ok(reused > 0)
})

desks.run()
