// The rows with 10,000 connections: what they cost while they are idle, and how long it takes until
// all are served who come back at the same moment. crowd.c plays the clients.

import type { Contestant } from './contestants.ts'
import { compile, run, type Server } from './processes.ts'
import { rows } from './rows.ts'

export const crowdRowNames = ['idle', 'reconnect']

const clientCount = 10_000

/** What crowd.c reports of 10,000 idle connections. */
export interface Idle {
  readonly count: number
  readonly seconds: number
  readonly cpuS: number
  readonly residentKib: number
  readonly kibEach: number
  /** CPU time for the same when the broker has done it once before. */
  readonly warmCpuS: number
}

/** What crowd.c reports of 10,000 that reconnect. */
export interface Reconnect {
  readonly count: number
  readonly connectedS: number
  readonly servedS: number
  readonly refused: number
  readonly unserved: number
  readonly gapUs: number
  readonly cpuS: number
  readonly residentKib: number
}

export interface CrowdResult<A> {
  readonly name: string
  readonly title: string
  readonly failure: string | null
  readonly figures: A | null
}

export interface CrowdResults {
  readonly idle: ReadonlyArray<CrowdResult<Idle>>
  readonly reconnect: ReadonlyArray<CrowdResult<Reconnect>>
}

const ask = async <A>(program: string, server: Server, mode: string): Promise<A> => {
  const args = ['--mode', mode, '--port', String(server.port), '--pid', String(server.pid)]
  const answer = await run(program, [...args, '--count', String(clientCount)], 120_000)
  const value: A & { error?: string } = JSON.parse(answer)
  if (value.error !== undefined) throw new Error(value.error)
  return value
}

const measure = async <A>(
  contestants: ReadonlyArray<Contestant>,
  work: (server: Server) => Promise<A>,
): Promise<ReadonlyArray<CrowdResult<A>>> => {
  const results: Array<CrowdResult<A>> = []
  for (const { name, title, start } of contestants) {
    if (name === 'aedes' || name === 'relay') continue
    let server: Server | null = null
    try {
      server = await start(rows[0]!)
      results.push({ name, title, failure: null, figures: await work(server) })
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error)
      results.push({ name, title, failure, figures: null })
    } finally {
      await server?.stop()
    }
  }
  return results
}

/** Measures the named rows, once each; a failure is part of the result. */
export const runCrowd = async (
  names: ReadonlyArray<string>,
  contestants: ReadonlyArray<Contestant>,
): Promise<CrowdResults> => {
  if (names.length === 0) return { idle: [], reconnect: [] }
  const program = compile('crowd')
  const idle = names.includes('idle')
    ? await measure(contestants, async (server) => {
      const fresh = await ask<Idle>(program, server, 'idle')
      const warm = await ask<Idle>(program, server, 'idle')
      return { ...fresh, warmCpuS: warm.cpuS }
    })
    : []
  const reconnect = names.includes('reconnect')
    ? await measure(contestants, (server) => ask<Reconnect>(program, server, 'reconnect'))
    : []
  return { idle, reconnect }
}
