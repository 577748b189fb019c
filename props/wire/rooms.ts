// The brokers that rows are played against: what of their configuration differs from the defaults,
// and who may come in where somebody is asked.

import type { Config } from '../../core/broker/config.ts'
import type { Question } from '../../core/broker/effect.ts'
import type { Room } from './exchange.ts'

export const roomConfigs: Readonly<Record<Room, Partial<Config>>> = {
  shared: {},
  alone: {},
  judge: { authentication: 'judge' },
  small: {
    packetBytesMax: 300,
    connectPacketBytesMax: 200,
    keepAliveMaxS: 100,
    inflightCountMax: 2,
    receiveMaximum: 5,
    incomingCountMax: 3,
    incomingBytesMax: 60,
    queuedCountMax: 2,
    subscriptionsPerSessionMax: 3,
    filtersPerPacketMax: 4,
    sessionExpiryMaxS: 1_000,
    topicAliasMaximum: 2,
  },
  hasty: { connectTimeoutMs: 400 },
  patient: { unauthenticatedMax: 2, unauthenticatedGraceMs: 60_000 },
  full: { retainedCountMax: 1, retainedBytesMax: 60, sessionsMax: 2 },
  crowded: { connectionsMax: 4, unauthenticatedMax: 2, unauthenticatedGraceMs: 0 },
}

const verdicts: Readonly<Record<string, number>> = { good: 0, banned: 0x8a, odd: 0x80 }

/** What becomes of whom hangs on the user name alone; nobody knows a right password. */
export const verdictOn = ({ userName }: Question): number => verdicts[userName ?? ''] ?? 0x86
