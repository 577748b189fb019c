// The dumb broker: the same decisions as core/broker with nothing clever about them. Everything
// lies in arrays that are searched from the front, every match goes through `match`, nothing is
// shared, cached or persistent, and a state is whatever the arrays hold at the moment. It takes
// the inputs of the real broker and answers what each connection is sent, what is closed, and
// what is noted.

import type { Conn, Input, Millis, Revocation } from '../../core/broker/input.ts'
import type { Publish } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/properties.ts'
import * as B from '../../core/data/bytes.ts'
import { found as learnt } from './authenticate.ts'
import { enter, follow, opened } from './connect.ts'
import { drain } from './deliver.ts'
import { endSession, expel, faulty, publishWill, refuse, unlink } from './leave.ts'
import { arrived } from './packets.ts'
import { advance, isForgotten, keep } from './retain.ts'
import { publishKept } from './route.ts'
import { addUp, changed, report } from './sys.ts'
import type { Link, Model, Said } from './state.ts'
import { NEVER, noted, rulesFor, UNREPORTED_BYTES_MAX } from './state.ts'

/** Takes an input and answers what follows from it, in order. */
export const accept = (model: Model, input: Input): ReadonlyArray<Said> => {
  model.said = []
  model.sums.counted = 0
  model.now = Math.max(model.now, input.at)
  switch (input._tag) {
    case 'Opened':
      opened(model, input)
      break
    case 'Ticked':
      tick(model)
      report(model, input.wall)
      break
    case 'Measured':
      model.sums.receivedBytes = input.receivedBytes
      model.sums.heap = input.heapBytes
      model.sums.waitingPackets = input.waitingPackets
      model.sums.waitingBytes = input.waitingBytes
      model.sums.heapMost = Math.max(model.sums.heapMost, input.heapBytes)
      break
    case 'MemoryShort':
    case 'MemoryFree': {
      const isShort = input._tag === 'MemoryShort'
      if (isShort !== model.isShort) noted(model, isShort ? 'memory short' : 'memory free')
      model.isShort = isShort
      break
    }
    case 'StoreFull':
    case 'StoreFree':
      throw new Error('the dumb broker has no store')
    case 'Reconfigured':
      {
        const { sysIntervalMs } = model.config
        model.config = input.config
        changed(model, sysIntervalMs)
      }
      if (namesAreAsked(model)) { for (const link of model.links) link.isDoubted = true }
      break
    case 'Commanded':
      if (input.command._tag === 'Stop') stop(model)
      else if (input.command._tag === 'Redirect') redirect(model)
      else if (input.command._tag === 'Publish') publishOwn(model, input.command.packet)
      else if (input.command._tag === 'Revoke') revoke(model, input.command.revocation)
      else if (input.command._tag === 'Shut') shut(model, input.command.listener)
      else kick(model, input.command.clientId)
      break
    default:
      ofLink(model, input)
  }
  addUp(model)
  const online = model.links.filter((one) => one.phase === 'ready').length
  model.sums.most = Math.max(model.sums.most, online)
  return model.said
}

type LinkInput = Extract<Input, { readonly conn: Conn }>

const ofLink = (model: Model, input: Exclude<LinkInput, { readonly _tag: 'Opened' }>): void => {
  const link = model.links.find((one) =>
    one.conn.slot === input.conn.slot && one.conn.generation === input.conn.generation
  )
  if (
    link === undefined || (input._tag === 'Judged' && link.phase !== 'judging') ||
    (input._tag === 'Answered' && (link.dialogue === null || link.dialogue.waits === 'final'))
  ) {
    noted(model, `stale ${input._tag}`)
    return
  }
  switch (input._tag) {
    case 'Arrived':
      model.sums.received++
      if (input.packet._tag === 'Connect') model.sums.connects++
      if (input.packet._tag === 'Publish') {
        model.sums.receivedPublishes++
        model.sums.receivedPayload += B.size(input.packet.payload)
      }
      return arrived(model, link, input.packet)
    case 'Broke':
      return faulty(model, link, input.fault.reason, input.fault.level)
    case 'Closed': {
      const ending = input.why === 'closed' ? 'connection closed by client' : 'connection failed'
      return unlink(model, link, ending, 0, true)
    }
    case 'Continued':
      if (link.phase !== 'ready') return
      if (model.now - link.seenAt > link.keepAliveMs && link.keepAliveMs > 0) {
        model.marks.add('a large packet held a Keep Alive')
      }
      link.seenAt = model.now
      return
    case 'Written':
      return written(model, link, input.total)
    case 'Judged': {
      const packet = link.connect
      if (packet === null) return
      if (input.reason !== 0) {
        return refuse(
          model,
          link,
          packet,
          input.reason < 0x80 ? 0x87 : input.reason,
          'not authorised',
        )
      }
      return enter(model, link, packet, null)
    }
    case 'Answered':
      if (link.dialogue === null) return
      return follow(model, link, learnt(link.dialogue, input.answer, input.nonce))
  }
}

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

const redirect = (model: Model): void => {
  const reason = model.config.redirect === 'server moved' ? 0x9d : 0x9c
  for (const link of [...model.links].sort((a, b) => a.conn.slot - b.conn.slot)) {
    if (link.phase === 'greeting') continue
    if (link.phase === 'ready') expel(model, link, 'redirected', reason)
    else if (link.connect?.level === 5) refuse(model, link, link.connect, reason, 'redirected')
    else refuse(model, link, 0, reason, 'redirected')
  }
}

const kick = (model: Model, clientId: string): void => {
  const link = model.sessions.find((one) => one.clientId === clientId)?.link
  if (link !== undefined && link !== null) expel(model, link, 'kicked', 0x98)
}

/** A message that no client has sent. */
const publishOwn = (model: Model, packet: Publish): void => {
  const { topic, qos, retain, payload } = packet
  if (topic === '') return
  const left = Object.entries(packet.properties).filter(([name]) =>
    name !== 'topicAlias' && name !== 'subscriptionIdentifiers'
  )
  const properties: Properties = Object.fromEntries(left)
  const { messageExpiryInterval: expiryS } = properties
  const expiresAt = expiryS === undefined ? NEVER : model.now + expiryS * 1000
  publishKept(model, null, {
    topic,
    qos,
    retain,
    payload: B.own(payload),
    properties,
    expiresAt,
    who: null,
  })
}

const shut = (model: Model, listener: string): void => {
  for (const link of [...model.links].sort((a, b) => a.conn.slot - b.conn.slot)) {
    if (link.listener !== listener) continue
    if (model.config.listeners.some(([name]) => name === listener)) {
      const { session, provedName } = link
      const isNamed = session !== null && provedName === null && session.who.userName !== null
      if (link.phase === 'ready' && isNamed) expel(model, link, 'not authorised', 0x87)
    } else if (link.phase === 'ready') expel(model, link, 'listener closed', 0x98)
    else refuse(model, link, 0, 0x98, 'listener closed')
  }
}

const written = (model: Model, link: Link, total: number): void => {
  const { session } = link
  if (session === null || total <= session.takenBytes) return
  session.takenBytes = Math.min(total, session.sentBytes)
  session.progressAt = model.now
  drain(model, session)
}

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
    found.push({ at: link.renewalAt, act: () => expel(model, link, 'exceeded timeout', 0x87) })
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

const namesAreAsked = ({ config }: Model): boolean =>
  [config, ...config.listeners.map(([, rules]) => rules)].some((one) => !one.allowAnonymous)

const revoke = (model: Model, { listener, userNames }: Revocation): void => {
  for (const link of userNames.length === 0 ? [] : model.links) {
    link.isDoubted = true
    if (link.listener === listener) link.revoked = [...link.revoked, ...userNames]
  }
}

const mayStay = (model: Model, { session, provedName, listener, revoked }: Link): boolean => {
  if (session === null || provedName !== null) return true
  const { userName } = session.who
  return userName === null ? rulesFor(model, listener).allowAnonymous : !revoked.includes(userName)
}

const tick = (model: Model): void => {
  for (;;) {
    const next = agenda(model)[0]
    if (next === undefined || next.at > model.now) break
    next.act()
  }
  for (const link of [...model.links].sort((a, b) => a.conn.slot - b.conn.slot)) {
    if (link.isDoubted && !mayStay(model, link)) expel(model, link, 'not authorised', 0x87)
    link.isDoubted = false
    link.revoked = []
  }
  for (const session of model.sessions) advance(model, session)
}

/** The next time at which something happens by itself, NEVER if nothing will. */
export const due = (model: Model): Millis =>
  model.links.some((one) => one.isDoubted) ||
    model.sessions.some((one) => isForgotten(model, one))
    ? model.now
    : Math.min(agenda(model)[0]?.at ?? NEVER, model.sysAt)
