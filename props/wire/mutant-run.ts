// Plays all rows in memory, and then all stories, and prints the name of the first one that fails,
// or nothing. Bundled with a core that lacks a check, by mutants.ts, which leaves the texts of the
// stories in the file that is the argument.

import { readFileSync } from 'node:fs'
import process from 'node:process'
import { E } from '../../core/prelude.ts'
import { play } from '../../core/trace/play.ts'
import { parseStory } from '../../core/trace/story.ts'
import type { StoryFile } from '../story/files.ts'
import { playInMemory } from './memory.ts'
import { exchanges, prefixes } from './tables.ts'

const failingRow = (): string | undefined =>
  exchanges.find((row) => {
    if (row.differs !== null) return false
    const prefix = prefixes.get(row) ?? ''
    return playInMemory(row, prefix, false) !== null || playInMemory(row, prefix, true) !== null
  })?.name

/** Whether the broker does what is told. What cannot be read or played is told otherwise, too. */
const comesTrue = ({ file, text }: StoryFile): boolean => {
  const story = parseStory(text, file)
  if (E.isLeft(story)) return false
  const played = play(story.right, file)
  if (E.isLeft(played)) return false
  const { stanzas } = played.right
  return story.right.stanzas.every(({ effects }, i) =>
    effects.join('\n') === stanzas[i]?.effects.join('\n')
  )
}

const isTrue = (story: StoryFile): boolean => {
  try {
    return comesTrue(story)
  } catch {
    return false
  }
}

const failingStory = (): string | undefined => {
  const stories: ReadonlyArray<StoryFile> = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
  return stories.find((story) => !isTrue(story))?.file
}

console.log(failingRow() ?? failingStory() ?? '')
