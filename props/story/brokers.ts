// The process that holds the brokers of the stories, seen from the tests: starting a broker with a
// configuration, stopping it, and waiting for a line of its log.

import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Config } from '../../core/broker/config.ts'
import { within } from '../conformance/expect.ts'
import { Running } from '../conformance/subject.ts'
import type { Kind } from '../conformance/subject.ts'
import { findDeno } from '../runtimes.ts'

const patienceMs = 20_000

const commandOf = (kind: Kind): ReadonlyArray<string> => {
  const host = 'props/story/host.ts'
  if (kind === 'node') return [process.execPath, '--import', 'tsx', host]
  const deno = findDeno()
  if (deno === null) throw new Error('no Deno 2 here, neither installed nor by npx')
  return [deno, 'run', '--no-prompt', '--allow-net', '--allow-read', '--allow-env', host]
}

/** One broker of the host. */
export interface StoryBroker {
  readonly port: number
  /** What it has said so far. */
  readonly log: string
  /** Waits until the log has one of these texts, behind so many characters. */
  logged(texts: ReadonlyArray<string>, from?: number): Promise<void>
  stop(): void
}

class Hosted implements StoryBroker {
  port = 0
  log = ''
  private readonly watching = new Set<() => void>()
  private readonly order: (line: object) => void

  constructor(order: (line: object) => void) {
    this.order = order
  }

  hear(text: string): void {
    this.log += text
    for (const look of [...this.watching]) look()
  }

  logged(texts: ReadonlyArray<string>, from = 0): Promise<void> {
    const attempt = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!texts.some((text) => this.log.includes(text, from))) return
        this.watching.delete(look)
        resolve()
      }
      this.watching.add(look)
      look()
    })
    return within(patienceMs, `"${texts.join('" or "')}" in the log`, attempt)
  }

  stop(): void {
    this.order({ do: 'stop' })
  }
}

/** A process with as many brokers as are asked for. */
export class Host {
  private readonly running: Running
  private readonly brokers = new Map<number, Hosted>()
  private readonly started = new Map<number, (error: Error | null) => void>()
  private last = 0

  constructor(kind: Kind) {
    this.running = new Running(commandOf(kind))
    const { stdout } = this.running.child
    if (stdout === null) throw new Error('the host has no output')
    createInterface({ input: stdout }).on('line', (line) => this.hear(line))
    void this.running.ended.then(() => {
      const error = new Error(`the host has ended:\n${this.running.stderr.slice(-3_000)}`)
      for (const settle of this.started.values()) settle(error)
    })
  }

  private hear(line: string): void {
    const said: { id: number; port?: number; log?: string; failed?: string } = JSON.parse(line)
    const broker = this.brokers.get(said.id)
    if (broker === undefined) return
    if (said.log !== undefined) broker.hear(said.log)
    if (said.failed !== undefined) this.started.get(said.id)?.(new Error(said.failed))
    if (said.port === undefined) return
    broker.port = said.port
    this.started.get(said.id)?.(null)
  }

  private order(line: object): void {
    this.running.child.stdin?.write(`${JSON.stringify(line)}\n`)
  }

  start(config: Config): Promise<StoryBroker> {
    const id = ++this.last
    const broker = new Hosted((line) => this.order({ id, ...line }))
    this.brokers.set(id, broker)
    const attempt = new Promise<StoryBroker>((resolve, reject) => {
      this.started.set(id, (error) => error === null ? resolve(broker) : reject(error))
    })
    this.order({ id, do: 'start', config })
    return within(patienceMs, 'a broker for the story', attempt)
  }

  async end(): Promise<void> {
    this.running.child.stdin?.end()
    await within(patienceMs, 'the end of the host', this.running.ended)
  }
}
