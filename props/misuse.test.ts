// Whoever starts a broker without types is told in a sentence what he has got wrong, at once and
// not when the first client comes; and what has stopped stays so.

import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { StartOptions } from '../shells/node/mod.ts'
import { freePort } from './free-port.ts'

const { start } = 'Deno' in globalThis
  ? await import('../shells/deno/mod.ts')
  : await import('../shells/node/mod.ts')

const misuse = suite('misuse')

const quiet = { ports: [0], hosts: ['127.0.0.1'], print: () => {} }

const refusal = async (options: object): Promise<string> => {
  try {
    const broker = await start({ ...quiet, ...options } as StartOptions)
    await broker.stop()
    return 'it started'
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'StartError', String(error))
    return error.message
  }
}

misuse('what start() does not know is refused by its name', async () => {
  assert.match(await refusal({ port: 1884 }), /takes no "port".*ports, hosts/)
  assert.match(await refusal({ config: { maxQos: 1 } }), /config of start\(\) takes no "maxQos"/)
  assert.match(await refusal({ config: { persistence: true } }), /`persistence: \{ folder \}`/)
  assert.match(await refusal({ persistence: true }), /`persistence: \{ folder \}`/)
  for (const port of [70_000, -1, 1.5, '1883', NaN]) {
    assert.match(await refusal({ ports: [port] }), new RegExp(`${port} is no port`))
  }
  assert.is(await refusal({ config: { maximumQos: 1 } }), 'it started')
})

misuse('a value that would let everybody in, or do nothing, is refused', async () => {
  const judged = { ...defaults, authentication: 'judge' }
  const wrong: ReadonlyArray<readonly [options: object, why: RegExp]> = [
    [{ config: { authentication: 'jugde' } }, /authentication is "none" or "judge", and not "j/],
    [{ config: { allowAnonymous: 'false' } }, /allowAnonymous is true or false/],
    [{ config: { acl: 'topic read #' } }, /acl is null or an access list/],
    [{ config: { connectionsMax: undefined } }, /connectionsMax is a whole number .* not undef/],
    // What no recording can say ends none.
    [{ config: { connectionsMax: Infinity } }, /connectionsMax is a whole number from 0 .* Infin/],
    [
      { config: { sysIntervalMs: -1 } },
      /sysIntervalMs is a whole number from 0 to \d+, and not -1/,
    ],
    [{ config: { connectionRatePerAddress: 0.5 } }, /connectionRatePerAddress is a whole number/],
    [{ judge: 0 }, /judge is a function/],
    [{ judge: () => 0x87 }, /nobody asks the judge of start\(\): .*authentication: 'judge'/],
    [{ judge: () => 0x87, config: { maximumQos: 1 } }, /nobody asks the judge of start\(\)/],
    [
      { config: { authentication: 'judge' } },
      /^config of start\(\) says authentication: 'judge', and nobody judges: give start\(\) a ju/,
    ],
    [{ config: { listeners: [['x', judged]] } }, /says authentication: 'judge', and nobody judges/],
    [
      { config: { authenticationMethods: ['SCRAM-SHA-256'] } },
      /^config of start\(\) offers SCRAM-SHA-256, and nobody knows .*`scram: \{ credentials \}`/,
    ],
    [{ memoryLimitBytes: '1G' }, /memoryLimitBytes is a number/],
    [{ verbosity: 'loud' }, /verbosity is "quiet", "normal" or "verbose"/],
    [{ hosts: '127.0.0.1' }, /hosts is a list of strings/],
    [{ hosts: [''] }, /hosts is a list of strings with something in them/],
    [{ config: { packetBytesMax: Infinity } }, /packetBytesMax is a whole number from 1 to 42/],
    [{ config: { receiveMaximum: 100_000 } }, /receiveMaximum is a whole number from 1 to 65535/],
    [{ config: { unauthenticatedMax: 0 } }, /unauthenticatedMax is a whole number from 1 .* not 0/],
    [{ config: { protocolLevels: ['5'] } }, /protocolLevels is a list of 3, 4, 5/],
    [{ config: { serverReference: 1 } }, /serverReference is null or a string, and not 1/],
    [{ config: { listeners: [{ name: 'x' }] } }, /is a pair of a name and its rules, and not an/],
    [
      { config: { listeners: [['x', { maximumQos: 1 }]] } },
      /the rules of "x" in config of start\(\): authentication is "none" or "judge", and not und/,
    ],
  ]
  for (const [options, why] of wrong) assert.match(await refusal(options), why)
  assert.is(await refusal({ judge: undefined, config: { acl: null } }), 'it started')
  const judge = (): number => 0x87
  assert.is(await refusal({ judge, config: { authentication: 'judge' } }), 'it started')
  assert.is(await refusal({ judge, config: { authentication: 'none' } }), 'it started')
  // Only who proves himself by the method is let in.
  const scram = { credentials: () => Promise.resolve(null) }
  assert.is(await refusal({ scram, config: { authentication: 'judge' } }), 'it started')
  const broker = await start(quiet)
  const change = { maxQos: 1 } as Parameters<typeof broker.reconfigure>[0]
  assert.throws(() => broker.reconfigure(change), /reconfigure\(\) takes no "maxQos"/)
  const nobody = /reconfigure\(\) says authentication: 'judge', and nobody judges: give start\(\)/
  assert.throws(() => broker.reconfigure({ authentication: 'judge' }), nobody)
  assert.is(broker.state().config.authentication, 'none')
  await broker.stop()
})

misuse('what stands within options is looked at as they are', async () => {
  const some = { create: () => {}, rename: () => {} }
  const tapes = { ...some, holds: () => {} }
  const tape = { tapes, path: 'x.trace', bytesMax: null, payload: 'full' }
  const on = (address: unknown): object => ({
    listeners: [{ name: null, addresses: [address], noDelay: true }],
  })
  const log = {
    destinations: [],
    types: ['error'],
    timestamp: true,
    timestampFormat: null,
    facility: 'daemon',
    format: 'text',
    connectionMessages: true,
  }
  const wrong: ReadonlyArray<readonly [options: object, why: RegExp]> = [
    [{ listeners: [{ port: 1 }] }, /a listener in listeners of start\(\) takes no "port"/],
    [{ listeners: [null] }, /takes an object with options, and not null; there are name, addr/],
    [on({ host: '127.0.0.1', port: 0 }), /_tag of an address .* is "Tcp" or "Unix", and not und/],
    [on({ _tag: 'Unix', port: 0 }), /an address in listeners of start\(\) takes no "port"/],
    [on({ _tag: 'Tcp', port: 0 }), /host is a string .*, and not undefined/],
    [on({ _tag: 'Tcp', host: '127.0.0.1' }), /undefined is no port/],
    [on({ _tag: 'Tcp', host: '', port: 0 }), /host is a string with something in it, and not ""/],
    [on({ _tag: 'Unix', path: '' }), /path is a string with something in it, and not ""/],
    [{ log: {} }, /log of start\(\): destinations is a list, and not undefined/],
    [{ log: { ...log, types: ['warn'] } }, /a type of log of start\(\) is "error".* not "warn"/],
    [{ log: { ...log, destinations: [{ to: 'file' }] } }, /path is a string, and not undefined/],
    [{ log: { ...log, destinations: ['stderr'] } }, /a destination of .* is an object, and not "s/],
    [{ introduction: ['hello'] }, /introduction of start\(\) is a pair .* and not "hello"/],
    [{ recording: {} }, /recording of start\(\): path is a string, and not undefined/],
    [{ recording: { path: 'x.trace', tapes: some } }, /tapes is an object with holds, create and/],
    [{ recording: { ...tape, payload: 'none' } }, /payload is "full", "hash" or "length", and/],
    [{ scram: {} }, /scram of start\(\): credentials is a function, and not undefined/],
    [{ scram: { credentials: () => {}, secret: 'key' } }, /secret is a Uint8Array, and not "key"/],
    [{ persistence: { folder: '.', salvag: true } }, /takes no "salvag": did you mean salvage/],
    [{ persistence: { folder: '.', storeBytesMax: '1G' } }, /storeBytesMax is a number, and not/],
  ]
  for (const [options, why] of wrong) assert.match(await refusal(options), why)
  assert.is(await refusal({ log, introduction: [['notice', 'hello']] }), 'it started')
  const broker = await start(quiet)
  const as = <A>(value: unknown): A => value as A
  const listened = await broker.listen(as([{ port: 1 }])).catch((error: Error) => error.name)
  assert.is(listened, 'StartError')
  assert.match(JSON.stringify(broker.changeLog(as({}))), /changeLog\(\): destinations is a list/)
  assert.throws(() => broker.record(as({})), /record\(\): path is a string, and not undefined/)
  await broker.stop()
})

misuse('a limit on memory that leaves no room is a warning at the start', async () => {
  const said = async (memoryLimitBytes: number): Promise<string> => {
    let lines = ''
    const print = (text: string): void => void (lines += text)
    const broker = await start({ ...quiet, memoryLimitBytes, print, verbosity: 'normal' })
    await broker.stop()
    return lines
  }
  assert.match(await said(10_000_000), /limit on memory of 10000000 bytes will turn clients away/)
  for (const enough of [0, 4_000_000_000]) assert.not.match(await said(enough), /memory/)
})

misuse('a command that there is none of is refused, and the broker goes on', async () => {
  const broker = await start(quiet)
  const kik = { _tag: 'Kik', clientId: 'c' } as unknown as Parameters<typeof broker.command>[0]
  assert.throws(() => broker.command(kik), /"Kick".*and not "Kik"/)
  const half = { _tag: 'Revoke' } as unknown as typeof kik
  assert.throws(() => broker.command(half), /command Revoke: revocation is an object/)
  broker.command({ _tag: 'Kick', clientId: 'c' })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(broker.state().stopping, false)
  await broker.stop()
})

misuse('who has stopped listens on nothing any more', async () => {
  const broker = await start(quiet)
  await broker.stop()
  const address = { _tag: 'Tcp', host: '127.0.0.1', port: 0 } as const
  try {
    await broker.listen([{ name: null, addresses: [address], noDelay: true }])
    assert.unreachable('it listens')
  } catch (error) {
    assert.match(String(error), /has stopped/)
  }
})

misuse('the store is free again after kill(), and after a start that fails', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-misuse-'))
  const kept = { ...quiet, persistence: { folder } }
  const fails = (): void => {
    throw new Error('not today')
  }
  try {
    const killed = await start(kept)
    killed.kill()
    await killed.stop()
    for (const listening of [fails, () => Promise.resolve().then(fails)]) {
      const outcome = await start({ ...kept, listening }).then(() => 'it started', String)
      assert.match(outcome, /not today/)
      await (await start(kept)).stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

misuse('stop() tells of a log that cannot be written', async () => {
  let isBroken = false
  const print = (): void => {
    if (isBroken) throw new Error('nobody reads this')
  }
  const broker = await start({ ...quiet, verbosity: 'normal', print })
  isBroken = true
  assert.match(await broker.stop().then(() => 'it stopped', String), /nobody reads this/)
})

misuse('a start that fails at its last line leaves no listener behind', async () => {
  const port = await freePort()
  const print = (text: string): void => {
    if (text.includes('running')) throw new Error('nobody reads this')
  }
  let opened = (): void => {}
  const isOpen = new Promise<void>((resolve) => opened = resolve)
  try {
    await start({ ...quiet, ports: [port], verbosity: 'normal', print, listening: () => opened() })
    assert.unreachable('it started')
  } catch (error) {
    assert.match(String(error), /nobody reads this/)
  }
  await isOpen
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
  assert.is(answers, false)
})

misuse.run()
