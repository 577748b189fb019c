// Folders that go away, and what tests do with a store again and again.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Record } from '../../core/broker/record.ts'
import { E } from '../../core/prelude.ts'
import type { Loaded, OpenStore, Store, StoreOptions } from '../../shells/common/store.ts'

const root = mkdtempSync(join(tmpdir(), 'sabethes-store-'))
let count = 0

/** A name for a folder that is not there yet. */
export const folder = (): string => join(root, `${count++}`)

export const sweep = (): void => rmSync(root, { recursive: true, force: true })

/** The right side of what ought to have one. */
export const right = <A>(either: E.Either<string, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left)
  return either.right
}

export const left = (either: E.Either<string, unknown>): string => {
  assert.ok(E.isLeft(either), 'there is no refusal')
  return E.isLeft(either) ? either.left : ''
}

export interface All extends Loaded {
  readonly records: ReadonlyArray<Record>
}

export const loadAll = async (store: Store): Promise<E.Either<string, All>> => {
  const records: Array<Record> = []
  const loaded = await store.load((some) => {
    for (const each of some) records.push(each)
  })
  return E.isLeft(loaded) ? loaded : E.right({ ...loaded.right, records })
}

/** Opens, loads and closes. */
export const look = async (
  open: OpenStore,
  options: StoreOptions,
): Promise<E.Either<string, All & { readonly warnings: ReadonlyArray<string> }>> => {
  const opened = await open(options)
  if (E.isLeft(opened)) return opened
  const store = opened.right
  const all = await loadAll(store)
  await store.close()
  return E.isLeft(all) ? all : E.right({ ...all.right, warnings: store.warnings })
}
