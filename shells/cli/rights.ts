// Whose rights the broker runs with. Started as root it opens ports and reads files that only root
// may, and then becomes a user who may do neither, groups included.

import { spawnSync } from 'node:child_process'
import fs, { chownSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

type InitGroups = (name: string, gid: number) => void

/** What no type knows of, and what Deno has not. */
const initGroups = (): InitGroups | null => {
  const found: unknown = Reflect.get(process, 'initgroups')
  return typeof found === 'function' ? (name, gid) => void found.call(process, name, gid) : null
}

/** mosquitto's own, which its packages make. */
const usualName = 'mosquitto'

const entryOf = (text: string, name: string): User | null => {
  for (const line of text.split('\n')) {
    const [found, , uid, gid] = line.split(':')
    if (found !== name || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) continue
    return { name, uid: Number(uid), gid: Number(gid) }
  }
  return null
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const find = (name: string): User | null => {
  const known = entryOf(textOf('/etc/passwd'), name)
  // Users may come from elsewhere, of which the C library knows.
  if (known !== null || !/^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(name)) return known
  const { stdout } = spawnSync('getent', ['passwd', name], { encoding: 'utf8' })
  return entryOf(stdout ?? '', name)
}

const missing = (name: string): string =>
  `The user '${name}' that the broker is to become does not exist. Make one (useradd --system ` +
  `--no-create-home ${name}), name another one in the configuration (user NAME), or keep root's ` +
  'rights with: user root'

const cannot = (name: string): string =>
  `This runtime cannot give up root's groups, so the broker cannot become the user '${name}'. ` +
  `Start it as that user (setpriv --reuid=${name} --regid=${name} --init-groups, or User= of ` +
  "systemd), run it on Node, or keep root's rights with: user root"

/** Whether what is done is done with all rights. */
export const isRoot = (): boolean => process.geteuid?.() === 0

const unknown = 'Deno does not let the broker see whether it has the rights of root, which it ' +
  'would have to give up. Start Deno with --allow-sys=uid as well.'

/** Deno has to be allowed to look. */
const hasAllRights = (): Either<string, boolean> => {
  try {
    return E.right(isRoot())
  } catch {
    return E.left(unknown)
  }
}

/**
 * Whom the broker is to become: null where it stays who it is, as nobody but root can change. Only
 * to be asked where there is a configuration file. `wanted` is its option `user`.
 */
export const userToBecome = (wanted: string | null): Either<string, User | null> => {
  const hasRights = hasAllRights()
  if (E.isLeft(hasRights)) return hasRights
  if (!hasRights.right) return E.right(null)
  const name = wanted ?? usualName
  const user = find(name)
  if (user === null) return E.left(missing(name))
  if (user.uid === 0) return E.right(null)
  return initGroups() !== null && typeof process.seteuid === 'function'
    ? E.right(user)
    : E.left(cannot(name))
}

/** Makes a folder that is not there yet, for this user only. */
export const makeFolderFor = (folder: string, user: User): void => {
  if (existsSync(folder)) return
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chownSync(folder, user.uid, user.gid)
}

/**
 * Gives a file to the user. Only one that is nothing else: its folder may be the user's, who could
 * have put a link to a file of root's there, and /dev/null belongs to all.
 */
export const giveFile = (path: string, { uid, gid }: User): void => {
  const found = lstatSync(path)
  if (found.isFile() && found.nlink === 1) fs.lchownSync(path, uid, gid)
}

/** Gives a socket to the user, as carefully. */
export const giveSocket = (path: string, { uid, gid }: User): void => {
  const found = lstatSync(path)
  if (found.isSocket() && found.nlink === 1) fs.lchownSync(path, uid, gid)
}

/** Does something with the rights of the user, and has root's again afterwards. */
export const as = async <A>(user: User, work: () => Promise<A>): Promise<A> => {
  process.setegid!(user.gid)
  process.seteuid!(user.uid)
  try {
    return await work()
  } finally {
    process.seteuid!(0)
    process.setegid!(0)
  }
}

/** Becomes the user for good. */
export const become = ({ name, uid, gid }: User): void => {
  initGroups()!(name, gid)
  process.setgid!(gid)
  process.setuid!(uid)
}
