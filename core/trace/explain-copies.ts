// The register of the publications that are followed, and of their copies. A copy that waits is
// known by its session and its place in the line there, one that is sent at once by its payload,
// which is one and the same object.

import type { Effect } from '../broker/effect.ts'
import type { Delivery, Gist, Message, Passing, Session } from '../broker/state.ts'
import * as B from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import type { TopicName } from '../topic/name.ts'
import { effectsOf, isSameConn } from './explain-facts.ts'
import type { Copy, CopyEvent, Moment, Publication } from './explain-facts.ts'

/** Which publications are kept; those that are not may be forgotten at once. */
export interface Shelf {
  /** Takes one in; answers what has to go for it, which may be the new one itself. */
  readonly admit: (publication: Publication) => ReadonlyArray<Publication>
}

export class Copies {
  /** Those that still wait somewhere. */
  readonly open = new Set<Copy>()
  /** Those that came about in the step of the moment. */
  readonly fresh = new Set<Copy>()
  private readonly shelf: Shelf
  private readonly kept = new Set<Publication>()
  private readonly places = new Map<string, Copy>()
  /** Publications by their messages and payloads. */
  private readonly marks = new WeakMap<object, Publication>()
  private readonly owners = new WeakMap<Copy, Publication>()

  constructor(shelf: Shelf) {
    this.shelf = shelf
  }

  /** Whether there is nothing to follow. */
  get isEmpty(): boolean {
    return this.kept.size === 0
  }

  /** Whether the publication is kept; others may go for it. */
  admit(publication: Publication): boolean {
    this.kept.add(publication)
    for (const out of this.shelf.admit(publication)) {
      this.kept.delete(out)
      for (const copy of out.copies) {
        this.open.delete(copy)
        if (copy.order !== null) this.places.delete(`${copy.session} ${copy.order}`)
      }
    }
    return this.kept.has(publication)
  }

  mark(publication: Publication, ...some: ReadonlyArray<object>): void {
    // All that is empty is one and the same.
    for (const one of some) if (one !== B.empty) this.marks.set(one, publication)
  }

  /** Whose message or payload it is; null where it is nobody's who is kept. */
  marked(one: object): Publication | null {
    const found = this.marks.get(one)
    return found !== undefined && this.kept.has(found) ? found : null
  }

  /** Whether it belongs to a publication that is not kept, or not any more. */
  isForgotten(one: object): boolean {
    const found = this.marks.get(one)
    return found !== undefined && !this.kept.has(found)
  }

  known(message: Message | Gist): Publication | null {
    const found = this.marked(message)
    return found === null && 'payload' in message ? this.marked(message.payload) : found
  }

  /** Of what publication it is a copy. */
  ownerOf(copy: Copy): Publication | undefined {
    return this.owners.get(copy)
  }

  /** The copy at a place in the line of a session. */
  at(session: number, order: number): Copy | undefined {
    return this.places.get(`${session} ${order}`)
  }

  /** One that has a place in the line of its session. */
  add(
    publication: Publication,
    { clientId, number }: Session,
    { order, terms }: Delivery | Passing,
    packetId: number,
    isRetained: boolean,
    first: CopyEvent | null,
  ): void {
    const copy: Copy = {
      clientId,
      session: number,
      order,
      qos: terms.qos,
      share: terms.share,
      isRetained,
      packetId,
      isOpen: true,
      events: first === null ? [] : [first],
    }
    this.made(publication, copy)
    this.places.set(`${number} ${order}`, copy)
    this.owners.set(copy, publication)
    this.open.add(copy)
  }

  made(publication: Publication, copy: Copy): void {
    publication.copies.push(copy)
    this.fresh.add(copy)
  }

  /** Nothing becomes of the copy any more. */
  shut(copy: Copy): void {
    copy.isOpen = false
    this.open.delete(copy)
  }
}

/** Whether it is known to have gone to nobody. */
export const isForNobody = (one: Publication, moment: Moment): boolean =>
  effectsOf(one, moment).some((effect) => {
    if (effect._tag !== 'Note') return false
    const { note } = effect
    return note._tag === 'Dropped'
      ? note.clientId === null && note.topic === one.topic && note.why !== 'no subscriber'
      : note._tag === 'ConnectionEnded' && one.by._tag === 'Client' &&
        note.clientId === one.by.clientId
  })

/**
 * Of several that are empty, and so look the same, the one that a session was sent on the topic as
 * `packetId`; for what waits in its queue, which is 0, or was handed over to it, the first that it
 * has no copy of.
 */
export const emptyFor = (
  { number, conn }: Session,
  topic: TopicName,
  packetId: number,
  fresh: ReadonlyArray<Publication>,
  moment: Moment,
): Publication | null => {
  const empty = fresh.filter((one) =>
    one.bytes === 0 && one.topic === topic && !isForNobody(one, moment)
  )
  const old = IntMap.get(moment.before.sessions, number)?.conn ?? null
  const isSent = (effect: Effect): boolean =>
    effect._tag === 'Send' && effect.packet._tag === 'Publish' &&
    effect.packet.packetId === packetId &&
    (isSameConn(conn, effect.conn) || isSameConn(old, effect.conn))
  const isNew = ({ copies }: Publication): boolean =>
    copies.every((copy) => copy.session !== number)
  const sent = packetId > 0 ? empty.find((one) => effectsOf(one, moment).some(isSent)) : undefined
  return sent ?? empty.find(isNew) ?? empty[0] ?? null
}
