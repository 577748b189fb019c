// runs: node
// The same conversation with mosquitto 2.0 and with Sabethes, both with -v: the same lines, but for
// a list of differences, which are those between mosquitto 2.0 and 2.1.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { skipped } from './conformance/expect.ts'
import { freePort } from './free-port.ts'
import { root } from './runtimes.ts'

const words = suite('log words')

const mosquitto = '/usr/sbin/mosquitto'
const hasMosquitto = [mosquitto, 'mosquitto_sub', 'mosquitto_pub'].every((name) =>
  spawnSync(name, ['--help']).error === undefined
)
if (!hasMosquitto) skipped('the words of mosquitto', 'mosquitto')

const client = (program: 'sub' | 'pub', port: number, line: string): void => {
  spawnSync(`mosquitto_${program}`, ['-p', String(port), ...line.split(' ')], { timeout: 5_000 })
}

const conversation: ReadonlyArray<readonly ['sub' | 'pub', string]> = [
  ['sub', '-i sub -t hello/world -q 1 -E'],
  ['sub', '-i sub -t $share/g/x -q 1 -E'],
  ['pub', '-i pub -t hello/world -m hello -q 1'],
  ['pub', '-i will -t hello/world -m x -q 2 --will-topic w --will-payload gone'],
  ['pub', '-i new -V 5 -t hello/world -m x -q 1'],
  // With -E it goes after the SUBACK, and whether its DISCONNECT survives the UNSUBACK that it
  // never reads is a matter of luck.
  ['sub', '-i un -t a -U b -W 1 -q 1'],
  ['pub', '-i $x -t a -n -V 31'],
]

/** What a broker says until the conversation is over, without times, ports and its own name. */
const said = async (
  command: string,
  args: ReadonlyArray<string>,
  port: number,
): Promise<ReadonlyArray<string>> => {
  const broker = spawn(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  broker.stderr.setEncoding('utf8').on('data', (more: string) => text += more)
  const ended = new Promise((resolve) => broker.on('close', resolve))
  const until = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 400 && !done(); i++) await new Promise((wake) => setTimeout(wake, 25))
  }
  await until(() => text.includes(' running'))
  let gone = 0
  for (const [program, line] of conversation) {
    client(program, port, line)
    // Whoever comes next would else be heard before the broker has seen the last one go.
    gone += 1
    await until(() => (text.match(/ Client .* disconnected\.$/gm) ?? []).length >= gone)
  }
  broker.kill()
  await ended
  return text.trim().split('\n').map((line) =>
    line.replace(/^\d+: /, '')
      .replace(/(mosquitto|sabethes) version \S+/, 'BROKER')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'PEER')
      .replaceAll(String(port), 'PORT')
      .replaceAll(/\/\S*\/m\.conf/g, 'CONF')
  )
}

/**
 * What mosquitto 2.0 says, as 2.1 and Sabethes say it; null for what Sabethes does not. Of a
 * SUBSCRIBE with several filters mosquitto tells filter by filter what was asked and what was
 * granted, Sabethes first all that was asked: there is none of these here.
 */
const newer = (line: string): string | null => {
  // Nobody had subscribed to that.
  if (line === 'un b') return null
  return line
    // 2.0 calls 3.1.1 2 and 3.1 1.
    .replace('(p2,', '(p4,').replace('(p1,', '(p3,')
    .replace(/^Client (\S+) disconnected\.$/, 'Client $1 [PEER] disconnected.')
}

/** Lines of ours that mosquitto 2.0 has not; 2.1 has the first of them, for root. */
const more = [/^Info: running sabethes as user: /, /^Dropped message /, /^Session of /]

words('-v says what mosquitto says', async () => {
  if (!hasMosquitto) return
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-words-'))
  try {
    const results: Array<ReadonlyArray<string>> = []
    for (const isOurs of [false, true]) {
      const port = await freePort()
      const file = join(folder, 'm.conf')
      writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nsys_interval 0\n`)
      const command = isOurs ? process.execPath : mosquitto
      const program = isOurs ? ['--import', 'tsx', 'shells/cli/main.ts'] : []
      results.push(await said(command, [...program, '-v', '-c', file], port))
    }
    const [theirs, ours] = results
    assert.equal(
      ours!.filter((line) => !more.some((one) => one.test(line))),
      theirs!.map(newer).filter((line) => line !== null),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

words.run()
