// Who gets the packet at hand. Messages on one topic have the same receivers again and again; as
// long as they do, one and the same array stands for them, so that whoever carries out the
// effects can see at a glance that nothing has changed.

import type { Level, Publish } from '../codec/packet.ts'
import type { Conn } from './input.ts'
import type { Gist, Message } from './state.ts'

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

const newReceivers = (level: Level): Receivers => ({
  level,
  first: null,
  count: 0,
  last: [],
  list: null,
})

/** Adds one receiver. */
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

/**
 * Scratch for the message being routed: its variants are made when the first receiver needs them.
 */
export interface Routing {
  /** Receivers below level 5, and at it. */
  readonly receivers4: Receivers
  readonly receivers5: Receivers
  /** Whether it was published before, and may be older than what is retained for its topic. */
  isHandedOver: boolean
  /** The message in bytes of its own. */
  kept: Message | null
  /** What is left of it for those who are sent it once. */
  gist: Gist | null
  /** The packet as most receivers get it, QoS 0 and not retained, and its size. */
  live4: Publish | null
  bytes4: number
  live5: Publish | null
  bytes5: number
  /** Subscriptions whose copy was not turned away. */
  taken: number
}

export const newRouting = (): Routing => ({
  receivers4: newReceivers(4),
  receivers5: newReceivers(5),
  isHandedOver: false,
  kept: null,
  gist: null,
  live4: null,
  bytes4: 0,
  live5: null,
  bytes5: 0,
  taken: 0,
})
