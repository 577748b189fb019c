// A broker as it is, brought about by inputs: its listeners' clients connect and subscribe, and
// what is retained is published. What no client could say comes back as sentences: messages on
// their way and in queues, aliases, whose turn it is in a shared group, counters and averages.

import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import * as I from '../broker/input.ts'
import type { Link, Ready, Session, SessionWill, State } from '../broker/state.ts'
import { EXPIRY_NEVER_S, initial, NEVER, publishOf } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import { sysTopics } from '../broker/sys-topic.ts'
import type { Connect, Level, Subscribe, Will } from '../codec/packet.ts'
import type { Properties } from '../codec/property.ts'
import { none } from '../codec/property.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { isTopicFilter, splitShare } from '../topic/filter.ts'
import { isTopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { quote } from './words.ts'

export interface Rebuilt {
  readonly state: State
  readonly inputs: ReadonlyArray<Input>
  /** What is not as it was, in sentences. */
  readonly untold: ReadonlyArray<string>
}

/** Which part of a broker is wanted. */
export interface Part {
  readonly client: (clientId: string) => boolean
  readonly topic: (topic: string) => boolean
}

// Connections of those who are away are nobody's: behind all that a shell gives out.
const strayConn = (i: number): Conn => ({
  slot: 0xff_ffff - i,
  generation: 9_000_000_000_000_000 + i,
})

const strayNonce = (i: number): string => `00000000-0000-4000-9000-${String(i).padStart(12, '0')}`

const isAmong = <A>(value: A | undefined, usual: A): value is A =>
  value !== undefined && value !== usual

/** Without what the listener puts in front of it; null where it does not. */
const bare = (mountPoint: string, whole: string): string | null =>
  whole.startsWith(mountPoint) ? whole.slice(mountPoint.length) : null

const bareFilter = (mountPoint: string, filter: TopicFilter): TopicFilter | null => {
  const share = splitShare(filter)
  const rest = bare(mountPoint, share === null ? filter : share.filter)
  if (rest === null) return null
  const own = share === null ? rest : `$share/${share.group}/${rest}`
  return isTopicFilter(own) ? own : null
}

const willOf = (mountPoint: string, will: SessionWill | null, level: Level): Will | null => {
  if (will === null) return null
  const { message, delayMs } = will
  const topic = bare(mountPoint, message.topic)
  if (topic === null || !isTopicName(topic)) return null
  const properties = level === 5 && delayMs > 0
    ? { ...message.properties, willDelayInterval: Math.ceil(delayMs / 1000) }
    : message.properties
  const { payload, qos, retain } = message
  return { topic, payload, qos, retain, properties }
}

const expiryOf = ({ expiryS, offlineAt }: Session, now: number): number =>
  offlineAt === NEVER || expiryS === EXPIRY_NEVER_S
    ? expiryS
    : Math.max(1, Math.ceil(expiryS - (now - offlineAt) / 1000))

const propertiesOf = (session: Session, ready: Ready | null, now: number): Properties => {
  const expiryS = expiryOf(session, now)
  return {
    ...(expiryS > 0 ? { sessionExpiryInterval: expiryS } : {}),
    ...(ready === null || session.inflightCountMax >= 65_535
      ? {}
      : { receiveMaximum: session.inflightCountMax }),
    ...(ready !== null && isAmong(session.packetBytesMax, NEVER)
      ? { maximumPacketSize: session.packetBytesMax }
      : {}),
    ...(ready !== null && session.aliasMax > 0 ? { topicAliasMaximum: session.aliasMax } : {}),
    ...(ready?.wantsProblems === false ? { requestProblemInformation: 0 as const } : {}),
  }
}

const connectOf = (session: Session, ready: Ready | null, now: number): Connect => {
  const level = ready?.level ?? session.level
  return {
    _tag: 'Connect',
    level,
    bridge: ready?.bridge ?? false,
    cleanStart: level === 5 || session.expiryS === 0,
    keepAliveS: Math.floor((ready?.keepAliveMs ?? 0) / 1000),
    clientId: session.clientId,
    // A will of who is away would be published by leaving.
    will: ready === null ? null : willOf(session.mountPoint, session.will, level),
    userName: session.source?.userName ?? null,
    password: null,
    properties: level === 5 ? propertiesOf(session, ready, now) : none,
  }
}

class Builder {
  state: State
  readonly inputs: Array<Input> = []
  readonly untold: Array<string> = []

  constructor(state: State) {
    this.state = state
  }

  feed(input: Input): ReadonlyArray<Effect> {
    const [state, effects] = step(this.state, input)
    this.state = state
    this.inputs.push(input)
    for (const effect of effects) {
      // Whoever is in the state was let in.
      if (effect._tag === 'Judge') this.feed(I.judged(effect.conn, input.at, 0))
    }
    return effects
  }
}

/** As many openings and connects as there were, in their order. */
const bringLinks = (builder: Builder, from: State, part: Part): void => {
  const links: Array<Link> = []
  IntMap.each(from.links, (link) => void links.push(link))
  links.sort((one, other) => one.opening - other.opening)
  for (const { conn, listener, peer, nonce, phase } of links) {
    const session = phase.phase === 'Ready' ? IntMap.get(from.sessions, phase.session) : undefined
    if (session !== undefined && !part.client(session.clientId)) continue
    if (session === undefined && !part.client('')) continue
    builder.feed(I.opened(conn, from.now, nonce, listener, peer))
    if (phase.phase !== 'Ready') {
      if (phase.phase === 'Greeting') continue
      builder.untold.push(`who ${quote(phase.connect.clientId, "'")} is was being asked`)
      continue
    }
    if (session === undefined) continue
    if (phase.identity !== null) {
      builder.untold.push(`${quote(session.clientId, "'")} had proved who it is by a method`)
    }
    builder.feed(I.arrived(conn, from.now, connectOf(session, phase, from.now)))
  }
}

/** Sessions of who is away: they connect, and leave when they have subscribed. */
const bringAway = (builder: Builder, from: State, part: Part): ReadonlyArray<Conn> => {
  const strays: Array<Conn> = []
  IntMap.each(from.sessions, (session) => {
    if (session.conn !== null || !part.client(session.clientId)) return
    const conn = strayConn(strays.length)
    const peer = { address: '127.0.0.1', port: 1 }
    const listener = session.source?.listener ?? '1883'
    builder.feed(I.opened(conn, from.now, strayNonce(strays.length), listener, peer))
    builder.feed(I.arrived(conn, from.now, connectOf(session, null, from.now)))
    strays.push(conn)
    if (session.willAt !== NEVER) {
      builder.untold.push(`the will of ${quote(session.clientId, "'")} was still to be published`)
    }
  })
  return strays
}

const sessionNow = ({ state }: Builder, clientId: string): Session | undefined => {
  const number = StrMap.get(state.clients, clientId)
  return number === undefined ? undefined : IntMap.get(state.sessions, number)
}

const subscribe = (builder: Builder, from: State, part: Part): void => {
  const all: Array<{ session: Session; subscribe: Subscribe; joined: number }> = []
  IntMap.each(from.sessions, (session) => {
    if (!part.client(session.clientId)) return
    StrMap.each(session.subscriptions, ({ filter, joined, identifiers, qos, ...rest }) => {
      const own = bareFilter(session.mountPoint, filter)
      if (own === null) {
        builder.untold.push(`${quote(session.clientId, "'")} subscribed to ${quote(filter, "'")}`)
        return
      }
      const { noLocal, retainAsPublished } = rest
      const requests = [{
        filter: own,
        qos,
        noLocal,
        retainAsPublished,
        retainHandling: 2 as const,
      }]
      const [identifier] = identifiers
      const properties = identifier === undefined ? none : { subscriptionIdentifiers: [identifier] }
      all.push({
        session,
        joined,
        subscribe: { _tag: 'Subscribe', packetId: 1, requests, properties },
      })
    })
  })
  all.sort((one, other) => one.joined - other.joined)
  for (const { session, subscribe } of all) {
    const conn = sessionNow(builder, session.clientId)?.conn ?? null
    if (conn !== null) builder.feed(I.arrived(conn, from.now, subscribe))
  }
}

const retain = (builder: Builder, from: State, part: Part): void => {
  const isOwn = new Set<string>(sysTopics)
  for (const filter of ['#', '$SYS/#'] as const) {
    if (!isTopicFilter(filter)) continue
    const { found } = Tree.take(Tree.cursor(from.retained, filter), Number.MAX_SAFE_INTEGER)
    for (const { topic, value } of found) {
      if (isOwn.has(topic) || !part.topic(topic)) continue
      const publish = { ...publishOf(value), packetId: value.qos === 0 ? 0 : 1 }
      const left = value.expiresAt === null
        ? null
        : Math.max(1, Math.ceil((value.expiresAt - from.now) / 1000))
      builder.feed(I.commanded(from.now, {
        _tag: 'Publish',
        packet: left === null ? publish : {
          ...publish,
          properties: { ...publish.properties, messageExpiryInterval: left },
        },
      }))
    }
  }
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** What of a session is not there again. */
const missing = (session: Session, builder: Builder): void => {
  const whose = quote(session.clientId, "'")
  const now = sessionNow(builder, session.clientId)
  if (now === undefined || (session.conn === null) !== (now.conn === null)) {
    builder.untold.push(`the session of ${whose} could not be brought back`)
    return
  }
  if (StrMap.size(now.subscriptions) !== StrMap.size(session.subscriptions)) {
    builder.untold.push(`not all subscriptions of ${whose} could be brought back`)
  }
  const waiting = Window.size(session.window) + Queue.size(session.queue)
  if (waiting > 0) {
    builder.untold.push(`${plural(waiting, 'message')} on the way to ${whose} or waiting for it`)
  }
  const held = Window.size(session.incoming)
  if (held > 0) {
    builder.untold.push(`${plural(held, 'QoS 2 message')} of ${whose} not released yet`)
  }
  if (Queue.size(session.catchUps) > 0) {
    builder.untold.push(`${whose} was still being sent retained messages`)
  }
  if (StrMap.size(session.aliases) > 0) {
    builder.untold.push(`topic aliases towards ${whose} were set`)
  }
}

const missingOfLinks = (builder: Builder, from: State): void => {
  IntMap.each(from.links, ({ phase }) => {
    if (phase.phase !== 'Ready' || IntMap.size(phase.aliases) === 0) return
    const session = IntMap.get(from.sessions, phase.session)
    if (session === undefined) return
    builder.untold.push(`topic aliases of ${quote(session.clientId, "'")} were set`)
  })
}

/** Inputs that bring about a state, or the part of it that is wanted, at its own time. */
export const rebuild = (from: State, part: Part): Rebuilt => {
  const origin = { at: from.now, wall: from.wall, seed: from.origin.seed }
  const builder = new Builder(initial(from.config, origin))
  retain(builder, from, part)
  bringLinks(builder, from, part)
  const strays = bringAway(builder, from, part)
  subscribe(builder, from, part)
  for (const conn of strays) builder.feed(I.closed(conn, from.now, 'closed'))
  IntMap.each(from.sessions, (session) => {
    if (part.client(session.clientId)) missing(session, builder)
  })
  missingOfLinks(builder, from)
  const here = from.retained.size - from.ownRetained
  const there = builder.state.retained.size - builder.state.ownRetained
  if (part.topic('') && there < here) {
    builder.untold.push(`${plural(here - there, 'retained message')} could not be brought back`)
  }
  if (IntMap.size(from.turns) > 0) builder.untold.push('whose turn it was in shared groups')
  if (from.stopping) builder.untold.push('the broker was ending')
  if (from.isShort) builder.feed(I.memoryShort(from.now))
  if (from.isStoreFull) builder.feed(I.storeFull(from.now))
  const { state, inputs, untold } = builder
  return { state, inputs, untold }
}
