// A client that sends nonsense: honest streams with bits flipped, pieces cut out, swapped or
// repeated, or no stream at all. Everything follows from one seed, so that a failure can be sent
// again.

import { Buffer } from 'node:buffer'
import { ackBytes, bytes, connectBytes, pingreqBytes, publishBytes } from './wire.ts'
import type { Level } from './wire.ts'

/** Uniform whole numbers below a bound, the same ones for the same seed (mulberry32). */
export type Dice = (below: number) => number

export const dice = (seed: number): Dice => {
  let state = seed >>> 0
  return (below) => {
    state = state + 0x6d2b79f5 >>> 0
    let mixed = Math.imul(state ^ state >>> 15, state | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return ((mixed ^ mixed >>> 14) >>> 0) % below
  }
}

/** Honest packets of each kind that a client sends after CONNECT. */
const honest = (level: Level): ReadonlyArray<Buffer> => {
  const none = level === 5 ? '()' : ''
  const some = level === 5 ? '(01 01 02 0000000a 03 "type" 08 "re/ply" 09 <0102> 26 "k" "v")' : ''
  const subscribed = level === 5 ? '(0b 07 26 "k" "v")' : ''
  return [
    bytes(`82 [0001 ${subscribed} "f/+/a" 01 "f/#" 02 "$share/g/f" 00]`),
    bytes(`82 [0002 ${none} "f" 00]`),
    bytes(`a2 [0003 ${none} "f/#" "f/never"]`),
    bytes(`30 ["f/b/a" ${some} 'payload']`),
    bytes(`31 ["f/retained" ${none} 'kept']`),
    bytes(`32 ["f/b/a" 0004 ${some} 'payload']`),
    bytes(`34 ["f/b/a" 0005 ${none} 'payload'*20]`),
    ackBytes(0x62, 5),
    ackBytes(0x40, 1),
    ackBytes(0x50, 1),
    ackBytes(0x70, 1),
    pingreqBytes(),
    level === 5 ? bytes('30 ["f/alias" (23 0001) 01]') : pingreqBytes(),
    level === 5 ? bytes('30 [0000 (23 0001) 02]') : pingreqBytes(),
    level === 5 ? bytes('f0 [19 (15 "method")]') : pingreqBytes(),
    publishBytes({ level, topic: 'f/large', payload: Buffer.alloc(5_000, 'x') }),
    level === 5 ? bytes('e0 [04 (11 00000000)]') : bytes('e000'),
  ]
}

/** A CONNECT with everything in it. */
const greeting = (level: Level, id: string, rich: boolean): Buffer =>
  connectBytes({
    level,
    id,
    keepAliveS: 30,
    ...(rich
      ? {
        will: { topic: 'f/will', payload: 'will', qos: 1 as const },
        userName: 'user',
        password: 'password',
      }
      : {}),
    ...(rich && level === 5
      ? { properties: '11 0000000a 21 0014 27 00010000 22 000a 17 01 26 "k" "v"' }
      : {}),
  })

const randomBytes = (roll: Dice, length: number): Buffer => {
  const out = Buffer.alloc(length)
  for (let i = 0; i < length; i++) out[i] = roll(256)
  return out
}

/** One wound, of a kind that the dice choose. */
const wound = (roll: Dice, stream: Buffer): Buffer => {
  if (stream.length === 0) return randomBytes(roll, 1 + roll(50))
  const at = roll(stream.length)
  const to = at + roll(stream.length - at + 1)
  switch (roll(8)) {
    case 0:
    case 1: {
      const flipped = Buffer.from(stream)
      flipped[at] = (flipped[at] ?? 0) ^ 1 << roll(8)
      return flipped
    }
    case 2:
      return stream.subarray(0, at)
    case 3:
      return Buffer.concat([stream.subarray(0, at), stream.subarray(to)])
    case 4:
      return Buffer.concat([stream.subarray(0, to), stream.subarray(at)])
    case 5:
      return Buffer.concat([
        stream.subarray(0, at),
        randomBytes(roll, roll(20)),
        stream.subarray(at),
      ])
    case 6: {
      const overwritten = Buffer.from(stream)
      overwritten[at] = [0, 1, 0x7f, 0x80, 0xff][roll(5)] ?? 0
      return overwritten
    }
    default:
      return Buffer.concat([stream.subarray(0, at), randomBytes(roll, roll(40))])
  }
}

/** What one hostile connection does. */
export interface Attack {
  readonly level: Level
  /** An honest CONNECT that goes before, or null where the nonsense begins at once. */
  readonly greeting: Uint8Array | null
  /** What follows, in the pieces in which it is written. */
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly end: 'reset' | 'close' | 'wait'
}

export const attack = (roll: Dice, index: number): Attack => {
  const level = ([3, 4, 5, 5] as const)[roll(4)] ?? 5
  const greet = greeting(level, `fuzz-${index % 50}`, roll(2) === 0)
  const packets = honest(level)
  const chosen: Buffer[] = []
  for (let n = 1 + roll(5); n > 0; n--) chosen.push(packets[roll(packets.length)] ?? greet)
  const isGreeted = roll(4) > 0
  let stream: Buffer = isGreeted ? Buffer.concat(chosen) : Buffer.concat([greet, ...chosen])
  if (roll(12) === 0) stream = randomBytes(roll, 1 + roll(300))
  for (let n = 1 + roll(3); n > 0; n--) stream = wound(roll, stream)
  const pieces: Buffer[] = []
  for (let at = 0; at < stream.length;) {
    const end = roll(2) === 0 ? stream.length : at + 1 + roll(stream.length - at)
    pieces.push(stream.subarray(at, end))
    at = end
  }
  const end = (['reset', 'close', 'wait'] as const)[roll(3)] ?? 'close'
  return { level, greeting: isGreeted ? greet : null, pieces, end }
}

export const attackText = (made: Attack): string =>
  `level ${made.level}, ${made.greeting === null ? 'at once' : 'after CONNECT'}: ` +
  made.pieces.map((piece) => Buffer.from(piece).toString('hex')).join(' / ')
