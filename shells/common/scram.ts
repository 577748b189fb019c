// What SCRAM-SHA-256 needs of the world (RFC 5802, RFC 7677): keys, hashes and comparisons, by the
// WebCrypto that every runtime has. A user who does not exist is treated like one who does, with a
// salt that is always the same for the same name, so that nobody can find out who exists.

import { NOT_AUTHORIZED } from '../../core/codec/reason-code.ts'
import type { Query } from '../../core/broker/effect.ts'
import type { Answer } from '../../core/broker/input.ts'
import * as Bytes from '../../core/data/bytes.ts'
import { isSame, raw } from './digest.ts'
import type { Raw } from './digest.ts'

/** What is kept of a password: enough to check it, not enough to log in with it. */
export interface ScramCredentials {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** Who may log in with SCRAM-SHA-256. */
export interface ScramOptions {
  /** The credentials of a user, null where there is no such user. */
  readonly credentials: (userName: string) => Promise<ScramCredentials | null>
  /** What unknown users are told; give the number that known ones have. Default: 4096. */
  readonly iterations?: number
  /** Bytes of an invented salt; give the number that real ones have. Default: 16. */
  readonly saltBytes?: number
  /**
   * Salts of unknown users are made from it. By default it is new in every process, so whoever
   * remembers a salt from before a restart can tell who does not exist; keep one to prevent that.
   */
  readonly secret?: Uint8Array
}

/** RFC 7677 wants no fewer. */
const iterationsMin = 4_096
const saltBytesDefault = 16
const hashBytes = 32

const encoder = new TextEncoder()

const text = (words: string): Raw => raw(encoder.encode(words))

const hash = async (bytes: Raw): Promise<Raw> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

const hmac = async (key: Uint8Array, bytes: Raw): Promise<Raw> => {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const made = await crypto.subtle.importKey('raw', raw(key), algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', made, bytes))
}

// The tables of RFC 4013, as far as characters can be told by their properties.
const mappedToNothing = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/g
const spaces = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g
const prohibited = /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u2028-\u202e]/u
const alsoProhibited =
  /[\u0340\u0341\u200e\u200f\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd]/

/**
 * A user name or a password in the form in which it is compared (SASLprep, RFC 4013, without its
 * rule on mixed directions of writing); null where it has characters that neither may have.
 */
export const saslPrep = (words: string): string | null => {
  const form = words.replaceAll(mappedToNothing, '').replaceAll(spaces, ' ').normalize('NFKC')
  return prohibited.test(form) || alsoProhibited.test(form) ? null : form
}

/** Makes the credentials of a password; null for one with characters that no password may have. */
export const scramCredentials = async (
  password: string,
  salt: Uint8Array = crypto.getRandomValues(new Uint8Array(saltBytesDefault)),
  iterations: number = iterationsMin,
): Promise<ScramCredentials | null> => {
  const form = saslPrep(password)
  if (form === null) return null
  const key = await crypto.subtle.importKey('raw', text(form), 'PBKDF2', false, ['deriveBits'])
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: raw(salt), iterations }
  const salted = await crypto.subtle.deriveBits(derivation, key, hashBytes * 8)
  const bytes = new Uint8Array(salted)
  return {
    salt: raw(salt),
    iterations,
    storedKey: await hash(await hmac(bytes, text('Client Key'))),
    serverKey: await hmac(bytes, text('Server Key')),
  }
}

/** Answers what the method asks. */
export const createScram = (options: ScramOptions): (query: Query) => Promise<Answer> => {
  const secret = options.secret ?? crypto.getRandomValues(new Uint8Array(hashBytes))
  const { iterations = iterationsMin, saltBytes = saltBytesDefault } = options

  /** As long as a real one, since a length would tell as much as a refusal. */
  const inventedSalt = async (userName: string): Promise<Uint8Array> => {
    const salt = new Uint8Array(saltBytes)
    for (let at = 0; at < saltBytes; at += hashBytes) {
      const part = await hmac(secret, text(`salt ${at} of ${userName}`))
      salt.set(part.subarray(0, saltBytes - at), at)
    }
    return salt
  }

  /** Whoever does not exist has keys too, which no password leads to. */
  const invented = async (userName: string): Promise<ScramCredentials> => ({
    salt: await inventedSalt(userName),
    iterations,
    storedKey: await hmac(secret, text(`stored key of ${userName}`)),
    serverKey: await hmac(secret, text(`server key of ${userName}`)),
  })

  return async (query) => {
    const userName = saslPrep(query.userName)
    // Both ways do the same work.
    const [known, unknown] = await Promise.all([
      userName === null ? null : options.credentials(userName),
      invented(userName ?? query.userName),
    ])
    const { salt, storedKey, serverKey, iterations: rounds } = known ?? unknown
    if (query._tag === 'ScramSalt') {
      return { _tag: 'ScramSalt', salt: Bytes.of(salt), iterations: rounds }
    }
    const signed = raw(Bytes.view(query.signed))
    const [ofClient, ofServer] = await Promise.all([
      hmac(storedKey, signed),
      hmac(serverKey, signed),
    ])
    const proof = Bytes.view(query.proof)
    const clientKey = ofClient.map((byte, i) => byte ^ (proof[i] ?? 0))
    const isProved = isSame(await hash(clientKey), storedKey)
    return isProved && known !== null
      ? { _tag: 'ScramSignature', signature: Bytes.of(ofServer) }
      : { _tag: 'Refused', reason: NOT_AUTHORIZED }
  }
}
