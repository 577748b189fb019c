// Notes in mosquitto's words. Every string that a client chose is made harmless.

import type { Peer } from '../broker/input.ts'
import type { DropReason, Ending, Note } from '../broker/note.ts'
import {
  MALFORMED_PACKET,
  PACKET_TOO_LARGE,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
} from '../codec/reason-code.ts'
import { harmless } from './harmless.ts'
import type { LogType } from '../config/settings.ts'

type Dropped = Extract<Note, { _tag: 'Dropped' }>

// What is no news unless somebody asks for everything: in these cases nobody lost what he was
// promised. What is not allowed has a line of its own where a client asked for it.
const quietDrops: ReadonlySet<DropReason> = new Set<DropReason>([
  'no subscriber',
  'offline',
  'expired',
  'not allowed',
  'session ended',
])

/** By which type the line of a note is chosen. */
export const typeOfNote = (note: Note): LogType => {
  switch (note._tag) {
    case 'Subscribed':
      return 'subscribe'
    case 'Unsubscribed':
      return 'unsubscribe'
    case 'Dropped':
      return quietDrops.has(note.why) ? 'debug' : 'notice'
    case 'SessionEnded':
      return note.messages === 0 && note.why !== 'expired' ? 'debug' : 'notice'
    case 'Contested':
    case 'TooManySubscriptions':
    case 'MemoryShort':
    case 'StoreFull':
      return 'warning'
    case 'WillPublished':
    case 'Stale':
      return 'debug'
    default:
      return 'notice'
  }
}

/** Of these no line says that they began. */
const wasNeverIn: ReadonlySet<Ending> = new Set([
  'global_max_connections exceeded',
  'max_connections exceeded',
  'max_connections_per_address exceeded',
  'connecting too often',
])

/** How the note reads. */
export const textOfNote = (note: Note): string => {
  switch (note._tag) {
    case 'ConnectionOpened':
      return `New connection from ${addressOf(note.peer)} on port ${portOf(note.listener)}.`
    case 'ClientConnected': {
      const user = note.userName === null ? '' : `, u'${harmless(note.userName)}'`
      return `New client connected from ${addressOf(note.peer)} as ${harmless(note.clientId)} ` +
        `(p${note.level}, c${note.cleanStart ? 1 : 0}, k${note.keepAliveS}${user}).`
    }
    case 'ConnectionEnded': {
      if (wasNeverIn.has(note.ending)) {
        return `Client connection from ${note.peer.address} denied: ${note.ending}.`
      }
      const ending = note.ending === 'disconnected' ? '' : `: ${endingOf(note)}`
      return `Client ${nameOf(note.clientId)} [${addressOf(note.peer)}] disconnected${ending}.`
    }
    case 'Subscribed':
      return `${harmless(note.clientId)} ${note.qos} ${harmless(note.filter)}`
    case 'Unsubscribed':
      return `${harmless(note.clientId)} ${harmless(note.filter)}`
    case 'TooManySubscriptions':
      return `Warning: Client ${harmless(note.clientId)} has as many subscriptions as it may: ` +
        `${note.count === 1 ? 'one was' : `${note.count} were`} refused, from ` +
        `'${harmless(note.filter)}' on. More are allowed by max_subscriptions_per_client.`
    case 'Dropped': {
      const { clientId } = note
      if (isHeldUp(note)) {
        return `Outgoing messages are being dropped for client ${nameOf(clientId)}.`
      }
      return `Dropped message${clientId === null ? '' : ` for ${harmless(clientId)}`} ` +
        `(${messageOf(note)}): ${note.why}.`
    }
    case 'Denied':
      return `Denied ${note.what.toUpperCase()} from ${harmless(note.clientId)} ` +
        `('${harmless(note.topic)}').`
    case 'SessionEnded': {
      if (note.why === 'expired') {
        return `Expiring client ${harmless(note.clientId)} due to timeout.`
      }
      const lost = note.messages === 0 ? '.' : `, ${lostWith(note)}`
      return `Session of ${harmless(note.clientId)} ended: ${note.why}${lost}`
    }
    case 'Contested':
      return `Warning: Client ${harmless(note.clientId)} is connected twice: ` +
        `${note.peers.map(addressOf).join(' and ')} throw each other out. ` +
        'Give each client an identifier of its own.'
    case 'MemoryShort':
      return 'Warning: Memory is short: what would have to be kept is turned away until there is ' +
        'more.'
    case 'MemoryFree':
      return 'There is enough memory again.'
    case 'StoreFull':
      return 'Warning: The store is full: what would have to be stored is turned away until ' +
        'there is room.'
    case 'StoreFree':
      return 'There is room in the store again.'
    case 'WillPublished':
      return `Published will of ${harmless(note.clientId)} ('${harmless(note.topic)}')`
    case 'Stale':
      return `Ignored ${note.input} of a connection that is gone (${note.conn.slot})`
  }
}

/** What mosquitto has one sentence for: a client that does not take, or is not there. */
const isHeldUp = ({ clientId, why }: Dropped): boolean =>
  clientId !== null && (why === 'queue full' || why === 'back-pressure')

const messageOf = ({ qos, topic }: Dropped): string => `q${qos}, '${harmless(topic)}'`

const lostWith = ({ messages }: Extract<Note, { _tag: 'SessionEnded' }>): string =>
  `${messages} ${messages === 1 ? 'message' : 'messages'} with it.`

/** What stands below it, so that mosquitto's sentence is whole for whoever looks for it. */
export const belowNote = (note: Note): ReadonlyArray<string> => {
  switch (note._tag) {
    case 'ConnectionEnded':
      return note.fault === null ? [] : [`${note.fault.detail} (${note.fault.clause})`]
    case 'Dropped':
      return isHeldUp(note) ? [`${note.why} (${messageOf(note)})`] : []
    case 'SessionEnded':
      return note.why === 'expired' && note.messages > 0 ? [lostWith(note)] : []
    default:
      return []
  }
}

/** mosquitto tells kinds of what is one to the machine. */
const endingOf = ({ ending, reason }: Extract<Note, { _tag: 'ConnectionEnded' }>): string => {
  if (reason === RETAIN_NOT_SUPPORTED || reason === QOS_NOT_SUPPORTED) {
    return 'QoS too high or retain not supported'
  }
  if (ending !== 'protocol error') return ending
  if (reason === MALFORMED_PACKET) return 'malformed packet'
  return reason === PACKET_TOO_LARGE ? 'oversize packet' : ending
}

/** Whether the note tells of a connection that comes or goes. */
export const isOfConnection = ({ _tag }: Note): boolean =>
  _tag === 'ConnectionOpened' || _tag === 'ClientConnected' || _tag === 'ConnectionEnded'

const nameOf = (clientId: string | null): string =>
  clientId === null ? '<unknown>' : harmless(clientId)

/** The port of a listener, which is 0 for the path of a socket. */
const portOf = (listener: string): string => /^\d+/.exec(listener)?.[0] ?? '0'

const addressOf = (peer: Peer): string => `${peer.address}:${peer.port}`
