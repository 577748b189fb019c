// The thread that waits for the disk, so that the broker does not have to.

import { parentPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { E } from '../../core/prelude.ts'
import { messageOf } from '../common/message.ts'
import { Contradiction } from '../common/store.ts'
import { Database } from './database.ts'
import { loadSqlite } from './library.ts'
import type { Answer, Request } from './message.ts'

const serve = (port: MessagePort): void => {
  let database: Database | null = null
  let loading: ReturnType<Database['load']> | null = null

  const answer = (message: Answer, lent?: ArrayBuffer): void =>
    port.postMessage(message, lent === undefined ? [] : [lent])

  const open = async (request: Extract<Request, { _tag: 'Open' }>): Promise<Answer> => {
    const opened = Database.open(await loadSqlite(), request.options)
    if (E.isLeft(opened)) return { _tag: 'Refused', why: opened.left }
    database = opened.right
    return { _tag: 'Opened', warnings: database.warnings }
  }

  port.on('message', (request: Request) => {
    switch (request._tag) {
      case 'Open':
        open(request).then(answer, (error: unknown) => {
          answer({ _tag: 'Refused', why: messageOf(error) })
        })
        return
      case 'Load': {
        loading ??= database!.load()
        const { done, value } = loading.next(request.lent)
        if (!done) return answer({ _tag: 'Portion', packed: value }, value.buffer)
        loading = null
        if (E.isLeft(value)) return answer({ _tag: 'Refused', why: value.left })
        return answer({ _tag: 'Loaded', end: value.right })
      }
      case 'Commit': {
        const { stamp, packed, extent } = request
        try {
          const committed = database!.commit(stamp, packed, extent)
          answer({ _tag: 'Committed', committed, packed }, packed.buffer)
        } catch (error) {
          if (!(error instanceof Contradiction)) throw error
          answer({ _tag: 'Contradicted', what: error.message })
        }
        // After the answer: nobody waits for this but the next batch.
        return database!.tidy()
      }
      case 'Close':
        loading?.return(E.left('the store was closed'))
        database?.close()
        answer({ _tag: 'Closed' })
    }
  })
}

if (parentPort !== null) serve(parentPort)
