// What a run of the broker came to, as one number of 32 bits: two runs that want the same have the
// same digest on every runtime. Secrets count as being there or not, since a recording has none,
// and payloads as far as it has them. Not made against forgery.

import type { Effect } from '../broker/effect.ts'
import type { Conn } from '../broker/input.ts'
import type { Packet } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import type { Bytes } from '../data/bytes.ts'

/** What a payload counts as, beside its size. */
export type Weigh = (payload: Bytes) => number

const multiplier = 0x85ebca6b

const mix = (digest: number, word: number): number => {
  const mixed = Math.imul(digest ^ word, multiplier)
  return mixed ^ (mixed >>> 15)
}

const text = (digest: number, some: string): number => {
  for (let i = 0; i < some.length; i++) digest = mix(digest, some.charCodeAt(i))
  return mix(digest, some.length)
}

const number = (digest: number, some: number): number =>
  (some | 0) === some ? mix(digest, some) : mix(mix(digest, some | 0), Math.floor(some / 2 ** 32))

/** Of these it counts that they are there. */
const secrets: ReadonlySet<string> = new Set([
  'password',
  'authenticationData',
  'salt',
  'signed',
  'proof',
  'signature',
])

const secretSign = 11

// There are as many keys as the types of effects have.
const signs = new Map<string, number>()

const signOf = (key: string): number => {
  const known = signs.get(key)
  if (known !== undefined) return known
  const sign = secrets.has(key) ? secretSign : text(8, key)
  signs.set(key, sign)
  return sign
}

const isBytes = (some: unknown): some is Bytes =>
  typeof some === 'object' && some !== null && 'buffer' in some &&
  some.buffer instanceof Uint8Array

/** Anything that is plain data; as deep as effects are. */
const value = (digest: number, some: unknown): number => {
  switch (typeof some) {
    case 'number':
      return number(mix(digest, 1), some)
    case 'string':
      return text(mix(digest, 2), some)
    case 'boolean':
      return mix(digest, some ? 3 : 4)
    case 'object':
      break
    default:
      return mix(digest, 5)
  }
  if (some === null) return mix(digest, 6)
  if (Array.isArray(some)) {
    digest = mix(digest, 7)
    for (let i = 0; i < some.length; i++) digest = value(digest, some[i])
    return mix(digest, some.length)
  }
  return record(mix(digest, 8), some)
}

const record = (digest: number, some: object): number => {
  if (isBytes(some)) {
    const { buffer, start, end } = some
    for (let i = start; i < end; i++) digest = mix(digest, buffer[i]!)
    return mix(digest, end - start)
  }
  const fields = some as Readonly<Record<string, unknown>>
  for (const key in fields) {
    const held = fields[key]
    const sign = signOf(key)
    digest = mix(digest, sign)
    if (sign === secretSign) digest = mix(digest, held === null || held === undefined ? 9 : 10)
    else if (key === 'payload' && isBytes(held)) digest = mix(digest, held.end - held.start)
    else digest = value(digest, held)
  }
  return digest
}

const dollar = 0x24

// What arrives together is often on one topic. What the broker says of itself begins with a dollar.
let topic: string | null = null
let topicDigest = 0
let isTopicOurs = false

const topicName = (name: string): number => {
  if (name === topic) return topicDigest
  topic = name
  topicDigest = text(0x746f70, name)
  isTopicOurs = name === '' || name.charCodeAt(0) === dollar
  return topicDigest
}

const packet = (digest: number, some: Packet, weigh: Weigh | null): number => {
  switch (some._tag) {
    case 'Publish': {
      const { payload, properties } = some
      const flags = (some.dup ? 0x80000 : 0) | (some.qos << 17) | (some.retain ? 0x10000 : 0)
      // Side by side, not one after the other: a processor does many products at once.
      const name = topicName(some.topic)
      // What the broker says of itself is in no veil, and a topic alias may stand for that.
      const weight = weigh === null || isTopicOurs ? 0 : weigh(payload)
      digest = mix(
        digest,
        name ^ Math.imul(some.packetId | flags, 0x27d4eb2f) ^
          Math.imul(payload.end - payload.start, 0xc2b2ae35) ^ Math.imul(weight, 0x846ca68b),
      )
      return properties === none ? digest : record(digest, properties)
    }
    case 'Puback':
    case 'Pubrec':
    case 'Pubrel':
    case 'Pubcomp': {
      // The fourth letters differ, or the sixth.
      digest = mix(
        digest,
        Math.imul(some._tag.charCodeAt(3), 0x27d4eb2f) ^ Math.imul(some.packetId, 0xc2b2ae35) ^
          Math.imul(some.reason, 0x165667b1) ^ Math.imul(some._tag.charCodeAt(5), 0x9e3779b1),
      )
      return some.properties === none ? digest : record(digest, some.properties)
    }
    default:
      return record(digest, some)
  }
}

// A burst to the same receivers names the same array.
let receivers: ReadonlyArray<Conn> = []
let receiversDigest = 0

const connections = (conns: ReadonlyArray<Conn>): number => {
  if (conns === receivers) return receiversDigest
  let digest = conns.length
  for (let i = 0; i < conns.length; i++) {
    digest = number(mix(digest, conns[i]!.slot), conns[i]!.generation)
  }
  receivers = conns
  receiversDigest = digest
  return digest
}

/**
 * The digest of the effects of one run, in their order; `weigh` says what payloads of clients count
 * as, null where only their sizes do.
 */
export const digestOf = (effects: ReadonlyArray<Effect>, weigh: Weigh | null = null): number => {
  let digest = effects.length
  for (let i = 0; i < effects.length; i++) {
    const effect = effects[i]!
    switch (effect._tag) {
      case 'Send':
        // Mixed together with the packet, by multipliers that this has no use for.
        digest ^= Math.imul(effect.conn.slot, 0x7feb352d) ^
          Math.imul(effect.conn.generation, 0x2c1b3c6d) ^ (effect.level << 1) ^
          (effect.when === 'now' ? 0 : 1)
        digest = packet(digest, effect.packet, weigh)
        break
      case 'Multicast':
        digest = mix(mix(digest, 0x4d756c | effect.level), connections(effect.conns))
        digest = packet(digest, effect.packet, weigh)
        break
      default:
        digest = record(digest, effect)
    }
  }
  return digest >>> 0
}
