// How connections and sessions end.

import type { Ending } from '../../core/broker/note.ts'
import type { Level, Packet } from '../../core/codec/packet.ts'
import { none } from '../../core/codec/property.ts'
import { rest } from './retain.ts'
import { publishKept } from './route.ts'
import { handOver } from './hand-over.ts'
import { leaveGroup } from './share.ts'
import type { Link, Model, Session } from './state.ts'
import { expiryOf, NEVER, noted } from './state.ts'

export const refuse = (
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
export const expel = (model: Model, link: Link, ending: Ending, reason: number): void => {
  if (link.session?.level === 5) {
    const packet: Packet = { _tag: 'Disconnect', reason, properties: none } // [MQTT-4.13.1-1]
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
  link.phase === 'ready'
    ? expel(model, link, 'protocol error', reason)
    : refuse(model, link, level, reason, 'protocol error')

export const publishWill = (model: Model, session: Session): void => {
  const { will } = session
  if (will === null) return
  session.will = null
  session.willAt = NEVER
  noted(model, `will "${session.clientId}" ${will.topic}`)
  publishKept(model, session, { ...will, expiresAt: expiryOf(model, will.properties) })
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
