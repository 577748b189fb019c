// A publisher without manners, in a process of its own so that it does not slow the clock of the
// row:
//
//   node --import tsx props/conformance/flood.ts PORT TOPIC MILLISECONDS
//
// It writes QoS 0 messages of 64 bytes as fast as the socket takes them and then says how many.

import { Buffer } from 'node:buffer'
import * as net from 'node:net'
import process from 'node:process'
import { connectBytes, publishBytes } from './wire.ts'

const [port, topic = '', durationMs] = process.argv.slice(2)
const socket = net.connect({ port: Number(port), host: '127.0.0.1' })
const one = publishBytes({ level: 4, topic, payload: 'x'.repeat(64) })
const perChunk = Math.floor(65_536 / one.length)
const chunk = Buffer.alloc(one.length * perChunk, one)
const endMs = Date.now() + Number(durationMs)
let chunks = 0

const flood = (): void => {
  while (Date.now() < endMs) {
    chunks++
    if (!socket.write(chunk)) {
      socket.once('drain', flood)
      return
    }
  }
  console.log(chunks * perChunk)
  process.exit(0)
}

socket.on('error', (error) => console.error(String(error)))
socket.on('close', () => {
  console.error('the broker closed the connection')
  process.exit(1)
})
socket.on('data', () => {})
socket.once('connect', () => {
  socket.write(connectBytes({ id: `${topic}-flood` }))
  flood()
})
