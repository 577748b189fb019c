// Sabethes with a store and without a limit on what may wait, which no option of the command line
// says: `durable-broker.ts PORT FOLDER`, on Node (from dist) and on Deno (from the sources).

import process from 'node:process'
import type { Running } from '../../shells/common/start.ts'
import type { StartOptions } from '../../shells/common/start-options.ts'

interface Shell {
  start(options: StartOptions): Promise<Running>
}

const shellHere = (): Promise<Shell> => {
  if ('Deno' in globalThis) return import('../../shells/deno/mod.ts')
  // What is measured is what is shipped.
  const built = new URL('../../dist/shells/node/mod.js', import.meta.url).href
  return import(built)
}

const [port, folder] = process.argv.slice(2)
const { start } = await shellHere()
await start({
  ports: [Number(port)],
  config: { queuedCountMax: 0, queuedBytesMax: 0 },
  persistence: { folder: folder ?? '.' },
})
