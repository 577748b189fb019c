// Password files and the judge over them: what mosquitto_passwd writes is read and checked, what is
// corrupt is named by its line, nobody can tell by the clock who exists, and a new file counts at
// once.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Question } from '../core/broker/effect.ts'
import { faultText, parsePasswords, revokedUsers } from '../core/config/mod.ts'
import type { PasswordHash, PasswordTable } from '../core/config/mod.ts'
import { E } from '../core/prelude.ts'
import type { Argon2, JudgeOptions } from '../shells/common/passwords.ts'
import { createJudge } from '../shells/common/passwords.ts'
import { createArgon2 } from '../shells/passwords/argon2.ts'
import { utf8 } from './gen/histories.ts'
import { runs } from './gen/settings.ts'

const passwords = suite('passwords')

const NO = 0x87
const BUSY = 0x89

// "password" with the salt "somesalt", from the tests of the reference implementation of Argon2.
const argon2id =
  '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'

// By mosquitto_passwd 2.0.11 -b FILE em "", which its broker lets nobody in with.
const emptyByMosquitto = 'em:$7$101$KbZeqill/U3NSPjF$neI73kS4pZY56/kTeXRwbBjLJbvOx6+4hcCZjZmoI7R' +
  'fhZ2hc65hT92I/D7LpQvGzyMpnboiaoaT05uKXqUJpA=='

const read = (text: string): PasswordTable => {
  const table = parsePasswords('/etc/passwd', text)
  if (E.isLeft(table)) throw new Error(faultText(table.left))
  return table.right
}

const refused = (text: string): string => {
  const table = parsePasswords('/etc/pw', text)
  return E.isLeft(table) ? faultText(table.left) : 'no fault'
}

const question = (
  userName: string | null,
  password: string | null,
  listener = '1883',
): Question => ({
  listener,
  clientId: 'c',
  userName,
  password: password === null ? null : utf8(password),
  peer: { address: '127.0.0.1', port: 50_000 },
})

/** Hashes whatever it is asked, when it is told to. */
const slow = (): { readonly argon2: Argon2; readonly asked: Array<() => void> } => {
  const asked: Array<() => void> = []
  const hash: Argon2['hash'] = (password, wanted) =>
    new Promise((resolve) => {
      asked.push(() => resolve(password[0] === 0x79 /* y */ ? wanted.hash : new Uint8Array(32)))
    })
  return { argon2: { hash, close: async () => {} }, asked }
}

const judgeOf = (table: PasswordTable, options: Partial<JudgeOptions> = {}) =>
  createJudge({ tables: new Map([['1883', table]]), argon2: createArgon2(), ...options })

const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

passwords('a password is checked by each kind of hash', async () => {
  // By mosquitto_passwd 2.0.11.
  const one = 'u:$7$101$doc83CSXolIBNIRh$CE1R1cKw0QG08kwVc/0+/S47iMhUM+HXwtSQKMMKBvQfphx8SjWiSxR1' +
    'tKVjvktAoopl+p7vL7vGxel9dlpm4w==\n'
  const judge = judgeOf(read(`${one}a:${argon2id}\ns:${await sha512Of('bond', 'pepper')}\n`))
  for (const [user, password] of [['u', 'x'], ['a', 'password'], ['s', 'bond']] as const) {
    assert.is(await judge.judge(question(user, password)), 0, user)
    assert.is(await judge.judge(question(user, `${password}.`)), NO, user)
    assert.is(await judge.judge(question(user, '')), NO, user)
    assert.is(await judge.judge(question(user, null)), NO, user)
  }
  assert.is(await judge.judge(question('nobody', 'x')), NO)
  // Whether somebody without a name may connect is not a matter of passwords.
  assert.is(await judge.judge(question(null, null)), 0)
  // Another listener has no password file.
  assert.is(await judge.judge(question('u', 'wrong', '1884')), 0)
  await judge.close()
})

const sha512Of = async (password: string, salt: string): Promise<string> => {
  const bytes = new TextEncoder().encode(password + salt)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-512', bytes))
  return `$6$${btoa(salt)}$${btoa(String.fromCharCode(...hash))}`
}

passwords('an empty password is none, whatever the file says', async () => {
  const hashes = [`s:${await sha512Of('', 'pepper')}`, emptyByMosquitto, `a:${argon2id}`]
  const asked: string[] = []
  const argon2: Argon2 = {
    hash: (_password, wanted) => {
      asked.push('a')
      return Promise.resolve(wanted.hash)
    },
    close: async () => {},
  }
  const judge = judgeOf(read(hashes.join('\n')), { argon2 })
  for (const user of ['s', 'em', 'a', 'nobody']) {
    assert.is(await judge.judge(question(user, '')), NO, user)
    assert.is(await judge.judge(question(user, null)), NO, user)
  }
  // It says nothing about the user, and so it costs nothing.
  assert.equal(asked, [])
  // Without a name or a password file nobody asks for a password.
  assert.is(await judge.judge(question(null, '')), 0)
  assert.is(await judge.judge(question('em', '', '1884')), 0)
})

passwords('an empty file lets nobody in', async () => {
  const judge = judgeOf(read(''))
  assert.is(await judge.judge(question('u', 'x')), NO)
  await judge.close()
})

passwords('what mosquitto_passwd writes is read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-passwd-'))
  try {
    const file = join(folder, 'passwd')
    execFileSync('mosquitto_passwd', ['-c', '-b', file, 'bond', 'g\u00fcnther'])
    execFileSync('mosquitto_passwd', ['-b', file, 'q', 'gadgets'])
    const judge = judgeOf(read(readFileSync(file, 'utf8')))
    assert.is(await judge.judge(question('bond', 'g\u00fcnther')), 0)
    assert.is(await judge.judge(question('q', 'gadgets')), 0)
    assert.is(await judge.judge(question('q', 'g\u00fcnther')), NO)
    await judge.close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    console.log('SKIPPED: files of mosquitto_passwd because mosquitto is missing')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

passwords('a user who does not exist costs a hash like those who do', async () => {
  const { argon2, asked } = slow()
  const wanted: Array<string> = []
  const judge = judgeOf(read(`a:${argon2id}\n`), {
    argon2: {
      ...argon2,
      hash: (password, hash) => {
        wanted.push(`${hash.memoryKiB} ${hash.passes} ${hash.lanes} ${hash.salt.length}`)
        return argon2.hash(password, hash)
      },
    },
  })
  const answers = [judge.judge(question('a', 'yes')), judge.judge(question('nobody', 'yes'))]
  await turns()
  asked.forEach((answer) => answer())
  // Even where the hash is the one that was made up, it is nobody's.
  assert.equal(await Promise.all(answers), [0, NO])
  assert.equal(wanted, ['256 2 1 8', '256 2 1 8'])
})

passwords('four hashes at once, a line behind them, and an end to the line', async () => {
  const { argon2, asked } = slow()
  const judge = judgeOf(read(`a:${argon2id}\n`), { argon2, waitingMax: 3 })
  const answers = Array.from({ length: 9 }, () => judge.judge(question('a', 'yes')))
  await turns()
  assert.is(asked.length, 4)
  assert.equal(await Promise.all(answers.slice(7)), [BUSY, BUSY])
  asked[0]!()
  await turns()
  assert.is(asked.length, 5)
  for (let i = 1; i < 7; i++) {
    asked[i]!()
    await turns()
  }
  assert.equal(await Promise.all(answers.slice(0, 7)), [0, 0, 0, 0, 0, 0, 0])
  // The places are free again.
  const again = judge.judge(question('a', 'no'))
  await turns()
  asked[7]!()
  assert.is(await again, NO)
})

passwords('who has gone when its turn comes is passed over', async () => {
  for (const address of ['127.0.0.1', '192.0.2.7']) {
    const { argon2, asked } = slow()
    const judge = judgeOf(read(`a:${argon2id}\n`), { argon2, atOnceMax: 1 })
    const wanted = [true, true, false, false, true]
    const answers = wanted.map((isWanted) =>
      judge.judge({ ...question('a', 'yes'), peer: { address, port: 1 } }, () => isWanted)
    )
    await turns()
    for (let i = 0; i < 3; i++) {
      asked[i]!()
      await turns()
    }
    assert.is(asked.length, 3)
    assert.equal(await Promise.all(answers), [0, 0, BUSY, BUSY, 0])
  }
})

passwords('where hashes take long the line is short', async () => {
  const { argon2, asked } = slow()
  let time = 0
  const judge = judgeOf(read(`a:${argon2id}\n`), { argon2, atOnceMax: 1, now: () => time })
  // By then it is known that each takes a second.
  for (let i = 0; i < 40; i++) {
    const answer = judge.judge(question('a', 'yes'))
    await turns()
    time += 1_000
    asked[i]!()
    await answer
  }
  const answers = Array.from({ length: 20 }, () => judge.judge(question('a', 'yes')))
  await turns()
  assert.equal(await Promise.all(answers.slice(10)), Array.from({ length: 10 }, () => BUSY))
  for (let i = 40; asked[i] !== undefined; i++) {
    asked[i]!()
    await turns()
  }
  assert.is((await Promise.all(answers)).filter((answer) => answer === 0).length, 7)
})

passwords('a place is free again where a hash fails', async () => {
  const hash: Argon2['hash'] = () => Promise.reject(new Error('no memory'))
  const argon2: Argon2 = { hash, close: async () => {} }
  const judge = judgeOf(read(`a:${argon2id}\n`), { argon2, atOnceMax: 1, waitingMax: 1 })
  for (let i = 0; i < 5; i++) {
    const outcome = await judge.judge(question('a', 'yes')).catch((error: Error) => error.message)
    assert.is(outcome, 'no memory')
  }
})

passwords('a new file counts at once, also for who is being judged', async () => {
  const { argon2, asked } = slow()
  const judge = judgeOf(read(`a:${argon2id}\nb:${argon2id}\n`), { argon2 })
  const answers = ['a', 'b'].map((user) => judge.judge(question(user, 'yes')))
  await turns()
  const stays = read(`b:${argon2id}\n`)
  // Of b the same line was read again, which is another table all the same.
  assert.equal(judge.replace(new Map([['1883', stays]])), [{ listener: '1883', userNames: ['a'] }])
  while (asked.length > 0) {
    asked.shift()!()
    await turns()
  }
  assert.equal(await Promise.all(answers), [NO, 0])
})

passwords('users who are gone or have another password are told apart from the others', () => {
  const other = argon2id.replace('m=256', 'm=512')
  const before = read(`a:${argon2id}\nb:${argon2id}\nc:${argon2id}\n`)
  const now = read(`b:${argon2id}\nc:${other}\nd:${argon2id}\n`)
  assert.equal(revokedUsers(before, now), ['a', 'c'])
  assert.equal(revokedUsers(before, before), [])
})

passwords('another hash of the same password is another one: no password is kept', async () => {
  const [before, now] = [
    read(`u:${await sha512Of('bond', 'salt')}`),
    read(`u:${await sha512Of('bond', 'pepper')}`),
  ]
  assert.equal(revokedUsers(before, now), ['u'])
})

passwords('whatever of a hash is new, its user is told apart', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 3 })
  const few = fc.integer({ min: 1, max: 2 })
  const hash: fc.Arbitrary<PasswordHash> = fc.oneof(
    fc.record({ kind: fc.constant('sha512' as const), salt: bytes, hash: bytes }),
    fc.record({
      kind: fc.constant('pbkdf2-sha512' as const),
      iterations: few,
      salt: bytes,
      hash: bytes,
    }),
    fc.record({
      kind: fc.constant('argon2id' as const),
      memoryKiB: few,
      passes: few,
      lanes: few,
      salt: bytes,
      hash: bytes,
    }),
  )
  const copied = (one: PasswordHash): PasswordHash => ({ ...one, salt: one.salt.slice() })
  const asText = (one: PasswordHash): string =>
    JSON.stringify({ ...one, salt: [...one.salt], hash: [...one.hash] })
  /** The same but for one field, or all of another. */
  const changed = fc.tuple(hash, hash, fc.nat()).map(([one, other, at]) => {
    const keys = Object.keys(one)
    const key = keys[at % keys.length]!
    return [one, { ...one, ...(one.kind === other.kind ? { [key]: other[key as 'hash'] } : other) }]
  }) as fc.Arbitrary<[PasswordHash, PasswordHash]>
  fc.assert(
    fc.property(changed, ([one, other]) => {
      const before = new Map([['u', one], ['v', one]])
      const now = new Map([['u', copied(other)], ['v', copied(one)]])
      assert.equal(revokedUsers(before, now), asText(one) === asText(other) ? [] : ['u'])
    }),
    { numRuns: runs(2_000) },
  )
})

passwords('a hash that differs in one byte, wherever that is, is another one', async () => {
  const table = read(`a:${argon2id}\n`)
  const known = table.get('a')!.hash
  const answers = async (made: Uint8Array): Promise<number> => {
    const argon2: Argon2 = { hash: () => Promise.resolve(made), close: async () => {} }
    return await judgeOf(table, { argon2 }).judge(question('a', 'yes'))
  }
  assert.is(await answers(known.slice()), 0)
  for (let i = 0; i < known.length; i++) {
    for (const bit of [1, 128]) {
      assert.is(await answers(known.map((byte, at) => at === i ? byte ^ bit : byte)), NO)
    }
  }
  // Two differences do not cancel each other out.
  assert.is(await answers(known.map((byte, at) => at < 2 ? byte ^ 1 : byte)), NO)
  assert.is(await answers(known.slice(0, -1)), NO)
  assert.is(await answers(Uint8Array.of(...known, 0)), NO)
  assert.is(await answers(new Uint8Array(0)), NO)
})

passwords('who does not exist costs what most in the file cost, one salt for all', async () => {
  const dear = argon2id.replace('m=256', 'm=512')
  const others = [1, 2].map((i) => `c${i}:${argon2id.replace('t=2', `t=${i + 2}`)}\n`).join('')
  const most = `b1:${dear}\nb2:${dear}\nz:${argon2id}\nb3:${dear}\n`
  const table = read(`a:${argon2id}\n${others}${most}`)
  const asked: string[] = []
  const argon2: Argon2 = {
    hash: (_password, { memoryKiB, passes, salt }) => {
      asked.push(`${memoryKiB} ${passes} ${salt.join(' ')}`)
      return Promise.resolve(new Uint8Array(32))
    },
    close: async () => {},
  }
  const judge = judgeOf(table, { argon2 })
  for (const user of ['x', 'y']) assert.is(await judge.judge(question(user, 'yes')), NO)
  assert.match(asked[0]!, /^512 2 /)
  assert.is(asked[1], asked[0])
  assert.not.match(asked[0]!, [...table.get('b1')!.salt].join(' '))
})

passwords('a listener without a password file any more asks nobody, nor revokes', async () => {
  const { argon2, asked } = slow()
  const judge = judgeOf(read(`a:${argon2id}\n`), { argon2 })
  const answer = judge.judge(question('a', 'no'))
  await turns()
  assert.equal(judge.replace(new Map([['1883', read(`a:${argon2id}\n`)]])), [])
  assert.equal(judge.replace(new Map()), [])
  asked[0]!()
  assert.is(await answer, 0)
  assert.is(await judge.judge(question('a', 'no')), 0)
  // There was none before either: nobody has proved anything.
  assert.equal(judge.replace(new Map([['1883', read('')]])), [])
})

passwords('white space around a name and around a hash is not theirs', () => {
  for (const white of [' ', '\t', '\r', '\v', '\f', ' \t  \r\v ']) {
    const lines = [
      `${white}lead:${argon2id}`,
      `trail${white}:${argon2id}`,
      `before:${white}${argon2id}`,
      `after:${argon2id}${white}`,
      `${white}in  side${white}:${white}${argon2id}${white}`,
    ]
    const names = ['lead', 'trail', 'before', 'after', 'in  side']
    assert.equal([...read(lines.join('\n')).keys()], names, JSON.stringify(white))
    assert.match(refused(`${white}:${argon2id}`), /:1: a line without a user name\. /)
    assert.match(refused(`u:${white}`), /:1: a password that is not hashed \(u\)\./)
    assert.is(read(`${white}\n`).size, 0)
  }
  // What is one line with white space and without is one user, whose last line counts.
  const twice = read(`a:${argon2id}\n a :${argon2id.replace('t=2', 't=3')}`).get('a')
  assert.is(twice?.kind === 'argon2id' ? twice.passes : 0, 3)
  // To mosquitto other blanks are letters, and a comment begins with the line.
  const others = ['\u00a0', '\u3000', '\u0001', '#']
  const text = others.map((one) => ` ${one}a${one} :${argon2id}`).join('\n')
  assert.equal([...read(text).keys()], others.map((one) => `${one}a${one}`))
})

passwords('a hash ends where another field begins', () => {
  assert.equal([...read(`a:${argon2id}:more\nb:${argon2id} :\nc::${argon2id}`).keys()], [
    'a',
    'b',
    'c',
  ])
  assert.match(refused(`::${argon2id}`), /:1: a line without a user name\. /)
})

passwords('blank lines and comments say nothing, and the last line of a user counts', () => {
  const table = read(`\ufeff\n# who\n\na:${argon2id}  \r\na:${argon2id.replace('t=2', 't=3')}\n\n`)
  assert.is(table.size, 1)
  const hash = table.get('a')
  assert.is(hash?.kind === 'argon2id' ? hash.passes : 0, 3)
})

passwords('a corrupt line is named, and its hash is not', () => {
  const good = `a:${argon2id}\n`
  const corrupt: ReadonlyArray<readonly [line: string, fault: RegExp]> = [
    ['user', /:2: a line without a colon\. Write name:hash/],
    [':x', /:2: a line without a user name\. /],
    ['u:', /:2: a password that is not hashed \(u\)\./],
    ['u:secret', /:2: a password that is not hashed \(u\)\./],
    [`u:x$6$YWJj$${'A'.repeat(86)}==`, /:2: a password that is not hashed/],
    [`u:$7$1e2$YWJj$${'A'.repeat(86)}==`, /:2: iterations that are no number/],
    [`u:$7$0101$YWJj$${'A'.repeat(86)}==`, /:2: iterations that are no number/],
    [`u:$7$10000001$YWJj$${'A'.repeat(86)}==`, /:2: iterations that are no number/],
    [`u:$6$${'A'.repeat(1367)}=$${'A'.repeat(86)}==`, /:2: a salt that is no base64/],
    [`u:${argon2id.replace('t=2', 't=0')}`, /:2: parameters of argon2id/],
    [`u:${argon2id.replace('t=2', 't=101')}`, /:2: parameters of argon2id/],
    [`u:${argon2id.replace('m=256,t=2,p=1', 'm=31,t=2,p=4')}`, /:2: parameters of argon2id/],
    [`u:${argon2id.replace(/\$[^$]*$/, '$AAAA')}`, /:2: parameters of argon2id/],
    ['u:$7$x', /:2: a hash that is cut or has too many parts \(u\)\./],
    ['u:$9$YWJj$ZGVm', /:2: a kind of hash that is not known here \(u\)\./],
    ['u:$6$a*c$ZGVm', /:2: a salt that is no base64 \(u\)\./],
    ['u:$6$YWJj$*', /:2: a hash that is no base64 \(u\)\./],
    ['u:$6$YWJj$ZGVm', /:2: a hash of the wrong length \(u\)\./],
    [`u:$7$0$YWJj$${'A'.repeat(86)}==`, /:2: iterations that are no number, or too many \(u\)\./],
    [`u:$7$99999999$YWJj$${'A'.repeat(86)}==`, /:2: iterations that are no number/],
    [`u:${argon2id.replace('v=19', 'v=16')}`, /:2: parameters of argon2id .* \(u\)\./],
    [`u:${argon2id.replace('m=256', 'm=4294967295')}`, /:2: parameters of argon2id/],
    [`u:${argon2id.replace('p=1', 'p=64')}`, /:2: parameters of argon2id/],
  ]
  for (const [line, fault] of corrupt) {
    assert.match(refused(`${good}${line}\n${good}`), fault)
    assert.not.match(refused(`${good}${line}\n`), /secret|ZGVm|nf65/)
  }
  const sound = [
    `$7$10000000$YWJj$${'A'.repeat(86)}==`,
    `$6$${'A'.repeat(1366)}==$${'A'.repeat(86)}==`,
    argon2id.replace('m=256,t=2,p=1', 'm=32,t=100,p=4'),
    argon2id.replace(/\$[^$]*$/, '$AAAAAA'),
    argon2id.replace(/\$[^$]*$/, `$${'A'.repeat(1366)}`),
  ]
  for (const hash of sound) assert.is(read(`u:${hash}\n`).size, 1, hash.slice(0, 40))
})

passwords('mosquitto_passwd -U is for files without a hash, and without an empty password', () => {
  const upgrade = /:1: a password that is not hashed \(u\)\. Hash all .* "mosquitto_passwd -U"\./
  const alone = /not hashed \([uv]\)\. Set this password with mosquitto_passwd, but not with -U/
  assert.match(refused(`u:secret\n\n#v:${argon2id}\nv:secret\n`), upgrade)
  assert.match(refused(`u:secret\nv:${argon2id}\n`), alone)
  assert.match(refused(`u: ${argon2id}\nv:secret\n`), alone)
  assert.match(refused('u:\nv:secret\n'), alone)
})

passwords('any text is read or refused', () => {
  const line = fc.oneof(
    fc.string(),
    fc.string().map((text) => `u:$7$${text}`),
    fc.constant(`a:${argon2id}`),
  )
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const table = parsePasswords('f', lines.join('\n'))
      if (E.isLeft(table)) assert.ok(table.left.line > 0 && table.left.remedy.endsWith('.'))
    }),
    { numRuns: runs(1_000) },
  )
})

/** A clock that stands until it is moved on. */
class Clock {
  now = 0
  private readonly due: Array<{ readonly at: number; readonly act: () => void }> = []

  readonly later = (ms: number, act: () => void): () => void => {
    const one = { at: this.now + ms, act }
    this.due.push(one)
    return () => this.due.splice(this.due.indexOf(one), 1)
  }

  get waiting(): number {
    return this.due.length
  }

  async pass(ms: number): Promise<void> {
    this.now += ms
    for (const one of this.due.filter(({ at }) => at <= this.now)) {
      this.due.splice(this.due.indexOf(one), 1)
      one.act()
    }
    await turns()
  }
}

const judgeBy = (clock: Clock, names: ReadonlyArray<string> = ['a']) => {
  const hash: Argon2['hash'] = (password, wanted) =>
    Promise.resolve(password[0] === 0x79 /* y */ ? wanted.hash : new Uint8Array(32))
  const judge = judgeOf(read(names.map((name) => `${name}:${argon2id}\n`).join('')), {
    argon2: { hash, close: async () => {} },
    now: () => clock.now,
    later: clock.later,
  })
  /** What has been answered, and when. */
  const said: string[] = []
  const ask = async (userName: string, password: string, address: string): Promise<void> => {
    const asked = { ...question(userName, password), peer: { address, port: 50_000 } }
    void judge.judge(asked).then((reason) => {
      said.push(`${clock.now} ${userName} ${address} ${reason === 0 ? 'in' : reason}`)
    })
    await turns()
  }
  return { judge, said, ask }
}

const far = '192.0.2.7'

passwords('who says wrong passwords again and again waits longer for each answer', async () => {
  const clock = new Clock()
  const { said, ask } = judgeBy(clock)
  for (const ms of [0, 500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
    await ask('a', 'no', far)
    if (ms > 0) {
      const count = said.length
      await clock.pass(ms - 1)
      assert.is(said.length, count, `after ${ms - 1} ms`)
      await clock.pass(1)
    }
  }
  const times = said.map((one) => Number(one.split(' ')[0]))
  assert.equal(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 23_500])
})

passwords('the right password is answered at once, and what was wrong is forgotten', async () => {
  const clock = new Clock()
  const { said, ask } = judgeBy(clock)
  for (let i = 0; i < 4; i++) {
    await ask('a', 'no', far)
    await clock.pass(2_000)
  }
  said.length = 0
  // While a wrong one still waits for its answer: one device of many behind one address.
  await ask('a', 'no', far)
  await ask('a', 'yes', far)
  assert.equal(said, [`8000 a ${far} in`])
  await clock.pass(4_000)
  await ask('a', 'no', far)
  assert.equal(said.slice(1), [`12000 a ${far} ${NO}`, `12000 a ${far} ${NO}`])
  // An hour without a wrong one is as good.
  for (const [ms, count] of [[3_599_999, 1], [3_600_000, 2]] as const) {
    await clock.pass(ms)
    said.length = 0
    await ask('a', 'no', far)
    await ask('a', 'no', far)
    assert.is(said.length, count - 1)
  }
})

passwords(
  'three wrong ones wait at a time, and to more the server is busy',
  async () => {
    const clock = new Clock()
    const { said, ask } = judgeBy(clock, ['a', 'b'])
    for (let i = 0; i < 3; i++) {
      await ask('a', 'no', far)
      await clock.pass(8_000)
    }
    said.length = 0
    for (let i = 0; i < 3; i++) await ask('a', 'no', far)
    await ask('a', 'no', far)
    await ask('a', 'yes', far)
    assert.equal(said, [`24000 a ${far} ${BUSY}`, `24000 a ${far} ${BUSY}`])
    said.length = 0
    // Another user, another address and this machine itself are nobody's guesses.
    await ask('b', 'yes', far)
    await ask('a', 'yes', '192.0.2.8')
    assert.equal(said, [`24000 b ${far} in`, '24000 a 192.0.2.8 in'])
    for (let i = 0; i < 9; i++) await ask('a', 'no', i % 2 === 0 ? '127.0.0.1' : '::1')
    assert.is(said.length, 11)
    await clock.pass(8_000)
    assert.is(said.length, 14)
    await ask('a', 'yes', far)
    assert.is(said.length, 15)
    // Of many at once no more are tried than were under way when the third was found wrong.
    await ask('a', 'no', far)
    said.length = 0
    for (let i = 0; i < 30; i++) void ask('a', 'no', far)
    await turns()
    await turns()
    assert.ok(said.length >= 30 - 3 - 3, String(said.length))
    assert.ok(said.every((one) => one.endsWith(` ${BUSY}`)), said.join(', '))
  },
)

passwords('the same name at another listener is another user', async () => {
  const clock = new Clock()
  const { judge, said, ask } = judgeBy(clock)
  const table = read(`a:${argon2id}\n`)
  judge.replace(new Map([['1883', table], ['1884', table]]))
  await ask('a', 'no', far)
  const there = { ...question('a', 'yes', '1884'), peer: { address: far, port: 50_000 } }
  assert.is(await judge.judge(there), 0)
  await ask('a', 'no', far)
  assert.is(said.length, 1)
})

passwords('other tables forget who was wrong, and an end leaves nothing to wait for', async () => {
  const clock = new Clock()
  const { judge, said, ask } = judgeBy(clock)
  for (let i = 0; i < 3; i++) await ask('a', 'no', far)
  assert.is(said.length, 1)
  judge.replace(new Map([['1883', read(`a:${argon2id}\n`)]]))
  await ask('a', 'no', far)
  assert.is(said.length, 2)
  await ask('a', 'no', far)
  assert.is(said.length, 2)
  assert.is(clock.waiting, 3)
  await judge.close()
  assert.is(clock.waiting, 0)
})

passwords('who makes up names is remembered for no more than ten thousand of them', async () => {
  const clock = new Clock()
  const { said, ask } = judgeBy(clock)
  for (let i = 0; i < 10_001; i++) await ask(`u${i}`, 'no', far)
  assert.is(said.length, 10_001)
  await ask('u10000', 'no', far)
  assert.is(said.length, 10_001)
  await ask('u0', 'no', far)
  assert.is(said.length, 10_002)
})

passwords.run()
