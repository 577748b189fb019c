// runs: node
//
// A broker that is killed while it works has lost nothing that it acknowledged: real processes on
// both runtimes, real sockets, a real file, three kills each. `npm run kill` is fifty.

import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runtimes } from './kill/broker.ts'
import { killAll } from './kill/rounds.ts'
import { root } from './runtimes.ts'

const kill = suite('kill')

for (const kind of runtimes) {
  kill(`nothing that was acknowledged is missing after a kill on ${kind}`, async () => {
    const said: string[] = []
    const { acknowledged, inFlush } = await killAll(kind, 3, (line) => said.push(line))
    console.log(`\n${said.join('\n')}`)
    assert.ok(acknowledged > 0, 'something was acknowledged')
    if (process.platform === 'linux') assert.ok(inFlush >= 1, 'one of them was in a flush')
  })
}

kill('a large store is read while memory is collected', () => {
  const args = ['--import', 'tsx', 'props/kill/collected.ts']
  const child = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 60_000 })
  assert.is(child.signal, null, child.stderr)
  assert.match(child.stdout, /all of it was read/, child.stderr)
})

kill.run()
