// What an operator has asked for, as one plain value: everything that a configuration file, the
// command line or nothing at all says about a broker, with names and units of our own. Shells start
// from it; `brokerConfig` makes of it what the machine needs.

import { defaults } from '../broker/config.ts'
import type { Config } from '../broker/config.ts'

/** A line of a file that was read. Lines count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** Where lines of the log go. */
export type LogDestination =
  | { readonly to: 'stderr' | 'stdout' | 'syslog' | 'topic' }
  | { readonly to: 'file'; readonly path: string }

/** What a log line is filtered by; `log_type all` is all of them, `none` is none. */
export type LogType =
  | 'error'
  | 'warning'
  | 'notice'
  | 'information'
  | 'debug'
  | 'subscribe'
  | 'unsubscribe'
  | 'websockets'
  | 'internal'

/** All of them, in the order in which they are listed. */
export const logTypes: ReadonlyArray<LogType> = [
  'error',
  'warning',
  'notice',
  'information',
  'debug',
  'subscribe',
  'unsubscribe',
  'websockets',
  'internal',
]

/** What a line is filed under in syslog. */
export type LogFacility =
  | 'daemon'
  | 'local0'
  | 'local1'
  | 'local2'
  | 'local3'
  | 'local4'
  | 'local5'
  | 'local6'
  | 'local7'

/** Where the log goes, which lines, and how they look. */
export interface LogSettings {
  /** Without duplicates, at most one file; empty for no log at all. */
  readonly destinations: ReadonlyArray<LogDestination>
  /** In the order of `logTypes`, without duplicates. */
  readonly types: ReadonlyArray<LogType>
  /** Whether lines begin with the time. */
  readonly timestamp: boolean
  /** A format of strftime(3); null for Unix seconds. */
  readonly timestampFormat: string | null
  readonly facility: LogFacility
  /** One line of text for each event, or one JSON object. */
  readonly format: 'text' | 'json'
  /** Whether clients that come and go are worth a line. */
  readonly connectionMessages: boolean
}

export interface PersistenceSettings {
  /** Folder of the store; empty for the working directory. */
  readonly folder: string
  /** Name of the file in it, null where nobody said: the store then has its own. */
  readonly fileName: string | null
  /** The files of the store together stay below so many bytes; null: the disk decides. */
  readonly storeBytesMax: number | null
  /** Whether what is sound of a damaged store is served; else it is refused. */
  readonly salvage: boolean
  /**
   * mosquitto's seconds (or, with `autosaveOnChanges`, changes) between saves, 0 for at the end
   * only. Sabethes has everything on disk before it acknowledges, so there is nothing to save.
   */
  readonly autosaveIntervalS: number
  readonly autosaveOnChanges: boolean
}

export type ProtocolLevel = 3 | 4 | 5

/** A listener with all that holds for it; what was said for all listeners is in here as well. */
export interface ListenerSettings {
  /**
   * The name that its connections are opened with, unique: the port as text, or the path of a Unix
   * socket. Where two share a port, `1883 on 127.0.0.1`.
   */
  readonly name: string
  /** 1 to 65535; 0 for a Unix socket (and, from programs that embed the broker, any free port). */
  readonly port: number
  /**
   * A host name or address, null for all addresses of the machine. In local-only mode `localhost`,
   * which is 127.0.0.1 and ::1, not what a resolver says.
   */
  readonly host: string | null
  /** Path of a Unix socket, null for TCP. */
  readonly path: string | null
  /** Name of the network interface to bind to, null for all. */
  readonly bindInterface: string | null
  readonly domain: 'any' | 'ipv4' | 'ipv6'
  readonly protocol: 'mqtt'
  /** Protocol levels that are served: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0; ascending. */
  readonly levels: ReadonlyArray<ProtocolLevel>
  /** Connections at once, null for no limit of its own. */
  readonly connectionsMax: number | null
  readonly maximumQos: 0 | 1 | 2
  readonly topicAliasMaximum: number
  readonly outgoingTopicAliasMax: number
  /** In front of every topic and filter of its clients, null for nothing. */
  readonly mountPoint: string | null
  /** Whether clients without a user name may connect. */
  readonly anonymous: boolean
  readonly passwordFile: string | null
  readonly aclFile: string | null
  /** Whether an empty client identifier is taken and one made up instead. */
  readonly zeroLengthClientId: boolean
  /** Before identifiers that are made up, at most 50 bytes; empty for nothing. */
  readonly autoIdPrefix: string
  readonly usernameAsClientId: boolean
  /**
   * Whether user names and client identifiers with `+`, `#` or `/` are kept away from ACL patterns.
   */
  readonly denySpecialChars: boolean
}

export interface Settings {
  /** No listener was asked for: only clients on this machine can connect. */
  readonly isLocalOnly: boolean
  readonly listeners: ReadonlyArray<ListenerSettings>
  readonly log: LogSettings
  /** Null where nothing outlives the process. */
  readonly persistence: PersistenceSettings | null
  readonly pidFile: string | null
  /** Where all that the broker is told is recorded, null for nowhere. */
  readonly traceFile: string | null
  /** Whether recording begins with the broker; else it waits for `sabethes trace start`. */
  readonly traceOnStart: boolean
  /** All files of the recording together; null: one file that grows. */
  readonly traceBytesMax: number | null
  /** What of payloads is recorded. */
  readonly tracePayload: 'full' | 'hash' | 'length'
  /** User to become after a start as root, null where nobody said. */
  readonly user: string | null
  /** Seconds between publications of $SYS, 0 for none. */
  readonly sysIntervalS: number
  /** Memory that the process may use, 0 for no limit, null for what the machine has. */
  readonly memoryLimitBytes: number | null
  readonly tcpNoDelay: boolean
  /** First size of a connection's read buffer, 0 to 65535. */
  readonly readBufferBytes: number
  /** Only clients whose own identifier begins with this may connect; null for all. */
  readonly clientIdPrefix: string | null
  /** Whether a retained message is delivered only while its publisher may still publish it. */
  readonly checkRetainSource: boolean
  /** Messages of QoS 1 and 2 in flight towards a client; 0 for no limit but the client's own. */
  readonly inflightCountMax: number
  /** The same in bytes; 0 for no limit. */
  readonly inflightBytesMax: number
  /**
   * Messages of QoS 1 and 2 waiting in a session beyond those in flight; one of QoS 0 has to fit
   * among all that wait. 0 for no limit.
   */
  readonly queuedCountMax: number
  /** Bytes of messages of any QoS waiting in a session; 0 for no limit. */
  readonly queuedBytesMax: number
  /** Largest packet, from 20. */
  readonly packetBytesMax: number
  /** Largest payload of a PUBLISH; 0 for no limit but that of the packet. */
  readonly payloadBytesMax: number
  /** Cap on keep alive in seconds; 0 for none. */
  readonly keepAliveMaxS: number
  /** Sessions, connected or not; null for no limit. */
  readonly sessionsMax: number | null
  /** Connections at once; null for as many as the process may have. */
  readonly connectionsMax: number | null
  /** Whether QoS 0 messages wait for sessions that are away. */
  readonly queueQos0: boolean
  /** Whether messages are delivered at the QoS of the subscription, even above their own. */
  readonly upgradeOutgoingQos: boolean
  readonly allowDuplicateMessages: boolean
  readonly retainAvailable: boolean
  /** After so many seconds a retained message without an expiry of its own vanishes; 0: never. */
  readonly retainExpiryS: number
  /** After so many seconds a session that is away ends; null: never, or when it says itself. */
  readonly sessionExpiryMaxS: number | null
  readonly sharedOrder: Config['sharedOrder']
  readonly sharedOffline: Config['sharedOffline']
  readonly reasonStrings: boolean
  readonly connectTimeoutMs: number
  readonly stalledMs: number
  /** Connections from one address that is not loopback. */
  readonly connectionsPerAddressMax: number
  /** Connections a second from such an address in the long run, 0 for no limit. */
  readonly connectionRatePerAddress: number
  /** Connections from such an address at once, before the rate counts. */
  readonly connectionBurstPerAddress: number
  readonly subscriptionsPerSessionMax: number
  readonly retainedCountMax: number
  readonly retainedBytesMax: number
  /** What was odd but no error, for the log: whole sentences without "Warning: ". */
  readonly warnings: ReadonlyArray<string>
  /** The same for what is good to know: included files, options that have a newer name. */
  readonly notices: ReadonlyArray<string>
  /** Where values that were set come from; for what was set twice the place that counts. */
  readonly origins: ReadonlyArray<Origin>
}

/** Where the value of an option was given; `listener` is the name of one, null for the broker. */
export interface Origin {
  readonly option: string
  readonly listener: string | null
  readonly place: Place
}

/** mosquitto's port. */
export const defaultPort = 1883

/** What fits into the address of a Unix socket on Linux. */
export const socketPathBytesMax = 107

export const defaultLog: LogSettings = {
  destinations: [{ to: 'stderr' }],
  types: ['error', 'warning', 'notice', 'information'],
  timestamp: true,
  timestampFormat: null,
  facility: 'daemon',
  format: 'text',
  connectionMessages: true,
}

export const defaultPersistence: PersistenceSettings = {
  folder: '',
  fileName: null,
  storeBytesMax: null,
  salvage: false,
  autosaveIntervalS: 1800,
  autosaveOnChanges: false,
}

/** A listener of which only the port is known. It lets nobody in without a password. */
export const defaultListener = (port: number): ListenerSettings => ({
  name: String(port),
  port,
  host: null,
  path: null,
  bindInterface: null,
  domain: 'any',
  protocol: 'mqtt',
  levels: [3, 4, 5],
  connectionsMax: null,
  maximumQos: defaults.maximumQos,
  topicAliasMaximum: defaults.topicAliasMaximum,
  outgoingTopicAliasMax: defaults.outgoingTopicAliasMax,
  mountPoint: null,
  anonymous: false,
  passwordFile: null,
  aclFile: null,
  zeroLengthClientId: true,
  autoIdPrefix: 'auto-',
  usernameAsClientId: false,
  denySpecialChars: true,
})

/** The settings of a program that was told nothing, without listeners. */
export const defaultSettings: Settings = {
  isLocalOnly: false,
  listeners: [],
  log: defaultLog,
  persistence: null,
  pidFile: null,
  traceFile: null,
  traceOnStart: true,
  traceBytesMax: null,
  tracePayload: 'hash',
  user: null,
  sysIntervalS: 10,
  memoryLimitBytes: null,
  tcpNoDelay: true,
  readBufferBytes: 4096,
  clientIdPrefix: null,
  checkRetainSource: true,
  inflightCountMax: defaults.inflightCountMax,
  inflightBytesMax: 0,
  queuedCountMax: defaults.queuedCountMax,
  queuedBytesMax: defaults.queuedBytesMax,
  packetBytesMax: defaults.packetBytesMax,
  payloadBytesMax: 0,
  keepAliveMaxS: defaults.keepAliveMaxS,
  sessionsMax: defaults.sessionsMax,
  connectionsMax: null,
  queueQos0: false,
  upgradeOutgoingQos: false,
  allowDuplicateMessages: defaults.allowDuplicateMessages,
  retainAvailable: defaults.retainAvailable,
  retainExpiryS: 0,
  sessionExpiryMaxS: null,
  sharedOrder: defaults.sharedOrder,
  sharedOffline: defaults.sharedOffline,
  reasonStrings: defaults.reasonStrings,
  connectTimeoutMs: defaults.connectTimeoutMs,
  stalledMs: defaults.stalledMs,
  connectionsPerAddressMax: defaults.connectionsPerAddressMax,
  connectionRatePerAddress: defaults.connectionRatePerAddress,
  connectionBurstPerAddress: defaults.connectionBurstPerAddress,
  subscriptionsPerSessionMax: defaults.subscriptionsPerSessionMax,
  retainedCountMax: defaults.retainedCountMax,
  retainedBytesMax: defaults.retainedBytesMax,
  warnings: [],
  notices: [],
  origins: [],
}

/**
 * The settings where no listener was asked for: loopback only, and anonymous clients may come in
 * unless somebody forbade it. Default: port 1883.
 */
export const localOnly = (
  ports: ReadonlyArray<number> = [defaultPort],
  settings: Settings = defaultSettings,
  every: Partial<ListenerSettings> = {},
): Settings => ({
  ...settings,
  isLocalOnly: true,
  listeners: ports.map((port) => ({
    ...defaultListener(port),
    anonymous: true,
    ...every,
    name: String(port),
    port,
    host: 'localhost',
  })),
})
