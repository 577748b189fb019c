// runs: node
//
// A broker that is started as root and becomes a user who may less: what it has opened as root is
// of use to that user and to nobody else, and what it may not do any more is said in a sentence.

import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, Packet } from '../core/mod.ts'
import { skipped, until } from './conformance/expect.ts'
import { freePort } from './free-port.ts'
import { openDirect, sqlite } from './store/direct.ts'
import { stamp, writes } from './store/sample.ts'
import { loadAll, right } from './store/scratch.ts'
import { launch, type Running } from './conformance/subject.ts'

const becoming = suite('becoming')

const folder = mkdtempSync(join(tmpdir(), 'sabethes-becoming-'))
chmodSync(folder, 0o755)
becoming.after(() => rmSync(folder, { recursive: true, force: true }))

const idOf = (which: '-u' | '-g'): number =>
  Number(spawnSync('id', [which, 'nobody'], { encoding: 'utf8' }).stdout)
const [uid, gid] = [idOf('-u'), idOf('-g')]

/** Only root can become somebody else. */
const test = (name: string, body: () => Promise<void>): void => {
  becoming(name, () => {
    if (process.getuid?.() !== 0) return skipped(name, 'the rights of root')
    return body()
  })
}

let count = 0

/** A new folder with these permissions, root's unless it is the user's. */
const made = (mode: number, isTheirs = false): string => {
  const path = join(folder, `folder-${count++}`)
  mkdirSync(path)
  chmodSync(path, mode)
  if (isTheirs) chownSync(path, uid, gid)
  return path
}

const write = (lines: string): string => {
  const path = join(folder, `broker-${count++}.conf`)
  writeFileSync(path, `user nobody\n${lines}`)
  return path
}

const saying = (broker: Running, words: string): Promise<void> =>
  until(20_000, words, () => {
    if (broker.stderr.includes(words)) return Promise.resolve(true)
    if (broker.isEnded) throw new Error(broker.stderr)
    return Promise.resolve(false)
  })

/** A broker with these lines that runs meanwhile. */
const during = async (
  file: string,
  use: (broker: Running) => Promise<void>,
  ...words: ReadonlyArray<string>
): Promise<void> => {
  const broker = launch('node', ['-c', file, ...words])
  try {
    await saying(broker, ' running')
    await use(broker)
  } finally {
    broker.signal('SIGTERM')
    await broker.ended
  }
}

test('the socket of a listener is the user whom the broker becomes', async () => {
  const path = join(made(0o755), 'socket')
  await during(write(`listener 0 ${path}\nallow_anonymous true\n`), () => {
    const found = statSync(path)
    assert.equal([found.uid, found.gid, found.mode & 0o777], [uid, gid, 0o770])
    return Promise.resolve()
  })
})

/** Resolves with a socket that has been connected, or refused. */
const dial = (path: string): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.on('error', () => resolve(socket))
    socket.on('connect', () => resolve(socket))
  })

const isServed = async (path: string): Promise<boolean> => {
  const socket = await dial(path)
  const answered = new Promise<boolean>((resolve) => {
    socket.on('data', () => resolve(true))
    socket.on('close', () => resolve(false))
  })
  socket.write(encode(4, Packet.connect({ clientId: 'late', level: 4 })))
  const served = await answered
  socket.destroy()
  return served
}

test('a listener that only root could open outlives a want of file descriptors', async () => {
  const path = join(made(0o755), 'socket')
  const file = write(`listener 0 ${path}\nallow_anonymous true\n`)
  const broker = launch('node', ['-c', file], 64)
  const crowd: Array<Socket> = []
  try {
    await saying(broker, ' running')
    for (let i = 0; i < 100; i++) crowd.push(await dial(path))
    await saying(broker, 'pauses: no file descriptor')
    for (const socket of crowd) socket.destroy()
    await until(3_000, 'a new client to be served', () => isServed(path))
  } finally {
    for (const socket of crowd) socket.destroy()
    broker.signal('SIGTERM')
    await broker.ended
  }
})

test('a reload that fails goes on in the log that only root could open', async () => {
  const [old, next] = [join(made(0o700), 'log'), join(made(0o755, true), 'log')]
  const [port, taken] = [await freePort(), createServer()]
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const other = taken.address()
  assert.ok(other !== null && typeof other === 'object')
  const lines = `allow_anonymous true\nlog_dest stderr\nlistener ${port} 127.0.0.1\n`
  const file = write(`${lines}log_dest file ${old}\n`)
  try {
    await during(file, async (broker) => {
      writeFileSync(
        file,
        `user nobody\n${lines}log_dest file ${next}\nlistener ${other.port} 127.0.0.1\n`,
      )
      broker.child.kill('SIGHUP')
      await saying(broker, 'The configuration stays as it was.')
    })
    const said = readFileSync(old, 'utf8')
    assert.match(said, 'Address already in use')
    assert.match(said, 'The configuration stays as it was.')
    assert.match(said, 'terminating')
    assert.not.match(readFileSync(next, 'utf8'), 'terminating')
  } finally {
    taken.close()
  }
})

/** A store with the sample in it, the user's, of which one row is not what it was. */
const damagedStore = async (): Promise<string> => {
  const path = made(0o700, true)
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  await store.commit(stamp, writes)
  await store.close()
  const connection = new sqlite.DatabaseSync(join(path, 'sabethes.sqlite3'))
  connection.exec('UPDATE client_msgs SET checksum = 5 WHERE cmsg_id = 60')
  connection.close()
  for (const name of readdirSync(path)) chownSync(join(path, name), uid, gid)
  return path
}

test('what is copied before it is salvaged is the user whom the broker becomes', async () => {
  const path = await damagedStore()
  const lines = `persistence true\npersistence_location ${path}\n`
  await during(
    write(`${lines}listener ${await freePort()} 127.0.0.1\nlog_dest stderr\n`),
    (broker) => {
      assert.match(broker.stderr, 'lost a record')
      const owners = readdirSync(path).map((name) => [name, statSync(join(path, name)).uid])
      assert.ok(owners.some(([name]) => name === 'sabethes.sqlite3.damaged-1'))
      for (const [name, owner] of owners) assert.is(owner, uid, String(name))
      return Promise.resolve()
    },
    '--salvage',
  )
})

test("a folder that is not the user's is a sentence about whose it must be", async () => {
  const lines = `persistence true\nlistener ${await freePort()} 127.0.0.1\n`
  const closed = made(0o700)
  const inside = join(made(0o700), 'store')
  const foreign = made(0o755)
  const file = await damagedStore()
  chownSync(join(file, 'sabethes.sqlite3'), 0, 0)
  chmodSync(join(file, 'sabethes.sqlite3'), 0o600)
  for (const place of [closed, inside, foreign, file]) {
    const broker = launch('node', ['-c', write(`${lines}persistence_location ${place}\n`)])
    assert.is((await broker.ended).status, 1, place)
    assert.match(broker.stderr, `Cannot write to ${place} `)
    assert.match(broker.stderr, 'give the folder and what is in it to the user')
    assert.match(broker.stderr, "to run as the user 'nobody'")
    assert.not.match(broker.stderr, 'dmesg')
  }
})

becoming.run()
