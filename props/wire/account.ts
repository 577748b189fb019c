// What a client of an exchange was told so far and what it should have been told: bytes against
// bytes. The same for clients in memory and on sockets.

import { Buffer } from 'node:buffer'
import { show, Splitter } from '../conformance/wire.ts'
import type { Level } from '../conformance/wire.ts'

/** An invented client identifier is different every time; rows write this one for all of them. */
export const anyNonce = '00000000-0000-4000-8000-000000000000'

const nonces = /auto-[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}/g

const masked = (bytes: Buffer): Buffer => {
  if (!bytes.includes('auto-')) return bytes
  return Buffer.from(bytes.toString('latin1').replaceAll(nonces, `auto-${anyNonce}`), 'latin1')
}

/** The packets in bytes from a server, in words; throws where it is none of MQTT's. */
const packetsIn = (level: Level, bytes: Uint8Array): string[] => {
  const splitter = new Splitter()
  splitter.push(Buffer.from(bytes))
  const words: string[] = []
  let size = 0
  for (let seen = splitter.next(level); seen !== null; seen = splitter.next(level)) {
    words.push(show(seen))
    size += seen.raw.length
  }
  if (size < bytes.length) throw new Error(`${bytes.length - size} bytes are no whole packet`)
  return words
}

/** For a person: the packets and their bytes. */
export const describe = (level: Level, bytes: Uint8Array): string => {
  if (bytes.length === 0) return 'nothing'
  const hex = Buffer.from(bytes.subarray(0, 120)).toString('hex')
  try {
    return `${packetsIn(level, bytes).join(', ')} (${hex})`
  } catch (error) {
    return `${hex}, which is not MQTT: ${error instanceof Error ? error.message : error}`
  }
}

/** Null where the bytes are whole packets of a server at this level, else what is wrong. */
export const faultOf = (level: Level, bytes: Uint8Array): string | null => {
  try {
    packetsIn(level, bytes)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export class Account {
  readonly who: string
  readonly level: Level
  private readonly chunks: Buffer[] = []
  private readonly expectedChunks: Buffer[] = []
  seenBytes = 0
  expectedBytes = 0

  constructor(who: string, level: Level) {
    this.who = who
    this.level = level
  }

  see(bytes: Uint8Array): void {
    // A copy: whoever lends the bytes may use them again.
    this.chunks.push(Buffer.from(bytes))
    this.seenBytes += bytes.length
  }

  expect(bytes: Uint8Array): void {
    this.expectedChunks.push(Buffer.from(bytes))
    this.expectedBytes += bytes.length
  }

  /** The complaint where what was seen is not what was expected; `whole`: nothing more either. */
  compare(whole: boolean): string | null {
    const seen = Buffer.concat(this.chunks)
    const expected = Buffer.concat(this.expectedChunks)
    const part = whole ? seen : seen.subarray(0, expected.length)
    if (!masked(part).equals(expected)) {
      return `to ${this.who}\n    expected: ${describe(this.level, expected)}\n    seen:     ` +
        describe(this.level, masked(seen))
    }
    this.expectedBytes = 0
    this.seenBytes -= expected.length
    this.expectedChunks.length = 0
    this.chunks.splice(0, this.chunks.length, seen.subarray(expected.length))
    return null
  }
}
