// The broker agrees with a dumb one (props/model) on random histories, time included: every client
// gets the same packets in the same order, every connection ends at the same moment with the same
// reason, every message that is dropped is dropped for the same reason. Limits are tiny, so that
// windows fill, queues overflow and identifiers wrap in every run.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { history, punctual, wordless } from './gen/histories.ts'
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
  ['nobody matched', /Puback .*"reason":16/],
  ['a message carried a subscription identifier', /"subscriptionIdentifiers":\[268435455\]/],
  ['an expiry was counted down', /"messageExpiryInterval":(4|59)/],
  ['a client was judged', / <- judge/],
  ['the store of retained messages was full', /retained store full/],
  ['a client proved itself', /Connack .*"authenticationMethod":"SCRAM-SHA-256"/],
  ['a client was challenged', /Auth .*"reason":24/],
  ['a client proved itself again', /Auth .*"reason":0/],
  ['a proof was refused', /ended not authorised 135/],
  ['a method was not offered', /ended not authorised 140/],
  ['authentication data was too large', /ended not authorised 151/],
  ['an authentication took too long', /ended exceeded timeout 135/],
  ['AUTH came out of turn', /Connack .*"reason":130/],
  ['a CONNACK was too large', /ended refused 149/],
  ['a client was told where answers go', /"responseInformation":"of\/user\//],
  ['a client was sent elsewhere', /Connack .*"serverReference".*"reason":157/],
  ['a connected client was sent elsewhere', /Disconnect .*"serverReference".*"reason":156/],
  ['a publish was not UTF-8', /dropped .* payload format invalid/],
  ['a will was not UTF-8', /ended refused 153/],
  ['an echo was recognised', /stale (Written|Judged|Answered|Arrived|Broke|Closed)/],
  ['a client identifier was invented', /"assignedClientIdentifier":"auto-/],
]

model('a broker says what the dumb broker says', () => {
  const seen = new Set<string>()
  let histories = 0
  let steps = 0
  fc.assert(
    // A shell that wakes up late finds several things due at once, in an order that is nobody's
    // law.
    fc.property(history(150).map(punctual).map(wordless), (some) => {
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
