// How connections and sessions end.

import type { Ending } from '../../core/broker/note.ts'
import type { Connect, Level, Packet } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/properties.ts'
import { none } from '../../core/codec/properties.ts'
import { rest } from './retain.ts'
import { publishIfAllowed } from './route.ts'
import { handOver } from './hand-over.ts'
import { leaveGroup } from './share.ts'
import type { Link, Model, Session } from './state.ts'
import { expiryOf, NEVER, noted, sizeOf } from './state.ts'

/** Where a client is sent with this reason, if anywhere. */
const elsewhere = (model: Model, reason: number): Properties =>
  (reason === 0x9c || reason === 0x9d) && model.config.serverReference !== null
    ? { serverReference: model.config.serverReference }
    : none

/** Answers a CONNECT, or one of which only the level could be read, or (0) nobody. */
export const refuse = (
  model: Model,
  link: Link,
  asked: Connect | Level | 0,
  reason: number,
  ending: Ending,
): void => {
  noted(model, `ended ${ending} ${reason}`)
  const level = typeof asked === 'number' ? asked : asked.level
  const most = typeof asked === 'number' ? NEVER : asked.properties.maximumPacketSize ?? NEVER
  if (level !== 0) {
    const connack = (properties: Properties): Packet => ({
      _tag: 'Connack',
      sessionPresent: false,
      reason,
      properties,
    })
    const fuller = connack(level === 5 ? elsewhere(model, reason) : none)
    const packet = sizeOf(level, fuller) <= most ? fuller : connack(none)
    if (sizeOf(level, packet) <= most) {
      model.said.push({ _tag: 'Sent', conn: link.conn, level, packet })
    }
  }
  model.said.push({ _tag: 'Closed', conn: link.conn, reason })
  model.links = model.links.filter((one) => one !== link)
}

/** Ends a connection from this side. */
export const expel = (model: Model, link: Link, ending: Ending, reason: number): void => {
  if (link.session?.level === 5) {
    const disconnect = (properties: Properties): Packet => ({
      _tag: 'Disconnect',
      reason: reason === 0x85 ? 0x82 : reason, // a code that DISCONNECT does not have
      properties,
    })
    const fuller = disconnect(elsewhere(model, reason)) // [MQTT-4.13.1-1]
    const packet = sizeOf(5, fuller) <= link.session.packetBytesMax ? fuller : disconnect(none)
    model.said.push({ _tag: 'Sent', conn: link.conn, level: 5, packet })
  }
  model.said.push({ _tag: 'Closed', conn: link.conn, reason })
  unlink(model, link, ending, reason, true)
}

export const unlink = (
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
  rest(session)
  if (!withWill) session.will = null
  if (session.expiryS === 0) return endSession(model, session, 'disconnected')
  const { sharedOrder, sharedOffline } = model.config
  if (sharedOrder === 'prefer online' || sharedOffline === 'drop') handOver(model, session, 'away')
  if (session.will === null) return
  if (session.willDelayMs === 0) publishWill(model, session)
  else session.willAt = model.now + session.willDelayMs
}

export const faulty = (model: Model, link: Link, reason: number, level: Level | 0): void =>
  link.phase === 'ready' ? expel(model, link, 'protocol error', reason) : refuse(
    model,
    link,
    link.dialogue !== null ? link.connect ?? 0 : level,
    reason,
    'protocol error',
  )

export const publishWill = (model: Model, session: Session): void => {
  const { will } = session
  if (will === null) return
  session.will = null
  session.willAt = NEVER
  publishIfAllowed(
    model,
    session,
    { ...will, expiresAt: expiryOf(model, will.properties) },
    'will',
  )
}

export const endSession = (
  model: Model,
  session: Session,
  why: 'expired' | 'clean start' | 'disconnected',
): void => {
  for (const subscription of session.subscriptions) leaveGroup(model, session, subscription)
  session.subscriptions = []
  handOver(model, session, 'ended')
  publishWill(model, session)
  model.sessions = model.sessions.filter((one) => one !== session)
  // What the client has received of QoS 2 it does not lose.
  const unreceived = session.window.filter((one) => one.stage !== 'released').length
  const messages = unreceived + session.queue.length
  noted(model, `session "${session.clientId}" ${why} ${messages}`)
}
