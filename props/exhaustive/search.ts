// Every history there is: from the beginning, each of the two clients, each of the packets under
// way and each possible loss goes next, until nothing can happen any more. Histories that have led
// to the same place go on together. Laws about single steps are thrown from below; here are those
// about the end: everything has arrived as promised, nothing is left over, and nothing goes on for
// ever.

import * as IntMap from '../../core/data/int-map.ts'
import * as Queue from '../../core/data/queue.ts'
import * as Window from '../../core/data/window.ts'
import { broken } from './client.ts'
import type { Setting } from './setting.ts'
import { letters } from './setting.ts'
import type { Move, Side } from './tables.ts'
import { moves, Tables } from './tables.ts'
import { text } from './text.ts'
import type { Watched } from './watch.ts'

export interface Finding {
  /** Which law was broken. */
  readonly law: string
  /** What happened, one line each, up to that point. */
  readonly history: ReadonlyArray<string>
}

export interface Outcome {
  readonly nodes: number
  readonly edges: number
  /** States in which nothing is under way. */
  readonly ends: number
  /** States of the broker by itself, and steps that it really took. */
  readonly brokers: number
  readonly steps: number
  readonly finding: Finding | null
  readonly tables: Tables
}

/** All that is found, by number; node 0 is the beginning. */
interface Graph {
  readonly numbers: Map<number, number>
  readonly brokers: number[]
  readonly publishers: number[]
  readonly subscribers: number[]
  /** The node from which this one was found first, and by what. */
  readonly from: number[]
  readonly by: number[]
  /** Targets of all edges; those of a node are from its `first` to the `first` of the next. */
  readonly first: number[]
  readonly targets: number[]
}

const sideMax = 2 ** 18
const brokerMax = 2 ** 17

const find = (
  graph: Graph,
  broker: number,
  publisher: number,
  subscriber: number,
  from: number,
  by: number,
): number => {
  if (broker >= brokerMax || publisher >= sideMax || subscriber >= sideMax) {
    throw new Error('there is more of something than a key has room for')
  }
  const key = (broker * sideMax + publisher) * sideMax + subscriber
  const known = graph.numbers.get(key)
  if (known !== undefined) return known
  const number = graph.brokers.push(broker) - 1
  graph.numbers.set(key, number)
  graph.publishers.push(publisher)
  graph.subscribers.push(subscriber)
  graph.from.push(from)
  graph.by.push(by)
  return number
}

/** Moves of the publisher, then those of the subscriber, as numbers. */
const moveCount = moves.length * 2

const hasBegun = (tables: Tables, subscriber: number): boolean => {
  const { client } = tables.sides.values[subscriber]!
  return client.role === 'subscriber' && client.isSubscribed
}

/** Makes one move; answers false where it cannot be made. */
const go = (tables: Tables, graph: Graph, node: number, by: number): boolean => {
  const broker = graph.brokers[node]!
  const publisher = graph.publishers[node]!
  const subscriber = graph.subscribers[node]!
  const isPublishers = by < moves.length
  const move = moves[by % moves.length]!
  // Nobody is promised what was published before his subscription.
  if (move === 'publish' && !hasBegun(tables, subscriber)) return false
  const moved = tables.move(isPublishers ? publisher : subscriber, move)
  if (moved === null) return false
  let [p, s] = isPublishers ? [moved.side, subscriber] : [publisher, moved.side]
  let b = broker
  if (moved.event >= 0) {
    const stepped = tables.step(broker, moved.event)
    b = stepped.broker
    p = tables.hear(p, stepped.publisher)
    s = tables.hear(s, stepped.subscriber)
  }
  graph.targets.push(find(graph, b, p, s, node, by))
  return true
}

/** The last places of the messages of one quality are in their order, as the first ones are. */
const checkLast = (setting: Setting, log: string): void => {
  setting.publishes.forEach((qos, message) => {
    const next = setting.publishes.indexOf(qos, message + 1)
    if (next < 0) return
    if (log.lastIndexOf(letters[message]!) > log.lastIndexOf(letters[next]!)) {
      broken(`the last copies in ${log} are out of order`)
    }
  })
}

/** What must be true when nothing is under way. */
const checkEnd = (setting: Setting, broker: Watched, publisher: Side, subscriber: Side): void => {
  const { client: p } = publisher
  const { client: s } = subscriber
  if (p.role !== 'publisher' || s.role !== 'subscriber') throw new Error('the sides are mixed up')
  if (!p.isOnline || !s.isOnline) broken('a client waits for its CONNACK for ever')
  if (!s.isSubscribed) broken('the subscriber waits for its SUBACK for ever')
  if (p.unfinished.length > 0) {
    broken(`the publisher waits for ever: ${JSON.stringify(p.unfinished)}`)
  }
  if (p.begun < setting.publishes.length) broken('the publisher may not publish any more')
  setting.publishes.forEach((qos, message) => {
    const letter = letters[message]!
    const count = s.log.split(letter).length - 1
    const isOnce = qos === 2 && setting.granted === 2
    if (count === 0 || (isOnce && count > 1)) broken(`${letter} was delivered ${count} times`)
  })
  checkLast(setting, s.log)
  if (s.received.length > 0) broken(`the subscriber was never released from ${s.received.join()}`)
  const { exchanges, held } = broker.notebook
  if (exchanges.length > 0 || held.length > 0) broken('an exchange was never finished')
  for (const [, session] of IntMap.entries(broker.state.sessions)) {
    const leftovers: ReadonlyArray<readonly [what: string, count: number]> = [
      ['window', Window.size(session.window)],
      ['waiting', session.waitingCount],
      ['queue', Queue.size(session.queue)],
      ['queued bytes', session.queuedBytes],
      ['incoming', Window.size(session.incoming)],
      ['incoming bytes', session.incomingBytes],
      ['receive quota', session.receivingCount],
    ]
    for (const [what, count] of leftovers) {
      if (count !== 0) broken(`${session.clientId}: ${what} is ${count} in the end`)
    }
  }
}

/** The ways to here, from the beginning. */
const historyOf = (tables: Tables, graph: Graph, node: number, by: number): string[] => {
  const way: Array<readonly [node: number, by: number]> = []
  if (by >= 0) way.push([node, by])
  for (let at = node; at > 0; at = graph.from[at]!) way.push([graph.from[at]!, graph.by[at]!])
  return way.reverse().map(([at, one]) => lineOf(tables, graph, at, one))
}

const lineOf = (tables: Tables, graph: Graph, node: number, by: number): string => {
  const isPublishers = by < moves.length
  const move = moves[by % moves.length]!
  const side = tables.sides.values[(isPublishers ? graph.publishers : graph.subscribers)[node]!]!
  const who = side.client.role
  const head = (packets: ReadonlyArray<number> | null): string =>
    text(tables.packets.values[packets![0]!]!)
  const said: { readonly [move in Move]: () => string } = {
    publish: () => `${who} publishes the next message`,
    up: () => `${who} ${side.client.conns} > ${head(side.up)}`,
    down: () => `${who} ${side.client.conns} < ${head(side.down)}`,
    cut: () => `${who} loses its connection and begins another`,
    late: () => `${who} ${side.client.conns - 1} > ${head(side.left)} (sent before the loss)`,
    gone: () => `the broker learns that ${who} ${side.client.conns - 1} is gone`,
  }
  return said[move]()
}

/** A node that is on a circle or after one, or -1: what is left when beginnings are peeled off. */
const findCircle = (graph: Graph): number => {
  const count = graph.brokers.length
  const into = new Int32Array(count)
  for (const target of graph.targets) into[target]!++
  const ready: number[] = [0]
  let peeled = 0
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    peeled++
    for (let i = graph.first[node]!; i < graph.first[node + 1]!; i++) {
      const target = graph.targets[i]!
      if (--into[target]! === 0) ready.push(target)
    }
  }
  return peeled === count ? -1 : into.findIndex((one) => one > 0)
}

export const search = (setting: Setting): Outcome => {
  const tables = new Tables(setting)
  const graph: Graph = {
    numbers: new Map(),
    brokers: [],
    publishers: [],
    subscribers: [],
    from: [],
    by: [],
    first: [],
    targets: [],
  }
  find(graph, ...tables.first, -1, -1)
  let ends = 0
  let finding: Finding | null = null
  for (let node = 0; node < graph.brokers.length && finding === null; node++) {
    graph.first.push(graph.targets.length)
    let by = 0
    try {
      let isEnd = true
      for (; by < moveCount; by++) {
        // A loss is always possible while there is one left: it is no sign of life.
        if (go(tables, graph, node, by) && moves[by % moves.length] !== 'cut') isEnd = false
      }
      by = -1
      if (isEnd) {
        ends++
        checkEnd(
          setting,
          tables.brokers.values[graph.brokers[node]!]!,
          tables.sides.values[graph.publishers[node]!]!,
          tables.sides.values[graph.subscribers[node]!]!,
        )
      }
    } catch (error) {
      const law = error instanceof Error ? error.message : String(error)
      finding = { law, history: historyOf(tables, graph, node, by) }
    }
  }
  graph.first.push(graph.targets.length)
  const circle = finding === null ? findCircle(graph) : -1
  if (circle >= 0) {
    finding = { law: 'histories go round for ever', history: historyOf(tables, graph, circle, -1) }
  }
  return {
    nodes: graph.brokers.length,
    edges: graph.targets.length,
    ends,
    brokers: tables.brokers.values.length,
    steps: tables.steps,
    finding,
    tables,
  }
}

export const told = ({ law, history }: Finding): string => [...history, `=> ${law}`].join('\n')
