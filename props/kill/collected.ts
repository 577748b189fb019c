// Reads a large store while memory is collected between portions, in a process of its own: a
// library that frees what is still being read takes the process with it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Record, Write } from '../../core/broker/record.ts'
import { Database } from '../../shells/store/database.ts'
import { sleep } from '../conformance/expect.ts'
import { bytesOf, topicOf } from '../crash/client.ts'
import { sqlite, storeOf } from '../store/direct.ts'
import { right } from '../store/scratch.ts'
import { none } from '../../core/mod.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const message = (id: number): Record => ({
  kind: 'message',
  id,
  topic: topicOf('t'),
  qos: 1,
  retain: false,
  payload: bytesOf('x'.repeat(100)),
  properties: none,
  expiresAt: null,
  source: null,
})

const folder = mkdtempSync(join(tmpdir(), 'sabethes-collected-'))
const writes = Array.from(
  { length: 20_000 },
  (_, i): Write => ({ _tag: 'Put', record: message(i + 1), isNew: true }),
)
const first = storeOf(right(Database.open(sqlite, { folder })), folder)
await first.load(() => {})
await first.commit({ at: 1, wall: 1 }, writes)
await first.close()

for (let i = 0; i < 5; i++) {
  const database = right(Database.open(sqlite, { folder }))
  const loading = database.load()
  while (!loading.next().done) {
    collect()
    await sleep(2)
  }
  await storeOf(database, folder).close()
}
rmSync(folder, { recursive: true, force: true })
console.log('all of it was read')
