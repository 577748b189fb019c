// The words on the command line and the words in the log. Mosquitto's options are understood or
// refused with a sentence, never ignored; what a peer chose cannot forge a line, hide one, or fill
// the disk.

import { defaults } from '../core/broker/config.ts'
import { send } from '../core/broker/effect.ts'
import * as I from '../core/broker/input.ts'
import type { Publish } from '../core/codec/packet.ts'
import * as B from '../core/data/bytes.ts'
import type { TopicName } from '../core/topic/name.ts'
import { connectionsWithin } from '../shells/common/start.ts'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Note } from '../core/mod.ts'
import { harmless, Log } from '../shells/common/log.ts'
import type { Verbosity } from '../shells/common/log.ts'
import type { StoreOptions } from '../shells/common/store.ts'
import { help, parseOptions } from '../shells/common/options.ts'
import { version } from '../shells/common/version.ts'
import { name } from './gen/histories.ts'
import { runs } from './gen/settings.ts'

const options = suite('options')

const asked = (line: string): unknown => {
  const parsed = parseOptions(line.split(' ').filter((word) => word !== ''))
  return parsed._tag === 'Left' ? parsed.left : parsed.right
}

const run = (
  ports: ReadonlyArray<number>,
  verbosity: Verbosity = 'normal',
  persistence: StoreOptions | null = null,
): unknown => ({ _tag: 'Run', ports, verbosity, persistence })

options('what mosquitto takes is taken', () => {
  const rows: ReadonlyArray<readonly [string, unknown]> = [
    ['', run([1883])],
    ['-p 21883', run([21883])],
    ['store verify data', { _tag: 'Store', action: 'verify', folder: 'data' }],
    ['store dump /var/lib/x', { _tag: 'Store', action: 'dump', folder: '/var/lib/x' }],
    ['--port 21883 -v', run([21883], 'verbose')],
    ['--verbose', run([1883], 'verbose')],
    ['-q', run([1883], 'quiet')],
    ['-v --quiet', run([1883], 'quiet')],
    ['-q -v', run([1883], 'quiet')],
    ['-p 1 -p 65535 -p 1', run([1, 65535])],
    ['--persistence true', run([1883], 'normal', { folder: '.', salvage: false })],
    [
      '--persistence-location data --max-store-bytes 1000000 --persistence true --salvage',
      run([1883], 'normal', { folder: 'data', salvage: true, storeBytesMax: 1_000_000 }),
    ],
    // What npm start says first, whoever comes after it can take back.
    ['--persistence true --persistence-location data --persistence false', run([1883])],
    ['-h', { _tag: 'Help' }],
    ['-p 5 --help', { _tag: 'Help' }],
    ['--version', { _tag: 'Version' }],
  ]
  for (const [line, wanted] of rows) assert.equal(asked(line), wanted, line)
})

options('what makes no sense is refused with a sentence that names it', () => {
  const rows: ReadonlyArray<readonly [string, RegExp]> = [
    ['-p', /^-p argument given but no port specified/],
    ['--port', /^--port argument given/],
    ['-p 0', /Invalid port specified \(0\)/],
    ['-p 65536', /Invalid port specified \(65536\)/],
    ['-p 1883x', /Invalid port/],
    ['-p -1', /Invalid port/],
    ['-p 1e3', /Invalid port/],
    ['-x', /^Unknown option '-x'/],
    ['-h -x', /^Unknown option '-x'/],
    ['1883', /^Unknown option '1883'/],
    ['--port=1883', /^Unknown option '--port=1883'/],
    ['--port=', /^Unknown option/],
    [Array.from({ length: 11 }, (_, i) => `-p ${i + 1}`).join(' '), /^Only 10 ports/],
    ['--persistence', /^--persistence wants .*true or false, not nothing/],
    ['--persistence yes', /^--persistence wants .*not yes/],
    ['--persistence-location', /^--persistence-location wants the name of a folder/],
    ['--max-store-bytes 1G', /^--max-store-bytes wants a number .*not 1G/],
    ['--max-store-bytes 0', /^--max-store-bytes wants a number/],
    ['-c mosquitto.conf', /^-c: .*not there yet.*-p/],
    ['--config-file x', /^--config-file: .*not there yet/],
    ['-d', /^-d: .*not there yet.*systemd/],
    ['--daemon', /^--daemon: /],
    ['--test-config', /^--test-config: .*not there yet/],
    ['--tls-keylog f', /^--tls-keylog: .*not there yet/],
  ]
  for (const [line, wanted] of rows) {
    const said = asked(line)
    assert.type(said, 'string', line)
    assert.match(String(said), wanted, line)
  }
})

options('ten ports are allowed', () => {
  const ports = Array.from({ length: 10 }, (_, i) => i + 1)
  assert.equal(asked(ports.map((port) => `-p ${port}`).join(' ')), run(ports))
})

options('any words get an answer', () => {
  const word = fc.oneof(
    fc.constantFrom('-p', '--port', '-v', '-q', '-c', '1883', '0', '-h', '__proto__', ''),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const parsed = parseOptions(words)
      if (parsed._tag === 'Left') assert.ok(parsed.left.length > 10)
      else if (parsed.right._tag === 'Run') {
        assert.ok(parsed.right.ports.length >= 1 && parsed.right.ports.length <= 10)
        for (const port of parsed.right.ports) assert.ok(port >= 1 && port <= 65535)
      }
    }),
    { numRuns: runs(300) },
  )
})

options('help names every option, within 80 columns', () => {
  const text = help('1.2.3')
  const kept = ['--persistence', '--persistence-location', '--max-store-bytes', '--salvage']
  for (
    const name of [...kept, '-p', '--port', '-v', '--verbose', '-q', '--quiet', '-h', '--version']
  ) {
    assert.ok(text.includes(name), name)
  }
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
})

options('the version is that of the package', () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  assert.is(JSON.parse(text).version, version)
})

options.run()

const log = suite('log')

const peer = { address: '10.42.0.3', port: 40123 }
const conn = { slot: 0, generation: 1 }

interface Written {
  readonly log: Log
  readonly lines: () => ReadonlyArray<string>
}

const written = (verbosity: Verbosity): Written => {
  let text = ''
  const into = new Log(verbosity, (more) => text += more, () => 1_600_000_000_999)
  const lines = (): ReadonlyArray<string> => {
    assert.ok(text === '' || text.endsWith('\n'))
    return text.split('\n').slice(0, -1)
  }
  return { log: into, lines }
}

const connected = (clientId: string, userName: string | null = null): Note => ({
  _tag: 'ClientConnected',
  conn,
  clientId,
  peer,
  level: 5,
  cleanStart: false,
  keepAliveS: 60,
  userName,
  sessionPresent: true,
})

const dropped = (clientId: string | null): Note => ({
  _tag: 'Dropped',
  clientId,
  topic: 'a/b',
  qos: 0,
  why: 'back-pressure',
})

log("notes read like mosquitto's lines", () => {
  const { log: into, lines } = written('normal')
  into.note({ _tag: 'ConnectionOpened', conn, listener: '1883', peer })
  into.note(connected('james bond'))
  into.note(connected('ev3', 'robot'))
  const ended = { _tag: 'ConnectionEnded', conn, clientId: 'x', peer, fault: null } as const
  into.note({ ...ended, ending: 'disconnected', reason: 0 })
  into.note({ ...ended, ending: 'exceeded timeout', reason: 0x8d })
  into.note({ ...ended, ending: 'session taken over', reason: 0x8e })
  into.note({
    ...ended,
    clientId: null,
    ending: 'protocol error',
    reason: 0x82,
    fault: { reason: 0x82, clause: 'MQTT-3.1.0-1', detail: 'too early', level: 0 },
  })
  assert.equal(lines(), [], 'lines are gathered')
  into.flush(1)
  assert.equal(
    lines(),
    [
      'New connection from 10.42.0.3:40123 on port 1883.',
      'New client connected from 10.42.0.3:40123 as james bond (p5, c0, k60).',
      "New client connected from 10.42.0.3:40123 as ev3 (p5, c0, k60, u'robot').",
      'Client x [10.42.0.3:40123] disconnected.',
      'Client x [10.42.0.3:40123] disconnected: exceeded timeout.',
      'Client x [10.42.0.3:40123] disconnected: session taken over.',
      'Client <unknown> [10.42.0.3:40123] disconnected: protocol error ' +
      '(too early, MQTT-3.1.0-1).',
    ].map((line) => `1600000000: ${line}`),
  )
})

log('what is sent under an alias is told by its topic, until the slot has another occupant', () => {
  const { log: into, lines } = written('verbose')
  const packet = (topic: TopicName | '', topicAlias: number): Publish => ({
    _tag: 'Publish',
    dup: false,
    qos: 0,
    retain: false,
    topic,
    packetId: 0,
    payload: B.empty,
    properties: { topicAlias },
  })
  const opened = (): void => into.input(I.opened(conn, 0, '', '1883', peer))
  opened()
  into.effect(send(conn, 5, packet(name('a/b'), 1)))
  into.effect(send(conn, 5, packet(name('c'), 2)))
  into.effect(send(conn, 5, packet('', 1)))
  opened()
  into.effect(send(conn, 5, packet('', 1)))
  into.flush(1)
  assert.equal(lines().map((line) => /'(.*)'/.exec(line)?.[1]), ['a/b', 'c', 'a/b', ''])
})

log('quiet prints errors and nothing else', () => {
  const { log: into, lines } = written('quiet')
  into.note(connected('x'))
  into.note(dropped('x'))
  into.line('something')
  into.warn('something')
  into.flush(5000)
  assert.equal(lines(), [])
  into.error('it broke')
  assert.equal(lines(), ['1600000000: Error: it broke'])
})

log('dropped messages are ten lines a second per client, and a count of the others', () => {
  const { log: into, lines } = written('normal')
  for (let i = 0; i < 1000; i++) into.note(dropped('slow'))
  for (let i = 0; i < 3; i++) into.note(dropped('other'))
  into.flush(100)
  assert.is(lines().length, 13)
  assert.is(into.due(), 1000)
  into.flush(999)
  assert.is(lines().length, 13)
  into.flush(1000)
  assert.is(lines().length, 14)
  assert.match(lines()[13]!, /Dropped 990 more messages for slow\.$/)
  assert.is(into.due(), Number.MAX_SAFE_INTEGER)
  into.note(dropped('slow'))
  into.flush(1001)
  assert.match(lines()[14]!, /Dropped message for slow \(q0, 'a\/b'\): back-pressure\.$/)
})

log('a message that nobody subscribed to is a line only when verbose', () => {
  for (const [verbosity, count] of [['normal', 0], ['verbose', 1]] as const) {
    const { log: into, lines } = written(verbosity)
    into.note({ _tag: 'Dropped', clientId: null, topic: 'a', qos: 1, why: 'no subscriber' })
    into.flush(1)
    assert.is(lines().length, count)
  }
})

// What could move the cursor, start a line, or make a terminal show something else than is there.
const harmful = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u
/** A surrogate without its other half. */
const lone = /\p{Cs}/u

log('whatever a client calls itself, it is one line and shows what is there', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100, size: '+2' }),
    fc.string({
      unit: fc.constantFrom(
        '\n',
        '\r',
        '\u001b',
        '\u0085',
        '\u2028',
        '\u202e',
        '\u2066',
        'a',
        '😀',
      ),
      maxLength: 100,
      size: '+2',
    }),
  )
  let cut = 0
  fc.assert(
    fc.property(nasty, nasty, (id, user) => {
      const { log: into, lines } = written('normal')
      into.note(connected(id, user))
      into.flush(1)
      assert.is(lines().length, 1)
      assert.not.match(lines()[0]!, harmful)
      assert.not.match(harmless(id), harmful)
      if (id.length > 64) {
        cut += 1
        assert.ok(harmless(id).endsWith('...'))
        assert.ok(harmless(id).length <= 64 * 6 + 3)
      }
      assert.ok(lone.test(id) || !lone.test(harmless(id)), 'no half of a pair')
    }),
    { numRuns: runs(500) },
  )
  assert.ok(cut > 0, 'long names were among them')
})

log('harmless text stays as it is', () => {
  for (const text of ['', 'james bond', 'Tür/Öl', '温度', "it's", 'a\\b', 'x'.repeat(64)]) {
    assert.is(harmless(text), text)
  }
  assert.is(harmless('a\nb\u0007\u202ec'), 'a\\x0ab\\x07\\u202ec')
  assert.is(harmless('x'.repeat(65)), `${'x'.repeat(64)}...`)
  assert.is(harmless(`${'x'.repeat(63)}😀`), `${'x'.repeat(63)}...`)
})

log('connections leave descriptors for everything else, and none is promised twice', () => {
  assert.is(connectionsWithin(1_024), 960)
  assert.is(connectionsWithin(256), 192)
  assert.is(connectionsWithin(255), defaults.connectionsMax)
  assert.is(connectionsWithin(Infinity), defaults.connectionsMax)
})

log.run()
