// The form of a story: paragraphs that tell it, input lines, `----`, and what came of them. Reading
// is total, and a line that is not understood is refused with its place and what to do about it;
// what is written again is the same text in its plainest form. README.md has the grammar.

import type { Config } from '../broker/config.ts'
import { defaults } from '../broker/config.ts'
import type { Input } from '../broker/input.ts'
import type { Origin } from '../broker/state.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { Act } from './act.ts'
import { listenerTexts, optionsText, takeConfig, takeListeners } from './config-text.ts'
import { explicitName, showInput } from './show.ts'
import type { NameOf } from './show.ts'
import { readAct, writeAct } from './verb.ts'
import { finish, take, takeNumber, words } from './words.ts'

export interface Line {
  /** In the file, from 1. */
  readonly number: number
  readonly act: Act
}

export interface Stanza {
  /** Lines of comment without their `#`. */
  readonly comments: ReadonlyArray<string>
  readonly lines: ReadonlyArray<Line>
  /** As they are written. */
  readonly effects: ReadonlyArray<string>
}

export interface Story {
  /** The comment that the story begins with. */
  readonly title: ReadonlyArray<string>
  readonly config: Config
  /** Null for the usual one. */
  readonly origin: Origin | null
  /** Why it cannot be played on sockets, or null. */
  readonly coreOnly: string | null
  readonly stanzas: ReadonlyArray<Stanza>
}

/** When stories begin. */
export const usualOrigin: Origin = { at: 0, wall: 1_800_000_000_000, seed: 1 }

/** A story without its first word on what it is about is a riddle. */
const titleMissing = 'a story begins with a comment on what it tells, and an empty line below it'

interface Block {
  readonly number: number
  readonly lines: ReadonlyArray<string>
}

const blocksOf = (text: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let lines: Array<string> = []
  let begun = 0
  const all = [...text.split('\n'), '']
  for (let i = 0; i < all.length; i++) {
    const line = all[i]!.trimEnd()
    if (line !== '') {
      if (lines.length === 0) begun = i + 1
      lines.push(line)
    } else if (lines.length > 0) {
      blocks.push({ number: begun, lines })
      lines = []
    }
  }
  return blocks
}

const uncommented = (line: string): string => line.slice(1).trim()

/** Reads a story. Left: `file:line: what is wrong: what to do`. */
export const parseStory = (text: string, file: string): Either<string, Story> => {
  const wrong = (number: number, says: string): Either<string, never> =>
    E.left(`${file}:${number}: ${says}`)
  const [head, ...rest] = blocksOf(text)
  if (head === undefined || !head.lines[0]!.startsWith('#')) return wrong(1, titleMissing)
  const found = parseHead(head)
  if (E.isLeft(found)) return wrong(found.left.number, found.left.says)
  const stanzas: Array<Stanza> = []
  for (const block of rest) {
    const stanza = parseStanza(block)
    if (E.isLeft(stanza)) return wrong(stanza.left.number, stanza.left.says)
    stanzas.push(stanza.right)
  }
  return E.right({ ...found.right, stanzas })
}

interface Wrong {
  readonly number: number
  readonly says: string
}

const parseHead = (block: Block): Either<Wrong, Omit<Story, 'stanzas'>> => {
  const title: Array<string> = []
  let config = defaults
  let origin: Origin | null = null
  let coreOnly: string | null = null
  for (let i = 0; i < block.lines.length; i++) {
    const line = block.lines[i]!
    const number = block.number + i
    if (line.startsWith('#')) {
      title.push(uncommented(line))
      continue
    }
    if (line.startsWith('core only: ')) {
      coreOnly = line.slice('core only: '.length).trim()
      continue
    }
    const w = words(line)
    const word = take(w)
    if (word === 'config') config = takeConfig(w)
    else if (word === 'listener') {
      w.at--
      config = takeListeners(w, config)
    } else if (word === 'origin') {
      const most = Number.MAX_SAFE_INTEGER
      const at = takeNumber(w, 'the first moment in milliseconds', 0, most)
      const wall = takeNumber(w, 'that moment in Unix milliseconds', 0, most)
      origin = { at, wall, seed: takeNumber(w, 'a seed', 0, most) }
      finish(w)
    } else {
      const says = `${word} does not belong above the first empty line: there stand comments, ` +
        'config, listener, origin and "core only: reason"'
      return E.left({ number, says })
    }
    if (w.fault !== null) return E.left({ number, says: w.fault })
  }
  return E.right({ title, config, origin, coreOnly })
}

const parseStanza = (block: Block): Either<Wrong, Stanza> => {
  const comments: Array<string> = []
  const lines: Array<Line> = []
  let i = 0
  for (; i < block.lines.length && block.lines[i]!.startsWith('#'); i++) {
    comments.push(uncommented(block.lines[i]!))
  }
  for (; i < block.lines.length && block.lines[i] !== '----'; i++) {
    const number = block.number + i
    const text = block.lines[i]!
    if (text.startsWith('#')) {
      return E.left({ number, says: 'a comment stands above its stanza: move it up' })
    }
    const act = readAct(text)
    if (E.isLeft(act)) return E.left({ number, says: act.left })
    if (act.right._tag === 'Quiet' && lines.length > 0) {
      return E.left({ number, says: 'quiet is the first line of its stanza: move it up' })
    }
    lines.push({ number, act: act.right })
  }
  if (i < block.lines.length && lines.length === 0) {
    return E.left({ number: block.number + i, says: 'a ---- without inputs above it: write some' })
  }
  // Without a ---- the effects are still to be written.
  return E.right({ comments, lines, effects: block.lines.slice(i + 1) })
}

const comment = (line: string): string => line === '' ? '#' : `# ${line}`

/** The story as text, in its plainest form; ends with a line break. */
export const printStory = (story: Story): string => {
  const { title, config, origin, coreOnly, stanzas } = story
  const options = optionsText(config)
  const head = [
    ...title.map(comment),
    ...(options.length === 0 ? [] : [['config', ...options].join(' ')]),
    ...listenerTexts(config).map((one) => one.join(' ')),
    ...(origin === null ? [] : [`origin ${origin.at} ${origin.wall} ${origin.seed}`]),
    ...(coreOnly === null ? [] : [`core only: ${coreOnly}`]),
  ]
  const blocks = stanzas.map(({ comments, lines, effects }) =>
    [
      ...comments.map(comment),
      ...lines.map(({ act }) => writeAct(act)),
      ...(lines.length === 0 ? [] : ['----']),
      ...effects,
    ].join('\n')
  )
  return [head.join('\n'), ...blocks].join('\n\n') + '\n'
}

/** A recording as a story: one stanza for each moment, and the inputs exactly as they were. */
export const storyOfInputs = (
  title: string,
  config: Config,
  origin: Origin,
  inputs: ReadonlyArray<Input>,
  nameOf: NameOf = explicitName,
): Story => {
  const stanzas: Array<Stanza> = []
  let lines: Array<Line> = []
  let now = origin.at
  const add = (text: string): void => {
    const act = readAct(text)
    // What show writes, the story reads.
    if (E.isLeft(act)) throw new Error(`${text}: ${act.left}`)
    lines.push({ number: 0, act: act.right })
  }
  for (const input of inputs) {
    if (input.at !== now) {
      if (lines.length > 0) stanzas.push({ comments: [], lines, effects: [] })
      lines = []
      now = input.at
      add(`at ${now}`)
    }
    add(showInput(input, nameOf))
  }
  if (lines.length > 0) stanzas.push({ comments: [], lines, effects: [] })
  // A seed is 32 bits, with a sign or without.
  const unsigned = { ...origin, seed: origin.seed >>> 0 }
  return { title: [title], config, origin: unsigned, coreOnly: null, stanzas }
}
