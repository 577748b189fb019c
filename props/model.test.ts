// The broker agrees with a dumb one (props/model) on random histories, time included: every client
// gets the same packets in the same order, every connection ends at the same moment with the same
// reason, every message that is dropped is dropped for the same reason. Limits are tiny, so that
// windows fill, queues overflow and identifiers wrap in every run.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { history, punctual } from './gen/histories.ts'
import { runs } from './gen/settings.ts'
import { compare } from './model/compare.ts'

const model = suite('model')

/** What must have happened somewhere, or the histories have stopped being worth anything. */
const sometimes: ReadonlyArray<readonly [what: string, sign: RegExp]> = [
  ['a session was resumed', /Connack .*"sessionPresent":true/],
  ['a message was sent again', /Publish \{"dup":true/],
  ['a QoS 2 exchange was completed', /Pubcomp .*"reason":0/],
  ['an unknown PUBREL was answered', /Pubcomp .*"reason":146/],
  ['a retained message was sent', /Publish .*"retain":true/],
  ['a will was published', /note will/],
  ['a client was taken over', /ended session taken over 142/],
  ['a keep alive ran out', /ended exceeded timeout 141/],
  ['a queue was full', /dropped .* queue full/],
  ['a message expired', /dropped .* expired/],
  ['a message was too large', /dropped .* too large/],
  ['a socket took nothing', /dropped .* back-pressure/],
  ['a stalled client was closed', /ended stalled/],
  ['a session expired', /session .* expired/],
  ['a publisher overran the window', /ended protocol error 147/],
  ['memory was short', /note memory short/],
  ['memory was free again', /note memory free/],
  ['there was no memory for another session', /ended memory short 151/],
  ['a message could not wait for want of memory', /dropped "\w+" .* memory short/],
  ['a message could not be kept for want of memory', /dropped for all .* 2 memory short/],
  ['an address connected too often', /ended connecting too often 159/],
  ['nobody matched', /Puback .*"reason":16/],
  ['a message carried a subscription identifier', /"subscriptionIdentifiers":\[268435455\]/],
  ['an expiry was counted down', /"messageExpiryInterval":(4|59)/],
  ['a client was judged', / <- judge/],
  ['the store of retained messages was full', /retained store full/],
  ['an echo was recognised', /stale (Written|Judged|Arrived|Broke|Closed)/],
  ['a client identifier was invented', /"assignedClientIdentifier":"auto-/],
]

model('a broker says what the dumb broker says', () => {
  const seen = new Set<string>()
  let histories = 0
  let steps = 0
  fc.assert(
    // A shell that wakes up late finds several things due at once, in an order that is nobody's
    // law.
    fc.property(history(150).map(punctual), (some) => {
      const { inputs } = compare(some, (_command, said) => {
        for (const one of said) {
          for (const [what, sign] of sometimes) {
            if (!seen.has(what) && sign.test(one)) seen.add(what)
          }
        }
      })
      histories++
      steps += inputs
    }),
    { numRuns: runs(3000) },
  )
  console.log(`${steps} inputs`)
  // A shorter search, as when a failure is repeated, need not see everything.
  if (histories < 3000) return
  for (const [what] of sometimes) assert.ok(seen.has(what), `it never happened that ${what}`)
})

model.run()
