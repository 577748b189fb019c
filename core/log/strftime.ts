// A moment in the words of strftime(3) of the C locale. The moment comes apart already, because
// what time it is where depends on the machine.

/** A moment on a clock on some wall. */
export interface Moment {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0 is Sunday. */
  readonly weekday: number
  /** Minutes east of Greenwich. */
  readonly offsetMinutes: number
  /** What the zone is called there, `CET` or the like. */
  readonly zone: string
  /** Milliseconds since 1970, UTC. */
  readonly unixMs: number
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const padded = (number: number, width: number, pad: string): string =>
  String(number).padStart(width, pad)

const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** Day of the year from 0 on. */
const yearDay = ({ year, month, day }: Moment): number =>
  daysBefore[month - 1]! + (month > 2 && isLeap(year) ? 1 : 0) + day - 1

/** The week by ISO 8601 and the year that it belongs to: the week with Thursday in it. */
const isoWeek = (moment: Moment): { readonly year: number; readonly week: number } => {
  const { year } = moment
  const thursday = yearDay(moment) - (moment.weekday + 6) % 7 + 3
  const length = isLeap(year) ? 366 : 365
  if (thursday < 0) {
    const before = thursday + (isLeap(year - 1) ? 366 : 365)
    return { year: year - 1, week: Math.floor(before / 7) + 1 }
  }
  if (thursday >= length) {
    return { year: year + 1, week: Math.floor((thursday - length) / 7) + 1 }
  }
  return { year, week: Math.floor(thursday / 7) + 1 }
}

const twelve = (hour: number): number => hour % 12 === 0 ? 12 : hour % 12

/** What is written in front of what is short: zeros, blanks, or nothing. */
type Pad = '0' | '_' | '-'

/** A number, of at least so many digits. */
interface Digits {
  readonly digits: number
  readonly of: (moment: Moment) => number
  readonly pad: Pad
}

/** A text, and what `#` makes of its letters. */
interface Word {
  readonly word: (moment: Moment) => string
  readonly swapped: 'upper' | 'lower'
}

/** What a letter stands for: a number, a text, or another format. */
type Meaning = Digits | Word | string

const number = (digits: number, of: (moment: Moment) => number, pad: Pad = '0'): Digits => ({
  digits,
  of,
  pad,
})

const word = (word: (moment: Moment) => string, swapped: Word['swapped'] = 'upper'): Word => ({
  word,
  swapped,
})

const monthName = word(({ month }) => months[month - 1]!.slice(0, 3))

const meanings: Readonly<Record<string, Meaning>> = {
  a: word(({ weekday }) => weekdays[weekday]!.slice(0, 3)),
  A: word(({ weekday }) => weekdays[weekday]!),
  b: monthName,
  B: word(({ month }) => months[month - 1]!),
  c: '%a %b %e %H:%M:%S %Y',
  C: number(2, ({ year }) => Math.floor(year / 100)),
  d: number(2, ({ day }) => day),
  D: '%m/%d/%y',
  e: number(2, ({ day }) => day, '_'),
  F: '%Y-%m-%d',
  g: number(2, (moment) => isoWeek(moment).year % 100),
  G: number(1, (moment) => isoWeek(moment).year),
  h: monthName,
  H: number(2, ({ hour }) => hour),
  I: number(2, ({ hour }) => twelve(hour)),
  j: number(3, (moment) => yearDay(moment) + 1),
  k: number(2, ({ hour }) => hour, '_'),
  l: number(2, ({ hour }) => twelve(hour), '_'),
  m: number(2, ({ month }) => month),
  M: number(2, ({ minute }) => minute),
  n: word(() => ' '),
  p: word(({ hour }) => hour < 12 ? 'AM' : 'PM', 'lower'),
  P: word(({ hour }) => hour < 12 ? 'am' : 'pm', 'lower'),
  r: '%I:%M:%S %p',
  R: '%H:%M',
  // To strftime these digits are text.
  s: word(({ unixMs }) => String(Math.floor(unixMs / 1000))),
  S: number(2, ({ second }) => second),
  t: word(() => ' '),
  T: '%H:%M:%S',
  u: number(1, ({ weekday }) => weekday === 0 ? 7 : weekday),
  U: number(2, (moment) => Math.floor((yearDay(moment) + 7 - moment.weekday) / 7)),
  V: number(2, (moment) => isoWeek(moment).week),
  w: number(1, ({ weekday }) => weekday),
  W: number(2, (moment) => Math.floor((yearDay(moment) + 7 - (moment.weekday + 6) % 7) / 7)),
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  y: number(2, ({ year }) => year % 100),
  Y: number(1, ({ year }) => year),
  Z: word(({ zone }) => zone, 'lower'),
  '%': word(() => '%'),
}

/** What stands between the `%` and the letter. */
interface How {
  /** The flag that was given last; null for what is usual. */
  readonly pad: Pad | null
  readonly width: number
  readonly isUpper: boolean
  readonly isSwapped: boolean
}

/** No line is so long: mosquitto has room for a thousand characters. */
const widthMax = 1_000

const howOf = (flags: string, width: string): How => ({
  pad: ([...flags].findLast((flag): flag is Pad => '0_-'.includes(flag))) ?? null,
  width: Math.min(Number(width), widthMax),
  isUpper: flags.includes('^'),
  isSwapped: flags.includes('#'),
})

/** A number counts its digits in the width, and has blanks there if it wants none in front. */
const digitsText = (value: number, digits: number, pad: Pad, width: number): string =>
  pad === '-'
    ? padded(value, width, ' ')
    : padded(value, Math.max(digits, width), pad === '_' ? ' ' : '0')

const cased = (text: string, { swapped }: Word, { isUpper, isSwapped }: How): string =>
  isSwapped && swapped === 'lower'
    ? text.toLowerCase()
    : isUpper || isSwapped
    ? text.toUpperCase()
    : text

const widened = (text: string, { pad, width }: How): string =>
  text.padStart(width, pad === '0' ? '0' : ' ')

/** The sign takes the whole width, and the digits take it once more. */
const offsetText = (minutes: number, how: How): string => {
  const east = Math.abs(minutes)
  const clock = Math.floor(east / 60) * 100 + east % 60
  return widened(minutes < 0 ? '-' : '+', how) + digitsText(clock, 4, how.pad ?? '0', how.width)
}

/** One letter; null where it is none of strftime's. */
const conversion = (letter: string, how: How, moment: Moment): string | null => {
  if (letter === 'z') return offsetText(moment.offsetMinutes, how)
  const meaning = meanings[letter]
  if (meaning === undefined) return null
  if (typeof meaning === 'string') {
    const text = strftime(meaning, moment)
    return widened(how.isUpper ? text.toUpperCase() : text, how)
  }
  if ('digits' in meaning) {
    return digitsText(meaning.of(moment), meaning.digits, how.pad ?? meaning.pad, how.width)
  }
  // What is in small letters stays so.
  const text = meaning.word(moment)
  return widened(letter === 'P' ? text : cased(text, meaning, how), how)
}

/** Flags, a width, a modifier that means nothing in the C locale, and the letter. */
const placeholder = /%([-_0^#]*)(\d*)[EO]?([a-zA-Z%])/g

/** Whether a format has this letter in it. */
export const hasLetter = (format: string, letter: string): boolean =>
  [...format.matchAll(placeholder)].some(([, , , found]) => found === letter)

/**
 * The moment in this format, with the flags and widths of glibc. What strftime does not know stands
 * as it is; a line break, which would make two lines of one, is a blank (`%n` and `%t` as well).
 */
export const strftime = (format: string, moment: Moment): string =>
  format.replace(
    placeholder,
    (whole, flags: string, width: string, letter: string) =>
      conversion(letter, howOf(flags, width), moment) ?? whole,
  ).replace(/[\n\r\t\u2028\u2029]/g, ' ')
