// The words on the command line. Mosquitto's options are understood or refused with a sentence,
// never ignored.

import { defaults } from '../core/broker/config.ts'
import { connectionsWithin } from '../shells/common/start.ts'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commandOptions, help } from '../core/config/command-help.ts'
import { parseOptions, settingsFor } from '../core/config/command-line.ts'
import { explainWish } from '../core/config/explain-words.ts'
import { replayWish } from '../core/config/replay-words.ts'
import { shrinkWish } from '../core/config/shrink-words.ts'
import type { Run } from '../core/config/command-line.ts'
import { logTypes } from '../core/config/settings.ts'
import type { Settings } from '../core/config/settings.ts'
import type { Sources } from '../core/config/source.ts'
import { sourcesOf } from './gen/configurations.ts'
import { version } from '../shells/common/version.ts'
import { runs } from './gen/settings.ts'

const options = suite('options')

const asked = (line: string): unknown => {
  const parsed = parseOptions(line.split(' ').filter((word) => word !== ''))
  return parsed._tag === 'Left' ? parsed.left : parsed.right
}

const run = (some: Partial<Run> = {}): unknown => ({
  _tag: 'Run',
  file: null,
  ports: [],
  verbosity: 'normal',
  daemon: false,
  testConfig: false,
  expand: false,
  trace: null,
  before: {},
  after: {},
  ...some,
})

const npmStart = '--persistence true --persistence-location data'

options('what mosquitto takes is taken', () => {
  const rows: ReadonlyArray<readonly [string, unknown]> = [
    ['', run()],
    ['-p 21883', run({ ports: [21883] })],
    ['store verify data', { _tag: 'Store', action: 'verify', folder: 'data' }],
    ['store dump /var/lib/x', { _tag: 'Store', action: 'dump', folder: '/var/lib/x' }],
    ['config diff a b', { _tag: 'ConfigDiff', before: 'a', after: 'b', expand: false }],
    ['config diff --expand a b', { _tag: 'ConfigDiff', before: 'a', after: 'b', expand: true }],
    ['--port 21883 -v', run({ ports: [21883], verbosity: 'verbose' })],
    ['--verbose', run({ verbosity: 'verbose' })],
    ['-q', run({ verbosity: 'quiet' })],
    ['-v --quiet', run({ verbosity: 'quiet' })],
    ['-q -v', run({ verbosity: 'quiet' })],
    ['-p 1 -p 65535 -p 1', run({ ports: [1, 65535] })],
    ['-v -c f -p 1', run({ file: 'f', ports: [1], verbosity: 'verbose' })],
    ['--config-file f --test-config', run({ file: 'f', testConfig: true })],
    ['-d --expand', run({ daemon: true, expand: true })],
    ['--daemon', run({ daemon: true })],
    ['--persistence true', run({ after: { isKept: true } })],
    [
      '--persistence-location data --max-store-bytes 1000000 --persistence true --salvage',
      run({ after: { folder: 'data', storeBytesMax: 1_000_000, isKept: true, salvage: true } }),
    ],
    // What npm start says first, whoever comes after it can take back.
    [`${npmStart} --persistence false`, run({ after: { isKept: false, folder: 'data' } })],
    [
      `${npmStart} -c f --salvage`,
      run({ file: 'f', before: { isKept: true, folder: 'data' }, after: { salvage: true } }),
    ],
    ['-h', { _tag: 'Help' }],
    ['-p 5 --help', { _tag: 'Help' }],
    ['-h -x', { _tag: 'Help' }],
    ['--version -x', { _tag: 'Version' }],
  ]
  for (const [line, wanted] of rows) assert.equal(asked(line), wanted, line)
})

options('what makes no sense is refused with a sentence that names it', () => {
  const rows: ReadonlyArray<readonly [string, string | RegExp]> = [
    ['-p', '-p argument given, but no port specified.'],
    ['--port', '-p argument given, but no port specified.'],
    ['-c', '-c argument given, but no config file specified.'],
    ['--tls-keylog', '--tls-keylog argument given, but no file specified.'],
    ['-p 0', 'Invalid port specified (0).\nGive a number from 1 to 65535.'],
    ['-p 65536', /^Invalid port specified \(65536\)\.\n/],
    ['-p 1883x', /^Invalid port/],
    ['-p -1', /^Invalid port/],
    ['-p 1e3', /^Invalid port/],
    ['-x', "Unknown option '-x'.\nsabethes --help lists what there is."],
    ['-x -h', /^Unknown option '-x'/],
    ['1883', /^Unknown option '1883'/],
    ['--port=1883', /^Unknown option '--port=1883'/],
    ['--port=', /^Unknown option/],
    [
      Array.from({ length: 11 }, (_, i) => `-p ${i + 1}`).join(' '),
      'Only 10 ports can be specified on the command line.',
    ],
    ['--persistence', /^--persistence wants .*true or false, not nothing/],
    ['--persistence yes', /^--persistence wants .*not yes/],
    ['--persistence-location', /^--persistence-location wants the name of a folder/],
    ['--max-store-bytes 1G', /^--max-store-bytes wants a number .*not 1G/],
    ['--max-store-bytes 0', /^--max-store-bytes wants a number/],
    ['-c a -c b', /^-c can be given once only.\n.*include_dir/],
    ['--tls-keylog f', /^TLS support not available so --tls-keylog is not available/],
    ['store', /^store wants to know what to do/],
    ['store verify', /^store verify wants one folder/],
    ['config', /^config wants to know what to do/],
    ['config diff a', /^config diff wants two files/],
    [
      '--hlep',
      "Unknown option '--hlep'.\nDid you mean '--help'? sabethes --help lists what there is.",
    ],
    ['--port=1884', /\nDid you mean '--port 1884'\?/],
    ['--persistance true', /\nDid you mean '--persistence'\?/],
    ['--max_store_bytes 1', /\nDid you mean '--max-store-bytes'\?/],
    ['replya day', /\nDid you mean 'replay'\?/],
    ['-v replay day', "Unknown option 'replay'.\nsabethes --help lists what there is."],
    ['help', /\nDid you mean '--help'\?/],
    ['--p 1884', /\nDid you mean '-p'\?/],
  ]
  for (const [line, wanted] of rows) {
    const said = String(asked(line))
    if (typeof wanted === 'string') assert.is(said, wanted, line)
    else assert.match(said, wanted, line)
  }
})

options('an unknown option of a command has the one that was meant', () => {
  const rows = [
    [
      replayWish(['day', '--form', '5']),
      /^Unknown option '--form'\.\nDid you mean '--from'\? sabethes replay /,
    ],
    [
      explainWish(['day', '--mesage=a']),
      /^Unknown .*\nDid you mean '--message a'\? sabethes explain /,
    ],
    [
      shrinkWish(['day', '--poperty', 'x']),
      /^Unknown .*\nDid you mean '--property'\? sabethes shrink /,
    ],
    [shrinkWish(['day', '--output']), /^Unknown option '--output'\.\n/],
  ] as const
  for (const [read, wanted] of rows) {
    assert.match(read._tag === 'Left' ? read.left : 'it was understood', wanted)
  }
})

options('every command has a page of help', () => {
  for (const line of ['-h', 'store --help', 'store verify -h', 'config --help', 'config diff -h']) {
    assert.equal(asked(line), { _tag: 'Help' }, line)
  }
})

options('ten ports are allowed', () => {
  const ports = Array.from({ length: 10 }, (_, i) => i + 1)
  assert.equal(asked(ports.map((port) => `-p ${port}`).join(' ')), run({ ports }))
})

/** The settings of a command line, with a file `f`. */
const settingsOf = (line: string, text = '', more: Partial<Sources> = {}): Settings => {
  const parsed = parseOptions(line.split(' '))
  if (parsed._tag === 'Left' || parsed.right._tag !== 'Run') throw new Error(line)
  const settings = settingsFor(parsed.right, sourcesOf({ f: text }, more))
  if (settings._tag === 'Left') throw new Error(settings.left.lines.join('\n'))
  return settings.right
}

options('without a file only this machine is served, anonymous clients too', () => {
  const { isLocalOnly, listeners, persistence, warnings } = settingsOf('-p 1 -p 2')
  assert.equal([isLocalOnly, persistence, warnings], [true, null, []])
  assert.equal(listeners.map((one) => [one.port, one.anonymous]), [[1, true], [2, true]])
  assert.equal(settingsOf('-v').listeners.map(({ port }) => port), [1883])
})

options('what a listener of the file says about ports counts, and -p does not', () => {
  const ports = (text: string) => settingsOf('-p 7 -c f', text).listeners.map(({ port }) => port)
  assert.equal(ports('listener 1884'), [1884])
  assert.equal(ports('port 1884'), [1884])
  assert.equal(ports('sys_interval 1'), [7])
})

options('quiet beats verbose, and both beat the file', () => {
  const types = (line: string) => settingsOf(line, 'log_type error').log.types
  assert.equal(types('-c f'), ['error'])
  assert.equal(types('-v -c f'), logTypes)
  assert.equal(types('-c f -q -v'), [])
})

options(
  'of the store the file says more than what comes before it, and less than what comes after',
  () => {
    const store = (line: string, text = '', variables = new Map<string, string>()) => {
      const { persistence } = settingsOf(line, text, { variables })
      return persistence === null ? null : persistence.folder
    }
    const location = 'persistence_location /f'
    assert.is(store('-c f'), null)
    assert.is(store('-c f', location), null)
    assert.is(store(npmStart), 'data')
    assert.is(store(`${npmStart} -c f`), 'data')
    assert.is(store(`${npmStart} -c f`, location), '/f')
    assert.is(store(`${npmStart} -c f`, `persistence false\n${location}`), null)
    assert.is(store('-c f --persistence true', `persistence false\n${location}`), '/f')
    assert.is(store('-c f --persistence-location x', `persistence true\n${location}`), 'x')
    const variables = new Map([['MOSQUITTO_PERSISTENCE_LOCATION', '/e']])
    assert.is(store('-c f', `persistence true\n${location}`, variables), '/e')
    assert.is(store('--persistence true', '', variables), '/e')
    const { persistence } = settingsOf('-c f --salvage --max-store-bytes 5', 'persistence true')
    assert.equal([persistence?.salvage, persistence?.storeBytesMax], [true, 5])
  },
)

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
        assert.ok(parsed.right.ports.length <= 10)
        for (const port of parsed.right.ports) assert.ok(port >= 1 && port <= 65535)
      }
    }),
    { numRuns: runs(300) },
  )
})

options('help names every option, within 80 columns, and every option is taken', () => {
  const text = help('1.2.3')
  const known = commandOptions.flatMap(({ names }) => names)
  assert.is(known.length, 21)
  for (const name of known) {
    assert.ok(text.includes(name), name)
    assert.not.match(String(asked(`${name} x`)), /^Unknown option '-/)
  }
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
})

options('the version is that of the package', () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  assert.is(JSON.parse(text).version, version)
})

options('connections leave descriptors for everything else, and none is promised twice', () => {
  assert.is(connectionsWithin(1_024), 960)
  assert.is(connectionsWithin(256), 192)
  assert.is(connectionsWithin(255), defaults.connectionsMax)
  assert.is(connectionsWithin(Infinity), defaults.connectionsMax)
})

options.run()
