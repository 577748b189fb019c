// The search of model.test.ts, for as long as you like: core and model get the same random
// histories until they differ or until the number of inputs that was asked for is reached.
//
//   npm run search                             a million inputs
//   STEPS=100000000 SEED=7 npm run search      a hundred million, the same ones every time
//
// Status 1 if they differed, with the command that repeats it, or if something never happened that
// has to happen in a search of this length.

import { seed } from './gen/settings.ts'
import { newTally, search, stepsOfAll, unseen } from './model/agreement.ts'

const historiesPerRound = 200
const reportEveryMs = 5_000

const stepsAsked = (): number => {
  const text = process.env['STEPS'] ?? '1000000'
  const steps = Number(text)
  if (Number.isInteger(steps) && steps > 0) return steps
  console.error(`STEPS=${text} is not a whole number`)
  process.exit(2)
}

const main = (): number => {
  const steps = stepsAsked()
  const tally = newTally()
  const startedAt = performance.now()
  let reportedAt = startedAt
  for (let round = 0; tally.steps < steps; round++) {
    const fault = search(tally, seed + round, historiesPerRound)
    if (fault !== null) {
      console.log(fault)
      return 1
    }
    const now = performance.now()
    if (now - reportedAt < reportEveryMs) continue
    reportedAt = now
    const perS = Math.round(tally.steps / (now - startedAt) * 1_000)
    console.log(`${tally.steps} of ${steps} inputs, ${perS} a second, round ${round + 1}`)
  }
  for (const [what, count] of tally.seen) console.log(`${String(count).padStart(9)} x  ${what}`)
  console.log(`${tally.steps} inputs in ${tally.histories} histories: core and model agree`)
  if (steps < stepsOfAll || unseen(tally).length === 0) return 0
  console.log(`This never happened:\n  ${unseen(tally).join('\n  ')}`)
  return 1
}

process.exitCode = main()
