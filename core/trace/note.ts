// Notes as JSON and back.

import type { DropReason, Ending, Note } from '../broker/note.ts'
import { conn, fault, peer } from './input.ts'
import { level, qos } from './packet.ts'
import type { Codec } from './shape.ts'
import {
  byte,
  closed,
  count,
  nullable,
  oneOf,
  pair,
  tag,
  tagged,
  text,
  truth,
  word,
} from './shape.ts'

// A table and not a list, so that the type checker sees a word that was forgotten.
const dropReasons: Readonly<Record<DropReason, true>> = {
  'expired': true,
  'queue full': true,
  'too large': true,
  'back-pressure': true,
  'offline': true,
  'no subscriber': true,
  'not allowed': true,
  'session ended': true,
  'retained store full': true,
  'memory short': true,
  'store full': true,
  'payload format invalid': true,
}

const endings: Readonly<Record<Ending, true>> = {
  'disconnected': true,
  'connection closed by client': true,
  'connection failed': true,
  'exceeded timeout': true,
  'session taken over': true,
  'protocol error': true,
  'stalled': true,
  'global_max_connections exceeded': true,
  'max_connections exceeded': true,
  'max_connections_per_address exceeded': true,
  'global_max_clients exceeded': true,
  'too many without CONNECT': true,
  'connecting too often': true,
  'not authorised': true,
  'refused': true,
  'memory short': true,
  'store full': true,
  'kicked': true,
  'listener closed': true,
  'redirected': true,
  'server shutting down': true,
}

const wordOf = <A extends string>(words: Readonly<Record<A, true>>): Codec<A> =>
  oneOf<A>(...(Object.keys(words) as Array<A>))

type Arm<Tag extends Note['_tag']> = Extract<Note, { readonly _tag: Tag }>

/** Every note, as core/broker/note.ts has it. */
export const note: Codec<Note> = tagged<Note>('Note', {
  ConnectionOpened: closed<Arm<'ConnectionOpened'>>('ConnectionOpened', {
    _tag: tag('ConnectionOpened'),
    conn,
    listener: text,
    peer,
  }),
  ClientConnected: closed<Arm<'ClientConnected'>>('ClientConnected', {
    _tag: tag('ClientConnected'),
    conn,
    clientId: text,
    peer,
    level,
    cleanStart: truth,
    keepAliveS: word,
    userName: nullable(text),
    sessionPresent: truth,
  }),
  ConnectionEnded: closed<Arm<'ConnectionEnded'>>('ConnectionEnded', {
    _tag: tag('ConnectionEnded'),
    conn,
    clientId: nullable(text),
    wasAccepted: truth,
    peer,
    ending: wordOf(endings),
    reason: byte,
    fault: nullable(fault),
  }),
  Subscribed: closed<Arm<'Subscribed'>>('Subscribed', {
    _tag: tag('Subscribed'),
    clientId: text,
    filter: text,
    qos,
  }),
  Unsubscribed: closed<Arm<'Unsubscribed'>>('Unsubscribed', {
    _tag: tag('Unsubscribed'),
    clientId: text,
    filter: text,
  }),
  TooManySubscriptions: closed<Arm<'TooManySubscriptions'>>('TooManySubscriptions', {
    _tag: tag('TooManySubscriptions'),
    clientId: text,
    count: count,
    filter: text,
  }),
  Dropped: closed<Arm<'Dropped'>>('Dropped', {
    _tag: tag('Dropped'),
    clientId: nullable(text),
    topic: text,
    qos,
    why: wordOf(dropReasons),
  }),
  SessionEnded: closed<Arm<'SessionEnded'>>('SessionEnded', {
    _tag: tag('SessionEnded'),
    clientId: text,
    why: oneOf<Arm<'SessionEnded'>['why']>('expired', 'clean start', 'disconnected'),
    messages: count,
  }),
  Contested: closed<Arm<'Contested'>>('Contested', {
    _tag: tag('Contested'),
    clientId: text,
    peers: pair(peer, peer),
  }),
  Denied: closed<Arm<'Denied'>>('Denied', {
    _tag: tag('Denied'),
    clientId: text,
    what: oneOf<Arm<'Denied'>['what']>('publish', 'subscribe', 'will'),
    topic: text,
  }),
  MemoryShort: closed<Arm<'MemoryShort'>>('MemoryShort', { _tag: tag('MemoryShort') }),
  MemoryFree: closed<Arm<'MemoryFree'>>('MemoryFree', { _tag: tag('MemoryFree') }),
  StoreFull: closed<Arm<'StoreFull'>>('StoreFull', { _tag: tag('StoreFull') }),
  StoreFree: closed<Arm<'StoreFree'>>('StoreFree', { _tag: tag('StoreFree') }),
  WillPublished: closed<Arm<'WillPublished'>>('WillPublished', {
    _tag: tag('WillPublished'),
    clientId: text,
    topic: text,
  }),
  Stale: closed<Arm<'Stale'>>('Stale', { _tag: tag('Stale'), conn, input: text }),
})
