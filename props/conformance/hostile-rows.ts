// Plays the hostile cases and the fuzzing client, with the second half of every case: the broker is
// alive, a fresh client is served, and nobody else has heard anything.

import process from 'node:process'
import { seed } from '../gen/settings.ts'
import { servedMs } from '../served.ts'
import { holds, Mismatch, same, skipped, sleep } from './expect.ts'
import { attack, attackText, dice } from './fuzz.ts'
import type { Attack } from './fuzz.ts'
import { hostileCases } from './hostile.ts'
import type { Case } from './hostile.ts'
import { payloadText, Peer } from './peer.ts'
import type { Row, Stage } from './row.ts'
import { residentBytes } from './subject.ts'
import { show } from './wire.ts'

const fits = (seen: string, expected: string): boolean => {
  const [words, patterns] = [seen.split(' '), expected.split(' ')]
  return words.length === patterns.length &&
    patterns.every((pattern, index) => pattern.split('|').includes(words[index] ?? ''))
}

const playCase = async (stage: Stage, made: Case): Promise<void> => {
  const witness = await stage.client('witness')
  for (const filter of ['#', '$SYS/#', '$CONTROL/#']) await witness.subscribe(filter)
  const peer = await stage.dial()
  peer.level = made.level
  peer.acknowledges = false
  if (made.isConnected) await peer.connect({ level: made.level, id: stage.own('hostile') })
  const before = peer.history.length
  peer.send(made.send)
  if (made.end === 'open') {
    // Answers come in order, so the PINGRESP shows that nothing else will come.
    peer.send('c000')
    while (peer.history[peer.history.length - 1]?.kind !== 'PINGRESP') {
      if (peer.isClosed) throw new Mismatch('the connection', 'open', `closed, ${peer.told()}`)
      if (peer.failure !== null) throw peer.failure
      await sleep(5)
    }
  } else {
    await peer.gone(3_000)
  }
  const seen = peer.history.slice(before).map(show)
  if (made.end === 'open') seen.pop()
  holds(
    seen.length === made.answers.length &&
      seen.every((line, index) => fits(line, made.answers[index] ?? '')),
    `the answer to ${made.send.slice(0, 200)}`,
    [...made.answers, made.end].join(', '),
    [...seen, made.end].join(', '),
  )
  const sinceMs = servedMs()
  const fresh = await stage.client('fresh')
  await fresh.ping()
  const ms = servedMs() - sinceMs
  holds(ms < 1_500, 'a fresh client', 'served within 1.5 s', `${ms} ms`)
  await witness.ping()
  const overheard = witness.messages
    .filter(({ topic }) => !topic.startsWith('own/') && !topic.startsWith('$SYS/broker/'))
  same(overheard.map(show), [], 'heard by the witness')
}

const mebibyte = 1024 * 1024

/** One connection of the fuzzing client; what the broker answers must be MQTT. */
const playAttack = async (port: number, made: Attack, lingerMs: number): Promise<void> => {
  const peer = await Peer.dial(port)
  try {
    peer.level = made.level
    peer.acknowledges = false
    if (made.greeting !== null) {
      peer.send(made.greeting)
      await peer.answer('CONNACK')
    }
    for (const piece of made.pieces) {
      peer.send(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (made.end === 'wait') await sleep(lingerMs)
    if (made.end === 'close') {
      peer.socket.end()
      await Promise.race([peer.closed, sleep(200)])
    }
    // An answer to a mangled CONNECT may be of any level, so only the others are read strictly.
    if (made.greeting !== null && peer.failure !== null) throw peer.failure
  } finally {
    if (made.end === 'reset') peer.reset()
    else peer.destroy()
  }
}

const fuzzRow: Row = {
  name: 'fuzzing: 1,500 connections of nonsense',
  alone: {},
  patienceMs: 60_000,
  play: async (stage) => {
    const { broker } = stage
    const roll = dice(seed)
    const repeat = `SEED=${seed}`
    const listener = await stage.client('listener', { keepAliveS: 0 })
    await listener.subscribe(stage.own('pair'), 1)
    const speaker = await stage.client('speaker', { keepAliveS: 0 })
    let isOver = false
    let spoken = 0
    const pair = async (): Promise<void> => {
      while (!isOver) {
        await speaker.publish(stage.own('pair'), `${spoken++}`, { qos: 1 })
        await listener.deliveries(spoken, 3_000)
        await sleep(10)
      }
    }
    const pairEnd = pair().catch((error: unknown) => error)
    let made = 0
    const count = Number(process.env['RUNS'] ?? 1_500)
    const recent: string[] = []
    const strike = async (upTo: number): Promise<void> => {
      while (made < upTo) {
        const one = attack(roll, made++)
        recent.push(attackText(one).slice(0, 600))
        if (recent.length > 20) recent.shift()
        try {
          await playAttack(broker.port, one, 20)
        } catch (error) {
          throw new Mismatch(
            `connection ${made} of ${repeat}: ${attackText(one)}`,
            'an answer in MQTT or a closed connection',
            String(error),
          )
        }
      }
    }
    const wave = (upTo: number): Promise<unknown> =>
      Promise.all(Array.from({ length: 16 }, () => strike(upTo)))
    // The first connections warm up the heap; only what comes after them can be a leak.
    await wave(Math.floor(count / 3))
    const before = residentBytes(broker.running.pid)
    await wave(count)
    await sleep(200)
    const after = residentBytes(broker.running.pid)
    isOver = true
    const failed = await pairEnd
    holds(
      failed === undefined && !broker.running.isEnded,
      `the pair that talked meanwhile, ${repeat}, the last connections:\n${recent.join('\n')}`,
      'served until the end',
      broker.running.isEnded
        ? `the broker has ended: ${(broker.running.stderr + broker.running.stdout).slice(-1_000)}`
        : String(failed),
    )
    same(
      listener.messages.map(payloadText),
      Array.from({ length: spoken }, (_, index) => `${index}`),
      `what the pair heard, ${repeat}`,
    )
    holds(spoken > 20, 'messages between the pair', 'more than 20', spoken)
    if (before !== null && after !== null) {
      const grown = (after - before) / mebibyte
      holds(grown < 48, `growth of memory, ${repeat}`, 'under 48 MiB', `${grown.toFixed(1)} MiB`)
    } else {
      skipped('growth of memory while fuzzing', '/proc')
    }
  },
}

export const hostileRows: ReadonlyArray<Row> = [
  ...hostileCases.map((made): Row => ({
    name: made.name,
    play: (stage) => playCase(stage, made),
  })),
  fuzzRow,
]
