// The broker agrees with a dumb one (props/model) on random histories, time included: every client
// gets the same packets in the same order, every connection ends at the same moment with the same
// reason, every message that is dropped is dropped for the same reason. Limits are tiny, so that
// windows fill, queues overflow and identifiers wrap in every run. `npm run search` goes on with
// it.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runs, seed } from './gen/settings.ts'
import { agreement, newTally, search, stepsOfAll, unseen } from './model/agreement.ts'

const model = suite('model')

const histories = 4_000

/** What is rare is looked for in so many portions more, so that nothing is missed by chance. */
const portionsMax = 24
const historiesPerPortion = 1_000

model('a broker says what the dumb broker says', () => {
  const tally = newTally()
  fc.assert(agreement(tally), { numRuns: runs(histories) })
  console.log(`${tally.steps} inputs`)
  // A shorter run, as when a failure is repeated, need not see everything.
  if (tally.histories < histories) return
  assert.ok(tally.steps >= stepsOfAll, `only ${tally.steps} inputs`)
  for (let round = 1; round <= portionsMax && unseen(tally).length > 0; round++) {
    console.log(`not yet seen: ${unseen(tally).join(', ')}`)
    const fault = search(tally, seed + round, historiesPerPortion)
    if (fault !== null) throw new Error(fault)
  }
  assert.equal(unseen(tally), [], 'this never happened')
})

model.run()
