// The broker agrees with a dumb one (props/model) on random histories, time included: every client
// gets the same packets in the same order, every connection ends at the same moment with the same
// reason, every message that is dropped is dropped for the same reason. Limits are tiny, so that
// windows fill, queues overflow and identifiers wrap in every run.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { groupHistory } from './gen/groups.ts'
import { type History, history, punctual, wordless } from './gen/histories.ts'
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
  ['an alias was set', /Publish .*"topicAlias":1.*"topic":"t/],
  ['an alias stood for its topic', /Publish .*"topicAlias":1.*"topic":""/],
  ['a third alias was set', /Publish .*"topicAlias":3/],
  ['a message was sent again with its topic', /"dup":true.*"topicAlias":.*"topic":"t/],
  ['a message was sent again under an alias', /"dup":true.*"topicAlias":.*"topic":""/],
  ['an alias stood beside an identifier', /"subscriptionIdentifiers":\[.*"topicAlias":/],
  ['copies were merged', /"subscriptionIdentifiers":\[\d+,/],
  ['a QoS was not available', /"maximumQos":[01]/],
  ['a publish had too high a QoS', /ended protocol error 155/],
  ['a publish was to be retained and could not', /ended protocol error 154/],
  ['a shared subscription was not available', /ended protocol error 158/],
  ['a subscription identifier was not available', /ended protocol error 161/],
  ['a wildcard was not available', /ended protocol error 162/],
  ['a filter was not available below version 5', /[34] Suback .*"reasons":\[[^\]]*(158|162)/],
  ['a will had too high a QoS', /ended refused 155/],
  ['a will was to be retained and could not', /ended refused 154/],
]

/** The same for what only the dumb broker can tell. */
const marks: ReadonlyArray<string> = [
  'a message changed hands: ended',
  'a message changed hands: away',
  'a message changed hands: left',
  'nobody could take over: ended',
  'nobody could take over: away',
  'nobody could take over: left',
  'QoS 2 under way stays: ended',
  'QoS 2 under way stays: away',
  'a member was passed over because its packets are too small',
  'a whole group was away',
  'somebody who is there went first',
  'the same member again: sticky',
  'the same member again: hash of topic',
  'there was no alias left',
  'an alias would be too much',
]

const seen = new Set<string>()
let histories = 0

const agree = (arbitrary: fc.Arbitrary<History>, byDefault: number): void => {
  let steps = 0
  fc.assert(
    // A shell that wakes up late finds several things due at once, in an order that is nobody's
    // law.
    fc.property(arbitrary.map(punctual).map(wordless), (some) => {
      const played = compare(some, (_command, said) => {
        for (const one of said) {
          for (const [what, sign] of sometimes) {
            if (!seen.has(what) && sign.test(one)) seen.add(what)
          }
        }
      })
      for (const mark of played.model.marks) seen.add(mark)
      histories++
      steps += played.inputs
    }),
    { numRuns: runs(byDefault) },
  )
  console.log(`${steps} inputs`)
}

model('a broker says what the dumb broker says', () => agree(history(150), 3_000))

model('so it does where all clients are members of a few shared groups', () => {
  agree(groupHistory(80), 1_000)
})

model('all that is worth seeing has been seen', () => {
  // A shorter search, as when a failure is repeated, need not see everything.
  if (histories < 4_000) return
  for (const what of [...sometimes.map(([one]) => one), ...marks]) {
    assert.ok(seen.has(what), `it never happened that ${what}`)
  }
})

model.run()
