// What `sabethes explain` says of captures: the same as of the recording that they were made of,
// what it rests on, whose bytes are missing, and where the captured broker did otherwise.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CaptureFile } from '../core/trace/capture/file.ts'
import type { Captured } from '../core/trace/capture/file.ts'
import { segmentIn } from '../core/trace/capture/tap.ts'
import { fileHeader, packetBlock } from '../core/trace/capture/write.ts'
import { explainRecording } from '../shells/cli/explain.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { linesIn, recorded } from './gen/recordings.ts'
import { hear } from './mouth.ts'
import { inputsOf } from './story/ask.ts'
import { both } from './story/explained-begin.ts'
import { pageList, pageStory } from './story/explained.ts'

const captures = suite('explain-capture')

const asked = (...words: ReadonlyArray<string>) => hear(explainRecording, ...words)

/** A folder with the recording of a story, and the capture that is made of it. */
const inFolder = async (
  story: string,
  act: (file: (name: string) => string) => Promise<void>,
  files: ReadonlyArray<string> = [],
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-explain-'))
  const file = (name: string): string => join(folder, name)
  try {
    const { state, inputs } = inputsOf(story, files)
    const lines = linesIn(recorded(state, inputs, 1, 'full').text)
    writeFileSync(file('sabethes.trace'), `${lines.join('\n')}\n`)
    const words = [file('sabethes.trace'), '--to-pcapng', file('wire.pcapng')]
    assert.is((await hear(playRecording, ...words)).status, 0)
    await act(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What is about the question: without the two lines on what it rests on, and the last. */
const answerIn = (said: string): ReadonlyArray<string> => said.trim().split('\n').slice(2, -1)

const day = `${both}
    quiet
    p> publish 'd/1' qos1 id1 "on"
    tick +1s
    a> puback id1
    a lose
    tick +2s
    p> publish 'd/1' qos2 id2 "off"
    p> pubrel id2
    p> publish 'e' "x"
    tick +5s
    a reopen
    tick +1s
    a> puback id2
    p> disconnect
    ----`

captures('a capture has the answers of the recording', async () => {
  await inFolder(day, async (file) => {
    for (
      const words of [
        ['--message', 'd/1'],
        ['--message', 'd/1@2.5', '--client', 'a'],
        ['--message', 'e'],
        ['--why-disconnected', 'a'],
        ['--message', 'd'],
        ['--why-disconnected', 'b'],
      ]
    ) {
      const recording = await asked(file('sabethes.trace'), ...words)
      const capture = await asked(file('wire.pcapng'), ...words)
      assert.is(capture.status, recording.status, words.join(' '))
      // Who was where is made up where addresses are not of the internet; here they are.
      assert.equal(
        answerIn(capture.said),
        recording.said.trim().replaceAll('recording', 'capture').split('\n'),
      )
      const lines = capture.said.split('\n')
      assert.match(lines[0]!, /^Rebuilt from a capture \(pcapng\).*under the defaults.*port.*1883/)
      assert.is(capture.said.split('Rebuilt').length, 2)
      assert.match(lines.at(-2)!, /captured broker sent the same\.$/)
    }
    // Gzipped it is the same.
    writeFileSync(file('wire.gz'), gzipSync(readFileSync(file('wire.pcapng'))))
    const [plain, zipped] = [
      await asked(file('wire.pcapng'), '--message', 'd/1'),
      await asked(file('wire.gz'), '--message', 'd/1'),
    ]
    assert.equal(zipped, plain)
  })
})

captures(
  'what the captured broker did otherwise is said, and only as far as it was asked',
  async () => {
    await inFolder(pageStory, async (file) => {
      const lamp = await asked(file('wire.pcapng'), '--message', 'home/lamp')
      assert.is(lamp.status, 0)
      assert.match(lamp.said, /'phone': queued at 132\.000s; delivered/)
      assert.match(
        lamp.said,
        /on the day:\nThis broker sends publish 'home\/lamp'.* to 'phone', the captured.*\n$/,
      )
      const door = await asked(file('wire.pcapng'), '--message', 'home/door')
      assert.match(door.said, /the captured broker sent the same\.\n$/)
      const other = await asked(file('wire.pcapng'), '--message', 'home/lamp', '--client', 'door')
      assert.match(other.said, /the captured broker sent the same\.\n$/)
      // Clients know the topic by what is behind the mount point.
      const mounting = 'listener 1883\nallow_anonymous true\nmount_point m/\n'
      writeFileSync(file('mount.conf'), mounting)
      const under = ['--config', file('mount.conf')]
      const mounted = await asked(file('wire.pcapng'), '--message', 'm/home/lamp', ...under)
      assert.match(mounted.said, /'m\/home\/lamp' was published/)
      assert.match(mounted.said, /on the day:\nThis broker sends publish 'home\/lamp'/)
      // Under the configuration of the captured broker there is nothing else.
      writeFileSync(file('list'), pageList, { mode: 0o600 })
      const conf = `allow_anonymous true\nmax_queued_messages 1\nlistener 1883\nacl_file ${
        file('list')
      }`
      writeFileSync(file('sabethes.conf'), `${conf}\n`)
      const words = ['--config', file('sabethes.conf'), '--port', '1883', '--client', 'phone']
      const safe = await asked(file('wire.pcapng'), '--message', 'home/safe', ...words)
      assert.match(safe.said, /^Rebuilt from [^]* under ".*sabethes\.conf"\. .* as asked for\.\n/)
      assert.match(
        safe.said,
        /denied by the line "topic deny home\/safe" of user "phone" \(.*list:4\)/,
      )
      assert.match(safe.said, /the captured broker sent the same\.\n$/)
    }, [pageList])
  },
)

captures('an end that the captured broker did not bring about is said', async () => {
  await inFolder(day, async (file) => {
    writeFileSync(file('sabethes.conf'), 'allow_anonymous true\nmax_keepalive 3\nlistener 1883\n')
    const words = ['--why-disconnected', 'p', '--config', file('sabethes.conf')]
    const { said } = await asked(file('wire.pcapng'), ...words)
    assert.match(said, /'p' .* was disconnected/)
    assert.match(said, /This broker sends (disconnect|the end of the connection).* to 'p'/)
  })
})

/** A capture of the packets that are kept. */
const without = (bytes: Uint8Array, isLost: (captured: Captured, i: number) => boolean) =>
  Buffer.concat([
    fileHeader(),
    ...new CaptureFile().push(bytes).flatMap((one, i) =>
      isLost(one, i) ? [] : [packetBlock(one.bytes, one.atMs * 1000)]
    ),
  ])

captures('whose bytes are missing, and from when on, is said before the answer', async () => {
  await inFolder(day, async (file) => {
    const bytes = readFileSync(file('wire.pcapng'))
    const start = new CaptureFile().push(bytes)[0]!.atMs
    // What `a` says after a second, its PUBACK, is lost.
    const lost = without(bytes, (one) => {
      const segment = segmentIn(one)
      return typeof segment !== 'string' && segment.to.port === 1883 && segment.size > 0 &&
        one.atMs - start === 1000
    })
    writeFileSync(file('lost'), lost)
    const { said, status } = await asked(file('lost'), '--message', 'd/1')
    assert.is(status, 2)
    assert.match(
      said,
      /\n.*\(client 'a'\) is incomplete from [\d.]+s on: \d+ bytes? of the client are missing/,
    )
    assert.ok(said.indexOf('is incomplete') < said.indexOf("'d/1' was published"))
    // It breaks off in the middle of a packet.
    writeFileSync(file('cut'), bytes.subarray(0, bytes.length - 50))
    const cut = await asked(file('cut'), '--message', 'd/1')
    assert.is(cut.status, 2)
    assert.match(cut.said, /The capture can be read up to byte \d+[^]*'d\/1' was published/)
    const nothing = /\nOf what came after \d+\.\d{3}s \(\S+Z\) nothing is known\.\n/
    assert.match(cut.said, nothing)
    // Packets are whole, and what they were zipped into is not.
    writeFileSync(file('half.gz'), gzipSync(bytes).subarray(0, -8))
    const half = await asked(file('half.gz'), '--message', 'd/1')
    assert.is(half.status, 2)
    assert.match(half.said, nothing)
    assert.not.match(half.said, 'The capture can be read up to byte')
  })
})

captures('what is no capture, or has nothing in it, is said', async () => {
  await inFolder(day, async (file) => {
    for (const option of ['--port', '--config']) {
      const words = ['--message', 'd/1', option, '1883']
      const { status, complained } = await asked(file('sabethes.trace'), ...words)
      assert.is(status, 3)
      assert.match(complained, new RegExp(`${option} is for captures`))
    }
    assert.is((await asked(file('wire.pcapng'), '--message', 'd', '--port', '0')).status, 3)
    const none = await asked(file('wire.pcapng'), '--message', 'd', '--config', file('none'))
    assert.is(none.status, 3)
    assert.match(none.complained, /none/)
    const nobody = await asked(file('wire.pcapng'), '--message', 'd/1', '--port', '99')
    assert.is(nobody.status, 2)
    assert.match(nobody.said, /Nobody connects to port 99/)
    writeFileSync(file('empty'), fileHeader())
    const empty = await asked(file('empty'), '--message', 'd/1')
    assert.is(empty.status, 2)
    assert.match(empty.said, /Nobody connects to port 1883/)
  })
})

captures.run()
