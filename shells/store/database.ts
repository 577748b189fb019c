// A store over one SQLite file, without threads: everything in here waits for the disk. What it
// tells the broker is packed; `worker.ts` carries it there.

import type { Kind, Stamp } from '../../core/broker/record.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { Contradiction } from '../common/store.ts'
import type { Committed, Damage, StoreOptions } from '../common/store.ts'
import { version } from '../common/version.ts'
import { crc32c } from './checksum.ts'
import {
  exists,
  freeName,
  goneSentence,
  isOfQuota,
  isOfRoom,
  placeOf,
  sizeOf,
  whyNot,
} from './files.ts'
import type { Paths, Place } from './files.ts'
import { faultOf, isOfWriting, textOf } from './library.ts'
import type { Connection, Sqlite, Statement } from './library.ts'
import { Loading } from './loading.ts'
import { metaWriter } from './meta.ts'
import type { Meta } from './meta.ts'
import type { Migrations } from './migrate.ts'
import { copyInto, damagedRowsSentence, explain, openFile, rollBack } from './open.ts'
import { adding, deleting, forgetting } from './pack.ts'
import type { Extent } from './pack.ts'
import { giveUp, makeReserve, reserveBytes, reserveBytesLarge, whyNoRoom } from './reserve.ts'
import { prepare, readRow, readValues } from './row.ts'
import type { Statements } from './row.ts'
import { schemaVersion, tables } from './table.ts'
import { addRow, copyTallies, emptyTallies, removeRow, tallyText } from './tally.ts'
import type { Tally } from './tally.ts'
import { readByte, readText } from './wire.ts'
import type { Reader } from './wire.ts'

const pageBytes = 4096
/** A page in the log, with its head. */
const frameBytes = pageBytes + 24

/** Of the bytes allowed, this part (and at most so many) is kept for the log. */
const walShare = 1 / 4
const walBytesMax = 64 << 20

/** What a session takes with it when it is forgotten. */
const takenAlong: ReadonlySet<Kind> = new Set<Kind>(['session', 'outgoing', 'incoming'])

/** How often a store without its reserve looks for room. */
const lookMs = 500

export interface LoadEnd {
  readonly stamp: Stamp
  readonly recordCount: number
  readonly damaged: ReadonlyArray<Damage>
}

export class Database {
  readonly warnings: ReadonlyArray<string>
  #connection: Connection
  #paths: Paths
  /** The file and its log as they were opened. */
  #places: readonly [file: Place, wal: Place]
  #salvage: boolean
  #meta: Meta
  #isMetaSound: boolean
  #writeMeta: (meta: Meta) => void
  /** Prepared, since Deno says nothing of what failed in a statement that is not. */
  #commit: Statement
  #statements: ReadonlyArray<Statements>
  #tallies: ReadonlyArray<Tally> = emptyTallies()
  #bytesMax: number
  /** Why nothing is written any more. */
  #broken: string | null = null
  /** Frames that the log has, by estimate, and how many a row costs by experience; 0: none yet. */
  #frames = 0
  #rows = 0
  #framesPerRow = 0
  /** Whether the reserve was given up, or could not be made; and when to look for room again. */
  #isTight = false
  #whyNoRoom: unknown = null
  #reserveBytes = reserveBytes
  #hasGrown = false
  #lookAt = 0

  static open(
    sqlite: Sqlite,
    options: StoreOptions,
    migrations?: Migrations,
  ): Either<string, Database> {
    const { folder, salvage = false, storeBytesMax = Infinity } = options
    if (storeBytesMax < 1 << 20) {
      return E.left(
        `max_store_bytes ${storeBytesMax} is too little for a store: give at least ${1 << 20}.`,
      )
    }
    const opened = openFile(sqlite, { folder, salvage, ...(migrations ? { migrations } : {}) })
    if (E.isLeft(opened)) return opened
    const { paths, connection, meta, isMetaSound, warnings } = opened.right
    try {
      return E.right(
        new Database(paths, connection, meta, isMetaSound, warnings, salvage, storeBytesMax),
      )
    } catch (error) {
      return E.left(explain(paths, error))
    }
  }

  private constructor(
    paths: Paths,
    connection: Connection,
    meta: Meta,
    isMetaSound: boolean,
    warnings: ReadonlyArray<string>,
    salvage: boolean,
    bytesMax: number,
  ) {
    this.#paths = paths
    this.#places = placesOf(paths)
    this.#connection = connection
    this.#meta = meta
    this.#isMetaSound = isMetaSound
    this.warnings = warnings
    this.#salvage = salvage
    this.#bytesMax = bytesMax
    this.#writeMeta = metaWriter(connection)
    this.#commit = connection.prepare('COMMIT')
    this.#statements = tables.map((table, number) => prepare(connection, table, number))
    this.#isTight = !this.#reserve()
    this.#limitPages()
  }

  /** Packed rows, in portions; the end says what was loaded, or why it must not be served. */
  *load(): Generator<Uint8Array<ArrayBuffer>, Either<string, LoadEnd>, ArrayBuffer | undefined> {
    const loading = new Loading(this.#connection, this.#salvage)
    try {
      yield* loading.portions()
    } catch (error) {
      return E.left(explain(this.#paths, error))
    }
    const damaged = loading.damages(this.#isMetaSound ? this.#meta.tally : null)
    const [first] = damaged
    if (first !== undefined && !this.#salvage) {
      const subject = first.key === '' ? first.what : `${first.kind} ${first.key} ${first.what}`
      return E.left(damagedRowsSentence(this.#paths, subject, damaged.length - 1))
    }
    this.#tallies = loading.tallies
    if (first !== undefined) {
      try {
        this.#clean(loading)
      } catch (error) {
        rollBack(this.#connection)
        return E.left(explain(this.#paths, error))
      }
    }
    // What was cut off or damaged in the log would stand behind the batches to come, and look as if
    // they had been damaged.
    this.#emptyLog()
    if (this.#broken !== null) return E.left(this.#broken)
    const { at, wall } = this.#meta
    return E.right({ stamp: { at, wall }, recordCount: loading.count, damaged })
  }

  /** Takes out what is not served, so that the store is sound from here on. */
  #clean(loading: Loading): void {
    copyInto(this.#connection, freeName(this.#paths.file, 'damaged'))
    this.#connection.exec('BEGIN IMMEDIATE')
    for (const { number, key } of loading.spoiled) this.#statements[number]!.remove.get(...key)
    this.#stamp(this.#meta, this.#tallies)
    this.#connection.exec('COMMIT')
  }

  #stamp({ at, wall }: Stamp, tallies: ReadonlyArray<Tally>): void {
    const tally = tallyText(tallies)
    this.#meta = { schema: schemaVersion, program: version, at, wall, tally }
    this.#writeMeta(this.#meta)
  }

  /** One batch as `packWrites` made it. Throws where the batch contradicts the rows. */
  commit(stamp: Stamp, packed: Uint8Array, extent: Extent): Committed {
    if (this.#broken !== null) return { _tag: 'Broken', why: this.#broken }
    try {
      if (this.#fit(stamp, packed, extent)) return this.#found()
      if (this.#isTight || this.#broken !== null) return this.#full()
      this.#isTight = true
      giveUp(this.#paths.reserve)
      this.#limitPages()
      // First of all into the file: a log that grew into the reserve could not move any more.
      this.#emptyLog()
      if (this.#broken !== null || !this.#fit(stamp, packed, extent)) return this.#full()
      // The log may have wanted the reserve only to move into the file.
      this.#lookAt = 0
      return this.#found()
    } catch (error) {
      if (error instanceof Contradiction) throw error
      // The connection is left alone from here on: a flush that failed once may seem to succeed the
      // second time, with nothing on disk.
      this.#broken = this.#whyBroken(error)
      return { _tag: 'Broken', why: this.#broken }
    }
  }

  /** What to say of a batch that was flushed: nobody will find it in a file without its name. */
  #found(): Committed {
    if (this.#isInPlace()) return this.#refill()
    this.#broken = goneSentence(this.#paths)
    return { _tag: 'Broken', why: this.#broken }
  }

  #isInPlace(): boolean {
    try {
      const [file, wal] = placesOf(this.#paths)
      return file === this.#places[0] && wal === this.#places[1]
    } catch {
      // Whoever may not look any more can still write into what is open.
      return true
    }
  }

  #fit(stamp: Stamp, packed: Uint8Array, extent: Extent): boolean {
    if (!this.#hasRoom(packed.length, extent)) return false
    if (this.#transact(stamp, packed, extent)) return true
    // What the log holds may as well stand in the file; once that is done there may be room.
    this.#emptyLog()
    return this.#broken === null && this.#transact(stamp, packed, extent)
  }

  /** What to say of a batch that is on disk: there is room again once the reserve is whole. */
  #refill(): Committed {
    if (!this.#isTight) return { _tag: 'Durable' }
    const now = performance.now()
    if (now >= this.#lookAt) {
      this.#lookAt = now + lookMs
      if (this.#isSpacious() && this.#makeReserve()) {
        this.#isTight = false
        this.#limitPages()
        return { _tag: 'Durable' }
      }
    }
    return { _tag: 'Tight', why: this.#whyFull() }
  }

  /** Whether the bytes allowed leave the reserve and as much again. */
  #isSpacious(): boolean {
    if (this.#bytesMax === Infinity) return true
    return this.#bytesInUse() + this.#walBytesMax() + 2 * reserveBytes <= this.#bytesMax
  }

  /** Of the file, without what is free in it: that is room, which a file keeps. */
  #bytesInUse(): number {
    return (this.#number('page_count') - this.#number('freelist_count')) * pageBytes
  }

  /** Makes the reserve, and remembers why it cannot be made. */
  #reserve(bytes = reserveBytes): boolean {
    this.#whyNoRoom = makeReserve(this.#paths.reserve, bytes)
    return this.#whyNoRoom === null
  }

  #makeReserve(): boolean {
    this.#emptyLog()
    const sizes = this.#reserveBytes > reserveBytes ? [this.#reserveBytes] : []
    sizes.push(reserveBytes)
    // A file never becomes smaller. What is free in it is room as well, and leaves only the log to
    // be provided for.
    if (this.#number('freelist_count') * pageBytes >= 2 * reserveBytes) sizes.push(reserveBytes / 4)
    for (const bytes of sizes) {
      if (!this.#reserve(bytes)) continue
      this.#reserveBytes = bytes
      return true
    }
    return false
  }

  #number(pragma: 'page_count' | 'freelist_count'): number {
    return Number(this.#connection.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
  }

  /** What to say of a batch that did not fit. */
  #full(): Committed {
    return this.#broken === null
      ? { _tag: 'Full', why: this.#whyFull() }
      : { _tag: 'Broken', why: this.#broken }
  }

  /** Why there is no room: whoever looks for it on a disk that has some looks in vain. */
  #whyFull(): string {
    const { folder, file } = this.#paths
    const cannot = this.#whyNoRoom
    if (!exists(file)) return goneSentence(this.#paths)
    if (cannot !== null && !isOfRoom(cannot)) return whyNot(folder, cannot)
    const cause = isOfQuota(cannot)
      ? 'the disk quota is used up: raise it, or make room within it'
      : this.#bytesMax === Infinity
      ? 'the disk is full: make room on it'
      : `max_store_bytes (${this.#bytesMax}) is reached, or the disk is full: raise the one or ` +
        'make room on the other'
    return `${file} cannot take more, ${cause}.`
  }

  /** True where the batch is on disk, false where there is no room for it. */
  #transact(stamp: Stamp, packed: Uint8Array, extent: Extent): boolean {
    const connection = this.#connection
    const tallies = copyTallies(this.#tallies)
    const former = this.#meta
    let rows: number
    try {
      connection.exec('BEGIN IMMEDIATE')
      rows = extent.rows + this.#apply(packed, tallies)
      this.#stamp(stamp, tallies)
      this.#commit.run()
    } catch (error) {
      this.#meta = former
      const fault = error instanceof Contradiction ? 'contradiction' : faultOf(error)
      if (this.#isFull(error)) {
        rollBack(connection)
        return false
      }
      if (fault !== 'contradiction') throw error
      rollBack(connection)
      throw error instanceof Contradiction ? error : new Contradiction(textOf(error))
    }
    this.#tallies = tallies
    this.#rows += rows
    this.#frames += 1 + Math.max(rows * this.#framesPerRow, packed.length / pageBytes)
    return true
  }

  /** Does what the batch says; answers how many rows went with sessions that are forgotten. */
  #apply(packed: Uint8Array, tallies: ReadonlyArray<Tally>): number {
    const source: Reader = { buffer: packed, at: 0 }
    let forgotten = 0
    while (source.at < packed.length) {
      const action = readByte(source)
      if (action === forgetting) {
        forgotten += this.#forget(readText(source), tallies)
        continue
      }
      const start = source.at
      const number = readByte(source)
      const version = readByte(source)
      const statements = this.#statements[number]!
      const { table } = statements
      const tally = tallies[number]!
      if (action === deleting) {
        const key = readValues(source, table, table.keyCount)
        const gone = statements.remove.get(...key)
        if (gone === undefined) {
          throw new Contradiction(`the ${table.kind} ${key.join(' ')} is not there to delete`)
        }
        removeRow(tally, Number(gone['checksum']))
        continue
      }
      const values = readRow(source, table, version)
      const checksum = crc32c(packed, start, source.at)
      if (action === adding) {
        statements.insert.run(...values, version, checksum)
      } else {
        const key = values.slice(0, table.keyCount)
        const gone = statements.find.get(...key)
        if (gone === undefined) {
          throw new Contradiction(`the ${table.kind} ${key.join(' ')} is not there to replace`)
        }
        removeRow(tally, Number(gone['checksum']))
        statements.replace.run(...values, version, checksum)
      }
      addRow(tally, checksum)
    }
    return forgotten
  }

  /** Takes a session out with all that is in it; answers how many rows that were. */
  #forget(clientId: string, tallies: ReadonlyArray<Tally>): number {
    let count = 0
    for (const { table, number, findAll, removeAll } of this.#statements) {
      if (findAll === null || removeAll === null || !takenAlong.has(table.kind)) continue
      let rows = 0
      for (const row of findAll.iterate(clientId)) {
        removeRow(tallies[number]!, Number(row['checksum']))
        rows += 1
      }
      if (table.kind === 'session' && rows === 0) {
        throw new Contradiction(`the session ${clientId} is not there to be forgotten`)
      }
      if (rows > 0) removeAll.run(clientId)
      count += rows
    }
    return count
  }

  /** To be called between batches: moves pages from the log into the file when it is time. */
  tidy(): void {
    if (this.#broken !== null || this.#walBytes() < this.#walWanted()) return
    this.#growReserve()
    if (this.#walBytes() < this.#walWanted()) return
    try {
      const result = this.#connection.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()
      const frames = Number(result?.['log'])
      // The log begins anew when all of it has been moved, so these rows made these frames.
      if (this.#rows > 0 && frames > 0) this.#framesPerRow = frames / this.#rows
    } catch (error) {
      this.#note(error)
    }
    this.#rows = 0
    this.#frames = 0
  }

  /** What is in the log. Its file does not become smaller when that has moved. */
  #walBytes(): number {
    return this.#framesPerRow > 0 ? this.#frames * frameBytes : sizeOf(this.#paths.wal)
  }

  #walWanted(): number {
    // The log stays as small as the reserve, which has to have room for what moves into the file;
    // and where that was given up, so small that both it and what moves have room in what is left.
    const room = this.#isTight ? reserveBytes / 8 : this.#reserveBytes
    return Math.min(room, this.#walBytesMax() / 2)
  }

  /** Once, when it turns out that there is much to write. */
  #growReserve(): void {
    if (this.#hasGrown || this.#isTight || this.#bytesMax !== Infinity) return
    this.#hasGrown = true
    if (this.#reserve(reserveBytesLarge)) this.#reserveBytes = reserveBytesLarge
    else this.#isTight = !this.#reserve()
  }

  #walBytesMax(): number {
    return Math.min(walBytesMax, this.#bytesMax * walShare)
  }

  /** Moves everything into the file and gives the room of the log back. */
  #emptyLog(): void {
    try {
      this.#connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
    } catch (error) {
      this.#note(error)
    }
    this.#rows = 0
    this.#frames = 0
  }

  /** A full disk keeps pages in the log, where they are as safe; anything else ends the store. */
  #note(error: unknown): void {
    if (this.#isFull(error)) return
    this.#broken = this.#whyBroken(error)
  }

  /** Whether an error is for want of room, also where it is not the disk that has none. */
  #isFull(error: unknown): boolean {
    if (faultOf(error) === 'full') return true
    const cannot = isOfWriting(error) ? whyNoRoom(this.#paths.probe) : null
    if (cannot !== null) this.#whyNoRoom = cannot
    return cannot !== null
  }

  #whyBroken(error: unknown): string {
    const { folder, file } = this.#paths
    if (!exists(file)) return goneSentence(this.#paths)
    if (faultOf(error) === 'forbidden') return whyNot(folder, error)
    return `${file} cannot be written (${textOf(error)}): look at the disk (dmesg) and start the ` +
      'broker again, which serves what is really on disk.'
  }

  #bytesUsable(): number {
    return this.#isTight ? this.#bytesMax : this.#bytesMax - reserveBytes
  }

  /** The file without its log gets this many pages and no more, or stays as large as it is. */
  #limitPages(): void {
    if (this.#bytesMax === Infinity) return
    const pages = Math.floor((this.#bytesUsable() - this.#walBytesMax()) / pageBytes)
    this.#connection.exec(`PRAGMA max_page_count = ${pages}`)
  }

  /** Whether the batch fits into the bytes allowed, whatever pages it touches. */
  #hasRoom(packedBytes: number, { rows, added, removed, forgotten }: Extent): boolean {
    if (this.#bytesMax === Infinity) return true
    const used = this.#bytesInUse()
    const touched = Math.min(
      forgotten > 0 ? Infinity : 8 + 2 * rows + 2 * Math.ceil(packedBytes / pageBytes),
      8 + used / pageBytes + 2 * Math.ceil(packedBytes / pageBytes),
    )
    const fits = (): boolean =>
      used + sizeOf(this.#paths.wal) + touched * frameBytes <= this.#bytesUsable()
    if (fits()) return true
    this.#emptyLog()
    // What takes away no less than it brings makes room, and needs some for a moment.
    return fits() || removed + forgotten >= added
  }

  /** Everything on disk and in the file; the lock is given back. */
  close(): void {
    if (this.#broken !== null) return
    this.#emptyLog()
    if (this.#broken !== null) return
    // In a folder that has come in the place of ours the reserve is another broker's.
    const isOurs = this.#isInPlace()
    this.#connection.close()
    if (isOurs) giveUp(this.#paths.reserve)
  }
}

const placesOf = ({ file, wal }: Paths): readonly [file: Place, wal: Place] => [
  placeOf(file),
  placeOf(wal),
]
