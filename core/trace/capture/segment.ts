// From an IP packet to the TCP segment in it. Checksums are not looked at: a machine that leaves
// them to its network card captures its own packets without.

import { u16, u32 } from './bits.ts'

export interface End {
  /** As text: `192.0.2.1`, `2001:db8::1`. */
  readonly address: string
  readonly port: number
}

export interface Segment {
  readonly from: End
  readonly to: End
  readonly sequence: number
  readonly acknowledged: number
  readonly flags: number
  /** Where its data is, as far as it was kept. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** Bytes of data on the wire. */
  readonly size: number
}

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10

/** `cut`: too little of it was kept to tell; `other`: it is not TCP. */
export type Found = Segment | 'fragment' | 'cut' | 'other'

const TCP = 6

const ipv4Text = (bytes: Uint8Array, at: number): string =>
  `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`

/** As RFC 5952 wants it. */
const ipv6Text = (bytes: Uint8Array, at: number): string => {
  const words: Array<number> = []
  for (let i = 0; i < 16; i += 2) words.push(u16(bytes, at + i))
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    return `::ffff:${ipv4Text(bytes, at + 12)}`
  }
  let [from, length] = [0, 0]
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && words[end] === 0) end++
    if (end - i > length && end - i > 1) [from, length] = [i, end - i]
  }
  const text = (some: ReadonlyArray<number>): string =>
    some.map((word) => word.toString(16)).join(':')
  return length === 0
    ? text(words)
    : `${text(words.slice(0, from))}::${text(words.slice(from + length))}`
}

/** The segment in the IP packet at `at`; `size` is that of all `bytes` on the wire. */
export const segmentOf = (bytes: Uint8Array, at: number, size: number): Found => {
  const found = wholeOf(bytes, at, size)
  return found === null ? (bytes.length < size ? 'cut' : 'other') : found
}

/** Null where the bytes end before all is said. */
const wholeOf = (bytes: Uint8Array, at: number, size: number): Found | null => {
  if (at + 20 > bytes.length) return null
  const version = bytes[at]! >> 4
  if (version === 4) return ofIpv4(bytes, at, size)
  return version === 6 ? ofIpv6(bytes, at, size) : 'other'
}

const ofIpv4 = (bytes: Uint8Array, at: number, size: number): Found | null => {
  const header = (bytes[at]! & 0x0f) * 4
  if (header < 20 || bytes[at + 9] !== TCP) return 'other'
  if ((u16(bytes, at + 6) & 0x3fff) !== 0) return 'fragment'
  // A network card that cuts large packets itself gets them without a length.
  const length = u16(bytes, at + 2)
  const end = length === 0 ? size : at + length
  return ofTcp(bytes, at + header, end, ipv4Text(bytes, at + 12), ipv4Text(bytes, at + 16))
}

const headersMax = 8

/** The headers between IPv6 and TCP that are passed by. */
const extensions: ReadonlySet<number> = new Set([0, 43, 44, 51, 60])

const ofIpv6 = (bytes: Uint8Array, at: number, size: number): Found | null => {
  if (at + 40 > bytes.length) return null
  const length = u16(bytes, at + 4)
  const end = length === 0 ? size : at + 40 + length
  let next = bytes[at + 6]!
  let place = at + 40
  for (let headers = 0; next !== TCP && headers < headersMax; headers++) {
    if (!extensions.has(next)) return 'other'
    if (place + 8 > bytes.length) return null
    const own = bytes[place + 1]!
    const kind = next
    next = bytes[place]!
    switch (kind) {
      case 0:
      case 43:
      case 60:
        place += (own + 1) * 8
        break
      case 51:
        place += (own + 2) * 4
        break
      case 44:
        if ((u16(bytes, place + 2) & 0xfff9) !== 0) return next === TCP ? 'fragment' : 'other'
        place += 8
    }
  }
  if (next !== TCP) return 'other'
  return ofTcp(bytes, place, end, ipv6Text(bytes, at + 8), ipv6Text(bytes, at + 24))
}

const ofTcp = (
  bytes: Uint8Array,
  at: number,
  end: number,
  from: string,
  to: string,
): Found | null => {
  if (at + 14 > bytes.length) return null
  const start = at + (bytes[at + 12]! >> 4) * 4
  if (start < at + 20 || start > end) return 'other'
  return {
    from: { address: from, port: u16(bytes, at) },
    to: { address: to, port: u16(bytes, at + 2) },
    sequence: u32(bytes, at + 4),
    acknowledged: u32(bytes, at + 8),
    flags: bytes[at + 13]!,
    bytes,
    start: Math.min(start, bytes.length),
    end: Math.min(end, bytes.length),
    size: end - start,
  }
}
