// How often one address may connect. However its connections come and go, no time sees more of them
// accepted than a burst and what the rate lets pass in it, and none is turned away that a bucket
// filled drop by drop would let in. What is turned away uses up nothing, and an address is
// forgotten once it has no connection and its bucket is full.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config, Conn, Effect, State } from '../core/mod.ts'
import {
  closed,
  deadline,
  defaults,
  initial,
  NEVER,
  opened,
  reconfigured,
  step,
  ticked,
} from '../core/mod.ts'
import * as Heap from '../core/data/heap.ts'
import * as StrMap from '../core/data/str-map.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'

const rate = suite('rate')

const CONNECTION_RATE_EXCEEDED = 0x9f

/** A broker that connections knock at. */
class Door {
  state: State
  now = 0
  private generation = 0
  readonly open: Array<Conn> = []

  constructor(config: Partial<Config>) {
    this.state = initial({ ...defaults, unauthenticatedMax: 1_000_000, ...config }, {
      at: 0,
      wall: 0,
      seed: 7,
    })
  }

  /** Time passes, and the broker is told it whenever it wants. */
  pass(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const due = deadline(this.state)
      if (due > until) break
      this.now = Math.max(this.now, due)
      this.state = step(this.state, ticked(this.now, this.now))[0]
    }
    this.now = until
  }

  /** The operator changes something. */
  configure(config: Partial<Config>): void {
    this.state = step(this.state, reconfigured(this.now, { ...this.state.config, ...config }))[0]
  }

  knock(address: string): ReadonlyArray<Effect> {
    const generation = ++this.generation
    const conn = { slot: generation % 0x1000000, generation }
    const [state, effects] = step(
      this.state,
      opened(conn, this.now, 'N', '1883', { address, port: 1 }),
    )
    this.state = state
    if (!effects.some((one) => one._tag === 'Close')) this.open.push(conn)
    return effects
  }

  enter(address: string): boolean {
    return !this.knock(address).some((one) => one._tag === 'Close')
  }

  /** The oldest connection goes. */
  leave(): void {
    const conn = this.open.shift()
    if (conn !== undefined) this.state = step(this.state, closed(conn, this.now, 'closed'))[0]
  }

  get addresses(): number {
    return StrMap.size(this.state.addresses)
  }
}

/** A bucket as one imagines it: drops in it, and when it was last looked at. */
class Bucket {
  private drops: number
  private at = 0
  private readonly drop: number
  private readonly dropsMax: number

  constructor(perSecond: number, burst: number) {
    // A millisecond brings 1000 drops, a connection takes so many; whole ones, so not too few.
    this.drop = Math.ceil(1_000_000 / perSecond)
    this.dropsMax = burst * this.drop
    this.drops = this.dropsMax
  }

  take(at: number): boolean {
    this.drops = Math.min(this.dropsMax, this.drops + (at - this.at) * 1000)
    this.at = at
    if (this.drops < this.drop) return false
    this.drops -= this.drop
    return true
  }
}

interface Knock {
  readonly afterMs: number
  readonly address: string
  readonly leaves: number
}

const knocks: fc.Arbitrary<ReadonlyArray<Knock>> = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 0, 0, 1, 2, 3, 19, 20, 21, 334, 999, 1_000, 5_000),
    address: fc.constantFrom('192.0.2.1', '192.0.2.1', '2001:db8::1', '127.0.0.1', '::1'),
    leaves: fc.constantFrom(0, 0, 1, 2),
  }),
  { maxLength: 120, size: 'max' },
)

rate('an address is let in as often as its bucket allows, and never more often', () => {
  let accepted = 0
  let refused = 0
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3, 7, 50, 300, 900, 1_000, 1_500),
      fc.constantFrom(1, 1, 2, 3, 10),
      knocks,
      (perSecond, burst, some) => {
        const door = new Door({
          connectionRatePerAddress: perSecond,
          connectionBurstPerAddress: burst,
          connectTimeoutMs: 600_000,
        })
        const buckets = new Map<string, Bucket>()
        const times = new Map<string, Array<number>>()
        for (const { afterMs, address, leaves } of some) {
          door.pass(afterMs)
          const isIn = door.enter(address)
          for (let i = 0; i < leaves; i++) door.leave()
          if (address === '127.0.0.1' || address === '::1') {
            assert.ok(isIn, 'loopback is exempt')
            continue
          }
          if (!buckets.has(address)) buckets.set(address, new Bucket(perSecond, burst))
          assert.is(isIn, buckets.get(address)!.take(door.now), `${address} at ${door.now}`)
          if (!isIn) {
            refused++
            continue
          }
          accepted++
          const all = [...times.get(address) ?? [], door.now]
          times.set(address, all)
          all.forEach((from, i) => {
            const passed = perSecond * (door.now - from)
            assert.ok((all.length - i - burst) * 1000 <= passed, 'more than the rate lets pass')
          })
        }
        while (door.open.length > 0) door.leave()
        door.pass(NEVER - 1 - door.now)
        assert.is(door.addresses, 0, 'every address is forgotten')
        assert.is(Heap.size(door.state.timers), 0)
      },
    ),
    { numRuns: runs(500) },
  )
  if (isShortRun(500)) return
  const least = leastOf(1000, 500)
  assert.ok(accepted > least && refused > least, `${accepted} accepted, ${refused} refused`)
})

rate('the default: 200 at once, then 50 a second, and the next is closed without a word', () => {
  const door = new Door({})
  for (let i = 1; i <= 200; i++) assert.ok(door.enter('192.0.2.1'), `connection ${i}`)
  const effects = door.knock('192.0.2.1')
  assert.equal(effects.map((one) => one._tag), ['Close', 'Note'])
  const [close, noted] = effects
  assert.is(close?._tag === 'Close' && close.reason, CONNECTION_RATE_EXCEEDED)
  assert.ok(noted?._tag === 'Note' && noted.note._tag === 'ConnectionEnded')
  assert.is(noted.note.ending, 'connecting too often')
  assert.is(noted.note.reason, CONNECTION_RATE_EXCEEDED)
  assert.ok(door.enter('192.0.2.2'), 'another address has a bucket of its own')
  door.pass(19)
  assert.not(door.enter('192.0.2.1'))
  door.pass(1)
  assert.ok(door.enter('192.0.2.1'), 'what was turned away has used up nothing')
  assert.not(door.enter('192.0.2.1'))
})

rate('a rate that divides no second is met in the long run, and not exceeded', () => {
  const door = new Door({ connectionRatePerAddress: 900, connectionBurstPerAddress: 2 })
  let accepted = 0
  for (let i = 0; i < 20_000; i++) {
    if (door.enter('192.0.2.1')) accepted++
    door.leave()
    door.pass(1)
    assert.ok((accepted - 2) * 1000 <= 900 * (door.now - 1), `${accepted} in ${door.now} ms`)
  }
  assert.ok(accepted > 0.999 * 900 * 20, `${accepted} in 20 s`)
})

rate('a reload that allows more holds at once, whatever was used up before', () => {
  const door = new Door({ connectionRatePerAddress: 1, connectionBurstPerAddress: 100 })
  for (let i = 0; i < 100; i++) assert.ok(door.enter('192.0.2.1'))
  assert.not(door.enter('192.0.2.1'))
  door.configure({ connectionRatePerAddress: 1_000 })
  assert.ok(door.enter('192.0.2.1'))
  assert.not(door.enter('192.0.2.1'), 'nor is there a new burst')
  door.pass(2)
  assert.ok(door.enter('192.0.2.1'))
  assert.ok(door.enter('192.0.2.1'))
  assert.not(door.enter('192.0.2.1'))
  door.configure({ connectionBurstPerAddress: 1 })
  assert.ok(door.enter('192.0.2.1'))
  assert.not(door.enter('192.0.2.1'))
  while (door.open.length > 0) door.leave()
  door.pass(1)
  assert.is(door.addresses, 0)
})

rate('0 is no limit, and remembers nothing of who has gone', () => {
  const door = new Door({ connectionRatePerAddress: 0, connectionBurstPerAddress: 1 })
  for (let i = 0; i < 900; i++) assert.ok(door.enter('192.0.2.1'))
  while (door.open.length > 0) door.leave()
  assert.is(door.addresses, 0)
})

rate('who is turned away for another reason uses up nothing', () => {
  const door = new Door({ connectionsPerAddressMax: 2, connectionBurstPerAddress: 3 })
  for (let i = 0; i < 10; i++) door.enter('192.0.2.1')
  assert.is(door.open.length, 2)
  door.leave()
  assert.ok(door.enter('192.0.2.1'), 'the third of the burst')
  door.leave()
  assert.not(door.enter('192.0.2.1'))
})

rate('a crowd of addresses that come once are forgotten, each after one interval', () => {
  const door = new Door({})
  for (let i = 0; i < 20_000; i++) {
    assert.ok(door.enter(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`))
    door.leave()
    if (i % 10 === 9) door.pass(1)
    assert.ok(door.addresses <= 210, `${door.addresses} addresses`)
    assert.ok(Heap.size(door.state.timers) <= 2 * door.addresses + 1_100)
  }
  door.pass(20)
  assert.is(door.addresses, 0)
})

rate.run()
