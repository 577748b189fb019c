// Why a connection ended, as a sentence without its beginning: who did it, and for what.

import { rulesOf } from '../broker/config.ts'
import type { Conn, Input, Millis, Peer } from '../broker/input.ts'
import { levelOf } from '../broker/leave.ts'
import type { Note } from '../broker/note.ts'
import type { Link, State } from '../broker/state.ts'
import { unwrittenBytes } from '../broker/tell.ts'
import { SERVER_BUSY, SERVER_MOVED, SERVER_UNAVAILABLE } from '../codec/reason-code.ts'
import * as IntMap from '../data/int-map.ts'
import { isSameConn } from './explain-facts.ts'
import type { Moment } from './explain-facts.ts'
import { since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { hex, plural, quote } from './words.ts'

export type Ended = Extract<Note, { readonly _tag: 'ConnectionEnded' }>

/** Whose it was; a CONNECT that was refused without a word may still have said so. */
export const nameIn = ({ clientId, conn }: Ended, { input }: Moment): string | null =>
  clientId === null && input._tag === 'Arrived' && input.packet._tag === 'Connect' &&
    isSameConn(input.conn, conn) && input.packet.clientId !== ''
    ? input.packet.clientId
    : clientId

export const addressText = ({ address }: Peer): string => quote(address, '"').slice(1, -1)

export const peerText = (peer: Peer): string => `${addressText(peer)}:${peer.port}`

const linkOf = (state: State, conn: Conn): Link | undefined => {
  const link = IntMap.get(state.links, conn.slot)
  return link?.conn.generation === conn.generation ? link : undefined
}

const faultText = ({ fault }: Ended): string =>
  fault === null ? '' : `: ${fault.detail} [${fault.clause}]`

/** `isContinued`: what was heard last was more of a packet that was not whole. */
const timeoutText = (
  link: Link | undefined,
  isContinued: boolean,
  { before, after }: Moment,
  clock: Clock,
): string => {
  if (link === undefined || link.phase.phase !== 'Ready') {
    const seconds = before.config.connectTimeoutMs / 1000
    return `because it had not come as far as an accepted CONNECT within ${seconds} s`
  }
  const keepAliveS = link.phase.keepAliveMs / 1000
  // A client of MQTT 5 may have asked for more.
  const whose = keepAliveS === before.config.keepAliveMaxS ? ', which is max_keepalive' : ''
  const what = isContinued ? 'no more of its large packet came' : 'nothing whole was heard from it'
  return `because ${what} since ${since(link.seenAt, clock)}, ` +
    `${(after.now - link.seenAt) / 1000} s before, with a Keep Alive of ${keepAliveS} s${whose} ` +
    '(half as long again is allowed)'
}

/** What it could not take: who cannot be told so loses the connection, and sends it again. */
const burdenText = (input: Input): string =>
  input._tag === 'Arrived' && input.packet._tag === 'Publish'
    ? ` and could not take what the client published with QoS ${input.packet.qos}; below MQTT 5 ` +
      'there is no other way to say so'
    : input._tag === 'Arrived' && input.packet._tag === 'Subscribe'
    ? ' and could not take its subscription'
    : ''

/** Of connections by one listener. */
const fullText = (input: Input, { config }: State): string => {
  const listener = input._tag === 'Opened' ? input.listener : ''
  return `which had as many connections as may come by listener ${quote(listener, '"')} ` +
    `(max_connections ${rulesOf(config, listener).listenerConnectionsMax})`
}

/** What came of asking about user name and password. */
const verdictText = ({ reason }: Ended): string =>
  reason === SERVER_BUSY
    ? `too many passwords were waiting to be checked (${hex(reason)}): its own was not looked at`
    : reason === SERVER_UNAVAILABLE
    ? `what checks user names and passwords was not available (${hex(reason)})`
    : 'user name and password were not accepted'

/** Who ended it, and for what; `continuedAt` is when more of a packet came there last. */
export const causeText = (
  ended: Ended,
  continuedAt: Millis | null,
  moment: Moment,
  clock: Clock,
): string => {
  const { input, before, after } = moment
  const link = linkOf(before, ended.conn)
  const session = link?.phase.phase === 'Ready'
    ? IntMap.get(before.sessions, link.phase.session)
    : undefined
  switch (ended.ending) {
    case 'disconnected':
      return `by the client itself, with DISCONNECT ${hex(ended.reason)}` +
        (ended.reason === 4 ? ', which asks for its will' : '')
    case 'connection closed by client':
      return 'by the other side: the socket was closed without DISCONNECT'
    case 'connection failed':
      return 'by the network: the socket failed, without DISCONNECT'
    case 'exceeded timeout':
      return ended.fault === null
        ? `by the broker, ${timeoutText(link, continuedAt === link?.seenAt, moment, clock)}`
        : `by the broker${faultText(ended)}`
    case 'session taken over': {
      const rival = 'conn' in input ? linkOf(after, input.conn) ?? linkOf(before, input.conn) : null
      const whom = rival === null || rival === undefined ? '' : ` from ${peerText(rival.peer)}`
      return `by another client with its identifier, which connected${whom}`
    }
    case 'protocol error':
      return `by the broker, for a protocol error${faultText(ended)}`
    case 'stalled': {
      const seconds = before.config.stalledMs / 1000
      if (session === undefined) return 'by the broker, because its socket took nothing'
      return 'by the broker, because its socket has taken nothing of ' +
        `${plural(unwrittenBytes(session), 'byte')} since ${since(session.progressAt, clock)} ` +
        `(at most ${seconds} s): the client did not read`
    }
    case 'global_max_connections exceeded':
      return 'by the broker, which had as many connections as it may have ' +
        `(${before.config.connectionsMax})`
    case 'max_connections exceeded':
      return `by the broker, ${fullText(input, before)}`
    case 'max_connections_per_address exceeded':
      return 'by the broker, which had as many connections from ' +
        `${addressText(ended.peer)} as may come from one address ` +
        `(${before.config.connectionsPerAddressMax})`
    case 'global_max_clients exceeded':
      return 'by the broker, which had as many sessions as it may have ' +
        `(global_max_clients ${before.config.sessionsMax})`
    case 'too many without CONNECT':
      return 'by the broker, to make room: no more than ' +
        `${plural(before.config.unauthenticatedMax, 'connection')} may be without an accepted ` +
        'CONNECT, and it had hesitated longest'
    case 'connecting too often':
      return 'by the broker, because too many connections came from its address in a short time'
    case 'not authorised':
      // One who was judged well may still have a fault of another kind.
      if (input._tag === 'Judged' && ended.fault === null) {
        return `by the broker, because ${verdictText(ended)}`
      }
      if (input._tag === 'Commanded' && input.command._tag === 'Shut') {
        return 'by the broker, because since a reload its user name has to be proved'
      }
      if (before.recheck !== null && ended.wasAccepted && ended.fault === null) {
        const userName = session?.source?.userName ?? null
        return userName === null
          ? 'by the broker, because since a reload nobody may be there without a user name ' +
            '(allow_anonymous false)'
          : `by the broker, because the user ${quote(userName, '"')} was given another password, ` +
            'or none any more'
      }
      return `by the broker, because it may not be there${faultText(ended)}`
    case 'refused':
      return `by the broker, which refused its CONNECT${faultText(ended)}`
    case 'memory short':
      return `by the broker, which was short of memory${burdenText(input)}`
    case 'store full':
      return `by the broker, whose store was full${burdenText(input)}`
    case 'kicked':
      return 'by the operator, who ended this connection'
    case 'listener closed':
      return `by a reload, after which there is no listener ` +
        `${quote(link?.listener ?? '', '"')} any more`
    case 'redirected': {
      const { serverReference } = after.config
      const where = serverReference === null ? '' : `, ${quote(serverReference, '"')}`
      // A client about whom somebody is asked has said its level, and may meet a reload then.
      const known = link === undefined ? 0 : levelOf(link)
      const level = known === 0 && input._tag === 'Arrived' && input.packet._tag === 'Connect'
        ? input.packet.level
        : known
      const untold = level !== 0 && level < 5 ? '; below MQTT 5 it cannot be told so' : ''
      return `by the broker, which sends its clients to another server${
        ended.reason === SERVER_MOVED ? ' for good' : ''
      }${where} (${hex(ended.reason)})${untold}`
    }
    case 'server shutting down':
      return 'by the broker, which was stopped'
  }
}
