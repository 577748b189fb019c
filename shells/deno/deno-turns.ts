// When a turn of the driver comes on Deno. Whatever is ready to be done, such as an immediate, is
// done before Deno looks at its sockets: it looks when it has nothing to do, or else only after 61
// rounds. Turns that follow each other by immediates alone would let those who are heard already
// go on talking, and leave whoever begins to for 61 turns.

/** The loop has waited for something, and so has looked, where nothing was done for so long. */
const restMs = 0.1

/** So long turns may follow each other, until Deno is given a moment to look. */
const restlessMsMax = 10

/** Answers what `Host.schedule` is on Deno. */
export const createSchedule = (): (turn: () => void) => void => {
  let isIn = false
  let endedAt = -Infinity
  let restedAt = -Infinity
  const take = (turn: () => void): void => {
    isIn = true
    try {
      turn()
    } finally {
      isIn = false
      endedAt = performance.now()
    }
  }
  return (turn) => {
    const now = performance.now()
    if (!isIn && now - endedAt > restMs) restedAt = now
    // setTimeout would add a millisecond to every turn, and a microtask could follow itself for
    // ever while reads complete at once; an immediate comes after everything that is ready.
    if (now - restedAt < restlessMsMax) return void setImmediate(() => take(turn))
    setTimeout(() => {
      restedAt = performance.now()
      take(turn)
    }, 0)
  }
}
