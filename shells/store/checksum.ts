// CRC-32C, and an order-free hash of many of them. A CRC finds every flipped bit and every burst of
// up to 32 of them. CRCs are linear, so that damage in two rows could cancel out in their sum: they
// are mixed first.

const table = new Int32Array(4 * 256)
for (let i = 0; i < 256; i++) {
  let crc = i
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  table[i] = crc
}
for (let i = 256; i < table.length; i++) {
  const crc = table[i - 256]!
  table[i] = (crc >>> 8) ^ table[crc & 255]!
}

/** CRC-32C of `buffer[start, end)`, from 0 to 2^32 - 1; four bytes at a time. */
export const crc32c = (buffer: Uint8Array, start: number, end: number): number => {
  let crc = -1
  let at = start
  for (const whole = end - 3; at < whole; at += 4) {
    crc ^= buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24)
    crc = table[768 + (crc & 255)]! ^ table[512 + ((crc >>> 8) & 255)]! ^
      table[256 + ((crc >>> 16) & 255)]! ^ table[crc >>> 24]!
  }
  while (at < end) crc = (crc >>> 8) ^ table[(crc ^ buffer[at++]!) & 255]!
  return ~crc >>> 0
}

/** What one checksum adds to the hash of a set: the finalizer of MurmurHash3, a bijection. */
export const mix = (checksum: number): number => {
  let h = checksum
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
