// The files of a store: where they are, who may read them, what is wrong with the folder, and the
// copies that are made before anything is changed for good.

import * as fs from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { messageOf } from '../common/message.ts'

export const fileName = 'sabethes.sqlite3'

export interface Paths {
  readonly folder: string
  readonly file: string
  readonly wal: string
  /** Room that is given up when the disk is full. */
  readonly reserve: string
  /** A file for a moment, to see whether there is room. */
  readonly probe: string
}

export const pathsOf = (folder: string): Paths => {
  const file = behindLink(join(folder, fileName))
  return { folder, file, wal: `${file}-wal`, reserve: `${file}-reserve`, probe: `${file}-probe` }
}

/** SQLite keeps the log beside the file itself, and not beside a link to it. */
const behindLink = (file: string): string => {
  try {
    return fs.lstatSync(file).isSymbolicLink() ? fs.realpathSync(file) : file
  } catch {
    // There is none, or it leads nowhere, or nobody may look: what opens it has a word for that.
    return file
  }
}

export const exists = (path: string): boolean => fs.existsSync(path)

/** How each store of mosquitto begins. */
const magic = '\0\xb5\0mosquitto db'

/**
 * Files in the folder that mosquitto has kept its sessions in: their names are settings there. Our
 * own file is left alone, also under another name: whoever closes it gives up all locks that the
 * process has on it.
 */
export const storesOfMosquitto = ({ folder, file }: Paths): ReadonlyArray<string> => {
  try {
    const ours = placeOf(file)
    return fs.readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => join(folder, name))
      .filter((path) => placeOf(path) !== ours && isOfMosquitto(path))
      .sort()
  } catch {
    // A folder that nobody may list can hold a store all the same.
    return []
  }
}

const isOfMosquitto = (path: string): boolean => {
  if (basename(path) === 'mosquitto.db') return true
  const head = new Uint8Array(magic.length)
  try {
    const file = fs.openSync(path, 'r')
    try {
      fs.readSync(file, head, 0, head.length, 0)
    } finally {
      fs.closeSync(file)
    }
  } catch {
    // Nobody can tell.
  }
  return String.fromCharCode(...head) === magic
}

/** A link to where nothing is, or nobody may look: no place for a store that begins empty. */
const leadsNowhere = (path: string): boolean =>
  !exists(path) && fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined

const nowhereSentence = (path: string): string =>
  `${path} is a link to where nothing is, or nobody may look: put back what it leads to (is its ` +
  'disk mounted?), or remove the link to begin with an empty store.'

/** Why the places of a store's files are none for them; null where they are, also while empty. */
export const whyNoPlace = ({ file, wal }: Paths): string | null => {
  if (leadsNowhere(file)) return nowhereSentence(file)
  for (const path of [file, wal]) {
    if (fs.statSync(path, { throwIfNoEntry: false })?.isFile() !== false) continue
    return `${path} is not a file: move it away, or name another folder with persistence_location.`
  }
  return null
}

export const sizeOf = (path: string): number =>
  fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Which file has a name now; null where none has, or nobody can tell. */
export type Place = string | null

export const placeOf = (path: string): Place => {
  const found = fs.statSync(path, { throwIfNoEntry: false, bigint: true })
  return found === undefined ? null : `${found.dev} ${found.ino}`
}

/** Makes the folder where there is none, and finds out whether it can be written to. */
export const prepareFolder = (paths: Paths): Either<string, null> => {
  const { folder, file } = paths
  try {
    if (leadsNowhere(folder)) return E.left(nowhereSentence(folder))
    if (!exists(folder)) {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
      flushFolder(dirname(folder))
    }
    if (!fs.statSync(folder).isDirectory()) {
      return E.left(
        `${folder} is not a folder: name one with persistence_location, or move the file away.`,
      )
    }
    const fault = whyNoPlace(paths)
    if (fault !== null) return E.left(fault)
    // Deno wants one more permission to answer this; there SQLite finds out.
    if ('Deno' in globalThis) return E.right(null)
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
    if (exists(file)) fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK)
    return E.right(null)
  } catch (error) {
    return E.left(whyNot(folder, error))
  }
}

/** Whether an error says that there is no room. */
export const isOfRoom = (error: unknown): boolean =>
  /ENOSPC|EFBIG|No space left|File too large/i.test(messageOf(error)) || isOfQuota(error)

/** The disk may have room all the same. Node has no word for it, only its number. */
export const isOfQuota = (error: unknown): boolean =>
  (error as { readonly errno?: unknown } | null)?.errno === -constants.errno.EDQUOT ||
  /Disk quota/i.test(messageOf(error))

/** Nobody may write to any of it: a disk that was mounted so, or a service that is kept from it. */
export const isReadOnly = (error: unknown): boolean =>
  /EROFS|Read-only file system/i.test(messageOf(error))

/** The file or its log was taken from a broker that runs: what it writes goes into no name. */
export const goneSentence = ({ file, folder }: Paths): string =>
  `${file} or its log is not there any more: it or its folder was removed, renamed or replaced ` +
  `while the broker runs. Put ${folder} back as it was, and start the broker again.`

/** Why files cannot be made or changed in the folder, and what to do. */
export const whyNot = (folder: string, error: unknown): string => {
  const text = isOfQuota(error) ? 'EDQUOT: disk quota exceeded' : messageOf(error)
  if (isOfRoom(error)) {
    return `There is no room for a store in ${folder} (${text}): make room on that disk, or name ` +
      'a folder on another one with persistence_location.'
  }
  if (/NotCapable|Requires (read|write)/.test(text)) {
    return `Deno does not let the broker use ${folder} (${text}): start it with ` +
      `--allow-read=${folder} --allow-write=${folder} as well.`
  }
  if (isReadOnly(error)) {
    return `Cannot write to ${folder} (${text}): mount what it is on for writing, or, where ` +
      'systemd keeps a service from it, name it in ReadWritePaths=; or name another folder with ' +
      'persistence_location.'
  }
  return `Cannot write to ${folder} (${text}): give the folder and what is in it to the user ` +
    'that runs the broker, or name another folder with persistence_location.'
}

/** An empty file for its owner only, in place of whatever has the name. */
export const createEmpty = (path: string): void => {
  fs.rmSync(path, { force: true })
  fs.closeSync(fs.openSync(path, 'wx', 0o600))
}

/** A folder for a store that is being made, which nobody else uses. */
export const makeStaging = ({ file }: Paths): string => fs.mkdtempSync(`${file}-new-`)

export const removeStaging = (path: string): void => fs.rmSync(path, { recursive: true })

/** Gives the finished store its name, for good, unless somebody else was faster. */
export const giveName = ({ folder, file }: Paths, made: string): void => {
  try {
    // Other than a renaming, this never takes the name away from a store that has it.
    fs.linkSync(made, file)
  } catch {
    // Some file systems know no second names.
    if (!exists(file)) fs.renameSync(made, file)
  }
  flushFolder(folder)
}

/** The log beside the file in one piece; nothing where there is none. */
export const readWal = ({ wal }: Paths): Uint8Array =>
  sizeOf(wal) === 0 ? new Uint8Array(0) : fs.readFileSync(wal)

/** A name beside the file that nobody has. */
export const freeName = (file: string, what: string): string => {
  for (let number = 1;; number++) {
    const path = `${file}.${what}-${number}`
    if (!exists(path)) return path
  }
}

/** Copies the file and its log, byte for byte; nobody may have the store open. */
export const copyStore = ({ file, wal }: Paths, target: string): void =>
  wholly([target, `${target}-wal`], () => {
    copy(file, target)
    if (exists(wal)) copy(wal, `${target}-wal`)
  })

/** The copy can be written, by its owner alone, also that of a file that nobody may write. */
const copy = (path: string, target: string): void => {
  fs.copyFileSync(path, target, fs.constants.COPYFILE_FICLONE)
  fs.chmodSync(target, 0o600)
}

/** Makes these files or leaves none: who starts again and again must not fill the disk. */
export const wholly = (made: ReadonlyArray<string>, make: () => void): void => {
  try {
    make()
  } catch (error) {
    for (const path of made) remove(path)
    throw error
  }
}

export const remove = (path: string): void => fs.rmSync(path, { force: true })

/** New names outlive a loss of power once their folder is flushed; some systems cannot do that. */
const flushFolder = (folder: string): void => {
  try {
    const folderNumber = fs.openSync(folder, 'r')
    try {
      fs.fsyncSync(folderNumber)
    } finally {
      fs.closeSync(folderNumber)
    }
  } catch {
    // The store itself is flushed with its folder again when its first batch is.
  }
}
