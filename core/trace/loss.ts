// A message that a client was to get and does not. It is watched from the moment when the broker is
// given it: then it is sent at once, or it waits in the session, and what waits is sent one day.

import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import type { DropReason, Note } from '../broker/note.ts'
import type { Session, State } from '../broker/state.ts'
import type { Publish } from '../codec/packet.ts'
import * as B from '../data/bytes.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import type { TopicName } from '../topic/name.ts'
import { sessionFor } from './explain-facts.ts'
import { newIn } from './explain-places.ts'
import { topicIn } from './explain-publish.ts'
import { sessionOf } from './facts.ts'
import { isOn, sentTo, watching } from './watching.ts'
import type { Failing } from './watching.ts'

/** One step of the broker. */
interface Step {
  readonly before: State
  readonly input: Input
  readonly after: State
  readonly effects: ReadonlyArray<Effect>
}

interface Given {
  /** As the broker knows it, with a mount point that is in front of it. */
  readonly topic: TopicName
  readonly payload: Publish['payload']
  /** The session that it comes from; null for a command. */
  readonly by: Session | null
}

interface Awaited {
  readonly given: Given
  /** Its place in the line of the session; null where it has none. */
  readonly order: number | null
}

type Dropped = Extract<Note, { readonly _tag: 'Dropped' }>

const dropsIn = (effects: ReadonlyArray<Effect>): ReadonlyArray<Dropped> =>
  effects.flatMap((one) => one._tag === 'Note' && one.note._tag === 'Dropped' ? [one.note] : [])

/** What a publisher is at fault for, or has chosen: nobody was to get such a message. */
const ownFaults: ReadonlySet<DropReason> = new Set([
  'not allowed',
  'too large',
  'payload format invalid',
  'expired',
])

const isTaken = (conn: Conn | null, topic: string, effects: ReadonlyArray<Effect>): boolean =>
  !dropsIn(effects).some((one) =>
    one.clientId === null && one.topic === topic && ownFaults.has(one.why)
  ) &&
  !effects.some((one) =>
    one._tag === 'Note' && one.note._tag === 'ConnectionEnded' &&
    one.note.conn.generation === conn?.generation
  )

/** A message of QoS 2 is given when it is released: before, its publisher may take it back. */
const fromClient = ({ before, input, after }: Step): Given | null => {
  if (input._tag !== 'Arrived') return null
  const { conn, packet } = input
  const by = sessionOf(before, conn)
  if (by === undefined) return null
  if (packet._tag === 'Pubrel') {
    const message = Window.get(by.incoming, packet.packetId)?.message ?? null
    return message === null ? null : { topic: message.topic, payload: message.payload, by }
  }
  const topic = topicIn(before, input)
  if (packet._tag !== 'Publish' || topic === null) return null
  const later = packet.qos === 2 ? sessionOf(after, conn) : undefined
  const isHeld = later !== undefined && Window.get(later.incoming, packet.packetId) !== undefined
  return isHeld ? null : { topic, payload: packet.payload, by }
}

const fromCommand = ({ input }: Step): Given | null => {
  if (input._tag !== 'Commanded' || input.command._tag !== 'Publish') return null
  const { topic, payload } = input.command.packet
  return topic === '' ? null : { topic, payload, by: null }
}

/** The message that the broker is given in a step, and takes. */
const givenIn = (step: Step): Given | null => {
  const given = fromClient(step) ?? fromCommand(step)
  const conn = 'conn' in step.input ? step.input.conn : null
  return given !== null && isTaken(conn, given.topic, step.effects) ? given : null
}

/** Of what is shared another member may have got it: only a drop says that it was this one's. */
const wants = (session: Session, { topic, by }: Given): boolean => {
  for (const [, { filter, share, noLocal }] of StrMap.entries(session.subscriptions)) {
    const isOwn = noLocal && by?.number === session.number
    if (share === null && !isOwn && match(filter, topic)) return true
  }
  return false
}

/** A topic as the client sees it; '' for one that it cannot see. */
const seenBy = ({ mountPoint }: Session, topic: string): string =>
  topic.startsWith(mountPoint) ? topic.slice(mountPoint.length) : ''

/** Its topic is another one for the client behind a mount point, and none where an alias is. */
const isCopy = (session: Session, { topic, payload }: Given, sent: Publish): boolean =>
  (sent.topic === '' || sent.topic === seenBy(session, topic)) && B.equals(payload, sent.payload)

/** Those that none of the packets is: each packet is one message. */
const unsent = (
  session: Session,
  awaited: ReadonlyArray<Awaited>,
  packets: ReadonlyArray<Publish>,
): ReadonlyArray<Awaited> => {
  const left = [...packets]
  return awaited.filter(({ given }) => {
    const at = left.findIndex((packet) => isCopy(session, given, packet))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** The place of a message that has come into the session in this step, by what is its own. */
const orderIn = (session: Session, since: number, { topic, payload }: Given): number | null => {
  for (const [{ order, stage, message, terms }] of newIn(session, since)) {
    if (stage === 'passing' || message.topic !== topic || terms.share !== null) continue
    if (B.equals(message.payload, payload)) return order
  }
  return null
}

/** The places of what has not been sent. */
const queuedIn = ({ queue }: Session): ReadonlySet<number | null> =>
  new Set([...Queue.entries(queue)].map(({ order }) => order))

/** The places of what is sent again to who comes back; what is passing was sent, if ever it is. */
const keptIn = ({ window }: Session): ReadonlySet<number | null> =>
  new Set(
    [...Window.entries(window)].flatMap(([, { order, stage }]) =>
      stage === 'open' || stage === 'waiting' ? [order] : []
    ),
  )

/** Which of the messages still wait, and which are gone without having been sent. */
const settle = (
  session: Session,
  awaited: ReadonlyArray<Awaited>,
  sent: ReadonlyArray<Publish>,
): { readonly waiting: ReadonlyArray<Awaited>; readonly gone: ReadonlyArray<Awaited> } => {
  const [queued, kept] = [queuedIn(session), keptIn(session)]
  // What is in the queue was not sent, whatever else says the same.
  const left = unsent(session, awaited.filter(({ order }) => !queued.has(order)), sent)
  return {
    waiting: [
      ...left.filter(({ order }) => kept.has(order)),
      ...awaited.filter(({ order }) => queued.has(order)),
    ],
    gone: left.filter(({ order }) => !kept.has(order)),
  }
}

/**
 * Whether the broker is right to drop it: a client may not read everything, and is not kept QoS 0
 * for while it is away. (A message that its publisher gave up counts under the publisher's name.)
 */
const isRightly = ({ why, qos }: Dropped): boolean =>
  why === 'not allowed' || why === 'session ended' || (why === 'offline' && qos === 0)

/**
 * A message is lost that the broker was given and took, from a connected client or a command, on a
 * topic that the client's session had subscribed to then, if it is not sent to the client, and does
 * not wait for it in its queue or window either. It is lost as soon as the broker says that it
 * dropped a message on the topic for the client, or when what has waited is gone without having
 * been sent. What a session is owed when it ends, ends with it and is not lost.
 */
export const notDelivered = (client: string, filter: TopicFilter): Failing =>
  watching(() => {
    let waiting: ReadonlyArray<Awaited> = []
    return (before, input, after, effects) => {
      const was = sessionFor(before, client)
      const is = sessionFor(after, client)
      if (was === undefined) return false
      const drops = dropsIn(effects).filter((one) => one.clientId === client)
      if (drops.some((one) => !isRightly(one) && isOn(filter, seenBy(was, one.topic)))) return true
      if (is === undefined || is.number !== was.number) {
        waiting = []
        return false
      }
      const given = givenIn({ before, input, after, effects })
      const isNew = given !== null && isOn(filter, seenBy(was, given.topic)) && wants(was, given)
      if (!isNew && (waiting.length === 0 || was === is)) return false
      const all = isNew
        ? [...waiting, { given, order: orderIn(is, was.nextOrder, given) }]
        : waiting
      const found = settle(is, all, sentTo(client, [before, after], effects))
      waiting = found.waiting
      return found.gone.some(({ given }) => !drops.some(({ topic }) => topic === given.topic))
    }
  })
