// Follows the publications to one topic through a recording, step by step: which copies there are,
// and what becomes of each. A copy that waits is known by its session and its place in the line
// there, one that is sent at once by its payload, which is one and the same object.

import type { Conn } from '../broker/input.ts'
import type { DropReason } from '../broker/note.ts'
import type { Delivery, Message, Outgoing, Session, State } from '../broker/state.ts'
import type { Publish } from '../codec/packet.ts'
import * as B from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as Window from '../data/window.ts'
import type { TopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'
import { isSameShare, receiversIn } from './explain-facts.ts'
import type { Copy, Moment, Publication } from './explain-facts.ts'
import { publicationsIn } from './explain-publish.ts'
import { sessionOf } from './facts.ts'

/** Which publications are kept; those that are not may be forgotten at once. */
export interface Shelf {
  /** Takes one in; answers what has to go for it, which may be the new one itself. */
  readonly admit: (publication: Publication) => Publication | null
}

type Place =
  | { readonly _tag: 'Queue' }
  | { readonly _tag: 'Window'; readonly packetId: number; readonly outgoing: Outgoing }

/** Where a copy is in its session; null where it is not in it. */
const placeOf = (session: Session, { order, packetId, share }: Copy): Place | null => {
  if (order === null) return null
  if (packetId > 0) {
    const outgoing = Window.get(session.window, packetId)
    return outgoing?.order === order ? { _tag: 'Window', packetId, outgoing } : null
  }
  const head = Queue.peek(session.queue)
  const last = Queue.last(session.queue)
  if (head !== undefined && last !== undefined && head.order <= order && order <= last.order) {
    // Only what others of a group can have leaves from the middle of the queue.
    if (share === null) return { _tag: 'Queue' }
    for (const one of Queue.entries(session.queue)) {
      if (one.order === order) return { _tag: 'Queue' }
    }
  }
  for (const [id, outgoing] of Window.entries(session.window)) {
    if (outgoing.order === order) return { _tag: 'Window', packetId: id, outgoing }
  }
  return null
}

/** The copies of a session that are in it and were not before, by their places in the line. */
const newIn = (session: Session, since: number): ReadonlyArray<readonly [Delivery, number]> => {
  const found: Array<readonly [Delivery, number]> = []
  for (const [packetId, one] of Window.entries(session.window)) {
    if (one.order >= since && one.stage !== 'released') found.push([one, packetId])
  }
  const last = Queue.last(session.queue)
  if (last === undefined || last.order < since) return found
  for (const one of Queue.entries(session.queue)) if (one.order >= since) found.push([one, 0])
  return found
}

export class Tracker {
  readonly topic: TopicName
  private readonly shelf: Shelf
  private readonly kept = new Set<Publication>()
  private readonly open = new Set<Copy>()
  private readonly copies = new Map<string, Copy>()
  /** Publications by their messages and payloads. */
  private readonly marks = new WeakMap<object, Publication>()
  private readonly owners = new WeakMap<Copy, Publication>()

  constructor(topic: TopicName, shelf: Shelf) {
    this.topic = topic
    this.shelf = shelf
  }

  /** What is there when the recording begins. */
  begin(state: State): void {
    IntMap.each(state.sessions, (session) => {
      for (const [, { message }] of Window.entries(session.incoming)) {
        if (message?.topic === this.topic) this.earlier(message, state)
      }
      for (const [delivery, packetId] of newIn(session, 0)) {
        if (delivery.message.topic !== this.topic) continue
        const publication = this.known(delivery.message) ?? this.earlier(delivery.message, state)
        if (publication !== null) this.add(publication, session, delivery, packetId, state.now)
      }
    })
    const retained = Tree.get(state.retained, this.topic)
    if (retained !== undefined && this.known(retained) === null) this.earlier(retained, state)
  }

  step(moment: Moment): void {
    const fresh = this.find(moment)
    const { before, after } = moment
    if (fresh.length > 0) {
      const receivers = new Set([
        ...receiversIn(before, this.topic),
        ...receiversIn(after, this.topic),
      ])
      for (const number of receivers) this.scan(number, moment, fresh)
      const retained = Tree.get(after.retained, this.topic)
      if (retained !== undefined && retained !== Tree.get(before.retained, this.topic)) {
        const publication = this.known(retained) ??
          (fresh.length === 1 && fresh[0]!.retain ? fresh[0]! : null)
        if (publication !== null) this.mark(publication, retained, retained.payload)
      }
    }
    if (this.kept.size === 0) return
    this.catchUp(moment, fresh)
    const gone = this.gone(moment)
    for (const copy of gone) {
      if (copy.share === null) continue
      for (const number of receiversIn(before, this.topic)) this.scan(number, moment, fresh)
      for (const number of receiversIn(after, this.topic)) this.scan(number, moment, fresh)
      break
    }
    this.sends(moment, fresh, gone)
    this.close(moment, gone)
  }

  private mark(publication: Publication, ...some: ReadonlyArray<object>): void {
    // All that is empty is one and the same.
    for (const one of some) if (one !== B.empty) this.marks.set(one, publication)
  }

  private known(message: Message): Publication | null {
    const found = this.marks.get(message) ?? this.marks.get(message.payload)
    return found !== undefined && this.kept.has(found) ? found : null
  }

  private admit(publication: Publication): boolean {
    this.kept.add(publication)
    const out = this.shelf.admit(publication)
    if (out === null) return true
    this.kept.delete(out)
    for (const copy of out.copies) {
      this.open.delete(copy)
      if (copy.order !== null) this.copies.delete(`${copy.session} ${copy.order}`)
    }
    return out !== publication
  }

  private earlier(message: Message, { now }: State): Publication | null {
    const publication: Publication = {
      topic: message.topic,
      by: { _tag: 'Earlier' },
      at: now,
      qos: message.qos,
      retain: message.retain,
      bytes: message.payload.end - message.payload.start,
      moment: null,
      held: null,
      releasedAt: null,
      again: 0,
      copies: [],
    }
    if (!this.admit(publication)) return null
    this.mark(publication, message, message.payload)
    return publication
  }

  /** Those that are routed in this step, of those that are kept. */
  private find(moment: Moment): ReadonlyArray<Publication> {
    const fresh: Array<Publication> = []
    for (const found of publicationsIn(this.topic, moment)) {
      if (found._tag === 'New') {
        if (!this.admit(found.publication)) continue
        this.mark(found.publication, ...found.marks)
        if (found.publication.held === null) fresh.push(found.publication)
        continue
      }
      const publication = this.known(found.message)
      if (publication === null) continue
      if (found._tag === 'Again') publication.again += 1
      else {
        publication.releasedAt = moment.after.now
        publication.moment = moment
        fresh.push(publication)
      }
    }
    return fresh
  }

  private add(
    publication: Publication,
    session: Session,
    { order, terms }: Delivery,
    packetId: number,
    at: number,
  ): Copy {
    const { clientId, number } = session
    const copy: Copy = {
      clientId,
      session: number,
      order,
      qos: terms.qos,
      share: terms.share,
      isRetained: terms.retain,
      packetId,
      isOpen: true,
      events: packetId === 0 ? [{ _tag: 'Queued', at }] : [],
    }
    publication.copies.push(copy)
    this.copies.set(`${number} ${order}`, copy)
    this.owners.set(copy, publication)
    this.open.add(copy)
    return copy
  }

  /** Takes up the copies that a session has got in this step. */
  private scan(
    number: number,
    { input, before, after }: Moment,
    fresh: ReadonlyArray<Publication>,
  ) {
    const session = IntMap.get(after.sessions, number)
    const old = IntMap.get(before.sessions, number)
    if (session === undefined || session === old) return
    for (const [delivery, packetId] of newIn(session, old?.nextOrder ?? 0)) {
      const { message, order } = delivery
      if (message.topic !== this.topic || this.copies.has(`${number} ${order}`)) continue
      let publication = this.known(message)
      if (publication === null && fresh.length > 0) {
        // A message that the broker has made of the packet in this step.
        const isPacket = input._tag === 'Arrived' || input._tag === 'Commanded'
        const some = isPacket ? fresh[0]! : fresh.find(({ bytes }) => bytes === 0)
        const isIt = some !== undefined && some.bytes === B.size(message.payload)
        publication = isIt ? some : null
        if (publication !== null) this.mark(publication, message, message.payload)
      }
      if (publication !== null) this.add(publication, session, delivery, packetId, after.now)
    }
  }

  /** Copies of what is retained, which come without a publication. */
  private catchUp(moment: Moment, fresh: ReadonlyArray<Publication>): void {
    const { input, before } = moment
    if (input._tag === 'Arrived' && input.packet._tag === 'Subscribe') {
      const session = sessionOf(before, input.conn)
      if (session !== undefined) this.scan(session.number, moment, fresh)
    } else if (input._tag === 'Ticked') {
      for (const number of Queue.entries(before.catching)) this.scan(number, moment, fresh)
    }
  }

  /** Open copies that are in their sessions no more; those that moved on are noted. */
  private gone({ input, before, after }: Moment): ReadonlyArray<Copy> {
    const gone: Array<Copy> = []
    for (const copy of this.open) {
      const session = IntMap.get(after.sessions, copy.session)
      if (session === IntMap.get(before.sessions, copy.session) && session !== undefined) continue
      const place = session === undefined ? null : placeOf(session, copy)
      if (place === null) {
        gone.push(copy)
        continue
      }
      if (place._tag === 'Queue') continue
      copy.packetId = place.packetId
      const isPubrec = input._tag === 'Arrived' && input.packet._tag === 'Pubrec'
      if (
        place.outgoing.stage === 'released' && isPubrec &&
        !copy.events.some(({ _tag }) => _tag === 'Received')
      ) copy.events.push({ _tag: 'Received', at: after.now })
    }
    return gone
  }

  private sends(
    moment: Moment,
    fresh: ReadonlyArray<Publication>,
    gone: ReadonlyArray<Copy>,
  ): void {
    for (const effect of moment.effects) {
      if (effect._tag === 'Send' && effect.packet._tag === 'Publish') {
        this.sent(moment, effect.conn, effect.packet, fresh, gone)
      } else if (effect._tag === 'Multicast' && effect.packet._tag === 'Publish') {
        for (const conn of effect.conns) this.sent(moment, conn, effect.packet, fresh, gone)
      }
    }
  }

  private sent(
    moment: Moment,
    conn: Conn,
    packet: Publish,
    fresh: ReadonlyArray<Publication>,
    gone: ReadonlyArray<Copy>,
  ): void {
    const { input, before, after } = moment
    const [only] = fresh
    if (input._tag === 'Commanded' && input.command._tag === 'Publish' && only !== undefined) {
      // The broker's own message has bytes of its own, and there is no other in the step.
      this.mark(only, packet.payload)
    }
    const isLess = packet.payload.start === packet.payload.end
    const marked = this.marks.get(packet.payload)
    if (!isLess && (marked === undefined || !this.kept.has(marked))) return
    const session = sessionOf(after, conn) ?? sessionOf(before, conn)
    if (session === undefined) return
    const { packetId, qos, retain, dup } = packet
    const at = after.now
    const event = { _tag: 'Sent', at, packetId, again: dup, qos, retain } as const
    // Its connection may have ended in this step, and the session with it.
    const order = qos === 0
      ? undefined
      : orderOf(IntMap.get(after.sessions, session.number), packetId) ??
        orderOf(IntMap.get(before.sessions, session.number), packetId)
    const waiting = order === undefined
      ? gone.find((copy) =>
        copy.session === session.number && copy.qos === qos && !copy.events.some(isSent) &&
        (isLess ? this.owners.get(copy)?.bytes === 0 : this.owners.get(copy) === marked)
      )
      : this.copies.get(`${session.number} ${order}`)
    if (waiting !== undefined) {
      waiting.events.push(event)
      if (qos === 0) this.shut(waiting)
      return
    }
    const publication = marked !== undefined && this.kept.has(marked)
      ? marked
      : order === undefined
      ? fresh.find(({ bytes }) => bytes === 0)
      : undefined
    if (publication === undefined) return
    const copy: Copy = {
      clientId: session.clientId,
      session: session.number,
      order: null,
      qos,
      share: null,
      isRetained: !fresh.includes(publication),
      packetId,
      isOpen: false,
      events: [event],
    }
    if (qos > 0) {
      copy.events.push({ _tag: 'SessionEnded', at, why: whyEnded(moment, session.clientId) })
    }
    publication.copies.push(copy)
  }

  private shut(copy: Copy): void {
    copy.isOpen = false
    this.open.delete(copy)
  }

  /** Says why each copy that is gone is so. */
  private close(moment: Moment, gone: ReadonlyArray<Copy>): void {
    const { input, after } = moment
    const at = after.now
    const drops = new Map<string, Array<DropReason>>()
    for (const copy of gone) {
      if (!copy.isOpen) continue
      this.shut(copy)
      const answer = input._tag === 'Arrived' ? input.packet : null
      const by = 'conn' in input ? sessionOf(moment.before, input.conn)?.number : undefined
      if (
        by === copy.session && copy.packetId > 0 &&
        (answer?._tag === 'Puback' || answer?._tag === 'Pubrec' || answer?._tag === 'Pubcomp') &&
        answer.packetId === copy.packetId
      ) {
        const word = { Puback: 'PUBACK', Pubrec: 'PUBREC', Pubcomp: 'PUBCOMP' } as const
        copy.events.push({ _tag: 'Answered', at, by: word[answer._tag], reason: answer.reason })
        continue
      }
      const taken = copy.share === null ? [] : this.takers(copy, at)
      if (taken.length > 0) {
        copy.events.push({ _tag: 'HandedOver', at, to: taken })
        continue
      }
      const left = drops.get(copy.clientId) ?? dropsFor(moment, copy.clientId, this.topic)
      drops.set(copy.clientId, left)
      const why = left.shift()
      if (why !== undefined) copy.events.push({ _tag: 'Dropped', at, why, moment })
      else {
        const ended = whyEnded(moment, copy.clientId)
        copy.events.push({ _tag: 'SessionEnded', at, why: ended })
      }
    }
  }

  /** Who else of the group has got the message in this step. */
  private takers(copy: Copy, at: number): ReadonlyArray<string> {
    const copies = this.owners.get(copy)?.copies ?? []
    const later = copies.slice(copies.indexOf(copy) + 1)
    return later.filter((other) =>
      other.session !== copy.session && other.events[0]?.at === at &&
      (other.share === null || isSameShare(other.share, copy.share))
    ).map(({ clientId }) => clientId)
  }
}

const isSent = ({ _tag }: Copy['events'][number]): boolean => _tag === 'Sent'

const orderOf = (session: Session | undefined, packetId: number): number | undefined =>
  session === undefined ? undefined : Window.get(session.window, packetId)?.order

const dropsFor = ({ effects }: Moment, clientId: string, topic: string): Array<DropReason> => {
  const found: Array<DropReason> = []
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'Dropped') continue
    const { note } = effect
    if (note.clientId === clientId && note.topic === topic) found.push(note.why)
  }
  return found
}

/** Why the client's session ended in this step; '' where it did not. */
const whyEnded = ({ effects }: Moment, clientId: string): string => {
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'SessionEnded') continue
    if (effect.note.clientId === clientId) return effect.note.why
  }
  return ''
}
