// A broker that may queue without end and has little memory, in a process of its own, on whatever
// runtime it was started:
//
//   node --import tsx props/conformance/narrow.ts BYTES
//
// It listens on a free port of the loopback and says which.

import process from 'node:process'

const { start } = 'Deno' in globalThis
  ? await import('../../shells/deno/mod.ts')
  : await import('../../shells/node/mod.ts')

const broker = await start({
  ports: [0],
  hosts: ['127.0.0.1'],
  verbosity: 'normal',
  memoryLimitBytes: Number(process.argv[2]),
  config: { queuedCountMax: 0, queuedBytesMax: 0 },
})
console.log(`port ${broker.ports[0]}`)
