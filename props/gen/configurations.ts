// Random settings that a configuration file can say, and what may have happened to a file.

import fc from 'fast-check'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { parseConfig } from '../../core/config/parse.ts'
import {
  defaultListener,
  defaultSettings,
  localOnly,
  logTypes,
} from '../../core/config/settings.ts'
import type {
  ListenerSettings,
  LogDestination,
  ProtocolLevel,
  Settings,
} from '../../core/config/settings.ts'
import type { ConfigError, Sources } from '../../core/config/source.ts'

/** Sources of texts by path, and folders by what lies in them. */
export const sourcesOf = (
  files: Readonly<Record<string, string>>,
  more: Partial<Sources> = {},
): Sources => {
  const folders = new Map<string, Either<'missing', ReadonlyArray<string>>>()
  for (const path of Object.keys(files)) {
    const at = path.lastIndexOf('/')
    if (at === -1) continue
    const folder = path.slice(0, at)
    const known = folders.get(folder)
    const names = known !== undefined && E.isRight(known) ? known.right : []
    folders.set(folder, E.right([...names, path.slice(at + 1)]))
  }
  return {
    files: new Map(Object.entries(files).map(([path, text]) => [path, E.right(text)])),
    folders,
    variables: new Map(),
    expand: false,
    ...more,
  }
}

/** A file `c` with this text. */
export const parse = (text: string, ports: ReadonlyArray<number> = []) =>
  parseConfig('c', sourcesOf({ c: text }), ports)

export const settingsIn = (text: string): Settings => {
  const parsed = parse(text)
  if (E.isLeft(parsed)) throw new Error(parsed.left.lines.join('\n'))
  return parsed.right
}

export const errorIn = (text: string): ConfigError => {
  const parsed = parse(text)
  if (E.isRight(parsed)) throw new Error(`no error in ${JSON.stringify(text)}`)
  return parsed.left
}

/** What a file can say to be text: no blanks at its ends, no controls. */
const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('/etc/mosquitto/passwd', '#', 'a b', '${HOME}', 'it\'s "x"', 'Zürich 🦟', '0'),
  fc.string({ unit: 'binary', maxLength: 12 }).map((s) =>
    // deno-lint-ignore no-control-regex
    s.replace(/[\x00-\x1f\x7f-\x9f\ufffd\ufdd0-\ufdef]|[\u{fffe}\u{ffff}]/gu, '')
      .trim()
  ).filter((s) => s !== ''),
)

/** A record with the prototype that a literal has. */
const record = <A>(of: { [K in keyof A]: fc.Arbitrary<A[K]> }): fc.Arbitrary<A> =>
  fc.record(of, { noNullPrototype: true })

const orNull = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | null> =>
  fc.option(arbitrary, { nil: null })

const bool = fc.boolean()
const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const big = (min: number): fc.Arbitrary<number> =>
  fc.oneof(int(min, 9), fc.maxSafeInteger().map((n) => Math.max(min, Math.abs(n))))
const intMax = 2_147_483_647

const anyLog = record({
  destinations: fc.uniqueArray(
    fc.oneof<Array<fc.Arbitrary<LogDestination>>>(
      fc.constantFrom('stderr' as const, 'stdout' as const, 'syslog' as const, 'topic' as const)
        .map((to) => ({ to })),
      anyText.map((path) => ({ to: 'file' as const, path })),
    ),
    { selector: ({ to }) => to, maxLength: 4 },
  ),
  types: fc.subarray([...logTypes]),
  timestamp: bool,
  timestampFormat: orNull(anyText),
  facility: fc.constantFrom('daemon' as const, 'local0' as const, 'local7' as const),
  format: fc.constantFrom('text' as const, 'json' as const),
  connectionMessages: bool,
})

const anyPersistence = record({
  folder: fc.oneof(fc.constant(''), anyText),
  fileName: orNull(anyText),
  storeBytesMax: orNull(big(1)),
  salvage: fc.constant(false),
  autosaveIntervalS: int(0, intMax),
  autosaveOnChanges: bool,
})

const anyLevels: fc.Arbitrary<ReadonlyArray<ProtocolLevel>> = fc.subarray(
  [3, 4, 5] as Array<ProtocolLevel>,
  { minLength: 1 },
)

/** What the lines below a `listener` can say, and in local-only mode lines without one. */
const anyWithin = {
  connectionsMax: orNull(int(1, intMax)),
  maximumQos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  bindInterface: orNull(anyText),
  domain: fc.constantFrom('any' as const, 'ipv4' as const, 'ipv6' as const),
  anonymous: bool,
  passwordFile: orNull(anyText),
  aclFile: orNull(anyText),
  zeroLengthClientId: bool,
  autoIdPrefix: fc.constantFrom('auto-', 'x', 'Zürich-'),
  usernameAsClientId: bool,
}

const anyListener = (port: number): fc.Arbitrary<ListenerSettings> =>
  record({
    ...anyWithin,
    host: orNull(fc.constantFrom('127.0.0.1', '::1', 'broker.example')),
    path: fc.constant<string | null>(null),
    levels: anyLevels,
    topicAliasMaximum: int(0, 65_535),
    outgoingTopicAliasMax: int(0, 65_535),
    mountPoint: orNull(fc.constantFrom('a/', 'b/c/', 'x')),
    deny: bool,
  }).map(({ deny, ...some }) => ({
    ...defaultListener(port),
    ...some,
    // Told to a plugin, and so there must be one.
    denySpecialChars: some.aclFile === null || deny,
    ...(port === 0 ? { path: '/run/x.sock', host: null, name: '/run/x.sock' } : {}),
  }))

const anyBroker = record({
  log: anyLog,
  persistence: orNull(anyPersistence),
  pidFile: orNull(anyText),
  traceFile: orNull(anyText),
  traceBytesMax: orNull(int(65_536, intMax)),
  traceOnStart: fc.boolean(),
  tracePayload: fc.constantFrom('full' as const, 'hash' as const, 'length' as const),
  user: orNull(anyText),
  sysIntervalS: int(0, 65_535),
  memoryLimitBytes: orNull(big(0)),
  tcpNoDelay: bool,
  readBufferBytes: int(0, 65_535),
  clientIdPrefix: orNull(anyText),
  checkRetainSource: bool,
  inflightCountMax: int(0, 65_534),
  inflightBytesMax: int(0, intMax),
  queuedCountMax: int(0, intMax),
  queuedBytesMax: int(0, intMax),
  packetBytesMax: int(20, intMax),
  payloadBytesMax: int(0, 268_435_455),
  keepAliveMaxS: int(0, 65_535),
  sessionsMax: orNull(int(1, intMax)),
  connectionsMax: orNull(int(1, intMax)),
  queueQos0: bool,
  upgradeOutgoingQos: bool,
  allowDuplicateMessages: bool,
  retainAvailable: bool,
  retainExpiryS: int(0, 10_000_000).map((minutes) => minutes * 60),
  sessionExpiryMaxS: orNull(int(1, 0xffffffff)),
  sharedOrder: fc.constantFrom(
    'round robin' as const,
    'prefer online' as const,
    'sticky' as const,
    'hash of topic' as const,
  ),
  sharedOffline: fc.constantFrom('queue' as const, 'drop' as const),
  reasonStrings: bool,
  connectTimeoutMs: int(1, 1_000_000).map((s) => s * 1000),
  stalledMs: int(1, 1_000_000).map((s) => s * 1000),
  connectionsPerAddressMax: big(1),
  connectionRatePerAddress: big(0),
  connectionBurstPerAddress: big(1),
  subscriptionsPerSessionMax: big(1),
  retainedCountMax: big(0),
  retainedBytesMax: big(0),
})

/** Settings that a file can say, but for warnings, notices and origins. */
export const anySettings: fc.Arbitrary<Settings> = fc.tuple(
  anyBroker,
  fc.oneof(
    record(anyWithin).map((within) => ({ within, listeners: null })),
    fc.uniqueArray(fc.constantFrom(0, 1883, 1884, 65_535), { minLength: 1 })
      .chain((ports) => fc.tuple(...ports.map(anyListener)))
      .map((listeners) => ({ within: null, listeners })),
  ),
).map(([broker, { within, listeners }]): Settings => {
  const settings = { ...defaultSettings, ...broker }
  return listeners === null
    ? localOnly([1883], settings, within ?? {})
    : { ...settings, isLocalOnly: false, listeners }
})
