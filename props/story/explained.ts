// Stories, a question about each, and the whole answer.

import { asked } from './explained-asked.ts'
import type { Explained } from './explained-begin.ts'
import { delivered } from './explained-delivered.ts'
import { ending } from './explained-endings.ts'
import { ends } from './explained-ends.ts'
import { hard } from './explained-hard.ts'
import { missed } from './explained-missed.ts'
import { mountPoints } from './explained-mounted.ts'
import { own } from './explained-own.ts'
import { retained } from './explained-retained.ts'
import { reused } from './explained-reused.ts'
import { rights } from './explained-rights.ts'
import { waiting } from './explained-waiting.ts'

export { endings } from './explained-endings.ts'
export { earlier } from './explained-earlier.ts'

/** The access list of the page. */
export const pageList = `# What the phone may see.
user phone
topic read home/#
topic deny home/safe

user s
topic write #
`

/** What the recording of the page is made of. */
export const pageStory = `
    config queuedCountMax=1

    quiet
    phone> connect user "phone" session-expiry-interval 3600 keep-alive 60
    phone> subscribe id1 'home/#' qos1
    door> connect user "s"
    tick +10s
    door> publish 'home/door' qos1 id1 "open"
    phone> puback id1
    tick +2s
    door> publish 'home/safe' qos1 id2 "open"
    tick +120s
    door> publish 'home/door' qos1 id3 "shut"
    door> publish 'home/lamp' qos1 id4 "on"
    tick +60s
    phone> connect user "phone" session-expiry-interval 3600 keep-alive 60
    phone> puback id2
    tick +10s
    door> pingreq
    ----
`

export const stories: ReadonlyArray<Explained> = [
  ...delivered,
  ...missed,
  ...rights,
  ...ends,
  ...ending,
  ...asked,
  ...hard,
  ...own,
  ...mountPoints,
  ...retained,
  ...reused,
  ...waiting,
]
