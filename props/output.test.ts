// runs: node
// What a command says arrives whole, however slowly it is read. Where nobody reads it any more the
// command ends and says nothing of it, as other filters do; where it cannot be written one sentence
// says why. A broker goes on in either case.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync } from 'node:fs'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import * as I from '../core/broker/input.ts'
import { initial } from '../core/broker/state.ts'
import { Packet } from '../core/mod.ts'
import { freePort } from './free-port.ts'
import { recorded } from './gen/recordings.ts'
import { findDeno, programsFor, root } from './runtimes.ts'
import { openDirect } from './store/direct.ts'
import { stamp, writes } from './store/sample.ts'
import { loadAll, right } from './store/scratch.ts'

const output = suite('output')

const runtimes = programsFor('what commands say')

const asIs = process.getuid?.() === 0 ? 'user root\n' : ''

const folder = mkdtempSync(join(tmpdir(), 'sabethes-output-'))
const children = new Set<ChildProcess>()
output.after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const publishes = 4000
const recording = join(folder, 'sabethes.recording')
const story = join(root, 'props/traces/offline-queue-full.trace')
const [before, after] = [join(folder, 'before.conf'), join(folder, 'after.conf')]
const store = join(folder, 'store')

output.before(async () => {
  const conn = { slot: 0, generation: 1 }
  const peer = { address: '192.0.2.1', port: 5 }
  const payload = new Uint8Array(40).fill(0x61)
  const { text } = recorded(initial(defaults, { at: 0, wall: 1_700_000_000_000, seed: 1 }), [
    I.opened(conn, 0, '01234567-89AB-4CDE-8F01-23456789ABCD', '1883', peer),
    I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
    ...Array.from(
      { length: publishes },
      (_, at) => I.arrived(conn, at, Packet.publish({ topic: `t/${at}`, payload })),
    ),
  ])
  writeFileSync(recording, text)
  writeFileSync(before, 'listener 1883\n')
  writeFileSync(after, 'listener 1883\nmax_queued_messages 7\n')
  const opened = right(await openDirect({ folder: store }))
  right(await loadAll(opened))
  await opened.commit(stamp, writes)
  // As a kill leaves it: once all is read its log moves into the file, while nobody takes a line.
  const left = ['sabethes.sqlite3', 'sabethes.sqlite3-wal'].map((name) => join(store, name))
  const files = left.map((path) => readFileSync(path))
  await opened.close()
  left.forEach((path, i) => writeFileSync(path, files[i]!))
})

const commands: ReadonlyArray<ReadonlyArray<string>> = [
  ['--help'],
  ['--version'],
  ['replay', recording],
  ['replay', story],
  ['replay', story, '--to-story'],
  ['explain', story, '--message', 'd/1'],
  ['shrink', story, '--property', 'sends:a:#'],
  ['shrink', '--list'],
  ['trace', '--help'],
  ['config', 'diff', before, after],
  ['store', 'dump', store],
]

interface Ended {
  readonly status: number | null
  readonly said: string
  readonly complained: string
}

const scratch = join(folder, 'tmp')
mkdirSync(scratch)

/** Runs a line of the shell, in which "$@" is the command, and fd 3 takes its status. */
const inShell = (
  line: string,
  command: ReadonlyArray<string>,
  out: 'pipe' | number = 'pipe',
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn('sh', ['-c', line, 'sh', ...command], {
      stdio: ['ignore', out, 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: scratch },
    })
    children.add(child)
    let [said, complained, status] = ['', '', '']
    child.stdout?.setEncoding('utf8').on('data', (text: string) => said += text)
    child.stderr!.setEncoding('utf8').on('data', (text: string) => complained += text)
    child.stdio[3]!.on('data', (chunk: Uint8Array) => status += new TextDecoder().decode(chunk))
    child.on('close', () => {
      children.delete(child)
      resolve({ status: status === '' ? null : Number(status), said, complained })
    })
  })

/** The status, and what was complained of, without the words of a shrinking that went well. */
const wrong = ({ status, complained }: Ended): string =>
  `${status} ${complained.replace(/^\d+ inputs? of .*\n/gm, '')}`

for (const [name, command] of runtimes) {
  output(`a command whose reader is gone ends without a word, on ${name}`, async () => {
    for (const words of commands) {
      const ended = await inShell('{ "$@" 3>&-; echo $? >&3; } | true', [...command, ...words])
      assert.is(wrong(ended), '141 ', words.join(' '))
    }
    assert.equal(readdirSync(scratch), [], 'no copy of the store is left')
  })

  output(`a command that cannot write says why, on ${name}`, async () => {
    if (!existsSync('/dev/full')) return console.log('SKIPPED: a full disk because of no /dev/full')
    const full = openSync('/dev/full', 'w')
    for (const words of commands) {
      const ended = await inShell('"$@" 3>&-; echo $? >&3', [...command, ...words], full)
      assert.match(
        wrong(ended),
        /^1 Error: Standard output cannot be written: .*o space left on device.*\.\n$/,
        words.join(' '),
      )
    }
    closeSync(full)
    assert.equal(readdirSync(scratch), [], 'no copy of the store is left')
  })

  output(`what nobody reads of the complaints changes no status, on ${name}`, async () => {
    const words = [...command, 'replay', join(folder, 'none')]
    const ended = await inShell('{ "$@" 2>&1 >/dev/null 3>&-; echo $? >&3; } | true', words)
    assert.is(wrong(ended), '2 ')
  })

  output(`all of much arrives at a reader that takes its time, on ${name}`, async () => {
    const words = [...command, 'replay', recording]
    const whole = join(folder, 'whole.txt')
    await inShell(`"$@" > ${whole}`, words)
    const { said } = await inShell(
      `"$@" | { sleep 0.7; cmp - ${whole} && wc -c < ${whole}; }`,
      words,
    )
    assert.ok(Number(said) > 80 * publishes, said)
  })

  output(`a pipe that does not wait is written to whole, on ${name}`, async () => {
    // Another process has the same end of the pipe, and wants its own writes not to wait.
    const set = `${process.execPath} -e 'process.stdout._handle; setTimeout(() => {}, 1200)'`
    const words = [...command, 'replay', recording]
    const whole = join(folder, 'whole.txt')
    const { said } = await inShell(
      `{ ${set} & sleep 0.3; "$@"; } | { sleep 1; cmp - ${whole} && echo same; }`,
      words,
    )
    assert.is(said, 'same\n')
  })

  output(`a broker goes on although nobody reads it, on ${name}`, async () => {
    const port = await freePort()
    const config = join(folder, `${name}.conf`)
    writeFileSync(config, `${asIs}listener ${port} 127.0.0.1\nlog_dest stdout\nlog_type all\n`)
    const [first = '', ...rest] = [...command, '-c', config]
    const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    children.add(child)
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    await new Promise<void>((resolve) => {
      let heard = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        heard += text
        if (/running/.test(heard)) resolve()
      })
      child.on('close', () => resolve())
    })
    child.stdout.destroy()
    child.stderr.destroy()
    for (let i = 0; i < 3; i++) {
      child.kill('SIGUSR2')
      await new Promise((wake) => setTimeout(wake, 100))
      assert.is(child.exitCode, null)
    }
    child.kill('SIGTERM')
    assert.is(await ended, 0)
    children.delete(child)
  })

  output(`syslog has all that came before a start failed, on ${name}`, async () => {
    const place = mkdtempSync(join(folder, 'bin-'))
    const into = join(place, 'syslog')
    // As slow as one on a busy machine.
    const script = `[ "$1" = --help ] && exit\nsleep 0.3\nexec cat >> ${into}.new\n`
    writeFileSync(join(place, 'logger'), `#!/bin/sh\n${script}`, { mode: 0o755 })
    const config = join(folder, `${name}-syslog.conf`)
    // Nobody has this address.
    const lines = [`${asIs}log_dest syslog`, 'log_type all', 'listener 1 192.0.2.1', '']
    writeFileSync(config, lines.join('\n'))
    const words = [...command, '-c', config]
    const ended = await inShell(
      `PATH=${place}:$PATH; "$@" 2>&1; echo $?; sleep 0.6; cat ${into}.new`,
      words,
    )
    const listening = /\n1\n[^]*starting\n[^]*Opening ipv4 listen socket on port 1\.\n/
    assert.match(ended.said, listening)
    // The last word is why.
    assert.match(ended.said.replace(listening, ''), /Error: .*192\.0\.2\.1/)
  })
}

/** The runs that have been printed. */
const runsIn = (said: string): ReadonlyArray<number> =>
  [...said.matchAll(/ run (\d+)\n/g)].map(([, run]) => Number(run))

for (const [runtime, program] of runtimes) {
  output(`--step waits for who is slow to answer, on ${runtime}`, async () => {
    const [first, ...words] = program
    // What a child has as standard input is a socket here, and answers EAGAIN as a terminal does.
    const child = spawn(first!, [...words, 'replay', recording, '--step'], { stdio: 'pipe' })
    children.add(child)
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => said += text)
    const ended = new Promise((resolve) => child.on('close', resolve))
    const until = async (count: number): Promise<void> => {
      while (runsIn(said).length < count) await sleep(10)
      await sleep(100)
    }
    await until(1)
    child.stdin.write('2')
    await sleep(50)
    child.stdin.write('\n')
    await until(3)
    child.stdin.write('b\n')
    await until(4)
    child.stdin.write('q\n')
    assert.is(await ended, 0)
    children.delete(child)
    assert.equal(runsIn(said), [1, 2, 3, 2])
  })
}

output('on Deno the log waits for a stream that is full and was set not to wait', () => {
  const deno = findDeno()
  if (deno === null) return
  const script = `import { printOut } from './shells/deno/host.ts'
    const write = Deno.stdout.writeSync.bind(Deno.stdout)
    let calls = 0
    Deno.stdout.writeSync = (bytes) => {
      calls += 1
      if (calls % 2 === 1) throw new Deno.errors.WouldBlock('full')
      return write(bytes.subarray(0, 4))
    }
    printOut('a line as a whole\\n')`
  const { stdout, stderr } = spawnSync(deno, ['eval', script], { cwd: root, encoding: 'utf8' })
  assert.is(stdout, 'a line as a whole\n', stderr)
})

output.run()
