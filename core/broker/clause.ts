// Which statement a fault breaks at the level of its connection. The machine names those of MQTT 5;
// before it the same rules have other numbers, or none.

import { type Fault, generalClause } from '../codec/fault.ts'
import type { Level } from '../codec/packet.ts'

/** The statements of MQTT 3.1.1 about the same. What is not here falls under its general duty. */
const elder: { readonly [clause: string]: string } = {
  'MQTT-3.1.0-1': 'v3 MQTT-3.1.0-1',
  'MQTT-3.1.0-2': 'v3 MQTT-3.1.0-2',
  'MQTT-3.1.4-2': 'v3 MQTT-3.2.2-5',
  'MQTT-3.2.2-12': 'v3 MQTT-3.2.2-6',
  'MQTT-3.2.2-13': 'v3 MQTT-3.2.2-6',
}

/** The fault in the words of the level; 0 where no level is known yet. */
export const atLevel = (fault: Fault, level: Level | 0): Fault =>
  level === 0 || level === 5 || fault.clause.startsWith('v3 ')
    ? fault
    : { ...fault, clause: elder[fault.clause] ?? generalClause(level) }
