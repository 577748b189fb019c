// What was read into a buffer that all sockets share, copied to memory that is the same in every
// turn: for a runtime that would else allocate for each read.

const sheetBytes = 256 * 1024

// What a busy turn needs is kept for the next one.
const sheetsMax = 16

// Below this a loop is quicker than a view and a call.
const loopBytesMax = 128

/** Memory for what is read within one turn, handed out from the front. */
export class Desk {
  private readonly allocate: (bytes: number) => Uint8Array
  private readonly sheets: Array<Uint8Array> = []
  private next = 0
  /** Where the last copy lies. */
  sheet: Uint8Array
  private used = 0
  /** Connections to which something is lent. */
  private borrowers = 0

  constructor(allocate: (bytes: number) => Uint8Array) {
    this.allocate = allocate
    this.sheet = allocate(0)
  }

  /** Copies the first `count` bytes, at most 256 KiB, to `sheet`; answers where they begin. */
  copy(source: Uint8Array, count: number): number {
    if (this.borrowers === 0) this.clear()
    if (this.used + count > this.sheet.length) this.turnOver()
    const { sheet, used } = this
    if (count < loopBytesMax) {
      for (let i = 0; i < count; i++) sheet[used + i] = source[i]!
    } else sheet.set(source.subarray(0, count), used)
    this.used = used + count
    return used
  }

  /** One more connection has been lent what was copied. */
  lend(): void {
    this.borrowers += 1
  }

  /** A connection needs nothing more of what it was lent. */
  takeBack(): void {
    this.borrowers -= 1
  }

  private clear(): void {
    if (this.next === 0) return
    if (this.sheets.length > sheetsMax) this.sheets.length = sheetsMax
    this.next = 0
    this.turnOver()
  }

  private turnOver(): void {
    const { sheets, next } = this
    if (next === sheets.length) sheets.push(this.allocate(sheetBytes))
    this.sheet = sheets[next]!
    this.next = next + 1
    this.used = 0
  }
}
