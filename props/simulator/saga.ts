// A long conversation in a simulated world, in which everything goes wrong that can, much of it by
// chance. As a program it prints the one of a seed.

import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { simulate } from '../../shells/simulator/mod.ts'
import type { ClientWish } from '../../shells/simulator/mod.ts'

const stays: ClientWish = { cleanStart: false, sessionExpiryS: 0xffffffff }

/** The conversation, for this seed. */
export const saga = (seed: number): string => {
  const world = simulate({ seed, config: { persistence: true } })
  const names = ['a', 'b', 'c', 'd']
  world.slowDisk('5ms')
  for (const name of names) {
    world.delay(name, '20ms', { jitter: '40ms' })
    const will = { topic: `will/${name}`, payload: 'gone', qos: 1 as const }
    world.connect(name, { ...stays, will, keepAliveS: 20 }).subscribe('#', 2)
  }
  for (let round = 0; round < 40; round++) {
    const name = names[round % 4]!
    const client = world.connect(name)
    world.advance('200ms')
    client.publish(`t/${name}`, `${round}`, {
      qos: (round % 3) as 0 | 1 | 2,
      retain: round % 5 === 0,
    })
    world.advance(round * 7)
    if (round % 7 === 2) world.cut(name)
    if (round % 7 === 4) world.vanish(name)
    if (round % 7 === 5) world.stall(name)
    if (round % 7 === 6) world.resume(names[(round - 1) % 4]!)
    if (round % 11 === 10) {
      world.crash()
      world.advance('3s')
      world.restart()
    }
    world.advance('10s')
  }
  return world.show()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(saga(Number(process.argv[2] ?? '1')))
}
