// The words on the command line. Mosquitto's options are understood or refused with a sentence,
// never ignored.

import { defaults } from '../core/broker/config.ts'
import { connectionsWithin } from '../shells/common/start.ts'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Verbosity } from '../core/log/settings.ts'
import type { StoreOptions } from '../shells/common/store.ts'
import { help, parseOptions } from '../shells/common/options.ts'
import { version } from '../shells/common/version.ts'
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

options('connections leave descriptors for everything else, and none is promised twice', () => {
  assert.is(connectionsWithin(1_024), 960)
  assert.is(connectionsWithin(256), 192)
  assert.is(connectionsWithin(255), defaults.connectionsMax)
  assert.is(connectionsWithin(Infinity), defaults.connectionsMax)
})

options.run()
