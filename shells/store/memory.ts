// A store that keeps records in a Map, and does what a disk may do to them when it is told to: for
// tests and simulations. What was committed outlives its stores: open the same Disk again.

import type { Key, Kind, Record, Stamp, Write } from '../../core/broker/record.ts'
import { own } from '../../core/data/bytes.ts'
import { E } from '../../core/prelude.ts'
import { contradiction, isOfSession, keyName, kinds } from '../common/store.ts'
import type { Committed, Store } from '../common/store.ts'

export interface Disk {
  /** By kind and name of the key. */
  readonly records: Map<Kind, Map<string | number, Record>>
  stamp: Stamp
  /** What the next commits come to; 'broken' stays, as it does on a real disk. */
  state: 'sound' | 'full' | 'broken'
  /** What a commit waits for once it has read its writes. */
  flush: () => Promise<void>
  isOpen: boolean
}

export const createDisk = (): Disk => ({
  records: new Map(kinds.map((kind) => [kind, new Map()])),
  stamp: { at: 0, wall: 0 },
  state: 'sound',
  flush: () => Promise.resolve(),
  isOpen: false,
})

/** Opens the store on a disk; Left while somebody else has it open. */
export const openMemory = async (disk: Disk): Promise<E.Either<string, Store>> => {
  if (disk.isOpen) return E.left('The store in memory is in use: close it first.')
  disk.isOpen = true
  let broken: Committed | null = null

  const load: Store['load'] = async (take) => {
    const records = recordsOf(disk)
    if (records.length > 0) take(records)
    return E.right({ stamp: disk.stamp, recordCount: records.length, damaged: [] })
  }

  const commit: Store['commit'] = async (stamp, writes) => {
    if (broken !== null) return broken
    const kept = writes.map(ownWrite)
    await disk.flush()
    if (disk.state === 'full') return { _tag: 'Full', why: 'The store in memory is full.' }
    if (disk.state === 'broken') {
      broken = { _tag: 'Broken', why: 'The store in memory is broken.' }
      return broken
    }
    writeTo(disk, stamp, kept)
    return { _tag: 'Durable' }
  }

  const close = async (): Promise<void> => {
    disk.isOpen = false
  }

  return E.right({ warnings: [], load, commit, close })
}

/** All records, in the order in which a store hands them out. */
export const recordsOf = ({ records }: Disk): ReadonlyArray<Record> =>
  kinds.flatMap((kind) => [...records.get(kind)!.values()].sort(byKey))

/** Makes a batch durable at once, whole or not at all; whoever lends bytes owns them first. */
export const writeTo = (disk: Disk, stamp: Stamp, writes: ReadonlyArray<Write>): void => {
  const forgotten = new Set<string>()
  for (const write of writes) if (write._tag === 'Forget') forgotten.add(write.clientId)
  for (const write of writes) check(disk, write, forgotten)
  if (forgotten.size > 0) forget(disk, forgotten)
  for (const write of writes) apply(disk, write)
  disk.stamp = stamp
}

/** By client, then by number, as rows stand in a table. */
const byKey = (a: Record, b: Record): number => compare(sortKey(a), sortKey(b))

const sortKey = (key: Key): readonly [string, number | string] => {
  switch (key.kind) {
    case 'message':
      return ['', key.id]
    case 'outgoing':
      return [key.clientId, key.order]
    case 'incoming':
      return [key.clientId, key.packetId]
    case 'subscription':
      return [key.clientId, key.filter]
    case 'retained':
      return [key.topic, 0]
    case 'session':
    case 'will':
      return [key.clientId, 0]
  }
}

const compare = (
  [one, first]: readonly [string, number | string],
  [other, second]: readonly [string, number | string],
): number => one < other ? -1 : one > other ? 1 : first < second ? -1 : first > second ? 1 : 0

/** The write with bytes of its own, since those of a batch are lent. */
export const ownWrite = (write: Write): Write => {
  if (write._tag !== 'Put') return write
  const { record, isNew } = write
  if (record.kind !== 'message' && record.kind !== 'will') return write
  const { correlationData } = record.properties
  const properties = correlationData === undefined
    ? record.properties
    : { ...record.properties, correlationData: own(correlationData) }
  return { _tag: 'Put', record: { ...record, payload: own(record.payload), properties }, isNew }
}

const check = ({ records }: Disk, write: Write, forgotten: ReadonlySet<string>): void => {
  if (write._tag === 'Forget') {
    if (records.get('session')!.has(write.clientId)) return
    throw contradiction('is not there to be forgotten', { ...write, kind: 'session' })
  }
  const key = write._tag === 'Put' ? write.record : write.key
  const isThere = !(isOfSession(key) && forgotten.has(key.clientId)) &&
    records.get(key.kind)!.has(keyName(key))
  if (write._tag === 'Put' && write.isNew === isThere) {
    throw contradiction(isThere ? 'is there already' : 'is not there to replace', key)
  }
  if (write._tag === 'Delete' && !isThere) throw contradiction('is not there to delete', key)
}

const forget = ({ records }: Disk, forgotten: ReadonlySet<string>): void => {
  for (const some of records.values()) {
    for (const [name, record] of some) {
      if (isOfSession(record) && forgotten.has(record.clientId)) some.delete(name)
    }
  }
}

const apply = ({ records }: Disk, write: Write): void => {
  if (write._tag === 'Forget') return
  const key = write._tag === 'Put' ? write.record : write.key
  const some = records.get(key.kind)!
  if (write._tag === 'Put') some.set(keyName(key), write.record)
  else some.delete(keyName(key))
}
