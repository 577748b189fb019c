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

const playItem = async (host: Host, { file, story, played }: Item): Promise<void> => {
  const broker = await host.start(story.config)
  const player = new Player(broker)
  try {
    for (const [i, stanza] of played.stanzas.entries()) {
      for (const [j, line] of stanza.lines.entries()) {
        try {
          await player.play(line)
          if (j === stanza.lines.length - 1) await player.silence()
        } catch (error) {
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

/** Stories that are played at a time. */
const width = Number(process.env['WIDTH'] ?? 32)

/** Plays all, `width` at a time, and gives what went wrong with each. */
const playAll = (host: Host, all: ReadonlyArray<Item>): Map<string, Promise<Error | null>> => {
  const outcomes = new Map<string, Promise<Error | null>>()
  const lanes: Promise<unknown>[] = Array.from({ length: width }, () => Promise.resolve())
  for (const [i, item] of all.entries()) {
    const outcome = lanes[i % width]!.then(() =>
      within(30_000, 'the whole story', playItem(host, item))
    ).then(
      () => null,
      (error: unknown) => error instanceof Error ? error : new Error(String(error)),
    )
    lanes[i % width] = outcome
    outcomes.set(item.file, outcome)
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
