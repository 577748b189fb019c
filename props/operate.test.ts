// runs: node
// The broker as an operator has it: a configuration file, signals, a process identifier in a file,
// the background, a user with fewer rights, and a service manager that waits for it. Each on both
// runtimes, as a program of its own.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createReader, defaultLimits, encode, Packet } from '../core/mod.ts'
import type { Record, Write } from '../core/broker/record.ts'
import type { Packet as AnyPacket } from '../core/codec/packet.ts'
import { freePort } from './free-port.ts'
import { findDeno, root } from './runtimes.ts'
import { openDirect } from './store/direct.ts'
import { sample, stamp } from './store/sample.ts'
import { loadAll, right } from './store/scratch.ts'

const operating = suite('operate')

const deno = findDeno()
const program = join(root, 'shells/cli/main.ts')
const built = join(root, 'dist/shells/cli/main.js')

const runtimes: ReadonlyArray<readonly [name: string, command: ReadonlyArray<string>]> = [
  ['Node', [process.execPath, built]],
  ...(deno === null ? [] : [['Deno', [deno, 'run', '-A', program]] as const]),
]
if (deno === null) console.log('SKIPPED: the operator on Deno because deno is missing')

const folder = mkdtempSync(join(tmpdir(), 'sabethes-operate-'))
operating.after(() => rmSync(folder, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0
/** Keeps root's rights, where there are any to keep. */
const asIs = isRoot ? 'user root\n' : ''

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

const until = async (what: string, done: () => boolean | Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 800; i++) {
    if (await done()) return
    await sleep(25)
  }
  throw new Error(`waited 20 s in vain for ${what}`)
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/** What can be debugged on this machine, where runtimes let it be. */
const debuggers = async (): Promise<string> => {
  try {
    return await (await fetch('http://127.0.0.1:9229/json/list')).text()
  } catch {
    return ''
  }
}

let fileCount = 0
const write = (text: string): string => {
  fileCount += 1
  const path = join(folder, `broker-${fileCount}.conf`)
  writeFileSync(path, asIs + text)
  return path
}

/** A store that takes a while to be read. */
const storeOfMany = async (count: number): Promise<string> => {
  const path = mkdtempSync(join(folder, 'store-'))
  const message = sample.find((record) => record.kind === 'message')!
  const store = right(await openDirect({ folder: path }))
  right(await loadAll(store))
  const writes = Array.from({ length: count }, (_, id): Write => ({
    _tag: 'Put',
    isNew: true,
    record: { ...message, id } as Record,
  }))
  assert.equal(await store.commit(stamp, writes), { _tag: 'Durable' })
  await store.close()
  return path
}

/** A broker of its own, which is killed at the end. */
class Broker {
  readonly child: ChildProcess
  output = ''
  errors = ''
  status: number | null = null
  readonly ended: Promise<number | null>

  constructor(command: ReadonlyArray<string>, words: ReadonlyArray<string>, env = {}) {
    const [first = '', ...rest] = command
    this.child = spawn(first, [...rest, ...words], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text
    })
    this.ended = new Promise((resolve) =>
      this.child.on('close', (status) => {
        this.status = status
        resolve(status)
      })
    )
  }

  async says(text: string): Promise<void> {
    try {
      await until(text, () => this.errors.includes(text) || this.child.exitCode !== null)
    } finally {
      assert.match(this.errors, text)
    }
  }

  signal(name: NodeJS.Signals | number): void {
    if (this.child.pid !== undefined) process.kill(this.child.pid, name)
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode === null) this.signal('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
    await this.ended
    clearTimeout(timer)
    return this.status
  }
}

/** A client of MQTT 5 that remembers what it was sent. */
class Client {
  readonly packets: Array<AnyPacket> = []
  isOpen = true
  readonly socket: Socket

  constructor(
    port: number,
    clientId: string,
    userName: string | null = null,
    password: string | null = null,
  ) {
    const reader = createReader(defaultLimits, 5)
    this.socket = dial(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.isOpen = false
    })
    this.socket.on('data', (chunk) => {
      reader.push(chunk, 0, chunk.length)
      for (let next = reader.next(); next !== null; next = reader.next()) {
        if (next._tag === 'Right') this.packets.push(next.right)
      }
      reader.release()
    })
    const user = userName === null ? {} : { userName }
    const secret = password === null ? {} : { password }
    this.send(Packet.connect({ clientId, level: 5, ...user, ...secret }))
  }

  send(packet: AnyPacket): void {
    this.socket.write(encode(5, packet))
  }

  async got(tag: AnyPacket['_tag']): Promise<AnyPacket> {
    await until(tag, () => this.packets.some((one) => one._tag === tag) || !this.isOpen)
    const found = this.packets.find((one) => one._tag === tag)
    if (found === undefined) throw new Error(`${tag} did not come`)
    return found
  }
}

/** The command of a program that says on standard error each time that it begins to hear this. */
const saying = (signal: string, command: ReadonlyArray<string>): ReadonlyArray<string> => {
  const hook = 'const { on } = process; process.on = function (name, f) { ' +
    'on.call(this, name, f); ' +
    `if (name === '${signal}') console.error('hears ${signal}'); return this }`
  const preload = join(folder, `${signal}.mjs`)
  writeFileSync(preload, `import process from 'node:process'; ${hook}`)
  const [first = '', ...rest] = command
  return first === process.execPath
    ? [first, '--import', preload, ...rest]
    : [first, ...rest.slice(0, -1), '--preload', preload, rest.at(-1)!]
}

for (const [runtime, command] of runtimes) {
  const test = (name: string, body: () => Promise<void>): void => {
    operating(`${runtime}: ${name}`, body)
  }

  test('a file is followed, and the end is in order', async () => {
    const port = await freePort()
    const pidFile = join(folder, `${runtime}.pid`)
    const file = write(`listener ${port} 127.0.0.1\nallow_anonymous true\npid_file ${pidFile}\n`)
    const broker = new Broker(command, ['-c', file])
    try {
      await broker.says('running')
      assert.match(broker.errors, `Config loaded from ${file}.`)
      assert.is(Number(readFileSync(pidFile, 'utf8')), broker.child.pid)
      const client = new Client(port, 'a')
      await client.got('Connack')
    } finally {
      assert.is(await broker.end(), 0)
    }
    assert.not(existsSync(pidFile))
  })

  test('a broken file ends it before anything is opened', async () => {
    const port = await freePort()
    const file = write(`listener ${port} 127.0.0.1\nallow_anonymouse false\n`)
    const broker = new Broker(command, ['-c', file])
    assert.is(await broker.ended, 3)
    const line = isRoot ? 3 : 2
    assert.match(broker.errors, "Error: Unknown configuration variable 'allow_anonymouse'.\n")
    assert.match(broker.errors, `Error found at ${file}:${line}.\n`)
    assert.match(broker.errors, 'allow_anonymous')
    assert.not(await accepts(port))
  })

  test('where it cannot be found by its pid file it does not start, nor record', async () => {
    const trace = join(folder, `${runtime}-unfound.trace`)
    const file = write(
      `listener ${await freePort()} 127.0.0.1\ntrace_file ${trace}\npid_file ${folder}/no/pid\n`,
    )
    const broker = new Broker(command, ['-c', file])
    assert.is(await broker.ended, 1)
    assert.match(broker.errors, 'Unable to write pid file')
    assert.not(existsSync(trace))
  })

  test('--test-config says what it thinks, and listens to nobody', async () => {
    const good = new Broker(command, ['-c', write('listener 1883\n'), '--test-config'])
    assert.is(await good.ended, 0, good.errors)
    assert.match(good.output + good.errors, 'Configuration file is OK.')
    const bad = new Broker(command, ['--test-config', '-c', write('listener none\n')])
    assert.is(await bad.ended, 3)
  })

  test('SIGHUP takes listeners away and adds others; clients are told', async () => {
    const [first, second, third] = [await freePort(), await freePort(), await freePort()]
    const common = 'allow_anonymous true\n'
    const file = write(`${common}listener ${first} 127.0.0.1\nlistener ${second} 127.0.0.1\n`)
    const broker = new Broker(command, ['-c', file])
    try {
      await broker.says('running')
      const [stays, goes] = [new Client(first, 'stays'), new Client(second, 'goes')]
      await stays.got('Connack')
      await goes.got('Connack')
      // Another one on the port of one that stays is nothing to that.
      const next = `${common}listener ${first} 127.0.0.2\nlistener ${first} 127.0.0.1\n` +
        `max_qos 1\nlistener ${third} 127.0.0.1\n`
      writeFileSync(file, asIs + next)
      broker.signal('SIGHUP')
      const farewell = await goes.got('Disconnect')
      assert.is(farewell._tag === 'Disconnect' && farewell.reason, 0x98)
      assert.not(await accepts(second))
      assert.ok(await accepts(third))
      const fresh = new Client(first, 'fresh')
      const connack = await fresh.got('Connack')
      assert.is(connack._tag === 'Connack' && connack.properties.maximumQos, 1)
      stays.send({ _tag: 'Pingreq' })
      await stays.got('Pingresp')
      await broker.says('max_qos')
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('in a storm of reloads everybody who comes gets in', async () => {
    const port = await freePort()
    const broker = new Broker(command, ['-c', write(`listener ${port}\nallow_anonymous true\n`)])
    let storm: ReturnType<typeof setInterval> | undefined
    try {
      await broker.says('running')
      storm = setInterval(() => broker.signal('SIGHUP'), 5)
      for (let round = 0; round < 2; round++) {
        const names = Array.from({ length: 500 }, (_, i) => `storm ${i}`)
        const clients = names.map((name) => new Client(port, name))
        for (const client of clients) {
          const connack = await client.got('Connack')
          assert.is(connack._tag === 'Connack' && connack.reason, 0)
        }
        for (const { socket } of clients) socket.destroy()
      }
    } finally {
      clearInterval(storm)
      assert.is(await broker.end(), 0)
    }
  })

  test('a reload of a broken file changes nothing', async () => {
    const [first, second] = [await freePort(), await freePort()]
    const file = write(`listener ${first} 127.0.0.1\nallow_anonymous false\n`)
    const broker = new Broker(command, ['-c', file])
    try {
      await broker.says('running')
      for (
        const text of [
          `listener ${first} 127.0.0.1\nallow_anonymous true\nlistener ${second} 127.0.0.1\nx\n`,
          `listener ${first} 127.0.0.1\nallow_anonymous true\nacl_file ${folder}/none\n`,
          `allow_anonymous true\nlistener ${first} 127.0.0.1\nlistener ${second} 192.0.2.7\n`,
        ]
      ) {
        writeFileSync(file, asIs + text)
        broker.errors = ''
        broker.signal('SIGHUP')
        await broker.says('The configuration stays as it was.')
        assert.match(broker.errors, 'Error: ')
        assert.not(await accepts(second))
        const client = new Client(first, 'nobody')
        const connack = await client.got('Connack')
        assert.is(connack._tag === 'Connack' && connack.reason, 0x87)
      }
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('passwords and access lists: at the start, and again at SIGHUP', async () => {
    const port = await freePort()
    const [words, list] = [join(folder, `${runtime}.pw`), join(folder, `${runtime}.acl`)]
    const setPassword = (password: string): void => {
      const made = spawnSync('mosquitto_passwd', ['-c', '-b', words, 'ann', password])
      assert.is(made.status, 0, String(made.error ?? made.stderr))
    }
    setPassword('one')
    writeFileSync(list, 'user ann\ntopic readwrite ann/#\n', { mode: 0o600 })
    const text = `listener ${port} 127.0.0.1\npassword_file ${words}\nacl_file ${list}\n`
    const file = write(text)
    const broker = new Broker(command, ['-c', file])
    const connackOf = async (client: Client): Promise<number> => {
      const connack = await client.got('Connack')
      return connack._tag === 'Connack' ? connack.reason : -1
    }
    try {
      await broker.says('running')
      assert.match(broker.errors, `${words} has world readable permissions`)
      assert.is(await connackOf(new Client(port, 'nobody')), 0x87)
      assert.is(await connackOf(new Client(port, 'wrong', 'ann', 'two')), 0x87)
      const ann = new Client(port, 'ann', 'ann', 'one')
      assert.is(await connackOf(ann), 0)
      ann.send(Packet.subscribe({ filter: 'bob/#', qos: 1 }))
      const suback = await ann.got('Suback')
      assert.equal(suback._tag === 'Suback' && suback.reasons, [0x87])
      ann.send({ ...Packet.publish({ topic: 'bob/x', payload: 'no', qos: 1 }), packetId: 7 })
      const puback = await ann.got('Puback')
      assert.is(puback._tag === 'Puback' && puback.reason, 0x87)
      await broker.says('Denied PUBLISH from ann')

      // An access list that is none changes nothing at all.
      writeFileSync(list, 'user ann\ntopic sometimes ann/#\n')
      writeFileSync(file, asIs + `allow_anonymous true\n${text}`)
      broker.errors = ''
      broker.signal('SIGHUP')
      await broker.says('The configuration stays as it was.')
      assert.match(broker.errors, `${list}:2: `)
      assert.is(await connackOf(new Client(port, 'nobody')), 0x87)

      // One that is gone stays in force, and all else goes on.
      rmSync(list)
      broker.errors = ''
      broker.signal('SIGHUP')
      await broker.says('allow_anonymous')
      assert.match(broker.errors, 'What was read before stays in force.')
      assert.is(await connackOf(new Client(port, 'nobody')), 0)
      assert.ok(ann.isOpen)

      // Another password ends what rests on the old one.
      setPassword('two')
      broker.signal('SIGHUP')
      const farewell = await ann.got('Disconnect')
      assert.is(farewell._tag === 'Disconnect' && farewell.reason, 0x87)
      assert.is(await connackOf(new Client(port, 'ann', 'ann', 'one')), 0x87)
      assert.is(await connackOf(new Client(port, 'ann', 'ann', 'two')), 0)
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('what is no file is no configuration, no list and no list of passwords', async () => {
    const pipe = join(folder, `${runtime}-pipe`)
    spawnSync('mkfifo', [pipe])
    const lines = `listener ${await freePort()} 127.0.0.1\n`
    const included = join(folder, `${runtime}-included`)
    spawnSync('mkdir', ['-p', included])
    spawnSync('mkfifo', [join(included, 'pipe.conf')])
    const asked = [
      [pipe, `Config file '${pipe}' is a pipe, a socket or a device.`],
      ['/dev/zero', "Config file '/dev/zero' is a pipe, a socket or a device."],
      [write(`include_dir ${included}\n`), 'is a pipe, a socket or a device.'],
      [write(`${lines}acl_file ${pipe}\n`), `${pipe}: no file. Name a file.`],
      [write(`${lines}password_file ${pipe}\n`), `${pipe}: no file. Name a file.`],
    ] as const
    for (const [file, sentence] of asked) {
      const broker = new Broker(command, ['-c', file])
      await until('an answer', () => broker.status !== null)
      assert.match(broker.errors, sentence)
    }
    const none = new Broker(command, ['-c', '/dev/null', '--test-config'])
    assert.is(await none.ended, 0, none.errors)
  })

  test('a log follows nothing in a folder that others may write', async () => {
    const port = await freePort()
    const open = join(folder, `${runtime}-open`)
    const closed = join(folder, `${runtime}-closed`)
    const target = join(folder, `${runtime}-target`)
    for (const one of [open, closed]) spawnSync('mkdir', ['-p', one])
    spawnSync('chmod', ['1777', open])
    writeFileSync(target, 'mine\n')
    for (const one of [open, closed]) symlinkSync(target, join(one, 'link'))
    symlinkSync(join(folder, `${runtime}-new`), join(open, 'dangling'))
    spawnSync('ln', [target, join(open, 'hard')])
    spawnSync('mkfifo', [join(open, 'pipe')])
    writeFileSync(join(open, 'plain'), '')
    const logs = async (path: string, env = {}): Promise<boolean> => {
      const before = existsSync(path) && statSync(path).isFile() ? statSync(path).size : 0
      const text = `listener ${port} 127.0.0.1\nlog_dest file ${path}\nlog_type all\n`
      const broker = new Broker(command, ['-c', write(text)], env)
      const isLogged = (): boolean => {
        try {
          return statSync(path).isFile() && statSync(path).size > before
        } catch {
          return false
        }
      }
      await until('an answer', () => broker.status !== null || isLogged())
      if (broker.status === null) return await broker.end() === 0
      assert.match(broker.errors, 'somebody else may write its folder')
      return false
    }
    for (const name of ['link', 'dangling', 'hard', 'pipe']) {
      assert.not(await logs(join(open, name)), name)
    }
    assert.is(readFileSync(target, 'utf8'), 'mine\n')
    assert.not(existsSync(join(folder, `${runtime}-new`)))
    assert.ok(await logs(join(open, 'plain')))
    assert.ok(await logs(join(open, 'fresh')))
    assert.ok(await logs(join(closed, 'link')))
    assert.ok(await logs(join(open, 'link'), { MOSQUITTO_UNSAFE_ALLOW_SYMLINKS: '1' }))
  })

  test('files with secrets that others may write, or turn, are refused', async () => {
    const port = await freePort()
    const words = join(folder, `${runtime}-open.pw`)
    const link = join(folder, `${runtime}-link.pw`)
    writeFileSync(words, 'ann:$7$101$c2FsdHNhbHQ=$aGFzaA==\n', { mode: 0o666 })
    spawnSync('chmod', ['666', words])
    rmSync(link, { force: true })
    symlinkSync(words, link)
    const refused = async (path: string, env = {}): Promise<string> => {
      const file = write(`listener ${port} 127.0.0.1\npassword_file ${path}\n`)
      const broker = new Broker(command, ['-c', file], env)
      await until('an answer', () => broker.status !== null || broker.errors.includes('running'))
      const { status, errors } = broker
      await broker.end()
      return status === 13 ? errors : ''
    }
    assert.match(await refused(words), 'chmod go-w')
    spawnSync('chmod', ['600', words])
    assert.is(await refused(words), '')
    assert.match(await refused(link), 'symbolic link')
    assert.is(await refused(link, { MOSQUITTO_UNSAFE_ALLOW_SYMLINKS: '1' }), '')
    const log = join(folder, `${runtime}-open.log`)
    const why = await refused(`${words}-none\nlog_dest file ${log}`)
    assert.match(why, `Error: Unable to open pwfile "${words}-none".\n`)
    assert.is(readFileSync(log, 'utf8').replaceAll(/^\d+: /gm, ''), why)
  })

  test('SIGUSR2 prints who has subscribed to what, SIGUSR1 says that all is saved', async () => {
    const port = await freePort()
    const broker = new Broker(command, ['-p', String(port)])
    try {
      await broker.says('running')
      const client = new Client(port, 'one')
      await client.got('Connack')
      for (const filter of ['home/+/temp', '$SYS/broker/uptime', '$share/g/a/b', '/x']) {
        client.send(Packet.subscribe({ filter, qos: 1 }))
      }
      // What $SYS has to say comes as well.
      const answers = () => client.packets.filter((one) => one._tag === 'Suback')
      await until('four answers', () => answers().length === 4)
      broker.signal('SIGUSR2')
      broker.signal('SIGUSR1')
      await broker.says('nothing to save')
      await until('the tree', () => broker.output.includes('(one, 1)'))
      const expected = [
        '    ',
        '      home',
        '        +',
        '          temp (one, 1)',
        '      ',
        '        x (one, 1)',
        '    $SYS',
        '      $SYS',
        '        broker',
        '          uptime (one, 1)',
        '    $share',
        '      g',
        '        a',
        '          b (one, 1)',
      ]
      assert.equal([...broker.output.trimEnd().split('\n')].sort(), [...expected].sort())
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    test(`${signal} in the midst of the start opens no debugger and ends nothing`, async () => {
      const port = await freePort()
      // Until its first line runs a program has no say.
      const broker = new Broker(saying('SIGHUP', command), ['-p', String(port)])
      try {
        await broker.says('hears SIGHUP')
        assert.not.match(broker.errors, 'starting')
        while (!broker.errors.includes('running')) {
          assert.is(broker.child.exitCode, null, broker.errors)
          assert.is(broker.child.signalCode, null, 'the signal ended it')
          broker.signal(signal)
          await sleep(10)
        }
        assert.not.match(broker.errors, 'Debugger')
      } finally {
        assert.is(await broker.end(), 0)
      }
    })
  }

  test('SIGUSR1 leaves no debugger open', async () => {
    const port = await freePort()
    const broker = new Broker(command, ['-p', String(port)])
    try {
      await broker.says('running')
      // Deno hears it only half a second after its start.
      await sleep(1_000)
      broker.signal('SIGUSR1')
      await broker.says('nothing to save')
      await sleep(300)
      const opened = /ws:\/\/127\.0\.0\.1:9229\/(\S+)/.exec(broker.errors)?.[1]
      // Another program may have one of its own there.
      const isOpen = async () => opened !== undefined && (await debuggers()).includes(opened)
      await until('it to be closed', async () => !await isOpen())
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('SIGHUP in the midst of the start ends nothing, and is heard afterwards', async () => {
    const [first, second] = [await freePort(), await freePort()]
    const file = write(`listener ${first} 127.0.0.1\n`)
    const broker = new Broker(saying('SIGHUP', command), ['-c', file])
    try {
      // The first is that of the program before it knows what is asked; then the file is read.
      await until('the second time', () => broker.errors.split('hears SIGHUP').length > 2)
      writeFileSync(file, asIs + `listener ${first} 127.0.0.1\nlistener ${second} 127.0.0.1\n`)
      broker.signal('SIGHUP')
      await broker.says('running')
      await until('the other listener', () => accepts(second))
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('who had no password to prove goes when everybody has to', async () => {
    const port = await freePort()
    const file = write(`listener ${port} 127.0.0.1\nallow_anonymous true\n`)
    const broker = new Broker(command, ['-c', file])
    try {
      await broker.says('running')
      const claims = new Client(port, 'claims', 'root', 'made up')
      const connack = await claims.got('Connack')
      assert.is(connack._tag === 'Connack' && connack.reason, 0)
      writeFileSync(file, asIs + `listener ${port} 127.0.0.1\nallow_anonymous false\n`)
      broker.signal('SIGHUP')
      const told = await claims.got('Disconnect')
      assert.is(told._tag === 'Disconnect' && told.reason, 0x87)
      await broker.says('disconnected: not authorised.')
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('who has no name stays when only names have to be proved from now on', async () => {
    const port = await freePort()
    const text = `listener ${port} 127.0.0.1\nallow_anonymous true\n`
    const file = write(text)
    const broker = new Broker(command, ['-c', file])
    try {
      await broker.says('running')
      const [nameless, claims] = [new Client(port, 'n'), new Client(port, 'c', 'root', 'made up')]
      await Promise.all([nameless.got('Connack'), claims.got('Connack')])
      writeFileSync(join(folder, 'nobody.pw'), '', { mode: 0o600 })
      writeFileSync(file, `${asIs}${text}password_file ${join(folder, 'nobody.pw')}\n`)
      broker.signal('SIGHUP')
      await claims.got('Disconnect')
      nameless.send({ _tag: 'Pingreq' })
      await nameless.got('Pingresp')
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('which files are read again is said at a reload as it is at the start', async () => {
    const included = join(folder, `${runtime}-read-again`)
    spawnSync('mkdir', ['-p', included])
    writeFileSync(join(included, 'one.conf'), 'connection_messages true\n')
    const listener = `listener ${await freePort()} 127.0.0.1\n`
    const broker = new Broker(command, ['-c', write(`${listener}include_dir ${included}\n`)])
    try {
      await broker.says('running')
      broker.errors = ''
      writeFileSync(join(included, 'two.conf'), 'max_inflight_messages 5\n')
      broker.signal('SIGHUP')
      await broker.says('max_inflight_messages: 20 -> 5')
      for (const name of ['one', 'two']) {
        await broker.says(`Loading config file '${join(included, name)}.conf'`)
      }
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('what needs a restart is said at every reload until there is one', async () => {
    const port = await freePort()
    const text = `listener ${port} 127.0.0.1\n`
    const file = write(text)
    const broker = new Broker(command, ['-c', file])
    try {
      await broker.says('running')
      writeFileSync(file, `user nobody\nmemory_limit 4000000000\n${text}`)
      for (let i = 0; i < 2; i++) {
        broker.errors = ''
        broker.signal('SIGHUP')
        await broker.says('memory_limit: nothing -> 4000000000 (after a restart)')
        await until('the user', () => /user: .* -> nobody \(after a restart\)/.test(broker.errors))
      }
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('whoever ends it in the midst of the start gets status 0', async () => {
    for (const waitMs of [0, 20, 60, 120]) {
      const broker = new Broker(saying('SIGTERM', command), ['-p', String(await freePort())])
      // Until its first line runs a program has no say.
      await broker.says('hears SIGTERM')
      await sleep(waitMs)
      broker.signal('SIGTERM')
      assert.is(await broker.ended, 0, broker.errors)
    }
  })

  test('-d comes back when the broker listens', async () => {
    const port = await freePort()
    const pidFile = join(folder, `${runtime}-d.pid`)
    const log = join(folder, `${runtime}-d.log`)
    const text = `listener ${port} 127.0.0.1\nallow_anonymous true\npid_file ${pidFile}\n`
    const file = write(`${text}log_dest file ${log}\n`)
    const front = new Broker(command, ['-d', '-c', file])
    assert.is(await front.ended, 0, front.errors)
    const pid = Number(readFileSync(pidFile, 'utf8'))
    try {
      assert.ok(await accepts(port))
      assert.is.not(pid, front.child.pid)
      const again = new Broker(command, ['-c', file, '-d'])
      assert.is(await again.ended, 1)
      assert.match(again.errors, 'Error: Address already in use')
      assert.match(readFileSync(log, 'utf8'), /\d: Error: Address already in use.*\n$/)
      const broken = new Broker(command, ['-d', '-c', write('nonsense\n')])
      assert.is(await broken.ended, 3)
      assert.match(broken.errors, 'nonsense')
    } finally {
      process.kill(pid, 'SIGTERM')
      await until('the end', () => !existsSync(pidFile))
    }
  })

  test('config diff expands what the broker does', async () => {
    const [old, next] = [write('listener ${PORT}\nmax_qos 1\n'), write('listener ${PORT}\n')]
    const env = { PORT: '1884' }
    const expanded = new Broker(command, ['config', 'diff', '--expand', old, next], env)
    assert.is(await expanded.ended, 0)
    assert.is(expanded.output, 'max_qos of listener 1884: 1 -> 2 (for new connections)\n')
    const plain = new Broker(command, ['config', 'diff', old, next], env)
    assert.is(await plain.ended, 3)
  })

  test('systemd is told when the broker is ready, reloads and ends, in this order', async () => {
    if (spawnSync('systemd-notify', ['--version']).error !== undefined) {
      console.log('SKIPPED: readiness because systemd-notify is missing')
      return
    }
    const socket = join(folder, `${runtime}.notify`)
    const hear = `
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('${socket}')
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`
    const manager = new Broker(['python3'], ['-c', hear])
    await until('the socket', () => existsSync(socket))
    const port = await freePort()
    // What is told first takes longest to arrive.
    const slow = join(folder, 'slow')
    mkdirSync(slow, { recursive: true })
    const notify = '#!/bin/sh\nPATH=${PATH#*:}\n' +
      'case "$*" in *RELOADING=1) sleep 0.5 ;; esac\nexec systemd-notify "$@"\n'
    writeFileSync(join(slow, 'systemd-notify'), notify, { mode: 0o755 })
    const env = { NOTIFY_SOCKET: socket, PATH: `${slow}:${process.env['PATH']}` }
    const broker = new Broker(command, ['-c', write(`listener ${port} 127.0.0.1\n`)], env)
    const told = (): ReadonlyArray<string> =>
      manager.output.match(/(READY|RELOADING|STOPPING|ERRNO)=\d+/g) ?? []
    const hears = (...words: ReadonlyArray<string>): Promise<void> =>
      until(words.join(), () => told().join() === words.join())
    try {
      await hears('READY=1')
      assert.match(manager.output, `MAINPID=${broker.child.pid}`)
      assert.ok(await accepts(port))
      broker.signal('SIGHUP')
      await hears('READY=1', 'RELOADING=1', 'READY=1')
    } finally {
      assert.is(await broker.end(), 0)
    }
    try {
      await hears('READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1')
    } finally {
      manager.signal('SIGKILL')
    }
  })

  test('without systemd-notify it runs all the same, and says so', async () => {
    const port = await freePort()
    const env = { NOTIFY_SOCKET: join(folder, 'nobody'), PATH: folder }
    const broker = new Broker(command, ['-p', String(port)], env)
    try {
      await broker.says('Warning: systemd-notify does not start')
      assert.ok(await accepts(port))
    } finally {
      assert.is(await broker.end(), 0)
    }
  })

  test('started through a link named mosquitto it is that program', async () => {
    const link = join(folder, `${runtime}`, 'mosquitto')
    rmSync(join(folder, runtime), { recursive: true, force: true })
    spawnSync('mkdir', [join(folder, runtime)])
    symlinkSync(join(root, 'shells/service/sabethes'), link)
    const env = runtime === 'Deno' ? { SABETHES_DENO: command[0] } : {}
    const foreign = new Broker([link], ['store', 'verify', folder], env)
    assert.is(await foreign.ended, 3)
    assert.match(foreign.errors, "Error: Unknown option 'store'.")
    const version = new Broker([link], ['--version'], env)
    assert.is(await version.ended, 0)
  })

  test('who ends a look into a store has no copy of it left behind', async () => {
    const store = await storeOfMany(5_000)
    const work = mkdtempSync(join(folder, 'work-'))
    for (const [name, status] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
      const looking = new Broker(command, ['store', 'verify', store], { TMPDIR: work })
      await until('the copy', () => readdirSync(work).length > 0)
      looking.signal(name)
      const ended = await looking.ended
      assert.equal(readdirSync(work), [])
      assert.is(ended, status)
      assert.is(looking.output, '')
    }
  })

  if (isRoot) {
    test('root gives up its rights, groups included, or says why it cannot', async () => {
      const port = await freePort()
      const pidFile = join(folder, `${runtime}-user.pid`)
      const log = join(folder, `${runtime}-user.log`)
      const data = mkdtempSync(join(tmpdir(), 'sabethes-user-'))
      spawnSync('chmod', ['755', folder, data])
      const file = write('')
      const text = `user nobody\nlistener ${port} 127.0.0.1\nallow_anonymous true\n` +
        `pid_file ${pidFile}\nlog_dest file ${log}\n` +
        `persistence true\npersistence_location ${data}/store\n`
      writeFileSync(file, text)
      const broker = new Broker(command, ['-c', file])
      try {
        if (runtime === 'Deno') {
          assert.is(await broker.ended, 1)
          assert.match(broker.errors, 'setpriv')
          assert.match(broker.errors, 'user root')
          return
        }
        const said = (): string => existsSync(log) ? readFileSync(log, 'utf8') : ''
        await until('the log', () => said().includes('running'))
        const status = readFileSync(`/proc/${broker.child.pid}/status`, 'utf8')
        const nobody = spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout.trim()
        assert.match(status, new RegExp(`^Uid:(\\s${nobody}){4}$`, 'm'))
        assert.not.match(status, /^Groups:.*\b0\b/m)
        const owner = (path: string): string =>
          spawnSync('stat', ['-c', '%U', path], { encoding: 'utf8' }).stdout.trim()
        for (const path of [pidFile, log, `${data}/store`, `${data}/store/sabethes.sqlite3`]) {
          assert.is(owner(path), 'nobody', path)
        }
        const client = new Client(port, 'kept')
        await client.got('Connack')
      } finally {
        assert.is(await broker.end(), runtime === 'Deno' ? 1 : 0)
        rmSync(data, { recursive: true, force: true })
      }
    })

    if (runtime === 'Node') {
      test('root gives away files, and nothing that a link or a device is', async () => {
        const data = mkdtempSync(join(tmpdir(), 'sabethes-given-'))
        const [secret, device] = [join(data, 'secret'), join(data, 'null')]
        writeFileSync(secret, '', { mode: 0o600 })
        symlinkSync(secret, join(data, 'link'))
        assert.is(spawnSync('mknod', [device, 'c', '1', '3']).status, 0)
        try {
          for (const [log, target] of [[join(data, 'link'), secret], [device, device]] as const) {
            const file = write('')
            const text = `user nobody\nlistener ${await freePort()} 127.0.0.1\n`
            writeFileSync(file, `${text}log_dest stderr\nlog_dest file ${log}\n`)
            const broker = new Broker(command, ['-c', file])
            try {
              await broker.says('running')
              assert.is(statSync(target).uid, 0, log)
            } finally {
              assert.is(await broker.end(), 0)
            }
          }
        } finally {
          rmSync(data, { recursive: true, force: true })
        }
      })
    }

    test('a user that does not exist is an error with the remedy', async () => {
      const file = write('')
      writeFileSync(file, 'user nobody-of-that-name\nlistener 0 /tmp/x\n')
      const broker = new Broker(command, ['-c', file])
      assert.is(await broker.ended, 1)
      assert.match(broker.errors, "'nobody-of-that-name'")
      assert.match(broker.errors, 'useradd')
    })
  }
}

operating('the launcher makes SIGRTMIN harmless, and SysV finds its words', async () => {
  const port = await freePort()
  const pidFile = join(folder, 'service.pid')
  const text = `listener ${port} 127.0.0.1\nallow_anonymous true\npid_file ${pidFile}\n`
  const env = {
    ...process.env,
    CONFIG: write(text),
    STARTED: join(folder, 'started'),
    DAEMON: join(root, 'shells/service/sabethes'),
    SABETHES_NODE: process.execPath,
  }
  const service = (word: string): number | null =>
    spawnSync('sh', [join(root, 'shells/service/sabethes.init'), word], { env, stdio: 'ignore' })
      .status
  assert.is(service('status'), 3)
  assert.is(service('start'), 0)
  try {
    assert.ok(await accepts(port))
    assert.is(service('status'), 0)
    process.kill(Number(readFileSync(pidFile, 'utf8')), 34)
    await sleep(200)
    assert.is(service('status'), 0)
    assert.is(service('reload'), 0)
    assert.is(service('restart'), 0)
    assert.ok(await accepts(port))
    // Another file from now on; the broker that runs is known by the old one.
    const other = join(folder, 'other.pid')
    const before = readFileSync(pidFile, 'utf8')
    writeFileSync(env.CONFIG, asIs + text.replace(pidFile, other))
    assert.is(service('status'), 0)
    assert.is(service('restart'), 0)
    assert.is.not(readFileSync(other, 'utf8'), before)
    // Ended, if not yet buried by whoever is the first process here.
    const line = `/proc/${before}/cmdline`
    assert.is(existsSync(line) ? readFileSync(line, 'utf8') : '', '')
    assert.ok(await accepts(port))
    // A number that was left behind, and is another program's by now.
    assert.is(service('stop'), 0)
    writeFileSync(other, String(process.pid))
    assert.is(service('status'), 3)
    assert.is(service('start'), 0)
  } finally {
    assert.is(service('stop'), 0)
  }
  assert.is(service('status'), 3)
})

operating('SysV finds the pid file wherever the broker does', async () => {
  const included = join(folder, 'included conf')
  spawnSync('mkdir', ['-p', included])
  const pidFile = join(folder, 'by other lines.pid')
  const text = `listener ${await freePort()} 127.0.0.1\n`
  const env = {
    ...process.env,
    STARTED: join(folder, 'nowhere', 'started'),
    DAEMON: join(root, 'shells/service/sabethes'),
    SABETHES_NODE: process.execPath,
  }
  const service = (word: string, config: string) =>
    spawnSync('sh', [join(root, 'shells/service/sabethes.init'), word], {
      env: { ...env, CONFIG: config },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    })
  writeFileSync(join(included, 'pid.conf'), `pid_file ${pidFile}\n`)
  for (
    const lines of [
      `${text}pid_file ${pidFile} \t\n`,
      `${text}pid_file  ${pidFile}\r\n`,
      `${text}include_dir ${included}\r\n`,
    ]
  ) {
    const config = write(lines)
    const started = service('start', config)
    assert.is(started.status, 0, started.stderr)
    const broker = Number(readFileSync(pidFile, 'utf8'))
    try {
      assert.is(service('status', config).status, 0, lines)
      assert.is(service('stop', config).status, 0)
      assert.is(service('status', config).status, 3)
      assert.not(existsSync(pidFile), 'it has ended')
    } finally {
      if (existsSync(pidFile)) process.kill(broker, 'SIGKILL')
      rmSync(pidFile, { force: true })
    }
  }
})

operating('SysV says that a broker without a pid file is not found again', async () => {
  const bin = join(folder, 'started-nothing')
  writeFileSync(bin, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  const env = {
    ...process.env,
    CONFIG: write(`listener ${await freePort()} 127.0.0.1\npid_file ${folder}/absent.pid\n`),
    STARTED: join(folder, 'started-none'),
    DAEMON: bin,
  }
  const script = join(root, 'shells/service/sabethes.init')
  const { status, stderr } = spawnSync('sh', [script, 'start'], { env, encoding: 'utf8' })
  assert.is(status, 1)
  assert.match(stderr, 'must name a pid_file')
  assert.match(stderr, 'absent.pid')
})

operating.run()
