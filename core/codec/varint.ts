// The variable byte integer: seven bits a byte, lowest first, one to four bytes. Reading one is the
// business of the frame splitter and of the cursor, which differ in what they do about a fault.

/** The largest value in four bytes. */
const varintMax = 268_435_455

/** Bytes that `value` takes; 0 <= value <= varintMax. */
export const varintSize = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4

/**
 * Writes `value` in its shortest form [MQTT-1.5.5-1] and answers the index after it. A value that
 * no packet can hold is a fault of ours and throws.
 */
export const writeVarint = (target: Uint8Array, at: number, value: number): number => {
  if (value < 0x80) {
    target[at] = value
    return at + 1
  }
  if (!(value <= varintMax)) throw new RangeError(`${value} does not fit a variable byte integer`)
  let rest = value
  let to = at
  while (rest >= 0x80) {
    target[to++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[to++] = rest
  return to
}
