// Everything about the machine that an operator may set, as one flat value. Where a default is
// seen on the wire it is mosquitto's; the limits are there so that nothing a peer can grow is
// without one.
//
// A new configuration holds from the next input on. What a client was promised in CONNACK stays as
// it was promised until its connection ends: the rules of its listener, and every option that says
// that it is announced.

import type { Level, Qos } from '../codec/packet.ts'
import type { Acl } from './acl.ts'
import type { MethodName } from './method.ts'

/** What may differ from listener to listener. */
export interface ListenerRules {
  /**
   * `judge` asks the shell about every CONNECT (a Judge effect) before it is answered, unless it
   * names an authentication method: then that decides.
   */
  readonly authentication: 'none' | 'judge'
  /** Connections through the listener at once, all that share these rules by name together. */
  readonly listenerConnectionsMax: number
  /** Protocol levels that a client may speak; others are refused as unknown ones are. */
  readonly protocolLevels: ReadonlyArray<Level>
  /**
   * Put in front of every topic and topic filter of a client and taken away from what it is sent,
   * so that it sees nothing outside; '' for none. Response topics are left as they are.
   */
  readonly mountPoint: string
  /** Whether a client may leave its identifier to the broker. */
  readonly emptyClientIds: boolean
  /** What an identifier begins with that the broker invents. */
  readonly autoIdPrefix: string
  /** Whether clients without a user name, and without an authentication method, may connect. */
  readonly allowAnonymous: boolean
  /** The user name takes the place of the client identifier; who has none is refused. */
  readonly userNameAsClientId: boolean
  /** What clients may read and write; null for everything. */
  readonly acl: Acl | null
  /**
   * Where a pattern of the access list asks for a name with `/` in it, patterns give its client
   * nothing. For `+` and `#` this holds always.
   */
  readonly denySpecialChars: boolean
  /** Topic aliases a client may set; announced. */
  readonly topicAliasMaximum: number
  /** Topic aliases set towards an MQTT 5 client, of those that it allows; 0 for none. */
  readonly outgoingTopicAliasMax: number
  /** Highest QoS of publishes, wills and subscriptions; announced. */
  readonly maximumQos: Qos
}

/** The broker's own rules hold for every listener that `listeners` does not name. */
export interface Config extends ListenerRules {
  /** The rules of single listeners, whole, by the name that connections are opened with. */
  readonly listeners: ReadonlyArray<readonly [listener: string, rules: ListenerRules]>
  /** Only clients whose own identifier begins with this may connect; null for all. */
  readonly clientIdPrefix: string | null
  /** A retained message is delivered only while its publisher may publish to its topic. */
  readonly checkRetainSource: boolean
  /** Authentication methods that an MQTT 5 client may name in CONNECT. */
  readonly authenticationMethods: ReadonlyArray<MethodName>
  /** Largest authentication data taken from a client. */
  readonly authenticationBytesMax: number
  /** MQTT 5 clients are told in a sentence what was wrong. mosquitto never does it. */
  readonly reasonStrings: boolean
  /**
   * Given to MQTT 5 clients that ask for it in CONNECT, null for nothing. `%c` stands for the
   * client identifier and `%u` for the user name.
   */
  readonly responseInformation: string | null
  /** Nobody is accepted; MQTT 5 clients are told to go to `serverReference`, others are closed. */
  readonly redirect: 'none' | 'use another server' | 'server moved'
  /** Where clients are sent: `host` or `host:port`, several with spaces between. */
  readonly serverReference: string | null
  /** Payloads that are said to be UTF-8 and are not are refused. mosquitto lets them pass. */
  readonly payloadFormatCheck: boolean
  /** Largest packet accepted from a client that has connected; announced to MQTT 5 clients. */
  readonly packetBytesMax: number
  /** Largest payload of a publish or will, 0 for no limit but the packet's. */
  readonly payloadBytesMax: number
  /** Largest packet accepted before CONNECT has been accepted. */
  readonly connectPacketBytesMax: number
  /** A connection without an accepted CONNECT is closed after this time. */
  readonly connectTimeoutMs: number
  /** Cap on keep alive in seconds, 0 for none: MQTT 5 clients are told, older ones are refused. */
  readonly keepAliveMaxS: number
  /** Messages of QoS 1 and 2 in flight towards a client; 0 for no limit but the client's own. */
  readonly inflightCountMax: number
  /**
   * Bytes of messages in flight towards a client from which on no further one is sent, 0 for no
   * limit; so a message that is larger goes alone.
   */
  readonly inflightBytesMax: number
  /**
   * Packet identifiers towards a client go from 1 to this, 1 to 65535, and then round again. There
   * is no reason to lower it but to meet the end of the range sooner, as tests do.
   */
  readonly packetIdMax: number
  /** Unfinished QoS 1 and 2 publishes accepted from an MQTT 5 client at once; announced. */
  readonly receiveMaximum: number
  /** Unreleased QoS 2 publishes that a session may hold; one more closes the connection. */
  readonly incomingCountMax: number
  /** Bytes of unreleased QoS 2 publishes that a session may hold; likewise. */
  readonly incomingBytesMax: number
  /** Messages of stored sessions that have ended and that go little by little; more go at once. */
  readonly endedMessagesMax: number
  /** Whether QoS 0 waits in sessions whose client is away, as QoS 1 and 2 do. */
  readonly queueQos0: boolean
  /** Messages go out with the QoS of the subscription, and not with the lower of the two. */
  readonly upgradeOutgoingQos: boolean
  /**
   * Messages of QoS 1 and 2 waiting in a session beyond the window; one of QoS 0 has to fit
   * among all that wait. 0 for no limit.
   */
  readonly queuedCountMax: number
  /** Bytes of messages of any QoS waiting in a session; 0 for no limit. */
  readonly queuedBytesMax: number
  /** Bytes handed to a connection and not yet taken by its socket, above which QoS 0 is dropped. */
  readonly unwrittenBytesMax: number
  /** A connection whose socket has taken nothing for so long while bytes wait is closed. */
  readonly stalledMs: number
  readonly subscriptionsPerSessionMax: number
  readonly filtersPerPacketMax: number
  readonly retainedCountMax: number
  readonly retainedBytesMax: number
  /** How long a message without an expiry of its own is retained, 0 for ever. */
  readonly retainedExpiryMs: number
  readonly sessionsMax: number
  /**
   * Cap on a session's expiry interval in seconds, at every level; 0xFFFFFFFF is never. An MQTT 5
   * client that wanted more is told. A lower one holds for who connects from then on, and for all
   * sessions when the broker is made again of its store.
   */
  readonly sessionExpiryMaxS: number
  /** Whether publishes and wills may be retained; like the next three, announced where not. */
  readonly retainAvailable: boolean
  /** Whether a topic filter may have wildcards. */
  readonly wildcardAvailable: boolean
  readonly sharedAvailable: boolean
  readonly subscriptionIdentifiersAvailable: boolean
  /** One copy for each matching subscription of a client; else one for all of them. */
  readonly allowDuplicateMessages: boolean
  /** Which member of a shared group gets a message; `sticky` is the same as long as it can. */
  readonly sharedOrder: 'round robin' | 'prefer online' | 'sticky' | 'hash of topic'
  /** Whether what falls to a member that is away waits for it; if not, it gets no turns. */
  readonly sharedOffline: 'queue' | 'drop'
  readonly connectionsMax: number
  /** Connections from one address; loopback is exempt. */
  readonly connectionsPerAddressMax: number
  /** Connections a second from one address in the long run, 0 for no limit; loopback is exempt. */
  readonly connectionRatePerAddress: number
  /** Connections from one address at once, before the rate counts. */
  readonly connectionBurstPerAddress: number
  /**
   * Connections whose CONNECT has not been accepted; above it the oldest of them is closed that is
   * not being judged.
   */
  readonly unauthenticatedMax: number
  /** A connection younger than this is not closed for that reason. */
  readonly unauthenticatedGraceMs: number
  /** `$SYS` is published on multiples of this time on the wall's clock; 0 for no `$SYS` at all. */
  readonly sysIntervalMs: number
  /** What the broker calls itself under `$SYS/broker/version`. */
  readonly version: string
  /**
   * What outlives its connection outlives the process too: changes are handed to a store (a Persist
   * effect), and answers that hang on them wait until they are on disk. Settled when the broker
   * begins; a later configuration does not change it.
   */
  readonly persistence: boolean
}

/** What holds where nobody says otherwise; everybody may connect, and nothing is stored. */
export const defaults: Config = {
  listeners: [],
  authentication: 'none',
  listenerConnectionsMax: 1_000_000,
  protocolLevels: [3, 4, 5],
  mountPoint: '',
  emptyClientIds: true,
  autoIdPrefix: 'auto-',
  allowAnonymous: true,
  userNameAsClientId: false,
  acl: null,
  denySpecialChars: true,
  topicAliasMaximum: 10,
  outgoingTopicAliasMax: 10,
  maximumQos: 2,
  clientIdPrefix: null,
  checkRetainSource: true,
  authenticationMethods: [],
  authenticationBytesMax: 4_096,
  reasonStrings: false,
  responseInformation: null,
  redirect: 'none',
  serverReference: null,
  payloadFormatCheck: false,
  packetBytesMax: 2_000_000,
  payloadBytesMax: 0,
  connectPacketBytesMax: 131_072,
  connectTimeoutMs: 10_000,
  keepAliveMaxS: 0,
  inflightCountMax: 20,
  inflightBytesMax: 0,
  packetIdMax: 65_535,
  receiveMaximum: 20,
  incomingCountMax: 1_000,
  incomingBytesMax: 64 * 1024 * 1024,
  endedMessagesMax: 2_000_000,
  queueQos0: false,
  upgradeOutgoingQos: false,
  queuedCountMax: 1_000,
  queuedBytesMax: 16 * 1024 * 1024,
  unwrittenBytesMax: 1024 * 1024,
  stalledMs: 60_000,
  subscriptionsPerSessionMax: 10_000,
  filtersPerPacketMax: 10_000,
  retainedCountMax: 100_000,
  retainedBytesMax: 256 * 1024 * 1024,
  retainedExpiryMs: 0,
  sessionsMax: 100_000,
  sessionExpiryMaxS: 0xffffffff,
  retainAvailable: true,
  wildcardAvailable: true,
  sharedAvailable: true,
  subscriptionIdentifiersAvailable: true,
  allowDuplicateMessages: true,
  sharedOrder: 'round robin',
  sharedOffline: 'queue',
  connectionsMax: 1_000_000,
  connectionsPerAddressMax: 1_000,
  connectionRatePerAddress: 50,
  connectionBurstPerAddress: 200,
  unauthenticatedMax: 200,
  unauthenticatedGraceMs: 1_000,
  sysIntervalMs: 0,
  version: 'sabethes',
  persistence: false,
}

/** Throws where something is not there that has to be, as who has no types may leave it out. */
export const wholeConfig = (config: Config): Config => {
  const there: ReadonlyMap<string, unknown> = new Map(Object.entries(Object(config)))
  for (const name of Object.keys(defaults)) {
    if (there.get(name) !== undefined) continue
    throw new TypeError(
      `the configuration has no "${name}": write { ...defaults, and what is different }`,
    )
  }
  return config
}

/** What holds for the connections that came in through a listener. */
export const rulesOf = (config: Config, listener: string): ListenerRules => {
  const { listeners } = config
  for (let i = 0; i < listeners.length; i++) {
    if (listeners[i]![0] === listener) return listeners[i]![1]
  }
  return config
}

/** Whether any listener has an access list. */
export const hasAcl = (config: Config): boolean => {
  const { listeners } = config
  for (let i = 0; i < listeners.length; i++) if (listeners[i]![1].acl !== null) return true
  return config.acl !== null
}
