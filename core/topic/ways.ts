// How far a search for the filters that match a name may have to go. It comes to a level once for
// each way to it, which is told by the levels where a `+` stood in for the name's own; and there
// are no ways but those of the filters that are there.

import type { Owner } from '../data/owner.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicFilter } from './filter.ts'

/** The ways of some filters. */
export interface Ways {
  /** How many filters have each. */
  readonly counts: StrMap.StrMap<number>
  /** Levels of all ways: a search visits no more, besides one for each level of the name. */
  readonly levels: number
}

export const none = (seed: number): Ways => ({ counts: StrMap.empty(seed), levels: 0 })

/** With a filter that was not there before. */
export const add = (ways: Ways, owner: Owner | null, filter: TopicFilter): Ways => {
  const { counts, levels } = ways
  const way = wayOf(filter)
  if (way === null) return ways
  const count = StrMap.get(counts, way) ?? 0
  return {
    counts: StrMap.set(counts, owner, way, count + 1),
    levels: count === 0 ? levels + levelsOf(way) : levels,
  }
}

/** Without a filter that was there. */
export const remove = (ways: Ways, owner: Owner | null, filter: TopicFilter): Ways => {
  const { counts, levels } = ways
  const way = wayOf(filter)
  if (way === null) return ways
  const count = StrMap.get(counts, way)!
  if (count > 1) return { counts: StrMap.set(counts, owner, way, count - 1), levels }
  if (StrMap.size(counts) === 1) return none(counts.seed)
  return { counts: StrMap.remove(counts, owner, way), levels: levels - levelsOf(way) }
}

/** A filter without its literal levels; null where it is of those alone, and searched by name. */
const wayOf = (filter: TopicFilter): string | null =>
  filter.includes('+') ? filter.replace(/[^/+]+/g, '') : null

const levelsOf = (way: string): number => way.split('/').length
