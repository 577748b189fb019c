// Settings as io-ts knows them: what a parser must come to, and what a program that embeds the
// broker may check of settings that came from elsewhere.

import { t } from '../prelude.ts'
import { logTypes } from './settings.ts'
import type { ListenerSettings, LogSettings, PersistenceSettings, Settings } from './settings.ts'

const whole = (min: number, max: number): t.Type<number> =>
  new t.Type<number>(
    `a whole number from ${min} to ${max}`,
    (u): u is number => Number.isSafeInteger(u) && Number(u) >= min && Number(u) <= max,
    (u, context) =>
      typeof u === 'number' && Number.isSafeInteger(u) && u >= min && u <= max
        ? t.success(u)
        : t.failure(u, context),
    t.identity,
  )

const count = whole(0, Number.MAX_SAFE_INTEGER)
const from1 = whole(1, Number.MAX_SAFE_INTEGER)
const orNull = <A>(codec: t.Type<A>): t.Type<A | null> => t.union([codec, t.null])
const list = <A>(codec: t.Type<A>): t.Type<ReadonlyArray<A>> => t.readonlyArray(codec)

const oneOf = <A extends string | number>(some: ReadonlyArray<A>): t.Type<A> =>
  new t.Type<A>(
    some.join(' or '),
    (u): u is A => some.some((one) => one === u),
    (u, context) => {
      const found = some.find((one) => one === u)
      return found === undefined ? t.failure(u, context) : t.success(found)
    },
    t.identity,
  )

const destination = t.union([
  t.type({ to: oneOf(['stderr', 'stdout', 'syslog', 'topic'] as const) }),
  t.type({ to: t.literal('file'), path: t.string }),
])

const log: t.Type<LogSettings> = t.type({
  destinations: list(destination),
  types: list(oneOf(logTypes)),
  timestamp: t.boolean,
  timestampFormat: orNull(t.string),
  facility: oneOf(
    [
      'daemon',
      'local0',
      'local1',
      'local2',
      'local3',
      'local4',
      'local5',
      'local6',
      'local7',
    ] as const,
  ),
  format: oneOf(['text', 'json'] as const),
  connectionMessages: t.boolean,
})

const persistence: t.Type<PersistenceSettings> = t.type({
  folder: t.string,
  fileName: orNull(t.string),
  storeBytesMax: orNull(from1),
  salvage: t.boolean,
  autosaveIntervalS: count,
  autosaveOnChanges: t.boolean,
})

const listener: t.Type<ListenerSettings> = t.type({
  name: t.string,
  port: whole(0, 65_535),
  host: orNull(t.string),
  path: orNull(t.string),
  bindInterface: orNull(t.string),
  domain: oneOf(['any', 'ipv4', 'ipv6'] as const),
  protocol: t.literal('mqtt'),
  levels: list(oneOf([3, 4, 5] as const)),
  connectionsMax: orNull(from1),
  maximumQos: oneOf([0, 1, 2] as const),
  topicAliasMaximum: whole(0, 65_535),
  outgoingTopicAliasMax: whole(0, 65_535),
  mountPoint: orNull(t.string),
  anonymous: t.boolean,
  passwordFile: orNull(t.string),
  aclFile: orNull(t.string),
  zeroLengthClientId: t.boolean,
  autoIdPrefix: t.string,
  usernameAsClientId: t.boolean,
  denySpecialChars: t.boolean,
})

const origin = t.type({
  option: t.string,
  listener: orNull(t.string),
  place: t.type({ file: t.string, line: count }),
})

export const settingsCodec: t.Type<Settings> = t.type({
  isLocalOnly: t.boolean,
  listeners: list(listener),
  log,
  persistence: orNull(persistence),
  pidFile: orNull(t.string),
  traceFile: orNull(t.string),
  traceOnStart: t.boolean,
  traceBytesMax: orNull(from1),
  tracePayload: oneOf(['full', 'hash', 'length'] as const),
  user: orNull(t.string),
  sysIntervalS: whole(0, 65_535),
  memoryLimitBytes: orNull(count),
  tcpNoDelay: t.boolean,
  readBufferBytes: whole(0, 65_535),
  clientIdPrefix: orNull(t.string),
  checkRetainSource: t.boolean,
  inflightCountMax: whole(0, 65_535),
  inflightBytesMax: count,
  queuedCountMax: count,
  queuedBytesMax: count,
  packetBytesMax: whole(20, 2_147_483_647),
  payloadBytesMax: whole(0, 268_435_455),
  keepAliveMaxS: whole(0, 65_535),
  sessionsMax: orNull(from1),
  connectionsMax: orNull(from1),
  queueQos0: t.boolean,
  upgradeOutgoingQos: t.boolean,
  allowDuplicateMessages: t.boolean,
  retainAvailable: t.boolean,
  retainExpiryS: count,
  sessionExpiryMaxS: orNull(whole(1, 0xffffffff)),
  sharedOrder: oneOf(['round robin', 'prefer online', 'sticky', 'hash of topic'] as const),
  sharedOffline: oneOf(['queue', 'drop'] as const),
  reasonStrings: t.boolean,
  connectTimeoutMs: from1,
  stalledMs: from1,
  connectionsPerAddressMax: from1,
  connectionRatePerAddress: count,
  connectionBurstPerAddress: from1,
  subscriptionsPerSessionMax: from1,
  retainedCountMax: count,
  retainedBytesMax: count,
  warnings: list(t.string),
  notices: list(t.string),
  origins: list(origin),
})
