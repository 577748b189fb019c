// What `sabethes explain` says is true: every sentence of it, about random days, held against a
// second account of the day that is made of what was on the wires and in the log, and knows nothing
// of the broker's state. How often each kind of sentence was met is counted.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import type { Input } from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import * as B from '../core/data/bytes.ts'
import { run } from '../core/mod.ts'
import { Explainer } from '../core/trace/explain.ts'
import type { Question } from '../core/trace/explain.ts'
import type { Found } from '../core/trace/replay.ts'
import { showEffect, showInput } from '../core/trace/show.ts'
import { dayOf } from './explain/day.ts'
import type { Day } from './explain/day.ts'
import { Ends } from './explain/ends.ts'
import { Truth } from './explain/messages.ts'
import { Publications } from './explain/publications.ts'
import { Tally } from './explain/tally.ts'
import { groupHistory } from './gen/groups.ts'
import { names, restlessHistory, unproved, utf8 } from './gen/histories.ts'
import type { Command, History } from './gen/histories.ts'
import { recorded, replayed } from './gen/recordings.ts'
import { leastOf, runs } from './gen/settings.ts'
import { begin, play } from './model/play.ts'

const truth = suite('explain: truth')

/** Only what deletes is empty: what is empty is not told apart. */
const distinct = ({ config, commands }: History): History => ({
  config,
  commands: commands.map((one: Command) =>
    one._tag === 'Publish' ? { ...one, empty: one.empty && one.retain } : one
  ),
})

/** A payload of its own for what the world says more than once. */
const numbered = (input: Input, number: number): Input => {
  const mark = utf8(`${number}`)
  if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
    const packet = { ...input.command.packet, payload: mark }
    return { ...input, command: { ...input.command, packet } }
  }
  if (input._tag !== 'Arrived') return input
  const { packet } = input
  if (packet._tag === 'Connect' && packet.will !== null) {
    const [first = 0x77] = B.view(packet.will.payload)
    const bytes = new Uint8Array([first, ...B.view(mark)])
    return { ...input, packet: { ...packet, will: { ...packet.will, payload: B.of(bytes) } } }
  }
  return packet._tag === 'Publish' && new TextDecoder().decode(B.view(packet.payload)) === 'odd'
    ? { ...input, packet: { ...packet, payload: mark } }
    : input
}

/** Some repeat what they have not released yet, or say something else under its identifier. */
const withMore = (input: Input, number: number): ReadonlyArray<Input> => {
  if (input._tag !== 'Arrived' || input.packet._tag !== 'Publish') return [input]
  const { packet } = input
  if (packet.qos !== 2 || packet.topic === '' || number % 4 > 1) return [input]
  const again = number % 4 === 0
    ? { ...packet, dup: true }
    : { ...packet, payload: utf8(`another ${number}`) }
  return [input, { ...input, packet: again }]
}

/** The same where everybody is let in and keeps his session, and may come back with less room. */
const calm = ({ config, commands }: History): History => {
  const { inflightCountMax, queuedCountMax, allowDuplicateMessages, retainedExpiryMs } = config
  return {
    config: {
      ...defaults,
      inflightCountMax,
      queuedCountMax,
      allowDuplicateMessages,
      retainedExpiryMs,
    },
    commands: commands.filter(({ _tag }) => _tag !== 'Reconfigure' && _tag !== 'Rights').map((
      one,
    ) =>
      one._tag !== 'Connect' ? one : {
        ...one,
        level: 5,
        cleanStart: false,
        sessionExpiryS: 30,
        receiveMaximum: one.receiveMaximum ?? (one.keepAliveS > 0 ? 1 : null),
        method: null,
        keepAliveS: 0,
      }
    ),
  }
}

/** Days of all kinds, and some on which everybody is in a shared group. */
const days: fc.Arbitrary<History> = fc.oneof(
  { arbitrary: restlessHistory(120).map(unproved), weight: 4 },
  { arbitrary: restlessHistory(120).map(calm), weight: 2 },
  { arbitrary: groupHistory(120).map(unproved), weight: 1 },
).map(distinct)

const shares = fc.constantFrom(1, 1, 0.9, 0.8, 0.6, 0.4)

interface Played {
  readonly state: State
  readonly inputs: ReadonlyArray<Input>
  readonly effects: ReadonlyArray<ReadonlyArray<Effect>>
}

/** A day, or only so much of it. */
const playedOf = (history: History, share: number): Played => {
  const inputs: Array<Input> = []
  const effects: Array<ReadonlyArray<Effect>> = []
  play(history, {
    step: (before, told) => {
      const number = inputs.length
      let after = before
      const all: Array<Effect> = []
      for (const input of withMore(numbered(told, number), number)) {
        const [next, some] = run(after, [input])
        inputs.push(input)
        effects.push(some)
        all.push(...some)
        after = next
      }
      return [after, all]
    },
  })
  const count = Math.ceil(inputs.length * share)
  return { state: begin(history), inputs: inputs.slice(0, count), effects: effects.slice(0, count) }
}

const asked = (found: ReadonlyArray<Found>, question: Question, few = Infinity): Explainer => {
  const explainer = new Explainer(question, 'recording', few)
  for (const one of found) explainer.take(one)
  return explainer
}

const ask = (
  found: ReadonlyArray<Found>,
  question: Question,
  few = Infinity,
): ReadonlyArray<string> => {
  const explainer = asked(found, question, few)
  return explainer.answer().map((line) => line.replaceAll(/ \(\d{4}-[^)]*Z\)/g, ''))
}

/** Runs a check; where it fails the day is told as well. */
const withDay = (
  inputs: Played['inputs'],
  effects: Played['effects'],
  check: () => void,
): void => {
  try {
    check()
  } catch (error) {
    const told = inputs.flatMap((input, i) => [
      `${i}. ${showInput(input)}`,
      ...effects[i]!.map((effect) => `      ${showEffect(effect)}`),
    ])
    if (error instanceof Error) error.message += `\n\nThe day:\n${told.join('\n')}`
    throw error
  }
}

/** Checks what is said of recordings of random days, with a number to choose something by. */
const ofDays = (
  count: number,
  check: (day: Day, found: ReadonlyArray<Found>, pick: number) => void,
): void => {
  const size = fc.integer({ min: 1, max: 30 })
  fc.assert(
    fc.property(days, size, shares, fc.nat(), (history, size, share, pick) => {
      const { state, inputs, effects } = playedOf(history, share)
      if (inputs.length === 0) return
      const found = replayed(recorded(state, inputs, size).text)
      const day = dayOf(history.config, state.now, inputs, effects)
      withDay(inputs, effects, () => check(day, found, pick))
    }),
    { numRuns: runs(count) },
  )
}

/** Every topic, for whom it concerns and for one more client of the day. */
const messages = (found: ReadonlyArray<Found>, day: Day, tally: Tally, pick: number): void => {
  const about = new Truth(day, new Publications(day), tally)
  const clients = [...new Set(day.steps.flatMap(({ after }) => [...after.keys()]))]
  const one = clients[pick % (clients.length || 1)]
  for (const topic of names) {
    for (const client of one === undefined ? [null] : [null, one]) {
      about.check(topic, client, ask(found, { _tag: 'Message', topic, time: null, client }))
    }
    const untold = about.untold(topic)
    assert.ok(untold === null, `nothing is said of ${untold}`)
  }
}

/** How often so many days show each kind of sentence at least. */
const floors: Readonly<Record<string, number>> = {
  'No Local': 5,
  acknowledged: 20,
  'back-pressure': 1,
  counted: 50,
  delivered: 200,
  'delivered as retained': 15,
  'delivered later': 2,
  'ended then': 1,
  matched: 200,
  'matched nobody': 200,
  'missed: a shared subscription is': 10,
  'missed: its subscription did not': 1,
  'nearest: lost': 40,
  'nearest: refused': 40,
  'nearest: subscribed': 60,
  'nearest: unsubscribed': 5,
  'no session': 60,
  'no subscription': 100,
  'not acknowledged: its session ended': 10,
  'not allowed': 2,
  'not released': 50,
  'not subscribed': 50,
  offline: 10,
  'queue full': 6,
  refused: 80,
  'refused by the client': 1,
  'session ended with it': 2,
  'shared: gave it to': 1,
  'still in its queue': 8,
  'still waiting for PUBACK': 5,
  'still waiting for PUBCOMP': 1,
  'still waiting for PUBREC': 2,
  'too large': 1,
  'went to nobody': 80,
  'when another one took its place': 3,
  'when it was deleted': 2,
  'when its time was over': 5,
}

truth('whoever got a message, and why the others did not', () => {
  const tally = new Tally()
  ofDays(150, (day, found, pick) => messages(found, day, tally, pick))
  if (process.env['SHOW'] === '1') console.log(tally.text())
  for (const [kind, least] of Object.entries(floors)) tally.atLeast(kind, leastOf(least, 150))
})

/** What is said of each publication. */
const publicationsOf = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const line of lines) {
    if (/' was published (at|before) /.test(line) && !line.startsWith(' ')) found.push(line)
    else if (line.startsWith('  ')) found.push(`${found.pop() ?? ''}\n${line}`)
  }
  return found
}

truth('of one moment the same is said as where everything is asked for', () => {
  ofDays(100, (_, found, pick) => {
    const [began] = found
    assert.ok(began?._tag === 'Began')
    for (const topic of names) {
      const whole: Question = { _tag: 'Message', topic, time: null, client: null }
      const all = publicationsOf(ask(found, whole))
      const times = asked(found, whole).publications.map(({ at }) => at - began.head.at)
      const ms = times[pick % times.length]
      if (ms === undefined) continue
      const lines = ask(found, { ...whole, time: { _tag: 'Since', ms } }, 2 + pick % 4)
      const some = publicationsOf(lines)
      assert.ok(some.length > 0, lines.join('\n'))
      for (const one of some) {
        assert.ok(all.includes(one), `at ${ms}:\n${one}\n\nof all:\n${all.join('\n')}`)
      }
    }
  })
})

/** How often a hundred days show each kind of end at least. */
const endFloors: Readonly<Record<string, number>> = {
  'came back': 20,
  'ended: connection closed by client': 4,
  'ended: connection failed': 4,
  'ended: disconnected': 4,
  'ended: exceeded timeout': 2,
  'ended: memory short': 1,
  'ended: not authorised': 30,
  'ended: protocol error': 20,
  'ended: redirected': 1,
  'ended: refused': 20,
  'ended: server shutting down': 25,
  'ended: session taken over': 35,
  'ended: global_max_clients exceeded': 1,
  'is connected still': 3,
  'session ended: clean start': 6,
  'session ended: disconnected': 40,
  'session expired as said': 2,
  'session kept': 50,
  'session went on': 12,
  'will: not published': 1,
  'will: published': 12,
  'will: put off': 2,
}

truth('why connections ended, and what became of will and session', () => {
  const tally = new Tally()
  ofDays(100, (day, found) => {
    const ends = new Ends(day, tally)
    for (const client of ends.names) {
      ends.check(client, ask(found, { _tag: 'Connection', client }))
    }
  })
  if (process.env['SHOW'] === '1') console.log(tally.text())
  for (const [kind, least] of Object.entries(endFloors)) tally.atLeast(kind, leastOf(least, 100))
})

truth.run()
