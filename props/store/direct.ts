// The SQLite store without its thread, packed and unpacked all the same: for properties that open
// and close stores by the hundred.

import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { E } from '../../core/prelude.ts'
import type { OpenStore, Store } from '../../shells/common/store.ts'
import { Database } from '../../shells/store/database.ts'
import { pathsOf } from '../../shells/store/files.ts'
import { loadSqlite } from '../../shells/store/library.ts'
import { packWrites, unpackRecords } from '../../shells/store/pack.ts'
import { packer } from '../../shells/store/wire.ts'

export const sqlite = await loadSqlite()

/**
 * The packaged library closes a database for good once its statements are collected, whenever that
 * is; in the product its thread ends instead. Here the file gives its name to a copy that nobody
 * has open.
 */
const isPackaged = !('Deno' in globalThis) && parseInt(process.versions.node) < 22

/** Lets others open the store that was just closed. */
export const settle = (folder: string): void => {
  if (!isPackaged) return
  const { file, wal } = pathsOf(folder)
  copyFileSync(file, `${file}~`)
  renameSync(`${file}~`, file)
  rmSync(wal, { force: true })
}

export const storeOf = (database: Database, folder: string): Store => ({
  warnings: database.warnings,
  load: async (take) => {
    const loading = database.load()
    for (;;) {
      const { done, value } = loading.next()
      if (done) return value
      take(unpackRecords(value))
    }
  },
  commit: async (stamp, writes) => {
    const target = packer(16)
    const extent = packWrites(target, writes)
    const committed = database.commit(stamp, target.buffer.subarray(0, target.at), extent)
    database.tidy()
    return committed
  },
  close: async () => {
    database.close()
    settle(folder)
  },
})

export const openDirect: OpenStore = async (options) => {
  const opened = Database.open(sqlite, options)
  return E.isLeft(opened) ? opened : E.right(storeOf(opened.right, options.folder))
}
