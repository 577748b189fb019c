// What a broker costs by how much it holds, counted in visits, objects and bytes and never in time:
// one subscriber to a filter needs no collection around it, a filter that matches ten retained
// messages does not look at the others, portions are portions, and nothing that was there for a
// while leaves anything behind.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../core/broker/config.ts'
import type { Record } from '../core/broker/record.ts'
import { isSingle, type Session } from '../core/broker/state.ts'
import * as IntMap from '../core/data/int-map.ts'
import { newOwner } from '../core/data/owner.ts'
import * as Queue from '../core/data/queue.ts'
import * as StrMap from '../core/data/str-map.ts'
import {
  arrived,
  closed,
  type Conn,
  deadline,
  defaults,
  type Effect,
  initial,
  type Input,
  none,
  opened,
  Packet,
  reconfigured,
  restore,
  run,
  type State,
  ticked,
  written,
} from '../core/mod.ts'
import * as Tree from '../core/topic/tree.ts'
import { newIn, queuedAt } from '../core/trace/explain-places.ts'
import './gen/settings.ts'
import { filter, name } from './gen/topics.ts'
import { inOrder, recordsOf } from './model/store.ts'

const config = {
  ...defaults,
  subscriptionsPerSessionMax: 1_000_000,
  retainedCountMax: 1_000_000,
  queuedCountMax: 200_000,
  queuedBytesMax: 0,
}

class World {
  state: State

  constructor(chosen: Config = config) {
    this.state = initial(chosen, { at: 0, wall: 0, seed: 4711 })
  }

  feed(...inputs: Input[]): ReadonlyArray<Effect> {
    const [state, effects] = run(this.state, inputs)
    this.state = state
    return effects
  }

  connect(slot: number): Conn {
    const conn: Conn = { slot, generation: 1 }
    const peer = { address: '127.0.0.1', port: 50_000 }
    this.feed(
      opened(conn, 0, `n${slot}`, 'test', peer),
      arrived(conn, 0, Packet.connect({ clientId: `c${slot}`, keepAliveS: 0 })),
    )
    return conn
  }
}

const unsubscribe = (text: string): Packet => ({
  _tag: 'Unsubscribe',
  packetId: 1,
  filters: [filter(text)],
  properties: none,
})

/** Objects, arrays and strings that can be reached, each once; the count and about their bytes. */
const weighed = (roots: ReadonlyArray<unknown>, known: Set<unknown>): [number, number] => {
  const stack: unknown[] = [...roots]
  const texts = new Set<string>()
  let count = 0
  let bytes = 0
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (typeof item === 'string') {
      if (!texts.has(item)) bytes += 16 + Math.ceil(item.length / 8) * 8
      texts.add(item)
    }
    // A number that is no small whole one is an object to the engine, of its own in every record.
    if (typeof item === 'number' && (item | 0) !== item) bytes += 16
    if (typeof item !== 'object' || item === null || known.has(item)) continue
    known.add(item)
    count++
    if (item instanceof Uint8Array) {
      bytes += 200 + item.length
      continue
    }
    // A header of three words, the fields, and an array's elements with a header of their own.
    bytes += 24 + 8 * Object.keys(item).length + (Array.isArray(item) ? 24 : 0)
    for (const held of Object.values(item)) if (held !== null) stack.push(held)
  }
  return [count, bytes]
}

const filterAt = (i: number): string => {
  const site = Math.floor(i / 6)
  const kind = i % 6
  if (kind < 4) return `site/${site}/dev${site * 4 + kind}/temp`
  return kind === 4 ? `site/+/dev${site * 4}/temp` : `site/${site}/#`
}

const growth = suite('growth')

growth('a subscription weighs less than 400 bytes, all included', () => {
  const world = new World()
  const conns = [0, 1, 2, 3, 4, 5].map((slot) => world.connect(slot))
  const known = new Set<unknown>()
  weighed([world.state], known)
  const count = 6_000
  for (let i = 0; i < count; i++) {
    const subscribing = Packet.subscribe(filterAt(i))
    world.feed(arrived(conns[Math.floor(i / 1_000)]!, 0, subscribing))
  }
  assert.is(Tree.size(world.state.filters.tree), count)
  const [objects, bytes] = weighed([world.state], known)
  assert.ok(bytes / count < 400, `${bytes / count} bytes`)
  assert.ok(objects / count < 6, `${objects / count} objects`)
  // And nothing is left when all have gone.
  const subscribers = world.state
  for (let i = 0; i < count; i++) {
    const unsubscribing = unsubscribe(filterAt(i))
    world.feed(arrived(conns[Math.floor(i / 1_000)]!, 0, unsubscribing))
  }
  assert.ok(weighed([world.state], known)[0] < 100)
  assert.is(Tree.size(subscribers.filters.tree), count)
})

growth('what the tree holds for one subscriber is the subscription, and again after others', () => {
  const world = new World()
  const conns = [0, 1, 2].map((slot) => world.connect(slot))
  const at = (): unknown => Tree.get(world.state.filters.tree, filter('a/b'))
  const held = (): unknown => StrMap.get(IntMap.get(world.state.sessions, 0)!.subscriptions, 'a/b')
  const say = (slot: number, packet: Packet): void => {
    world.feed(arrived(conns[slot]!, 0, packet))
  }
  say(0, Packet.subscribe('a/b'))
  assert.is(at(), held())
  // Again, in place of itself.
  say(0, Packet.subscribe({ filter: 'a/b', qos: 1 }))
  assert.is(at(), held())
  say(1, Packet.subscribe('a/b'))
  say(2, Packet.subscribe('$share/g/a/b'))
  const all = Tree.get(world.state.filters.tree, filter('a/b'))!
  assert.not(isSingle(all))
  assert.is(isSingle(all) ? 0 : IntMap.size(all.direct), 2)
  say(1, unsubscribe('a/b'))
  assert.is.not(at(), held())
  say(2, unsubscribe('$share/g/a/b'))
  assert.is(at(), held())
  say(0, unsubscribe('a/b'))
  assert.is(at(), undefined)
})

growth('a key of a tree costs a leaf, and a node only where ways part', () => {
  const owner = newOwner()
  let tree = Tree.empty<number>(1)
  const deep = Array.from({ length: 150 }, (_, i) => `l${i}`).join('/')
  tree = Tree.set(tree, owner, name(deep), 1)
  const [one] = weighed([tree], new Set())
  assert.ok(one < 12, `${one} objects for one deep key`)
  tree = Tree.set(tree, owner, name(`${deep}/x`), 2)
  const [two] = weighed([tree], new Set())
  assert.ok(two > 150, `${two} objects for two that part at the end`)
  // The way is given back when nobody parts from it any more.
  tree = Tree.remove(tree, owner, name(`${deep}/x`))
  assert.is(weighed([tree], new Set())[0], one)
})

growth('ten of 100,000 retained messages are found in as many visits as of 1,000', () => {
  const visitsOf = (sites: number): number => {
    const owner = newOwner()
    let tree = Tree.empty<number>(1)
    for (let i = 0; i < sites * 10; i++) {
      tree = Tree.set(tree, owner, name(`site/${Math.floor(i / 10)}/dev${i}/temp`), i)
    }
    let visits = 0
    let found = 0
    let rest: Tree.Cursor<number> | null = Tree.cursor(tree, filter('site/7/+/temp'))
    while (rest !== null) {
      const taken: ReturnType<typeof Tree.take<number>> = Tree.take(rest, 1)
      found += taken.found.length
      rest = taken.rest
      visits++
    }
    assert.is(found, 10)
    return visits
  }
  assert.is(visitsOf(100), 13)
  assert.is(visitsOf(10_000), 13)
})

growth('# brings 20,000 retained messages in portions, each once', () => {
  const world = new World()
  const publisher = world.connect(0)
  const count = 20_000
  for (let i = 0; i < count; i += 100) {
    world.feed(
      ...Array.from({ length: 100 }, (_, j) => {
        const topic = `site/${Math.floor(i / 10)}/dev${i + j}`
        return arrived(publisher, 0, Packet.publish({ topic, payload: 'x', retain: true }))
      }),
    )
  }
  const subscriber = world.connect(1)
  const topics = new Set<string>()
  let portions = 0
  const take = (effects: ReadonlyArray<Effect>): void => {
    portions++
    assert.ok(effects.length <= 1_100, `${effects.length} effects in one step`)
    for (const effect of effects) {
      if (effect._tag !== 'Send' || effect.packet._tag !== 'Publish') continue
      assert.not(topics.has(effect.packet.topic))
      topics.add(effect.packet.topic)
    }
  }
  take(world.feed(arrived(subscriber, 0, Packet.subscribe('#'))))
  for (let at = 1; deadline(world.state) <= world.state.now; at++) {
    world.feed(written(subscriber, at, 2 ** 50))
    take(world.feed(ticked(at, at)))
  }
  assert.is(topics.size, count)
  // Each of the 200 sites costs a visit besides its messages, not more.
  assert.ok(portions >= 20 && portions <= 30, `${portions} portions`)
})

/** What a client gets of 200 retained topics while something is published on two of them. */
const caughtUp = (expiryS: number, isBusy: boolean): ReadonlyArray<string> => {
  const world = new World({ ...config, unwrittenBytesMax: 200_000 })
  const publisher = world.connect(0)
  const topics = Array.from({ length: 200 }, (_, i) => `t/${i}`)
  for (const topic of topics) {
    world.feed(arrived(publisher, 0, Packet.publish({ topic, payload: 'old', retain: true })))
  }
  const conn: Conn = { slot: 1, generation: 1 }
  const properties = { maximumPacketSize: 100, sessionExpiryInterval: expiryS }
  const connect = Packet.connect({ clientId: 'one', properties })
  const got: string[] = []
  const take = (...inputs: Input[]): void => {
    for (const one of world.feed(...inputs)) {
      if (one._tag === 'Send' && one.conn === conn && one.packet._tag === 'Publish') {
        got.push(one.packet.topic)
      }
    }
  }
  take(
    opened(conn, 0, 'nonce1', '1883', { address: '127.0.0.1', port: 1 }),
    arrived(conn, 0, connect),
    arrived(conn, 0, Packet.subscribe({ filter: '#', qos: 2 })),
  )
  const [early, late] = topics.filter((topic) => !got.includes(topic))
  if (early === undefined || late === undefined) throw new Error('nothing is left to be sent')
  const publish = (topic: string, bytes: number, qos: 0 | 1 | 2): void =>
    take(
      arrived(
        publisher,
        0,
        Packet.publish({ topic, payload: 'x'.repeat(bytes), qos, packetId: 1 }),
      ),
    )
  // So much waits for its socket that nothing retained is sent, and what is new is.
  for (let i = 0; isBusy && i < 1_500; i++) publish('other', 80, 0)
  publish(early, 500, 1)
  publish(late, 5, 1)
  take(written(conn, 0, 2 ** 50))
  while (deadline(world.state) <= world.state.now) take(ticked(0, 0))
  return got.filter((topic) => topic !== 'other')
    .map((topic) => topic === early ? 'early' : topic === late ? 'late' : topic).sort()
}

growth('who could not be sent what is new is sent what is retained all the same', () => {
  for (const expiryS of [0, 60]) {
    for (const isBusy of [false, true]) {
      const got = caughtUp(expiryS, isBusy)
      const times = (what: string): number => got.filter((topic) => topic === what).length
      assert.is(new Set(got).size, 200, `all of them, ${expiryS}, ${isBusy}`)
      assert.is(times('early'), 1)
      // What is new stands for both where it alone could be sent.
      assert.is(times('late'), isBusy ? 1 : 2)
    }
  }
})

growth('who comes back again and again stands in line once for what is retained', () => {
  const world = new World()
  const publisher = world.connect(0)
  for (let i = 0; i < 3_000; i++) {
    world.feed(
      arrived(publisher, 0, Packet.publish({ topic: `t/${i}`, payload: 'x', retain: true })),
    )
  }
  let generation = 0
  const come = (): Conn => {
    const conn: Conn = { slot: 1, generation: ++generation }
    const properties = { sessionExpiryInterval: 1_000 }
    const connect = Packet.connect({ clientId: 'one', cleanStart: false, properties })
    world.feed(
      opened(conn, 0, `nonce${generation}`, '1883', { address: '127.0.0.1', port: 1 }),
      arrived(conn, 0, connect),
    )
    return conn
  }
  let conn = come()
  world.feed(arrived(conn, 0, Packet.subscribe('#')))
  for (let i = 0; i < 10; i++) {
    world.feed(closed(conn, 0, 'closed'))
    conn = come()
    assert.is(Queue.size(world.state.catching), 1)
  }
  world.feed(closed(conn, 0, 'closed'))
  world.feed(ticked(1, 1))
  assert.is(Queue.size(world.state.catching), 0, 'nobody waits who is away')
  come()
  assert.is(Queue.size(world.state.catching), 1)
})

/** Messages of 100 bytes that wait for a durable session, and the state that they wait in. */
const waiting = (how: { readonly filter: string; readonly identifiers: boolean }): State => {
  const world = new World({ ...config, persistence: true })
  const publisher = world.connect(0)
  const conn: Conn = { slot: 1, generation: 1 }
  const properties = { sessionExpiryInterval: 1_000 }
  const plain = Packet.subscribe({ filter: how.filter, qos: 2 })
  world.feed(
    opened(conn, 0, 'n1', 'test', { address: '127.0.0.1', port: 50_000 }),
    arrived(conn, 0, Packet.connect({ clientId: 'away', keepAliveS: 0, properties })),
    arrived(
      conn,
      0,
      plain._tag === 'Subscribe' && how.identifiers
        ? { ...plain, properties: { subscriptionIdentifiers: [7] } }
        : plain,
    ),
    arrived(conn, 0, { _tag: 'Disconnect', reason: 0, properties: none }),
  )
  for (let i = 0; i < waitingCount; i += 100) {
    world.feed(...Array.from({ length: 100 }, (_, j) => {
      const payload = 'x'.repeat(100)
      const packetId = (i + j) % 65_535 + 1
      const packet = Packet.publish({ topic: 'q', qos: 1, packetId, payload })
      // As the decoder has it.
      return arrived(publisher, 0, { ...packet, properties: none } as Packet)
    }))
  }
  return world.state
}

const waitingCount = 10_000

/** As a store reads them: what two records have in common they have twice. */
const apart = (record: Record): Record =>
  record.kind === 'outgoing'
    ? {
      ...record,
      identifiers: [...record.identifiers],
      share: record.share === null ? null : { ...record.share },
    }
    : record

const queueWeight = (state: State): number => {
  const known = new Set<unknown>()
  // What all states have, and the programs' own.
  weighed([initial(config, state.origin), state.config], known)
  const session = IntMap.get(state.sessions, StrMap.get(state.clients, 'away')!)!
  assert.is(Queue.size(session.queue), waitingCount)
  return weighed([state], known)[1] / waitingCount
}

growth('a message of 100 bytes that waits weighs 340 at most, also after a restart', () => {
  const cases = [
    { filter: 'q', identifiers: false },
    { filter: 'q', identifiers: true },
    { filter: '$share/g/q', identifiers: false },
    { filter: '$share/g/q', identifiers: true },
  ]
  for (const one of cases) {
    const state = waiting(one)
    const records = inOrder(recordsOf(state, [])).map(apart)
    const [again] = restore(state.config, records, state.origin)
    const weights = [state, again].map(queueWeight)
    for (const weight of weights) assert.ok(weight < 340, `${one.filter}: ${weight} bytes`)
  }
})

/** What each tick makes, until nothing is due any more; the state is told of each. */
const ticksUntil = (world: World, at: number, after: (state: State) => void): number[] => {
  const made: number[] = []
  do {
    made.push(world.feed(ticked(at, at)).length)
    after(world.state)
  } while (deadline(world.state) <= at)
  return made
}

growth('sessions that end at one moment do so a few at a time, by what they had asked for', () => {
  const silence = { keepAliveS: 1 }
  const expiry = { keepAliveS: 0, properties: { sessionExpiryInterval: 1 } }
  for (const wish of [silence, expiry]) {
    const world = new World()
    for (let slot = 0; slot < 20; slot++) {
      const conn: Conn = { slot, generation: 1 }
      world.feed(
        opened(conn, 0, `n${slot}`, 'test', { address: '127.0.0.1', port: 50_000 }),
        arrived(conn, 0, Packet.connect({ clientId: `c${slot}`, ...wish })),
        ...Array.from({ length: 2_000 }, (_, i) => `s/${slot}/${i}`).map((filter) =>
          arrived(conn, 0, Packet.subscribe(filter))
        ),
      )
      if (wish === expiry) world.feed(closed(conn, 0, 'failed'))
    }
    let before = Tree.size(world.state.filters.tree)
    const gone: number[] = []
    ticksUntil(world, 1_500, ({ filters: { tree } }) => {
      gone.push(before - Tree.size(tree))
      before = Tree.size(tree)
    })
    assert.is(before, 0)
    assert.ok(Math.max(...gone) <= 12_000, gone.join(' '))
  }
})

growth('wills that are due at one moment are published a few at a time, by who gets them', () => {
  const world = new World()
  for (let slot = 0; slot < 200; slot++) {
    // By an identifier it is a packet of its own for each.
    const properties = { subscriptionIdentifiers: [1] }
    const asking = { ...Packet.subscribe('w'), properties } as Packet
    world.feed(arrived(world.connect(slot), 0, asking))
  }
  for (let slot = 200; slot < 500; slot++) {
    const conn: Conn = { slot, generation: 1 }
    const will = { topic: 'w', properties: { willDelayInterval: 1 } }
    const properties = { sessionExpiryInterval: 100 }
    const connecting = Packet.connect({ clientId: `c${slot}`, keepAliveS: 0, will, properties })
    world.feed(
      opened(conn, 0, `n${slot}`, 'test', { address: '127.0.0.1', port: 50_000 }),
      arrived(conn, 0, connecting),
      closed(conn, 0, 'failed'),
    )
  }
  const made = ticksUntil(world, 1_000, () => {})
  assert.ok(made.reduce((one, other) => one + other) >= 300 * 200, made.join(' '))
  assert.ok(Math.max(...made) <= 12_000, made.join(' '))
})

/** Messages that wait in the sessions that are away, by now. */
const queuedIn = ({ sessions }: State): number => {
  let count = 0
  for (const [, { queue }] of IntMap.entries(sessions)) count += Queue.size(queue)
  return count
}

/** Lets a client connect, say something, and go without a word. */
const visit = (
  world: World,
  slot: number,
  connect: Omit<Parameters<typeof Packet.connect>[0], 'clientId'>,
  ...packets: Packet[]
): void => {
  const conn: Conn = { slot, generation: 1 }
  world.feed(
    opened(conn, 0, `n${slot}`, 'test', { address: '127.0.0.1', port: 50_000 }),
    arrived(conn, 0, Packet.connect({ clientId: `c${slot}`, keepAliveS: 0, ...connect })),
    ...packets.map((packet) => arrived(conn, 0, packet)),
    closed(conn, 0, 'failed'),
  )
}

growth('wills are published a few at a time also where all who get them are away', () => {
  const world = new World()
  const properties = { sessionExpiryInterval: 100 }
  for (let slot = 0; slot < 200; slot++) {
    visit(world, slot, { properties }, Packet.subscribe({ filter: 'w', qos: 1 }))
  }
  const will = { topic: 'w', qos: 1, properties: { willDelayInterval: 1 } } as const
  for (let slot = 200; slot < 500; slot++) visit(world, slot, { properties, will })
  let before = 0
  const queued: number[] = []
  ticksUntil(world, 1_000, (state) => {
    queued.push(queuedIn(state) - before)
    before = queuedIn(state)
  })
  assert.is(before, 300 * 200)
  assert.ok(Math.max(...queued) <= 12_000, queued.join(' '))
})

/** How many of 49 members of a group, whose sessions end together, end in each tick. */
const membersLeaving = (world: World): number[] => {
  for (let slot = 0; slot < 50; slot++) {
    const properties = { sessionExpiryInterval: slot === 0 ? 100 : 1 }
    visit(world, slot, { properties }, Packet.subscribe({ filter: '$share/g/w', qos: 1 }))
  }
  const publisher = world.connect(50)
  for (let i = 0; i < 5_000; i++) {
    world.feed(arrived(publisher, 0, Packet.publish({ topic: 'w', payload: 'x', qos: 1 })))
  }
  const left = new Array<number>()
  let before = IntMap.size(world.state.sessions)
  ticksUntil(world, 1_000, ({ sessions }) => {
    left.push(before - IntMap.size(sessions))
    before = IntMap.size(sessions)
  })
  assert.is(before, 2)
  return left
}

growth('what members of a group leave behind changes hands a little at a time', () => {
  const world = new World()
  const left = membersLeaving(world)
  assert.is(queuedIn(world.state), 5_000)
  assert.ok(left.length > 1, left.join(' '))
})

growth('where the others have no room either, few members of a group ask them in a tick', () => {
  const left = membersLeaving(new World({ ...config, queuedCountMax: 100 }))
  assert.ok(left.length > 5, left.join(' '))
})

growth('wills to a group whose members would all lose them are published a few at a time', () => {
  const world = new World()
  const properties = { sessionExpiryInterval: 100 }
  for (let slot = 0; slot < 200; slot++) {
    visit(world, slot, { properties }, Packet.subscribe('$share/g/w'))
  }
  const will = { topic: 'w', properties: { willDelayInterval: 1 } }
  for (let slot = 200; slot < 500; slot++) visit(world, slot, { properties, will })
  const waiting = ({ sessions }: State): number => {
    let count = 0
    for (const [, session] of IntMap.entries(sessions)) if (session.will !== null) count++
    return count
  }
  let before = waiting(world.state)
  const published: number[] = []
  ticksUntil(world, 1_000, (state) => {
    published.push(before - waiting(state))
    before = waiting(state)
  })
  assert.is(before, 0)
  // Each of them is offered to all of the group.
  assert.ok(Math.max(...published) <= 60, published.join(' '))
})

growth('who may not be there any more goes a few at a time, by what they had asked for', () => {
  const world = new World()
  for (let slot = 0; slot < 20; slot++) {
    const conn = world.connect(slot)
    for (let i = 0; i < 2_000; i++) {
      world.feed(arrived(conn, 0, Packet.subscribe(`s/${slot}/${i}`)))
    }
  }
  world.feed(reconfigured(1, { ...config, allowAnonymous: false }))
  let before = Tree.size(world.state.filters.tree)
  const gone: number[] = []
  ticksUntil(world, 1, ({ filters: { tree } }) => {
    gone.push(before - Tree.size(tree))
    before = Tree.size(tree)
  })
  assert.is(before, 0)
  assert.ok(Math.max(...gone) <= 12_000, gone.join(' '))
})

growth('a message more costs a long queue as many new objects as a short one', () => {
  const costOf = (length: number): number => {
    const world = new World()
    const publisher = world.connect(0)
    const subscriber = world.connect(1)
    world.feed(arrived(subscriber, 0, Packet.subscribe({ filter: 'q', qos: 1 })))
    let sent = 0
    const publish = (count: number): void => {
      for (let left = count; left > 0; left -= 100) {
        const some = Array.from({ length: Math.min(100, left) }, () => {
          const packetId = sent++ % 65_535 + 1
          const packet = Packet.publish({ topic: 'q', qos: 1, packetId, payload: 'x' })
          return arrived(publisher, 0, packet)
        })
        world.feed(...some)
      }
    }
    publish(length)
    const known = new Set<unknown>()
    weighed([world.state], known)
    publish(100)
    return weighed([world.state], known)[0]
  }
  const short = costOf(1_000)
  const long = costOf(50_000)
  assert.ok(long < short * 1.5 + 50, `${long} new objects against ${short}`)
})

growth('what explains a message looks at few of the many that wait', () => {
  const state = waiting({ filter: 'q', identifiers: false })
  const session = IntMap.get(state.sessions, StrMap.get(state.clients, 'away')!)!
  let visits = 0
  let queue: Session['queue'] = Queue.empty
  for (const { order, ...rest } of Queue.entries(session.queue)) {
    const counted = {
      ...rest,
      get order() {
        visits++
        return order
      },
    }
    queue = Queue.push(queue, null, counted)
  }
  const watched = { ...session, queue }
  const [first, last] = [Queue.peek(session.queue)!.order, Queue.last(session.queue)!.order]
  assert.equal(newIn(watched, last).map(([{ order }]) => order), [last])
  for (const order of [first, first + 1, last - 1, last]) {
    assert.is(queuedAt(watched, order)?.order, order)
  }
  assert.is(queuedAt(watched, last + 1), undefined)
  assert.ok(visits < 100, `${visits} visits`)
})

growth('a live message is held against what is still to come once, however many copies go', () => {
  let looks = 0
  const counting = {
    ...config,
    // Asked for before each look at what is to come, whether the client could take it.
    get queuedBytesMax() {
      looks++
      return 0
    },
  }
  const world = new World(counting)
  const publisher = world.connect(0)
  const say = (topic: string, retain: boolean): void => {
    const packet = Packet.publish({ topic, payload: 'x', retain })
    world.feed(arrived(publisher, 0, packet))
  }
  for (let i = 0; i < 1_000; i++) say(`a/a/a/a/a/a/a/a/a/${i}`, true)
  const filters = Array.from(
    { length: 512 },
    (_, i) =>
      Array.from({ length: 9 }, (_, level) => (i >> level) % 2 ? '+/' : 'a/').join('') + '+',
  )
  const subscriber = world.connect(1)
  world.feed(arrived(subscriber, 0, Packet.subscribe(filters)))
  const told = IntMap.get(world.state.sessions, 1)!
  assert.ok(Queue.size(told.catchUps) > 500)
  world.feed(written(subscriber, 0, told.sentBytes))
  for (let i = 0; i < 2; i++) {
    looks = 0
    say('a/a/a/a/a/a/a/a/a/999', false)
    assert.ok(looks < 5_000, `${looks} looks`)
  }
})

growth('who does not go on with what is retained costs no more with every new topic', () => {
  const world = new World({ ...config, queuedCountMax: 100 })
  const publisher = world.connect(0)
  const subscriber = world.connect(1)
  const retained = (topic: string, payload: string, qos: 0 | 1 = 0): Input =>
    arrived(publisher, 0, Packet.publish({ topic, payload, qos, packetId: 1, retain: true }))
  // More than its window and half of its queue take.
  world.feed(...Array.from({ length: 100 }, (_, i) => retained(`kept/${i}`, 'x', 1)))
  world.feed(arrived(subscriber, 0, Packet.subscribe({ filter: '#', qos: 1 })))
  let at = 0
  const settle = (): void => {
    world.feed(written(subscriber, ++at, 2 ** 50))
    while (deadline(world.state) <= world.state.now) world.feed(ticked(++at, at))
  }
  settle()
  let round = 0
  const objectsAfter = (count: number): number => {
    for (let i = 0; i < count; i++) {
      world.feed(retained(`passing/${round}`, 'x'), retained(`passing/${round++}`, ''))
      if (i % 100 === 0) settle()
    }
    return weighed([world.state], new Set())[0]
  }
  const before = objectsAfter(10_000)
  const after = objectsAfter(10_000)
  assert.ok(after < before + 1_500, `${before} objects became ${after}`)
})

growth.run()
