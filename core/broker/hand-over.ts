// What a member of a shared group leaves behind goes to another member, oldest first, as long as
// there is one that would keep it; else it stays where it is.
//
// - QoS 1 that was sent and not acknowledged goes when the session ends, as section 4.8.2 of MQTT 5
//   wants it. While the session persists its messages wait for the client, which the standard
//   allows, unless those who are away come last or get nothing by configuration: then they go as
//   soon as the connection does, to members who are there.
// - QoS 2 that was sent is finished with this client [MQTT-4.8.2-4] or not at all [MQTT-4.8.2-5],
//   whether or not it has answered.
// - What still waits in the queue was begun with nobody, and goes in the same cases. It goes too
//   when the client leaves the group; what was sent is then finished with it [MQTT-3.10.4-3]
//   [v3 MQTT-3.10.4-3].
// - What the client has refused is gone already [MQTT-4.8.2-6].

import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import * as Window from '../data/window.ts'
import * as IntMap from '../data/int-map.ts'
import * as Tree from '../topic/tree.ts'
import { wantCatchUp } from './deliver.ts'
import { type Draft, type EditableSession, editSession } from './draft.ts'
import { groupOf, type SharedGroup } from './match.ts'
import { noteGone } from './journal.ts'
import { deliverKept, packetOf } from './route.ts'
import { pick } from './share.ts'
import { type Delivery, isDurable, isExpired, isSingle, type Session, type Share } from './state.ts'

/** Whether a member that loses its connection gives up at once what others could take. */
export const keepsNothingAway = (draft: Draft): boolean =>
  draft.config.sharedOrder === 'prefer online' || draft.config.sharedOffline === 'drop'

/** The groups looked up so far: nobody joins or leaves while messages change hands. */
type Known = Map<Share, SharedGroup | null>

const lookUp = (draft: Draft, share: Share): SharedGroup | null => {
  const subscribers = Tree.get(draft.filters.tree, share.filter)
  if (subscribers === undefined || isSingle(subscribers)) return null
  const group = StrMap.get(subscribers.groups, share.group)
  if (group === undefined) return null
  const { number, members } = groupOf(group)
  // When all connections end, nothing is passed on to those who are about to lose it.
  const lasting = draft.stopping
    ? members.filter((one) => isDurable(IntMap.get(draft.sessions, one.session)!))
    : members
  return lasting.length === 0 ? null : { number, members: lasting }
}

/** Gives a message to another member of its group; answers false where nobody would keep it. */
const give = (
  draft: Draft,
  { message }: Delivery,
  share: Share,
  onlyOnline: boolean,
  known: Known,
): boolean => {
  if (isExpired(message, draft.now)) return false // [MQTT-3.3.2-5]
  let group = known.get(share)
  if (group === undefined) {
    group = lookUp(draft, share)
    known.set(share, group)
  }
  if (group === null) return false
  const packet = packetOf(draft, message)
  const member = pick(draft, group, packet, onlyOnline)
  if (member === undefined) return false
  deliverKept(draft, message, packet, member)
  return true
}

const isSame = (one: Share, other: Share): boolean =>
  one.group === other.group && one.filter === other.filter

/** Gives away what waits in the queue and came through a group, or through this one. */
const giveQueued = (
  draft: Draft,
  session: EditableSession,
  only: Share | null,
  onlyOnline: boolean,
  known: Known,
): void => {
  // Mostly there is nothing of the kind, and a queue may be long.
  if (session.queuedShared === 0) return
  let kept: Queue.Queue<Delivery> = Queue.empty
  for (const delivery of Queue.entries(session.queue)) {
    const { share } = delivery.terms
    if (
      share !== null && (only === null || isSame(share, only)) &&
      give(draft, delivery, share, onlyOnline, known)
    ) {
      session.queuedBytes -= delivery.message.bytes
      if (delivery.terms.qos === 0) session.queuedQos0--
      session.queuedShared--
      noteGone(draft, session, delivery)
    } else kept = Queue.push(kept, draft.owner, delivery)
  }
  session.queue = kept
}

/**
 * A session ends and its subscriptions are gone; or only its connection did, and what can be given
 * to others who are there is.
 */
export const handOver = (draft: Draft, leaver: Session, onlyOnline: boolean): void => {
  if (Window.size(leaver.window) + Queue.size(leaver.queue) === 0) return
  const session = editSession(draft, leaver)
  const known: Known = new Map()
  for (const [packetId, outgoing] of [...Window.entries(session.window)]) {
    const { qos, share } = outgoing.terms
    if (qos === 2 || share === null) continue // [MQTT-4.8.2-5]
    if (outgoing.stage === 'released' || outgoing.stage === 'passing') continue
    if (!give(draft, outgoing, share, onlyOnline, known)) continue
    session.window = Window.remove(session.window, draft.owner, packetId)
    noteGone(draft, session, outgoing)
    if (outgoing.stage === 'waiting') session.waitingCount--
  }
  giveQueued(draft, session, null, onlyOnline, known)
}

/** The session has left the group: what it was not sent yet goes to others. */
export const handOverQueued = (draft: Draft, session: EditableSession, share: Share): void => {
  if (Queue.size(session.queue) === 0) return
  giveQueued(draft, session, share, false, new Map())
  // Retained messages may have waited for the queue to become shorter.
  if (session.conn !== null && Queue.size(session.catchUps) > 0) wantCatchUp(draft, session)
}
