// What tcpdump and Wireshark write: packets out of the bytes of a pcap or a pcapng file, in either
// byte order, in chunks of any size. Total: whatever the bytes are, the answer is packets, and at
// some point perhaps a sentence why there are no more. What is kept grows with the bytes that came,
// never with a length that a header claims.

import { joined, u16By, u32, u32By } from './bits.ts'

/** A packet as it was seen on the wire. */
export interface Captured {
  /** Unix milliseconds, with a fraction. */
  readonly atMs: number
  /** The link type, of https://www.tcpdump.org/linktypes.html. */
  readonly link: number
  /** Number of the interface that it was seen on: each may have a clock of its own. */
  readonly face: number
  /** As much of it as was kept; lent until the next push. */
  readonly bytes: Uint8Array
  /** Bytes on the wire. */
  readonly size: number
}

/** Where a file cannot be read any further. */
export interface Breach {
  /** The byte that the faulty part begins at. */
  readonly offset: number
  readonly why: string
}

// A packet of a loopback may have 256 KiB; a block of a pcapng file may list names or keys as well.
const packetBytesMax = 16 * 1024 * 1024
const blockBytesMax = 64 * 1024 * 1024
const interfacesMax = 65_536

// Beyond the year 9999 nobody captures, and calendars end.
const timeMsMax = 253_402_300_800_000

interface Interface {
  readonly link: number
  /** Zero for all of a packet. */
  readonly snapLength: number
  readonly ticksPerSecond: bigint
  readonly offsetMs: number
}

/** Whether a file that begins with these four bytes is a capture. */
export const isCapture = (bytes: Uint8Array): boolean => {
  if (bytes.length < 4) return false
  const magic = u32(bytes, 0)
  return magic === sectionHeader || pcapForms.has(magic)
}

const sectionHeader = 0x0a0d0d0a

interface PcapForm {
  readonly isLittle: boolean
  readonly perSecond: number
  /** Whether more is said of each packet than its time and its size, as Kuznetsov's tcpdump did. */
  readonly isModified: boolean
}

const pcapForm = (isLittle: boolean, perSecond: number, isModified = false): PcapForm => ({
  isLittle,
  perSecond,
  isModified,
})

/** By the first four bytes, the greatest first: the order of all others, and what the times are. */
const pcapForms: ReadonlyMap<number, PcapForm> = new Map([
  [0xa1b2c3d4, pcapForm(false, 1_000_000)],
  [0xd4c3b2a1, pcapForm(true, 1_000_000)],
  [0xa1b23c4d, pcapForm(false, 1_000_000_000)],
  [0x4d3cb2a1, pcapForm(true, 1_000_000_000)],
  [0xa1b2cd34, pcapForm(false, 1_000_000, true)],
  [0x34cdb2a1, pcapForm(true, 1_000_000, true)],
])

const nothing = new Uint8Array(0)

export class CaptureFile {
  /** What kind of file it is, once that is known: `pcapng`. */
  form = ''
  /** Why it is read no further. */
  breach: Breach | null = null
  /** How many packets there were. */
  packetCount = 0
  private held: Uint8Array = nothing
  /** Of the file, before what is held. */
  private offset = 0
  private isNg = false
  private isLittle = false
  private link = -1
  private perSecond = 1
  /** Bytes before each packet of a pcap. */
  private recordHead = 16
  private interfaces: Array<Interface> = []
  private lastMs = 0

  /** Takes the next bytes of the file. */
  push(chunk: Uint8Array): ReadonlyArray<Captured> {
    const packets: Array<Captured> = []
    if (this.breach !== null) return packets
    const bytes = joined(this.held, chunk)
    let at = 0
    for (;;) {
      const size = this.take(bytes, at, packets)
      if (size === 0) break
      at += size
    }
    this.offset += at
    this.held = bytes.slice(at)
    return packets
  }

  /** There are no more bytes. */
  finish(): void {
    if (this.breach !== null) return
    if (this.form === '') {
      this.broken(this.held.length === 0 ? 'it is empty' : 'it ends in its header')
    } else if (this.held.length > 0) this.broken('it ends in the middle of a packet')
  }

  private broken(why: string, at = 0): 0 {
    this.breach = { offset: this.offset + at, why }
    return 0
  }

  /** Bytes of what stands at `at`; 0 where it is not all there, or nothing that can be read. */
  private take(bytes: Uint8Array, at: number, packets: Array<Captured>): number {
    const there = bytes.length - at
    if (this.form === '') return there < 4 ? 0 : this.begin(bytes, at, there)
    return this.isNg
      ? this.block(bytes, at, there, packets)
      : this.record(bytes, at, there, packets)
  }

  private begin(bytes: Uint8Array, at: number, there: number): number {
    const magic = u32(bytes, at)
    if (magic === sectionHeader) {
      this.isNg = true
      this.form = 'pcapng'
      return this.block(bytes, at, there, [])
    }
    const form = pcapForms.get(magic)
    if (form === undefined) return this.broken('there is neither a pcap nor a pcapng file', at)
    if (there < 24) return 0
    const { isLittle, perSecond, isModified } = form
    this.isLittle = isLittle
    this.perSecond = perSecond
    // Interface, protocol and direction stand behind what every record begins with.
    this.recordHead = isModified ? 24 : 16
    const major = u16By(bytes, at + 4, isLittle)
    if (major !== 2) return this.broken(`it is of version ${major} of pcap, and 2 is known`, at)
    // The other half speaks of checksums of frames.
    this.link = u32By(bytes, at + 20, isLittle) % 0x1_0000
    this.form = `${isModified ? 'modified ' : ''}pcap, ${isLittle ? 'little' : 'big'} endian, ` +
      `${perSecond === 1_000_000 ? 'microseconds' : 'nanoseconds'}`
    return 24
  }

  private record(
    bytes: Uint8Array,
    at: number,
    there: number,
    packets: Array<Captured>,
  ): number {
    const head = this.recordHead
    if (there < head) return 0
    const word = (index: number): number => u32By(bytes, at + 4 * index, this.isLittle)
    const kept = word(2)
    if (kept > packetBytesMax) return this.broken(`a packet claims to have ${kept} bytes`, at)
    if (there < head + kept) return 0
    this.lastMs = word(0) * 1000 + word(1) * 1000 / this.perSecond
    this.found(packets, this.link, 0, bytes.subarray(at + head, at + head + kept), word(3))
    return head + kept
  }

  private found(
    packets: Array<Captured>,
    link: number,
    face: number,
    bytes: Uint8Array,
    size: number,
  ): void {
    this.packetCount += 1
    packets.push({ atMs: this.lastMs, link, face, bytes, size: Math.max(size, bytes.length) })
  }

  private block(bytes: Uint8Array, at: number, there: number, packets: Array<Captured>): number {
    if (there < 12) return 0
    const isSection = u32(bytes, at) === sectionHeader
    if (isSection) {
      // The order of its own length is said behind it.
      const order = u32(bytes, at + 8)
      if (order !== 0x1a2b3c4d && order !== 0x4d3c2b1a) {
        return this.broken('a section does not say its byte order', at)
      }
      this.isLittle = order === 0x4d3c2b1a
    }
    const { isLittle } = this
    const size = u32By(bytes, at + 4, isLittle)
    if (size < 12 || size % 4 !== 0 || size > blockBytesMax) {
      return this.broken(`a block claims to have ${size} bytes`, at)
    }
    if (there < size) return 0
    if (u32By(bytes, at + size - 4, isLittle) !== size) {
      return this.broken('a block ends with another length than it begins with', at)
    }
    const body = bytes.subarray(at + 8, at + size - 4)
    const why = this.understand(u32By(bytes, at, isLittle), body, packets)
    return why === null ? size : this.broken(why, at)
  }

  /** Takes a block without its lengths; answers what is wrong with it. */
  private understand(type: number, body: Uint8Array, packets: Array<Captured>): string | null {
    const { isLittle } = this
    const word = (index: number): number => u32By(body, 4 * index, isLittle)
    switch (type) {
      case sectionHeader: {
        if (body.length < 16) return 'a section has no room for its header'
        const major = u16By(body, 4, isLittle)
        if (major !== 1) return `it is of version ${major} of pcapng, and 1 is known`
        this.interfaces = []
        return null
      }
      case 1:
        if (body.length < 8) return 'an interface has no room for its header'
        if (this.interfaces.length === interfacesMax) return 'there are too many interfaces'
        this.interfaces.push(interfaceOf(body, isLittle))
        return null
      // An enhanced packet, and what it was called before.
      case 2:
      case 6: {
        if (body.length < 20) return 'a packet has no room for its header'
        const face = type === 6 ? word(0) : u16By(body, 0, isLittle)
        const one = this.interfaces[face]
        if (one === undefined) return 'a packet is of an interface that is not there'
        const kept = word(3)
        if (kept > body.length - 20) return 'a packet claims more than its block has'
        const atMs = timeOf(one, word(1), word(2))
        if (!(atMs >= 0 && atMs < timeMsMax)) return 'a packet claims a time that cannot be'
        this.lastMs = atMs
        this.found(packets, one.link, face, body.subarray(20, 20 + kept), word(4))
        return null
      }
      // A simple packet, which has no time of its own.
      case 3: {
        const one = this.interfaces[0]
        if (body.length < 4 || one === undefined) return 'a packet has no interface'
        const { snapLength } = one
        const size = word(0)
        const room = Math.min(size, body.length - 4)
        const kept = snapLength === 0 ? room : Math.min(room, snapLength)
        this.found(packets, one.link, 0, body.subarray(4, 4 + kept), size)
        return null
      }
    }
    return null
  }
}

const interfaceOf = (body: Uint8Array, isLittle: boolean): Interface => {
  let ticksPerSecond = 1_000_000n
  let offsetMs = 0
  for (let at = 8; at + 4 <= body.length;) {
    const code = u16By(body, at, isLittle)
    const size = u16By(body, at + 2, isLittle)
    const value = at + 4
    if (code === 0 || value + size > body.length) break
    if (code === 9 && size === 1) {
      const power = body[value]!
      ticksPerSecond = power < 0x80 ? 10n ** BigInt(power) : 2n ** BigInt(power & 0x7f)
    }
    if (code === 14 && size === 8) {
      const [one, other] = [u32By(body, value, isLittle), u32By(body, value + 4, isLittle)]
      const [high, low] = isLittle ? [other, one] : [one, other]
      offsetMs = ((high | 0) * 0x1_0000_0000 + low) * 1000
    }
    at = value + size + (size % 4 === 0 ? 0 : 4 - size % 4)
  }
  return {
    link: u16By(body, 0, isLittle),
    snapLength: u32By(body, 4, isLittle),
    ticksPerSecond,
    offsetMs,
  }
}

/** Unix milliseconds, to the microsecond. */
const timeOf = ({ ticksPerSecond, offsetMs }: Interface, high: number, low: number): number => {
  const ticks = (BigInt(high) << 32n) + BigInt(low)
  return Number(ticks * 1_000_000n / ticksPerSecond) / 1000 + offsetMs
}
