// What SQLite will make of a write-ahead log before it is asked to. At the first frame whose
// checksum fails it takes the log to be over, which is right after a loss of power, and forgets
// everything behind a flipped bit without a word. Every batch is flushed before the next one is
// begun, so at most one batch can be cut off: where two end behind the first bad frame, the log is
// damaged and not merely unfinished.

export type WalState =
  /** All of it can be read. */
  | 'whole'
  /** The last batch is cut off: it was never flushed, or the damage is in it. */
  | 'cut off'
  | 'damaged'

const headBytes = 32
const frameHeadBytes = 24

/** `bytes` is the whole file. */
export const stateOfWal = (bytes: Uint8Array): WalState => {
  if (bytes.length < headBytes + frameHeadBytes) return 'whole'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const magic = view.getUint32(0)
  const isLittle = magic === 0x377f0682
  const pageBytes = view.getUint32(8)
  const sum: Sum = { one: 0, two: 0 }
  add(sum, view, 0, headBytes - 8, isLittle)
  if (
    (!isLittle && magic !== 0x377f0683) || pageBytes < 512 || pageBytes > 65536 ||
    sum.one !== view.getUint32(24) || sum.two !== view.getUint32(28)
  ) return 'damaged'
  const salts: Salts = [view.getUint32(16), view.getUint32(20)]
  const frameBytes = frameHeadBytes + pageBytes
  let at = headBytes
  for (; at + frameBytes <= bytes.length; at += frameBytes) {
    if (saltsAlike(view, at, salts) < 2) break
    add(sum, view, at, 8, isLittle)
    add(sum, view, at + frameHeadBytes, pageBytes, isLittle)
    if (sum.one !== view.getUint32(at + 16) || sum.two !== view.getUint32(at + 20)) break
  }
  return stateOfRest(view, at, frameBytes, salts)
}

/** What lies from the first frame on that cannot be read; older logs may lie there, too. */
const stateOfRest = (view: DataView, from: number, frameBytes: number, salts: Salts): WalState => {
  let frames = 0
  let commits = 0
  for (let at = from; at + frameHeadBytes <= view.byteLength; at += frameBytes) {
    // One of the two salts is enough: the other may be where the bit flipped.
    if (saltsAlike(view, at, salts) === 0) continue
    frames += 1
    if (view.getUint32(at + 4) !== 0) commits += 1
  }
  return commits > 1 ? 'damaged' : frames > 0 ? 'cut off' : 'whole'
}

type Salts = readonly [number, number]

const saltsAlike = (view: DataView, at: number, salts: Salts): number =>
  (view.getUint32(at + 8) === salts[0] ? 1 : 0) + (view.getUint32(at + 12) === salts[1] ? 1 : 0)

interface Sum {
  one: number
  two: number
}

/** The checksum of SQLite's log format, over eight bytes at a time. */
const add = (sum: Sum, view: DataView, from: number, count: number, isLittle: boolean): void => {
  let { one, two } = sum
  for (let at = from; at < from + count; at += 8) {
    one = (one + view.getUint32(at, isLittle) + two) | 0
    two = (two + view.getUint32(at + 4, isLittle) + one) | 0
  }
  sum.one = one >>> 0
  sum.two = two >>> 0
}
