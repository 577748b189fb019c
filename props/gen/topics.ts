// Topic names and topic filters at random: small alphabets, so that they meet, and pairs of a
// filter and a name that match by the way they were made.

import fc from 'fast-check'
import { isTopicFilter } from '../../core/topic/filter.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { isTopicName } from '../../core/topic/name.ts'
import type { TopicName } from '../../core/topic/name.ts'

/** For texts that a test knows to be sound; throws where it was wrong. */
export const name = (text: string): TopicName => {
  if (!isTopicName(text)) throw new Error(`not a topic name: ${JSON.stringify(text)}`)
  return text
}

/** For texts that a test knows to be sound; throws where it was wrong. */
export const filter = (text: string): TopicFilter => {
  if (!isTopicFilter(text)) throw new Error(`not a topic filter: ${JSON.stringify(text)}`)
  return text
}

const isLevel = (text: string): boolean => !text.includes('/') && (text === '' || isTopicName(text))

/** One level of a name: mostly one of a few, among them the empty one and ones like `$SYS`. */
export const level: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c', 'temp', 'é', '') },
  { weight: 2, arbitrary: fc.constantFrom('$SYS', '$', '__proto__', 'a-level-of-more-than-12') },
  { weight: 4, arbitrary: fc.nat(40).map((n) => `dev${n}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 5 }).filter(isLevel) },
)

const levels = (count: number): fc.Arbitrary<string[]> =>
  fc.array(level, { minLength: 1, maxLength: count })

export const names: fc.Arbitrary<TopicName> = levels(5)
  .map((parts) => parts.join('/'))
  .filter(isTopicName)

const wildLevel: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: level },
  { weight: 1, arbitrary: fc.constant('+') },
)

/** Filters that know nothing of any name. */
export const filters: fc.Arbitrary<TopicFilter> = fc
  .tuple(fc.array(wildLevel, { maxLength: 5 }), fc.boolean())
  .map(([parts, hash]) => (hash ? [...parts, '#'] : parts).join('/'))
  .filter(isTopicFilter)

export interface Pair {
  readonly filter: TopicFilter
  readonly name: TopicName
}

/** A name, and a filter made of it by putting `+` for some levels and `#` for some last ones. */
export const matchingPairs: fc.Arbitrary<Pair> = fc
  .tuple(names, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), fc.option(fc.nat(5)))
  .map(([topic, plus, cut]) => {
    const parts = topic.split('/').map((part, i) => plus[i] === true ? '+' : part)
    // A wildcard must not stand for a first level with a dollar sign.
    const isDollar = topic.startsWith('$')
    if (isDollar) parts[0] = topic.split('/')[0]!
    const wanted = cut === null ? parts : [...parts.slice(0, isDollar ? cut + 1 : cut), '#']
    return { filter: wanted.join('/'), name: topic }
  })
  .filter((pair): pair is Pair => isTopicFilter(pair.filter))

/** A filter and a name that would match, were it not for one thing. */
export const nearMisses: fc.Arbitrary<Pair> = fc
  .tuple(names, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), fc.nat(4), fc.nat(3))
  .map(([topic, plus, at, kind]) => {
    const parts = topic.split('/')
    const wanted = parts.map((part, i) => plus[i] === true ? '+' : part)
    const i = at % parts.length
    if (kind === 0) {
      // One level is another.
      wanted[i] = `${parts[i]}x`
    } else if (kind === 1) {
      // One level too many.
      wanted.push('+')
    } else if (kind === 2) {
      // One level too few.
      wanted.pop()
    } else {
      // A wildcard for a first level with a dollar sign.
      wanted[0] = plus[0] === true ? '+' : '#'
      return { filter: plus[0] === true ? wanted.join('/') : '#', name: `$${topic}` }
    }
    return { filter: wanted.join('/'), name: topic }
  })
  .filter((pair): pair is Pair => isTopicFilter(pair.filter) && isTopicName(pair.name))
