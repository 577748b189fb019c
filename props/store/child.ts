// A process that uses a store, for tests that watch, starve or kill it: `child.ts WHAT FOLDER`.
// Each line that it prints is a fact: what is said to be durable is.

import type { Write } from '../../core/broker/record.ts'
import { none } from '../../core/codec/properties.ts'
import * as Bytes from '../../core/data/bytes.ts'
import { E } from '../../core/prelude.ts'
import { openSqlite } from '../../shells/store/sqlite.ts'
import { name } from '../gen/topics.ts'

const [what = '', folder = '', user = ''] = process.argv.slice(2)

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const put = (id: number, size: number): Write => ({
  _tag: 'Put',
  isNew: true,
  record: {
    kind: 'message',
    id,
    topic: name(`t/${id % 10}`),
    qos: 1,
    retain: false,
    payload: Bytes.of(new Uint8Array(size).fill(id)),
    properties: none,
    expiresAt: null,
    source: null,
  },
})

if (user !== '') process.seteuid!(Number(user))
const opened = await openSqlite({ folder })
if (E.isLeft(opened)) {
  say(`refused ${opened.left}`)
  process.exit(0)
}
const store = opened.right
const loaded = await store.load(() => {})
if (E.isLeft(loaded)) {
  say(`refused ${loaded.left}`)
  process.exit(0)
}
say(`open ${loaded.right.recordCount}`)
let id = loaded.right.recordCount
let tries = 0

/** One batch, and what came of it. */
const commit = async (count: number, size: number): Promise<string> => {
  const batch = Array.from({ length: count }, (_, i) => put(id + i + 1, size))
  const { _tag } = await store.commit({ at: id, wall: Date.now() }, batch)
  if (_tag === 'Durable' || _tag === 'Tight') id += count
  return _tag
}

if (what === 'hold') setInterval(() => {}, 1000)
// Puts for ever, in batches of three.
let isOver = false
if (what === 'loop') process.stdin.on('end', () => isOver = true).resume()
while (what === 'loop' && !isOver) {
  const tag = await commit(3, 50)
  say(`${tag} ${id}`)
  if (tag !== 'Durable' && tries++ > 3) break
}
// Fills the disk, makes room when told to, and goes on.
if (what === 'fill') {
  let tag = 'Durable'
  while (tag !== 'Full') tag = await commit(20, 2000)
  say(`${tag} ${id}`)
  process.stdin.once('data', async () => {
    say(`${await commit(1, 10)} ${id}`)
    await store.close()
    process.exit(0)
  })
}
if (what === 'once') {
  say(`${await commit(3, 50)} ${id}`)
  await store.close()
}
if (what === 'loop') process.exit(0)
