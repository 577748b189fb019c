// How fast a store is, and how long it keeps the broker waiting: `node --import tsx
// props/store/bench.ts [FOLDER]`, or `deno run -A`. Two rows per message, as one with a durable
// subscriber costs: put and left there (offline), or put and deleted a batch later (online). While
// one batch is being flushed the next one gathers, as in the broker. Prints the flush time of the
// file system first, since everything depends on it.
//
//   MESSAGES=1000000 ...   how many are loaded (200,000)
//   BATCH=2000 ...         messages that gather at most while a batch is flushed (1,000)

import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OutgoingRecord, Write } from '../../core/broker/record.ts'
import { none } from '../../core/codec/properties.ts'
import * as Bytes from '../../core/data/bytes.ts'
import { merge } from '../../shells/common/store.ts'
import { openSqlite } from '../../shells/store/sqlite.ts'
import { name } from '../gen/topics.ts'
import { right } from './scratch.ts'

const messages = Number(process.env['MESSAGES'] ?? 200_000)
const batchMax = Number(process.env['BATCH'] ?? 1_000)
const clients = 50
const runS = 3

const parent = process.argv[2] ?? tmpdir()
const folder = mkdtempSync(join(parent, 'sabethes-bench-'))

const flushTime = (): string => {
  const file = join(folder, 'flush')
  const handle = openSync(file, 'w')
  const times: Array<number> = []
  for (let i = 0; i < 200; i++) {
    writeSync(handle, new Uint8Array(4096))
    const start = performance.now()
    fdatasyncSync(handle)
    times.push(performance.now() - start)
  }
  closeSync(handle)
  times.sort((one, other) => one - other)
  return `p50 ${times[100]!.toFixed(2)} ms, p99 ${times[198]!.toFixed(2)} ms`
}

/** The longest time in which the event loop of this thread did nothing else. */
const watchGaps = (): { longest: () => number } => {
  let before = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - before)
    before = now
  }, 1)
  return {
    longest: () => {
      clearInterval(timer)
      return longest
    },
  }
}

const buffer = new Uint8Array(100).fill(120)
const topics = Array.from({ length: clients }, (_, i) => name(`sensors/${i}/temperature`))
const clientIds = topics.map((_, i) => `subscriber-${i}`)

/** Message `id` for the client whose turn it is. */
const puts = (id: number): ReadonlyArray<Write> => {
  const client = id % clients
  const outgoing: OutgoingRecord = {
    kind: 'outgoing',
    clientId: clientIds[client]!,
    order: Math.ceil(id / clients) + 1,
    packetId: 0,
    stage: 'queued',
    message: id,
    qos: 1,
    retain: false,
    identifiers: [],
    share: null,
  }
  return [
    {
      _tag: 'Put',
      isNew: true,
      record: {
        kind: 'message',
        id,
        topic: topics[client]!,
        qos: 1,
        retain: false,
        payload: Bytes.of(buffer),
        properties: none,
        expiresAt: null,
        source: null,
      },
    },
    { _tag: 'Put', isNew: true, record: outgoing },
  ]
}

const deletes = (id: number): ReadonlyArray<Write> => [
  { _tag: 'Delete', key: { kind: 'message', id } },
  {
    _tag: 'Delete',
    key: {
      kind: 'outgoing',
      clientId: clientIds[id % clients]!,
      order: Math.ceil(id / clients) + 1,
    },
  },
]

let lastId = 0

/** As many batches as the disk takes; those of `online` take their messages away again later. */
const commitFor = async (seconds: number, online: boolean, most: number): Promise<void> => {
  const store = right(await openSqlite({ folder }))
  right(await store.load(() => {}))
  const gaps = watchGaps()
  const waits: Array<number> = []
  let rows = 0
  let count = 0
  let before: ReadonlyArray<number> = []
  const start = performance.now()
  let packing = 0
  while (performance.now() - start < seconds * 1000 && count < most) {
    const ids = Array.from({ length: batchMax }, () => ++lastId)
    const begun = performance.now()
    const writes = merge([ids.flatMap(puts), online ? before.flatMap(deletes) : []])
    const committing = store.commit({ at: count, wall: Date.now() }, writes)
    packing += performance.now() - begun
    const committed = await committing
    if (committed._tag !== 'Durable') throw new Error(committed.why)
    waits.push(performance.now() - begun)
    rows += writes.length
    count += ids.length
    before = ids
  }
  const ran = (performance.now() - start) / 1000
  if (online) {
    await store.commit({ at: count, wall: Date.now() }, before.flatMap(deletes))
  }
  waits.sort((one, other) => one - other)
  const at = (part: number): string => waits[Math.floor(waits.length * part)]!.toFixed(1)
  console.log(
    `${online ? 'online ' : 'offline'} ${Math.round(count / ran)} messages/s, ` +
      `${Math.round(rows / ran)} rows/s, batch ${batchMax}: p50 ${at(0.5)} p99 ${at(0.99)} ` +
      `max ${waits.at(-1)!.toFixed(1)} ms, main thread ${(100 * packing / ran / 1000).toFixed(0)}` +
      ` % busy, longest gap ${gaps.longest().toFixed(1)} ms`,
  )
  await store.close()
}

const loadAll = async (): Promise<void> => {
  const before = process.memoryUsage().rss
  const start = performance.now()
  const store = right(await openSqlite({ folder }))
  const opened = performance.now()
  const gaps = watchGaps()
  const kept: Array<unknown> = []
  const loaded = right(
    await store.load((records) => {
      for (const record of records) kept.push(record)
    }),
  )
  const end = performance.now()
  const size = statSync(join(folder, 'sabethes.sqlite3')).size
  console.log(
    `load    ${loaded.recordCount} records (${size >> 20} MiB file) in ` +
      `${((end - start) / 1000).toFixed(2)} s, of which opening ${
        ((opened - start) / 1000).toFixed(2)
      } s; longest gap ${gaps.longest().toFixed(0)} ms; resident ` +
      `${((process.memoryUsage().rss - before) / (loaded.recordCount / 2)).toFixed(0)} bytes ` +
      'per message, records kept',
  )
  await store.close()
}

try {
  console.log(`flush   ${flushTime()} in ${parent}`)
  await commitFor(runS, false, Infinity)
  await commitFor(runS, true, Infinity)
  // The rest of what is to be loaded.
  if (lastId < messages) await commitFor(600, false, messages)
  await loadAll()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
