// A program with a broker inside, for rows about what no command line can say. It is started with a
// port and its settings, and hears wishes on its standard input, a line of JSON each. The same file
// runs on Node and on Deno.

import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Config } from '../../core/broker/config.ts'
import type { Question } from '../../core/broker/effect.ts'
import type { Command } from '../../core/broker/input.ts'
import type { ScramCredentials } from '../../shells/common/scram.ts'
import type { Running } from '../../shells/common/start.ts'
import type { StartOptions } from '../../shells/common/start-options.ts'

export interface Settings {
  readonly config?: Partial<Config>
  /** Passwords by user; whoever has none of them is refused with 0x86. */
  readonly passwords?: { readonly [name: string]: string }
  /** Passwords by user, for SCRAM-SHA-256. */
  readonly users?: { readonly [name: string]: string }
}

export interface Wish {
  readonly config?: Partial<Config>
  readonly command?: Command
}

interface Shell {
  start(options: StartOptions): Promise<Running>
  scramCredentials(password: string): Promise<ScramCredentials | null>
}

const shellHere = (): Promise<Shell> =>
  'Deno' in globalThis ? import('../../shells/deno/mod.ts') : import('../../shells/node/mod.ts')

const judgeOf =
  (passwords: { readonly [name: string]: string }) =>
  async ({ userName, password }: Question): Promise<number> => {
    const right = passwords[userName ?? '']
    const given = password === null
      ? undefined
      : new TextDecoder().decode(password.buffer.subarray(password.start, password.end))
    return right !== undefined && right === given ? 0 : 0x86
  }

const main = async (port: number, { config = {}, passwords, users }: Settings): Promise<void> => {
  const shell = await shellHere()
  const known = new Map<string, ScramCredentials | null>()
  for (const [name, password] of Object.entries(users ?? {})) {
    known.set(name, await shell.scramCredentials(password))
  }
  const running = await shell.start({
    ports: [port],
    config: passwords === undefined ? config : { ...config, authentication: 'judge' },
    ...(passwords === undefined ? {} : { judge: judgeOf(passwords) }),
    ...(users === undefined
      ? {}
      : { scram: { credentials: async (name) => known.get(name) ?? null } }),
  })
  createInterface({ input: process.stdin }).on('line', (line) => {
    const wish: Wish = JSON.parse(line)
    if (wish.config !== undefined) running.reconfigure(wish.config)
    if (wish.command !== undefined) running.command(wish.command)
  })
  process.on('SIGTERM', () => running.stop().then(() => process.exit(0)))
  // As every broker does that is started with a log.
  console.log('the broker is running')
}

const [port, settings] = process.argv.slice(2)
if (settings !== undefined) await main(Number(port), JSON.parse(settings))
