// runs: node
// What tcpdump records of mosquitto and its clients on the loopback, played to a broker of ours:
// everybody is told the same.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { playRecording } from '../shells/cli/replay.ts'
import { skipped, sleep, within } from './conformance/expect.ts'
import { freePort } from './free-port.ts'

const wire = suite('capture-wire')

const mosquitto = '/usr/sbin/mosquitto'
const missing = [mosquitto, 'mosquitto_sub', 'mosquitto_pub', 'tcpdump'].find((name) =>
  spawnSync(name, ['--help']).error !== undefined
)

/** A program, once it has said the words on its error output; null where it ends before. */
const started = (
  program: string,
  args: ReadonlyArray<string>,
  words: string,
): Promise<ChildProcess | null> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let text = ''
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text += more
      if (text.includes(words)) resolve(child)
    })
    child.on('exit', () => resolve(null))
  })

const ended = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.on('exit', () => resolve())
    child.kill(signal)
  })

const client = (program: 'sub' | 'pub', port: number, line: string): void => {
  const all = ['-h', '127.0.0.1', '-p', String(port), ...line.split(' ')]
  spawnSync(`mosquitto_${program}`, all, { timeout: 5_000 })
}

const large = 'x'.repeat(100_000)

/** Somebody listens from the start to the end; the others come and go. */
const converse = async (port: number): Promise<void> => {
  const all = await started(
    'sh',
    ['-c', `exec stdbuf -oL mosquitto_sub -d -h 127.0.0.1 -p ${port} -i all -t '#' -q 2 -C 7 1>&2`],
    'Subscribed',
  )
  assert.ok(all !== null)
  const heard = new Promise<void>((resolve) => all.on('exit', () => resolve()))
  try {
    client('pub', port, '-i zero -t a/0 -m x')
    // Whoever goes while he is being told something may or may not be told it.
    client('sub', port, '-i kept -c -t a/# -q 1 -E')
    client('pub', port, '-i one -t a/1 -m x -q 1 -r')
    client('pub', port, '-i two -V 5 -t a/2 -m x -q 2')
    client('sub', port, '-i kept -c -t a/# -q 1 -C 3')
    client('sub', port, '-i new -V 5 -t a/+ -C 1')
    client('pub', port, '-i will -V 5 -t a/3 -m x -q 2 --will-topic w --will-payload gone')
    client('pub', port, `-i large -t b -q 1 -m ${large}`)
    client('pub', port, '-i old -V mqttv31 -t c -m x -q 1')
    client('pub', port, '-i last -V 5 -t c -m x -q 1')
    await within(5_000, 'the listener has its seven messages', heard)
  } finally {
    await ended(all, 'SIGKILL')
  }
}

wire('everybody is told what mosquitto told him', async () => {
  if (missing !== undefined) return skipped('a capture of mosquitto', missing)
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-wire-'))
  try {
    const port = await freePort()
    const [conf, file] = [join(folder, 'm.conf'), join(folder, 'wire.pcap')]
    writeFileSync(conf, `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
    const args = ['-i', 'lo', '-U', '--immediate-mode', '-Z', 'root', '-s', '0', '-B', '16384']
    const tcpdump = await started('tcpdump', [...args, '-w', file, `tcp port ${port}`], 'listening')
    if (tcpdump === null) return skipped('a capture of mosquitto', 'the right to capture')
    const broker = await started(mosquitto, ['-c', conf], ' running')
    assert.ok(broker !== null)
    try {
      await converse(port)
    } finally {
      await ended(broker, 'SIGTERM')
      await sleep(200)
      await ended(tcpdump, 'SIGINT')
    }
    let [said, complained] = ['', '']
    const status = await playRecording({
      say: (text) => said += text,
      complain: (text) => complained += text,
    }, [file])
    assert.is(complained, '')
    assert.is(status, 0, said.slice(said.indexOf('connections to port')))
    assert.match(said, new RegExp(`port is taken to be ${port}, where 11 CONNECTs went\\.`))
    for (
      const text of [
        /all< publish 'a\/2' qos2 id\d+ "x"/,
        /kept< publish 'a\/1' qos1 id\d+ retain "x"/,
        /kept< publish 'a\/1' qos1 id\d+ "x"/,
        /kept< publish 'a\/2' qos1 id\d+ "x"/,
        /new< publish 'a\/1' retain "x"/,
        /all< publish 'b' qos1 id\d+ "x"\*100000/,
        /11 connections to port/,
        /(\d\d) messages and answers of the captured broker were compared: this one sends the same/,
      ]
    ) assert.match(said, text)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

wire.run()
