// Where connections of Node's read to: what was copied from the buffer of all stays as it is as
// long as it is lent.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Desk } from '../shells/common/desk.ts'
import { isShortRun, runs } from './gen/settings.ts'

const desks = suite('desk')

const readBuffer = Buffer.alloc(65_536)

/** Bytes that differ from socket to socket and from place to place. */
const textOf = (who: number, bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 7 + who * 31 + (i >> 8)) & 0xff))

desks('what is lent stays as it is until nothing is lent any more', () => {
  const reads = fc.array(
    fc.record({ who: fc.nat({ max: 5 }), bytes: fc.oneof(fc.nat(100), fc.nat(65_536)) }),
    { maxLength: 40 },
  )
  let reused = 0
  fc.assert(
    fc.property(fc.array(reads, { maxLength: 6 }), (turns) => {
      const desk = new Desk((bytes) => new Uint8Array(bytes))
      const sheets = new Set<Uint8Array>()
      for (const turn of turns) {
        const borrowers = new Set<number>()
        const lent = turn.map(({ who, bytes }, i) => {
          const text = textOf(i, bytes)
          text.copy(readBuffer)
          const start = desk.copy(readBuffer, bytes)
          readBuffer.fill(0xee)
          if (sheets.has(desk.sheet)) reused += 1
          sheets.add(desk.sheet)
          if (!borrowers.has(who)) desk.lend()
          borrowers.add(who)
          return { text, sheet: desk.sheet, start }
        })
        for (const { text, sheet, start } of lent) {
          assert.ok(text.equals(sheet.subarray(start, start + text.length)))
        }
        for (const _ of borrowers) desk.takeBack()
      }
    }),
    { numRuns: runs(60) },
  )
  if (isShortRun(60)) return
  assert.ok(reused > 0)
})

desks.run()
