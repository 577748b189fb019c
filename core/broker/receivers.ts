// Who gets the packet at hand. Messages on one topic have the same receivers again and again; as
// long as they do, one and the same array stands for them, so that whoever carries out the
// effects can see at a glance that nothing has changed.

import type { Level } from '../codec/packet.ts'
import type { Conn } from './input.ts'

/** The receivers of one packet at one level, gathered while routing. */
export interface Receivers {
  readonly level: Level
  first: Conn | null
  count: number
  /** Receivers of the multicast before this one; as long as they agree no array is made. */
  last: ReadonlyArray<Conn>
  /** Made at the first receiver that differs from `last`. */
  list: Conn[] | null
}

export const newReceivers = (level: Level): Receivers => ({
  level,
  first: null,
  count: 0,
  last: [],
  list: null,
})

export const gather = (receivers: Receivers, conn: Conn): void => {
  const count = receivers.count++
  if (count === 0) {
    receivers.first = conn
    return
  }
  if (count === 1) {
    const first = receivers.first!
    receivers.list = receivers.last[0] === first && receivers.last[1] === conn
      ? null
      : [first, conn]
    return
  }
  if (receivers.list !== null) receivers.list.push(conn)
  else if (receivers.last[count] !== conn) {
    receivers.list = receivers.last.slice(0, count)
    receivers.list.push(conn)
  }
}

/** The receivers as an array that nobody edits any more; there are at least two. */
export const release = (receivers: Receivers): ReadonlyArray<Conn> => {
  const { count, last } = receivers
  receivers.last = receivers.list ?? (last.length === count ? last : last.slice(0, count))
  return receivers.last
}
