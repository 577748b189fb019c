#!/usr/bin/env node
// The door of the program `sabethes`, on whatever runtime it was started.

import process from 'node:process'

// Node opens its debugger to SIGUSR1 unless somebody listens, and everything else takes a while to
// load. The broker has its own answer once it runs.
process.on('SIGUSR1', () => {})

const { main } = await import('./program.ts')
await main()
