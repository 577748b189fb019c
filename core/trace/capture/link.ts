// From a packet of some link to the IP packet in it.

import { u16, u32By } from './bits.ts'

/** The link types that can be read, and what they are called. */
export const linkNames: ReadonlyMap<number, string> = new Map([
  [0, 'loopback'],
  [1, 'Ethernet'],
  [12, 'raw IP'],
  [14, 'raw IP'],
  [101, 'raw IP'],
  [108, 'loopback'],
  [113, 'Linux cooked'],
  [228, 'raw IPv4'],
  [229, 'raw IPv6'],
  [276, 'Linux cooked 2'],
])

const isTag = (type: number): boolean => type === 0x8100 || type === 0x88a8 || type === 0x9100

const isIp = (type: number): boolean => type === 0x0800 || type === 0x86dd

const tagsMax = 8

const pppoe = 0x8864

/** Behind the headers of PPPoE (RFC 2516) and PPP; -1 where that is not IP of either version. */
const behindPpp = (bytes: Uint8Array, at: number): number => {
  // Version and type are 1, and a code that is not 0 is no session's.
  if (at + 8 > bytes.length || u16(bytes, at) !== 0x1100) return -1
  const protocol = u16(bytes, at + 6)
  return protocol === 0x0021 || protocol === 0x0057 ? at + 8 : -1
}

/** Behind tags of VLANs, from where two bytes say what follows; -1 where that is not IP. */
const behindTags = (bytes: Uint8Array, typeAt: number, bodyAt: number): number => {
  if (typeAt + 2 > bytes.length) return -1
  let type = u16(bytes, typeAt)
  let at = bodyAt
  for (let tags = 0; isTag(type) && tags < tagsMax; tags++) {
    if (at + 4 > bytes.length) return -1
    type = u16(bytes, at + 2)
    at += 4
  }
  if (type === pppoe) return behindPpp(bytes, at)
  return isIp(type) ? at : -1
}

/** The families of addresses that are IP: 4, and 6 as one system or another counts. */
const families: ReadonlySet<number> = new Set([2, 10, 24, 28, 30])

/** Index of the IP packet; -1 where there is none, or the link is of a kind that is not known. */
export const ipStart = (link: number, bytes: Uint8Array): number => {
  switch (link) {
    case 1:
      return behindTags(bytes, 12, 14)
    case 0:
    case 108:
      // The family is in the order of the machine that captured, which may not be the file's.
      if (bytes.length < 4) return -1
      return families.has(u32By(bytes, 0, true)) || families.has(u32By(bytes, 0, false)) ? 4 : -1
    case 113:
      return behindTags(bytes, 14, 16)
    case 276:
      return behindTags(bytes, 0, 20)
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return 0
    default:
      return -1
  }
}
