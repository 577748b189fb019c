// What cannot be read of a file, or not to its end, is said once, truly, and alike by all commands
// that read recordings; and what is read is not written over.

import { spawn, spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import * as I from '../core/broker/input.ts'
import { initial } from '../core/broker/state.ts'
import { encode } from '../core/codec/mod.ts'
import { Packet } from '../core/mod.ts'
import { addressOf, ethernet, fileHeader, packetBlock } from '../core/trace/capture/write.ts'
import { brokenText } from '../core/trace/replay.ts'
import { explainRecording } from '../shells/cli/explain.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { shrinkRecording } from '../shells/cli/shrink.ts'
import { recorded } from './gen/recordings.ts'
import { hear } from './mouth.ts'
import type { Answer } from './mouth.ts'

const unreadable = suite('unreadable')

const folder = mkdtempSync(join(tmpdir(), 'sabethes-unreadable-'))
unreadable.after(() => rmSync(folder, { recursive: true, force: true }))

const publishes = 200

/** A client that publishes to t/0, t/1 and so on, for a second each. */
const text = ((): string => {
  const conn = { slot: 0, generation: 1 }
  const peer = { address: '192.0.2.1', port: 5 }
  const payload = (at: number): Uint8Array =>
    Uint8Array.from({ length: 300 }, (_, place) => (at * 7919 + place * place * 31) % 251)
  return recorded(initial(defaults, { at: 0, wall: 1_700_000_000_000, seed: 1 }), [
    I.opened(conn, 0, '01234567-89AB-4CDE-8F01-23456789ABCD', '1883', peer),
    I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
    ...Array.from({ length: publishes }, (_, at) => {
      const packet = Packet.publish({ topic: `t/${at}`, payload: payload(at) })
      return I.arrived(conn, at * 1000, packet)
    }),
  ]).text
})()

/** What each command answers about the file. */
const askAll = async (file: string): Promise<ReadonlyArray<readonly [string, Answer]>> => [
  ['replay', await hear(playRecording, file, '-q')],
  ['replay --to-story', await hear(playRecording, file, '--to-story')],
  ['explain', await hear(explainRecording, file, '--message', 't/0')],
  ['shrink', await hear(shrinkRecording, file, '--property', 'throws')],
]

const put = (name: string, bytes: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

/** All that is about the file: what a replay came to is left out. */
const wordsOf = ({ said, complained }: Answer): string =>
  `${said}${complained}`.replace(/^0 runs .*\n/m, '').replace(/^Error: /, '')

const none: ReadonlyArray<readonly [what: string, bytes: string, sentence: RegExp]> = [
  [
    'something else',
    'Dear Sir\n',
    /^This is no recording of sabethes: its first line is not the head of one\.\n$/,
  ],
  ['nothing', '', /^The recording is empty\.\n$/],
  [
    'one of a form to come',
    text.replace('"format":4', '"format":9'),
    /^The recording has form 9, and this program reads form \d: use a newer one\.\n$/,
  ],
  [
    'a damaged head',
    text.replace('"seed"', '"sead"'),
    /^The head of the recording is damaged: [^.]*[a-z.]+ [^.]*\.\n$/,
  ],
  ['half a head', text.slice(0, 50), /^The head of the recording is damaged\.\n$/],
]

for (const [what, bytes, sentence] of none) {
  unreadable(`${what} is no recording, in one sentence`, async () => {
    for (const [command, answer] of await askAll(put('none', bytes))) {
      assert.is(answer.status, 2, command)
      assert.match(wordsOf(answer), sentence, command)
    }
  })
}

unreadable('where a recording breaks off is the same line for all', async () => {
  const lines = text.split('\n')
  const cut = put('cut', `${lines.slice(0, 20).join('\n')}\n`)
  const odd = put('odd', `${lines.slice(0, 20).join('\n')}\nwhat\n`)
  for (const [command, answer] of await askAll(cut)) {
    const sentence = 'The recording can be read up to line 20; there it ends without a last line.\n'
    assert.ok(wordsOf(answer).includes(sentence), `${command} ${wordsOf(answer)}`)
    assert.is(answer.status, 2, command)
  }
  for (const [command, answer] of await askAll(odd)) {
    const sentence =
      'The recording can be read up to line 20; there it is no line of a recording.\n'
    assert.ok(wordsOf(answer).includes(sentence), `${command} ${wordsOf(answer)}`)
  }
})

unreadable('a reason is a sentence, whatever stands at its end', () => {
  assert.is(
    brokenText({ line: 8, why: 'it is odd.' }),
    'The recording can be read up to line 7; there it is odd.',
  )
  assert.is(brokenText({ line: 1, why: 'it is odd' }), 'It is odd.')
})

unreadable(
  'a file that is not there, or is a folder, cannot be read: nothing else is said',
  async () => {
    mkdirSync(join(folder, 'd'))
    for (const [name, why] of [['gone', 'ENOENT'], ['d', 'EISDIR']]) {
      const path = join(folder, name!)
      for (const [command, answer] of await askAll(path)) {
        assert.is(answer.status, 2, command)
        assert.is(answer.said, '', command)
        assert.match(answer.complained, RegExp(`^Error: ${path} cannot be read: .*\n$`), command)
        if (!('Deno' in globalThis)) assert.match(answer.complained, why!)
      }
    }
  },
)

unreadable('what can be unzipped of a file is played, wherever it is damaged', async () => {
  const portions = text.match(/[^]{1,4000}/g) ?? []
  const zipped = portions.map((portion) => gzipSync(portion))
  const whole = Buffer.concat(zipped)
  const half = portions.length >> 1
  const flipped = zipped.map((one, at) => at === half ? one.map((byte) => byte ^ 16) : one)
  const files: ReadonlyArray<readonly [string, Uint8Array, readable: ReadonlyArray<string>]> = [
    ['cut.gz', whole.subarray(0, whole.length - 20), portions.slice(0, -1)],
    ['flipped.gz', Buffer.concat(flipped), portions.slice(0, half)],
    ['longer.gz', Buffer.concat([whole, Buffer.from('Dear Sir')]), portions],
  ]
  for (const [name, bytes, readable] of files) {
    const answer = await hear(playRecording, put(name, bytes), '-q')
    assert.is(answer.status, 2, name)
    assert.match(answer.complained, /cannot be read any further: /, name)
    const played = Number(/^(\d+) runs with/m.exec(answer.said)?.[1])
    const there = readable.join('').split('\n["m",1,').length - 1
    // The last kilobyte before a fault has two or three.
    assert.ok(played >= there - 3, `${name}: ${played} runs of ${there}`)
  }
})

unreadable('what stands behind the last line is not passed over in silence', async () => {
  const count = (answer: Answer): number => Number(/^(\d+) runs with/m.exec(answer.said)?.[1])
  const { length } = text.split('\n')
  const alone = await hear(playRecording, put('alone', text), '-q')
  const sentences: ReadonlyArray<readonly [more: string, why: string]> = [
    [text, 'another recording begins, which is to be played by itself'],
    ['["i",{}]\n', 'it goes on behind its last line'],
    ['\0'.repeat(4096), 'it goes on behind its last line'],
  ]
  for (const [more, why] of sentences) {
    for (const [command, answer] of await askAll(put('joined', text + more))) {
      const sentence = `The recording can be read up to line ${length - 1}; there ${why}.\n`
      assert.ok(wordsOf(answer).includes(sentence), `${command} ${wordsOf(answer)}`)
      assert.is(answer.status, 2, command)
      if (command === 'replay') assert.is(count(answer), count(alone))
    }
  }
  // One that broke off, such as that of a broker that was killed, and the next one.
  const lines = text.split('\n').slice(0, 20)
  const both = await hear(playRecording, put('both', `${lines.join('\n')}\n${text}`), '-q')
  assert.match(both.complained, /up to line 20; there another recording begins, /)
})

unreadable('a recording with the line ends of Windows is the same recording', async () => {
  const expected = await askAll(put('day', text))
  const answers = await askAll(put('day', text.replaceAll('\n', '\r\n')))
  for (const [at, [command, answer]] of answers.entries()) {
    assert.is(answer.status, expected[at]![1].status, command)
    assert.ok(wordsOf(answer) === wordsOf(expected[at]![1]), command)
  }
  const blank = await hear(playRecording, put('blank', `${text}\n`), '-q')
  assert.is(blank.status, 0)
})

unreadable('inputs of a run that breaks off are played, wherever it does', async () => {
  const conn = { slot: 0, generation: 1 }
  const lines = recorded(initial(defaults, { at: 0, wall: 0, seed: 1 }), [
    I.opened(conn, 0, '01234567-89AB-4CDE-8F01-23456789ABCD', '1883', { address: '::1', port: 1 }),
    I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
    I.arrived(conn, 0, Packet.publish({ topic: 't/0', payload: 'x' })),
  ], 3).text.split('\n')
  // The head and its sum, two inputs of three.
  const there = lines.slice(0, 4).join('\n')
  for (const more of ['\n', `\n${lines[4]!.slice(0, 5)}`]) {
    const answer = await hear(playRecording, put('torn', there + more))
    assert.is(answer.status, 2)
    assert.match(answer.complained, /up to line 4; /)
    assert.match(answer.said, /> connect 'a'/)
    assert.match(answer.said, /^1 run with 2 inputs/m)
  }
})

unreadable('a recording that breaks before its snapshot is whole says what is lost', async () => {
  const lines = text.split('\n')
  const head = lines[0]!.replace('"hasSnapshot":false', '"hasSnapshot":true')
  const answer = await hear(playRecording, put('early', `${head}\n${lines.slice(1).join('\n')}`))
  assert.is(answer.status, 2)
  assert.match(
    answer.complained,
    /^The recording can be read up to line \d+; there [^,]+, before the snapshot is whole: .*\.\n$/,
  )
})

unreadable('a large file without a line is found to be no recording in no time', async () => {
  const path = put('image', '')
  // To read all of it would take minutes, and to keep it more memory than there is.
  truncateSync(path, 2 ** 40)
  const sinceMs = Date.now()
  const answer = await hear(playRecording, path, '-q')
  assert.is(
    wordsOf(answer),
    'This is no recording of sabethes: its first line is not the head ' +
      'of one.\n',
  )
  assert.ok(Date.now() - sinceMs < 10_000, `${Date.now() - sinceMs} ms`)
})

unreadable('a gzipped file that is cut off is said to be, and not to lack a line', async () => {
  const zipped = gzipSync(text)
  const head = put('head.gz', zipped.subarray(0, 30))
  for (const [command, answer] of await askAll(head)) {
    assert.is(answer.status, 2, command)
    assert.match(wordsOf(answer), /^\S+head\.gz cannot be read: [^\n]+\n$/, command)
  }
  const half = put('half.gz', zipped.subarray(0, zipped.length / 2))
  for (const [command, answer] of await askAll(half)) {
    const all = `${command} ${wordsOf(answer)}`
    assert.is(answer.status, 2, command)
    assert.match(all, /half\.gz cannot be read any further: [^\n]+\n/)
    assert.not.match(all, /can be read up to line|last line/)
  }
})

unreadable(
  'of what is compressed in a way that is not read it is said how to unpack it',
  async () => {
    const packings: ReadonlyArray<readonly [name: string, by: string, first: string]> = [
      ['xz', 'xz -dk', 'fd377a585a000004'],
      ['zstd', 'zstd -dk', '28b52ffd04580100'],
      ['lz4', 'lz4 -dk', '04224d1864404b00'],
      ['bzip2', 'bzip2 -dk', '425a683931415926'],
      ['zip', 'unzip', '504b030414000000'],
    ]
    for (const [name, by, first] of packings) {
      const path = put('packed', Buffer.from(first, 'hex'))
      for (const [command, answer] of await askAll(path)) {
        const sentence =
          `${path} cannot be read: it is compressed with ${name}, which is not read: unpack it ` +
          `before (${by})\n`
        assert.is(wordsOf(answer), sentence, command)
        assert.is(answer.status, 2, command)
      }
    }
  },
)

/** One client that publishes once, and no answer. */
const wire = ((): Uint8Array => {
  const said = [Packet.connect({ clientId: 'a' }), Packet.publish({ topic: 't/0', payload: 'x' })]
  const frame = ethernet({
    from: addressOf('192.0.2.2')!,
    fromPort: 5555,
    to: addressOf('192.0.2.1')!,
    toPort: 1883,
    sequence: 0,
    acknowledged: 0,
    flags: 16,
    data: Uint8Array.from(said.flatMap((packet) => [...encode(5, packet)])),
  }, true)
  return Uint8Array.from(Buffer.concat([fileHeader(), packetBlock(frame, 1_700_000_000_000_000)]))
})()

const tale = '# A day.\n\na> connect\na> publish \'t/0\' "x"\n----\na< connack\n'

unreadable('what comes through a pipe is read as from a file', async () => {
  const pipe = join(folder, 'pipe')
  assert.is(spawnSync('mkfifo', [pipe]).status, 0)
  const days: ReadonlyArray<readonly [name: string, bytes: string | Uint8Array]> = [
    ['recording', text],
    ['zipped', gzipSync(text)],
    ['capture', wire],
    ['zipped capture', gzipSync(wire)],
    ['story', tale],
    ['nothing', ''],
  ]
  for (const [name, bytes] of days) {
    const path = put('day', bytes)
    const commands: ReadonlyArray<(path: string) => Promise<Answer>> = [
      (from) => hear(playRecording, from),
      (from) => hear(explainRecording, from, '--message', 't/0'),
      (from) => hear(playRecording, from, '--to-story'),
    ]
    for (const command of commands) {
      const expected = await command(path)
      const writer = spawn('sh', ['-c', 'cat "$0" > "$1"', path, pipe])
      const over = new Promise((resolve) => writer.on('close', resolve))
      const answer = await command(pipe)
      await over
      const named = (what: string): string => what.replaceAll(path, 'it').replaceAll(pipe, 'it')
      assert.is(named(answer.said), named(expected.said), name)
      assert.is(named(answer.complained), named(expected.complained), name)
      assert.is(answer.status, expected.status, name)
      assert.not.match(expected.said, /This is no recording/, name)
    }
  }
})

unreadable('what is read is not written over, whatever it is called', async () => {
  const path = put('day', text)
  const names = [path, join(folder, '.', 'day'), join(folder, 'link'), join(folder, 'hard')]
  symlinkSync(path, names[2]!)
  linkSync(path, names[3]!)
  for (const name of names) {
    const answers = [
      ['-o', await hear(shrinkRecording, path, '--property', 'sends:a:#', '-o', name)],
      ['--to-recording', await hear(playRecording, path, '--to-recording', name)],
      ['--to-pcapng', await hear(playRecording, path, '--to-pcapng', name)],
    ] as const
    for (const [option, answer] of answers) {
      assert.is(answer.status, 3, `${option} ${name}`)
      assert.is(
        answer.complained,
        `Error: ${option} ${name} would overwrite the file that is read: give it another name.\n`,
      )
      assert.is(readFileSync(path, 'latin1'), text)
    }
  }
  const other = join(folder, 'other')
  assert.is((await hear(playRecording, path, '--to-recording', other)).status, 0)
  assert.is((await hear(playRecording, path, '--to-recording', other)).status, 0)
})

unreadable.run()
