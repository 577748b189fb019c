// The brokers that rows are played against: what of their configuration differs from the defaults,
// and who may come in where somebody is asked.

import type { Config } from '../../core/broker/config.ts'
import type { Query, Question } from '../../core/broker/effect.ts'
import type { Answer } from '../../core/broker/input.ts'
import * as Bytes from '../../core/data/bytes.ts'
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
  modest: {
    maximumQos: 1,
    retainAvailable: false,
    wildcardAvailable: false,
    sharedAvailable: false,
    subscriptionIdentifiersAvailable: false,
  },
  strict: { payloadFormatCheck: true },
  wordy: {
    reasonStrings: true,
    subscriptionsPerSessionMax: 1,
    queuedCountMax: 1,
    retainedBytesMax: 30,
  },
  elsewhere: { redirect: 'use another server', serverReference: 'there:1883' },
  moved: { redirect: 'server moved' },
  scram: {
    authenticationMethods: ['SCRAM-SHA-256'],
    authenticationBytesMax: 96,
    connectTimeoutMs: 400,
  },
  far: {
    connectionsPerAddressMax: 2,
    connectionRatePerAddress: 1,
    connectionBurstPerAddress: 3,
  },
  kept: { persistence: true, subscriptionsPerSessionMax: 3 },
  tight: { unwrittenBytesMax: 70_000, stalledMs: 1_000 },
}

/** Where clients in memory come from. */
export const addressOf = (room: Room): string => room === 'far' ? '192.0.2.1' : '127.0.0.1'

const verdicts: Readonly<Record<string, number>> = { good: 0, banned: 0x8a, odd: 0x80 }

/** What becomes of whom hangs on the user name alone; nobody knows a right password. */
export const verdictOn = ({ userName }: Question): number => verdicts[userName ?? ''] ?? 0x86

const filled = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

/**
 * What becomes of who authenticates himself, so that rows can write it down: the salt is four
 * letters, a proof of 32 times 01 is right, and its signature is 32 times 02. Of the one who is
 * slow nothing is ever found out (null), nor of a proof of 32 times 04; who is banned has no salt.
 */
export const knowledgeOf = (query: Query): Answer | null => {
  const { userName } = query
  if (userName === 'slow') return null
  if (userName === 'banned') return { _tag: 'Refused', reason: 0x8a }
  if (query._tag === 'ScramSalt') {
    const salt = Bytes.of(new TextEncoder().encode('salt'))
    return { _tag: 'ScramSalt', salt, iterations: 4_096 }
  }
  const proof = Bytes.view(query.proof)
  if (proof.every((byte) => byte === 4)) return null
  return proof.every((byte) => byte === 1)
    ? { _tag: 'ScramSignature', signature: Bytes.of(filled(2)) }
    : { _tag: 'Refused', reason: 0x87 }
}
