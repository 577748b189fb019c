// What the broker says about itself under `$SYS/broker/`, as mosquitto has it: retained messages of
// QoS 2, published where they changed, on multiples of the interval on the wall's clock. A round
// looks at some sessions at a time, then publishes some values at a time, so that nobody waits for
// it.

import type { Publish } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import { encodeUtf8 } from '../codec/utf8.ts'
import * as Bytes from '../data/bytes.ts'
import * as Heap from '../data/heap.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import * as Tree from '../topic/tree.ts'
import type { Config } from './config.ts'
import type { Draft } from './draft.ts'
import type { Measured } from './input.ts'
import { publishOwn } from './kept.ts'
import { forget } from './retain.ts'
import { NEVER, type Sys } from './state.ts'
import { minutes, sysTopics } from './sys-topic.ts'

/** Sessions looked at, or effects of what is published, before others get their turn. */
const PORTION = 1_000

/** What the shell knows of the process. */
export const measured = (draft: Draft, input: Measured): void => {
  const { receivedBytes, heapBytes, waitingPackets, waitingBytes } = input
  const heapBytesMax = Math.max(draft.sys.heapBytesMax, heapBytes)
  const told = { receivedBytes, heapBytes, waitingPackets, waitingBytes }
  draft.sys = { ...draft.sys, ...told, heapBytesMax }
}

/** The configuration has changed: rounds begin, or end and leave nothing behind. */
export const rearm = (draft: Draft, before: Config): void => {
  const { sysIntervalMs } = draft.config
  if (sysIntervalMs === before.sysIntervalMs) return
  if (sysIntervalMs > 0) {
    draft.sys = { ...draft.sys, dueAt: Math.min(draft.sys.dueAt, draft.now) }
    return
  }
  for (const topic of sysTopics) forget(draft, topic)
  const values = draft.sys.values.map(() => '')
  draft.sys = { ...draft.sys, dueAt: NEVER, walk: null, pending: null, values }
}

/** Goes on with the round that is due, if there is one; what others wait for comes first. */
export const report = (draft: Draft): void => {
  if (draft.sys.dueAt > draft.now) return
  if (draft.recheck !== null) return
  const timer = Heap.peek(draft.timers)
  if (Queue.size(draft.catching) > 0 || (timer !== undefined && timer.at <= draft.now)) return
  if (draft.sys.pending === null) {
    const isOver = walk(draft)
    if (!isOver) return
    evaluate(draft)
  }
  publishSome(draft)
}

/** Adds up what only the sessions know; answers whether all have been looked at. */
const walk = (draft: Draft): boolean => {
  const before = draft.sys.walk ?? { after: -1, messages: 0, bytes: 0, subscriptions: 0 }
  let { after, messages, bytes, subscriptions } = before
  for (let i = 0; i < PORTION; i++) {
    const next = IntMap.next(draft.sessions, after)
    if (next === undefined) {
      draft.sys = { ...draft.sys, walk: { after: NEVER, messages, bytes, subscriptions } }
      return true
    }
    const [number, session] = next
    after = number
    messages += Queue.size(session.queue) + Window.size(session.window) +
      Window.size(session.incoming)
    bytes += session.queuedBytes + session.incomingBytes
    subscriptions += StrMap.size(session.subscriptions)
  }
  draft.sys = { ...draft.sys, walk: { after, messages, bytes, subscriptions } }
  return false
}

/** Messages that did not reach somebody for want of room. */
const droppedCount = ({ counters: { dropped } }: Draft): number =>
  dropped['queue full'] + dropped['back-pressure'] + dropped['memory short'] +
  dropped['store full']

/** What the averages are made of, in the order in which they are named. */
const countsOf = (draft: Draft): ReadonlyArray<number> => {
  const { traffic } = draft
  return [
    traffic.receivedPublishes + traffic.receivedOthers,
    traffic.sentPublishes + traffic.sentOthers,
    droppedCount(draft),
    traffic.receivedPublishes,
    traffic.sentPublishes,
    draft.sys.receivedBytes,
    traffic.sentBytes,
    traffic.sockets,
    traffic.connects,
  ]
}

const evaluate = (draft: Draft): void => {
  const { now, sys } = draft
  const counts = countsOf(draft)
  const passedMs = now - sys.roundAt
  const averages = passedMs === 0 ? sys.averages : averagesOf(sys, counts, passedMs)
  const values = valuesOf(draft, averages)
  const pending: number[] = []
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== sys.values[i] && values[i] !== '') pending.push(i)
  }
  draft.sys = { ...sys, walk: null, pending, values, averages, counts, roundAt: now }
}

/**
 * Exponential moving averages per minute over one, five and fifteen minutes: what came since the
 * last round weighs the more the longer ago that was.
 */
const averagesOf = (
  { averages, counts: before }: Sys,
  counts: ReadonlyArray<number>,
  passedMs: number,
): ReadonlyArray<number> => {
  const weights = minutes.map((minute) => decay(passedMs / (minute * 60_000)))
  const next: number[] = []
  for (let i = 0; i < counts.length; i++) {
    const perMinute = (counts[i]! - before[i]!) * 60_000 / passedMs
    for (let j = 0; j < weights.length; j++) {
      next.push(perMinute + weights[j]! * (averages[i * weights.length + j]! - perMinute))
    }
  }
  return next
}

/** e to the power of -x, from sums and products alone, so that it is the same on every engine. */
const decay = (x: number): number => {
  if (x > 700) return 0
  let small = x
  let halvings = 0
  for (; small > 1 / 64; halvings++) small /= 2
  let sum = 1
  for (let n = 10; n > 0; n--) sum = 1 - small * sum / n
  for (; halvings > 0; halvings--) sum *= sum
  return sum
}

/** All values, in the order of `sysTopics`; empty for what is not known. */
const valuesOf = (draft: Draft, averages: ReadonlyArray<number>): ReadonlyArray<string> => {
  const { config, traffic, sys } = draft
  const total = IntMap.size(draft.sessions)
  const connected = IntMap.size(draft.links) - IntMap.size(draft.greeting)
  const retained = Tree.size(draft.retained)
  const stored = String((sys.walk?.messages ?? 0) + retained)
  const heap = sys.heapBytes === 0 ? '' : String(sys.heapBytes)
  // Those that are counted in portions are of other moments than the shared ones.
  const unshared = Math.max(0, (sys.walk?.subscriptions ?? 0) - draft.sharedCount)
  const numbers: ReadonlyArray<string | number> = [
    config.version,
    `${Math.floor((draft.now - draft.origin.at) / 1000)} seconds`,
    total,
    total - connected,
    total - connected,
    connected,
    connected,
    traffic.expired,
    traffic.connectedMax,
    stored,
    traffic.receivedPublishes + traffic.receivedOthers,
    traffic.sentPublishes + traffic.sentOthers,
    stored,
    (sys.walk?.bytes ?? 0) + draft.retainedBytes,
    unshared,
    draft.sharedCount,
    retained,
    heap,
    heap === '' ? '' : sys.heapBytesMax,
    droppedCount(draft),
    traffic.receivedPublishes,
    traffic.sentPublishes,
    traffic.receivedPublishBytes,
    traffic.sentPublishBytes,
    sys.receivedBytes,
    traffic.sentBytes,
    IntMap.size(draft.links),
    sys.waitingPackets,
    sys.waitingBytes,
  ]
  return [...numbers.map(String), ...averages.map((average) => average.toFixed(2))]
}

/** Publishes values that changed until it was much; the round is over when all have been. */
const publishSome = (draft: Draft): void => {
  const { pending, values } = draft.sys
  const effects = draft.effects.length
  let done = 0
  while (done < pending!.length && draft.effects.length - effects < PORTION) {
    const index = pending![done]!
    done++
    const packet: Publish = {
      _tag: 'Publish',
      dup: false,
      qos: 2,
      retain: true,
      topic: sysTopics[index]!,
      packetId: 0,
      payload: Bytes.of(encodeUtf8(values[index]!)),
      properties: none,
    }
    publishOwn(draft, packet)
  }
  if (done < pending!.length) {
    draft.sys = { ...draft.sys, pending: pending!.slice(done) }
    return
  }
  const dueAt = draft.now + untilMultiple(draft.wall, draft.config.sysIntervalMs)
  draft.sys = { ...draft.sys, pending: null, dueAt }
}

/** Milliseconds until the clock on the wall is at a multiple of the interval. */
const untilMultiple = (wall: number, intervalMs: number): number => {
  const over = wall % intervalMs
  return Math.max(1, Math.ceil(intervalMs - (over < 0 ? over + intervalMs : over)))
}
