// One entry of the log: what it is about, how it reads, and the same as data. Whoever makes one has
// made harmless what a peer chose; `data` has it raw, since JSON is escaped when it is written.

import type { LogType } from '../config/settings.ts'

export interface Line {
  readonly type: LogType
  readonly text: string
  /** What stands below it, each a line of its own that begins with a tab. */
  readonly more: ReadonlyArray<string>
  /** The name of the event in `log_format json`; `_tag` of `data` where that has one. */
  readonly event: string
  /** What is known of the event: plain data, null for nothing but the text. */
  readonly data: Data | null
}

/** Plain data without bytes. */
export type Data = { readonly [key: string]: unknown }

const none: ReadonlyArray<string> = []

export const line = (
  type: LogType,
  text: string,
  event: string,
  data: Data | null = null,
  more: ReadonlyArray<string> = none,
): Line => ({ type, text, more, event, data })

/** A line that is its text. */
export const said = (type: LogType, text: string): Line => line(type, text, 'Said')
