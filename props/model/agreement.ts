// The property that core and model agree, and what it has seen: shared by the test, which searches
// for as long as one likes to wait, and by `npm run search`, which searches for as long as it is
// told. A path of fast-check's found by one leads the other to the same history.

import fc from 'fast-check'
import { groupHistory } from '../gen/groups.ts'
import { history, punctual, wordless } from '../gen/histories.ts'
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
  ['a queue was full', /dropped .* queue full/],
  ['a message expired', /dropped .* expired/],
  ['a message was too large', /dropped .* too large/],
  ['a socket took nothing', /dropped .* back-pressure/],
  ['a stalled client was closed', /ended stalled/],
  ['a session expired', /session .* expired/],
  ['a publisher overran the window', /ended protocol error 147/],
  ['memory was short', /note memory short/],
  ['memory was free again', /note memory free/],
  ['there was no memory for another session', /ended memory short 151/],
  ['a message could not wait for want of memory', /dropped "\w+" .* memory short/],
  ['a message could not be kept for want of memory', /dropped for all .* 2 memory short/],
  ['an address connected too often', /ended connecting too often 159/],
  ['nobody matched', /Puback .*"reason":16/],
  ['a message carried a subscription identifier', /"subscriptionIdentifiers":\[268435455\]/],
  ['an expiry was counted down', /"messageExpiryInterval":(4|59)/],
  ['a client was judged', / <- judge/],
  ['the store of retained messages was full', /retained store full/],
  ['a client proved itself', /Connack .*"authenticationMethod":"SCRAM-SHA-256"/],
  ['a client was challenged', /Auth .*"reason":24/],
  ['a client proved itself again', /Auth .*"reason":0/],
  ['a proof was refused', /ended not authorised 135/],
  ['a method was not offered', /ended not authorised 140/],
  ['authentication data was too large', /ended not authorised 151/],
  ['an authentication took too long', /ended exceeded timeout 135/],
  ['AUTH came out of turn', /Connack .*"reason":130/],
  ['a CONNACK was too large', /ended refused 149/],
  ['a client was told where answers go', /"responseInformation":"of\/user\//],
  ['a client was sent elsewhere', /Connack .*"serverReference".*"reason":157/],
  ['a connected client was sent elsewhere', /Disconnect .*"serverReference".*"reason":156/],
  ['a publish was not UTF-8', /dropped .* payload format invalid/],
  ['a will was not UTF-8', /ended refused 153/],
  ['an echo was recognised', /stale (Written|Judged|Answered|Arrived|Broke|Closed)/],
  ['a client identifier was invented', /"assignedClientIdentifier":"auto-/],
  ['an alias was set', /Publish .*"topicAlias":1.*"topic":"t/],
  ['an alias stood for its topic', /Publish .*"topicAlias":1.*"topic":""/],
  ['a third alias was set', /Publish .*"topicAlias":3/],
  ['a message was sent again with its topic', /"dup":true.*"topicAlias":.*"topic":"t/],
  ['a message was sent again under an alias', /"dup":true.*"topicAlias":.*"topic":""/],
  ['an alias stood beside an identifier', /"subscriptionIdentifiers":\[.*"topicAlias":/],
  ['copies were merged', /"subscriptionIdentifiers":\[\d+,/],
  ['a QoS was not available', /"maximumQos":[01]/],
  ['a publish had too high a QoS', /ended protocol error 155/],
  ['a publish was to be retained and could not', /ended protocol error 154/],
  ['a shared subscription was not available', /ended protocol error 158/],
  ['a subscription identifier was not available', /ended protocol error 161/],
  ['a wildcard was not available', /ended protocol error 162/],
  ['a filter was not available below version 5', /[34] Suback .*"reasons":\[[^\]]*(158|162)/],
  ['the broker told of itself', /Publish .*"topic":"\$SYS\/broker\/load/],
  ['somebody asked what it had told', /Publish .*"retain":true,"topic":"\$SYS/],
  ['a will had too high a QoS', /ended refused 155/],
  ['a will was to be retained and could not', /ended refused 154/],
  ['a publish was not allowed', /note denied publish "[cg]/],
  ['a subscription was not allowed', /note denied subscribe/],
  ['a will was not allowed', /note denied will/],
  ['a connected client lost the right to be so', /Disconnect .*"reason":135/],
  ['a subscription was refused below version 5', /[34] Suback .*"reasons":\[[^\]]*135/],
  ['a QoS 1 publish was refused', /Puback .*"reason":135/],
  ['a QoS 2 publish was refused', /Pubrec .*"reason":135/],
  ['a copy was not allowed', /dropped "\w+" .* not allowed/],
]

/** The same for what only the dumb broker can tell. */
const told: ReadonlyArray<string> = [
  'a message changed hands: ended',
  'a message changed hands: away',
  'a message changed hands: left',
  'nobody could take over: ended',
  'nobody could take over: away',
  'nobody could take over: left',
  'QoS 2 under way stays: ended',
  'QoS 2 under way stays: away',
  'a member was passed over because its packets are too small',
  'a whole group was away',
  'a topic was outside the mount point',
  'QoS 0 has waited',
  'enough bytes were in flight',
  'a name was contested',
  'somebody who is there went first',
  'the same member again: sticky',
  'the same member again: hash of topic',
  'there was no alias left',
  'an alias would be too much',
  'a member was passed over because it may not read',
  'a retained message lost its foundation',
  'a right was lost while a message waited',
  'a right was lost before a message was sent again',
  'QoS 2 could not be sent again: not allowed',
  'QoS 2 could not be sent again: too large',
  'a large packet held a Keep Alive',
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
  seen: new Map([...signs.map(([what]) => what), ...told, ...marks].map((what) => [what, 0])),
})

export const unseen = ({ seen }: Tally): ReadonlyArray<string> =>
  [...seen].filter(([, count]) => count === 0).map(([what]) => what)

/** One in four has nothing but members of a few shared groups. */
const anyHistory = fc.oneof(
  { arbitrary: history(150), weight: 3 },
  { arbitrary: groupHistory(80), weight: 1 },
)

/** Both brokers say the same, all through a history; what happens is added to the tally. */
export const agreement = (tally: Tally): fc.IProperty<[unknown]> =>
  // A shell that wakes up late finds several things due at once, in an order that is nobody's law.
  fc.property(anyHistory.map(punctual).map(wordless), (some) => {
    const seen = new Set<string>()
    const { inputs, model } = compare(
      some,
      (_command, said) => {
        for (const [what, sign] of signs) {
          if (!seen.has(what) && said.some((one) => sign.test(one))) seen.add(what)
        }
      },
      newLookout((mark) => seen.add(mark)),
    )
    for (const mark of model.marks) seen.add(mark)
    tally.histories++
    tally.steps += inputs
    for (const what of seen) tally.seen.set(what, (tally.seen.get(what) ?? 0) + 1)
  })

/**
 * A portion of a search: so many histories of a seed of its own, so that none before has to be gone
 * through to repeat it. Answers what is wrong, with the command that repeats it, or null.
 */
export const search = (tally: Tally, seed: number, histories: number): string | null => {
  const details = fc.check(agreement(tally), { seed: seed % 0x7fffffff, numRuns: histories })
  if (!details.failed) return null
  const cause = details.errorInstance
  const variables = `SEED=${details.seed} PATH_=${details.counterexamplePath} PROP=1`
  return `${cause instanceof Error ? cause.message : String(cause)}\n\n` +
    `Repeat with:\n  ${variables} npx tsx props/model.test.ts`
}
