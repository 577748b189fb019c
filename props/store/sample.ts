// One store that never changes: what the golden files of all schemas hold, and what is damaged on
// purpose. All kinds, all types of columns, rows that share pages and rows that fill some.

import type { Record, Stamp, Write } from '../../core/broker/record.ts'
import { none } from '../../core/codec/properties.ts'
import * as Bytes from '../../core/data/bytes.ts'
import { filter, name } from '../gen/topics.ts'

const bytes = (text: string): Bytes.Bytes => Bytes.of(new TextEncoder().encode(text))

const lamp = { clientId: 'lamp', userName: null, listener: '1883' }
const lämp = { clientId: 'lämp', userName: 'günther "x"', listener: '/run/mqtt' }

const identifiers: ReadonlyArray<number> = [1, 268_435_455]

export const stamp: Stamp = { at: 86_400_000, wall: 1_760_000_000_000 }

export const sample: ReadonlyArray<Record> = [
  { kind: 'session', clientId: 'lamp', expiryS: 3600, offlineAt: 5_000, level: 5, source: lamp },
  {
    kind: 'session',
    clientId: 'lämp',
    expiryS: 0xffffffff,
    offlineAt: null,
    level: 4,
    source: lämp,
  },
  {
    kind: 'subscription',
    clientId: 'lamp',
    filter: filter('$share/group/home/+/temp'),
    qos: 2,
    noLocal: false,
    retainAsPublished: true,
    identifiers,
    joined: 7,
    catchUp: 1,
  },
  {
    kind: 'subscription',
    clientId: 'lämp',
    filter: filter('#'),
    qos: 1,
    noLocal: true,
    retainAsPublished: false,
    identifiers: [],
    joined: 8,
    catchUp: 0,
  },
  ...Array.from({ length: 60 }, (_, i): Record => ({
    kind: 'message',
    id: 3 * i + 1,
    topic: name(`home/${i % 7}/temp`),
    qos: i % 2 === 0 ? 1 : 2,
    retain: i % 5 === 0,
    payload: bytes('0123456789abcdef'.repeat(i % 13 === 0 ? 400 : i % 9)),
    properties: i % 4 === 0
      ? { contentType: 'text/plain', userProperties: [['a', 'ü']], correlationData: bytes('\x01') }
      : none,
    expiresAt: i % 3 === 0 ? 90_000_000 + i : null,
    source: i % 5 > 0 ? null : i % 2 === 0 ? lamp : lämp,
  })),
  ...Array.from({ length: 60 }, (_, i): Record => ({
    kind: 'outgoing',
    clientId: i % 2 === 0 ? 'lamp' : 'lämp',
    order: i + 1,
    packetId: i < 20 ? i + 1 : 0,
    stage: i < 4 ? 'released' : i < 20 ? 'sent' : 'queued',
    message: i < 4 ? 0 : 3 * i + 1,
    qos: 2,
    retain: false,
    identifiers: i % 6 === 0 ? identifiers : [],
    share: i % 10 === 0 ? { group: 'group', filter: filter('home/+/temp') } : null,
  })),
  { kind: 'incoming', clientId: 'lamp', packetId: 65_535, message: 1 },
  { kind: 'incoming', clientId: 'lamp', packetId: 2, message: 0 },
  { kind: 'retained', topic: name('home/0/temp'), message: 1 },
  { kind: 'retained', topic: name('home/5/temp'), message: 16 },
  {
    kind: 'will',
    clientId: 'visitor',
    topic: name('visitors/gone'),
    qos: 1,
    retain: true,
    payload: bytes('good bye'),
    properties: { payloadFormatIndicator: 1, messageExpiryInterval: 60 },
    delayMs: 30_000,
    dueAt: null,
    source: { clientId: 'visitor', userName: '', listener: '1883' },
  },
]

/** The same as the first schema has it: nobody knows whose anything is. */
export const sourceless: ReadonlyArray<Record> = sample.map((record) =>
  'source' in record ? { ...record, source: null } : record
)

export const writes: ReadonlyArray<Write> = sample.map((record) => ({
  _tag: 'Put',
  record,
  isNew: true,
}))
