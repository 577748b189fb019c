// What callers get wrong whom no types tell: which name or value it is, and what should be there.
// Nothing that is misspelt is passed over, since a test that it makes pass shows nothing.

import { nearNames } from '../../core/trace/near.ts'

/** What a value has to be, in words, and whether one is that. */
export interface Kind {
  readonly words: string
  readonly holds: (value: unknown) => boolean
  /** Whether it has to be there. */
  readonly isNeeded?: boolean
}

/** The names that a record of options may have, and what stands behind each. */
export type Shape<A> = { readonly [Name in keyof A]-?: Kind }

export type AnyShape = { readonly [name: string]: Kind }

const shownMax = 40

/** Something for people, no more of it than says what it is. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, shownMax))
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  const name = tagOf(value)
  if (name === 'Array') return 'a list'
  return name === 'Object' ? 'an object' : `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`
}

// What was made in another realm, as by a test runner that isolates its tests, has the same tag.
const tagOf = (value: unknown): string =>
  Object.prototype.toString.call(value).slice('[object '.length, -1)

const isPair = (it: unknown): boolean =>
  Array.isArray(it) && it.length === 2 && it.every((part) => typeof part === 'string')

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const flag: Kind = { words: 'true or false', holds: (it) => typeof it === 'boolean' }
export const text: Kind = { words: 'a string', holds: (it) => typeof it === 'string' }
/** An address or a path that is empty would be everywhere, or nothing. */
export const place: Kind = {
  words: 'a string with something in it',
  holds: (it) => typeof it === 'string' && it !== '',
}
export const list: Kind = { words: 'a list', holds: Array.isArray }
export const texts: Kind = {
  words: 'a list of strings',
  holds: (it) => Array.isArray(it) && it.every(text.holds),
}
export const places: Kind = {
  words: 'a list of strings with something in them',
  holds: (it) => Array.isArray(it) && it.every(place.holds),
}
export const record: Kind = { words: 'an object', holds: isRecord }
export const work: Kind = { words: 'a function', holds: (it) => typeof it === 'function' }
export const anything: Kind = { words: 'anything', holds: () => true }
export const payload: Kind = {
  words: 'a string or a Uint8Array',
  holds: (it) => text.holds(it) || octets.holds(it),
}
/** Bytes as everybody has them. */
export const octets: Kind = {
  words: 'a Uint8Array',
  holds: (it) => tagOf(it) === 'Uint8Array',
}
/** Bytes as the core has them. */
export const bytes: Kind = {
  words: 'an object with buffer, start and end',
  holds: (it) =>
    isRecord(it) && 'buffer' in it && octets.holds(it.buffer) && 'start' in it &&
    Number.isInteger(it.start) && 'end' in it && Number.isInteger(it.end),
}
/** A message as the core has them. */
export const message: Kind = {
  words: 'a packet with a topic, as Packet.publish makes them',
  holds: (it) =>
    isRecord(it) && '_tag' in it && it._tag === 'Publish' && 'topic' in it &&
    text.holds(it.topic) && it.topic !== '' && 'payload' in it && bytes.holds(it.payload) &&
    'properties' in it && isRecord(it.properties),
}
export const pairs: Kind = {
  words: 'a list of pairs of strings',
  holds: (it) => Array.isArray(it) && it.every(isPair),
}
export const number: Kind = {
  words: 'a number',
  holds: (it) => typeof it === 'number' && !Number.isNaN(it),
}

export const integer: Kind = { words: 'a whole number', holds: Number.isSafeInteger }

export const whole = (max: number, min = 0): Kind => ({
  words: `a whole number from ${min} to ${max}`,
  holds: (it) => Number.isInteger(it) && Number(it) >= min && Number(it) <= max,
})

export const wholes = (max: number): Kind => {
  const { words, holds } = whole(max)
  return {
    words: words.replace('a whole number', 'a list of whole numbers'),
    holds: (it) => Array.isArray(it) && it.every(holds),
  }
}

export const oneOf = (...values: ReadonlyArray<string | number>): Kind => ({
  words: `${values.slice(0, -1).map(shown).join(', ')} or ${shown(values.at(-1))}`,
  holds: (it) => values.some((value) => value === it),
})

/** A list of some of these, each once or more often. */
export const someOf = (...values: ReadonlyArray<string | number>): Kind => ({
  words: `a list of ${values.map(shown).join(', ')}`,
  holds: (it) => Array.isArray(it) && it.every((one) => values.includes(one)),
})

export const orNull = ({ words, holds }: Kind): Kind => ({
  words: `null or ${words}`,
  holds: (it) => it === null || holds(it),
})

export const needed = (kind: Kind): Kind => ({ ...kind, isNeeded: true })

/** Throws unless a value is what it has to be. */
export const checkValue = (what: string, { words, holds }: Kind, value: unknown): void => {
  if (!holds(value)) throw new TypeError(`${what} is ${words}, and not ${shown(value)}`)
}

// More names than this are not listed.
const listedMax = 30

/** Throws unless this is a record that has no names but these. */
export const checkNames = (what: string, it: unknown, names: ReadonlyArray<string>): void => {
  const there = names.length > listedMax
    ? ''
    : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
  if (!isRecord(it)) {
    throw new TypeError(`${what} takes an object with options, and not ${shown(it)}${there}`)
  }
  const wrong = Object.keys(it).find((name) => !names.includes(name))
  if (wrong === undefined) return
  const near = nearNames(wrong, names)
  const meant = near.length === 0 ? '' : `: did you mean ${near.join(' or ')}`
  throw new TypeError(`${what} takes no ${shown(wrong)}${meant}${there}`)
}

/** Throws unless a record has only the names of a shape, and behind each what belongs there. */
export const checkRecord = (what: string, shape: AnyShape, it: unknown): void => {
  const kinds = Object.entries(shape)
  checkNames(what, it, kinds.map(([name]) => name))
  const given = new Map<string, unknown>(Object.entries(Object(it)))
  for (const [name, kind] of kinds) {
    const value = given.get(name)
    // As if it had not been written.
    if (value !== undefined || kind.isNeeded) checkValue(`${what}: ${name}`, kind, value)
  }
}
