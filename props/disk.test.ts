// runs: node
//
// A disk that is full, and one that fails, under the real broker on both runtimes. Full: nothing is
// acknowledged that is not stored, QoS 0 goes on, also after a kill, and the rest goes on by itself
// once there is room. Failing: the broker says so and ends, with nothing acknowledged that was not
// flushed. One that gives back something else: refused at the start. One without room for a
// recording: that ends, and nothing else.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { skipped, sleep, until } from './conformance/expect.ts'
import { payloadText, Peer } from './conformance/peer.ts'
import { publishBytes } from './conformance/wire.ts'
import { keep, type Keeping, type Kind, resume, runtimes } from './kill/broker.ts'
import { root } from './runtimes.ts'

const disk = suite('disk')

const hasTracer = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0

const QUOTA_EXCEEDED = 0x97

const run = (program: string, ...args: ReadonlyArray<string>): boolean =>
  spawnSync(program, args).status === 0

const mounted = new Set<string>()

process.on('exit', () => {
  for (const folder of mounted) run('umount', '-l', folder)
})

/** A file system of 1 MiB; false where this process may not mount one. */
const mountSmall = (folder: string): boolean => {
  const isMounted = run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'sabethes', folder)
  if (isMounted) mounted.add(folder)
  return isMounted
}

const absent = async (port: number): Promise<void> => {
  const sink = await resume(port, 'sink')
  await sink.subscribe('t', 1)
  await sink.disconnect()
}

const sized = (text: string): string => text.padEnd(10_000, '.')

const five = async (port: number, id: string): Promise<Peer> => {
  const peer = await Peer.dial(port)
  await peer.connect({ level: 5, id, keepAliveS: 0 })
  return peer
}

/** Publishes until it is told that there is no room; the payloads that were acknowledged. */
const fill = async (port: number): Promise<ReadonlyArray<string>> => {
  const writer = await five(port, 'writer')
  const acknowledged: string[] = []
  for (let i = 0; i < 400; i++) {
    const payload = `message ${i}`
    const packetId = i + 1
    writer.send(publishBytes({ level: 5, topic: 't', payload: sized(payload), qos: 1, packetId }))
    // Also the one that finds the disk full: there is a reserve for it.
    await until(5_000, 'PUBACK', () => writer.answers.length > 0)
    const [answer] = writer.answers.splice(0)
    assert.is(answer!.kind, 'PUBACK')
    if (answer!.reason === QUOTA_EXCEEDED) break
    assert.is(answer!.reason, 0)
    acknowledged.push(payload)
  }
  writer.destroy()
  return acknowledged
}

const refused = async (port: number): Promise<void> => {
  const late = await five(port, 'late')
  for (const qos of [1, 2] as const) {
    assert.is(await late.publish('t', sized('late'), { qos }), QUOTA_EXCEEDED, `QoS ${qos}`)
  }
  await late.subscribe('q', 0)
  await late.publish('q', 'zero')
  assert.equal(late.payloads(), ['zero'], 'QoS 0 goes on')
  const old = await Peer.dial(port)
  await old.connect({ id: 'old', keepAliveS: 0 })
  old.send(publishBytes({ level: 4, topic: 't', payload: sized('old'), qos: 1, packetId: 9 }))
  await old.gone()
  assert.equal(old.answers, [], '3.1.1 is closed without PUBACK')
  await late.disconnect()
}

/** What the session has had waiting. Who is not answered in time connects again, as clients do. */
const drain = async (port: number): Promise<ReadonlyArray<string>> => {
  const got: string[] = []
  for (let last = -1; last !== got.length;) {
    last = got.length
    const sink = await resume(port, 'sink')
    for (let quiet = 0, seen = -1; quiet < 5; quiet += 1) {
      if (sink.messages.length !== seen) quiet = 0
      seen = sink.messages.length
      await sleep(30)
    }
    got.push(...sink.messages.map((one) => payloadText(one).replace(/\.*$/, '')))
    sink.destroy()
    await sleep(50)
  }
  return got
}

const holdsAll = (got: ReadonlyArray<string>, promised: ReadonlyArray<string>): void => {
  const has = new Set(got)
  const lost = promised.filter((one) => !has.has(one))
  assert.equal(lost, [], `${lost.length} of ${promised.length} are lost`)
}

const fullDisk = async (kind: Kind): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-full-'))
  if (!mountSmall(folder)) {
    console.log('\nNobody may mount a small disk here; max_store_bytes has to stand for it.')
    return
  }
  const store = join(folder, 'store')
  let broker: Keeping = await keep(kind, store)
  try {
    await absent(broker.port)
    const promised = await fill(broker.port)
    assert.ok(promised.length > 10, `only ${promised.length} before it was full`)
    assert.match(broker.said, /The store is full: .*make room on it/)
    await refused(broker.port)
    // Killed on a full disk, it opens on a full disk, and delivers.
    await broker.end('SIGKILL')
    broker = await keep(kind, store)
    holdsAll(await drain(broker.port), promised)
    assert.ok(run('mount', '-o', 'remount,size=8m', folder))
    const writer = await five(broker.port, 'goes on')
    await until(
      10_000,
      'a PUBACK once there is room',
      async () => await writer.publish('t', sized('goes on'), { qos: 1 }) === 0,
    )
    await broker.end('SIGKILL')
    broker = await keep(kind, store)
    holdsAll(await drain(broker.port), ['goes on'])
  } finally {
    await broker.end()
    run('umount', folder)
    mounted.delete(folder)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Hands over a folder for a broker with a small disk in it; both are gone afterwards. */
const besideSmallDisk = async (
  act: (folder: string, small: string) => Promise<void>,
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-tape-'))
  const small = join(folder, 'small')
  mkdirSync(small)
  if (!mountSmall(small)) {
    console.log('\nNobody may mount a small disk here; nothing is recorded to one.')
    rmSync(folder, { recursive: true })
    return
  }
  try {
    await act(folder, small)
  } finally {
    run('umount', small)
    mounted.delete(small)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Who asks for a recording on a full disk is told that there is none. */
const fullAtTheStart = (kind: Kind): Promise<void> =>
  besideSmallDisk(async (folder, small) => {
    const ask = (...words: ReadonlyArray<string>) =>
      spawnSync(process.execPath, [
        join(root, 'dist/shells/cli/main.js'),
        'trace',
        ...words,
        '--persistence',
        'true',
        '--persistence-location',
        folder,
      ], { encoding: 'utf8' })
    const broker = await keep(kind, folder)
    try {
      run('dd', 'if=/dev/zero', `of=${join(small, 'filler')}`, 'bs=4k')
      const begun = ask('start', join(small, 'day'))
      assert.is(begun.stdout, '')
      assert.match(
        begun.stderr,
        /^Error: The recording .*day ends, .*(ENOSPC|No space left|os error 28)/,
      )
      assert.is(begun.status, 1)
      assert.match(ask('status').stdout, 'Nothing is being recorded. The recording')
      rmSync(join(small, 'filler'))
      assert.match(
        ask('start', join(small, 'day')).stdout,
        /^Recording to .*day, payloads: hash\.\n$/,
      )
      assert.is(await broker.end(), 0)
    } finally {
      await broker.end()
    }
  })

/** A disk that has no room for a recording costs the recording, and nobody anything else. */
const fullOfRecording = (kind: Kind): Promise<void> =>
  besideSmallDisk(async (folder, small) => {
    const path = join(small, 'day')
    const broker = await keep(kind, folder, { args: ['--trace', path] })
    try {
      await absent(broker.port)
      const writer = await five(broker.port, 'writer')
      const promised: string[] = []
      const topic = 'long/'.repeat(40)
      const isOver = (): boolean => broker.said.includes('The recording')
      for (let i = 0; i < 400 && !isOver(); i++) {
        promised.push(`message ${i}`)
        assert.is(await writer.publish('t', promised.at(-1)!, { qos: 1 }), 0)
        // Of what nobody listens to there is a line as well.
        for (let more = 0; more < 40; more++) {
          // Topics differ, or those that came together would have short lines.
          writer.send(publishBytes({ level: 5, topic: `${topic}${i}/${more}`, payload: `${i}` }))
        }
      }
      await until(5_000, 'a line in the log', isOver)
      promised.push('after')
      assert.is(await writer.publish('t', 'after', { qos: 1 }), 0)
      const said = broker.said.match(/The recording .*/g)
      assert.is(said?.length, 1)
      assert.match(said![0], /day ends, the broker goes on: .*(ENOSPC|No space left|os error 28)/)
      const played = spawnSync(process.execPath, [
        join(root, 'dist/shells/cli/main.js'),
        'replay',
        '-q',
        path,
      ], { encoding: 'utf8' })
      assert.is(played.status, 2)
      assert.match(played.stderr, /The recording can be read up to line [1-9]\d{3,}; there /)
      assert.match(played.stdout, /\d runs with \d{4,} inputs .* came to what was recorded/)
      holdsAll(await drain(broker.port), promised)
      assert.is(await broker.end(), 0)
    } finally {
      await broker.end()
    }
  })

const fullByOrder = async (kind: Kind): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-most-'))
  const args = ['--max-store-bytes', '2000000']
  let broker = await keep(kind, folder, { args })
  try {
    await absent(broker.port)
    const promised = await fill(broker.port)
    assert.ok(promised.length > 10, `only ${promised.length} before it was full`)
    assert.match(broker.said, /The store is full: .*max_store_bytes/)
    await refused(broker.port)
    await broker.end('SIGKILL')
    broker = await keep(kind, folder, { args })
    holdsAll(await drain(broker.port), promised)
    // What was delivered has made room.
    const writer = await five(broker.port, 'goes on')
    await absent(broker.port)
    await until(
      10_000,
      'a PUBACK once there is room',
      async () => await writer.publish('t', 'goes on', { qos: 1 }) === 0,
    )
  } finally {
    await broker.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

const count = (text: string, what: RegExp): number => (text.match(what) ?? []).length

/** At the edge everybody is answered in time, also who has the answers wait for the disk. */
const edge = async (kind: Kind): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-edge-'))
  const isMounted = mountSmall(folder)
  const args = isMounted ? [] : ['--max-store-bytes', '1500000']
  const broker = await keep(kind, join(folder, 'store'), { args })
  try {
    await absent(broker.port)
    const writer = await five(broker.port, 'writer')
    const keeper = await Peer.dial(broker.port)
    await keeper.connect({
      level: 5,
      id: 'keeper',
      clean: false,
      keepAliveS: 0,
      properties: '11 000003e8',
    })
    await keeper.subscribe('k', 1)
    let refusals = 0
    for (let i = 0; i < 300 && refusals < 40; i++) {
      // Either for somebody who is away, which fills the store, or for somebody who takes it.
      const topic = i % 3 === 0 ? 'k' : 't'
      const reason = await writer.publish(topic, sized(`${i}`), { qos: 1 })
      assert.ok(reason === 0 || reason === QUOTA_EXCEEDED, `${reason}`)
      if (reason === 0 && topic === 'k') await keeper.deliveries(1)
      if (reason === QUOTA_EXCEEDED) {
        refusals++
        await sleep(50)
        await keeper.ping()
        assert.equal(await keeper.ask([{ filter: `new/${i}`, qos: 1 }]), [QUOTA_EXCEEDED])
      }
    }
    assert.is(refusals, 40)
    const flaps = count(broker.said, /The store is full/g)
    assert.ok(flaps > 0 && flaps <= 2, `${flaps} times full`)
    // Who was away gets all of it, and then there is room again, without a word from anybody.
    await drain(broker.port)
    await until(
      10_000,
      'a PUBACK once there is room',
      async () => await writer.publish('t', 'goes on', { qos: 1 }) === 0,
    )
  } finally {
    await broker.end()
    run('umount', folder)
    mounted.delete(folder)
    rmSync(folder, { recursive: true, force: true })
  }
}

const isTraced = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).every((task) =>
    !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))
  )

/** From here on every flush of the process fails with EIO. */
const poison = async (pid: number, file: string): Promise<void> => {
  const calls = 'fsync,fdatasync'
  spawn('strace', [
    '-f',
    '-p',
    String(pid),
    '-y',
    '-o',
    file,
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${calls}:error=EIO`,
  ], { stdio: 'ignore' })
  await until(10_000, 'a tracer', () => isTraced(pid))
}

const failingDisk = async (kind: Kind): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-eio-'))
  const store = join(folder, 'store')
  mkdirSync(store, { mode: 0o700 })
  let broker = await keep(kind, store)
  try {
    await absent(broker.port)
    const writer = await five(broker.port, 'writer')
    assert.is(await writer.publish('t', 'before', { qos: 1 }), 0)
    const file = join(folder, 'trace')
    await poison(broker.pid, file)
    for (const packetId of [11, 12, 13]) {
      const payload = `after ${packetId}`
      writer.send(publishBytes({ level: 5, topic: 't', payload, qos: 1, packetId }))
    }
    const { status } = await broker.running.ended
    assert.match(readFileSync(file, 'utf8'), /(fsync|fdatasync).*EIO.*INJECTED/, 'it hit')
    assert.is(status, 1)
    assert.match(broker.said, /The store has failed, and nothing more can be promised: .*look at/)
    assert.equal(writer.answers, [], 'nothing is acknowledged')
    const hits = readFileSync(file, 'utf8').match(/INJECTED/g)!.length
    // The packaged library flushes once more as it closes, when nobody is left to be answered.
    assert.ok(hits <= (kind === 'node' ? 2 : 1), 'the flush that failed is not tried again')
    broker = await keep(kind, store)
    holdsAll(await drain(broker.port), ['before'])
  } finally {
    await broker.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What was stored is not served with another word in it. */
const flippedBit = async (kind: Kind): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-flip-'))
  const broker = await keep(kind, folder)
  await absent(broker.port)
  const writer = await five(broker.port, 'writer')
  assert.is(await writer.publish('t', 'pay 1000', { qos: 1 }), 0)
  writer.destroy()
  await broker.end()
  const file = join(folder, 'sabethes.sqlite3')
  const bytes = readFileSync(file)
  const at = bytes.indexOf('pay 1000')
  assert.ok(at > 0, 'the payload is in the file')
  bytes[at + 4]! ^= 8
  writeFileSync(file, bytes)
  const said = await keep(kind, folder).then(async (other) => {
    await other.end()
    return 'it starts'
  }, String)
  assert.match(said, /sabethes\.sqlite3 is damaged: message \d+ does not have its checksum/)
  rmSync(folder, { recursive: true, force: true })
}

for (const kind of runtimes) {
  disk(`a flipped bit is not served on ${kind}`, () => flippedBit(kind))
  disk(`a full disk on ${kind}`, () => fullDisk(kind))
  disk(`a recording that is asked for on a full disk on ${kind}`, () => fullAtTheStart(kind))
  disk(`a disk without room for a recording on ${kind}`, () => fullOfRecording(kind))
  disk(`at the edge of a full disk nobody waits on ${kind}`, () => edge(kind))
  disk(`a store that may not grow any more on ${kind}`, () => fullByOrder(kind))
  disk(`a flush that fails on ${kind}`, async () => {
    if (hasTracer) await failingDisk(kind)
    else skipped('a flush that fails', 'strace')
  })
}

disk.run()
