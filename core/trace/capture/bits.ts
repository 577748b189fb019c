// Numbers in bytes, in either order. Whoever asks has seen that the bytes are there.

/** Two bytes, the greater first. */
export const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! << 8 | bytes[at + 1]!

/** Four bytes, the greatest first. */
export const u32 = (bytes: Uint8Array, at: number): number =>
  (u16(bytes, at) * 0x1_0000) + u16(bytes, at + 2)

/** Two bytes in the order of a file. */
export const u16By = (bytes: Uint8Array, at: number, isLittle: boolean): number =>
  isLittle ? bytes[at + 1]! << 8 | bytes[at]! : u16(bytes, at)

/** Four bytes in the order of a file. */
export const u32By = (bytes: Uint8Array, at: number, isLittle: boolean): number =>
  isLittle ? u16By(bytes, at + 2, true) * 0x1_0000 + u16By(bytes, at, true) : u32(bytes, at)

/** From one 32-bit sequence number to another, which may lie on the other side of the wrap. */
export const distance = (from: number, to: number): number => (to - from) | 0

/** A sequence number so many bytes on. */
export const onward = (sequence: number, bytes: number): number => (sequence + bytes) >>> 0

/** The one and then the other; the same memory where there is only one. */
export const joined = (one: Uint8Array, other: Uint8Array): Uint8Array => {
  if (one.length === 0) return other
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
