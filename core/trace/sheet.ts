// A page that lines are written on: ASCII in one growing buffer, since a text made of many small
// ones costs more than what it says. What is on it is summed up line by line, so that a reader can
// tell whether it has been changed.

const newline = 0x0a

const digits = new Uint8Array(64)
'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.split('').forEach((one, i) => {
  digits[i] = one.charCodeAt(0)
})

const multiplier = 0x9e3779b1

const fold = (sum: number, word: number): number => {
  const mixed = Math.imul(sum ^ word, multiplier)
  return mixed ^ (mixed >>> 15)
}

/** The sum of the lines so far, 32 bits, and of one more; Sheet.over does the same to bytes. */
export const sumOfText = (sum: number, line: string): number => {
  const { length } = line
  let place = 0
  for (; place + 4 <= length; place += 4) {
    sum = fold(
      sum,
      line.charCodeAt(place) | (line.charCodeAt(place + 1) << 8) |
        (line.charCodeAt(place + 2) << 16) | (line.charCodeAt(place + 3) << 24),
    )
  }
  for (; place < length; place++) sum = fold(sum, line.charCodeAt(place))
  return fold(sum, length)
}

/** Eight hexadecimal digits of a 32-bit number. */
export const hex32 = (number: number): string => (number >>> 0).toString(16).padStart(8, '0')

export class Sheet {
  /** What has been written is `buffer[0, end)`. */
  buffer = new Uint8Array(4096)
  end = 0
  /** Of all lines that were ended since it was last set. */
  sum = 0
  private line = 0

  /** Characters below 0x80. */
  ascii(text: string): void {
    this.reserve(text.length)
    const { buffer } = this
    let end = this.end
    for (let i = 0; i < text.length; i++) buffer[end++] = text.charCodeAt(i)
    this.end = end
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
    this.reserve(Math.ceil((to - from) / 3) * 4)
    const { buffer } = this
    let end = this.end
    let at = from
    for (const whole = to - 2; at < whole; at += 3) {
      const word = (source[at]! << 16) | (source[at + 1]! << 8) | source[at + 2]!
      buffer[end] = digits[word >> 18]!
      buffer[end + 1] = digits[(word >> 12) & 63]!
      buffer[end + 2] = digits[(word >> 6) & 63]!
      buffer[end + 3] = digits[word & 63]!
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

  /** Ends a line. */
  over(): void {
    const { buffer, line } = this
    const length = this.end - line
    let sum = this.sum
    let place = 0
    for (; place + 4 <= length; place += 4) {
      const at = line + place
      sum = fold(
        sum,
        buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24),
      )
    }
    for (; place < length; place++) sum = fold(sum, buffer[line + place]!)
    this.sum = fold(sum, length)
    this.reserve(1)
    this.buffer[this.end++] = newline
    this.line = this.end
  }

  /** Begins an empty page; the sum goes on. */
  clear(): void {
    this.end = 0
    this.line = 0
  }

  private reserve(count: number): void {
    const wanted = this.end + count
    if (wanted <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(wanted, this.buffer.length * 2))
    larger.set(this.buffer.subarray(0, this.end))
    this.buffer = larger
  }
}
