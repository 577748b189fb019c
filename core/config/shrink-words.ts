// The words behind `sabethes shrink`.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { optionsOf, unknownOption } from './words.ts'

export interface ShrinkWish {
  readonly file: string
  readonly property: string
  /** Where to; null for a story on standard output. */
  readonly out: string | null
  readonly trialsMax: number
  /** What `differs` compares with, null for nothing: a configuration, or another version. */
  readonly config: string | null
  readonly against: string | null
}

const trialsUsual = 10_000

export const shrinkHelp = `Usage: sabethes shrink FILE --property NAME [options]
       sabethes shrink --list

Leaves out of a recording, a story or a capture whatever can be left out while it still shows the
failure that the property names: connections, then stretches of inputs, then single ones; what is
left is made simpler. What clients sent in a capture is played to a new broker, on the port of most
CONNECTs; for another port or configuration make a recording of it first: sabethes replay CAPTURE
--to-recording OUT --port N --config FILE.

 --property NAME    the failure, by one of the names that --list prints.
 --list             print the names of properties, with a sentence each.
 -o, --out OUT      write it to this file: a story if the name ends in .trace, else a
                    recording. Without it the story is printed.
 --trials N         play it at most so many times (${trialsUsual}).
 --config FILE      the configuration that the property 'differs' compares with.
 --against DIR      the version that it compares with: a folder with its package. What
                    a recording was made with and this version makes otherwise is
                    found so; it is code of that folder that runs then.

Status 0: it was made shorter, or is as short as it gets; 2: it does not show the failure, or
cannot be read.
`

const take = (
  draft: { -readonly [K in keyof ShrinkWish]: ShrinkWish[K] },
  name: string,
  value: string | undefined,
): string | null => {
  const names = optionsOf(shrinkHelp)
  if (!names.includes(name)) return unknownOption(name, names, 'sabethes shrink --help')
  if (!value) return `${name} wants something behind it.`
  switch (name) {
    case '--property':
      draft.property = value
      return null
    case '-o':
    case '--out':
      draft.out = value
      return null
    case '--config':
      draft.config = value
      return null
    case '--against':
      draft.against = value
      return null
    case '--trials':
      if (!/^[1-9][0-9]{0,8}$/.test(value)) return '--trials wants a number from 1 on.'
      draft.trialsMax = Number(value)
      return null
  }
  return null
}

/** What is to be done: a page to be printed, or a wish. Left: what makes no sense. */
export const shrinkWish = (
  words: ReadonlyArray<string>,
): Either<string, ShrinkWish | 'help' | 'list'> => {
  const draft = {
    file: '',
    property: '',
    out: null as string | null,
    trialsMax: trialsUsual,
    config: null as string | null,
    against: null as string | null,
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--help' || word === '-h') return E.right('help')
    if (word === '--list') return E.right('list')
    if (word.startsWith('-')) {
      const wrong = take(draft, word, words[++i])
      if (wrong !== null) return E.left(wrong)
    } else if (draft.file !== '') return E.left('shrink takes one file.')
    else draft.file = word
  }
  if (draft.config !== null && draft.against !== null) {
    return E.left('differs compares with one thing: --config FILE or --against DIR.')
  }
  if (draft.against !== null && draft.property !== 'differs') {
    return E.left('--against is for --property differs.')
  }
  if (draft.file === '') {
    return E.left('shrink wants a recording or a story: sabethes shrink FILE --property NAME.')
  }
  return draft.property === ''
    ? E.left('shrink wants to know what goes wrong: --property NAME; --list prints the names.')
    : E.right(draft)
}
