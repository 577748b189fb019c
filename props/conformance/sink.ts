// A subscriber that reads as fast as it can and looks at nothing, in a process of its own:
//
//   node --import tsx props/conformance/sink.ts PORT FILTER

import { Buffer } from 'node:buffer'
import * as net from 'node:net'
import process from 'node:process'
import { connectBytes, subscribeBytes } from './wire.ts'

const [port, filter = ''] = process.argv.slice(2)
const socket = net.connect({ port: Number(port), host: '127.0.0.1' })
socket.on('error', () => process.exit(1))
socket.on('close', () => process.exit(0))
socket.on('data', () => {})
socket.once('connect', () => {
  socket.write(Buffer.concat([
    connectBytes({ id: `${filter}-sink`, keepAliveS: 0 }),
    subscribeBytes(4, 1, [{ filter, qos: 0 }]),
  ]))
})
