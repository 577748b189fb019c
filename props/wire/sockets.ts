// Plays exchanges over real sockets against a shell in a process of its own. Rows of the shared
// room are played many at a time, those of every other room one after the other. No row waits for
// silence: what must not have come would have come before the answer to a PINGREQ.

import { Buffer } from 'node:buffer'
import * as net from 'node:net'
import process from 'node:process'
import { until, within } from '../conformance/expect.ts'
import { Running } from '../conformance/subject.ts'
import { bytes as parse } from '../conformance/wire.ts'
import { findDeno } from '../runtimes.ts'
import { Account } from './account.ts'
import type { Exchange, Room, Step } from './exchange.ts'
import { stepText } from './memory.ts'
import { roomConfigs } from './rooms.ts'

/** A connection that is silent for so long has not done what a row wanted. */
const patienceMs = 5_000

class Client {
  readonly account: Account
  readonly socket: net.Socket
  isClosed = false
  private look: (() => void) | null = null

  constructor(account: Account, socket: net.Socket) {
    this.account = account
    this.socket = socket
    const end = (): void => {
      this.isClosed = true
      this.look?.()
    }
    socket.on('data', (chunk: Buffer) => {
      account.see(chunk)
      this.look?.()
    })
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', () => {})
  }

  /** Waits until `holds` or until nothing more can come. */
  watch(what: string, holds: () => boolean): Promise<void> {
    return within(
      patienceMs,
      what,
      new Promise((resolve) => {
        this.look = (): void => {
          if (holds() || this.isClosed) {
            this.look = null
            resolve()
          }
        }
        this.look()
      }),
    )
  }

  async heard(): Promise<void> {
    const { account } = this
    await this.watch(
      `${account.expectedBytes} bytes to ${account.who}`,
      () => account.seenBytes >= account.expectedBytes,
    ).catch(() => {})
  }
}

const dial = (account: Account, port: number): Promise<Client> =>
  within(
    patienceMs,
    'connecting',
    new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Client(account, socket)))
    }),
  )

type Clients = Map<string, Client>

const act = async (
  clients: Clients,
  step: Exclude<Step, { readonly _tag: 'Wait' | 'Dial' | 'Order' | 'Deaf' }>,
  prefix: string,
): Promise<string | null> => {
  const client = clients.get(step.who)
  if (client === undefined) throw new Error(`${step.who} has not been dialled`)
  const { account, socket } = client
  switch (step._tag) {
    case 'Send':
      if (!socket.destroyed) socket.write(parse(step.bytes.replaceAll('~', prefix)))
      return null
    case 'Hear':
      account.expect(parse(step.bytes.replaceAll('~', prefix)))
      await client.heard()
      return account.compare(false)
    case 'Open':
      if (!socket.destroyed) socket.write(Buffer.of(0xc0, 0))
      account.expect(Uint8Array.of(0xd0, 0))
      await client.heard()
      return account.compare(true)
    case 'Closed':
      await client.watch(`${step.who}'s connection to be closed`, () => false)
      return account.compare(true)
    case 'Lost':
      socket.destroy()
      return null
  }
}

/** Closes what is left; politely where the next row must not meet traces of this one. */
const leave = async (clients: Clients, politely: boolean): Promise<void> => {
  for (const client of clients.values()) {
    const { socket } = client
    if (politely && !client.isClosed && !socket.destroyed) {
      socket.write(Buffer.of(0xe0, 0))
      await client.watch('the end', () => false).catch(() => {})
    }
    socket.destroy()
  }
}

/** Plays a row; null, or what was not as it should be. */
const playOnSockets = async (
  row: Exchange,
  prefix: string,
  port: number,
): Promise<string | null> => {
  const clients: Clients = new Map()
  let at = ''
  try {
    for (const [index, step] of row.steps.entries()) {
      at = `step ${index + 1} (${stepText(step)})`
      if (step._tag === 'Wait') {
        await new Promise((resolve) => setTimeout(resolve, step.ms))
      } else if (step._tag === 'Dial') {
        // A name may be dialled again: the same client comes back.
        clients.get(step.who)?.socket.destroy()
        clients.set(step.who, await dial(new Account(step.who, step.level), port))
      } else if (step._tag === 'Order' || step._tag === 'Deaf') {
        throw new Error('this is for memory only')
      } else {
        const wrong = await act(clients, step, prefix)
        if (wrong !== null) return `${at}: ${wrong}`
      }
    }
    return null
  } catch (error) {
    return `${at}: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    await leave(clients, row.room !== 'shared')
  }
}

const width = Number(process.env['WIDTH'] ?? 48)

const inTurn = async (rows: ReadonlyArray<Exchange>, play: Play, width: number): Promise<void> => {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < rows.length) await play(rows[next++]!)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

type Play = (row: Exchange) => Promise<void>

/** A shell that serves all rooms. */
const serve = 'props/wire/serve.ts'

export type Subject = 'node' | 'node by sockets' | 'deno'

export class Shell {
  private readonly running: Running
  private ports: Readonly<Record<string, number>> = {}

  /** `node by sockets` is a Node that gives nobody the handles of its connections. */
  constructor(kind: Subject) {
    const deno = kind === 'deno' ? findDeno() : ''
    if (deno === null) throw new Error('no Deno 2 here, neither installed nor by npx')
    this.running = new Running(
      kind === 'deno' ? [deno, 'run', '-A', serve] : [
        process.execPath,
        ...(kind === 'node' ? [] : ['--import', 'data:text/javascript,process.binding=undefined']),
        '--import',
        'tsx',
        serve,
      ],
    )
  }

  async start(): Promise<void> {
    const { running } = this
    await until(20_000, 'the brokers', () => running.isEnded || running.stdout.includes('\n'))
    if (running.isEnded) throw new Error(`the shell did not start:\n${running.stderr}`)
    this.ports = JSON.parse(running.stdout)
  }

  /** Plays all rows; what was wrong, by row. */
  async play(
    rows: ReadonlyArray<Exchange>,
    prefixes: ReadonlyMap<Exchange, string>,
  ): Promise<ReadonlyMap<Exchange, string>> {
    const wrong = new Map<Exchange, string>()
    const playOne = async (row: Exchange): Promise<void> => {
      const port = this.ports[row.room] ?? 0
      const prefix = prefixes.get(row) ?? ''
      let said = await playOnSockets(row, prefix, port)
      // On a busy machine a second can be two: a row about time may try again, with new names.
      const isTimed = row.steps.some(({ _tag }) => _tag === 'Wait')
      for (const letter of isTimed ? ['x', 'y'] : []) {
        if (said !== null) said = await playOnSockets(row, letter + prefix.slice(1), port)
      }
      if (said !== null) wrong.set(row, said)
    }
    const of = (room: Room) => rows.filter((row) => row.room === room)
    const others = (Object.keys(roomConfigs) as Room[]).filter((room) => room !== 'shared')
    await Promise.all([
      inTurn(of('shared'), playOne, width),
      ...others.map((room) => inTurn(of(room), playOne, 1)),
    ])
    if (this.running.isEnded) {
      const words = this.running.stdout + this.running.stderr
      throw new Error(`the shell has ended:\n${words.slice(-2_000)}`)
    }
    return wrong
  }

  async stop(): Promise<void> {
    this.running.signal('SIGKILL')
    await this.running.ended
  }
}
