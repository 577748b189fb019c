// Topic names seen lately, by their bytes: a publisher says the same few names over and over, and
// looking one up costs a fraction of decoding and checking it. Remembering changes no result. The
// memory is fixed (4,096 places of 128 bytes) and has one place per name: two names that want the
// same place replace each other, so there is nothing in it for an adversary to fill or to probe.

import type { TopicName } from '../topic/name.ts'

const placeCount = 4096
const placeBytes = 128
const placeWords = placeBytes / 4

const names: Array<TopicName | null> = new Array(placeCount).fill(null)
const sizes = new Uint8Array(placeCount)
/** The bytes, four to a word: comparing words takes half the loads. */
const store = new Int32Array(placeCount * placeWords)

// Where hardly a name comes twice, looking for it and remembering it is in vain: then nothing is
// done for a while.
const trialCount = 1_024
const pauseCount = 16_384
let asked = 0
let known = 0
let pausing = 0

/** The topic name made of these bytes, if it is remembered. */
export const recall = (buffer: Uint8Array, start: number, end: number): TopicName | null => {
  if (pausing > 0) {
    pausing -= 1
    return null
  }
  if (asked === trialCount) {
    if (known < asked / 8) pausing = pauseCount
    asked = 0
    known = 0
  }
  asked += 1
  const size = end - start
  if (size > placeBytes) return null
  const place = placeOf(buffer, start, end)
  if (sizes[place] !== size) return null
  let word = place * placeWords
  let i = start
  for (; i + 4 <= end; i += 4) {
    if (store[word++] !== wordAt(buffer, i)) return null
  }
  if (i < end && store[word] !== lastWord(buffer, i, end)) return null
  known += 1
  return names[place]!
}

/** Remembers a valid topic name with the bytes it was decoded from. */
export const remember = (
  buffer: Uint8Array,
  start: number,
  end: number,
  name: TopicName,
): void => {
  const size = end - start
  if (size > placeBytes || pausing > 0) return
  const place = placeOf(buffer, start, end)
  let word = place * placeWords
  let i = start
  for (; i + 4 <= end; i += 4) store[word++] = wordAt(buffer, i)
  if (i < end) store[word] = lastWord(buffer, i, end)
  sizes[place] = size
  names[place] = name
}

const wordAt = (buffer: Uint8Array, at: number): number =>
  buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24)

/** One to three bytes; the size is compared besides, so nothing needs to tell `a` from `\0a`. */
const lastWord = (buffer: Uint8Array, at: number, end: number): number => {
  let word = 0
  for (let i = at; i < end; i++) word = (word << 8) | buffer[i]!
  return word
}

/** Four bytes at a time into a multiplicative hash; high bits are folded down after each. */
const placeOf = (buffer: Uint8Array, start: number, end: number): number => {
  let hash = end - start
  let i = start
  for (; i + 4 <= end; i += 4) {
    hash = Math.imul(hash ^ wordAt(buffer, i), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  if (i < end) {
    hash = Math.imul(hash ^ lastWord(buffer, i, end), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return (hash ^ (hash >>> 12)) & (placeCount - 1)
}
