// Threads, on both runtimes, of sources and of what is built of them.

import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { WorkerOptions } from 'node:worker_threads'

const bundled = 'A thread of the broker is a file of the package, which is not there: a bundler ' +
  'has taken the package into another file. Leave it out of the bundle (--external:sabethes of ' +
  'esbuild, `external` of others), so that it is loaded from node_modules.'

/** Where nobody may look, it may be there. */
const isMissing = (file: URL): boolean => {
  try {
    return !existsSync(file)
  } catch {
    return false
  }
}

/**
 * A thread that runs `worker.ts`, or `worker.js` once it is built, beside the module that names its
 * own `import.meta.url`. Throws where there is none.
 */
export const openThread = (beside: string, options: WorkerOptions = {}): Worker => {
  // In a bundle all modules are one file, or none that has a name, and what lies beside it may be
  // somebody else's.
  if (beside === import.meta.url) throw new Error(bundled)
  if (!beside.endsWith('.ts')) {
    const built = new URL('./worker.js', beside)
    if (isMissing(built)) throw new Error(bundled)
    return new Worker(built, options)
  }
  const source = new URL('./worker.ts', beside)
  if ('Deno' in globalThis) return new Worker(source)
  // Node runs sources with the help of tsx, which has to be called anew in every thread.
  const tsx = import.meta.resolve('tsx/esm/api')
  return new Worker(
    `import('${tsx}').then(({ register }) => (register(), import('${source}')))`,
    { ...options, eval: true },
  )
}
