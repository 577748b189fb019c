// Shows what the exhaustive search finds in each of the broken machines.
//
//   npm run mutants:exhaustive             the law that each breaks
//   npm run mutants:exhaustive -- quota    those whose description has the word, with the history

import * as esbuild from 'esbuild'
import { mutants } from './mutants.ts'
import { findingOf, timesIn } from './mutate.ts'

const words = process.argv.slice(2)
let survivors = 0
const sound = await findingOf(null)
if (sound !== null) {
  console.log(`the machine as it is breaks a law:\n${sound}`)
  survivors++
}
for (const mutant of mutants) {
  if (words.length > 0 && !words.some((word) => mutant.what.includes(word))) continue
  const isThere = timesIn(mutant) === 1
  const finding = isThere ? await findingOf(mutant) : null
  if (finding === null) survivors++
  const lines = finding?.split('\n') ?? []
  const says = !isThere
    ? `NOT IN ${mutant.file}`
    : finding === null
    ? 'NOT FOUND'
    : words.length > 0
    ? `\n${lines.map((line) => `    ${line}`).join('\n')}`
    : `${lines.at(-1)} after ${lines.length - 2} moves`
  console.log(`${mutant.what}: ${says}`)
}
await esbuild.stop()
console.log(survivors === 0 ? 'every mutant was found' : `${survivors} went wrong`)
process.exitCode = survivors === 0 ? 0 : 1
