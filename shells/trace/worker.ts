// The thread that makes lines of notes and waits for the disk, so that the broker does not have to.

import { parentPort } from 'node:worker_threads'
import { E } from '../../core/prelude.ts'
import { Desk } from '../common/writer.ts'
import { Board, counts, kinds, messageNumbers, pageCount, places } from './message.ts'
import type { Beginning } from './message.ts'
import { goOn } from './tapes.ts'

/** How often it is looked whether there is more. */
const lookMs = 1
/** After so many looks in vain it waits to be woken. */
const looksMax = 25
/** So many bytes of lines are written at once, as long as there are more to come. */
const writeBytesMin = 64 * 1024

/**
 * Until there is more than was done. Waking a thread costs the broker a few microseconds each time,
 * which looking spares it as long as there is much to do.
 */
const rest = (numbers: Int32Array, done: number): void => {
  for (let i = 0; i < looksMax; i++) {
    Atomics.wait(numbers, places.sent, done, lookMs)
    // Whoever waits for this thread wakes it to be sure, maybe for what was done just before.
    if (Atomics.load(numbers, places.sent) !== done) return
  }
  Atomics.store(numbers, places.isAsleep, 1)
  while (Atomics.load(numbers, places.sent) === done) Atomics.wait(numbers, places.sent, done)
  Atomics.store(numbers, places.isAsleep, 0)
}

const write = ({ shared, veil }: Beginning): void => {
  const board = new Board(shared)
  const { numbers, pages } = board
  const desk = new Desk(veil)
  /** Of notes that are not in the file. */
  let unwrittenBytes = 0
  const flush = (): void => {
    desk.flush()
    board.setCount(counts.taken, board.count(counts.taken) + unwrittenBytes)
    unwrittenBytes = 0
  }
  for (let done = 0;; done++) {
    rest(numbers, done)
    const at = places.messages + messageNumbers * (done % pageCount)
    const kind = numbers[at]
    const page = pages[numbers[at + 1]!]!
    const length = numbers[at + 2]!
    if (kind !== kinds.notes) flush()
    switch (kind) {
      case kinds.notes: {
        desk.take(page, length)
        unwrittenBytes += length
        // Whoever waits until all is done finds it in the file.
        const isLast = Atomics.load(numbers, places.sent) === done + 1
        if (isLast || desk.waitingBytes >= writeBytesMin) flush()
        break
      }
      case kinds.begin: {
        const tape = goOn(new TextDecoder().decode(page.slice(0, length)))
        if (E.isRight(tape)) desk.begin(tape.right)
        else desk.fail(tape.left)
        break
      }
      case kinds.close:
        desk.close()
    }
    board.setCount(counts.file, desk.bytes)
    if (desk.fault !== board.fault) board.fault = desk.fault
    Atomics.store(numbers, places.done, done + 1)
    Atomics.notify(numbers, places.done)
    if (kind === kinds.leave) return
  }
}

parentPort?.once('message', write)
