// What can happen to a store: other processes, foreign folders, newer and older programs, flipped
// bits, full disks, failing disks, kill -9. Nothing acknowledged is lost, nothing is served that
// differs from what was stored, and every refusal is a sentence with a remedy.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Write } from '../core/broker/record.ts'
import * as B from '../core/data/bytes.ts'
import { E } from '../core/prelude.ts'
import type { Committed, Store } from '../shells/common/store.ts'
import { lookIntoStore } from '../shells/cli/store.ts'
import { Database } from '../shells/store/database.ts'
import { copyStore, pathsOf } from '../shells/store/files.ts'
import { copyInto } from '../shells/store/open.ts'
import type { Statement } from '../shells/store/library.ts'
import { openSqlite } from '../shells/store/sqlite.ts'
import { findDeno, root } from './runtimes.ts'
import { openDirect, settle, sqlite, storeOf } from './store/direct.ts'
import { lines } from './store/records.ts'
import { sample, sourceless, stamp, writes } from './store/sample.ts'
import { folder, left, loadAll, look, right, sweep } from './store/scratch.ts'

const onDeno = 'Deno' in globalThis
const fileOf = (path: string): string => join(path, 'sabethes.sqlite3')

const faults = suite('store-faults')

faults.after(sweep)

/** A store with the sample in it, closed. */
const sampleStore = async (path = folder()): Promise<string> => {
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  assert.equal(await store.commit(stamp, writes), { _tag: 'Durable' })
  await store.close()
  return path
}

/** SQL by hand, as somebody with the sqlite3 command would. */
const byHand = (path: string, statements: string): void => {
  const connection = new sqlite.DatabaseSync(fileOf(path))
  connection.exec(statements)
  connection.close()
}

const nodeArguments = (what: ReadonlyArray<string>): ReadonlyArray<string> => [
  '--import',
  'tsx',
  'props/store/child.ts',
  ...what,
]
const denoArguments = (what: ReadonlyArray<string>): ReadonlyArray<string> => [
  'run',
  '-A',
  'props/store/child.ts',
  ...what,
]
const ownArguments = onDeno ? denoArguments : nodeArguments

interface Child {
  readonly process: ChildProcess
  readonly lines: Array<string>
  /** Waits for a line that begins like this. */
  readonly line: (start: string) => Promise<string>
  readonly ended: Promise<void>
}

const start = (command: string, args: ReadonlyArray<string>): Child => {
  const process = spawn(command, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: Array<string> = []
  let look = (): void => {}
  let isOver = false
  createInterface({ input: process.stdout }).on('line', (line) => {
    lines.push(line)
    look()
  })
  const ended = new Promise<void>((resolve) => {
    process.on('close', () => {
      isOver = true
      look()
      resolve()
    })
  })
  const line = (start: string): Promise<string> =>
    new Promise((resolve, reject) => {
      look = () => {
        const found = lines.find((each) => each.startsWith(start))
        if (found !== undefined) resolve(found)
        else if (isOver) reject(new Error(`no line ${start} in: ${lines.join('; ')}`))
      }
      look()
    })
  return { process, lines, line, ended }
}

const own = (...what: ReadonlyArray<string>): Child => start(process.execPath, ownArguments(what))

/** SQLite that fails with these errors, in order, where a statement of this text is run. */
const failing = (errors: Readonly<Record<string, Array<string>>>): typeof sqlite => {
  const failIf = (statement: string): void => {
    const text = errors[statement]?.shift()
    if (text !== undefined) throw new Error(text)
  }
  class DatabaseSync extends sqlite.DatabaseSync {
    override prepare(statement: string): Statement {
      const prepared = super.prepare(statement)
      return {
        run: (...values) => (failIf(statement), prepared.run(...values)),
        get: (...values) => (failIf(statement), prepared.get(...values)),
        all: (...values) => prepared.all(...values),
        iterate: (...values) => prepared.iterate(...values),
      }
    }
  }
  return { DatabaseSync }
}

faults('a log that fails to move ends the store, where a batch had no room as well', async () => {
  const path = folder()
  const commits: Array<string> = []
  const moves: Array<string> = []
  const faulty = failing({ COMMIT: commits, 'PRAGMA wal_checkpoint(TRUNCATE)': moves })
  const store = storeOf(right(Database.open(faulty, { folder: path })), path)
  right(await loadAll(store))
  commits.push('database or disk is full')
  moves.push('disk I/O error')
  const { _tag } = await store.commit(stamp, writes)
  assert.is(_tag, 'Broken', 'a flush that failed may seem to succeed the second time')
  assert.is((await store.commit(stamp, writes))._tag, 'Broken')
  assert.equal([commits, moves], [[], []], 'the faults have come')
  await store.close()
})

faults('folder and files are for their owner only', async () => {
  const path = join(folder(), 'deep')
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  await store.commit(stamp, writes)
  assert.is(statSync(path).mode & 0o777, 0o700)
  const names = readdirSync(path)
  assert.ok(names.includes('sabethes.sqlite3-wal'), names.join())
  for (const name of names) assert.is(statSync(join(path, name)).mode & 0o777, 0o600, name)
  await store.close()
})

faults('a store that another process has is refused, whichever runtime it is on', async () => {
  const path = await sampleStore()
  const deno = onDeno ? process.execPath : findDeno() ?? 'deno'
  const both: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ['node', nodeArguments(['hold', path])],
    [deno, denoArguments(['hold', path])],
  ]
  for (const [command, args] of both) {
    const child = start(command, args)
    await child.line('open')
    const why = left(await openSqlite({ folder: path }))
    assert.match(why, `${fileOf(path)} is in use by another process`)
    assert.match(why, 'persistence_location')
    let said = ''
    const program = {
      say: (text: string) => said += text,
      complain: (text: string) => said += text,
    }
    assert.is(await lookIntoStore(program, 'verify', path), 1)
    assert.match(said, 'in use by another process')
    child.process.kill('SIGKILL')
    await child.ended
    const seen = right(await look(openSqlite, { folder: path }))
    assert.equal(lines(seen.records), lines(sample))
  }
})

// To close any descriptor of a file is to give up all locks that the process has on it.
faults('who asks twice for a store keeps other processes out', async () => {
  const path = folder()
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  assert.match(left(await openDirect({ folder: path })), 'in use by another process')
  const child = own('once', path)
  await child.ended
  assert.match(child.lines.join(), /refused .*in use by another process/)
  await store.close()
})

faults('of two that make a store at once one has it, and the other is refused', async () => {
  const path = folder()
  let faster: Store | null = null
  const DatabaseSync = new Proxy(sqlite.DatabaseSync, {
    construct: (target, args) => {
      // Nobody had a store when this one began to make its own.
      faster ??= storeOf(right(Database.open(sqlite, { folder: path })), path)
      return Reflect.construct(target, args)
    },
  })
  assert.match(left(Database.open({ DatabaseSync }, { folder: path })), 'in use by another process')
  const store = faster as Store | null
  right(await loadAll(store!))
  assert.equal(await store!.commit(stamp, writes), { _tag: 'Durable' })
  await store!.close()
  const seen = right(await look(openSqlite, { folder: path }))
  assert.equal(lines(seen.records), lines(sample))
  assert.equal(readdirSync(path), ['sabethes.sqlite3'])
})

faults('a folder that may not be written to is refused with the remedy', async () => {
  const path = await sampleStore()
  const file = folder()
  writeFileSync(file, '')
  assert.match(left(await openDirect({ folder: file })), 'is not a folder')
  chmodSync(path, 0o555)
  const asOther = process.getuid?.() === 0 ? ['65534'] : []
  const child = own('once', path, ...asOther)
  await child.ended
  chmodSync(path, 0o700)
  assert.match(child.lines.join(), /refused Cannot write to .*user that runs the broker/)
})

faults('a store of mosquitto beside it is named', async () => {
  const path = await sampleStore()
  writeFileSync(join(path, 'mosquitto.db'), '')
  // `persistence_file` names it.
  writeFileSync(join(path, 'queue'), '\0\xb5\0mosquitto db\0', 'latin1')
  writeFileSync(join(path, 'other'), 'mosquitto db')
  const { warnings } = right(await look(openDirect, { folder: path }))
  assert.is(warnings.length, 2)
  assert.match(warnings[0] ?? '', /mosquitto\.db is a store of mosquitto, which is not read/)
  assert.match(warnings[1] ?? '', /queue is a store of mosquitto, which is not read/)
})

faults('a log without its store is refused, and so is a store that lost its tables', async () => {
  const path = folder()
  mkdirSync(path)
  writeFileSync(`${fileOf(path)}-wal`, 'x'.repeat(100))
  assert.match(left(await openDirect({ folder: path })), 'put the file back')
  rmSync(`${fileOf(path)}-wal`)
  writeFileSync(fileOf(path), '')
  assert.match(left(await openDirect({ folder: path })), 'is damaged')
})

faults('a newer schema is refused', async () => {
  const path = await sampleStore()
  const newer = Database.open(sqlite, { folder: path }, new Map())
  assert.ok(E.isRight(newer))
  if (E.isRight(newer)) newer.right.close()
  settle(path)
  const { metaInsertion } = await import('../shells/store/meta.ts')
  const meta = { schema: 3, program: '9.0.0', at: 1, wall: 2, tally: '' }
  byHand(path, `DELETE FROM meta; ${metaInsertion(meta)}`)
  settle(path)
  const why = left(await openDirect({ folder: path }))
  assert.match(why, /written by sabethes 9\.0\.0 in schema 3/)
  assert.match(why, 'start the newer program')
})

faults('an older schema is migrated, after a copy', async () => {
  const path = await sampleStore()
  const { metaInsertion } = await import('../shells/store/meta.ts')
  const { parseTallies, tallyText } = await import('../shells/store/tally.ts')
  const tally = tallyText(parseTallies(''))
  // Version 0, made up: there were no records and retains was called otherwise.
  const tables = 'clients subscriptions base_msgs client_msgs client_msgs_in retains wills'
  byHand(
    path,
    `${tables.split(' ').map((name) => `DELETE FROM ${name};`).join('')} DELETE FROM meta;` +
      `${metaInsertion({ schema: 0, program: '0.0.1', at: 5, wall: 6, tally })};` +
      'DROP TABLE retains; CREATE TABLE retained (topic TEXT)',
  )
  settle(path)
  assert.match(left(await openDirect({ folder: path })), 'schema 0')
  settle(path)
  const { creation, tables: current } = await import('../shells/store/table.ts')
  const retains = current.find(({ name }) => name === 'retains')
  const steps = new Map([[0, (connection: { exec(text: string): void }): void => {
    connection.exec('DROP TABLE retained')
    connection.exec(creation(retains!))
  }], [1, () => {}]])
  const database = right(Database.open(sqlite, { folder: path }, steps))
  const copy = `${fileOf(path)}.schema0-1`
  assert.match(database.warnings.join(), `${copy} is the store as it was`)
  const all = right(await loadAll(storeOf(database, path)))
  assert.equal(all.stamp, { at: 5, wall: 6 })
  database.close()
  settle(path)
  assert.is(statSync(copy).mode & 0o777, 0o600)
  const old = new sqlite.DatabaseSync(copy)
  old.exec('SELECT topic FROM retained')
  old.close()
  const again = right(await look(openDirect, { folder: path }))
  assert.equal(again.warnings, [])
})

/** The golden store of a schema, in a folder of its own. */
const goldenStore = (schema: string): string => {
  const path = folder()
  mkdirSync(path)
  copyFileSync(join(root, 'props/store/golden', `${schema}.sqlite3`), fileOf(path))
  return path
}

for (const golden of readdirSync(join(root, 'props/store/golden'))) {
  faults(`the golden store ${golden} is read, and goes on as one of this program`, async () => {
    const schema = golden.replace('.sqlite3', '')
    const path = goldenStore(schema)
    const seen = right(await look(openDirect, { folder: path }))
    assert.equal(lines(seen.records), lines(schema === '1' ? sourceless : sample))
    assert.equal(seen.stamp, stamp)
    const copy = `${fileOf(path)}.schema${schema}-1`
    assert.equal(seen.warnings.filter((one) => one.includes(copy)).length, schema === '2' ? 0 : 1)
    // Each record is put again, as it is known today.
    settle(path)
    const store = right(await openDirect({ folder: path }))
    assert.equal(store.warnings, [])
    right(await loadAll(store))
    const again = sample.map((record): Write => ({ _tag: 'Put', record, isNew: false }))
    assert.is((await store.commit(stamp, again))._tag, 'Durable')
    await store.close()
    const now = right(await look(openDirect, { folder: path }))
    assert.equal(lines(now.records), lines(sample))
  })
}

faults('a migration makes nothing sound that was not', async () => {
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ['UPDATE base_msgs SET retain = 1 - retain WHERE store_id = 178', /message 178 does not/],
    ["DELETE FROM wills WHERE client_id = 'visitor'", /1 records of kind will are missing/],
    ["UPDATE clients SET row_version = 2 WHERE client_id = 'lamp'", /session "lamp" does not/],
    ["UPDATE clients SET row_version = 3 WHERE client_id = 'lamp'", /has row version 3/],
  ]
  for (const [statement, sentence] of cases) {
    const path = goldenStore('1')
    byHand(path, statement)
    settle(path)
    assert.match(left(await look(openDirect, { folder: path })), sentence)
  }
})

faults('whose something is cannot be taken away, nor made up', async () => {
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ["UPDATE clients SET source = '' WHERE client_id = 'lamp'", /session "lamp" does not have/],
    ["UPDATE clients SET source = 'x' WHERE client_id = 'lamp'", /session "lamp" does not have/],
    ["UPDATE base_msgs SET source = 'x' WHERE store_id = 178", /holds what row version 1 has not/],
    ['UPDATE wills SET row_version = 1', /holds what row version 1 has not/],
    ["UPDATE wills SET row_version = 1, source = ''", /will "visitor" does not have/],
  ]
  for (const [statement, sentence] of cases) {
    const path = await sampleStore()
    byHand(path, statement)
    settle(path)
    assert.match(left(await look(openDirect, { folder: path })), sentence, statement)
  }
})

faults('rows that vanish, come back, change or dangle are reported and not served', async () => {
  const cases: ReadonlyArray<readonly [string, RegExp, gone: number]> = [
    ["DELETE FROM retains WHERE topic = 'home/0/temp'", /1 records of kind retained are miss/, 1],
    ['UPDATE base_msgs SET retain = 1 - retain WHERE store_id = 178', /message 178 does not/, 2],
    ["UPDATE clients SET client_id = 'x' WHERE client_id = 'lamp'", /session "x" does not/, 34],
    ['UPDATE client_msgs SET checksum = 5 WHERE cmsg_id = 60', /outgoing "lämp" 60 does not/, 1],
    ['UPDATE client_msgs SET row_version = 9 WHERE cmsg_id = 60', /has row version 9/, 1],
    ['UPDATE base_msgs SET expiry_time = 1 << 60 WHERE store_id = 178', /holds no numbers/, 2],
    ['UPDATE meta SET wall = wall + 1', /row about all others/, 0],
    ['DELETE FROM base_msgs WHERE store_id = 178', /refers to message 178, which is missing/, 2],
  ]
  for (const [statement, sentence, gone] of cases) {
    const path = await sampleStore()
    byHand(path, statement)
    settle(path)
    const why = left(await look(openDirect, { folder: path }))
    assert.match(why, sentence)
    assert.match(why, `${fileOf(path)} is damaged`)
    assert.match(why, '--salvage')
    settle(path)
    const saved = right(await look(openDirect, { folder: path, salvage: true }))
    assert.is(saved.records.length, sample.length - gone, statement)
    assert.ok(saved.damaged.length > 0)
    assert.ok(existsSync(`${fileOf(path)}.damaged-1`))
    const all = new Set(lines(sample))
    for (const line of lines(saved.records)) assert.ok(all.has(line), line)
    // What was left out is gone, and the store is sound again.
    const again = right(await look(openDirect, { folder: path }))
    assert.equal(lines(again.records), lines(saved.records))
  }
})

faults('what the sqlite3 command leaves in a sound store is no damage', async () => {
  for (const statements of ['ANALYZE', 'PRAGMA journal_mode = DELETE; VACUUM', 'REINDEX']) {
    const path = await sampleStore()
    byHand(path, statements)
    settle(path)
    const { records } = right(await look(openDirect, { folder: path }))
    assert.equal(lines(records), lines(sample), statements)
  }
})

faults('a row that was deleted and put back by hand is reported', async () => {
  const path = await sampleStore()
  byHand(path, 'CREATE TABLE kept AS SELECT * FROM retains')
  settle(path)
  assert.match(left(await openDirect({ folder: path })), 'the table kept is not as it was made')
  settle(path)
  byHand(path, 'DROP TABLE kept')
  settle(path)
  const before = readFileSync(fileOf(path))
  const gone: Write = { _tag: 'Delete', key: { kind: 'incoming', clientId: 'lamp', packetId: 2 } }
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  await store.commit(stamp, [gone])
  await store.close()
  const other = folder()
  mkdirSync(other)
  writeFileSync(fileOf(other), before)
  byHand(
    path,
    `ATTACH '${fileOf(other)}' AS o; INSERT INTO client_msgs_in SELECT * FROM o.client_msgs_in ` +
      'WHERE mid = 2; DETACH o',
  )
  settle(path)
  assert.match(left(await look(openDirect, { folder: path })), '1 records of kind incoming have')
})

/** What became of a flip: never other data. */
const judge = async (path: string, salvage: boolean, where: string): Promise<string> => {
  const seen = await look(openDirect, { folder: path, salvage })
  if (E.isLeft(seen)) {
    assert.match(seen.left, path, where)
    assert.match(seen.left, /damaged|in schema|cannot be read/, where)
    return 'refused'
  }
  const all = new Set(lines(sample))
  for (const line of lines(seen.right.records)) assert.ok(all.has(line), `${where}: ${line}`)
  const isWhole = seen.right.records.length === sample.length
  if (!salvage) assert.ok(isWhole || seen.right.warnings.length > 0, where)
  return isWhole ? 'whole' : 'reported'
}

faults(
  'one flipped bit in any of 240 places of the file is never served as other data',
  async () => {
    const source = readFileSync(fileOf(await sampleStore()))
    const counts = { refused: 0, whole: 0, reported: 0 }
    const path = folder()
    const places = 240
    for (let i = 0; i < places; i++) {
      // All of the first 100 bytes, which are the header, then all over the file.
      const at = i < 100 ? i : Math.floor((source.length - 100) * (i - 100) / (places - 100)) + 100
      const bit = (i * 5) % 8
      rmSync(path, { recursive: true, force: true })
      mkdirSync(path)
      const flipped = new Uint8Array(source)
      flipped[at] = flipped[at]! ^ (1 << bit)
      writeFileSync(fileOf(path), flipped)
      const verdict = await judge(path, false, `byte ${at} bit ${bit}`)
      counts[verdict as keyof typeof counts] += 1
    }
    // What is left is unused: free space in pages, and fields of the header that mean nothing here.
    assert.ok(counts.refused > places / 3, JSON.stringify(counts))
  },
)

faults('a flipped bit in the log is never a batch lost without a word', async () => {
  const path = folder()
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  const half = writes.length >> 1
  await store.commit(stamp, writes.slice(0, 80))
  for (const each of writes.slice(80)) await store.commit(stamp, [each])
  assert.ok(half > 0)
  // As kill -9 leaves it.
  const file = readFileSync(fileOf(path))
  const log = readFileSync(`${fileOf(path)}-wal`)
  await store.close()
  const counts = { refused: 0, whole: 0, reported: 0 }
  for (let i = 0; i < 60; i++) {
    const at = i < 32 ? i : Math.floor((log.length - 33) * (i - 31) / 29) + 32
    const copy = folder()
    mkdirSync(copy)
    writeFileSync(fileOf(copy), file)
    const flipped = new Uint8Array(log)
    flipped[at] = flipped[at]! ^ (1 << (i % 8))
    writeFileSync(`${fileOf(copy)}-wal`, flipped)
    counts[await judge(copy, false, `byte ${at} of the log`) as keyof typeof counts] += 1
  }
  assert.is(counts.whole, 0, JSON.stringify(counts))
  assert.ok(counts.refused > 40, JSON.stringify(counts))
})

/** A folder with these files of a store, as a process or a machine that ended left them. */
const leftBehind = (file: Uint8Array, log: Uint8Array): string => {
  const path = folder()
  mkdirSync(path)
  writeFileSync(fileOf(path), file)
  writeFileSync(`${fileOf(path)}-wal`, log)
  return path
}

faults('a file that is put back beside the log of another time is not served', async () => {
  const path = folder()
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  const older = readFileSync(fileOf(path))
  await store.commit(stamp, batch(1_000, 2_000))
  await store.commit(stamp, gone(1_000, 500))
  const log = readFileSync(`${fileOf(path)}-wal`)
  await store.close()
  const mixed = leftBehind(older, log)
  const sentence = left(await look(openDirect, { folder: mixed }))
  assert.match(sentence, `${fileOf(mixed)} is damaged and cannot be read`)
  assert.match(sentence, `in place of ${fileOf(mixed)} and ${fileOf(mixed)}-wal, or`)
})

faults('the log of a store behind a link is looked at where it is', async () => {
  const path = folder()
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  await store.commit(stamp, writes.slice(0, 80))
  await store.commit(stamp, writes.slice(80))
  const file = readFileSync(fileOf(path))
  const log = readFileSync(`${fileOf(path)}-wal`)
  await store.close()
  const linked = folder()
  mkdirSync(linked)
  const real = leftBehind(file, log)
  symlinkSync(fileOf(real), fileOf(linked))
  let said = ''
  const say = (text: string): void => void (said += text)
  assert.is(await lookIntoStore({ say, complain: say }, 'verify', linked), 0)
  assert.match(said, `${sample.length} records, all of them sound`)
  log[100] = log[100]! ^ 1
  const damaged = leftBehind(file, log)
  rmSync(fileOf(linked))
  symlinkSync(fileOf(damaged), fileOf(linked))
  assert.match(left(await openDirect({ folder: linked })), `${fileOf(damaged)}-wal is damaged`)
})

/** Puts into a store what `batches` say, and then ends without a word. */
const cutShort = async (
  path: string,
  salvage: boolean,
  ...batches: ReadonlyArray<ReadonlyArray<Write>>
): Promise<{ readonly file: Uint8Array; readonly logs: ReadonlyArray<Uint8Array> }> => {
  const store = right(await openDirect({ folder: path, salvage }))
  right(await loadAll(store))
  const logs: Array<Uint8Array> = []
  for (const batch of batches) {
    assert.equal(await store.commit(stamp, batch), { _tag: 'Durable' })
    logs.push(readFileSync(`${fileOf(path)}-wal`))
  }
  const file = readFileSync(fileOf(path))
  await store.close()
  return { file, logs }
}

/** The log after a batch of which the first page has not reached the disk, as the others have. */
const withHole = (before: Uint8Array, after: Uint8Array): Uint8Array => {
  const changed = after.findIndex((byte, at) => byte !== before[at])
  const from = 32 + Math.floor((changed - 32) / 4120) * 4120
  return after.map((byte, at) => at >= from && at < from + 4120 ? 0 : byte)
}

faults('power that is lost within one batch after the other is no damage', async () => {
  const first = await cutShort(folder(), false, writes.slice(0, 1), writes.slice(1))
  const once = leftBehind(first.file, withHole(first.logs[0]!, first.logs[1]!))
  const second = await cutShort(once, false, writes.slice(1, 2), writes.slice(2, 3))
  const twice = leftBehind(second.file, withHole(second.logs[0]!, second.logs[1]!))
  assert.is(right(await look(openDirect, { folder: twice })).recordCount, 2)
})

faults('a damaged log that was salvaged is not found damaged again', async () => {
  const first = await cutShort(folder(), false, ...writes.slice(0, 9).map((each) => [each]))
  const damaged = leftBehind(first.file, withHole(first.logs[0]!, first.logs[8]!))
  assert.match(left(await look(openDirect, { folder: damaged })), 'is damaged')
  const second = await cutShort(damaged, true, writes.slice(9, 10))
  const killed = leftBehind(second.file, second.logs[0]!)
  assert.is(right(await look(openDirect, { folder: killed })).recordCount, 2)
})

const message = sample.find((each) => each.kind === 'message' && each.id === 40)!

/** So many messages, numbered from here on, as they come. */
const batch = (from: number, count: number): ReadonlyArray<Write> =>
  Array.from({ length: count }, (_, i) => ({
    _tag: 'Put',
    isNew: true,
    record: { ...message, kind: 'message', id: from + i } as typeof message,
  }))

/** The same messages, as they go. */
const gone = (from: number, count: number): ReadonlyArray<Write> =>
  Array.from({ length: count }, (_, i) => ({
    _tag: 'Delete',
    key: { kind: 'message', id: from + i },
  }))

faults(
  'the log is not longer than the reserve where rows become larger than they were',
  async () => {
    const path = folder()
    const { wal } = pathsOf(path)
    const store = right(await openDirect({ folder: path }))
    right(await loadAll(store))
    const put = async (from: number, count: number, bytes: number): Promise<void> => {
      const writes = batch(from, count).map((one) =>
        one._tag === 'Put' && one.record.kind === 'message'
          ? { ...one, record: { ...one.record, payload: B.of(new Uint8Array(bytes)) } }
          : one
      )
      assert.is((await store.commit(stamp, writes))._tag, 'Durable')
    }
    // Until the log has moved, and it is known what such a row costs.
    for (let from = 1; from < 60_000; from += 500) await put(from, 500, 8)
    const small = statSync(wal).size
    assert.ok(small > 1 << 20 && small < 6 << 20, `${small} bytes of small rows`)
    for (let from = 60_001; from < 61_000; from += 10) await put(from, 10, 16_384)
    const large = statSync(wal).size
    assert.ok(large < 6 << 20, `${large} bytes of large rows`)
    await store.close()
  },
)

faults('max_store_bytes is kept, and what makes room is let through', async () => {
  assert.match(left(await openDirect({ folder: folder(), storeBytesMax: 5 })), 'max_store_bytes')
  const path = folder()
  const storeBytesMax = 2 << 20
  const store = right(await openDirect({ folder: path, storeBytesMax }))
  right(await loadAll(store))
  let from = 1
  let tight = 0
  for (;;) {
    const committed = await store.commit(stamp, batch(from, 10))
    const files = readdirSync(path).map((name) => statSync(join(path, name)).size)
    const total = files.reduce((one, other) => one + other, 0)
    assert.ok(total <= storeBytesMax, `${total}`)
    if (committed._tag === 'Full') {
      assert.match(committed.why, /max_store_bytes/)
      break
    }
    // What comes after the reserve was given up is as safe, and says so until it is full.
    assert.is(committed._tag, tight > 0 ? 'Tight' : committed._tag)
    if (committed._tag === 'Tight') tight += 1
    from += 10
  }
  assert.ok(from > 150)
  assert.ok(tight > 1, 'nobody is surprised by a full store')
  // Ten that did not fit come along with a hundred that go.
  assert.is((await store.commit(stamp, [...batch(from, 10), ...gone(1, 100)]))._tag, 'Tight')
  await new Promise((resolve) => setTimeout(resolve, 600))
  // There is room again once the reserve is whole.
  assert.is((await store.commit(stamp, batch(from + 10, 10)))._tag, 'Durable')
  await store.close()
  const seen = right(await look(openDirect, { folder: path, storeBytesMax }))
  assert.is(seen.recordCount, from - 1 - 100 + 20)
})

faults('what is free in a file is room, also where the file is larger than allowed', async () => {
  const storeBytesMax = 2 << 20
  for (const before of [Infinity, storeBytesMax]) {
    const path = folder()
    const large = right(await openDirect({ folder: path, storeBytesMax: before }))
    right(await loadAll(large))
    let count = 0
    while (count < 2_000) {
      if ((await large.commit(stamp, batch(1 + count, 20)))._tag === 'Full') break
      count += 20
    }
    assert.ok(['Durable', 'Tight'].includes((await large.commit(stamp, gone(1, count)))._tag))
    await large.close()
    const { size } = statSync(fileOf(path))
    assert.ok(before < Infinity || size > storeBytesMax, `${size}`)

    const store = right(await openDirect({ folder: path, storeBytesMax }))
    right(await loadAll(store))
    // More at once than the log has a share for.
    assert.is((await store.commit(stamp, batch(1, 100)))._tag, 'Durable')
    let kept = 100
    while ((await store.commit(stamp, batch(1 + kept, 10)))._tag !== 'Full') kept += 10
    assert.ok(kept > 150, `${kept}`)
    assert.ok(before === storeBytesMax || statSync(fileOf(path)).size === size, 'no larger')
    await store.close()
    // Who wants the room back has it with the sqlite3 command.
    byHand(path, 'VACUUM')
    assert.ok(statSync(fileOf(path)).size < storeBytesMax)
    assert.is(right(await look(openDirect, { folder: path, storeBytesMax })).recordCount, kept)
  }
})

faults('kill -9 while it commits: everything that was said to be durable is there', async () => {
  for (let i = 0; i < 3; i++) {
    const path = folder()
    const child = own('loop', path)
    await child.line('Durable')
    await new Promise((resolve) => setTimeout(resolve, 60 + 70 * i))
    child.process.kill('SIGKILL')
    await child.ended
    const last = Number(child.lines.at(-1)?.split(' ')[1])
    const seen = right(await look(openSqlite, { folder: path }))
    const ids = seen.records.map((each) => each.kind === 'message' ? each.id : 0)
    assert.ok(ids.length >= last && ids.length <= last + 3, `${ids.length} of ${last}`)
    assert.is(ids.length % 3, 0)
    assert.equal(ids, ids.map((_, at) => at + 1))
  }
})

/** Runs under strace with faults in system calls of the thread that commits. */
const withFaults = (injections: ReadonlyArray<string>, path: string): Child => {
  const calls = injections.map((each) => each.slice(0, each.indexOf(':')))
  const args = [
    '-f',
    '-qq',
    '-o',
    `${path}.trace`,
    '-e',
    `trace=${calls.join()}`,
    ...injections.flatMap((each) => ['-e', `inject=${each}`]),
    // Not what is said on the standard output, and the reserve has its room.
    ...['', '-wal', '-probe'].flatMap((end) => ['-P', `${fileOf(path)}${end}`]),
  ]
  return start('strace', [...args, process.execPath, ...ownArguments(['loop', path])])
}

const hasStrace = spawnSync('strace', ['-V']).status === 0

if (!hasStrace) console.log('SKIPPED: failing disks because strace is missing')
else {
  faults(
    'a flush that fails ends the store: it says so, and never again that all is well',
    async () => {
      const path = folder()
      mkdirSync(path)
      const child = withFaults(['fsync,fdatasync:error=EIO:when=14'], path)
      await child.ended
      assert.match(readFileSync(`${path}.trace`, 'utf8'), /sync.*EIO.*INJECTED/)
      const tags = child.lines.slice(1).map((line) => line.split(' ')[0])
      const first = tags.indexOf('Broken')
      assert.ok(first >= 0, child.lines.join('; '))
      assert.ok(tags.slice(first).every((tag) => tag === 'Broken'), tags.join())
      const seen = right(await look(openSqlite, { folder: path }))
      const said = Number(child.lines.at(-1)?.split(' ')[1])
      assert.ok(seen.recordCount >= said && seen.recordCount <= said + 3, `${said}`)
    },
  )

  faults('a log that cannot be emptied at the start ends the start', async () => {
    const path = await sampleStore()
    const child = withFaults(['ftruncate:error=EIO'], path)
    await child.ended
    assert.match(readFileSync(`${path}.trace`, 'utf8'), /EIO.*INJECTED/)
    assert.match(child.lines.join(), /^refused .*cannot be written/)
  })

  faults('a disk that cannot be read at the start is not taken for a damaged file', async () => {
    const path = await sampleStore()
    // The header; a page of a tree; one that holds the rest of a long row.
    for (const read of [1, 4, 9]) {
      const child = withFaults([`pread64:error=EIO:when=${read}+`], path)
      await child.ended
      assert.match(readFileSync(`${path}.trace`, 'utf8'), /pread64.*EIO.*INJECTED/)
      assert.match(child.lines.join(), /^refused .* cannot be read .*: look at the disk \(dmesg\)/)
    }
  })

  for (const [what, error] of [['disk', 'ENOSPC'], ['quota', 'EDQUOT']] as const) {
    faults(
      `a ${what} that is full for a while: told so, nothing half written, then on it goes`,
      async () => {
        const path = folder()
        mkdirSync(path)
        const injections = [`pwrite64:error=${error}:when=80..90`, `write:error=${error}`]
        const child = withFaults(injections, path)
        await child.line('Full')
        const before = child.lines.length
        while (child.lines.length < before + 30 && child.process.exitCode === null) {
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
        // On disk, whether or not it has looked for room again already.
        assert.match(child.lines.at(-1)!, /^(Durable|Tight) /)
        child.process.kill('SIGTERM')
        spawnSync('pkill', ['-9', '-P', String(child.process.pid)])
        await child.ended
        const trace = readFileSync(`${path}.trace`, 'utf8')
        assert.match(trace, new RegExp(`pwrite64.*${error}.*INJECTED`))
        const seen = right(await look(openSqlite, { folder: path }))
        assert.ok(seen.recordCount >= Number(child.lines.at(-1)?.split(' ')[1]))
      },
    )
  }

  faults('a write that fails for another reason ends the store', async () => {
    const path = folder()
    mkdirSync(path)
    const child = withFaults(['pwrite64:error=EIO:when=80..90'], path)
    await child.ended
    assert.match(readFileSync(`${path}.trace`, 'utf8'), /pwrite64.*EIO.*INJECTED/)
    const tags = child.lines.slice(1).map((line) => line.split(' ')[0])
    assert.ok(tags.indexOf('Broken') > 0, tags.join())
    assert.ok(tags.slice(tags.indexOf('Broken')).every((tag) => tag === 'Broken'), tags.join())
  })
}

const mount = folder()
mkdirSync(mount, { recursive: true })
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]).status === 0

// Where nothing may be mounted, the test above stands for this one.
if (isMounted) {
  faults('a disk of 1 MiB: full, opens while it is full, goes on when there is room', async () => {
    try {
      const path = join(mount, 'data')
      writeFileSync(join(mount, 'ballast'), new Uint8Array(300_000))
      const first = own('fill', path)
      const full = await first.line('Full')
      first.process.kill('SIGKILL')
      await first.ended
      const second = own('fill', path)
      assert.is(Number((await second.line('open')).split(' ')[1]), Number(full.split(' ')[1]))
      await second.line('Full')
      rmSync(join(mount, 'ballast'))
      second.process.stdin?.write('go on\n')
      await second.line('Durable')
      await second.ended
      const empty = join(mount, 'empty')
      mkdirSync(empty)
      // The same disk, mounted so that nobody may write to it.
      assert.is(spawnSync('mount', ['-o', 'remount,ro', mount]).status, 0)
      for (const refused of [path, empty]) {
        const third = own('once', refused)
        await third.ended
        assert.match(third.lines.join(), /refused Cannot write to .*: mount what it is on/)
      }
    } finally {
      spawnSync('umount', ['-l', mount])
    }
  })
}

if (isMounted) {
  faults('a disk that messages have filled is emptied of them, again and again', async () => {
    for (const [mib, count] of [[1, 1], [1, 5], [2, 1]] as const) {
      const disk = folder()
      mkdirSync(disk, { recursive: true })
      spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', disk])
      try {
        const store = right(await openDirect({ folder: join(disk, 'data') }))
        right(await loadAll(store))
        let first = 1000
        let next = first
        const add = async (): Promise<string> => {
          const committed = await store.commit(stamp, batch(next, count))
          next += count
          return committed._tag
        }
        for (let round = 1; round <= 2; round++) {
          const where = `${mib} MiB, ${count} at once, round ${round}`
          while (await add() === 'Durable') { /* there is room */ }
          // What is under way when the broker hears of it.
          assert.is(await add(), 'Tight', where)
          for (const last = next - (next - first) / 10; first < last; first += 2) {
            const committed = await store.commit(stamp, gone(first, 2))
            assert.is.not(committed._tag, 'Full', `${where}, ${next - first} left`)
          }
          // There is a look for room once a second.
          await sleep(1_100)
          assert.is((await store.commit(stamp, gone(first, 2)))._tag, 'Durable', where)
          first += 2
        }
      } finally {
        spawnSync('umount', ['-l', disk])
      }
    }
  })
}

faults('verify and dump tell what is there and change nothing', async () => {
  const path = await sampleStore()
  let said = ''
  let complained = ''
  const program = {
    say: (text: string): void => {
      said += text
    },
    complain: (text: string): void => {
      complained += text
    },
  }
  const before = readFileSync(fileOf(path))
  assert.is(await lookIntoStore(program, 'verify', path), 0)
  assert.match(said, `${sample.length} records, all of them sound`)
  said = ''
  assert.is(await lookIntoStore(program, 'dump', path), 0)
  assert.is(said.trimEnd().split('\n').length, sample.length)
  assert.match(said, 'outgoing clientId="lamp" order=1 message=0 packetId=1')
  assert.match(said, /payload=6400:"0123456789abcdef[0-9a-f]{32}"\.\.\./)
  assert.is(complained, '')
  assert.equal(readFileSync(fileOf(path)), before)
  assert.equal(readdirSync(path), ['sabethes.sqlite3'])
  byHand(path, "UPDATE wills SET topic = 'forged'")
  settle(path)
  assert.is(await lookIntoStore(program, 'verify', path), 1)
  assert.match(complained, 'damaged: will "visitor" does not have its checksum')
  assert.is(await lookIntoStore(program, 'dump', folder()), 1)
  assert.match(complained, 'There is no store in')
  complained = ''
  assert.is(await lookIntoStore(program, 'verify', fileOf(path)), 1)
  assert.match(complained, `${fileOf(path)} is not a folder: name the one of the store`)
})

faults(
  'a copy of a store is for its owner to write, whoever may do what with the store',
  async () => {
    const path = await sampleStore()
    chmodSync(fileOf(path), 0o444)
    const copy = folder()
    copyStore(pathsOf(path), copy)
    assert.is(statSync(copy).mode & 0o777, 0o600)
  },
)

faults('verify says what is wrong with a log, and speaks of no copy that is not kept', async () => {
  let said = ''
  const program = {
    say: (text: string) => void (said += text),
    complain: (text: string) => void (said += text),
  }
  const older = folder()
  mkdirSync(older)
  copyFileSync(join(root, 'props/store/golden/1.sqlite3'), fileOf(older))
  assert.is(await lookIntoStore(program, 'verify', older), 0)
  assert.match(said, /^[^\n]* records, all of them sound\n$/)
  const path = folder()
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  for (const each of writes.slice(0, 3)) await store.commit(stamp, [each])
  const copy = folder()
  mkdirSync(copy)
  copyFileSync(fileOf(path), fileOf(copy))
  const log = readFileSync(`${fileOf(path)}-wal`)
  await store.close()
  log[100] = log[100]! ^ 1
  writeFileSync(`${fileOf(copy)}-wal`, log)
  said = ''
  assert.is(await lookIntoStore(program, 'verify', copy), 1)
  assert.match(said, 'damaged: the log: batches in it that were acknowledged cannot be read\n')
  assert.match(said, '1 faults')
  assert.not.match(said, 'damaged-1')
  assert.equal(readdirSync(copy).length, 2)
})

const whyOf = (committed: Committed): string => 'why' in committed ? committed.why : ''

/** A store whose reserve has its name taken, so that it says each time what it lacks. */
const tightStore = async (path: string): Promise<Store> => {
  mkdirSync(join(path, 'sabethes.sqlite3-reserve', 'not empty'), { recursive: true })
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  return store
}

faults('a folder that is taken away from a broker is no full disk', async () => {
  for (const isRemoved of [false, true]) {
    const path = folder()
    const store = await tightStore(path)
    if (isRemoved) rmSync(path, { recursive: true })
    else renameSync(path, `${path}-away`)
    const why = whyOf(await store.commit(stamp, writes))
    assert.match(why, `${fileOf(path)} or its log is not there any more`)
    assert.match(why, `Put ${path} back`)
    assert.not.match(why, 'full')
    // Closing works on the file that is open, whatever its name.
    await store.close().catch(() => {})
  }
})

faults('nothing is durable in a file without its name, or with a log without its', async () => {
  const ways: ReadonlyArray<(path: string) => void> = [
    (path) => rmSync(path, { recursive: true }),
    (path) => renameSync(path, `${path}-away`),
    (path) => rmSync(fileOf(path)),
    (path) => rmSync(`${fileOf(path)}-wal`),
    (path) => {
      copyFileSync(fileOf(path), join(path, 'copy'))
      renameSync(join(path, 'copy'), fileOf(path))
    },
  ]
  for (const [number, take] of ways.entries()) {
    const path = folder()
    const store = right(await openDirect({ folder: path }))
    right(await loadAll(store))
    take(path)
    const committed = await store.commit(stamp, writes)
    assert.is(committed._tag, 'Broken', `way ${number}`)
    assert.match(whyOf(committed), `${fileOf(path)} or its log is not there any more`)
    assert.equal(await store.commit(stamp, []), committed)
  }
})

faults('who ends leaves the reserve of a broker that has come in its place alone', async () => {
  const path = folder()
  const former = right(Database.open(sqlite, { folder: path }))
  renameSync(path, `${path}-away`)
  const latter = right(Database.open(sqlite, { folder: path }))
  former.close()
  assert.ok(existsSync(join(path, 'sabethes.sqlite3-reserve')))
  latter.close()
})

faults('a reserve that cannot be made for another reason is no full disk', async () => {
  const path = folder()
  const store = await tightStore(path)
  const why = whyOf(await store.commit(stamp, writes))
  assert.match(why, `Cannot write to ${path} `)
  assert.not.match(why, 'full')
  await store.close()
})

faults('of a copy that does not fit nothing is left', async () => {
  const path = await sampleStore()
  const copy = join(path, 'copy')
  const full = {
    exec: () => {},
    prepare: () => {
      writeFileSync(copy, 'a part')
      throw new Error('database or disk is full')
    },
    close: () => {},
  }
  assert.throws(() => copyInto(full, copy), /disk is full/)
  // A folder in the place of the log is the one that cannot be copied.
  assert.throws(() => copyStore({ ...pathsOf(path), wal: path }, copy))
  assert.equal(readdirSync(path), ['sabethes.sqlite3'])
})

faults('where nobody can look is not where there is no store', async () => {
  const path = folder()
  // As good as a folder that may not be entered, and root may enter all.
  symlinkSync(path, path)
  let complained = ''
  const program = { say: () => {}, complain: (text: string) => void (complained += text) }
  assert.is(await lookIntoStore(program, 'verify', path), 1)
  assert.match(complained, `Cannot look into ${path} (ELOOP`)
  assert.match(complained, 'the right to read the store')
})

faults('a link to a store that is not there is not the place for an empty one', async () => {
  const real = await sampleStore()
  const [linked, away] = [folder(), folder()]
  mkdirSync(linked)
  symlinkSync(fileOf(real), fileOf(linked))
  // As where the disk that the store is on was not mounted.
  renameSync(real, away)
  const complaint = `${fileOf(linked)} is a link to where nothing is, or nobody may look`
  assert.match(left(await openDirect({ folder: linked })), complaint)
  let complained = ''
  const program = { say: () => {}, complain: (text: string) => void (complained += text) }
  assert.is(await lookIntoStore(program, 'verify', linked), 1)
  assert.match(complained, complaint)
  renameSync(away, real)
  const store = right(await openDirect({ folder: linked }))
  assert.is(right(await store.load(() => {})).recordCount, sample.length)
  await store.close()
  // The same of the folder.
  const leading = folder()
  symlinkSync(away, leading)
  assert.match(left(await openDirect({ folder: leading })), `${leading} is a link to where nothing`)
})

faults('what is no file is no store, and nobody waits for a pipe', async () => {
  for (const [make, end] of [['mkfifo', ''], ['mkdir', ''], ['mkfifo', '-wal']] as const) {
    const path = await sampleStore()
    const odd = `${fileOf(path)}${end}`
    rmSync(odd, { force: true })
    assert.is(spawnSync(make, [odd]).status, 0)
    const complaint = `${odd} is not a file: move it away, or name another folder`
    let complained = ''
    const program = { say: () => {}, complain: (text: string) => void (complained += text) }
    assert.is(await lookIntoStore(program, 'verify', path), 1)
    assert.match(complained, complaint)
    assert.match(left(await openDirect({ folder: path })), complaint)
  }
})

faults.run()
