// runs: node
// Recording is switched on a running broker by its owner, through a socket that nobody else may
// connect to, that survives whatever comes in, and that is gone when the broker is.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answerLine,
  controlPath,
  orderText,
  readAnswer,
  readOrder,
} from '../core/config/control.ts'
import { defaultPersistence, defaultSettings } from '../core/config/mod.ts'
import { traceWish } from '../core/config/trace-words.ts'
import { encode, Packet } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import type { Found } from '../core/trace/replay.ts'
import { freePort } from './free-port.ts'
import { replayed } from './gen/recordings.ts'
import { runs } from './gen/settings.ts'
import { programsFor, root } from './runtimes.ts'
import { servedMs } from './served.ts'

const control = suite('control')

const runtimes = programsFor('sabethes trace')

const folder = mkdtempSync(join(tmpdir(), 'sabethes-control-'))
const children = new Set<ChildProcess>()
control.after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const asIs = process.getuid?.() === 0 ? 'user root\n' : ''

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

const until = async (what: string, done: () => boolean): Promise<void> => {
  for (let i = 0; i < 800; i++) {
    if (done()) return
    await sleep(25)
  }
  throw new Error(`waited 20 s in vain for ${what}`)
}

class Process {
  readonly child: ChildProcess
  said = ''
  complained = ''
  readonly ended: Promise<number | null>

  constructor(command: ReadonlyArray<string>, words: ReadonlyArray<string>) {
    const [first = '', ...rest] = command
    const stdio = ['ignore', 'pipe', 'pipe'] as const
    this.child = spawn(first, [...rest, ...words], { cwd: folder, stdio: [...stdio] })
    children.add(this.child)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.said += text)
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.complained += text)
    this.ended = new Promise((resolve) => this.child.on('close', resolve))
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return this.ended
  }
}

interface Place {
  readonly port: number
  readonly config: string
}

let places = 0
const place = async (lines: string): Promise<Place & { readonly at: string }> => {
  const at = join(folder, `b${++places}`)
  mkdirSync(at)
  const port = await freePort()
  const config = join(at, 'conf')
  const rest = lines.replaceAll('HERE', at)
  writeFileSync(config, `${asIs}listener ${port} 127.0.0.1\nallow_anonymous true\n${rest}`)
  return { port, config, at }
}

const begin = async (command: ReadonlyArray<string>, { config, port }: Place): Promise<Process> => {
  const broker = new Process(command, ['-c', config])
  await until(
    'a broker that listens',
    () => broker.complained.includes('running') || broker.child.exitCode !== null,
  )
  await until('a broker that serves', () => serves.has(port) || (probe(port), false))
  return broker
}

const serves = new Set<number>()
const probe = (port: number): void => {
  const socket = dial(port, '127.0.0.1')
  socket.on('connect', () => {
    serves.add(port)
    socket.destroy()
  })
  socket.on('error', () => {})
}

/** `sabethes trace ...` on Node, whatever the broker runs on. */
const ask = async (...words: ReadonlyArray<string>) => {
  const asked = new Process(runtimes[0]![1], ['trace', ...words])
  const status = await asked.ended
  return { status, said: asked.said, complained: asked.complained }
}

/** Publishes and waits until it is acknowledged. */
const publish = async (port: number, topic: string): Promise<void> => {
  const socket = dial(port, '127.0.0.1')
  let received = 0
  socket.on('data', (chunk) => received += chunk.length)
  socket.on('error', () => {})
  socket.write(encode(4, Packet.connect({ clientId: `p-${topic}`, level: 4 })))
  socket.write(encode(4, Packet.publish({ topic, payload: utf8('x'), qos: 1, packetId: 1 })))
  await until('an acknowledgement', () => received === 8)
  socket.end(encode(4, { _tag: 'Disconnect', reason: 0, properties: {} }))
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Whether all of a recording can be replayed to the same; and what is in it. */
const read = (path: string): { readonly text: string; readonly last: Found | undefined } => {
  const text = readFileSync(path, 'latin1')
  const found = replayed(text)
  for (const one of found) if (one._tag === 'Ran') assert.is(one.isSame, true)
  return { text, last: found.at(-1) }
}

/** Numbers are other ones each day. */
const timeless = (text: string): string => text.replace(/\d+/g, '0')

control('the page on recordings shows what the commands say', async () => {
  const path = join(root, 'core/trace/RECORDING.md')
  const page = readFileSync(path, 'utf8')
  const [, before, block, after] =
    /^([^]*<!-- of a broker that runs -->\n\n```text\n)([^]*?)(```\n[^]*)$/.exec(page) ?? []
  const here = await place('trace_file HERE/usual.trace\ntrace_on_start false\n')
  const broker = await begin(runtimes[0]![1], here)
  let said = ''
  for (const [line, words] of block!.matchAll(/^\$ sabethes (.*)$/gm)) {
    const asked = new Process(
      runtimes[0]![1],
      words!.split(' ').map((word) => /^day\.\w+$/.test(word) ? join(here.at, word) : word)
        .map((word) => word.endsWith('day.conf') ? here.config : word),
    )
    assert.is(await asked.ended, 0, asked.complained)
    said += `${line}\n${asked.said}`
    await publish(here.port, 'home/lamp')
  }
  assert.is(await broker.end(), 0)
  const wanted = said.replaceAll(`${here.at}/`, '')
  if (process.env['UPDATE'] !== undefined) writeFileSync(path, `${before}${wanted}${after}`)
  else assert.is(timeless(block!), timeless(wanted))
})

for (const [name, command] of runtimes) {
  control(
    `${name}: a zipped recording is moved along like others, other zipped files stay`,
    async () => {
      const here = await place('trace_file HERE/day.gz\ntrace_on_start false\n')
      const at = ['-c', here.config]
      const broker = await begin(command, here)
      for (let i = 0; i < 2; i++) {
        assert.is((await ask('start', ...at)).complained, '')
        assert.is((await ask('stop', ...at)).status, 0)
      }
      const letter = join(here.at, 'letter.gz')
      for (
        const bytes of [gzipSync('Dear Sir'), gzipSync('{"recording":"ours"'), [0x1f, 0x8b, 8]]
      ) {
        writeFileSync(letter, Uint8Array.from(bytes))
        assert.match(
          (await ask('start', letter, ...at)).complained,
          /letter\.gz cannot be written: it is there and is no recording; name another file\.\n$/,
        )
      }
      assert.is(await broker.end(), 0)
      assert.equal(readdirSync(here.at).sort(), ['conf', 'day.gz', 'day.gz.1', 'letter.gz'])
    },
  )

  control(`${name}: a broker that runs begins and ends recordings as it is told`, async () => {
    const here = await place('trace_file HERE/day.trace\ntrace_on_start false\n')
    const at = ['-c', here.config]
    const day = join(here.at, 'day.trace')
    const broker = await begin(command, here)
    await publish(here.port, 'too-early')
    assert.is(existsSync(day), false, 'it waits')
    assert.is(lstatSync(`${day}.sock`).mode & 0o777, 0o600)
    assert.equal(await ask('status', ...at), {
      status: 0,
      said: `Nothing is being recorded. sabethes trace start would record to ${day}.\n`,
      complained: '',
    })
    assert.equal(await ask('start', ...at), {
      status: 0,
      said: `Recording to ${day}, payloads: hash.\n`,
      complained: '',
    })
    await publish(here.port, 'in-time')
    assert.match(
      (await ask('start', 'other', ...at)).complained,
      /^Error: There is a recording to .*day\.trace already: sabethes trace stop ends it\.\n$/,
    )
    assert.match((await ask('status', ...at)).said, /^Recording to .*day\.trace.*; \d+ bytes so/)
    const stopped = await ask('stop', ...at)
    assert.is(stopped.said, `Recorded ${lstatSync(day).size} bytes to ${day}.\n`)
    await publish(here.port, 'too-late')
    const { text, last } = read(day)
    assert.equal(last, { _tag: 'Ended', why: 'asked to' })
    const topics = ['too-early', 'in-time', 'too-late'].filter((one) => text.includes(`p-${one}`))
    assert.equal(topics, ['in-time'])
    const again = await ask('stop', ...at)
    assert.is(again.status, 1)
    assert.is(again.complained, 'Error: Nothing is being recorded.\n')

    // A file that is gzipped has less than was recorded.
    const zipped = `${day}.gz`
    assert.is((await ask('start', zipped, ...at)).status, 0)
    await publish(here.port, 'zipped')
    const during = await ask('status', ...at)
    assert.match(during.said, /day\.trace\.gz.*; \d+ bytes so far \(before zipping\)\.\n$/)
    const whole = (await ask('stop', ...at)).said
    const unzipped = gunzipSync(readFileSync(zipped))
    assert.is(whole, `Recorded ${unzipped.length} bytes (before zipping) to ${zipped}.\n`)
    assert.ok(lstatSync(zipped).size < unzipped.length)

    // A relative name is meant where it is said.
    assert.is((await ask('start', 'other.trace', ...at)).status, 0)
    assert.ok(existsSync(join(folder, 'other.trace')))
    assert.is(await broker.end(), 0)
    assert.equal(read(join(folder, 'other.trace')).last, {
      _tag: 'Ended',
      why: 'the broker has ended',
    })
    assert.is(existsSync(`${day}.sock`), false, 'its socket is removed')
    assert.equal(readdirSync(here.at).sort(), ['conf', 'day.trace', 'day.trace.gz'])
    const gone = await ask('status', ...at)
    assert.is(gone.status, 1)
    assert.match(gone.complained, /^Error: no broker answers at .*day\.trace\.sock: there is no/)
  })

  control(`${name}: what was left behind is replaced, what is another's is not`, async () => {
    const here = await place('persistence true\npersistence_location HERE/store\n')
    const socket = join(here.at, 'store', 'sabethes.sock')
    const at = ['-c', here.config]
    const killed = await begin(command, here)
    await until('its socket', () => existsSync(socket))
    await killed.end('SIGKILL')
    assert.ok(existsSync(socket))
    assert.match((await ask('status', ...at)).complained, /nobody listens there any more/)
    const broker = await begin(command, here)
    const trace = join(here.at, 'x.trace')
    await until('its socket', () => existsSync(socket))
    assert.is((await ask('start', trace, ...at)).status, 0)
    assert.is(await broker.end(), 0)
    assert.is(existsSync(socket), false)

    writeFileSync(socket, 'mine')
    const other = await begin(command, here)
    await until(
      'a word about it',
      () =>
        other.complained.includes(
          'cannot be switched with sabethes trace: there is something else',
        ),
    )
    assert.is(await other.end(), 0)
    assert.is(readFileSync(socket, 'utf8'), 'mine')
  })

  control(`${name}: no garbage, no flood and no silence stops or slows the broker`, async () => {
    const here = await place('pid_file HERE/pid\n')
    const path = join(here.at, 'pid.sock')
    const broker = await begin(command, here)
    await until('its socket', () => existsSync(path))
    const sockets: Array<Socket> = []
    const say = (bytes: Uint8Array | string, after?: (socket: Socket) => void): void => {
      const socket = dial(path)
      socket.on('error', () => {})
      socket.write(bytes, () => after?.(socket))
      sockets.push(socket)
    }
    const megabyte = new Uint8Array(1024 * 1024).fill(0x78)
    for (let i = 0; i < 300; i++) say(i % 3 === 0 ? '' : i % 3 === 1 ? '\u0000\u001b[2J"{' : '[')
    for (let i = 0; i < 4; i++) say(megabyte, (socket) => socket.write(megabyte))
    for (const line of ['null\n', '[]\n', '["trace","start",7]\n', '["trace","start","x"]\n']) {
      say(line)
    }
    say(orderText({ action: 'status', file: null }), (socket) => socket.destroy())
    const before = servedMs()
    await publish(here.port, 'meanwhile')
    assert.ok(servedMs() - before < 2_000, 'the broker is slow')
    // Who says nothing is gone soon, and its owner is heard again.
    let answered = await ask('status', '-c', here.config)
    for (let i = 0; i < 5 && answered.status !== 0; i++) {
      await sleep(1_000)
      answered = await ask('status', '-c', here.config)
    }
    assert.is(answered.said, 'Nothing is being recorded.\n')
    assert.equal(await ask('start', '-c', here.config), {
      status: 1,
      said: '',
      complained: 'Error: Nothing says where to: sabethes trace start FILE, or trace_file.\n',
    })
    for (const socket of sockets) socket.destroy()
    assert.is(broker.child.exitCode, null)
    assert.is(await broker.end(), 0)
    assert.is(existsSync(path), false)
  })
}

control('a file that somebody may miss is not recorded over, and a folder is none', async () => {
  const here = await place('pid_file HERE/pid\n')
  const broker = await begin(runtimes[0]![1], here)
  const precious = join(here.at, 'letter.txt')
  writeFileSync(precious, 'Dear Sir')
  const at = ['-c', here.config]
  await until('its socket', () => existsSync(join(here.at, 'pid.sock')))
  assert.match(
    (await ask('start', precious, ...at)).complained,
    /: it is there and is no recording/,
  )
  assert.is(readFileSync(precious, 'utf8'), 'Dear Sir')
  symlinkSync(precious, join(here.at, 'link'))
  for (const name of [here.at, join(here.at, 'none', 'x'), join(here.at, 'link')]) {
    const answer = await ask('start', name, ...at)
    assert.is(answer.status, 1)
    assert.match(answer.complained, /^Error: Nothing is recorded: .* cannot be written: /)
  }
  assert.match((await ask('status', ...at)).said, /Nothing is being recorded\. Nothing is recorded/)
  const trace = join(here.at, 'x.trace')
  for (let i = 0; i < 2; i++) {
    assert.is((await ask('start', trace, ...at)).status, 0)
    assert.is((await ask('stop', ...at)).status, 0)
  }
  assert.ok(existsSync(`${trace}.1`), 'an older recording is kept')
  await broker.end()
})

control('a reload moves the socket with trace_file, and leaves a recording alone', async () => {
  const here = await place('trace_file HERE/one\ntrace_on_start false\n')
  const broker = await begin(runtimes[0]![1], here)
  await until('its socket', () => existsSync(join(here.at, 'one.sock')))
  const text = readFileSync(here.config, 'utf8')
  assert.is((await ask('start', '-c', here.config)).status, 0)
  writeFileSync(here.config, `${text}max_queued_messages 7\n`)
  broker.child.kill('SIGHUP')
  await until('the reload', () => broker.complained.includes('max_queued_messages'))
  assert.match((await ask('status', '-c', here.config)).said, /^Recording to .*one,/)
  writeFileSync(here.config, text.replace('/one', '/two'))
  broker.child.kill('SIGHUP')
  await until('the other socket', () => existsSync(join(here.at, 'two.sock')))
  assert.is(existsSync(join(here.at, 'one.sock')), false)
  assert.match((await ask('status', '-c', here.config)).said, /would record to .*two\.\n$/)
  await broker.end()
})

control('the socket lies where the store is, else beside trace_file or pid_file', () => {
  const persistence = { ...defaultPersistence, folder: '/v/' }
  const some = { ...defaultSettings, traceFile: '/t/x', pidFile: '/p/x' }
  assert.is(controlPath({ ...some, persistence }), '/v/sabethes.sock')
  assert.is(controlPath({ ...some, persistence: { ...persistence, folder: '' } }), 'sabethes.sock')
  assert.is(controlPath(some), '/t/x.sock')
  assert.is(controlPath({ ...some, traceFile: null }), '/p/x.sock')
  assert.is(controlPath({ ...some, traceFile: null, pidFile: null }), null)
})

control('without a place for a socket it is said what to set', async () => {
  const here = await place('')
  const answer = await ask('start', 'x', '-c', here.config)
  assert.is(answer.status, 1)
  assert.match(answer.complained, /Name those that it was started with, mostly -c/)
  assert.match(answer.complained, /set trace_file .*pid_file or persistence true/)
  const long = await place(`pid_file /${'x'.repeat(110)}\n`)
  assert.match((await ask('status', '-c', long.config)).complained, /longer than the 103 bytes/)
})

control('its words are taken or refused', () => {
  const wish = traceWish(['start', 'f', '-c', 'c', '--persistence', 'true'])
  assert.ok(E.isRight(wish) && wish.right !== null)
  assert.equal([wish.right.action, wish.right.file, wish.right.run.file], ['start', 'f', 'c'])
  for (const words of [[], ['begin'], ['stop', 'f'], ['start', ''], ['start', 'f', 'g']]) {
    assert.ok(E.isLeft(traceWish(words)), words.join(' '))
  }
  assert.equal(traceWish(['stop', '--help']), E.right(null))
  assert.equal(traceWish(['--help']), E.right(null))
})

control('what one side writes the other reads, and nothing else', () => {
  const order = fc.oneof(
    fc.record({
      action: fc.constantFrom('start' as const, 'stop' as const, 'status' as const),
      file: fc.constant(null),
    }, { noNullPrototype: true }),
    fc.record({
      action: fc.constant('start' as const),
      file: fc.string({ unit: 'binary' }).map((name) => `/${name.replaceAll('\0', '')}`),
    }, { noNullPrototype: true }),
  )
  const line = (text: string): string => {
    assert.is(text.indexOf('\n'), text.length - 1)
    return text.slice(0, -1)
  }
  fc.assert(
    fc.property(
      order,
      fc.constantFrom(0 as const, 1 as const),
      fc.string(),
      (one, status, says) => {
        assert.equal(readOrder(line(orderText(one))), E.right(one))
        assert.equal(readAnswer(line(answerLine({ status, says }))), { status, says })
      },
    ),
    { numRuns: runs(200) },
  )
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.ok(E.isLeft(readOrder(text)))
      const answer = readAnswer(text)
      assert.ok(answer === null || typeof answer.says === 'string')
    }),
    { numRuns: runs(300) },
  )
})

control.run()
