// What the two threads say to each other.

import type { Argon2Hash } from '../common/passwords.ts'

export interface Request {
  readonly number: number
  readonly password: Uint8Array
  readonly wanted: Argon2Hash
}

/** `hash` is null where none could be made, and `why` says why. */
export interface Answer {
  readonly number: number
  readonly hash: Uint8Array | null
  readonly why: string
}
