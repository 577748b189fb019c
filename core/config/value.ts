// The value of one option: from the rest of its line, and back. Numbers, truths and texts are read
// as mosquitto reads them, with its words for what is wrong; where it would take a word for
// something else than what it says (`10M` as 10), we refuse it.

import { hasControl, utf8Size } from '../codec/utf8.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { isTopicName, whyNoName } from '../topic/name.ts'
import { intMax } from './option.ts'
import type { Kind, Option, Value } from './option.ts'
import { logTypes } from './settings.ts'
import type { LogDestination, LogType } from './settings.ts'
import { quoted } from './words.ts'

/** A value, and what was odd about it. */
export interface Read {
  readonly value: Value
  readonly warning: string | null
}

/** Why a value is refused: mosquitto's line without "Error: ", and the remedy. */
export interface Refusal {
  readonly line: string
  readonly remedy: string
}

type Reading = Either<Refusal, Read>

export const refuse = (line: string, remedy: string): Either<Refusal, never> =>
  E.left({ line, remedy })

const right = (value: Value, warning: string | null = null): Reading => E.right({ value, warning })

const textBytesMax = 65_535

export const empty = (label: string): Refusal => ({
  line: `Empty '${label}' value in configuration.`,
  remedy: 'Write a value behind the name, or take the line out.',
})

export const malformed = (text: string): Refusal => ({
  line: 'Malformed UTF-8 in configuration.',
  remedy: `Write ${quoted(text)} without control characters, and save the file as UTF-8.`,
})

/** The words of a text between blanks; only the blank itself separates. */
export const wordsOf = (rest: string): ReadonlyArray<string> =>
  rest.split(' ').filter((word) => word !== '')

const isBlank = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d)

export const trim = (rest: string): string => {
  let from = 0
  let to = rest.length
  while (from < to && isBlank(rest.charCodeAt(from))) from++
  while (to > from && isBlank(rest.charCodeAt(to - 1))) to--
  return rest.slice(from, to)
}

// What strtol(3) takes with base 0, whole.
const numeral = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/

/** The number that a word is for strtol(3) with base 0; null for none, not finite if too large. */
export const parseNumeral = (word: string): number | null => {
  const found = numeral.exec(word)
  if (found === null) return null
  const digits = found[2]!
  const isOctal = digits.length > 1 && digits[0] === '0' && /[0-7]/.test(digits[1]!)
  const size = isOctal ? parseInt(digits, 8) : Number(digits)
  return found[1] === '-' && size !== 0 ? -size : size
}

/** Reads the value of an option from what follows its name and one blank. */
export const readValue = (option: Option, rest: string): Reading => {
  const { kind, label } = option
  if (kind._tag === 'Text') return readText(kind, label, rest)
  const [word] = wordsOf(rest)
  if (word === undefined) return E.left(empty(label))
  switch (kind._tag) {
    case 'Truth':
      if (word === 'true' || word === '1') return right(true)
      if (word === 'false' || word === '0') return right(false)
      return refuse(`Invalid '${label}' value (${quoted(word)}).`, 'Say true or false.')
    case 'Whole':
      return readWhole(kind, label, word)
    case 'Word':
      return readWord(kind, word)
    case 'Duration':
      return readDuration(label, word)
    case 'Levels':
      return readLevels(label, rest)
    case 'Facility': {
      const number = parseNumeral(word)
      const remedy = wholeWanted(word, 0, 7)
      if (number === null) return refuse(`'${label}' value not a number.`, remedy)
      if (number < 0 || number > 7) return refuse(`Invalid '${label}' value (${number}).`, remedy)
      return right(`local${number}`)
    }
    case 'Destination':
      return readDestination(word, rest)
    case 'LogType':
      return readLogType(word)
    case 'Own':
      return right(word)
  }
}

const readText = (
  kind: Extract<Kind, { _tag: 'Text' }>,
  label: string,
  rest: string,
): Reading => {
  const text = trim(rest)
  if (text === '') return E.left(empty(label))
  if (isMalformed(text)) return E.left(malformed(text))
  if (utf8Size(text) > textBytesMax) {
    return refuse(`The '${label}' value is too long.`, `It may have ${textBytesMax} bytes.`)
  }
  if (kind.check === 'prefix' && utf8Size(text) > 50) {
    return refuse(`'${label}' length must be <= 50.`, `Make ${quoted(text)} shorter.`)
  }
  if (kind.check === 'topic' && !isTopicName(text)) {
    return refuse(
      `Invalid 'mount_point' value (${quoted(text)}). Does it contain a wildcard character?`,
      `It is no topic: it ${whyNoName(text).fault}.`,
    )
  }
  return right(text)
}

/** Controls, half pairs of surrogates, and what a decoder puts in the place of no UTF-8. */
export const isMalformed = (text: string): boolean =>
  hasControl(text) || text.includes('\ufffd') || !isWellFormed(text)

const isWellFormed = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0xd800 || code > 0xdfff) continue
    const next = text.charCodeAt(i + 1)
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false
    i++
  }
  return true
}

const wholeWanted = (word: string, min: number, max: number): string =>
  `In place of ${quoted(word)} write a whole number from ${min} to ${max}.`

const readWhole = (
  kind: Extract<Kind, { _tag: 'Whole' }>,
  label: string,
  word: string,
): Reading => {
  const number = parseNumeral(word)
  const remedy = wholeWanted(word, kind.min, kind.max)
  if (number === null) {
    const isFraction = /^[+-]?[0-9]+[a-zA-Z.]/.test(word) && !/^[+-]?0[xX]/.test(word)
    return refuse(
      `'${label}' value not a number.`,
      isFraction ? `Write ${quoted(word)} as a whole number without a unit.` : remedy,
    )
  }
  const most = Math.max(kind.max, intMax)
  if (number > most || number < -intMax - 1) {
    return refuse(`'${label}' value out of range.`, remedy)
  }
  if (number < kind.min) {
    if (kind.below === undefined) return refuse(kind.refusal.replace('%', String(number)), remedy)
    return right(kind.below)
  }
  if (kind.same !== undefined && number === kind.same[0]) return right(kind.same[1])
  if (number > kind.max) {
    if (kind.above === undefined) return refuse(kind.refusal.replace('%', String(number)), remedy)
    return right(kind.max * kind.scale, kind.above)
  }
  return right(number * kind.scale)
}

const readWord = (kind: Extract<Kind, { _tag: 'Word' }>, word: string): Reading => {
  for (const [name, value] of kind.words) {
    if (name === word) return right(value)
  }
  const refusal = kind.refusal.replace('%', () => quoted(word))
  for (const [name, sentence] of kind.missing) {
    if (name === word) return refuse(refusal, sentence)
  }
  return refuse(refusal, `Say ${kind.words.map(([name]) => name).join(' or ')}.`)
}

const secondsIn: Readonly<Record<string, number>> = {
  s: 1,
  h: 3_600,
  d: 86_400,
  w: 7 * 86_400,
  m: 30 * 86_400,
  y: 365 * 86_400,
}

/** What MQTT 5 calls never, in seconds. */
const durationMax = 0xffffffff

const readDuration = (label: string, word: string): Reading => {
  const found = /^([0-9]{1,10})([shdwmy])$/.exec(word)
  const count = found === null ? 0 : Number(found[1])
  if (count === 0 || count > durationMax) {
    return refuse(
      `Invalid '${label}' duration in configuration.`,
      'Write a whole number and one of s h d w m y, as in 14d.',
    )
  }
  return right(Math.min(count * secondsIn[found![2]!]!, durationMax))
}

const readLevels = (label: string, rest: string): Reading => {
  const levels = new Set<number>()
  for (const word of rest.split(/[, \t]/)) {
    if (word === '') continue
    if (word[0] === '#') break
    if (word !== '3' && word !== '4' && word !== '5') {
      return refuse(`Invalid '${label}' value (${quoted(word)}).`, 'Say some of 3, 4 and 5.')
    }
    levels.add(Number(word))
  }
  if (levels.size === 0) return E.left(empty(label))
  return right([...levels].sort())
}

const readDestination = (word: string, rest: string): Reading => {
  switch (word) {
    case 'none':
      return right([])
    case 'stdout':
    case 'stderr':
    case 'syslog':
    case 'topic': {
      const destination: LogDestination = { to: word }
      return right([destination])
    }
    case 'file': {
      const path = trim(rest.slice(rest.indexOf('file') + 4))
      if (path === '') {
        return refuse('Empty "log_dest file" value in configuration.', 'Write log_dest file PATH.')
      }
      if (isMalformed(path)) return E.left(malformed(path))
      const destination: LogDestination = { to: 'file', path }
      return right([destination])
    }
  }
  const refusal = `Invalid 'log_dest' value (${quoted(word)}).`
  return word === 'dlt' || word === 'android'
    ? refuse(refusal, 'Sabethes has no such log: say file PATH, or syslog.')
    : refuse(refusal, 'Say none, stdout, stderr, syslog, topic or file PATH.')
}

const isLogType = (word: string): word is LogType => logTypes.some((type) => type === word)

const readLogType = (word: string): Reading => {
  if (word === 'none') return right([])
  if (word === 'all') return right(logTypes)
  if (isLogType(word)) return right([word])
  return refuse(
    `Invalid 'log_type' value (${quoted(word)}).`,
    `Say none, all, ${logTypes.slice(0, -1).join(', ')} or ${logTypes[logTypes.length - 1]}.`,
  )
}

/** What has to follow the name for this value, line by line; the opposite of `readValue`. */
export const showValue = (option: Option, value: Value): ReadonlyArray<string> => {
  const { kind } = option
  switch (kind._tag) {
    case 'Whole':
      if (typeof value !== 'number') return ['-1']
      return [String(value / kind.scale)]
    case 'Word': {
      const found = kind.words.find(([, meant]) => meant === value)
      return [found === undefined ? String(value) : found[0]]
    }
    case 'Duration':
      return [`${value}s`]
    case 'Levels':
      return [Array.isArray(value) ? value.join(', ') : String(value)]
    case 'Facility':
      return [String(value).replace('local', '')]
    case 'Destination':
      return isDestinations(value) ? ['none', ...value.map(showDestination)] : []
    case 'LogType':
      return Array.isArray(value) ? ['none', ...value.map(String)] : []
    default:
      return [String(value)]
  }
}

const isDestinations = (value: Value): value is ReadonlyArray<LogDestination> =>
  Array.isArray(value)

const showDestination = (destination: LogDestination): string =>
  destination.to === 'file' ? `file ${destination.path}` : destination.to
