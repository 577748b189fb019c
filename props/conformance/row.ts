// Runs the rows of a table against every broker under test. Rows are independent of each other
// (each has topics and client identifiers of its own), so most run at the same time; a row that
// needs a broker to itself gets one, and few of those run at once. uvu then reports them one by
// one.

import process from 'node:process'
import { suite } from 'uvu'
import { Mismatch, skipped, within } from './expect.ts'
import { Peer } from './peer.ts'
import { isThere, start } from './subject.ts'
import type { Broker, Kind, StartOptions } from './subject.ts'
import type { ConnectOrder } from './wire.ts'

/** What a row gets to work with. */
export class Stage {
  readonly broker: Broker
  /** The row's own prefix for topics and client identifiers. */
  readonly prefix: string
  private readonly endings: (() => void | Promise<void>)[] = []

  constructor(broker: Broker, prefix: string) {
    this.broker = broker
    this.prefix = prefix
  }

  /** A topic or an identifier that no other row uses. */
  own(name: string): string {
    return `${this.prefix}/${name}`
  }

  /** Runs when the row is over, however it ended. */
  afterwards(ending: () => void | Promise<void>): void {
    this.endings.push(ending)
  }

  /** A socket to the broker that has said nothing yet. */
  async dial(host = '127.0.0.1'): Promise<Peer> {
    const peer = await Peer.dial(this.broker.port, host)
    this.afterwards(() => peer.destroy())
    return peer
  }

  /** A connected client. Its identifier is made from `name`. */
  async client(name: string, order: Omit<ConnectOrder, 'id'> = {}): Promise<Peer> {
    const peer = await this.dial()
    await peer.connect({ ...order, id: this.own(name) })
    return peer
  }

  async clear(): Promise<void> {
    for (const ending of this.endings.reverse()) await ending()
  }
}

export interface Row {
  readonly name: string
  /** Start a broker for this row alone, so. */
  readonly alone?: StartOptions
  /** In what mosquitto 2.0 is known to be different, for runs against it. */
  readonly differs?: string
  /** After this time the row has failed; 20 seconds when missing. */
  readonly patienceMs?: number
  /** The kind of client, where the row exists for several. */
  readonly client?: string
  readonly play: (stage: Stage) => Promise<void>
}

type Outcome = Error | null

const kinds = (): Kind[] => {
  const wanted = (process.env['SUBJECT'] ?? 'node,deno').split(',')
  return (['node', 'deno', 'mosquitto'] as const).filter((kind) => wanted.includes(kind))
}

/** Starts at most `width` tasks at once, in order. */
const pool = (width: number) => {
  const queue: (() => void)[] = []
  let running = 0
  return async <A>(task: () => Promise<A>): Promise<A> => {
    if (running >= width) await new Promise<void>((resolve) => queue.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = queue.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

const timesPrinted = process.env['TIMES'] !== undefined

const playRow = async (row: Row, kind: Kind, broker: Broker, index: number): Promise<Outcome> => {
  const prefix = `${row.name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 40)}-${index}`
  const stage = new Stage(broker, prefix)
  const startedMs = Date.now()
  try {
    await within(row.patienceMs ?? 20_000, 'the whole row', row.play(stage))
    if (broker.running.isEnded && row.alone === undefined) {
      throw new Mismatch('the broker', 'alive after the row', 'it has ended')
    }
    return null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await stage.clear()
    if (timesPrinted) console.log(`${Date.now() - startedMs} ms: ${row.name} on ${kind}`)
  }
}

/** As one word for the shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const describe = (file: string, row: Row, kind: Kind, error: Error, said: string): Error => {
  const client = row.client === undefined ? '' : `  client: ${row.client}\n`
  const described = new Error(
    `${error.message}\n  shell:  ${kind}\n${client}  row:    ${row.name}\n` +
      `  repeat: ROW=${quoted(row.name)} SUBJECT=${kind} npx tsx props/${file}` +
      (said === '' ? '' : `\n  the broker's last words:\n${said}`),
  )
  // uvu prints the message and then what follows the first line of the stack.
  const frames = (error.stack ?? '').split('\n    at ').slice(1, 5)
  described.stack = ['Error', ...frames].join('\n    at ')
  return described
}

const lastWords = (broker: Broker | null): string =>
  broker === null || !broker.running.isEnded
    ? ''
    : (broker.running.stdout + broker.running.stderr).split('\n').slice(-30).join('\n')

/**
 * Plays the rows whose name holds the environment's ROW against the brokers in SUBJECT
 * (`node,deno`) and registers one test for each. `file` is the test file, for the command that
 * repeats a row.
 * Resolves when all rows have been played.
 */
export const runTable = async (
  title: string,
  file: string,
  rows: ReadonlyArray<Row>,
): Promise<void> => {
  const wanted = process.env['ROW'] ?? ''
  const chosen = rows.filter((row) => row.name.includes(wanted))
  const together = pool(Number(process.env['WIDTH'] ?? 12))
  const alone = pool(2)
  const all: Promise<Outcome>[] = []
  for (const kind of kinds()) {
    if (!isThere(kind)) {
      skipped(`${title} on ${kind}`, kind)
      continue
    }
    const sharing = chosen.filter((row) => row.alone === undefined)
    const shared = sharing.length === 0 ? null : start(kind)
    // A broker that does not start is the failure of every row, not an unhandled rejection.
    shared?.catch(() => {})
    const outcomes = new Map<Row, Promise<Outcome>>()
    const begin = (row: Row, index: number): Promise<Outcome> => {
      const play = async (): Promise<Outcome> => {
        let broker: Broker | null = null
        try {
          broker = await (row.alone === undefined ? shared : start(kind, row.alone))
          if (broker === null) throw new Error('no broker')
          const outcome = await playRow(row, kind, broker, index)
          return outcome === null
            ? null
            : describe(file, row, kind, outcome, lastWords(broker))
        } catch (error) {
          const cause = error instanceof Error ? error : new Error(String(error))
          return describe(file, row, kind, cause, lastWords(broker))
        } finally {
          if (row.alone !== undefined) await broker?.stop()
        }
      }
      return row.alone === undefined ? together(play) : alone(play)
    }
    chosen.forEach((row, index) => {
      const outcome = begin(row, index)
      outcomes.set(row, outcome)
      all.push(outcome)
    })
    const report = suite(`${title} on ${kind}`)
    for (const row of chosen) {
      report(`${row.name}, on ${kind}`, async () => {
        const outcome = await outcomes.get(row) ?? null
        if (kind === 'mosquitto' && row.differs !== undefined) {
          console.log(
            outcome === null
              ? `no longer different: ${row.name}`
              : `different as known: ${row.name} (${row.differs})`,
          )
          return
        }
        if (outcome !== null) throw outcome
      })
    }
    report.after(async () => {
      const broker = await shared?.catch(() => null)
      await broker?.stop()
    })
    report.run()
  }
  await Promise.all(all)
}
