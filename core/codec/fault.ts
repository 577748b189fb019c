// What is wrong with bytes that are not a packet, as a value: a peer's fault never throws.

import type { Level } from './level.ts'

/** What is wrong, which rule it breaks, and in which level that may be answered. */
export interface Fault {
  /** An MQTT 5 reason code, 0x80 and above. */
  readonly reason: number
  /**
   * The statement that was broken, as in `MQTT-3.1.2-3`; `v3 ` in front for 3.1.1's own numbers. A
   * rule that the standard states without a number goes under the general duty to close the
   * connection (`MQTT-4.13.1-1`, `v3 MQTT-4.8.0-1`).
   */
  readonly clause: string
  /** One sentence for the log: what was found and where. Holds nothing that the peer chose. */
  readonly detail: string
  /**
   * For a faulty CONNECT: the level in which a CONNACK may answer it, or 0 where the standard wants
   * silence (an unknown protocol name, for one). In every other packet the level of the connection.
   */
  readonly level: Level | 0
}

/** What is wrong: a reason code of MQTT 5, the broken statement, a sentence for the log. */
export const fault = (
  reason: number,
  clause: string,
  detail: string,
  level: Level | 0 = 0,
): Fault => ({ reason, clause, detail, level })

/** The statement for what has none of its own. */
export const generalClause = (level: Level | 0): string =>
  level === 3 || level === 4 ? 'v3 MQTT-4.8.0-1' : 'MQTT-4.13.1-1'
