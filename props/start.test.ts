// runs: node
// The commands that the README gives a newcomer, as typed: `npm start` and `deno task start` with
// options behind them, the first conversation with mosquitto's clients, and the end by a signal to
// the command itself, after which nothing is left running.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Buffer } from 'node:buffer'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTo } from 'node:net'
import type { Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from './free-port.ts'
import { findDeno, root } from './runtimes.ts'

const deno = findDeno()

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTo(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/** Resolves when what a child says contains the text; rejects when it ends or 20 s pass before. */
const says = (child: ChildProcess, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let heard = ''
    const fail = (why: string): void => reject(new Error(`${why}; it said:\n${heard}`))
    const timer = setTimeout(() => fail(`'${text}' did not come`), 20_000)
    const hear = (chunk: string): void => {
      heard += chunk
      if (!heard.includes(text)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout?.setEncoding('utf8').on('data', hear)
    child.stderr?.setEncoding('utf8').on('data', hear)
    child.on('error', (error) => fail(error.message))
    // 'exit' may come before the last of what it said has been read; 'close' comes after.
    child.on('close', (status) => fail(`ended with status ${status} before '${text}'`))
  })

/** Resolves with the exit status; rejects when 10 s pass before. */
const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it does not end')), 10_000)
    child.on('exit', (status) => {
      clearTimeout(timer)
      resolve(status)
    })
  })

const start = (line: string): ChildProcess => {
  const [command = '', ...args] = line.split(' ')
  const path = deno === null ? process.env['PATH'] : `${dirname(deno)}:${process.env['PATH'] ?? ''}`
  return spawn(command, args, {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that `cleanUp` reaches what it has started.
    detached: true,
  })
}

const cleanUp = (child: ChildProcess): void => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left, as it should be.
  }
}

const clients = ['mosquitto_sub', 'mosquitto_pub']
const hasClients = clients.every((name) => spawnSync(name, ['--help']).error === undefined)
if (!hasClients) {
  console.log("SKIPPED: the README's first conversation because mosquitto-clients is missing")
}

const commands: Readonly<Record<string, string>> = {
  'npm start': 'npm start --',
  'deno task start': 'deno task start',
}

/** Not the store of a broker that may be running here, and where both commands may write. */
const folder = 'data/start-test'

const starting = suite('start')

const files = mkdtempSync(join(tmpdir(), 'sabethes-start-'))

starting.after(() => {
  rmSync(join(root, folder), { recursive: true, force: true })
  rmSync(files, { recursive: true, force: true })
})

const configuration = (lines: ReadonlyArray<string>): string => {
  const path = join(files, 'broker.conf')
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return path
}

/** The network interface of loopback, by whatever name it goes here. */
const [loopback = 'lo'] = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
  addresses?.some(({ address }) => address === '127.0.0.1') ? [name] : []
)

for (const [name, command] of Object.entries(commands)) {
  if (deno === null && command.startsWith('deno')) {
    console.log(`SKIPPED: ${name} because deno is missing`)
    continue
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    starting(`${name} passes its options on, and ends in order at ${signal}`, async () => {
      const port = await freePort()
      const broker = start(`${command} -p ${port} -v --persistence-location ${folder}`)
      try {
        await says(broker, `Opening ipv4 listen socket on port ${port}.`)
        while (!await accepts(port)) await new Promise((resolve) => setTimeout(resolve, 50))
        const status = ended(broker)
        broker.kill(signal)
        assert.is(await status, 0)
        // The broker itself, not only the command that started it.
        assert.is(await accepts(port), false)
      } finally {
        cleanUp(broker)
      }
    })
  }

  starting(`${name} takes a configuration`, async () => {
    const port = await freePort()
    const lines = [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      `listener ${port}`,
      `bind_interface ${loopback}`,
    ]
    const broker = start(`${command} -c ${configuration(lines)} --persistence-location ${folder}`)
    try {
      await says(broker, ' running')
      assert.ok(await accepts(port))
      const status = ended(broker)
      broker.kill('SIGTERM')
      assert.is(await status, 0)
    } finally {
      cleanUp(broker)
    }
  })

  if (hasClients) {
    starting(`${name}: the first conversation`, async () => {
      const port = await freePort()
      const broker = start(`${command} -p ${port} -v --persistence-location ${folder}`)
      try {
        await says(broker, ' running')
        const subscriber = start(`mosquitto_sub -p ${port} -v -t home/+/temp -C 1`)
        const heard = says(subscriber, 'home/bedroom/temp 20\n')
        // Told below, after what is waited for first, and not to the process: the broker is ended.
        heard.catch(() => {})
        await says(broker, 'Sending SUBACK')
        const publisher = start(`mosquitto_pub -p ${port} -t home/bedroom/temp -m 20`)
        assert.is(await ended(publisher), 0)
        await heard
        const status = ended(broker)
        broker.kill('SIGINT')
        assert.is(await status, 0)
      } finally {
        cleanUp(broker)
      }
    })
  }
}

/** A client that reads nothing of much that it is owed: the broker waits five seconds for it. */
const stubborn = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connectTo({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', reject)
    socket.on('connect', () => socket.write('\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01s'))
    socket.once('data', () => {
      socket.pause()
      socket.write('\x82\x06\x00\x01\x00\x01t\x00')
      // PUBLISH of 100,000 bytes to t, more of them than the system keeps for a socket.
      const message = Buffer.concat([Buffer.from([0x30, 0xa3, 0x8d, 0x06, 0, 1, 0x74])], 100_007)
      for (let i = 0; i < 300; i++) socket.write(message)
      socket.write('', () => resolve(socket))
    })
  })

for (const [pauseMs, status] of [[0, 0], [700, 130]] as const) {
  starting(`a second SIGINT after ${pauseMs} ms ends it with status ${status}`, async () => {
    const port = await freePort()
    const broker = start(`node dist/shells/cli/main.js -p ${port}`)
    try {
      await says(broker, ' running')
      const client = await stubborn(port)
      const seen = ended(broker)
      broker.kill('SIGINT')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      broker.kill('SIGINT')
      assert.is(await seen, status)
      client.destroy()
    } finally {
      cleanUp(broker)
    }
  })
}

starting(
  'Deno that may not write into the folder of the store is given the option that is missing',
  async () => {
    if (deno === null) return
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-permission-'))
    const store = join(folder, 'store')
    const port = String(await freePort())
    const permissions = ['--allow-net', '--allow-env', '--allow-sys', '--allow-read']
    const refused = (what: string): void => {
      const command = ['--persistence', 'true', '--persistence-location', store, '-p', port]
      const main = join(root, 'shells/cli/main.ts')
      const args = ['run', '--no-prompt', ...permissions, main, ...command]
      const { status, stderr } = spawnSync(deno, args, { encoding: 'utf8', timeout: 30_000 })
      assert.is(status, 1, what)
      assert.ok(stderr.includes(`--allow-write=${store} as well.`), `${what}: ${stderr}`)
      assert.ok(stderr.includes('Deno does not let the broker use'), what)
    }
    try {
      refused('no folder')
      mkdirSync(store)
      refused('an empty folder')
      writeFileSync(join(store, 'sabethes.sqlite3'), '')
      refused('a store')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

starting('at a terminal Deno asks nobody what a broker in a program may read', () => {
  if (deno === null) return
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-terminal-'))
  const file = join(folder, 'listen.ts')
  const shell = pathToFileURL(join(root, 'shells/deno/mod.ts')).href
  writeFileSync(
    file,
    `import { start } from '${shell}'\n` +
      "const broker = await start({ ports: [0], hosts: ['127.0.0.1'] })\n" +
      "await broker.stop()\nconsole.log('stopped')\n",
  )
  const command = `${deno} run --allow-net --config ${join(root, 'deno.json')} ${file}`
  try {
    // `script` gives it a terminal, at which nobody answers.
    const options = { encoding: 'utf8', timeout: 10_000, input: '' } as const
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], options)
    if (stdout === null) {
      return console.log('SKIPPED: Deno at a terminal because script is missing')
    }
    assert.not.match(stdout, /requests/)
    assert.match(stdout, /stopped/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

starting(
  'at a terminal `deno task start` asks nobody for permissions, nor does a reload',
  async () => {
    if (deno === null) return
    if (spawnSync('script', ['--version']).error !== undefined) {
      return console.log('SKIPPED: `deno task start` at a terminal because script is missing')
    }
    mkdirSync(join(root, folder), { recursive: true })
    const pidFile = join(root, folder, 'broker.pid')
    const lines = [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      `listener ${await freePort()} 127.0.0.1`,
      `pid_file ${pidFile}`,
    ]
    const command = `deno task start -c ${configuration(lines)} --persistence-location ${folder}`
    const broker = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: root,
      env: { ...process.env, PATH: `${dirname(deno)}:${process.env['PATH'] ?? ''}` },
      // Somebody who answers nothing: at the end of its input Deno would take that for a no.
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    try {
      await says(broker, ' running')
      // Where the task may not write. Who asks stands still, and all clients with him.
      configuration([...lines, `log_dest file ${join(files, 'broker.log')}`])
      const refused = says(broker, 'The configuration stays as it was.')
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGHUP')
      await refused
      const status = ended(broker)
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM')
      assert.is(await status, 0)
    } finally {
      cleanUp(broker)
    }
  },
)

starting('at a terminal Deno asks nobody whether the broker may look for a debugger', () => {
  if (deno === null) return
  const main = join(root, 'shells/cli/main.ts')
  const allowed = '--allow-net --allow-env --allow-read'
  const command = `${deno} run ${allowed} --config ${join(root, 'deno.json')} ${main} --version`
  const options = { encoding: 'utf8', timeout: 10_000, input: '' } as const
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], options)
  if (stdout === null) {
    return console.log('SKIPPED: Deno at a terminal because script is missing')
  }
  assert.not.match(stdout, /requests/)
  assert.match(stdout, /version/)
})

starting('Deno that may not tell who runs the broker is given the option that is missing', () => {
  if (deno === null) return
  const permissions = ['--allow-net', '--allow-env', '--allow-read']
  const main = join(root, 'shells/cli/main.ts')
  const args = ['run', '--no-prompt', ...permissions, main, '-c', configuration(['listener 0 x'])]
  const { status, stderr } = spawnSync(deno, args, { encoding: 'utf8', timeout: 30_000 })
  assert.is(status, 1)
  assert.match(stderr, /^Error: Deno does not let .* --allow-sys=uid as well\.\n$/)
})

starting('Deno that may not be told its environment, or listen, is given the option', () => {
  if (deno === null) return
  const main = join(root, 'shells/cli/main.ts')
  const refusedWith = (...permissions: ReadonlyArray<string>): string => {
    const args = ['run', '--no-prompt', '--allow-read', ...permissions, main, '-p', '21883']
    const { status, stderr } = spawnSync(deno, args, { encoding: 'utf8', timeout: 30_000 })
    assert.is(status, 1)
    return stderr.trimEnd().split('\n').at(-1)!
  }
  assert.is(
    refusedWith('--allow-net'),
    'Error: Requires env access to "SABETHES_NAME", run again with the --allow-env flag.',
  )
  assert.match(
    refusedWith('--allow-env'),
    /^Error: Not allowed to listen on 127\.0\.0\.1 port 21883: .* with the --allow-net flag\.$/,
  )
})

starting.run()
