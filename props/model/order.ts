// Where the standard leaves an order open and the broker has to have one: the order of copies for
// several subscriptions of one client, and of retained messages for one subscription.

import type { TopicFilter } from '../../core/topic/filter.ts'
import type { TopicName } from '../../core/topic/name.ts'

/** At each level `#` comes before the end of the filter, then a literal level, then `+`. */
const rank = (level: string | undefined): number =>
  level === '#' ? 0 : level === undefined ? 1 : level === '+' ? 3 : 2

/** Order of two filters that match one and the same name. */
export const byFilter = (a: TopicFilter, b: TopicFilter): number => {
  const one = a.split('/')
  const other = b.split('/')
  for (let i = 0; i < one.length || i < other.length; i++) {
    const difference = rank(one[i]) - rank(other[i])
    if (difference !== 0) return difference
  }
  return 0
}

const prefixesOf = (name: TopicName): Array<string> => {
  const levels = name.split('/')
  return levels.map((_, i) => levels.slice(0, i + 1).join('/'))
}

interface Named {
  readonly topic: TopicName
}

/** The prefixes of all these topics: old ones where they were, new ones at the end. */
export const grown = (
  old: ReadonlyArray<string>,
  messages: ReadonlyArray<Named>,
): ReadonlyArray<string> => {
  const all = new Set(messages.flatMap((one) => prefixesOf(one.topic)))
  const known = new Set(old)
  return [...old.filter((prefix) => all.has(prefix)), ...[...all].filter((one) => !known.has(one))]
}

/** A topic before those below it; siblings in the order in which their levels came to be. */
export const inOrder = <A extends Named>(
  messages: ReadonlyArray<A>,
  prefixes: ReadonlyArray<string>,
): ReadonlyArray<A> =>
  [...messages].sort((a, b) => {
    const one = prefixesOf(a.topic)
    const other = prefixesOf(b.topic)
    for (let i = 0; i < one.length && i < other.length; i++) {
      if (one[i] !== other[i]) return prefixes.indexOf(one[i]!) - prefixes.indexOf(other[i]!)
    }
    return one.length - other.length
  })
