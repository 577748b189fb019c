// runs: node
//
// The stories of props/traces over real sockets, against the Node shell and the Deno shell: what
// the core is told to say, every client really receives, in its order, and nothing else. The
// packets are read by a reader that shares nothing with the codec under test. Each story has a
// broker to itself; all brokers of a shell live in one process, so hundreds cost no more than a few
// seconds.
//
//   STORY=qos2 SUBJECT=node npx tsx props/story-wire.test.ts
//
// Stories that take long or do what no socket does say `core only` and why.

import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { E } from '../core/prelude.ts'
import type { Played } from '../core/trace/play.ts'
import { play } from '../core/trace/play.ts'
import type { Story } from '../core/trace/story.ts'
import { writeAct } from '../core/trace/verb.ts'
import { skipped, within } from './conformance/expect.ts'
import { isThere } from './conformance/subject.ts'
import type { Kind } from './conformance/subject.ts'
import { Host } from './story/brokers.ts'
import { storyFiles, storyOf } from './story/files.ts'
import { obstacle, Player } from './story/sockets.ts'

interface Item {
  readonly file: string
  readonly story: Story
  readonly played: Played
}

const playedOf = (file: string, story: Story): Played => {
  const played = play(story, `props/traces/${file}`)
  if (E.isLeft(played)) throw new Error(played.left)
  return played.right
}

const items: ReadonlyArray<Item> = storyFiles().map((source) => {
  const story = storyOf(source)
  return { file: source.file, story, played: playedOf(source.file, story) }
})

/** Plays a story once; rejects where it went wrong, with Late where its clock ran late by then. */
const playOnce = async (host: Host, { file, story, played }: Item): Promise<void> => {
  const broker = await host.start(story.config)
  const player = new Player(broker)
  try {
    for (const [i, stanza] of played.stanzas.entries()) {
      for (const [j, line] of stanza.lines.entries()) {
        try {
          await player.play(line)
          if (j === stanza.lines.length - 1) await player.silence()
        } catch (error) {
          if (player.lateMs > lateMsMax) throw new Late(player.lateMs)
          const at = story.stanzas[i]?.lines[j]?.number ?? 0
          const says = error instanceof Error ? error.message : String(error)
          throw new Error(`props/traces/${file}:${at}: ${writeAct(line.act)}\n  ${says}`)
        }
      }
    }
  } finally {
    player.end()
    broker.stop()
  }
}

/** The margin that every story with a clock leaves; see props/README.md. */
const lateMsMax = 250

/** Tries of a story whose clock ran late because the machine was busy. */
const triesMax = 6

class Late extends Error {
  constructor(lateMs: number) {
    super(`this machine is too busy: the story was ${lateMs} ms late on the last of its tries`)
  }
}

const isTimed = ({ played }: Item): boolean =>
  played.stanzas.some(({ lines }) => lines.some(({ act }) => act._tag === 'Tick'))

/** A story that failed while its clock ran late has shown nothing, and is played again. */
const playItem = async (host: Host, item: Item): Promise<void> => {
  for (let tries = 1;; tries++) {
    try {
      return await within(30_000, 'the whole story', playOnce(host, item))
    } catch (error) {
      if (!(error instanceof Late) || !isTimed(item) || tries === triesMax) throw error
    }
  }
}

/** Stories that are played at a time. */
const width = Number(process.env['WIDTH'] ?? 32)

type Outcome = Promise<Error | null>

const outcomeOf = (played: Promise<void>): Outcome =>
  played.then(
    () => null,
    (error: unknown) => error instanceof Error ? error : new Error(String(error)),
  )

/**
 * Plays all, `width` at a time, and gives what went wrong with each. Those with a clock come last
 * and together: they sleep, and nobody keeps the machine busy meanwhile.
 */
const playAll = (host: Host, all: ReadonlyArray<Item>): Map<string, Outcome> => {
  const outcomes = new Map<string, Outcome>()
  const lanes: Promise<unknown>[] = Array.from({ length: width }, () => Promise.resolve())
  for (const [i, item] of all.filter((item) => !isTimed(item)).entries()) {
    const outcome = outcomeOf(lanes[i % width]!.then(() => playItem(host, item)))
    lanes[i % width] = outcome
    outcomes.set(item.file, outcome)
  }
  const quiet = Promise.all(lanes)
  for (const item of all.filter(isTimed)) {
    outcomes.set(item.file, outcomeOf(quiet.then(() => playItem(host, item))))
  }
  return outcomes
}

const playable = items.filter(({ story }) => story.coreOnly === null)

const marks = suite('stories for sockets')

marks('what says "core only" has an obstacle or a good reason, and what does not has none', () => {
  for (const { file, story, played } of items) {
    const acts = played.stanzas.flatMap(({ lines }) => lines.map(({ act }) => act))
    const why = obstacle(acts)
    if (story.coreOnly === null) assert.is(why, null, `${file} should say "core only": ${why}`)
    else assert.ok(story.coreOnly.length > 10, `${file} says why it is for the core only`)
  }
})

marks.run()

const kinds: ReadonlyArray<Kind> = (['node', 'deno'] as const)
  .filter((kind) => (process.env['SUBJECT'] ?? 'node,deno').split(',').includes(kind))

for (const kind of kinds) {
  if (!isThere(kind)) {
    skipped(`the stories on ${kind}`, kind)
    continue
  }
  const host = new Host(kind)
  const outcomes = playAll(host, playable)
  const report = suite(`stories over sockets on ${kind}`)
  for (const { file } of playable) {
    report(`${file} on ${kind}`, async () => {
      const error = await outcomes.get(file)
      if (error === null || error === undefined) return
      error.message += `\n  repeat: STORY=${file} SUBJECT=${kind} npx tsx props/story-wire.test.ts`
      throw error
    })
  }
  report.after(() => host.end())
  report.run()
}
