// A recording that another thread writes is the one that the broker's own would have written, to
// the last byte, whatever the sizes; who asks for its end is answered when all of it is in the
// file; and a thread that cannot go on ends the recording, not the broker.

import { spawn } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import type { Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import { encode } from '../core/codec/mod.ts'
import { initial, Packet, run } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import { noteLine, Notes } from '../core/trace/notes.ts'
import type { Veil } from '../core/trace/veil.ts'
import { writeRecording } from '../shells/cli/material.ts'
import { Recorder } from '../shells/common/recorder.ts'
import type { RecordingOptions } from '../shells/common/recorder.ts'
import type { Tapes } from '../shells/common/tape.ts'
import { writeHere } from '../shells/common/writer.ts'
import type { Writer, Writers } from '../shells/common/writer.ts'
import { pageBytes, pageCount, places } from '../shells/trace/message.ts'
import { tapes } from '../shells/trace/tapes.ts'
import { writersInThread } from '../shells/trace/thread.ts'
import { restlessHistory, unproved } from './gen/histories.ts'
import { replayed, veilOf } from './gen/recordings.ts'
import { runs } from './gen/settings.ts'
import { record } from './model/play.ts'
import { root } from './runtimes.ts'

const tape = suite('tape')

const onDeno = 'Deno' in globalThis
const threadSource = new URL('../shells/trace/thread.ts', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'sabethes-tape-'))
tape.after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const fresh = (ending = ''): string => join(folder, `t${++files}${ending}`)

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

const until = async (what: string, done: () => boolean): Promise<void> => {
  for (let i = 0; i < 400; i++) {
    if (done()) return
    await sleep(25)
  }
  throw new Error(`waited 10 s in vain for ${what}`)
}

const endsWell = (text: string, why = 'asked to'): void => {
  const found = replayed(text)
  assert.is(found[0]?._tag, 'Began')
  assert.equal(found.at(-1), { _tag: 'Ended', why })
  assert.ok(found.every((one) => one._tag !== 'Ran' || one.isSame))
}

const conn = { slot: 0, generation: 1 }
const origin = { at: 0, wall: 1_700_000_000_000, seed: -3 }
const nonce = '01234567-89AB-4CDE-8F01-23456789ABCD'

// A thread on a machine with other work begins late.
const writeInThread = writersInThread({ patienceMs: 60_000 })

/** Built, on Node, where sources take a thread three times as long to begin. */
const writeInBuilt = onDeno ? writeInThread : writersInThread({
  patienceMs: 60_000,
  open: () =>
    new Worker(new URL('../dist/shells/trace/worker.js', import.meta.url), { execArgv: [] }),
})

// Notes straight to a writer

interface Day {
  readonly state: State
  readonly inputs: ReadonlyArray<Input>
  /** How many inputs a run takes. */
  readonly size: number
  /** In how many runs the snapshot is written. */
  readonly snapshotRuns: number
}

/** Notes inputs, those of a PUBLISH as one chunk of frames. */
const noteAll = (notes: Notes, inputs: ReadonlyArray<Input>): void => {
  const frames = inputs.map((one) =>
    one._tag === 'Arrived' && one.packet._tag === 'Publish' ? encode(5, one.packet) : none
  )
  const chunk = Buffer.concat(frames)
  let at = 0
  for (const [i, input] of inputs.entries()) {
    const { length } = frames[i]!
    if (length === 0) notes.input(input)
    else notes.input(input, 5, chunk, at, at + length)
    at += length
  }
}

const none = new Uint8Array(0)

const write = (writer: Writer, veil: Veil, path: string, day: Day): void => {
  const { inputs, size, snapshotRuns } = day
  assert.is(writer.begin(path), null)
  const notes = new Notes(veil, (end) => writer.turn(end))
  let { state } = day
  notes.begin(state, '1.2.3', writer.page)
  if (snapshotRuns === 0) { while (notes.isBehind) notes.more() }
  for (let from = 0; from < inputs.length; from += size) {
    const some = inputs.slice(from, from + size)
    noteAll(notes, some)
    const [next, effects] = run(state, some)
    if (from / size < snapshotRuns) notes.more()
    notes.mark(some.length, effects)
    state = next
  }
  notes.finish('asked to')
  notes.turn()
  writer.settle()
  writer.close()
}

/** What the thread has written, and what the broker's own would have. */
const both = (threaded: Writer, veil: Veil, day: Day): readonly [string, string] => {
  const path = fresh()
  write(threaded, veil, path, day)
  assert.is(threaded.fault, null)
  const bytes = readFileSync(path)
  assert.is(threaded.bytes, bytes.length)
  rmSync(path)
  const here = writeHere(veil, tapes)
  const other = fresh()
  write(here, veil, other, day)
  const expected = readFileSync(other, 'latin1')
  rmSync(other)
  return [bytes.toString('latin1'), expected]
}

/** For each kind of veil one thread, which many recordings are written with. */
const withThreads = (use: (writerOf: (veil: Veil) => Writer) => void): void => {
  const writers = new Map<string, Writer>()
  const writerOf = (veil: Veil): Writer => {
    const known = writers.get(veil.payload) ?? writeInThread(veil, tapes)
    writers.set(veil.payload, known)
    return known
  }
  try {
    use(writerOf)
  } finally {
    for (const writer of writers.values()) writer.end()
  }
}

const payloads = fc.constantFrom<Veil['payload']>('full', 'hash', 'length')

tape('the lines of any history are those that the broker itself would have written', () => {
  withThreads((writerOf) =>
    fc.assert(
      fc.property(
        restlessHistory(80).map(unproved),
        payloads,
        fc.integer({ min: 1, max: 30 }),
        fc.nat({ max: 99 }),
        fc.nat({ max: 20 }),
        (some, payload, size, part, snapshotRuns) => {
          const { inputs, states } = record(some)
          const from = Math.floor((inputs.length * part) / 100)
          const state = states[from]!
          const veil = veilOf(payload)
          const day = { state, inputs: inputs.slice(from), size, snapshotRuns }
          const [text, expected] = both(writerOf(veil), veil, day)
          assert.ok(text === expected, 'the lines are others')
          endsWell(text)
        },
      ),
      { numRuns: runs(60) },
    )
  )
})

/** A client that sends payloads of these sizes, each in a run of its own or all in one. */
const senderOf = (sizes: ReadonlyArray<number>): ReadonlyArray<Input> => [
  I.opened(conn, 0, nonce, '1883', { address: '127.0.0.1', port: 5 }),
  I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
  I.arrived(conn, 0, Packet.subscribe({ filter: '#', qos: 0 })),
  ...sizes.map((size, i) => {
    const payload = new Uint8Array(size)
    for (let at = 0; at < size; at++) payload[at] = at * 7 + i
    return I.arrived(conn, i, Packet.publish({ topic: 't', payload }))
  }),
]

const roomy = { ...defaults, packetBytesMax: 20_000_000 }

tape('a frame may end anywhere on a page, be larger than one, and than all of them', () => {
  const edge = fc.integer({ min: -60, max: 10 }).map((more) => pageBytes + more)
  withThreads((writerOf) =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(edge, fc.nat({ max: 300 }), fc.integer({ max: 700_000, min: 0 })), {
          minLength: 1,
          maxLength: 6,
        }),
        payloads,
        fc.integer({ min: 1, max: 8 }),
        (sizes, payload, size) => {
          const veil = veilOf(payload)
          const inputs = senderOf(sizes)
          const day = { state: initial(roomy, origin), inputs, size, snapshotRuns: 0 }
          const [text, expected] = both(writerOf(veil), veil, day)
          assert.ok(text === expected, 'the lines are others')
          endsWell(text)
        },
      ),
      { numRuns: runs(12) },
    )
  )
  withThreads((writerOf) => {
    for (const payload of ['full', 'hash', 'length'] as const) {
      const veil = veilOf(payload)
      const inputs = senderOf([20, pageCount * pageBytes + 100_000, 20])
      const day = { state: initial(roomy, origin), inputs, size: 1, snapshotRuns: 0 }
      const [text, expected] = both(writerOf(veil), veil, day)
      assert.ok(text === expected, 'the lines are others')
      endsWell(text)
    }
  })
})

tape('each page is written once, however often the broker waits for that', () => {
  const writer = writeInThread(veilOf('full'), tapes)
  try {
    const path = fresh()
    assert.is(writer.begin(path), null)
    const count = 30_000
    for (let i = 0; i < count; i++) {
      writer.page.set([noteLine, 6, 0, 0, 0])
      for (let at = 0; at < 6; at++) writer.page[5 + at] = String(100_000 + i).charCodeAt(at)
      writer.turn(11)
      if (i % 64 < 60) writer.settle()
    }
    writer.settle()
    assert.is(writer.fault, null)
    const lines = readFileSync(path, 'latin1').trimEnd().split('\n')
    assert.is(lines.length, count)
    assert.ok(lines.every((line, i) => Number(line) === 100_000 + i))
  } finally {
    writer.end()
  }
})

// A recorder with a thread

interface Hearing {
  readonly recorder: Recorder
  readonly said: ReadonlyArray<string>
}

const recorderOf = (some: Partial<RecordingOptions> & { readonly path: string }): Hearing => {
  const said: Array<string> = []
  const options = { tapes, bytesMax: null, payload: 'full' as const, writers: writeInBuilt }
  const host = { now: () => performance.now(), wall: () => origin.wall, nonce: () => nonce }
  return { recorder: new Recorder({ ...options, ...some }, host, (text) => said.push(text)), said }
}

/** A broker that is told things, and recorded. */
class Told {
  state: State = initial(roomy, origin)
  count = 0
  private readonly recorder: Recorder

  constructor(recorder: Recorder) {
    this.recorder = recorder
    recorder.begin(this.state)
    this.take(senderOf([]))
  }

  take(inputs: ReadonlyArray<Input>): void {
    const { recorder } = this
    for (const input of inputs) recorder.input(input, null)
    let effects: ReadonlyArray<Effect>
    ;[this.state, effects] = run(this.state, inputs)
    recorder.ran(this.state, inputs.length, effects)
    if (recorder.due() <= this.state.now) recorder.look(this.state.now)
  }

  publish(count: number, bytes: number, everyMs = 1): void {
    const payload = new Uint8Array(bytes).fill(count)
    for (let i = 0; i < count; i++) {
      const at = this.count++
      const packet = Packet.publish({ topic: `t/${at % 10}`, payload })
      this.take([I.arrived(conn, at * everyMs, packet)])
    }
  }
}

const linesOf = (path: string): number => readFileSync(path, 'latin1').split('\n').length - 1

tape('what was taken is in the file, whatever follows before the thread has looked', () => {
  const writer = writeInThread(veilOf('full'), tapes)
  try {
    const line = (text: string): void => {
      writer.page.set([noteLine, text.length, 0, 0, 0, ...Buffer.from(text)])
      writer.turn(5 + text.length)
    }
    for (let round = 0; round < 20; round++) {
      const [one, other] = [fresh(), fresh()]
      assert.is(writer.begin(one), null)
      for (let i = 0; i < 9; i++) line(`"${i}"`)
      writer.close()
      assert.is(writer.begin(other), null)
      line('"x"')
      writer.settle()
      assert.is(
        readFileSync(one, 'latin1'),
        Array.from({ length: 9 }, (_, i) => `"${i}"\n`).join(''),
      )
      assert.is(readFileSync(other, 'latin1'), '"x"\n')
      assert.is(writer.bytes, 4)
      assert.is(writer.waitingBytes, 0)
      writer.close()
    }
  } finally {
    writer.end()
  }
})

tape('`stop` and `save` answer when all of it is in the file', () => {
  for (const bytes of [10, 200_000]) {
    for (const how of ['stop', 'save'] as const) {
      const path = fresh()
      const { recorder, said } = recorderOf({ path })
      const told = new Told(recorder)
      told.publish(100, bytes)
      if (how === 'stop') recorder.stop('asked to')
      else recorder.save(told.state.now)
      const text = readFileSync(path, 'latin1')
      assert.is(recorder.isOver, true)
      assert.is(recorder.recorded().bytes, text.length)
      assert.equal(said, [])
      const found = replayed(text)
      assert.is(found.filter((one) => one._tag === 'Ran' && one.isSame).length, 101)
      assert.is(found.at(-1)?._tag, how === 'stop' ? 'Ended' : 'Broken')
      rmSync(path)
    }
  }
})

tape('a recorder with a thread turns its ring, and each file can be replayed by itself', () => {
  for (const ending of ['', '.gz']) {
    const path = fresh(ending)
    const { recorder, said } = recorderOf({ path, bytesMax: 600_000 })
    new Told(recorder).publish(4_000, 300)
    recorder.stop('asked to')
    assert.equal(said, [])
    let bytes = 0
    for (const name of [path, `${path}.1`, `${path}.2`, `${path}.3`]) {
      const file = readFileSync(name)
      bytes += file.length
      const text = (ending === '' ? file : gunzipSync(file)).toString('latin1')
      endsWell(text, name === path ? 'asked to' : 'it goes on in a newer file')
    }
    assert.ok(bytes > 10_000 && bytes < 900_000, `${bytes} bytes`)
    assert.ok(recorder.recorded().bytes >= bytes)
  }
})

tape('a ring turns as well where little comes in a second', () => {
  const path = fresh()
  const { recorder, said } = recorderOf({ path, bytesMax: 200_000 })
  new Told(recorder).publish(2_000, 100, 200)
  recorder.stop('asked to')
  assert.equal(said, [])
  for (const name of [path, `${path}.1`, `${path}.2`, `${path}.3`]) {
    const { length } = readFileSync(name)
    // A quarter, and what comes in a second.
    assert.ok(length < 60_000, `${length} bytes in one file`)
  }
})

tape('lines reach the file within a second or so, without another input', async () => {
  const path = fresh()
  const { recorder } = recorderOf({ path })
  const told = new Told(recorder)
  assert.ok(recorder.due() <= 1_000)
  recorder.look(1_000)
  await until('the lines', () => linesOf(path) >= 5)
  await until('rest', () => recorder.due() === Number.MAX_SAFE_INTEGER)
  recorder.stop('asked to')
  assert.is(told.count, 0)
})

/** Goes on publishing, one every 25 ms and a look as often, until the recording is over. */
const goOn = async (told: Told, recorder: Recorder): Promise<void> => {
  for (let i = 0; i < 400 && !recorder.isOver; i++) {
    told.publish(1, 10)
    recorder.look(told.state.now + 2_000)
    await sleep(25)
  }
  assert.ok(recorder.isOver, 'the recording goes on')
}

tape('a file that vanishes before the thread opens it ends the recording', async () => {
  const path = fresh()
  const vanishing: Tapes = {
    ...tapes,
    create: (name) => {
      const made = tapes.create(name)
      rmSync(name)
      return made
    },
  }
  const { recorder, said } = recorderOf({ path, tapes: vanishing })
  const told = new Told(recorder)
  await goOn(told, recorder)
  assert.is(said.length, 1)
  assert.match(said[0]!, /^The recording .* ends, the broker goes on: ENOENT/)
  assert.equal(recorder.recorded().bytes, 0)
  told.publish(10, 10)
})

tape(
  'a file that is removed later ends the recording as well, one that is moved does not',
  async () => {
    for (const writers of [writeInBuilt, writeHere]) {
      const path = fresh()
      const { recorder, said } = recorderOf({ path, writers })
      const told = new Told(recorder)
      await until('the file', () => {
        recorder.look(told.state.now + 2_000)
        return linesOf(path) >= 5
      })
      renameSync(path, `${path}.moved`)
      told.publish(1, 10)
      recorder.flush(told.state.now)
      assert.equal(recorder.isOver, false)
      rmSync(`${path}.moved`)
      await goOn(told, recorder)
      assert.is(said.length, 1)
      assert.match(said[0]!, /^The recording .* ends, the broker goes on: its file was removed\.$/)
      told.publish(10, 10)
    }
  },
)

tape('so does one that vanishes as the ring turns, and the older ones are good', async () => {
  const path = fresh()
  let made = 0
  const vanishing: Tapes = {
    ...tapes,
    create: (name) => {
      const one = tapes.create(name)
      if (++made === 3) rmSync(name)
      return one
    },
  }
  const { recorder, said } = recorderOf({ path, tapes: vanishing, bytesMax: 600_000 })
  const told = new Told(recorder)
  told.publish(1_500, 300)
  await goOn(told, recorder)
  assert.is(said.length, 1)
  assert.match(said[0]!, /ENOENT/)
  let bytes = 0
  for (const name of [`${path}.1`, `${path}.2`]) {
    const text = readFileSync(name, 'latin1')
    bytes += text.length
    endsWell(text, 'it goes on in a newer file')
  }
  assert.is(recorder.recorded().bytes, bytes)
})

tape('of a file that was just begun no bytes are counted, whatever the one before had', () => {
  const writer = writeInThread(veilOf('full'), tapes)
  assert.is(writer.begin(fresh()), null)
  const notes = new Notes(veilOf('full'), (end) => writer.turn(end))
  notes.begin(initial(defaults, { at: 0, wall: 1, seed: 1 }), '1', writer.page)
  notes.turn()
  writer.settle()
  assert.ok(writer.bytes > 0)
  assert.is(writer.begin(fresh()), null)
  assert.is(writer.bytes, 0)
  writer.settle()
  assert.is(writer.bytes, 0)
  writer.end()
})

tape('a path that cannot be created is said at once', () => {
  mkdirSync(join(folder, 'd'))
  for (const path of [join(folder, 'none', 'x'), join(folder, 'd'), '/dev/full']) {
    const { recorder, said } = recorderOf({ path })
    const told = new Told(recorder)
    assert.ok(recorder.isOver)
    told.publish(10, 10)
    recorder.stop('asked to')
    assert.is(said.length, 1)
    assert.ok(said[0]!.startsWith(`Nothing is recorded: ${path} cannot be written: `))
  }
})

tape('what is no recording stays, and so do older ones where nothing needs their place', () => {
  for (const ending of ['', '.gz']) {
    const path = fresh(ending)
    const textOf = (more = ''): string => readFileSync(path + more, 'latin1')
    const begin = (): ReadonlyArray<string> => {
      const { recorder, said } = recorderOf({ path, writers: writeHere })
      recorder.begin(initial(roomy, origin))
      recorder.stop('asked to')
      return said
    }
    const older = '{"recording":"sabethes","head":{}}\n'
    writeFileSync(path, 'listener 1883\n')
    writeFileSync(`${path}.1`, older)
    const why = 'it is there and is no recording; name another file'
    assert.equal(begin(), [`Nothing is recorded: ${path} cannot be written: ${why}.`])
    assert.is(textOf(), 'listener 1883\n')
    // As a full disk leaves it.
    writeFileSync(path, '')
    assert.equal(begin(), [])
    assert.is(textOf('.1'), older)
    const last = textOf()
    assert.equal(begin(), [])
    assert.equal([textOf('.1'), textOf('.2')], [last, older])
  }
})

tape('what has the name of an older file and is no recording stays as well', () => {
  const begin = (path: string, bytesMax: number | null): ReadonlyArray<string> => {
    const { recorder, said } = recorderOf({ path, bytesMax, writers: writeHere })
    recorder.begin(initial(roomy, origin))
    recorder.stop('asked to')
    return said
  }
  for (const ending of ['.1', '.3']) {
    const path = fresh()
    const other = path + ending
    writeFileSync(other, 'of somebody')
    const refused = (why: string): ReadonlyArray<string> => [
      `Nothing is recorded: ${path} cannot be written: an older recording would get the name ` +
      `${other}, and ${why}; move that away, or name another file.`,
    ]
    assert.equal(begin(path, 100_000), refused('it is there and is no recording'))
    // One file alone takes no place but its own.
    assert.equal(begin(path, null), [])
    const first = readFileSync(path, 'latin1')
    assert.equal(begin(path, null), refused('it is there and is no recording'))
    assert.is(readFileSync(other, 'latin1'), 'of somebody')
    rmSync(other)
    mkdirSync(other)
    assert.equal(begin(path, null), refused('it is a folder'))
    assert.is(readFileSync(path, 'latin1'), first)
  }
})

tape('what is there that is no file is named, with what to do about it', () => {
  const names = ['dangling', 'link', 'file', 'sabethes.sqlite3']
  const [dangling, link, file, store] = names.map((name) => join(folder, name))
  writeFileSync(store!, '')
  symlinkSync(join(folder, 'nowhere'), dangling!)
  writeFileSync(file!, '')
  symlinkSync(file!, link!)
  const table: ReadonlyArray<readonly [path: string, says: string]> = [
    [
      dangling!,
      'it is a symbolic link that leads nowhere, and none is followed; name the file itself, or ' +
      'remove the link.',
    ],
    [
      link!,
      'it is a symbolic link, and none is followed; name the file itself, or remove the link.',
    ],
    [folder, 'it is a folder; name a file in it.'],
    ['/dev/null', 'it is a device; name a file.'],
    [store!, 'it is a store of Sabethes; name another file.'],
  ]
  for (const [path, says] of table) {
    for (const writers of [writeHere, writeInBuilt]) {
      const { recorder, said } = recorderOf({ path, writers })
      new Told(recorder)
      assert.equal(said, [`Nothing is recorded: ${path} cannot be written: ${says}`])
    }
    const failed = writeRecording(path, initial(defaults, { at: 0, wall: 1, seed: 1 }), [])
    assert.is(`${failed}.`, `${path} cannot be written: ${says}`)
  }
  assert.ok(lstatSync(dangling!).isSymbolicLink())
})

/** A thread that takes so many pages, writes nothing, and then does this. */
const failing = (pages: number, then: string): Writers => {
  const code = `
    const { parentPort } = require('node:worker_threads')
    parentPort.once('message', ({ shared: { control } }) => {
      const numbers = new Int32Array(control)
      Atomics.store(numbers, ${places.isAsleep}, 1)
      for (let done = 0; done < ${pages}; done++) {
        while (Atomics.load(numbers, ${places.sent}) === done) {
          Atomics.wait(numbers, ${places.sent}, done)
        }
        Atomics.store(numbers, ${places.done}, done + 1)
        Atomics.notify(numbers, ${places.done})
      }
      ${then}
    })`
  return writersInThread({ open: () => new Worker(code, { eval: true }), patienceMs: 1_000 })
}

const ends = [
  ['throws', 'throw new Error("no more paper")', /it has failed: .*no more paper/],
  ['ends', 'process.exit(3)', /it has ended/],
] as const

for (const [how, then, expected] of ends) {
  tape(`a thread that ${how} ends the recording with one line`, async () => {
    const path = fresh()
    const { recorder, said } = recorderOf({ path, writers: failing(2, then) })
    const told = new Told(recorder)
    await goOn(told, recorder)
    assert.is(said.length, 1)
    assert.match(said[0]!, expected)
    told.publish(3, 300_000)
    recorder.stop('asked to')
    assert.is(said.length, 1)
  })
}

tape('one that does nothing more is waited for once, and not for long', () => {
  for (const stopEarly of [false, true]) {
    const path = fresh()
    const { recorder, said } = recorderOf({ path, writers: failing(3, '') })
    const told = new Told(recorder)
    let waits = 0
    const timed = (act: () => void): void => {
      const before = performance.now()
      act()
      const tookMs = performance.now() - before
      if (tookMs > 900) waits += 1
      assert.ok(tookMs < 5_000, `${tookMs} ms`)
    }
    for (let i = 0; i < (stopEarly ? 3 : 60); i++) timed(() => told.publish(1, 300_000))
    assert.is(recorder.isOver, !stopEarly)
    timed(() => recorder.stop('asked to'))
    assert.is(waits, 1)
    assert.equal(said, [
      `The recording ${path} ends, the broker goes on: nothing could be written for 1 s.`,
    ])
  }
})

tape('after twenty recordings there are no threads and no files open', async () => {
  const count = (): readonly [number, number] => [
    readdirSync('/proc/self/task').length,
    readdirSync('/proc/self/fd').length,
  ]
  const once = (): void => {
    const path = fresh()
    const { recorder } = recorderOf({ path })
    new Told(recorder).publish(2, 10)
    recorder.stop('asked to')
    endsWell(readFileSync(path, 'latin1'))
  }
  once()
  await sleep(200)
  const before = count()
  for (let i = 0; i < 20; i++) {
    once()
    await sleep(0)
  }
  await until('the end of the threads', () => {
    const now = count()
    return now[0] <= before[0] + 3 && now[1] <= before[1] + 3
  })
})

const script = (end: string): string => `
const { writeInThread } = await import('${threadSource.href}')
const { tapes } = await import('${new URL('../shells/trace/tapes.ts', import.meta.url).href}')
const writer = writeInThread({ payload: 'full', key: [1, 2] }, tapes)
writer.begin(process.argv.at(-1))
writer.turn(0)
${end}
console.log('the end of the program')
`

/** Answers the exit status of a program on this runtime that is killed after ten seconds. */
const exitOf = (text: string, path: string): Promise<number | null> => {
  const module = `import process from 'node:process'\n${text}`
  const words = onDeno
    ? ['eval', module, path]
    : ['--import', 'tsx', '--input-type=module', '-e', module, path]
  const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk) => said += chunk)
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearTimeout(timer)
      assert.match(said, /the end of the program/)
      resolve(status)
    })
  })
}

tape('a process ends by itself, whether its recording was ended or not', async () => {
  for (const end of ['writer.settle(); writer.close(); writer.end()', 'writer.settle()', '']) {
    assert.is(await exitOf(script(end), fresh()), 0, end)
  }
})

tape('a page that makes no sense ends the recording, and not the thread', () => {
  const writer = writeInThread(veilOf('full'), tapes)
  try {
    const spoilt = fresh()
    assert.is(writer.begin(spoilt), null)
    // A line, and a frame of more than there may be.
    const bad = [1, 5, ...new Array<number>(20).fill(0), 2, 0, 0, 0, 0, 0x30, 0xff]
    const page = [noteLine, 3, 0, 0, 0, ...Buffer.from('"a"'), ...bad]
    writer.page.set(page)
    writer.turn(page.length)
    writer.settle()
    assert.match(writer.fault!, /^its notes cannot be read: /)
    assert.is(readFileSync(spoilt, 'latin1'), '"a"\n', 'what was good is kept')
    const path = fresh()
    assert.is(writer.begin(path), null)
    writer.settle()
    assert.is(writer.fault, null)
    assert.is(writer.bytes, 0)
  } finally {
    writer.end()
  }
})

tape('what cannot be written is said in the words of the disk', () => {
  const writer = writeInThread(veilOf('full'), { ...tapes, create: () => full })
  try {
    assert.is(writer.begin('/dev/full'), null)
    writer.page.set([2, 1, 0, 0, 0, 0x78])
    writer.turn(6)
    writer.settle()
    assert.match(writer.fault!, /ENOSPC|No space left/i)
  } finally {
    writer.end()
  }
})

const full = E.right({ write: () => null, close: () => {} })

tape('a recording that has failed keeps nothing of the broker', async () => {
  // Deno collects when it likes.
  if (onDeno) return
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  assert.type(collect, 'function')
  const refusing = E.right({ write: () => 'no room', close: () => {} })
  const { recorder, said } = recorderOf({
    path: '/of/the/test',
    writers: writeHere,
    tapes: { holds: () => E.right(false), create: () => refusing, rename: () => {} },
  })
  // Its snapshot takes longer than one turn.
  const begin = (): WeakRef<State> => {
    const topics = Array.from({ length: 20_000 }, (_, i) => `t/${i}`)
    const inputs = topics.map((topic) =>
      I.arrived(conn, 0, Packet.publish({ topic, payload: 'x', retain: true }))
    )
    const [before] = run(initial(roomy, origin), senderOf([]))
    const [state] = run(before, inputs)
    recorder.begin(state)
    return new WeakRef(state)
  }
  const state = begin()
  assert.equal(recorder.isOver, true)
  assert.match(said[0]!, /no room/)
  await sleep(10)
  ;(collect as () => void)()
  assert.is(state.deref(), undefined)
})

tape('whoever starts a broker in a program records with a path alone', async () => {
  const { start } = onDeno
    ? await import('../shells/deno/mod.ts')
    : await import('../shells/node/mod.ts')
  const [first, second] = [fresh(), fresh()]
  const broker = await start({ ports: [0], hosts: ['127.0.0.1'], recording: { path: first } })
  assert.equal(broker.recorded()?.payload, 'hash')
  broker.record({ path: second, payload: 'full', bytesMax: null })
  assert.equal(broker.recorded()?.payload, 'full')
  await broker.stop()
  assert.is(broker.recorded()?.fault, null)
  for (const path of [first, second]) {
    const found = replayed(readFileSync(path, 'latin1'))
    assert.is(found[0]?._tag, 'Began')
    assert.is(found.at(-1)?._tag, 'Ended')
  }
})

tape('a broker that does not start takes the place of no recording', async () => {
  const { start } = onDeno
    ? await import('../shells/deno/mod.ts')
    : await import('../shells/node/mod.ts')
  const path = fresh()
  const how = { hosts: ['127.0.0.1'], recording: { path } }
  const broker = await start({ ...how, ports: [0] })
  const fails = (): void => {
    throw new Error('not today')
  }
  for (
    const [more, says] of [
      [{ ports: broker.ports }, /in use/],
      [{ ports: [0], listening: fails }, /not today/],
      [{ ports: [0], listening: () => Promise.resolve().then(fails) }, /not today/],
    ] as const
  ) {
    assert.match(await start({ ...how, ...more }).then(() => 'it started', String), says)
  }
  await broker.stop()
  assert.equal(readdirSync(folder).filter((name) => join(folder, name).startsWith(path)), [
    basename(path),
  ])
  assert.equal(replayed(readFileSync(path, 'latin1')).at(-1), {
    _tag: 'Ended',
    why: 'the broker has ended',
  })
})

tape.run()
