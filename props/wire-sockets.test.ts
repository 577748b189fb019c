// runs: node
//
// Every row of the wire tables that a shell can play holds over real sockets as well, for the shell
// on Node, by handles and by sockets, and for the shell on Deno: what the core says in memory is
// what a client reads.
//
//   ROW='a second CONNECT' SUBJECT=deno npx tsx props/wire-sockets.test.ts

import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { skipped } from './conformance/expect.ts'
import { isThere } from './conformance/subject.ts'
import { isForSockets } from './wire/exchange.ts'
import { Shell } from './wire/sockets.ts'
import { exchanges, prefixes } from './wire/tables.ts'

const subjects = (process.env['SUBJECT'] ?? 'node,node by sockets,deno').split(',')
const wanted = process.env['ROW'] ?? ''
const chosen = exchanges.filter((row) => isForSockets(row) && row.name.includes(wanted))

for (const kind of ['node', 'node by sockets', 'deno'] as const) {
  if (!subjects.includes(kind)) continue
  if (kind === 'deno' && !isThere(kind)) {
    skipped(`the wire tables on ${kind}`, kind)
    continue
  }
  const sockets = suite(`wire tables on ${kind}`)
  let wrong: ReadonlyMap<unknown, string> = new Map()

  sockets(`all rows can be played on ${kind}`, async () => {
    const shell = new Shell(kind)
    try {
      await shell.start()
      wrong = await shell.play(chosen, prefixes)
    } finally {
      await shell.stop()
    }
  })

  for (const row of chosen) {
    sockets(`${row.name}, on ${kind}`, () => {
      const said = wrong.get(row) ?? null
      if (row.differs === null) assert.is(said, null)
      else console.log(`${said === null ? 'no longer' : 'known to be'} different: ${row.name}`)
    })
  }

  sockets.run()
}
