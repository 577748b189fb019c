// The files behind the settings that say who may do what: access lists and passwords. They are read
// while there are rights to read them, and again at a reload, which keeps what it can read no more.

import { lstatSync, readFileSync, statSync } from 'node:fs'
import process from 'node:process'
import type { Acl } from '../../core/broker/acl.ts'
import type { Config } from '../../core/broker/config.ts'
import type { Question } from '../../core/broker/effect.ts'
import {
  brokerConfig,
  faultText,
  keptText,
  linksVariable,
  parseAcl,
  parsePasswords,
} from '../../core/config/mod.ts'
import type { FileFault, ListenerSettings, PasswordTable, Settings } from '../../core/config/mod.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { createJudge } from '../common/passwords.ts'
import type { PasswordJudge, Revoked } from '../common/passwords.ts'
import { readSecret } from '../common/secrets.ts'
import type { Files } from '../common/secrets.ts'
import { createArgon2 } from '../passwords/argon2.ts'

/** A start or a reload that cannot be; the lines go to the operator. */
export interface Refusal {
  readonly lines: ReadonlyArray<string>
  readonly status: number
}

/** Of mosquitto, whose plugin for such files says so. */
const statusUnreadable = 13
const statusMalformed = 3

const modeMask = 0o777

const files: Files = {
  facts: (path) => {
    const behind = statSync(path)
    return Promise.resolve({
      isLink: lstatSync(path).isSymbolicLink(),
      isFile: behind.isFile(),
      mode: behind.mode & modeMask,
    })
  },
  text: (path) => Promise.resolve(readFileSync(path, 'utf8')),
}

/** What a file says, and whether it was read this time. */
interface Parsed<A> {
  readonly value: A
  readonly warnings: ReadonlyArray<string>
}

type Parse<A> = (path: string, text: string) => Either<FileFault, Parsed<A>>

const passwords: Parse<PasswordTable> = (path, text) => {
  const table = parsePasswords(path, text)
  return E.isLeft(table) ? table : E.right({ value: table.right, warnings: [] })
}

const accessList: Parse<Acl> = (path, text) => {
  const parsed = parseAcl(path, text)
  return E.isLeft(parsed)
    ? parsed
    : E.right({ value: parsed.right.acl, warnings: parsed.right.warnings })
}

/** Reads all files of a kind; a file that was read before may be missing now. */
const readAll = async <A>(
  what: string,
  paths: ReadonlyArray<string | null>,
  parse: Parse<A>,
  before: ReadonlyMap<string, A>,
  user: string | null,
  warnings: Array<string>,
): Promise<Either<Refusal, ReadonlyMap<string, A>>> => {
  const found = new Map<string, A>()
  const allowsLinks = Boolean(process.env[linksVariable])
  for (const path of paths) {
    if (path === null || found.has(path)) continue
    const secret = await readSecret(files, path, { allowsLinks, user })
    if (E.isLeft(secret)) {
      const fault = faultText(secret.left)
      const old = before.get(path)
      if (old === undefined) {
        // The system's word stands there where it is the system that refuses.
        const lines = secret.left.word === ''
          ? [`Error: ${fault}`]
          : [`Error: Unable to open ${what} "${path}".`, fault]
        return E.left({ lines, status: statusUnreadable })
      }
      warnings.push(keptText(fault))
      found.set(path, old)
      continue
    }
    const parsed = parse(path, secret.right.text)
    if (E.isLeft(parsed)) {
      return E.left({ lines: [`Error: ${faultText(parsed.left)}`], status: statusMalformed })
    }
    warnings.push(...secret.right.warnings, ...parsed.right.warnings)
    found.set(path, parsed.right.value)
  }
  return E.right(found)
}

/** Nobody is in it: who may not come in anonymously has nothing to prove himself by. */
const nobody: PasswordTable = new Map()

/** What was read of the files that the settings name. */
export class Secrets {
  /** Whole sentences without "Warning: ". */
  readonly warnings: ReadonlyArray<string>
  private readonly acls: ReadonlyMap<string, Acl>
  private readonly tables: ReadonlyMap<string, PasswordTable>

  private constructor(
    acls: ReadonlyMap<string, Acl>,
    tables: ReadonlyMap<string, PasswordTable>,
    warnings: ReadonlyArray<string>,
  ) {
    this.acls = acls
    this.tables = tables
    this.warnings = warnings
  }

  /**
   * Reads the files. `user` is whom the broker runs as, for the remedy; `before` what they said the
   * last time, which stays for a file that cannot be read any more.
   */
  static async read(
    { listeners }: Settings,
    user: string | null,
    before: Secrets | null = null,
  ): Promise<Either<Refusal, Secrets>> {
    const warnings: Array<string> = []
    const named = listeners.map(({ passwordFile }) => passwordFile)
    const oldTables = before?.tables ?? new Map<string, PasswordTable>()
    const tables = await readAll('pwfile', named, passwords, oldTables, user, warnings)
    if (E.isLeft(tables)) return tables
    const lists = listeners.map(({ aclFile }) => aclFile)
    const oldAcls = before?.acls ?? new Map<string, Acl>()
    const acls = await readAll('acl_file', lists, accessList, oldAcls, user, warnings)
    return E.isLeft(acls) ? acls : E.right(new Secrets(acls.right, tables.right, warnings))
  }

  /** What the machine needs to know. */
  config(settings: Settings): Partial<Config> {
    return brokerConfig(settings, this.acls)
  }

  /** Passwords by the name of the listener. */
  tablesOf({ listeners }: Settings): ReadonlyMap<string, PasswordTable> {
    const tables = new Map<string, PasswordTable>()
    for (const { name, passwordFile, anonymous } of listeners) {
      if (passwordFile !== null) tables.set(name, this.tables.get(passwordFile) ?? nobody)
      else if (!anonymous) tables.set(name, nobody)
    }
    return tables
  }
}

/** Whether a client with a user name has to prove that it is the user's. */
const asks = ({ passwordFile, anonymous }: ListenerSettings): boolean =>
  passwordFile !== null || !anonymous

/** Listeners some of whose clients have to go: it is closed, or names were not proved there. */
export const goneOrGuarded = (old: Settings, next: Settings): ReadonlyArray<string> =>
  old.listeners.filter((one) => {
    const same = next.listeners.find(({ name }) => name === one.name)
    return same === undefined || (!asks(one) && asks(same))
  }).map(({ name }) => name)

/** Who may connect, by the files of the moment. */
export class Doorkeeper {
  private readonly keeper: PasswordJudge
  private tables: ReadonlyMap<string, PasswordTable>

  constructor(secrets: Secrets, settings: Settings) {
    this.tables = secrets.tablesOf(settings)
    this.keeper = createJudge({ tables: this.tables, argon2: createArgon2() })
  }

  judge(question: Question, isWanted: () => boolean): Promise<number> {
    return this.keeper.judge(question, isWanted)
  }

  /** Also by these, for listeners that there have not been. */
  expect(secrets: Secrets, settings: Settings): void {
    this.tables = new Map([...secrets.tablesOf(settings), ...this.tables])
    this.keeper.replace(this.tables)
  }

  /** From now on by these; answers whose connections rest on what is no more. */
  change(secrets: Secrets, settings: Settings): ReadonlyArray<Revoked> {
    this.tables = secrets.tablesOf(settings)
    return this.keeper.replace(this.tables)
  }
}
