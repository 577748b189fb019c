// How what the broker does grows with what it holds: matching among a million subscriptions,
// subscribing at that size, what a subscription weighs, a million retained messages, long queues.
// No sockets, one process. Prints JSON. growth.ts bundles this file and runs it with the names of
// the rows; it wants `--expose-gc`.

import {
  arrived,
  type Conn,
  createReader,
  deadline,
  defaultLimits,
  defaults,
  type Effect,
  encode,
  initial,
  type Input,
  none,
  opened,
  type Packet,
  parseTopicFilter,
  parseTopicName,
  run,
  type State,
  ticked,
  type TopicName,
  written,
} from '../../core/mod.ts'
import * as Tree from '../../core/topic/tree.ts'

interface Row {
  readonly name: string
  /** How many things of its kind the broker holds meanwhile. */
  readonly size: number
  readonly value: number
  readonly unit: string
}

const seconds = Number(process.argv[2])
const names = process.argv.slice(3)
const rows: Row[] = []
const row = (name: string, size: number, value: number, unit: string): void => {
  rows.push({ name, size, value, unit })
}

const config = {
  ...defaults,
  subscriptionsPerSessionMax: 1_000_000,
  sessionsMax: 1_000_000,
  retainedCountMax: 2_000_000,
  retainedBytesMax: 2 ** 40,
  queuedCountMax: 200_000,
  queuedBytesMax: 0,
}

const batchInputs = 128

const cpuS = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const orThrow = <A>(either: { _tag: 'Left'; left: unknown } | { _tag: 'Right'; right: A }): A => {
  if (either._tag === 'Left') throw new Error(String(either.left))
  return either.right
}

const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!

/** Live bytes of the heap, after the collector has been through it. */
const heldBytes = (): number => {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('this wants node --expose-gc')
  gc()
  gc()
  return process.memoryUsage().heapUsed
}

/**
 * The filters, six to a site: four devices of the site, one device wherever it is, and all of the
 * site. So a topic that matches any of them matches as many in a large broker as in a small one.
 */
const filterAt = (i: number): string => {
  const site = Math.floor(i / 6)
  const kind = i % 6
  if (kind < 4) return `site/${site}/dev${site * 4 + kind}/temp`
  return kind === 4 ? `site/+/dev${site * 4}/temp` : `site/${site}/#`
}

/** A topic of some site that three filters match. */
const topicAt = (site: number): TopicName =>
  orThrow(parseTopicName(`site/${site}/dev${site * 4}/temp`))

/** The packet as it comes out of the decoder, so that its strings are as they are in production. */
const decoded = (packet: Packet): Packet => {
  const frame = encode(4, packet)
  const reader = createReader(defaultLimits, 4)
  reader.push(frame, 0, frame.length)
  const next = reader.next()
  if (next === null || next._tag === 'Left') throw new Error('a packet of ours is broken')
  reader.release()
  return next.right
}

const peer = { address: '127.0.0.1', port: 40_000 }

class World {
  state: State = initial(config, { at: 0, wall: 1_700_000_000_000, seed: 1 })

  feed(inputs: ReadonlyArray<Input>): ReadonlyArray<Effect> {
    const [state, effects] = run(this.state, inputs)
    this.state = state
    return effects
  }

  connect(slot: number, cleanStart = true): Conn {
    const conn: Conn = { slot, generation: 1 }
    const packet: Packet = {
      _tag: 'Connect',
      level: 4,
      bridge: false,
      cleanStart,
      keepAliveS: 0,
      clientId: `client-${slot}`,
      will: null,
      userName: null,
      password: null,
      properties: none,
    }
    this.feed([opened(conn, 0, `N-${slot}`, '1883', peer), arrived(conn, 0, packet)])
    return conn
  }
}

const subscribing = (conn: Conn, filter: string, qos: 0 | 1 = 0): Input =>
  arrived(
    conn,
    0,
    decoded({
      _tag: 'Subscribe',
      packetId: 1,
      requests: [
        {
          filter: orThrow(parseTopicFilter(filter)),
          qos,
          noLocal: false,
          retainAsPublished: false,
          retainHandling: 0,
        },
      ],
      properties: none,
    }),
  )

const unsubscribing = (conn: Conn, filter: string): Input =>
  arrived(
    conn,
    0,
    decoded({
      _tag: 'Unsubscribe',
      packetId: 1,
      filters: [orThrow(parseTopicFilter(filter))],
      properties: none,
    }),
  )

const publishing = (
  conn: Conn,
  topic: TopicName,
  qos: 0 | 1,
  retain: boolean,
  packetId: number,
): Input =>
  arrived(conn, 0, {
    _tag: 'Publish',
    dup: false,
    qos,
    retain,
    topic,
    packetId,
    payload: { buffer: payload, start: 0, end: payload.length },
    properties: none,
  })

const payload = new Uint8Array(16).fill(120)

/** Feeds so many inputs in batches; answers the seconds that `run` took. */
const fed = (world: World, count: number, make: (i: number) => Input): number => {
  let spent = 0
  for (let i = 0; i < count;) {
    const inputs: Input[] = []
    while (inputs.length < batchInputs && i < count) inputs.push(make(i++))
    const before = process.hrtime.bigint()
    world.feed(inputs)
    spent += Number(process.hrtime.bigint() - before) / 1e9
  }
  return spent
}

const perSession = 1_000

/** How many nanoseconds one answer costs, asked for these topics in turn. */
const matchNs = (world: World, topics: ReadonlyArray<TopicName>): number => {
  const { tree } = world.state.filters
  let found = 0
  const round = (): number => {
    const before = cpuS()
    let count = 0
    let spent = 0
    while (spent < seconds / 5) {
      for (let i = 0; i < topics.length; i++) found += Tree.find(tree, topics[i]!).length
      count += topics.length
      spent = cpuS() - before
    }
    return spent / count * 1e9
  }
  round()
  const values = [1, 2, 3, 4, 5].map(round)
  if (found % 3 !== 0) throw new Error('a topic does not match three filters')
  return median(values)
}

/** Topics that nobody can have in a cache: sites in an order that jumps about. */
const scattered = (sites: number, count: number): TopicName[] =>
  Array.from({ length: count }, (_, i) => topicAt((i * 7_919 + 13) % sites))

const subscriptions = (): void => {
  const hot = scattered(160, 128)
  const world = new World()
  const conns: Conn[] = []
  for (let i = 0; i < 1_100; i++) conns.push(world.connect(i))
  const before = heldBytes()
  let held = 0
  const grow = (count: number): number => {
    const from = held
    held += count
    const connAt = (i: number): Conn => conns[Math.floor(i / perSession)]!
    return fed(world, count, (i) => subscribing(connAt(from + i), filterAt(from + i)))
  }
  for (const size of [1_000, 100_000, 1_000_000]) {
    grow(size - held)
    row('match-hot', size, matchNs(world, hot), 'ns')
    const sites = Math.floor(size / 6)
    row('match-random', size, matchNs(world, scattered(sites, Math.min(sites, 50_000))), 'ns')
    if (size === 1_000) continue
    row('subscription', size, (heldBytes() - before) / size, 'bytes')
    const count = 20_000
    const subscribed: number[] = []
    const unsubscribed: number[] = []
    for (let round = 0; round < 3; round++) {
      subscribed.push(fed(world, count, (i) => subscribing(conns[1_000 + i % 100]!, `x/${i}/y`)))
      unsubscribed.push(
        fed(world, count, (i) => unsubscribing(conns[1_000 + i % 100]!, `x/${i}/y`)),
      )
    }
    row('subscribe', size, count / median(subscribed), 'per second')
    row('unsubscribe', size, count / median(unsubscribed), 'per second')
    const again: number[] = []
    for (let round = 0; round < 3; round++) {
      // From everywhere in the tree, not from a corner of it.
      const at = (i: number): number => (i * 7_919 + round) % size
      const connAt = (i: number): Conn => conns[Math.floor(at(i) / perSession)]!
      const gone = fed(world, count, (i) => unsubscribing(connAt(i), filterAt(at(i))))
      const back = fed(world, count, (i) => subscribing(connAt(i), filterAt(at(i))))
      again.push(gone + back)
    }
    row('resubscribe', size, 2 * count / median(again), 'per second')
    const publisher = conns[1_099]!
    const publishCount = 50_000
    const publish = (): number =>
      fed(
        world,
        publishCount,
        (i) => publishing(publisher, topicAt((i * 7_919 + 13) % sites), 0, false, 0),
      )
    publish()
    row('publish-random', size, median([1, 2, 3].map(publish)) / publishCount * 1e9, 'ns')
    for (let i = 0; i < conns.length; i++) world.feed([written(conns[i]!, 0, 2 ** 50)])
  }
}

const retained = (): void => {
  const world = new World()
  const publisher = world.connect(0)
  let subscribers = 1
  let held = 0
  const before = heldBytes()
  for (const size of [1_000, 100_000, 1_000_000]) {
    const from = held
    held = size
    // Ten devices to a site.
    const topicOf = (i: number): TopicName =>
      orThrow(parseTopicName(`site/${Math.floor(i / 10)}/dev${i}/temp`))
    const spent = fed(
      world,
      size - from,
      (i) => publishing(publisher, topicOf(from + i), 0, true, 0),
    )
    row('retain', size, spent / (size - from) * 1e9, 'ns')
    if (size > 1_000) row('retained', size, (heldBytes() - before) / size, 'bytes')
    const times: number[] = []
    for (let i = 0; i < 200; i++) {
      const conn = world.connect(subscribers++)
      const input = subscribing(conn, `site/${(i * 7) % (size / 10)}/+/temp`)
      const start = process.hrtime.bigint()
      const effects = world.feed([input])
      times.push(Number(process.hrtime.bigint() - start) / 1e3)
      const got = effects.filter((one) => one._tag === 'Send' && one.packet._tag === 'Publish')
      if (got.length !== 10) throw new Error(`${got.length} retained messages instead of ten`)
    }
    row('retained-ten', size, median(times), 'us')
  }
  const conn = world.connect(subscribers++)
  const streams: number[] = []
  const steps: number[] = []
  let got = 0
  let at = 0
  const one = (input: Input): void => {
    const start = process.hrtime.bigint()
    const effects = world.feed([input])
    const took = Number(process.hrtime.bigint() - start) / 1e6
    steps.push(took)
    streams.push(took)
    for (const effect of effects) {
      if (effect._tag === 'Send' && effect.packet._tag === 'Publish') got++
    }
  }
  one(subscribing(conn, '#'))
  while (deadline(world.state) <= world.state.now) {
    at++
    world.feed([written(conn, at, 2 ** 50)])
    one(ticked(at, at))
  }
  if (got !== held) throw new Error(`${got} of ${held} retained messages`)
  steps.sort((a, b) => a - b)
  row('retained-all', held, streams.reduce((a, b) => a + b, 0) / held * 1e6, 'ns')
  row('retained-all-worst-step', held, steps[steps.length - 1]!, 'ms')
  row('retained-all-p99-step', held, steps[Math.floor(steps.length * 0.99)]!, 'ms')
}

const queues = (): void => {
  const topic = orThrow(parseTopicName('queue/of/one'))
  let times = 0
  // The first one warms the compiler up and is not told.
  for (const size of [20_000, 1_000, 10_000, 100_000]) {
    const isWarm = times++ > 0
    const pushes: number[] = []
    const drains: number[] = []
    for (let round = 0; round < 5; round++) {
      const world = new World()
      const publisher = world.connect(0)
      const subscriber = world.connect(1, false)
      world.feed([subscribing(subscriber, topic, 1)])
      // The window fills and stays full: nothing is acknowledged yet.
      const toAck: number[] = []
      let pushed = 0
      const keep = (effects: ReadonlyArray<Effect>): void => {
        for (const effect of effects) {
          if (effect._tag !== 'Send' || effect.conn.slot !== 1) continue
          if (effect.packet._tag === 'Publish') toAck.push(effect.packet.packetId)
        }
      }
      let spent = 0
      while (pushed < size) {
        const inputs: Input[] = []
        while (inputs.length < batchInputs && pushed < size) {
          inputs.push(publishing(publisher, topic, 1, false, pushed++ % 65_535 + 1))
        }
        const start = process.hrtime.bigint()
        const effects = world.feed(inputs)
        spent += Number(process.hrtime.bigint() - start)
        keep(effects)
      }
      pushes.push(spent / size)
      spent = 0
      let acked = 0
      while (toAck.length > 0) {
        const inputs: Input[] = toAck.splice(0).map((packetId) =>
          arrived(subscriber, 0, { _tag: 'Puback', packetId, reason: 0, properties: none })
        )
        acked += inputs.length
        inputs.push(written(subscriber, 0, 2 ** 50))
        const start = process.hrtime.bigint()
        const effects = world.feed(inputs)
        spent += Number(process.hrtime.bigint() - start)
        keep(effects)
      }
      if (acked !== size) throw new Error(`${acked} of ${size} messages were drained`)
      drains.push(spent / size)
    }
    if (!isWarm) continue
    row('enqueue', size, median(pushes), 'ns')
    row('drain', size, median(drains), 'ns')
  }
}

const works: Record<string, () => void> = { subscriptions, retained, queues }

for (const name of names) works[name]!()
console.log(JSON.stringify(rows))
