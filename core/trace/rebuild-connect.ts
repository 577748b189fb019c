// Sessions as they are, as what their clients would have to say: CONNECT with its will and
// properties, topics and filters without what the listener puts in front of them.

import type { Config } from '../broker/config.ts'
import { rulesOf } from '../broker/config.ts'
import type { Conn } from '../broker/input.ts'
import type { Ready, Session, SessionWill, State } from '../broker/state.ts'
import { EXPIRY_NEVER_S, NEVER } from '../broker/state.ts'
import type { Connect, Level, Will } from '../codec/packet.ts'
import type { Properties } from '../codec/properties.ts'
import { none } from '../codec/properties.ts'
import * as B from '../data/bytes.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { isTopicFilter, splitShare } from '../topic/filter.ts'
import { isTopicName } from '../topic/name.ts'

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
