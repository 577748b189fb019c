// A page that lines are written on: ASCII in one growing buffer, since a text made of many small
// ones costs more than what it says. What is on it is summed up line by line, so that a reader can
// tell whether it has been changed. The page is written while the broker serves: table look-ups and
// words of four bytes, nothing made anew.

const newline = 0x0a

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The character of six bits. */
const digits = Uint8Array.from(alphabet, (one) => one.charCodeAt(0))

/** Both characters of twelve bits, the first one in the low byte. */
const twoDigits = new Uint16Array(4096)
for (let i = 0; i < 4096; i++) twoDigits[i] = digits[i >> 6]! | (digits[i & 63]! << 8)

const multiplier = 0x9e3779b1

const fold = (sum: number, word: number): number => {
  const mixed = Math.imul(sum ^ word, multiplier)
  return mixed ^ (mixed >>> 15)
}

const wordOf = (line: string, place: number): number =>
  line.charCodeAt(place) | (line.charCodeAt(place + 1) << 8) |
  (line.charCodeAt(place + 2) << 16) | (line.charCodeAt(place + 3) << 24)

/**
 * The sum of the lines so far, 32 bits, and of one more; Sheet.over does the same to bytes. Four
 * sums, each of every fourth word of four bytes, go side by side, since a processor can.
 */
export const sumOfText = (sum: number, line: string): number => {
  const { length } = line
  let place = 0
  if (length >= 16) {
    let [b, c, d] = [1, 2, 3]
    for (; place + 16 <= length; place += 16) {
      sum = fold(sum, wordOf(line, place))
      b = fold(b, wordOf(line, place + 4))
      c = fold(c, wordOf(line, place + 8))
      d = fold(d, wordOf(line, place + 12))
    }
    sum = fold(fold(fold(sum, b), c), d)
  }
  for (; place + 4 <= length; place += 4) sum = fold(sum, wordOf(line, place))
  let rest = 0
  for (let shift = 0; place < length; shift += 8) rest |= line.charCodeAt(place++) << shift
  return fold(sum, rest | (length << 24))
}

/** Eight hexadecimal digits of a 32-bit number. */
export const hex32 = (number: number): string => (number >>> 0).toString(16).padStart(8, '0')

/** The eleven characters of base64 for two words of 32 bits, without padding. */
export const textOf64 = (high: number, low: number): string => {
  let text = ''
  for (let shift = 26; shift >= 2; shift -= 6) text += alphabet[(high >>> shift) & 63]
  text += alphabet[((high & 3) << 4) | (low >>> 28)]
  for (let shift = 22; shift >= 4; shift -= 6) text += alphabet[(low >>> shift) & 63]
  return text + alphabet[(low & 15) << 2]
}

export class Sheet {
  /** What has been written is `buffer[0, end)`. */
  buffer = new Uint8Array(4096)
  end = 0
  /** Lines that were ended are `buffer[0, whole)`. */
  whole = 0
  /** Of all lines that were ended since it was last set. */
  sum = 0
  private view = new DataView(this.buffer.buffer)

  /** Characters below 0x80. */
  ascii(text: string): void {
    this.reserve(text.length)
    const { buffer } = this
    let end = this.end
    for (let i = 0; i < text.length; i++) buffer[end++] = text.charCodeAt(i)
    this.end = end
  }

  /** Bytes that are characters already. */
  copy(source: Uint8Array, from: number, to: number): void {
    this.reserve(to - from)
    this.buffer.set(source.subarray(from, to), this.end)
    this.end += to - from
  }

  /** A whole number, not negative. */
  number(value: number): void {
    if (value > 0x7fffffff) return this.ascii(String(value))
    this.reserve(10)
    let count = 1
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) count++
    const end = this.end + count
    for (let place = end - 1; place >= this.end; place--) {
      const next = (value / 10) | 0
      this.buffer[place] = 0x30 + value - next * 10
      value = next
    }
    this.end = end
  }

  /** Bytes in base64, as core/data/base64.ts writes them. */
  base64(source: Uint8Array, from: number, to: number): void {
    this.reserve((((to - from + 2) / 3) | 0) * 4)
    const { buffer, view } = this
    let end = this.end
    let at = from
    for (const whole = to - 2; at < whole; at += 3) {
      const word = (source[at]! << 16) | (source[at + 1]! << 8) | source[at + 2]!
      view.setUint16(end, twoDigits[word >> 12]!, true)
      view.setUint16(end + 2, twoDigits[word & 0xfff]!, true)
      end += 4
    }
    if (at < to) {
      const word = (source[at]! << 16) | ((at + 1 < to ? source[at + 1]! : 0) << 8)
      buffer[end] = digits[word >> 18]!
      buffer[end + 1] = digits[(word >> 12) & 63]!
      buffer[end + 2] = at + 1 < to ? digits[(word >> 6) & 63]! : 0x3d
      buffer[end + 3] = 0x3d
      end += 4
    }
    this.end = end
  }

  /** A tilde and two words as `textOf64` writes them. */
  mark64(high: number, low: number): void {
    this.reserve(13)
    const { view } = this
    this.buffer[this.end] = 0x7e
    const end = this.end + 1
    view.setUint16(end, twoDigits[high >>> 20]!, true)
    view.setUint16(end + 2, twoDigits[(high >>> 8) & 0xfff]!, true)
    view.setUint16(end + 4, twoDigits[((high & 0xff) << 4) | (low >>> 28)]!, true)
    view.setUint16(end + 6, twoDigits[(low >>> 16) & 0xfff]!, true)
    view.setUint16(end + 8, twoDigits[(low >>> 4) & 0xfff]!, true)
    this.buffer[end + 10] = digits[(low & 15) << 2]!
    this.end = end + 11
  }

  /** A whole line of nothing but what `mark64` writes, in quotes: what most lines are. */
  markLine(high: number, low: number): void {
    this.reserve(16)
    const { view, end } = this
    const one = 0x7e22 | (twoDigits[high >>> 20]! << 16)
    const two = twoDigits[(high >>> 8) & 0xfff]! |
      (twoDigits[((high & 0xff) << 4) | (low >>> 28)]! << 16)
    const three = twoDigits[(low >>> 16) & 0xfff]! | (twoDigits[(low >>> 4) & 0xfff]! << 16)
    const rest = digits[(low & 15) << 2]! | 0x2200
    view.setInt32(end, one, true)
    view.setInt32(end + 4, two, true)
    view.setInt32(end + 8, three, true)
    view.setInt32(end + 12, rest | (newline << 16), true)
    this.sum = fold(fold(fold(fold(this.sum, one), two), three), rest | (14 << 24))
    this.end = end + 15
    this.whole = this.end
  }

  /** A whole line of nothing but these four bytes, in quotes: what most acknowledgements are. */
  fourLine(source: DataView, at: number): void {
    this.reserve(11)
    const { view, end } = this
    const word = source.getInt32(at)
    const last = twoDigits[(word & 0xff) << 4]!
    const one = 0x22 | (twoDigits[word >>> 20]! << 8) |
      ((twoDigits[(word >>> 8) & 0xfff]! & 0xff) << 24)
    const two = (twoDigits[(word >>> 8) & 0xfff]! >> 8) | (last << 8) | 0x3d000000
    view.setInt32(end, one, true)
    view.setInt32(end + 4, two, true)
    view.setUint16(end + 8, 0x223d, true)
    this.buffer[end + 10] = newline
    this.sum = fold(fold(fold(this.sum, one), two), 0x223d | (10 << 24))
    this.end = end + 11
    this.whole = this.end
  }

  /** Ends a line. */
  over(): void {
    const { view, end } = this
    const length = end - this.whole
    let sum = this.sum
    let at = this.whole
    if (length >= 16) {
      let b = 1
      let c = 2
      let d = 3
      for (; at + 16 <= end; at += 16) {
        sum = fold(sum, view.getInt32(at, true))
        b = fold(b, view.getInt32(at + 4, true))
        c = fold(c, view.getInt32(at + 8, true))
        d = fold(d, view.getInt32(at + 12, true))
      }
      sum = fold(fold(fold(sum, b), c), d)
    }
    for (; at + 4 <= end; at += 4) sum = fold(sum, view.getInt32(at, true))
    let rest = 0
    for (let shift = 0; at < end; shift += 8) rest |= this.buffer[at++]! << shift
    this.sum = fold(sum, rest | (length << 24))
    this.reserve(1)
    this.buffer[this.end++] = newline
    this.whole = this.end
  }

  /** Begins an empty page; the sum goes on. */
  clear(): void {
    this.end = 0
    this.whole = 0
  }

  private reserve(count: number): void {
    const wanted = this.end + count
    if (wanted <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(wanted, this.buffer.length * 2))
    larger.set(this.buffer.subarray(0, this.end))
    this.buffer = larger
    this.view = new DataView(larger.buffer)
  }
}
