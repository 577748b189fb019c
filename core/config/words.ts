// Words of a file in messages about it: cut, and without what would disturb a terminal or forge a
// line. And the word that was meant where one was misspelt.

const charactersMax = 64

/** Controls, marks of direction, what ends a line, and a byte order mark. */
export const isHarmful = (code: number): boolean =>
  code < 0x20 ||
  (code >= 0x7f && code <= 0x9f) ||
  code === 0x061c ||
  code === 0x200e ||
  code === 0x200f ||
  (code >= 0x2028 && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069) ||
  code === 0xfeff

/** What looks like a blank, or like nothing, and came with a line from a page on the web. */
const unseen = /[^\S ]|[\u00ad\u200b\u2060]/

/** At most 64 characters of a word, or so many; what cannot be seen as `\u{N}`. */
export const quoted = (word: string, most = charactersMax): string => {
  let written = ''
  let count = 0
  for (const character of word) {
    if (count++ === most) return `${written}...`
    const code = character.codePointAt(0)!
    const isHalf = code >= 0xd800 && code <= 0xdfff
    const isShown = !isHalf && !isHarmful(code) && !unseen.test(character)
    written += isShown ? character : `\\u{${code.toString(16)}}`
  }
  return written
}

/** How many letters differ, are missing or swapped; `most` + 1 stands for all that is more. */
const distance = (a: string, b: string, most: number): number => {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: Array<number> = []
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1)
      }
      row.push(least)
    }
    before = above
    above = row
  }
  return above[b.length]!
}

/** The name that somebody meant who wrote `word`, null where none is near enough to be named. */
export const meant = (word: string, names: ReadonlyArray<string>): string | null => {
  if (word.length > charactersMax) return null
  // `listener=1883`, `Listener:`, `allow-anonymous`, and tabs or other blanks where one is wanted
  const plain = word.trim().toLowerCase().replace(/[=:\s].*$/s, '').replaceAll('-', '_')
  let best: string | null = null
  let least = Math.min(3, Math.floor(plain.length / 3)) + 1
  for (const name of names) {
    const far = distance(plain, name, least)
    if (far < least) {
      best = name
      least = far
    }
  }
  return best
}

/** The options that a page of help tells of, a line for each. */
export const optionsOf = (help: string): ReadonlyArray<string> =>
  [...help.matchAll(/^ (-[a-z-]+)(?:, (--[a-z-]+))?/gm)]
    .flatMap(([, one = '', other]) => other === undefined ? [one] : [one, other])

const dashless = (word: string): string => word.replace(/^-+/, '').replaceAll('-', '_')

/** What is said of a word that is none of the names of a command line, and what was meant. */
export const unknownOption = (
  word: string,
  names: ReadonlyArray<string>,
  page: string,
): string => {
  const near = meant(dashless(word), names.map(dashless))
  const name = near === null ? undefined : names.find((each) => dashless(each) === near)
  // `--port=1883` of other programs
  const value = /^--?[a-z-]+=(.+)$/s.exec(word)?.[1]
  const wanted = value === undefined ? name : `${name} ${quoted(value)}`
  const question = name === undefined ? '' : `Did you mean '${wanted}'? `
  return `Unknown option '${quoted(word)}'.\n${question}${page} lists what there is.`
}

// No system opens a file by a longer name.
const pathCharactersMax = 4096

/** A path as it stands in messages: whole, since by a part of it nobody finds the file. */
export const path = (name: string): string => quoted(name, pathCharactersMax)
