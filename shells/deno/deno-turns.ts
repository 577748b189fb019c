// When a turn of the driver comes on Deno. Whatever is ready to be done, such as an immediate, is
// done before Deno looks at its sockets: it looks when it has nothing to do, or else only after 61
// rounds. Turns that follow each other by immediates alone would let those who are heard already
// go on talking, and leave whoever begins to for 61 turns.

/** A turn of less than this is one of a broker that waits more than it works. */
const shortTurnMs = 0.1

/** Some turns are short where there is much to do as well. */
const shortTurnsMax = 2

/** So much is done at most until Deno looks for certain. */
const unseenMsMax = 20

const nothing = new Uint8Array(1)

/**
 * Comes back as soon as another thread has done next to nothing, which takes a twentieth of a
 * millisecond. Meanwhile Deno looks, as it has nothing to do, unless the other thread is faster.
 */
const untilLikelyLooked = (then: () => void): void => {
  crypto.subtle.digest('SHA-1', nothing).then(then, then)
}

/** Takes one or two milliseconds, for which Deno has nothing to do. */
const untilLooked = (then: () => void): void => {
  setTimeout(then, 0)
}

/** Answers what `Host.schedule` is on Deno. */
export const createSchedule = (): (turn: () => void) => void => {
  let shortTurns = 0
  let unseenMs = 0
  let isIn = false
  /** What was scheduled within a turn, of which is only known at its end how long it was. */
  let next: (() => void) | null = null
  const take = (turn: () => void): void => {
    const from = performance.now()
    isIn = true
    try {
      turn()
    } finally {
      isIn = false
      const tookMs = performance.now() - from
      unseenMs += tookMs
      shortTurns = tookMs < shortTurnMs ? shortTurns + 1 : shortTurnsMax
      if (next !== null) plan(next)
      next = null
    }
  }
  const plan = (turn: () => void): void => {
    const go = (): void => take(turn)
    if (unseenMs >= unseenMsMax) {
      unseenMs = 0
      shortTurns = 0
      return untilLooked(go)
    }
    // A microtask could follow itself for ever while reads complete at once; an immediate comes
    // after everything that is ready.
    if (shortTurns < shortTurnsMax) return void setImmediate(go)
    shortTurns = 0
    untilLikelyLooked(go)
  }
  return (turn) => {
    if (isIn) next = turn
    else plan(turn)
  }
}
