// Watches one test file from outside. It is loaded before the file (node --import, deno --preload)
// and catches the ways in which a uvu file can look green without having tested anything: a suite
// that never settles, where the process just runs out of work, and a file that calls no `.run()`.
//
// The queue that uvu keeps in globalThis says how many suites were begun and how many ended.

import { writeFileSync } from 'node:fs'

type Run = () => Promise<unknown>

/** Ended without having finished what was begun; the number Node itself uses for such an end. */
const unsettledStatus = 13

/** A file that always names the running test, for whoever has to kill a process that loops. */
const journal = process.env['GUARD_JOURNAL'] ?? ''

let begun = 0
let settled = 0
let running = ''

const watched = (run: Run): Run => async () => {
  try {
    const result = await run()
    // uvu swallows what a `before` or `after` hook throws and calls the suite clean: its result is
    // [errors or true, passed, skipped, total].
    if (Array.isArray(result) && result[0] === true && result[1] < result[3]) {
      console.error(`GUARD: a hook threw in the suite of ${running}; not all of its tests were run`)
    }
    return result
  } finally {
    settled++
  }
}

/** One of uvu's groups: the name of a file (here null), then the suites of that file. */
const watchedGroup = (group: unknown[]): unknown[] => {
  const push = group.push.bind(group)
  group.push = (...runs: unknown[]): number => {
    begun += runs.length
    return push(...runs.map((run) => watched(run as Run)))
  }
  return group
}

const queue: unknown[][] = []
const pushGroup = queue.push.bind(queue)
queue.push = (...groups: unknown[][]): number => pushGroup(...groups.map(watchedGroup))
Object.assign(globalThis, { UVU_QUEUE: queue })

// uvu writes `__suite__` and `__test__` into the state of a suite and tells nobody else which test
// is running. An inherited accessor hears both, and leaves the state itself as it was.
const suites = new WeakMap<object, unknown>()

Object.defineProperty(Object.prototype, '__suite__', {
  get(this: object): unknown {
    return suites.get(this)
  },
  set(this: object, name: unknown) {
    suites.set(this, name)
    running = String(name)
  },
})

let testName: unknown

Object.defineProperty(Object.prototype, '__test__', {
  get(): unknown {
    return testName
  },
  set(this: object, name: unknown) {
    testName = name
    // Empty at the beginning and at the end of a suite.
    if (name === '') return
    running = `${suites.get(this)}: ${name}`
    if (journal !== '') writeFileSync(journal, running)
  },
})

process.on('exit', () => {
  if (begun === 0) {
    console.error('GUARD: no suite was run; does the file end with .run() for every suite?')
    process.exitCode = unsettledStatus
  } else if (settled < begun) {
    const open = begun - settled
    console.error(`GUARD: ${open} of ${begun} suites never settled; running was ${running}`)
    process.exitCode = unsettledStatus
  }
})
