// Which publications of many are told.

import type { Millis } from '../broker/input.ts'
import type { Publication } from './explain-facts.ts'

/** Those of one moment, which no time tells apart: the first of them and the last. */
class Moment {
  readonly at: Millis
  /** How far it is from the time that is asked for. */
  readonly far: number
  readonly some: Array<Publication>
  count = 1
  private readonly few: number

  constructor(first: Publication, wanted: Millis, few: number) {
    this.at = first.at
    this.far = Math.abs(first.at - wanted)
    this.some = [first]
    this.few = few
  }

  /** Answers what has to go for it. */
  add(publication: Publication): ReadonlyArray<Publication> {
    this.count += 1
    return this.some.splice(this.few - 1, 1, publication)
  }
}

/** Those at the beginning and the last one, or those of the moment that is nearest to a time. */
export class Wanted {
  readonly first: Array<Publication> = []
  last: Publication | null = null
  count = 0
  /** How many of them are older than what is played. */
  earlier = 0
  private readonly few: number
  private at: Millis | null
  /** The last moment before the time, and the first after it. */
  private before: Moment | null = null
  private after: Moment | null = null

  constructor(few: number, at: Millis | null) {
    this.few = few
    this.at = at
  }

  /** The time that is asked for is another one, now that the clock on the wall was set. */
  aim(at: Millis): void {
    this.at = at
  }

  /** Answers those that are told no more for it, which may be itself. */
  admit(publication: Publication): ReadonlyArray<Publication> {
    this.count += 1
    const { by } = publication
    if (by._tag === 'Earlier' && by.mountedAt === null) this.earlier += 1
    if (this.at !== null) return this.near(publication, this.at)
    if (this.first.length < this.few) {
      this.first.push(publication)
      return []
    }
    const out = this.last
    this.last = publication
    return out === null ? [] : [out]
  }

  private near(publication: Publication, at: Millis): ReadonlyArray<Publication> {
    const { before, after, few } = this
    const far = Math.abs(publication.at - at)
    if (publication.at > at) {
      if (after?.at === publication.at) return after.add(publication)
      if (after !== null && far > after.far) return [publication]
      this.after = new Moment(publication, at, few)
      return after?.some ?? []
    }
    // Of what is older nobody knows when it was, only that the last one was nearest.
    const isOlder = before?.some[0]?.by._tag === 'Earlier'
    if (before?.at === publication.at && !isOlder) return before.add(publication)
    if (before !== null && far > before.far) return [publication]
    this.before = new Moment(publication, at, few)
    return before?.some ?? []
  }

  private get nearest(): Moment | null {
    const { before, after } = this
    if (before === null || after === null) return before ?? after
    return before.far <= after.far ? before : after
  }

  /** How many there were in the moment that is told. */
  get together(): number {
    return this.nearest?.count ?? 0
  }

  /** What is told, in order. */
  shown(): ReadonlyArray<Publication> {
    if (this.at !== null) return this.nearest?.some ?? []
    return this.last === null ? this.first : [...this.first.slice(0, 1), this.last]
  }
}
