// What `sabethes explain` says is true: every sentence of it, about random days, held against a
// second account of the day that is made of what was on the wires and in the log, and knows nothing
// of the broker's state. How often each kind of sentence was met is counted.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run } from '../core/mod.ts'
import type { Question } from '../core/trace/explain.ts'
import type { Found } from '../core/trace/replay.ts'
import { showEffect, showInput } from '../core/trace/show.ts'
import { dayOf } from './explain/day.ts'
import type { Day } from './explain/day.ts'
import { Ends } from './explain/ends.ts'
import { Truth } from './explain/messages.ts'
import { Publications } from './explain/publications.ts'
import { ask, asked, days, playedOf, publicationsOf, shares } from './explain/random-days.ts'
import type { Played } from './explain/random-days.ts'
import { Tally } from './explain/tally.ts'
import { names } from './gen/histories.ts'
import { recorded, replayed } from './gen/recordings.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'

const truth = suite('explain: truth')

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
  if (isShortRun(150)) return
  for (const [kind, least] of Object.entries(floors)) tally.atLeast(kind, leastOf(least, 150))
})

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

/** The times of a recording that began later, in those of the day; and `by` that is in ms. */
const shifted = (text: string, by: number): string =>
  text.replaceAll(/(\d+)\.(\d{3})s( before the beginning)?/g, (_, s, ms, before) => {
    const at = by + (before === undefined ? 1 : -1) * (Number(s) * 1000 + Number(ms))
    return `${(at / 1000).toFixed(3)}s`
  })

/** Without what only somebody knows who was there before: how it came to be so. */
const withoutPast = (text: string): string => {
  const kept = text
    .replaceAll(/, since the reload at [\d.]+s/g, '')
    .replaceAll(/ \(before that it was (?:allowed|denied)[^)]*\)/g, '')
  return /: not delivered: it (?:had no|was subscribed)/.test(kept)
    ? kept.split(/; |\.$/)[0]!
    : kept
}

const headOf = (one: string): string => one.split('\n', 1)[0]!

/** Who published it, when and how: enough to find it again. */
const factsOf = (one: string): string => /^.*? bytes?\./s.exec(headOf(one))?.[0] ?? headOf(one)

truth('a recording that begins in the midst says the same of what comes later', () => {
  let met = 0
  fc.assert(
    fc.property(days, fc.nat(), (history, pick) => {
      const { state, inputs, effects } = playedOf(history, 1)
      if (inputs.length < 3) return
      const count = 1 + pick % (inputs.length - 2)
      const midst = inputs.slice(0, count).reduce((before, input) => run(before, [input])[0], state)
      const whole = replayed(recorded(state, inputs, 1).text)
      const part = replayed(recorded(midst, inputs.slice(count), 1).text)
      const by = midst.now - state.now
      withDay(inputs, effects, () => {
        for (const topic of names) {
          const question: Question = { _tag: 'Message', topic, time: null, client: null }
          const all = publicationsOf(ask(whole, question))
          const some = publicationsOf(ask(part, question).map((line) => shifted(line, by)))
            .filter((one) => !/ was published before /.test(headOf(one)))
          for (const [i, one] of some.entries()) {
            // Of those that have the same to find them by the last ones are meant.
            const later = some.slice(i).filter((other) => factsOf(other) === factsOf(one)).length
            const same = all.filter((other) => factsOf(other) === factsOf(one)).at(-later)
            assert.ok(same !== undefined, `from ${count} on:\n${one}\n\nof all:\n${all.join('\n')}`)
            const known = new Set(same.split('\n').map(withoutPast))
            for (const line of one.split('\n').map(withoutPast)) {
              met += 1
              assert.ok(known.has(line), `from ${count} on:\n${line}\n\nand all in all:\n${same}`)
            }
          }
        }
      })
    }),
    { numRuns: runs(100) },
  )
  if (isShortRun(100)) return
  assert.ok(met >= leastOf(500, 100), `only ${met} sentences were compared`)
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
  'will: denied': 1,
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
  if (isShortRun(100)) return
  for (const [kind, least] of Object.entries(endFloors)) tally.atLeast(kind, leastOf(least, 100))
})

truth.run()
