// Writes the lines of a recording from the notes that were taken of it (notes.ts), on a sheet, from
// which whoever made it takes them to a file.

import { decodeFrame } from '../codec/decode.ts'
import { bodyAt, frameSize } from '../codec/frame.ts'
import type { Publish } from '../codec/packet.ts'
import { noteFrames, noteLine, noteMark, noteWritten } from './notes.ts'
import { frameLimits } from './recording.ts'
import { hex32, Sheet, sumOfText } from './sheet.ts'
import { hash, hashWords, isNoText, isSame } from './veil.ts'
import type { Veil } from './veil.ts'

const connectType = 1
const publishType = 3
const authType = 15

/** PUBACK, PUBREC, PUBREL or PUBCOMP: nothing of them is in a veil. */
const isAcknowledgement = (type: number): boolean => type >= 4 && type <= 7

/** Where a PUBLISH goes on behind its topic name and packet identifier. */
const afterTopic = (buffer: Uint8Array, start: number): number => {
  const body = bodyAt(buffer, start)
  const hasIdentifier = (buffer[start]! & 6) !== 0
  return body + 2 + ((buffer[body]! << 8) | buffer[body + 1]!) + (hasIdentifier ? 2 : 0)
}

/** A PUBLISH of MQTT 5 that was taken by a broker once. */
const publishOf = (buffer: Uint8Array, start: number, end: number): Publish => {
  const read = decodeFrame(5, buffer, start, end, frameLimits)
  if (read._tag === 'Right' && read.right._tag === 'Publish') return read.right
  throw new Error('notes of a packet that is none')
}

/** What a note has that goes on on the next page. */
interface Rest {
  readonly kind: number
  readonly bytes: Uint8Array
  /** How many of them are there. */
  filled: number
}

export class Scribe {
  readonly sheet = new Sheet()
  private readonly veil: Veil
  private readonly isFull: boolean
  private readonly isHashed: boolean
  private page: Uint8Array = new Uint8Array(0)
  private view: DataView = new DataView(this.page.buffer)
  private rest: Rest | null = null
  /** Of frames: whose, when and how they came. */
  private slot = 0
  private generation = 0
  private at = 0
  private level = 0
  /** The last head of a PUBLISH of those that came together; from 1 on it ends somewhere. */
  private headStart = 0
  private headEnd = 0
  /** Whether it has no properties, which may say that the payload is text. */
  private isHeadPlain = false

  constructor(veil: Veil) {
    this.veil = veil
    // Once: a text from another thread is compared letter by letter.
    this.isFull = veil.payload === 'full'
    this.isHashed = veil.payload === 'hash'
  }

  /** Writes down what `page[0, end)` says; what goes on on the next page waits for that. */
  take(page: Uint8Array, end: number): void {
    if (page !== this.page) {
      this.page = page
      this.view = new DataView(page.buffer, page.byteOffset, page.length)
    }
    let place = this.rest === null ? 0 : this.goOn(this.rest, end)
    while (place < end) {
      const kind = page[place++]
      switch (kind) {
        case noteMark:
          this.mark(this.whole(place), this.whole(place + 4))
          place += 8
          break
        case noteWritten:
          this.written(place)
          place += 28
          break
        case noteFrames:
          this.level = page[place]!
          this.slot = this.whole(place + 1)
          this.generation = this.long(place + 5)
          this.at = this.long(place + 13)
          place = this.content(noteFrames, place + 21, end, 1 + page[place + 25]!)
          break
        default:
          place = this.content(noteLine, place, end)
      }
    }
  }

  /** What has a length in front, as far as it is there; where it ends on the page. */
  private content(kind: number, place: number, end: number, skipped = 0): number {
    const size = this.whole(place)
    const start = place + 4 + skipped
    if (start + size <= end) {
      this.write(kind, this.page, start, start + size)
      return start + size
    }
    const rest = { kind, bytes: new Uint8Array(size), filled: 0 }
    this.rest = rest
    return this.fill(rest, start, end)
  }

  private goOn(rest: Rest, end: number): number {
    const place = this.fill(rest, 0, end)
    if (rest.filled < rest.bytes.length) return place
    this.rest = null
    this.write(rest.kind, rest.bytes, 0, rest.filled)
    return place
  }

  private fill(rest: Rest, start: number, end: number): number {
    const to = Math.min(end, start + rest.bytes.length - rest.filled)
    rest.bytes.set(this.page.subarray(start, to), rest.filled)
    rest.filled += to - start
    return to
  }

  private write(kind: number, buffer: Uint8Array, start: number, end: number): void {
    if (kind === noteFrames) return this.frames(buffer, start, end)
    this.sheet.copy(buffer, start, end)
    this.sheet.over()
  }

  /** Each on a line of its own: the first one says whose they are. */
  private frames(buffer: Uint8Array, start: number, end: number): void {
    const { sheet, veil } = this
    const words = buffer === this.page
      ? this.view
      : new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    this.headEnd = 0
    let sizeBefore = 0
    for (let at = start; at < end;) {
      const size = frameSize(0, buffer, at, end, frameLimits.packetBytesMax)
      if (size <= 0) throw new Error('notes of a frame that is none')
      const headSize = this.headEnd - this.headStart
      // Most are like the one before but for the payload: a loop as short as may be.
      if (
        this.isHashed && this.isHeadPlain && size === sizeBefore && headSize > 0 &&
        headSize < size && isSame(words, this.headStart, at, headSize)
      ) {
        hashWords(veil, words, at + headSize, at + size)
        sheet.markLine(hash[0]!, hash[1]!)
      } else if (size === 4 && at > start && isAcknowledgement(buffer[at]! >> 4)) {
        sheet.fourLine(words, at)
      } else {
        if (at > start) sheet.ascii('"')
        else this.from()
        this.frame(buffer, words, at, at + size)
        sheet.ascii(at === start ? '"]' : '"')
        sheet.over()
      }
      sizeBefore = size
      at += size
    }
  }

  private from(): void {
    const { sheet } = this
    sheet.ascii('["f",')
    sheet.number(this.slot)
    sheet.ascii(',')
    sheet.number(this.generation)
    sheet.ascii(',')
    sheet.number(this.at)
    sheet.ascii(',')
    sheet.number(this.level)
    sheet.ascii(',"')
  }

  private frame(buffer: Uint8Array, words: DataView, start: number, end: number): void {
    const { sheet, veil } = this
    const type = buffer[start]! >> 4
    // Their secrets would be in a file: whoever takes notes writes them down without.
    if (type === connectType || type === authType) throw new Error('notes of a frame with secrets')
    if (type !== publishType || this.isFull) return sheet.base64(buffer, start, end)
    let headEnd = afterTopic(buffer, start)
    let isOdd = false
    let isPlain = true
    if (this.level === 5) {
      if (buffer[headEnd] === 0) headEnd += 1
      else {
        const { payload, properties } = publishOf(buffer, start, end)
        headEnd = end - (payload.end - payload.start)
        isPlain = false
        isOdd = isNoText(payload, properties)
      }
    }
    if (headEnd === end) return sheet.base64(buffer, start, end)
    if (!this.isSameHead(words, start, headEnd)) {
      sheet.base64(buffer, start, headEnd)
      this.headStart = start
      this.headEnd = headEnd
    }
    this.isHeadPlain = isPlain
    if (this.isHashed) {
      hashWords(veil, words, headEnd, end)
      sheet.mark64(hash[0]!, hash[1]!)
    } else sheet.ascii('~')
    if (isOdd) sheet.ascii('!')
  }

  /** Whether it is the last one once more, as most are of who sends much. */
  private isSameHead(words: DataView, start: number, end: number): boolean {
    return end - start === this.headEnd - this.headStart &&
      isSame(words, this.headStart, start, end - start)
  }

  private written(place: number): void {
    const { sheet } = this
    sheet.ascii('["w",')
    sheet.number(this.whole(place))
    sheet.ascii(',')
    sheet.number(this.long(place + 4))
    sheet.ascii(',')
    sheet.number(this.long(place + 12))
    sheet.ascii(',')
    sheet.number(this.long(place + 20))
    sheet.ascii(']')
    sheet.over()
  }

  private mark(inputCount: number, digest: number): void {
    const { sheet } = this
    // The sum is of the mark as well, up to itself.
    const mark = `["m",${inputCount},"${hex32(digest)}"`
    sheet.ascii(`${mark},"${hex32(sumOfText(sheet.sum, mark))}"]`)
    sheet.over()
    sheet.sum = 0
  }

  private whole(place: number): number {
    return this.view.getUint32(place, true)
  }

  private long(place: number): number {
    return this.view.getFloat64(place, true)
  }
}
