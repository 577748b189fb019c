// `sabethes store verify | dump FOLDER`: looks into a store that no broker has open. It works on a
// copy, so that nothing it does can change the store itself, not even its log.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setImmediate } from 'node:timers'
import type { Record } from '../../core/broker/record.ts'
import * as Bytes from '../../core/data/bytes.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { messageOf } from '../common/message.ts'
import type { Program } from '../common/program.ts'
import { quoted } from '../common/store.ts'
import type { Damage, Loaded } from '../common/store.ts'
import { Database } from '../store/database.ts'
import { copyStore, pathsOf, readWal, whyNoPlace } from '../store/files.ts'
import { loadSqlite } from '../store/library.ts'
import { cutOffSentence, isLocked, lockedSentence } from '../store/open.ts'
import { unpackRecords } from '../store/pack.ts'
import { stateOfWal } from '../store/wal.ts'

export type StoreAction = 'verify' | 'dump'

const endings = [['SIGINT', 130], ['SIGTERM', 143]] as const

/** Status 0: everything in the store is sound; 1: something is not, or it cannot be looked into. */
export const lookIntoStore = async (
  program: Pick<Program, 'say' | 'complain'>,
  action: StoreAction,
  folder: string,
): Promise<number> => {
  const looked = await look(folder, (text) => program.complain(text), (records) => {
    if (action === 'dump') program.say(records.map(lineOf).join(''))
  })
  if (E.isLeft(looked)) {
    program.complain(`Error: ${looked.left}\n`)
    return 1
  }
  const { recordCount, damaged } = looked.right
  for (const { kind, key, what } of damaged) {
    program.complain(key === '' ? `damaged: ${what}\n` : `damaged: ${kind} ${key} ${what}\n`)
  }
  if (action === 'verify') {
    program.say(
      damaged.length === 0
        ? `${folder}: ${recordCount} records, all of them sound\n`
        : `${folder}: ${damaged.length} faults, ${recordCount} sound records\n`,
    )
  }
  return damaged.length === 0 ? 0 : 1
}

const look = async (
  folder: string,
  warn: (text: string) => void,
  take: (records: ReadonlyArray<Record>) => void,
): Promise<Either<string, Loaded>> => {
  const paths = pathsOf(folder)
  let copy: string | null = null
  const clear = (): void => {
    if (copy !== null) rmSync(copy, { recursive: true, force: true })
  }
  // Who dumps to somebody who has gone ends in the middle, as does who is told to; a copy that
  // stayed would have the payloads of all messages.
  process.on('exit', clear)
  const hearings = endings.map(([name, status]) => [name, () => process.exit(status)] as const)
  for (const [name, hear] of hearings) process.on(name, hear)
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
      return E.left(`${folder} is not a folder: name the one of the store.`)
    }
    const fault = whyNoPlace(paths)
    if (fault !== null) return E.left(fault)
    // Other than asking whether it exists, this throws where nobody may look.
    if (statSync(paths.file, { throwIfNoEntry: false }) === undefined) {
      return E.left(`There is no store in ${folder}: ${paths.file} is missing. Name its folder.`)
    }
    if (isLocked(await loadSqlite(), paths)) return E.left(lockedSentence(paths))
    copy = mkdtempSync(join(tmpdir(), 'sabethes-store-'))
    copyStore(paths, pathsOf(copy).file)
    await signals()
    const log = stateOfWal(readWal(pathsOf(copy)))
    if (log === 'cut off') warn(`Warning: ${cutOffSentence(paths)}\n`)
    const loaded = await loadCopy(folder, copy, take)
    if (log !== 'damaged' || E.isLeft(loaded)) return loaded
    return E.right({ ...loaded.right, damaged: [damagedLog, ...loaded.right.damaged] })
  } catch (error) {
    const text = messageOf(error)
    return E.left(
      `Cannot look into ${folder} (${text}): it takes the right to read the store, and room for ` +
        `a copy of it in ${tmpdir()}.`,
    )
  } finally {
    clear()
    process.off('exit', clear)
    for (const [name, hear] of hearings) process.off(name, hear)
  }
}

/** Signals are heard between two turns only, and all else here takes no turns. */
const signals = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What stands before the damage is all that can be read. */
const damagedLog: Damage = {
  kind: 'meta',
  key: '',
  what: 'the log: batches in it that were acknowledged cannot be read',
}

/**
 * Without the thread that a broker's store has: where nobody takes what is dumped the process ends,
 * and on Node 20 it aborts if another thread is at work in SQLite then.
 */
const loadCopy = async (
  folder: string,
  copy: string,
  take: (records: ReadonlyArray<Record>) => void,
): Promise<Either<string, Loaded>> => {
  // Sentences about the copy are meant for the store.
  const named = (text: string): string => text.replaceAll(copy, folder)
  const opened = Database.open(await loadSqlite(), { folder: copy, salvage: true })
  if (E.isLeft(opened)) return E.left(named(opened.left))
  const database = opened.right
  // Its warnings are about what it has done to the copy.
  const loading = database.load()
  let portion = loading.next()
  for (; !portion.done; portion = loading.next()) {
    take(unpackRecords(portion.value))
    await signals()
  }
  database.close()
  const loaded = portion.value
  return E.isLeft(loaded) ? E.left(named(loaded.left)) : loaded
}

/** Bytes of a payload that are shown. */
const shownBytes = 48

/** One line per record: its kind, then its fields by name. */
export const lineOf = (record: Record): string => {
  const fields = Object.entries(record).filter(([name]) => name !== 'kind').map(([name, value]) =>
    `${name}=${textOf(value)}`
  )
  return `${record.kind} ${fields.join(' ')}\n`
}

const isBytes = (value: object): value is Bytes.Bytes => 'buffer' in value && 'start' in value

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isBytes(value)) return bytesText(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  return `{${Object.entries(value).map(([name, each]) => `${name}=${textOf(each)}`).join(' ')}}`
}

/** `5:"hello"`; a backslash and two digits for what is no printable ASCII. */
const bytesText = (bytes: Bytes.Bytes): string => {
  const size = Bytes.size(bytes)
  let text = ''
  for (const byte of Bytes.view(bytes).subarray(0, shownBytes)) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `${size}:"${text}"${size > shownBytes ? '...' : ''}`
}
