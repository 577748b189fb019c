// How a row says what it wanted and what it saw, and how long it waits.

import { servedMs } from '../served.ts'

/** Payloads can be a megabyte; the beginning of one says enough. */
const short = (text: string): string => text.length > 1_500 ? `${text.slice(0, 1_500)}...` : text

/** A row did not see what it expected. */
export class Mismatch extends Error {
  constructor(what: string, expected: string, seen: string) {
    super(`${short(what)}\n    expected: ${short(expected)}\n    seen:     ${short(seen)}`)
    this.name = 'Mismatch'
  }
}

const text = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value) ?? String(value)

/** Compares by the JSON of both sides. */
export const same = (seen: unknown, expected: unknown, what: string): void => {
  if (JSON.stringify(seen) !== JSON.stringify(expected)) {
    throw new Mismatch(what, text(expected), text(seen))
  }
}

/** `seen` is shown only where the condition does not hold. */
export const holds = (condition: boolean, what: string, expected: string, seen: unknown): void => {
  if (!condition) throw new Mismatch(what, expected, text(seen))
}

/** Tells the runner that something could not be tried here. */
export const skipped = (what: string, missing: string): void =>
  // uvu prints its dots without ending the line, and the runner looks at the beginnings of lines.
  console.log(`\nSKIPPED: ${what} because ${missing} is missing`)

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** The promise's value, or a Mismatch after `ms`, when a function is asked what it was about. */
export const within = <A>(
  ms: number,
  what: string | (() => string),
  promise: Promise<A>,
): Promise<A> =>
  new Promise((resolve, reject) => {
    const sinceMs = servedMs()
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      timer = setTimeout(() => {
        // What came while the machine did nothing is heard only after this.
        const left = sinceMs + ms - servedMs()
        if (left > 10) return wait(left)
        const told = typeof what === 'string' ? what : what()
        reject(new Mismatch(told, `within ${ms} ms`, 'nothing so far'))
      }, leftMs)
    }
    wait(ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })

/** Asks every 20 ms until the answer is yes. */
export const until = async (
  ms: number,
  what: string,
  holdsNow: () => boolean | Promise<boolean>,
): Promise<void> => {
  const end = servedMs() + ms
  while (!await holdsNow()) {
    if (servedMs() > end) throw new Mismatch(what, `within ${ms} ms`, 'not yet')
    await sleep(20)
  }
}
