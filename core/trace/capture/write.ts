// Captures of our own: pcapng, with Ethernet, IP and TCP around what was said. Checksums are right,
// since somebody will have them verified.

import { ACK } from './segment.ts'

/** An address of IP: 4 or 16 bytes. */
export type Address = Uint8Array

export interface Frame {
  readonly from: Address
  readonly fromPort: number
  readonly to: Address
  readonly toPort: number
  readonly sequence: number
  readonly acknowledged: number
  readonly flags: number
  readonly data: Uint8Array
}

/** The address that a text names, `::` and a dotted end included; null for what is none. */
export const addressOf = (text: string): Address | null => {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split('.').map(Number)
    return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : null
  }
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)
  const last = dotted === null ? null : addressOf(dotted[2]!)
  if (dotted !== null && last === null) return null
  const tail = last === null ? [] : [last[0]! << 8 | last[1]!, last[2]! << 8 | last[3]!]
  const halves = (dotted === null ? text : dotted[1]!.replace(/([^:]):$/, '$1')).split('::')
  if (halves.length > 2 || !/^[0-9a-fA-F:]*$/.test(halves.join(':'))) return null
  const words = halves.map((half) =>
    half === ''
      ? []
      : half.split(':').map((word) => /^[0-9a-fA-F]{1,4}$/.test(word) ? parseInt(word, 16) : NaN)
  )
  const [before, after] = [words[0]!, [...words[1] ?? [], ...tail]]
  const all = halves.length === 1 ? [...before, ...after] : null
  const missing = 8 - before.length - after.length
  if (all === null && missing < 1) return null
  const whole = all ?? [...before, ...new Array<number>(missing).fill(0), ...after]
  if (whole.length !== 8 || whole.some(Number.isNaN)) return null
  return Uint8Array.from(whole.flatMap((word) => [word >> 8, word & 0xff]))
}

class Page {
  readonly bytes: Uint8Array
  at = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  /** Two bytes, the greater first. */
  two(...values: ReadonlyArray<number>): void {
    for (const value of values) {
      this.bytes[this.at++] = value >> 8
      this.bytes[this.at++] = value
    }
  }

  four(value: number): void {
    this.two(value >>> 16, value & 0xffff)
  }

  raw(some: Uint8Array): void {
    this.bytes.set(some, this.at)
    this.at += some.length
  }
}

/** The sum of RFC 1071 over a stretch, on top of what it is already. */
const sumOf = (bytes: Uint8Array, start: number, end: number, sum: number): number => {
  for (let at = start; at < end; at += 2) {
    sum += bytes[at]! << 8 | (at + 1 < end ? bytes[at + 1]! : 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000)
  return sum
}

const ethernetBytes = 14
const tcpBytes = 20

// Of the range that anybody may make up for himself.
const client = [0x0200, 0, 1] as const
const broker = [0x0200, 0, 2] as const

/** A frame of Ethernet; `isByClient` names the cards. */
export const ethernet = (frame: Frame, isByClient: boolean): Uint8Array => {
  const { from, to, data } = frame
  const isSix = from.length === 16
  const length = tcpBytes + data.length
  const page = new Page(ethernetBytes + (isSix ? 40 : 20) + length)
  const { bytes } = page
  page.two(...(isByClient ? broker : client), ...(isByClient ? client : broker))
  page.two(isSix ? 0x86dd : 0x0800)
  if (isSix) {
    page.two(0x6000, 0, length, 0x0640)
    page.raw(from)
    page.raw(to)
  } else {
    page.two(0x4500, 20 + length, 0, 0x4000, 0x4006, 0)
    page.raw(from)
    page.raw(to)
    const sum = 0xffff - sumOf(bytes, ethernetBytes, ethernetBytes + 20, 0)
    bytes[ethernetBytes + 10] = sum >> 8
    bytes[ethernetBytes + 11] = sum
  }
  const tcp = page.at
  page.two(frame.fromPort, frame.toPort)
  page.four(frame.sequence)
  page.four((frame.flags & ACK) === 0 ? 0 : frame.acknowledged)
  page.two(0x5000 | frame.flags, 0xffff, 0, 0)
  page.raw(data)
  const pseudo = sumOf(from, 0, from.length, sumOf(to, 0, to.length, 6 + length))
  const sum = 0xffff - sumOf(bytes, tcp, bytes.length, pseudo)
  bytes[tcp + 16] = sum >> 8
  bytes[tcp + 17] = sum
  return bytes
}

/** How a file begins: a section, and one interface of Ethernet with times in microseconds. */
export const fileHeader = (): Uint8Array => {
  const page = new Page(28 + 20)
  page.four(0x0a0d0d0a)
  page.four(28)
  page.four(0x1a2b3c4d)
  page.two(1, 0, 0xffff, 0xffff, 0xffff, 0xffff)
  page.four(28)
  page.four(1)
  page.four(20)
  page.two(1, 0)
  page.four(0)
  page.four(20)
  return page.bytes
}

/** A packet of the file, `atUs` Unix microseconds. */
export const packetBlock = (frame: Uint8Array, atUs: number): Uint8Array => {
  const padded = Math.ceil(frame.length / 4) * 4
  const page = new Page(32 + padded)
  page.four(6)
  page.four(32 + padded)
  page.four(0)
  page.four(Math.floor(atUs / 0x1_0000_0000))
  page.four(atUs % 0x1_0000_0000)
  page.four(frame.length)
  page.four(frame.length)
  page.raw(frame)
  page.at += padded - frame.length
  page.four(32 + padded)
  return page.bytes
}
