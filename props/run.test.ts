// A batch means the fold of its inputs. However the inputs of a history are cut into batches,
// `run` leads to the states that `step` leads to, sends every connection the same packets in the
// same order and has the same to note in the same order.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Effect, send } from '../core/broker/effect.ts'
import type { Conn, Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { Publish, Subscribe } from '../core/codec/packet.ts'
import { none } from '../core/codec/properties.ts'
import * as B from '../core/data/bytes.ts'
import { deadline, defaults, initial, run, runSome, type State, step } from '../core/mod.ts'
import { filter, history, name, restlessHistory, utf8 } from './gen/histories.ts'
import { isShortRun, runs } from './gen/settings.ts'
import type { Recording } from './model/play.ts'
import { record } from './model/play.ts'
import { difference } from './model/values.ts'

const batch = suite('run')

interface Told {
  readonly conns: Map<string, Array<Effect>>
  readonly notes: Array<Effect>
}

/**
 * Effects by connection, where order counts, with a multicast as what each of its receivers sees.
 */
const told = (effects: ReadonlyArray<Effect>): Told => {
  const all: Told = { conns: new Map(), notes: [] }
  const tell = (conn: Conn, effect: Effect): void => {
    const key = `${conn.slot}.${conn.generation}`
    const list = all.conns.get(key)
    if (list === undefined) all.conns.set(key, [effect])
    else list.push(effect)
  }
  for (const effect of effects) {
    if (effect._tag === 'Note') all.notes.push(effect)
    // That a batch stores the same is a property of its own (persist.test.ts).
    else if (effect._tag === 'Persist') continue
    else if (effect._tag !== 'Multicast') tell(effect.conn, effect)
    else {
      const { level, packet } = effect
      for (const conn of effect.conns) tell(conn, send(conn, level, packet))
    }
  }
  return all
}

const sameEffects = (batched: ReadonlyArray<Effect>, folded: ReadonlyArray<Effect>): void => {
  const one = told(batched)
  const other = told(folded)
  assert.equal([...one.conns.keys()].sort(), [...other.conns.keys()].sort())
  for (const [key, effects] of one.conns) {
    const where = difference(effects, other.conns.get(key))
    assert.is(where, null, `connection ${key}, batch and fold: ${where}`)
  }
  const where = difference(one.notes, other.notes)
  assert.is(where, null, `notes, batch and fold: ${where}`)
}

/** Runs inputs [from, to) at once and holds the outcome against the recording. */
const sameBatch = (
  { inputs, states, effects }: Recording,
  from: number,
  to: number,
  state: State,
): State => {
  const [next, batched] = run(state, inputs.slice(from, to))
  sameEffects(batched, effects.slice(from, to).flat())
  const where = difference(next, states[to])
  assert.is(where, null, `state after ${from} to ${to}, batch and fold: ${where}`)
  return next
}

batch(
  'runSome() takes as much as makes so many effects, and run() of that comes to the same',
  () => {
    fc.assert(
      fc.property(restlessHistory(120), fc.integer({ min: 0, max: 40 }), (some, effectsMax) => {
        const recording = record(some)
        const { inputs, states } = recording
        let state = states[0]!
        for (let from = 0; from < inputs.length;) {
          const [next, effects, taken] = runSome(state, inputs.slice(from), effectsMax)
          assert.ok(taken > 0 && from + taken <= inputs.length)
          const [same, made] = run(state, inputs.slice(from, from + taken))
          assert.is(difference(effects, made), null)
          assert.is(difference(next, same), null)
          const before = run(state, inputs.slice(from, from + taken - 1))[1].length
          assert.ok(taken === 1 || before <= effectsMax, `${before} before the last one`)
          assert.ok(from + taken === inputs.length || effects.length >= effectsMax)
          state = next
          from += taken
        }
      }),
      { numRuns: runs(100) },
    )
  },
)

batch('run() equals folding step(), however the inputs are cut', () => {
  fc.assert(
    fc.property(restlessHistory(120), fc.array(fc.integer({ min: 1, max: 30 })), (some, sizes) => {
      const recording = record(some)
      const { inputs, states } = recording
      sameBatch(recording, 0, inputs.length, states[0]!)
      let state = states[0]!
      let from = 0
      for (let i = 0; from < inputs.length; i++) {
        const to = Math.min(inputs.length, from + (sizes[i % (sizes.length || 1)] ?? 7))
        state = sameBatch(recording, from, to, state)
        from = to
      }
    }),
    { numRuns: runs(600) },
  )
})

batch('run() equals folding step() at every single split of a history', () => {
  fc.assert(
    fc.property(history(40), (some) => {
      const recording = record(some)
      const { inputs, states } = recording
      for (let at = 0; at <= inputs.length; at++) {
        const middle = sameBatch(recording, 0, at, states[0]!)
        sameBatch(recording, at, inputs.length, middle)
      }
    }),
    { numRuns: runs(80) },
  )
})

const opened = (conn: Conn, at: number): Input =>
  I.opened(conn, at, '00000000-0000-4000-8000-000000000000', '1883', {
    address: '127.0.0.1',
    port: 1,
  })

const connected = (conn: Conn, clientId: string): ReadonlyArray<Input> => [
  opened(conn, 0),
  I.arrived(conn, 0, {
    _tag: 'Connect',
    level: 5,
    bridge: false,
    cleanStart: true,
    keepAliveS: 0,
    clientId,
    will: null,
    userName: null,
    password: null,
    properties: none,
  }),
]

const subscribe = (packetId: number, text: string): Subscribe => ({
  _tag: 'Subscribe',
  packetId,
  requests: [{
    filter: filter(text),
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  }],
  properties: none,
})

const publish = (text: string, qos: 0 | 1, packetId: number): Publish => ({
  _tag: 'Publish',
  dup: false,
  qos,
  retain: false,
  topic: name(text),
  packetId,
  payload: utf8(`${text} ${packetId}`),
  properties: none,
})

/** What `step` makes of these inputs. */
const fold = (start: State, inputs: ReadonlyArray<Input>): Recording => {
  const states: Array<State> = [start]
  const effects: Array<ReadonlyArray<Effect>> = []
  for (const input of inputs) {
    const [next, some] = step(states.at(-1)!, input)
    states.push(next)
    effects.push(some)
  }
  return { inputs, states, effects }
}

batch('subscriptions made in the middle of a batch count from there on', () => {
  const a: Conn = { slot: 0, generation: 1 }
  const b: Conn = { slot: 1, generation: 2 }
  // Each publish is matched before and after the filters change, on the same topic, in one batch.
  const inputs: Array<Input> = [...connected(a, 'a'), ...connected(b, 'b')]
  for (let i = 1; i <= 20; i++) {
    inputs.push(I.arrived(a, i, publish('t', i % 2 === 0 ? 0 : 1, i % 2 === 0 ? 0 : i)))
    if (i % 4 === 1) {
      inputs.push(I.arrived(b, i, subscribe(i, ['t', '+', '#', 't/#', 't'][i >> 2]!)))
    }
    if (i % 4 === 3) {
      const { requests: [request] } = subscribe(i, ['t', '+', '#', 't/#', 't'][i >> 2]!)
      inputs.push(I.arrived(b, i, {
        _tag: 'Unsubscribe',
        packetId: i,
        filters: [request!.filter],
        properties: none,
      }))
    }
  }
  const recording = fold(initial(defaults, { at: 0, wall: 0, seed: 1 }), inputs)
  for (let at = 0; at <= inputs.length; at++) {
    sameBatch(recording, at, inputs.length, sameBatch(recording, 0, at, recording.states[0]!))
  }
  const delivered = told(recording.effects.flat()).conns.get('1.2')!.filter((one) =>
    one._tag === 'Send' && one.packet._tag === 'Publish'
  )
  assert.is(delivered.length, 10, 'half of the publishes found a subscription')
})

const retained = (topic: string, text: string): Publish => ({
  ...publish(topic, 0, 0),
  retain: true,
  payload: utf8(text),
})

batch('thousands of retained messages come in portions, and none after something newer', () => {
  const a: Conn = { slot: 0, generation: 1 }
  const b: Conn = { slot: 1, generation: 2 }
  const topics = Array.from({ length: 3_000 }, (_, i) => `r/${i % 50}/${i}`)
  const inputs: Array<Input> = [
    ...connected(a, 'a'),
    ...connected(b, 'b'),
    ...topics.map((topic) => I.arrived(a, 0, retained(topic, `old ${topic}`))),
    I.arrived(b, 1, subscribe(1, 'r/#')),
  ]
  const subscribedAt = inputs.length
  for (let i = 1; i <= 12; i++) {
    // Between the portions some topics are published anew, and some are cleared.
    inputs.push(I.arrived(a, 1, retained(topics[i * 240]!, `new ${topics[i * 240]}`)))
    inputs.push(I.arrived(a, 1, { ...retained(topics[i * 7]!, ''), topic: name(topics[i * 7]!) }))
    inputs.push(I.arrived(b, 1, { _tag: 'Pingreq' }))
    inputs.push(I.ticked(1, 1))
  }
  const recording = fold(initial(defaults, { at: 0, wall: 0, seed: 1 }), inputs)
  const { states, effects } = recording
  for (let at = subscribedAt - 1; at <= inputs.length; at++) {
    sameBatch(
      recording,
      at,
      inputs.length,
      sameBatch(recording, subscribedAt - 2, at, states[subscribedAt - 2]!),
    )
  }
  sameBatch(recording, 0, inputs.length, states[0]!)
  // Nobody waits: no single input sends more than about a thousand.
  const most = Math.max(...effects.map((some) => some.length))
  assert.ok(most <= 1_100, `${most} effects of one input`)
  assert.ok(deadline(states[subscribedAt]!) <= 1, 'there is more to do at once')
  assert.ok(deadline(states.at(-1)!) > 1, 'and in the end there is not')
  const seen = new Map<string, Array<string>>()
  for (const effect of effects.flat()) {
    if (effect._tag !== 'Send' || effect.packet._tag !== 'Publish') continue
    const { topic, payload } = effect.packet
    const text = String.fromCharCode(...B.view(payload))
    seen.set(topic, [...(seen.get(topic) ?? []), text])
  }
  for (const topic of topics) {
    const texts = seen.get(topic) ?? []
    const renewed = texts.includes(`new ${topic}`)
    assert.ok(texts.length > 0, `${topic} was not sent`)
    if (renewed) assert.is(texts.lastIndexOf(`old ${topic}`) <= texts.indexOf(`new ${topic}`), true)
    assert.ok(texts.filter((text) => text.startsWith('old')).length <= 1, `${topic} was sent twice`)
  }
})

batch('a window of hundreds, acknowledged in any order, is the same in a batch', () => {
  const a: Conn = { slot: 0, generation: 1 }
  const b: Conn = { slot: 1, generation: 2 }
  fc.assert(
    fc.property(
      fc.shuffledSubarray(Array.from({ length: 200 }, (_, i) => i + 1), { minLength: 150 }),
      fc.integer({ min: 1, max: 60 }),
      (acks, size) => {
        const inputs: Array<Input> = [
          ...connected(a, 'a'),
          ...connected(b, 'b'),
          I.arrived(b, 0, subscribe(1, 't')),
          ...Array.from({ length: 200 }, () => I.arrived(a, 0, publish('t', 1, 1))),
          ...acks.map((packetId): Input =>
            I.arrived(b, 0, { _tag: 'Puback', packetId, reason: 0, properties: none })
          ),
          ...Array.from({ length: 20 }, () => I.arrived(a, 0, publish('t', 1, 1))),
        ]
        const config = { ...defaults, inflightCountMax: 0 }
        const recording = fold(initial(config, { at: 0, wall: 0, seed: 1 }), inputs)
        let state = recording.states[0]!
        for (let from = 0; from < inputs.length; from += size) {
          state = sameBatch(recording, from, Math.min(inputs.length, from + size), state)
        }
      },
    ),
    { numRuns: runs(20) },
  )
})

/** What may still come from a connection that is gone. */
const echoes = (conn: Conn, at: number): ReadonlyArray<Input> => [
  I.closed(conn, at, 'closed'),
  I.written(conn, at, 1_000),
  I.judged(conn, at, 0),
  I.judged(conn, at, 0x87),
  I.arrived(conn, at, { _tag: 'Pingreq' }),
  I.arrived(conn, at, { _tag: 'Disconnect', reason: 0, properties: none }),
  I.broke(conn, at, { reason: 0x81, clause: 'MQTT-2.1.3-1', detail: 'an echo', level: 5 }),
]

batch('what comes late from the former occupant of a slot is noted and changes nothing', () => {
  let tried = 0
  fc.assert(
    fc.property(history(80), (some) => {
      const { states } = record(some)
      for (const state of states.slice(-20)) {
        for (
          const input of [0, 1, 2, 3].flatMap((slot) => echoes({ slot, generation: 0 }, state.now))
        ) {
          tried++
          const [next, effects] = step(state, input)
          const { counters, ...rest } = next
          const { counters: before, ...restBefore } = state
          assert.is(difference(rest, restBefore), null)
          assert.is(difference(counters.dropped, before.dropped), null)
          assert.is(counters.stale, before.stale + 1)
          assert.is(effects.length, 1)
          assert.ok(effects[0]!._tag === 'Note' && effects[0]!.note._tag === 'Stale')
        }
      }
    }),
    { numRuns: runs(50) },
  )
  if (isShortRun(50)) return
  assert.ok(tried > 0)
})

batch('a verdict about the former occupant of a slot does not let the new one in', () => {
  const old: Conn = { slot: 0, generation: 1 }
  const fresh: Conn = { slot: 0, generation: 2 }
  const inputs = [
    ...connected(old, 'old'), // asked about, and gone before the answer
    I.closed(old, 1, 'closed'),
    ...connected(fresh, 'fresh'),
    I.judged(old, 2, 0),
  ]
  const config = { ...defaults, authentication: 'judge' as const }
  const [state, effects] = run(initial(config, { at: 0, wall: 0, seed: 1 }), inputs)
  assert.not.ok(effects.some((one) => one._tag === 'Send'), 'nobody was let in')
  const [, answers] = step(state, I.judged(fresh, 3, 0))
  assert.ok(answers.some((one) => one._tag === 'Send' && one.packet._tag === 'Connack'))
})

batch.run()
