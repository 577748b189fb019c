// The broker agrees with a dumb one (props/model) on random histories, time included: every client
// gets the same packets in the same order, every connection ends at the same moment with the same
// reason, every message that is dropped is dropped for the same reason. Limits are tiny, so that
// windows fill, queues overflow and identifiers wrap in every run. `npm run search` goes on with
// it.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runs } from './gen/settings.ts'
import { agreement, newTally, stepsOfAll, unseen } from './model/agreement.ts'

const model = suite('model')

const histories = 4_000

model('a broker says what the dumb broker says', () => {
  const tally = newTally()
  fc.assert(agreement(tally), { numRuns: runs(histories) })
  console.log(`${tally.steps} inputs`)
  // A shorter run, as when a failure is repeated, need not see everything.
  if (tally.histories < histories) return
  assert.ok(tally.steps >= stepsOfAll, `only ${tally.steps} inputs`)
  assert.equal(unseen(tally), [], 'this never happened')
})

model.run()
