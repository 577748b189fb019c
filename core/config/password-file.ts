// The grammar of a password file, as mosquitto_passwd writes it: `name:hash`, one to a line. What
// is read here never gets into a configuration, a state, a trace or a log.

import * as Base64 from '../data/base64.ts'
import * as Bytes from '../data/bytes.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { FileFault } from './file-fault.ts'

/** How a password can be checked: over its UTF-8 bytes. */
export type PasswordHash =
  /** SHA-512 over password and salt. */
  | { readonly kind: 'sha512'; readonly salt: Uint8Array; readonly hash: Uint8Array }
  | {
    readonly kind: 'pbkdf2-sha512'
    readonly iterations: number
    readonly salt: Uint8Array
    readonly hash: Uint8Array
  }
  /** Version 0x13. */
  | {
    readonly kind: 'argon2id'
    readonly memoryKiB: number
    readonly passes: number
    readonly lanes: number
    readonly salt: Uint8Array
    readonly hash: Uint8Array
  }

/** By user name. */
export type PasswordTable = ReadonlyMap<string, PasswordHash>

// What a line may make the broker work: a file with a slip of the pen must not stop it.
const ITERATIONS_MAX = 10_000_000
const MEMORY_KIB_MAX = 1024 * 1024
const PASSES_MAX = 100
const LANES_MAX = 16
const SALT_BYTES_MAX = 1024

type Misread = Pick<FileFault, 'what' | 'remedy'>

const rehash = (what: string): Either<Misread, never> =>
  E.left({ what, remedy: 'Set the password again with mosquitto_passwd.' })

const bytesOf = (text: string): Uint8Array | null => {
  // Argon2 leaves the padding out.
  const padded = text.endsWith('=') ? text : text + '='.repeat((4 - text.length % 4) % 4)
  const bytes = Base64.decode(padded)
  return bytes === null || Bytes.size(bytes) === 0 ? null : Bytes.view(bytes)
}

/** A number of these, from 1 on; 0 where it is none. */
const numberOf = (text: string, max: number): number => {
  const value = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : 0
  return value <= max ? value : 0
}

/** A line with a hash in it, whatever is wrong with that. */
const hashed = /^[^#:\n][^:\n]*:+[ \t\v\f]*\$/m

/** What stands in the place of a hash in a file with this text. */
const notHashed = (text: string, whole: string): Misread => {
  const what = 'a password that is not hashed'
  // It takes hashes for passwords, and stops at a line without one.
  const canUpgrade = text !== '' && !hashed.test(whole)
  const remedy = canUpgrade
    ? 'Hash all that are in the file with "mosquitto_passwd -U".'
    : 'Set this password with mosquitto_passwd, but not with -U: that hashes hashes once more.'
  return { what, remedy }
}

const readHash = (text: string): Either<Misread, PasswordHash> => {
  const [, kind = '', ...fields] = text.split('$')
  const [encodedSalt = '', encodedHash = ''] = fields.slice(-2)
  const salt = bytesOf(encodedSalt)
  const hash = bytesOf(encodedHash)
  const wanted = kind === '6' ? 2 : kind === '7' ? 3 : kind === 'argon2id' ? 4 : 0
  if (wanted === 0) return rehash('a kind of hash that is not known here')
  if (fields.length !== wanted) return rehash('a hash that is cut or has too many parts')
  if (salt === null || salt.length > SALT_BYTES_MAX) return rehash('a salt that is no base64')
  if (hash === null) return rehash('a hash that is no base64')
  if (kind !== 'argon2id' && hash.length !== 64) return rehash('a hash of the wrong length')
  if (kind === '6') return E.right({ kind: 'sha512', salt, hash })
  if (kind === '7') {
    const iterations = numberOf(fields[0] ?? '', ITERATIONS_MAX)
    if (iterations === 0) return rehash('iterations that are no number, or too many')
    return E.right({ kind: 'pbkdf2-sha512', iterations, salt, hash })
  }
  const found = /^m=([0-9]+),t=([0-9]+),p=([0-9]+)$/.exec(fields[1] ?? '')
  const memoryKiB = numberOf(found?.[1] ?? '', MEMORY_KIB_MAX)
  const passes = numberOf(found?.[2] ?? '', PASSES_MAX)
  const lanes = numberOf(found?.[3] ?? '', LANES_MAX)
  // RFC 9106 wants eight blocks for every lane, eight bytes of salt, four of hash.
  const isSound = fields[0] === 'v=19' && passes > 0 && lanes > 0 && memoryKiB >= 8 * lanes &&
    salt.length >= 8 && hash.length >= 4 && hash.length <= 1024
  if (!isSound) return rehash('parameters of argon2id that cannot be, or ask for too much')
  return E.right({ kind: 'argon2id', memoryKiB, passes, lanes, salt, hash })
}

// White space of C's isspace(), as in mosquitto: other blanks are part of a name.
const trim = (text: string): string => text.replace(/^[ \t\v\f\r]+|[ \t\v\f\r]+$/g, '')

/**
 * Reads a password file; `file` is its name for messages. Blank lines and comments are passed over;
 * of two lines for one user the last counts. White space around a name or a hash is not theirs, and
 * a hash ends at the next colon. Left: the first line that is none, and nothing of the file counts.
 * What a message says of a line is the name of its user at most.
 */
export const parsePasswords = (file: string, text: string): Either<FileFault, PasswordTable> => {
  const table = new Map<string, PasswordHash>()
  const lines = text.replace(/^\ufeff/, '').split('\n')
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    if (trim(line) === '' || line.startsWith('#')) continue
    const fail = (word: string, misread: Misread): Either<FileFault, never> =>
      E.left({ file, line: i + 1, word, ...misread })
    const fields = /^([^:]*):+([^:]*)/.exec(line)
    if (fields === null) {
      const remedy = 'Write name:hash, or let mosquitto_passwd write it.'
      return fail('', { what: 'a line without a colon', remedy })
    }
    const userName = trim(fields[1]!)
    if (userName === '') {
      const remedy = 'Write the name before the colon, or take the line out.'
      return fail('', { what: 'a line without a user name', remedy })
    }
    const field = trim(fields[2]!)
    if (!field.startsWith('$')) return fail(userName, notHashed(field, text))
    const hash = readHash(field)
    if (E.isLeft(hash)) return fail(userName, hash.left)
    table.set(userName, hash.right)
  }
  return E.right(table)
}

const areEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, i) => byte === other[i])

const isSame = (one: PasswordHash, other: PasswordHash): boolean => {
  if (!areEqual(one.salt, other.salt) || !areEqual(one.hash, other.hash)) return false
  switch (one.kind) {
    case 'sha512':
      return other.kind === 'sha512'
    case 'pbkdf2-sha512':
      return other.kind === one.kind && other.iterations === one.iterations
    case 'argon2id':
      return other.kind === one.kind && other.memoryKiB === one.memoryKiB &&
        other.passes === one.passes && other.lanes === one.lanes
  }
}

/** Users of the old table whom the new one does not know, or knows by another hash. */
export const revokedUsers = (before: PasswordTable, now: PasswordTable): ReadonlyArray<string> => {
  const found: string[] = []
  for (const [userName, hash] of before) {
    const current = now.get(userName)
    if (current === undefined || !isSame(hash, current)) found.push(userName)
  }
  return found
}
