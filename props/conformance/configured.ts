// A broker with a configuration for which there is no option yet: `configured.ts PORT JSON`.

import process from 'node:process'

const [port, config = '{}'] = process.argv.slice(2)
const { start } = 'Deno' in globalThis
  ? await import('../../shells/deno/mod.ts')
  : await import('../../shells/node/mod.ts')
await start({ ports: [Number(port)], hosts: ['127.0.0.1'], config: JSON.parse(config) })
