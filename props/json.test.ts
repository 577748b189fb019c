// Inputs and effects are data. Each can be written as JSON, read back, and written again as the
// same text; nothing is lost but the secrets, which are blanked. What is not JSON of ours is
// refused with a sentence that names the place, and never with an exception.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import { ask } from '../core/broker/effect.ts'
import type { Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { Connect } from '../core/codec/packet.ts'
import { none } from '../core/codec/properties.ts'
import * as Base64 from '../core/data/base64.ts'
import type { Bytes } from '../core/data/bytes.ts'
import * as B from '../core/data/bytes.ts'
import { Packet } from '../core/mod.ts'
import type { Either } from '../core/prelude.ts'
import { E } from '../core/prelude.ts'
import type { Json } from '../core/trace/json.ts'
import {
  decodeConfig,
  decodeEffect,
  decodeInput,
  decodeNote,
  decodePacket,
  encodeConfig,
  encodeEffect,
  encodeInput,
  encodeNote,
  encodePacket,
} from '../core/trace/json.ts'
import * as gen from './gen/inputs.ts'
import { kinds, packet } from './gen/packets.ts'
import { runs } from './gen/settings.ts'

const json = suite('json')

const isBytes = (u: object): u is Bytes => 'buffer' in u && u.buffer instanceof Uint8Array

const secrets = new Set(['password', 'authenticationData', 'salt', 'signed', 'proof', 'signature'])

/** A value with its bytes as numbers and its secrets as the fact that there was one. */
const told = (u: unknown, key = ''): unknown => {
  if (typeof u !== 'object' || u === null) return u
  if (secrets.has(key)) return 'a secret'
  if (Array.isArray(u)) return u.map((item) => told(item))
  if (isBytes(u)) return [...B.view(u)]
  return Object.entries(u).map(([name, value]) => [name, told(value, name)])
}

const right = <A>(found: Either<string, A>): A => {
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

/** Writes, reads, and writes again: both texts are equal, and so are both values. */
const roundTrip = <A>(
  value: A,
  encode: (value: A) => Json,
  decode: (json: unknown) => Either<string, A>,
): A => {
  const written = encode(value)
  const line = JSON.stringify(written)
  const parsed: unknown = JSON.parse(line)
  assert.equal(parsed, written, 'JSON itself must lose nothing')
  const back = right(decode(parsed))
  // The order of keys is part of the value: properties stand in it on the wire.
  assert.is(JSON.stringify(told(back)), JSON.stringify(told(value)))
  assert.is(JSON.stringify(encode(back)), line)
  return back
}

/** Counts what was generated and fails where a kind never came up. */
const tally = (tags: ReadonlyArray<string>) => {
  const seen = new Map<string, number>(tags.map((tag) => [tag, 0]))
  return {
    count: (tag: string): void => {
      seen.set(tag, (seen.get(tag) ?? 0) + 1)
    },
    /** A short search, as when a failure is repeated, need not see everything. */
    atLeast: (floor: number): void => {
      const all = [...seen.values()].reduce((a, b) => a + b, 0)
      if (all < 1000) return
      for (const [tag, times] of seen) {
        assert.ok(times >= floor, `${tag} came up ${times} times, fewer than ${floor}`)
      }
    },
  }
}

json('decodeInput() reads what encodeInput() writes', () => {
  const tags = tally(gen.inputTags)
  fc.assert(
    fc.property(gen.input, (value) => {
      tags.count(value._tag)
      roundTrip(value, encodeInput, decodeInput)
    }),
    { numRuns: runs(1500) },
  )
  tags.atLeast(10)
})

json('decodeEffect() reads what encodeEffect() writes', () => {
  const tags = tally(gen.effectTags)
  fc.assert(
    fc.property(gen.effect, (value) => {
      tags.count(value._tag)
      roundTrip(value, encodeEffect, decodeEffect)
    }),
    { numRuns: runs(1500) },
  )
  tags.atLeast(10)
})

json('packets, notes and configurations survive too, every kind of them', () => {
  const tags = tally(kinds)
  for (const level of [3, 4, 5] as const) {
    fc.assert(
      fc.property(packet(level), (value) => {
        tags.count(value._tag)
        roundTrip(value, encodePacket, decodePacket)
      }),
      { numRuns: runs(500) },
    )
  }
  tags.atLeast(10)
  const notes = tally(gen.noteTags)
  fc.assert(
    fc.property(gen.note, (value) => {
      notes.count(value._tag)
      roundTrip(value, encodeNote, decodeNote)
    }),
    { numRuns: runs(1000) },
  )
  notes.atLeast(10)
  fc.assert(
    fc.property(gen.config, (value) => {
      roundTrip(value, encodeConfig, decodeConfig)
    }),
    { numRuns: runs(200) },
  )
})

type Path = ReadonlyArray<string | number>

/** All places in a JSON value, the root first. */
const places = (value: Json, at: Path = []): Array<Path> => {
  const found: Array<Path> = [at]
  if (Array.isArray(value)) {
    value.forEach((item: Json, index) => found.push(...places(item, [...at, index])))
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) found.push(...places(item, [...at, key]))
  }
  return found
}

const written = (path: Path): string =>
  path.map((key) => typeof key === 'number' ? `[${key}]` : `.${key}`).join('').replace(/^\./, '')

type Damage =
  | { readonly _tag: 'Replace'; readonly by: unknown }
  | { readonly _tag: 'Remove' }
  | { readonly _tag: 'Add'; readonly key: string }

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ _tag: fc.constant<'Remove'>('Remove') }),
  fc.record({
    _tag: fc.constant<'Add'>('Add'),
    key: fc.constantFrom('extra', '__proto__', 'Dup', 'toString', ''),
  }),
  fc.record({
    _tag: fc.constant<'Replace'>('Replace'),
    by: fc.oneof(
      fc.constantFrom(
        null,
        true,
        -1,
        1.5,
        1e300,
        NaN,
        Infinity,
        undefined,
        '',
        '#',
        'a/#/b',
        'Send',
        'A',
        'QQ=',
        'QR==',
        '\ud800',
        4,
        70_000,
      ),
      fc.jsonValue({ maxDepth: 1 }),
    ),
  }),
)

const damaged = (value: Json, path: Path, how: Damage): unknown => {
  const [key, ...rest] = path
  if (key !== undefined && rest.length === 0 && how._tag === 'Remove') {
    if (Array.isArray(value)) return value.filter((_, index) => index !== key)
    return Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => name !== key))
  }
  if (key !== undefined) {
    if (Array.isArray(value)) {
      return value.map((item: Json, index) => index === key ? damaged(item, rest, how) : item)
    }
    return Object.fromEntries(
      Object.entries(value ?? {}).map((
        [name, item]: [string, Json],
      ) => [name, name === key ? damaged(item, rest, how) : item]),
    )
  }
  if (how._tag === 'Replace') return how.by
  if (how._tag === 'Add' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    // As JSON.parse does it: an own key, also where it is __proto__.
    return Object.fromEntries([...Object.entries(value), [how.key, 1]])
  }
  return how._tag === 'Remove' ? undefined : value
}

/** Whether a sentence names a place on the way to, or below, where the damage is. */
const names = (sentence: string, path: Path): boolean => {
  const [place = ''] = sentence.split(' ')
  const at = written(path)
  // At the root there is no place to name; the sentence then begins with what it should have been.
  return /^[A-Z]/.test(place) || at.startsWith(place) || place.startsWith(at)
}

const damagedNeverThrows = <A>(
  value: A,
  where: number,
  how: Damage,
  encode: (value: A) => Json,
  decode: (json: unknown) => Either<string, A>,
): boolean => {
  const whole = encode(value)
  const all = places(whole)
  const path = all[where % all.length]!
  const bad = damaged(whole, path, how)
  const found = decode(bad)
  if (E.isRight(found)) {
    assert.equal(encode(found.right), bad, 'what is accepted means exactly what was written')
    return false
  }
  assert.match(found.left, /^[^\n]{3,600}$/)
  assert.ok(names(found.left, path), `"${found.left}" says nothing of ${written(path)}`)
  return true
}

json('damaged JSON is refused with a sentence that names the place, or still means itself', () => {
  let refused = 0
  let times = 0
  fc.assert(
    fc.property(gen.input, gen.effect, fc.nat(), damage, (input, effect, where, how) => {
      times += 2
      if (damagedNeverThrows(input, where, how, encodeInput, decodeInput)) refused++
      if (damagedNeverThrows(effect, where, how, encodeEffect, decodeEffect)) refused++
    }),
    { numRuns: runs(2000) },
  )
  if (times < 1000) return
  assert.ok(refused * 2 > times, `only ${refused} of ${times} were refused`)
})

json('any JSON at all gives Right or Left', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      decodeInput(value)
      decodeEffect(value)
      decodePacket(value)
      decodeNote(value)
      decodeConfig(value)
    }),
    { numRuns: runs(500) },
  )
})

const ticked = { _tag: 'Ticked', at: 1, wall: 2 }

const refusals: ReadonlyArray<readonly [what: string, json: unknown, sentence: string]> = [
  ['nothing', undefined, 'Input must be an object (Input), is nothing'],
  ['an unknown tag', { _tag: 'Tocked' }, '_tag names no Input: "Tocked"'],
  ['an inherited tag', { _tag: 'constructor' }, '_tag names no Input: "constructor"'],
  ['a key too many', { ...ticked, wal: 1 }, 'Input has an unknown key "wal"'],
  ['a key too few', { _tag: 'Ticked', at: 1 }, 'Input lacks wall'],
  [
    'NaN',
    { ...ticked, at: NaN },
    'at must be a whole number from 0 to 9007199254740991, is NaN',
  ],
  [
    'a place deep inside',
    {
      _tag: 'Arrived',
      conn: { slot: 0, generation: 1 },
      at: 0,
      packet: {
        _tag: 'Subscribe',
        packetId: 1,
        requests: [{
          filter: 'a/#/b',
          qos: 0,
          noLocal: false,
          retainAsPublished: false,
          retainHandling: 0,
        }],
        properties: {},
      },
    },
    'packet.requests[0].filter must be a topic filter, is a string',
  ],
]

for (const [what, value, sentence] of refusals) {
  json(`decodeInput() refuses ${what}`, () => {
    assert.equal(decodeInput(value), E.left(sentence))
  })
}

const connect: Connect = {
  _tag: 'Connect',
  level: 5,
  bridge: false,
  cleanStart: true,
  keepAliveS: 0,
  clientId: 'c',
  will: null,
  userName: 'u',
  password: B.of(new Uint8Array([0x68, 0x75, 0x6e, 0x74, 0x65, 0x72])),
  properties: { authenticationMethod: 'PLAIN', authenticationData: B.of(new Uint8Array([0x68])) },
}

const connIs = { slot: 0, generation: 1 }

json('a password is never written, though the fact that there was one is', () => {
  const input: Input = { _tag: 'Arrived', conn: connIs, at: 0, packet: connect }
  const line = JSON.stringify(encodeInput(input))
  assert.not.match(line, /aHVudGVy|hunter|aA==/)
  assert.match(line, /"password":"\*\*\*"/)
  assert.match(line, /"authenticationData":"\*\*\*"/)
  const back = right(decodeInput(JSON.parse(line)))
  assert.ok(back._tag === 'Arrived' && back.packet._tag === 'Connect')
  assert.equal(back.packet.password, B.empty)
  const asked = encodeEffect({
    _tag: 'Judge',
    conn: connIs,
    question: {
      listener: '1883',
      clientId: 'c',
      userName: 'u',
      password: connect.password,
      peer: { address: '::1', port: 1 },
    },
  })
  assert.not.match(JSON.stringify(asked), /aHVudGVy|hunter/)
  const without = encodePacket({ ...connect, password: null, properties: none })
  assert.match(JSON.stringify(without), /"password":null/)
})

json('a password in a trace is refused, and the refusal does not repeat it', () => {
  const bad = { ...(encodePacket(connect) as object), password: 'aHVudGVy' }
  assert.equal(
    decodePacket(bad),
    E.left('password must be "***" for a secret, is a string'),
  )
})

json('encodeInput() throws where a time is not a number: that fault is ours', () => {
  assert.throws(() => encodeInput({ _tag: 'Ticked', at: NaN, wall: 0 }), /is NaN/)
  assert.throws(() => encodeInput({ _tag: 'Ticked', at: Infinity, wall: 0 }), /is Infinity/)
  assert.throws(() => encodeInput({ _tag: 'Ticked', at: 0.5, wall: 0 }), /is 0.5/)
})

json('decodeConfig() wants every option', () => {
  for (const key of Object.keys(defaults)) {
    const some = Object.fromEntries(Object.entries(defaults).filter(([name]) => name !== key))
    assert.equal(decodeConfig(some), E.left(`Config lacks ${key}`))
  }
})

// RFC 4648, section 10.
json('nothing that authenticates somebody is written down', () => {
  const told = B.of(new TextEncoder().encode('secret of the house'))
  const conn = { slot: 0, generation: 0 }
  const written = JSON.stringify([
    encodeInput(I.answered(conn, 0, 'N', { _tag: 'ScramSalt', salt: told, iterations: 1 })),
    encodeInput(I.answered(conn, 0, 'N', { _tag: 'ScramSignature', signature: told })),
    encodeEffect(ask(conn, 'c', { address: '::1', port: 1 }, {
      _tag: 'ScramProof',
      userName: 'user',
      signed: told,
      proof: told,
    })),
    encodePacket({
      _tag: 'Auth',
      reason: 0x18,
      properties: { authenticationMethod: 'SCRAM-SHA-256', authenticationData: told },
    }),
    encodePacket({ ...Packet.connect({ clientId: 'c', userName: 'u' }), password: told }),
  ])
  assert.not.ok(written.includes(Base64.encode(told)))
  assert.is(written.split('"***"').length - 1, 6)
})

const vectors: ReadonlyArray<readonly [text: string, base64: string]> = [
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
]

json('base64 agrees with the vectors of its RFC', () => {
  for (const [text, base64] of vectors) {
    const bytes = B.of(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))
    assert.is(Base64.encode(bytes), base64)
    assert.ok(B.equals(Base64.decode(base64)!, bytes))
  }
})

json('base64 agrees with the platform, and no two texts mean the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000, size: 'max' }), (buffer) => {
      const text = Base64.encode(B.of(buffer))
      assert.is(text, btoa(Array.from(buffer, (code) => String.fromCharCode(code)).join('')))
      assert.equal(Base64.decode(text), B.of(buffer))
    }),
    { numRuns: runs(50) },
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 8, unit: fc.constantFrom('A', 'Q', 'g', '=', '/', '-') }), (
      text,
    ) => {
      const found = Base64.decode(text)
      if (found !== null) assert.is(Base64.encode(found), text)
    }),
    { numRuns: runs(2000) },
  )
})

json.run()
