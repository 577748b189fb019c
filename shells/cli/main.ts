#!/usr/bin/env node
// The program `sabethes`, on whatever runtime it was started. Status 0: ended as asked; 1: could
// not start; 3: a command line that makes no sense; 70: the broker itself was at fault.

import { help, noSources, parseOptions, settingsFor, statusUsage } from '../../core/config/mod.ts'
import type { Run, Settings } from '../../core/config/mod.ts'
import { StoreError } from '../common/driver.ts'
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

/** What was asked for and cannot be done yet. */
const missingIn = ({ file, daemon, testConfig }: Run): string | null =>
  file !== null ? '-c' : daemon ? '-d' : testConfig ? '--test-config' : null

const storeOf = ({ persistence }: Settings): Pick<StartOptions, 'persistence'> => {
  if (persistence === null) return {}
  const { folder, salvage, storeBytesMax } = persistence
  return {
    persistence: {
      folder: folder || '.',
      salvage,
      ...(storeBytesMax === null ? {} : { storeBytesMax }),
    },
  }
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

  const missing = options._tag === 'Run' ? missingIn(options) : 'config diff'
  if (options._tag !== 'Run' || missing !== null) {
    program.complain(`Error: ${missing} is not there yet: leave it out.\n`)
    return program.exit(statusUsage)
  }
  const settings = settingsFor(options, noSources)
  if (settings._tag === 'Left') {
    for (const line of settings.left.lines) program.complain(`${line}\n`)
    return program.exit(settings.left.status)
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
      ports: settings.right.listeners.map(({ port }) => port),
      verbosity: options.verbosity,
      ...storeOf(settings.right),
      fatal: (error) => program.exit(error instanceof StoreError ? statusFailed : statusFault),
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
