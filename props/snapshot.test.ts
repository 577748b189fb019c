// A broker that is being recorded writes itself down in portions between its turns: nobody waits
// for that, what is recorded is of the moment when it began, and what is missing of it is said.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import * as I from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import { encode } from '../core/codec/mod.ts'
import * as B from '../core/data/bytes.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as Queue from '../core/data/queue.ts'
import { initial, Packet, run } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import { sessionFor } from '../core/trace/explain-facts.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { createDriver } from '../shells/common/driver.ts'
import type { Driver } from '../shells/common/driver.ts'
import type { Host } from '../shells/common/host.ts'
import type { Link } from '../shells/common/link.ts'
import { printingLog } from '../shells/common/log.ts'
import type { Wire } from '../shells/common/outbox.ts'
import { Recorder } from '../shells/common/recorder.ts'
import type { RecordingOptions } from '../shells/common/recorder.ts'
import { linesIn, recorded, replayed } from './gen/recordings.ts'
import { hear } from './mouth.ts'

const snapshot = suite('snapshot')

/** Counts bytes, and takes them all. */
class Sink implements Wire {
  bytes = 0
  write(bytes: Uint8Array): boolean {
    this.bytes += bytes.length
    return true
  }
  pause(): void {}
  resume(): void {}
  released(): void {}
  end(): void {}
  destroy(): void {}
}

interface Client {
  readonly wire: Sink
  readonly link: Link
}

/** A driver whose clock goes on by this much whenever it is looked at. */
class World {
  time = 1_000
  tickMs = 0
  scheduled: (() => void) | null = null
  text = ''
  readonly said: Array<string> = []
  readonly driver: Driver
  private readonly host: Host
  private nonces = 0

  constructor() {
    this.host = {
      now: () => this.time += this.tickMs,
      wall: () => 1_800_000_000_000 + this.time,
      nonce: () => `00000000-0000-4000-8000-${String(this.nonces++).padStart(12, '0')}`,
      seed: 7,
      allocate: (bytes) => new Uint8Array(bytes),
      schedule: (turn) => this.scheduled = turn,
      arm: () => {},
      disarm: () => {},
      fatal: (error) => {
        throw error
      },
      memory: () => ({ heapUsedBytes: 0, heapLimitBytes: 1_000, usedBytes: 0, limitBytes: 1_000 }),
      collect: () => {},
    }
    const log = printingLog('quiet', () => {}, this.host.wall)
    this.driver = createDriver({ config: defaults, host: this.host, log })
  }

  say({ link }: Client, packet: Parameters<typeof encode>[1]): void {
    const bytes = encode(5, packet)
    this.driver.received(link, bytes, 0, bytes.length)
  }

  client(clientId: string, isKept: boolean): Client {
    const wire = new Sink()
    const link = this.driver.opened(wire, '1883', { address: '127.0.0.1', port: 40_000 })
    const client = { wire, link }
    const properties = isKept ? { sessionExpiryInterval: 0xffffffff } : {}
    this.say(client, Packet.connect({ clientId, level: 5, properties }))
    this.settle()
    return client
  }

  turn(): boolean {
    const turn = this.scheduled
    this.scheduled = null
    turn?.()
    return turn !== null
  }

  settle(): void {
    for (let isMore = true; isMore;) isMore = this.turn()
  }

  record(some: Partial<RecordingOptions> = {}): Recorder {
    this.text = ''
    const write = (bytes: Uint8Array): null => {
      this.text += new TextDecoder('latin1').decode(bytes)
      return null
    }
    const tapes = {
      holds: () => E.right(false),
      create: () => E.right({ write, close: () => {} }),
      rename: () => {},
    }
    const options = { tapes, path: 'p', bytesMax: null, payload: 'hash' as const, ...some }
    const recorder = new Recorder(options, this.host, (text) => this.said.push(text))
    this.driver.record(recorder)
    return recorder
  }
}

const payload = new TextEncoder().encode('as warm as yesterday')

/** 2,000 sessions with subscriptions, of which some are owed messages, and retained messages. */
const grown = (): { readonly world: World; readonly publisher: Client } => {
  const world = new World()
  for (let i = 0; i < 2_000; i++) {
    const client = world.client(`c${i}`, true)
    const filters = [`t/${i % 50}/#`, `own/${i}`]
    for (const filter of filters) world.say(client, Packet.subscribe({ filter, qos: 1 }))
    world.settle()
    if (i % 2 === 0) world.driver.closed(client.link, 'closed')
  }
  const publisher = world.client('publisher', false)
  for (let i = 0; i < 100; i++) {
    const packetId = 1 + (i % 10)
    const topic = `t/${i}/x`
    world.say(publisher, Packet.publish({ topic, payload, qos: 1, retain: true, packetId }))
    world.settle()
  }
  return { world, publisher }
}

const { world, publisher } = grown()
let published = 0

/** A message, and whether it is acknowledged in the turn that comes. */
const ask = (): boolean => {
  const before = publisher.wire.bytes
  const packetId = 1 + (published % 9)
  const topic = `t/${published++ % 60}/y`
  world.say(publisher, Packet.publish({ topic, payload, qos: 1, packetId }))
  world.turn()
  return publisher.wire.bytes > before
}

/** Lines of the snapshot so far. */
const portions = (text: string): number =>
  linesIn(text).filter((line) => line.startsWith('["s"')).length

const isWhole = (text: string): boolean => /^\["s",.*,false\]$/m.test(text)

/** The state that the recording began with, and that all of its runs came to the same. */
const played = (text: string): { readonly state: State; readonly runs: number } => {
  const found = replayed(text)
  const [began] = found
  assert.ok(began?._tag === 'Began')
  assert.equal(found.at(-1), { _tag: 'Ended', why: 'asked to' })
  const all = found.slice(1, -1)
  assert.ok(all.every((one) => one._tag === 'Ran' && one.isSame))
  return { state: began.state, runs: all.length }
}

snapshot('a turn writes no more of it than fits in two milliseconds, and serves meanwhile', () => {
  const before = world.driver.look()
  // Each look at the clock takes a millisecond: one before the first line, one after each.
  world.tickMs = 1
  const recorder = world.record()
  let written = 0
  let turns = 0
  for (; !isWhole(world.text); turns++) {
    assert.ok(turns < 5_000, 'it comes to an end')
    assert.ok(ask(), 'who publishes is answered in the turn that reads it')
    recorder.flush(world.time)
    const now = portions(world.text)
    assert.ok(now - written <= 2 + (turns === 0 ? 2 : 0), `${now - written} lines in a turn`)
    assert.ok(now > written, 'each turn writes some')
    written = now
  }
  assert.ok(turns > 100, `${turns} turns`)
  for (const line of linesIn(world.text)) {
    if (line.startsWith('["s"')) assert.ok((JSON.parse(line) as [string, []])[1].length <= 64)
  }
  // No turn more is asked for than without a recording.
  world.tickMs = 0
  world.settle()
  assert.is(world.turn(), false)
  assert.ok(ask())
  world.driver.record(null)
  const { state, runs } = played(world.text)
  assert.is(runs, turns + 1)
  assert.is(IntMap.size(state.sessions), IntMap.size(before.sessions))
  assert.is(IntMap.size(state.sessions), 2_001)
  assert.is(state.retained.size, before.retained.size)
  assert.is(state.now, before.now)
  assert.equal(world.said, [])
})

snapshot('a recording that is ended before it is whole is whole all the same', () => {
  world.tickMs = 1
  world.record()
  for (let i = 0; i < 5; i++) ask()
  world.driver.record(null)
  assert.ok(isWhole(world.text))
  assert.is(played(world.text).runs, 5)
})

snapshot('one that is whole can be played, with and without a run behind it', () => {
  for (const isAsked of [true, false]) {
    world.tickMs = 1
    const recorder = world.record()
    assert.ok(ask())
    world.settle()
    recorder.flush(world.time)
    assert.ok(isWhole(world.text))
    // Killed here, it is known how the broker was.
    assert.is(replayed(world.text)[0]?._tag, 'Began')
    if (isAsked) ask()
    world.driver.record(null)
    assert.is(played(world.text).runs, isAsked ? 2 : 1)
  }
})

snapshot('payloads are in it without what they share a buffer with', () => {
  const [away, there] = [{ slot: 1, generation: 1 }, { slot: 2, generation: 2 }]
  const enter = (conn: typeof away, clientId: string) => [
    I.opened(conn, 0, '0'.repeat(32), '1883', { address: '127.0.0.1', port: 5 }),
    I.arrived(
      conn,
      0,
      Packet.connect({ clientId, properties: { sessionExpiryInterval: 60 } }),
    ),
  ]
  const said = ['one', 'two', 'three'].map((text) => new TextEncoder().encode(text))
  // Those of one run are kept together.
  const [state] = run(initial(defaults, { at: 0, wall: 0, seed: 1 }), [
    ...enter(away, 'away'),
    I.arrived(away, 0, Packet.subscribe({ filter: 'd', qos: 1 })),
    I.closed(away, 0, 'closed'),
    ...enter(there, 'there'),
    ...said.map((payload, i) =>
      I.arrived(there, 0, Packet.publish({ topic: 'd', qos: 1, packetId: i + 1, payload }))
    ),
  ])
  const { text } = recorded(state, [])
  const written = text.split('\n').filter((line) => line.startsWith('["s"')).flatMap((line) =>
    (JSON.parse(line) as [string, ReadonlyArray<unknown>])[1]
  ).filter((node) => typeof node === 'string')
  const wanted = said.map((payload) => Buffer.from(payload).toString('base64'))
  for (const one of wanted) assert.ok(written.includes(one), `${one} is not in ${written}`)
  for (const node of written) assert.ok(node.length < 30, `${node.length} characters`)
  const [began] = replayed(text)
  assert.ok(began?._tag === 'Began')
  const queue = sessionFor(began.state, 'away')?.queue
  const waiting = queue === undefined ? [] : [...Queue.entries(queue)]
  assert.equal(
    waiting.map(({ message }) => 'payload' in message ? B.view(message.payload) : null),
    said,
  )
})

snapshot('it hurries where a file would else become far longer than allowed', () => {
  world.tickMs = 1
  const large = new Uint8Array(700_000)
  const recorder = world.record({ bytesMax: 40_000_000, payload: 'full' })
  let written = 0
  let most = 0
  let turns = 0
  for (; !isWhole(world.text); turns++) {
    assert.ok(turns < 1_000, 'it comes to an end')
    world.say(publisher, Packet.publish({ topic: 'large', payload: large }))
    world.turn()
    recorder.flush(world.time)
    most = Math.max(most, portions(world.text) - written)
    written = portions(world.text)
  }
  assert.ok(most > 10 && most <= 20, `${most} lines in a turn`)
  assert.ok(turns < written / 4, `${turns} turns for ${written} lines`)
  world.driver.record(null)
  assert.equal(world.said, [])
})

const folder = mkdtempSync(join(tmpdir(), 'sabethes-snapshot-'))
snapshot.after(() => rmSync(folder, { recursive: true, force: true }))

/** What the command says of a file of this, with its status. */
const asked = async (text: string) => {
  const path = join(folder, 'cut')
  writeFileSync(path, text)
  return hear(playRecording, path, '-q')
}

snapshot('of a broker that was killed before it is whole it is said what is missing', async () => {
  world.tickMs = 1
  const recorder = world.record()
  for (let i = 0; i < 5; i++) ask()
  recorder.flush(world.time)
  const { text } = world
  world.driver.record(null)
  assert.not.ok(isWhole(text))
  const { status, said, complained } = await asked(text)
  assert.is(status, 2)
  assert.match(
    complained,
    /; there it ends before the snapshot is whole: how the broker was .* 5 runs that it has/,
  )
  assert.not.match(said, /all came to what was recorded/)
})

snapshot('one that is larger than it may be is not written to its end', async () => {
  world.tickMs = 1
  const recorder = world.record({ bytesMax: 1_000_000 })
  for (let i = 0; i < 3_000 && !recorder.isOver; i++) assert.ok(ask())
  assert.ok(recorder.isOver)
  assert.not.ok(isWhole(world.text))
  assert.ok(world.text.length < 1_000_000, `${world.text.length} bytes`)
  assert.match(world.said.splice(0).join(), /1000000 is too small .* more than \d+ bytes .*least/)
  const { status, complained } = await asked(world.text)
  assert.is(status, 2)
  assert.match(complained, /before the snapshot is whole: .*\(trace_size is too small\)/)
})

snapshot(
  'a recording begins when it began, however long nobody has told the broker the time',
  () => {
    const quiet = new World()
    const client = quiet.client('c', false)
    for (const pause of [3_000, 20_000]) {
      quiet.time += pause
      quiet.say(client, Packet.publish({ topic: 't', payload }))
      quiet.settle()
    }
    quiet.time += 60_000
    quiet.record()
    quiet.driver.record(null)
    const [began] = replayed(quiet.text)
    assert.ok(began?._tag === 'Began')
    assert.is(began.head.at, 83_000)
    assert.is(began.head.wall, 1_800_000_000_000 + quiet.time)
  },
)

snapshot.run()
