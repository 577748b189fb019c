// The thread that makes hashes, one after the other, so that no more memory is in use than one
// needs.

import { parentPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { argon2id } from 'hash-wasm'
import { messageOf } from '../common/message.ts'
import type { Answer, Request } from './message.ts'

const answerTo = async ({ number, password, wanted }: Request): Promise<Answer> => {
  try {
    // A password of no bytes is not taken; it costs as much as another and is nobody's.
    const isNone = password.length === 0
    const hash = await argon2id({
      password: isNone ? new Uint8Array(1) : password,
      salt: wanted.salt,
      memorySize: wanted.memoryKiB,
      iterations: wanted.passes,
      parallelism: wanted.lanes,
      hashLength: wanted.hash.length,
      outputType: 'binary',
    })
    return { number, hash: isNone ? new Uint8Array(0) : hash, why: '' }
  } catch (error) {
    return { number, hash: null, why: messageOf(error) }
  }
}

const serve = (port: MessagePort): void => {
  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: Request) => {
    last = last.then(async () => port.postMessage(await answerTo(request)))
  })
}

if (parentPort !== null) serve(parentPort)
