// Everybody who gets a topic: one search of the tree of subscriptions, made flat, is what the
// subscriptions come to one by one; and what is kept between two searches leaves nothing behind.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as I from '../core/broker/input.ts'
import { match as search } from '../core/broker/match.ts'
import type { Qos } from '../core/codec/packet.ts'
import { defaults, initial, Packet, run, type State } from '../core/mod.ts'
import { match } from '../core/topic/match.ts'
import type { TopicFilter } from '../core/topic/filter.ts'
import { isShortRun, runs } from './gen/settings.ts'
import { filter, filters, matchingPairs, name } from './gen/topics.ts'

const matched = suite('matched')

interface Wish {
  readonly session: number
  readonly filter: TopicFilter
  readonly qos: Qos
  readonly group: string | null
}

/** The subscriptions of a broker that was asked for these, whoever they are of. */
const stateOf = (wishes: ReadonlyArray<Wish>): State => {
  const inputs: Array<I.Input> = []
  const conns = new Map<number, I.Conn>()
  wishes.forEach(({ session, filter, qos, group }, i) => {
    let conn = conns.get(session)
    if (conn === undefined) {
      conn = { slot: session, generation: 1 }
      conns.set(session, conn)
      const peer = { address: '127.0.0.1', port: session }
      inputs.push(I.opened(conn, 0, `N${session}`, '1883', peer))
      inputs.push(I.arrived(conn, 0, Packet.connect({ clientId: `c${session}` })))
    }
    const whole = group === null ? filter : `$share/${group}/${filter}`
    inputs.push(I.arrived(conn, 0, Packet.subscribe({ filter: whole, qos }, i + 1)))
  })
  const [state] = run(initial(defaults, { at: 0, wall: 0, seed: 5 }), inputs)
  return state
}

const wish = fc.record({
  session: fc.nat(7),
  filter: fc.oneof(filters, matchingPairs.map(({ filter }) => filter)),
  qos: fc.constantFrom<Qos>(0, 1, 2),
  group: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, fc.constantFrom('g', 'h')),
})

/** `session filter qos`, in order. */
const words = (
  some: ReadonlyArray<{ session: number; filter: string; qos: number }>,
): ReadonlyArray<string> => some.map((one) => `${one.session} ${one.filter} ${one.qos}`).sort()

matched('the list of a group is made once, until its members are others', () => {
  const group = (session: number): Wish => ({ session, filter: at, qos: 0, group: 'g' })
  const at = filter('a/b')
  const listIn = (held: State) => search(name('a/b'), held.filters).groups[0]!
  const before = stateOf([group(0), group(1)])
  const beside = Packet.subscribe('c')
  const other = run(before, [I.arrived({ slot: 0, generation: 1 }, 0, beside)])[0]
  assert.is(listIn(other), listIn(before))
  const more =
    run(before, [I.arrived({ slot: 0, generation: 1 }, 0, Packet.subscribe('$share/g/a/b'))])[0]
  assert.is.not(listIn(more), listIn(before))
  assert.equal(listIn(more).members.map(({ session }) => session), [0, 1])
})

matched('a search comes to what the subscriptions come to one by one', () => {
  let [apart, together, shared] = [0, 0, 0]
  fc.assert(
    fc.property(
      fc.array(wish, { maxLength: 30, size: 'max' }),
      fc.array(matchingPairs, { minLength: 1, maxLength: 6 }),
      (some, pairs) => {
        // Of each name somebody has the filter, and somebody all that there is.
        const wishes: ReadonlyArray<Wish> = [
          ...some,
          ...pairs.map(({ filter }, i): Wish => ({ session: i, filter, qos: 1, group: null })),
        ]
        const held = stateOf(wishes).filters
        // The last one that a session asked for by a filter is the one that it has.
        const latest = new Map<string, Wish>()
        for (const one of wishes) latest.set(`${one.session} ${one.group} ${one.filter}`, one)
        // Sessions are numbered as they come.
        const order = [...new Set(wishes.map(({ session }) => session))]
        for (const { name } of pairs) {
          const wanted = [...latest.values()]
            .filter(({ filter }) => match(filter, name))
            .map((one) => ({ ...one, session: order.indexOf(one.session) }))
          const direct = wanted.filter(({ group }) => group === null)
          const found = search(name, held)
          const { subscriptions, overlapping, merged, groups } = found
          assert.equal(words([...subscriptions, ...overlapping]), words(direct))
          const sessions = subscriptions.map(({ session }) => session)
          assert.equal([...new Set(sessions)], sessions, 'each session stands there once')
          assert.equal(merged.map(({ session }) => session), sessions)
          for (const { session, qos } of merged) {
            const own = direct.filter((one) => one.session === session)
            assert.is(qos, Math.max(...own.map((one) => one.qos)))
          }
          const members = groups.flatMap((group) => group.members)
          const inGroups = wanted
            .filter(({ group }) => group !== null)
            .map((one) => ({ ...one, filter: `$share/${one.group}/${one.filter}` }))
          assert.equal(words(members), words(inGroups))
          assert.equal(search(name, held), found, 'and the same once more')
          if (overlapping.length > 0) together += 1
          else if (subscriptions.length > 1) apart += 1
          if (groups.length > 0) shared += 1
        }
      },
    ),
    { numRuns: runs(300) },
  )
  if (isShortRun(300)) return
  assert.ok(apart > 20 && together > 20 && shared > 20, `${apart} ${together} ${shared}`)
})

matched.run()
