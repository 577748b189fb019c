// What of a replay is asked for, once its times are read.

import type { ReplayWish } from '../../core/config/replay-words.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { timeOf } from '../../core/trace/explain-time.ts'
import type { SpanWish } from '../../core/trace/span.ts'

/** What is wanted, with its times. */
export type ReplayAsked = ReplayWish & { readonly span: SpanWish }

/** Left: a sentence about what is wrong with them. */
export const spanOf = (wish: ReplayWish): Either<string, SpanWish> => {
  const from = wish.from === null ? E.right(null) : timeOf(wish.from)
  const until = wish.until === null ? E.right(null) : timeOf(wish.until)
  if (E.isLeft(from)) return from
  if (E.isLeft(until)) return until
  const isEmpty = from.right !== null && until.right !== null &&
    from.right._tag === until.right._tag && from.right.ms > until.right.ms
  return isEmpty
    ? E.left('--from is later than --until, and nothing lies between them.')
    : E.right({ from: from.right, until: until.right })
}
