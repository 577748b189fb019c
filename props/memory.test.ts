// runs: node
//
// A flood for somebody who is away ends where memory does, in real processes on both runtimes: the
// broker keeps what fits, serves everybody else meanwhile, and is as it was when the session has
// been emptied. Queues have no limit here, or they would end the flood long before.

import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from './conformance/expect.ts'
import { Peer } from './conformance/peer.ts'
import { residentBytes, Running } from './conformance/subject.ts'
import { publishBytes } from './conformance/wire.ts'
import { findDeno, root } from './runtimes.ts'

const memory = suite('memory')

const MiB = 1024 * 1024
const limitBytes = 320 * MiB
const payload = new Uint8Array(16_384).fill(0x78)
/** As much as the limit: a third of it does not fit below the mark. */
const floodCount = 20_000
const burst = 200

const file = 'props/conformance/narrow.ts'
const deno = findDeno()

const commands: Readonly<Record<string, ReadonlyArray<string>>> = {
  node: [process.execPath, '--import', 'tsx', file, String(limitBytes)],
  ...(deno === null ? {} : {
    deno: [deno, 'run', '--no-prompt', '--allow-net', '--allow-env', file, String(limitBytes)],
  }),
}
if (deno === null) console.log('SKIPPED: memory on Deno because deno is missing')

const portOf = async (running: Running): Promise<number> => {
  let port = 0
  await until(20_000, 'the broker to say its port', () => {
    port = Number(/^port (\d+)$/m.exec(running.stdout)?.[1] ?? 0)
    return port > 0 || running.isEnded
  })
  assert.ok(port > 0, running.stderr)
  return port
}

const dial = async (port: number, id: string, level: 4 | 5, clean = true): Promise<Peer> => {
  const peer = await Peer.dial(port)
  await peer.connect({ id, level, clean, keepAliveS: 0 })
  return peer
}

/** Publishes so many messages at QoS 1, a burst at a time, each acknowledged. */
const flood = async (publisher: Peer, topic: string): Promise<void> => {
  for (let i = 0; i < floodCount; i += burst) {
    for (let id = 1; id <= burst; id++) {
      publisher.send(publishBytes({ level: 5, topic, payload, qos: 1, packetId: id }))
    }
    for (let id = 1; id <= burst; id++) await publisher.answer('PUBACK')
    publisher.history.length = 0
  }
}

for (const [name, command] of Object.entries(commands)) {
  memory(`${name}: a flood ends where memory does, and the broker goes on`, async () => {
    const running = new Running(command)
    try {
      const port = await portOf(running)
      const away = await dial(port, 'away', 4, false)
      await away.subscribe('flood', 1)
      await away.disconnect()
      const listener = await dial(port, 'listener', 5)
      await listener.subscribe('news/#', 1)

      const publisher = await dial(port, 'publisher', 5)
      await flood(publisher, 'flood')
      assert.not(running.isEnded)
      // Refusals begin a little before the mark at which the log says so: a broker that was busy
      // may see it only with the next look at its memory.
      await until(
        40_000,
        'memory to be short',
        () => /Warning: Memory is short/.test(running.stderr),
      )
      // The first flood that is refused fills what the engine keeps for young objects.
      await flood(publisher, 'flood')
      const full = residentBytes(running.pid)
      await flood(publisher, 'flood')
      const fuller = residentBytes(running.pid)
      if (full !== null && fuller !== null) {
        assert.ok(fuller - full < 64 * MiB, `${(fuller - full) / MiB} MiB more by another flood`)
      }

      // Everybody else is served, as far as nothing has to be kept for it.
      assert.is(await listener.publish('news/one', 'one', { qos: 1 }), 0)
      await listener.deliveries(1)
      await listener.publish('news/two', 'two')
      await listener.deliveries(2)
      assert.is(await listener.publish('flood', 'in vain', { qos: 1 }), 0x97)
      assert.is(await listener.publish('news/three', 'three', { qos: 2 }), 0x97)
      assert.equal(await listener.ask([{ filter: 'more', qos: 0 }]), [0x97])
      const stranger = await Peer.dial(port)
      assert.is((await stranger.greet({ id: 'stranger', level: 4 })).reason, 3)

      // The session is emptied, and then the stranger is let in.
      const back = await Peer.dial(port)
      let kept = 0
      await back.connect({ id: 'away', clean: false, keepAliveS: 0 })
      for (let before = -1; before < back.messages.length;) {
        before = back.messages.length
        await back.ping(30_000)
        await back.ping(30_000)
        kept = back.messages.length
      }
      assert.ok(kept * payload.length > 0.3 * limitBytes, `${kept} messages were kept`)
      assert.ok(kept * payload.length < limitBytes, `${kept} messages were kept`)
      await back.disconnect()
      await until(
        40_000,
        'memory to be free again',
        () => /There is enough memory again/.test(running.stderr),
      )
      const second = await dial(port, 'stranger', 4, false)
      await second.subscribe('flood', 1)
      assert.is(await listener.publish('flood', 'kept', { qos: 1 }), 0)
      assert.equal((await second.deliveries(1)).length, 1)
      assert.not(running.isEnded)
    } finally {
      running.signal('SIGKILL')
      await running.ended
    }
  })
}

const withSmallHeap: Readonly<Record<string, ReadonlyArray<string>>> = {
  node: [process.execPath, '--max-old-space-size=256', '--import', 'tsx', '-e'],
  ...(deno === null ? {} : { deno: [deno, 'eval', '--v8-flags=--max-old-space-size=256'] }),
}

for (const [name, [command, ...words]] of Object.entries(withSmallHeap)) {
  memory(`${name}: how large the heap may become is what the engine was told`, () => {
    const script = `import { createHost } from './shells/${name}/host.ts'
      console.log(createHost(() => {}).memory().heapLimitBytes)`
    const { stdout, stderr } = spawnSync(command!, [...words, script], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
    const mebibytes = Number(stdout) / MiB
    // Young objects have room beside it.
    assert.ok(mebibytes >= 256 && mebibytes < 512, `${stdout}${stderr}`)
  })
}

memory.run()
