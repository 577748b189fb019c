// Conversations with mosquitto and Sabethes, as many as you like.
//
//   npm run differential                                 a thousand, with the Node shell
//   COUNT=20000 SEED=1 SUBJECT=deno npm run differential
//   npm run differential -- 'max_inflight_messages 1'    both configured with these lines, too
//
// Status 1 if they differed where nothing in differences.ts says why, with the command that repeats
// it; or if a difference that is listed was never met in ten thousand conversations.

import { seed } from '../gen/settings.ts'
import { applies, differences, silences } from './differences.ts'
import { converse, isMosquittoThere } from './run.ts'

/** So many conversations have to meet everything that is listed. */
const countOfAll = 10_000

const main = async (): Promise<number> => {
  const count = Number(process.env['COUNT'] ?? 1_000)
  const subject = process.env['SUBJECT'] ?? 'node'
  if (!Number.isInteger(count) || (subject !== 'node' && subject !== 'deno')) {
    console.error('COUNT is a whole number, and SUBJECT is node or deno')
    return 2
  }
  if (!isMosquittoThere()) {
    console.error('mosquitto is missing (apt install mosquitto)')
    return 2
  }
  const configuration = process.argv.slice(2)
  const report = await converse(seed, count, subject, configuration, (talks) => {
    if (talks % 500 === 0) console.log(`${talks} of ${count}`)
  })
  const { talks, whole, steps, lines, met, found } = report
  if (found !== null) {
    console.log(found)
    return 1
  }
  const names = [...silences, ...differences]
    .filter((one) => applies(one, configuration))
    .map(({ name }) => name)
  for (const name of names) console.log(`${String(met.get(name) ?? 0).padStart(9)} x  ${name}`)
  console.log(
    `${talks} conversations, ${whole} of them to their end, ${steps} steps, ${lines} packets: ` +
      'nothing that is not in the list',
  )
  const unmet = names.filter((name) => !met.has(name))
  if (talks < countOfAll || unmet.length === 0) return 0
  console.log(`Listed and never met:\n  ${unmet.join('\n  ')}`)
  return 1
}

process.exitCode = await main()
