// The broker that a store has been told of, as it is at the moment of a restart.

import type { Config } from '../../core/broker/config.ts'
import { addRecord, beginRestore, endRestore, resumeAt } from '../../core/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Restored } from './driver.ts'
import type { Host } from './host.ts'
import { StartError } from './listen.ts'
import type { Log } from './log.ts'
import type { OpenStore, Store, StoreOptions } from './store.ts'

const count = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : 's'}`

/** Opens the store and makes the broker again that it has been told of. */
export const bringBack = async (
  openStore: OpenStore,
  host: Host,
  log: Log,
  config: Config,
  options: StoreOptions,
): Promise<Restored> => {
  const opened = await openStore(options)
  if (E.isLeft(opened)) throw new StartError(opened.left)
  const store = opened.right
  for (const warning of store.warnings) log.warn(warning)
  try {
    return await load(store, host, log, config)
  } catch (error) {
    await store.close()
    throw error
  }
}

const load = async (store: Store, host: Host, log: Log, config: Config): Promise<Restored> => {
  // Where its own time goes on is only known once all is loaded, and nothing of it is due before.
  const restoring = beginRestore(config, { at: 0, wall: 0, seed: host.seed })
  const loaded = await store.load((records) => {
    for (let i = 0; i < records.length; i++) addRecord(restoring, records[i]!)
  })
  if (E.isLeft(loaded)) throw new StartError(loaded.left)
  const { stamp, recordCount, damaged } = loaded.right
  for (const { kind, key, what } of damaged) {
    log.warn(`The store has lost a record: ${kind} ${key}: ${what}`)
  }
  const wall = host.wall()
  const { at, isClear } = resumeAt(stamp, wall)
  const isLost = !isClear && recordCount > 0
  if (isLost) {
    log.warn(
      'The clock on the wall does not show how long the broker was away: sessions and messages ' +
        'expire as if it had been no time.',
    )
  }
  const [state, effects] = endRestore(restoring, at, wall)
  log.line(`${count(recordCount, 'record')} restored.`)
  if (!isLost) return { store, state, effects }
  // Even where there is nothing else to store: the next restart is to count from this one.
  return { store, state, effects: [...effects, { _tag: 'Persist', at, writes: [] }] }
}
