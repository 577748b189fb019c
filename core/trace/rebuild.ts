// A broker as it is, brought about by inputs: its listeners' clients connect and subscribe, what is
// retained is published, and so is what is on its way to clients or waits for them. What nobody
// could bring about comes back as sentences: aliases, whose turn it is in a shared group, counters
// and averages, and messages where they do not come out as they were.

import * as I from '../broker/input.ts'
import type { Conn, Input, Millis } from '../broker/input.ts'
import { expiresAt } from '../broker/leave.ts'
import type { Link, Recheck, Session, State } from '../broker/state.ts'
import { initial, NEVER } from '../broker/state.ts'
import { sysTopics } from '../broker/sys-topic.ts'
import type { Subscribe } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import { isTopicFilter } from '../topic/filter.ts'
import * as Tree from '../topic/tree.ts'
import { Builder } from './rebuild-builder.ts'
import type { Part } from './rebuild-builder.ts'
import { bareFilter, connectOf, strayConn, strayNonce } from './rebuild-connect.ts'
import { bringAlone, bringHeld, bringTogether, publishAgain } from './rebuild-messages.ts'
import { missingOf } from './rebuild-missing.ts'
import { fillersOf, inFlight, owedTexts, queued } from './rebuild-owed.ts'
import type { Owed } from './rebuild-owed.ts'
import { quote } from './words.ts'

export interface Rebuilt {
  readonly state: State
  readonly inputs: ReadonlyArray<Input>
  /** What is not as it was, in sentences. */
  readonly untold: ReadonlyArray<string>
  /** When something comes due that was due less than a second earlier, in order. */
  readonly lateAt: ReadonlyArray<Millis>
}

/** As many openings and connects as there were, in their order. */
const bringLinks = (builder: Builder, from: State, part: Part): void => {
  const links: Array<Link> = []
  IntMap.each(from.links, (link) => void links.push(link))
  links.sort((one, other) => one.opening - other.opening)
  for (const { conn, listener, peer, nonce, phase } of links) {
    const session = phase.phase === 'Ready' ? IntMap.get(from.sessions, phase.session) : undefined
    if (!part.client(session?.clientId ?? '') && !part.speaker(conn)) continue
    builder.feed(I.opened(conn, from.now, nonce, listener, peer))
    if (phase.phase !== 'Ready') {
      if (phase.phase === 'Greeting') continue
      builder.untold.push(`who ${quote(phase.connect.clientId, "'")} is was being asked`)
      continue
    }
    if (session === undefined) continue
    if (phase.identity !== null) {
      builder.untold.push(`${quote(session.clientId, "'")} had proved who it is by a method`)
    }
    builder.feed(I.arrived(conn, from.now, connectOf(session, phase, listener, from)))
  }
}

/** Sessions of who is away: they connect, and leave when they have subscribed. */
const bringAway = (builder: Builder, from: State, part: Part): ReadonlyMap<Session, Conn> => {
  const strays = new Map<Session, Conn>()
  IntMap.each(from.sessions, (session) => {
    if (session.conn !== null) return
    if (!part.client(session.clientId) && !part.leaver(session)) return
    const conn = strayConn(strays.size)
    const peer = { address: '127.0.0.1', port: 1 }
    const listener = session.source?.listener ?? '1883'
    builder.feed(I.opened(conn, from.now, strayNonce(strays.size), listener, peer))
    builder.feed(I.arrived(conn, from.now, connectOf(session, null, listener, from)))
    strays.set(session, conn)
  })
  return strays
}

interface Wish {
  readonly session: Session
  readonly joined: number
  readonly subscribe: Subscribe
}

/** What sessions have to ask for, in the order in which they did. */
const wishesOf = (builder: Builder, sessions: Iterable<Session>): ReadonlyArray<Wish> => {
  const all: Array<Wish> = []
  for (const session of sessions) {
    // The operator may have moved it since.
    const mountPoint = builder.sessionNow(session.clientId)?.mountPoint ?? ''
    const retainHandling = builder.unlessRetained
    StrMap.each(session.subscriptions, ({ filter, joined, identifiers, qos, ...rest }) => {
      const own = bareFilter(mountPoint, filter)
      if (own === null) return
      const { noLocal, retainAsPublished } = rest
      const requests = [{
        filter: own,
        qos,
        noLocal,
        retainAsPublished,
        retainHandling,
      }]
      const [identifier] = identifiers
      const properties = identifier === undefined ? none : { subscriptionIdentifiers: [identifier] }
      const subscribe: Subscribe = { _tag: 'Subscribe', packetId: 1, requests, properties }
      all.push({ session, joined, subscribe })
    })
  }
  return all.sort((one, other) => one.joined - other.joined)
}

const subscribe = (builder: Builder, sessions: Iterable<Session>): void => {
  for (const { session, subscribe } of wishesOf(builder, sessions)) {
    const conn = builder.sessionNow(session.clientId)?.conn ?? null
    if (conn !== null) builder.feed(I.arrived(conn, builder.state.now, subscribe))
  }
}

const retain = (builder: Builder, from: State, part: Part): void => {
  const isOwn = new Set<string>(sysTopics)
  const dollars = [...Tree.firstLevels(from.retained)].filter((level) => level.startsWith('$'))
  for (const filter of ['#', ...dollars.map((level) => `${level}/#`)]) {
    if (!isTopicFilter(filter)) continue
    const { found } = Tree.take(Tree.cursor(from.retained, filter), Number.MAX_SAFE_INTEGER)
    for (const { topic, value } of found) {
      if (!isOwn.has(topic) && part.topic(topic)) publishAgain(builder, value, value.retain)
    }
  }
}

/** What a client is sent while it is there; some of it may have to wait for the rest. */
const sentTo = (session: Session, { now }: State): ReadonlyArray<Owed> =>
  session.conn === null ? inFlight(session) : [...inFlight(session), ...queued(session, now)]

/**
 * One way to bring it about. What is on its way to those who are `alone` is sent to them before
 * anybody else has subscribed to anything; the others get theirs together.
 */
const attempt = (from: State, part: Part, alone: ReadonlySet<Session>): Builder => {
  const origin = { at: from.now, wall: from.wall, seed: from.origin.seed }
  const builder = new Builder(initial(from.config, origin))
  const all = [...IntMap.entries(from.sessions)].map(([, session]) => session)
  const wanted = all.filter(({ clientId }) => part.client(clientId))
  bringLinks(builder, from, part)
  const strays = bringAway(builder, from, part)
  for (const session of all) bringHeld(builder, session, part.message)
  for (const session of wanted) if (alone.has(session)) bringAlone(builder, session, part.message)
  retain(builder, from, part)
  const together = wanted.filter((session) => !alone.has(session))
  subscribe(builder, together)
  const here = together.map((session) => ({ session, line: sentTo(session, from), leave: null }))
  bringTogether(builder, here, part.message)
  const away = [...strays].map(([session, conn]) => ({
    session,
    line: part.client(session.clientId) ? queued(session, from.now) : [],
    leave: () => {
      if (alone.has(session)) subscribe(builder, [session])
      builder.feed(I.closed(conn, from.now, 'closed'))
    },
  }))
  bringTogether(builder, away, part.message)
  subscribe(builder, wanted.filter((session) => alone.has(session) && !strays.has(session)))
  return builder
}

const isNumbered = (session: Session): boolean => fillersOf(inFlight(session)) !== null

/** Whether a session cannot be served together with others. */
const isApart = (session: Session): boolean => {
  const flying = inFlight(session)
  return flying.some(({ message, terms }) => message === null || terms.retain) ||
    (isNumbered(session) && flying.some(({ packetId }, i) => packetId !== i + 1))
}

const owedNow = (session: Session | undefined, now: number, part: Part, numbered: boolean) =>
  owedTexts(session, now, part.message, numbered)

const isOwedTheSame = (session: Session, builder: Builder, from: State, part: Part): boolean => {
  const numbered = isNumbered(session)
  const was = owedNow(session, from.now, part, numbered)
  const is = owedNow(builder.sessionNow(session.clientId), from.now, part, numbered)
  return was.length === is.length && was.every((one, i) => one === is[i])
}

// Whoever gets something else than was on its way is served apart in the next attempt.
const attemptsMax = 4

const best = (from: State, part: Part): Builder => {
  const alone = new Set<Session>()
  const wanted = [...IntMap.entries(from.sessions)].map(([, session]) => session)
    .filter(({ clientId }) => part.client(clientId))
  for (const session of wanted) if (isApart(session)) alone.add(session)
  let found = attempt(from, part, alone)
  let fewest = Infinity
  for (let i = 1, builder = found;; i++) {
    const wrong = wanted.filter((session) => !isOwedTheSame(session, builder, from, part))
    if (wrong.length < fewest) {
      fewest = wrong.length
      found = builder
    }
    if (i >= attemptsMax || wrong.every((session) => alone.has(session))) return found
    for (const session of wrong) alone.add(session)
    builder = attempt(from, part, alone)
  }
}

/** Who is connected and may not be any more was being looked for. */
const recheck = (builder: Builder, { revocations }: Recheck, { now, config }: State): void => {
  for (const revocation of revocations) {
    builder.feed(I.commanded(now, { _tag: 'Revoke', revocation }))
  }
  if (revocations.length === 0) builder.feed(I.reconfigured(now, config))
}

/**
 * Of less than a second no client can say more than that it is one: sessions and wills come due
 * here when the broker of the day had been woken for them, and was not any more.
 */
const lateIn = (from: State, builder: Builder): ReadonlyArray<Millis> => {
  const all = new Set<Millis>()
  IntMap.each(from.sessions, (session) => {
    const now = builder.sessionNow(session.clientId)
    if (session.conn !== null || now === undefined || now.conn !== null) return
    if (now.willAt !== NEVER && now.willAt > session.willAt) all.add(now.willAt)
    const endsAt = expiresAt(now)
    if (endsAt !== NEVER && endsAt > expiresAt(session)) all.add(endsAt)
  })
  return [...all].sort((one, other) => one - other)
}

/** Inputs that bring about a state, or the part of it that is wanted, at its own time. */
export const rebuild = (from: State, part: Part): Rebuilt => {
  const builder = best(from, part)
  const untold = [...builder.untold, ...missingOf(from, builder, part)]
  if (from.recheck !== null) recheck(builder, from.recheck, from)
  if (from.isShort) builder.feed(I.memoryShort(from.now))
  if (from.isStoreFull) builder.feed(I.storeFull(from.now))
  const { state, inputs } = builder
  return { state, inputs, untold, lateAt: lateIn(from, builder) }
}
