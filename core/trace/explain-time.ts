// Times as an explanation has them: seconds since a recording began, and ISO 8601 beside them.

import type { Millis } from '../broker/input.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'

/** A moment that somebody asks for. */
export type TimeWish =
  | { readonly _tag: 'Since'; readonly ms: number }
  /** Unix milliseconds. */
  | { readonly _tag: 'Wall'; readonly ms: number }

/** What the broker's own clock and the one on the wall said in a moment. */
interface Reading {
  readonly at: Millis
  readonly wall: number
}

/** What they said when the recording began. */
export interface Clock extends Reading {
  /** The same when the one on the wall was found to have been set, in order. */
  readonly set: ReadonlyArray<Reading>
}

// They do not go alike, and are not read at once.
const apartMs = 100

const readingsMax = 1000

/** With what the clock on the wall says now. */
export const heard = (clock: Clock, at: Millis, wall: number): Clock => {
  const { set } = clock
  const last = set.at(-1) ?? clock
  const isSet = Math.abs(wall - last.wall - (at - last.at)) > apartMs
  return isSet && set.length < readingsMax ? { ...clock, set: [...set, { at, wall }] } : clock
}

const wallOf = (time: Millis, clock: Clock): number => {
  const { at, wall } = clock.set.findLast((one) => one.at <= time) ?? clock
  return wall + time - at
}

/** The earliest and the latest that the clock on the wall has said up to a time. */
export const wallsIn = (clock: Clock, end: Millis): readonly [number, number] => {
  const walls = [clock, ...clock.set].flatMap(({ at, wall }, i) => {
    const next = clock.set[i]?.at ?? Math.max(at, end)
    return [wall, wall + next - at]
  })
  return [Math.min(...walls), Math.max(...walls)]
}

const dayMs = 86_400_000

/** Days from the first of January 1970 to a date of the proleptic Gregorian calendar. */
const daysTo = (year: number, month: number, day: number): number => {
  // Years that begin in March have the odd day at their end.
  const shifted = month > 2 ? year : year - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468
}

const padded = (value: number, width: number): string => String(value).padStart(width, '0')

/** Unix milliseconds as `2026-11-29T07:00:00.000Z`. */
export const isoOf = (wall: number): string => {
  const days = Math.floor(wall / dayMs)
  const rest = wall - days * dayMs
  // Close enough to begin with, and then the year that the day is in.
  let year = 1970 + Math.floor(days / 365.2425)
  while (daysTo(year + 1, 1, 1) <= days) year += 1
  while (daysTo(year, 1, 1) > days) year -= 1
  let month = 12
  while (daysTo(year, month, 1) > days) month -= 1
  const day = days - daysTo(year, month, 1) + 1
  const clock = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60]
  const seconds = Math.floor(rest / 1000) % 60
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}T` +
    `${clock.map((one) => padded(one, 2)).join(':')}:${padded(seconds, 2)}.` +
    `${padded(rest % 1000, 3)}Z`
}

const iso =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:?\d\d)?$/

/** Seconds, as in 12.5, or a time in ISO 8601, which is UTC where it names no zone; else null. */
export const parseTime = (text: string): TimeWish | null => {
  if (/^[0-9]{1,9}(\.[0-9]{1,9})?s?$/.test(text)) {
    return { _tag: 'Since', ms: Math.round(parseFloat(text) * 1000) }
  }
  const found = iso.exec(text)
  if (found === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(
    (digits) => Number(digits ?? 0),
  )
  const isDate = month >= 1 && month <= 12 && day >= 1 &&
    daysTo(year, month, day) < (month === 12 ? daysTo(year + 1, 1, 1) : daysTo(year, month + 1, 1))
  if (!isDate || hour > 24 || minute > 59 || second > 60) return null
  const zone = /([+-])(\d\d):?(\d\d)/.exec(found[8] ?? '')
  const east = zone === null
    ? 0
    : (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]))
  const ms = Number((found[7] ?? '').padEnd(3, '0').slice(0, 3))
  const minutes = daysTo(year, month, day) * 1440 + hour * 60 + minute - east
  return { _tag: 'Wall', ms: (minutes * 60 + second) * 1000 + ms }
}

/** The same, with a sentence where it is none. */
export const timeOf = (text: string): Either<string, TimeWish> => {
  const time = parseTime(text)
  return time === null
    ? E.left(`'${text}' is no time: write seconds as 12.5, or 2026-11-29T07:00:00Z.`)
    : E.right(time)
}

/** The broker's own time for a moment that somebody asks for, as the clocks are now. */
export const momentOf = (wish: TimeWish, clock: Clock): Millis => {
  if (wish._tag === 'Since') return clock.at + wish.ms
  const { at, wall } = clock.set.at(-1) ?? clock
  return at + wish.ms - wall
}

/** `12.345s`, since the recording began; `12.345s before the beginning` of what is older. */
export const since = (time: Millis, { at }: Clock): string => {
  const seconds = (Math.abs(time - at) / 1000).toFixed(3)
  return time < at ? `${seconds}s before the beginning` : `${seconds}s`
}

/** `12.345s (2026-11-29T07:00:00.000Z)`. */
export const dated = (time: Millis, clock: Clock): string =>
  `${since(time, clock)} (${isoOf(wallOf(time, clock))})`
