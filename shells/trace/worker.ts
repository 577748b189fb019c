// The thread that makes lines of notes and waits for the disk, so that the broker does not have to.

import { parentPort } from 'node:worker_threads'
import { E } from '../../core/prelude.ts'
import { Desk } from '../common/writer.ts'
import { Board, counts, kinds, pageCount, places } from './message.ts'
import type { Beginning } from './message.ts'
import { goOn } from './tapes.ts'

const write = ({ shared, veil }: Beginning): void => {
  const board = new Board(shared)
  const { numbers, pages } = board
  const desk = new Desk(veil)
  for (let done = 0;; done++) {
    while (Atomics.load(numbers, places.sent) === done) Atomics.wait(numbers, places.sent, done)
    const at = done % pageCount
    const page = pages[at]!
    const length = numbers[places.pages + 2 * at + 1]!
    const kind = numbers[places.pages + 2 * at]
    switch (kind) {
      case kinds.notes:
        desk.take(page, length)
        board.setCount(counts.taken, board.count(counts.taken) + length)
        break
      case kinds.begin: {
        const tape = goOn(new TextDecoder().decode(page.slice(0, length)))
        if (E.isRight(tape)) desk.begin(tape.right)
        else desk.fault = tape.left
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
