// What the calls of a simulated world take besides names and times.

import type { Config } from '../../core/broker/config.ts'
import type { Question } from '../../core/broker/effect.ts'
import type { ConnectWish } from '../../core/codec/make.ts'
import type { Qos } from '../../core/codec/packet.ts'
import type { Properties } from '../../core/codec/properties.ts'
import type { Span } from './clock.ts'

/** What `simulate` takes; everything has a default. */
export interface SimulateOptions {
  /** What differs from the defaults of the broker; `persistence: true` gives it a disk. */
  readonly config?: Partial<Config>
  /**
   * For all that is left to chance, a whole number; the same seed, the same conversation. 1 unless
   * given.
   */
  readonly seed?: number
  /** Where the clock on the wall begins, in Unix milliseconds; 2027-01-15T08:00Z unless given. */
  readonly wall?: number
  /**
   * Answers who may connect, where the configuration says 'judge': 0 for yes, or a reason code of
   * CONNACK from 0x80 on. At once: in a simulated world nobody waits for a promise.
   */
  readonly judge?: (question: Question) => number
  /** Whether `show` has PINGREQ and PINGRESP too, of which a day brings thousands. */
  readonly showPings?: boolean
}

/** What `world.delay` takes besides a time. */
export interface DelayOptions {
  /** At most so much longer, by chance. */
  readonly jitter?: Span
}

/** How a client connects and behaves; what is left out is as a good library does it. */
export interface ClientWish extends Partial<ConnectWish> {
  /** Seconds for which the broker keeps the session: `sessionExpiryInterval` of the properties. */
  readonly sessionExpiryS?: number
  /** Whether it keeps the connection alive with PINGREQ; it does. */
  readonly pings?: boolean
  /** Whether it acknowledges what it gets; it does. One that does not acknowledges by `send`. */
  readonly acknowledges?: boolean
}

/** How a message is published. QoS 0, not retained and without properties by default. */
export interface PublishOptions {
  readonly qos?: Qos
  readonly retain?: boolean
  readonly properties?: Properties
}
