// The words in the log, which of them are wanted, and where they go. What a peer chose cannot forge
// a line, hide one, or fill the disk; a destination that fails never ends the broker.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { send } from '../core/broker/effect.ts'
import * as I from '../core/broker/input.ts'
import type { Publish } from '../core/codec/packet.ts'
import { defaultLog, logTypes } from '../core/config/settings.ts'
import type { LogDestination, LogSettings, LogType } from '../core/config/settings.ts'
import * as B from '../core/data/bytes.ts'
import { harmless } from '../core/log/harmless.ts'
import type { Verbosity } from '../core/log/settings.ts'
import { strftime } from '../core/log/strftime.ts'
import { Packet } from '../core/mod.ts'
import type { Note } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import type { TopicName } from '../core/topic/name.ts'
import { Limiter } from '../shells/common/limiter.ts'
import { Log, printingLog } from '../shells/common/log.ts'
import type { OpenOutlet, Outlet } from '../shells/common/outlet.ts'
import { skipped } from './conformance/expect.ts'
import { name } from './gen/histories.ts'
import { isShortRun, runs } from './gen/settings.ts'

const log = suite('log')

const peer = { address: '10.42.0.3', port: 40123 }
const conn = { slot: 0, generation: 1 }

interface Written {
  readonly log: Log
  readonly lines: () => ReadonlyArray<string>
}

const written = (verbosity: Verbosity): Written => {
  let text = ''
  const into = printingLog(verbosity, (more) => text += more, () => 1_600_000_000_999)
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
  const known = { clientId: 'x', wasAccepted: true, peer, fault: null } as const
  const ended = { _tag: 'ConnectionEnded', conn, ...known } as const
  into.note({ ...ended, ending: 'disconnected', reason: 0 })
  into.note({ ...ended, ending: 'exceeded timeout', reason: 0x8d })
  into.note({ ...ended, ending: 'session taken over', reason: 0x8e })
  const fault = { clause: 'MQTT-3.1.0-1', detail: 'too early', level: 0 } as const
  for (const reason of [0x82, 0x81, 0x95]) {
    const wrong = { ...ended, clientId: null, ending: 'protocol error', reason } as const
    into.note({ ...wrong, fault: { ...fault, reason } })
  }
  into.note({ ...ended, ending: 'not authorised', reason: 0x87, fault: { ...fault, reason: 0x87 } })
  into.note({ ...ended, ending: 'refused', reason: 0x9b, fault: { ...fault, reason: 0x9b } })
  into.note({ ...ended, ending: 'protocol error', reason: 0x9a, fault: { ...fault, reason: 0x9a } })
  for (
    const ending of [
      'max_connections exceeded',
      'max_connections_per_address exceeded',
      'connecting too often',
    ] as const
  ) {
    into.note({ ...ended, clientId: null, ending, reason: 0x97 })
  }
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
      // Scripts look for the sentence with its full stop, so what is ours stands below it.
      'Client <unknown> [10.42.0.3:40123] disconnected: protocol error.',
      '\ttoo early (MQTT-3.1.0-1)',
      'Client <unknown> [10.42.0.3:40123] disconnected: malformed packet.',
      '\ttoo early (MQTT-3.1.0-1)',
      'Client <unknown> [10.42.0.3:40123] disconnected: oversize packet.',
      '\ttoo early (MQTT-3.1.0-1)',
      'Client x [10.42.0.3:40123] disconnected: not authorised.',
      '\ttoo early (MQTT-3.1.0-1)',
      'Client x [10.42.0.3:40123] disconnected: QoS too high or retain not supported.',
      '\ttoo early (MQTT-3.1.0-1)',
      'Client x [10.42.0.3:40123] disconnected: QoS too high or retain not supported.',
      '\ttoo early (MQTT-3.1.0-1)',
      'Client connection from 10.42.0.3 denied: max_connections exceeded.',
      'Client connection from 10.42.0.3 denied: max_connections_per_address exceeded.',
      'Client connection from 10.42.0.3 denied: connecting too often.',
    ].map((line) => `1600000000: ${line}`),
  )
})

log('two clients with one identifier are a line that names both and says what to do', () => {
  const { log: into, lines } = written('normal')
  const rival = { address: '10.42.0.9', port: 40999 }
  into.note({ _tag: 'Contested', clientId: 'ESP8266\nClient', peers: [peer, rival] })
  into.flush(1)
  assert.equal(lines(), [
    '1600000000: Warning: Client ESP8266\\x0aClient is connected twice: 10.42.0.3:40123 and ' +
    '10.42.0.9:40999 throw each other out. Give each client an identifier of its own.',
  ])
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

log('dropped messages are ten lines in ten minutes per client, and a count of the others', () => {
  const { log: into, lines } = written('normal')
  for (let i = 0; i < 1000; i++) into.note(dropped('slow'))
  for (let i = 0; i < 3; i++) into.note(dropped('other'))
  into.flush(100)
  assert.is(lines().length, 26)
  assert.is(into.due(), 600_100)
  into.flush(600_099)
  assert.is(lines().length, 26)
  into.flush(600_100)
  assert.is(lines().length, 27)
  assert.match(lines()[26]!, /Dropped 990 more messages for slow\.$/)
  assert.is(into.due(), Number.MAX_SAFE_INTEGER)
  for (let i = 0; i < 11; i++) into.note(dropped('slow'))
  into.flush(700_000)
  into.flush(1_300_000)
  assert.match(lines()[47]!, /Dropped 1 more message for slow\.$/)
})

log('whose messages are dropped is said in the words of mosquitto, and which and why below', () => {
  const { log: into, to } = recorded({ timestamp: false })
  into.note(dropped('slow'))
  into.note({ _tag: 'Dropped', clientId: 'away', topic: 'a\nb', qos: 1, why: 'queue full' })
  into.note({ _tag: 'Dropped', clientId: 'small', topic: 'a', qos: 1, why: 'too large' })
  into.flush(1)
  assert.equal(to('stderr'), [
    'Outgoing messages are being dropped for client slow.',
    "\tback-pressure (q0, 'a/b')",
    'Outgoing messages are being dropped for client away.',
    "\tqueue full (q1, 'a\\x0ab')",
    "Dropped message for small (q1, 'a'): too large.",
  ])
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
  if (isShortRun(500)) return
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

/** A log whose destinations are arrays of lines; the ones in `broken` say why they cannot. */
const recorded = (
  settings: Partial<LogSettings>,
  broken: Map<string, string> = new Map(),
): {
  readonly log: Log
  readonly to: (destination: string) => ReadonlyArray<string>
  readonly complaints: ReadonlyArray<string>
  readonly closed: ReadonlyArray<string>
} => {
  const texts = new Map<string, string>()
  const complaints: Array<string> = []
  const closed: Array<string> = []
  const open: OpenOutlet = (destination) => {
    const key = destination.to === 'file' ? destination.path : destination.to
    if (broken.get(key) === 'absent') return E.left(`${key} cannot be opened`)
    const outlet: Outlet = {
      write: (lines) => {
        const why = broken.get(key) ?? null
        if (why === null) texts.set(key, (texts.get(key) ?? '') + lines)
        return why
      },
      reopen: () => broken.get(`anew ${key}`) ?? null,
      close: () => void closed.push(key),
    }
    return E.right(outlet)
  }
  const log = new Log(open, () => 1_600_000_000_999, (text) => complaints.push(text))
  assert.ok(E.isRight(log.reconfigure({ ...defaultLog, ...settings })))
  const to = (key: string): ReadonlyArray<string> => (texts.get(key) ?? '').split('\n').slice(0, -1)
  return { log, to, complaints, closed }
}

const oneOfEach: Readonly<Record<LogType, (log: Log) => void>> = {
  error: (into) => into.error('e'),
  warning: (into) => into.warn('w'),
  notice: (into) => into.note(connected('n')),
  information: (into) => into.line('i'),
  debug: (into) => into.input(I.arrived(conn, 0, { _tag: 'Pingreq' })),
  subscribe: (into) => into.note({ _tag: 'Subscribed', clientId: 'c', filter: 'a/#', qos: 1 }),
  unsubscribe: (into) => into.note({ _tag: 'Unsubscribed', clientId: 'c', filter: 'a/#' }),
  websockets: (into) => into.line('ws', 'websockets'),
  internal: (into) => into.line('internal', 'internal'),
}

log('a log is closed when its lines have been handed over, and in a second at most', async () => {
  const closing = async (close: () => Promise<void>): Promise<number> => {
    const outlet: Outlet = { write: () => null, reopen: () => null, close }
    const one = new Log(() => E.right(outlet), () => 0, () => {})
    assert.ok(E.isRight(one.reconfigure(defaultLog)))
    const from = performance.now()
    await one.close()
    return performance.now() - from
  }
  let isHandedOver = false
  await closing(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    isHandedOver = true
  })
  assert.ok(isHandedOver)
  assert.ok(await closing(() => new Promise(() => {})) >= 900)
})

log('each log type brings its own lines and no others', () => {
  for (const wanted of logTypes) {
    const { log: into, to } = recorded({ types: [wanted] })
    for (const type of logTypes) oneOfEach[type](into)
    into.flush(1)
    assert.is(to('stderr').length, 1, wanted)
    assert.is(into.verbose, wanted === 'debug')
  }
  const { log: into, to } = recorded({ types: logTypes })
  for (const type of logTypes) oneOfEach[type](into)
  into.flush(1)
  assert.is(to('stderr').length, logTypes.length)
  const nowhere = recorded({ types: logTypes, destinations: [] })
  assert.is(nowhere.log.verbose, false, 'what goes nowhere costs nothing')
})

log('of the will speaks who wants to hear of packets, with or without who comes', () => {
  const heard = (settings: Partial<LogSettings>): ReadonlyArray<string> => {
    const { log: into, to } = recorded({ timestamp: false, ...settings })
    into.input(I.arrived(conn, 0, Packet.connect({ clientId: 'x' })))
    into.note(connected('x'))
    into.flush(1)
    return to('stderr')
  }
  assert.equal(heard({ types: ['debug'] }), ['No will message specified.'])
  assert.is(heard({ types: ['notice', 'debug'] }).length, 2)
  assert.equal(heard({ types: ['notice', 'debug'], connectionMessages: false }), [])
})

log('a session whose time is over is a line of mosquitto, and what it took along below', () => {
  const { log: into, to } = recorded({ timestamp: false })
  const over = { _tag: 'SessionEnded', clientId: 'x', why: 'expired' } as const
  into.note({ ...over, messages: 0 })
  into.note({ ...over, messages: 1 })
  into.note({ ...over, why: 'clean start', messages: 2 })
  into.flush(1)
  assert.equal(to('stderr'), [
    'Expiring client x due to timeout.',
    'Expiring client x due to timeout.',
    '\t1 message with it.',
    'Session of x ended: clean start, 2 messages with it.',
  ])
})

log('without connection messages nobody hears who comes and goes', () => {
  const { log: into, to } = recorded({ connectionMessages: false })
  into.note({ _tag: 'ConnectionOpened', conn, listener: '1883', peer })
  into.note(connected('x'))
  const fault = null
  into.note({
    _tag: 'ConnectionEnded',
    conn,
    clientId: 'x',
    wasAccepted: true,
    peer,
    ending: 'disconnected',
    reason: 0,
    fault,
  })
  into.note({ _tag: 'StoreFree' })
  into.flush(1)
  assert.equal(to('stderr'), ['1600000000: There is room in the store again.'])
})

log('several destinations at once, each in its own form', () => {
  const destinations: ReadonlyArray<LogDestination> = [
    { to: 'stdout' },
    { to: 'file', path: '/x' },
    { to: 'syslog' },
    { to: 'topic' },
  ]
  const { log: into, to } = recorded({ destinations, facility: 'local3', types: logTypes })
  const published: Array<readonly [string, string]> = []
  into.line('starting')
  into.flush(1)
  assert.equal(published, [], 'nobody publishes before there is a broker')
  into.attach((topic, text) => published.push([topic, text]))
  for (const type of logTypes) oneOfEach[type](into)
  into.flush(2)
  assert.equal(to('stdout'), to('/x'))
  assert.is(to('stdout')[1], '1600000000: Error: e')
  assert.is(to('syslog')[1], '<155>Error: e')
  assert.equal(
    to('syslog').map((text) => Number(/^<(\d+)>/.exec(text)?.[1]) - 19 * 8),
    [6, 3, 4, 5, 6, 7, 5, 5, 7, 7],
  )
  assert.equal(
    published.map(([topic]) => topic.replace('$SYS/broker/log/', '')),
    ['I', 'E', 'W', 'N', 'I', 'M/subscribe', 'M/unsubscribe', 'WS'],
    'what is said of single packets is not published',
  )
  assert.equal(published[1], ['$SYS/broker/log/E', '1600000000: Error: e'])
})

log('where lines are only published, nothing is called per packet', () => {
  assert.is(recorded({ types: logTypes, destinations: [{ to: 'topic' }] }).log.verbose, false)
})

log('what is published as a line is no line itself, nor are the answers to it', () => {
  const { log: into, to } = recorded({ destinations: [{ to: 'topic' }, { to: 'stderr' }] })
  into.reconfigure({
    ...defaultLog,
    types: logTypes,
    destinations: [{ to: 'topic' }, { to: 'stderr' }],
  })
  let published = 0
  into.attach(() => published += 1)
  const packet: Publish = {
    _tag: 'Publish',
    dup: false,
    qos: 2,
    retain: false,
    topic: name('$SYS/broker/log/N'),
    packetId: 1,
    payload: B.empty,
    properties: {},
  }
  into.effect(send(conn, 5, packet))
  into.note({ _tag: 'Dropped', clientId: 'x', topic: packet.topic, qos: 2, why: 'queue full' })
  const answer = { packetId: 1, reason: 0, properties: {} }
  into.input(I.arrived(conn, 0, { _tag: 'Puback', ...answer }))
  into.input(I.arrived(conn, 0, { _tag: 'Pubrec', ...answer }))
  into.effect(send(conn, 5, { _tag: 'Pubrel', ...answer }))
  into.input(I.arrived(conn, 0, { _tag: 'Pubcomp', ...answer }))
  into.flush(1)
  assert.is(published, 0)
  assert.is(to('stderr').length, 4, 'elsewhere the answers are told')
})

log('a destination that fails is said once, counted, and used again when it can be', () => {
  const broken = new Map<string, string>()
  const file: LogDestination = { to: 'file', path: '/full' }
  const { log: into, to, complaints } = recorded({ destinations: [file] }, broken)
  into.line('first')
  into.flush(1)
  broken.set('/full', 'no space left')
  for (let i = 0; i < 5; i++) {
    into.line('lost')
    into.flush(2)
  }
  assert.is(complaints.length, 1)
  assert.match(complaints[0]!, /not written to \/full: no space left/)
  assert.is(into.lostCount, 5)
  broken.clear()
  into.line('last')
  into.flush(3)
  assert.match(complaints[1]!, /again; 5 lines are lost/)
  assert.equal(to('/full'), ['1600000000: first', '1600000000: last'])
})

log('a reload keeps what stays, closes what goes, and changes nothing if it fails', () => {
  const broken = new Map([['/bad', 'absent']])
  const file: LogDestination = { to: 'file', path: '/a' }
  const { log: into, to, closed } = recorded({ destinations: [file, { to: 'stdout' }] }, broken)
  const bad: LogDestination = { to: 'file', path: '/bad' }
  const refused = into.reconfigure({ ...defaultLog, destinations: [{ to: 'stderr' }, bad] })
  assert.equal(refused, E.left('/bad cannot be opened'))
  assert.equal(closed, ['stderr'], 'what was opened for nothing')
  into.line('one')
  into.flush(1)
  assert.is(to('/a').length, 1)
  into.reconfigure({ ...defaultLog, types: ['error'], destinations: [file] })
  into.reopen()
  assert.equal(closed, ['stderr', 'stdout'])
  into.line('two')
  into.error('three')
  into.flush(2)
  assert.equal(to('/a'), ['1600000000: one', '1600000000: Error: three'])
})

log('a file that cannot be begun anew goes on, and says so where it can be read', () => {
  const broken = new Map([['anew /a', 'EACCES']])
  const destinations: ReadonlyArray<LogDestination> = [{ to: 'file', path: '/a' }]
  const { log: into, to, complaints } = recorded({ destinations }, broken)
  into.reopen()
  into.line('after')
  into.flush(1)
  const [warning = '', after] = to('/a')
  assert.match(warning, 'Warning: The log file /a cannot be opened anew: EACCES.')
  assert.match(complaints.join(), warning.slice('1600000000: '.length))
  assert.is(after, '1600000000: after')
})

log('a change of the log can be taken back until it is final, without opening anything', () => {
  const broken = new Map<string, string>()
  const old: LogDestination = { to: 'file', path: '/root/only' }
  const next: LogDestination = { to: 'file', path: '/new' }
  const { log: into, to, closed } = recorded({ destinations: [old] }, broken)
  broken.set('/root/only', 'absent')
  assert.ok(E.isRight(into.reconfigure({ ...defaultLog, destinations: [next] })))
  into.line('there')
  into.flush(1)
  assert.equal(closed, [])
  assert.ok(E.isRight(into.reconfigure({ ...defaultLog, destinations: [old] })))
  broken.clear()
  into.reopen()
  into.line('here again')
  into.flush(2)
  assert.equal(closed, ['/new'])
  assert.equal([to('/new'), to('/root/only')], [
    ['1600000000: there'],
    ['1600000000: here again'],
  ])
})

log('as JSON every line is an object with the time, the type, the event and what is known', () => {
  const { log: into, to } = recorded({ format: 'json', types: logTypes })
  into.note(connected('a\n\u202eb', 'u'))
  into.input(I.arrived(conn, 0, {
    _tag: 'Subscribe',
    packetId: 7,
    requests: [],
    properties: {},
  }))
  into.line('starting')
  into.flush(1)
  for (const text of to('stderr')) assert.not.match(text, harmful)
  const [first, second, third] = to('stderr').map((text): unknown => JSON.parse(text))
  assert.equal(first, {
    time: '2020-09-13T12:26:40.999Z',
    type: 'notice',
    event: 'ClientConnected',
    text: "New client connected from 10.42.0.3:40123 as a\\x0a\\u202eb (p5, c0, k60, u'u').",
    conn,
    clientId: 'a\n\u202eb',
    peer,
    level: 5,
    cleanStart: false,
    keepAliveS: 60,
    userName: 'u',
    sessionPresent: true,
  })
  assert.is(JSON.stringify(second).includes('"packet":"SUBSCRIBE","packetId":7'), true)
  assert.equal(third, {
    time: '2020-09-13T12:26:40.999Z',
    type: 'information',
    event: 'Said',
    text: 'starting',
  })
})

log('a crowd of strangers is a few lines a second, whoever is let in has all of his', () => {
  const { log: into, to } = recorded({})
  for (let i = 0; i < 10_000; i++) {
    const from = { address: `10.0.${i >> 8}.${i & 255}`, port: 1 }
    into.note({ _tag: 'ConnectionOpened', conn, listener: '1883', peer: from })
    into.note({
      _tag: 'ConnectionEnded',
      conn,
      clientId: i % 2 === 0 ? null : `c${i}`,
      wasAccepted: false,
      peer: from,
      ending: 'global_max_clients exceeded',
      reason: 0x97,
      fault: null,
    })
  }
  for (let i = 0; i < 100; i++) into.note(connected(`c${i}`))
  into.flush(0)
  into.flush(999)
  assert.is(to('stderr').length, 150)
  into.flush(1000)
  assert.is(to('stderr').length, 151)
  assert.match(to('stderr')[150]!, /: Left out 19950 more lines about connections from others\./)
})

log('what was withheld in the last second is told before the last line', async () => {
  const { log: into, to } = recorded({})
  for (let i = 0; i < 12; i++) {
    into.note({ _tag: 'ConnectionOpened', conn, listener: '1883', peer })
  }
  await into.close('terminating')
  assert.is(to('stderr').length, 12)
  assert.match(to('stderr')[10]!, /: Left out 2 more lines about connections from /)
  assert.match(to('stderr')[11]!, /: terminating$/)
})

log('a limiter withholds what is too much and loses count of nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 5 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 20 }),
      (asked, each, all) => {
        const withheld: Array<number> = []
        const limiter = new Limiter({ windowMs: 1, each, all, withheld: (count) => String(count) })
        const written = asked.filter((who) => limiter.admit(String(who)))
        limiter.close((text) => withheld.push(Number(text)))
        assert.is(written.length + withheld.reduce((sum, one) => sum + one, 0), asked.length)
        assert.ok(written.length <= all)
        for (const who of asked) assert.ok(written.filter((one) => one === who).length <= each)
        assert.ok(withheld.length <= all + 1)
        assert.is(limiter.isWithholding, false)
      },
    ),
    { numRuns: runs(300) },
  )
})

const hasDate = spawnSync('date', ['-d', '@0']).status === 0
if (!hasDate) skipped('strftime against date', 'GNU date')

log('a time reads as date writes it, in every week of years of every kind', () => {
  if (!hasDate) return
  const letters = 'aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyYzZ%'.split('')
  const format = letters.map((letter) => `%${letter}`).join('|')
  const seconds = Array.from({ length: 900 }, (_, i) => 900_000_000 + i * 604_800 * 2 + i * 4_321)
  const input = seconds.map((second) => `@${second}`).join('\n')
  const env = { PATH: process.env['PATH'] ?? '', TZ: 'UTC', LC_ALL: 'C' }
  const told = execFileSync('date', ['-f', '-', `+${format}`], { input, env, encoding: 'utf8' })
  told.trim().split('\n').forEach((text, i) => {
    const date = new Date(seconds[i]! * 1000)
    const made = strftime(format, {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      weekday: date.getUTCDay(),
      offsetMinutes: 0,
      zone: 'UTC',
      unixMs: date.getTime(),
    })
    assert.is(made, text)
  })
})

/** As strftime of glibc writes a Monday morning. */
const flagged: ReadonlyArray<readonly [format: string, text: string]> = [
  ['%-d|%_d|%-e|%0e|%_H|%-k|%0k|%-y|%-S|%-I|%_C|%-j', '9| 9|9|09| 3|3|03|26|5|3|20|313'],
  ['%^a|%#a|%^h|%#B|%#p|%^P|%#Z|%^#p|%#^p', 'MON|MON|NOV|NOVEMBER|am|am|utc|am|am'],
  [
    '%10Y|%_10Y|%-10Y|%4C|%_5j|%3u|%3G|%_3g',
    '0000002026|      2026|      2026|0020|  313|001|2026| 26',
  ],
  ['%1d|%-10d|%5e|%05e|%00003d|%5l|%5Od|%5EY', '09|         9|    9|00009|009|    3|00009|02026'],
  [
    '%10a|%010a|%1a|%10p|%#10p|%5%|%05%|%5t|',
    '       Mon|0000000Mon|Mon|        AM|        am|    %|0000%|     |',
  ],
  ['%12s|%012s|%_12s', '  1794193445|001794193445|  1794193445'],
  ['%z|%-z|%_z|%10z', '-0330|-330|- 330|         -0000000330'],
  ['%^c|%#c', 'MON NOV  9 03:04:05 2026|Mon Nov  9 03:04:05 2026'],
  ['%12D|%012T|%_10F|%-F', '    11/09/26|000003:04:05|2026-11-09|2026-11-09'],
  ['%-_5d|%_-5d|%0_5d|%_05d', '    9|    9|    9|00009'],
  ['%5Q|%^L|%10', '%5Q|%^L|%10'],
]

log('flags and widths of a time are those of glibc', () => {
  const monday = {
    year: 2026,
    month: 11,
    day: 9,
    hour: 3,
    minute: 4,
    second: 5,
    weekday: 1,
    offsetMinutes: -210,
    zone: 'UTC',
    unixMs: 1_794_193_445_000,
  }
  for (const [format, text] of flagged) assert.is(strftime(format, monday), text)
  assert.is(strftime('%99999999Y', monday).length, 1_000, 'no width fills the memory')
})

log('the format of the operator stands before the line; an unknown letter stays', () => {
  const { log: into, to } = recorded({ timestampFormat: '%Y-%m-%dT%H:%M:%S%Q\n%%' })
  into.line('x')
  into.flush(1)
  assert.match(to('stderr')[0]!, /^2020-09-1\dT\d\d:\d\d:40%Q %: x$/)
  const plain = recorded({ timestamp: false, types: logTypes })
  plain.log.line('x')
  plain.log.flush(1)
  assert.equal(plain.to('stderr'), ['x'])
})

const openOutlet = 'Deno' in globalThis
  ? (await import('../shells/deno/outlet.ts')).openOutlet
  : (await import('../shells/node/outlet.ts')).openOutlet

const folder = mkdtempSync(join(tmpdir(), 'sabethes-log-'))
log.after(() => rmSync(folder, { recursive: true, force: true }))

const opened = (destination: LogDestination): Outlet => {
  const outlet = openOutlet(destination)
  if (E.isLeft(outlet)) throw new Error(outlet.left)
  return outlet.right
}

log(
  "a file is appended to, is the owner's alone, and is begun anew where it was moved away",
  () => {
    const path = join(folder, 'broker.log')
    writeFileSync(path, 'before\n')
    const outlet = opened({ to: 'file', path })
    assert.is(outlet.write('one\n'), null)
    renameSync(path, `${path}.1`)
    assert.is(outlet.write('two\n'), null)
    assert.is(outlet.reopen(), null)
    assert.is(outlet.write('three\n'), null)
    assert.is(readFileSync(`${path}.1`, 'utf8'), 'before\none\ntwo\n')
    assert.is(readFileSync(path, 'utf8'), 'three\n')
    assert.is(statSync(path).mode & 0o777, 0o600)
    outlet.close()
    const refused = openOutlet({ to: 'file', path: join(folder, 'absent', 'x.log') })
    assert.ok(E.isLeft(refused))
    assert.match(refused.left, /Unable to open log file .*absent.*for writing.*Make its folder/)
  },
)

const hasFull = existsSync('/dev/full')

log('a full disk is why lines are lost, and nothing is thrown', () => {
  if (!hasFull) return skipped('a log on a full disk', '/dev/full')
  const outlet = opened({ to: 'file', path: '/dev/full' })
  assert.match(outlet.write('x\n') ?? '', /no space left/i)
  outlet.close()
})

/** Runs `act` with a PATH on which `logger` is this script, or nothing. */
const withLogger = async (script: string | null, act: () => Promise<void>): Promise<void> => {
  const before = process.env['PATH'] ?? ''
  const place = mkdtempSync(join(folder, 'bin-'))
  if (script !== null) {
    writeFileSync(join(place, 'logger'), script)
    chmodSync(join(place, 'logger'), 0o755)
  }
  process.env['PATH'] = script === null ? place : `${place}:${before}`
  try {
    await act()
  } finally {
    process.env['PATH'] = before
  }
}

const soon = async (isTrue: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 25))
  assert.ok(isTrue(), 'it came true within 5 s')
}

/** Arguments and lines go to the file `into`; it has the help of util-linux, or an older one. */
const loggerScript = (into: string, help: string): string =>
  `#!/bin/sh\n[ "$1" = --help ] && echo '${help}' && exit\n` +
  `printf '%s\\n' "$*" > ${into}\nexec cat >> ${into}\n`

log('syslog is one long-lived logger, whose arguments nobody can add to', async () => {
  const into = join(folder, 'syslog')
  const helps = [
    [' -i                 log the logger command PID\n     --id[=<id>]    log <id>', true],
    [' -i, --id           log the process ID too', false],
  ] as const
  for (const [help, hasId] of helps) {
    rmSync(into, { force: true })
    await withLogger(loggerScript(into, help), async () => {
      const outlet = opened({ to: 'syslog' })
      assert.is(outlet.write('<29>one; $(touch x)\n'), null)
      assert.is(outlet.write('<27>two\n'), null)
      const id = hasId ? ` --id=${process.pid}` : ''
      const wanted =
        `-t sabethes -p daemon.notice --prio-prefix${id}\n<29>one; $(touch x)\n<27>two\n`
      await soon(() => existsSync(into) && readFileSync(into, 'utf8') === wanted)
      outlet.close()
    })
  }
})

log('who runs under the name of mosquitto is that in syslog too', async () => {
  const into = join(folder, 'syslog-name')
  process.env['SABETHES_NAME'] = 'mosquitto'
  try {
    await withLogger(loggerScript(into, ''), async () => {
      const outlet = opened({ to: 'syslog' })
      await soon(() => existsSync(into) && readFileSync(into, 'utf8').endsWith('\n'))
      assert.match(readFileSync(into, 'utf8'), '-t mosquitto -p daemon.notice')
      outlet.close()
    })
  } finally {
    delete process.env['SABETHES_NAME']
  }
})

log('a log is closed when the logger has ended, and all of it is in syslog', async () => {
  const into = join(folder, 'syslog-end')
  await withLogger(
    `#!/bin/sh\n[ "$1" = --help ] && exit\ncat > ${into}.now\nsleep 0.2\nmv ${into}.now ${into}\n`,
    async () => {
      const outlet = opened({ to: 'syslog' })
      assert.is(outlet.write('<29>last\n'), null)
      // The logger alone keeps no process alive.
      const timer = setTimeout(() => {}, 5_000)
      await outlet.close()
      clearTimeout(timer)
      assert.is(readFileSync(into, 'utf8'), '<29>last\n')
    },
  )
})

log('without a logger the start is refused with what to do; one that ends is told', async () => {
  await withLogger(null, async () => {
    const refused = openOutlet({ to: 'syslog' })
    assert.ok(E.isLeft(refused))
    assert.match(refused.left, /needs the program logger.*install it.*log_dest stderr/)
    await Promise.resolve()
  })
  await withLogger('#!/bin/sh\nexit 3\n', async () => {
    const outlet = opened({ to: 'syslog' })
    await soon(() => outlet.write('<29>x\n') !== null)
    assert.match(outlet.write('<29>x\n') ?? '', /has ended \(status 3\).*util-linux/)
    outlet.close()
  })
})

log.run()
