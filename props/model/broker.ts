// The dumb broker: the same decisions as core/broker with nothing clever about them. Everything lies
// in arrays that are searched from the front, every match goes through `match`, nothing is shared,
// cached or persistent, and a state is whatever the arrays hold at the moment. It takes the inputs of
// the real broker and answers what each connection is sent, what is closed, and what is noted.

import type { Config } from '../../core/broker/config.ts'
import type { Conn, Input, Millis, Peer } from '../../core/broker/input.ts'
import type { DropReason, Ending } from '../../core/broker/note.ts'
import { encode } from '../../core/codec/mod.ts'
import type { Connect, Level, Packet, Publish, Qos } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/property.ts'
import { none } from '../../core/codec/property.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { splitShare } from '../../core/topic/filter.ts'
import { match } from '../../core/topic/match.ts'
import type { TopicName } from '../../core/topic/name.ts'
import { byFilter, grown, inOrder } from './order.ts'

export const NEVER: Millis = Number.MAX_SAFE_INTEGER

/** As the shells report it: less than this may be on its way without anybody saying so. */
const UNREPORTED_BYTES_MAX = 65_536

export interface Message {
  readonly topic: TopicName
  readonly qos: Qos
  readonly retain: boolean
  readonly payload: Bytes
  readonly properties: Properties
  readonly expiresAt: Millis
}

interface Link {
  readonly conn: Conn
  readonly peer: Peer
  readonly nonce: string
  readonly openedAt: Millis
  phase: 'greeting' | 'judging' | 'ready'
  connect: Connect | null
  seenAt: Millis
  keepAliveMs: number
  aliases: Array<{ readonly alias: number; readonly topic: TopicName }>
  session: Session | null
}

interface Outgoing {
  readonly packetId: number
  stage: 'waiting' | 'sent' | 'released'
  readonly message: Message
  readonly qos: Qos
  readonly retain: boolean
  readonly identifier: number
}

interface Queued {
  readonly message: Message
  readonly qos: Qos
  readonly retain: boolean
  readonly identifier: number
}

interface Subscription {
  readonly session: Session
  readonly filter: TopicFilter
  /** The filter without `$share` and group. */
  readonly topics: TopicFilter
  readonly group: string | null
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number
  readonly joined: number
}

interface CatchUp {
  readonly subscription: Subscription
  readonly messages: ReadonlyArray<Message>
  readonly overtaken: Array<TopicName>
}

interface Session {
  readonly clientId: string
  expiryS: number
  offlineAt: Millis
  subscriptions: Array<Subscription>
  will: Message | null
  willDelayMs: number
  willAt: Millis
  window: Array<Outgoing>
  queue: Array<Queued>
  nextPacketId: number
  incoming: Array<{ readonly packetId: number; readonly message: Message | null }>
  catchUps: Array<CatchUp>
  link: Link | null
  level: Level
  windowMax: number
  packetBytesMax: number
  sentBytes: number
  takenBytes: number
  progressAt: Millis
}

interface Group {
  readonly group: string
  readonly topics: TopicFilter
  turn: number
}

/** What the broker did: towards a connection, or a note as one line of text. */
export type Said =
  | { readonly _tag: 'Sent'; readonly conn: Conn; readonly level: Level; readonly packet: Packet }
  | { readonly _tag: 'Closed'; readonly conn: Conn; readonly reason: number }
  | { readonly _tag: 'Asked'; readonly conn: Conn }
  | { readonly _tag: 'Noted'; readonly line: string }

export interface Model {
  config: Config
  now: Millis
  stopping: boolean
  links: Array<Link>
  /** In the order in which they began. */
  sessions: Array<Session>
  groups: Array<Group>
  joined: number
  retained: Array<Message>
  /** Levels of retained topics in the order in which they came to be. */
  prefixes: ReadonlyArray<string>
  said: Array<Said>
}

export const createModel = (config: Config, at: Millis): Model => ({
  config,
  now: at,
  stopping: false,
  links: [],
  sessions: [],
  groups: [],
  joined: 0,
  retained: [],
  prefixes: [],
  said: [],
})

/** Takes an input and answers what follows from it, in order. */
export const accept = (model: Model, input: Input): ReadonlyArray<Said> => {
  model.said = []
  model.now = Math.max(model.now, input.at)
  switch (input._tag) {
    case 'Opened':
      opened(model, input.conn, input.peer, input.nonce)
      break
    case 'Ticked':
      tick(model)
      break
    case 'Reconfigured':
      model.config = input.config
      break
    case 'Commanded':
      if (input.command._tag === 'Stop') stop(model)
      else kick(model, input.command.clientId)
      break
    default:
      ofLink(model, input)
  }
  return model.said
}

type LinkInput = Extract<Input, { readonly conn: Conn }>

const ofLink = (model: Model, input: Exclude<LinkInput, { readonly _tag: 'Opened' }>): void => {
  const link = model.links.find((one) =>
    one.conn.slot === input.conn.slot && one.conn.generation === input.conn.generation
  )
  if (link === undefined || (input._tag === 'Judged' && link.phase !== 'judging')) {
    noted(model, `stale ${input._tag}`)
    return
  }
  switch (input._tag) {
    case 'Arrived':
      return arrived(model, link, input.packet)
    case 'Broke':
      return faulty(model, link, input.fault.reason, input.fault.level)
    case 'Closed': {
      const ending = input.why === 'closed' ? 'connection closed by client' : 'connection failed'
      return unlink(model, link, ending, 0, true)
    }
    case 'Written':
      return written(model, link, input.total)
    case 'Judged': {
      const packet = link.connect
      if (packet === null) return
      if (input.reason >= 0x80) {
        return refuse(model, link, packet.level, input.reason, 'not authorised')
      }
      return begin(model, link, packet)
    }
  }
}

const noted = (model: Model, line: string): void => {
  model.said.push({ _tag: 'Noted', line })
}

const dropped = (
  model: Model,
  clientId: string | null,
  topic: string,
  qos: Qos,
  why: DropReason,
): void => noted(model, `dropped ${clientId === null ? 'for all' : `"${clientId}"`} ${topic} ${qos} ${why}`)

const sizeOf = (level: Level, packet: Packet): number => encode(level, packet).length

const tell = (model: Model, session: Session, packet: Packet): void => {
  if (session.link === null) throw new Error('nobody is there to be told')
  const bytes = sizeOf(session.level, packet)
  const before = session.sentBytes - session.takenBytes
  session.sentBytes += bytes
  if (before <= UNREPORTED_BYTES_MAX && before + bytes > UNREPORTED_BYTES_MAX) {
    session.progressAt = model.now
  }
  model.said.push({ _tag: 'Sent', conn: session.link.conn, level: session.level, packet })
}

// Connections.

const isLoopback = (peer: Peer): boolean => peer.address.startsWith('127.')

const opened = (model: Model, conn: Conn, peer: Peer, nonce: string): void => {
  const { config } = model
  const sameAddress = model.links.filter((one) => one.peer.address === peer.address)
  if (
    model.stopping || model.links.length >= config.connectionsMax ||
    (!isLoopback(peer) && sameAddress.length >= config.connectionsPerAddressMax)
  ) {
    const ending: Ending = model.stopping ? 'server shutting down' : 'too many connections'
    noted(model, `ended ${ending} ${0x97}`)
    model.said.push({ _tag: 'Closed', conn, reason: 0x97 })
    return
  }
  const hesitating = model.links.filter((one) => one.phase !== 'ready')
  const oldest = hesitating[0]
  if (
    oldest !== undefined && hesitating.length >= config.unauthenticatedMax &&
    model.now - oldest.seenAt >= config.unauthenticatedGraceMs
  ) refuse(model, oldest, 0, 0x97, 'too many connections')
  model.links.push({
    conn,
    peer,
    nonce,
    openedAt: model.now,
    phase: 'greeting',
    connect: null,
    seenAt: model.now,
    keepAliveMs: 0,
    aliases: [],
    session: null,
  })
}

const refuse = (
  model: Model,
  link: Link,
  level: Level | 0,
  reason: number,
  ending: Ending,
): void => {
  noted(model, `ended ${ending} ${reason}`)
  if (level !== 0) {
    model.said.push({
      _tag: 'Sent',
      conn: link.conn,
      level,
      packet: { _tag: 'Connack', sessionPresent: false, reason, properties: none },
    })
  }
  model.said.push({ _tag: 'Closed', conn: link.conn, reason })
  model.links = model.links.filter((one) => one !== link)
}

/** Ends a connection from this side. */
const expel = (model: Model, link: Link, ending: Ending, reason: number): void => {
  if (link.session?.level === 5) {
    const packet: Packet = { _tag: 'Disconnect', reason, properties: none } // [MQTT-4.13.1-1]
    model.said.push({ _tag: 'Sent', conn: link.conn, level: 5, packet })
  }
  model.said.push({ _tag: 'Closed', conn: link.conn, reason })
  unlink(model, link, ending, reason, true)
}

const unlink = (
  model: Model,
  link: Link,
  ending: Ending,
  reason: number,
  withWill: boolean,
): void => {
  noted(model, `ended ${ending} ${reason}`)
  model.links = model.links.filter((one) => one !== link)
  const { session } = link
  if (session === null) return
  session.link = null
  session.offlineAt = model.now
  if (!withWill) session.will = null
  if (session.expiryS === 0) return endSession(model, session, 'disconnected')
  if (session.will === null) return
  if (session.willDelayMs === 0) publishWill(model, session)
  else session.willAt = model.now + session.willDelayMs
}

const faulty = (model: Model, link: Link, reason: number, level: Level | 0): void =>
  link.phase === 'ready'
    ? expel(model, link, 'protocol error', reason)
    : refuse(model, link, level, reason, 'protocol error')

const stop = (model: Model): void => {
  model.stopping = true
  const all = [...model.links].sort((a, b) => a.conn.slot - b.conn.slot)
  // Wills that are due with the connection come first, while others are still there to get them.
  for (const { session } of all) {
    if (session === null) continue
    if (session.willDelayMs === 0 || session.expiryS === 0) publishWill(model, session)
  }
  for (const link of all) {
    if (link.phase === 'ready') expel(model, link, 'server shutting down', 0x8b)
    else refuse(model, link, 0, 0x8b, 'server shutting down')
  }
}

const kick = (model: Model, clientId: string): void => {
  const link = model.sessions.find((one) => one.clientId === clientId)?.link
  if (link !== undefined && link !== null) expel(model, link, 'kicked', 0x98)
}

const written = (model: Model, link: Link, total: number): void => {
  const { session } = link
  if (session === null || total <= session.takenBytes) return
  session.takenBytes = Math.min(total, session.sentBytes)
  session.progressAt = model.now
  drain(model, session)
}

// CONNECT.

const isReserved = (topic: string, bridge: boolean): boolean =>
  ['$SYS', '$CONTROL'].includes(topic.split('/')[0]!) &&
  !(bridge && topic.startsWith('$SYS/broker/connection/'))

const connect = (model: Model, link: Link, packet: Connect): void => {
  const { level, cleanStart, clientId } = packet
  const { keepAliveMaxS } = model.config
  if (packet.properties.authenticationMethod !== undefined) {
    return refuse(model, link, level, 0x8c, 'not authorised') // [MQTT-4.12.0-1]
  }
  // 3.1 has no empty client identifiers, 3.1.1 none for sessions that last. [v3 MQTT-3.1.3-8]
  if (clientId === '' && (level === 3 || (level === 4 && !cleanStart))) {
    return refuse(model, link, level, 0x85, 'refused')
  }
  if (level < 5 && keepAliveMaxS > 0 && keepAliveOf(model, packet) !== packet.keepAliveS) {
    return refuse(model, link, level, 0x85, 'refused')
  }
  if (packet.will !== null && isReserved(packet.will.topic, packet.bridge)) {
    return refuse(model, link, level, 0x87, 'not authorised')
  }
  if (model.config.authentication === 'judge') {
    const { will } = packet
    link.phase = 'judging'
    link.seenAt = model.now
    link.connect = will === null
      ? packet
      : { ...packet, will: { ...will, payload: B.own(will.payload) } }
    model.said.push({ _tag: 'Asked', conn: link.conn })
    return
  }
  begin(model, link, packet)
}

const keepAliveOf = (model: Model, packet: Connect): number => {
  const { keepAliveMaxS } = model.config
  if (keepAliveMaxS === 0) return packet.keepAliveS
  return packet.keepAliveS === 0 ? keepAliveMaxS : Math.min(packet.keepAliveS, keepAliveMaxS)
}

const begin = (model: Model, link: Link, packet: Connect): void => {
  const { config } = model
  const { level, properties } = packet
  const five = level === 5
  const clientId = packet.clientId === '' ? `auto-${link.nonce}` : packet.clientId
  const find = () => model.sessions.find((one) => one.clientId === clientId)
  if (find() === undefined && model.sessions.length >= config.sessionsMax) {
    return refuse(model, link, level, 0x97, 'too many connections')
  }
  const holder = find()?.link
  if (holder !== undefined && holder !== null) {
    expel(model, holder, 'session taken over', 0x8e) // [MQTT-3.1.4-3]
  }
  const former = find()
  if (former !== undefined && packet.cleanStart) endSession(model, former, 'clean start')
  const old = find() // [MQTT-3.1.2-4]
  const session = old ?? createSession(clientId)
  if (old === undefined) model.sessions.push(session)
  const keepAliveS = keepAliveOf(model, packet)
  const asked = five ? properties.sessionExpiryInterval ?? 0 : packet.cleanStart ? 0 : 0xffffffff
  session.link = link
  session.level = level
  session.expiryS = Math.min(asked, config.sessionExpiryMaxS)
  session.offlineAt = NEVER
  session.will = null
  session.willAt = NEVER
  if (packet.will !== null) {
    const { willDelayInterval, ...rest } = packet.will.properties
    session.willDelayMs = (willDelayInterval ?? 0) * 1000
    session.will = {
      topic: packet.will.topic,
      qos: packet.will.qos,
      retain: packet.will.retain,
      payload: B.own(packet.will.payload),
      properties: rest,
      expiresAt: NEVER,
    }
  }
  session.windowMax = Math.min(
    properties.receiveMaximum ?? 65_535,
    config.inflightCountMax === 0 ? 65_535 : config.inflightCountMax,
  )
  session.packetBytesMax = properties.maximumPacketSize ?? NEVER
  session.sentBytes = 0
  session.takenBytes = 0
  session.progressAt = model.now
  link.phase = 'ready'
  link.session = session
  link.connect = packet
  link.seenAt = model.now
  link.keepAliveMs = keepAliveS * 1000
  noted(model, `connected "${clientId}" ${old !== undefined}`)
  const said: { -readonly [K in keyof Properties]: Properties[K] } = {}
  if (five) {
    if (config.topicAliasMaximum > 0) said.topicAliasMaximum = config.topicAliasMaximum
    if (session.expiryS !== (properties.sessionExpiryInterval ?? 0)) {
      said.sessionExpiryInterval = session.expiryS
    }
    if (keepAliveS !== packet.keepAliveS) said.serverKeepAlive = keepAliveS
    if (packet.clientId === '') said.assignedClientIdentifier = clientId
    said.maximumPacketSize = config.packetBytesMax
    said.receiveMaximum = config.receiveMaximum
  }
  tell(model, session, {
    _tag: 'Connack',
    sessionPresent: old !== undefined && level !== 3,
    reason: 0,
    properties: said,
  })
  resume(model, session)
}

const createSession = (clientId: string): Session => ({
  clientId,
  expiryS: 0,
  offlineAt: NEVER,
  subscriptions: [],
  will: null,
  willDelayMs: 0,
  willAt: NEVER,
  window: [],
  queue: [],
  nextPacketId: 1,
  incoming: [],
  catchUps: [],
  link: null,
  level: 4,
  windowMax: 1,
  packetBytesMax: NEVER,
  sentBytes: 0,
  takenBytes: 0,
  progressAt: 0,
})

const publishWill = (model: Model, session: Session): void => {
  const { will } = session
  if (will === null) return
  session.will = null
  session.willAt = NEVER
  noted(model, `will "${session.clientId}" ${will.topic}`)
  publishKept(model, session, { ...will, expiresAt: expiryOf(model, will.properties) })
}

const endSession = (
  model: Model,
  session: Session,
  why: 'expired' | 'clean start' | 'disconnected',
): void => {
  for (const subscription of session.subscriptions) leaveGroup(model, session, subscription)
  session.subscriptions = []
  publishWill(model, session)
  model.sessions = model.sessions.filter((one) => one !== session)
  const messages = session.window.length + session.queue.length
  noted(model, `session "${session.clientId}" ${why} ${messages}`)
}

// Packets of a connected client.

const arrived = (model: Model, link: Link, packet: Packet): void => {
  const { session } = link
  if (session === null) {
    if (link.phase === 'greeting' && packet._tag === 'Connect') return connect(model, link, packet)
    return faulty(model, link, 0x82, 0)
  }
  const reason = serve(model, link, session, packet)
  if (reason === 'fine') link.seenAt = model.now
  else expel(model, link, 'protocol error', reason)
}

/** Does what a packet asks for; answers the reason code with which it ends the connection. */
const serve = (model: Model, link: Link, session: Session, packet: Packet): number | 'fine' => {
  const { level } = session
  switch (packet._tag) {
    case 'Publish':
      return publish(model, link, session, packet)
    case 'Puback':
    case 'Pubrec':
    case 'Pubcomp':
      return acknowledged(model, session, packet)
    case 'Pubrel': {
      const { packetId } = packet
      const found = session.incoming.find((one) => one.packetId === packetId)
      session.incoming = session.incoming.filter((one) => one !== found)
      if (found !== undefined && found.message !== null) publishKept(model, session, found.message)
      const reason = found === undefined && level === 5 ? 0x92 : 0
      tell(model, session, { _tag: 'Pubcomp', packetId, reason, properties: none })
      return 'fine'
    }
    case 'Subscribe': {
      const { packetId } = packet
      const begun: Array<Subscription> = []
      const identifier = packet.properties.subscriptionIdentifiers?.[0] ?? 0
      const bridge = link.connect?.bridge ?? false
      const reasons = packet.requests.map((request, index) => {
        const old = session.subscriptions.find((one) => one.filter === request.filter)
        if (
          index >= model.config.filtersPerPacketMax ||
          (old === undefined &&
            session.subscriptions.length >= model.config.subscriptionsPerSessionMax)
        ) return 0x97
        const share = splitShare(request.filter)
        const subscription: Subscription = {
          session,
          filter: request.filter,
          topics: share === null ? request.filter : share.filter,
          group: share === null ? null : share.group,
          qos: request.qos,
          noLocal: request.noLocal,
          retainAsPublished: request.retainAsPublished || bridge,
          identifier,
          joined: old === undefined ? model.joined++ : old.joined,
        }
        if (old === undefined) {
          session.subscriptions.push(subscription)
          joinGroup(model, subscription)
        } else {
          session.subscriptions = session.subscriptions.map((one) => one === old ? subscription : one)
          session.catchUps = session.catchUps.filter((one) => one.subscription !== old)
        }
        const { retainHandling } = request
        const wanted = retainHandling === 0 || (retainHandling === 1 && old === undefined)
        if (wanted && share === null) begun.push(subscription) // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
        return request.qos
      })
      tell(model, session, { _tag: 'Suback', packetId, reasons, properties: none })
      for (const one of begun) {
        catchUp(model, session, one)
        if (session.subscriptions.includes(one)) continue
        // Replaced by a later request of the same packet. [MQTT-3.8.4-5]
        session.catchUps = session.catchUps.filter((other) => other.subscription !== one)
      }
      return 'fine'
    }
    case 'Unsubscribe': {
      const reasons = packet.filters.map((filter) => {
        const old = session.subscriptions.find((one) => one.filter === filter)
        if (old === undefined) return 0x11
        session.subscriptions = session.subscriptions.filter((one) => one !== old)
        session.catchUps = session.catchUps.filter((one) => one.subscription !== old)
        leaveGroup(model, session, old)
        return 0
      })
      const { packetId } = packet
      tell(model, session, { _tag: 'Unsuback', packetId, reasons, properties: none })
      return 'fine'
    }
    case 'Pingreq':
      tell(model, session, { _tag: 'Pingresp' })
      return 'fine'
    case 'Disconnect': {
      const expiryS = packet.properties.sessionExpiryInterval
      if (expiryS !== undefined) {
        if (session.expiryS === 0 && expiryS > 0) return 0x82
        session.expiryS = Math.min(expiryS, model.config.sessionExpiryMaxS)
      }
      model.said.push({ _tag: 'Closed', conn: link.conn, reason: 0 })
      unlink(model, link, 'disconnected', packet.reason, packet.reason !== 0)
      return 'fine'
    }
    default:
      return 0x82
  }
}

const publish = (
  model: Model,
  link: Link,
  session: Session,
  packet: Publish,
): number | 'fine' => {
  const { config } = model
  const { topicAlias, ...properties } = packet.properties
  if (properties.subscriptionIdentifiers !== undefined) return 0x82 // [MQTT-3.3.4-6]
  let { topic } = packet
  if (topicAlias !== undefined) {
    if (topicAlias > config.topicAliasMaximum) return 0x94 // [MQTT-3.3.2-9]
    if (topic === '') {
      const known = link.aliases.find((one) => one.alias === topicAlias)
      if (known === undefined) return 0x82
      topic = known.topic
    } else {
      link.aliases = link.aliases.filter((one) => one.alias !== topicAlias)
      link.aliases.push({ alias: topicAlias, topic })
    }
  }
  if (topic === '') return 0x82
  const { packetId, qos } = packet
  const message: Message = {
    topic,
    qos,
    retain: packet.retain,
    payload: B.own(packet.payload),
    properties,
    expiresAt: expiryOf(model, properties),
  }
  const bridge = link.connect?.bridge ?? false
  const reserved = isReserved(topic, bridge)
  const overfull = packet.retain && B.size(packet.payload) > 0 && !hasRoomFor(model, message)
  const five = session.level === 5

  if (qos > 0) {
    if (session.incoming.some((one) => one.packetId === packetId)) {
      if (qos === 1) return 0x82
      tell(model, session, { _tag: 'Pubrec', packetId, reason: 0, properties: none })
      return 'fine'
    }
    const unfinished = session.incoming.length
    if (five && unfinished >= config.receiveMaximum) return 0x93 // [MQTT-3.3.4-7]
    if (!five && qos === 2 && unfinished >= config.incomingCountMax) return 0x93
  }
  if (qos === 2) {
    if (reserved || (overfull && five)) {
      dropped(model, null, topic, 2, reserved ? 'not allowed' : 'retained store full')
    }
    const refused = !five ? 0 : reserved ? 0x87 : overfull ? 0x97 : 0
    if (refused === 0) session.incoming.push({ packetId, message: reserved ? null : message })
    tell(model, session, { _tag: 'Pubrec', packetId, reason: refused, properties: none })
    return 'fine'
  }
  let reason = 0
  if (reserved || overfull) {
    dropped(model, null, topic, qos, reserved ? 'not allowed' : 'retained store full')
    reason = reserved ? 0x87 : qos === 1 && five ? 0x97 : 0
  } else if (packet.retain) keep(model, message)
  if (reason === 0) reason = route(model, session, message)
  if (qos === 1) {
    tell(model, session, { _tag: 'Puback', packetId, reason: five ? reason : 0, properties: none })
  }
  return 'fine'
}

const acknowledged = (
  model: Model,
  session: Session,
  packet: Extract<Packet, { readonly _tag: 'Puback' | 'Pubrec' | 'Pubcomp' }>,
): number | 'fine' => {
  const { packetId } = packet
  const found = session.window.find((one) => one.packetId === packetId)
  const five = session.level === 5
  if (found === undefined) {
    if (packet._tag === 'Pubrec' && packet.reason < 0x80) {
      const reason = five ? 0x92 : 0
      tell(model, session, { _tag: 'Pubrel', packetId, reason, properties: none })
    }
    return 'fine'
  }
  const fits = packet._tag === 'Puback'
    ? found.qos === 1
    : packet._tag === 'Pubrec'
    ? found.qos === 2
    : found.qos === 2 && found.stage === 'released'
  if (!fits) return 0x82
  if (packet._tag === 'Pubrec' && packet.reason < 0x80) {
    found.stage = 'released'
    tell(model, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
    return 'fine'
  }
  session.window = session.window.filter((one) => one !== found)
  drain(model, session)
  return 'fine'
}

// Retained messages.

/** What a message weighs in the limits: what it takes on the wire at level 5, as it was published. */
const bytesOf = ({ topic, qos, retain, payload, properties }: Message): number =>
  sizeOf(5, { _tag: 'Publish', dup: false, qos, retain, topic, packetId: 1, payload, properties })

const hasRoomFor = (model: Model, message: Message): boolean => {
  const others = model.retained.filter((one) => one.topic !== message.topic)
  const bytes = others.reduce((sum, one) => sum + bytesOf(one), bytesOf(message))
  return others.length < model.config.retainedCountMax && bytes <= model.config.retainedBytesMax
}

/** Stores a retained message, or with an empty payload removes it. [MQTT-3.3.1-6] */
const keep = (model: Model, message: Message): void => {
  model.retained = model.retained.filter((one) => one.topic !== message.topic)
  model.prefixes = grown(model.prefixes, model.retained)
  if (B.size(message.payload) === 0) return
  model.retained.push(message)
  model.prefixes = grown(model.prefixes, model.retained)
}

const catchUp = (model: Model, session: Session, subscription: Subscription): void => {
  if (model.retained.length === 0) return
  const messages = inOrder(model.retained, model.prefixes)
    .filter((one) => match(subscription.topics, one.topic))
  session.catchUps.push({ subscription, messages, overtaken: [] })
  if (session.catchUps.length === 1) advance(model, session)
}

/** Sends what is retained, as long as the client is not busy with what it got before. */
const advance = (model: Model, session: Session): void => {
  const { queuedCountMax, queuedBytesMax, unwrittenBytesMax } = model.config
  for (;;) {
    const [first, ...others] = session.catchUps
    const unwritten = session.sentBytes - session.takenBytes
    if (
      first === undefined || session.link === null ||
      unwritten > Math.max(UNREPORTED_BYTES_MAX, unwrittenBytesMax / 2) ||
      (queuedCountMax > 0 && session.queue.length >= queuedCountMax / 2) ||
      (queuedBytesMax > 0 && queuedBytes(session) >= queuedBytesMax / 2)
    ) return
    session.catchUps = others
    const { qos, identifier } = first.subscription
    for (const message of first.messages) {
      if (first.overtaken.includes(message.topic) || message.expiresAt <= model.now) continue
      const granted = lower(message.qos, qos)
      if (granted > 0) offer(model, session, { message, qos: granted, retain: true, identifier })
      else sendAtMostOnce(model, session, { message, qos: 0, retain: true, identifier }, true)
    }
  }
}

// Routing.

const lower = (a: Qos, b: Qos): Qos => a < b ? a : b

const expiryOf = (model: Model, properties: Properties): Millis =>
  properties.messageExpiryInterval === undefined
    ? NEVER
    : model.now + properties.messageExpiryInterval * 1000

/** Publishes a message that was kept for later: a released one, a will. */
const publishKept = (model: Model, publisher: Session, message: Message): void => {
  if (message.retain) {
    if (B.size(message.payload) === 0 || hasRoomFor(model, message)) keep(model, message)
    else dropped(model, null, message.topic, message.qos, 'retained store full')
  }
  if (message.expiresAt <= model.now) {
    dropped(model, null, message.topic, message.qos, 'expired')
    return
  }
  route(model, publisher, message)
}

/** Gives the message to everybody who wants it; answers the reason code for its publisher. */
const route = (model: Model, publisher: Session, message: Message): number => {
  const { topic } = message
  const all = model.sessions.flatMap((one) => one.subscriptions)
    .filter((one) => match(one.topics, topic))
  const direct = all.filter((one) =>
    one.group === null && !(one.noLocal && one.session === publisher) // [MQTT-3.8.3-3]
  )
  const chosen = model.groups
    .filter((one) => match(one.topics, topic))
    .sort((a, b) => byFilter(a.topics, b.topics))
    .map((group) => ({ group, members: membersOf(all, group) }))
  const some = [...direct].sort((a, b) => byFilter(a.topics, b.topics))
  let taken = 0
  for (const one of some) if (deliver(model, one, message)) taken++
  for (const { group, members } of chosen) {
    if (deliver(model, choose(group, members, message.qos), message)) taken++
  }
  if (some.length + chosen.length === 0) {
    dropped(model, null, topic, message.qos, 'no subscriber')
    return 0x10
  }
  return taken === 0 ? 0x97 : 0
}

const membersOf = (all: ReadonlyArray<Subscription>, group: Group): ReadonlyArray<Subscription> =>
  all.filter((one) => one.group === group.group && one.topics === group.topics)
    .sort((a, b) => a.joined - b.joined)

const joinGroup = (model: Model, { group, topics }: Subscription): void => {
  if (group === null) return
  if (model.groups.some((one) => one.group === group && one.topics === topics)) return
  model.groups.push({ group, topics, turn: 0 })
}

/** A group lasts as long as it has members. */
const leaveGroup = (model: Model, leaver: Session, { group, topics }: Subscription): void => {
  const others = model.sessions.filter((one) => one !== leaver)
    .flatMap((one) => one.subscriptions)
  if (others.some((one) => one.group === group && one.topics === topics)) return
  model.groups = model.groups.filter((one) => one.group !== group || one.topics !== topics)
}

/** In turns, passing over those who could only lose the message. */
const choose = (group: Group, members: ReadonlyArray<Subscription>, qos: Qos): Subscription => {
  const turns = members.map((_, i) => (group.turn + i) % members.length)
  const able = turns.find((turn) => {
    const member = members[turn]!
    return member.session.link !== null || lower(qos, member.qos) > 0
  })
  if (able === undefined) return members[group.turn % members.length]!
  group.turn = (able + 1) % members.length
  return members[able]!
}

/** One copy for one subscription; answers whether it was not turned away by a full queue. */
const deliver = (model: Model, subscription: Subscription, message: Message): boolean => {
  const { session, identifier } = subscription
  for (const one of session.catchUps) one.overtaken.push(message.topic)
  const copy: Queued = {
    message,
    qos: lower(message.qos, subscription.qos),
    retain: message.retain && subscription.retainAsPublished,
    identifier,
  }
  if (copy.qos > 0) return offer(model, session, copy)
  sendAtMostOnce(model, session, copy, false)
  return true
}

const packetFor = (
  model: Model,
  session: Session,
  { message, qos, retain, identifier }: Queued,
  packetId: number,
  dup: boolean,
): Publish => {
  const { expiresAt } = message
  const expiry = expiresAt === NEVER
    ? {}
    // What the publisher gave less what has passed [MQTT-3.3.2-6], and never less than nothing.
    : { messageExpiryInterval: Math.max(0, Math.ceil((expiresAt - model.now) / 1000)) }
  const numbers = identifier === 0 ? {} : { subscriptionIdentifiers: [identifier] }
  return {
    _tag: 'Publish',
    dup,
    qos,
    retain,
    topic: message.topic,
    packetId,
    payload: message.payload,
    properties: session.level === 5 ? { ...message.properties, ...expiry, ...numbers } : {},
  }
}

const sendAtMostOnce = (
  model: Model,
  session: Session,
  copy: Queued,
  anyway: boolean,
): void => {
  const { topic } = copy.message
  if (session.link === null) return dropped(model, session.clientId, topic, 0, 'offline')
  const packet = packetFor(model, session, copy, 0, false)
  const bytes = sizeOf(session.level, packet)
  const unwritten = session.sentBytes - session.takenBytes
  const { unwrittenBytesMax } = model.config
  if (!anyway && unwritten > UNREPORTED_BYTES_MAX && unwritten + bytes > unwrittenBytesMax) {
    return dropped(model, session.clientId, topic, 0, 'back-pressure')
  }
  if (bytes > session.packetBytesMax) { // [MQTT-3.1.2-24]
    return dropped(model, session.clientId, topic, 0, 'too large')
  }
  tell(model, session, packet)
}

// QoS 1 and 2 towards a client.

const queuedBytes = (session: Session): number =>
  session.queue.reduce((sum, one) => sum + bytesOf(one.message), 0)

const hasRoom = (model: Model, session: Session): boolean =>
  session.window.length < session.windowMax &&
  session.sentBytes - session.takenBytes <=
    Math.max(UNREPORTED_BYTES_MAX, model.config.unwrittenBytesMax)

const offer = (model: Model, session: Session, copy: Queued): boolean => {
  const { window, queue } = session
  const waiting = window.some((one) => one.stage === 'waiting')
  if (session.link !== null && queue.length === 0 && !waiting && hasRoom(model, session)) {
    dispatch(model, session, copy)
    return true
  }
  const { queuedCountMax, queuedBytesMax } = model.config
  const isFull = () =>
    (queuedCountMax > 0 && session.queue.length >= queuedCountMax) ||
    (queuedBytesMax > 0 && queuedBytes(session) > 0 &&
      queuedBytes(session) + bytesOf(copy.message) > queuedBytesMax)
  if (isFull()) {
    // What has expired makes room, as far as it stands in front.
    while (session.queue.length > 0 && session.queue[0]!.message.expiresAt <= model.now) {
      const { message, qos } = session.queue.shift()!
      dropped(model, session.clientId, message.topic, qos, 'expired')
    }
  }
  if (isFull()) {
    dropped(model, session.clientId, copy.message.topic, copy.qos, 'queue full')
    return false
  }
  session.queue.push(copy)
  return true
}

const dispatch = (model: Model, session: Session, copy: Queued): void => {
  const used = session.window.map((one) => one.packetId)
  let packetId = session.nextPacketId
  while (used.includes(packetId)) packetId = packetId === 65_535 ? 1 : packetId + 1
  const packet = packetFor(model, session, copy, packetId, false)
  if (sizeOf(session.level, packet) > session.packetBytesMax) { // [MQTT-3.1.2-25]
    return dropped(model, session.clientId, copy.message.topic, copy.qos, 'too large')
  }
  session.nextPacketId = packetId === 65_535 ? 1 : packetId + 1
  session.window.push({ packetId, stage: 'sent', ...copy })
  tell(model, session, packet)
}

/** Sends what the window has room for: first what waits in it, then what is queued. */
const drain = (model: Model, session: Session): void => {
  if (session.link === null) return
  for (const one of [...session.window]) {
    const busy = session.window.filter((other) => other.stage !== 'waiting').length
    if (one.stage === 'waiting' && busy < session.windowMax) resend(model, session, one)
  }
  const waiting = session.window.some((one) => one.stage === 'waiting')
  while (!waiting && session.queue.length > 0 && hasRoom(model, session)) {
    const copy = session.queue.shift()!
    const { message, qos } = copy
    if (message.expiresAt > model.now) dispatch(model, session, copy)
    else dropped(model, session.clientId, message.topic, qos, 'expired') // [MQTT-3.3.2-5]
  }
}

const resend = (model: Model, session: Session, one: Outgoing): void => {
  const packet = packetFor(model, session, one, one.packetId, true) // [MQTT-3.3.1-1]
  if (sizeOf(session.level, packet) > session.packetBytesMax) {
    session.window = session.window.filter((other) => other !== one)
    return dropped(model, session.clientId, one.message.topic, one.qos, 'too large')
  }
  one.stage = 'sent'
  tell(model, session, packet)
}

/** Goes on with everything unfinished, in the original order. [MQTT-4.4.0-1] */
const resume = (model: Model, session: Session): void => {
  let sending = 0
  for (const one of [...session.window]) {
    if (one.stage === 'released') {
      const { packetId } = one
      tell(model, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
      sending++
    } else if (sending < session.windowMax) {
      resend(model, session, one)
      sending++
    } else one.stage = 'waiting'
  }
  drain(model, session)
}

// Time.

interface Due {
  readonly at: Millis
  readonly act: () => void
}

/** Everything that is going to happen by itself, each with its time. */
const agenda = (model: Model): Array<Due> => {
  const found: Array<Due> = []
  for (const link of model.links) {
    const { session } = link
    if (session === null) {
      const at = link.openedAt + model.config.connectTimeoutMs
      found.push({ at, act: () => refuse(model, link, 0, 0x8d, 'exceeded timeout') })
      continue
    }
    if (link.keepAliveMs > 0) {
      const at = link.seenAt + link.keepAliveMs * 1.5 // [MQTT-3.1.2-22]
      found.push({ at, act: () => expel(model, link, 'exceeded timeout', 0x8d) })
    }
    if (session.sentBytes - session.takenBytes > UNREPORTED_BYTES_MAX) {
      const at = session.progressAt + model.config.stalledMs
      found.push({ at, act: () => expel(model, link, 'stalled', 0x97) })
    }
  }
  for (const session of model.sessions) {
    if (session.link !== null) continue
    if (session.expiryS < 0xffffffff) {
      const at = session.offlineAt + session.expiryS * 1000
      found.push({ at, act: () => endSession(model, session, 'expired') })
    }
    found.push({ at: session.willAt, act: () => publishWill(model, session) })
  }
  for (const message of model.retained) {
    const act = () => keep(model, { ...message, payload: B.empty })
    found.push({ at: message.expiresAt, act })
  }
  return found.sort((a, b) => a.at - b.at)
}

const tick = (model: Model): void => {
  for (;;) {
    const next = agenda(model)[0]
    if (next === undefined || next.at > model.now) break
    next.act()
  }
  for (const session of model.sessions) advance(model, session)
}

/** The next time at which something happens by itself, NEVER if nothing will. */
export const due = (model: Model): Millis => agenda(model)[0]?.at ?? NEVER
