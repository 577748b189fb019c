// Whether memory is short, judged from what the runtime says of it. The engine puts off looking for
// garbage as long as its own limits allow, so what is in use may be in use by nobody: before the
// verdict, and again and again while it stands, the engine is asked to collect.

/** Memory in use, and how much of it there may be. */
export interface Memory {
  /** The heap of JavaScript, and where the engine ends the process for want of room in it. */
  readonly heapUsedBytes: number
  readonly heapLimitBytes: number
  /** The heap and the buffers outside of it, and what the machine or its share of it has. */
  readonly usedBytes: number
  readonly limitBytes: number
}

/** What a runtime can say and do about memory. */
export interface Gauge {
  memory(): Memory
  /** Has the engine begin to look for what nobody uses any more. Takes no time by itself. */
  collect(): void
}

// A flood over loopback brings about 100 MB in this time, which has to fit between the upper mark
// and the limit.
const lookMs = 250
// A collection takes about a second per GiB in use, most of it on other threads.
const collectMs = 5_000

// After so much traffic there is litter that is worth a collection: what has come, and what was
// made of it, which is much more where a message matches many subscriptions. It has become quiet
// when in the shorter time less than so much has come. V8 gives back what a crowd has left behind
// only when for five seconds little has been allocated: hence once more.
const litterBytesMin = 32 * 1024 * 1024
const quietMs = 1_000
const restMs = 6_000
const quietBytesMax = 1024 * 1024

const shortShare = 0.6
const freeShare = 0.5

const never = Number.MAX_SAFE_INTEGER

/** What is wrong with a limit that the program is above before anybody has come, or null. */
export const whyTooLittle = (gauge: Gauge, limitBytes: number | null): string | null => {
  if (limitBytes === null || limitBytes === 0) return null
  const { usedBytes } = gauge.memory()
  if (usedBytes <= limitBytes * freeShare) return null
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`
  return `The limit on memory of ${limitBytes} bytes will turn clients away: ` +
    `the broker by itself takes ${mebibytes(usedBytes)}, and above 60 % memory is short. ` +
    `Give it ${mebibytes(4 * usedBytes)} at least.`
}

/** Looks at the gauge now and then. */
export class MemoryWatch {
  private readonly gauge: Gauge
  private readonly limitBytes: number | null
  isShort = false
  /** The last look found memory short for the first time. */
  private isSuspected = false
  private lookAt = 0
  private collectAt = 0
  /** Is it quiet: not asked, asked since there was much, or asked once more after a collection. */
  private quest: 'none' | 'first' | 'second' = 'none'
  /** Litter by the last collection, and traffic by the last look for quiet. */
  private tidiedBytes = 0
  private quietBytes = 0
  private quietAt = 0

  /** `limitBytes` takes the place of the machine's; 0 looks at nothing. */
  constructor(gauge: Gauge, limitBytes: number | null) {
    this.gauge = gauge
    this.limitBytes = limitBytes
    if (limitBytes === 0) this.lookAt = never
  }

  /** Looks, if it is time to; answers whether `isShort` is another than before. */
  look(at: number): boolean {
    if (at < this.lookAt) return false
    this.lookAt = at + lookMs
    const share = this.share()
    const isAbove = this.isShort ? share >= freeShare : share > shortShare
    if (isAbove && at >= this.collectAt) {
      this.collectAt = at + collectMs
      this.gauge.collect()
    }
    const isShort = isAbove && (this.isShort || this.isSuspected)
    this.isSuspected = isAbove
    if (isShort === this.isShort) return false
    this.isShort = isShort
    return true
  }

  /** A store has been read: there is litter although nothing has come yet. */
  litter(at: number): void {
    this.quest = 'first'
    this.quietAt = at + quietMs
  }

  /**
   * Whether much has come, `trafficBytes` so far, or was made of it, `madeBytes`, and then it
   * became quiet: what was kept for the next turn may go. The engine is asked to collect, which it
   * does not do of itself while nothing happens.
   */
  rests(at: number, trafficBytes: number, madeBytes: number): boolean {
    if (at < this.quietAt) return false
    const litterBytes = trafficBytes + madeBytes
    const hasLitter = litterBytes - this.tidiedBytes >= litterBytesMin
    if (this.quest === 'none' && !hasLitter) return false
    const isQuiet = this.quest !== 'none' && trafficBytes - this.quietBytes < quietBytesMax
    this.quietBytes = trafficBytes
    this.quietAt = at + quietMs
    if (!isQuiet) {
      this.quest = hasLitter ? 'first' : 'none'
      return false
    }
    this.tidiedBytes = litterBytes
    this.gauge.collect()
    this.quest = this.quest === 'first' ? 'second' : 'none'
    if (this.quest === 'second') this.quietAt = at + restMs
    return true
  }

  /** When `look` or `rests` must be called although nothing happens. */
  due(): number {
    const restAt = this.quest === 'none' ? never : this.quietAt
    return this.isShort && this.lookAt < restAt ? this.lookAt : restAt
  }

  private share(): number {
    const { heapUsedBytes, heapLimitBytes, usedBytes, limitBytes } = this.gauge.memory()
    return Math.max(heapUsedBytes / heapLimitBytes, usedBytes / (this.limitBytes ?? limitBytes))
  }
}
