// The broker is a function. It changes no state that it was given, keeps no byte that it was lent,
// answers the same to the same, and an old state answers for ever as it did on its day.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run, step } from '../core/mod.ts'
import { restlessHistory } from './gen/histories.ts'
import { runs } from './gen/settings.ts'
import { play, record } from './model/play.ts'
import { difference, freeze, inspect, lend, newMuseum } from './model/values.ts'

const purity = suite('purity')

purity('step() works on a frozen state, and no old bytes change when the read buffers do', () => {
  fc.assert(
    fc.property(restlessHistory(120), (some) => {
      const museum = newMuseum()
      play(some, {
        step: (state, input) => {
          freeze(museum, state)
          const lent = lend(input)
          const [next, effects] = step(state, lent.input)
          freeze(museum, next)
          // A Send may lend the bytes on; whoever carries it out does so before the next read.
          for (const effect of effects) {
            // A question is asked for longer than that, so its password is its own.
            freeze(museum, effect, effect._tag === 'Judge' ? new Set() : lent.buffers)
          }
          // The world reads what was sent after this, as a socket would: give it bytes that last.
          const [, lasting] = step(state, input)
          lent.spoil()
          return [next, lasting]
        },
      })
      inspect(museum)
    }),
    { numRuns: runs(300) },
  )
})

purity('a batch too leaves states and effects alone, and keeps nothing that it was lent', () => {
  fc.assert(
    fc.property(restlessHistory(120), fc.integer({ min: 1, max: 40 }), (some, size) => {
      const { inputs, states } = record(some)
      const museum = newMuseum()
      let state = states[0]!
      for (let i = 0; i < inputs.length; i += size) {
        freeze(museum, state)
        const lent = inputs.slice(i, i + size).map(lend)
        const [next, effects] = run(state, lent.map((one) => one.input))
        state = next
        freeze(museum, state)
        freeze(museum, effects, new Set(lent.flatMap((one) => [...one.buffers])))
        for (const one of lent) one.spoil()
      }
      inspect(museum)
      assert.is(difference(state, states.at(-1)), null)
    }),
    { numRuns: runs(300) },
  )
})

purity('step() answers the same to the same', () => {
  fc.assert(
    fc.property(restlessHistory(120), (some) => {
      play(some, {
        step: (state, input) => {
          const first = step(state, lend(input).input)
          const second = step(state, lend(input).input)
          assert.is(difference(first, second), null)
          return first
        },
      })
    }),
    { numRuns: runs(200) },
  )
})

purity('an old state answers as it did on its day', () => {
  fc.assert(
    fc.property(
      restlessHistory(120),
      fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
      (some, places) => {
        const { inputs, states, effects } = record(some)
        for (const place of places) {
          const at = place % states.length
          let state = states[at]!
          for (let i = at; i < inputs.length; i++) {
            const [next, again] = step(state, inputs[i]!)
            assert.is(difference(again, effects[i]), null)
            state = next
          }
          assert.is(difference(state, states.at(-1)), null)
        }
      },
    ),
    { numRuns: runs(300) },
  )
})

purity.run()
