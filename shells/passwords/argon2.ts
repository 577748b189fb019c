// Argon2id as the judge of passwords sees it: a question to another thread.

import type { Worker } from 'node:worker_threads'
import type { Argon2, Argon2Hash } from '../common/passwords.ts'
import { openThread } from '../thread/open.ts'
import type { Answer, Request } from './message.ts'

interface Waiting {
  readonly resolve: (hash: Uint8Array) => void
  readonly reject: (error: Error) => void
}

/** The thread begins with the first question; between questions it keeps no process alive. */
export const createArgon2 = (): Argon2 => {
  let worker: Worker | null = null
  let number = 0
  const waiting = new Map<number, Waiting>()

  const fail = (why: string): void => {
    worker = null
    for (const { reject } of waiting.values()) reject(new Error(why))
    waiting.clear()
  }

  const begin = (): Worker => {
    const begun = openThread(import.meta.url)
    begun.on('message', ({ number: which, hash, why }: Answer) => {
      const one = waiting.get(which)
      waiting.delete(which)
      if (waiting.size === 0) begun.unref()
      if (hash === null) one?.reject(new Error(`argon2id: ${why}`))
      else one?.resolve(hash)
    })
    begun.on('error', (error) => {
      if (worker === begun) fail(`the thread for argon2id failed: ${error.message}`)
    })
    begun.on('exit', () => {
      if (worker === begun) fail('the thread for argon2id has ended')
    })
    return begun
  }

  return {
    hash: (password: Uint8Array, wanted: Argon2Hash) =>
      new Promise((resolve, reject) => {
        worker ??= begin()
        if (waiting.size === 0) worker.ref()
        number += 1
        waiting.set(number, { resolve, reject })
        const request: Request = { number, password, wanted }
        worker.postMessage(request)
      }),
    close: async () => {
      const ending = worker
      fail('the judge of passwords was closed')
      await ending?.terminate()
    },
  }
}
