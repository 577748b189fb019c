// A run of bytes inside somebody's buffer, as three numbers' worth of data instead of a typed-array
// view: making a view costs more than decoding the packet it would point into. Who owns the buffer
// is the business of whoever hands the Bytes out; `own` is how to keep them.

/**
 * The bytes of `buffer` from `start` up to `end`; `of` makes one of an array, `view` an array of
 * one.
 */
export interface Bytes {
  readonly buffer: Uint8Array
  /** Index of the first byte. */
  readonly start: number
  /** Index after the last byte; start <= end <= buffer.length. */
  readonly end: number
}

const nothing = new Uint8Array(0)

/** No bytes at all. */
export const empty: Bytes = { buffer: nothing, start: 0, end: 0 }

/** All of `buffer`, shared, not copied. */
export const of = (buffer: Uint8Array): Bytes => ({ buffer, start: 0, end: buffer.length })

/** The bytes of `buffer` from `start` up to `end`, shared, not copied. */
export const slice = (buffer: Uint8Array, start: number, end: number): Bytes => ({
  buffer,
  start,
  end,
})

/** How many bytes it is. */
export const size = (bytes: Bytes): number => bytes.end - bytes.start

/** A typed-array view on the same memory. */
export const view = (bytes: Bytes): Uint8Array => bytes.buffer.subarray(bytes.start, bytes.end)

/**
 * A copy in a buffer of exactly this size, for whoever keeps bytes longer than they were lent. Not
 * `slice`: a Node Buffer is a Uint8Array too, and its slice shares memory.
 */
export const own = (bytes: Bytes): Bytes => {
  const count = bytes.end - bytes.start
  if (count === 0) return empty
  const buffer = new Uint8Array(count)
  copyTo(bytes, buffer, 0)
  return { buffer, start: 0, end: count }
}

/** Copies the bytes to `target` at `at`; answers the index after the last byte written. */
export const copyTo = (bytes: Bytes, target: Uint8Array, at: number): number => {
  const { buffer, start, end } = bytes
  const count = end - start
  if (count >= 192) {
    target.set(buffer.subarray(start, end), at)
    return at + count
  }
  // Few bytes cost less than the view that `set` wants, most so eight at a time.
  let from = start
  for (const whole = end - 7; from < whole; from += 8, at += 8) {
    target[at] = buffer[from]!
    target[at + 1] = buffer[from + 1]!
    target[at + 2] = buffer[from + 2]!
    target[at + 3] = buffer[from + 3]!
    target[at + 4] = buffer[from + 4]!
    target[at + 5] = buffer[from + 5]!
    target[at + 6] = buffer[from + 6]!
    target[at + 7] = buffer[from + 7]!
  }
  while (from < end) target[at++] = buffer[from++]!
  return at
}

/** Whether both hold the same bytes, wherever these lie. */
export const equals = (a: Bytes, b: Bytes): boolean => {
  const count = a.end - a.start
  if (b.end - b.start !== count) return false
  for (let i = 0; i < count; i++) {
    if (a.buffer[a.start + i] !== b.buffer[b.start + i]) return false
  }
  return true
}
