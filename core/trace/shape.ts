// The building blocks of the codecs of this folder: values as JSON and back, by io-ts, with three
// things that io-ts leaves open settled. Unknown keys are refused (a stripped key is a lost
// fact), a union is entered by its _tag (so that a fault names the field and not every arm), and
// a value that cannot stand in JSON (NaN, Infinity, undefined) is refused on both ways. Nothing
// here knows MQTT.

import * as Base64 from '../data/base64.ts'
import * as B from '../data/bytes.ts'
import type { Bytes } from '../data/bytes.ts'
import type { Either } from '../prelude.ts'
import { E, t } from '../prelude.ts'

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<Json>
  | { readonly [key: string]: Json }

/** How an A is written as JSON and read back. `encode` throws only where an A is no A. */
export type Codec<A> = t.Type<A, Json, unknown>

export type Fields<A> = { readonly [K in keyof A]-?: Codec<Exclude<A[K], undefined>> }

/** What was found, in few words and without quoting what might be a secret. */
const kind = (u: unknown): string =>
  u === null
    ? 'null'
    : Array.isArray(u)
    ? 'an array'
    : typeof u === 'number'
    ? String(u)
    : typeof u === 'object'
    ? 'an object'
    : typeof u === 'undefined'
    ? 'nothing'
    : `a ${typeof u}`

const wrong = <A>(u: unknown, context: t.Context, wanted: string): t.Validation<A> =>
  t.failure(u, context, `must be ${wanted}, is ${kind(u)}`)

/** A codec for values that are their own JSON, told by a predicate. */
const plain = <A extends Json>(wanted: string, is: (u: unknown) => u is A): Codec<A> =>
  new t.Type<A, Json, unknown>(
    wanted,
    is,
    (u, context) => is(u) ? t.success(u) : wrong(u, context, wanted),
    (a) => {
      if (!is(a)) throw new Error(`a trace value must be ${wanted}, is ${kind(a)}`)
      return a
    },
  )

export const text: Codec<string> = plain(
  'a string',
  (u: unknown): u is string => typeof u === 'string',
)

export const truth: Codec<boolean> = plain(
  'true or false',
  (u: unknown): u is boolean => typeof u === 'boolean',
)

/** A whole number from `min` to `max`, both included. */
export const whole = (min: number, max: number): Codec<number> =>
  plain(
    `a whole number from ${min} to ${max}`,
    (u: unknown): u is number =>
      typeof u === 'number' && Number.isSafeInteger(u) && u >= min && u <= max,
  )

export const byte: Codec<number> = whole(0, 0xff)
export const word: Codec<number> = whole(0, 0xffff)
export const long: Codec<number> = whole(0, 0xffffffff)
export const count: Codec<number> = whole(0, Number.MAX_SAFE_INTEGER)

/** One of a few strings or numbers. */
export const oneOf = <A extends string | number>(...some: ReadonlyArray<A>): Codec<A> =>
  plain(
    `one of ${some.map((a) => JSON.stringify(a)).join(', ')}`,
    (u: unknown): u is A => some.some((a) => a === u),
  )

/** The one string that names an arm of a union. */
export const tag = <A extends string>(name: A): Codec<A> => oneOf<A>(name)

/** A string that a predicate accepts. */
export const branded = <A extends string>(
  wanted: string,
  accepts: (text: string) => text is A,
): Codec<A> => plain(wanted, (u: unknown): u is A => typeof u === 'string' && accepts(u))

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === 'object' && u !== null && !Array.isArray(u)

const isBytes = (u: unknown): u is Bytes => isRecord(u) && u['buffer'] instanceof Uint8Array

/** Bytes as base64. */
export const bytes: Codec<Bytes> = new t.Type<Bytes, Json, unknown>(
  'bytes',
  isBytes,
  (u, context) => {
    if (typeof u !== 'string') return wrong(u, context, 'bytes in base64')
    const found = Base64.decode(u)
    return found === null ? wrong(u, context, 'bytes in base64') : t.success(found)
  },
  Base64.encode,
)

const blank = '***'

/**
 * Bytes that must never be written down. They become `"***"`, and are read back as no bytes at all:
 * that there was a secret remains, what it was does not. Nothing else is read.
 */
export const secret: Codec<Bytes> = new t.Type<Bytes, Json, unknown>(
  'a secret',
  isBytes,
  (u, context) => u === blank ? t.success(B.empty) : wrong(u, context, `"${blank}" for a secret`),
  () => blank,
)

export const nullable = <A>(codec: Codec<A>): Codec<A | null> =>
  new t.Type<A | null, Json, unknown>(
    `${codec.name} or null`,
    (u): u is A | null => u === null || codec.is(u),
    (u, context) => u === null ? t.success(null) : codec.validate(u, context),
    (a) => a === null ? null : codec.encode(a),
  )

export const list = <A>(codec: Codec<A>): Codec<ReadonlyArray<A>> =>
  new t.Type<ReadonlyArray<A>, Json, unknown>(
    `list of ${codec.name}`,
    (u): u is ReadonlyArray<A> => Array.isArray(u) && u.every(codec.is),
    (u, context) => {
      if (!Array.isArray(u)) return wrong(u, context, 'an array')
      const out: Array<A> = []
      for (let i = 0; i < u.length; i++) {
        const item: unknown = u[i]
        const found = codec.validate(item, t.appendContext(context, String(i), codec, item))
        if (E.isLeft(found)) return found
        out.push(found.right)
      }
      return t.success(out)
    },
    (a) => a.map(codec.encode),
  )

export const pair = <A, B>(first: Codec<A>, second: Codec<B>): Codec<readonly [A, B]> =>
  new t.Type<readonly [A, B], Json, unknown>(
    `${first.name} and ${second.name}`,
    (u): u is readonly [A, B] =>
      Array.isArray(u) && u.length === 2 && first.is(u[0]) && second.is(u[1]),
    (u, context) => {
      if (!Array.isArray(u) || u.length !== 2) return wrong(u, context, 'a pair')
      const items: ReadonlyArray<unknown> = u
      const a = first.validate(items[0], t.appendContext(context, '0', first, items[0]))
      if (E.isLeft(a)) return a
      const b = second.validate(items[1], t.appendContext(context, '1', second, items[1]))
      return E.isLeft(b) ? b : t.success([a.right, b.right])
    },
    ([a, b]) => [first.encode(a), second.encode(b)],
  )

// The type checker cannot follow a record that is built key by key from a table of codecs; this
// signature is where we vouch for it, and the round trip property is the proof.
type Loose = Codec<unknown>

const record = <A extends object>(
  name: string,
  table: Readonly<Record<string, Loose>>,
  complete: boolean,
  optional: ReadonlyArray<string> = [],
): Codec<A> => {
  const keys = Object.keys(table)
  const isKnown = (u: Readonly<Record<string, unknown>>, key: string): boolean =>
    Object.hasOwn(u, key) ? table[key]?.is(u[key]) ?? false : optional.includes(key)
  const decode = (u: unknown, context: t.Context): t.Validation<A> => {
    if (!isRecord(u)) return wrong(u, context, `an object (${name})`)
    // A record with every key is written in the table's order; one of few keys keeps its own order.
    const present = Object.keys(u)
    for (const key of present) {
      if (!Object.hasOwn(table, key)) {
        return t.failure(u, context, `has an unknown key ${JSON.stringify(key.slice(0, 40))}`)
      }
    }
    const out: Record<string, unknown> = {}
    for (const key of complete ? keys : present) {
      const codec = table[key]!
      if (!Object.hasOwn(u, key)) {
        if (optional.includes(key)) continue
        return t.failure(u, context, `lacks ${key}`)
      }
      const found = codec.validate(u[key], t.appendContext(context, key, codec, u[key]))
      if (E.isLeft(found)) return found
      out[key] = found.right
    }
    return t.success(out as A)
  }
  return new t.Type<A, Json, unknown>(
    name,
    (u): u is A =>
      isRecord(u) && (complete ? keys : Object.keys(u)).every((key) => isKnown(u, key)),
    decode,
    (a) => {
      const out: Record<string, Json> = {}
      for (const [key, value] of Object.entries(a)) {
        const codec = table[key]
        if (codec === undefined) throw new Error(`${name} has no ${key}`)
        out[key] = codec.encode(value)
      }
      return out
    },
  )
}

/** A record with exactly these keys. */
export const closed = <A extends object>(name: string, fields: Fields<A>): Codec<A> =>
  record<A>(name, fields as Readonly<Record<string, Loose>>, true)

/** The keys that an A may be without. */
type Missing<A> = { [K in keyof A]-?: object extends Pick<A, K> ? K : never }[keyof A] & string

/** A record with these keys, of which `optional` may be absent. */
export const partly = <A extends object>(
  name: string,
  fields: Fields<A>,
  optional: ReadonlyArray<Missing<A>>,
): Codec<A> => record<A>(name, fields as Readonly<Record<string, Loose>>, true, optional)

/** A record with any of these keys and no others, in the order in which it holds them. */
export const sparse = <A extends object>(name: string, fields: Fields<A>): Codec<A> =>
  record<A>(name, fields as Readonly<Record<string, Loose>>, false)

type Arms<A extends { readonly _tag: string }> = {
  readonly [K in A['_tag']]: Codec<Extract<A, { readonly _tag: K }>>
}

/** A union, entered by its _tag; every arm must have a codec. */
export const tagged = <A extends { readonly _tag: string }>(
  name: string,
  arms: Arms<A>,
): Codec<A> => {
  const table: Readonly<Record<string, unknown>> = arms
  // An arm is a codec of the whole union as long as it is only given values that bear its tag.
  const arm = (u: unknown): Codec<A> | undefined =>
    isRecord(u) && typeof u['_tag'] === 'string' && Object.hasOwn(table, u['_tag'])
      ? table[u['_tag']] as Codec<A>
      : undefined
  return new t.Type<A, Json, unknown>(
    name,
    (u): u is A => arm(u)?.is(u) ?? false,
    (u, context) => {
      const found = arm(u)
      if (found !== undefined) return found.validate(u, context)
      if (!isRecord(u)) return wrong(u, context, `an object (${name})`)
      const _tag = u['_tag']
      const at = t.appendContext(context, '_tag', text, _tag)
      return typeof _tag === 'string'
        ? t.failure(u, at, `names no ${name}: ${JSON.stringify(_tag.slice(0, 40))}`)
        : wrong(_tag, at, 'a string')
    },
    (a) => {
      const found = arm(a)
      if (found === undefined) throw new Error(`a ${name} has no arm ${a._tag}`)
      return found.encode(a)
    },
  )
}

/** `packet.requests[2].filter`, from the places io-ts went through. */
const path = (context: t.Context): string => {
  let found = ''
  for (const { key } of context) {
    if (key === '') continue
    if (/^[0-9]+$/.test(key)) found += `[${key}]`
    else found += found === '' ? key : `.${key}`
  }
  return found
}

/** Reads a JSON value; Left holds one sentence that names the place and what is wrong there. */
export const read = <A>(codec: Codec<A>, json: unknown): Either<string, A> => {
  const found = codec.decode(json)
  if (E.isRight(found)) return found
  const first = found.left[0]
  if (first === undefined) return E.left(`${codec.name} cannot be read`)
  const place = path(first.context)
  return E.left(`${place === '' ? codec.name : place} ${first.message ?? 'is not right'}`)
}
