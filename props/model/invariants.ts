// What must hold in every state of the broker, worked out again from scratch, and what must hold of
// everything that it ever sent. Both throw with a sentence.

import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input } from '../../core/broker/input.ts'
import type { DropReason } from '../../core/broker/note.ts'
import { isSingle } from '../../core/broker/state.ts'
import { sysTopics } from '../../core/broker/sys-topic.ts'
import { encodedSize, isReason } from '../../core/codec/mod.ts'
import type { Level, Packet, Publish } from '../../core/codec/packet.ts'
import * as B from '../../core/data/bytes.ts'
import * as Heap from '../../core/data/heap.ts'
import * as IntMap from '../../core/data/int-map.ts'
import * as Queue from '../../core/data/queue.ts'
import * as StrMap from '../../core/data/str-map.ts'
import * as Window from '../../core/data/window.ts'
import { NEVER, type Session, type State } from '../../core/mod.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { splitShare } from '../../core/topic/filter.ts'
import { match } from '../../core/topic/match.ts'
import type { TopicName } from '../../core/topic/name.ts'
import * as Tree from '../../core/topic/tree.ts'
import { graphOf } from '../../core/trace/graph.ts'

const must = (holds: boolean, sentence: string): void => {
  if (!holds) throw new Error(sentence)
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

/** Every topic and filter that may be in the broker, since a tree does not tell its keys. */
export interface Vocabulary {
  readonly names: ReadonlyArray<TopicName>
  readonly filters: ReadonlyArray<TopicFilter>
}

/** Throws where the parts of a state do not agree with each other or a limit is exceeded. */
export const check = (state: State, { names, filters }: Vocabulary): void => {
  const sessions = [...IntMap.entries(state.sessions)]
  for (const [number, session] of sessions) checkSession(state, number, session)
  checkLinks(state)
  checkFilters(state, filters)
  checkRetained(state, names)
  must(
    StrMap.size(state.clients) === sessions.length,
    'client identifiers are not as many as sessions',
  )
  for (const [clientId, number] of StrMap.entries(state.clients)) {
    const found = IntMap.get(state.sessions, number)
    must(found?.clientId === clientId, `the session of ${clientId} is another's`)
  }
  must(sessions.length <= state.config.sessionsMax, 'there are more sessions than sessionsMax')
  let ended = 0
  IntMap.each(state.remains, ({ left, queue }) => {
    ended += Queue.size(left) + Queue.size(queue)
  })
  must(state.remainsCount === ended, 'what ended sessions left is counted wrongly')
  const catching = new Set(Queue.entries(state.catching))
  must(catching.size === Queue.size(state.catching), 'a session stands in line twice')
  for (const [number, found] of sessions) {
    must(!found.isCatching || catching.has(number), 'a session waits and stands in no line')
  }
  checkTimers(state)
}

/** Timers are lazy, and leftovers are swept out once there are about a thousand of them. */
export const checkTimers = (state: State): void => {
  const live = IntMap.size(state.links) + IntMap.size(state.sessions) + state.retainedExpiring +
    StrMap.size(state.addresses)
  must(Heap.size(state.timers) <= 2 * live + 1_100, `${Heap.size(state.timers)} timers for ${live}`)
}

const checkSession = (state: State, number: number, session: Session): void => {
  const { config } = state
  const whose = `session "${session.clientId}"`
  must(session.number === number, `${whose} has another number than its place`)

  const window = [...Window.entries(session.window)]
  must(
    new Set(window.map(([id]) => id)).size === window.length,
    `${whose} uses an identifier twice`,
  )
  must(Window.size(session.window) === window.length, `${whose} counts its window wrongly`)
  const ids = [session.nextPacketId, ...window.map(([id]) => id)]
  must(ids.every((id) => id >= 1 && id <= 65_535), `${whose} has an identifier out of range`)
  for (const [, one] of window) {
    must(one.terms.qos > 0, `${whose} has QoS 0 in its window`)
    must((one.stage === 'released') !== ('message' in one), `${whose} keeps what was received`)
    must(
      one.stage !== 'passing' ||
        (session.expiryS === 0 && !session.stored && session.conn !== null &&
          one.terms.share === null),
      `${whose} may want again what was not kept`,
    )
    must(one.stage !== 'released' || one.terms.qos === 2, `${whose} released a message of QoS 1`)
  }
  const waiting = window.filter(([, one]) => one.stage === 'waiting').length
  if (session.conn !== null) {
    must(session.waitingCount === waiting, `${whose} counts ${session.waitingCount} waiting`)
  }

  const queue = [...Queue.entries(session.queue)]
  must(Queue.size(session.queue) === queue.length, `${whose} counts its queue wrongly`)
  const bytes = sum(queue.map((one) => one.message.bytes))
  must(session.queuedBytes === bytes, `${whose} counts ${session.queuedBytes} of ${bytes} bytes`)
  for (const { message } of queue) {
    const size = encodedSize(5, {
      _tag: 'Publish',
      dup: false,
      packetId: 1,
      ...message,
    })
    must(message.bytes === size, `a message of ${size} bytes is taken for ${message.bytes}`)
    // Small payloads of one run may share a buffer.
    const kept = message.payload.buffer.length
    must(kept <= Math.max(8_192, B.size(message.payload)), `a payload keeps ${kept} bytes`)
  }
  const { queuedCountMax, queuedBytesMax } = config
  const lasting = queue.filter(({ terms }) => terms.qos > 0).length
  const most = Math.max(lasting, queue.length - lasting)
  must(queuedCountMax === 0 || most <= queuedCountMax, `${whose} queues too many`)
  must(
    queuedBytesMax === 0 || queue.length < 2 || bytes <= queuedBytesMax,
    `${whose} queues too many bytes`,
  )

  const incoming = [...Window.entries(session.incoming)]
  must(incoming.length <= config.incomingCountMax, `${whose} holds too many QoS 2 messages`)
  const current = session.conn === null ? undefined : IntMap.get(state.links, session.conn.slot)
  if (current !== undefined) {
    const here = incoming.filter(([, one]) => one.opening === current.opening).length
    must(session.receivingCount === here, `${whose} counts what it receives wrongly`)
    if (session.level === 5) must(here <= config.receiveMaximum, `${whose} receives too many`)
  }
  const subscriptions = StrMap.size(session.subscriptions)
  must(subscriptions <= config.subscriptionsPerSessionMax, `${whose} subscribes too often`)
  const catchUps = Queue.size(session.catchUps)
  must(catchUps <= 2 * config.subscriptionsPerSessionMax, `${whose} catches up with too much`)
  const overtaken = StrMap.size(session.overtaken)
  must(catchUps > 0 || overtaken === 0, `${whose} remembers what was sent live for nothing`)
  let held = 0
  for (const [, one] of incoming) held += one.message?.bytes ?? 0
  must(session.incomingBytes === held, `${whose} counts what it holds wrongly`)

  must((session.conn === null) === (session.offlineAt !== NEVER), `${whose} is in two minds`)
  if (session.conn === null) {
    must(session.expiryS > 0, `${whose} outlives its connection and should not`)
    const ends = session.expiryS < 0xffffffff || session.willAt !== NEVER
    must(!ends || session.timerAt !== NEVER, `${whose} will never be looked at again`)
    return
  }
  const link = IntMap.get(state.links, session.conn.slot)
  must(
    link !== undefined && link.conn.generation === session.conn.generation &&
      link.phase.phase === 'Ready' && link.phase.session === number,
    `${whose} is on a connection that knows nothing of it`,
  )
  must(session.takenBytes <= session.sentBytes, `${whose}: more bytes were taken than sent`)
  must(session.inflightCountMax >= 1, `${whose} has no window`)
  const atMostOnce = [...Queue.entries(session.queue)].filter((one) => one.terms.qos === 0).length
  must(session.queuedQos0 === atMostOnce, `${whose} counts its QoS 0 wrongly`)
  const shared = [...Queue.entries(session.queue)].filter(({ terms }) => terms.share !== null)
  must(session.queuedShared === shared.length, `${whose} counts what is shared wrongly`)
  let inflightBytes = 0
  for (const [, one] of Window.entries(session.window)) {
    if (one.stage === 'open' || one.stage === 'passing') inflightBytes += one.message.bytes
  }
  must(
    session.conn === null || session.inflightBytes === inflightBytes,
    `${whose} counts what is in flight wrongly`,
  )
  must(StrMap.size(session.aliases) <= session.aliasMax, `${whose} has too many aliases`)
}

const checkLinks = (state: State): void => {
  const links = [...IntMap.entries(state.links)]
  const addresses = new Map<string, number>()
  const arrivals = new Map<string, number>()
  const greeting = new Map<number, number>()
  for (const [slot, link] of links) {
    must(link.conn.slot === slot, `slot ${slot} holds the link of another`)
    arrivals.set(link.listener, (arrivals.get(link.listener) ?? 0) + 1)
    const { address } = link.peer
    if (!address.startsWith('127.')) addresses.set(address, (addresses.get(address) ?? 0) + 1)
    must(
      link.phase.phase === 'Ready' || link.timerAt !== NEVER,
      `slot ${slot} may hesitate for ever`,
    )
    if (link.phase.phase === 'Judging' || link.phase.phase === 'Authenticating') {
      const { password, properties } = link.phase.connect
      must(password === null, 'a state holds a password')
      must(properties.authenticationData === undefined, 'a state holds what authenticates')
    }
    if (link.phase.phase !== 'Ready') {
      greeting.set(link.opening, slot)
      continue
    }
    must(
      link.phase.keepAliveMs === 0 ||
        link.timerAt <= Math.max(state.now, link.seenAt + 1.5 * link.phase.keepAliveMs),
      `slot ${slot} may be silent for longer than its keep alive`,
    )
    const session = IntMap.get(state.sessions, link.phase.session)
    must(session?.conn?.slot === slot, `slot ${slot} serves a session that knows nothing of it`)
    must(
      IntMap.size(link.phase.aliases) <= link.phase.rules.topicAliasMaximum,
      `slot ${slot} has too many aliases`,
    )
  }
  must(
    JSON.stringify([...IntMap.entries(state.greeting)]) ===
      JSON.stringify([...greeting].sort(([a], [b]) => a - b)),
    'those who have not been accepted are miscounted',
  )
  for (const [address, { count, fullAtUs, timerAt }] of StrMap.entries(state.addresses)) {
    must(count === (addresses.get(address) ?? 0), `connections from ${address} are miscounted`)
    addresses.delete(address)
    must(
      count > 0 || timerAt <= state.now || (fullAtUs > state.now * 1000 && timerAt !== NEVER),
      `${address} is remembered for nothing, or for ever`,
    )
  }
  must(
    JSON.stringify([...StrMap.entries(state.arrivals)].sort()) ===
      JSON.stringify([...arrivals].sort()),
    'the connections of a listener are miscounted',
  )
  must(addresses.size === 0, 'an address with connections is forgotten')
  must(links.length <= state.config.connectionsMax, 'there are more links than connectionsMax')
}

const checkFilters = (state: State, filters: ReadonlyArray<TopicFilter>): void => {
  const { tree } = state.filters
  const distinct = new Set<string>()
  const groups = new Set<number>()
  let direct = 0
  let members = 0
  let held = 0
  for (const filter of filters) {
    const found = Tree.get(tree, filter)
    if (found === undefined) continue
    if (isSingle(found)) {
      direct++
      continue
    }
    direct += IntMap.size(found.direct)
    must(IntMap.size(found.direct) !== 1 || StrMap.size(found.groups) > 0, `${filter} is not alone`)
    for (const [, group] of StrMap.entries(found.groups)) {
      groups.add(group.number)
      members += IntMap.size(group.members)
      must(IntMap.size(group.members) > 0, `a group on ${filter} has no members`)
    }
  }
  for (const [number, session] of IntMap.entries(state.sessions)) {
    for (const [filter, subscription] of StrMap.entries(session.subscriptions)) {
      held++
      const share = splitShare(subscription.filter)
      const at = share === null ? subscription.filter : share.filter
      distinct.add(at)
      const found = Tree.get(tree, at)
      const there = found === undefined || isSingle(found)
        ? found
        : share === null
        ? IntMap.get(found.direct, number)
        : IntMap.get(StrMap.get(found.groups, share.group)!.members, number)
      must(there === subscription && filter === subscription.filter, `${filter} is not in the tree`)
      must(subscription.session === number, `${filter} belongs to another session`)
    }
  }
  must(
    direct + members === held,
    `the tree has ${direct + members} subscriptions, sessions ${held}`,
  )
  must(
    Tree.size(tree) === distinct.size,
    `the tree has ${Tree.size(tree)} of ${distinct.size} filters`,
  )
  const pluses = [...distinct].filter((filter) => filter.includes('+')).map((filter) =>
    filter.split('/').map((level) => level === '+' ? level : '')
  )
  const ways = new Map(pluses.map((levels) => [levels.join('/'), levels.length]))
  must(StrMap.size(state.filters.ways.counts) === ways.size, 'ways to filters are miscounted')
  must(state.filters.ways.levels === sum([...ways.values()]), 'levels of ways are miscounted')
  for (const [group] of IntMap.entries(state.turns)) {
    must(groups.has(group), `turns are kept of group ${group}, which is gone`)
  }
}

const checkRetained = (state: State, names: ReadonlyArray<TopicName>): void => {
  const all = names.filter((name) => !sysTopics.includes(name)).flatMap((name) => {
    const message = Tree.get(state.retained, name)
    must(message === undefined || message.topic === name, `${name} retains what is another's`)
    return message === undefined ? [] : [message]
  })
  // What the broker says about itself is limited by how much it has to say.
  const own = sysTopics.filter((topic) => Tree.get(state.retained, topic) !== undefined).length
  must(state.ownRetained === own, `${state.ownRetained} of ${own} values of $SYS are retained`)
  must(Tree.size(state.retained) === all.length + own, 'retained messages are miscounted')
  const bytes = sum(all.map((message) => message.bytes))
  must(state.retainedBytes === bytes, `${state.retainedBytes} of ${bytes} bytes are retained`)
  const expiring = all.filter((message) => message.expiresAt !== null).length
  must(state.retainedExpiring === expiring, 'retained messages that expire are miscounted')
  must(all.length <= state.config.retainedCountMax, 'too many messages are retained')
  must(bytes <= state.config.retainedBytesMax, 'too many bytes are retained')
  for (const message of all) {
    must(message.retain && B.size(message.payload) > 0, 'something is retained that should not be')
    must(message.payload.buffer.length === B.size(message.payload), 'retained bytes keep others')
  }
}

/** What is kept for later in a state. */
const keptIn = (state: State): Readonly<Record<string, number>> => {
  const sessions = [...IntMap.entries(state.sessions)].map(([, session]) => session)
  return {
    sessions: sessions.length,
    subscriptions: sum(sessions.map((one) => StrMap.size(one.subscriptions))),
    queued: sum(sessions.map((one) => Queue.size(one.queue))),
    queuedBytes: sum(sessions.map((one) => one.queuedBytes)),
    incoming: sum(sessions.map((one) => Window.size(one.incoming))),
    retained: Tree.size(state.retained) - state.ownRetained,
    retainedBytes: state.retainedBytes,
  }
}

/** Throws where there is more in a state than before, although memory is short. */
export const checkShort = (before: State, after: State): void => {
  if (!before.isShort || !after.isShort) return
  const old = keptIn(before)
  for (const [what, size] of Object.entries(keptIn(after))) {
    must(size <= old[what]!, `short of memory, ${what} grew from ${old[what]} to ${size}`)
  }
}

/** What is stored for later in a state, but what is on its way already. */
const storedIn = (state: State): Readonly<Record<string, number>> => {
  const sessions = [...IntMap.entries(state.sessions)].map(([, session]) => session)
  const stored = sessions.filter((one) => one.stored)
  return {
    sessions: stored.length,
    subscriptions: sum(stored.map((one) => StrMap.size(one.subscriptions))),
    incoming: sum(stored.map((one) => Window.size(one.incoming))),
    queuedQos0: sum(stored.map((one) => one.queuedQos0)),
    wills: sessions.filter((one) => one.will !== null && !one.stored).length,
    retained: Tree.size(state.retained) - state.ownRetained,
  }
}

/** Throws where more is stored in a state than before, although the store is full. */
export const checkFull = (before: State, after: State): void => {
  if (!before.isStoreFull || !after.isStoreFull) return
  const old = storedIn(before)
  for (const [what, size] of Object.entries(storedIn(after))) {
    must(size <= old[what]!, `the store is full, and ${what} grew from ${old[what]} to ${size}`)
  }
}

/** Settings, clocks, and what only ever counts up. */
const neverBack: ReadonlySet<keyof State> = new Set([
  ...(['config', 'origin', 'now', 'wall', 'counters', 'traffic', 'sys'] as const),
  ...(['nextMessage', 'nextOpening', 'nextSession', 'nextJoined', 'nextGroup'] as const),
])

/** The value of a number; of anything else how much hangs on it. */
const extentOf = (held: unknown): number => {
  if (typeof held !== 'object' || held === null) return Number(held)
  let extent = 0
  for (const node of graphOf(held, (payload) => payload)) {
    // Neither an array nor text are the names of keys, which stand between the nodes.
    if (Array.isArray(node)) extent += node.length
    else if (typeof node === 'string') extent += 1
  }
  return extent
}

/** Throws where a state holds more than another, from which everybody is known to be gone. */
export const checkEmpty = (state: State, empty: State): void => {
  for (const [key, held] of Object.entries(state)) {
    const name = key as keyof State
    if (neverBack.has(name)) continue
    const [left, none] = [extentOf(held), extentOf(empty[name])]
    must(left === none, `${name} holds ${left} and not ${none}`)
  }
}

// What connections see.

interface Seen {
  accepted: boolean
  closed: boolean
  level: Level | 0
  /** Number of the session, -1 before there is one. */
  session: number
  receiveMaximum: number
  packetBytesMax: number
  aliasMax: number
  /** Topic aliases that the client was told. */
  aliases: Map<number, string>
  sentBytes: number
  /** The authentication method of CONNECT. */
  method: string | undefined
  wantsInformation: boolean
  wantsProblems: boolean
  /** Identifiers of QoS 1 and 2 messages sent on this connection and not finished. */
  unfinished: Set<number>
}

/** What a client knows as long as its session lasts: the exactly-once bookkeeping of a receiver. */
interface Receiver {
  /** Identifiers of QoS 2 messages received and not released. */
  holding: Set<number>
  /** Copies of a QoS 2 message handed to the application. */
  copies: Map<string, number>
}

/** Watches inputs and effects go by, and throws at the first that may not be. */
export interface Watch {
  readonly conns: Map<string, Seen>
  readonly receivers: Map<number, Receiver>
  /** How many copies of a QoS 2 message a client may see: one for each of its subscriptions. */
  readonly allowed: Map<string, number>
  /** The same for all clients together, and what they saw. */
  readonly total: Map<string, number>
  readonly copies: Map<string, number>
  readonly dropped: Map<DropReason, number>
  stale: number
}

export const newWatch = (): Watch => ({
  conns: new Map(),
  receivers: new Map(),
  allowed: new Map(),
  total: new Map(),
  copies: new Map(),
  dropped: new Map(),
  stale: 0,
})

const keyOf = (conn: Conn): string => `${conn.slot}.${conn.generation}`

export const watch = (
  all: Watch,
  before: State,
  input: Input,
  after: State,
  effects: ReadonlyArray<Effect>,
): void => {
  watchInput(all, before, input)
  for (const effect of effects) {
    switch (effect._tag) {
      case 'Send':
        watchSend(all, after, effect.conn, effect.level, effect.packet)
        break
      case 'Multicast':
        must(effect.conns.length > 1, 'a multicast goes to fewer than two')
        must(
          new Set(effect.conns.map(keyOf)).size === effect.conns.length,
          'a multicast goes twice to one connection',
        )
        for (const conn of effect.conns) watchSend(all, after, conn, effect.level, effect.packet)
        break
      case 'Close': {
        const seen = all.conns.get(keyOf(effect.conn))
        must(seen !== undefined, 'a connection is closed that was never opened')
        must(seen?.closed === false, `${keyOf(effect.conn)} is closed twice`)
        if (seen !== undefined) seen.closed = true
        break
      }
      case 'Pause':
      case 'Resume':
      case 'Judge':
        must(all.conns.get(keyOf(effect.conn))?.closed === false, `${effect._tag} after Close`)
        break
      case 'Note':
        if (effect.note._tag === 'Stale') all.stale++
        if (effect.note._tag === 'Dropped') {
          count(all.dropped, effect.note.why, 1)
        }
        if (effect.note._tag === 'SessionEnded') {
          count(all.dropped, 'session ended', effect.note.messages)
        }
    }
  }
  must(after.counters.stale === all.stale, `${after.counters.stale} of ${all.stale} are stale`)
  for (const [why, times] of all.dropped) {
    const counted = after.counters.dropped[why]
    must(counted === times, `${counted} of ${times} were dropped as ${why}`)
  }
}

const count = <K>(map: Map<K, number>, key: K, by: number): void => {
  map.set(key, (map.get(key) ?? 0) + by)
}

const watchInput = (all: Watch, before: State, input: Input): void => {
  if (input._tag === 'Opened') {
    all.conns.set(keyOf(input.conn), {
      accepted: false,
      closed: false,
      level: 0,
      session: -1,
      receiveMaximum: 65_535,
      packetBytesMax: NEVER,
      aliasMax: 0,
      aliases: new Map(),
      sentBytes: 0,
      method: undefined,
      wantsInformation: false,
      wantsProblems: true,
      unfinished: new Set(),
    })
  }
  if (input._tag === 'Closed') {
    const seen = all.conns.get(keyOf(input.conn))
    if (seen !== undefined) seen.closed = true
  }
  if (input._tag !== 'Arrived') return
  const seen = all.conns.get(keyOf(input.conn))
  if (seen === undefined || seen.closed) return
  const { packet } = input
  switch (packet._tag) {
    case 'Connect':
      if (seen.level !== 0) return
      seen.level = packet.level
      seen.receiveMaximum = packet.properties.receiveMaximum ?? 65_535
      seen.packetBytesMax = packet.properties.maximumPacketSize ?? NEVER
      seen.aliasMax = packet.properties.topicAliasMaximum ?? 0
      seen.method = packet.properties.authenticationMethod
      seen.wantsInformation = packet.properties.requestResponseInformation === 1
      seen.wantsProblems = packet.properties.requestProblemInformation !== 0
      return
    case 'Puback':
    case 'Pubcomp':
      seen.unfinished.delete(packet.packetId)
      return
    case 'Pubrec':
      if (packet.reason < 0x80) return
      seen.unfinished.delete(packet.packetId)
      all.receivers.get(seen.session)?.holding.delete(packet.packetId)
      return
    case 'Pubrel':
      return allow(all, before, input.conn, packet.packetId)
    default:
      return
  }
}

const words = (publish: { readonly payload: Publish['payload'] }): string =>
  String.fromCharCode(...B.view(publish.payload).subarray(0, 12))

/** A QoS 2 message is about to be routed: from now on its receivers may see it. */
const allow = (all: Watch, before: State, conn: Conn, packetId: number): void => {
  const link = IntMap.get(before.links, conn.slot)
  if (link === undefined || link.phase.phase !== 'Ready') return
  const publisher = IntMap.get(before.sessions, link.phase.session)
  const message = publisher && Window.get(publisher.incoming, packetId)?.message
  if (message === undefined || message === null) return
  const shares = new Set<string>()
  const direct = new Map<number, number>()
  for (const [, session] of IntMap.entries(before.sessions)) {
    let copies = 0
    for (const [filter] of StrMap.entries(session.subscriptions)) {
      const share = splitShare(filter as TopicFilter)
      if (!match(share === null ? filter as TopicFilter : share.filter, message.topic)) continue
      if (share === null) copies++
      else shares.add(filter)
    }
    direct.set(session.number, copies)
  }
  // A group is worth one copy to all clients together, and any of them may come to have it.
  if (all.total.has(words(message))) return
  all.total.set(words(message), sum([...direct.values()]) + shares.size)
  for (const [number, copies] of direct) {
    // Once for ever: every payload is published once only.
    const key = `${number} ${words(message)}`
    if (!all.allowed.has(key)) all.allowed.set(key, copies + shares.size)
  }
}

const watchSend = (all: Watch, after: State, conn: Conn, level: Level, packet: Packet): void => {
  const key = keyOf(conn)
  const seen = all.conns.get(key)
  if (seen === undefined) throw new Error(`${packet._tag} goes to ${key}, which was never opened`)
  must(!seen.closed, `${packet._tag} goes to ${key} after it was closed`)
  must(
    level === seen.level || (level > 2 && level < 5 && seen.level < 5),
    `${key} is of another level`,
  )
  must(
    (packet._tag === 'Connack') === !seen.accepted ||
      // A challenge comes before CONNACK too. [MQTT-3.2.0-1]
      (packet._tag === 'Auth' && (seen.accepted || packet.reason === 0x18)),
    `${packet._tag} goes to ${key}, which has ${seen.accepted ? 'a' : 'no'} CONNACK`,
  )
  const bytes = encodedSize(level, packet)
  must(
    bytes <= seen.packetBytesMax, // [MQTT-3.1.2-24]
    `${key} is sent ${bytes} bytes and takes ${seen.packetBytesMax}`,
  )
  watchReason(seen, packet)
  seen.sentBytes += bytes
  if (packet._tag === 'Connack') seen.accepted = true
  const link = IntMap.get(after.links, conn.slot)
  if (link !== undefined && link.conn.generation === conn.generation) {
    if (link.phase.phase === 'Authenticating' && packet._tag === 'Auth') return
    if (link.phase.phase !== 'Ready') throw new Error(`${packet._tag} goes to ${key} too early`)
    seen.session = link.phase.session
    if (!all.receivers.has(seen.session)) {
      all.receivers.set(seen.session, { holding: new Set(), copies: new Map() })
    }
  }
  if (packet._tag === 'Publish') watchAlias(seen, packet)
  if (packet._tag === 'Publish' && packet.qos > 0) watchPublish(all, seen, packet)
  if (packet._tag === 'Pubrel') all.receivers.get(seen.session)?.holding.delete(packet.packetId)
}

/** Whether the client can tell the topic of a PUBLISH. */
const watchAlias = (seen: Seen, { topic, properties }: Publish): void => {
  const alias = properties.topicAlias
  if (alias === undefined) return must(topic !== '', 'a PUBLISH has neither topic nor alias')
  must(alias >= 1 && alias <= seen.aliasMax, `alias ${alias} is sent above ${seen.aliasMax}`)
  if (topic !== '') seen.aliases.set(alias, topic)
  must(seen.aliases.has(alias), `alias ${alias} was never set`) // [MQTT-3.3.2-7]
}

/** Every code stands in a packet that has it, and only those tell why who are asked to. */
const watchReason = (seen: Seen, packet: Packet): void => {
  const reasons = 'reason' in packet ? [packet.reason] : 'reasons' in packet ? packet.reasons : []
  for (const reason of reasons) {
    must(
      isReason(packet._tag, reason) || (seen.level < 5 && packet._tag === 'Unsuback'),
      `${packet._tag} says ${reason}`,
    )
  }
  if (!('properties' in packet)) return
  const { reasonString, authenticationMethod, responseInformation } = packet.properties
  if (packet._tag === 'Auth' || (packet._tag === 'Connack' && packet.reason === 0)) {
    must(
      authenticationMethod === seen.method, // [MQTT-4.12.0-5] [MQTT-4.12.0-6]
      `${packet._tag} names ${authenticationMethod}, CONNECT named ${seen.method}`,
    )
  }
  must(
    responseInformation === undefined || seen.wantsInformation, // [MQTT-3.1.2-28]
    'somebody is told where answers go who did not ask',
  )
  must(
    reasonString === undefined || seen.wantsProblems || // [MQTT-3.1.2-29]
      packet._tag === 'Connack' || packet._tag === 'Disconnect',
    `${packet._tag} tells why to somebody who does not want to know`,
  )
}

const watchPublish = (all: Watch, seen: Seen, packet: Publish): void => {
  const { packetId } = packet
  must(packetId >= 1 && packetId <= 65_535, `a PUBLISH has identifier ${packetId}`)
  must(!seen.unfinished.has(packetId), `identifier ${packetId} is in use and sent again`)
  seen.unfinished.add(packetId)
  must(
    seen.unfinished.size <= seen.receiveMaximum, // [MQTT-3.3.4-9]
    `${seen.unfinished.size} unacknowledged messages at Receive Maximum ${seen.receiveMaximum}`,
  )
  const receiver = all.receivers.get(seen.session)
  if (receiver === undefined || packet.qos !== 2) return
  if (receiver.holding.has(packetId)) {
    must(packet.dup, `identifier ${packetId} holds a QoS 2 message and is used for another`)
    return
  }
  receiver.holding.add(packetId)
  const key = `${seen.session} ${words(packet)}`
  const most = all.allowed.get(key)
  // Wills, and what a retained message adds, are not counted.
  if (most === undefined || packet.retain || B.size(packet.payload) === 0) return
  count(receiver.copies, key, 1)
  must(receiver.copies.get(key)! <= most, `"${words(packet)}" reached a client twice`)
  count(all.copies, words(packet), 1)
  const [copies, total] = [all.copies.get(words(packet))!, all.total.get(words(packet)) ?? 0]
  must(copies <= total, `"${words(packet)}" went to ${copies}, not to ${total}`)
}

/** The account of bytes sent to each connection agrees with what was sent. */
export const checkSent = (all: Watch, state: State): void => {
  for (const [, session] of IntMap.entries(state.sessions)) {
    if (session.conn === null) continue
    const sent = all.conns.get(keyOf(session.conn))?.sentBytes
    must(session.sentBytes === sent, `"${session.clientId}" got ${sent}, not ${session.sentBytes}`)
  }
}
