// Which publications of many are told.

import type { Millis } from '../broker/input.ts'
import type { Publication } from './explain-facts.ts'

/** Those at the beginning and the last one, or the one that is nearest to a time. */
export class Wanted {
  readonly first: Array<Publication> = []
  last: Publication | null = null
  count = 0
  /** How many of them are older than what is played. */
  earlier = 0
  private readonly few: number
  private readonly at: Millis | null

  constructor(few: number, at: Millis | null) {
    this.few = few
    this.at = at
  }

  admit(publication: Publication): Publication | null {
    this.count += 1
    if (publication.by._tag === 'Earlier') this.earlier += 1
    const out = this.last
    if (this.at !== null) {
      // The last before that time, and the first after it.
      if (publication.at > this.at) {
        if (out !== null) return publication
        this.last = publication
        return null
      }
      const before = this.first[0] ?? null
      this.first[0] = publication
      return before
    }
    if (this.first.length < this.few) {
      this.first.push(publication)
      return null
    }
    this.last = publication
    return out
  }

  /** What is told, in order. */
  shown(): ReadonlyArray<Publication> {
    const [before] = this.first
    if (this.at === null) {
      const first = this.last === null ? this.first : this.first.slice(0, 1)
      return this.last === null ? first : [...first, this.last]
    }
    if (before === undefined || this.last === null) {
      return before ? [before] : this.last ? [this.last] : []
    }
    return this.at - before.at <= this.last.at - this.at ? [before] : [this.last]
  }
}
