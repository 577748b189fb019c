// Aedes with its defaults on a port of loopback: node --import tsx props/bench/aedes.ts PORT

import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
const server = createServer((socket) => broker.handle(socket))
server.listen(Number(process.argv[2]), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
