// How answers put numbers, names and reason codes, and how such words become part of a pattern.

export const counted = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : 's'}`

export const quoted = (text: string): string => `'${text}'`

export const hex = (reason: number): string => `0x${reason.toString(16).padStart(2, '0')}`

/** The text as a pattern that only it matches. */
export const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
