// The turns of a busy broker: they follow each other without a pause, and still who begins to speak
// is heard within a few of them.

import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

// Needs nothing of Deno's, so that both runtimes can look at it.
import { createSchedule } from '../shells/deno/deno-turns.ts'

const { createHost } = 'Deno' in globalThis
  ? await import('../shells/deno/host.ts')
  : await import('../shells/node/host.ts')

const turns = suite('turns')

/** Both ends of a connection, and how to end it. */
const connection = (): Promise<readonly [near: Socket, far: Socket, end: () => void]> =>
  new Promise((resolve, reject) => {
    const server = createServer((far) => {
      const end = (): void => {
        near.destroy()
        far.destroy()
        server.close()
      }
      resolve([near, far, end])
    })
    let near: Socket
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      near = connect((server.address() as AddressInfo).port, '127.0.0.1')
      near.once('error', reject)
    })
  })

/** Turns of so many milliseconds until `end`, as of a broker with much to do. */
const busy = (turnMs: number): { count: number; end(): void } => {
  const host = createHost((error) => {
    throw error
  })
  let isOver = false
  const work = {
    count: 0,
    looks: 0,
    end: () => {
      isOver = true
    },
  }
  const turn = (): void => {
    work.count += 1
    const until = host.now() + turnMs
    while (host.now() < until) work.looks += 1
    if (!isOver) host.schedule(turn)
  }
  host.schedule(turn)
  return work
}

/** How many turns pass until what is said has been heard, of so many that are said. */
const waits = async (turnMs: number, sayings: number): Promise<ReadonlyArray<number>> => {
  const [near, far, end] = await connection()
  const work = busy(turnMs)
  const found: Array<number> = []
  try {
    for (let i = 0; i < sayings; i++) {
      const heard = new Promise<void>((resolve) => far.once('data', () => resolve()))
      // Not at once: by then the other end waits for what comes.
      await new Promise<void>((resolve) => setTimeout(resolve, 2 * turnMs))
      const from = work.count
      near.write('.')
      await heard
      found.push(work.count - from)
    }
    return found
  } finally {
    work.end()
    end()
  }
}

for (const [turnMs, turnsMax] of [[2, 12], [5, 6], [12, 4]] as const) {
  turns(`who speaks is heard soon, between turns of ${turnMs} ms`, async () => {
    const found = await waits(turnMs, 12)
    // One may have been held up by something else on this machine.
    const late = found.filter((count) => count > turnsMax)
    assert.ok(late.length <= 1, `more than ${turnsMax} turns passed: ${found.join(' ')}`)
  })
}

type Way = 'immediate' | 'thread' | 'timer'

/** By which way each of so many turns of so many milliseconds came on Deno. */
const ways = async (turnMs: number, count: number): Promise<ReadonlyArray<Way>> => {
  const before = { setImmediate, setTimeout }
  const { subtle } = crypto
  const { digest } = subtle
  const found: Array<Way> = []
  const noting =
    <A extends ReadonlyArray<unknown>, R>(way: Way, f: (...args: A) => R) => (...args: A): R => {
      found.push(way)
      return f(...args)
    }
  Object.assign(globalThis, {
    setImmediate: noting('immediate', setImmediate),
    setTimeout: noting('timer', setTimeout),
  })
  Object.defineProperty(subtle, 'digest', {
    value: noting('thread', digest.bind(subtle)),
    configurable: true,
  })
  try {
    const schedule = createSchedule()
    let spent = 0
    await new Promise<void>((resolve) => {
      const turn = (): void => {
        const until = performance.now() + turnMs
        let looks = 0
        while (performance.now() < until) looks += 1
        spent += looks
        if (found.length === count) resolve()
        else schedule(turn)
      }
      schedule(turn)
    })
    return found
  } finally {
    Object.assign(globalThis, before)
    Reflect.deleteProperty(subtle, 'digest')
  }
}

turns(
  'after a long turn Deno is given a moment, and after 20 ms of them a certain one',
  async () => {
    const found = await ways(3, 30)
    assert.is(found[0], 'immediate')
    assert.not.ok(found.slice(1).includes('immediate'), found.join(' '))
    const between = found.join(' ').split('timer').map((some) => some.split('thread').length - 1)
    assert.ok(between.length > 3, found.join(' '))
    // Seven turns of 3 ms are more than 20.
    assert.ok(between.every((threads) => threads <= 6), found.join(' '))
    assert.ok(between.some((threads) => threads > 0), found.join(' '))
  },
)

turns('most short turns come at once', async () => {
  const found = await ways(0, 100)
  assert.ok(found.filter((way) => way === 'immediate').length >= 34, found.join(' '))
  assert.ok(found.includes('thread'), found.join(' '))
})

turns('what is scheduled runs once', async () => {
  const host = createHost(() => {})
  const ran: Array<string> = []
  const once = (name: string): Promise<void> =>
    new Promise((resolve) =>
      host.schedule(() => {
        ran.push(name)
        resolve()
      })
    )
  await once('one')
  await once('two')
  await once('three')
  assert.equal(ran, ['one', 'two', 'three'])
})

turns.run()
