// PINGREQ and PINGRESP: a header and nothing else.

import type { Pingreq, Pingresp } from './packet.ts'
import { writeHeader } from './writer.ts'

/** The one PINGREQ, which says nothing. */
export const pingreq: Pingreq = { _tag: 'Pingreq' }

/** The one PINGRESP, which says nothing. */
export const pingresp: Pingresp = { _tag: 'Pingresp' }

export const pingSize = 2

export const encodePing = (packet: Pingreq | Pingresp, target: Uint8Array, at: number): number =>
  writeHeader(target, at, packet._tag === 'Pingreq' ? 0xc0 : 0xd0, 0)
