// What an explanation is made of: a step of the broker, a publication, and what became of its
// copies, all as data.

import type { Source } from '../broker/acl.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input, Millis } from '../broker/input.ts'
import { match } from '../broker/match.ts'
import type { DropReason, Note } from '../broker/note.ts'
import type { Session, Share, State, Subscription } from '../broker/state.ts'
import type { Qos } from '../codec/packet.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { TopicName } from '../topic/name.ts'

/** One input, and the broker around it. */
export interface Moment {
  readonly input: Input
  readonly before: State
  readonly after: State
  readonly effects: ReadonlyArray<Effect>
}

export type Publisher =
  | { readonly _tag: 'Client'; readonly clientId: string; readonly packetId: number }
  | { readonly _tag: 'Will'; readonly clientId: string }
  | { readonly _tag: 'Broker' }
  /** It was before it was followed; null where what is left of it does not say who. */
  | {
    readonly _tag: 'Earlier'
    readonly clientId: string | null
    /** When a reload put its topic behind a mount point; null for before the recording began. */
    readonly mountedAt: Millis | null
  }

/** What happened to a copy of a message, in order. */
export type CopyEvent =
  /** It was there when it began to be followed: queued where `packetId` is 0, else in flight. */
  | { readonly _tag: 'Found'; readonly at: Millis; readonly packetId: number }
  | { readonly _tag: 'Queued'; readonly at: Millis }
  | {
    readonly _tag: 'Sent'
    readonly at: Millis
    readonly packetId: number
    readonly again: boolean
    /** As the client sees it. */
    readonly qos: Qos
    readonly retain: boolean
    /** What it does not see of the topic. */
    readonly mountPoint: string
  }
  /** It was given to a socket that had not taken it when the connection, or else all, was over. */
  | { readonly _tag: 'Untaken'; readonly at: Millis; readonly isOver: boolean }
  /** It was given to a socket that took its time. */
  | { readonly _tag: 'Taken'; readonly at: Millis }
  | { readonly _tag: 'Received'; readonly at: Millis }
  | {
    readonly _tag: 'Answered'
    readonly at: Millis
    readonly by: 'PUBACK' | 'PUBREC' | 'PUBCOMP'
    readonly reason: number
  }
  | {
    readonly _tag: 'Dropped'
    readonly at: Millis
    readonly why: DropReason
    readonly moment: Moment
  }
  | { readonly _tag: 'SessionEnded'; readonly at: Millis; readonly why: string }
  /** `to` is empty where it is not known who of the group has it. */
  | { readonly _tag: 'HandedOver'; readonly at: Millis; readonly to: ReadonlyArray<string> }

/** A copy of a message for one session. */
export interface Copy {
  readonly clientId: string
  readonly session: number
  /** Its place in the session's line; null for what was sent at once and waited nowhere. */
  readonly order: number | null
  readonly qos: Qos
  readonly share: Share | null
  /** Whether it was what a topic had retained when the client subscribed. */
  readonly isRetained: boolean
  packetId: number
  isOpen: boolean
  readonly events: Array<CopyEvent>
}

export interface Publication {
  readonly topic: TopicName
  readonly by: Publisher
  /** What its publisher does not see of the topic; '' where it sees all of it. */
  readonly mountPoint: string
  readonly at: Millis
  readonly qos: Qos
  readonly retain: boolean
  readonly bytes: number
  /** When it was routed, which for QoS 2 is at its release; before that, when it arrived. */
  moment: Moment | null
  /** Of QoS 2, where its publisher has to release it. */
  held: { readonly session: number; readonly packetId: number } | null
  releasedAt: Millis | null
  /** Since when its identifier is that of something else, which came before its release. */
  voidAt: Millis | null
  /** How often it came again before its release. */
  again: number
  readonly copies: Array<Copy>
  /** Whom it was to be sent to as a retained message, and was not. */
  readonly missed: Array<Missed>
  /** From when on it is, and since when it is not, what its topic has retained. */
  retained: { readonly from: Millis; until: Millis | null; why: Replaced | null } | null
}

/** What became of a retained message. */
export type Replaced = 'replaced' | 'deleted' | 'expired'

/** Why a subscription was not sent what is retained; of the others a note says why. */
export type Unsent =
  | 'shared'
  | 'retain handling'
  | 'not for it'
  | 'not from its publisher'
  /** It has still to be sent when all is over, or its session has ended before that. */
  | 'still to come'
  | 'not reached'

export interface Missed {
  readonly clientId: string
  readonly at: Millis
  readonly why: DropReason | Unsent
  readonly moment: Pick<Moment, 'before' | 'after' | 'effects'>
  /** Who published it, where that is known. */
  readonly source: Source | null
}

/** Something about a client's subscriptions that touches the topic. */
export interface Change {
  readonly at: Millis
  readonly clientId: string
  readonly filter: TopicFilter
  readonly what: 'subscribed' | 'unsubscribed' | 'refused' | 'lost'
  /** Of a refusal, the reason code. */
  readonly reason: number
  /** Of one by an access list, what stands behind "denied by". */
  readonly why: string | null
}

export const sessionFor = (state: State, clientId: string): Session | undefined => {
  const number = StrMap.get(state.clients, clientId)
  return number === undefined ? undefined : IntMap.get(state.sessions, number)
}

/** Everybody's subscriptions that match a topic. */
export interface Matching {
  readonly direct: ReadonlyArray<Subscription>
  readonly groups: ReadonlyArray<ReadonlyArray<Subscription>>
}

export const matchingIn = ({ filters }: State, topic: TopicName): Matching => {
  const { subscriptions, overlapping, groups } = match(topic, filters)
  return {
    direct: [...subscriptions, ...overlapping],
    groups: groups.map(({ members }) => members),
  }
}

/** Numbers of the sessions that a message on one of the topics may go to, before or after. */
export const receiversIn = (
  { before, after }: Pick<Moment, 'before' | 'after'>,
  topics: Iterable<TopicName>,
): ReadonlySet<number> => {
  const found = new Set<number>()
  for (const topic of topics) {
    for (const state of [before, after]) {
      const { direct, groups } = matchingIn(state, topic)
      for (const { session } of direct) found.add(session)
      for (const members of groups) for (const { session } of members) found.add(session)
    }
  }
  return found
}

/** Whether it may come of routing a message; all else in a step begins something else. */
const isOfRouting = (effect: Effect): boolean =>
  effect._tag === 'Note'
    ? effect.note._tag === 'Dropped'
    : effect._tag === 'Multicast' || (effect._tag === 'Send' && effect.packet._tag === 'Publish')

/** The note that a will came to something: it was published, or denied. */
export const isOfWill = (
  note: Note,
): note is Extract<Note, { readonly _tag: 'WillPublished' | 'Denied' }> =>
  note._tag === 'WillPublished' || (note._tag === 'Denied' && note.what === 'will')

/**
 * The effects of a publication: of a will, which may be one of several things in its step, what
 * follows the note of it and may come of it; of another one what comes before the first will.
 */
export const effectsOf = (
  { by, topic }: Publication,
  { effects }: Moment,
): ReadonlyArray<Effect> => {
  if (by._tag !== 'Will') {
    const will = effects.findIndex((effect) => effect._tag === 'Note' && isOfWill(effect.note))
    return will < 0 ? effects : effects.slice(0, will)
  }
  const start = effects.findIndex((effect) =>
    effect._tag === 'Note' && isOfWill(effect.note) &&
    effect.note.clientId === by.clientId && effect.note.topic === topic
  )
  const rest = effects.slice(start + 1)
  const end = rest.findIndex((effect) => !isOfRouting(effect))
  return end < 0 ? rest : rest.slice(0, end)
}

/** The effects of a step with wills that come after a publication and of none. */
export const effectsOfNone = ({ effects }: Pick<Moment, 'effects'>): ReadonlyArray<Effect> => {
  let hasWill = false
  let isOfOne = true
  return effects.filter((effect) => {
    if (effect._tag === 'Note' && isOfWill(effect.note)) {
      hasWill = true
      isOfOne = true
    } else if (hasWill && !isOfRouting(effect)) isOfOne = false
    return !isOfOne
  })
}

/**
 * Why messages on a topic were dropped for a client in a step, in order. That a session ended is
 * said of what it has published and not released, and so of nothing that it was to get.
 */
export const dropsFor = (
  { effects }: Pick<Moment, 'effects'>,
  clientId: string,
  topic: string,
): Array<DropReason> => {
  const found: Array<DropReason> = []
  for (const effect of effects) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'Dropped') continue
    const { note } = effect
    if (note.clientId !== clientId || note.topic !== topic) continue
    if (note.why !== 'session ended') found.push(note.why)
  }
  return found
}

export const isSameConn = (one: Conn | null, { slot, generation }: Conn): boolean =>
  one !== null && one.slot === slot && one.generation === generation

export const isSameShare = (one: Share | null, other: Share | null): boolean =>
  one !== null && other !== null && one.group === other.group && one.filter === other.filter
