// Sessions as they are, as what their clients would have to say: CONNECT with its will and
// properties, topics and filters without what the listener puts in front of them.

import type { Config } from '../broker/config.ts'
import { rulesOf } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import * as I from '../broker/input.ts'
import type { Message, Ready, Session, SessionWill, State } from '../broker/state.ts'
import { EXPIRY_NEVER_S, NEVER } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import type { Connect, Level, Will } from '../codec/packet.ts'
import type { Properties } from '../codec/property.ts'
import { none } from '../codec/property.ts'
import * as B from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { isTopicFilter, splitShare } from '../topic/filter.ts'
import { isTopicName } from '../topic/name.ts'
import * as Tree from '../topic/tree.ts'

// Connections of those who are away are nobody's: behind all that a shell gives out.
export const strayConn = (i: number): Conn => ({
  slot: 0xff_ffff - i,
  generation: 9_000_000_000_000_000 + i,
})

export const strayNonce = (i: number): string =>
  `00000000-0000-4000-9000-${String(i).padStart(12, '0')}`

const isAmong = <A>(value: A | undefined, usual: A): value is A =>
  value !== undefined && value !== usual

/** Without what the listener puts in front of it; null where it does not. */
export const bare = (mountPoint: string, whole: string): string | null =>
  whole.startsWith(mountPoint) ? whole.slice(mountPoint.length) : null

export const bareFilter = (mountPoint: string, filter: TopicFilter): TopicFilter | null => {
  const share = splitShare(filter)
  const rest = bare(mountPoint, share === null ? filter : share.filter)
  if (rest === null) return null
  const own = share === null ? rest : `$share/${share.group}/${rest}`
  return isTopicFilter(own) ? own : null
}

const willOf = (
  mountPoint: string,
  will: SessionWill | null,
  level: Level,
  delayMs: number,
): Will | null => {
  if (will === null) return null
  const { message } = will
  const topic = bare(mountPoint, message.topic)
  if (topic === null || !isTopicName(topic)) return null
  const properties = level === 5 && delayMs > 0
    ? { ...message.properties, willDelayInterval: Math.max(1, Math.floor(delayMs / 1000)) }
    : message.properties
  const { payload, qos, retain } = message
  return { topic, payload, qos, retain, properties }
}

const expiryOf = ({ expiryS, offlineAt }: Session, now: number): number =>
  offlineAt === NEVER || expiryS === EXPIRY_NEVER_S
    ? expiryS
    // Rather early than late: in a recording the broker is woken when it was due.
    : Math.max(1, Math.floor(expiryS - (now - offlineAt) / 1000))

/** What may be in flight where the client says nothing about it. */
const usualInflight = ({ inflightCountMax }: Config): number =>
  inflightCountMax === 0 ? 65_535 : inflightCountMax

const propertiesOf = (
  session: Session,
  ready: Ready | null,
  { now, config }: State,
): Properties => {
  const expiryS = expiryOf(session, now)
  return {
    ...(expiryS > 0 ? { sessionExpiryInterval: expiryS } : {}),
    ...(isAmong(session.inflightCountMax, usualInflight(config))
      ? { receiveMaximum: session.inflightCountMax }
      : {}),
    ...(ready !== null && isAmong(session.packetBytesMax, NEVER)
      ? { maximumPacketSize: session.packetBytesMax }
      : {}),
    ...(ready !== null && session.aliasMax > 0 ? { topicAliasMaximum: session.aliasMax } : {}),
    ...(ready?.wantsProblems === false ? { requestProblemInformation: 0 as const } : {}),
  }
}

/** What a client would say to a listener now to be who it is. */
export const connectOf = (
  session: Session,
  ready: Ready | null,
  listener: string,
  state: State,
): Connect => {
  const level = ready?.level ?? session.level
  const { will, willAt } = session
  const userName = session.source?.userName ?? null
  const { mountPoint } = rulesOf(state.config, listener)
  return {
    _tag: 'Connect',
    level,
    bridge: ready?.bridge ?? false,
    cleanStart: level === 5 || session.expiryS === 0,
    keepAliveS: Math.floor((ready?.keepAliveMs ?? 0) / 1000),
    clientId: session.clientId,
    // A will of who is away would be published by leaving, unless it has to wait.
    will: ready !== null
      ? willOf(mountPoint, will, level, will?.delayMs ?? 0)
      : willAt !== NEVER && level === 5
      ? willOf(mountPoint, will, level, Math.max(1, willAt - state.now))
      : null,
    userName,
    // Nobody knows whether there was one; under another configuration it may be asked for.
    password: userName === null ? null : B.empty,
    properties: level === 5 ? propertiesOf(session, ready, state) : none,
  }
}

/** Which part of a broker is wanted. */
export interface Part {
  /** Whose session is wanted. */
  readonly client: (clientId: string) => boolean
  /** What of others is wanted: that they are there, and may speak. */
  readonly speaker: (conn: Conn) => boolean
  /** Who is away and wanted all the same, for what becomes of his will. */
  readonly leaver: (session: Session) => boolean
  /** What is wanted of what is retained. */
  readonly topic: (topic: string) => boolean
  /** What is wanted of messages on their way. */
  readonly message: (topic: string) => boolean
}

// Less than any broker's limit for what a socket has not taken.
const thirstBytes = 32 * 1024

/** A broker that is being brought about. */
export class Builder {
  state: State
  readonly inputs: Array<Input> = []
  readonly untold: Array<string> = []

  constructor(state: State) {
    this.state = state
  }

  feed(input: Input): ReadonlyArray<Effect> {
    const [state, effects] = step(this.state, input)
    this.state = state
    this.inputs.push(input)
    for (const effect of effects) {
      // Whoever is in the state was let in.
      if (effect._tag === 'Judge') this.feed(I.judged(effect.conn, input.at, 0))
    }
    return effects
  }

  sessionNow(clientId: string): Session | undefined {
    const number = StrMap.get(this.state.clients, clientId)
    return number === undefined ? undefined : IntMap.get(this.state.sessions, number)
  }

  /** The Retain Handling of who has had what is retained; the usual one where there is nothing. */
  get unlessRetained(): 0 | 2 {
    return this.state.retained.size === 0 ? 0 : 2
  }

  /** Whether what is retained on its topic is left as it is by publishing this as retained. */
  isRetained({ topic, payload, qos }: Message): boolean {
    const found = Tree.get(this.state.retained, topic)
    return found === undefined
      ? B.size(payload) === 0
      : found.qos === qos && B.equals(found.payload, payload)
  }

  /** The socket takes what there is, where that is much. */
  drink(conn: Conn): void {
    const link = IntMap.get(this.state.links, conn.slot)
    if (link?.phase.phase !== 'Ready') return
    const session = IntMap.get(this.state.sessions, link.phase.session)
    if (session === undefined || session.sentBytes - session.takenBytes < thirstBytes) return
    this.feed(I.written(conn, this.state.now, session.sentBytes))
  }
}
