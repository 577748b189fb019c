// What a recording without payloads leaves open: whether a QoS 2 publish, under an identifier that
// was never released, is what is held there once more or another message of the same size. The
// broker asks the payload, and drops what it holds if it is another one: only one of the two comes
// to the digest that was recorded.

import type { Input } from '../broker/input.ts'
import { arrived } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import * as B from '../data/bytes.ts'
import * as Window from '../data/window.ts'
import { topicIn } from './explain-publish.ts'
import { sessionOf } from './facts.ts'

/** Another text of the same size, or what is no text where it was none. */
const unlike = (payload: B.Bytes): B.Bytes => {
  const bytes = B.view(payload).slice()
  bytes[0]! ^= 1
  return B.of(bytes)
}

/** The input read in the other way; null where there is one only. */
const otherwise = (before: State, input: Input): Input | null => {
  if (input._tag !== 'Arrived' || input.packet._tag !== 'Publish') return null
  const { conn, at, packet } = input
  if (packet.qos !== 2 || B.size(packet.payload) === 0) return null
  const session = sessionOf(before, conn)
  const held = session && Window.get(session.incoming, packet.packetId)?.message
  if (!held || B.size(held.payload) !== B.size(packet.payload)) return null
  if (held.topic !== topicIn(before, input)) return null
  const payload = B.equals(held.payload, packet.payload) ? unlike(held.payload) : held.payload
  return arrived(conn, at, { ...packet, payload })
}

/** The inputs of a run in every other way in which they may be read, one after the other. */
export function* otherReadings(
  before: State,
  inputs: ReadonlyArray<Input>,
  from = 0,
): Generator<ReadonlyArray<Input>> {
  let state = before
  for (let i = from; i < inputs.length; i++) {
    const input = inputs[i]!
    const other = otherwise(state, input)
    if (other !== null) {
      const changed = inputs.with(i, other)
      yield changed
      yield* otherReadings(step(state, other)[0], changed, i + 1)
    }
    state = step(state, input)[0]
  }
}
