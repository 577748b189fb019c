// What a peer may make the decoder do. Sizes are whole packets, header included, as MQTT 5 counts
// its Maximum Packet Size.

/** What a packet may come to, for `decode` and `createReader`. */
export interface Limits {
  /** Largest packet accepted once CONNECT has been decoded, or accepted where that is awaited. */
  readonly packetBytesMax: number
  /** Largest packet accepted before that: a will is of up to 65,535 bytes. */
  readonly connectPacketBytesMax: number
  /**
   * Largest property block of one packet (or of one will). Below what a packet may have, because
   * properties cost more for each receiver than a payload does; above what content type, response
   * topic, correlation data and a user property come to where each is as long as can be.
   */
  readonly propertyBytesMax: number
  /** User properties in one property block. */
  readonly userPropertiesMax: number
  /** Topic filters in one SUBSCRIBE or UNSUBSCRIBE, so that no packet takes long to decode. */
  readonly filtersMax: number
  /**
   * Whether strings in properties may have control characters and what is no Unicode character. A
   * receiver may refuse them (section 1.5.4 of MQTT 5). mosquitto does and so do its clients, which
   * close the connection on which a message with such a property comes.
   */
  readonly anyCharacters: boolean
}

/** What holds where nobody says otherwise. */
export const defaultLimits: Limits = {
  packetBytesMax: 2_000_000,
  connectPacketBytesMax: 131_072,
  propertyBytesMax: 400_000,
  userPropertiesMax: 1_000,
  filtersMax: 10_000,
  anyCharacters: false,
}
