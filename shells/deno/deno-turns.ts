// When a turn of the driver comes on Deno. Whatever is ready to be done, such as an immediate, is
// done before Deno looks at its sockets: it looks when it has nothing to do, or else only after 61
// rounds. Turns that follow each other by immediates alone would let those who are heard already
// go on talking, and leave whoever begins to for 61 turns.

/** A turn of less than this is one of a broker that waits more than it works. */
const shortTurnMs = 0.1

/** Some turns are short where there is much to do as well. */
const shortTurnsMax = 2

const nothing = new Uint8Array(1)

/**
 * Comes back as soon as another thread has done next to nothing, which takes a twentieth of a
 * millisecond. Meanwhile there is nothing to do, and so Deno looks. A timer takes one or two.
 */
const untilLooked = (then: () => void): void => {
  crypto.subtle.digest('SHA-1', nothing).then(then, then)
}

/** Answers what `Host.schedule` is on Deno. */
export const createSchedule = (): (turn: () => void) => void => {
  let shortTurns = 0
  const take = (turn: () => void): void => {
    const from = performance.now()
    try {
      turn()
    } finally {
      shortTurns = performance.now() - from < shortTurnMs ? shortTurns + 1 : shortTurnsMax
    }
  }
  return (turn) => {
    const go = (): void => take(turn)
    // setTimeout would add a millisecond to every turn, and a microtask could follow itself for
    // ever while reads complete at once; an immediate comes after everything that is ready.
    if (shortTurns < shortTurnsMax) return void setImmediate(go)
    shortTurns = 0
    untilLooked(go)
  }
}
