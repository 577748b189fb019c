// What the answers to one question about a message are held against.

import type { Day } from './day.ts'
import type { Publications } from './publications.ts'
import type { Tally } from './tally.ts'
import type { ToldLosses } from './told-losses.ts'

export interface Account {
  readonly day: Day
  readonly publications: Publications
  readonly losses: ToldLosses
  readonly tally: Tally
  /** The topic of the question. */
  readonly asked: string
}
