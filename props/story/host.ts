// Many brokers in one process, for the stories that are played on sockets: each story has one to
// itself, with the configuration that it asks for, and starting one costs a millisecond. Run as a
// program on Node or Deno, it uses that runtime's shell and is driven by lines of JSON.
//
//   in    { "id": 1, "do": "start", "config": { ... } }    { "id": 1, "do": "stop" }
//   out   { "id": 1, "port": 40000 }                       { "id": 1, "log": "New connection ..." }

import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Running } from '../../shells/common/start.ts'
import type { Config } from '../../core/broker/config.ts'

interface Order {
  readonly id: number
  readonly do: 'start' | 'stop'
  readonly config?: Partial<Config>
}

const { start } = 'Deno' in globalThis
  ? await import('../../shells/deno/mod.ts')
  : await import('../../shells/node/mod.ts')

const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const brokers = new Map<number, Running>()

const obey = async (order: Order): Promise<void> => {
  const { id } = order
  if (order.do === 'stop') {
    await brokers.get(id)?.stop()
    brokers.delete(id)
    return
  }
  const { config = {} } = order
  const known = config.authenticationMethods === undefined
    ? {}
    : { scram: { credentials: () => Promise.resolve(null) } }
  const broker = await start({
    ports: [0],
    hosts: ['127.0.0.1'],
    config,
    ...known,
    verbosity: 'normal',
    print: (text) => say({ id, log: text }),
  })
  brokers.set(id, broker)
  say({ id, port: broker.ports[0] })
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order: Order = JSON.parse(line)
  obey(order).catch((error: unknown) => say({ id: order.id, failed: String(error) }))
}).on('close', () => process.exit(0))
