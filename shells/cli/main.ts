#!/usr/bin/env node
// The program `sabethes`, on whatever runtime it was started. Status 0: ended as asked; 1: could
// not start; 3: a command line that makes no sense; 70: the broker itself was at fault.

import { StoreError } from '../common/driver.ts'
import { help, parseOptions, statusUsage } from '../common/options.ts'
import { version } from '../common/version.ts'
import type { Program } from '../common/program.ts'
import type { Running, StartOptions } from '../common/start.ts'

const statusFailed = 1

/** Signals within this time are one wish. */
const sameWishMs = 500

/** EX_SOFTWARE of sysexits.h: an internal error has been found. */
const statusFault = 70

interface Runtime {
  readonly program: Program
  readonly start: (options: StartOptions) => Promise<Running>
}

const load = async (): Promise<Runtime> => {
  if ('Deno' in globalThis) {
    const { program } = await import('../deno/host.ts')
    const { start } = await import('../deno/mod.ts')
    return { program, start }
  }
  const { program } = await import('../node/host.ts')
  const { start } = await import('../node/mod.ts')
  return { program, start }
}

const main = async (): Promise<void> => {
  const { program, start } = await load()
  const parsed = parseOptions(program.words())
  if (parsed._tag === 'Left') {
    program.complain(`Error: ${parsed.left}\n`)
    return program.exit(statusUsage)
  }
  const options = parsed.right
  if (options._tag === 'Help') return program.say(help(version))
  if (options._tag === 'Version') return program.say(`sabethes version ${version}\n`)

  if (options._tag === 'Store') {
    const { lookIntoStore } = await import('./store.ts')
    return program.exit(await lookIntoStore(program, options.action, options.folder))
  }

  let running: Running | null = null
  let signalledMs: number | null = null
  program.onSignals((status) => {
    const nowMs = performance.now()
    if (signalledMs !== null) {
      // Whoever asks twice does not want to wait for slow readers. What comes at once is the same
      // wish: a terminal tells all that it has started, and who has started us passes it on.
      if (nowMs - signalledMs > sameWishMs) program.exit(status)
      return
    }
    signalledMs = nowMs
    if (running !== null) running.stop().then(() => program.exit(0))
  })
  try {
    running = await start({
      ports: options.ports,
      verbosity: options.verbosity,
      ...(options.persistence === null ? {} : { persistence: options.persistence }),
      fatal: (error) =>
        program.exit(error instanceof StoreError ? statusFailed : statusFault),
    })
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error))
    program.complain(`Error: ${message}\n`)
    return program.exit(statusFailed)
  }
  // A signal that came while the listeners were being opened.
  if (signalledMs !== null) running.stop().then(() => program.exit(0))
}

await main()
