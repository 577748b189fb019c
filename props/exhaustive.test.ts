// Every history of two clients, where that can be had: a publisher and a subscriber, two packet
// identifiers, one topic, and the loss of a connection, with any part of what is under way on it,
// at any point. Whatever order things happen in, QoS 2 arrives exactly once and QoS 1 at least
// once, in order; no identifier is used twice at once and no quota is lost; what is sent again says
// so, and nothing else does; and sessions are present when they are. props/exhaustive/README.md
// says what is enumerated and how. The mutants are run by Node.

import * as esbuild from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Effect } from '../core/broker/effect.ts'
import { digest } from './exhaustive/digest.ts'
import { findingOf, timesIn } from './exhaustive/mutate.ts'
import { mutants } from './exhaustive/mutants.ts'
import type { Outcome } from './exhaustive/search.ts'
import { search, told } from './exhaustive/search.ts'
import type { Setting } from './exhaustive/setting.ts'
import { further, setting, twos } from './exhaustive/setting.ts'
import type { Event } from './exhaustive/text.ts'
import { text } from './exhaustive/text.ts'
import type { Watched } from './exhaustive/watch.ts'
import { inputsOf, take } from './exhaustive/watch.ts'

const onDeno = 'Deno' in globalThis

const exhaustive = suite('exhaustive')

/** What must have happened somewhere, or the histories are not what they are said to be. */
const sometimes: ReadonlyArray<readonly [what: string, sign: RegExp]> = [
  ['a message was sent again at QoS 1', /^PUBLISH \d . QoS 1 dup/],
  ['a message was sent again at QoS 2', /^PUBLISH \d . QoS 2 dup/],
  ['a session was resumed', /^CONNACK present/],
  ['a message was released that was not there any more', /^PUBCOMP \d 0x92/],
  ['a connection was taken over', /^p1 is taken over/],
  ['an identifier was used again', /^PUBLISH 1 b/],
]
const deeply: ReadonlyArray<readonly [what: string, sign: RegExp]> = [
  ['a message waited for room to be sent again', /, waiting [1-9]/],
  ['messages were queued', /, queue open/],
  ['a message was held for its release', /, incoming 2/],
]

const signsOf = ({ tables }: Outcome): ReadonlyArray<string> => [
  ...tables.packets.values.map(text),
  ...[...tables.takenOver].map((conn) => `${conn} is taken over`),
]

const seen = new Set<string>()
let nodes = 0
let edges = 0

const explore = (settings: ReadonlyArray<Setting>): void => {
  for (const one of settings) {
    const outcome = search(one)
    console.log(
      `${one.name}: ${outcome.nodes} states, ${outcome.edges} edges, ${outcome.ends} ends, ` +
        `${outcome.brokers} states and ${outcome.steps} steps of the broker`,
    )
    if (outcome.finding !== null) throw new Error(`${one.name}\n${told(outcome.finding)}`)
    nodes += outcome.nodes
    edges += outcome.edges
    const signs = signsOf(outcome)
    for (const [what, sign] of sometimes) {
      if (signs.some((each) => sign.test(each))) seen.add(what)
    }
    for (const [what, sign] of deeply) {
      if (outcome.tables.brokers.values.some(({ state }) => sign.test(digest(state)))) {
        seen.add(what)
      }
    }
  }
  console.log(`${nodes} states and ${edges} edges in all`)
}

exhaustive('whatever is lost, two messages arrive as promised', () => {
  explore(twos)
})

exhaustive('whatever is lost, so do three, after two losses, and between mixed levels', () => {
  explore(further)
  for (const [what] of [...sometimes, ...deeply]) {
    assert.ok(seen.has(what), `it never happened that ${what}`)
  }
})

const shown = (effect: Effect): string =>
  effect._tag === 'Send'
    ? `${effect.conn.slot} ${effect.level} ${text(effect.packet)} ${
      JSON.stringify('properties' in effect.packet ? effect.packet.properties : null)
    }`
    : JSON.stringify(effect)

/** What a state answers to an event, and what it is then. */
const answer = ({ state }: Watched, event: Event): string => {
  try {
    const [after, effects] = take(state, inputsOf(event))
    return [...effects.map(shown), digest(after)].join('\n')
  } catch (error) {
    return `throws ${error}`
  }
}

exhaustive('states with one digest answer every input with the same', () => {
  let compared = 0
  for (const one of [setting([2, 1]), setting([2, 2], { subscriberReceiveMaximums: [2, 1, 2] })]) {
    const { tables } = search(one)
    const every = Math.ceil(tables.twins.length / 300)
    const sample = tables.twins.filter((_, index) => index % every === 0)
    for (const { one: some, other } of sample) {
      for (const event of tables.events.values) {
        assert.is(answer(other, event), answer(some, event))
        compared++
      }
    }
  }
  console.log(`${compared} answers compared`)
  assert.ok(compared > 1_000, 'hardly anything was compared')
})

exhaustive('the lines that the mutants change stand in the sources, once each', () => {
  for (const mutant of mutants) {
    assert.is(timesIn(mutant), 1, `${mutant.file} has no such line any more: ${mutant.search}`)
  }
  assert.ok(mutants.length >= 10)
})

if (!onDeno) {
  exhaustive(
    'every mutant is found, and the machine as it is has nothing to be found',
    async () => {
      assert.is(await findingOf(null), null)
      for (const mutant of mutants) {
        assert.ok(await findingOf(mutant) !== null, `nobody notices that ${mutant.what}`)
      }
      await esbuild.stop()
    },
  )
}

exhaustive.run()
