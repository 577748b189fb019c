// `npm run kill`: 50 kills on each runtime, KILLS says how many.

import { runtimes } from './broker.ts'
import { killAll } from './rounds.ts'

const kills = Number(process.env['KILLS'] ?? 50)

for (const kind of runtimes) {
  const sum = await killAll(kind, kills, (line) => console.log(line))
  console.log(
    `${kind}: ${sum.kills} kills, ${sum.inFlush} of them in a flush; ${sum.acknowledged} of ` +
      `${sum.sent} messages had been acknowledged, and none of them is missing or came twice.`,
  )
}
