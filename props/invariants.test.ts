// After every input of a random history the state agrees with itself, and nothing was ever sent
// that may not be sent. When everybody has gone, nothing is left.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Effect } from '../core/broker/effect.ts'
import type { Conn, Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import { legality, verdictOn } from '../core/broker/phase.ts'
import type { Packet } from '../core/codec/packet.ts'
import { none } from '../core/codec/properties.ts'
import * as B from '../core/data/bytes.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as Window from '../core/data/window.ts'
import { deadline, defaults, initial, NEVER, run, type State, step } from '../core/mod.ts'
import { groupHistory } from './gen/groups.ts'
import {
  filter,
  history,
  name,
  restlessHistory,
  taciturn,
  utf8,
  wholeFilters,
  wholeNames,
} from './gen/histories.ts'
import { runs } from './gen/settings.ts'
import { checkCited } from './model/cited.ts'
import {
  check,
  checkEmpty,
  checkSent,
  checkShort,
  checkTimers,
  newWatch,
  watch,
} from './model/invariants.ts'
import { play } from './model/play.ts'

const invariants = suite('invariants')

const begin = (config = defaults): State => initial(config, { at: 0, wall: 0, seed: 1 })

const vocabulary = { names: wholeNames, filters: wholeFilters }

const some150 = fc.oneof(
  { arbitrary: history(150), weight: 4 },
  { arbitrary: groupHistory(100), weight: 1 },
)

const some120 = fc.oneof(restlessHistory(120), groupHistory(120))

invariants('whoever asks what a packet may do is told what the table says', () => {
  for (const phase of ['Greeting', 'Judging', 'Authenticating', 'Ready'] as const) {
    for (const [tag, verdict] of Object.entries(legality[phase])) {
      assert.is(verdictOn(phase, tag as Packet['_tag']), verdict, `${phase} ${tag}`)
    }
  }
})

invariants('hold after every input of a history, and for everything that was sent', () => {
  fc.assert(
    fc.property(some150, (some) => {
      const all = newWatch()
      play(some, {
        afterInput: (before, input, after, effects) => {
          watch(all, before, input, after, effects)
          checkCited(before, effects)
          check(after, vocabulary)
          checkSent(all, after)
          checkShort(before, after)
        },
        afterCommand: (state) => {
          assert.ok(deadline(state) > state.now, `something is still due at ${deadline(state)}`)
        },
      })
    }),
    { numRuns: runs(1500) },
  )
})

invariants('hold however late the broker is told the time', () => {
  fc.assert(
    fc.property(some150, fc.array(fc.nat(8), { minLength: 1, maxLength: 8 }), (some, spells) => {
      // By turns so many commands without a tick and as many with all of them.
      const isTimeless = spells.flatMap((count) => [
        ...new Array<boolean>(count).fill(true),
        ...new Array<boolean>(count).fill(false),
      ])
      const all = newWatch()
      play(some, {
        isTimeless: (place) => isTimeless[place % isTimeless.length] ?? false,
        afterInput: (before, input, after, effects) => {
          watch(all, before, input, after, effects)
          check(after, vocabulary)
          checkSent(all, after)
          checkShort(before, after)
        },
      })
    }),
    { numRuns: runs(500) },
  )
})

const peer = { address: '192.0.2.1', port: 1 }

const opened = (conn: Conn, at: number): Input =>
  I.opened(conn, at, '00000000-0000-4000-8000-000000000000', '1883', peer)

const connect = (clientId: string, cleanStart: boolean): Packet => ({
  _tag: 'Connect',
  level: 5,
  bridge: false,
  cleanStart,
  keepAliveS: 0,
  clientId,
  will: null,
  userName: null,
  password: null,
  properties: cleanStart ? none : { sessionExpiryInterval: 5 },
})

/** Ends everything there is in a state, by what clients and time may do. */
const endAll = (state: State): State => {
  const eased = { config: defaults, stopping: false, isShort: false }
  let current = { ...state, ...eased }
  const feed = (input: Input): void => {
    current = { ...step(current, input)[0], ...eased }
  }
  // Who is short of memory turns away also those who come to clean up.
  feed(I.memoryFree(current.now))
  for (const [, link] of [...IntMap.entries(current.links)]) {
    feed(I.closed(link.conn, current.now, 'closed'))
  }
  let generation = 1_000_000
  for (const [, session] of [...IntMap.entries(current.sessions)]) {
    // Coming back for a clean start ends what would last for ever.
    const conn = { slot: 1_000, generation: generation++ }
    feed(opened(conn, current.now))
    feed(I.arrived(conn, current.now, connect(session.clientId, true)))
    feed(I.closed(conn, current.now, 'closed'))
  }
  const cleaner = { slot: 1_000, generation }
  feed(opened(cleaner, current.now))
  feed(I.arrived(cleaner, current.now, connect('cleaner', true)))
  for (const topic of wholeNames) {
    feed(I.arrived(cleaner, current.now, {
      _tag: 'Publish',
      dup: false,
      qos: 0,
      retain: true,
      topic,
      packetId: 0,
      payload: B.empty,
      properties: none,
    }))
  }
  feed(I.closed(cleaner, current.now, 'closed'))
  // Leftovers of timers go when they come due.
  for (let i = 0; deadline(current) !== NEVER; i++) {
    assert.ok(i < 10_000, 'the timers never end')
    feed(I.ticked(Math.max(current.now, deadline(current)), 0))
  }
  return current
}

invariants('leave nothing behind when every session has ended and nothing is retained', () => {
  fc.assert(
    fc.property(some120.map(taciturn), fc.boolean(), ({ commands, config }, persistence) => {
      const some = { commands, config: { ...config, persistence } }
      checkEmpty(endAll(play(some)), endAll(begin(some.config)))
    }),
    { numRuns: runs(300) },
  )
})

invariants('timers stay in proportion, however often what they wait for is replaced', () => {
  const conn = { slot: 0, generation: 1 }
  const config = { ...defaults, connectionRatePerAddress: 0 }
  let state = run(begin(config), [opened(conn, 0), I.arrived(conn, 0, connect('a', true))])[0]
  for (let i = 1; i <= 5_000; i++) {
    const came = { slot: 1, generation: i + 1 }
    state = run(state, [
      I.arrived(conn, i, {
        _tag: 'Publish',
        dup: false,
        qos: 0,
        retain: true,
        topic: name('t'),
        packetId: 0,
        payload: utf8('x'),
        properties: { messageExpiryInterval: 100_000 + i },
      }),
      opened(came, i),
      I.arrived(came, i, connect('b', false)),
      I.closed(came, i, 'failed'),
    ])[0]
    checkTimers(state)
  }
})

invariants('packet identifiers are never 0, never in use twice and come round after 65535', () => {
  const publisher = { slot: 0, generation: 1 }
  const subscriber = { slot: 1, generation: 2 }
  let state = run(begin(), [
    opened(publisher, 0),
    I.arrived(publisher, 0, connect('p', true)),
    opened(subscriber, 0),
    I.arrived(subscriber, 0, connect('s', true)),
    I.arrived(subscriber, 0, {
      _tag: 'Subscribe',
      packetId: 1,
      requests: [{
        filter: filter('t'),
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      }],
      properties: none,
    }),
  ])[0]
  const ids: Array<number> = []
  const feed = (input: Input): void => {
    let effects: ReadonlyArray<Effect>
    ;[state, effects] = step(state, input)
    for (const effect of effects) {
      if (effect._tag === 'Send' && effect.packet._tag === 'Publish') {
        ids.push(effect.packet.packetId)
      }
    }
  }
  const ack = (packetId: number): Input =>
    I.arrived(subscriber, 0, { _tag: 'Puback', packetId, reason: 0, properties: none })
  for (let i = 1; i <= 65_540; i++) {
    feed(I.arrived(publisher, 0, {
      _tag: 'Publish',
      dup: false,
      qos: 1,
      retain: false,
      topic: name('t'),
      packetId: 1,
      payload: B.empty,
      properties: none,
    }))
    // The first three stay in use for ever.
    if (i > 3) feed(ack(ids.at(-1)!))
  }
  assert.equal(ids.slice(0, 4), [1, 2, 3, 4])
  assert.equal(ids.slice(65_533), [65_534, 65_535, 4, 5, 6, 7, 8])
  const [, session] = [...IntMap.entries(state.sessions)].find(([, one]) => one.clientId === 's')!
  assert.equal([...Window.entries(session.window)].map(([id]) => id), [1, 2, 3])
})

invariants.run()
