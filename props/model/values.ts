// Looking at values from outside: freezing them, telling whether bytes in them have changed,
// telling two of them apart, and copying an input into buffers that can be overwritten
// afterwards.

import type { Input } from '../../core/broker/input.ts'
import { none } from '../../core/codec/properties.ts'
import * as Bytes from '../../core/data/bytes.ts'
import * as Queue from '../../core/data/queue.ts'

/** FNV-1a; enough to see a change that nobody made on purpose. */
const digest = (buffer: Uint8Array): number => {
  let hash = 0x811c9dc5 ^ buffer.length
  for (let i = 0; i < buffer.length; i++) hash = Math.imul(hash ^ buffer[i]!, 0x01000193)
  return hash
}

/** Everything that was ever frozen here, and what the bytes in it were. */
export interface Museum {
  readonly frozen: WeakSet<object>
  readonly digests: Map<Uint8Array, number>
}

export const newMuseum = (): Museum => ({ frozen: new WeakSet(), digests: new Map() })

/**
 * Freezes a value with everything in it. Typed arrays cannot be frozen: their digests are kept, but
 * for those in `lent`, which do not belong to the value.
 */
export const freeze = (
  museum: Museum,
  value: unknown,
  lent: ReadonlySet<Uint8Array> = new Set(),
): void => {
  const stack: Array<unknown> = [value]
  while (stack.length > 0) {
    const next = stack.pop()
    if (typeof next !== 'object' || next === null) continue
    if (next instanceof Uint8Array) {
      if (!lent.has(next) && !museum.digests.has(next)) museum.digests.set(next, digest(next))
      continue
    }
    if (museum.frozen.has(next)) continue
    museum.frozen.add(next)
    Object.freeze(next)
    for (const item of Object.values(next)) stack.push(item)
  }
}

/** Throws where bytes in something frozen have changed. */
export const inspect = (museum: Museum): void => {
  for (const [buffer, before] of museum.digests) {
    if (digest(buffer) !== before) {
      throw new Error(`${buffer.length} bytes of an old state or effect were written over`)
    }
  }
}

const isQueue = (value: object): value is Queue.Queue<unknown> =>
  'head' in value && 'headOwner' in value && 'tailOwner' in value

const isBytes = (value: object): value is Bytes.Bytes =>
  'buffer' in value && 'start' in value && 'end' in value && value.buffer instanceof Uint8Array

const entriesOf = (value: object): ReadonlyArray<readonly [string, unknown]> =>
  // How a queue's items lie in its chunks depends on who was allowed to edit them.
  isQueue(value)
    ? [...Queue.entries(value)].map((item, index) => [`items.${index}`, item])
    // Owner tokens say who may edit, not what there is.
    : Object.entries(value).filter(([key]) => key !== 'owner')

/** Where two values differ, as a path and both ends; null where they do not. */
export const difference = (a: unknown, b: unknown): string | null => {
  const stack: Array<readonly [string, unknown, unknown]> = [['', a, b]]
  const same = new WeakMap<object, WeakSet<object>>()
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [path, x, y] = pair
    if (Object.is(x, y)) continue
    if (typeof x !== 'object' || typeof y !== 'object' || x === null || y === null) {
      return `${path}: ${String(x)} and ${String(y)}`
    }
    // Which buffer bytes lie in, and where, says nothing: payloads of one run may share one.
    if (isBytes(x) && isBytes(y)) {
      stack.push([path, Bytes.view(x), Bytes.view(y)])
      continue
    }
    if (x instanceof Uint8Array || y instanceof Uint8Array) {
      const equal = x instanceof Uint8Array && y instanceof Uint8Array &&
        x.length === y.length && x.every((byte, i) => byte === y[i])
      if (!equal) return `${path}: the bytes differ`
      continue
    }
    const seen = same.get(x)
    if (seen?.has(y)) continue
    if (seen === undefined) same.set(x, new WeakSet([y]))
    else seen.add(y)
    const left = entriesOf(x)
    const right = entriesOf(y)
    if (left.length !== right.length) {
      return `${path}: keys ${left.map(([key]) => key)} and ${right.map(([key]) => key)}`
    }
    for (let i = 0; i < left.length; i++) {
      const [key, value] = left[i]!
      const [other, otherValue] = right[i]!
      // The order of keys counts: properties stand in it on the wire.
      if (key !== other) return `${path}: key ${key} and key ${other}`
      stack.push([`${path}.${key}`, value, otherValue])
    }
  }
  return null
}

/** A value in other objects and other buffers. */
const copyInto = (value: unknown, buffers: Set<Uint8Array>): unknown => {
  if (typeof value !== 'object' || value === null || value === none) return value
  if (value instanceof Uint8Array) {
    const copy = value.slice()
    buffers.add(copy)
    return copy
  }
  if (Array.isArray(value)) return value.map((item) => copyInto(item, buffers))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, copyInto(item, buffers)]),
  )
}

export interface Lent {
  readonly input: Input
  readonly buffers: ReadonlySet<Uint8Array>
  /** Overwrites the buffers, as the next read from the socket does. */
  readonly spoil: () => void
}

/** An input whose bytes lie in read buffers that last no longer than the run. */
export const lend = (input: Input): Lent => {
  const buffers = new Set<Uint8Array>()
  const copy = copyInto(input, buffers)
  return {
    input: copy as Input,
    buffers,
    spoil: () => buffers.forEach((buffer) => buffer.fill(0xaa)),
  }
}
