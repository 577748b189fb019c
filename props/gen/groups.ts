// Histories of shared groups: everybody is a member, windows and queues are small, acknowledgements
// are scarce, and members leave in every way that there is. Other histories have all of this too,
// but seldom at once.

import fc from 'fast-check'
import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import { arms, type Command, type History } from './histories.ts'

/** Group `g` on `t`, or now and then group `h` on `t/+`. */
const group = fc.constantFrom(0, 0, 0, 2)

const subscribe: fc.Arbitrary<Command> = fc.tuple(arms.Subscribe, group).map(([one, filter]) => ({
  ...one,
  requests: one.requests.slice(0, 1).map((request) => ({ ...request, filter, shared: true })),
}))

const publish: fc.Arbitrary<Command> = fc.tuple(arms.Publish, fc.constantFrom(0, 0, 0, 1))
  .map(([one, topic]) => ({
    ...one,
    topic,
    retain: false,
    bytes: one.bytes > 100 ? 60 : one.bytes,
  }))

/** By the index of what the client once subscribed to: see the world. */
const unsubscribe: fc.Arbitrary<Command> = fc.record({
  _tag: fc.constant('Unsubscribe'),
  client: fc.nat({ max: 4 }),
  filters: fc.constantFrom([1], [2], [3]),
})

const command: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: publish, weight: 40 },
  { arbitrary: arms.Answer, weight: 12 },
  { arbitrary: arms.Release, weight: 6 },
  { arbitrary: subscribe, weight: 10 },
  { arbitrary: arms.Connect, weight: 10 },
  { arbitrary: unsubscribe, weight: 5 },
  { arbitrary: arms.Disconnect, weight: 3 },
  { arbitrary: arms.Lose, weight: 4 },
  { arbitrary: arms.Pass, weight: 3 },
  { arbitrary: arms.Stall, weight: 1 },
  { arbitrary: arms.Kick, weight: 1 },
)

const config: fc.Arbitrary<Config> = fc.record({
  inflightCountMax: fc.constantFrom(1, 2, 3),
  queuedCountMax: fc.constantFrom(0, 2, 5),
  unwrittenBytesMax: fc.constantFrom(1_048_576, 100),
  allowDuplicateMessages: fc.boolean(),
  sharedOrder: fc.constantFrom<Config['sharedOrder']>(
    'round robin',
    'prefer online',
    'sticky',
    'hash of topic',
  ),
  sharedOffline: fc.constantFrom<Config['sharedOffline']>('queue', 'drop'),
}).map((some) => ({ ...defaults, ...some }))

export const groupHistory = (commandsMax: number): fc.Arbitrary<History> =>
  fc.record({
    config,
    commands: fc.tuple(
      fc.array(fc.oneof(arms.Connect, subscribe), { maxLength: 16, size: 'max' }),
      fc.array(command, { maxLength: commandsMax, size: 'max' }),
      fc.option(arms.Stop, { freq: 4 }).map((stop) => stop === null ? [] : [stop]),
    ).map(([before, middle, after]) => [...before, ...middle, ...after]),
  })
