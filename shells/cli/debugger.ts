// Deno opens its debugger at SIGUSR1, whoever else hears it (from 2.9.2 on), and has nothing to
// forbid it with. Whatever runs on this machine could have the broker do what it likes through it,
// so it is closed as soon as it is there.

import inspector from 'node:inspector'

/** It opens while the signal is heard, or somewhat later where there is much to do. */
const lookedAtMs: ReadonlyArray<number> = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]

/**
 * Whether there is one, which somebody has asked for. Deno has to be allowed to look, and would ask
 * the operator: at a terminal the broker would not start until he answers.
 */
const isThere = (): boolean =>
  Deno.permissions.querySync({ name: 'sys' }).state === 'granted' && inspector.url() !== undefined

const isWanted = isThere()

/** To be called at SIGUSR1; one that was there from the start stays. */
export const closeDebugger = (): void => {
  if (isWanted) return
  for (const ms of lookedAtMs) setTimeout(() => inspector.close(), ms)
}
