// The grammar of an ACL file, as mosquitto has it: `topic`, `user` and `pattern` lines.
//
//     topic read $SYS/#             # for clients without a user name
//     user alice
//     topic readwrite home/+/temp
//     topic deny home/secret/#
//     pattern write devices/%c/state
//
// A comment is a line of its own: in a topic a number sign is a wildcard.

import type { Access, Acl, AclRule } from '../broker/acl.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { isTopicFilter, whyNoFilter } from '../topic/filter.ts'
import type { FileFault } from './file-fault.ts'

/** What an ACL file says. */
export interface AclFile {
  readonly acl: Acl
  /** What is odd but no error, for the log: whole sentences without "Warning: ". */
  readonly warnings: ReadonlyArray<string>
}

const accesses: ReadonlySet<string> = new Set<Access>(['read', 'write', 'readwrite', 'deny'])

const isAccess = (word: string): word is Access => accesses.has(word)

const blanks = /^[ \t]+|[ \t\r]+$/g

/** The first word of a line that is trimmed, and what stands behind it. */
const split = (text: string): readonly [word: string, rest: string] => {
  const found = /[ \t]+/.exec(text)
  return found === null
    ? [text, '']
    : [text.slice(0, found.index), text.slice(found.index + found[0].length)]
}

type Misread = Pick<FileFault, 'word' | 'what' | 'remedy'>

/** Reads what follows `topic` or `pattern`: an access type where there is one, and a filter. */
const readRule = (keyword: string, rest: string): Either<Misread, AclRule> => {
  if (rest === '') {
    const remedy = `Write one behind it, as in "${keyword} read home/#".`
    return E.left({ word: keyword, what: 'a line without a topic', remedy })
  }
  const [word, behind] = split(rest)
  // A topic alone may have any name; one with blanks in it needs an access type before it.
  if (behind !== '' && !isAccess(word)) {
    const remedy = 'Write read, write, readwrite or deny before the topic, and comments on lines ' +
      'of their own.'
    return E.left({ word, what: 'an access type that does not exist', remedy })
  }
  const access = behind !== '' && isAccess(word) ? word : 'readwrite'
  const filter = behind === '' ? word : behind
  if (!isTopicFilter(filter)) {
    const remedy = 'Write a topic filter: + and # stand alone between slashes, # at the end.'
    const what = `the topic ${whyNoFilter(filter).fault}`
    return E.left({ word: filter, what, remedy })
  }
  return E.right({ access, filter })
}

/**
 * Reads an ACL file; `file` is its name for messages. An empty file denies everything. Left: the
 * first line that is none, and nothing of the file counts.
 */
export const parseAcl = (file: string, text: string): Either<FileFault, AclFile> => {
  // Not everybody has types.
  if (typeof text !== 'string') {
    throw new TypeError(
      "an ACL file is its name, for messages, and its text: parseAcl('acl', text)",
    )
  }
  const anonymous: AclRule[] = []
  const users = new Map<string, AclRule[]>()
  const patterns: AclRule[] = []
  const warnings: string[] = []
  let current = anonymous
  const lines = text.replace(/^\ufeff/, '').split('\n')
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.replaceAll(blanks, '')
    if (line === '' || line.startsWith('#')) continue
    const fail = (misread: Misread): Either<FileFault, never> =>
      E.left({ file, line: i + 1, ...misread })
    const [keyword, rest] = split(line)
    switch (keyword) {
      case 'user': {
        if (rest === '') {
          const remedy = 'Write the name behind it, as in "user alice".'
          return fail({ word: keyword, what: 'a line without a user name', remedy })
        }
        current = users.get(rest) ?? []
        users.set(rest, current)
        break
      }
      case 'topic':
      case 'pattern': {
        const rule = readRule(keyword, rest)
        if (E.isLeft(rule)) return fail(rule.left)
        const { filter } = rule.right
        const placed = { ...rule.right, line: i + 1 }
        if (keyword === 'topic') current.push(placed)
        else patterns.push(placed)
        if (keyword === 'pattern' && !filter.includes('%c') && !filter.includes('%u')) {
          warnings.push(`ACL pattern '${filter}' does not contain '%c' or '%u' (${file}:${i + 1}).`)
        }
        break
      }
      default: {
        const remedy = 'Begin it with topic, user, pattern or a number sign, in small letters.'
        return fail({ word: keyword, what: 'a line that begins with another word', remedy })
      }
    }
  }
  return E.right({ acl: { anonymous, users: [...users], patterns, file }, warnings })
}

const withoutLine = ({ access, filter }: AclRule): AclRule => ({ access, filter })

/** The rules alone, whatever file and lines they were read from. */
export const withoutPlaces = ({ anonymous, users, patterns }: Acl): Acl => ({
  anonymous: anonymous.map(withoutLine),
  users: users.map(([name, rules]) => [name, rules.map(withoutLine)]),
  patterns: patterns.map(withoutLine),
})

const ruleText = (keyword: string, { access, filter }: AclRule): string =>
  `${keyword} ${access} ${filter}\n`

/**
 * The access list as a file that reads as the same one. Names and filters with blanks at an end or
 * line breaks in them, which no file can have said, do not survive it.
 */
export const aclText = ({ anonymous, users, patterns }: Acl): string =>
  anonymous.map((rule) => ruleText('topic', rule)).join('') +
  users.map(([name, rules]) =>
    `user ${name}\n` + rules.map((rule) => ruleText('topic', rule)).join('')
  ).join('') +
  patterns.map((rule) => ruleText('pattern', rule)).join('')
