// Who may connect by a password: the answers to Judge questions, over the tables of the listeners'
// password files. A user who does not exist costs as much as one who does, and is told the same.

import { NOT_AUTHORIZED, SERVER_BUSY } from '../../core/codec/reason-code.ts'
import type { Question } from '../../core/broker/effect.ts'
import type { PasswordHash, PasswordTable } from '../../core/config/password-file.ts'
import { revokedUsers } from '../../core/config/password-file.ts'
import * as Bytes from '../../core/data/bytes.ts'
import { isSame, raw } from './digest.ts'
import { Guesses } from './guesses.ts'
import type { Later } from './guesses.ts'

export type Argon2Hash = Extract<PasswordHash, { readonly kind: 'argon2id' }>

/** What a runtime has to bring, since WebCrypto does not: hashes made off the event loop. */
export interface Argon2 {
  /** The hash of the password in the way of another one: its salt, parameters and length. */
  readonly hash: (password: Uint8Array, wanted: Argon2Hash) => Promise<Uint8Array>
  readonly close: () => Promise<void>
}

/** By the name of the listener; one that is not in it has no password file. */
export type PasswordTables = ReadonlyMap<string, PasswordTable>

/** Users of a listener who were known by another hash, or at all, and are not any more. */
export interface Revoked {
  readonly listener: string
  readonly userNames: ReadonlyArray<string>
}

export interface JudgeOptions {
  readonly tables: PasswordTables
  readonly argon2: Argon2
  /** Hashes made at once. Default: 4. */
  readonly atOnceMax?: number
  /** Questions that wait; who comes after is told that the server is busy. Default: 200. */
  readonly waitingMax?: number
  /** Milliseconds from anywhere, and a timer. Default: the runtime's. */
  readonly now?: () => number
  readonly later?: Later
}

export interface PasswordJudge {
  /**
   * Answers an MQTT 5 reason code, 0 for yes. A client without a user name is let in: whether such
   * may connect is the configuration's `allowAnonymous`. Whose connection is gone when its turn
   * comes is passed over: a line in which all wait longer than they may would else never let
   * anybody in.
   */
  readonly judge: (question: Question, isWanted?: () => boolean) => Promise<number>
  /** Takes other tables, at once; answers whose connections rest on what is no more. */
  readonly replace: (tables: PasswordTables) => ReadonlyArray<Revoked>
  readonly close: () => Promise<void>
}

const ACCEPTED = 0x00

const atOnceDefault = 4
const waitingDefault = 200

const hashOf = async (
  password: Uint8Array,
  wanted: PasswordHash,
  argon2: Argon2,
): Promise<Uint8Array> => {
  switch (wanted.kind) {
    case 'sha512': {
      const both = new Uint8Array(password.length + wanted.salt.length)
      both.set(password)
      both.set(wanted.salt, password.length)
      return new Uint8Array(await crypto.subtle.digest('SHA-512', both))
    }
    case 'pbkdf2-sha512': {
      const { salt, iterations, hash } = wanted
      const made = raw(password)
      const key = await crypto.subtle.importKey('raw', made, 'PBKDF2', false, ['deriveBits'])
      const derivation = { name: 'PBKDF2', hash: 'SHA-512', salt: raw(salt), iterations }
      return new Uint8Array(await crypto.subtle.deriveBits(derivation, key, hash.length * 8))
    }
    case 'argon2id':
      return argon2.hash(password, wanted)
  }
}

const costOf = (hash: PasswordHash): string =>
  hash.kind === 'sha512'
    ? hash.kind
    : hash.kind === 'pbkdf2-sha512'
    ? `${hash.kind} ${hash.iterations}`
    : `${hash.kind} ${hash.memoryKiB} ${hash.passes} ${hash.lanes}`

/**
 * What a user who does not exist is checked against: a hash of nobody's password that costs what
 * most in the table do. Null for a table without users, which has nothing to hide.
 */
const decoyOf = (table: PasswordTable): PasswordHash | null => {
  const counts = new Map<string, number>()
  let found: PasswordHash | null = null
  let most = 0
  for (const hash of table.values()) {
    const cost = costOf(hash)
    const count = (counts.get(cost) ?? 0) + 1
    counts.set(cost, count)
    if (count <= most) continue
    most = count
    found = hash
  }
  return found === null ? null : {
    ...found,
    salt: crypto.getRandomValues(new Uint8Array(found.salt.length)),
    hash: crypto.getRandomValues(new Uint8Array(found.hash.length)),
  }
}

// Shorter than `connect_timeout` is by default: who is let into the line is still there at its end.
const waitMsMax = 5_000

/**
 * At most so many at once, and so many more in line; null where the line is full, or would take too
 * long: all would wait until they are gone, and nobody would be let in.
 */
class Gate {
  private free: number
  /** How long one takes, about. */
  private workMs = 0
  private readonly atOnceMax: number
  private readonly waitingMax: number
  private readonly waiting: Array<() => void> = []

  private readonly now: () => number

  constructor(atOnceMax: number, waitingMax: number, now: () => number) {
    this.free = atOnceMax
    this.atOnceMax = atOnceMax
    this.waitingMax = waitingMax
    this.now = now
  }

  async pass<A>(work: () => Promise<A>): Promise<A | null> {
    if (this.free === 0) {
      const { length } = this.waiting
      if (length >= this.waitingMax) return null
      if (length * this.workMs / this.atOnceMax > waitMsMax) return null
      // Whoever leaves hands its place on, so that nobody comes between.
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    } else this.free -= 1
    const from = this.now()
    try {
      return await work()
    } finally {
      this.workMs += (this.now() - from - this.workMs) / 8
      const next = this.waiting.shift()
      if (next === undefined) this.free += 1
      else next()
    }
  }
}

const always = (): boolean => true

const runtimeNow = (): number => performance.now()

const runtimeLater: Later = (ms, act) => {
  const timer = setTimeout(act, ms)
  return () => clearTimeout(timer)
}

export const createJudge = (options: JudgeOptions): PasswordJudge => {
  const { argon2, atOnceMax = atOnceDefault, waitingMax = waitingDefault } = options
  const now = options.now ?? runtimeNow
  const gate = new Gate(atOnceMax, waitingMax, now)
  const guesses = new Guesses(now, options.later ?? runtimeLater)
  let { tables } = options
  const decoys = new WeakMap<PasswordTable, PasswordHash | null>()

  const decoyIn = (table: PasswordTable): PasswordHash | null => {
    let decoy = decoys.get(table)
    if (decoy === undefined) {
      decoy = decoyOf(table)
      decoys.set(table, decoy)
    }
    return decoy
  }

  const check = async (
    listener: string,
    userName: string,
    password: Uint8Array,
  ): Promise<number> => {
    for (;;) {
      const table = tables.get(listener)
      if (table === undefined) return ACCEPTED
      const known = table.get(userName)
      const wanted = known ?? decoyIn(table)
      if (wanted === null) return NOT_AUTHORIZED
      const hash = await hashOf(password, wanted, argon2)
      // What was replaced meanwhile counts no more.
      if (tables.get(listener)?.get(userName) !== known) continue
      return isSame(hash, wanted.hash) && known !== undefined ? ACCEPTED : NOT_AUTHORIZED
    }
  }

  return {
    judge: async (question, isWanted = always) => {
      const { listener, userName, password } = question
      if (userName === null || !tables.has(listener)) return ACCEPTED
      // An empty one is none, as in mosquitto: `mosquitto_passwd -b FILE user ""` locks a user out.
      // This says nothing about the user.
      if (password === null || Bytes.size(password) === 0) return NOT_AUTHORIZED
      const bytes = Bytes.view(password)
      const guesser = guesses.keyOf(question)
      if (guesser === null) {
        const work = async (): Promise<number> =>
          isWanted() ? check(listener, userName, bytes) : SERVER_BUSY
        return await gate.pass(work) ?? SERVER_BUSY
      }
      let pause = Promise.resolve()
      const reason = await gate.pass(async () => {
        if (guesses.isFull(guesser) || !isWanted()) return SERVER_BUSY
        const answer = await check(listener, userName, bytes)
        if (answer === ACCEPTED) guesses.forget(guesser)
        else pause = guesses.pause(guesser) // Counted before the next one is tried.
        return answer
      })
      await pause
      return reason ?? SERVER_BUSY
    },
    replace: (next) => {
      const revoked: Revoked[] = []
      for (const [listener, table] of next) {
        const before = tables.get(listener)
        // Who was let in without a password file has proved nothing.
        const userNames = before === undefined ? null : revokedUsers(before, table)
        if (userNames !== null && userNames.length > 0) revoked.push({ listener, userNames })
      }
      tables = next
      guesses.clear()
      return revoked
    },
    close: () => {
      guesses.close()
      return argon2.close()
    },
  }
}
