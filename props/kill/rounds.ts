// Kills one broker after the other, on the same store, at moments that nobody chose; half of them
// within a flush.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kind } from './broker.ts'
import { playRound } from './round.ts'

export interface Sum {
  readonly kills: number
  readonly inFlush: number
  readonly acknowledged: number
  readonly sent: number
}

/** `tell` hears of each kill; throws at the first complaint, and says which store shows it. */
export const killAll = async (
  kind: Kind,
  kills: number,
  tell: (line: string) => void,
): Promise<Sum> => {
  const folder = mkdtempSync(join(tmpdir(), `sabethes-kill-${kind}-`))
  let inFlush = 0
  let acknowledged = 0
  let sent = 0
  for (let round = 1; round <= kills; round++) {
    const afterMs = Math.floor(Math.random() * 250)
    const wantsFlush = round % 4 !== 0
    const result = await playRound(kind, folder, round, afterMs, wantsFlush)
    if (result.inFlush === true) inFlush += 1
    acknowledged += result.acknowledged
    sent += result.sent
    tell(
      `${kind} ${round}: killed after ${afterMs} ms${
        result.inFlush === true ? ' in a flush' : ''
      }, ` +
        `${result.acknowledged} of ${result.sent} acknowledged`,
    )
    if (result.complaints.length === 0) continue
    const some = result.complaints.slice(0, 20).join('\n  ')
    throw new Error(
      `${kind}, kill ${round} after ${afterMs} ms, ${result.complaints.length} complaints:\n  ` +
        `${some}\nThe store is ${folder}. Repeat with: KILLS=${kills} npm run kill`,
    )
  }
  rmSync(folder, { recursive: true, force: true })
  return { kills, inFlush, acknowledged, sent }
}
