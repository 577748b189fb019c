// The property that core and model agree, and what it has seen: shared by the test, which searches
// for as long as one likes to wait, and by `npm run search`, which searches for as long as it is
// told. A path of fast-check's found by one leads the other to the same history.

import fc from 'fast-check'
import { history, punctual } from '../gen/histories.ts'
import { compare } from './compare.ts'
import { marks, newLookout } from './marks.ts'

/** What must have been said somewhere, or the histories have stopped being worth anything. */
const signs: ReadonlyArray<readonly [what: string, sign: RegExp]> = [
  ['a session was resumed', /Connack .*"sessionPresent":true/],
  ['a message was sent again', /Publish \{"dup":true/],
  ['a QoS 2 exchange was completed', /Pubcomp .*"reason":0/],
  ['an unknown PUBREL was answered', /Pubcomp .*"reason":146/],
  ['a retained message was sent', /Publish .*"retain":true/],
  ['a will was published', /note will/],
  ['a client was taken over', /ended session taken over 142/],
  ['a keep alive ran out', /ended exceeded timeout 141/],
  ['a message expired', /dropped .* expired/],
  ['a message was too large', /dropped .* too large/],
  ['a socket took nothing', /dropped .* back-pressure/],
  ['a stalled client was closed', /ended stalled/],
  ['a session expired', /session .* expired/],
  ['a publisher overran the window', /ended protocol error 147/],
  ['nobody matched', /Puback .*"reason":16/],
  ['a message carried a subscription identifier', /"subscriptionIdentifiers":\[268435455\]/],
  ['an expiry was counted down', /"messageExpiryInterval":(4|59)/],
  ['a client was judged', / <- judge/],
  ['the store of retained messages was full', /retained store full/],
  ['an echo was recognised', /stale (Written|Judged|Arrived|Broke|Closed)/],
  ['a client identifier was invented', /"assignedClientIdentifier":"auto-/],
]

/** A search of so many inputs has to have seen everything; a shorter one need not. */
export const stepsOfAll = 100_000

export interface Tally {
  histories: number
  /** Inputs given to both brokers. */
  steps: number
  /** In how many histories something was seen. */
  readonly seen: Map<string, number>
}

export const newTally = (): Tally => ({
  histories: 0,
  steps: 0,
  seen: new Map([...signs.map(([what]) => what), ...marks].map((what) => [what, 0])),
})

export const unseen = ({ seen }: Tally): ReadonlyArray<string> =>
  [...seen].filter(([, count]) => count === 0).map(([what]) => what)

/** Both brokers say the same, all through a history; what happens is added to the tally. */
export const agreement = (tally: Tally): fc.IProperty<[unknown]> =>
  // A shell that wakes up late finds several things due at once, in an order that is nobody's law.
  fc.property(history(150).map(punctual), (some) => {
    const seen = new Set<string>()
    const { inputs } = compare(
      some,
      (_command, said) => {
        for (const [what, sign] of signs) {
          if (!seen.has(what) && said.some((one) => sign.test(one))) seen.add(what)
        }
      },
      newLookout((mark) => seen.add(mark)),
    )
    tally.histories++
    tally.steps += inputs
    for (const what of seen) tally.seen.set(what, tally.seen.get(what)! + 1)
  })
