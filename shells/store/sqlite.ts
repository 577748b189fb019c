// The store over SQLite as the broker sees it: packs, hands over, and waits for nothing.

import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import type { Record } from '../../core/broker/record.ts'
import { messageOf } from '../common/message.ts'
import { Contradiction } from '../common/store.ts'
import type { Committed, Loaded, OpenStore, Store } from '../common/store.ts'
import { openThread } from '../thread/open.ts'
import type { Answer, Request } from './message.ts'
import { packWrites, unpackRecord } from './pack.ts'
import { packer } from './wire.ts'
import type { Packer, Reader } from './wire.ts'

/** Room for a batch to begin with. */
const batchBytes = 64 << 10
/** A larger buffer is not kept for the next batch. */
const batchBytesKept = 4 << 20

/** What the thread makes lives for one row or one batch; room for more is never given back. */
const resourceLimits = { maxYoungGenerationSizeMb: 12 }

/** Opens the store in a folder; it is nobody else's until it is closed. */
export const openSqlite: OpenStore = async (options) => {
  const begun = E.tryCatch(() => new Thread(), messageOf)
  if (E.isLeft(begun)) return begun
  const thread = begun.right
  const answer = await thread.ask({ _tag: 'Open', options })
  if (answer._tag === 'Opened') return E.right(storeOn(thread, answer.warnings))
  await thread.end()
  return E.left(whyOf(answer))
}

const whyOf = (answer: Answer | Death): string =>
  answer._tag === 'Refused' || answer._tag === 'Dead'
    ? answer.why
    : `the store answered ${answer._tag}`

const storeOn = (thread: Thread, warnings: ReadonlyArray<string>): Store => {
  let spare: Packer | null = packer(batchBytes)
  let broken: string | null = null
  let closed: Promise<void> | null = null

  const load = async (
    take: (records: ReadonlyArray<Record>) => void,
  ): Promise<Either<string, Loaded>> => {
    let next = thread.ask({ _tag: 'Load', lent: undefined })
    let lent: ArrayBuffer | undefined
    for (;;) {
      const answer = await next
      if (answer._tag === 'Loaded') {
        return E.right(answer.end)
      }
      if (answer._tag !== 'Portion') return E.left(whyOf(answer))
      // The next portion is read while this one is made into records.
      next = thread.ask({ _tag: 'Load', lent }, lent)
      const source = { buffer: answer.packed, at: 0 }
      while (source.at < answer.packed.length) take(unpackSome(source))
      lent = answer.packed.buffer
    }
  }

  const commit: Store['commit'] = async (stamp, writes): Promise<Committed> => {
    if (broken !== null) return { _tag: 'Broken', why: broken }
    const target = spare ?? packer(batchBytes)
    spare = null
    target.at = 0
    const extent = packWrites(target, writes)
    const packed = target.buffer.subarray(0, target.at)
    const answer = await thread.ask({ _tag: 'Commit', stamp, packed, extent }, packed.buffer)
    if (answer._tag === 'Committed') {
      const { committed, packed: { buffer } } = answer
      if (buffer.byteLength <= batchBytesKept) spare = { buffer: new Uint8Array(buffer), at: 0 }
      if (committed._tag === 'Broken') broken = committed.why
      return committed
    }
    if (answer._tag === 'Contradicted') throw new Contradiction(answer.what)
    broken = whyOf(answer)
    return { _tag: 'Broken', why: broken }
  }

  const close = (): Promise<void> => {
    closed ??= thread.ask({ _tag: 'Close' }).then(() => thread.end())
    return closed
  }

  return { warnings, load, commit, close }
}

/** So few that they are gone before the engine takes them for something that lasts. */
const recordsAtOnce = 64

const unpackSome = (source: Reader): ReadonlyArray<Record> => {
  const records: Array<Record> = []
  while (source.at < source.buffer.length && records.length < recordsAtOnce) {
    records.push(unpackRecord(source))
  }
  return records
}

/** The thread is no more; every question gets this answer. */
interface Death {
  readonly _tag: 'Dead'
  readonly why: string
}

/** Questions and answers, in order. */
class Thread {
  #worker = openThread(import.meta.url, { resourceLimits })
  #waiting: Array<(answer: Answer | Death) => void> = []
  #death: Death | null = null

  constructor() {
    this.#worker.on('message', (answer: Answer) => this.#waiting.shift()?.(answer))
    this.#worker.on('error', (error) => {
      this.#die(`The thread of the store has failed: ${error}`)
    })
    this.#worker.on('exit', () => this.#die('The thread of the store has ended.'))
  }

  ask(request: Request, lent?: ArrayBuffer): Promise<Answer | Death> {
    if (this.#death !== null) return Promise.resolve(this.#death)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#worker.postMessage(request, lent === undefined ? [] : [lent])
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #die(why: string): void {
    this.#death ??= { _tag: 'Dead', why }
    for (const resolve of this.#waiting.splice(0)) resolve(this.#death)
  }
}
