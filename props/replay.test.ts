// A broker that records is the same broker: over real sockets, in a ring of files, and when the
// disk takes nothing more. What it wrote is replayed to the same, and told in words.

import { connect as dial } from 'node:net'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { Config } from '../core/broker/config.ts'
import type { Conn, Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import { encode } from '../core/codec/mod.ts'
import type { Level } from '../core/codec/packet.ts'
import { parseOptions, settingsFor } from '../core/config/command-line.ts'
import { replayWish } from '../core/config/replay-words.ts'
import { brokerConfig, noSources } from '../core/config/mod.ts'
import * as B from '../core/data/bytes.ts'
import { initial, Packet, run, runSome } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import type { TopicName } from '../core/topic/name.ts'
import { toldUnder } from '../core/trace/replay.ts'
import type { Found } from '../core/trace/replay.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { createScram, scramCredentials } from '../shells/common/scram.ts'
import { tapes } from '../shells/trace/tapes.ts'
import { Recorder } from '../shells/common/recorder.ts'
import type { RecordingOptions } from '../shells/common/recorder.ts'
import type { Tapes } from '../shells/common/tape.ts'
import type { Start } from '../shells/common/start.ts'
import { method, ScramClient } from './conformance/scram.ts'
import { settingsIn } from './gen/configurations.ts'
import { recorded, replayed } from './gen/recordings.ts'
import { hear } from './mouth.ts'

const replay = suite('replay')

const loadStart = async (): Promise<Start> =>
  'Deno' in globalThis
    ? (await import('../shells/deno/mod.ts')).start
    : (await import('../shells/node/mod.ts')).start

const allSame = (found: ReadonlyArray<Found>): void => {
  assert.is(found[0]?._tag, 'Began')
  assert.is(found.at(-1)?._tag, 'Ended')
  assert.ok(found.every((one) => one._tag !== 'Ran' || one.isSame))
}

/** Files in memory; `room` bytes fit. */
const inMemory = (room = Infinity): Tapes & { readonly files: Map<string, string> } => {
  const files = new Map<string, string>()
  let left = room
  return {
    files,
    holds: (path) => E.right((files.get(path) ?? '') !== ''),
    create: (path) => {
      files.set(path, '')
      return E.right({
        write: (bytes) => {
          left -= bytes.length
          if (left < 0) return 'no space left on device'
          // A file keeps the name that it gets later: look for the one that has no last line.
          files.set(path, (files.get(path) ?? '') + new TextDecoder().decode(bytes))
          return null
        },
        close: () => {},
      })
    },
    rename: (from, to) => {
      const text = files.get(from)
      if (text === undefined) return
      files.set(to, text)
      files.delete(from)
    },
  }
}

const nonce = '01234567-89AB-4CDE-8F01-23456789ABCD'
const conn = { slot: 0, generation: 1 }
const origin = { at: 0, wall: 1_700_000_000_000, seed: -3 }

const recorderOf = (some: Partial<RecordingOptions>): { recorder: Recorder; said: string[] } => {
  const said: Array<string> = []
  const options = { tapes: inMemory(), path: 'p', bytesMax: null, payload: 'full' as const }
  const host = { now: () => performance.now(), wall: () => origin.wall, nonce: () => nonce }
  return { recorder: new Recorder({ ...options, ...some }, host, (text) => said.push(text)), said }
}

/** A connected client, and then so many publishes of so many bytes. */
const feed = (recorder: Recorder, count: number, bytes: number): State => {
  let state = initial(defaults, origin)
  recorder.begin(state)
  const peer = { address: '127.0.0.1', port: 5 }
  const take = (input: Input): void => {
    recorder.input(input, null)
    const [next, effects] = run(state, [input])
    state = next
    recorder.ran(state, 1, effects)
    if (recorder.due() <= state.now) recorder.look(state.now)
  }
  take(I.opened(conn, 0, nonce, '1883', peer))
  take(I.arrived(conn, 0, Packet.connect({ clientId: 'a' })))
  for (let i = 0; i < count; i++) {
    const packet = Packet.publish({ topic: `t/${i % 10}`, payload: new Uint8Array(bytes) })
    take(I.arrived(conn, i, packet))
  }
  return state
}

replay(
  'a broker on sockets records what is replayed to the same, frames as they came',
  async () => {
    const start = await loadStart()
    for (const payload of ['full', 'hash', 'length'] as const) {
      const memory = inMemory()
      const recording = { tapes: memory, path: 'p', bytesMax: null, payload }
      const broker = await start({ ports: [0], hosts: ['127.0.0.1'], recording, print: () => {} })
      const socket = dial(broker.ports[0]!, '127.0.0.1')
      const topic = 't/u'
      const subscribe = Packet.subscribe({ filter: topic, qos: 1 })
      const hello = new TextEncoder().encode('hello over there')
      const publish = encode(5, Packet.publish({ topic, payload: hello, qos: 1, packetId: 7 }))
      let received = 0
      const answered = new Promise<void>((resolve) => {
        setTimeout(resolve, 5_000).unref()
        socket.on('data', (chunk) => {
          received += chunk.length
          if (received > 2 * hello.length + 20) resolve()
        })
      })
      socket.write(encode(5, Packet.connect({ clientId: 'a', level: 5 })))
      socket.write(encode(5, subscribe))
      socket.write(publish)
      socket.write(publish)
      await answered
      socket.destroy()
      await broker.stop()
      const text = memory.files.get('p')!
      const found = replayed(text)
      allSame(found)
      assert.ok(found.some((one) => one._tag === 'Ran' && one.batch.effects.length > 1))
      const frame = Buffer.from(publish).toString('base64')
      assert.is(text.includes(frame), payload === 'full')
      assert.is(text.split('\n').filter((line) => /^(\["f"|")/.test(line)).length, 3)
    }
  },
)

replay('recording can begin and end while the broker runs', async () => {
  const start = await loadStart()
  const memory = inMemory()
  const broker = await start({ ports: [0], hosts: ['127.0.0.1'], print: () => {} })
  broker.command({ _tag: 'Publish', packet: Packet.publish({ topic: 'a', payload: nothing }) })
  broker.record({ tapes: memory, path: 'p', bytesMax: null, payload: 'hash' })
  broker.command({ _tag: 'Publish', packet: Packet.publish({ topic: 'b', payload: nothing }) })
  await new Promise((resolve) => setTimeout(resolve, 20))
  broker.record(null)
  const text = memory.files.get('p')!
  broker.command({ _tag: 'Publish', packet: Packet.publish({ topic: 'c', payload: nothing }) })
  await broker.stop()
  assert.is(memory.files.get('p'), text)
  allSame(replayed(text))
  assert.match(text, /"topic":"b"/)
})

const nothing = new TextEncoder().encode('x')

replay('with a size it is a ring of four files, each of which can be replayed by itself', () => {
  const memory = inMemory()
  const { recorder, said } = recorderOf({ tapes: memory, bytesMax: 600_000 })
  feed(recorder, 4000, 300)
  recorder.stop('asked to')
  assert.equal([...memory.files.keys()].sort(), ['p', 'p.1', 'p.2', 'p.3'])
  assert.equal(said, [])
  let bytes = 0
  for (const text of memory.files.values()) {
    bytes += text.length
    const found = replayed(text)
    allSame(found)
    assert.ok(found[0]?._tag === 'Began' && found[0].state.sessions.size === 1)
  }
  assert.ok(bytes > 450_000 && bytes < 900_000, `${bytes} bytes`)
})

replay('inputs that came together and were run piece by piece are, and stay in one file', () => {
  const memory = inMemory()
  const { recorder, said } = recorderOf({ tapes: memory, bytesMax: 600_000 })
  let state = initial(defaults, origin)
  recorder.begin(state)
  const opened = I.opened(conn, 0, nonce, '1883', { address: '127.0.0.1', port: 5 })
  const batches: Array<ReadonlyArray<Input>> = [
    [opened, I.arrived(conn, 0, Packet.connect({ clientId: 'a' }))],
  ]
  for (let i = 0; i < 400; i++) {
    const packet = Packet.publish({ topic: `t/${i}`, payload: new Uint8Array(300) })
    batches.push(Array.from({ length: 10 }, () => I.arrived(conn, i, packet)))
  }
  let runs = 0
  for (const inputs of batches) {
    for (const input of inputs) recorder.input(input, null)
    for (let from = 0; from < inputs.length; from += 3) {
      const [next, effects, taken] = runSome(state, inputs.slice(from, from + 3), Infinity)
      state = next
      recorder.ran(state, taken, effects, from + taken === inputs.length)
      runs += 1
    }
    if (recorder.due() <= state.now) recorder.look(state.now)
  }
  recorder.stop('asked to')
  assert.equal(said, [])
  assert.is(memory.files.size, 4)
  let found = 0
  for (const text of memory.files.values()) {
    const some = replayed(text)
    allSame(some)
    for (const one of some) found += one._tag === 'Ran' ? 1 : 0
  }
  assert.ok(found > 200 && found <= runs, `${found} of ${runs} runs`)
})

replay('a size that the broker itself does not fit in ends the recording with a sentence', () => {
  const { recorder, said } = recorderOf({ bytesMax: 2_000 })
  recorder.begin(initial(defaults, origin))
  assert.ok(recorder.isOver)
  assert.match(said[0]!, /trace_size 2000 is too small.*Give it \d+/)
})

replay('a full disk ends the recording with a line in the log, and nothing else', () => {
  const { recorder, said } = recorderOf({ tapes: inMemory(100_000) })
  const state = feed(recorder, 2000, 100)
  assert.is(state.traffic.receivedPublishes, 2000)
  assert.ok(recorder.isOver)
  assert.equal(said, ['The recording p ends, the broker goes on: no space left on device.'])
  assert.is(recorder.due(), Number.MAX_SAFE_INTEGER)
})

replay('what cannot be opened is said', () => {
  const none: Tapes = {
    holds: () => E.right(false),
    create: () => E.left({ why: 'no such folder', remedy: null }),
    rename: () => {},
  }
  const { recorder, said } = recorderOf({ tapes: none })
  feed(recorder, 1, 1)
  assert.match(said[0]!, /p cannot be written: no such folder.*trace_file/)
})

replay('lines reach the file within a second or so', () => {
  const memory = inMemory()
  const { recorder } = recorderOf({ tapes: memory })
  recorder.begin(initial(defaults, origin))
  const before = memory.files.get('p')!
  recorder.input(I.ticked(5, origin.wall), null)
  assert.is(recorder.due(), 1000)
  recorder.flush(1000)
  assert.is(
    memory.files.get('p'),
    `${before}["i",{"_tag":"Ticked","at":5,"wall":${origin.wall}}]\n`,
  )
})

/** The program's answer to `sabethes replay FILE ...`. */
const asked = (...words: ReadonlyArray<string>) => hear(playRecording, ...words)

replay('the command tells what happened, all of it or a part', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-replay-'))
  try {
    const path = join(folder, 't')
    const { recorder } = recorderOf({ tapes, path })
    feed(recorder, 30, 2)
    recorder.stop('asked to')
    const whole = await asked(path)
    assert.is(whole.status, 0)
    assert.match(whole.said, /^Recorded by sabethes .* payloads: full; 0 sessions/)
    assert.match(whole.said, /\n0\.000s run 2\na> connect 'a'.*\n {4}- a connected/)
    assert.match(whole.said, /a> publish 't\/9' 0x0000\n/)
    assert.match(
      whole.said,
      /The recording ends: asked to\.\n32 runs with 32 inputs.*recorded\.\n$/,
    )
    const part = await asked(path, '--topic', 't/3', '--from', '0.010', '--until', '0.020')
    assert.equal(part.said.match(/publish '[^']*'/g), ["publish 't/3'"])
    // Who came before is known by name.
    for (const words of [[], ['--client', 'a']]) {
      const all = (await asked(path, ...words)).said
      const late = (await asked(path, ...words, '--from', '0.010')).said
      const start = all.search(/^0\.010s run/m)
      assert.ok(start > 0)
      assert.is(late, all.slice(0, all.indexOf('\n') + 1) + all.slice(start))
    }
    const one = await asked(path, '--client', 'b')
    assert.not.match(one.said, /publish/)
    assert.is(one.complained, "No client 'b' was seen in what was played: did you mean 'a'?\n")
    assert.is((await asked(path, '--client', 'a')).complained, '')
    const story = await asked(path, '--client', 'stranger', '--to-story')
    assert.is(story.complained, "No client 'stranger' was seen in what was played.\n")
    const quiet = await asked(path, '-q')
    assert.is(quiet.said.split('\n').length, 4)

    const text = readFileSync(path, 'latin1')
    writeFileSync(`${path}.gz`, gzipSync(text))
    assert.equal((await asked(`${path}.gz`)).said, whole.said)
    writeFileSync(`${path}.cut.gz`, gzipSync(text).subarray(0, 1000))
    assert.is((await asked(`${path}.cut.gz`, '-q')).status, 2)
    writeFileSync(`${path}.cut`, text.slice(0, -300))
    const cut = await asked(`${path}.cut`, '-q')
    assert.is(cut.status, 2)
    assert.match(cut.complained, /can be read up to line \d+; there it is no line/)
    assert.match(cut.said, /(29|30) runs/)
    assert.is((await asked(join(folder, 'none'))).status, 2)

    // A run that came to something else on the day: to nothing.
    const day = recorderOf({ tapes, path: `${path}.other` }).recorder
    day.begin(initial(defaults, origin))
    const peer = { address: '127.0.0.1', port: 5 }
    const input = I.opened(conn, 0, nonce, '1883', peer)
    day.input(input, null)
    day.ran(initial(defaults, origin), 1, [])
    day.stop('asked to')
    const other = await asked(`${path}.other`, '-q')
    assert.is(other.status, 1)
    assert.match(other.said, /Run 1 does not come to what was recorded[^]*open listener/)
    assert.match(other.said, /Before it: 0 connections, 0 sessions/)

    const config = join(folder, 'c')
    writeFileSync(config, 'listener 1883\nallow_anonymous true\nretain_available false\n')
    const under = await asked(path, '-q', '--config', config)
    assert.is(under.status, 1)
    assert.match(under.said, /- a< connack .*\n\+ a< connack .*retain-available 0/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** A day with a reload, and three messages for a client that is away. */
const reloaded = (config: Config): ReadonlyArray<Input> => {
  const [away, there] = [{ slot: 1, generation: 1 }, { slot: 2, generation: 2 }]
  const peer = { address: '127.0.0.1', port: 5 }
  const properties = { sessionExpiryInterval: 3600 }
  return [
    I.opened(away, 0, nonce, '1883', peer),
    I.arrived(away, 0, Packet.connect({ clientId: 'away', properties })),
    I.arrived(away, 0, Packet.subscribe({ filter: 'd', qos: 1 })),
    I.closed(away, 0, 'closed'),
    I.opened(there, 0, nonce, '1883', peer),
    I.arrived(there, 0, Packet.connect({ clientId: 'there' })),
    I.reconfigured(0, config),
    ...[1, 2, 3].map((packetId) =>
      I.arrived(there, 0, Packet.publish({ topic: 'd', qos: 1, packetId }))
    ),
  ]
}

replay('who is sent less under another configuration acknowledges the rest', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-less-'))
  try {
    const [phone, lamp] = [{ slot: 1, generation: 1 }, { slot: 2, generation: 2 }]
    const peer = { address: '127.0.0.1', port: 5 }
    type Answer = 'Puback' | 'Pubrec' | 'Pubrel' | 'Pubcomp'
    const told = (conn: Conn, _tag: Answer, packetId: number): Input =>
      I.arrived(conn, packetId, { _tag, packetId, reason: 0, properties: {} })
    const said = (packetId: number, topic: string, qos: 1 | 2): ReadonlyArray<Input> => [
      I.arrived(lamp, packetId, Packet.publish({ topic, qos, packetId })),
      ...(qos === 1 ? [told(phone, 'Puback', packetId)] : [
        told(lamp, 'Pubrel', packetId),
        told(phone, 'Pubrec', packetId),
        told(phone, 'Pubcomp', packetId),
      ]),
    ]
    const inputs = [
      I.opened(phone, 0, nonce, '1883', peer),
      I.arrived(
        phone,
        0,
        Packet.connect({ clientId: 'phone', properties: { receiveMaximum: 2 } }),
      ),
      I.arrived(phone, 0, Packet.subscribe({ filter: '#', qos: 2 })),
      I.opened(lamp, 0, nonce, '1883', peer),
      I.arrived(lamp, 0, Packet.connect({ clientId: 'lamp' })),
      ...said(1, 'secret', 1),
      ...said(2, 'a', 1),
      ...said(3, 'b', 2),
      ...said(4, 'c', 2),
      ...said(5, 'a', 1),
    ]
    const path = join(folder, 'day')
    writeFileSync(path, recorded(initial(defaults, origin), inputs).text)
    writeFileSync(join(folder, 'acl'), 'topic deny secret\ntopic #\n', { mode: 0o600 })
    const config = join(folder, 'conf')
    writeFileSync(config, `listener 1883\nallow_anonymous true\nacl_file ${folder}/acl\n`)
    const { said: text } = await asked(path, '-q', '--config', config)
    assert.equal(text.split('\n').filter((line) => /^[-+] /.test(line)), [
      '- phone< publish \'secret\' qos1 id1 ""',
      '- lamp< puback id1',
      '+ lamp< puback id1 0x87',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** What 'phone' sees otherwise where it is sent one message after the other, in runs of a size. */
const oneByOne = async (qos: 1 | 2, size: number): Promise<ReadonlyArray<string>> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-one-'))
  try {
    const [phone, lamp] = [{ slot: 1, generation: 1 }, { slot: 2, generation: 2 }]
    const peer = { address: '127.0.0.1', port: 5 }
    const topics = ['a', 'b', 'c', 'd']
    type Answer = 'Puback' | 'Pubrec' | 'Pubrel' | 'Pubcomp'
    const told = (conn: Conn, _tag: Answer, packetId: number): Input =>
      I.arrived(conn, 0, { _tag, packetId, reason: 0, properties: {} })
    const all = (conn: Conn, _tag: Answer): ReadonlyArray<Input> =>
      topics.map((_, i) => told(conn, _tag, i + 1))
    const inputs = [
      I.opened(phone, 0, nonce, '1883', peer),
      I.arrived(phone, 0, Packet.connect({ clientId: 'phone' })),
      I.arrived(phone, 0, Packet.subscribe({ filter: '#', qos })),
      I.opened(lamp, 0, nonce, '1883', peer),
      I.arrived(lamp, 0, Packet.connect({ clientId: 'lamp' })),
      ...topics.flatMap((topic, i) => {
        const sent = I.arrived(lamp, 0, Packet.publish({ topic, qos, packetId: i + 1 }))
        return qos === 1 ? [sent] : [sent, told(lamp, 'Pubrel', i + 1)]
      }),
      ...(qos === 1 ? all(phone, 'Puback') : [...all(phone, 'Pubrec'), ...all(phone, 'Pubcomp')]),
    ]
    const path = join(folder, 'day')
    writeFileSync(path, recorded(initial(defaults, origin), inputs, size).text)
    const config = join(folder, 'conf')
    writeFileSync(config, 'listener 1883\nallow_anonymous true\nmax_inflight_messages 1\n')
    const { said: text } = await asked(path, '-q', '--config', config)
    return text.split('\n').filter((line) => /^\+ phone(?!< connack)/.test(line))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

replay('acknowledgements of one run are of what is sent in it under another one', async () => {
  assert.equal(await oneByOne(1, 9), [
    '+ phone< publish \'b\' qos1 id2 ""',
    '+ phone< publish \'c\' qos1 id3 ""',
    '+ phone< publish \'d\' qos1 id4 ""',
  ])
})

replay('nobody ends what he has not begun under another configuration', async () => {
  assert.equal(await oneByOne(2, 1), ['+ phone< publish \'b\' qos2 id2 ""'])
})

replay('an exchange from before the recording ends under another configuration, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-before-'))
  try {
    const phone = { slot: 1, generation: 1 }
    const peer = { address: '127.0.0.1', port: 5 }
    const answer = { packetId: 1, reason: 0, properties: {} } as const
    const properties = { receiveMaximum: 1 }
    const [before] = run(initial(defaults, origin), [
      I.opened(phone, 0, nonce, '1883', peer),
      I.arrived(phone, 0, Packet.connect({ clientId: 'phone', properties })),
      I.arrived(phone, 0, Packet.subscribe({ filter: '#', qos: 2 })),
      ...[1, 2].flatMap((packetId) => [
        I.arrived(phone, 0, Packet.publish({ topic: 'a', qos: 2, packetId })),
        I.arrived(phone, 0, { _tag: 'Pubrel', ...answer, packetId }),
      ]),
      I.arrived(phone, 0, { _tag: 'Pubrec', ...answer }),
    ])
    const path = join(folder, 'day')
    writeFileSync(
      path,
      recorded(before, [I.arrived(phone, 0, { _tag: 'Pubcomp', ...answer })]).text,
    )
    const config = join(folder, 'conf')
    writeFileSync(config, 'listener 1883\nallow_anonymous true\n')
    const { said: text } = await asked(path, '--config', config)
    assert.match(text, /phone< publish 'a' qos2 id2 [^]*and all came to what was recorded/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay('a reload of the day does not bring its configuration to the other broker', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-reload-'))
  try {
    const path = join(folder, 'day')
    const narrow: Config = { ...defaults, queuedCountMax: 1 }
    writeFileSync(path, recorded(initial(narrow, origin), reloaded(narrow)).text)
    const config = join(folder, 'conf')
    const text = 'listener 1883\nallow_anonymous true\nmax_queued_messages '
    writeFileSync(config, `${text}50\n`)
    const under = await asked(path, '-q', '--config', config)
    assert.is(under.status, 1)
    assert.match(under.said, /- there< puback id2 0x97\n\+ there< puback id2\n/)
    assert.match(under.said, /- there< puback id3 0x97\n\+ there< puback id3\n/)
    writeFileSync(config, `${text}1\n`)
    assert.is((await asked(path, '-q', '--config', config)).status, 0, 'the same is the same')
    // Who tries another port is not turned away for that.
    writeFileSync(config, `${text}1\n`.replace('1883', '31010'))
    const moved = await asked(path, '-q', '--config', config)
    assert.is(moved.status, 0, moved.said)
    const why =
      'The other configuration has no listener 1883: connections of the day are taken to ' +
      'be of 31010 there.'
    assert.is(moved.said.split(why).length, 2, moved.said)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay('what another configuration changes is told of those who are asked for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-asked-'))
  try {
    const path = join(folder, 'day')
    const peer = { address: '127.0.0.1', port: 5 }
    const [ann, bob] = [{ slot: 1, generation: 1 }, { slot: 2, generation: 2 }]
    const enter = (to: typeof ann, clientId: string): ReadonlyArray<Input> => {
      const properties = { topicAliasMaximum: 5 }
      return [
        I.opened(to, 0, nonce, '1883', peer),
        I.arrived(to, 0, Packet.connect({ clientId, properties })),
        I.arrived(to, 0, Packet.subscribe({ filter: 'd/#', qos: 1 })),
        I.arrived(to, 0, Packet.subscribe({ filter: `own/${clientId}`, qos: 1 })),
      ]
    }
    const said = (at: number, topic: string, packetId: number): Input =>
      I.arrived(bob, at, Packet.publish({ topic, qos: 1, packetId }))
    const inputs = [
      ...enter(ann, 'ann'),
      ...enter(bob, 'bob'),
      said(1000, 'd/one', 1),
      said(2000, 'd/two', 2),
      said(3000, 'own/bob', 3),
      said(4000, 'd/two', 4),
    ]
    writeFileSync(path, recorded(initial(defaults, origin), inputs).text)
    const config = join(folder, 'conf')
    const text = 'listener 1883\nallow_anonymous true\n'
    writeFileSync(config, `${text}max_qos 0\n`)
    const changed = async (...words: ReadonlyArray<string>) => {
      const { said, status } = await asked(path, '-q', '--config', config, ...words)
      return { lines: said.split('\n').filter((line) => /^[-+] /.test(line)), said, status }
    }
    const all = (await changed()).lines
    const ofAnn = await changed('--client', 'ann')
    assert.is(ofAnn.status, 1)
    assert.equal(ofAnn.lines, all.filter((line) => / ann[< ]/.test(line)))
    assert.ok(ofAnn.lines.length > 0 && ofAnn.lines.length < all.length)
    // The broker says the topic once, and an alias from then on.
    const onTwo = await changed('--client', 'ann', '--topic', 'd/two')
    assert.is(onTwo.lines.length, 2, onTwo.said)
    for (const line of onTwo.lines) assert.match(line, /^- ann< publish/)
    const late = await changed('--client', 'ann', '--from', '3.5')
    assert.is(late.lines.length, 1, late.said)
    assert.match(late.said, /\n4\.000s run 12\n- ann< publish '' .*topic-alias/)
    const nothing = await changed('--client', 'ann', '--topic', 'own/#')
    assert.is(nothing.status, 0)
    assert.match(nothing.said, /were played\. Something differs in what was not asked for\.\n$/)
    writeFileSync(config, text)
    const same = await changed('--client', 'ann')
    assert.is(same.status, 0)
    assert.match(same.said, /were played, and all came to what was recorded\.\n$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay(
  'a packet that another configuration is too narrow for ends its connection there',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-narrow-'))
    try {
      const path = join(folder, 'day')
      const config = join(folder, 'conf')
      const peer = { address: '127.0.0.1', port: 5 }
      const client = (slot: number, level: Level, clientId: string, userName?: string) => {
        const to = { slot, generation: slot }
        const publish = Packet.publish({ topic: 'd', qos: 1, payload: new Uint8Array(90) })
        return [
          I.opened(to, 0, nonce, '1883', peer),
          I.arrived(to, 0, Packet.connect({ clientId, level, ...(userName && { userName }) })),
          I.arrived(to, 0, publish),
          I.arrived(to, 0, { _tag: 'Pingreq' }),
        ]
      }
      const inputs = [
        ...client(1, 5, 'a'),
        ...client(2, 4, 'b'),
        ...client(3, 4, 'c', 'u'.repeat(87)),
      ]
      const under = async (bytes: number): Promise<ReadonlyArray<string>> => {
        writeFileSync(config, `listener 1883\nallow_anonymous true\nmax_packet_size ${bytes}\n`)
        const { said } = await hear(playRecording, path, '-q', '--config', config)
        return [...said.matchAll(/^[-+] (?!a< connack).*$/gm)].map(([line]) => line)
      }
      // A PUBLISH of 98 bytes at level 5 and of 97 below it, and a CONNECT of 104.
      writeFileSync(path, recorded(initial(defaults, origin), inputs).text)
      const [a, b, c] = [
        ['- a< puback id1 0x10', '+ a< disconnect 0x95', '+ a close 0x95', '- a< pingresp'],
        ['- b< puback id1', '+ b close 0x95', '- b< pingresp'],
        ['- c< connack', '+ c close 0x95', '- c< puback id1', '- c< pingresp'],
      ]
      assert.equal(await under(104), [])
      assert.equal(await under(103), c)
      assert.equal(await under(98), c)
      assert.equal(await under(97), [...a, ...c])
      assert.equal(await under(96), [...a, ...b, ...c])

      // Who is connected when the recording begins has been told otherwise.
      const [before] = run(initial(defaults, origin), inputs.slice(0, 2))
      writeFileSync(path, recorded(before, inputs.slice(2, 4)).text)
      assert.equal(await under(50), [])
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

replay('under another configuration a reload of the day is still one', () => {
  const other: Config = { ...defaults, allowAnonymous: false }
  const day = reloaded(defaults)
  const told = toldUnder(day, other)
  assert.is(told.length, day.length)
  told.forEach((one, i) => {
    if (one._tag !== 'Reconfigured') assert.is(one, day[i])
    else assert.equal([one.at, one.config], [day[i]!.at, other])
  })
  assert.is(told.filter((one) => one._tag === 'Reconfigured').length, 1)
})

/** A day on which clients with these user names, or none, connect and subscribe. */
const connecting = (
  userNames: ReadonlyArray<string | null>,
  isJudged: boolean,
): ReadonlyArray<Input> =>
  userNames.flatMap((userName, i) => {
    const conn = { slot: i, generation: i + 1 }
    const peer = { address: '127.0.0.1', port: 5 }
    const password = new TextEncoder().encode('swordfish')
    const proof = userName === null ? {} : { userName, password }
    const connect = Packet.connect({ clientId: userName || 'nameless', ...proof })
    return [
      I.opened(conn, 0, nonce, '1883', peer),
      I.arrived(conn, 0, connect),
      ...isJudged ? [I.judged(conn, 0, 0)] : [],
      I.arrived(conn, 0, Packet.subscribe({ filter: 'd', qos: 1 })),
    ]
  })

/** A password file that knows `ann`, and where a configuration with it and a day go. */
const asking = (folder: string) => {
  const [users, conf, path] = ['users', 'conf', 'day'].map((name) => join(folder, name))
  writeFileSync(users!, `ann:$6$YWJj$${'A'.repeat(86)}==\n`, { mode: 0o600 })
  return { users: users!, conf: conf!, path: path! }
}
const guess = 'who names a user of a password file is taken to know his password.'
/** Who has to go. */
const texts = {
  'allow_anonymous true': ['bob'],
  'allow_anonymous false': ['nameless', 'bob'],
}

replay(
  'under a configuration with passwords it is said who is not let in, and no others',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-judging-'))
    try {
      const { users, conf, path } = asking(folder)
      const ways = [false, true].flatMap((isJudged) =>
        // An empty name is nobody's.
        [null, ''].map((nobody) => [isJudged, nobody] as const)
      )
      for (const [isJudged, nobody] of ways) {
        const config: Config = { ...defaults, authentication: isJudged ? 'judge' : 'none' }
        const inputs = connecting([nobody, 'ann', 'bob'], isJudged)
        for (const size of [1, inputs.length]) {
          if (isJudged && size > 1) continue
          writeFileSync(path, recorded(initial(config, origin), inputs, size).text)
          for (const [text, out] of Object.entries(texts)) {
            writeFileSync(conf, `listener 1883\npassword_file ${users}\n${text}\n`)
            const { said, status } = await asked(path, '-q', '--config', conf)
            assert.is(status, 1)
            const refused = [...said.matchAll(/^\+ (\w+)< connack 0x87$/gm)].map(([, who]) => who)
            assert.equal(refused, out, said)
            const unheard = [...said.matchAll(/^- (\w+)< suback/gm)].map(([, who]) => who)
            assert.equal(unheard, out, said)
            assert.is(said.includes(guess), !isJudged, said)
          }
        }
      }
      // Who may not come in without a name has nothing to prove one by.
      writeFileSync(path, recorded(initial(defaults, origin), connecting(['ann'], false)).text)
      writeFileSync(conf, 'listener 1883\nallow_anonymous false\n')
      assert.match((await asked(path, '-q', '--config', conf)).said, /\n\+ ann< connack 0x87\n/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

replay(
  'under a configuration that asks nobody who was refused is let in, and no more',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-judging-'))
    try {
      const [conf, path] = [join(folder, 'conf'), join(folder, 'day')]
      const peer = { address: '127.0.0.1', port: 5 }
      const day = (clientId: string, generation: number, verdict: number | null) => {
        const conn = { slot: 0, generation }
        const proof = { userName: clientId, password: new TextEncoder().encode('swordfish') }
        const will = { topic: 'd', payload: 'gone' }
        const inputs: Array<Input> = [
          I.opened(conn, generation, nonce, '1883', peer),
          I.arrived(conn, generation, Packet.connect({ clientId, ...proof, will })),
          I.ticked(generation, generation),
        ]
        if (verdict !== null) inputs.push(I.judged(conn, generation, verdict))
        if (verdict === 0) inputs.push(I.arrived(conn, generation, Packet.subscribe('d')))
        if (verdict !== 0x87) inputs.push(I.closed(conn, generation, 'closed'))
        return inputs
      }
      const inputs = [
        ...day('bob', 1, 0),
        ...day('eve', 2, 0x87),
        ...day('ann', 3, 0),
        // Goes before anybody has an answer.
        ...day('hasty', 4, null),
      ]
      const config: Config = { ...defaults, authentication: 'judge' }
      writeFileSync(path, recorded(initial(config, origin), inputs, 1).text)
      writeFileSync(conf, 'listener 1883\nallow_anonymous true\n')
      const { said, status } = await asked(path, '-q', '--config', conf)
      assert.is(status, 1)
      const lines = said.split('\n').filter((line) => /^[-+] /.test(line))
      assert.equal(lines.map((line) => line.replace(/(connack(?: 0x..)?).*/, '$1')), [
        '- eve< connack 0x87',
        '- eve close 0x87',
        '+ eve< connack',
        '+ hasty< connack',
      ], said)
      assert.is(said.split('is taken to leave when its place is').length, 2, said)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

replay('who was connected before the recording began is refused as well', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-judging-'))
  try {
    const { users, conf, path } = asking(folder)
    const publish = I.arrived({ slot: 1, generation: 2 }, 0, Packet.publish({ topic: 'd' }))
    const ended = (said: string): ReadonlyArray<string | undefined> =>
      [...said.matchAll(/^\+ (\w+)< disconnect 0x87$/gm)].map(([, who]) => who)
    for (const isJudged of [false, true]) {
      const config: Config = { ...defaults, authentication: isJudged ? 'judge' : 'none' }
      const [begun] = run(initial(config, origin), connecting([null, 'ann', 'bob'], isJudged))
      writeFileSync(path, recorded(begun, [publish]).text)
      // Clients of a listener that is no more are asked by the one that stands for it.
      for (const listener of ['1883', '31010']) {
        for (const [text, out] of Object.entries(texts)) {
          writeFileSync(conf, `listener ${listener}\npassword_file ${users}\n${text}\n`)
          const { said, status } = await asked(path, '-q', '--config', conf)
          assert.is(status, 1)
          assert.equal(ended(said), out, said)
          const unsent = [...said.matchAll(/^- (\w+)< publish/gm)].map(([, who]) => who)
          assert.equal(unsent, out, said)
          assert.not.match(said, /^\+ ann/m)
          assert.is(said.includes(guess), !isJudged, said)
          assert.is(said.includes('has no listener 1883'), listener !== '1883', said)
        }
      }
      writeFileSync(conf, 'listener 31010\nallow_anonymous true\n')
      const same = await asked(path, '-q', '--config', conf)
      assert.is(same.status, 0, same.said)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay('--topic has what comes and goes under topic aliases, from before as well', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-alias-'))
  try {
    const [one, other] = [{ slot: 1, generation: 1 }, { slot: 2, generation: 2 }]
    const peer = { address: '127.0.0.1', port: 5 }
    const properties = { topicAliasMaximum: 5 }
    const publish = (topic: string, payload: string, topicAlias: number): Input =>
      I.arrived(other, 0, {
        ...Packet.publish({ topic: 'd', payload, properties: { topicAlias } }),
        topic: topic as TopicName,
      })
    const inputs = [
      I.opened(one, 0, nonce, '1883', peer),
      I.arrived(one, 0, Packet.connect({ clientId: 'a', properties })),
      I.arrived(one, 0, Packet.subscribe('#')),
      I.opened(other, 0, nonce, '1883', peer),
      I.arrived(other, 0, Packet.connect({ clientId: 'p' })),
      publish('d', 'first', 3),
      publish('e', 'second', 4),
      publish('', 'third', 3),
      publish('', 'fourth', 4),
      publish('d', 'fifth', 4),
      publish('', 'sixth', 4),
    ]
    const path = join(folder, 'day')
    const all = ['first', 'third', 'fifth', 'sixth']
    for (const [began, words] of [[0, all], [7, all.slice(1)]] as const) {
      const [state] = run(initial(defaults, origin), inputs.slice(0, began))
      for (const size of [1, inputs.length]) {
        writeFileSync(path, recorded(state, inputs.slice(began), size).text)
        const { said } = await asked(path, '--topic', 'd')
        for (const mark of ['p>', '    a<']) {
          const lines = said.split('\n').filter((line) => line.startsWith(`${mark} publish`))
          assert.equal(lines.map((line) => /"(\w+)"/.exec(line)?.[1]), words, said)
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay(
  '--topic has what becomes of its messages, by the whole name and by that of clients',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-topic-'))
    try {
      const [away, up, down] = [1, 2, 3].map((slot) => ({ slot, generation: slot })) as [
        Conn,
        Conn,
        Conn,
      ]
      const peer = { address: '127.0.0.1', port: 5 }
      const will = { topic: 'd', payload: 'gone' }
      const properties = { sessionExpiryInterval: 60 }
      const publish = (conn: Conn, topic: string): Input =>
        I.arrived(conn, 0, Packet.publish({ topic, qos: 1, packetId: 1 }))
      const conf = 'max_queued_messages 1\nlistener 1883\nallow_anonymous true\n' +
        'listener 1884\nmount_point up/\nallow_anonymous true\n'
      const config: Config = { ...defaults, ...brokerConfig(settingsIn(conf)) }
      const inputs = [
        I.opened(away, 0, nonce, '1883', peer),
        I.arrived(away, 0, Packet.connect({ clientId: 'd', properties })),
        I.arrived(away, 0, Packet.subscribe({ filter: '#', qos: 1 })),
        I.closed(away, 0, 'closed'),
        I.opened(up, 0, nonce, '1884', peer),
        I.arrived(up, 0, Packet.connect({ clientId: 'up', will })),
        I.arrived(up, 0, Packet.subscribe('d')),
        I.opened(down, 0, nonce, '1883', peer),
        I.arrived(down, 0, Packet.connect({ clientId: 'down' })),
        publish(down, 'other'),
        publish(down, 'up/d'),
        publish(up, 'd'),
        publish(down, 'd'),
        I.closed(up, 0, 'closed'),
      ]
      const path = join(folder, 'day')
      writeFileSync(path, recorded(initial(config, origin), inputs, 1).text)
      const told = async (...words: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
        (await asked(path, ...words)).said.split('\n').filter((line) => /^[a-z ]/.test(line))
          .map((line) => line.trim().replace(/( id1)? "".*/, ''))
      const whole = [
        "down> publish 'up/d' qos1",
        "- dropped 'up/d' qos1 for 'd': queue full",
        "up< publish 'd'",
        "up> publish 'd' qos1",
        "- dropped 'up/d' qos1 for 'd': queue full",
        "up< publish 'd'",
      ]
      const end = ["- will of 'up' published: 'up/d'", "- dropped 'up/d' qos0 for 'd': offline"]
      assert.equal(await told('--topic', 'up/+'), [...whole, ...end])
      const plain = ["down> publish 'd' qos1", "- dropped 'd' qos1 for 'd': queue full"]
      assert.equal(await told('--topic', 'd'), [...whole, ...plain, ...end])
      assert.equal(await told('--topic', 'd', '--client', 'd'), [
        ...[whole[1], whole[4]],
        plain[1],
        end[1],
      ])
      // That a topic is called so is no reason.
      assert.equal(await told('--topic', 'd', '--client', 'up'), [
        ...whole.slice(2, 4),
        whole[5],
        end[0],
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

replay(
  'of a payload that is not there it says how long it was, and by what it is known',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-veiled-'))
    try {
      const said: Array<string> = []
      for (const payload of ['full', 'hash', 'length'] as const) {
        const path = join(folder, payload)
        const { recorder } = recorderOf({ tapes, path, payload })
        feed(recorder, 1, 20)
        recorder.stop('asked to')
        said.push((await asked(path)).said)
      }
      const shown = said.map((text) => /publish 't\/0' ([^\n]*)/.exec(text)?.[1])
      assert.is(shown[0], '0x00*20')
      assert.match(shown[1]!, /^\(20 bytes, ~[A-Za-z0-9+/]{11}\)$/)
      assert.is(shown[2], '(20 bytes)')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

replay('--step goes forwards and backwards, and shows the broker before a run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-step-'))
  try {
    const path = join(folder, 't')
    const { recorder } = recorderOf({ tapes, path })
    feed(recorder, 10, 2)
    recorder.stop('asked to')
    const stepped = async (...answers: Array<string>) => {
      let said = ''
      const status = await playRecording({
        say: (text) => said += text,
        complain: () => {},
        ask: () => answers.shift() ?? null,
      }, [path, '--step'])
      assert.equal(answers, [])
      const runs = [...said.matchAll(/run (\d+)\n/g)].map(([, run]) => Number(run))
      return { status, runs, said }
    }
    assert.equal((await stepped('n', '', 'b', 'b', 'n', 'q')).runs, [1, 2, 3, 2, 1, 2])
    assert.equal((await stepped('4', '-3', 'q')).runs, [1, 2, 3, 4, 5, 2])
    assert.equal((await stepped('b', '2', 'q')).runs, [1, 1, 2, 3])
    assert.equal((await stepped()).runs, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    const looked = await stepped('2', 's', '-1', 's', 'what', 'q')
    assert.match(looked.said, /1 connection, 1 session[^]*1 connection, 0 sessions[^]*q: no more/)
    assert.is(looked.status, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay('a recording whose name ends in .gz is gzipped, in a ring too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-gz-'))
  try {
    const path = join(folder, 't.gz')
    const { recorder } = recorderOf({ tapes, path, bytesMax: 600_000 })
    feed(recorder, 1500, 300)
    recorder.stop('asked to')
    for (const file of [path, `${path}.1`]) {
      assert.equal([...readFileSync(file).subarray(0, 2)], [0x1f, 0x8b])
      const { status, said } = await asked(file, '-q')
      assert.is(status, 0)
      assert.match(said, /The recording ends: [^]* runs with [1-9]\d+ inputs/)
      assert.not.match(said, /\b[01] runs? with/)
    }
    // Portions that came whole are there, although the last one did not.
    writeFileSync(`${path}.1`, readFileSync(`${path}.1`).subarray(0, -2000))
    const cut = await asked(`${path}.1`, '-q')
    assert.is(cut.status, 2)
    assert.match(cut.said, /[1-9]\d\d runs with/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay('a file that is not there is said, and nothing else', async () => {
  const { status, said, complained } = await asked('/nowhere/at/all')
  assert.equal([status, said], [2, ''])
  assert.match(complained, /^Error: \/nowhere\/at\/all cannot be read: .*ENOENT[^\n]*\n$/)
})

replay('files of a recording are moved and made anew, but nothing that is no file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-tapes-'))
  try {
    const path = join(folder, 't')
    for (const name of ['one', 'two']) {
      const { recorder } = recorderOf({ tapes, path })
      recorder.begin(initial({ ...defaults, version: name }, origin))
      recorder.stop(name)
    }
    assert.match(readFileSync(path, 'latin1'), /\["e","two"\]\n$/)
    assert.match(readFileSync(`${path}.1`, 'latin1'), /\["e","one"\]\n$/)
    const { recorder, said } = recorderOf({ tapes, path: folder })
    recorder.begin(initial(defaults, origin))
    assert.match(said[0]!, /it is a folder; name a file in it/)
    assert.match(readFileSync(path, 'latin1'), /two/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** What a broker is told of a client that goes through SCRAM-SHA-256, and of nothing else. */
const proving = async (): Promise<{ readonly config: Config; readonly inputs: Array<Input> }> => {
  const config: Config = { ...defaults, authenticationMethods: [method] }
  const made = await scramCredentials('pencil', new Uint8Array(16).fill(7), 4096)
  const know = createScram({ credentials: () => Promise.resolve(made), iterations: 4096 })
  const client = new ScramClient('user', 'pencil', 'client')
  const inputs: Array<Input> = []
  let state = initial(config, origin)
  let said: string | null = null
  const tell = async (input: Input): Promise<void> => {
    inputs.push(input)
    const [next, effects] = run(state, [input])
    state = next
    for (const effect of effects) {
      if (effect._tag === 'Ask') {
        await tell(I.answered(conn, 0, nonce, await know(effect.query)))
      } else if (effect._tag === 'Send' && effect.packet._tag === 'Auth') {
        const data = effect.packet.properties.authenticationData!
        said = new TextDecoder().decode(data.buffer.subarray(data.start, data.end))
      } else if (effect._tag === 'Send' && effect.packet._tag === 'Connack') {
        assert.is(effect.packet.reason, 0)
      }
    }
  }
  const of = (text: string) => ({
    authenticationMethod: method,
    authenticationData: B.of(new TextEncoder().encode(text)),
  })
  await tell(I.opened(conn, 0, nonce, '1883', { address: '127.0.0.1', port: 5 }))
  const properties = of(client.first())
  await tell(I.arrived(conn, 0, Packet.connect({ clientId: 'prover', level: 5, properties })))
  assert.ok(said !== null)
  await tell(I.arrived(conn, 0, { _tag: 'Auth', reason: 0x18, properties: of(client.final(said)) }))
  await tell(I.arrived(conn, 0, { _tag: 'Auth', reason: 0x19, properties }))
  return { config, inputs }
}

replay('of a client that a replay refuses for want of its secrets that is said', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-proof-'))
  try {
    const { config, inputs } = await proving()
    const path = join(folder, 't')
    writeFileSync(path, recorded(initial(config, origin), inputs).text)
    const whole = await asked(path, '-q')
    assert.is(whole.status, 1)
    assert.match(whole.said, /\nIn it 'prover' authenticates itself by 'SCRAM-SHA-256'\. A rec/)
    // One that was there before and does it once more.
    const [before] = run(initial(config, origin), inputs.slice(0, -2))
    writeFileSync(path, recorded(before, inputs.slice(-2)).text)
    const again = await asked(path, '-q')
    assert.is(again.status, 1)
    assert.match(again.said, /\nIn it prover authenticates itself by/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay('its words are taken or refused', () => {
  const wish = replayWish(['f', '--from', '1.5', '--step', '--topic', 'a/+'])
  assert.ok(E.isRight(wish) && wish.right !== null)
  assert.equal([wish.right.file, wish.right.from, wish.right.topic, wish.right.step], [
    'f',
    '1.5',
    'a/+',
    true,
  ])
  for (
    const words of [[], ['f', 'g'], ['f', '--from'], ['f', '--topic', 'a/#/b'], ['f', '-z']]
  ) assert.ok(E.isLeft(replayWish(words)), words.join(' '))
  const pcap = ['--to-pcapng', 'x']
  for (
    const [says, ...words] of [
      ['--to-pcapng writes all of it', ...pcap, '--client', 'a'],
      ['--to-pcapng writes all of it', ...pcap, '--topic', 'a'],
      ['--to-pcapng writes all of it', '--from', '1', ...pcap],
      ['--to-pcapng and --to-story', '--to-story', ...pcap],
      ['--to-pcapng and --to-recording', ...pcap, '--to-recording', 'y'],
      ['--step is for what is printed', '--step', '--to-story'],
      ['--step is for what is printed', '--to-recording', 'y', '--step'],
    ]
  ) {
    const refused = replayWish(['f', ...words])
    assert.is(E.isLeft(refused) && refused.left.slice(0, says!.length), says, words.join(' '))
  }
  assert.ok(E.isRight(replayWish(['f', ...pcap, '--until', '9', '-q', '--config', 'c'])))
  assert.equal(replayWish(['--help']), E.right(null))
})

/** Which runs of a recording are printed, by their numbers. */
const printed = async (path: string, ...words: ReadonlyArray<string>): Promise<string> =>
  [...(await asked(path, ...words)).said.matchAll(/^\d+\.\d+s run (\d+)$/gm)].map(([, n]) => n)
    .join()

replay('times are seconds, or dates by the clock on the wall as it is set then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-span-'))
  try {
    const path = join(folder, 'day')
    const wall = Date.UTC(2026, 10, 29, 7)
    // An hour is put on in the third second.
    const inputs = [0, 1, 2, 3, 4, 5].map((s) => I.ticked(s * 1000, wall + s * 1000))
      .map((one) => one.at < 3000 ? one : { ...one, wall: one.wall + 3_600_000 })
    writeFileSync(path, recorded(initial(defaults, { at: 0, wall, seed: 1 }), inputs, 1).text)
    const cases = [
      ['1,2,3,4,5,6'],
      ['2,3,4', '--from', '1', '--until', '3'],
      ['2,3', '--from', '2026-11-29T07:00:01Z', '--until', '2'],
      ['2', '--from', '2026-11-29T07:00:01Z', '--until', '2026-11-29T08:00:01+01:00'],
      // Nobody saw half past seven.
      ['4,5,6', '--from', '2026-11-29T07:30Z'],
      ['5', '--from', '2026-11-29T08:00:04Z', '--until', '2026-11-29T08:00:04Z'],
      ['', '--from', '2026-11-29T09:00Z'],
    ] as const
    for (const [runs, ...words] of cases) {
      assert.is(await printed(path, ...words), runs, words.join(' '))
    }
    const conn = { slot: 0, generation: 1 }
    const late = [
      I.opened(conn, 5000, nonce, '1883', { address: '127.0.0.1', port: 5 }),
      I.arrived(conn, 5000, Packet.connect({ clientId: 'late', level: 5 })),
    ]
    const text = recorded(initial(defaults, { at: 0, wall, seed: 1 }), [...inputs, ...late], 1).text
    writeFileSync(path, text)
    for (const [until, isIn] of [['08:00:05Z', true], ['08:00:04Z', false]] as const) {
      const words = ['--from', '2026-11-29T07:30Z', '--until', `2026-11-29T${until}`]
      const story = await asked(path, '--to-story', ...words)
      assert.is(story.said.includes('late> connect'), isIn, story.said)
    }
    for (
      const words of [['--from', 'x'], ['--until', '2026-13-01'], ['--from', '2', '--until', '1']]
    ) {
      const refused = await asked(path, ...words)
      assert.is(refused.status, 3, words.join(' '))
      assert.match(refused.complained, /is no time: write seconds|--from is later than --until/)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

replay('--trace names the file, whatever the configuration says', () => {
  const read = parseOptions(['--trace', '/x/y'])
  assert.ok(E.isRight(read) && read.right._tag === 'Run')
  const settings = settingsFor(read.right, noSources)
  assert.ok(E.isRight(settings))
  assert.is(settings.right.traceFile, '/x/y')
  assert.ok(E.isLeft(parseOptions(['--trace'])))
})

replay.run()
