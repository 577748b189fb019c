// What a running broker listens on: opened and closed as a whole or not at all, without disturbing
// anybody who is connected; TCP and Unix sockets; and rules that differ between two of them.

import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { connect as dial, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createReader, defaultLimits, defaults, encode, Packet } from '../core/mod.ts'
import type { Connack } from '../core/codec/packet.ts'
import type { Wanted } from '../shells/common/listen.ts'

const { start, StartError } = 'Deno' in globalThis
  ? await import('../shells/deno/mod.ts')
  : await import('../shells/node/mod.ts')

const listening = suite('listen')

const folder = mkdtempSync(join(tmpdir(), 'sabethes-listen-'))
listening.after(() => rmSync(folder, { recursive: true, force: true }))

const tcp = (port: number, host = '127.0.0.1', name: string | null = null): Wanted => ({
  name,
  addresses: [{ _tag: 'Tcp', host, port }],
  noDelay: true,
})

const unix = (path: string): Wanted => ({
  name: path,
  addresses: [{ _tag: 'Unix', path }],
  noDelay: true,
})

const open = (where: number | string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const made = (): void => resolve(socket)
    const socket: Socket = typeof where === 'string'
      ? dial(where, made)
      : dial(where, '127.0.0.1', made)
    socket.once('error', reject)
  })

/** The CONNACK that a client gets there, and its connection. */
const greet = async (where: number | string): Promise<readonly [Connack, Socket]> => {
  const socket = await open(where)
  const reader = createReader(defaultLimits, 5)
  const connack = new Promise<Connack>((resolve, reject) => {
    socket.once('close', () => reject(new Error('closed before CONNACK')))
    socket.on('data', (chunk) => {
      reader.push(chunk, 0, chunk.length)
      const result = reader.next()
      if (result?._tag === 'Right' && result.right._tag === 'Connack') resolve(result.right)
    })
  })
  socket.write(encode(5, Packet.connect({ clientId: '', level: 5 })))
  return [await connack, socket]
}

const canGreet = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = dial(port, host, () => {
      socket.write(encode(5, Packet.connect({ clientId: '', level: 5 })))
    })
    socket.once('data', () => {
      resolve(true)
      socket.destroy()
    })
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
    // One that the system has accepted, and nobody else.
    socket.setTimeout(5_000, () => socket.destroy())
  })

const isRefused = async (where: number | string): Promise<boolean> => {
  try {
    const socket = await open(where)
    socket.destroy()
    return false
  } catch {
    return true
  }
}

const occupy = (): Promise<readonly [number, Server]> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve([typeof address === 'object' && address !== null ? address.port : 0, server])
    })
  })

const freePort = async (): Promise<number> => {
  const [port, server] = await occupy()
  await new Promise((resolve) => server.close(resolve))
  return port
}

const failure = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('it did not fail')
}

listening('a listener comes and another goes; who is connected stays', async () => {
  const [first, second] = [await freePort(), await freePort()]
  const broker = await start({ listeners: [tcp(first)] })
  const [, client] = await greet(first)
  assert.equal(await broker.listen([tcp(second), tcp(0)]).then((ports) => ports[0]), second)
  assert.ok(await isRefused(first))
  const [, other] = await greet(second)
  let pong = false
  client.on('data', () => {
    pong = true
  })
  client.write(encode(4, { _tag: 'Pingreq' }))
  while (!pong) await new Promise((wake) => setTimeout(wake, 5))
  client.destroy()
  other.destroy()
  await broker.stop()
})

listening('where one cannot be opened all is as before', async () => {
  const [first, fine] = [await freePort(), await freePort()]
  const [taken, stranger] = await occupy()
  const broker = await start({ listeners: [tcp(first)] })
  const error = await failure(broker.listen([tcp(fine), tcp(taken)]))
  assert.ok(error instanceof StartError, error.message)
  const other = `Address already in use: 127.0.0.1 port ${taken}. Another program listens there`
  assert.match(error.message, other)
  assert.ok(await isRefused(fine))
  const [, client] = await greet(first)
  client.destroy()
  stranger.close()
  await broker.stop()
})

listening('a port that is none leaves nothing open of what was tried before it', async () => {
  const port = await freePort()
  const second: Wanted['addresses'] = [{ _tag: 'Tcp', host: '127.0.0.1', port: 70_000 }]
  const wanted = tcp(port)
  const both = { ...wanted, addresses: [...wanted.addresses, ...second] }
  try {
    await start({ listeners: [both], print: () => {} })
    assert.unreachable('it started')
  } catch (error) {
    assert.ok(error instanceof StartError, String(error))
    assert.match(error.message, /70000 is no port/)
  }
  assert.is(await canGreet(port, '127.0.0.1'), false)
})

listening('one change after another, however soon they are asked for', async () => {
  const [first, second] = [await freePort(), await freePort()]
  const broker = await start({ listeners: [tcp(0)], print: () => {} })
  const answers = [broker.listen([tcp(first)]), broker.listen([tcp(second)])]
  assert.equal(await Promise.all(answers), [[first], [second]])
  assert.is(await canGreet(first, '127.0.0.1'), false)
  assert.is(await canGreet(second, '127.0.0.1'), true)
  await broker.stop()
})

listening('who has stopped has given its port back', async () => {
  const port = await freePort()
  for (let i = 0; i < 3; i++) await (await start({ listeners: [tcp(port)] })).stop()
})

/** Counts for how many connections the runtime is told TCP_NODELAY; `undo` ends that. */
const countNoDelays = async (port: number): Promise<{ count: number; undo: () => void }> => {
  const { Deno: deno } = globalThis as {
    Deno?: { connect: (how: unknown) => Promise<{ close(): void }> }
  }
  const conn = deno === undefined ? await open(port) : await deno.connect({ port })
  const one: object = deno === undefined ? Reflect.get(conn, '_handle') as object : conn
  const kind = Object.getPrototypeOf(one) as { setNoDelay: (noDelay?: boolean) => void }
  if ('destroy' in conn) conn.destroy()
  else conn.close()
  const { setNoDelay } = kind
  const counted = {
    count: 0,
    undo: () => {
      kind.setNoDelay = setNoDelay
    },
  }
  kind.setNoDelay = function (noDelay = true) {
    if (noDelay) counted.count += 1
    return Reflect.apply(setNoDelay, this, [noDelay]) as undefined
  }
  return counted
}

listening('whether small packets leave at once changes without closing a listener', async () => {
  let said = ''
  const addresses = [{ _tag: 'Tcp', host: '127.0.0.1', port: 0 }] as const
  const wanted = (noDelay: boolean): ReadonlyArray<Wanted> => [{ name: null, addresses, noDelay }]
  const print = (text: string): void => {
    said += text
  }
  const broker = await start({ listeners: wanted(true), print, verbosity: 'normal' })
  const port = broker.ports[0]!
  const opened = said.split('Opening').length
  const noDelays = await countNoDelays(port)
  try {
    for (const noDelay of [false, true]) {
      assert.equal(await broker.listen(wanted(noDelay)), [port])
      noDelays.count = 0
      const [, socket] = await greet(port)
      assert.is(noDelays.count, noDelay ? 1 : 0)
      socket.destroy()
    }
    assert.is(said.split('Opening').length, opened, said)
  } finally {
    noDelays.undo()
    await broker.stop()
  }
})

listening('a listener that is to go stays open until what comes in its place is', async () => {
  let said = ''
  const print = (text: string): void => {
    said += text
  }
  const stranger = createServer()
  await new Promise<void>((done) => void stranger.listen(0, '127.0.0.1', done))
  const taken = (stranger.address() as AddressInfo).port
  const broker = await start({ listeners: [tcp(0)], print, verbosity: 'normal' })
  const port = broker.ports[0]!
  try {
    said = ''
    await broker.listen([tcp(taken)]).then(() => assert.unreachable(), () => {})
    assert.is(await canGreet(port, '127.0.0.1'), true)
    // Who has given up rights could not open it again.
    assert.not.match(said, new RegExp(`Opening .* ${port}\\.`))
    const other = await freePort()
    assert.equal(await broker.listen([tcp(other)]), [other])
    assert.is(await canGreet(port, '127.0.0.1'), false)
  } finally {
    stranger.close()
    await broker.stop()
  }
})

listening('of equal listeners there are as many as are wanted, each with its port', async () => {
  const broker = await start({ listeners: [tcp(0), tcp(0)] })
  const [one, other] = broker.ports
  assert.equal(await broker.listen([tcp(0), tcp(0)]), [one, other])
  assert.equal(await broker.listen([tcp(0)]), [one])
  assert.ok(await isRefused(other!))
  assert.is(new Set(await broker.listen([tcp(0), tcp(0), tcp(0)])).size, 3)
  const error = await failure(broker.listen([tcp(one!), tcp(one!)]))
  assert.match(error.message, `already in use: 127.0.0.1 port ${one}. Another listener of this`)
  await broker.stop()
})

listening(
  'a path that is too long for a socket is refused, and nothing is left of it',
  async () => {
    // A letter of two bytes.
    const path = join(folder, 'ä'.repeat(50))
    const error = await failure(start({ listeners: [unix(path)] }))
    assert.ok(error instanceof StartError, String(error))
    assert.match(error.message, /is too long for the path of a socket, which may have 107 bytes/)
    assert.equal(readdirSync(folder).filter((name) => name.startsWith('ä')), [])
  },
)

listening('a path at which something else would be opened is refused', async () => {
  const error = await failure(start({ listeners: [unix(join(folder, 'one\0other'))] }))
  assert.ok(error instanceof StartError, String(error))
  assert.not(existsSync(join(folder, 'one')))
})

listening('what is about to open when the broker stops is closed, too', async () => {
  const port = await freePort()
  const broker = await start({ listeners: [tcp(0)], print: () => {} })
  const opening = broker.listen([tcp(port)]).then(() => 'it listens', String)
  await broker.stop()
  assert.match(await opening, /has stopped/)
  assert.is(await canGreet(port, '127.0.0.1'), false)
})

listening('a port may get more addresses, although it is open on one of them', async () => {
  const port = await freePort()
  const broker = await start({ listeners: [tcp(port)] })
  assert.equal(await broker.listen([tcp(port, '0.0.0.0')]), [port])
  const [, client] = await greet(port)
  client.destroy()
  await broker.stop()
})

listening('two brokers in one program share no port', async () => {
  const port = await freePort()
  const first = await start({ listeners: [tcp(port, '::')] })
  // Where the socket of the one takes IPv4 too, the port is in use for the other.
  const second = await start({ listeners: [tcp(port, '0.0.0.0')] }).catch((error: unknown) => {
    assert.ok(error instanceof StartError)
    assert.match(error.message, `Address already in use: 0.0.0.0 port ${port}`)
    return null
  })
  if (second !== null) {
    const [, client] = await greet(port)
    assert.equal([first.counters().opened, second.counters().opened], [0, 1])
    client.destroy()
    await second.stop()
  }
  await first.stop()
})

listening('all addresses: each family at its door, which come and go one by one', async () => {
  let log = ''
  const print = (text: string): void => {
    log += text
  }
  const [four, six] = (['0.0.0.0', '::'] as const).map((host) => (port: number) =>
    ({ _tag: 'Tcp', host, port }) as const
  )
  const both = (port: number): Wanted => ({
    name: null,
    addresses: [four!(port), six!(port)],
    noDelay: true,
  })
  const only = (address: Wanted['addresses'][number], name: string): Wanted => ({
    name,
    addresses: [address],
    noDelay: true,
  })
  const broker = await start({ listeners: [both(0)], verbosity: 'normal', print })
  const port = broker.ports[0]!
  const can = async (): Promise<ReadonlyArray<boolean>> => [
    await canGreet(port, '127.0.0.1'),
    await canGreet(port, '::1'),
  ]
  assert.equal(await can(), [true, true])
  assert.match(log, 'New connection from 127.0.0.1:')
  assert.match(log, 'New connection from ::1:')
  assert.not.match(log, '::ffff:')
  // The same doors once more, then one of them, the other, and both under names of their own.
  for (
    const [wanted, expected] of [
      [[both(port)], [true, true]],
      [[only(four!(port), 'four')], [true, false]],
      [[only(six!(port), 'six')], [false, true]],
      [[only(six!(port), 'six'), only(four!(port), 'four')], [true, true]],
      [[only(four!(port), 'four')], [true, false]],
      [[only(four!(port), 'four'), only(six!(port), 'six')], [true, true]],
      [[only(six!(port), 'six')], [false, true]],
    ] as const
  ) {
    await broker.listen(wanted)
    assert.equal(await can(), expected, JSON.stringify(wanted))
  }
  const [taken, stranger] = await occupy()
  const error = await failure(broker.listen([only(six!(port), 'six'), both(taken)]))
  assert.match(error.message, 'Address already in use')
  assert.equal(await can(), [false, true])
  stranger.close()
  await broker.stop()
  assert.equal(await can(), [false, false])
})

listening(
  'all addresses on a port of the choice of the system: IPv4 stays where it is',
  async () => {
    const at = (...hosts: ReadonlyArray<string>): ReadonlyArray<Wanted> => [{
      name: null,
      addresses: hosts.map((host) => ({ _tag: 'Tcp', host, port: 0 })),
      noDelay: true,
    }]
    const broker = await start({ listeners: at('::', '0.0.0.0') })
    const port = broker.ports[0]!
    assert.is(await canGreet(port, '127.0.0.1'), true)
    assert.equal(await broker.listen(at('0.0.0.0')), [port])
    assert.is(await canGreet(port, '127.0.0.1'), true)
    assert.is(await canGreet(port, '::1'), false)
    await broker.stop()
  },
)

listening('all addresses are the same ones in whatever way they are written', async () => {
  const broker = await start({ listeners: [tcp(0)], print: () => {} })
  const port = await freePort()
  for (const [four, six] of [['0', '::'], ['0.0.0.0', '::0'], ['0', '0:0:0:0:0:0:0:0']] as const) {
    await broker.listen([tcp(port, six)])
    assert.is(await canGreet(port, '127.0.0.1'), false, six)
    assert.is(await canGreet(port, '::1'), true, six)
    await broker.listen([tcp(port, four, 'four'), tcp(port, six, 'six')])
    assert.is(await canGreet(port, '127.0.0.1'), true, four)
    assert.is(await canGreet(port, '::1'), true, six)
  }
  await broker.stop()
})

/** Five that connect to a port as soon as anybody listens there; 0 where all get a CONNACK. */
const eagerClients = `
  const { connect } = require('node:net')
  let served = 0
  const dial = () => {
    const socket = connect(Number(process.argv[1]), '127.0.0.1')
    let isOpen = false
    socket.on('connect', () => {
      isOpen = true
      socket.write(Buffer.from('100c00044d515454040200000000', 'hex'))
    })
    socket.on('data', () => ++served === 5 && process.exit(0))
    socket.on('error', () => {})
    socket.on('close', () => isOpen ? process.exit(1) : setTimeout(dial, 5))
  }
  for (let i = 0; i < 5; i++) dial()
`

/** On Deno, time enough to connect before anything else is opened; answers what undoes it. */
const pausedAfterListening = (): () => void => {
  const { Deno: deno } = globalThis as { Deno?: { listen: (how: unknown) => unknown } }
  if (deno === undefined) return () => {}
  const { listen } = deno
  const pause = new Int32Array(new SharedArrayBuffer(4))
  deno.listen = (how) => {
    const listener = listen(how)
    Atomics.wait(pause, 0, 0, 500)
    return listener
  }
  return () => {
    deno.listen = listen
  }
}

listening('who connects while a listener opens its other addresses is served', async () => {
  const port = await freePort()
  const clients = spawn('node', ['-e', eagerClients, String(port)], { stdio: 'ignore' })
  const ended = new Promise((resolve) => clients.once('exit', resolve))
  const giveBack = pausedAfterListening()
  const broker = await start({
    listeners: [{
      name: null,
      addresses: [{ _tag: 'Tcp', host: '0.0.0.0', port }, { _tag: 'Tcp', host: '::', port }],
      noDelay: true,
    }],
  })
  giveBack()
  assert.is(await ended, 0)
  await broker.stop()
})

listening('all addresses of one port for IPv4, and of another for IPv6', async () => {
  const [four, six] = [await freePort(), await freePort()]
  const broker = await start({
    listeners: [{
      name: null,
      addresses: [
        { _tag: 'Tcp', host: '0.0.0.0', port: four },
        { _tag: 'Tcp', host: '::', port: six },
      ],
      noDelay: true,
    }],
  })
  assert.ok(await canGreet(four, '127.0.0.1'))
  assert.ok(await canGreet(six, '::1'))
  assert.not(await canGreet(four, '::1'))
  assert.not(await canGreet(six, '127.0.0.1'))
  await broker.stop()
})

listening('a start that fails for all addresses of IPv4 leaves those of IPv6 free', async () => {
  const { Deno: deno } = globalThis as { Deno?: { listen: (how: unknown) => unknown } }
  if (deno === undefined) return
  const { listen } = deno
  const port = await freePort()
  const addresses = ['0.0.0.0', '::'].map((host) => ({ _tag: 'Tcp' as const, host, port }))
  const listeners = [{ name: null, addresses, noDelay: true }]
  deno.listen = (how) => {
    if (JSON.stringify(how).includes('0.0.0.0')) throw new Error('too many open files')
    return listen(how)
  }
  await failure(start({ listeners }))
  deno.listen = listen
  const broker = await start({ listeners })
  assert.ok(await canGreet(port, '127.0.0.1'))
  await broker.stop()
})

listening('what is asked of a listener holds for those who came in through it', async () => {
  const broker = await start({
    listeners: [tcp(0), tcp(0, '127.0.0.1', 'humble')],
    config: { listeners: [['humble', { ...defaults, maximumQos: 0, topicAliasMaximum: 3 }]] },
  })
  const [usual, one] = await greet(broker.ports[0]!)
  const [humble, other] = await greet(broker.ports[1]!)
  assert.equal(usual.properties.maximumQos, undefined)
  assert.equal(usual.properties.topicAliasMaximum, 10)
  assert.equal(humble.properties.maximumQos, 0)
  assert.equal(humble.properties.topicAliasMaximum, 3)
  one.destroy()
  other.destroy()
  await broker.stop()
})

listening('whoever goes without reading the answers takes no place any more', async () => {
  const broker = await start({ listeners: [tcp(0)] })
  const packets = [Packet.connect({ clientId: '', level: 4 }), Packet.subscribe({ filter: 'a' })]
  const hello = Buffer.concat(packets.map((packet) => encode(4, packet)))
  for (let i = 0; i < 50; i++) {
    const socket = await open(broker.ports[0]!)
    await new Promise((resolve) => socket.write(hello, resolve))
    socket.destroy()
  }
  const since = performance.now()
  // A client that only reads slowly would have five seconds.
  while (broker.counters().connections > 0 && performance.now() - since < 3_000) {
    await new Promise((wake) => setTimeout(wake, 10))
  }
  assert.is(broker.counters().opened, 50)
  assert.is(broker.counters().connections, 0)
  await broker.stop()
})

listening('a path: for the group of its file, free again afterwards', async () => {
  const path = join(folder, 'mqtt.sock')
  let log = ''
  const broker = await start({
    listeners: [unix(path)],
    verbosity: 'normal',
    print: (text) => {
      log += text
    },
  })
  assert.is(statSync(path).mode & 0o777, 0o770)
  const [, client] = await greet(path)
  client.destroy()
  await broker.stop()
  assert.match(log, `Opening unix listen socket on path ${path}.`)
  assert.match(log, `New connection from ${path}:0 on port 0.`)
  assert.not(existsSync(path))
})

listening('a path that somebody listens at is taken, one left behind is not', async () => {
  const path = join(folder, 'left.sock')
  const first = await start({ listeners: [unix(path)] })
  const error = await failure(start({ listeners: [unix(path)] }))
  assert.match(error.message, `Address already in use: ${path}`)
  await first.stop()
  // mosquitto would remove it, whosever it is.
  writeFileSync(path, 'mine')
  const kept = await failure(start({ listeners: [unix(path)] }))
  assert.match(kept.message, /a file that is no socket lies there: stop or remove it/)
  assert.is(readFileSync(path, 'utf8'), 'mine')
  rmSync(path)
  // Node takes away the file of a socket that it closes, so another program leaves one behind.
  const { spawnSync } = await import('node:child_process')
  const leave = `import socket;s=socket.socket(socket.AF_UNIX);s.bind('${path}');s.listen()`
  const left = spawnSync('python3', ['-c', leave])
  assert.is(left.status, 0, String(left.stderr))
  assert.ok(existsSync(path))
  const second = await start({ listeners: [unix(path)] })
  const [, client] = await greet(path)
  client.destroy()
  await second.stop()
})

listening('a path in a folder that is not there is told from one that is not allowed', async () => {
  const path = join(folder, 'none', 'mqtt.sock')
  const { message } = await failure(start({ listeners: [unix(path)] }))
  assert.is(
    message,
    `Cannot listen on ${path}: its folder does not exist. Make it, and let the broker write there.`,
  )
})

listening('a file of somebody stays', async () => {
  const path = join(folder, 'diary')
  writeFileSync(path, 'dear diary')
  chmodSync(path, 0o600)
  const error = await failure(start({ listeners: [unix(path)] }))
  assert.match(error.message, path)
  assert.is(statSync(path).size, 10)
})

listening.run()
