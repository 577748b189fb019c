// Who is heard from in a part of a recording: a client that pings, or speaks of other things, is
// there all the same, and would be missed by its Keep Alive where all that is left out. As much of
// it as that takes becomes a PINGREQ.

import { arrived } from '../broker/input.ts'
import type { Conn, Input } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import type { Packet } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import { Aliases } from './cut-acks.ts'
import type { Relevance } from './cut-relevance.ts'
import type { Batch } from './replay.ts'

type Arrived = Extract<Input, { readonly _tag: 'Arrived' }>

/** One connection. */
interface Pulse {
  readonly patienceMs: number
  /** When it is heard from last. */
  heardAt: number
  /** What is left out since. */
  left: Arrived | null
}

const patienceOf = ({ links }: State, { slot, generation }: Conn): number => {
  const link = IntMap.get(links, slot)
  const isThere = link?.conn.generation === generation && link.phase.phase === 'Ready'
  const keepAliveMs = isThere && link.phase.phase === 'Ready' ? link.phase.keepAliveMs : 0
  return keepAliveMs === 0 ? Infinity : keepAliveMs * 1.5
}

/** Whether it may be left out after all, since what it speaks of is. */
const isAnswer = ({ _tag }: Packet): boolean =>
  _tag === 'Puback' || _tag === 'Pubrec' || _tag === 'Pubrel' || _tag === 'Pubcomp'

/** What stands in the place of packets that are left out. */
export const beatsOf = (
  from: State,
  batches: ReadonlyArray<Batch>,
  relevance: Relevance,
): ReadonlyMap<Input, Input> => {
  const beats = new Map<Input, Input>()
  const pulses = new Map<number, Pulse>()
  const aliases = new Aliases()
  aliases.begin(from)
  const begin = (state: State, conn: Conn, heardAt: number): void => {
    if (!relevance.has(conn.generation)) return
    pulses.set(conn.generation, { patienceMs: patienceOf(state, conn), heardAt, left: null })
  }
  /** It has come to `at`: whoever would not have been heard from for too long is. */
  const pass = (pulse: Pulse, at: number): void => {
    const { left, patienceMs } = pulse
    if (left === null || at - pulse.heardAt < patienceMs) return
    beats.set(left, arrived(left.conn, left.at, { _tag: 'Pingreq' }))
    pulse.heardAt = left.at
    pulse.left = null
  }
  IntMap.each(from.links, ({ conn }) => begin(from, conn, from.now))
  for (const { inputs, after } of batches) {
    for (const input of inputs) {
      if (!('conn' in input)) continue
      const { conn: { generation }, at } = input
      const pulse = pulses.get(generation)
      if (pulse !== undefined) pass(pulse, at)
      if (input._tag !== 'Arrived') continue
      const { packet } = input
      if (packet._tag === 'Connect') begin(after, input.conn, at)
      if (pulse === undefined) continue
      const topic = packet._tag === 'Publish' ? aliases.topicOf(generation, packet) : ''
      if (isAnswer(packet) || !relevance.wants(generation, packet, topic)) pulse.left = input
      else {
        pulse.heardAt = at
        pulse.left = null
      }
    }
  }
  const endAt = batches.at(-1)?.after.now ?? from.now
  for (const pulse of pulses.values()) pass(pulse, endAt)
  return beats
}
