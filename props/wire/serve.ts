// One broker of the shell of this runtime for each room, in one process: prints a line of JSON with
// their ports and serves until it is killed.
//
//   node --import tsx props/wire/serve.ts
//   deno run -A props/wire/serve.ts

import { roomConfigs, verdictOn } from './rooms.ts'

const { start } = 'Deno' in globalThis
  ? await import('../../shells/deno/mod.ts')
  : await import('../../shells/node/mod.ts')

const ports: Record<string, number> = {}
for (const [room, config] of Object.entries(roomConfigs)) {
  // Its rows are played in memory: nobody here stores anything.
  if (config.persistence === true) continue
  const judge = (question: Parameters<typeof verdictOn>[0]) => Promise.resolve(verdictOn(question))
  const asked = config.authentication === 'judge' ? { judge } : {}
  const known = config.authenticationMethods === undefined
    ? {}
    : { scram: { credentials: () => Promise.resolve(null) } }
  const broker = await start({ ports: [0], hosts: ['127.0.0.1'], config, ...asked, ...known })
  ports[room] = broker.ports[0]!
}
console.log(JSON.stringify(ports))
