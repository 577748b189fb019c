// Threads, on both runtimes, of sources and of what is built of them.

import { Worker } from 'node:worker_threads'
import type { WorkerOptions } from 'node:worker_threads'

/**
 * A thread that runs `worker.ts`, or `worker.js` once it is built, beside the module that names its
 * own `import.meta.url`.
 */
export const openThread = (beside: string, options: WorkerOptions = {}): Worker => {
  if (!beside.endsWith('.ts')) return new Worker(new URL('./worker.js', beside), options)
  const source = new URL('./worker.ts', beside)
  if ('Deno' in globalThis) return new Worker(source)
  // Node runs sources with the help of tsx, which has to be called anew in every thread.
  const tsx = import.meta.resolve('tsx/esm/api')
  return new Worker(
    `import('${tsx}').then(({ register }) => (register(), import('${source}')))`,
    { ...options, eval: true },
  )
}
