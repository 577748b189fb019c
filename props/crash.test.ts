// runs: node
// An acknowledged message is never lost, wherever the process ends: every script is cut at every
// flush, with and without the batch that was on its way, while the disk is quick and while it is
// slow, and once more while everybody comes back. Judged by what the clients saw, and by nothing
// else.
//
//   SCRIPT='a clean start' npx tsx props/crash.test.ts       scripts with this in their name
//   SCRIPT=... CUT='slow 2 lost' npx tsx props/crash.test.ts  one crash point, and all packets

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { complaintsOf } from './crash/check.ts'
import { type Cut, run, type Script } from './crash/play.ts'
import { scripts } from './crash/scripts.ts'
import { storyOf } from './crash/story.ts'
import type { Crash, Policy } from './crash/world.ts'

const crash = suite('crash')

const policies: ReadonlyArray<Policy> = [
  { name: 'prompt', steps: 0 },
  { name: 'slow', steps: 1 },
  { name: 'slower', steps: 3 },
]

const wantedScript = process.env['SCRIPT'] ?? ''
const wantedCut = process.env['CUT'] ?? ''

const crashText = (one: Crash | null): string =>
  one === null ? '' : ` ${one.flush} ${one.isKept ? 'kept' : 'lost'}`

const cutText = ({ policy, crash: first, again }: Cut): string =>
  `${policy.name}${crashText(first)}${again === null ? '' : `, again${crashText(again)}`}`

const both = (flush: number): ReadonlyArray<Crash> => [
  { flush, isKept: false },
  { flush, isKept: true },
]

/** Plays one cut; answers how many flushes there were, before and after the crash. */
const visit = async (script: Script, cut: Cut): Promise<readonly [number, number]> => {
  const name = cutText(cut)
  if (wantedCut !== '' && wantedCut !== name && cut.crash !== null) return [0, 0]
  const fail = (complaints: ReadonlyArray<string>, story: string): never => {
    throw new Error(
      `${script.name}, ${name}:\n  ${complaints.join('\n  ')}\n\nRepeat with:\n` +
        `  SCRIPT='${script.name}' CUT='${name}' npx tsx props/crash.test.ts\n${story}`,
    )
  }
  let played
  try {
    played = await run(script, cut)
  } catch (error) {
    return fail([error instanceof Error ? error.stack ?? error.message : String(error)], '')
  }
  const complaints = [...complaintsOf(played.seen), ...played.unanswered]
  if (wantedCut === name) console.log(storyOf(played.seen))
  if (complaints.length > 0) fail(complaints, wantedCut === name ? '' : storyOf(played.seen))
  return [played.flushes, played.flushesAfter]
}

const points = { scripts: 0, cuts: 0, again: 0 }

const cutEverywhere = async (script: Script): Promise<void> => {
  points.scripts += 1
  for (const policy of policies) {
    const [flushes] = await visit(script, { policy, crash: null, again: null })
    points.cuts += 1
    // One more than ended by itself may be on its way at the end of the script.
    for (let flush = 1; flush <= flushes; flush++) {
      for (const first of both(flush)) {
        const [, after] = await visit(script, { policy, crash: first, again: null })
        points.cuts += 1
        const last = policy.steps === 0 ? after : Math.min(after, 1)
        for (let second = 1; second <= last; second++) {
          for (const again of both(second)) {
            await visit(script, { policy, crash: first, again })
            points.again += 1
          }
        }
      }
    }
  }
}

for (const script of scripts) {
  if (script.name.includes(wantedScript)) crash(script.name, () => cutEverywhere(script))
}

crash('enough crash points were visited', () => {
  const { cuts, again } = points
  console.log(`${points.scripts} scripts, ${cuts} crash points, ${again} more while recovering`)
  if (wantedScript !== '' || wantedCut !== '') return
  assert.ok(points.scripts >= 50, `${points.scripts} scripts`)
  assert.ok(cuts >= 2_000, `${cuts} crash points`)
  assert.ok(again >= 5_000, `${again} crash points while recovering`)
})

crash.run()
