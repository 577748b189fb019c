// runs: node
//
// Sabethes does what mosquitto does: random conversations of four clients at levels 3, 4 and 5,
// with subscriptions and their options, shared ones, messages of every quality, retained and with
// properties, wills, acknowledgements held back, sessions left and resumed, are held with both over
// sockets, and everybody receives the same from both at every step. Where they differ, and why, is
// listed in differential/differences.ts; what is not listed fails. These are the same conversations
// every time, unless SEED says otherwise; `npm run differential` holds others.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { skipped } from './conformance/expect.ts'
import { isThere } from './conformance/subject.ts'
import { converse, isMosquittoThere } from './differential/run.ts'

const differential = suite('differential')

const count = 250
const seed = Number(process.env['SEED'] ?? 1)

differential('everybody receives what mosquitto would have sent', async () => {
  if (!isMosquittoThere()) return skipped('the comparison with mosquitto', 'mosquitto')
  const { found, whole, steps, lines } = await converse(seed, count, 'node')
  if (found !== null) throw new Error(found)
  console.log(`${count} conversations, ${steps} steps, ${lines} packets`)
  // A conversation that meets a difference may have to end there; most must not.
  assert.ok(whole > 0.8 * count, `only ${whole} of ${count} came to their end`)
})

differential('and from the Deno shell', async () => {
  if (!isMosquittoThere()) return skipped('the comparison with mosquitto', 'mosquitto')
  if (!isThere('deno')) return skipped('the comparison on Deno', 'Deno')
  const { found } = await converse(seed, 20, 'deno')
  if (found !== null) throw new Error(found)
})

differential.run()
