// Inputs of the broker as JSON and back, with what they are made of: connections, peers, faults,
// commands and the configuration.

import type { Config } from '../broker/config.ts'
import type {
  Arrived,
  Broke,
  Closed,
  Command,
  Commanded,
  Conn,
  Gone,
  Input,
  Judged,
  Opened,
  Peer,
  Reconfigured,
  Ticked,
  Written,
} from '../broker/input.ts'
import type { Fault } from '../codec/fault.ts'
import { packet } from './packet.ts'
import type { Codec } from './shape.ts'
import { byte, closed, count, long, oneOf, tag, tagged, text, whole, word } from './shape.ts'

export const conn: Codec<Conn> = closed<Conn>('Conn', {
  slot: whole(0, 0xffffff),
  generation: count,
})

export const peer: Codec<Peer> = closed<Peer>('Peer', { address: text, port: word })

export const fault: Codec<Fault> = closed<Fault>('Fault', {
  reason: byte,
  clause: text,
  detail: text,
  level: oneOf<Fault['level']>(0, 3, 4, 5),
})

/** All of a configuration: an option left out of a recording would change its meaning. */
export const config: Codec<Config> = closed<Config>('Config', {
  authentication: oneOf<Config['authentication']>('none', 'judge'),
  packetBytesMax: count,
  connectPacketBytesMax: count,
  connectTimeoutMs: count,
  keepAliveMaxS: word,
  inflightCountMax: count,
  packetIdMax: whole(1, 0xffff),
  receiveMaximum: word,
  incomingCountMax: count,
  incomingBytesMax: count,
  queuedCountMax: count,
  queuedBytesMax: count,
  unwrittenBytesMax: count,
  stalledMs: count,
  subscriptionsPerSessionMax: count,
  filtersPerPacketMax: count,
  retainedCountMax: count,
  retainedBytesMax: count,
  sessionsMax: count,
  sessionExpiryMaxS: long,
  topicAliasMaximum: word,
  connectionsMax: count,
  connectionsPerAddressMax: count,
  unauthenticatedMax: count,
  unauthenticatedGraceMs: count,
})

const command: Codec<Command> = tagged<Command>('Command', {
  Stop: closed<Extract<Command, { readonly _tag: 'Stop' }>>('Stop', {
    _tag: tag('Stop'),
  }),
  Kick: closed<Extract<Command, { readonly _tag: 'Kick' }>>('Kick', {
    _tag: tag('Kick'),
    clientId: text,
  }),
})

const at = count

/** Every input, as core/broker/input.ts has it. */
export const input: Codec<Input> = tagged<Input>('Input', {
  Opened: closed<Opened>('Opened', {
    _tag: tag('Opened'),
    conn,
    at,
    nonce: text,
    listener: text,
    peer,
  }),
  Arrived: closed<Arrived>('Arrived', { _tag: tag('Arrived'), conn, at, packet }),
  Broke: closed<Broke>('Broke', { _tag: tag('Broke'), conn, at, fault }),
  Closed: closed<Closed>('Closed', {
    _tag: tag('Closed'),
    conn,
    at,
    why: oneOf<Gone>('closed', 'failed'),
  }),
  Written: closed<Written>('Written', {
    _tag: tag('Written'),
    conn,
    at,
    total: count,
  }),
  Judged: closed<Judged>('Judged', { _tag: tag('Judged'), conn, at, reason: byte }),
  Ticked: closed<Ticked>('Ticked', { _tag: tag('Ticked'), at, wall: count }),
  Reconfigured: closed<Reconfigured>('Reconfigured', {
    _tag: tag('Reconfigured'),
    at,
    config,
  }),
  Commanded: closed<Commanded>('Commanded', {
    _tag: tag('Commanded'),
    at,
    command,
  }),
})
