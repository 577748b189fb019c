// The broker as a function. `run` is the fold of `step` over a batch; it exists because a batch
// that shares one draft copies every path once instead of once per input.

import type { Packet } from '../codec/packet.ts'
import { type Fault, fault } from '../codec/fault.ts'
import {
  ADMINISTRATIVE_ACTION,
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
  QUOTA_EXCEEDED,
  SERVER_SHUTTING_DOWN,
} from '../codec/reason-code.ts'
import * as IntMap from '../data/int-map.ts'
import * as Queue from '../data/queue.ts'
import * as StrMap from '../data/str-map.ts'
import { absurd } from '../prelude.ts'
import { puback, pubcomp, pubrec } from './ack.ts'
import { renew, renewed } from './authenticate.ts'
import { tick } from './clock.ts'
import { hasAcl, wholeConfig } from './config.ts'
import { answered, authenticate, connect, judged } from './connect.ts'
import { drain, wantCatchUp } from './deliver.ts'
import { opened } from './door.ts'
import { type Draft, editLink, editSession, finish, note, open, stale } from './draft.ts'
import type { Effect } from './effect.ts'
import type { Answered, Command, Conn, Input } from './input.ts'
import { publishOwn } from './kept.ts'
import { dismiss, expel, lost, publishWill, redirection, refuse } from './leave.ts'
import { farewells, verdictOn } from './phase.ts'
import { publish, release } from './publish.ts'
import { hasGivenName, recheckNames, revoke } from './recheck.ts'
import { isDurable, type Link, type Ready, type State } from './state.ts'
import { subscribe, unsubscribe } from './subscribe.ts'
import { measured, rearm, report } from './sys.ts'
import { credit, tell } from './tell.ts'

/** One input: the next state and what is to be done. The old state stays valid. */
export const step = (
  state: State,
  input: Input,
): readonly [State, ReadonlyArray<Effect>] => run(state, [input])

/** A batch of inputs in order: the same as folding `step`, only faster. */
export const run = (
  state: State,
  inputs: ReadonlyArray<Input>,
): readonly [State, ReadonlyArray<Effect>] => {
  const draft = begin(state, inputs)
  for (let i = 0; i < inputs.length; i++) take(draft, inputs[i]!)
  return finish(draft)
}

/**
 * The beginning of a batch, as far as it makes about so many effects and at least one input long:
 * the same as `run` over as many inputs as the last number says. A message that many do not get is
 * an effect for each of them, so a batch may make more than there is memory for.
 */
export const runSome = (
  state: State,
  inputs: ReadonlyArray<Input>,
  effectsMax: number,
): readonly [State, ReadonlyArray<Effect>, number] => {
  const draft = begin(state, inputs)
  let taken = 0
  while (taken < inputs.length && (taken === 0 || draft.effects.length < effectsMax)) {
    take(draft, inputs[taken]!)
    taken += 1
  }
  const [next, effects] = finish(draft)
  return [next, effects, taken]
}

/** Not everybody has types: to loop over what is no list would do nothing, without a word. */
const begin = (state: State, inputs: ReadonlyArray<Input>): Draft => {
  if (!Array.isArray(inputs)) {
    throw new TypeError('inputs come in a list: run(state, [input]), or step(state, input)')
  }
  if (Array.isArray(state)) {
    throw new TypeError(
      'a state is the first of the two things that run answers: const [state, effects] = run(...)',
    )
  }
  if (state?.config === undefined) {
    throw new TypeError('a state is what initial or restore has answered, or run with its effects')
  }
  return open(state)
}

/** For whoever has no types. */
const unknown = (what: string, { _tag }: { readonly _tag: string }): never => {
  throw new TypeError(`there is no ${what} with the _tag ${JSON.stringify(_tag)}`)
}

const inputTags: { readonly [Tag in Input['_tag']]: true } = {
  Opened: true,
  Arrived: true,
  Continued: true,
  Broke: true,
  Closed: true,
  Written: true,
  Judged: true,
  Answered: true,
  Ticked: true,
  Measured: true,
  MemoryShort: true,
  MemoryFree: true,
  StoreFull: true,
  StoreFree: true,
  Commanded: true,
  Reconfigured: true,
}

/** For them, too: with a time that is none nothing would ever be due. */
const timeOf = (name: string, { _tag }: Input, time: number): number => {
  if (Number.isFinite(time)) return time
  if (!(_tag in inputTags)) return unknown('input', { _tag })
  throw new TypeError(`${name} of ${_tag} is a number of milliseconds, and not ${String(time)}`)
}

const take = (draft: Draft, input: Input): void => {
  // A clock that runs backwards expires nothing and frees nobody.
  if (!(input.at <= draft.now)) draft.now = timeOf('at', input, input.at)
  if (draft.journal !== null) draft.mark = draft.journal.count
  switch (input._tag) {
    case 'Arrived': {
      const link = linkOf(draft, input.conn)
      if (link === undefined) return stale(draft, input.conn, input._tag)
      return arrive(draft, link, input.packet)
    }
    case 'Continued': {
      const link = linkOf(draft, input.conn)
      if (link === undefined) return stale(draft, input.conn, input._tag)
      // Until CONNACK what counts is the time since it was opened.
      if (link.phase.phase === 'Ready') editLink(draft, link).seenAt = draft.now
      return
    }
    case 'Written': {
      const link = linkOf(draft, input.conn)
      if (link === undefined) return stale(draft, input.conn, input._tag)
      return written(draft, link, input.total)
    }
    case 'Opened':
      return opened(draft, input)
    case 'Closed': {
      const link = linkOf(draft, input.conn)
      if (link === undefined) return stale(draft, input.conn, input._tag)
      return lost(
        draft,
        link,
        input.why === 'closed' ? 'connection closed by client' : 'connection failed',
      )
    }
    case 'Broke': {
      const link = linkOf(draft, input.conn)
      if (link === undefined) return stale(draft, input.conn, input._tag)
      return faulty(draft, link, input.fault)
    }
    case 'Judged': {
      const link = linkOf(draft, input.conn)
      if (link === undefined || link.phase.phase !== 'Judging') {
        return stale(draft, input.conn, input._tag)
      }
      return judged(draft, link, link.phase.connect, input.reason)
    }
    case 'Answered':
      return hear(draft, input)
    case 'Ticked':
      draft.wall = timeOf('wall', input, input.wall)
      tick(draft)
      return report(draft)
    case 'Measured':
      return measured(draft, input)
    case 'MemoryShort':
      return setShort(draft, true)
    case 'MemoryFree':
      return setShort(draft, false)
    case 'StoreFull':
      return setFull(draft, true)
    case 'StoreFree':
      return setFull(draft, false)
    case 'Reconfigured': {
      const before = draft.config
      draft.config = wholeConfig(input.config)
      draft.isGuarded = hasAcl(input.config)
      recheckNames(draft)
      return rearm(draft, before)
    }
    case 'Commanded':
      return command(draft, input.command)
    default:
      return unknown('input', input satisfies never)
  }
}

const setShort = (draft: Draft, isShort: boolean): void => {
  if (draft.isShort === isShort) return
  draft.isShort = isShort
  note(draft, { _tag: isShort ? 'MemoryShort' : 'MemoryFree' })
  if (isShort) return
  // Retained messages that waited for room in a window need wait for it no longer.
  IntMap.each(draft.sessions, (session) => {
    if (session.conn !== null && Queue.size(session.catchUps) > 0) wantCatchUp(draft, session)
  })
}

const setFull = (draft: Draft, isFull: boolean): void => {
  if (draft.isStoreFull === isFull) return
  draft.isStoreFull = isFull
  note(draft, { _tag: isFull ? 'StoreFull' : 'StoreFree' })
}

/** The link that a connection object speaks of, unless its slot has a new occupant. */
const linkOf = (draft: Draft, conn: Conn): Link | undefined => {
  const link = IntMap.get(draft.links, conn.slot)
  return link !== undefined && link.conn.generation === conn.generation ? link : undefined
}

/** The peer broke a rule: it is told as its phase and version allow, and nothing takes effect. */
const faulty = (draft: Draft, link: Link, fault: Fault): void => {
  const { phase } = link
  // [v3 MQTT-4.8.0-1]
  if (phase.phase === 'Ready') return expel(draft, link, 'protocol error', fault.reason, fault)
  const asked = phase.phase === 'Authenticating' ? phase.connect : fault.level
  refuse(draft, link, asked, fault.reason, 'protocol error', fault) // [MQTT-3.1.4-1]
}

/** The shell answered a question of an authentication method. */
const hear = (draft: Draft, input: Answered): void => {
  const link = linkOf(draft, input.conn)
  if (link !== undefined) {
    const { phase } = link
    if (phase.phase === 'Authenticating' && phase.dialogue.isAsked) {
      return answered(draft, link, phase, input)
    }
    if (phase.phase === 'Ready' && renewed(draft, link, phase, input)) return
  }
  stale(draft, input.conn, input._tag)
}

const arrive = (draft: Draft, found: Link, packet: Packet): void => {
  const { traffic } = draft
  if (packet._tag === 'Publish') {
    traffic.receivedPublishes++
    traffic.receivedPublishBytes += packet.payload.end - packet.payload.start
  } else {
    traffic.receivedOthers++
    if (packet._tag === 'Connect') traffic.connects++
  }
  const verdict = verdictOn(found.phase.phase, packet._tag)
  if (verdict !== 'legal') return faulty(draft, found, verdict)
  const link = editLink(draft, found)
  link.seenAt = draft.now
  const broken = link.phase.phase === 'Ready'
    ? serve(draft, link, link.phase, packet)
    : greet(draft, link, packet)
  if (broken === null) return
  const current = IntMap.get(draft.links, link.conn.slot)!
  // [v3 MQTT-4.8.0-2]
  if (typeof broken === 'string') expel(draft, current, broken, QUOTA_EXCEEDED)
  else faulty(draft, current, broken)
}

/** A packet that is legal before CONNACK; answers the rule it breaks, if it does. */
const greet = (draft: Draft, link: Link, packet: Packet): Fault | null => {
  const { phase } = link
  if (packet._tag === 'Connect') connect(draft, link, packet)
  if (packet._tag === 'Disconnect') dismiss(draft, link, packet.reason, 'discard')
  return packet._tag === 'Auth' && phase.phase === 'Authenticating'
    ? authenticate(draft, link, phase, packet)
    : null
}

/**
 * A packet that is legal for a connected client; answers what ends the connection, if anything: the
 * rule that it breaks, or that there is no memory for it.
 */
const serve = (
  draft: Draft,
  link: Link,
  ready: Ready,
  packet: Packet,
): Fault | 'memory short' | 'store full' | null => {
  switch (packet._tag) {
    case 'Publish':
      return publish(draft, link, ready, packet)
    case 'Puback':
      return puback(draft, ready, packet)
    case 'Pubrec':
      return pubrec(draft, ready, packet)
    case 'Pubrel':
      release(draft, link, ready, packet)
      return null
    case 'Pubcomp':
      return pubcomp(draft, ready, packet)
    case 'Subscribe':
      return subscribe(draft, ready, packet)
    case 'Unsubscribe':
      return unsubscribe(draft, ready, packet)
    case 'Pingreq': // [MQTT-3.12.4-1] [v3 MQTT-3.12.4-1]
      tell(draft, IntMap.get(draft.sessions, ready.session)!, pingresp)
      return null
    case 'Disconnect':
      return disconnect(draft, link, ready, packet)
    case 'Auth':
      return renew(draft, link, ready, packet)
    case 'Connect':
    case 'Connack':
    case 'Suback':
    case 'Unsuback':
    case 'Pingresp':
      throw new Error(`${packet._tag} is not legal here and was let through`)
    default:
      return absurd(packet)
  }
}

const pingresp: Packet = { _tag: 'Pingresp' }

const disconnect = (
  draft: Draft,
  link: Link,
  ready: Ready,
  packet: Extract<Packet, { _tag: 'Disconnect' }>,
): Fault | null => {
  const expiryS = packet.properties.sessionExpiryInterval
  if (!farewells.has(packet.reason)) {
    const detail = 'DISCONNECT with a reason code that only a server may give'
    return fault(PROTOCOL_ERROR, 'MQTT-3.14.2-1', detail)
  }
  if (packet.properties.serverReference !== undefined) {
    const detail = 'a client sent a server reference with DISCONNECT'
    return fault(PROTOCOL_ERROR, 'MQTT-4.13.1-1', detail)
  }
  if (expiryS !== undefined) {
    const session = IntMap.get(draft.sessions, ready.session)!
    if (!ready.wantsSession && expiryS !== 0) {
      const detail = 'DISCONNECT gives a session expiry to a session that CONNECT gave none'
      return fault(PROTOCOL_ERROR, 'MQTT-4.13.1-1', detail)
    }
    // Whose client was told in CONNACK that it ends with the connection has kept nothing for it.
    if (isDurable(session)) {
      editSession(draft, session).expiryS = Math.min(expiryS, draft.config.sessionExpiryMaxS)
    }
  }
  // Only an orderly farewell discards the will [MQTT-3.14.4-3].
  dismiss(draft, link, packet.reason, packet.reason === 0 ? 'discard' : 'publish')
  return null
}

/** The socket took bytes: what waited for that goes on. */
const written = (draft: Draft, link: Link, total: number): void => {
  if (link.phase.phase !== 'Ready') return
  const session = IntMap.get(draft.sessions, link.phase.session)!
  if (total <= session.takenBytes) return
  credit(draft, session, total)
  drain(draft, IntMap.get(draft.sessions, session.number)!)
}

/**
 * Ends the connections of a listener that is no more. Where it is there still, names have to be
 * proved now: those end whose user name nobody asked to be proved.
 */
const shut = (draft: Draft, listener: string): void => {
  const isThere = draft.config.listeners.some(([name]) => name === listener)
  for (const [, { conn, listener: own }] of [...IntMap.entries(draft.links)]) {
    if (own !== listener) continue
    const link = linkOf(draft, conn)
    if (link === undefined) continue
    if (!isThere) expel(draft, link, 'listener closed', ADMINISTRATIVE_ACTION)
    else if (hasGivenName(draft, link)) expel(draft, link, 'not authorised', NOT_AUTHORIZED)
  }
}

/** Wills first, so that those who are still here get them. */
const stop = (draft: Draft): void => {
  draft.stopping = true
  const links = [...IntMap.entries(draft.links)].map(([, link]) => link)
  for (const link of links) {
    if (link.phase.phase !== 'Ready') continue
    const session = IntMap.get(draft.sessions, link.phase.session)!
    if (session.will === null) continue
    // A delay ends with its session, which may be now.
    if (session.will.delayMs === 0 || !isDurable(session)) publishWill(draft, session)
  }
  for (const { conn } of links) {
    const link = IntMap.get(draft.links, conn.slot)!
    // Who has no CONNACK yet is told nothing.
    expel(draft, link, 'server shutting down', SERVER_SHUTTING_DOWN)
  }
}

/** Sends everybody elsewhere who has said CONNECT. */
const redirect = (draft: Draft): void => {
  const reason = redirection(draft)
  for (const [, { conn }] of [...IntMap.entries(draft.links)]) {
    const link = linkOf(draft, conn)
    if (link === undefined || link.phase.phase === 'Greeting') continue
    if (link.phase.phase === 'Ready') expel(draft, link, 'redirected', reason)
    else {
      const { connect: asked } = link.phase
      refuse(draft, link, asked.level === 5 ? asked : 0, reason, 'redirected')
    }
  }
}

const kick = (draft: Draft, clientId: string): void => {
  const number = StrMap.get(draft.clients, clientId)
  const conn = number === undefined ? null : IntMap.get(draft.sessions, number)!.conn
  const link = conn === null ? undefined : linkOf(draft, conn)
  if (link !== undefined) expel(draft, link, 'kicked', ADMINISTRATIVE_ACTION)
}

const command = (draft: Draft, order: Command): void => {
  switch (order._tag) {
    case 'Stop':
      return stop(draft)
    case 'Redirect':
      return redirect(draft)
    case 'Kick':
      return kick(draft, order.clientId)
    case 'Publish':
      return publishOwn(draft, order.packet)
    case 'Revoke':
      return revoke(draft, order.revocation)
    case 'Shut':
      return shut(draft, order.listener)
    default:
      return unknown('command', order satisfies never)
  }
}
