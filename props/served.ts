// A clock that stands still while this process is held up: a virtual machine that is stopped for
// three seconds makes no broker slow. A broker that is slow by itself holds nobody up but those
// who wait for it, so that time counts.

const tickEveryMs = 20

let heldUpMs = 0
let tickedMs = Date.now()

setInterval(() => {
  const nowMs = Date.now()
  const lateMs = nowMs - tickedMs - tickEveryMs
  if (lateMs > tickEveryMs) heldUpMs += lateMs
  tickedMs = nowMs
}, tickEveryMs).unref()

/** Milliseconds of which only the difference between two calls means something. */
export const servedMs = (): number => Date.now() - heldUpMs
