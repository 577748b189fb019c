// Everything about the machine that an operator may set, as one flat value. Where a default is
// seen on the wire it is mosquitto's; the limits are there so that nothing a peer can grow is
// without one.

export interface Config {
  /** `judge` asks the shell about every CONNECT (a Judge effect) before it is answered. */
  readonly authentication: 'none' | 'judge'
  /** Largest packet accepted from a client that has connected; announced to MQTT 5 clients. */
  readonly packetBytesMax: number
  /** Largest packet accepted before CONNECT has been accepted. */
  readonly connectPacketBytesMax: number
  /** A connection without an accepted CONNECT is closed after this time. */
  readonly connectTimeoutMs: number
  /** Cap on keep alive in seconds, 0 for none: MQTT 5 clients are told, older ones are refused. */
  readonly keepAliveMaxS: number
  /** Messages of QoS 1 and 2 in flight towards a client; 0 for no limit but the client's own. */
  readonly inflightCountMax: number
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
  /** Messages waiting in a session beyond the window; 0 for no limit. */
  readonly queuedCountMax: number
  /** Bytes of messages waiting in a session; 0 for no limit. */
  readonly queuedBytesMax: number
  /** Bytes handed to a connection and not yet taken by its socket, above which QoS 0 is dropped. */
  readonly unwrittenBytesMax: number
  /** A connection whose socket has taken nothing for so long while bytes wait is closed. */
  readonly stalledMs: number
  readonly subscriptionsPerSessionMax: number
  readonly filtersPerPacketMax: number
  readonly retainedCountMax: number
  readonly retainedBytesMax: number
  readonly sessionsMax: number
  /** Cap on a session's expiry interval in seconds; 0xFFFFFFFF is never. */
  readonly sessionExpiryMaxS: number
  /** Topic aliases a client may set; announced. */
  readonly topicAliasMaximum: number
  readonly connectionsMax: number
  /** Connections from one address; loopback is exempt. */
  readonly connectionsPerAddressMax: number
  /** Connections whose CONNECT has not been accepted; above it the oldest of them is closed. */
  readonly unauthenticatedMax: number
  /** A connection younger than this is not closed for that reason. */
  readonly unauthenticatedGraceMs: number
}

export const defaults: Config = {
  authentication: 'none',
  packetBytesMax: 2_000_000,
  connectPacketBytesMax: 65_536,
  connectTimeoutMs: 10_000,
  keepAliveMaxS: 0,
  inflightCountMax: 20,
  packetIdMax: 65_535,
  receiveMaximum: 20,
  incomingCountMax: 1_000,
  incomingBytesMax: 64 * 1024 * 1024,
  queuedCountMax: 1_000,
  queuedBytesMax: 16 * 1024 * 1024,
  unwrittenBytesMax: 1024 * 1024,
  stalledMs: 60_000,
  subscriptionsPerSessionMax: 1_000,
  filtersPerPacketMax: 100,
  retainedCountMax: 100_000,
  retainedBytesMax: 256 * 1024 * 1024,
  sessionsMax: 100_000,
  sessionExpiryMaxS: 0xffffffff,
  topicAliasMaximum: 10,
  connectionsMax: 1_000_000,
  connectionsPerAddressMax: 1_000,
  unauthenticatedMax: 200,
  unauthenticatedGraceMs: 1_000,
}
