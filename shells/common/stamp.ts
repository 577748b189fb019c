// When a line was said, in the operator's format. Formatted once a second: a turn has many lines.

import { hasLetter, type Moment, strftime } from '../../core/log/strftime.ts'

export class Stamp {
  private at = NaN
  private made = ''
  private wanted: string | null = null

  /** Of strftime; null for Unix seconds. */
  set format(format: string | null) {
    this.wanted = format
    this.at = NaN
  }

  text(wallMs: number): string {
    const second = Math.floor(wallMs / 1000)
    if (second !== this.at) {
      this.at = second
      const { wanted } = this
      this.made = wanted === null ? String(second) : strftime(wanted, momentOf(wallMs, wanted))
    }
    return this.made
  }

  /** In JSON the default says the date, the milliseconds and that it is UTC. */
  json(wallMs: number): string {
    return this.wanted === null ? new Date(wallMs).toISOString() : this.text(wallMs)
  }
}

const momentOf = (unixMs: number, format: string): Moment => {
  const date = new Date(unixMs)
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    weekday: date.getDay(),
    offsetMinutes: -date.getTimezoneOffset(),
    // Dear to find out, and seldom asked for.
    zone: hasLetter(format, 'Z') ? zoneOf(date) : '',
    unixMs,
  }
}

const zoneOf = (date: Date): string => {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC'
}
