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

const padded = (number: number, width: number, pad = '0'): string =>
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

const offset = (minutes: number): string => {
  const east = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${padded(Math.floor(east / 60), 2)}${padded(east % 60, 2)}`
}

/** What a letter stands for: text, or another format. */
type Meaning = ((moment: Moment) => string) | string

const meanings: Readonly<Record<string, Meaning>> = {
  a: ({ weekday }) => weekdays[weekday]!.slice(0, 3),
  A: ({ weekday }) => weekdays[weekday]!,
  b: ({ month }) => months[month - 1]!.slice(0, 3),
  B: ({ month }) => months[month - 1]!,
  c: '%a %b %e %H:%M:%S %Y',
  C: ({ year }) => padded(Math.floor(year / 100), 2),
  d: ({ day }) => padded(day, 2),
  D: '%m/%d/%y',
  e: ({ day }) => padded(day, 2, ' '),
  F: '%Y-%m-%d',
  g: (moment) => padded(isoWeek(moment).year % 100, 2),
  G: (moment) => String(isoWeek(moment).year),
  h: '%b',
  H: ({ hour }) => padded(hour, 2),
  I: ({ hour }) => padded(twelve(hour), 2),
  j: (moment) => padded(yearDay(moment) + 1, 3),
  k: ({ hour }) => padded(hour, 2, ' '),
  l: ({ hour }) => padded(twelve(hour), 2, ' '),
  m: ({ month }) => padded(month, 2),
  M: ({ minute }) => padded(minute, 2),
  n: () => ' ',
  p: ({ hour }) => hour < 12 ? 'AM' : 'PM',
  P: ({ hour }) => hour < 12 ? 'am' : 'pm',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  s: ({ unixMs }) => String(Math.floor(unixMs / 1000)),
  S: ({ second }) => padded(second, 2),
  t: () => ' ',
  T: '%H:%M:%S',
  u: ({ weekday }) => String(weekday === 0 ? 7 : weekday),
  U: (moment) => padded(Math.floor((yearDay(moment) + 7 - moment.weekday) / 7), 2),
  V: (moment) => padded(isoWeek(moment).week, 2),
  w: ({ weekday }) => String(weekday),
  W: (moment) => padded(Math.floor((yearDay(moment) + 7 - (moment.weekday + 6) % 7) / 7), 2),
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  y: ({ year }) => padded(year % 100, 2),
  Y: ({ year }) => String(year),
  z: ({ offsetMinutes }) => offset(offsetMinutes),
  Z: ({ zone }) => zone,
  '%': () => '%',
}

/**
 * The moment in this format. What strftime does not know stands as it is; a line break, which would
 * make two lines of one, is a blank (`%n` and `%t` as well).
 */
export const strftime = (format: string, moment: Moment): string =>
  format.replace(/%[EO]?([a-zA-Z%])/g, (whole, letter: string) => {
    const meaning = meanings[letter]
    if (meaning === undefined) return whole
    return typeof meaning === 'string' ? strftime(meaning, moment) : meaning(moment)
  }).replace(/[\n\r\t\u2028\u2029]/g, ' ')
