// The reason codes that the broker gives or asks about, under the names of the standard. What each
// is called in words, and the packets that it may stand in, is in reason.ts.

export const NO_SUBSCRIPTION_EXISTED = 0x11
export const UNSPECIFIED_ERROR = 0x80
export const MALFORMED_PACKET = 0x81
export const PROTOCOL_ERROR = 0x82
export const IMPLEMENTATION_SPECIFIC = 0x83
export const UNSUPPORTED_PROTOCOL_VERSION = 0x84
export const CLIENT_IDENTIFIER_NOT_VALID = 0x85
export const NOT_AUTHORIZED = 0x87
export const SERVER_UNAVAILABLE = 0x88
export const SERVER_BUSY = 0x89
export const SERVER_SHUTTING_DOWN = 0x8b
export const BAD_AUTHENTICATION_METHOD = 0x8c
export const KEEP_ALIVE_TIMEOUT = 0x8d
export const SESSION_TAKEN_OVER = 0x8e
export const TOPIC_FILTER_INVALID = 0x8f
export const TOPIC_NAME_INVALID = 0x90
export const PACKET_IDENTIFIER_NOT_FOUND = 0x92
export const RECEIVE_MAXIMUM_EXCEEDED = 0x93
export const TOPIC_ALIAS_INVALID = 0x94
export const PACKET_TOO_LARGE = 0x95
export const QUOTA_EXCEEDED = 0x97
export const ADMINISTRATIVE_ACTION = 0x98
export const PAYLOAD_FORMAT_INVALID = 0x99
export const RETAIN_NOT_SUPPORTED = 0x9a
export const QOS_NOT_SUPPORTED = 0x9b
export const USE_ANOTHER_SERVER = 0x9c
export const SERVER_MOVED = 0x9d
export const SHARED_NOT_SUPPORTED = 0x9e
export const CONNECTION_RATE_EXCEEDED = 0x9f
export const IDENTIFIERS_NOT_SUPPORTED = 0xa1
export const WILDCARDS_NOT_SUPPORTED = 0xa2
