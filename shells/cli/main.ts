#!/usr/bin/env node
// The door of the program `sabethes`, on whatever runtime it was started.

import process from 'node:process'

// Node opens its debugger to SIGUSR1 unless somebody listens, and everything else takes a while to
// load. The others would end the process. The broker has its own answers once it runs.
for (const name of ['SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const) process.on(name, () => {})

// Who ends it before there is anything to save gets what he wants.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(0))

// Deno does so all the same.
if ('Deno' in globalThis) {
  const { closeDebugger } = await import('./debugger.ts')
  process.on('SIGUSR1', closeDebugger)
}

const { main } = await import('./program.ts')
try {
  await main()
} catch (error) {
  // Deno says what it does not let the broker do, and which option does.
  if (!(error instanceof Error) || error.name !== 'NotCapable') throw error
  process.stderr.write(`Error: ${error.message}.\n`)
  process.exit(1)
}
